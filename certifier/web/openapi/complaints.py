"""Complaints and reports of misuse."""

from __future__ import annotations

from typing import Any

from certifier.certificate.code import display_code
from certifier.service.sandbox import DEMO_CODES
from certifier.settings import Settings
from certifier.web.complaints import ComplaintRequest, ComplaintView
from certifier.web.openapi.parts import answer, json_body, problems_with

REQUESTS = (ComplaintRequest,)
ANSWERS = (ComplaintView,)


def paths(_: Settings) -> dict[str, Any]:
    return {"/api/v1/complaints": {"post": _complain()}}


EXAMPLES = {
    "a misuse": {
        "kind": "misuse",
        "code": display_code(DEMO_CODES["class-1"]),
        "place": "https://shop.example.org/track",
        "text": "A label with this code is on another recording (example).",
    }
}


def _complain() -> dict[str, Any]:
    return {
        "operationId": "complain",
        "summary": "Report a misuse of the mark or a wrong figure, or appeal against a decision",
        "requestBody": json_body(ComplaintRequest, **EXAMPLES),
        "responses": {"201": answer("The receipt, and by when something is done", ComplaintView)}
        | problems_with(400, 413, 415, 429, 503),
    }
