"""Here the decoder is what is shown."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _each_sound_is_heard_once() -> None:
    """It is heard as often as somebody asks."""
