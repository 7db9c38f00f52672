"""The public register on a page: whose statements stand in it, until when, and who verified them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from certifier.service.home import register_key
from certifier.service.statements import bounds_of, register_statement, withdraw_statement
from certifier.web.app import create_app
from tests.standard.world import standard
from tests.statements import SERVICE, signed_statement
from tests.studio import NOW, Studio

HOSTILE = '<3 & "quotes"'


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """An installation with one registered statement."""
    studio = Studio(tmp_path)
    studio.certifier().close()
    long_ago = NOW - timedelta(days=300)
    register_key(studio.settings, "example-service", "service", "Example Service", SERVICE.public, long_ago)
    register_statement(studio.settings.register_dir, signed_statement(), bounds_of(standard()), NOW)
    return studio


def page(studio: Studio, days: int) -> str:
    certifier = studio.certifier()
    try:
        return create_app(certifier, lambda: NOW + timedelta(days=days)).test_client().get("/scheme").text
    finally:
        certifier.close()


def test_a_statement_in_force_shows_model_verifier_and_days(studio: Studio) -> None:
    text = page(studio, 1)
    for words in ("example-song 5", "Example Verifier", "2026-06-01 until 2027-06-01", "0.6 Wh", "in force"):
        assert words in text


def test_an_old_statement_is_shown_as_expired(studio: Studio) -> None:
    assert '<span class="tag tag-ended">expired</span>' in page(studio, 400)


def test_a_withdrawn_statement_stays_with_its_day_and_reason(studio: Studio) -> None:
    withdraw_statement(studio.settings.register_dir, "example-song-5", f"too low {HOSTILE}", NOW)
    text = page(studio, 1)
    assert '<span class="tag tag-ended">withdrawn</span>' in text
    assert "2026-11-01: too low &lt;3 &amp;" in text


def test_an_empty_register_says_so(tmp_path: Path) -> None:
    assert "None is registered." in page(Studio(tmp_path), 1)
