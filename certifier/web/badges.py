"""A certificate's art over HTTP: the formats of the badge kit, live and for print.

An image is never a broken one: a withdrawn certificate and a code that was never issued have readable art of their own.
Art that is served (``live``) follows the status and is dated by its last check. Art for print bears its days and its code and
never changes; once a certificate is not in force any more, none is given out: the ended art takes its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import BoundedSemaphore, Lock

from flask import Response
from werkzeug.wrappers import Response as AnyResponse

from certifier.badge.badge import BadgeFace, Status, bare_face, shield_words
from certifier.badge.drawing import SCALES, Drawing
from certifier.badge.label import label
from certifier.badge.one_ink import one_ink
from certifier.badge.palette import HAIR, PAPER, SLATE, plate_of
from certifier.badge.public_use import EVERYWHERE, REGIONS, artwork_for
from certifier.badge.sheet import Certificate, Stage, sheet
from certifier.badge.shield import shield
from certifier.badge.square import square
from certifier.badge.svg import render_svg
from certifier.certificate.baked import bake
from certifier.certificate.code import parse_code
from certifier.certificate.compact import digits_of
from certifier.errors import BusyError, NotFoundError
from certifier.web import charts
from certifier.web.faces import standing_of
from certifier.web.memory import Kept, Memory
from certifier.web.problems import NoSuchCertificate
from certifier.web.records import Record, record_of
from certifier.web.responses import PDF, PNG, SVG, checked_query, json_reply, moved, reply
from certifier.web.site import Site
from certifier.web.submissions import decision_on
from certifier.web.words import LEVELS, STAGES

# Scripts cannot run in such an image, and nothing is fetched for it, even when it is opened on its own.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
REMEMBERED = 128
PAPERS_REMEMBERED = 32
PICTURE_BYTES = 8 * 1024 * 1024
MOST_WAITING = 6  # of 32 threads
SECONDS = 300
LIVE, PRINT = "live", "print"
COLOURS, ONE = "colours", "one"  # inks
# Where art will be shown; by default it has to be allowed in all regions.
SHOWN_IN = (EVERYWHERE, *REGIONS)

# format -> what draws it
FORMATS: dict[str, Callable[[Certificate], Drawing]] = {
    "shield": lambda certificate: shield(certificate.face),
    "square": lambda certificate: square(certificate.face),
    "label": lambda certificate: label(certificate.face),
    "sheet": sheet,
}
PAPER_FORMATS = ("label", "sheet")  # those that are measured in millimetres, and come as PDF
MEDIA_TYPES = {"svg": SVG, "png": PNG, "pdf": PDF}

# A sheet at scale 4 is a picture of 64 megabytes while it is drawn, and takes more than a second: one is drawn at a time, and
# so few threads wait for it that readers of everything else are served meanwhile (DESIGN 15).
_one_at_a_time = Lock()
_places = BoundedSemaphore(MOST_WAITING)
_pictures = Memory(PICTURE_BYTES)


@dataclass(frozen=True)
class Art:
    """What is to be drawn for whoever asked now. ``is_final``: it will be the same for ever."""

    certificate: Certificate
    state: str
    is_final: bool


def _drawing(name: str, certificate: Certificate, ink: str) -> Drawing:
    drawing = FORMATS[name](certificate)
    return one_ink(drawing) if ink == ONE else drawing


@lru_cache(REMEMBERED)
def _svg(name: str, certificate: Certificate, ink: str = COLOURS) -> str:
    return render_svg(_drawing(name, certificate, ink))


def _png(name: str, certificate: Certificate, scale: int, ink: str = COLOURS) -> bytes:
    """The picture, drawn once for all who ask for it. Raises BusyError, at once, when too many wait for others."""
    wanted = (name, certificate, scale, ink)
    if kept := _pictures.get(wanted):
        return kept.body
    from certifier.badge.png import render_png  # noqa: PLC0415 - its library takes memory, and few ask for pictures

    if not _places.acquire(blocking=False):
        raise BusyError("Many pictures are being drawn just now.", hint="Ask for the same one again shortly.")
    try:
        with _one_at_a_time:
            kept = _pictures.get(wanted) or Kept([], render_png(_drawing(name, certificate, ink), scale), "")
            _pictures.put(wanted, kept)
    finally:
        _places.release()
    return kept.body


@lru_cache(PAPERS_REMEMBERED)
def _pdf(name: str, certificate: Certificate, marks: str, ink: str) -> bytes:
    from certifier.badge.pdf import render_pdf  # noqa: PLC0415 - as for pictures

    return render_pdf(_drawing(name, certificate, ink), crop_marks=marks == "crop")


def svg(site: Site, code: str) -> Response:
    """The live square as SVG."""
    checked_query()
    art = _art(site, code, "square")
    return _image(_svg("square", art.certificate), SVG, art)


def png(site: Site, code: str) -> Response:
    """The live square as PNG; ``?scale=`` gives pixels per unit."""
    scale = int(checked_query(scale=_SCALES)["scale"])
    art = _art(site, code, "square")
    return _image(_png("square", art.certificate, scale), PNG, art)


def baked(site: Site, code: str) -> Response:
    """The badge with the signed Open Badges credential inside.

    Its face says how the certificate stands and bears no month, so a file of a certificate in force is the same each time.
    """
    checked_query()
    record = record_of(site, code, site.minute())
    if record.face is None:
        raise NotFoundError("The certificate cannot be believed, so it has no badge now.")
    face = replace(record.face, checked_month=None)
    credential = site.certifier.rendition(record.row, "openbadge").decode()
    return _image(bake(_svg("square", Certificate(face)), credential), SVG, Art(Certificate(face), record.state, False))


def pieces() -> list[str]:
    """The files of the badge kit."""
    return [
        f"{form}.{suffix}" for form in FORMATS for suffix in MEDIA_TYPES if suffix != "pdf" or form in PAPER_FORMATS
    ]


def queries_of(form: str, suffix: str) -> dict[str, Sequence[str]]:
    """What may be asked of a piece, the default first."""
    asked: dict[str, Sequence[str]] = {"art": (LIVE, PRINT), "region": SHOWN_IN, "ink": (COLOURS, ONE)}
    if suffix == "png":
        asked["scale"] = _SCALES
    if suffix == "pdf" and form == "label":
        asked["marks"] = ("none", "crop")
    return asked


def kit(site: Site, name: str, file: str) -> AnyResponse:
    """One piece of the badge kit, ``<format>.<svg|png|pdf>``; other spellings of the code lead here."""
    if file not in pieces():
        raise NotFoundError("There is no such badge.", found=file[:40], expected=" ".join(pieces()))
    form, _, suffix = file.partition(".")
    code = parse_code(name)
    return moved(f"/v/{code}/badge/{file}") if code != name else _piece(site, code, form, suffix)


def pdf(site: Site, code: str) -> Response:
    """The sheet as PDF: ``/v/CODE.pdf``."""
    return _piece(site, code, "sheet", "pdf")


def shields(site: Site, name: str) -> AnyResponse:
    """What a shield says, in the form that badge services for repositories read (shields.io endpoint)."""
    code = parse_code(name)
    if code != name:
        return moved(f"/v/{code}/shields.json")
    asked = checked_query(region=SHOWN_IN)
    art = _art(site, code, "shield", region=asked["region"])
    measured, figure = shield_words(art.certificate.face)
    colours = plate_of(art.certificate.face)
    document = {
        "schemaVersion": 1,
        "label": measured,
        "message": figure,
        "labelColor": SLATE.fill,
        "color": HAIR if colours is PAPER else colours.fill,
        "isError": False,
        "cacheSeconds": SECONDS,
    }
    return json_reply(document, "five minutes", LCAL_State=art.state)


_SCALES = [str(scale) for scale in dict.fromkeys((2, *SCALES))]  # the first is the default


def _piece(site: Site, code: str, form: str, suffix: str) -> Response:
    asked = checked_query(**queries_of(form, suffix))
    art = _art(site, code, form, asked["art"], asked["region"])
    return _image(_drawn(form, suffix, art.certificate, asked), MEDIA_TYPES[suffix], art)


def _drawn(form: str, suffix: str, certificate: Certificate, asked: Mapping[str, str]) -> str | bytes:
    if suffix == "svg":
        return _svg(form, certificate, asked["ink"])
    if suffix == "png":
        return _png(form, certificate, int(asked["scale"]), asked["ink"])
    return _pdf(form, certificate, asked.get("marks", "none"), asked["ink"])


def _art(site: Site, code: str, form: str, art: str = LIVE, region: str = EVERYWHERE) -> Art:
    """What is to be drawn: the certificate as it stands, or a bare face for a code of which nothing can be said."""
    try:
        record = record_of(site, code, site.minute())
    except NoSuchCertificate:
        is_in_log = site.certifier.store.entry_for(code, "issue") is not None
        return _bare(site, code, "away" if is_in_log else "unknown")
    if record.face is None or record.claims is None:
        return _bare(site, code, "unreliable")
    standing = standing_of(record.claims, record.state, site.scheme.monitored_at(site.minute()))
    face = replace(record.face, artwork=artwork_for(standing, region))
    is_print = art == PRINT and face.is_active
    if is_print:
        face = replace(face, checked_month=None)
    certificate = _sheet(site, record, face) if form == "sheet" else Certificate(face)
    return Art(certificate, record.state, is_final=is_print and record.state == "active")


def _bare(site: Site, code: str, status: Status) -> Art:
    return Art(Certificate(bare_face(code, site.settings.base_url, status)), status, is_final=False)


def _sheet(site: Site, record: Record, face: BadgeFace) -> Certificate:
    """The face with what the sheet says beyond it."""
    if record.claims is None:
        return Certificate(face)
    claims = record.claims
    footprint = decision_on(site, record.row.submission_id).footprint
    return Certificate(
        face,
        title=claims.subject.title,
        artist=claims.subject.artist,
        issuer=claims.issuer.name,
        evidence=LEVELS[claims.basis.evidence_level],
        stages=tuple(
            Stage(STAGES[part.stage], str(part.grams_per_min), float(part.share) / 100, part.is_estimated)
            for part in (charts.segments_of(footprint) if footprint else ())
        ),
        digits=digits_of(site.certifier.rendition(record.row, "compact")) if face.is_active else "",
    )


def _image(body: str | bytes, media_type: str, art: Art, **more: str) -> Response:
    cache = "for ever" if art.is_final else "a minute" if art.state in ("unknown", "unchecked") else "five minutes"
    headers = {
        "Content_Security_Policy": SANDBOX,
        "Cross_Origin_Resource_Policy": "cross-origin",
        "LCAL_State": art.state,
        # What varies is remembered here for a moment only (web/ready.py): no art for print is given out after a withdrawal.
        "Vary": "Accept-Encoding",
    }
    return reply(body, media_type, cache, **headers, **more)
