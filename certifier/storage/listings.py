"""What the register is searched by: one narrow row for each certificate, and the questions that people ask about them.

A listing is derived from the certificate and its submission in the transaction that accepts them, so that a search reads neither
documents nor reports. Letters are compared folded: without case, accents and marks that only change direction.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import JSON, ColumnElement, Dialect, Select, Text, and_, case, cast, func, or_, select, union

from certifier.isrc import plain_isrc
from certifier.storage.rows import CertificateRow, DeliveredRow, SubmissionRow
from certifier.storage.tables import certificates, listings, submissions

Order = Literal["newest", "oldest", "title", "artist"]
Recording = Literal["isrc", "sha256", "essence_sha256"]

MOST_TERMS = 8
KEY_LENGTH = 60  # characters that a title or name is sorted by; an index takes no long texts
# General categories of Unicode that are not letters of a search: control, format (direction), combining marks.
_UNHEARD = {"Cc", "Cf", "Mn", "Me"}
# order -> (column, whether the largest comes first)
ORDERS: dict[Order, tuple[Any, bool]] = {
    "newest": (listings.c.issued_at, True),
    "oldest": (listings.c.issued_at, False),
    "title": (listings.c.title_key, False),
    "artist": (listings.c.artist_key, False),
}


@dataclass(frozen=True)
class Search:
    """What is asked for; an empty member asks for nothing. ``sha256`` is of a file or of its samples, ``audio_sha256`` and
    ``essence_sha256`` of the one alone. ``terms`` stand in title or artist, the others in the one that they name.

    ``only`` and ``besides`` are codes: of the certificates that the log tells a status of. ``now`` is a time as it is stored;
    with it, ``dates`` asks for those that are ``current`` at that time, ``expired`` or ``not_yet``. What begins by ``begun`` has
    begun: clocks differ a little; empty, it is ``now``.
    """

    terms: tuple[str, ...] = ()
    title_terms: tuple[str, ...] = ()
    artist_terms: tuple[str, ...] = ()
    isrc: str = ""
    sha256: str = ""
    audio_sha256: str = ""
    essence_sha256: str = ""
    outcome: str = ""
    standard: str = ""
    evidence_level: str = ""
    year: str = ""
    issued_after: str = ""
    only: Collection[str] | None = None
    besides: Collection[str] = ()
    dates: str = ""
    now: str = ""
    begun: str = ""


@dataclass(frozen=True)
class Listing:
    """A certificate as the register lists it, with the names that people know it by."""

    code: str
    issued_at: str
    expires_at: str
    outcome: str
    standard: str
    evidence_level: str
    assessed_g_per_min: str
    isrc: str
    title: str
    artist: str


def folded(text: str) -> str:
    """The text as it is compared: compatible forms are one, case, accents and direction do not matter, spaces are single."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join(" " if char.isspace() else char for char in plain if _is_heard(char))
    return " ".join(kept.split())


def _is_heard(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) not in _UNHEARD


def terms_of(text: str) -> tuple[str, ...]:
    """The words of a question, folded, each once."""
    return tuple(dict.fromkeys(folded(text).split()))


def listing_of(certificate: CertificateRow, submission: SubmissionRow) -> dict[str, str]:
    """The row of a certificate."""
    return listing_values(
        code=certificate.code,
        issued_at=certificate.issued_at,
        expires_at=certificate.expires_at,
        outcome=certificate.outcome,
        payload=certificate.payload,
        title=submission.title,
        artist=submission.artist,
    )


def listing_values(
    *, code: str, issued_at: str, expires_at: str, outcome: str, payload: bytes, title: str, artist: str
) -> dict[str, str]:
    """As ``listing_of``. What the payload does not say in the form of this release stays empty."""
    said, title, artist = _said_in(payload), folded(title), folded(artist)
    return {
        "code": code,
        "issued_at": issued_at,
        "expires_at": expires_at,
        "outcome": outcome,
        "standard": said.get("standard", "")[:60],
        "evidence_level": said.get("assurance", "")[:4],
        "assessed_g_per_min": said.get("assessed", "")[:40],
        "isrc": plain_isrc(said.get("ext:ISRC", ""))[:20],
        "essence_sha256": said.get("ext:audio-essence-v1-sha256", "")[:64],
        "title_key": title[:KEY_LENGTH],
        "artist_key": artist[:KEY_LENGTH],
        "words": f"{title}\n{artist}",
    }


def _said_in(payload: bytes) -> dict[str, str]:
    """Identifiers and results by their names, and the standard's id, as certificate/credential.py writes them."""
    try:
        subject = json.loads(payload)["credentialSubject"]
        said = {entry["identityType"]: entry["identityHash"] for entry in subject["identifier"]}
        said |= {entry["resultDescription"].rpartition("#")[2]: entry["value"] for entry in subject["result"]}
        said["standard"] = subject["achievement"]["name"].partition(":")[0]
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {name: value for name, value in said.items() if isinstance(value, str)}


# -- questions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """How a page is read: along the index of its order, which finds the first rows of many soon; or, where few rows fit, by
    one look at all of the narrow rows. The database is not asked to guess which.
    """

    order: Order = "newest"
    along_index: bool = False
    backwards: bool = False

    @property
    def falls(self) -> bool:
        """Whether the largest comes first."""
        return ORDERS[self.order][1] != self.backwards

    def column(self, column: Any) -> Any:
        """A column as it is compared: as it is where its index is to be used."""
        is_key = self.along_index and column is ORDERS[self.order][0]
        return column if is_key else func.coalesce(column, "")


def condition_of(search: Search, dialect: Dialect, way: Way) -> ColumnElement[bool]:
    """What a listing has to fulfil. What somebody typed is a bound value, and its % and _ stand for themselves."""
    undelivered = select(certificates.c.code).where(certificates.c.document.is_(None))
    wanted: list[ColumnElement[bool]] = [listings.c.code.not_in(undelivered)]
    wanted += [listings.c.words.contains(term, autoescape=True) for term in search.terms]
    # Title and artist are the two lines of the words.
    wanted += [listings.c.words.like(f"%{_literal(term)}%\n%", escape="/") for term in search.title_terms]
    wanted += [listings.c.words.like(f"%\n%{_literal(term)}%", escape="/") for term in search.artist_terms]
    for name in ("isrc", "outcome", "standard", "evidence_level", "essence_sha256"):
        if value := getattr(search, name):
            wanted.append(listings.c[name] == value)
    if search.audio_sha256:
        wanted.append(listings.c.code.in_(_of_file(search.audio_sha256)))
    if search.sha256:
        of_samples = select(listings.c.code).where(listings.c.essence_sha256 == search.sha256)
        wanted.append(listings.c.code.in_(union(_of_file(search.sha256), of_samples)))
    if search.only is not None:
        wanted.append(listings.c.code.in_(_listed(search.only, dialect)))
    if search.besides:
        wanted.append(listings.c.code.not_in(_listed(search.besides, dialect)))
    return and_(*wanted, *_dates(search, way))


def _of_file(sha256: str) -> Select[tuple[str]]:
    return select(certificates.c.code).where(certificates.c.audio_sha256 == sha256)


def _literal(term: str) -> str:
    """A term in which % and _ stand for themselves, with ``/`` as the mark of that."""
    return term.replace("/", "//").replace("%", "/%").replace("_", "/_")


def _dates(search: Search, way: Way) -> list[ColumnElement[bool]]:
    issued = way.column(listings.c.issued_at)
    begun, ended = issued <= (search.begun or search.now), listings.c.expires_at <= search.now
    in_year = [issued.between(f"{search.year}-01-01", f"{search.year}-12-31T23:59:59Z")] if search.year else []
    later = [issued > search.issued_after] if search.issued_after else []
    return in_year + later + {"current": [begun, ~ended], "expired": [ended], "not_yet": [~begun]}.get(search.dates, [])


def _listed(codes: Collection[str], dialect: Dialect) -> Any:
    """Many codes as one bound value: a database takes only so many of them."""
    text = json.dumps(sorted(codes))
    is_postgresql = dialect.name == "postgresql"
    elements = func.json_array_elements_text(cast(cast(text, Text), JSON)) if is_postgresql else func.json_each(text)
    return select(elements.table_valued("value").c.value)


def beside(way: Way, key: str, code: str) -> ColumnElement[bool]:
    """What comes behind the row with this key and code, on this way."""
    column = way.column(ORDERS[way.order][0])
    beyond = column < key if way.falls else column > key
    further = listings.c.code < code if way.backwards else listings.c.code > code
    # The first part is implied by the second; it lets the index find where to begin.
    return and_(column <= key if way.falls else column >= key, or_(beyond, and_(column == key, further)))


def page_query(condition: ColumnElement[bool], way: Way, limit: int) -> Any:
    """The first listings on a way; those of one key in the order of their codes. The narrow rows alone are gone through, and
    names are looked up for the few that are shown.
    """
    key = ORDERS[way.order][0]

    def by(key: ColumnElement[str], code: ColumnElement[str]) -> Any:
        return (key.desc() if way.falls else key.asc(), code.desc() if way.backwards else code.asc())

    found = select(listings).where(condition).order_by(*by(way.column(key), listings.c.code)).limit(limit).subquery()
    named = found.join(certificates, certificates.c.code == found.c.code).join(
        submissions, submissions.c.id == certificates.c.submission_id
    )
    shown = [found.c[name] for name in Listing.__dataclass_fields__ if name not in {"title", "artist"}]
    query = select(*shown, submissions.c.title, submissions.c.artist).select_from(named)
    return query.order_by(*by(found.c[key.name], found.c.code))


# What a recording is known by: the ISRC that its certificate states, the SHA-256 of its file or of its samples.
RECORDINGS: dict[Recording, Any] = {
    "isrc": listings.c.isrc,
    "sha256": certificates.c.audio_sha256,
    "essence_sha256": listings.c.essence_sha256,
}


def newest_in_force_query(
    kind: Recording, values: Collection[str], now: str, besides: Collection[str], dialect: Dialect
) -> Any:
    """One certificate for each recording, under the name that it was asked by (``recording``): the newest in force, else the
    newest. Of two of one second the code decides, so that the answer is always the same.
    """
    known_by = RECORDINGS[kind]
    is_in_force = and_(certificates.c.in_force == 1, certificates.c.expires_at > now)
    if besides:
        is_in_force = and_(is_in_force, certificates.c.code.not_in(_listed(besides, dialect)))
    order = (case((is_in_force, 0), else_=1), certificates.c.issued_at.desc(), certificates.c.code)
    ranked = (
        select(
            known_by.label("recording"),
            certificates.c.code,
            func.row_number().over(partition_by=known_by, order_by=order).label("place"),
        )
        .select_from(certificates.join(listings, listings.c.code == certificates.c.code))
        .where(known_by.in_(sorted(values)), certificates.c.document.is_not(None))
        .subquery()
    )
    best = ranked.join(certificates, certificates.c.code == ranked.c.code)
    shown = (certificates.c[name] for name in DeliveredRow._fields)
    return select(ranked.c.recording, *shown).select_from(best).where(ranked.c.place == 1)
