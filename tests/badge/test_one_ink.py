"""Art for print in one ink: black on white alone, with the tiers still told apart and everything still readable."""

from __future__ import annotations

import runpy
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from certifier.badge.drawing import Box, Words
from certifier.badge.one_ink import one_ink
from certifier.badge.palette import INK, WHITE
from certifier.badge.png import render_png
from certifier.badge.svg import render_svg

GOLDENS = runpy.run_path(str(Path(__file__).resolve().parents[2] / "scripts" / "remake_goldens.py"))
FACES, FORMATS, certificate_of = GOLDENS["FACES"], GOLDENS["FORMATS"], GOLDENS["certificate_of"]
CASES = {f"{form}, {name}": (form, name) for form in FORMATS for name in FACES}


def drawn(form: str, name: str):
    return FORMATS[form](certificate_of(FACES[name]))


@pytest.mark.parametrize(("form", "name"), CASES.values(), ids=CASES.keys())
def test_nothing_is_drawn_in_another_colour_and_every_word_stays_readable(form: str, name: str) -> None:
    before, after = drawn(form, name), one_ink(drawn(form, name))
    assert {getattr(shape, "fill", INK) for shape in after.shapes} <= {INK, WHITE}
    assert {shape.outline for shape in after.shapes if isinstance(shape, Box)} <= {INK, None}
    assert [s.text for s in after.shapes if isinstance(s, Words)] == [
        s.text for s in before.shapes if isinstance(s, Words)
    ]
    picture = np.asarray(Image.open(BytesIO(render_png(after, 2))).convert("L"))
    for words in (shape for shape in after.shapes if isinstance(shape, Words)):
        scale = 2 * after.pixels
        rows = slice(int((words.y - 0.8 * words.size) * scale), int((words.y + 0.1 * words.size) * scale) + 1)
        letters = picture[rows, int(words.x * scale) : int(words.right * scale) + 1]
        assert letters.min() < 80, words.text
        assert letters.max() > 200, words.text


def test_the_tiers_are_told_apart_by_how_dense_their_lines_are() -> None:
    lines = {
        name: sum(isinstance(shape, Box) and shape.fill == INK for shape in one_ink(drawn("square", name)).shapes)
        for name in ("class-1", "class-2", "measured")
    }
    assert lines["class-1"] > lines["class-2"] > lines["measured"]


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "shield"])
def test_its_code_reads_back(form: str) -> None:
    picture = Image.open(BytesIO(render_png(one_ink(drawn(form, "class-1")), 2))).convert("L")
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text.startswith("HTTPS://LABEL.EXAMPLE/V/")


def test_no_line_of_the_hatching_runs_through_a_word() -> None:
    for form, name in CASES.values():
        shapes = one_ink(drawn(form, name)).shapes
        hatching = [
            shape for shape in shapes if isinstance(shape, Box) and shape.fill == INK and shape.width < shape.height
        ]
        for words in (shape for shape in shapes if isinstance(shape, Words)):
            for line in hatching:
                beside = line.x + line.width < words.x or line.x > words.right
                assert beside or line.y >= words.y or line.y + line.height < words.y - words.size, (
                    form,
                    name,
                    words.text,
                )


def test_both_inks_can_stand_on_one_page() -> None:
    coloured = drawn("square", "class-1")
    assert render_svg(coloured).split('id="')[1].split('"')[0] not in render_svg(one_ink(coloured))
