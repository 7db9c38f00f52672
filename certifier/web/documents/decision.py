"""A submission and the decision on it, as JSON: findings, footprint line by line, levers."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Any

from certifier.certificate.code import display_code
from certifier.certificate.times import time_text
from certifier.crypto.strict_json import parse_object
from certifier.errors import MalformedJson
from certifier.footprint.model import Footprint, LineItem
from certifier.standard.evaluate import Finding, Verdict
from certifier.standard.levers import Levers, levers_document
from certifier.storage.rows import CertificateRow, SubmissionRow
from certifier.units import plain
from certifier.web.documents.base import DECIDED, LEVELS, Document, extensible
from certifier.web.documents.certificate import CertificateLinks, certificate_links
from certifier.web.words import STANDARD_AWAY

_SIX_PLACES = Decimal("0.000001")
_ANY_FIGURE = Context(prec=9_999)  # a refused report may claim more than any machine could draw


class FindingView(Document):
    """The outcome of one rule: pass, fail or not_applicable."""

    rule: str
    title: str
    level: str = extensible("must", "should", "info")
    gates: str | None = extensible("all", "measured", "class-2", "class-1")
    outcome: str = extensible("pass", "fail", "not_applicable")
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
    state: str = extensible("certified", "refused", "accepted", "dry_run")
    outcome: str = extensible(*DECIDED)
    duplicate: bool = False
    code: str | None
    certificate_state: str | None = extensible("active", "suspended", "revoked", default=None)
    created_at: str
    title: str
    artist: str
    standard: str
    evidence_level: str = extensible(*LEVELS)
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


def _bundle(row: CertificateRow) -> BundleView | None:
    """None where what is stored came to harm: the certificate's own page and verification tell that."""
    try:
        return BundleView(certificate=parse_object(row.document or b"{}"), proof=(row.proof or b"").decode())
    except (MalformedJson, UnicodeDecodeError):
        return None


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
