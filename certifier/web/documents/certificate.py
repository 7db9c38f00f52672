"""A certificate as it stands now, as JSON: track, figures, standard, lifecycle, public use, links."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from certifier.badge.public_use import REGIONS, Permission
from certifier.certificate.code import display_code
from certifier.certificate.credential import standard_url
from certifier.certificate.model import OUTCOMES, Claims
from certifier.certificate.times import time_text
from certifier.service.certifier import REASONS
from certifier.storage.rows import CertificateRow
from certifier.web.documents.base import LEVELS, Document, extensible
from certifier.web.documents.verification import VerificationView, verification_view
from certifier.web.records import Record
from certifier.web.words import EXCLUDED, INCLUDED, STATES


class TrackView(Document):
    title: str
    artist: str
    isrc: str | None
    audio_sha256: str
    audio_essence_v1_sha256: str | None


class FiguresView(Document):
    """Grams CO2e per minute of finished music; the assessed figure is the upper bound that decides."""

    assessed_g_per_min: str
    central_g_per_min: str
    consumer_g_per_min: str
    provider_g_per_min: str
    limit_g_per_min: str
    post_production: str
    data_quality: str
    calculated_with_defaults: bool


class BoundaryView(Document):
    included: list[str] = Field(default_factory=lambda: list(INCLUDED))
    excluded: list[str] = Field(default_factory=lambda: list(EXCLUDED))
    climate_only: bool = True
    offsets_counted: bool = False
    location_based: bool = True
    whole_song: bool = False
    iso_14024_ecolabel: bool = False
    public_authority_label: bool = False


class BasisView(Document):
    id: str
    sha256: str
    tables_sha256: str
    url: str


class AssessorView(Document):
    kind: str
    id: str
    name: str


class ChangeView(Document):
    log_index: int
    kind: str = extensible("suspend", "reinstate", "revoke")
    at: str
    reason: str = extensible(*REASONS, "")
    replaced_by: str | None


class LifecycleView(Document):
    state: str = extensible(*STATES)
    issued_at: str
    expires_at: str
    changes: list[ChangeView]


class PermissionView(Document):
    """Whether the mark may be shown to the public in a region, and why."""

    allowed: bool
    reason: str


class PublicUseView(Document):
    """Where the mark may be shown to the public now. ``rest`` is everywhere else."""

    eu: PermissionView
    uk: PermissionView
    us: PermissionView
    rest: PermissionView


class CertificateLinks(Document):
    """Paths on this service."""

    page: str
    credential: str
    open_badge: str
    jwt: str
    compact: str
    proof: str
    report: str
    decision: str
    explanation: str
    submission: str
    badge_svg: str
    badge_png: str
    badge_baked: str
    print_qr_svg: str
    print_qr_png: str
    scheme: str
    complaints: str


class CertificateView(Document):
    """A certificate as it stands now. Everything but its links is null when the stored document cannot be believed."""

    code: str
    environment: str
    sentence: str | None
    outcome: str | None = extensible(*OUTCOMES)
    outcome_name: str | None
    evidence_level: str | None = extensible(*LEVELS)
    track: TrackView | None
    figures: FiguresView | None
    boundary: BoundaryView | None
    standard: BasisView | None
    assessor: AssessorView | None
    lifecycle: LifecycleView | None
    public_use: PublicUseView | None
    verification: VerificationView
    links: CertificateLinks


class CertificateList(Document):
    """What was found, the newest first. ``next`` is the address of the next page; null on the last one."""

    items: list[CertificateView]
    next: str | None


class StatusPlaceView(Document):
    """Where the bit of a certificate stands: path of a Bitstring Status List on this service, and its index from 0."""

    purpose: str = Field(examples=["revocation", "suspension"])
    list: str
    index: int


class StatusView(Document):
    """How a certificate stands now by the log: each change of its status, and where the signed lists say the same."""

    code: str
    state: str = extensible(*STATES)
    checked_at: str
    issued_at: str
    expires_at: str
    changes: list[ChangeView]
    lists: tuple[StatusPlaceView, ...]


class WithdrawnView(Document):
    """A certificate that must not be shown, or not just now. ``log`` and ``log_index`` say where it is recorded."""

    code: str
    state: str = extensible("revoked", "suspended", "superseded")
    since: str
    reason: str = extensible(*REASONS, "")
    replaced_by: str | None
    title: str | None
    artist: str | None
    log: str
    log_index: int
    url: str


class WithdrawnList(Document):
    """What was withdrawn, the newest first. ``next`` is the address of the next page; null on the last one."""

    items: list[WithdrawnView]
    next: str | None


def certificate_links(row: CertificateRow) -> CertificateLinks:
    page = f"/v/{row.code}"
    return CertificateLinks(
        page=page,
        credential=f"{page}.vc",
        open_badge=f"{page}.openbadge.json",
        jwt=f"{page}.jwt",
        compact=f"{page}.cose",
        proof=f"{page}.tlog-proof",
        report=f"{page}.report.json",
        decision=f"{page}.decision.json",
        explanation=f"{page}.explanation.json",
        submission=f"/submissions/{row.submission_id}",
        badge_svg=f"{page}.svg",
        badge_png=f"{page}.png",
        badge_baked=f"{page}.baked.svg",
        print_qr_svg=f"{page}.qr.svg",
        print_qr_png=f"{page}.qr.png",
        scheme="/scheme.json",
        complaints=f"/complaints?code={row.code}",
    )


def certificate_view(record: Record, environment: str) -> CertificateView:
    claims = record.claims
    return CertificateView(
        code=display_code(record.row.code),
        environment=environment,
        sentence=record.sentence,
        outcome=claims.outcome if claims else None,
        outcome_name=OUTCOMES[claims.outcome] if claims else None,
        evidence_level=claims.basis.evidence_level if claims else None,
        track=_track(claims) if claims else None,
        figures=_figures(claims) if claims else None,
        boundary=BoundaryView() if claims else None,
        standard=_basis(claims) if claims else None,
        assessor=AssessorView.model_validate(claims.assessor._asdict()) if claims else None,
        lifecycle=_lifecycle(claims, record) if claims else None,
        public_use=public_use_view(record.public_use) if claims else None,
        verification=verification_view(record.verification, environment),
        links=certificate_links(record.row),
    )


def public_use_view(permissions: Mapping[str, Permission]) -> PublicUseView:
    return PublicUseView(**{region: PermissionView.model_validate(vars(permissions[region])) for region in REGIONS})


def _track(claims: Claims) -> TrackView:
    subject = claims.subject
    return TrackView(
        title=subject.title,
        artist=subject.artist,
        isrc=subject.isrc,
        audio_sha256=subject.audio_sha256,
        audio_essence_v1_sha256=subject.essence_sha256,
    )


def _figures(claims: Claims) -> FiguresView:
    figures = claims.figures
    return FiguresView(
        assessed_g_per_min=figures.assessed_g_per_min,
        central_g_per_min=figures.central_g_per_min,
        consumer_g_per_min=figures.consumer_g_per_min,
        provider_g_per_min=figures.provider_g_per_min,
        limit_g_per_min=figures.limit_g_per_min,
        post_production=figures.post_production,
        data_quality=figures.data_quality,
        calculated_with_defaults=figures.calculated,
    )


def _basis(claims: Claims) -> BasisView:
    basis = claims.basis
    return BasisView(
        id=basis.standard,
        sha256=basis.standard_sha256,
        tables_sha256=basis.tables_sha256,
        url=standard_url("", basis.standard),
    )


def _lifecycle(claims: Claims, record: Record) -> LifecycleView:
    return LifecycleView(
        state=record.state,
        issued_at=time_text(claims.issued_at),
        expires_at=time_text(claims.expires_at),
        changes=[ChangeView.model_validate(vars(change)) for change in record.changes],
    )
