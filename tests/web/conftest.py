"""A small register to look at, made once: one certificate of each kind, a withdrawn one, a refusal. And a studio of one's own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from certifier.service.certifier import Certifier, Issued, Refused
from certifier.web.app import create_app
from tests.studio import APPLICANT, NOW, PARTY, VERIFIER, Studio, emissions_csv, write_track
from tests.web import browsing
from tests.web.outcomes import Outcomes, make_outcomes

LATER = browsing.LATER
HOSTILE = '"><3 & \'Lights\' onload="alert(1)" {{ 7 * 7 }} --> example'


@dataclass(frozen=True)
class World:
    studio: Studio
    certifier: Certifier
    client: FlaskClient
    verified: Issued
    attested: Issued
    statement: Issued
    withdrawn: Issued
    refused: Refused

    @property
    def code(self) -> str:
        return self.verified.certificate.code


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Only for reading."""
    studio = Studio(tmp_path_factory.mktemp("world"))
    certifier = studio.certifier()
    made: dict[str, Any] = {
        "verified": _submitted(studio, certifier, "Night Ferry (example)", 1, (APPLICANT, PARTY, VERIFIER)),
        "attested": _submitted(studio, certifier, HOSTILE, 2, (APPLICANT, PARTY)),
        "statement": _submitted(studio, certifier, "Harbour (example)", 3, (APPLICANT,)),
        "withdrawn": _submitted(studio, certifier, "Glass Rain (example)", 4, (APPLICANT, PARTY)),
        "refused": _submitted(studio, certifier, "Too Short (example)", 5, (APPLICANT, PARTY), seconds=10),
    }
    certifier.change_status(made["withdrawn"].certificate.code, "revoke", "misuse", NOW + timedelta(days=1))
    yield World(studio, certifier, create_app(certifier, lambda: LATER).test_client(), **made)
    certifier.close()


def _submitted(
    studio: Studio, certifier: Certifier, title: str, number: int, keys: tuple[Any, ...], seconds: float = 20.0
) -> Issued | Refused:
    track = write_track(studio.folder / f"track-{number}.wav", seconds, pitch=200.0 + 20 * number)
    log = emissions_csv(f"run-{number}")
    report = studio.report(title=title, run_id=f"run-{number}", track=track)
    report["raw_log_sha256"] = [hashlib.sha256(log).hexdigest()]
    envelope = studio.signed(report, keys, track=track)
    return certifier.submit(studio.upload(envelope, track=track, logs={"emissions.csv": log}), NOW)


@pytest.fixture(scope="session")
def address(world: World) -> Iterator[str]:
    """Where a browser finds the world."""
    yield from browsing.served(world.client.application)


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcomes]:
    """Only for reading: one decision of each kind."""
    made = make_outcomes(Studio(tmp_path_factory.mktemp("outcomes")))
    yield made
    made.certifier.close()


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@pytest.fixture
def certifier(studio: Studio) -> Iterator[Certifier]:
    """An empty installation of one's own."""
    certifier = studio.certifier()
    yield certifier
    certifier.close()


@pytest.fixture
def client(certifier: Certifier) -> FlaskClient:
    return create_app(certifier, lambda: LATER).test_client()


@pytest.fixture
def own_address(client: FlaskClient) -> Iterator[str]:
    """Where a browser finds an installation of one's own."""
    yield from browsing.served(client.application)
