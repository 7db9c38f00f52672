"""Silence never helps, and more never looks like less, over the worked cases (5.3, 16.3); test_laws.py makes its own."""

from __future__ import annotations

import copy
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certifier.footprint.calculate import footprint_of
from certifier.report.evidence import parse_evidence
from certifier.report.model import parse_report
from certifier.standard.evaluate import decide
from tests.standard.applications import places_of, without
from tests.standard.world import cases, standard

RANKS = ["none", "disclosed", "measured", "class-2", "class-1"]
PASSING = [case for case in cases().values() if case.expected["outcome"] != "none"]
SOUND = [
    case
    for case in cases().values()
    if case.expected["central_gco2e_per_min"]
    and not any(rule.startswith(("INT", "PLS")) for rule in case.expected["failed_must"])
]
SETTINGS = settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

# Where a report gives evidence that it could have kept to itself. A star stands for each entry.
REPORT_EVIDENCE = [
    "raw_log_sha256/*",
    "models/*/parameters_b",
    "models/*/training/statement",
    "models/*/training/generated_minutes_to_date",
    "activities/*/tool",
    "activities/*/meter",
    "activities/*/meter/calibrated_on",
    "activities/*/pue_evidence",
    "activities/*/pue_evidence/year",
    "activities/*/batch/reserved/*",
    "activities/*/location/provider",
    "activities/*/location/region",
    "activities/*/location/subdivision",
    "activities/*/location/site",
    "activities/*/model",
    "activities/*/hardware/*",
    "stages_not_performed/*",
    "process/model_efficiency",
    "process/dataset_governance",
    "process/auditable_pipeline",
    "process/equipment_off",
    "process/end_of_life",
    "process/take_retention_days",
]
FIXTURE_EVIDENCE = [
    "signatures/*",
    "signatures/*/capability",
    "signatures/*/registered",
    "signatures/*/key_active_now",
    "signatures/*/in_scope",
    "signatures/*/conflict",
    "signatures/*/own_measurement",
    "deposited_logs/*",
    "statements/*",
    "statements/*/registered",
    "statements/*/includes_data",
    "statements/*/wh_per_minute",
    "statements/*/pue",
    "statements/*/places/*",
    "statements/*/hardware/*",
    "tools/*",
    "model_use/*",
]


@st.composite
def silenced(draw):
    """A case that passes, and the same with some of its evidence left away."""
    case = draw(st.sampled_from(PASSING))
    said = [("report", way) for pattern in REPORT_EVIDENCE for way in places_of(case.report, pattern)]
    said += [("fixtures", way) for pattern in FIXTURE_EVIDENCE for way in places_of(case.fixtures, pattern)]
    left_away = draw(st.lists(st.sampled_from(said), min_size=1, max_size=3, unique=True))
    report = without(case.report, [way for where, way in left_away if where == "report"])
    fixtures = without(case.fixtures, [way for where, way in left_away if where == "fixtures"])
    return case, report, fixtures


@SETTINGS
@given(silenced())
def test_leaving_evidence_away_never_raises_the_outcome(application):
    case, report, fixtures = application
    outcome = decide(standard(), report, parse_evidence(fixtures)).outcome
    assert RANKS.index(outcome) <= RANKS.index(case.expected["outcome"])


@pytest.mark.parametrize("case", PASSING, ids=lambda case: case.id)
def test_no_single_piece_of_evidence_is_better_left_away(case):
    for where, patterns in (("report", REPORT_EVIDENCE), ("fixtures", FIXTURE_EVIDENCE)):
        for way in (way for pattern in patterns for way in places_of(getattr(case, where), pattern)):
            report = without(case.report, [way] if where == "report" else [])
            fixtures = without(case.fixtures, [way] if where == "fixtures" else [])
            outcome = decide(standard(), report, parse_evidence(fixtures)).outcome
            assert RANKS.index(outcome) <= RANKS.index(case.expected["outcome"]), way


@pytest.mark.parametrize("case", PASSING, ids=lambda case: case.id)
def test_a_device_that_nobody_names_is_never_cheaper(case):
    report = copy.deepcopy(case.report)
    for activity in report["activities"]:
        for line in activity.get("hardware", []):
            line["name"] = "UNKNOWN ACCELERATOR"
    assert assessed(report, case) >= assessed(case.report, case)


def assessed(report, case):
    evidence = parse_evidence(case.fixtures)
    return footprint_of(parse_report(report), evidence, standard().factors, standard().parameters).upper_exact


def grown(report, what, index, factor):
    """The report with more of one thing; logs are left as they are, since the figure does not look at them."""
    result = copy.deepcopy(report)
    activity = result["activities"][index % len(result["activities"])]
    if what == "generated minutes":
        for part in (result["generation"], *result["models"]):
            part["generated_minutes"] = part["generated_minutes"] * factor
    elif what == "takes":
        result["generation"]["takes"] = int(result["generation"]["takes"] * factor)
    elif what == "devices":
        for line in activity.get("hardware", []):
            line["count"] = int(line["count"] * factor)
    elif what == "a further run":
        result["activities"].append({**activity, "id": "more", "run_id": "more"})
    elif what in activity:
        activity[what] = activity[what] * factor
    return result


@SETTINGS
@given(
    case=st.sampled_from(SOUND),
    what=st.sampled_from(
        ["energy_kwh", "duration_s", "minutes", "devices", "generated minutes", "takes", "a further run"]
    ),
    index=st.integers(0, 3),
    factor=st.decimals(1, 1000, places=3),
)
def test_more_of_anything_never_lowers_the_figure_or_raises_the_outcome(case, what, index, factor):
    more = grown(case.report, what, index, factor)
    assert assessed(more, case) >= assessed(case.report, case)
    outcome = decide(standard(), more, parse_evidence(case.fixtures)).outcome
    assert RANKS.index(outcome) <= RANKS.index(case.expected["outcome"])


@SETTINGS
@given(case=st.sampled_from(SOUND), index=st.integers(0, 3))
def test_the_same_application_gives_the_same_verdict(case, index):
    evidence = parse_evidence(case.fixtures)
    record = parse_evidence(evidence.to_record())
    assert decide(standard(), case.report, record) == decide(standard(), parse_report(case.report), evidence)


def test_the_figure_does_not_look_at_what_is_only_declared():
    case = cases()["C01"]
    report = copy.deepcopy(case.report)
    report["activities"][0]["grid_gco2e_per_kwh"] = Decimal("0.1")
    report["declared"] = {"gco2e_total": Decimal("0.1")}
    report["activities"][0]["hardware"][0]["embodied"] = {"kgco2e": Decimal(200)}
    assert assessed(report, case) == assessed(case.report, case)
