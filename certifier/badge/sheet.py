"""The certificate on paper: one page of A4, in true millimetres.

Title and artist, the figure with its scale, where it comes from, what it leaves out, who checked it and under which standard,
and a QR code that holds the address and the signed certificate in short, so that the page can be checked without a network.
Paper cannot know how a certificate stands: it says what was certified, and that the page under the address says the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from certifier.badge.badge import (
    NOT_ASSESSED,
    BadgeFace,
    FaceText,
    checked_verb,
    face_lines,
    plain,
    read_and_drawn,
    sentences_of,
)
from certifier.badge.bar import bar
from certifier.badge.drawing import Box, Code, Drawing, Shape, Words, line, line_to, paragraph
from certifier.badge.lettering import cut, has_all_letters, lines_of
from certifier.badge.palette import GREY, HAIR, INK, PAPER, SLATE, WHITE, plate_of
from certifier.badge.qr import QUIET_MODULES, print_qr_matrix, print_qr_text, qr_matrix, qr_text

WIDTH, HEIGHT = 210, 297
PIXELS = 4  # for each millimetre, at scale 1
LEFT, RIGHT = 20, 190
INNER = RIGHT - LEFT
ASIDE = 120  # where the right column begins
MODULE_MM = 0.5
TEXT = 3.1
ONE_LINE = 20  # of its own size: what one line of the lower part holds
FACTS = 211  # the first baseline of the lower part
LEADING = 4.5

SCHEME = "Scheme"
MOST_LINES = {"Evidence": 3}
OTHER_SCRIPT = "in a script that this sheet's font lacks; see the page"
LEFT_OUT = (
    "Says nothing of the whole song, the artist or the company.",
    "Climate only; other effects on the environment are not assessed.",
    "No offsets and no credits are counted. Electricity counts as the place has it.",
    "Not an ISO 14024 (type I) ecolabel, and no label of a public authority.",
)


@dataclass(frozen=True)
class Stage:
    """A part of the figure: grams per minute as printed, and its share from 0 to 1; ``is_estimated``: by default values."""

    name: str
    grams: str
    share: float
    is_estimated: bool


@dataclass(frozen=True)
class Certificate:
    """What a sheet says beyond the face. ``digits`` is the compact certificate; without it the QR holds the address alone."""

    face: BadgeFace
    title: str = ""
    artist: str = ""
    issuer: str = ""
    evidence: str = ""
    stages: tuple[Stage, ...] = ()
    digits: str = ""


def sheet(certificate: Certificate) -> Drawing:
    """The page of a certificate. Raises OperatorError if the address does not fit the QR code."""
    face = certificate.face
    said, words = read_and_drawn(face)
    code = _code(certificate)
    shapes = (
        Box(0, 0, WIDTH, HEIGHT, 0, WHITE),
        *_head(certificate, words),
        *_plate(face, words),
        *(_figure(face, words) if face.is_active else _ended(words)),
        *(_stages(certificate) if face.is_active else ()),
        *(_left_out(face) if face.is_active else ()),
        *_facts(certificate, words),
        *_beside_code(face, code),
        *_foot(face),
    )
    shapes = tuple(shape for shape in shapes if not isinstance(shape, Words) or shape.text)
    name = " – ".join(filter(None, (plain(certificate.title), plain(certificate.artist))))
    title = f"{name}. {said.title}" if name else said.title
    more = sentences_of(
        (said.description.rstrip("."), *(LEFT_OUT if face.is_active else ()), *_stage_words(certificate))
    )
    return Drawing(f"sheet-{face.code}", WIDTH, HEIGHT, "mm", PIXELS, title, more, shapes)


def _stage_words(certificate: Certificate) -> tuple[str, ...]:
    stages = certificate.stages if certificate.face.is_active else ()
    return tuple(f"{stage.name}: {stage.grams} g per minute" for stage in stages)


def _shown(text: str, what: str) -> str:
    """A name as it can be drawn."""
    name = plain(text)
    return name if has_all_letters(name) else f"{what} {OTHER_SCRIPT}"


def _head(certificate: Certificate, words: FaceText) -> Iterator[Shape]:
    noun = "Statement" if certificate.face.kind == "statement" and certificate.face.is_active else "Certificate"
    yield line(f"{noun}: AI generation footprint of a recording", LEFT, 22, 3.6, fill=GREY, most=INNER - 40)
    yield line_to(words.code, RIGHT, 22, 3.6, "bold", most=36)
    yield Box(LEFT, 25, INNER, 0.3, 0, INK)
    title = _shown(certificate.title, "Title")
    size = next((size for size in (9.5, 8, 6.5) if len(lines_of(title, INNER, size, "bold", 3)) < 2), 6.5)
    lines = list(paragraph(title, LEFT, 38, size, 8, width=INNER, most=2, weight="bold"))
    yield from lines
    artist = _shown(certificate.artist, "Artist")
    yield line(artist, LEFT, 54 if len(lines) > 1 else 46.5, 5, fill=GREY, most=INNER)


def _plate(face: BadgeFace, words: FaceText) -> Iterator[Shape]:
    colours = plate_of(face)
    if colours is PAPER:
        yield Box(LEFT, 73.6, INNER, 0.6, 0, INK)
    else:
        yield Box(LEFT, 59, INNER, 14, 2.4, colours.fill)
    inset = 0 if colours is PAPER else 5
    beside = line_to(words.subline, RIGHT - inset, 68, 4, fill=colours.text, most=INNER / 2 - inset)
    yield line(words.headline, LEFT + inset, 68.2, 6, "bold", colours.text, most=beside.x - LEFT - inset - 5)
    yield beside


def _figure(face: BadgeFace, words: FaceText) -> Iterator[Shape]:
    yield line(words.lead, LEFT, 85, 5, most=INNER / 2)
    number = line(words.number, LEFT - 0.8, 110, 29, "bold", most=110)
    yield number
    beside = number.right + 5
    yield line(words.unit, beside, 98, 9, "bold", most=RIGHT - beside)
    yield line(words.per, beside, 104.2, 5, most=RIGHT - beside)
    yield line(words.estimate, beside, 110, 5, fill=GREY, most=RIGHT - beside)
    if words.calculated:
        yield line_to(words.calculated, RIGHT, 85, 4.4, "bold", most=INNER / 2 - 6)
    if face.has_plate:
        yield from bar(face, LEFT, 117, INNER, height=6.4, size=3.4, limits_below=4.6)
    else:
        yield Box(LEFT, 121, INNER, 0.15, 0, HAIR)


def _ended(words: FaceText) -> Iterator[Shape]:
    yield line(words.number, LEFT - 0.8, 106, 29, "bold", GREY, most=INNER)
    for index, text in enumerate(words.small_print):
        yield line(text, LEFT, 122 + 7 * index, 4.4, most=INNER)


def _heading(text: str, x: float, y: float, most: float) -> Words:
    return line(text, x, y, 4, "bold", most=most)


def _stages(certificate: Certificate) -> Iterator[Shape]:
    """A row for each part of the figure; a bar without filling rests on default values."""
    width = ASIDE - LEFT - 12
    if not certificate.stages:
        return
    yield _heading("Where it comes from", LEFT, 139, width)
    yield line("g per minute, best estimate", LEFT, 144.6, 2.9, fill=GREY, most=width / 2)
    bars, full = LEFT + 43, 28.0
    most = max(stage.share for stage in certificate.stages)
    for index, stage in enumerate(certificate.stages):
        y = 151 + 5.6 * index
        yield line(stage.name, LEFT, y, TEXT, most=41)
        length = max(full * stage.share / most, 0.5) if most else 0.5
        if stage.is_estimated:
            yield Box(bars + 0.15, y - 2.55, max(length - 0.3, 0.2), 2.7, 0, WHITE, SLATE.fill, 0.3)
        else:
            yield Box(bars, y - 2.7, length, 3, 0, SLATE.fill)
        yield line_to(stage.grams, LEFT + width, y, TEXT, most=14)
    if any(stage.is_estimated for stage in certificate.stages):
        y = 151 + 5.6 * len(certificate.stages)
        yield line("A bar without filling rests on default values.", LEFT, y, 2.9, fill=GREY, most=width)


def _left_out(face: BadgeFace) -> Iterator[Shape]:
    y = 139.0
    yield _heading("What it leaves out", ASIDE, y, RIGHT - ASIDE)
    y += 5.6
    assessed = plain(face.post_production) != NOT_ASSESSED
    first = (
        "Counted from data to storage, with the hardware.",
        f"Not counted: {'' if assessed else 'post-production, '}listening, buildings.",
        f"Post-production, separate: {plain(face.post_production)} g per minute" if assessed else "",
    )
    for text in filter(None, (*first, *LEFT_OUT)):
        lines = list(paragraph(text, ASIDE, y, TEXT, 4, width=RIGHT - ASIDE, most=3))
        yield from lines
        y += 4 * len(lines) + 1.5


def _facts(certificate: Certificate, words: FaceText) -> Iterator[Shape]:
    y = float(FACTS)
    yield Box(LEFT, y - 8, INNER, 0.15, 0, HAIR)
    place, width = LEFT + 26, ASIDE - LEFT - 26 - 8
    for name, text in _facts_of(certificate, words):
        yield line(name, LEFT, y, TEXT, fill=GREY, most=24)
        if " " in text:
            lines = list(paragraph(text, place, y, TEXT, LEADING, width=width, most=MOST_LINES.get(name, 2)))
        else:  # an address is not cut
            lines = [line(text, place, y, TEXT, most=width)]
        yield from lines
        y += LEADING * len(lines) + (0 if name == SCHEME else 2)


def _facts_of(certificate: Certificate, words: FaceText) -> Iterator[tuple[str, str]]:
    face = certificate.face
    if face.is_active:
        yield checked_verb(face), plain(face.drawable().checked_by)
        if certificate.evidence:
            yield "Evidence", f"{face.evidence}: {certificate.evidence}"
    if certificate.issuer:
        # Without a class, the name of the programme is not shown (LCAL 9), and the issuer may bear it.
        named = face.is_active and face.kind.startswith("class-")
        name = _shown(certificate.issuer, "Name") if named else _address(face.base_url)
        yield "Decided by", cut(name, ONE_LINE, 1, "medium")
    if face.standard:
        yield "Standard", f"{plain(face.standard)}, a public text"
    if face.issued:
        yield "Issued", face.issued.isoformat()
    if face.expires:
        yield ("Valid until" if face.is_active else "Was to end"), face.expires.isoformat()
    if face.status != "unknown":
        yield SCHEME, "fees, ties, complaints, what was withdrawn:"
        yield "", f"{_address(face.base_url)}/scheme"
    else:
        yield "Code", words.code


def _address(base_url: str) -> str:
    return plain(base_url).removeprefix("https://")


def _page(face: BadgeFace) -> str:
    return f"{_address(face.base_url)}/v/{face.code}"


def _code(certificate: Certificate) -> tuple[Code, ...]:
    """The compact certificate behind the address for what is in force, else the address alone."""
    face = certificate.face
    if face.status == "unknown":  # nothing to lead to
        return ()
    if certificate.digits and face.is_active:
        rows, module = print_qr_matrix(print_qr_text(face.base_url, face.code, certificate.digits)), MODULE_MM
    else:
        rows, module = qr_matrix(qr_text(face.base_url, face.code)), 1.0
    return (Code(ASIDE, FACTS - 2.4, module, tuple(tuple(row) for row in rows)),)


def _beside_code(face: BadgeFace, code: tuple[Code, ...]) -> Iterator[Shape]:
    if not code:
        return
    yield code[0]
    y = code[0].y + code[0].side + QUIET_MODULES * code[0].module + 3
    address = list(paragraph(_page(face), ASIDE, y, TEXT, LEADING, width=RIGHT - ASIDE, most=2, weight="bold"))
    yield from address
    y += LEADING * len(address)
    text = "Scan it to see how it stands now."
    if code[0].module == MODULE_MM:
        text += " It also holds the signed certificate in short, to be checked without a network."
    yield from paragraph(text, ASIDE, y, 2.9, 3.9, width=RIGHT - ASIDE, most=3, fill=GREY)


def _foot(face: BadgeFace) -> Iterator[Shape]:
    yield Box(LEFT, 279, INNER, 0.3, 0, INK)
    yield line(_foot_words(face), LEFT, 284.5, TEXT, most=INNER)


def _foot_words(face: BadgeFace) -> str:
    if face.status == "unknown":
        return f"Nobody ever issued a certificate with this code at {_address(face.base_url)}."
    if not face.standard:
        return f"What is known of it, the page says: {plain(face.base_url)}/v/{face.code}"
    looked = face_lines(face).small_print[-1] if face.checked_month else "This sheet says what was certified"
    return f"{looked}. How it stands now, the page says: {plain(face.base_url)}/v/{face.code}"
