"""A release as a catalogue: the sound recordings that a DDEX ERN 4 message announces, one row each (docs/catalogues.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path

import pyarrow as pa

from certifier.catalogue.batch import columns_in
from certifier.catalogue.pieces import ROWS, START, Piece, Place
from certifier.catalogue.questions import Column
from certifier.ddex import MAX_BYTES, ReleaseTrack, read_release


class ReleaseCatalogue:
    """Its columns are ``ref``, ``isrc``, ``title``, ``artist`` and ``sha256``; what the message does not say is empty."""

    def __init__(self, file: Path, columns: Sequence[Column] | None) -> None:
        with file.open("rb") as opened:
            tracks = read_release(opened.read(MAX_BYTES + 1))
        self.schema = pa.schema([(field.name, pa.string()) for field in fields(ReleaseTrack)])
        self.columns = columns_in(self.schema, columns)
        self.rows: int | None = len(tracks)
        self._batch = pa.RecordBatch.from_pylist([asdict(track) for track in tracks], self.schema)

    def pieces(self, start: Place = START) -> Iterator[Piece]:
        for row in range(start.rows, self._batch.num_rows, ROWS):
            some = self._batch.slice(row, ROWS)
            yield Piece(some, {}, Place(row + some.num_rows))
