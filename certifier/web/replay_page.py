"""The decision behind a certificate, made again from the files that are kept here: what ``certifier replay`` does, on a page.

It is a service's word about its own files, so the page also gives the command that does the same on a reader's machine.
Running it is a POST: a crawler that follows links starts no work, every press is a run of that moment, and the queue bounds
how many run at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

from flask import Response
from werkzeug.wrappers import Response as AnyResponse

from certifier.certificate.code import display_code, parse_code
from certifier.certificate.replay import MEMBERS, Check, Fact, Replay, case_of, parse_certificate
from certifier.certificate.replay import replay as replay_case
from certifier.errors import CertifierError, StandardError
from certifier.service.shelf import Shelf
from certifier.standard.model import Standard, parse_standard
from certifier.storage.rows import CertificateRow, SubmissionRow
from certifier.web.language import N_
from certifier.web.records import row_of
from certifier.web.responses import checked_query, moved, page
from certifier.web.site import MOST_REMEMBERED_BYTES, Site

MOST_BYTES = MOST_REMEMBERED_BYTES  # of a signed report that is judged again while somebody waits: half a second

# answer -> (mark, headline, what it means)
ANSWERS = {
    "follows": (
        "valid",
        N_("The same decision again"),
        N_("From this report and this record, these rules give exactly this certificate."),
    ),
    "does_not_follow": (
        "not_valid",
        N_("Not the same"),
        N_("The certificate is not what these files and rules give. What differs stands first."),
    ),
    "cannot_tell": (
        "cannot_tell",
        N_("Cannot tell"),
        N_("Something that is needed to decide again is not here, or was written by another version of this software."),
    ),
    "unreadable": (
        "not_valid",
        N_("Not the same"),
        N_("A file that is kept here is not what was issued: it cannot be read any more."),
    ),
}
MARKS = {"ok": ("good", N_("the same")), "differs": ("bad", N_("differs")), "cannot": ("open", N_("cannot be said"))}
# What replay compares, as people say it; members of the certificate follow by their names.
CHECKS = {
    "report": N_("Signed report: digest in the certificate, and of the file"),
    "decision record": N_("Decision record: digest in the certificate, and of the file"),
    "record: report": N_("The record is about this report"),
    "record: audio": N_("The record is about this audio file"),
    "record: standard": N_("The record names this standard"),
    "signatures": N_("Signatures of the report"),
    "standard": N_("Standard: digest in the certificate, and of its files"),
    "decision again": N_("The decision, written again byte for byte"),
    "document": N_("The certificate says nothing beside its members"),
    "outcome": N_("Outcome"),
    "basis.evidence_level": N_("Evidence level"),
    "figures.assessed_g_per_min": N_("Figure that counts, g per minute"),
    "figures.central_g_per_min": N_("Best estimate, g per minute"),
    "figures.consumer_g_per_min": N_("Part of the one who generates, g per minute"),
    "figures.provider_g_per_min": N_("Part of the model's provider, g per minute"),
    "figures.limit_g_per_min": N_("Limit, g per minute"),
    "figures.data_quality": N_("Data quality"),
    "figures.post_production": N_("Post-production"),
    "figures.calculated": N_("Calculated with default values"),
    "subject.title": N_("Title"),
    "subject.artist": N_("Artist"),
    "subject.isrc": N_("ISRC"),
    "subject.audio_sha256": N_("SHA-256 of the audio file"),
    "subject.essence_sha256": N_("Digest of the samples"),
    "basis.standard": N_("Standard"),
    "basis.standard_sha256": N_("SHA-256 of the standard"),
    "basis.tables_sha256": N_("SHA-256 of its tables"),
    "basis.report_sha256": N_("SHA-256 of the report"),
    "basis.decision_sha256": N_("SHA-256 of the record"),
    "assessor.kind": N_("Kind of assessor"),
    "assessor.id": N_("Assessor"),
    "assessor.name": N_("Name of the assessor"),
    "issued_at": N_("Issued"),
    "expires_at": N_("Valid until"),
}
# Facts that every decision has; the others name a file, a signer or a tool and are shown as the record has them.
FACTS = {
    "time of the decision": N_("Clock: the time of the decision"),
    "length of the audio": N_("Audio: its length"),
    "silence in the audio": N_("Audio: silence in it"),
    "form of the audio": N_("Audio: its form"),
    "digest of the samples": N_("Audio: digest of the samples"),
    "earlier certificates of this file": N_("Ledger: earlier certificates of this file"),
    "shares of runs used up before": N_("Ledger: shares of runs used up before"),
    "electricity instruments used before": N_("Ledger: electricity instruments used before"),
    "the certificate that it renews": N_("Ledger: the certificate that it renews"),
    "registered model statements": N_("Register: statements of models"),
    "minutes made with a model": N_("Minutes made with a model"),
    "models of affiliates": N_("Models of affiliates"),
    "key of the applicant": N_("Key of the applicant"),
    "name of the assessor": N_("Register: name of the assessor"),
    "chosen by the issuer": N_("Chosen by the issuer"),
    "issuer": N_("Issuer"),
}


@dataclass(frozen=True)
class Rerun:
    """A decision made again: the answer, what it rests on, how long it took; ``fault`` is why a kept file cannot be read."""

    answer: str
    milliseconds: int
    replayed: Replay | None = None
    fault: CertifierError | None = None

    @property
    def differing(self) -> list[Check]:
        return list(self.replayed.differing) if self.replayed else []

    @property
    def of_files(self) -> list[Check]:
        return [check for check in self.replayed.checks if check.name not in MEMBERS] if self.replayed else []

    @property
    def of_members(self) -> list[Check]:
        return [check for check in self.replayed.checks if check.name in MEMBERS] if self.replayed else []

    @property
    def facts(self) -> list[Fact]:
        return list(self.replayed.facts) if self.replayed else []


def show(site: Site, name: str) -> AnyResponse:
    """What it is, the button, and the command that does the same offline."""
    checked_query()
    if (code := parse_code(name)) != name:
        return moved(f"/replay/{code}")
    return _page(site, code, None, "a minute")


def run(site: Site, name: str) -> Response:
    """Decide again, now, from what is kept here."""
    checked_query()
    code = parse_code(name)
    row = row_of(site, code)
    submission = site.certifier.store.submission(row.submission_id)
    rerun = rerun_of(row, submission, site.certifier.shelf) if _is_short(submission) else None
    return _page(site, code, rerun, "not at all")


def rerun_of(row: CertificateRow, submission: SubmissionRow, shelf: Shelf) -> Rerun:
    """The case opened and judged anew, from bytes to verdict; nothing that was worked out before is used."""
    began = monotonic()
    try:
        case = case_of(row.document or b"", submission.envelope, submission.decision)
    except CertifierError as error:
        return Rerun("unreadable", _since(began), fault=error)
    replayed = replay_case(case, _standards(shelf, case.claims.basis.standard_sha256))
    return Rerun(replayed.answer, _since(began), replayed)


def _since(began: float) -> int:
    return round((monotonic() - began) * 1000)


def _standards(shelf: Shelf, digest: str) -> list[Standard]:
    """The version of this digest, loaded from its files again; none where they are gone or damaged."""
    files = shelf.files(digest)
    try:
        return [parse_standard(files)] if files else []
    except StandardError:
        return []


def _is_short(submission: SubmissionRow) -> bool:
    return len(submission.envelope) <= MOST_BYTES


def _page(site: Site, code: str, rerun: Rerun | None, cache: str) -> Response:
    row = row_of(site, code)
    submission = site.certifier.store.submission(row.submission_id)
    response = page(
        "replay.html",
        cache,
        code=code,
        shown=display_code(code),
        title=submission.title,
        artist=submission.artist,
        is_short=_is_short(submission),
        kilobytes=MOST_BYTES // 1024,
        rerun=rerun,
        standard_sha256=_digest_named(row),
        base_url=site.settings.base_url,
        answers=ANSWERS,
        marks=MARKS,
        names=NAMES,
    )
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _digest_named(row: CertificateRow) -> str | None:
    """The digest of the standard that the certificate names; None where it cannot be read any more."""
    try:
        return parse_certificate(row.document or b"")[1].basis.standard_sha256
    except CertifierError:
        return None


NAMES: Mapping[str, str] = CHECKS | FACTS
