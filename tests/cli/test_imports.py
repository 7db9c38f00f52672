"""``certifier import``: logs of other tools become a session that a report is made of, and nothing is guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from certifier.cli.main import main
from tests.studio import write_track

VECTORS = Path(__file__).parents[1] / "vectors"
SAMPLES = VECTORS / "importers"
EMISSIONS = VECTORS / "codecarbon" / "emissions.csv"
TRACKER = sorted(SAMPLES.glob("carbontracker/*.log"))
IMPACTS = SAMPLES / "ecologits" / "impacts_fra_pol.json"
MANIFEST = SAMPLES / "impact-framework" / "lofi-out.yaml"
MUSIC = ("--model", "my-model:1", "--takes", "2", "--minutes", "6")
WHEN = (
    "--tool-version",
    "0.11.3",
    "--started-at",
    "2026-11-22T20:42:19+01:00",
    "--ended-at",
    "2026-11-22T20:52:19+01:00",
)

TOOLS: dict[str, tuple[tuple[Any, ...], int, str]] = {
    "codecarbon": ((EMISSIONS, "--zone", "+01:00"), 2, "counted as modelled"),
    "carbontracker": ((*TRACKER, "--zone", "+01:00"), 1, "the total holds 1.58"),
    "ecologits": ((IMPACTS, *WHEN), 1, "Embodied: not taken"),
    "impact-framework": ((MANIFEST,), 2, "Embodied carbon, carbon and SCI: not taken"),
}


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.mark.parametrize(
    ("tool", "given", "count", "words"), [(tool, *case) for tool, case in TOOLS.items()], ids=TOOLS
)
def test_a_log_becomes_a_session_and_the_session_a_report(
    tmp_path: Path, tool: str, given: tuple[Any, ...], count: int, words: str
) -> None:
    session = tmp_path / "session.json"
    imported = run("import", *given, "--tool", tool, *MUSIC, "--country", "FRA", "-o", session)
    assert (imported.exit_code, words in imported.stderr) == (0, True), imported.output
    activities = json.loads(session.read_text())["activities"]
    assert [activity["id"] for activity in activities] == [f"run-{number}" for number in range(1, count + 1)]
    assert {activity["stage"] for activity in activities} == {"inference"}
    key, track = tmp_path / "me.pem", write_track(tmp_path / "track.wav")
    assert run("keys", "new", key).exit_code == 0
    said = ("--title", "Night Ferry (example)", "--artist", "Example Artist", "-o", tmp_path / "report.json")
    made = run("report", "new", session, "--audio", track, "--key", key, *said)
    assert made.exit_code == 0, made.output


def test_a_list_writes_nothing_and_needs_no_words_about_the_music(tmp_path: Path) -> None:
    session = tmp_path / "session.json"
    listed = run("import", MANIFEST, "--tool", "impact-framework", "--list", "-o", session)
    assert (listed.exit_code, session.exists()) == (0, False)
    assert listed.stdout.count("0.0018 kWh") == 2
    assert "embodied" not in listed.stdout.lower()
    assert "Nothing was written" in listed.stderr


REFUSED: dict[str, tuple[tuple[Any, ...], int, str]] = {
    "no zone": ((EMISSIONS, "--tool", "codecarbon", *MUSIC), 2, "--zone"),
    "a zone by name": ((EMISSIONS, "--tool", "codecarbon", "--zone", "Europe/Paris", *MUSIC), 2, "offset"),
    "a zone where the log has one": ((MANIFEST, "--tool", "impact-framework", "--zone", "Z", *MUSIC), 2, "no use"),
    "requests without their times": ((IMPACTS, "--tool", "ecologits", *MUSIC), 2, "--tool-version"),
    "a time without a zone": ((IMPACTS, "--tool", "ecologits", "--started-at", "2026-11-22T20:42:19"), 2, "zone"),
    "two files of requests": ((IMPACTS, IMPACTS, "--tool", "ecologits", *WHEN, *MUSIC), 2, "at a time"),
    "no takes": ((MANIFEST, "--tool", "impact-framework", "--model", "m:1"), 2, "--takes"),
    "half a pair": ((TRACKER[0], "--tool", "carbontracker", "--zone", "Z", *MUSIC), 3, "both logs"),
    "a log of another tool": (
        (EMISSIONS, "--tool", "carbontracker", "--zone", "Z", *MUSIC),
        3,
        "no log of CarbonTracker",
    ),
    "a log twice": ((EMISSIONS, EMISSIONS, "--tool", "codecarbon", "--zone", "Z", *MUSIC), 3, "twice"),
}


@pytest.mark.parametrize(("arguments", "code", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_the_log_does_not_say_is_asked_for(
    tmp_path: Path, arguments: tuple[Any, ...], code: int, words: str
) -> None:
    session = tmp_path / "session.json"
    result = run("import", *arguments, "-o", session)
    assert (result.exit_code, words in result.stderr, session.exists()) == (code, True, False), result.output


def test_a_stage_is_said_for_all_runs_and_a_tuned_model_is_not_called_untuned(tmp_path: Path) -> None:
    session = tmp_path / "session.json"
    devices = ("--device", "NVIDIA T4", "--device", "NVIDIA T4", "--coverage", "system", "--stage", "fine_tuning")
    imported = run("import", MANIFEST, "--tool", "impact-framework", *MUSIC, *devices, "-o", session)
    assert imported.exit_code == 0, imported.output
    document = json.loads(session.read_text())
    assert document["stages_not_performed"] == []
    first = document["activities"][0]
    assert (first["stage"], first["coverage"]) == ("fine_tuning", "system")
    assert first["hardware"] == [{"name": "NVIDIA T4", "count": 2}]
