"""The feed of changes through the client, and a receiver on this machine tried with it (certifier webhooks listen)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from standardwebhooks import Webhook

from certifier.cli.main import main
from certifier.client import Client, Refused
from certifier.errors import ForeignInputError
from tests.client.scripted import Asked, Reply, as_json, scripted

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
FEED = "/api/v1/status-changes"


def event(number: int, kind: str = "certificate.revoked") -> dict[str, Any]:
    data = {"code": "GG8W-7E5J-TV", "url": "https://label.example/v/GG8W7E5JTV", "reason": "misuse"}
    return {"id": f"evt_{number:032x}", "type": kind, "timestamp": "2026-11-22T20:51:00Z", "data": data}


EVENTS = [event(number) for number in range(5)]


def feed(asked: Asked) -> Reply:
    """Two events at a time, as the service gives them."""
    _, _, after = asked.path.partition("?after=")
    begin = next((place + 1 for place, item in enumerate(EVENTS) if item["id"] == after), 0)
    items = EVENTS[begin : begin + 2]
    return as_json({"items": items, "next": f"{FEED}?after={after}", "has_more": begin + 2 < len(EVENTS)})


def listened(server: str, *words: str) -> Any:
    return CliRunner().invoke(main, ["webhooks", "listen", "--server", server, *words])


def test_the_feed_is_read_in_pieces_and_none_is_left_out() -> None:
    with scripted(feed) as service, Client(service.url) as client:
        first = client.changes()
        rest = client.changes(first.items[-1].id)
    assert [change.id for change in first.items + rest.items] == [item["id"] for item in EVENTS[:4]]
    assert (first.has_more, first.items[0].code) == (True, "GG8W-7E5J-TV")


def test_an_event_that_is_not_kept_any_more_is_told() -> None:
    gone = as_json({"type": "https://x/problems/cursor-expired", "title": "gone", "status": 400, "detail": "gone"}, 400)
    with scripted(lambda _: gone) as service, Client(service.url) as client, pytest.raises(Refused, match="gone"):
        client.changes("evt_0")


NO_FEEDS = {
    "a list": [],
    "no items": {},
    "items that are text": {"items": "x"},
    "an item that is text": {"items": ["x"]},
    "an event without an id": {"items": [{"type": "x"}]},
    "an id that is no header": {"items": [event(1) | {"id": "evt_\u20ac"}]},
    "an id with a header behind it": {"items": [event(1) | {"id": "evt_1\r\nX: y"}]},
}


@pytest.mark.parametrize("document", NO_FEEDS.values(), ids=NO_FEEDS)
def test_what_is_no_feed_is_refused(document: Any) -> None:
    with (
        scripted(lambda _: as_json(document)) as service,
        Client(service.url) as client,
        pytest.raises(ForeignInputError),
    ):
        client.changes()


def test_each_event_reaches_the_receiver_once_and_in_order_signed_as_a_webhook_is() -> None:
    with scripted(feed) as service, scripted(lambda _: Reply(204, b"")) as receiver:
        done = listened(
            service.url, "--from-start", "--count", "5", "--forward-to", f"{receiver.url}/label", "--secret", SECRET
        )
    assert done.exit_code == 0, done.output
    assert [asked.headers["webhook-id"] for asked in receiver.asked] == [item["id"] for item in EVENTS]
    for asked, item in zip(receiver.asked, EVENTS, strict=True):
        told = Webhook(SECRET).verify(asked.body, dict(asked.headers))
        assert told == {name: item[name] for name in ("type", "timestamp", "data")}
    assert done.stdout.splitlines()[0].split() == [
        "2026-11-22T20:51:00Z",
        "certificate.revoked",
        "GG8W-7E5J-TV",
        "->",
        "204",
    ]


def test_as_json_each_event_is_a_line_as_the_feed_has_it_with_what_the_receiver_answered() -> None:
    with scripted(feed) as service, scripted(lambda _: Reply(503, b"")) as receiver:
        words = ("--from-start", "--count", "3", "--json")
        alone = listened(service.url, *words)
        refused = listened(service.url, *words, "--forward-to", receiver.url)
    assert (alone.exit_code, refused.exit_code) == (0, 3), refused.output
    assert [json.loads(line) for line in alone.stdout.splitlines()] == [item | {"status": None} for item in EVENTS[:3]]
    assert [json.loads(line)["status"] for line in refused.stdout.splitlines()] == [503, 503, 503]


def test_only_what_comes_later_is_told_unless_asked_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certifier.cli.listen.POLL_S", 0)
    seen: list[str] = []

    def answer(asked: Asked) -> Reply:
        seen.append(asked.path)
        is_at_end = asked.path.endswith(EVENTS[-1]["id"])
        return as_json({"items": [event(9)], "has_more": False}) if is_at_end else feed(asked)

    with scripted(answer) as service:
        done = listened(service.url, "--count", "1")
    assert (done.exit_code, len(done.stdout.splitlines())) == (0, 1), done.output


def test_the_feed_is_followed_from_a_named_event_on() -> None:
    with scripted(feed) as service, scripted(lambda _: Reply(204, b"")) as receiver:
        done = listened(service.url, "--after", EVENTS[2]["id"], "--count", "1", "--forward-to", receiver.url)
    assert (done.exit_code, receiver.asked[0].headers["webhook-id"]) == (0, EVENTS[3]["id"])


# words -> what is told
WRONG = {
    "a secret that is none": (("--forward-to", "http://127.0.0.1:9/", "--secret", "a bc"), "no secret of a webhook"),
    "a secret cut short": (("--forward-to", "http://127.0.0.1:9/", "--secret", SECRET[:-2]), "no secret of a webhook"),
    "a secret without a key": (("--secret", "whsec_"), "no secret of a webhook"),
    "an event that is none": (("--after", "nothing"), "no event"),
}


@pytest.mark.parametrize(("words", "told"), WRONG.values(), ids=WRONG.keys())
def test_wrong_words_are_told_before_anything_is_asked(words: tuple[str, ...], told: str) -> None:
    with scripted(feed) as service:
        done = listened(service.url, *words, "--count", "1")
    assert (done.exit_code, service.asked, "Listening" in done.output) == (2, [], False), done.output
    assert told in done.stderr
    assert "a bc" not in done.stderr


def test_what_a_service_tells_never_reaches_the_terminal_as_it_is() -> None:
    told = event(1) | {"timestamp": "\x1b[31m[bold]now", "type": "\x1b]0;x\x07"}
    with scripted(lambda _: as_json({"items": [told], "has_more": False})) as service:
        done = listened(service.url, "--from-start", "--count", "1")
    assert (done.exit_code, "\x1b" in done.output, "[bold]now" in done.stdout) == (0, False, True), done.output


def test_a_service_that_always_has_more_and_gives_none_is_not_asked_without_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, waits = 0, list[float]()

    def answer(_: Asked) -> Reply:
        nonlocal asked
        asked += 1
        return as_json({"items": [] if asked < 4 else [event(1)], "has_more": asked < 20})

    monkeypatch.setattr("certifier.cli.listen.time.sleep", waits.append)
    with scripted(answer) as service:
        done = listened(service.url, "--count", "1")
    assert (done.exit_code, asked, len(waits)) == (0, 4, 2), done.output


def test_two_places_to_begin_at_are_wrong_usage() -> None:
    done = listened("http://127.0.0.1:9", "--after", "evt_1", "--from-start")
    assert (done.exit_code, "one place" in done.stderr) == (2, True)


def test_a_receiver_that_refuses_ends_with_3() -> None:
    with scripted(feed) as service, scripted(lambda _: Reply(401, b"")) as receiver:
        done = listened(service.url, "--from-start", "--count", "2", "--forward-to", receiver.url)
    assert (done.exit_code, done.stdout.count("-> 401")) == (3, 2)


def test_a_secret_is_shown_where_none_was_given() -> None:
    with scripted(feed) as service, scripted(lambda _: Reply(204, b"")) as receiver:
        done = listened(service.url, "--from-start", "--count", "1", "--forward-to", receiver.url)
    secret = done.stderr.splitlines()[0].removeprefix("WEBHOOK_SECRET=")
    assert Webhook(secret).verify(receiver.asked[0].body, dict(receiver.asked[0].headers))


def test_a_secret_that_was_given_is_not_shown_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    with scripted(feed) as service, scripted(lambda _: Reply(204, b"")) as receiver:
        done = listened(service.url, "--from-start", "--count", "1", "--forward-to", receiver.url)
    assert (done.exit_code, SECRET in done.output) == (0, False), done.output
    assert Webhook(SECRET).verify(receiver.asked[0].body, dict(receiver.asked[0].headers))


NOT_TAKEN = {
    "an address elsewhere": ("https://hooks.example.org/label", SECRET, 3, "this machine alone"),
    "no address": ("label", SECRET, 3, "this machine alone"),
    "nobody there": ("http://127.0.0.1:9/label", SECRET, 5, "Connection refused"),
}


@pytest.mark.parametrize(("receiver", "secret", "code", "words"), NOT_TAKEN.values(), ids=NOT_TAKEN)
def test_what_cannot_be_forwarded_is_told_in_one_error(receiver: str, secret: str, code: int, words: str) -> None:
    with scripted(feed) as service:
        done = listened(service.url, "--from-start", "--count", "1", "--forward-to", receiver, "--secret", secret)
    assert (done.exit_code, words in done.stderr) == (code, True), done.output
    assert json.dumps(SECRET) not in done.output
