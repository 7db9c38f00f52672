"""A certificate under its code: every form of it, in every state."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient
from markupsafe import escape
from PIL import Image
from sqlalchemy import update

from certifier.certificate.code import display_code
from certifier.certificate.credential import parse_claims
from certifier.certificate.model import Figures
from certifier.certificate.status import status_url
from certifier.certificate.verification import Material
from certifier.certificate.verify import check_certificate
from certifier.crypto.canonical import sha256_hex
from certifier.crypto.strict_json import parse_object
from certifier.errors import NotFoundError
from certifier.service.certifier import Certifier, Issued
from certifier.storage.tables import certificates
from certifier.web.app import create_app
from tests.studio import APPLICANT, NOW, PARTY, VERIFIER, Studio
from tests.web.conftest import HOSTILE, LATER, World

SVG = "{http://www.w3.org/2000/svg}"
NEVER_ISSUED = "0000000000"


def test_the_page_says_it_in_one_sentence(world: World) -> None:
    figures = parse_claims(parse_object(world.verified.certificate.payload)).figures
    page = text_of(world.client.get(f"/v/{world.code}").text)
    assert (
        f"AI generation footprint: at most {figures.assessed_g_per_min} g CO2e per minute of finished music "
        f"(best estimate {figures.central_g_per_min} g); Low-Carbon Audio, class 2 (limit 30 g); "
        "checked by Example Verifier." in page
    )
    page = page.partition("checked 2026")[0][-20:] + page.partition("checked 2026")[2]
    assert page.index("Valid") < page.index("Night Ferry") < page.index("Example Artist") < page.index("AI generation")
    assert page.index("AI generation") < page.index("Left out") < page.index("On the scale")


def test_what_was_not_assessed_is_said_in_the_readers_language(world: World) -> None:
    page = world.client.get(f"/v/{world.code}", headers={"Accept-Language": "de"}).text
    assert "Nachbearbeitung, getrennt: nicht bewertet." in page


# what the law, the standard or the scheme make the page say: M1 to M17 of the product's list, and the words
MUST_SAY = {
    "M1, the unit": "g CO2e per minute of finished music",
    "M2, what is counted": "Training the AI, every take, storage, the hardware.",
    "M2, what is not": "Streaming, listening, mixing, mastering, buildings.",
    "M3, the evidence": "A2, checked by an independent verifier data quality",
    "M5, the standard": "LCAL-1.0.0 of 2026-11-22, current",
    "M6, the code": "{code}",
    "M6, the status": "Valid, checked 2026-11-22 12:00 UTC",
    "M6, the first day": "2026-11-01 by Low-Carbon Audio Label",
    "M6, the last day": "2029-11-01",
    "M7, the verifier": "Checked by Example Verifier independent; checked the report, the logs and the figure",
    "M9, offsets": "No carbon offsets or credits are counted.",
    "M10, electricity": "(location-based)",
    "M11, not the song": "Nothing about the whole song, the artist or a company",
    "M12, climate alone": "Climate only; other effects on the environment were not assessed",
    "M12, no other label": "no ISO 14024 (type I) ecolabel, no label of a public authority",
    "M14, complaining": "Report misuse, complain",
    "M14, what is open": "Complaints none under review",
    "M14, the list": "All withdrawn certificates",
    "where the mark may be shown": "as a mark: UK, US, elsewhere not: EU",
    "M13, comparing": "Compare with another",
    "M15, the rules": "How we decide",
    "M16, AI in the track": "instruments, composition as the applicant says",
}


@pytest.mark.parametrize("said", MUST_SAY.values(), ids=MUST_SAY.keys())
def test_the_page_says_what_it_must(world: World, said: str) -> None:
    page = text_of(world.client.get(f"/v/{world.code}").text)
    assert said.format(code=display_code(world.code)) in page


def test_the_page_shows_real_recordings_of_the_register_on_the_scale(studio: Studio, certifier: Certifier) -> None:
    """Only such as are in force and vouched for, and stand apart."""
    issued = {name: certifier.certify(studio.examined(name, keys), NOW) for name, keys in KINDS.items()}
    codes = {name: answer.certificate.code for name, answer in issued.items() if isinstance(answer, Issued)}
    far = certifier.certify(studio.examined("far", activities=[large_run(studio)]), NOW)
    assert isinstance(far, Issued)
    client = create_app(certifier, lambda: LATER).test_client()
    page = client.get(f"/v/{codes['own']}").text
    shown = page[page.index("Real recordings") : page.index("Where the carbon")]
    assert re.findall(r'href="/v/(\w+)"', shown) == [far.certificate.code]
    assert f"at most {figures_of(far).assessed_g_per_min} g" in shown
    certifier.change_status(far.certificate.code, "suspend", "evidence", LATER)
    assert "Real recordings" not in client.get(f"/v/{codes['own']}").text


KINDS = {"own": (APPLICANT, PARTY), "close": (APPLICANT, PARTY), "declared": (APPLICANT,)}


def large_run(studio: Studio) -> dict[str, Any]:
    """The same work on many machines."""
    return studio.report(run_id="run-far")["activities"][0] | {
        "hardware": [{"name": "NVIDIA A100 SXM4 80GB", "count": 4}]
    }


def figures_of(issued: Issued) -> Figures:
    return parse_claims(parse_object(issued.certificate.payload)).figures


def text_of(page: str) -> str:
    """What a person reads, on one line."""
    body = re.sub(r"<script.*?</script>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+([;,.)])", r"\1", re.sub(r"\(\s+", "(", re.sub(r"\s+", " ", unescape(body))))


def test_a_statement_claims_no_class_and_no_verifier(world: World) -> None:
    page = world.client.get(f"/v/{world.statement.certificate.code}").text
    assert "Self-declared measurement, checked by software only. Not a label." in page
    assert "On the scale" not in page
    assert "Low-Carbon Audio, class" not in page
    assert "Verified by" not in page
    assert ">Valid<" not in page


ACCEPTS = {
    "nothing said": (None, "text/html"),
    "anything": ("*/*", "text/html"),
    "a browser": ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", "text/html"),
    "a program": ("application/json", "application/json"),
    "a wallet": ("application/vc", "application/vc"),
    "a badge wallet": ("application/ld+json, application/json;q=0.9", "application/ld+json"),
    "a JOSE library": ("application/vc+jwt", "application/vc+jwt"),
    "a COSE library": ("application/cose", "application/cose"),
    "an image in a page": ("image/avif,image/webp,image/svg+xml,image/*,*/*;q=0.8", "image/svg+xml"),
    "a player": ("image/png", "image/png"),
    "a terminal": ("text/plain", "text/plain"),
    "a wallet that names a profile": ('application/ld+json; profile="https://example.org/p"', "application/ld+json"),
    "an old browser": ("text/html;level=1, application/json;q=0.4", "text/html"),
    "an empty field": (" ", "text/html"),
    "the better one wins": ("application/json;q=0.5, application/vc", "application/vc"),
}


@pytest.mark.parametrize(("accept", "expected"), ACCEPTS.values(), ids=ACCEPTS.keys())
def test_accept_chooses_the_form(world: World, accept: str | None, expected: str) -> None:
    answer = world.client.get(f"/v/{world.code}", headers={"Accept": accept} if accept else {})
    assert answer.mimetype == expected
    assert "Accept" in answer.vary
    suffixed = world.client.get(answer.headers["Content-Location"])
    assert suffixed.data == answer.data


def test_an_unknown_form_names_those_that_exist(world: World) -> None:
    answer = world.client.get(f"/v/{world.code}", headers={"Accept": "audio/mpeg"})
    assert "application/vc" in answer.json["errors"][0]["expected"]


def test_the_record_is_served_byte_for_byte(world: World) -> None:
    row = world.verified.certificate
    submission = world.certifier.store.submission(row.submission_id)
    expected = {
        "vc": row.document,
        "tlog-proof": row.proof,
        "report.json": submission.envelope,
        "decision.json": submission.decision,
    }
    for suffix, raw in expected.items():
        answer = world.client.get(f"/v/{world.code}.{suffix}")
        assert answer.data == raw, suffix
        assert "immutable" in answer.headers["Cache-Control"], suffix


def test_what_is_served_verifies_with_nothing_else(world: World) -> None:
    get = world.client.get
    lists = {
        status_url("https://label.example", purpose): get(f"/status/{purpose}/1").data
        for purpose in ("revocation", "suspension")
    }
    material = Material(world.certifier.published.trust_at(NOW), get(f"/v/{world.code}.tlog-proof").data, lists)
    assert check_certificate(get(f"/v/{world.code}.vc").data, material, LATER).verdict == "valid"


def test_the_digests_in_the_certificate_are_those_of_the_files(world: World) -> None:
    claims = parse_claims(parse_object(world.verified.certificate.payload))
    assert sha256_hex(world.client.get(f"/v/{world.code}.decision.json").data) == claims.basis.decision_sha256


def test_the_view_holds_the_figures_and_the_state_now(world: World) -> None:
    view = world.client.get(f"/v/{world.code}.json").json
    claims = parse_claims(parse_object(world.verified.certificate.payload))
    assert view["code"] == display_code(world.code)
    assert view["figures"]["assessed_g_per_min"] == claims.figures.assessed_g_per_min
    assert view["lifecycle"]["state"] == "active"
    assert view["verification"]["verdict"] == "valid"
    assert view["assessor"] == {"kind": "verifier", "id": "example-verifier", "name": "Example Verifier"}
    for link in view["links"].values():
        assert world.client.get(link).status_code == 200, link


@pytest.mark.parametrize(
    "suffix", ["", ".json", ".vc", ".svg", ".png", ".tlog-proof", ".report.json", ".decision.json"]
)
def test_who_has_the_bytes_already_gets_304(world: World, suffix: str) -> None:
    first = world.client.get(f"/v/{world.code}{suffix}")
    again = world.client.get(f"/v/{world.code}{suffix}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = world.client.get(f"/v/{world.code}{suffix}", headers={"If-None-Match": '"something else"'})
    assert other.data == first.data


SPELLINGS = {
    "small letters": str.lower,
    "with hyphens": display_code,
    "with look-alikes": lambda code: code.replace("0", "O").replace("1", "l"),
    "with a space": lambda code: f"{code[:4]} {code[4:]}",
}


@pytest.mark.parametrize("suffix", ["", ".svg", ".png?scale=4"])
@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_other_spellings_of_a_code_lead_to_it(world: World, spelled: object, suffix: str) -> None:
    spelling = spelled(world.code)  # type: ignore[operator]
    if spelling != world.code:
        answer = world.client.get(f"/v/{spelling}{suffix}")
        assert (answer.status_code, answer.headers["Location"]) == (301, f"/v/{world.code}{suffix}")
    assert world.client.get(f"/v?code={spelling}").headers["Location"] == f"/v/{world.code}"


def test_the_capitals_of_a_qr_need_no_detour(world: World) -> None:
    assert world.client.get(f"/V/{world.code}").data == world.client.get(f"/v/{world.code}").data


WRONG_CODES = {
    "a wrong check symbol": ("{typo}", 400, "code-malformed"),
    "too short": ("ABC", 400, "code-malformed"),
    "letters that no code has": ("UUUUUUUUUU", 400, "code-malformed"),
    "never issued": (NEVER_ISSUED, 404, "certificate-not-found"),
}


@pytest.mark.parametrize("suffix", ["", ".json", ".vc"])
@pytest.mark.parametrize(("code", "status", "slug"), WRONG_CODES.values(), ids=WRONG_CODES.keys())
def test_mistyped_and_unknown_are_told_apart(world: World, code: str, status: int, slug: str, suffix: str) -> None:
    typo = world.code[:-1] + ("0" if world.code[-1] != "0" else "1")
    answer = world.client.get(f"/v/{code.format(typo=typo)}{suffix}")
    assert (answer.status_code, answer.json["type"]) == (status, f"https://label.example/problems/{slug}")


def swapped(code: str) -> str:
    """Two different neighbours exchanged."""
    at = next(at for at in range(9) if code[at] != code[at + 1])
    return code[:at] + code[at + 1] + code[at] + code[at + 2 :]


MISTYPED = {
    "one wrong symbol": lambda code: ("7" if code[0] != "7" else "8") + code[1:],
    "a wrong last symbol": lambda code: code[:-1] + ("7" if code[-1] != "7" else "8"),
    "a letter that no code has": lambda code: code[:2] + "U" + code[3:],
    "two neighbours exchanged": swapped,
}
AS_A_PERSON = {"Accept": "text/html"}


@pytest.mark.parametrize("mistyped", MISTYPED.values(), ids=MISTYPED.keys())
def test_a_mistyped_code_leads_to_the_certificate_that_may_be_meant(
    world: World, mistyped: Callable[[str], str]
) -> None:
    for path in ("/v/{}", "/v?code={}"):
        answer = world.client.get(path.format(mistyped(world.code)), headers=AS_A_PERSON)
        assert answer.status_code == 400
        assert "The code has a typing error" in answer.text
        assert f'href="/v/{world.code}"' in answer.text
        assert "Night Ferry (example)" in answer.text


def test_a_code_that_nobody_gave_out_says_what_a_real_one_looks_like(world: World) -> None:
    answer = world.client.get(f"/v/{NEVER_ISSUED}", headers=AS_A_PERSON)
    assert answer.status_code == 404
    for said in (
        "No such certificate",
        "What a real code looks like",
        "the label may be false",
        f'value="{NEVER_ISSUED}"',
    ):
        assert said in answer.text
    assert f"/complaints?code={NEVER_ISSUED}" in answer.text


def test_what_is_no_code_at_all_gets_no_guess(world: World) -> None:
    page = world.client.get("/v/hello", headers=AS_A_PERSON).text
    assert "This is not a code" in page
    assert "Is it one of these" not in page


# state -> (what the log says, days later that a person looks, what the page says first)
STATES = {
    "revoked": ("revoke", "wrong_track", 2, "This certificate was withdrawn on 2026-11-01: the file is not the track"),
    "suspended": (
        "suspend",
        "evidence",
        2,
        "suspended on 2026-11-01: its evidence is being looked into. Nothing is decided",
    ),
    "superseded": ("revoke", "superseded", 2, "This certificate was replaced on 2026-11-01 by a newer one."),
    "expired": (None, None, 4 * 365, "This certificate ran out on 2029-11-01. It was true for its time"),
    "not_yet": (None, None, -2, "This certificate counts from 2026-11-01 on, and not before."),
}


@pytest.mark.parametrize(("change", "reason", "days", "said"), STATES.values(), ids=STATES.keys())
def test_a_certificate_that_is_not_in_force_says_why_before_it_says_what_it_said(
    studio: Studio, certifier: Certifier, change: Any, reason: Any, days: int, said: str
) -> None:
    issued = certifier.certify(studio.examined(1), NOW)
    assert isinstance(issued, Issued)
    if change:
        certifier.change_status(issued.certificate.code, change, reason, NOW)
    client = create_app(certifier, lambda: NOW + timedelta(days=days)).test_client()
    html = client.get(f"/v/{issued.certificate.code}").text
    page = text_of(html)
    figure = f"at most {figures_of(issued).assessed_g_per_min} g CO2e per minute"
    assert page.index(said) < page.index("it said:" if days > 0 else "It says:") < page.index(figure)
    assert "On the scale" not in page
    assert "pill-active" not in html


def test_a_status_that_cannot_be_told_is_said_to_be_unchecked(
    studio: Studio, certifier: Certifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = certifier.certify(studio.examined(1), NOW)
    assert isinstance(issued, Issued)
    monkeypatch.setattr(type(certifier.published), "status_list", lost)
    page = text_of(create_app(certifier, lambda: LATER).test_client().get(f"/v/{issued.certificate.code}").text)
    assert "Could not be checked" in page
    assert "Do not rely on it before it was; try again in a minute." in page


def test_what_cannot_be_told_to_stand_is_nowhere_shown_as_a_mark(
    studio: Studio, certifier: Certifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = certifier.certify(studio.examined(1, (APPLICANT, PARTY, VERIFIER)), NOW)
    assert isinstance(issued, Issued)
    monkeypatch.setattr(type(certifier.published), "status_list", lost)
    client, page = create_app(certifier, lambda: LATER).test_client(), f"/v/{issued.certificate.code}"
    for file in (".svg", "/badge/label.svg?art=print", "/badge/sheet.svg?region=us", "/badge/shield.svg"):
        art = client.get(page + file)
        assert art.headers["LCAL-State"] == "unchecked"
        assert "immutable" not in art.headers["Cache-Control"]
        assert not {"Verified by", "#123B2C", "#1F6FB2"} & set(re.findall("Verified by|#[0-9A-F]{6}", art.text))
    assert client.get(f"{page}/shields.json").json["color"] == "#C9CCD1"
    embed = client.get(f"{page}/embed").text
    assert "could not be checked just now" in embed
    assert 'class="head class-' not in embed


def lost(*_: Any, **__: Any) -> bytes:
    raise NotFoundError("No list can be told.")


def test_a_badge_is_a_well_formed_image_that_scripts_cannot_enter(world: World) -> None:
    for issued in (world.verified, world.attested, world.statement, world.withdrawn):
        answer = world.client.get(f"/v/{issued.certificate.code}.svg")
        assert ET.fromstring(answer.text).tag == f"{SVG}svg"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_png_comes_in_listed_sizes(world: World, scale: int) -> None:
    image = Image.open(io.BytesIO(world.client.get(f"/v/{world.code}.png?scale={scale}").data))
    assert image.width == image.height
    assert image.width == scale * Image.open(io.BytesIO(world.client.get(f"/v/{world.code}.png?scale=1").data)).width


@pytest.mark.parametrize("query", ["scale=3", "scale=-1", "scale=1&scale=2", "size=9"])
def test_a_png_comes_in_no_other_size(world: World, query: str) -> None:
    assert world.client.get(f"/v/{world.code}.png?{query}").json["type"].endswith("/parameter-invalid")


@pytest.mark.parametrize(("suffix", "media_type"), [("svg", "image/svg+xml"), ("png", "image/png")])
def test_the_image_of_an_unknown_code_is_readable_art(world: World, suffix: str, media_type: str) -> None:
    answer = world.client.get(f"/v/{NEVER_ISSUED}.{suffix}")
    assert (answer.status_code, answer.mimetype) == (200, media_type)
    assert answer.headers["LCAL-State"] == "unknown"
    assert Image.open(io.BytesIO(answer.data)).size if suffix == "png" else "No such certificate" in answer.text


def test_a_withdrawn_certificate_says_so_everywhere(world: World) -> None:
    code = world.withdrawn.certificate.code
    page = world.client.get(f"/v/{code}")
    assert page.status_code == 200
    assert "Withdrawn" in page.text
    assert "the mark was used on other tracks" in page.text
    assert ">Valid<" not in page.text
    view = world.client.get(f"/v/{code}.json").json
    assert view["lifecycle"]["state"] == "revoked"
    assert view["lifecycle"]["changes"][0]["reason"] == "misuse"
    assert view["verification"]["verdict"] == "not_valid"
    badge = world.client.get(f"/v/{code}.svg")
    assert (badge.status_code, badge.headers["LCAL-State"]) == (200, "revoked")
    assert "Withdrawn" in badge.text
    assert world.client.get(f"/v/{code}.txt").text.startswith("revoked: ")


def test_a_suspended_certificate_says_so_everywhere_and_is_nowhere_called_withdrawn(
    studio: Studio, certifier: Certifier
) -> None:
    issued = certifier.submit(studio.upload(studio.signed(studio.report(), (APPLICANT, PARTY))), NOW)
    code = issued.certificate.code  # type: ignore[union-attr]
    certifier.change_status(code, "suspend", "evidence", NOW)
    client = create_app(certifier, lambda: LATER).test_client()
    page, badge, text = (client.get(f"/v/{code}{suffix}") for suffix in ("", ".svg", ".txt"))
    view = client.get(f"/v/{code}.json").json
    asked = client.post("/api/v1/verifications", json={"code": code}).json
    assert "Suspended" in page.text
    assert "Suspended" in badge.text
    assert not [face for face in (page.text, badge.text) if "Withdrawn" in face or ">Valid<" in face]
    assert (text.text.partition(":")[0], badge.headers["LCAL-State"], view["lifecycle"]["state"]) == ("suspended",) * 3
    assert (asked["verdict"], asked["reason"], asked["axes"]["lifecycle"]) == ("not_valid", "suspended", "suspended")
    assert asked["because"] == view["verification"]["because"] == "The certificate is suspended while it is checked."


def test_the_state_follows_time_and_log_at_once(studio: Studio, certifier: Certifier) -> None:
    issued = certifier.submit(studio.upload(studio.signed(studio.report(), (APPLICANT, PARTY))), NOW)
    code = issued.certificate.code  # type: ignore[union-attr]
    moment = [LATER]
    client = create_app(certifier, lambda: moment[0]).test_client()

    def state() -> tuple[str, str]:
        view = client.get(f"/v/{code}.json").json
        badge = client.get(f"/v/{code}.svg").headers["LCAL-State"]
        return view["lifecycle"]["state"], badge

    assert state() == ("active", "active")
    certifier.change_status(code, "suspend", "evidence", LATER)
    assert state() == ("suspended", "suspended")
    certifier.change_status(code, "reinstate", "evidence", LATER)
    assert state() == ("active", "active")
    moment[0] = NOW + timedelta(days=4 * 365)
    assert state() == ("expired", "expired")


def test_a_hostile_title_is_only_text(world: World) -> None:
    code = world.attested.certificate.code
    for path in (
        f"/v/{code}",
        "/certificates",
        f"/submissions/{world.attested.submission_id}",
        f"/verify?code={code}",
    ):
        page = world.client.get(path).text
        assert str(escape(HOSTILE)) in page, path
        assert HOSTILE not in page, path
    assert world.client.get(f"/v/{code}.json").json["track"]["title"] == HOSTILE
    assert "onload" not in world.client.get(f"/v/{code}.svg").text


def test_a_document_that_does_not_fit_its_signature_is_not_shown(
    studio: Studio, certifier: Certifier, world: World
) -> None:
    """Should the database be tampered with, the page says only that."""
    issued = certifier.submit(studio.upload(studio.signed(studio.report(title="Tampered (example)"))), NOW)
    row = issued.certificate  # type: ignore[union-attr]
    document = json.loads(row.document or b"")
    document["credentialSubject"]["narrative"] = "another text"
    with certifier.store.database.writing() as connection:
        connection.execute(update(certificates).values(document=json.dumps(document).encode()))
    client = create_app(certifier, lambda: LATER).test_client()
    page = client.get(f"/v/{row.code}").text
    assert "Do not rely on this page" in page
    assert "Tampered (example)" not in page
    view = client.get(f"/v/{row.code}.json").json
    assert view["verification"]["verdict"] == "not_valid"
    assert view["track"] is view["figures"] is view["sentence"] is None


HARMED = {
    "one changed digit": lambda document: document.replace(b'"value": "', b'"value": "1', 1),
    "no text at all": lambda document: b"\xff\xfe\x00",
    "cut in the middle": lambda document: document[: len(document) // 2],
    "nothing": lambda document: b"",
}


@pytest.mark.parametrize("harm", HARMED.values(), ids=HARMED.keys())
def test_a_stored_certificate_that_came_to_harm_is_shown_as_unreliable_and_kept_by_no_cache(
    client: FlaskClient, certifier: Certifier, studio: Studio, harm: Callable[[bytes], bytes]
) -> None:
    answer = certifier.submit(studio.upload(studio.signed(studio.report())), NOW)
    assert isinstance(answer, Issued)
    code = answer.certificate.code
    harmed = harm(answer.certificate.document or b"")
    with certifier.store.database.writing() as connection:
        connection.execute(update(certificates).values(document=harmed))
    page, record, view = (client.get(f"/v/{code}{suffix}") for suffix in ("", ".vc", ".json"))
    assert (page.status_code, "Night Ferry" in page.text) == (200, False)
    assert record.headers["Cache-Control"] == "private, no-store"
    assert (view.json["verification"]["verdict"], view.json["track"]) == ("not_valid", None)
