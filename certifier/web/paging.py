"""Lists in pages: where the next page begins is told by a cursor, which is signed, made for one question, and counts for a day.

A cursor names a place between two things, not a number of them, so nothing is shown twice or left out when a list grows. Its key
follows from one of the installation's own keys (``Site.cursor_key``): every replica knows it, and nothing has to be shared.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from pydantic import BaseModel

from certifier.certificate.times import time_text
from certifier.crypto.strict_json import parse_object
from certifier.errors import MalformedJson
from certifier.web.parameters import limit_in
from certifier.web.problems import CursorExpired, ParameterInvalid
from certifier.web.responses import JSON, reply
from certifier.web.site import Site

USUAL, MOST = 50, 200  # on a page
LASTS = timedelta(hours=24)
LONGEST = 1000  # characters of a cursor
_SEAL_BYTES = 32


@dataclass(frozen=True)
class Place:
    """What of a list is asked for: so many, behind this place; from the beginning where it is empty."""

    limit: int
    after: str
    question: str


def place_in(site: Site, asked: Mapping[str, str], now: datetime) -> Place:
    """Where the page begins by the parameters ``limit`` and ``cursor``; the others are the question that is asked.

    Raises ParameterInvalid, for a cursor that was not made here for this question too, and CursorExpired.
    """
    filters = sorted((name, value) for name, value in asked.items() if value and name not in ("limit", "cursor"))
    question = f"{request.path}?{urlencode(filters)}"
    after = _opened(site, question, asked["cursor"], now) if asked["cursor"] else ""
    return Place(limit_in(asked, USUAL, MOST), after, question)


def list_reply(
    site: Site, items: Sequence[BaseModel], place: Place, end: str | None, cache: str = "a minute"
) -> Response:
    """A page of a list. ``end`` is the place of its last item where there are more behind it."""
    following = None
    if end is not None:
        more = {"limit": str(place.limit)} if place.limit != USUAL else {}
        more["cursor"] = _sealed(site, place.question, end, site.minute())
        following = f"{place.question}{'' if place.question.endswith('?') else '&'}{urlencode(more)}"
    inside = ",".join(item.model_dump_json(by_alias=True) for item in items)
    link = {"Link": f'<{following}>; rel="next"'} if following else {}
    return reply(f'{{"items":[{inside}],"next":{json.dumps(following)}}}', JSON, cache, **link)


def _sealed(site: Site, question: str, end: str, now: datetime) -> str:
    method, key = site.cursor_key(now)
    told = json.dumps({"after": end, "by": method, "until": time_text(now + LASTS)}, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_seal(key, question, told) + told).decode().rstrip("=")


def _seal(key: bytes, question: str, told: bytes) -> bytes:
    return hmac.digest(key, question.encode() + b"\n" + told, "sha256")


def _opened(site: Site, question: str, cursor: str, now: datetime) -> str:
    """The place that a cursor of ours names."""
    try:
        raw = base64.b64decode(cursor[:LONGEST] + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        seal, told = raw[:_SEAL_BYTES], parse_object(raw[_SEAL_BYTES:])
    except (binascii.Error, ValueError, MalformedJson) as error:
        raise _made_up(cursor) from error
    if not _is_ours(site, question, seal, raw[_SEAL_BYTES:], told):
        raise _made_up(cursor)
    if told["until"] < time_text(now):
        raise CursorExpired(
            "This cursor has run out.",
            found=f"until {told['until']}",
            expected=f"one that is younger than {LASTS // timedelta(hours=1)} hours",
            hint="Ask for the list again, without a cursor.",
            pointer="cursor",
        )
    return str(told["after"])


def _is_ours(site: Site, question: str, seal: bytes, told: bytes, members: Mapping[str, Any]) -> bool:
    key = site.cursor_key_of(str(members.get("by")))
    return key is not None and hmac.compare_digest(seal, _seal(key, question, told))


def _made_up(cursor: str) -> ParameterInvalid:
    return ParameterInvalid(
        "This cursor was not made here for this list and question.",
        found=cursor[:60],
        expected="the address in 'next', as it was given",
        hint="Ask for the list again, without a cursor.",
        pointer="cursor",
    )
