"""An auditor's pages in a real browser: by keyboard, without script, on a phone and on a desk, light and dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from certifier.certificate.code import display_code
from tests.web.conftest import World
from tests.web.test_browser import opened, served

PAGES = ("/certificates", "/withdrawn", "/log", "/replay/{code}", "/standards/diff", "/problems")


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[str]:
    yield from served(world.client.application)


def test_a_track_is_found_by_keyboard_without_script(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address, java_script_enabled=False)
    page.goto("/certificates")
    page.focus("#q")
    page.keyboard.type("ferry night")
    page.keyboard.press("Enter")
    page.wait_for_url("**/certificates?q=ferry+night*")
    assert page.locator(".f-track a").all_inner_texts() == ["Night Ferry (example)"]
    page.locator("summary").click()
    page.select_option("#f-state", "revoked")
    page.click("text=Search")
    assert "Nothing fits." in page.inner_text("main")
    page.goto("/certificates?state=revoked")
    assert page.locator(".f-code").all_inner_texts() == [display_code(world.withdrawn.certificate.code)]
    page.context.close()


def test_a_decision_is_made_again_without_script(browser: Browser, address: str, world: World) -> None:
    page = opened(browser, address, java_script_enabled=False)
    page.goto(f"/replay/{world.code}")
    page.focus("form.rerun button")
    page.keyboard.press("Enter")
    page.wait_for_selector(".verdict-valid")
    assert "The same decision again" in page.inner_text(".verdict")
    page.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")], ids=["phone, dark", "desk, light"])
def test_auditors_pages_fit_and_their_targets_can_be_hit(
    browser: Browser, address: str, world: World, width: int, scheme: str
) -> None:
    page = opened(browser, address, width, color_scheme=scheme)
    for path in PAGES:
        page.goto(path.format(code=world.code))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        heights = page.evaluate(
            "[...document.querySelectorAll('main button, main select, main input, main summary, .chip, .pager a')]"
            ".filter(e => e.offsetParent).map(e => e.getBoundingClientRect().height)"
        )
        assert all(height >= 24 for height in heights), (path, heights)
    page.context.close()
