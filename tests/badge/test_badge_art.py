"""How a face is drawn: the code reads back, nothing overlaps, everyone can read it, no foreign text breaks it."""

import re
import runpy
from dataclasses import replace
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

from certifier.badge import layout
from certifier.badge.layout import Box, Code, Pointer, Words, shapes_of
from certifier.badge.lettering import font_for, lines_of, width_of
from certifier.badge.png import SCALES, render_png
from certifier.badge.qr import qr_matrix, qr_text
from certifier.badge.svg import render_svg
from certifier.errors import NotFoundError, OperatorError

PROJECT = Path(__file__).resolve().parents[2]
GOLDENS = runpy.run_path(str(PROJECT / "scripts" / "remake_goldens.py"))
FACES = GOLDENS["FACES"]
FACE = FACES["class-1"]
ADDRESS = "HTTPS://LABEL.EXAMPLE/V/7K3QZ9M2XA"
SVG = "{http://www.w3.org/2000/svg}"

LONGEST = {
    "the longest of everything": replace(
        FACES["measured"],
        checked_by="Example Measuring Service with a Very Long Name and Partners for Sound and Energy in Europe",
        post_production="at most 100.20 g CO2e per minute of finished music (best estimate 99.90)",
        checked_month="2026-11",
        base_url="https://a-rather-long-host-name-of-sixty-letters.label.example",
    ),
    "a name without spaces": replace(FACE, checked_by="W" * 300, checked_month="2026-11"),
    "a statement of a long name": replace(
        FACES["statement"], checked_by="Example Artist " * 20, checked_month="2026-11"
    ),
    "a figure above the scale": replace(FACES["statement"], assessed="12345.67", central="12345.66"),
    "a small figure": replace(FACE, assessed="0.01", central="0.01"),
    "an ended face, dated": replace(FACES["superseded"], checked_month="2026-11"),
}
ALL = {**FACES, **LONGEST}


def read_back(image):
    return [found.text for found in zxingcpp.read_barcodes(np.asarray(image))]


def modules_of_svg(text):
    """The pixels of the code, rebuilt from the path that the file holds."""
    path = next(node for node in ET.fromstring(text).iter(f"{SVG}path") if "translate" in node.get("transform", ""))
    runs = [tuple(map(int, run)) for run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path.get("d"))]
    side = max(row for _, row, _ in runs) + 1
    pixels = np.full((side, side), 255, np.uint8)
    for column, row, length in runs:
        pixels[row, column : column + length] = 0
    return pixels


@pytest.mark.parametrize("module", [2, 3, 5], ids="{} pixels a module".format)
@pytest.mark.parametrize("face", FACES.values(), ids=FACES.keys())
def test_the_code_of_every_svg_reads_back(face, module):
    pixels = np.pad(modules_of_svg(render_svg(face)), 4, constant_values=255)
    assert read_back(np.kron(pixels, np.ones((module, module), np.uint8))) == [ADDRESS]


@pytest.mark.parametrize("face", FACES.values(), ids=FACES.keys())
def test_the_code_of_every_png_reads_back_from_the_whole_image(face):
    assert read_back(Image.open(BytesIO(render_png(face, 1))).convert("L")) == [ADDRESS]


@pytest.mark.parametrize("module", [2, 3, 5], ids="{} pixels a module".format)
def test_the_png_reads_back_when_it_is_made_smaller(module):
    image = Image.open(BytesIO(render_png(FACE, 2))).convert("L")
    side = image.width * module // 12  # a module is 6 units, 12 pixels
    assert read_back(image.resize((side, side), Image.Resampling.BOX)) == [ADDRESS]


@pytest.mark.parametrize("scale", SCALES)
def test_a_png_comes_in_each_listed_size(scale):
    assert Image.open(BytesIO(render_png(FACE, scale))).size == (600 * scale, 600 * scale)


@pytest.mark.parametrize("scale", [0, 3, 1000, -1])
def test_a_png_comes_in_no_other_size(scale):
    with pytest.raises(NotFoundError) as caught:
        render_png(FACE, scale)
    assert caught.value.expected == "one of (1, 2, 4)"


def extent(shape):
    """Left, top, right, bottom; of a line of text from its tallest letter to its baseline and a little below."""
    match shape:
        case Words():
            height = 0.74 if shape.text[:1].isdigit() else 0.8
            return (
                shape.x,
                shape.y - height * shape.size,
                shape.x + shape.width,
                shape.y + 0.2 * shape.size * (height > 0.75),
            )
        case Box():
            return shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
        case Pointer():
            return shape.x - shape.width / 2, shape.y - shape.height, shape.x + shape.width / 2, shape.y
        case Code():
            quiet, side = 4 * shape.module, len(shape.rows) * shape.module
            return shape.x - quiet, shape.y - quiet, shape.x + side + quiet, shape.y + side + quiet


def overlap(one, other):
    left, top, right, bottom = extent(one)
    left2, top2, right2, bottom2 = extent(other)
    return min(right, right2) - max(left, left2) > 0.01 and min(bottom, bottom2) - max(top, top2) > 0.01


@pytest.mark.parametrize("face", ALL.values(), ids=ALL.keys())
def test_no_words_run_into_other_words_or_into_the_quiet_zone(face):
    content = [shape for shape in shapes_of(face) if not isinstance(shape, Box)]
    assert [(one, other) for one, other in combinations(content, 2) if overlap(one, other)] == []


@pytest.mark.parametrize("face", ALL.values(), ids=ALL.keys())
def test_everything_stays_within_the_card_and_the_quiet_zone_is_free_of_boxes(face):
    _, *shapes, code = shapes_of(face)
    edges = np.array([extent(shape) for shape in (*shapes, code)])
    assert edges[:, :2].min() >= 2  # the card has an outline of two units
    assert edges[:, 2:].max() <= 598
    assert not [shape for shape in shapes if overlap(shape, code)]


@pytest.mark.parametrize("face", ALL.values(), ids=ALL.keys())
def test_all_words_of_a_line_are_as_wide_as_the_bundled_font_draws_them(face):
    for shape in shapes_of(face):
        if isinstance(shape, Words):
            assert font_for(shape.weight, 1000).getlength(shape.text) * shape.size / 1000 == pytest.approx(shape.width)


def relative_luminance(colour):
    levels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    return sum(weight * level for weight, level in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    lighter, darker = sorted((relative_luminance(one), relative_luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


PAIRS = {
    "class 1": layout.CLASS_1,
    "class 2": layout.CLASS_2,
    "measured": layout.MEASURED,
    "no longer in force": layout.ENDED,
    "paper": layout.PAPER,
    "grey on paper": layout.Colours(layout.WHITE, layout.GREY),
}


@pytest.mark.parametrize("colours", PAIRS.values(), ids=PAIRS.keys())
def test_every_text_has_the_contrast_that_weak_eyes_need(colours):
    assert contrast(colours.fill, colours.text) >= 4.5


def test_the_tiers_differ_in_lightness_so_that_a_grey_copy_tells_them_apart():
    steps = [colours.fill for _, colours in layout.STEPS]
    assert all(contrast(one, other) > 2 for one, other in combinations(steps, 2))


PLATES = {
    "class-1": "#123B2C",
    "class-2": "#1F6FB2",
    "measured": "#F2D13C",
    "revoked": "#5F6368",
    "suspended": "#5F6368",
    "expired": "#5F6368",
    "superseded": "#5F6368",
    "statement": None,
    "class-1-without-artwork": None,
}


@pytest.mark.parametrize(("name", "colour"), PLATES.items(), ids=PLATES.keys())
def test_a_plate_is_shown_for_label_artwork_and_grey_for_what_has_ended(name, colour):
    plates = [shape.fill for shape in shapes_of(FACES[name]) if isinstance(shape, Box) and shape.height == 94]
    assert plates == ([colour] if colour else [])


def test_a_statement_never_gets_a_plate_even_if_artwork_is_asked_for():
    assert not [s for s in shapes_of(replace(FACES["statement"], artwork=True)) if isinstance(s, Pointer)]


PLACES = {
    "nothing": ("0.00", 36),
    "in the middle of class 1": ("5.00", 36 + 86.67),
    "the limit of class 1 still in class 1": ("10.00", 36 + 173.33),
    "in the middle of class 2": ("20.00", 36 + 177.33 + 86.67),
    "the end of the bar": ("100.00", 564),
}


@pytest.mark.parametrize(("assessed", "x"), PLACES.values(), ids=PLACES.keys())
def test_the_pointer_stands_where_the_figure_lies(assessed, x):
    pointers = [shape for shape in shapes_of(replace(FACE, assessed=assessed)) if isinstance(shape, Pointer)]
    assert [pointer.x for pointer in pointers] == [pytest.approx(x, abs=0.01)]


HOSTILE = {
    "markup": '</text><script>alert("x")</script>',
    "entities": "&amp; &lt; ' \" ]]> <!--",
    "control characters": "a\x00b\x08c\x1bd\ufffee",
    "lone surrogates": "\ud800 x \udfff",
    "direction marks": "\u202eevil\u2066",
    "nothing": "",
    "another script": "示例机构",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_names_stay_text(text):
    drawn = render_svg(replace(FACE, checked_by=text, standard=text, post_production=text, checked_month=text))
    tags = {node.tag.removeprefix(SVG) for node in ET.fromstring(drawn.encode()).iter()}
    assert tags == {"svg", "title", "desc", "rect", "text", "path"}
    assert render_png(replace(FACE, checked_by=text), 1).startswith(b"\x89PNG")


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60))
def test_any_name_gives_well_formed_xml(name):
    assert ET.fromstring(render_svg(replace(FACE, checked_by=name)).encode()).tag == f"{SVG}svg"


@pytest.mark.parametrize("face", FACES.values(), ids=FACES.keys())
def test_an_svg_is_named_for_those_who_listen_and_fetches_nothing(face):
    text = render_svg(face)
    root = ET.fromstring(text)
    ids = {node.get("id"): node.text for node in root if node.get("id")}
    assert root.get("role") == "img"
    assert list(ids) == root.get("aria-labelledby").split()
    assert all(ids.values())
    assert not re.search(r"href|url\(|<style|<script|style=|on\w+=|foreignObject", text)
    assert text.count("://") == 1  # the namespace


def test_two_badges_on_one_page_share_no_id():
    ids = [
        set(re.findall(r' id="([^"]+)"', render_svg(replace(FACE, code=code)))) for code in ("7K3QZ9M2XA", "0000000000")
    ]
    assert ids[0].isdisjoint(ids[1])


def test_the_goldens_are_what_is_drawn_today():
    """After a wanted change: python scripts/remake_goldens.py, and look at the pictures."""
    drawn = GOLDENS["badge_goldens"]()
    kept = {f"tests/badge/golden/{path.name}" for path in (PROJECT / "tests/badge/golden").iterdir()}
    assert set(drawn) == kept
    assert [path for path, text in drawn.items() if (PROJECT / path).read_text("utf-8") != text] == []


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
