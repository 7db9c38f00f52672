"""Rate limits: told before they are reached, never exceeded, shared by replicas, and no door is closed for want of a counter."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from certifier.errors import OperatorError, StorageError
from certifier.service.certifier import Certifier
from certifier.settings import Settings
from certifier.storage.database import Database
from certifier.storage.rates import TableCounter, counter_for
from certifier.web.access import Caller, charge_items
from certifier.web.app import create_app
from certifier.web.limits import BLOCKS, MOST_CLIENTS, WINDOW_S, Limits, policy_of
from certifier.web.site import Site
from tests.postgres import Postgres
from tests.studio import NOW, Studio
from tests.web.access import bearer, new_key
from tests.web.conftest import LATER

VERIFY = "/api/v1/verifications"
BODY = {"code": "0000000000"}
START = float(int(NOW.timestamp()) // WINDOW_S * WINDOW_S)


class Clock:
    def __init__(self) -> None:
        self.now = LATER.replace(second=20)

    def __call__(self) -> Any:
        return self.now


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certifier]:
    """An installation with limits that are soon reached; its keys and its clock are each test's own."""
    certifier = Studio(tmp_path_factory.mktemp("limits")).certifier(
        limit_verification=3, limit_submission=2, limit_reads=5, limit_calls=4, limit_bulk=100, limit_store=""
    )
    yield certifier
    certifier.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(small: Certifier, clock: Clock) -> FlaskClient:
    return create_app(small, clock).test_client()


def verified(client: FlaskClient, peer: str = "192.0.2.7", **headers: str) -> Any:
    return client.post(VERIFY, json=BODY, headers=headers, environ_base={"REMOTE_ADDR": peer})


def slug(answer: Any) -> str:
    return str(answer.json["type"].rpartition("/")[2])


def test_what_is_left_is_told_until_it_is_used_up(client: FlaskClient) -> None:
    answers = [verified(client) for _ in range(4)]
    assert [answer.status_code == 429 for answer in answers] == [False, False, False, True]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"verification";q=3;w=60'}
    left = [answer.headers["RateLimit"] for answer in answers]
    assert left == [f'"verification";r={number};t=40' for number in (2, 1, 0, 0)]
    refused = answers[-1]
    assert slug(refused) == "rate-limited"
    assert refused.headers["Retry-After"] == "40"
    told = refused.json["errors"][0]
    assert "verification" in refused.json["detail"]
    assert told["expected"] == "at most 3 verifications in 60 seconds for each network"
    assert "192.0.2.7" in told["found"]


def test_the_next_window_is_full_again(client: FlaskClient, clock: Clock) -> None:
    while verified(client).status_code != 429:
        pass
    clock.now += timedelta(seconds=39)
    assert verified(client).status_code == 429
    clock.now += timedelta(seconds=1)
    assert verified(client).headers["RateLimit"] == '"verification";r=2;t=60'


def test_each_network_has_its_own(client: FlaskClient) -> None:
    for _ in range(4):
        answer = verified(client, "192.0.2.7")
    assert answer.status_code == 429
    assert verified(client, "192.0.2.8").status_code != 429


def test_a_household_with_many_ipv6_addresses_is_one(client: FlaskClient) -> None:
    answers = [verified(client, f"2001:db8::{number}") for number in range(4)]
    assert answers[-1].status_code == 429
    assert verified(client, "2001:db8:0:1::1").status_code != 429


def test_a_forged_forwarded_address_wins_no_further_requests(client: FlaskClient) -> None:
    answers = [verified(client, **{"X-Forwarded-For": f"198.51.100.{number}"}) for number in range(4)]
    assert answers[-1].status_code == 429


def test_behind_a_trusted_proxy_each_client_counts(
    small: Certifier, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(small.settings, trusted_proxies=(ip_network("10.0.0.0/8"),))
    monkeypatch.setattr(small, "settings", settings)
    client = create_app(small, clock).test_client()
    answers = [verified(client, "10.0.0.1", **{"X-Forwarded-For": f"198.51.100.{number}"}) for number in range(4)]
    assert {answer.status_code for answer in answers}.isdisjoint({429})
    again = [verified(client, "10.0.0.1", **{"X-Forwarded-For": "9.9.9.9, 198.51.100.1"}) for _ in range(3)]
    assert again[-1].status_code == 429


def test_with_a_key_its_holders_limit_holds_and_not_the_networks(small: Certifier, client: FlaskClient) -> None:
    holder = {"holder": "Example Radio"}
    first, second = (new_key(small, "verify:bulk", **holder) for _ in range(2))
    while verified(client).status_code != 429:
        pass
    answers = [verified(client, **bearer(key)) for key in (first, second, first, second, first)]
    assert [answer.status_code == 429 for answer in answers] == [False] * 4 + [True]
    assert answers[0].headers["RateLimit-Policy"] == '"calls";q=4;w=60'
    other = new_key(small, "verify:bulk", holder="Example Shop")
    assert verified(client, **bearer(other)).status_code != 429


def test_guessing_keys_is_limited(client: FlaskClient) -> None:
    wrong = bearer(f"lcal_test_{'0' * 16}_{'0' * 64}")
    kinds = [slug(client.get("/api/v1/api-keys/current", headers=wrong)) for _ in range(6)]
    assert kinds == ["key-invalid"] * 5 + ["rate-limited"]


def test_pages_are_limited_against_abuse_and_say_nothing_to_caches(client: FlaskClient) -> None:
    answers = [client.get("/meaning", headers={"Accept": "text/html"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert "RateLimit" not in answers[0].headers
    assert answers[-1].headers["RateLimit"] == '"reads";r=0;t=40'
    assert answers[-1].mimetype == "text/html"


def test_whoever_watches_the_service_is_never_refused(client: FlaskClient) -> None:
    assert {client.get("/healthz").status_code for _ in range(20)} == {200}


# what is asked -> the limit that it counts for
ROUTES = {
    "a page": ("GET", "/v/<name>", "reads"),
    "a search": ("GET", "/api/v1/certificates", "reads"),
    "one verification": ("POST", "/api/v1/verifications", "verification"),
    "the form to verify": ("POST", "/verify", "verification"),
    "a credential of others": ("POST", "/vc-api/credentials/verify", "verification"),
    "a submission": ("POST", "/api/v1/submissions", "submission"),
    "a complaint": ("POST", "/complaints", "submission"),
    "an address that is not there yet": ("POST", "/api/v1/something-new", "submission"),
    "health": ("GET", "/healthz", ""),
}


@pytest.mark.parametrize(("method", "path", "name"), ROUTES.values(), ids=ROUTES.keys())
def test_every_request_counts_for_one_limit(method: str, path: str, name: str) -> None:
    assert policy_of(method, path) == name


def test_a_limit_of_zero_is_none(small: Certifier, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "settings", replace(small.settings, limit_verification=0))
    client = create_app(small, clock).test_client()
    answers = [verified(client) for _ in range(50)]
    assert 429 not in {answer.status_code for answer in answers}
    assert "RateLimit" not in answers[-1].headers


def test_items_of_a_batch_are_spent_together_or_not_at_all(small: Certifier, clock: Clock) -> None:
    site = Site(small, clock)
    known = Caller(new_key(small, "verify:bulk").split("_")[2], "Example Platform", frozenset({"verify:bulk"}))
    charge_items(site, known, 60)
    with pytest.raises(Exception, match="'bulk' is used up") as caught:
        charge_items(site, known, 60)
    assert caught.value.found == "60 more, with 40 left for the holder of keys Example Platform"
    charge_items(site, known, 40)
    with pytest.raises(Exception, match="'bulk'") as caught:
        charge_items(site, known, 101)
    assert caught.value.hint == "Send at most 100 at once."


# -- replicas ---------------------------------------------------------------------------------------------------------


class Shared:
    """A shared counter in memory that can be away; it tells how often it was asked."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.asked = 0
        self.is_away = False
        self._lock = threading.Lock()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        assert expiry > 0
        with self._lock:
            self.asked += 1
            if self.is_away:
                raise StorageError("The database does not answer.")
            self.counts[key] += amount
            return self.counts[key]


def limits(quota: int, counter: Any) -> Limits:
    return Limits(Settings(home=Path(), limit_verification=quota), counter)


def passed(replica: Limits, times: int, who: str = "192.0.2.7", cost: int = 1) -> int:
    answers = [replica.spend("verification", who, START, cost) for _ in range(times)]
    return sum(cost for answer in answers if answer and not answer.is_over)


@pytest.mark.parametrize("quota", [1, 2, 7, 600, 6_000])
def test_replicas_together_never_exceed_a_limit(quota: int) -> None:
    counter = Shared()
    replicas = [limits(quota, counter) for _ in range(3)]
    assert sum(passed(replica, quota) for replica in replicas) == quota


def test_what_a_replica_took_and_does_not_need_is_a_small_part_of_a_limit() -> None:
    counter = Shared()
    first, second = limits(600, counter), limits(600, counter)
    assert passed(first, 1) == 1
    assert passed(second, 600) == 600 - 600 // BLOCKS


def test_threads_of_one_replica_never_exceed_a_limit() -> None:
    replica, sums = limits(500, Shared()), []
    threads = [threading.Thread(target=lambda: sums.append(passed(replica, 200))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sums) == 500


def test_hardly_any_request_asks_the_shared_counter() -> None:
    counter = Shared()
    assert passed(limits(60_000, counter), 80_000) == 60_000
    assert counter.asked < 150


def test_while_the_shared_counter_is_away_each_process_counts_alone() -> None:
    counter = Shared()
    replica = limits(10, counter)
    assert passed(replica, 2) == 2
    counter.is_away = True
    with capture_logs() as lines:
        assert passed(replica, 20) == 8
    asked = counter.asked
    passed(replica, 20)
    assert counter.asked == asked
    assert [line["event"] for line in lines] == ["counting alone"]


def test_a_flood_of_networks_fills_no_memory() -> None:
    replica = limits(5, None)
    for number in range(MOST_CLIENTS):
        replica.spend("verification", str(number), START)
    assert passed(replica, 10, "one more") == 5
    assert passed(replica, 10, "another one") == 0
    assert passed(replica, 10, "7") == 4
    assert sum(len(counts) for _, counts in replica._windows.values()) == MOST_CLIENTS + 1
    replica.spend("verification", "later", START + WINDOW_S)
    assert sum(len(counts) for _, counts in replica._windows.values()) == 1


def test_the_database_counts_for_all_its_replicas(database_url: str) -> None:
    first, second = Database(database_url), Database(database_url)
    try:
        counters = (TableCounter(first), TableCounter(second))
        assert [counter.incr("a", 60, 5) for counter in counters] == [5, 10]
        assert counters[0].incr("b", 60) == 1
        together = sum(passed(limits(20, counter), 15) for counter in counters)
        assert together == 20
    finally:
        first.close()
        second.close()


def test_two_services_on_one_database_keep_one_limit(postgres: Postgres, tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    replicas = [studio.certifier(database_url=postgres.new_database(), limit_verification=10), studio.certifier()]
    clients = [create_app(replica, Clock()).test_client() for replica in replicas]
    answers = [verified(client) for _ in range(10) for client in clients]
    for replica in replicas:
        replica.close()
    assert [answer.status_code == 429 for answer in answers].count(False) == 10


def test_what_is_over_is_deleted_from_the_database(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rates.sqlite'}")
    counter = TableCounter(database)
    counter.incr("over", -10)
    counter.incr("lasts", 60)
    counter._tidied -= 1000
    counter.incr("lasts", 60)
    with database.reading() as connection:
        names = [row[0] for row in connection.exec_driver_sql("SELECT name FROM rate_windows")]
    database.close()
    assert names == ["lasts"]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of its own, on loopback."""
    program = shutil.which("redis-server")
    assert program, "no redis-server: run make test-deps"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(20)


def test_redis_counts_for_all_replicas_where_it_is_named(redis: str, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rates.sqlite'}")
    counters = [counter_for(database, redis) for _ in range(2)]
    together = sum(passed(limits(20, counter), 15) for counter in counters)
    database.close()
    assert together == 20


def test_a_redis_that_is_away_is_told_as_that(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rates.sqlite'}")
    counter = counter_for(database, "redis://:secret@127.0.0.1:1/0")
    database.close()
    assert counter
    with pytest.raises(StorageError) as caught:
        counter.incr("a", 60)
    assert "secret" not in str(vars(caught.value))
    assert passed(limits(5, counter), 9) == 5


@pytest.mark.parametrize("url", ["http://127.0.0.1", "memory://", "redis", "postgresql://a@b/c"])
def test_what_is_no_redis_is_refused_at_the_start(url: str, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rates.sqlite'}")
    try:
        with pytest.raises(OperatorError, match="LCAL_LIMIT_STORE"):
            counter_for(database, url)
    finally:
        database.close()


def test_one_process_on_sqlite_asks_nobody(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rates.sqlite'}")
    assert counter_for(database, "") is None
    database.close()


def test_the_headers_have_the_form_of_the_draft(client: FlaskClient) -> None:
    headers = verified(client, "192.0.2.99").headers
    assert re.fullmatch(r'"[a-z]+";q=\d+;w=\d+', headers["RateLimit-Policy"])
    assert re.fullmatch(r'"[a-z]+";r=\d+;t=\d+', headers["RateLimit"])
