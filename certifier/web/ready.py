"""Ready bytes before Flask: what never changes is answered from memory (DESIGN 14).

Only answers that say so themselves are remembered: 200 to a plain GET, immutable, the same for every client. Certificates,
proofs and the log's tiles are such; the application makes each once.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

MAX_BYTES = 64 * 1024 * 1024
PER_REQUEST = {"x-request-id", "date", "server"}

Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class ReadyBytes:
    """A WSGI application around another one. Thread-safe; the oldest answers are forgotten first."""

    def __init__(self, application: Application, max_bytes: int = MAX_BYTES) -> None:
        self._application = application
        self._max_bytes = max_bytes
        self._kept: OrderedDict[str, tuple[Headers, bytes, str]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or environ.get("QUERY_STRING"):
            return self._application(environ, start_response)
        path = environ["PATH_INFO"]
        kept = self._kept.get(path)
        if kept is None:
            return self._asked(path, environ, start_response)
        headers, body, tag = kept
        named = ("X-Request-Id", _request_id(environ))
        if environ.get("HTTP_IF_NONE_MATCH", "").strip() == tag:
            start_response("304 NOT MODIFIED", [*(h for h in headers if h[0] not in _OF_THE_BODY), named])
            return []
        start_response("200 OK", [*headers, named])
        return [body]

    def _asked(self, path: str, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        seen: list[tuple[str, Headers]] = []

        def noted(status: str, headers: Headers, *rest: Any) -> Any:
            seen.append((status, headers))
            return start_response(status, headers, *rest)

        answer = self._application(environ, noted)
        if not seen or not _is_for_ever(*seen[0]):
            return answer
        try:
            body = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        self._keep(path, seen[0][1], body)
        return [body]

    def _keep(self, path: str, headers: Headers, body: bytes) -> None:
        lasting = [(name, value) for name, value in headers if name.lower() not in PER_REQUEST]
        tag = next((value for name, value in lasting if name.lower() == "etag"), "")
        with self._lock:
            if path in self._kept or len(body) > self._max_bytes:
                return
            self._kept[path] = (lasting, body, tag)
            self._bytes += len(body)
            while self._bytes > self._max_bytes:
                _, (_, oldest, _) = self._kept.popitem(last=False)
                self._bytes -= len(oldest)


_OF_THE_BODY = {"Content-Length", "Content-Type"}


def _is_for_ever(status: str, headers: Headers) -> bool:
    named = {name.lower(): value for name, value in headers}
    return status.startswith("200") and "immutable" in named.get("cache-control", "") and "vary" not in named


def _request_id(environ: dict[str, Any]) -> str:
    given = str(environ.get("HTTP_X_REQUEST_ID", ""))
    is_plain = 8 <= len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum()
    return given if is_plain else secrets.token_hex(12)
