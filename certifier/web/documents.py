"""The JSON documents of the API, as frozen models: what is sent has this shape, and ``openapi`` describes it from here.

Amounts are decimal strings with the unit in the name; links are paths on this service, so that they survive ports and proxies.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from certifier.badge.public_use import REGIONS, Permission
from certifier.certificate.code import display_code
from certifier.certificate.credential import standard_url
from certifier.certificate.model import OUTCOMES, Claims
from certifier.certificate.times import time_text
from certifier.certificate.verification import Verification, verification_document
from certifier.crypto.strict_json import parse_object
from certifier.footprint.model import Footprint, LineItem
from certifier.service.renewal import RenewalInfo
from certifier.standard.evaluate import Finding, Verdict
from certifier.standard.levers import Levers, levers_document
from certifier.storage.rows import CertificateRow, SubmissionRow
from certifier.units import plain
from certifier.web.records import Record
from certifier.web.words import EXCLUDED, INCLUDED, RENEWALS, STANDARD_AWAY

_SIX_PLACES = Decimal("0.000001")
_ANY_FIGURE = Context(prec=9_999)  # a refused report may claim more than any machine could draw


class Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


# -- verification ---------------------------------------------------------------------------------------------------


class CheckView(Document):
    """One axis of a verification."""

    axis: str
    outcome: str = Field(examples=["ok", "failed", "unchecked"])
    value: str
    found: str
    expected: str
    hint: str


class CertificateSummary(Document):
    code: str
    title: str
    artist: str
    outcome: str
    assessed_g_per_min: str
    central_g_per_min: str
    evidence_level: str
    standard: str
    issued_at: str
    expires_at: str
    url: str


class VerificationView(Document):
    """The result of a check. ``certificate`` is null unless the document can be believed."""

    verdict: str = Field(examples=["valid", "valid_with_warnings", "not_valid", "cannot_tell"])
    reason: str
    because: str
    checked_at: str
    environment: str
    axes: dict[str, str]
    checks: list[CheckView]
    certificate: CertificateSummary | None


def verification_view(verification: Verification, environment: str) -> VerificationView:
    document = verification_document(verification)
    if verification.claims:
        document["certificate"]["url"] = f"/v/{verification.claims.code}"
    return VerificationView.model_validate({**document, "environment": environment})


# -- certificate ----------------------------------------------------------------------------------------------------


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
    included: list[str] = list(INCLUDED)
    excluded: list[str] = list(EXCLUDED)
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
    kind: str
    at: str
    reason: str
    replaced_by: str | None


class LifecycleView(Document):
    state: str
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
    outcome: str | None
    outcome_name: str | None
    evidence_level: str | None
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
    """What was found, the newest first."""

    items: list[CertificateView]


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
        assessor=AssessorView.model_validate(vars(claims.assessor)) if claims else None,
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


# -- renewal --------------------------------------------------------------------------------------------------------


class WindowView(Document):
    start: str
    end: str


class PreviewView(Document):
    """What a newer version of the standard makes of the same report and evidence. ``newly_failed`` are must rules."""

    standard: str
    sha256: str
    url: str
    outcome: str
    compared: str = Field(examples=["same", "better", "worse"])
    assessed_g_per_min: str | None
    central_g_per_min: str | None
    newly_failed: list[str]


class RenewalView(Document):
    """When to renew a certificate, why, and what open newer versions of the standard would make of it."""

    code: str
    state: str
    outcome: str
    standard: str
    standard_sha256: str
    standard_state: str
    reason: str = Field(examples=["none", "expiry", "standard-superseded", "withdrawn"])
    suggested_window: WindowView | None
    explanation: str
    previews: list[PreviewView]


def renewal_view(info: RenewalInfo) -> RenewalView:
    window = info.window
    return RenewalView(
        code=display_code(info.code),
        state=info.state,
        outcome=info.outcome,
        standard=info.standard,
        standard_sha256=info.standard_sha256,
        standard_state=info.standard_state,
        reason=info.reason,
        suggested_window=WindowView(start=time_text(window[0]), end=time_text(window[1])) if window else None,
        explanation=RENEWALS[info.reason],
        previews=[
            PreviewView(
                standard=preview.standard.id,
                sha256=preview.standard.digest,
                url=standard_url("", preview.standard.id),
                outcome=preview.verdict.outcome,
                compared=preview.compared,
                assessed_g_per_min=_printed(preview.verdict, "assessed"),
                central_g_per_min=_printed(preview.verdict, "central"),
                newly_failed=list(preview.newly_failed),
            )
            for preview in info.previews
        ],
    )


def _printed(verdict: Verdict, figure: str) -> str | None:
    return str(getattr(verdict.footprint, figure)) if verdict.footprint else None


# -- decision -------------------------------------------------------------------------------------------------------


class FindingView(Document):
    """The outcome of one rule: pass, fail or not_applicable."""

    rule: str
    title: str
    level: str
    gates: str | None
    outcome: str
    subjects: list[str]
    found: str
    advice: str
    reason: str
    source: str


class RowView(Document):
    """Where a factor comes from: table and row of the standard, source and year."""

    table: str
    row: str
    source: str
    year: str


class LineItemView(Document):
    """One line of the calculation, in grams CO2e for the whole track; ``quality`` default means estimated."""

    stage: str
    subject: str
    part: str
    side: str
    quality: str
    formula: str
    central_g: str
    factor: str
    upper_g: str
    rows: list[RowView]


class StageView(Document):
    """A stage of the footprint with its lines."""

    stage: str
    central_g_per_min: str
    assessed_g_per_min: str
    items: list[LineItemView]


class FootprintView(Document):
    """Grams CO2e per minute of finished music, and the lines that they are made of."""

    assessed_g_per_min: str
    central_g_per_min: str
    consumer_g_per_min: str
    provider_g_per_min: str
    default_g_per_min: str
    counted_minutes: str
    total_g: str
    rating: str
    calculated_with_defaults: bool
    stages: list[StageView]
    post_production: StageView | None


class LeverChangeView(Document):
    """What was changed, by JSON Pointer below /report or /evidence; null where there was or is nothing."""

    pointer: str
    old: Any
    new: Any


class LeverView(Document):
    """One change, and what the decision would be with it. ``lowest_g_per_min`` is with the most that could be changed."""

    kind: str
    title: str
    sentence: str
    changes: list[LeverChangeView]
    central_g_per_min: str
    assessed_g_per_min: str
    lowest_g_per_min: str
    outcome: str
    closes: list[str]
    leaves: list[str]
    reaches: bool


class StepView(Document):
    kind: str
    title: str
    sentence: str


class PathView(Document):
    """Several changes that reach the next outcome together."""

    steps: list[StepView]
    changes: list[LeverChangeView]
    central_g_per_min: str
    assessed_g_per_min: str
    outcome: str


class LeversView(Document):
    """What would reach the next outcome; every figure comes from deciding again. ``mend_first`` are rules that come before."""

    outcome: str
    next: str | None
    in_the_way: list[str]
    mend_first: list[str]
    levers: list[LeverView]
    path: PathView | None
    note: str


class SubmissionLinks(Document):
    """Paths on this service; those of a certificate are null without one."""

    self: str | None
    page: str | None
    levers: str | None = None
    explanation: str | None = None
    certificate: CertificateLinks | None


class BundleView(Document):
    """The signed certificate and the text of its ``.tlog-proof``: all that a verifier needs besides status and trust."""

    certificate: dict[str, Any]
    proof: str


class SubmissionView(Document):
    """A submission with its decision.

    ``state`` is ``certified``, ``refused``, ``accepted`` (being signed) or ``dry_run`` (nothing kept).

    ``certificate_state`` is how the certificate stands now: active, suspended or revoked; null without one. ``note`` says why
    findings and lines are missing, where the version of the standard behind the decision cannot be had.
    """

    id: str | None
    state: str
    outcome: str
    duplicate: bool = False
    code: str | None
    certificate_state: str | None = None
    created_at: str
    title: str
    artist: str
    standard: str
    evidence_level: str
    assessed_g_per_min: str | None
    central_g_per_min: str | None
    failed_must: list[str]
    warnings: list[str]
    findings: list[FindingView]
    footprint: FootprintView | None
    note: str | None = None
    bundle: BundleView | None = None
    links: SubmissionLinks


class ReportCheckView(SubmissionView):
    """What a submission would get if it were sent now. Nothing of it was kept.

    ``levers`` is what would lift it to the next outcome; null for a report that is too long for that.
    """

    levers: LeversView | None


def submission_view(
    submission: SubmissionRow,
    verdict: Verdict,
    certificate: CertificateRow | None,
    state: str | None,
    *,
    duplicate: bool = False,
) -> SubmissionView:
    return _decision_view(verdict, **_about(submission, certificate, state, duplicate=duplicate))


def recorded_view(
    submission: SubmissionRow, record: dict[str, Any], certificate: CertificateRow | None, state: str | None
) -> SubmissionView:
    """A decision as its record tells it, where the version of the standard behind it cannot be had."""
    told = ("outcome", "evidence_level", "assessed_g_per_min", "central_g_per_min", "failed_must", "warnings")
    return SubmissionView.model_validate(
        {
            **_about(submission, certificate, state, duplicate=False),
            **{name: record[name] for name in told},
            "standard": record["standard"]["id"],
            "findings": [],
            "footprint": None,
            "note": STANDARD_AWAY,
        }
    )


def _about(
    submission: SubmissionRow, certificate: CertificateRow | None, state: str | None, *, duplicate: bool
) -> dict[str, Any]:
    return {
        "id": submission.id,
        "state": submission.state,
        "duplicate": duplicate,
        "code": display_code(certificate.code) if certificate else None,
        "certificate_state": state,
        "bundle": _bundle(certificate) if certificate else None,
        "created_at": submission.created_at,
        "title": submission.title,
        "artist": submission.artist,
        "links": SubmissionLinks(
            self=f"/api/v1/submissions/{submission.id}",
            page=f"/submissions/{submission.id}",
            levers=f"/api/v1/submissions/{submission.id}/levers",
            explanation=f"/api/v1/submissions/{submission.id}/explanation",
            certificate=certificate_links(certificate) if certificate else None,
        ),
    }


def _bundle(row: CertificateRow) -> BundleView:
    return BundleView(certificate=parse_object(row.document or b"{}"), proof=(row.proof or b"").decode())


def trial_view(verdict: Verdict, *, title: str, artist: str, now: datetime) -> SubmissionView:
    """A decision that was not kept."""
    return _decision_view(
        verdict,
        id=None,
        state="dry_run",
        code=None,
        created_at=time_text(now),
        title=title,
        artist=artist,
        links=SubmissionLinks(self=None, page=None, certificate=None),
    )


def check_view(verdict: Verdict, levers: Levers | None, *, title: str, artist: str, now: datetime) -> ReportCheckView:
    """A decision that was not kept, with what would lift it."""
    trial = trial_view(verdict, title=title, artist=artist, now=now)
    return ReportCheckView.model_validate({**trial.model_dump(), "levers": levers_document(levers) if levers else None})


def _decision_view(verdict: Verdict, **about: object) -> SubmissionView:
    footprint = verdict.footprint
    return SubmissionView.model_validate(
        {
            **about,
            "outcome": verdict.outcome,
            "standard": verdict.standard_id,
            "evidence_level": verdict.evidence_level,
            "assessed_g_per_min": str(footprint.assessed) if footprint else None,
            "central_g_per_min": str(footprint.central) if footprint else None,
            "failed_must": [finding.rule for finding in verdict.failed_must],
            "warnings": [finding.rule for finding in verdict.warnings],
            "findings": [_finding(finding) for finding in verdict.findings],
            "footprint": _footprint(footprint) if footprint else None,
        }
    )


@lru_cache(4096)  # most findings of most reports are the same
def _finding(finding: Finding) -> FindingView:
    return FindingView.model_validate({**vars(finding), "subjects": list(finding.subjects)})


def _footprint(footprint: Footprint) -> FootprintView:
    return FootprintView(
        assessed_g_per_min=str(footprint.assessed),
        central_g_per_min=str(footprint.central),
        consumer_g_per_min=_grams(footprint.consumer.central),
        provider_g_per_min=_grams(footprint.provider.central),
        default_g_per_min=_grams(footprint.default_g_per_min),
        counted_minutes=_grams(footprint.counted_minutes),
        total_g=_grams(footprint.total_g),
        rating=footprint.rating,
        calculated_with_defaults=footprint.calculated,
        stages=[
            _stage(stage, amount.central, amount.upper, footprint.items) for stage, amount in footprint.by_stage.items()
        ],
        post_production=_post_production(footprint),
    )


def _post_production(footprint: Footprint) -> StageView | None:
    amount = footprint.post_production
    return _stage("post_production", amount.central, amount.upper, footprint.post_items) if amount else None


def _stage(stage: str, central: Decimal, upper: Decimal, items: tuple[LineItem, ...]) -> StageView:
    return StageView(
        stage=stage,
        central_g_per_min=_grams(central),
        assessed_g_per_min=_grams(upper),
        items=[_line_item(item) for item in items if item.stage == stage],
    )


def _line_item(item: LineItem) -> LineItemView:
    return LineItemView(
        stage=item.stage,
        subject=item.subject,
        part=item.part,
        side=item.side,
        quality=item.quality,
        formula=item.formula,
        central_g=_grams(item.central_g),
        factor=plain(item.factor),
        upper_g=_grams(item.upper_g),
        rows=[RowView(table=row.table, row=row.row, source=row.source_id, year=row.year) for row in item.rows],
    )


def _grams(amount: Decimal) -> str:
    """Six places, for reading; the exact value follows from the formula."""
    return plain(amount.quantize(_SIX_PLACES, ROUND_HALF_EVEN, _ANY_FIGURE))
