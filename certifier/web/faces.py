"""The face of a certificate: what its art states, in the state that it is in now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import cast

from certifier.badge.badge import BadgeFace, Kind, Status
from certifier.badge.public_use import EVERYWHERE, Standing, artwork_for, boundary_is_known
from certifier.certificate.model import Claims

# State of a certificate (web/words.STATES) -> status of its face. What could not be checked is not called checked: no month
# stands on the image.
_STATUS: dict[str, Status] = {
    "active": "active",
    "unchecked": "active",
    "revoked": "revoked",
    "suspended": "suspended",
    "superseded": "superseded",
    "expired": "expired",
    "not_yet": "not_yet",
    "unreliable": "unreliable",
}


def standing_of(claims: Claims, state: str, monitored: Collection[str]) -> Standing:
    """What decides about public use of a certificate's mark; ``monitored`` are the levels that an independent body monitors."""
    basis = claims.basis
    return Standing(claims.outcome, basis.evidence_level, state, monitored, boundary_is_known(basis.standard))


def face_of(
    claims: Claims,
    limits: Mapping[str, str],
    state: str,
    checked_at: datetime | None = None,
    monitored: Collection[str] = (),
    region: str = EVERYWHERE,
) -> BadgeFace:
    """The face of a certificate in a state; ``checked_at`` dates an image that is served.

    Where its mark may not be shown in the region (badge/public_use.py), figure and tier stand as text.
    """
    is_statement = claims.outcome == "disclosed"
    return BadgeFace(
        code=claims.code,
        kind=cast("Kind", "statement" if is_statement else claims.outcome),
        assessed=claims.figures.assessed_g_per_min,
        central=claims.figures.central_g_per_min,
        limits=(limits["class-1"], limits["class-2"], limits["measured"]),
        standard=claims.basis.standard.replace("-", " ", 1),
        checked_by="the applicant" if claims.assessor.kind == "software" else claims.assessor.name,
        expires=claims.expires_at.date(),
        base_url=claims.issuer.base_url,
        verified=claims.assessor.kind == "verifier",
        artwork=artwork_for(standing_of(claims, state, monitored), region),
        calculated=claims.figures.calculated,
        status=_STATUS[state],
        checked_month=checked_at.strftime("%Y-%m") if checked_at and state != "unchecked" else None,
        post_production=claims.figures.post_production,
        issued=claims.issued_at.date(),
        evidence=claims.basis.evidence_level,
    )
