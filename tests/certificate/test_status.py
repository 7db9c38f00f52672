"""Bitstring Status Lists: set bits are found, every other list tells nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certifier.certificate.status import (
    LIST_LENGTH,
    StatusEntry,
    is_set,
    status_entries_of,
    status_file_name,
    status_list_payload,
    status_url,
)
from certifier.errors import MalformedCertificate

NOW = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)
URL = status_url("https://label.example", "revocation")
SKEW = timedelta(minutes=5)


def listed(positions: set[int], purpose: str = "revocation") -> dict[str, object]:
    return status_list_payload(
        URL, purpose, positions, issuer="did:web:label.example", log="label.example/2026 at size 7", now=NOW
    )


@settings(max_examples=30)
@given(st.sets(st.integers(0, LIST_LENGTH - 1), max_size=40), st.integers(0, LIST_LENGTH - 1))
def test_exactly_the_listed_positions_are_set(positions: set[int], asked: int) -> None:
    document = listed(positions)
    for position in {*positions, asked}:
        assert is_set(document, StatusEntry(URL, "revocation", position), NOW, SKEW) == (position in positions)


def test_the_first_bit_is_the_leftmost() -> None:
    assert is_set(listed({0}), StatusEntry(URL, "revocation", 0), NOW, SKEW)
    assert not is_set(listed({7}), StatusEntry(URL, "revocation", 0), NOW, SKEW)


UNUSABLE = {
    "a list of yesterday": (listed({1}), NOW + timedelta(days=2)),
    "a list of tomorrow": (listed({1}), NOW - timedelta(days=1)),
    "a list of another purpose": (listed({1}, "suspension"), NOW),
    "a list at another address": ({**listed({1}), "id": "https://label.example/status/revocation/2"}, NOW),
    "a list without a subject": ({**listed({1}), "credentialSubject": None}, NOW),
    "a list that is not packed": (
        {**listed({1}), "credentialSubject": {**listed({1})["credentialSubject"], "encodedList": "uAAAA"}},  # type: ignore[dict-item]
        NOW,
    ),
    "a list that is too short": (
        {
            **listed({1}),
            "credentialSubject": {**listed({1})["credentialSubject"], "encodedList": "uH4sIAAAAAAAC_wMAAAAAAAAAAAA"},
        },  # type: ignore[dict-item]
        NOW,
    ),
}


@pytest.mark.parametrize(("document", "now"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_unusable_list_tells_nothing(document: dict[str, object], now: datetime) -> None:
    with pytest.raises(MalformedCertificate):
        is_set(document, StatusEntry(URL, "revocation", 1), now, SKEW)


def test_both_purposes_have_to_be_named() -> None:
    entry = StatusEntry(URL, "revocation", 3).to_document()
    with pytest.raises(MalformedCertificate, match="two status lists"):
        status_entries_of({"credentialStatus": [entry]})


def test_the_copy_beside_a_certificate_has_a_plain_name() -> None:
    assert status_file_name(URL) == "status-revocation-1.json"
