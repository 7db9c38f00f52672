"""Build the cases of the rules and of the limits: ``python scripts/make_cases.py``.

``case_specs`` says what each case changes and which rules fail by the text of the standard. Figures, arithmetic, evidence level
and rating come from the reference calculation of the tests, which shares nothing with the engine; what the engine says is
asked nowhere. A test holds that the files are those of this script and that the engine agrees with every line of them.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from case_specs import LIMIT_CASES, RULE_CASES, Spec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.standard.reference import (  # noqa: E402 - the tree has to be found first
    RULES,
    Figure,
    evidence_level,
    figure_of,
    outcome_of,
    read_tables,
    whole_case,
)

FOLDER = ROOT / "standards" / "lcal" / "1.0.0"


def cases_of(
    prefix: str, kinds: Sequence[str], table: Mapping[str, tuple[list[Spec], list[Spec]]]
) -> Iterator[tuple[str, str, Spec]]:
    """Id, place and spec of each case, numbered from the second of a kind on."""
    for place, columns in table.items():
        name = place.removeprefix("bounds.").removeprefix("parameters.").replace(".", "_")
        for kind, specs in zip(kinds, columns, strict=True):
            for number, spec in enumerate(specs, 1):
                yield f"{prefix}-{name}-{kind}" + (f"-{number}" if number > 1 else ""), place, spec


class Builder:
    """Cases as they stand in a file, with what the reference says about them."""

    def __init__(self) -> None:
        raw = json.loads((FOLDER / "cases" / "cases.json").read_bytes(), parse_float=Fraction)
        self._known = {case["id"]: case for case in raw["cases"]}
        self._tables = read_tables(FOLDER)

    def case(self, case_id: str, why: str, spec: Spec) -> dict[str, Any]:
        case: dict[str, Any] = {"id": case_id, "title": spec.title, "why": why, "like": spec.like}
        if spec.change:
            case["change"] = spec.change
        if spec.remove:
            case["remove"] = list(spec.remove)
        whole = whole_case(case, self._known)
        report, fixtures = whole["report"], whole["fixtures"]
        figure = figure_of(report, fixtures, self._tables) if spec.readable else None
        if figure:
            case["arithmetic"] = figure.arithmetic()
        else:
            case["arithmetic"] = [
                f"no figure: {'INT-03 stops the evaluation' if spec.readable else 'the report cannot be read'}"
            ]
        level = evidence_level(report, fixtures) if spec.readable else "A0"
        case["expected"] = expected(spec, figure, level)
        return case


def expected(spec: Spec, figure: Figure | None, level: str) -> dict[str, Any]:
    failed = sorted(spec.fails.split())
    must = [rule for rule in failed if RULES[rule] != "should"]
    more = {
        "face_calculated": figure.calculated if figure else None,
        "post_production": figure.post_production if figure else "not assessed",
    }
    return {
        "central_gco2e_per_min": figure.central if figure else None,
        "assessed_gco2e_per_min": figure.assessed if figure else None,
        "counted_minutes": figure.counted if figure else None,
        "outcome": outcome_of(must, defaults_over_class_2=spec.defaults_over_class_2, figure=figure is not None),
        "failed_must": must,
        "warnings": [rule for rule in failed if RULES[rule] == "should"],
        "infos": spec.infos.split(),
        "evidence_level": level,
        "rating": figure.rating if figure else None,
        **{member: more[member] for member in spec.also},
    }


def case_files() -> dict[str, str]:
    """The text of each case file by its name."""
    builder = Builder()
    sources = {
        rule["id"]: rule["source"]
        for path in sorted((FOLDER / "rules").glob("*.toml"))
        for rule in tomllib.loads(path.read_text(encoding="utf-8"))["rules"]
    }
    rules = [
        builder.case(case_id, f"{rule}, section {sources[rule]}: {spec.why}", spec)
        for case_id, rule, spec in cases_of("R", ("pass", "fail"), RULE_CASES)
    ]
    limits = [
        builder.case(case_id, spec.why, spec) for case_id, _, spec in cases_of("L", ("at", "beyond"), LIMIT_CASES)
    ]
    notes = [
        "Each case is like one of cases.json with a few places changed; that file says what the members mean.",
        "Made by scripts/make_cases.py, whose figures come from a calculation that shares nothing with the engine.",
    ]
    return {
        "rules.json": text_of([*notes, "For each rule what passes it, and what fails it."], rules),
        "limits.json": text_of([*notes, "For each limit what lies exactly at it, and one unit beyond."], limits),
    }


def text_of(notes: list[str], cases: list[dict[str, Any]]) -> str:
    return json.dumps({"standard": "LCAL-1.0.0", "notes": notes, "cases": cases}, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    for name, text in case_files().items():
        path = FOLDER / "cases" / name
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
