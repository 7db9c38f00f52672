"""Who is let in: API keys at the front door."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from certifier.errors import StorageError
from certifier.service.api_keys import open_api_keys
from certifier.service.certifier import Certifier
from certifier.web.app import create_app
from tests.studio import NOW, Studio
from tests.web.access import bearer, new_key
from tests.web.conftest import LATER, World

CURRENT = "/api/v1/api-keys/current"
LISTED = "/api/v1/api-keys"


@pytest.fixture(scope="module")
def certifier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certifier]:
    """One installation for all of these tests; each makes keys of its own."""
    certifier = Studio(tmp_path_factory.mktemp("access")).certifier()
    yield certifier
    certifier.close()


@pytest.fixture(scope="module")
def client(certifier: Certifier) -> FlaskClient:
    return create_app(certifier, lambda: LATER).test_client()


def asked(client: FlaskClient, header: str | None, path: str = CURRENT, **environ: str) -> Any:
    headers = {} if header is None else {"Authorization": header}
    return client.get(path, headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.7"} | environ)


def slug(answer: Any) -> str:
    return str(answer.json["type"].rpartition("/")[2])


def test_a_key_tells_whose_it_is_and_never_its_secret(certifier: Certifier, client: FlaskClient) -> None:
    key = new_key(certifier, "verify:bulk", "keys:manage")
    answer = asked(client, f"Bearer {key}")
    assert answer.status_code == 200
    assert answer.json["holder"] == "Example Platform"
    assert answer.json["scopes"] == ["verify:bulk", "keys:manage"]
    assert key.rpartition("_")[2] not in answer.text
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers


# what is sent as Authorization, with KEY for a key in force -> (status, kind of problem)
HEADERS: dict[str, tuple[str | None, int, str]] = {
    "no header": (None, 401, "key-missing"),
    "an empty header": ("", 401, "key-missing"),
    "another scheme": ("Basic dXNlcjpwYXNz", 401, "key-missing"),
    "the scheme alone": ("Bearer", 401, "key-invalid"),
    "the key without the scheme": ("KEY", 401, "key-invalid"),
    "no space between": ("BearerKEY", 401, "key-invalid"),
    "two keys": ("Bearer KEY KEY", 401, "key-invalid"),
    "two headers that a proxy joined": ("Bearer KEY, Bearer KEY", 401, "key-invalid"),
    "two headers joined, another scheme first": ("Basic dXNlcjpwYXNz, Bearer KEY", 401, "key-invalid"),
    "a tab for the space": ("Bearer\tKEY", 401, "key-invalid"),
    "a key in capitals": ("Bearer CAPITALS", 401, "key-invalid"),
    "a key cut short": ("Bearer SHORT", 401, "key-invalid"),
    "more behind the key": ("Bearer KEY.", 401, "key-invalid"),
    "letters beyond ASCII": ("Bearer KEY\u00e9", 401, "key-invalid"),
    "digits beyond ASCII": ("Bearer lcal_test_\u00b9", 401, "key-invalid"),
    "a very long one": ("Bearer " + "A" * 60_000, 401, "key-invalid"),
    "a token of somebody else": ("Bearer eyJhbGciOiJub25lIn0.e30.", 401, "key-invalid"),
    "a wrong secret": ("Bearer WRONG", 401, "key-invalid"),
    "an id that nobody has": ("Bearer NOBODY", 401, "key-invalid"),
    "a key of production": ("Bearer LIVE", 401, "key-invalid"),
}


@pytest.mark.parametrize(("header", "status", "kind"), HEADERS.values(), ids=HEADERS.keys())
def test_what_is_no_key_in_force_is_refused_and_told(
    header: str | None, status: int, kind: str, certifier: Certifier, client: FlaskClient
) -> None:
    key = new_key(certifier, "verify:bulk")
    other = key[:-1] + ("0" if key[-1] != "0" else "1")
    named = {
        "KEY": key,
        "CAPITALS": key.upper(),
        "SHORT": key[:-1],
        "WRONG": other,
        "NOBODY": f"lcal_test_{'0' * 16}_{'0' * 64}",
        "LIVE": key.replace("lcal_test_", "lcal_live_"),
    }
    for name, text in named.items():
        header = header.replace(name, text) if header and name in header.split("_")[-1] else header
    answer = asked(client, header)
    assert (answer.status_code, slug(answer)) == (status, kind)
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="api"')
    assert key.rpartition("_")[2][:20] not in answer.text


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}"])
def test_the_scheme_is_read_as_http_reads_schemes(form: str, certifier: Certifier, client: FlaskClient) -> None:
    assert asked(client, form.format(new_key(certifier, "verify:bulk"))).status_code == 200


def test_a_key_of_another_environment_is_called_that(certifier: Certifier, client: FlaskClient) -> None:
    key = new_key(certifier, "verify:bulk").replace("lcal_test_", "lcal_live_")
    assert asked(client, f"Bearer {key}").json["detail"] == "The key is for another environment."


def test_a_key_ends_at_its_last_moment(certifier: Certifier, client: FlaskClient) -> None:
    make = certifier.api_keys.make
    over = make("Example Platform", ["verify:bulk"], NOW, expires=LATER).text
    lasts = make("Example Platform", ["verify:bulk"], NOW, expires=LATER + timedelta(seconds=1)).text
    answer = asked(client, f"Bearer {over}")
    assert (answer.status_code, slug(answer)) == (401, "key-expired")
    assert asked(client, f"Bearer {lasts}").status_code == 200


# networks of the key, the peer -> whether it is let in
NETWORKS: dict[str, tuple[list[str], str, bool]] = {
    "from any network": ([], "192.0.2.7", True),
    "from its network": (["198.51.100.0/24", "192.0.2.0/24"], "192.0.2.7", True),
    "from another network": (["198.51.100.0/24"], "192.0.2.7", False),
    "one address": (["192.0.2.7"], "192.0.2.7", True),
    "IPv6": (["2001:db8::/32"], "2001:db8:1::5", True),
    "IPv4 as IPv6 writes it": (["192.0.2.0/24"], "::ffff:192.0.2.7", True),
    "a peer that nobody can tell": (["0.0.0.0/0"], "", False),
}


@pytest.mark.parametrize(("networks", "peer", "is_in"), NETWORKS.values(), ids=NETWORKS.keys())
def test_a_key_is_good_from_its_networks_alone(
    networks: list[str], peer: str, is_in: bool, certifier: Certifier, client: FlaskClient
) -> None:
    key = certifier.api_keys.make("Example Platform", ["verify:bulk"], NOW, networks=networks).text
    answer = asked(client, f"Bearer {key}", REMOTE_ADDR=peer)
    assert answer.status_code == (200 if is_in else 403)
    assert is_in or slug(answer) == "network-not-allowed"


def test_a_forged_forwarded_address_opens_no_door(certifier: Certifier, client: FlaskClient) -> None:
    key = certifier.api_keys.make("Example Platform", ["verify:bulk"], NOW, networks=["198.51.100.0/24"]).text
    answer = asked(client, f"Bearer {key}", HTTP_X_FORWARDED_FOR="198.51.100.9")
    assert (answer.status_code, slug(answer)) == (403, "network-not-allowed")


def test_a_revoked_key_is_refused_from_its_next_request_on(certifier: Certifier, client: FlaskClient) -> None:
    key = new_key(certifier, "verify:bulk")
    key_id = asked(client, f"Bearer {key}").json["id"]
    certifier.api_keys.revoke(key_id, LATER)
    answer = asked(client, f"Bearer {key}")
    assert (answer.status_code, slug(answer), answer.json["detail"]) == (401, "key-invalid", "The API key was revoked.")


def test_a_key_revoked_on_one_replica_is_refused_by_the_other(certifier: Certifier, client: FlaskClient) -> None:
    key = new_key(certifier, "verify:bulk", "keys:manage")
    assert asked(client, f"Bearer {key}").status_code == 200
    with open_api_keys(certifier.settings) as other_replica:
        other_replica.revoke(key.split("_")[2], LATER)
    assert asked(client, f"Bearer {key}").status_code == 401


def test_a_missing_scope_is_named(certifier: Certifier, client: FlaskClient) -> None:
    answer = asked(client, f"Bearer {new_key(certifier, 'verify:bulk')}", LISTED)
    assert (answer.status_code, slug(answer)) == (403, "scope-missing")
    assert answer.json["errors"][0]["expected"] == "keys:manage"
    assert 'error="insufficient_scope", scope="keys:manage"' in answer.headers["WWW-Authenticate"]


def test_a_wrong_key_is_told_on_public_routes_of_the_api_too(certifier: Certifier, client: FlaskClient) -> None:
    path, key = f"/api/v1/certificates?sha256={'0' * 64}", new_key(certifier, "verify:bulk")
    assert asked(client, None, path).status_code == 200
    assert asked(client, f"Bearer {key}", path).status_code == 200
    assert asked(client, "Basic dXNlcjpwYXNz", path).status_code == 200
    answer = asked(client, f"Bearer {key[:-1]}", path)
    assert (answer.status_code, slug(answer)) == (401, "key-invalid")


def test_a_wrong_key_is_told_where_the_answer_is_remembered(world: World) -> None:
    path = f"/api/v1/certificates/{world.code}/report"
    answers = [
        world.client.get(path),
        world.client.get(path),
        world.client.get(path, headers=bearer("lcal_test_wrong")),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 401]


def test_pages_know_no_keys(client: FlaskClient) -> None:
    assert asked(client, "Bearer nonsense", "/meaning").status_code == 200


def test_holders_see_and_revoke_their_own_keys_alone(certifier: Certifier, client: FlaskClient) -> None:
    mine, next_one = (new_key(certifier, "keys:manage", holder="Example Radio") for _ in range(2))
    others = new_key(certifier, "keys:manage", holder="Example Shop")
    ids = {key.split("_")[2] for key in (mine, next_one)}
    assert {item["id"] for item in client.get(LISTED, headers=bearer(mine)).json["items"]} == ids

    def revoked(key: str, by: str) -> Any:
        return client.delete(f"{LISTED}/{key.split('_')[2]}", headers=bearer(by))

    answer = revoked(mine, by=others)
    assert (answer.status_code, slug(answer)) == (404, "not-found")
    assert client.get(CURRENT, headers=bearer(mine)).status_code == 200
    first, again = revoked(mine, by=next_one), revoked(mine, by=next_one)
    assert first.status_code == 200
    assert first.json["revoked_at"] == again.json["revoked_at"] is not None
    assert client.get(CURRENT, headers=bearer(mine)).status_code == 401


def test_a_key_can_revoke_itself(certifier: Certifier, client: FlaskClient) -> None:
    key = new_key(certifier, "keys:manage")
    assert client.delete(f"{LISTED}/{key.split('_')[2]}", headers=bearer(key)).status_code == 200
    assert client.get(CURRENT, headers=bearer(key)).status_code == 401


def test_the_last_use_is_known_to_the_hour(certifier: Certifier, client: FlaskClient) -> None:
    key = new_key(certifier, "verify:bulk")
    asked(client, f"Bearer {key}")
    assert asked(client, f"Bearer {key}").json["last_used_at"] == f"{LATER:%Y-%m-%dT%H}:00:00Z"


def test_while_the_database_is_away_the_door_stays_shut(
    certifier: Certifier, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key(certifier, "verify:bulk")

    def away(*_: object) -> None:
        raise StorageError("The database does not answer.")

    monkeypatch.setattr(certifier.api_keys._store, "one", away)
    answer = asked(client, f"Bearer {key}")
    assert (answer.status_code, slug(answer)) == (503, "dependency-unavailable")
    assert answer.headers["Retry-After"]


def test_a_key_that_cannot_be_noted_as_used_is_let_in(
    certifier: Certifier, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key(certifier, "verify:bulk")

    def away(*_: object) -> None:
        raise StorageError("The database cannot be written to.")

    monkeypatch.setattr(certifier.api_keys._store, "note_use", away)
    assert asked(client, f"Bearer {key}").status_code == 200


def test_no_log_line_holds_a_key(certifier: Certifier, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where it is let in or refused, nor where somebody writes it into an address, nor in a failure of ours."""
    key = new_key(certifier, "verify:bulk")
    secret = key.rpartition("_")[2]
    body = {"headers": bearer(key), "json": {"code": "0000000000"}}

    def broken(*_: object) -> None:
        raise RuntimeError(key)

    with capture_logs() as lines:
        assert client.post("/api/v1/verifications", **body).status_code in {200, 400, 404}
        misplaced = client.post(f"/api/v1/verifications?{key}={key}", **body)
        lost = client.post(f"/{key}", headers={"X-Request-Id": key[:64], "Authorization": key})
        asked_for = client.get("/api/v1/certificates", query_string={"sha256": key})
        assert secret[:10] not in misplaced.text + lost.text + asked_for.text
        monkeypatch.setattr(certifier.api_keys._store, "one", broken)
        assert client.post("/api/v1/verifications", **body).status_code == 500
    told = json.dumps(lines, default=str)
    assert "answered" in told
    assert "RuntimeError" in told
    assert secret[:24] not in told


def test_the_database_holds_no_secret(certifier: Certifier) -> None:
    made = certifier.api_keys.make("Example Platform", ["verify:bulk"], NOW)
    secret = made.text.rpartition("_")[2]
    assert secret not in json.dumps([vars(row) for row in certifier.api_keys.listed()])
    assert secret not in repr(made)


def test_revoking_a_key_ends_the_long_answer_that_it_is_getting(certifier: Certifier, client: FlaskClient) -> None:
    key = new_key(certifier, "verify:bulk")
    lines = b"".join(json.dumps({"ref": str(number), "code": "0000000000"}).encode() + b"\n" for number in range(600))
    headers = bearer(key) | {"Content-Type": "application/x-ndjson"}
    with client.post("/api/v1/verification-batches", headers=headers, data=lines) as answer:
        parts = answer.iter_encoded()
        told = next(parts).splitlines()
        certifier.api_keys.revoke(key.split("_")[2], LATER)
        told += b"".join(parts).splitlines()
    assert json.loads(told[0])["result"] == "no_certificate"
    assert json.loads(told[-1])["problem"]["type"].endswith("/problems/key-invalid")
    assert len(told) < 600
