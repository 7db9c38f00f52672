"""CodeCarbon's ``emissions.csv``, read as evidence: bytes in, lines out.

Columns are found by their names, and every cell that counts must be a plain number.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from certifier.errors import MalformedLog
from certifier.report.rawlogs.text import MAX_QUANTITY, is_time, quantity_of, refuse_repeated, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_CELL_CHARACTERS = 1000
HEADER_BYTES = 64 * 1024
GRAMS_PER_KILOGRAM = 1000

LOCAL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?", re.ASCII)
MARKS = (b"energy_consumed", b"codecarbon_version")
REQUIRED_COLUMNS = ("timestamp", "project_name", "run_id", "duration", "energy_consumed")


@dataclass(frozen=True)
class LogLine:
    """One run as CodeCarbon wrote it down.

    ``energy_kwh`` already holds ``pue``. ``ended_at_local`` has no zone: the tool writes none, whoever ran it has to
    say which. ``country`` is what the tool was told or guessed, and None where its cell is empty.
    """

    run_id: str
    project_name: str
    energy_kwh: Decimal
    duration_s: Decimal
    emissions_kg: Decimal | None
    country: str | None
    tool_version: str | None
    pue: Decimal
    ended_at_local: str

    @property
    def pue_included(self) -> bool:
        """Whether the energy holds more than what the machine itself used (LCAL section 4.3)."""
        return self.pue > 1

    @property
    def grid_gco2e_per_kwh(self) -> Decimal | None:
        """The factor that the tool seems to have used, to 0.001 g. It is never used by the label (LCAL section 7.1)."""
        if self.emissions_kg is None or self.energy_kwh == 0:
            return None
        factor = self.emissions_kg * GRAMS_PER_KILOGRAM / self.energy_kwh
        return factor.quantize(Decimal("0.001")) if factor <= MAX_QUANTITY else None


def is_emissions_csv(raw: bytes) -> bool:
    """Whether the first line is, or was once, the header of CodeCarbon's log: then it has to be read, or refused."""
    beginning = raw[:HEADER_BYTES].replace(b"\x00", b"").lower().lstrip()
    return any(mark in beginning.partition(b"\n")[0] for mark in MARKS)


def parse_emissions_csv(raw: bytes) -> tuple[LogLine, ...]:
    """The runs in an ``emissions.csv`` of CodeCarbon, in file order.

    The file has 31 columns in releases of 2024 and 38 in those of 2026; names decide, not places. Raises MalformedLog.
    """
    rows = _rows_of(text_of(raw))
    header = _checked_header(rows[0])
    lines = tuple(_line_of(_named_cells(header, row, number)) for number, row in enumerate(rows[1:], start=2))
    if not lines:
        raise MalformedLog("the log names no run", found="a header only", expected="one row for each run")
    refuse_repeated("run_id", [line.run_id for line in lines], hint="run CodeCarbon with on_csv_write='update'")
    return lines


def _rows_of(text: str) -> list[list[str]]:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise MalformedLog("the log is no CSV", found=str(error)) from error
    if not rows:
        raise MalformedLog("the log is empty", expected="an emissions.csv of CodeCarbon")
    return rows


def _checked_header(header: Sequence[str]) -> Sequence[str]:
    missing = [name for name in REQUIRED_COLUMNS if name not in header]
    if missing:
        raise MalformedLog(
            "the log lacks a column",
            found=f"{len(header)} columns without {', '.join(missing)}",
            expected="an emissions.csv of CodeCarbon",
        )
    refuse_repeated("column", header, hint="deposit the file as the tool wrote it")
    return header


def _named_cells(header: Sequence[str], row: Sequence[str], number: int) -> Mapping[str, str]:
    if len(row) != len(header):
        raise MalformedLog(
            f"row {number} does not fit the header", found=f"{len(row)} cells", expected=f"{len(header)} cells"
        )
    if any(len(cell) > MAX_CELL_CHARACTERS for cell in row):
        raise MalformedLog(f"row {number} has an overlong cell", expected=f"at most {MAX_CELL_CHARACTERS} characters")
    return dict(zip(header, row, strict=True))


def _line_of(cells: Mapping[str, str]) -> LogLine:
    return LogLine(
        run_id=_filled(cells, "run_id"),
        project_name=_filled(cells, "project_name"),
        energy_kwh=_quantity(cells, "energy_consumed"),
        duration_s=_quantity(cells, "duration"),
        emissions_kg=_quantity(cells, "emissions") if cells.get("emissions") else None,
        country=cells.get("country_iso_code") or None,
        tool_version=cells.get("codecarbon_version") or None,
        # A release that has no such column multiplied nothing in.
        pue=_quantity(cells, "pue") if "pue" in cells else Decimal(1),
        ended_at_local=_local_time(cells),
    )


def _filled(cells: Mapping[str, str], name: str) -> str:
    if not cells[name]:
        raise MalformedLog(f"the cell {name} is empty")
    return cells[name]


def _quantity(cells: Mapping[str, str], name: str) -> Decimal:
    return quantity_of(cells[name], f"the cell {name}")


def _local_time(cells: Mapping[str, str]) -> str:
    text = cells["timestamp"]
    if not (LOCAL_TIME.fullmatch(text) and is_time(text)):
        raise MalformedLog("the cell timestamp is no local time", found=text[:60], expected="as 2026-11-22T20:42:19")
    return text
