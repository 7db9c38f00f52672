"""What an editor types, from a new draft to a published version, and what is answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from certifier.cli.main import main
from certifier.crypto.signing import SigningKey
from certifier.log.entry import parse_entry
from certifier.storage.files import load_standard_folder, save_signing_key
from certifier.storage.store import Store
from tests.standard.editors import CASES, HEAD, RULES, edited, small_files, with_table, write

ROOT = Path(__file__).parents[2]
LCAL = ROOT / "standards" / "lcal" / "1.0.0"
TRIAL = ROOT / "standards" / "lcal" / "1.1.0-draft"
KEY = SigningKey.from_seed(b"e" * 32)
DID = KEY.public.did_key


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["standard", *map(str, arguments)], catch_exceptions=False)


def data_of(result: Result) -> Any:
    return json.loads(result.stdout)


class Desk:
    """An editor's folder of standards, with the key that signs its index."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.first = write(root / "lcal" / "1.0.0", small_files())
        self.index = root / "index.json"
        self.key = root / "private" / "editors.pem"
        save_signing_key(self.key, KEY)

    def publish(self, folder: Path, *more: Any) -> Result:
        return run("publish", folder, "--key", self.key, *more)

    def version(self, number: str, changes: dict[str, tuple[str, str]]) -> Path:
        """A version like the first, with a few changes, marked as published."""
        folder = self.root / "lcal" / number
        assert run("new", folder, "--from", self.first, "--version", number).exit_code == 0
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        ready = {
            HEAD: ('status = "draft"\npublished_on = ""', 'status = "published"\npublished_on = "2020-02-02"'),
            "README.md": ("a working draft made from `LCAL-1.0.0`", "published on 2020-02-02"),
        }
        return write(folder, with_table(edited(changes, edited(ready, files))))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# --- test ---


def test_all_case_files_of_a_folder_are_run_and_counted(desk: Desk) -> None:
    more = {"cases": [{"id": "M1", "title": "one take", "like": "C15", "expected": {"outcome": "class-2"}}]}
    (desk.first / "cases" / "more.json").write_text(json.dumps(more))
    result = run("test", desk.first)
    assert result.exit_code == 3
    assert "cases/cases.json  8 of 8" in result.stdout
    assert "cases/more.json  0 of 1" in result.stdout
    assert "found     class-1\n        expected  class-2" in result.stdout
    as_json = data_of(run("test", desk.first, "--json"))
    assert [(file["file"], file["cases"], file["failed"]) for file in as_json["files"]] == [
        ("cases/cases.json", 8, 0),
        ("cases/more.json", 1, 1),
    ]
    assert as_json["results"][-1]["misses"] == [{"member": "outcome", "found": "class-1", "expected": "class-2"}]


def test_the_id_of_a_case_is_its_own_over_all_files(desk: Desk) -> None:
    (desk.first / "cases" / "more.json").write_bytes(small_files()[CASES])
    result = run("test", desk.first)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "cases/more.json" in result.stderr
    assert "C15" in result.stderr


def test_given_cases_may_be_like_those_of_the_folder_and_what_is_not_run_is_said(desk: Desk, tmp_path: Path) -> None:
    given = {
        "cases": [{"id": "X1", "title": "as C15", "like": "C15", "expected": {"outcome": "class-1"}}],
        "import_cases": [{"id": "M01"}, {"id": "M02"}],
    }
    (tmp_path / "given.json").write_text(json.dumps(given))
    result = run("test", desk.first, "--cases", tmp_path / "given.json")
    assert result.exit_code == 0
    assert "1 of 1; 2 cases for importers were not run" in result.stdout
    as_json = data_of(run("test", desk.first, "--cases", tmp_path / "given.json", "--json"))
    assert (as_json["cases"], as_json["failed"], as_json["import_cases_not_run"]) == (1, 0, 2)


# --- lint, rules, diff ---


def test_lcal_has_no_error_and_neither_has_the_trial_draft() -> None:
    for folder in (LCAL, TRIAL):
        result = run("lint", folder, "--against", LCAL, "--json")
        assert (result.exit_code, data_of(result)["errors"]) == (0, 0)


def test_lint_says_where_what_and_what_to_do(desk: Desk) -> None:
    write(desk.first, edited({HEAD: ("class_2 = 30.00", "class_2 = 5.00")}))
    result = run("lint", desk.first)
    assert result.exit_code == 3
    assert "error    standard.toml:15  limits.class_1 is not below limits.class_2 (section 8.1)." in result.stdout
    assert "try       Correct the one that is wrong." in result.stdout
    first = data_of(run("lint", desk.first, "--json"))["findings"][0]
    assert (first["file"], first["line"], first["found"]) == ("standard.toml", 15, "10.00 and 5.00")


def test_every_fact_that_a_rule_names_is_listed_with_type_and_unit() -> None:
    result = run("facts", LCAL)
    listed = {line.split(" | ")[0].removeprefix("| ") for line in result.stdout.splitlines()}
    named = frozenset().union(*load_standard_folder(LCAL).standard.names.values())
    assert named <= listed
    assert "| report.issued_us | the report | INT | 1/1000000 s since 1970 | time of the report |" in result.stdout
    assert "| limit.track_us | all | INT | 1/1000000 s | bound: 15000000 |" in result.stdout


def test_the_table_for_the_text_is_printed_ready_to_paste(desk: Desk) -> None:
    table = run("rules", desk.first).stdout
    assert table in (desk.first / "README.md").read_text()


def test_the_trial_draft_is_a_major_version_under_a_minor_number() -> None:
    """It differs from LCAL 1.0.0 in one limit and one row; scripts/make_trial_draft.py makes it again."""
    result = run("diff", LCAL, TRIAL)
    assert result.exit_code == 3
    assert "By section 13 this is a major version." in result.stdout
    assert "1.1.0-draft promises less: a minor version." in result.stdout
    as_json = data_of(run("diff", LCAL, TRIAL, "--json"))
    counted = [change["subject"] for change in as_json["changes"] if change["step"] in {"major", "minor"}]
    assert counted == ["limits.class_1", "grid_intensity FRA gco2e_per_kwh"]
    assert len(as_json["reference_set"]) == 12
    markdown = run("diff", LCAL, TRIAL, "--markdown").stdout
    assert "| minor | factor | grid_intensity FRA gco2e_per_kwh | 44 | 48 (+9.1 %) |" in markdown


# --- new ---


def test_a_new_version_lints_and_says_what_comes_next(desk: Desk) -> None:
    folder = desk.root / "lcal" / "1.1.0-draft"
    result = run("new", folder, "--from", desk.first, "--version", "1.1.0-draft")
    assert result.exit_code == 0
    assert "LCAL-1.1.0-draft is a draft" in result.stdout
    assert "certifier standard lint" in result.stdout
    assert run("lint", folder, "--against", desk.first).exit_code == 0
    assert data_of(run("diff", desk.first, folder, "--json"))["step"] == "patch"
    again = run("new", folder, "--from", desk.first, "--version", "1.1.0-draft")
    assert (again.exit_code, "already" in again.stderr) == (1, True)
    wrong = run("new", desk.root / "x", "--from", desk.first, "--version", "next")
    assert (wrong.exit_code, (desk.root / "x").exists()) == (2, False)


# --- publish, verify-index ---


def test_a_version_is_published_once_and_stays_as_it_is(desk: Desk) -> None:
    first = desk.publish(desk.first)
    assert (first.exit_code, "LCAL-1.0.0 is published" in first.stdout) == (0, True), first.output
    signed = desk.index.read_bytes()
    again = desk.publish(desk.first)
    assert (again.exit_code, "LCAL-1.0.0 is already published" in again.stdout) == (0, True)
    assert desk.index.read_bytes() == signed
    assert run("verify-index", desk.index, "--key", DID).exit_code == 0
    write(desk.first, edited({RULES: ("Name it.", "Name it now.")}))
    changed = desk.publish(desk.first)
    assert (changed.exit_code, f"changed since: {RULES}" in changed.stderr) == (3, True)
    for command in ("test", "lint"):
        refused = run(command, desk.first)
        assert (refused.exit_code, f"changed since: {RULES}" in refused.stderr) == (1, True)
    verified = run("verify-index", desk.index, "--key", DID, "--json")
    assert (verified.exit_code, data_of(verified)["entries"][0]["changed"]) == (3, [RULES])


READY = {
    "a patch that changes a word": ("1.0.1", {RULES: ("Name it.", "Name it, please.")}, None),
    "a minor version with a new warning": (
        "1.1.0",
        {
            RULES: ('level = "info"', 'level = "should"'),
            CASES: ('"infos": [\n     "PLS-13"\n    ]', '"warnings": ["PLS-13"]'),
        },
        None,
    ),
    "a patch with a new warning": (
        "1.0.1",
        {
            RULES: ('level = "info"', 'level = "should"'),
            CASES: ('"infos": [\n     "PLS-13"\n    ]', '"warnings": ["PLS-13"]'),
        },
        "1.0.1 promises less",
    ),
    "a lint error": ("1.0.1", {RULES: ("Name it.", "Name it")}, "lint finds"),
    "a retired id": ("1.1.0", {HEAD: ('["PLS-16", ', "[")}, "PLS-16 was retired in LCAL-1.0.0"),
    "a day to come": ("1.0.1", {HEAD: ("2020-02-02", "2999-01-01")}, "has not come"),
    "a draft": ("1.0.1", {HEAD: ('status = "published"', 'status = "draft"')}, "is not ready"),
    "a number of the calculation in a minor version": (
        "1.1.0",
        {HEAD: ("retention_days = 365", "retention_days = 366")},
        "1.1.0 promises less",
    ),
}


@pytest.mark.parametrize(("number", "changes", "problem"), READY.values(), ids=READY.keys())
def test_only_what_is_ready_and_keeps_its_promise_is_published(
    desk: Desk, number: str, changes: dict[str, tuple[str, str]], problem: str | None
) -> None:
    assert desk.publish(desk.first).exit_code == 0
    result = desk.publish(desk.version(number, changes))
    if problem is None:
        assert result.exit_code == 0, result.output
        assert run("verify-index", desk.index, "--key", DID).exit_code == 0
    else:
        assert (result.exit_code, problem in result.stderr) == (3, True), result.output
        assert len(json.loads(desk.index.read_text())["entries"]) == 1


FAULTS = {
    "a fault that is none": ("embodied_table = 3.0", "mends no fault"),
    "a fault whose cases are still wrong": ("embodied_table = 4.0", "lint finds"),
}


@pytest.mark.parametrize(("number", "problem"), FAULTS.values(), ids=FAULTS.keys())
def test_a_patch_may_mend_figures_that_were_far_too_low(desk: Desk, number: str, problem: str) -> None:
    assert desk.publish(desk.first).exit_code == 0
    patch = desk.version("1.0.1", {HEAD: ("embodied_table = 1.5", number)})
    assert "1.0.1 promises less" in desk.publish(patch).stderr
    refused = desk.publish(patch, "--mends-fault")
    assert (refused.exit_code, problem in refused.stderr) == (3, True), refused.output


def test_the_trial_draft_is_refused_under_its_number(desk: Desk) -> None:
    refused = desk.publish(write(desk.root / "lcal" / "1.1.0-draft", _files(TRIAL)))
    assert (refused.exit_code, "LCAL-1.1.0-draft" in refused.stderr, desk.index.exists()) == (3, True, False)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_is_published_beside_a_version_that_was_changed(desk: Desk) -> None:
    assert desk.publish(desk.first).exit_code == 0
    patch = desk.version("1.0.1", {RULES: ("Name it.", "Name it, please.")})
    write(desk.first, edited({RULES: ("Name it.", "Name it now.")}))
    refused = desk.publish(patch)
    assert (refused.exit_code, "LCAL-1.0.0 is published, and changed since" in refused.stderr) == (3, True)


def test_another_key_takes_over_only_if_the_old_one_is_named(desk: Desk) -> None:
    assert desk.publish(desk.first).exit_code == 0
    patch = desk.version("1.0.1", {RULES: ("Name it.", "Name it, please.")})
    desk.key = desk.root / "private" / "next.pem"
    successor = SigningKey.from_seed(b"n" * 32)
    save_signing_key(desk.key, successor)
    refused = desk.publish(patch)
    assert (refused.exit_code, "--previous-key" in refused.stderr) == (3, True)
    assert desk.publish(patch, "--previous-key", DID).exit_code == 0
    assert run("verify-index", desk.index, "--key", successor.public.did_key).exit_code == 0
    assert run("verify-index", desk.index, "--key", DID).exit_code == 3


def test_a_folder_that_is_gone_is_told_and_so_is_one_outside_the_index(desk: Desk, tmp_path: Path) -> None:
    outside = desk.publish(desk.first, "--index", tmp_path / "elsewhere" / "index.json")
    assert (outside.exit_code, "does not lie below" in outside.stderr) == (2, True)
    assert desk.publish(desk.first).exit_code == 0
    desk.first.rename(desk.root / "lcal" / "moved")
    verified = run("verify-index", desk.index, "--key", DID)
    assert (verified.exit_code, "lcal/1.0.0 (gone)" in verified.stdout) == (3, True)


def test_the_public_log_says_once_that_a_version_is_published(desk: Desk, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert CliRunner().invoke(main, ["init", "--home", str(home)]).exit_code == 0
    assert data_of(desk.publish(desk.first, "--json"))["logged"] is None
    for logged in (True, False):
        answer = data_of(desk.publish(desk.first, "--home", home, "--json"))
        assert (answer["published"], answer["logged"]) == (False, logged)
    store = Store.open(f"sqlite:///{home / 'service.sqlite'}")
    (entry,) = map(parse_entry, store.standard_entries())
    store.close()
    assert (entry["standard"], entry["digest"]) == ("LCAL-1.0.0", f"sha256:{answer['sha256']}")
    fsck = CliRunner().invoke(main, ["log", "fsck", "--home", str(home)])
    assert (fsck.exit_code, "size 1" in fsck.stdout) == (0, True)


def test_a_log_that_knows_other_files_under_that_name_forbids_to_publish(desk: Desk, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert CliRunner().invoke(main, ["init", "--home", str(home)]).exit_code == 0
    assert desk.publish(desk.first, "--home", home).exit_code == 0
    desk.index.unlink()
    write(desk.first, with_table(edited({RULES: ("Name it.", "Name it now.")})))
    refused = desk.publish(desk.first, "--home", home)
    assert (refused.exit_code, "published with other files" in refused.stderr, desk.index.exists()) == (3, True, False)
