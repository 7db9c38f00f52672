"""EcoLogits' impacts of requests to a service, as JSON: bytes in, the energy of each request out.

The energy holds the PUE of the provider, which is not written down. Values may be ranges; then the upper end counts. The
embodied part is read to be shown, and is never taken: the label counts hardware by its own tables (LCAL 4.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import MalformedJson, MalformedLog
from certifier.report.rawlogs.text import MAX_LOG_BYTES, MAX_QUANTITY, plain

GRAMS_PER_KILOGRAM = 1000
LIMITS = Limits(max_bytes=MAX_LOG_BYTES, max_depth=8, max_nodes=200_000)


@dataclass(frozen=True)
class RequestImpacts:
    """One request as EcoLogits modelled it; ``energy_kwh`` holds the provider's PUE, and each value is the highest."""

    name: str
    energy_kwh: Decimal
    usage_kg: Decimal
    embodied_kg: Decimal | None

    @property
    def grid_gco2e_per_kwh(self) -> Decimal | None:
        """The factor that the tool seems to have used, to 0.001 g. It is never used by the label (LCAL section 7.1)."""
        return grid_of([self])


def grid_of(requests: list[RequestImpacts]) -> Decimal | None:
    """The factor of all of the requests together; None where they used no energy."""
    energy = sum(request.energy_kwh for request in requests)
    if energy == 0:
        return None
    factor = sum(request.usage_kg for request in requests) * GRAMS_PER_KILOGRAM / energy
    return plain(factor.quantize(Decimal("0.001"))) if factor <= MAX_QUANTITY else None


def parse_impacts(raw: bytes) -> tuple[RequestImpacts, ...]:
    """The requests in a file: the impacts of one, or an object with the impacts of each by a name. Raises MalformedLog."""
    try:
        value = parse_object(raw, LIMITS)
    except MalformedJson as error:
        raise MalformedLog("the log is not the JSON that EcoLogits writes", found=error.message) from error
    by_name = {"request": value} if "energy" in value else value
    if not by_name:
        raise MalformedLog("the log names no request", expected="the impacts of one request or more")
    return tuple(_request_of(name, impacts) for name, impacts in by_name.items())


def _request_of(name: str, impacts: Any) -> RequestImpacts:
    if not isinstance(impacts, dict):
        raise MalformedLog("this is no impact of EcoLogits", found=f"{name[:60]!r}", expected="energy, usage, embodied")
    where = f"{name[:60]!r}"
    embodied = impacts.get("embodied")
    return RequestImpacts(
        name=name,
        energy_kwh=_highest(impacts, "energy", "kWh", where),
        usage_kg=_highest(impacts.get("usage"), "gwp", "kgCO2eq", f"usage of {where}"),
        embodied_kg=None if embodied is None else _highest(embodied, "gwp", "kgCO2eq", f"embodied of {where}"),
    )


def _highest(impacts: Any, name: str, unit: str, where: str) -> Decimal:
    impact = impacts.get(name) if isinstance(impacts, dict) else None
    if not isinstance(impact, dict) or impact.get("unit") != unit:
        raise MalformedLog(f"{where} has no {name} in {unit}", expected="the impacts as EcoLogits writes them")
    value = impact.get("value")
    ends = [value.get("min"), value.get("max")] if isinstance(value, dict) else [value]
    return max(_quantity(end, f"the {name} of {where}") for end in ends)


def _quantity(value: Any, what: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= MAX_QUANTITY:
        raise MalformedLog(f"{what} is no quantity", found=repr(value)[:60], expected="a number from 0 to 1e12")
    return Decimal(value)
