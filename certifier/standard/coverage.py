"""What the cases of a standard try: the rules that none of them passes or fails, the bounds that none of them lies on.

A case tells "at most" from "below" only if it lies exactly on the bound. So each comparison of a rule is asked as it is
written and turned, for every item of every case: where the answers differ and hang on the bound, the bound is met.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from certifier.footprint.calculate import counted_minutes_of
from certifier.report.evidence import parse_evidence
from certifier.report.model import read_report
from certifier.standard.facts import Facts, facts_before_figure, facts_of
from certifier.standard.vocabulary import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from certifier.standard.cases import CaseResult
    from certifier.standard.facts import Item
    from certifier.standard.model import Clause, Rule, Standard


def untried_rules(standard: Standard, results: Sequence[CaseResult], outcome: Literal["pass", "fail"]) -> list[str]:
    """The rules that come out so in no case."""
    tried = {
        finding.rule
        for result in results
        if result.verdict
        for finding in result.verdict.findings
        if finding.outcome == outcome
    }
    return [rule.id for rule in standard.rules if rule.id not in tried]


def unmet_bounds(standard: Standard, results: Sequence[CaseResult]) -> list[str]:
    """The bounds of rules, as ``limit.*``, that no case lies exactly on."""
    trials = [trial for rule in standard.rules for clause in rule.clauses for trial in _trials(standard, rule, clause)]
    met: set[str] = set()
    for result in results:
        turns = _facts_of(standard, result)
        met |= {trial.limit for trial in trials if trial.limit not in met and _lies_on(trial, turns)}
    return sorted({trial.limit for trial in trials} - met)


def limits_of(clause: Clause) -> set[str]:
    """The bounds that a clause compares with."""
    parts = [part.names for part in (clause.when, clause.require) if part is not None]
    return {name for names in parts for name in names if name.startswith("limit.")}


def _lies_on(trial: _Trial, turns: dict[bool, list[Facts]]) -> bool:
    return any(
        trial.is_met(item, facts) for facts in turns[trial.before_figure] for item in facts.items_of(trial.for_each)
    )


# A comparison turned from "at most" into "below" or the other way round: a case tells them apart only on the bound itself.
_COMPARISONS = re.compile(r"<=|>=|(?<![<>=-])<(?!=)|(?<![<>=-])>(?!=)")
_TURNED = {"<=": "<", "<": "<=", ">=": ">", ">": ">="}


@dataclass(frozen=True)
class _Trial:
    """One comparison of a demand with one bound, asked as it is, turned, and with the bound moved by one."""

    limit: str
    before_figure: bool
    for_each: str
    clause: Clause
    turned: Any
    environment: Any
    limits: dict[str, int]

    def is_met(self, item: Item, facts: Facts) -> bool:
        known = {**self.limits, **facts.once, **item.values}
        if self.clause.when is not None and self._says(self.clause.when.program, known) is not True:
            return False
        answer = self._says(self.clause.require.program, known)
        if answer is None or self._says(self.turned, known) == answer:
            return False
        moved = ({**known, self.limit: self.limits[self.limit] + step} for step in (1, -1))
        return any(self._says(self.clause.require.program, values) != answer for values in moved)

    def _says(self, program: Any, known: dict[str, Any]) -> bool | None:
        value = program.eval(self.environment.Activation(known)).value()
        return value if isinstance(value, bool) else None


def _trials(standard: Standard, rule: Rule, clause: Clause) -> Iterator[_Trial]:
    text = clause.require.text
    environment = standard.environments[SCOPES[clause.for_each]]
    for match in _COMPARISONS.finditer(text):
        turned = environment.compile(text[: match.start()] + _TURNED[match[0]] + text[match.end() :])
        for name in sorted(limits_of(clause)):
            yield _Trial(name, rule.before_figure, clause.for_each, clause, turned, environment, dict(standard.limits))


def _facts_of(standard: Standard, result: CaseResult) -> dict[bool, list[Facts]]:
    """The facts of a case before its figure (True) and after it, as far as there are any."""
    reading = read_report(result.case.report)
    if reading.report is None or result.verdict is None:
        return {True: [], False: []}
    evidence = parse_evidence(result.case.fixtures)
    counted = counted_minutes_of(reading.report, evidence.audio, standard.parameters)
    before = facts_before_figure(reading.report, counted, evidence, reading.findings)
    footprint = result.verdict.footprint
    if footprint is None:
        return {True: [before], False: []}
    after = facts_of(reading.report, evidence, footprint, factors=standard.factors, parameters=standard.parameters)
    return {True: [before], False: [after]}
