"""Measurements of the project (``make bench``). Speeds are medians of several runs on the machine at hand."""
