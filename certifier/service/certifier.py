"""The main path: from a signed report and its audio to a certificate in the public log, or a decision with reasons.

    submit → open_report → analyse audio → evidence → footprint, rules, verdict → (Refused | payload)
           → Pipeline: accept (A) → Logbook.publish (B, C) → sign → deliver (D)

The pure steps live in report/, audio/, standard/, certificate/; transactions in storage/; this module puts them in order.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Literal

import structlog

from certifier.certificate.proof import sign_document
from certifier.certificate.status import (
    StatusEntry,
    entry_at,
)
from certifier.certificate.times import time_text
from certifier.crypto.canonical import digest_of, sha256_hex, to_json_text
from certifier.crypto.keyring import Keyring
from certifier.crypto.signing import Signer
from certifier.crypto.strict_json import parse_object
from certifier.decision import decision_record, parse_decision
from certifier.errors import (
    BusyError,
    ConflictError,
    FieldFinding,
    IdempotencyKeyReused,
    MalformedReport,
    NotFoundError,
    OperatorError,
    ReadOnlyError,
    StorageError,
)
from certifier.log.entry import parse_entry, status_entry
from certifier.report.envelope import open_report
from certifier.report.model import Report, located_numbers_of
from certifier.service.acts import Acts
from certifier.service.api_keys import ApiKeys
from certifier.service.complaints import Complaints
from certifier.service.draft import (
    Decision,
    certificate_row,
    claims_for,
    leaf_for,
    replaced_by,
    shares_ppt,
    submission_row,
)
from certifier.service.events import Events
from certifier.service.examine import Examined, Upload, examine, gather_evidence
from certifier.service.ledger import StoredLedger
from certifier.service.logbook import CLOCK_SKEW, KEY_HINT, Logbook, Problem
from certifier.service.own_keys import ROTATE_HINT, OwnKeys
from certifier.service.pipeline import A_MOMENT_S, Pipeline, Stage
from certifier.service.places import Places
from certifier.service.published import Published
from certifier.service.register import LiveKeys
from certifier.service.renditions import Form, Renditions
from certifier.service.shelf import Shelf
from certifier.service.webhooks import Webhooks
from certifier.settings import Settings
from certifier.standard.evaluate import Verdict, decide
from certifier.storage.acts import ActStore
from certifier.storage.api_keys import ApiKeyStore
from certifier.storage.complaints import ComplaintStore
from certifier.storage.files import free_bytes
from certifier.storage.rows import (
    Acceptance,
    ActRow,
    CertificateRow,
    IdempotencyRow,
    Refusal,
    StatusChange,
    SubmissionRow,
)
from certifier.storage.store import Store
from certifier.storage.webhooks import WebhookStore

TRIES = 5
KEYS_KEPT = timedelta(hours=24)  # how long an idempotency key counts
ChangeType = Literal["revoke", "suspend", "reinstate"]
AFTER: dict[ChangeType, frozenset[str]] = {
    "revoke": frozenset({"issue", "suspend", "reinstate"}),
    "suspend": frozenset({"issue", "reinstate"}),
    "reinstate": frozenset({"suspend"}),
}
NO_ISSUER_HERE = Problem("wrong-key", "no private key in private/ is a registered issuer's", KEY_HINT)
log = structlog.get_logger(__name__)

REASONS = ("evidence", "wrong_track", "figure", "misuse", "offset_claim", "holder_request", "superseded")  # LCAL 12.2


@dataclass(frozen=True)
class Issued:
    """A delivered certificate; ``repeated`` when the same report had it already, ``replayed`` for a repeated request.

    ``state`` is how the certificate stood when this was answered first.
    """

    submission: SubmissionRow
    verdict: Verdict
    certificate: CertificateRow
    state: str = "active"
    repeated: bool = False
    replayed: bool = False

    @property
    def submission_id(self) -> str:
        return self.submission.id


@dataclass(frozen=True)
class Accepted:
    """It passed and is on record, but takes longer than the caller wants to wait: ask again for the certificate."""

    submission: SubmissionRow
    verdict: Verdict

    @property
    def submission_id(self) -> str:
        return self.submission.id


@dataclass(frozen=True)
class Refused:
    """A decision without a certificate: nothing was logged or signed; the reasons are in the verdict."""

    submission: SubmissionRow
    verdict: Verdict
    replayed: bool = False

    @property
    def submission_id(self) -> str:
        return self.submission.id


@dataclass(frozen=True)
class Request:
    """What an idempotency key stands for, as digests (SHA-256 in full, never cut)."""

    key_sha256: str
    request_sha256: str


class Certifier:
    """One installation at work. Thread-safe; all it knows is in the store and the log."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        shelf: Shelf,
        keys: LiveKeys,
        logbooks: Sequence[Logbook],
        *,
        problems: Sequence[Problem] = (),
        on_stop: Callable[[str], None] = lambda _: None,
        randomness: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.settings = settings
        self.shelf = shelf
        self.keys = keys
        self.own_keys = OwnKeys(settings, keys)
        self.store = store
        self.logbooks = tuple(logbooks)
        self.logbook = self.logbooks[-1]
        self._ledger = StoredLedger(store)
        self._places = Places(store, randomness)
        self.published = Published(settings, shelf, self.own_keys, self.logbooks, self._places)
        self.complaints = Complaints(ComplaintStore(store.database), randomness)
        self.acts = Acts(ActStore(store.database), randomness)
        self.api_keys = ApiKeys(settings, ApiKeyStore(store.database))
        self.events = Events(settings.base_url, store, self.logbooks)
        self.webhooks = Webhooks(WebhookStore(store.database), randomness)
        self._randomness = randomness
        self._tidied: datetime | None = None
        if not self.keyring.with_role("issuer"):
            raise OperatorError("The register lists no issuer key.", hint="Make a home with: certifier init")
        found = [problem for book in self.logbooks for problem in book.problems]
        if self._lacks_issuer():
            found.append(NO_ISSUER_HERE)
        self.problems = (*problems, *found)
        self._renditions = Renditions(store, self.own_keys, self._may_keep)
        self.pipeline = Pipeline(store.accept, self._publish, self._deliver, on_stop=on_stop)
        if not self.problems:
            self._finish()

    def _finish(self) -> None:
        """What the last process left between two steps."""
        try:
            for book in self.logbooks:
                if book is self.logbook or book.is_unfinished:  # closed by a freeze that nobody has signed over yet
                    book.publish()
            left = self.store.undelivered()
            while left:  # in steps; what cannot be delivered now is left, and told
                self._deliver(left)
                before, left = {row.code for row in left}, self.store.undelivered()
                left = [row for row in left if row.code not in before]
        except (BusyError, StorageError) as error:  # witnesses, disk or database; the first writing tries it again
            log.warning("not finished yet", told=error.message, found=error.found)
        except OperatorError as error:
            self.problems = (Problem("log-inconsistent", f"{error.message} {error.found or ''}", error.hint or ""),)

    @property
    def keyring(self) -> Keyring:
        """The register as it is now."""
        return self.own_keys.keyring

    def _may_keep(self) -> bool:
        """Whether the database may grow by what could be made again."""
        return not self.problems and self.has_room

    @property
    def has_room(self) -> bool:
        """Whether the disk has room left for what others send."""
        return free_bytes(self.settings.home) >= self.settings.min_free_bytes

    def close(self) -> None:
        """Finish what is on its way, then close the database."""
        self.pipeline.close()
        self.store.close()

    def sweep(self) -> None:
        """From now on, look every second for what replicas, a crash or slow witnesses left unfinished."""
        if not self.problems:
            self.pipeline.sweep()

    # -- the main path ------------------------------------------------------------------------------------------

    def submit(self, upload: Upload, now: datetime, idempotency_key: str | None = None) -> Issued | Accepted | Refused:
        """Decide on a submission and, when it passes, log, sign and deliver its certificate.

        The same report for the same file gives the same answer again, and so does the same idempotency key. Raises a
        ForeignInputError when the report, a signature, the audio or a log cannot be used; then nothing is stored.
        """
        return self.certify(examine(upload), now, idempotency_key)

    def certify(
        self, examined: Examined, now: datetime, idempotency_key: str | None = None
    ) -> Issued | Accepted | Refused:
        """As ``submit``, for a report and audio that were examined before."""
        request = request_of(examined, idempotency_key)
        if request and not self.problems:
            self._tidy(now)
        for _ in range(TRIES):  # a share or the file may be taken between the decision and its acceptance
            answered = self._answered_before(examined, request, now)
            if answered:
                return answered
            self.check_writable(now)
            try:
                decision = self.decide(examined, now)
                if decision.verdict.passed:
                    return self._issue(examined, decision, request, now)
                # Whoever sent the same report meanwhile is answered alike, not refused for it.
                return self._issued_before(examined) or self._refuse(examined, decision, request, now)
            except ConflictError as error:
                conflict = error
        raise conflict

    def decide(self, examined: Examined, now: datetime) -> Decision:
        """The verdict on what was examined, with the ledger and the registers as they are now.

        Raises MalformedReport when its numbers allow no figure at all: that is no decision, it is a report to mend.
        """
        opened = examined.opened
        standard = self.shelf.for_report(opened.report.standard, now)
        evidence = gather_evidence(examined, self.keyring, self._ledger, now)
        verdict = decide(standard, opened.report, evidence)
        if verdict.footprint is None:
            raise MalformedReport(
                "No figure can be computed from this report.", findings=_misfits(opened.report, verdict)
            )
        record = decision_record(verdict, evidence, standard_sha256=standard.digest, report_sha256=opened.digest)
        return Decision(standard, verdict, evidence, record)

    def _tidy(self, now: datetime) -> None:
        """Once an hour, forget the idempotency keys whose day is over."""
        if self._tidied is None or now - self._tidied > timedelta(hours=1):
            self._tidied = now
            self.store.forget_idempotency(time_text(now - KEYS_KEPT))

    def _issue(
        self, examined: Examined, decision: Decision, request: Request | None, now: datetime
    ) -> Issued | Accepted:
        method = self.own_keys.method_of(self.own_keys.issuer(now))
        code, status = self._free_places()
        claims = claims_for(
            examined,
            decision,
            settings=self.settings,
            keyring=self.keyring,
            code=code,
            status=status,
            now=now,
        )
        submission = submission_row(examined, decision, self._new_id(), "accepted", now)
        row = certificate_row(claims, submission.id, method)
        job = Acceptance(
            submission,
            examined.logs,
            row,
            shares_ppt(examined, decision),
            leaf_for(row, claims),
            replaced_by(claims.code, examined.opened.report, now),
            _idempotency_row(request, submission),
            examined.contact,
        )
        if self.pipeline.record(job, self.settings.submit_seconds) is Stage.DONE:
            try:
                certificate = self.certificate(row.code)
                return Issued(replace(submission, state="certified"), decision.verdict, certificate)
            except (StorageError, NotFoundError) as error:  # it is on record: nobody is told a failure
                log.warning("delivered, and not read back", told=error.message)
        return Accepted(submission, decision.verdict)

    def _refuse(self, examined: Examined, decision: Decision, request: Request | None, now: datetime) -> Refused:
        submission = submission_row(examined, decision, self._new_id(), "refused", now)
        job = Refusal(submission, examined.logs, _idempotency_row(request, submission), examined.contact)
        self.pipeline.record(job, self.settings.submit_seconds)
        return Refused(submission, decision.verdict)

    def _publish(self) -> None:
        """B and C. A log that was closed meanwhile ends this process's writing: the next start takes up the new one."""
        self.logbook.publish()
        if self.logbook.is_frozen:
            raise ReadOnlyError(f"The log {self.logbook.origin} was closed; the service takes up the next one.")

    def _deliver(self, rows: Sequence[CertificateRow] = ()) -> None:
        """Sign payloads that the log holds, keep the proofs beside them (D); without ``rows`` all that nobody delivered."""
        rows = rows or self.store.undelivered()
        waiting = {row.code: row for row in rows if row.document is None}
        books = {book.origin: book for book in self.logbooks}
        delivered = []
        for placed in self.store.issue_entries(list(waiting)):
            book = books[placed.origin]
            row = waiting[str(placed.code)]
            signer = self.own_keys.signer_named(row.verification_method)
            if signer is None:
                log.error("a certificate needs a key that is not here", code=row.code, key=row.verification_method)
            elif placed.index < book.head.size:
                document = self._signed(row, placed.entry, signer)
                delivered.append((str(placed.code), document, book.proof_at(placed.index)))
        self.store.deliver(delivered)

    def _signed(self, row: CertificateRow, entry: bytes, signer: Signer) -> bytes:
        """The document of a payload, once the log's entry is seen to commit to exactly these bytes and this key."""
        members = parse_entry(entry)
        if (members["payload"], members["kid"]) != (f"sha256:{sha256_hex(row.payload)}", row.verification_method):
            raise OperatorError(
                "The stored payload is not the one that the log holds.", found=row.code, hint="Run: certifier log fsck"
            )
        document = sign_document(parse_object(row.payload), signer, row.verification_method, row.issued_at)
        return to_json_text(document).encode()

    def _answered_before(
        self, examined: Examined, request: Request | None, now: datetime
    ) -> Issued | Accepted | Refused | None:
        """The answer that this request, or this report, got already."""
        key = self.store.idempotency_key(request.key_sha256) if request else None
        if request is None or key is None:
            return self._remembered(self._issued_before(examined), request, now)
        if key.request_sha256 != request.request_sha256:
            raise IdempotencyKeyReused(
                "This idempotency key was used for another submission.", hint="Take a new key for each submission."
            )
        submission = self.store.submission(key.submission_id)
        row = self.store.certificate_for_submission(submission.id)
        if row is None:
            return Refused(submission, self.replayed(submission), replayed=True)
        return self._answer_with(
            row, repeated=key.told_state is not None, replayed=True, state=key.told_state or "active"
        )

    def _remembered(
        self, answer: Issued | Accepted | None, request: Request | None, now: datetime
    ) -> Issued | Accepted | None:
        """The answer about a report that had its certificate already, bound to the key that it was asked with."""
        if request and isinstance(answer, Issued) and not self.problems:
            key = IdempotencyRow(
                request.key_sha256, request.request_sha256, answer.submission_id, time_text(now), answer.state
            )
            # It has its answer either way; a key that was kept a moment ago, or cannot be kept now, changes nothing in it.
            with suppress(ConflictError, BusyError, ReadOnlyError):
                self.pipeline.record(key, self.settings.submit_seconds)
        return answer

    def _issued_before(self, examined: Examined) -> Issued | Accepted | None:
        """The certificate that this report has already, finished if a crash or another thread left it undelivered."""
        code = self.store.code_for_report(examined.opened.digest)
        if code is None:
            return None
        row = self.store.certificate(code)
        if row is None:  # after a restore, only the log knows it; its report earns no second one
            raise ConflictError(
                "This report has a certificate whose file was lost here.",
                found=code,
                hint="Use the file that you were given; it is as valid as before.",
            )
        return self._answer_with(row, repeated=True, state=self.published.lifecycle(row.code))

    def _answer_with(
        self, row: CertificateRow, *, repeated: bool, state: str, replayed: bool = False
    ) -> Issued | Accepted:
        """The answer that names a certificate of before."""
        row = self._finished(row)
        submission = self.store.submission(row.submission_id)
        verdict = self.replayed(submission)
        if row.document is None:
            return Accepted(submission, verdict)
        return Issued(submission, verdict, row, state=state, repeated=repeated, replayed=replayed)

    def _finished(self, row: CertificateRow) -> CertificateRow:
        """The certificate, delivered if that can be done now. It was accepted: no fault of ours is told to the caller."""
        ends = monotonic() + self.settings.submit_seconds
        while row.document is None and not self.problems and monotonic() < ends:
            try:
                if self.logbook.publish(blocking=False):
                    self._deliver([row])
                else:  # it is being published right now
                    sleep(A_MOMENT_S)
                if self.logbook.is_frozen:
                    break  # the next start finishes it, in the next log
            except Exception as error:  # noqa: BLE001 - it is on record; the pipeline or the next start finishes it
                log.warning("not finished yet", code=row.code, kind=type(error).__name__)
                break
            row = self.store.certificate(row.code) or row
        return row

    def check_log_writable(self, now: datetime, besides: Collection[Problem] = ()) -> None:
        """Raises ReadOnlyError when not even a withdrawal can be written into the log; some problems may not matter."""
        problem = next((it for it in self.problems if it not in besides), None) or self._clock_problem(now)
        if problem:
            raise _read_only(problem)

    def check_writable(self, now: datetime) -> None:
        """Raises ReadOnlyError when nothing may be issued now, and says why."""
        problem = next(iter(self.problems), None) or self._passing_problem(now)
        if problem:
            raise _read_only(problem)

    def _passing_problem(self, now: datetime) -> Problem | None:
        """What may be over in a while: the disk is almost full, the clock stands back, the writer has stopped."""
        free = free_bytes(self.settings.home)
        if self.pipeline.stopped:
            return Problem("writer-stopped", self.pipeline.stopped, "The service restarts by itself.")
        if not self.own_keys.in_force("issuer", now):
            return Problem("no-issuer-key", "no issuer key in force has its private half here", ROTATE_HINT)
        if free < self.settings.min_free_bytes:
            return Problem("disk-full", f"{free} bytes are free", f"at least {self.settings.min_free_bytes} are needed")
        return self._clock_problem(now)

    def _lacks_issuer(self) -> bool:
        """Whether issuer keys are listed, neither retired nor stolen, and the private half of no issuer key is here."""
        keys = self.keys.now
        entries = keys.keyring.with_role("issuer")
        is_listed = any(not (entry.compromise or entry.retired_at) for entry in entries)
        return is_listed and not any(keys.placed(entry) for entry in entries)

    def _clock_problem(self, now: datetime) -> Problem | None:
        newest = self.logbook.last_time
        if newest and now < newest - CLOCK_SKEW:
            return Problem("clock-back", f"it is {time_text(now)}; the log's newest entry is from {time_text(newest)}")
        return None

    def _new_id(self) -> str:
        return f"sub_{self._randomness(16).hex()}"

    def _free_places(self) -> tuple[str, tuple[StatusEntry, ...]]:
        """A random code, and a random place in each status list, that no certificate has."""
        code, places = self._places.free()
        return code, tuple(entry_at(self.settings.base_url, purpose, place) for purpose, place in places.items())

    # -- what anybody may ask -----------------------------------------------------------------------------------

    def certificate(self, code: str) -> CertificateRow:
        """A delivered certificate. Raises NotFoundError."""
        row = self.store.certificate(code)
        if row is None or row.document is None:
            raise NotFoundError(
                "No certificate has this code.",
                found=code,
                hint="Compare it with the label. If it is printed like this, the label may be false: please report it.",
            )
        return row

    def rendition(self, row: CertificateRow, form: Form) -> bytes:
        """A delivered certificate in another signed form, the same bytes for ever; nothing is logged for it.

        Raises NotFoundError when it was not made while the private key of its signature was here.
        """
        return self._renditions.of(row, form)

    def replayed(self, submission: SubmissionRow) -> Verdict:
        """The verdict on a stored submission, reached again from its report and decision record.

        Raises NotFoundError when the version of the standard behind it is not here any more.
        """
        record, evidence = parse_decision(submission.decision)
        standard = self.shelf.with_digest(record["standard"]["sha256"])
        return decide(standard, open_report(submission.envelope).report, evidence)

    def check_change(self, code: str, change: ChangeType, now: datetime) -> None:
        """Raises what ``change_status`` would raise now, with nothing written."""
        self.check_log_writable(now)
        self.store.check_change(self.certificate(code).code, change, AFTER[change])

    def change_status(
        self, code: str, change: ChangeType, reason: str, now: datetime, act: ActRow | None = None
    ) -> CertificateRow:
        """Revoke, suspend or reinstate, through the log. Acknowledged when a published checkpoint holds it.

        ``act`` is the operator's record of who asked for it; it is kept if and only if the change is.

        Works while nothing is issued for want of disk space. Raises ConflictError when the certificate's state does not
        allow it, ReadOnlyError when the log may not be written.
        """
        row = self.certificate(code)
        self.check_log_writable(now)
        entry = status_entry(type=change, code=code, reason=reason, at=time_text(now))
        if (
            self.pipeline.record(StatusChange(code, change, entry, AFTER[change], act), self.settings.submit_seconds)
            is Stage.DONE
        ):
            return row
        raise ReadOnlyError(
            "The change is on record and not published yet.",
            hint="It is published as soon as the log goes on; see it with: certifier log proof CODE",
        )


def request_of(examined: Examined, idempotency_key: str | None) -> Request | None:
    """The digests of an idempotency key and of what was sent with it: the envelope and every file."""
    if idempotency_key is None:
        return None
    applicant = examined.opened.applicant.did_key  # a key is the applicant's own: nobody meets another's by chance
    sent = {
        "report": sha256_hex(examined.opened.envelope),
        "audio": examined.audio.sha256,
        "logs": sorted(examined.logs),
    }
    return Request(sha256_hex(f"submissions\n{applicant}\n{idempotency_key}".encode()), digest_of(sent))


def _idempotency_row(request: Request | None, submission: SubmissionRow) -> IdempotencyRow | None:
    if request is None:
        return None
    return IdempotencyRow(request.key_sha256, request.request_sha256, submission.id, submission.created_at)


def _read_only(problem: Problem) -> ReadOnlyError:
    return ReadOnlyError(
        "Nothing is issued just now; certificates can be verified as always.",
        found=f"{problem.kind}: {problem.found}",
        hint=problem.hint or "Try again later.",
    )


def _misfits(report: Report, verdict: Verdict) -> tuple[FieldFinding, ...]:
    """The numbers below zero by their place; else what the rule that stops every figure found (INT-03)."""
    negative = [(pointer, number) for pointer, number in located_numbers_of(report) if number < 0]
    if negative:
        return tuple(
            FieldFinding(pointer, "a number that is not negative", str(number)) for pointer, number in negative
        )
    return tuple(FieldFinding("", finding.advice, finding.found) for finding in verdict.failed_must)
