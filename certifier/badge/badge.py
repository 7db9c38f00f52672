"""What a face says: every word of a label or statement, in one place, so that the wording is tested and not drawn.

The words follow LCAL 1.0.0 sections 9 and 9.2. A number never stands without unit, boundary, standard, the body that
checked, and expiry. "Low-Carbon" is written with class 1 and 2 only; "Verified by" only on label artwork with an
independent verifier behind it. Where the words stand is left to :mod:`certifier.badge.layout`.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import date

Kind: TypeAlias = Literal["class-1", "class-2", "measured", "statement"]
Status: TypeAlias = Literal["active", "revoked", "suspended", "expired", "superseded", "not_yet", "unreliable"]

UNIT = "g CO2e"
PER = "per minute of finished music"
BOUNDARY = "From data to storage, with hardware."
PRINCIPLES = "Climate only, no offsets, location-based electricity."
NOT_ASSESSED = "not assessed"
CALCULATED = "Calculated with default values"


@dataclass(frozen=True)
class BadgeFace:
    """What is known of one certificate or statement; amounts are grams CO2e per minute, as printed in it.

    ``assessed`` is the upper figure that decides, ``central`` the best estimate. ``limits`` are those of class 1,
    class 2 and measured, as the standard has them. ``artwork`` is whether label artwork may be shown at all (else
    figure and tier stand as text, without a plate); ``verified`` whether ``checked_by`` is an independent verifier.
    ``checked_month`` (2026-11) dates an image that is served; None on print. ``post_production`` is its own line, or
    "not assessed".
    """

    code: str
    kind: Kind
    assessed: str
    central: str
    limits: tuple[str, str, str]
    standard: str
    checked_by: str
    expires: date
    base_url: str
    verified: bool
    artwork: bool
    calculated: bool = False
    status: Status = "active"
    checked_month: str | None = None
    post_production: str = NOT_ASSESSED

    @property
    def has_plate(self) -> bool:
        """Whether this is label artwork in force; a self-declared figure never is."""
        return self.artwork and self.kind != "statement"

    @property
    def is_active(self) -> bool:
        return self.status == "active"


@dataclass(frozen=True)
class FaceText:
    """All words of a face; an empty string is a part that this face does not have."""

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

    @property
    def sentence(self) -> str:
        """The figure as LCAL 1.0.0 section 9.2 words it."""
        return f"{self.lead} {self.number} {self.unit} {self.per} {self.estimate}"

    @property
    def title(self) -> str:
        """The short name that is read aloud, and the ``alt`` of an image."""
        return self.sentence if self.unit else f"{self.number}: {self.headline}, certificate {self.code}"

    @property
    def description(self) -> str:
        """All the rest, read aloud after the title."""
        sentences = (self.headline, self.subline, self.calculated, *self.small_print, f"Certificate {self.code}")
        return " ".join(f"{sentence.rstrip('.')}." for sentence in sentences if sentence)


@dataclass(frozen=True)
class Tier:
    headline: str
    limit_of: str
    limit: int | None  # place in BadgeFace.limits


@dataclass(frozen=True)
class Ended:
    word: str
    reason: str
    standing: str = "is no longer in force"


TIERS: dict[Kind, Tier] = {
    "class-1": Tier("Low-Carbon Audio, class 1", "Limit of class 1", 0),
    "class-2": Tier("Low-Carbon Audio, class 2", "Limit of class 2", 1),
    "measured": Tier("Measured footprint", "Limit for a measured figure", 2),
    "statement": Tier("Self-declared measurement. Not a label.", "", None),
}
ENDED: dict[Status, Ended] = {
    "revoked": Ended("Withdrawn", "It was taken back. Scan the code for the date and the reason."),
    "suspended": Ended("Suspended", "It is under review. Scan the code for the state of things."),
    "expired": Ended("Expired", "Its time has run out. Scan the code for a newer one."),
    "superseded": Ended("Replaced", "A newer certificate has taken its place. Scan the code to see it."),
    "not_yet": Ended("Not yet", "Its first day is still to come. Scan the code for its dates.", "is not in force yet"),
    "unreliable": Ended(
        "Not valid", "A check of it failed. Scan the code for what was found.", "is not to be relied on"
    ),
}


def face_lines(face: BadgeFace) -> FaceText:
    """The words of a face. One that is not in force says so, and makes no claim."""
    return _words_in_force(face) if face.is_active else _words_of_ended(face, ENDED[face.status])


def shown_code(code: str) -> str:
    """A code as people read it: 7K3Q-Z9M2-XA."""
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def plain(text: str) -> str:
    """A foreign text on one line, without control, direction and other invisible characters."""
    visible = (" " if letter.isspace() else letter for letter in text)
    return " ".join("".join(letter for letter in visible if unicodedata.category(letter)[0] != "C").split())


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
        None if separate == NOT_ASSESSED else f"Post-production, separate: {separate}",
        PRINCIPLES,
        _checked_line(face),
        _expiry_line(face),
        _status_line(face),
    )
    return tuple(line for line in lines if line)


def _checked_line(face: BadgeFace) -> str:
    if face.kind == "statement":
        return f"Declared by {plain(face.checked_by)}"
    verb = ("Verified by" if face.artwork else "Checked by") if face.verified else "Attested by"
    return f"{verb} {plain(face.checked_by)}"


def _expiry_line(face: BadgeFace) -> str:
    return f"{plain(face.standard)}, valid until {face.expires.isoformat()}"


def _status_line(face: BadgeFace) -> str | None:
    return f"Status checked {plain(face.checked_month)}" if face.checked_month else None


def _words_of_ended(face: BadgeFace, ended: Ended) -> FaceText:
    noun = "label" if face.has_plate else "statement"
    last_lines = (_expiry_line(face).replace("valid", "issued to run"), _status_line(face))
    return FaceText(
        headline="AI generation footprint",
        subline=f"This {noun} {ended.standing}",
        lead="",
        number=ended.word,
        unit="",
        per="",
        estimate="",
        calculated="",
        small_print=(ended.reason, *(line for line in last_lines if line)),
        code=shown_code(face.code),
    )
