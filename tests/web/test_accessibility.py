"""Every public page can be used by everybody: by axe, by keyboard alone, on a narrow phone, with large text, in forced colours.

A page joins by its path in ``test_pages.PATHS``; a state that only a script reaches joins STATES.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from certifier.certificate.code import display_code
from tests.studio import Studio
from tests.web.axe import COLOURS, SIZES, violations
from tests.web.browsing import opened
from tests.web.conftest import World
from tests.web.test_pages import PATHS, filled

PHONE, DESK = {"width": 360, "height": 800}, {"width": 1280, "height": 900}
NARROW = {"width": 320, "height": 640}
LARGE_TEXT = "document.documentElement.style.fontSize = '200%'"
# What runs over the window, and what is cut off inside a box of its own.
TOO_WIDE = """() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  const isScrolled = (node) => node && (/auto|scroll/.test(getComputedStyle(node).overflowX) || isScrolled(node.parentElement));
  const out = [...document.querySelectorAll("main *")]
    .filter((node) => node.getBoundingClientRect().right > innerWidth + 1 && !isScrolled(node));
  return wide > 0 ? out.slice(0, 3).map((node) => node.outerHTML.slice(0, 120)).concat(`${wide} px too wide`) : [];
}"""
# Controls that stand alone; links inside a sentence are excepted (WCAG 2.5.8), axe measures their spacing.
SMALL = """() => [...document.querySelectorAll("button, input, select, textarea, summary, nav a, .button, .chip, .pager a")]
  .filter((node) => node.checkVisibility({ visibilityProperty: true }) && node.getClientRects().length)
  .map((node) => (node.type === "radio" || node.type === "checkbox" ? node.closest("label") ?? node : node))
  .filter((node) => Math.min(node.getBoundingClientRect().height, node.getBoundingClientRect().width) < 24)
  .map((node) => node.outerHTML.slice(0, 120))"""
MOVING = """() => [...document.querySelectorAll("*")].filter((node) => {
  const { transitionDuration, animationName } = getComputedStyle(node);
  return animationName !== "none" || transitionDuration.split(", ").some((time) => time !== "0s");
}).map((node) => node.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    """One page that is led from address to address; it begins each time as a phone in daylight."""
    page = opened(browser, address)
    yield page
    page.context.close()


def as_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")


def faults_of(page: Page) -> dict[str, list[str]]:
    """What is wrong with the page as it stands, by phone and desk, light and dark."""
    as_phone(page)
    found = {"phone, light": violations(page)}
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found["phone, dark"] = violations(page, COLOURS)
    found["moves although less motion is wanted"] = page.evaluate(MOVING)
    found["too small to hit"] = page.evaluate(SMALL)
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")
    found["desk, light"] = violations(page, SIZES)
    page.set_viewport_size(NARROW)
    found["320 px"] = page.evaluate(TOO_WIDE)
    page.set_viewport_size(DESK)
    page.evaluate(LARGE_TEXT)
    found["text twice as large"] = page.evaluate(TOO_WIDE)
    return {where: faults for where, faults in found.items() if faults}


# Beside those of test_pages.
MORE = (
    "/certificates?q=ferry",
    "/meaning",
    "/compare?codes={code},{attested}",
    "/complaints?code={code}",
)


@pytest.mark.parametrize("path", [*PATHS, *MORE])
def test_a_page_has_no_fault_that_axe_or_a_ruler_finds(page: Page, world: World, path: str) -> None:
    answer = page.goto(filled(world, path.replace("{attested}", world.attested.certificate.code)))
    assert answer
    assert answer.status == 200 or path in PATHS
    assert faults_of(page) == {}


def some_text(page: Page) -> None:
    page.fill("#given", "what is this label")
    page.press("#given", "Enter")
    expect(page.locator(".answer")).to_contain_text("nothing that is checked here")


def a_code(page: Page) -> None:
    page.fill("#given", "0000-0000-00")
    page.press("#given", "Enter")
    expect(page.locator(".answer")).to_contain_text("No certificate here has this code")


def no_camera(page: Page) -> None:
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotFoundError')); }"
    )
    page.click("#camera-start")
    expect(page.locator("#camera-said")).to_contain_text("No camera was found")


def opened_details(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")


# what a script or a reader makes of a page: (path, how it comes about)
STATES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "verify: something that is not checked here": ("/verify", some_text),
    "verify: a code that was never issued": ("/verify", a_code),
    "verify: no camera": ("/verify", no_camera),
    "a decision with all its parts open": ("/submissions/{certified}", opened_details),
}


@pytest.mark.parametrize(("path", "make"), STATES.values(), ids=STATES.keys())
def test_a_state_has_no_fault_that_axe_or_a_ruler_finds(
    page: Page, world: World, path: str, make: Callable[[Page], None]
) -> None:
    as_phone(page)
    page.goto(filled(world, path))
    make(page)
    assert faults_of(page) == {}


@pytest.mark.parametrize("path", ["/", "/verify", "/v/{code}"])
def test_in_forced_colours_controls_have_edges_and_focus_is_seen(page: Page, world: World, path: str) -> None:
    as_phone(page)
    page.emulate_media(forced_colors="active")
    page.goto(filled(world, path))
    page.keyboard.press("Tab")
    edges = page.evaluate(
        """() => [...document.querySelectorAll("main button, main input, .verdict, .pill")]
          .filter((node) => node.getClientRects().length)
          .filter((node) => !node.matches(".pill") && getComputedStyle(node).borderStyle === "none")
          .map((node) => node.outerHTML.slice(0, 120))"""
    )
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    page.emulate_media(forced_colors="none")
    assert (edges, outline) == ([], "solid")


# -- by keyboard alone ------------------------------------------------------------------------------------------------


def tabbed_to(page: Page, selector: str, most: int = 60) -> None:
    """Press Tab until the element has the focus; what has it on the way can be seen to have it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            break
    expect(page.locator(selector).first).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_first_key_leads_to_the_content(page: Page, world: World) -> None:
    for path in ("/", "/v/{code}", "/certificates"):
        page.goto(filled(world, path))
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        expect(page.locator(".skip")).to_be_in_viewport()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null"), path


def test_a_listener_gets_from_the_start_to_the_certificate(page: Page, world: World) -> None:
    page.goto("/")
    tabbed_to(page, "#code")
    page.keyboard.type(display_code(world.code).lower())
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/v/{world.code}")
    expect(page.locator("h1")).to_have_text("Night Ferry (example)")


def test_somebody_verifies_a_file_and_a_code(page: Page, world: World, tmp_path: Path) -> None:
    file = tmp_path / "certificate.vc"
    file.write_bytes(world.verified.certificate.document or b"")
    page.goto("/verify")
    tabbed_to(page, "#given")
    page.keyboard.type(world.code)
    page.keyboard.press("Enter")
    expect(page.locator("#results .answer")).to_be_focused()
    expect(page.locator("#results .answer")).to_contain_text("Valid")
    page.goto("/verify")
    tabbed_to(page, "#camera-start")
    chosen_by_key(page, "#files", file)
    expect(page.locator("#results .answer")).to_contain_text("certificate.vc")
    tabbed_to(page, "#results a")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/v/{world.code}")


def chosen_by_key(page: Page, selector: str, file: Path) -> None:
    tabbed_to(page, selector)
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Space")
    chosen.value.set_files(file)


def test_an_artist_submits_with_files(browser: Browser, own_address: str, studio: Studio, tmp_path: Path) -> None:
    report, log = tmp_path / "report.dsse.json", tmp_path / "emissions.csv"
    report.write_bytes(studio.signed(studio.report()))
    log.write_bytes(studio.log)
    page = opened(browser, own_address, 1280)
    page.goto("/submit")
    chosen_by_key(page, "#audio", studio.track)
    page.locator("dt", has_text="SHA-256").wait_for()  # the file was read
    tabbed_to(page, "[data-next='step-report']")
    page.keyboard.press("Enter")
    tabbed_to(page, "input[name='q-how']")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#q-how-ready")).to_be_checked()
    chosen_by_key(page, "#report", report)
    chosen_by_key(page, "#logs", log)
    tabbed_to(page, "[data-next='step-send']")
    page.keyboard.press("Enter")
    tabbed_to(page, "#send")
    page.keyboard.press("Enter")
    page.wait_for_url("**/submissions/*")
    expect(page.locator("h1")).to_contain_text("class 2")
    page.context.close()
