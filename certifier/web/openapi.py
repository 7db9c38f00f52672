"""The description of the API (OpenAPI 3.1), generated from the models that the answers are made of."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from certifier.certificate.integrity import CRYPTOSUITES
from certifier.report.envelope import LIMITS
from certifier.settings import Settings
from certifier.web import badges
from certifier.web.api import DIGEST, VerificationRequest
from certifier.web.complaints import ComplaintRequest, ComplaintView
from certifier.web.documents import (
    CertificateList,
    CertificateView,
    LeversView,
    RenewalView,
    ReportCheckView,
    SubmissionView,
    VerificationView,
)
from certifier.web.mine import KeyChallengeView, MyTracksRequest, MyTracksView
from certifier.web.problems import MEDIA_TYPE as PROBLEM
from certifier.web.problems import problems
from certifier.web.scheme import SchemeView
from certifier.web.uploads import MAX_CONTACT

API_VERSION = "1.0.0"
REF = "#/components/schemas/{model}"


class ErrorDetail(BaseModel):
    """One place that needs attention."""

    pointer: str | None = Field(default=None, description="JSON Pointer, or the name of a field")
    code: str
    found: str | None = None
    expected: str | None = None
    hint: str | None = None


class ProblemDetails(BaseModel):
    """RFC 9457. The members type and code never change their meaning; texts may."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[ErrorDetail] = []


MODELS: tuple[type[BaseModel], ...] = (
    SubmissionView,
    ReportCheckView,
    CertificateView,
    CertificateList,
    RenewalView,
    LeversView,
    VerificationView,
    VerificationRequest,
    KeyChallengeView,
    MyTracksRequest,
    MyTracksView,
    SchemeView,
    ComplaintRequest,
    ComplaintView,
    ProblemDetails,
)

CODE = {
    "name": "code",
    "in": "path",
    "required": True,
    "description": "The ten symbols of the certificate's code; any case, hyphens and look-alikes are understood.",
    "schema": {"type": "string", "examples": ["7K3QZ9M2XA"]},
}


IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Names this submission, so that it can be sent again: the same key and content get the same answer for 24 h.",
    "schema": {"type": "string", "minLength": 8, "maxLength": 255},
}


def openapi_document(settings: Settings) -> dict[str, Any]:
    """The whole description."""
    _, schemas = models_json_schema([(model, _mode(model)) for model in MODELS], ref_template=REF)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Low-Carbon Audio Label",
            "version": API_VERSION,
            "summary": "Submit emission reports, read decisions, verify certificates.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": _paths(settings),
        "components": {"schemas": schemas["$defs"]},
    }


def _mode(model: type[BaseModel]) -> Any:
    return "validation" if model in {VerificationRequest, ComplaintRequest, MyTracksRequest} else "serialization"


def _paths(settings: Settings) -> dict[str, Any]:
    return {
        "/api/v1/submissions": {"post": _submit(settings)},
        "/api/v1/report-checks": {"post": _check_report(settings)},
        "/api/v1/submissions/{submission_id}": {"get": _submission()},
        "/api/v1/submissions/{submission_id}/levers": {"get": _levers()},
        "/api/v1/submissions/{submission_id}/explanation": {"get": _explanation()},
        "/api/v1/certificates": {"get": _certificates()},
        "/api/v1/certificates/{code}/renewal-info": {"get": _renewal()},
        "/api/v1/complaints": {"post": _complain()},
        "/api/v1/key-challenges": {"get": _key_challenge()},
        "/api/v1/my-tracks": {"post": _my_tracks()},
        "/api/v1/verifications": {"post": _verify()},
        **_vc_api(),
        "/v/{code}": {"get": _certificate()},
        "/scheme.json": {"get": _scheme()},
        **{path: {"get": _file(about[0], path, *about[1:])} for path, about in FILES.items()},
        **_badges(),
    }


def _submission_form(settings: Settings) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["report", "audio"],
        "additionalProperties": False,
        "properties": {
            "report": {
                "type": "string",
                "description": f"The signed envelope (DSSE), at most {LIMITS.max_bytes} bytes",
            },
            "audio": {"type": "string", "description": f"The master file, at most {settings.max_upload_bytes} bytes"},
            "logs": {
                "type": "array",
                "maxItems": settings.max_logs,
                "items": {"type": "string", "description": f"A raw log, at most {settings.max_log_bytes} bytes"},
            },
            "contact": {
                "type": "string",
                "maxLength": MAX_CONTACT,
                "description": "How the operator reaches you. Private: nothing public has it",
            },
        },
    }
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def _submit(settings: Settings) -> dict[str, Any]:
    answers = {
        "200": _answer("A repeated report, or a decision that was not kept", SubmissionView),
        "201": _answer(
            "Decided: ``certified``, with certificate and proof, or ``refused``, with the reasons", SubmissionView
        )
        | {
            "headers": {
                "Location": {"schema": {"type": "string"}},
                "Idempotent-Replayed": {
                    "description": "true when this key was answered before",
                    "schema": {"type": "string"},
                },
            }
        },
        "202": _answer(
            "Accepted and durable; the certificate follows: ask again at Location, or send it again", SubmissionView
        )
        | {"headers": {name: {"schema": {"type": "string"}} for name in ("Location", "Retry-After")}},
    }
    return {
        "operationId": "submit",
        "summary": "Submit a signed report with its master and raw logs",
        "parameters": [_query("dry_run", ["false", "true"], "Decide without keeping anything"), IDEMPOTENCY_KEY],
        "requestBody": _submission_form(settings),
        "responses": answers | _problems(400, 408, 409, 413, 415, 422, 503),
    }


def _check_report(settings: Settings) -> dict[str, Any]:
    return {
        "operationId": "checkReport",
        "summary": "What a submission would get, by the same rules; nothing is stored",
        "requestBody": _submission_form(settings),
        "responses": {"200": _answer("The decision as it would be, and what would lift it", ReportCheckView)}
        | _problems(400, 408, 409, 413, 415, 422, 503),
    }


SUBMISSION = {"name": "submission_id", "in": "path", "required": True, "schema": {"type": "string"}}


def _levers() -> dict[str, Any]:
    return {
        "operationId": "levers",
        "summary": "What would reach the next outcome, each worked out by deciding again with one change",
        "parameters": [SUBMISSION],
        "responses": {"200": _answer("The levers", LeversView)} | _problems(400, 404),
    }


def _explanation() -> dict[str, Any]:
    return {
        "operationId": "explanation",
        "summary": "Every line of the figure with its factors and their sources (form lcal-explanation/1)",
        "parameters": [SUBMISSION],
        "responses": {
            "200": {"description": "The explanation", "content": {"application/json": {"schema": {"type": "object"}}}}
        }
        | _problems(400, 404),
    }


def _submission() -> dict[str, Any]:
    return {
        "operationId": "submission",
        "summary": "A submission and the decision on it",
        "parameters": [SUBMISSION],
        "responses": {"200": _answer("The decision", SubmissionView)} | _problems(400, 404),
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
        "responses": {"200": _answer("What was found; an empty list where nothing is known", CertificateList)}
        | _problems(400),
    }


def _renewal() -> dict[str, Any]:
    return {
        "operationId": "renewalInfo",
        "summary": "When to renew a certificate, and what newer versions of the standard would make of it",
        "parameters": [CODE],
        "responses": {"200": _answer("What is best done", RenewalView)} | _problems(400, 404),
    }


def _verify() -> dict[str, Any]:
    body = {"application/json": {"schema": {"$ref": REF.format(model="VerificationRequest")}}}
    return {
        "operationId": "verify",
        "summary": "Verify a certificate by its code or its file",
        "requestBody": {"required": True, "content": body},
        "responses": {"200": _answer("A completed check, whatever the verdict", VerificationView)}
        | _problems(400, 404, 413, 415, 422),
    }


def _complain() -> dict[str, Any]:
    body = {"application/json": {"schema": {"$ref": REF.format(model="ComplaintRequest")}}}
    return {
        "operationId": "complain",
        "summary": "Report a misuse of the mark or a wrong figure, or appeal against a decision",
        "requestBody": {"required": True, "content": body},
        "responses": {"201": _answer("The receipt, and by when something is done", ComplaintView)}
        | _problems(400, 413, 415, 429, 503),
    }


def _key_challenge() -> dict[str, Any]:
    return {
        "operationId": "keyChallenge",
        "summary": "A text to sign, which shows that a key is yours",
        "responses": {"200": _answer("Sign the challenge as it is", KeyChallengeView)} | _problems(400, 503),
    }


def _my_tracks() -> dict[str, Any]:
    body = {"application/json": {"schema": {"$ref": REF.format(model="MyTracksRequest")}}}
    return {
        "operationId": "myTracks",
        "summary": "What was submitted with a key, for whoever shows that it is theirs",
        "requestBody": {"required": True, "content": body},
        "responses": {"200": _answer("The submissions of this key, and of no other", MyTracksView)}
        | _problems(400, 403, 413, 415, 422, 503),
    }


def _vc_api() -> dict[str, Any]:
    """The W3C VC-API, in the form that today's test suites call."""
    credential = {"type": "object", "description": "A credential of the W3C data model 2.0"}
    asked = {
        "checks": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Taken, and never makes a check easier",
        },
        "domain": {"description": "What the proof must have been made for", "type": ["string", "array"]},
        "challenge": {"type": "string", "description": "What the proof must answer"},
        "expectedProofPurpose": {"enum": ["assertionMethod", "authentication"]},
    }
    chosen = {
        "cryptosuite": {"enum": list(CRYPTOSUITES), "default": CRYPTOSUITES[0]},
        "created": {"type": "string", "format": "date-time"},
        "credentialId": {"type": "string", "format": "uri"},
        "credentialStatus": {"type": "boolean", "description": "Give it places in the sandbox's status lists"},
    }
    issued = {"description": "The signed credential", "content": {"application/json": {"schema": credential}}}
    return {
        "/vc-api/credentials/issue": {
            "post": {
                "operationId": "vcIssue",
                "summary": "Sign any credential with the key of a sandbox; never in production",
                "requestBody": _vc_body("credential", chosen),
                "responses": {"201": issued} | _problems(400, 403, 413, 415, 503),
            }
        },
        "/vc-api/credentials/verify": {
            "post": _vc_verify("vcVerifyCredential", "Verify a credential of anybody", "verifiableCredential", asked)
        },
        "/vc-api/presentations/verify": {
            "post": _vc_verify(
                "vcVerifyPresentation",
                "Verify a presentation and every credential in it",
                "verifiablePresentation",
                asked,
            )
        },
        "/vc-api/status/{purpose}/1": {"get": _file("vcStatusList", *VC_STATUS)},
    }


VC_STATUS = ("/vc-api/status/{purpose}/1", "The status list of a sandbox, on which nothing is set", "application/vc")
VC_PROBLEM = {
    "type": "object",
    "required": ["type", "code", "title", "detail"],
    "properties": {
        name: {"type": "string"} for name in ("type", "code", "title", "detail", "found", "expected", "hint")
    },
}
VC_RESULT = {
    "type": "object",
    "required": ["verified", "problemDetails", "errors", "warnings"],
    "properties": {
        "verified": {"type": "boolean"},
        "problemDetails": {"type": "array", "items": VC_PROBLEM},
        "errors": {"type": "array", "items": {"type": "string"}},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "verdict": {"type": "string", "description": "Of a certificate of this label: what its verification says"},
    },
}


def _vc_body(member: str, options: dict[str, Any]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": [member],
        "properties": {member: {"type": "object"}, "options": {"type": "object", "properties": options}},
    }
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _vc_verify(operation: str, summary: str, member: str, options: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": VC_RESULT}}
    problems = _problems(400, 413, 415, 503)
    failed = {
        "description": f"It does not verify, for the reasons given; or: {problems['400']['description']}",
        "content": content | problems["400"]["content"],
    }
    return {
        "operationId": operation,
        "summary": summary,
        "requestBody": _vc_body(member, options),
        "responses": problems | {"200": {"description": "It verifies", "content": content}, "400": failed},
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
        | _problems(400, 404, 406),
    }


def _scheme() -> dict[str, Any]:
    return {
        "operationId": "scheme",
        "summary": "Who stands behind this installation: owner, monitoring body, parties, public use, fees, ties, complaints",
        "responses": {"200": _answer("What is stated; null is not stated", SchemeView)} | _problems(400),
    }


# path -> (operation, what it is, media type)
FILES = {
    "/v/{code}.json": ("certificateView", "The certificate as it stands now", "application/json"),
    "/v/{code}.vc": ("credential", "The signed record, byte for byte as issued", "application/vc"),
    "/v/{code}.openbadge.json": (
        "openBadge",
        "The same claims as an Open Badges 3.0 credential (eddsa-rdfc-2022)",
        "application/ld+json",
    ),
    "/v/{code}.jwt": ("jwt", "The same claims as a signed token", "application/vc+jwt"),
    "/v/{code}.cose": ("compact", "The compact form that the QR for print holds (COSE_Sign1)", "application/cose"),
    "/v/{code}.svg": ("badgeSvg", "The badge", "image/svg+xml"),
    "/v/{code}.png": ("badgePng", "The badge", "image/png"),
    "/v/{code}.pdf": ("sheetPdf", "The certificate on a sheet of A4", "application/pdf"),
    "/v/{code}.baked.svg": ("badgeBaked", "The badge with the Open Badges credential inside", "image/svg+xml"),
    "/v/{code}.qr.svg": ("printQrSvg", "The QR for print, with the compact certificate", "image/svg+xml"),
    "/v/{code}.qr.png": ("printQrPng", "The QR for print, with the compact certificate", "image/png"),
    "/v/{code}.txt": ("sentence", "The state and the sentence of the label", "text/plain"),
    "/v/{code}.tlog-proof": ("proof", "The proof that the log holds it (C2SP tlog-proof)", "text/plain"),
    "/v/{code}.report.json": ("report", "The signed report, as sent", "application/json"),
    "/v/{code}.decision.json": ("decisionRecord", "What only the issuer knew when it decided", "application/json"),
    "/v/{code}.explanation.json": ("figure", "Every line of the figure with its origins", "application/json"),
    "/v/{code}.check.json": (
        "material",
        "Certificate, proof, status lists and keys as texts, to check it oneself",
        "application/json",
    ),
    "/v/{code}.offline.html": (
        "keptPage",
        "A page that checks the certificate inside it, without a network",
        "text/html",
    ),
    "/certificate/verdict.json": ("verdictTable", "The verdict as a table of the axes", "application/json"),
    "/standards.json": ("standards", "Every version of the standard that was ever used here", "application/json"),
    "/standards/{name}/{version}.json": ("standard", "The numbers and rules of a version", "application/json"),
    "/standards/by-digest/{sha256}": ("standardFiles", "The files of a version by their digests", "application/json"),
    "/standards/by-digest/{sha256}.zip": ("standardArchive", "All files of a version", "application/zip"),
    "/standards/by-digest/{sha256}/{path}": ("standardFile", "One file of a version, byte for byte", "text/plain"),
    "/.well-known/did.json": ("did", "The issuer's keys (W3C DID)", "application/did+json"),
    "/trust.json": ("trust", "What a verifier pins", "application/json"),
    "/status/{purpose}/{number}": ("statusList", "A Bitstring Status List", "application/vc"),
    "/status/{purpose}/{number}.jwt": ("statusListToken", "A Bitstring Status List as a token", "application/vc+jwt"),
    "/status/{purpose}/{number}.openbadge.json": (
        "statusListForBadges",
        "A Bitstring Status List for software that knows eddsa-rdfc-2022 only",
        "application/ld+json",
    ),
    "/packs/latest": ("pack", "All that offline verification needs, in one signed file", "application/json"),
    "/log/checkpoint": ("checkpoint", "The log's newest signed checkpoint", "text/plain"),
    "/log/log.vkey": ("logKey", "The log's verifier key (C2SP signed-note)", "text/plain"),
    "/log/tile/{tile}": ("tile", "A hash tile or entry bundle (C2SP tlog-tiles)", "application/octet-stream"),
    "/log/{year}/checkpoint": ("checkpointOfYear", "The last checkpoint of a year's log", "text/plain"),
    "/schemas/report-v1.json": ("reportSchema", "JSON Schema of the emission report", "application/schema+json"),
}


def _badges() -> dict[str, Any]:
    """The badge kit: each format in each kind of file."""
    paths = {}
    for name in badges.pieces():
        form, _, suffix = name.partition(".")
        path = f"/v/{{code}}/badge/{name}"
        media_type = badges.MEDIA_TYPES[suffix].partition(";")[0]
        operation = _file(f"badge{form.title()}{suffix.title()}", path, f"The {form} of the badge kit", media_type)
        operation["parameters"] += [
            _query(query, list(values), BADGE_QUERIES[query])
            for query, values in badges.queries_of(form, suffix).items()
        ]
        paths[path] = {"get": operation}
    shields = _file(
        "shieldsEndpoint",
        "/v/{code}/shields.json",
        "What the shield says, as a shields.io endpoint",
        "application/json",
    )
    shields["parameters"].append(_query("region", list(badges.SHOWN_IN), BADGE_QUERIES["region"]))
    return {**paths, "/v/{code}/shields.json": {"get": shields}}


BADGE_QUERIES = {
    "art": "Live follows the status and is dated by its last check; print bears its days and never changes",
    "region": "Where it will be shown; label artwork is given where it may be shown",
    "scale": "So many times the pixels",
    "ink": "Colours, or black alone for print in one ink",
    "marks": "Crop marks around a bleed of three millimetres",
}


def _file(operation: str, path: str, about: str, media_type: str) -> dict[str, Any]:
    purpose = {"name": "purpose", "in": "path", "required": True, "schema": {"enum": ["revocation", "suspension"]}}
    parameters = [CODE] * ("{code}" in path) + [purpose] * ("{purpose}" in path)
    parameters += [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in ("number", "tile", "year", "name", "version", "sha256", "path")
        if f"{{{name}}}" in path
    ]
    schema = {"$ref": REF.format(model="CertificateView")} if operation == "certificateView" else {}
    answer = {"description": about, "content": {media_type: {"schema": schema}}}
    return {
        "operationId": operation,
        "summary": about,
        "parameters": parameters,
        "responses": {"200": answer} | _problems(400, *((404,) if parameters else ())),
    }


def _query(name: str, values: list[str], about: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": about, "schema": {"enum": values, "default": values[0]}}


def _answer(about: str, model: type[BaseModel]) -> dict[str, Any]:
    return {
        "description": about,
        "content": {"application/json": {"schema": {"$ref": REF.format(model=model.__name__)}}},
    }


def _problems(*statuses: int) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": REF.format(model="ProblemDetails")}}}
    return {str(status): {"description": ", ".join(_slugs_with(status)), "content": content} for status in statuses}


def _slugs_with(status: int) -> list[str]:
    return sorted(slug for slug, problem in problems().items() if problem.status == status)
