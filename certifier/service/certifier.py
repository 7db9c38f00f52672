"""The main path: from a signed report and its audio to a certificate in the public log, or a decision with reasons.

    submit → open_report → analyse audio → evidence → footprint, rules, verdict → (Refused | payload)
           → accept (A) → Logbook.publish (B, C) → sign → deliver (D)

The pure steps live in report/, audio/, standard/, certificate/; transactions in storage/; this module puts them in order.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from certifier.certificate.code import RANDOM_BYTES, code_of
from certifier.certificate.proof import sign_document
from certifier.certificate.status import (
    LIST_LENGTH,
    PURPOSES,
    StatusEntry,
    free_position,
    status_list_payload,
    status_url,
)
from certifier.certificate.times import time_text
from certifier.certificate.trust import Trust, TrustedStandard, trust_of
from certifier.certificate.verify import Material
from certifier.crypto.canonical import canonical_bytes, to_json_text
from certifier.crypto.keyring import Keyring, RegisteredKey
from certifier.crypto.signing import SigningKey
from certifier.crypto.strict_json import parse_object
from certifier.decision import decision_record, parse_decision
from certifier.errors import ConflictError, FieldFinding, MalformedReport, NotFoundError, OperatorError
from certifier.log.entry import status_entry
from certifier.report.envelope import open_report
from certifier.report.model import Report, located_numbers_of
from certifier.service.draft import (
    Decision,
    certificate_row,
    claims_for,
    leaf_for,
    replaced_by,
    shares_ppt,
    submission_row,
)
from certifier.service.examine import Examined, Upload, examine, gather_evidence
from certifier.service.ledger import StoredLedger
from certifier.service.logbook import Logbook
from certifier.settings import Settings
from certifier.standard.evaluate import Verdict, decide
from certifier.standard.model import Standard
from certifier.storage.store import CertificateRow, Store, SubmissionRow

TRIES = 5
StatusChange = Literal["revoke", "suspend", "reinstate"]
AFTER: dict[StatusChange, frozenset[str]] = {
    "revoke": frozenset({"issue", "suspend", "reinstate"}),
    "suspend": frozenset({"issue", "reinstate"}),
    "reinstate": frozenset({"suspend"}),
}
REASONS = ("evidence", "wrong_track", "figure", "misuse", "offset_claim", "holder_request", "superseded")  # LCAL 12.2


@dataclass(frozen=True)
class Issued:
    """A delivered certificate; ``repeated`` when the same report had it already."""

    submission_id: str
    certificate: CertificateRow
    repeated: bool = False


@dataclass(frozen=True)
class Refused:
    """A decision without a certificate: nothing was logged or signed; the reasons are in the verdict."""

    submission_id: str
    verdict: Verdict


class Certifier:
    """One installation at work. Thread-safe; all it knows is in the store."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        standard: Standard,
        keyring: Keyring,
        signer: SigningKey,
        log_signer: SigningKey,
        randomness: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.settings = settings
        self.standard = standard
        self.keyring = keyring
        self.store = store
        self._ledger = StoredLedger(store)
        self._signer = signer
        self._randomness = randomness
        self._issuer_key = self._registered(signer, "issuer")
        self.logbook = Logbook(store, self._registered(log_signer, "log").id, log_signer)
        for row in store.undelivered():
            self._deliver(row)

    def _registered(self, key: SigningKey, role: str) -> RegisteredKey:
        entry = self.keyring.entry_for(key.public)
        if entry is None or entry.role != role:
            raise NotFoundError(
                f"The register lists no {role} key {key.public.did_key}.", hint="Make a home with: certifier init"
            )
        return entry

    # -- the main path ------------------------------------------------------------------------------------------

    def submit(self, upload: Upload, now: datetime) -> Issued | Refused:
        """Decide on a submission and, when it passes, log, sign and deliver its certificate.

        The same report for the same file gives the same answer again. Raises a ForeignInputError when the report, a
        signature, the audio or a log cannot be used; then nothing is stored.
        """
        examined = examine(upload)
        for _ in range(TRIES):  # a share or the file may be taken between the decision and its acceptance
            issued = self._issued_before(examined)
            if issued:
                return issued
            try:
                decision = self.decide(examined, now)
                if decision.verdict.passed:
                    return self._issue(examined, decision, now)
            except ConflictError as error:
                conflict = error
                continue
            # Whoever sent the same report meanwhile is answered alike, not refused for it.
            return self._issued_before(examined) or self._refuse(examined, decision, now)
        raise conflict

    def decide(self, examined: Examined, now: datetime) -> Decision:
        """The verdict on what was examined, with the ledger and the registers as they are now.

        Raises MalformedReport when its numbers allow no figure at all: that is no decision, it is a report to mend.
        """
        opened = examined.opened
        evidence = gather_evidence(examined, self.keyring, self._ledger, now)
        verdict = decide(self.standard, opened.report, evidence)
        if verdict.footprint is None:
            raise MalformedReport(
                "No figure can be computed from this report.", findings=_misfits(opened.report, verdict)
            )
        record = decision_record(verdict, evidence, standard_sha256=self.standard.digest, report_sha256=opened.digest)
        return Decision(verdict, evidence, record)

    def _issue(self, examined: Examined, decision: Decision, now: datetime) -> Issued:
        self._check_key_in_force(now)
        claims = claims_for(
            examined,
            decision,
            settings=self.settings,
            standard=self.standard,
            keyring=self.keyring,
            code=self._free_code(),
            status=tuple(self._free_entry(purpose) for purpose in PURPOSES),
            now=now,
        )
        submission = submission_row(examined, decision, self._new_id(), "accepted", now)
        row = certificate_row(claims, submission.id, f"{self.settings.did}#{self._issuer_key.id}")
        replaced = replaced_by(claims.code, examined.opened.report, now)
        self.store.accept(
            submission, examined.logs, row, shares_ppt(examined, decision), leaf_for(row, claims), replaced
        )
        self.logbook.publish()
        return Issued(submission.id, self._deliver(row))

    def _refuse(self, examined: Examined, decision: Decision, now: datetime) -> Refused:
        submission = submission_row(examined, decision, self._new_id(), "refused", now)
        self.store.save_refusal(submission, examined.logs)
        return Refused(submission.id, decision.verdict)

    def _deliver(self, row: CertificateRow) -> CertificateRow:
        """Sign the payload that the log holds, and keep the proof beside it."""
        proof = self.logbook.proof_for(row.code)
        document = sign_document(parse_object(row.payload), self._signer, row.verification_method, row.issued_at)
        self.store.deliver(row.code, to_json_text(document).encode(), proof)
        return self.certificate(row.code)

    def _issued_before(self, examined: Examined) -> Issued | None:
        """The certificate that this report has already, finished if a crash or another thread left it undelivered."""
        row = self.store.certificate_for_report(examined.opened.digest)
        if row is None:
            return None
        if row.document is None:
            self.logbook.publish()
            row = self._deliver(row)
        return Issued(row.submission_id, row, repeated=True)

    def _check_key_in_force(self, now: datetime) -> None:
        if not self._issuer_key.is_active(now):
            raise OperatorError(
                "The issuer's key is not in force.",
                found=time_text(now),
                expected=f"{time_text(self._issuer_key.valid_from)} to {time_text(self._issuer_key.valid_until)}",
                hint="Rotate the issuer's key.",
            )

    def _new_id(self) -> str:
        return f"sub_{self._randomness(16).hex()}"

    def _free_code(self) -> str:
        return next(
            code
            for code in iter(lambda: code_of(self._randomness(RANDOM_BYTES)), None)
            if not self.store.certificate(code)
        )

    def _free_entry(self, purpose: str) -> StatusEntry:
        candidates = [int.from_bytes(self._randomness(4), "big") % LIST_LENGTH for _ in range(64)]
        position = free_position(candidates, self.store.taken_positions(purpose))
        if position is None:
            raise ConflictError("The status list is full.", hint="Open the next list.")
        return StatusEntry(status_url(self.settings.base_url, purpose), purpose, position)

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

    def replayed(self, submission: SubmissionRow) -> Verdict:
        """The verdict on a stored submission, reached again from its report and decision record."""
        _, evidence = parse_decision(submission.decision)
        return decide(self.standard, open_report(submission.envelope).report, evidence)

    def change_status(self, code: str, change: StatusChange, reason: str, now: datetime) -> CertificateRow:
        """Revoke, suspend or reinstate, through the log. Acknowledged when a published checkpoint holds it.

        Raises ConflictError when the certificate's state does not allow it.
        """
        row = self.certificate(code)
        entry = status_entry(type=change, code=code, reason=reason, at=time_text(now))
        self.store.queue_status(code, change, entry, AFTER[change])
        self.logbook.publish()
        return row

    def lifecycle(self, code: str) -> str:
        """``active``, ``suspended`` or ``revoked``, as the log says at its newest checkpoint."""
        leaves = self.store.status_leaves(self.logbook.head.size, code)
        return (
            {"revoke": "revoked", "suspend": "suspended", "reinstate": "active"}[leaves[-1].type]
            if leaves
            else "active"
        )

    def status_list(self, purpose: str, now: datetime) -> bytes:
        """The signed Bitstring Status List of a purpose, computed from the log."""
        size = self.logbook.head.size
        latest = {leaf.code: leaf.type for leaf in self.store.status_leaves(size)}
        kind = {"revocation": "revoke", "suspension": "suspend"}[purpose]
        rows = [self.store.certificate(code) for code, last in latest.items() if last == kind and code]
        positions = [getattr(row, f"{purpose}_index") for row in rows if row]
        url = status_url(self.settings.base_url, purpose)
        payload = status_list_payload(url, purpose, positions, issuer=self.settings.did, log_size=size, now=now)
        document = sign_document(payload, self._signer, f"{self.settings.did}#{self._issuer_key.id}", time_text(now))
        return canonical_bytes(document)

    @property
    def trust(self) -> Trust:
        """What a verifier of this installation pins."""
        standards = (TrustedStandard(self.standard.id, self.standard.digest, "current"),)
        return trust_of(
            self.keyring,
            issuer=self.settings.did,
            environment=self.settings.environment,
            logs=(self.logbook.verifier_key,),
            standards=standards,
        )

    def material(self, row: CertificateRow, now: datetime) -> Material:
        """All that a check of this certificate needs, as this installation serves it."""
        lists = {status_url(self.settings.base_url, purpose): self.status_list(purpose, now) for purpose in PURPOSES}
        return Material(self.trust, row.proof, lists)


def _misfits(report: Report, verdict: Verdict) -> tuple[FieldFinding, ...]:
    """The numbers below zero by their place; else what the rule that stops every figure found (INT-03)."""
    negative = [(pointer, number) for pointer, number in located_numbers_of(report) if number < 0]
    if negative:
        return tuple(
            FieldFinding(pointer, "a number that is not negative", str(number)) for pointer, number in negative
        )
    return tuple(FieldFinding("", finding.advice, finding.found) for finding in verdict.failed_must)
