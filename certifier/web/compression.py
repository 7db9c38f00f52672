"""Send text compressed to those who take it: a listener's page is a few kilobytes on a slow line."""

from __future__ import annotations

import gzip
from functools import lru_cache

from flask import Response, request
from werkzeug.http import parse_accept_header

LEAST_BYTES = 1000
REMEMBERED = 64  # what is asked for often is kept packed (web/ready.py)
MOST_REMEMBERED_BYTES = 128 * 1024  # of one body: remembered ones stay in memory
MEDIA_TYPES = frozenset(
    {
        "text/html",
        "text/css",
        "text/javascript",
        "image/svg+xml",
        "application/json",
        "application/did+json",
        "application/schema+json",
    }
)


def gzipped(raw: bytes) -> bytes:
    """The body in gzip; that of a short one is made once."""
    return _remembered(raw) if len(raw) <= MOST_REMEMBERED_BYTES else _packed(raw)


def _packed(raw: bytes) -> bytes:
    return gzip.compress(raw, compresslevel=6, mtime=0)


_remembered = lru_cache(REMEMBERED)(_packed)


@lru_cache(REMEMBERED)
def takes_gzip(accepted: str) -> bool:
    """Whether a client with this Accept-Encoding takes gzip (RFC 9110 section 12.5.3)."""
    return bool(accepted) and bool(parse_accept_header(accepted)["gzip"])


def compress(response: Response) -> None:
    """Put the body into gzip where client, type and size ask for it. The entity tag becomes a weak one (RFC 9110, 8.8.3)."""
    if response.mimetype not in MEDIA_TYPES:
        return
    if "Vary" in response.headers:
        response.vary.add("Accept-Encoding")
    else:  # most often; spares reading and writing the list
        response.headers.add("Vary", "Accept-Encoding")
    if response.status_code != 200 or not takes_gzip(request.headers.get("Accept-Encoding", "")):
        return
    response.direct_passthrough = False
    raw = response.get_data()
    if len(raw) < LEAST_BYTES:
        return
    response.set_data(gzipped(raw))
    response.headers["Content-Encoding"] = "gzip"
    tag, _ = response.get_etag()
    if tag:
        response.set_etag(tag, weak=True)
