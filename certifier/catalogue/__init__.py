"""A catalogue: many recordings at once, verified on the reader's own machine, with keys that the reader trusts.

``batch.verify_batch`` is the one function: an Arrow record batch in, the same with the answers beside each row out. ``run``
takes it over a file with all cores, ``cluster`` over Ray Data. What it is checked with is a ``checker.Checker``: a pack, and a
source of certificates, which is a shelf on disk (``shelf``) or a service (``online``). Neither source is trusted.

Needs ``pip install 'certifier[catalogue]'``; the cluster ``'certifier[cluster]'``.
"""

SUFFIXES = (".csv", ".tsv", ".parquet", ".ndjson", ".jsonl", ".xml")  # of files that are catalogues
ENCODINGS = (
    "utf-8",
    "cp1252",
    "latin-1",
    "iso8859-15",
    "mac-roman",
)  # of CSV; in each of them a line ends with one byte
