"""API keys over HTTP: which key this is, and the keys of the same holder. Keys are made by the operator alone."""

from __future__ import annotations

from flask import Response
from pydantic import Field

from certifier.service.api_keys import SCOPES, key_document
from certifier.storage.rows import ApiKeyRow
from certifier.web.access import caller
from certifier.web.documents import Document
from certifier.web.responses import checked_query, json_reply
from certifier.web.site import Site

EXAMPLE_ID = "0123456789abcdef"


class ApiKeyView(Document):
    """An API key without its secret, which nobody can tell again."""

    id: str = Field(examples=[EXAMPLE_ID])
    holder: str = Field(examples=["Example Platform"])
    scopes: list[str] = Field(examples=[list(SCOPES)[:1]])
    networks: list[str] = Field(description="Where it is good from; an empty list is anywhere")
    created_at: str
    expires_at: str | None = Field(description="null for a key without a last day")
    revoked_at: str | None
    last_used_at: str | None = Field(description="To the hour")


class ApiKeyList(Document):
    """The keys of one holder, the oldest first, also those that are over."""

    items: list[ApiKeyView]


def view_of(row: ApiKeyRow) -> ApiKeyView:
    return ApiKeyView(**key_document(row))


def listed(site: Site) -> Response:
    """The keys of the caller's holder."""
    checked_query()
    rows = site.certifier.api_keys.listed(caller().holder)
    return json_reply(ApiKeyList(items=[view_of(row) for row in rows]), "not at all")


def current(site: Site) -> Response:
    """The key that came with the request."""
    checked_query()
    rows = site.certifier.api_keys.listed(caller().holder)
    return json_reply(next(view_of(row) for row in rows if row.id == caller().key_id), "not at all")


def revoke(site: Site, key_id: str) -> Response:
    """End a key of the caller's holder, at once and everywhere; a second time changes nothing."""
    checked_query()
    return json_reply(view_of(site.certifier.api_keys.revoke(key_id, site.clock(), caller().holder)), "not at all")
