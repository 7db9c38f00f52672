"""The program that breaks the standard in every small way breaks it in every small way, and the cases notice."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.standard.reference import numbers_of_standard
from tests.standard.world import standard, standard_files

sys.path.append(str(Path(__file__).parents[2] / "scripts"))

import rule_mutants  # a script, found beside the tests

MUTANTS = {mutant.id: mutant for mutant in rule_mutants.mutants_of(standard_files())}
CASES = rule_mutants.all_cases(standard_files())

SAMPLE = (
    "parameters.limits.class_1 10.00 -> 10.01",
    "parameters.coverage.accelerator_shared 2.2 -> 2.1",
    "parameters.uncertainty.provider 1.25 -> 1.26",
    "parameters.training.statement_valid_days 365 -> 366",
    "parameters.service_default.weight_tolerance 0.000001 -> 0.000002",
    "parameters.storage.year_days 365 -> 364",
    "parameters.hardware.life_least_h 1 -> 0",
    "parameters.defaults.class_2 15.00 -> 14.99",
    "parameters.rating.b 0.50 -> 0.51",
    "bounds.clock_skew_us 300000000 -> 300000001",
    "bounds.power_host_uw 500000000 -> 500000001",
    "bounds.total_gap_ppm 100000 -> 100001",
    "INT-02 dropped",
    "INT-12.1 when -> true",
    "INT-06.2 dropped",
    "BND-10.4 dropped",
    "BND-05 gates class-2 -> class-1",
    "MTH-03 gates class-2 -> measured",
    "QLT-01.1 gates class-2 -> class-1",
    "LOC-02 must -> should",
    "PLS-09.1 require #1 >= -> >",
    "MTH-01.1 require #5 && -> ||",
    "ALC-03.1 require #8 == -> !=",
    "PLS-11.1 require #2 || -> &&",
    "REN-04.1 require #1 <= -> <",
    "ALC-04.1 require number #1 0 -> 1",
    "MTH-01.1 when list without 'training'",
    "INT-06.2 for each activity -> run",
)


@pytest.mark.parametrize("mutant", SAMPLE)
def test_the_cases_notice_a_small_change(mutant):
    fate = rule_mutants.fate_of(standard_files(), MUTANTS[mutant], CASES)
    assert fate.killer, f"no case notices {mutant}"


def test_each_operator_of_each_rule_is_swapped():
    for rule in standard().rules:
        for number, clause in enumerate(rule.clauses, 1):
            for member, expression in (("when", clause.when), ("require", clause.require)):
                bare = re.sub(r"'[^']*'", "", expression.text if expression else "")
                operators = bare.count("&&") + bare.count("||") + len(re.findall(r"[<>=!]=|[<>]|!", bare))
                assert count(f"{rule.id}.{number} {member} #") == operators, f"{rule.id}.{number} {member}"


def test_each_number_and_each_listed_word_of_each_rule_is_changed():
    for rule in standard().rules:
        for number, clause in enumerate(rule.clauses, 1):
            for member, expression in (("when", clause.when), ("require", clause.require)):
                text = expression.text if expression else ""
                bare = re.sub(r"[a-z_]+\.[a-z0-9_]+", "", re.sub(r"'[^']*'", "", text))
                words = sum(part.count(",") + 1 for part in re.findall(r"\[([^\]]*)\]", text))
                start = f"{rule.id}.{number} {member} "
                assert count(f"{start}number #") == 2 * len(re.findall(r"\d+", bare)), start
                assert count(f"{start}list without ") == words, start


def test_each_demand_on_activities_is_asked_of_runs_and_the_other_way_round():
    for rule in standard().rules:
        for number, clause in enumerate(rule.clauses, 1):
            asked = clause.for_each in {"activity", "run"}
            assert count(f"{rule.id}.{number} for each ") == asked, rule.id


def count(start):
    return sum(key.startswith(start) for key in MUTANTS)


def test_each_condition_is_set_to_true():
    asked = [
        f"{rule.id}.{n} when -> true" for rule in standard().rules for n, c in enumerate(rule.clauses, 1) if c.when
    ]
    assert asked
    assert set(asked) <= set(MUTANTS)


def test_each_rule_and_each_clause_is_dropped_and_each_must_weakened():
    rules = standard().rules
    assert {f"{rule.id} dropped" for rule in rules} <= set(MUTANTS)
    assert {f"{rule.id} must -> should" for rule in rules if rule.level == "must"} <= set(MUTANTS)
    many = [(rule.id, number) for rule in rules if len(rule.clauses) > 1 for number in range(1, len(rule.clauses) + 1)]
    assert {f"{rule}.{number} dropped" for rule, number in many} <= set(MUTANTS)


def test_each_gate_becomes_each_other():
    gates = [key for key in MUTANTS if " gates " in key]
    assert len(gates) == 3 * (sum(rule.level == "must" for rule in standard().rules) + 1)  # QLT-01 has two


def test_each_number_goes_up_and_down():
    places = list(numbers_of_standard(standard_files()["standard.toml"]))
    changed = [key.split()[0] for key in MUTANTS if key.startswith(("parameters.", "bounds."))]
    assert sorted(changed) == sorted(places * 2)


def test_a_mutant_differs_from_the_standard_in_one_place():
    path = "rules/50-method.toml"
    rules = tomllib.loads(standard_files()[path].decode())["rules"]
    assert tomllib.loads(rule_mutants.toml_of(rules))["rules"] == rules
    changed = tomllib.loads(MUTANTS["MTH-03 gates class-2 -> all"].text)["rules"]
    assert [(old["id"], new["gates"]) for old, new in zip(rules, changed, strict=True) if old != new] == [
        ("MTH-03", "all")
    ]


def test_text_in_quotes_is_no_operator():
    assert [new for _, _, new in rule_mutants.swapped("a == '>= 1' || !(b < 1)")] == [
        "a != '>= 1' || !(b < 1)",
        "a == '>= 1' && !(b < 1)",
        "a == '>= 1' || (b < 1)",
        "a == '>= 1' || !(b <= 1)",
    ]
    assert [new for _, new, _ in rule_mutants.counted_otherwise("a.b_2 == '1' || a.b < 1")] == ["2", "0"]


def test_a_mutant_that_the_loader_refuses_is_noticed():
    mutant = rule_mutants.Mutant("broken", "INT-01", "rules/50-method.toml", "[[rules]]\n")
    assert rule_mutants.fate_of(standard_files(), mutant, []).killer.startswith("loader: ")


def test_a_mutant_that_breaks_the_evaluator_is_noticed():
    path = "rules/10-integrity.toml"
    text = standard_files()[path].decode().replace("stops = true\n", "")
    mutant = rule_mutants.Mutant("a rule that no longer stops", "INT-03", path, text)
    cases = [case for case in CASES if case.id == "C10"]  # a number that is none
    assert rule_mutants.fate_of(standard_files(), mutant, cases).killer == "C10"


def test_each_argument_is_about_a_mutant_and_is_a_sentence():
    argued = rule_mutants.argued_in(rule_mutants.ARGUED)
    assert set(argued) <= set(MUTANTS)
    assert all(re.fullmatch(r"[A-Z0-9].{20,}\.", reason) for reason in argued.values())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The standard with its worked cases alone, and arguments that a test may write."""
    monkeypatch.setattr(rule_mutants, "ARGUED", tmp_path / "argued.toml")
    for path, raw in standard_files().items():
        if not path.startswith("cases/") or path == "cases/cases.json":
            (tmp_path / "standard" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "standard" / path).write_bytes(raw)
    return tmp_path / "standard"


def argue(*mutants):
    rule_mutants.ARGUED.write_text(f'[[equivalent]]\nmutants = {json.dumps(mutants)}\nreason = "A sentence."\n')


def test_a_mutant_that_lives_and_is_not_argued_fails_the_run(folder, capsys):
    words = [str(folder), "--only", "ASR-04 gates measured -> class", "--processes", "1"]

    argue("ASR-04 gates measured -> class-1", "ASR-04 gates measured -> class-2")
    assert rule_mutants.main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["killed"] == 0

    argue("ASR-04 gates measured -> class-2")
    assert rule_mutants.main(words) == 1
    assert "lives      ASR-04 gates measured -> class-1" in capsys.readouterr().out


def test_an_argument_for_a_mutant_that_dies_fails_the_run(folder, capsys):
    argue("INT-02 dropped")
    assert rule_mutants.main([str(folder), "--only", "INT-02 dropped", "--processes", "1"]) == 1
    assert "argued     INT-02 dropped: but C73" in capsys.readouterr().out
