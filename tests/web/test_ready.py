"""What never changes is answered from memory, and exactly as the application answered it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from certifier.service.certifier import Certifier, Issued
from certifier.web.app import create_app
from certifier.web.memory import Kept, Memory
from certifier.web.ready import ReadyBytes
from tests.studio import APPLICANT, NOW, Studio
from tests.web.conftest import LATER, World

FOR_EVER = "public, max-age=31536000, immutable"
KEPT = [".vc", ".tlog-proof"]


@pytest.mark.parametrize("suffix", KEPT)
def test_the_second_answer_is_the_first_one(world: World, suffix: str) -> None:
    path = f"/v/{world.code}{suffix}"
    first, second = (world.client.get(path) for _ in range(2))
    assert (first.status_code, first.data) == (second.status_code, second.data)
    varying = {"X-Request-Id", "Date"}
    assert {h for h in first.headers if h[0] not in varying} == {h for h in second.headers if h[0] not in varying}
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert world.client.get(path, headers={"X-Request-Id": "my-request-7"}).headers["X-Request-Id"] == "my-request-7"


@pytest.mark.parametrize("suffix", KEPT)
def test_who_has_the_bytes_is_told_so(world: World, suffix: str) -> None:
    path = f"/v/{world.code}{suffix}"
    tag = world.client.get(path).headers["ETag"]
    answer = world.client.get(path, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag)


class Counting:
    """An application that counts how often it is asked."""

    def __init__(self, **headers: str) -> None:
        self.asked = 0
        self.headers = headers

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.asked += 1
        return Response(f"answer {self.asked}", headers=self.headers)(environ, start_response)


ASKED_AGAIN: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "what may change": ({"Cache-Control": "public, max-age=60"}, {}),
    "what differs from client to client": ({"Cache-Control": FOR_EVER, "Vary": "Accept"}, {}),
    "what sets a cookie": ({"Cache-Control": FOR_EVER, "Set-Cookie": "a=1"}, {}),
    "what is for one client alone": ({"Cache-Control": "private, max-age=60"}, {}),
    "what a very long query asks for": ({"Cache-Control": FOR_EVER}, {"query_string": "a=" + 1000 * "1"}),
    "what was not a GET": ({"Cache-Control": FOR_EVER}, {"method": "POST"}),
}


@pytest.mark.parametrize(("headers", "how"), ASKED_AGAIN.values(), ids=ASKED_AGAIN.keys())
def test_everything_else_is_asked_of_the_application(headers: dict[str, str], how: dict[str, Any]) -> None:
    application = Counting(**headers)
    client = Client(ReadyBytes(application))
    for _ in range(2):
        client.open("/path", **how)
    assert application.asked == 2


def test_memory_is_bounded() -> None:
    application = Counting(**{"Cache-Control": FOR_EVER})
    client = Client(ReadyBytes(application, max_bytes=2100))
    for number in (1, 2, 3, 1):
        client.get(f"/{number}")
    assert application.asked == 4  # the first was forgotten for the third


def test_another_query_is_another_question() -> None:
    application = Counting(**{"Cache-Control": FOR_EVER})
    client = Client(ReadyBytes(application))
    answers = [client.get(f"/path?scale={scale}").text for scale in (1, 2, 1, 2)]
    assert answers == ["answer 1", "answer 2", "answer 1", "answer 2"]


SHORT = "public, max-age=60, must-revalidate"


def test_what_may_change_is_answered_from_memory_for_a_moment_only() -> None:
    moment = [0]
    application = Counting(**{"Cache-Control": SHORT, "Vary": "Accept, Accept-Encoding"})
    client = Client(ReadyBytes(application, lambda: moment[0]))
    assert [client.get("/v/CODE").text for _ in range(3)] == 3 * ["answer 1"]
    moment[0] = 1
    assert client.get("/v/CODE").text == "answer 2"


def test_who_shows_a_key_to_the_api_is_never_answered_from_memory() -> None:
    application = Counting(**{"Cache-Control": FOR_EVER})
    client = Client(ReadyBytes(application))
    path = "/api/v1/certificates/CODE.vc"
    answers = [client.get(path, headers=headers).text for headers in ({}, {"Authorization": "Bearer x"}, {})]
    assert answers == ["answer 1", "answer 2", "answer 1"]


def test_head_is_answered_from_the_memory_of_get() -> None:
    application = Counting(**{"Cache-Control": FOR_EVER})
    client = Client(ReadyBytes(application))
    client.head("/path")
    first, head = client.get("/path"), client.head("/path")
    assert (application.asked, head.data) == (2, b"")
    assert {h for h in head.headers if h[0] != "X-Request-Id"} == set(first.headers)


def test_each_kind_of_client_gets_what_it_asked_for() -> None:
    application = Counting(**{"Cache-Control": SHORT, "Vary": "Accept"})
    client = Client(ReadyBytes(application, lambda: 0))
    asked = [client.get("/v/CODE", headers={"Accept": accept}).text for accept in ("text/html", "image/png") * 2]
    assert asked == ["answer 1", "answer 2", "answer 1", "answer 2"]


NEVER = {
    "elsewhere than a certificate's address": ("/certificates", {"Cache-Control": SHORT}),
    "what varies by something else": ("/v/CODE", {"Cache-Control": SHORT, "Vary": "Cookie"}),
    "what nobody may keep": ("/v/CODE", {"Cache-Control": "no-cache"}),
}


@pytest.mark.parametrize(("path", "headers"), NEVER.values(), ids=NEVER.keys())
def test_no_moment_is_long_enough_for(path: str, headers: dict[str, str]) -> None:
    application = Counting(**headers)
    client = Client(ReadyBytes(application, lambda: 0))
    for _ in range(2):
        client.get(path)
    assert application.asked == 2


def test_a_withdrawal_shows_at_once_on_page_and_badge(certifier: Certifier, studio: Studio) -> None:
    client = create_app(certifier, lambda: LATER).test_client()
    issued = certifier.submit(studio.upload(studio.signed(studio.report(), (APPLICANT,))), NOW)
    assert isinstance(issued, Issued)
    code = issued.certificate.code
    paths = (f"/v/{code}", f"/v/{code}.svg", f"/v/{code}.json")
    before = [client.get(path).data for path in paths]
    assert [client.get(path).data for path in paths] == before
    certifier.change_status(code, "revoke", "misuse", LATER)
    after = [client.get(path).data for path in paths]
    assert all(new != old for new, old in zip(after, before, strict=True))


def test_what_is_kept_holds_no_more_room_than_it_has_bytes():
    memory, made = Memory(1_000_000), orjson.dumps({"a": "b" * 1500})  # which comes in a buffer of several kilobytes
    memory.put("key", Kept([], made, ""))
    kept = memory.get("key")
    assert kept is not None
    assert kept.body == made
    assert kept.body is not made
