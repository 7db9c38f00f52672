"""The square sticker: 600 units, on a screen or in print.

Number first: a plate with the tier and its limit, the large figure, a bar of three steps with a pointer, the small
print at the left and the QR code at the right, in a white field that holds its quiet zone of four modules. Print it
at 60 mm or more, never below 40 mm: a module of the usual code is then 0.4 mm. A statement has neither plate nor bar;
a face that is no longer in force keeps its size and code, and is grey.

Only the figure is bold. Fewer different letters make a smaller file: it is fetched with the listener's page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from certifier.badge.badge import BadgeFace, FaceText, read_and_drawn
from certifier.badge.bar import bar
from certifier.badge.drawing import Box, Code, Drawing, Shape, line, line_to, paragraph
from certifier.badge.lettering import lines_of
from certifier.badge.palette import GREY, INK, PAPER, WHITE, plate_of
from certifier.badge.qr import QUIET_MODULES, qr_matrix, qr_text

SIDE = 600
EDGE = 36
INNER = SIDE - 2 * EDGE
BOTTOM = 572
QR_FIELD = 228
COLUMN = SIDE - QR_FIELD - EDGE - 8
PER_WIDTH = 190
CORNER = 28


@dataclass(frozen=True)
class Print:
    """How small print is set: first baseline, size, distance of lines, and what is added between paragraphs."""

    top: float
    size: float
    leading: float
    gap: float
    most: int = 2


DENSE = Print(top=364, size=14, leading=16.4, gap=1)  # below the bar
ROOMY = Print(top=330, size=16, leading=19.5, gap=3)
ENDED = Print(top=318, size=20, leading=26, gap=8, most=3)


def square(face: BadgeFace) -> Drawing:
    """The sticker of a face. Raises OperatorError if the address does not fit the QR code."""
    said, words = read_and_drawn(face)
    code = _code(face)
    shapes = (
        Box(1, 1, SIDE - 2, SIDE - 2, CORNER, WHITE, INK),
        *_head(face, words),
        *(_figure(words) if face.is_active else _ended(words)),
        *(
            bar(face, EDGE, 300, INNER, height=24, size=14, limits_below=16)
            if face.is_active and face.has_plate
            else ()
        ),
        *_small_print(words, _print_of(face), code),
        *code,
    )
    return Drawing(f"badge-{face.code}", SIDE, SIDE, "px", 1, said.title, said.description, shapes, CORNER)


def _print_of(face: BadgeFace) -> Print:
    if not face.is_active:
        return ENDED
    return DENSE if face.has_plate else ROOMY


def _head(face: BadgeFace, words: FaceText) -> Iterator[Shape]:
    colours = plate_of(face)
    if colours is PAPER:
        yield Box(EDGE, 106, INNER, 3, 0, INK)
    else:
        yield Box(16, 16, SIDE - 32, 94, 18, colours.fill)
    yield line(words.headline, EDGE, 62, 36, fill=colours.text, most=INNER)
    yield line(words.subline, EDGE, 93, 20, fill=colours.text, most=INNER)


def _figure(words: FaceText) -> Iterator[Shape]:
    yield line(words.lead, EDGE, 150, 22, most=INNER)
    number = line(words.number, EDGE - 4, 241, 106, "bold", most=350)
    yield number
    beside = number.right + 16
    room = SIDE - EDGE - beside
    yield line(words.unit, beside, 188, 36, most=room)
    for index, text in enumerate(lines_of(words.per, min(room, PER_WIDTH), 21, "medium", 2)):
        yield line(text, beside, 215 + 26 * index, 21, most=room)
    estimate = line(words.estimate, EDGE, 277, 20, fill=GREY, most=INNER)
    yield estimate
    if words.calculated:
        yield line_to(words.calculated, SIDE - EDGE, 277, 20, most=INNER - estimate.width - 16)


def _ended(words: FaceText) -> Iterator[Shape]:
    yield line(words.number, EDGE - 4, 241, 96, "bold", GREY, most=INNER)


def _small_print(words: FaceText, style: Print, code: tuple[Code, ...]) -> Iterator[Shape]:
    width = min([COLUMN, *(one.x - QUIET_MODULES * one.module - EDGE for one in code)])
    y = style.top
    for text in words.small_print:
        lines = list(paragraph(text, EDGE, y, style.size, style.leading, width=width, most=style.most))
        yield from lines
        y += style.leading * len(lines) + style.gap
    yield line(words.code, EDGE, BOTTOM, 28, most=width)


def _code(face: BadgeFace) -> tuple[Code, ...]:
    """At the lower right, flush with the lines; the largest whole module that leaves the quiet zone inside the field."""
    if face.status == "unknown":  # nothing to lead to
        return ()
    rows = qr_matrix(qr_text(face.base_url, face.code))
    module = QR_FIELD // (len(rows) + 2 * QUIET_MODULES)
    side = module * len(rows)
    return (Code(SIDE - EDGE - side, BOTTOM - side, module, tuple(tuple(row) for row in rows)),)
