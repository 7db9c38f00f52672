"""An address for every route, filled with what the world of the tests has."""

from __future__ import annotations

import re

from certifier.service.api_keys import SCOPES
from certifier.web.app import ROUTES, Route
from tests.web.access import bearer, new_key
from tests.web.conftest import World

# pattern -> what stands in its places, where that is another thing than elsewhere
SPECIAL = {
    "/v/<name>": {"name": "{code}"},
    "/V/<name>": {"name": "{code}"},
    "/docs/guides/<name>": {"name": "packs"},
    "/replay/<name>": {"name": "{code}"},
    "/status/<purpose>/<name>": {"name": "1"},
    "/log/<year>/tile/<path:path>": {"path": "0/000.p/1"},
    "/log/tile/<path:path>": {"path": "0/000.p/1"},
}
QUERIES = {"/oembed": "?url=https://label.example/v/{code}", "/v": "?code={code}"}


def address_of(world: World, route: Route) -> str:
    """Where the route answers with what exists, as far as anything does."""
    values = {
        "code": world.code,
        "name": "lcal",
        "version": "1.0.0",
        "submission_id": world.verified.submission_id,
        "sha256": world.certifier.shelf.newest.digest,
        "path": "README.md",
        "purpose": "revocation",
        "year": "2026",
        "slug": "busy",
        "table": "grids",
        "outcome": "class-1",
        "file": "square.svg",
        "receipt": "example",
        "digest": "0" * 16,
        "key_id": "0" * 16,
    } | SPECIAL.get(route.path, {})
    path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda part: values.get(part[1], "example"), route.path)
    return (path + QUERIES.get(route.path, "")).format(code=world.code)


def with_prefix(prefix: str, method: str = "") -> list[Route]:
    """The routes under an address."""
    return [route for route in ROUTES if route.path.startswith(prefix) and method in ("", route.method)]


def key_for_all(world: World) -> dict[str, str]:
    """The header of a key with every scope."""
    return bearer(new_key(world.certifier, *SCOPES))
