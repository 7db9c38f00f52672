"""Two to four certificates side by side, and what may be said of it: only figures of one kind, and only what their ranges allow.

A comparison states its method, its set, whose figures they are and how old they are (Directive (EU) 2024/825).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import combinations

from flask import Response, request

from certifier.certificate.code import display_code, parse_code
from certifier.certificate.model import Claims
from certifier.errors import CertifierError
from certifier.web.language import N_, gettext, say
from certifier.web.problems import ParameterInvalid
from certifier.web.records import Record, record_of
from certifier.web.responses import page
from certifier.web.site import Site
from certifier.web.words import STATES

MOST = 4
MOST_TOLD = 12  # of what was asked for; a page does not grow with its address
_BETWEEN = re.compile(r"[,;\n]+")
_STANDARD = re.compile(r"(?P<family>.+)-(?P<major>[0-9]+)\.[^-]*")
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

UNVOUCHED = N_("Its figure is self-declared. Nobody vouches for it, so it is not set beside others.")
NOT_IN_FORCE = N_("It is not in force (%(state)s), so its figure is not set beside others.")
OTHER_KIND = N_(
    "It was certified under %(own)s, the others under %(first)s: their figures are not reached in the same way."
)
TOO_MANY = N_("At most %(most)s certificates are compared at once.")


@dataclass(frozen=True)
class Row:
    """A certificate in the comparison: amounts in g CO2e per minute, places in hundredths of the drawing's width."""

    claims: Claims
    letter: str
    central: float
    assessed: float

    @property
    def title(self) -> str:
        return self.claims.subject.title


@dataclass(frozen=True)
class LeftOut:
    """What was asked for and is not compared, and why."""

    asked: str
    why: str
    hint: str = ""


@dataclass(frozen=True)
class Pair:
    """What the ranges of two rows allow to say: ``lower`` is lower than ``other``, or (``is_open``) nothing."""

    lower: Row
    other: Row
    is_open: bool


@dataclass(frozen=True)
class Comparison:
    rows: tuple[Row, ...]
    left_out: tuple[LeftOut, ...]
    ticks: tuple[tuple[float, str], ...]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return tuple(pair_of(*two) for two in combinations(self.rows, 2))


def show(site: Site) -> Response:
    """The form, and below it the comparison of the codes that were asked for."""
    if unknown := set(request.args) - {"codes"}:
        raise ParameterInvalid("There is no such parameter.", found=", ".join(sorted(unknown))[:80], expected="codes")
    asked = list(_asked(request.args.getlist("codes")))
    compared = comparison_of(site, asked) if asked else None
    return page("compare.html", asked=asked[:MOST], compared=compared, most=MOST, checked_at=site.minute())


def _asked(values: Sequence[str]) -> Iterator[str]:
    """Each code once, as it was typed."""
    texts = (text.strip()[:40] for value in values for text in _BETWEEN.split(value))
    yield from dict.fromkeys(text for text in texts if text)


def comparison_of(site: Site, asked: Sequence[str]) -> Comparison:
    """What can be compared of the codes, in their order, and what cannot."""
    claims: dict[str, Claims] = {}
    left_out = []
    for text in asked[:MOST]:
        try:
            record = record_of(site, parse_code(text), site.minute())
        except CertifierError as error:
            left_out.append(LeftOut(text, gettext(error.message), gettext(error.hint) if error.hint else ""))
            continue
        why = _refusal(record, next(iter(claims.values()), None))
        if why or record.claims is None:
            left_out.append(LeftOut(display_code(record.row.code), why))
        else:
            claims.setdefault(record.row.code, record.claims)
    left_out += [LeftOut(text, say(TOO_MANY, most=MOST)) for text in asked[MOST:MOST_TOLD]]
    return drawn(tuple(claims.values()), tuple(left_out))


def _refusal(record: Record, first: Claims | None) -> str:
    """Why a certificate is not compared; empty when it is."""
    if record.claims is None or record.state != "active":
        return say(NOT_IN_FORCE, state=gettext(STATES[record.state][0]).lower())
    if record.claims.outcome == "disclosed":
        return gettext(UNVOUCHED)
    own = record.claims.basis.standard
    if first and kind_of(own) != kind_of(first.basis.standard):
        return say(OTHER_KIND, own=own, first=first.basis.standard)
    return ""


def kind_of(standard: str) -> tuple[str, str]:
    """Figures are of one kind, with one functional unit, under one family and major version: LCAL, 1."""
    named = _STANDARD.fullmatch(standard)
    return (named["family"], named["major"]) if named else (standard, "")


def drawn(claims: Sequence[Claims], left_out: tuple[LeftOut, ...] = ()) -> Comparison:
    """The rows on one straight scale from zero."""
    most = max((Decimal(each.figures.assessed_g_per_min) for each in claims), default=Decimal(1))
    step = next((step for step in _STEPS if most <= 5 * step), _STEPS[-1])
    end = step * max((most / step).to_integral_value(ROUND_CEILING), Decimal(1))
    rows = tuple(
        Row(each, letter, _place(each.figures.central_g_per_min, end), _place(each.figures.assessed_g_per_min, end))
        for letter, each in zip("ABCD", claims, strict=False)
    )
    ticks = tuple((_place(str(at), end), str(at)) for at in range(0, int(end) + 1, step))
    return Comparison(rows, left_out, ticks)


def _place(grams_per_min: str, end: Decimal) -> float:
    return round(float(100 * Decimal(grams_per_min) / end), 2)


def pair_of(one: Row, other: Row) -> Pair:
    """A range goes from the best estimate to the figure that counts; ranges that touch cannot be told apart."""
    lower, higher = sorted((one, other), key=lambda row: Decimal(row.claims.figures.central_g_per_min))
    is_apart = Decimal(lower.claims.figures.assessed_g_per_min) < Decimal(higher.claims.figures.central_g_per_min)
    return Pair(lower, higher, not is_apart)
