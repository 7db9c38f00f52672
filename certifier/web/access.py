"""The front door: who asks, whether their API key is for this (RFC 6750), and whether they ask too much.

A route with a scope takes a key. Public routes of the API take none; one that is sent there is checked all the same, so that
a wrong key is told and never silently ignored, and the limits of its holder hold in place of the network's. Pages know no keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import Response, g, request

from certifier.errors import AccessRefused, KeyInvalid, KeyMissing, ScopeMissing
from certifier.service.api_keys import FORM
from certifier.settings import Address
from certifier.web.limits import Standing, headers_of, refusal_of
from certifier.web.network import client_address, network_name
from certifier.web.site import Site

OF_THE_API = "/api/"
ANY_KEY = "*"  # the scope of what every key in force may ask
# In the WSGI environment: how the network stands that a request without a key was counted for already.
OF_NOBODY = "certifier.standing"
OR = "|"  # between scopes of which one is enough

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
    """Where the request comes from, as far as proxies can be believed."""
    return _address_in(site, request.environ)


def _address_in(site: Site, environ: dict[str, Any]) -> Address | None:
    peer, forwarded = environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", "")
    return client_address(peer, forwarded, site.settings.trusted_proxies)


def spend_as_network(site: Site, policy: str, environ: dict[str, Any]) -> Standing | None:
    """Spend one request without a key, for the network that it comes from."""
    return site.limits.spend(policy, network_name(_address_in(site, environ)), site.clock().timestamp())


def let_in(site: Site, scope: str, policy: str) -> None:
    """Let a request in, or say why not, before a byte of its body is read.

    A key that is refused counts for the network that it came from. Raises KeyMissing, KeyInvalid, KeyExpired,
    NetworkNotAllowed, ScopeMissing, RateLimited; StorageError while nobody can be known.
    """
    g.is_keyed = bool(scope)
    try:
        g.caller = _admitted(site, scope)
    except AccessRefused:
        _stand(spend_as_network(site, "reads", request.environ))
        raise
    if g.caller:
        _stand(site.limits.spend("calls", g.caller.holder, site.clock().timestamp()))
    elif OF_NOBODY in request.environ:  # admitted on the short way
        g.standing = request.environ[OF_NOBODY]
    elif policy:
        _stand(spend_as_network(site, policy, request.environ))


def charge_items(site: Site, known: Caller, number: int) -> None:
    """Spend items of a batch for the holder of a key, before they are worked on. Raises RateLimited, with nothing spent.

    The key is looked at again, so that revoking it ends a long answer too: raises KeyInvalid, KeyExpired, StorageError.
    """
    site.certifier.api_keys.check_in_force(known.key_id, site.clock())
    standing = site.limits.spend("bulk", known.holder, site.clock().timestamp(), number)
    if standing and standing.is_over:
        raise refusal_of(standing, number)


def _stand(standing: Standing | None) -> None:
    g.standing = standing
    if standing and standing.is_over:
        raise refusal_of(standing, 1)


def _admitted(site: Site, scope: str) -> Caller | None:
    found = _caller_of(site, is_needed=bool(scope)) if scope or request.path.startswith(OF_THE_API) else None
    if found and scope not in {"", ANY_KEY} and found.scopes.isdisjoint(scope.split(OR)):
        wanted = " or ".join(scope.split(OR))
        raise ScopeMissing(
            f"The API key does not have the scope {wanted}.",
            found=" ".join(sorted(found.scopes)),
            expected=wanted,
            hint="Ask the operator for a key that has it.",
        )
    return found


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


def close(response: Response) -> None:
    """What the door adds to every answer.

    That of a keyed route, a refusal too, is kept out of caches and from scripts of other sites. Limits are told on what no
    cache may give to others: there they would be somebody else's.
    """
    if g.get("is_keyed"):
        response.headers["Cache-Control"] = "private, no-store"
        for name in [name for name, _ in response.headers if name.startswith("Access-Control-")]:
            del response.headers[name]
    standing: Standing | None = g.get("standing")
    if standing and "public" not in response.headers.get("Cache-Control", ""):
        for name, value in headers_of(standing):
            response.headers.add(name, value)
