"""How a server leaves: it asks those who can to go to another one, and serves everybody else until it is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

NEXT = "HTTP_X_NEXT_REPLICA"  # a proxy says with it: this request may be sent to another server (deploy/nginx.conf)
BODY = json.dumps(
    {"type": "about:blank", "title": "This server is stopping", "status": 502, "detail": "Ask another one."}
).encode()


class Draining:
    """A WSGI application around another one.

    Once the server is stopping, requests that a proxy may repeat are answered 502: the proxy asks another server, and sends
    nothing more to this one. So nothing is on its way when the socket closes. No other answer of the service is a 502.
    """

    def __init__(self, application: Callable[..., Any], is_draining: Callable[[], bool]) -> None:
        self._application = application
        self._is_draining = is_draining

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if NEXT in environ and self._is_draining():
            headers = [("Content-Type", "application/problem+json"), ("Cache-Control", "no-store")]
            start_response("502 Bad Gateway", [*headers, ("Content-Length", str(len(BODY)))])
            return [BODY]
        answer: Iterable[bytes] = self._application(environ, start_response)
        return answer
