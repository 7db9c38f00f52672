"""Answers on their way to a file: CSV, NDJSON or Parquet, whole or not at all, and going on after whatever stopped the run.

While a run lasts its answers stand in ``OUT.part``, and ``OUT.progress`` says up to where both sides are safe: so many rows of
the catalogue, so many bytes of the answers. The bytes are on the disk before the note that counts them. Who goes on cuts off what
was written after the last note and asks for exactly the rows behind it, so that no row is lost or there twice. Parquet has its
index at the end and cannot be continued; its answers wait as Arrow record batches and become one file at the end.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from certifier.catalogue.pieces import Place
from certifier.catalogue.reading import JSON_TEXT
from certifier.errors import ForeignInputError, OperatorError

FORM = "lcal-catalogue-progress/1"
NOTED_EVERY_S = 2.0
ROW_GROUP = 50_000  # rows, or
ROW_GROUP_BYTES = 32 * 1024 * 1024


def _csv_bytes(batch: pa.RecordBatch) -> bytes:
    return _written(batch, header=False)


def _csv_head(schema: pa.Schema) -> bytes:
    for each in schema:
        if pa.types.is_nested(each.type) or pa.types.is_binary(each.type) or pa.types.is_large_binary(each.type):
            raise ForeignInputError(
                f"The column {each.name[:80]!r} has no form in CSV.",
                found=str(each.type)[:80],
                expected="text, numbers, dates",
                hint="Write the results as .parquet or .ndjson.",
            )
    return _written(pa.RecordBatch.from_pylist([], schema=schema), header=True)


def _written(batch: pa.RecordBatch, *, header: bool) -> bytes:
    sink = io.BytesIO()
    pa.csv.write_csv(batch, sink, pa.csv.WriteOptions(include_header=header))
    return sink.getvalue()


def _ndjson_bytes(batch: pa.RecordBatch) -> bytes:
    try:
        lines = batch.to_pylist()
    except (ValueError, OverflowError):  # a text that is none, a day outside Python's calendar
        columns = [map(_value, column) for column in batch.columns]
        lines = [dict(zip(batch.schema.names, row, strict=True)) for row in zip(*columns, strict=True)]
    for each in batch.schema:
        if each.metadata == JSON_TEXT:
            for line in lines:
                text = line[each.name]
                line[each.name] = orjson.Fragment(text) if text is not None else None
    return b"".join(orjson.dumps(line, default=_as_text, option=orjson.OPT_APPEND_NEWLINE) for line in lines)


def _value(cell: pa.Scalar) -> Any:
    """A value as Python has it, else as text. Raises ArrowException where it is neither."""
    try:
        return cell.as_py()
    except UnicodeDecodeError:
        return cell.cast(pa.large_binary()).as_py().decode("utf-8", "replace")
    except (ValueError, OverflowError):
        return str(cell.cast(pa.string()))


def _as_text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _no_head(_: pa.Schema) -> bytes:
    return b""


def _arrow_head(schema: pa.Schema) -> bytes:
    return bytes(schema.serialize())


def _arrow_bytes(batch: pa.RecordBatch) -> bytes:
    return bytes(batch.serialize())


# suffix -> (what stands before all rows, some rows), as they are appended
FORMS: dict[str, tuple[Callable[[pa.Schema], bytes], Callable[[pa.RecordBatch], bytes]]] = {
    ".csv": (_csv_head, _csv_bytes),
    ".ndjson": (_no_head, _ndjson_bytes),
    ".jsonl": (_no_head, _ndjson_bytes),
    ".parquet": (_arrow_head, _arrow_bytes),
}


class Results:
    """The file that a run writes. Used as a context; ``finish`` makes it, and leaving without that keeps what there is.

    ``job`` says what the run is about: another one does not go on with its results. ``told`` is whatever the run wants to know
    again when it goes on.
    """

    def __init__(self, out: Path, schema: pa.Schema, job: Mapping[str, Any], *, restart: bool = False) -> None:
        """Begin, or go on where an earlier run of the same job ended. Raises OperatorError when that is not possible."""
        if out.suffix.lower() not in FORMS:
            raise ForeignInputError(
                "The form of the results is told by the name of the file.",
                found=out.name,
                expected=f"a name that ends in {', '.join(FORMS)}",
            )
        self._head, self._bytes = FORMS[out.suffix.lower()]
        self._out, self._schema, self._job = out, schema, dict(job)
        self._part, self._progress = (out.with_name(out.name + end) for end in (".part", ".progress"))
        self._noted_at = time.monotonic()
        self.place = Place()
        self.told: dict[str, Any] = {}
        head = self._head(schema)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = self._part.open("a+b")
            self._lock()
            known = None if restart else self._known()
            self._file.truncate(known["bytes"] if known else 0)
            self._file.seek(0, os.SEEK_END)
            if known:
                self.place, self.told = Place(*known["place"]), known["told"]
            else:
                self._file.write(head)
        except OSError as error:
            raise _unwritable(self._part, error) from error

    @property
    def goes_on(self) -> bool:
        """Whether an earlier run wrote the first rows."""
        return self.place.rows > 0

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(self._file.fileno()), self._part.stat()):
                raise FileNotFoundError("it has just ended")  # and what was opened here are its results
        except OSError as error:
            self._file.close()
            raise OperatorError(
                f"Another run is writing {self._part.name}.",
                found=str(error),
                hint="Wait for it, or choose another --out.",
            ) from error

    def _known(self) -> dict[str, Any] | None:
        """What an earlier run noted; None when there was none."""
        if not self._progress.is_file():
            return None
        try:
            known: dict[str, Any] = json.loads(self._progress.read_bytes())
            is_ours, is_same = known["form"] == FORM, known["job"] == self._job
            numbers = [known["bytes"], *known["place"]]
            is_whole = len(numbers) == 1 + len(Place()) and isinstance(known["told"], dict)
            is_whole = is_whole and all(type(number) is int and number >= 0 for number in numbers)
            is_whole = is_whole and self._part.stat().st_size >= known["bytes"]
        except (ValueError, KeyError, TypeError, RecursionError):
            is_ours = is_same = is_whole = False
            known = {}
        if not (is_ours and is_same and is_whole):
            self._file.close()
            was = known.get("job") if is_ours else None
            changed = [name for name in self._job if isinstance(was, dict) and was.get(name) != self._job[name]]
            raise OperatorError(
                "An earlier run ended here that was about something else, and its results are left as they are.",
                found=f"{self._progress.name}, with another {', '.join(changed)}" if changed else self._progress.name,
                expected="the same catalogue, columns and form",
                hint="Go on with the command of that run, or begin anew with --restart.",
            )
        return known

    def add(self, batch: pa.RecordBatch, after: Place, told: Mapping[str, Any]) -> None:
        """Append the answers to the rows up to a place; noted every few seconds."""
        try:
            self._file.write(self._bytes(batch))
            self.place, self.told = after, dict(told)
            if time.monotonic() - self._noted_at >= NOTED_EVERY_S:
                self.note()
        except (OSError, pa.ArrowException) as error:
            raise _unwritable(self._part, error) from error

    def note(self) -> None:
        """Make what was added safe against whatever comes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        known = {
            "form": FORM,
            "job": self._job,
            "place": self.place,
            "bytes": self._file.tell(),
            "told": self.told,
        }
        new = self._progress.with_name(self._progress.name + ".new")
        with new.open("wb") as file:
            file.write(json.dumps(known).encode())
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._progress)
        _sync_folder(self._progress.parent)
        self._noted_at = time.monotonic()

    def finish(self) -> None:
        """Put the results in their place, in one step, and take away what helped."""
        try:
            self.note()
            if self._out.suffix.lower() == ".parquet":
                new = self._out.with_name(self._out.name + ".new")
                _to_parquet(self._part, new, self._schema)
                new.replace(self._out)
                self._progress.unlink()
                self._part.unlink()
            else:
                self._progress.unlink()
                self._part.replace(self._out)
            _sync_folder(self._out.parent)
        except (OSError, pa.ArrowException) as error:
            raise _unwritable(self._out, error) from error

    def __enter__(self) -> Results:  # noqa: PYI034 - not made to be derived from
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None and self.place.rows:
                self.note()
        except OSError:
            pass  # the last note counts
        finally:
            self._file.close()


def _to_parquet(part: Path, new: Path, schema: pa.Schema) -> None:
    with (
        pa.OSFile(str(part)) as source,
        pq.ParquetWriter(new, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        for group in _row_groups(pa.ipc.open_stream(source)):
            writer.write_table(group)
    with new.open("rb") as written:
        os.fsync(written.fileno())


def _row_groups(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(each.num_rows for each in held) >= ROW_GROUP or sum(each.nbytes for each in held) >= ROW_GROUP_BYTES:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(file: Path, error: Exception) -> OperatorError:
    return OperatorError(
        f"The results cannot be written to {file}.", found=str(error)[:200], hint="What was noted stays: run it again."
    )
