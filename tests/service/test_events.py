"""What happened is told once each, in one order, whatever replicas, restarts and crashes do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from certifier.certificate.code import display_code
from certifier.certificate.times import parse_time, time_text
from certifier.log.entry import log_entry
from certifier.service.certifier import Certifier, Issued
from certifier.service.events import EXPIRED, EXPIRING, KEPT, WARNED, Events
from certifier.storage.rows import EventRow, NewEntry
from tests.studio import NOW, Studio, emissions_csv

MINUTE = timedelta(minutes=1)


def issued(studio: Studio, certifier: Certifier, number: int, now: datetime = NOW) -> str:
    answer = certifier.certify(studio.examined(number), now)
    assert isinstance(answer, Issued)
    return answer.certificate.code


def events_of(certifier: Certifier) -> Events:
    """The events as a process sees them that has just begun."""
    return Events(certifier.settings.base_url, certifier.store, certifier.logbooks)


def rows_of(certifier: Certifier, after: str | None, limit: int) -> list[EventRow]:
    rows = certifier.events.after(after, limit)
    assert rows is not None
    return rows


def told(certifier: Certifier) -> list[tuple[str, dict[str, Any]]]:
    bodies = [json.loads(row.body) for row in rows_of(certifier, None, 1000)]
    return [(body["type"], body["data"]) for body in bodies]


def test_every_change_of_a_certificate_is_told_with_its_reason(studio: Studio, installed: Certifier) -> None:
    code = issued(studio, installed, 1)
    for change, reason in (("suspend", "evidence"), ("reinstate", "evidence"), ("revoke", "misuse")):
        installed.change_status(code, change, reason, NOW)  # type: ignore[arg-type]
    installed.events.sweep(NOW)
    about = {"code": display_code(code), "url": f"https://label.example/v/{code}"}
    assert told(installed) == [
        ("certificate.issued", about),
        ("certificate.suspended", {**about, "reason": "evidence"}),
        ("certificate.reinstated", {**about, "reason": "evidence"}),
        ("certificate.revoked", {**about, "reason": "misuse"}),
    ]


def test_a_certificate_that_another_one_replaces_is_revoked_as_superseded(studio: Studio, certifier: Certifier) -> None:
    old = issued(studio, certifier, 1)
    runs = studio.report(run_id="run-9")["activities"]
    log = emissions_csv("run-9")
    renewal = studio.examined(1, log=log, report_id="rep-renewal", renewal_of=old, activities=runs)
    answer = certifier.certify(renewal, NOW + timedelta(days=1))
    assert isinstance(answer, Issued)
    certifier.events.sweep(NOW + timedelta(days=1))
    revoked = next(data for kind, data in told(certifier) if kind == "certificate.revoked")
    assert revoked["code"] == display_code(old)
    assert revoked["reason"] == "superseded"
    assert revoked["replaced_by"] == display_code(answer.certificate.code)


def test_a_published_standard_is_told(certifier: Certifier) -> None:
    digest = certifier.shelf.newest.digest
    entry = log_entry("standard-publish", time_text(NOW), standard="LCAL-1.0.0", digest=f"sha256:{digest}")
    certifier.store.accept([NewEntry("standard-publish", entry)])
    certifier.events.sweep(NOW)
    assert told(certifier) == []  # it has no place in the log yet
    certifier.logbook.publish()
    certifier.events.sweep(NOW)
    url = "https://label.example/standards/lcal/1.0.0"
    assert told(certifier) == [("standard.published", {"standard": "LCAL-1.0.0", "sha256": digest, "url": url})]


@dataclass(frozen=True)
class Ending:
    """An installation with a certificate in force, one that is suspended, and one that is revoked; all end at one time."""

    certifier: Certifier
    in_force: str
    suspended: str
    ends: datetime


def ending_in(studio: Studio, certifier: Certifier) -> Ending:
    codes = [issued(studio, certifier, number) for number in (1, 2, 3)]
    certifier.change_status(codes[1], "suspend", "evidence", NOW)
    certifier.change_status(codes[2], "revoke", "misuse", NOW)
    certifier.events.sweep(NOW)
    return Ending(certifier, codes[0], codes[1], parse_time(certifier.certificate(codes[0]).expires_at))


def ends_told(certifier: Certifier) -> list[tuple[str, str]]:
    return sorted((kind, data["code"]) for kind, data in told(certifier) if kind in {EXPIRING, EXPIRED})


def test_the_end_of_a_certificate_is_told_thirty_days_before_and_at_it(studio: Studio, installed: Certifier) -> None:
    ending = ending_in(studio, installed)
    codes = sorted(map(display_code, (ending.in_force, ending.suspended)))  # what is revoked has ended already
    events = installed.events
    events.sweep(ending.ends - WARNED - MINUTE)
    assert ends_told(installed) == []
    events.sweep(ending.ends - WARNED)
    assert ends_told(installed) == [(EXPIRING, code) for code in codes]
    events.sweep(ending.ends - MINUTE)
    assert len(ends_told(installed)) == 2
    events.sweep(ending.ends)
    assert ends_told(installed) == [*((EXPIRED, code) for code in codes), *((EXPIRING, code) for code in codes)]
    bodies = [json.loads(row.body) for row in rows_of(installed, None, 100)]
    at = {body["type"]: body["timestamp"] for body in bodies}
    assert (at[EXPIRING], at[EXPIRED]) == (time_text(ending.ends - WARNED), time_text(ending.ends))


def test_after_a_long_pause_only_what_still_matters_is_told(studio: Studio, certifier: Certifier) -> None:
    ending = ending_in(studio, certifier)
    certifier.events.sweep(ending.ends + timedelta(days=1))
    assert {kind for kind, _ in ends_told(certifier)} == {EXPIRED}


ACCIDENTS = {
    "a restart": [],
    "a crash that lost how far was told": ["DELETE FROM told_sources WHERE source <> 'clock'"],
    "a backup of before, brought back": ["DELETE FROM events", "DELETE FROM told_sources WHERE source <> 'clock'"],
}


def test_after_an_accident_the_same_events_have_the_same_ids_and_each_is_there_once(
    studio: Studio, certifier: Certifier
) -> None:
    ending_in(studio, certifier)
    before = [(row.id, row.body) for row in rows_of(certifier, None, 100)]
    assert len(before) == 5
    for accident, statements in ACCIDENTS.items():
        with certifier.store.database.writing() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        again = events_of(certifier)
        again.sweep(NOW)
        again.sweep(NOW + MINUTE)
        assert [(row.id, row.body) for row in rows_of(certifier, None, 100)] == before, accident


def test_replicas_that_tell_at_once_tell_each_event_once_and_in_the_order_of_the_log(
    studio: Studio, installed: Certifier
) -> None:
    codes = [issued(studio, installed, number) for number in range(6)]
    replicas = [events_of(installed) for _ in range(4)]
    start = threading.Barrier(len(replicas))
    faults: list[Exception] = []

    def tell(events: Events) -> None:
        start.wait()
        try:
            events.sweep(NOW)
        except Exception as error:  # noqa: BLE001 - told below
            faults.append(error)

    threads = [threading.Thread(target=tell, args=(events,)) for events in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = rows_of(installed, None, 100)
    assert faults == []
    assert [row.number for row in rows] == list(range(1, 7))
    assert [json.loads(row.body)["data"]["code"] for row in rows] == list(map(display_code, codes))


def test_a_certificate_is_told_when_it_can_be_fetched(studio: Studio, certifier: Certifier) -> None:
    first, second = issued(studio, certifier, 1), issued(studio, certifier, 2)
    with certifier.store.database.writing() as connection:  # as between the log and the signature
        connection.exec_driver_sql("UPDATE certificates SET document = NULL WHERE code = ?", (second,))
    certifier.events.sweep(NOW)
    assert [data["code"] for _, data in told(certifier)] == [display_code(first)]
    certifier.events.sweep(NOW + timedelta(hours=1))  # it takes long: the others do not wait for it for ever
    assert [data["code"] for _, data in told(certifier)] == [display_code(first), display_code(second)]


def test_who_reads_on_from_an_event_gets_what_came_after_it(studio: Studio, certifier: Certifier) -> None:
    for number in range(3):
        issued(studio, certifier, number)
    certifier.events.sweep(NOW)
    rows = rows_of(certifier, None, 2)
    assert len(rows) == 2
    (last,) = rows_of(certifier, rows[-1].id, 2)
    assert certifier.events.after(last.id, 2) == []
    issued(studio, certifier, 4)
    certifier.events.sweep(NOW)
    assert len(rows_of(certifier, last.id, 2)) == 1


def test_old_events_are_forgotten_and_their_cursors_are_told_so(studio: Studio, certifier: Certifier) -> None:
    issued(studio, certifier, 1)
    certifier.events.sweep(NOW)
    (old,) = rows_of(certifier, None, 10)
    later = NOW + KEPT + timedelta(days=1)
    certifier.events.sweep(later)
    assert certifier.events.after(old.id, 10) == []  # the newest one stays: whoever has read it has missed nothing
    issued(studio, certifier, 2, later)
    certifier.events.sweep(later + timedelta(hours=2))
    assert len(rows_of(certifier, None, 10)) == 1
    assert certifier.events.after(old.id, 10) is None


def test_an_old_installation_does_not_tell_what_is_long_past(studio: Studio, certifier: Certifier) -> None:
    issued(studio, certifier, 1)
    certifier.events.sweep(NOW + KEPT + timedelta(days=1))
    assert told(certifier) == []


@pytest.fixture
def two_processes(tmp_path: Path) -> Iterator[tuple[Studio, Certifier, Certifier]]:
    studio = Studio(tmp_path)
    first, second = studio.certifier(), studio.certifier()
    yield studio, first, second
    first.close()
    second.close()


def test_what_the_operator_does_in_another_process_is_told(two_processes: tuple[Studio, Certifier, Certifier]) -> None:
    studio, serving, command = two_processes
    code = issued(studio, serving, 1)
    serving.events.sweep(NOW)
    command.logbook.catch_up()
    command.change_status(code, "revoke", "misuse", NOW)
    serving.logbook.catch_up()
    serving.events.sweep(NOW)
    assert [kind for kind, _ in told(serving)] == ["certificate.issued", "certificate.revoked"]
