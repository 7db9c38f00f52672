"""A drawing as PNG with Pillow: the same places as in the SVG, in three fixed sizes.

Letters are drawn in the bundled font, each at its own place to a fraction of a pixel; the modules of a QR code fall on whole
pixels.
"""

from __future__ import annotations

from functools import lru_cache, singledispatch
from io import BytesIO
from itertools import product

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from certifier.badge.badge import plain
from certifier.badge.drawing import SCALES, Box, Code, Drawing, Pointer, Words
from certifier.badge.lettering import STEPS, font_for, origins_of
from certifier.badge.palette import INK, WHITE
from certifier.errors import NotFoundError

COLOURS = 64
SMOOTHING = 4  # edges are drawn this much larger and then reduced


def render_png(drawing: Drawing, scale: int = 2) -> bytes:
    """The drawing with ``scale`` times as many pixels as its unit has. Raises NotFoundError for another scale."""
    if scale not in SCALES:
        raise NotFoundError("the badge does not come in this size", found=str(scale), expected=f"one of {SCALES}")
    pixels = drawing.pixels * scale
    image = Image.new("RGB", (round(drawing.width * pixels), round(drawing.height * pixels)), WHITE)
    for shape in drawing.shapes:
        _draw(shape, image, pixels)
    # A palette makes the file a third as large, in the same time.
    picture = image.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    clear = _clear_corners(picture, round(drawing.corner * pixels)) if drawing.corner else {}
    buffer = BytesIO()
    picture.save(buffer, "PNG", pnginfo=_said(drawing), dpi=_dots_per_inch(drawing, pixels), **clear)
    return buffer.getvalue()


def _clear_corners(picture: Image.Image, radius: int) -> dict[str, int]:
    """Make clear what lies beyond the corners, as one more colour of the palette; gives what is saved with the picture."""
    palette = picture.getpalette() or []
    clear = len(palette) // 3
    picture.putpalette([*palette, 255, 255, 255])
    width, height = picture.size
    places = product((0, width - radius), (0, height - radius))
    for place, corner in zip(places, _corners(radius), strict=True):
        picture.paste(clear, place, corner.point(lambda level: 255 * (level < 128)))
    return {"transparency": clear}


def _said(drawing: Drawing) -> PngInfo:
    """What the image says, for those who listen."""
    said = PngInfo()
    said.add_itxt("Title", plain(drawing.title))
    said.add_itxt("Description", plain(drawing.description))
    return said


def _dots_per_inch(drawing: Drawing, pixels: int) -> tuple[float, float]:
    dots = 25.4 * pixels if drawing.unit == "mm" else 96.0 * pixels
    return dots, dots


@singledispatch
def _draw(shape: object, image: Image.Image, pixels: int) -> None:  # noqa: ARG001  # the signature of all below
    raise TypeError(type(shape))


@_draw.register
def _(box: Box, image: Image.Image, pixels: int) -> None:
    if box.outline:
        _paste_box(box, image, pixels, box.outline, grow=box.line / 2)
    _paste_box(box, image, pixels, box.fill, grow=-box.line / 2 if box.outline else 0)


def _paste_box(box: Box, image: Image.Image, pixels: int, fill: str, grow: float) -> None:
    left, top = round((box.x - grow) * pixels), round((box.y - grow) * pixels)
    right, bottom = round((box.x + box.width + grow) * pixels), round((box.y + box.height + grow) * pixels)
    # What is thinner than a pixel is one pixel wide.
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    radius = min(round((box.radius + grow) * pixels), (right - left) // 2, (bottom - top) // 2) if box.radius else 0
    image.paste(fill, (left, top + radius, right, bottom - radius))
    image.paste(fill, (left + radius, top, right - radius, bottom))
    places = product((left, right - radius), (top, bottom - radius))
    for place, corner in zip(places, _corners(radius), strict=False):
        image.paste(fill, place, corner)


@lru_cache(maxsize=32)
def _corners(radius: int) -> tuple[Image.Image, ...]:
    """Masks of the four quarters of a smooth disc: top left, bottom left, top right, bottom right; none without radius."""
    if radius < 1:
        return ()
    disc = Image.new("L", (2 * radius * SMOOTHING, 2 * radius * SMOOTHING), 0)
    ImageDraw.Draw(disc).ellipse((0, 0, disc.width - 1, disc.height - 1), fill=255)
    disc = disc.reduce(SMOOTHING)
    return tuple(disc.crop((x, y, x + radius, y + radius)) for x, y in product((0, radius), repeat=2))


@_draw.register
def _(words: Words, image: Image.Image, pixels: int) -> None:
    size = words.size * pixels
    font = font_for(words.weight, size)
    pen = ImageDraw.Draw(image)
    for letter, start in origins_of(words.text, words.weight):
        if letter != " ":
            pen.text((words.x * pixels + start * size / STEPS, words.y * pixels), letter, words.fill, font, anchor="ls")


@_draw.register
def _(pointer: Pointer, image: Image.Image, pixels: int) -> None:
    width, height = round(pointer.width * pixels), round(pointer.height * pixels)
    mask = Image.new("L", (width * SMOOTHING, height * SMOOTHING), 0)
    ImageDraw.Draw(mask).polygon([(0, 0), (mask.width, 0), (mask.width / 2, mask.height)], fill=255)
    place = (round(pointer.x * pixels - width / 2), round(pointer.y * pixels) - height)
    image.paste(pointer.fill, place, mask.reduce(SMOOTHING))


@_draw.register
def _(code: Code, image: Image.Image, pixels: int) -> None:
    modules = Image.new("L", (len(code.rows), len(code.rows)))
    modules.putdata([255 if dark else 0 for row in code.rows for dark in row])
    side = round(code.side * pixels)
    mask = modules.resize((side, side), Image.Resampling.NEAREST)
    image.paste(INK, (round(code.x * pixels), round(code.y * pixels)), mask)
