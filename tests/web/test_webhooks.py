"""The feed and the endpoints over HTTP; and the receivers of docs/webhooks.md, to which a real revocation is delivered."""

from __future__ import annotations

import ast
import base64
import hmac
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from standardwebhooks import Webhook

from certifier.certificate.code import display_code
from certifier.certificate.times import time_text
from certifier.cli.main import webhooks
from certifier.egress import Limits
from certifier.service.certifier import Certifier, Issued
from certifier.service.deliverer import PLACES, Deliverer, messenger_for
from certifier.service.events import TYPES
from certifier.service.webhooks import BOTH_SIGN
from certifier.web.app import create_app
from tests.internet import Internet, body
from tests.studio import NOW, Studio
from tests.web.access import bearer, new_key
from tests.web.conftest import LATER

ENDPOINTS = "/api/v1/webhook-endpoints"
FEED = "/api/v1/status-changes"
URL = "https://hooks.example.org/label"
DOC = Path("docs/webhooks.md").read_text("utf-8")
PATIENT = Limits(connect=5.0, read=10.0, total=10.0)


@dataclass
class Desk:
    """An installation with three certificates, a client with a key, and another holder's key."""

    certifier: Certifier
    codes: list[str]
    client: FlaskClient
    key: dict[str, str]
    other: dict[str, str]
    net: Internet

    def made(self, url: str, key: dict[str, str] | None = None, **members: Any) -> Any:
        return self.client.post(ENDPOINTS, json={"url": url, **members}, headers=key or self.key)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """For all of these tests; each makes endpoints of its own."""
    studio = Studio(tmp_path_factory.mktemp("webhooks"))
    certifier = studio.certifier()
    codes = []
    for number in range(3):
        answer = certifier.certify(studio.examined(number), NOW)
        assert isinstance(answer, Issued)
        codes.append(answer.certificate.code)
    certifier.events.sweep(NOW)
    keys = [bearer(new_key(certifier, "webhooks:manage", holder=holder)) for holder in ("Example Platform", "Another")]
    with Internet(tmp_path_factory.mktemp("net")) as net:
        net.name("hooks.example.org", "93.184.216.200")
        for number in range(20):
            net.name(f"hooks-{number}.example.org", "93.184.216.201")
        net.name("inside.example.org", "10.0.0.7")
        client = create_app(certifier, lambda: LATER, net.egress()).test_client()
        yield Desk(certifier, codes, client, keys[0], keys[1], net)
    certifier.close()


def slug(answer: Any) -> tuple[int, str]:
    return answer.status_code, str(answer.json["type"].rpartition("/")[2])


# -- the feed ---------------------------------------------------------------------------------------------------------


def test_a_poller_follows_the_feed_from_page_to_page_to_its_end(desk: Desk) -> None:
    seen, path = [], f"{FEED}?limit=2"
    while True:
        answer = desk.client.get(path)
        assert answer.headers["Cache-Control"] == "public, max-age=60, must-revalidate"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        seen += answer.json["items"]
        path = answer.json["next"]
        if not answer.json["has_more"]:
            break
    codes = [item["data"]["code"] for item in seen if item["type"] == "certificate.issued"]
    assert codes == list(map(display_code, desk.codes))
    end = desk.client.get(path)
    assert (end.json["items"], end.json["next"], end.json["has_more"]) == ([], path, False)
    assert desk.client.get(path, headers={"If-None-Match": end.headers["ETag"]}).status_code == 304


BAD_QUERIES = {
    "an event that is not kept": (f"after=evt_{'0' * 32}", (400, "cursor-expired")),
    "no id": ("after=5", (400, "parameter-invalid")),
    "an id and more": (f"after=evt_{'0' * 32}'--", (400, "parameter-invalid")),
    "two events": (f"after=evt_{'0' * 32}&after=evt_{'1' * 32}", (400, "parameter-invalid")),
    "no number": ("limit=many", (400, "parameter-invalid")),
    "none": ("limit=0", (400, "parameter-invalid")),
    "too many": ("limit=1001", (400, "parameter-invalid")),
    "other digits": ("limit=%D9%A1", (400, "parameter-invalid")),
    "an unknown parameter": ("since=2026", (400, "parameter-invalid")),
}


@pytest.mark.parametrize(("query", "told"), BAD_QUERIES.values(), ids=BAD_QUERIES.keys())
def test_a_question_that_the_feed_cannot_answer_is_told(desk: Desk, query: str, told: tuple[int, str]) -> None:
    assert slug(desk.client.get(f"{FEED}?{query}")) == told


# -- endpoints --------------------------------------------------------------------------------------------------------


def test_an_endpoint_shows_its_secret_once(desk: Desk) -> None:
    made = desk.made(URL, types=["certificate.revoked"], description="Example")
    assert made.status_code == 201
    assert made.headers["Location"] == f"{ENDPOINTS}/{made.json['id']}"
    assert len(base64.b64decode(made.json["secret"].removeprefix("whsec_"))) == 32
    shown = desk.client.get(made.headers["Location"], headers=desk.key)
    assert shown.json == {name: value for name, value in made.json.items() if name != "secret"}
    assert shown.headers["ETag"] == made.headers["ETag"]
    assert shown.headers["Cache-Control"] == "private, no-store"
    listed = desk.client.get(ENDPOINTS, headers=desk.key)
    assert shown.json in listed.json["items"]
    assert made.json["secret"] not in listed.text + shown.text


# what is sent -> (status, kind of problem)
REFUSED: dict[str, tuple[Any, tuple[int, str]]] = {
    "plain http": ({"url": "http://hooks.example.org/"}, (422, "address-refused")),
    "another port": ({"url": "https://hooks.example.org:8443/"}, (422, "address-refused")),
    "an address": ({"url": "https://93.184.216.34/"}, (422, "address-refused")),
    "this machine": ({"url": "https://localhost/"}, (422, "address-refused")),
    "a name that leads inside": ({"url": "https://inside.example.org/"}, (422, "address-refused")),
    "a name that nobody knows": ({"url": "https://nobody.example.org/"}, (422, "address-refused")),
    "a user": ({"url": "https://user:word@hooks.example.org/"}, (422, "address-refused")),
    "no address": ({"types": None}, (400, "parameter-invalid")),
    "a type that does not exist": ({"url": URL, "types": ["certificate.eaten"]}, (400, "parameter-invalid")),
    "no type": ({"url": URL, "types": []}, (400, "parameter-invalid")),
    "types that are none": ({"url": URL, "types": "certificate.revoked"}, (400, "parameter-invalid")),
    "a secret of one's own": ({"url": URL, "secret": "whsec_AAAA"}, (400, "parameter-invalid")),
    "a long description": ({"url": URL, "description": "x" * 201}, (400, "parameter-invalid")),
    "a description with a zero byte": ({"url": URL, "description": "a\0b"}, (400, "parameter-invalid")),
    "a list": ([], (400, "json-malformed")),
}


@pytest.mark.parametrize(("body", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_an_endpoint_that_cannot_be_is_refused(desk: Desk, body: Any, told: tuple[int, str]) -> None:
    assert slug(desk.client.post(ENDPOINTS, json=body, headers=desk.key)) == told


def test_a_name_that_cannot_be_looked_up_is_told_with_what_to_try(desk: Desk) -> None:
    answer = desk.client.post(ENDPOINTS, json={"url": "https://nobody.example.org/"}, headers=desk.key)
    assert "until it can be looked up" in answer.json["errors"][0]["hint"]


def test_an_address_is_taken_once_by_each_holder(desk: Desk) -> None:
    url = "https://hooks-1.example.org/"
    assert desk.made(url).status_code == 201
    assert slug(desk.made(url)) == (409, "state-conflict")
    assert desk.made(url, desk.other).status_code == 201


def test_a_change_names_the_state_that_it_changes(desk: Desk) -> None:
    made = desk.made("https://hooks-2.example.org/")
    path, tag = made.headers["Location"], made.headers["ETag"]

    def change(tag: str | None, **members: Any) -> Any:
        match = {} if tag is None else {"If-Match": tag}
        return desk.client.patch(path, json=members, headers=desk.key | match)

    assert slug(change(None, description="x")) == (428, "precondition-required")
    assert slug(change('"another"', description="x")) == (412, "precondition-failed")
    changed = change(tag, description="x", types=["certificate.expired"])
    assert changed.status_code == 200
    assert (changed.json["description"], changed.json["types"]) == ("x", ["certificate.expired"])
    assert slug(change(tag, description="y")) == (412, "precondition-failed")
    assert change(f"W/{changed.headers['ETag']}", types=None).json["types"] is None
    assert slug(change("*", url="https://inside.example.org/")) == (422, "address-refused")
    assert slug(change("*", url=None)) == (400, "parameter-invalid")
    assert slug(change("*", status="deaf")) == (400, "parameter-invalid")
    assert change("*", status="disabled").json["disabled_because"] == "owner"
    assert slug(desk.client.post(f"{path}/tests", headers=desk.key)) == (409, "state-conflict")
    assert change("*", status="active").json["disabled_because"] is None
    assert desk.client.delete(path, headers=desk.key).status_code == 204
    assert slug(desk.client.get(path, headers=desk.key)) == (404, "not-found")


def test_what_belongs_to_another_holder_does_not_exist(desk: Desk) -> None:
    path = desk.made("https://hooks-3.example.org/").headers["Location"]
    delivery = desk.client.post(f"{path}/tests", headers=desk.key).json["id"]
    asked = [
        desk.client.get(path, headers=desk.other),
        desk.client.patch(path, json={}, headers=desk.other | {"If-Match": "*"}),
        desk.client.delete(path, headers=desk.other),
        desk.client.post(f"{path}/tests", headers=desk.other),
        desk.client.post(f"{path}/secret-rotations", headers=desk.other),
        desk.client.get(f"{path}/deliveries", headers=desk.other),
        desk.client.post(f"/api/v1/deliveries/{delivery}/redeliveries", headers=desk.other),
    ]
    assert [slug(answer) for answer in asked] == [(404, "not-found")] * len(asked)
    assert desk.client.get(path, headers=desk.key).status_code == 200


NO_IDS = ["whk_", "%00", "whk_%00", "dlv_" + "0" * 32, "whk_" + "0" * 32, "whk_" + "A" * 32, "*"]


@pytest.mark.parametrize("name", NO_IDS)
def test_an_id_that_nobody_has_is_not_found(desk: Desk, name: str) -> None:
    assert slug(desk.client.get(f"{ENDPOINTS}/{name}", headers=desk.key)) == (404, "not-found")
    assert slug(desk.client.post(f"/api/v1/deliveries/{name}/redeliveries", headers=desk.key)) == (404, "not-found")


def test_deliveries_are_read_in_pages_and_can_be_replayed(desk: Desk) -> None:
    path = desk.made("https://hooks-4.example.org/").headers["Location"]
    ids = [desk.client.post(f"{path}/tests", headers=desk.key).json["id"] for _ in range(3)]
    replayed = desk.client.post(f"/api/v1/deliveries/{ids[0]}/redeliveries", headers=desk.key)
    assert replayed.status_code == 202
    first = desk.client.get(f"{path}/deliveries?limit=2", headers=desk.key).json
    second = desk.client.get(first["next"], headers=desk.key).json
    shown = [*first["items"], *second["items"]]
    assert [item["id"] for item in shown] == [replayed.json["id"], *reversed(ids)]
    assert second["next"] is None
    assert shown[0]["event_id"] == shown[-1]["event_id"]
    assert {item["state"] for item in shown} == {"waiting"}


def test_a_rotated_secret_is_shown_once_and_the_old_one_ends_in_a_day(desk: Desk) -> None:
    made = desk.made("https://hooks-5.example.org/")
    rotated = desk.client.post(f"{made.headers['Location']}/secret-rotations", headers=desk.key)
    assert rotated.status_code == 201
    assert rotated.json["secret"] != made.json["secret"]
    assert rotated.json["old_secret_until"] == time_text(LATER + BOTH_SIGN)


def test_what_is_sent_is_described(desk: Desk) -> None:
    described = desk.client.get("/openapi.json").json["webhooks"]
    assert set(described) == {*TYPES, "ping"}
    names = [parameter["name"] for parameter in described["certificate.revoked"]["post"]["parameters"]]
    assert names == ["webhook-id", "webhook-timestamp", "webhook-signature"]


# -- the receivers of the guide ---------------------------------------------------------------------------------------

FILES = dict(re.findall(r"`(\w+\.py)`,[^\n]*\n\n```python\n(.*?)```", DOC, re.DOTALL))


@contextmanager
def running(program: str, folder: Path, secret: str, pem: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A receiver of the guide as it stands there, in a process of its own, once it listens."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
    variables = {"WEBHOOK_SECRET": secret, "TLS_PEM": str(pem), "PORT": str(port), "PATH": os.environ["PATH"]}
    process = subprocess.Popen(
        [sys.executable, program], cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        ends = datetime.now(UTC).timestamp() + 30
        while not listens(port):
            assert process.poll() is None, process.communicate()
            assert datetime.now(UTC).timestamp() < ends, "the receiver does not listen"
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=10)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def signed(secret: str, event_id: str, sent_at: int, content: bytes) -> dict[str, str]:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, f"{event_id}.{sent_at}.".encode() + content, "sha256")).decode()
    return {"webhook-id": event_id, "webhook-timestamp": str(sent_at), "webhook-signature": f"v1,{signature}"}


def test_the_delivery_in_the_guide_is_signed_as_it_says() -> None:
    headers = dict(re.findall(r"^(webhook-\w+): (.*)$", DOC, re.MULTILINE))
    (content,) = re.findall(r'^\{"type": "certificate\.revoked".*\}$', DOC, re.MULTILINE)
    (secret,) = re.findall(r"example secret `(whsec_[^`]+)`", DOC)
    sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert Webhook(secret).sign(headers["webhook-id"], sent_at, content) == headers["webhook-signature"]


@pytest.mark.parametrize(("number", "program"), [(0, "flask_receiver.py"), (1, "plain_receiver.py")])
def test_a_revocation_reaches_the_receiver_of_the_guide_and_nothing_false_does(
    desk: Desk, tmp_path: Path, number: int, program: str
) -> None:
    name, port, code = f"receiver-{number}.example.org", free_port(), desk.codes[number]
    pem, url = desk.net.serve_elsewhere(name, port), f"https://{name}/label"
    made = desk.made(url, types=["certificate.revoked"]).json
    deliverer = Deliverer(desk.certifier.webhooks.store, desk.net.egress(PATIENT, PLACES), lambda: datetime.now(UTC))
    with running(program, tmp_path, made["secret"], pem, port) as process:
        desk.certifier.change_status(code, "revoke", "misuse", LATER)
        desk.certifier.events.sweep(LATER)
        while begun := deliverer.begin_turns():
            for future in begun:
                future.result(30)
        deliverer.close()
        (delivery,) = desk.client.get(f"{ENDPOINTS}/{made['id']}/deliveries", headers=desk.key).json["items"]
        assert (delivery["state"], delivery["told"]) == ("delivered", None)

        event_id, sent, now = delivery["event_id"], b'{"type": "certificate.revoked", "data": {}}', int(time.time())
        good, other = signed(made["secret"], "evt_other", now, sent), "whsec_" + "A" * 44
        forged = {
            "sent again, as it was": (signed(made["secret"], event_id, now, sent), sent, 204),
            "tampered with": (good, sent.replace(b"revoked", b"issued"), 401),
            "under another id": ({**good, "webhook-id": "evt_third"}, sent, 401),
            "at another time": ({**good, "webhook-timestamp": str(now + 1)}, sent, 401),
            "signed by a stranger": (signed(other, "evt_other", now, sent), sent, 401),
            "not signed": ({}, sent, 401),
            "with a signature that is none": (
                {**good, "webhook-signature": "v1, v2,x é".encode().decode("latin-1")},
                sent,
                401,
            ),
            "caught and sent later": (signed(made["secret"], "evt_other", now - 301, sent), sent, 401),
            "dated in the future": (signed(made["secret"], "evt_other", now + 330, sent), sent, 401),
            "with a time that is none": ({**good, "webhook-timestamp": "1e9"}, sent, 401),
        }
        sender = desk.net.egress(PATIENT)
        answers = {kind: sender.post(url, content, headers) for kind, (headers, content, _) in forged.items()}
        assert answers == {kind: status for kind, (_, _, status) in forged.items()}
        process.terminate()
        written, complained = process.communicate(timeout=10)
    (acted,) = (line for line in written.splitlines() if line.startswith("certificate."))
    kind, _, data = acted.partition(" ")
    assert (kind, ast.literal_eval(data)["code"]) == ("certificate.revoked", display_code(code))
    assert "Traceback" not in complained


def test_a_process_tells_and_delivers_by_itself(desk: Desk, tmp_path: Path) -> None:
    """The thread that every worker runs, from a suspension to its delivery; and it stops when it is told to."""
    desk.net.serve("thread.example.org", body(b"", "204 No Content"))
    path = desk.made("https://thread.example.org/", types=["certificate.suspended"]).headers["Location"]
    messenger = messenger_for(desk.certifier, lambda: LATER, desk.net.egress(PATIENT, PLACES))
    messenger.start()
    desk.certifier.change_status(desk.codes[2], "suspend", "evidence", LATER)
    ends = time.monotonic() + 20
    while [item["state"] for item in desk.client.get(f"{path}/deliveries", headers=desk.key).json["items"]] != [
        "delivered"
    ]:
        assert time.monotonic() < ends, "nothing was delivered"
        threading.Event().wait(0.05)
    messenger.close()


def test_the_operator_sees_endpoints_and_sends_an_event_again(desk: Desk) -> None:
    path = desk.made("https://hooks-6.example.org/").headers["Location"]
    sent = desk.client.post(f"{path}/tests", headers=desk.key).json
    home = ["--home", str(desk.certifier.settings.home), "--json"]

    def told(*words: str) -> Any:
        result = CliRunner().invoke(webhooks, [*words, *home])
        assert result.exit_code == 0, result.output
        assert "whsec_" not in result.output
        return json.loads(result.stdout)

    (endpoint,) = (row for row in told("list")["endpoints"] if path.endswith(row["id"]))
    assert (endpoint["holder"], endpoint["url"]) == ("Example Platform", "https://hooks-6.example.org/")
    assert told("deliveries", endpoint["id"])["deliveries"] == [sent]
    again = told("replay", sent["id"])
    assert (again["event_id"], again["state"]) == (sent["event_id"], "waiting")
    plain = CliRunner().invoke(webhooks, ["deliveries", endpoint["id"], *home[:2]])
    assert [line[:36] for line in plain.stdout.splitlines()] == [again["id"], sent["id"]]
