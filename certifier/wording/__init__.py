"""What a claim about the climate may not say: word lists kept as data, and the one matcher that reads them."""
