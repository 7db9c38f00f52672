"""Do the cases bite? Break the standard in every small way and see that a case notices: ``python scripts/rule_mutants.py``.

A mutant is the folder of the standard with one thing changed: a number by one unit of its last digit, a rule or a clause
dropped, a condition set to true, an operator swapped, a whole number or a word of a list in an expression changed, a gate
widened or narrowed, a must turned into a should, runs asked instead of activities. Each is read and judged by the real loader
and evaluator. It is killed if the loader refuses it or a case comes out otherwise; one that lives is
a hole in the cases, or changes nothing, which ``equivalent_mutants.toml`` then has to argue. Exit code 1 if a mutant lives
that is not argued, or an argued one dies.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from certifier.errors import StandardError  # noqa: E402 - the tree has to be found first
from certifier.standard.cases import Case, parse_cases, run_cases  # noqa: E402
from certifier.standard.model import GATES, HEAD, Standard, parse_standard  # noqa: E402

FOLDER = ROOT / "standards" / "lcal" / "1.0.0"
ARGUED = Path(__file__).with_name("equivalent_mutants.toml")

SWAPPED = {">=": ">", "<=": "<", ">": ">=", "<": "<=", "==": "!=", "!=": "==", "&&": "||", "||": "&&", "!": ""}
_TOKEN = re.compile(r"""'[^']*'|"[^"]*"|>=|<=|==|!=|&&|\|\||>|<|!""")
_WHOLE_NUMBER = re.compile(r"""'[^']*'|"[^"]*"|[a-z_]+\.[a-z0-9_]+|\b(\d+)\b""")
_LIST = re.compile(r"\[('[^\]]*')\]")
_ASKED_TOO = {"activity": "run", "run": "activity"}
_NUMBER_LINE = re.compile(r"^(\w+) = (\d+(?:\.\d+)?)\b")
_HEADING = re.compile(r"^\[(\[?)([\w.]+)\]")

Rule = dict[str, Any]


@dataclass(frozen=True)
class Mutant:
    """One change. `about` is the rule, or the last names of the number, whose cases are asked first."""

    id: str
    about: str
    path: str
    text: str


@dataclass(frozen=True)
class Fate:
    """What became of a mutant. `killer` is the case that noticed, or what the loader said; empty if it lives."""

    mutant: str
    killer: str
    cases: int


# --- making mutants ---


def mutants_of(files: Mapping[str, bytes]) -> list[Mutant]:
    """Every mutant of a standard, given as bytes by path."""
    found = list(_number_mutants(files[HEAD].decode()))
    for path in sorted(path for path in files if path.startswith("rules/")):
        rules = tomllib.loads(files[path].decode())["rules"]
        for index, rule in enumerate(rules):
            for name, changed in _rule_mutants(rule):
                others = [*rules[:index], *([changed] if changed else []), *rules[index + 1 :]]
                found.append(Mutant(f"{rule['id']}{name}", rule["id"], path, toml_of(others)))
    return found


def _number_mutants(text: str) -> Iterator[Mutant]:
    """Each number of the head, one unit of its last digit up and down."""
    lines, section, seen = text.splitlines(keepends=True), "", dict[str, int]()
    for index, line in enumerate(lines):
        heading, number = _HEADING.match(line), _NUMBER_LINE.match(line)
        if heading:
            section = heading.group(2)
            if heading.group(1):
                seen[section] = seen.get(section, -1) + 1
                section = f"{section}.{seen[section]}"
        elif number:
            place, old = f"{section}.{number.group(1)}", Decimal(number.group(2))
            unit = Decimal(1).scaleb(int(old.as_tuple().exponent))
            for new in (old + unit, old - unit):
                changed = [*lines[:index], f"{number.group(1)} = {new}\n", *lines[index + 1 :]]
                about = place.partition(".")[2].replace(".", "_")
                yield Mutant(f"{place} {old} -> {new}", about, HEAD, "".join(changed))


def _rule_mutants(rule: Rule) -> Iterator[tuple[str, Rule | None]]:
    """Name and rule of each mutant; None where the rule is gone."""
    yield " dropped", None
    if rule["level"] == "must":
        yield " must -> should", _without_gates({**rule, "level": "should"})
    if "gates" in rule:
        for gates in other_gates(rule["gates"]):
            yield f" gates {rule['gates']} -> {gates}", {**rule, "gates": gates}
    if "clauses" not in rule:
        yield from ((f".1 {name}", {**rule, **changed}) for name, changed in _clause_mutants(rule))
        return
    for index, clause in enumerate(rule["clauses"]):
        before, after = rule["clauses"][:index], rule["clauses"][index + 1 :]
        if before or after:
            yield f".{index + 1} dropped", {**rule, "clauses": [*before, *after]}
        for name, changed in _clause_mutants(clause):
            yield f".{index + 1} {name}", {**rule, "clauses": [*before, {**clause, **changed}, *after]}
        for gates in other_gates(clause["gates"]) if "gates" in clause else ():
            name = f".{index + 1} gates {clause['gates']} -> {gates}"
            yield name, {**rule, "clauses": [*before, {**clause, "gates": gates}, *after]}


def other_gates(gates: str) -> list[str]:
    return [other for other in GATES if other != gates]


def _without_gates(rule: Rule) -> Rule:
    trimmed = {name: value for name, value in rule.items() if name != "gates"}
    if "clauses" in rule:
        trimmed["clauses"] = [_without_gates(clause) for clause in rule["clauses"]]
    return trimmed


def _clause_mutants(clause: Rule) -> Iterator[tuple[str, Rule]]:
    """Name and changed members of each mutant of one demand."""
    if "when" in clause:
        yield "when -> true", {"when": "true"}
    for member in ("when", "require"):
        expression = clause.get(member, "")
        for number, (old, new, text) in enumerate(swapped(expression), 1):
            yield f"{member} #{number} {old} -> {new or 'nothing'}", {member: text}
        for number, (old, new, text) in enumerate(counted_otherwise(expression), 1):
            yield f"{member} number #{number} {old} -> {new}", {member: text}
        for word, text in shortened(expression):
            yield f"{member} list without {word}", {member: text}
    asked = clause.get("for_each", "once")
    if asked in _ASKED_TOO:
        yield f"for each {asked} -> {_ASKED_TOO[asked]}", {"for_each": _ASKED_TOO[asked]}


def swapped(expression: str) -> Iterator[tuple[str, str, str]]:
    """Each operator of an expression, what it becomes, and the expression then; a ``!`` is left out.

    Text in quotes is left alone.
    """
    for token in _TOKEN.finditer(expression):
        new = SWAPPED.get(token.group())
        if new is not None:
            yield token.group(), new, expression[: token.start()] + new + expression[token.end() :]


def counted_otherwise(expression: str) -> Iterator[tuple[str, str, str]]:
    """Each whole number of an expression, one more and one less, and the expression then."""
    for token in _WHOLE_NUMBER.finditer(expression):
        for new in (int(token.group(1)) + 1, int(token.group(1)) - 1) if token.group(1) else ():
            yield token.group(1), str(new), expression[: token.start()] + str(new) + expression[token.end() :]


def shortened(expression: str) -> Iterator[tuple[str, str]]:
    """Each word that stands in a list, and the expression without it."""
    for found in _LIST.finditer(expression):
        words = found.group(1).split(", ")
        for word in words:
            rest = ", ".join(other for other in words if other != word)
            yield word, f"{expression[: found.start()]}[{rest}]{expression[found.end() :]}"


def toml_of(rules: Sequence[Rule]) -> str:
    """A rule file. A JSON string is a TOML string."""
    lines: list[str] = []
    for rule in rules:
        lines += ["[[rules]]", *_members(rule)]
        for clause in rule.get("clauses", ()):
            lines += ["[[rules.clauses]]", *_members(clause)]
    return "\n".join(lines) + "\n"


def _members(table: Rule) -> Iterator[str]:
    for name, value in table.items():
        if name != "clauses":
            yield f"{name} = {json.dumps(value, ensure_ascii=False)}"


# --- killing them ---


def all_cases(files: Mapping[str, bytes]) -> tuple[Case, ...]:
    """The cases of every case file."""
    own = {path: raw for path, raw in files.items() if path.startswith("cases/")}
    return tuple(case for path, raw in sorted(own.items()) for case in parse_cases(raw, own))


def likely_first(cases: Sequence[Case], about: str) -> list[Case]:
    """The cases whose id names a rule or number, then the others."""
    name = re.compile(rf"(^|-){re.escape(about)}(-|$)")
    return sorted(cases, key=lambda case: name.search(case.id) is None)


def fate_of(files: Mapping[str, bytes], mutant: Mutant, cases: Sequence[Case]) -> Fate:
    """Ask the cases until one of them notices."""
    try:
        standard = parse_standard({**files, mutant.path: mutant.text.encode()})
    except StandardError as error:
        return Fate(mutant.id, f"loader: {error.message}", 0)
    for number, case in enumerate(likely_first(cases, mutant.about), 1):
        if not _comes_out(standard, case):
            return Fate(mutant.id, case.id, number)
    return Fate(mutant.id, "", len(cases))


def _comes_out(standard: Standard, case: Case) -> bool:
    try:
        (result,) = run_cases(standard, [case])
    except Exception:  # noqa: BLE001 - a mutant may break the evaluator in any way, and that is noticed too
        return False
    return result.passed


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def argued_in(path: Path) -> dict[str, str]:
    """Why a mutant changes nothing, by its id."""
    groups = tomllib.loads(path.read_text(encoding="utf-8"))["equivalent"]
    return {mutant: group["reason"] for group in groups for mutant in group["mutants"]}


# --- the command ---


@cache
def _world(folder: Path) -> tuple[dict[str, bytes], tuple[Case, ...], dict[str, Mutant]]:
    files = files_of(folder)
    return files, all_cases(files), {mutant.id: mutant for mutant in mutants_of(files)}


def _fate(job: tuple[Path, str]) -> Fate:
    folder, mutant = job
    files, cases, mutants = _world(folder)
    return fate_of(files, mutants[mutant], cases)


def _fates(folder: Path, wanted: Sequence[str], processes: int) -> Iterator[Fate]:
    jobs = [(folder, mutant) for mutant in wanted]
    if processes == 1:
        yield from _with_progress(map(_fate, jobs), len(jobs))
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from _with_progress(pool.imap_unordered(_fate, jobs, chunksize=8), len(jobs))


def _with_progress(fates: Iterable[Fate], total: int) -> Iterator[Fate]:
    started = time.monotonic()
    for number, fate in enumerate(fates, 1):
        if number % 50 == 0 or number == total:
            print(f"{number} of {total} mutants, {time.monotonic() - started:.0f} s", file=sys.stderr)
        yield fate


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="See that a case notices every small change of a standard.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="the folder of the standard")
    parser.add_argument("--only", default="", metavar="TEXT", help="only mutants whose id holds this text")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="how many to run at once (2)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Print what became of the mutants; the exit code says whether all is as it should be."""
    options = _arguments(words)
    files, cases, mutants = _world(options.folder)
    broken = [result.case.id for result in run_cases(parse_standard(files), cases) if not result.passed]
    if broken:
        print(f"the standard as it is fails {', '.join(broken)}; mutants say nothing then", file=sys.stderr)
        return 1
    argued = {mutant: why for mutant, why in argued_in(ARGUED).items() if options.only in mutant}
    wanted = [mutant for mutant in mutants if options.only in mutant]
    fates = {fate.mutant: fate for fate in _fates(options.folder, wanted, options.processes)}
    alive = [mutant for mutant in wanted if not fates[mutant].killer]
    unargued = [mutant for mutant in alive if mutant not in argued]
    wrong = [mutant for mutant in argued if mutant not in alive]
    if options.json:
        summary = {
            "mutants": len(wanted),
            "cases": len(cases),
            "killed": len(wanted) - len(alive),
            "argued": {mutant: argued[mutant] for mutant in alive if mutant in argued},
            "alive": unargued,
            "wrongly_argued": wrong,
            "killers": {mutant: fates[mutant].killer for mutant in wanted if fates[mutant].killer},
        }
        print(json.dumps(summary, indent=1, ensure_ascii=False))
    else:
        for mutant in unargued:
            print(f"lives      {mutant}")
        for mutant in wrong:
            print(f"argued     {mutant}: but {fates[mutant].killer if mutant in fates else 'there is no such mutant'}")
        print(
            f"{len(wanted)} mutants, {len(cases)} cases: {len(wanted) - len(alive)} noticed, "
            f"{len(alive) - len(unargued)} change nothing and say why, {len(unargued)} live"
        )
    return 1 if unargued or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
