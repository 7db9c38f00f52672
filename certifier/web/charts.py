"""Where the marks of a drawing stand, in hundredths of its width. The templates draw them; a table always says the same.

Geometry is for the eye: nothing here is compared with a limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import log10

from certifier.web.documents import FootprintView
from certifier.web.words import DECISIONS, STAGES

LEAST, MOST = 1, 300
NUMBERED = (1, 3, 10, 30, 100, 300)


@dataclass(frozen=True)
class Segment:
    """A part of the stacked bar. ``is_estimated``: it rests on default values, so it is hatched."""

    stage: str
    name: str
    is_estimated: bool
    grams_per_min: Decimal
    share: Decimal
    left: Decimal


@dataclass(frozen=True)
class Tick:
    left: float
    label: str


@dataclass(frozen=True)
class Zone:
    """What is within the limit of an outcome."""

    outcome: str
    name: str
    limit: str
    left: float
    width: float


@dataclass(frozen=True)
class Scale:
    """A logarithmic ruler from 1 to 300 g per minute."""

    ticks: tuple[Tick, ...]
    zones: tuple[Zone, ...]


@dataclass(frozen=True)
class MarkedScale(Scale):
    """The ruler with a figure on it."""

    central: float
    assessed: float


def place_of(grams_per_min: str) -> float:
    """The place of a figure on the ruler, 0 to 100; what lies beyond an end stands at the end."""
    value = min(max(float(grams_per_min), LEAST), MOST)
    return round(100 * log10(value / LEAST) / log10(MOST / LEAST), 2)


def limits_scale(limits: Mapping[str, str]) -> Scale:
    """The ruler alone; ``limits`` are those of the outcomes to show, rising."""
    steps = [digit * 10**power for power in range(3) for digit in range(1, 10)]
    ticks = tuple(Tick(place_of(str(step)), str(step) if step in NUMBERED else "") for step in steps if step <= MOST)
    return Scale(ticks, tuple(_zones(limits)))


def scale_of(central: str, assessed: str, limits: Mapping[str, str]) -> MarkedScale:
    """The ruler with a figure."""
    ruler = limits_scale(limits)
    return MarkedScale(ruler.ticks, ruler.zones, place_of(central), place_of(assessed))


def _zones(limits: Mapping[str, str]) -> Iterator[Zone]:
    left = 0.0
    for outcome, limit in limits.items():
        end = place_of(limit)
        yield Zone(outcome, DECISIONS[outcome][0], limit, left, round(end - left, 2))
        left = end


def segments_of(footprint: FootprintView) -> tuple[Segment, ...]:
    """The best estimate by stage, estimated parts apart, in the order of the stages."""
    total = Decimal(footprint.total_g)
    minutes = Decimal(footprint.counted_minutes)
    left = Decimal(0)
    segments = []
    for stage, is_estimated, grams in _parts(footprint):
        share = 100 * grams / total if total else Decimal(0)
        per_minute = grams / minutes if minutes else Decimal(0)
        segments.append(Segment(stage, STAGES[stage], is_estimated, _cut(per_minute), _cut(share), _cut(left)))
        left += share
    return tuple(segments)


def _parts(footprint: FootprintView) -> Iterator[tuple[str, bool, Decimal]]:
    by_name = {stage.stage: stage for stage in footprint.stages}
    for name in STAGES:
        items = by_name[name].items if name in by_name else []
        for is_estimated in (False, True):
            grams = [Decimal(item.central_g) for item in items if (item.quality == "default") is is_estimated]
            if sum(grams):
                yield name, is_estimated, sum(grams, Decimal(0))


def _cut(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))
