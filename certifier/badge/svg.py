"""Draw a face as SVG: one file without script, style sheet or anything fetched from elsewhere.

Text is text, with the width that the bundled font gives it, so that no other font makes lines collide. Same face,
same bytes.
"""

from __future__ import annotations

from functools import singledispatch
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from certifier.badge.badge import BadgeFace, face_lines
from certifier.badge.layout import INK, SIDE, Box, Code, Pointer, Words, shapes_of
from certifier.badge.lettering import FONT_FAMILY

if TYPE_CHECKING:
    from collections.abc import Iterator

WEIGHTS = {"medium": 500, "bold": 700}


def render_svg(face: BadgeFace) -> str:
    """A square sticker of 600 x 600 units. Raises OperatorError if the public address does not fit the QR code."""
    words = face_lines(face)
    prefix = f"badge-{escape(face.code)}"
    shapes = "\n".join(_element(shape) for shape in shapes_of(face))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" width="{SIDE}" height="{SIDE}"'
        f' role="img" aria-labelledby="{prefix}-t {prefix}-d" font-family="{escape(FONT_FAMILY)}">\n'
        f'<title id="{prefix}-t">{escape(words.title)}</title>\n'
        f'<desc id="{prefix}-d">{escape(words.description)}</desc>\n'
        f"{shapes}\n</svg>\n"
    )


def path_of(rows: tuple[tuple[bool, ...], ...]) -> str:
    """The dark modules as one SVG path: a horizontal bar for each run, one unit a module."""
    return "".join(f"M{column} {row}h{length}v1h-{length}z" for row, column, length in _runs(rows))


def _runs(rows: tuple[tuple[bool, ...], ...]) -> Iterator[tuple[int, int, int]]:
    for row, modules in enumerate(rows):
        column = 0
        for dark, run in groupby(modules):
            length = len(list(run))
            if dark:
                yield row, column, length
            column += length


@singledispatch
def _element(shape: object) -> str:
    raise TypeError(type(shape))


@_element.register
def _(box: Box) -> str:
    outline = f' stroke="{box.outline}" stroke-width="2"' if box.outline else ""
    radius = f' rx="{_short(box.radius)}"' if box.radius else ""
    place = f'x="{_short(box.x)}" y="{_short(box.y)}" width="{_short(box.width)}" height="{_short(box.height)}"'
    return f'<rect {place}{radius} fill="{box.fill}"{outline}/>'


@_element.register
def _(words: Words) -> str:
    place = f'x="{_short(words.x)}" y="{_short(words.y)}" font-size="{_short(words.size)}"'
    letters = f'font-weight="{WEIGHTS[words.weight]}" fill="{words.fill}"'
    width = f'textLength="{_short(words.width)}" lengthAdjust="spacingAndGlyphs"'
    return f"<text {place} {letters} {width}>{escape(words.text)}</text>"


@_element.register
def _(pointer: Pointer) -> str:
    half, height = _short(pointer.width / 2), _short(pointer.height)
    path = f"M{_short(pointer.x)} {_short(pointer.y)}l-{half} -{height}h{_short(pointer.width)}z"
    return f'<path d="{path}" fill="{pointer.fill}"/>'


@_element.register
def _(code: Code) -> str:
    move = f"translate({_short(code.x)} {_short(code.y)}) scale({_short(code.module)})"
    return f'<path transform="{move}" shape-rendering="crispEdges" fill="{INK}" d="{path_of(code.rows)}"/>'


def _short(number: float) -> str:
    """Two decimals at most, no trailing zeros: the same text on every machine."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
