"""What happened to certificates and standards, told after the fact, each event exactly once.

Nothing is told from the code that issues or revokes: events are derived from what is durable already, the entries of the
published log in their order, and the clock over the certificates in force. An event's id follows from what happened, so that a
crash, a restart, another replica or a restored backup can only tell the same event again, and the database keeps one of each.

    issue, suspend, reinstate, revoke, standard-publish    the entries that a published checkpoint holds
    expiring, expired                                      the certificates in force, thirty days before their end and at it

Events are kept for ninety days; the log holds the rest for ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from certifier.certificate.code import display_code
from certifier.certificate.credential import standard_url
from certifier.certificate.times import parse_time, time_text
from certifier.crypto.canonical import sha256_hex
from certifier.log.entry import parse_entry
from certifier.service.logbook import Logbook
from certifier.storage.events import CLOCK, EventStore
from certifier.storage.rows import EventRow, NewEvent
from certifier.storage.store import Store

OF_ENTRIES = {
    "issue": "certificate.issued",
    "suspend": "certificate.suspended",
    "reinstate": "certificate.reinstated",
    "revoke": "certificate.revoked",
    "standard-publish": "standard.published",
}
EXPIRING, EXPIRED = "certificate.expiring", "certificate.expired"
TYPES = (
    *(kind for kind in OF_ENTRIES.values() if kind.startswith("certificate.")),
    EXPIRING,
    EXPIRED,
    "standard.published",
)
KEPT = timedelta(days=90)
AT_ONCE = 64  # entries in one transaction: each may be queued for many endpoints, and issuing waits for the writer
WARNED = timedelta(days=30)  # before a certificate's end
CLOCK_EVERY = timedelta(minutes=1)
FORGET_EVERY = timedelta(hours=1)
# A certificate is told once it can be fetched; one whose key is missing here holds up the others for so long only.
WAIT_FOR_SIGNATURE = timedelta(minutes=10)


class Events:
    """The events of one installation. Thread-safe but for ``sweep``, which one thread of a process calls."""

    def __init__(self, base_url: str, store: Store, logbooks: Sequence[Logbook]) -> None:
        self._base_url = base_url
        self._store = store
        self._events = EventStore(store.database)
        self._logbooks = tuple(logbooks)
        self._told: dict[str, int] = {}  # of each log, as this process saw it last
        self._looked_at_clock: datetime | None = None
        self._forgot_at: datetime | None = None

    def after(self, event_id: str | None, limit: int) -> list[EventRow] | None:
        """The events after one, the oldest first; the first ones for None. None when that one is not kept any more, or
        never was: whoever read as far as there may have missed events.
        """
        return self._events.after(event_id, limit)

    def sweep(self, now: datetime) -> None:
        """Tell everything that happened up to now and was not told. Any replica may, at any time."""
        for book in self._logbooks:
            while self._told.get(book.origin) != book.head.size and self._tell_entries(book, now):
                pass
        if self._is_time(self._looked_at_clock, CLOCK_EVERY, now):
            self._tell_ends(now)
            self._looked_at_clock = now
        if self._is_time(self._forgot_at, FORGET_EVERY, now):
            self._events.forget(now - KEPT)
            self._forgot_at = now

    @staticmethod
    def _is_time(last: datetime | None, every: timedelta, now: datetime) -> bool:
        return last is None or now - last >= every

    # -- the log ------------------------------------------------------------------------------------------------

    def _tell_entries(self, book: Logbook, now: datetime) -> bool:
        """Tell the next entries of a log; whether there may be more that can be told now."""
        before = self._events.told(book.origin)
        start, size = int(before or "0"), book.head.size
        placed = self._store.entries_between(book.origin, start, min(start + AT_ONCE, size))
        parsed = [(row.index, parse_entry(row.entry)) for row in placed]
        ready = self._up_to_unsigned(parsed, now)
        if not ready:
            self._told[book.origin] = size if start == size else -1
            return False
        new = [
            event
            for index, entry in ready
            if parse_time(entry["at"]) > now - KEPT and (event := self._event_of_entry(entry, f"{book.origin} {index}"))
        ]
        end = start + len(ready)
        if self._events.tell(book.origin, before, str(end), new, now):
            self._told[book.origin] = end
        return len(ready) == len(parsed)

    def _up_to_unsigned(
        self, parsed: Sequence[tuple[int, dict[str, Any]]], now: datetime
    ) -> list[tuple[int, dict[str, Any]]]:
        """The entries before the first certificate that is being signed just now."""
        fresh = [
            entry["code"]
            for _, entry in parsed
            if entry["type"] == "issue" and parse_time(entry["at"]) > now - WAIT_FOR_SIGNATURE
        ]
        unsigned = self._events.undelivered(fresh) if fresh else set()
        places = (
            place for place, (_, entry) in enumerate(parsed) if entry["type"] == "issue" and entry["code"] in unsigned
        )
        return list(parsed[: next(places, len(parsed))])

    def _event_of_entry(self, entry: dict[str, Any], place: str) -> NewEvent | None:
        kind = OF_ENTRIES.get(entry["type"])
        if kind is None:
            return None
        if kind == "standard.published":
            about = {
                "standard": entry["standard"],
                "sha256": entry["digest"].removeprefix("sha256:"),
                "url": standard_url(self._base_url, entry["standard"]),
            }
            return event_of(kind, entry["at"], about, place)
        about = self._about(entry["code"])
        if "reason" in entry:
            about["reason"] = entry["reason"]
        if "replaced_by" in entry:
            about["replaced_by"] = display_code(entry["replaced_by"])
        return event_of(kind, entry["at"], about, place)

    # -- the clock ----------------------------------------------------------------------------------------------

    def _tell_ends(self, now: datetime) -> None:
        """Tell what ended, or comes near its end, since the clock was told last."""
        before = self._events.told(CLOCK)
        since = parse_time(before) if before else now - KEPT
        if since < now:
            self._events.tell(CLOCK, before, time_text(now), list(self._ends(since, now)), now)

    def _ends(self, since: datetime, now: datetime) -> Iterator[NewEvent]:
        ended = [(end, EXPIRED, code, end) for end, code in self._events.ending_between(since, now)]
        near = [
            (time_text(parse_time(end) - WARNED), EXPIRING, code, end)
            for end, code in self._events.ending_between(max(since + WARNED, now), now + WARNED)
        ]
        for at, kind, code, end in sorted([*ended, *near]):
            yield event_of(kind, at, {**self._about(code), "expires_at": end}, f"{code} {end}")

    def _about(self, code: str) -> dict[str, str]:
        return {"code": display_code(code), "url": f"{self._base_url}/v/{code}"}


def event_of(kind: str, at: str, about: dict[str, str], place: str) -> NewEvent:
    """An event; its id follows from its type and the place where it stands: a log's index, or a certificate's end."""
    body = {"type": kind, "timestamp": at, "data": about}
    return NewEvent(f"evt_{sha256_hex(f'{kind} {place}'.encode())[:32]}", kind, json.dumps(body, ensure_ascii=False))
