"""Counters that replicas share, for rate limits: in the database, or in Redis by its URL. Contains no business logic.

A count may be lost with the machine that held it: nobody waits for a disk because of it.
"""

from __future__ import annotations

import time
from typing import Any, Protocol

from sqlalchemy import delete, text

from certifier.errors import OperatorError, StorageError
from certifier.storage.acceptance import upsert
from certifier.storage.database import Database
from certifier.storage.tables import rate_windows

TIDY_EVERY_S = 60
REDIS = ("redis://", "rediss://", "redis+unix://")
_ANSWERS_IN_S = 1.0


class Counter(Protocol):
    """What is asked of a shared counter; the storages of the library ``limits`` have the same method."""

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a count that is forgotten after ``expiry`` seconds, and tell the sum. Raises StorageError."""
        ...


class TableCounter:
    """Counts in the database. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tidied = time.monotonic()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = int(time.time())
        added = upsert(self._database.dialect, rate_windows).values(name=key, hits=amount, ends_at=now + expiry)
        sum_of = {"hits": rate_windows.c.hits + added.excluded.hits}
        asked = added.on_conflict_do_update(index_elements=["name"], set_=sum_of).returning(rate_windows.c.hits)
        with self._database.writing() as connection:
            if not self._database.is_sqlite:
                connection.execute(text("SET LOCAL synchronous_commit TO OFF"))
            if time.monotonic() - self._tidied > TIDY_EVERY_S:
                self._tidied = time.monotonic()
                connection.execute(delete(rate_windows).where(rate_windows.c.ends_at < now))
            return int(connection.execute(asked).scalar_one())


class RedisCounter:
    """Counts in Redis, by the library ``limits``. Thread-safe."""

    def __init__(self, url: str) -> None:
        """Raises OperatorError without the library, or for a URL that names no Redis."""
        try:
            from limits.storage import storage_from_string  # noqa: PLC0415 - only where Redis is named

            waits: dict[str, Any] = {"socket_timeout": _ANSWERS_IN_S, "socket_connect_timeout": _ANSWERS_IN_S}
            self._storage: Any = storage_from_string(url, wrap_exceptions=True, **waits)
        except Exception as error:
            raise OperatorError(
                "LCAL_LIMIT_STORE cannot be used.",
                found=type(error).__name__,  # its text may hold a password
                expected="redis://HOST:PORT/NUMBER",
                hint="Install the extra for it: pip install 'certifier[redis]'",
            ) from error

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        try:
            return int(self._storage.incr(key, expiry, amount=amount))
        except Exception as error:
            raise StorageError("Redis does not answer.", found=type(error).__name__) from error


def counter_for(database: Database, url: str) -> Counter | None:
    """The counter of an installation: Redis where it is named, else the database; None where one process serves alone."""
    if url:
        if not url.startswith(REDIS):
            raise OperatorError("LCAL_LIMIT_STORE names no Redis.", expected="redis://HOST:PORT/NUMBER")
        return RedisCounter(url)
    return None if database.is_sqlite else TableCounter(database)
