"""What happened, in one order for everybody, and how far each source was told. Contains no business logic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from certifier.certificate.times import time_text
from certifier.crypto.canonical import sha256_hex
from certifier.storage.database import Database
from certifier.storage.rows import EventRow, NewEvent
from certifier.storage.tables import certificates, deliveries, events, told_sources, webhook_endpoints

CLOCK = "clock"


class EventStore:
    """All reading and writing of events. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def told(self, source: str) -> str:
        """How far a source was told; empty where nothing was."""
        query = select(told_sources.c.told).where(told_sources.c.source == source)
        with self._database.reading() as connection:
            return str(connection.execute(query).scalar_one_or_none() or "")

    def tell(self, source: str, before: str, after: str, new: Sequence[NewEvent], now: datetime) -> bool:
        """Give events the next places in the feed, queue them for every endpoint that wants them, note how far the source
        was told; one transaction. False, and nothing done, when the source was not told as far as ``before`` any more.

        An event that has its place keeps it. One writer at a time tells, so that numbers are committed in their order: who
        reads on from a number misses nothing.
        """
        with self._database.writing() as connection:
            connection.execute(
                select(told_sources.c.source).where(told_sources.c.source == CLOCK).with_for_update()
            ).one()
            row = connection.execute(select(told_sources.c.told).where(told_sources.c.source == source)).first()
            if (row[0] if row else "") != before:
                return False
            fresh = _without_known(connection, new)
            if fresh:
                first = connection.execute(select(func.coalesce(func.max(events.c.number), 0))).scalar_one() + 1
                at = time_text(now)
                rows = [
                    {**vars(event), "number": number, "recorded_at": at} for number, event in enumerate(fresh, first)
                ]
                connection.execute(insert(events), rows)
                _queue(connection, fresh, at)
            if row:
                connection.execute(update(told_sources).where(told_sources.c.source == source).values(told=after))
            else:
                connection.execute(insert(told_sources).values(source=source, told=after))
            return True

    def after(self, event_id: str | None, limit: int) -> list[EventRow] | None:
        """The events after one, in their order; the first ones for None. None where there is no such event."""
        query = select(events).order_by(events.c.number).limit(limit)
        with self._database.reading() as connection:
            if event_id is not None:
                place = connection.execute(select(events.c.number).where(events.c.id == event_id)).scalar_one_or_none()
                if place is None:
                    return None
                query = query.where(events.c.number > place)
            return [EventRow(**row) for row in connection.execute(query).mappings()]

    def forget(self, before: datetime) -> None:
        """Drop the events that were recorded before a time, but for the newest one: its id is where readers go on."""
        newest = select(func.max(events.c.number)).scalar_subquery()
        with self._database.writing() as connection:
            connection.execute(delete(events).where(events.c.recorded_at < time_text(before), events.c.number < newest))

    # -- what events are made from ------------------------------------------------------------------------------

    def undelivered(self, codes: Sequence[str]) -> set[str]:
        """Which of the certificates with these codes are not signed yet."""
        query = select(certificates.c.code).where(certificates.c.code.in_(codes), certificates.c.document.is_(None))
        with self._database.reading() as connection:
            return set(connection.execute(query).scalars())

    def ending_between(self, after: datetime, until: datetime) -> list[tuple[str, str]]:
        """The certificates in force that end after a time and not later than another, as (end, code), in that order."""
        ends = certificates.c.expires_at
        query = select(ends, certificates.c.code).where(
            and_(ends > time_text(after), ends <= time_text(until), certificates.c.in_force == 1),
            certificates.c.document.is_not(None),
        )
        with self._database.reading() as connection:
            return [(row[0], row[1]) for row in connection.execute(query.order_by(ends, certificates.c.code))]


def _without_known(connection: Connection, new: Sequence[NewEvent]) -> list[NewEvent]:
    if not new:
        return []
    query = select(events.c.id).where(events.c.id.in_([event.id for event in new]))
    known = set(connection.execute(query).scalars())
    return [event for event in new if event.id not in known]


def _queue(connection: Connection, new: Sequence[NewEvent], at: str) -> None:
    """A delivery of each event to each endpoint that takes its type."""
    active = select(webhook_endpoints.c.id, webhook_endpoints.c.types).where(webhook_endpoints.c.status == "active")
    rows = [
        delivery_values(delivery_id_of(endpoint, event.id), endpoint, event, at)
        for endpoint, types in connection.execute(active).all()
        for event in new
        if not types or event.type in types.split()
    ]
    if rows:
        connection.execute(insert(deliveries), rows)


def delivery_id_of(endpoint_id: str, event_id: str) -> str:
    """The id of the delivery of an event to an endpoint: always the same, so that there is one only."""
    return f"dlv_{sha256_hex(f'{endpoint_id} {event_id}'.encode())[:32]}"


def delivery_values(delivery_id: str, endpoint_id: str, event: NewEvent, at: str) -> dict[str, object]:
    """The row of a delivery that is due at once."""
    return {
        "id": delivery_id,
        "endpoint_id": endpoint_id,
        "event_id": event.id,
        "type": event.type,
        "body": event.body,
        "state": "waiting",
        "created_at": at,
        "due_at": at,
        "attempts": 0,
    }
