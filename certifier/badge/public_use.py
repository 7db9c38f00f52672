"""Where a certificate's mark may be shown to the public: by region, allowed or not, and why.

By LCAL 1.0.0 sections 9 and 17.1, DESIGN decision 18, and the law of the place: Directive (EU) 2024/825 wants a scheme that an
independent body monitors; the United Kingdom (the guidance of the CMA) and the United States (16 CFR 260.6) want the basis beside
the mark. Silence never helps: what is not known allows nothing. Nothing here is legal advice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

REGIONS: Final = ("eu", "uk", "us", "rest")
EVERYWHERE: Final = "everywhere"

# outcome -> the evidence levels that carry it (LCAL 9)
LEVELS_FOR: Final[Mapping[str, tuple[str, ...]]] = {
    "class-1": ("A2",),
    "class-2": ("A1", "A2"),
    "measured": ("A1", "A2"),
}
CLASSES: Final = ("class-1", "class-2")
_KNOWN_BOUNDARY = "LCAL-1."  # the words of a face are those of LCAL 1: data to storage, with hardware (section 9.2)

SELF_DECLARED: Final = "A self-declared measurement is a statement: it is nowhere a label or a mark."
NO_LEVEL: Final = "The evidence level does not carry this outcome."
NO_BOUNDARY: Final = "What the figure counts and leaves out is not known for this version of the standard."
NO_BODY_IN_EU: Final = (
    "No independent body under contract monitors such certificates, and Directive (EU) 2024/825 lets no mark be shown to "
    "consumers in the EU without one."
)
NO_CHECK_OF_CLASS: Final = (
    "A class is shown as a mark only if an independent verifier checked the report, or an independent body monitors such "
    "certificates; figure and class may stand as text."
)
# region -> why a mark may be shown there, when it may
ALLOWED: Final[Mapping[str, str]] = {
    "eu": "Allowed: an independent body under contract monitors the scheme, as Directive (EU) 2024/825 wants.",
    "uk": "Allowed with number, unit, boundary and basis beside it, as the CMA's guidance on environmental claims wants.",
    "us": "Allowed with number, unit, boundary and basis beside it, as 16 CFR 260.6 wants.",
    "rest": "Allowed with number, unit, boundary and basis beside it; the law of the place may want more.",
}
UNCHECKED: Final = "unchecked"  # the state of what could not be checked
# state of a certificate -> why nothing is allowed now
NOT_NOW: Final[Mapping[str, str]] = {
    "suspended": "The certificate is suspended, so its mark is not shown now.",
    "revoked": "The certificate was withdrawn, so its mark must not be shown any more.",
    "superseded": "Another certificate took its place, so its mark must not be shown any more.",
    "expired": "The certificate has run out, so its mark must not be shown any more.",
    "not_yet": "The certificate is not in force yet, so its mark is not shown yet.",
    "unreliable": "A check of the certificate failed, so nothing of it may be shown.",
    UNCHECKED: "Its status could not be checked, so nothing can be allowed now.",
}
NO_STATE: Final = "Its status is not known, so nothing can be allowed."


@dataclass(frozen=True)
class Permission:
    """Whether the mark may be shown to the public in a region, and why, in one sentence."""

    allowed: bool
    reason: str


@dataclass(frozen=True)
class Standing:
    """What decides about public use.

    ``state`` is that of the certificate now (only ``active`` allows anything); ``monitored`` the evidence levels whose
    certificates an independent body monitors at this time, none where there is no such body.
    """

    outcome: str
    evidence_level: str
    state: str
    monitored: Collection[str] = ()
    boundary_known: bool = False


def boundary_is_known(standard: str) -> bool:
    """Whether the words of a face say what the figure of this version of the standard counts and leaves out."""
    return standard.startswith(_KNOWN_BOUNDARY)


def public_use_of(standing: Standing) -> dict[str, Permission]:
    """The permission for each of REGIONS."""
    return {region: _permission(standing, region) for region in REGIONS}


def artwork_for(standing: Standing, region: str = EVERYWHERE) -> bool:
    """Whether label artwork is the art of a certificate in a region, or in all of them: ``everywhere``.

    How it stands now is left aside: art of what has ended keeps its shape and says so. Only while that cannot be told at all is
    nothing drawn as a mark.
    """
    if standing.state == UNCHECKED:
        return False
    regions = REGIONS if region == EVERYWHERE else (region,)
    return all(region in REGIONS and next(_obstacles(standing, region), None) is None for region in regions)


def reasons() -> Iterator[str]:
    """Every reason that can be given."""
    yield from (SELF_DECLARED, NO_LEVEL, NO_BOUNDARY, NO_BODY_IN_EU, NO_CHECK_OF_CLASS, NO_STATE)
    yield from ALLOWED.values()
    yield from NOT_NOW.values()


def _permission(standing: Standing, region: str) -> Permission:
    if standing.state != "active":
        return Permission(allowed=False, reason=NOT_NOW.get(standing.state, NO_STATE))
    obstacle = next(_obstacles(standing, region), None)
    return Permission(allowed=obstacle is None, reason=obstacle or ALLOWED[region])


def _obstacles(standing: Standing, region: str) -> Iterator[str]:
    """Why there is no mark in a region, the gravest reason first."""
    if standing.outcome not in LEVELS_FOR:
        yield SELF_DECLARED
    elif standing.evidence_level not in LEVELS_FOR[standing.outcome]:
        yield NO_LEVEL
    if not standing.boundary_known:
        yield NO_BOUNDARY
    is_monitored = standing.evidence_level in standing.monitored
    if region == "eu" and not is_monitored:
        yield NO_BODY_IN_EU
    if standing.outcome in CLASSES and standing.evidence_level != "A2" and not is_monitored:
        yield NO_CHECK_OF_CLASS
