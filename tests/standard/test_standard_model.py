"""A standard is read once, whole, and refused with file and line if anything in it is wrong."""

from __future__ import annotations

import re

import pytest

from certifier.errors import StandardError
from certifier.standard.model import parse_standard
from certifier.standard.vocabulary import FACTS, SCOPES
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
    "an unknown field": ({"rules/x.toml": rule(colour="'red'")}, "colour: Extra inputs"),
    "a rule without demand": ({"rules/x.toml": rule(require="")}, "either one require or a list"),
    "a file with something else": ({"rules/x.toml": b"x = 1"}, "holds [[rules]] and nothing else"),
    "a file that is no TOML": ({"rules/x.toml": b"[[rules]]\nid = x\n"}, "rules/x.toml:2"),
    "a file that is no text": ({"rules/x.toml": b"\xff"}, "this is not UTF-8"),
    "no head": ({"standard.toml": None}, "the folder of a standard has this file"),
    "a head without limits": (
        {"standard.toml": re.sub(rb"measured = 100.00", b"", standard_files()["standard.toml"])},
        "parameters.limits.measured: Field required",
    ),
    "a training default that falls": (
        {"standard.toml": standard_files()["standard.toml"].replace(b"g_per_minute = 0.4", b"g_per_minute = 9")},
        "steps rise",
    ),
    "a table that is missing": ({"data/pue.csv": None}, "data/pue.csv: the table is missing"),
}


@pytest.mark.parametrize(("changes", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_standard_is_refused_with_its_place(changes, message):
    files = {path: raw for path, raw in (standard_files() | changes).items() if raw is not None}
    with pytest.raises(StandardError) as error:
        parse_standard(files)
    assert message in str(error.value)


def test_a_standard_without_rules_would_pass_everybody_and_is_refused():
    files = {path: raw for path, raw in standard_files().items() if not path.startswith("rules/")}
    with pytest.raises(StandardError, match="there are no rules"):
        parse_standard(files)


def test_an_unknown_rule_is_no_rule():
    with pytest.raises(KeyError, match="XXX-99"):
        standard().rule("XXX-99")
