"""Each line is made of terms, and each term says where it stands."""

from __future__ import annotations

import ast
from decimal import Decimal
from fractions import Fraction

import pytest

from certifier.crypto.strict_json import parse_object
from certifier.decision import decision_record
from certifier.footprint.factors import FactorRow
from certifier.footprint.terms import (
    FromRecord,
    FromReport,
    FromStandard,
    FromStatement,
    Quantity,
    Term,
    exact_product_of,
    formula_in_letters,
    formula_in_numbers,
    leaves_of,
    product_of,
    product_term,
    short_formula,
    sum_term,
)
from certifier.report.evidence import parse_evidence
from certifier.standard.evaluate import decide
from tests.standard.world import cases, fixtures_of, report_of, run, standard

A, B, C = Quantity("a", "one"), Quantity("b", "two"), Quantity("c", "three", silent_at_one=True)
A2, B3, C1 = Term(A, Decimal(2)), Term(B, Decimal(3)), Term(C, Decimal(1))
OVER_3 = B3._replace(how="over")
PLUS = {name: term._replace(how="plus") for name, term in {"a": A2, "b": B3}.items()}
NAMELESS = Quantity("", "a sum")

FORMULAS = {
    "a product": ([A2, B3], "2*3", "a × b"),
    "a quotient": ([A2, OVER_3], "2/3", "a / b"),
    "what is under the line is held together": ([A2, OVER_3, OVER_3], "2/(3*3)", "a / (b × b)"),
    "and ends where a factor follows": ([A2, OVER_3, B3], "2/3*3", "a / b × b"),
    "a factor of one that changes nothing": ([A2, C1], "2", "a × c"),
    "a sum without a letter": ([A2, sum_term(NAMELESS, PLUS["a"], PLUS["b"])], "2*(2+3)", "a × (a + b)"),
    "a sum with a letter": ([A2, sum_term(C, PLUS["a"], PLUS["b"])], "2*(2+3)", "a × c"),
    "a difference": ([sum_term(NAMELESS, PLUS["a"], B3._replace(how="minus"))], "(2-3)", "(a - b)"),
    "a product in a sum": (
        [sum_term(NAMELESS, PLUS["a"], product_term(NAMELESS, B3, OVER_3, how="plus"))],
        "(2+3/3)",
        "(a + b / b)",
    ),
    "a quotient in a product": ([A2, product_term(C, A2, OVER_3)], "2*(2/3)", "a × c"),
    "a value that ends is told as such": (
        [product_term(Quantity("r", "", told_as_value=True), B3, A2._replace(how="over"))],
        "1.5",
        "r",
    ),
    "one that does not end is told by its parts": (
        [product_term(Quantity("r", "", told_as_value=True), A2, OVER_3)],
        "(2/3)",
        "r",
    ),
}


@pytest.mark.parametrize(("terms", "short", "letters"), FORMULAS.values(), ids=FORMULAS.keys())
def test_terms_are_written_as_a_formula(terms, short, letters):
    assert short_formula(terms) == short
    assert formula_in_letters(terms) == letters


def value_of(formula: str) -> Fraction:
    """The value of a formula in exact fractions, read as text."""
    signs = {ast.Mult: "__mul__", ast.Div: "__truediv__", ast.Add: "__add__", ast.Sub: "__sub__"}

    def exact(node: ast.expr) -> Fraction:
        if isinstance(node, ast.Constant):
            return Fraction(ast.get_source_segment(formula, node))
        assert isinstance(node, ast.BinOp)
        return getattr(exact(node.left), signs[type(node.op)])(exact(node.right))

    return exact(ast.parse(formula, mode="eval").body)


OWN_TRAINING = {
    "models/0/trained_by": "applicant",
    "models/0/training": {"source": "activities", "generated_minutes_to_date": 1000, "lifetime_minutes_forecast": 9000},
    "activities/+": run(id="t1", stage="training"),
}
USE = {"model_use": {"m1": {"months": 12, "minutes_last_12m": 800}}}
# Beside the published cases: what none of them has.
MORE = {
    "a forecast": (OWN_TRAINING, USE, "C01"),
    "silence beyond a tenth": ({}, {"audio/silence_s": 48}, "C01"),
    "a length that does not end in minutes": ({}, {"audio/duration_s": Decimal("179.7")}, "C01"),
    "heard for a time that does not end": ({"track/ai_audible_s": Decimal("100.1")}, {}, "C01"),
    "less generated than heard": ({"generation/generated_minutes": Decimal("1.7")}, {}, "C01"),
    "a PUE in the energy": ({"activities/0/pue": Decimal("1.1"), "activities/0/pue_included": True}, {}, "C01"),
    "two machines of a service": (
        {},
        {"statements/st-s/hardware/+": {"name": "NVIDIA T4", "seconds_per_minute": Decimal("0.7"), "count": 3}},
        "C42",
    ),
    "hardware with a deposit": (
        {"activities/0/hardware/0/embodied": {"kgco2e": 300, "pcf_sha256": "f" * 64, "lifetime_h": 9999}},
        {"deposited_logs/" + "f" * 64: {"kind": "pcf"}},
        "C01",
    ),
}
EXAMPLES = {
    **{case.id: ({}, {}, case.id) for case in cases().values() if case.expected["central_gco2e_per_min"]},
    **MORE,
}


def example(report, fixtures, case):
    """Report, decision record and all lines of an example."""
    sent, evidence = report_of(report, case), parse_evidence(fixtures_of(fixtures, case))
    verdict = decide(standard(), sent, evidence)
    footprint = verdict.footprint
    record = decision_record(verdict, evidence, standard_sha256="0" * 64, report_sha256="0" * 64)
    return sent, parse_object(record), [*footprint.items, *footprint.post_items]


@pytest.mark.parametrize(("report", "fixtures", "case"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_the_terms_of_each_line_are_its_grams(report, fixtures, case):
    _, _, items = example(report, fixtures, case)
    for item in items:
        central, factor = exact_product_of(item.terms), exact_product_of(item.uncertainty)
        assert value_of(item.formula) == central
        assert value_of(formula_in_numbers(item.terms).replace(" ", "").replace("×", "*")) == central
        assert factor == Fraction(item.factor)
        assert abs(Fraction(item.central_g) - central) <= central / 10**57
        assert abs(Fraction(item.upper_g) - central * factor) <= central / 10**57


@pytest.mark.parametrize(("report", "fixtures", "case"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_a_line_whose_division_ends_is_exact_to_the_last_digit(report, fixtures, case):
    _, _, items = example(report, fixtures, case)
    undivided = [item for item in items if not any(term.how == "over" for term in leaves_of(item.terms))]
    assert all(Fraction(item.central_g) == exact_product_of(item.terms) for item in undivided)
    assert all(Fraction(item.upper_g) == exact_product_of((*item.terms, *item.uncertainty)) for item in undivided)
    assert undivided


def at(document, pointer):
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        document = document[int(name)] if isinstance(document, list) else document[name]
    return Decimal(document)


def stands_in_the_tables(term: Term) -> bool:
    """Whether the row that a term names has that number."""
    row, factors = term.origin, standard().factors
    if row.table == "grid_intensity":
        return factors.grid[row.row].g_per_kwh == term.value
    if row.table == "pue":
        return factors.pue[row.row].pue == term.value
    device = factors.hardware_row(row.row)
    return term.value in {device.device_kg, device.host_kg}


@pytest.mark.parametrize(("report", "fixtures", "case"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_each_number_stands_where_its_term_says(report, fixtures, case):
    sent, record, items = example(report, fixtures, case)
    for term in leaves_of(term for item in items for term in (*item.terms, *item.uncertainty)):
        match term.origin:
            case FactorRow():
                assert stands_in_the_tables(term), term
                assert term.origin.source_id in standard().factors.sources
            case FromReport(pointer):
                assert at(sent, pointer) == term.value
            case FromRecord(pointer):
                assert at(record, pointer) == term.value
            case FromStatement(statement, field):
                assert at(record["evidence"]["statements"][statement], "/" + field) == term.value
            case FromStandard(name, _) if name.startswith("parameters."):
                assert term.value in numbers_at(name)
            case FromStandard():
                assert term.value == 1
            case None:
                assert term.parts or term.quantity.symbol in {"1000", "3600", "60"}


def numbers_at(name: str) -> list[Decimal]:
    """The number of that name in `standard.toml`; of a table with steps, that of each step."""
    value = standard().parameters
    for step in name.split(".")[1:]:
        value = getattr(value, step)
    return [step.g_per_minute for step in value] if isinstance(value, tuple) else [value]


def test_a_host_is_traced_to_the_row_of_its_class():
    _, _, items = example({}, {}, "C01")
    hosts = [term for item in items for term in leaves_of(item.terms) if term.quantity.symbol == "k_h"]
    assert {(term.origin.table, term.origin.row, term.origin.source_id) for term in hosts} == {
        ("devices", "server-sxm", "ECOLOGITS-0.11.3")
    }


def test_the_longest_time_that_counts_is_what_the_minutes_are_traced_to():
    origins = {}
    for name in ("silence beyond a tenth", "heard for a time that does not end", "less generated than heard"):
        _, _, items = example(*MORE[name])
        finished = next(term for term in leaves_of(items[-1].terms) if term.quantity.symbol == "R")
        origins[name] = [leaf.origin for leaf in leaves_of([finished]) if leaf.origin]
    assert origins == {
        "silence beyond a tenth": [
            FromRecord("/evidence/audio/duration_s"),
            FromRecord("/evidence/audio/silence_s"),
            FromStandard("parameters.functional_unit.free_silence_share", "2"),
            FromRecord("/evidence/audio/duration_s"),
        ],
        "heard for a time that does not end": [FromReport("/track/ai_audible_s")],
        "less generated than heard": [FromReport("/generation/generated_minutes")],
    }


def test_a_product_divides_once_at_the_end():
    assert product_of([A2, OVER_3, B3, OVER_3, B3]) == 2
