"""Real parts for tests: granian as a process of its own on a free port, and a browser."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from certifier.client import Client, Patience
from certifier.errors import UnreachableError
from certifier.service.home import make_home
from certifier.service.sandbox_fill import fill_sandbox
from certifier.settings import Settings
from tests.postgres import Postgres, postgres  # noqa: F401 - a fixture
from tests.studio import UNREACHED, Studio


@pytest.fixture(scope="session", autouse=True)
def _unreached_limits() -> Iterator[None]:
    """Services that tests start as processes of their own are asked from one network, again and again."""
    with pytest.MonkeyPatch.context() as patch:
        for name, quota in UNREACHED.items():
            patch.setenv(f"LCAL_{name.upper()}", str(quota))
        yield


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind that the service runs on; PostgreSQL is a real server."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'db' / 'store.sqlite'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture(scope="session")
def filled_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with a certificate for each state (service/sandbox.DEMO_CODES), made just now. Only for reading."""
    settings, now = Settings(home=tmp_path_factory.mktemp("sandbox") / "home", **UNREACHED), datetime.now(UTC)
    make_home(settings, now)
    fill_sandbox(settings, now)
    return settings


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    studio = Studio(tmp_path)
    studio.certifier().close()
    return studio


@pytest.fixture
def server(studio: Studio) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "certifier.cli", "serve", "--home", str(studio.settings.home), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    deadline = datetime.now(UTC).timestamp() + 60
    while True:
        try:
            Client(url, patience=Patience(attempts=1)).get("/readyz")
            break
        except UnreachableError:
            assert process.poll() is None, (process.stdout or sys.stdin).read()
            assert datetime.now(UTC).timestamp() < deadline, "the service did not start within a minute"
    yield url
    process.terminate()
    output, _ = process.communicate(timeout=30)
    assert b"Traceback" not in output, output.decode()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "no browser: run make test-deps"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()
