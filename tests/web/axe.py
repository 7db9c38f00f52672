"""axe-core, which judges whether a page can be used by everybody: injected into a page, its findings as lines of text."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SOURCE = Path(__file__).parents[1] / "foreign/node/node_modules/axe-core/axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# What another scheme or width may change; all else is judged once.
COLOURS = ("color-contrast", "link-in-text-block")
SIZES = ("target-size", "scrollable-region-focusable")


@cache
def source() -> str:
    assert SOURCE.exists(), "no axe-core: run make test-deps"
    return SOURCE.read_text()


def violations(page: Page, rules: tuple[str, ...] = ()) -> list[str]:
    """What axe finds on a page as it is now: every rule of WCAG 2.2 AA and best practice, or only some."""
    chosen = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(source())  # a script element would be held up by our own policy
    found: list[dict[str, Any]] = page.evaluate(
        "async (runOnly) => (await axe.run({ runOnly, resultTypes: ['violations'] })).violations",
        chosen,
    )
    return [
        f"{each['id']}: {node['html'][:160]} ({node['failureSummary'][:300]})"
        for each in found
        for node in each["nodes"]
    ]
