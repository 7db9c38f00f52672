"""What the areas of the description are made of: parameters, answers, problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from certifier.certificate.code import display_code
from certifier.service.sandbox import DEMO_CODES
from certifier.web.paging import LONGEST, MOST, USUAL
from certifier.web.problems import MEDIA_TYPE as PROBLEM
from certifier.web.problems import problems

REF = "#/components/schemas/{model}"


class ErrorDetail(BaseModel):
    """One place that needs attention."""

    pointer: str | None = Field(default=None, description="JSON Pointer into the body that was sent (RFC 6901)")
    parameter: str | None = Field(
        default=None, description="Or the name of a parameter, a field of a form, or a header"
    )
    code: str
    found: str | None = None
    expected: str | None = None
    hint: str | None = None


class ProblemDetails(BaseModel):
    """RFC 9457. The members type and code never change their meaning; texts may."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[ErrorDetail] = []


CODE = {
    "name": "code",
    "in": "path",
    "required": True,
    "description": "The ten symbols of the certificate's code; any case, hyphens and look-alikes are understood.",
    "schema": {"type": "string"},
    "example": display_code(DEMO_CODES["class-1"]),
}
LIMIT = {
    "name": "limit",
    "in": "query",
    "description": "The most that one page holds",
    "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
    "example": 2,
}
CURSOR = {
    "name": "cursor",
    "in": "query",
    "description": "Where the page begins. It stands in ``next`` of the page before, whose address is followed as it is",
    "schema": {"type": "string", "maxLength": LONGEST},
}


IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Names this submission, so that it can be sent again: the same key and content get the same answer for 24 h.",
    "schema": {"type": "string", "minLength": 8, "maxLength": 255},
}


def json_body(model: type[BaseModel], **examples: Mapping[str, Any]) -> dict[str, Any]:
    """A body that has to be sent, as JSON. A test sends each of the examples to a sandbox."""
    content: dict[str, Any] = {"schema": {"$ref": REF.format(model=model.__name__)}}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"required": True, "content": {"application/json": content}}


def query(name: str, values: list[str], about: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": about, "schema": {"enum": values, "default": values[0]}}


def answer(about: str, model: type[BaseModel]) -> dict[str, Any]:
    return {
        "description": about,
        "content": {"application/json": {"schema": {"$ref": REF.format(model=model.__name__)}}},
    }


def problems_with(*statuses: int) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": REF.format(model="ProblemDetails")}}}
    return {str(status): {"description": ", ".join(_slugs_with(status)), "content": content} for status in statuses}


def _slugs_with(status: int) -> list[str]:
    return sorted(slug for slug, problem in problems().items() if problem.status == status)


# What stands in places of paths, where it is the same in every installation.
PATH_EXAMPLES = {
    "number": {"example": "1"},
    "name": {"example": "lcal"},
    "version": {"example": "1.0.0"},
    "path": {"example": "README.md"},
}


MOVED = {"301": {"description": "Another spelling of the code"}}


def _moved(path: str) -> dict[str, Any]:
    """At the addresses that people share, each certificate has one spelling; those of the API answer to all."""
    return MOVED if path.startswith("/v/{code}") else {}


def file_at(operation: str, path: str, about: str, media_type: str) -> dict[str, Any]:
    listed = query("purpose", ["revocation", "suspension"], "What the list tells")
    purpose = {**listed, "in": "path", "required": True, "example": "revocation"}
    parameters = [CODE] * ("{code}" in path) + [purpose] * ("{purpose}" in path)
    parameters += [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, **PATH_EXAMPLES.get(name, {})}
        for name in ("number", "tile", "year", "name", "version", "sha256", "path")
        if f"{{{name}}}" in path
    ]
    schema = {"$ref": REF.format(model="CertificateView")} if operation == "certificateView" else {}
    answer = {"description": about, "content": {media_type: {"schema": schema}}}
    return {
        "operationId": operation,
        "summary": about,
        "parameters": parameters,
        "responses": {"200": answer, **_moved(path)} | problems_with(400, *((404,) if parameters else ())),
    }
