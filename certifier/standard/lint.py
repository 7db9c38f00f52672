"""What an editor would have to see by reading a standard's folder from end to end, found by a machine.

`lint` looks at a folder that loads: loading refuses what no standard may have (unknown facts, a rule that gates nothing, a
default below a row). Here is the rest: numbers out of order, numbers without a unit, ids used again, a text that says
something else than the files, words that the label must or must never say, rules that no case tries. An error forbids to
publish. In a draft that was made from another version the text may still be behind, and in any draft the cases: there it
is a warning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from certifier.crypto.canonical import sha256_hex
from certifier.crypto.strict_json import parse_object
from certifier.errors import MalformedJson, StandardError
from certifier.footprint.factors import TABLES
from certifier.standard.cases import run_cases
from certifier.standard.coverage import limits_of, unmet_bounds, untried_rules
from certifier.standard.folder import TEXT, Place
from certifier.standard.model import HEAD
from certifier.standard.text import render_rules_table
from certifier.standard.version import parse_version
from certifier.standard.wording import forbidden_words, unsaid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from certifier.standard.cases import CaseResult
    from certifier.standard.folder import Folder
    from certifier.standard.model import Rule

Severity = Literal["error", "warning"]

PACKAGE = "data/datapackage.json"


@dataclass(frozen=True)
class Finding:
    """What is wrong, where, and what to do. `line` is None where a whole file is meant."""

    severity: Severity
    check: str
    file: str
    line: int | None
    problem: str
    found: str
    expected: str
    advice: str


def lint(folder: Folder, older: Sequence[Folder] = ()) -> list[Finding]:
    """Every finding on a folder, errors first. `older` are versions whose ids it must not use for another meaning."""
    linter = _Linter(folder, tuple(older))
    findings = [finding for check in _CHECKS for finding in check(linter)]
    return sorted(findings, key=lambda finding: finding.severity != "error")


@dataclass(frozen=True)
class _Linter:
    folder: Folder
    older: tuple[Folder, ...]

    @cached_property
    def of_text(self) -> Severity:
        """How bad it is that the text is behind: not, while a draft made from another version says where that is."""
        derived = self.folder.standard.status == "draft" and self.folder.head.get("based_on")
        return "warning" if derived else "error"

    @cached_property
    def of_cases(self) -> Severity:
        return "warning" if self.folder.standard.status == "draft" else "error"

    @cached_property
    def results(self) -> list[CaseResult]:
        cases = [case for group in self.folder.cases.values() for case in group]
        return run_cases(self.folder.standard, cases)


def _error(check: str, place: Place, problem: str, *, found: str = "", expected: str = "", advice: str) -> Finding:
    return _finding("error", check, place, problem, found=found, expected=expected, advice=advice)


def _finding(
    severity: Severity, check: str, place: Place, problem: str, *, found: str = "", expected: str = "", advice: str
) -> Finding:
    return Finding(severity, check, place.file, place.line or None, problem, found, expected, advice)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


# --- the head ---

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _head(linter: _Linter) -> Iterator[Finding]:
    """Version, id and status agree, and the rules accept reports that name this version."""
    folder, standard = linter.folder, linter.folder.standard
    try:
        version = parse_version(standard.version)
    except StandardError as error:
        yield _error("head", Place(HEAD), error.message, advice="Give it a number.")
        return
    if not standard.id.endswith(f"-{standard.version}"):
        yield _error(
            "head",
            _head_place(folder, "id"),
            "The id does not end with the version.",
            found=standard.id,
            expected=f"LCAL-{standard.version}",
            advice="Correct id or version.",
        )
    if standard.status != "draft" and version.is_draft:
        yield _error(
            "head",
            _head_place(folder, "version"),
            f"A {standard.status} version has the number of a draft.",
            found=standard.version,
            expected=standard.version.removesuffix("-draft"),
            advice="Take -draft off.",
        )
    if standard.status != "draft" and not _DAY.fullmatch(standard.published_on):
        yield _error(
            "head",
            _head_place(folder, "published_on"),
            "The day of publication is missing.",
            found=standard.published_on or "nothing",
            expected="a day such as 2026-12-22",
            advice="Set published_on.",
        )
    named = [rule for rule in standard.rules if any("report.standard" in text for text in _expressions(rule))]
    if not any(f"-{version.major}." in text for rule in named for text in _expressions(rule)):
        yield _error(
            "head",
            folder.place_of_rule(named[0].id) if named else Place("rules/"),
            "No rule accepts a report that names this major version.",
            found=", ".join(rule.id for rule in named) or "no rule about report.standard",
            expected=f"report.standard.startsWith('LCAL-{version.major}.')",
            advice="Let the rule on the report's form name the major version.",
        )


def _text_head(linter: _Linter) -> Iterator[Finding]:
    """The text's first lines name this version, and a published one calls itself no draft."""
    folder, standard = linter.folder, linter.folder.standard
    first, _, _ = folder.text(TEXT).partition("\n## ")
    if standard.id not in first:
        yield _finding(
            linter.of_text,
            "text",
            Place(TEXT, 1),
            "The text does not say which version it is of.",
            expected=f"{standard.id} before the first section",
            advice="Name the version.",
        )
    if standard.status != "draft" and re.search(r"\bdraft\b", first):
        yield _error(
            "text",
            Place(TEXT, _line_of(folder, TEXT, r"\bdraft\b")),
            f"The text of a {standard.status} version calls it a draft.",
            expected=f"published on {standard.published_on}",
            advice="Say when it was published.",
        )


def _head_place(folder: Folder, name: str) -> Place:
    return folder.place_of_number(name) if "." in name else Place(HEAD, _line_of(folder, HEAD, rf"^{name}\s*="))


def _line_of(folder: Folder, path: str, pattern: str) -> int:
    """The first line of a file that a pattern matches in; 0 if there is none."""
    match = re.search(pattern, folder.text(path), re.MULTILINE)
    return folder.text(path).count("\n", 0, match.start()) + 1 if match else 0


def _expressions(rule: Rule) -> list[str]:
    return [
        expression.text
        for clause in rule.clauses
        for expression in (clause.when, clause.require)
        if expression is not None
    ]


# --- ids, against older versions ---


def _ids(linter: _Linter) -> Iterator[Finding]:
    """The id of a rule is never used for another meaning (13)."""
    folder = linter.folder
    retired = set(folder.head.get("retired_rules", ()))
    rules = {rule.id: rule for rule in folder.standard.rules}
    for older in linter.older:
        name = older.standard.id
        for rule_id in sorted(set(older.head.get("retired_rules", ())) - retired):
            yield _error(
                "ids",
                _head_place(folder, "retired_rules"),
                f"{rule_id} was retired in {name} and is not any more.",
                found=", ".join(sorted(retired)) or "nothing",
                expected=rule_id,
                advice="List it in retired_rules again.",
            )
        for rule in older.standard.rules:
            now = rules.get(rule.id)
            if now is None and rule.id not in retired:
                yield _error(
                    "ids",
                    _head_place(folder, "retired_rules"),
                    f"{rule.id} of {name} is gone and not retired.",
                    expected=f"{rule.id} among retired_rules",
                    advice="Retire the id, so that nobody uses it again.",
                )
            if now is not None and now.title != rule.title and _meaning(now) != _meaning(rule):
                yield _error(
                    "ids",
                    folder.place_of_rule(rule.id),
                    f"{rule.id} means something else than in {name}.",
                    found=now.title,
                    expected=rule.title,
                    advice="Give the new rule an id of its own; retire the old one.",
                )


def _meaning(rule: Rule) -> list[tuple[str, ...]]:
    return [
        (clause.for_each, *(" ".join(part.text.split()) if part else "" for part in (clause.when, clause.require)))
        for clause in rule.clauses
    ]


# --- numbers ---

# What lies below what: names under [parameters] or, with a leading "limit.", bounds of the rules; and the section.
_ORDER: tuple[tuple[str, Literal["<", "<="], str, str], ...] = (
    ("limits.class_1", "<", "limits.class_2", "8.1"),
    ("limits.class_2", "<", "limits.measured", "8.1"),
    ("defaults.class_1", "<", "limits.class_1", "8.5"),
    ("defaults.class_2", "<", "limits.class_2", "8.5"),
    ("defaults.class_1", "<=", "defaults.class_2", "8.5"),
    ("1", "<=", "coverage.wall", "4.2"),
    ("coverage.wall", "<=", "coverage.system", "4.2"),
    ("coverage.system", "<=", "coverage.accelerator", "4.2"),
    ("coverage.accelerator", "<=", "coverage.accelerator_shared", "4.2"),
    ("1", "<=", "uncertainty.metered", "5.1"),
    ("uncertainty.metered", "<=", "uncertainty.sensor", "5.1"),
    ("uncertainty.sensor", "<=", "uncertainty.provider", "5.1"),
    ("uncertainty.sensor", "<=", "uncertainty.statement", "5.1"),
    ("uncertainty.provider", "<=", "uncertainty.modelled", "5.1"),
    ("uncertainty.statement", "<=", "uncertainty.modelled", "5.1"),
    ("uncertainty.modelled", "<=", "uncertainty.default", "5.1"),
    ("uncertainty.modelled", "<=", "uncertainty.storage", "5.1"),
    ("1", "<=", "uncertainty.embodied_deposited", "5.1"),
    ("uncertainty.embodied_deposited", "<=", "uncertainty.embodied_table", "5.1"),
    ("1", "<=", "uncertainty.training_default", "5.1"),
    ("1", "<=", "uncertainty.forecast", "5.1"),
    ("rating.b", "<", "rating.a", "5.2"),
    ("rating.a", "<=", "1", "5.2"),
    ("calculated.more_than", "<=", "1", "4.9"),
    ("functional_unit.free_silence_share", "<", "1", "2"),
    ("training.data_share", "<=", "1", "3"),
    ("hardware.life_least_h", "<=", "hardware.life_h", "4.5"),
    ("hardware.life_h", "<=", "hardware.life_evidenced_h", "4.5"),
    ("limit.power_floor_percent", "<", "limit.power_ceiling_percent", "8.2"),
    ("limit.energy_least_nkwh", "<", "limit.energy_most_nkwh", "8.2"),
    ("limit.pue_least_ppm", "<", "limit.pue_most_ppm", "4.3"),
    ("limit.grid_low_percent", "<", "limit.grid_high_percent", "7.1"),
)


def _thresholds(linter: _Linter) -> Iterator[Finding]:
    """Numbers that belong together stand in their order."""
    folder = linter.folder
    for low, relation, high, section in _ORDER:
        a, b = _number(folder, low), _number(folder, high)
        if a is None or b is None or a < b or (relation == "<=" and a == b):
            continue
        name = high if low == "1" else low
        yield _error(
            "thresholds",
            _number_place(folder, name),
            f"{low} is not {_RELATIONS[relation]} {high} (section {section}).",
            found=f"{a} and {b}",
            expected=f"{low} {relation} {high}",
            advice="Correct the one that is wrong.",
        )
    yield from _training_steps(folder)


_RELATIONS = {"<": "below", "<=": "at most"}


def _training_steps(folder: Folder) -> Iterator[Finding]:
    """Loading lets neighbours be equal; a step that costs no more than the one before is no step (8.3)."""
    grams = [step.g_per_minute for step in folder.standard.parameters.training_default]
    if any(later <= earlier for earlier, later in pairwise(grams)):
        yield _error(
            "thresholds",
            folder.place_of_number("parameters.training_default"),
            "The steps of the training default do not rise.",
            found=", ".join(map(str, grams)),
            expected="more grams for larger models",
            advice="Correct a step, or take it out.",
        )


def _number(folder: Folder, name: str) -> Decimal | None:
    if name == "1":
        return Decimal(1)
    if name.startswith("limit."):
        value = folder.standard.limits.get(name)
        return None if value is None else Decimal(value)
    group, _, field = name.partition(".")
    return Decimal(getattr(getattr(folder.standard.parameters, group), field))


def _number_place(folder: Folder, name: str) -> Place:
    if name.startswith("limit."):
        return folder.place_of_number(f"bounds.{name.removeprefix('limit.')}")
    return folder.place_of_number(f"parameters.{name}")


# --- units ---


def _units(linter: _Linter) -> Iterator[Finding]:
    """A number in a table says its unit in the data package; a bound without one does not load."""
    folder = linter.folder
    fields = _fields(folder)
    for table in TABLES:
        for column in _numeric_columns(folder, table):
            field = fields.get((table, column), {})
            if not field.get("unit") and field.get("type") != "year":
                yield _error(
                    "units",
                    Place(PACKAGE, _field_line(folder, table, column)),
                    f"The column {column} of data/{table}.csv has numbers and no unit.",
                    expected=f'a "unit" beside "name": "{column}", or "type": "year"',
                    advice="Add the unit to the data package.",
                )


def _numeric_columns(folder: Folder, table: str) -> Iterator[str]:
    rows = list(folder.table(table).values())
    for column in rows[0].cells if rows else ():
        cells = [row.cells[column] for row in rows if row.cells[column].strip()]
        if cells and all(_is_number(cell) for cell in cells):
            yield column


def _is_number(text: str) -> bool:
    try:
        return Decimal(text.strip()).is_finite()
    except InvalidOperation:
        return False


def _resources(folder: Folder) -> list[dict[str, Any]]:
    """The resources of the data package; none where it cannot be read, which `_package` tells."""
    try:
        resources = parse_object(folder.files.get(PACKAGE, b"")).get("resources")
    except MalformedJson:
        return []
    return [item for item in resources if isinstance(item, dict)] if isinstance(resources, list) else []


def _fields(folder: Folder) -> dict[tuple[str, str], dict[str, Any]]:
    found = {}
    for resource in _resources(folder):
        schema = resource.get("schema")
        fields = schema.get("fields") if isinstance(schema, dict) else None
        for field in fields if isinstance(fields, list) else []:
            if isinstance(field, dict):
                found[str(resource.get("name")), str(field.get("name"))] = field
    return found


def _field_line(folder: Folder, table: str, column: str) -> int:
    text = folder.text(PACKAGE)
    start = text.find(f'"path": "{table}.csv"')
    place = text.find(f'"name": "{column}"', max(start, 0))
    return text.count("\n", 0, place) + 1 if place >= 0 else 0


# --- the data package, sources and licences ---


def _package(linter: _Linter) -> Iterator[Finding]:
    """The data package lists every table with its real size and SHA-256."""
    folder = linter.folder
    resources = {str(resource.get("path")): resource for resource in _resources(folder)}
    if not resources:
        yield _error(
            "package",
            Place(PACKAGE),
            "The data package cannot be read, or lists nothing.",
            expected="an object with resources",
            advice="Write it as the one of LCAL 1.0.0.",
        )
        return
    version = parse_object(folder.files[PACKAGE]).get("version")
    if version != folder.standard.tables_version:
        yield _error(
            "package",
            _head_place(folder, "tables_version"),
            "The tables have another version in the data package.",
            found=folder.standard.tables_version,
            expected=str(version),
            advice="Give both the same number, a new one where a table changed.",
        )
    for path in sorted(path for path in folder.files if path.startswith("data/") and path.endswith(".csv")):
        raw, resource = folder.files[path], resources.pop(path.removeprefix("data/"), None)
        if resource is None:
            yield _error(
                "package", Place(PACKAGE), f"The data package does not list {path}.", advice="Add it as a resource."
            )
            continue
        for member, word, value in (("bytes", "size", len(raw)), ("hash", "hash", f"sha256:{sha256_hex(raw)}")):
            told = resource.get(member)
            if told != value:
                yield _error(
                    "package",
                    Place(PACKAGE, _line_of(folder, PACKAGE, re.escape(f'"{member}": {_json(told)}'))),
                    f"The data package has another {word} for {path} than the file.",
                    found=str(told),
                    expected=str(value),
                    advice=f"Put the file's {word} there, once the table is right.",
                )
    for path in sorted(resources):
        yield _error(
            "package", Place(PACKAGE), f"The data package lists data/{path}, which is not there.", advice="Take it out."
        )


def _json(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _sources(linter: _Linter) -> Iterator[Finding]:
    """Every row has a licence, every source is one that a row names, no region is cleaner than the grid that it is in."""
    folder = linter.folder
    named: set[str] = set()
    for table in TABLES:
        for key, row in folder.table(table).items():
            if not row.cells.get("licence", "").strip():
                yield _error(
                    "sources",
                    row.place,
                    f"The row {key} has no licence.",
                    expected="a text in the column licence",
                    advice="Say under which terms the row may be passed on.",
                )
            if table != "sources":
                named |= {cell for column, cell in row.cells.items() if column.endswith("source_id")}
    grid = folder.table("grid_intensity")
    for key, row in grid.items():
        wider = grid.get(row.cells.get("maps_to", ""))
        if wider and Decimal(row.cells["gco2e_per_kwh"]) < Decimal(wider.cells["gco2e_per_kwh"]):
            yield _error(
                "sources",
                row.place,
                f"The region {key} lies below the row that it is mapped to.",
                found=row.cells["gco2e_per_kwh"],
                expected=f"at least {wider.cells['gco2e_per_kwh']}, as {row.cells['maps_to']}",
                advice="Raise it: naming a provider never makes electricity cleaner.",
            )
    for key, row in folder.table("sources").items():
        if key not in named:
            yield _finding(
                "warning", "sources", row.place, f"No row names the source {key}.", advice="Take it out, or name it."
            )


# --- the words of the rules ---


def _words(linter: _Linter) -> Iterator[Finding]:
    """Titles, reasons and advice are there, and are written as people read them."""
    folder = linter.folder
    for rule in folder.standard.rules:
        place = folder.place_of_rule(rule.id)
        for name in ("title", "stage", "source", "reason", "advice"):
            if not getattr(rule, name).strip():
                yield _error(
                    "words",
                    place,
                    f"{rule.id} has an empty {name}.",
                    found="nothing",
                    expected="a text",
                    advice=f"Write its {name}.",
                )
        if rule.title.strip() and (rule.title.endswith(".") or not rule.title[:1].isupper()):
            yield _error(
                "words",
                place,
                f"The title of {rule.id} is no sentence without a full stop.",
                found=rule.title,
                expected=rule.title[:1].upper() + rule.title[1:].rstrip("."),
                advice="Begin with a capital letter, and leave the full stop out.",
            )
        for name in ("reason", "advice"):
            text = getattr(rule, name).strip()
            if text and not text.endswith((".", "?")):
                yield _error(
                    "words",
                    place,
                    f"The {name} of {rule.id} is no whole sentence.",
                    found=text,
                    expected=f"{text}.",
                    advice="End it with a full stop.",
                )
        yield from _limits_in_words(folder, rule, place)


_GRAMS = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?) g\b")
_LIMITS = {"limit.measured_cg": "measured", "limit.class_2_cg": "class_2", "limit.class_1_cg": "class_1"}


def _limits_in_words(folder: Folder, rule: Rule, place: Place) -> Iterator[Finding]:
    """A rule about one of the three limits does not speak of another number of grams."""
    text = " ".join(_expressions(rule))
    limits = [getattr(folder.standard.parameters.limits, field) for name, field in _LIMITS.items() if name in text]
    for grams in _GRAMS.findall(f"{rule.title} {rule.reason} {rule.advice}") if limits else ():
        if Decimal(grams) not in limits:
            yield _error(
                "words",
                place,
                f"{rule.id} speaks of another limit than it compares with.",
                found=f"{grams} g",
                expected=" or ".join(f"{limit} g" for limit in limits),
                advice="Correct its words.",
            )


# --- what is used ---


def _used(linter: _Linter) -> Iterator[Finding]:
    """A bound that no rule compares with decides nothing, whatever it seems to say."""
    folder = linter.folder
    used = {name for rule in folder.standard.rules for clause in rule.clauses for name in limits_of(clause)}
    for name in folder.head.get("bounds", {}):
        if f"limit.{name}" not in used:
            yield _error(
                "used",
                folder.place_of_number(f"bounds.{name}"),
                f"No rule compares with the bound {name}.",
                advice="Take the bound out, or write the rule.",
            )
    for name, field in _LIMITS.items():
        if name not in used:
            yield _error(
                "used",
                folder.place_of_number(f"parameters.limits.{field}"),
                f"No rule compares with the limit {field}.",
                expected=f"a rule with footprint.assessed_cg <= {name}",
                advice="Write the rule: a limit that nothing asks for lets every track pass.",
            )


# --- the text ---

_RULES_START, _RULES_END = "<!-- rules -->", "<!-- /rules -->"


def _text(linter: _Linter) -> Iterator[Finding]:
    """The text for people has the sections that rules point to, the rules as they are, and the limits as they are."""
    folder, severity = linter.folder, linter.of_text
    text = folder.text(TEXT)
    if not text.strip():
        yield _error(
            "text", Place(TEXT), "The text for people is missing.", advice="Write it: this is what people read."
        )
        return
    missing = {}
    for source in dict.fromkeys(part for rule in folder.standard.rules for part in _sections(rule)):
        if not re.search(rf"^#+ {re.escape(source)}\.? |\*\*{re.escape(source)}\*\*", text, re.MULTILINE):
            missing[source] = [rule.id for rule in folder.standard.rules if source in _sections(rule)]
    if missing:
        yield _finding(
            severity,
            "text",
            Place(TEXT),
            f"{len(missing)} sections that rules point to are not in the text.",
            found=", ".join(f"{source} ({rules[0]}{' …' * (len(rules) > 1)})" for source, rules in missing.items()),
            expected="a heading such as ## 8. or a bold **8.1** for each",
            advice="Write the sections, or correct the sources of the rules.",
        )
    yield from _rules_table(folder, severity)
    yield from _limits_in_text(folder, severity)


def _sections(rule: Rule) -> list[str]:
    return [part.strip() for part in rule.source.split(",") if part.strip()]


def _rules_table(folder: Folder, severity: Severity) -> Iterator[Finding]:
    text = folder.text(TEXT)
    _, start, rest = text.partition(_RULES_START)
    table, end, _ = rest.partition(_RULES_END)
    if not start or not end:
        yield _finding(
            severity,
            "text",
            Place(TEXT),
            "The text has no table of the rules.",
            expected=f"{_RULES_START} and {_RULES_END} around it",
            advice="Put the two lines where the table belongs.",
        )
        return
    said, made = table.strip().splitlines(), render_rules_table(folder.standard).strip().splitlines()
    if said != made:
        first = next((place for place, (a, b) in enumerate(zip(said, made, strict=False)) if a != b), len(made))
        line = text[: text.index(_RULES_START)].count("\n") + 1 + table[: len(table) - len(table.lstrip())].count("\n")
        yield _finding(
            severity,
            "text",
            Place(TEXT, line + first),
            "The table of the rules is not the one that the rule files give.",
            found=said[first] if first < len(said) else "nothing",
            expected=made[first] if first < len(made) else "nothing more",
            advice="Put in what certifier standard rules prints.",
        )


def _limits_in_text(folder: Folder, severity: Severity) -> Iterator[Finding]:
    text, limits = folder.text(TEXT), folder.standard.parameters.limits
    names = (("measured", "measured"), ("class_2", "class[ -]2"), ("class_1", "class[ -]1"))
    for field, pattern in names:
        expected = getattr(limits, field)
        said: list[re.Match[str] | None] = list(re.finditer(rf"\b{pattern}[`\s|]{{1,6}}(\d+\.\d+)\b", text))
        for match in said or [None]:
            if match is None or Decimal(match[1]) != expected:
                yield _finding(
                    severity,
                    "text",
                    Place(TEXT, text.count("\n", 0, match.start()) + 1 if match else 0),
                    f"The text says another limit for {field.replace('_', ' ')} than standard.toml, or none.",
                    found=match[1] if match else "none",
                    expected=f"{expected:.2f}",
                    advice="Correct the one that is wrong.",
                )


def _must_say(linter: _Linter) -> Iterator[Finding]:
    """What the label has to say for the law's sake stands in the text."""
    for what, forms in unsaid(linter.folder.text(TEXT)):
        yield _finding(
            linter.of_text,
            "must-say",
            Place(TEXT),
            f"The text does not say {what}.",
            found="nothing of it",
            expected=" or ".join(f'"{form}"' for form in forms),
            advice="Say it (section 9.2).",
        )


def _never_say(linter: _Linter) -> Iterator[Finding]:
    """Words that promise more than a footprint are nowhere."""
    folder = linter.folder
    for rule in folder.standard.rules:
        for name in ("title", "reason", "advice"):
            for _, word in forbidden_words(getattr(rule, name)):
                yield _never(folder.place_of_rule(rule.id), f"the {name} of {rule.id}", word)
    for start, word in forbidden_words(folder.text(TEXT)):
        yield _never(Place(TEXT, folder.text(TEXT).count("\n", 0, start) + 1), "the text", word)


def _never(place: Place, where: str, word: str) -> Finding:
    return _error(
        "never-say",
        place,
        f"A word that the label never says stands in {where}.",
        found=word,
        expected="a word for what was computed",
        advice="Say the figure and what it holds.",
    )


# --- the cases ---


def _cases(linter: _Linter) -> Iterator[Finding]:
    """Every case comes out as written, every rule is passed and failed by one, every bound is met by one."""
    folder = linter.folder
    try:
        groups = folder.cases
    except MalformedJson as error:
        yield _error(
            "cases",
            Place((error.pointer or "cases/").split(" ")[0]),
            error.message,
            found=error.found or "",
            expected=error.expected or "",
            advice="Correct the case file.",
        )
        return
    files = {case.id: path for path, group in groups.items() for case in group}
    if not files:
        yield _error("cases", Place("cases/"), "There are no cases.", advice="Write cases that show what is decided.")
        return
    for result in linter.results:
        path = files[result.case.id]
        place = Place(path, _line_of(folder, path, rf'"id": "{re.escape(result.case.id)}"'))
        if result.not_compared or not result.case.expected:
            yield _error(
                "cases",
                place,
                f"The case {result.case.id} expects what nobody compares.",
                found=", ".join(result.not_compared) or "nothing expected",
                expected="outcome, failed_must, warnings, assessed_gco2e_per_min and the like",
                advice="Correct the name: a case that compares nothing always passes.",
            )
        for miss in result.misses:
            yield _error(
                "cases",
                place,
                f"The case {result.case.id} does not come out as written: {miss.member or 'it cannot be read'}.",
                found=miss.found,
                expected=miss.expected,
                advice="Correct the case, or what it tries.",
            )
    yield from _untried(linter)


def _untried(linter: _Linter) -> Iterator[Finding]:
    rules = len(linter.folder.standard.rules)
    wanted: tuple[tuple[Literal["pass", "fail"], str], ...] = (("pass", "passes"), ("fail", "fails"))
    for outcome, word in wanted:
        if missing := untried_rules(linter.folder.standard, linter.results, outcome):
            yield _finding(
                linter.of_cases,
                "cases",
                Place("cases/"),
                f"No case {word} {len(missing)} of the {rules} rules.",
                found=", ".join(missing),
                expected=f"for each rule a case that {word} it",
                advice="Write the cases.",
            )
    if unmet := unmet_bounds(linter.folder.standard, linter.results):
        yield _finding(
            linter.of_cases,
            "cases",
            Place("cases/"),
            f"No case lies exactly on {len(unmet)} of the {len(linter.folder.standard.limits)} bounds.",
            found=", ".join(name.removeprefix("limit.") for name in unmet),
            expected="for each bound a case that lies on it",
            advice="Write the cases.",
        )


_CHECKS: tuple[Callable[[_Linter], Iterator[Finding]], ...] = (
    _head,
    _ids,
    _thresholds,
    _units,
    _package,
    _sources,
    _words,
    _used,
    _text_head,
    _text,
    _must_say,
    _never_say,
    _cases,
)
