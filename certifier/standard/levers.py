"""What would reach the next outcome: found by changing one thing and deciding again, never by rule of thumb.

`levers_of` takes an application and its verdict. For each thing that could be different (`candidates`) it looks for the
smallest change that does all that this thing can do, and says what the verdict would be then. If no single one reaches
the next outcome, it looks for the fewest that do together. Every figure and every failed rule comes from `decide` on
the changed application; the changes are listed, so that anybody can make them and decide again.

A report that has to be mended (its signature, its times, a number that cannot be) gets no levers, only the rules to mend
first: what would follow from a figure that is not sound is nobody's to say.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from certifier.footprint.calculate import counted_minutes_of, footprint_of
from certifier.footprint.case import ZERO
from certifier.report.model import Report, read_report
from certifier.standard.candidates import Candidate, Ground, candidates_of
from certifier.standard.changes import Application, Change, changes_between
from certifier.standard.evaluate import OUTCOMES_RISING, Outcome, Verdict, decide
from certifier.standard.model import GATES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from decimal import Decimal

    from certifier.report.evidence import Evidence
    from certifier.standard.model import Standard

_WORDS = {"disclosed": "a statement", "measured": "measured", "class-2": "class 2", "class-1": "class 1"}
_FIGURE = "footprint.assessed_cg"
_DEFAULTS = "footprint.defaults_ug"

# A decision takes time with each activity: so many are made, that the whole stays within seconds.
_MOST_DECISIONS, _FEWEST_DECISIONS, _MOST_ACTIVITIES_DECIDED = 120, 24, 6_000
_BALANCES = 16


@dataclass(frozen=True)
class Lever:
    """One change, and what the verdict would be with it.

    `closes` are the rules in the way that it would meet, `leaves` those that still stand in the way. `reaches` is
    whether the next outcome is reached by this alone. Figures are grams CO2e per minute, as printed; `lowest` is the
    assessed one after the most that could be changed of this kind.
    """

    kind: str
    title: str
    sentence: str
    changes: tuple[Change, ...]
    central: Decimal
    assessed: Decimal
    lowest: Decimal
    outcome: Outcome
    closes: tuple[str, ...]
    leaves: tuple[str, ...]
    reaches: bool


@dataclass(frozen=True)
class Path:
    """Several changes that reach the next outcome together: `steps` are sentences, one for each of `kinds`."""

    kinds: tuple[str, ...]
    titles: tuple[str, ...]
    steps: tuple[str, ...]
    changes: tuple[Change, ...]
    central: Decimal
    assessed: Decimal
    outcome: Outcome


@dataclass(frozen=True)
class Levers:
    """What lies between the outcome of a report and the next one.

    `next` is None where there is none. `in_the_way` are the failed rules that close it. `mend` are failed rules that no
    change of circumstances meets: they come first, and then there are no levers. `note` says in words what is left to
    say: what has to be mended, why nothing reaches it, what was not tried.
    """

    outcome: Outcome
    next: Outcome | None
    in_the_way: tuple[str, ...]
    mend: tuple[str, ...]
    levers: tuple[Lever, ...]
    path: Path | None
    note: str


def levers_of(standard: Standard, report: Report | Any, evidence: Evidence, verdict: Verdict) -> Levers:
    """What would lift the verdict of a report, given as JSON value or parsed, to the next outcome.

    Deterministic. Makes at most 120 decisions; fewer, down to 24, for reports of many activities.
    """
    parsed = report if isinstance(report, Report) else read_report(report).report
    mend = _to_mend(standard, verdict)
    if parsed is None or verdict.footprint is None or mend:
        return _only_a_note(verdict, _next_after(verdict), mend, _mend_words(verdict, mend))
    target = _next_after(verdict)
    if target is None:
        return _only_a_note(verdict, None, (), _nothing_left(standard, verdict))
    return _Search(standard, Application(parsed, evidence), verdict, target).levers()


def _only_a_note(verdict: Verdict, target: Outcome | None, mend: tuple[str, ...], note: str) -> Levers:
    in_the_way = _in_the_way(verdict, target) if target else frozenset()
    return Levers(verdict.outcome, target, _sorted(verdict, in_the_way), mend, (), None, note)


# --- what is in the way ---


def _to_mend(standard: Standard, verdict: Verdict) -> tuple[str, ...]:
    """Failed rules that close everything and do not ask how large the figure is."""
    return tuple(
        finding.rule
        for finding in verdict.failed_must
        if finding.gates == "all" and _FIGURE not in _asked(standard, finding.rule)
    )


def _asked(standard: Standard, rule_id: str) -> frozenset[str]:
    return frozenset().union(*(clause.require.names for clause in standard.rule(rule_id).clauses))


def _next_after(verdict: Verdict) -> Outcome | None:
    """The next outcome; for a refused report the one that it would have within the widest limit."""
    if verdict.outcome != "none":
        rank = OUTCOMES_RISING.index(verdict.outcome) + 1
        return OUTCOMES_RISING[rank] if rank < len(OUTCOMES_RISING) else None
    attested = not any(finding.gates == "measured" for finding in verdict.failed_must)
    return "measured" if attested else "disclosed"


def _in_the_way(verdict: Verdict, target: Outcome) -> frozenset[str]:
    """The failed rules that close an outcome."""
    closing = GATES[: OUTCOMES_RISING.index(target)]
    return frozenset(finding.rule for finding in verdict.failed_must if finding.gates in closing)


def _sorted(verdict: Verdict, rules: frozenset[str]) -> tuple[str, ...]:
    """In the order of the standard."""
    return tuple(finding.rule for finding in verdict.findings if finding.rule in rules)


def _limit(standard: Standard, target: Outcome) -> Decimal:
    limits = standard.parameters.limits
    return {"class-2": limits.class_2, "class-1": limits.class_1}.get(target, limits.measured)


def _mend_words(verdict: Verdict, mend: Sequence[str]) -> str:
    titles = {finding.rule: f"{finding.rule} ({finding.title})" for finding in verdict.findings}
    named = ", ".join(titles[rule_id] for rule_id in mend)
    return f"Mend first: {named or 'the report, which cannot be read'}. What the mended report would need is worked out then."


def _nothing_left(standard: Standard, verdict: Verdict) -> str:
    footprint = verdict.footprint
    assert footprint is not None
    limit = standard.parameters.limits.class_1
    room = limit - footprint.assessed
    where = f"{room} g under the limit of {limit}" if room else f"exactly at the limit of {limit}"
    return f"There is no higher outcome. The figure lies {where}."


# --- the search ---


@dataclass(frozen=True)
class _Pick:
    """A candidate at one of its steps."""

    candidate: Candidate
    step: int


@dataclass(frozen=True)
class _Tried:
    """What came out of a trial: the verdict, and which rules stand in the way of the target."""

    application: Application
    verdict: Verdict
    in_the_way: frozenset[str]

    @property
    def assessed(self) -> Decimal:
        assert self.verdict.footprint is not None
        return self.verdict.footprint.assessed

    @property
    def defaults_g(self) -> Decimal:
        assert self.verdict.footprint is not None
        return self.verdict.footprint.default_g_per_min


class _OutOfTrialsError(Exception):
    """All decisions that may be made are made."""


class _Search:
    """Looks for what reaches one outcome, and counts its decisions."""

    def __init__(self, standard: Standard, application: Application, verdict: Verdict, target: Outcome) -> None:
        assert verdict.footprint is not None
        self._standard = standard
        self._target = target
        self._now = _Tried(application, verdict, _in_the_way(verdict, target))
        activities = max(1, len(application.report.activities))
        self._left = max(_FEWEST_DECISIONS, min(_MOST_DECISIONS, _MOST_ACTIVITIES_DECIDED // activities))
        self._all = self._left
        self._limit = _limit(standard, target)
        self._ground = Ground(standard, application, verdict.footprint, self._now.in_the_way, self._limit)
        self._of_figure = frozenset(r for r in self._now.in_the_way if _FIGURE in _asked(standard, r))
        self._of_defaults = frozenset(r for r in self._now.in_the_way if _DEFAULTS in _asked(standard, r))
        self._unfinished = list[Candidate]()
        self._tried: dict[tuple[tuple[int, int], ...], _Tried | None] = {}

    def levers(self) -> Levers:
        """Every candidate alone, then the fewest together."""
        candidates = list(self._useful(candidates_of(self._ground)))
        levers: list[Lever] = []
        path, note = None, ""
        for candidate in candidates:
            try:
                levers.append(self._lever(candidate))
            except _OutOfTrialsError:
                self._unfinished.append(candidate)
        if not any(lever.reaches for lever in levers):
            try:
                path, note = self._together(candidates)
            except _OutOfTrialsError:
                note = f"Whether several of them together reach {_WORDS[self._target]} was not tried to the end."
        if self._unfinished or (self._left <= 0 and note):
            note = f"{note} {self._bound_words()}".strip()
        levers.sort(key=lambda lever: (not lever.reaches, len(lever.leaves), lever.assessed))
        verdict = self._now.verdict
        in_the_way = _sorted(verdict, self._now.in_the_way)
        return Levers(verdict.outcome, self._target, in_the_way, (), tuple(levers), path, note)

    def _bound_words(self) -> str:
        activities = len(self._now.application.report.activities)
        titles = ", ".join(dict.fromkeys(candidate.title for candidate in self._unfinished))
        not_sought = f" For these a smaller change might do as well: {titles}." if titles else ""
        return f"The report has {activities:,} activities, so only {self._all} changes were tried.{not_sought}"

    # --- trials ---

    def _try(self, picks: Sequence[_Pick]) -> _Tried | None:
        """What the standard says about the application with these changes. None if there is no figure any more."""
        key = tuple((id(pick.candidate), pick.step) for pick in picks)
        if key not in self._tried:
            if self._left <= 0:
                raise _OutOfTrialsError
            self._left -= 1
            application = self._changed(picks)
            verdict = decide(self._standard, application.report, application.evidence)
            found = _Tried(application, verdict, _in_the_way(verdict, self._target))
            self._tried[key] = found if verdict.footprint is not None else None
        return self._tried[key]

    def _changed(self, picks: Sequence[_Pick]) -> Application:
        application = self._now.application
        for pick in picks:
            application = pick.candidate.change(application, pick.step)
        return application

    def _useful(self, candidates: Sequence[Candidate]) -> Iterator[Candidate]:
        """Those that meet a rule in the way, or lower a figure that is in the way, and break nothing."""
        for candidate in candidates:
            try:
                most = self._try([_Pick(candidate, candidate.steps)])
            except _OutOfTrialsError:
                yield candidate
                continue
            if most is None or most.in_the_way - self._now.in_the_way:
                continue
            fewer_defaults = self._of_defaults and most.defaults_g < self._now.defaults_g
            lower = self._of_figure and most.assessed < self._now.assessed
            if most.in_the_way != self._now.in_the_way or lower or fewer_defaults:
                yield candidate

    def _lever(self, candidate: Candidate) -> Lever:
        most = self._try([_Pick(candidate, candidate.steps)])
        assert most is not None
        goal = self._now.in_the_way - most.in_the_way
        # A figure that stays in the way is shown at its lowest; else the smallest change that does as much as the most.
        enough = bool(goal) and not most.in_the_way & self._of_figure
        step = candidate.steps
        if enough:
            try:
                step = self._mildest(candidate, lambda tried: not tried.in_the_way - most.in_the_way)
            except _OutOfTrialsError:
                self._unfinished.append(candidate)  # shown at its most: true, but less might do
        tried = self._try([_Pick(candidate, step)])
        assert tried is not None
        assert tried.verdict.footprint is not None
        return Lever(
            kind=candidate.kind,
            title=candidate.title,
            sentence=candidate.words(step, enough),
            changes=changes_between(self._now.application, tried.application),
            central=tried.verdict.footprint.central,
            assessed=tried.assessed,
            lowest=most.assessed,
            outcome=tried.verdict.outcome,
            closes=_sorted(self._now.verdict, self._now.in_the_way - tried.in_the_way),
            leaves=_sorted(tried.verdict, tried.in_the_way),
            reaches=not tried.in_the_way,
        )

    def _mildest(
        self, candidate: Candidate, holds: Callable[[_Tried], bool], *, others: Sequence[_Pick] = (), place: int = 0
    ) -> int:
        """The first step for which something holds that holds for the last one; more never undoes it (5.3).

        The figure alone says where to look, since it is quicker than a decision; decisions prove the step and that the
        one before is not enough.
        """

        def does(step: int) -> bool:
            picks = [*others[:place], _Pick(candidate, step), *others[place:]]
            tried = self._try(picks)
            return tried is not None and holds(tried)

        if does(1):
            return 1
        low, high = 1, candidate.steps
        guess = self._first_within_limit(candidate, others, place)
        if low < guess < high:
            if does(guess):
                high = guess
                if not does(guess - 1):
                    return guess
                high = guess - 1
            else:
                low = guess
        elif guess == high and high > 2 and not does(high - 1):
            return high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if does(middle) else (middle, high)
        return high

    def _first_within_limit(self, candidate: Candidate, others: Sequence[_Pick], place: int) -> int:
        def within(step: int) -> bool:
            picks = [*others[:place], _Pick(candidate, step), *others[place:]]
            application = self._changed(picks)
            parameters, factors = self._standard.parameters, self._standard.factors
            minutes = counted_minutes_of(application.report, application.evidence.audio, parameters)
            if minutes is None or minutes <= 0:
                return False
            figure = footprint_of(application.report, application.evidence, factors, parameters)
            return figure.assessed <= self._limit

        return bisect_left(range(1, candidate.steps), True, key=within) + 1

    def _nothing_reaches(self, furthest: _Tried, picks: Sequence[_Pick] = ()) -> str:
        """Why the target is out of reach: what all that helps would leave."""
        titles = ", ".join(pick.candidate.title for pick in picks)
        left = _sorted(furthest.verdict, furthest.in_the_way)
        rules = "; ".join(f"{rule_id} ({self._standard.rule(rule_id).advice.rstrip('.')})" for rule_id in left)
        together = (
            f"Nor do they together: with {titles}, the figure would be at most {furthest.assessed} g and these rules "
            if len(picks) > 1
            else "These rules "
        )
        return f"{together}would still stand in the way of {_WORDS[self._target]}: {rules}."

    # --- together ---

    def _together(self, candidates: Sequence[Candidate]) -> tuple[Path | None, str]:
        """The fewest candidates that reach the target together, each as small as it may be; or why there are none."""
        picks, reached = self._greedy(candidates)
        if not picks:
            return None, self._nothing_reaches(self._now)
        if reached.in_the_way:
            return None, self._nothing_reaches(reached, picks)
        picks = self._relaxed(self._needed(picks))
        tried = self._try(picks)
        assert tried is not None
        assert tried.verdict.footprint is not None
        path = Path(
            kinds=tuple(pick.candidate.kind for pick in picks),
            titles=tuple(pick.candidate.title for pick in picks),
            steps=tuple(pick.candidate.words(pick.step, True) for pick in picks),
            changes=changes_between(self._now.application, tried.application),
            central=tried.verdict.footprint.central,
            assessed=tried.assessed,
            outcome=tried.verdict.outcome,
        )
        return path, ""

    def _greedy(self, candidates: Sequence[Candidate]) -> tuple[list[_Pick], _Tried]:
        """At each turn the first candidate after which the fewest rules are left, else the one with the lowest figure."""
        picks, reached = list[_Pick](), self._now
        rest = list(candidates)
        while rest and reached.in_the_way:
            found: list[tuple[tuple[int, Decimal], Candidate, _Tried]] = []
            for candidate in rest:
                tried = self._try([*picks, _Pick(candidate, candidate.steps)])
                if tried is not None:
                    closes = len(tried.in_the_way) < len(reached.in_the_way)
                    # Among those that meet rules the first, so paper before work; else the lowest figure.
                    found.append(((len(tried.in_the_way), ZERO if closes else tried.assessed), candidate, tried))
            (_, chosen, best) = min(found, key=lambda one: one[0])
            if (len(best.in_the_way), best.assessed) >= (len(reached.in_the_way), reached.assessed):
                break
            picks, reached = [*picks, _Pick(chosen, chosen.steps)], best
            rest.remove(chosen)
        return picks, reached

    def _needed(self, picks: list[_Pick]) -> list[_Pick]:
        """Without those that the others do not need."""
        for pick in list(picks):
            without = [other for other in picks if other is not pick]
            tried = self._try(without) if without else None
            if tried is not None and not tried.in_the_way:
                picks = without
        return picks

    def _relaxed(self, picks: list[_Pick]) -> list[_Pick]:
        """Each as small as it may be: all by the same part of their way first, then one after the other."""
        picks = self._balanced(picks)
        for place in reversed(range(len(picks))):
            candidate = picks[place].candidate
            if candidate.steps > 1:
                bounded = Candidate(
                    candidate.kind,
                    candidate.title,
                    candidate.change,
                    candidate.words,
                    picks[place].step,
                    candidate.start,
                )
                others = picks[:place] + picks[place + 1 :]
                step = self._mildest(bounded, lambda tried: not tried.in_the_way, others=others, place=place)
                picks = [*picks[:place], _Pick(candidate, step), *picks[place + 1 :]]
        return picks

    def _balanced(self, picks: list[_Pick]) -> list[_Pick]:
        def at(part: int) -> list[_Pick]:
            return [_Pick(pick.candidate, _step_at(pick.candidate, part)) for pick in picks]

        def does(part: int) -> bool:
            tried = self._try(at(part))
            return tried is not None and not tried.in_the_way

        return at(bisect_left(range(_BALANCES), True, key=does))


def _step_at(candidate: Candidate, part: int) -> int:
    """The step at so many sixteenths of the way from how it is now to the most."""
    return candidate.start + -(-(candidate.steps - candidate.start) * part // _BALANCES)


# --- as a document ---


def levers_document(levers: Levers) -> dict[str, Any]:
    """The levers as JSON: figures are decimal strings, changes have JSON Pointers."""
    return {
        "outcome": levers.outcome,
        "next": levers.next,
        "in_the_way": list(levers.in_the_way),
        "mend_first": list(levers.mend),
        "levers": [
            {
                "kind": lever.kind,
                "title": lever.title,
                "sentence": lever.sentence,
                "changes": _changes_document(lever.changes),
                "central_g_per_min": str(lever.central),
                "assessed_g_per_min": str(lever.assessed),
                "lowest_g_per_min": str(lever.lowest),
                "outcome": lever.outcome,
                "closes": list(lever.closes),
                "leaves": list(lever.leaves),
                "reaches": lever.reaches,
            }
            for lever in levers.levers
        ],
        "path": _path_document(levers.path),
        "note": levers.note,
    }


def _path_document(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    return {
        "steps": [
            {"kind": kind, "title": title, "sentence": sentence}
            for kind, title, sentence in zip(path.kinds, path.titles, path.steps, strict=True)
        ],
        "changes": _changes_document(path.changes),
        "central_g_per_min": str(path.central),
        "assessed_g_per_min": str(path.assessed),
        "outcome": path.outcome,
    }


def _changes_document(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [{"pointer": change.pointer, "old": change.old, "new": change.new} for change in changes]
