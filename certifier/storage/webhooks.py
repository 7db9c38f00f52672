"""What the database knows of webhook endpoints and of deliveries to them. Contains no business logic.

Whoever delivers takes an *endpoint* for a while, never a single delivery: so at most one request is on its way to each, and a
slow receiver holds up its own deliveries only. An endpoint that was taken by a process that died is free again when its time
is over; what was sent and not noted is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from certifier.certificate.times import time_text
from certifier.errors import ConflictError, NotFoundError
from certifier.storage.database import Database
from certifier.storage.events import CLOCK, delivery_values
from certifier.storage.rows import DeliveryRow, EndpointRow, NewEvent
from certifier.storage.tables import deliveries, told_sources, webhook_endpoints

_ENDPOINT = (
    *(column for column in webhook_endpoints.c if column.name not in {"busy_until", "busy_turn", "served_at"}),
)


class WebhookStore:
    """All reading and writing of endpoints and deliveries. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- endpoints ----------------------------------------------------------------------------------------------

    def add(self, row: EndpointRow, most: int) -> bool:
        """Whether the holder had fewer endpoints than ``most``, and has this one too now.

        Raises ConflictError when the holder has an endpoint with this address.
        """
        values = {**vars(row), "types": " ".join(row.types)}
        try:
            with self._database.writing() as connection:
                # one after the other, or several who ask at once would all find room
                connection.execute(select(told_sources).where(told_sources.c.source == CLOCK).with_for_update())
                theirs = webhook_endpoints.c.holder == row.holder
                if connection.execute(select(func.count()).where(theirs)).scalar_one() >= most:
                    return False
                connection.execute(insert(webhook_endpoints).values(**values))
                return True
        except IntegrityError as error:
            raise _taken(row.url) from error

    def endpoint(self, endpoint_id: str) -> EndpointRow | None:
        with self._database.reading() as connection:
            query = select(*_ENDPOINT).where(webhook_endpoints.c.id == endpoint_id)
            row = connection.execute(query).mappings().first()
        return _endpoint(row) if row else None

    def endpoints(self, holder: str | None = None) -> list[EndpointRow]:
        """The endpoints of a holder, or all of them; the oldest first."""
        query = select(*_ENDPOINT).order_by(webhook_endpoints.c.created_at, webhook_endpoints.c.id)
        if holder is not None:
            query = query.where(webhook_endpoints.c.holder == holder)
        with self._database.reading() as connection:
            return [_endpoint(row) for row in connection.execute(query).mappings()]

    def change(self, row: EndpointRow, changes: Mapping[str, Any]) -> bool:
        """Whether the endpoint was still as it was read, and is changed now. Raises ConflictError as ``add``."""
        same = (webhook_endpoints.c.id == row.id, webhook_endpoints.c.version == row.version)
        try:
            with self._database.writing() as connection:
                changed = connection.execute(
                    update(webhook_endpoints).where(*same).values(**changes, version=row.version + 1)
                )
                return bool(changed.rowcount == 1)
        except IntegrityError as error:
            raise _taken(str(changes.get("url"))) from error

    def remove(self, endpoint_id: str) -> None:
        """Remove an endpoint with everything that was and would be delivered to it."""
        with self._database.writing() as connection:
            _lock(connection, endpoint_id)
            connection.execute(delete(deliveries).where(deliveries.c.endpoint_id == endpoint_id))
            connection.execute(delete(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id))

    # -- deliveries ---------------------------------------------------------------------------------------------

    def add_delivery(self, delivery_id: str, endpoint_id: str, event: NewEvent, now: datetime) -> DeliveryRow:
        """Queue one more delivery, due now. Raises NotFoundError when the endpoint was removed meanwhile."""
        values = delivery_values(delivery_id, endpoint_id, event, time_text(now))
        try:
            with self._database.writing() as connection:
                row = connection.execute(insert(deliveries).values(**values).returning(*deliveries.c)).mappings().one()
                return DeliveryRow(**row)
        except IntegrityError as error:
            raise NotFoundError("There is no such webhook endpoint any more.", found=endpoint_id) from error

    def delivery(self, delivery_id: str) -> DeliveryRow | None:
        with self._database.reading() as connection:
            row = connection.execute(select(deliveries).where(deliveries.c.id == delivery_id)).mappings().first()
        return DeliveryRow(**row) if row else None

    def deliveries_of(self, endpoint_id: str, limit: int, *, below: int | None = None) -> list[DeliveryRow]:
        """The deliveries to an endpoint with numbers below one, the newest first."""
        query = select(deliveries).where(deliveries.c.endpoint_id == endpoint_id)
        if below is not None:
            query = query.where(deliveries.c.number < below)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(deliveries.c.number.desc()).limit(limit)).mappings()
            return [DeliveryRow(**row) for row in rows]

    def forget(self, before: datetime) -> None:
        """Drop the deliveries that were queued before a time."""
        with self._database.writing() as connection:
            connection.execute(delete(deliveries).where(deliveries.c.created_at < time_text(before)))

    def due_count(self, now: datetime) -> int:
        """How many deliveries are due to endpoints that are active."""
        active = select(webhook_endpoints.c.id).where(webhook_endpoints.c.status == "active")
        query = select(func.count()).where(_is_due(now), deliveries.c.endpoint_id.in_(active))
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def endpoint_counts(self) -> dict[str, int]:
        """How many endpoints are in order, fail (their last delivery did), and are disabled."""
        is_failing = and_(webhook_endpoints.c.status == "active", webhook_endpoints.c.failures > 0)
        state = case((is_failing, "failing"), else_=webhook_endpoints.c.status)
        query = select(state, func.count()).select_from(webhook_endpoints).group_by(state)
        counted = dict.fromkeys(("active", "failing", "disabled"), 0)
        with self._database.reading() as connection:
            return counted | {str(name): int(number) for name, number in connection.execute(query)}

    # -- who delivers -------------------------------------------------------------------------------------------

    def is_due(self, now: datetime) -> bool:
        """Whether there is anything to deliver that nobody delivers now."""
        with self._database.reading() as connection:
            return connection.execute(select(webhook_endpoints.c.id).where(_is_free(now)).limit(1)).first() is not None

    def claim(self, turn: str, now: datetime, until: datetime, limit: int) -> list[EndpointRow]:
        """Take endpoints with due deliveries that nobody has: healthy ones first, then who waited longest.

        They are the caller's until ``release``, or until a time. Two callers never get the same one, and neither waits
        for the other.
        """
        chosen = (
            select(*_ENDPOINT)
            .where(_is_free(now))
            .order_by(webhook_endpoints.c.failures, webhook_endpoints.c.served_at.nulls_first(), webhook_endpoints.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._database.writing() as connection:
            taken = [_endpoint(row) for row in connection.execute(chosen).mappings()]
            connection.execute(
                update(webhook_endpoints)
                .where(webhook_endpoints.c.id.in_([row.id for row in taken]))
                .values(busy_until=time_text(until), busy_turn=turn)
            )
            return taken

    def release(self, endpoint_id: str, turn: str, now: datetime) -> None:
        """Give an endpoint back, if it is still the caller's."""
        mine = (webhook_endpoints.c.id == endpoint_id, webhook_endpoints.c.busy_turn == turn)
        with self._database.writing() as connection:
            connection.execute(
                update(webhook_endpoints).where(*mine).values(busy_until=None, busy_turn=None, served_at=time_text(now))
            )

    def due(self, endpoint_id: str, now: datetime, limit: int) -> list[DeliveryRow]:
        """The deliveries of an endpoint that are due, in the order of their events."""
        query = select(deliveries).where(deliveries.c.endpoint_id == endpoint_id, _is_due(now))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(deliveries.c.number).limit(limit)).mappings()
            return [DeliveryRow(**row) for row in rows]

    def note(self, row: DeliveryRow, changes: Mapping[str, Any], of_endpoint: Mapping[str, Any]) -> bool:
        """Whether a delivery was still as it was read; then what came of an attempt is noted, at its endpoint too.

        With ``status`` among the endpoint's changes, everything else that waits for it is given up.
        """
        same = (deliveries.c.id == row.id, deliveries.c.state == "waiting", deliveries.c.attempts == row.attempts)
        with self._database.writing() as connection:
            _lock(connection, row.endpoint_id)
            noted = connection.execute(update(deliveries).where(*same).values(**changes, attempts=row.attempts + 1))
            if noted.rowcount != 1:
                return False
            if "status" in of_endpoint:
                waiting = (deliveries.c.endpoint_id == row.endpoint_id, deliveries.c.state == "waiting")
                connection.execute(
                    update(deliveries).where(*waiting).values(state="failed", told="The endpoint was disabled.")
                )
            if of_endpoint:
                connection.execute(
                    update(webhook_endpoints)
                    .where(webhook_endpoints.c.id == row.endpoint_id)
                    .values(**of_endpoint, version=webhook_endpoints.c.version + 1)
                )
            return True


def _lock(connection: Connection, endpoint_id: str) -> None:
    """Take an endpoint's row before its deliveries: all who write both do so in this order, so that none waits in a ring."""
    connection.execute(select(webhook_endpoints.c.id).where(webhook_endpoints.c.id == endpoint_id).with_for_update())


def _is_due(now: datetime) -> Any:
    return and_(deliveries.c.state == "waiting", deliveries.c.due_at <= time_text(now))


def _is_free(now: datetime) -> Any:
    """Endpoints that are active, rested, nobody's, and have something due."""
    at = time_text(now)
    table = webhook_endpoints.c
    waits = select(deliveries.c.number).where(deliveries.c.endpoint_id == table.id, _is_due(now)).exists()
    rested = or_(table.rests_until.is_(None), table.rests_until <= at)
    free = or_(table.busy_until.is_(None), table.busy_until <= at)
    return and_(table.status == "active", rested, free, waits)


def _endpoint(row: RowMapping) -> EndpointRow:
    return EndpointRow(**{**row, "types": tuple(row["types"].split())})


def _taken(url: str) -> ConflictError:
    return ConflictError(
        "You have an endpoint with this address.",
        found=url[:200],
        hint="Change that one; its secret can be rotated. See GET /api/v1/webhook-endpoints.",
    )
