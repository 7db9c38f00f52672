"""Verifying certificates."""

from __future__ import annotations

from typing import Any

from certifier.certificate.code import display_code
from certifier.service.sandbox import DEMO_CODES
from certifier.settings import Settings
from certifier.web.batches import MOST_ITEMS, RECORD, BatchAnswer, BatchItem, BatchRequest, BatchView
from certifier.web.documents import VerificationView
from certifier.web.openapi.parts import REF, answer, json_body, problems_with, query
from certifier.web.responses import NDJSON
from certifier.web.verifications import VerificationRequest

REQUESTS = (VerificationRequest, BatchRequest, BatchItem)
ANSWERS = (VerificationView, BatchView, BatchAnswer)


def paths(_: Settings) -> dict[str, Any]:
    return {
        "/api/v1/verifications": {"post": _verify()},
        "/api/v1/verification-batches": {"post": _verify_many()},
    }


CODE = display_code(DEMO_CODES["class-1"])
EXAMPLES: dict[str, dict[str, Any]] = {
    "by its code": {"code": CODE},
    "a withdrawn one": {"code": display_code(DEMO_CODES["revoked"])},
    "with a file that it is not of": {"code": CODE, "audio": {"sha256": "0" * 64}},
}


MANY: dict[str, dict[str, Any]] = {
    "two, one of them withdrawn": {
        "items": [
            {"ref": "row-1", "code": CODE},
            {"ref": "row-2", "code": display_code(DEMO_CODES["revoked"])},
        ]
    },
    "with the signed record of a recording": {"items": [{"isrc": "XXABC2600001"}], "include": ["record"]},
}


def _verify() -> dict[str, Any]:
    return {
        "operationId": "verify",
        "summary": "Verify a certificate by its code or its file",
        "requestBody": json_body(VerificationRequest, **EXAMPLES),
        "responses": {"200": answer("A completed check, whatever the verdict", VerificationView)}
        | problems_with(400, 404, 413, 415, 422),
    }


def _verify_many() -> dict[str, Any]:
    body, told = (
        json_body(BatchRequest, **MANY),
        answer("An answer to each item, in order, whatever the verdicts", BatchView),
    )
    body["content"][NDJSON] = {
        "schema": {"$ref": REF.format(model=BatchItem.__name__)},
        "examples": {
            "lines": {"value": '{"ref":"row-1","code":"GG8W-7E5J-TV"}\n{"ref":"row-2","isrc":"QZABC2600001"}\n'}
        },
    }
    told["content"][NDJSON] = {"schema": {"$ref": REF.format(model=BatchAnswer.__name__)}}
    included = query("include", ["", RECORD], "For lines: send the signed certificate and its proof beside each answer")
    return {
        "operationId": "verifyMany",
        "summary": "Verify many certificates by codes, ISRCs, digests or files",
        "description": (
            f"JSON with at most {MOST_ITEMS:,} items, or lines of JSON ({NDJSON}), any number of them: each line is one item, "
            "and has its answer in one line, in order, while the lines are still being sent. Lines may be packed with gzip. "
            "A bad item has a problem as its answer and never fails the others."
        ),
        "parameters": [included],
        "requestBody": body,
        "responses": {"200": told} | problems_with(400, 408, 413, 415, 503),
    }
