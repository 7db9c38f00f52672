"""Catalogues as files: whatever people save, one error for a bad file, a fault for a bad row, and any place to go on from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certifier.catalogue import reading
from certifier.catalogue.pieces import Place
from certifier.catalogue.questions import Column, column_for
from certifier.catalogue.reading import LONGEST_LINE, open_catalogue
from certifier.errors import ForeignInputError

ISRC = [Column("isrc", "isrc")]


def rows_of(file: Path, columns: Any = None, **options: Any) -> list[dict[str, Any]]:
    """The rows as read, each with its fault."""
    catalogue = open_catalogue(file, columns, **options)
    rows = []
    for piece in catalogue.pieces():
        assert piece.batch.schema.equals(catalogue.schema)
        for number, row in enumerate(piece.batch.to_pylist()):
            fault = piece.faults.get(number)
            rows.append(row | ({"fault": f"{fault.message} {fault.found}"} if fault else {}))
    return rows


def saved(tmp_path: Path, content: bytes, name: str = "catalogue.csv") -> Path:
    file = tmp_path / name
    file.write_bytes(content)
    return file


TWO = [{"isrc": "A", "title": "Night; Ferry"}, {"isrc": "B", "title": ""}]
CSV: dict[str, tuple[bytes, dict[str, Any]]] = {
    "commas": (b"isrc,title\nA,Night; Ferry\nB,\n", {}),
    "semicolons": (b'isrc;title\nA;"Night; Ferry"\nB;\n', {}),
    "tabs": (b"isrc\ttitle\nA\tNight; Ferry\nB\t\n", {}),
    "a delimiter that is told": (b"isrc|title\nA|Night; Ferry\nB|\n", {"delimiter": "|"}),
    "a byte order mark": (b"\xef\xbb\xbfisrc,title\nA,Night; Ferry\nB,\n", {}),
    "line ends of Windows": (b"isrc,title\r\nA,Night; Ferry\r\nB,\r\n", {}),
    "no line end at the end": (b"isrc,title\nA,Night; Ferry\nB,", {}),
    "blank lines": (b"isrc,title\n\nA,Night; Ferry\n\n\nB,\n\n", {}),
    "names with spaces around": (b" isrc , title\nA,Night; Ferry\nB,\n", {}),
}


@pytest.mark.parametrize(("content", "options"), CSV.values(), ids=CSV.keys())
def test_csv_is_read_with(content: bytes, options: dict[str, Any], tmp_path: Path) -> None:
    assert rows_of(saved(tmp_path, content), **options) == TWO


def test_a_cell_may_hold_lines_and_quotes(tmp_path: Path) -> None:
    file = saved(tmp_path, b'isrc,title\nA,"Night\n""Ferry"", 2"\nB,x\n')
    assert rows_of(file) == [{"isrc": "A", "title": 'Night\n"Ferry", 2'}, {"isrc": "B", "title": "x"}]


def test_another_encoding_is_read_when_it_is_named(tmp_path: Path) -> None:
    file = saved(tmp_path, "isrc,title\nA,Füße\n".encode("cp1252"))
    assert rows_of(file, encoding="cp1252") == [{"isrc": "A", "title": "Füße"}]
    (row,) = rows_of(file)
    assert "line 2 is not utf-8" in row["fault"]


BAD_ROWS = {
    "too few cells": (b"A", "1 cells in line 3, and 2 columns"),
    "too many cells": (b"A,b,c", "3 cells in line 3, and 2 columns"),
    "a quote inside": (b'A,"b"c', "line 3: "),
    "a quote that is not closed for a while": (b'A,"b\nC,d\nE,f"x', "lines 3 to 5: "),
    "other bytes": (b"A,\xff\xfe", "line 3 is not utf-8"),
    "an enormous cell": (b'A,"' + b"x" * (1024 * 1024 + 1) + b'"', "field larger than field limit"),
    "an enormous line": (b"A," + b"x" * LONGEST_LINE, "line 3 is longer than"),
}


@pytest.mark.parametrize(("line", "words"), BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_a_bad_row_of_csv_is_a_row_with_a_fault_and_the_next_ones_are_read(
    line: bytes, words: str, tmp_path: Path
) -> None:
    before, bad, after = rows_of(saved(tmp_path, b"isrc,title\nX,y\n" + line + b"\nZ,\n"))
    assert (before, after) == ({"isrc": "X", "title": "y"}, {"isrc": "Z", "title": ""})
    assert bad["fault"].startswith("Row 2 cannot be read. ")
    assert words in bad["fault"]


def test_a_quote_that_is_never_closed_is_a_fault_that_names_its_lines(tmp_path: Path) -> None:
    (row,) = rows_of(saved(tmp_path, b'isrc,title\nA,"b\nC,d\nE,f\n'))
    assert "lines 2 to 4" in row["fault"]


BAD_FILES: dict[str, tuple[str, bytes, str]] = {
    "an empty file": ("c.csv", b"", "is empty"),
    "blanks alone": ("c.csv", b" \n\n", "is empty"),
    "UTF-16": ("c.csv", "isrc\nA\n".encode("utf-16"), "no file of lines"),
    "a picture": ("c.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no file of lines"),
    "a header in another encoding": ("c.csv", "isrc,Künstler\n".encode("cp1252"), "first line"),
    "a broken header": ("c.csv", b'"isrc"x,title\n', "cannot be read as CSV in its first line"),
    "a column twice": ("c.csv", b"isrc,title,isrc\nA,b,C\n", "several columns of one name"),
    "no such column": ("c.csv", b"ISRC-Code,title\nA,b\n", "No column of the catalogue finds"),
    "no Parquet": ("c.parquet", b"PAR1 hello PAR1", "cannot be read as Parquet"),
    "an empty Parquet": ("c.parquet", b"", "cannot be read as Parquet"),
    "no NDJSON": ("c.ndjson", b"[1]\n", "first line of c.ndjson is no JSON object"),
    "NDJSON without the member": ("c.ndjson", b'{"title": "x"}\n', "No column of the catalogue finds"),
    "NDJSON that asks by row": ("c.ndjson", b'{"row": "x"}\n', "No column of the catalogue finds"),
}


@pytest.mark.parametrize(("name", "content", "words"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_one_error(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(ForeignInputError, match=words):
        open_catalogue(saved(tmp_path, content, name), None)


def test_a_missing_column_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ForeignInputError) as told:
        open_catalogue(saved(tmp_path, b"ISRC-Code,title\nA,b\n"), ISRC)
    assert (told.value.message, told.value.found) == ("There is no column 'isrc'.", "ISRC-Code, title")


COLUMNS = {
    "a kind": ("isrc", Column("isrc", "isrc")),
    "a kind as people write it": ("ISRC", Column("isrc", "ISRC")),
    "with a hyphen": ("essence-sha256", Column("essence_sha256", "essence-sha256")),
    "a name": ("isrc=ISRC code", Column("isrc", "ISRC code")),
    "a name with an equals sign": ("code=a=b", Column("code", "a=b")),
}


@pytest.mark.parametrize(("text", "column"), COLUMNS.values(), ids=COLUMNS.keys())
def test_a_column_is_told_by(text: str, column: Column) -> None:
    assert column_for(text) == column


@pytest.mark.parametrize("text", ["title", "name=title", "isrc=", ""])
def test_a_column_of_no_kind_is_refused(text: str) -> None:
    with pytest.raises(ForeignInputError, match="not clear what the column holds"):
        column_for(text)


# -- NDJSON ---------------------------------------------------------------------------------------------------------


def test_lines_of_json_stay_whole_beside_what_is_asked_by(tmp_path: Path) -> None:
    lines = [{"isrc": "A", "more": {"plays": [1, 2]}}, {"title": "no isrc"}, {"isrc": {"a": 1}}]
    content = "\n\n".join(json.dumps(line) for line in lines).encode()
    assert rows_of(saved(tmp_path, content, "c.ndjson")) == [
        {"isrc": "A", "row": json.dumps(lines[0])},
        {"isrc": None, "row": json.dumps(lines[1])},
        {"isrc": '{"a": 1}', "row": json.dumps(lines[2])},
    ]


BAD_LINES = {
    "no JSON": (b"{", "JSON"),
    "no object": (b"[]", "object"),
    "a member twice": (b'{"isrc": "A", "isrc": "B"}', "twice"),
    "a number for a text": (b'{"isrc": 7}', "isrc is int, and no text"),
    "other bytes": (b'{"isrc": "\xff"}', "line 2 is not utf-8"),
    "an enormous line": (b'{"isrc": "' + b"x" * LONGEST_LINE + b'"}', "line 2 is longer than"),
}


@pytest.mark.parametrize(("line", "words"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_of_json_is_a_row_with_a_fault_and_the_next_ones_are_read(
    line: bytes, words: str, tmp_path: Path
) -> None:
    content = b'{"isrc": "X"}\n' + line + b'\n{"isrc": "Z"}\n'
    before, bad, after = rows_of(saved(tmp_path, content, "c.jsonl"), ISRC)
    assert (before["isrc"], bad["isrc"], after["isrc"]) == ("X", None, "Z")
    assert words in bad["fault"]


# -- Parquet --------------------------------------------------------------------------------------------------------


def test_parquet_keeps_its_types_and_its_text_may_be_stored_as_references(tmp_path: Path) -> None:
    table = pa.table(
        {
            "isrc": pa.array(["A", "B", "A", None]).dictionary_encode(),
            "plays": [1, 2, 3, 4],
            "tags": [["a"], [], None, ["b"]],
        }
    )
    pq.write_table(table, tmp_path / "c.parquet", row_group_size=3)
    assert rows_of(tmp_path / "c.parquet") == table.to_pylist()


def test_a_column_of_numbers_is_told_with_its_type(tmp_path: Path) -> None:
    pq.write_table(pa.table({"isrc": [1, 2]}), tmp_path / "c.parquet")
    with pytest.raises(ForeignInputError, match="'isrc' holds no text") as told:
        open_catalogue(tmp_path / "c.parquet", ISRC)
    assert told.value.found == "int64"


def test_parquet_that_is_damaged_in_the_middle_is_one_error(tmp_path: Path) -> None:
    file = tmp_path / "c.parquet"
    table = pa.table({"isrc": [f"{number:012d}" for number in range(5000)]})
    pq.write_table(table, file, row_group_size=2000, write_page_checksum=True)
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)
    with pytest.raises(ForeignInputError, match=r"cannot be read as Parquet after row \d+"):
        list(open_catalogue(file, None).pieces())


# -- any place ------------------------------------------------------------------------------------------------------


def many(folder: Path, suffix: str) -> Path:
    rows = [{"isrc": f"{number}", "title": f"Track {number}"} for number in range(50)]
    file = folder / f"many{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), file, row_group_size=17)
    elif suffix == ".ndjson":
        file.write_text("\n".join(json.dumps(row) for row in rows))
    else:
        file.write_text("isrc,title\n" + "\n".join(f'{row["isrc"]},"{row["title"]}"' for row in rows))
    return file


@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".parquet"])
def test_from_behind_any_piece_the_rest_is_the_same(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS", 7)
    catalogue = open_catalogue(many(tmp_path, suffix), None)
    pieces = list(catalogue.pieces())
    isrcs = [row["isrc"] for piece in pieces for row in piece.batch.to_pylist()]
    assert isrcs == [str(number) for number in range(50)]
    for piece in pieces:
        place = Place(*json.loads(json.dumps(piece.after)))
        rest = [row["isrc"] for later in catalogue.pieces(place) for row in later.batch.to_pylist()]
        assert rest == isrcs[piece.after.rows :]


@pytest.mark.parametrize("suffix", [".csv", ".ndjson", ".parquet"])
def test_large_cells_make_pieces_of_few_rows(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BYTES", 100)
    pieces = list(open_catalogue(many(tmp_path, suffix), None).pieces())
    assert len(pieces) >= 5
    assert sum(piece.batch.num_rows for piece in pieces) == 50


# -- whatever bytes -------------------------------------------------------------------------------------------------

MESS = st.lists(
    st.sampled_from(
        [b"isrc", b",", b";", b"\n", b"\r", b'"', b'""', b"A", b"\xff", b"\xef\xbb\xbf", b" ", b"{", b"}", b":"]
    ),
    max_size=40,
).map(b"".join)


@given(MESS, st.sampled_from(["c.csv", "c.tsv", "c.ndjson", "c.parquet"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_bytes_are_they_end_in_rows_or_in_one_error(tmp_path: Path, raw: bytes, name: str) -> None:
    file = saved(tmp_path, (b'{"isrc": "A"}\n' if name == "c.ndjson" else b"isrc,title\n") + raw, name)
    try:
        catalogue = open_catalogue(file, ISRC)
    except ForeignInputError:
        return
    pieces = list(catalogue.pieces())
    assert all(piece.batch.schema == catalogue.schema for piece in pieces)
    if pieces:
        assert pieces[-1].after.rows == sum(piece.batch.num_rows for piece in pieces)
        assert pieces[-1].after.offset == file.stat().st_size
