"""What a person meets, in a real browser: on a phone, with a keyboard, with and without script."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
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
