"""Many verifications in one request: an answer to each question, in its place, whatever the others are."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from certifier.certificate.code import display_code
from certifier.certificate.trust import parse_trust
from certifier.certificate.verification import Material
from certifier.certificate.verify import check_certificate
from certifier.service.certifier import Certifier, Issued
from certifier.service.home import open_certifier
from certifier.service.sandbox import DEMO_CODES, MISTYPED_CODE, UNKNOWN_CODE
from certifier.settings import Settings
from certifier.storage.tables import certificates
from certifier.web import batches, lines
from certifier.web.app import create_app
from certifier.web.site import MOST_OF_ONE, MOST_STREAMS, Site
from tests.studio import NOW, Studio
from tests.web.access import new_key
from tests.web.conftest import LATER, World

BATCHES = "/api/v1/verification-batches"
NDJSON = "application/x-ndjson"
OTHER = "0" * 64


def ask(client: FlaskClient, *items: Any, **members: Any) -> TestResponse:
    return client.post(BATCHES, json={"items": list(items), **members})


def answers(client: FlaskClient, *items: Any, **members: Any) -> list[dict[str, Any]]:
    response = ask(client, *items, **members)
    assert response.status_code == 200, response.text
    return list(response.json["items"])


def stream(client: FlaskClient, body: bytes, query: str = "", **headers: str) -> list[dict[str, Any]]:
    response = client.post(BATCHES + query, data=body, content_type=NDJSON, headers=headers)
    assert response.status_code == 200, response.text
    assert response.mimetype == NDJSON
    assert response.text.endswith("\n") or not response.text
    return [json.loads(line) for line in response.text.splitlines()]


def as_lines(*items: Any) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def slug(answer: dict[str, Any]) -> str:
    return str(answer["problem"]["type"].rpartition("/")[2])


def keyed(app: Flask, key: str) -> FlaskClient:
    """A client that shows a key with each request."""
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return client


@pytest.fixture(scope="module")
def client(world: World) -> FlaskClient:
    return keyed(world.client.application, new_key(world.certifier, "verify:bulk"))


@pytest.fixture(scope="module")
def sandbox(filled_sandbox: Settings) -> Iterator[FlaskClient]:
    certifier = open_certifier(filled_sandbox)
    yield keyed(create_app(certifier), new_key(certifier, "verify:bulk"))
    certifier.close()


def test_answers_come_in_the_order_of_the_questions_with_their_refs(client: FlaskClient, world: World) -> None:
    codes = [world.code, world.withdrawn.certificate.code, world.statement.certificate.code]
    asked = [{"ref": f"row-{number}", "code": codes[number % 3]} for number in range(450)]
    given = answers(client, *asked)
    assert [answer["ref"] for answer in given] == [item["ref"] for item in asked]
    assert [answer["code"] for answer in given] == [display_code(item["code"]) for item in asked]
    assert [answer["verdict"] for answer in given[:3]] == ["valid", "not_valid", "valid"]


def track(world: World) -> dict[str, Any]:
    return dict(world.client.get(f"/v/{world.code}.json").json["track"])


def record(world: World) -> str:
    return (world.verified.certificate.document or b"").decode()


def proof(world: World) -> str:
    return (world.verified.certificate.proof or b"").decode()


# Items with their verdict and the binding of the audio; what depends on the world is filled in by name.
KINDS = {
    "a code as people write it": ({"code": "{shown}"}, "valid", "not_checked"),
    "a code with the file": ({"code": "{code}", "audio": {"sha256": "{sha256}"}}, "valid", "sha256_match"),
    "a code with another file": ({"code": "{code}", "audio": {"sha256": OTHER}}, "not_valid", "mismatch"),
    "the digest of the file": ({"sha256": "{sha256}"}, "valid", "sha256_match"),
    "the digest of the samples": ({"essence_sha256": "{essence}"}, "valid", "essence_match"),
    "the record as a document": ({"credential": {"{record}": 1}}, "valid", "not_checked"),
    "the record as text": ({"credential": "{record}"}, "valid", "not_checked"),
    "the record with its proof": ({"credential": "{record}", "proof": "{proof}"}, "valid", "not_checked"),
    "the token": ({"credential": "{jwt}"}, "valid", "not_checked"),
    "a withdrawn code": ({"code": "{withdrawn}"}, "not_valid", "not_checked"),
}


def filled(world: World, item: Any) -> Any:
    """An item with the world's values in the place of their names."""
    if item == {"{record}": 1}:
        return json.loads(record(world))
    if isinstance(item, dict):
        return {name: filled(world, value) for name, value in item.items()}
    if not (isinstance(item, str) and item.startswith("{")):
        return item
    values = {
        "{code}": lambda: world.code,
        "{shown}": lambda: display_code(world.code).lower(),
        "{withdrawn}": lambda: world.withdrawn.certificate.code,
        "{sha256}": lambda: track(world)["audio_sha256"],
        "{essence}": lambda: track(world)["audio_essence_v1_sha256"],
        "{record}": lambda: record(world),
        "{proof}": lambda: proof(world),
        "{jwt}": lambda: world.client.get(f"/v/{world.code}.jwt").text,
    }
    return values[item]()


@pytest.mark.parametrize(("item", "verdict", "binding"), KINDS.values(), ids=KINDS.keys())
def test_an_item_may_ask_in_many_ways(
    client: FlaskClient, world: World, item: dict[str, Any], verdict: str, binding: str
) -> None:
    (answer,) = answers(client, filled(world, item))
    assert (answer["result"], answer["verdict"], answer["axes"]["binding"]) == (verdict, verdict, binding)
    assert stream(client, as_lines(filled(world, item))) == [answer]


def test_an_answer_says_what_was_certified(client: FlaskClient, world: World) -> None:
    (answer,) = answers(client, {"code": world.code})
    single = world.client.post("/api/v1/verifications", json={"code": world.code}).json
    assert {name: answer[name] for name in ("verdict", "because", "axes")} == {
        name: single[name] for name in ("verdict", "because", "axes")
    }
    assert answer["outcome"] == single["certificate"]["outcome"]
    assert answer["assessed_g_per_min"] == single["certificate"]["assessed_g_per_min"]
    assert "record" not in answer
    assert "problem" not in answer


NONE = {
    "a code that was never issued": {"code": UNKNOWN_CODE},
    "a digest of no certified file": {"sha256": OTHER},
    "samples of no certified file": {"essence_sha256": OTHER},
    "an ISRC of no certificate": {"isrc": "QZ-ABC-26-99999"},
}


@pytest.mark.parametrize("item", NONE.values(), ids=NONE.keys())
def test_where_there_is_no_certificate_the_answer_says_so(client: FlaskClient, item: dict[str, Any]) -> None:
    (answer,) = answers(client, {"ref": "x", **item})
    assert (answer["ref"], answer["result"], answer["verdict"], answer["code"]) == ("x", "no_certificate", None, None)


BAD = {
    "nothing asked": ({}, "parameter-invalid"),
    "two things asked": ({"code": MISTYPED_CODE, "sha256": OTHER}, "parameter-invalid"),
    "a mistyped code": ({"code": MISTYPED_CODE}, "code-malformed"),
    "an ISRC that is none": ({"isrc": "QZABC26"}, "parameter-invalid"),
    "a digest that is none": ({"sha256": "ABC"}, "parameter-invalid"),
    "a proof for a code": ({"code": UNKNOWN_CODE, "proof": "x"}, "parameter-invalid"),
    "a document that is no certificate": ({"credential": {"a": 1}}, "certificate-malformed"),
    "a text that is no certificate": ({"credential": "hello"}, "certificate-malformed"),
    "a member that does not exist": ({"code": UNKNOWN_CODE, "force": True}, "parameter-invalid"),
    "a code that is a number": ({"code": 7}, "parameter-invalid"),
    "a ref that is a number": ({"ref": 7, "code": UNKNOWN_CODE}, "parameter-invalid"),
    "a ref that is too long": ({"ref": "r" * 201, "code": UNKNOWN_CODE}, "parameter-invalid"),
    "a list": ([], "parameter-invalid"),
    "null": (None, "parameter-invalid"),
    "a number": (1, "parameter-invalid"),
}


@pytest.mark.parametrize(("item", "problem"), BAD.values(), ids=BAD.keys())
def test_a_bad_item_has_a_problem_and_the_others_their_answers(
    client: FlaskClient, world: World, item: Any, problem: str
) -> None:
    before, bad, after = answers(client, {"code": world.code}, item, {"code": world.code})
    assert (before["result"], bad["result"], after["result"]) == ("valid", "problem", "valid")
    assert (slug(bad), bad["verdict"], bad["code"], bad["axes"]) == (problem, None, None, None)
    assert bad["problem"]["status"] in range(400, 500)
    assert [answer["result"] for answer in stream(client, as_lines({"code": world.code}, item))] == [
        "valid",
        "problem",
    ]


def test_a_bad_item_keeps_its_ref(client: FlaskClient) -> None:
    (answer,) = answers(client, {"ref": "row-7", "code": "ABC"})
    assert answer["ref"] == "row-7"


def test_the_summary_counts_the_answers(client: FlaskClient, world: World) -> None:
    items = [{"code": world.code}, {"code": world.withdrawn.certificate.code}, {"code": UNKNOWN_CODE}, {}, {}]
    assert ask(client, *items).json["summary"] == {
        "valid": 1,
        "valid_with_warnings": 0,
        "not_valid": 1,
        "cannot_tell": 0,
        "no_certificate": 1,
        "problem": 2,
    }


def test_no_items_have_no_answers(client: FlaskClient) -> None:
    empty = ask(client)
    assert (empty.status_code, empty.json["items"], set(empty.json["summary"].values())) == (200, [], {0})
    assert stream(client, b"") == []


WHOLE = {
    "1,001 items": ({"items": [{}] * 1001}, 413, "payload-too-large"),
    "no items": ({}, 400, "parameter-invalid"),
    "items that are no list": ({"items": {"code": UNKNOWN_CODE}}, 400, "parameter-invalid"),
    "something else included": ({"items": [], "include": ["report"]}, 400, "parameter-invalid"),
    "a member that does not exist": ({"items": [], "force": True}, 400, "parameter-invalid"),
    "a list": ([], 400, "json-malformed"),
}


@pytest.mark.parametrize(("body", "status", "problem"), WHOLE.values(), ids=WHOLE.keys())
def test_a_document_that_is_no_batch_is_refused_as_a_whole(
    client: FlaskClient, body: Any, status: int, problem: str
) -> None:
    answer = client.post(BATCHES, json=body)
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (status, problem)


def test_a_thousand_items_are_answered(client: FlaskClient) -> None:
    assert len(answers(client, *[{}] * 1000)) == 1000


HEADERS = {
    "another type": ({"content_type": "text/csv"}, "", 415, "media-type-unsupported"),
    "no type": ({}, "", 415, "media-type-unsupported"),
    "packed in another way": (
        {"content_type": NDJSON, "headers": {"Content-Encoding": "br"}},
        "",
        415,
        "media-type-unsupported",
    ),
    "a packed document": (
        {"content_type": "application/json", "headers": {"Content-Encoding": "gzip"}},
        "",
        415,
        "media-type-unsupported",
    ),
    "something else included": ({"content_type": NDJSON}, "?include=report", 400, "parameter-invalid"),
    "a parameter that does not exist": ({"content_type": NDJSON}, "?fields=verdict", 400, "parameter-invalid"),
}


@pytest.mark.parametrize(("sent", "query", "status", "problem"), HEADERS.values(), ids=HEADERS.keys())
def test_a_body_of_another_kind_is_refused(
    client: FlaskClient, sent: dict[str, Any], query: str, status: int, problem: str
) -> None:
    answer = client.post(BATCHES + query, data=b"{}", **sent)
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (status, problem)


def test_a_document_above_its_limit_is_refused(client: FlaskClient) -> None:
    answer = client.post(BATCHES, data=b" " * (batches.BODY.max_bytes + 1), content_type="application/json")
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (413, "payload-too-large")


def test_lines_need_no_end_and_blank_ones_are_passed_over(client: FlaskClient, world: World) -> None:
    first, second = (
        as_lines({"ref": "1", "code": world.code}).strip(),
        as_lines({"ref": "2", "code": world.code}).strip(),
    )
    for body in (first + b"\n" + second, first + b"\n\n \r\n" + second + b"\n\n", first + b"\r\n" + second + b"\r\n"):
        assert [(answer["ref"], answer["result"]) for answer in stream(client, body)] == [
            ("1", "valid"),
            ("2", "valid"),
        ]


def test_more_lines_than_a_document_may_hold_are_answered_in_order(client: FlaskClient) -> None:
    body = as_lines(*({"ref": str(number), "code": UNKNOWN_CODE} for number in range(2500)))
    assert [answer["ref"] for answer in stream(client, body)] == [str(number) for number in range(2500)]


BAD_LINES = {
    "no JSON": (b"code=ABC", "json-malformed"),
    "a member twice": (b'{"code": "A", "code": "B"}', "json-malformed"),
    "50,000 nested brackets": (b"[" * 50_000, "json-malformed"),
    "half a character": (b'{"ref": "\\ud800"}', "json-malformed"),
    "no UTF-8": (b'{"ref": "\xff"}', "json-malformed"),
    "longer than a line may be": (b'{"ref": "' + b"x" * 300_000 + b'"}', "payload-too-large"),
    "far longer than a line may be": (b"x" * 1_000_000, "payload-too-large"),
}


@pytest.mark.parametrize(("line", "problem"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_line_that_cannot_be_read_is_a_problem_in_its_place(
    client: FlaskClient, world: World, line: bytes, problem: str
) -> None:
    good = as_lines({"code": world.code})
    before, bad, after = stream(client, good + line + b"\n" + good)
    assert (before["result"], bad["result"], after["result"]) == ("valid", "problem", "valid")
    assert slug(bad) == problem


def test_lines_may_be_packed(client: FlaskClient, world: World) -> None:
    body = as_lines(*({"ref": str(number), "code": world.code} for number in range(300)))
    plain = stream(client, body)
    assert [answer["result"] for answer in plain] == ["valid"] * 300
    for packed in (gzip.compress(body), gzip.compress(body[:5000]) + gzip.compress(body[5000:])):
        assert stream(client, packed, **{"Content-Encoding": "gzip"}) == plain


ODD = {
    "a bomb of blank lines": (gzip.compress(b"\n" * 50_000_000), "payload-too-large"),
    "a bomb of one line": (gzip.compress(b"x" * 50_000_000), "payload-too-large"),
    "no gzip": (b"hello", "parameter-invalid"),
    "gzip without its end": (gzip.compress(as_lines({"code": UNKNOWN_CODE}))[:-4], "parameter-invalid"),
    "something behind it": (gzip.compress(as_lines({"code": UNKNOWN_CODE})) + b"hello", "parameter-invalid"),
}


@pytest.mark.parametrize(("body", "problem"), ODD.values(), ids=ODD.keys())
def test_what_does_not_unpack_ends_with_a_problem(client: FlaskClient, body: bytes, problem: str) -> None:
    given = stream(client, body, **{"Content-Encoding": "gzip"})
    assert slug(given[-1]) == problem
    assert len(given) < 5


def test_a_stream_is_read_block_by_block() -> None:
    """However many lines follow, the ones of a block are there before the next block is asked for."""
    line = as_lines({"code": UNKNOWN_CODE})
    read = 0

    def blocks() -> Iterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield line * 10

    following = lines.lines_of(blocks())
    assert len(next(following)) == 10
    assert read == 1


def test_a_stream_that_is_given_up_gives_its_place_back(client: FlaskClient, world: World) -> None:
    for _ in range(20):  # five times as many as there are places
        response = client.post(
            BATCHES, data=as_lines(*[{"code": world.code}] * 500), content_type=NDJSON, buffered=False
        )
        assert next(iter(response.response))
        response.close()
    assert len(stream(client, as_lines({"code": world.code}))) == 1


def test_a_key_for_it_is_needed(world: World) -> None:
    for key, status in ((None, 401), (new_key(world.certifier, "webhooks:manage"), 403)):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = world.client.post(BATCHES, json={"items": []}, headers=headers)
        assert answer.status_code == status


def test_one_holder_does_not_take_all_places_for_streams(client: FlaskClient, world: World) -> None:
    body = as_lines(*[{"code": world.code}] * 500)
    held = [client.post(BATCHES, data=body, content_type=NDJSON, buffered=False) for _ in range(MOST_OF_ONE)]
    other = keyed(world.client.application, new_key(world.certifier, "verify:bulk", holder="Other Platform"))
    try:
        assert client.post(BATCHES, data=body, content_type=NDJSON).status_code == 503
        assert len(stream(other, body)) == 500
    finally:
        for response in held:
            response.close()
    assert len(stream(client, body)) == 500


def test_streams_have_few_places_and_requests_keep_theirs(client: FlaskClient, world: World) -> None:
    body = as_lines(*[{"code": world.code}] * 500)
    others = [
        keyed(world.client.application, new_key(world.certifier, "verify:bulk", holder=f"Platform {number}"))
        for number in range(MOST_STREAMS)
    ]
    held = [other.post(BATCHES, data=body, content_type=NDJSON, buffered=False) for other in others]
    try:
        more = client.post(BATCHES, data=body, content_type=NDJSON)
        assert (more.status_code, more.json["type"].rpartition("/")[2]) == (503, "busy")
        assert int(more.headers["Retry-After"]) > 0
        assert answers(client, {"code": world.code})[0]["result"] == "valid"
    finally:
        for response in held:
            response.close()
    assert len(stream(client, body)) == 500


def test_a_line_that_takes_too_long_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 1.0, 1.0, 70.0])
    monkeypatch.setattr(lines.time, "monotonic", lambda: next(times))

    class Slow:
        def read(self, _: int) -> bytes:
            return b'{"code": "x"}\n'

    blocks = lines.blocks_of(Slow(), 60)
    assert next(blocks)
    with pytest.raises(lines.UploadTooSlow):
        next(blocks)


def test_blocks_grow_while_lines_come_quickly_and_have_time_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    takes = iter([0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 119.0, 61.0])  # seconds that each block takes to fill
    now, asked = [0.0], []
    monkeypatch.setattr(lines.time, "monotonic", lambda: now[0])

    class Sender:
        def read(self, size: int) -> bytes:
            asked.append(size // 1024)
            now[0] += next(takes)
            return b"\n" * size

    blocks = lines.blocks_of(Sender(), 60)
    for _ in range(8):
        assert next(blocks)
    assert asked == [8, 16, 32, 64, 64, 8, 16, 32]
    with pytest.raises(lines.UploadTooSlow):  # a block of eight, after one that was slow
        next(blocks)


def test_more_items_than_a_holder_may_ask_are_refused_in_a_document_and_slowed_down_in_a_stream(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    certifier = copy(world.certifier)
    certifier.settings = replace(certifier.settings, limit_bulk=300, limit_store="")
    now = [LATER]
    slow = keyed(create_app(certifier, lambda: now[0]), new_key(world.certifier, "verify:bulk", holder="Fast Platform"))
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        now[0] += timedelta(seconds=seconds)

    monkeypatch.setattr(batches.time, "sleep", wait)
    assert ask(slow, *[{}] * 301).status_code == 429
    assert len(stream(slow, as_lines(*[{"code": UNKNOWN_CODE}] * 700))) == 700
    assert 60 < sum(waits) <= 180


def test_a_limit_smaller_than_what_is_looked_up_together_counts_each_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    certifier = copy(world.certifier)
    certifier.settings = replace(certifier.settings, limit_bulk=20, limit_store="")
    now = [LATER]
    small = keyed(
        create_app(certifier, lambda: now[0]), new_key(world.certifier, "verify:bulk", holder="Small Platform")
    )
    began = now[0]

    def wait(seconds: float) -> None:
        now[0] += timedelta(seconds=seconds)

    monkeypatch.setattr(batches.time, "sleep", wait)
    assert len(stream(small, as_lines(*[{"code": UNKNOWN_CODE}] * 100))) == 100
    assert now[0] - began > timedelta(minutes=3)


# -- every state, and verifying again what was answered -------------------------------------------------------------

STATES = {
    "class-1": ("valid", "active"),
    "statement": ("valid", "active"),
    "suspended": ("not_valid", "suspended"),
    "revoked": ("not_valid", "revoked"),
    "superseded": ("not_valid", "revoked"),
    "expired": ("not_valid", "active"),
    "broken": ("not_valid", "unchecked"),
}


@pytest.mark.parametrize(("state", "expected"), STATES.items(), ids=STATES.keys())
def test_each_demonstration_code_has_its_verdict(sandbox: FlaskClient, state: str, expected: tuple[str, str]) -> None:
    (answer,) = answers(sandbox, {"code": DEMO_CODES[state]})
    assert (answer["verdict"], answer["axes"]["lifecycle"]) == expected
    assert answer["code"] == display_code(DEMO_CODES[state])


@pytest.mark.parametrize("state", DEMO_CODES)
def test_the_record_verified_elsewhere_gives_the_verdict_of_the_answer(sandbox: FlaskClient, state: str) -> None:
    """Trust and status lists come from where the verifier took them; of the answer only the document is used."""
    trust = parse_trust(sandbox.get("/trust.json").data)
    answer, streamed = (
        answers(sandbox, {"code": DEMO_CODES[state]}, include=["record"])[0],
        stream(sandbox, as_lines({"code": DEMO_CODES[state]}), "?include=record")[0],
    )
    assert streamed == answer
    told = answer["record"]
    base = "https://label.example"
    lists = {
        f"{base}/status/{purpose}/1": sandbox.get(f"/status/{purpose}/1").data
        for purpose in ("revocation", "suspension")
    }
    material = Material(trust, told["proof"].encode(), lists)
    verification = check_certificate(told["credential"].encode(), material, datetime.now(UTC))
    assert (verification.verdict, verification.axes) == (answer["verdict"], answer["axes"])


def test_a_recording_is_answered_for_its_newest_certificate_in_force(sandbox: FlaskClient) -> None:
    """The superseded one and its successor are about one file."""
    files = {
        state: sandbox.get(f"/v/{DEMO_CODES[state]}.json").json["track"]
        for state in ("superseded", "successor", "revoked")
    }
    assert files["superseded"]["audio_sha256"] == files["successor"]["audio_sha256"]
    by_file, by_samples, revoked = answers(
        sandbox,
        {"sha256": files["superseded"]["audio_sha256"]},
        {"essence_sha256": files["superseded"]["audio_essence_v1_sha256"]},
        {"sha256": files["revoked"]["audio_sha256"]},
    )
    assert by_file["code"] == by_samples["code"] == display_code(DEMO_CODES["successor"])
    assert by_file["verdict"] == "valid"
    assert (revoked["code"], revoked["verdict"]) == (display_code(DEMO_CODES["revoked"]), "not_valid")


@pytest.mark.parametrize("column", ["document", "proof"])
def test_what_came_to_harm_here_has_one_answer_with_its_record_and_without(
    studio: Studio, certifier: Certifier, column: str
) -> None:
    issued = certifier.submit(studio.upload(studio.signed(studio.report())), NOW)
    assert isinstance(issued, Issued)
    with certifier.store.database.writing() as connection:
        connection.execute(certificates.update().values({column: b"\xff"}))
    client = keyed(create_app(certifier, lambda: LATER), new_key(certifier, "verify:bulk"))
    item = {"code": issued.certificate.code}
    (alone,), (with_record,) = answers(client, item), answers(client, item, include=["record"])
    assert with_record.pop("record")[{"document": "credential"}.get(column, column)] == "\ufffd"
    assert with_record == alone
    assert alone["result"] == "not_valid"


def test_a_document_is_opened_when_its_turn_comes_and_let_go_of_when_it_is_answered(world: World) -> None:
    document = (world.verified.certificate.document or b"").decode()
    items: list[Any] = [{"credential": document}] * batches.MOST_ITEMS
    asker = batches.Asker(Site(world.certifier, lambda: LATER), "request", with_records=False)
    answered = most = 0
    for _ in asker.answers_to(map(batches.parse_question, batches.taken_from(items))):
        most = max(most, batches.MOST_ITEMS - len(items) - answered)
        answered += 1
    assert answered == batches.MOST_ITEMS
    assert most * len(document) <= batches.LOADED + len(document)
