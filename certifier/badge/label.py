"""The print label: 60 x 40 mm, for a sleeve, a booklet, a case. All that a figure must not stand without is printed on it.

Small print is set at 1.75 mm, less when much has to be said, and never below 1.4 mm; 1.65 mm has letters of 0.9 mm, the least
that food labels may have. The QR code holds the address alone: with the compact certificate its modules would be too fine
beside this much text. Its modules measure half a millimetre, 0.4 mm when the address is long.
"""

from __future__ import annotations

from collections.abc import Iterator

from certifier.badge.badge import BadgeFace, FaceText, read_and_drawn, sentences_of
from certifier.badge.bar import bar
from certifier.badge.drawing import Box, Code, Drawing, Shape, Words, line, line_to
from certifier.badge.lettering import lines_of
from certifier.badge.palette import GREY, HAIR, INK, PAPER, WHITE, plate_of
from certifier.badge.qr import QUIET_MODULES, qr_matrix, qr_text

WIDTH, HEIGHT = 60, 40
PIXELS = 10  # for each millimetre, at scale 1
EDGE = 2.4
INNER = WIDTH - 2 * EDGE
BOTTOM = HEIGHT - EDGE
GUTTER = 1.2
MODULES_MM = (0.5, 0.4)
MOST_QR_MM = 19.7  # with its quiet zone
SIZES_MM = (1.75, 1.65, 1.55, 1.45, 1.4)
LEADING = 1.2


def label(face: BadgeFace) -> Drawing:
    """The label of a face. Raises OperatorError if the address does not fit the QR code."""
    said, words = read_and_drawn(face)
    code = _code(face)
    shapes = (
        Box(0, 0, WIDTH, HEIGHT, 0, WHITE),
        Box(0.75, 0.75, WIDTH - 1.5, HEIGHT - 1.5, 1.8, WHITE, INK if face.is_active else GREY, 0.25),
        *_head(face, words),
        *(_figure(words) if face.is_active else _ended(words)),
        *_bar(face),
        *_small_print(words, code, 24.3 if face.is_active and face.has_plate else 21.6),
        *code,
    )
    return Drawing(f"label-{face.code}", WIDTH, HEIGHT, "mm", PIXELS, said.title, said.description, shapes)


def _head(face: BadgeFace, words: FaceText) -> Iterator[Shape]:
    colours = plate_of(face)
    if colours is PAPER:
        yield Box(EDGE, 7.3, INNER, 0.25, 0, INK)
    else:
        yield Box(1.6, 1.6, WIDTH - 3.2, 5.9, 1.1, colours.fill)
    inset = 0.6 * (colours is not PAPER)
    limit = line_to(words.limit, WIDTH - EDGE - inset, 5.5, 2.1, fill=colours.text, most=INNER / 2)
    yield line(words.headline, EDGE + inset, 5.5, 2.9, "bold", colours.text, most=limit.x - EDGE - inset - 1.2)
    if words.limit:
        yield limit


def _figure(words: FaceText) -> Iterator[Shape]:
    yield line(words.lead, EDGE, 10.4, 2.2, most=INNER / 2)
    number = line(words.number, EDGE - 0.3, 18.1, 9.4, "bold", most=30)
    yield number
    beside, room = number.right + 1.4, WIDTH - EDGE - number.right - 1.4
    yield line(words.unit, beside, 14.3, 3.2, "bold", most=room)
    yield line(words.per, beside, 18.1, 2.2, most=room)
    yield line_to(words.estimate, WIDTH - EDGE, 10.4, 2.2, fill=GREY, most=INNER / 2 - 1)


def _ended(words: FaceText) -> Iterator[Shape]:
    yield line(words.number, EDGE - 0.3, 17.6, 9.4, "bold", GREY, most=INNER)


def _bar(face: BadgeFace) -> Iterator[Shape]:
    if face.is_active and face.has_plate:
        yield from bar(face, EDGE, 19.9, INNER, height=2.1, size=1.5, limits_below=0)
    elif face.is_active:
        yield Box(EDGE, 19.6, INNER, 0.12, 0, HAIR)


def _small_print(words: FaceText, code: tuple[Code, ...], top: float) -> Iterator[Words]:
    """One paragraph, as large as its room allows, beside the QR code; below it the code in words."""
    quiet = QUIET_MODULES * code[0].module if code else 0
    width = (code[0].x - quiet if code else WIDTH - EDGE) - EDGE
    last = BOTTOM - 3.4
    said = sentences_of((words.calculated, "" if words.limit else words.subline, words.flow))
    for size in SIZES_MM:
        most = int((last - top) / (size * LEADING)) + 1
        lines = lines_of(said, width, size, "medium", most + 1)
        if len(lines) <= most:
            break
    for index, text in enumerate(lines_of(said, width, size, "medium", most)):
        yield line(text, EDGE, top + index * size * LEADING, size, most=width)
    yield line(words.code, EDGE, BOTTOM, 3, "bold", most=width)


def _code(face: BadgeFace) -> tuple[Code, ...]:
    """At the lower right, flush with the lines; its quiet zone runs into the white edge."""
    if face.status == "unknown":  # nothing to lead to
        return ()
    rows = qr_matrix(qr_text(face.base_url, face.code))
    fitting = (size for size in MODULES_MM if size * (len(rows) + 2 * QUIET_MODULES) <= MOST_QR_MM)
    module = next(fitting, MODULES_MM[-1])
    side = module * len(rows)
    return (Code(WIDTH - EDGE - side, BOTTOM - side, module, tuple(tuple(row) for row in rows)),)
