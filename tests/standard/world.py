"""The standard as published, its cases, and applications that differ from a case in named places."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

from certifier.report.evidence import parse_evidence
from certifier.standard.cases import Case, parse_cases
from certifier.standard.evaluate import Verdict, decide
from certifier.standard.model import Standard, parse_standard

FOLDER = Path(__file__).parents[2] / "standards" / "lcal" / "1.0.0"
REMOVED = object()


@cache
def standard_files() -> dict[str, bytes]:
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in FOLDER.rglob("*") if path.is_file()}


@cache
def standard() -> Standard:
    return parse_standard(standard_files())


@cache
def cases() -> dict[str, Case]:
    return {case.id: case for case in parse_cases(standard_files()["cases/cases.json"])}


def changed(value: Any, changes: dict[str, Any]) -> Any:
    """A copy with other values at the paths: 'activities/0/energy_kwh', or 'activities/+' to add one."""
    result = copy.deepcopy(value)
    for path, new in changes.items():
        *way, last = path.split("/")
        part = result
        for step in way:
            part = part[int(step)] if isinstance(part, list) else part.setdefault(step, {})
        _put(part, last, new)
    return result


def _put(part: Any, last: str, new: Any) -> None:
    if isinstance(part, list):
        if last == "+":
            part.append(new)
        elif new is REMOVED:
            del part[int(last)]
        else:
            part[int(last)] = new
    elif new is REMOVED:
        del part[last]
    else:
        part[last] = new


def report_of(changes: dict[str, Any] | None = None, case: str = "C01") -> Any:
    return changed(cases()[case].report, changes or {})


def fixtures_of(changes: dict[str, Any] | None = None, case: str = "C01") -> Any:
    return changed(cases()[case].fixtures, changes or {})


def verdict_of(
    report: dict[str, Any] | None = None, fixtures: dict[str, Any] | None = None, *, case: str = "C01"
) -> Verdict:
    """The verdict on a case with a few places changed."""
    return decide(standard(), report_of(report, case), parse_evidence(fixtures_of(fixtures, case)))


def failed(verdict: Verdict) -> list[str]:
    """The failed must and should rules."""
    return [finding.rule for finding in (*verdict.failed_must, *verdict.warnings)]


LOG = "b" * 64


def run(**changes: Any) -> dict[str, Any]:
    """One more run like that of the first case."""
    first: dict[str, Any] = copy.deepcopy(cases()["C01"].report["activities"][0])
    return {**first, "id": "x1", "run_id": "run-x1", **changes}
