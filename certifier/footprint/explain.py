"""A footprint as an explanation: every line with its terms and their origins, the way from lines to figure, the rest.

`explanation_document` gives plain values (decimals as strings), ready for JSON and for people; what it looks like on a
page or in a terminal is left to others. `reconciliation_of` goes the whole way again in fractions, from the numbers at the
ends of every line to the printed figure, so that nobody has to believe a sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from certifier.footprint.factors import FactorRow
from certifier.footprint.terms import (
    TRAINING,
    FromRecord,
    FromReport,
    FromStandard,
    FromStatement,
    exact_product_of,
    exact_value_of,
    formula_in_letters,
    formula_in_numbers,
    leaves_of,
)
from certifier.units import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from certifier.footprint.factors import Source
    from certifier.footprint.model import Amount, Footprint, LineItem, MarketBased
    from certifier.footprint.parameters import Parameters
    from certifier.footprint.terms import Origin, Term

FORM = "lcal-explanation/1"
UNIT = "g CO2e per minute of finished music"

STAGES = {
    "inference": "Inference: all takes, and what models did to them",
    "fine_tuning": "Fine-tuning for this artist or project",
    "training": "Training of the models",
    "data": "Training data",
    "storage": "Storage for a year",
    "embodied": "Manufacture of the machines, by the time of their use",
    "post_production": "Post-production, beside the figure",
}
PARTS = {
    "operation": "Electricity",
    "service": "Electricity of the service",
    "embodied": "Manufacture",
    "training": "Training",
    "data": "Data, as a part of training",
    "storage": "Keeping finished and discarded minutes",
}
QUALITIES = {"primary": "measured or stated", "default": "default value", "other": "by tables or models"}

_NINE_DIGITS = Context(prec=9)
_BILLION = 10**9


# --- the way from lines to figure (4.8) ---


@dataclass(frozen=True)
class Step:
    """One step: what is done, and its exact and printed results for best estimate and upper bound, in `unit`."""

    name: str
    how: str
    unit: str
    central: Fraction
    upper: Fraction
    central_printed: str
    upper_printed: str


def reconciliation_of(footprint: Footprint) -> tuple[Step, ...]:
    """Lines to stages, total, minutes, nine decimals, figure; the last step is what the certificate prints (4.8)."""
    lines = [_exact_grams(item) for item in footprint.items]
    steps = []
    for stage in dict.fromkeys(item.stage for item in footprint.items):
        own = [grams for item, grams in zip(footprint.items, lines, strict=True) if item.stage == stage]
        steps.append(_step(f"stage {stage}", f"sum of {_counted(len(own), 'line')}", "g", *_sums(own)))
    central, upper = _sums(lines)
    steps.append(_step("total", f"sum of {_counted(len(steps), 'stage')}", "g", central, upper))
    minutes = exact_value_of(footprint.counted)
    central, upper = central / minutes, upper / minutes
    steps.append(_step("per minute", f"total / {_minutes(footprint.counted)} min", "g/min", central, upper))
    central, upper = Fraction(round(central * _BILLION), _BILLION), Fraction(round(upper * _BILLION), _BILLION)
    steps.append(_step("nine decimals", "rounded, half to even", "g/min", central, upper))
    central, upper = (
        Fraction((central * 100 + Fraction(1, 2)).__floor__(), 100),
        Fraction((upper * 100).__ceil__(), 100),
    )
    steps.append(
        Step(
            "figure",
            "best estimate half up, at most up",
            "g/min",
            central,
            upper,
            _places(central, 2),
            _places(upper, 2),
        )
    )
    return tuple(steps)


def _step(name: str, how: str, unit: str, central: Fraction, upper: Fraction) -> Step:
    return Step(name, how, unit, central, upper, _places(central, 9), _places(upper, 9))


def _exact_grams(item: LineItem) -> tuple[Fraction, Fraction]:
    central = exact_product_of(item.terms)
    return central, central * exact_product_of(item.uncertainty)


def _sums(grams: Iterable[tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction]:
    central, upper = Fraction(0), Fraction(0)
    for line in grams:
        central, upper = central + line[0], upper + line[1]
    return central, upper


def _places(value: Fraction, places: int) -> str:
    """A value that is not negative, with so many decimals, half to even."""
    whole, rest = divmod(round(value * 10**places), 10**places)
    return f"{whole}.{rest:0{places}d}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _minutes(counted: Term) -> str:
    return formula_in_numbers([counted])


def exact_text(value: Fraction) -> str:
    """A fraction as a decimal where it ends, else as one number over another."""
    twos, fives, rest = 0, 0, value.denominator
    while rest % 2 == 0:
        twos, rest = twos + 1, rest // 2
    while rest % 5 == 0:
        fives, rest = fives + 1, rest // 5
    places = max(twos, fives)
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    return _places(value, places) if places else str(value.numerator)


# --- the document ---


def explanation_document(
    footprint: Footprint, *, sources: Mapping[str, Source], parameters: Parameters, about: Mapping[str, Any]
) -> dict[str, Any]:
    """The whole explanation as plain values; `about` is what stands before it, such as outcome and track."""
    items = (*footprint.items, *footprint.post_items)
    return {
        "form": FORM,
        **about,
        "figure": {
            "assessed_g_per_min": str(footprint.assessed),
            "central_g_per_min": str(footprint.central),
            "unit": UNIT,
        },
        "counted_minutes": _term(footprint.counted, sources),
        "stages": [_stage(stage, footprint, sources) for stage in footprint.by_stage],
        "reconciliation": [_step_document(step) for step in reconciliation_of(footprint)],
        "sides": {"consumer": _amount(footprint.consumer), "provider": _amount(footprint.provider)},
        "rating": _rating(footprint, parameters),
        "defaults": {"g_per_min": _told(footprint.default_g_per_min), "calculated": footprint.calculated},
        "post_production": _post_production(footprint, sources),
        "market_based": _market_based(footprint.market_based, parameters, sources),
        "sources": [_source(source) for source in _used_sources(items, sources)],
    }


def _amount(amount: Amount) -> dict[str, str]:
    return {"central_g_per_min": str(amount.central), "assessed_g_per_min": str(amount.upper)}


def _told(value: Decimal) -> str:
    """A number of a calculation, to nine digits."""
    return plain(_NINE_DIGITS.plus(value))


def _stage(stage: str, footprint: Footprint, sources: Mapping[str, Source]) -> dict[str, Any]:
    own = [item for item in footprint.items if item.stage == stage]
    central, upper = _sums(map(_exact_grams, own))
    per_minute = next(amount for name, amount in footprint.by_stage.items() if name == stage)
    return {
        "stage": stage,
        "title": STAGES[stage],
        "central_g": _places(central, 9),
        "upper_g": _places(upper, 9),
        **_amount(per_minute),
        "lines": [_line(item, sources) for item in own],
    }


def _line(item: LineItem, sources: Mapping[str, Source]) -> dict[str, Any]:
    central, upper = _exact_grams(item)
    return {
        "title": PARTS[item.part],
        "subject": {"kind": _kind_of_subject(item), "id": item.subject},
        "part": item.part,
        "side": item.side,
        "quality": item.quality,
        "formula": {"letters": formula_in_letters(item.terms), "numbers": formula_in_numbers(item.terms)},
        "central_g": _places(central, 9),
        "upper_g": _places(upper, 9),
        "factor": plain(item.factor),
        "terms": [_term(term, sources) for term in item.terms],
        "uncertainty": [_term(term, sources) for term in item.uncertainty],
    }


def _kind_of_subject(item: LineItem) -> Literal["activity", "model", "track"]:
    if item.part == "storage":
        return "track"
    return "model" if item.terms[0].quantity is TRAINING else "activity"


def _term(term: Term, sources: Mapping[str, Source]) -> dict[str, Any]:
    """`how` is times, over, plus or minus; a term with parts is their sum or product, and its value is told to nine digits."""
    document: dict[str, Any] = {
        "symbol": term.quantity.symbol,
        "what": term.quantity.what,
        "value": _told(term.value) if term.parts else plain(term.value),
        "unit": term.quantity.unit,
        "how": term.how,
        "origin": _origin(term.origin, sources),
    }
    if term.parts:
        document["formula"] = formula_in_letters(term.parts) if not term.is_sum else _sum_of_letters(term)
        document["parts"] = [_term(part, sources) for part in term.parts]
    return document


def _sum_of_letters(term: Term) -> str:
    nameless = term._replace(quantity=term.quantity._replace(symbol=""))
    return formula_in_letters([nameless]).removeprefix("(").removesuffix(")")


def _origin(origin: Origin, sources: Mapping[str, Source]) -> dict[str, str] | None:
    match origin:
        case FactorRow():
            source = sources.get(origin.source_id)
            return {
                "kind": "table",
                "table": origin.table,
                "row": origin.row,
                "year": origin.year,
                "source": origin.source_id,
                "title": source.title if source else "",
                "version": source.version if source else "",
            }
        case FromReport(pointer):
            return {"kind": "report", "pointer": pointer}
        case FromRecord(pointer):
            return {"kind": "decision record", "pointer": pointer}
        case FromStandard(name, section):
            return {"kind": "standard", "name": name, "section": section}
        case FromStatement(statement, field):
            return {"kind": "statement", "statement": statement, "field": field}
    return None


def _step_document(step: Step) -> dict[str, str]:
    return {
        "step": step.name,
        "how": step.how,
        "unit": step.unit,
        "central": step.central_printed,
        "upper": step.upper_printed,
        "central_exact": exact_text(step.central),
        "upper_exact": exact_text(step.upper),
    }


def _rating(footprint: Footprint, parameters: Parameters) -> dict[str, str]:
    """The rating and the share that it rests on, in percent, never rounded up (5.2)."""
    _, total = _sums(map(_exact_grams, footprint.items))
    _, primary = _sums(_exact_grams(item) for item in footprint.items if item.quality == "primary")
    share = primary / total if total else Fraction(1)
    return {
        "rating": footprint.rating,
        "primary_percent": _places(Fraction((share * 1000).__floor__(), 10), 1),
        "a_from_percent": plain(parameters.rating.a * 100),
        "b_from_percent": plain(parameters.rating.b * 100),
    }


def _post_production(footprint: Footprint, sources: Mapping[str, Source]) -> dict[str, Any] | None:
    """None: not assessed."""
    if footprint.post_production is None:
        return None
    return {
        "title": STAGES["post_production"],
        **_amount(footprint.post_production),
        "lines": [_line(item, sources) for item in footprint.post_items],
    }


def _market_based(
    market: MarketBased | None, parameters: Parameters, sources: Mapping[str, Source]
) -> dict[str, Any] | None:
    """None: nothing is claimed."""
    if market is None:
        return None
    return {
        "shown": market.amount is not None,
        "words": market_words(market, parameters),
        **(_amount(market.amount) if market.amount else {}),
        "matching": market.matching,
        "instruments": list(market.instruments),
        "matched_kwh": _told(market.matched_kwh),
        "used_kwh": _told(market.used_kwh),
        "reasons": list(market.reasons),
        "lines": [_line(item, sources) for item in market.items],
    }


def market_words(market: MarketBased, parameters: Parameters) -> str:
    """The market-based line in words: what it says, or why it is not shown (7.2)."""
    numbers = parameters.market
    if market.amount is None or numbers is None:
        return f"Not shown. {'; '.join(market.reasons)}."
    return (
        f"At most {market.amount.upper} {UNIT} (best estimate {market.amount.central}), {market.matching} matching."
        f" {_told(market.matched_kwh)} of {_told(market.used_kwh)} kWh are matched by"
        f" {_counted(len(market.instruments), 'instrument')} and count with {plain(numbers.matched_g_per_kwh)} g/kWh;"
        f" what is not matched counts with {plain(numbers.rest_multiple)} times the factor of its place, since this standard"
        " has no table of residual mixes. It is compared with no limit and changes neither figure nor class."
        " That no other certificate uses the same instruments is for the issuer to check."
    )


def _used_sources(items: Sequence[LineItem], sources: Mapping[str, Source]) -> Iterator[Source]:
    """The sources of all numbers of the lines, each once."""
    origins = (term.origin for item in items for term in leaves_of((*item.terms, *item.uncertainty)))
    ids = dict.fromkeys(origin.source_id for origin in origins if isinstance(origin, FactorRow))
    return (sources[source_id] for source_id in sorted(ids) if source_id in sources)


def _source(source: Source) -> dict[str, str]:
    return {
        "source": source.source_id,
        "title": source.title,
        "publisher": source.publisher,
        "year": source.year,
        "version": source.version,
        "licence": source.licence,
        "attribution": source.attribution,
    }
