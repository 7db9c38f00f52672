"""Raw logs of measuring tools, read as evidence: bytes in, lines out.

An applicant deposits the log that the tool wrote. The issuer reads it with these functions and reproduces the energy
and the duration of each run (LCAL rule PLS-18). A log is foreign input: what cannot be read without guessing is refused.

Read here are the logs of CodeCarbon, which name their runs, and those of CarbonTracker and Impact Framework, which do not:
their runs are named after what was read (``run_id_of``), so a run and its line in the log find each other without a guess.
Not read are the impacts of EcoLogits: they have neither a time nor a duration, so there is nothing to reproduce a run from.

Left to others: matching runs with a report (``certifier.service.examine``), making activities out of lines
(``certifier.measure.importers``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from certifier.report.rawlogs.carbontracker import is_carbontracker, runs_of_pairs
from certifier.report.rawlogs.codecarbon import LogLine, is_emissions_csv, parse_emissions_csv
from certifier.report.rawlogs.impact_framework import is_manifest, parse_manifest
from certifier.report.rawlogs.text import MAX_LOG_BYTES

__all__ = [
    "MAX_LOG_BYTES",
    "READABLE_TOOLS",
    "LogLine",
    "LoggedRun",
    "ReadLog",
    "is_emissions_csv",
    "parse_emissions_csv",
    "read_logs",
]

READABLE_TOOLS = ("codecarbon", "carbontracker", "impact-framework")


class LoggedRun(Protocol):
    """What every log says of a run."""

    @property
    def run_id(self) -> str: ...
    @property
    def energy_kwh(self) -> Decimal: ...
    @property
    def duration_s(self) -> Decimal: ...


@dataclass(frozen=True)
class ReadLog:
    """A file whose format is known, and the runs in it. Of two files that tell of one run, one lists it."""

    format: str
    runs: tuple[LoggedRun, ...]


def read_logs(files: Mapping[str, bytes]) -> dict[str, ReadLog]:
    """The files that are logs in a format that is read here, by the same names. Raises MalformedLog."""
    read: dict[str, ReadLog] = {}
    for name, raw in files.items():
        if is_emissions_csv(raw):
            read[name] = ReadLog("codecarbon", parse_emissions_csv(raw))
        elif is_manifest(raw):
            read[name] = ReadLog("impact-framework", parse_manifest(raw))
    tracked = [name for name, raw in files.items() if name not in read and is_carbontracker(raw)]
    runs = dict(runs_of_pairs([files[name] for name in tracked]))
    for place, name in enumerate(tracked):
        read[name] = ReadLog("carbontracker", (runs[place],) if place in runs else ())
    return read
