"""What the database knows of complaints. Contains no business logic."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update

from certifier.storage.database import Database
from certifier.storage.rows import ComplaintRow
from certifier.storage.tables import complaints


@dataclass(frozen=True)
class Queue:
    """How many complaints in one state there are: in all, of one code, and received since a time."""

    waiting: int
    of_code: int
    since: int


class ComplaintStore:
    """All reading and writing of complaints. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: ComplaintRow) -> None:
        """Durable when this returns."""
        with self._database.writing() as connection:
            connection.execute(insert(complaints).values(**vars(row)))

    def queue(self, state: str, code: str | None, since: str) -> Queue:
        count, waiting = select(func.count()).select_from(complaints), complaints.c.state == state
        asked = (
            count.where(waiting),
            count.where(waiting, complaints.c.code == (code or "")),  # what names no code is counted with none
            count.where(complaints.c.received_at >= since),
        )
        with self._database.reading() as connection:
            return Queue(*(connection.execute(query).scalar_one() for query in asked))

    def one(self, receipt: str) -> ComplaintRow | None:
        with self._database.reading() as connection:
            row = connection.execute(select(complaints).where(complaints.c.receipt == receipt)).mappings().first()
        return ComplaintRow(**row) if row else None

    def in_states(self, states: Collection[str]) -> list[ComplaintRow]:
        """The complaints in these states, the oldest first."""
        query = (
            select(complaints)
            .where(complaints.c.state.in_(states))
            .order_by(complaints.c.received_at, complaints.c.receipt)
        )
        with self._database.reading() as connection:
            return [ComplaintRow(**row) for row in connection.execute(query).mappings()]

    def change(self, receipt: str, before: Collection[str], changes: Mapping[str, str]) -> bool:
        """Whether the complaint was in one of the states ``before`` and is changed now."""
        with self._database.writing() as connection:
            changed = connection.execute(
                update(complaints)
                .where(complaints.c.receipt == receipt, complaints.c.state.in_(before))
                .values(**changes)
            )
            return bool(changed.rowcount == 1)

    def count(self, code: str, state: str) -> int:
        query = select(func.count()).where(complaints.c.code == code, complaints.c.state == state)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def totals(self) -> list[tuple[str, str, str | None, int]]:
        """How many of each kind, state and outcome."""
        group = (complaints.c.kind, complaints.c.state, complaints.c.outcome)
        with self._database.reading() as connection:
            return [tuple(row) for row in connection.execute(select(*group, func.count()).group_by(*group))]
