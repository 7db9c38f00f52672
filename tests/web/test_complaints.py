"""Anybody reports a misuse without an account: the form, its faults, the receipt, and what nobody else gets to see."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from sqlalchemy import delete
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from certifier.service import complaints as cases
from certifier.service.certifier import Certifier
from certifier.service.complaints import KINDS, OUTCOMES, STATES
from certifier.storage.tables import complaints
from certifier.web import complaints as words
from tests.studio import Studio
from tests.web.conftest import LATER
from tests.web.test_pages import Elements

HTML = {"Accept": "text/html"}
REVIEWED, CLOSED = LATER + timedelta(days=1), LATER + timedelta(days=3)
SECRET = "me@example.org"
GOOD = {
    "kind": "misuse",
    "code": "tact-0000-18",
    "place": "https://example.org/song",
    "text": "The badge stands beside my neighbour's song.",
    "contact": SECRET,
}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certifier]:
    certifier = Studio(tmp_path_factory.mktemp("office")).certifier()
    yield certifier
    certifier.close()


@pytest.fixture
def certifier(office: Certifier) -> Certifier:
    """The office without any report."""
    with office.store.database.writing() as connection:
        connection.execute(delete(complaints))
    return office


def send(client: FlaskClient, **changes: str) -> TestResponse:
    return client.post("/complaints", data=GOOD | changes, headers=HTML)


def receipt_of(answer: TestResponse) -> str:
    assert answer.status_code == 303
    return answer.headers["Location"].removeprefix("/complaints/")


def test_a_report_gets_a_receipt_with_what_happens_next(client: FlaskClient, certifier: Certifier) -> None:
    receipt = receipt_of(send(client))
    assert re.fullmatch("(-?[0-9A-HJKMNP-TV-Z]{5}){4}", receipt)
    page = client.get(f"/complaints/{receipt}")
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "private, no-store"
    assert page.headers["X-Robots-Tag"] == "noindex"
    for told in (receipt, "TACT-0000-18", "Received", "by <time", "2026-11-27", "2026-12-06", "within 14 days"):
        assert told in page.text
    assert certifier.complaints.one(receipt).text == GOOD["text"]


def test_a_receipt_shows_nothing_of_what_was_written(client: FlaskClient, certifier: Certifier) -> None:
    with capture_logs() as written:
        receipt = receipt_of(send(client))
        certifier.complaints.review(receipt, "", REVIEWED)
        pages = [client.get(path).text for path in (f"/complaints/{receipt}", "/complaints", "/docs/sandbox")]
    logged = str(written)
    assert "'route': '/complaints'" in logged
    for secret in (SECRET, "neighbour", "example.org/song"):
        assert not [page for page in pages if secret in page]
        assert secret not in logged
    assert receipt not in logged


def test_whoever_has_the_receipt_follows_it_to_its_end(client: FlaskClient, certifier: Certifier) -> None:
    receipt = receipt_of(send(client))
    certifier.complaints.review(receipt, "We have asked the holder.", REVIEWED)
    page = client.get(f"/complaints/{receipt}").text
    assert "Under review" in page
    assert "We have asked the holder." in page
    certifier.complaints.close(receipt, "upheld", "<b>The shop</b> took it down.", CLOSED)
    page = client.get(f"/complaints/{receipt}").text
    assert "Closed: Upheld" in page
    assert "&lt;b&gt;The shop&lt;/b&gt; took it down." in page
    assert "2026-12-25" in page
    assert "/complaints?kind=appeal&amp;code=TACT000018" in page


def test_a_typed_receipt_leads_to_its_page(client: FlaskClient) -> None:
    receipt = receipt_of(send(client))
    found = client.get("/complaints/find", query_string={"receipt": receipt.lower().replace("-", " ")})
    assert (found.status_code, found.headers["Location"]) == (303, f"/complaints/{receipt}")


@pytest.mark.parametrize("guess", ["1", "0" * 20, "find", "ABCDE-FGHJK-MNPQR-STVWX", "%00", "..", "é" * 20, "A" * 3000])
def test_a_receipt_that_nobody_has_leads_nowhere(client: FlaskClient, guess: str) -> None:
    for answer in (
        client.get(f"/complaints/{guess}", headers=HTML),
        client.get("/complaints/find", query_string={"receipt": guess}),
    ):
        assert answer.status_code in {400, 404}


def test_the_numbers_are_public(client: FlaskClient, certifier: Certifier) -> None:
    first = receipt_of(send(client))
    send(client, kind="figure")
    certifier.complaints.close(first, "upheld", "So it was.", CLOSED)
    rows = re.findall(r"<th scope=\"row\">(.*?)</th>(.*?)</tr>", client.get("/complaints").text, re.DOTALL)
    numbers = [[int(number) for number in re.findall(r">(\d+)</td>", cells)] for _, cells in rows]
    # waiting, under review, the four outcomes, all
    assert numbers == [[0, 0, 1, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0, 1], [0] * 7, [0] * 7]


def test_every_word_has_its_text() -> None:
    assert words.KINDS.keys() == set(KINDS)
    assert words.STATES.keys() == set(STATES)
    assert words.OUTCOMES.keys() == set(OUTCOMES)


FAULTS = {
    "no kind": ({"kind": ""}, "Choose what your report is about."),
    "an unknown kind": ({"kind": "praise"}, "Choose one of the four kinds."),
    "a mistyped code": ({"code": "TACT00001X"}, "This is no code"),
    "neither code nor place": ({"code": "", "place": " "}, "Say where you saw the mark"),
    "no text": ({"text": "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"}, "Say in a sentence what is wrong."),
    "a text too long": ({"text": "x" * 4001}, "Shorten this to 4000 characters."),
    "a place too long": ({"place": "x" * 501}, "Shorten this to 500 characters."),
    "a contact too long": ({"contact": "x" * 201}, "Shorten this to 200 characters."),
}


@pytest.mark.parametrize(("changes", "told"), FAULTS.values(), ids=FAULTS.keys())
def test_a_form_with_a_fault_comes_back_with_all_that_was_written(
    client: FlaskClient, certifier: Certifier, changes: dict[str, str], told: str
) -> None:
    answer = send(client, **changes)
    assert answer.status_code == 400
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.text.count(told) == 2  # above the form, and beside the field
    assert 'aria-invalid="true"' in answer.text
    kept = GOOD | changes
    assert f'value="{kept["contact"]}"' in answer.text
    assert certifier.complaints.listed(STATES) == []


BAD_REQUESTS: dict[str, tuple[dict[str, Any], int]] = {
    "JSON": ({"json": GOOD}, 415),
    "no body": ({}, 415),
    "a field that there is not": ({"data": GOOD | {"state": "closed"}}, 400),
    "a very large text": ({"data": GOOD | {"text": "x" * 100_000}}, 413),
    "a parameter": ({"data": GOOD, "query_string": {"a": "b"}}, 400),
    "bytes that are no text": (
        {"data": b"kind=misuse&code=&place=%ff%fe&text=%80%81", "content_type": "application/x-www-form-urlencoded"},
        400,
    ),
}


@pytest.mark.parametrize(("sent", "status"), BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_a_request_that_cannot_be_used_is_told_so(
    client: FlaskClient, certifier: Certifier, sent: dict[str, Any], status: int
) -> None:
    assert client.post("/complaints", **sent).status_code == status
    assert certifier.complaints.listed(STATES) == []


def test_a_form_has_no_room_for_files(client: FlaskClient) -> None:
    with Path(__file__).open("rb") as file:
        assert client.post("/complaints", data=GOOD | {"upload": (file, "x")}).status_code == 400


HOSTILE = (
    '"><script>alert(1)</script>',
    "</textarea><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    "javascript:alert(1)",
    "' onfocus='alert(1)' autofocus='",
    "\u202egnp.exe",
)


@pytest.mark.parametrize("payload", HOSTILE)
def test_what_is_written_runs_nowhere(client: FlaskClient, certifier: Certifier, payload: str) -> None:
    """In the form that comes back, in the prefilled form, and on the receipt's page."""
    pages = [
        client.get("/complaints", query_string={"code": payload}),
        send(client, kind="", code=payload, place=payload, text=payload, contact=payload),
    ]
    receipt = receipt_of(send(client, place=payload, text=payload * 3, contact=payload))
    certifier.complaints.review(receipt, payload, CLOSED)
    pages.append(client.get(f"/complaints/{receipt}"))
    for page in pages:
        elements = Elements(page.text).found
        assert not [tag for tag, _ in elements if tag in {"script", "img", "iframe"}]
        assert not [name for _, attributes in elements for name in attributes if name.startswith("on")]
        assert not [a for _, a in elements if a.get("href", "").startswith("javascript")]
        assert "49 " not in page.text
    assert "\u202e" not in pages[2].text


def test_too_many_are_told_when_to_come_again(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "MOST_A_DAY", 1)
    send(client)
    for answer in (send(client), client.post("/api/v1/complaints", json=GOOD)):
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) >= 3600
    assert "too-many-reports" in answer.json["type"]


def test_a_full_disk_takes_no_report(
    client: FlaskClient, certifier: Certifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifier, "settings", replace(certifier.settings, min_free_bytes=2**62))
    answer = send(client)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_programs_report_as_people_do(client: FlaskClient, certifier: Certifier) -> None:
    answer = client.post("/api/v1/complaints", json=GOOD)
    assert answer.status_code == 201
    body = answer.json
    assert answer.headers["Location"] == body["page"] == f"/complaints/{body['receipt']}"
    assert (body["state"], body["code"]) == ("received", "TACT000018")
    assert (body["acknowledge_by"], body["finding_by"]) == ("2026-11-27T12:00:00Z", "2026-12-06T12:00:00Z")
    assert SECRET not in answer.text
    assert certifier.complaints.one(body["receipt"]).contact == SECRET


BAD_JSON: dict[str, tuple[bytes, int, str]] = {
    "no object": (b"[]", 400, ""),
    "a member twice": (b'{"kind": "misuse", "kind": "other"}', 400, ""),
    "no text": (json.dumps({"kind": "other"}).encode(), 400, "/text"),
    "an unknown member": (json.dumps({**GOOD, "state": "closed"}).encode(), 400, "/state"),
    "a number for a text": (json.dumps({**GOOD, "text": 5}).encode(), 400, "/text"),
    "an unknown kind": (json.dumps({**GOOD, "kind": "praise"}).encode(), 400, "/kind"),
    "a mistyped code": (json.dumps({**GOOD, "code": "TACT00001X"}).encode(), 400, "/code"),
    "a very long text": (json.dumps({**GOOD, "text": "x" * 5000}).encode(), 400, "/text"),
    "a body that is too large": (json.dumps({**GOOD, "text": "x" * 90_000}).encode(), 413, ""),
}


@pytest.mark.parametrize(("raw", "status", "pointer"), BAD_JSON.values(), ids=BAD_JSON.keys())
def test_a_program_is_told_which_member_does_not_fit(
    client: FlaskClient, certifier: Certifier, raw: bytes, status: int, pointer: str
) -> None:
    answer = client.post("/api/v1/complaints", data=raw, content_type="application/json")
    assert answer.status_code == status
    if pointer:
        assert answer.json["errors"][0]["pointer"] == pointer
    assert certifier.complaints.listed(STATES) == []


def test_without_script_a_report_is_sent_by_keyboard_alone(
    browser: Browser,
    own_address: str,
    certifier: Certifier,
) -> None:
    page = browser.new_context(
        viewport={"width": 360, "height": 800}, base_url=own_address, java_script_enabled=False
    ).new_page()
    page.goto("/complaints?code=TACT-0000-18")
    page.locator("input[name=kind]").first.focus()
    page.keyboard.press("Space")
    for text in ("", "a shop in a street", "The badge stands on another track."):
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/complaints/*-*")
    assert page.locator("h1").inner_text() == "Received"
    page.context.close()
    (row,) = certifier.complaints.listed()
    assert (row.kind, row.code, row.place) == ("misuse", "TACT000018", "a shop in a street")


def test_the_documented_request_is_taken(client: FlaskClient) -> None:
    text = (Path(__file__).parents[2] / "docs/complaints.md").read_text()
    (body,) = re.findall(r"-d '(\{.*?\})'", text)
    answer = client.post("/api/v1/complaints", data=body, content_type="application/json")
    assert answer.status_code == 201
    (told,) = re.findall(r"^(\{\"receipt.*)$", text, re.MULTILINE)
    assert set(re.findall(r'"(\w+)":', told)) <= answer.json.keys()
    bounds = (cases.MOST_TEXT, cases.MOST_PLACE, cases.MOST_CONTACT, cases.MOST_WAITING, cases.MOST_A_DAY)
    assert all(str(bound) in text for bound in (*bounds, cases.MOST_OF_CODE, *KINDS, *OUTCOMES))
