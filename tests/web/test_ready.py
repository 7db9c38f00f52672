"""What never changes is answered from memory, and exactly as the application answered it."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from certifier.web.ready import ReadyBytes
from tests.web.conftest import World

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
    "what depends on a query": ({"Cache-Control": FOR_EVER}, {"query_string": "a=1"}),
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
    client = Client(ReadyBytes(application, max_bytes=20))
    for number in (1, 2, 3, 1):
        client.get(f"/{number}")
    assert application.asked == 4  # the first was forgotten for the third
