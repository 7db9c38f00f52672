"""When to renew a certificate, as JSON."""

from __future__ import annotations

from certifier.certificate.code import display_code
from certifier.certificate.credential import standard_url
from certifier.certificate.times import time_text
from certifier.service.renewal import RenewalInfo
from certifier.standard.evaluate import Verdict
from certifier.web.documents.base import Document, extensible
from certifier.web.words import RENEWALS, STATES


class WindowView(Document):
    start: str
    end: str


class PreviewView(Document):
    """What a newer version of the standard makes of the same report and evidence. ``newly_failed`` are must rules."""

    standard: str
    sha256: str
    url: str
    outcome: str
    compared: str = extensible("same", "better", "worse")
    assessed_g_per_min: str | None
    central_g_per_min: str | None
    newly_failed: list[str]


class RenewalView(Document):
    """When to renew a certificate, why, and what open newer versions of the standard would make of it."""

    code: str
    state: str = extensible(*STATES)
    outcome: str
    standard: str
    standard_sha256: str
    standard_state: str
    reason: str = extensible(*RENEWALS)
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
