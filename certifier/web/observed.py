"""What is counted and written of each request: never a body, an address, a query, a code or a key's secret."""

from __future__ import annotations

from time import perf_counter
from typing import Any, NamedTuple

import structlog
from flask import Response, g, request

from certifier.web.access import known_caller
from certifier.web.memory import NO_ROUTE
from certifier.web.site import Site

ROUTE = "certifier.route"  # in the WSGI environment: the pattern that a path fits
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}  # others are counted together

log = structlog.get_logger(__name__)


class Answered(NamedTuple):
    """What is left of a request when a stream ends."""

    request_id: str
    method: str
    route: str
    status: int
    began: float
    key: str | None


def begin() -> None:
    """Look at the clock before anything else is done for a request."""
    g.began = perf_counter()


def tell(site: Site, response: Response) -> Response:
    """Count and write an answer that had to be made; a stream when it has ended."""
    route = request.url_rule.rule if request.url_rule else NO_ROUTE
    method = request.method if request.method in METHODS else "other"
    request.environ[ROUTE] = route
    known = known_caller()
    key = known.key_id if known else None
    told = Answered(g.request_id, method, route, response.status_code, g.began, key)
    if response.is_streamed:
        response.call_on_close(lambda: tell_of(site, told))
    else:
        tell_of(site, told)
    return response


def tell_of(site: Site, told: Answered) -> None:
    """Count and write an answer that ends now."""
    seconds = perf_counter() - told.began
    site.metrics.worked(told.method, told.route, told.status, seconds)
    key = {"key": told.key} if told.key else {}
    log.info(
        "answered",
        request_id=told.request_id,
        method=told.method,
        route=told.route,
        status=told.status,
        ms=round(seconds * 1000, 1),
        **key,
    )


def tell_ready(site: Site, route: str, status: int, request_id: str) -> None:
    """Count an answer from memory; write it where every request is written."""
    site.metrics.answered("GET", route, status)
    if site.settings.log_requests == "all":
        log.info("answered", request_id=request_id, method="GET", route=route, status=status, ready=True)


def as_told(environ: dict[str, Any]) -> str:
    """The pattern that the path of a request fits, once the application has answered it."""
    return str(environ.get(ROUTE, NO_ROUTE))
