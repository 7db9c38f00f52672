"""The service as it runs: granian, one worker, SQLite; submissions and readers over HTTP from other processes.

The audio was analysed before: the server holds examined submissions and takes one for each POST, so that what is measured is
deciding, logging, signing, making durable and answering. Everything else is the application as it is served.
"""

from __future__ import annotations

import http.client
import multiprocessing
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from granian import Granian
from granian.constants import Interfaces

from certifier.service.certifier import Issued
from certifier.service.home import open_certifier
from certifier.settings import Settings
from certifier.web.app import create_app
from certifier.web.documents import submission_view
from certifier.web.server import BLOCKING_THREADS, configure_logging, keep_to_cpu
from tests.studio import Studio

CLIENTS = 24
ALONE = 60
TOGETHER = 1_200
CONNECTIONS = 16
GET_SECONDS = 4


@dataclass(frozen=True)
class Run:
    """One run of the whole service."""

    alone_ms: float
    issued_per_s: float
    issued_beside_gets: float
    gets_per_s: float
    gets_alone: float


def run() -> Run:
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as port:
        first = post(port)
        alone = median(timed(lambda: post(port)) for _ in range(ALONE))
        began = time.perf_counter()
        spread(port, TOGETHER)
        together = TOGETHER / (time.perf_counter() - began)
        gets_alone = read(port, first).gets_per_s
        reader = read(port, first, beside=lambda: spread(port, TOGETHER))
        return Run(alone * 1000, together, reader.beside_per_s, reader.gets_per_s, gets_alone)


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


# -- the server -----------------------------------------------------------------------------------------------------


def load(settings: Settings, folder: Path, amount: int) -> Callable[..., Any]:
    """The application, with one path more that certifies the next submission at hand. Runs in the worker."""
    configure_logging()
    keep_to_cpu(settings.cpu)
    certifier = open_certifier(settings)
    certifier.sweep()
    app = create_app(certifier)
    studio = Studio(folder)
    ready = [studio.examined(number) for number in range(amount)]
    following, served = count(), app.wsgi_app

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/bench/submissions":
            return served(environ, start_response)
        answer = certifier.certify(ready[next(following)], datetime.now(UTC))
        assert isinstance(answer, Issued), answer
        view = submission_view(answer.submission, answer.verdict, answer.certificate, "active")
        body = view.model_dump_json(by_alias=True).encode()
        start_response("201 CREATED", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return application


def serve(settings: Settings, folder: Path, port: int, amount: int) -> None:
    server = Granian(
        "bench",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=BLOCKING_THREADS,
        log_level="error",  # type: ignore[arg-type]
    )
    server.serve(target_loader=partial(load, settings, folder, amount), wrap_loader=False)


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    studio = Studio(folder)
    studio.certifier().close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    amount = 1 + ALONE + 2 * TOGETHER
    settings = replace(studio.settings, cpu=max(os.sched_getaffinity(0)))
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(settings, folder, port, amount))
    process.start()
    try:
        wait_until_ready(port)
        yield port
    finally:
        process.terminate()
        process.join(30)


def wait_until_ready(port: int) -> None:
    for _ in range(1200):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the service did not start")


# -- the clients ----------------------------------------------------------------------------------------------------


def post(port: int) -> str:
    """One submission on a connection of its own; the path of its certificate."""
    return posts(port, 1)[0]


def posts(port: int, amount: int) -> list[str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    paths = []
    for _ in range(amount):
        connection.request("POST", "/bench/submissions", b"")
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 201, (answer.status, body[:300])
        found = re.search(rb'"code":"([0-9A-Z-]+)"', body)
        assert found
        paths.append("/v/" + found[1].decode().replace("-", "") + ".vc")
    return paths


def spread(port: int, amount: int) -> None:
    """Submissions from as many clients as are let wait, in a process of their own."""
    process = multiprocessing.get_context("spawn").Process(target=send, args=(port, amount))
    process.start()
    process.join()
    assert process.exitcode == 0


def send(port: int, amount: int) -> None:
    clients = [threading.Thread(target=posts, args=(port, amount // CLIENTS)) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()


@dataclass(frozen=True)
class Reading:
    gets_per_s: float
    beside_per_s: float


def read(port: int, path: str, beside: Callable[[], None] | None = None) -> Reading:
    """GETs of one certificate by ``wrk``, for a fixed time or for as long as something runs beside them."""
    seconds = 60 if beside else GET_SECONDS
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"http://127.0.0.1:{port}{path}"]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    taken = 1.0
    if beside:
        taken = timed(beside)
        reader.send_signal(2)  # wrk sums up and ends
    output, _ = reader.communicate(timeout=90)
    found = re.search(r"Requests/sec:\s+([0-9.]+)", output)
    assert found, output
    assert "Non-2xx" not in output, output
    return Reading(float(found[1]), TOGETHER / taken)
