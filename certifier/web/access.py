"""The front door: who asks, and whether their API key is for this (RFC 6750).

A route with a scope takes a key. Public routes of the API take none; one that is sent there is checked all the same, so that
a wrong key is told and never silently ignored, and what it asks counts under its own limits. Pages know no keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Response, g, request

from certifier.errors import KeyInvalid, KeyMissing, ScopeMissing
from certifier.service.api_keys import FORM
from certifier.web.network import Address, client_address
from certifier.web.site import Site

ANY_KEY = "*"  # the scope of what every key in force may ask
OF_THE_API = "/api/"

_BEARER = re.compile(r"bearer +([^ ,]+)", re.ASCII | re.IGNORECASE)
_HINT = "Send it as: Authorization: Bearer KEY"


@dataclass(frozen=True)
class Caller:
    """Whose API key came with the request."""

    key_id: str
    holder: str
    scopes: frozenset[str]


def caller() -> Caller:
    """Who asks, in a view whose route has a scope."""
    known = known_caller()
    if known is None:
        raise KeyMissing("This takes an API key.", expected=FORM, hint=_HINT)
    return known


def known_caller() -> Caller | None:
    """Who asks, where they sent a key."""
    found: Caller | None = g.get("caller")
    return found


def address_of_client(site: Site) -> Address | None:
    """Where the request comes from, as far as proxies can be believed; found once for each request."""
    if "address" not in g:
        forwarded = request.environ.get("HTTP_X_FORWARDED_FOR", "")
        g.address = client_address(request.environ.get("REMOTE_ADDR", ""), forwarded, site.settings.trusted_proxies)
    found: Address | None = g.address
    return found


def admit(site: Site, scope: str) -> None:
    """Let a request in, or say why not, before a byte of its body is read.

    Raises KeyMissing, KeyInvalid, KeyExpired, NetworkNotAllowed, ScopeMissing; StorageError while nobody can be known.
    """
    g.is_keyed = bool(scope)
    if scope or request.path.startswith(OF_THE_API):
        g.caller = _caller_of(site, is_needed=bool(scope))
    if scope not in {"", ANY_KEY} and scope not in caller().scopes:
        raise ScopeMissing(
            f"The API key does not have the scope {scope}.",
            found=" ".join(sorted(caller().scopes)),
            expected=scope,
            hint="Ask the operator for a key that has it.",
        )


def _caller_of(site: Site, *, is_needed: bool) -> Caller | None:
    header = request.headers.get("Authorization", "")
    match = _BEARER.fullmatch(header.strip(" "))
    if match:
        row = site.certifier.api_keys.find(match[1], address_of_client(site), site.clock())
        return Caller(row.id, row.holder, frozenset(row.scopes.split()))
    if header[:6].lower() == "bearer" or "lcal_" in header:  # never quoted: it may hold a key
        raise KeyInvalid(
            "The header Authorization cannot be read.", found="another form", expected="Bearer KEY, once", hint=_HINT
        )
    if is_needed:  # another scheme is a proxy's business
        raise KeyMissing("This takes an API key.", expected=FORM, hint=_HINT)
    return None


def keep_private(response: Response) -> None:
    """Keep the answer of a keyed route, a refusal too, out of caches and from scripts of other sites."""
    if g.get("is_keyed"):
        response.headers["Cache-Control"] = "private, no-store"
        for name in [name for name, _ in response.headers if name.startswith("Access-Control-")]:
            del response.headers[name]
