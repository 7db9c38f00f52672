"""Impact Framework's outputs as measured activities: one for each output.

Time, duration and energy are taken, and the grid factor as a declared one that is never used. Embodied carbon, carbon and SCI
are never taken. The manifest does not say how the energy was found, nor what of the machine it covers: method ``modelled``,
coverage ``accelerator``, the least that can be said.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from certifier.errors import MalformedLog
from certifier.measure.activity import MeasuredActivity
from certifier.report.rawlogs.impact_framework import Output

if TYPE_CHECKING:
    from certifier.measure.importers.purpose import Purpose

TOOL_NAME = "impact-framework"


def activity_of_output(output: Output, purpose: Purpose) -> MeasuredActivity:
    """The output with its purpose. Raises MalformedLog for one that ends outside of any calendar."""
    try:
        ended_at = output.started_at + timedelta(seconds=float(output.duration_s))
    except OverflowError as error:
        raise MalformedLog("the run ends after any calendar", found=f"{output.duration_s} s") from error
    return MeasuredActivity(
        id=purpose.id,
        run_id=output.run_id,
        stage=purpose.stage,
        model=purpose.model,
        idle=purpose.idle,
        started_at=output.started_at,
        ended_at=ended_at,
        duration_s=output.duration_s,
        energy_kwh=output.energy_kwh,
        tool_name=TOOL_NAME,
        tool_version=output.tool_version,
        coverage="accelerator",
        grid_gco2e_per_kwh=output.grid_gco2e_per_kwh,
    )
