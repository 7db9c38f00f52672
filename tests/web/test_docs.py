"""The pages for platforms: what they say works as it stands there, and leaves nothing of the API out."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from certifier.egress import Egress
from certifier.service.api_keys import SCOPES
from certifier.service.certifier import Certifier, Issued
from certifier.web.app import create_app
from certifier.web.docs import NEVER
from certifier.web.openapi.acts import PARTY
from certifier.web.openapi.finish import finished
from certifier.web.openapi.tags import TAGS
from certifier.web.reference import kind_of, reference_of
from certifier.wording.claims import claims_in
from tests.studio import APPLICANT, NOW, Studio
from tests.web.access import new_key
from tests.web.browsing import opened
from tests.web.conftest import LATER, World
from tests.web.test_pages import Elements

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FlaskClient, Path]]:
    """An installation of its own with one certificate, and a folder with the files that the commands name."""
    studio = Studio(tmp_path_factory.mktemp("docs"))
    certifier = studio.certifier()
    envelope = studio.signed(studio.report())
    issued = certifier.submit(studio.upload(envelope), NOW)
    assert isinstance(issued, Issued)
    folder = tmp_path_factory.mktemp("yours")
    client = create_app(certifier, lambda: LATER, Egress(lambda _: ["93.184.216.34"])).test_client()
    (folder / "report.dsse.json").write_bytes(envelope)
    (folder / "track.wav").write_bytes(studio.track.read_bytes())
    (folder / "emissions.csv").write_bytes(studio.log)
    credential = json.loads(client.get(f"/v/{issued.certificate.code}.openbadge.json").data)
    presentation = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [credential],
    }
    unsigned = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": "did:example:subject"},
    }
    challenge = client.get("/api/v1/key-challenges").json["challenge"]
    bodies: dict[str, Any] = {
        "proof.json": {
            "key": APPLICANT.public.did_key,
            "challenge": challenge,
            "signature": APPLICANT.sign(challenge.encode()).hex(),
        },
        "credential.json": {"verifiableCredential": credential},
        "presentation.json": {"verifiablePresentation": presentation},
        "unsigned.json": {"credential": unsigned},
        "complaint.json": {
            "kind": "misuse",
            "code": issued.certificate.code,
            "place": "https://shop.example.org/track",
            "text": "A label with this code is on another recording (example).",
        },
    }
    bodies["approval.json"] = PARTY["a verifier"]
    for name, body in bodies.items():
        (folder / name).write_text(json.dumps(body))
    (folder / "key").write_text(new_key(certifier, *SCOPES))
    yield client, folder
    certifier.close()


def commands(client: FlaskClient) -> dict[str, str]:
    page = client.get("/docs/api", headers=HTML).text
    found = re.findall(r'data-operation="(\w+)"><code>(.*?)</code>', page, re.DOTALL)
    return {name: unescape(command).replace("\\\n", " ") for name, command in found}


def run(client: FlaskClient, folder: Path, command: str) -> Any:
    """What curl would do, against the application; an answer that was not asked for is a failure."""
    program, *words = shlex.split(command)
    assert program == "curl"
    headers: dict[str, str] = {}
    form: dict[str, FileStorage] = {}
    body, url, method = None, "", ""
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value.replace("$LCAL_KEY", (folder / "key").read_text())
        elif word == "-d":
            given = words.pop(0)
            body = (folder / given[1:]).read_bytes() if given.startswith("@") else given.encode()
        elif word == "-F":
            name, _, given = words.pop(0).partition("=@")
            form[name] = FileStorage((folder / given).open("rb"), given)
        elif word == "-X":
            method = words.pop(0)
        elif word != "-s":
            url = word
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}" == "https://label.example"
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    if form:
        boundary, content = encode_multipart(form)
        for file in form.values():
            file.close()
        return client.post(
            path, data=content, headers=headers | {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        )
    return client.open(path, method=method or ("GET" if body is None else "POST"), data=body, headers=headers)


# what may be answered where an example is not plainly good: a presentation without a proof of its holder does not verify
# or nobody has the key of the example's id
OTHERWISE = {
    "revokeApiKey": (404,),
    "complain": (201,),
    "reinstate": (409,),
    "operatorAct": (404,),
    "vcIssue": (201,),
    "vcVerifyPresentation": (200, 400),
    "addWebhookEndpoint": (201,),
    "webhookEndpoint": (404,),
    "changeWebhookEndpoint": (404,),
    "removeWebhookEndpoint": (404,),
    "testWebhookEndpoint": (404,),
    "rotateWebhookSecret": (404,),
    "webhookDeliveries": (404,),
    "replayDelivery": (404,),
}


def test_every_command_of_the_reference_works_as_it_stands(desk: tuple[FlaskClient, Path]) -> None:
    client, folder = desk
    answers = {name: run(client, folder, command) for name, command in commands(client).items()}
    wrong = {
        name: (answer.status_code, answer.text[:200])
        for name, answer in answers.items()
        if answer.status_code not in OTHERWISE.get(name, (200,))
    }
    assert wrong == {}
    assert answers["verify"].json["verdict"] == "valid"
    assert answers["submit"].json["state"] is not None
    assert [item["environment"] for item in answers["certificates"].json["items"]] == ["demo"]


def test_the_reference_leaves_nothing_out(world: World) -> None:
    document = world.client.get("/openapi.json").json
    page = world.client.get("/docs/api", headers=HTML).text
    ids = {attributes["id"] for _, attributes in Elements(page).found if "id" in attributes}
    operations = {each["operationId"] for methods in document["paths"].values() for each in methods.values()}
    assert operations <= ids
    assert {f"schema-{name}" for name in document["components"]["schemas"]} <= ids
    assert set(commands(world.client)) == operations
    anchors = {
        attributes["href"][1:] for _, attributes in Elements(page).found if attributes.get("href", "").startswith("#")
    }
    assert anchors <= ids
    for slug in ("busy", "certificate-not-found", "audio-unreadable"):
        assert f'href="/problems/{slug}"' in page


def test_the_reference_shows_the_answer_that_is_given(world: World) -> None:
    page = world.client.get("/docs/api", headers=HTML).text
    shown = re.search(r'aria-label="An answer"><code>(.*?)</code>', page, re.DOTALL)
    assert shown
    told = json.loads(unescape(shown[1]))
    given = world.client.post("/api/v1/verifications", json={"code": told["certificate"]["code"]}).json
    assert {**told, "checked_at": ""} == {**given, "checked_at": ""}


KINDS = {
    "a text": ({"type": "string"}, "string"),
    "another schema": ({"$ref": "#/components/schemas/TrackView"}, "TrackView"),
    "a list": ({"type": "array", "items": {"$ref": "#/components/schemas/CheckView"}}, "list of CheckView"),
    "a list of anything": ({"type": "array"}, "list of any value"),
    "something or nothing": ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer or null"),
    "one of some": ({"enum": ["eu", "uk"]}, '"eu" or "uk"'),
    "two types": ({"type": ["string", "array"]}, "string or array"),
    "a map": ({"type": "object", "additionalProperties": {"type": "string"}}, "object of string"),
    "a closed object": ({"type": "object", "additionalProperties": False}, "object"),
    "nothing said": ({}, "any value"),
}


@pytest.mark.parametrize(("schema", "words"), KINDS.values(), ids=KINDS.keys())
def test_a_type_is_said_in_words(schema: dict[str, Any], words: str) -> None:
    assert kind_of(schema) == words


def test_an_operation_that_nobody_thought_of_is_still_shown() -> None:
    answer = {"200": {"description": "Fine"}}
    paths = finished({"/new/{name}": {"get": {"operationId": "news", "summary": "News", "responses": answer}}})
    tags = [{"name": title} for title, _ in TAGS]
    document = {"tags": tags, "paths": paths, "components": {"schemas": {}}, "info": {"version": "1"}}
    [(title, [shown])] = reference_of(document).groups
    assert (title, shown.name, shown.method, shown.path) == ("Others", "news", "GET", "/new/{name}")


def test_the_display_guide_names_members_that_there_are(world: World) -> None:
    page = world.client.get("/docs/display", headers=HTML).text
    table = page[page.index("What has to stand there") : page.index("Do, and do not")]
    names = re.findall(r"<code>([\w.]+)</code>", table)
    view = world.client.get(f"/v/{world.code}.json").json
    assert len(names) >= 8
    for name in names:
        value = view
        for step in name.split("."):
            value = value[step]


def test_the_display_guide_shows_badges_that_are_in_force_with_their_words(world: World) -> None:
    elements = Elements(world.client.get("/docs/display", headers=HTML).text).found
    images = [attributes for tag, attributes in elements if tag == "img"]
    assert len(images) == 3
    for image in images:
        assert "AI generation footprint" in image["alt"]
        assert world.client.get(image["src"]).mimetype == "image/svg+xml"


def test_what_may_never_be_said_is_what_the_linter_finds() -> None:
    for phrases, _, _ in NEVER:
        for phrase in phrases:
            assert claims_in(phrase, figures_beside=False), phrase


def test_where_nothing_was_issued_the_pages_say_so(certifier: Certifier) -> None:
    client = create_app(certifier, lambda: LATER).test_client()
    assert "no badge to show as an example" in client.get("/docs/display").text
    assert client.get("/docs").status_code == 200
    assert "An answer" in client.get("/docs/api").text  # as a sandbox gave it once


def test_the_reference_is_read_without_script(browser: Browser, address: str) -> None:
    page = opened(browser, address, java_script_enabled=False)
    page.goto("/docs/api#verify")
    expect(page.locator("#verify")).to_be_in_viewport()
    page.click("#verify summary >> text=What you send")
    expect(page.locator("#verify .media").first).to_contain_text("application/json")
    page.click("#verify a[href='#schema-VerificationRequest']")
    expect(page.locator("#schema-VerificationRequest")).to_be_in_viewport()
    page.context.close()
