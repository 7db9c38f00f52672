"""The API under ``/api/v1``: submit a report, ask about a decision, verify a certificate.

A refusal and a failed verification are answers, with status 200 or 201; errors are only what could not be answered.
"""

from __future__ import annotations

from typing import Any, TypeVar

from flask import Response, request
from pydantic import Field, ValidationError

from certifier.certificate.code import parse_code
from certifier.certificate.verification import AudioDigests, Verification
from certifier.crypto.strict_json import DEFAULT_LIMITS, parse_object
from certifier.errors import NotFoundError
from certifier.web.documents import Document, verification_bytes
from certifier.web.memory import Kept
from certifier.web.parameters import DIGEST
from certifier.web.problems import MediaTypeUnsupported, ParameterInvalid
from certifier.web.responses import JSON, checked_query, json_reply, reply
from certifier.web.site import MOST_FOR_LEVERS, RETRY_AFTER_S, Site
from certifier.web.submissions import (
    check_submission,
    decision_on,
    explanation_on,
    levers_on,
    take_submission,
    try_submission,
)
from certifier.web.verifications import check_code, check_document, document_bytes

Sent = TypeVar("Sent", bound=Document)


class AudioInQuestion(Document):
    """The file that the asker holds: SHA-256 of its bytes, and of its samples where known."""

    sha256: str = Field(pattern=DIGEST)
    essence_sha256: str | None = Field(default=None, pattern=DIGEST)


class VerificationRequest(Document):
    """Exactly one of ``code`` and ``credential``; a credential may bring its own proof (the .tlog-proof text).

    A credential is the JSON document itself, or the text of another form: a JWT, a badge SVG, the text of a print's QR.
    """

    code: str | None = Field(default=None, examples=["GG8W-7E5J-TV"])
    credential: dict[str, Any] | str | None = None
    proof: str | None = Field(default=None, max_length=64 * 1024)
    audio: AudioInQuestion | None = None


def submit(site: Site) -> Response:
    """Decide on a submission; with ``?dry_run=true`` without keeping anything."""
    if checked_query(dry_run=("false", "true"))["dry_run"] == "true":
        return json_reply(try_submission(site), "not at all")
    taken = take_submission(site)
    response = json_reply(taken.view, "not at all", Location=str(taken.view.links.self))
    response.status_code = taken.status
    if taken.status == 202:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if taken.is_replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def check_report(site: Site) -> Response:
    """What a submission would get. Nothing is stored, logged or signed."""
    checked_query()
    return json_reply(check_submission(site), "not at all")


def submission(site: Site, submission_id: str) -> Response:
    checked_query()
    return json_reply(decision_on(site, submission_id), "not at all", X_Robots_Tag="noindex")


def explanation(site: Site, submission_id: str) -> Response:
    """Every line of the figure with all its factors and where they come from, and how the lines add up to it."""
    checked_query()
    return json_reply(explanation_on(site, submission_id), "not at all", X_Robots_Tag="noindex")


def levers(site: Site, submission_id: str) -> Response:
    """What would lift the decision on a submission to the next outcome, each found by deciding again."""
    checked_query()
    view = levers_on(site, submission_id)
    if view is None:
        raise NotFoundError(
            "The levers of so long a report are not worked out here.",
            found=f"more than {MOST_FOR_LEVERS} activities and lines of hardware",
            hint="Run: certifier report check REPORT --audio FILE --log FILE",
        )
    return json_reply(view, "not at all", X_Robots_Tag="noindex")


def verify(site: Site) -> Response:
    """Check a certificate. 200 for every completed check, whatever the verdict."""
    checked_query()
    question = _verification_request()
    if question.code is None:
        return reply(_verified(site, question), JSON, "not at all")
    # The same question about the same bytes at the same moment has the same answer, which says when it was given.
    answers, asked = site.answers(), (parse_code(question.code), question.audio)
    answer = answers.get(asked)
    if answer is None:
        answer = Kept([], _verified(site, question), "")
        answers.put(asked, answer)
    return reply(answer.body, JSON, "not at all")


def _verified(site: Site, question: VerificationRequest) -> bytes:
    return verification_bytes(_verification_for(site, question), site.settings.environment)


def sent(
    model: type[Sent], what: str, unread: str = "The question cannot be read.", most: int = DEFAULT_LIMITS.max_bytes
) -> Sent:
    """The JSON document that came with a request, of at most so many bytes. ``what`` begins a sentence about it.

    Raises MediaTypeUnsupported, PayloadTooLarge, MalformedJson, and ParameterInvalid where it does not fit the model.
    """
    if request.mimetype != JSON:
        raise MediaTypeUnsupported(f"{what} in JSON.", found=request.mimetype or "none", expected=JSON)
    request.max_content_length = most
    try:
        return model.model_validate(parse_object(request.get_data()))
    except ValidationError as error:
        raise misfit(error, unread) from error


def _verification_request() -> VerificationRequest:
    question = sent(VerificationRequest, "A verification is asked for")
    if (question.code is None) == (question.credential is None):
        raise ParameterInvalid(
            "Send exactly one of 'code' and 'credential'.",
            found="both" if question.code else "none",
            expected="one",
            pointer="/code",
        )
    if question.code is not None and question.proof is not None:
        raise ParameterInvalid("A proof goes with a credential; a code has its own.", pointer="/proof")
    return question


def misfit(error: ValidationError, message: str = "The question cannot be read.") -> ParameterInvalid:
    """What is wrong first of all with a document that somebody sent."""
    first = error.errors(include_url=False, include_input=False)[0]
    pointer = "".join(f"/{step}" for step in first["loc"])
    return ParameterInvalid(message, expected=first["msg"], pointer=pointer[:200])


def _verification_for(site: Site, question: VerificationRequest) -> Verification:
    audio = AudioDigests(question.audio.sha256, question.audio.essence_sha256) if question.audio else None
    if question.code is not None:
        return check_code(site, question.code, audio)
    proof = question.proof.encode() if question.proof is not None else None
    return check_document(site, document_bytes(question.credential or {}), proof, audio)
