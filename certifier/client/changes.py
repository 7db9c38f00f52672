"""What happened to certificates, read from a service's feed; and a receiver of webhooks tried with it on one's own machine."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlsplit

import requests

from certifier.client.errors import Unavailable
from certifier.client.transport import NEAR, cause_of
from certifier.crypto.webhook_signature import signed_headers
from certifier.errors import ForeignInputError
from certifier.sessions import PlainSession

_ID = re.compile(r"[!-~]{1,100}")
RECEIVER_S = 15  # as long as the service itself waits for a receiver


@dataclass(frozen=True)
class Change:
    """One event. ``data`` is thin: ask how the certificate stands now. ``id`` is the same in the feed and in webhooks."""

    id: str
    type: str
    timestamp: str
    data: Mapping[str, Any]

    @property
    def code(self) -> str | None:
        """Of the certificate that it is about; None for an event about something else."""
        code = self.data.get("code")
        return code if isinstance(code, str) else None

    @property
    def body(self) -> bytes:
        """What a webhook of it brings."""
        return json.dumps({"type": self.type, "timestamp": self.timestamp, "data": dict(self.data)}).encode()


@dataclass(frozen=True)
class Changes:
    """A piece of the feed, the oldest first. ``has_more``: ask again at once, with the id of the last one."""

    items: tuple[Change, ...]
    has_more: bool

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Raises ForeignInputError for what is no feed."""
        items = document.get("items")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise ForeignInputError("The feed of changes cannot be read.", expected="an object with 'items'")
        return cls(tuple(map(_change, items)), document.get("has_more") is True)


def _change(item: Mapping[str, Any]) -> Change:
    data, event_id = item.get("data"), item.get("id")
    if not (isinstance(event_id, str) and _ID.fullmatch(event_id)):  # it becomes a header, and a part of an address
        raise ForeignInputError("The feed of changes cannot be read.", found=repr(event_id)[:80], expected="evt_…")
    return Change(event_id, str(item.get("type")), str(item.get("timestamp")), data if isinstance(data, dict) else {})


def forward(change: Change, url: str, secret: str, now: datetime) -> int:
    """Send an event to a receiver on this machine as a webhook would bring it, and give back the HTTP status.

    Raises ForeignInputError for an address elsewhere, Unavailable when nobody answers.
    """
    address = urlsplit(url)
    if address.scheme not in {"http", "https"} or address.hostname not in NEAR:
        raise ForeignInputError(
            "Events are forwarded to this machine alone.",
            found=url[:120],
            expected="http://127.0.0.1:PORT/PATH",
            hint="An address that is public gets them from the service: POST /api/v1/webhook-endpoints",
        )
    headers = signed_headers(change.id, change.body, [secret], now)
    try:
        with PlainSession() as session:
            session.trust_env = False
            answer = session.post(url, change.body, headers=headers, timeout=RECEIVER_S, allow_redirects=False)
    except requests.RequestException as error:
        raise Unavailable(
            "The receiver does not answer.", found=cause_of(error), hint=f"Is it running at {url}?"
        ) from error
    return answer.status_code
