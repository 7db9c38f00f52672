"""Connections to SQLite and PostgreSQL, set up so that what was committed stays (DESIGN 15), and the migrations.

SQLite: the library that ``pysqlite3`` brings, write-ahead log with ``synchronous=FULL``, every writing transaction begun
IMMEDIATE. PostgreSQL: ``synchronous_commit=on`` asked for by each session, and asserted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import pysqlite3.dbapi2
from sqlalchemy import Connection, Dialect, Engine, Select, create_engine, event, inspect, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)

from certifier.errors import OperatorError, StorageError

# From 3.51.3 on SQLite's write-ahead log is free of the reset bug of 3.7.0 to 3.51.2.
WAL_SINCE = (3, 51, 3)
PAUSE_S = 0.005  # after each commit with an older library, else readers starve
LOCK_TIMEOUT_S = 15
CACHE_KIB = 128  # of pages, for each connection of SQLite; the system has the file in memory anyway
POSTGRESQL = "postgresql"
_MIGRATIONS = Path(__file__).parent / "migrations"
_BY_NAME = sqlite.dialect(paramstyle="named")
SEQUENCER_LOCK = 0x4C43414C  # the advisory lock of whoever sequences, and of whoever migrates


class Database:
    """One engine that writes and one that reads. Thread-safe."""

    def __init__(self, url: str) -> None:
        """Open and migrate. Raises OperatorError."""
        try:
            self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
            self._writer, self._reader = _sqlite_engines(url) if self.is_sqlite else _postgresql_engines(url)
            self._pauses = self.is_sqlite and pysqlite3.dbapi2.sqlite_version_info < WAL_SINCE
            try:
                with self._writer.begin() as connection:
                    if not self.is_sqlite:
                        _assert_durable(connection)
                    _migrate(connection)
            except Exception:
                self._writer.dispose()
                self._reader.dispose()
                raise
        except (SQLAlchemyError, ImportError, ValueError, OSError) as error:
            away = isinstance(error, OperationalError)
            raise (StorageError if away else OperatorError)(
                "The database cannot be opened.",
                found=_told(error),
                expected="sqlite:///FILE or postgresql://USER@HOST/NAME",
                hint="Check LCAL_DATABASE_URL and that the database runs.",
            ) from error
        self._idle: list[Connection] = []
        self._texts: dict[Select[Any], str] = {}
        # On SQLite the writers of one process queue here, in order, instead of trying again and again at the file's lock.
        self._one_writer = Lock() if self.is_sqlite else nullcontext()

    @property
    def dialect(self) -> Dialect:
        return self._reader.dialect

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
        self._writer.dispose()
        self._reader.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction; committed and durable when the block ends, rolled back when it raises."""
        with _told_as_ours(), self._one_writer, self._writer.begin() as connection:
            yield connection
        if self._pauses:
            time.sleep(PAUSE_S)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        if not self.is_sqlite:
            with _told_as_ours(), self._reader.connect() as connection:
                yield connection
            return
        with _told_as_ours():
            # The connection that was used last is the next one: its pages are warm, and a pool's bookkeeping costs more
            # than most of the questions.
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._reader.connect()
            try:
                yield connection
            finally:
                self._idle.append(connection)

    def first(self, query: Select[Any], values: Mapping[str, Any]) -> Sequence[Any] | None:
        """The first row of a statement that was put together once, its columns in order: texts, whole numbers, bytes.

        For what nearly every request asks. On SQLite the driver itself is asked: of so short a question, four fifths of the
        time are SQLAlchemy's.
        """
        with self.reading() as connection:
            if not self.is_sqlite:
                return connection.execute(query, values).first()
            if query not in self._texts:
                self._texts[query] = str(query.compile(dialect=_BY_NAME))
            driver: Any = connection.connection.driver_connection
            rows: list[Sequence[Any]] = driver.execute(self._texts[query], values).fetchall()
            return rows[0] if rows else None

    def lock_sequencer(self, connection: Connection) -> None:
        """Wait for the right to sequence, until the transaction ends. Economy only: safety is the head's comparison."""
        if not self.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SEQUENCER_LOCK})

    def damage(self) -> str | None:
        """What the database itself finds wrong with its files; None when nothing."""
        if not self.is_sqlite:
            return None  # PostgreSQL's own checksums fail the read
        with self.reading() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
            return None if found == "ok" else str(found)[:200]

    def backup(self, target: Path) -> None:
        """Copy a running SQLite database to a new file, whole and consistent. Raises OperatorError on PostgreSQL."""
        if not self.is_sqlite:
            raise OperatorError(
                "A PostgreSQL database is backed up with its own tools.",
                expected="pg_basebackup with WAL archiving, or pg_dump",
                hint="Then copy the home's keys and log folder with: certifier backup --without-database",
            )
        copy = pysqlite3.dbapi2.connect(str(target))
        try:
            with self.reading() as connection:
                connection.connection.driver_connection.backup(copy)  # type: ignore[union-attr]
            found = copy.execute("PRAGMA integrity_check").fetchone()[0]
        finally:
            copy.close()
        if found != "ok":
            raise OperatorError("The copy of the database is damaged.", found=str(found)[:200])


@contextmanager
def _told_as_ours() -> Iterator[None]:
    """A driver's error as a StorageError; a broken constraint is an answer, and passes."""
    try:
        yield
    except IntegrityError:
        raise
    except (SQLAlchemyError, pysqlite3.dbapi2.Error) as error:
        raise StorageError("The database does not answer.", found=_told(error), hint="Try again later.") from error


def _told(error: Exception) -> str:
    """What the driver said, without the URL: it may hold a password."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    ours = (DBAPIError, ArgumentError, NoSuchModuleError, pysqlite3.dbapi2.Error)
    known = isinstance(error, ours)
    return str(cause if known else type(error).__name__).strip()[:200]


def _sqlite_engines(url: str) -> tuple[Engine, Engine]:
    Path(make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    writer, reader = (
        create_engine(
            url,
            hide_parameters=True,
            module=pysqlite3.dbapi2,
            pool_size=40,
            connect_args={"timeout": LOCK_TIMEOUT_S, "check_same_thread": False},
        )
        for _ in range(2)
    )
    event.listen(writer, "connect", _prepare_sqlite)
    event.listen(reader, "connect", _prepare_sqlite)
    event.listen(writer, "begin", _begin_immediate)
    # Every question sees the newest commit, also on a connection that stays open.
    return writer, reader.execution_options(isolation_level="AUTOCOMMIT")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver starts no transaction of its own; "begin" below does
    journal = ("WAL", "FULL") if pysqlite3.dbapi2.sqlite_version_info >= WAL_SINCE else ("DELETE", "EXTRA")
    pragmas = (
        f"journal_mode={journal[0]}",
        f"synchronous={journal[1]}",
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "cell_size_check=ON",
        f"cache_size=-{CACHE_KIB}",
    )
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql_engines(url: str) -> tuple[Engine, Engine]:
    parsed = make_url(url)
    if parsed.get_backend_name() != POSTGRESQL:
        raise ArgumentError(f"{parsed.get_backend_name()} is not supported")
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=24,
        isolation_level="READ COMMITTED",
        connect_args={"options": "-c synchronous_commit=on -c lock_timeout=15s", "connect_timeout": LOCK_TIMEOUT_S},
    )
    return engine, engine


def _assert_durable(connection: Connection) -> None:
    """Refuse a server that may lose what it has acknowledged."""
    for setting in ("synchronous_commit", "fsync", "full_page_writes"):
        value = connection.exec_driver_sql(f"SHOW {setting}").scalar_one()
        if value not in {"on", "remote_apply", "remote_write"}:
            raise OperatorError(
                f"The database server would lose acknowledged certificates: {setting} is {value}.",
                expected=f"{setting} = on",
                hint="Change it in postgresql.conf.",
            )


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == POSTGRESQL:  # replicas that start together migrate one after the other
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SEQUENCER_LOCK})
    if _revision_of(connection) == newest_revision():
        return
    from alembic import command, config, util  # noqa: PLC0415 - seven megabytes that no process at work needs

    migrations = config.Config()
    migrations.set_main_option("script_location", str(_MIGRATIONS))
    migrations.attributes["connection"] = connection
    try:
        command.upgrade(migrations, "head")
    except util.CommandError as error:
        raise ArgumentError(str(error)) from error


def _revision_of(connection: Connection) -> str | None:
    """As Alembic has noted it; None for a database that is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


@cache
def newest_revision() -> str:
    """That of the newest file of migrations: the names begin with their revision."""
    return max(file.name for file in (_MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]
