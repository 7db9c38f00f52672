"""Finding certificates, and a certificate in each of its forms."""

from __future__ import annotations

from typing import Any

from certifier.settings import Settings
from certifier.web import badges
from certifier.web.api import DIGEST
from certifier.web.documents import CertificateList, CertificateView, RenewalView
from certifier.web.openapi.parts import CODE, REF, answer, file_at, problems_with, query

REQUESTS = ()
ANSWERS = (CertificateView, CertificateList, RenewalView)


def paths(_: Settings) -> dict[str, Any]:
    return {
        "/api/v1/certificates": {"get": _certificates()},
        "/api/v1/certificates/{code}/renewal-info": {"get": _renewal()},
        "/v/{code}": {"get": _certificate()},
        **_badges(),
    }


def _certificates() -> dict[str, Any]:
    digest = {"type": "string", "pattern": DIGEST}
    named = {
        "sha256": "SHA-256 of the audio file's bytes, in small hexadecimal digits",
        "essence_sha256": "Instead: SHA-256 of its samples (essence/1), which WAV, FLAC and AIFF of one master share",
    }
    return {
        "operationId": "certificates",
        "summary": "The certificates for an audio file, the newest first",
        "parameters": [
            {"name": name, "in": "query", "description": about, "schema": digest} for name, about in named.items()
        ],
        "responses": {"200": answer("What was found; an empty list where nothing is known", CertificateList)}
        | problems_with(400),
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
        "application/json": {"schema": {"$ref": REF.format(model="CertificateView")}},
        "application/vc": {"schema": {"type": "object"}},
        "image/svg+xml": {"schema": {"type": "string"}},
        "image/png": {"schema": {"type": "string"}},
        "text/plain": {"schema": {"type": "string"}},
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
