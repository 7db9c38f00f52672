"""How a verdict is made: the order of the steps, what a failure closes, and what people are told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from certifier.errors import FieldFinding
from certifier.report.evidence import parse_evidence
from certifier.standard.evaluate import decide, evaluate
from certifier.standard.facts import Facts, facts_of
from certifier.standard.model import parse_standard
from certifier.standard.vocabulary import FACTS
from tests.standard.world import REMOVED, cases, fixtures_of, report_of, standard, standard_files, verdict_of

OUTCOMES = {
    "everything passes": ({}, {}, "class-1"),
    "a rule for class 1 fails": ({}, {"signatures/2/valid": False}, "class-2"),
    "a rule for class 2 fails": ({"process/auditable_pipeline": REMOVED}, {}, "measured"),
    "a rule for measured fails": ({}, {"tools": {}}, "disclosed"),
    "a rule for all fails": ({"generation/takes": 0}, {}, "none"),
    "a warning closes nothing": ({"process/take_retention_days": 400}, {}, "class-1"),
}


@pytest.mark.parametrize(("report", "fixtures", "outcome"), OUTCOMES.values(), ids=OUTCOMES.keys())
def test_the_outcome_is_the_best_that_no_failed_rule_closes(report, fixtures, outcome):
    verdict = verdict_of(report, fixtures)
    assert verdict.outcome == outcome
    assert verdict.passed == (outcome != "none")


def test_every_rule_is_asked_and_reported():
    verdict = verdict_of()
    assert [finding.rule for finding in verdict.findings] == [rule.id for rule in standard().rules]


def test_nothing_is_asked_after_a_number_that_is_none():
    verdict = verdict_of(case="C10")
    assert [finding.rule for finding in verdict.findings] == ["INT-01", "INT-03"]
    assert (verdict.outcome, verdict.footprint) == ("none", None)


UNREADABLE = {
    "no track": ({"track": REMOVED}, "/track"),
    "energy as words": ({"activities/0/energy_kwh": "a lot"}, "/activities/0/energy_kwh"),
    "no duration": ({"activities/0/duration_s": REMOVED}, "/activities/0/duration_s"),
    "a binary float": ({"activities/0/energy_kwh": 0.006}, "/activities/0/energy_kwh"),
    "a stage that nobody knows": ({"activities/0/stage": "dreaming"}, "/activities/0/stage"),
}


@pytest.mark.parametrize(("changes", "pointer"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_report_fails_the_first_rule_and_has_no_figure(changes, pointer):
    verdict = verdict_of(changes)
    assert [(finding.rule, finding.outcome) for finding in verdict.findings] == [("INT-01", "fail")]
    assert verdict.findings[0].subjects == (pointer,)
    assert (verdict.outcome, verdict.footprint) == ("none", None)


@pytest.mark.parametrize("value", [None, [], "report", 7, {}], ids=repr)
def test_what_is_no_report_at_all_fails_the_first_rule(value):
    verdict = decide(standard(), value, parse_evidence(fixtures_of()))
    assert [finding.rule for finding in verdict.failed_must] == ["INT-01"]


def test_a_field_that_does_not_fit_is_named():
    verdict = verdict_of({"activities/0/location/site": REMOVED})
    finding = next(finding for finding in verdict.findings if finding.rule == "INT-01")
    assert finding.subjects == ("/activities/0/location/site",)
    assert "local or datacentre is expected" in finding.found


@pytest.mark.parametrize("audible", ["0", "__NaN__"])
def test_a_standard_that_does_not_ask_for_counted_minutes_gives_no_figure_without_any(audible):
    rules = b"""
[[rules]]
id = "THR-01"
title = "Within 100"
level = "must"
gates = "all"
stage = "all"
source = "8.1"
reason = "r."
advice = "a."
require = "footprint.assessed_cg <= limit.measured_cg"
"""
    files = {path: raw for path, raw in standard_files().items() if not path.startswith("rules/")}
    value = Decimal("NaN") if audible == "__NaN__" else Decimal(audible)
    verdict = decide(
        parse_standard(files | {"rules/one.toml": rules}),
        report_of({"track/ai_audible_s": value}),
        parse_evidence(fixtures_of()),
    )
    assert (verdict.outcome, verdict.footprint) == ("none", None)


def test_a_finding_says_in_words_what_was_found():
    verdict = verdict_of(case="C13")
    finding = verdict.failed_must[0]
    assert (finding.rule, finding.subjects) == ("PLS-01", ("i1",))
    assert finding.found == "i1: nameplate power 400 W, mean power 30 W"
    assert finding.advice.startswith("Check the units")


def test_a_finding_names_a_fact_that_is_missing():
    verdict = verdict_of({"activities/0/started_at": "2026-10-01T10:00:00"})
    finding = next(finding for finding in verdict.failed_must if finding.rule == "INT-05")
    assert "start: not said or not readable" in finding.found


def test_a_rule_with_two_gates_closes_what_its_failed_clause_closes():
    gates = {
        case: [f.gates for f in verdict_of(case=case).failed_must if f.rule == "QLT-01"] for case in ("C20", "C43")
    }
    assert gates == {"C20": ["class-1"], "C43": ["class-2"]}


def test_a_rule_about_nothing_that_is_there_does_not_apply():
    outcomes = {finding.rule: finding.outcome for finding in verdict_of().findings}
    assert outcomes["REN-02"] == "not_applicable"
    assert outcomes["INT-12"] == "not_applicable"
    assert outcomes["INT-04"] == "pass"


def test_without_facts_no_rule_that_asks_once_passes():
    """An expression over facts that are not there is an error, and an error is never a yes."""
    application = parse_evidence(fixtures_of())
    footprint = verdict_of().footprint
    verdict = evaluate(standard(), Facts({}, {}), footprint, level="A2")
    asked_once = {rule.id for rule in standard().rules for clause in rule.clauses if clause.for_each == "once"}
    assert {finding.rule for finding in verdict.findings if finding.outcome == "pass"} & asked_once == set()
    assert verdict.outcome == "none"
    assert application.audio.duration_s == Decimal(180)


def test_a_condition_that_cannot_be_answered_fails_its_rule():
    files = dict(standard_files())
    path = "rules/95-limits.toml"
    extra = (
        b'\n[[rules]]\nid = "XXX-01"\ntitle = "t"\nlevel = "must"\ngates = "all"\nstage = "all"\nsource = "1"\n'
        b'reason = "r."\nadvice = "a."\nwhen = "report.total_gap_ppm > 0"\nrequire = "true"\n'
    )
    strict = parse_standard({**files, path: files[path] + extra})
    verdict = decide(strict, report_of(), parse_evidence(fixtures_of()))
    assert [finding.rule for finding in verdict.failed_must] == ["XXX-01"]


@pytest.mark.parametrize("case", [case for case in cases().values() if case.id != "C10"], ids=lambda case: case.id)
def test_every_fact_that_is_worked_out_is_declared_with_its_type(case):
    verdict = decide(standard(), case.report, parse_evidence(case.fixtures))
    facts = facts_of(
        report := parse_without_misfits(case.report),
        parse_evidence(case.fixtures),
        verdict.footprint,
        factors=standard().factors,
        parameters=standard().parameters,
    )
    assert report.activities
    values = dict(facts.once)
    for items in facts.items.values():
        for item in items:
            values |= item.values
    kinds = {"BOOL": bool, "INT": int, "STRING": str, "STRINGS": list, "INTS": list}
    assert {name for name, value in values.items() if not isinstance(value, kinds[FACTS[name].type])} == set()


def parse_without_misfits(value):
    from certifier.report.model import read_report  # noqa: PLC0415 - used here alone

    reading = read_report(value)
    assert not any(isinstance(finding, FieldFinding) for finding in reading.findings)
    assert reading.report is not None
    return reading.report
