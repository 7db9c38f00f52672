"""The W3C VC-API, in the form that today's test suites call."""

from __future__ import annotations

from typing import Any

from certifier.certificate.integrity import CRYPTOSUITES
from certifier.settings import Settings
from certifier.web.openapi.parts import file_at, problems_with

REQUESTS = ()
ANSWERS = ()


def paths(_: Settings) -> dict[str, Any]:
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
                "responses": {"201": issued} | problems_with(400, 403, 413, 415, 503),
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
        "/vc-api/status/{purpose}/1": {"get": file_at("vcStatusList", *VC_STATUS)},
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
    problems = problems_with(400, 413, 415, 503)
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
