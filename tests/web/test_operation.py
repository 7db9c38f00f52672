"""What an operator sees: numbers, lines of the log, and whether it is ready; nothing of it tells about people."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from certifier.certificate.times import time_text
from certifier.service.certifier import Certifier
from certifier.settings import parse_networks
from certifier.storage.rows import EndpointRow, NewEvent
from certifier.web.app import create_app
from certifier.web.draining import NEXT
from certifier.web.metrics import Metrics
from certifier.web.operation import THROUGH_A_PROXY
from tests.studio import Studio
from tests.web.access import bearer, new_key
from tests.web.conftest import LATER, World
from tests.web.test_submissions import form, send

CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{10}")
DOCS = Path(__file__).parents[2] / "docs" / "operate.md"


@pytest.fixture
def client(world: World) -> FlaskClient:
    """An application of its own on the common world, with numbers of its own."""
    return create_app(world.certifier, lambda: LATER).test_client()


@pytest.fixture(scope="module")
def common(world: World) -> FlaskClient:
    """One application for all tests that count nothing."""
    return create_app(world.certifier, lambda: LATER).test_client()


def numbers(client: FlaskClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def requests_of(client: FlaskClient, route: str, status: str, method: str = "GET") -> float:
    labels = (("method", method), ("route", route), ("status", status))
    return numbers(client).get(("lcal_http_requests_total", labels), 0)


def test_requests_are_counted_by_pattern_and_class_of_status_from_memory_too(world: World, client: FlaskClient) -> None:
    path = f"/v/{world.code}.vc"
    tag = client.get(path).headers["ETag"]
    client.get(path)
    client.get(path, headers={"If-None-Match": tag})
    client.get("/v/ABCDEFGHJK.json")
    client.get("/nothing/here")
    client.open("/nothing/here", method="BREW")
    told = [requests_of(client, "/v/<name>", status) for status in ("2xx", "3xx", "4xx")]
    assert told == [2, 1, 1]
    assert requests_of(client, "none", "4xx") == 1
    assert requests_of(client, "none", "4xx", "other") == 1
    labels = (("method", "GET"), ("route", "/v/<name>"))
    assert numbers(client)["lcal_http_request_seconds_count", labels] == 2  # what was made, not what was at hand


def test_the_numbers_of_the_moment_are_the_installations(world: World, common: FlaskClient) -> None:
    told = numbers(common)
    assert told["lcal_log_size", ()] == world.certifier.logbook.head.size
    assert (told["lcal_database_up", ()], told["lcal_writable", ()], told["lcal_queue_places_taken", ()]) == (1, 1, 0)
    assert told["lcal_log_newest_entry_time", ()] < LATER.timestamp()
    assert any(name == "lcal_build_info" for name, _ in told)


def test_rows_of_batches_are_counted_by_their_results(world: World, common: FlaskClient) -> None:
    items = [{"code": world.code}, {"code": world.code}, {"isrc": "QZABC2699999"}, {"code": "no code"}]
    answer = common.post(
        "/api/v1/verification-batches", json={"items": items}, headers=bearer(new_key(world.certifier, "verify:bulk"))
    )
    told = {
        labels[0][1]: number for (name, labels), number in numbers(common).items() if name == "lcal_batch_rows_total"
    }
    assert told == {result: amount for result, amount in answer.json["summary"].items() if amount}
    assert sum(told.values()) == len(items)


def test_webhooks_that_are_due_or_fail_are_counted(certifier: Certifier) -> None:
    client = create_app(certifier, lambda: LATER).test_client()
    row = EndpointRow("whk_1", "Example Platform", "https://platform.example/", "", (), "", created_at=time_text(LATER))
    store = certifier.webhooks.store
    store.add(row, 20)
    store.add_delivery("dlv_1", row.id, NewEvent("evt_1", "certificate.revoked", "{}"), LATER)
    store.change(row, {"failures": 1})
    told = numbers(client)
    assert told["lcal_webhook_deliveries_due", ()] == 1
    assert told["lcal_webhook_endpoints", (("state", "failing"),)] == 1


def test_decisions_are_counted_by_what_came_out(studio: Studio, certifier: Certifier) -> None:
    client = create_app(certifier, lambda: LATER).test_client()
    for _ in range(2):
        assert send(client, form(studio)).status_code in {200, 201}
    told = {
        labels[0][1]: number for (name, labels), number in numbers(client).items() if name == "lcal_decisions_total"
    }
    assert told == {"class-2": 1, "repeated": 1}


def test_labels_tell_no_code_no_key_and_no_address(world: World, common: FlaskClient) -> None:
    secret = "lcal_test_abcdefgh_secretsecret"
    for suffix in ("", ".json", ".svg", ".vc"):
        common.get(f"/v/{world.code}{suffix}", headers={"Authorization": f"Bearer {secret}"})
    common.post("/api/v1/verifications", json={"code": world.code})
    told = common.get("/metrics").text
    labels = [value for _, pairs in numbers(common) for _, value in pairs]
    assert not [value for value in labels if CODE.search(value)]
    assert not [text for text in (world.code, secret, "127.0.0.1", "Example Artist") if text in told]


KEPT_OUT = {name: ({name: "203.0.113.9"}, "127.0.0.1") for name in THROUGH_A_PROXY}
KEPT_OUT |= {
    "a foreign network": ({}, "203.0.113.9"),
    "no address at all": ({}, ""),
    "a foreign network of the other kind": ({}, "2001:db8::1"),
}


@pytest.mark.parametrize(("headers", "peer"), KEPT_OUT.values(), ids=KEPT_OUT.keys())
def test_numbers_are_not_for_others(common: FlaskClient, headers: dict[str, str], peer: str) -> None:
    """A proxy on this machine asks from the loopback address for the whole world."""
    answer = common.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": peer})
    assert (answer.status_code, b"lcal_" in answer.data) == (404, False)


def test_numbers_are_for_the_networks_that_the_setting_names(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = replace(world.certifier.settings, metrics_networks=parse_networks("203.0.113.0/24"))
    monkeypatch.setattr(world.certifier, "settings", opened)
    client = create_app(world.certifier, lambda: LATER).test_client()
    for peer in ("203.0.113.9", "::ffff:203.0.113.9"):  # the second where the socket is one of both kinds
        assert client.get("/metrics", environ_base={"REMOTE_ADDR": peer}).status_code == 200
    assert client.get("/metrics").status_code == 404


def test_workers_count_together(tmp_path: Path) -> None:
    """Each in a process of its own; here two that share a folder, the second after the first was killed."""
    program = (
        "import os, signal, sys; from pathlib import Path; from certifier.web.metrics import Metrics\n"
        "metrics = Metrics(Path(sys.argv[1])); metrics.answered('GET', '/v/<name>', 200); metrics.places_taken.inc()\n"
        "print(metrics.text([]).decode(), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
        ).stdout
        for _ in range(2)
    ]
    line = 'lcal_http_requests_total{{method="GET",route="/v/<name>",status="2xx"}} {}'
    assert [line.format(number) in text for number, text in zip(("1.0", "2.0"), told, strict=True)] == [True, True]
    assert ["lcal_queue_places_taken 1.0" in text for text in told] == [True, True]  # the dead one holds no place


def test_the_documentation_lists_every_number(common: FlaskClient) -> None:
    text = DOCS.read_text()
    families = text_string_to_metric_families(Metrics().text([]).decode() + common.get("/metrics").text)
    assert [family.name for family in families if f"`{family.name}`" not in text] == []


# -- lines ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def test_a_request_that_was_worked_on_has_its_line(world: World, client: FlaskClient, lines: list[Any]) -> None:
    path = f"/v/{world.code}.vc?a=1"
    client.get(f"/v/{world.code}.vc")
    client.get(f"/v/{world.code}.vc")  # from memory
    client.get(path, headers={"X-Request-Id": "from-the-test"})
    answered = [line for line in lines if line["event"] == "answered"]
    assert [line["route"] for line in answered] == ["/v/<name>", "/v/<name>"]
    assert answered[1].keys() == {"event", "log_level", "request_id", "method", "route", "status", "ms"}
    assert (answered[1]["request_id"], answered[1]["status"]) == ("from-the-test", 400)
    assert world.code not in json.dumps(lines)


def test_every_request_has_its_line_where_the_setting_says_so(
    world: World, lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.certifier, "settings", replace(world.certifier.settings, log_requests="all"))
    client = create_app(world.certifier, lambda: LATER).test_client()
    ids = [client.get(f"/v/{world.code}.vc").headers["X-Request-Id"] for _ in range(2)]
    assert [line["request_id"] for line in lines if line["event"] == "answered"] == ids


# -- readiness ------------------------------------------------------------------------------------------------------


def test_a_server_that_is_stopping_is_unready_and_sends_those_on_who_can_go(world: World) -> None:
    stopping = [False]
    client = create_app(world.certifier, lambda: LATER, is_draining=lambda: stopping[0]).test_client()
    can_go = {NEXT: "yes"}
    assert client.get("/readyz").status_code == 200
    assert client.get("/log/checkpoint", environ_overrides=can_go).status_code == 200
    stopping[0] = True
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["parts"]["serving"]) == (503, "stopping")
    sent_on = client.post("/api/v1/verifications", json={"code": world.code}, environ_overrides=can_go)
    assert (sent_on.status_code, sent_on.content_type) == (502, "application/problem+json")
    assert client.get("/log/checkpoint").status_code == 200  # nobody sends this one on
    assert client.get("/healthz").status_code == 200


def test_readiness_names_its_parts_and_no_secret(certifier: Certifier) -> None:
    ready = create_app(certifier).test_client().get("/readyz")
    assert ready.json["parts"].keys() == {
        *("status_lists", "database", "log_size", "writing", "register", "clock", "disk", "queue", "serving")
    }
    assert str(certifier.settings.home) not in ready.text
