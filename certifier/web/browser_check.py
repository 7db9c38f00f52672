"""What a reader's own browser needs to check a certificate: what it checks, the words it tells it in, and the scripts.

The material is that of the one verification (``certificate.verify``), as texts: the record, its proof, its two status lists and
the trusted keys. It comes inside the page, so that a listener's phone asks nothing more, and as ``/v/CODE.check.json``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from flask import Response, render_template

from certifier.certificate.code import display_code
from certifier.certificate.credential import page_url, parse_claims
from certifier.certificate.model import OUTCOMES, Claims
from certifier.certificate.times import time_text
from certifier.certificate.trust import trust_document
from certifier.certificate.verdict import verdict_table
from certifier.crypto.canonical import canonical_bytes
from certifier.crypto.strict_json import parse_object
from certifier.errors import CertifierError
from certifier.storage.rows import CertificateRow
from certifier.web import words
from certifier.web.bundle import csp_hash, package_text, packed_script
from certifier.web.language import SOURCE, gettext, language
from certifier.web.records import Record, row_of
from certifier.web.responses import HTML, JSON, checked_query, json_reply, reply
from certifier.web.script_words import says
from certifier.web.site import Site


def verdict_json(site: Site) -> Response:  # noqa: ARG001 - every view gets the site
    """The table of axes and verdicts, for our modules and for anybody's."""
    checked_query()
    return reply(package_text("certificate/verdict.json"), JSON, "five minutes")


def trust_text(site: Site, minute: datetime) -> str:
    return canonical_bytes(trust_document(site.trust(minute))).decode()


def material_of(site: Site, row: CertificateRow, claims: Claims, minute: datetime) -> dict[str, Any]:
    """Everything to check a certificate with; a list that cannot be given out just now is left out.

    What is no text any more came to harm here: then the check says that it does not fit.
    """
    return {
        "certificate": (row.document or b"").decode("utf-8", "replace"),
        "proof": None if row.proof is None else row.proof.decode("utf-8", "replace"),
        "lists": dict(_lists(site, claims, minute)),
        "trust": trust_text(site, minute),
    }


def _claims_of(row: CertificateRow) -> Claims:
    return parse_claims(parse_object(row.payload))


def _lists(site: Site, claims: Claims, minute: datetime) -> list[tuple[str, str]]:
    try:
        lists = site.status_lists(minute)
        return [(entry.url, lists[entry.url].decode()) for entry in claims.status]
    except (CertifierError, KeyError):  # no status can be told: then it is unchecked
        return []


def told(outcomes: Iterable[str]) -> dict[str, Any]:
    """The words of pages about verdicts, axes and some outcomes, for the scripts, in the language of this answer.

    ``because`` holds the reasons of verdicts by name where the scripts, which know them in English, need others.
    """
    rows = verdict_table()["rows"] if language() != SOURCE else ()
    return {
        "verdicts": _said(words.VERDICTS),
        "axes": _said(words.AXES),
        "values": {value: (mark, gettext(text)) for value, (mark, text) in words.VALUES.items()},
        "outcomes": _said({outcome: OUTCOMES.get(outcome, outcome) for outcome in outcomes}),
        "because": {row["reason"]: gettext(row["because"]) for row in rows},
        "says": says("telling"),
    }


def _said(table: Mapping[str, str]) -> dict[str, str]:
    return {name: gettext(text) for name, text in table.items()}


def brought_by_page(site: Site, record: Record, claims: Claims) -> dict[str, Any]:
    """What the certificate's page holds for its script."""
    return {
        "code": claims.code,
        "state": record.state,
        "material": material_of(site, record.row, claims, site.minute()),
        "words": told([claims.outcome]),
        "says": says("certificate"),
    }


def as_json(site: Site, code: str) -> Response:
    """The material alone, for a page that has been open for long, and for other programs."""
    checked_query()
    row = row_of(site, code)
    return json_reply(material_of(site, row, _claims_of(row), site.minute()), "no time")


def offline(site: Site, code: str) -> Response:
    """A page to keep: opened from a disk it checks the certificate inside it, and asks nobody."""
    checked_query()
    row, minute = row_of(site, code), site.minute()
    claims = _claims_of(row)
    brought = {
        "address": page_url(site.settings.base_url, code),
        "saved_at": time_text(minute),
        "material": material_of(site, row, claims, minute),
        "words": told([claims.outcome]),
        "says": says("offline"),
    }
    source, style = packed_script("offline-page.js"), package_text("web/static/style.css")
    policy = f"default-src 'none'; script-src {csp_hash(source)}; style-src {csp_hash(style)}; base-uri 'none'"
    body = render_template(
        "offline.html", brought=brought, code=display_code(code), script=source, style=style, policy=policy
    )
    response = reply(body, HTML, "a minute")
    response.headers["Content-Security-Policy"] = policy
    response.headers["Content-Disposition"] = f'attachment; filename="certificate-{display_code(code)}.html"'
    return response
