"""A plain verification is answered without the application, as the application answers it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from certifier.service.certifier import Certifier
from certifier.web.app import create_app
from certifier.web.site import Site
from tests.studio import Studio
from tests.web.access import bearer, new_key
from tests.web.conftest import LATER, World

VERIFY = "/api/v1/verifications"
LONG = "application/json; charset=utf-8"  # says the same, and is not plain
OF_ONE_ANSWER = {"x-request-id", "ratelimit"}
METRIC = 'lcal_http_requests_total{method="POST",route="/api/v1/verifications",status="%s"}'


@dataclass
class Asked:
    """A client, and how often the application was asked."""

    client: FlaskClient
    times: list[str] = field(default_factory=list)

    def post(self, body: dict[str, Any] | bytes, how: dict[str, Any] | None = None) -> TestResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(VERIFY, data=data, **({"content_type": "application/json"} | (how or {})))


def asked_of(certifier: Certifier) -> Asked:
    app = create_app(certifier, lambda: LATER)
    asked = Asked(app.test_client())
    app.before_request(lambda: asked.times.append("once"))
    return asked


@pytest.fixture
def asked(world: World) -> Asked:
    return asked_of(world.certifier)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certifier]:
    """An installation with few places and a low limit."""
    certifier = Studio(tmp_path_factory.mktemp("strict")).certifier(limit_verification=3, max_waiting=1)
    yield certifier
    certifier.close()


def question(world: World, name: str) -> dict[str, Any]:
    row = world.verified.certificate
    credential, proof = json.loads(row.document or b""), (row.proof or b"").decode()
    return {
        "a code": {"code": row.code},
        "a code with the wrong audio": {"code": row.code, "audio": {"sha256": "0" * 64}},
        "a withdrawn certificate": {"code": world.withdrawn.certificate.code},
        "a certificate as an object": {"credential": credential},
        "a certificate as a text": {"credential": (row.document or b"").decode(), "proof": proof},
        "a certificate that was changed": {"credential": {**credential, "name": "Another"}},
    }[name]


QUESTIONS = (
    "a code",
    "a code with the wrong audio",
    "a withdrawn certificate",
    "a certificate as an object",
    "a certificate as a text",
    "a certificate that was changed",
)
CLIENTS = {
    "who takes it as it is": {},
    "who takes gzip": {"Accept-Encoding": "gzip, deflate"},
    "who refuses gzip": {"Accept-Encoding": "gzip;q=0"},
    "from another site": {"Origin": "https://platform.example"},
}


@pytest.mark.parametrize("headers", CLIENTS.values(), ids=CLIENTS.keys())
@pytest.mark.parametrize("name", QUESTIONS)
def test_both_ways_give_the_same_answer(world: World, asked: Asked, name: str, headers: dict[str, str]) -> None:
    body = question(world, name)
    short = asked.post(body, {"headers": headers})
    assert asked.times == []
    long = asked.post(body, {"headers": headers, "content_type": LONG})
    assert asked.times == ["once"]
    assert (short.status, short.data) == (long.status, long.data)
    assert lasting(short) == lasting(long)
    assert {name for name, _ in short.headers} == {name for name, _ in long.headers}


def lasting(answer: TestResponse) -> list[tuple[str, str]]:
    """The headers that two answers to one question have in common."""
    return sorted((name, value) for name, value in answer.headers if name.lower() not in OF_ONE_ANSWER)


NOT_PLAIN = {
    "a parameter": ({"query_string": "x=1"}, 400),
    "a wrong key": ({"headers": {"Authorization": "Bearer wrong"}}, 401),
    "another type": ({"content_type": "text/plain"}, 415),
    "another method": ({"method": "PUT"}, 405),
    "a body that is too long": ({"data": b" " * 300_000}, 413),
    "a body that breaks off": ({"environ_overrides": {"CONTENT_LENGTH": "4000", "wsgi.input": BytesIO(b'{"co')}}, 400),
    "a length that is none": ({"environ_overrides": {"CONTENT_LENGTH": "-5"}}, 400),
    "a length with far too many digits": ({"environ_overrides": {"CONTENT_LENGTH": "9" * 30}}, 413),
    "no body": ({"data": b""}, 400),
    "no certificate": ({"data": b'{"code": "0000000000"}'}, 404),
    "a code that is none": ({"data": b'{"code": "7"}'}, 400),
    "JSON that is none": ({"data": b"{"}, 400),
}


@pytest.mark.parametrize(("how", "status"), NOT_PLAIN.values(), ids=NOT_PLAIN.keys())
def test_what_gets_another_answer_than_200_is_told_by_the_application(
    asked: Asked, world: World, how: dict[str, Any], status: int
) -> None:
    sent = {"method": "POST", "data": json.dumps({"code": world.code}), "content_type": "application/json"} | how
    answer = asked.client.open(VERIFY, **sent)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert asked.times == ["once"]


def test_whoever_shows_a_key_is_counted_as_its_holder(certifier: Certifier) -> None:
    asked = asked_of(certifier)
    answer = asked.post(b"{}", {"headers": bearer(new_key(certifier, "verify:bulk"))})
    assert (answer.status_code, asked.times) == (400, ["once"])
    assert answer.headers["RateLimit"].startswith('"calls"')


def test_a_question_counts_once_whichever_way_it_goes(strict: Certifier) -> None:
    asked = asked_of(strict)
    left = [asked.post(b"{").headers["RateLimit"].partition("r=")[2].partition(";")[0] for _ in range(3)]
    assert left == ["2", "1", "0"]
    over = asked.post(b"{")
    assert (over.status_code, over.headers["RateLimit"].partition(";")[0]) == (429, '"verification"')


def test_a_question_without_a_place_is_told_to_come_again(strict: Certifier, monkeypatch: pytest.MonkeyPatch) -> None:
    sites: list[Site] = []
    made = Site.__init__
    monkeypatch.setattr(Site, "__init__", lambda site, *parts, **more: sites.append(site) or made(site, *parts, **more))
    asked = asked_of(strict)
    with sites[0].place_in_queue():
        answer = asked.post(b"{")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


def test_a_fault_is_told_and_written_as_any_other(asked: Asked, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> bytes:
        raise RuntimeError("a secret")

    monkeypatch.setattr("certifier.web.short_way.answer_to", break_down)
    monkeypatch.setattr("certifier.web.api.answer_to", break_down)
    with capture_logs() as lines:
        answer = asked.post({"code": world.code})
    assert (answer.status_code, "secret" in answer.text) == (500, False)
    assert [line["event"] for line in lines] == ["failed", "answered"]


def test_every_question_is_counted_and_written_once(asked: Asked, world: World) -> None:
    with capture_logs() as lines:
        asked.post({"code": world.code}, {"headers": {"X-Request-Id": "a-good-question"}})
        asked.post(b"{", {"headers": {"X-Request-Id": "a-bad-question"}})
    told = [(line["request_id"], line["route"], line["status"]) for line in lines if line["event"] == "answered"]
    assert told == [("a-good-question", VERIFY, 200), ("a-bad-question", VERIFY, 400)]
    numbers = asked.client.get("/metrics").text
    assert {status: METRIC % status + " 1.0" in numbers for status in ("2xx", "4xx")} == {"2xx": True, "4xx": True}
