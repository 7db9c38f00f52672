"""The one function over a record batch: every kind of name in every spelling, and each row its own answer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from certifier.catalogue.batch import verify_batch
from certifier.catalogue.checker import AXES, MEMBERS, Checker, CheckerPlan, NoSource
from certifier.catalogue.questions import Column, column_for
from certifier.catalogue.shelf import Line, save_lines
from certifier.certificate.code import code_of, display_code
from certifier.certificate.pack import open_pack
from certifier.certificate.times import time_text
from certifier.certificate.verdict import verdict_table
from certifier.errors import ForeignInputError
from tests.catalogue.stock import Made, Stock, claims_of, hexed, isrc_of, make, stock_of
from tests.certificate.test_verify import DID

NOW = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(days=30)
OLD, WITHDRAWN_SUCCESSOR, HYPHENS, TWIN = 10, 11, 12, 13


@pytest.fixture(scope="module")
def stock() -> Stock:
    """Ten certificates, of which 3 is revoked and 4 suspended; two of one recording, the newer one withdrawn; odd spellings."""
    more = [
        claims_of(OLD, EARLIER, isrc="QZABC9900001"),
        claims_of(WITHDRAWN_SUCCESSOR, NOW - timedelta(days=2), isrc="QZABC9900001"),
        claims_of(HYPHENS, EARLIER, isrc="qz-abc-99-00002"),
        claims_of(TWIN, EARLIER, isrc="QZABC9900003"),
    ]
    return stock_of(10, NOW, revoked=[3, WITHDRAWN_SUCCESSOR], suspended=[4], more=more)


@pytest.fixture(scope="module")
def shelf(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stock.shelve(tmp_path_factory.mktemp("shelf") / "certificates")


@pytest.fixture(scope="module")
def checker(stock: Stock, shelf: Path) -> Checker:
    return CheckerPlan(stock.pack, certificates=shelf).open(lambda: NOW)


def answers(checker: Checker, **columns: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = verify_batch(pa.record_batch(columns), checker).to_pylist()
    return rows


def answer(checker: Checker, **cells: Any) -> dict[str, Any]:
    columns = tuple(column_for(f"{name}={name}") for name in cells)
    (row,) = verify_batch(pa.record_batch({name: [cell] for name, cell in cells.items()}), checker, columns).to_pylist()
    return row


def told(row: dict[str, Any], name: str) -> Any:
    return row.get(f"lcal_{name}", row.get(name))


def test_all_columns_stay_and_the_answers_come_beside_them(checker: Checker, stock: Stock) -> None:
    batch = pa.record_batch({"isrc": [isrc_of(1)], "title": ["Night Ferry"], "streams": [7]})
    verified = verify_batch(batch, checker)
    assert verified.schema.names == ["isrc", "title", "streams", *MEMBERS]
    (row,) = verified.to_pylist()
    assert (row["title"], row["streams"]) == ("Night Ferry", 7)
    assert {name: row[name] for name in MEMBERS if name not in AXES} == {
        "result": "valid_with_warnings",
        "code": display_code(stock.made[1].code),
        "verdict": "valid_with_warnings",
        "because": "Valid for a recording with this ISRC; no audio file was compared.",
        "outcome": "class-2",
        "assessed_g_per_min": "16.10",
        "problem": None,
    }
    assert [row[axis] for axis in verdict_table()["axes"]] == [
        "ok",
        "trusted",
        "included",
        "active",
        "current",
        "current",
        "isrc_only",
    ]


def spellings(made: Made) -> dict[str, tuple[str, str, str]]:
    subject = made.claims.subject
    return {
        "a code as it is printed": ("code", display_code(made.code), "valid"),
        "a code as somebody typed it": ("code", f"  {made.code.lower().replace('0', 'o')} ", "valid"),
        "an ISRC": ("isrc", made.isrc, "valid_with_warnings"),
        "an ISRC with hyphens": (
            "isrc",
            f"{made.isrc[:2]}-{made.isrc[2:5]}-{made.isrc[5:7]}-{made.isrc[7:]}",
            "valid_with_warnings",
        ),
        "an ISRC in small letters": ("isrc", f" isrc {made.isrc.lower()}", "valid_with_warnings"),
        "the digest of a file": ("sha256", subject.audio_sha256, "valid"),
        "a digest in capitals with its name": ("sha256", f"SHA256:{subject.audio_sha256.upper()}", "valid"),
        "the digest of its samples": ("essence_sha256", str(subject.essence_sha256), "valid"),
        "the certificate itself": ("credential", made.credential.decode(), "valid"),
    }


SPELLINGS = list(spellings(make([claims_of(1, NOW)])[0]))


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_certificate_is_found_by(name: str, checker: Checker, stock: Stock) -> None:
    kind, cell, result = spellings(stock.made[1])[name]
    row = answer(checker, **{kind: cell})
    assert (told(row, "result"), told(row, "code")) == (result, display_code(stock.made[1].code)), row


def test_each_row_has_the_answer_to_its_own_question(checker: Checker, stock: Stock) -> None:
    codes = [display_code(made.code) for made in stock.made]
    asked = [codes[0], "nonsense", codes[3], None, codes[4], code_of(b"unknown"), codes[0]]
    rows = answers(checker, code=asked, place=list(range(7)))
    assert [(row["place"], row["result"]) for row in rows] == [
        (0, "valid"),
        (1, "problem"),
        (2, "not_valid"),
        (3, "problem"),
        (4, "not_valid"),
        (5, "no_certificate"),
        (6, "valid"),
    ]
    assert [rows[2]["lifecycle"], rows[4]["lifecycle"]] == ["revoked", "suspended"]
    assert json.loads(rows[1]["problem"])["detail"] == "This is not a certificate code."
    assert "names nothing to look up" in rows[3]["problem"]


def test_the_newest_certificate_that_is_valid_answers_for_a_recording(checker: Checker, stock: Stock) -> None:
    assert answer(checker, isrc="QZABC9900001")["code"] == display_code(stock.made[OLD].code)


def test_where_none_is_valid_the_newest_answers(stock: Stock, shelf: Path) -> None:
    harsher = replace(stock, revoked=[OLD, WITHDRAWN_SUCCESSOR])
    row = answer(CheckerPlan(harsher.pack, certificates=shelf).open(lambda: NOW), isrc="QZABC9900001")
    assert (row["code"], row["result"]) == (display_code(stock.made[WITHDRAWN_SUCCESSOR].code), "not_valid")


def test_an_isrc_that_the_certificate_writes_otherwise_is_the_same(checker: Checker, stock: Stock) -> None:
    row = answer(checker, isrc="QZABC9900002")
    assert (row["code"], row["binding"]) == (display_code(stock.made[HYPHENS].code), "isrc_only")


BESIDE = {
    "the file's digest": ({"sha256": hexed("file 1")}, "valid", "sha256_match"),
    "the digest of its samples": ({"essence_sha256": hexed("samples 1")}, "valid", "essence_match"),
    "another file of the same samples": (
        {"sha256": hexed("flac"), "essence_sha256": hexed("samples 1")},
        "valid",
        "essence_match",
    ),
    "another file": ({"sha256": hexed("file 2")}, "not_valid", "mismatch"),
    "an empty cell": ({"sha256": " "}, "valid", "not_checked"),
}


@pytest.mark.parametrize(("cells", "result", "binding"), BESIDE.values(), ids=BESIDE.keys())
def test_beside_a_code_a_digest_says_which_file_it_has_to_be(
    cells: dict[str, str], result: str, binding: str, checker: Checker, stock: Stock
) -> None:
    row = answer(checker, code=stock.made[1].code, **cells)
    assert (told(row, "result"), row["binding"]) == (result, binding)


def test_a_row_without_a_code_is_found_by_the_next_column(checker: Checker, stock: Stock) -> None:
    assert told(answer(checker, code="", isrc=isrc_of(2)), "code") == display_code(stock.made[2].code)


def test_a_certificate_brings_its_own_proof_and_needs_no_shelf(stock: Stock) -> None:
    made, checker = stock.made[1], CheckerPlan(stock.pack).open(lambda: NOW)
    assert answer(checker, credential=made.credential.decode())["result"] == "cannot_tell"
    assert answer(checker, credential=made.credential.decode(), proof=made.proof.decode())["result"] == "valid"
    other = stock.made[2].proof.decode()
    assert answer(checker, credential=made.credential.decode(), proof=other)["inclusion"] == "broken"


BAD_CELLS: dict[str, tuple[str, Any, str]] = {
    "no code": ("code", "ABC", "not a certificate code"),
    "a typing error in a code": ("code", "0000-0000-01", "typing error"),
    "no ISRC": ("isrc", "QZABC26", "not an ISRC"),
    "an ISRC in other letters": ("isrc", "ＱＺABC2600001", "not an ISRC"),
    "no digest": ("sha256", "12ab", "not a SHA-256"),
    "no certificate": ("credential", "hello", "no certificate in a form"),
    "broken JSON": ("credential", '{"a": 1', "JSON"),
    "an enormous cell": ("credential", "x" * (1024 * 1024 + 1), "too long"),
    "spaces alone": ("isrc", " \t ", "names nothing"),
    "nothing": ("isrc", None, "names nothing"),
}


@pytest.mark.parametrize(("kind", "cell", "words"), BAD_CELLS.values(), ids=BAD_CELLS.keys())
def test_a_bad_cell_is_a_problem_of_its_row(kind: str, cell: Any, words: str, checker: Checker) -> None:
    batch = pa.record_batch({kind: pa.array([cell, cell], pa.string())})
    for row in verify_batch(batch, checker).to_pylist():
        assert (told(row, "result"), told(row, "verdict")) == ("problem", None)
        assert words in told(row, "problem")


TYPES = {
    "string": pa.string(),
    "large": pa.large_string(),
    "view": pa.string_view(),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
    "bytes": pa.binary(),
}


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES.keys())
def test_text_may_be_in_any_type_of_arrow(kind: pa.DataType, checker: Checker) -> None:
    texts = pa.array([isrc_of(1), None, isrc_of(2)])
    rows = answers(checker, isrc=texts.dictionary_encode() if pa.types.is_dictionary(kind) else texts.cast(kind))
    assert [row["result"] for row in rows] == ["valid_with_warnings", "problem", "valid_with_warnings"]


def test_bytes_that_are_no_text_are_a_problem_of_their_row(checker: Checker) -> None:
    rows = answers(checker, isrc=pa.array([b"\xff\xfe", isrc_of(1).encode()], pa.binary()))
    assert [row["result"] for row in rows] == ["problem", "valid_with_warnings"]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_text_that_is_none_whatever_its_type_says_is_a_problem_of_its_row(kind: pa.DataType, checker: Checker) -> None:
    """Nobody looks at the bytes of a text while Parquet is read."""
    raw = pa.array([b"\xff\xfe", isrc_of(1).encode(), None], pa.binary())
    texts = pc.cast(raw, kind, safe=False)
    batch = verify_batch(pa.record_batch({"isrc": texts}), checker)
    assert batch.column("result").to_pylist() == ["problem", "valid_with_warnings", "problem"]


BAD_COLUMNS: dict[str, tuple[Any, Any, str]] = {
    "a missing one": ({"isrc": ["x"], "name": ["y"]}, [Column("isrc", "ISRC")], "There is no column 'ISRC'"),
    "numbers": ({"isrc": [1]}, None, "holds no text"),
    "a list": ({"isrc": [["x"]]}, None, "holds no text"),
    "none that finds anything": ({"proof": ["x"]}, None, "No column"),
    "results of results": (
        {"isrc": ["x"], "result": ["x"], "lcal_result": ["x"]},
        None,
        "the columns of results already",
    ),
}


@pytest.mark.parametrize(("data", "columns", "words"), BAD_COLUMNS.values(), ids=BAD_COLUMNS.keys())
def test_a_bad_column_is_one_error(data: Any, columns: Any, words: str, checker: Checker) -> None:
    with pytest.raises(ForeignInputError, match=words):
        verify_batch(pa.record_batch(data), checker, columns)


def test_a_missing_column_is_told_with_those_that_there_are(checker: Checker) -> None:
    with pytest.raises(ForeignInputError) as told:
        verify_batch(pa.record_batch({"isrc": ["x"], "name": ["y"]}), checker, [Column("isrc", "ISRC")])
    assert told.value.found == "isrc, name"


def test_two_columns_of_one_name_are_refused(checker: Checker) -> None:
    batch = pa.RecordBatch.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["isrc", "isrc"])
    with pytest.raises(ForeignInputError, match="several columns of one name"):
        verify_batch(batch, checker)


def test_a_column_of_a_catalogue_keeps_its_name_and_the_result_gets_another(checker: Checker, stock: Stock) -> None:
    typed = stock.made[1].code.lower()
    (row,) = answers(checker, code=[typed], problem=["mine"])
    assert (row["code"], row["lcal_code"]) == (typed, display_code(stock.made[1].code))
    assert (row["problem"], row["lcal_problem"]) == ("mine", None)


def test_an_empty_batch_has_an_empty_answer(checker: Checker) -> None:
    verified = verify_batch(pa.record_batch({"isrc": pa.array([], pa.string())}), checker)
    assert (verified.num_rows, verified.schema.names) == (0, ["isrc", *MEMBERS])


# -- a source is not trusted ----------------------------------------------------------------------------------------


@pytest.fixture
def forged(stock: Stock, tmp_path: Path) -> Checker:
    """A shelf on which certificate 1 lies under the names of number 2, a changed one under 5, and none at all under 6."""
    one, two, five, six = (stock.made[number] for number in (1, 2, 5, 6))
    changed = five.credential.replace(b"16.10", b"01.10")
    lines = [
        Line("1-0", two.line(0).found_by, one.credential, one.proof),
        Line("1-1", five.line(0).found_by, changed, five.proof),
        Line("1-2", six.line(0).found_by, b"<html>", six.proof),
    ]
    save_lines(tmp_path / "forged", lines, DID, time_text(NOW))
    return CheckerPlan(stock.pack, certificates=tmp_path / "forged").open(lambda: NOW)


@pytest.mark.parametrize("kind", ["code", "isrc", "sha256", "essence_sha256"])
def test_a_certificate_under_the_name_of_another_is_no_answer(kind: str, forged: Checker, stock: Stock) -> None:
    found_by = dict(zip(("code", "isrc", "sha256", "essence_sha256"), stock.made[2].line(0).found_by, strict=True))
    row = answer(forged, **{kind: found_by[kind]})
    assert told(row, "result") == "problem"
    assert "another certificate" in told(row, "problem")


def test_a_changed_certificate_is_not_valid_and_nothing_of_it_is_told(forged: Checker, stock: Stock) -> None:
    for number in (5, 6):
        row = answer(forged, isrc=isrc_of(number))
        assert (row["result"], row["integrity"]) == ("not_valid", "broken")
        assert (row["outcome"], row["assessed_g_per_min"]) == (None, None)
        assert row["code"] == display_code(stock.made[number].code)


def test_an_old_pack_lowers_the_answer_and_a_very_old_one_cannot_tell(stock: Stock, shelf: Path) -> None:
    for days, result in ((2, "valid_with_warnings"), (9, "cannot_tell")):
        checker = CheckerPlan(stock.pack, certificates=shelf).open(lambda days=days: NOW + timedelta(days=days))
        row = answer(checker, code=stock.made[1].code)
        assert told(row, "result") == result


def test_without_a_source_nothing_is_found(stock: Stock) -> None:
    pack = open_pack(stock.pack, None, NOW)
    assert answer(Checker(lambda _: pack, NoSource(), lambda: NOW), isrc=isrc_of(1))["result"] == "no_certificate"
