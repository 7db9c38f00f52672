"""The short way of a plain question: POST /api/v1/verifications answered without Flask, which would take most of the time.

Plain is what nearly all clients send: JSON of a known length, no key, no query. It is admitted, read, answered, counted and
written by the functions that the application uses too. Whatever is not plain, and every question that gets another answer than
200, goes the long way from its start: problems are told in one place. Both ways give the same answer, header by header; a test
compares them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import BytesIO
from time import perf_counter
from typing import Any

from certifier.crypto.strict_json import DEFAULT_LIMITS
from certifier.web.access import OF_NOBODY, spend_as_network
from certifier.web.compression import LEAST_BYTES, gzipped, takes_gzip
from certifier.web.limits import headers_of, policy_of
from certifier.web.memory import Headers
from certifier.web.observed import Answered, tell_of
from certifier.web.ready import Application, StartResponse, request_id_of
from certifier.web.responses import CACHE, JSON
from certifier.web.site import Site
from certifier.web.verifications import answer_to
from certifier.web.wire import SHARED

METHOD, ROUTE = "POST", "/api/v1/verifications"
POLICY = policy_of(METHOD, ROUTE)
_LENGTH = re.compile(r"\d{1,8}", re.ASCII)
_ASKED_OTHERWISE = ("HTTP_AUTHORIZATION", "HTTP_TRANSFER_ENCODING", "QUERY_STRING")


class ShortWay:
    """A WSGI application around another one. Thread-safe."""

    def __init__(self, site: Site, application: Application, standing: Iterable[tuple[str, str]]) -> None:
        self._site = site
        self._application = application
        self._headers: Headers = [
            ("Content-Type", JSON),
            ("Cache-Control", CACHE["not at all"]),
            *SHARED,
            ("Vary", "Accept-Encoding"),
            *standing,
        ]

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != ROUTE or not is_plain(environ):
            return self._application(environ, start_response)
        began, site = perf_counter(), self._site
        standing = spend_as_network(site, POLICY, environ)
        if standing and standing.is_over:
            return self._application(environ, start_response)
        environ[OF_NOBODY] = standing  # spent: not to be spent again on the long way
        raw = None
        try:
            with site.place_in_queue():
                raw = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
                body = answer_to(site, raw)
        except Exception:  # noqa: BLE001 - it happens again on the long way, which tells it
            if raw is not None:
                environ["wsgi.input"] = BytesIO(raw)
            return self._application(environ, start_response)
        request_id = request_id_of(environ)
        headers = [*self._headers, ("X-Request-Id", request_id)]
        if standing:
            headers += headers_of(standing)
        if len(body) >= LEAST_BYTES and takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
            body = gzipped(body)
            headers.append(("Content-Encoding", "gzip"))
        headers.append(("Content-Length", str(len(body))))
        tell_of(site, Answered(request_id, METHOD, ROUTE, 200, began, None))
        start_response("200 OK", headers)
        return [body]


def is_plain(environ: dict[str, Any]) -> bool:
    """Whether a request is a POST of JSON that is short enough, and nothing more."""
    length = environ.get("CONTENT_LENGTH", "")
    return (
        environ["REQUEST_METHOD"] == METHOD
        and environ.get("CONTENT_TYPE") == JSON
        and _LENGTH.fullmatch(length) is not None
        and int(length) <= DEFAULT_LIMITS.max_bytes
        and not any(map(environ.get, _ASKED_OTHERWISE))
    )
