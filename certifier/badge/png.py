"""Draw a face as PNG with Pillow: the same layout as the SVG, in three fixed sizes.

Text is drawn in the bundled font; the modules of the QR code fall on whole pixels.
"""

from __future__ import annotations

from functools import lru_cache, singledispatch
from io import BytesIO
from itertools import product

from PIL import Image, ImageDraw

from certifier.badge.badge import BadgeFace
from certifier.badge.layout import INK, SIDE, WHITE, Box, Code, Pointer, Words, shapes_of
from certifier.badge.lettering import font_for
from certifier.errors import NotFoundError

# Sizes come from this list, never as free numbers from a request: an image costs memory by the square of its scale.
SCALES = (1, 2, 4)
COLOURS = 64
SMOOTHING = 4  # edges are drawn this much larger and then reduced


def render_png(face: BadgeFace, scale: int = 2) -> bytes:
    """A square of 600 x scale pixels. Raises NotFoundError for another scale, OperatorError for an unfit address."""
    if scale not in SCALES:
        raise NotFoundError("the badge does not come in this size", found=str(scale), expected=f"one of {SCALES}")
    image = Image.new("RGB", (SIDE * scale, SIDE * scale), WHITE)
    for shape in shapes_of(face):
        _draw(shape, image, scale)
    buffer = BytesIO()
    # A palette makes the file a third as large, in the same time.
    image.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(buffer, "PNG")
    return buffer.getvalue()


@singledispatch
def _draw(shape: object, image: Image.Image, scale: int) -> None:  # noqa: ARG001  # the signature of all below
    raise TypeError(type(shape))


@_draw.register
def _(box: Box, image: Image.Image, scale: int) -> None:
    if box.outline:
        _paste_box(box, image, scale, box.outline, grow=1)
    _paste_box(box, image, scale, box.fill, grow=-1 if box.outline else 0)


def _paste_box(box: Box, image: Image.Image, scale: int, fill: str, grow: float) -> None:
    left, top = round((box.x - grow) * scale), round((box.y - grow) * scale)
    right, bottom = round((box.x + box.width + grow) * scale), round((box.y + box.height + grow) * scale)
    radius = round((box.radius + grow) * scale) if box.radius else 0
    image.paste(fill, (left, top + radius, right, bottom - radius))
    image.paste(fill, (left + radius, top, right - radius, bottom))
    places = product((left, right - radius), (top, bottom - radius))
    for place, corner in zip(places, _corners(radius), strict=False):
        image.paste(fill, place, corner)


@lru_cache(maxsize=32)
def _corners(radius: int) -> tuple[Image.Image, ...]:
    """Masks of the four quarters of a smooth disc: top left, bottom left, top right, bottom right; none without radius."""
    if not radius:
        return ()
    disc = Image.new("L", (2 * radius * SMOOTHING, 2 * radius * SMOOTHING), 0)
    ImageDraw.Draw(disc).ellipse((0, 0, disc.width - 1, disc.height - 1), fill=255)
    disc = disc.reduce(SMOOTHING)
    return tuple(disc.crop((x, y, x + radius, y + radius)) for x, y in product((0, radius), repeat=2))


@_draw.register
def _(words: Words, image: Image.Image, scale: int) -> None:
    font = font_for(words.weight, words.size * scale)
    ImageDraw.Draw(image).text((words.x * scale, words.y * scale), words.text, words.fill, font, anchor="ls")


@_draw.register
def _(pointer: Pointer, image: Image.Image, scale: int) -> None:
    width, height = round(pointer.width * scale), round(pointer.height * scale)
    mask = Image.new("L", (width * SMOOTHING, height * SMOOTHING), 0)
    ImageDraw.Draw(mask).polygon([(0, 0), (mask.width, 0), (mask.width / 2, mask.height)], fill=255)
    place = (round(pointer.x * scale - width / 2), round(pointer.y * scale) - height)
    image.paste(pointer.fill, place, mask.reduce(SMOOTHING))


@_draw.register
def _(code: Code, image: Image.Image, scale: int) -> None:
    modules = Image.new("L", (len(code.rows), len(code.rows)))
    modules.putdata([255 if dark else 0 for row in code.rows for dark in row])
    side = round(len(code.rows) * code.module * scale)
    mask = modules.resize((side, side), Image.Resampling.NEAREST)
    image.paste(INK, (round(code.x * scale), round(code.y * scale)), mask)
