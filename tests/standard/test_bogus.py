"""Cheats against the standard: which come to nothing, by what, and which only an audit can find."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest

from certifier.report.evidence import parse_evidence
from certifier.standard.cases import Case, parse_cases, run_cases
from certifier.standard.evaluate import Verdict, decide
from tests.standard.world import cases, standard, standard_files

RAW = standard_files()["cases/bogus.json"]
OTHERS = {"cases.json": standard_files()["cases/cases.json"]}
BOGUS: list[dict[str, Any]] = json.loads(RAW)["cases"]
PARSED = {case.id: case for case in parse_cases(RAW, OTHERS)}
SECTION = standard_files()["README.md"].decode().partition("\n## What the rules cannot see\n")[2].partition("\n## ")[0]
OUTCOMES = ("none", "disclosed", "measured", "class-2", "class-1")
STATED = {"outcome", "failed_must", "warnings", "central_gco2e_per_min", "assessed_gco2e_per_min"}
GAINLESS = {"text"}  # what may come through without a better figure: a name that is not one's own
TRICKS = set(
    re.findall(
        r"\w+",
        """units power shares offsets embodied lifetime padding copy keys tools place pue grid hardware defaults training
        takes meter ids batch service statement times claims renewal text verifier numbers""",
    )
)


def bogus(kind: str) -> list[Any]:
    """The cases that are stopped by a rule, by the figure, or by an audit alone."""
    return [pytest.param(case, id=case["id"]) for case in BOGUS if kind_of(case) == kind]


def kind_of(case: dict[str, Any]) -> str:
    return "rule" if isinstance(case["stopped_by"], list) else case["stopped_by"]


@cache
def verdict_on(case_id: str) -> Verdict:
    return _decided(PARSED[case_id])


@cache
def truth_about(case_id: str) -> Verdict:
    """What comes out for whoever tells the truth in place of this cheat."""
    case = next(case for case in BOGUS if case["id"] == case_id)
    if "honest_change" not in case:
        return _decided(cases()[case.get("honest", case["like"])])
    told = {"id": "truth", "like": case["like"], "change": case["honest_change"], "expected": {}}
    return _decided(parse_cases(json.dumps({"cases": [told]}).encode(), OTHERS)[0])


def _decided(case: Case) -> Verdict:
    return decide(standard(), case.report, parse_evidence(case.fixtures))


def rank(verdict: Verdict) -> int:
    return OUTCOMES.index(verdict.outcome)


@pytest.mark.parametrize("case", PARSED.values(), ids=lambda case: f"{case.id} {case.title}")
def test_each_cheat_comes_out_as_it_says(case):
    (result,) = run_cases(standard(), [case])
    assert result.differences == ()
    assert result.not_compared == ()
    assert set(case.expected) >= STATED
    assert case.why


@pytest.mark.parametrize("case", bogus("rule"))
def test_a_cheat_that_a_rule_sees_loses_by_that_rule(case):
    verdict = verdict_on(case["id"])
    closing = {finding.rule for finding in verdict.failed_must if finding.gates}
    assert set(case["stopped_by"]) <= closing
    assert rank(verdict) < rank(truth_about(case["id"]))


@pytest.mark.parametrize("case", bogus("figure"))
def test_a_cheat_that_needs_no_rule_gains_nothing(case):
    verdict, truth = verdict_on(case["id"]), truth_about(case["id"])
    assert rank(verdict) <= rank(truth)
    assert verdict.footprint.assessed >= truth.footprint.assessed
    assert verdict.footprint.central >= truth.footprint.central


@pytest.mark.parametrize("case", bogus("audit"))
def test_a_cheat_for_audits_really_comes_through(case):
    """Else it would only look dangerous: it gets a better outcome or a lower figure than the truth."""
    verdict, truth = verdict_on(case["id"]), truth_about(case["id"])
    better = rank(verdict) - rank(truth)
    assert verdict.passed
    assert better >= 0
    assert better or verdict.footprint.assessed < truth.footprint.assessed or case["trick"] in GAINLESS


def test_no_cheat_rises_above_the_truth_unless_only_an_audit_can_find_it():
    risen = {case["id"] for case in BOGUS if rank(verdict_on(case["id"])) > rank(truth_about(case["id"]))}
    assert risen <= {case["id"] for case in BOGUS if case["stopped_by"] == "audit"}


def test_there_are_many_cheats_of_every_class():
    assert len(BOGUS) == len(PARSED) >= 70
    assert len(bogus("rule")) >= 60
    assert {case["trick"] for case in BOGUS} == TRICKS


def test_the_text_counts_the_cheats_rightly():
    told = (len(BOGUS), len(bogus("rule")), len(bogus("figure")), len(bogus("audit")))
    assert (
        "{} cheats. {} are refused or brought down by a rule, and {} gain nothing. The {} below".format(*told)
        in SECTION
    )


def rows() -> list[list[str]]:
    """The rows of the tables in the section, without their heads."""
    lines = [line.strip("|").split("|") for line in SECTION.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line] for line in lines]
    return [line for line in cells if line[0] not in {"trick", "---"}]


def test_the_text_names_each_cheat_that_only_an_audit_can_find_once_and_no_other():
    named = [case_id for row in rows() for case_id in re.findall(r"B\d{3}", row[3])]
    assert sorted(named) == sorted(case["id"] for case in BOGUS if case["stopped_by"] == "audit")
    assert set(re.findall(r"B\d{3}", SECTION)) == set(named)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[3])
def test_each_row_says_why_no_rule_sees_it_and_who_finds_it(row):
    assert len(row) == 4
    assert all(row)
    assert re.search(r"[Aa]udit|[Cc]omplaint|\(1[0-7]\.\d", row[2])
