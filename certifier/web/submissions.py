"""From an upload to a decision, for the API and the form alike."""

from __future__ import annotations

from dataclasses import dataclass

from certifier.service.certifier import Issued
from certifier.service.examine import examine
from certifier.storage.store import CertificateRow, SubmissionRow
from certifier.web.documents import SubmissionView, submission_view, trial_view
from certifier.web.site import Site
from certifier.web.uploads import read_upload


@dataclass(frozen=True)
class Taken:
    """A decided submission; ``is_new`` is false when the same report had its certificate already."""

    view: SubmissionView
    is_new: bool


def take_submission(site: Site) -> Taken:
    """Decide on the submission in the request's form, and keep it."""
    answer = site.certifier.submit(read_upload(site.settings), site.clock())
    repeated = isinstance(answer, Issued) and answer.repeated
    return Taken(decision_on(site, answer.submission_id, duplicate=repeated), not repeated)


def try_submission(site: Site) -> SubmissionView:
    """The same decision with nothing stored, logged or signed."""
    now = site.clock()
    examined = examine(read_upload(site.settings))
    verdict = site.certifier.decide(examined, now).verdict
    track = examined.opened.report.track
    return trial_view(verdict, title=track.title, artist=track.artist, now=now)


def decision_on(site: Site, submission_id: str, *, duplicate: bool = False) -> SubmissionView:
    """A stored submission with the verdict on it. Raises NotFoundError."""
    submission = site.certifier.store.submission(submission_id)
    certificate = _certificate_of(site, submission)
    state = site.certifier.lifecycle(certificate.code) if certificate else None
    return submission_view(submission, site.verdict_on(submission), certificate, state, duplicate=duplicate)


def _certificate_of(site: Site, submission: SubmissionRow) -> CertificateRow | None:
    row = site.certifier.store.certificate_for_submission(submission.id)
    return row if row and row.document else None
