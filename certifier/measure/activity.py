"""A measured activity, and its shape in an emission report (LCAL 1.0.0 section 15).

What measuring yields and what only the person in charge can say (place, hardware) meet here and nowhere else. No
measuring tool is imported; ``session`` and ``importers`` make the values.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

Stage = Literal["data", "training", "fine_tuning", "inference", "post_production"]
Method = Literal["metered", "sensor", "provider", "modelled"]
Coverage = Literal["wall", "system", "accelerator"]
Site = Literal["local", "datacentre"]

UNKNOWN_COUNTRY = "ZZZ"  # ISO 3166-1 leaves ZZA to ZZZ to users; no table has a row, so the worst grid counts


@dataclass(frozen=True)
class Place:
    """Where the machine stood, as stated by the person in charge (LCAL section 4.4)."""

    country: str = UNKNOWN_COUNTRY
    site: Site = "datacentre"
    subdivision: str | None = None
    provider: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class Hardware:
    """Devices by a name of the standard's tables; a name that they lack counts as the worst device."""

    name: str
    count: int = 1


@dataclass(frozen=True)
class MeasuredActivity:
    """One run of one machine: what it was for, when, and the electricity that went into it.

    ``pue`` is what the energy already holds beyond the machine (None: nothing, or ``pue_unstated``). Times carry a zone.
    """

    id: str
    run_id: str
    stage: Stage
    model: str
    idle: bool
    started_at: datetime
    ended_at: datetime
    duration_s: Decimal
    energy_kwh: Decimal
    tool_name: str
    tool_version: str
    method: Method = "modelled"
    coverage: Coverage = "system"
    shared_service: bool = False
    pue: Decimal | None = None
    pue_unstated: bool = False
    grid_gco2e_per_kwh: Decimal | None = None


def to_report_activity(measured: MeasuredActivity, place: Place, hardware: Sequence[Hardware]) -> dict[str, Any]:
    """The activity as section 15 writes it: quantities as decimal text, share 1, since it served one track alone."""
    activity: dict[str, Any] = {
        "id": measured.id,
        "run_id": measured.run_id,
        "model": measured.model,
        "stage": measured.stage,
        "started_at": rfc3339(measured.started_at),
        "ended_at": rfc3339(measured.ended_at),
        "method": measured.method,
        "duration_s": decimal_text(measured.duration_s),
        "energy_kwh": decimal_text(measured.energy_kwh),
        "coverage": measured.coverage,
        "shared_service": measured.shared_service,
        "tool": {"name": measured.tool_name, "version": measured.tool_version},
        "location": _to_location(place),
        "pue_included": measured.pue is not None or measured.pue_unstated,
        "hardware": [{"name": line.name, "count": line.count} for line in hardware],
        "allocation_share": "1",
        "allocation_method": "whole",
    }
    return activity | _optional_fields(measured)


def _optional_fields(measured: MeasuredActivity) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if measured.stage == "inference":
        fields["idle"] = measured.idle
    if measured.pue is not None:
        fields["pue"] = decimal_text(measured.pue)
    if measured.grid_gco2e_per_kwh is not None:
        fields["grid_gco2e_per_kwh"] = decimal_text(measured.grid_gco2e_per_kwh)
    return fields


def _to_location(place: Place) -> dict[str, str]:
    named = {"subdivision": place.subdivision, "provider": place.provider, "region": place.region}
    return {"country": place.country, "site": place.site} | {k: v for k, v in named.items() if v is not None}


def decimal_text(quantity: Decimal) -> str:
    """Plain digits without an exponent, every digit kept."""
    return format(quantity, "f")


def rfc3339(moment: datetime) -> str:
    """UTC to the millisecond, as 2026-11-22T20:42:19.000Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
