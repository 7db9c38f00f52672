"""What changed between two versions of a standard, in the words of the standard, and which step that is by section 13.

A patch changes wording, or adds rows for places and devices that went by default, and no earlier result gets worse. A minor
version refreshes tables and adds rules that only warn; the cases of the reference set move by at most 10 %. Limits,
boundary, unit, *must* rules and the factors of section 5 take a major version, and so does whatever neither of the others
may do. Each change carries its step and the reason; the largest one is the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from certifier.crypto.canonical import sha256_hex
from certifier.errors import ForeignInputError
from certifier.footprint.factors import TABLES
from certifier.report.evidence import parse_evidence
from certifier.standard.evaluate import decide
from certifier.standard.folder import TEXT, Folder
from certifier.standard.model import HEAD
from certifier.standard.version import STEPS, Step, parse_version, promised_step
from certifier.units import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from certifier.footprint.factors import Factors
    from certifier.standard.cases import Case
    from certifier.standard.evaluate import Verdict
    from certifier.standard.model import Rule, Standard

MOST_MOVEMENT_PERCENT = Decimal(10)  # 13, for the reference set
MOST_SHOWN = 240  # characters of one side of a change


@dataclass(frozen=True)
class Change:
    """One thing that is otherwise: what kind, of what, from what to what, the step it takes, and why."""

    kind: str
    subject: str
    old: str
    new: str
    step: Step
    reason: str
    file: str


@dataclass(frozen=True)
class Movement:
    """How a case of the reference set comes out under both versions. `percent` is None where a figure is missing."""

    case: str
    title: str
    old: Verdict | None
    new: Verdict | None
    percent: Decimal | None

    @property
    def too_far(self) -> bool:
        return self.percent is None or abs(self.percent) > MOST_MOVEMENT_PERCENT


@dataclass(frozen=True)
class Comparison:
    old: Standard
    new: Standard
    changes: tuple[Change, ...]
    movements: tuple[Movement, ...]

    @property
    def step(self) -> Step:
        """The largest step that a change takes."""
        return max((change.step for change in self.changes), key=STEPS.index, default="none")

    @property
    def promised(self) -> Step:
        """The step that the new version number promises."""
        return promised_step(parse_version(self.old.version), parse_version(self.new.version))

    @property
    def keeps_its_promise(self) -> bool:
        return STEPS.index(self.promised) >= STEPS.index(self.step)

    @property
    def mends_low_figures(self) -> bool:
        """Whether figures were too low before: one of the reference set goes up by more than 10 %, and none goes down."""
        moved = [movement.percent for movement in self.movements]
        known = [percent for percent in moved if percent is not None]
        return len(known) == len(moved) and max(known, default=Decimal(0)) > MOST_MOVEMENT_PERCENT and min(known) >= 0

    @property
    def deciding(self) -> tuple[Change, ...]:
        """The changes that make the step as large as it is."""
        return tuple(change for change in self.changes if change.step == self.step != "none")


def compare(old: Folder, new: Folder) -> Comparison:
    """Every difference between two versions. Raises StandardError for a version that has no number, and MalformedJson."""
    parse_version(old.standard.version)
    parse_version(new.standard.version)
    movements = tuple(_movements(old, new))
    found = [
        *_numbers(old, new),
        *_bounds(old, new),
        *_rules(old, new),
        *_facts(old, new),
        *_tables(old, new),
        *_reference_set(movements),
        *_cases(old, new),
        *_head(old, new),
    ]
    changes = [*found, *_text(old, new, {change.file for change in found})]
    return Comparison(old.standard, new.standard, tuple(sorted(changes, key=_largest_first)), movements)


def _largest_first(change: Change) -> int:
    return -STEPS.index(change.step)


# --- numbers ---

# By the beginning of a parameter's name: what kind of change it is, and the reason that section 13 gives.
_PARAMETERS = (
    ("limits.", "limit", "limits take a major version"),
    ("defaults.", "limit", "what defaults may carry is a limit (8.5)"),
    ("functional_unit.", "parameter", "the functional unit takes a major version"),
    ("uncertainty.", "parameter", "the factors of section 5 take a major version"),
    ("rating.", "parameter", "the steps of section 5.2 take a major version"),
    ("", "parameter", "neither a patch nor a minor version changes how a figure is computed"),
)


def _numbers(old: Folder, new: Folder) -> Iterator[Change]:
    before, after = _parameters(old.standard), _parameters(new.standard)
    for name in before:
        if before[name] != after.get(name):
            kind, reason = next((kind, reason) for start, kind, reason in _PARAMETERS if name.startswith(start))
            yield Change(kind, name, _shown(before[name]), _shown(after.get(name)), "major", reason, HEAD)


def _parameters(standard: Standard) -> dict[str, Any]:
    groups = standard.parameters.model_dump()
    found: dict[str, Any] = {}
    for group, value in groups.items():
        found |= (
            {f"{group}.{name}": item for name, item in value.items()} if isinstance(value, dict) else {group: value}
        )
    return found


def _shown(value: Any) -> str:
    """A number with its digits; the steps of the training default as one text."""
    if value is None:
        return "-"
    if isinstance(value, (list, tuple)):
        return "; ".join(f"{_shown(item['up_to_b'])}: {_shown(item['g_per_minute'])}" for item in value)
    return str(value)


def _bounds(old: Folder, new: Folder) -> Iterator[Change]:
    before, after = old.head.get("bounds", {}), new.head.get("bounds", {})
    for name in sorted({*before, *after}):
        if before.get(name) == after.get(name):
            continue
        users = [
            rule
            for folder in (old, new)
            for rule in folder.standard.rules
            if f"limit.{name}" in {part for text in _texts(rule) for part in re.findall(r"limit\.\w+", text)}
        ]
        ids = ", ".join(sorted({rule.id for rule in users})) or "no rule"
        binding = any(rule.level == "must" for rule in users)
        reason = f"a bound of {ids}: what a must rule demands is a limit" if binding else f"a bound of {ids}"
        step: Step = "major" if binding else "minor" if users else "patch"
        yield Change("bound", name, _shown(before.get(name)), _shown(after.get(name)), step, reason, HEAD)


# --- rules ---


def _rules(old: Folder, new: Folder) -> Iterator[Change]:
    before = {rule.id: rule for rule in old.standard.rules}
    after = {rule.id: rule for rule in new.standard.rules}
    for rule_id in (*before, *(rule_id for rule_id in after if rule_id not in before)):
        if rule_id not in after:
            yield _whole_rule("rule removed", before[rule_id], old, is_new=False)
        elif rule_id not in before:
            yield _whole_rule("rule added", after[rule_id], new, is_new=True)
        else:
            yield from _changed_rule(before[rule_id], after[rule_id], new)


def _whole_rule(kind: str, rule: Rule, folder: Folder, *, is_new: bool) -> Change:
    step: Step = "major" if rule.level == "must" else "minor"
    reason = _MUST if rule.level == "must" else _ONLY_WARNS
    told = f"{rule.level}: {rule.title}"
    old, new = ("-", told) if is_new else (told, "-")
    return Change(kind, rule.id, old, new, step, reason, folder.place_of_rule(rule.id).file)


_MUST = "must rules take a major version"
_ONLY_WARNS = "a rule that only warns or remarks takes a minor version"


def _changed_rule(old: Rule, new: Rule, folder: Folder) -> Iterator[Change]:
    binding = "must" in {old.level, new.level}
    step: Step = "major" if binding else "minor"
    reason = _MUST if binding else _ONLY_WARNS
    file = folder.place_of_rule(new.id).file
    for kind, before, after in (
        ("rule level", old.level, new.level),
        ("rule gates", _gates(old), _gates(new)),
        ("rule expression", _meaning(old), _meaning(new)),
        ("rule order", _order(old), _order(new)),
    ):
        if before != after:
            yield Change(kind, new.id, before, after, step, reason, file)
    for name in ("title", "reason", "advice", "stage", "source"):
        if getattr(old, name) != getattr(new, name):
            yield Change(
                "wording", f"{new.id} {name}", getattr(old, name), getattr(new, name), "patch", "wording only", file
            )


def _texts(rule: Rule) -> list[str]:
    return [part.text for clause in rule.clauses for part in (clause.when, clause.require) if part is not None]


def _gates(rule: Rule) -> str:
    return ", ".join(clause.gates or "nothing" for clause in rule.clauses)


def _meaning(rule: Rule) -> str:
    """What a rule asks, in one line; how its expressions are broken into lines does not matter."""
    return "; ".join(
        f"each {clause.for_each}: " * (clause.for_each != "once")
        + (f"when {_one_line(clause.when.text)}: " if clause.when else "")
        + _one_line(clause.require.text)
        for clause in rule.clauses
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _order(rule: Rule) -> str:
    return "stops" if rule.stops else "before the figure" if rule.before_figure else "after the figure"


def _facts(old: Folder, new: Folder) -> Iterator[Change]:
    before, after = (
        {name for names in folder.standard.names.values() for name in names if not name.startswith("limit.")}
        for folder in (old, new)
    )
    for name in sorted(before ^ after):
        told = ("-", "used") if name in after else ("used", "-")
        yield Change("fact", name, *told, "none", "counts with the rule that uses it", "rules/")


# --- tables ---

# The columns that a figure or a plausible power is computed with.
_COUNTED = {
    "grid_intensity": ("gco2e_per_kwh",),
    "pue": ("pue",),
    "accelerators": ("tdp_w", "embodied_kgco2e", "host_embodied_kgco2e"),
    "devices": ("tdp_w", "embodied_kgco2e"),
    "cpus": ("tdp_w",),
}
# The columns by which a row is found.
_FOUND_BY = {
    "grid_intensity": ("kind", "iso3", "subdivision", "provider", "region"),
    "accelerators": ("aliases",),
}
_ORIGIN = ("source_id", "embodied_source_id", "tdp_source_id", "year")
_REFRESH = "a refresh of the tables takes a minor version"


def _tables(old: Folder, new: Folder) -> Iterator[Change]:
    for table in TABLES:
        before, after = old.table(table), new.table(table)
        file = f"data/{table}.csv"
        for key in (*before, *(key for key in after if key not in before)):
            if key not in after:
                yield Change("row removed", f"{table} {key}", _told(table, before[key].cells), "-", *_gone(table), file)
            elif key not in before:
                step, reason = _added(table, after[key].cells, old.standard.factors, new.standard.factors)
                yield Change("row added", f"{table} {key}", "-", _told(table, after[key].cells), step, reason, file)
            else:
                yield from _changed_row(table, key, before[key].cells, after[key].cells)


def _told(table: str, cells: Mapping[str, str]) -> str:
    return ", ".join(f"{column} {cells.get(column) or '-'}" for column in _COUNTED.get(table, ())) or "a source"


def _gone(table: str) -> tuple[Step, str]:
    if table == "sources":
        return "patch", "a source that no row names"
    return "minor", f"what the row stood for goes by default again; {_REFRESH}"


def _added(table: str, cells: Mapping[str, str], old: Factors, new: Factors) -> tuple[Step, str]:
    """A row for what went by default so far is a patch, unless an earlier result gets worse."""
    if table == "sources":
        return "patch", "a source for new rows"
    if table != "grid_intensity":
        return "patch", "it went by default so far, which is never cheaper"
    country = cells["iso3"]
    asked = [
        {"country": country, "subdivision": None, "provider": provider, "region": None, "in_datacentre": in_datacentre}
        for in_datacentre in (False, True)
        for provider in (None, *sorted({row.provider for row in new.grid.values() if row.provider}))
    ]
    own = {
        "country": country,
        "subdivision": cells["subdivision"] or None,
        "provider": cells["provider"] or None,
        "region": cells["region"] or None,
        "in_datacentre": bool(cells["provider"]),
    }
    for place in (own, *asked):
        before, after = old.grid_row(**place), new.grid_row(**place)  # type: ignore[arg-type]
        if after.g_per_kwh > before.g_per_kwh:
            return "minor", (
                f"an earlier result gets worse: a place in {country or 'the world'} that counted with "
                f"{plain(before.g_per_kwh)} counts with {plain(after.g_per_kwh)}"
            )
    return "patch", "it went by default so far, and no earlier result gets worse"


def _changed_row(table: str, key: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    file, rest = f"data/{table}.csv", list[str]()
    for column in dict.fromkeys((*old, *new)):
        before, after = old.get(column, ""), new.get(column, "")
        if before == after:
            continue
        subject = f"{table} {key} {column}"
        if column in _COUNTED.get(table, ()):
            if _number(before) != _number(after) or _number(before) is None:
                yield Change("factor", subject, before or "-", _with_percent(before, after), "minor", _REFRESH, file)
        elif column in _FOUND_BY.get(table, ()):
            yield _found_otherwise(table, subject, before, after, file)
        elif column in _ORIGIN:
            yield Change("source", subject, before or "-", after or "-", "patch", "where the number is from", file)
        else:
            rest.append(column)
    if rest:
        told = ", ".join(rest)
        yield Change("row text", f"{table} {key}", "-", told, "patch", "wording only", file)


def _found_otherwise(table: str, subject: str, before: str, after: str, file: str) -> Change:
    more_names = table == "accelerators" and set(before.split("|")) <= {*after.split("|"), ""}
    step: Step = "patch" if more_names else "minor"
    reason = "a name that went by default so far" if more_names else f"other places or names; {_REFRESH}"
    return Change("row found by", subject, before or "-", after or "-", step, reason, file)


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text.strip() else None


def _with_percent(before: str, after: str) -> str:
    old, new = _number(before), _number(after)
    if not old or new is None:
        return after or "-"
    return f"{after} ({percent_text((new - old) / old * 100)})"


def percent_text(percent: Decimal) -> str:
    """A movement such as +9.1 %."""
    return f"{percent.quantize(Decimal('0.1')):+} %"


# --- the reference set ---


def _movements(old: Folder, new: Folder) -> Iterator[Movement]:
    for case in _marked(old) or _marked(new):
        before, after = _verdict(old.standard, case), _verdict(new.standard, case)
        yield Movement(case.id, case.title, before, after, _moved(before, after))


def _marked(folder: Folder) -> list[Case]:
    return [case for group in folder.cases.values() for case in group if case.reference_set]


def _verdict(standard: Standard, case: Case) -> Verdict | None:
    try:
        return decide(standard, case.report, parse_evidence(case.fixtures))
    except ForeignInputError:
        return None


def _moved(old: Verdict | None, new: Verdict | None) -> Decimal | None:
    """How far the figures moved, in percent of the old ones: the assessed or the central one, whichever went further."""
    a, b = old and old.footprint, new and new.footprint
    if not a or not b or not a.upper_exact or not a.central_exact:
        return None
    moved = (
        (b.upper_exact - a.upper_exact) / a.upper_exact * 100,
        (b.central_exact - a.central_exact) / a.central_exact * 100,
    )
    return max(moved, key=abs)


def _reference_set(movements: Iterable[Movement]) -> Iterator[Change]:
    for movement in movements:
        if movement.too_far:
            told = "a figure is missing" if movement.percent is None else percent_text(movement.percent)
            reason = f"the reference set moves by at most {MOST_MOVEMENT_PERCENT} % in a minor version"
            yield Change("reference set", movement.case, "-", told, "major", reason, "cases/")


# --- cases, head and text ---


def _cases(old: Folder, new: Folder) -> Iterator[Change]:
    """Cases that are new, gone or otherwise, told together: a draft may hold only those that differ."""
    before, after = ({case.id: (path, case) for path, group in f.cases.items() for case in group} for f in (old, new))
    both = [case_id for case_id in before if case_id in after]
    kinds = {
        "cases added": [case_id for case_id in after if case_id not in before],
        "cases removed": [case_id for case_id in before if case_id not in after],
        # Compared as text: a NaN is equal to nothing, itself included.
        "cases changed": [case_id for case_id in both if repr(before[case_id][1]) != repr(after[case_id][1])],
    }
    for kind, ids in kinds.items():
        if ids:
            (path, _) = (after if ids[0] in after else before)[ids[0]]
            reason = "cases show what is decided and decide nothing"
            yield Change(kind, str(len(ids)), "-", ", ".join(ids), "patch", reason, path)


def _head(old: Folder, new: Folder) -> Iterator[Change]:
    for name in ("id", "version", "title", "status", "published_on", "tables_version", "based_on", "retired_rules"):
        before, after = old.head.get(name, ""), new.head.get(name, "")
        if before != after:
            yield Change("head", name, _line(before), _line(after), "none", "names the version", HEAD)


def _line(value: Any) -> str:
    return (", ".join(map(str, value)) if isinstance(value, list) else str(value)) or "-"


def _text(old: Folder, new: Folder, explained: set[str]) -> Iterator[Change]:
    """Files that differ in nothing that was told yet: text, comments, terms."""
    for path in sorted({*old.files, *new.files}):
        before, after = old.files.get(path), new.files.get(path)
        if before == after or path in explained:
            continue
        told = ("-", "added") if before is None else ("there", "removed") if after is None else _digests(before, after)
        reason = "the text for people" if path == TEXT else "text only"
        yield Change("text", path, *told, "patch", reason, path)


def _digests(before: bytes, after: bytes) -> tuple[str, str]:
    return sha256_hex(before)[:8], sha256_hex(after)[:8]


# --- for release notes ---


def render_markdown(comparison: Comparison) -> str:
    """The comparison as Markdown, for release notes."""
    old, new = comparison.old, comparison.new
    lines = [
        f"## {old.id} to {new.id}",
        "",
        f"By section 13 this is a **{comparison.step}** version." + _warning(comparison),
    ]
    lines += ["", "| step | what | of | from | to | because |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [
        _row(c.step, c.kind, c.subject, shortened(c.old), shortened(c.new), c.reason)
        for c in comparison.changes
        if c.kind != "head"
    ]
    lines += ["", "The reference set:", ""]
    lines += [
        "| case | title | assessed, old | assessed, new | moved | outcome |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        _row(m.case, m.title, assessed_text(m.old), assessed_text(m.new), moved_text(m), outcome_text(m))
        for m in comparison.movements
    ]
    return "\n".join(lines) + "\n"


def _warning(comparison: Comparison) -> str:
    if comparison.keeps_its_promise:
        return ""
    return f" The number {comparison.new.version} promises less: {comparison.promised}."


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def shortened(text: str) -> str:
    """A long side of a change, cut where people stop reading; the whole is in the document."""
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN].rpartition(' ')[0]} …"


def assessed_text(verdict: Verdict | None) -> str:
    return str(verdict.footprint.assessed) if verdict and verdict.footprint else "none"


def moved_text(movement: Movement) -> str:
    return "no figure" if movement.percent is None else percent_text(movement.percent)


def outcome_text(movement: Movement) -> str:
    before, after = (verdict.outcome if verdict else "none" for verdict in (movement.old, movement.new))
    return before if before == after else f"{before} → {after}"
