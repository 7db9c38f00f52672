"""What a certificate says: one value that is written into the signed document and read back from it.

Named tuples, which are made quicker than frozen dataclasses: each verification makes six of them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, NamedTuple

from certifier.certificate.status import StatusEntry

Outcome = Literal["disclosed", "measured", "class-2", "class-1"]
OUTCOMES: dict[str, str] = {
    "disclosed": "Self-declared measurement. Not a label.",
    "measured": "AI generation footprint, measured",
    "class-2": "Low-Carbon Audio, class 2",
    "class-1": "Low-Carbon Audio, class 1",
}


class Issuer(NamedTuple):
    """Who issues: ``did:web:…``, its name, and the public base URL without a slash at the end."""

    did: str
    name: str
    base_url: str


class Figures(NamedTuple):
    """Grams CO2e per minute of finished music, as printed: two decimals; ``limit_g`` belongs to the outcome."""

    assessed_g_per_min: str
    central_g_per_min: str
    consumer_g_per_min: str
    provider_g_per_min: str
    limit_g_per_min: str
    data_quality: str
    post_production: str
    calculated: bool


class Subject(NamedTuple):
    """The track: digests are SHA-256 in hex."""

    title: str
    artist: str
    audio_sha256: str
    essence_sha256: str | None = None
    isrc: str | None = None


class Basis(NamedTuple):
    """What the certificate rests on; digests are SHA-256 in hex."""

    standard: str
    standard_sha256: str
    tables_sha256: str
    report_sha256: str
    decision_sha256: str
    evidence_level: str


class Assessor(NamedTuple):
    """Who checked the report: a verifier, a measuring party, or (``kind`` software) nobody but this service."""

    kind: Literal["verifier", "measuring_party", "service", "software"]
    id: str
    name: str


class Claims(NamedTuple):
    """Everything that a certificate states, before it is signed."""

    code: str
    outcome: str
    issuer: Issuer
    subject: Subject
    figures: Figures
    basis: Basis
    assessor: Assessor
    issued_at: datetime
    expires_at: datetime
    status: tuple[StatusEntry, ...]


def months_later(moment: datetime, months: int) -> datetime:
    """The same day some months on, or the last day of that month (LCAL 11)."""
    month = moment.month - 1 + months
    year, month = moment.year + month // 12, month % 12 + 1
    next_month = date(year + month // 12, month % 12 + 1, 1)
    last_day = (next_month - date(year, month, 1)).days
    return moment.replace(year=year, month=month, day=min(moment.day, last_day))
