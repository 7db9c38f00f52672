"""Verifying certificates."""

from __future__ import annotations

from typing import Any

from certifier.certificate.code import display_code
from certifier.service.sandbox import DEMO_CODES
from certifier.settings import Settings
from certifier.web.api import VerificationRequest
from certifier.web.documents import VerificationView
from certifier.web.openapi.parts import answer, json_body, problems_with

REQUESTS = (VerificationRequest,)
ANSWERS = (VerificationView,)


def paths(_: Settings) -> dict[str, Any]:
    return {"/api/v1/verifications": {"post": _verify()}}


CODE = display_code(DEMO_CODES["class-1"])
EXAMPLES: dict[str, dict[str, Any]] = {
    "by its code": {"code": CODE},
    "a withdrawn one": {"code": display_code(DEMO_CODES["revoked"])},
    "with a file that it is not of": {"code": CODE, "audio": {"sha256": "0" * 64}},
}


def _verify() -> dict[str, Any]:
    return {
        "operationId": "verify",
        "summary": "Verify a certificate by its code or its file",
        "requestBody": json_body(VerificationRequest, **EXAMPLES),
        "responses": {"200": answer("A completed check, whatever the verdict", VerificationView)}
        | problems_with(400, 404, 413, 415, 422),
    }
