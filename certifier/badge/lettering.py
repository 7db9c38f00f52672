"""Letters of the bundled font: how wide a text is, how it breaks into lines, and the outlines of its letters.

Everything that is drawn measures with this font (``fonts/``), which has no kerning: the width of a text is the sum of its
letters. A letter's width is a whole number of steps, a hundred to the size, so that SVG, PNG and PDF put each letter at the same
place, on every machine, and the same word is always the same text of a path, which packs well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Literal, TypeAlias

from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont

if TYPE_CHECKING:
    from PIL import ImageFont

Weight: TypeAlias = Literal["medium", "bold"]
Point: TypeAlias = tuple[int, int]

FONT_FILES: dict[Weight, str] = {"medium": "Inter-Medium.otf", "bold": "Inter-Bold.otf"}
ELLIPSIS = "…"
UNDRAWABLE = "?"  # for a letter that the font lacks; names are looked at before (see ``has_all_letters``)
STEPS = 100  # of a size: the grid of widths, and of outlines of small letters
FINE_STEPS = 400  # the grid of outlines of large letters


@dataclass(frozen=True)
class Outline:
    """One letter on a grid, y downwards, from its origin on the baseline; ``advance`` leads to the next one's origin.

    A segment is ``("M" | "L" | "C", points)`` or ``("Z", ())``, points as absolute places on the grid.
    """

    segments: tuple[tuple[str, tuple[Point, ...]], ...]
    advance: int


# The reader of fonts unpacks a table when it is first asked, and gives half of one to a thread that asks meanwhile.
_reading = Lock()


@cache
def _font_bytes(weight: Weight) -> bytes:
    return resources.files("certifier.badge").joinpath("fonts", FONT_FILES[weight]).read_bytes()


@cache
def _font(weight: Weight) -> TTFont:
    return TTFont(BytesIO(_font_bytes(weight)), lazy=True)


@cache
def _glyph_names(weight: Weight) -> dict[int, str]:
    with _reading:
        names: dict[int, str] = _font(weight).getBestCmap()
    return names


@lru_cache(maxsize=256)
def font_for(weight: Weight, size: float) -> ImageFont.FreeTypeFont:
    """The bundled font at this size in pixels."""
    from PIL import ImageFont  # noqa: PLC0415 - eight megabytes, for pictures alone

    return ImageFont.truetype(BytesIO(_font_bytes(weight)), size, layout_engine=ImageFont.Layout.BASIC)


def has_all_letters(text: str) -> bool:
    """Whether the font can draw this text; one that it cannot draw must not be shown as boxes."""
    return all(ord(letter) in _glyph_names("medium") for letter in text)


@cache
def _glyph_name(letter: str, weight: Weight) -> str:
    names = _glyph_names(weight)
    return names.get(ord(letter)) or names[ord(UNDRAWABLE)]


@cache
def steps_of(letter: str, weight: Weight) -> int:
    """The width of a letter, in hundredths of its size."""
    name = _glyph_name(letter, weight)
    with _reading:
        font = _font(weight)
        advance: float = font["hmtx"][name][0] / font["head"].unitsPerEm
    return round(advance * STEPS)


@cache
def outline_of(letter: str, weight: Weight, grid: int) -> Outline:
    """The letter on a grid of so many steps to its size, a multiple of 100."""
    name = _glyph_name(letter, weight)
    with _reading:
        font = _font(weight)
        pen = DecomposingRecordingPen(font.getGlyphSet())
        font.getGlyphSet()[name].draw(pen)
        scale = grid / font["head"].unitsPerEm
    segments = tuple(
        (_SEGMENTS[operation], tuple((round(x * scale), -round(y * scale)) for x, y in points))
        for operation, points in pen.value
    )
    return Outline(segments, steps_of(letter, weight) * grid // STEPS)


_SEGMENTS = {"moveTo": "M", "lineTo": "L", "curveTo": "C", "closePath": "Z", "endPath": "Z"}


@cache
def path_of_letter(letter: str, weight: Weight, grid: int) -> str:
    """The letter as relative commands of an SVG path, which end at the next letter's origin."""
    outline = outline_of(letter, weight, grid)
    path = ""
    here = start = (0, 0)
    for kind, points in outline.segments:
        if kind == "Z":
            path += "z"
            here = start
            continue
        steps = [(x - here[0], y - here[1]) for x, y in points]
        here = points[-1]
        if kind == "M":
            start = here
        path += _command(kind, steps)
    return path + "m" + _numbers([outline.advance - here[0], -here[1]])


def _command(kind: str, steps: list[Point]) -> str:
    if kind == "L":
        (x, y), *_ = steps
        if not y:
            return f"h{x}" if x else ""
        if not x:
            return f"v{y}"
    return kind.lower() + _numbers([number for step in steps for number in step])


def _numbers(numbers: list[int]) -> str:
    first, *rest = map(str, numbers)
    return first + "".join(number if number[0] == "-" else f" {number}" for number in rest)


def width_of(text: str, size: float, weight: Weight) -> float:
    """Width of one line in the unit of its size."""
    return size * sum(steps_of(letter, weight) for letter in text) / STEPS


def size_for(text: str, width: float, size: float, weight: Weight) -> float:
    """The given size, or the smaller one at which the text is just as wide as this."""
    return min(size, width / max(width_of(text, 1, weight), 0.01))


def lines_of(text: str, width: float, size: float, weight: Weight, most: int) -> tuple[str, ...]:
    """Break at spaces, and within words that are wider than a line; what does not fit ends in an ellipsis."""
    lines = [""]
    for word in text.split():
        for part in _parts_of(word, width, size, weight):
            longer = f"{lines[-1]} {part}".strip()
            if width_of(longer, size, weight) <= width:
                lines[-1] = longer
            else:
                lines.append(part)
    if len(lines) <= most:
        return tuple(lines)
    return (*lines[: most - 1], _cut(" ".join(lines[most - 1 :]), width, size, weight))


def _parts_of(word: str, width: float, size: float, weight: Weight) -> list[str]:
    if width_of(word, size, weight) <= width:
        return [word]
    parts = [""]
    for letter in word:
        if parts[-1] and width_of(parts[-1] + letter, size, weight) > width:
            parts.append("")
        parts[-1] += letter
    return parts


def cut(text: str, width: float, size: float, weight: Weight) -> str:
    """The text, or as much of it as fits with an ellipsis behind it."""
    return text if width_of(text, size, weight) <= width else _cut(text, width, size, weight)


def _cut(text: str, width: float, size: float, weight: Weight) -> str:
    while text and width_of(text + ELLIPSIS, size, weight) > width:
        text = text[:-1].rstrip()
    return text + ELLIPSIS


def evened(lines: tuple[str, ...], weight: Weight) -> tuple[str, str]:
    """The words of two lines, broken where the wider one is narrowest."""
    words = " ".join(lines).split()
    breaks = ((" ".join(words[:place]), " ".join(words[place:])) for place in range(1, len(words)))
    return min(breaks, key=lambda pair: max(width_of(line, 1, weight) for line in pair))


def origins_of(text: str, weight: Weight) -> list[tuple[str, int]]:
    """Each letter of a line with the place of its origin, in hundredths of the size."""
    steps = [steps_of(letter, weight) for letter in text]
    starts = [0]
    for start, step in zip(starts, steps, strict=False):
        starts.append(start + step)
    return list(zip(text, starts, strict=False))
