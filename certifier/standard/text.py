"""The rules of a standard as a table for people, the part of its text that is made from the rule files; and their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certifier.standard.vocabulary import FACTS, UNITS

if TYPE_CHECKING:
    from certifier.standard.model import Clause, Rule, Standard

_HEADING = "| id | what it asks | level | closes | for | why | source |\n| --- | --- | --- | --- | --- | --- | --- |\n"
_ASKED = {
    "once": "the report",
    "misfit": "each field that does not fit",
    "activity": "each activity",
    "run": "each run",
    "model": "each model",
    "hardware": "each hardware line",
    "run_share": "each run that is shared",
    "raw_log": "each raw log",
    "log_line": "each number read from a log",
    "claim": "each claim",
}


def render_rules_table(standard: Standard) -> str:
    """A Markdown table with a line for each rule."""
    return _HEADING + "".join(_line(rule) for rule in standard.rules)


_FACT_HEADING = "| fact | for | type | one stands for | meaning |\n| --- | --- | --- | --- | --- |\n"


def render_facts_table(standard: Standard) -> str:
    """A Markdown table with a line for each fact and bound that an expression may use."""
    facts = (
        (fact.name, _ASKED[fact.scope], fact.type, _one_of(fact.per_unit, fact.unit), fact.label)
        for fact in FACTS.values()
    )
    bounds = (
        (name, "all", "INT", _one_of(*UNITS.get(name.rpartition("_")[2], (1, ""))), f"bound: {value}")
        for name, value in sorted(standard.limits.items())
    )
    return _FACT_HEADING + "".join(f"| {' | '.join(cells)} |\n" for cells in (*facts, *bounds))


def _one_of(parts: int, unit: str) -> str:
    return f"1/{parts} {unit}".strip() if parts > 1 else unit or "-"


def _line(rule: Rule) -> str:
    cells = [
        rule.id,
        rule.title,
        rule.level,
        ", ".join(dict.fromkeys(clause.gates for clause in rule.clauses if clause.gates)) or "nothing",
        ", ".join(dict.fromkeys(map(_asked, rule.clauses))),
        rule.reason,
        rule.source,
    ]
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def _asked(clause: Clause) -> str:
    return _ASKED[clause.for_each]
