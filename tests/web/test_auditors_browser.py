"""An auditor's pages in a real browser: by keyboard and without script."""

from __future__ import annotations

from playwright.sync_api import Browser

from certifier.certificate.code import display_code
from tests.web.browsing import opened
from tests.web.conftest import World


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
