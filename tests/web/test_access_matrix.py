"""Every route with every kind of key: public ones answer without, keyed ones as promised. A route without a decision fails.

``KEYED`` is written by hand, apart from the table of routes, so that a route cannot lose its scope unnoticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from certifier.service.api_keys import SCOPES
from certifier.service.certifier import Certifier
from certifier.web.access import ANY_KEY, OF_THE_API, OR
from certifier.web.app import ROUTES, Route, create_app, described_path
from tests.studio import NOW, Studio
from tests.web.access import bearer, new_key
from tests.web.conftest import LATER

# Every route that takes a key -> the scope that it takes. Whoever adds a route under a scope, or takes one off, says it here.
KEYED: dict[tuple[str, str], str] = {
    ("GET", "/api/v1/api-keys"): "keys:manage",
    ("GET", "/api/v1/api-keys/current"): ANY_KEY,
    ("DELETE", "/api/v1/api-keys/<key_id>"): "keys:manage",
    ("POST", "/api/v1/revocations"): "ops:revoke",
    ("POST", "/api/v1/suspensions"): "ops:revoke",
    ("POST", "/api/v1/reinstatements"): "ops:revoke",
    ("GET", "/api/v1/operator-acts"): "ops:revoke|ops:approve",
    ("GET", "/api/v1/operator-acts/<act_id>"): "ops:revoke|ops:approve",
    ("POST", "/api/v1/approvals"): "ops:approve",
    ("POST", "/api/v1/verification-batches"): "verify:bulk",
    ("POST", "/api/v1/webhook-endpoints"): "webhooks:manage",
    ("GET", "/api/v1/webhook-endpoints"): "webhooks:manage",
    ("GET", "/api/v1/webhook-endpoints/<endpoint_id>"): "webhooks:manage",
    ("PATCH", "/api/v1/webhook-endpoints/<endpoint_id>"): "webhooks:manage",
    ("DELETE", "/api/v1/webhook-endpoints/<endpoint_id>"): "webhooks:manage",
    ("POST", "/api/v1/webhook-endpoints/<endpoint_id>/tests"): "webhooks:manage",
    ("POST", "/api/v1/webhook-endpoints/<endpoint_id>/secret-rotations"): "webhooks:manage",
    ("GET", "/api/v1/webhook-endpoints/<endpoint_id>/deliveries"): "webhooks:manage",
    ("POST", "/api/v1/deliveries/<delivery_id>/redeliveries"): "webhooks:manage",
}
# What writes and takes no key, each for its reason.
OPEN_WRITES: dict[tuple[str, str], str] = {
    ("POST", "/submit"): "the applicant's signature is the account",
    ("POST", "/api/v1/submissions"): "the applicant's signature is the account",
    ("POST", "/api/v1/report-checks"): "stores nothing",
    ("POST", "/verify"): "stores nothing",
    ("POST", "/api/v1/verifications"): "stores nothing",
    ("POST", "/replay/<name>"): "stores nothing",
    ("POST", "/complaints"): "anybody may complain",
    ("POST", "/api/v1/complaints"): "anybody may complain",
    ("POST", "/api/v1/my-tracks"): "a signed challenge shows whose they are",
    ("POST", "/vc-api/credentials/issue"): "a sandbox's own key, never in production",
    ("POST", "/vc-api/credentials/verify"): "stores nothing",
    ("POST", "/vc-api/presentations/verify"): "stores nothing",
}


@dataclass(frozen=True)
class Keys:
    """A key of each kind for each scope; of ``right``, one for each scope that is enough; ``wrong`` has every other scope."""

    right: dict[str, tuple[str, ...]]
    wrong: dict[str, str]
    expired: dict[str, str]
    revoked: dict[str, str]


@pytest.fixture(scope="module")
def certifier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certifier]:
    certifier = Studio(tmp_path_factory.mktemp("matrix")).certifier()
    yield certifier
    certifier.close()


@pytest.fixture(scope="module")
def client(certifier: Certifier) -> FlaskClient:
    return create_app(certifier, lambda: LATER).test_client()


@pytest.fixture(scope="module")
def keys(certifier: Certifier) -> Keys:
    asked_for = {*SCOPES, ANY_KEY, *(route.scope for route in IS_KEYED)}
    scopes = {scope: list(SCOPES) if scope == ANY_KEY else scope.split(OR) for scope in asked_for}

    def made(scope: str) -> str:
        return new_key(certifier, *scopes[scope])

    revoked = {scope: made(scope) for scope in scopes}
    for key in revoked.values():
        certifier.api_keys.revoke(key.split("_")[2], NOW)
    expires = NOW + timedelta(seconds=1)
    make = certifier.api_keys.make
    return Keys(
        right={
            scope: (made(scope),) if scope == ANY_KEY else tuple(new_key(certifier, one) for one in enough)
            for scope, enough in scopes.items()
        },
        wrong={
            scope: new_key(certifier, *(set(SCOPES) - set(enough)))
            for scope, enough in scopes.items()
            if scope != ANY_KEY
        },
        expired={scope: make("Example Platform", scopes[scope], NOW, expires=expires).text for scope in scopes},
        revoked=revoked,
    )


IS_KEYED = [route for route in ROUTES if route.scope]
IS_PUBLIC = [route for route in ROUTES if not route.scope]
REFUSED = {"key-missing", "key-invalid", "key-expired", "scope-missing", "network-not-allowed"}


def asked(client: FlaskClient, route: Route, key: str | None) -> tuple[int, str]:
    """Status and kind of problem. Bodies are empty: who is let in learns that, who is not learns nothing of it."""
    path = re.sub(r"<[^>]+>", "0123456789abcdef", route.path)
    headers = {"Accept": "application/json", **(bearer(key) if key else {})}
    answer = client.open(path, method=route.method, headers=headers)
    problem = answer.mimetype == "application/problem+json"
    return answer.status_code, answer.json["type"].rpartition("/")[2] if problem else ""


def named(route: Route) -> str:
    """The path of a route; how its parts are read is another matter."""
    return re.sub(r"<[^>]*?(\w+)>", r"<\1>", route.path)


def test_every_route_has_its_decision() -> None:
    assert {(route.method, named(route)): route.scope for route in IS_KEYED} == KEYED
    writes = {(route.method, named(route)) for route in IS_PUBLIC if route.method not in {"GET", "OPTIONS"}}
    assert writes == OPEN_WRITES.keys()
    assert {scope for route in IS_KEYED for scope in route.scope.split(OR)} <= {*SCOPES, ANY_KEY}
    assert all(route.path.startswith(OF_THE_API) for route in IS_KEYED)


def test_the_description_names_the_scopes_of_which_one_is_enough(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").json["paths"]
    for route in IS_KEYED:
        needed = [[] if scope == ANY_KEY else [scope] for scope in route.scope.split(OR)]
        security = paths[described_path(route.path)][route.method.lower()]["security"]
        assert security == [{"api_key": scopes} for scopes in needed]


@pytest.mark.parametrize("route", IS_PUBLIC, ids=[f"{route.method} {route.path}" for route in IS_PUBLIC])
def test_a_public_route_answers_without_a_key_and_with_one(route: Route, client: FlaskClient, keys: Keys) -> None:
    for key in (None, *keys.right[ANY_KEY], *keys.right["keys:manage"]):
        assert asked(client, route, key)[1] not in REFUSED
    told = {asked(client, route, key) for key in (keys.expired[ANY_KEY], keys.revoked[ANY_KEY])}
    if route.path.startswith(OF_THE_API) and route.method != "OPTIONS":
        assert told == {(401, "key-expired"), (401, "key-invalid")}
    else:
        assert not {kind for _, kind in told} & REFUSED


@pytest.mark.parametrize("route", IS_KEYED, ids=[f"{route.method} {route.path}" for route in IS_KEYED])
def test_a_keyed_route_lets_in_the_right_key_alone(route: Route, client: FlaskClient, keys: Keys) -> None:
    scope = route.scope
    assert asked(client, route, None) == (401, "key-missing")
    assert asked(client, route, keys.expired[scope]) == (401, "key-expired")
    assert asked(client, route, keys.revoked[scope]) == (401, "key-invalid")
    assert asked(client, route, keys.right[scope][0][:-1] + "x") == (401, "key-invalid")
    if scope != ANY_KEY:
        assert asked(client, route, keys.wrong[scope]) == (403, "scope-missing")
    for key in keys.right[scope]:
        assert asked(client, route, key)[1] not in REFUSED


@pytest.mark.parametrize("route", IS_KEYED, ids=[f"{route.method} {route.path}" for route in IS_KEYED])
def test_a_keyed_route_is_for_no_script_of_another_site(route: Route, client: FlaskClient, keys: Keys) -> None:
    path = re.sub(r"<[^>]+>", "0123456789abcdef", route.path)
    for headers in ({}, bearer(keys.right[route.scope][0])):
        answer = client.open(path, method=route.method, headers={**headers, "Origin": "https://shop.example.org"})
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]
    asked_first = client.options(
        path, headers={"Origin": "https://shop.example.org", "Access-Control-Request-Method": route.method}
    )
    assert "Access-Control-Allow-Origin" not in asked_first.headers


@pytest.mark.parametrize(
    "route", [route for route in IS_KEYED if "<" in route.path], ids=lambda route: f"{route.method} {route.path}"
)
def test_what_another_holder_has_is_not_there(route: Route, client: FlaskClient, certifier: Certifier) -> None:
    """Named objects of another holder are 404, as those that nobody has. Their own tests make the objects."""
    other = new_key(certifier, *(route.scope.split(OR) if route.scope != ANY_KEY else SCOPES), holder="Example Shop")
    mine = new_key(certifier, "keys:manage")
    of_mine = mine.split("_")[2] if "key_id>" in route.path else "0123456789abcdef"
    path = re.sub(r"<[^>]+>", of_mine, route.path)
    answer = client.open(path, method=route.method, headers=bearer(other), json={})
    assert answer.status_code in {400, 404, 415, 428}
    revoked = {row.id: row.revoked_at for row in certifier.api_keys.listed("Example Platform")}
    assert revoked[mine.split("_")[2]] is None
