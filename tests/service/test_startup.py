"""What is wrong at the start forbids to write, never to read, and is said: by the problem, by /readyz, by the exit code."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import update

from certifier.certificate.verify import check_certificate
from certifier.crypto.signing import SigningKey
from certifier.errors import OperatorError, ReadOnlyError, StorageError
from certifier.log.note import open_checkpoint
from certifier.service.backup import begin_restore, end_restore, make_backup, restore_logs
from certifier.service.certifier import Accepted, Certifier, Issued
from certifier.service.fsck import check_installation, repair_files
from certifier.service.home import open_certifier, register_key
from certifier.storage.files import save_signing_key
from certifier.storage.rows import PlacedEntry
from certifier.storage.tables import checkpoints, entries, logs
from certifier.web.app import create_app
from tests.studio import NOW, Studio

LATER = NOW + timedelta(days=1)
DID = "did:web:label.example"


def issue(certifier: Certifier, studio: Studio, *numbers: int) -> list[Issued]:
    answers = [certifier.certify(studio.examined(number), NOW) for number in numbers]
    assert all(isinstance(answer, Issued) for answer in answers)
    return answers  # type: ignore[return-value]


def log_folder(studio: Studio) -> Path:
    return studio.settings.log_dir / "label.example-2026"


def replace_log_key(certifier: Certifier, studio: Studio) -> None:
    (studio.settings.private_dir / "log.pem").unlink()
    save_signing_key(studio.settings.private_dir / "log.pem", SigningKey.generate())


def replace_issuer_key(certifier: Certifier, studio: Studio) -> None:
    (studio.settings.private_dir / "issuer.pem").unlink()
    save_signing_key(studio.settings.private_dir / "issuer.pem", SigningKey.generate())


def tear_the_log_key(certifier: Certifier, studio: Studio) -> None:
    (studio.settings.private_dir / "log.pem").write_bytes(b"")


def lose_the_last_entry(certifier: Certifier, studio: Studio) -> None:
    """As a database that was set back: consistent in itself, and behind what was published."""
    size = certifier.logbook.head.size
    earlier = next(row for row in certifier.store.all_checkpoints(certifier.logbook.origin) if row.size == size - 1)
    peaks = certifier.logbook._tree.peaks(size - 1)
    with certifier.store.database.writing() as connection:
        connection.execute(checkpoints.delete().where(checkpoints.c.size == size))
        connection.execute(entries.delete().where(entries.c.idx == size - 1))
        connection.execute(update(logs).values(size=earlier.size, peaks=b"".join(peaks)))


def change_an_entry(certifier: Certifier, studio: Studio) -> None:
    row = certifier.store.entries_between(certifier.logbook.origin, 0, 1)[0]
    with certifier.store.database.writing() as connection:
        bent = row.entry.replace(b"LCAL-1.0.0", b"LCAL-1.0.1")
        connection.execute(update(entries).where(entries.c.idx == 0).values(entry=bent))


def lose_an_entry_in_the_middle(certifier: Certifier, studio: Studio) -> None:
    with certifier.store.database.writing() as connection:
        connection.execute(entries.delete().where(entries.c.idx == 1))


def tear_a_tile(certifier: Certifier, studio: Studio) -> None:
    tile = log_folder(studio) / "tile/0/000.p/3"
    tile.write_bytes(tile.read_bytes()[:-5])


def tear_a_bundle(certifier: Certifier, studio: Studio) -> None:
    tile = log_folder(studio) / "tile/entries/000.p/3"
    tile.write_bytes(tile.read_bytes()[:-1] + b"?")


def lose_the_tiles(certifier: Certifier, studio: Studio) -> None:
    shutil.rmtree(log_folder(studio) / "tile")


def tear_the_anchor(certifier: Certifier, studio: Studio) -> None:
    (log_folder(studio) / "checkpoint").write_bytes(b"")


FAULTS: dict[str, tuple[Callable[[Certifier, Studio], None], str]] = {
    "the log's private key is another one": (replace_log_key, "wrong-key"),
    "the log's private key is torn": (tear_the_log_key, "wrong-key"),
    "the database is behind what was published": (lose_the_last_entry, "behind-anchor"),
    "an entry was changed": (change_an_entry, "entries-changed"),
    "an entry is missing": (lose_an_entry_in_the_middle, "entries-missing"),
    "a tile is torn": (tear_a_tile, "tile-torn"),
    "a bundle is torn": (tear_a_bundle, "tile-torn"),
    "the anchor is torn": (tear_the_anchor, "anchor-torn"),
    "the tiles are gone": (lose_the_tiles, "tile-torn"),
}


@pytest.mark.parametrize(("fault", "kind"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_at_the_start_forbids_to_write_and_not_to_read(
    installed: Certifier, studio: Studio, fault: Callable[[Certifier, Studio], None], kind: str
) -> None:
    first, *_ = issue(installed, studio, 1, 2, 3)
    note = installed.logbook.head.note
    fault(installed, studio)
    installed.close()
    reopened = studio.certifier()
    client = create_app(reopened, lambda: LATER).test_client()
    try:
        assert {problem.kind for problem in reopened.problems} == {kind}
        # nothing is written
        with pytest.raises(ReadOnlyError, match="Nothing is issued"):
            reopened.certify(studio.examined(4), LATER)
        with pytest.raises(ReadOnlyError):
            reopened.change_status(first.certificate.code, "revoke", "evidence", LATER)
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json["problems"][0]["kind"] == kind
        # all that was published is read as before, and verifies
        assert client.get("/log/checkpoint").data == note
        bundle = client.get("/log/tile/entries/000.p/3")
        assert bundle.status_code == 200
        row = reopened.certificate(first.certificate.code)
        assert check_certificate(row.document or b"", reopened.published.material(row, LATER), LATER).verdict == "valid"
        assert client.get(f"/v/{row.code}").status_code == 200
    finally:
        reopened.close()


def test_what_is_served_after_a_changed_entry_is_what_was_published(certifier: Certifier, studio: Studio) -> None:
    """The log's own bundles stand in for the database, so a monitor sees nothing but what it saw before."""
    issue(certifier, studio, 1, 2, 3)
    before = certifier.logbook.resource("tile/entries/000.p/3"), certifier.logbook.resource("tile/0/000.p/3")
    change_an_entry(certifier, studio)
    certifier.close()
    reopened = studio.certifier()
    assert (
        reopened.logbook.resource("tile/entries/000.p/3"),
        reopened.logbook.resource("tile/0/000.p/3"),
    ) == before
    reopened.close()


def test_a_clock_that_stands_back_forbids_to_write(installed: Certifier, studio: Studio) -> None:
    issue(installed, studio, 1)
    installed.close()
    early = open_certifier(studio.settings, NOW - timedelta(days=1))
    assert [problem.kind for problem in early.problems] == ["clock-back"]
    early.close()
    on_time = open_certifier(studio.settings, NOW + timedelta(seconds=1))
    assert on_time.problems == ()
    with pytest.raises(ReadOnlyError) as error:  # it may also be set back while the service runs
        on_time.certify(studio.examined(2), NOW - timedelta(hours=1))
    assert "clock-back" in (error.value.found or "")
    on_time.close()


def test_a_full_disk_stops_issuing_and_not_revoking(certifier: Certifier, studio: Studio) -> None:
    row = issue(certifier, studio, 1)[0].certificate
    certifier.close()
    full = studio.certifier(min_free_bytes=2**60)
    with pytest.raises(ReadOnlyError) as error:
        full.certify(studio.examined(2), NOW)
    assert "disk-full" in (error.value.found or "")
    full.change_status(row.code, "revoke", "evidence", NOW)
    assert full.published.lifecycle(row.code) == "revoked"
    full.close()


def test_a_register_that_lost_the_issuers_key_is_told(certifier: Certifier, studio: Studio) -> None:
    certifier.close()
    for file in (studio.settings.register_dir / "issuer").glob("key-*.toml"):
        file.unlink()
    with pytest.raises(OperatorError, match="no issuer key"):
        studio.certifier()


def test_two_checkpoints_of_one_size_are_never_signed(certifier: Certifier, studio: Studio) -> None:
    """Every note that was ever signed for a size is the same, also after restarts."""
    issue(certifier, studio, 1, 2)
    notes = {row.size: row.note for row in certifier.store.all_checkpoints(certifier.logbook.origin)}
    certifier.close()
    reopened = studio.certifier()
    issue(reopened, studio, 3)
    for row in reopened.store.all_checkpoints(reopened.logbook.origin):
        assert notes.get(row.size, row.note) == row.note
        assert open_checkpoint(row.note, [reopened.logbook.verifier_key]).size == row.size
    reopened.close()


def test_a_wrong_issuer_key_signs_nothing_and_the_rest_is_read(certifier: Certifier, studio: Studio) -> None:
    """Status lists are signed by it too: without them nobody can tell, and that is said."""
    row = issue(certifier, studio, 1)[0].certificate
    replace_issuer_key(certifier, studio)
    certifier.close()
    reopened = studio.certifier()
    assert [problem.kind for problem in reopened.problems] == ["wrong-key"]
    client = create_app(reopened, lambda: LATER).test_client()
    assert client.get(f"/v/{row.code}.vc").data == row.document
    assert client.get("/log/checkpoint").status_code == 200
    assert client.get("/status/revocation/1").status_code == 503
    with pytest.raises(ReadOnlyError):
        reopened.certify(studio.examined(2), LATER)
    reopened.close()


def test_a_healthy_installation_at_work_raises_no_alarm(installed: Certifier, studio: Studio) -> None:
    """Opened again and again, and checked as a whole, while certificates are issued beside it."""
    ended = Event()

    answers = []

    def work() -> None:
        try:
            answers.extend(type(installed.certify(studio.examined(number), NOW)) for number in range(60))
        finally:
            ended.set()

    worker = Thread(target=work)
    worker.start()
    found, opened = [], 0
    while not ended.is_set():
        beside = studio.certifier()
        found += [*beside.problems, *check_installation(beside.store, list(beside.logbooks), beside.keyring, DID)]
        opened += 1
        beside.close()
    worker.join()
    assert found == []
    assert opened > 1
    assert answers == [Issued] * 60


def test_a_backup_of_an_installation_at_work_can_be_restored(certifier: Certifier, studio: Studio) -> None:
    ended = Event()

    def work() -> None:
        try:
            for number in range(60):
                certifier.certify(studio.examined(number), NOW)
        finally:
            ended.set()

    worker = Thread(target=work)
    worker.start()
    made = 0
    while not ended.is_set():
        made += 1
        copy = replace(studio.settings, home=studio.folder / f"restored-{made}")
        make_backup(studio.settings, studio.folder / f"backup-{made}", with_keys=True)
        begin_restore(studio.folder / f"backup-{made}", copy)
        restore_logs(copy, [])
        end_restore(copy)
        restored = open_certifier(copy)
        assert restored.problems == ()
        restored.close()
    worker.join()
    assert made > 1


def test_a_dated_back_entry_does_not_hide_a_clock_that_stands_back(certifier: Certifier, studio: Studio) -> None:
    row = issue(certifier, studio, 1)[0].certificate
    with pytest.raises(ReadOnlyError) as error:
        certifier.change_status(row.code, "suspend", "evidence", NOW - timedelta(days=30))
    assert "clock-back" in (error.value.found or "")
    certifier.change_status(row.code, "suspend", "evidence", NOW - timedelta(minutes=4))
    assert certifier.logbook.last_time == NOW


def test_a_payload_that_was_changed_before_it_was_signed_is_not_signed(certifier: Certifier, studio: Studio) -> None:
    """The log committed to other bytes; the writer stops, and the next start says what is wrong."""
    real = certifier.store.issue_entries

    def edited(codes: list[str]) -> list[PlacedEntry]:
        return [
            replace(placed, entry=placed.entry.replace(b'"payload":"sha256:', b'"payload":"sha256:0'))
            for placed in real(codes)
        ]

    certifier.store.issue_entries = edited  # type: ignore[method-assign,assignment]
    told = certifier.certify(studio.examined(1), NOW)
    assert isinstance(told, Accepted)
    assert certifier.pipeline.stopped is not None
    row = certifier.store.certificate_for_submission(told.submission_id)
    assert row is not None
    assert row.document is None


def test_an_entry_that_reads_back_otherwise_than_it_was_hashed_is_never_signed_over(
    certifier: Certifier, studio: Studio
) -> None:
    """The root has to be reached by two paths, else a flipped bit would be signed for ever."""
    issue(certifier, studio, 1)
    head, real = certifier.logbook.head, certifier.store.entries_between

    def bent(origin: str, start: int, end: int) -> list[PlacedEntry]:
        return [replace(placed, entry=placed.entry.replace(b"LCAL", b"LCAM")) for placed in real(origin, start, end)]

    certifier.store.entries_between = bent  # type: ignore[method-assign]
    assert isinstance(certifier.certify(studio.examined(2), NOW), Accepted)
    assert certifier.logbook.head == head
    assert [row.size for row in certifier.store.all_checkpoints(certifier.logbook.origin)][-1] == head.size


def test_an_anchor_never_goes_back(certifier: Certifier, studio: Studio) -> None:
    """Two processes show their checkpoints in the wrong order."""
    issue(certifier, studio, 1)
    late = certifier.logbook.head
    other = studio.certifier()
    issue(other, studio, 2)
    certifier.logbook._show(late.size, late.note)
    assert certifier.logbook.folder.checkpoint() == other.logbook.head.note
    other.close()


def test_an_issuers_key_that_was_changed_meanwhile_signs_nothing_of_the_old_one(
    certifier: Certifier, studio: Studio
) -> None:
    """A certificate names its key in the log before it is signed; it is signed by that one, or not at all."""
    certifier.store.deliver = lambda rows: (_ for _ in ()).throw(StorageError("for the test"))  # type: ignore[method-assign]
    told = certifier.certify(studio.examined(1), NOW)
    assert isinstance(told, Accepted)
    certifier.close()
    (studio.settings.private_dir / "issuer.pem").rename(studio.settings.private_dir / "issuer-2026.pem")
    key = SigningKey.generate()
    save_signing_key(studio.settings.private_dir / "issuer.pem", key)
    register_key(studio.settings, "key-next", "issuer", "Low-Carbon Audio Label", key.public, NOW)
    rotated = studio.certifier()
    assert rotated.problems == ()
    old = rotated.store.certificate_for_submission(told.submission_id)
    new = issue(rotated, studio, 2)[0].certificate
    assert old is not None
    for row in (old, new):
        assert check_certificate(row.document or b"", rotated.published.material(row, NOW), NOW).verdict == "valid"
    assert old.verification_method != new.verification_method
    rotated.close()


def test_a_key_that_is_registered_in_advance_signs_nothing_yet(certifier: Certifier, studio: Studio) -> None:
    """The old one goes on until the new one's first day; status lists are signed by one that may sign them."""
    certifier.close()
    key = SigningKey.generate()
    save_signing_key(studio.settings.private_dir / "issuer-next.pem", key)
    begins = NOW + timedelta(days=60)
    register_key(studio.settings, "key-next", "issuer", "Low-Carbon Audio Label", key.public, begins)
    reopened = studio.certifier()
    first = issue(reopened, studio, 1)[0].certificate
    assert check_certificate(first.document or b"", reopened.published.material(first, NOW), NOW).verdict == "valid"
    later = begins + timedelta(days=1)
    second = reopened.certify(studio.examined(2), later)
    assert isinstance(second, Issued)
    assert second.certificate.verification_method.endswith("#key-next")
    for row in (first, second.certificate):
        assert check_certificate(row.document or b"", reopened.published.material(row, later), later).verdict == "valid"
    reopened.close()


def test_a_torn_anchor_is_written_anew_from_what_the_database_published(certifier: Certifier, studio: Studio) -> None:
    issue(certifier, studio, 1)
    note = certifier.logbook.head.note
    tear_the_anchor(certifier, studio)
    certifier.close()
    torn = studio.certifier()
    assert repair_files(list(torn.logbooks))
    torn.close()
    repaired = studio.certifier()
    assert repaired.problems == ()
    assert repaired.logbook.folder.checkpoint() == note
    repaired.close()


def test_a_folder_that_cannot_be_locked_keeps_nobody_from_reading(certifier: Certifier, studio: Studio) -> None:
    issue(certifier, studio, 1)
    other = studio.certifier()
    issue(other, studio, 2)
    other.close()
    (log_folder(studio) / ".lock").unlink()
    (log_folder(studio) / ".lock").mkdir()  # as on a disk that became read-only
    client = create_app(certifier, lambda: LATER).test_client()
    assert client.get("/log/checkpoint").status_code == 200


def test_entries_that_lead_nowhere_are_shown_to_nobody(installed: Certifier, studio: Studio) -> None:
    """Rows were changed and the public files are gone: no tile, no proof of status, and nobody is told "active"."""
    row = issue(installed, studio, 1, 2)[0].certificate
    installed.change_status(row.code, "revoke", "evidence", NOW)
    note = installed.logbook.head.note
    change_an_entry(installed, studio)
    installed.close()
    shutil.rmtree(log_folder(studio))
    reopened = studio.certifier()
    client = create_app(reopened, lambda: LATER).test_client()
    assert [problem.kind for problem in reopened.problems] == ["entries-changed"]
    assert client.get("/log/checkpoint").data == note
    for path in ("/log/tile/0/000.p/3", "/log/tile/entries/000.p/3", "/status/revocation/1"):
        assert client.get(path).status_code == 503, path
    assert client.get(f"/v/{row.code}.vc").data == row.document
    reopened.close()
