"""Numbers and base64 as the log's text formats write them: one value has exactly one spelling.

Both readers answer None instead of raising, since only the caller knows which document is wrong.
"""

from __future__ import annotations

import binascii
import re

MAX_NUMBER = 2**63 - 1

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


def parse_number(text: str) -> int | None:
    """A decimal below 2^63 in ASCII digits, without sign, underscore or leading zero."""
    if not _NUMBER.fullmatch(text) or int(text) > MAX_NUMBER:
        return None
    return int(text)


def parse_base64(text: str) -> bytes | None:
    """Standard base64 with padding (RFC 4648 section 4); stray characters and unused bits that are set are refused."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
    return data if to_base64(data) == text else None


def to_base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")
