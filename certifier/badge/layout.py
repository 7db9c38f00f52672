"""Where everything stands on a face: a square of 600 units, drawn alike by svg.py and png.py.

Number first: a plate with the tier and its limit, the large figure, a bar of three steps with a pointer, the small
print at the left and the QR code at the right, in a white field that holds its quiet zone of four modules. Print it
at 60 mm or more, never below 40 mm: a module of the usual code is then 0.4 mm. A statement has neither plate nor bar;
a face that is no longer in force keeps its size and code, and is grey.

Colours hold a contrast of at least 4.5 to the text on them (WCAG 2.2, 1.4.3), and are told apart by words as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from certifier.badge.badge import BadgeFace, FaceText, face_lines
from certifier.badge.lettering import Weight, lines_of, size_for, width_of
from certifier.badge.qr import QUIET_MODULES, qr_matrix, qr_text

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDE = 600
EDGE = 36
INNER = SIDE - 2 * EDGE
BOTTOM = 572
QR_FIELD = 228
COLUMN = SIDE - QR_FIELD - EDGE - 8
PER_WIDTH = 190
BAR_GAP = 4

INK = "#111111"
WHITE = "#FFFFFF"
GREY = "#5F6368"


@dataclass(frozen=True)
class Colours:
    fill: str
    text: str


CLASS_1 = Colours("#123B2C", WHITE)
CLASS_2 = Colours("#1F6FB2", WHITE)
MEASURED = Colours("#F2D13C", INK)
ENDED = Colours(GREY, WHITE)
PAPER = Colours(WHITE, INK)
STEPS = (("class 1", CLASS_1), ("class 2", CLASS_2), ("measured", MEASURED))
PLATES = {"class-1": CLASS_1, "class-2": CLASS_2, "measured": MEASURED, "statement": PAPER}


@dataclass(frozen=True)
class Box:
    """A rounded rectangle, filled, with an outline of two units if it has one."""

    x: float
    y: float
    width: float
    height: float
    radius: float
    fill: str
    outline: str | None = None


@dataclass(frozen=True)
class Words:
    """One line of text from ``x`` on the baseline ``y``, exactly ``width`` wide."""

    text: str
    x: float
    y: float
    size: float
    weight: Weight
    fill: str
    width: float


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


Shape: TypeAlias = Box | Words | Pointer | Code


@dataclass(frozen=True)
class Print:
    """How small print is set: first baseline, size, distance of lines, and what is added between paragraphs."""

    top: float
    size: float
    leading: float
    gap: float


DENSE = Print(top=364, size=14, leading=16.4, gap=2)  # below the bar
ROOMY = Print(top=330, size=16, leading=19.5, gap=4)


def shapes_of(face: BadgeFace) -> tuple[Shape, ...]:
    """Everything on the face, in the order of drawing. Raises OperatorError if the address does not fit the QR code."""
    words = face_lines(face)
    return (
        Box(1, 1, SIDE - 2, SIDE - 2, 28, WHITE, INK),
        *_head(face, words),
        *(_figure(words) if face.is_active else _ended(words)),
        *(_bar(face) if face.is_active and face.has_plate else ()),
        *_small_print(words, DENSE if face.is_active and face.has_plate else ROOMY),
        _code(face),
    )


def _line(
    text: str, x: float, y: float, size: float, weight: Weight = "medium", fill: str = INK, most: float = INNER
) -> Words:
    """One line that shrinks rather than grow wider than ``most``."""
    size = size_for(text, most, size, weight)
    return Words(text, x, y, size, weight, fill, width_of(text, size, weight))


def _head(face: BadgeFace, words: FaceText) -> Iterator[Shape]:
    colours = ENDED if not face.is_active else PLATES[face.kind] if face.has_plate else PAPER
    if colours is PAPER:
        yield Box(EDGE, 106, INNER, 3, 0, INK)
    else:
        yield Box(16, 16, SIDE - 32, 94, 18, colours.fill)
    yield _line(words.headline, EDGE, 62, 34, "bold", colours.text)
    yield _line(words.subline, EDGE, 92, 20, fill=colours.text)


def _figure(words: FaceText) -> Iterator[Shape]:
    yield _line(words.lead, EDGE, 150, 22)
    number = _line(words.number, EDGE - 4, 241, 106, "bold", most=350)
    yield number
    beside = number.x + number.width + 16
    room = SIDE - EDGE - beside
    yield _line(words.unit, beside, 188, 36, "bold", most=room)
    for index, text in enumerate(lines_of(words.per, min(room, PER_WIDTH), 21, "medium", 2)):
        yield _line(text, beside, 215 + 26 * index, 21, most=room)
    estimate = _line(words.estimate, EDGE, 277, 20, fill=GREY)
    yield estimate
    if words.calculated:
        room = INNER - estimate.width - 16
        calculated = _line(words.calculated, 0, 277, 18, "bold", most=room)
        yield _moved_right(calculated)


def _moved_right(line: Words) -> Words:
    return Words(line.text, SIDE - EDGE - line.width, line.y, line.size, line.weight, line.fill, line.width)


def _ended(words: FaceText) -> Iterator[Shape]:
    yield _line(words.number, EDGE - 4, 241, 96, "bold", GREY)


def _bar(face: BadgeFace) -> Iterator[Shape]:
    """Three steps of equal width; within a step the place is proportional to the figure."""
    step = (INNER + BAR_GAP) / len(STEPS)
    for index, ((name, colours), limit) in enumerate(zip(STEPS, face.limits, strict=True)):
        left = EDGE + index * step
        yield Box(left, 300, step - BAR_GAP, 24, 4, colours.fill)
        yield _line(name, left + 9, 317, 14, "bold", colours.text, step - 18)
        ends = _line(f"{limit} g", 0, 340, 13, fill=GREY, most=step)
        yield Words(ends.text, left + step - BAR_GAP - ends.width, 340, ends.size, ends.weight, ends.fill, ends.width)
    whole, part = _place_on_bar(face)
    yield Pointer(EDGE + step * whole + (step - BAR_GAP) * part, 299, 20, 13, INK)


def _place_on_bar(face: BadgeFace) -> tuple[int, float]:
    """The step of the figure, and its place within it from 0 to 1; a figure above all limits stands at the end."""
    assessed = Decimal(face.assessed)
    bounds = [Decimal(0), *(Decimal(limit) for limit in face.limits)]
    for index, (lower, upper) in enumerate(pairwise(bounds)):
        if assessed <= upper:
            return index, float((assessed - lower) / (upper - lower))
    return len(STEPS) - 1, 1.0


def _small_print(words: FaceText, style: Print) -> Iterator[Shape]:
    y = style.top
    for text in words.small_print:
        for line in lines_of(text, COLUMN, style.size, "medium", 2):
            yield _line(line, EDGE, y, style.size, most=COLUMN)
            y += style.leading
        y += style.gap
    yield _line(words.code, EDGE, BOTTOM, 28, "bold", most=COLUMN)


def _code(face: BadgeFace) -> Code:
    """At the lower right, flush with the lines; the largest whole module that leaves the quiet zone inside the field."""
    rows = qr_matrix(qr_text(face.base_url, face.code))
    module = QR_FIELD // (len(rows) + 2 * QUIET_MODULES)
    side = module * len(rows)
    return Code(SIDE - EDGE - side, BOTTOM - side, module, tuple(tuple(row) for row in rows))
