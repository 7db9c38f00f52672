"""What a face says: every word of a label or statement, in one place, so that the wording is tested and not drawn.

The words follow LCAL 1.0.0 sections 9 and 9.2. A number never stands without unit, boundary, standard, the body that
checked, and expiry. "Low-Carbon" is written with class 1 and 2 only; "Verified by" only on label artwork with an
independent verifier behind it. Art that is served says how the certificate stands and in which month that was looked at;
art for print bears its days and its code, and says nothing of how it stands now. Where the words stand is left to the
layouts: shield.py, square.py, label.py, sheet.py.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, TypeAlias

from certifier.badge.lettering import cut, has_all_letters

Kind: TypeAlias = Literal["class-1", "class-2", "measured", "statement"]
Status: TypeAlias = Literal[
    "active", "revoked", "suspended", "expired", "superseded", "not_yet", "unreliable", "away", "unknown"
]

UNIT = "g CO2e"
PER = "per minute of finished music"
BOUNDARY = "From data to storage, with hardware."
WHOLE = "Says nothing of the whole song."
PRINCIPLES = "Climate only, no offsets, location-based electricity."
NOT_ASSESSED = "not assessed"
CALCULATED = "Calculated with default values"
MEASURED_THING = "AI footprint"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONGEST_NAME = 31  # of its own size: what two lines of small print hold beside the words around it
NAMELESS = "a body whose name is in another script (see the page)"


@dataclass(frozen=True)
class BadgeFace:
    """What is known of one certificate or statement; amounts are grams CO2e per minute, as printed in it.

    ``assessed`` is the upper figure that decides, ``central`` the best estimate. ``limits`` are those of class 1,
    class 2 and measured, as the standard has them. ``artwork`` is whether label artwork may be shown at all (else
    figure and tier stand as text, without a plate); ``verified`` whether ``checked_by`` is an independent verifier.
    ``checked_month`` (2026-11) dates an image that is served; None on print, which bears ``issued`` instead.
    ``post_production`` is its own line, or "not assessed". ``evidence`` is the level of evidence (A0, A1, A2).
    """

    code: str
    kind: Kind
    assessed: str
    central: str
    limits: tuple[str, str, str]
    standard: str
    checked_by: str
    expires: date | None
    base_url: str
    verified: bool
    artwork: bool
    calculated: bool = False
    status: Status = "active"
    checked_month: str | None = None
    post_production: str = NOT_ASSESSED
    issued: date | None = None
    evidence: str = ""

    @property
    def has_plate(self) -> bool:
        """Whether this is label artwork in force; a self-declared figure never is."""
        return self.artwork and self.kind != "statement"

    @property
    def is_active(self) -> bool:
        return self.status == "active"

    def drawable(self) -> BadgeFace:
        """The same with a name that can be drawn: one in another script gives way to words that say so, a long one is cut."""
        name = plain(self.checked_by)
        drawn = cut(name, LONGEST_NAME, 1, "medium") if has_all_letters(name) else NAMELESS
        return self if drawn == self.checked_by else replace(self, checked_by=drawn)


def bare_face(code: str, base_url: str, status: Status) -> BadgeFace:
    """A face of which nothing but code and status is known: never issued, or not to be believed."""
    return BadgeFace(
        code=code,
        kind="statement",
        assessed="",
        central="",
        limits=("", "", ""),
        standard="",
        checked_by="",
        expires=None,
        base_url=base_url,
        verified=False,
        artwork=False,
        status=status,
    )


@dataclass(frozen=True)
class FaceText:
    """All words of a face; an empty string is a part that this face does not have. ``limit`` is short for the subline."""

    headline: str
    subline: str
    lead: str
    number: str
    unit: str
    per: str
    estimate: str
    calculated: str
    small_print: tuple[str, ...]
    code: str
    limit: str = ""
    caution: str = ""  # read aloud with the figure, wherever a picture is told in a few words

    @property
    def sentence(self) -> str:
        """The figure as LCAL 1.0.0 section 9.2 words it."""
        return f"{self.lead} {self.number} {self.unit} {self.per} {self.estimate}"

    @property
    def title(self) -> str:
        """The short name that is read aloud, and the ``alt`` of an image."""
        if self.unit:
            return f"{self.sentence}. {self.caution}" if self.caution else self.sentence
        return f"{self.number}: {self.headline}, certificate {self.code}"

    @property
    def description(self) -> str:
        """All the rest, read aloud after the title."""
        sentences = (self.headline, self.subline, self.calculated, *self.small_print, f"Certificate {self.code}")
        return sentences_of(sentences)

    @property
    def flow(self) -> str:
        """The small print as one paragraph."""
        return sentences_of(self.small_print)


def sentences_of(parts: Iterable[str]) -> str:
    """One text of them, each with a full stop; empty ones are left out."""
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


@dataclass(frozen=True)
class Tier:
    headline: str
    limit_of: str
    limit: int | None  # place in BadgeFace.limits
    word: str


@dataclass(frozen=True)
class Ended:
    word: str
    reason: str
    standing: str = "This {noun} is no longer in force"


TIERS: dict[Kind, Tier] = {
    "class-1": Tier("Low-Carbon Audio, class 1", "Limit of class 1", 0, "class 1"),
    "class-2": Tier("Low-Carbon Audio, class 2", "Limit of class 2", 1, "class 2"),
    "measured": Tier("Measured footprint", "Limit for a measured figure", 2, "measured"),
    "statement": Tier("Self-declared measurement. Not a label.", "", None, "self-declared"),
}
ENDED: dict[Status, Ended] = {
    "revoked": Ended("Withdrawn", "It was taken back. Scan the code for the date and the reason."),
    "suspended": Ended(
        "Suspended", "It is under review. Scan the code for the state of things.", "This {noun} is not in force now"
    ),
    "expired": Ended("Expired", "Its time has run out. Scan the code for a newer one."),
    "superseded": Ended("Replaced", "A newer certificate has taken its place. Scan the code to see it."),
    "not_yet": Ended(
        "Not yet", "Its first day is still to come. Scan the code for its dates.", "This {noun} is not in force yet"
    ),
    "unreliable": Ended(
        "Not valid", "A check of it failed. Scan the code for what was found.", "This {noun} is not to be relied on"
    ),
    "away": Ended("Not here", "It is in the log. Scan the code again later.", "Its file is not here just now"),
    "unknown": Ended(
        "No such certificate",
        "A label that bears this code may be false.",
        "Nobody ever issued a certificate with this code",
    ),
}


def face_lines(face: BadgeFace) -> FaceText:
    """The words of a face. One that is not in force says so, and makes no claim."""
    return _words_in_force(face) if face.is_active else _words_of_ended(face, ENDED[face.status])


def read_and_drawn(face: BadgeFace) -> tuple[FaceText, FaceText]:
    """The words as they are read aloud, and as the bundled font can draw them."""
    said, drawable = face_lines(face), face.drawable()
    return said, said if drawable is face else face_lines(drawable)


def shown_code(code: str) -> str:
    """A code as people read it: 7K3Q-Z9M2-XA."""
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def plain(text: str) -> str:
    """A foreign text on one line, without control, direction and other invisible characters."""
    visible = (" " if letter.isspace() else letter for letter in text)
    shown = "".join(letter for letter in visible if unicodedata.category(letter)[0] != "C")
    return " ".join(unicodedata.normalize("NFC", shown).split())


def shield_words(face: BadgeFace) -> tuple[str, str]:
    """The two halves of a shield: what is measured, and the figure with its tier, dated."""
    if not face.is_active:
        return MEASURED_THING, " · ".join(filter(None, (ENDED[face.status].word.lower(), _month(face.checked_month))))
    dates = _month(face.checked_month) if face.checked_month else _span(face)
    parts = (f"{face.assessed} g/min", TIERS[face.kind].word, dates)
    code = "" if face.checked_month or not face.issued else shown_code(face.code)
    return MEASURED_THING, " · ".join(filter(None, (*parts, code)))


def _month(year_and_month: str | None) -> str:
    """2026-11 -> Nov 2026."""
    year, _, month = plain(year_and_month or "").partition("-")
    return f"{MONTHS[int(month) - 1]} {year}" if month.isdecimal() and 1 <= int(month) <= len(MONTHS) else year


def _span(face: BadgeFace) -> str:
    days = [day.strftime("%Y-%m") for day in (face.issued, face.expires) if day]
    return " to ".join(_month(day) for day in days) if face.issued else ""


def _words_in_force(face: BadgeFace) -> FaceText:
    tier = TIERS[face.kind]
    return FaceText(
        headline=tier.headline,
        subline=_limit_line(face, tier),
        lead="AI generation footprint: at most",
        number=face.assessed,
        unit=UNIT,
        per=PER,
        estimate=f"(best estimate {face.central})",
        calculated=CALCULATED if face.calculated else "",
        small_print=_small_print(face),
        code=shown_code(face.code),
        limit="" if tier.limit is None else f"at most {face.limits[tier.limit]} g per minute",
        caution=tier.headline if face.kind == "statement" else "",
    )


def _limit_line(face: BadgeFace, tier: Tier) -> str:
    if tier.limit is None:
        return "Nobody else has checked this figure."
    return f"{tier.limit_of}: {face.limits[tier.limit]} {UNIT} per minute"


def _small_print(face: BadgeFace) -> tuple[str, ...]:
    separate = plain(face.post_production)
    left_out = "post-production, listening, buildings" if separate == NOT_ASSESSED else "listening, buildings"
    lines = (
        BOUNDARY,
        f"Not counted: {left_out}.",
        None if separate == NOT_ASSESSED else f"Post-production, separate: {separate} g per minute",
        PRINCIPLES,
        WHOLE,
        _checked_line(face),
        _expiry_line(face),
        _status_line(face),
    )
    return tuple(line for line in lines if line)


def checked_verb(face: BadgeFace) -> str:
    """What the body did whose name stands behind it."""
    if face.kind == "statement":
        return "Declared by"
    return ("Verified by" if face.artwork else "Checked by") if face.verified else "Attested by"


def _checked_line(face: BadgeFace) -> str:
    evidence = f" (evidence {face.evidence})" if face.evidence else ""
    return f"{checked_verb(face)} {plain(face.checked_by)}{evidence}"


def _expiry_line(face: BadgeFace) -> str | None:
    if face.expires is None:
        return None
    issued = f"issued {face.issued.isoformat()}, " if face.issued and not face.checked_month else ""
    return f"{plain(face.standard)}, {issued}valid until {face.expires.isoformat()}"


def _status_line(face: BadgeFace) -> str | None:
    return f"Status checked {_month(face.checked_month)}" if face.checked_month else None


def _words_of_ended(face: BadgeFace, ended: Ended) -> FaceText:
    noun = "certificate" if face.expires is None else "label" if face.has_plate else "statement"
    ran = f"{plain(face.standard)}, issued to run until {face.expires.isoformat()}" if face.expires else None
    return FaceText(
        headline="AI generation footprint",
        subline=ended.standing.format(noun=noun),
        lead="",
        number=ended.word,
        unit="",
        per="",
        estimate="",
        calculated="",
        small_print=tuple(line for line in (ended.reason, ran, _status_line(face)) if line),
        code=shown_code(face.code),
    )
