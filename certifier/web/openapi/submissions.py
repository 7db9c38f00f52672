"""Submitting, deciding, and what was submitted with a key."""

from __future__ import annotations

from typing import Any

from certifier.report.envelope import LIMITS
from certifier.settings import Settings
from certifier.web.documents import LeversView, ReportCheckView, SubmissionView
from certifier.web.mine import KeyChallengeView, MyTracksRequest, MyTracksView
from certifier.web.openapi.parts import IDEMPOTENCY_KEY, answer, json_body, problems_with, query
from certifier.web.uploads import MAX_CONTACT

REQUESTS = (MyTracksRequest,)
ANSWERS = (SubmissionView, ReportCheckView, LeversView, KeyChallengeView, MyTracksView)

SUBMISSION = {"name": "submission_id", "in": "path", "required": True, "schema": {"type": "string"}}


def paths(settings: Settings) -> dict[str, Any]:
    return {
        "/api/v1/submissions": {"post": _submit(settings)},
        "/api/v1/report-checks": {"post": _check_report(settings)},
        "/api/v1/submissions/{submission_id}": {"get": _submission()},
        "/api/v1/submissions/{submission_id}/levers": {"get": _levers()},
        "/api/v1/submissions/{submission_id}/explanation": {"get": _explanation()},
        "/api/v1/key-challenges": {"get": _key_challenge()},
        "/api/v1/my-tracks": {"post": _my_tracks()},
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
    example = {"report": "@report.dsse.json", "audio": "@track.wav", "logs": ["@emissions.csv"]}
    content = {"schema": schema, "examples": {"files of yours, after @": {"value": example}}}
    return {"required": True, "content": {"multipart/form-data": content}}


def _submit(settings: Settings) -> dict[str, Any]:
    answers = {
        "200": answer("A repeated report, or a decision that was not kept", SubmissionView),
        "201": answer(
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
        "202": answer(
            "Accepted and durable; the certificate follows: ask again at Location, or send it again", SubmissionView
        )
        | {"headers": {name: {"schema": {"type": "string"}} for name in ("Location", "Retry-After")}},
    }
    return {
        "operationId": "submit",
        "summary": "Submit a signed report with its master and raw logs",
        "parameters": [query("dry_run", ["false", "true"], "Decide without keeping anything"), IDEMPOTENCY_KEY],
        "requestBody": _submission_form(settings),
        "responses": answers | problems_with(400, 408, 409, 413, 415, 422, 503),
    }


def _check_report(settings: Settings) -> dict[str, Any]:
    return {
        "operationId": "checkReport",
        "summary": "What a submission would get, by the same rules; nothing is stored",
        "requestBody": _submission_form(settings),
        "responses": {"200": answer("The decision as it would be, and what would lift it", ReportCheckView)}
        | problems_with(400, 408, 409, 413, 415, 422, 503),
    }


def _submission() -> dict[str, Any]:
    return {
        "operationId": "submission",
        "summary": "A submission and the decision on it",
        "parameters": [SUBMISSION],
        "responses": {"200": answer("The decision", SubmissionView)} | problems_with(400, 404),
    }


def _levers() -> dict[str, Any]:
    return {
        "operationId": "levers",
        "summary": "What would reach the next outcome, each worked out by deciding again with one change",
        "parameters": [SUBMISSION],
        "responses": {"200": answer("The levers", LeversView)} | problems_with(400, 404),
    }


def _explanation() -> dict[str, Any]:
    return {
        "operationId": "explanation",
        "summary": "Every line of the figure with its factors and their sources (form lcal-explanation/1)",
        "parameters": [SUBMISSION],
        "responses": {
            "200": {"description": "The explanation", "content": {"application/json": {"schema": {"type": "object"}}}}
        }
        | problems_with(400, 404),
    }


def _key_challenge() -> dict[str, Any]:
    return {
        "operationId": "keyChallenge",
        "summary": "A text to sign, which shows that a key is yours",
        "responses": {"200": answer("Sign the challenge as it is", KeyChallengeView)} | problems_with(400, 503),
    }


EXAMPLES = {
    "a challenge that has run out": {
        "key": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "challenge": (
            "lcal-key-challenge/1\npurpose: my-tracks\nhost: label.example\nuntil: 2026-11-01T12:05:00Z\n"
            "by: did:web:label.example#key-2026\nseal: " + "0" * 128 + "\n"
        ),
        "signature": "0" * 128,
    }
}


def _my_tracks() -> dict[str, Any]:
    return {
        "operationId": "myTracks",
        "summary": "What was submitted with a key, for whoever shows that it is theirs",
        "requestBody": json_body(MyTracksRequest, **EXAMPLES),
        "responses": {"200": answer("The submissions of this key, and of no other", MyTracksView)}
        | problems_with(400, 403, 413, 415, 422, 503),
    }
