"""When a service is in trouble: who waits, how long, how often, and what is never done twice."""

from __future__ import annotations

import gzip
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from certifier.client import Client, NotAllowed, NotFound, Patience, RateLimited, Refused, Unavailable
from certifier.client.transport import Request
from certifier.crypto.signing import SigningKey
from certifier.errors import ForeignInputError, IncompleteAddress, NotFoundError, UnreachableError
from tests.client.scripted import Asked, Reply, Scripted, as_json, scripted

OK = Reply(200, b"done")


def in_turn(*replies: Reply) -> Callable[[Asked], Reply]:
    """One after the other; the last one for ever."""
    coming, lock = iter(replies), threading.Lock()

    def answer(_: Asked) -> Reply:
        with lock:
            return next(coming, replies[-1])

    return answer


class Clock:
    """Notes how long was waited, and waits not."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def patience(self, attempts: int = 4, longest_s: float = 30) -> Patience:
        return Patience(attempts, longest_s=longest_s, sleep=self.waits.append)


TROUBLES = {
    "asked too often": Reply(429),
    "cannot answer now": Reply(503),
    "a proxy whose service restarts": Reply(502),
    "a proxy that waited in vain": Reply(504),
    "a connection cut in the middle": Reply(200, b"x" * 5000, cut=True),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
def test_what_passes_is_waited_for(trouble: Reply) -> None:
    clock = Clock()
    with scripted(in_turn(trouble, trouble, OK)) as site, Client(site.url, patience=clock.patience()) as client:
        assert client.get("/x") == b"done"
    assert len(site.asked) == 3
    first, second = clock.waits
    assert 0.125 <= first <= 0.25 <= second <= 0.5


def test_a_server_that_names_a_time_is_obeyed_by_every_thread() -> None:
    clock = Clock()
    with scripted(in_turn(Reply(503, b"{}", {"Retry-After": "7"}), OK)) as site:
        client = Client(site.url, patience=clock.patience())
        client.get("/first")
        threading.Thread(target=client.get, args=("/second",)).run()
    assert len(clock.waits) == 2
    assert all(6.5 <= wait <= 7.7 for wait in clock.waits)


def test_a_time_may_be_a_date() -> None:
    clock, later = Clock(), format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    with scripted(in_turn(Reply(429, b"{}", {"Retry-After": later}), OK)) as site:
        Client(site.url, patience=clock.patience()).get("/x")
    assert 15 <= clock.waits[0] <= 22


WISHES = {
    "no number": "soon",
    "less than nothing": "-5",
    "of others": "٣",
    "nothing": "",
    "a zone that nobody can count": "Thu, 01 Jan 2026 00:00:00 +99999999999999",
}


@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES.keys())
def test_a_time_that_is_none_is_passed_over(wish: str) -> None:
    clock = Clock()
    reply = Reply(503, b"{}", {"Retry-After": wish.encode().decode("latin-1")})
    with scripted(in_turn(reply, OK)) as site:
        assert Client(site.url, patience=clock.patience()).get("/x") == b"done"
    assert 0.1 <= clock.waits[0] <= 0.25


def test_who_is_told_to_come_back_in_an_hour_is_told_so() -> None:
    clock = Clock()
    answer = in_turn(Reply(429, b"{}", {"Retry-After": "3600"}))
    with scripted(answer) as site, pytest.raises(RateLimited, match="too often") as caught:
        Client(site.url, patience=clock.patience()).get("/x")
    assert (len(site.asked), clock.waits, caught.value.retry_after_s) == (1, [], 3600)
    assert caught.value.hint == "Try again in 3600 s."


def test_a_server_in_trouble_is_not_asked_ever_more_often() -> None:
    """A hundred requests to a service that is down cost ten repeats in all, and not three hundred."""
    clock = Clock()
    with scripted(in_turn(Reply(503))) as site:
        client = Client(site.url, patience=clock.patience())
        for _ in range(100):
            with pytest.raises(Unavailable):
                client.get("/x")
    assert len(site.asked) == 110


def test_repeats_end() -> None:
    with scripted(in_turn(Reply(503))) as site, pytest.raises(Unavailable) as caught:
        Client(site.url, patience=Clock().patience(attempts=3)).get("/x")
    assert (len(site.asked), caught.value.status) == (3, 503)


def test_what_may_do_harm_twice_is_sent_once() -> None:
    with scripted(in_turn(Reply(503))) as site, pytest.raises(Unavailable):
        Client(site.url, patience=Clock().patience()).send(Request("POST", "/x", is_repeatable=False, json={}))
    assert len(site.asked) == 1


def test_a_fault_of_the_server_is_not_repeated() -> None:
    with scripted(in_turn(Reply(500))) as site, pytest.raises(Unavailable, match="cannot answer now"):
        Client(site.url, patience=Clock().patience()).get("/x")
    assert len(site.asked) == 1


PROBLEM = {
    "type": "https://label.example/problems/bad-report",
    "title": "The report cannot be used.",
    "detail": "2 fields need attention.",
    "errors": [{"pointer": "/a", "found": "71,4", "expected": "a decimal", "hint": "Write 71.4"}],
}
ANSWERS: dict[str, tuple[Reply, type[Exception]]] = {
    "not found": (as_json(PROBLEM, 404), NotFound),
    "gone": (as_json(PROBLEM, 410), NotFound),
    "no key": (as_json(PROBLEM, 401), NotAllowed),
    "a key for something else": (as_json(PROBLEM, 403), NotAllowed),
    "a request that cannot be used": (as_json(PROBLEM, 422), Refused),
}


@pytest.mark.parametrize(("reply", "kind"), ANSWERS.values(), ids=ANSWERS.keys())
def test_the_service_s_problem_is_an_error_with_its_words(reply: Reply, kind: type[Exception]) -> None:
    with scripted(in_turn(reply)) as site, pytest.raises(kind) as caught:
        Client(site.url).get("/x")
    error = caught.value
    assert isinstance(error, (Refused, NotFound))
    assert isinstance(error, (ForeignInputError, NotFoundError))
    assert (error.message, error.found, error.hint) == ("2 fields need attention.", "71,4", "Write 71.4")
    assert (error.status, error.type, error.pointer) == (reply.status, PROBLEM["type"], "/a")
    assert len(site.asked) == 1


PROBLEMS = {
    "no JSON": b"<html>",
    "a list": b"[]",
    "errors that are none": b'{"errors": 5, "detail": 7}',
    "errors of another kind": b'{"errors": ["x"], "type": null}',
    "members of other types": b'{"errors": [{"found": {"a": 1}, "hint": []}]}',
}


@pytest.mark.parametrize("body", PROBLEMS.values(), ids=PROBLEMS.keys())
def test_a_problem_that_cannot_be_read_is_one_all_the_same(body: bytes) -> None:
    with scripted(in_turn(Reply(400, body))) as site, pytest.raises(Refused) as caught:
        Client(site.url).get("/x")
    assert caught.value.status == 400


def test_nothing_found_below_a_path_names_the_address_that_was_asked() -> None:
    with scripted(lambda _: Reply(404, b"")) as site:
        with Client(f"{site.url}/api/v1") as client, pytest.raises(NotFound) as below:
            client.get("/trust.json")
        with Client(site.url) as client, pytest.raises(NotFound) as bare:
            client.get("/trust.json")
    assert f"{site.url}/api/v1/trust.json" in str(below.value.hint)
    assert str(below.value.hint).endswith(f"without a path: {site.url}")
    assert bare.value.hint is None


def test_no_answer_is_never_a_verdict() -> None:
    with pytest.raises(UnreachableError, match="does not answer"):
        Client("http://127.0.0.1:9", patience=Clock().patience()).get("/x")


def test_no_answer_says_what_the_system_says() -> None:
    with pytest.raises(UnreachableError) as caught:
        Client("http://127.0.0.1:9", patience=Clock().patience()).get("/x")
    assert caught.value.found == "Connection refused"


def test_an_answer_without_an_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certifier.client.transport.MAX_BODY", 100_000)
    with scripted(in_turn(Reply(200, b"x" * 300_000))) as site, pytest.raises(Unavailable, match="without an end"):
        Client(site.url).get("/x")
    assert len(site.asked) == 1


NOWHERE = {
    "no text": "/\xff",
    "no address": "http://[",
    "another scheme": "file:///etc/hostname",
    "no port": "http://127.0.0.1:99999/",
    "itself, for ever": "/x",
}


@pytest.mark.parametrize("target", NOWHERE.values(), ids=NOWHERE.keys())
@pytest.mark.parametrize("key", [None, "lcal_test_a_b"])
def test_who_is_sent_nowhere_is_told_so(target: str, key: str | None) -> None:
    with scripted(lambda _: Reply(302, b"", {"Location": target})) as site:
        client = Client(site.url, key=key, patience=Clock().patience(attempts=1))
        with pytest.raises((IncompleteAddress, Unavailable)):
            client.get("/x")
        with pytest.raises(IncompleteAddress, match="sends us elsewhere"):
            client.post_json("/x", {})


@pytest.mark.parametrize("key", [None, "lcal_test_a_b"])
def test_the_body_of_a_redirect_is_read_no_further_than_any_other(
    monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    monkeypatch.setattr("certifier.client.transport.MAX_BODY", 100_000)
    packed = gzip.compress(b"x" * 30_000_000)
    headers = {"Location": "/x", "Content-Encoding": "gzip"}
    with scripted(lambda _: Reply(302, packed, headers)) as site:
        client = Client(site.url, key=key, patience=Clock().patience(attempts=1))
        tracemalloc.start()
        for ask in (lambda: client.get("/x"), lambda: client.post_json("/x", {})):
            with pytest.raises((IncompleteAddress, Unavailable)):
                ask()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 20_000_000


@pytest.fixture
def elsewhere() -> Iterator[tuple[Scripted, Scripted]]:
    with scripted(in_turn(OK)) as other, scripted(lambda _: Reply(302, b"", {"Location": f"{other.url}/y"})) as site:
        yield site, other


def test_a_key_goes_to_the_named_server_alone(elsewhere: tuple[Scripted, Scripted]) -> None:
    site, other = elsewhere
    with pytest.raises(IncompleteAddress, match="sends us elsewhere"):
        Client(site.url, key="lcal_test_a_b").get("/x")
    assert (site.asked[0].headers["Authorization"], other.asked) == ("Bearer lcal_test_a_b", [])
    assert Client(site.url).get("/x") == b"done"
    with pytest.raises(IncompleteAddress):
        Client(site.url).post_json("/x", {})
    assert [asked.method for asked in other.asked] == ["GET"]


@pytest.mark.parametrize("url", ["http://label.example", "HTTP://label.example"])
def test_a_key_is_not_sent_where_anybody_can_read_it(url: str) -> None:
    with pytest.raises(IncompleteAddress, match="anybody on the way") as caught:
        Client(url, key="lcal_live_a_secret")
    assert "secret" not in str(vars(caught.value))


def test_a_password_of_this_machine_never_takes_the_key_s_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with scripted(in_turn(OK)) as site:
        Client(site.url, key="lcal_test_a_b").get("/x")
    assert site.asked[0].headers["Authorization"] == "Bearer lcal_test_a_b"


def test_the_client_says_its_name_and_keeps_its_connections() -> None:
    with scripted(in_turn(OK)) as site, Client(site.url) as client:
        for _ in range(3):
            client.get("/x")
    assert site.asked[0].headers["User-Agent"].startswith("certifier")
    with pytest.raises(Unavailable, match="closed"):
        client.get("/x")


CHALLENGES = {
    "of something else": "sign this",
    "of another kind": "lcal-key-challenge/1\npurpose: other\nhost: x\n",
}


@pytest.mark.parametrize("challenge", CHALLENGES.values(), ids=CHALLENGES.keys())
def test_nothing_but_a_challenge_is_ever_signed(challenge: str) -> None:
    answer = as_json({"challenge": challenge})
    with scripted(lambda _: answer) as site, pytest.raises(ForeignInputError, match="asks to sign something else"):
        Client(site.url).my_tracks(SigningKey.generate())
    assert [asked.method for asked in site.asked] == ["GET"]
