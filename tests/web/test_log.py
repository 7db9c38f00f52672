"""The log over HTTP: exactly its files, each year's log for ever, and why nothing is written."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Thread
from typing import Literal

import pytest
from sqlalchemy import update

from certifier.certificate.verify import check_certificate
from certifier.errors import ReadOnlyError
from certifier.log.entry import parse_entry, status_entry
from certifier.log.note import open_checkpoint, parse_verifier_key
from certifier.log.tiles import entries_path, parse_entry_bundle, parse_tile_path
from certifier.service.certifier import AFTER, Accepted, Certifier, Issued
from certifier.service.home import turn_log
from certifier.service.logbook import Problem
from certifier.storage.rows import Job, StatusChange
from certifier.storage.tables import entries
from certifier.web.app import create_app
from tests.referee import check_history, read_log
from tests.studio import NOW, Studio
from tests.web.conftest import World

NEXT_YEAR = NOW + timedelta(days=90)

CHANGES: tuple[Literal["suspend"], Literal["reinstate"]] = ("suspend", "reinstate")
NOTHING = [
    "tile/0/0",
    "tile/00/000",
    "tile/0/000.p/0",
    "tile/0/000.p/00",
    "tile/0/000.p/256",
    "tile/0/000.p/07",
    "tile/0/x000/000",
    "tile/0/001",
    "tile/1/000",
    "tile/64/000",
    "tile/-1/000",
    "tile/0/000.p/",
    "tile/0/000/",
    "tile/0//000",
    "tile/entries/000.p/256",
    "tile/entries/0",
    "tile/%2e/000",
    "tile/0/%30%30%30%2ep",
    "tile",
    "checkpoint/",
    "checkpoints",
    "log.vkey.txt",
    "1999/checkpoint",
    "2026/other",
    "../log/checkpoint",
]


@pytest.mark.parametrize("path", NOTHING)
def test_everything_else_below_the_log_is_not_found(world: World, path: str) -> None:
    assert world.client.get(f"/log/{path}").status_code == 404


def test_the_log_of_the_year_has_an_address_of_its_own(world: World) -> None:
    for name in ("checkpoint", "log.vkey", "tile/0/000.p/1", "tile/entries/000.p/1"):
        current, of_the_year = (world.client.get(f"/log/{prefix}{name}") for prefix in ("", "2026/"))
        assert (current.status_code, current.data) == (200, of_the_year.data)


def test_entries_hold_nothing_about_a_person(world: World) -> None:
    size = world.certifier.logbook.head.size
    entries = parse_entry_bundle(world.client.get(f"/log/tile/entries/000.p/{size}").data)
    assert len(entries) == size
    for entry in entries:
        assert b"example)" not in entry
        assert b"Example Artist" not in entry
        assert len(entry) < 1024


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
def test_a_foreign_reader_accepts_every_file_of_the_served_log(studio: Studio, size: int) -> None:
    """The referee reads it with code of its own: every bundle and tile, byte for byte."""
    certifier = studio.certifier()
    answer = certifier.certify(studio.examined(1), NOW)
    assert isinstance(answer, Issued)
    certifier.store.accept(
        [job for number in range(size - 1) for job in _change(answer.certificate.code, CHANGES[number % 2])]
    )
    certifier.logbook.publish()
    client = create_app(certifier, lambda: NOW).test_client()
    view = read_log(
        lambda path: (client.get(path).status_code, client.get(path).data), client.get("/log/log.vkey").text.strip()
    )
    assert view.size == size
    certifier.close()


def _change(code: str, kind: Literal["suspend", "reinstate"]) -> list[Job]:
    entry = status_entry(type=kind, code=code, reason="evidence", at="2026-11-01T12:00:00Z")
    return [StatusChange(code, kind, entry, AFTER[kind])]


def test_a_new_year_begins_a_new_log_and_the_old_one_stays(certifier: Certifier, studio: Studio) -> None:
    """What was issued before verifies with the old log's key, and its status follows from the new log."""
    first = certifier.certify(studio.examined(1), NOW)
    assert isinstance(first, Issued)
    certifier.close()
    assert turn_log(studio.settings, NEXT_YEAR) == ("label.example/2026", "label.example/2027")
    turned = studio.certifier()
    client = create_app(turned, lambda: NEXT_YEAR).test_client()
    old = open_checkpoint(
        client.get("/log/2026/checkpoint").data, [parse_verifier_key(client.get("/log/2026/log.vkey").text.strip())]
    )
    assert old.size == 2
    last = parse_entry_bundle(client.get("/log/2026/tile/entries/000.p/2").data)[1]
    assert parse_entry(last)["type"] == "freeze"
    assert client.get("/log/checkpoint").data == client.get("/log/2027/checkpoint").data
    assert client.get("/log/checkpoint").text.startswith("label.example/2027\n0\n")
    second = turned.certify(studio.examined(2), NEXT_YEAR)
    assert isinstance(second, Issued)
    row = turned.certificate(first.certificate.code)
    assert (
        check_certificate(row.document or b"", turned.published.material(row, NEXT_YEAR), NEXT_YEAR).verdict == "valid"
    )
    turned.change_status(row.code, "revoke", "evidence", NEXT_YEAR)
    assert turned.published.lifecycle(row.code) == "revoked"
    assert (
        check_certificate(row.document or b"", turned.published.material(row, NEXT_YEAR), NEXT_YEAR).axes["lifecycle"]
        == "revoked"
    )
    history = [
        {"op": "issue", "code": a.certificate.code, "document": (a.certificate.document or b"").decode()}
        for a in (first, second)
    ]
    check_history(
        lambda path: (client.get(path).status_code, client.get(path).data),
        [*history, {"op": "revoke", "code": row.code}],
    )
    turned.close()
    assert studio.certifier().problems == ()


def test_a_running_service_writes_nothing_behind_the_end_of_its_log(certifier: Certifier, studio: Studio) -> None:
    """The operator turns the log; the service stops writing, and its next start takes up the new log."""
    stopped = []
    certifier.pipeline._on_stop = stopped.append
    certifier.certify(studio.examined(1), NOW)
    turn_log(studio.settings, NOW + timedelta(minutes=1))
    told = certifier.certify(studio.examined(2), NOW + timedelta(minutes=2))
    assert isinstance(told, Accepted)  # on record: the next start finishes it, in the new log
    with pytest.raises(ReadOnlyError):
        certifier.certify(studio.examined(3), NOW + timedelta(minutes=2))
    reopened = studio.certifier()
    assert reopened.problems == ()
    assert reopened.logbooks[0].head.size == 2
    assert reopened.logbook.origin == "label.example/2026-2"
    again = reopened.certify(studio.examined(2), NOW + timedelta(minutes=3))
    assert isinstance(again, Issued)
    reopened.close()
    assert stopped


def test_what_is_kept_for_ever_has_an_address_that_never_changes_its_meaning(world: World) -> None:
    """The address without a year leads to another log once this one is closed."""
    current, of_the_year = (world.client.get(f"/log/{year}tile/0/000.p/1") for year in ("", "2026/"))
    assert of_the_year.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert current.headers["Cache-Control"] == "public, max-age=3600, immutable"


def test_bundles_are_those_of_the_tree_also_while_it_grows(studio: Studio) -> None:
    """A wrong one would be kept by caches for ever."""
    certifier = studio.certifier()
    answer = certifier.certify(studio.examined(1), NOW)
    assert isinstance(answer, Issued)
    code, book = answer.certificate.code, certifier.logbook
    ended = Event()

    def grow() -> None:
        for number in range(30):
            certifier.store.accept([job for at in range(20) for job in _change(code, CHANGES[(number * 20 + at) % 2])])
            book.publish()
        ended.set()

    writer = Thread(target=grow)
    writer.start()
    seen = dict[str, bytes]()
    while not ended.is_set():
        for index in range(book.head.size // 256 + 1):
            width = min(256, book.head.size - 256 * index)
            path = entries_path(index, width)
            content = book.resource(path)
            assert seen.setdefault(path, content or b"") == content
    writer.join()
    whole = book.entries_between(0, book.head.size)
    for path, content in seen.items():
        tile = parse_tile_path(path)
        assert tile is not None
        assert parse_entry_bundle(content) == whole[256 * tile.index :][: tile.width], path
    certifier.close()


def test_a_row_that_was_changed_beside_the_service_is_not_served(certifier: Certifier, studio: Studio) -> None:
    certifier.certify(studio.examined(1), NOW)
    with certifier.store.database.writing() as connection:
        connection.execute(update(entries).values(entry=b"{}"))
    certifier.logbook._tail = (1, [])  # as after many more entries
    client = create_app(certifier, lambda: NOW).test_client()
    assert client.get("/log/tile/entries/000.p/1").status_code == 503
    assert client.get("/log/tile/0/000.p/1").status_code == 200


def test_without_a_checkpoint_that_the_entries_lead_to_none_is_shown(certifier: Certifier, studio: Studio) -> None:
    certifier.logbook._head = type(certifier.logbook.head)(0, b"")
    certifier.logbook.problems = (Problem("entries-changed", "for the test"),)
    client = create_app(certifier, lambda: NOW).test_client()
    assert client.get("/log/checkpoint").status_code == 503
