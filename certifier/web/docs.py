"""The pages for platforms: what they need, the reference of the API made from our own OpenAPI document, the display guide.

The reference holds no text that the document does not; every command in it is run by a test as it stands on the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Response
from markupsafe import Markup, escape

from certifier.badge.badge import face_lines
from certifier.certificate.code import display_code
from certifier.service.sandbox import DEMO_CODES
from certifier.settings import Settings
from certifier.web.documents import verification_view
from certifier.web.language import N_
from certifier.web.openapi import openapi_document
from certifier.web.problems import Problem, problems
from certifier.web.records import Record, record_of
from certifier.web.responses import checked_query, page
from certifier.web.site import Site
from certifier.web.verifications import check_code

REF = "#/components/schemas/"
JSON_BODY = "-H 'Content-Type: application/json'"

# title of a group -> how the paths in it begin; the first group that fits takes an operation, the last one all others
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (N_("Verify and find"), ("/api/v1/verifications", "/api/v1/certificates")),
    (N_("Submit and decide"), ("/api/v1/submissions", "/api/v1/report-checks")),
    (N_("My tracks, by key"), ("/api/v1/key-challenges", "/api/v1/my-")),
    (N_("Complaints"), ("/api/v1/complaints",)),
    (N_("A certificate and its files"), ("/v/",)),
    (N_("Trust, status, log"), ("/.well-known/", "/trust.json", "/status/", "/packs/", "/log/", "/certificate/")),
    (N_("Standards and scheme"), ("/standards", "/scheme", "/schemas/")),
    (N_("The W3C's API for credentials"), ("/vc-api/",)),
    (N_("Others"), ("/",)),
)

# operation -> the rest of its command; files named with @ are yours
BODIES = {
    "submit": "-F report=@report.dsse.json -F audio=@track.wav -F logs=@emissions.csv",
    "checkReport": "-F report=@report.dsse.json -F audio=@track.wav -F logs=@emissions.csv",
    "verify": f'{JSON_BODY} -d \'{{"code": "{{shown}}"}}\'',
    "myTracks": f"{JSON_BODY} -d @proof.json",
    "complain": f"{JSON_BODY} -d @complaint.json",
    "vcIssue": f"{JSON_BODY} -d @unsigned.json",
    "vcVerifyCredential": f"{JSON_BODY} -d @credential.json",
    "vcVerifyPresentation": f"{JSON_BODY} -d @presentation.json",
}
# operation -> its query, where an answer needs one
QUERIES = {"submit": "?dry_run=true", "certificates": "?sha256={audio}"}


# What is never said, in a few words of each kind; certifier/wording knows them all.
# claims-lint: off
NEVER: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("eco-friendly music", "green", "sustainable sound", "climate-friendly"),
        N_("A benefit for the environment as a whole, which nobody measured."),
        N_("Say the figure and what it counts."),
    ),
    (
        ("carbon-neutral", "climate-positive", "net zero", "zero-carbon"),
        N_("Not what was computed, and barred where it rests on compensation."),
        N_("Say the figure, and that no offsets are counted."),
    ),
    (
        ("carbon offset", "compensated emissions", "with climate credits"),
        N_("It does not change what was emitted; beside this label it is ground for withdrawal."),
        N_("Leave it out."),
    ),
    (
        ("saves carbon", "better for the planet", "protects the climate"),
        N_("A comparison, and nothing says with what."),
        N_("Say the figure of this track alone."),
    ),
    (
        ("a low-carbon song", "a climate-neutral band", "the footprint of this album"),
        N_("Only the AI that helped to make one file was looked at."),
        N_("Write: AI generation footprint."),
    ),
    (
        ("certified", "officially approved", "eco-label"),
        N_("By whom is missing; it is no label of a public authority, and one criterion is no ecolabel."),
        N_("Name the body that checked."),
    ),
)
# claims-lint: on


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
    name: str
    method: str
    path: str
    summary: str
    parameters: tuple[Field, ...]
    request: tuple[Body, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Reference:
    groups: tuple[tuple[str, tuple[Operation, ...]], ...]
    schemas: tuple[tuple[str, str, tuple[Field, ...]], ...]
    version: str


def index(site: Site) -> Response:
    """What a platform needs, each with one sentence and a link."""
    checked_query()
    return page("docs_index.html", "five minutes", example=_example(site), settings=site.settings)


def api(site: Site) -> Response:
    """Every operation with its parameters, bodies, answers and a command to try it."""
    checked_query()
    reference, values = _reference(site.settings), _values(site)
    operations = [operation for _, group in reference.groups for operation in group]
    commands = {operation.name: command_for(operation, site.settings.base_url, values) for operation in operations}
    return page(
        "docs_api.html",
        reference=reference,
        marked_up=marked_up,
        commands=commands,
        answer=_example_answer(site, values["code"]),
        shown=values["shown"],
        kinds=sorted(_kinds(), key=lambda kind: (kind.status, kind.slug)),
    )


def display(site: Site) -> Response:
    """What to print next to a track, and what not."""
    checked_query()
    example = _example(site)
    return page(
        "docs_display.html",
        example=example,
        alt=face_lines(example.face).title if example and example.face else None,
        code=display_code(example.row.code) if example else None,
        never=NEVER,
    )


def _kinds() -> Sequence[Problem]:
    return list(problems().values())


# -- the reference ----------------------------------------------------------------------------------------------------


@lru_cache(4)
def _reference(settings: Settings) -> Reference:
    return reference_of(openapi_document(settings))


def reference_of(document: Mapping[str, Any]) -> Reference:
    """The document as the page shows it, in groups."""
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    found: dict[str, list[Operation]] = {title: [] for title, _ in GROUPS}
    for path, methods in document["paths"].items():
        title = next(title for title, starts in GROUPS if path.startswith(starts))
        found[title] += [_operation(method, path, described) for method, described in methods.items()]
    tables = tuple((name, _plain(schema.get("description", "")), _fields(schema)) for name, schema in schemas.items())
    groups = tuple((title, tuple(operations)) for title, operations in found.items() if operations)
    return Reference(groups, tables, document["info"]["version"])


def _operation(method: str, path: str, described: Mapping[str, Any]) -> Operation:
    parameters = tuple(map(_parameter, described.get("parameters", ())))
    answers = tuple(_answer(status, told) for status, told in sorted(described["responses"].items()))
    request = _bodies(described.get("requestBody", {}))
    return Operation(described["operationId"], method.upper(), path, described["summary"], parameters, request, answers)


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
    """A description as HTML: what stands between double backquotes is code."""
    parts = escape(text).split("``")
    return Markup("").join(
        part if place % 2 == 0 else Markup("<code>{}</code>").format(part) for place, part in enumerate(parts)
    )


# -- examples ---------------------------------------------------------------------------------------------------------


def command_for(operation: Operation, base_url: str, values: Mapping[str, str]) -> str:
    """A line for a shell that asks for the operation, with values of this very register."""
    path = re.sub(r"\{(\w+)\}", lambda part: values.get(part[1], "…"), operation.path)
    query = re.sub(r"\{(\w+)\}", lambda part: values[part[1]], QUERIES.get(operation.name, ""))
    unknown = f"{JSON_BODY} -d @body.json" if operation.request else ""
    body = BODIES.get(operation.name, unknown).replace("{shown}", values["shown"])
    parts = ["curl -s", body and f"{body} \\\n ", f"'{base_url}{path}{query}'" if query else f"{base_url}{path}"]
    return " ".join(part for part in parts if part)


def _values(site: Site) -> dict[str, str]:
    """What stands in the places of paths: the newest certificate here; a code of every sandbox where there is none."""
    newest = site.certifier.store.newest_certificates(1)
    standard = site.certifier.shelf.newest
    name, _, version = standard.id.rpartition("-")
    code = newest[0][0].code if newest else DEMO_CODES["class-1"]
    return {
        "code": code,
        "shown": display_code(code),
        "submission_id": newest[0][1].id if newest else "sub_…",
        "audio": newest[0][0].audio_sha256 if newest else "0" * 64,
        "name": name.lower(),
        "version": version,
        "sha256": standard.digest,
        "path": "README.md",
        "purpose": "revocation",
        "number": "1",
        "tile": "0/000.p/1",
        "year": site.certifier.logbook.origin.rpartition("/")[2],
    }


def _example_answer(site: Site, code: str) -> str | None:
    """What the operation ``verify`` answers to the code of the examples; None while nothing was issued."""
    if not site.certifier.store.newest_certificates(1):
        return None
    view = verification_view(check_code(site, code), site.settings.environment)
    return json.dumps(view.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False)


def _example(site: Site) -> Record | None:
    """A certificate to show: the newest in force, the sandbox's first where it is here."""
    codes = [row.code for row, _ in site.certifier.store.newest_certificates(20)]
    records = [
        record_of(site, code, site.minute()) for code in sorted(codes, key=lambda code: code != DEMO_CODES["class-1"])
    ]
    good = [record for record in records if record.state == "active" and record.claims]
    classed = [record for record in good if record.claims and record.claims.outcome in ("class-1", "class-2")]
    return next(iter([*classed, *good]), None)
