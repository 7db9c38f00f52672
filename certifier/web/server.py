"""Run the service: granian with one worker process on SQLite (DESIGN 15)."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import chain, repeat
from multiprocessing.sharedctypes import RawValue
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

import structlog
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from certifier.errors import OperatorError, ReadOnlyError, StorageError
from certifier.service.certifier import Certifier
from certifier.service.deliverer import messenger_for
from certifier.service.home import open_certifier
from certifier.service.logbook import Problem
from certifier.service.sandbox import is_sandbox
from certifier.settings import Settings
from certifier.web.app import create_app, utc_now
from certifier.web.heap import settle_memory, share_heap
from certifier.web.logs import SERVER_LOGGING, configure_logging
from certifier.web.metrics import Metrics

log = structlog.get_logger(__name__)

BLOCKING_THREADS = 32
ANSWER_S = 0.5  # how long the last answers of a worker may take


def serve(settings: Settings, host: str, port: int, workers: int = 1, warnings: Iterable[str] = ()) -> None:
    """Serve until stopped. Raises OperatorError when the installation cannot be opened or asks for too many workers.

    ``warnings`` are told at the start.

    SIGTERM: unready for ``drain_seconds``, then nothing more is taken in, what is on its way is finished within
    ``stop_seconds``, and this returns. A second signal, or Ctrl-C, leaves out the first step.
    """
    _check_workers(settings, workers)
    _check_cpu(settings.cpu)
    _check_address(host, port)
    problems = _checked(settings)
    configure_logging()
    draining = RawValue("b", 0)
    for warning in warnings:
        _say(f"warning  {warning}")
    for problem in problems:
        _say(f"READ-ONLY  {problem.kind}: {problem.found}\n           try: {problem.hint}", **vars(problem))
    _say(f"Serving {settings.base_url} on http://{host}:{port}  (stop with Ctrl-C)", address=f"{host}:{port}")
    if is_sandbox(settings):
        _say(f"LCAL_ENVIRONMENT={settings.environment}: for trying out; /vc-api/credentials/issue is open")
    with _metrics_folder(workers) as folder:
        server = _Server(
            "certifier",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=BLOCKING_THREADS,
            respawn_failed_workers=True,
            workers_kill_timeout=settings.stop_seconds,
            log_level=LogLevels.warning,
            log_dictconfig=SERVER_LOGGING,
        )
        server.drains(draining, settings.drain_seconds)
        os.register_at_fork(after_in_child=_let_signals_end)
        server.serve(target_loader=partial(load_app, settings, draining, folder), wrap_loader=False)
    if problems:
        raise ReadOnlyError(
            "The service could only be read from.",
            found=f"{problems[0].kind}: {problems[0].found}",
            hint=problems[0].hint,
        )


class _Server(MPServer):
    """Granian that is unready for a while before it stops, where it is told to."""

    _draining: Any = None
    _drain_s = 0.0

    def drains(self, flag: Any, seconds: float) -> None:
        """Raise ``flag``, which the workers see, for so long before SIGTERM counts."""
        self._draining, self._drain_s = flag, seconds

    def signal_handler_interrupt(self, number: int, *rest: Any) -> None:
        if number != signal.SIGTERM or not self._drain_s or self._draining.value:
            super().signal_handler_interrupt(number, *rest)  # type: ignore[no-untyped-call]
            return
        self._draining.value = 1
        ends = threading.Timer(self._drain_s, super().signal_handler_interrupt, (number,))
        ends.daemon = True
        ends.start()


@contextmanager
def _metrics_folder(workers: int) -> Iterator[Path | None]:
    """Where several workers count together; one counts for itself."""
    if workers == 1:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="lcal-metrics-") as folder:
        yield Path(folder)


def _say(text: str, **members: str) -> None:
    """A line for whoever started the server: as text in a terminal, else in the form of all other lines."""
    if sys.stderr.isatty():
        sys.stderr.write(f"{text}\n")
    else:
        log.info(" ".join(text.split()), **members)


def load_app(settings: Settings, draining: Any = None, metrics_folder: Path | None = None) -> Callable[..., Any]:
    """The application, opened inside the worker process, and closed when that ends."""
    share_heap()
    configure_logging()
    keep_to_cpu(settings.cpu)
    certifier = _opened_in_time(settings)
    certifier.sweep()
    Finalize(None, certifier.close, exitpriority=1)  # a worker is a child of multiprocessing: atexit is not for it
    if not certifier.problems:
        _begin_telling(certifier)
    is_draining = (lambda: bool(draining.value)) if draining is not None else (lambda: False)
    app = create_app(certifier, metrics=Metrics(metrics_folder), is_draining=is_draining)
    settle_memory()
    return app


def _begin_telling(certifier: Certifier) -> None:
    """Tell events and deliver webhooks from now on; when the worker ends, what is on its way ends first and is noted."""
    messenger = messenger_for(certifier, utc_now)
    Finalize(None, messenger.close, exitpriority=2)  # before the certifier closes the database
    messenger.start()


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
    _let_signals_end()  # whoever stops the server does not wait for a database
    for pause_s in chain((0.5, 1.0, 2.0), repeat(5.0)):
        try:
            return open_certifier(settings, datetime.now(UTC), on_stop=_end_worker)
        except StorageError as error:
            log.warning("cannot open yet", told=error.message, found=error.found, next_try_in_s=pause_s)
            time.sleep(pause_s)
    raise AssertionError("unreachable")


def _let_signals_end() -> None:
    """Until a worker serves, a signal ends it: it begins with the handler of its parent, which does nothing in a worker."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_DFL)


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
