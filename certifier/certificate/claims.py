"""From a decision to the claims of its certificate: one door, for the issuer who signs and for whoever replays a certificate.

Three things meet here: what was signed (the report), what was decided (the record and the result of the rules), and what the
issuer chooses or knows of its own (`Own`: code, places in the status lists, names). Values in, values out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from certifier.certificate.model import Assessor, Basis, Claims, Figures, Issuer, Subject, months_later
from certifier.certificate.status import StatusEntry
from certifier.crypto.canonical import sha256_hex
from certifier.errors import NotFoundError
from certifier.report.envelope import OpenedReport
from certifier.report.evidence import Evidence, assessor_of
from certifier.report.model import Report
from certifier.standard.evaluate import Verdict
from certifier.standard.model import Standard

VALID_MONTHS = 36  # LCAL 11
SOFTWARE = Assessor("software", "software", "software only; nobody but the applicant vouches for the figures")


@dataclass(frozen=True)
class Result:
    """What one version of a standard says of a track; digests are SHA-256 in hex."""

    outcome: str
    evidence_level: str
    figures: Figures
    standard: str
    standard_sha256: str
    tables_sha256: str


@dataclass(frozen=True)
class Own:
    """What no report and no rule says: the issuer's choice, or known to it alone.

    ``essence_sha256`` comes from the audio; ``assessor_name`` from the register, None where it does not list the key.
    """

    issuer: Issuer
    code: str
    status: tuple[StatusEntry, ...]
    essence_sha256: str | None
    assessor_name: str | None


def result_of(verdict: Verdict, standard: Standard) -> Result:
    """Raises NotFoundError for a verdict without a figure."""
    return Result(
        verdict.outcome,
        verdict.evidence_level,
        figures_of(verdict, standard),
        standard.id,
        standard.digest,
        standard.tables_digest,
    )


def claims_of(
    opened: OpenedReport, evidence: Evidence, record: bytes, result: Result, *, own: Own, decided_at: datetime
) -> Claims:
    """Everything that a certificate states. ``record`` are the bytes of the decision record that holds the evidence."""
    track = opened.report.track
    return Claims(
        code=own.code,
        outcome=result.outcome,
        issuer=own.issuer,
        subject=Subject(track.title, track.artist, track.audio_sha256, own.essence_sha256, track.isrc),
        figures=result.figures,
        basis=Basis(
            result.standard,
            result.standard_sha256,
            result.tables_sha256,
            opened.digest,
            sha256_hex(record),
            result.evidence_level,
        ),
        assessor=_assessor(opened.report, evidence, own.assessor_name),
        issued_at=decided_at,
        expires_at=months_later(decided_at, VALID_MONTHS),
        status=own.status,
    )


def _assessor(report: Report, evidence: Evidence, name: str | None) -> Assessor:
    """Who stands behind the figure: whom the evidence level rests on, else this software alone."""
    signature: Any = assessor_of(report, evidence)
    return Assessor(signature.role, signature.id, name) if signature and name is not None else SOFTWARE


def figures_of(verdict: Verdict, standard: Standard) -> Figures:
    """The printed figures of a verdict. Raises NotFoundError when it has no footprint."""
    footprint = verdict.footprint
    if footprint is None:
        raise NotFoundError("This decision has no figure.")
    post, limits = footprint.post_production, standard.parameters.limits
    limit = {"class-1": limits.class_1, "class-2": limits.class_2}.get(verdict.outcome, limits.measured)
    return Figures(
        assessed_g_per_min=str(footprint.assessed),
        central_g_per_min=str(footprint.central),
        consumer_g_per_min=_cents(footprint.consumer.central),
        provider_g_per_min=_cents(footprint.provider.central),
        limit_g_per_min=str(limit),
        data_quality=footprint.rating,
        post_production=f"{_cents(post.central)} (at most {_cents(post.upper)})" if post else "not assessed",
        calculated=footprint.calculated,
    )


def _cents(grams: Decimal) -> str:
    """Two decimals, half up (LCAL 4.8)."""
    return str(grams.quantize(Decimal("0.01"), ROUND_HALF_UP))
