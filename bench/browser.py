"""The reader's own browser: how long it takes from the page at hand to the verdict, in Chromium with and without WebCrypto;
and how long a listener on a slow phone waits for all of it.

A real page of a real installation; each time is of a fresh browser context, so nothing is warm. Without https there is no
WebCrypto, and the modules' own arithmetic stands in for it. The slow line and the slow machine are Chromium's emulation (DevTools
protocol): every answer is late by the round trip, the setting up of a connection is not.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from werkzeug.serving import make_server

from certifier.web.app import create_app, utc_now
from tests.studio import Studio

PAGES = 9
SECURE, INSECURE = "127.0.0.1", "label.example"  # hosts; both lead here, and a browser trusts the first without https
ROUND_TRIP_MS, BITS_PER_S, SLOWER = 150, 1_600_000, 4
# From the click on a link to the first paint and to the verdict, in milliseconds; bytes and requests of all that was loaded.
WAITED = """() => {
  const [check] = performance.getEntriesByName("checked"), [paint] = performance.getEntriesByName("first-contentful-paint");
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const loaded = entries.filter(({ transferSize }) => transferSize),
    weight = loaded.reduce((sum, { transferSize }) => sum + transferSize, 0);
  return [paint.startTime, check.startTime + check.duration, weight, loaded.length];
}"""
# In milliseconds: from the load event to the verdict on the page (0 when it stood there before), and the check itself, which
# shares its thread with the first drawing of the page.
MEASURED = """() => {
  const check = performance.getEntriesByName("checked")[0], load = performance.getEntriesByType("navigation")[0].loadEventStart;
  return [Math.max(0, check.startTime + check.duration - load), check.duration];
}"""


@contextmanager
def served_page() -> Iterator[tuple[int, str]]:
    """The port of a service of its own, and the path of one certificate."""
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder))
        certifier = studio.certifier()
        issued = certifier.certify(studio.examined(1), utc_now() - timedelta(minutes=5))
        server = make_server("127.0.0.1", 0, create_app(certifier), threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.port, f"/v/{issued.certificate.code}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            certifier.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        arguments = ["--no-sandbox", "--disable-gpu", f"--host-resolver-rules=MAP {INSECURE} {SECURE}"]
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def verdict_ms(host: str) -> tuple[float, float]:
    """After the load event, and in all; medians over several pages of a host: SECURE or INSECURE."""
    with served_page() as (port, path), chromium() as browser:
        times = [_measured(browser, f"http://{host}:{port}{path}") for _ in range(PAGES)]
        return median(after for after, _ in times), median(whole for _, whole in times)


@dataclass(frozen=True)
class Waited:
    """What a listener on a slow line and a slow machine waits for, medians in milliseconds, and what it weighs as it is sent."""

    first_paint_ms: float
    verdict_ms: float
    bytes: int
    requests: int


def listener() -> Waited:
    """The listener's page by a scan: 150 ms round trip, 1.6 Mbit/s, CPU slowed four times."""
    with served_page() as (port, path), chromium() as browser:
        times = [_waited(browser, f"http://{SECURE}:{port}{path}") for _ in range(PAGES)]
    paint, verdict, weight, requests = (median(each) for each in zip(*times, strict=True))
    return Waited(paint, verdict, int(weight), int(requests))


def _waited(browser: Browser, address: str) -> list[float]:
    page = browser.new_context(viewport={"width": 360, "height": 640}).new_page()
    _slow_down(page.context.new_cdp_session(page))
    page.goto(address, wait_until="load")
    page.wait_for_selector("#own-line:not([hidden])")
    _require_valid(page)
    told = [float(value) for value in page.evaluate(WAITED)]
    page.context.close()
    return told


def _slow_down(session: CDPSession) -> None:
    session.send("Network.enable")
    bytes_per_s = BITS_PER_S / 8
    line = {
        "offline": False,
        "latency": ROUND_TRIP_MS,
        "downloadThroughput": bytes_per_s,
        "uploadThroughput": bytes_per_s,
    }
    session.send("Network.emulateNetworkConditions", line)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


def _measured(browser: Browser, address: str) -> tuple[float, float]:
    page = browser.new_context().new_page()
    page.goto(address, wait_until="load")
    page.wait_for_selector("#own-line:not([hidden])")
    _require_valid(page)
    after, whole = page.evaluate(MEASURED)
    page.context.close()
    return float(after), float(whole)


def _require_valid(page: Page) -> None:
    said = page.inner_text("#own-line")
    if said != "Checked by your own browser":
        raise AssertionError(said)
