"""Real certificates to show: labels of this register that are in force and whole, as an example or beside a figure.

They are looked up once a minute; whoever was withdrawn since is left out at once, and so is what came to harm here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial

from certifier.certificate.credential import parse_claims
from certifier.certificate.times import time_text
from certifier.crypto.strict_json import parse_object
from certifier.storage.store import Store
from certifier.web.charts import place_of
from certifier.web.records import not_believed
from certifier.web.site import Site

SHOWN = 3
LOOKED_AT = 60  # of the newest
APART = 4.0  # hundredths of the scale; closer figures cover each other


@dataclass(frozen=True)
class Example:
    """A certificate in force; amounts are g CO2e per minute as certified, ``left`` is the place of the assessed one."""

    code: str
    title: str
    artist: str
    outcome: str
    central_g_per_min: str
    assessed_g_per_min: str
    left: float


def example_of(site: Site) -> Example | None:
    """The one to show where one is shown: the newest label in force, those with a class first."""
    chosen = _believed(site, _labels_in_force(site), _with_class_first)
    return chosen[0] if chosen else None


def examples_for(site: Site, own: str | None = None, near: float | None = None) -> tuple[Example, ...]:
    """At most three examples, the smallest first: none of them is the certificate ``own``, or stands close to ``near``."""
    return _believed(site, [each for each in _labels_in_force(site) if each.code != own], partial(spread, near=near))


def _labels_in_force(site: Site) -> list[Example]:
    lifecycle = site.certifier.published.lifecycle
    return [each for each in _candidates(site.certifier.store, site.minute()) if lifecycle(each.code) == "active"]


def _believed(
    site: Site, known: list[Example], choose: Callable[[Sequence[Example]], tuple[Example, ...]]
) -> tuple[Example, ...]:
    """What is chosen of those that are known; in the place of one that came to harm here, another is chosen."""
    while taken := choose(known):
        harmed = not_believed(site, site.certifier.store.certificates_of([each.code for each in taken]), site.minute())
        if not harmed:
            break
        known = [each for each in known if each.code not in harmed]
    return taken


def _with_class_first(known: Sequence[Example]) -> tuple[Example, ...]:
    return tuple(sorted(known, key=lambda each: each.outcome == "measured")[:1])


def spread(candidates: Sequence[Example], near: float | None = None) -> tuple[Example, ...]:
    """Those that stand farthest from each other and from ``near``; the smallest first."""
    taken: list[Example] = []
    left = list(candidates)
    while left and len(taken) < SHOWN:
        places = [each.left for each in taken] + ([] if near is None else [near])
        room, chosen = max(
            ((min((abs(each.left - place) for place in places), default=100.0), each) for each in left),
            key=lambda known: known[0],
        )
        if room < APART:
            break
        taken.append(chosen)
        left.remove(chosen)
    return tuple(sorted(taken, key=lambda each: each.left))


@lru_cache(8)
def _candidates(store: Store, minute: datetime) -> tuple[Example, ...]:
    return tuple(_example(row.payload) for row in store.newest_labels(LOOKED_AT, time_text(minute)))


def _example(payload: bytes) -> Example:
    claims = parse_claims(parse_object(payload))
    figures = claims.figures
    return Example(
        code=claims.code,
        title=claims.subject.title,
        artist=claims.subject.artist,
        outcome=claims.outcome,
        central_g_per_min=figures.central_g_per_min,
        assessed_g_per_min=figures.assessed_g_per_min,
        left=place_of(figures.assessed_g_per_min),
    )
