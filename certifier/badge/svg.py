"""A drawing as SVG: one file without script, style sheet or anything fetched from elsewhere.

Letters are outlines of the bundled font, so that no other font makes lines collide; what they say stands in title and
description. Same drawing, same bytes. Each letter is the same text wherever it stands, which packs well.
"""

from __future__ import annotations

from functools import singledispatch
from html import escape
from itertools import groupby

from certifier.badge.badge import plain
from certifier.badge.drawing import Box, Code, Drawing, Pointer, Words
from certifier.badge.lettering import path_of_letter
from certifier.badge.palette import INK


def render_svg(drawing: Drawing) -> str:
    """The whole file; ids in it begin with the drawing's name."""
    unit = "mm" if drawing.unit == "mm" else ""
    width, height, name = _short(drawing.width), _short(drawing.height), escape(drawing.name)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}{unit}" height="{height}{unit}" role="img" aria-labelledby="{name}-t {name}-d">\n'
        f'<title id="{name}-t">{escape(plain(drawing.title))}</title>\n'
        f'<desc id="{name}-d">{escape(plain(drawing.description))}</desc>\n'
        f"{_shapes(drawing)}\n</svg>\n"
    )


def _shapes(drawing: Drawing) -> str:
    elements = []
    for style, shapes in groupby(drawing.shapes, lambda shape: _style(shape, drawing)):
        drawn = "".join(_element(shape, drawing) for shape in shapes)
        elements.append(f"<g {style}>{drawn}</g>" if style else drawn)
    return "\n".join(elements)


def _style(shape: object, drawing: Drawing) -> str:
    """What neighbouring lines have in common; nothing for other shapes."""
    if not isinstance(shape, Words):
        return ""
    return f'fill="{_colour(shape.fill)}" transform="scale({_scale(shape, drawing)})"'


def _scale(words: Words, drawing: Drawing) -> str:
    """Units for each step of the grid. Places are counted in the number as it is written, or rounding would shift a line."""
    return f"{words.size / drawing.grid(words):.5f}".rstrip("0")


def path_of(rows: tuple[tuple[bool, ...], ...]) -> str:
    """The dark modules as one SVG path: a horizontal bar for each run, one unit a module."""
    return "".join(f"M{column} {row}h{length}v1h-{length}z" for row, column, length in runs_of(rows))


def runs_of(rows: tuple[tuple[bool, ...], ...]) -> list[tuple[int, int, int]]:
    """Row, column and length of each run of dark modules."""
    runs = []
    for row, modules in enumerate(rows):
        column = 0
        for dark, run in groupby(modules):
            length = len(list(run))
            if dark:
                runs.append((row, column, length))
            column += length
    return runs


def _strokes_of(rows: tuple[tuple[bool, ...], ...]) -> str:
    """The same as lines one unit wide, each told by the way from the end of the last: half as long when packed."""
    path = "M0 .5"
    here, last = 0, 0
    for row, column, length in runs_of(rows):
        path += f"m{column - here} {row - last}h{length}"
        here, last = column + length, row
    return path


@singledispatch
def _element(shape: object, drawing: Drawing) -> str:
    raise TypeError(type(shape), drawing)


@_element.register
def _(box: Box, _drawing: Drawing) -> str:
    outline = f' stroke="{_colour(box.outline)}" stroke-width="{_short(box.line)}"' if box.outline else ""
    radius = f' rx="{_short(box.radius)}"' if box.radius else ""
    place = f'x="{_short(box.x)}" y="{_short(box.y)}" width="{_short(box.width)}" height="{_short(box.height)}"'
    return f'<rect {place}{radius} fill="{_colour(box.fill)}"{outline}/>'


@_element.register
def _(words: Words, drawing: Drawing) -> str:
    grid = drawing.grid(words)
    scale = float(_scale(words, drawing))
    letters = "".join(path_of_letter(letter, words.weight, grid) for letter in words.text)
    return f'<path d="M{round(words.x / scale)} {round(words.y / scale)}{letters}"/>'


@_element.register
def _(pointer: Pointer, _drawing: Drawing) -> str:
    half, height = _short(pointer.width / 2), _short(pointer.height)
    path = f"M{_short(pointer.x)} {_short(pointer.y)}l-{half} -{height}h{_short(pointer.width)}z"
    return f'<path d="{path}" fill="{_colour(pointer.fill)}"/>'


@_element.register
def _(code: Code, _drawing: Drawing) -> str:
    move = f"translate({_short(code.x)} {_short(code.y)}) scale({_short(code.module)})"
    return (
        f'<path transform="{move}" shape-rendering="crispEdges" stroke="{_colour(INK)}" d="{_strokes_of(code.rows)}"/>'
    )


def _short(number: float) -> str:
    """Two decimals at most, no trailing zeros: the same text on every machine."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _colour(colour: str) -> str:
    """#111111 -> #111"""
    return f"#{colour[1::2]}" if colour[1::2] == colour[2::2] else colour
