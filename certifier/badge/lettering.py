"""How wide a text is, and how it breaks into lines: the same in SVG and PNG, on every machine.

The badge measures with its own font (``fonts/``), which has no kerning: the width of a text is the sum of its letters.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import resources
from io import BytesIO
from typing import Literal, TypeAlias

from PIL import ImageFont

Weight: TypeAlias = Literal["medium", "bold"]

FONT_FILES: dict[Weight, str] = {"medium": "Inter-Medium.otf", "bold": "Inter-Bold.otf"}
FONT_FAMILY = "Inter, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"
ELLIPSIS = "…"
MEASURING_SIZE = 1000


@cache
def _font_bytes(weight: Weight) -> bytes:
    return resources.files("certifier.badge").joinpath("fonts", FONT_FILES[weight]).read_bytes()


@lru_cache(maxsize=64)
def font_for(weight: Weight, size: float) -> ImageFont.FreeTypeFont:
    """The bundled font at this size in pixels."""
    return ImageFont.truetype(BytesIO(_font_bytes(weight)), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def _advance(letter: str, weight: Weight) -> float:
    return font_for(weight, MEASURING_SIZE).getlength(letter) / MEASURING_SIZE


def width_of(text: str, size: float, weight: Weight) -> float:
    """Width of one line in the unit of its size."""
    return size * sum(_advance(letter, weight) for letter in text)


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
    parts = [""]
    for letter in word:
        if parts[-1] and width_of(parts[-1] + letter, size, weight) > width:
            parts.append("")
        parts[-1] += letter
    return parts


def _cut(text: str, width: float, size: float, weight: Weight) -> str:
    while text and width_of(text + ELLIPSIS, size, weight) > width:
        text = text[:-1].rstrip()
    return text + ELLIPSIS
