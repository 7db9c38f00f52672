"""An explanation holds every number of a figure, and its sums lead to the printed one."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from certifier.footprint.explain import PARTS, STAGES, exact_text, explanation_document, reconciliation_of
from certifier.footprint.model import Amount
from tests.standard.world import cases, run, standard, verdict_of

CALCULATED = [case.id for case in cases().values() if case.expected["central_gco2e_per_min"]]


def footprint(case, **changes):
    return verdict_of(changes, case=case).footprint


def document(found):
    return explanation_document(
        found, sources=standard().factors.sources, parameters=standard().parameters, about={"outcome": "class-1"}
    )


@pytest.mark.parametrize("case", CALCULATED)
def test_exact_sums_lead_from_the_lines_to_the_printed_figure(case):
    found = footprint(case)
    steps = {step.name: step for step in reconciliation_of(found)}
    figure = steps["figure"]
    assert (figure.central_printed, figure.upper_printed) == (str(found.central), str(found.assessed))
    assert (figure.central_printed, figure.upper_printed) == (
        cases()[case].expected["central_gco2e_per_min"],
        cases()[case].expected["assessed_gco2e_per_min"],
    )
    nine = steps["nine decimals"]
    assert (nine.central_printed, nine.upper_printed) == (str(found.central_exact), str(found.upper_exact))
    stages = [step for name, step in steps.items() if name.startswith("stage ")]
    assert sum(step.central for step in stages) == steps["total"].central
    assert sum(step.upper for step in stages) == steps["total"].upper
    minutes = steps["total"].central / steps["per minute"].central
    assert abs(minutes - Fraction(found.counted_minutes)) < Fraction(1, 10**50)


@pytest.mark.parametrize("case", CALCULATED)
def test_each_stage_of_the_way_is_the_stage_of_the_figure(case):
    found = footprint(case)
    steps = {step.name.removeprefix("stage "): step for step in reconciliation_of(found)}
    per_minute = steps["total"].central / steps["per minute"].central
    for stage, amount in found.by_stage.items():
        assert amount == Amount(
            Decimal(round(steps[stage].central / per_minute * 10**9)).scaleb(-9),
            Decimal(round(steps[stage].upper / per_minute * 10**9)).scaleb(-9),
        )


@pytest.mark.parametrize("case", CALCULATED)
def test_the_two_sides_together_are_the_whole(case):
    found = footprint(case)
    consumer, provider = ([item for item in found.items if item.side == side] for side in ("consumer", "provider"))
    assert len(consumer) + len(provider) == len(found.items)
    assert abs(found.consumer.central + found.provider.central - found.central) <= Decimal("0.01")


@pytest.mark.parametrize("case", CALCULATED)
def test_the_document_has_every_line_with_every_term(case):
    found = footprint(case)
    shown = document(found)
    lines = [line for stage in shown["stages"] for line in stage["lines"]]
    assert len(lines) == len(found.items)
    assert sorted(line["subject"]["id"] for line in lines) == sorted(item.subject for item in found.items)
    assert all(line["title"] == PARTS[line["part"]] for line in lines)
    assert all(stage["title"] == STAGES[stage["stage"]] for stage in shown["stages"])
    for term in terms_of(lines):
        assert term["origin"] or term.get("parts") or term["symbol"] in {"1000", "3600", "60"}
        if term["origin"] and term["origin"]["kind"] == "table":
            assert term["origin"]["source"] in {source["source"] for source in shown["sources"]}
            assert all(term["origin"][name] for name in ("row", "year", "title", "version"))


def terms_of(lines):
    def walk(term):
        yield term
        for part in term.get("parts", ()):
            yield from walk(part)

    for line in lines:
        for term in (*line["terms"], *line["uncertainty"]):
            yield from walk(term)


def test_the_document_is_plain_json_without_floats():
    text = json.dumps(document(footprint("C01")))
    assert json.loads(text, parse_float=pytest.fail)["figure"] == {
        "assessed_g_per_min": "1.62",
        "central_g_per_min": "1.20",
        "unit": "g CO2e per minute of finished music",
    }


def test_a_line_says_what_it_is_about_and_how_it_is_made():
    (line,) = document(footprint("C01"))["stages"][0]["lines"]
    assert line["subject"] == {"kind": "activity", "id": "i1"}
    assert line["formula"] == {"letters": "E × c × p × I × a", "numbers": "0.006 × 1.1 × 1.15 × 49 × 1"}
    assert (line["central_g"], line["upper_g"]) == ("0.371910000", "0.446292000")
    energy, _, overhead, grid, _ = line["terms"]
    assert energy["origin"] == {"kind": "report", "pointer": "/activities/0/energy_kwh"}
    assert (grid["value"], grid["unit"]) == ("49", "g/kWh")
    assert overhead["origin"] == {
        "kind": "table",
        "table": "pue",
        "row": "aws",
        "year": "2023",
        "source": "AWS-PUE-2023",
        "title": "Global PUE 1.15 for 2023",
        "version": "2024-12",
    }
    assert line["uncertainty"][0]["origin"] == {
        "kind": "standard",
        "name": "parameters.uncertainty.sensor",
        "section": "5.1",
    }


KINDS = {
    "training by statement is about a model": ("C01", "training", "model"),
    "and data added to it too": ("C01", "data", "model"),
    "data added to runs is about the run": ("C39", "data", "activity"),
    "storage is about the track": ("C01", "storage", "track"),
}


@pytest.mark.parametrize(("case", "stage", "kind"), KINDS.values(), ids=KINDS.keys())
def test_what_a_line_is_about(case, stage, kind):
    stages = {shown["stage"]: shown["lines"] for shown in document(footprint(case))["stages"]}
    assert {line["subject"]["kind"] for line in stages[stage]} == {kind}


def test_the_rating_comes_with_the_share_that_it_rests_on():
    found = footprint("C01")
    primary = sum(item.upper_g for item in found.items if item.quality == "primary")
    percent = primary / sum(item.upper_g for item in found.items) * 100
    rating = document(found)["rating"]
    assert (rating["rating"], rating["a_from_percent"], rating["b_from_percent"]) == (found.rating, "80", "50")
    assert 0 <= percent - Decimal(rating["primary_percent"]) < Decimal("0.1")


def test_the_lines_beside_the_figure_are_told_or_said_to_be_absent():
    plain = document(footprint("C01"))
    assert (plain["post_production"], plain["market_based"]) == (None, None)
    claim = {
        "kwh": Decimal("0.00759"),
        "certificate_id": "GO-1",
        "retired_on": "2026-10-20",
        "beneficiary": "Example Studio",
        "country": "FRA",
        "vintage": 2026,
        "matching": "hourly",
    }
    beside = document(
        footprint("C01", **{"energy_claims": [claim], "activities/+": run(id="mix", stage="post_production")})
    )
    assert beside["post_production"]["central_g_per_min"] == "0.54"
    assert len(beside["post_production"]["lines"]) == 2
    market = beside["market_based"]
    assert market["shown"]
    assert market["words"].startswith(
        "At most 1.53 g CO2e per minute of finished music (best estimate 1.13), hourly matching."
    )
    assert "no table of residual mixes" in market["words"]
    assert "is for the issuer to check" in market["words"]
    assert beside["figure"] == plain["figure"]


def test_a_market_based_line_that_is_not_shown_says_why():
    market = document(footprint("C01", energy_claims=[{"kwh": Decimal("0.001"), "certificate_id": "GO-1"}]))[
        "market_based"
    ]
    assert not market["shown"]
    assert "central_g_per_min" not in market
    assert market["words"].startswith("Not shown. GO-1: it is not said for whom it was retired; ")


EXACT = {
    "whole": (Fraction(12), "12"),
    "a decimal": (Fraction(3, 8), "0.375"),
    "a long decimal": (Fraction(1, 10**12), "0.000000000001"),
    "no decimal": (Fraction(1, 3), "1/3"),
}


@pytest.mark.parametrize(("value", "text"), EXACT.values(), ids=EXACT.keys())
def test_an_exact_value_is_a_decimal_if_it_ends(value, text):
    assert exact_text(value) == text


def test_a_figure_that_does_not_follow_from_its_lines_is_seen():
    found = footprint("C01")
    cheaper = replace(found, items=found.items[1:])
    assert reconciliation_of(cheaper)[-1].central_printed != str(found.central)
