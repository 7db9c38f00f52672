"""Try a standard on every stored report before it is published: who would gain or lose what, and by which rule.

Each report is judged again with the evidence that was recorded when it was decided, and the verdict is compared with the
stored one. `simulate` is all of it in one process; `compare_pages` makes the same comparisons in several. Nothing is
written. Reading the store, showing and exporting are left to others.
"""

from __future__ import annotations

import signal
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from multiprocessing import get_context
from typing import Any, Literal

from certifier.decision import parse_decision
from certifier.errors import CertifierError, ForeignInputError, OperatorError
from certifier.report.envelope import stored_report_of
from certifier.report.evidence import Evidence
from certifier.report.model import Activity, Report, Run
from certifier.standard.evaluate import OUTCOMES_RISING, Verdict, decide
from certifier.standard.model import Standard, parse_standard
from certifier.storage.rows import StoredDecision

PAGE = 64  # reports that a process gets at a time
FEW = 200  # below, starting processes takes longer than the work
PROCESSES = 2
KEPT = 1_000  # flips, and reports that could not be judged, that are kept in memory by name

NOT_SAID, NOT_LISTED, SERVICE, OWN_MACHINE = "not said", "not in the tables", "service", "own machine"
_HUNDREDTH = Decimal("0.01")

Now = Literal["fails", "passes", "now must", "now should"]


@dataclass(frozen=True)
class Basis:
    """The version of a standard that a stored decision rests on."""

    id: str
    sha256: str


@dataclass(frozen=True)
class Comparison:
    """One report: what was decided, and what the new version says. Figures in g CO2e per minute; None: no figure.

    ``changes`` has the must and should rules whose answer or level differs. ``country`` and ``provider`` are those of the
    first inference, in words of the new version's tables.
    """

    id: str
    code: str | None
    in_force: bool
    basis: Basis
    old_outcome: str
    new_outcome: str
    old_assessed: Decimal | None
    new_assessed: Decimal | None
    changes: tuple[tuple[str, Now], ...]
    country: str
    provider: str

    @property
    def direction(self) -> int:
        """1 for a better outcome, -1 for a worse one, 0 for the same."""
        old, new = OUTCOMES_RISING.index(self.old_outcome), OUTCOMES_RISING.index(self.new_outcome)
        return (new > old) - (new < old)

    @property
    def moved_percent(self) -> Decimal | None:
        """How far the assessed figure moves, in hundredths of a percent. None without two figures to compare."""
        if self.old_assessed is None or self.new_assessed is None or self.old_assessed == 0:
            return None
        moved = (self.new_assessed - self.old_assessed) * 100 / self.old_assessed
        return moved.quantize(_HUNDREDTH, ROUND_HALF_EVEN) + 0  # and no minus before a zero


@dataclass(frozen=True)
class Skipped:
    """A report that cannot be judged again, and why."""

    id: str
    code: str | None
    in_force: bool
    reason: str


Compared = Comparison | Skipped


# --- one report ---


def compare(standard: Standard, stored: StoredDecision) -> Compared:
    """The stored decision beside that of another version. A report that cannot be judged is an answer, no error."""
    try:
        return _compared(standard, stored)
    except CertifierError as error:
        parts = (error.message, error.found and f"found {error.found}", error.pointer and f"at {error.pointer}")
        reason = "; ".join(part for part in parts if part)
    except Exception as error:  # noqa: BLE001 - tables of a draft may break the calculation; that is a result for one report
        reason = f"{type(error).__name__}: {error}"
    return Skipped(stored.id, stored.code, stored.in_force, reason[:300])


def _compared(standard: Standard, stored: StoredDecision) -> Comparison:
    record, evidence = parse_decision(stored.decision)
    basis = _basis_of(record)
    report = stored_report_of(stored.envelope)
    verdict = _verdict(standard, report, evidence, basis)
    country, provider = _place_of(standard, report)
    return Comparison(
        id=stored.id,
        code=stored.code,
        in_force=stored.in_force,
        basis=basis,
        old_outcome=_outcome_of(record),
        new_outcome=verdict.outcome,
        old_assessed=_assessed_of(record),
        new_assessed=verdict.footprint.assessed if verdict.footprint else None,
        changes=tuple(_changes(record, verdict)),
        country=country,
        provider=provider,
    )


def _verdict(standard: Standard, report: Report, evidence: Evidence, basis: Basis) -> Verdict:
    """What the new version says, as if the report named it where it names the version that it was decided by."""
    if report.standard == basis.id:
        report = report.model_copy(update={"standard": standard.id})
    return decide(standard, report, evidence)


def _basis_of(record: Mapping[str, Any]) -> Basis:
    named = record.get("standard")
    if not isinstance(named, dict) or not isinstance(named.get("id"), str) or not isinstance(named.get("sha256"), str):
        raise _unfit("standard", named)
    return Basis(named["id"], named["sha256"])


def _outcome_of(record: Mapping[str, Any]) -> str:
    outcome = record.get("outcome")
    if outcome not in OUTCOMES_RISING:
        raise _unfit("outcome", outcome)
    return str(outcome)


def _assessed_of(record: Mapping[str, Any]) -> Decimal | None:
    text = record.get("assessed_g_per_min")
    try:
        return None if text is None else Decimal(text)
    except (InvalidOperation, TypeError, ValueError) as error:
        raise _unfit("assessed_g_per_min", text) from error


def _rules_of(record: Mapping[str, Any], member: str) -> set[str]:
    rules = record.get(member)
    if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
        raise _unfit(member, rules)
    return set(rules)


def _unfit(member: str, found: object) -> ForeignInputError:
    return ForeignInputError(
        "The decision record does not say what was decided.", found=repr(found)[:60], pointer=f"/{member}"
    )


def _changes(record: Mapping[str, Any], verdict: Verdict) -> Iterator[tuple[str, Now]]:
    must, should = _rules_of(record, "failed_must"), _rules_of(record, "warnings")
    new_must = {finding.rule for finding in verdict.failed_must}
    new_should = {finding.rule for finding in verdict.warnings}
    sets: tuple[tuple[Now, set[str]], ...] = (
        ("fails", (new_must | new_should) - must - should),
        ("passes", (must | should) - new_must - new_should),
        ("now must", should & new_must),
        ("now should", must & new_should),
    )
    yield from sorted((rule, now) for now, rules in sets for rule in rules)


def _place_of(standard: Standard, report: Report) -> tuple[str, str]:
    """Country and provider of the first inference. Words that no table has are summed up: applicants choose them freely."""
    first = next((activity for activity in report.activities if activity.stage == "inference"), None)
    return _country_of(standard, first), _provider_of(standard, first)


def _country_of(standard: Standard, activity: Activity | None) -> str:
    if activity is None or activity.location is None:
        return NOT_SAID
    row = standard.factors.grid.get(activity.location.country)
    return row.key if row is not None and row.kind == "country" else NOT_LISTED


def _provider_of(standard: Standard, activity: Activity | None) -> str:
    if activity is None:
        return NOT_SAID
    if not isinstance(activity, Run):
        return SERVICE
    if activity.location.site == "local":
        return OWN_MACHINE
    provider = activity.location.provider
    if provider is None:
        return NOT_SAID
    return provider if provider in standard.factors.pue else NOT_LISTED


# --- all of them ---


@dataclass
class Flips:
    """How many reports of a kind there are, and how many of them get a better or a worse outcome."""

    reports: int = 0
    up: int = 0
    down: int = 0

    def add(self, direction: int) -> None:
        self.reports += 1
        self.up += direction > 0
        self.down += direction < 0


@dataclass
class Tally:
    """The comparisons of one group, counted. ``flips`` names the first KEPT reports whose outcome changes.

    ``matrix`` counts by old and new outcome, ``rules`` by rule and what it does now, ``moved`` by percent.
    """

    all: Flips = field(default_factory=Flips)
    matrix: Counter[tuple[str, str]] = field(default_factory=Counter)
    rules: dict[str, Counter[Now]] = field(default_factory=dict)
    moved: Counter[Decimal] = field(default_factory=Counter)
    figures_moved: int = 0
    countries: dict[str, Flips] = field(default_factory=dict)
    providers: dict[str, Flips] = field(default_factory=dict)
    flips: list[Comparison] = field(default_factory=list)

    def add(self, compared: Comparison) -> None:
        direction = compared.direction
        self.all.add(direction)
        self.countries.setdefault(compared.country, Flips()).add(direction)
        self.providers.setdefault(compared.provider, Flips()).add(direction)
        self.matrix[compared.old_outcome, compared.new_outcome] += 1
        for rule, now in compared.changes:
            self.rules.setdefault(rule, Counter())[now] += 1
        self.figures_moved += compared.old_assessed != compared.new_assessed
        percent = compared.moved_percent
        if percent is not None:
            self.moved[percent] += 1
        if direction and len(self.flips) < KEPT:
            self.flips.append(compared)

    def movement(self) -> dict[str, Decimal]:
        """By how many percent the assessed figure moves: least, median, p90 and most. Empty without figures."""
        if not self.moved:
            return {}
        shares = {"min": Decimal(0), "median": Decimal("0.5"), "p90": Decimal("0.9"), "max": Decimal(1)}
        return {name: _quantile(self.moved, share) for name, share in shares.items()}


def _quantile(counts: Counter[Decimal], share: Decimal) -> Decimal:
    """The least value that at least this share of all does not exceed."""
    seen, total = 0, counts.total()
    for value in sorted(counts):
        seen += counts[value]
        if seen >= share * total:
            break
    return value


@dataclass(frozen=True)
class Group:
    """What is counted apart: the version that the reports were decided by, and whether they have a certificate in force."""

    basis: Basis
    in_force: bool


@dataclass
class Simulation:
    """Everything that a run found. Its size does not grow with the number of reports."""

    reports: int = 0
    tallies: dict[Group, Tally] = field(default_factory=dict)
    skipped: int = 0
    skipped_named: list[Skipped] = field(default_factory=list)

    def add(self, compared: Compared) -> None:
        self.reports += 1
        if isinstance(compared, Comparison):
            self.tallies.setdefault(Group(compared.basis, compared.in_force), Tally()).add(compared)
            return
        self.skipped += 1
        if len(self.skipped_named) < KEPT:
            self.skipped_named.append(compared)

    def groups(self) -> list[tuple[Group, Tally]]:
        """The version that decided most reports first; of each, the certificates in force before the others."""
        decided = Counter[Basis]()
        for group, tally in self.tallies.items():
            decided[group.basis] += tally.all.reports
        return sorted(
            self.tallies.items(),
            key=lambda item: (-decided[item[0].basis], item[0].basis.id, item[0].basis.sha256, not item[0].in_force),
        )


def simulate(standard: Standard, stored: Iterable[StoredDecision]) -> Simulation:
    """Every stored decision beside that of another version, counted."""
    simulation = Simulation()
    for one in stored:
        simulation.add(compare(standard, one))
    return simulation


# --- in several processes ---


def processes_for(reports: int) -> int:
    """How many processes are worth their start."""
    return PROCESSES if reports >= FEW else 1


def compare_pages(
    standard: Standard, files: Mapping[str, bytes], pages: Iterable[Sequence[StoredDecision]], processes: int
) -> Iterator[Compared]:
    """The comparison of each stored decision, in their order. ``files`` are those of the standard: each process reads them.

    Only a few pages are in memory at a time. Raises OperatorError when a process is killed.
    """
    if processes == 1:
        yield from (compare(standard, one) for page in pages for one in page)
        return
    executor = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_begin, initargs=(dict(files),))
    try:
        waiting = deque[Future[list[Compared]]]()
        for page in pages:
            waiting.append(executor.submit(_compare_page, page))
            if len(waiting) > 2 * processes:
                yield from waiting.popleft().result()
        for future in waiting:
            yield from future.result()
    except BrokenProcessPool as error:
        raise OperatorError(
            "A process of the simulation ended before its work was done.", hint="Is there enough memory? Try again."
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)


_OWN: list[Standard] = []  # of this process, once it has begun


def _begin(files: Mapping[str, bytes]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its processes
    _OWN.append(parse_standard(files))


def _compare_page(page: Sequence[StoredDecision]) -> list[Compared]:
    return [compare(_OWN[0], one) for one in page]
