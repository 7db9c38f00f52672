"""Catalogues as files: CSV, NDJSON, Parquet, releases; read a piece at a time from any place, in the memory of a few.

What is wrong with a file as a whole is one error. What is wrong with a row stays with the row: its piece has it, and a fault
beside it. In CSV all columns are text. A line of NDJSON stays whole in the column ``row``, beside the members that are asked by.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from certifier.catalogue.batch import columns_in, result_schema
from certifier.catalogue.pieces import BYTES, ROWS, START, Catalogue, Piece, Place
from certifier.catalogue.questions import LONGEST_CELL, Column
from certifier.catalogue.release import ReleaseCatalogue
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import CertifierError, ForeignInputError

LONGEST_LINE = 4 * LONGEST_CELL
LINE = Limits(max_bytes=LONGEST_LINE, max_depth=32, max_nodes=100_000)
DELIMITERS = ",;\t|"
JSON_TEXT = {b"lcal": b"json"}  # marks the column with whole lines
WHOLE_LINE = "row"


def open_catalogue(
    file: Path, columns: Sequence[Column] | None, *, encoding: str = "utf-8", delimiter: str | None = None
) -> Catalogue:
    """The catalogue in a file, told by its suffix. Raises ForeignInputError for a file that is none, or lacks a column."""
    suffix = file.suffix.lower()
    if suffix == ".parquet":
        return ParquetCatalogue(file, columns)
    if suffix in (".ndjson", ".jsonl"):
        return NdjsonCatalogue(file, columns)
    if suffix == ".xml":
        return ReleaseCatalogue(file, columns)
    return CsvCatalogue(file, columns, encoding, delimiter or ("\t" if suffix == ".tsv" else None))


# -- Parquet --------------------------------------------------------------------------------------------------------


class ParquetCatalogue:
    def __init__(self, file: Path, columns: Sequence[Column] | None) -> None:
        self._file = file
        with self._open() as parquet:
            self.schema = pa.schema([field.with_type(_plain(field.type)) for field in parquet.schema_arrow])
            self.columns = columns_in(self.schema, columns)
            self.rows: int | None = parquet.metadata.num_rows
        result_schema(self.schema)

    def _open(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self._file, pre_buffer=False, page_checksum_verification=True)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(self._file, "Parquet", error) from error

    def pieces(self, start: Place = START) -> Iterator[Piece]:
        with self._open() as parquet:
            groups, skipped = _from_row(parquet, start.rows)
            rows, dropped = start.rows, start.rows - skipped
            try:
                for whole in parquet.iter_batches(batch_size=ROWS, row_groups=groups, use_threads=False):
                    batch = whole.slice(min(dropped, whole.num_rows))
                    dropped -= whole.num_rows - batch.num_rows
                    for some in _in_parts(batch.cast(self.schema)):
                        rows += some.num_rows
                        yield Piece(some, {}, Place(rows))
            except (pa.ArrowException, OSError) as error:
                raise _unreadable(self._file, "Parquet", error, f"after row {rows}") from error


def _plain(kind: pa.DataType) -> pa.DataType:
    """A column of references as what it refers to: pieces travel by themselves."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    return {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}.get(kind, kind)


def _from_row(parquet: pq.ParquetFile, row: int) -> tuple[list[int], int]:
    """The row groups from the one that holds a row, and how many rows stand before them."""
    before = 0
    for group in range(parquet.num_row_groups):
        amount = parquet.metadata.row_group(group).num_rows
        if before + amount > row:
            return list(range(group, parquet.num_row_groups)), before
        before += amount
    return [], before


def _in_parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    parts = max(1, min(batch.num_rows, -(-batch.nbytes // BYTES)))
    length = -(-batch.num_rows // parts)
    for start in range(0, batch.num_rows, length or 1):
        yield batch.slice(start, length)


# -- files of lines -------------------------------------------------------------------------------------------------


@dataclass
class _Lines:
    """The physical lines of a file as text, and what was wrong with them since somebody looked."""

    file: BinaryIO
    encoding: str
    offset: int
    line: int
    fault: str = ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = self.file.readline(LONGEST_LINE + 1)
        if not raw:
            raise StopIteration
        self.offset += len(raw)
        self.line += 1
        if len(raw) > LONGEST_LINE:
            while raw and not raw.endswith(b"\n"):
                raw = self.file.readline(LONGEST_LINE)
                self.offset += len(raw)
            self.fault = f"line {self.line} is longer than {LONGEST_LINE} bytes"
            return "\n"
        try:
            return raw.decode(self.encoding)
        except UnicodeDecodeError as error:
            self.fault = (
                f"line {self.line} is not {self.encoding}: {raw[error.start : error.start + 8]!r};"
                " if all of it is written otherwise, say how, such as --encoding cp1252"
            )
            return raw.decode(self.encoding, "replace")

    def told(self) -> str:
        """What was wrong since the last time."""
        fault, self.fault = self.fault, ""
        return fault


def _checked_start(file: Path) -> int:
    """How many bytes of a mark stand before the text. Raises ForeignInputError for what is no file of lines."""
    try:
        with file.open("rb") as opened:
            head = opened.read(4096)
    except OSError as error:
        raise _unreadable(file, "text", error) from error
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head:
        raise ForeignInputError(
            f"{file.name} is no file of lines of text.",
            found="UTF-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "bytes that are no text",
            expected="CSV or NDJSON in UTF-8, or Parquet under the suffix .parquet",
            hint="Save it again as UTF-8.",
        )
    if not head.strip():
        raise ForeignInputError(f"{file.name} is empty.", expected="a catalogue")
    return 3 if head.startswith(b"\xef\xbb\xbf") else 0


@dataclass
class _Collected:
    """Rows on their way to a piece."""

    schema: pa.Schema
    start: Place
    rows: list[Sequence[str | None]] = field(default_factory=list)
    faults: dict[int, ForeignInputError] = field(default_factory=dict)
    size: int = 0

    def add(self, row: Sequence[str | None], fault: str) -> None:
        if fault:
            number = self.start.rows + len(self.rows) + 1
            self.faults[len(self.rows)] = ForeignInputError(f"Row {number} cannot be read.", found=fault[:400])
        self.rows.append(row)
        self.size += sum(map(len, filter(None, row)))

    @property
    def is_full(self) -> bool:
        return len(self.rows) >= ROWS or self.size >= BYTES

    def piece(self, offset: int, line: int) -> Piece:
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(self.schema)
        arrays = [pa.array(column, pa.string()) for column in columns]
        after = Place(self.start.rows + len(self.rows), offset, line)
        return Piece(pa.RecordBatch.from_arrays(arrays, schema=self.schema), self.faults, after)


class CsvCatalogue:
    def __init__(
        self, file: Path, columns: Sequence[Column] | None, encoding: str = "utf-8", delimiter: str | None = None
    ) -> None:
        self._file, self._encoding, self._delimiter = file, encoding, delimiter or ","
        csv.field_size_limit(LONGEST_CELL)
        start = _checked_start(file)
        with file.open("rb") as opened:
            opened.seek(start)
            lines = _Lines(opened, encoding, start, 0)
            if delimiter is None:
                self._delimiter = _delimiter_of(next(lines))
                opened.seek(start)
                lines = _Lines(opened, encoding, start, 0)
            try:
                header: list[str] = next(self._rows(lines), [])
            except csv.Error as error:
                raise _unreadable(file, "CSV", error, "in its first line") from error
            self._first = Place(0, lines.offset, lines.line)
        if fault := lines.told():
            raise ForeignInputError(
                f"The first line of {file.name} cannot be read.",
                found=fault,
                expected=f"the names of the columns in {encoding}",
                hint="Name another encoding with --encoding, such as cp1252.",
            )
        names = [name.strip() or f"column {number}" for number, name in enumerate(header, 1)]
        self.schema = pa.schema([(name, pa.string()) for name in names])
        self.columns = columns_in(self.schema, columns)
        self.rows: int | None = None
        result_schema(self.schema)

    def _rows(self, lines: _Lines) -> Any:
        return csv.reader(lines, delimiter=self._delimiter, strict=True)

    def pieces(self, start: Place = START) -> Iterator[Piece]:
        place, width = (start if start.offset else self._first), len(self.schema)
        with self._file.open("rb") as opened:
            opened.seek(place.offset)
            lines = _Lines(opened, self._encoding, place.offset, place.line)
            rows, collected = self._rows(lines), _Collected(self.schema, place)
            while True:
                began = lines.line + 1
                try:
                    row = next(rows, None)
                except csv.Error as error:
                    which = f"line {began}" if lines.line <= began else f"lines {began} to {lines.line}"
                    collected.add([""] * width, f"{which}: {error}")
                    lines.told()
                    row = []
                else:
                    fault = lines.told()
                    if row is None:
                        break
                    if row or fault:
                        if len(row) != width and not fault:
                            fault = f"{len(row)} cells in line {began}, and {width} columns"
                        collected.add([*row, *[""] * width][:width], fault)
                if collected.is_full:
                    yield (piece := collected.piece(lines.offset, lines.line))
                    collected = _Collected(self.schema, piece.after)
            if collected.rows:
                yield collected.piece(lines.offset, lines.line)


def _delimiter_of(header: str) -> str:
    """The sign that stands most often in the first line; a comma where none does."""
    return max(DELIMITERS, key=header.count) if any(sign in header for sign in DELIMITERS) else ","


class NdjsonCatalogue:
    def __init__(self, file: Path, columns: Sequence[Column] | None) -> None:
        self._file = file
        self._start = _checked_start(file)
        names = self._names_in_first_line()
        self.columns = columns_in(pa.schema([(name, pa.string()) for name in names]), columns)
        asked_by = dict.fromkeys(column.name for column in self.columns)
        if WHOLE_LINE in asked_by:
            raise ForeignInputError(
                f"A member that is asked by cannot be called {WHOLE_LINE!r}.", expected="another name"
            )
        whole = pa.field(WHOLE_LINE, pa.string(), metadata=JSON_TEXT)
        self.schema = pa.schema([*((name, pa.string()) for name in asked_by), whole])
        self.rows: int | None = None
        result_schema(self.schema)

    def _names_in_first_line(self) -> list[str]:
        with self._file.open("rb") as opened:
            opened.seek(self._start)
            for text in _Lines(opened, "utf-8", self._start, 0):
                if not text.isspace():
                    try:
                        return list(parse_object(text.encode(), LINE))
                    except CertifierError as error:
                        raise ForeignInputError(
                            f"The first line of {self._file.name} is no JSON object.",
                            found=error.found or error.message,
                            expected="one object on each line",
                        ) from error
        raise ForeignInputError(f"{self._file.name} is empty.", expected="a catalogue")

    def pieces(self, start: Place = START) -> Iterator[Piece]:
        place = start if start.offset else Place(0, self._start)
        asked_by = self.schema.names[:-1]
        with self._file.open("rb") as opened:
            opened.seek(place.offset)
            lines, collected = _Lines(opened, "utf-8", place.offset, place.line), _Collected(self.schema, place)
            for text in lines:
                fault = lines.told()
                if text.isspace() and not fault:
                    continue
                cells, problem = _cells_in(text, asked_by) if not fault else ([None] * len(asked_by), fault)
                collected.add([*cells, None if problem else text.strip()], problem)
                if collected.is_full:
                    yield (piece := collected.piece(lines.offset, lines.line))
                    collected = _Collected(self.schema, piece.after)
            if collected.rows:
                yield collected.piece(lines.offset, lines.line)


def _cells_in(text: str, names: Sequence[str]) -> tuple[list[str | None], str]:
    """The members of a line that are asked by, and what is wrong with it."""
    try:
        document = parse_object(text.strip().encode(), LINE)
    except CertifierError as error:
        return [None] * len(names), f"{error.message} {error.found or ''}".strip()
    cells, problem = list[str | None](), ""
    for name in names:
        value = document.get(name)
        if isinstance(value, dict):  # a certificate that stands in the line as an object
            value = json.dumps(value, ensure_ascii=False)
        if value is not None and not isinstance(value, str):
            problem = f"{name} is {type(value).__name__}, and no text"
            value = None
        cells.append(value)
    return cells, problem


def _unreadable(file: Path, form: str, error: Exception, where: str = "") -> ForeignInputError:
    return ForeignInputError(
        f"{file.name} cannot be read as {form}{' ' + where if where else ''}.",
        found=str(error).splitlines()[0][:300] if str(error) else type(error).__name__,
        expected=f"a whole {form} file",
    )
