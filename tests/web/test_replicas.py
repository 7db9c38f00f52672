"""Three replicas on one PostgreSQL behind nginx: one log, one register of keys, and a restart that nobody notices."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator

import pytest
import requests

from certifier.service.api_keys import open_api_keys
from tests.postgres import Postgres
from tests.studio import NOW
from tests.web.access import bearer, new_key
from tests.web.replicas import Load, Place, at_work, until

CALLS = 30
SETTINGS = {
    "LCAL_DRAIN_SECONDS": "0.5",
    "LCAL_TRUSTED_PROXIES": "127.0.0.1/32",
    "LCAL_LIMIT_CALLS": str(CALLS),
    # the load comes from one address
    "LCAL_LIMIT_VERIFICATION": "0",
    "LCAL_LIMIT_SUBMISSION": "0",
    "LCAL_LIMIT_READS": "0",
    "LCAL_DRAIN_SECOND": "1",  # told, and nothing else
}
WHO_AM_I = "/api/v1/api-keys/current"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Place]:
    with at_work(tmp_path_factory.mktemp("replicas"), postgres.new_database(), SETTINGS) as place:
        yield place


def test_a_key_that_is_revoked_is_refused_by_all_replicas_at_once(place: Place) -> None:
    settings = place.studio.settings
    key = new_key(settings, "verify:bulk")

    def asked() -> list[int]:
        urls = [place.replicas.url(number) for number in range(3)]
        return [requests.get(f"{url}{WHO_AM_I}", headers=bearer(key), timeout=30).status_code for url in urls]

    assert asked() == [200, 200, 200]
    with open_api_keys(settings) as keys:
        keys.revoke(key.split("_")[2], NOW)
    assert asked() == [401, 401, 401]


def test_a_rate_limit_counts_what_all_replicas_answered(place: Place) -> None:
    """One holder's requests, to each replica in turn: together they are given what the limit says, and no more."""
    for attempt in range(3):  # a minute's end among them begins a new count
        key = new_key(place.studio.settings, "verify:bulk", holder=f"Example Platform {attempt}")
        urls = [f"{place.replicas.url(number % 3)}{WHO_AM_I}" for number in range(2 * CALLS)]
        began = time.time() // 60
        answers = [requests.get(url, headers=bearer(key), timeout=30) for url in urls]
        if time.time() // 60 == began:
            break
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses.keys() == {200, 429}
    assert CALLS * 2 // 3 <= statuses[200] <= CALLS
    assert {answer.status_code for answer in answers[-3:]} == {429}
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60


def test_any_worker_tells_the_numbers_of_its_whole_server(place: Place) -> None:
    url, line = (
        place.replicas.url(place.replicas.with_two_workers or 0),
        'lcal_http_requests_total{method="GET",route="/healthz",status="2xx"} 20.0',
    )
    for _ in range(20):  # each on a connection of its own, which the system gives to any of the workers
        assert requests.get(f"{url}/healthz", timeout=30).status_code == 200
    for _ in range(6):
        assert line in requests.get(f"{url}/metrics", timeout=30).text
    with place.session() as session:
        assert session.get(f"{place.url}/metrics").status_code == 404


def test_the_callers_request_id_goes_through_nginx_and_into_the_line(place: Place) -> None:
    with place.session() as session:
        answer = session.get(f"{place.url}/readyz?from=here", headers={"X-Request-Id": "from-the-caller"})
        assert answer.headers["X-Request-Id"] == "from-the-caller"
        made_up = session.get(f"{place.url}/readyz", headers={"X-Request-Id": "no plain one"}).headers["X-Request-Id"]
    logs = "".join(place.replicas.log(number) for number in range(3))
    line = next(json.loads(line) for line in logs.splitlines() if '"from-the-caller"' in line)
    assert (line["request_id"], line["method"], line["route"], line["status"]) == (
        "from-the-caller",
        "GET",
        "/readyz",
        200,
    )
    assert made_up in logs
    access = place.studio.folder / "access.log"
    until(lambda: made_up in access.read_text(), "nginx, which answers first, has written its line")
    assert "from=here" not in logs


def test_a_variable_that_names_nothing_is_told_at_the_start(place: Place) -> None:
    told = "LCAL_DRAIN_SECOND names no setting; did you mean LCAL_DRAIN_SECONDS?"
    assert all(told in place.replicas.log(number) for number in range(3))


def test_replicas_are_restarted_one_after_the_other_and_nobody_notices(place: Place) -> None:
    """Under reads, verifications and submissions: no request fails, nothing is lost, nothing is done twice."""
    load = Load(place)
    load.run(beside=lambda: [place.replicas.restart(number) for number in range(3)])
    assert load.wrong == []
    assert min(load.answered[name] for name in ("read", "verify", "complain")) >= 20
    assert load.answered["submit"] >= 2
    place.check(load)
