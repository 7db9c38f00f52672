"""Pages for people, beside the certificate's own. Each works without script; links are paths on this service."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from certifier.certificate.verification import AudioDigests, Verification
from certifier.crypto.strict_json import DEFAULT_LIMITS
from certifier.errors import NotFoundError
from certifier.web import charts
from certifier.web.browser_check import brought_by_form
from certifier.web.documents import SubmissionView, verification_view
from certifier.web.problems import MediaTypeUnsupported, ParameterInvalid, problems
from certifier.web.records import limits_of
from certifier.web.responses import checked_query, page
from certifier.web.site import Site
from certifier.web.submissions import decision_on, explanation_on, levers_on, take_submission
from certifier.web.uploads import FORM
from certifier.web.verifications import check_audio, check_code, check_document

NEWEST = 50
NEWEST_AT_START = 3
MOST_LINES = 200  # of a calculation that a page shows
_DIGEST = re.compile(r"[0-9a-f]{64}")


def start(site: Site) -> Response:
    """What this is, the three steps, and a field for a code."""
    checked_query()
    newest = site.certifier.store.newest_certificates(NEWEST_AT_START)
    return page("start.html", limits=limits_of(site.certifier.shelf.newest), newest=newest)


def register(site: Site) -> Response:
    """The newest certificates."""
    checked_query()
    newest = site.certifier.store.newest_certificates(NEWEST)
    states = {row.code: site.certifier.published.lifecycle(row.code) for row, _ in newest}
    return page("register.html", newest=newest, states=states, most=NEWEST)


def submit_form(site: Site) -> Response:
    checked_query()
    megabytes = site.settings.max_upload_bytes // 1024**2
    return page("submit.html", "five minutes", megabytes=megabytes, settings=site.settings)


def submit(site: Site) -> AnyResponse:
    """The form without script: decide, then lead to the decision."""
    checked_query()
    return redirect(str(take_submission(site).view.links.page), 303)


def decision(site: Site, submission_id: str) -> Response:
    """A decision: the outcome first, then every rule, then where the carbon came from."""
    checked_query()
    view = decision_on(site, submission_id)
    footprint = view.footprint
    limits = limits_of(site.certifier.shelf.named(view.standard) or site.certifier.shelf.newest)
    response = page(
        "decision.html",
        "not at all",
        view=view,
        levers=None if view.note else levers_on(site, submission_id),
        explanation=_explanation(site, submission_id, view),
        segments=charts.segments_of(footprint) if footprint else (),
        scale=charts.scale_of(footprint.central_g_per_min, footprint.assessed_g_per_min, limits) if footprint else None,
    )
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _explanation(site: Site, submission_id: str, view: SubmissionView) -> dict[str, Any] | None:
    """What the page shows line by line; a very long calculation is left to the JSON."""
    lines = sum(len(stage.items) for stage in view.footprint.stages) if view.footprint else 0
    return explanation_on(site, submission_id) if 0 < lines <= MOST_LINES else None


def verify_form(site: Site) -> Response:
    """The form, and the answer to a code or to the digest of a file."""
    asked = checked_query(code=None, sha256=None)
    audio = _audio(asked["sha256"])
    if asked["code"].strip():
        return _answers(site, [check_code(site, asked["code"], audio)])
    if audio is None:
        return page("verify.html", "five minutes", results=None, brought=brought_by_form(site))
    return _answers(site, check_audio(site, audio), audio)


def verify(site: Site) -> Response:
    """The answer to a certificate file, which may bring its proof."""
    checked_query()
    request.max_content_length = 2 * DEFAULT_LIMITS.max_bytes
    if request.mimetype != FORM:
        raise MediaTypeUnsupported("A certificate is sent in a form.", found=request.mimetype or "none", expected=FORM)
    file, proof = request.files.get("certificate"), request.files.get("proof")
    if file is None or not file.filename:
        raise ParameterInvalid("Choose a certificate file.", found="no file", expected="a .json or .vc file")
    audio = _audio(request.form.get("sha256", ""))
    proof_bytes = proof.stream.read() if proof is not None and proof.filename else None
    return _answers(site, [check_document(site, file.stream.read(), proof_bytes, audio)])


def _audio(text: str) -> AudioDigests | None:
    digest = text.strip().lower()
    if not digest:
        return None
    if not _DIGEST.fullmatch(digest):
        raise ParameterInvalid(
            "This is not a SHA-256.", found=digest[:80], expected="64 hexadecimal digits", pointer="sha256"
        )
    return AudioDigests(digest)


def _answers(site: Site, results: list[Verification], audio: AudioDigests | None = None) -> Response:
    views = [verification_view(result, site.settings.environment) for result in results]
    return page("verify.html", "not at all", results=views, audio=audio, brought=brought_by_form(site))


def problem(site: Site, slug: str) -> Response:  # noqa: ARG001 - every view gets the site
    """What a kind of problem means, and what to do about it."""
    checked_query()
    kinds = problems()
    if slug not in kinds:
        raise NotFoundError("There is no such kind of problem.", found=slug[:60])
    return page("problem_kind.html", "five minutes", kind=kinds[slug])
