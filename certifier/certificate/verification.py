"""What a verification is given and what it answers: the material that was brought, and the verdict with every check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from certifier.certificate.code import display_code
from certifier.certificate.compact import Compact
from certifier.certificate.model import Claims
from certifier.certificate.times import time_text
from certifier.certificate.trust import Trust
from certifier.certificate.verdict import Check


@dataclass(frozen=True)
class AudioDigests:
    """The file that a listener or a platform holds: SHA-256 of the file and of its essence, in hex; or only its ISRC.

    ``sha256`` is empty where only the essence or the ISRC is known.

    ``unreadable`` says why the file could not be read; then nothing is known of it.
    """

    sha256: str
    essence_sha256: str | None = None
    unreadable: str = ""
    isrc: str | None = None


@dataclass(frozen=True)
class Verification:
    """The verdict, why (a word for machines and a sentence), and each check.

    ``claims`` and ``compact`` are None whenever the document cannot be believed; ``compact`` stands for a print that was checked
    alone.
    """

    verdict: str
    reason: str
    because: str
    checks: tuple[Check, ...]
    checked_at: datetime
    claims: Claims | None = field(default=None)
    compact: Compact | None = field(default=None)

    @property
    def axes(self) -> dict[str, str]:
        return {check.axis: check.value for check in self.checks}


def verification_document(verification: Verification) -> dict[str, Any]:
    """The verification as JSON, for the command line and the API alike; nothing of a document that cannot be believed."""
    return {
        "verdict": verification.verdict,
        "reason": verification.reason,
        "because": verification.because,
        "checked_at": time_text(verification.checked_at),
        "axes": verification.axes,
        "checks": [check.to_document() for check in verification.checks],
        "certificate": _summary(verification),
    }


# What a row of many may say: a verdict, that there is no certificate, or that the row cannot be answered.
ROW_RESULTS = ("valid", "valid_with_warnings", "not_valid", "cannot_tell", "no_certificate", "problem")


def verification_row(verification: Verification) -> dict[str, Any]:
    """The verification as one row of many: of a batch, of a table. Members without a value are None.

    ``result``, one of ROW_RESULTS, is the verdict here; rows without a certificate, or that cannot be read, have another word.
    """
    claims = verification.claims
    return {
        "result": verification.verdict,
        "code": display_code(claims.code) if claims else None,
        "verdict": verification.verdict,
        "because": verification.because,
        "outcome": claims.outcome if claims else None,
        "assessed_g_per_min": claims.figures.assessed_g_per_min if claims else None,
        "axes": verification.axes,
    }


def _summary(verification: Verification) -> dict[str, str] | None:
    claims = verification.claims
    if claims is None:
        return None
    return {
        "code": display_code(claims.code),
        "title": claims.subject.title,
        "artist": claims.subject.artist,
        "outcome": claims.outcome,
        "assessed_g_per_min": claims.figures.assessed_g_per_min,
        "central_g_per_min": claims.figures.central_g_per_min,
        "evidence_level": claims.basis.evidence_level,
        "standard": claims.basis.standard,
        "issued_at": time_text(claims.issued_at),
        "expires_at": time_text(claims.expires_at),
    }


@dataclass(frozen=True)
class Material:
    """What was brought to check a certificate with. None and absent mean: could not be had.

    ``pack_lists`` come from a pack that the verifier chose, ``lists_as_of`` is its moment: out of their dates they still tell
    what was so then. Lists that lie beside a certificate were brought by whoever shows it, and get no such grace.
    """

    trust: Trust | None
    proof: bytes | None = None
    status_lists: Mapping[str, bytes] = field(default_factory=dict)
    audio: AudioDigests | None = None
    pack_lists: Mapping[str, bytes] = field(default_factory=dict)
    lists_as_of: datetime | None = None

    def with_proof(self, proof: bytes | None) -> Material:
        """The same with the proof of another certificate."""
        return Material(self.trust, proof, self.status_lists, self.audio, self.pack_lists, self.lists_as_of)

    def with_audio(self, audio: AudioDigests | None) -> Material:
        """The same for another recording."""
        return Material(self.trust, self.proof, self.status_lists, audio, self.pack_lists, self.lists_as_of)
