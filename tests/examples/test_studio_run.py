"""A small run of the whole studio leaves a track, a raw log and all that a report needs to be told."""

import dataclasses
import hashlib
import json
import subprocess
import sys
import wave
from decimal import Decimal
from pathlib import Path

import pytest

from certifier.errors import OperatorError
from certifier.measure.activity import Place
from certifier.report.model import parse_report
from certifier.report.rawlogs import parse_emissions_csv
from examples.studio.settings import Effort, nameplate_w, settings_from
from examples.studio.studio import run_studio

ROOT = Path(__file__).parents[2]
SMALL = Effort(chorales=6, hidden_units=16, training_steps=30, takes=2, phrases=2, sweeps=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    seen = []
    settings = dataclasses.replace(settings_from({}), effort=SMALL)
    session = run_studio(tmp_path_factory.mktemp("studio") / "new", seen.append, 1, settings)
    return session, seen


def test_every_step_is_an_activity_of_its_stage(run):
    steps = [(a["id"], a["stage"]) for a in run[0].document["activities"] if not a.get("idle")]
    assert steps == [
        ("data", "data"),
        ("training", "training"),
        ("take-1", "inference"),
        ("take-2", "inference"),
        ("rendering", "inference"),
    ]
    waits = [a for a in run[0].document["activities"] if a.get("idle")]
    assert len(waits) == len(steps) + 1


def test_the_session_file_fills_a_report(run):
    document = json.loads((run[0].track.parent / "session.json").read_text(encoding="utf-8"))
    assert document == run[0].document
    track = {name: value for name, value in document["track"].items() if name not in ("file", "sha256")}
    report = parse_report(
        {
            "report_version": "1",
            "report_id": "example",
            "standard": "LCAL-1.0.0",
            "issuer": {"id": "did:example:studio", "key_id": "1"},
            "issued_at": document["track"]["created_at"],
            "raw_log_sha256": [document["raw_log"]["sha256"]],
            "track": track | {"audio_sha256": document["track"]["sha256"]},
            **{name: document[name] for name in ("models", "generation", "activities", "stages_not_performed")},
            "process": document["process"],
        }
    )
    assert report.generation.takes == 2
    assert report.models[0].training.generated_minutes_to_date == report.generation.generated_minutes


def test_digests_and_length_are_those_of_the_files(run):
    session = run[0]
    assert session.document["track"]["sha256"] == hashlib.sha256(session.track.read_bytes()).hexdigest()
    assert session.document["raw_log"]["sha256"] == hashlib.sha256(session.raw_log.read_bytes()).hexdigest()
    with wave.open(str(session.track)) as file:
        seconds = file.getnframes() / file.getframerate()
    assert abs(Decimal(session.document["track"]["duration_s"]) - Decimal(seconds)) < Decimal("0.0001")


def test_the_raw_log_and_the_activities_say_the_same(run):
    lines = {line.run_id: line for line in parse_emissions_csv(run[0].raw_log.read_bytes())}
    activities = run[0].document["activities"]
    assert {a["run_id"]: (Decimal(a["energy_kwh"]), Decimal(a["duration_s"])) for a in activities} == {
        run_id: (line.energy_kwh, line.duration_s) for run_id, line in lines.items()
    }


def test_all_takes_count_and_what_is_not_known_is_not_claimed(run):
    document = run[0].document
    minutes = sum(Decimal(take["seconds"]) for take in document["takes"]) / 60
    assert abs(Decimal(document["generation"]["generated_minutes"]) - minutes) < Decimal("0.00001")
    assert document["place"]["country"] == "ZZZ"
    assert "equipment_off" not in document["process"]
    best = max(range(2), key=lambda index: float(document["takes"][index]["score"]))
    assert document["kept_take"] == best + 1


def test_progress_runs_through_every_step_and_the_energy_only_grows(run):
    seen = run[1]
    names = list(dict.fromkeys(progress.activity for progress in seen))
    assert names == ["data", "training", "take-1", "take-2", "rendering"]
    assert all(seen[-1 - [p.activity for p in reversed(seen)].index(name)].fraction == 1 for name in names)
    energies = [progress.energy_kwh for progress in seen]
    assert energies == sorted(energies)
    assert energies[-1] > 0


def test_silence_about_the_machine_takes_the_worst_place():
    settings = settings_from({})
    assert settings.place == Place(country="ZZZ", site="datacentre")
    assert (settings.device, settings.cpu_w) == ("cpu-desktop", Decimal(190))


def test_the_environment_states_place_and_power():
    settings = settings_from({"STUDIO_COUNTRY": "SWE", "STUDIO_SITE": "local", "STUDIO_DEVICE": "cpu-laptop"})
    assert settings.place == Place(country="SWE", site="local")
    assert settings.cpu_w == nameplate_w("CPU-Laptop") == Decimal(45)
    assert settings_from({"STUDIO_CPU_POWER_W": "65.5"}).cpu_w == Decimal("65.5")


WRONG = {
    "a country by its name": {"STUDIO_COUNTRY": "Sweden"},
    "a site that is none": {"STUDIO_SITE": "kitchen"},
    "a device that no table has": {"STUDIO_DEVICE": "abacus"},
    "a host without a nameplate": {"STUDIO_DEVICE": "laptop"},
    "a power that is no number": {"STUDIO_CPU_POWER_W": "much"},
    "no power at all": {"STUDIO_CPU_POWER_W": "0"},
    "a power beyond all numbers": {"STUDIO_CPU_POWER_W": "NaN"},
}


@pytest.mark.parametrize("environment", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_setting_is_named(environment):
    with pytest.raises(OperatorError, match=next(iter(environment))):
        settings_from(environment)


def test_the_program_refuses_a_folder_with_a_log_and_says_why(tmp_path):
    (tmp_path / "emissions.csv").touch()
    command = [sys.executable, "-m", "examples.studio", "--out", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert "in the way" in ended.stderr
    assert "Traceback" not in ended.stderr
