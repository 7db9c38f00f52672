"""The reference of the API, made from our own OpenAPI document: operations in groups, their bodies and answers in words.

It holds no text that the document does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from certifier.web.problems import problems

REF = "#/components/schemas/"


@dataclass(frozen=True)
class Field:
    """A member of a document, or a parameter. ``model`` names the schema that it is made of, where it is made of one."""

    name: str
    kind: str
    model: str | None
    required: bool
    about: str
    place: str = ""


@dataclass(frozen=True)
class Body:
    """A body in one media type: the name of its schema, or its fields, or neither where it is bytes."""

    media_type: str
    model: str | None
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Answer:
    """``slugs`` name the kinds of problem that a status stands for."""

    status: str
    about: str
    slugs: tuple[str, ...]
    bodies: tuple[Body, ...]


@dataclass(frozen=True)
class Operation:
    """``scope`` is what an API key needs (``a / b``: one of them), empty where any will do; None where it takes no key."""

    name: str
    method: str
    path: str
    summary: str
    parameters: tuple[Field, ...]
    request: tuple[Body, ...]
    answers: tuple[Answer, ...]
    scope: str | None = None
    about: str = ""
    example: str = ""  # of an answer that is good
    sent: str = ""  # of a body, in JSON


@dataclass(frozen=True)
class Reference:
    groups: tuple[tuple[str, tuple[Operation, ...]], ...]
    schemas: tuple[tuple[str, str, tuple[Field, ...]], ...]
    version: str


def reference_of(document: Mapping[str, Any]) -> Reference:
    """The document as the page shows it, in groups."""
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    found: dict[str, list[Operation]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            found[described["tags"][0]].append(_operation(method, path, described))
    tables = tuple((name, _plain(schema.get("description", "")), _fields(schema)) for name, schema in schemas.items())
    groups = tuple((title, tuple(operations)) for title, operations in found.items() if operations)
    return Reference(groups, tables, document["info"]["version"])


def _operation(method: str, path: str, described: Mapping[str, Any]) -> Operation:
    parameters = tuple(map(_parameter, described.get("parameters", ())))
    answers = tuple(_answer(status, told) for status, told in sorted(described["responses"].items()))
    request = _bodies(described.get("requestBody", {}))
    enough = described.get("security", [{}])
    scope = " / ".join(" ".join(*needed.values()) for needed in enough) if all(enough) else None
    named = (described["operationId"], method.upper(), path, described["summary"])
    about = _plain(described.get("description", ""))
    return Operation(
        *named, parameters, request, answers, scope, about, _example_in(described["responses"]), _sent_in(described)
    )


def _sent_in(described: Mapping[str, Any]) -> str:
    """The first body that is shown, in one line; empty where none is."""
    content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    return next((json.dumps(each["value"], ensure_ascii=False) for each in content.get("examples", {}).values()), "")


def _example_in(responses: Mapping[str, Any]) -> str:
    """The first answer that is shown, as somebody reads it; empty where none is."""
    for status, told in sorted(responses.items()):
        content = told.get("content", {}).get("application/json", {})
        if status < "3" and "example" in content:
            return json.dumps(content["example"], indent=2, ensure_ascii=False)
    return ""


def _parameter(told: Mapping[str, Any]) -> Field:
    schema = {"description": told.get("description", ""), **told["schema"]}
    return _field(told["name"], schema, told.get("required", False), told["in"])


def _answer(status: str, told: Mapping[str, Any]) -> Answer:
    """Descriptions of failures list the kinds of problem (openapi.py)."""
    about: str = told["description"]
    known = problems()
    slugs = tuple(word for word in re.findall(r"[a-z]+(?:-[a-z]+)*", about) if word in known) if status >= "4" else ()
    text = re.sub(r"[;,:]? *(?:or: )?$", "", re.sub(r"[a-z-]+(?:, [a-z-]+)*$", "", about)) if slugs else about
    return Answer(status, text, slugs, _bodies(told) if status < "4" else ())


def _bodies(described: Mapping[str, Any]) -> tuple[Body, ...]:
    content: Mapping[str, Any] = described.get("content", {})
    return tuple(_body(media_type, each.get("schema", {})) for media_type, each in content.items())


def _body(media_type: str, schema: Mapping[str, Any]) -> Body:
    return Body(media_type, _model_in(schema), () if _model_in(schema) else _fields(schema))


def _fields(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    required = schema.get("required", ())
    return tuple(_field(name, each, name in required) for name, each in schema.get("properties", {}).items())


def _field(name: str, schema: Mapping[str, Any], required: bool, place: str = "") -> Field:
    return Field(name, kind_of(schema), _model_in(schema), required, " ".join(_notes(schema)), place)


def kind_of(schema: Mapping[str, Any]) -> str:
    """The type of a value in words, such as ``list of CheckView``."""
    if model := schema.get("$ref"):
        return str(model).removeprefix(REF)
    if choices := schema.get("anyOf"):
        return " or ".join(kind_of(choice) for choice in choices)
    if "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema["enum"])
    kind = schema.get("type", "any value")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    further = schema.get("additionalProperties")
    return f"object of {kind_of(further)}" if kind == "object" and isinstance(further, dict) and further else str(kind)


def _model_in(schema: Mapping[str, Any]) -> str | None:
    """The first schema that a value is made of."""
    if model := schema.get("$ref"):
        return str(model).removeprefix(REF)
    inner = [*schema.get("anyOf", ()), schema.get("items", {}), schema.get("additionalProperties", {})]
    return next((found for each in inner if isinstance(each, dict) and each and (found := _model_in(each))), None)


def _notes(schema: Mapping[str, Any]) -> Iterator[str]:
    if about := schema.get("description"):
        yield _plain(about) if about.endswith((".", "!")) else f"{_plain(about)}."
    if known := schema.get("x-extensible-enum"):
        yield f"Now one of {', '.join(f'``{value}``' for value in known if value)}; others may come."
    if examples := schema.get("examples"):
        yield f"Such as {', '.join(map(str, examples))}."
    for name, words in (
        ("maxLength", "At most {} characters."),
        ("minLength", "At least {}."),
        ("maxItems", "At most {}."),
    ):
        if name in schema:
            yield words.format(schema[name])
    if "default" in schema and schema["default"] is not None:
        yield f"Default: {json.dumps(schema['default'])}."


def _plain(text: str) -> str:
    return " ".join(text.split())


def marked_up(text: str) -> Markup:
    """A description as HTML: what stands between backquotes, one or two on each side, is code."""
    parts = escape(text).replace("``", "`").split("`")
    return Markup("").join(
        part if place % 2 == 0 else Markup("<code>{}</code>").format(part) for place, part in enumerate(parts)
    )


def breakable(path: str) -> Markup:
    """A path that may go on in a new line before each of its slashes."""
    return Markup("<wbr>/").join(path.split("/"))
