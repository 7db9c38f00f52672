"""The face of a certificate: what its art states, in the state that it is in now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from certifier.badge.badge import BadgeFace, Kind, Status
from certifier.certificate.model import Claims

# The one who asks for art names where it will be shown; without that it has to be allowed in all of them.
EVERYWHERE = "everywhere"
REGIONS = (EVERYWHERE, "eu", "uk", "us", "rest")

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


def face_of(
    claims: Claims,
    limits: Mapping[str, str],
    state: str,
    checked_at: datetime | None = None,
    *,
    artwork: bool | None = None,
) -> BadgeFace:
    """The face of a certificate in a state; ``checked_at`` dates an image that is served.

    ``artwork``: whether label artwork may be shown; else figure and tier stand as text. By default what DESIGN 18 allows.
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
        artwork=has_artwork(claims) if artwork is None else artwork and not is_statement,
        calculated=claims.figures.calculated,
        status=_STATUS[state],
        checked_month=checked_at.strftime("%Y-%m") if checked_at and state != "unchecked" else None,
        post_production=claims.figures.post_production,
        issued=claims.issued_at.date(),
        evidence=claims.basis.evidence_level,
    )


def has_artwork(claims: Claims, region: str = EVERYWHERE) -> bool:  # noqa: ARG001 - the same in every region so far
    """Whether label artwork may be shown there. Class artwork needs an independent verifier (DESIGN 18)."""
    is_class = claims.outcome.startswith("class-")
    return claims.outcome == "measured" or (is_class and claims.basis.evidence_level == "A2")
