"""The database: what is saved and found, in transactions. Contains no business logic.

SQLite means one writing process (DESIGN 15): a newer bundled library with WAL and synchronous=FULL, every writing transaction
begun IMMEDIATE. The four steps of issuing are four transactions: ``accept``, ``sequence``, ``save_checkpoint``, ``deliver``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import pysqlite3.dbapi2
from sqlalchemy import Connection, Engine, RowMapping, create_engine, event, func, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from certifier.errors import ConflictError, NotFoundError, OperatorError, ReportAlreadyUsed
from certifier.storage.tables import (
    STATEMENT,
    certificates,
    checkpoints,
    deposited_logs,
    leaves,
    run_shares,
    submissions,
)

# From 3.51.3 on SQLite's write-ahead log is free of the reset bug of 3.7.0 to 3.51.2.
WAL_SINCE = (3, 51, 3)
PPT = 1_000_000_000_000  # shares are kept in parts per trillion
SHARE_LIMIT_PPT = 1_000_001_000_000  # LCAL INT-10: 1.000001


@dataclass(frozen=True)
class SubmissionRow:
    """A submission as stored. ``state`` is certified, refused or accepted (its certificate is being made)."""

    id: str
    created_at: str
    state: str
    title: str
    artist: str
    report_sha256: str
    audio_sha256: str
    outcome: str
    envelope: bytes
    decision: bytes


@dataclass(frozen=True)
class CertificateRow:
    """A certificate as stored; ``document`` and ``proof`` are None until it is delivered."""

    code: str
    submission_id: str
    report_sha256: str
    audio_sha256: str
    outcome: str
    issued_at: str
    expires_at: str
    payload: bytes
    verification_method: str
    revocation_index: int
    suspension_index: int
    in_force: int
    document: bytes | None = None
    proof: bytes | None = None


@dataclass(frozen=True)
class Leaf:
    """One entry of the log, in its place."""

    index: int
    type: str
    code: str | None
    entry: bytes


class Store:
    """All reading and writing of one installation's database."""

    def __init__(self, writer: Engine, reader: Engine) -> None:
        self._writer = writer
        self._reader = reader

    @classmethod
    def open(cls, url: str) -> Store:
        """The store at a database URL, migrated to the newest tables. Raises OperatorError."""
        try:
            writer, reader = _engines_for(url)
            with writer.begin() as connection:
                _migrate(connection)
        except SQLAlchemyError as error:
            raise OperatorError("The database cannot be opened.", found=str(error.__cause__ or error)[:200]) from error
        return cls(writer, reader)

    def close(self) -> None:
        self._writer.dispose()
        self._reader.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._writer.begin() as connection:
            yield connection

    # -- accept (transaction A) ---------------------------------------------------------------------------------

    def save_refusal(self, submission: SubmissionRow, logs: Mapping[str, bytes]) -> None:
        with self._writing() as connection:
            _insert_submission(connection, submission, logs)

    def accept(
        self,
        submission: SubmissionRow,
        logs: Mapping[str, bytes],
        certificate: CertificateRow,
        shares_ppt: Mapping[str, int],
        entry: bytes,
        replaced: tuple[str, bytes] | None = None,
    ) -> None:
        """Reserve report, audio, run shares and code, and queue the leaf: all or nothing.

        A certificate that this one replaces leaves force and hands over its shares in the same transaction, its leaf in
        the same batch.

        Raises ReportAlreadyUsed for a second certificate from one report, ConflictError when the audio or a run share was
        taken since the decision was made; then nothing is stored and the caller decides again.
        """
        try:
            with self._writing() as connection:
                _insert_submission(connection, submission, logs)
                if replaced:
                    _queue_status(connection, replaced[0], "revoke", replaced[1], {"issue", "reinstate"})
                connection.execute(insert(certificates).values(**vars(certificate)))
                if replaced:
                    _hand_over_shares(connection, replaced[0], certificate.code)
                for run, share in shares_ppt.items():
                    _reserve_share(connection, run, certificate.code, share)
                connection.execute(insert(leaves).values(type="issue", code=certificate.code, entry=entry))
        except IntegrityError as error:
            if self.certificate_for_report(certificate.report_sha256):
                raise ReportAlreadyUsed(
                    "This report has its certificate already.", found=certificate.report_sha256
                ) from error
            raise ConflictError("The file was certified, or the code was taken, a moment ago.") from error

    def queue_status(self, code: str, change: str, entry: bytes, after: Collection[str]) -> None:
        """Queue a leaf that changes a certificate's status, if its last change is one of ``after`` (``issue``: none yet).

        Raises ConflictError otherwise; two changes at once cannot both pass.
        """
        with self._writing() as connection:
            _queue_status(connection, code, change, entry, after)

    # -- sequence, checkpoint, deliver (B, C, D) ----------------------------------------------------------------

    def sequence(self) -> None:
        """Give every waiting leaf the next place in the log, in the order of their arrival."""
        with self._writing() as connection:
            placed = select(func.count()).select_from(leaves).where(leaves.c.idx.is_not(None))
            size = connection.execute(placed).scalar_one()
            waiting = select(leaves.c.id).where(leaves.c.idx.is_(None)).order_by(leaves.c.id)
            for index, row_id in enumerate(connection.execute(waiting).scalars().all(), start=size):
                connection.execute(update(leaves).where(leaves.c.id == row_id).values(idx=index))

    def save_checkpoint(self, size: int, note: bytes) -> None:
        """One note for each size, for ever; the same one may come again. Raises OperatorError for another."""
        with self._writing() as connection:
            held = connection.execute(select(checkpoints.c.note).where(checkpoints.c.size == size)).scalar_one_or_none()
            if held is None:
                connection.execute(insert(checkpoints).values(size=size, note=note))
            elif held != note:
                raise OperatorError("Two checkpoints of one size differ; this log may not go on.", found=f"size {size}")

    def deliver(self, code: str, document: bytes, proof: bytes) -> None:
        with self._writing() as connection:
            connection.execute(
                update(certificates).where(certificates.c.code == code).values(document=document, proof=proof)
            )
            owner = select(certificates.c.submission_id).where(certificates.c.code == code).scalar_subquery()
            connection.execute(update(submissions).where(submissions.c.id == owner).values(state="certified"))

    # -- reading ------------------------------------------------------------------------------------------------

    def submission(self, submission_id: str) -> SubmissionRow:
        row = self._one(select(submissions).where(submissions.c.id == submission_id))
        if row is None:
            raise NotFoundError(
                "There is no such submission.", found=submission_id[:60], hint="Check the id, or submit again."
            )
        return SubmissionRow(**row)

    def certificate(self, code: str) -> CertificateRow | None:
        return self._certificate(certificates.c.code == code)

    def certificate_for_report(self, report_sha256: str) -> CertificateRow | None:
        return self._certificate(certificates.c.report_sha256 == report_sha256)

    def certificate_for_submission(self, submission_id: str) -> CertificateRow | None:
        return self._certificate(certificates.c.submission_id == submission_id)

    def certificates_for_audio(self, audio_sha256: str) -> list[CertificateRow]:
        query = (
            select(certificates).where(certificates.c.audio_sha256 == audio_sha256).order_by(certificates.c.issued_at)
        )
        return [CertificateRow(**row) for row in self._all(query)]

    def newest_certificates(self, limit: int) -> list[tuple[CertificateRow, SubmissionRow]]:
        """The latest delivered certificates with their submissions, newest first."""
        query = select(certificates).where(certificates.c.document.is_not(None))
        rows = self._all(query.order_by(certificates.c.issued_at.desc(), certificates.c.code).limit(limit))
        return [(CertificateRow(**row), self.submission(row["submission_id"])) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many submissions, certificates and leaves there are."""
        tables = (submissions, certificates, leaves)
        rows = [self._one(select(func.count().label("rows")).select_from(table)) for table in tables]
        return {table.name: int(row["rows"]) if row else 0 for table, row in zip(tables, rows, strict=True)}

    def undelivered(self) -> list[CertificateRow]:
        query = select(certificates).where(certificates.c.document.is_(None))
        return [CertificateRow(**row) for row in self._all(query)]

    def taken_positions(self, purpose: str) -> set[int]:
        column = certificates.c[f"{purpose}_index"]
        return {row[column.name] for row in self._all(select(column))}

    def has_audio_in_force(self, audio_sha256: str) -> bool:
        """Whether a file holds a certificate; a self-declared statement is none and blocks nobody."""
        query = select(certificates.c.code).where(
            certificates.c.audio_sha256 == audio_sha256,
            certificates.c.in_force == 1,
            certificates.c.outcome != STATEMENT,
        )
        return self._one(query) is not None

    def share_used(self, run: str, besides: str | None = None) -> Decimal:
        """The share of a run that certificates hold, from 0 to 1, leaving out the one with the code ``besides``."""
        query = select(func.coalesce(func.sum(run_shares.c.share_ppt), 0).label("used")).where(run_shares.c.run == run)
        row = self._one(query.where(run_shares.c.code != besides) if besides else query)
        return Decimal(row["used"] if row else 0) / PPT

    def leaves_from(self, index: int) -> list[Leaf]:
        query = select(leaves).where(leaves.c.idx >= index).order_by(leaves.c.idx)
        return [_leaf(row) for row in self._all(query)]

    def leaves_between(self, start: int, end: int) -> list[Leaf]:
        query = select(leaves).where(leaves.c.idx >= start, leaves.c.idx < end).order_by(leaves.c.idx)
        return [_leaf(row) for row in self._all(query)]

    def leaf_for(self, code: str, kind: str) -> Leaf | None:
        row = self._one(select(leaves).where(leaves.c.code == code, leaves.c.type == kind, leaves.c.idx.is_not(None)))
        return _leaf(row) if row else None

    def status_leaves(self, size: int, code: str | None = None) -> list[Leaf]:
        """Every leaf below ``size`` that changes a certificate's status, in order."""
        query = select(leaves).where(leaves.c.idx < size, leaves.c.type.in_(("revoke", "suspend", "reinstate")))
        query = query.where(leaves.c.code == code) if code else query
        return [_leaf(row) for row in self._all(query.order_by(leaves.c.idx))]

    def last_change(self, code: str) -> str | None:
        """The type of the newest leaf about a certificate, placed or waiting."""
        row = self._one(select(leaves.c.type).where(leaves.c.code == code).order_by(leaves.c.id.desc()).limit(1))
        return str(row["type"]) if row else None

    def last_checkpoint(self) -> tuple[int, bytes] | None:
        row = self._one(select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1))
        return (row["size"], row["note"]) if row else None

    def _certificate(self, condition: Any) -> CertificateRow | None:
        row = self._one(select(certificates).where(condition))
        return CertificateRow(**row) if row else None

    def _one(self, query: Any) -> RowMapping | None:
        with self._reader.connect() as connection:
            return connection.execute(query).mappings().first()

    def _all(self, query: Any) -> Sequence[RowMapping]:
        with self._reader.connect() as connection:
            return connection.execute(query).mappings().all()


def _leaf(row: RowMapping) -> Leaf:
    return Leaf(row["idx"], row["type"], row["code"], row["entry"])


def _insert_submission(connection: Connection, submission: SubmissionRow, logs: Mapping[str, bytes]) -> None:
    connection.execute(insert(submissions).values(**vars(submission)))
    for sha256, content in logs.items():
        connection.execute(insert(deposited_logs).values(submission_id=submission.id, sha256=sha256, content=content))


def _queue_status(connection: Connection, code: str, change: str, entry: bytes, after: Collection[str]) -> None:
    last = select(leaves.c.type).where(leaves.c.code == code).order_by(leaves.c.id.desc()).limit(1)
    state = connection.execute(last).scalar_one_or_none()
    if state not in after:
        raise ConflictError(
            f"The certificate cannot be changed by {change} now.",
            found=f"its last log entry is {state}",
            expected=" or ".join(sorted(after)),
        )
    connection.execute(insert(leaves).values(type=change, code=code, entry=entry))
    connection.execute(update(certificates).where(certificates.c.code == code).values(in_force=int(change != "revoke")))


def _hand_over_shares(connection: Connection, old: str, new: str) -> None:
    """What the forerunner took of its runs stays taken, now by its successor."""
    connection.execute(update(run_shares).where(run_shares.c.code == old).values(code=new))


def _reserve_share(connection: Connection, run: str, code: str, share_ppt: int) -> None:
    """Take a share of a run, counting what the certificate was handed over of it already."""
    total = select(func.coalesce(func.sum(run_shares.c.share_ppt), 0)).where(run_shares.c.run == run)
    held = connection.execute(total.where(run_shares.c.code == code)).scalar_one()
    missing = share_ppt - held
    if missing <= 0:
        return
    connection.execute(insert(run_shares).values(run=run, code=code, share_ppt=missing))
    used = connection.execute(total).scalar_one()
    if used > SHARE_LIMIT_PPT:
        raise ConflictError("A run's share was taken a moment ago.", found=f"{run}: {Decimal(int(used)) / PPT}")


def _engines_for(url: str) -> tuple[Engine, Engine]:
    """One engine that writes and one that reads; on SQLite only the first one begins transactions."""
    if not url.startswith("sqlite"):
        engine = create_engine(url, hide_parameters=True)
        return engine, engine
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    writer, reader = (
        create_engine(
            url, hide_parameters=True, module=pysqlite3.dbapi2, connect_args={"timeout": 15, "check_same_thread": False}
        )
        for _ in range(2)
    )
    event.listen(writer, "connect", _prepare_sqlite)
    event.listen(reader, "connect", _prepare_sqlite)
    event.listen(writer, "begin", _begin_immediate)
    return writer, reader


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver starts no transaction of its own; "begin" below does
    journal = ("WAL", "FULL") if pysqlite3.dbapi2.sqlite_version_info >= WAL_SINCE else ("DELETE", "EXTRA")
    pragmas = (
        f"journal_mode={journal[0]}",
        f"synchronous={journal[1]}",
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "cell_size_check=ON",
    )
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: Connection) -> None:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")
