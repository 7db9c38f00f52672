"""The description of the API is valid, complete, and true."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.datastructures import FileStorage

from certifier.service.api_keys import SCOPES
from certifier.web.app import ROUTES
from tests.studio import Studio
from tests.web.access import bearer, new_key
from tests.web.conftest import World
from tests.web.test_submissions import send


def description(world: World) -> dict[str, Any]:
    return json.loads(world.client.get("/openapi.json").data)


def check(world: World, model: str, body: Any) -> None:
    schema = {"$ref": f"#/components/schemas/{model}", "components": description(world)["components"]}
    Draft202012Validator(schema).validate(body)


def test_it_is_openapi_3_1(world: World) -> None:
    document = description(world)
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_every_operation_of_the_api_is_described(world: World) -> None:
    described = {(method.upper(), path) for path, item in description(world)["paths"].items() for method in item}
    served = {
        (route.method, re.sub("<([a-z_]+)>", r"{\1}", route.path))
        for route in ROUTES
        if route.path.startswith(("/api/", "/vc-api/")) and route.method != "OPTIONS"
    }
    assert served <= described


def test_everything_described_is_served(world: World) -> None:
    key = bearer(new_key(world.certifier, *SCOPES))
    for path, item in description(world)["paths"].items():
        if "get" in item:
            named = {"code": world.code, "purpose": "revocation", "submission_id": world.verified.submission_id}
            named |= {
                "name": "lcal",
                "version": "1.0.0",
                "sha256": world.certifier.shelf.newest.digest,
                "path": "README.md",
            }
            asked = {"sha256": "a5" * 32} if path == "/api/v1/certificates" else {}
            parts = {**named, "tile": "0/000.p/1", "year": "2026", "number": "1"}
            headers = key if item["get"].get("security", [{}])[0] else {}
            answer = world.client.get(path.format(**parts), query_string=asked, headers=headers)
            assert answer.status_code == 200, path
            assert answer.mimetype in item["get"]["responses"]["200"]["content"], path


def test_answers_have_the_described_shape(world: World) -> None:
    get = world.client.get
    check(world, "CertificateView", get(f"/v/{world.code}.json").json)
    check(world, "CertificateView", get(f"/v/{world.withdrawn.certificate.code}.json").json)
    check(world, "SubmissionView", get(f"/api/v1/submissions/{world.refused.submission_id}").json)
    check(world, "SubmissionView", get(f"/api/v1/submissions/{world.verified.submission_id}").json)
    check(world, "VerificationView", world.client.post("/api/v1/verifications", json={"code": world.code}).json)
    check(world, "ProblemDetails", get("/v/ABCDEFGHJK").json)
    check(world, "ProblemDetails", get("/nothing").json)


def test_a_submission_has_the_described_shape(world: World, client: FlaskClient, studio: Studio) -> None:
    sent = {
        "report": FileStorage(io.BytesIO(studio.signed(studio.report())), "report.json"),
        "audio": FileStorage(io.BytesIO(studio.track.read_bytes()), "track.wav"),
    }
    check(world, "SubmissionView", send(client, sent).json)


@pytest.mark.parametrize("model", ["SubmissionView", "CertificateView", "VerificationView"])
def test_a_shape_refuses_what_is_not_of_it(world: World, model: str) -> None:
    schema = {"$ref": f"#/components/schemas/{model}", "components": description(world)["components"]}
    assert not Draft202012Validator(schema).is_valid({"something": "else"})
