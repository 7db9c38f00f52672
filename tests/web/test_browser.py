"""What a person meets, in a real browser: on a phone, with a keyboard, with and without script."""

from __future__ import annotations

from playwright.sync_api import Browser

from certifier.certificate.code import display_code
from certifier.service.certifier import Certifier
from tests.studio import NOW, Studio
from tests.web.browsing import opened
from tests.web.conftest import World


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


def test_a_printed_certificate_still_says_that_it_is_an_example(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address)
    page.goto(f"/v/{world.code}")
    page.emulate_media(media="print")
    shown = {part: page.locator(part).first.is_visible() for part in (".notice", ".badge", ".top nav", "footer")}
    assert shown == {".notice": True, ".badge": True, ".top nav": False, "footer": False}
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
