"""What it costs to be watched: counting an answer from memory, counting one that was made, and writing its line."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import values

from certifier.web.logs import configure_logging
from certifier.web.metrics import Metrics
from certifier.web.observed import ROUTE
from certifier.web.ready import ReadyBytes

TIMES = 50_000
BODY = b"x" * 3_000


@contextmanager
def metrics(*, together: bool) -> Iterator[Metrics]:
    """The numbers of one worker; ``together`` in the files that several workers share."""
    if not together:
        yield Metrics()
        return
    alone, variable = values.ValueClass, "PROMETHEUS_MULTIPROC_DIR"
    with tempfile.TemporaryDirectory() as folder:
        try:
            yield Metrics(Path(folder))
        finally:
            values.ValueClass = alone
            os.environ.pop(variable)


def ready_us(numbers: Metrics | None) -> float:
    """Microseconds for an answer from memory without a server around it, counted or not."""

    def count(route: str, status: int, _request_id: str) -> None:
        if numbers:
            numbers.answered("GET", route, status)

    ready = ReadyBytes(_application, lambda: 1, answered=count if numbers else lambda *_: None)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/v/7K3QZ9M2XA.vc", "QUERY_STRING": ""}
    ready(dict(environ), _ignore)
    return _us(lambda: ready(environ, _ignore))


def _application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    environ[ROUTE] = "/v/<name>"
    start_response("200 OK", [("Cache-Control", "public, max-age=31536000, immutable"), ("ETag", '"7"')])
    return [BODY]


def _ignore(*_: Any) -> None:
    pass


def made_us(numbers: Metrics) -> float:
    """Microseconds for counting and timing an answer that had to be made."""
    return _us(lambda: numbers.worked("GET", "/v/<name>", 200, 0.003))


def line_us() -> float:
    """Microseconds for the line of a request."""
    with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
        configure_logging()
        log = structlog.get_logger("bench")
        return _us(
            lambda: log.info("answered", request_id=24 * "a", method="GET", route="/v/<name>", status=200, ms=3.1)
        )


def _us(act: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(TIMES):
        act()
    return (time.process_time() - began) / TIMES * 1e6
