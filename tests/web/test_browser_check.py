"""The reader's own browser checks: what the page says of it, when all is well, when something is wrong, and without a network."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from certifier.certificate.compact import digits_of
from certifier.certificate.credential import parse_claims
from certifier.crypto.strict_json import parse_object
from certifier.web.browser_check import material_of
from certifier.web.bundle import script_of
from certifier.web.site import Site
from tests.web.browsing import opened
from tests.web.conftest import LATER, World

CHECKED = "Checked by your own browser"


def says(page: Page, *words: str) -> None:
    for word in words:
        expect(page.locator("#own-check")).to_contain_text(word)


def test_the_page_is_checked_again_where_it_is_read(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/v/{world.code}", wait_until="networkidle")
    expect(page.locator("#own-line")).to_have_text(CHECKED)
    says(
        page,
        f"{CHECKED}: Valid",
        "Signature: fits the document",
        "Public log: holds this certificate",
        "Status: not withdrawn",
    )
    says(page, "word of this site")
    assert page.locator("#own-check .axes li").count() == 7
    assert not [url for url in asked if "check.json" in url]
    page.context.close()


def test_a_withdrawn_certificate_is_found_withdrawn(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address)
    page.goto(f"/v/{world.withdrawn.certificate.code}")
    expect(page.locator("#own-line.is-bad")).to_contain_text("not valid. The certificate was withdrawn")
    says(page, "When it was issued it said: Glass Rain (example)")
    page.context.close()


def bent(route: Route) -> None:
    """A service that shows another figure than it signed."""
    response = route.fetch()
    route.fulfill(response=response, body=response.text().replace("Night Ferry", "Night Fairy"))


def test_a_page_that_shows_what_was_not_signed_is_contradicted(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address)
    page.route(f"**/v/{world.code}", bent)
    page.goto(f"/v/{world.code}")
    expect(page.locator("#own-line.is-bad")).to_contain_text("not valid")
    expect(page.locator(".pill")).to_have_text("This site says: valid")
    assert page.locator(".pill-active").count() == 0
    says(page, "Signature: does not fit")
    page.context.close()


def test_a_status_that_has_aged_in_an_open_page_is_asked_for_again(
    browser: Browser, address: str, world: World
) -> None:
    """The list of the page is out of its dates; the service's clock stands still here, so its newest is, too."""
    page = opened(browser, address)
    page.clock.set_fixed_time(LATER + timedelta(hours=3))
    with page.expect_request("**/*.check.json") as asked:
        page.goto(f"/v/{world.code}")
    assert asked.value.all_headers()["cache-control"] in ("no-cache", "max-age=0")
    says(page, "Cannot tell", "Is the clock of this device right?", "out of its dates")
    expect(page.locator("#own-line.is-open")).to_contain_text("cannot tell")
    page.context.close()


def test_without_a_network_nothing_is_called_active_or_withdrawn(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address)
    page.clock.set_fixed_time(LATER + timedelta(hours=3))
    page.route("**/*.check.json", lambda route: route.fulfill(status=429))
    page.goto(f"/v/{world.code}")
    says(page, "could not check this again: the service did not answer", "Status: could not be checked")
    text = page.inner_text("#own-check")
    assert "not withdrawn" not in text
    assert "Valid" not in text
    page.context.close()


def test_checking_again_says_so_when_the_service_does_not_answer(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address)
    page.goto(f"/v/{world.code}")
    says(page, f"{CHECKED}: Valid")
    page.route("**/*.check.json", lambda route: route.fulfill(status=429))
    page.click("#checks summary")
    page.click("text=Check again now")
    says(page, "could not check this again")
    expect(page.locator("#own-line.is-open")).to_contain_text("could not check this again")
    page.unroute("**/*.check.json")
    page.click("text=Check again now")
    says(page, f"{CHECKED}: Valid")
    page.context.close()


def test_a_script_that_does_not_come_leaves_the_page_as_it_is(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address)
    page.route("**/static/*/scripts/*", lambda route: route.fulfill(status=404))
    page.goto(f"/v/{world.code}", wait_until="networkidle")
    assert page.locator("#own-line").is_hidden()
    assert page.locator(".checks tbody tr").count() == 7
    page.context.close()


def test_the_print_and_the_page_are_compared(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address)
    rows = {code: world.certifier.certificate(code) for code in (world.code, world.attested.certificate.code)}
    own, other = (digits_of(world.certifier.rendition(row, "compact")) for row in rows.values())
    cases = {
        own: ("is-good", "carries this very certificate"),
        other: ("is-bad", "another certificate"),
        own[:-2] + "00": ("is-bad", "not signed by a key"),
        own[:-9]: ("is-bad", "cannot be read"),
    }
    for digits, (mark, words) in cases.items():
        page.goto("/scheme")
        page.goto(f"/v/{world.code}#{digits}")
        expect(page.locator(f"#own-check p.{mark}")).to_contain_text(words)
        expect(page.locator(f"#own-line.{mark}")).to_be_visible()
    page.context.close()


# -- the first screen -------------------------------------------------------------------------------------------------

SMALL = {"width": 360, "height": 640}


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_phone_shows_what_the_number_means_and_what_it_leaves_out_without_scrolling(
    browser: Browser, address: str, world: World, script: bool
) -> None:
    page = opened(browser, address, java_script_enabled=script)
    page.set_viewport_size(SMALL)
    page.goto(f"/v/{world.code}", wait_until="networkidle")
    for name in ("h1", ".pill", ".sentence b", ".sentence", ".gist"):
        box = page.locator(name).bounding_box()
        assert box, name
        assert box["x"] + box["width"] <= SMALL["width"], name
        assert box["y"] + box["height"] <= SMALL["height"], name
    assert page.locator("#own-line").is_visible() is script
    assert page.get_by_text("checking").count() == 0
    expect(page.locator(".gist")).to_contain_text("Left out")
    page.context.close()


def test_a_reader_with_a_keyboard_comes_to_the_checks_and_opens_them(
    browser: Browser, address: str, world: World
) -> None:
    page = opened(browser, address)
    page.goto(f"/v/{world.code}", wait_until="networkidle")
    assert page.locator(".checks").is_hidden()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    page.keyboard.press("Enter")
    expect(page.locator(".checks")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Check again now")).to_be_focused()
    page.context.close()


def test_what_a_browser_finds_otherwise_than_the_page_is_shown_in_full(
    browser: Browser, address: str, world: World
) -> None:
    page = opened(browser, address)
    page.route(f"**/v/{world.code}", bent)
    page.goto(f"/v/{world.code}")
    expect(page.locator("#own-check .verdict-not_valid")).to_be_visible()
    page.goto(f"/v/{world.withdrawn.certificate.code}")
    expect(page.locator("#own-line.is-bad")).to_be_visible()
    assert page.locator("#own-check").is_hidden()  # it says what the page says
    page.context.close()


def test_times_of_the_browser_come_with_their_date_and_zone(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address, timezone_id="Asia/Tokyo", locale="en-GB")
    page.goto(f"/v/{world.code}")
    says(page, "At Nov 22, 2026, 09:00 PM GMT+9 by the clock of this device.")
    page.context.close()


def test_without_https_the_rest_of_the_arithmetic_is_loaded_and_the_answer_is_the_same(
    browser: Browser, address: str, world: World
) -> None:
    page = opened(browser, address)
    page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    with page.expect_request("**/scripts/plain.js"):
        page.goto(f"/v/{world.code}")
    expect(page.locator("#own-line")).to_have_text(CHECKED)
    page.context.close()


# -- a page to keep ---------------------------------------------------------------------------------------------------


def kept(world: World, path: Path) -> Path:
    file = path / "kept.html"
    answer = world.client.get(f"/v/{world.code}.offline.html")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    file.write_bytes(answer.data)
    return file


def test_a_kept_page_checks_itself_from_a_disk_without_a_network(
    browser: Browser, world: World, tmp_path: Path
) -> None:
    page = opened(browser, "http://127.0.0.1:9", offline=True)
    page.goto(kept(world, tmp_path).as_uri())
    expect(page.locator("h1")).to_have_text("Night Ferry (example)")
    expect(page.locator(".verdict-valid h2")).to_have_text("Valid")
    assert page.locator(".axes li").count() == 7
    page.context.close()


def test_after_an_hour_a_kept_page_says_that_the_status_cannot_be_told(
    browser: Browser, world: World, tmp_path: Path
) -> None:
    page = opened(browser, "http://127.0.0.1:9", offline=True)
    page.clock.set_fixed_time(LATER + timedelta(hours=2))
    page.goto(kept(world, tmp_path).as_uri())
    expect(page.locator(".verdict-cannot_tell h2")).to_contain_text("Whether it was withdrawn since cannot be told")
    expect(page.locator(".verdict")).to_contain_text(f"https://label.example/v/{world.code}")
    page.context.close()


def test_a_kept_page_that_was_changed_shows_nothing_of_it(browser: Browser, world: World, tmp_path: Path) -> None:
    page = opened(browser, "http://127.0.0.1:9", offline=True)
    file = kept(world, tmp_path)
    file.write_text(file.read_text().replace("Night Ferry", "Night Fairy"))
    page.goto(file.as_uri())
    expect(page.locator(".verdict-not_valid h2")).to_have_text("Not valid")
    assert "Fairy" not in page.inner_text("body")
    page.context.close()


def test_a_kept_page_without_script_says_that_nothing_was_checked(
    browser: Browser, world: World, tmp_path: Path
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(kept(world, tmp_path).as_uri())
    assert "nothing was checked" in page.inner_text("main")
    page.context.close()


def test_the_modules_work_one_by_one_too(browser: Browser, address: str, world: World) -> None:
    """For whoever builds on them: nothing but ES modules under the site's own policy."""
    page = opened(browser, address)
    page.goto("/scheme")
    told = page.evaluate(
        """async (code) => {
          const { check } = await import("/static/0/check.js");
          const brought = await (await fetch(`/v/${code}.check.json`)).json();
          return (await check(brought.certificate, brought, Date.now())).verdict;
        }""",
        world.code,
    )
    assert told == "valid"
    page.context.close()


# -- over HTTP --------------------------------------------------------------------------------------------------------


def test_the_material_comes_alone_for_other_programs(world: World) -> None:
    answer = world.client.get(f"/v/{world.code}.check.json")
    document = json.loads(answer.data)
    assert set(document) == {"certificate", "proof", "lists", "trust"}
    assert len(document["lists"]) == 2
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_what_came_to_harm_here_is_given_out_as_harmed_and_found_out(world: World) -> None:
    row = replace(world.certifier.certificate(world.code), proof=b"\xff\xfe", document=b"\xff")
    claims = parse_claims(parse_object(row.payload))
    material = material_of(Site(world.certifier, lambda: LATER), row, claims, LATER)
    assert (material["proof"], material["certificate"]) == ("\ufffd\ufffd", "\ufffd")


def test_a_script_that_does_not_exist_is_not_found(world: World) -> None:
    assert world.client.get("/static/0/scripts/other.js").status_code == 404
    assert world.client.get("/static/0/scripts/certificate").status_code == 404


MODULES = {
    "one name in two modules": {
        "a.js": 'import { b } from "./b.js";\nconst c = 1;\n',
        "b.js": "export const b = 2, c = 3;\n",
    },
    "an import of another form": {"a.js": 'import b from "./b.js";\n', "b.js": ""},
}


@pytest.mark.parametrize("modules", MODULES.values(), ids=MODULES.keys())
def test_modules_that_cannot_be_joined_are_refused(modules: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"taken|not understood"):
        script_of("a.js", modules.__getitem__)


def test_joined_modules_keep_their_order_and_lose_their_comments() -> None:
    modules = {
        "a.js": '// about\nimport { b } from "./b.js";\nimport { c } from "./c.js";\n  console.log(b, c);\n',
        "b.js": 'import { c } from "./c.js";\nexport const b = c + 1;\n',
        "c.js": 'import d from "../d.json" with { type: "json" };\nexport const c = d.d;\n',
        "../d.json": '{ "d": 1 }',
    }
    script = script_of("a.js", modules.__getitem__)
    assert script.splitlines()[2:-1] == [
        'const d={"d":1};',
        "const c=d.d;",
        "const b=c + 1;",
        "console.log(b, c);",
    ]
