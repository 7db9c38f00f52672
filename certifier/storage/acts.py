"""What the database knows of acts of operators. They are written together with what they did (storage/acceptance.py)."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from certifier.storage.database import Database
from certifier.storage.rows import ActRow
from certifier.storage.tables import entries, operator_acts


class ActStore:
    """All reading of acts. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def one(self, act_id: str) -> ActRow | None:
        return self._first(operator_acts.c.id == act_id)

    def answered(self, key_sha256: str) -> ActRow | None:
        """The act that a request with this Idempotency-Key led to."""
        return self._first(operator_acts.c.key_sha256 == key_sha256)

    def newest(self, limit: int) -> list[ActRow]:
        query = select(operator_acts).order_by(operator_acts.c.at.desc(), operator_acts.c.id).limit(limit)
        with self._database.reading() as connection:
            return [ActRow(**row) for row in connection.execute(query).mappings()]

    def place_of(self, code: str, kind: str, entry: bytes) -> tuple[str, int] | None:
        """The log and index of exactly this entry about a certificate, once it is placed."""
        named = (entries.c.code == code, entries.c.type == kind, entries.c.entry == entry, entries.c.idx.is_not(None))
        with self._database.reading() as connection:
            row = connection.execute(select(entries.c.origin, entries.c.idx).where(*named)).first()
        return (str(row[0]), int(row[1])) if row else None

    def _first(self, condition: ColumnElement[bool]) -> ActRow | None:
        with self._database.reading() as connection:
            row = connection.execute(select(operator_acts).where(condition)).mappings().first()
        return ActRow(**row) if row else None
