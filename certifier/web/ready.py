"""Ready bytes before Flask: what was answered once is answered from memory (DESIGN 14).

Only answers that allow it are remembered: 200 to a plain GET, public, without a cookie. They cost next to nothing, and no limit
counts them (web/limits.py); but an API key that is sent is looked at first. What is immutable and the same for
every client lasts: certificates, proofs, print art, the log's tiles. What caches may keep for a while, such as the page and the
badges of a certificate, lasts for the moment that it was made in: minute, size of the log, keys. So a withdrawal shows at once.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from werkzeug.http import parse_etags

from certifier.web.access import OF_THE_API
from certifier.web.memory import LONGEST_KEY, Headers, Kept, Memory
from certifier.web.observed import as_told

MAX_BYTES = 16 * 1024 * 1024  # of what lasts, and as many again of what passes
REQUEST_ID = re.compile(r"[0-9A-Za-z-]{8,64}", re.ASCII)
PER_REQUEST = {"x-request-id", "date", "server"}
OF_A_MOMENT = ("/v/", "/V/", "/status/", "/api/v1/certificates/")  # paths whose answers last for a moment

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class ReadyBytes:
    """A WSGI application around another one. ``moment`` tells what answers that may change depend on. Thread-safe.

    ``answered`` is told of each answer from memory: its route, status and request id.
    """

    def __init__(
        self,
        application: Application,
        moment: Callable[[], Hashable] | None = None,
        max_bytes: int = MAX_BYTES,
        answered: Callable[[str, int, str], object] = lambda *_: None,
    ) -> None:
        self._application = application
        self._moment = moment
        self._answered = answered
        self._max_bytes = max_bytes
        self._lasting = Memory(max_bytes)
        self._passing: tuple[Hashable, Memory] = (None, Memory(max_bytes))

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._application(environ, start_response)
        path = environ["PATH_INFO"]
        if "HTTP_AUTHORIZATION" in environ and path.startswith(OF_THE_API):  # a wrong key is told (web/access.py)
            return self._application(environ, start_response)
        query = environ.get("QUERY_STRING", "")
        passing = self._of_now() if self._moment and path.startswith(OF_A_MOMENT) else None
        as_asked = (path, query, *(environ.get(name, "") for name in _ASKED)) if passing else None
        kept = self._lasting.get((path, query)) or (passing.get(as_asked) if passing else None)
        is_get = environ["REQUEST_METHOD"] == "GET"
        if kept is None:
            if not is_get:
                return self._application(environ, start_response)
            return self._asked(environ, start_response, (path, query), passing, as_asked)
        request_id = request_id_of(environ)
        named = ("X-Request-Id", request_id)
        if _has(environ.get("HTTP_IF_NONE_MATCH", ""), kept.tag):
            self._answered(kept.route, 304, request_id)
            start_response("304 NOT MODIFIED", [*(h for h in kept.headers if h[0] not in _OF_THE_BODY), named])
            return []
        self._answered(kept.route, 200, request_id)
        start_response("200 OK", [*kept.headers, named])
        return [kept.body] if is_get else []

    def _of_now(self) -> Memory:
        assert self._moment is not None
        now = self._moment()
        if self._passing[0] != now:
            self._passing = (now, Memory(self._max_bytes))
        return self._passing[1]

    def _asked(
        self,
        environ: dict[str, Any],
        start_response: StartResponse,
        address: tuple[str, str],
        passing: Memory | None,
        as_asked: tuple[str, ...] | None,
    ) -> Iterable[bytes]:
        seen: list[tuple[str, Headers]] = []

        def noted(status: str, headers: Headers, *rest: Any) -> Any:
            seen.append((status, headers))
            return start_response(status, headers, *rest)

        answer = self._application(environ, noted)
        lasts = _lasts(*seen[0]) if seen else ""
        memory, key = (self._lasting, address) if lasts == "for ever" else (passing, as_asked)
        if not lasts or memory is None or sum(map(len, key or ())) > LONGEST_KEY:
            return answer
        try:
            body = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        memory.put(key, _kept(seen[0][1], body, as_told(environ)))
        return [body]


_OF_THE_BODY = {"Content-Length", "Content-Type", "Content-Encoding"}
# What an answer may vary by; others are never remembered.
_VARIES = {
    "accept": "HTTP_ACCEPT",
    "accept-encoding": "HTTP_ACCEPT_ENCODING",
    "accept-language": "HTTP_ACCEPT_LANGUAGE",
}
_ASKED = tuple(_VARIES.values())


def _has(known: str, tag: str) -> bool:
    """Whether a client that names the tags that it knows has these bytes (RFC 9110 section 13.1.2: weak tags are as good)."""
    if not known or not tag:
        return False
    return known == tag or parse_etags(known).contains_weak(tag.removeprefix("W/").strip('"'))


def _kept(headers: Headers, body: bytes, route: str) -> Kept:
    lasting = [(name, value) for name, value in headers if name.lower() not in PER_REQUEST]
    return Kept(lasting, body, next((value for name, value in lasting if name.lower() == "etag"), ""), route)


def _lasts(status: str, headers: Headers) -> str:
    """``for ever``, ``a moment``, or nothing for what is asked of the application each time."""
    named = {name.lower(): value for name, value in headers}
    cache = named.get("cache-control", "")
    varies = {part.strip().lower() for name, value in headers if name.lower() == "vary" for part in value.split(",")}
    if not status.startswith("200") or "public" not in cache or "set-cookie" in named or not varies <= _VARIES.keys():
        return ""
    return "for ever" if "immutable" in cache and not varies else "a moment" if "max-age" in cache else ""


def request_id_of(environ: dict[str, Any]) -> str:
    """The caller's request id where it is a plain one, else a new one."""
    given = str(environ.get("HTTP_X_REQUEST_ID", ""))
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(12)
