"""oEmbed (oembed.com, version 1.0): a page that is given a certificate's address gets the frame to show for it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement, tostring

from flask import Response

from certifier.certificate.code import display_code, parse_code
from certifier.errors import MalformedCode, NotFoundError
from certifier.web import snippets
from certifier.web.language import N_, say
from certifier.web.problems import NotImplementedHere, ParameterInvalid
from certifier.web.records import record_of
from certifier.web.responses import checked_query, json_reply, reply
from certifier.web.site import Site

CACHE_S = 300
LEAST_WIDTH, LEAST_HEIGHT = 240, 120
XML = "text/xml; charset=utf-8"
_PAGE = re.compile(r"/[vV]/([^/.]{10,16})(?:/embed)?/?")


def show(site: Site) -> Response:
    """The document for ``?url=``; frames are as large as asked for at most, and scroll where that is small."""
    asked = checked_query(url=None, format=None, maxwidth=None, maxheight=None)
    form = asked["format"] or "json"
    if form not in ("json", "xml"):
        raise NotImplementedHere("oEmbed comes as JSON or XML.", found=form[:40], expected="json, xml")
    document = _document(site, asked)
    if form == "json":
        return json_reply(document, "five minutes")
    root = Element("oembed")
    for name, value in document.items():
        SubElement(root, name).text = str(value)
    return reply(b'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n' + tostring(root), XML, "five minutes")


def _document(site: Site, asked: dict[str, str]) -> dict[str, Any]:
    base = site.settings.base_url
    code = _code_in(asked["url"], base)
    record = record_of(site, code, site.minute())  # a code that was never issued is a 404
    width = _size("maxwidth", asked["maxwidth"], snippets.EMBED_WIDTH, LEAST_WIDTH)
    height = _size("maxheight", asked["maxheight"], snippets.EMBED_HEIGHT, LEAST_HEIGHT)
    title = say(N_("Certificate %(code)s"), code=display_code(code))
    if record.claims:
        named = {"title": record.claims.subject.title, "code": display_code(code)}
        title = say(N_("AI generation footprint of %(title)s, certificate %(code)s"), **named)
    return {
        "version": "1.0",
        "type": "rich",
        "title": title,
        "provider_name": "Low-Carbon Audio Label",
        "provider_url": base,
        "cache_age": CACHE_S,
        "width": width,
        "height": height,
        "html": snippets.embed_snippet(f"{base}/v/{code}/embed", title, width, height),
    }


def _code_in(url: str, base_url: str) -> str:
    """The code in the address of a certificate of ours. Raises NotFoundError for every other address."""
    try:
        parts, own = urlsplit(url.strip()), urlsplit(base_url)
        found = _PAGE.fullmatch(parts.path)
        if found and parts.netloc.lower() == own.netloc.lower() and parts.scheme.lower() in ("http", "https"):
            return parse_code(found.group(1))
    except (ValueError, MalformedCode):
        pass
    raise NotFoundError(
        "There is no certificate of this service at this address.", found=url[:120], expected=f"{base_url}/v/CODE"
    )


def _size(name: str, text: str, usual: int, least: int) -> int:
    if not text:
        return usual
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise ParameterInvalid(f"The parameter {name} cannot be used.", found=text[:40], expected="a number of pixels")
    return max(least, min(usual, int(text)))
