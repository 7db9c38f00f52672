"""Every rule has a case that passes it and one that fails it, every limit both neighbours, and a second calculation agrees."""

from __future__ import annotations

import sys
from collections import Counter
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from certifier.standard.cases import Case, CaseResult, parse_cases, run_cases
from certifier.standard.evaluate import Verdict
from tests.standard.reference import (
    RULES,
    Figure,
    Tables,
    evidence_level,
    figure_of,
    numbers_of_standard,
    read_cases,
    read_tables,
)
from tests.standard.test_cases import line_of
from tests.standard.world import FOLDER, standard, standard_files

sys.path.append(str(Path(__file__).parents[2] / "scripts"))

import make_cases  # a script, found beside the tests

# Numbers that nothing is compared with: the figure moves with them, and the mutants see that a case shows it.
FACTORS = (
    "parameters.coverage.",
    "parameters.uncertainty.",
    "parameters.training.data_share",
    "parameters.service_default.kwh_per_minute",
    "parameters.service_default.equipment_g_per_minute",
    "parameters.storage.",
    "parameters.market.",
)
# Cheats with numbers that the second calculation does not read: as text, or of hundreds of digits.
UNREAD = {"B023", "B105", "B106", "B107", "B108", "B109"}
# Rules that cannot fail alone, and why.
ACCOMPANIED = {
    "ASR-01": "without A1 there is no A2",
    "ASR-04": "without logs the level is A0",
    "MTH-03": "a service by default is at a place that nobody knows",
    "MTH-04": "what a statement does not say counts by default, at a place that nobody knows",
    "PLS-04": "20 kWh a minute break every limit",
    "THR-01": "more than 100 g are more than 30 g",
    "THR-02": "more than 30 g are more than 10 g",
}


@cache
def files() -> dict[str, bytes]:
    return {path: raw for path, raw in standard_files().items() if path.startswith("cases/")}


@cache
def every_case() -> dict[str, Case]:
    cases = [case for raw in files().values() for case in parse_cases(raw, files())]
    assert [key for key, count in Counter(case.id for case in cases).items() if count > 1] == []
    return {case.id: case for case in cases}


@cache
def results() -> dict[str, CaseResult]:
    return {result.case.id: result for result in run_cases(standard(), every_case().values())}


def verdict(case_id: str) -> Verdict:
    found = results()[case_id].verdict
    assert found is not None
    return found


@cache
def whole() -> dict[str, Any]:
    return read_cases(files())


@cache
def figure(case_id: str) -> Figure | None:
    case = whole()[case_id]
    return figure_of(case["report"], case["fixtures"], tables())


@cache
def tables() -> Tables:
    return read_tables(FOLDER)


def of(prefix: str, name: str, kind: str) -> list[str]:
    """The cases of a rule or a limit, such as R-INT-01-fail and R-INT-01-fail-2."""
    start = f"{prefix}-{name}-{kind}"
    return [key for key in every_case() if key == start or key.startswith(f"{start}-")]


@cache
def with_figure() -> list[str]:
    return [
        key for key, result in results().items() if result.verdict and result.verdict.footprint and key not in UNREAD
    ]


def test_each_case_of_each_file_comes_out_as_it_says():
    wrong = {key: result.differences for key, result in results().items() if result.differences}
    unknown = {key: result.not_compared for key, result in results().items() if result.not_compared}
    assert (wrong, unknown) == ({}, {})


def test_the_files_are_those_of_the_script():
    for name, text in make_cases.case_files().items():
        assert files()[f"cases/{name}"].decode() == text, f"{name} is not what scripts/make_cases.py writes"


def test_a_calculation_in_fractions_comes_to_the_same_figures():
    told, wanted = {}, {}
    for key in with_figure():
        found, own = verdict(key).footprint, figure(key)
        told[key] = (str(found.central), str(found.assessed), printed(found.provider), printed(found.consumer))
        wanted[key] = (own.central, own.assessed, own.part(provider=True), own.part(provider=False))
        assert (found.rating, found.calculated) == (own.rating, own.calculated), key
        assert abs(Fraction(found.counted_minutes) - own.minutes) < Fraction(1, 10**40), key
        assert abs(Fraction(found.default_g_per_min) - own.default_g_per_min) < Fraction(1, 10**40), key
    assert told == wanted


def printed(amount):
    return str(amount.central), str(amount.upper)


def test_a_calculation_in_fractions_has_the_same_lines():
    for key in with_figure():
        found, own = verdict(key).footprint, figure(key)
        for told, wanted in ((found.items, own.lines), (found.post_items, own.post_lines)):
            items = sorted((item.stage, Fraction(item.factor), nearly(Fraction(item.central_g))) for item in told)
            assert items == sorted((line.stage, line.factor, nearly(line.grams)) for line in wanted), key


def nearly(grams: Fraction) -> Fraction:
    """The engine has 60 digits; thirty decimals of them are compared."""
    return round(grams, 30)


def test_the_arithmetic_of_a_case_is_that_of_the_reference():
    for key in [key for key in with_figure() if every_case()[key].arithmetic]:
        written, wanted = every_case()[key].arithmetic, figure(key).arithmetic()
        assert lines_of(written) == lines_of(wanted), key
        assert [line for line in written if line.startswith(("sum", "divided"))] == wanted[-2:], key


def test_all_but_the_cheats_write_their_arithmetic_out():
    silent = [key for key in with_figure() if not every_case()[key].arithmetic]
    assert [key for key in silent if not key.startswith("B")] == []


def lines_of(arithmetic):
    return sorted(line_of(line) for line in arithmetic if "; x " in line)


def test_where_a_case_has_no_figure_the_reference_has_none():
    for key in every_case().keys() - set(with_figure()) - UNREAD:
        stopped = {finding.rule for finding in verdict(key).failed_must}
        assert stopped
        assert stopped <= {"INT-01", "INT-03"}, key
        # A report that cannot be read is left out: the reference reads no unreadable ones.
        assert "INT-03" not in stopped or figure(key) is None, key


def test_the_evidence_level_is_that_of_the_reference():
    levels = {key: evidence_level(whole()[key]["report"], whole()[key]["fixtures"]) for key in with_figure()}
    assert levels == {key: verdict(key).evidence_level for key in with_figure()}


def test_levels_and_gates_of_the_rules_are_those_of_the_text():
    gates = {rule.id: {clause.gates for clause in rule.clauses} for rule in standard().rules}
    told = {
        rule.id: "+".join(map(str, sorted(gates[rule.id]))) if rule.gates else rule.level for rule in standard().rules
    }
    assert told == RULES | {"QLT-01": "class-1+class-2"}


@pytest.mark.parametrize("rule", [rule.id for rule in standard().rules])
def test_each_rule_has_a_case_that_passes_it_and_one_that_fails_it(rule):
    answers = {
        kind: {
            finding.outcome for key in of("R", rule, kind) for finding in verdict(key).findings if finding.rule == rule
        }
        for kind in ("pass", "fail")
    }
    assert "pass" in answers["pass"]
    assert answers["pass"] <= {"pass", "not_applicable"}
    assert answers["fail"] == {"fail"}


@pytest.mark.parametrize("rule", [rule.id for rule in standard().rules if rule.id not in ACCOMPANIED])
def test_each_rule_can_fail_alone(rule):
    failures = [[*case.expected["failed_must"], *case.expected["warnings"]] for case in failing(rule)]
    assert ([rule] if standard().rule(rule).level != "info" else []) in failures


def test_no_rule_is_accompanied_without_need():
    alone = [rule for rule in ACCOMPANIED for case in failing(rule) if case.expected["failed_must"] == [rule]]
    assert alone == []


def failing(rule):
    return [every_case()[key] for key in of("R", rule, "fail")]


def limits() -> dict[str, str]:
    """Every limit of the standard by its place, and how its cases are called."""
    places = [key for key in numbers_of_standard(standard_files()["standard.toml"]) if not key.startswith(FACTORS)]
    return {
        place: place.removeprefix("bounds.").removeprefix("parameters.").replace(".", "_")
        for place in places
        if not place.endswith(".g_per_minute")
    }


@pytest.mark.parametrize("name", limits().values(), ids=limits().keys())
def test_each_limit_has_a_case_at_it_and_one_beyond(name):
    at, beyond = of("L", name, "at"), of("L", name, "beyond")
    assert at
    assert len(at) <= len(beyond)  # some have a second one beyond, by less than the unit
    for one, other in zip(at, beyond, strict=False):
        differ = every_case()[one].expected != every_case()[other].expected
        # A life under the least one counts as the least: the two sides are told from others, not from each other.
        assert differ or name == "hardware_life_least_h"


def test_every_case_of_a_limit_belongs_to_one():
    known = {key for name in limits().values() for kind in ("at", "beyond") for key in of("L", name, kind)}
    assert {key for key in every_case() if key.startswith("L-")} == known


def test_every_case_says_in_words_what_it_is_about():
    for case in every_case().values():
        assert case.title
        assert case.why.endswith((".", "?"))
