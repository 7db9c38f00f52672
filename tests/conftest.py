"""Real parts for tests: databases, the service as a process of its own, and a browser."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import BinaryIO

import pytest
import structlog
from playwright.sync_api import Browser, sync_playwright

from certifier.audio import analyse
from certifier.audio.model import AudioLimits
from certifier.service import shelf
from certifier.service.home import make_home
from certifier.service.sandbox_fill import fill_sandbox
from certifier.settings import Settings
from certifier.standard import folder
from certifier.standard.model import parse_standard
from tests.postgres import Postgres, postgres  # noqa: F401 - a fixture
from tests.serving import served_by_process
from tests.studio import UNREACHED, Studio

# An application inside of a test speaks to nobody: on stdout its lines would stand among a command's. Servers set up their own.
structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


@pytest.fixture(scope="session", autouse=True)
def _unreached_limits() -> Iterator[None]:
    """Services that tests start as processes of their own are asked from one network, again and again."""
    with pytest.MonkeyPatch.context() as patch:
        for name, quota in UNREACHED.items():
            patch.setenv(f"LCAL_{name.upper()}", str(quota))
        yield


@pytest.fixture(scope="session", autouse=True)
def _each_standard_is_read_once() -> Iterator[None]:
    """The same bytes give the same frozen value: whoever opens an installation need not parse them again in this process."""
    parse = cache(lambda files: parse_standard(dict(files)))
    with pytest.MonkeyPatch.context() as patch:
        for module in (folder, shelf):
            patch.setattr(module, "parse_standard", lambda files: parse(tuple(sorted(files.items()))))
        yield


_heard: dict[tuple[bytes, AudioLimits], subprocess.CompletedProcess[str]] = {}


@pytest.fixture(autouse=True)
def _each_sound_is_heard_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes give the same facts, so the decoder is started once for each; tests/audio starts it every time."""
    run_child = analyse._run_child

    def heard(file: BinaryIO, limits: AudioLimits) -> subprocess.CompletedProcess[str]:
        key = hashlib.file_digest(file, "sha256").digest(), limits
        if key not in _heard:
            file.seek(0)
            done = run_child(file, limits)
            if done.returncode:
                return done
            _heard[key] = done
        return _heard[key]

    monkeypatch.setattr(analyse, "_run_child", heard)


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
    with served_by_process(studio) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "no browser: run make test-deps"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()
