"""The QR of a print label alone, for whoever lays out a label or a sheet: black on white, with its quiet zone.

What it says comes from :func:`certifier.badge.qr.print_qr_text`.
"""

from __future__ import annotations

from io import BytesIO

from certifier.badge.qr import QUIET_MODULES, print_qr_matrix
from certifier.badge.svg import path_of
from certifier.errors import NotFoundError

# Pixels per module, from this list and never as a free number from a request. The first is for print at 300 dots per inch.
PRINT_SCALES = (10, 5, 3, 2)


def render_print_qr_svg(text: str) -> str:
    """One square, half a millimetre for each module. Same text, same bytes."""
    rows = print_qr_matrix(text)
    side = len(rows) + 2 * QUIET_MODULES
    # Half a millimetre: with less, office printers smear modules into each other.
    size = f"{side // 2}.{side % 2 * 5}mm"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{size}" height="{size}" role="img">\n'
        f"<title>QR code: {text.partition('#')[0]} and the certificate in short form</title>\n"
        f'<path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/>\n'
        f'<path transform="translate({QUIET_MODULES} {QUIET_MODULES})" shape-rendering="crispEdges" fill="#000"'
        f' d="{path_of(tuple(tuple(row) for row in rows))}"/>\n</svg>\n'
    )


def render_print_qr_png(text: str, scale: int) -> bytes:
    """One square with ``scale`` pixels for each module. Raises NotFoundError for a scale that is not in PRINT_SCALES."""
    from PIL import Image  # noqa: PLC0415 - eight megabytes, for pictures alone

    if scale not in PRINT_SCALES:
        raise NotFoundError("the QR does not come in this size", found=str(scale), expected=f"one of {PRINT_SCALES}")
    rows = print_qr_matrix(text)
    side = len(rows) + 2 * QUIET_MODULES
    image = Image.new("1", (side, side), 1)
    for y, row in enumerate(rows, QUIET_MODULES):
        for x, dark in enumerate(row, QUIET_MODULES):
            if dark:
                image.putpixel((x, y), 0)
    buffer = BytesIO()
    image.resize((side * scale, side * scale), Image.Resampling.NEAREST).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
