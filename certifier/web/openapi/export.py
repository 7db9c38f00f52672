"""Every certificate at once, for those who verify many without asking for each."""

from __future__ import annotations

from typing import Any

from certifier.settings import Settings
from certifier.web.export import MOST_LINES, CertificateLine
from certifier.web.openapi.parts import REF, problems_with
from certifier.web.responses import NDJSON

REQUESTS = ()
ANSWERS = (CertificateLine,)


def paths(_: Settings) -> dict[str, Any]:
    return {"/api/v1/certificates.ndjson": {"get": _certificates()}}


def _certificates() -> dict[str, Any]:
    after = {
        "name": "after",
        "in": "query",
        "description": "The `cursor` of the last line that you have; without it the first certificate comes first.",
        "schema": {"type": "string", "pattern": r"^[0-9]{1,9}-[0-9]{1,18}$"},
    }
    content = {NDJSON: {"schema": {"$ref": REF.format(model="CertificateLine")}}}
    return {
        "operationId": "certificateExport",
        "summary": "All certificates with their proofs, in the order of the log",
        "description": (
            f"One JSON object on each line, at most {MOST_LINES:,} of them. Go on behind the last line with its `cursor`, "
            "until an answer has no line: then you have them all, and later only the new ones come."
        ),
        "parameters": [after],
        "responses": {"200": {"description": "A line for each certificate", "content": content}}
        | problems_with(400, 503),
    }
