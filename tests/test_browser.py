"""The pages in a real browser: they fit a phone and a desktop, say nothing on the console, ask nobody else, need no script."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from certifier.certificate.code import parse_code
from certifier.client import Client
from tests.serving import served_by_process
from tests.studio import Studio, emissions_csv, write_track

SIZES = {"small phone": (320, 640), "desktop": (1280, 900)}
PAGES = ("certificate", "decision", "/submit", "/v/0000000000")  # the others: tests/web/test_accessibility.py
TITLE = 'Night <3 Ferry & "quoted" {{ 7 * 7 }} and a rather long title that has to fit on a phone (example)'


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    studio = Studio(tmp_path_factory.mktemp("studio"))
    studio.certifier().close()
    return studio


@pytest.fixture(scope="module")
def server(studio: Studio) -> Iterator[str]:
    with served_by_process(studio) as url:
        yield url


@pytest.fixture(scope="module")
def issued(studio: Studio, server: str) -> dict[str, Any]:
    """A certified submission whose title has every sign that could be taken for markup."""
    report, log = studio.folder / "report.dsse.json", studio.folder / "emissions.csv"
    report.write_bytes(studio.signed(studio.report(title=TITLE)))
    log.write_bytes(studio.log)
    return dict(Client(server).submit(report, studio.track, [log]).document)


def opened(browser: Browser, size: tuple[int, int], **options: Any) -> tuple[Page, list[str]]:
    """A page of this size, and the list of what went wrong in it: console, errors, requests to others."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, **options)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request", lambda request: faults.append(request.url) if urlsplit(request.url).hostname != "127.0.0.1" else None
    )
    page.on("dialog", lambda dialog: faults.append("a dialog opened"))
    return page, faults


def test_every_page_fits_every_screen_and_stays_quiet(browser: Browser, server: str, issued: dict[str, Any]) -> None:
    named = {"certificate": f"/v/{parse_code(issued['code'])}", "decision": issued["links"]["page"]}
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for size in SIZES.values():
        page, faults = opened(browser, size)
        for path in PAGES:
            page.goto(server + named.get(path, path))
            page.wait_for_load_state("networkidle")
            assert page.evaluate(wide) <= 0, f"{path} is wider than {size[0]} px"
            assert page.title(), path
            unknown = path == "/v/0000000000"
            assert [fault for fault in faults if not (unknown and "404" in fault)] == [], (path, faults)
            faults.clear()
        assert page.context.cookies() == []
        page.close()


def test_a_listeners_own_browser_checks_what_a_live_service_says(
    browser: Browser, server: str, issued: dict[str, Any]
) -> None:
    """With the clocks as they are: what the page brings is in force, and nothing more is asked for."""
    page, faults = opened(browser, SIZES["small phone"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server}/v/{parse_code(issued['code'])}", wait_until="networkidle")
    expect(page.locator("#own-line")).to_have_text("Checked by your own browser")
    expect(page.locator("#own-check h3")).to_have_text("Checked by your own browser: Valid")
    assert len(set(asked)) <= 4
    assert faults == []
    page.close()


def test_a_listener_reads_the_sentence_without_scripts(browser: Browser, server: str, issued: dict[str, Any]) -> None:
    page, faults = opened(browser, SIZES["small phone"], java_script_enabled=False)
    page.goto(f"{server}/v/{parse_code(issued['code'])}")
    text = page.inner_text("main")
    assert f"at most {issued['assessed_g_per_min']} g CO2e per minute of finished music" in text.replace("\n", " ")
    assert TITLE in text
    assert faults == []
    page.close()


def test_the_drawn_badge_scans_to_the_certificate(browser: Browser, server: str, issued: dict[str, Any]) -> None:
    """The SVG as a browser draws it, and the PNG as served, hold the same address."""
    code = parse_code(issued["code"])
    page, _ = opened(browser, SIZES["desktop"])
    page.goto(f"{server}/v/{code}.svg")
    drawn = Image.open(io.BytesIO(page.screenshot()))
    served = Image.open(io.BytesIO(Client(server).get(f"/v/{code}.png")))
    for image in (drawn, served):
        assert [found.text for found in zxingcpp.read_barcodes(image)] == [f"HTTPS://LABEL.EXAMPLE/V/{code}"]
    page.close()


def test_a_track_is_submitted_without_scripts(browser: Browser, studio: Studio, server: str, tmp_path: Path) -> None:
    report, log, track = tmp_path / "report.dsse.json", tmp_path / "emissions.csv", tmp_path / "another.wav"
    log.write_bytes(emissions_csv("run-2"))
    told = studio.report(run_id="run-2", track=write_track(track, pitch=330))
    told["raw_log_sha256"] = [hashlib.sha256(log.read_bytes()).hexdigest()]
    report.write_bytes(studio.signed(told, track=track))
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{server}/submit")
    page.set_input_files("input[name=audio]", track)
    page.set_input_files("input[name=report]", report)
    page.set_input_files("input[name=logs]", [log])
    page.click("button[type=submit]")
    page.wait_for_url("**/submissions/sub_*", timeout=30_000)
    assert "class 2" in page.inner_text("main")
    page.context.close()
