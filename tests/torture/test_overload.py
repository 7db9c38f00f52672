"""A minute of ten times as many askers as there is room for: they are answered or told to come again, and nothing is lost.

Verifications and submissions are sent by 240 connections without a pause, which is ten times the places that a worker has for
requests with a body; two streams of lines run beside them. Readers ask for what a listener needs, and hardly notice.
OVERLOAD_SECONDS=5 makes it short. The askers are processes of their own that stand back for the service, as if they ran
elsewhere: what is measured is its overload, not that of the machine by their own work.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import multiprocessing
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from requests import Request

from certifier.service.certifier import Issued
from tests.serving import served_home
from tests.studio import Studio, emissions_csv, write_track
from tests.web.access import bearer, new_key

SECONDS = float(os.environ.get("OVERLOAD_SECONDS", "60"))
PLACES = 24
ASKERS, PROCESSES = 10 * PLACES, 3
SUBMITTERS = 10  # in each process
REPORTS = 120
READERS = 4
PAUSE_S = 0.02
STAND_BACK = 10
SLOWEST_READ_S = 0.5
FREE = {f"LCAL_LIMIT_{name}": "0" for name in ("VERIFICATION", "SUBMISSION", "READS", "CALLS", "BULK")}
NDJSON = "application/x-ndjson"


@dataclass
class Told:
    """What one process of askers was answered."""

    statuses: Counter[int] = field(default_factory=Counter)
    acknowledged: list[str] = field(default_factory=list)
    waited_s: list[float] = field(default_factory=list)
    without_retry: int = 0
    broken_off: Counter[str] = field(default_factory=Counter)
    lines: int = 0


@dataclass(frozen=True)
class Target:
    port: int
    codes: tuple[str, ...]
    key: str
    bodies: tuple[tuple[bytes, str], ...]
    until: float = 0.0

    def begun(self) -> Target:
        """The same with its end, counted from now: processes take a while to start."""
        return replace(self, until=time.time() + SECONDS)


def test_under_ten_times_the_load_nothing_fails_nothing_is_lost_and_readers_hardly_wait(tmp_path: Path) -> None:
    with at_work(tmp_path) as target, ProcessPoolExecutor(PROCESSES + 1, multiprocessing.get_context("spawn")) as pool:
        reading = pool.submit(read, target)
        told = [part.result() for part in [pool.submit(ask, target) for _ in range(PROCESSES)]]
        readers = reading.result()
        statuses = sum((part.statuses for part in told), Counter[int]())
        assert {status for status in statuses if status // 100 != 2} <= {429, 503}, statuses
        assert statuses[200] > SECONDS, statuses
        assert statuses[503], "there was no overload"
        assert not any(part.broken_off["/api/v1/verifications"] for part in told)
        assert sum(part.without_retry for part in told) == 0
        assert all(part.lines for part in told[:2]), "a stream was starved"
        acknowledged = {name for part in told for name in part.acknowledged}
        assert acknowledged
        lost = [name for name in acknowledged if got(target.port, f"/api/v1/submissions/{name}") != 200]
        assert lost == []
        assert set(readers.statuses) == {200}, readers.statuses
        slow = sorted(readers.waited_s)[int(len(readers.waited_s) * 0.99)]
        sys.stdout.write(
            f"{dict(statuses)}, {len(acknowledged)} kept, p99 of {len(readers.waited_s)} reads {slow * 1000:.0f} ms\n"
        )
        assert slow < SLOWEST_READ_S, f"p99 of {len(readers.waited_s)} reads is {slow * 1000:.0f} ms; {statuses}"
    certifier = Studio(tmp_path).certifier()  # and after it was stopped and opened again
    try:
        assert {certifier.store.submission(name).id for name in acknowledged} == acknowledged
        assert certifier.problems == ()
    finally:
        certifier.close()


@contextmanager
def at_work(folder: Path) -> Iterator[Target]:
    """A service with a few certificates, and reports that nobody has sent yet."""
    studio = Studio(folder)
    certifier = studio.certifier()
    answers = [certifier.certify(studio.examined(number), datetime.now(UTC)) for number in range(20)]
    codes = tuple(answer.certificate.code for answer in answers if isinstance(answer, Issued))
    key = new_key(certifier, "verify:bulk")
    certifier.close()
    bodies = tuple(submission(studio, number) for number in range(REPORTS))
    with served_home(studio.settings.home, **FREE) as served:
        port = int(served.url.rpartition(":")[2])
        yield Target(port, codes, key, bodies)


def submission(studio: Studio, number: int) -> tuple[bytes, str]:
    """The body of a submission and its type. Every fourth has a track of its own and is certified; the others are too short."""
    is_long = number % 4 == 0
    track = studio.folder / (f"track-{number}.wav" if is_long else "short.wav")
    if not track.exists():
        write_track(track, 20 if is_long else 5, pitch=200 + number)
    log = emissions_csv(f"own-{number}")
    report = studio.report(title=f"Track {number} (example)", run_id=f"own-{number}", track=track)
    report["raw_log_sha256"] = [hashlib.sha256(log).hexdigest()]
    files = {
        "report": ("report.json", studio.signed(report, track=track)),
        "audio": ("track.wav", track.read_bytes()),
        "logs": ("emissions.csv", log),
    }
    made = Request("POST", "http://127.0.0.1", files=files).prepare()
    assert isinstance(made.body, bytes)
    return made.body, str(made.headers["Content-Type"])


# -- the askers, each in a process of its own ------------------------------------------------------------------------


def ask(target: Target) -> Told:
    os.nice(STAND_BACK)
    target, told, verifiers = target.begun(), Told(), ASKERS // PROCESSES - SUBMITTERS - 1
    work = [threading.Thread(target=verify, args=(target, told, number)) for number in range(verifiers)]
    work += [threading.Thread(target=submit, args=(target, told, number)) for number in range(SUBMITTERS)]
    work += [threading.Thread(target=stream, args=(target, told))]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    return told


def verify(target: Target, told: Told, number: int) -> None:
    body = json.dumps({"code": target.codes[number % len(target.codes)]}).encode()
    with connected(target.port) as connection:
        while time.time() < target.until:
            sent(connection, told, "/api/v1/verifications", body, "application/json")


def submit(target: Target, told: Told, number: int) -> None:
    turn = number + SUBMITTERS * (os.getpid() % PROCESSES)
    with connected(target.port) as connection:
        while time.time() < target.until:
            status, answer = sent(connection, told, "/api/v1/submissions", *target.bodies[turn % REPORTS])
            if status // 100 == 2:
                told.acknowledged.append(json.loads(answer)["id"])
                turn += SUBMITTERS


def stream(target: Target, told: Told) -> None:
    body = b"".join(
        json.dumps({"code": target.codes[number % len(target.codes)]}).encode() + b"\n" for number in range(500)
    )
    with connected(target.port) as connection:
        while time.time() < target.until:
            status, answer = sent(connection, told, "/api/v1/verification-batches", body, NDJSON, bearer(target.key))
            if status == 200:
                assert answer.count(b'"result":"valid"') == 500
                told.lines += 500


def sent(
    connection: http.client.HTTPConnection,
    told: Told,
    path: str,
    body: bytes,
    media_type: str,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    try:
        connection.request("POST", path, body, {"Content-Type": media_type, **(headers or {})})
        answer = connection.getresponse()
        content = answer.read()
    except (
        OSError
    ):  # a body that was refused unread: the connection is closed behind the answer, perhaps before it is read
        connection.close()
        return 0, b""
    told.statuses[answer.status] += 1
    if answer.status == 503:
        told.without_retry += answer.getheader("Retry-After") is None
        time.sleep(PAUSE_S)
    return answer.status, content


def read(target: Target) -> Told:
    """What a listener's page asks for, from a few connections."""
    target, told = target.begun(), Told()
    threads = [threading.Thread(target=read_one, args=(target, told, number)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def read_one(target: Target, told: Told, number: int) -> None:
    page = f"/v/{target.codes[number]}"
    paths = (f"{page}.vc", page, f"{page}.svg", "/status/revocation/1", f"{page}.json", "/log/checkpoint")
    turn = 0
    with connected(target.port) as connection:
        while time.time() < target.until:
            began = time.perf_counter()
            connection.request("GET", paths[turn % len(paths)])
            answer = connection.getresponse()
            answer.read()
            told.waited_s.append(time.perf_counter() - began)
            told.statuses[answer.status] += 1
            turn += 1
            time.sleep(PAUSE_S)


def connected(port: int) -> closing[http.client.HTTPConnection]:
    return closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60))


def got(port: int, path: str) -> int:
    with connected(port) as connection:
        connection.request("GET", path)
        return connection.getresponse().status
