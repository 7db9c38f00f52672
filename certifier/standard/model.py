"""A standard: a frozen folder of numbers, tables, rules and text, read once and compiled.

`parse_standard` gets the bytes of every file by its path inside the folder and gives a `Standard` or a StandardError
that names file and line. Rules are CEL expressions over the declared facts; an unknown name, a mix of types or an
expression that is not true or false is refused here, before anybody is judged by it. Reading the folder from disk is
left to others.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal

from cel_expr_python import cel
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from certifier.crypto.canonical import digest_of, sha256_hex
from certifier.errors import StandardError
from certifier.footprint.factors import TABLES, parse_factors
from certifier.footprint.parameters import misfit, parse_parameters
from certifier.standard.language import compile_expression
from certifier.standard.vocabulary import CENTI, FACTS, MICRO, SCOPES, UNITS, WITHOUT_UNIT
from certifier.units import LARGEST_INTEGER, rounded_down

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from certifier.footprint.factors import Factors
    from certifier.footprint.parameters import Parameters

HEAD = "standard.toml"

Level = Literal["must", "should", "info"]
Gates = Literal["all", "measured", "class-2", "class-1"]

# What a failed rule closes, the widest first.
GATES: tuple[Gates, ...] = ("all", "measured", "class-2", "class-1")

MAX_FILES, MAX_BYTES, MAX_RULES = 300, 64 * 1024 * 1024, 500
MAX_TEXT_BYTES = 4 * 1024 * 1024  # of one rule file or table
MAX_RULE_BYTES = 256 * 1024

_LONG_NUMBER = re.compile(r"[0-9_]{4000}")
_RULE_HEADING = re.compile(r"""\s*\[\[\s*(rules|"rules"|'rules')\s*\]\]""")
_NAME = re.compile(r"\b[a-z_]+\.[a-z][a-z0-9_]*\b")
_CEL_TYPES = {
    "BOOL": cel.Type.BOOL,
    "INT": cel.Type.INT,
    "STRING": cel.Type.STRING,
    "STRINGS": cel.Type.List(cel.Type.STRING),
    "INTS": cel.Type.List(cel.Type.INT),
}


@dataclass(frozen=True)
class Expression:
    """A compiled CEL expression that is true or false, and the names that it uses."""

    text: str
    names: frozenset[str]
    program: Any


@dataclass(frozen=True)
class Clause:
    """One demand of a rule: for each item of a scope, when the one holds, the other is required."""

    for_each: str
    when: Expression | None
    require: Expression
    gates: Gates | None


@dataclass(frozen=True, eq=False)  # a rule is itself: told apart, and remembered, by identity
class Rule:
    id: str
    title: str
    level: Level
    stage: str
    source: str
    reason: str
    advice: str
    clauses: tuple[Clause, ...]
    before_figure: bool
    stops: bool

    @property
    def gates(self) -> Gates | None:
        """The widest thing that the rule may close."""
        gates = [clause.gates for clause in self.clauses if clause.gates]
        return min(gates, key=GATES.index) if gates else None


@dataclass(frozen=True)
class Sheet:
    """All demands on one kind of item in one expression: a text with a ``-`` (does not apply), ``y`` or ``n`` for each.

    One question to the evaluator instead of dozens; the expressions inside are those of the clauses, unchanged. If any of
    them fails the whole sheet does, and the clauses are asked one by one.
    """

    program: Any
    places: Mapping[int, int]  # by the clause's identity


@dataclass(frozen=True)
class Standard:
    """One version of a standard, ready to judge.

    `digest` binds every file of the folder; `tables_digest` those of `data/`, for the certificate. `environments` hold
    the declared facts of each scope for the evaluator, `names` which of them its rules use.
    """

    id: str
    title: str
    version: str
    status: str
    published_on: str
    tables_version: str
    parameters: Parameters
    factors: Factors
    rules: tuple[Rule, ...]
    limits: Mapping[str, int]
    digest: str
    tables_digest: str
    environments: Mapping[str, Any]
    names: Mapping[str, frozenset[str]]

    def rule(self, rule_id: str) -> Rule:
        """The rule of that id. Raises KeyError."""
        return next((rule for rule in self.rules if rule.id == rule_id), None) or self._no_rule(rule_id)

    @cached_property
    def sheets(self) -> Mapping[tuple[bool, str], Sheet]:
        """The sheets of the rules before a figure (True) and of the others, by what their clauses are asked for."""
        asked: dict[tuple[bool, str], list[Clause]] = {}
        for rule in self.rules:
            for clause in rule.clauses:
                asked.setdefault((rule.before_figure, clause.for_each), []).append(clause)
        return {key: self._sheet(clauses) for key, clauses in asked.items()}

    def _sheet(self, clauses: Sequence[Clause]) -> Sheet:
        environment = self.environments[SCOPES[clauses[0].for_each]]
        program = environment.compile(_joined([_as_letter(clause) for clause in clauses]))
        return Sheet(program, {id(clause): place for place, clause in enumerate(clauses)})

    def _no_rule(self, rule_id: str) -> Rule:
        raise KeyError(f"{self.id} has no rule {rule_id}")


def _as_letter(clause: Clause) -> str:
    answer = f"""(({clause.require.text}) ? "y" : "n")"""
    return f"""(({clause.when.text}) ? {answer} : "-")""" if clause.when else answer


def _joined(texts: Sequence[str]) -> str:
    """One sum of texts, halved again and again: evaluators bound how deep an expression may be."""
    if len(texts) == 1:
        return texts[0]
    half = len(texts) // 2
    return f"({_joined(texts[:half])} + {_joined(texts[half:])})"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _HeadFile(_Part):
    id: StrictStr
    title: StrictStr
    version: StrictStr
    status: Literal["draft", "published", "retired"]
    published_on: StrictStr
    tables_version: StrictStr
    based_on: StrictStr = ""  # the version that a draft was made from
    retired_rules: tuple[StrictStr, ...] = ()
    parameters: dict[str, Any] | list[Any]
    bounds: dict[StrictStr, StrictInt]


class _ClauseText(_Part):
    for_each: StrictStr = "once"
    when: StrictStr | None = None
    require: StrictStr
    gates: Gates | None = None


class _RuleText(_Part):
    id: StrictStr = Field(pattern=r"^[A-Z]{3}-[0-9]{2}$")
    title: StrictStr
    level: Level
    gates: Gates | None = None
    stage: StrictStr
    source: StrictStr
    reason: StrictStr
    advice: StrictStr
    for_each: StrictStr = "once"
    when: StrictStr | None = None
    require: StrictStr | None = None
    clauses: tuple[_ClauseText, ...] = ()
    before_figure: StrictBool = False
    stops: StrictBool = False


def parse_standard(files: Mapping[str, bytes]) -> Standard:
    """The standard in a folder, given as bytes by relative path. Raises StandardError with file and line."""
    _check_size(files)
    texts = {path: _text(path, raw) for path, raw in files.items() if path.endswith((".toml", ".csv"))}
    head = _head(texts)
    parameters = parse_parameters(_table(head.parameters), file=HEAD, line_of=partial(line_of_entry, texts[HEAD]))
    limits = _limits(head, parameters, texts[HEAD])
    environments = {scope: _environment(scope, limits) for scope in {*SCOPES.values()}}
    rules = tuple(_rules(texts, environments, limits, frozenset(head.retired_rules)))
    return Standard(
        id=head.id,
        title=head.title,
        version=head.version,
        status=head.status,
        published_on=head.published_on,
        tables_version=head.tables_version,
        parameters=parameters,
        factors=parse_factors({name: texts[f"data/{name}.csv"] for name in TABLES if f"data/{name}.csv" in texts}),
        rules=rules,
        limits=limits,
        digest=folder_digest(files),
        tables_digest=folder_digest({path: raw for path, raw in files.items() if path.startswith("data/")}),
        environments=environments,
        names={scope: _names_of(rules, scope) for scope in environments},
    )


def _check_size(files: Mapping[str, bytes]) -> None:
    """Nobody's rules need more; what is larger is there to exhaust whoever reads it."""
    if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_BYTES:
        raise StandardError(
            "the folder is too large",
            file=HEAD,
            found=f"{len(files)} files, {sum(map(len, files.values()))} bytes",
            expected=f"at most {MAX_FILES} files and {MAX_BYTES} bytes",
        )
    for path, raw in files.items():
        if not path.isprintable():
            raise StandardError(
                "the name of a file is no text", file=ascii(path)[1:-1], found=ascii(path), expected="a name in UTF-8"
            )
        most = MAX_RULE_BYTES if path.endswith(".toml") else MAX_TEXT_BYTES if path.endswith(".csv") else MAX_BYTES
        if len(raw) > most:
            raise StandardError(
                "the file is too large", file=path, found=f"{len(raw)} bytes", expected=f"at most {most} bytes"
            )


def folder_digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over the canonical list of paths and their SHA-256: changes if any byte or name changes."""
    return digest_of({path: sha256_hex(raw) for path, raw in files.items()})


def _text(path: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise StandardError(
            "this is not UTF-8", file=path, line=line, found=f"the byte 0x{raw[error.start]:02x}", expected="UTF-8 text"
        ) from error


def _toml(path: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        told = re.search(r"at line (\d+)", str(error))
        line = int(told.group(1)) if told else text.count("\n") + 1  # else it is the end of the document
        found = text.split("\n")[line - 1].strip()[:80] or "the end of the text"
        raise StandardError(str(error), file=path, line=line, found=found, expected="TOML 1.0") from error
    except ValueError as error:  # more digits than Python reads as one number
        long = next((n for n, each in enumerate(text.split("\n"), 1) if _LONG_NUMBER.search(each)), None)
        raise StandardError(
            "a number has too many digits", file=path, line=long, found=str(error)[:80], expected="at most 40 digits"
        ) from error
    except RecursionError as error:
        raise StandardError(
            "values are nested too deeply", file=path, expected="tables and lists of one level"
        ) from error


def _head(texts: Mapping[str, str]) -> _HeadFile:
    if HEAD not in texts:
        raise StandardError("the folder of a standard has this file", file=HEAD, found="none", expected=HEAD)
    try:
        return _HeadFile.model_validate(_toml(HEAD, texts[HEAD]))
    except ValidationError as error:
        raise misfit(error, _HeadFile, file=HEAD, line_of=partial(line_of_entry, texts[HEAD])) from error


def line_of_entry(text: str, way: Sequence[str | int]) -> int | None:
    """Where an entry stands in a TOML text, else where its table begins; ``way`` are keys, a number for one of several
    tables of a name.
    """
    names = [step for step in way if isinstance(step, str)]
    turn = next((step for step in way if isinstance(step, int)), 0)
    lines = list(enumerate(text.splitlines(), 1))
    for depth in range(len(names), -1, -1):
        heading = ".".join(names[:depth])
        starts = [n for n, line in lines if line.split("#")[0].strip() in {f"[{heading}]", f"[[{heading}]]"}]
        start = starts[turn] if turn < len(starts) else starts[0] if starts else 0
        if not start and depth:
            continue
        for number, line in lines[start:]:
            if line.startswith("["):
                break
            if depth < len(names) and re.match(rf"\s*{re.escape(names[depth])}\s*=", line):
                return number
        if start:
            return start
    return None


def _table(value: dict[str, Any] | list[Any]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise StandardError("parameters is a table", file=HEAD, found=type(value).__name__, expected="a table")
    return value


def _limits(head: _HeadFile, parameters: Parameters, text: str) -> dict[str, int]:
    """The bounds of the rules by name; those that the calculation uses too follow from the parameters."""
    for name in head.bounds:
        if name not in WITHOUT_UNIT and name.rpartition("_")[2] not in UNITS:
            raise StandardError(
                f"bounds.{name}: a whole number says its unit in its name",
                file=HEAD,
                line=line_of_entry(text, ("bounds", name)),
                found=name,
                expected="an end such as _us or _ppm; one of " + ", ".join(UNITS),
            )
    limits, caps = parameters.limits, parameters.defaults
    derived = {
        "measured_cg": rounded_down(limits.measured, CENTI),
        "class_2_cg": rounded_down(limits.class_2, CENTI),
        "class_1_cg": rounded_down(limits.class_1, CENTI),
        "defaults_class_2_ug": rounded_down(caps.class_2, MICRO),
        "defaults_class_1_ug": rounded_down(caps.class_1, MICRO),
        "forecast_months": rounded_down(parameters.training.forecast_months),
        "forecast_multiple": rounded_down(parameters.training.forecast_multiple),
        "life_uh": rounded_down(parameters.hardware.life_h, MICRO),
        "life_evidenced_uh": rounded_down(parameters.hardware.life_evidenced_h, MICRO),
    }
    for name, value in head.bounds.items():
        if name in derived:
            raise StandardError(
                f"bounds.{name}: this follows from the parameters and is not said twice",
                file=HEAD,
                line=line_of_entry(text, ("bounds", name)),
                found=f"{name} = {value}",
                expected="a name of its own",
            )
        if not 0 <= value <= LARGEST_INTEGER:
            raise StandardError(
                f"bounds.{name}: a whole number from 0 is expected",
                file=HEAD,
                line=line_of_entry(text, ("bounds", name)),
                found=str(value)[:60],
                expected=f"0 to {LARGEST_INTEGER}",
            )
    return {f"limit.{name}": value for name, value in (derived | head.bounds).items() if value is not None}


def _environment(scope: str, limits: Mapping[str, int]) -> Any:
    variables = {fact.name: _CEL_TYPES[fact.type] for fact in FACTS.values() if fact.scope in {"once", scope}}
    return cel.NewEnv(variables=variables | dict.fromkeys(limits, cel.Type.INT))


def _rules(
    texts: Mapping[str, str], environments: Mapping[str, Any], limits: Mapping[str, int], retired: frozenset[str]
) -> Iterator[Rule]:
    """The rules of all rule files, in the order of the files. An empty list would let everybody pass."""
    seen: dict[str, str] = {}
    for path in sorted(path for path in texts if path.startswith("rules/")):
        for index, table in enumerate(_rule_tables(path, texts[path])):
            line = _line_of(texts[path], table.get("id"), index)
            rule = _rule(table, _Reading(path, line, environments, limits))
            if rule.id in retired:
                raise StandardError(
                    f"the id {rule.id} is retired and never used again",
                    file=path,
                    line=line,
                    found=rule.id,
                    expected="an id that no rule ever had",
                )
            if rule.id in seen:
                raise StandardError(
                    f"the id {rule.id} is taken by {seen[rule.id]}",
                    file=path,
                    line=line,
                    found=rule.id,
                    expected="an id of its own for each rule",
                )
            seen[rule.id] = f"{path}:{line}"
            if len(seen) > MAX_RULES:
                raise StandardError("there are too many rules", file=path, line=line, expected=f"at most {MAX_RULES}")
            yield rule
    if not seen:
        raise StandardError("there are no rules", file="rules/", hint="an empty rule list would let every track pass")


def _rule_tables(path: str, text: str) -> list[dict[str, Any]]:
    document = _toml(path, text)
    tables = document.pop("rules", [])
    if document or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        strangers = [name for name in document if name != "rules"]
        raise StandardError(
            "a rule file holds [[rules]] and nothing else",
            file=path,
            line=line_of_entry(text, strangers[:1]) if strangers else None,
            found=strangers[0] if strangers else "rules that are no tables",
            expected="[[rules]]",
        )
    return tables


def _line_of(text: str, rule_id: object, index: int) -> int:
    """Where a rule stands: the line of its id, else of its heading, else of the list that it is in."""
    lines = list(enumerate(text.splitlines(), 1))
    starts = [number for number, line in lines if _RULE_HEADING.match(line)]
    start = starts[index] if index < len(starts) else line_of_entry(text, ["rules"]) or 1  # a list in one place
    own_id = re.compile(rf"""\s*id\s*=\s*["']{re.escape(str(rule_id))}["']""")
    return next((number for number, line in lines if number > start and own_id.match(line)), start)


@dataclass(frozen=True)
class _Reading:
    """Where a rule is read, and what its expressions may use."""

    path: str
    line: int
    environments: Mapping[str, Any]
    limits: Mapping[str, int]

    def error(self, message: str, found: str, expected: str) -> StandardError:
        return StandardError(message, file=self.path, line=self.line, found=found, expected=expected)


def _rule(table: dict[str, Any], reading: _Reading) -> Rule:
    try:
        text = _RuleText.model_validate(table)
    except ValidationError as error:
        raise misfit(error, _RuleText, file=reading.path, line_of=lambda _: reading.line) from error
    if text.stops and not (text.before_figure and text.level == "must"):
        raise reading.error(
            f"{text.id} can stop nothing",
            f"level {text.level}, before_figure = {str(text.before_figure).lower()}",
            "a must rule that is asked before the figure",
        )
    clauses = tuple(_clause(clause, text, reading) for clause in _clause_texts(text, reading))
    return Rule(
        id=text.id,
        title=text.title,
        level=text.level,
        stage=text.stage,
        source=text.source,
        reason=text.reason,
        advice=text.advice,
        clauses=clauses,
        before_figure=text.before_figure,
        stops=text.stops,
    )


def _clause_texts(rule: _RuleText, reading: _Reading) -> Iterable[_ClauseText]:
    if (rule.require is None) == (not rule.clauses):
        raise reading.error(
            f"{rule.id} has either one require or a list of clauses",
            "both" if rule.clauses else "none",
            "require, or [[rules.clauses]]",
        )
    if rule.require is None:
        return rule.clauses
    return (_ClauseText(for_each=rule.for_each, when=rule.when, require=rule.require, gates=rule.gates),)


def _clause(clause: _ClauseText, rule: _RuleText, reading: _Reading) -> Clause:
    gates = clause.gates or rule.gates
    if (rule.level == "must") != (gates is not None):
        raise reading.error(
            f"{rule.id}: a must rule says what it gates, the others gate nothing",
            f"level {rule.level}, gates {gates or 'nothing'}",
            f"gates, one of {', '.join(GATES)}" if rule.level == "must" else "no gates",
        )
    if clause.for_each not in SCOPES:
        raise reading.error(
            f"{rule.id}: there is nothing to ask for each {clause.for_each!r}", clause.for_each, ", ".join(SCOPES)
        )
    return Clause(
        for_each=clause.for_each,
        when=_expression(clause.when, clause, rule, reading) if clause.when is not None else None,
        require=_expression(clause.require, clause, rule, reading),
        gates=gates,
    )


def _expression(text: str, clause: _ClauseText, rule: _RuleText, reading: _Reading) -> Expression:
    scope = SCOPES[clause.for_each]
    known = [fact.name for fact in FACTS.values() if fact.scope in {"once", scope}]
    program = compile_expression(
        text,
        reading.environments[scope],
        known=[*known, *reading.limits],
        rule=rule.id,
        file=reading.path,
        line=reading.line,
    )
    return Expression(text, frozenset(_NAME.findall(text)), program)


def _names_of(rules: Iterable[Rule], scope: str) -> frozenset[str]:
    """All names that the expressions over a scope's facts use."""
    expressions = [
        expression
        for rule in rules
        for clause in rule.clauses
        if SCOPES[clause.for_each] == scope
        for expression in (clause.when, clause.require)
        if expression is not None
    ]
    return frozenset().union(*(expression.names for expression in expressions))
