"""The packages of npm that judge in the tests are named so that everybody gets the same ones, from wherever they are had."""

from __future__ import annotations

import json
import re

from tests.foreign.judge import FOLDER

EXACT = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
WANTED = json.loads((FOLDER / "package.json").read_text())["dependencies"]
LOCKED = json.loads((FOLDER / "package-lock.json").read_text())["packages"]


def test_every_package_has_one_version_and_a_digest() -> None:
    assert all(EXACT.fullmatch(version) for version in WANTED.values()), WANTED
    assert LOCKED[""]["dependencies"] == WANTED
    others = {name: entry for name, entry in LOCKED.items() if name}
    assert len(others) >= len(WANTED)
    assert [name for name, entry in others.items() if not entry.get("integrity", "").startswith("sha512-")] == []


def test_no_package_names_the_host_that_it_comes_from_or_runs_a_script() -> None:
    assert [name for name, entry in LOCKED.items() if "resolved" in entry or entry.get("hasInstallScript")] == []
    assert "ignore-scripts=true" in (FOLDER / ".npmrc").read_text()
