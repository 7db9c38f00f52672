"""CarbonTracker's logs as measured activities: one for each pair of logs.

The total is taken as the tool printed it, with its PUE of 1.58, and said to hold it. A processor that the tool does not know
is given a power that the log shows like any other, so every run counts as ``modelled``. It reads chips and not the machine
around them: coverage ``accelerator``, the least that can be said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from certifier.measure.activity import MeasuredActivity
from certifier.report.rawlogs.carbontracker import TrackedRun

if TYPE_CHECKING:
    from datetime import tzinfo

    from certifier.measure.importers.purpose import Purpose

TOOL_NAME = "carbontracker"


def activity_of_run(run: TrackedRun, purpose: Purpose, zone: tzinfo) -> MeasuredActivity:
    """The run with its purpose; ``zone`` is that of the machine's clock."""
    return MeasuredActivity(
        id=purpose.id,
        run_id=run.run_id,
        stage=purpose.stage,
        model=purpose.model,
        idle=purpose.idle,
        started_at=run.started_at_local.replace(tzinfo=zone),
        ended_at=run.ended_at_local.replace(tzinfo=zone),
        duration_s=run.duration_s,
        energy_kwh=run.energy_kwh,
        tool_name=TOOL_NAME,
        tool_version=run.tool_version,
        coverage="accelerator",
        pue=run.pue,
        grid_gco2e_per_kwh=run.grid_gco2e_per_kwh,
    )
