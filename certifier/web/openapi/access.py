"""API keys: their own operations, and what every operation says of them, as the table of routes has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from certifier.service.api_keys import FORM, SCOPES
from certifier.settings import Settings
from certifier.web.access import ANY_KEY, OF_THE_API, OR
from certifier.web.keys import EXAMPLE_ID, ApiKeyList, ApiKeyView
from certifier.web.openapi.parts import answer, problems_with

REQUESTS = ()
ANSWERS = (ApiKeyView, ApiKeyList)

SCHEME = "api_key"
SCHEMES = {
    SCHEME: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": FORM,
        "description": "An API key, which the operator makes. Scopes: "
        + "; ".join(f"``{scope}`` to {about}" for scope, about in SCOPES.items())
        + ".",
    }
}

KEY_ID = {
    "name": "key_id",
    "in": "path",
    "required": True,
    "description": "The id of the key, as the list names it: the part between kind and secret",
    "schema": {"type": "string"},
}


def paths(_: Settings) -> dict[str, Any]:
    return {
        "/api/v1/api-keys": {"get": _listed()},
        "/api/v1/api-keys/current": {"get": _current()},
        "/api/v1/api-keys/{key_id}": {"delete": _revoke()},
    }


def guarded(paths: Mapping[str, Any], scopes: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """The paths, each operation of the API with what it takes of a key and how it refuses one."""
    return {
        path: {method: _guarded(told, scopes.get((method.upper(), path), "")) for method, told in item.items()}
        if path.startswith(OF_THE_API)
        else item
        for path, item in paths.items()
    }


def _guarded(told: Mapping[str, Any], scope: str) -> dict[str, Any]:
    refused = problems_with(401, *((403,) if scope else ()), 429, 503)
    if not scope:  # a key may be sent, and is checked then
        return {**told, "security": [{}, {SCHEME: []}], "responses": {**refused, **told["responses"]}}
    enough: list[list[str]] = [[]] if scope == ANY_KEY else [[one] for one in scope.split(OR)]
    return {**told, "security": [{SCHEME: needed} for needed in enough], "responses": {**refused, **told["responses"]}}


def _listed() -> dict[str, Any]:
    return {
        "operationId": "apiKeys",
        "summary": "The API keys of the same holder, without their secrets",
        "responses": {"200": answer("Every key, also those that are over", ApiKeyList)} | problems_with(400),
    }


def _current() -> dict[str, Any]:
    return {
        "operationId": "currentApiKey",
        "summary": "The API key that is sent with this request: whose it is and what it is for",
        "responses": {"200": answer("The key without its secret", ApiKeyView)} | problems_with(400),
    }


REVOKED = {
    "id": EXAMPLE_ID,
    "holder": "Example Platform",
    "scopes": ["verify:bulk"],
    "networks": [],
    "created_at": "2026-11-22T20:00:00Z",
    "expires_at": None,
    "revoked_at": "2027-01-10T09:30:00Z",
    "last_used_at": "2027-01-10T09:00:00Z",
}


def _revoke() -> dict[str, Any]:
    told = answer("The key as it stands now, also when it was revoked before", ApiKeyView)
    told["content"]["application/json"]["example"] = REVOKED
    return {
        "operationId": "revokeApiKey",
        "summary": "Revoke an API key of the same holder, at once and everywhere; the key that is sent may be the one",
        "parameters": [KEY_ID],
        "responses": {"200": told} | problems_with(400, 404),
    }
