"""Go's own checksum-database code reads our logs: it accepts the straight ones and, with our referee, refuses the bent ones.

Needs ``go`` and the sources of golang.org/x/mod (tests/foreign/README.md). Nothing is passed over when they are missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from werkzeug.serving import BaseWSGIServer, make_server

from certifier.service.certifier import Issued
from certifier.web.app import create_app
from tests.referee import Refuted, get_from, read_log
from tests.studio import NOW, Studio
from tests.test_referee import BENT, ORIGIN, STRANGER, VKEY, Files, flipped, numbered, written_log

SOURCE = Path(__file__).parents[1] / "foreign/sumdb/main.go"
DEBIAN_GOPATH = "/usr/share/gocode"
HINT = "run: apt-get install golang-go golang-golang-x-mod-dev (tests/foreign/README.md)"
SIZES = (1, 255, 256, 257, 600)


class Verdict(NamedTuple):
    exit_code: int
    said: str


Judge = Callable[..., Verdict]  # of an address, and of a verifier key other than VKEY


@pytest.fixture(scope="session")
def sumdb(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """The foreign judge, built from its source; it is given the address of a log."""
    go = shutil.which("go")
    assert go, f"the foreign judge cannot be built, there is no go; {HINT}"
    program = tmp_path_factory.mktemp("foreign") / "sumdb"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": DEBIAN_GOPATH, "GOFLAGS": ""}
    command = [go, "build", "-o", str(program), str(SOURCE)]
    built = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, f"the foreign judge cannot be built; {HINT}\n{built.stderr}"
    return lambda url, vkey=VKEY: _run(program, url, vkey)


def _run(program: Path, *arguments: str) -> Verdict:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in {0, 1}, done.stderr
    return Verdict(done.returncode, done.stdout.strip())


@contextmanager
def running(server: ThreadingHTTPServer | BaseWSGIServer) -> Iterator[str]:
    with closing(server.socket):
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Files], str]]:
    """Writes a log's files into a folder of its own, served as any web server would; gives the address."""
    root = tmp_path_factory.mktemp("logs")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    with running(server) as url:

        def publish(files: Files) -> str:
            name = f"{sum(1 for _ in root.iterdir())}"
            for path, raw in files.items():
                target = root / name / "log" / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(raw)
            return f"{url}/{name}"

        yield publish


def refused_by_both(sumdb: Judge, url: str) -> Verdict:
    with pytest.raises(Refuted):
        read_log(get_from(url), VKEY)
    verdict = sumdb(f"{url}/log")
    assert verdict.exit_code == 1
    assert verdict.said.startswith("REJECT ")
    return verdict


@pytest.mark.parametrize("size", [0, *SIZES])
def test_a_straight_log_is_accepted(sumdb: Judge, published: Callable[[Files], str], size: int) -> None:
    url = published(written_log(numbered(size)))
    assert sumdb(f"{url}/log") == Verdict(0, f"ACCEPT {ORIGIN} {size}")
    assert read_log(get_from(url), VKEY).size == size


@pytest.mark.parametrize("size", SIZES)
def test_one_bit_in_any_file_is_found(sumdb: Judge, published: Callable[[Files], str], size: int) -> None:
    """The first, a middle and the last bit of each file, also of tiles that the library itself would not authenticate."""
    files = written_log(numbered(size))
    for path, raw in files.items():
        for bit in (0, 4 * len(raw), 8 * len(raw) - 1):
            refused_by_both(sumdb, published({**files, path: flipped(raw, bit)}))


def test_every_byte_of_the_smallest_tile_counts(sumdb: Judge, published: Callable[[Files], str]) -> None:
    files = written_log(numbered(600))
    path = min((path for path in files if path != "checkpoint"), key=lambda path: len(files[path]))
    for byte, raw in enumerate([files[path]] * len(files[path])):
        refused_by_both(sumdb, published({**files, path: flipped(raw, 8 * byte + byte % 8)}))


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT.keys())
def test_both_judges_refuse_a_bent_log(
    sumdb: Judge, published: Callable[[Files], str], bend: Callable[[Files], Files]
) -> None:
    refused_by_both(sumdb, published(bend(written_log(numbered(600)))))


def test_a_log_of_another_key_is_refused(sumdb: Judge, published: Callable[[Files], str]) -> None:
    refused_by_both(sumdb, published(written_log(numbered(2), STRANGER)))


def test_the_log_of_a_running_service_is_accepted(sumdb: Judge, tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    certifier = studio.certifier()
    issued = certifier.submit(studio.upload(studio.signed(studio.report())), NOW)
    assert isinstance(issued, Issued)
    certifier.change_status(issued.certificate.code, "revoke", "misuse", NOW)
    vkey = certifier.logbook.verifier_key.to_text()
    with running(make_server("127.0.0.1", 0, create_app(certifier, lambda: NOW), threaded=True)) as url:
        assert sumdb(f"{url}/log", vkey) == Verdict(0, f"ACCEPT {certifier.logbook.origin} 2")
        assert read_log(get_from(url), vkey).size == 2
    certifier.close()
