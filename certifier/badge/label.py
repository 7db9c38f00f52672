"""The print label: 60 x 40 mm, for a sleeve, a booklet, a case. All that a figure must not stand without is printed on it.

Small print is set at 1.75 mm, whose small letters are 0.96 mm high; less when much has to be said, and never below 1.3 mm.
The QR code holds the address alone: with the compact certificate its modules would be too fine beside this much text. Its
modules measure half a millimetre, 0.4 mm when the address is long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from certifier.badge.badge import BadgeFace, FaceText, face_lines, plain, read_and_drawn, sentences_of
from certifier.badge.bar import bar
from certifier.badge.drawing import Box, Code, Drawing, Shape, Words, line, line_to
from certifier.badge.lettering import cut, lines_of
from certifier.badge.palette import GREY, HAIR, INK, PAPER, WHITE, plate_of
from certifier.badge.qr import QUIET_MODULES, qr_matrix, qr_text

WIDTH, HEIGHT = 60, 40
PIXELS = 10  # for each millimetre, at scale 1
EDGE = 2.9  # leaves a QR code its quiet zone within the frame
INNER = WIDTH - 2 * EDGE
BOTTOM = HEIGHT - EDGE
MODULES_MM = (0.5, 0.4)
MOST_QR_MM = 17  # with its quiet zone above, below the figure
BAR_TOP, BAR_HEIGHT = 18.4, 2
SIZES_MM = (1.75, 1.7, 1.65, 1.6, 1.55, 1.5, 1.45, 1.4)
LEAST_MM = 1.3  # for the longest of all
SHORTER_NAME = 18  # of its own size
CODE_SIZE = 3
GAP = 0.9  # more air above the code, where there is room
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
        *_bar(face, code),
        *_small_print(face, words, code),
        *code,
    )
    return Drawing(f"label-{face.code}", WIDTH, HEIGHT, "mm", PIXELS, said.title, said.description, shapes)


def _head(face: BadgeFace, words: FaceText) -> Iterator[Shape]:
    colours = plate_of(face)
    if colours is PAPER:
        yield Box(EDGE, 7, INNER, 0.25, 0, INK)
    else:
        yield Box(1.6, 1.6, WIDTH - 3.2, 5.6, 1.1, colours.fill)
    inset = 0.2 * (colours is not PAPER)
    limit = line_to(words.limit, WIDTH - EDGE - inset, 5.3, 1.85, fill=colours.text, most=INNER / 2)
    yield line(words.headline, EDGE + inset, 5.3, 2.9, "bold", colours.text, most=limit.x - EDGE - inset - 1.2)
    if words.limit:
        yield limit


def _figure(words: FaceText) -> Iterator[Shape]:
    yield line(words.lead, EDGE, 9.7, 2.1, most=INNER / 2)
    yield line_to(words.estimate, WIDTH - EDGE, 9.7, 2.1, fill=GREY, most=INNER / 2 - 1)
    number = line(words.number, EDGE - 0.3, 16.6, 8.4, "bold", most=29)
    yield number
    beside, room = number.right + 1.3, WIDTH - EDGE - number.right - 1.3
    yield line(words.unit, beside, 13.2, 3, "bold", most=room)
    yield line(words.per, beside, 16.6, 2.1, most=room)


def _ended(words: FaceText) -> Iterator[Shape]:
    yield line(words.number, EDGE - 0.3, 16, 8.4, "bold", GREY, most=INNER)


def _bar(face: BadgeFace, code: tuple[Code, ...]) -> Iterator[Shape]:
    """As wide as the label; with a QR code so tall that its quiet zone begins here, as wide as the text."""
    if face.is_active and face.has_plate:
        meets = any(one.y - QUIET_MODULES * one.module < BAR_TOP + BAR_HEIGHT for one in code)
        width = code[0].x - QUIET_MODULES * code[0].module - EDGE if meets else INNER
        yield from bar(face, EDGE, BAR_TOP, width, height=BAR_HEIGHT, size=1.5, limits_below=0)
    elif face.is_active:
        yield Box(EDGE, 18.6, INNER, 0.12, 0, HAIR)


def _small_print(face: BadgeFace, words: FaceText, code: tuple[Code, ...]) -> Iterator[Words]:
    """One paragraph, as large as its room allows, beside the QR code; below it the code in words."""
    quiet = QUIET_MODULES * code[0].module if code else 0
    width = (code[0].x - quiet if code else WIDTH - EDGE) - EDGE
    top = 22.7 if face.is_active and face.has_plate else 21
    size, lines = _set(face, words, width, BOTTOM - CODE_SIZE - top)
    for index, text in enumerate(lines):
        yield line(text, EDGE, top + index * size * LEADING, size, most=width)
    yield line(words.code, EDGE, BOTTOM, CODE_SIZE, "bold", most=width)


def _set(face: BadgeFace, words: FaceText, width: float, height: float) -> tuple[float, tuple[str, ...]]:
    """The largest size at which all is said, and its lines; where none is small enough, the name is cut first."""
    short = replace(face, checked_by=cut(plain(face.drawable().checked_by), SHORTER_NAME, 1, "medium"))
    for said in (words, face_lines(short)):
        text = sentences_of((said.calculated, "" if said.limit else said.subline, said.flow))
        for size in SIZES_MM:
            most = int((height - GAP) / (size * LEADING)) + 1
            lines = lines_of(text, width, size, "medium", most + 1)
            if len(lines) <= most:
                return size, lines
    most = int(height / (LEAST_MM * LEADING)) + 1
    return LEAST_MM, lines_of(text, width, LEAST_MM, "medium", most)


def _code(face: BadgeFace) -> tuple[Code, ...]:
    """At the lower right, flush with the lines; its quiet zone ends at the frame."""
    if face.status == "unknown":  # nothing to lead to
        return ()
    rows = qr_matrix(qr_text(face.base_url, face.code))
    fitting = (size for size in MODULES_MM if size * (len(rows) + QUIET_MODULES) <= MOST_QR_MM)
    module = next(fitting, MODULES_MM[-1])
    side = module * len(rows)
    return (Code(WIDTH - EDGE - side, BOTTOM - side, module, tuple(tuple(row) for row in rows)),)
