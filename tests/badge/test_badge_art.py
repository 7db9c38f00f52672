"""How a face is drawn, in every format: codes read back, nothing overlaps, everyone can read it, no foreign text breaks it."""

import gzip
import re
import runpy
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from io import BytesIO
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from playwright.sync_api import Browser, Page

from certifier.badge import palette
from certifier.badge.badge import NAMELESS
from certifier.badge.drawing import SCALES, Box, Code, Pointer, Words
from certifier.badge.lettering import STEPS, font_for, has_all_letters, lines_of, outline_of, width_of
from certifier.badge.png import render_png
from certifier.badge.qr import qr_matrix, qr_text
from certifier.badge.sheet import OTHER_SCRIPT
from certifier.badge.square import square
from certifier.badge.svg import render_svg
from certifier.errors import NotFoundError, OperatorError

PROJECT = Path(__file__).resolve().parents[2]
GOLDENS = runpy.run_path(str(PROJECT / "scripts" / "remake_goldens.py"))
FACES, FORMATS, certificate_of = GOLDENS["FACES"], GOLDENS["FORMATS"], GOLDENS["certificate_of"]
DIGITS = GOLDENS["DIGITS"]
FACE = FACES["class-1"]
ADDRESS = "HTTPS://LABEL.EXAMPLE/V/7K3QZ9M2XA"
SVG = "{http://www.w3.org/2000/svg}"

LONGEST = {
    "the longest of everything": replace(
        FACES["measured"],
        checked_by="Example Measuring Service with a Very Long Name and Partners for Sound and Energy in Europe",
        post_production="1099.90 (at most 1100.20)",
        standard="LCAL 10.11.12-draft",
        checked_month="2026-11",
        base_url="https://a-rather-long-host-name-of-sixty-letters.label.example",
    ),
    "the longest of everything, in class 2": replace(
        FACES["class-2"],
        checked_by="WWWWWW MMMMMM " * 9,
        post_production="1099.90 (at most 1100.20)",
        calculated=True,
        base_url="https://a-rather-long-host-name-of-sixty-letters.label.example",
    ),
    "a name without spaces": replace(FACE, checked_by="W" * 300, checked_month="2026-11"),
    "a statement of a long name": replace(
        FACES["statement"], checked_by="Example Artist " * 20, checked_month="2026-11", calculated=True
    ),
    "a figure above the scale": replace(FACES["statement"], assessed="12345.67", central="12345.66"),
    "a small figure": replace(FACE, assessed="0.01", central="0.01"),
    "a name in another script": replace(FACE, checked_by="示例机构"),
    "an ended face, dated": replace(FACES["superseded"], checked_month="2026-11"),
}
ALL = {**FACES, **LONGEST}
LONG_TITLE = "A very long title of a recording that goes on and on, in two parts (with remarks in brackets) " * 2


@cache
def drawn(form, face):
    certificate = certificate_of(face)
    if face in LONGEST.values():
        certificate = replace(certificate, title=LONG_TITLE, artist=LONG_TITLE, issuer=LONG_TITLE, evidence=LONG_TITLE)
    return FORMATS[form](certificate)


@cache
def svg_of(form, face):
    return render_svg(drawn(form, face))


@cache
def png_of(form, face, scale=1):
    return Image.open(BytesIO(render_png(drawn(form, face), scale)))


CASES = {f"{form}, {name}": (form, face) for form in FORMATS for name, face in ALL.items()}
each_case = pytest.mark.parametrize(("form", "face"), CASES.values(), ids=CASES.keys())
WITH_CODE = {
    f"{form}, {name}": (form, face)
    for form in ("square", "label", "sheet")
    for name, face in FACES.items()
    if name != "unknown"
}


def text_of(drawing):
    """What is drawn, in the order of drawing."""
    return " ".join(shape.text for shape in drawing.shapes if isinstance(shape, Words))


# --- QR ---------------------------------------------------------------------------------------------------------------


def read_back(image):
    return [found.text for found in zxingcpp.read_barcodes(np.asarray(image))]


def expected_of(form, face):
    return f"{ADDRESS}#{DIGITS}" if form == "sheet" and face.is_active else ADDRESS


def modules_of_svg(text):
    """The pixels of the code, rebuilt from the path that the file holds."""
    path = next(node for node in ET.fromstring(text).iter(f"{SVG}path") if "translate" in node.get("transform", ""))
    runs, column, row = [], 0, 0
    for right, down, length in re.findall(r"m(-?\d+) (-?\d+)h(\d+)", path.get("d")):
        column, row = column + int(right), row + int(down)
        runs.append((row, column, int(length)))
        column += int(length)
    side = max(row for row, _, _ in runs) + 1
    pixels = np.full((side, side), 255, np.uint8)
    for row, column, length in runs:
        pixels[row, column : column + length] = 0
    return pixels


@pytest.mark.parametrize("module", [2, 3, 5], ids="{} pixels a module".format)
@pytest.mark.parametrize(("form", "face"), WITH_CODE.values(), ids=WITH_CODE.keys())
def test_the_code_of_every_svg_reads_back(form, face, module):
    pixels = np.pad(modules_of_svg(svg_of(form, face)), 4, constant_values=255)
    assert read_back(np.kron(pixels, np.ones((module, module), np.uint8))) == [expected_of(form, face)]


@pytest.mark.parametrize(("form", "face"), WITH_CODE.values(), ids=WITH_CODE.keys())
def test_the_code_of_every_png_reads_back_from_the_whole_image(form, face):
    assert read_back(png_of(form, face).convert("L")) == [expected_of(form, face)]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("form", ["square", "label", "sheet"])
def test_the_code_of_a_png_reads_back_at_each_scale(form, scale):
    assert read_back(png_of(form, FACE, scale).convert("L")) == [expected_of(form, FACE)]


@pytest.mark.parametrize("module", [2, 3, 5], ids="{} pixels a module".format)
def test_the_png_reads_back_when_it_is_made_smaller(module):
    image = png_of("square", FACE, 2).convert("L")
    side = image.width * module // 12  # a module is 6 units, 12 pixels
    assert read_back(image.resize((side, side), Image.Resampling.BOX)) == [ADDRESS]


MODULES_MM = {"label": 0.5, "sheet": 0.5}


@pytest.mark.parametrize(("form", "module"), MODULES_MM.items(), ids=MODULES_MM.keys())
def test_modules_in_print_are_half_a_millimetre_and_never_below_four_tenths(form, module):
    for face in ALL.values():
        codes = [shape for shape in drawn(form, face).shapes if isinstance(shape, Code)]
        assert all(code.module >= 0.4 for code in codes)
    (code,) = [shape for shape in drawn(form, FACE).shapes if isinstance(shape, Code)]
    assert code.module == module


# --- sizes ------------------------------------------------------------------------------------------------------------

PIXELS = {"square": (600, 600), "label": (600, 400), "sheet": (840, 1188)}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("form", "size"), PIXELS.items(), ids=PIXELS.keys())
def test_a_png_comes_in_each_listed_size(form, size, scale):
    assert png_of(form, FACE, scale).size == (size[0] * scale, size[1] * scale)


def test_a_shield_is_twenty_pixels_high():
    image = png_of("shield", FACE)
    assert (image.height, 'height="20"' in svg_of("shield", FACE)) == (20, True)


@pytest.mark.parametrize("scale", [0, 3, 1000, -1])
def test_a_png_comes_in_no_other_size(scale):
    with pytest.raises(NotFoundError) as caught:
        render_png(square(FACE), scale)
    assert caught.value.expected == "one of (1, 2, 4)"


@pytest.mark.parametrize("form", ["label", "sheet"])
def test_what_is_for_paper_is_measured_in_millimetres(form):
    width, height = {"label": (60, 40), "sheet": (210, 297)}[form]
    assert f'viewBox="0 0 {width} {height}" width="{width}mm" height="{height}mm"' in svg_of(form, FACE)


@pytest.mark.parametrize("form", FORMATS)
def test_an_ended_face_keeps_its_size(form):
    active = drawn(form, FACE)
    for face in FACES.values():
        ended = drawn(form, face)
        assert (ended.height, ended.width if form != "shield" else active.width) == (active.height, active.width)


@pytest.mark.parametrize("face", [face for face in ALL.values() if len(face.base_url) < 30])
def test_a_live_square_is_a_small_file(face):
    """It is fetched with the listener's page, which has 30 KB in all."""
    live = replace(face, checked_month="2026-11", checked_by=face.checked_by[:40])
    assert len(gzip.compress(render_svg(square(live)).encode(), 6)) <= 5.5 * 1024


def test_the_corners_of_a_png_are_clear():
    image = png_of("square", FACE).convert("RGBA")
    assert [image.getpixel(place)[3] for place in ((0, 0), (599, 0), (0, 599), (599, 599), (300, 300))] == [0] * 4 + [
        255
    ]


# --- places -----------------------------------------------------------------------------------------------------------


def extent(shape):
    """Left, top, right, bottom: of a line of text those of its letters' outlines; of a code with its quiet zone."""
    match shape:
        case Words():
            points = [
                point[1]
                for letter in shape.text
                for _, points in outline_of(letter, shape.weight, STEPS).segments
                for point in points
            ]
            unit = shape.size / STEPS
            return (
                shape.x,
                shape.y + min(points, default=0) * unit,
                shape.right,
                shape.y + max(points, default=0) * unit,
            )
        case Box():
            return shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
        case Pointer():
            return shape.x - shape.width / 2, shape.y - shape.height, shape.x + shape.width / 2, shape.y
        case Code():
            quiet = 4 * shape.module
            return shape.x - quiet, shape.y - quiet, shape.x + shape.side + quiet, shape.y + shape.side + quiet


def overlap(one, other):
    left, top, right, bottom = one
    left2, top2, right2, bottom2 = other
    return min(right, right2) - max(left, left2) > 0.01 and min(bottom, bottom2) - max(top, top2) > 0.01


@each_case
def test_no_words_run_into_other_words_or_into_the_quiet_zone(form, face):
    content = [(shape, extent(shape)) for shape in drawn(form, face).shapes if not isinstance(shape, Box)]
    assert [(one, other) for (one, here), (other, there) in combinations(content, 2) if overlap(here, there)] == []


@each_case
def test_everything_stays_within_the_edges(form, face):
    drawing = drawn(form, face)
    edge = {"shield": 0, "square": 2, "label": 0.875, "sheet": 8}[form]
    content = [shape for shape in drawing.shapes if not isinstance(shape, Box)]
    edges = np.array([extent(shape) for shape in content])
    assert edges[:, :2].min() >= edge - 1e-9
    assert edges[:, 2].max() <= drawing.width - edge + 1e-9
    assert edges[:, 3].max() <= drawing.height - edge + 1e-9


@each_case
def test_the_quiet_zone_of_a_code_is_white(form, face):
    drawing = drawn(form, face)
    for code in (shape for shape in drawing.shapes if isinstance(shape, Code)):
        left, top, right, bottom = extent(code)
        for box in (shape for shape in drawing.shapes if isinstance(shape, Box)):
            around = box.x <= left and box.y <= top and box.x + box.width >= right and box.y + box.height >= bottom
            assert (around and box.fill == palette.WHITE) or not overlap(extent(box), extent(code)), box


@each_case
def test_words_never_leave_the_plate_that_they_stand_on(form, face):
    drawing = drawn(form, face)
    boxes = [shape for shape in drawing.shapes if isinstance(shape, Box)]
    for words in (shape for shape in drawing.shapes if isinstance(shape, Words)):
        left, top, right, bottom = extent(words)
        for box in boxes:
            if overlap(extent(box), extent(words)):
                inside = (left - box.x, top - box.y, box.x + box.width - right, box.y + box.height - bottom)
                assert min(inside) >= -0.01, (words, box)


@each_case
def test_words_are_as_wide_as_the_bundled_font_draws_them(form, face):
    """But for the rounding of each letter to a hundredth of its size."""
    for shape in drawn(form, face).shapes:
        if isinstance(shape, Words):
            natural = font_for(shape.weight, 1000).getlength(shape.text) * shape.size / 1000
            assert shape.width == pytest.approx(natural, abs=shape.size * (0.005 * len(shape.text) + 0.001))


@pytest.fixture(scope="module")
def chromium(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 900, "height": 1200})
    yield page
    page.close()


@pytest.mark.parametrize("name", [*LONGEST, "class-1", "statement", "revoked", "unknown"])
@pytest.mark.parametrize("form", FORMATS)
def test_a_browser_finds_each_line_where_it_was_set(chromium: Page, form, name):
    drawing = drawn(form, ALL[name])
    lines = [shape for shape in drawing.shapes if isinstance(shape, Words) and shape.text]
    chromium.set_content(f"<body style='margin:0'>{render_svg(drawing)}</body>")
    boxes = chromium.evaluate(
        """() => [...document.querySelectorAll('g > path')].map(path => {
            const box = path.getBoundingClientRect(), all = document.querySelector('svg').getBoundingClientRect();
            return [box.left - all.left, box.top - all.top, box.right - all.left, box.bottom - all.top]
                .map(place => place / all.width);
        })"""
    )
    found = [[place * drawing.width for place in box] for box in boxes]
    assert len(found) == len(lines)
    for words, (left, top, right, bottom) in zip(lines, found, strict=True):
        step = words.size / STEPS
        _, highest, _, lowest = extent(words)
        assert left >= words.x - 3 * step, words.text
        assert right <= words.right + 3 * step, words.text
        assert (top, bottom) == (pytest.approx(highest, abs=2 * step), pytest.approx(lowest, abs=2 * step)), words.text
    assert [pair for pair in combinations(found, 2) if overlap(*pair)] == []


def coarse(image, size):
    """The picture in grey on white, each pixel the mean of about eight by eight."""
    flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("L")
    return np.asarray(flat.resize([side // 8 for side in size], Image.Resampling.BOX), dtype=float)


@pytest.mark.parametrize("name", ["class-1", "measured", "revoked"])
@pytest.mark.parametrize("form", ["square", "label", "sheet"])
def test_png_and_svg_show_the_same(chromium: Page, form, name):
    drawing = drawn(form, FACES[name])
    picture = Image.open(BytesIO(render_png(drawing, 1)))
    chromium.set_content(f"<body style='margin:0'>{render_svg(drawing)}</body>")
    box = chromium.evaluate(
        "(width) => { const svg = document.querySelector('svg'); svg.setAttribute('width', width); "
        "svg.removeAttribute('height'); svg.style.display = 'block'; return svg.getBoundingClientRect().toJSON(); }",
        picture.width,
    )
    shot = Image.open(BytesIO(chromium.screenshot(clip={**box, "x": 0, "y": 0}, full_page=True)))
    difference = np.abs(coarse(picture, picture.size) - coarse(shot, picture.size))
    assert difference.mean() < 3.5


# --- reading ----------------------------------------------------------------------------------------------------------


def relative_luminance(colour):
    levels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    return sum(weight * level for weight, level in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    lighter, darker = sorted((relative_luminance(one), relative_luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@each_case
def test_every_text_has_the_contrast_that_weak_eyes_need(form, face):
    shapes = drawn(form, face).shapes
    for place, words in enumerate(shapes):
        if isinstance(words, Words):
            grounds = [box for box in shapes[:place] if isinstance(box, Box) and overlap(extent(box), extent(words))]
            assert grounds, words
            assert contrast(grounds[-1].fill, words.fill) >= 4.5, words


def test_the_tiers_differ_in_lightness_so_that_a_grey_copy_tells_them_apart():
    steps = [colours.fill for _, colours in palette.STEPS]
    assert all(contrast(one, other) > 2 for one, other in combinations(steps, 2))


GREY = palette.GREY
PLATES = {
    "class-1": "#123B2C",
    "class-2": "#1F6FB2",
    "measured": "#F2D13C",
    "revoked": GREY,
    "suspended": GREY,
    "expired": GREY,
    "superseded": GREY,
    "not-yet": GREY,
    "unreliable": GREY,
    "away": GREY,
    "unknown": GREY,
    "statement": None,
    "class-1-without-artwork": None,
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("name", "colour"), PLATES.items(), ids=PLATES.keys())
def test_a_plate_is_shown_for_label_artwork_and_grey_for_what_has_ended(form, name, colour):
    """A plate is what is coloured behind words; beside it only the bar has colours, and only with a plate in force."""
    shapes = drawn(form, FACES[name]).shapes
    neutral = {palette.WHITE, palette.INK, palette.HAIR, palette.SLATE.fill}
    coloured = [shape.fill for shape in shapes if isinstance(shape, Box) and shape.fill not in neutral]
    has_bar = form != "shield" and colour not in (None, GREY)
    steps = [step.fill for _, step in palette.STEPS] if has_bar else []
    assert sorted(coloured) == sorted(([colour] if colour else []) + steps)
    assert any(isinstance(shape, Pointer) for shape in shapes) == has_bar


@pytest.mark.parametrize("form", FORMATS)
def test_a_statement_never_gets_a_plate_even_if_artwork_is_asked_for(form):
    shapes = drawn(form, replace(FACES["statement"], artwork=True)).shapes
    assert shapes == drawn(form, FACES["statement"]).shapes


PLACES = {
    "nothing": ("0.00", 36),
    "in the middle of class 1": ("5.00", 36 + 86.67),
    "the limit of class 1 still in class 1": ("10.00", 36 + 173.33),
    "in the middle of class 2": ("20.00", 36 + 177.33 + 86.67),
    "the end of the bar": ("100.00", 564),
}


@pytest.mark.parametrize(("assessed", "x"), PLACES.values(), ids=PLACES.keys())
def test_the_pointer_stands_where_the_figure_lies(assessed, x):
    pointers = [shape for shape in square(replace(FACE, assessed=assessed)).shapes if isinstance(shape, Pointer)]
    assert [pointer.x for pointer in pointers] == [pytest.approx(x, abs=0.01)]


@pytest.mark.parametrize("form", FORMATS)
def test_letters_that_the_font_lacks_are_never_empty_boxes(form):
    foreign = replace(certificate_of(replace(FACE, checked_by="示例机构")), title="夜のフェリー", artist="مثال")
    drawing = FORMATS[form](foreign)
    assert has_all_letters(text_of(drawing))
    if form != "shield":
        assert NAMELESS in text_of(drawing)
    if form == "sheet":
        assert text_of(drawing).count(OTHER_SCRIPT) == 2
        assert "夜のフェリー" in drawing.title


# --- foreign text -----------------------------------------------------------------------------------------------------

HOSTILE = {
    "markup": '</text><script>alert("x")</script>',
    "entities": "&amp; &lt; ' \" ]]> <!--",
    "control characters": "a\x00b\x08c\x1bd\ufffee",
    "lone surrogates": "\ud800 x \udfff",
    "direction marks": "\u202eevil\u2066",
    "nothing": "",
    "another script": "示例机构",
    "the language of pages": ") Tj ET Q /JS (app.alert(1)) >> endstream",
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_names_stay_text(text, form):
    face = replace(FACE, checked_by=text, standard=text, post_production=text, checked_month=text)
    certificate = replace(certificate_of(face), title=text, artist=text, issuer=text, evidence=text)
    drawing = FORMATS[form](certificate)
    tags = {node.tag.removeprefix(SVG) for node in ET.fromstring(render_svg(drawing).encode()).iter()}
    assert tags <= {"svg", "title", "desc", "rect", "g", "path"}
    assert render_png(drawing, 1).startswith(b"\x89PNG")


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=60))
def test_any_name_gives_well_formed_xml(name):
    certificate = replace(certificate_of(replace(FACE, checked_by=name)), title=name, artist=name)
    for draw in FORMATS.values():
        assert ET.fromstring(render_svg(draw(certificate)).encode()).tag == f"{SVG}svg"


@each_case
def test_an_svg_is_named_for_those_who_listen_and_fetches_nothing(form, face):
    text = svg_of(form, face)
    root = ET.fromstring(text)
    ids = {node.get("id"): node.text for node in root if node.get("id")}
    assert root.get("role") == "img"
    assert list(ids) == root.get("aria-labelledby").split()
    assert all(ids.values())
    assert not re.search(r"href|url\(|<style|<script|style=| on\w+=|foreignObject|<text", text)
    assert text.count("xmlns") == 1


def test_a_png_tells_the_same_as_the_svg():
    drawing = square(FACE)
    assert Image.open(BytesIO(render_png(drawing, 1))).info["Title"] == drawing.title


def test_badges_on_one_page_share_no_id():
    ids = [
        set(re.findall(r' id="([^"]+)"', render_svg(drawn(form, replace(FACE, code=code)))))
        for code in ("7K3QZ9M2XA", "0000000000")
        for form in FORMATS
    ]
    assert all(one.isdisjoint(other) for one, other in combinations(ids, 2))


def test_the_goldens_are_what_is_drawn_today():
    """After a wanted change: python scripts/remake_goldens.py, and look at the pictures."""
    made = GOLDENS["badge_goldens"]()
    kept = {f"tests/badge/golden/{path.name}" for path in (PROJECT / "tests/badge/golden").iterdir()}
    assert set(made) == kept
    assert [path for path, text in made.items() if (PROJECT / path).read_text("utf-8") != text] == []


# --- addresses and lines ----------------------------------------------------------------------------------------------


def test_the_address_is_in_capitals_so_that_the_code_stays_small():
    assert qr_text("https://label.example/", "7K3QZ9M2XA") == ADDRESS
    assert len(qr_matrix(ADDRESS)) == 29


UNFIT = {
    "a query": "https://label.example/?q=1",
    "an underscore": "https://my_label.example",
    "letters beyond ASCII": "https://läbel.example",
    "too long a name": f"https://{'a' * 80}.example",
}


@pytest.mark.parametrize("address", UNFIT.values(), ids=UNFIT.keys())
def test_an_address_that_makes_an_unreadable_code_is_the_operators_to_mend(address):
    with pytest.raises(OperatorError) as caught:
        qr_text(address, "7K3QZ9M2XA")
    assert caught.value.hint


@given(st.text(max_size=200), st.integers(1, 4))
def test_lines_never_grow_wider_or_more_than_asked(text, most):
    lines = lines_of(text, 120, 14, "medium", most)
    assert len(lines) <= most
    assert all(width_of(line, 14, "medium") <= 120 for line in lines)
