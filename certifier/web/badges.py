"""A certificate's badge over HTTP.

An image is never a broken one: a withdrawn certificate and a code that was never issued have readable art of their own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from flask import Response

from certifier.badge.badge import BadgeFace
from certifier.badge.png import SCALES, render_png
from certifier.badge.svg import render_svg
from certifier.certificate.baked import bake
from certifier.errors import NotFoundError
from certifier.web.problems import NoSuchCertificate
from certifier.web.records import record_of
from certifier.web.responses import PNG, SVG, checked_query, reply
from certifier.web.site import Site
from certifier.web.wellknown import PUBLIC

# Scripts cannot run in such an image, and nothing is fetched for it, even when it is opened on its own.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
UNKNOWN = Path(__file__).parent / "static"
REMEMBERED = 512


@lru_cache(REMEMBERED)
def _svg(face: BadgeFace) -> str:
    return render_svg(face)


@lru_cache(REMEMBERED)
def _png(face: BadgeFace, scale: int) -> bytes:
    return render_png(face, scale)


def svg(site: Site, code: str) -> Response:
    """The badge as SVG."""
    checked_query()
    face, state = _face(site, code)
    body = _svg(face) if face else (UNKNOWN / "no-certificate.svg").read_bytes()
    return _image(body, SVG, state)


def png(site: Site, code: str) -> Response:
    """The badge as PNG; ``?scale=`` gives pixels per unit."""
    scale = int(checked_query(scale=[str(scale) for scale in (2, *SCALES)])["scale"])
    face, state = _face(site, code)
    body = _png(face, scale) if face else (UNKNOWN / "no-certificate.png").read_bytes()
    return _image(body, PNG, state)


def baked(site: Site, code: str) -> Response:
    """The badge with the signed Open Badges credential inside.

    Its face says how the certificate stands and bears no month, so a file of a certificate in force is the same each time.
    """
    checked_query()
    record = record_of(site, code, site.minute())
    if record.face is None:
        raise NotFoundError("The certificate cannot be believed, so it has no badge now.")
    credential = site.certifier.rendition(record.row, "openbadge").decode()
    return _image(bake(_svg(replace(record.face, checked_month=None)), credential), SVG, record.state, **PUBLIC)


def _face(site: Site, code: str) -> tuple[BadgeFace | None, str]:
    try:
        record = record_of(site, code, site.minute())
    except NoSuchCertificate:
        return None, "unknown"
    if record.face is None:
        raise NotFoundError("The certificate cannot be believed, so it has no badge now.")
    return record.face, record.state


def _image(body: str | bytes, media_type: str, state: str, **more: str) -> Response:
    cache = "a minute" if state == "unknown" else "five minutes"
    headers = {"Content_Security_Policy": SANDBOX, "Cross_Origin_Resource_Policy": "cross-origin", "LCAL_State": state}
    return reply(body, media_type, cache, **headers, **more)
