"""From a decision to what is stored, logged and signed: claims, rows, leaf. Values in, values out.

What is random or has to be free (code, places in the status lists, ids) is brought by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING

from certifier.certificate.claims import Own, claims_of, result_of
from certifier.certificate.code import parse_code
from certifier.certificate.credential import payload_for
from certifier.certificate.model import Claims, Issuer
from certifier.certificate.status import StatusEntry
from certifier.certificate.times import time_text
from certifier.crypto.canonical import canonical_bytes, sha256_hex
from certifier.crypto.keyring import Keyring
from certifier.log.entry import issue_entry, status_entry
from certifier.report.evidence import Evidence, assessor_of
from certifier.report.model import Report
from certifier.service.examine import Examined, registered_name
from certifier.service.ledger import shares_of
from certifier.settings import Settings
from certifier.standard.evaluate import Verdict
from certifier.standard.model import Standard
from certifier.storage.rows import CertificateRow, StatusChange, SubmissionRow
from certifier.storage.tables import PPT


@dataclass(frozen=True)
class Decision:
    """A verdict with the standard that it was reached by and the record that lets anybody reach it again."""

    standard: Standard
    verdict: Verdict
    evidence: Evidence
    record: bytes


def claims_for(
    examined: Examined,
    decision: Decision,
    *,
    settings: Settings,
    keyring: Keyring,
    code: str,
    status: tuple[StatusEntry, ...],
    now: datetime,
) -> Claims:
    """Everything that the certificate of a passing decision will state."""
    signature = assessor_of(examined.opened.report, decision.evidence)
    own = Own(
        issuer=Issuer(settings.did, settings.issuer_name, settings.base_url),
        code=code,
        status=status,
        essence_sha256=examined.audio.essence_sha256,
        assessor_name=registered_name(signature, keyring),
    )
    result = result_of(decision.verdict, decision.standard)
    return claims_of(examined.opened, decision.evidence, decision.record, result, own=own, decided_at=now)


def submission_row(
    examined: Examined, decision: Decision, submission_id: str, state: str, now: datetime
) -> SubmissionRow:
    track = examined.opened.report.track
    return SubmissionRow(
        id=submission_id,
        created_at=time_text(now),
        state=state,
        title=track.title,
        artist=track.artist,
        report_sha256=examined.opened.digest,
        audio_sha256=examined.audio.sha256,
        outcome=decision.verdict.outcome,
        envelope=examined.opened.envelope,
        decision=decision.record,
        applicant=examined.opened.applicant.did_key,
    )


def certificate_row(claims: Claims, submission_id: str, verification_method: str) -> CertificateRow:
    """The certificate before it is signed: its payload is what the leaf commits to."""
    places = {entry.purpose: entry.place for entry in claims.status}
    return CertificateRow(
        code=claims.code,
        submission_id=submission_id,
        report_sha256=claims.basis.report_sha256,
        audio_sha256=claims.subject.audio_sha256,
        outcome=claims.outcome,
        issued_at=time_text(claims.issued_at),
        expires_at=time_text(claims.expires_at),
        payload=canonical_bytes(payload_for(claims)),
        verification_method=verification_method,
        revocation_index=places["revocation"],
        suspension_index=places["suspension"],
        in_force=1,
    )


def leaf_for(row: CertificateRow, claims: Claims) -> bytes:
    return issue_entry(
        code=row.code,
        payload_sha256=sha256_hex(row.payload),
        kid=row.verification_method,
        standard=claims.basis.standard,
        report_sha256=row.report_sha256,
        audio_sha256=row.audio_sha256,
        at=row.issued_at,
    )


def replaced_by(code: str, report: Report, now: datetime) -> StatusChange | None:
    """The certificate that a renewal replaces, with the leaf that revokes it as superseded (DESIGN 21)."""
    if report.renewal_of is None:
        return None
    old = parse_code(report.renewal_of)
    entry = status_entry(type="revoke", code=old, reason="superseded", at=time_text(now), replaced_by=code)
    return StatusChange(old, "revoke", entry, {"issue", "reinstate"})


def shares_ppt(examined: Examined, decision: Decision) -> dict[str, int]:
    return shares_ppt_of(examined.opened.report, decision.evidence)


def shares_ppt_of(report: Report, evidence: Evidence) -> dict[str, int]:
    """The shares of each run in parts per trillion, rounded up so that many small ones never sum above one."""
    shares = shares_of(report, evidence)
    return {run: int((share * PPT).to_integral_value(ROUND_CEILING)) for run, share in shares.items()}
