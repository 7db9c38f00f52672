"""The issuer reads the logs of CarbonTracker and Impact Framework as it reads CodeCarbon's: hiding a part gains nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from certifier.measure.activity import Hardware, MeasuredActivity, Place, to_report_activity
from certifier.measure.importers import carbontracker, impact_framework
from certifier.measure.importers.purpose import Purpose
from certifier.report.model import parse_report
from certifier.report.rawlogs.carbontracker import runs_of_pairs
from certifier.report.rawlogs.impact_framework import parse_manifest
from certifier.service.examine import deposits_of
from certifier.storage.files import load_keyring
from tests.standard.world import fixtures_of, report_of, verdict_of

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "vectors" / "importers"
TRACKER = [path.read_bytes() for path in sorted(SAMPLES.glob("carbontracker/*.log"))]
MANIFEST = (SAMPLES / "impact-framework" / "lofi-out.yaml").read_bytes()
IMPACTS = (SAMPLES / "ecologits" / "impacts_fra_pol.json").read_bytes()


def tracked() -> list[MeasuredActivity]:
    ((_, run),) = runs_of_pairs(TRACKER)
    return [carbontracker.activity_of_run(run, Purpose("take-1", "inference", "m1"), UTC)]


def observed() -> list[MeasuredActivity]:
    outputs = enumerate(parse_manifest(MANIFEST), start=1)
    return [impact_framework.activity_of_output(o, Purpose(f"take-{n}", "inference", "m1")) for n, o in outputs]


def written(measured: Sequence[MeasuredActivity], **changes: Any) -> list[dict[str, Any]]:
    activities = [to_report_activity(one, Place("FRA", "local"), [Hardware("cpu-desktop")]) for one in measured]
    activities[0] |= changes
    return activities


def failed(activities: list[dict[str, Any]], logs: Sequence[bytes]) -> set[str]:
    """The must rules about logs and PUE that fail for these activities and deposited logs, with the tools of the register."""
    files = {hashlib.sha256(raw).hexdigest(): raw for raw in logs}
    report = {"activities": activities, "raw_log_sha256": list(files)}
    deposits = deposits_of(files, parse_report(report_of(report)))
    tools = load_keyring(ROOT / "keys").tools
    fixtures = fixtures_of(
        {
            "deposited_logs": {digest: deposit.model_dump(exclude_none=True) for digest, deposit in deposits.items()},
            "tools": {name: {"ok": tool.ok, "pue": tool.pue} for name, tool in tools.items()},
        }
    )
    verdict = verdict_of(report, fixtures)
    return {finding.rule for finding in verdict.failed_must} & {"PLS-15", "PLS-18", "ASR-03"}


BOTH, SOURCE = TRACKER, [MANIFEST]
LIES: dict[str, tuple[list[dict[str, Any]], list[bytes], set[str]]] = {
    "CarbonTracker as it was": (written(tracked()), BOTH, set()),
    "CarbonTracker with less energy": (written(tracked(), energy_kwh="0.000111297"), BOTH, {"PLS-18"}),
    "CarbonTracker with less time": (written(tracked(), duration_s="7"), BOTH, {"PLS-18"}),
    "CarbonTracker without its PUE": (written(tracked(), pue_included=False), BOTH, {"PLS-15"}),
    "CarbonTracker under another run": (written(tracked(), run_id="mine"), BOTH, {"PLS-18"}),
    "CarbonTracker whose logs stay at home": (written(tracked()), [b"a note"], {"PLS-18"}),
    "Impact Framework as it was": (written(observed()), SOURCE, set()),
    "Impact Framework with less energy": (written(observed(), energy_kwh="0.0001"), SOURCE, {"PLS-18"}),
    "Impact Framework with an output hidden": (written(observed()[:1]), SOURCE, {"PLS-18"}),
    "Impact Framework whose manifest stays at home": (written(observed()), [b"a note"], {"PLS-18"}),
    "a run of CarbonTracker hidden behind another tool": (written(observed()), [MANIFEST, *BOTH], {"PLS-18"}),
}


@pytest.mark.parametrize(("activities", "logs", "rules"), LIES.values(), ids=LIES.keys())
def test_what_a_deposited_log_says_counts(activities: list[dict[str, Any]], logs: list[bytes], rules: set[str]) -> None:
    assert failed(activities, logs) == rules


def test_impacts_of_ecologits_are_kept_and_not_read() -> None:
    digest = hashlib.sha256(IMPACTS).hexdigest()
    (deposit,) = deposits_of({digest: IMPACTS}, parse_report(report_of({"raw_log_sha256": [digest]}))).values()
    assert deposit.kind == "log"
    assert {name: read for name, read in deposit.activities.items() if read.energy_kwh} == {}
