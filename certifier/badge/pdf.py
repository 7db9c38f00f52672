"""A drawing as PDF, in true millimetres: letters as outlines, and the same words as invisible text to search and to hear.

Same drawing, same bytes: there is no time of making in the file, and its id comes from its content. Drawn with ReportLab;
outlines go in as plain path operators, since it embeds no fonts of this kind.
"""

from __future__ import annotations

from functools import cache, singledispatch
from io import BytesIO

from reportlab.lib.colors import HexColor
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from certifier.badge.badge import plain
from certifier.badge.drawing import Box, Code, Drawing, Pointer, Words
from certifier.badge.lettering import Weight, outline_of
from certifier.badge.palette import INK
from certifier.badge.svg import runs_of
from certifier.errors import NotFoundError

POINTS_PER_MM = 72 / 25.4
SPOKEN_FONT = "Helvetica"  # one of the fonts that every reader has; it is never seen
BLEED_MM = 3
MARGIN_MM = 8  # around the trimmed size, with crop marks
MARK_MM = 4
MARK_LINE_MM = 0.1


def render_pdf(drawing: Drawing, *, crop_marks: bool = False) -> bytes:
    """One page of the drawing's size; with crop marks a larger one, whose trim box is the drawing's size.

    Raises NotFoundError for a drawing that is measured in pixels.
    """
    if drawing.unit != "mm":
        raise NotFoundError("this format is for screens and has no PDF", found="pdf", expected="svg or png")
    margin = MARGIN_MM if crop_marks else 0
    size = tuple((side + 2 * margin) * POINTS_PER_MM for side in (drawing.width, drawing.height))
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=size, invariant=1, pageCompression=1, lang="en", pdfVersion=(1, 7))
    canvas.setTitle(plain(drawing.title))
    canvas.setSubject(plain(drawing.description))
    canvas.setCreator("certifier")
    canvas.setProducer("certifier")
    canvas.setViewerPreference("DisplayDocTitle", "true")
    # Millimetres from the upper left corner, y downwards, as in the drawing.
    canvas.transform(POINTS_PER_MM, 0, 0, -POINTS_PER_MM, margin * POINTS_PER_MM, size[1] - margin * POINTS_PER_MM)
    if crop_marks:
        _mark(canvas, drawing, size)
    for shape in drawing.shapes:
        _draw(shape, canvas, drawing)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _mark(canvas: Canvas, drawing: Drawing, size: tuple[float, ...]) -> None:
    """The boxes that printers look for, and eight short lines outside the bleed."""
    canvas.setTrimBox(_inside(size, MARGIN_MM))
    canvas.setBleedBox(_inside(size, MARGIN_MM - BLEED_MM))
    canvas.setFillColor(HexColor(INK))
    first = MARGIN_MM - MARK_MM
    half = MARK_LINE_MM / 2
    for x in (0, drawing.width):
        for y in (-MARGIN_MM, drawing.height + first):
            canvas.rect(x - half, y, MARK_LINE_MM, MARK_MM, stroke=0, fill=1)
    for y in (0, drawing.height):
        for x in (-MARGIN_MM, drawing.width + first):
            canvas.rect(x, y - half, MARK_MM, MARK_LINE_MM, stroke=0, fill=1)


def _inside(size: tuple[float, ...], distance_mm: float) -> tuple[float, float, float, float]:
    edge = distance_mm * POINTS_PER_MM
    return edge, edge, size[0] - edge, size[1] - edge


@singledispatch
def _draw(shape: object, canvas: Canvas, drawing: Drawing) -> None:
    raise TypeError(type(shape), canvas, drawing)


@_draw.register
def _(box: Box, canvas: Canvas, _drawing: Drawing) -> None:
    canvas.setFillColor(HexColor(box.fill))
    if box.outline:
        canvas.setStrokeColor(HexColor(box.outline))
        canvas.setLineWidth(box.line)
    has_line = int(bool(box.outline))
    if box.radius:
        canvas.roundRect(box.x, box.y, box.width, box.height, box.radius, stroke=has_line, fill=1)
    else:
        canvas.rect(box.x, box.y, box.width, box.height, stroke=has_line, fill=1)


@_draw.register
def _(words: Words, canvas: Canvas, drawing: Drawing) -> None:
    canvas.setFillColor(HexColor(words.fill))
    grid = drawing.grid(words)
    scale = words.size / grid
    letters = "\n".join(_operators(letter, words.weight, grid) for letter in words.text)
    canvas.addLiteral(f"q {scale:.6f} 0 0 {scale:.6f} {words.x:.4f} {words.y:.4f} cm\n{letters}\nQ")
    _speak(words, canvas)


def _speak(words: Words, canvas: Canvas) -> None:
    """The line as text that is not painted (PDF 32000-1, 9.3.6, mode 3), as wide as its outlines.

    What the font's encoding lacks, the actual text beside it has (14.9.4).
    """
    spoken = words.text.encode("cp1252", "replace").decode("cp1252")
    width = stringWidth(spoken, SPOKEN_FONT, words.size)
    if not width:
        return
    text = canvas.beginText()
    text.setTextRenderMode(3)
    text.setFont(SPOKEN_FONT, words.size)
    text.setHorizScale(100 * words.width / width)
    text.setTextTransform(1, 0, 0, -1, words.x, words.y)
    text.textOut(spoken)
    canvas.addLiteral(f"/Span <</ActualText <FEFF{words.text.encode('utf-16-be').hex().upper()}>>> BDC")
    canvas.drawText(text)
    canvas.addLiteral("EMC")


@cache
def _operators(letter: str, weight: Weight, grid: int) -> str:
    """One letter, filled, and the way to the next one's origin."""
    outline = outline_of(letter, weight, grid)
    lines = [
        " ".join([*(f"{x} {y}" for x, y in points), _OPERATORS[kind]]) if points else "h"
        for kind, points in outline.segments
    ]
    paint = ["f"] if lines else []
    return "\n".join([*lines, *paint, f"1 0 0 1 {outline.advance} 0 cm"])


_OPERATORS = {"M": "m", "L": "l", "C": "c"}


@_draw.register
def _(pointer: Pointer, canvas: Canvas, _drawing: Drawing) -> None:
    canvas.setFillColor(HexColor(pointer.fill))
    path = canvas.beginPath()
    path.moveTo(pointer.x, pointer.y)
    path.lineTo(pointer.x - pointer.width / 2, pointer.y - pointer.height)
    path.lineTo(pointer.x + pointer.width / 2, pointer.y - pointer.height)
    path.close()
    canvas.drawPath(path, stroke=0, fill=1)


@_draw.register
def _(code: Code, canvas: Canvas, _drawing: Drawing) -> None:
    canvas.setFillColor(HexColor(INK))
    modules = "\n".join(f"{column} {row} {length} 1 re" for row, column, length in runs_of(code.rows))
    canvas.addLiteral(f"q {code.module} 0 0 {code.module} {code.x:.4f} {code.y:.4f} cm\n{modules}\nf\nQ")
