"""The colours of every face. Each holds a contrast of at least 4.5 to the text on it (WCAG 2.2, 1.4.3).

The three steps differ in lightness too, so that a grey copy tells them apart; words say the same as colours everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from certifier.badge.badge import BadgeFace, Kind

INK = "#111111"
WHITE = "#FFFFFF"
GREY = "#5F6368"
HAIR = "#C9CCD1"  # rules and empty bars; no text stands on it


@dataclass(frozen=True)
class Colours:
    fill: str
    text: str


CLASS_1 = Colours("#123B2C", WHITE)
CLASS_2 = Colours("#1F6FB2", WHITE)
MEASURED = Colours("#F2D13C", INK)
ENDED = Colours(GREY, WHITE)
SLATE = Colours("#343A42", WHITE)
PAPER = Colours(WHITE, INK)
STEPS = (("class 1", CLASS_1), ("class 2", CLASS_2), ("measured", MEASURED))
PLATES: dict[Kind, Colours] = {"class-1": CLASS_1, "class-2": CLASS_2, "measured": MEASURED, "statement": PAPER}


def plate_of(face: BadgeFace) -> Colours:
    """Grey for what is not in force, paper for what is no label artwork, else the colour of the tier."""
    if not face.is_active:
        return ENDED
    return PLATES[face.kind] if face.has_plate else PAPER
