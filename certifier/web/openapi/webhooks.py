"""The feed of what happened, webhook endpoints, and what is sent to them."""

from __future__ import annotations

from typing import Any

from certifier.service.events import TYPES
from certifier.service.webhooks import PING
from certifier.settings import Settings
from certifier.web import status_changes
from certifier.web.openapi.certificates import LINK
from certifier.web.openapi.parts import CURSOR, LIMIT, REF, answer, json_body, problems_with
from certifier.web.status_changes import EventBody, StatusChanges
from certifier.web.webhooks import (
    EXAMPLE_URL,
    PATH,
    DeliveryList,
    DeliveryView,
    NewWebhookEndpoint,
    RotatedSecret,
    WebhookEndpointChange,
    WebhookEndpointList,
    WebhookEndpointRequest,
    WebhookEndpointView,
)

REQUESTS = (WebhookEndpointRequest, WebhookEndpointChange)
ANSWERS = (
    StatusChanges,
    EventBody,
    WebhookEndpointView,
    NewWebhookEndpoint,
    RotatedSecret,
    WebhookEndpointList,
    DeliveryView,
    DeliveryList,
)

ENDPOINT = {
    "name": "endpoint_id",
    "in": "path",
    "required": True,
    "description": "The id of the endpoint",
    "schema": {"type": "string", "pattern": "^whk_[0-9a-f]{32}$"},
}
DELIVERY = {
    "name": "delivery_id",
    "in": "path",
    "required": True,
    "description": "The id of the delivery",
    "schema": {"type": "string", "pattern": "^dlv_[0-9a-f]{32}$"},
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the endpoint as you have read it",
    "schema": {"type": "string"},
}
# What a receiver gets, as Standard Webhooks names it.
SIGNED = {
    "webhook-id": "The event's id, the same at every attempt: drop what you have",
    "webhook-timestamp": "When this attempt was made, in Unix seconds: refuse what is more than five minutes away",
    "webhook-signature": "v1, and HMAC-SHA256 of id.timestamp.body in base64; several with spaces between, one is enough",
}
HAPPENED = {
    "certificate.issued": "A certificate was issued",
    "certificate.suspended": "A certificate was suspended: it is not valid for now",
    "certificate.reinstated": "A suspended certificate is valid again",
    "certificate.revoked": "A certificate was revoked, for the reason that is told",
    "certificate.expiring": "A certificate ends in thirty days",
    "certificate.expired": "A certificate has ended",
    "standard.published": "A version of the standard was published",
    PING: "You asked for a test",
}


ADDED: dict[str, dict[str, Any]] = {
    "withdrawals alone": {"url": EXAMPLE_URL, "types": ["certificate.revoked", "certificate.suspended"]},
    "everything": {"url": f"{EXAMPLE_URL}/all", "description": "for the catalogue"},
}
CHANGED: dict[str, dict[str, Any]] = {
    "for all events": {"types": None},
    "described anew": {"description": "for the new catalogue"},
}


def paths(_: Settings) -> dict[str, Any]:
    one = f"{PATH}/{{endpoint_id}}"
    return {
        status_changes.PATH: {"get": _feed()},
        PATH: {"post": _add(), "get": _list()},
        one: {"get": _show(), "patch": _change(), "delete": _remove()},
        f"{one}/tests": {"post": _test()},
        f"{one}/secret-rotations": {"post": _rotate()},
        f"{one}/deliveries": {"get": _deliveries()},
        "/api/v1/deliveries/{delivery_id}/redeliveries": {"post": _replay()},
    }


def webhooks() -> dict[str, Any]:
    """What this service sends to endpoints (OpenAPI 3.1, section 4.8.1.1, ``webhooks``)."""
    return {kind: {"post": _sent(kind)} for kind in (*TYPES, PING)}


def _sent(kind: str) -> dict[str, Any]:
    headers = [
        {"name": name, "in": "header", "required": True, "description": about, "schema": {"type": "string"}}
        for name, about in SIGNED.items()
    ]
    return {
        "summary": HAPPENED[kind],
        "parameters": headers,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": REF.format(model="EventBody")}}},
        },
        "responses": {
            "2XX": {"description": "Taken, within 15 seconds; anything else is tried again for about a day"},
            "410": {"description": "The endpoint is gone: nothing is sent there any more"},
        },
    }


def _feed() -> dict[str, Any]:
    after = {
        "name": "after",
        "in": "query",
        "description": "The id of an event, as ``next`` names it; without it from the oldest event that is kept",
        "schema": {"type": "string", "pattern": f"^{status_changes.EVENT_ID}$"},
    }
    number = {"type": "integer", "minimum": 1, "maximum": status_changes.MOST, "default": status_changes.USUAL}
    limit = LIMIT | {"schema": number}
    return {
        "operationId": "statusChanges",
        "summary": "What happened to certificates and standards in the last ninety days, the oldest first",
        "parameters": [after, limit],
        "responses": {"200": answer("Events, and where to go on", StatusChanges)} | problems_with(400),
    }


def _add() -> dict[str, Any]:
    return {
        "operationId": "addWebhookEndpoint",
        "summary": "Have events sent to an address of yours; the secret is in this answer alone",
        "requestBody": json_body(WebhookEndpointRequest, **ADDED),
        "responses": {"201": answer("The endpoint and its secret", NewWebhookEndpoint)}
        | problems_with(400, 409, 413, 415, 422, 503),
    }


def _list() -> dict[str, Any]:
    return {
        "operationId": "webhookEndpoints",
        "summary": "Your endpoints, without their secrets",
        "responses": {"200": answer("All of them, the oldest first", WebhookEndpointList)} | problems_with(400),
    }


def _show() -> dict[str, Any]:
    return {
        "operationId": "webhookEndpoint",
        "summary": "One endpoint, with the ETag that a change needs",
        "parameters": [ENDPOINT],
        "responses": {"200": answer("As it stands now", WebhookEndpointView)} | problems_with(400, 404),
    }


def _change() -> dict[str, Any]:
    return {
        "operationId": "changeWebhookEndpoint",
        "summary": "Change address, types or description of an endpoint, or switch it off and on",
        "parameters": [ENDPOINT, IF_MATCH],
        "requestBody": json_body(WebhookEndpointChange, **CHANGED),
        "responses": {"200": answer("As it stands now", WebhookEndpointView)}
        | problems_with(400, 404, 409, 412, 413, 415, 422, 428, 503),
    }


def _remove() -> dict[str, Any]:
    return {
        "operationId": "removeWebhookEndpoint",
        "summary": "Send nothing there any more, and forget what was delivered",
        "parameters": [ENDPOINT],
        "responses": {"204": {"description": "It is gone"}} | problems_with(400, 404),
    }


def _test() -> dict[str, Any]:
    return {
        "operationId": "testWebhookEndpoint",
        "summary": "Send an event of the type ping there, once; see in the deliveries what came of it",
        "parameters": [ENDPOINT],
        "responses": {"202": answer("It is on its way", DeliveryView)} | problems_with(400, 404, 409, 503),
    }


def _rotate() -> dict[str, Any]:
    return {
        "operationId": "rotateWebhookSecret",
        "summary": "A new secret, in this answer alone; the old one signs beside it for 24 hours",
        "parameters": [ENDPOINT],
        "responses": {"201": answer("The new secret", RotatedSecret)} | problems_with(400, 404, 412, 503),
    }


def _deliveries() -> dict[str, Any]:
    return {
        "operationId": "webhookDeliveries",
        "summary": "What was sent to an endpoint and what waits, the newest first, for ninety days",
        "parameters": [ENDPOINT, LIMIT, CURSOR],
        "responses": {"200": answer("Deliveries with what came of them", DeliveryList) | LINK}
        | problems_with(400, 404),
    }


def _replay() -> dict[str, Any]:
    return {
        "operationId": "replayDelivery",
        "summary": "Send an event again, under its own id",
        "parameters": [DELIVERY],
        "responses": {"202": answer("A new delivery of it", DeliveryView)} | problems_with(400, 404, 409, 503),
    }
