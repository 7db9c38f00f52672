"""The shield: 20 pixels high, for a line of text on a web page. It has no room for the boundary, so it is always a link.

What it leaves out, its title and description say to those who listen, and the page to which it leads says to all.
"""

from __future__ import annotations

from collections.abc import Iterator

from certifier.badge.badge import BadgeFace, face_lines, shield_words
from certifier.badge.drawing import Box, Drawing, Shape, Words
from certifier.badge.lettering import width_of
from certifier.badge.palette import PAPER, SLATE, plate_of

HEIGHT = 20
SIZE = 11
BASELINE = 14
PADDING = 7
CORNER = 3


def shield(face: BadgeFace) -> Drawing:
    """The shield of a face; as wide as its words."""
    measured, figure = shield_words(face)
    middle = round(width_of(measured, SIZE, "medium") + 2 * PADDING)
    width = middle + round(width_of(figure, SIZE, "medium") + 2 * PADDING)
    said = face_lines(face)
    return Drawing(
        f"shield-{face.code}",
        width,
        HEIGHT,
        "px",
        1,
        f"{measured}: {figure}",
        f"{said.sentence if said.unit else said.title}. {said.description}",
        tuple(_shapes(face, measured, figure, middle, width)),
        CORNER,
    )


def _shapes(face: BadgeFace, measured: str, figure: str, middle: int, width: int) -> Iterator[Shape]:
    colours = plate_of(face)
    if colours is PAPER:
        yield Box(0.5, 0.5, width - 1, HEIGHT - 1, CORNER - 0.5, colours.fill, SLATE.fill, 1)
    else:
        yield Box(0, 0, width, HEIGHT, CORNER, colours.fill)
    yield Box(0, 0, middle, HEIGHT, CORNER, SLATE.fill)
    yield Box(middle - CORNER, 0, CORNER, HEIGHT, 0, SLATE.fill)
    yield Words(measured, PADDING, BASELINE, SIZE, "medium", SLATE.text)
    yield Words(figure, middle + PADDING, BASELINE, SIZE, "medium", colours.text)
