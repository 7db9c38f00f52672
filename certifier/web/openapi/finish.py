"""What every operation of the description has beyond what its area says: a group, caching, links, an example of its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from certifier.web.caching import kept_at
from certifier.web.openapi.tags import tag_of
from certifier.web.responses import JSON

# operation and status -> what can be asked next: name, operation, its parameters as runtime expressions (OpenAPI 3.1, 4.8.20.3)
LINKS: dict[tuple[str, str], tuple[tuple[str, str, dict[str, str]], ...]] = {
    ("submit", status): (
        ("decision", "submission", {"submission_id": "$response.body#/id"}),
        ("levers", "levers", {"submission_id": "$response.body#/id"}),
        ("explanation", "explanation", {"submission_id": "$response.body#/id"}),
        ("certificate", "certificateOf", {"code": "$response.body#/code"}),
    )
    for status in ("200", "201", "202")
} | {
    ("certificates", "200"): (
        ("certificate", "certificateOf", {"code": "$response.body#/items/0/code"}),
        ("status", "statusOf", {"code": "$response.body#/items/0/code"}),
        ("verification", "verificationOf", {"code": "$response.body#/items/0/code"}),
        ("renewal", "renewalInfo", {"code": "$response.body#/items/0/code"}),
        ("proof", "logProofOf", {"code": "$response.body#/items/0/code"}),
    ),
    ("withdrawnCertificates", "200"): (("status", "statusOf", {"code": "$response.body#/items/0/code"}),),
    ("certificateOf", "200"): (
        ("status", "statusOf", {"code": "$response.body#/code"}),
        ("report", "reportOf", {"code": "$response.body#/code"}),
        ("decision", "decisionRecordOf", {"code": "$response.body#/code"}),
    ),
    ("verify", "200"): (("certificate", "certificateOf", {"code": "$response.body#/certificate/code"}),),
}


def finished(paths: Mapping[str, Any]) -> dict[str, Any]:
    """The paths with all of that."""
    return {
        path: {method: _finished(path, method, operation) for method, operation in item.items()}
        for path, item in paths.items()
    }


def _finished(path: str, method: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    name = operation["operationId"]
    responses = {status: _answered(name, status, told) for status, told in operation["responses"].items()}
    if method == "get" and (kept := kept_at(path)):
        headers = {"Cache-Control": {"description": kept.about, "schema": {"type": "string"}, "example": kept.header}}
        if kept.has_tag:
            headers["ETag"] = {"description": "Send it back as If-None-Match", "schema": {"type": "string"}}
            responses["304"] = {"description": "You have these bytes already"}
        told = responses["200"]
        responses["200"] = {**told, "headers": {**headers, **told.get("headers", {})}}
    return {"tags": [tag_of(path)], **operation, "responses": dict(sorted(responses.items()))}


def _answered(name: str, status: str, told: Mapping[str, Any]) -> dict[str, Any]:
    answer = dict(told)
    if links := LINKS.get((name, status)):
        answer["links"] = {link: {"operationId": to, "parameters": by} for link, to, by in links}
    example = recorded_examples().get(f"{name} {status}")
    content = answer.get("content", {})
    if example is not None and JSON in content and not {"example", "examples"} & content[JSON].keys():
        answer["content"] = {**content, JSON: {**content[JSON], "example": example}}
    return answer


@cache
def recorded_examples() -> dict[str, Any]:
    """An answer of each operation and status, as a sandbox gave it, with its lists cut short (scripts/make_api_examples.py)."""
    recorded: dict[str, Any] = json.loads(
        resources.files("certifier.web.openapi").joinpath("examples.json").read_bytes()
    )
    return recorded
