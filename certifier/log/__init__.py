"""The public log: hashes, notes, tiles, proofs and entries as pure values; files are left to others."""
