"""The import cases of the standard come out exactly, and what a tool does not know is never taken from it."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from certifier.errors import MalformedLog
from certifier.measure.activity import Hardware, Place, to_report_activity
from certifier.measure.importers.carbontracker import activity_of_run
from certifier.measure.importers.codecarbon import activity_of_line
from certifier.measure.importers.ecologits import Session, activity_of_requests
from certifier.measure.importers.impact_framework import activity_of_output
from certifier.measure.importers.purpose import Purpose
from certifier.report.model import parse_report
from certifier.report.rawlogs import parse_emissions_csv
from certifier.report.rawlogs.carbontracker import runs_of_pairs
from certifier.report.rawlogs.ecologits import parse_impacts
from certifier.report.rawlogs.impact_framework import parse_manifest
from tests.standard.world import report_of, standard, verdict_of

VECTORS = Path(__file__).parents[1] / "vectors"
SAMPLES = VECTORS / "importers"
CASES = {case["id"]: case for case in json.loads((SAMPLES / "import_cases.json").read_text())["import_cases"]}
TAKE = Purpose("take-1", "inference", "m1")
CET = timezone(timedelta(hours=1))
NOON = datetime(2026, 11, 22, 12, tzinfo=CET)


def written(measured, country="FRA"):
    return to_report_activity(measured, Place(country=country, site="local"), [Hardware("cpu-desktop")])


def codecarbon():
    line = parse_emissions_csv((VECTORS / "codecarbon" / "emissions.csv").read_bytes())[0]
    return line, activity_of_line(line, TAKE, UTC)


def carbontracker():
    logs = [path.read_bytes() for path in sorted(SAMPLES.glob("carbontracker/*.log"))]
    ((_, run),) = runs_of_pairs(logs)
    return run, activity_of_run(run, TAKE, CET)


def ecologits(name="FRA"):
    requests = parse_impacts((SAMPLES / "ecologits" / "impacts_fra_pol.json").read_bytes())
    (request,) = (request for request in requests if request.name == name)
    return request, activity_of_requests([request], TAKE, Session("0.11.3", NOON, NOON + timedelta(minutes=1)))


def impact_framework():
    outputs = parse_manifest((SAMPLES / "impact-framework" / "lofi-out.yaml").read_bytes())
    return outputs, [activity_of_output(output, TAKE) for output in outputs]


def members(activity):
    """The members of an activity by the names that the import cases use."""
    return {
        "energy_kwh": activity["energy_kwh"],
        "pue_included": activity["pue_included"],
        "declared_grid_gco2e_per_kwh": activity["grid_gco2e_per_kwh"],
        "method": activity["method"],
    }


def m01():
    _, measured = codecarbon()
    activity = written(measured)
    verdict = verdict_of({f"activities/0/{name}": activity[name] for name in ("location", "grid_gco2e_per_kwh")})
    finding = next(finding for finding in verdict.findings if finding.rule == "PLS-06")
    table = standard().factors.place_row("FRA").g_per_kwh
    times = Decimal(standard().limits["limit.grid_high_percent"]) / 100
    declared = activity["grid_gco2e_per_kwh"]
    assert finding.failed
    assert activity["method"] == "modelled"
    return members(activity) | {
        "coverage": activity["coverage"],
        "table_grid_fra": str(table),
        "finding": f"PLS-06 ({finding.level}): {declared} > {times.normalize()} x {table} = {(times * table).normalize()}",
        "note": "the CPU was unknown and the tool fell back to 4 W a thread and 20 W RAM; the row does not say so, so an "
        "importer must treat CodeCarbon rows as modelled unless RAPL/NVML evidence is attached",
    }


def m02():
    run, measured = carbontracker()
    activity = written(measured)
    assert (run.location, run.grid_gco2e_per_kwh) == ("unknown", 445)  # so the command says that it is a fallback
    return members(activity) | {
        "it_energy_kwh": str(run.it_energy_kwh),
        "location": run.location,
        "pue": activity["pue"],
        "note": "445 is the tool fallback for an unknown place, not a measurement",
    }


def m03():
    request, measured = ecologits()
    activity = written(measured)
    assert "embodied" not in activity["hardware"][0]
    assert "pue" not in activity  # included, and not stated
    assert request.embodied_kg is not None
    return members(activity) | {
        "embodied_kgco2e_declared": f"{request.embodied_kg.scaleb(7)}e-07",
        "note": "values may be {min,max}: take max",
    }


def m04():
    outputs, measured = impact_framework()
    activities = [written(output) for output in measured]
    (grid,) = {activity["grid_gco2e_per_kwh"] for activity in activities}
    (included,) = {activity["pue_included"] for activity in activities}
    kept = json.dumps(activities) + repr(outputs)
    return {
        "energy_kwh_sum": str(sum(Decimal(activity["energy_kwh"]) for activity in activities)),
        "pue_included": included,
        "grid": grid,
        "embodied_taken_from_manifest": any(word in kept for word in ("embodied", "0.1426", "sci", "0.2182")),
        "note": "recompute embodied from the hardware list; never copy embodied-carbon",
    }


@pytest.mark.parametrize(("case", "found"), [("M01", m01), ("M02", m02), ("M03", m03), ("M04", m04)])
def test_an_import_case_of_the_standard_comes_out_in_every_member(case, found):
    assert found() == CASES[case]["expected"]


def test_every_import_case_has_its_test():
    assert list(CASES) == ["M01", "M02", "M03", "M04"]


IMPORTED = {
    "codecarbon": lambda: [codecarbon()[1]],
    "carbontracker": lambda: [carbontracker()[1]],
    "ecologits": lambda: [ecologits()[1]],
    "impact-framework": lambda: impact_framework()[1],
}


@pytest.mark.parametrize("tool", IMPORTED)
def test_what_was_imported_fits_the_report_and_is_modelled(tool):
    activities = [written(measured) for measured in IMPORTED[tool]()]
    report = parse_report(report_of({"activities": activities}))
    assert {activity.method for activity in report.activities} == {"modelled"}
    assert {activity.tool.name for activity in report.activities if activity.tool} == {tool}


def test_the_times_of_carbontracker_are_those_of_its_epochs_on_the_clock_that_the_caller_names():
    _, measured = carbontracker()
    assert measured.ended_at == datetime(2026, 11, 22, 19, 48, 53, tzinfo=UTC)
    assert measured.ended_at - measured.started_at == timedelta(seconds=8.02)
    assert (measured.duration_s, measured.coverage) == (Decimal("8.02"), "accelerator")


def test_each_output_of_impact_framework_has_a_time_and_an_energy_of_its_own():
    _, measured = impact_framework()
    assert [(activity.started_at.second, activity.ended_at.second) for activity in measured] == [(0, 18), (18, 36)]
    assert {activity.energy_kwh for activity in measured} == {Decimal("0.0018")}


def test_requests_of_ecologits_ran_on_machines_of_others_and_need_a_span():
    request, measured = ecologits()
    assert (measured.shared_service, measured.duration_s) == (True, 60)
    with pytest.raises(MalformedLog, match="before they start"):
        activity_of_requests([request], TAKE, Session("0.11.3", NOON, NOON))
