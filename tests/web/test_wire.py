"""What HTTP promises, held by every route of the table."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from werkzeug.test import TestResponse

from certifier.settings import Settings
from certifier.web.app import DESCRIPTION, ROUTES, Route, described_path
from certifier.web.caching import KEPT, WHILE_IT_COUNTS, Kept, kept_at
from certifier.web.openapi.document import openapi_document
from certifier.web.responses import JSON
from certifier.web.wire import EXPOSED
from tests.web.conftest import World
from tests.web.routes import address_of, key_for_all, with_prefix

GETS = [route for route in ROUTES if route.method == "GET"]
ADDRESSES = list({route.path: route for route in ROUTES}.values())
PUBLIC_API = [route for route in with_prefix("/api/") if not route.scope]
DESCRIBED = openapi_document(Settings(home=Path("nowhere")))["paths"]
WITH_BODY = [
    route for route in with_prefix("/api/", "POST") if "requestBody" in DESCRIBED[described_path(route.path)]["post"]
]
VARYING = {"X-Request-Id", "Date", "RateLimit"}
SHARED_POST = "/api/v1/verifications"
PAGE = "text/html"


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


class Asked(NamedTuple):
    first: TestResponse
    again: TestResponse
    head: TestResponse


@pytest.fixture(scope="module")
def key(world: World) -> dict[str, str]:
    return key_for_all(world)


@pytest.fixture(scope="module")
def asked(world: World, key: dict[str, str]) -> dict[str, Asked]:
    """What each GET route answers, what it answers again, and what to HEAD."""
    found = {}
    for route in GETS:
        address, headers = address_of(world, route), key if route.scope else {}
        answers = [world.client.open(address, method=method, headers=headers) for method in ("GET", "GET", "HEAD")]
        found[route.path] = Asked(*answers)
    return found


def fixed(answer: TestResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers if name not in VARYING}


@pytest.mark.parametrize("route", GETS, ids=named)
def test_head_is_answered_as_get_without_its_body(asked: dict[str, Asked], route: Route) -> None:
    first, again, head = asked[route.path]
    assert first.status_code == again.status_code == head.status_code < 500
    if route.path != "/metrics":  # which counts its own readers
        assert fixed(head) == fixed(again) == fixed(first)
    assert head.data == b""


@pytest.mark.parametrize("route", GETS, ids=named)
def test_who_has_the_bytes_is_told_so_in_any_form_of_the_question(
    world: World, asked: dict[str, Asked], key: dict[str, str], route: Route
) -> None:
    first = asked[route.path].first
    kept = kept_at(described_path(route.path))
    if first.status_code != 200 or "no-store" in first.headers["Cache-Control"] or (kept and not kept.has_tag):
        assert "ETag" not in first.headers or route.scope
        return
    tag = first.headers["ETag"]
    for known in (tag, f'"other", {tag}', tag if tag.startswith("W/") else f"W/{tag}", "*"):
        answer = world.client.get(
            address_of(world, route), headers={"If-None-Match": known, **(key if route.scope else {})}
        )
        assert (answer.status_code, answer.data) == (304, b""), known
        for name in ("ETag", "Cache-Control", "Vary"):
            assert answer.headers.get(name) == first.headers.get(name), name


@pytest.mark.parametrize("route", ADDRESSES, ids=named)
def test_options_names_the_methods_of_every_address(world: World, route: Route) -> None:
    answer = world.client.options(address_of(world, route))
    there = {each.method for each in ROUTES if each.path == route.path}
    expected = there | {"OPTIONS"} | ({"HEAD"} if "GET" in there else set())
    assert (answer.status_code, answer.data) == (204, b"")
    assert expected <= set(answer.headers["Allow"].split(", "))
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("route", ADDRESSES, ids=named)
def test_a_method_that_is_not_there_is_refused_with_those_that_are(world: World, route: Route) -> None:
    answer = world.client.open(address_of(world, route), method="PUT", headers={"Accept": JSON})
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (405, "method-not-allowed")
    assert {route.method, "OPTIONS"} <= set(answer.headers["Allow"].split(", "))


def test_no_address_has_a_second_one_with_a_slash_behind_it(world: World) -> None:
    found = {}
    for route in GETS[1:]:
        path, _, query = address_of(world, route).partition("?")
        answer = world.client.get(f"{path}/" + (f"?{query}" if query else ""), headers={"Accept": JSON})
        found[named(route)] = answer.status_code in (400, 404) and "Location" not in answer.headers
    assert [name for name, is_right in found.items() if not is_right] == []


def test_the_id_of_a_request_comes_back_from_every_address(world: World, key: dict[str, str]) -> None:
    found = {}
    for route in GETS:
        headers = {"X-Request-Id": "01JDK9-my-request", **(key if route.scope else {})}
        for method in ("GET", "HEAD"):
            answer = world.client.open(address_of(world, route), method=method, headers=headers)
            found[method, route.path] = answer.headers["X-Request-Id"]
    assert set(found.values()) == {"01JDK9-my-request"}


# -- other sites ------------------------------------------------------------------------------------------------------


def may_share(route: Route, answer: TestResponse) -> bool:
    """As docs/api.md says it: public GETs that are no pages, and the one POST that stores nothing."""
    if route.scope or route.path.startswith(("/static/", "/healthz", "/readyz", "/metrics")):
        return False
    if route.method == "POST":
        return route.path == SHARED_POST
    return route.method == "GET" and (answer.mimetype != PAGE or 300 <= answer.status_code < 400)


def test_only_what_is_public_and_no_page_is_shared_with_other_sites(asked: dict[str, Asked]) -> None:
    told, expected = {}, {}
    for route in GETS:
        for answer in asked[route.path]:
            names = ("Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Access-Control-Allow-Credentials")
            told[route.path] = tuple(answer.headers.get(name) for name in names)
            expected[route.path] = ("*", EXPOSED, None) if may_share(route, answer) else (None, None, None)
    assert told == expected
    assert ("*", EXPOSED, None) in told.values()


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_a_browser_that_asks_before_it_sends_is_let_through_to_what_is_shared(world: World, route: Route) -> None:
    asking = {"Origin": "https://shop.example.org", "Access-Control-Request-Method": route.method}
    answer = world.client.options(address_of(world, route), headers=asking)
    is_shared = route.path == SHARED_POST or (
        route.method == "GET"
        and not route.scope
        and not route.path.startswith(("/static/", "/healthz", "/readyz", "/metrics"))
    )
    told = {name: value for name, value in answer.headers if name.startswith("Access-Control-")}
    if is_shared:
        assert told["Access-Control-Allow-Origin"] == "*"
        assert route.method in told["Access-Control-Allow-Methods"].split(", ")
        assert told["Access-Control-Max-Age"] == "86400"
        assert "Authorization" not in told["Access-Control-Allow-Headers"]  # keys do not belong in browsers
    else:
        assert told == {}


@pytest.mark.parametrize("route", WITH_BODY, ids=named)
def test_an_error_is_shared_where_the_answer_would_be(world: World, key: dict[str, str], route: Route) -> None:
    answer = world.client.post(
        address_of(world, route), data="x", content_type="text/x-example", headers=key if route.scope else {}
    )
    assert answer.status_code == 415
    assert answer.headers.get("Access-Control-Allow-Origin") == ("*" if route.path == SHARED_POST else None)


# -- caches -----------------------------------------------------------------------------------------------------------

ROWS = [(path, kept) for kept in KEPT for path in kept.paths]


@pytest.mark.parametrize(("path", "kept"), ROWS, ids=[path for path, _ in ROWS])
def test_every_resource_is_kept_as_long_as_its_row_says(world: World, path: str, kept: Kept) -> None:
    digest = world.certifier.shelf.newest.digest
    values = {
        "code": world.code,
        "sha256": digest,
        "path": "README.md",
        "tile": "0/000.p/1",
        "year": "2026",
        "number": "1",
        "purpose": "revocation",
        "name": "lcal",
        "version": "1.0.0",
        "submission_id": world.verified.submission_id,
    }
    answer = world.client.get(path.format(**values))
    assert answer.status_code == 200
    told = answer.headers["Cache-Control"]
    if kept.cache == WHILE_IT_COUNTS:
        seconds = re.fullmatch(r"public, max-age=(\d+), must-revalidate", told)
        assert seconds
        assert 0 < int(seconds[1]) <= 3600
    else:
        assert told == kept.header
    assert ("ETag" in answer.headers) == kept.has_tag


@pytest.mark.parametrize("route", with_prefix("/api/", "GET"), ids=named)
def test_every_get_of_the_api_has_a_row_or_takes_a_key(asked: dict[str, Asked], route: Route) -> None:
    if route.scope:
        assert asked[route.path].first.headers["Cache-Control"] == "private, no-store"
    else:
        assert kept_at(described_path(route.path))


def test_what_is_chosen_by_a_header_says_by_which(world: World) -> None:
    for path in (f"/v/{world.code}", f"/api/v1/certificates/{world.code}", "/status/revocation/1"):
        for accept in ("*/*", "application/vc", "application/ld+json"):
            varies = world.client.get(path, headers={"Accept": accept}).headers["Vary"]
            assert "Accept" in varies.split(", "), (path, accept)
    listed = world.client.get("/api/v1/certificates", headers={"Accept-Encoding": "gzip"})
    assert "Accept-Encoding" in listed.headers["Vary"]


# -- bad input --------------------------------------------------------------------------------------------------------

WRONG_BODIES: dict[str, tuple[bytes, str, set[int], set[str]]] = {
    "oversize": (b"", JSON, {413}, {"payload-too-large"}),
    "another type": (b"{}", "application/x-www-form-urlencoded", {415}, {"media-type-unsupported"}),
    "no JSON": (b"{", JSON, {400}, {"json-malformed"}),
    "a member twice": (b'{"code": 1, "code": 2}', JSON, {400}, {"json-malformed"}),
    "no object": (b"[]", JSON, {400}, {"json-malformed", "parameter-invalid"}),
    "members that there are not": (b'{"surprise": 1}', JSON, {400}, {"parameter-invalid"}),
    "wrong types": (
        b'{"code": {"a": [1]}, "kind": 7, "items": "x", "url": [], "events": 1, "key": 5}',
        JSON,
        {400},
        {"parameter-invalid"},
    ),
}
TAKE_FORMS = ("/api/v1/submissions", "/api/v1/report-checks")
TAKE_JSON = [route for route in WITH_BODY if route.path not in TAKE_FORMS]
MORE_THAN_MOST = {"/api/v1/verification-batches": 9_000_000}  # bytes


@pytest.mark.parametrize(("raw", "media_type", "statuses", "slugs"), WRONG_BODIES.values(), ids=WRONG_BODIES.keys())
@pytest.mark.parametrize("route", TAKE_JSON, ids=named)
def test_a_body_that_cannot_be_used_ends_in_one_clear_answer(
    world: World, key: dict[str, str], route: Route, raw: bytes, media_type: str, statuses: set[int], slugs: set[str]
) -> None:
    headers = key if route.scope else {}
    raw = raw or b'{"a": "' + MORE_THAN_MOST.get(route.path, 300_000) * b"a" + b'"}'
    answer = world.client.post(address_of(world, route), data=raw, content_type=media_type, headers=headers)
    assert (answer.status_code in statuses, answer.mimetype) == (True, "application/problem+json"), answer.text
    assert answer.json["type"].rpartition("/")[2] in slugs
    assert answer.json["errors"][0].keys() & {"found", "expected", "hint"}
    assert all(entry.get("pointer", "/").startswith("/") or entry["pointer"] == "" for entry in answer.json["errors"])


@pytest.mark.parametrize("route", with_prefix("/api/", "GET"), ids=named)
def test_an_unknown_parameter_is_named(world: World, key: dict[str, str], route: Route) -> None:
    answer = world.client.get(address_of(world, route) + "?surprise=1", headers=key if route.scope else {})
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (400, "parameter-invalid")
    assert answer.json["errors"][0]["parameter"] == "surprise"


def test_a_repeated_parameter_is_refused_and_named(world: World) -> None:
    names = {
        (path, each["name"])
        for path, item in description(world)["paths"].items()
        for each in item.get("get", {}).get("parameters", ())
        if path.startswith("/api/") and each["in"] == "query" and not item["get"].get("security", [{}])[0]
    }
    assert ("/api/v1/certificates", "tier") in names
    for path, name in names:
        answer = world.client.get(f"{path.format(code=world.code)}?{name}=a&{name}=b")
        assert answer.status_code == 400, (path, name)
        assert answer.json["errors"][0]["parameter"] == name


def description(world: World) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.client.get(DESCRIPTION).data)
    return found


FORMS = {
    "application/json": ("json", "application/json"),
    "application/vc": ("vc", "application/vc"),
    "text/plain": ("txt", "text/plain"),
    "image/svg+xml": ("svg", "image/svg+xml"),
    "image/png": ("png", "image/png"),
    "application/pdf": ("pdf", "application/pdf"),
    "*/*": ("json", "application/json"),
}


@pytest.mark.parametrize(("accept", "expected"), FORMS.items(), ids=FORMS.keys())
def test_a_suffix_asks_for_the_same_as_accept(world: World, accept: str, expected: tuple[str, str]) -> None:
    suffix, media_type = expected
    address = f"/api/v1/certificates/{world.code}"
    chosen = world.client.get(address, headers={"Accept": accept})
    assert (chosen.status_code, chosen.mimetype) == (200, media_type)
    assert chosen.headers["Content-Location"] == f"{address}.{suffix}"
    assert (
        world.client.get(f"{address}.{suffix}").data
        == chosen.data
        == world.client.get(f"/v/{world.code}.{suffix}").data
    )


def test_a_form_that_there_is_not_names_those_that_there_are(world: World) -> None:
    answer = world.client.get(f"/api/v1/certificates/{world.code}", headers={"Accept": "audio/mpeg"})
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (406, "not-acceptable")
    assert "application/vc" in answer.json["errors"][0]["expected"]
    suffixed = world.client.get(f"/api/v1/certificates/{world.code}.mp3")
    assert (suffixed.status_code, ".vc" in suffixed.json["errors"][0]["expected"]) == (404, True)
