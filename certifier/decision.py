"""The decision record: what only the issuer knew when it decided, public and bound by its digest (DESIGN 19).

Report + decision record + rule files give the same verdict on any machine. The record's ``evidence`` has the form of the
``fixtures`` in the standard's worked cases, so a decision is replayed exactly as a case is run.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from certifier.crypto.canonical import canonical_bytes
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import ForeignInputError
from certifier.report.evidence import Evidence, parse_evidence
from certifier.report.model import Name
from certifier.standard.evaluate import Verdict

FORM = "lcal-decision/1"
LIMITS = Limits(max_bytes=16 * 1024 * 1024, max_depth=32, max_nodes=1_000_000)  # a report of 1,000 activities fits

Sha256 = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-f]{64}\z")]
_FROZEN = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


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


class _Standard(BaseModel):
    model_config = _FROZEN
    id: Name
    sha256: Sha256


class _Record(BaseModel):
    """The members beside the evidence, which has a model of its own. What a later version adds is left aside."""

    model_config = _FROZEN
    standard: _Standard
    report_sha256: Sha256
    evidence: dict[str, Any]
    outcome: Literal["none", "disclosed", "measured", "class-2", "class-1"]
    evidence_level: Literal["A0", "A1", "A2"]
    assessed_g_per_min: Name | None
    central_g_per_min: Name | None
    failed_must: tuple[Name, ...]
    warnings: tuple[Name, ...]


def parse_decision(raw: bytes) -> tuple[dict[str, Any], Evidence]:
    """The record and the evidence inside, each member of its type.

    Raises MalformedJson or ForeignInputError, which names the first member that does not fit.
    """
    record = parse_object(raw, LIMITS)
    if record.get("form") != FORM:
        raise ForeignInputError("This is not a decision record.", found=str(record.get("form"))[:60], expected=FORM)
    try:
        _Record.model_validate(record)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        missing = first["type"] == "missing"
        raise ForeignInputError(
            "The decision record does not fit its model.",
            found="nothing" if missing else repr(first["input"])[:80],
            expected=first["msg"],
            pointer="".join(f"/{step}" for step in first["loc"]),
        ) from error
    return record, parse_evidence(record["evidence"])
