"""What others need in order to verify on their own: keys, trust, status lists, the log, the standard, the schemas."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request

from certifier.certificate.status import PURPOSES, VALID_FOR
from certifier.certificate.trust import did_document, trust_document
from certifier.crypto.canonical import to_json_text
from certifier.errors import NotFoundError, ReadOnlyError
from certifier.report.model import report_json_schema
from certifier.service.logbook import Logbook
from certifier.web.responses import BINARY, JSON, TEXT, checked_query, reply
from certifier.web.site import Site

VC, JSON_LD, JWT = "application/vc", "application/ld+json", "application/vc+jwt"
# media type -> form of a status list; a reader that asks for JSON-LD knows eddsa-rdfc-2022 and may know nothing else
LIST_FORMS = {VC: "record", JSON_LD: "openbadge", JSON: "record", JWT: "jwt"}
LIST_SUFFIXES = {"": None, ".jwt": JWT, ".openbadge.json": JSON_LD}


def did(site: Site) -> Response:
    minute = site.minute()
    document = did_document(site.trust(minute), site.settings.did, minute)
    return reply(to_json_text(document), "application/did+json", "five minutes")


def trust(site: Site) -> Response:
    checked_query()
    return reply(to_json_text(trust_document(site.trust(site.minute()))), JSON, "five minutes")


def status_list(site: Site, purpose: str, name: str) -> Response:
    """The signed Bitstring Status List of a purpose and number. Caches may keep it for as long as it counts.

    The form is named by a suffix, or chosen by Accept; whoever accepts nothing of it gets the record.
    """
    minute = site.minute()
    number = name.partition(".")[0]
    suffix = name.removeprefix(number)
    lists, url = site.status_lists(minute), f"{site.settings.base_url}/status/{purpose}/{number}"
    if url not in lists or suffix not in LIST_SUFFIXES:
        raise NotFoundError(
            "There is no such status list.",
            found=f"{purpose}/{name}"[:80],
            expected=f"{' or '.join(PURPOSES)}, 1 to {len(lists) // len(PURPOSES)}",
        )
    media_type = LIST_SUFFIXES[suffix] or request.accept_mimetypes.best_match(LIST_FORMS, default=VC)
    # as many as are left at the minute's end: until then this answer is remembered
    seconds_left = (VALID_FOR - timedelta(minutes=1)) // timedelta(seconds=1)
    response = reply(lists.signed(url, LIST_FORMS[media_type]), media_type, seconds_left)
    if not suffix:
        response.headers["Vary"] = "Accept"
    return response


def checkpoint(site: Site, year: str | None = None) -> Response:
    book = _logbook(site, year)
    note = book.head.note
    if not note:
        raise ReadOnlyError("No checkpoint can be shown that the entries lead to.", found=book.origin)
    return reply(note, TEXT, "no time")


def verifier_key(site: Site, year: str | None = None) -> Response:
    """The log's key in the form of a signed note's verifier (C2SP)."""
    return reply(_logbook(site, year).verifier_key.to_text() + "\n", TEXT, "five minutes")


def tile(site: Site, path: str, year: str | None = None) -> Response:
    """A hash tile or entry bundle (C2SP tlog-tiles)."""
    asked = str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or "")
    body = None if "%" in asked else _logbook(site, year).resource(f"tile/{path}")  # one spelling for each file
    if body is None:
        raise NotFoundError("The log has no such resource.", found=f"tile/{path}"[:200])
    # The address without a year leads to another log once this one is closed.
    return reply(body, BINARY, "for ever" if year else "an hour")


def _logbook(site: Site, year: str | None) -> Logbook:
    """The log that is written to, or that of a year: closed logs stay where they were. Raises NotFoundError."""
    for book in site.certifier.logbooks:
        if year == book.origin.rpartition("/")[2]:
            return book
    if year is not None:
        raise NotFoundError("There is no log of this name.", found=year[:40])
    return site.certifier.logbook


def report_schema(site: Site) -> Response:  # noqa: ARG001 - every view gets the site
    return reply(to_json_text(report_json_schema()), "application/schema+json", "five minutes")


def robots(site: Site) -> Response:  # noqa: ARG001 - every view gets the site
    return reply("User-agent: *\nDisallow: /submissions/\nDisallow: /api/\n", TEXT, "five minutes")
