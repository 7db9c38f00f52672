"""How long others may keep each resource: one table, which the description of the API shows and a test compares row by row.

Views name a row of ``responses.CACHE`` when they answer; this says for every address which one that is, and why.
"""

from __future__ import annotations

from dataclasses import dataclass

from certifier.web.responses import CACHE, MAX_AGE

WHILE_IT_COUNTS = "while it counts"


@dataclass(frozen=True)
class Kept:
    """A kind of resource: what it is, the row of CACHE, the patterns of its addresses as OpenAPI writes them, entity tags."""

    about: str
    cache: str
    paths: tuple[str, ...]
    has_tag: bool = True  # and so 304 where the client has the bytes

    @property
    def header(self) -> str:
        """The value of Cache-Control."""
        return MAX_AGE.format(seconds="SECONDS") if self.cache == WHILE_IT_COUNTS else CACHE[self.cache]


KEPT = (
    Kept(
        "what is signed or named by its digest, and never changes",
        "for ever",
        (
            "/v/{code}.vc",
            "/v/{code}.openbadge.json",
            "/v/{code}.jwt",
            "/v/{code}.cose",
            "/v/{code}.tlog-proof",
            "/v/{code}.report.json",
            "/v/{code}.decision.json",
            "/api/v1/certificates/{code}/decision-record",
            "/api/v1/certificates/{code}/report",
            "/api/v1/certificates/{code}/log-proof",
            "/standards/by-digest/{sha256}",
            "/standards/by-digest/{sha256}.zip",
            "/standards/by-digest/{sha256}/{path}",
        ),
    ),
    Kept(
        "files of the log that is written to, and what is worked out from what never changes",
        "an hour",
        ("/log/tile/{tile}", "/v/{code}.explanation.json"),
    ),
    Kept(
        "what says how a certificate stands now",
        "a minute",
        (
            "/v/{code}",
            "/v/{code}.json",
            "/v/{code}.txt",
            "/v/{code}.offline.html",
            "/api/v1/certificates",
            "/api/v1/certificates/{code}",
            "/api/v1/certificates/{code}/status",
            "/api/v1/certificates/{code}/verification",
            "/api/v1/certificates/{code}/renewal-info",
            "/api/v1/withdrawn-certificates",
            "/api/v1/status-changes",
            "/api/v1/service-info",
            "/vc-api/status/{purpose}/1",
        ),
    ),
    Kept(
        "live badges; trust, keys, standards and the scheme",
        "five minutes",
        (
            "/v/{code}.svg",
            "/v/{code}.png",
            "/v/{code}.pdf",
            "/v/{code}.baked.svg",
            "/v/{code}/shields.json",
            "/.well-known/did.json",
            "/trust.json",
            "/api/v1/trust-list",
            "/scheme.json",
            "/api/v1/scheme",
            "/standards.json",
            "/standards/{name}/{version}.json",
            "/api/v1/standards",
            "/api/v1/standards/{name}/{version}",
            "/log/log.vkey",
            "/schemas/report-v1.json",
            "/certificate/verdict.json",
            "/openapi.json",
        ),
    ),
    Kept(
        "what is signed for an hour",
        WHILE_IT_COUNTS,
        (
            "/packs/latest",
            "/api/v1/packs/latest",
            "/status/{purpose}/{number}",
            "/status/{purpose}/{number}.jwt",
            "/status/{purpose}/{number}.openbadge.json",
        ),
    ),
    Kept(
        "what must be the newest; asked again each time, and answered with 304",
        "no time",
        ("/log/checkpoint", "/log/{year}/checkpoint", "/v/{code}.check.json"),
    ),
    Kept(
        "lines that are sent as they are read, without an entity tag",
        "no time",
        ("/api/v1/certificates.ndjson",),
        False,
    ),
    Kept(
        "decisions, which are for whoever has their address, and what is made for one moment",
        "not at all",
        (
            "/api/v1/submissions/{submission_id}",
            "/api/v1/submissions/{submission_id}/levers",
            "/api/v1/submissions/{submission_id}/explanation",
            "/api/v1/key-challenges",
            "/healthz",
            "/readyz",
        ),
        has_tag=False,
    ),
)


def kept_at(path: str) -> Kept | None:
    """The row of an address; None for one that has none, such as a page's."""
    return next((kept for kept in KEPT if path in kept.paths), None)
