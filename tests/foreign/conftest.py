"""One world and one Node process for all the foreign judges."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.foreign.judge import Judge, seated_judge
from tests.foreign.world import World, foreign_world


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    with seated_judge() as judge:
        yield judge


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with foreign_world(tmp_path_factory.mktemp("foreign")) as world:
        yield world
