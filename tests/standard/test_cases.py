"""The published cases come out as they say, line by line."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from certifier.errors import MalformedJson
from certifier.standard.cases import parse_cases, run_cases
from tests.standard.world import cases, standard, standard_files

CALCULATED = [case for case in cases().values() if case.expected["central_gco2e_per_min"]]


@pytest.mark.parametrize("case", cases().values(), ids=lambda case: f"{case.id} {case.title}")
def test_each_case_comes_out_as_it_says(case):
    (result,) = run_cases(standard(), [case])
    assert result.differences == ()
    assert result.not_compared == ()


def value_of(formula: str) -> Fraction:
    """The value of a formula, in exact fractions: by other means than the calculation."""

    def exact(node):
        match node:
            case ast.Expression(body=body):
                return exact(body)
            case ast.Constant():
                return Fraction(ast.get_source_segment(formula, node))
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return exact(left) * exact(right)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return exact(left) / exact(right)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return exact(left) + exact(right)
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                return exact(left) - exact(right)
        raise AssertionError(ast.dump(node))

    return exact(ast.parse(formula, mode="eval"))


def line_of(text: str) -> tuple[str, Fraction, Fraction]:
    """Stage, best estimate and factor of a line such as 'training: 0.1*15 = 1.500000 g; x 1.25 = 1.875000 g'."""
    stage, rest = text.split(": ", 1)
    formula, _, upper = rest.partition(" = ")
    return stage, value_of(formula), Fraction(upper.partition("; x ")[2].partition(" = ")[0])


@pytest.mark.parametrize("case", CALCULATED, ids=lambda case: case.id)
def test_each_line_of_the_calculation_is_the_line_of_the_case(case):
    (result,) = run_cases(standard(), [case])
    expected = [line for line in case.arithmetic if "; x " in line]
    found = [str(item) for item in result.verdict.footprint.items]
    assert sorted(map(line_of, found)) == sorted(map(line_of, expected))


@pytest.mark.parametrize("case", CALCULATED, ids=lambda case: case.id)
def test_each_line_can_be_traced_to_its_formula_and_its_rows(case):
    (result,) = run_cases(standard(), [case])
    footprint = result.verdict.footprint
    for item in (*footprint.items, *footprint.post_items):
        assert abs(Fraction(item.central_g) - value_of(item.formula)) < Fraction(1, 10**40)
        assert abs(Fraction(item.upper_g) - value_of(item.formula) * Fraction(item.factor)) < Fraction(1, 10**40)
        assert item.rows
        assert all(row.source_id in standard().factors.sources or row.table == "statements" for row in item.rows)


def test_the_reference_set_has_twelve_typical_tracks():
    assert sum(case.reference_set for case in cases().values()) == 12


WRONG = {
    "outcome": ("class-2", "outcome is class-1, expected class-2"),
    "failed_must": (["INT-01"], "failed_must is empty, expected INT-01"),
    "info": ([], "info is PLS-12, PRC-08, expected empty"),
    "warnings": (["PRC-01", 1, None], "warnings is empty, expected 1, None, PRC-01"),
    "central_gco2e_per_min": ("1.21", "central_gco2e_per_min is 1.20, expected 1.21"),
    "post_production": ({"central": "0.00", "upper": "0.00"}, None),
}


@pytest.mark.parametrize(("member", "value", "sentence"), [(m, *v) for m, v in WRONG.items()], ids=WRONG)
def test_a_wrong_expectation_is_named(member, value, sentence):
    case = replace(cases()["C01"], expected={member: value})
    (result,) = run_cases(standard(), [case])
    assert not result.passed
    assert sentence in (*result.differences, None)


def test_an_expectation_that_nobody_can_check_is_named_and_does_not_fail():
    (result,) = run_cases(standard(), [replace(cases()["C01"], expected={"colour": "green"})])
    assert result.passed
    assert result.not_compared == ("colour",)


def test_broken_fixtures_are_a_difference_and_no_crash():
    (result,) = run_cases(standard(), [replace(cases()["C01"], fixtures={"now": "yesterday"})])
    assert result.verdict is None
    assert result.differences == ("/audio: the decision record does not fit its model",)


BROKEN = {
    "no object": b"[]",
    "no cases": b"{}",
    "a case without report": b'{"cases": [{"id": "C01"}]}',
    "digits that are none": b'{"cases": [{"id": "1", "report": "__DEC__x", "fixtures": {}, "expected": {}}]}',
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_case_file_is_refused(raw):
    with pytest.raises(MalformedJson):
        parse_cases(raw)


def test_numbers_in_a_case_file_are_exact():
    raw = json.dumps(
        {"cases": [{"id": "1", "report": ["__DEC__0.1", "__NaN__", "__x"], "fixtures": {}, "expected": {}}]}
    )
    tenth, nan, text = parse_cases(raw.encode())[0].report
    assert tenth == Decimal("0.1")
    assert nan.is_nan()
    assert text == "__x"


def test_the_cases_are_part_of_the_standard():
    assert "cases/cases.json" in standard_files()


BASE = {"id": "A1", "report": {"list": [{"kwh": 1}], "site": "local"}, "fixtures": {"now": "t"}, "expected": {}}


def like(**case):
    raw = json.dumps({"cases": [{"id": "A2", "like": "A1", "expected": {}, **case}]}).encode()
    return parse_cases(raw, {"cases.json": json.dumps({"cases": [BASE]}).encode()})[0]


def test_a_case_may_be_like_another_with_a_few_places_changed():
    changed = like(
        change={"/report/list/0/kwh": "__DEC__0.5", "/report/list/-": 2, "/fixtures/a/b~1c": True},
        remove=["/report/site"],
    )
    assert changed.report == {"list": [{"kwh": Decimal("0.5")}, 2]}
    assert changed.fixtures == {"now": "t", "a": {"b/c": True}}
    assert like().report == BASE["report"]


NO_PLACES = {
    "a case that is nowhere": {"like": "A9"},
    "a place that is not there": {"change": {"/report/list/7/kwh": 1}},
    "a place inside a text": {"change": {"/report/site/x": 1}},
    "something else than a pointer": {"change": {"report": 1}},
    "changes that are no object": {"change": [1]},
    "what cannot be taken away": {"remove": ["/report/colour"]},
}


@pytest.mark.parametrize("case", NO_PLACES.values(), ids=NO_PLACES.keys())
def test_a_change_that_leads_nowhere_is_refused(case):
    with pytest.raises(MalformedJson):
        like(**case)
