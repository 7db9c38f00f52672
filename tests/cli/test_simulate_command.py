"""`certifier standard simulate`, as an editor of the standard runs it."""

from __future__ import annotations

import csv
import json
import os
import pty
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert, select, update

from certifier.certificate.code import display_code
from certifier.cli.main import main
from certifier.service.simulate import FEW
from certifier.storage.store import Store
from certifier.storage.tables import submissions
from tests.service.test_simulate import (
    DIRTIER_GERMANY,
    STRICTER_LIMIT,
    TAKES_MAY_BE_NONE,
    certify_all,
    changed_files,
)
from tests.standard.world import FOLDER
from tests.studio import Studio

CHANGES = (STRICTER_LIMIT, DIRTIER_GERMANY, TAKES_MAY_BE_NONE)


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["standard", "simulate", *map(str, arguments)], catch_exceptions=False)


def document(*arguments: Any) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    value: dict[str, Any] = json.loads(result.stdout)
    return value


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    studio = Studio(tmp_path_factory.mktemp("certified"))
    return studio.settings.home, certify_all(studio)


@pytest.fixture
def names(certified: tuple[Path, dict[str, str]]) -> dict[str, str]:
    return certified[1]


@pytest.fixture
def home(certified: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    """A copy, to break."""
    return shutil.copytree(certified[0], tmp_path / "home")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    folder = tmp_path / "new"
    for path, content in changed_files(*CHANGES).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def test_it_shows_whose_outcome_changes_by_which_rule_and_where(home: Path, new: Path, names: dict[str, str]) -> None:
    result = run(new, "--home", home)
    assert result.exit_code == 0
    assert result.stderr == ""
    text = result.stdout
    assert "on 13 stored reports" in text
    assert "12 in force (certificates and statements), decided by LCAL-1.0.0" in text
    assert "1 not in force (refused, revoked, expired), decided by LCAL-1.0.0" in text
    assert "4 worse, 0 better, 8 as before" in text
    for name in ("germany 0", "germany 1", "poland 0", "poland 1"):
        (line,) = [line for line in text.splitlines() if display_code(names[name]) in line]
        assert "class-2 → measured" in line
        assert "THR-02 fails" in line
    (refused,) = [line for line in text.splitlines() if names["takes not counted"] in line]
    assert "none → class-2" in refused
    assert "BND-03 passes" in refused
    assert max(map(len, text.splitlines())) <= 100


def test_the_standard_as_it_is_changes_nobody(home: Path) -> None:
    text = run(FOLDER, "--home", home).stdout
    assert "0 worse, 0 better, 12 as before" in text
    assert "assessed figure: 0 move" in text
    assert "→ measured" not in text


def test_the_exported_lines_and_the_json_say_the_same(home: Path, new: Path, tmp_path: Path) -> None:
    out = tmp_path / "all.csv"
    told = document(new, "--home", home, "--out", out)
    with out.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == told["reports"] == 13
    for group in told["groups"]:
        own = [line for line in lines if line["in_force"] == ("yes" if group["in_force"] else "no")]
        assert Counter((line["old_outcome"], line["new_outcome"]) for line in own) == {
            (cell["old"], cell["new"]): cell["reports"] for cell in group["outcomes"]
        }
        changed = [line for line in own if line["old_outcome"] != line["new_outcome"]]
        assert [line["submission"] for line in changed] == [flip["submission"] for flip in group["flips"]]
        for line, flip in zip(changed, group["flips"], strict=True):
            assert line["code"] == (flip["code"] or "")
            assert line["old_assessed_g_per_min"] == flip["old_assessed_g_per_min"]
            assert line["new_assessed_g_per_min"] == flip["new_assessed_g_per_min"]
            assert line["changed_rules"] == "; ".join(f"{rule['rule']} {rule['now']}" for rule in flip["changed_rules"])
        assert group["flips_left_out"] == 0
        rules = Counter(rule for line in own for rule in line["changed_rules"].split("; ") if rule)
        assert sum(rules.values()) == sum(rule["newly_fails"] + rule["newly_passes"] for rule in group["rules"])
    assert [path.name for path in tmp_path.iterdir() if path.suffix in {".csv", ".tmp"}] == ["all.csv"]


def test_only_certificates_in_force_where_asked(home: Path, new: Path) -> None:
    told = document(new, "--home", home, "--certified")
    assert [(group["in_force"], group["reports"]) for group in told["groups"]] == [(True, 12)]


def test_only_reports_since_a_day_where_asked(home: Path, new: Path) -> None:
    assert document(new, "--home", home, "--since", "2026-11-01")["reports"] == 13
    assert document(new, "--home", home, "--since", "2026-11-02")["reports"] == 0


def test_a_broken_envelope_is_named_and_the_run_goes_on(home: Path, new: Path, names: dict[str, str]) -> None:
    broken = names["takes not counted"]
    store = Store.open(f"sqlite:///{home / 'service.sqlite'}")
    with store.database.writing() as connection:
        connection.execute(update(submissions).where(submissions.c.id == broken).values(envelope=b"\x00[bold]"))
    store.close()
    result = run(new, "--home", home)
    assert result.exit_code == 0
    assert "1 report cannot be judged again" in result.stdout
    assert broken in result.stdout
    told = document(new, "--home", home)
    assert (told["reports"], told["not_judged"], told["not_judged_reports"][0]["submission"]) == (13, 1, broken)


def test_a_long_list_is_cut_on_the_screen_and_whole_in_the_file(home: Path, new: Path, tmp_path: Path) -> None:
    """With as many reports as two processes are started for."""
    copies = copy_refusal(home, FEW)
    text = run(new, "--home", home, "--out", tmp_path / "all.csv").stdout
    assert f"and {copies + 1 - 20} more: all of them are in the file" in text
    assert f"and {copies + 1 - 20} more: --out FILE.csv" in run(new, "--home", home).stdout
    assert sum(",none,class-2," in line for line in (tmp_path / "all.csv").read_text().splitlines()) == copies + 1


def copy_refusal(home: Path, copies: int) -> int:
    store = Store.open(f"sqlite:///{home / 'service.sqlite'}")
    with store.database.writing() as connection:
        row = connection.execute(select(submissions).where(submissions.c.state == "refused")).mappings().one()
        connection.execute(insert(submissions), [{**row, "id": f"sub_{number:032x}"} for number in range(copies)])
    store.close()
    return copies


def test_an_empty_home_says_so(tmp_path: Path, new: Path) -> None:
    studio = Studio(tmp_path)
    studio.certifier().close()
    result = run(new, "--home", studio.settings.home)
    assert (result.exit_code, "there is no stored report" in result.stdout) == (0, True)
    told = document(new, "--home", studio.settings.home, "--out", tmp_path / "none.csv")
    assert (told["reports"], told["groups"]) == (0, [])
    assert len((tmp_path / "none.csv").read_text().splitlines()) == 1


def _misspelt(new: Path) -> None:
    rules = new / "rules" / "95-limits.toml"
    rules.write_text(rules.read_text().replace("footprint.assessed_cg", "footprint.asessed_cg"))


WRONG = {
    "NEW is no folder of a standard": (lambda new, _: shutil.rmtree(new), (), "There is no standard at"),
    "NEW has a misspelt fact": (lambda new, _: _misspelt(new), (), "asessed_cg"),
    "HOME is no installation": (lambda _, home: shutil.rmtree(home), (), "There is no installation in"),
    "the file cannot be written": (lambda *_: None, ("--out", "/nowhere/all.csv"), "cannot be written"),
}


@pytest.mark.parametrize(("spoil", "options", "told"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_read_ends_with_code_1_and_one_clear_error(
    home: Path, new: Path, spoil: Any, options: tuple[str, ...], told: str
) -> None:
    spoil(new, home)
    result = run(new, "--home", home, *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr


def test_progress_is_shown_on_a_terminal_unless_it_is_to_be_quiet(home: Path, new: Path) -> None:
    assert "judging" in on_terminal(new, "--home", home)
    assert on_terminal(new, "--home", home, "--quiet") == ""


def on_terminal(*arguments: Any) -> str:
    """What the command writes to stderr where that is a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "certifier.cli", "standard", "simulate", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert process.wait(60) == 0
    return shown.decode()
