"""The laws of a standard, on applications made up from its tables: silence never helps, more never looks like less.

Where the text of the standard itself breaks a law, the case stands under `the standard lets ...`, as small as it can be,
and the law is asked with exactly that left out. (5.3, 16.3)
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certifier.crypto.canonical import canonical_bytes, sha256_hex
from certifier.crypto.strict_json import parse_object
from certifier.decision import LIMITS, decision_record
from certifier.errors import CertifierError, ForeignInputError, StandardError
from certifier.footprint.calculate import footprint_of
from certifier.footprint.factors import Factors, _by_country
from certifier.footprint.parameters import Parameters
from certifier.report.evidence import Evidence, parse_evidence
from certifier.report.model import Report, read_report
from certifier.standard.evaluate import OUTCOMES_RISING, Finding, Verdict, decide, evaluate
from certifier.standard.facts import Facts, facts_of
from certifier.standard.model import Clause, Rule, parse_standard
from certifier.standard.vocabulary import FACTS
from tests.standard.applications import (
    COUNTRIES,
    GRID,
    MILLI,
    PRODUCTS,
    REGIONS,
    SUBDIVISIONS,
    Application,
    Way,
    applications,
    at,
    leaves_of,
    places_of,
    rank,
    sound_applications,
    time_text,
)
from tests.standard.world import REMOVED, cases, changed, standard, standard_files

MANY = int(os.environ.get("LAWS", "1"))  # tests/torture asks each law more often


def often(examples: int) -> settings:
    return settings(
        max_examples=examples * MANY,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def case(report: dict | None = None, fixtures: dict | None = None, name: str = "C01") -> Application:
    known = cases()[name]
    changes = copy.deepcopy((report or {}, fixtures or {}), {id(REMOVED): REMOVED})
    return Application(changed(known.report, changes[0]), changed(known.fixtures, changes[1]))


# --- 1. silence never helps ---

# Where a report gives evidence that it could have kept to itself, and where the facts beside it hold some.
EVIDENCE = [
    f"report/{pattern}"
    for pattern in [
        "raw_log_sha256/*",
        "renewal_of",
        "models/*/parameters_b",
        "models/*/training/statement",
        "models/*/training/generated_minutes_to_date",
        "models/*/training/lifetime_minutes_forecast",
        "activities/*/tool",
        "activities/*/meter",
        "activities/*/meter/*",
        "activities/*/pue",
        "activities/*/pue_evidence",
        "activities/*/pue_evidence/*",
        "activities/*/batch",
        "activities/*/batch/reserved/*",
        "activities/*/job_ids/*",
        "activities/*/idle",
        "activities/*/grid_gco2e_per_kwh",
        "activities/*/location/provider",
        "activities/*/location/region",
        "activities/*/location/subdivision",
        "activities/*/location/site",
        "activities/*/model",
        "activities/*/hardware/*",
        "activities/*/hardware/*/name",
        "activities/*/location/country",
        "activities/*/hardware/*/embodied",
        "activities/*/hardware/*/embodied/*",
        "stages_not_performed/*",
        "energy_claims",
        "energy_claims/*",
        "energy_claims/*/*",
        "declared",
        "declared/gco2e_total",
        "process",
        "process/*",
        "process/model_efficiency/*",
    ]
] + [
    f"fixtures/{pattern}"
    for pattern in [
        "signatures/*",
        "signatures/*/*",
        "signatures/*/capability/*",
        "signatures/*/capability/*/*",
        "deposited_logs/*",
        "deposited_logs/*/format",
        "deposited_logs/*/activities",
        "deposited_logs/*/activities/*",
        "deposited_logs/*/activities/*/*",
        "statements/*",
        "statements/*/*",
        "statements/*/places/*",
        "statements/*/hardware/*",
        "statements/*/hardware/*/count",
        "tools/*",
        "model_use/*",
        "model_use/*/*",
    ]
]


# What a report cannot do without is replaced by a word that is in no table.
UNKNOWN = {"name": "a device that nobody knows", "country": "ZZZ"}


def silent_about(application: Application, ways: list[Way]) -> Application:
    less = application
    for way in ways:
        if way[-1] in UNKNOWN:
            less = less.with_value(way, UNKNOWN[str(way[-1])])
    return less.without(way for way in ways if way[-1] not in UNKNOWN)


def evidence_of(application: Application) -> list[Way]:
    return [way for pattern in EVIDENCE for way in places_of(application.tree, pattern)]


# A value that costs more than silence may be kept to oneself: the table then decides. What says it, or makes it count:
DEARER_THAN_SILENCE = [
    "report/activities/*/pue",
    "report/activities/*/pue_evidence",
    "report/activities/*/pue_evidence/*",
    "report/activities/*/hardware/*/embodied",
    "report/activities/*/hardware/*/embodied/*",
    "report/models/*/training/lifetime_minutes_forecast",
    "report/process",
    "report/process/take_retention_days",
    "fixtures/deposited_logs/*",
    "fixtures/model_use/*",
    "fixtures/model_use/*/*",
    "fixtures/statements/*/pue",
    "fixtures/statements/*/hardware",
    "fixtures/statements/*/hardware/*",
    "fixtures/statements/*/hardware/*/count",
]


def the_standard_lets(application: Application, way: Way) -> bool:
    """Whether a piece of evidence is one of those that may be better left away; each is a case further down."""
    if fits(way, "report/activities/*/hardware/*"):
        return len(application.at(way[:-1])) > 1
    if fits(way, "report/activities/*/hardware/*/name"):
        lines = application.at(way[:-2])
        return len(lines) > 1 and all(standard().factors.hardware_row(line["name"]).kind == "cpu" for line in lines)
    if way[:2] == ("fixtures", "signatures"):
        parties = [signature["role"] for signature in application.fixtures["signatures"] if signature.get("registered")]
        measured = any(signature.get("own_measurement") for signature in application.fixtures["signatures"])
        return measured and "measuring_party" in parties and application.at(way[:3])["role"] == "measuring_party"
    return any(fits(way, pattern) for pattern in DEARER_THAN_SILENCE) and lighter_without(application, way)


def fits(way: Way, pattern: str) -> bool:
    steps = pattern.split("/")
    return len(way) == len(steps) and all(step in ("*", key) for key, step in zip(way, steps, strict=True))


def lighter_without(application: Application, way: Way) -> bool:
    try:
        return application.without([way]).figure().upper_exact < application.figure().upper_exact
    except CertifierError:
        return False


@st.composite
def silenced(draw: st.DrawFn, made: st.SearchStrategy[Application]) -> tuple[Application, list[list[Way]]]:
    """An application, and ways to leave some of its evidence away."""
    application = draw(made)
    said = st.sampled_from(evidence_of(application))
    return application, draw(st.lists(st.lists(said, min_size=1, max_size=3, unique=True), min_size=12, max_size=12))


@often(60)
@given(silenced(sound_applications()))
def test_leaving_evidence_away_never_raises_the_outcome(drawn):
    application, silences = drawn
    before = rank(application)
    for silence in silences:
        ways = [way for way in silence if not the_standard_lets(application, way)]
        assert rank(silent_about(application, ways)) <= before, ways


# A declared value that such a rule refuses may be withdrawn: the table then decides (DESIGN 5).
WITHDRAWN = {
    "PLS-07": {"pue"},
    "PLS-09": {"embodied", "kgco2e"},
    "PLS-17": {"embodied", "lifetime_h"},
}

# The text of the standard lets more than that: a rule that sets two statements against each other is met as well by taking
# one of them back. Rule -> what takes it back; each is a case further down.
TAKEN_BACK = {
    **WITHDRAWN,
    "INT-01": {"idle"},
    "INT-10": {"signatures"},
    "ALC-04": {"lifetime_minutes_forecast"},
    "LOC-01": {"region", "provider", "subdivision"},
    "LOC-02": {"provider"},
    "MTH-02": {"name"},
    "PLS-01": {"hardware"},
    "PLS-02": {"name"},
    "PLS-15": {"tools", "tool"},
    "PLS-18": {"deposited_logs", "raw_log_sha256", "signatures"},
}


@often(60)
@given(silenced(applications()))
def test_leaving_evidence_away_raises_no_refused_application_but_by_what_was_refused(drawn):
    application, silences = drawn
    verdict = application.decided()
    refused = {finding.rule for finding in verdict.failed_must if finding.gates == "all"}
    for silence in silences:
        ways = [way for way in silence if not the_standard_lets(application, way)]
        if any({str(key) for key in way} & TAKEN_BACK.get(rule, set()) for way in ways for rule in refused):
            continue
        assert rank(silent_about(application, ways)) <= OUTCOMES_RISING.index(verdict.outcome), (ways, refused)


# --- what the standard lets: each a case as small as it can be, and each a matter for its next version ---

OWN_MODEL = {
    "models/0/trained_by": "applicant",
    "models/0/training": {"source": "activities", "generated_minutes_to_date": 15},
    "activities/+": {**cases()["C01"].report["activities"][0], "id": "t1", "run_id": "t1", "stage": "training"},
}
LOGGED = f"deposited_logs/{'b' * 64}/activities/i1/energy_kwh"
METERED = {
    "activities/0/method": "metered",
    "activities/0/meter": {"id": "1", "accuracy_class": "1", "calibrated_on": "x"},
}
MAY_METER = {"signatures/1/capability/method": ["metered"]}
PUE_IN = {"tools/codecarbon 3.3.2/pue": "always"}
A100 = "activities/0/hardware/0/name"
CONTRADICTIONS: dict[str, tuple[str, dict, dict, str, str]] = {
    "idle time of a training": (
        "INT-01",
        {**OWN_MODEL, "activities/1/idle": True},
        {},
        "report/activities/1/idle",
        "class-1",
    ),
    "a run that others used up": (
        "INT-10",
        {},
        {"ledger/run_share_used": {"mp-1/run-i1": 1}},
        "fixtures/signatures/1",
        "disclosed",
    ),
    "a forecast without a year of use": (
        "ALC-04",
        {**OWN_MODEL, "models/0/training/lifetime_minutes_forecast": 1000},
        {},
        "report/models/0/training/lifetime_minutes_forecast",
        "class-1",
    ),
    "a region of another country": (
        "LOC-01",
        {"activities/0/location/country": "SWE"},
        {},
        "report/activities/0/location/region",
        "class-1",
    ),
    "a provider's machine at home": (
        "LOC-02",
        {"activities/0/location": {"country": "FRA", "provider": "aws", "site": "local"}},
        {},
        "report/activities/0/location/provider",
        "class-1",
    ),
    "a device without a nameplate": ("MTH-02", {A100: "laptop"}, {}, f"report/{A100}", "class-1"),
    "more devices than ran": (
        "PLS-01",
        {"activities/0/hardware/+": {"name": "NVIDIA A100 SXM4 80GB", "count": 100}},
        {},
        "report/activities/0/hardware/1",
        "class-1",
    ),
    "a device that cannot draw so much": (
        "PLS-02",
        {A100: "NVIDIA T4", "activities/0/energy_kwh": "0.012"},
        {LOGGED: "0.012"},
        f"report/{A100}",
        "class-1",
    ),
    "a PUE that the tool includes": ("PLS-15", {}, PUE_IN, "fixtures/tools/codecarbon 3.3.2", "disclosed"),
    "a PUE that the tool of a meter includes": (
        "PLS-15",
        METERED,
        {**PUE_IN, **MAY_METER},
        "report/activities/0/tool",
        "class-1",
    ),
    "a log that says otherwise, unsigned": ("PLS-18", {}, {LOGGED: "0.009"}, "fixtures/signatures/1", "disclosed"),
    "a log that says otherwise, unread": ("PLS-18", {}, {LOGGED: "0.009"}, f"fixtures/{LOGGED}", "class-1"),
}


@pytest.mark.parametrize(
    ("rule", "report", "fixtures", "way", "outcome"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys()
)
def test_the_standard_lets_one_of_two_statements_be_taken_back(rule, report, fixtures, way, outcome):
    said = case(report, fixtures)
    path = way_of(way)
    assert [finding.rule for finding in said.decided().failed_must if finding.gates == "all"] == [rule]
    assert {str(key) for key in path} & TAKEN_BACK[rule]
    assert said.decided().outcome == "none"
    assert silent_about(said, [path]).decided().outcome == outcome


def way_of(text: str) -> Way:
    return tuple(int(step) if step.isdecimal() else step for step in text.split("/"))


DEARER: dict[str, tuple[dict, dict, str]] = {
    "a PUE above the table's, with evidence": (
        {"activities/0/pue": 3, "activities/0/pue_evidence": {"site": "hall 1", "year": 2025}},
        {},
        "report/activities/0/pue",
    ),
    "takes kept for more than a year": (
        {"process/take_retention_days": 1000},
        {},
        "report/process/take_retention_days",
    ),
    "a device that lasted a day": (
        {"activities/0/hardware/0/embodied": {"lifetime_h": 24}},
        {},
        "report/activities/0/hardware/0/embodied/lifetime_h",
    ),
    "a maker's footprint above the table's": (
        {"activities/0/hardware/0/embodied": {"kgco2e": 5000, "pcf_sha256": PRODUCTS}},
        {f"deposited_logs/{PRODUCTS}": {"kind": "pcf"}},
        f"fixtures/deposited_logs/{PRODUCTS}",
    ),
}


@pytest.mark.parametrize(("report", "fixtures", "way"), DEARER.values(), ids=DEARER.keys())
def test_the_standard_lets_a_value_that_costs_more_than_silence_be_left_away(report, fixtures, way):
    said = case(report, fixtures)
    path = way_of(way)
    assert lighter_without(said, path)
    assert the_standard_lets(said, path)
    assert not the_standard_lets(said, ("report", "process", "end_of_life"))


def test_the_standard_lets_one_of_two_lines_of_hardware_be_left_away():
    """Only the power that the rest could not draw would tell (PLS-02)."""
    both = case({"activities/0/hardware/+": {"name": "NVIDIA B300", "count": 1}, "activities/0/energy_kwh": "0.009"})
    lines = ("report", "activities", 0, "hardware")
    assert both.without([(*lines, 1)]).figure().upper_exact < both.figure().upper_exact


SERVICE = {
    "activities/0": {
        **{name: cases()["C01"].report["activities"][0][name] for name in ("id", "run_id", "model", "stage")},
        **{name: cases()["C01"].report["activities"][0][name] for name in ("started_at", "ended_at")},
        "method": "service_statement",
        "minutes": 15,
        "job_ids": ["job-1"],
        "allocation_share": 1,
        "allocation_method": "whole",
    }
}
STATED = {
    "statements/st-1/wh_per_minute": 1,
    "statements/st-1/places": [{"key": "FRA", "weight": 1}],
    "deposited_logs": {"b" * 64: {"kind": "export", "format": "codecarbon", "activities": {"i1": {"minutes": 15}}}},
}
STATED_DEARER = {
    "its PUE": ({"statements/st-1/pue": 3}, ("pue",)),
    "its hardware": (
        {"statements/st-1/hardware": [{"name": "NVIDIA B300", "seconds_per_minute": 600, "count": 8}]},
        ("hardware",),
    ),
    "the count of its hardware": (
        {"statements/st-1/hardware": [{"name": "NVIDIA B300", "seconds_per_minute": 600, "count": 8}]},
        ("hardware", 0, "count"),
    ),
}


@pytest.mark.parametrize(("more", "way"), STATED_DEARER.values(), ids=STATED_DEARER.keys())
def test_the_standard_lets_a_statement_be_silent_where_it_costs_more_than_the_default(more, way):
    said = case(SERVICE, {**STATED, **more})
    assert lighter_without(said, ("fixtures", "statements", "st-1", *way))


def test_the_standard_lets_a_verifier_who_measured_stand_in_for_a_party_that_may_not():
    """The measuring party is asked for its capability first (16.1); without its signature the verifier is."""
    everything = {"coverage": ["system"], "method": ["sensor"]}
    said = case(
        {},
        {
            "signatures/1/capability": {"coverage": ["wall"], "method": ["metered"]},
            "signatures/2/own_measurement": True,
            "signatures/2/capability": everything,
        },
    )
    assert said.decided().outcome == "disclosed"
    assert said.without([("fixtures", "signatures", 1)]).decided().outcome == "class-1"


def test_the_standard_lets_a_log_that_is_not_deposited_be_left_unnamed():
    said = case({"raw_log_sha256/+": "3" * 64})
    assert said.decided().outcome == "disclosed"
    assert said.without([("report", "raw_log_sha256", 1)]).decided().outcome == "class-1"


CPU = {"name": "AMD EPYC 9654", "count": 1}


@pytest.mark.parametrize("other", ["NVIDIA T4", "laptop"])
def test_the_standard_lets_a_processor_lose_its_server_beside_anything_else(other):
    """More devices, and a lower figure: a processor carries a server only if it is named alone (4.5 against 5.3)."""
    alone = case({"activities/0/hardware": [CPU]})
    beside = case({"activities/0/hardware": [CPU, {"name": other, "count": 1}]})
    assert beside.figure().upper_exact < alone.figure().upper_exact
    assert (alone.decided().outcome, beside.decided().outcome) == ("class-1", "class-1")


def test_the_standard_lets_an_unknown_name_cost_less_than_a_second_processor():
    two = case({"activities/0/hardware": [CPU, {**CPU, "name": "AMD EPYC 7543"}]})
    unknown = two.with_value(("report", "activities", 0, "hardware", 1, "name"), "a device that nobody knows")
    assert unknown.figure().upper_exact < two.figure().upper_exact


def test_the_standard_lets_a_listed_data_run_replace_a_quarter_of_the_training():
    """One run more, and a lower figure; PLS-01 does not ask data runs for their power (3, 6.2 against 5.3)."""
    quarter = case(OWN_MODEL)
    run = {**quarter.report["activities"][1], "id": "d1", "run_id": "d1", "stage": "data", "energy_kwh": "0.000001"}
    run |= {"duration_s": 1, "ended_at": "2026-10-01T10:00:01Z"}
    listed = Application({**quarter.report, "activities": [*quarter.report["activities"], run]}, quarter.fixtures)
    assert listed.decided().outcome == quarter.decided().outcome != "none"
    assert listed.figure().upper_exact < quarter.figure().upper_exact


def test_the_standard_lets_a_report_be_completed_by_what_it_lacked():
    """More is only a better outcome where nothing had been counted at all (BND-01, BND-03)."""
    for lacking, complete in (
        ({"generation/takes": 0}, {}),
        ({"activities/0/idle": True, "activities/0/energy_kwh": 0}, {}),
    ):
        assert {finding.rule for finding in case(lacking).decided().failed_must} <= {
            "BND-01",
            "BND-03",
            "PLS-18",
            "PLS-03",
        }
        assert case(complete).decided().outcome == "class-1"


def test_the_standard_lets_a_model_be_of_no_size():
    """Nothing asks whether the number of parameters can be true (8.3)."""
    default = {"models/0/training": {"source": "default"}}
    assert case({**default, "models/0/parameters_b": 0}).decided().outcome == "class-2"
    assert case({**default, "models/0/parameters_b": "3.5"}).decided().outcome == "class-2"


# --- 2. more is never less ---


def scaled(application: Application, index: int, quantity: str, factor: Decimal) -> Application:
    """One quantity of one activity times a factor, in the report and in every log that holds it."""
    more = application.copied()
    activity = more.report["activities"][index]
    if quantity not in activity:
        return more
    places = [activity] + [
        log["activities"][activity["id"]]
        for log in more.fixtures["deposited_logs"].values()
        if activity["id"] in log.get("activities", {})
    ]
    for place in places:
        place[quantity] *= factor
    if quantity == "duration_s":
        activity["ended_at"] = later(activity["started_at"], activity[quantity])
    return more


def later(text: str, seconds: Decimal) -> str:
    return time_text(datetime.fromisoformat(text) + timedelta(microseconds=int(seconds * 1_000_000)))


def with_more_devices(application: Application, index: int, factor: Decimal) -> Application:
    more = application.copied()
    for line in more.report["activities"][index].get("hardware", []):
        line["count"] *= int(factor)
    return more


def with_another_device(application: Application, index: int, factor: Decimal) -> Application:
    """One more device; not beside processors alone, which would lose their server (see what the standard lets)."""
    more = application.copied()
    lines = more.report["activities"][index].get("hardware", [])
    if any(standard().factors.hardware_row(line["name"]).kind != "cpu" for line in lines):
        lines.append({"name": "NVIDIA T4", "count": int(factor)})
    return more


def with_more_minutes(application: Application, index: int, factor: Decimal) -> Application:
    """A model that generated more, and so the track."""
    more = application.copied()
    model = more.report["models"][index % len(more.report["models"])]
    more.report["generation"]["generated_minutes"] += model["generated_minutes"] * (factor - 1)
    model["generated_minutes"] *= factor
    return more


def with_more_takes(application: Application, index: int, factor: Decimal) -> Application:
    return application.with_value(("report", "generation", "takes"), int(factor) * 40)


def with_a_run_more(application: Application, index: int, factor: Decimal, **changes: object) -> Application:
    more = application.copied()
    more.report["activities"].append(
        {**copy.deepcopy(more.report["activities"][index]), "id": "more", "run_id": "more", **changes}
    )
    return more


def with_idle_time(application: Application, index: int, factor: Decimal) -> Application:
    more = with_a_run_more(application, index, factor)
    if "energy_kwh" in more.report["activities"][-1]:
        more.report["activities"][-1] |= {"stage": "inference", "idle": True}
    return more


GROWTH = {
    "energy": lambda application, index, factor: scaled(application, index, "energy_kwh", factor),
    "time": lambda application, index, factor: scaled(application, index, "duration_s", factor),
    "exported minutes": lambda application, index, factor: scaled(application, index, "minutes", factor),
    "devices": with_more_devices,
    "another device": with_another_device,
    "generated minutes": with_more_minutes,
    "takes": with_more_takes,
    "a run": with_a_run_more,
    "idle time": with_idle_time,
}


@often(40)
@given(sound_applications(), st.integers(0, 9), st.sampled_from([Decimal("1.001"), Decimal(2), Decimal(50)]))
def test_more_of_anything_never_lowers_the_figure_or_raises_the_outcome(application, index, factor):
    before, index = application.figure(), index % len(application.report["activities"])
    for what, grow in GROWTH.items():
        more = grow(application, index, factor)
        after = more.figure()
        assert rank(more) <= rank(application), what
        if after.counted_minutes == before.counted_minutes:
            assert (after.assessed, after.upper_exact) >= (before.assessed, before.upper_exact), what


# --- 3. nothing dirtier is cheaper ---


def dearer_tables(application: Application) -> Iterator[tuple[str, Factors, Parameters]]:
    """The tables and factors with one row raised at a time: each that this application may look at."""
    factors, parameters = standard().factors, standard().parameters
    countries = {run["location"]["country"] for run in application.report["activities"] if "location" in run}
    keys = {row.key for row in GRID if row.country in countries} | {"UNKNOWN"}
    keys |= {place["key"] for said in application.fixtures["statements"].values() for place in said.get("places", [])}
    for key in sorted(keys):
        grid = {**factors.grid, key: replace(factors.grid[key], g_per_kwh=factors.grid[key].g_per_kwh + 100)}
        yield key, replace(factors, grid=grid, _by_country=_by_country(grid.values())), parameters
    for key, row in factors.pue.items():
        yield key, replace(factors, pue={**factors.pue, key: replace(row, pue=row.pue + 1)}), parameters
    named = [line["name"] for run in application.report["activities"] for line in run.get("hardware", [])]
    for name in {standard().factors.hardware_row(name).name.casefold(): None for name in named} | {"cpu-server": None}:
        row = factors.hardware[name]
        for heavier in ({"device_kg": row.device_kg + 50}, {"host_kg": row.host_kg + 50}):
            hardware = {**factors.hardware, name: replace(row, **heavier)}
            yield name, replace(factors, hardware=hardware), parameters
    for group in ("uncertainty", "coverage"):
        numbers = getattr(parameters, group)
        for name in type(numbers).model_fields:
            raised = numbers.model_copy(update={name: getattr(numbers, name) * 2})
            yield name, factors, parameters.model_copy(update={group: raised})


@often(15)
@given(applications())
def test_a_dearer_row_or_factor_lowers_no_figure(application):
    before = application.decided().footprint
    if before is None:
        return
    report, evidence = parsed(application.report), parse_evidence(application.fixtures)
    for what, factors, parameters in dearer_tables(application):
        after = footprint_of(report, evidence, factors, parameters)
        assert (after.assessed, after.upper_exact) >= (before.assessed, before.upper_exact), what
        assert (after.central, after.central_exact) >= (before.central, before.central_exact), what


def parsed(report: dict) -> Report:
    reading = read_report(report)
    assert reading.report is not None
    return reading.report


# --- 4. no default is below any row ---


def upper(application: Application) -> Decimal:
    report, evidence = parsed(application.report), parse_evidence(application.fixtures)
    return footprint_of(report, evidence, standard().factors, standard().parameters).upper_exact


def placed(location: dict) -> Decimal:
    return upper(case({"activities/0/location": location}))


PLACES = [
    {"country": row.country, "provider": row.provider, "region": row.region, "site": "datacentre"} for row in REGIONS
]
PLACES += [
    {"country": row.country, "site": site} | ({"subdivision": row.key} if row.subdivision else {})
    for row in COUNTRIES + SUBDIVISIONS
    for site in ("local", "datacentre")
]


def test_a_place_left_half_unsaid_is_never_cheaper():
    for location in PLACES:
        said = placed(location)
        unsaid = [[], ["region"], ["region", "provider"], ["subdivision"], ["region", "provider", "subdivision"]]
        for names in unsaid:
            less = {key: value for key, value in location.items() if key not in names}
            assert placed(less) >= said, (location, names)
            assert placed({**less, "country": "ZZZ"}) >= said or "region" in less, (location, names)
        assert placed({key: value for key, value in location.items() if key != "site"}) >= said, location


def test_a_provider_left_unsaid_never_has_a_lower_pue():
    for provider in [*standard().factors.pue, "own", "a hall nearby"]:
        location = {"country": "FRA", "site": "datacentre"}
        assert placed(location) >= placed({**location, "provider": provider}), provider


BESIDE: dict[str, list[str]] = {
    "alone": [],
    "beside an accelerator": ["NVIDIA T4"],
    "beside a processor": ["AMD EPYC 9654"],
    "beside a whole device": ["cpu-laptop"],
}


@pytest.mark.parametrize("others", BESIDE.values(), ids=BESIDE.keys())
def test_a_device_that_nobody_knows_is_never_lighter_or_weaker(others):
    def equipped(name):
        lines = [{"name": name, "count": 1} for name in [name, *others]]
        return case({"activities/0/hardware": lines}).figure()

    unknown = equipped("a device that nobody knows")
    for name, row in standard().factors.hardware.items():
        known = equipped(name)
        only_processors = row.kind == "cpu" and others == [
            "AMD EPYC 9654"
        ]  # the standard lets a processor lose its server
        assert only_processors or unknown.upper_exact >= known.upper_exact, name
        assert unknown.activities[0].tdp_w >= known.activities[0].tdp_w, name


def test_a_model_of_unsaid_size_never_has_a_lighter_training():
    default = {"models/0/training": {"source": "default"}}
    unsaid = upper(case({**default, "models/0/parameters_b": REMOVED}))
    bounds = [step.up_to_b for step in standard().parameters.training_default if step.up_to_b is not None]
    for size in [Decimal(0), *bounds, *(bound + MILLI for bound in bounds), Decimal(10_000)]:
        assert upper(case({**default, "models/0/parameters_b": size})) <= unsaid, size


def test_energy_by_default_is_never_surer_than_energy_that_was_read():
    for method in ("metered", "sensor", "provider", "modelled"):
        read = case({"activities/0/method": method})
        assert upper(case({"activities/0/method": "default"})) >= upper(read), method


def test_a_reading_of_less_never_counts_for_less():
    """The part of the machine that a sensor does not see is made up for in full (4.2)."""
    order = [("wall", False), ("system", False), ("accelerator", False), ("accelerator", True)]
    figures = [
        upper(case({"activities/0/coverage": coverage, "activities/0/shared_service": shared}))
        for coverage, shared in order
    ]
    assert figures == sorted(figures)


# --- 5. order does not matter ---


def shuffled(value: object, chance: Random) -> object:
    """The same value with its lists and members in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(part, chance)) for key, part in value.items()]
        chance.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        parts = [shuffled(part, chance) for part in value]
        chance.shuffle(parts)
        return parts
    return value


def subjects_of(finding: Finding) -> object:
    """What failed; INT-01 names places in the document, which follow its order, so only how many."""
    return len(finding.subjects) if finding.rule == "INT-01" else frozenset(finding.subjects)


def told(verdict: Verdict) -> object:
    """What a verdict says, apart from the order in which it names things."""
    figure = verdict.footprint
    return (
        verdict.outcome,
        verdict.evidence_level,
        {(finding.rule, finding.outcome, finding.gates, subjects_of(finding)) for finding in verdict.findings},
        None if figure is None else (figure.central_exact, figure.upper_exact, figure.central, figure.assessed),
        None if figure is None else (figure.consumer, figure.provider, figure.post_production, dict(figure.by_stage)),
        None if figure is None else (figure.rating, figure.calculated),
    )


@often(40)
@given(applications(), st.lists(st.integers(0, 2**32), min_size=4, max_size=4))
def test_the_order_of_things_does_not_matter(application, seeds):
    for seed in seeds:
        other = Application(**shuffled(application.tree, Random(seed)))
        assert told(other.decided()) == told(application.decided())


# --- 6. same input, same bytes ---


def on_the_wire(value: object) -> object:
    """As the report travels: decimals as text."""
    if isinstance(value, dict):
        return {key: on_the_wire(part) for key, part in value.items()}
    if isinstance(value, list):
        return [on_the_wire(part) for part in value]
    return f"{value:f}" if isinstance(value, Decimal) else value


def record_of(application: Application) -> bytes:
    evidence = parse_evidence(application.fixtures)
    verdict = decide(standard(), application.report, evidence)
    return decision_record(verdict, evidence, standard_sha256="0" * 64, report_sha256="1" * 64) + repr(verdict).encode()


@often(25)
@given(applications())
def test_a_way_over_the_wire_changes_no_byte_of_the_decision(application):
    evidence = parse_evidence(application.fixtures)
    report = parse_object(canonical_bytes(on_the_wire(application.report)), LIMITS)
    record = parse_object(canonical_bytes(evidence.to_record()), LIMITS)
    assert record_of(Application(report, record)) == record_of(application)
    assert record_of(application) == record_of(application.copied())


ELSEWHERE = """
import hashlib, json, sys
from tests.standard.applications import Application
from tests.standard.test_laws import record_of
for tree in json.load(sys.stdin):
    print(hashlib.sha256(record_of(Application(**tree))).hexdigest())
"""


def test_another_process_with_other_hashes_writes_the_same_bytes():
    made: list[Application] = []

    @often(12)
    @given(applications())
    def collect(application: Application) -> None:
        made.append(application)

    collect()
    wired = [Application(**on_the_wire(application.tree)) for application in made]
    here = [sha256_hex(record_of(application)) for application in wired]
    trees = json.dumps([application.tree for application in wired])
    for seed in ("1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", ELSEWHERE],
            input=trees,
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert done.stdout.split() == here


# --- 7. cutting a run in two ---


def cut_in_two(application: Application, index: int) -> Application:
    """The same with one activity reported as two halves."""
    cut = application.copied()
    whole = cut.report["activities"].pop(index)
    halves = [{**copy.deepcopy(whole), "id": f"{whole['id']}-{n}", "run_id": f"{whole['run_id']}-{n}"} for n in (1, 2)]
    for half in halves:
        half.update({name: half[name] / 2 for name in ("energy_kwh", "duration_s", "minutes") if name in half})
    if "duration_s" in whole:
        halves[0]["ended_at"] = halves[1]["started_at"] = later(whole["started_at"], halves[0]["duration_s"])
    cut.report["activities"][index:index] = halves
    return cut


@often(25)
@given(sound_applications())
def test_a_run_cut_in_two_halves_costs_the_same(application):
    whole = application.figure()
    for index in range(len(application.report["activities"])):
        halves = cut_in_two(application, index).figure()
        assert (halves.central, halves.assessed) == (whole.central, whole.assessed)
        assert abs(halves.upper_exact - whole.upper_exact) <= Decimal("1e-9")


# --- 8. no fact, no pass ---


def test_no_rules_pass_nobody():
    bare = replace(standard(), rules=())
    assert decide(bare, case().report, parse_evidence(case().fixtures)).outcome == "none"


def test_a_standard_without_rules_is_refused():
    files = {name: raw for name, raw in standard_files().items() if not name.startswith("rules/")}
    with pytest.raises(StandardError):
        parse_standard(files)


def facts_without(facts: Facts, name: str) -> Facts:
    def less(values):
        return {key: value for key, value in values.items() if key != name}

    items = {
        scope: [replace(item, values=less(item.values)) for item in listed] for scope, listed in facts.items.items()
    }
    return Facts(less(facts.once), items)


def uses(rule: Rule, name: str) -> bool:
    return any(name in _names(clause) for clause in rule.clauses)


def _names(clause: Clause) -> frozenset[str]:
    return clause.require.names | (clause.when.names if clause.when else frozenset())


def can_do_without(rule: Rule, name: str) -> bool:
    """Whether each clause that uses a fact has another way to its answer."""
    texts = [
        f"{clause.when.text if clause.when else ''} {clause.require.text}"
        for clause in rule.clauses
        if name in _names(clause)
    ]
    return all(any(mark in text for mark in ("||", "&&", "?")) for text in texts)


FACT_CASES = ["C01", "C15", "C28", "C33", "C43", "C48", "C61", "C64", "C66"]


@pytest.mark.parametrize("name", FACT_CASES)
def test_a_missing_fact_fails_the_rules_that_need_it_and_raises_no_outcome(name):
    known = case(name=name)
    report, evidence, figure = parsed(known.report), parse_evidence(known.fixtures), known.figure()
    whole = facts_of(report, evidence, figure, factors=standard().factors, parameters=standard().parameters)
    level = known.decided().evidence_level
    before = evaluate(standard(), whole, figure, level=level)
    asked = {finding.rule: finding for finding in before.findings}
    present = {*whole.once, *(fact for items in whole.items.values() for item in items for fact in item.values)}
    for fact in sorted(present):
        after = evaluate(standard(), facts_without(whole, fact), figure, level=level)
        assert OUTCOMES_RISING.index(after.outcome) <= OUTCOMES_RISING.index(before.outcome), fact
        for finding in after.findings:
            rule = standard().rule(finding.rule)
            if not uses(rule, fact) or asked[rule.id].failed or asked[rule.id].outcome == "not_applicable":
                continue
            if finding.failed:
                assert f"{FACTS[fact].label}: not said or not readable" in finding.found, (rule.id, fact)
            else:
                assert finding == asked[rule.id], (rule.id, fact)
                assert can_do_without(rule, fact), (rule.id, fact)


# --- 9. what is only declared ---

IDLE_TALK = {
    "report/declared": {"gco2e_total": Decimal("0.01")},
    "report/energy_claims": [{"kwh": Decimal(5), "country": "FRA", "vintage": 2026}],
    "report/activities/*/grid_gco2e_per_kwh": Decimal("0.1"),
    "report/activities/*/hardware/*/embodied": {"kgco2e": Decimal(100_000)},
    "report/activities/*/job_ids": ["job-9"],
    "report/track/isrc": "XX-XXX-26-00001",
    "report/track/release_date": "2026-12-01",
    "report/report_version": "9.9",
    "report/report_id": "another",
}
SERVICE_TALK = {
    "duration_s": Decimal(1),
    "energy_kwh": Decimal("0.000001"),
    "coverage": "wall",
    "location": {"country": "ISL", "provider": "own"},
    "hardware": [{"name": "laptop", "count": 1}],
    "pue": Decimal(1),
    "pue_included": True,
}


@often(25)
@given(applications())
def test_what_is_only_declared_changes_no_figure_and_no_outcome(application):
    before, talking = application.decided(), application.copied()
    for pattern, value in IDLE_TALK.items():
        *parents, name = pattern.split("/")
        for way in places_of(talking.tree, "/".join(parents)):
            if name not in {"embodied", "job_ids"} or name not in talking.at(way):
                talking.at(way)[name] = copy.deepcopy(value)
    for activity in talking.report["activities"]:
        if "minutes" in activity:
            activity.update(copy.deepcopy(SERVICE_TALK))
    after = talking.decided()
    assert after.outcome == before.outcome
    assert {finding.rule for finding in after.failed_must} == {finding.rule for finding in before.failed_must}
    if before.footprint is not None:
        assert after.footprint is not None
        assert after.footprint.items == before.footprint.items


# --- 10. absurd numbers and hostile text ---

IMPOSSIBLE = [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal(-1), Decimal("1e13")]
IMPOSSIBLE += [Decimal("1e400"), Decimal("1e9999")]
STRANGE = [Decimal(0), Decimal("1e-400"), Decimal("1e-12"), Decimal("1e12"), Decimal(10**12) - Decimal("1e-40")]
NEEDS_MORE_THAN_ZERO = ["track/ai_audible_s", "generation/generated_minutes", "models/*/generated_minutes"]
HOSTILE = [
    "\x00",
    "a\x1b[2Jb",
    "x" * 10_000,
    "\ud800",
    "LCAL-1.\udfff",
    "\u202egnp",
    "a\u2028b",
    "<script>",
    "\ufeff\x9f",
]


def numbers_in(application: Application) -> list[Way]:
    return [
        way
        for way in leaves_of(application.tree)
        if isinstance(application.at(way), int | Decimal) and not isinstance(application.at(way), bool)
    ]


@often(4)
@given(sound_applications())
def test_an_impossible_number_gives_no_figure(application):
    for way in numbers_in(application):
        if way[0] == "report":
            for number in IMPOSSIBLE:
                verdict = application.with_value(way, number).decided()
                assert (verdict.outcome, verdict.footprint) == ("none", None), (way, number)
                assert {finding.rule for finding in verdict.failed_must} & {"INT-01", "INT-03"}, (way, number)
    for pattern in NEEDS_MORE_THAN_ZERO:
        for way in places_of(application.report, pattern):
            verdict = application.with_value(("report", *way), Decimal(0)).decided()
            assert [finding.rule for finding in verdict.failed_must] == ["INT-03"], way


@often(4)
@given(sound_applications())
def test_a_strange_number_anywhere_ends_in_a_verdict_that_can_be_written_down(application):
    for way in numbers_in(application):
        for number in (*STRANGE, *(IMPOSSIBLE if way[0] == "fixtures" else ())):
            strange = application.with_value(way, number)
            try:
                evidence = parse_evidence(strange.fixtures)
            except CertifierError:
                continue
            assert writable(decide(standard(), strange.report, evidence), evidence), (way, number)


def writable(verdict: Verdict, evidence: Evidence) -> bool:
    texts = [text for finding in verdict.findings for text in (*finding.subjects, finding.found)]
    canonical_bytes(texts)
    return bool(decision_record(verdict, evidence, standard_sha256="0" * 64, report_sha256="1" * 64))


@often(4)
@given(sound_applications())
def test_hostile_text_is_refused_wherever_it_stands(application):
    evidence = parse_evidence(application.fixtures)
    for way in leaves_of(application.report):
        if isinstance(at(application.report, way), str):
            for text in HOSTILE:
                verdict = application.with_value(("report", *way), text).decided()
                assert (verdict.outcome, verdict.failed_must[0].rule) == ("none", "INT-01"), (way, text[:20])
                assert writable(verdict, evidence), (way, text[:20])


STUMBLES: dict[str, dict] = {
    "hardly any sound": {"track/ai_audible_s": Decimal("1e-100")},
    "a PUE next to nothing, already held": {"activities/0/pue": Decimal("1e-100"), "activities/0/pue_included": True},
    "everything at its largest": {
        "activities/0/energy_kwh": Decimal("1e12"),
        "activities/0/allocation_share": Decimal("1e12"),
        "activities/0/hardware/0/count": 10**12,
        "track/ai_audible_s": Decimal("1e-12"),
    },
}


@pytest.mark.parametrize("report", STUMBLES.values(), ids=STUMBLES.keys())
def test_a_figure_beyond_all_digits_is_told_and_refused(report):
    verdict = case(report).decided()
    assert verdict.outcome == "none"
    assert "THR-01" in {finding.rule for finding in verdict.failed_must}
    assert writable(verdict, parse_evidence(case().fixtures))


def test_a_statement_of_fewer_devices_than_none_is_refused():
    """It would take grams off the figure."""
    hardware = [{"name": "NVIDIA T4", "seconds_per_minute": 600, "count": -8}]
    with pytest.raises(ForeignInputError, match="decision record"):
        parse_evidence(case({}, {"statements/st-1/hardware": hardware}).fixtures)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_member_with_a_hostile_name_is_refused(name):
    for way in [(), ("track",), ("activities", 0), ("activities", 0, "location"), ("models", 0, "training")]:
        hostile = case()
        at(hostile.report, way)[name] = 1
        verdict = hostile.decided()
        assert (verdict.outcome, verdict.failed_must[0].rule) == ("none", "INT-01")
        assert writable(verdict, parse_evidence(hostile.fixtures))
