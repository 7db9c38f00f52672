"""Worked cases of a standard: a report, what the issuer knows, and what has to come out.

A case file is JSON. Since JSON has neither, a string `__NaN__` stands for a NaN and `__DEC__1.23` for an exact
decimal. A case gives its report and fixtures whole, or is `like` another one with a few places changed, which shows what
the case is about: `change` gives new values by JSON Pointer (RFC 6901, `-` adds to a list), `remove` takes places away.
`run_cases` compares every member of `expected` that it knows, exactly, and names those that it does not.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import ForeignInputError, MalformedJson
from certifier.report.evidence import parse_evidence
from certifier.standard.evaluate import decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from certifier.standard.evaluate import Finding, Verdict
    from certifier.standard.model import Standard

_LIMITS = Limits(max_bytes=16 * 1024 * 1024, max_depth=40, max_nodes=2_000_000)
_SIX_PLACES = Decimal("0.000001")
NOT_ASSESSED, NOT_SHOWN = "not assessed", "not shown"
_REMOVED = object()


@dataclass(frozen=True)
class Case:
    """`report` is what an applicant sends, `fixtures` what the issuer knows, `expected` what has to come out."""

    id: str
    title: str
    why: str
    report: Any
    fixtures: Any
    expected: Mapping[str, Any]
    arithmetic: tuple[str, ...]
    reference_set: bool


@dataclass(frozen=True)
class Miss:
    """A member of `expected` that came out otherwise; without a member, a case that cannot be read."""

    member: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.member} is {self.found}, expected {self.expected}" if self.member else self.found


@dataclass(frozen=True)
class CaseResult:
    """How a case came out. `not_compared` are expectations that nobody can check here."""

    case: Case
    verdict: Verdict | None
    misses: tuple[Miss, ...]
    not_compared: tuple[str, ...]

    @property
    def differences(self) -> tuple[str, ...]:
        """The misses as sentences."""
        return tuple(map(str, self.misses))

    @property
    def passed(self) -> bool:
        return not self.misses


def parse_cases(raw: bytes, others: Mapping[str, bytes] | None = None) -> tuple[Case, ...]:
    """The cases in a case file. `others` are the files, by name, whose cases it may be like.

    Raises MalformedJson if it is no case file, or a case is like one that is nowhere or is itself like another.
    """
    values = _values(raw)
    known = {_id(value): value for other in (others or {}).values() for value in _values(other)}
    known |= {_id(value): value for value in values}
    return tuple(_case(_whole(value, known, index), index) for index, value in enumerate(values))


def parse_case_files(files: Mapping[str, bytes]) -> dict[str, tuple[Case, ...]]:
    """The cases of every `cases/*.json` of a standard's folder, by path; a case may be like one of another file.

    Raises MalformedJson, which names the file, also for an id that stands twice.
    """
    raws = {path: raw for path, raw in sorted(files.items()) if path.startswith("cases/") and path.endswith(".json")}
    cases, seen = dict[str, tuple[Case, ...]](), dict[str, str]()
    for path, raw in raws.items():
        try:
            cases[path] = parse_cases(raw, {other: raws[other] for other in raws if other != path})
        except MalformedJson as error:
            raise MalformedJson(
                error.message,
                found=error.found,
                expected=error.expected,
                hint=error.hint,
                pointer=f"{path} {error.pointer or ''}".strip(),
            ) from error
        for case in cases[path]:
            if case.id in seen:
                raise MalformedJson(
                    f"the id of a case stands in {seen[case.id]} already", found=case.id[:80], pointer=path
                )
            seen[case.id] = path
    return cases


def import_cases_in(raw: bytes) -> int:
    """How many cases for importers of measuring tools a case file holds beside its own; `run_cases` cannot run them."""
    cases = parse_object(raw, _LIMITS).get("import_cases", [])
    return len(cases) if isinstance(cases, list) else 0


def _values(raw: bytes) -> list[Any]:
    cases = parse_object(raw, _LIMITS).get("cases")
    if not isinstance(cases, list):
        raise MalformedJson("this is no case file", expected="an object with a list of cases", pointer="/cases")
    return cases


def _id(value: Any) -> str:
    return str(value.get("id")) if isinstance(value, dict) else ""


def _whole(value: Any, known: Mapping[str, Any], index: int) -> Any:
    """The case with report and fixtures of the one that it is like, changed in the places that it names."""
    if not isinstance(value, dict) or "like" not in value:
        return value
    base = known.get(str(value["like"]))
    if not isinstance(base, dict) or "like" in base or not {"report", "fixtures"} <= set(base):
        raise MalformedJson(
            "this case is like none that is given whole", found=str(value["like"])[:80], pointer=f"/cases/{index}/like"
        )
    parts = {name: copy.deepcopy(base[name]) for name in ("report", "fixtures")}
    for pointer, new in _mapping(value.get("change", {}), index).items():
        _put(parts, pointer, copy.deepcopy(new), f"/cases/{index}/change")
    for pointer in value.get("remove", ()):
        _put(parts, pointer, _REMOVED, f"/cases/{index}/remove")
    return {**value, **parts}


def _mapping(value: Any, index: int) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedJson("changes are an object of JSON Pointers", pointer=f"/cases/{index}/change")
    return value


def _put(parts: dict[str, Any], pointer: Any, new: Any, place: str) -> None:
    """Set, add or remove what a JSON Pointer names. Objects on the way are made where there is none."""
    if not isinstance(pointer, str) or pointer.split("/")[:1] != [""] or pointer.count("/") < 2:
        raise MalformedJson(
            "a JSON Pointer below /report or /fixtures is expected", found=repr(pointer)[:80], pointer=place
        )
    *way, last = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    part: Any = parts
    try:
        for step in way:
            part = part[int(step)] if isinstance(part, list) else part.setdefault(step, {})
        if new is _REMOVED:
            del part[int(last) if isinstance(part, list) else last]
        elif isinstance(part, list) and last == "-":
            part.append(new)
        else:
            part[int(last) if isinstance(part, list) else last] = new
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise MalformedJson("there is no such place in the case", found=pointer[:120], pointer=place) from error


def _case(value: Any, index: int) -> Case:
    if not isinstance(value, dict) or not {"id", "report", "fixtures", "expected"} <= set(value):
        raise MalformedJson(
            "this is no case", expected="an object with id, report, fixtures and expected", pointer=f"/cases/{index}"
        )
    if not isinstance(value["expected"], dict) or not isinstance(value.get("arithmetic", []), list):
        raise MalformedJson(
            "this is no case", expected="expected as an object, arithmetic as a list", pointer=f"/cases/{index}"
        )
    return Case(
        id=str(value["id"]),
        title=str(value.get("title", "")),
        why=str(value.get("why", "")),
        report=_with_numbers(value["report"]),
        fixtures=_with_numbers(value["fixtures"]),
        expected=value["expected"],
        arithmetic=tuple(map(str, value.get("arithmetic", ()))),
        reference_set=value.get("reference_set") is True,
    )


def _with_numbers(value: Any) -> Any:
    """The value with the strings that stand for numbers turned into them."""
    match value:
        case "__NaN__":
            return Decimal("NaN")
        case str() if value.startswith("__DEC__"):
            try:
                return Decimal(value.removeprefix("__DEC__"))
            except InvalidOperation as error:
                raise MalformedJson("this is no decimal number", found=value[:80]) from error
        case dict():
            return {key: _with_numbers(item) for key, item in value.items()}
        case list():
            return [_with_numbers(item) for item in value]
        case _:
            return value


def run_cases(standard: Standard, cases: Iterable[Case]) -> list[CaseResult]:
    """What the standard says about each case, beside what the case expects."""
    return [_run(standard, case) for case in cases]


def _run(standard: Standard, case: Case) -> CaseResult:
    unknown = tuple(member for member in case.expected if member not in _MEMBERS)
    try:
        verdict = decide(standard, case.report, parse_evidence(case.fixtures))
    except ForeignInputError as error:
        miss = Miss("", f"{error.pointer or 'the fixtures'}: {error.message}", "")
        return CaseResult(case, None, (miss,), unknown)
    return CaseResult(case, verdict, tuple(_misses(case.expected, verdict)), unknown)


def _misses(expected: Mapping[str, Any], verdict: Verdict) -> Iterator[Miss]:
    for member, value in expected.items():
        if member in _MEMBERS:
            found, wanted = _MEMBERS[member](verdict), sorted(value, key=str) if isinstance(value, list) else value
            if found != wanted:
                yield Miss(member, _shown(found), _shown(wanted))


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) or "empty" if isinstance(value, list) else str(value)


def _rules(findings: Sequence[Finding]) -> list[str]:
    return sorted(finding.rule for finding in findings)


def _counted(verdict: Verdict) -> str | None:
    return str(verdict.footprint.counted_minutes.quantize(_SIX_PLACES)) if verdict.footprint else None


def _post_production(verdict: Verdict) -> Any:
    amount = verdict.footprint.post_production if verdict.footprint else None
    return {"central": str(amount.central), "upper": str(amount.upper)} if amount else NOT_ASSESSED


def _market_based(verdict: Verdict) -> Any:
    market = verdict.footprint.market_based if verdict.footprint else None
    if market is None or market.amount is None:
        return NOT_SHOWN
    return {"central": str(market.amount.central), "upper": str(market.amount.upper)}


_MEMBERS: dict[str, Callable[[Verdict], Any]] = {
    "central_gco2e_per_min": lambda verdict: str(verdict.footprint.central) if verdict.footprint else None,
    "assessed_gco2e_per_min": lambda verdict: str(verdict.footprint.assessed) if verdict.footprint else None,
    "counted_minutes": _counted,
    "outcome": lambda verdict: verdict.outcome,
    "failed_must": lambda verdict: _rules(verdict.failed_must),
    "warnings": lambda verdict: _rules(verdict.warnings),
    "info": lambda verdict: _rules(verdict.infos),
    "infos": lambda verdict: _rules(verdict.infos),
    "evidence_level": lambda verdict: verdict.evidence_level,
    "face_calculated": lambda verdict: verdict.footprint.calculated if verdict.footprint else None,
    "post_production": _post_production,
    "market_based": _market_based,
    "rating": lambda verdict: verdict.footprint.rating if verdict.footprint else None,
}
