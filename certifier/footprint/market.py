"""The market-based line (7.2): what the electricity would count with if instruments that match it counted.

The line stands beside the figure and touches neither figure, class nor rating. It is shown only if every instrument of the
report is complete, retired for a named beneficiary, of country and year of use, within the electricity used there then,
and used once. Whether another certificate holds an instrument is the issuer's word, in the ledger of the decision record.
Electricity of a service is never matched: its place and time are the service's, not the applicant's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from certifier.footprint.model import LineItem, MarketBased, Matching
from certifier.footprint.parameters import MarketParameters
from certifier.footprint.terms import (
    CLAIMABLE,
    CLAIMED,
    GRID,
    MARKET_GRID,
    MATCHED,
    MATCHED_GRID,
    ONE,
    PART,
    REST,
    REST_MULTIPLE,
    WHOLE,
    FromReport,
    FromStandard,
    Term,
    product_of,
    product_term,
    sum_term,
)
from certifier.report.evidence import Evidence, instrument_key
from certifier.report.model import FOOTPRINT_STAGES, Activity, EnergyClaim, Report
from certifier.units import microseconds_of, plain

_ZERO = Decimal(0)
_MATCHINGS: tuple[Matching, ...] = ("annual", "hourly")


class _Use(NamedTuple):
    """Where and when electricity was used: a country, and the year in which the run began, at the place of its clock."""

    country: str
    year: int


@dataclass(frozen=True)
class _Claim:
    """An instrument of the report, what people call it, and its folded id, by which it is told from others."""

    claim: EnergyClaim
    pointer: str
    name: str
    key: str


def is_electricity(item: LineItem) -> bool:
    """Whether a line is the electricity of an activity."""
    return item.part in {"operation", "service"}


def market_of(
    report: Report, evidence: Evidence, parameters: MarketParameters, items: Sequence[LineItem]
) -> MarketBased | None:
    """The market-based line without its amount, or None if the report claims nothing.

    `items` are the lines of the figure. If `reasons` is not empty, the line is not shown.
    """
    if not report.energy_claims:
        return None
    claims = [
        _Claim(claim, f"/energy_claims/{place}", _id(claim) or f"claim {place + 1}", instrument_key(_id(claim)))
        for place, claim in enumerate(report.energy_claims)
    ]
    activities = [activity for activity in report.activities if activity.stage in FOOTPRINT_STAGES]
    uses = [_use_of(activity) for activity in activities]
    electricity = [item for item in items if is_electricity(item)]
    used: dict[_Use | None, Decimal] = {}
    for use, item in zip(uses, electricity, strict=True):
        used[use] = used.get(use, _ZERO) + _kwh(item)
    reasons = tuple(_reasons(claims, evidence, used))
    parts: dict[_Use, Term] = {} if reasons else _matched_parts(claims, used)
    return MarketBased(
        amount=None,
        matching=None if reasons else _weakest(claims),
        instruments=tuple(claim.name for claim in claims),
        matched_kwh=_ZERO if reasons else sum((claim.claim.kwh for claim in claims), _ZERO),
        used_kwh=sum(used.values(), _ZERO),
        items=()
        if reasons
        else tuple(
            _valued(item, parts.get(use) if use else None, parameters)
            for use, item in zip(uses, electricity, strict=True)
        ),
        reasons=reasons,
    )


def _id(claim: EnergyClaim) -> str:
    return (claim.certificate_id or "").strip()


def _use_of(activity: Activity) -> _Use | None:
    """Country and year of a run; None for a service, or where the time cannot be read."""
    if activity.location is None or microseconds_of(activity.started_at) is None:
        return None
    return _Use(activity.location.country, int(activity.started_at[:4]))


def _kwh(item: LineItem) -> Decimal:
    """The electricity of a line, with coverage, overhead and share."""
    return product_of(term for term in item.terms if term.quantity is not GRID)


# --- whether the line is shown ---


def _reasons(claims: Sequence[_Claim], evidence: Evidence, used: Mapping[_Use | None, Decimal]) -> Iterator[str]:
    """Why the line is not shown, instrument by instrument, then by country and year."""
    held = {instrument_key(name) for name in evidence.ledger.claims_used or ()}
    times = Counter(claim.key for claim in claims)
    for claim in claims:
        faults = _faults(claim.claim, evidence, used)
        yield from (f"{claim.name}: {fault}" for fault in faults)
        if claim.key and times[claim.key] > 1:
            yield f"{claim.name}: this certificate id stands more than once in the report"
        if claim.key in held:
            yield f"{claim.name}: another certificate already uses this instrument"
    for use, kwh in _claimed(claims).items():
        if use in used and kwh > used[use]:
            yield (
                f"{use.country} {use.year}: {plain(kwh)} kWh are claimed, and {plain(round(used[use], 9))} kWh were used"
            )


def _faults(claim: EnergyClaim, evidence: Evidence, used: Mapping[_Use | None, Decimal]) -> Iterator[str]:
    """What one instrument lacks."""
    if not instrument_key(_id(claim)):
        yield "its certificate id is not stated"
    if not (claim.beneficiary or "").strip():
        yield "it is not said for whom it was retired"
    retired, now = _moment(claim.retired_on or ""), microseconds_of(evidence.now)
    if retired is None or now is None or retired > now:
        yield "it was not retired on a day before the decision"
    if claim.matching not in _MATCHINGS:
        yield "it is not said whether it matches by year or by hour: annual or hourly is expected"
    if not (claim.kwh.is_finite() and claim.kwh > 0):
        yield "it holds no electricity"
    if claim.country not in {use.country for use in used if use}:
        yield f"no electricity was used in its market, {claim.country or 'which is not stated'}"
    elif not any(use == (claim.country, claim.vintage) for use in used):
        yield f"no electricity was used in {claim.country} in its year, {claim.vintage or 'which is not stated'}"


def _moment(text: str) -> int | None:
    """A day or a time in microseconds since 1970, else None."""
    return microseconds_of(text if "T" in text else f"{text}T00:00:00Z")


def _claimed(claims: Sequence[_Claim]) -> dict[_Use, Decimal]:
    """Kilowatt-hours of the instruments by country and year."""
    claimed: dict[_Use, Decimal] = {}
    for claim in (each.claim for each in claims):
        if claim.country is not None and claim.vintage is not None:
            use = _Use(claim.country, claim.vintage)
            claimed[use] = claimed.get(use, _ZERO) + claim.kwh
    return claimed


def _weakest(claims: Sequence[_Claim]) -> Matching:
    """What may be said of all instruments together: by hour only if each is."""
    return "hourly" if all(claim.claim.matching == "hourly" for claim in claims) else "annual"


# --- what it says ---


def _matched_parts(claims: Sequence[_Claim], used: Mapping[_Use | None, Decimal]) -> dict[_Use, Term]:
    """How much of the electricity of each country and year the instruments match, spread evenly over it."""
    parts: dict[_Use, Term] = {}
    for use, kwh in _claimed(claims).items():
        pointers = [each.pointer for each in claims if use == (each.claim.country, each.claim.vintage)]
        # Several are told as their sum: each of a thousand lines would else list each of a thousand instruments.
        origin = FromReport(f"{pointers[0]}/kwh" if len(pointers) == 1 else "/energy_claims")
        whole = Term(
            CLAIMABLE, used[use], FromStandard("the electricity used there then, E x c x p x a", "7.2"), "over"
        )
        parts[use] = product_term(MATCHED, Term(CLAIMED, kwh, origin), whole)
    return parts


def _valued(item: LineItem, matched: Term | None, parameters: MarketParameters) -> LineItem:
    """A line of electricity by the market: what is matched, and the rest."""
    location = next(term for term in item.terms if term.quantity is GRID)
    multiple = Term(REST_MULTIPLE, parameters.rest_multiple, FromStandard("parameters.market.rest_multiple", "7.2"))
    if matched is None:
        grid = product_term(MARKET_GRID, multiple, location)
    else:
        origin = FromStandard("parameters.market.matched_g_per_kwh", "7.2")
        rest = sum_term(REST, Term(WHOLE, ONE, None, "plus"), matched._replace(how="minus"))
        grid = sum_term(
            MARKET_GRID,
            product_term(PART, matched, Term(MATCHED_GRID, parameters.matched_g_per_kwh, origin), how="plus"),
            product_term(PART, rest, multiple, location, how="plus"),
        )
    terms = tuple(grid if term is location else term for term in item.terms)
    central_g = product_of(terms)
    return replace(item, terms=terms, central_g=central_g, upper_g=central_g * item.factor)
