"""Worked cases of a standard: a report, what the issuer knows, and what has to come out.

A case file is JSON. Since JSON has neither, a string `__NaN__` stands for a NaN and `__DEC__1.23` for an exact
decimal. `run_cases` compares every member of `expected` that it knows, exactly, and names those that it does not.
"""

from __future__ import annotations

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
NOT_ASSESSED = "not assessed"


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
class CaseResult:
    """How a case came out. `differences` are sentences; `not_compared` are expectations that nobody can check here."""

    case: Case
    verdict: Verdict | None
    differences: tuple[str, ...]
    not_compared: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.differences


def parse_cases(raw: bytes) -> tuple[Case, ...]:
    """The cases in a case file. Raises MalformedJson if it is none."""
    document = parse_object(raw, _LIMITS)
    cases = document.get("cases")
    if not isinstance(cases, list):
        raise MalformedJson("this is no case file", expected="an object with a list of cases", pointer="/cases")
    return tuple(_case(value, index) for index, value in enumerate(cases))


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
        return CaseResult(case, None, (f"{error.pointer or 'the fixtures'}: {error.message}",), unknown)
    return CaseResult(case, verdict, tuple(_differences(case.expected, verdict)), unknown)


def _differences(expected: Mapping[str, Any], verdict: Verdict) -> Iterator[str]:
    for member, value in expected.items():
        if member in _MEMBERS:
            found, wanted = _MEMBERS[member](verdict), sorted(value) if isinstance(value, list) else value
            if found != wanted:
                yield f"{member} is {_shown(found)}, expected {_shown(wanted)}"


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) or "empty" if isinstance(value, list) else str(value)


def _rules(findings: Sequence[Finding]) -> list[str]:
    return sorted(finding.rule for finding in findings)


def _counted(verdict: Verdict) -> str | None:
    return str(verdict.footprint.counted_minutes.quantize(_SIX_PLACES)) if verdict.footprint else None


def _post_production(verdict: Verdict) -> Any:
    amount = verdict.footprint.post_production if verdict.footprint else None
    return {"central": str(amount.central), "upper": str(amount.upper)} if amount else NOT_ASSESSED


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
    "rating": lambda verdict: verdict.footprint.rating if verdict.footprint else None,
}
