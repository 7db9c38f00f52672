"""Run the service: granian with one worker process on SQLite (DESIGN 15)."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import chain, repeat
from typing import Any

import structlog
from granian import Granian
from granian.constants import Interfaces

from certifier.errors import OperatorError, ReadOnlyError, StorageError
from certifier.service.certifier import Certifier
from certifier.service.home import open_certifier
from certifier.service.logbook import Problem
from certifier.service.sandbox import is_sandbox
from certifier.settings import Settings
from certifier.web.app import create_app

log = structlog.get_logger(__name__)

BLOCKING_THREADS = 32
ANSWER_S = 0.5  # how long the last answers of a worker may take


def serve(settings: Settings, host: str, port: int, workers: int = 1) -> None:
    """Serve until stopped. Raises OperatorError when the installation cannot be opened or asks for too many workers."""
    _check_workers(settings, workers)
    _check_cpu(settings.cpu)
    _check_address(host, port)
    problems = _checked(settings)
    server = Granian(
        "certifier",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=BLOCKING_THREADS,
        respawn_failed_workers=True,
        log_level="warning",  # type: ignore[arg-type]
    )
    for problem in problems:
        sys.stderr.write(f"READ-ONLY  {problem.kind}: {problem.found}\n           try: {problem.hint}\n")
    sys.stderr.write(f"Serving {settings.base_url} on http://{host}:{port}  (stop with Ctrl-C)\n")
    if is_sandbox(settings):
        sys.stderr.write(
            f"LCAL_ENVIRONMENT={settings.environment}: for trying out; /vc-api/credentials/issue is open\n"
        )
    server.serve(target_loader=partial(load_app, settings), wrap_loader=False)
    if problems:
        raise ReadOnlyError(
            "The service could only be read from.",
            found=f"{problems[0].kind}: {problems[0].found}",
            hint=problems[0].hint,
        )


def load_app(settings: Settings) -> Callable[..., Any]:
    """The application, opened inside the worker process."""
    configure_logging()
    keep_to_cpu(settings.cpu)
    certifier = _opened_in_time(settings)
    certifier.sweep()
    return create_app(certifier)


def _check_cpu(number: int) -> None:
    """As ``keep_to_cpu`` would, before a worker does."""
    if number >= 0 and number not in os.sched_getaffinity(0):
        raise OperatorError(
            "LCAL_CPU names no CPU that this process may run on.",
            found=str(number),
            expected=", ".join(map(str, sorted(os.sched_getaffinity(0)))),
        )


def keep_to_cpu(number: int) -> None:
    """Let the threads of this process, and what it starts, run on one CPU; on any where the number is below zero.

    They share one interpreter lock, and handing it from core to core costs more than the second core brings.
    """
    if number >= 0:
        os.sched_setaffinity(0, {number})


def _opened_in_time(settings: Settings) -> Certifier:
    """The installation, as soon as its database answers: a worker that gave up would be taken for one that crashes."""
    for name in (signal.SIGINT, signal.SIGTERM):  # whoever stops the server does not wait for a database
        signal.signal(name, signal.SIG_DFL)
    for pause_s in chain((0.5, 1.0, 2.0), repeat(5.0)):
        try:
            return open_certifier(settings, datetime.now(UTC), on_stop=_end_worker)
        except StorageError as error:
            log.warning("cannot open yet", told=error.message, found=error.found, next_try_in_s=pause_s)
            time.sleep(pause_s)
    raise AssertionError("unreachable")


def _checked(settings: Settings) -> tuple[Problem, ...]:
    """A home that cannot be opened is told here, not in a worker's log; what only forbids to write is returned."""
    certifier = open_certifier(settings, datetime.now(UTC))
    certifier.close()
    return certifier.problems


def _end_worker(_reason: str) -> None:
    """Fail-stop (DESIGN 15): the worker ends once the answers on their way are sent; its successor checks everything."""
    threading.Timer(ANSWER_S, os.kill, (os.getpid(), signal.SIGKILL)).start()


def _check_workers(settings: Settings, workers: int) -> None:
    if workers > 1 and settings.database.startswith("sqlite"):
        raise OperatorError(
            "SQLite serves one worker process.",
            found=f"{workers} workers",
            expected="1",
            hint="Set LCAL_DATABASE_URL to a PostgreSQL database for more.",
        )


def _check_address(host: str, port: int) -> None:
    """The server would share a port with another one without a word; two installations behind one port is nobody's wish."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OperatorError(
                f"Cannot listen on {host}:{port}.",
                found=str(error),
                hint="Is another service running? Choose another --port.",
            ) from error


def configure_logging() -> None:
    """One JSON line for each event, on stderr; no bodies, no addresses of people."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
