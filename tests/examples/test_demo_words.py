"""The demo's last lines can be typed in as they are printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.demo import command_beside

PLACES = {
    "an environment in the project": ("/project/.venv/bin/python", ".venv/bin/certifier"),
    "one that lies elsewhere": ("/elsewhere/bin/python", "/elsewhere/bin/certifier"),
}


@pytest.mark.parametrize(("python", "command"), PLACES.values(), ids=PLACES.keys())
def test_the_command_of_any_environment_can_be_named(python: str, command: str) -> None:
    assert command_beside(Path(python), Path("/project")) == Path(command)
