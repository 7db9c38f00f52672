"""A server that is told to stop: what is on its way is finished, for so long and no longer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest
import requests

from tests.studio import Studio
from tests.web.access import bearer, new_key
from tests.web.replicas import Replicas, until

STOP_S = 2


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Replicas, str]]:
    """Two installations of their own on SQLite, made alike, and a key that is good for both."""
    studio = Studio(tmp_path_factory.mktemp("stopping"))
    studio.certifier().close()
    key = new_key(studio.settings, "verify:bulk")
    settings = {"LCAL_STOP_SECONDS": str(STOP_S)}
    with Replicas(studio.settings.home, 2, settings, with_two_workers=None) as replicas:
        yield replicas, key


class Sender(threading.Thread):
    """Sends a body in two parts, the second when told to; what came back, or the end of the connection."""

    def __init__(self, url: str, first: bytes, second: bytes, headers: dict[str, str]) -> None:
        super().__init__()
        self.may_go_on = threading.Event()
        self.has_begun = threading.Event()
        self.answer: requests.Response | None = None
        self._sent = (url, first, second, headers)

    def run(self) -> None:
        url, first, second, headers = self._sent

        def parts() -> Iterator[bytes]:
            yield first
            self.has_begun.set()
            self.may_go_on.wait(60)
            yield second

        try:
            self.answer = requests.post(url, data=parts(), headers=headers, timeout=60)
        except requests.RequestException:
            return


def refuses(url: str) -> bool:
    try:
        requests.get(f"{url}/healthz", timeout=10)
    except requests.ConnectionError:
        return True
    return False


def test_what_is_on_its_way_is_answered_and_nothing_more_is_taken_in(servers: tuple[Replicas, str]) -> None:
    replicas, _ = servers
    url = replicas.url(0)
    json_type = {"Content-Type": "application/json"}
    sender = Sender(f"{url}/api/v1/verifications", b'{"code": ', b'"ABCDEFGHJK"}', json_type)
    sender.start()
    sender.has_begun.wait(60)
    until(lambda: place_taken(url), "the body is being read")
    replicas.tell_to_stop(0)
    until(lambda: refuses(url), "nothing more is taken in")
    sender.may_go_on.set()
    sender.join(60)
    assert sender.answer is not None
    assert sender.answer.json()["type"].rpartition("/")[2] == "code-malformed"
    assert replicas.wait(0) == 0


def place_taken(url: str) -> bool:
    return bool(requests.get(f"{url}/readyz", timeout=30).json()["parts"]["queue"]["taken"])


def test_a_stream_without_an_end_is_cut_off(servers: tuple[Replicas, str]) -> None:
    replicas, key = servers
    url = replicas.url(1)
    line = json.dumps({"code": "ABCDEFGHJK"}).encode() + b"\n"
    headers = bearer(key) | {"Content-Type": "application/x-ndjson"}
    sender = Sender(f"{url}/api/v1/verification-batches", line, line, headers)
    sender.start()
    sender.has_begun.wait(60)
    began = time.monotonic()
    replicas.tell_to_stop(1)
    code = replicas.wait(1)
    took = time.monotonic() - began
    sender.may_go_on.set()
    sender.join(60)
    assert (code, took < STOP_S + 10) == (0, True)
