"""The service as it runs: granian in a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from certifier.audio.analyse import PATIENCE
from certifier.errors import OperatorError
from certifier.settings import Settings
from certifier.web.server import serve
from tests.studio import Studio

PROGRAM = """
import sys
from pathlib import Path
from certifier.settings import Settings
from certifier.web.server import serve
serve(Settings(home=Path(sys.argv[1]), max_upload_bytes=3_000_000), "127.0.0.1", int(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Studio]]:
    studio = Studio(tmp_path_factory.mktemp("running"))
    studio.certifier().close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (studio.folder / "server.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(studio.settings.home), str(port)], stdout=log, stderr=log
    )
    try:
        with requests.Session() as session:
            session.mount(
                "http://", HTTPAdapter(max_retries=Retry(None, connect=120, backoff_factor=0.05, backoff_max=0.5))
            )
            assert session.get(f"http://127.0.0.1:{port}/readyz").json()["ready"] is True
        yield f"http://127.0.0.1:{port}", studio
    finally:
        process.terminate()
        code = process.wait(timeout=60)
        log.close()
    assert code == 0


def post(address: str, studio: Studio, audio: bytes) -> requests.Response:
    with requests.Session() as session:
        return session.post(
            f"{address}/api/v1/submissions",
            files={"report": ("r.json", studio.signed(studio.report())), "audio": ("track.wav", audio)},
            headers={"X-Request-Id": "from-the-test"},
        )


def test_pages_and_problems_come_over_the_wire(running: tuple[str, Studio]) -> None:
    address, _ = running
    with requests.Session() as session:
        start = session.get(address)
        assert "What did the AI behind this track cost the climate?" in start.text
        again = session.get(address, headers={"If-None-Match": start.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert session.get(f"{address}/nothing").headers["Content-Type"] == "application/problem+json"


def test_an_upload_is_taken_in_and_judged(running: tuple[str, Studio]) -> None:
    address, studio = running
    answer = post(address, studio, b"not a sound")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "audio-unreadable")
    assert answer.headers["X-Request-Id"] == "from-the-test"


def test_a_body_without_a_length_is_read_too(running: tuple[str, Studio]) -> None:
    """Chunked transfer coding, as streaming clients use it."""
    address, _ = running
    with requests.Session() as session:
        answer = session.post(
            f"{address}/api/v1/verifications",
            data=iter([b'{"code": ', b'"ABCDEFGHJK"}']),
            headers={"Content-Type": "application/json"},
        )
    assert answer.json()["type"].rpartition("/")[2] == "code-malformed"


def test_a_body_above_the_limit_is_told_so(running: tuple[str, Studio]) -> None:
    """The client gets the answer although it did not finish sending."""
    address, studio = running
    answer = post(address, studio, b"." * 130_000_000)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (413, "payload-too-large")


def test_readers_are_served_beside_each_other(running: tuple[str, Studio]) -> None:
    address, _ = running
    with requests.Session() as session, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: session.get(f"{address}/log/checkpoint").content, range(64)))
    assert len(set(answers)) == 1


def test_its_log_is_lines_of_json_without_bodies(running: tuple[str, Studio]) -> None:
    address, studio = running
    post(address, studio, b"a sound that must not be logged")
    written = (studio.folder / "server.log").read_text()
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    assert any(line.get("route") == "/api/v1/submissions" and line["request_id"] == "from-the-test" for line in lines)
    assert "must not be logged" not in written
    assert "Example Artist" not in written


def test_sqlite_serves_one_worker(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="one worker") as refused:
        serve(Settings(home=tmp_path), "127.0.0.1", 0, workers=2)
    assert "PostgreSQL" in str(refused.value.hint)


def test_a_home_that_does_not_exist_is_told_before_it_serves(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="no register"):
        serve(Settings(home=tmp_path / "none"), "127.0.0.1", 0)


def test_a_cpu_that_does_not_exist_is_told_before_it_serves(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="LCAL_CPU") as refused:
        serve(Settings(home=tmp_path, cpu=4096), "127.0.0.1", 0)
    assert refused.value.found == "4096"


def test_a_worker_keeps_to_its_cpu_and_the_audio_analysis_does_not(studio: Studio) -> None:
    """The analysis is what the other cores are left for."""
    program = (
        "import os, subprocess; from certifier.audio.analyse import _stand_back;"
        "from certifier.web.server import keep_to_cpu; keep_to_cpu(min(os.sched_getaffinity(0)));"
        "child = subprocess.Popen(['sleep', '60']); _stand_back(child.pid);"
        "print(len(os.sched_getaffinity(0)), len(os.sched_getaffinity(child.pid)),"
        " os.getpriority(os.PRIO_PROCESS, child.pid) - os.getpriority(os.PRIO_PROCESS, 0)); child.kill()"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    kept, left, behind = map(int, told.stdout.split())
    assert kept == 1
    assert left == len(os.sched_getaffinity(0))
    assert behind == min(PATIENCE, 19 - os.getpriority(os.PRIO_PROCESS, 0))  # nobody is nicer than that


def test_a_worker_starts_without_the_libraries_that_few_requests_need():
    """They take thirty megabytes, and are loaded when the first picture, paper, migration or statement asks for them."""
    rarely = ("PIL", "reportlab", "qrcode", "alembic", "pyld", "lxml")
    code = f"import sys, certifier.web.server; print([name for name in {rarely} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert told == "[]\n"
