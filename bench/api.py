"""The API as it is served: granian, one worker on one core, SQLite; asked over HTTP from other processes.

A register of several hundred certificates is verified by code, by file, in batches and in streams of lines. Every request is
answered by the real application, with the key and the limits that it asks for; nothing of a verification is left out. Single
questions come from ``wrk`` on 16 connections. An answer about a code is remembered for its moment (the minute, the size of the
log, the keys), so there are two figures for codes: in the first no question was asked before, and each signature is verified
for each request; in the second all answers are remembered. What is asked by a file is never remembered.

Beside each rate stands what the worker's own processor time allows for: what else the machine does is left out of that. The
batches are compared by it with ``check_certificate`` in process, on the same certificates.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.certificates import CLIENTS, rate_of
from certifier.certificate.verification import Material
from certifier.certificate.verify import check_certificate
from certifier.service.certifier import Certifier, Issued
from certifier.settings import Settings, settings_table, to_text
from certifier.storage.rows import CertificateRow
from certifier.web.batches import MOST_ITEMS, NDJSON
from tests.serving import served_home
from tests.studio import Studio
from tests.web.access import bearer, new_key

CERTIFICATES = 600
CONNECTIONS = 16
NEVER = 30_000  # questions: more than are asked before they begin anew, and far more than are remembered
SECONDS = 3
BATCHES = 3
LINES = 6_000
ONE, MANY = "/api/v1/verifications", "/api/v1/verification-batches"

# Every request is put together before the clock starts; wrk sends them in turn.
_LUA = """
local texts = {}
function init(_)
  for body in io.lines("%s") do
    texts[#texts + 1] = wrk.format("POST", "%s", {["Content-Type"] = "application/json"}, body)
  end
end
local turn = 0
function request()
  turn = turn %% #texts + 1
  return texts[turn]
end
"""


@dataclass(frozen=True)
class Rate:
    """Of requests or items: in a second by the clock, and in a second of the worker's processor time."""

    per_s: float
    per_core_s: float
    p99_ms: float = 0.0


@dataclass(frozen=True)
class World:
    """A served register. ``files`` are what its certificates are checked with in process."""

    folder: Path
    port: int
    worker: int
    key: str
    rows: tuple[CertificateRow, ...]
    files: tuple[tuple[bytes, Material], ...]


@contextmanager
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder))
        certifier = studio.certifier()
        rows = issued(studio, certifier)
        common = certifier.published.material(rows[0], datetime.now(UTC))
        files = tuple((row.document or b"", common.with_proof(row.proof)) for row in rows)
        key = new_key(certifier, "verify:bulk")
        certifier.close()
        with serving(studio.settings) as (port, worker):
            yield World(Path(folder), port, worker, key, tuple(rows), files)


def issued(studio: Studio, certifier: Certifier) -> list[CertificateRow]:
    examined, now = [studio.examined(number) for number in range(CERTIFICATES)], datetime.now(UTC)
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(lambda one: certifier.certify(one, now), examined))
    rows = [answer.certificate for answer in answers if isinstance(answer, Issued)]
    assert len(rows) == CERTIFICATES
    return rows


# -- the server -----------------------------------------------------------------------------------------------------


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[int, int]]:
    """Port and process id of the worker of a `certifier serve` on the last core.

    Nothing of the bench is in its memory, and its log goes nowhere, so that no disk is measured.
    """
    own = replace(settings, cpu=max(os.sched_getaffinity(0)))
    values = {row.variable: to_text(getattr(own, row.name)) for row in settings_table() if row.name != "home"}
    with served_home(settings.home, Path(os.devnull), **values) as served:
        yield int(served.url.rpartition(":")[2]), _worker_of(served.process.pid)


def _worker_of(parent: int) -> int:
    """The one child that serves: the one with the most memory."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return max(map(int, children), key=resident_mb)


def resident_mb(process: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def _core_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# -- single requests ------------------------------------------------------------------------------------------------


def posts(world: World, bodies: Sequence[bytes]) -> Rate:
    """POSTs of these verifications in turn."""
    sent, script = world.folder / "bodies", world.folder / "post.lua"
    sent.write_bytes(b"\n".join(bodies))
    script.write_text(_LUA % (sent, ONE))
    for body in (bodies[0], bodies[-1]):
        assert json.loads(_asked(world, ONE, body, "application/json"))["axes"]["inclusion"] == "included"
    return _wrk(world, ONE, "-s", str(script))


def gets(world: World, path: str) -> Rate:
    return _wrk(world, path)


def _wrk(world: World, path: str, *options: str) -> Rate:
    address = f"http://127.0.0.1:{world.port}{path}"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", "--latency", *options]
    subprocess.run([*command, "-d1s", address], check=True, capture_output=True)
    before = _core_seconds(world.worker)
    output = subprocess.run(
        [*command, f"-d{SECONDS}s", address], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    used = _core_seconds(world.worker) - before
    assert "Non-2xx" not in output, output
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", output)
    amount = re.search(r"(\d+) requests in", output)
    slow = re.search(r"99%\s+([0-9.]+)(us|ms|s)", output)
    assert rate, output
    assert amount, output
    assert slow, output
    return Rate(float(rate[1]), int(amount[1]) / used, float(slow[1]) * {"us": 0.001, "ms": 1, "s": 1000}[slow[2]])


def questions(world: World) -> dict[str, list[bytes]]:
    """Bodies for ``posts``."""
    codes = [json.dumps({"code": row.code}).encode() for row in world.rows]
    # Each with an audio file that nobody named before: no answer is remembered. Such a file is not the certified one.
    never = [
        json.dumps({"code": row.code, "audio": {"sha256": secrets.token_hex(32)}}).encode()
        for _ in range(NEVER // CERTIFICATES)
        for row in world.rows
    ]
    files = [
        json.dumps({"credential": json.loads(row.document or b""), "proof": (row.proof or b"").decode()}).encode()
        for row in world.rows
    ]
    return {
        "by a code, never asked before": never,
        "by a code, asked before in this minute": codes,
        "by a file": files,
    }


# -- many in one request --------------------------------------------------------------------------------------------


def batch(world: World, name: str) -> Rate:
    """Items answered in a JSON document."""
    items = _items(world, MOST_ITEMS)[name]
    body = json.dumps({"items": items}).encode()
    return _items_per_s(world, BATCHES * len(items), lambda: [_batch(world, body, len(items)) for _ in range(BATCHES)])


def _batch(world: World, body: bytes, amount: int) -> None:
    summary = json.loads(_asked(world, MANY, body, "application/json"))["summary"]
    assert summary["valid"] == amount, summary


def stream(world: World, name: str) -> Rate:
    """Items answered line by line."""
    items = _items(world, LINES if name == "codes" else LINES // 3)[name]
    body = b"".join(json.dumps(item).encode() + b"\n" for item in items)

    def ask() -> None:
        given = _asked(world, MANY, body, NDJSON)
        assert given.count(b'"result":"valid"') == len(items), given[:300]

    return _items_per_s(world, len(items), ask)


def _items(world: World, amount: int) -> dict[str, list[dict[str, Any]]]:
    rows = [world.rows[number % CERTIFICATES] for number in range(amount)]
    files = [{"credential": (row.document or b"").decode(), "proof": (row.proof or b"").decode()} for row in rows[:500]]
    return {"codes": [{"code": row.code} for row in rows], "files": files}


def _items_per_s(world: World, amount: int, act: Callable[[], object]) -> Rate:
    act()
    before, began = _core_seconds(world.worker), time.perf_counter()
    act()
    return Rate(amount / (time.perf_counter() - began), amount / (_core_seconds(world.worker) - before))


def _asked(world: World, path: str, body: bytes, media_type: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=120)
    try:
        connection.request("POST", path, body, {"Content-Type": media_type, **bearer(world.key)})
        answer = connection.getresponse()
        given = answer.read()
        assert answer.status == 200, (answer.status, given[:300])
        return given
    finally:
        connection.close()


def in_process_per_s(world: World) -> float:
    """The same certificates, one after the other, from their bytes to a verdict, in a second of one core."""
    now = datetime.now(UTC)

    def check() -> None:
        for raw, material in world.files:
            verification = check_certificate(raw, material, now)
            assert verification.verdict == "valid", verification

    check()
    return rate_of(len(world.files), check)
