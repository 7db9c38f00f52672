"""What an operator does with an API key."""

from __future__ import annotations

from typing import Any

from certifier.certificate.code import display_code
from certifier.service.sandbox import DEMO_CODES
from certifier.settings import Settings
from certifier.web.acts import ActList, ActView, ApprovalRequest, StatusChangeRequest
from certifier.web.keys import EXAMPLE_ID
from certifier.web.openapi.parts import IDEMPOTENCY_KEY as SUBMISSION_KEY
from certifier.web.openapi.parts import answer, json_body, problems_with, query

REQUESTS = (StatusChangeRequest, ApprovalRequest)
ANSWERS = (ActView, ActList)

DRY_RUN = query("dry_run", ["false", "true"], "See whether it could be done, and do nothing")
IDEMPOTENCY_KEY = {
    **SUBMISSION_KEY,
    "description": "Names this act, so that it can be sent again: the same key and content get the first answer, as long as the "
    "record lasts.",
}
ACT_ID = {"name": "act_id", "in": "path", "required": True, "schema": {"type": "string"}}
DONE = {
    "Location": {"schema": {"type": "string"}},
    "Idempotent-Replayed": {"description": "true when this key was answered before", "schema": {"type": "string"}},
}
PARTY = {
    "a verifier": {
        "kind": "verifier",
        "reason": "application",
        "party": {
            "id": "example-verifier-2026",
            "name": "Example Verifier",
            "key": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
            "standards": ["LCAL-1.0.0"],
        },
    }
}

ACT = {
    "id": "act_0123456789abcdef01234567",
    "act": "revoke",
    "subject": display_code(DEMO_CODES["statement"]),
    "state": "revoked",
    "reason": "evidence",
    "note": "Case 12 (example)",
    "key_id": EXAMPLE_ID,
    "holder": "Example Office",
    "at": "2026-11-22T20:00:00Z",
    "log": {"origin": "label.example/2026", "index": 41},
    "dry_run": False,
}


def paths(_: Settings) -> dict[str, Any]:
    return {
        "/api/v1/revocations": {"post": _change("revoke", DEMO_CODES["statement"], "Revoke a certificate, for ever")},
        "/api/v1/suspensions": {
            "post": _change(
                "suspend", DEMO_CODES["measured"], "Suspend a certificate until it is reinstated or revoked"
            )
        },
        "/api/v1/reinstatements": {
            "post": _change("reinstate", DEMO_CODES["suspended"], "End the suspension of a certificate")
        },
        "/api/v1/approvals": {"post": _approve()},
        "/api/v1/operator-acts": {"get": _listed()},
        "/api/v1/operator-acts/{act_id}": {"get": _one()},
    }


def _change(name: str, code: str, summary: str) -> dict[str, Any]:
    example = {"code": display_code(code), "reason": "evidence", "note": "Case 12 (example)"}
    return {
        "operationId": name,
        "summary": f"{summary}; the public log tells it with the reason",
        "parameters": [DRY_RUN, IDEMPOTENCY_KEY],
        "requestBody": json_body(StatusChangeRequest, **{"a reason": example}),
        "responses": _done() | problems_with(400, 404, 409, 413, 415, 422, 503),
    }


def _approve() -> dict[str, Any]:
    return {
        "operationId": "approve",
        "summary": "Put a measuring tool's owner, a verifier or a signed statement into the register and the public log",
        "parameters": [DRY_RUN, IDEMPOTENCY_KEY],
        "requestBody": json_body(ApprovalRequest, **PARTY),
        "responses": _done() | problems_with(400, 409, 413, 415, 422, 503),
    }


def _done() -> dict[str, Any]:
    return {
        "200": answer("It could be done; nothing was", ActView),
        "201": answer("It is done, durable and public; or it was done by the same request before", ActView)
        | {"headers": DONE},
    }


def _listed() -> dict[str, Any]:
    return {
        "operationId": "operatorActs",
        "summary": "What was done with API keys of operators, the newest first",
        "responses": {"200": answer("At most 200 acts", ActList)} | problems_with(400),
    }


def _one() -> dict[str, Any]:
    told = answer("Who did it, when and why, and where the log tells it", ActView)
    told["content"]["application/json"]["example"] = ACT
    return {
        "operationId": "operatorAct",
        "summary": "One act of an operator",
        "parameters": [ACT_ID],
        "responses": {"200": told} | problems_with(400, 404),
    }
