"""The groups of operations, in the order in which a reader meets them."""

from __future__ import annotations

from certifier.web.language import N_

# title -> how the paths in it begin; the first group that fits takes an operation, the last one all others
TAGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (N_("Verify and find"), ("/api/v1/verification", "/api/v1/certificates", "/api/v1/withdrawn-certificates")),
    (N_("Hear of changes"), ("/api/v1/status-changes", "/api/v1/webhook", "/api/v1/deliveries")),
    (N_("Submit and decide"), ("/api/v1/submissions", "/api/v1/report-checks")),
    (N_("My tracks, by key"), ("/api/v1/key-challenges", "/api/v1/my-")),
    (N_("API keys"), ("/api/v1/api-keys",)),
    (
        N_("Acts of the operator"),
        (
            "/api/v1/revocations",
            "/api/v1/suspensions",
            "/api/v1/reinstatements",
            "/api/v1/approvals",
            "/api/v1/operator-acts",
        ),
    ),
    (N_("Complaints"), ("/api/v1/complaints",)),
    (N_("The service"), ("/api/v1/service-info",)),
    (N_("A certificate and its files"), ("/v/",)),
    (
        N_("Trust, status, log"),
        (
            "/api/v1/trust-list",
            "/api/v1/packs/",
            "/.well-known/",
            "/trust.json",
            "/status/",
            "/packs/",
            "/log/",
            "/certificate/",
        ),
    ),
    (N_("Standards and scheme"), ("/api/v1/standards", "/api/v1/scheme", "/standards", "/scheme", "/schemas/")),
    (N_("The W3C's API for credentials"), ("/vc-api/",)),
    (N_("Others"), ("/",)),
)


def tag_of(path: str) -> str:
    """The group that the operations of a path belong to."""
    return next(title for title, starts in TAGS if path.startswith(starts))
