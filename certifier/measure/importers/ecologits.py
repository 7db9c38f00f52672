"""EcoLogits' impacts as one measured activity: the requests of a file, between two times that the caller states.

The file has no time, no release and no run. Its energy holds the PUE of the provider, which it does not name. The requests
ran on machines that others used too. The embodied part is never taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from certifier.errors import MalformedLog
from certifier.measure.activity import MeasuredActivity
from certifier.report.rawlogs.ecologits import RequestImpacts, grid_of
from certifier.report.rawlogs.text import run_id_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from certifier.measure.importers.purpose import Purpose

TOOL_NAME = "ecologits"


@dataclass(frozen=True)
class Session:
    """When the requests were made and by which release of EcoLogits they were modelled; the times carry a zone."""

    tool_version: str
    started_at: datetime
    ended_at: datetime


def activity_of_requests(requests: Sequence[RequestImpacts], purpose: Purpose, session: Session) -> MeasuredActivity:
    """All requests of a file together. Raises MalformedLog for times that do not run forward."""
    span = session.ended_at - session.started_at
    if span.total_seconds() <= 0:
        raise MalformedLog(
            "the requests end before they start",
            found=f"{session.started_at} to {session.ended_at}",
            expected="forward",
        )
    energy_kwh = sum((request.energy_kwh for request in requests), start=Decimal(0))
    return MeasuredActivity(
        id=purpose.id,
        run_id=run_id_of(TOOL_NAME, session.started_at, session.ended_at, energy_kwh.normalize()),
        stage=purpose.stage,
        model=purpose.model,
        idle=purpose.idle,
        started_at=session.started_at,
        ended_at=session.ended_at,
        duration_s=Decimal(str(span.total_seconds())),
        energy_kwh=energy_kwh,
        tool_name=TOOL_NAME,
        tool_version=session.tool_version,
        shared_service=True,
        pue_unstated=True,
        grid_gco2e_per_kwh=grid_of(list(requests)),
    )
