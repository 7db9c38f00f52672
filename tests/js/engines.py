"""Our modules in four engines: Node and Chromium, each with WebCrypto and without.

Node runs the modules as they are, Chromium the one script that pages get. Both answer a list of cases (``suite.mjs``).
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from certifier.web.bundle import script_of

ROOT = Path(__file__).parents[2]
RUN = ROOT / "tests" / "js" / "run.mjs"
Answers = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]

# Pages that nobody serves. The second is no secure context, so there is no crypto.subtle in it.
SECURE, INSECURE = "https://suite.example/", "http://suite.example/"


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def run_node(*arguments: str, stdin: str = "") -> Any:
    node = shutil.which("node")
    assert node, "no Node: run make test-deps"
    done = subprocess.run(
        [node, "--no-warnings", str(RUN), *arguments], input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def node(*flags: str) -> Answers:
    return lambda cases: run_node(*flags, stdin=json.dumps(cases))


def chromium(browser: Browser, address: str) -> Iterator[Answers]:
    page = browser.new_page()
    page.route(
        "**/*", lambda route: route.fulfill(content_type="text/html", body="<!doctype html><title>suite</title>")
    )
    page.goto(address)
    assert page.evaluate("isSecureContext") is (address == SECURE)
    page.add_script_tag(content=script_of("tests/js/suite.mjs", lambda path: (ROOT / path).read_text()))
    yield lambda cases: page.evaluate("cases => answersTo(cases)", cases)
    page.close()
