"""Thousands at once: in order, a bounded number ahead, and each with its own answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest

from certifier.client import Client, NotAllowed, Patience, Result
from certifier.client.many import BATCHES, CHUNK, By, Item
from certifier.errors import ForeignInputError, MalformedCode
from tests.client.conftest import LISTS, World
from tests.client.scripted import Asked, Reply, as_json, scripted

NO_WAIT = Patience(sleep=lambda _: None)
KEY = "lcal_test_a_b"
UNKNOWN = "0000000000"


def results(items: Iterator[Result]) -> list[tuple[str, str]]:
    return [(result.ref, result.result) for result in items]


def test_each_item_has_its_result_in_order_and_a_bad_one_stops_nothing(world: World) -> None:
    items: list[Item] = [world.code, "GG8W-7E5J-TX", UNKNOWN, world.revoked, {"ref": "last", "code": world.code}]
    with Client(world.url, trust=world.trust) as client:
        found = list(client.verify_many(items * 3, workers=4))
    once = [
        (world.code, "valid"),
        ("GG8W-7E5J-TX", "problem"),
        (UNKNOWN, "no_certificate"),
        (world.revoked, "not_valid"),
        ("last", "valid"),
    ]
    assert results(iter(found)) == once * 3
    assert isinstance(found[1].problem, MalformedCode)
    assert found[0].verification is not None
    assert found[0].verification.claims is not None


def test_a_recording_is_found_by_its_digest(world: World) -> None:
    client = Client(world.url, trust=world.trust)
    items: list[Item] = [world.digest, "0" * 64, "no digest"]
    assert [each.result for each in client.verify_many(items, by="sha256")] == ["valid", "no_certificate", "problem"]


def test_a_certificate_in_hand_is_one_of_many(world: World) -> None:
    raw, proof = (world.files[f"/v/{world.code}.{kind}"].decode() for kind in ("vc", "tlog-proof"))
    items: list[Item] = [
        {"ref": "mine", "credential": raw, "proof": proof},
        {"ref": "other", "credential": "hello"},
        {"ref": "half", "credential": '{"a": "\ud800"}', "proof": "\ud800"},
        {"credential": raw, "audio": {"sha256": "0" * 64}},
    ]
    found = results(Client(world.url, trust=world.trust).verify_many(items))
    assert found == [("mine", "valid"), ("other", "problem"), ("half", "problem"), ("", "not_valid")]


BAD: dict[str, Item] = {
    "nothing": {"ref": "x"},
    "two things": {"ref": "x", "code": UNKNOWN, "isrc": "QZABC2600001"},
    "a number": {"ref": "x", "code": 7},
    "a gap": {"ref": "x", "isrc": float("nan")},
    "half a character": {"ref": "x", "isrc": "\ud800"},
    "a book": {"ref": "x", "isrc": "x" * 1_000_000},
    "audio of another kind": {"ref": "x", "code": UNKNOWN, "audio": {"essence_sha256": 7}},
}


@pytest.mark.parametrize("item", BAD.values(), ids=BAD.keys())
def test_an_item_that_asks_for_nothing_is_a_problem_of_its_own(world: World, item: Item) -> None:
    for key in (None, world.key):
        found, after = Client(world.url, trust=world.trust, key=key).verify_many([item, world.code])
        assert (found.ref, found.result, type(found.problem)) == ("x", "problem", ForeignInputError)
        assert after.result == "valid"


@pytest.mark.parametrize("gap", [None, float("nan"), 7, ["a"]], ids=repr)
def test_a_gap_in_a_catalogue_is_a_problem_of_its_own(world: World, gap: Any) -> None:
    found, after = Client(world.url, trust=world.trust).verify_many([gap, world.code])
    assert (found.result, after.result) == ("problem", "valid")


def test_a_list_without_end_is_read_only_as_far_as_it_is_needed(world: World) -> None:
    taken = []

    def endless() -> Iterator[str]:
        while True:
            taken.append(1)
            yield UNKNOWN

    client = Client(world.url, trust=world.trust)
    found = list(islice(client.verify_many(endless(), workers=2), 10))
    assert (len(found), 10 <= len(taken) <= 14) == (10, True), len(taken)


def test_no_more_requests_than_workers_are_under_way_and_a_list_is_fetched_once(world: World) -> None:
    meeting = threading.Barrier(3)

    def answer(asked: Asked) -> Reply:
        if asked.path.endswith(".vc") and site.paths.count(asked.path) <= 3:
            meeting.wait(10)  # all three workers are here at once
        return world.answer({})(asked)

    with scripted(answer) as site:
        client = Client(site.url, trust=world.trust)
        assert {each.result for each in client.verify_many([world.code] * 30, workers=3)} == {"valid"}
    assert site.at_once == 3
    assert [site.paths.count(path) for path in LISTS] == [1, 1]


def test_a_dead_service_gives_every_item_its_problem() -> None:
    client = Client("http://127.0.0.1:9", patience=NO_WAIT)
    found = list(client.verify_many([UNKNOWN] * 20))
    assert {each.result for each in found} == {"problem"}
    assert len(found) == 20


# -- with a key: batches ------------------------------------------------------------------------------------------------


def row_of(world: World, item: dict[str, Any]) -> dict[str, Any]:
    """What an honest service answers for one row of a batch."""
    code = {"QZABC2600001": world.code}.get(item.get("isrc", ""), item.get("code", ""))
    if code not in (world.code, world.revoked):
        return {"ref": item["ref"], "result": "no_certificate"}
    record, proof = (world.files[f"/v/{code}.{kind}"].decode() for kind in ("vc", "tlog-proof"))
    return {"ref": item["ref"], "result": "valid", "code": code, "record": {"credential": record, "proof": proof}}


def batches(world: World, row: Callable[[World, dict[str, Any]], Any] = row_of) -> Callable[[Asked], Reply]:
    def answer(asked: Asked) -> Reply:
        if asked.path != BATCHES:
            return world.answer({})(asked)
        return as_json({"items": [row(world, item) for item in asked.document["items"]], "summary": {}})

    return answer


def test_with_a_key_the_records_come_in_batches_and_are_checked_here(world: World) -> None:
    """The service says "valid" of both; one of them is revoked."""
    with scripted(batches(world)) as site:
        client = Client(site.url, trust=world.trust, key=KEY)
        found = results(client.verify_many([world.code, world.revoked, UNKNOWN] * CHUNK, workers=2))
    once = [(world.code, "valid"), (world.revoked, "not_valid"), (UNKNOWN, "no_certificate")]
    assert found == once * CHUNK
    asked = [each for each in site.asked if each.path == BATCHES]
    assert [len(each.document["items"]) for each in asked] == [CHUNK] * 3
    assert all(each.document["include"] == ["record"] for each in asked)
    assert all(each.headers["Authorization"] == f"Bearer {KEY}" for each in asked)


@pytest.mark.parametrize("by", ["isrc", "sha256", "essence_sha256"])
def test_a_platform_asks_the_real_service_by_what_it_knows_a_recording_by(world: World, by: By) -> None:
    facts = world.studio.facts(world.track)
    values = {"isrc": "ISRC QZ-ABC 26 00001", "sha256": world.digest, "essence_sha256": facts.essence_sha256}
    unknown = {"isrc": "QZABC2699999"}.get(by, "0" * 64)
    items: list[Item] = [values[by], unknown, {"ref": "bad", by: "?"}, {"ref": "gone", "code": world.revoked}]
    best = "valid_with_warnings" if by == "isrc" else "valid"  # the recording, and not the very file
    alone = Client(world.url, trust=world.trust)
    with_key = Client(world.url, trust=world.trust, key=world.key)
    for client in (with_key, alone):
        found = results(client.verify_many(items, by=by))
        assert [result for _, result in found] == [best, "no_certificate", "problem", "not_valid"]


def test_a_batch_by_isrc_has_to_bring_certificates_for_these_recordings(world: World) -> None:
    def another(world: World, item: dict[str, Any]) -> dict[str, Any]:
        return row_of(world, {**item, "isrc": "QZABC2600001"})

    for row, verdict in ((row_of, "no_certificate"), (another, "not_valid")):
        with scripted(batches(world, row)) as site:
            client = Client(site.url, trust=world.trust, key=KEY)
            found = [each.result for each in client.verify_many(["qzabc2600001", "QZABC2600009"], by="isrc")]
        assert found[1] == verdict


ROWS: dict[str, tuple[Callable[[World, dict[str, Any]], Any], str]] = {
    "another certificate": (lambda world, item: {**row_of(world, {**item, "code": world.revoked})}, "problem"),
    "another row": (lambda world, item: {**row_of(world, item), "ref": "9"}, "problem"),
    "no row": (lambda world, item: None, "problem"),
    "a word without a record": (
        lambda world, item: {"ref": item["ref"], "result": "valid", "code": world.code},
        "valid",
    ),
    "a record of another kind": (lambda world, item: {**row_of(world, item), "record": [1]}, "valid"),
    "a record that is none": (
        lambda world, item: {**row_of(world, item), "record": {"credential": "hello"}},
        "problem",
    ),
    "a problem": (
        lambda world, item: {"ref": item["ref"], "result": "problem", "problem": {"status": 400, "detail": "no"}},
        "problem",
    ),
    "a problem that is none": (lambda world, item: {"ref": item["ref"], "result": "problem"}, "problem"),
}


@pytest.mark.parametrize(("row", "result"), ROWS.values(), ids=ROWS.keys())
def test_a_batch_that_lies_or_breaks_is_caught_row_by_row(
    world: World, row: Callable[[World, dict[str, Any]], Any], result: str
) -> None:
    with scripted(batches(world, row)) as site:
        (found,) = Client(site.url, trust=world.trust, key=KEY).verify_many([world.code])
    assert found.result == result
    assert (found.problem is not None) == (result == "problem")


def test_a_key_that_is_refused_ends_it(world: World) -> None:
    refusal = as_json({"detail": "This key is revoked."}, 401)
    with scripted(lambda _: refusal) as site, pytest.raises(NotAllowed, match="revoked"):
        list(Client(site.url, trust=world.trust, key=KEY).verify_many([UNKNOWN] * 1000, workers=2))
    assert len(site.asked) <= 4


def test_wrong_usage_is_told_at_once(world: World) -> None:
    client = Client(world.url)
    for arguments in ({"by": "title"}, {"workers": 0}):
        with pytest.raises(ValueError, match="by is one of"):
            list(client.verify_many([], **arguments))  # type: ignore[arg-type]
