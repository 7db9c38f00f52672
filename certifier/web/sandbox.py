"""The fixed codes of a sandbox: what each stands for, and what this installation answers to it now."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response

from certifier.certificate.code import display_code
from certifier.certificate.verification import Verification
from certifier.service.sandbox import DEMO_CODES, MISTYPED_CODE, UNKNOWN_CODE, is_sandbox
from certifier.web.language import N_
from certifier.web.problems import NoSuchCertificate
from certifier.web.records import record_of
from certifier.web.responses import checked_query, json_reply, page
from certifier.web.site import Site

# state of the sandbox -> (its name, what it is and what to show)
CODES: dict[str, tuple[str, str]] = {
    "class-1": (N_("Class 1"), N_("In force, and a verifier checked it. Show the badge with its figure.")),
    "class-2": (N_("Class 2"), N_("In force, measured by a registered party. Show the badge with its figure.")),
    "measured": (
        N_("Measured"),
        N_("In force and above the limits of the classes: a figure, and no low-carbon claim."),
    ),
    "statement": (
        N_("Statement"),
        N_(
            "A self-declared figure in the register, not a label. Show no class and no badge; the figure may be told as text."
        ),
    ),
    "suspended": (N_("Suspended"), N_("Paused while it is checked. Show no badge; ask again each day.")),
    "revoked": (N_("Withdrawn"), N_("Withdrawn by the issuer. Take the badge down.")),
    "superseded": (N_("Replaced"), N_("Another certificate of the same track took its place. Show that one.")),
    "successor": (N_("Replaced by this"), N_("The certificate that took its place, in force.")),
    "expired": (N_("Expired"), N_("It ran out and was true for its time. Show no badge for new releases.")),
    "broken": (N_("Changed"), N_("One byte of the stored document was changed on purpose. Show nothing of it.")),
    "unknown": (N_("Never issued"), N_("A code without a typing error that nobody ever got. The label may be false.")),
    "mistyped": (N_("Mistyped"), N_("The last symbol does not fit the others. Ask for the code again.")),
}


@dataclass(frozen=True)
class Example:
    """A code and the answer to it; ``verification`` is None where there is no certificate, and ``status`` says how."""

    name: str
    code: str
    status: int
    problem: str | None = None
    state: str | None = None
    verification: Verification | None = None

    @property
    def outcome(self) -> str | None:
        """What was certified; None where nothing of the document may be shown."""
        return self.verification.claims.outcome if self.verification and self.verification.claims else None

    @property
    def shown(self) -> str:
        return display_code(self.code)

    @property
    def url(self) -> str:
        return f"/v/{self.code}"

    @property
    def axes(self) -> dict[str, str]:
        """The axes that are not as for a good certificate; the audio file is compared where somebody brings one."""
        checks = self.verification.checks if self.verification else ()
        good = {"ok", "trusted", "included", "active", "current", "not_checked", "unchecked"}
        return {check.axis: check.value for check in checks if check.value not in good}


def _examples(site: Site) -> list[Example]:
    minute = site.minute()
    found = []
    for name, code in DEMO_CODES.items():
        try:
            record = record_of(site, code, minute)
        except NoSuchCertificate:
            continue
        found.append(Example(name, code, 200, state=record.state, verification=record.verification))
    return [
        *found,
        Example("unknown", UNKNOWN_CODE, 404, "certificate-not-found"),
        Example("mistyped", MISTYPED_CODE, 400, "code-malformed"),
    ]


def show(site: Site) -> Response:
    """Each code with its state, and what a platform should see."""
    checked_query()
    examples = _examples(site)
    missing = [name for name in DEMO_CODES if name not in {example.name for example in examples}]
    return page(
        "docs_sandbox.html", examples=examples, codes=CODES, missing=missing, is_sandbox=is_sandbox(site.settings)
    )


def document(site: Site) -> Response:
    """The same for test suites."""
    checked_query()
    return json_reply(
        {
            "environment": site.settings.environment,
            "codes": [
                {
                    "name": example.name,
                    "code": example.code,
                    "url": example.url,
                    "status": example.status,
                    "problem": example.problem,
                    "state": example.state,
                    "outcome": example.outcome,
                    "verdict": example.verification.verdict if example.verification else None,
                    "axes": dict(example.verification.axes) if example.verification else None,
                }
                for example in _examples(site)
            ],
        },
        Access_Control_Allow_Origin="*",
    )
