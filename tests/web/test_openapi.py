"""The description of the API is valid, complete, and true."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse

from certifier.settings import Settings
from certifier.web.app import ROUTES, described_path
from tests.studio import Studio
from tests.web.api_examples import OF_THE_API, Sandbox, examples_in, fresh_examples, sandbox_of, sent
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


def test_the_api_and_its_description_are_the_same(world: World) -> None:
    described = {
        (method.upper(), path)
        for path, item in description(world)["paths"].items()
        for method in item
        if path.startswith(("/api/", "/vc-api/"))
    }
    served = {
        (route.method, described_path(route.path)) for route in ROUTES if route.path.startswith(("/api/", "/vc-api/"))
    }
    assert served == described


def test_every_operation_has_a_name_of_its_own_a_sentence_and_a_group(world: World) -> None:
    document = description(world)
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][A-Za-z0-9]+", name) for name in names)
    assert all(operation["summary"] for operation in operations)
    assert {operation["tags"][0] for operation in operations} == {tag["name"] for tag in document["tags"]}


def test_every_link_leads_to_an_operation_with_its_parameters(world: World) -> None:
    document = description(world)
    operations = {
        operation["operationId"]: operation for item in document["paths"].values() for operation in item.values()
    }
    links = [
        link
        for operation in operations.values()
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert len(links) > 10
    for link in links:
        parameters = {each["name"] for each in operations[link["operationId"]]["parameters"] if each["in"] == "path"}
        assert parameters == set(link["parameters"]), link


# -- examples -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox(filled_sandbox: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(filled_sandbox, tmp_path_factory.mktemp("examples")) as made:
        yield made


# what may be answered where an example cannot be good in every installation: a key that nobody has, an hour that is over
OTHERWISE = {("myTracks", "a challenge that has run out"): 403}


def test_every_example_of_a_request_is_answered_as_described(sandbox: Sandbox) -> None:
    document = sandbox.document
    operations = {
        operation["operationId"]: operation for item in document["paths"].values() for operation in item.values()
    }
    examples = [*examples_in(document, sandbox.values), *fresh_examples(sandbox)]
    wrong = {}
    for example in examples:
        operation = operations[example.operation]
        answer = sent(sandbox, example, operation)
        expected = OTHERWISE.get((example.operation, example.name), 0)
        described = operation["responses"].get(str(answer.status_code))
        is_fine = described and (answer.status_code == expected if expected else answer.status_code < 300)
        if not is_fine or not fits(document, described, answer):
            wrong[example.operation, example.name] = (answer.status_code, answer.text[:300])
    assert wrong == {}
    assert {example.operation for example in examples} == {
        operation["operationId"]
        for path, item in document["paths"].items()
        for operation in item.values()
        if path.startswith(OF_THE_API)
    }


def fits(document: dict[str, Any], described: dict[str, Any], answer: TestResponse) -> bool:
    """Whether an answer is of a type that is described, and of its shape."""
    content = described.get("content")
    if not content:
        return answer.data == b""
    if answer.mimetype not in content:
        return False
    if "json" not in answer.mimetype:
        return True
    lines = answer.data.splitlines() if answer.mimetype == "application/x-ndjson" else [answer.data]
    schema = {**content[answer.mimetype].get("schema", {}), "components": document["components"]}
    return all(Draft202012Validator(schema).is_valid(json.loads(line)) for line in lines)


def test_every_example_in_the_description_has_the_shape_that_it_shows(world: World) -> None:
    document = description(world)
    shown = [
        (f"{operation['operationId']} {where}", content["schema"], example)
        for item in document["paths"].values()
        for operation in item.values()
        for where, told in (("request", operation.get("requestBody", {})), *operation["responses"].items())
        for media_type, content in told.get("content", {}).items()
        for example in examples_of(content)
        if media_type != "application/x-ndjson"
    ]
    wrong = {}
    for name, schema, example in shown:
        errors = Draft202012Validator({**schema, "components": document["components"]}).iter_errors(example)
        wrong.update((name, error.message[:200]) for error in errors)
    assert wrong == {}


def examples_of(content: dict[str, Any]) -> list[Any]:
    return [each["value"] for each in content.get("examples", {}).values()] + (
        [content["example"]] if "example" in content else []
    )


def test_values_that_may_get_company_are_among_those_that_are_named(world: World) -> None:
    document = description(world)
    seen: dict[str, set[str]] = {}
    for item in document["paths"].values():
        for operation in item.values():
            for told in operation["responses"].values():
                content = told.get("content", {}).get("application/json", {})
                for example in examples_of(content):
                    note_values(document, content["schema"], example, seen)
    named = {name: values for name, values in seen.items() if values}
    assert named == {}
    assert len(seen) > 10


def note_values(document: dict[str, Any], schema: dict[str, Any], value: Any, seen: dict[str, set[str]]) -> None:
    """Note for each enumeration that an example meets the values in it that the description does not name."""
    if "$ref" in schema:
        return note_values(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], value, seen)
    for choice in schema.get("anyOf", ()):
        note_values(document, choice, value, seen)
    if (known := schema.get("x-extensible-enum")) and value is not None:
        seen.setdefault(", ".join(known), set()).update({value} - set(known))
    if isinstance(value, dict):
        for name, each in schema.get("properties", {}).items():
            if name in value:
                note_values(document, each, value[name], seen)
    if isinstance(value, list) and "items" in schema:
        for each in value:
            note_values(document, schema["items"], each, seen)
    return None


def test_every_operation_of_the_api_that_answers_in_json_shows_an_answer(world: World) -> None:
    silent = {
        operation["operationId"]
        for path, item in description(world)["paths"].items()
        for operation in item.values()
        if path.startswith(OF_THE_API)
        for status, told in operation["responses"].items()
        if status in ("200", "201")
        and "application/json" in told.get("content", {})
        and not any(
            examples_of(other.get("content", {}).get("application/json", {}))
            for other in operation["responses"].values()
        )
    }
    assert silent == set()


def test_every_file_that_is_described_is_served(world: World) -> None:
    values = {
        "code": world.code,
        "purpose": "revocation",
        "name": "lcal",
        "version": "1.0.0",
        "sha256": world.certifier.shelf.newest.digest,
        "path": "README.md",
        "tile": "0/000.p/1",
        "year": "2026",
        "number": "1",
    }
    for path, item in description(world)["paths"].items():
        if "get" in item and not path.startswith(OF_THE_API):  # whose examples are sent
            answer = world.client.get(path.format(**values))
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
