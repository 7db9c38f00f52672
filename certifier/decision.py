"""The decision record: what only the issuer knew when it decided, public and bound by its digest (DESIGN 19).

Report + decision record + rule files give the same verdict on any machine. The record's ``evidence`` has the form of the
``fixtures`` in the standard's worked cases, so a decision is replayed exactly as a case is run.
"""

from __future__ import annotations

from typing import Any

from certifier.crypto.canonical import canonical_bytes
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import ForeignInputError
from certifier.report.evidence import Evidence, parse_evidence
from certifier.standard.evaluate import Verdict

FORM = "lcal-decision/1"
LIMITS = Limits(max_bytes=16 * 1024 * 1024, max_depth=32, max_nodes=1_000_000)  # a report of 1,000 activities fits


def decision_record(verdict: Verdict, evidence: Evidence, *, standard_sha256: str, report_sha256: str) -> bytes:
    """The record's canonical bytes (RFC 8785); their SHA-256 stands in the certificate."""
    footprint = verdict.footprint
    return canonical_bytes(
        {
            "form": FORM,
            "standard": {"id": verdict.standard_id, "sha256": standard_sha256},
            "report_sha256": report_sha256,
            "evidence": evidence.to_record(),
            "outcome": verdict.outcome,
            "evidence_level": verdict.evidence_level,
            "assessed_g_per_min": str(footprint.assessed) if footprint else None,
            "central_g_per_min": str(footprint.central) if footprint else None,
            "failed_must": [finding.rule for finding in verdict.failed_must],
            "warnings": [finding.rule for finding in verdict.warnings],
        }
    )


def parse_decision(raw: bytes) -> tuple[dict[str, Any], Evidence]:
    """The record and the evidence inside. Raises MalformedJson or ForeignInputError."""
    record = parse_object(raw, LIMITS)
    if record.get("form") != FORM or not isinstance(record.get("evidence"), dict):
        raise ForeignInputError("This is not a decision record.", found=str(record.get("form"))[:60], expected=FORM)
    return record, parse_evidence(record["evidence"])
