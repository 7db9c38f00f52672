"""The market-based line: when it is shown, what it says, and that it touches nothing else (7.2)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certifier.footprint.model import Amount
from certifier.footprint.terms import FromReport, exact_product_of, leaves_of
from tests.standard.world import run, standard, standard_files, verdict_of

CLAIM = {
    "kwh": Decimal("0.00759"),
    "instrument": "guarantee of origin",
    "certificate_id": "GO-1",
    "registry": "example registry",
    "retired_on": "2026-10-20",
    "beneficiary": "Example Studio",
    "country": "FRA",
    "vintage": 2026,
    "matching": "annual",
}
POLAND = run(location={"country": "POL", "site": "local"})  # 0.0066 kWh


def market(*claims, fixtures=None, report=None, case="C01"):
    changes = {"energy_claims": [{**CLAIM, **claim} for claim in claims], **(report or {})}
    return verdict_of(changes, fixtures, case=case).footprint.market_based


def without(name):
    return {key: value for key, value in CLAIM.items() if key != name}


AMOUNTS = {
    # 0.00759 kWh x 20 g instead of 49 g in the first case; everything else is the figure's, 1.20 and 1.62
    "all of it": ([{}], {}, "0.00759", ("1.13", "1.53")),
    "half of it": ([{"kwh": Decimal("0.003795")}], {}, "0.003795", ("1.17", "1.58")),
    "next to nothing: the rest is dearer than in the figure": (
        [{"kwh": Decimal("0.0000001")}],
        {},
        "0.0000001",
        ("1.22", "1.63"),
    ),
    "two instruments": (
        [{"kwh": Decimal("0.003795")}, {"kwh": Decimal("0.003795"), "certificate_id": "GO-2"}],
        {},
        "0.00759",
        ("1.13", "1.53"),
    ),
}


@pytest.mark.parametrize(("claims", "report", "kwh", "amount"), AMOUNTS.values(), ids=AMOUNTS.keys())
def test_matched_electricity_counts_with_20_and_the_rest_with_a_tenth_more(claims, report, kwh, amount):
    line = market(*claims, report=report)
    assert line.reasons == ()
    assert (line.matched_kwh, line.used_kwh) == (Decimal(kwh), Decimal("0.00759"))
    assert line.amount == Amount(*map(Decimal, amount))


def test_the_line_is_the_figure_with_other_electricity():
    verdict = verdict_of({"energy_claims": [CLAIM]})
    figure, line = verdict.footprint, verdict.footprint.market_based
    electricity = [item for item in figure.items if item.part == "operation"]
    exact = (Fraction(figure.total_g) - sum(exact_product_of(item.terms) for item in electricity)) / 3
    exact += Fraction("0.00759") * 20 / 3
    assert abs(exact - Fraction(line.amount.central)) <= Fraction(1, 200)
    assert [item.central_g for item in line.items] == [Decimal("0.00759") * 20]


def test_an_instrument_matches_the_electricity_of_its_country_alone():
    line = market({}, report={"activities/+": POLAND})
    assert [item.central_g for item in line.items] == [
        Decimal("0.00759") * 20,
        Decimal("0.0066") * 615 * Decimal("1.1"),
    ]


def test_an_instrument_is_spread_evenly_over_its_country_and_year():
    line = market({}, report={"activities/+": run(location={"country": "FRA", "site": "local"})})
    part = Decimal("0.00759") / (Decimal("0.00759") + Decimal("0.0066"))
    expected = [
        Decimal("0.00759") * (part * 20 + (1 - part) * 49 * Decimal("1.1")),
        Decimal("0.0066") * (part * 20 + (1 - part) * 44 * Decimal("1.1")),
    ]
    assert [item.central_g.quantize(Decimal("1E-12")) for item in line.items] == [
        grams.quantize(Decimal("1E-12")) for grams in expected
    ]


def test_the_terms_of_a_line_by_the_market_are_its_grams():
    for item in market({"kwh": Decimal("0.001")}, report={"activities/+": POLAND}).items:
        exact = exact_product_of(item.terms)
        assert abs(Fraction(item.central_g) - exact) <= exact / 10**55
        assert abs(Fraction(item.upper_g) - exact * exact_product_of(item.uncertainty)) <= exact / 10**55


TOLD = {
    "one instrument is told by its own number": (1, [FromReport("/energy_claims/0/kwh")]),
    "several are told by their sum": (2, [FromReport("/energy_claims")]),
}


@pytest.mark.parametrize(("number", "origins"), TOLD.values(), ids=TOLD.keys())
def test_matched_electricity_is_traced_to_the_claims(number, origins):
    claims = [{"kwh": Decimal("0.001"), "certificate_id": f"GO-{place}"} for place in range(number)]
    (item,) = market(*claims).items
    claimed = [term for term in leaves_of(item.terms) if term.quantity.symbol == "C"]
    assert {term.value for term in claimed} == {number * Decimal("0.001")}
    assert [term.origin for term in claimed[:1]] == origins


def test_the_electricity_of_a_service_is_never_matched():
    line = market({"country": "USA"}, case="C42")
    assert line.reasons == ("GO-1: no electricity was used in its market, USA",)


HIDDEN = {
    "no certificate id": ([{"certificate_id": " "}], {}, "claim 1: its certificate id is not stated"),
    "no beneficiary": ([{"beneficiary": None}], {}, "GO-1: it is not said for whom it was retired"),
    "not retired": ([{"retired_on": None}], {}, "GO-1: it was not retired on a day before the decision"),
    "retired some day": ([{"retired_on": "soon"}], {}, "GO-1: it was not retired on a day before the decision"),
    "retired next year": ([{"retired_on": "2027-10-20"}], {}, "GO-1: it was not retired on a day before the decision"),
    "another market": ([{"country": "NOR"}], {}, "GO-1: no electricity was used in its market, NOR"),
    "no market": ([{"country": None}], {}, "GO-1: no electricity was used in its market, which is not stated"),
    "another year": ([{"vintage": 2025}], {}, "GO-1: no electricity was used in FRA in its year, 2025"),
    "no year": ([{"vintage": None}], {}, "GO-1: no electricity was used in FRA in its year, which is not stated"),
    "too much": (
        [{"kwh": Decimal("0.0076")}],
        {},
        "FRA 2026: 0.0076 kWh are claimed, and 0.00759 kWh were used",
    ),
    "too much together": (
        [{"kwh": Decimal("0.004")}, {"kwh": Decimal("0.004"), "certificate_id": "GO-2"}],
        {},
        "FRA 2026: 0.008 kWh are claimed, and 0.00759 kWh were used",
    ),
    "nothing": ([{"kwh": 0}], {}, "GO-1: it holds no electricity"),
    "no word on matching": (
        [{"matching": "now and then"}],
        {},
        "GO-1: it is not said whether it matches by year or by hour: annual or hourly is expected",
    ),
    "one instrument twice": (
        [{"kwh": Decimal("0.001")}, {"kwh": Decimal("0.001"), "certificate_id": "go-1 "}],
        {},
        "GO-1: this certificate id stands more than once in the report",
    ),
    "used by another certificate": (
        [{}],
        {"ledger/claims_used": ["go-1"]},
        "GO-1: another certificate already uses this instrument",
    ),
}


@pytest.mark.parametrize(("claims", "fixtures", "reason"), HIDDEN.values(), ids=HIDDEN.keys())
def test_an_instrument_that_lacks_something_hides_the_line(claims, fixtures, reason):
    line = market(*claims, fixtures=fixtures)
    assert line.amount is None
    assert line.items == ()
    assert reason in line.reasons


def test_one_bad_instrument_hides_the_line_of_the_good_ones():
    line = market({"kwh": Decimal("0.001")}, {"kwh": Decimal("0.001"), "certificate_id": "GO-2", "beneficiary": ""})
    assert line.amount is None
    assert line.reasons == ("GO-2: it is not said for whom it was retired",)


def test_too_much_in_one_country_is_not_hidden_by_another():
    line = market({"kwh": Decimal("0.01")}, report={"activities/+": POLAND})
    assert line.reasons == ("FRA 2026: 0.01 kWh are claimed, and 0.00759 kWh were used",)


def test_a_run_over_new_year_counts_for_the_year_in_which_it_began():
    report = {"activities/0/started_at": "2025-12-31T23:59:30Z", "activities/0/ended_at": "2026-01-01T00:00:30Z"}
    assert market({"vintage": 2025}, report=report).amount is not None
    assert market({"vintage": 2026}, report=report).reasons == (
        "GO-1: no electricity was used in FRA in its year, 2026",
    )


MATCHING = {
    "by year": (["annual"], "annual"),
    "by hour": (["hourly"], "hourly"),
    "one of them by year": (["hourly", "annual"], "annual"),
}


@pytest.mark.parametrize(("matchings", "said"), MATCHING.values(), ids=MATCHING.keys())
def test_the_line_says_annual_or_hourly(matchings, said):
    claims = [
        {"kwh": Decimal("0.001"), "certificate_id": f"GO-{number}", "matching": matching}
        for number, matching in enumerate(matchings)
    ]
    assert market(*claims).matching == said


def test_without_claims_there_is_no_line():
    assert verdict_of().footprint.market_based is None
    assert verdict_of({"energy_claims": []}).footprint.market_based is None


TEXTS = st.one_of(st.none(), st.sampled_from(["FRA", "POL", "GO-1", "2026-10-20", "2026", "annual", "hourly", "", "x"]))
CLAIMS = st.lists(
    st.fixed_dictionaries(
        {"kwh": st.decimals(min_value=0, max_value=10, places=6)},
        optional={
            **{name: TEXTS for name in CLAIM if name not in {"kwh", "vintage"}},
            "vintage": st.one_of(st.none(), st.integers(min_value=0, max_value=9999)),
        },
    )
    | st.builds(lambda kwh: {**CLAIM, "kwh": kwh}, st.decimals(min_value=0, max_value=1, places=4)),
    max_size=4,
)


@pytest.mark.parametrize("case", ["C01", "C02", "C42", "C43"])
@settings(max_examples=40, deadline=None, derandomize=True)
@given(claims=CLAIMS, used=st.lists(st.sampled_from(["GO-1", "x"]), max_size=1))
def test_no_claim_touches_figure_class_or_rating(case, claims, used):
    plain, claimed = (
        verdict_of(case=case),
        verdict_of({"energy_claims": claims}, {"ledger/claims_used": used}, case=case),
    )
    assert replace(claimed.footprint, market_based=None) == plain.footprint
    assert claimed.outcome == plain.outcome
    assert claimed.failed_must == plain.failed_must
    others = {finding.rule for finding in claimed.warnings} ^ {finding.rule for finding in plain.warnings}
    assert others <= {"REN-02", "REN-03", "REN-04"}


def test_its_numbers_are_those_of_the_text():
    text, numbers = standard_files()["README.md"].decode(), standard().parameters.market
    assert (
        f"Matched energy counts with {numbers.matched_g_per_kwh} g/kWh, the rest with the residual mix"
        f" or the location factor x {numbers.rest_multiple}." in text
    )
