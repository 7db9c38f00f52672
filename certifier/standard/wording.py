"""The words of a standard: what its text has to say, and what neither text nor rules ever say.

A claim about the climate has to carry what it holds and what it leaves out, and may not promise more than was computed
(9.2; Directive (EU) 2024/825).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from certifier.wording.claims import claims_in

if TYPE_CHECKING:
    from collections.abc import Iterator

# What the text has to say, in one of the forms: what a face says by 9.2, and what the law asks to be said beside a claim.
_MUST_SAY: dict[str, tuple[str, ...]] = {
    "what is measured": ("AI generation footprint",),
    "the figure with its unit": ("at most N g CO2e per minute of finished music",),
    "the best estimate beside the upper bound": ("best estimate C",),
    "the boundary": ("data to storage, with hardware",),
    "what is left out": ("listening, buildings, and post-production unless its line is printed",),
    "the class with its limit": ("the class and its limit",),
    "who checked": ("the body that checked",),
    "the end of validity": ("the day it ends", "expiry"),
    "what the claim is limited to": ("climate only, no offsets, location-based electricity",),
    "that it is no ecolabel": ("no multi-criteria ecolabel", "not a multi-criteria ecolabel"),
    "where complaints go": ("complaint",),
}


def unsaid(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a text for people does not say, with the forms in which it could."""
    for what, forms in _MUST_SAY.items():
        if not any(_phrase(form).search(text) for form in forms):
            yield what, forms


def forbidden_words(text: str) -> Iterator[tuple[int, str]]:
    """The words of a text that the label never says, with where they begin. A standard may speak of certifying at large."""
    for finding in claims_in(text, ("en",), figures_beside=False):
        if finding.found.casefold() != "certified":
            yield finding.start, finding.found


def _phrase(text: str) -> re.Pattern[str]:
    """The words of a phrase, however lines are broken and letters large or small."""
    return re.compile(r"\b" + r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", text))) + r"\b", re.IGNORECASE)
