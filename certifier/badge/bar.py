"""The bar of three steps with a pointer: where a figure lies between the limits."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from certifier.badge.badge import BadgeFace
from certifier.badge.drawing import Box, Pointer, Shape, line, line_to
from certifier.badge.palette import GREY, INK, STEPS

GAP = 1 / 6  # between steps, of the height
HALF_CAPITAL = 0.364  # of the size: half the height of a capital letter


def bar(
    face: BadgeFace, x: float, y: float, width: float, *, height: float, size: float, limits_below: float
) -> Iterator[Shape]:
    """Three steps of equal width from ``x``, ``y``; within a step the pointer's place is proportional to the figure.

    The limit of each step stands at its end: below it with the baseline at that distance, or inside if that is nought.
    """
    gap = height * GAP
    step = (width + gap) / len(STEPS)
    boxes: list[Shape] = []
    names: list[Shape] = []
    ends: list[Shape] = []
    for index, ((name, colours), limit) in enumerate(zip(STEPS, face.limits, strict=True)):
        left, right = x + index * step, x + (index + 1) * step - gap
        boxes.append(Box(left, y, right - left, height, gap, colours.fill))
        middle, inset = y + height / 2 + size * HALF_CAPITAL, height / 2.7
        if limits_below:
            end = line_to(f"{limit} g", right, y + height + limits_below, size, fill=GREY, most=step)
            room = step - 2 * inset
        else:
            end = line_to(f"{limit} g", right - inset, middle, size, fill=colours.text, most=step / 2)
            room = end.x - left - 1.5 * inset
        ends.append(end)
        names.append(line(name, left + inset, middle, size, fill=colours.text, most=room))
    yield from (*boxes, *names, *ends)
    whole, part = place_on_bar(face)
    yield Pointer(x + step * whole + (step - gap) * part, y - height / 24, height * 20 / 24, height * 13 / 24, INK)


def place_on_bar(face: BadgeFace) -> tuple[int, float]:
    """The step of the figure, and its place within it from 0 to 1; a figure above all limits stands at the end."""
    assessed = Decimal(face.assessed)
    bounds = [Decimal(0), *(Decimal(limit) for limit in face.limits)]
    for index, (lower, upper) in enumerate(pairwise(bounds)):
        if assessed <= upper:
            return index, float((assessed - lower) / (upper - lower))
    return len(STEPS) - 1, 1.0
