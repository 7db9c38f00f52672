"""Finding certificates, and a certificate in each of its forms."""

from __future__ import annotations

from typing import Any

from certifier.settings import Settings
from certifier.web import badges
from certifier.web.certificate_api import BY_TYPE
from certifier.web.documents import (
    CertificateList,
    CertificateView,
    RenewalView,
    StatusView,
    VerificationView,
    WithdrawnList,
)
from certifier.web.openapi.parts import CODE, CURSOR, LIMIT, REF, answer, file_at, problems_with, query
from certifier.web.parameters import DIGEST
from certifier.web.register import FORMS, MOST_TYPED, STATES

REQUESTS = ()
ANSWERS = (CertificateView, CertificateList, WithdrawnList, StatusView, RenewalView)


def paths(_: Settings) -> dict[str, Any]:
    return {
        "/api/v1/certificates": {"get": _certificates()},
        "/api/v1/certificates/{code}": {"get": _certificate_of()},
        "/api/v1/certificates/{code}/status": {"get": _status()},
        "/api/v1/certificates/{code}/verification": {"get": _verification()},
        "/api/v1/certificates/{code}/renewal-info": {"get": _renewal()},
        **{path: {"get": file_at(about[0], path, *about[1:])} for path, about in FILES.items()},
        "/api/v1/withdrawn-certificates": {"get": _withdrawn()},
        "/v/{code}": {"get": _certificate()},
        **_badges(),
    }


# path -> (operation, what it is, media type)
FILES = {
    "/api/v1/certificates/{code}/decision-record": (
        "decisionRecordOf",
        "What only the issuer knew when it decided; its digest stands in the certificate",
        "application/json",
    ),
    "/api/v1/certificates/{code}/report": ("reportOf", "The signed report, byte for byte as sent", "application/json"),
    "/api/v1/certificates/{code}/log-proof": (
        "logProofOf",
        "The proof that the log holds the certificate (C2SP tlog-proof)",
        "text/plain",
    ),
}


def _asked(name: str, about: str, example: str | None = None, **schema: Any) -> dict[str, Any]:
    """A parameter of the query. A test asks for each example alone."""
    told = {"name": name, "in": "query", "description": about, "schema": {"type": "string"} | schema}
    return told if example is None else told | {"example": example}


SHA256 = _asked("sha256", "SHA-256 of the audio file's bytes, in small hexadecimal digits", pattern=DIGEST)
ESSENCE = _asked(
    "essence_sha256", "SHA-256 of its samples (essence/1), which WAV, FLAC and AIFF of one master share", pattern=DIGEST
)


def _certificates() -> dict[str, Any]:
    words = {"maxLength": MOST_TYPED}
    return {
        "operationId": "certificates",
        "summary": "The certificates that fit all that is asked for, the newest first; without a question, all of them",
        "parameters": [
            _asked("isrc", "ISRC of the recording, with or without hyphens", "XXABC2600001"),
            SHA256,
            ESSENCE,
            _asked("title", "Words of the title, in any order, without case and accents", "example", **words),
            _asked("artist", "Words of the artist's name, likewise", "example", **words),
            _asked("q", "What somebody typed: words of both, a code, an ISRC or a SHA-256", "example", **words),
            query("tier", list(FORMS), "The outcome of the certificate"),
            query("status", list(STATES), "How it stands now"),
            _asked("standard", "The version of the standard behind it", "LCAL-1.0.0"),
            _asked("issued_after", "Issued later than this moment; a day stands for its beginning", "2020-01-01"),
            LIMIT,
            CURSOR,
        ],
        "responses": {
            "200": answer("What was found, in pages; an empty list where nothing fits", CertificateList) | LINK
        }
        | problems_with(400),
    }


LINK = {"headers": {"Link": {"description": "The next page, as rel=next", "schema": {"type": "string"}}}}


def _withdrawn() -> dict[str, Any]:
    return {
        "operationId": "withdrawnCertificates",
        "summary": "Everything that must not be shown any more, or not just now, the newest first",
        "parameters": [
            query("status", ["", "revoked", "suspended", "superseded"], "Only those that stand so"),
            LIMIT,
            CURSOR,
        ],
        "responses": {"200": answer("What was withdrawn, in pages", WithdrawnList) | LINK} | problems_with(400),
    }


def _certificate_of() -> dict[str, Any]:
    suffixes = ", ".join(f"``.{suffix}``" for suffix in BY_TYPE.values())
    forms: dict[str, Any] = {media_type: {"schema": {}} for media_type in BY_TYPE}
    forms["application/json"] = {"schema": {"$ref": REF.format(model="CertificateView")}}
    return {
        "operationId": "certificateOf",
        "summary": "A certificate as it stands now, in the form that Accept asks for",
        "description": f"A suffix behind the code asks for the same: {suffixes}. Content-Location names the form that came.",
        "parameters": [CODE],
        "responses": {"200": {"description": "The certificate", "content": forms}} | problems_with(400, 404, 406, 503),
    }


def _status() -> dict[str, Any]:
    return {
        "operationId": "statusOf",
        "summary": "How a certificate stands now, and each change of its status in the log",
        "parameters": [CODE],
        "responses": {"200": answer("Its status", StatusView)} | problems_with(400, 404),
    }


def _verification() -> dict[str, Any]:
    return {
        "operationId": "verificationOf",
        "summary": "Verify a certificate by its code, with a GET that caches may keep for a minute",
        "parameters": [CODE, SHA256, ESSENCE],
        "responses": {"200": answer("A completed check, whatever the verdict", VerificationView)}
        | problems_with(400, 404),
    }


def _renewal() -> dict[str, Any]:
    return {
        "operationId": "renewalInfo",
        "summary": "When to renew a certificate, and what newer versions of the standard would make of it",
        "parameters": [CODE],
        "responses": {"200": answer("What is best done", RenewalView)} | problems_with(400, 404),
    }


def _certificate() -> dict[str, Any]:
    forms = {
        "text/html": {"schema": {"type": "string"}},
        **{media_type: {"schema": {}} for media_type in BY_TYPE},
        "application/json": {"schema": {"$ref": REF.format(model="CertificateView")}},
    }
    return {
        "operationId": "certificate",
        "summary": "A certificate in the form that Accept asks for",
        "parameters": [CODE],
        "responses": {
            "200": {"description": "The certificate as it stands now", "content": forms},
            "301": {"description": "Another spelling of the code"},
        }
        | problems_with(400, 404, 406),
    }


def _badges() -> dict[str, Any]:
    """The badge kit: each format in each kind of file."""
    paths = {}
    for piece in badges.pieces():
        form, _, suffix = piece.partition(".")
        path = f"/v/{{code}}/badge/{piece}"
        media_type = badges.MEDIA_TYPES[suffix].partition(";")[0]
        operation = file_at(f"badge{form.title()}{suffix.title()}", path, f"The {form} of the badge kit", media_type)
        operation["parameters"] += [
            query(name, list(values), BADGE_QUERIES[name]) for name, values in badges.queries_of(form, suffix).items()
        ]
        paths[path] = {"get": operation}
    shields = file_at(
        "shieldsEndpoint",
        "/v/{code}/shields.json",
        "What the shield says, as a shields.io endpoint",
        "application/json",
    )
    shields["parameters"].append(query("region", list(badges.SHOWN_IN), BADGE_QUERIES["region"]))
    return {**paths, "/v/{code}/shields.json": {"get": shields}}


BADGE_QUERIES = {
    "art": "Live follows the status and is dated by its last check; print bears its days and never changes",
    "region": "Where it will be shown; label artwork is given where it may be shown",
    "scale": "So many times the pixels",
    "ink": "Colours, or black alone for print in one ink",
    "marks": "Crop marks around a bleed of three millimetres",
}
