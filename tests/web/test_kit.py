"""The badge kit gives what may be shown and nothing else; an embed tells the state wherever it stands."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from xml.etree.ElementTree import fromstring

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from werkzeug.test import TestResponse

from certifier.web.app import create_app
from tests.web.browsing import opened, served
from tests.web.conftest import LATER
from tests.web.outcomes import Outcomes
from tests.web.test_pages import Elements


@pytest.fixture(scope="module")
def client(outcomes: Outcomes) -> FlaskClient:
    return create_app(outcomes.certifier, lambda: LATER).test_client()


@pytest.fixture(scope="module")
def address(client: FlaskClient) -> Iterator[str]:
    yield from served(client.application)


def copied(page: str, name: str) -> str:
    """A text of the kit as somebody copies it."""
    found = re.search(rf'id="copy-{name}"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert found
    return html.unescape(found.group(1))


@pytest.mark.parametrize("name", ["class_1", "class_2", "attested", "measured", "statement", "hostile"])
def test_every_text_of_the_kit_leads_to_the_certificate_at_its_public_address(
    client: FlaskClient, outcomes: Outcomes, name: str
) -> None:
    page = client.get(outcomes.filled(f"/v/{{{name}}}/kit")).text
    for text in ("html", "html-shield", "markdown", "embed", "tags-1", "tags-2", "record", "shields"):
        assert f"https://label.example/v/{outcomes.codes[name]}" in copied(page, text)


def test_the_words_of_a_copied_image_are_those_of_the_badge(client: FlaskClient, outcomes: Outcomes) -> None:
    snippet = copied(client.get(outcomes.filled("/v/{class_1}/kit")).text, "html")
    ((_, link), (_, image)) = Elements(snippet).found
    drawn = client.get(image["src"].removeprefix("https://label.example"))
    title = re.search(r"<title[^>]*>(.*?)</title>", drawn.text)
    assert drawn.status_code == 200
    assert title
    assert image["alt"] == html.unescape(title.group(1))
    assert link["href"] == f"https://label.example/v/{outcomes.codes['class_1']}"


def test_the_words_of_a_copied_shield_leave_out_the_month_that_moves_on(
    client: FlaskClient, outcomes: Outcomes
) -> None:
    snippet = copied(client.get(outcomes.filled("/v/{class_1}/kit")).text, "html-shield")
    (_, (_, image)) = Elements(snippet).found
    drawn = client.get(image["src"].removeprefix("https://label.example")).text
    assert image["alt"] == "AI footprint: 8.09 g/min · class 1"
    assert f">{image['alt']} · Nov 2026</title>" in drawn


# where it will be shown, whether its art is a mark there, what is said
PLACES = {
    "a class with a verifier in the UK": ("class_1", "uk", True, "may be shown there as a mark"),
    "a class with a verifier in the EU": ("class_1", "eu", False, "As a mark it may not be shown there."),
    "a class with a verifier everywhere": ("class_1", "everywhere", False, "No independent body under contract"),
    "a class without a verifier": ("attested", "us", False, "As a mark it may not be shown there."),
    "a statement": ("statement", "us", False, "A self-declared measurement has no mark."),
}


@pytest.mark.parametrize(("name", "region", "is_mark", "told"), PLACES.values(), ids=PLACES.keys())
def test_the_kit_offers_the_mark_only_where_it_may_be_shown(
    client: FlaskClient, outcomes: Outcomes, name: str, region: str, is_mark: bool, told: str
) -> None:
    page = client.get(outcomes.filled(f"/v/{{{name}}}/kit?region={region}")).text
    assert told in page
    square = Elements(copied(page, "html")).found[1][1]["src"].removeprefix("https://label.example")
    drawn = client.get(square).text
    assert ("Verified by Example Verifier" in drawn, "#123B2C" in drawn) == (is_mark, is_mark)


def test_every_download_of_the_kit_is_there(client: FlaskClient, outcomes: Outcomes) -> None:
    page = client.get(outcomes.filled("/v/{class_1}/kit?region=uk")).text
    links = [found["href"] for tag, found in Elements(page).found if tag == "a" and "download" in found]
    assert {link.partition("?")[0].rpartition(".")[2] for link in links} == {"svg", "png", "pdf"}
    for link in links:
        if "scale=4" not in link:  # the largest pictures take their time
            assert client.get(link).status_code == 200, link


CLOSED = {
    "suspended": ("suspended", "Suspended", "an objection goes to the complaints desk"),
    "withdrawn": ("withdrawn", "Withdrawn", "within 14 days"),
}


@pytest.mark.parametrize(("name", "state", "step"), CLOSED.values(), ids=CLOSED.keys())
def test_the_kit_of_what_is_not_in_force_is_closed_and_says_what_to_do(
    client: FlaskClient, outcomes: Outcomes, name: str, state: str, step: str
) -> None:
    page = client.get(outcomes.filled(f"/v/{{{name}}}/kit")).text
    assert "The kit is closed." in page
    assert state in page
    assert step in page
    assert "copy-text" not in page


def test_other_spellings_of_a_code_lead_to_the_kit(client: FlaskClient, outcomes: Outcomes) -> None:
    code = outcomes.codes["class_1"]
    for part in ("kit", "embed", "renewal"):
        assert client.get(f"/v/{code.lower()}/{part}").headers["Location"].endswith(f"/v/{code}/{part}")
        assert client.get(f"/v/{code}/{part}?colour=red").status_code == 400
    assert client.get("/v/TTTTTTTTTD/kit").status_code == 404
    assert client.get("/v/TTTTTTTTTE/kit").status_code == 400


def test_copying_and_pasting_a_snippet_shows_the_badge_as_a_link(
    browser: Browser, address: str, outcomes: Outcomes
) -> None:
    page = opened(browser, address, 1280, permissions=["clipboard-read", "clipboard-write"])
    page.goto(outcomes.filled("/v/{class_1}/kit"))
    block = page.locator(".copy", has=page.locator("#copy-html"))
    block.get_by_role("button").click()
    expect(block.get_by_role("status")).to_have_text("Copied")
    pasted = page.evaluate("navigator.clipboard.readText()")
    assert pasted == page.locator("#copy-html").inner_text()
    blog = page.context.new_page()
    blog.route(
        "https://label.example/**", lambda route: route.fulfill(status=200, **art_at(page, address, route.request.url))
    )
    blog.set_content(pasted)
    link = blog.get_by_role("link", name=re.compile("AI generation footprint: at most 8.09 g"))
    assert link.get_attribute("href") == f"https://label.example/v/{outcomes.codes['class_1']}"
    blog.wait_for_function("document.images[0].naturalWidth > 0")
    page.context.close()


def art_at(page: object, address: str, url: str) -> dict[str, object]:
    answer = page.context.request.get(url.replace("https://label.example", address))  # type: ignore[attr-defined]
    return {"body": answer.body(), "content_type": answer.headers["content-type"]}


def test_the_kit_can_be_used_without_script(browser: Browser, address: str, outcomes: Outcomes) -> None:
    page = opened(browser, address, java_script_enabled=False)
    page.goto(outcomes.filled("/v/{class_1}/kit"))
    assert page.get_by_role("button", name="Copy").count() == 0
    assert page.locator("#copy-html").inner_text().startswith("<a href=")
    assert page.get_by_role("link", name="SVG", exact=True).first.get_attribute("href")
    page.context.close()


STATES = {
    "in force": ("class_1", 200, ["8.09", "Low-Carbon Audio, class 1", "Status checked Nov 2026"]),
    "a statement": (
        "statement",
        200,
        ["Self-declared measurement. Not a label.", "Nobody else has checked this figure."],
    ),
    "suspended": ("suspended", 200, ["Suspended", "Do not rely on it now.", "Looked at on 2026-11-22."]),
    "withdrawn": ("withdrawn", 200, ["Withdrawn", "must not be shown", "Looked at on 2026-11-22."]),
    "never issued": (None, 404, ["was never issued here"]),
}


@pytest.mark.parametrize(("name", "status", "told"), STATES.values(), ids=STATES.keys())
def test_an_embed_tells_the_state_in_any_page(
    client: FlaskClient, outcomes: Outcomes, name: str | None, status: int, told: list[str]
) -> None:
    code = outcomes.codes[name] if name else "TTTTTTTTTD"
    answer = client.get(f"/v/{code}/embed", headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert "X-Frame-Options" not in answer.headers
    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
    assert "<script" not in answer.text
    for words in told:
        assert words in answer.text
    (link,) = [attributes for tag, attributes in Elements(answer.text).found if tag == "a"]
    assert link == {"href": f"https://label.example/v/{code}", "target": "_blank", "rel": "noopener"}


def test_everything_but_an_embed_stays_out_of_frames(client: FlaskClient, outcomes: Outcomes) -> None:
    for path in ("/", "/v/{class_1}", "/v/{class_1}/kit", "/v/{class_1}/renewal"):
        assert client.get(outcomes.filled(path)).headers["X-Frame-Options"] == "DENY"


@pytest.fixture(scope="module")
def blog(address: str, client: FlaskClient, outcomes: Outcomes) -> Iterator[str]:
    """A page of somebody else, on an origin of its own, with an embed in it."""
    page = client.get(outcomes.filled("/v/{hostile}/kit")).text
    snippet = copied(page, "embed").replace("https://label.example", address)
    app = Flask("blog")
    app.add_url_rule("/", "blog", lambda: f"<!doctype html><title>blog</title><h1>A blog</h1>{snippet}")
    yield from served(app)


def test_an_embed_stands_whole_in_a_page_of_another_origin(browser: Browser, blog: str) -> None:
    page = browser.new_context(viewport={"width": 400, "height": 800}).new_page()
    page.goto(blog)
    inner = page.frames[1]
    assert inner.inner_text("h1") == "Low-Carbon Audio, class 2"
    inner.wait_for_load_state("load")  # its style, too
    assert inner.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert inner.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0
    page.context.close()


def test_nothing_of_the_kit_sticks_out(browser: Browser, address: str, outcomes: Outcomes) -> None:
    """Also beside names without a space; other states are seen with all pages (test_accessibility)."""
    page = opened(browser, address)
    for path in ("/v/{hostile}/kit", "/v/{withdrawn}/renewal"):
        page.goto(outcomes.filled(path))
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.context.close()


RENEWALS = {
    "nothing to do yet": ("class_1", "Come back on 2029-08-03"),
    "not renewed": ("withdrawn", "A withdrawn certificate is not renewed."),
}


@pytest.mark.parametrize(("name", "told"), RENEWALS.values(), ids=RENEWALS.keys())
def test_the_renewal_page_says_what_is_to_be_done(
    client: FlaskClient, outcomes: Outcomes, name: str, told: str
) -> None:
    page = client.get(outcomes.filled(f"/v/{{{name}}}/renewal")).text
    assert told in page
    assert ("renewal_of" in page) == (name != "withdrawn")


def oembed(client: FlaskClient, url: str, **asked: object) -> TestResponse:
    return client.get("/oembed", query_string={"url": url, **asked})


def test_a_page_that_is_given_an_address_gets_the_frame_for_it(client: FlaskClient, outcomes: Outcomes) -> None:
    url = f"https://label.example/v/{outcomes.codes['class_1']}"
    document = oembed(client, url, format="json", maxwidth=300, maxheight=100).json
    assert (document["version"], document["type"], document["cache_age"]) == ("1.0", "rich", 300)
    assert (document["width"], document["height"]) == (300, 120)
    ((_, frame),) = Elements(document["html"]).found
    assert (frame["src"], frame["width"]) == (f"{url}/embed", "300")
    as_xml = oembed(client, url, format="xml", maxwidth=300, maxheight=100)
    assert as_xml.mimetype == "text/xml"
    assert {part.tag: part.text for part in fromstring(as_xml.data)} == {
        name: str(value) for name, value in document.items()
    }


def test_the_page_of_a_certificate_names_its_frame_document(client: FlaskClient, outcomes: Outcomes) -> None:
    elements = Elements(client.get(outcomes.filled("/v/{class_1}"), headers={"Accept": "text/html"}).text).found
    (found,) = [tag["href"] for _, tag in elements if tag.get("type") == "application/json+oembed"]
    assert client.get(found).json["html"].count(outcomes.codes["class_1"]) == 1


ADDRESSES = {
    "a code that was never issued": ("https://label.example/v/TTTTTTTTTD", "json", 404),
    "another page": ("https://label.example/scheme", "json", 404),
    "another host": ("https://elsewhere.example/v/{class_1}", "json", 404),
    "no address": ("", "json", 404),
    "an address that cannot be one": ("https://[", "json", 404),
    "a form that is not made": ("https://label.example/v/{class_1}", "yaml", 501),
}


@pytest.mark.parametrize(("url", "form", "status"), ADDRESSES.values(), ids=ADDRESSES.keys())
def test_other_addresses_have_no_frame(
    client: FlaskClient, outcomes: Outcomes, url: str, form: str, status: int
) -> None:
    answer = oembed(client, outcomes.filled(url), format=form)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
