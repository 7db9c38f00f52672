"""The written guides of the project (docs/*.md) as pages, so that whoever finds a service finds how to use it.

A link to another guide leads to its page; a link to a file that the service does not show becomes plain text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from flask import Response
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from certifier.errors import NotFoundError
from certifier.storage.files import load_text
from certifier.web.language import N_
from certifier.web.responses import checked_query, page
from certifier.web.site import Site

# name of the file -> what it is about, in the order in which somebody needs them
GUIDES = {
    "platforms": N_("From nothing to a verified catalogue and a webhook, step by step"),
    "api": N_("The rules that all of the API keeps: errors, paging, caching, forms"),
    "access": N_("API keys, scopes, limits"),
    "batches": N_("Verify a thousand, or a stream of any length, in one request"),
    "catalogues": N_("Verify a catalogue as CSV, Parquet or NDJSON, offline or online"),
    "client": N_("The Python client"),
    "webhooks": N_("Hear of a withdrawal: webhooks and the feed of changes"),
    "packs": N_("Packs: verify without asking anybody"),
    "status": N_("Status lists, and how long they count"),
    "certificates": N_("The forms of a certificate"),
    "log": N_("The public log, for monitors"),
    "sandbox": N_("A code for each state"),
    "report": N_("The emission report that any tool can make"),
    "display": N_("What stands next to a track"),
}
_SLUG = re.compile(r"[^a-z0-9]+")


def guide(site: Site, name: str) -> Response:
    """One guide. Raises NotFoundError."""
    checked_query()
    text = load_text(site.settings.docs_dir / f"{name}.md") if name in GUIDES else None
    if text is None:
        raise NotFoundError("There is no such guide.", found=name[:60], expected=", ".join(GUIDES))
    title, html = rendered(text)
    return page("guide.html", "five minutes", title=title, text=Markup(html))  # noqa: S704 - HTML in our files is escaped


@lru_cache(32)
def rendered(markdown: str) -> tuple[str, str]:
    """The title of a text, and the text as HTML. Sections have anchors; code and tables scroll by themselves."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    title = ""
    for heading, inline in pairwise(tokens):
        if heading.type == "heading_open":
            words = "".join(child.content for child in inline.children or ())
            title = title or words
            heading.attrSet("id", _SLUG.sub("-", words.lower()).strip("-"))
    for token in tokens:
        token.children = _linked(token.children) if token.children else token.children
    html = str(parser.renderer.render(tokens, parser.options, {}))
    html = html.replace("<pre>", '<pre class="scroll shell" tabindex="0">')
    return title, html.replace("<table>", '<div class="scroll" tabindex="0"><table>').replace(
        "</table>", "</table></div>"
    )


def _linked(tokens: list[Token]) -> list[Token]:
    """The words of a line with links that lead somewhere here."""
    kept, dropped = list[Token](), False
    for token in tokens:
        if token.type == "link_open":
            target = _shown_at(str(token.attrGet("href")))
            dropped = target is None
            if target is not None:
                token.attrSet("href", target)
        if dropped and token.type in {"link_open", "link_close"}:
            dropped = token.type == "link_open"
            continue
        kept.append(token)
    return kept


def _shown_at(href: str) -> str | None:
    """Where the target of a link in docs/ is served; None where it is not."""
    if href.startswith(("#", "https://", "http://", "/")):
        return href
    file, _, anchor = href.partition("#")
    name = file.removesuffix(".md")
    return f"/docs/guides/{name}{'#' + anchor if anchor else ''}" if file.endswith(".md") and name in GUIDES else None
