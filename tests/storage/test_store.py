"""The store: reservations are all or nothing, places in the log are never given twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from certifier.errors import ConflictError, OperatorError, ReportAlreadyUsed
from certifier.storage.store import CertificateRow, Store, SubmissionRow


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'db' / 'store.sqlite'}")
    yield opened
    opened.close()


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def rows(number: int, *, audio: str | None = None, report: str | None = None) -> tuple[SubmissionRow, CertificateRow]:
    submission = SubmissionRow(
        id=f"sub_{number}",
        created_at="2026-11-01T12:00:00Z",
        state="accepted",
        title="Night Ferry (example)",
        artist="Example Artist",
        report_sha256=digest(report or f"report {number}"),
        audio_sha256=digest(audio or f"audio {number}"),
        outcome="measured",
        envelope=b"{}",
        decision=b"{}",
    )
    certificate = CertificateRow(
        code=f"{number:010d}",
        submission_id=submission.id,
        report_sha256=submission.report_sha256,
        audio_sha256=submission.audio_sha256,
        outcome="measured",
        issued_at="2026-11-01T12:00:00Z",
        expires_at="2029-11-01T12:00:00Z",
        payload=b"{}",
        verification_method="did:web:label.example#key-2026",
        revocation_index=number,
        suspension_index=number,
        in_force=1,
    )
    return submission, certificate


def accept(store: Store, number: int, shares: dict[str, int] | None = None, **named: str) -> None:
    submission, certificate = rows(number, **named)
    store.accept(submission, {digest("log"): b"log"}, certificate, shares or {}, f"entry {number}".encode())


def test_what_was_accepted_is_found_again(store: Store) -> None:
    accept(store, 1, {"party/run-1": 500_000_000_000})
    assert store.submission("sub_1").title == "Night Ferry (example)"
    assert store.certificate("0000000001") == store.certificate_for_report(digest("report 1"))
    assert store.share_used("party/run-1") == Decimal("0.5")
    assert store.has_audio_in_force(digest("audio 1"))


CONFLICTS = {
    "the same report": ({"report": "report 1"}, {}, ReportAlreadyUsed),
    "the same audio": ({"audio": "audio 1"}, {}, ConflictError),
    "a share that is gone": ({}, {"party/run-1": 600_000_000_000}, ConflictError),
}


@pytest.mark.parametrize(("named", "shares", "error"), CONFLICTS.values(), ids=CONFLICTS.keys())
def test_a_conflict_stores_nothing(
    store: Store, named: dict[str, str], shares: dict[str, int], error: type[Exception]
) -> None:
    accept(store, 1, {"party/run-1": 500_000_000_000})
    with pytest.raises(error):
        accept(store, 2, shares, **named)
    assert store.certificate("0000000002") is None
    assert sequenced(store) == [(0, b"entry 1")]
    assert store.share_used("party/run-1") == Decimal("0.5")


def test_a_hundred_at_once_for_one_run_never_take_more_than_all_of_it(store: Store) -> None:
    def take(number: int) -> bool:
        try:
            accept(store, number, {"party/run-1": 300_000_000_000})
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(take, range(1, 101)))
    assert taken.count(True) == 3
    assert store.share_used("party/run-1") == Decimal("0.9")


def sequenced(store: Store) -> list[tuple[int, bytes]]:
    store.sequence()
    return [(leaf.index, leaf.entry) for leaf in store.leaves_from(0)]


def test_leaves_get_contiguous_places_in_the_order_of_their_arrival(store: Store) -> None:
    accept(store, 1)
    accept(store, 2)
    assert sequenced(store) == [(0, b"entry 1"), (1, b"entry 2")]
    accept(store, 3)
    assert sequenced(store) == [(0, b"entry 1"), (1, b"entry 2"), (2, b"entry 3")]


def test_there_is_one_note_for_each_size_for_ever(store: Store) -> None:
    store.save_checkpoint(1, b"note")
    store.save_checkpoint(1, b"note")
    with pytest.raises(OperatorError, match="differ"):
        store.save_checkpoint(1, b"another note")
    assert store.last_checkpoint() == (1, b"note")


def test_a_status_changes_only_from_a_state_that_allows_it(store: Store) -> None:
    """Eight at once: one revokes, the others are told; and nothing follows a revocation."""
    accept(store, 1)

    def revoke(number: int) -> bool:
        try:
            store.queue_status("0000000001", "revoke", b"revoke %d" % number, {"issue"})
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(revoke, range(8))).count(True) == 1
    with pytest.raises(ConflictError):
        store.queue_status("0000000001", "reinstate", b"reinstate", {"suspend"})


def test_a_statement_holds_no_file(store: Store) -> None:
    """Somebody's self-declared statement cannot keep the owner's certificate away."""
    submission, certificate = rows(1, audio="audio")
    store.accept(submission, {}, replace(certificate, outcome="disclosed"), {}, b"entry 1")
    assert not store.has_audio_in_force(digest("audio"))
    accept(store, 2, audio="audio")
    assert store.has_audio_in_force(digest("audio"))


def test_shares_handed_over_are_not_taken_twice_nor_freed(store: Store) -> None:
    accept(store, 1, {"run": 600_000_000_000})
    submission, certificate = rows(2, audio="audio 1")
    store.accept(submission, {}, certificate, {"run": 800_000_000_000}, b"entry 2", replaced=("0000000001", b"revoked"))
    assert store.share_used("run") == Decimal("0.8")
    submission, certificate = rows(3, audio="audio 1")
    store.accept(submission, {}, certificate, {"other": 1}, b"entry 3", replaced=("0000000002", b"revoked"))
    assert store.share_used("run") == Decimal("0.8")
    assert store.share_used("run", besides="0000000003") == 0


def test_a_replaced_certificate_leaves_force_together_with_the_new_one(store: Store) -> None:
    accept(store, 1)
    submission, certificate = rows(2, audio="audio 1")
    store.accept(submission, {}, certificate, {}, b"entry 2", replaced=("0000000001", b"revoked"))
    old, new = store.certificate("0000000001"), store.certificate("0000000002")
    assert old is not None
    assert new is not None
    assert (old.in_force, new.in_force) == (0, 1)
    assert [entry for _, entry in sequenced(store)] == [b"entry 1", b"revoked", b"entry 2"]


def test_an_opened_database_keeps_what_it_had(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    first = Store.open(url)
    accept(first, 1)
    first.deliver("0000000001", b"document", b"proof")
    first.close()
    second = Store.open(url)
    assert second.submission("sub_1").state == "certified"
    assert second.certificate("0000000001") == replace(rows(1)[1], document=b"document", proof=b"proof")
    second.close()


def test_a_database_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"this is no database, it is a text" * 50)
    with pytest.raises(OperatorError, match="cannot be opened"):
        Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}")
