"""The numbers that a line of the calculation is made of: what each one is, its value, and where it stands.

A line is a product of terms; a term may itself be a sum or a product of others, such as device and host. So a line has
its grams, its formula in letters and in numbers, and the origin of every number from one and the same value.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple

from certifier.footprint.factors import FactorRow
from certifier.units import GRAMS_PER_KILOGRAM, SECONDS_PER_HOUR, SECONDS_PER_MINUTE, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ONE = Decimal(1)
_MOST_DECIMALS = 9


class Quantity(NamedTuple):
    """A letter of the standard's formulas (4.1), what it stands for, and its unit; a ratio has none.

    `silent_at_one`: the short formula leaves it out where it changes nothing. `told_as_value`: what it is made of is shown
    only where its own value does not end within nine decimals.
    """

    symbol: str
    what: str
    unit: str = ""
    silent_at_one: bool = False
    told_as_value: bool = False


ENERGY = Quantity("E", "energy as reported", "kWh")
COVERAGE = Quantity("c", "coverage: what the reading leaves out")
OVERHEAD = Quantity("p", "overhead of the data centre (PUE)")
COUNTED_PUE = Quantity("PUE", "PUE that counts for the place")
INCLUDED_PUE = Quantity("q", "PUE that the energy already holds")
GRID = Quantity("I", "emissions of the electricity at the place", "g/kWh")
STORAGE_GRID = Quantity("I_s", "the highest emissions among the places of the inference", "g/kWh")
WEIGHT = Quantity("w", "part of the service's production at this place")
SHARE = Quantity("a", "share of this track", silent_at_one=True)
COUNT = Quantity("n", "number of devices", silent_at_one=True)
DEVICE = Quantity("k_d", "manufacture of the device", "kg")
HOST = Quantity("k_h", "manufacture of its part of the host", "kg")
MASS = Quantity("", "manufacture of device and host", "kg")
DURATION = Quantity("t", "time in use", "s")
SECONDS_USED = Quantity("t_m", "time in use for each exported minute", "s/min")
LIFE = Quantity("L", "life that the manufacture is spread over", "h")
EXPORTED = Quantity("m", "exported minutes", "min")
SERVICE_WH = Quantity("e_m", "energy of one exported minute", "Wh/min")
SERVICE_KWH = Quantity("e_m", "energy of one exported minute", "kWh/min")
EQUIPMENT = Quantity("g_m", "manufacture for each exported minute", "g/min")
SERVICE_HARDWARE = Quantity("", "manufacture for each exported minute, by device", "g/min")
MADE = Quantity("m", "minutes that the model generated for this track", "min")
LIFETIME = Quantity("T", "minutes that the training is spread over", "min", told_as_value=True)
LAST_YEAR = Quantity("T_12", "minutes generated in the last twelve months", "min")
YEARS = Quantity("y", "most years that a forecast may reach")
TRAINING = Quantity("g_t", "training for each generated minute", "g/min")
DATA_SHARE = Quantity("s_d", "data, as a part of training")
STORAGE_ENERGY = Quantity("e_s", "energy to keep one minute for a year", "kWh/min")
KEPT = Quantity("", "minutes kept, as minutes of a whole year", "min")
FINISHED = Quantity("R", "counted minutes of finished music", "min", told_as_value=True)
COUNTED_S = Quantity("S", "counted seconds", "s", told_as_value=True)
LENGTH = Quantity("len", "length of the master", "s")
SILENCE = Quantity("sil", "silence in the master", "s")
FREE_SILENCE = Quantity("f_s", "part of the length that may be silent")
DISCARDED = Quantity("D", "discarded minutes", "min", told_as_value=True)
GENERATED = Quantity("G", "generated minutes", "min")
DAYS = Quantity("d", "days that discarded takes are kept", "d")
YEAR_DAYS = Quantity("365", "days of a year", "d")
PART = Quantity("", "part of a sum")
MARKET_GRID = Quantity("I_m", "emissions of the electricity by the market", "g/kWh")
MATCHED = Quantity("f", "part of the electricity that instruments match")
REST = Quantity("", "part that none matches")
CLAIMED = Quantity("C", "electricity of the instruments for this country and year", "kWh")
CLAIMABLE = Quantity("U", "electricity used in this country and year", "kWh")
MATCHED_GRID = Quantity("I_c", "emissions of matched electricity", "g/kWh")
REST_MULTIPLE = Quantity("r", "rest over the location factor, in place of a residual mix")
WHOLE = Quantity("1", "the whole")
UNCERTAINTY = Quantity("u", "upper bound over best estimate")
FORECAST = Quantity("u_f", "further uncertainty of a forecast")

_PER_KG = Quantity("1000", "grams in a kilogram", "g/kg")
_PER_HOUR = Quantity("3600", "seconds in an hour", "s/h")
_PER_MINUTE = Quantity("60", "seconds in a minute", "s/min")
_PER_KWH = Quantity("1000", "watt-hours in a kilowatt-hour", "Wh/kWh")


class FromReport(NamedTuple):
    """A number that the applicant declared, by JSON Pointer into the report."""

    pointer: str


class FromRecord(NamedTuple):
    """A fact that the issuer established, by JSON Pointer into the decision record."""

    pointer: str


class FromStandard(NamedTuple):
    """A number or a fixed case of the standard: its name in `standard.toml` or in words, and its section."""

    name: str
    section: str


class FromStatement(NamedTuple):
    """A figure of a registered model statement."""

    statement: str
    field: str


# None: nobody's number. A conversion of units, or a term that is made of others.
Origin = FactorRow | FromReport | FromRecord | FromStandard | FromStatement | None
How = Literal["times", "over", "plus", "minus"]


class Term(NamedTuple):
    """One factor of a line. A term with `parts` is their sum or their product; `value` is then theirs, to 60 digits."""

    quantity: Quantity
    value: Decimal
    origin: Origin = None
    how: How = "times"
    parts: tuple[Term, ...] = ()

    @property
    def is_sum(self) -> bool:
        return bool(self.parts) and self.parts[0].how in {"plus", "minus"}


GRAMS_IN_KG = Term(_PER_KG, Decimal(GRAMS_PER_KILOGRAM))
OVER_SECONDS_IN_HOUR = Term(_PER_HOUR, Decimal(SECONDS_PER_HOUR), how="over")
OVER_SECONDS_IN_MINUTE = Term(_PER_MINUTE, Decimal(SECONDS_PER_MINUTE), how="over")
OVER_WH_IN_KWH = Term(_PER_KWH, Decimal(1000), how="over")


def product_of(terms: Iterable[Term]) -> Decimal:
    """The terms multiplied; those under the line divide once, at the end."""
    over, under = ONE, ONE
    for term in terms:
        if term.how == "over":
            under *= term.value
        else:
            over *= term.value
    return over if under == 1 else over / under


def product_term(quantity: Quantity, *parts: Term, how: How = "times") -> Term:
    """A term that is the product of others."""
    return Term(quantity, product_of(parts), None, how, parts)


def sum_term(quantity: Quantity, *parts: Term) -> Term:
    """A term that is the sum of others, each of which says plus or minus."""
    value = sum((-part.value if part.how == "minus" else part.value for part in parts), Decimal(0))
    return Term(quantity, value, None, "times", parts)


def exact_value_of(term: Term) -> Fraction:
    """The value of a term from the numbers at its ends, without any rounding."""
    if not term.parts:
        return Fraction(term.value)
    if term.is_sum:
        return sum(
            (-exact_value_of(part) if part.how == "minus" else exact_value_of(part) for part in term.parts), Fraction(0)
        )
    return exact_product_of(term.parts)


def exact_product_of(terms: Iterable[Term]) -> Fraction:
    """The terms multiplied and divided, without any rounding."""
    over, under = 1, 1
    for term in terms:
        value = exact_value_of(term)
        if term.how == "over":
            over, under = over * value.denominator, under * value.numerator
        else:
            over, under = over * value.numerator, under * value.denominator
    return Fraction(over, under)


def leaves_of(terms: Iterable[Term]) -> list[Term]:
    """The terms and all that they are made of, each before its parts."""
    return [leaf for term in terms for leaf in (term, *leaves_of(term.parts))]


# --- a line as text ---


class _Pen(NamedTuple):
    """How a formula is written: the signs, what stands for a term (None: its parts do), and whether every term shows."""

    times: str
    over: str
    plus: str
    minus: str
    mark: Callable[[Term], str | None]
    every: bool


def _number(term: Term) -> str | None:
    text = plain(term.value)
    ends = len(text.partition(".")[2]) <= _MOST_DECIMALS
    return text if not term.parts or (term.quantity.told_as_value and ends) else None


def _letter(term: Term) -> str | None:
    return term.quantity.symbol or (None if term.parts else plain(term.value))


_SHORT = _Pen("*", "/", "+", "-", _number, every=False)
_NUMBERS = _Pen(" × ", " / ", " + ", " - ", _number, every=True)
_LETTERS = _Pen(" × ", " / ", " + ", " - ", _letter, every=True)


def short_formula(terms: Sequence[Term]) -> str:
    """The numbers with * and /, as in the standard's worked cases; what changes nothing is left out."""
    return _product(terms, _SHORT)


def formula_in_numbers(terms: Sequence[Term]) -> str:
    return _product(terms, _NUMBERS)


def formula_in_letters(terms: Sequence[Term]) -> str:
    return _product(terms, _LETTERS)


def _product(terms: Sequence[Term], pen: _Pen) -> str:
    text, under = "", list[str]()
    for term in (*terms, None):
        if term is not None and term.how == "over":
            under.append(_inside(term, pen))
            continue
        if under:
            text += pen.over + (under[0] if len(under) == 1 else f"({pen.times.join(under)})")
            under = []
        if term is not None and (pen.every or not term.quantity.silent_at_one or term.value != 1):
            text += (pen.times if text else "") + _inside(term, pen)
    return text


def _inside(term: Term, pen: _Pen) -> str:
    """A term as a factor of a product: what is made of several is held together."""
    mark = pen.mark(term)
    if mark is not None:
        return mark
    return f"({_sum(term.parts, pen)})" if term.is_sum else f"({_product(term.parts, pen)})"


def _sum(parts: Sequence[Term], pen: _Pen) -> str:
    text = ""
    for part in parts:
        sign = pen.minus if part.how == "minus" else pen.plus
        mark = pen.mark(part)
        if mark is None:
            mark = f"({_sum(part.parts, pen)})" if part.is_sum else _product(part.parts, pen)
        text += (sign if text or part.how == "minus" else "") + mark
    return text
