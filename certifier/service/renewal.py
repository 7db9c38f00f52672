"""What the holder of a certificate may want to do about its end, or about a new version of the standard.

The old certificate stays true; a preview says what a newer version that is open would make of the same report, with the
evidence as it was when it was decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from certifier.certificate.times import parse_time
from certifier.decision import parse_decision
from certifier.report.envelope import open_report
from certifier.service.certifier import Certifier
from certifier.standard.evaluate import OUTCOMES_RISING, Verdict, decide
from certifier.standard.model import Standard

WINDOW = timedelta(days=90)  # before its end, in which a certificate is best renewed

Reason = Literal["none", "expiry", "standard-superseded", "withdrawn"]


@dataclass(frozen=True)
class Preview:
    """What a newer version of the standard makes of the track, beside what it has."""

    standard: Standard
    verdict: Verdict
    compared: Literal["same", "better", "worse"]
    newly_failed: tuple[str, ...]


@dataclass(frozen=True)
class RenewalInfo:
    """``window`` is when a renewal is best made; None where there is nothing to renew."""

    code: str
    state: str
    standard: str
    standard_sha256: str
    standard_state: str
    outcome: str
    reason: Reason
    window: tuple[datetime, datetime] | None
    previews: tuple[Preview, ...]


def renewal_info(certifier: Certifier, code: str, now: datetime) -> RenewalInfo:
    """Raises NotFoundError for a code that no certificate has."""
    row = certifier.certificate(code)
    submission = certifier.store.submission(row.submission_id)
    record, evidence = parse_decision(submission.decision)
    shelf, digest = certifier.shelf, str(record["standard"]["sha256"])
    states = {entry.sha256: entry.state for entry in shelf.states(now)}
    report, before = open_report(submission.envelope).report, certifier.replayed(submission)
    newer = shelf.newer_than(digest, now)
    state = certifier.published.lifecycle(code)
    expires = parse_time(row.expires_at)
    reason, window = _reason(state, states.get(digest, "superseded"), expires, now)
    return RenewalInfo(
        code=code,
        state=state,
        standard=str(record["standard"]["id"]),
        standard_sha256=digest,
        standard_state=states.get(digest, "superseded"),
        outcome=row.outcome,
        reason=reason,
        window=window,
        previews=tuple(_preview(standard, before, decide(standard, report, evidence)) for standard in newer),
    )


def _reason(
    state: str, standard_state: str, expires: datetime, now: datetime
) -> tuple[Reason, tuple[datetime, datetime] | None]:
    if state == "revoked":
        return "withdrawn", None
    if now >= expires - WINDOW:
        return "expiry", (expires - WINDOW, expires)
    if standard_state != "current":
        return "standard-superseded", (now, expires)
    return "none", (expires - WINDOW, expires)


def _preview(standard: Standard, before: Verdict, after: Verdict) -> Preview:
    steps = OUTCOMES_RISING.index(after.outcome) - OUTCOMES_RISING.index(before.outcome)
    failed = {finding.rule for finding in before.findings if finding.failed}
    newly = tuple(finding.rule for finding in after.failed_must if finding.rule not in failed)
    return Preview(standard, after, "same" if not steps else "better" if steps > 0 else "worse", newly)
