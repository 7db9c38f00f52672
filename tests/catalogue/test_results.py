"""Answers in a file: the same rows in every form, and after whatever stopped a run neither lost nor there twice."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from certifier.catalogue.pieces import Place
from certifier.catalogue.reading import JSON_TEXT
from certifier.catalogue.results import Results
from certifier.errors import ForeignInputError, OperatorError

SCHEMA = pa.schema([("place", pa.int64()), ("result", pa.string())])
JOB = {"catalogue": ["c.csv", 10, 20], "columns": [["isrc", "isrc"]]}
FORMS = (".csv", ".ndjson", ".parquet")


def batch(start: int, end: int) -> pa.RecordBatch:
    columns = [list(range(start, end)), [f"answer, {number}" for number in range(start, end)]]
    return pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=SCHEMA)


def places_in(file: Path) -> list[int]:
    if file.suffix == ".parquet":
        return [row["place"] for row in pq.read_table(file).to_pylist()]
    if file.suffix == ".csv":
        return [int(row["place"]) for row in csv.DictReader(file.read_text().splitlines())]
    return [json.loads(line)["place"] for line in file.read_text().splitlines()]


class Killed(BaseException):
    """What stops a run without its knowing."""


def killed_run(out: Path, note_after: int, write: int) -> None:
    """A run that wrote so many batches of ten rows and noted some of them, and whose process is gone."""
    results = Results(out, SCHEMA, JOB)
    for number in range(write):
        results.add(batch(10 * number, 10 * number + 10), Place(10 * number + 10), {"rows": 10 * number + 10})
        if number + 1 == note_after:
            results.note()
    results._file.flush()
    results._file.close()


@pytest.mark.parametrize("form", FORMS)
def test_answers_come_out_as_they_went_in(form: str, tmp_path: Path) -> None:
    out = tmp_path / "new folder" / f"out{form}"
    with Results(out, SCHEMA, JOB) as results:
        results.add(batch(0, 10), Place(10), {})
        results.add(batch(10, 25), Place(25), {})
        results.finish()
    assert places_in(out) == list(range(25))
    assert [path.name for path in out.parent.iterdir()] == [out.name]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("noted", "written"), [(3, 3), (3, 5), (1, 5)])
def test_what_was_not_noted_is_written_again_and_nothing_twice(
    form: str, noted: int, written: int, tmp_path: Path
) -> None:
    out = tmp_path / f"out{form}"
    killed_run(out, noted, written)
    assert not out.exists(), "there are answers only when they are whole"
    with Results(out, SCHEMA, JOB) as results:
        assert (results.goes_on, results.place, results.told) == (True, Place(10 * noted), {"rows": 10 * noted})
        results.add(batch(10 * noted, 60), Place(60), {})
        results.finish()
    assert places_in(out) == list(range(60))


@pytest.mark.parametrize("form", FORMS)
def test_a_run_that_was_killed_while_it_finished_is_finished(form: str, tmp_path: Path) -> None:
    out = tmp_path / f"out{form}"
    killed_run(out, 5, 5)
    with Results(out, SCHEMA, JOB) as results:
        results.finish()
    assert places_in(out) == list(range(50))


def test_an_error_notes_what_there_is(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with suppress(Killed), Results(out, SCHEMA, JOB) as results:
        results.add(batch(0, 10), Place(10), {})
        raise Killed
    with Results(out, SCHEMA, JOB) as results:
        assert results.place == Place(10)


OTHERS: dict[str, dict[str, Any]] = {
    "a changed catalogue": {"catalogue": ["c.csv", 11, 21]},
    "another column": {"columns": [["code", "isrc"]]},
}


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS.keys())
def test_another_job_leaves_what_is_there_unless_it_begins_anew(change: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    killed_run(out, 3, 3)
    before = (tmp_path / "out.csv.part").read_bytes()
    with pytest.raises(OperatorError, match="about something else") as told:
        Results(out, SCHEMA, JOB | change)
    assert next(iter(change)) in (told.value.found or "")
    assert (tmp_path / "out.csv.part").read_bytes() == before
    with Results(out, SCHEMA, JOB | change, restart=True) as results:
        assert not results.goes_on
        results.finish()
    assert places_in(out) == []


@pytest.mark.parametrize("note", [b"", b"{}", b"[]", b'{"form": "other/1", "job": {}, "bytes": 0}'])
def test_a_note_that_cannot_be_read_is_told(note: bytes, tmp_path: Path) -> None:
    (tmp_path / "out.csv.progress").write_bytes(note)
    with pytest.raises(OperatorError, match="about something else"):
        Results(tmp_path / "out.csv", SCHEMA, JOB)


def _noted(**changes: Any) -> dict[str, Any]:
    noted = {"form": "lcal-catalogue-progress/1", "job": JOB, "place": [3, 0, 0], "bytes": 0, "told": {}}
    return noted | changes


CHANGED_NOTES = {
    "bytes below nothing": _noted(bytes=-1),
    "bytes in parts": _noted(bytes=0.5),
    "rows as text": _noted(place=["3", 0, 0]),
    "rows below nothing": _noted(place=[-3, 0, 0]),
    "a long place": _noted(place=[1, 2, 3, 4]),
    "no place": {name: value for name, value in _noted().items() if name != "place"},
    "nothing told": _noted(told=None),
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("note", CHANGED_NOTES.values(), ids=CHANGED_NOTES.keys())
def test_a_note_that_was_changed_is_told(note: Any, tmp_path: Path) -> None:
    (tmp_path / "out.csv.progress").write_bytes(note if isinstance(note, bytes) else json.dumps(note).encode())
    with pytest.raises(OperatorError, match="about something else"):
        Results(tmp_path / "out.csv", SCHEMA, JOB)


def test_answers_that_another_run_finished_meanwhile_are_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run ends between the moment when its file is opened here and the one when it is locked."""
    out = tmp_path / "out.csv"
    other = Results(out, SCHEMA, JOB)
    other.add(batch(0, 10), Place(10), {})

    def end_first(self: Results, lock: Any = Results._lock) -> None:
        if not out.exists():
            with other:
                other.finish()
        lock(self)

    monkeypatch.setattr(Results, "_lock", end_first)
    with pytest.raises(OperatorError, match="Another run"):
        Results(out, SCHEMA, JOB)
    assert places_in(out) == list(range(10))


def test_two_runs_do_not_write_into_one_file(tmp_path: Path) -> None:
    with Results(tmp_path / "out.csv", SCHEMA, JOB), pytest.raises(OperatorError, match="Another run is writing"):
        Results(tmp_path / "out.csv", SCHEMA, JOB)


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OperatorError, match="cannot be written"):
        Results(tmp_path / "file" / "out.csv", SCHEMA, JOB)


def test_a_form_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForeignInputError, match="told by the name"):
        Results(tmp_path / "out.xlsx", SCHEMA, JOB)


def test_what_csv_cannot_hold_is_told_before_anything_is_verified(tmp_path: Path) -> None:
    with pytest.raises(ForeignInputError, match="'tags' has no form in CSV"):
        Results(tmp_path / "out.csv", pa.schema([("tags", pa.list_(pa.string()))]), JOB)


def test_a_line_of_json_comes_out_as_an_object_and_dates_as_text(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("row", pa.string(), metadata=JSON_TEXT), ("day", pa.date32()), ("raw", pa.binary())])
    values = {"row": ['{"a": [1, 2]}', None], "day": pa.array([0, None], pa.date32()), "raw": [b"\xff", None]}
    with Results(tmp_path / "out.ndjson", schema, JOB) as results:
        results.add(pa.RecordBatch.from_pydict(values, schema=schema), Place(2), {})
        results.finish()
    assert [json.loads(line) for line in (tmp_path / "out.ndjson").read_text().splitlines()] == [
        {"row": {"a": [1, 2]}, "day": "1970-01-01", "raw": "ff"},
        {"row": None, "day": None, "raw": None},
    ]


def test_values_beyond_what_json_can_say_come_out_as_text(tmp_path: Path) -> None:
    raw = pa.array([b"\xffx", b"y"], pa.binary())
    columns = {
        "name": pc.cast(raw, pa.string(), safe=False),
        "day": pa.array([10**8, 0], pa.date32()),
        "time": pa.array([2**62, -(2**62)], pa.timestamp("us")),
    }
    told = pa.record_batch(columns)
    with Results(tmp_path / "out.ndjson", told.schema, JOB) as results:
        results.add(told, Place(2), {})
        results.finish()
    first, second = [json.loads(line) for line in (tmp_path / "out.ndjson").read_text().splitlines()]
    assert (first["name"], second["name"], second["day"]) == ("\ufffdx", "y", "1970-01-01")
    assert all("out of range" in text for text in (first["day"], first["time"], second["time"]))


def test_parquet_is_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certifier.catalogue.results.ROW_GROUP", 20)
    with Results(tmp_path / "out.parquet", SCHEMA, JOB) as results:
        for start in range(0, 50, 10):
            results.add(batch(start, start + 10), Place(start + 10), {})
        results.finish()
    assert pq.ParquetFile(tmp_path / "out.parquet").num_row_groups == 3
