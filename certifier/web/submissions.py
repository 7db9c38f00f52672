"""From an upload to a decision, for the API and the form alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import request

from certifier.decision import parse_decision
from certifier.errors import NotFoundError
from certifier.service.certifier import Accepted, Issued, Refused
from certifier.service.examine import examine
from certifier.standard.levers import levers_document, levers_of
from certifier.storage.rows import CertificateRow, SubmissionRow
from certifier.web.documents import (
    LeversView,
    ReportCheckView,
    SubmissionView,
    check_view,
    recorded_view,
    submission_view,
    trial_view,
)
from certifier.web.problems import ParameterInvalid
from certifier.web.site import MOST_FOR_LEVERS, Site, size_of
from certifier.web.uploads import read_upload

KEY = re.compile(r"[!-~]{8,255}")


@dataclass(frozen=True)
class Taken:
    """A decided submission, with the status that HTTP gives it; ``is_replayed`` when the idempotency key was seen before."""

    view: SubmissionView
    status: int
    is_replayed: bool = False


def take_submission(site: Site) -> Taken:
    """Decide on the submission in the request's form, and keep it."""
    key = idempotency_key()
    answer = site.certifier.submit(read_upload(site.settings), site.clock(), key)
    site.metrics.decisions.labels(_counted(answer)).inc()
    if isinstance(answer, Refused):
        return Taken(submission_view(answer.submission, answer.verdict, None, None), 201, answer.replayed)
    if isinstance(answer, Accepted):
        return Taken(submission_view(answer.submission, answer.verdict, None, None), 202)
    # A repeated request gets the bytes that it got first, whatever happened to the certificate since.
    view = submission_view(
        answer.submission, answer.verdict, answer.certificate, answer.state, duplicate=answer.repeated
    )
    return Taken(view, 200 if answer.repeated else 201, answer.replayed)


def _counted(answer: Issued | Accepted | Refused) -> str:
    """The word under which a decision is counted: the outcome of a new certificate, else what became of it."""
    if not isinstance(answer, Accepted) and (answer.replayed or (isinstance(answer, Issued) and answer.repeated)):
        return "repeated"
    return "refused" if isinstance(answer, Refused) else answer.verdict.outcome


def idempotency_key() -> str | None:
    """The header's value. Raises ParameterInvalid for one that cannot be told apart reliably."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not KEY.fullmatch(key):
        raise ParameterInvalid(
            "The idempotency key cannot be used.",
            found=f"{len(key)} characters",
            expected="8 to 255 visible ASCII characters, such as a UUID",
            pointer="Idempotency-Key",
        )
    return key


def try_submission(site: Site) -> SubmissionView:
    """The same decision with nothing stored, logged or signed."""
    now = site.clock()
    examined = examine(read_upload(site.settings))
    verdict = site.certifier.decide(examined, now).verdict
    track = examined.opened.report.track
    return trial_view(verdict, title=track.title, artist=track.artist, now=now)


def check_submission(site: Site) -> ReportCheckView:
    """The same decision with nothing stored, logged or signed, and what would lift it to the next outcome."""
    now = site.clock()
    examined = examine(read_upload(site.settings))
    decision = site.certifier.decide(examined, now)
    report = examined.opened.report
    levers = None
    if size_of(report) <= MOST_FOR_LEVERS:
        levers = levers_of(decision.standard, report, decision.evidence, decision.verdict)
    return check_view(decision.verdict, levers, title=report.track.title, artist=report.track.artist, now=now)


def decision_on(site: Site, submission_id: str) -> SubmissionView:
    """A stored submission with the verdict on it. Raises NotFoundError."""
    submission = site.certifier.store.submission(submission_id)
    certificate = _certificate_of(site, submission)
    state = site.certifier.published.lifecycle(certificate.code) if certificate else None
    try:
        verdict = site.verdict_on(submission)
    except NotFoundError:
        return recorded_view(submission, parse_decision(submission.decision)[0], certificate, state)
    return submission_view(submission, verdict, certificate, state)


def levers_on(site: Site, submission_id: str) -> LeversView | None:
    """What would lift a decision to the next outcome; None for a report that is too long for that. Raises NotFoundError."""
    levers = site.levers_on(site.certifier.store.submission(submission_id))
    return LeversView.model_validate(levers_document(levers)) if levers else None


def explanation_on(site: Site, submission_id: str) -> dict[str, Any]:
    """Every line of a decision's figure with its origins, and how they add up. Raises NotFoundError."""
    document = site.explanation_on(site.certifier.store.submission(submission_id))
    if document is None:
        raise NotFoundError("This decision has no figure that could be explained.", found=submission_id[:60])
    return document


def _certificate_of(site: Site, submission: SubmissionRow) -> CertificateRow | None:
    row = site.certifier.store.certificate_for_submission(submission.id)
    return row if row and row.document else None
