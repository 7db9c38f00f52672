"""Where platforms want to hear of events: their endpoints, secrets and deliveries. Sending is service/deliverer.py's.

An endpoint belongs to the holder of API keys; what belongs to another holder does not exist. A secret is told once, when it is
made. It has to be used for every delivery, so the database holds it as it is: bodies are thin, and whoever receives one asks
for the truth.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from certifier.certificate.times import time_text
from certifier.crypto.webhook_signature import SECRET_BYTES, secret_text
from certifier.egress import Egress
from certifier.errors import ConflictError, NotFoundError, PreconditionFailed
from certifier.service.events import event_of
from certifier.storage.rows import DeliveryRow, EndpointRow, NewEvent
from certifier.storage.webhooks import WebhookStore

MOST_ENDPOINTS = 20  # of one holder
BOTH_SIGN = timedelta(hours=24)  # the old secret and the new one, after a rotation
PING = "ping"
_ID = re.compile(r"(?:whk|dlv)_[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True)
class WithSecret:
    """An endpoint with the secret that is told this once."""

    endpoint: EndpointRow
    secret: str = field(repr=False)


class Webhooks:
    """Thread-safe."""

    def __init__(self, store: WebhookStore, randomness: Callable[[int], bytes]) -> None:
        self.store = store
        self._randomness = randomness

    def add(
        self, holder: str, url: str, types: Sequence[str], description: str, egress: Egress, now: datetime
    ) -> WithSecret:
        """Begin to deliver to an address; ``types`` empty for all events.

        Raises AddressRefused when it is not public, ConflictError when the holder has it already, or has too many.
        """
        egress.check_address(url)
        secret = self._new_secret()
        row = EndpointRow(
            self._new_id("whk"), holder, url, description, _in_order(types), secret, created_at=time_text(now)
        )
        if not self.store.add(row, MOST_ENDPOINTS):
            raise ConflictError(
                "You have as many endpoints as one holder may have.",
                expected=f"at most {MOST_ENDPOINTS}",
                hint="Delete one that is not used any more.",
            )
        return WithSecret(row, secret)

    def all_of(self, holder: str | None = None) -> list[EndpointRow]:
        """The endpoints of a holder, or of all of them; the oldest first."""
        return self.store.endpoints(holder)

    def one(self, endpoint_id: str, holder: str | None = None) -> EndpointRow:
        """An endpoint, of this holder where one is named. Raises NotFoundError."""
        row = self.store.endpoint(endpoint_id) if _ID.fullmatch(endpoint_id) else None
        if row is None or holder not in {None, row.holder}:
            raise NotFoundError("There is no such webhook endpoint.", found=endpoint_id[:60])
        return row

    def change(self, row: EndpointRow, changes: dict[str, Any], egress: Egress) -> EndpointRow:
        """Change ``url``, ``types``, ``description`` or ``status`` of an endpoint as it was read.

        What is switched on again begins afresh. Raises AddressRefused, ConflictError, and PreconditionFailed when somebody
        changed it meanwhile.
        """
        if changes.get("url", row.url) != row.url:
            egress.check_address(changes["url"])
        if "types" in changes:
            changes = {**changes, "types": " ".join(_in_order(changes["types"]))}
        if changes.get("status") == "active" and row.status != "active":
            changes = {**changes, "disabled_because": None, "failing_since": None, "failures": 0, "rests_until": None}
        if changes.get("status") == "disabled" and row.status == "active":
            changes = {**changes, "disabled_because": "owner"}
        self._changed(row, changes)
        return self.one(row.id)

    def rotate(self, row: EndpointRow, now: datetime) -> WithSecret:
        """Give an endpoint a new secret; the one of before signs beside it for a day more."""
        secret = self._new_secret()
        until = time_text(now + BOTH_SIGN)
        self._changed(row, {"secret": secret, "old_secret": row.secret, "old_secret_until": until})
        return WithSecret(self.one(row.id), secret)

    def remove(self, row: EndpointRow) -> None:
        self.store.remove(row.id)

    def ping(self, row: EndpointRow, now: datetime) -> DeliveryRow:
        """Send one event of the type ``ping``, tried once. Raises ConflictError where the endpoint is switched off."""
        self._check_active(row)
        event = event_of(PING, time_text(now), {"endpoint": row.id}, self._randomness(16).hex())
        return self.store.add_delivery(self._new_id("dlv"), row.id, event, now)

    def replay(self, delivery: DeliveryRow, now: datetime) -> DeliveryRow:
        """Deliver the same event again, under its own id. Raises ConflictError where the endpoint is switched off."""
        self._check_active(self.one(delivery.endpoint_id))
        event = NewEvent(delivery.event_id, delivery.type, delivery.body)
        return self.store.add_delivery(self._new_id("dlv"), delivery.endpoint_id, event, now)

    def deliveries(self, row: EndpointRow, limit: int, below: int | None = None) -> list[DeliveryRow]:
        """The deliveries to an endpoint with numbers below one, the newest first."""
        return self.store.deliveries_of(row.id, limit, below=below)

    def delivery(self, delivery_id: str, holder: str | None = None) -> DeliveryRow:
        """A delivery, of this holder where one is named. Raises NotFoundError."""
        row = self.store.delivery(delivery_id) if _ID.fullmatch(delivery_id) else None
        endpoint = self.store.endpoint(row.endpoint_id) if row else None
        if row is None or endpoint is None or holder not in {None, endpoint.holder}:
            raise _no_delivery(delivery_id)
        return row

    def _changed(self, row: EndpointRow, changes: dict[str, Any]) -> None:
        if not self.store.change(row, changes):
            raise PreconditionFailed("The endpoint was changed meanwhile.", found=row.id, hint="Get it again.")

    def _check_active(self, row: EndpointRow) -> None:
        if row.status != "active":
            raise ConflictError(
                "Nothing is delivered to a disabled endpoint.",
                found=f"{row.id}: disabled ({row.disabled_because})",
                hint='Switch it on with PATCH and {"status": "active"}.',
            )

    def _new_id(self, kind: str) -> str:
        return f"{kind}_{self._randomness(16).hex()}"

    def _new_secret(self) -> str:
        return secret_text(self._randomness(SECRET_BYTES))


def signing_secrets(row: EndpointRow, now: datetime) -> tuple[str, ...]:
    """The secrets that sign now, the newest first."""
    old = row.old_secret if row.old_secret and time_text(now) < (row.old_secret_until or "") else None
    return (row.secret, old) if old else (row.secret,)


def endpoint_document(row: EndpointRow) -> dict[str, Any]:
    """An endpoint as it is shown; never with its secrets."""
    return {
        "id": row.id,
        "holder": row.holder,
        "url": row.url,
        "types": list(row.types) or None,
        "description": row.description,
        "status": row.status,
        "disabled_because": row.disabled_because,
        "failing_since": row.failing_since,
        "created_at": row.created_at,
    }


def delivery_document(row: DeliveryRow) -> dict[str, Any]:
    """A delivery as it is shown."""
    return {
        "id": row.id,
        "endpoint": row.endpoint_id,
        "event_id": row.event_id,
        "type": row.type,
        "state": row.state,
        "created_at": row.created_at,
        "attempts": row.attempts,
        "attempted_at": row.attempted_at,
        "http_status": row.http_status,
        "told": row.told,
        "next_attempt_at": row.due_at if row.state == "waiting" else None,
    }


def _in_order(types: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(types))


def _no_delivery(delivery_id: str) -> NotFoundError:
    return NotFoundError("There is no such delivery.", found=delivery_id[:60])
