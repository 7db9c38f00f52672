"""The public log for readers: the newest checkpoint, the newest entries, where a code stands, and how to watch it.

The log's own files stay at their addresses (wellknown.py); this page is about them and is no part of the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response

from certifier.certificate.code import display_code, parse_code
from certifier.errors import CertifierError, NotFoundError
from certifier.log.entry import parse_entry
from certifier.log.lines import to_base64
from certifier.log.note import Checkpoint, open_checkpoint, parse_note
from certifier.service.logbook import Logbook
from certifier.web.language import N_
from certifier.web.problems import ParameterInvalid
from certifier.web.responses import checked_query, page
from certifier.web.site import Site

ON_A_PAGE = 50
COSIGNATURE_BYTES = 8 + 64  # a time and a signature (C2SP tlog-cosignature)
_MOST_DIGITS = 18
_LAST_SECOND = 253_402_300_799  # of the year 9999

# type of an entry -> what happened
KINDS = {
    "issue": N_("certificate issued"),
    "revoke": N_("certificate withdrawn"),
    "suspend": N_("certificate suspended"),
    "reinstate": N_("suspension ended"),
    "key-add": N_("key added"),
    "key-retire": N_("key retired"),
    "key-compromise": N_("key stolen"),
    "standard-publish": N_("standard published"),
    "approve": N_("entered in the register"),
    "freeze": N_("log closed"),
}


@dataclass(frozen=True)
class Line:
    """An entry as it is listed; ``about`` is what it is about where that is no certificate."""

    index: int
    kind: str
    at: str
    code: str
    about: str


@dataclass(frozen=True)
class Witnessed:
    """A signature line of another name than the log's: a witness, and when it says that it saw this checkpoint."""

    name: str
    at: str


def show(site: Site) -> Response:
    """The log that is written to, or one of another year; from its end, or below an index."""
    asked = checked_query(log=("", *(_year(book) for book in site.certifier.logbooks)), before=None, code=None)
    book = next(
        (each for each in site.certifier.logbooks if _year(each) == asked["log"]),
        site.certifier.logbook,
    )
    head, is_whole = book.head, book.is_trustworthy
    end = _end(asked["before"], head.size)
    lines = _lines(book, max(0, end - ON_A_PAGE), end) if is_whole else []
    place = {"log": asked["log"]} if asked["log"] else {}
    return page(
        "log.html",
        asked=asked,
        book=book,
        year=_year(book),
        checkpoint=_checkpoint(book),
        note=head.note.decode("utf-8", "replace"),
        witnesses=_witnesses(head.note, book),
        vkey=book.verifier_key.to_text(),
        is_whole=is_whole,
        is_newest=book is site.certifier.logbook,
        lines=lines,
        kinds=KINDS,
        older=f"/log?{urlencode(place | {'before': lines[-1].index})}#entries" if lines and lines[-1].index else None,
        newer=("/log" + (f"?{urlencode(place)}" if place else "") + "#entries") if end < head.size else None,
        archives=[(_year(each), each.head.size, each.is_frozen) for each in reversed(site.certifier.logbooks)],
        asked_code=_entries_about(site, asked["code"]),
        to_base64=to_base64,
        base_url=site.settings.base_url,
    )


def _year(book: Logbook) -> str:
    return book.origin.rpartition("/")[2]


def _end(text: str, size: int) -> int:
    """The index that the list ends before. Raises ParameterInvalid."""
    if not text:
        return size
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise ParameterInvalid(
            N_("The parameter before cannot be used."),
            found=text[:40],
            expected="the index of an entry",
            pointer="before",
        )
    return min(int(text), size)


def _lines(book: Logbook, start: int, end: int) -> list[Line]:
    """Entries as they are served, the newest first."""
    entries = book.entries_between(start, end)
    return [_line(index, parse_entry(raw)) for index, raw in enumerate(entries, start)][::-1]


def _line(index: int, entry: dict[str, Any]) -> Line:
    about = entry.get("standard", "") if entry["type"] == "standard-publish" else entry.get("reason", "")
    key = entry.get("kid", "") if entry["type"].startswith("key-") else ""
    if entry["type"] == "approve":
        about = f"{entry['kind']} {entry['id']}"
    return Line(index, entry["type"], entry["at"], entry.get("code", ""), about or key.rpartition("#")[2])


def _checkpoint(book: Logbook) -> Checkpoint | None:
    """The newest checkpoint, its own signature verified once more; None where there is none that can be shown."""
    try:
        return open_checkpoint(book.head.note, [book.verifier_key])
    except CertifierError:
        return None


def _witnesses(note: bytes, book: Logbook) -> list[Witnessed]:
    try:
        signatures = parse_note(note).signatures
    except CertifierError:
        return []
    own = (book.verifier_key.name, book.verifier_key.key_id)
    others = (line for line in signatures if (line.name, line.key_id) != own)
    return [Witnessed(line.name, _time_in(line.value)) for line in others]


def _time_in(signature: bytes) -> str:
    """The time inside a cosignature; nothing for a signature of another kind."""
    seconds = int.from_bytes(signature[:8], "big")
    if len(signature) != COSIGNATURE_BYTES or seconds > _LAST_SECOND:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


@dataclass(frozen=True)
class About:
    """What the log holds about a code: (year, index, type, time) of each entry; ``is_here`` when its file is."""

    code: str
    entries: tuple[tuple[str, int, str, str], ...]
    is_here: bool


def _entries_about(site: Site, text: str) -> About | None:
    """Every published entry about the code that somebody asked for. Raises MalformedCode for what is none."""
    if not text.strip():
        return None
    code, store = parse_code(text), site.certifier.store
    placed = store.entry_for(code, "issue")
    books = {book.origin: book for book in site.certifier.logbooks}
    entries = []
    if placed and placed.index < books[placed.origin].head.size:
        at = parse_entry(placed.entry)["at"]
        entries.append((_year(books[placed.origin]), placed.index, "issue", at))
    for origin, change in site.certifier.published.changes_with_logs(code):
        entries.append((_year(books[origin]), change.log_index, change.kind, change.at))
    if not entries:
        raise NotFoundError(
            N_("The log holds nothing about this code."), found=display_code(code), hint="Compare it with the label."
        )
    row = store.certificate(code)
    return About(code, tuple(entries), row is not None and row.proof is not None)
