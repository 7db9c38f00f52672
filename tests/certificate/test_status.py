"""Bitstring Status Lists: set bits are found, every other list tells nothing and says why."""

from __future__ import annotations

import base64
import gzip
import json
import random
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certifier.certificate.proof import sign_document
from certifier.certificate.status import (
    LIST_LENGTH,
    MOST_BYTES,
    PURPOSES,
    RENDITIONS,
    UNUSABLE,
    VALID_FOR,
    StatusEntry,
    entry_at,
    lists_by_url,
    open_status_list,
    parse_status_list,
    status_entries_of,
    status_file_name,
    status_list_payload,
    status_url,
    unpacked_bits,
)
from certifier.certificate.trust import LastGood, Trust, TrustedKey
from certifier.crypto.canonical import canonical_bytes
from certifier.crypto.signing import SigningKey
from certifier.errors import MalformedCertificate, UnusableStatusList

NOW = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)
BASE, DID, OTHER = "https://label.example", "did:web:label.example", "did:web:other.example"
URL = status_url(BASE, "revocation")
KEY, FORGER = (SigningKey.from_seed(bytes([number]) * 32) for number in (1, 2))
DAYS = (NOW - timedelta(days=30), NOW + timedelta(days=30))
METHODS = {name: f"{DID}#{name}" for name in ("issuer", "status", "tool", "old", "stolen")}
TRUST = Trust(
    "demo",
    (
        *(TrustedKey(METHODS[role], DID, role, KEY.public, *DAYS) for role in ("issuer", "status", "tool")),
        TrustedKey(METHODS["old"], DID, "issuer", KEY.public, DAYS[0], NOW - timedelta(days=1)),
        TrustedKey(METHODS["stolen"], DID, "issuer", KEY.public, *DAYS, LastGood("label.example/2026", 7)),
        TrustedKey(f"{OTHER}#issuer", OTHER, "issuer", KEY.public, *DAYS),
    ),
    (),
    (),
)

Change = Callable[[dict[str, Any]], object]


def listed(positions: set[int], purpose: str = "revocation", url: str | None = None) -> dict[str, Any]:
    url = url or status_url(BASE, purpose)
    return status_list_payload(url, purpose, positions, issuer=DID, log="label.example/2026 at size 7", now=NOW)


def signed(unsigned: dict[str, Any], method: str = METHODS["issuer"], key: SigningKey = KEY) -> bytes:
    return canonical_bytes(sign_document(unsigned, key, method, "2026-11-22T20:00:00Z"))


def entry(index: int, purpose: str = "revocation", number: int = 1) -> StatusEntry:
    return StatusEntry(status_url(BASE, purpose, number), purpose, index)


def packed(bits: bytes) -> str:
    return multibase(gzip.compress(bits, mtime=0))


def multibase(raw: bytes) -> str:
    return "u" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize("rendition", RENDITIONS)
def test_every_form_of_a_list_says_the_same(rendition: str) -> None:
    raw = RENDITIONS[rendition](listed({1}), KEY, METHODS["issuer"], "2026-11-22T20:00:00Z")
    assert open_status_list(raw, TRUST) == open_status_list(signed(listed({1})), TRUST)
    assert lists_by_url({"any": raw}) == {URL: raw}


@pytest.mark.parametrize("rendition", RENDITIONS)
def test_no_form_of_a_list_can_be_forged(rendition: str) -> None:
    raw = RENDITIONS[rendition](listed({1}), FORGER, METHODS["issuer"], "2026-11-22T20:00:00Z")
    with pytest.raises(UnusableStatusList) as told:
        open_status_list(raw, TRUST)
    assert told.value.reason == "bad_signature"


@settings(max_examples=30)
@given(st.sets(st.integers(0, LIST_LENGTH - 1), max_size=40), st.integers(0, LIST_LENGTH - 1))
def test_exactly_the_listed_positions_are_set(positions: set[int], asked: int) -> None:
    opened = open_status_list(signed(listed(positions)), TRUST)
    assert opened.positions == positions
    for position in {*positions, asked}:
        assert opened.state_of(entry(position), DID, NOW) == (position in positions)


def test_the_first_bit_is_the_leftmost() -> None:
    assert unpacked_bits(listed({0})["credentialSubject"]["encodedList"])[0] == 128
    assert unpacked_bits(listed({7})["credentialSubject"]["encodedList"])[0] == 1
    assert unpacked_bits(listed({LIST_LENGTH - 1})["credentialSubject"]["encodedList"])[-1] == 1


def test_a_key_for_status_lists_alone_may_sign_them() -> None:
    assert open_status_list(signed(listed({1}), METHODS["status"]), TRUST).signed_by == METHODS["status"]


def test_a_list_says_for_how_long_it_counts_in_each_way_that_the_standard_knows() -> None:
    unsigned = listed(set())
    assert (unsigned["validFrom"], unsigned["validUntil"]) == ("2026-11-22T20:00:00Z", "2026-11-22T21:00:00Z")
    assert unsigned["credentialSubject"]["ttl"] == 60 * 60 * 1000 == VALID_FOR.total_seconds() * 1000


# -- lists that say nothing -------------------------------------------------------------------------------------------


def subject(**members: Any) -> Change:
    return lambda unsigned: unsigned["credentialSubject"].update(members)


def member(**members: Any) -> Change:
    return lambda unsigned: unsigned.update(members)


def bits(encoded: Any) -> Change:
    return subject(encodedList=encoded)


FULL = bytes(LIST_LENGTH // 8)
GZIP = gzip.compress(FULL, mtime=0)
BENT: dict[str, tuple[Change, str]] = {
    "a credential of another type": (member(type=["VerifiableCredential"]), "wrong_type"),
    "a type that is no list": (member(type="BitstringStatusListCredential"), "wrong_type"),
    "a subject of another type": (subject(type="StatusList2021"), "wrong_type"),
    "no subject": (member(credentialSubject=None), "wrong_type"),
    "a purpose that is no text": (subject(statusPurpose=["revocation"]), "wrong_type"),
    "no id": (lambda unsigned: unsigned.pop("id"), "wrong_type"),
    "no first day": (lambda unsigned: unsigned.pop("validFrom"), "wrong_type"),
    "a last day in another form": (member(validUntil="tomorrow"), "wrong_type"),
    "another issuer than its key": (member(issuer=OTHER), "untrusted_key"),
    "no bits": (lambda unsigned: unsigned["credentialSubject"].pop("encodedList"), "not_multibase"),
    "bits that are no text": (bits(7), "not_multibase"),
    "no multibase letter": (bits(packed(FULL)[1:]), "not_multibase"),
    "another multibase": (bits("z" + packed(FULL)[1:]), "not_multibase"),
    "base64 with padding": (bits(packed(FULL) + "="), "not_multibase"),
    "letters of the other base64": (bits("u++//"), "not_multibase"),
    "a letter too many": (bits("uAAAAA"), "not_multibase"),
    "a line end": (bits(packed(FULL) + "\n"), "not_multibase"),
    "not packed": (bits(multibase(FULL)), "not_gzip"),
    "packed in another way": (bits(multibase(zlib.compress(FULL))), "not_gzip"),
    "cut off": (bits(multibase(GZIP[:-9])), "not_gzip"),
    "with a wrong sum of its bits": (bits(multibase(GZIP[:-8] + bytes(4) + GZIP[-4:])), "not_gzip"),
    "with bytes behind it": (bits(multibase(GZIP + b"more")), "trailing_bytes"),
    "with a second stream behind it": (bits(multibase(GZIP + GZIP)), "trailing_bytes"),
    "a byte too short": (bits(packed(FULL[:-1])), "too_short"),
    "empty": (bits(packed(b"")), "too_short"),
    "a byte too long": (bits(packed(FULL + b"\0")), "other_length"),
    "twice as long": (bits(packed(FULL * 2)), "other_length"),
    "a hundred megabytes of nothing": (bits(packed(bytes(100_000_000))), "zip_bomb"),
    "as much as is ever unpacked": (bits(packed(bytes(MOST_BYTES + 1))), "zip_bomb"),
}


@pytest.mark.parametrize(("change", "reason"), BENT.values(), ids=BENT.keys())
def test_a_list_that_was_signed_and_cannot_be_read_says_why(change: Change, reason: str) -> None:
    unsigned = listed({1})
    change(unsigned)
    with pytest.raises(UnusableStatusList) as told:
        open_status_list(signed(unsigned), TRUST)
    assert (told.value.reason, told.value.message) == (reason, UNUSABLE[reason])
    assert told.value.expected


def twice(raw: bytes) -> bytes:
    document = json.loads(raw)
    return canonical_bytes({**document, "proof": [document["proof"]] * 2})


def in_another_way(raw: bytes) -> bytes:
    return raw.replace(b"eddsa-jcs-2022", b"eddsa-old-2022")


FOREIGN = {
    "no JSON": (b"<html>", "no_list"),
    "two proofs": (twice(signed(listed({1}))), "no_list"),
    "a token of four parts": (b"a.b.c.d", "no_list"),
    "a token without a signature": (b"eyJhbGciOiJub25lIn0.e30.", "no_list"),
    "no proof": (canonical_bytes(listed({1})), "no_list"),
    "a proof of another kind": (in_another_way(signed(listed({1}))), "no_list"),
    "one member twice": (b'{"id":1,' + signed(listed({1}))[1:], "no_list"),
    "a key that nobody knows": (signed(listed({1}), f"{DID}#nobody"), "untrusted_key"),
    "a key of another duty": (signed(listed({1}), METHODS["tool"]), "untrusted_key"),
    "a key of another issuer": (signed(listed({1}), f"{OTHER}#issuer"), "untrusted_key"),
    "a key out of its days": (signed(listed({1}), METHODS["old"]), "key_out_of_days"),
    "a key that was stolen": (signed(listed({1}), METHODS["stolen"]), "stolen_key"),
    "a signature by somebody else": (signed(listed({1}), key=FORGER), "bad_signature"),
    "a bit changed afterwards": (
        signed(listed({1})).replace(listed({1})["credentialSubject"]["encodedList"].encode(), packed(FULL).encode()),
        "bad_signature",
    ),
    "a later day": (signed(listed({1})).replace(b"2026-11-22T21:00:00Z", b"2026-11-29T21:00:00Z"), "bad_signature"),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "reason"), FOREIGN.values(), ids=FOREIGN.keys())
def test_a_list_that_nobody_may_believe_says_why(raw: bytes, reason: str) -> None:
    with pytest.raises(UnusableStatusList) as told:
        open_status_list(raw, TRUST)
    assert told.value.reason == reason, told.value.found


LATE, EARLY = NOW + VALID_FOR + timedelta(seconds=1), NOW - timedelta(seconds=301)
ASKED = {
    "another number": (entry(1, number=2), DID, NOW, "other_list"),
    "another place on the web": (replace(entry(1), url="https://other.example/status/revocation/1"), DID, NOW, "other_list"),
    "another purpose": (replace(entry(1), purpose="suspension"), DID, NOW, "other_purpose"),
    "another issuer": (entry(1), OTHER, NOW, "other_issuer"),
    "after its hour, not set": (entry(2), DID, LATE, "expired"),
    "before its minute": (entry(2), DID, EARLY, "not_yet_valid"),
    "before its minute, set": (entry(1), DID, EARLY, "not_yet_valid"),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "issuer", "now", "reason"), ASKED.values(), ids=ASKED.keys())
def test_a_good_list_says_nothing_of_what_is_not_in_it(
    asked: StatusEntry, issuer: str, now: datetime, reason: str
) -> None:
    opened = open_status_list(signed(listed({1})), TRUST)
    with pytest.raises(UnusableStatusList) as told:
        opened.state_of(asked, issuer, now)
    assert told.value.reason == reason


EDGES = {
    "its first second": NOW,
    "its last second": NOW + VALID_FOR,
    "a clock that is slow": NOW - timedelta(seconds=300),
}


@pytest.mark.parametrize("now", EDGES.values(), ids=EDGES.keys())
def test_a_list_counts_from_its_minute_for_an_hour(now: datetime) -> None:
    opened = open_status_list(signed(listed({1})), TRUST)
    assert (opened.state_of(entry(1), DID, now), opened.state_of(entry(2), DID, now)) == (True, False)


def test_what_was_revoked_once_is_revoked_for_ever_and_a_suspension_may_have_ended() -> None:
    years = NOW + timedelta(days=3000)
    assert open_status_list(signed(listed({1})), TRUST).state_of(entry(1), DID, years) is True
    suspended = open_status_list(signed(listed({1}, "suspension")), TRUST)
    assert suspended.state_of(entry(1, "suspension"), DID, NOW) is True
    with pytest.raises(UnusableStatusList, match="out of date"):
        suspended.state_of(entry(1, "suspension"), DID, years)


def test_every_reason_has_a_case_here() -> None:
    shown = {reason for _, reason in BENT.values()} | {case[-1] for case in (*FOREIGN.values(), *ASKED.values())}
    assert shown == set(UNUSABLE)


# -- entries, addresses, names ----------------------------------------------------------------------------------------


@given(st.integers(0, 16_384 * LIST_LENGTH - 1), st.sampled_from(PURPOSES))
def test_a_place_counted_through_all_lists_is_one_list_and_one_position(place: int, purpose: str) -> None:
    found = entry_at(BASE, purpose, place)
    assert (found.place, found.index < LIST_LENGTH, found.number >= 1) == (place, True, True)
    other = replace(entry(0, "revocation"), purpose={"revocation": "suspension", "suspension": "revocation"}[purpose])
    assert status_entries_of({"credentialStatus": [found.to_document(), other.to_document()]})[0] == found


def with_entry(**members: Any) -> dict[str, Any]:
    return {"credentialStatus": [{**entry(3).to_document(), **members}, entry(3, "suspension").to_document()]}


ENTRIES = {
    "an index that is a number": {"statusListIndex": 3},
    "an index with a sign": {"statusListIndex": "+3"},
    "an index with a zero before it": {"statusListIndex": "03"},
    "an index in other digits": {"statusListIndex": "٣"},
    "an index beyond the list": {"statusListIndex": str(LIST_LENGTH)},
    "an endless index": {"statusListIndex": "1" * 5000},
    "another type": {"type": "StatusList2021Entry"},
    "a purpose that is no text": {"statusPurpose": ["revocation"]},
    "list 0": {"statusListCredential": f"{BASE}/status/revocation/0"},
    "list 01": {"statusListCredential": f"{BASE}/status/revocation/01"},
    "a number of seven digits": {"statusListCredential": f"{BASE}/status/revocation/1000000"},
    "no address": {"statusListCredential": "file:///status/revocation/1"},
    "the same purpose twice": {"statusPurpose": "suspension"},
}


@pytest.mark.parametrize("members", ENTRIES.values(), ids=ENTRIES.keys())
def test_an_entry_that_names_no_place_is_refused(members: dict[str, Any]) -> None:
    assert status_entries_of(with_entry()) == (entry(3), entry(3, "suspension"))
    with pytest.raises(MalformedCertificate):
        status_entries_of(with_entry(**members))


def test_both_purposes_have_to_be_named() -> None:
    with pytest.raises(MalformedCertificate, match="two status lists"):
        status_entries_of({"credentialStatus": [entry(3).to_document()]})


NAMES = {
    "https://label.example/status/revocation/1": "status-revocation.json",
    "https://label.example/status/suspension/1": "status-suspension.json",
    "https://label.example/status/revocation/2": "status-revocation-2.json",
    "https://label.example/status/suspension/999999": "status-suspension-999999.json",
}


@pytest.mark.parametrize(("url", "name"), NAMES.items())
def test_the_copy_beside_a_certificate_has_a_plain_name(url: str, name: str) -> None:
    assert status_file_name(url) == name


def test_a_copy_is_known_by_what_it_says_of_itself_and_the_later_one_counts() -> None:
    older, other = signed(listed({1})), signed(listed({1}, url=status_url(BASE, "revocation", 2)))
    newer = signed({**listed({1, 2}), "validFrom": "2026-11-22T20:01:00Z"})
    files = {"status-revocation-1.json": newer, "status-revocation.json": older, "status-x.json": other, "y": b"<html>"}
    expected = {URL: newer, status_url(BASE, "revocation", 2): other}
    assert lists_by_url(files) == expected
    assert lists_by_url(dict(reversed(files.items()))) == expected
    assert lists_by_url({"a": json.dumps({"id": 7, "validFrom": "x"}).encode(), "b": b'{"id":"x"}'}) == {}


def test_half_a_list_of_random_bits_is_still_read() -> None:
    chosen = set(random.Random(7).sample(range(LIST_LENGTH), LIST_LENGTH // 2))
    assert parse_status_list(listed(chosen)).positions == chosen
