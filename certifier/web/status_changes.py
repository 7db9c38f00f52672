"""The public feed of what happened: the oldest first, in one order for everybody, to be read on from any event.

It is the way to catch up for whoever missed a webhook, and to follow along without one.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

from flask import Response
from pydantic import Field

from certifier.service.events import KEPT, TYPES
from certifier.web.documents import Document
from certifier.web.parameters import limit_in
from certifier.web.problems import CursorExpired, ParameterInvalid
from certifier.web.responses import checked_query, json_reply
from certifier.web.site import Site

PATH = "/api/v1/status-changes"
EVENT_ID = r"evt_[0-9a-f]{32}"
MOST, USUAL = 1000, 100

EXAMPLE = {
    "id": "evt_0f6b1c7d2a9e4853b6d0f1a2c3e4d5f6",
    "type": "certificate.revoked",
    "timestamp": "2026-11-22T20:51:00Z",
    "data": {"code": "GG8W-7E5J-TV", "url": "https://label.example/v/GG8W7E5JTV", "reason": "misuse"},
}
ABOUT_DATA = (
    "Of a certificate: code and url, reason where it was suspended, reinstated or revoked, replaced_by where another one "
    "took its place (the reason is superseded then), expires_at where it comes to its end. "
    "Of a standard: standard, sha256 and url."
)


class EventBody(Document):
    """What happened. It is thin: ask for the certificate to know how it stands now."""

    type: str = Field(examples=[EXAMPLE["type"]], description=f"One of: {', '.join(TYPES)}; more may come")
    timestamp: str = Field(examples=[EXAMPLE["timestamp"]], description="When it happened, in UTC")
    data: dict[str, str] = Field(examples=[EXAMPLE["data"]], description=ABOUT_DATA)


class EventView(EventBody):
    """An event in the feed. Its id is the ``webhook-id`` of every delivery of it."""

    id: str = Field(examples=[EXAMPLE["id"]])


class StatusChanges(Document):
    """Events, the oldest first. Go on at ``next``: at once while ``has_more`` is true, else after a minute."""

    items: list[EventView]
    next: str = Field(examples=[f"{PATH}?after={EXAMPLE['id']}"], description="Where what comes later will be")
    has_more: bool


def feed(site: Site) -> Response:
    """The events after one, or from the oldest one that is kept."""
    asked = checked_query(after=None, limit=None)
    after, limit = asked["after"] or None, limit_in(asked, USUAL, MOST)
    if after is not None and not re.fullmatch(EVENT_ID, after):
        raise ParameterInvalid("This is no event.", found=after[:60], expected="its id: evt_…", pointer="after")
    rows = site.certifier.events.after(after, limit + 1)
    if rows is None:
        raise CursorExpired(
            "The feed does not hold this event.",
            found=after,
            expected=f"an event of the last {KEPT.days} days",
            hint="You may have missed events: read the feed from its beginning, and verify again what you show.",
            pointer="after",
        )
    shown = rows[:limit]
    last = shown[-1].id if shown else after
    query = {**({"after": last} if last else {}), **({"limit": str(limit)} if limit != USUAL else {})}
    document = {
        "items": [{"id": row.id, **json.loads(row.body)} for row in shown],
        "next": PATH + (f"?{urlencode(query)}" if query else ""),
        "has_more": len(rows) > limit,
    }
    return json_reply(document, "a minute")
