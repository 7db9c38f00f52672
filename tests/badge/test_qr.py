"""The two QR codes of a label: as small as they can be, and two decoders that others wrote read them at any size."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from dataclasses import replace
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from certifier.badge.print_qr import PRINT_SCALES, render_print_qr_png, render_print_qr_svg
from certifier.badge.qr import QUIET_MODULES, print_qr_matrix, print_qr_text, qr_matrix, qr_text
from certifier.certificate.code import code_of
from certifier.certificate.compact import bytes_of_digits, digits_of, sign_compact, verify_compact
from certifier.certificate.qr_text import parse_qr_text
from certifier.crypto.signing import SigningKey
from certifier.errors import NotFoundError, OperatorError
from tests.certificate.compact_cases import COMPACTS, KEY

PROJECT = Path(__file__).resolve().parents[2]
NODE = PROJECT / "tests" / "foreign" / "node"
BASE = "https://label.example"


def printed(compact: Any, base_url: str = BASE, key_id: str = "key-2026", key: SigningKey = KEY) -> str:
    raw = sign_compact(compact, key, f"did:web:{base_url.partition('://')[2]}#{key_id}")
    return print_qr_text(base_url, compact.code, digits_of(raw))


ARTWORK = {
    "short": qr_text(BASE, "EBS86PXD70"),
    "with a port": qr_text("http://127.0.0.1:8080", "EBS86PXD70"),
    "long": qr_text(f"https://{'long.' * 16}example", "EBS86PXD70"),
}
OTHERS = {
    f"number {n}": printed(replace(COMPACTS["whole"], code=code_of(bytes([n] * 6)), revocation=131_071 * n), key=key)
    for n, key in ((n, SigningKey.from_seed(bytes([n]) * 32)) for n in range(6))
}
PRINT = {
    **{name: printed(compact) for name, compact in COMPACTS.items()},
    "of a long host": printed(COMPACTS["whole"], "https://certificates.of.a.long.host.label.example"),
    "of a host as long as may be": printed(COMPACTS["whole"], f"https://{'long.' * 16}example"),
    **OTHERS,
}
ALL = {
    **{f"artwork {name}": (text, qr_matrix(text)) for name, text in ARTWORK.items()},
    **{f"print {name}": (text, print_qr_matrix(text)) for name, text in PRINT.items()},
}
PIXELS = (2, 3, 5)


# --- size -------------------------------------------------------------------------------------------------------------

# what is printed -> bytes of COSE, at most so many digits, modules on a side (version = (modules - 17) / 4)
SIZES = {
    "whole": (222, 536, 61),  # version 11
    "without-essence": (204, 493, 61),  # version 11
    "smallest": (194, 469, 61),  # version 11
}


@pytest.mark.parametrize(("name", "size"), SIZES.items(), ids=SIZES.keys())
def test_the_print_qr_stays_within_version_11(name: str, size: tuple[int, int, int]) -> None:
    digits = PRINT[name].partition("#")[2]
    length, most, modules = size
    assert len(bytes_of_digits(digits)) == length
    assert len(digits) <= most
    assert len(print_qr_matrix(PRINT[name])) == modules


def test_the_artwork_qr_has_no_digits_and_stays_at_version_3() -> None:
    assert len(qr_matrix(ARTWORK["short"])) == 29


# Bits of a mode indicator with its count indicator in versions 10 to 26, and per character (ISO/IEC 18004 tables 2 and 3).
COST = {"numeric": (4 + 12, 10 / 3), "alphanumeric": (4 + 11, 5.5), "byte": (4 + 16, 8.0)}
FITS = {"numeric": "0123456789", "alphanumeric": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"}


def fewest_bits(text: str) -> tuple[float, list[str]]:
    """The cheapest way to cut a text into segments, and their modes: every cut is tried."""
    best: dict[str, tuple[float, list[str]]] = {}
    for character in text:
        before = min(best.values(), key=lambda way: way[0], default=(0.0, []))
        now = {}
        for mode, (head, each) in COST.items():
            if mode == "byte" or character in FITS[mode]:
                ways = [(before[0] + head + each, [*before[1], mode])]
                if mode in best:
                    ways.append((best[mode][0] + each, best[mode][1]))
                now[mode] = min(ways, key=lambda way: way[0])
        best = now
    return min(best.values(), key=lambda way: way[0])


def test_no_other_way_to_cut_the_text_is_shorter() -> None:
    for text in PRINT.values():
        if not re.search(r"[0-9]{8}#", text):  # then its end in numeric mode would save up to six bits
            assert fewest_bits(text)[1] == ["alphanumeric", "byte", "numeric"]
    bits, modes = fewest_bits(PRINT["smallest"])
    assert modes == ["alphanumeric", "numeric", "byte", "numeric"]
    assert bits > sum_of_bits(PRINT["smallest"]) - 6


def sum_of_bits(text: str) -> float:
    address, _, digits = text.partition("#")
    lengths = {"alphanumeric": len(address), "byte": 1, "numeric": len(digits)}
    return sum(COST[mode][0] + COST[mode][1] * length for mode, length in lengths.items())


def test_an_address_that_makes_an_unreadable_code_is_the_operators_to_mend() -> None:
    with pytest.raises(OperatorError, match="does not fit into a QR code"):
        print_qr_text("https://my_label.example", "EBS86PXD70", "123")


# --- reading ----------------------------------------------------------------------------------------------------------


def picture(rows: list[list[bool]], pixels: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    dark = np.pad(np.array(rows, dtype=bool), QUIET_MODULES)
    grey = np.where(dark, 0, 255).astype(np.uint8)
    return np.kron(grey, np.ones((pixels, pixels), dtype=np.uint8))


def read_by_zxing(image: np.ndarray[Any, Any]) -> str | None:
    found = zxingcpp.read_barcodes(image)
    return found[0].text if found else None


def read_by_jsqr(images: list[np.ndarray[Any, Any]]) -> list[str | None]:
    """All in one process: starting Node takes longer than reading."""
    node = shutil.which("node")
    assert node, "no Node: run make test-deps"
    assert (NODE / "node_modules/jsqr").is_dir(), "the packages of tests/foreign/node are missing: run make test-deps"
    asked = [
        {"width": image.shape[1], "height": image.shape[0], "grey": base64.b64encode(image.tobytes()).decode()}
        for image in images
    ]
    done = subprocess.run(
        [node, "qr.js"], cwd=NODE, input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=120
    )
    texts: list[str | None] = json.loads(done.stdout)
    return texts


def test_two_decoders_read_every_code_at_two_three_and_five_pixels() -> None:
    cases = list(product(ALL, PIXELS))
    images = [picture(ALL[name][1], pixels) for name, pixels in cases]
    wanted = {case: ALL[case[0]][0] for case in cases}
    assert dict(zip(cases, map(read_by_zxing, images), strict=True)) == wanted
    assert dict(zip(cases, read_by_jsqr(images), strict=True)) == wanted


@pytest.mark.parametrize("scale", PRINT_SCALES)
def test_the_png_reads_back_to_a_certificate_that_verifies(scale: int) -> None:
    image = np.asarray(Image.open(BytesIO(render_print_qr_png(PRINT["whole"], scale))).convert("L"))
    read = parse_qr_text(str(read_by_zxing(image)))
    assert read.digits is not None
    compact = verify_compact(bytes_of_digits(read.digits), KEY.public)
    assert (read.base_url, read.code) == (BASE, compact.code)


def test_the_png_is_black_on_white_with_a_quiet_zone_of_four_modules() -> None:
    image = Image.open(BytesIO(render_print_qr_png(PRINT["whole"], 5)))
    grey = np.asarray(image.convert("L"))
    assert image.size == (5 * 69, 5 * 69)
    assert set(np.unique(grey)) == {0, 255}
    inside = grey[20:-20, 20:-20]
    assert (grey == 0).sum() == (inside == 0).sum()  # nothing dark in the quiet zone
    assert (inside[:5, :35] == 0).all()  # the first finder begins where it ends


def test_the_png_comes_in_sizes_of_a_list_only() -> None:
    with pytest.raises(NotFoundError):
        render_print_qr_png(PRINT["whole"], 1000)


def test_the_svg_holds_the_same_modules_with_white_around_them() -> None:
    text = render_print_qr_svg(PRINT["whole"])
    assert 'viewBox="0 0 69 69" width="34.5mm" height="34.5mm"' in text
    rows = np.zeros((61, 61), dtype=bool)
    for column, row, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", text):
        rows[int(row), int(column) : int(column) + int(length)] = True
    assert rows.tolist() == print_qr_matrix(PRINT["whole"])
    assert "translate(4 4)" in text
    assert "#fff" in text
