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
from werkzeug.test import TestResponse

from certifier.service.api_keys import SCOPES
from certifier.service.home import open_certifier
from certifier.service.sandbox import DEMO_CODES
from certifier.settings import Settings
from certifier.web.app import create_app
from tests.studio import Studio
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
    values = {"submission_id": row.submission_id, "sha256": row.audio_sha256}
    try:
        yield Sandbox(create_app(certifier).test_client(), new_key(certifier, *SCOPES), files, values)
    finally:
        certifier.close()


def examples_in(document: Mapping[str, Any], values: Mapping[str, str]) -> list[Example]:
    """Every example of the operations under /api; those that read are asked once for each parameter of the query that has one."""
    return [
        example
        for path, item in document["paths"].items()
        if path.startswith(OF_THE_API)
        for method, operation in item.items()
        for example in _of(path, method, operation, values)
    ]


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
    body: dict[str, Any] = {}
    if example.media_type == "multipart/form-data":
        body["data"] = _form(sandbox, example.body)
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
