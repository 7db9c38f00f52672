"""Webhooks reach whoever asked for them: signed, at least once, in time; and nobody is reached who may not be.

The internet here is a mock on loopback (tests/internet.py), the judge of signatures the package ``standardwebhooks``.
"""

from __future__ import annotations

import json
import secrets
import shutil
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError
from structlog.testing import capture_logs

from certifier.certificate.times import parse_time, time_text
from certifier.egress import Egress, Limits
from certifier.errors import ConflictError, NotFoundError, StorageError
from certifier.service.deliverer import LEASE, PLACES, RETRIES_S, Deliverer
from certifier.service.events import event_of
from certifier.service.webhooks import BOTH_SIGN, MOST_ENDPOINTS, Webhooks, WithSecret
from certifier.storage.events import EventStore
from certifier.storage.rows import DeliveryRow, EndpointRow
from certifier.storage.store import Store
from certifier.storage.webhooks import WebhookStore
from tests.internet import QUICK, Behaviour, Internet, Listener, body
from tests.postgres import Postgres
from tests.test_egress import drip, endless, endless_redirect, redirect_to_no_text, silent

NAME = "hooks.example.org"
URL = f"https://{NAME}/label?token=example-token"
HOLDER = "Example Platform"
REVOKED = {"code": "GG8W-7E5J-TV", "reason": "misuse"}
OK = body(b"", "204 No Content")


class World:
    """A database with endpoints and events, a clock that stands, and an internet on loopback."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url = database_url
        self.database = Store.open(database_url)
        self.store = WebhookStore(self.database.database)
        self.events = EventStore(self.database.database)
        self.net = Internet(folder)
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.chance = 0.0
        self.told = 0
        self._drawn = 0
        self.webhooks = Webhooks(self.store, self._random)
        self.deliverer = self.worker()
        self._workers: list[Deliverer] = [self.deliverer]

    def _random(self, count: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(count, "big")

    def worker(self, store: WebhookStore | None = None, limits: Limits = QUICK) -> Deliverer:
        egress = Egress(self.net.resolve, self.net.dial, self.net.ca_bundle, limits, at_once=PLACES)
        return Deliverer(store or self.store, egress, lambda: self.now, lambda: self.chance)

    def endpoint(self, url: str = URL, types: tuple[str, ...] = ()) -> WithSecret:
        anywhere = Egress(lambda _: ["93.184.216.34"])
        return self.webhooks.add(HOLDER, url, types, "", anywhere, self.now)

    def happen(self, count: int = 1, kind: str = "certificate.revoked") -> None:
        """So many events, told now."""
        for _ in range(count):
            before, self.told = str(self.told or ""), self.told + 1
            event = event_of(kind, time_text(self.now), REVOKED, f"log {self.told}")
            assert self.events.tell("log", before, str(self.told), [event], self.now)

    def deliver(self) -> int:
        """Deliver what is due; how many turns that took."""
        turns = 0
        while begun := self.deliverer.begin_turns():
            for future in begun:
                future.result(30)
            turns += len(begun)
        return turns

    def waiting(self, row: EndpointRow) -> DeliveryRow:
        (delivery,) = self.store.deliveries_of(row.id, 10)
        return delivery

    def reread(self, row: EndpointRow) -> EndpointRow:
        return self.webhooks.one(row.id)

    def close(self) -> None:
        self.deliverer.close()
        self.database.close()
        self.net.__exit__()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables, to be copied: making them takes longer than most of these tests."""
    path = tmp_path_factory.mktemp("empty") / "store.sqlite"
    Store.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def world(tmp_path: Path, empty: Path) -> Iterator[World]:
    shutil.copy(empty, tmp_path)
    world = World(f"sqlite:///{tmp_path / 'store.sqlite'}", tmp_path)
    yield world
    world.close()


@pytest.fixture
def on_both(database_url: str, tmp_path: Path) -> Iterator[World]:
    """As ``world``, once on SQLite and once on PostgreSQL."""
    world = World(database_url, tmp_path)
    yield world
    world.close()


def request_in(raw: bytes) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a request that was received."""
    head, _, content = raw.partition(b"\r\n\r\n")
    pairs = (line.decode().partition(": ") for line in head.split(b"\r\n")[1:])
    return {name.lower(): value for name, _, value in pairs}, content


def test_a_delivery_is_signed_as_standard_webhooks_says(world: World) -> None:
    world.net.serve(NAME, OK)
    made = world.endpoint()
    world.happen()
    world.deliver()
    headers, content = request_in(world.net.heads[0])
    assert Webhook(made.secret).verify(content, headers)["data"] == REVOKED
    (event,) = world.events.after(None, 10) or []
    assert headers["webhook-id"] == event.id
    assert content.decode() == event.body
    assert headers["content-type"] == "application/json"
    assert world.net.asked == ["/label?token=example-token"]
    assert world.waiting(made.endpoint).state == "delivered"
    forged = Webhook("whsec_" + "B" * 44)
    with pytest.raises(WebhookVerificationError):
        forged.verify(content, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(made.secret).verify(content.replace(b"misuse", b"figure"), headers)


def test_after_a_rotation_both_secrets_sign_for_a_day(world: World) -> None:
    world.net.serve(NAME, OK)
    made = world.endpoint()
    rotated = world.webhooks.rotate(made.endpoint, world.now)
    world.happen()
    world.deliver()
    headers, content = request_in(world.net.heads[0])
    for secret in (made.secret, rotated.secret):
        assert Webhook(secret).verify(content, headers)
    world.now += BOTH_SIGN
    world.happen()
    world.deliver()
    headers, content = request_in(world.net.heads[1])
    assert len(headers["webhook-signature"].split()) == 1


def test_what_fails_is_tried_again_after_the_published_times(world: World) -> None:
    world.net.serve(NAME, body(b"", "500 Oh"))
    row = world.endpoint().endpoint
    world.happen()
    assert world.deliver() == 1
    for number, seconds in enumerate(RETRIES_S, 1):
        pause = parse_time(world.waiting(row).due_at) - world.now
        assert timedelta(0) <= pause - timedelta(seconds=seconds) <= timedelta(seconds=1)
        assert world.waiting(row).attempts == number
        world.now += pause - timedelta(seconds=1)
        assert world.deliver() == 0
        world.now += timedelta(seconds=1)
        assert world.deliver() == 1
    given_up = world.waiting(row)
    assert (given_up.state, given_up.attempts, given_up.http_status) == ("failed", len(RETRIES_S) + 1, 500)
    world.now += timedelta(days=1)
    assert world.deliver() == 0
    assert len({raw.partition(b"webhook-id: ")[2][:36] for raw in world.net.heads}) == 1


def test_chance_spreads_the_next_attempts_by_a_tenth_at_most(world: World) -> None:
    world.net.serve(NAME, body(b"", "500 Oh"))
    row = world.endpoint().endpoint
    world.happen()
    world.deliver()
    world.now, world.chance = parse_time(world.waiting(row).due_at), 1.0
    world.deliver()
    pause = parse_time(world.waiting(row).due_at) - world.now
    assert timedelta(seconds=330) <= pause <= timedelta(seconds=331)


def test_a_receiver_that_is_gone_is_not_asked_again(world: World) -> None:
    world.net.serve(NAME, body(b"", "410 Gone"))
    row = world.endpoint().endpoint
    world.happen(3)
    world.deliver()
    assert len(world.net.heads) == 1
    after = world.reread(row)
    assert (after.status, after.disabled_because) == ("disabled", "gone")
    assert {delivery.state for delivery in world.store.deliveries_of(row.id, 10)} == {"failed"}
    world.happen()
    assert len(world.store.deliveries_of(row.id, 10)) == 3  # nothing is queued for it any more


def test_a_receiver_that_fails_for_five_days_is_switched_off(world: World) -> None:
    world.net.serve(NAME, body(b"", "503 Later"))
    row = world.endpoint().endpoint
    for day in range(6):
        assert world.reread(row).status == "active", day
        world.happen()
        world.deliver()
        world.now += timedelta(days=1)
    after = world.reread(row)
    assert (after.status, after.disabled_because) == ("disabled", "failing")
    again = world.webhooks.change(after, {"status": "active"}, world.net.egress())
    assert (again.failing_since, again.failures) == (None, 0)


def test_a_receiver_that_recovers_begins_afresh(world: World) -> None:
    world.net.serve(NAME, body(b"", "500 Oh"))
    row = world.endpoint().endpoint
    world.happen()
    world.deliver()
    assert world.reread(row).failing_since == time_text(world.now)
    world.net.serve(NAME, OK)
    world.now += timedelta(seconds=10)
    world.deliver()
    assert (world.reread(row).failing_since, world.reread(row).failures) == (None, 0)
    assert world.waiting(row).state == "delivered"


FAULTS: dict[str, tuple[Behaviour, str]] = {
    "a redirect inside": (body(b"", "302 Found", "Location: https://127.0.0.1/"), "redirect"),
    "a redirect that keeps the method": (
        body(b"", "308 Permanent", "Location: https://other.example.org/"),
        "redirect",
    ),
    "a redirect with an endless body": (endless_redirect, "redirect"),
    "a redirect to what is no text": (redirect_to_no_text, "redirect"),
    "a fault of theirs": (body(b"", "500 Oh"), "HTTP 500"),
    "no such address": (body(b"", "404 Not Found"), "HTTP 404"),
    "too many": (body(b"", "429 Later", "Retry-After: 3"), "HTTP 429"),
    "silence": (silent, "does not answer"),
    "slow headers": (drip(b"HTTP/1.1 204 No Content\r\nX: ", b"y"), "too long"),
    "headers without an end": (drip(b"HTTP/1.1 204 No Content\r\n", b"X: " + b"y" * 30_000), "does not answer"),
    "no HTTP": (lambda connection: connection.sendall(b"SSH-2.0-example\r\n\r\n"), "does not answer"),
}


@pytest.mark.parametrize(("behaviour", "told"), FAULTS.values(), ids=FAULTS.keys())
def test_only_an_answer_of_success_in_time_is_a_delivery(world: World, behaviour: Behaviour, told: str) -> None:
    world.net.serve(NAME, behaviour)
    world.net.serve("other.example.org", OK)
    row = world.endpoint().endpoint
    world.happen()
    world.deliver()
    delivery = world.waiting(row)
    assert (delivery.state, delivery.attempts) == ("waiting", 1)
    assert told in str(delivery.told)
    assert len(world.net.dialled) == 1


def test_a_delivery_that_fails_as_nobody_foresaw_is_an_attempt_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise ValueError("a secret of the receiver")

    row = world.endpoint().endpoint
    world.happen()
    monkeypatch.setattr(Egress, "post", fail)
    world.deliver()
    delivery = world.waiting(row)
    assert (delivery.state, delivery.attempts, delivery.told) == ("waiting", 1, "The delivery failed.")
    assert world.reread(row).failures == 1


def test_an_endless_answer_of_success_is_not_read(world: World) -> None:
    world.net.serve(NAME, endless)
    row = world.endpoint().endpoint
    world.happen()
    world.deliver()
    assert world.waiting(row).state == "delivered"


def test_a_name_that_leads_inside_by_the_time_of_sending_is_not_connected_to(world: World) -> None:
    """Rebinding: public when the endpoint was made, private when something is sent."""
    listener = Listener()
    row = world.endpoint().endpoint
    world.happen()
    world.net.name(NAME, "10.0.0.7")
    world.net._ports["10.0.0.7"] = listener.port
    world.deliver()
    listener.close()
    assert (world.net.dialled, listener.visits) == ([], 0)
    told = world.waiting(row).told or ""
    assert "not public" in told
    assert "10.0.0.7" not in told  # whoever asks learns nothing of the network inside


@pytest.mark.parametrize("wrong", [{"is_trusted": False}, {"certified_name": "other.example.org"}])
def test_nothing_is_told_to_a_server_that_cannot_prove_its_name(world: World, wrong: dict[str, Any]) -> None:
    world.net.serve(NAME, OK, **wrong)
    row = world.endpoint().endpoint
    world.happen()
    world.deliver()
    assert "certificate" in str(world.waiting(row).told)
    assert world.net.heads == []


def test_an_endpoint_gets_the_types_that_it_asked_for(world: World) -> None:
    world.net.serve(NAME, OK)
    row = world.endpoint(types=("certificate.suspended", "certificate.revoked")).endpoint
    world.happen(kind="certificate.issued")
    world.happen(kind="certificate.revoked")
    world.happen(kind="certificate.expired")
    world.deliver()
    assert [json.loads(request_in(raw)[1])["type"] for raw in world.net.heads] == ["certificate.revoked"]
    assert world.waiting(row).type == "certificate.revoked"


def test_events_arrive_in_their_order_while_all_is_well(world: World) -> None:
    world.net.serve(NAME, OK)
    world.endpoint()
    world.happen(5)
    assert world.deliver() == 1
    ids = [request_in(raw)[0]["webhook-id"] for raw in world.net.heads]
    assert ids == [event.id for event in world.events.after(None, 10) or []]


def test_a_ping_is_tried_once(world: World) -> None:
    world.net.serve(NAME, body(b"", "500 Oh"))
    row = world.endpoint().endpoint
    world.webhooks.ping(row, world.now)
    world.deliver()
    assert (world.waiting(row).state, world.waiting(row).attempts) == ("failed", 1)
    assert world.events.after(None, 10) == []  # it is nothing that happened


def test_a_replay_has_the_id_of_the_event(world: World) -> None:
    world.net.serve(NAME, OK)
    row = world.endpoint().endpoint
    world.happen()
    world.deliver()
    world.webhooks.replay(world.waiting(row), world.now)
    world.deliver()
    first, second = (request_in(raw) for raw in world.net.heads)
    assert (first[0]["webhook-id"], first[1]) == (second[0]["webhook-id"], second[1])


def test_two_workers_deliver_everything_once(on_both: World) -> None:
    names = [f"hooks-{number}.example.org" for number in range(4)]
    for name in names:
        on_both.net.serve(name, OK)
        on_both.endpoint(f"https://{name}/")
    on_both.happen(6)
    other = Store.open(on_both.database_url)
    workers = [on_both.worker(), on_both.worker(WebhookStore(other.database))]
    start = threading.Barrier(2)

    def work(worker: Deliverer) -> None:
        start.wait()
        for _ in range(4):
            for future in worker.begin_turns():
                future.result(30)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in workers:
        worker.close()
    other.close()
    sent = Counter(
        (headers["host"], headers["webhook-id"]) for headers, _ in (request_in(raw) for raw in on_both.net.heads)
    )
    assert len(sent) == 24
    assert set(sent.values()) == {1}


class Dies(WebhookStore):
    """A worker's database that is gone by the time that something was sent, as the worker itself when it is killed."""

    def note(self, *_: Any) -> bool:
        raise StorageError("gone")

    def release(self, *_: Any) -> None:
        raise StorageError("gone")


def test_what_a_killed_worker_had_sent_is_sent_again_under_the_same_id(on_both: World) -> None:
    on_both.net.serve(NAME, OK)
    row = on_both.endpoint().endpoint
    on_both.happen()
    killed = on_both.worker(Dies(on_both.database.database))
    for future in killed.begin_turns():
        future.result(30)
    killed.close()
    assert len(on_both.net.heads) == 1
    assert on_both.deliver() == 0  # it may still be at work
    on_both.now += LEASE
    assert on_both.deliver() == 1
    first, second = (request_in(raw)[0]["webhook-id"] for raw in on_both.net.heads)
    assert first == second
    assert on_both.waiting(row).state == "delivered"


def test_a_worker_that_comes_late_changes_nothing(on_both: World) -> None:
    """It slept, and another one has delivered meanwhile."""
    on_both.net.serve(NAME, OK)
    row = on_both.endpoint().endpoint
    on_both.happen()
    late = on_both.waiting(row)
    on_both.deliver()
    assert not on_both.store.note(late, {"state": "failed"}, {"status": "disabled"})
    assert (on_both.waiting(row).state, on_both.reread(row).status) == ("delivered", "active")


def held(entered: threading.Semaphore, goes_on: threading.Event) -> Behaviour:
    def behave(connection: ssl.SSLSocket) -> None:
        entered.release()
        goes_on.wait(10)
        OK(connection)

    return behave


PATIENT = Limits(connect=5.0, read=10.0, total=10.0)


def test_a_slow_receiver_holds_up_nobody_else(world: World) -> None:
    entered, goes_on = threading.Semaphore(0), threading.Event()
    world.net.serve("slow.example.org", held(entered, goes_on))
    world.net.serve(NAME, OK)
    slow = world.endpoint("https://slow.example.org/").endpoint
    quick = world.endpoint().endpoint
    world.happen(3)
    worker = world.worker(limits=PATIENT)
    begun = worker.begin_turns()
    assert entered.acquire(timeout=10)
    ends = datetime.now(UTC) + timedelta(seconds=10)
    while {row.state for row in world.store.deliveries_of(quick.id, 10)} != {"delivered"}:
        assert datetime.now(UTC) < ends, "the quick one waits for the slow one"
    assert worker.begin_turns() == []  # one request at a time to the slow one
    assert not entered.acquire(blocking=False)
    goes_on.set()
    for future in begun:
        future.result(30)
    worker.close()
    assert {row.state for row in world.store.deliveries_of(slow.id, 10)} == {"delivered"}


def test_who_stops_lets_what_is_on_its_way_end(world: World) -> None:
    entered, goes_on = threading.Semaphore(0), threading.Event()
    world.net.serve(NAME, held(entered, goes_on))
    row = world.endpoint().endpoint
    world.happen(2)
    worker = world.worker(limits=PATIENT)
    worker.begin_turns()
    assert entered.acquire(timeout=10)
    stopping = threading.Thread(target=worker.close)
    stopping.start()
    goes_on.set()
    stopping.join(20)
    assert [delivery.state for delivery in world.store.deliveries_of(row.id, 10)] == ["waiting", "delivered"]
    assert world.deliver() == 1  # it was given back, nobody waits for its time to run out


def test_the_log_holds_no_secret(world: World) -> None:
    world.net.serve(NAME, body(b"", "500 Oh"))
    made = world.endpoint()
    world.happen()
    with capture_logs() as lines:
        world.deliver()
    written = str(lines)
    assert made.endpoint.id in written
    assert made.secret.removeprefix("whsec_") not in written + repr(made) + repr(world.reread(made.endpoint))
    assert "example-token" not in written
    assert "webhook-signature" not in written


CHANGES: dict[str, dict[str, Any] | None] = {
    "removed": None,
    "switched off": {"status": "disabled"},
    "led elsewhere": {"url": "https://other.example.org/"},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
def test_an_endpoint_that_is_changed_in_the_middle_of_a_turn_gets_nothing_more_there(
    world: World, changes: dict[str, Any] | None
) -> None:
    row = world.endpoint().endpoint
    world.happen(3)

    def change_first(connection: ssl.SSLSocket) -> None:
        if changes is None:
            world.webhooks.remove(row)
        elif len(world.net.heads) == 1:
            world.webhooks.change(row, dict(changes), Egress(lambda _: ["93.184.216.34"]))
        OK(connection)

    world.net.serve(NAME, change_first)
    world.net.serve("other.example.org", OK)
    world.deliver()
    asked = [head.split(b"\r\nHost: ")[1].split(b"\r\n")[0].decode() for head in world.net.heads]
    assert asked.count(NAME) == 1
    assert len(asked) == (3 if changes and "url" in changes else 1)


def test_nobody_gets_more_endpoints_than_one_holder_may_have_by_asking_at_once(on_both: World) -> None:
    for number in range(MOST_ENDPOINTS - 1):
        on_both.endpoint(f"https://{NAME}/{number}")
    start = threading.Barrier(6)

    def ask(number: int) -> bool:
        start.wait(10)
        try:
            on_both.endpoint(f"https://{NAME}/more-{number}")
        except ConflictError:
            return False
        return True

    on_both.webhooks = Webhooks(on_both.store, secrets.token_bytes)
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(ask, range(6))) == 1
    assert len(on_both.webhooks.all_of(HOLDER)) == MOST_ENDPOINTS


def test_an_endpoint_that_is_removed_leaves_nothing(on_both: World) -> None:
    row = on_both.endpoint().endpoint
    on_both.happen(2)
    on_both.webhooks.remove(row)
    assert on_both.store.deliveries_of(row.id, 10) == []
    assert on_both.deliver() == 0


def test_what_is_asked_of_an_endpoint_that_was_just_removed_is_answered(on_both: World) -> None:
    row = on_both.endpoint().endpoint
    on_both.happen()
    delivery = on_both.waiting(row)
    on_both.webhooks.remove(row)
    with pytest.raises(NotFoundError):
        on_both.webhooks.ping(row, on_both.now)
    assert not on_both.store.note(delivery, {"state": "delivered"}, {})


def test_workers_on_postgresql_neither_share_an_endpoint_nor_wait_for_each_other(
    postgres: Postgres, tmp_path: Path
) -> None:
    """One is in the middle of taking the first endpoint while the other takes what is left."""
    world = World(postgres.new_database(), tmp_path)
    taken, left = (world.endpoint(f"https://hooks-{number}.example.org/").endpoint for number in range(2))
    world.happen()
    with world.database.database.writing() as connection:
        connection.execute(text("SELECT 1 FROM webhook_endpoints WHERE id = :id FOR UPDATE"), {"id": taken.id})
        claimed = world.store.claim("another", world.now, world.now + LEASE, PLACES)
    assert [row.id for row in claimed] == [left.id]
    world.close()


def test_who_tells_from_an_old_place_tells_nothing(on_both: World) -> None:
    """Another replica told further meanwhile: its progress is not set back, and the order stays the log's."""
    on_both.happen(2)
    late = event_of("certificate.revoked", time_text(on_both.now), REVOKED, "log 9")
    assert not on_both.events.tell("log", "1", "9", [late], on_both.now)
    assert on_both.events.told("log") == "2"
    assert len(on_both.events.after(None, 10) or []) == 2
