"""A drawing: what svg.py, png.py and pdf.py draw alike. A page of one size, with shapes that stand where they are said to.

Units are pixels or millimetres, from the upper left corner, y downwards. Letters stand where the bundled font puts them
(:mod:`certifier.badge.lettering`), so the box of a line is known before it is drawn. Which shapes there are, the layouts say:
shield.py, square.py, label.py, sheet.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from certifier.badge.lettering import FINE_STEPS, STEPS, Weight, evened, lines_of, size_for, width_of
from certifier.badge.palette import INK

Unit: TypeAlias = Literal["px", "mm"]

# From this size on (in pixels at scale 1), letters are drawn on the fine grid.
LARGE = 60
# Of pictures in pixels; never a free number from a request: a picture costs memory by the square of its scale.
SCALES = (1, 2, 4)


@dataclass(frozen=True)
class Box:
    """A rounded rectangle, filled, with an outline of the width ``line`` around its edge if it has one."""

    x: float
    y: float
    width: float
    height: float
    radius: float
    fill: str
    outline: str | None = None
    line: float = 2


@dataclass(frozen=True)
class Words:
    """One line of text from ``x`` on the baseline ``y``."""

    text: str
    x: float
    y: float
    size: float
    weight: Weight
    fill: str

    @property
    def width(self) -> float:
        return width_of(self.text, self.size, self.weight)

    @property
    def right(self) -> float:
        return self.x + self.width


@dataclass(frozen=True)
class Pointer:
    """A triangle that points down to ``x``, ``y``."""

    x: float
    y: float
    width: float
    height: float
    fill: str


@dataclass(frozen=True)
class Code:
    """A QR code: its modules from ``x``, ``y``, each ``module`` units wide; all around is white."""

    x: float
    y: float
    module: float
    rows: tuple[tuple[bool, ...], ...]

    @property
    def side(self) -> float:
        return self.module * len(self.rows)


Shape: TypeAlias = Box | Words | Pointer | Code


@dataclass(frozen=True)
class Drawing:
    """``title`` and ``description`` are read aloud; ``pixels`` is how many of them a unit has at scale 1.

    ``name`` makes the ids inside an SVG this drawing's own, so that several can stand on one page; it is a plain word.
    ``corner`` is the radius of its own corners: beyond them it is clear.
    """

    name: str
    width: float
    height: float
    unit: Unit
    pixels: int
    title: str
    description: str
    shapes: tuple[Shape, ...]
    corner: float = 0

    def grid(self, words: Words) -> int:
        """How finely the letters of a line are drawn: steps to its size."""
        return FINE_STEPS if words.size * self.pixels >= LARGE else STEPS


def line(
    text: str,
    x: float,
    y: float,
    size: float,
    weight: Weight = "medium",
    fill: str = INK,
    *,
    most: float,
) -> Words:
    """One line that shrinks rather than grow wider than ``most``."""
    return Words(text, x, y, size_for(text, most, size, weight), weight, fill)


def line_to(
    text: str, right: float, y: float, size: float, weight: Weight = "medium", fill: str = INK, *, most: float
) -> Words:
    """One line that ends at ``right``."""
    words = line(text, 0, y, size, weight, fill, most=most)
    return Words(text, right - words.width, y, words.size, weight, fill)


def paragraph(
    text: str,
    x: float,
    y: float,
    size: float,
    leading: float,
    *,
    width: float,
    most: int,
    weight: Weight = "medium",
    fill: str = INK,
) -> Iterator[Words]:
    """Lines one below the other, the first on the baseline ``y``; what does not fit ends in an ellipsis.

    Two lines are made about as wide as each other, so that no word is left alone.
    """
    parts = lines_of(text, width, size, weight, most)
    for index, part in enumerate(evened(parts, weight) if len(parts) == 2 and " ".join(parts) == text else parts):
        yield line(part, x, y + index * leading, size, weight, fill, most=width)
