"""The badge kit over HTTP: every format in every state is a readable image with the right headers."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from threading import Event
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import zxingcpp
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import update

from certifier.badge import png
from certifier.certificate.code import display_code
from certifier.certificate.compact import bytes_of_digits, verify_compact
from certifier.certificate.qr_text import parse_qr_text
from certifier.service.certifier import Certifier, Issued
from certifier.storage.tables import certificates
from certifier.web import badges
from certifier.web.app import create_app
from certifier.web.badges import FORMATS, PAPER_FORMATS
from certifier.web.memory import Memory
from tests.studio import APPLICANT, NOW, PARTY, VERIFIER, Studio
from tests.web.conftest import HOSTILE, LATER, World

NEVER_ISSUED = "0000000000"
SVG = "{http://www.w3.org/2000/svg}"
MEDIA = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
FILES = [f"{form}.{suffix}" for form in FORMATS for suffix in MEDIA if suffix != "pdf" or form in PAPER_FORMATS]
SMALL = [f"{file}?{'scale=1&' if file.endswith('.png') else ''}" for file in FILES]
CLASS_1, CLASS_2, GREY = "#123B2C", "#1F6FB2", "#5F6368"  # what is issued here is of class 2


def codes_of(world: World) -> dict[str, str]:
    return {
        "active": world.code,
        "revoked": world.withdrawn.certificate.code,
        "unknown": NEVER_ISSUED,
    }


@pytest.mark.parametrize("file", SMALL)
@pytest.mark.parametrize("state", ["active", "revoked", "unknown"])
@pytest.mark.parametrize("art", ["live", "print"])
def test_every_piece_is_a_readable_file_in_every_state(world: World, file: str, state: str, art: str) -> None:
    answer = world.client.get(f"/v/{codes_of(world)[state]}/badge/{file}art={art}")
    assert (answer.status_code, answer.mimetype) == (200, MEDIA[file.partition(".")[2][:3]])
    assert answer.headers["LCAL-State"] == state
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["ETag"].startswith('"')
    lasting = (
        "immutable" if (art, state) == ("print", "active") else "max-age=60" if state == "unknown" else "max-age=300"
    )
    assert lasting in answer.headers["Cache-Control"]


WORDS = {"revoked": "Withdrawn", "unknown": "No such certificate"}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("state", WORDS)
@pytest.mark.parametrize("art", ["live", "print"])
def test_what_is_not_in_force_says_so_and_nothing_else_also_where_print_is_asked_for(
    world: World, form: str, state: str, art: str
) -> None:
    said = world.client.get(f"/v/{codes_of(world)[state]}/badge/{form}.svg?art={art}").text
    title = next(node.text or "" for node in ET.fromstring(said) if node.tag == f"{SVG}title")
    assert WORDS[state].lower() in title.lower()
    assert not [claim for claim in ("at most", "g CO2e", "Low-Carbon", "class ") if claim in said]
    assert (CLASS_2 in said, GREY in said) == (False, True)


def test_live_art_bears_the_month_of_its_check_and_print_its_days(world: World) -> None:
    live, printed = (world.client.get(f"/v/{world.code}/badge/label.svg?art={art}").text for art in ("live", "print"))
    assert f"Status checked {LATER:%b %Y}" in live
    assert "Status checked" not in printed
    assert f"issued {NOW:%Y-%m-%d}, valid until" in printed


def test_who_has_the_bytes_already_gets_304(world: World) -> None:
    for file in FILES:
        first = world.client.get(f"/v/{world.code}/badge/{file}")
        again = world.client.get(f"/v/{world.code}/badge/{file}", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


def test_print_is_the_same_for_ever_and_live_changes_with_the_month(studio: Studio, certifier: Certifier) -> None:
    issued = certifier.submit(studio.upload(studio.signed(studio.report(), (APPLICANT, PARTY, VERIFIER))), NOW)
    assert isinstance(issued, Issued)
    now, later = (create_app(certifier, lambda day=day: day).test_client() for day in (LATER, LATER.replace(year=2028)))
    for file in SMALL:
        live, printed = (f"/v/{issued.certificate.code}/badge/{file}art={art}" for art in ("live", "print"))
        assert now.get(printed).data == later.get(printed).data, file
        assert now.get(live).data != later.get(live).data, file


def test_after_a_withdrawal_no_art_for_print_is_given_out_any_more(studio: Studio, certifier: Certifier) -> None:
    client = create_app(certifier, lambda: LATER).test_client()
    issued = certifier.submit(studio.upload(studio.signed(studio.report(), (APPLICANT, PARTY, VERIFIER))), NOW)
    assert isinstance(issued, Issued)
    addresses = [f"/v/{issued.certificate.code}/badge/{file}art=print&region=uk" for file in SMALL]
    before = [client.get(address) for address in addresses]
    assert all("immutable" in answer.headers["Cache-Control"] for answer in before)
    certifier.change_status(issued.certificate.code, "revoke", "misuse", LATER)
    for address, fresh in zip(addresses, before, strict=True):
        ended = client.get(address)
        assert ended.data != fresh.data, address
        assert "max-age=300" in ended.headers["Cache-Control"]
        assert ended.headers["LCAL-State"] == "revoked"


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_png_comes_in_listed_sizes(world: World, scale: int) -> None:
    answer = world.client.get(f"/v/{world.code}/badge/label.png?scale={scale}")
    assert Image.open(io.BytesIO(answer.data)).size == (600 * scale, 400 * scale)


ODD = {
    "a size of no list": ("square.png?scale=3", 400, "parameter-invalid"),
    "a size for what has none": ("square.svg?scale=2", 400, "parameter-invalid"),
    "an art that is none": ("square.svg?art=poster", 400, "parameter-invalid"),
    "a region that is none": ("square.svg?region=moon", 400, "parameter-invalid"),
    "crop marks for a sheet": ("sheet.pdf?marks=crop", 400, "parameter-invalid"),
    "two of one": ("square.svg?art=live&art=print", 400, "parameter-invalid"),
    "another format": ("poster.svg", 404, "not-found"),
    "another kind of file": ("square.gif", 404, "not-found"),
    "a shield as PDF": ("shield.pdf", 404, "not-found"),
    "no kind of file": ("square", 404, "not-found"),
}


@pytest.mark.parametrize(("asked", "status", "slug"), ODD.values(), ids=ODD.keys())
def test_what_does_not_exist_is_told_with_what_does(world: World, asked: str, status: int, slug: str) -> None:
    answer = world.client.get(f"/v/{world.code}/badge/{asked}")
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (status, slug)
    assert answer.json["errors"][0]["expected"]


@pytest.mark.parametrize("file", ["badge/square.svg?art=print", "shields.json?region=uk", "badge/label.png?scale=4"])
def test_other_spellings_of_the_code_lead_to_it(world: World, file: str) -> None:
    answer = world.client.get(f"/v/{display_code(world.code).lower()}/{file}")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"/v/{world.code}/{file}")


@pytest.mark.parametrize("file", ["badge/square.svg", "shields.json"])
def test_a_mistyped_code_is_told(world: World, file: str) -> None:
    typo = world.code[:-1] + ("0" if world.code[-1] != "0" else "1")
    assert world.client.get(f"/v/{typo}/{file}").status_code in (400, 404)


REGIONS = {"uk": True, "us": True, "rest": True, "eu": False, "everywhere": False}


@pytest.mark.parametrize(("region", "plate"), REGIONS.items(), ids=REGIONS.keys())
def test_label_artwork_is_given_where_it_may_be_shown_else_figure_and_tier_as_text(
    world: World, region: str, plate: bool
) -> None:
    """No independent body is under contract here, so that nothing is allowed in the EU (LCAL 17.1)."""
    for form in FORMATS:
        said = world.client.get(f"/v/{world.code}/badge/{form}.svg?region={region}").text
        assert (CLASS_2 in said) == plate, form
        assert ("Verified by" in said) == plate, form


@pytest.mark.parametrize("region", REGIONS)
def test_a_self_declared_figure_is_never_label_artwork(world: World, region: str) -> None:
    for form in FORMATS:
        said = world.client.get(f"/v/{world.statement.certificate.code}/badge/{form}.svg?region={region}").text
        assert not [colour for colour in (CLASS_1, CLASS_2, "#F2D13C") if colour in said]


def test_a_certificate_that_cannot_be_believed_shows_only_that(studio: Studio, certifier: Certifier) -> None:
    issued = certifier.submit(studio.upload(studio.signed(studio.report(title="Tampered (example)"))), NOW)
    assert isinstance(issued, Issued)
    with certifier.store.database.writing() as connection:
        connection.execute(update(certificates).values(document=b"{}"))
    client = create_app(certifier, lambda: LATER).test_client()
    for file in SMALL:
        answer = client.get(f"/v/{issued.certificate.code}/badge/{file}art=print")
        assert (answer.status_code, answer.headers["LCAL-State"]) == (200, "unreliable")
        assert "max-age=300" in answer.headers["Cache-Control"]
        assert b"Tampered" not in answer.data
    assert "Not valid" in client.get(f"/v/{issued.certificate.code}/badge/square.svg").text
    assert client.get(f"/v/{issued.certificate.code}/shields.json").json["message"] == "not valid"


def test_the_sheet_is_also_the_pdf_of_the_certificate(world: World) -> None:
    answer = world.client.get(f"/v/{world.code}.pdf?art=print")
    assert answer.data == world.client.get(f"/v/{world.code}/badge/sheet.pdf?art=print").data
    assert answer.data.startswith(b"%PDF")


def test_the_code_on_a_sheet_holds_a_certificate_that_verifies_alone(world: World) -> None:
    picture = Image.open(io.BytesIO(world.client.get(f"/v/{world.code}/badge/sheet.png?scale=2").data)).convert("L")
    parts = parse_qr_text(zxingcpp.read_barcodes(np.asarray(picture))[0].text)
    assert (parts.base_url, parts.code) == ("https://label.example", world.code)
    key = world.certifier.published.trust_at(NOW).key_for(world.verified.certificate.verification_method)
    assert key is not None
    assert parts.digits is not None
    assert verify_compact(bytes_of_digits(parts.digits), key.key).code == world.code


@pytest.mark.parametrize("form", ["square", "label"])
def test_the_code_on_a_label_leads_to_the_page(world: World, form: str) -> None:
    for region in ("uk", "everywhere"):
        raw = world.client.get(f"/v/{world.code}/badge/{form}.png?scale=1&region={region}").data
        found = zxingcpp.read_barcodes(np.asarray(Image.open(io.BytesIO(raw)).convert("L")))
        assert [code.text for code in found] == [f"HTTPS://LABEL.EXAMPLE/V/{world.code}"]


def test_the_sheet_tells_the_stages_with_what_rests_on_defaults(world: World) -> None:
    said = world.client.get(f"/v/{world.code}/badge/sheet.svg").text
    assert "Generating, every take: " in said
    assert "Night Ferry (example)" in said


def test_a_hostile_title_is_only_text(world: World) -> None:
    for file in FILES:
        answer = world.client.get(f"/v/{world.attested.certificate.code}/badge/{file}")
        if file.endswith(".svg"):
            assert HOSTILE not in answer.text
            assert {node.tag for node in ET.fromstring(answer.text).iter()} <= {
                f"{SVG}{tag}" for tag in ("svg", "title", "desc", "rect", "g", "path")
            }


def test_shields_json_is_what_badge_services_read(world: World) -> None:
    answer = world.client.get(f"/v/{world.code}/shields.json?region=uk")
    said = answer.json
    assert said["schemaVersion"] == 1
    assert (said["label"], said["isError"], said["cacheSeconds"]) == ("AI footprint", False, 300)
    assert said["message"].endswith(f" g/min · class 2 · {LATER:%b %Y}")
    assert said["color"] == CLASS_2
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "max-age=300" in answer.headers["Cache-Control"]


def test_shields_json_of_what_is_not_in_force_is_grey_and_has_no_figure(world: World) -> None:
    for code, word in ((world.withdrawn.certificate.code, "withdrawn"), (NEVER_ISSUED, "no such certificate")):
        said = world.client.get(f"/v/{code}/shields.json").json
        assert said["message"].startswith(word)
        assert said["color"] == GREY


def test_a_certificate_whose_file_is_away_is_not_called_false(
    client: FlaskClient, certifier: Certifier, studio: Studio
) -> None:
    issued = certifier.submit(studio.upload(studio.signed(studio.report())), NOW)
    assert isinstance(issued, Issued)
    with certifier.store.database.writing() as connection:
        connection.execute(update(certificates).values(document=None))
    for form in FORMATS:
        answer = client.get(f"/v/{issued.certificate.code}/badge/{form}.svg")
        assert answer.status_code == 200
        assert answer.headers["LCAL-State"] in ("away", "unreliable")
        assert "false" not in answer.text


class Slow:
    """Draws when it is told to, and counts."""

    def __init__(self) -> None:
        self.drawn = 0
        self.go_on = Event()

    def __call__(self, *_: object) -> bytes:
        self.drawn += 1
        assert self.go_on.wait(10)
        return b"\x89PNG"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    slow = Slow()
    monkeypatch.setattr(png, "render_png", slow)
    monkeypatch.setattr(badges, "_pictures", Memory(badges.PICTURE_BYTES))
    return slow


def test_a_picture_that_many_ask_for_at_once_is_drawn_once(world: World, slow: Slow) -> None:
    path = f"/v/{world.code}/badge/sheet.png?scale=4"
    with ThreadPoolExecutor(badges.MOST_WAITING) as pool:
        asked = [pool.submit(world.client.application.test_client().get, path) for _ in range(badges.MOST_WAITING)]
        slow.go_on.set()
        assert {each.result().data for each in asked} == {b"\x89PNG"}
    assert slow.drawn == 1


def test_whoever_asks_for_more_pictures_than_can_be_drawn_keeps_no_readers_out(world: World, slow: Slow) -> None:
    paths = [f"/v/{world.code}/badge/{form}.png?scale=4&art={art}" for form in FORMATS for art in ("live", "print")]
    crowd = len(paths)
    assert crowd > badges.MOST_WAITING
    with ThreadPoolExecutor(crowd) as pool:
        asked = [pool.submit(world.client.application.test_client().get, path) for path in paths]
        refused = [each.result() for each in islice(as_completed(asked), crowd - badges.MOST_WAITING)]
        slow.go_on.set()
        statuses = sorted(each.result().status_code for each in asked)
    assert {(each.status_code, each.headers["Retry-After"]) for each in refused} == {(503, "5")}
    assert statuses == [200] * badges.MOST_WAITING + [503] * (crowd - badges.MOST_WAITING)
