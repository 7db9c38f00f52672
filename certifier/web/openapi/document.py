"""The whole description of the API, generated from the models that the answers are made of (OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from certifier.settings import Settings
from certifier.web.openapi import (
    access,
    acts,
    certificates,
    complaints,
    export,
    files,
    submissions,
    vc_api,
    verification,
    webhooks,
)
from certifier.web.openapi.finish import finished
from certifier.web.openapi.parts import REF, ProblemDetails
from certifier.web.openapi.tags import TAGS, tag_of
from certifier.web.service_info import API_VERSION

ABOUT = (
    "Every GET answers HEAD too, and every address OPTIONS. What could not be answered comes as ``application/problem+json`` "
    "(RFC 9457). Values marked ``x-extensible-enum`` may get company: take any text. Unknown members may appear in answers."
)
AREAS = (verification, certificates, export, submissions, complaints, access, acts, webhooks, vc_api, files)


def openapi_document(settings: Settings, scopes: Mapping[tuple[str, str], str] | None = None) -> dict[str, Any]:
    """The whole description. ``scopes`` tells for each method and path what an API key needs, as the routes have it."""
    paths = {path: item for area in AREAS for path, item in area.paths(settings).items()}
    _, schemas = models_json_schema(_models(), ref_template=REF)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Low-Carbon Audio Label",
            "version": API_VERSION,
            "summary": "Submit emission reports, read decisions, verify certificates.",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": title} for title, _ in TAGS if any(title == tag_of(path) for path in paths)],
        "paths": finished(access.guarded(paths, scopes or {})),
        "webhooks": webhooks.webhooks(),
        "components": {"schemas": schemas["$defs"], "securitySchemes": access.SCHEMES},
    }


def _models() -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    """Every model with the side that it is described from."""
    requests = [model for area in AREAS for model in area.REQUESTS]
    answers = [*(model for area in AREAS for model in area.ANSWERS), ProblemDetails]
    return [*((model, "validation") for model in requests), *((model, "serialization") for model in answers)]
