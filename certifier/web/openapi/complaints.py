"""Complaints and reports of misuse."""

from __future__ import annotations

from typing import Any

from certifier.settings import Settings
from certifier.web.complaints import ComplaintRequest, ComplaintView
from certifier.web.openapi.parts import answer, json_body, problems_with

REQUESTS = (ComplaintRequest,)
ANSWERS = (ComplaintView,)


def paths(_: Settings) -> dict[str, Any]:
    return {"/api/v1/complaints": {"post": _complain()}}


def _complain() -> dict[str, Any]:
    return {
        "operationId": "complain",
        "summary": "Report a misuse of the mark or a wrong figure, or appeal against a decision",
        "requestBody": json_body(ComplaintRequest),
        "responses": {"201": answer("The receipt, and by when something is done", ComplaintView)}
        | problems_with(400, 413, 415, 429, 503),
    }
