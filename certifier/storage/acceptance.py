"""Transaction A, "accept": reserve everything that a certificate takes, and queue its entry; all or nothing.

Several submissions share one transaction (group commit). First all of them are tried together, a statement for each table;
if the database refuses any, each is tried again behind a savepoint of its own: one that conflicts is told so, the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Dialect, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from certifier.errors import CertifierError, ConflictError, IdempotencyKeyUsed, ReportAlreadyUsed
from certifier.log.entry import parse_entry
from certifier.storage.listings import listing_of
from certifier.storage.rows import (
    Acceptance,
    ActRow,
    CertificateRow,
    IdempotencyRow,
    Job,
    NewEntry,
    Refusal,
    StatusChange,
    SubmissionRow,
)
from certifier.storage.tables import (
    PPT,
    certificates,
    contacts,
    deposited_logs,
    entries,
    idempotency,
    listings,
    operator_acts,
    run_shares,
    runs,
    submissions,
    used_reports,
)

# newest entry -> how the certificate stands
_STATE_AFTER = {"issue": "in force", "reinstate": "in force", "suspend": "suspended", "revoke": "revoked"}


def accept_all(connection: Connection, jobs: Sequence[Job]) -> list[CertifierError | None]:
    """Take in several jobs; for each the conflict that keeps it out, or None."""
    plain = [job for job in jobs if isinstance(job, Acceptance) and job.replaced is None]
    if len(plain) > 1 and _are_taken_together(connection, plain):
        taken = set(map(id, plain))
        return [None if id(job) in taken else _accept(connection, job) for job in jobs]
    return [_accept(connection, job) for job in jobs]


def _are_taken_together(connection: Connection, jobs: Sequence[Acceptance]) -> bool:
    """Take in certificates that replace none, all or none of them. The constraints judge; which one failed is not asked."""
    issues = [NewEntry("issue", job.entry, job.certificate.code) for job in jobs]
    shares = [(run, job.certificate.code, ppt) for job in jobs for run, ppt in job.shares_ppt.items()]
    try:
        with connection.begin_nested():
            _insert_all(connection, submissions, [vars(job.submission) for job in jobs])
            _insert_all(
                connection, deposited_logs, [row for job in jobs for row in _deposits(job.submission, job.logs)]
            )
            _insert_all(connection, contacts, [row for job in jobs for row in _contacts(job)])
            _insert_all(connection, idempotency, [vars(job.idempotency) for job in jobs if job.idempotency])
            _insert_all(connection, used_reports, [_use_of_report(job.certificate) for job in jobs])
            _insert_all(connection, certificates, [vars(job.certificate) for job in jobs])
            _insert_all(connection, listings, [listing_of(job.certificate, job.submission) for job in jobs])
            take_shares(connection, shares)
            _insert_all(connection, entries, [vars(issue) for issue in issues])
    except IntegrityError:
        return False
    return True


def _insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _accept(connection: Connection, job: Job) -> CertifierError | None:
    """Take in one job behind a savepoint; the conflict that keeps it out, or None."""
    try:
        with connection.begin_nested():
            _ACCEPT[type(job)](connection, job)
    except ConflictError as error:
        return error
    except IntegrityError:
        return _conflict(connection, job)
    return None


def _accept_certificate(connection: Connection, job: Acceptance) -> None:
    certificate = job.certificate
    _insert_submission(connection, job)
    _insert_all(connection, used_reports, [_use_of_report(certificate)])
    if job.replaced:
        change_status(connection, job.replaced)
    connection.execute(insert(certificates).values(**vars(certificate)))
    connection.execute(insert(listings).values(**listing_of(certificate, job.submission)))
    take_over_shares(connection, job.replaced.code if job.replaced else None, certificate.code, job.shares_ppt)
    _queue(connection, NewEntry("issue", job.entry, certificate.code))


def _accept_refusal(connection: Connection, job: Refusal) -> None:
    _insert_submission(connection, job)


def change_status(connection: Connection, change: StatusChange) -> None:
    """Queue an entry that changes a certificate's status. Raises ConflictError when its present state does not allow it."""
    # The row's lock puts changes of one certificate into one order on PostgreSQL; SQLite has one writer.
    connection.execute(select(certificates.c.code).where(certificates.c.code == change.code).with_for_update())
    check_change(connection, change.code, change.type, change.after)
    _queue(connection, NewEntry(change.type, change.entry, change.code))
    if change.act:
        _keep_act(connection, change.act)
    in_force = int(change.type != "revoke")
    connection.execute(update(certificates).where(certificates.c.code == change.code).values(in_force=in_force))


def check_change(connection: Connection, code: str, change: str, after: Collection[str]) -> None:
    """Raises ConflictError when the certificate's newest entry, placed or waiting, is of no type in ``after``."""
    newest = select(entries.c.type, entries.c.entry).where(entries.c.code == code).order_by(entries.c.id.desc())
    last = connection.execute(newest.limit(1)).one_or_none()
    if last is None:
        raise ConflictError("The certificate is not in the log yet.", hint="Try again in a moment.")
    if last.type not in after:
        state = _STATE_AFTER[last.type]
        raise ConflictError(
            f"It is {state} already." if last.type != "revoke" or change == "revoke" else "It is revoked, for ever.",
            found=f"{state} since {parse_entry(last.entry)['at']}",
        )


def last_change_of(connection: Connection, code: str) -> str | None:
    """The type of the newest entry about a certificate, placed or waiting."""
    last = select(entries.c.type).where(entries.c.code == code).order_by(entries.c.id.desc()).limit(1)
    return connection.execute(last).scalar_one_or_none()


def _queue(connection: Connection, entry: NewEntry) -> None:
    _insert_all(connection, entries, [vars(entry)])


def _use_of_report(certificate: CertificateRow) -> dict[str, str]:
    return {"report_sha256": certificate.report_sha256, "code": certificate.code}


def _keep_key(connection: Connection, key: IdempotencyRow) -> None:
    connection.execute(insert(idempotency).values(**vars(key)))


def _keep_act(connection: Connection, act: ActRow) -> None:
    connection.execute(insert(operator_acts).values(**vars(act)))


_ACCEPT: Mapping[type[Any], Callable[[Connection, Any], None]] = {
    Acceptance: _accept_certificate,
    Refusal: _accept_refusal,
    StatusChange: change_status,
    NewEntry: _queue,
    IdempotencyRow: _keep_key,
    ActRow: _keep_act,
}


def _insert_submission(connection: Connection, job: Acceptance | Refusal) -> None:
    connection.execute(insert(submissions).values(**vars(job.submission)))
    _insert_all(connection, deposited_logs, _deposits(job.submission, job.logs))
    _insert_all(connection, contacts, _contacts(job))
    if job.idempotency:
        connection.execute(insert(idempotency).values(**vars(job.idempotency)))


def _contacts(job: Acceptance | Refusal) -> list[dict[str, str]]:
    return [{"submission_id": job.submission.id, "contact": job.contact}] if job.contact else []


def _deposits(submission: SubmissionRow, logs: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [{"submission_id": submission.id, "sha256": sha256, "content": content} for sha256, content in logs.items()]


def take_over_shares(connection: Connection, forerunner: str | None, code: str, shares_ppt: Mapping[str, int]) -> None:
    """Take the shares of a certificate, less what the one that it replaces hands over."""
    held = _hand_over_shares(connection, forerunner, code) if forerunner else {}
    take_shares(connection, [(run, code, share - held.get(run, 0)) for run, share in shares_ppt.items()])


def _hand_over_shares(connection: Connection, old: str, new: str) -> dict[str, int]:
    """What the forerunner took of its runs stays taken, now by its successor; returns how much of each run."""
    connection.execute(update(run_shares).where(run_shares.c.code == old).values(code=new))
    held = select(run_shares.c.run, func.sum(run_shares.c.share_ppt)).where(run_shares.c.code == new)
    return {row[0]: int(row[1]) for row in connection.execute(held.group_by(run_shares.c.run))}


def take_shares(connection: Connection, shares: Sequence[tuple[str, str, int]]) -> None:
    """Take shares of runs, as (run, code, parts per trillion). Each run's row stays locked, and a constraint bounds its sum.

    In the order of the runs, everywhere, so that replicas do not wait for each other in a circle.
    """
    rows = [{"run": run, "code": code, "share_ppt": ppt} for run, code, ppt in sorted(shares) if ppt > 0]
    _insert_all(connection, run_shares, rows)
    if rows:
        taken = upsert(connection.dialect, runs)
        more = runs.c.used_ppt + taken.excluded.used_ppt
        connection.execute(
            taken.on_conflict_do_update(index_elements=["run"], set_={"used_ppt": more}),
            [{"run": row["run"], "used_ppt": row["share_ppt"]} for row in rows],
        )


def upsert(dialect: Dialect, table: Any) -> Any:
    """An insert of this dialect, which may say what happens to a row that is there already."""
    return (postgresql if dialect.name == "postgresql" else sqlite).insert(table)


def _conflict(connection: Connection, job: Job) -> CertifierError:
    """Which reservation was taken, found after the savepoint was rolled back."""
    if isinstance(job, (IdempotencyRow, ActRow, StatusChange)):
        return IdempotencyKeyUsed("This idempotency key was used a moment ago.")
    if isinstance(job, (Acceptance, Refusal)) and job.idempotency:
        held = select(idempotency.c.key_sha256).where(idempotency.c.key_sha256 == job.idempotency.key_sha256)
        if connection.execute(held).first():
            return IdempotencyKeyUsed("This idempotency key was used a moment ago.")
    if isinstance(job, Acceptance):
        report = job.certificate.report_sha256
        if connection.execute(select(used_reports.c.code).where(used_reports.c.report_sha256 == report)).first():
            return ReportAlreadyUsed("This report has its certificate already.", found=report)
        if run := _overdrawn(connection, job):
            return ConflictError("A run's share was taken a moment ago.", found=run)
    return ConflictError("The file was certified, or the code was taken, a moment ago.")


def _overdrawn(connection: Connection, job: Acceptance) -> str | None:
    for run in job.shares_ppt:
        used = connection.execute(select(runs.c.used_ppt).where(runs.c.run == run)).scalar_one_or_none() or 0
        if used + job.shares_ppt[run] > PPT and not job.replaced:
            return f"{run}: {Decimal(int(used)) / PPT}"
    return None


def forget_idempotency(connection: Connection, before: str) -> None:
    connection.execute(delete(idempotency).where(idempotency.c.created_at < before))


_USED = select(runs.c.used_ppt).where(runs.c.run == bindparam("run"))


def shares_held(connection: Connection, run: str, besides: Collection[str] = ()) -> Decimal:
    """The share of a run that certificates hold, from 0 to 1, leaving out those of the codes ``besides``."""
    used = connection.execute(_USED, {"run": run}).scalar_one_or_none() or 0
    if used and besides:
        own = select(func.coalesce(func.sum(run_shares.c.share_ppt), 0)).where(
            run_shares.c.run == run, run_shares.c.code.in_(besides)
        )
        used -= connection.execute(own).scalar_one()
    return Decimal(int(used)) / PPT
