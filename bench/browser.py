"""The reader's own browser: how long it takes from the page at hand to the verdict, in Chromium with and without WebCrypto.

A real page of a real installation; each time is of a fresh browser context, so nothing is warm. Without https there is no
WebCrypto, and the modules' own arithmetic stands in for it.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from certifier.web.app import create_app, utc_now
from tests.studio import Studio

PAGES = 9
SECURE, INSECURE = "127.0.0.1", "label.example"  # hosts; both lead here, and a browser trusts the first without https
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


def verdict_ms(host: str) -> tuple[float, float]:
    """After the load event, and in all; medians over several pages of a host: SECURE or INSECURE."""
    with served_page() as (port, path), sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        arguments = ["--no-sandbox", "--disable-gpu", f"--host-resolver-rules=MAP {INSECURE} {SECURE}"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        try:
            times = [_measured(browser, f"http://{host}:{port}{path}") for _ in range(PAGES)]
            return median(after for after, _ in times), median(whole for _, whole in times)
        finally:
            browser.close()


def _measured(browser: Browser, address: str) -> tuple[float, float]:
    page = browser.new_context().new_page()
    page.goto(address, wait_until="load")
    page.wait_for_selector("#own-check:not([hidden])")
    _require_valid(page)
    after, whole = page.evaluate(MEASURED)
    page.context.close()
    return float(after), float(whole)


def _require_valid(page: Page) -> None:
    said = page.inner_text("#own-line")
    if said != "Checked by your own browser":
        raise AssertionError(said)
