"""The Low-Carbon Audio Label: from a signed emission report to a certificate that anyone can check."""
