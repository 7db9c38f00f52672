"""The examples of the API's description, sent as they stand to a sandbox with every state in it."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from certifier.egress import Egress
from certifier.service.acts import Act
from certifier.service.api_keys import SCOPES
from certifier.service.home import open_certifier
from certifier.service.sandbox import DEMO_CODES
from certifier.settings import Settings
from certifier.web.app import create_app
from tests.studio import APPLICANT, Studio
from tests.web.access import bearer, new_key

OF_THE_API = "/api/"
CODE = DEMO_CODES["class-1"]


class Example(NamedTuple):
    """One request of the description: an operation with values for its parameters, and a body where it takes one."""

    operation: str
    name: str
    method: str
    path: str
    query: dict[str, Any]
    media_type: str
    body: Any


@dataclass(frozen=True)
class Sandbox:
    client: FlaskClient
    key: str
    files: Mapping[str, bytes]
    values: Mapping[str, str]  # of parameters that are different in every installation

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.client.get("/openapi.json").data)
        return found


@contextmanager
def sandbox_of(filled: Settings, folder: Path) -> Iterator[Sandbox]:
    """A copy of a filled sandbox, with an API key for everything, and files to submit."""
    home = folder / "home"
    shutil.copytree(filled.home, home)
    certifier = open_certifier(replace(filled, home=home), datetime.now(UTC))
    studio = Studio(folder)
    files = {
        "report.dsse.json": studio.signed(studio.report()),
        "track.wav": studio.track.read_bytes(),
        "emissions.csv": studio.log,
    }
    row = certifier.certificate(CODE)
    old_key = new_key(certifier, *SCOPES)
    values = {"submission_id": row.submission_id, "sha256": row.audio_sha256, "key_id": old_key.split("_")[2]}
    asked = Act("approve", "tool example-studio", "application", "", old_key.split("_")[2], "Example Platform", "")
    act = certifier.acts.row_of(asked, datetime.now(UTC))
    certifier.store.accept([act])
    values["act_id"] = act.id
    client, key = create_app(certifier, egress=Egress(lambda _: ["8.8.8.8"])).test_client(), new_key(certifier, *SCOPES)
    try:
        yield Sandbox(client, key, files, values | _webhook(client, key))
    finally:
        certifier.close()


def document_of(answer: TestResponse) -> dict[str, Any]:
    """The JSON object that an answer is."""
    document = answer.get_json()
    assert isinstance(document, dict), answer.text
    return document


def _webhook(client: FlaskClient, key: str) -> dict[str, str]:
    """An endpoint of the key's holder, and something that is to be delivered there."""
    added = client.post(
        "/api/v1/webhook-endpoints", json={"url": "https://hooks.example.org/other"}, headers=bearer(key)
    )
    assert added.status_code == 201, added.text
    endpoint_id = str(document_of(added)["id"])
    tested = client.post(f"/api/v1/webhook-endpoints/{endpoint_id}/tests", headers=bearer(key))
    return {"endpoint_id": endpoint_id, "delivery_id": str(document_of(tested)["id"])}


def fresh_examples(sandbox: Sandbox) -> list[Example]:
    """Those that are made anew each time: a proof that a key is somebody's counts for five minutes."""
    challenge = str(document_of(sandbox.client.get("/api/v1/key-challenges"))["challenge"])
    proof = {
        "key": APPLICANT.public.did_key,
        "challenge": challenge,
        "signature": APPLICANT.sign(challenge.encode()).hex(),
    }
    return [Example("myTracks", "a proof of now", "post", "/api/v1/my-tracks", {}, "application/json", proof)]


def examples_in(document: Mapping[str, Any], values: Mapping[str, str]) -> list[Example]:
    """Every example of the operations under /api; those that read are asked once for each parameter of the query that has one.

    What removes something comes last.
    """
    found = [
        example
        for path, item in document["paths"].items()
        if path.startswith(OF_THE_API)
        for method, operation in item.items()
        for example in _of(path, method, operation, values)
    ]
    return sorted(found, key=lambda example: example.method == "delete")


def _of(path: str, method: str, operation: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[Example]:
    parameters = operation.get("parameters", ())
    known = {each["name"]: each.get("example", values.get(each["name"], "example")) for each in parameters}
    at = re.sub(r"{(\w+)}", lambda part: str(known[part[1]]), path)
    name = operation["operationId"]
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        given = content.get("examples", {}) or ({"": {"value": content["example"]}} if "example" in content else {})
        for about, example in given.items():
            yield Example(name, about, method, at, {}, media_type, example["value"])
    if "requestBody" not in operation:
        yield Example(name, "", method, at, {}, "", None)
        for each in parameters:
            if each["in"] == "query" and "example" in each:
                yield Example(name, each["name"], method, at, {each["name"]: each["example"]}, "", None)


def sent(sandbox: Sandbox, example: Example, operation: Mapping[str, Any]) -> TestResponse:
    """The answer of the sandbox to an example; a key goes along where the operation takes one."""
    is_keyed = {} not in operation.get("security", [{}])
    headers = bearer(sandbox.key) if is_keyed else {}
    if any(each["name"] == "If-Match" for each in operation.get("parameters", ())):
        headers |= {"If-Match": sandbox.client.get(example.path, headers=headers).headers.get("ETag", "*")}
    body: dict[str, Any] = {}
    if example.media_type == "multipart/form-data":
        boundary, data = encode_multipart(_form(sandbox, example.body))  # the client itself would leave a file open
        body = {"data": data, "content_type": f"multipart/form-data; boundary={boundary}"}
    elif example.media_type:
        text = example.body if isinstance(example.body, str) else json.dumps(example.body)
        body = {"data": text, "content_type": example.media_type}
    return sandbox.client.open(
        example.path, method=example.method.upper(), query_string=example.query, headers=headers, **body
    )


def _form(sandbox: Sandbox, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a form; what begins with @ is a file, as curl has it."""

    def value_of(text: Any) -> Any:
        if isinstance(text, list):
            return [value_of(each) for each in text]
        return FileStorage(io.BytesIO(sandbox.files[text[1:]]), text[1:]) if text.startswith("@") else text

    return {name: value_of(text) for name, text in fields.items()}


def shortened(value: Any) -> Any:
    """An answer with its lists of documents cut to the first, and long texts to their beginning."""
    if isinstance(value, dict):
        return {name: shortened(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shortened(each) for each in value[: 1 if value and isinstance(value[0], dict) else 2]]
    return f"{value[:120]}…" if isinstance(value, str) and len(value) > 200 else value
