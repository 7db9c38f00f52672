"""Real figures to set a figure beside: certificates of this register that are in force, far apart on the scale.

They are looked up once a minute; whoever was withdrawn since is left out at once, and so is what came to harm here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

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


def examples_for(site: Site, own: str | None = None, near: float | None = None) -> tuple[Example, ...]:
    """At most three examples, the smallest first: none of them is the certificate ``own``, or stands close to ``near``."""
    store, lifecycle = site.certifier.store, site.certifier.published.lifecycle
    known = [
        each for each in _candidates(store, site.minute()) if each.code != own and lifecycle(each.code) == "active"
    ]
    while taken := spread(known, near):
        harmed = not_believed(site, store.certificates_of([each.code for each in taken]), site.minute())
        if not harmed:
            break
        known = [each for each in known if each.code not in harmed]
    return taken


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
