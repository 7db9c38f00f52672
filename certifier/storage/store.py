"""The database: what is saved and found, in transactions. Contains no business logic.

The steps of issuing are transactions of their own: ``accept`` (A), ``sequence`` (B), ``save_checkpoint`` (C), ``deliver``
(D). A crash between two of them leaves rows that the next start finds and finishes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, bindparam, case, func, insert, literal, select, union_all, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from certifier.errors import CertifierError, ConflictError, NotFoundError, OperatorError, StorageError
from certifier.log.merkle import grown_peaks, leaf_hash
from certifier.storage import acceptance
from certifier.storage.database import Database
from certifier.storage.listings import (
    ORDERS,
    Listing,
    Order,
    Recording,
    Search,
    Way,
    beside,
    condition_of,
    listing_of,
    newest_in_force_query,
    page_query,
)
from certifier.storage.rows import (
    Acceptance,
    CertificateRow,
    CheckpointRow,
    DeliveredRow,
    IdempotencyRow,
    IssuedCertificate,
    Job,
    LogRow,
    LostEntry,
    PlacedEntry,
    StoredDecision,
    SubmissionRow,
)
from certifier.storage.tables import (
    STATEMENT,
    certificates,
    checkpoints,
    contacts,
    entries,
    idempotency,
    listings,
    logs,
    renditions,
    run_shares,
    runs,
    submissions,
    used_reports,
)

BATCH = 256
MOST_PARAMETERS = 10_000
MANY_LISTED = 600  # from so many answers on, an index finds a page of them sooner than a look at all rows
TRIES = 5
RETRIED = {"40P01", "40001"}  # PostgreSQL: deadlock, serialization failure

# What every submission and every page asks, put together once: building a statement costs more than running it.
_CERTIFICATE = select(*(certificates.c[column.name] for column in fields(CertificateRow))).where(
    certificates.c.code == bindparam("code")
)
_DELIVERED = select(*(certificates.c[name] for name in DeliveredRow._fields)).where(
    certificates.c.document.is_not(None)
)
_DELIVERED_ONE = _DELIVERED.where(certificates.c.code == bindparam("code"))
_RENDITION = select(renditions.c.document).where(
    renditions.c.code == bindparam("code"), renditions.c.form == bindparam("form")
)
_USED_REPORT = select(used_reports.c.code).where(used_reports.c.report_sha256 == bindparam("report"))
_USED_KEY = select(idempotency).where(idempotency.c.key_sha256 == bindparam("key"))
_IN_FORCE = union_all(
    select(certificates.c.code).where(
        certificates.c.audio_sha256 == bindparam("audio"),
        certificates.c.in_force == 1,
        certificates.c.outcome != STATEMENT,
    ),
    # a certificate that only the log still knows holds its file all the same
    select(used_reports.c.code).where(used_reports.c.lost_audio_sha256 == bindparam("lost")),
)
_TAKEN = union_all(
    select(literal(1)).where(certificates.c.code == bindparam("code")),
    select(literal(1)).where(certificates.c.revocation_index == bindparam("revocation")),
    select(literal(1)).where(certificates.c.suspension_index == bindparam("suspension")),
)
# Each by its own index; both at once would read the whole table.
_LAST_PLACES = union_all(
    select(func.max(certificates.c.revocation_index).label("place")),
    select(func.max(certificates.c.suspension_index)),
)
_JUDGED = submissions.outerjoin(certificates, certificates.c.submission_id == submissions.c.id)
_IS_SINCE = submissions.c.created_at >= bindparam("since")
_IS_IN_FORCE = and_(
    certificates.c.code.is_not(None), certificates.c.in_force == 1, certificates.c.expires_at > bindparam("now")
)
_DECISIONS = (
    select(
        submissions.c.id,
        certificates.c.code,
        case((_IS_IN_FORCE, 1), else_=0).label("in_force"),
        submissions.c.envelope,
        submissions.c.decision,
    )
    .select_from(_JUDGED)
    .where(_IS_SINCE, submissions.c.id > bindparam("last"))
    .order_by(submissions.c.id)
    .limit(bindparam("page"))
)
_PLACED = (entries.c.origin, entries.c.idx, entries.c.type, entries.c.code, entries.c.entry)

_ISSUED = (
    select(
        entries.c.idx.label("index"),
        certificates.c.code,
        listings.c.isrc,
        certificates.c.audio_sha256,
        listings.c.essence_sha256,
        certificates.c.document,
        certificates.c.proof,
    )
    .select_from(
        entries.join(certificates, certificates.c.code == entries.c.code).outerjoin(
            listings, listings.c.code == certificates.c.code
        )
    )
    .where(entries.c.type == "issue")
)


class Store:
    """All reading and writing of one installation's database. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def open(cls, url: str) -> Store:
        """The store at a database URL, migrated to the newest tables. Raises OperatorError."""
        return cls(Database(url))

    def close(self) -> None:
        self.database.close()

    def damage(self) -> str | None:
        return self.database.damage()

    def backup(self, target: Path) -> None:
        self.database.backup(target)

    # -- accept (transaction A) ---------------------------------------------------------------------------------

    def accept(self, jobs: Sequence[Job]) -> list[CertifierError | None]:
        """Take in several jobs in one transaction. For each job the conflict that kept it out, or None: then it is durable.

        The conflicts: ReportAlreadyUsed for a second certificate from one report, IdempotencyKeyUsed, ConflictError when the
        audio, a run's share or the certificate's state was taken since the decision was made.
        """
        for attempt in range(TRIES):
            try:
                with self.database.writing() as connection:
                    return acceptance.accept_all(connection, jobs)
            except StorageError as error:
                driver = error.__cause__.orig if isinstance(error.__cause__, DBAPIError) else None
                if getattr(driver, "sqlstate", None) not in RETRIED or attempt == TRIES - 1:
                    raise
        raise AssertionError("unreachable")

    def forget_idempotency(self, before: str) -> None:
        """Drop the keys that were used before a time."""
        with self.database.writing() as connection:
            acceptance.forget_idempotency(connection, before)

    # -- sequence, checkpoint, deliver (B, C, D) ----------------------------------------------------------------

    def open_log(self, origin: str) -> LogRow:
        """The log with this origin; begun, empty, when there is none yet."""
        with self.database.writing() as connection:
            self.database.lock_sequencer(connection)
            row = connection.execute(select(logs).where(logs.c.origin == origin)).mappings().first()
            if row is None:
                number = connection.execute(select(func.coalesce(func.max(logs.c.number), 0))).scalar_one() + 1
                connection.execute(insert(logs).values(origin=origin, number=number, size=0, peaks=b"", frozen=0))
                return LogRow(origin, number, 0, b"", 0)
            return LogRow(**row)

    def sequence(self, origin: str) -> tuple[LogRow, int]:
        """Give waiting entries the next places in a log, in the order of their arrival, and move its head: one transaction.

        Returns the head, and how many were placed: at most BATCH. A ``freeze`` is the last entry of its log; what waits
        behind it is left to the next log. Raises OperatorError when the head is not what it was read as: two writers, and
        this one must stop.
        """
        with self.database.writing() as connection:
            self.database.lock_sequencer(connection)
            head = LogRow(
                **connection.execute(select(logs).where(logs.c.origin == origin).with_for_update()).mappings().one()
            )
            waiting = [] if head.frozen else _waiting(connection)
            if not waiting:
                return head, 0
            grown = _grown(head, waiting)
            places = [{"row": row["id"], "place": index} for index, row in enumerate(waiting, start=head.size)]
            connection.execute(
                update(entries)
                .where(entries.c.id == bindparam("row"), entries.c.idx.is_(None))
                .values(origin=origin, idx=bindparam("place")),
                places,
            )
            move_head(connection, head, grown)
            return grown, len(places)

    def save_checkpoint(self, row: CheckpointRow) -> None:
        """One note for each size, for ever; the same one may come again. Raises OperatorError for another."""
        at = (checkpoints.c.origin == row.origin, checkpoints.c.size == row.size)
        with self.database.writing() as connection:
            self.database.lock_sequencer(connection)
            held = connection.execute(select(checkpoints.c.note).where(*at)).scalar_one_or_none()
            if held is None:
                connection.execute(insert(checkpoints).values(**vars(row)))
            elif held != row.note:
                raise OperatorError(
                    "Two checkpoints of one size differ; this log may not go on.",
                    found=f"{row.origin} at size {row.size}",
                )

    def publish_checkpoint(self, origin: str, size: int, published: bytes) -> bytes:
        """Let a signed checkpoint be served, with its cosignatures; what was published first stays, and is returned."""
        at = (checkpoints.c.origin == origin, checkpoints.c.size == size)
        with self.database.writing() as connection:
            connection.execute(
                update(checkpoints).where(*at, checkpoints.c.published.is_(None)).values(published=published)
            )
            return bytes(connection.execute(select(checkpoints.c.published).where(*at)).scalar_one())

    def deliver(self, delivered: Sequence[tuple[str, bytes, bytes]]) -> None:
        """Keep signed documents with their proofs, as (code, document, proof); what was delivered first stays."""
        if not delivered:
            return
        with self.database.writing() as connection:
            connection.execute(
                update(certificates)
                .where(certificates.c.code == bindparam("the_code"), certificates.c.document.is_(None))
                .values(document=bindparam("the_document"), proof=bindparam("the_proof")),
                [
                    {"the_code": code, "the_document": document, "the_proof": proof}
                    for code, document, proof in delivered
                ],
            )
            owners = select(certificates.c.submission_id).where(
                certificates.c.code.in_([code for code, *_ in delivered])
            )
            connection.execute(update(submissions).where(submissions.c.id.in_(owners)).values(state="certified"))

    def damage_document(self, code: str, document: bytes) -> None:
        """Put other bytes in the place of a signed document: what a sandbox shows as broken. Nothing else changes."""
        with self.database.writing() as connection:
            connection.execute(update(certificates).where(certificates.c.code == code).values(document=document))

    def keep_rendition(self, code: str, form: str, document: bytes) -> None:
        """Keep another signed form of a certificate, in place of one that was kept before."""
        with self.database.writing() as connection:
            kept = acceptance.upsert(connection.dialect, renditions).values(code=code, form=form, document=document)
            newer = {"document": kept.excluded.document}
            connection.execute(kept.on_conflict_do_update(index_elements=["code", "form"], set_=newer))

    def adopt_checkpoint(self, origin: str, size: int, published: bytes) -> None:
        """Keep a checkpoint that was published before this database was restored. Raises OperatorError for another one.

        Its own signature line is the note that was signed; whatever stands below it is cosignatures.
        """
        text, _, block = published.partition(b"\n\n")
        own = next(line for line in block.splitlines(keepends=True) if line.split(b" ")[1] == origin.encode())
        self.save_checkpoint(CheckpointRow(origin, size, text + b"\n\n" + own, published))
        self.publish_checkpoint(origin, size, published)

    def restore_entries(self, origin: str, lost: Sequence[LostEntry]) -> None:
        """Append entries that a mirror holds and this database lost, in one transaction.

        Their reports count as used for ever, and their audio as certified until it is withdrawn, though the certificates
        themselves are lost.
        """
        with self.database.writing() as connection:
            self.database.lock_sequencer(connection)
            head = LogRow(
                **connection.execute(select(logs).where(logs.c.origin == origin).with_for_update()).mappings().one()
            )
            for index, row in enumerate(lost, start=head.size):
                _restore_entry(connection, origin, index, row)
            peaks = grown_peaks(head.size, head.peak_hashes, (leaf_hash(row.entry) for row in lost))
            frozen = int(bool(lost) and lost[-1].type == "freeze") or head.frozen
            connection.execute(
                update(logs)
                .where(logs.c.origin == origin)
                .values(size=head.size + len(lost), peaks=b"".join(peaks), frozen=frozen)
            )

    def adopt(self, job: Acceptance, *, in_force: bool, forerunner: str | None = None) -> None:
        """Take back a certificate whose entry is in the log and whose row was lost, with the document that it had.

        ``forerunner`` is the one that it replaced: it takes over its shares. Raises ConflictError when something that it
        held was given to another one meanwhile; then nothing is stored.
        """
        certificate = replace(job.certificate, in_force=int(in_force))
        try:
            with self.database.writing() as connection:
                connection.execute(insert(submissions).values(**vars(job.submission)))
                connection.execute(insert(certificates).values(**vars(certificate)))
                connection.execute(insert(listings).values(**listing_of(certificate, job.submission)))
                acceptance.take_over_shares(connection, forerunner, certificate.code, job.shares_ppt)
                connection.execute(
                    update(used_reports)
                    .where(used_reports.c.report_sha256 == certificate.report_sha256)
                    .values(lost_audio_sha256=None)
                )
        except IntegrityError as error:
            raise ConflictError(
                "What this certificate held was given to another one meanwhile.", found=job.certificate.code
            ) from error

    # -- reading: submissions and certificates ------------------------------------------------------------------

    def submission(self, submission_id: str) -> SubmissionRow:
        row = self._one(select(submissions).where(submissions.c.id == submission_id))
        if row is None:
            raise NotFoundError(
                "There is no such submission.", found=submission_id[:60], hint="Check the id, or submit again."
            )
        return SubmissionRow(**row)

    def submissions_of(self, applicant: str, limit: int) -> list[SubmissionRow]:
        """The submissions that a key signed as their applicant (a did:key), the newest first."""
        query = select(submissions).where(submissions.c.applicant == applicant)
        rows = self._all(query.order_by(submissions.c.created_at.desc(), submissions.c.id).limit(limit))
        return [SubmissionRow(**row) for row in rows]

    def contact(self, submission_id: str) -> str | None:
        """How the operator reaches the applicant, if that was said. Never to be shown to anybody else."""
        row = self._one(select(contacts.c.contact).where(contacts.c.submission_id == submission_id))
        return str(row["contact"]) if row else None

    def certificate(self, code: str) -> CertificateRow | None:
        row = self.database.first(_CERTIFICATE, {"code": code})
        return CertificateRow(*row) if row else None

    def delivered(self, code: str) -> DeliveredRow | None:
        row = self.database.first(_DELIVERED_ONE, {"code": code})
        return DeliveredRow(*row) if row else None

    def delivered_of(self, codes: Sequence[str]) -> list[DeliveredRow]:
        """The delivered certificates with these codes, in no order."""
        with self.database.reading() as connection:
            return [
                DeliveredRow(*row)
                for some in _steps(codes)
                for row in connection.execute(_DELIVERED.where(certificates.c.code.in_(some)))
            ]

    def rendition(self, code: str, form: str) -> bytes | None:
        """Another signed form of a certificate, if one was kept."""
        row = self._one(_RENDITION, {"code": code, "form": form})
        return bytes(row["document"]) if row else None

    def renditions_of(self, code: str) -> dict[str, bytes]:
        """All other signed forms of a certificate that were kept."""
        rows = self._all(select(renditions).where(renditions.c.code == code))
        return {row["form"]: bytes(row["document"]) for row in rows}

    def certificates_of(self, codes: Sequence[str]) -> list[CertificateRow]:
        """The certificates with these codes, in no order."""
        query = select(certificates)
        return [
            CertificateRow(**row)
            for some in _steps(codes)
            for row in self._all(query.where(certificates.c.code.in_(some)))
        ]

    def certificate_for_submission(self, submission_id: str) -> CertificateRow | None:
        return self._certificate(certificates.c.submission_id == submission_id)

    def certificates_for_audio(self, audio_sha256: str) -> list[CertificateRow]:
        query = (
            select(certificates).where(certificates.c.audio_sha256 == audio_sha256).order_by(certificates.c.issued_at)
        )
        return [CertificateRow(**row) for row in self._all(query)]

    def certificates_for_essence(self, essence_sha256: str) -> list[CertificateRow]:
        """The certificates for the samples of a recording, whatever file they came in, the oldest first."""
        of_samples = select(listings.c.code).where(listings.c.essence_sha256 == essence_sha256)
        query = select(certificates).where(certificates.c.code.in_(of_samples))
        query = query.order_by(certificates.c.issued_at, certificates.c.code)
        return [CertificateRow(**row) for row in self._all(query)]

    def newest_in_force(
        self, kind: Recording, values: Collection[str], now: str, besides: Collection[str]
    ) -> dict[str, DeliveredRow]:
        """For each of many recordings its newest certificate in force, else its newest one; those without any are left out.

        ``kind`` says what the recordings are known by. ``besides`` are codes of suspended certificates, ``now`` is a time as it
        is stored. Only delivered certificates count. An ISRC is given without hyphens, in capitals.
        """
        query = newest_in_force_query(kind, values, now, besides, self.database.dialect)
        with self.database.reading() as connection:
            return {recording: DeliveredRow(*row) for recording, *row in connection.execute(query)}

    def newest_certificates(self, limit: int) -> list[tuple[CertificateRow, SubmissionRow]]:
        """The latest delivered certificates with their submissions, newest first."""
        query = select(certificates).where(certificates.c.document.is_not(None))
        rows = self._all(query.order_by(certificates.c.issued_at.desc(), certificates.c.code).limit(limit))
        return [(CertificateRow(**row), self.submission(row["submission_id"])) for row in rows]

    def newest_labels(self, limit: int, now: str) -> list[CertificateRow]:
        """The latest certificates with an outcome that others vouch for, in force at a time as it is stored, newest first."""
        query = select(certificates).where(certificates.c.document.is_not(None), certificates.c.in_force == 1)
        query = query.where(certificates.c.outcome != "disclosed", certificates.c.expires_at > now)
        rows = self._all(query.order_by(certificates.c.issued_at.desc(), certificates.c.code).limit(limit))
        return [CertificateRow(**row) for row in rows]

    # -- reading: the register ----------------------------------------------------------------------------------

    def listed(
        self, search: Search, order: Order, limit: int, *, after: str = "", before: str = ""
    ) -> tuple[int, list[Listing]] | None:
        """How many delivered certificates fit a search, and some of them in an order: the first, or those next to the one
        with the code ``after`` or ``before``. None where there is no such code.

        What is issued meanwhile moves nothing: the place is that of a certificate, not a number of rows.
        """
        way = Way(order, backwards=bool(before))
        count = self.count_listed(search)
        if count >= MANY_LISTED:
            way = replace(way, along_index=True)
        condition = condition_of(search, self.database.dialect, way)
        if code := after or before:
            row = self._one(select(ORDERS[order][0].label("key")).where(listings.c.code == code))
            if row is None:
                return None
            condition = and_(condition, beside(way, row["key"], code))
        found = [Listing(**row) for row in self._all(page_query(condition, way, limit))] if count else []
        return count, found[::-1] if before else found

    def count_listed(self, search: Search) -> int:
        """How many delivered certificates fit a search."""
        condition = condition_of(search, self.database.dialect, Way())
        row = self._one(select(func.count().label("rows")).select_from(listings).where(condition))
        return int(row["rows"]) if row else 0

    def listed_years(self) -> range:
        """The years from the first certificate's issue to the last one's."""
        ends = select(func.min(listings.c.issued_at).label("place")), select(func.max(listings.c.issued_at))
        years = sorted(int(row["place"][:4]) for row in self._all(union_all(*ends)) if row["place"])
        return range(years[0], years[-1] + 1) if years else range(0)

    def titles_of(self, codes: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Title and artist by code, of the certificates that are here."""
        query = select(certificates.c.code, submissions.c.title, submissions.c.artist).select_from(
            certificates.join(submissions, submissions.c.id == certificates.c.submission_id)
        )
        rows = [row for some in _steps(codes) for row in self._all(query.where(certificates.c.code.in_(some)))]
        return {row["code"]: (row["title"], row["artist"]) for row in rows}

    def counts(self) -> dict[str, int]:
        """How many submissions, certificates and log entries there are."""
        tables = (submissions, certificates, entries)
        rows = [self._one(select(func.count().label("rows")).select_from(table)) for table in tables]
        return {table.name: int(row["rows"]) if row else 0 for table, row in zip(tables, rows, strict=True)}

    def all_certificates(self) -> Iterator[CertificateRow]:
        """Every certificate, in order of its code; read in steps, so that a large table fits into memory."""
        last = ""
        while rows := self._all(
            select(certificates).where(certificates.c.code > last).order_by(certificates.c.code).limit(BATCH)
        ):
            yield from (CertificateRow(**row) for row in rows)
            last = rows[-1]["code"]

    def stored_decisions(
        self, now: str, *, only_in_force: bool = False, since: str = "", page: int = BATCH
    ) -> Iterator[list[StoredDecision]]:
        """Every submission made at ``since`` or later, in pages, in order of its id; or only those whose certificate is in
        force: neither revoked nor, at the time ``now``, expired. Times as they are stored.
        """
        query = _DECISIONS.where(_IS_IN_FORCE) if only_in_force else _DECISIONS
        values, last = {"now": now, "since": since, "page": page}, ""
        while rows := self._all(query, values | {"last": last}):
            yield [StoredDecision(**{**row, "in_force": bool(row["in_force"])}) for row in rows]
            last = rows[-1]["id"]

    def count_decisions(self, now: str, *, only_in_force: bool = False, since: str = "") -> int:
        """How many submissions ``stored_decisions`` goes through."""
        query = select(func.count().label("rows")).select_from(_JUDGED).where(_IS_SINCE)
        row = self._one(query.where(_IS_IN_FORCE) if only_in_force else query, {"now": now, "since": since})
        return int(row["rows"]) if row else 0

    def wrong_runs(self) -> list[tuple[str, int, int]]:
        """Runs whose sum is not that of their certificates' shares, as (run, sum on record, sum of the shares)."""
        held = func.coalesce(func.sum(run_shares.c.share_ppt), 0)
        query = (
            select(runs.c.run, runs.c.used_ppt, held.label("held"))
            .select_from(runs.outerjoin(run_shares, run_shares.c.run == runs.c.run))
            .group_by(runs.c.run, runs.c.used_ppt)
            .having(held != runs.c.used_ppt)
        )
        return [(row["run"], int(row["used_ppt"]), int(row["held"])) for row in self._all(query)]

    def undelivered(self, limit: int = BATCH) -> list[CertificateRow]:
        """Certificates that the log holds and nobody has signed yet."""
        placed = select(entries.c.code).where(entries.c.type == "issue", entries.c.idx.is_not(None))
        query = select(certificates).where(certificates.c.document.is_(None), certificates.c.code.in_(placed))
        return [CertificateRow(**row) for row in self._all(query.limit(limit))]

    def is_taken(self, code: str, revocation_index: int, suspension_index: int) -> bool:
        """Whether a certificate has this code, or one of these places in the status lists."""
        places = {"code": code, "revocation": revocation_index, "suspension": suspension_index}
        return self._one(_TAKEN, places) is not None

    def last_place(self) -> int | None:
        """The last place in the status lists that a certificate has; None when there is no certificate."""
        return max((row["place"] for row in self._all(_LAST_PLACES) if row["place"] is not None), default=None)

    def has_audio_in_force(self, audio_sha256: str) -> bool:
        """Whether a file holds a certificate; a self-declared statement is none and blocks nobody."""
        return self._one(_IN_FORCE, {"audio": audio_sha256, "lost": audio_sha256}) is not None

    def share_used(self, run: str, besides: str | None = None) -> Decimal:
        """The share of a run that certificates hold, from 0 to 1, leaving out the one with the code ``besides``."""
        with self.database.reading() as connection:
            return acceptance.shares_held(connection, run, (besides,) if besides else ())

    def code_for_report(self, report_sha256: str) -> str | None:
        """The code that a report was used for, its certificate may be lost or not."""
        row = self._one(_USED_REPORT, {"report": report_sha256})
        return str(row["code"]) if row else None

    def idempotency_key(self, key_sha256: str) -> IdempotencyRow | None:
        row = self._one(_USED_KEY, {"key": key_sha256})
        return IdempotencyRow(**row) if row else None

    # -- reading: the logs --------------------------------------------------------------------------------------

    def logs(self) -> list[LogRow]:
        """Every log, the oldest first."""
        return [LogRow(**row) for row in self._all(select(logs).order_by(logs.c.number))]

    def entries_between(self, origin: str, start: int, end: int) -> list[PlacedEntry]:
        """The entries of a log from an index up to another, which is left out; in order."""
        query = select(*_PLACED).where(entries.c.origin == origin, entries.c.idx >= start, entries.c.idx < end)
        return [_placed(row) for row in self._all(query.order_by(entries.c.idx))]

    def entry_for(self, code: str, kind: str) -> PlacedEntry | None:
        """The placed entry of a type about a certificate, the newest where there are several."""
        query = select(*_PLACED).where(entries.c.code == code, entries.c.type == kind, entries.c.idx.is_not(None))
        row = self._one(query.order_by(entries.c.id.desc()).limit(1))
        return _placed(row) if row else None

    def issue_entries(self, codes: Sequence[str]) -> list[PlacedEntry]:
        """The placed ``issue`` entries of these codes, in no order."""
        query = select(*_PLACED).where(entries.c.type == "issue", entries.c.idx.is_not(None))
        return [_placed(row) for some in _steps(codes) for row in self._all(query.where(entries.c.code.in_(some)))]

    def issued_after(self, log: int, index: int, limit: int) -> list[IssuedCertificate]:
        """Certificates in the order of the logs, from behind a place in the log of this number.

        It ends before the first one that waits for its delivery, so that whoever goes on behind the last one misses none.
        """
        found: list[IssuedCertificate] = []
        for row in self.logs():
            if row.number < log or len(found) == limit:
                continue
            query = _ISSUED.where(entries.c.origin == row.origin, entries.c.idx > (index if row.number == log else -1))
            for issued in self._all(query.order_by(entries.c.idx).limit(limit - len(found))):
                if issued["document"] is None:
                    return found
                values = dict(issued) | {name: issued[name] or "" for name in ("isrc", "essence_sha256")}
                found.append(IssuedCertificate(row.number, **values))
        return found

    def standard_entries(self) -> list[bytes]:
        """The ``standard-publish`` entries of all logs, placed or waiting, in order."""
        query = select(entries.c.entry).where(entries.c.type == "standard-publish").order_by(entries.c.id)
        return [bytes(row["entry"]) for row in self._all(query)]

    def key_entries(self) -> list[tuple[str | None, bytes]]:
        """The entries of all logs about keys, in order, each with the log that it is in; None while it waits for its place."""
        about_keys = entries.c.type.in_(("key-add", "key-retire", "key-compromise"))
        rows = self._all(select(entries.c.origin, entries.c.entry).where(about_keys).order_by(entries.c.id))
        return [(row["origin"], bytes(row["entry"])) for row in rows]

    def place_of(self, kind: str, entry: bytes) -> tuple[str | None, int | None] | None:
        """The log and index of exactly this entry, both None while it waits for its place; None when it was never accepted."""
        query = select(entries.c.origin, entries.c.idx).where(entries.c.type == kind, entries.c.entry == entry)
        row = self._one(query.order_by(entries.c.id).limit(1))
        return (row["origin"], row["idx"]) if row else None

    def certificates_under(self, verification_method: str) -> list[CertificateRow]:
        """Every certificate that a key signed, or is to sign, in the order of their issue."""
        query = select(certificates).where(certificates.c.verification_method == verification_method)
        return [
            CertificateRow(**row) for row in self._all(query.order_by(certificates.c.issued_at, certificates.c.code))
        ]

    def count_in_force(self, now: str) -> dict[str, int]:
        """How many certificates are in force under each verification method: neither revoked nor, at ``now``, expired."""
        query = (
            select(certificates.c.verification_method, func.count().label("rows"))
            .where(certificates.c.in_force == 1, certificates.c.expires_at > now)
            .group_by(certificates.c.verification_method)
        )
        return {row["verification_method"]: int(row["rows"]) for row in self._all(query)}

    def is_waiting(self) -> bool:
        """Whether an entry waits for its place."""
        return self._one(select(entries.c.id).where(entries.c.idx.is_(None)).limit(1)) is not None

    def log(self, origin: str) -> LogRow:
        """A log's row as it is now. Raises NotFoundError."""
        row = self._one(select(logs).where(logs.c.origin == origin))
        if row is None:
            raise NotFoundError("There is no such log.", found=origin)
        return LogRow(**row)

    def entry_counts(self, origin: str, size: int) -> tuple[int, int]:
        """How many of the first ``size`` entries a log holds, and the highest index of all plus one."""
        below = func.count().filter(entries.c.idx < size)
        query = select(below.label("rows"), func.coalesce(func.max(entries.c.idx) + 1, 0).label("end"))
        row = self._one(query.where(entries.c.origin == origin))
        return (int(row["rows"]), int(row["end"])) if row else (0, 0)

    def last_change(self, code: str) -> str | None:
        """The type of the newest entry about a certificate, placed or waiting."""
        with self.database.reading() as connection:
            return acceptance.last_change_of(connection, code)

    def check_change(self, code: str, change: str, after: Collection[str]) -> None:
        """Raises ConflictError when the newest entry about a certificate is of no type in ``after``."""
        with self.database.reading() as connection:
            acceptance.check_change(connection, code, change, after)

    def last_checkpoint(self, origin: str, *, published: bool = True) -> CheckpointRow | None:
        """The newest checkpoint of a log; with ``published=False`` also one that waits for its witnesses."""
        query = select(checkpoints).where(checkpoints.c.origin == origin).order_by(checkpoints.c.size.desc()).limit(1)
        row = self._one(query.where(checkpoints.c.published.is_not(None)) if published else query)
        return CheckpointRow(**row) if row else None

    def all_checkpoints(self, origin: str) -> list[CheckpointRow]:
        query = select(checkpoints).where(checkpoints.c.origin == origin).order_by(checkpoints.c.size)
        return [CheckpointRow(**row) for row in self._all(query)]

    def _certificate(self, condition: Any) -> CertificateRow | None:
        row = self._one(select(certificates).where(condition))
        return CertificateRow(**row) if row else None

    def _one(self, query: Any, values: Mapping[str, Any] | None = None) -> RowMapping | None:
        with self.database.reading() as connection:
            return connection.execute(query, values).mappings().first()

    def _all(self, query: Any, values: Mapping[str, Any] | None = None) -> Sequence[RowMapping]:
        with self.database.reading() as connection:
            return connection.execute(query, values).mappings().all()


def move_head(connection: Connection, head: LogRow, grown: LogRow) -> None:
    """Compare and swap: the head moves only from exactly where it was read. Raises OperatorError otherwise.

    This is the safety of the log, whatever a lock says: two writers can never both continue one head.
    """
    same = (logs.c.origin == head.origin, logs.c.size == head.size, logs.c.peaks == head.peaks, logs.c.frozen == 0)
    moved = connection.execute(
        update(logs).where(*same).values(size=grown.size, peaks=grown.peaks, frozen=grown.frozen)
    )
    if moved.rowcount != 1:
        raise OperatorError("The log's head moved under this writer.", found=f"{head.origin} at size {head.size}")


def _restore_entry(connection: Connection, origin: str, index: int, lost: LostEntry) -> None:
    waiting = select(entries.c.id).where(entries.c.idx.is_(None), entries.c.entry == lost.entry)
    row = connection.execute(waiting.limit(1)).scalar_one_or_none()
    if row is None:
        values = {"origin": origin, "idx": index, "type": lost.type, "code": lost.code, "entry": lost.entry}
        connection.execute(insert(entries).values(**values))
    else:  # it was accepted before the backup, and had no place yet
        connection.execute(update(entries).where(entries.c.id == row).values(origin=origin, idx=index))
    if lost.type == "revoke":
        connection.execute(update(certificates).where(certificates.c.code == lost.code).values(in_force=0))
        connection.execute(update(used_reports).where(used_reports.c.code == lost.code).values(lost_audio_sha256=None))
    known = select(used_reports.c.code).where(used_reports.c.report_sha256 == lost.report_sha256)
    if lost.report_sha256 and not connection.execute(known).first():
        values = {"report_sha256": lost.report_sha256, "code": lost.code, "lost_audio_sha256": lost.audio_sha256}
        connection.execute(insert(used_reports).values(**values))


def _steps(codes: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many at a time as a database takes parameters."""
    return (codes[start : start + MOST_PARAMETERS] for start in range(0, len(codes), MOST_PARAMETERS))


def _placed(row: RowMapping) -> PlacedEntry:
    return PlacedEntry(row["origin"], row["idx"], row["type"], row["code"], row["entry"])


def _waiting(connection: Connection) -> list[RowMapping]:
    """The entries to place next: in order of their ids, never "above the last one", since ids commit out of order."""
    query = select(entries.c.id, entries.c.type, entries.c.entry).where(entries.c.idx.is_(None)).order_by(entries.c.id)
    waiting = list(connection.execute(query.limit(BATCH)).mappings())
    ends = [place for place, row in enumerate(waiting, 1) if row["type"] == "freeze"]
    return waiting[: ends[0]] if ends else waiting


def _grown(head: LogRow, waiting: Sequence[RowMapping]) -> LogRow:
    peaks = grown_peaks(head.size, head.peak_hashes, (leaf_hash(row["entry"]) for row in waiting))
    frozen = int(waiting[-1]["type"] == "freeze")
    return LogRow(head.origin, head.number, head.size + len(waiting), b"".join(peaks), frozen)
