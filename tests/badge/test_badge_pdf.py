"""A PDF of the badge kit: true millimetres, the same bytes each time, a code that reads back, words to search and to hear."""

import re
import runpy
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest
import zxingcpp

from certifier.badge.drawing import Code, Words
from certifier.badge.label import label
from certifier.badge.pdf import render_pdf
from certifier.badge.sheet import sheet
from certifier.badge.shield import shield
from certifier.errors import NotFoundError

GOLDENS = runpy.run_path(str(Path(__file__).resolve().parents[2] / "scripts" / "remake_goldens.py"))
FACES, FORMATS, certificate_of = GOLDENS["FACES"], GOLDENS["FORMATS"], GOLDENS["certificate_of"]
FACE = FACES["class-1"]
ADDRESS = "HTTPS://LABEL.EXAMPLE/V/7K3QZ9M2XA"
FOR_PAPER = {
    **{f"label, {name}": ("label", face) for name, face in FACES.items()},
    **{f"sheet, {name}": ("sheet", FACES[name]) for name in ("class-1", "measured", "statement", "revoked", "unknown")},
}
each = pytest.mark.parametrize(("form", "face"), FOR_PAPER.values(), ids=FOR_PAPER.keys())


@cache
def pdf_of(form, face):
    return render_pdf(FORMATS[form](certificate_of(face)))


def opened(raw):
    document = pdfium.PdfDocument(raw)
    assert len(document) == 1
    return document


def in_mm(box):
    return [round(side * 25.4 / 72, 2) for side in box]


def said_in(raw):
    page = opened(raw)[0]
    return " ".join(page.get_textpage().get_text_bounded().split())


@pytest.mark.parametrize(("form", "size"), {"label": [0, 0, 60, 40], "sheet": [0, 0, 210, 297]}.items())
def test_the_page_has_the_size_of_the_drawing_in_millimetres(form, size):
    assert in_mm(opened(pdf_of(form, FACE))[0].get_mediabox()) == size


def test_crop_marks_stand_around_the_trimmed_size_beyond_a_bleed_of_three_millimetres():
    page = opened(render_pdf(label(FACE), crop_marks=True))[0]
    assert [in_mm(box) for box in (page.get_mediabox(), page.get_bleedbox(), page.get_trimbox())] == [
        [0, 0, 76, 56],
        [5, 5, 71, 51],
        [8, 8, 68, 48],
    ]
    grey = np.asarray(page.render(scale=72 / 25.4 * 2).to_pil().convert("L"))
    pixels = grey.shape[1] / 76
    bleed = grey[int(5 * pixels) : int(51 * pixels), int(5 * pixels) : int(71 * pixels)]
    trimmed = grey[int(8 * pixels) : int(48 * pixels), int(8 * pixels) : int(68 * pixels)]
    assert (bleed < 200).sum() == (trimmed < 200).sum()  # nothing dark in the bleed
    assert (grey < 200).sum() > (bleed < 200).sum()  # and the marks outside


@each
def test_the_code_on_the_page_reads_back(form, face):
    if face.status == "unknown":
        assert not [shape for shape in FORMATS[form](certificate_of(face)).shapes if isinstance(shape, Code)]
        return
    picture = opened(pdf_of(form, face))[0].render(scale=200 / 72).to_pil().convert("L")
    expected = f"{ADDRESS}#{GOLDENS['DIGITS']}" if form == "sheet" and face.is_active else ADDRESS
    assert [found.text for found in zxingcpp.read_barcodes(np.asarray(picture))] == [expected]


@each
def test_every_line_can_be_searched_and_read_aloud(form, face):
    said = said_in(pdf_of(form, face))
    for shape in FORMATS[form](certificate_of(face)).shapes:
        if isinstance(shape, Words):
            assert " ".join(shape.text.split()) in said


def test_letters_beyond_the_encoding_are_read_aloud_as_they_are():
    certificate = replace(certificate_of(FACE), title="Ночной паром", artist="Νύχτα")
    said = said_in(render_pdf(sheet(certificate)))
    assert "Ночной паром" in said
    assert "Νύχτα" in said


def test_invisible_text_stands_where_its_outlines_are():
    """Text that is found is marked in its place: the box of a line of text is that of its words."""
    drawing = label(FACE)
    page = opened(render_pdf(drawing))[0]
    text = page.get_textpage()
    words = next(shape for shape in drawing.shapes if isinstance(shape, Words) and shape.text == "8.42")
    found = text.search("8.42").get_next()
    left, bottom, right, top = in_mm(_union([text.get_charbox(found[0] + n, loose=True) for n in range(found[1])]))
    assert (left, right) == (pytest.approx(words.x, abs=0.5), pytest.approx(words.right, abs=0.5))
    assert bottom < 40 - words.y < top


def _union(boxes):
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def test_it_names_itself_and_its_language_and_no_time():
    drawing = sheet(certificate_of(FACE))
    raw = render_pdf(drawing)
    info = opened(raw).get_metadata_dict()
    assert info["Title"] == drawing.title
    assert raw.count(b"/Lang (en)") == 1
    assert b"/DisplayDocTitle true" in raw
    assert info["CreationDate"].startswith("D:2000") or not info["CreationDate"]


@pytest.mark.parametrize("form", ["label", "sheet"])
def test_the_same_drawing_gives_the_same_bytes(form):
    drawing = FORMATS[form](certificate_of(FACE))
    assert render_pdf(drawing) == render_pdf(drawing)


def test_a_format_for_screens_has_no_pdf():
    with pytest.raises(NotFoundError, match="for screens"):
        render_pdf(shield(FACE))


HOSTILE = {
    "operators": ") Tj ET Q /JS (app.alert(1)) >> endstream endobj",
    "a name object": "/OpenAction << /S /JavaScript >>",
    "brackets and backslashes": "((( \\ \\\\) \\050",
    "markup": '"><script>alert(1)</script>',
    "control characters": "a\x00b\rc\x1bd",
    "lone surrogates": "\ud800 x \udfff",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_names_stay_text(text):
    face = replace(FACE, checked_by=text)
    drawing = sheet(replace(certificate_of(face), title=text, artist=text, issuer=text))
    raw = render_pdf(drawing)
    title = next(shape.text for shape in drawing.shapes if isinstance(shape, Words) and shape.size > 6)
    assert title in said_in(raw)
    assert pdfium.PdfDocument(raw).get_metadata_dict()["Title"] == drawing.title
    assert not any(name in _outside_streams(raw) for name in (b"/OpenAction", b"/AA ", b"/JavaScript", b"/URI"))


def _outside_streams(raw):
    """The objects of a file without their streams and strings."""
    without = re.sub(rb"\bstream\r?\n.*?endstream", b"", raw, flags=re.DOTALL)
    return re.sub(rb"\((?:\\.|[^()\\])*\)", b"()", without, flags=re.DOTALL)
