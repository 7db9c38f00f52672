"""Sign deliveries of webhooks: Standard Webhooks, scheme ``v1`` (github.com/standard-webhooks/standard-webhooks, 2023)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from datetime import datetime

from certifier.errors import MalformedKey

SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with


def secret_text(key: bytes) -> str:
    """A secret as receivers get it: ``whsec_`` and the key in base64."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def parse_secret(text: str) -> bytes:
    """The key in a secret. Raises MalformedKey for a text that is none."""
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedKey("This is no secret of a webhook.", expected=f"{SECRET_PREFIX} and base64") from error
    if not key:
        raise MalformedKey("This is no secret of a webhook.", expected=f"{SECRET_PREFIX} and base64")
    return key


def signed_headers(event_id: str, body: bytes, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers of a delivery: HMAC-SHA256 over ``id.timestamp.body``, one signature for each secret.

    Raises MalformedKey for a secret that is none.
    """
    timestamp = str(int(now.timestamp()))
    signed = b".".join((event_id.encode(), timestamp.encode(), body))
    signatures = [base64.b64encode(hmac.digest(parse_secret(secret), signed, "sha256")).decode() for secret in secrets]
    return {
        "Content-Type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
