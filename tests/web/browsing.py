"""The application at an address, and a browser that is strict with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from tests.studio import NOW

LATER = NOW + timedelta(days=21)


def served(app: Flask) -> Iterator[str]:
    """The application at an address of its own; it ends within a moment when it is told to."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def opened(browser: Browser, address: str, width: int = 360, **options: object) -> Page:
    """A page that fails the test on any error of script or policy."""
    page = browser.new_context(viewport={"width": width, "height": 800}, base_url=address, **options).new_page()  # type: ignore[arg-type]
    page.clock.set_fixed_time(LATER)  # what the service says counts for an hour of its own clock
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on(
        "console", lambda message: message.type != "error" or "status of 4" in message.text or pytest.fail(message.text)
    )
    return page
