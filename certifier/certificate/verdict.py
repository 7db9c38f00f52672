"""The verdict: a pure table of the axes, kept as data that the browser's module reads too (``verdict.json``).

Each axis has its values, and each value an outcome: ``ok``, ``failed`` or ``unchecked``. The first row of the table whose every
condition holds gives the verdict, a word for machines and a sentence for people.
"""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple


class Check(NamedTuple):
    """One axis: its value, what was expected, what was found, what to try."""

    axis: str
    value: str
    found: str = ""
    expected: str = ""
    hint: str = ""

    @property
    def outcome(self) -> str:
        """``ok``, ``failed`` or ``unchecked``, as the table has it for this value."""
        return str(verdict_table()["axes"][self.axis].get(self.value, "unchecked"))

    def to_document(self) -> dict[str, str]:
        document = self._asdict()
        return {"axis": document.pop("axis"), "outcome": self.outcome, **document}


class Verdict(NamedTuple):
    """``valid``, ``valid_with_warnings``, ``not_valid`` or ``cannot_tell``; why, as a word and as a sentence."""

    verdict: str
    reason: str
    because: str


@cache
def verdict_table() -> dict[str, Any]:
    """The table as data."""
    raw = pkgutil.get_data("certifier.certificate", "verdict.json")
    table: dict[str, Any] = json.loads(raw or b"{}")
    return table


def verdict_of(axes: Mapping[str, str]) -> Verdict:
    """The verdict on these values of all axes."""
    return verdict_on(tuple(axes[axis] for axis in verdict_table()["axes"]))


@lru_cache(maxsize=4096)
def verdict_on(values: tuple[str, ...]) -> Verdict:
    """The verdict on the values of all axes, in the order of the table."""
    axes = dict(zip(verdict_table()["axes"], values, strict=True))
    for row in verdict_table()["rows"]:
        if all(axes[axis] in fitting for axis, fitting in row["when"].items()):
            return Verdict(row["verdict"], row["reason"], row["because"])
    raise AssertionError("the last row of the table has no condition")
