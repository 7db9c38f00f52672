"""The QR for print: what a phone reads from it is an address and a certificate that verifies with nothing else."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from certifier.certificate.compact import bytes_of_digits, compact_of, verify_compact
from certifier.certificate.credential import parse_claims
from certifier.certificate.qr_text import parse_qr_text
from certifier.crypto.canonical import digest_of
from certifier.crypto.strict_json import parse_object
from tests.studio import NOW
from tests.web.conftest import World


def read(image: Image.Image) -> str:
    return zxingcpp.read_barcodes(np.asarray(image.convert("L")))[0].text


def pixels_of_svg(text: str) -> Image.Image:
    """The drawing at four pixels a module, made from nothing but its path."""
    side = int(ET.fromstring(text).get("viewBox", "").split()[2])
    grey = np.full((side, side), 255, dtype=np.uint8)
    for column, row, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", text):
        grey[int(row) + 4, int(column) + 4 : int(column) + 4 + int(length)] = 0
    return Image.fromarray(np.kron(grey, np.ones((4, 4), dtype=np.uint8)))


def test_the_print_qr_leads_to_the_page_and_holds_a_certificate_that_verifies_alone(world: World) -> None:
    for issued in (world.verified, world.attested, world.statement, world.withdrawn):
        row = issued.certificate
        svg = world.client.get(f"/v/{row.code}.qr.svg")
        png = world.client.get(f"/v/{row.code}.qr.png")
        text = read(Image.open(io.BytesIO(png.data)))
        assert read(pixels_of_svg(svg.text)) == text
        parts = parse_qr_text(text)
        assert (parts.base_url, parts.code) == ("https://label.example", row.code)
        assert parts.digits is not None
        key = world.certifier.published.trust_at(NOW).key_for(row.verification_method)
        assert key is not None
        compact = verify_compact(bytes_of_digits(parts.digits), key.key)
        assert compact.kid == row.verification_method
        record = parse_object(world.client.get(f"/v/{row.code}.vc").data)
        del record["proof"]
        expected = vars(compact_of(parse_claims(record), digest_of(record)))
        assert vars(compact) == expected | {"kid": row.verification_method}


@pytest.mark.parametrize("scale", [2, 3, 5, 10])
def test_the_png_comes_in_listed_sizes(world: World, scale: int) -> None:
    image = Image.open(io.BytesIO(world.client.get(f"/v/{world.code}.qr.png?scale={scale}").data))
    assert image.size == (69 * scale, 69 * scale)


@pytest.mark.parametrize("query", ["scale=4", "scale=-1", "scale=2&scale=3", "scale=1000000", "size=9"])
def test_the_png_comes_in_no_other_size(world: World, query: str) -> None:
    assert world.client.get(f"/v/{world.code}.qr.png?{query}").json["type"].endswith("/parameter-invalid")


@pytest.mark.parametrize("suffix", ["qr.svg", "qr.png"])
def test_it_never_changes_and_no_script_enters_it(world: World, suffix: str) -> None:
    answer = world.client.get(f"/v/{world.code}.{suffix}")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert world.client.get(f"/v/{world.code}.{suffix}").data == answer.data
    again = world.client.get(f"/v/{world.code}.{suffix}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("suffix", ["qr.svg", "qr.png"])
def test_a_code_that_was_never_issued_has_no_print_qr(world: World, suffix: str) -> None:
    answer = world.client.get(f"/v/0000000000.{suffix}")
    assert answer.status_code == 404
    assert answer.json["type"].endswith("/certificate-not-found")


def test_other_spellings_of_the_code_lead_to_it(world: World) -> None:
    answer = world.client.get(f"/v/{world.code.lower()}.qr.svg")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"/v/{world.code}.qr.svg")


def test_the_badge_kit_offers_it(world: World) -> None:
    page = world.client.get(f"/v/{world.code}/kit").text
    assert f'href="/v/{world.code}.qr.svg"' in page
    assert f'href="/v/{world.code}.qr.png"' in page
