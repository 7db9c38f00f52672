"""The store, on SQLite and on PostgreSQL: reservations are all or nothing, places in the log are never given twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from threading import Thread

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import select

from certifier.errors import CertifierError, ConflictError, IdempotencyKeyUsed, OperatorError, ReportAlreadyUsed
from certifier.log.entry import log_entry
from certifier.log.merkle import Tree, leaf_hash, root_of_peaks
from certifier.storage import acceptance as transaction_a
from certifier.storage.rows import (
    Acceptance,
    CertificateRow,
    CheckpointRow,
    IdempotencyRow,
    LostEntry,
    NewEntry,
    Refusal,
    StatusChange,
    SubmissionRow,
)
from certifier.storage.store import BATCH, Store, move_head
from certifier.storage.tables import checkpoints, entries, runs

ORIGIN = "label.example/2026"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store.open(database_url)
    opened.open_log(ORIGIN)
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


def acceptance(number: int, shares: dict[str, int] | None = None, **named: str) -> Acceptance:
    submission, certificate = rows(number, **named)
    return Acceptance(submission, {digest("log"): b"log"}, certificate, shares or {}, f"entry {number}".encode())


def accept(store: Store, number: int, shares: dict[str, int] | None = None, **named: str) -> None:
    told(store.accept([acceptance(number, shares, **named)]))


def told(errors: list[CertifierError | None]) -> None:
    for error in errors:
        if error:
            raise error


def renewal(number: int, of: str, shares: dict[str, int]) -> Acceptance:
    job = acceptance(number, shares, audio="audio 1")
    return replace(job, replaced=StatusChange(of, "revoke", b"revoked " + of.encode(), {"issue", "reinstate"}))


def sequenced(store: Store) -> list[tuple[int, bytes]]:
    size = store.sequence(ORIGIN)[0].size
    return [(placed.index, placed.entry) for placed in store.entries_between(ORIGIN, 0, size)]


def test_what_was_accepted_is_found_again(store: Store) -> None:
    accept(store, 1, {"party/run-1": 500_000_000_000})
    assert store.submission("sub_1").title == "Night Ferry (example)"
    assert store.certificate("0000000001") == store.certificate_for_submission("sub_1")
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


def test_several_submissions_share_a_transaction_and_one_conflict_keeps_no_other_out(store: Store) -> None:
    found = store.accept(
        [acceptance(1), acceptance(2, audio="audio 1"), acceptance(3), acceptance(4, report="report 3")]
    )
    assert [type(error) for error in found] == [type(None), ConflictError, type(None), ReportAlreadyUsed]
    assert sequenced(store) == [(0, b"entry 1"), (1, b"entry 3")]


def test_an_idempotency_key_counts_once(store: Store) -> None:
    key = IdempotencyRow(digest("key"), digest("request"), "sub_1", "2026-11-01T12:00:00Z")
    told(store.accept([replace(acceptance(1), idempotency=key)]))
    with pytest.raises(IdempotencyKeyUsed):
        told(store.accept([replace(acceptance(2), idempotency=replace(key, submission_id="sub_2"))]))
    with pytest.raises(IdempotencyKeyUsed):
        told(store.accept([Refusal(rows(3)[0], {}, replace(key, submission_id="sub_3"))]))
    assert store.idempotency_key(digest("key")) == key
    store.forget_idempotency("2026-11-02T12:00:00Z")
    assert store.idempotency_key(digest("key")) is None


def test_the_database_itself_refuses_a_run_that_is_used_up(store: Store) -> None:
    accept(store, 1, {"run": 900_000_000_000})
    with pytest.raises(sqlalchemy.exc.IntegrityError), store.database.writing() as connection:
        connection.execute(sqlalchemy.update(runs).values(used_ppt=1_000_001_000_001))


def test_entries_get_contiguous_places_in_the_order_of_their_arrival(store: Store) -> None:
    accept(store, 1)
    accept(store, 2)
    assert sequenced(store) == [(0, b"entry 1"), (1, b"entry 2")]
    accept(store, 3)
    assert sequenced(store) == [(0, b"entry 1"), (1, b"entry 2"), (2, b"entry 3")]


def test_the_head_moves_together_with_the_entries_and_leads_to_their_root(store: Store) -> None:
    """More than one batch: the peaks that the head keeps are those of the tree over all entries."""
    store.accept([NewEntry("revoke", b"entry %d" % number) for number in range(BATCH + 7)])
    assert store.sequence(ORIGIN)[1] == BATCH
    head, placed = store.sequence(ORIGIN)
    assert placed == 7
    tree = Tree()
    for placed in store.entries_between(ORIGIN, 0, BATCH + 7):
        tree.append(leaf_hash(placed.entry))
    assert head.size == tree.size == BATCH + 7
    assert root_of_peaks([head.peaks[i : i + 32] for i in range(0, len(head.peaks), 32)]) == tree.root()


def test_many_sequencers_at_once_never_give_a_place_twice(store: Store) -> None:
    def work(number: int) -> None:
        told(store.accept([NewEntry("revoke", b"entry %d" % number)]))
        store.sequence(ORIGIN)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(60)))
    placed = sequenced(store)
    assert [index for index, _ in placed] == list(range(60))
    assert {entry for _, entry in placed} == {b"entry %d" % number for number in range(60)}


def test_a_head_moves_only_from_where_it_was_read(store: Store) -> None:
    """Compare and swap: whoever read the head before another moved it is stopped, whatever the lock says."""
    read = store.log(ORIGIN)
    accept(store, 1)
    store.sequence(ORIGIN)
    mine = replace(read, size=read.size + 1, peaks=leaf_hash(b"another entry"))
    with pytest.raises(OperatorError, match="moved under this writer"), store.database.writing() as connection:
        move_head(connection, read, mine)
    assert store.log(ORIGIN).peaks == leaf_hash(b"entry 1")


def test_a_transaction_that_a_deadlock_ended_is_tried_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL ends one of two that wait for each other; nothing of it is stored, so it may simply be sent again."""
    real, times = transaction_a.accept_all, []

    def deadlocked(connection: object, jobs: object) -> object:
        times.append(1)
        if len(times) == 1:
            raise sqlalchemy.exc.OperationalError("INSERT", {}, psycopg.errors.DeadlockDetected())
        return real(connection, jobs)  # type: ignore[arg-type]

    monkeypatch.setattr(transaction_a, "accept_all", deadlocked)
    accept(store, 1)
    assert len(times) == 2
    assert sequenced(store) == [(0, b"entry 1")]


def test_a_head_that_was_moved_by_another_hand_is_not_moved_again(store: Store) -> None:
    """The comparison is the safety, whatever the lock says."""
    accept(store, 1)
    store.sequence(ORIGIN)
    accept(store, 2)
    with store.database.writing() as connection:
        connection.execute(sqlalchemy.update(entries).where(entries.c.idx == 0).values(idx=1))
    with pytest.raises((OperatorError, sqlalchemy.exc.IntegrityError)):
        store.sequence(ORIGIN)
    with store.database.reading() as connection:
        assert connection.execute(select(entries.c.idx).where(entries.c.entry == b"entry 2")).scalar_one() is None


def test_a_closed_log_takes_nothing_behind_its_last_entry(store: Store) -> None:
    store.accept([NewEntry("revoke", b"a"), NewEntry("freeze", b"the end"), NewEntry("revoke", b"b")])
    assert store.sequence(ORIGIN)[0].frozen
    assert sequenced(store) == [(0, b"a"), (1, b"the end")]
    store.open_log("label.example/2027")
    assert store.sequence("label.example/2027")[0].size == 1
    assert [(log.origin, log.number, log.frozen) for log in store.logs()] == [
        (ORIGIN, 1, 1),
        ("label.example/2027", 2, 0),
    ]


def test_there_is_one_note_for_each_size_for_ever(store: Store) -> None:
    row = CheckpointRow(ORIGIN, 1, b"note", None)
    store.save_checkpoint(row)
    store.save_checkpoint(row)
    with pytest.raises(OperatorError, match="differ"):
        store.save_checkpoint(replace(row, note=b"another note"))
    assert store.last_checkpoint(ORIGIN) is None  # not published
    assert store.publish_checkpoint(ORIGIN, 1, b"note and cosignatures") == b"note and cosignatures"
    assert store.publish_checkpoint(ORIGIN, 1, b"note and others") == b"note and cosignatures"
    assert store.last_checkpoint(ORIGIN) == replace(row, published=b"note and cosignatures")
    with store.database.reading() as connection:
        assert connection.execute(select(checkpoints.c.note)).scalars().all() == [b"note"]


def test_what_was_delivered_first_stays(store: Store) -> None:
    accept(store, 1)
    assert store.undelivered() == []  # nothing is signed before its entry has a place
    store.sequence(ORIGIN)
    assert [row.code for row in store.undelivered()] == ["0000000001"]
    store.deliver([("0000000001", b"document", b"proof")])
    store.deliver([("0000000001", b"another document", b"another proof")])
    row = store.certificate("0000000001")
    assert row is not None
    assert (row.document, row.proof) == (b"document", b"proof")
    assert store.undelivered() == []


def test_one_document_is_kept_for_each_form_of_a_certificate_the_newest(store: Store) -> None:
    accept(store, 1)
    accept(store, 2)
    assert store.rendition("0000000001", "jwt") is None
    for code, form, document in [
        ("0000000001", "jwt", b"1"),
        ("0000000001", "compact", b"2"),
        ("0000000002", "jwt", b"3"),
    ]:
        store.keep_rendition(code, form, b"older")
        store.keep_rendition(code, form, document)
    assert store.renditions_of("0000000001") == {"jwt": b"1", "compact": b"2"}
    assert store.rendition("0000000002", "jwt") == b"3"


def test_a_status_changes_only_from_a_state_that_allows_it(store: Store) -> None:
    """Eight at once: one revokes, the others are told; and nothing follows a revocation."""
    accept(store, 1)

    def revoke(number: int) -> bool:
        try:
            entry = log_entry("revoke", f"2026-11-01T12:00:0{number}Z", code="0000000001", reason="figure")
            told(store.accept([StatusChange("0000000001", "revoke", entry, {"issue"})]))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(revoke, range(8))).count(True) == 1
    with pytest.raises(ConflictError, match="revoked, for ever"):
        told(store.accept([StatusChange("0000000001", "reinstate", b"reinstate", {"suspend"})]))


def test_a_statement_holds_no_file(store: Store) -> None:
    """Somebody's self-declared statement cannot keep the owner's certificate away."""
    job = acceptance(1, audio="audio")
    told(store.accept([replace(job, certificate=replace(job.certificate, outcome="disclosed"))]))
    assert not store.has_audio_in_force(digest("audio"))
    accept(store, 2, audio="audio")
    assert store.has_audio_in_force(digest("audio"))


def test_shares_handed_over_are_not_taken_twice_nor_freed(store: Store) -> None:
    accept(store, 1, {"run": 600_000_000_000})
    told(store.accept([renewal(2, "0000000001", {"run": 800_000_000_000})]))
    assert store.share_used("run") == Decimal("0.8")
    told(store.accept([renewal(3, "0000000002", {"other": 1})]))
    assert store.share_used("run") == Decimal("0.8")
    assert store.share_used("run", besides="0000000003") == 0


def test_a_replaced_certificate_leaves_force_together_with_the_new_one(store: Store) -> None:
    accept(store, 1)
    told(store.accept([renewal(2, "0000000001", {})]))
    old, new = store.certificate("0000000001"), store.certificate("0000000002")
    assert old is not None
    assert new is not None
    assert (old.in_force, new.in_force) == (0, 1)
    assert [entry for _, entry in sequenced(store)] == [b"entry 1", b"revoked 0000000001", b"entry 2"]


def test_a_report_counts_as_used_also_when_only_the_log_knows_it(store: Store) -> None:
    """After a restore from bundles: the certificate's row is lost, its report earns no second one."""
    store.restore_entries(ORIGIN, [LostEntry("issue", "0000000009", b"entry 9", digest("report 1"), digest("audio 9"))])
    assert store.logs()[0].size == 1
    with pytest.raises(ReportAlreadyUsed):
        accept(store, 1)
    assert store.code_for_report(digest("report 1")) == "0000000009"
    assert store.has_audio_in_force(digest("audio 9"))
    store.restore_entries(ORIGIN, [LostEntry("revoke", "0000000009", b"revoked")])
    assert not store.has_audio_in_force(digest("audio 9"))


def test_an_opened_database_keeps_what_it_had(database_url: str) -> None:
    first = Store.open(database_url)
    first.open_log(ORIGIN)
    accept(first, 1)
    first.sequence(ORIGIN)
    first.deliver([("0000000001", b"document", b"proof")])
    first.close()
    second = Store.open(database_url)
    assert second.submission("sub_1").state == "certified"
    assert second.certificate("0000000001") == replace(rows(1)[1], document=b"document", proof=b"proof")
    second.close()


def test_a_database_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"this is no database, it is a text" * 50)
    with pytest.raises(OperatorError, match="cannot be opened"):
        Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}")


REFUSED_URLS = {
    "a database of another kind": "mysql://somebody:secret@localhost/name",
    "no URL at all": "label",
    "a server that does not answer": "postgresql://somebody:secret@127.0.0.1:1/name",
}


@pytest.mark.parametrize("url", REFUSED_URLS.values(), ids=REFUSED_URLS.keys())
def test_a_database_that_cannot_be_had_is_told_without_its_password(url: str) -> None:
    with pytest.raises(OperatorError, match="cannot be opened") as error:
        Store.open(url)
    assert "secret" not in f"{error.value.message} {error.value.found} {error.value.hint}"


def test_readers_of_many_threads_share_few_connections(store: Store) -> None:
    """Servers come and go with threads; a connection that each left behind would use them up."""
    for _ in range(5):
        threads = [Thread(target=store.logs) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(store.database._idle) <= 40
    assert store.logs()
