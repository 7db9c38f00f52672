"""The QR for print over HTTP: the address of the page with the compact certificate behind it, alone and black on white.

It is for whoever lays out a print label or a sheet. It says what was signed and never changes; how the certificate stands now,
the page says to which it leads.
"""

from __future__ import annotations

from functools import lru_cache

from flask import Response

from certifier.badge.print_qr import PRINT_SCALES, render_print_qr_png, render_print_qr_svg
from certifier.badge.qr import print_qr_text
from certifier.certificate.compact import digits_of
from certifier.certificate.credential import parse_claims
from certifier.crypto.strict_json import parse_object
from certifier.web.badges import REMEMBERED, SANDBOX
from certifier.web.records import row_of
from certifier.web.responses import PNG, SVG, checked_query, reply
from certifier.web.site import Site


@lru_cache(REMEMBERED)
def _svg(text: str) -> str:
    return render_print_qr_svg(text)


@lru_cache(REMEMBERED)
def _png(text: str, scale: int) -> bytes:
    return render_print_qr_png(text, scale)


def svg(site: Site, code: str) -> Response:
    """The QR as SVG, half a millimetre for each module."""
    checked_query()
    return _image(_svg(_text(site, code)), SVG)


def png(site: Site, code: str) -> Response:
    """The QR as PNG; ``?scale=`` gives pixels per module."""
    scale = int(checked_query(scale=[str(scale) for scale in PRINT_SCALES])["scale"])
    return _image(_png(_text(site, code), scale), PNG)


def _text(site: Site, code: str) -> str:
    row = row_of(site, code)
    # The address is the one that was signed, whatever the service is called today.
    base_url = parse_claims(parse_object(row.payload)).issuer.base_url
    return print_qr_text(base_url, row.code, digits_of(site.certifier.rendition(row, "compact")))


def _image(body: str | bytes, media_type: str) -> Response:
    headers = {"Content_Security_Policy": SANDBOX, "Cross_Origin_Resource_Policy": "cross-origin"}
    return reply(body, media_type, "for ever", **headers)
