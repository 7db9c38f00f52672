"""A standard is read once, whole, and refused with file and line if anything in it is wrong."""

from __future__ import annotations

import json
import re
import time

import pytest

from certifier.errors import StandardError
from certifier.standard.model import parse_standard
from certifier.standard.vocabulary import FACTS, SCOPES, UNITS
from tests.standard.world import standard, standard_files


def test_the_standard_has_its_73_rules():
    levels = [rule.level for rule in standard().rules]
    assert (len(levels), levels.count("must"), levels.count("should"), levels.count("info")) == (73, 56, 12, 5)


def test_the_rules_stand_in_the_order_of_their_files():
    prefixes = list(dict.fromkeys(rule.id[:3] for rule in standard().rules))
    assert prefixes == ["INT", "BND", "ALC", "LOC", "MTH", "PLS", "REN", "QLT", "ASR", "PRC", "THR"]


def test_every_rule_speaks_to_people():
    for rule in standard().rules:
        assert rule.title
        assert rule.reason.endswith(".")
        assert rule.advice.endswith(".")


def test_every_fact_is_used_by_a_rule_and_has_a_label():
    used = frozenset().union(*standard().names.values())
    assert set(FACTS) - used == set()
    assert all(fact.label and fact.scope in SCOPES for fact in FACTS.values())


def test_every_limit_is_used_by_a_rule():
    assert set(standard().limits) <= frozenset().union(*standard().names.values())


def test_one_changed_byte_changes_the_digest():
    files = standard_files()
    readme = parse_standard({**files, "README.md": files["README.md"] + b"\n"})
    table = parse_standard({**files, "data/pue.csv": files["data/pue.csv"].replace(b"2023,AWS", b"2024,AWS")})
    assert len({standard().digest, readme.digest, table.digest}) == 3
    assert readme.tables_digest == standard().tables_digest
    assert table.tables_digest != standard().tables_digest


def test_the_digest_does_not_depend_on_the_order_of_the_files():
    files = standard_files()
    assert parse_standard(dict(reversed(list(files.items())))).digest == standard().digest


def rule(**fields: str) -> bytes:
    """A rule file with one rule; `require` and the like are replaced or, if empty, left out."""
    texts = {
        "id": "'XXX-01'",
        "title": "'t'",
        "level": "'must'",
        "gates": "'all'",
        "stage": "'all'",
        "source": "'1'",
        "reason": "'r.'",
        "advice": "'a.'",
        "require": "'report.takes > 1'",
    } | fields
    return ("\n[[rules]]\n" + "".join(f"{key} = {text}\n" for key, text in texts.items() if text)).encode()


def head(old: bytes, new: bytes) -> dict[str, bytes]:
    assert standard_files()["standard.toml"].count(old) >= 1
    return {"standard.toml": standard_files()["standard.toml"].replace(old, new, 1)}


def table(name: str, old: bytes, new: bytes) -> dict[str, bytes]:
    path = f"data/{name}.csv"
    assert old in standard_files()[path]
    return {path: standard_files()[path].replace(old, new, 1)}


BROKEN = {
    "an expression with an unknown name": (
        {"rules/x.toml": rule(require="'report.taeks > 1'")},
        "rules/x.toml:3: XXX-01: character 7: undeclared reference",
    ),
    "an expression that mixes types": (
        {"rules/x.toml": rule(require="'report.takes > 1.0'")},
        "no matching overload",
    ),
    "an expression that is a number": ({"rules/x.toml": rule(require="'report.takes'")}, "neither true nor false"),
    "an expression that is no CEL": ({"rules/x.toml": rule(require="'report.takes >'")}, "Syntax error"),
    "a fact of another scope": (
        {"rules/x.toml": rule(require="'activity.idle'")},
        "undeclared reference to 'activity.idle'",
    ),
    "a condition with an unknown name": (
        {"rules/x.toml": rule(when="'report.nothing'")},
        "undeclared reference",
    ),
    "an unknown scope": ({"rules/x.toml": rule(for_each="'take'")}, "nothing to ask for each 'take'"),
    "an id that is taken": ({"rules/x.toml": rule(id="'THR-01'")}, "the id THR-01 is taken by rules/95-limits.toml"),
    "an id that is retired": ({"rules/x.toml": rule(id="'PLS-16'")}, "the id PLS-16 is retired"),
    "an id of another form": ({"rules/x.toml": rule(id="'limit'")}, "id: String should match"),
    "a must rule that gates nothing": ({"rules/x.toml": rule(gates="")}, "a must rule says what it gates"),
    "a warning that gates something": ({"rules/x.toml": rule(level="'should'")}, "the others gate nothing"),
    "an unknown field": ({"rules/x.toml": rule(colour="'red'")}, "colour: there is no such key"),
    "a key that is misspelt": ({"rules/x.toml": rule().replace(b"level", b"lvel")}, "lvel: there is no such key"),
    "a rule without demand": ({"rules/x.toml": rule(require="")}, "either one require or a list"),
    "a file with something else": ({"rules/x.toml": b"x = 1"}, "holds [[rules]] and nothing else"),
    "a file that is no TOML": ({"rules/x.toml": b"[[rules]]\nid = x\n"}, "rules/x.toml:2"),
    "a file that is no text": ({"rules/x.toml": b"\xff"}, "this is not UTF-8"),
    "a taken id under a heading with a remark": (
        {"rules/x.toml": rule(id="'THR-01'").replace(b"[[rules]]", b"[[rules]]  # again")},
        "rules/x.toml:3: the id THR-01 is taken",
    ),
    "a taken id under a heading with spaces": (
        {"rules/x.toml": rule(id="'THR-01'").replace(b"[[rules]]", b"[[ rules ]]")},
        "rules/x.toml:3: the id THR-01 is taken",
    ),
    "a rule in one line": (
        {"rules/x.toml": b'\nrules = [{id = "THR-01"}]'},
        "rules/x.toml:2: title: this key is missing",
    ),
    "a number of five thousand digits": (head(b"class_1 = 10.00", b"class_1 = 1" + b"0" * 5000), "standard.toml"),
    "a bound that is a limit of the parameters": (
        head(b"[bounds]\n", b"[bounds]\nmeasured_cg = 99900\n"),
        "bounds.measured_cg: this follows from the parameters",
    ),
    "a bound below zero": (head(b"track_us = 15000000", b"track_us = -1"), "bounds.track_us: a whole number from 0"),
    "a bound beyond all numbers": (
        head(b"track_us = 15000000", b"track_us = 99999999999999999999"),
        "bounds.track_us: a whole number from 0",
    ),
    "a life of no hours": (head(b"life_h = 17520", b"life_h = 0"), "parameters.hardware.life_h"),
    "a year of no days": (head(b"year_days = 365", b"year_days = 0"), "parameters.storage.year_days"),
    "no head": ({"standard.toml": None}, "the folder of a standard has this file"),
    "a head without limits": (
        {"standard.toml": re.sub(rb"measured = 100.00", b"", standard_files()["standard.toml"])},
        "parameters.limits.measured: this key is missing",
    ),
    "a training default that falls": (
        {"standard.toml": standard_files()["standard.toml"].replace(b"g_per_minute = 0.4", b"g_per_minute = 9")},
        "steps rise",
    ),
    "a limit that is a text": (
        head(b"class_1 = 10.00", b"class_1 = 'ten'"),
        "standard.toml:15: parameters.limits.class_1",
    ),
    "a limit that is a truth": (head(b"class_1 = 10.00", b"class_1 = true"), "a number is expected"),
    "a limit that is no number": (head(b"class_1 = 10.00", b"class_1 = nan"), "a finite number"),
    "a limit without end": (
        head(b"measured = 100.00", b"measured = inf"),
        "standard.toml:13: parameters.limits.measured",
    ),
    "a limit below zero": (head(b"measured = 100.00", b"measured = -1"), "a finite number"),
    "a number that fills the memory": (head(b"metered = 1.1", b"metered = 1e999999999"), "a finite number"),
    "a bound that is a fraction": (head(b"track_us = 15000000", b"track_us = 15000000.5"), "bounds.track_us"),
    "a bound without unit": (head(b"track_us = 15000000", b"track = 15"), "bounds.track: a whole number says its unit"),
    "an unknown parameter": (head(b"wall = 1.0", b"wall = 1.0\nroof = 2"), "parameters.coverage.roof"),
    "tables inside tables without end": ({"rules/x.toml": b"x = " + b"[" * 30000}, "nested too deeply"),
    "a rule file of a megabyte": ({"rules/x.toml": b"#" * 1_000_000}, "the file is too large"),
    "a file whose name is no text": ({"bad\udcff": b""}, "bad\\udcff: the name of a file is no text"),
    "a folder of a thousand files": ({f"cases/{n}.json": b"{}" for n in range(1000)}, "the folder is too large"),
    "a row whose number is missing": (table("pue", b"aws,fleet,1.15,", b"aws,fleet,,"), "pue is no number"),
    "a row whose number is a word": (table("pue", b"aws,fleet,1.15,", b"aws,fleet,low,"), "pue is no number"),
    "a row whose number is endless": (table("pue", b"aws,fleet,1.15,", b"aws,fleet,1e9,"), "pue is no number"),
    "a row that stands twice": (table("pue", b"aws,fleet,1.15,", b"gcp,fleet,1.15,"), "'gcp' stands twice"),
    "a row of an unknown source": (
        table("pue", b"AWS-PUE-2023", b"NOBODY"),
        "data/pue.csv:2: row 'aws' names the unknown source 'NOBODY'",
    ),
    "a column without its unit": (
        table("grid_intensity", b"gco2e_per_kwh,pub", b"intensity,pub"),
        "column gco2e_per_kwh is missing",
    ),
    "a row with a cell too many": (
        table("pue", b"aws,fleet,1.15,", b"aws,fleet,1.15,7,"),
        "more cells than the header",
    ),
    "a table with an open quote": (table("pue", b"aws,fleet,1.15,", b'"aws,fleet,1.15,'), "data/pue.csv"),
    "a table that is empty": ({"data/pue.csv": b"provider,pue\n"}, "the table has no rows"),
    "a default below a row": (
        table("grid_intensity", b"UNKNOWN,default,,,,,1306,", b"UNKNOWN,default,,,,,1,"),
        "lies below a row",
    ),
    "a row of no kind of place": (
        table("grid_intensity", b"ABW,country,", b"ABW,planet,"),
        "this is no kind of grid row",
    ),
    "a row under another place's id": (
        table("grid_intensity", b"ABW,country,ABW,", b"ABW,country,FRA,"),
        "not that of its country",
    ),
    "a row without a year": (table("grid_intensity", b"550,550.0,2022,", b"550,550.0,,"), "the row has no year"),
    "statements that hold for less than a day": (
        head(b"statement_valid_days = 365", b"statement_valid_days = 0"),
        "parameters.training.statement_valid_days",
    ),
    "days that are a truth": (
        head(b"statement_valid_days = 365", b"statement_valid_days = true"),
        "parameters.training.statement_valid_days",
    ),
    "a rule that would stop a figure that is there": ({"rules/x.toml": rule(stops="true")}, "can stop nothing"),
    "a table that is missing": ({"data/pue.csv": None}, "data/pue.csv: the table is missing"),
}


@pytest.mark.parametrize(("changes", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_standard_is_refused_with_its_place(changes, message):
    files = {path: raw for path, raw in (standard_files() | changes).items() if raw is not None}
    with pytest.raises(StandardError) as error:
        parse_standard(files)
    assert message in str(error.value)
    assert error.value.file in message or error.value.file in {*files, *changes, "standard.toml"}
    assert error.value.expected


HOSTILE = {
    "a walk inside a walk": "report.stages.all(a, report.stages.all(b, a == b))",
    "two walks side by side": "report.stages.exists(a, a == 'x') || report.stages.exists(b, b == 'y')",
    "a list that is built": "report.stages.map(a, a + a).size() > 0",
    "a list that is sifted": "report.stages.filter(a, a == 'x').size() > 0",
    "a pattern": "report.standard.matches('(a*)*$')",
    "a text that is made": "string(report.takes) == '1'",
    "a type that is lost": "dyn(report.takes) == 'x'",
    "a macro that hides another": "has(report.takes)",
    "a map that hides its types": "{'a': 1, 'b': 'x'}['b'] == report.takes",
    "a message": "google.protobuf.ListValue{} == google.protobuf.ListValue{}",
    "a walk behind white space": "report.stages.all (a, report.stages . all(b, a == b))",
    "a text of a thousand letters": f"report.standard == '{'a' * 1000}'",
    "a text over lines": 'report.standard == """a"""',
    "ten thousand characters": " && ".join(["report.takes > 1"] * 600),
    "a tower of brackets": "(" * 300 + "true" + ")" * 300,
}


@pytest.mark.parametrize("expression", HOSTILE.values(), ids=HOSTILE.keys())
def test_an_expression_that_could_exhaust_time_or_memory_is_refused_at_load(expression):
    started = time.perf_counter()
    with pytest.raises(StandardError) as error:
        parse_standard(standard_files() | {"rules/x.toml": rule(require=json.dumps(expression))})
    assert (error.value.file, error.value.line) == ("rules/x.toml", 3)
    assert error.value.found
    assert error.value.expected
    assert time.perf_counter() - started < 5


def test_a_call_inside_a_text_is_no_call():
    text = """report.standard == 'map(x)' || report.standard == "it\\'s (matches(" """
    files = standard_files() | {"rules/x.toml": rule(require=json.dumps(text))}
    assert parse_standard(files).rule("XXX-01").clauses[0].require.text == text


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one():
    with pytest.raises(StandardError) as error:
        parse_standard(standard_files() | {"rules/x.toml": rule(for_each="'run'", require="'activity.power_w > 1'")})
    assert error.value.found == "activity.power_w"
    assert "activity.power_up_uw" in str(error.value.expected)


def test_every_whole_number_among_the_facts_says_its_unit_or_counts_things():
    for fact in FACTS.values():
        if fact.type == "INT" and fact.per_unit != 1:
            assert fact.name.rpartition("_")[2] in {*UNITS, "udays", "umin", "nmin", "nwh", "mg"}, fact.name


def test_a_standard_without_rules_would_pass_everybody_and_is_refused():
    files = {path: raw for path, raw in standard_files().items() if not path.startswith("rules/")}
    with pytest.raises(StandardError, match="there are no rules"):
        parse_standard(files)


def test_an_unknown_rule_is_no_rule():
    with pytest.raises(KeyError, match="XXX-99"):
        standard().rule("XXX-99")
