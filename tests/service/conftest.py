"""An installation on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from certifier.service.certifier import Certifier
from tests.studio import Studio


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@pytest.fixture
def certifier(studio: Studio) -> Iterator[Certifier]:
    certifier = studio.certifier()
    yield certifier
    certifier.close()


@pytest.fixture
def installed(studio: Studio, database_url: str) -> Iterator[Certifier]:
    """As ``certifier``, once on SQLite and once on PostgreSQL; the studio opens it again at the same database."""
    certifier = studio.certifier(database_url=database_url)
    yield certifier
    certifier.close()
