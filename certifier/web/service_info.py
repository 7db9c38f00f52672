"""What a program asks first: which service this is, what it takes, whether it may be written to, and where its parts are."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from flask import Response

from certifier.crypto.strict_json import DEFAULT_LIMITS
from certifier.errors import ReadOnlyError
from certifier.report.envelope import LIMITS
from certifier.web import paging
from certifier.web.documents import Document
from certifier.web.language import languages
from certifier.web.responses import checked_query, json_reply
from certifier.web.site import Site

API_VERSION = "1.1.0"


class LimitsView(Document):
    """The most that one request may be or hold: bytes, files, items of a page."""

    json_bytes: int
    report_bytes: int
    audio_bytes: int
    log_bytes: int
    logs: int
    page_items: int
    usual_page_items: int
    cursor_hours: int
    upload_seconds: int


class ReadOnlyView(Document):
    """Why nothing may be submitted just now. Verification continues."""

    reason: str
    hint: str | None


class LogView(Document):
    """The log that is written to: its origin and verifier key (C2SP), and how many entries it has."""

    origin: str
    verifier_key: str
    size: int


class ServiceInfo(Document):
    """``read_only`` is null while everything may be written. ``standards`` are open to new applications, the newest last."""

    version: str
    api_version: str
    environment: str
    base_url: str
    issuer: str
    issuer_id: str
    languages: list[str]
    standards: list[str]
    read_only: ReadOnlyView | None
    limits: LimitsView
    log: LogView


def show(site: Site) -> Response:
    """The service as it is this minute."""
    checked_query()
    settings, logbook = site.settings, site.certifier.logbook
    states = site.certifier.shelf.states(site.minute())
    view = ServiceInfo(
        version=_version(),
        api_version=API_VERSION,
        environment=settings.environment,
        base_url=settings.base_url,
        issuer=settings.issuer_name,
        issuer_id=settings.did,
        languages=list(languages()),
        standards=[known.id for known in states if known.state == "current"],
        read_only=_read_only(site),
        limits=LimitsView(
            json_bytes=DEFAULT_LIMITS.max_bytes,
            report_bytes=LIMITS.max_bytes,
            audio_bytes=settings.max_upload_bytes,
            log_bytes=settings.max_log_bytes,
            logs=settings.max_logs,
            page_items=paging.MOST,
            usual_page_items=paging.USUAL,
            cursor_hours=paging.LASTS // timedelta(hours=1),
            upload_seconds=settings.upload_seconds,
        ),
        log=LogView(origin=logbook.origin, verifier_key=logbook.verifier_key.to_text(), size=logbook.head.size),
    )
    return json_reply(view, "a minute")


@cache
def _version() -> str:
    try:
        return version("certifier")
    except PackageNotFoundError:  # run from its sources
        return "0"


def _read_only(site: Site) -> ReadOnlyView | None:
    try:
        site.certifier.check_writable(site.clock())
    except ReadOnlyError as error:
        return ReadOnlyView(reason=error.found or error.message, hint=error.hint)
    return None
