"""A catalogue as a reader of files gives it: some rows at a time, from any place on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

import pyarrow as pa

from certifier.catalogue.questions import Column
from certifier.errors import ForeignInputError

ROWS = 1_000  # of a piece
BYTES = 4 * 1024 * 1024  # of a piece, about

Faults = Mapping[int, ForeignInputError]


class Place(NamedTuple):
    """Behind so many rows; in a file of lines also behind so many bytes and lines."""

    rows: int = 0
    offset: int = 0
    line: int = 0


START = Place()


class Piece(NamedTuple):
    """Some rows, what is wrong with which of them, and the place behind the last."""

    batch: pa.RecordBatch
    faults: Faults
    after: Place


class Catalogue(Protocol):
    """``columns`` are those that are asked by; ``rows`` is how many there are, where the file says so."""

    schema: pa.Schema
    columns: tuple[Column, ...]
    rows: int | None

    def pieces(self, start: Place = START) -> Iterator[Piece]:
        """All rows from a place on, in order. Raises ForeignInputError where the file cannot be read further."""
