"""What a person meets, in a real browser: on a phone, with a keyboard, with and without script."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from certifier.certificate.code import display_code
from certifier.service.certifier import Certifier
from certifier.web.app import create_app
from tests.studio import NOW, Studio
from tests.web.conftest import LATER, World
from tests.web.test_pages import PATHS, filled


def served(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[str]:
    yield from served(world.client.application)


@pytest.fixture
def own_address(certifier: Certifier) -> Iterator[str]:
    yield from served(create_app(certifier, lambda: LATER))


def opened(browser: Browser, address: str, width: int = 360, **options: object) -> Page:
    """A page that fails the test on any error of script or policy."""
    page = browser.new_context(viewport={"width": width, "height": 800}, base_url=address, **options).new_page()  # type: ignore[arg-type]
    page.clock.set_fixed_time(LATER)  # what the service says counts for an hour of its own clock
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on(
        "console", lambda message: message.type != "error" or "status of 4" in message.text or pytest.fail(message.text)
    )
    return page


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")], ids=["phone, dark", "desk, light"])
def test_nothing_sticks_out_and_nothing_is_blocked(
    browser: Browser, address: str, world: World, width: int, scheme: str
) -> None:
    page = opened(browser, address, width, color_scheme=scheme)
    for path in PATHS:
        page.goto(filled(world, path))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert (
            page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") != "none"
        )  # the sheet was applied
    page.context.close()


def test_the_badge_on_the_page_is_drawn(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address)
    page.goto(f"/v/{world.code}")
    assert page.evaluate("document.querySelector('.badge img').naturalWidth") == 600
    page.context.close()


def test_a_submission_that_cannot_be_used_is_told_beside_the_form(
    browser: Browser, own_address: str, studio: Studio
) -> None:
    report = studio.folder / "report.json"
    report.write_bytes(b'{"payload": 1, "payload": 2}')
    page = opened(browser, own_address)
    page.goto("/submit")
    page.set_input_files("#audio", studio.track)
    page.set_input_files("#report", report)
    page.click("text=Submit >> nth=-1")
    page.wait_for_selector("#failed:not([hidden])")
    assert "The JSON cannot be read" in page.inner_text("#failed")
    assert page.is_enabled("#submit button")
    page.context.close()


def test_the_browser_hashes_a_file_as_everybody_does(browser: Browser, address: str, tmp_path: Path) -> None:
    """FIPS 180-4, around every edge of a block and of a chunk."""
    page = opened(browser, address)
    page.goto("/verify")
    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000_000, 9_000_001):
        file = tmp_path / f"sound-{size}"
        content = (bytes(number * 7 % 251 for number in range(1000)) * (size // 1000 + 1))[:size]
        file.write_bytes(content)
        page.set_input_files("#v-audio", file)
        expect(page.locator("#sha256")).to_have_value(hashlib.sha256(content).hexdigest())
    page.context.close()


def test_an_audio_file_is_verified_without_leaving_the_machine(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    page.goto("/verify")
    page.set_input_files("#v-audio", world.studio.folder / "track-1.wav")
    expect(page.locator("#sha256")).to_have_value(world.verified.certificate.audio_sha256)
    page.click("#by-audio button")
    page.wait_for_selector(".verdict-valid")
    assert display_code(world.code) in page.inner_text(".verdict")
    assert not [request for request in sent if request.startswith("POST")]
    page.context.close()


def test_a_listener_without_script_looks_up_a_code_by_keyboard(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address, java_script_enabled=False)
    page.goto("/")
    page.focus("#code")
    page.keyboard.type(display_code(world.code).lower())
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/v/{world.code}")
    assert page.inner_text("h1") == "Night Ferry (example)"
    page.context.close()


def test_the_listeners_page_needs_four_requests_and_no_other_host(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address)
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto(f"/V/{world.code}", wait_until="networkidle")
    assert len(set(urls)) <= 4  # the badge is the icon, too, and is fetched once
    assert all(url.startswith(address) for url in urls)
    assert page.context.cookies() == []
    page.context.close()


def test_names_without_a_space_do_not_widen_the_page(
    browser: Browser, own_address: str, studio: Studio, certifier: Certifier
) -> None:
    run = studio.report()["activities"][0]
    answer = certifier.certify(studio.examined("long", activities=[{**run, "id": "W" * 180}]), NOW)
    page = opened(browser, own_address)
    page.goto(f"/submissions/{answer.submission_id}")
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.context.close()
