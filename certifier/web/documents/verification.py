"""The result of a check, as JSON."""

from __future__ import annotations

import orjson

from certifier.certificate.model import OUTCOMES
from certifier.certificate.verification import Verification, verification_document
from certifier.web.documents.base import LEVELS, Document, extensible


class CheckView(Document):
    """One axis of a verification."""

    axis: str
    outcome: str = extensible("ok", "failed", "unchecked")
    value: str
    found: str
    expected: str
    hint: str


class CertificateSummary(Document):
    code: str
    title: str
    artist: str
    outcome: str = extensible(*OUTCOMES)
    assessed_g_per_min: str
    central_g_per_min: str
    evidence_level: str = extensible(*LEVELS)
    standard: str
    issued_at: str
    expires_at: str
    url: str


class VerificationView(Document):
    """The result of a check. ``certificate`` is null unless the document can be believed."""

    verdict: str = extensible("valid", "valid_with_warnings", "not_valid", "cannot_tell")
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


def verification_bytes(verification: Verification, environment: str) -> bytes:
    """What ``verification_view`` gives as JSON, put together without the model: it is asked for thousands of times a second."""
    document = verification_document(verification)
    if verification.claims:
        document["certificate"]["url"] = f"/v/{verification.claims.code}"
    return orjson.dumps({**document, "environment": environment})
