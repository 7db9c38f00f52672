"""What the studio is told and cannot find out: place, machine and power, from STUDIO_* variables.

A silence takes the value that is worst for the figure where the standard has one: an unknown country, a data centre.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from certifier.errors import OperatorError
from certifier.measure.activity import UNKNOWN_COUNTRY, Place, Site

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLES = Path(__file__).parents[2] / "standards" / "lcal" / "1.0.0" / "data"
DEVICE_TABLES = ("devices.csv", "cpus.csv")
DEFAULT_DEVICE = "cpu-desktop"
SITES: Mapping[str, Site] = {site: site for site in get_args(Site)}


@dataclass(frozen=True)
class Effort:
    """How much is done; the defaults take two to three minutes on two cores."""

    chorales: int = 371
    hidden_units: int = 320
    training_steps: int = 4500
    takes: int = 4
    phrases: int = 10
    sweeps: int = 240


@dataclass(frozen=True)
class StudioSettings:
    """``cpu_w``: the processor's power at full load, in watts; the nameplate of ``device`` unless stated."""

    cpu_w: Decimal
    device: str = DEFAULT_DEVICE
    place: Place = field(default_factory=Place)
    effort: Effort = field(default_factory=Effort)


def settings_from(environment: Mapping[str, str]) -> StudioSettings:
    """Settings from STUDIO_COUNTRY, STUDIO_SITE, STUDIO_DEVICE and STUDIO_CPU_POWER_W. Raises OperatorError."""
    device = environment.get("STUDIO_DEVICE", DEFAULT_DEVICE)
    stated = environment.get("STUDIO_CPU_POWER_W")
    return StudioSettings(
        cpu_w=nameplate_w(device) if stated is None else _watts(stated),
        device=device,
        place=Place(country=_country(environment), site=_site(environment)),
    )


def nameplate_w(device: str) -> Decimal:
    """The nameplate power of a device of the standard's tables. Raises OperatorError where they have none."""
    for table in DEVICE_TABLES:
        with (TABLES / table).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["name"].lower() == device.lower() and row["tdp_w"]:
                    return Decimal(row["tdp_w"])
    raise OperatorError(
        "STUDIO_DEVICE has no nameplate power in the tables",
        found=device,
        expected="a processor of devices.csv or cpus.csv",
        hint="for example cpu-laptop, cpu-desktop or cpu-server, or state STUDIO_CPU_POWER_W",
    )


def _watts(text: str) -> Decimal:
    try:
        watts = Decimal(text)
    except InvalidOperation:
        watts = Decimal("NaN")
    if not (watts.is_finite() and 1 <= watts <= 10_000):
        raise OperatorError("STUDIO_CPU_POWER_W is no power", found=text, expected="watts, from 1 to 10000")
    return watts


def _country(environment: Mapping[str, str]) -> str:
    country = environment.get("STUDIO_COUNTRY", UNKNOWN_COUNTRY)
    if not (len(country) == 3 and country.isascii() and country.isalpha() and country.isupper()):
        raise OperatorError("STUDIO_COUNTRY is no country", found=country, expected="ISO 3166-1 alpha-3, such as SWE")
    return country


def _site(environment: Mapping[str, str]) -> Site:
    site = environment.get("STUDIO_SITE", "datacentre")
    if site not in SITES:
        raise OperatorError("STUDIO_SITE is no site", found=site, expected=" or ".join(SITES))
    return SITES[site]
