"""The register for readers: search, filters, pages that do not move while others are issued; and what was withdrawn.

One field takes whatever people have at hand: words of a title or a name, a code, an ISRC, the SHA-256 of a file. States come from
the log as it is published, everything else from the register's narrow rows (storage/listings.py).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect
from werkzeug.wrappers import Response as AnyResponse

from certifier.certificate.code import display_code, parse_code
from certifier.certificate.times import time_text
from certifier.certificate.trust import SKEW
from certifier.errors import MalformedCode
from certifier.isrc import isrc_in
from certifier.service.logbook import STATES as AFTER_CHANGE
from certifier.service.logbook import Change
from certifier.service.published import Published
from certifier.storage.listings import MOST_TERMS, ORDERS, Listing, Search, terms_of
from certifier.web.language import N_
from certifier.web.problems import ParameterInvalid
from certifier.web.records import UNRELIABLE, not_believed
from certifier.web.responses import checked_query, page, reply
from certifier.web.site import Site

ON_A_PAGE = 50
MOST_TYPED = 200  # characters
FORMS = ("", "class-1", "class-2", "measured", "disclosed")
LEVELS = ("", "A2", "A1", "A0")
STATES = ("", "active", "expired", "suspended", "revoked", "superseded", "not_yet")
ORDER_NAMES = {
    "newest": N_("newest first"),
    "oldest": N_("oldest first"),
    "title": N_("by title"),
    "artist": N_("by artist"),
}
CSV = "text/csv; charset=utf-8"
_DIGEST = re.compile(r"(?:sha-?256:)?([0-9a-f]{64})")
_LOOKS_LIKE_CODE = re.compile(r"[0-9A-Z]{4}[- ][0-9A-Z]{4}[- ][0-9A-Z]{2}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Typed:
    """What was typed into the one field, read as what it looks like: words, else a code, an ISRC or a digest."""

    text: str
    kind: str = ""
    terms: tuple[str, ...] = ()
    code: str = ""
    isrc: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Status:
    """How a certificate stands by the log: the state that people are told, and the change that made it so."""

    code: str
    state: str
    log: str
    change: Change


# -- the register ---------------------------------------------------------------------------------------------------


def register(site: Site) -> AnyResponse:
    """A page of the certificates that fit, or, for the code of one, the way to it."""
    store = site.certifier.store
    standards = ("", *sorted(set(site.certifier.shelf.ids().values())))
    years = ("", *(str(year) for year in reversed(store.listed_years())))
    asked = checked_query(
        q=None,
        outcome=FORMS,
        state=STATES,
        standard=standards,
        level=LEVELS,
        year=years,
        sort=tuple(ORDERS),
        after=None,
        before=None,
    )
    typed = parse_typed(asked["q"])
    if typed.code and store.entry_for(typed.code, "issue"):
        return redirect(f"/v/{typed.code}", 303)
    now, statuses = time_text(site.minute()), statuses_of(site.certifier.published)
    begun = time_text(site.minute() + SKEW)  # as on the certificate's own page
    search = _search(asked, typed, statuses, now, begun)
    anchor = {way: _code_of(way, asked[way]) for way in ("after", "before") if asked[way]}
    order = next(order for order in ORDERS if order == asked["sort"])
    found = store.listed(search, order, ON_A_PAGE + 1, **anchor)
    if found is None or len(anchor) > 1:
        raise ParameterInvalid(
            N_("This place in the register does not exist."),
            found=", ".join(anchor.values()),
            expected="the code of a certificate, in either 'after' or 'before'",
            hint="Begin again at /certificates.",
        )
    count, rows = found
    if "before" in anchor and len(rows) <= ON_A_PAGE:  # the first page, whole
        return redirect(_address(asked), 303)
    harmed = not_believed(site, store.certificates_of([row.code for row in rows]), site.minute())
    states = {row.code: UNRELIABLE if row.code in harmed else state_of(row, statuses, now, begun) for row in rows}
    choices = {"standards": standards, "years": years, "withdrawn": len(statuses)}
    return _register_page(asked, typed, count, rows, states, choices)


def _register_page(
    asked: Mapping[str, str],
    typed: Typed,
    count: int,
    rows: Sequence[Listing],
    states: Mapping[str, str],
    choices: Mapping[str, Any],
) -> Response:
    comes_after = bool(asked["after"])
    if asked["before"]:
        shown, is_more, is_before = rows[1:], True, True
    else:
        shown, is_more, is_before = rows[:ON_A_PAGE], len(rows) > ON_A_PAGE, comes_after
    is_asked = any(asked[name] for name in ("q", "outcome", "state", "standard", "level", "year"))
    response = page(
        "register.html",
        asked=asked,
        typed=typed,
        count=count,
        rows=[(row, states[row.code]) for row in shown],
        is_asked=is_asked,
        next_page=_address(asked, after=shown[-1].code) if shown and is_more else None,
        previous_page=_address(asked, before=shown[0].code) if shown and is_before else None,
        outcomes=FORMS,
        states=STATES,
        levels=LEVELS,
        orders=ORDER_NAMES,
        **choices,
    )
    if is_asked or asked["after"] or asked["before"]:
        response.headers["X-Robots-Tag"] = "noindex"
    return response


def parse_typed(text: str) -> Typed:
    """What somebody typed. Raises ParameterInvalid for what is too long or holds nothing to look for."""
    text = text.strip()
    if not text:
        return Typed("")
    if len(text) > MOST_TYPED:
        raise ParameterInvalid(
            N_("This is too long to look for."),
            found=f"{len(text)} characters",
            expected=f"at most {MOST_TYPED}",
            pointer="q",
        )
    if digest := _DIGEST.fullmatch(text.lower()):
        return Typed(text, "sha256", sha256=digest[1])
    if isrc := isrc_in(text):
        return Typed(text, "isrc", isrc=isrc)
    terms = terms_of(text)
    if not terms:
        raise ParameterInvalid(
            N_("There is nothing in this to look for."),
            found=repr(text)[:80],
            expected="words of a title or of a name, a code, an ISRC, or the SHA-256 of a file",
            pointer="q",
        )
    if len(terms) > MOST_TERMS:
        raise ParameterInvalid(
            N_("These are too many words to look for."),
            found=f"{len(terms)}",
            expected=f"at most {MOST_TERMS}",
            pointer="q",
        )
    try:
        return Typed(text, "code", terms, code=parse_code(text))
    except MalformedCode:
        return Typed(text, "mistyped" if _LOOKS_LIKE_CODE.fullmatch(text) else "words", terms)


def _code_of(way: str, text: str) -> str:
    try:
        return parse_code(text)
    except MalformedCode as error:
        raise ParameterInvalid(
            f"The parameter {way} cannot be used.", found=text[:40], expected="the code of a certificate", pointer=way
        ) from error


def _address(asked: Mapping[str, str], **place: str) -> str:
    """The register with the same question at another place."""
    kept = {name: value for name, value in asked.items() if value and name not in ("after", "before")}
    if kept.get("sort") == next(iter(ORDERS)):
        del kept["sort"]
    query = urlencode(kept | place)
    return f"/certificates?{query}" if query else "/certificates"


# -- states ---------------------------------------------------------------------------------------------------------


def statuses_of(published: Published) -> dict[str, Status]:
    """Every certificate that is withdrawn, replaced or suspended just now, by code, as the log's published entries tell it."""
    found = {}
    for code in published.changed_codes():
        changes = published.changes_with_logs(code)
        if changes and (state := _told(changes[-1][1])):
            found[code] = Status(code, state, *changes[-1])
    return found


def _told(change: Change) -> str | None:
    state = AFTER_CHANGE[change.kind]
    if state == "active":
        return None
    return "superseded" if state == "revoked" and change.reason == "superseded" else state


def state_of(row: Listing, statuses: Mapping[str, Status], now: str, begun: str) -> str:
    """The one state that is shown, the gravest first, as on the certificate's own page."""
    if row.code in statuses:
        return statuses[row.code].state
    if row.expires_at <= now:
        return "expired"
    return "not_yet" if row.issued_at > begun else "active"


def _search(asked: Mapping[str, str], typed: Typed, statuses: Mapping[str, Status], now: str, begun: str) -> Search:
    search = Search(
        terms=typed.terms,
        isrc=typed.isrc,
        sha256=typed.sha256,
        outcome=asked["outcome"],
        standard=asked["standard"],
        evidence_level=asked["level"],
        year=asked["year"],
        now=now,
        begun=begun,
    )
    return in_state(search, asked["state"], statuses)


# state -> what it asks of the dates, for those that the log withdrew nothing of
_BY_DATES = {"active": "current", "expired": "expired", "not_yet": "not_yet"}


def in_state(search: Search, state: str, statuses: Mapping[str, Status]) -> Search:
    """The search for those in a state (STATES) alone; any where it is empty. ``statuses`` is what ``statuses_of`` says."""
    if state in _BY_DATES:
        return replace(search, besides=list(statuses), dates=_BY_DATES[state])
    if not state:
        return search
    codes = [code for code, status in statuses.items() if status.state == state]
    return replace(search, only=[code for code in codes if search.only is None or code in search.only])


# -- what was withdrawn ---------------------------------------------------------------------------------------------


def withdrawn(site: Site) -> Response:
    """Everything that must not be shown any more, or not just now, the newest first; also what is not here as a file."""
    asked = checked_query(state=("", "revoked", "suspended", "superseded"), after=None)
    ended = newest_first(statuses_of(site.certifier.published).values())
    kinds = {state: sum(status.state == state for status in ended) for state in ("revoked", "suspended", "superseded")}
    fitting = [status for status in ended if asked["state"] in ("", status.state)]
    begin = _place_after(asked["after"], fitting)
    shown = fitting[begin : begin + ON_A_PAGE]
    query = {"state": asked["state"]} if asked["state"] else {}
    is_more = begin + ON_A_PAGE < len(fitting)
    return page(
        "withdrawn.html",
        asked=asked,
        kinds=kinds,
        rows=shown,
        titles=site.certifier.store.titles_of([status.code for status in shown]),
        count=len(fitting),
        next_page="/withdrawn?" + urlencode(query | {"after": shown[-1].code}) if is_more else None,
        first_page="/withdrawn" + (f"?{urlencode(query)}" if query else "") if begin else None,
    )


def _place_after(text: str, statuses: Sequence[Status]) -> int:
    """Where the list goes on; a certificate that left it meanwhile is looked for in vain."""
    if not text:
        return 0
    code = _code_of("after", text)
    places = [place for place, status in enumerate(statuses) if status.code == code]
    if not places:
        raise ParameterInvalid(
            N_("This place in the list does not exist any more."),
            found=display_code(code),
            hint="Begin again at /withdrawn.",
        )
    return places[0] + 1


def withdrawn_csv(site: Site) -> Response:
    """The whole list as a table for machines; it holds codes, words and dates only."""
    checked_query()
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\r\n")  # RFC 4180
    writer.writerow(("code", "state", "since", "reason", "replaced_by", "log", "index"))
    for status in newest_first(statuses_of(site.certifier.published).values()):
        change = status.change
        cells = (change.at, change.reason, change.replaced_by or "", status.log, str(change.log_index))
        writer.writerow((status.code, status.state, *cells))
    return reply(table.getvalue(), CSV, "a minute")


def newest_first(statuses: Iterable[Status]) -> list[Status]:
    """As a list of what was withdrawn has them; those of one moment in the order of the log."""
    return sorted(statuses, key=lambda status: (status.change.at, status.change.log_index, status.code), reverse=True)
