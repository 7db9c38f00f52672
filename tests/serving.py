"""The service as it runs: `certifier serve` in a process of its own, on a free port of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import requests

from tests.studio import Studio

DEADLINE_S = 60


class Served(NamedTuple):
    url: str
    process: subprocess.Popen[bytes]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served_home(home: Path, log: Path | None = None, **environment: str) -> Iterator[Served]:
    """The service of a home, once it is ready; at its end its log (beside the home, or ``log``) may tell of no fault, nor warn of
    what is meant so.
    """
    url, log = f"http://127.0.0.1:{(port := free_port())}", log or home.parent / f"{home.name}.log"
    command = [sys.executable, "-m", "certifier.cli", "serve", "--home", str(home), "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | environment)
    try:
        _wait_until_ready(url, process, log)
        yield Served(url, process)
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert b"Traceback" not in log.read_bytes(), log.read_text()
    assert b"Python threads" not in log.read_bytes(), log.read_text()


@contextmanager
def served_by_process(studio: Studio) -> Iterator[str]:
    """The address of a studio's installation at work."""
    with served_home(studio.settings.home) as served:
        yield served.url


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not _answers(url):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"the service did not start within {DEADLINE_S} s:\n{log.read_text()}"
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=10).ok
    except requests.RequestException:
        return False
