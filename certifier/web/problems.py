"""Every way in which a request can fail, as one table, and its answer (RFC 9457 problem details, or a page).

Types and codes are part of the interface and never change their meaning; texts may. What went wrong on our side says
nothing about our inside: it is logged under the request's id.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Flask, Response, g, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from certifier import errors
from certifier.errors import CertifierError, ForeignInputError, MalformedReport, NotFoundError
from certifier.service.api_keys import without_keys
from certifier.web.site import RETRY_AFTER_S
from certifier.web.wire import methods_of

MEDIA_TYPE = "application/problem+json"
SHOWN = 400
FINDINGS_SHOWN = 50
READ_AGAIN_S = 6 * 3600  # of a queue that people work through

log = structlog.get_logger(__name__)


class NoSuchCertificate(NotFoundError):
    """A well-formed code that was never issued here."""


class ParameterInvalid(ForeignInputError):
    """A parameter, field or header of the request cannot be used."""


class CursorExpired(ForeignInputError):
    """The place in a list was given out too long ago, or is not kept any more."""


class PayloadTooLarge(ForeignInputError):
    """One part of the request is larger than its limit."""


class MediaTypeUnsupported(ForeignInputError):
    """The request's body is of a type that is not read here."""


class NotAcceptable(ForeignInputError):
    """None of the types that the client accepts exists."""


class NotImplementedHere(ForeignInputError):
    """A form that a protocol knows and this service does not have."""


class UploadTooSlow(ForeignInputError):
    """The body did not arrive in time."""


@dataclass(frozen=True)
class Problem:
    """One kind of problem: HTTP status, stable slug, title, and what its page tells people to do."""

    status: int
    slug: str
    title: str
    about: str


_OURS = "This is our fault, not yours. Try again in a moment; if it stays, tell us the request id."

PROBLEMS: dict[type[CertifierError], Problem] = {
    ForeignInputError: Problem(
        400, "input-invalid", "What was sent cannot be used", "Mend what the answer names and send it again."
    ),
    errors.MalformedJson: Problem(
        400,
        "json-malformed",
        "The JSON cannot be read",
        "Bodies are read strictly: UTF-8 without a byte order mark, no member twice, no NaN or Infinity, and neither "
        "very deep nor very large. Mend the place that the answer names.",
    ),
    errors.MalformedKey: Problem(
        422,
        "key-malformed",
        "A public key cannot be used",
        "Keys are Ed25519 public keys written as did:key. Keys that would accept forged signatures are refused.",
    ),
    errors.MalformedEnvelope: Problem(
        422,
        "report-envelope-malformed",
        "The report is not in a signed envelope",
        "A report is sent as a DSSE envelope around an in-toto statement. The command `certifier report sign` makes one.",
    ),
    errors.MalformedReport: Problem(
        422,
        "report-schema-invalid",
        "The emission report does not fit its model",
        "Each field that needs attention is named with what was found and what is expected. "
        "The command `certifier report check` finds the same before you send anything.",
    ),
    errors.BadSignature: Problem(
        422,
        "signature-invalid",
        "A signature does not fit",
        "The bytes are not the ones that were signed, or another key signed them. Sign the final report again, "
        "and send the envelope unchanged.",
    ),
    errors.KeyNotProven: Problem(
        403,
        "key-not-proven",
        "It was not shown that the key is yours",
        "Ask for a new challenge, sign it as it is with the key that you name, and send it back within five minutes.",
    ),
    errors.MalformedAudio: Problem(
        422,
        "audio-unreadable",
        "The audio file cannot be measured",
        "Send the master as WAV, FLAC, AIFF, MP3 or OGG. The name of the file does not matter, its content does.",
    ),
    errors.TruncatedAudio: Problem(
        422,
        "audio-truncated",
        "The audio file is cut short",
        "Its header promises more sound than the file holds. Export the master again, or copy it again in full.",
    ),
    errors.AudioTooLarge: Problem(
        413,
        "audio-too-large",
        "The audio file is too large",
        "The answer names the limit. Very long works are sent in parts.",
    ),
    errors.AudioMismatch: Problem(
        422,
        "audio-digest-mismatch",
        "The audio file is not the one in the report",
        "A report names one master by its SHA-256. Send that very file, or make a report for this one.",
    ),
    errors.LogMismatch: Problem(
        422,
        "log-digest-mismatch",
        "A raw log is not one that the report names",
        "Send the logs exactly as they were when the report was signed.",
    ),
    errors.MalformedLog: Problem(
        422, "log-unreadable", "A raw log cannot be read", "Send the file as the measuring tool wrote it."
    ),
    errors.MalformedNote: Problem(
        422,
        "note-malformed",
        "The signed note cannot be read",
        "Send the checkpoint byte for byte as the log served it.",
    ),
    errors.MalformedProof: Problem(
        422, "proof-malformed", "The proof cannot be read", "Send the .tlog-proof file byte for byte as it was served."
    ),
    errors.MalformedCertificate: Problem(
        422,
        "certificate-malformed",
        "This is not a certificate of the label",
        "Send the certificate file (.json or .vc) as it was issued, or type the code that is printed on the label.",
    ),
    errors.MalformedTrust: Problem(
        422, "trust-malformed", "The trust file cannot be read", "Fetch the trust file again from its issuer."
    ),
    errors.MalformedPack: Problem(
        422, "pack-malformed", "The pack cannot be used", "Fetch the pack again from its issuer: /packs/latest."
    ),
    errors.MalformedCode: Problem(
        400,
        "code-malformed",
        "This code has a typing error",
        "A code has ten letters and digits in groups, such as 4-4-2, and its last one checks the others. "
        "Compare it with the label symbol by symbol, or scan the QR.",
    ),
    errors.MalformedCredential: Problem(
        400,
        "credential-malformed",
        "This is no credential of the W3C data model",
        "The answer names the member that does not fit the Verifiable Credentials Data Model 2.0, and what it may be.",
    ),
    errors.CredentialRefused: Problem(
        422, "credential-refused", "The credential cannot be verified", "The answer names the step that failed."
    ),
    errors.AddressRefused: Problem(
        422,
        "address-refused",
        "This service does not fetch from there",
        "Only https addresses with a public host name, on port 443, are fetched; nothing was sent to this one.",
    ),
    errors.PreconditionRequired: Problem(
        428,
        "precondition-required",
        "The change does not say what it changes",
        "Send If-Match with the ETag of the state that you have read, so that no change of somebody else is lost.",
    ),
    errors.PreconditionFailed: Problem(
        412,
        "precondition-failed",
        "It was changed meanwhile",
        "Get it again, look at what is otherwise, and send the change with the new ETag.",
    ),
    errors.ConflictError: Problem(
        409,
        "state-conflict",
        "This does not go together with what is on record",
        "Somebody changed the same thing a moment ago, or it is not possible any more. Look at the present state first.",
    ),
    errors.ReportAlreadyUsed: Problem(
        409, "report-already-used", "This report has its certificate already", "One report earns one certificate."
    ),
    errors.IdempotencyKeyReused: Problem(
        422,
        "idempotency-key-reused",
        "This idempotency key stands for another submission",
        "A key names one submission, so that the same request can be sent again. Take a new key for each.",
    ),
    errors.AccessRefused: Problem(403, "access-refused", "You may not have this", "The answer names what it takes."),
    errors.KeyMissing: Problem(
        401,
        "key-missing",
        "It takes an API key",
        "Send the key that the operator gave you in the header: Authorization: Bearer KEY.",
    ),
    errors.KeyInvalid: Problem(
        401,
        "key-invalid",
        "The API key is not one of ours",
        "It is mistyped, cut off, of another environment, or was revoked. Compare it with what you were given, "
        "or ask the operator for a new one. A key that is sent is checked, also where none is needed.",
    ),
    errors.KeyExpired: Problem(
        401, "key-expired", "The API key is out of date", "Ask the operator for the next key of the same holder."
    ),
    errors.ScopeMissing: Problem(
        403,
        "scope-missing",
        "The API key is not for this",
        "The answer names the scope that it takes. Ask the operator for a key that has it.",
    ),
    errors.NetworkNotAllowed: Problem(
        403,
        "network-not-allowed",
        "The API key is not good from this network",
        "The key was made for certain networks. Call from there, or ask the operator for another key.",
    ),
    NotFoundError: Problem(404, "not-found", "There is nothing here", "Check the address."),
    NoSuchCertificate: Problem(
        404,
        "certificate-not-found",
        "No certificate has this code",
        "The code is well formed but was never issued here. Compare it with the label. "
        "If it is printed like this, the label may be false: please report it to the issuer.",
    ),
    errors.SandboxOnly: Problem(
        403,
        "sandbox-only",
        "Only a sandbox does this",
        "Production issues certificates of the label alone, for submitted reports. "
        "Anything else is signed only where nobody can take it for a certificate.",
    ),
    errors.StandardError: Problem(500, "internal", "Something went wrong on our side", _OURS),
    errors.OperatorError: Problem(500, "internal", "Something went wrong on our side", _OURS),
    errors.ReadOnlyError: Problem(
        503,
        "read-only",
        "Nothing can be submitted just now",
        "Certificates can be verified as always. Try again later.",
    ),
    errors.StorageError: Problem(503, "dependency-unavailable", "Another service does not answer", _OURS),
    errors.BusyError: Problem(
        503, "busy", "Too much at once", "Nothing was decided. Send the same request again after the named time."
    ),
    errors.RateLimited: Problem(
        429,
        "rate-limited",
        "Too many requests",
        "The answer names the limit, its size and when it is full again, and so does the header Retry-After. "
        "The headers RateLimit-Policy and RateLimit tell on every answer how much is left. Platforms that verify much "
        "ask the operator for an API key and send batches.",
    ),
    errors.TooManyError: Problem(
        429,
        "too-many-reports",
        "Too many reports wait to be read",
        "People read every report, so only so many are taken. Send it again after the named time.",
    ),
    errors.UnreachableError: Problem(503, "dependency-unavailable", "Another service does not answer", _OURS),
    ParameterInvalid: Problem(
        400, "parameter-invalid", "A parameter cannot be used", "The answer names the parameter and what it may be."
    ),
    CursorExpired: Problem(
        400,
        "cursor-expired",
        "This place in the list is not kept any more",
        "A cursor counts for 24 hours, an event of the feed for ninety days. Ask for the list from its beginning.",
    ),
    PayloadTooLarge: Problem(413, "payload-too-large", "The request is too large", "The answer names the limit."),
    MediaTypeUnsupported: Problem(
        415, "media-type-unsupported", "This kind of body is not read here", "The answer names the types that are read."
    ),
    NotAcceptable: Problem(
        406, "not-acceptable", "It does not exist in this form", "The answer names the forms in which it exists."
    ),
    NotImplementedHere: Problem(
        501, "not-implemented", "This form is not made here", "The answer names the forms in which it exists."
    ),
    UploadTooSlow: Problem(408, "upload-too-slow", "The upload took too long", "Nothing was decided. Send it again."),
}

# What Flask itself refuses, by HTTP status.
BY_STATUS: dict[int, Problem] = {
    400: Problem(400, "request-malformed", "The request cannot be read", "Check how the request is put together."),
    404: PROBLEMS[NotFoundError],
    405: Problem(
        405, "method-not-allowed", "This method does not exist here", "The header Allow names the ones that do."
    ),
    406: PROBLEMS[NotAcceptable],
    408: PROBLEMS[UploadTooSlow],
    413: PROBLEMS[PayloadTooLarge],
    415: PROBLEMS[MediaTypeUnsupported],
    500: PROBLEMS[errors.OperatorError],
}


def problems() -> dict[str, Problem]:
    """Every kind of problem by its slug; each has a page."""
    return {problem.slug: problem for problem in (*PROBLEMS.values(), *BY_STATUS.values())}


def problem_of(error: Exception) -> Problem:
    """The kind of problem that an exception is: the nearest class in the table, else internal."""
    for kind in type(error).__mro__:
        if kind in PROBLEMS:
            return PROBLEMS[kind]
    status = error.code if isinstance(error, HTTPException) and error.code else 500
    return BY_STATUS.get(status, BY_STATUS[400] if status < 500 else BY_STATUS[500])


def problem_document(error: Exception, base_url: str, request_id: str) -> dict[str, Any]:
    """The body of RFC 9457. A problem on our side has no detail but its kind."""
    problem = problem_of(error)
    is_ours = problem.slug in {"internal", "dependency-unavailable"}
    told = error if isinstance(error, CertifierError) and not is_ours else None
    document = {
        "type": f"{base_url}/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": without_keys(told.message) if told else problem.about,
        "instance": f"urn:lcal:req:{request_id}",
        "request_id": request_id,
    }
    details = list(_details_of(told, problem.slug)) if told else []
    return {**document, "errors": details} if details else document


def _details_of(error: CertifierError, slug: str) -> Iterator[dict[str, str]]:
    if isinstance(error, MalformedReport) and error.findings:
        for finding in error.findings[:FINDINGS_SHOWN]:
            yield _detail(finding.pointer, "field-invalid", finding.found, finding.problem, error.hint)
    elif error.found or error.expected or error.hint or error.pointer:
        yield _detail(error.pointer, slug, error.found, error.expected, error.hint)


def _detail(
    pointer: str | None, code: str, found: str | None, expected: str | None, hint: str | None
) -> dict[str, str]:
    """Where it is: a JSON Pointer into the body (RFC 6901), or the name of a parameter, a field of a form or a header."""
    place = "parameter" if pointer and not pointer.startswith("/") else "pointer"
    members = {place: pointer, "code": code, "found": found, "expected": expected, "hint": hint}
    return {name: without_keys(value)[:SHOWN] for name, value in members.items() if value is not None}


def _ours(error: Exception) -> Exception:
    """What Flask says about a size in a class of its own, as our error with the limit."""
    if isinstance(error, RequestEntityTooLarge):
        return PayloadTooLarge("The request is too large.", expected=f"at most {request.max_content_length} bytes")
    return error


def answer_for(raised: Exception, base_url: str) -> Response:
    """The response to a failed request: a page for a browser, problem+json for everybody else."""
    error = _ours(raised)
    document = problem_document(error, base_url, g.request_id)
    if document["status"] >= 500 and document["status"] != 501:  # what a protocol has and we do not is no fault
        _record(error, document["status"])
    if wants_page():
        response = Response(render_template("problem.html", problem=document, about=problem_of(error).about))
    else:
        response = Response(json.dumps(document, ensure_ascii=False), content_type=MEDIA_TYPE)
    response.status_code = document["status"]
    response.headers.extend(_headers_for(error, document["status"]))
    return response


def _record(error: Exception, status: int) -> None:
    if status == 503:
        log.warning("cannot answer now", kind=type(error).__name__, request_id=g.request_id)
    else:
        # Where it happened, but no values: a foreign exception's text may quote what somebody sent.
        told = error.message if isinstance(error, CertifierError) else ""
        places = "".join(traceback.format_tb(error.__traceback__))
        kind = type(error).__name__
        path = without_keys(request.path)
        log.error("failed", request_id=g.request_id, path=path, kind=kind, told=told, places=places)


def _headers_for(error: Exception, status: int) -> dict[str, str]:
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if status == 429:
        headers["Retry-After"] = str(error.after_s if isinstance(error, errors.RateLimited) else READ_AGAIN_S)
    if isinstance(error, errors.AccessRefused):
        headers["WWW-Authenticate"] = _challenge(error)
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(methods_of(error))
    return headers


def _challenge(error: errors.AccessRefused) -> str:
    """What RFC 6750 section 3 has a server say to whoever showed no token, or not the right one."""
    if isinstance(error, errors.KeyMissing):
        return 'Bearer realm="api"'
    if isinstance(error, errors.ScopeMissing):
        return f'Bearer realm="api", error="insufficient_scope", scope="{error.expected}"'
    return 'Bearer realm="api", error="invalid_token"'


def wants_page() -> bool:
    """Whether a person reads the answer, in a browser."""
    if request.path.startswith(("/api/", "/vc-api/")):
        return False
    return request.accept_mimetypes.best_match([MEDIA_TYPE, "application/json", "text/html"]) == "text/html"


def register_problems(app: Flask, base_url: str) -> None:
    """Let every exception that leaves a view end here."""
    app.register_error_handler(Exception, lambda error: answer_for(error, base_url))
