"""``certifier explain``: what it says about a report of one's own, and about a certificate from its public files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from certifier.cli.main import main
from certifier.service.certifier import Issued
from tests.studio import Studio

CLAIM = {
    "kwh": "0.004",
    "certificate_id": "GO-1",
    "retired_on": "2026-10-20",
    "beneficiary": "Example Studio",
    "country": "FRA",
    "vintage": 2026,
    "matching": "annual",
}


@dataclass(frozen=True)
class World:
    """A certified report, its decision record, and what it was made from."""

    report: Path
    decision: Path
    track: Path
    log: Path
    register: Path
    assessed: str


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Studio, str]:
    """The files, and the figure. Only for copying."""
    studio = Studio(tmp_path_factory.mktemp("certified"))
    report = studio.report() | {"energy_claims": [CLAIM]}
    envelope = studio.signed(report)
    certifier = studio.certifier()
    answer = certifier.submit(studio.upload(envelope), datetime.now(UTC))
    certifier.close()
    assert isinstance(answer, Issued)
    (studio.folder / "report.dsse.json").write_bytes(envelope)
    (studio.folder / "decision.json").write_bytes(answer.submission.decision)
    (studio.folder / "emissions.csv").write_bytes(studio.log)
    footprint = answer.verdict.footprint
    assert footprint is not None
    return studio, str(footprint.assessed)


@pytest.fixture
def world(certified: tuple[Studio, str], tmp_path: Path) -> World:
    first, assessed = certified
    studio = first.copied_to(tmp_path)
    return World(
        tmp_path / "report.dsse.json",
        tmp_path / "decision.json",
        studio.track,
        tmp_path / "emissions.csv",
        studio.settings.register_dir,
        assessed,
    )


def explain(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["explain", *map(str, arguments)], catch_exceptions=False)


def test_public_files_explain_a_certificate(world: World) -> None:
    result = explain(world.report, "--decision", world.decision)
    assert result.exit_code == 0
    first, *_ = result.stdout.splitlines()
    assert first == f"At most {world.assessed} g CO2e per minute of finished music (best estimate 5.52)"
    for words in (
        "class-2: Low-Carbon Audio, class 2; evidence level A1; LCAL-1.0.0",
        "E × c × p × I × a",
        "= 0.006 × 1.1 × 1.15 × 49 × 1 = 0.371910 g",
        "table pue, row aws, 2023",
        "the report: /activities/0/energy_kwh",
        "From lines to figure",
        "post-production not assessed",
        "annual matching",
        "[AWS-PUE-2023] Global PUE 1.15 for 2023.",
    ):
        assert words in " ".join(result.stdout.split())


def test_it_fits_a_hundred_columns(world: World) -> None:
    result = explain(world.report, "--decision", world.decision)
    assert [line for line in result.stdout.splitlines() if len(line) > 100] == []


def test_a_report_of_ones_own_is_explained_from_the_master_and_the_logs(world: World) -> None:
    own = explain(world.report, "--audio", world.track, "--log", world.log, "--register", world.register, "--json")
    public = explain(world.report, "--decision", world.decision, "--json")
    assert own.exit_code == public.exit_code == 0
    assert json.loads(own.stdout) == json.loads(public.stdout)


def test_without_a_register_the_figure_is_the_same_and_the_level_is_not(world: World) -> None:
    shown = json.loads(explain(world.report, "--audio", world.track, "--log", world.log, "--json").stdout)
    assert (shown["figure"]["assessed_g_per_min"], shown["evidence_level"]) == (world.assessed, "A0")
    assert shown["outcome"] == "disclosed"


def test_rules_that_are_not_met_are_named_beside_the_outcome(world: World) -> None:
    assert "rules not met: BND-07, ASR-01" in explain(world.report, "--audio", world.track).stdout


def other_report(world: World, record: dict[str, Any]) -> None:
    record["report_sha256"] = "0" * 64


def other_standard(world: World, record: dict[str, Any]) -> None:
    record["standard"]["sha256"] = "0" * 64


def other_figure(world: World, record: dict[str, Any]) -> None:
    record["assessed_g_per_min"] = "0.01"


def other_outcome(world: World, record: dict[str, Any]) -> None:
    record["outcome"] = "class-1"


def no_record(world: World, record: dict[str, Any]) -> None:
    record["form"] = "poem"


def nothing_heard(world: World, record: dict[str, Any]) -> None:
    record["evidence"]["audio"]["duration_s"] = "0"


REFUSED = {
    "a record about another report": (other_report, "The decision is about another report."),
    "a record made by other rules": (other_standard, "The decision was made by other files of the standard."),
    "a record with another figure": (other_figure, "The decision record does not say what its own facts lead to."),
    "a record with another outcome": (other_outcome, "The decision record does not say what its own facts lead to."),
    "no record": (no_record, "This is not a decision record."),
    "facts that give no figure": (nothing_heard, "The decision record does not say what its own facts lead to."),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_files_that_do_not_belong_together_explain_nothing(world: World, change: Any, message: str) -> None:
    record = json.loads(world.decision.read_text())
    change(world, record)
    world.decision.write_text(json.dumps(record))
    result = explain(world.report, "--decision", world.decision)
    assert (result.exit_code, result.stdout) == (3, "")
    assert message in result.stderr


def test_a_report_without_a_figure_is_said_to_have_none(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    report = studio.report()
    report["track"]["ai_audible_s"] = "0"
    (tmp_path / "report.json").write_bytes(studio.signed(report))
    result = explain(tmp_path / "report.json", "--audio", studio.track)
    assert result.exit_code == 3
    assert "This report has no figure that could be explained." in result.stderr
    assert "INT-03" in result.stderr


USAGE = {
    "neither audio nor decision": ((), "Give either --audio"),
    "both": (("--audio", "track", "--decision", "decision"), "Give either --audio"),
    "a decision with logs": (("--decision", "decision", "--log", "log"), "leave them out"),
}


@pytest.mark.parametrize(("options", "words"), USAGE.values(), ids=USAGE.keys())
def test_wrong_usage_is_said(world: World, options: tuple[str, ...], words: str) -> None:
    result = explain(world.report, *(getattr(world, option, option) for option in options))
    assert result.exit_code == 2
    assert words in result.stderr
