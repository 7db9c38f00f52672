"""The service as processes: replicas of which one dies, a database that goes away, a log that is closed, a full stop."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from certifier.certificate.code import parse_code
from certifier.client import Client
from certifier.errors import UnreachableError
from tests.postgres import Postgres
from tests.referee import check_history, get_from
from tests.studio import Studio, emissions_csv, write_track


@contextmanager
def serving(studio: Studio, home: Path | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`certifier serve` in a process group of its own; killed at the end if it still runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = home or studio.settings.home
    environment = os.environ | (
        {"LCAL_DATABASE_URL": studio.settings.database_url} if studio.settings.database_url else {}
    )
    log = (home.parent / f"{home.name}.log").open("wb")
    command = [sys.executable, "-m", "certifier.cli", "serve", "--home", str(home), "--port", str(port)]
    process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: status_of(url) is not None, process)
        yield url, process
    finally:
        end(process)
        log.close()
        assert b"Traceback" not in (home.parent / f"{home.name}.log").read_bytes()


def end(process: subprocess.Popen[bytes], how: int = signal.SIGKILL) -> None:
    if process.poll() is None:
        os.killpg(process.pid, how)
    process.wait(timeout=30)


def status_of(url: str) -> int | None:
    try:
        return requests.get(f"{url}/readyz", timeout=10).status_code
    except requests.RequestException:
        return None


def until(condition: Callable[[], object], process: subprocess.Popen[bytes] | None = None) -> None:
    """Until it holds, a minute at most."""
    for _ in range(600):
        if condition():
            return
        assert process is None or process.poll() is None, "the service ended"
        threading.Event().wait(0.1)
    raise AssertionError("it did not happen within a minute")


def submit(
    studio: Studio, url: str, number: int, history: list[dict[str, Any]], certificate: str | bool = True
) -> requests.Response:
    """A track of its own with a report of its own, as a client that sends it again on any failure.

    ``certificate`` is the file with what is known of the server's TLS.
    """
    track = studio.folder / f"track-{number}.wav"
    if not track.exists():
        write_track(track, pitch=200 + number)
    log = emissions_csv(f"run-{number}")
    report = studio.report(title=f"Track {number} (example)", run_id=f"run-{number}", track=track)
    report["raw_log_sha256"] = [hashlib.sha256(log).hexdigest()]
    files = [
        ("report", ("report.json", studio.signed(report, track=track))),
        ("audio", ("track.wav", track.read_bytes())),
        ("logs", ("emissions.csv", log)),
    ]
    key = f"request-{number}"
    named = {"Idempotency-Key": key}
    answer = requests.post(f"{url}/api/v1/submissions", files=files, headers=named, timeout=60, verify=certificate)
    if answer.status_code == 201:
        code = parse_code(answer.json()["code"])
        document = requests.get(f"{url}/v/{code}.vc", timeout=30, verify=certificate).content
        assert json.loads(document) == answer.json()["bundle"]["certificate"]
        history.append({"op": "issue", "code": code, "document": document.decode(), "idempotency_key": key})
    return answer


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def test_two_services_on_one_database_keep_one_log_and_one_may_die(studio: Studio, postgres: Postgres) -> None:
    """Contiguous, no fork; what the dead one had accepted is finished by the other, and sent again it is answered alike."""
    studio.certifier(database_url=postgres.new_database()).close()
    other_home = studio.folder / "other"
    shutil.copytree(studio.settings.home, other_home)
    history: list[dict[str, Any]] = []
    with ExitStack() as stack:
        first, doomed = stack.enter_context(serving(studio))
        second, _ = stack.enter_context(serving(studio, other_home))
        urls = [first, second]

        def send(number: int) -> None:
            try:
                submit(studio, urls[number % 2], number, history)
            except requests.RequestException:
                assert number % 2 == 0, "only the dead one may leave somebody without an answer"

        senders = [threading.Thread(target=send, args=(number,)) for number in range(10)]
        for sender in senders[:6]:
            sender.start()
        until(lambda: len(history) >= 2)
        for sender in senders[6:]:
            sender.start()
        end(doomed)
        for sender in senders:
            sender.join()
        for number in range(10):  # everybody asks again
            assert submit(studio, second, number, history).status_code == 201
        view = check_history(get_from(second), history)
        assert view.size == 10
        assert Client(second).get("/readyz")


def test_a_database_that_was_away_is_served_again_without_a_hand(studio: Studio) -> None:
    with Postgres() as server:
        studio.certifier(database_url=server.new_database()).close()
        history: list[dict[str, Any]] = []
        with serving(studio) as (url, process):
            assert submit(studio, url, 1, history).status_code == 201
            server.kill()
            answer = requests.get(f"{url}/v/{history[0]['code']}.json", timeout=30)
            assert answer.status_code == 503
            assert answer.json()["type"].rpartition("/")[2] == "dependency-unavailable"
            assert requests.get(f"{url}/v/{history[0]['code']}.vc", timeout=30).status_code == 200  # from memory
            assert submit(studio, url, 2, history).status_code == 503
            threading.Event().wait(8)  # longer than the server would wait for a worker that ends again and again
            assert process.poll() is None
            server.start()
            until(lambda: status_of(url) == 200, process)
            assert submit(studio, url, 2, history).status_code == 201
            assert check_history(get_from(url), history).size == 2


def test_a_log_that_was_closed_beside_the_service_is_followed_by_the_next_one(studio: Studio) -> None:
    """Fail-stop for real: the worker ends, and its successor opens the new log."""
    studio.certifier().close()
    history: list[dict[str, Any]] = []
    with serving(studio) as (url, process):
        assert submit(studio, url, 1, history).status_code == 201
        turned = subprocess.run(
            [sys.executable, "-m", "certifier.cli", "log", "turn", "--yes", "--home", str(studio.settings.home)],
            capture_output=True,
            check=False,
            text=True,
        )
        assert turned.returncode == 0, turned.stderr
        origin = turned.stdout.rpartition("Began ")[2].partition(".\n")[0]
        until(lambda: origin.encode() in _get(url, "/log/checkpoint"), process)
        until(lambda: submit(studio, url, 2, history).status_code == 201, process)
        view = check_history(get_from(url), history)
        assert (view.origin, len(view.earlier)) == (origin, 1)


def _get(url: str, path: str) -> bytes:
    try:
        return Client(url).get(path)
    except UnreachableError:
        return b""


def test_a_read_only_service_says_why_at_the_start_in_readyz_and_by_its_exit_code(studio: Studio) -> None:
    studio.certifier().close()
    history: list[dict[str, Any]] = []
    with serving(studio) as (url, process):
        assert submit(studio, url, 1, history).status_code == 201
        end(process, signal.SIGTERM)
    tile = studio.settings.log_dir / "label.example-2026/tile/0/000.p/1"
    tile.write_bytes(b"torn")
    with serving(studio) as (url, process):
        ready = requests.get(f"{url}/readyz", timeout=30)
        assert (ready.status_code, ready.json()["problems"][0]["kind"]) == (503, "tile-torn")
        refused = submit(studio, url, 2, history)
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (503, "read-only")
        check_history(get_from(url), history)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 1
    assert b"READ-ONLY tile-torn" in (studio.folder / "home.log").read_bytes()


WORKER_THAT_BEGINS = """
import os, signal, sys
from pathlib import Path
from certifier.settings import Settings
from certifier.web import server

def begin(self, **_):  # as granian does: its own handler, which does nothing in a worker, and then a fork
    signal.signal(signal.SIGTERM, lambda *_: None)
    begins, begun = os.pipe()
    worker = os.fork()
    if not worker:
        os.write(begun, b".")
        signal.pause()
        os._exit(7)
    os.read(begins, 1)
    os.kill(worker, signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))

server._Server.serve = begin
server.serve(Settings(home=Path(sys.argv[1])), "127.0.0.1", 0)
"""


def test_a_worker_that_only_begins_is_ended_by_a_signal_that_its_parent_would_outlast(studio: Studio) -> None:
    studio.certifier().close()
    program = [sys.executable, "-c", WORKER_THAT_BEGINS, studio.settings.home]
    done = subprocess.run(program, capture_output=True, timeout=90, check=True)
    assert int(done.stdout) == -signal.SIGTERM
