"""Public files: of certificates, standards, trust, status and the log; and who stands behind them."""

from __future__ import annotations

from typing import Any

from certifier.settings import Settings
from certifier.web.openapi.parts import answer, file_at, problems_with
from certifier.web.scheme import SchemeView
from certifier.web.service_info import ServiceInfo
from certifier.web.standards import StandardList

REQUESTS = ()
ANSWERS = (SchemeView, ServiceInfo, StandardList)

# path -> (operation, what it is, media type)
FILES = {
    "/v/{code}.json": ("certificateView", "The certificate as it stands now", "application/json"),
    "/v/{code}.vc": ("credential", "The signed record, byte for byte as issued", "application/vc"),
    "/v/{code}.openbadge.json": (
        "openBadge",
        "The same claims as an Open Badges 3.0 credential (eddsa-rdfc-2022)",
        "application/ld+json",
    ),
    "/v/{code}.jwt": ("jwt", "The same claims as a signed token", "application/vc+jwt"),
    "/v/{code}.cose": ("compact", "The compact form that the QR for print holds (COSE_Sign1)", "application/cose"),
    "/v/{code}.svg": ("badgeSvg", "The badge", "image/svg+xml"),
    "/v/{code}.png": ("badgePng", "The badge", "image/png"),
    "/v/{code}.pdf": ("sheetPdf", "The certificate on a sheet of A4", "application/pdf"),
    "/v/{code}.baked.svg": ("badgeBaked", "The badge with the Open Badges credential inside", "image/svg+xml"),
    "/v/{code}.qr.svg": ("printQrSvg", "The QR for print, with the compact certificate", "image/svg+xml"),
    "/v/{code}.qr.png": ("printQrPng", "The QR for print, with the compact certificate", "image/png"),
    "/v/{code}.txt": ("sentence", "The state and the sentence of the label", "text/plain"),
    "/v/{code}.tlog-proof": ("proof", "The proof that the log holds it (C2SP tlog-proof)", "text/plain"),
    "/v/{code}.report.json": ("report", "The signed report, as sent", "application/json"),
    "/v/{code}.decision.json": ("decisionRecord", "What only the issuer knew when it decided", "application/json"),
    "/v/{code}.explanation.json": ("figure", "Every line of the figure with its origins", "application/json"),
    "/v/{code}.check.json": (
        "material",
        "Certificate, proof, status lists and keys as texts, to check it oneself",
        "application/json",
    ),
    "/v/{code}.offline.html": (
        "keptPage",
        "A page that checks the certificate inside it, without a network",
        "text/html",
    ),
    "/certificate/verdict.json": ("verdictTable", "The verdict as a table of the axes", "application/json"),
    "/standards.json": ("standards", "Every version of the standard that was ever used here", "application/json"),
    "/standards/{name}/{version}.json": ("standard", "The numbers and rules of a version", "application/json"),
    "/standards/by-digest/{sha256}": ("standardFiles", "The files of a version by their digests", "application/json"),
    "/standards/by-digest/{sha256}.zip": ("standardArchive", "All files of a version", "application/zip"),
    "/standards/by-digest/{sha256}/{path}": ("standardFile", "One file of a version, byte for byte", "text/plain"),
    "/.well-known/did.json": ("did", "The issuer's keys (W3C DID)", "application/did+json"),
    "/trust.json": ("trust", "What a verifier pins", "application/json"),
    "/status/{purpose}/{number}": ("statusList", "A Bitstring Status List", "application/vc"),
    "/status/{purpose}/{number}.jwt": ("statusListToken", "A Bitstring Status List as a token", "application/vc+jwt"),
    "/status/{purpose}/{number}.openbadge.json": (
        "statusListForBadges",
        "A Bitstring Status List for software that knows eddsa-rdfc-2022 only",
        "application/ld+json",
    ),
    "/api/v1/standards/{name}/{version}": (
        "standardVersion",
        "The numbers and rules of a version; its files stand at the address that the list names",
        "application/json",
    ),
    "/api/v1/trust-list": ("trustList", "What a verifier pins: keys, logs and standards", "application/json"),
    "/api/v1/packs/latest": (
        "latestPack",
        "All that offline verification needs, in one signed file",
        "application/json",
    ),
    "/packs/latest": ("pack", "All that offline verification needs, in one signed file", "application/json"),
    "/log/checkpoint": ("checkpoint", "The log's newest signed checkpoint", "text/plain"),
    "/log/log.vkey": ("logKey", "The log's verifier key (C2SP signed-note)", "text/plain"),
    "/log/tile/{tile}": ("tile", "A hash tile or entry bundle (C2SP tlog-tiles)", "application/octet-stream"),
    "/log/{year}/checkpoint": ("checkpointOfYear", "The last checkpoint of a year's log", "text/plain"),
    "/schemas/report-v1.json": ("reportSchema", "JSON Schema of the emission report", "application/schema+json"),
}


def paths(_: Settings) -> dict[str, Any]:
    return {
        "/api/v1/service-info": {"get": _service_info()},
        "/api/v1/standards": {"get": _standards()},
        "/api/v1/scheme": {"get": _scheme("schemeOf")},
        "/scheme.json": {"get": _scheme("scheme")},
        **{path: {"get": file_at(about[0], path, *about[1:])} for path, about in FILES.items()},
    }


def _scheme(operation: str) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": "Who stands behind this installation: owner, monitoring body, parties, public use, fees, ties, complaints",
        "responses": {"200": answer("What is stated; null is not stated", SchemeView)} | problems_with(400),
    }


def _service_info() -> dict[str, Any]:
    return {
        "operationId": "serviceInfo",
        "summary": "Which service this is: version, environment, limits, languages, standards, whether it may be written to",
        "responses": {"200": answer("The service as it is this minute", ServiceInfo)} | problems_with(400),
    }


def _standards() -> dict[str, Any]:
    return {
        "operationId": "standardVersions",
        "summary": "Every version of the standard that was ever used here, those open to applications first",
        "responses": {"200": answer("The versions", StandardList)} | problems_with(400),
    }
