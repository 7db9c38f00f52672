"""Verifying certificates."""

from __future__ import annotations

from typing import Any

from certifier.settings import Settings
from certifier.web.api import VerificationRequest
from certifier.web.documents import VerificationView
from certifier.web.openapi.parts import answer, json_body, problems_with

REQUESTS = (VerificationRequest,)
ANSWERS = (VerificationView,)


def paths(_: Settings) -> dict[str, Any]:
    return {"/api/v1/verifications": {"post": _verify()}}


def _verify() -> dict[str, Any]:
    return {
        "operationId": "verify",
        "summary": "Verify a certificate by its code or its file",
        "requestBody": json_body(VerificationRequest),
        "responses": {"200": answer("A completed check, whatever the verdict", VerificationView)}
        | problems_with(400, 404, 413, 415, 422),
    }
