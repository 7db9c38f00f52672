"""The explanation of a verdict's figure: what decided, about which track, and every line of the footprint with its origins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from certifier.footprint.explain import explanation_document

if TYPE_CHECKING:
    from certifier.report.model import Report
    from certifier.standard.evaluate import Verdict
    from certifier.standard.model import Standard


def explanation_of(standard: Standard, report: Report, verdict: Verdict) -> dict[str, Any] | None:
    """The document of form ``lcal-explanation/1``; None where the verdict has no figure."""
    if verdict.footprint is None:
        return None
    return explanation_document(
        verdict.footprint,
        sources=standard.factors.sources,
        parameters=standard.parameters,
        about={
            "standard": {"id": standard.id, "sha256": standard.digest},
            "track": {"title": report.track.title, "artist": report.track.artist},
            "outcome": verdict.outcome,
            "evidence_level": verdict.evidence_level,
            "failed_must": [finding.rule for finding in verdict.failed_must],
        },
    )
