"""What the database knows of API keys. Contains no business logic."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import bindparam, insert, select, update

from certifier.storage.database import Database
from certifier.storage.rows import ApiKeyRow
from certifier.storage.tables import api_keys

# Asked at every keyed request; put together once.
_ONE = select(*(api_keys.c[column.name] for column in fields(ApiKeyRow))).where(api_keys.c.id == bindparam("id"))


class ApiKeyStore:
    """All reading and writing of API keys. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: ApiKeyRow) -> None:
        """Durable when this returns."""
        with self._database.writing() as connection:
            connection.execute(insert(api_keys).values(**vars(row)))

    def one(self, key_id: str) -> ApiKeyRow | None:
        """The key as it is now, in the database itself: what a replica changed a moment ago counts."""
        row = self._database.first(_ONE, {"id": key_id})
        return ApiKeyRow(*row) if row else None

    def of(self, holder: str | None = None) -> list[ApiKeyRow]:
        """The keys of a holder, or of all, the oldest first."""
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
        with self._database.reading() as connection:
            found = connection.execute(query if holder is None else query.where(api_keys.c.holder == holder))
            return [ApiKeyRow(**row) for row in found.mappings()]

    def revoke(self, key_id: str, at: str) -> bool:
        """Whether the key was in force until now. Durable when this returns."""
        revoked = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        with self._database.writing() as connection:
            return connection.execute(revoked.values(revoked_at=at)).rowcount == 1

    def note_use(self, key_id: str, at: str) -> None:
        with self._database.writing() as connection:
            connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(last_used_at=at))
