"""Asking for a verification: 200 for every completed check, and nothing of a document that cannot be believed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from certifier.certificate.code import display_code
from certifier.certificate.proof import sign_document
from certifier.crypto.strict_json import parse_object
from certifier.service.certifier import Certifier
from certifier.web import verifications
from certifier.web.app import create_app
from certifier.web.documents import verification_bytes, verification_view
from certifier.web.site import Site
from certifier.web.verifications import check_code
from tests.studio import NOW, Studio
from tests.web.conftest import LATER, World

VERIFICATIONS = "/api/v1/verifications"
OTHER_AUDIO = "0" * 64


def ask(world: World, **question: Any) -> TestResponse:
    return world.client.post(VERIFICATIONS, json=question)


def document(world: World) -> dict[str, Any]:
    return parse_object(world.verified.certificate.document or b"")


def test_a_code_is_looked_up_and_checked(world: World) -> None:
    answer = ask(world, code=display_code(world.code).lower())
    body = answer.json
    assert (answer.status_code, body["verdict"], body["environment"]) == (200, "valid", "demo")
    assert body["axes"]["inclusion"] == "included"
    assert body["axes"]["binding"] == "not_checked"
    assert body["certificate"]["code"] == display_code(world.code)
    assert body["certificate"]["title"] == "Night Ferry (example)"
    assert {check["axis"] for check in body["checks"]} == set(body["axes"])


def test_a_file_that_was_withdrawn_is_not_valid(world: World) -> None:
    body = ask(world, code=world.withdrawn.certificate.code).json
    assert (body["verdict"], body["axes"]["lifecycle"]) == ("not_valid", "revoked")


def test_a_credential_is_checked_with_the_proof_of_our_log(world: World) -> None:
    assert ask(world, credential=document(world)).json["verdict"] == "valid"


def test_a_credential_may_bring_its_own_proof(world: World) -> None:
    proof = (world.verified.certificate.proof or b"").decode()
    assert ask(world, credential=document(world), proof=proof).json["verdict"] == "valid"
    other = (world.attested.certificate.proof or b"").decode()
    body = ask(world, credential=document(world), proof=other).json
    assert (body["verdict"], body["axes"]["inclusion"]) == ("not_valid", "broken")


AUDIO = {
    "the certified file": (None, None, "valid", "sha256_match"),
    "another file": (OTHER_AUDIO, None, "not_valid", "mismatch"),
    "the same sound in another file": (OTHER_AUDIO, "essence", "valid", "essence_match"),
}


@pytest.mark.parametrize(("sha256", "essence", "verdict", "binding"), AUDIO.values(), ids=AUDIO.keys())
def test_the_audio_is_compared(
    world: World, sha256: str | None, essence: str | None, verdict: str, binding: str
) -> None:
    track = world.client.get(f"/v/{world.code}.json").json["track"]
    audio = {"sha256": sha256 or track["audio_sha256"]}
    if essence:
        audio["essence_sha256"] = track["audio_essence_v1_sha256"]
    body = ask(world, code=world.code, audio=audio).json
    assert (body["verdict"], body["axes"]["binding"]) == (verdict, binding)


def test_a_changed_document_is_not_valid_and_nothing_of_it_is_echoed(world: World) -> None:
    changed = document(world)
    changed["credentialSubject"]["narrative"] = "Stolen Ferry"
    answer = ask(world, credential=changed)
    assert (answer.status_code, answer.json["verdict"]) == (200, "not_valid")
    assert answer.json["certificate"] is None
    assert "Stolen Ferry" not in answer.text
    assert "Night Ferry" not in answer.text


def test_a_document_of_another_issuer_is_not_judged(world: World) -> None:
    foreign = document(world)
    foreign["issuer"]["id"] = "did:web:other.example"
    foreign["proof"]["verificationMethod"] = "did:web:other.example#key-1"
    body = ask(world, credential=foreign).json
    assert (body["verdict"], body["axes"]["issuer_trust"], body["certificate"]) == ("cannot_tell", "unknown", None)


def test_a_changed_name_of_the_key_is_found_by_the_log(world: World) -> None:
    renamed = document(world)
    renamed["proof"]["verificationMethod"] += "0"
    body = ask(world, credential=renamed).json
    assert (body["verdict"], body["axes"]["inclusion"]) == ("not_valid", "broken")


def test_what_our_key_signed_and_our_log_does_not_hold_is_not_valid(studio: Studio, certifier: Certifier) -> None:
    """A stolen key alone issues nothing."""
    row = certifier.submit(studio.upload(studio.signed(studio.report())), NOW).certificate  # type: ignore[union-attr]
    unsigned = parse_object(row.payload) | {"id": "https://label.example/v/0000000000"}
    forged = sign_document(
        unsigned, certifier.own_keys.signers[row.verification_method], row.verification_method, row.issued_at
    )
    client = create_app(certifier, lambda: LATER).test_client()
    body = client.post(VERIFICATIONS, json={"credential": forged}).json
    assert (body["verdict"], body["axes"]["integrity"], body["axes"]["inclusion"]) == ("not_valid", "ok", "broken")


BAD = {
    "neither code nor credential": ({}, 400, "parameter-invalid"),
    "both": ({"code": "7K3QZ9M2XA", "credential": {}}, 400, "parameter-invalid"),
    "a proof for a code": ({"code": "{code}", "proof": "x"}, 400, "parameter-invalid"),
    "a member that does not exist": ({"code": "{code}", "force": True}, 400, "parameter-invalid"),
    "a code that is a number": ({"code": 7}, 400, "parameter-invalid"),
    "a digest that is none": ({"code": "{code}", "audio": {"sha256": "abc"}}, 400, "parameter-invalid"),
    "a mistyped code": ({"code": "ABCDEFGHJK"}, 400, "code-malformed"),
    "a code that was never issued": ({"code": "0000000000"}, 404, "certificate-not-found"),
    "a document that is no certificate": ({"credential": {"a": 1}}, 422, "certificate-malformed"),
}


@pytest.mark.parametrize(("question", "status", "slug"), BAD.values(), ids=BAD.keys())
def test_a_question_that_cannot_be_answered_is_a_problem(
    world: World, question: dict[str, Any], status: int, slug: str
) -> None:
    filled = json.loads(json.dumps(question).replace("{code}", world.code))
    answer = ask(world, **filled)
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (status, slug)


RAW = {
    "no JSON": b"code=ABC",
    "a member twice": b'{"code": "A", "code": "B"}',
    "NaN": b'{"code": NaN}',
    "50,000 nested brackets": b"[" * 50_000,
    "a list": b"[]",
    "a byte order mark": b'\xef\xbb\xbf{"code": "A"}',
    "a lone surrogate": b'{"code": "\\ud800"}',
    "nothing": b"",
}


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW.keys())
def test_bodies_are_read_strictly(world: World, raw: bytes) -> None:
    answer = world.client.post(VERIFICATIONS, data=raw, content_type="application/json")
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (400, "json-malformed")


def test_a_body_above_its_limit_is_refused(world: World) -> None:
    answer = world.client.post(VERIFICATIONS, data=b" " * 300_000, content_type="application/json")
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (413, "payload-too-large")


def test_pages_of_other_sites_may_ask(world: World) -> None:
    allowed = world.client.options(VERIFICATIONS)
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert ask(world, code=world.code).headers["Access-Control-Allow-Origin"] == "*"


def test_a_number_where_a_text_was_signed_is_not_valid(world: World) -> None:
    """The figure as a JSON number reads the same to a person; it is another document."""
    document = json.loads(world.verified.certificate.document or b"")
    result = document["credentialSubject"]["result"][0]
    result["value"] = float(result["value"])
    answer = world.client.post("/api/v1/verifications", json={"credential": document})
    assert (answer.status_code, answer.json["verdict"]) == (200, "not_valid")


def test_a_problem_can_be_read_by_pages_of_other_sites(world: World) -> None:
    answer = world.client.post("/api/v1/verifications", json={"code": "wrong"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (400, "*")


LITTLE_LIKE_ADDRESSES = {
    "a bracket": "]",
    "a link in Markdown": "[x](y)",
    "the end of an object": '"}]}',
    "an address without its end": "https://[::1",
    "a host that is none": "https://[/v/7K3QZ9M2XA",
    "brackets behind backslashes": "\\]\\(",
}


@pytest.mark.parametrize("text", LITTLE_LIKE_ADDRESSES.values(), ids=LITTLE_LIKE_ADDRESSES.keys())
def test_what_looks_a_little_like_an_address_is_judged_as_a_code(world: World, text: str) -> None:
    answer = world.client.get("/verify", query_string={"code": text}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (400, "code-malformed")


def test_an_answer_is_remembered_for_its_moment_only(
    studio: Studio, certifier: Certifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same question in the same minute is answered from memory; a withdrawal and the next minute are seen at once."""
    code = certifier.submit(studio.upload(studio.signed(studio.report())), NOW).certificate.code  # type: ignore[union-attr]
    now, checks = [LATER], []
    real = verifications.check_code
    monkeypatch.setattr(verifications, "check_code", lambda *asked: checks.append(asked) or real(*asked))
    client = create_app(certifier, lambda: now[0]).test_client()

    def verdict(**more: Any) -> tuple[str, int]:
        body = client.post(VERIFICATIONS, json={"code": code, **more}).json
        return body["verdict"], len(checks)

    assert [verdict(), verdict(), verdict(audio={"sha256": OTHER_AUDIO}), verdict()] == [
        ("valid", 1),
        ("valid", 1),
        ("not_valid", 2),
        ("valid", 2),
    ]
    now[0] += timedelta(minutes=1)
    assert verdict() == ("valid", 3)
    certifier.change_status(code, "revoke", "misuse", now[0])
    assert verdict() == ("not_valid", 4)


def test_the_answer_is_that_of_the_described_model(world: World) -> None:
    for code in (world.code, world.withdrawn.certificate.code):
        verification = check_code(Site(world.certifier, lambda: LATER), code)
        view = verification_view(verification, "demo").model_dump(mode="json")
        assert json.loads(verification_bytes(verification, "demo")) == view
