"""A shelf of certificates: found by every key, kept up to date, read by many, and no other file taken for one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certifier.catalogue.shelf import Line, Record, open_shelf, parse_line, save_lines
from certifier.errors import CertifierError, ForeignInputError, OperatorError, UnreachableError
from tests.catalogue.stock import Stock, claims_of, stock_of
from tests.certificate.test_verify import DID

NOW = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def stock() -> Stock:
    return stock_of(4, NOW, more=[claims_of(4, NOW, isrc="QZ-ABC-00-00000")])


@pytest.fixture
def file(stock: Stock, tmp_path: Path) -> Path:
    return stock.shelve(tmp_path / "certificates")


def test_a_certificate_is_found_by_each_of_its_keys_byte_for_byte(stock: Stock, file: Path) -> None:
    made = stock.made[1]
    record = Record(made.code, made.credential, made.proof)
    keys = zip(("code", "isrc", "sha256", "essence_sha256"), made.line(0).found_by, strict=True)
    with open_shelf(file) as shelf:
        for kind, value in keys:
            assert shelf.find(kind, [str(value), "nothing of ours"]) == {value: [record]}


def test_threads_may_share_one(stock: Stock, file: Path) -> None:
    asked = [str(made.line(0).found_by[0]) for made in stock.made] * 20
    with open_shelf(file) as shelf, ThreadPoolExecutor(4) as threads:
        for code, found in zip(asked, threads.map(lambda code: shelf.find("code", [code]), asked), strict=True):
            assert [record.code for record in found[code]] == [code]


def test_the_newest_of_several_comes_first(stock: Stock, file: Path) -> None:
    with open_shelf(file) as shelf:
        found = shelf.find("isrc", ["QZABC0000000"])["QZABC0000000"]
    assert [record.code for record in found] == [stock.made[4].code, stock.made[0].code]


def test_what_is_added_later_leaves_the_rest_and_moves_the_cursor(stock: Stock, tmp_path: Path) -> None:
    file, lines = tmp_path / "certificates", [made.line(place) for place, made in enumerate(stock.made)]
    save_lines(file, lines[:3], DID, "2026-11-22T20:00:00Z")
    assert save_lines(file, lines[3:], DID, "2026-11-23T20:00:00Z") == 2
    assert save_lines(file, lines[3:], DID, "2026-11-23T20:00:00Z") == 2, "the same lines again are no harm"
    with open_shelf(file) as shelf:
        assert (len(shelf), shelf.cursor, shelf.fetched_at) == (5, "1-4", "2026-11-23T20:00:00Z")


def test_what_came_before_a_fault_of_the_network_stays(stock: Stock, tmp_path: Path) -> None:
    def breaking() -> Iterator[Line]:
        yield from (made.line(place) for place, made in enumerate(stock.made[:2]))
        raise UnreachableError("gone")

    file = tmp_path / "certificates"
    with pytest.raises(UnreachableError):
        save_lines(file, breaking(), DID, "2026-11-22T20:00:00Z")
    with open_shelf(file) as shelf:
        assert (len(shelf), shelf.cursor, shelf.fetched_at) == (2, "1-1", "")


def test_certificates_of_another_issuer_are_not_mixed_in(stock: Stock, file: Path) -> None:
    with pytest.raises(OperatorError, match="another issuer"):
        save_lines(file, [stock.made[0].line(9)], "did:web:other.example", "2026-11-22T20:00:00Z")


@pytest.mark.parametrize("content", [b"", b"isrc\nQZABC0000001\n", b"SQLite format 3\0" + bytes(200)])
def test_another_file_is_not_taken_for_one(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other"
    file.write_bytes(content)
    with pytest.raises(OperatorError, match="no certificates that this release can read"), open_shelf(file):
        pass


def test_a_damaged_one_is_told(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE certificates SET credential = x'00'")
    connection.close()
    with open_shelf(file) as shelf, pytest.raises(OperatorError, match="damaged"):
        shelf.find("isrc", ["QZABC0000001"])


LINE = {
    "cursor": "1-0",
    "code": "0000-0000-00",
    "isrc": None,
    "sha256": "aa" * 32,
    "essence_sha256": None,
    "credential": "{}",
    "proof": "p",
}
BAD_LINES = {
    "no JSON": b"<html>",
    "no object": b"[]",
    "no cursor": json.dumps(LINE | {"cursor": None}).encode(),
    "a number for a text": json.dumps(LINE | {"sha256": 7}).encode(),
    "no code": json.dumps(LINE | {"code": "0000-0000-01"}).encode(),
    "cut short": json.dumps(LINE).encode()[:-9],
}


def test_a_line_of_the_export_is_read() -> None:
    line = parse_line(json.dumps(LINE | {"of a later release": 1}).encode())
    assert line == Line("1-0", ("0000000000", None, "aa" * 32, None), b"{}", b"p")


@pytest.mark.parametrize("raw", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_line_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(ForeignInputError) as refused:
        parse_line(raw)
    assert isinstance(refused.value, CertifierError)
