"""CodeCarbon logs as measured activities, for studios that ran CodeCarbon themselves.

A row says how much and how long. It does not say what the run was for, nor in which time zone its clock stood, nor
whether a sensor was read: an unknown processor becomes a few watts a thread and the row looks like any other. So the
caller states purpose and zone, and every row counts as ``modelled``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from certifier.errors import MalformedLog
from certifier.measure.activity import MeasuredActivity
from certifier.report.rawlogs import LogLine, parse_emissions_csv

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from certifier.measure.importers.purpose import Purpose

TOOL_NAME = "codecarbon"


def activities_of_log(raw: bytes, purposes: Mapping[str, Purpose], zone: tzinfo) -> tuple[MeasuredActivity, ...]:
    """An activity for each row of an ``emissions.csv``; ``purposes`` by run id, ``zone`` of the machine's clock.

    Raises MalformedLog for a log that cannot be read, and for a run without a purpose: no run may be left out.
    """
    lines = parse_emissions_csv(raw)
    for line in lines:
        if line.run_id not in purposes:
            raise MalformedLog(
                "a run of the log has no purpose", found=line.run_id[:60], hint="say what each run was for"
            )
    return tuple(activity_of_line(line, purposes[line.run_id], zone) for line in lines)


def activity_of_line(line: LogLine, purpose: Purpose, zone: tzinfo) -> MeasuredActivity:
    """One row with its purpose. The row's time is the end of the run, to the second. Raises MalformedLog."""
    if line.tool_version is None:
        raise MalformedLog("the log does not name the release of CodeCarbon", expected="a codecarbon_version")
    started_at, ended_at = _span_of(line, zone)
    return MeasuredActivity(
        id=purpose.id,
        run_id=line.run_id,
        stage=purpose.stage,
        model=purpose.model,
        idle=purpose.idle,
        started_at=started_at,
        ended_at=ended_at,
        duration_s=line.duration_s,
        energy_kwh=line.energy_kwh,
        tool_name=TOOL_NAME,
        tool_version=line.tool_version,
        pue=line.pue if line.pue_included else None,
        grid_gco2e_per_kwh=line.grid_gco2e_per_kwh,
    )


def _span_of(line: LogLine, zone: tzinfo) -> tuple[datetime, datetime]:
    ended_at = datetime.fromisoformat(line.ended_at_local).replace(tzinfo=zone)
    try:
        return ended_at - timedelta(seconds=float(line.duration_s)), ended_at
    except OverflowError as error:
        raise MalformedLog("the run began before any calendar", found=f"{line.duration_s} s") from error
