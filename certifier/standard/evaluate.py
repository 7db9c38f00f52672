"""From facts to a verdict: every rule, every failure named, one outcome.

`decide` is the whole way in the order of section 16.3. It is pure: the same report, evidence and standard give the
same verdict on any machine, which is how anyone can check a certificate's decision again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from cel_expr_python import cel

from certifier.errors import FieldFinding
from certifier.footprint.calculate import counted_minutes_of, footprint_of
from certifier.report.evidence import level_of
from certifier.report.model import Report, read_report
from certifier.standard.facts import Facts, facts_before_figure, facts_of, misfit_items
from certifier.standard.model import GATES
from certifier.standard.vocabulary import FACTS, SCOPES, SINCE_1970
from certifier.units import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from certifier.footprint.model import Footprint
    from certifier.report.evidence import Evidence
    from certifier.report.evidence import Level as EvidenceLevel
    from certifier.standard.facts import Item, Value
    from certifier.standard.model import Clause, Expression, Gates, Level, Rule, Standard
    from certifier.standard.vocabulary import Fact

Answer = Literal["pass", "fail", "not_applicable"]
Outcome = Literal["none", "disclosed", "measured", "class-2", "class-1"]

# The best outcome that is left when the widest gate is closed (16.3, step 5).
_LEFT_OPEN: dict[Gates | None, Outcome] = {
    "all": "none",
    "measured": "disclosed",
    "class-2": "measured",
    "class-1": "class-2",
    None: "class-1",
}
OUTCOMES_RISING: tuple[Outcome, ...] = tuple(_LEFT_OPEN.values())
_SHOWN_SUBJECTS = 5
_BOOL = cel.Type.BOOL
_STRING = cel.Type.STRING


@dataclass(frozen=True)
class Finding:
    """The outcome of one rule. `gates` is what its failure closes, `subjects` what failed, `found` what was found."""

    rule: str
    title: str
    level: Level
    gates: Gates | None
    outcome: Answer
    subjects: tuple[str, ...]
    found: str
    advice: str
    reason: str
    source: str

    @property
    def failed(self) -> bool:
        return self.outcome == "fail"


@dataclass(frozen=True)
class Verdict:
    """What a standard says about a report: an outcome, the finding of every rule that was asked, and the figure."""

    standard_id: str
    outcome: Outcome
    evidence_level: EvidenceLevel
    findings: tuple[Finding, ...]
    footprint: Footprint | None

    @property
    def passed(self) -> bool:
        return self.outcome != "none"

    @property
    def failed_must(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.failed and finding.level == "must")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.failed and finding.level == "should")

    @property
    def infos(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.failed and finding.level == "info")


def decide(standard: Standard, report: Report | Any, evidence: Evidence) -> Verdict:
    """The verdict of a standard on a report, given as JSON value or already parsed.

    1 read the report; 2 ask the rules that come before a figure, and stop if one of them says so; 3 compute the figure,
    always by the tables; 4 ask all other rules; 5 the outcome is the best one that no failed rule closes (16.3).
    """
    # 1
    misfits: tuple[FieldFinding, ...] = ()
    if not isinstance(report, Report):
        reading = read_report(report)
        if reading.report is None:
            return _unreadable(standard, report, reading.findings)
        report, misfits = reading.report, reading.findings
    level = level_of(report, evidence)
    # 2
    counted = counted_minutes_of(report, evidence.audio, standard.parameters)
    first = _ask(standard, facts_before_figure(report, counted, evidence, misfits), before_figure=True)
    stopped = any(finding.failed and standard.rule(finding.rule).stops for finding in first)
    if stopped or counted is None or counted <= 0:  # nothing to divide by, whatever the rules of a standard ask
        return _verdict(standard, level, first, None)
    # 3
    footprint = footprint_of(report, evidence, standard.factors, standard.parameters)
    # 4
    facts = facts_of(report, evidence, footprint, factors=standard.factors, parameters=standard.parameters)
    return evaluate(standard, facts, footprint, level=level, first=first)


def evaluate(
    standard: Standard,
    facts: Facts,
    footprint: Footprint,
    *,
    level: EvidenceLevel,
    first: Sequence[Finding] = (),
) -> Verdict:
    """The verdict on the facts of a computed figure; `first` are the findings of the rules that came before it."""
    rest = _ask(standard, facts, before_figure=False)
    found = {finding.rule: finding for finding in (*first, *rest)}
    return _verdict(standard, level, [found[rule.id] for rule in standard.rules if rule.id in found], footprint)


def _unreadable(standard: Standard, value: Any, misfits: Iterable[FieldFinding]) -> Verdict:
    """A report with missing or mistyped fields: nothing can be asked but whether it fits."""
    named = value.get("standard") if isinstance(value, dict) else None
    # Half surrogates have no bytes, so no rule could be asked about them.
    once = {"report.standard": named.encode(errors="replace").decode()} if isinstance(named, str) else {}
    facts = Facts(once, {"misfit": misfit_items(misfits)})
    first = _ask(standard, facts, before_figure=True)
    return _verdict(standard, "A0", [finding for finding in first if not standard.rule(finding.rule).stops], None)


def _verdict(
    standard: Standard, level: EvidenceLevel, findings: Sequence[Finding], footprint: Footprint | None
) -> Verdict:
    closed = {finding.gates for finding in findings if finding.failed and finding.level == "must"}
    widest = next((gates for gates in GATES if gates in closed), None)
    # Without a figure, or without any rule that was met, there is nothing that could have passed.
    asked = any(finding.outcome == "pass" for finding in findings)
    outcome = _LEFT_OPEN[widest] if footprint is not None and asked else "none"
    return Verdict(standard.id, outcome, level, tuple(findings), footprint)


# --- asking the rules ---


def _ask(standard: Standard, facts: Facts, *, before_figure: bool) -> list[Finding]:
    answers = _Answers(standard, facts, before_figure=before_figure)
    return [_finding(rule, answers) for rule in standard.rules if rule.before_figure == before_figure]


@dataclass(frozen=True)
class _Asked:
    """The items of one kind, and the answers on each of them as one letter: a text for each clause, by its place."""

    items: Sequence[Item]
    columns: Sequence[str]


class _Answers:
    """The answers of every rule of one turn on every item, found when first asked for."""

    def __init__(self, standard: Standard, facts: Facts, *, before_figure: bool) -> None:
        self._standard = standard
        self._facts = facts
        self._before_figure = before_figure
        self._once: dict[str, Value] = {**standard.limits, **facts.once}
        self._shared: dict[str, dict[str, Value]] = {
            scope: {name: self._once[name] for name in names if name in self._once}
            for scope, names in standard.names.items()
        }
        self._listed: dict[str, _Asked] = {}
        self._activations: dict[tuple[str, int], Any] = {}  # by scope and item: a run is asked for as an activity too

    def of(self, clause: Clause) -> tuple[Sequence[Item], str]:
        """The items that a clause is asked for, and for each a letter: y where its demand is met, n where it is not, - where
        it does not apply.
        """
        asked = self._listed.get(clause.for_each)
        if asked is None:
            asked = self._listed[clause.for_each] = self._asked(clause.for_each)
        place = self._standard.sheets[self._before_figure, clause.for_each].places[id(clause)]
        return asked.items, asked.columns[place] if asked.items else ""

    def _asked(self, for_each: str) -> _Asked:
        items = self._facts.items_of(for_each)
        answers = [self._letters(for_each, item) for item in items]
        return _Asked(items, ["".join(column) for column in zip(*answers, strict=True)])

    def _letters(self, for_each: str, item: Item) -> str:
        """The answers of all clauses on one item, in the order of their places."""
        sheet = self._standard.sheets[self._before_figure, for_each]
        activation = self._activation(SCOPES[for_each], item)
        result = sheet.program.eval(activation)
        if result.type() == _STRING:
            return str(result.value())
        # Anything but a text is an expression's error: then the clauses are asked one by one.
        clauses = (clause for rule in self._standard.rules for clause in rule.clauses if id(clause) in sheet.places)
        letters = {sheet.places[id(clause)]: _letter(clause, activation) for clause in clauses}
        return "".join(letters[place] for place in range(len(letters)))

    def _activation(self, scope: str, item: Item) -> Any:
        known = self._activations.get((scope, id(item)))
        if known is None:
            names = self._standard.names[scope]
            own = {name: value for name, value in item.values.items() if name in names}
            known = self._standard.environments[scope].Activation(self._shared[scope] | own)
            self._activations[scope, id(item)] = known
        return known

    def value(self, name: str, item: Item) -> Value | None:
        return item.values.get(name, self._once.get(name))


@dataclass(frozen=True)
class _Failure:
    clause: Clause
    item: Item


def _finding(rule: Rule, answers: _Answers) -> Finding:
    asked, failures = False, list[_Failure]()
    for clause in rule.clauses:
        items, letters = answers.of(clause)
        asked = asked or "y" in letters
        if "n" in letters:
            failures += [_Failure(clause, item) for item, letter in zip(items, letters, strict=True) if letter == "n"]
    if not failures:
        return _quiet_finding(rule, "pass" if asked else "not_applicable")
    return Finding(
        rule=rule.id,
        title=rule.title,
        level=rule.level,
        gates=_closed_by(failures),
        outcome="fail",
        subjects=tuple(dict.fromkeys(failure.item.subject for failure in failures if failure.item.subject)),
        found="; ".join(dict.fromkeys(_found(failures, answers))),
        advice=rule.advice,
        reason=rule.reason,
        source=rule.source,
    )


@lru_cache(maxsize=4096)
def _quiet_finding(rule: Rule, outcome: Answer) -> Finding:
    """The finding of a rule that nothing failed: the same for every report."""
    return Finding(
        rule=rule.id,
        title=rule.title,
        level=rule.level,
        gates=rule.gates,
        outcome=outcome,
        subjects=(),
        found="",
        advice=rule.advice,
        reason=rule.reason,
        source=rule.source,
    )


def _letter(clause: Clause, activation: Any) -> str:
    """As a sheet answers, for one clause. An error, such as a missing fact, is never a yes."""
    if clause.when is not None:
        # Only true and false come out as bool: the value of an error is its text.
        applies = clause.when.program.eval(activation).value()
        if not isinstance(applies, bool):
            return "n"
        if not applies:
            return "-"
    return "y" if _holds(clause.require, activation) else "n"


def _holds(expression: Expression, activation: Any) -> bool:
    result = expression.program.eval(activation)
    return bool(result.type() == _BOOL and result.value() is True)


def _closed_by(failures: Sequence[_Failure]) -> Gates | None:
    closed = {failure.clause.gates for failure in failures}
    return next((gates for gates in GATES if gates in closed), None)


# --- what was found, in words ---


def _found(failures: Sequence[_Failure], answers: _Answers) -> Iterator[str]:
    for failure in failures[:_SHOWN_SUBJECTS]:
        names = sorted(_telling(failure, answers))
        told = ", ".join(dict.fromkeys(_told(FACTS[name], answers.value(name, failure.item)) for name in names))
        yield f"{failure.item.subject}: {told}" if failure.item.subject and told else failure.item.subject or told
    if len(failures) > _SHOWN_SUBJECTS:
        yield f"and {len(failures) - _SHOWN_SUBJECTS} more"


def _telling(failure: _Failure, answers: _Answers) -> Iterator[str]:
    """The facts that the demand looks at, and those whose absence kept the rule from seeing whether it applies."""
    yield from (name for name in failure.clause.require.names if name in FACTS)
    if failure.clause.when is not None:
        asked = (name for name in failure.clause.when.names if name in FACTS)
        yield from (name for name in asked if answers.value(name, failure.item) is None)


def _told(fact: Fact, value: Value | None) -> str:
    """A fact in words, with its unit."""
    if value is None:
        return f"{fact.label}: not said or not readable"
    if isinstance(value, bool):
        return f"{fact.label}: {'yes' if value else 'no'}"
    if isinstance(value, list):
        return f"{fact.label}: {', '.join(map(str, value)) or 'none'}"
    if isinstance(value, int) and fact.unit == SINCE_1970:
        return f"{fact.label} {_time_told(value)}"
    if isinstance(value, int):
        number = plain(Decimal(value) / fact.per_unit)
        return f"{fact.label} {number} {fact.unit}".rstrip()
    return f"{fact.label} {value!r}"


def _time_told(microseconds: int) -> str:
    """A point in time as people write it, to the second."""
    try:
        moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
    except OverflowError:
        return f"{microseconds} microseconds since 1970"
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
