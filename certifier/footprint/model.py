"""What a calculation gives: every line item with its terms and their origins, and the figures made of them.

Grams are grams CO2e. `central` is the best estimate, `upper` the bound that is compared with a limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from certifier.footprint.terms import short_formula

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from certifier.footprint.factors import FactorRow
    from certifier.footprint.terms import Term

Stage = Literal["data", "training", "fine_tuning", "inference", "storage", "embodied", "post_production"]
Part = Literal["operation", "embodied", "training", "data", "storage", "service"]
Side = Literal["consumer", "provider"]
Quality = Literal["primary", "default", "other"]
Rating = Literal["A", "B", "C"]
Matching = Literal["annual", "hourly"]


@dataclass(frozen=True)
class Amount:
    """Best estimate and upper bound, in grams per minute of finished music."""

    central: Decimal
    upper: Decimal


@dataclass(frozen=True)
class LineItem:
    """One line of the calculation, in grams: the product of `terms` is `central_g`, that times `factor` is `upper_g`.

    `stage` is the row of section 3 that the grams belong to, `subject` the activity or model that they come from,
    `formula` the terms in numbers. `uncertainty` are the terms whose product is `factor`.
    """

    stage: Stage
    subject: str
    part: Part
    central_g: Decimal
    upper_g: Decimal
    factor: Decimal
    terms: tuple[Term, ...]
    uncertainty: tuple[Term, ...]
    rows: tuple[FactorRow, ...]
    side: Side
    quality: Quality

    @cached_property
    def formula(self) -> str:
        return short_formula(self.terms)

    def __str__(self) -> str:
        return f"{self.stage}: {self.formula} = {self.central_g:.6f} g; x {self.factor} = {self.upper_g:.6f} g"


@dataclass(frozen=True)
class MarketBased:
    """The market-based line beside the figure (7.2). It is compared with nothing.

    `amount` is None where the line is not shown, and `reasons` say why. `items` are the electricity lines of the figure,
    valued by the market; all other lines are those of the figure. `matched_kwh` of `used_kwh` are matched by instruments.
    """

    amount: Amount | None
    matching: Matching | None
    instruments: tuple[str, ...]
    matched_kwh: Decimal
    used_kwh: Decimal
    items: tuple[LineItem, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class ActivityFigures:
    """What the tables and the clock say about one activity (4.9). A missing value could not be computed.

    `pue` is the counted PUE; `overhead` is what the energy is multiplied by, which differs if the energy already holds
    a PUE. `kwh` is the energy times the share of this track, before coverage and overhead.
    """

    activity: str
    grid_key: str
    grid_g: Decimal
    grid_rows: tuple[FactorRow, ...]
    pue_table: Decimal
    pue: Decimal
    overhead: Decimal
    coverage: Decimal
    share: Decimal
    kwh: Decimal
    power_w: Decimal | None
    tdp_w: Decimal
    devices: int
    span_s: Decimal | None
    service_default: bool


@dataclass(frozen=True)
class Footprint:
    """The AI generation footprint of one track, from line items to the printed figure.

    `counted` is R, the minutes that the grams are divided by, with its origin; `counted_minutes` is its value.
    `central` and `assessed` have two decimals and are what is printed and compared; the exact ones have nine.
    """

    items: tuple[LineItem, ...]
    post_items: tuple[LineItem, ...]
    activities: tuple[ActivityFigures, ...]
    counted: Term
    counted_minutes: Decimal
    total_g: Decimal
    central: Decimal
    assessed: Decimal
    central_exact: Decimal
    upper_exact: Decimal
    consumer: Amount
    provider: Amount
    by_stage: Mapping[Stage, Amount]
    rating: Rating
    default_g_per_min: Decimal
    calculated: bool
    post_production: Amount | None
    market_based: MarketBased | None
    kwh_per_generated_minute: Decimal
    kwh_weighted_grid: Decimal
    claimable_kwh: Decimal
    lifetime_minutes: Mapping[str, Decimal]
