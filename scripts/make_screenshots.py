"""Remake the pictures in ``docs/images`` from a sandbox of its own: ``python scripts/make_screenshots.py``.

Needs Chromium. Look at each picture before you keep it.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from certifier.cli.options import settings_of  # noqa: E402 - the tree has to be found first
from certifier.service.home import make_home, open_certifier  # noqa: E402
from certifier.service.sandbox import DEMO_CODES, UNKNOWN_CODE  # noqa: E402
from certifier.service.sandbox_fill import fill_sandbox  # noqa: E402
from certifier.web.app import create_app, utc_now  # noqa: E402

FOLDER = ROOT / "docs" / "images"
PHONE, DESK = 360, 1280
GROUND, GAP = "#d9d7cf", 24
CODE = DEMO_CODES["class-1"]

# picture -> (address, width, height, colours) of each screen on it, side by side
SCREENS: dict[str, tuple[tuple[str, int, int, str], ...]] = {
    "listener": (
        (f"/v/{CODE}", PHONE, 900, "light"),
        (f"/v/{DEMO_CODES['revoked']}", PHONE, 900, "light"),
        (f"/v/{CODE}", PHONE, 900, "dark"),
        (f"/v/{UNKNOWN_CODE}", PHONE, 900, "light"),
    ),
    "artist": (
        ("/submit", PHONE, 900, "light"),
        ("/mine", PHONE, 900, "light"),
        (f"/v/{CODE}/kit", PHONE, 900, "light"),
    ),
    "start": (("/", DESK, 900, "light"),),
    "verify": (("/verify", DESK, 800, "light"),),
    "register": (("/certificates", DESK, 900, "light"),),
    "docs": (("/docs/api", DESK, 900, "light"),),
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, served(Path(home) / "home") as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, screens in SCREENS.items():
            save(
                name,
                beside([shot(browser, address + path, width, height, mode) for path, width, height, mode in screens]),
            )
        badges = [f"/v/{CODE}/badge/{form}.png?scale=1" for form in ("square", "label")]
        badges += [f"/v/{DEMO_CODES['revoked']}/badge/label.png?scale=1", f"/v/{CODE}/badge/shield.png?scale=2"]
        save("badges", beside([fetched(browser, address + path) for path in badges]))
        save("sheet", fetched(browser, f"{address}/v/{CODE}/badge/sheet.png?scale=1"))
        browser.close()


@contextmanager
def served(home: Path) -> Iterator[str]:
    """A sandbox with a certificate for every state, on the loopback."""
    settings = settings_of(home)
    make_home(settings, utc_now())
    fill_sandbox(settings, utc_now())
    certifier = open_certifier(settings)
    server = make_server("127.0.0.1", 0, create_app(certifier), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    certifier.close()


def shot(browser: Browser, address: str, width: int, height: int, mode: str) -> Image.Image:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=mode)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    context.close()
    return picture


def fetched(browser: Browser, address: str) -> Image.Image:
    context = browser.new_context()
    picture = Image.open(BytesIO(context.request.get(address).body())).convert("RGBA")
    context.close()
    return picture


def beside(pictures: list[Image.Image]) -> Image.Image:
    if len(pictures) == 1:
        return pictures[0]
    width, height = sum(each.width + GAP for each in pictures) + GAP, max(each.height for each in pictures) + 2 * GAP
    whole, left = Image.new("RGB", (width, height), GROUND), GAP
    for each in pictures:
        whole.paste(each, (left, GAP), each if each.mode == "RGBA" else None)
        left += each.width + GAP
    return whole


def save(name: str, picture: Image.Image) -> None:
    """Colours from a palette: such pages have few, and the file is a third."""
    picture.convert("RGB").quantize(192).save(FOLDER / f"{name}.png", optimize=True)
    print(FOLDER.name, name, picture.size)


if __name__ == "__main__":
    main()
