"""The register for programs: certificates by what a platform has at hand, and what was withdrawn, in pages (web/paging.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flask import Response

from certifier.certificate.code import display_code
from certifier.certificate.times import time_text
from certifier.certificate.trust import SKEW
from certifier.isrc import isrc_in
from certifier.storage.listings import MOST_TERMS, Search, terms_of
from certifier.web.documents import WithdrawnView, certificate_view
from certifier.web.paging import list_reply, place_in
from certifier.web.parameters import digest_in, moment_in
from certifier.web.problems import ParameterInvalid
from certifier.web.records import record_for
from certifier.web.register import (
    FORMS,
    MOST_TYPED,
    STATES,
    Status,
    Typed,
    in_state,
    newest_first,
    parse_typed,
    statuses_of,
)
from certifier.web.responses import checked_query
from certifier.web.site import Site


def certificates(site: Site) -> Response:
    """The certificates that fit all that is asked for, the newest first; all of them where nothing is."""
    asked = checked_query(
        isrc=None,
        sha256=None,
        essence_sha256=None,
        title=None,
        artist=None,
        q=None,
        tier=FORMS,
        status=STATES,
        standard=("", *sorted(set(site.certifier.shelf.ids().values()))),
        issued_after=None,
        limit=None,
        cursor=None,
    )
    place = place_in(site, asked, site.clock())
    found = site.certifier.store.listed(_search(site, asked), "newest", place.limit + 1, after=place.after)
    if found is None:
        raise ParameterInvalid("This place in the list does not exist any more.", pointer="cursor")
    codes = [listing.code for listing in found[1][: place.limit]]
    rows = {row.code: row for row in site.certifier.store.certificates_of(codes)}
    minute, environment = site.minute(), site.settings.environment
    items = [certificate_view(record_for(site, rows[code], minute), environment) for code in codes if code in rows]
    return list_reply(site, items, place, codes[-1] if len(found[1]) > place.limit else None)


def _search(site: Site, asked: Mapping[str, str]) -> Search:
    minute = site.minute()
    search = Search(
        title_terms=_terms(asked, "title"),
        artist_terms=_terms(asked, "artist"),
        isrc=_isrc(asked),
        audio_sha256=digest_in(asked, "sha256"),
        essence_sha256=digest_in(asked, "essence_sha256"),
        outcome=asked["tier"],
        standard=asked["standard"],
        issued_after=moment_in(asked, "issued_after"),
        now=time_text(minute),
        begun=time_text(minute + SKEW),  # as on the certificate's own page
    )
    return in_state(
        _typed(site, search, parse_typed(asked["q"])), asked["status"], statuses_of(site.certifier.published)
    )


def _typed(site: Site, search: Search, typed: Typed) -> Search:
    """The search for what was typed into one field: a code, an ISRC, a digest, or words."""
    if typed.code and site.certifier.store.entry_for(typed.code, "issue"):
        return replace(search, only=[typed.code])
    if typed.isrc and search.isrc not in ("", typed.isrc):  # nothing has two
        return replace(search, only=[])
    return replace(search, terms=typed.terms, isrc=typed.isrc or search.isrc, sha256=typed.sha256)


def _terms(asked: Mapping[str, str], name: str) -> tuple[str, ...]:
    text = asked[name]
    terms = terms_of(text[: MOST_TYPED + 1])
    if text and (not terms or len(terms) > MOST_TERMS or len(text) > MOST_TYPED):
        raise ParameterInvalid(
            f"The parameter {name} cannot be used.",
            found=text[:80],
            expected=f"1 to {MOST_TERMS} words, at most {MOST_TYPED} characters",
            pointer=name,
        )
    return terms


def _isrc(asked: Mapping[str, str]) -> str:
    isrc = isrc_in(asked["isrc"])
    if asked["isrc"] and not isrc:
        raise ParameterInvalid(
            "This is not an ISRC.", found=asked["isrc"][:40], expected="such as XXABC2600001", pointer="isrc"
        )
    return isrc


# -- what was withdrawn ---------------------------------------------------------------------------------------------


def withdrawn(site: Site) -> Response:
    """Everything that must not be shown any more, or not just now, the newest first; also what is not here as a file."""
    asked = checked_query(status=("", "revoked", "suspended", "superseded"), limit=None, cursor=None)
    place = place_in(site, asked, site.clock())
    statuses = newest_first(statuses_of(site.certifier.published).values())
    fitting = [status for status in statuses if asked["status"] in ("", status.state)]
    # What left the list meanwhile moves nothing: its place is still between its neighbours.
    behind = [status for status in fitting if not place.after or _key(status) < place.after]
    shown = behind[: place.limit]
    titles = site.certifier.store.titles_of([status.code for status in shown])
    items = [_withdrawn(status, *titles.get(status.code, (None, None))) for status in shown]
    return list_reply(site, items, place, _key(shown[-1]) if len(behind) > place.limit else None)


def _key(status: Status) -> str:
    """What the list is sorted by, as one text."""
    return f"{status.change.at} {status.change.log_index:020d} {status.code}"


def _withdrawn(status: Status, title: str | None, artist: str | None) -> WithdrawnView:
    change = status.change
    return WithdrawnView(
        code=display_code(status.code),
        state=status.state,
        since=change.at,
        reason=change.reason,
        replaced_by=display_code(change.replaced_by) if change.replaced_by else None,
        title=title,
        artist=artist,
        log=status.log,
        log_index=change.log_index,
        url=f"/v/{status.code}",
    )
