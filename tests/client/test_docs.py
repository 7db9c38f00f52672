"""The guide to the client does what it says: every block runs, in order, and prints what stands beside it."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from certifier.certificate.code import display_code
from certifier.cli.main import main
from tests.client.conftest import World, signed_report

GUIDE = (Path(__file__).parents[2] / "docs/client.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
CODE, SERVER = "GG8W-7E5J-TV", "https://label.example"
COMMANDS = [line for block in re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL) for line in block.splitlines()]


def promised(block: str) -> list[str]:
    """What the comments say that a block prints."""
    beside = re.findall(r"print\(.*\) +# (.*)", block)
    return beside or re.findall(r"^# (.*)", block, re.MULTILINE)


def in_place(text: str, world: World) -> str:
    return text.replace(CODE, display_code(world.code)).replace(SERVER, world.url)


@pytest.fixture
def desk(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the guide names, and pinned keys."""
    pinned = tmp_path / "config/certifier/trust.json"
    pinned.parent.mkdir(parents=True)
    for target in (pinned, tmp_path / "trust.json"):
        shutil.copyfile(world.trust_file, target)
    shutil.copyfile(world.track, tmp_path / "track.wav")
    shutil.copyfile(world.studio.track, tmp_path / "other.wav")
    for kind, name in (("vc", "certificate.json"), ("tlog-proof", "certificate.tlog-proof")):
        (tmp_path / name).write_bytes(world.files[f"/v/{world.code}.{kind}"])
    envelope, track, log = signed_report(world.studio, 7)
    (tmp_path / "report.dsse.json").write_bytes(envelope)
    (tmp_path / "emissions.csv").write_bytes(log)
    shutil.copyfile(track, tmp_path / "take.wav")
    monkeypatch.setenv("LCAL_KEY", world.key)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_block_of_the_guide_prints_what_it_says(world: World, desk: Path) -> None:
    said: list[str] = []
    names: dict[str, Any] = {"print": lambda *words: said.append(" ".join(map(str, words)))}
    for block in PYTHON:
        said.clear()
        exec(in_place(block, world), names)
        assert said == [in_place(line, world) for line in promised(block)], block
    assert len(PYTHON) == 9


def test_every_command_of_the_guide_is_one(world: World, desk: Path) -> None:
    ran = 0
    for line in COMMANDS:
        words = shlex.split(in_place(line.removeprefix("$ "), world), comments=True)
        if words[0] == "eval":
            words = shlex.split(words[1].strip("$()"))
        if words[0] == "certifier":
            extra = ["--yes"] if "--pin" in words else []
            result = CliRunner().invoke(main, [*words[1:], *extra], catch_exceptions=False)
            assert result.exit_code == 0, result.output
            ran += 1
    assert ran == 5
