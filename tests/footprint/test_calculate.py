"""From activities to grams: each corner of sections 4 to 6, beside what the published cases show."""

from __future__ import annotations

from decimal import Decimal

import pytest

from certifier.footprint.calculate import counted_minutes_of, footprint_of
from certifier.report.evidence import parse_evidence
from certifier.report.model import parse_report, read_report
from tests.standard.world import REMOVED, fixtures_of, report_of, run, standard

A = "activities/0/"
PCF = "f" * 64


def footprint(report=None, fixtures=None, case="C01"):
    evidence = parse_evidence(fixtures_of(fixtures, case))
    sent = read_report(report_of(report, case)).report
    return footprint_of(sent, evidence, standard().factors, standard().parameters)


def lines(report=None, fixtures=None, case="C01", stage=None):
    found = footprint(report, fixtures, case)
    return [f"{item.formula} x {item.factor:f}" for item in found.items if stage in {None, item.stage}]


def trained(**training):
    return {
        "models/0/trained_by": "applicant",
        "models/0/training": {"source": "activities", "generated_minutes_to_date": 1000, **training},
        "activities/+": run(id="t1", stage="training"),
    }


COUNTED = {
    "the file": ({}, {}, "3"),
    "a tenth of silence is free": ({}, {"audio/silence_s": 18}, "3"),
    "more silence is not": ({}, {"audio/silence_s": 48}, "2.5"),
    "the time in which AI-made sound is heard": ({"track/ai_audible_s": 90}, {}, "1.5"),
    "the generated minutes": ({"generation/generated_minutes": 2}, {}, "2"),
    "never the declared length": ({"track/duration_s": 600}, {}, "3"),
    "a number that is none": ({"track/ai_audible_s": Decimal("NaN")}, {}, None),
}


@pytest.mark.parametrize(("report", "fixtures", "minutes"), COUNTED.values(), ids=COUNTED.keys())
def test_the_least_of_three_is_counted(report, fixtures, minutes):
    evidence = parse_evidence(fixtures_of(fixtures))
    counted = counted_minutes_of(parse_report(report_of(report)), evidence.audio, standard().parameters)
    assert counted == (None if minutes is None else Decimal(minutes))


def test_there_is_no_figure_without_counted_minutes():
    with pytest.raises(ValueError, match="INT-03 comes first"):
        footprint({"track/ai_audible_s": 0})


OPERATION = {
    "as reported": ({}, "0.006*1.1*1.15*49 x 1.2"),
    "at the wall": ({A + "coverage": "wall"}, "0.006*1*1.15*49 x 1.2"),
    "the accelerator alone": ({A + "coverage": "accelerator"}, "0.006*1.6*1.15*49 x 1.2"),
    "on a shared service": (
        {A + "coverage": "accelerator", A + "shared_service": True},
        "0.006*2.2*1.15*49 x 1.2",
    ),
    "a shared service that was read whole": ({A + "shared_service": True}, "0.006*1.1*1.15*49 x 1.2"),
    "metered": ({A + "method": "metered"}, "0.006*1.1*1.15*49 x 1.1"),
    "by the provider": ({A + "method": "provider"}, "0.006*1.1*1.15*49 x 1.25"),
    "modelled": ({A + "method": "modelled"}, "0.006*1.1*1.15*49 x 1.4"),
    "by default": ({A + "method": "default"}, "0.006*1.1*1.15*49 x 1.5"),
    "a declared PUE without evidence": ({A + "pue": Decimal("1.02")}, "0.006*1.1*1.15*49 x 1.2"),
    "a declared PUE whose site is blank": (
        {A + "pue": Decimal("1.02"), A + "pue_evidence": {"site": " ", "year": 2025}},
        "0.006*1.1*1.15*49 x 1.2",
    ),
    "a declared PUE with evidence": (
        {A + "pue": Decimal("1.02"), A + "pue_evidence": {"site": "Paris", "year": 2025}},
        "0.006*1.1*1.02*49 x 1.2",
    ),
    "energy that holds a low PUE": (
        {A + "pue": Decimal("1.1"), A + "pue_included": True},
        "0.006*1.1*(1.15/1.1)*49 x 1.2",
    ),
    "energy that holds a high PUE": ({A + "pue": Decimal("1.58"), A + "pue_included": True}, "0.006*1.1*1*49 x 1.2"),
    "energy that holds an evidenced PUE": (
        {A + "pue": Decimal("1.1"), A + "pue_included": True, A + "pue_evidence": {"site": "Paris", "year": 2025}},
        "0.006*1.1*1*49 x 1.2",
    ),
    "energy that holds a PUE that nobody states": ({A + "pue_included": True}, "0.006*1.1*1.15*49 x 1.2"),
    "energy that holds a PUE of nothing": ({A + "pue_included": True, A + "pue": 0}, "0.006*1.1*1.15*49 x 1.2"),
    "no site is a data centre": ({A + "location/site": None}, "0.006*1.1*1.15*49 x 1.2"),
    "at home": ({A + "location": {"country": "FRA", "site": "local"}}, "0.006*1.1*1*44 x 1.2"),
    "in an own server room": (
        {A + "location": {"country": "FRA", "provider": "own", "site": "datacentre"}},
        "0.006*1.1*1.58*44 x 1.2",
    ),
    "a declared grid factor": ({A + "grid_gco2e_per_kwh": 1}, "0.006*1.1*1.15*49 x 1.2"),
}


@pytest.mark.parametrize(("report", "line"), OPERATION.values(), ids=OPERATION.keys())
def test_electricity(report, line):
    assert lines(report, stage="inference") == [line]


HARDWARE = {
    "two devices": ({A + "hardware/0/count": 2}, {}, ["2*(567.7+750)*1000*60/(17520*3600) x 1.5"]),
    "a chip with its laptop": (
        {A + "hardware/0/name": "m2 max"},
        {},
        ["181*1000*60/(17520*3600) x 1.5"],
    ),
    "a processor alone carries a server": (
        {A + "hardware/0/name": "AMD EPYC 7742"},
        {},
        ["2700*1000*60/(17520*3600) x 1.5"],
    ),
    "a processor beside an accelerator is in its host": (
        {A + "hardware/+": {"name": "AMD EPYC 7742", "count": 2}},
        {},
        ["(567.7+750)*1000*60/(17520*3600) x 1.5"],
    ),
    "a processor beside a whole machine is in it": (
        {A + "hardware": [{"name": "workstation", "count": 1}, {"name": "Intel Core i9-13900K", "count": 1}]},
        {},
        ["277*1000*60/(17520*3600) x 1.5"],
    ),
    "a device that nobody knows": (
        {A + "hardware/0/name": "My GPU"},
        {},
        ["(2543+750)*1000*60/(17520*3600) x 1.5"],
    ),
    "declared kilograms without a deposit": (
        {A + "hardware/0/embodied": {"kgco2e": 300}},
        {},
        ["(567.7+750)*1000*60/(17520*3600) x 1.5"],
    ),
    "declared kilograms with a deposit that is no product footprint": (
        {A + "hardware/0/embodied": {"kgco2e": 300, "pcf_sha256": PCF}},
        {"deposited_logs/" + PCF: {"kind": "evidence"}},
        ["(567.7+750)*1000*60/(17520*3600) x 1.5"],
    ),
    "the footprint of the maker counts for the device, the table for its host": (
        {A + "hardware/0/embodied": {"kgco2e": 300, "pcf_sha256": PCF}},
        {"deposited_logs/" + PCF: {"kind": "pcf"}},
        ["300*1000*60/(17520*3600) x 1.2", "750*1000*60/(17520*3600) x 1.5"],
    ),
    "a shorter life": (
        {A + "hardware/0/embodied": {"lifetime_h": 10000}},
        {},
        ["(567.7+750)*1000*60/(10000*3600) x 1.5"],
    ),
    "a life of no length": (
        {A + "hardware/0/embodied": {"lifetime_h": 0}},
        {},
        ["(567.7+750)*1000*60/(1*3600) x 1.5"],
    ),
    "a longer life without evidence": (
        {A + "hardware/0/embodied": {"lifetime_h": 30000}},
        {},
        ["(567.7+750)*1000*60/(17520*3600) x 1.5"],
    ),
    "a longer life with evidence and a verifier": (
        {A + "hardware/0/embodied": {"lifetime_h": 30000, "lifetime_evidence": PCF}},
        {"deposited_logs/" + PCF: {"kind": "evidence"}},
        ["(567.7+750)*1000*60/(30000*3600) x 1.5"],
    ),
    "and not beyond four years": (
        {A + "hardware/0/embodied": {"lifetime_h": 99999, "lifetime_evidence": PCF}},
        {"deposited_logs/" + PCF: {"kind": "evidence"}},
        ["(567.7+750)*1000*60/(35040*3600) x 1.5"],
    ),
}


@pytest.mark.parametrize(("report", "fixtures", "expected"), HARDWARE.values(), ids=HARDWARE.keys())
def test_hardware(report, fixtures, expected):
    assert lines(report, fixtures, stage="embodied") == expected


BY_DEFAULT = {"models/0/training": {"source": "default"}}
TRAINING = {
    "a statement without data": ({}, {}, ["0.1*15 x 1.25"], ["0.1*15*0.25 x 1.25"]),
    "a statement that holds data": ({}, {"statements/st-1/includes_data": True}, ["0.1*15 x 1.25"], []),
    "a statement that is not valid": ({}, {"statements/st-1/registered": False}, ["1.5*15 x 1.00"], []),
    "the smallest models": ({**BY_DEFAULT, "models/0/parameters_b": Decimal("0.5")}, {}, ["0.1*15 x 1.00"], []),
    "small models": ({**BY_DEFAULT, "models/0/parameters_b": 2}, {}, ["0.4*15 x 1.00"], []),
    "large models": ({**BY_DEFAULT, "models/0/parameters_b": 8}, {}, ["1.5*15 x 1.00"], []),
    "larger models": ({**BY_DEFAULT, "models/0/parameters_b": Decimal("8.1")}, {}, ["5*15 x 1.00"], []),
    "models that nobody sizes": ({**BY_DEFAULT, "models/0/parameters_b": REMOVED}, {}, ["5*15 x 1.00"], []),
    "runs of one's own": (
        trained(),
        {},
        ["0.006*1.1*1.15*49*(15/1000) x 1.2"],
        ["0.006*1.1*1.15*49*(15/1000)*0.25 x 1.2", "(567.7+750)*1000*60/(17520*3600)*(15/1000)*0.25 x 1.5"],
    ),
    "runs with data of their own": (
        {**trained(), "activities/+": run(id="d1", stage="data"), "activities/0": run(id="t1", stage="training")},
        {},
        ["0.006*1.1*1.15*49*(15/1000) x 1.2"],
        ["0.006*1.1*1.15*49*(15/1000) x 1.2"],
    ),
    "runs that are announced and not listed": (
        {"models/0/training": {"source": "activities", "generated_minutes_to_date": 1000}},
        {},
        ["1.5*15 x 1.00"],
        [],
    ),
    "more minutes here than ever made": (
        trained(generated_minutes_to_date=10),
        {},
        ["0.006*1.1*1.15*49 x 1.2"],
        ["0.006*1.1*1.15*49*0.25 x 1.2", "(567.7+750)*1000*60/(17520*3600)*0.25 x 1.5"],
    ),
    "a forecast that nothing carries": (
        trained(lifetime_minutes_forecast=9000),
        {"model_use": {"m1": {"months": 11, "minutes_last_12m": 800}}},
        ["0.006*1.1*1.15*49*(15/1000) x 1.2"],
        ["0.006*1.1*1.15*49*(15/1000)*0.25 x 1.2", "(567.7+750)*1000*60/(17520*3600)*(15/1000)*0.25 x 1.5"],
    ),
    "a forecast after a year, at most three such years, a quarter less sure": (
        trained(lifetime_minutes_forecast=9000),
        {"model_use": {"m1": {"months": 12, "minutes_last_12m": 800}}},
        ["0.006*1.1*1.15*49*(15/2400) x 1.500"],
        ["0.006*1.1*1.15*49*(15/2400)*0.25 x 1.500", "(567.7+750)*1000*60/(17520*3600)*(15/2400)*0.25 x 1.875"],
    ),
    "a forecast below what was made": (
        trained(lifetime_minutes_forecast=900),
        {"model_use": {"m1": {"months": 12, "minutes_last_12m": 800}}},
        ["0.006*1.1*1.15*49*(15/1000) x 1.2"],
        ["0.006*1.1*1.15*49*(15/1000)*0.25 x 1.2", "(567.7+750)*1000*60/(17520*3600)*(15/1000)*0.25 x 1.5"],
    ),
}


@pytest.mark.parametrize(("report", "fixtures", "training", "data"), TRAINING.values(), ids=TRAINING.keys())
def test_training_and_data(report, fixtures, training, data):
    numbers = [Decimal(line.rsplit(" x ", 1)[1]) for line in training + data]
    found = lines(report, fixtures, stage="training") + lines(report, fixtures, stage="data")
    assert [line.rsplit(" x ", 1)[0] for line in found] == [line.rsplit(" x ", 1)[0] for line in training + data]
    assert [Decimal(line.rsplit(" x ", 1)[1]) for line in found] == numbers


STATED = "statements/st-s/"
SERVICE = {
    "everything stated": (
        {},
        "15*0.6/1000*1.15*(0.5*269+0.5*44) x 1.25",
        "15*3*(575.1+750)*1000/(17520*3600) x 1.5",
        "US-VA + FRA",
    ),
    "no PUE": (
        {STATED + "pue": REMOVED},
        "15*0.6/1000*1.58*(0.5*269+0.5*44) x 1.25",
        "15*3*(575.1+750)*1000/(17520*3600) x 1.5",
        "US-VA + FRA",
    ),
    "no places": (
        {STATED + "places": []},
        "15*0.6/1000*1.15*1306 x 1.25",
        "15*3*(575.1+750)*1000/(17520*3600) x 1.5",
        "UNKNOWN",
    ),
    "places that do not sum to one": (
        {STATED + "places/0/weight": Decimal("0.4")},
        "15*0.6/1000*1.15*1306 x 1.25",
        "15*3*(575.1+750)*1000/(17520*3600) x 1.5",
        "UNKNOWN",
    ),
    "a place that nobody knows": (
        {STATED + "places/0/key": "WORLD"},
        "15*0.6/1000*1.15*(0.5*1306+0.5*44) x 1.25",
        "15*3*(575.1+750)*1000/(17520*3600) x 1.5",
        "UNKNOWN",
    ),
    "no hardware": (
        {STATED + "hardware": []},
        "15*0.6/1000*1.15*(0.5*269+0.5*44) x 1.25",
        "15*0.54 x 1.5",
        "US-VA + FRA",
    ),
    "no statement": ({"statements": {}}, "15*0.005*1.58*1306 x 1.5", "15*0.54 x 1.5", "UNKNOWN"),
    "no energy in the statement": (
        {STATED + "wh_per_minute": 0},
        "15*0.005*1.58*1306 x 1.5",
        "15*0.54 x 1.5",
        "UNKNOWN",
    ),
}


@pytest.mark.parametrize(("fixtures", "electricity", "hardware", "place"), SERVICE.values(), ids=SERVICE.keys())
def test_the_service_path(fixtures, electricity, hardware, place):
    found = footprint({}, fixtures, case="C42")
    assert lines({}, fixtures, case="C42", stage="inference") == [electricity]
    assert lines({}, fixtures, case="C42", stage="embodied") == [hardware]
    assert found.activities[0].grid_key == place


def test_storage_takes_the_dirtiest_place_of_the_inference():
    report = {"activities/+": run(location={"country": "POL", "site": "local"})}
    assert lines(report, stage="storage") == ["0.00036*(3+12*30/365)*1.58*615 x 1.5"]


def test_storage_without_inference_takes_the_unknown_place():
    assert lines({A + "stage": "fine_tuning"}, stage="storage") == ["0.00036*(3+12*30/365)*1.58*1306 x 1.5"]


def test_storage_of_a_place_that_nobody_knows():
    report = {A + "location": {"country": "ZZZ", "site": "local"}, "process/take_retention_days": REMOVED}
    assert lines(report, stage="storage") == ["0.00036*(3+12*365/365)*1.58*1306 x 1.5"]


def test_consumer_and_provider_together_are_the_figure():
    found = footprint(trained())
    central = sum(item.central_g for item in found.items if item.side == "consumer")
    assert {item.side for item in found.items if item.stage in {"training", "data"}} == {"provider"}
    assert found.consumer.central == (central / 3).quantize(Decimal("0.01"))
    assert abs(found.consumer.central + found.provider.central - found.central) <= Decimal("0.01")


def test_the_stages_together_are_the_figure():
    found = footprint(trained())
    total = sum(amount.upper for amount in found.by_stage.values())
    assert abs(total - found.upper_exact) <= Decimal("0.00000001")


def test_post_production_is_its_own_line():
    without, with_it = footprint(), footprint({"activities/+": run(stage="post_production")})
    assert without.post_production is None
    assert (with_it.assessed, with_it.items) == (without.assessed, without.items)
    assert with_it.post_production.central == Decimal("0.54")


RATINGS = {
    "a valid statement and sensors, but hardware by the table": ({}, {"statements/st-1/training_g_per_minute": 4}, "A"),
    "half of it": ({}, {"statements/st-1/training_g_per_minute": Decimal("0.3")}, "B"),
    "training by default": ({"models/0/training": {"source": "default"}}, {}, "C"),
    "modelled": ({A + "method": "modelled"}, {}, "C"),
}


@pytest.mark.parametrize(("report", "fixtures", "rating"), RATINGS.values(), ids=RATINGS.keys())
def test_the_rating_says_how_much_was_measured(report, fixtures, rating):
    fixtures = {"statements/st-1/includes_data": True, **fixtures}
    assert footprint(report, fixtures).rating == rating


# Grams whose decimals end: at most 0.446292 g of electricity, 1.97655 g of manufacture and 0.627102 g of storage.
ROUND = {
    A + "duration_s": 36,
    A + "hardware/0/embodied": {"lifetime_h": 10000},
    "process/take_retention_days": 365,
}
STEPS = {
    "exactly half": ("0.1150592", "B"),
    "a hair less than half": ("0.1150591", "C"),
    "exactly four fifths": ("0.53164352", "A"),
    "a hair less than four fifths": ("0.53164351", "B"),
}


@pytest.mark.parametrize(("grams", "rating"), STEPS.values(), ids=STEPS.keys())
def test_a_step_of_the_rating_belongs_to_the_better_side(grams, rating):
    fixtures = {"statements/st-1/includes_data": True, "statements/st-1/training_g_per_minute": Decimal(grams)}
    assert footprint(ROUND, fixtures).rating == rating


QUALITIES = {
    "metered energy": ({A + "method": "metered"}, {}, "C01", "operation", {"primary"}),
    "energy by a sensor": ({}, {}, "C01", "operation", {"primary"}),
    "energy by the provider": ({A + "method": "provider"}, {}, "C01", "operation", {"other"}),
    "modelled energy": ({A + "method": "modelled"}, {}, "C01", "operation", {"other"}),
    "energy by default": ({A + "method": "default"}, {}, "C01", "operation", {"default"}),
    "manufacture by the table": ({}, {}, "C01", "embodied", {"other"}),
    "manufacture of a run by default": ({A + "method": "default"}, {}, "C01", "embodied", {"other"}),
    "a deposited footprint, and its host": (
        {A + "hardware/0/embodied": {"kgco2e": 300, "pcf_sha256": PCF}},
        {"deposited_logs/" + PCF: {"kind": "pcf"}},
        "C01",
        "embodied",
        {"primary", "other"},
    ),
    "training by a statement": ({}, {}, "C01", "training", {"primary"}),
    "training by default": (BY_DEFAULT, {}, "C01", "training", {"default"}),
    "a quarter for data": ({}, {}, "C01", "data", {"other"}),
    "a quarter on training runs by default": (
        trained() | {"activities/+": run(id="t1", stage="training", method="default")},
        {},
        "C01",
        "data",
        {"default", "other"},
    ),
    "storage": ({}, {}, "C01", "storage", {"other"}),
    "a service's energy by its statement": ({}, {}, "C42", "service", {"primary"}),
    "a service's hardware by its statement": ({}, {}, "C42", "embodied", {"other"}),
    "a service's hardware that its statement leaves out": (
        {},
        {"statements/st-s/hardware": []},
        "C42",
        "embodied",
        {"default"},
    ),
    "a service's energy by default": ({}, {"statements": {}}, "C42", "service", {"default"}),
    "a service's hardware by default": ({}, {"statements": {}}, "C42", "embodied", {"default"}),
}


@pytest.mark.parametrize(("report", "fixtures", "case", "part", "qualities"), QUALITIES.values(), ids=QUALITIES.keys())
def test_what_a_line_rests_on(report, fixtures, case, part, qualities):
    assert {item.quality for item in footprint(report, fixtures, case).items if item.part == part} == qualities


def test_post_production_is_in_no_rating_side_or_default():
    mixing = run(stage="post_production", method="default", energy_kwh=50)
    without, with_it = footprint(), footprint({"activities/+": mixing})
    for name in ("rating", "consumer", "provider", "default_g_per_min", "calculated", "claimable_kwh"):
        assert getattr(with_it, name) == getattr(without, name)


SIDES = {
    "inference": ("inference", "consumer"),
    "fine-tuning": ("fine_tuning", "provider"),
    "training": ("training", "provider"),
    "data": ("data", "provider"),
}


@pytest.mark.parametrize(("stage", "side"), SIDES.values(), ids=SIDES.keys())
def test_energy_and_hardware_of_a_stage_are_on_the_same_side(stage, side):
    items = footprint({"activities/+": run(id="x1", stage=stage)}).items
    assert {(item.part, item.side) for item in items if item.subject == "x1"} == {
        ("operation", side),
        ("embodied", side),
    }


HALF = {
    "exactly half is not over half": ("7.693674", False),
    "a hair more is": ("7.693675", True),
}


@pytest.mark.parametrize(("minutes", "calculated"), HALF.values(), ids=HALF.keys())
def test_over_half_by_default_is_calculated(minutes, calculated):
    report = {
        **ROUND,
        **BY_DEFAULT,
        A + "duration_s": Decimal("3.6"),
        "models/0/parameters_b": Decimal("0.4"),
        "models/0/generated_minutes": Decimal(minutes),
        "process/take_retention_days": 0,
    }
    assert footprint(report).calculated is calculated


def test_any_use_of_the_service_default_is_calculated():
    used = {"stage": "inference", "method": "service_default", "minutes": Decimal("0.001"), "job_ids": ["j"]}
    kept = ("id", "run_id", "model", "started_at", "ended_at", "allocation_share", "allocation_method")
    activity = {name: value for name, value in run(id="s1").items() if name in kept} | used
    assert footprint({"activities/+": activity}).calculated
    assert not footprint({"activities/+": activity | {"stage": "post_production"}}).calculated


def test_the_grams_of_defaults_are_those_of_training_energy_and_services_and_not_of_storage():
    found = footprint({**BY_DEFAULT, A + "method": "default"})
    expected = [item.upper_g for item in found.items if item.part in {"training", "operation"}]
    assert len(expected) == 2
    assert found.default_g_per_min == sum(expected) / 3


def test_defaults_over_half_of_the_figure_make_it_calculated():
    assert not footprint().calculated
    assert footprint({"models/0/training": {"source": "default"}}).calculated
    assert footprint({A + "method": "default", A + "energy_kwh": Decimal("0.2")}).calculated


def test_the_default_of_a_method_counts_as_default_with_its_energy_alone():
    found = footprint({A + "method": "default"})
    assert found.default_g_per_min == Decimal("0.37191") * Decimal("1.5") / 3


def test_energy_is_weighted_by_what_was_used():
    report = {"activities/+": run(location={"country": "POL", "site": "local"}, energy_kwh=Decimal("0.018"))}
    assert footprint(report).kwh_weighted_grid == (49 + 3 * Decimal(615)) / 4


def test_no_energy_has_the_grid_of_no_place():
    assert footprint({A + "energy_kwh": 0}).kwh_weighted_grid == 1306


def test_rounding_is_to_nine_decimals_first():
    """A figure that is above a limit by less than a billionth of a gram stands at the limit."""
    found = footprint(
        {},
        {"statements/st-1/includes_data": True, "statements/st-1/training_g_per_minute": Decimal("1.46702793682801")},
    )
    assert (found.upper_exact, found.assessed) == (Decimal("10.000000000"), Decimal("10.00"))
