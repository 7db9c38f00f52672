"""What HTTP itself asks of every route, put on once: OPTIONS, preflights, and who may read an answer from another site.

Answers to public GETs that are no pages may be read by pages of other sites (CORS, Fetch Standard section 3.2), and so may the
one public POST that stores nothing. Nothing else may: keys do not belong in browsers, and pages are read by people.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import partial

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

# The POSTs that pages of other sites may send.
SHARED_POSTS = frozenset({"/api/v1/verifications"})
# What is no business of other sites: the parts of our own pages, and the state of the machine.
OWN = ("/static/", "/healthz", "/readyz", "/metrics")
EXPOSED = "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id"
SHARED = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", EXPOSED))
PREFLIGHT_S = 86_400


def is_shared(method: str, path: str, scope: str) -> bool:
    """Whether pages of other sites may read what this route answers, where that is no page itself."""
    if scope or path.startswith(OWN):
        return False
    return path in SHARED_POSTS if method == "POST" else method == "GET"


def speak_http(app: Flask, shared: AbstractSet[str]) -> None:
    """Let an application answer OPTIONS everywhere, and share the answers of these endpoints."""
    app.before_request(partial(_options, shared))
    app.after_request(partial(_share, shared))


def _options(shared: AbstractSet[str]) -> Response | None:
    """The answer to OPTIONS on any route (RFC 9110 section 9.3.7), and to what a browser asks before it sends something."""
    error = request.routing_exception
    if request.method != "OPTIONS" or not isinstance(error, MethodNotAllowed):
        return None
    methods = methods_of(error)
    response = Response(status=204, headers={"Allow": ", ".join(methods), "Cache-Control": "no-store"})
    del response.headers["Content-Type"]
    open_to_all = [method for method in methods if _endpoint(method) in shared]
    if open_to_all and request.headers.get("Access-Control-Request-Method") in (None, *open_to_all):
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = ", ".join(open_to_all)
        response.headers["Access-Control-Allow-Headers"] = "Content-Type, If-None-Match, X-Request-Id"
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_S)
    return response


def methods_of(error: MethodNotAllowed) -> list[str]:
    """The methods that an address has, in the order of the alphabet."""
    return sorted({*(error.valid_methods or ()), "OPTIONS"})


def _endpoint(method: str) -> str | None:
    """What a request of this method would reach at this address."""
    adapter = current_app.create_url_adapter(request)
    try:
        return str(adapter.match(method=method)[0]) if adapter else None
    except HTTPException:
        return None


def _share(shared: AbstractSet[str], response: Response) -> Response:
    """Errors are shared too, else a page elsewhere sees a fault of the network; and redirects, else it cannot follow them."""
    is_page = response.mimetype == "text/html" and not 300 <= response.status_code < 400
    if request.endpoint in shared and not is_page:
        for name, value in SHARED:
            response.headers[name] = value
    return response
