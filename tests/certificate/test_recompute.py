"""The status lists come from the log alone: anybody reaches the same bits, and sees every bit that was set otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from certifier.certificate.code import code_of
from certifier.certificate.recompute import (
    ComputedAt,
    ListDifferences,
    computed_at,
    list_differences,
    status_positions,
)
from certifier.certificate.status import (
    LIST_LENGTH,
    PURPOSES,
    StatusList,
    entry_at,
    parse_status_list,
    status_list_payload,
    status_url,
)
from certifier.crypto.canonical import digest_of
from certifier.errors import MalformedCertificate
from certifier.log.entry import issue_entry, log_entry, status_entry

AT = "2026-11-22T20:00:00Z"
NOW = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)
BASE = "https://label.example"
A, B = (code_of(bytes([number] * 6)) for number in (1, 2))


def payload(code: str, position: int) -> dict[str, Any]:
    """The least that a certificate without its proof has to hold here: its places in the lists, one after the other."""
    status = [entry_at(BASE, purpose, position + offset).to_document() for offset, purpose in enumerate(PURPOSES)]
    return {"id": f"{BASE}/v/{code}", "credentialStatus": status}


PAYLOADS = {A: payload(A, 10), B: payload(B, 20)}


def issue(code: str, document: dict[str, Any] | None = None) -> bytes:
    return issue_entry(
        code=code,
        payload_sha256=digest_of(document or PAYLOADS[code]),
        kid="did:web:label.example#key-2026",
        standard="LCAL-1.0.0",
        report_sha256="ab" * 32,
        audio_sha256="cd" * 32,
        at=AT,
    )


def change(kind: Any, code: str) -> bytes:
    return status_entry(type=kind, code=code, reason="evidence", at=AT)


def listed(positions: set[int], log: str = "label.example/2026 at size 7", **members: Any) -> StatusList:
    url, issuer = status_url(BASE, "revocation"), "did:web:label.example"
    unsigned = status_list_payload(url, "revocation", positions, issuer=issuer, log=log, now=NOW)
    return parse_status_list(unsigned | members)


HISTORIES = {
    "nothing happened": ([issue(A), issue(B)], set(), set()),
    "an empty log": ([], set(), set()),
    "one is revoked": ([issue(A), issue(B), change("revoke", B)], {20}, set()),
    "one is suspended": ([issue(A), change("suspend", A)], set(), {11}),
    "a suspension ends": ([issue(A), change("suspend", A), change("reinstate", A)], set(), set()),
    "a suspension becomes a revocation": ([issue(A), change("suspend", A), change("revoke", A)], {10}, set()),
    "one of each": ([issue(A), issue(B), change("suspend", A), change("revoke", B)], {20}, {11}),
    "other entries say nothing of status": ([issue(A), log_entry("freeze", AT, reason="new_year")], set(), set()),
    "revoked in the log of the next year": (
        [issue(A), log_entry("freeze", AT, reason="new_year"), change("revoke", A)], {10}, set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("entries", "revoked", "suspended"), HISTORIES.values(), ids=HISTORIES.keys())
def test_the_last_change_sets_the_bit(entries: list[bytes], revoked: set[int], suspended: set[int]) -> None:
    computed = status_positions(entries, PAYLOADS.get)
    assert computed.positions == {"revocation": revoked, "suspension": suspended}
    assert (computed.missing, computed.unread) == ({}, ())


def test_a_list_of_an_earlier_size_rests_on_the_entries_before_it() -> None:
    entries = [issue(A), change("suspend", A), change("revoke", A)]
    sizes = [status_positions(entries, PAYLOADS.get, size).positions for size in (1, 2, 3)]
    assert sizes == [
        {"revocation": set(), "suspension": set()},
        {"revocation": set(), "suspension": {11}},
        {"revocation": {10}, "suspension": set()},
    ]


def test_each_position_knows_its_certificate() -> None:
    assert status_positions([issue(A), change("revoke", A)], PAYLOADS.get).codes["revocation"] == {10: A}


UNFIT = {
    "cannot be had": ([issue(A)], None),
    "was never issued here": ([], PAYLOADS[A]),
    "has another place than the one that was logged": ([issue(A)], payload(A, 99)),
    "was issued twice with two payloads": ([issue(A), issue(A, payload(A, 99))], PAYLOADS[A]),
    "fits, and names no lists": ([issue(A, {"id": "x"})], {"id": "x"}),
    "holds what no signed document holds": ([issue(A)], {"id": 1.5}),
}


@pytest.mark.parametrize(("entries", "document"), UNFIT.values(), ids=UNFIT.keys())
def test_a_certificate_that_does_not_fit_its_digest_is_missing_not_guessed(
    entries: list[bytes], document: dict[str, Any] | None
) -> None:
    computed = status_positions([*entries, change("revoke", A)], {A: document}.get)
    assert computed.positions == {"revocation": set(), "suspension": set()}
    assert (dict(computed.missing), computed.missing_in("revocation"), computed.missing_in("suspension")) == (
        {A: "revocation"}, [A], [],
    )  # fmt: skip


def test_only_certificates_that_are_withdrawn_now_are_asked_for() -> None:
    asked: list[str] = []

    def payload_of(code: str) -> dict[str, Any] | None:
        asked.append(code)
        return PAYLOADS.get(code)

    status_positions(
        [issue(A), issue(B), change("suspend", A), change("reinstate", A), change("revoke", B)], payload_of
    )
    assert asked == [B]


def test_an_entry_of_another_version_is_counted_not_passed_over() -> None:
    entries = [issue(A), b'{"v":"lcal-log/2"}', change("revoke", A)]
    assert status_positions(entries, PAYLOADS.get).unread == (1,)


def test_each_list_has_its_own_positions() -> None:
    second = payload(B, LIST_LENGTH + 20)
    entries = [issue(A), issue(B, second), change("revoke", A), change("revoke", B)]
    computed = status_positions(entries, {A: PAYLOADS[A], B: second}.get)
    assert [computed.codes_in("revocation", number) for number in (1, 2, 3)] == [{10: A}, {20: B}, {}]
    assert (computed.last_list("revocation"), computed.last_list("suspension")) == (2, 0)


DIFFERENCES = {
    "the same": ({1, 2}, {1, 2}, ListDifferences(frozenset(), frozenset())),
    "a bit without an entry": ({1, 2}, {1}, ListDifferences(frozenset({2}), frozenset())),
    "a bit that is missing": ({1}, {1, 2}, ListDifferences(frozenset(), frozenset({2}))),
    "one bit moved": ({0}, {LIST_LENGTH - 1}, ListDifferences(frozenset({0}), frozenset({LIST_LENGTH - 1}))),
}


@pytest.mark.parametrize(("served", "positions", "differences"), DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_both_kinds_of_difference_are_told(served: set[int], positions: set[int], differences: ListDifferences) -> None:
    assert list_differences(listed(served), positions) == differences
    assert bool(differences) == (served != positions)


NAMED = {
    "with its log": ("label.example/2026 at size 7", ComputedAt("label.example/2026", 7)),
    "a log with a port": ("127.0.0.1:8000/2026 at size 0", ComputedAt("127.0.0.1:8000/2026", 0)),
}


@pytest.mark.parametrize(("log", "at"), NAMED.values(), ids=NAMED.keys())
def test_a_list_names_the_log_and_its_size(log: str, at: ComputedAt) -> None:
    assert computed_at(listed(set(), log)) == at


def test_an_older_list_names_the_size_alone() -> None:
    assert computed_at(listed(set(), description="Computed from the log at size 12.")) == ComputedAt(None, 12)


@pytest.mark.parametrize(
    "description",
    [None, 7, "", "Computed from the log.", "Computed from the log at size 07.", "Computed from the log at size ७."],
)
def test_a_list_that_names_no_size_cannot_be_compared(description: Any) -> None:
    with pytest.raises(MalformedCertificate):
        computed_at(listed(set(), description=description))
