"""Bytes with the right headers: entity tags, caching, and the choice of a form by Accept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, redirect, render_template, request
from pydantic import BaseModel
from werkzeug.datastructures import MIMEAccept
from werkzeug.wrappers import Response as AnyResponse

from certifier.crypto.canonical import sha256_hex
from certifier.web.problems import NotAcceptable, ParameterInvalid

HTML = "text/html; charset=utf-8"
JSON = "application/json"
NDJSON = "application/x-ndjson"
TEXT = "text/plain; charset=utf-8"
SVG = "image/svg+xml; charset=utf-8"
PNG = "image/png"
PDF = "application/pdf"
BINARY = "application/octet-stream"

# How long others may keep a resource.
CACHE = {
    "for ever": "public, max-age=31536000, immutable",
    "an hour": "public, max-age=3600, immutable",
    "a minute": "public, max-age=60, must-revalidate",
    "five minutes": "public, max-age=300, must-revalidate",
    "no time": "no-cache",
    "not at all": "private, no-store",
}
MAX_AGE = "public, max-age={seconds}, must-revalidate"


def reply(body: str | bytes, media_type: str, cache: str | int, **headers: str) -> Response:
    """A 200 answer with a strong entity tag, or 304 when the client has these bytes already.

    ``cache`` names a row of CACHE, or says for how many seconds from now the bytes count.
    """
    raw = body.encode() if isinstance(body, str) else body
    response = Response(raw, content_type=media_type)
    response.headers["Cache-Control"] = CACHE[cache] if isinstance(cache, str) else MAX_AGE.format(seconds=cache)
    response.headers.extend({name.replace("_", "-"): value for name, value in headers.items()})
    if cache != "not at all":
        response.set_etag(sha256_hex(raw)[:32])
        response.make_conditional(request)
    return response


def page(template: str, cache: str = "a minute", **values: Any) -> Response:
    """A page for people."""
    return reply(render_template(template, **values), HTML, cache)


def json_reply(document: BaseModel | Mapping[str, Any], cache: str = "a minute", **headers: str) -> Response:
    """A document of ours as JSON; members without a value stay in as null."""
    if isinstance(document, BaseModel):
        return reply(document.model_dump_json(by_alias=True), JSON, cache, **headers)
    return reply(json.dumps(document, ensure_ascii=False), JSON, cache, **headers)


def moved(path: str) -> AnyResponse:
    """The way from another spelling of an address to the one that counts; what was asked of it goes along."""
    query = f"?{request.query_string.decode('ascii', 'replace')}" if request.query_string else ""
    return redirect(path + query, 301)


def chosen_form(forms: Sequence[str]) -> str:
    """The first of the media types that the client likes best, whatever parameters it names with them.

    Raises NotAcceptable when it accepts none.
    """
    if not request.headers.get("Accept", "").strip():
        return forms[0]
    plain = MIMEAccept([(wanted.partition(";")[0], quality) for wanted, quality in request.accept_mimetypes])
    best = plain.best_match(forms)
    if best is None:
        raise NotAcceptable(
            "It does not exist in this form.", found=request.headers["Accept"][:200], expected=", ".join(forms)
        )
    return best


def checked_query(**allowed: Sequence[str] | None) -> dict[str, str]:
    """The query's parameters. Raises ParameterInvalid for an unknown, repeated or unexpected one.

    ``allowed`` gives the values of each parameter, None for free text; the first value is the default.
    """
    if not allowed and not request.query_string:
        return {}
    for name in request.args:
        if name not in allowed:
            raise ParameterInvalid(
                f"There is no parameter {name[:40]!r}.",
                found=name[:40],
                expected=", ".join(allowed) or "none",
                pointer=name[:40],
            )
    return {name: _one_value(name, values) for name, values in allowed.items()}


def _one_value(name: str, allowed: Sequence[str] | None) -> str:
    given = request.args.getlist(name)
    value = given[0] if given else (allowed[0] if allowed else "")
    if len(given) > 1 or (allowed and value not in allowed):
        raise ParameterInvalid(
            f"The parameter {name} cannot be used.",
            found=", ".join(given)[:200],
            expected="one of: " + ", ".join(filter(None, allowed)) if allowed else "one value",
            pointer=name,
        )
    return value
