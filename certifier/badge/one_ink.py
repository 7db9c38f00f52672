"""A drawing for print in one ink: black on white, no grey, no second colour. Tiers are told apart by the hatching of a strip.

Words, places and sizes stay as they are; plates lose their colour and get an outline. The denser the lines, the lower the limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from certifier.badge.drawing import Box, Drawing, Pointer, Shape, Words
from certifier.badge.palette import CLASS_1, CLASS_2, ENDED, HAIR, INK, MEASURED, PAPER, SLATE, WHITE

# fill of a plate -> distance of its hatching, in widths of a line; none where it means no tier
PITCH = {CLASS_1.fill: 2, CLASS_2.fill: 4, MEASURED.fill: 8, ENDED.fill: 0}
STRIP = 0.1  # of a plate's height
FINEST = 300  # lines of the finest width side by side in a drawing
SOLID = (SLATE.fill, INK)


def one_ink(drawing: Drawing) -> Drawing:
    """The same drawing in black alone."""
    shapes = tuple(_shapes(drawing))
    return replace(drawing, name=f"{drawing.name}-one-ink", shapes=shapes)


def _shapes(drawing: Drawing) -> Iterator[Shape]:
    finest = drawing.width / FINEST
    below: list[Box] = []
    for shape in drawing.shapes:
        if isinstance(shape, Box):
            below.append(shape)
            yield from _box(shape, finest)
        elif isinstance(shape, Words):
            yield replace(shape, fill=WHITE if _ground(shape, below) in SOLID else INK)
        elif isinstance(shape, Pointer):
            yield replace(shape, fill=INK)
        else:
            yield shape


def _box(box: Box, finest: float) -> Iterator[Shape]:
    if box.fill in PITCH:
        yield replace(box, fill=WHITE, outline=INK, line=finest)
        yield from _hatching(box, finest, PITCH[box.fill])
    elif box.fill in (WHITE, PAPER.fill):
        yield replace(box, outline=INK if box.outline else None)
    elif box.fill == HAIR and min(box.width, box.height) > 2 * finest:
        yield replace(box, fill=WHITE, outline=INK, line=finest / 2)
    else:
        yield replace(box, fill=INK, outline=INK if box.outline else None)


def _hatching(box: Box, finest: float, pitch: int) -> Iterator[Box]:
    """Upright lines in a strip along the lower edge, clear of the rounded corners."""
    if not pitch:
        return
    height, left, right = box.height * STRIP, box.x + box.radius, box.x + box.width - box.radius
    step = pitch * finest
    for index in range(int((right - left) // step) + 1):
        yield Box(left + index * step, box.y + box.height - height, finest, height, 0, INK)


def _ground(words: Words, below: list[Box]) -> str:
    """The fill of the uppermost box that a line begins on; paper where there is none."""
    middle = words.y - words.size / 3
    under = [box for box in below if box.x <= words.x <= box.x + box.width and box.y <= middle <= box.y + box.height]
    return under[-1].fill if under else WHITE
