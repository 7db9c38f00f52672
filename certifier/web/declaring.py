"""What the form for a self-declared report offers to choose from: devices and places of the newest standard's tables.

The names are those of the tables, so that a report made in a browser is judged by the rows that its maker chose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from babel import Locale
from babel.core import get_global

from certifier.footprint.factors import UNKNOWN_ACCELERATOR, Factors, GridRow, HardwareRow
from certifier.units import plain
from certifier.web.language import N_, gettext, language

# The machines without a graphics card, in the words of those who own them.
MACHINES = {
    "cpu-laptop": N_("Laptop, its processor alone"),
    "cpu-desktop": N_("Desktop computer, its processor alone"),
    "cpu-server": N_("Server, its processors alone"),
}
PROVIDERS = {
    "aws": "Amazon Web Services",
    "azure": "Microsoft Azure",
    "gcp": "Google Cloud",
    "hetzner": "Hetzner",
    "ovhcloud": "OVHcloud",
    "scaleway": "Scaleway",
}


@dataclass(frozen=True)
class Device:
    """A row of the hardware tables and its highest power in whole watts."""

    name: str
    label: str
    watts: str


@dataclass(frozen=True)
class Place:
    """A row of the grid table; it belongs to a country or a provider, ``within``; ``country`` is ISO 3166-1 alpha-3."""

    key: str
    label: str
    within: str
    country: str


@dataclass(frozen=True)
class Choices:
    """All that the form offers. A device that is not offered counts with ``unknown_watts``."""

    machines: tuple[Device, ...]
    cards: tuple[Device, ...]
    unknown_watts: str
    countries: tuple[Place, ...]
    subdivisions: tuple[Place, ...]
    regions: dict[str, tuple[Place, ...]]


def choices_of(factors: Factors) -> Choices:
    """The choices in the language of this answer, each list by its labels."""
    rows = {row.name: row for row in factors.hardware.values()}
    places = list(factors.grid.values())
    regions = _sorted(_place(row, row.region) for row in places if row.kind == "cloud_region")
    return Choices(
        machines=tuple(_device(rows[name], gettext(label)) for name, label in MACHINES.items() if name in rows),
        cards=tuple(
            _device(row, row.name)
            for row in sorted(rows.values(), key=lambda row: row.name.casefold())
            if row.kind == "accelerator" and row.name != UNKNOWN_ACCELERATOR
        ),
        unknown_watts=_watts(rows[UNKNOWN_ACCELERATOR]),
        countries=_sorted(_place(row, _country_name(row.country)) for row in places if row.kind == "country"),
        subdivisions=_sorted(_place(row, row.subdivision) for row in places if row.kind == "subdivision"),
        regions={
            name: tuple(region for region in regions if region.within == provider)
            for provider, name in PROVIDERS.items()
            if any(region.within == provider for region in regions)
        },
    )


def _device(row: HardwareRow, label: str) -> Device:
    return Device(row.name, label, _watts(row))


def _watts(row: HardwareRow) -> str:
    return plain(row.tdp_w) if row.tdp_w is not None else "0"


def _place(row: GridRow, label: str) -> Place:
    return Place(row.key, label, row.provider or row.country, row.country)


def _sorted(places: Iterator[Place]) -> tuple[Place, ...]:
    return tuple(sorted(places, key=lambda place: (place.label.casefold(), place.key)))


def _country_name(alpha_3: str) -> str:
    """The country's name as the reader's language has it (CLDR); its code where that knows none."""
    alpha_2 = get_global("territory_aliases").get(alpha_3, [alpha_3])[0]
    return str(Locale.parse(language()).territories.get(alpha_2, alpha_3))
