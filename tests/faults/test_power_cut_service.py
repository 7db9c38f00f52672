"""A power cut at any moment of a real run: what was acknowledged is there, and no note is ever signed anew.

One run of the installation on SQLite is recorded, with several threads that issue, suspend, reinstate and revoke; many cuts
are then played on it. Two careless installations show that the cuts would find what is missing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from certifier.certificate.times import time_text
from certifier.crypto.signing import SigningKey
from certifier.errors import OperatorError
from certifier.log.entry import log_entry
from certifier.service.certifier import Accepted, Certifier, Issued
from certifier.service.home import open_certifier, register_key
from certifier.storage.files import save_signing_key
from certifier.storage.rows import NewEntry
from tests.faults.kept import issue_one, judged, lost_from
from tests.faults.load import ROOT, History
from tests.faults.powercut import (
    Operation,
    acknowledged_before,
    build_shim,
    disk_after_cut,
    disk_without_loss,
    files_below,
    read_journal,
    record,
)
from tests.studio import NOW, Studio

CUTS = int(os.environ.get("CUTS", "60"))
CONTROL_CUTS = 20
JUDGED_EVERY = 20
HOME = "home"  # its name on the disk that is watched

# The write-ahead log is folded into the database every 150 pages, so that this happens a few times in a short run.
PROGRAM = """
import sys
from dataclasses import replace
from pathlib import Path
from certifier.storage import database, files
from tests.faults.load import History, run_load
from tests.studio import Studio

folder, home, history, limit, pragma, synced = sys.argv[1:]
prepare = database._prepare_sqlite

def prepare_more(connection, record):
    prepare(connection, record)
    connection.execute("PRAGMA wal_autocheckpoint=150")
    connection.execute(f"PRAGMA {pragma}")

database._prepare_sqlite = prepare_more
if synced == "unsynced":
    files.os.fsync = lambda _: None  # of the files of the log's folder; the database does not sync through Python
studio = Studio(Path(folder))
studio.settings = replace(studio.settings, home=Path(home))
if not studio.settings.home.exists():
    studio.certifier().close()
run_load(studio, History(Path(history)), "recorded", threads=4, limit=int(limit))
"""

TURN = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from certifier.service.home import turn_log
from certifier.settings import Settings
turn_log(Settings(home=Path(sys.argv[1])), datetime.now(UTC))
"""


@dataclass
class Recording:
    """One run: its operations, the disk from before it if anything was there, and a studio that can open any home."""

    operations: list[Operation]
    base: Path | None
    real: Path
    studio: Studio
    notes: list[tuple[int, int, bytes]] = field(default_factory=list)  # (operation, size, note), as they became visible

    def __post_init__(self) -> None:
        written: dict[str, bytearray] = {}
        for at, operation in enumerate(self.operations):
            if operation.kind == "create":
                written[operation.path] = bytearray()
            elif operation.kind == "write" and operation.path in written:
                written[operation.path][operation.offset :] = operation.data
            elif operation.kind == "rename" and operation.other.endswith("/checkpoint"):
                note = bytes(written[operation.path])
                self.notes.append((at, int(note.split(b"\n")[1]), note))

    def published_before(self, cut: int) -> dict[int, bytes]:
        """The notes that anybody may have seen: the checkpoint file had its name."""
        return {size: note for at, size, note in self.notes if at < cut}

    def cuts(self, folder: Path, count: int, first: int = 0) -> Iterator[tuple[int, int, Path]]:
        """Number, operation and disk of each cut; the disk is removed afterwards."""
        chance = Random(20261125)
        for number in range(count):
            cut = chance.randint(first, len(self.operations))
            disk = folder / f"disk-{number}"
            disk_after_cut(self.operations, cut, chance, disk, self.base)
            yield number, cut, disk
            shutil.rmtree(disk)

    def acknowledged_before(self, cut: int) -> list[dict[str, Any]]:
        return [json.loads(line) for line in acknowledged_before(self.operations, cut)]

    def opened(self, disk: Path) -> Certifier:
        return open_certifier(replace(self.studio.settings, home=disk / HOME))


Record = Callable[..., Recording]


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, shim: Path) -> Record:
    """Records one run; how carefully it writes is chosen."""

    def recorded(
        pragma: str = "synchronous=FULL", synced: str = "synced", *, made: bool = True, limit: int = 10
    ) -> Recording:
        folder = tmp_path_factory.mktemp("recorded")
        studio, disk, base, history = Studio(folder), folder / "disk", folder / "base", folder / "history"
        disk.mkdir()
        if made:
            studio.certifier(home=disk / HOME).close()
            shutil.copytree(disk, base)
        (folder / "child").mkdir()
        command: list[str | Path] = [
            sys.executable,
            "-c",
            PROGRAM,
            folder / "child",
            disk / HOME,
            history,
            f"{limit}",
            pragma,
            synced,
        ]
        process = record(command, disk, folder / "journal", shim=shim, acknowledgements=history, cwd=ROOT)
        assert process.wait(timeout=120) == 0
        return Recording(read_journal(folder / "journal"), base if made else None, disk, studio)

    return recorded


@pytest.fixture(scope="module")
def recording(recorded: Record) -> Recording:
    return recorded()


def test_the_recording_is_of_a_whole_run_with_every_kind_of_change(recording: Recording, tmp_path: Path) -> None:
    """Else the cuts would prove less than they say."""
    disk_without_loss(recording.operations, tmp_path / "replayed", recording.base)
    assert files_below(tmp_path / "replayed") == files_below(recording.real)
    kinds = Counter(operation["op"] for operation in recording.acknowledged_before(len(recording.operations)))
    assert kinds["issue"] == 40
    assert min(kinds["revoke"], kinds["suspend"]) > 0
    assert len(recording.notes) > 10
    folded = {o.kind for o in recording.operations if o.path == f"{HOME}/service.sqlite"}
    assert {"write", "sync"} <= folded


def test_after_a_power_cut_at_any_moment_everything_acknowledged_is_there(recording: Recording, tmp_path: Path) -> None:
    """The start-up check finds nothing wrong, issuing goes on, and every note that was visible stays as it was."""
    for number, cut, disk in recording.cuts(tmp_path, CUTS):
        history = History(tmp_path / f"history-{number}")
        for operation in recording.acknowledged_before(cut):
            history.add(**operation)
        certifier = recording.opened(disk)
        assert certifier.problems == (), f"cut {cut}"
        assert lost_from(certifier, history.read()) == [], f"cut {cut}"
        assert not certifier.store.is_waiting()
        assert certifier.store.undelivered() == []
        issue_one(certifier, recording.studio, history, f"after cut {number}")
        check_notes(certifier, recording.published_before(cut))
        if number % JUDGED_EVERY == 0:
            view = judged(certifier, history.read())
            for size, note in recording.published_before(cut).items():
                assert view.notes.get(size, note) == note
        certifier.close()


def check_notes(certifier: Certifier, published: Mapping[int, bytes]) -> None:
    """Each note that was visible is one of the log's own, byte for byte, and the log has grown beyond it."""
    held = {row.size: row.note for row in certifier.store.all_checkpoints(certifier.logbook.origin)}
    assert {size: held.get(size) for size in published} == published
    assert certifier.logbook.head.size > max(published, default=0)


def test_after_a_power_cut_soon_after_it_was_made_an_installation_still_has_its_keys(
    recorded: Record, tmp_path: Path
) -> None:
    """From the first certificate on, nothing that it rests on may be lost: no private key, no register, no database."""
    recording = recorded(made=False, limit=1)
    first = next(at for at, operation in enumerate(recording.operations) if operation.kind == "ack")
    told = Counter[str]()
    for _, cut, disk in recording.cuts(tmp_path, CONTROL_CUTS, first + 1):
        try:
            certifier = recording.opened(disk)
        except OperatorError as error:
            told[error.message.replace(str(disk), "…")] += 1
            continue
        told.update(problem.kind for problem in certifier.problems)
        told.update(lost_from(certifier, recording.acknowledged_before(cut)))
        certifier.close()
    assert told == {}


def test_a_power_cut_while_the_log_is_turned_leaves_one_that_can_be_written_to(shim: Path, tmp_path: Path) -> None:
    """The old one or the new one; what was acknowledged before is in the old one."""
    studio, history, disk = Studio(tmp_path), History(tmp_path / "history"), tmp_path / "disk"
    certifier = studio.certifier(home=disk / HOME)
    issue_one(certifier, studio, history, "before")
    certifier.close()
    shutil.copytree(disk, tmp_path / "base")
    process = record(
        [sys.executable, "-c", TURN, disk / HOME],
        disk,
        tmp_path / "journal",
        shim=shim,
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    assert process.wait(timeout=60) == 0
    recording, told = Recording(read_journal(tmp_path / "journal"), tmp_path / "base", disk, studio), Counter[str]()
    for number, _, left in recording.cuts(tmp_path / "cuts", CONTROL_CUTS):
        after = History(tmp_path / f"history-{number}")
        shutil.copy(history.path, after.path)
        try:
            recording.opened(left).close()  # it may have the old log to close; the next start takes up the new one
            certifier = recording.opened(left)
        except OperatorError as error:
            told[error.message] += 1
            continue
        told.update(problem.kind for problem in certifier.problems)
        if not certifier.problems:
            issue_one(certifier, studio, after, f"after {number}")
            judged(certifier, after.read())
        certifier.close()
    assert told == {}


def test_a_closed_log_that_nobody_had_signed_to_its_end_is_finished_at_the_next_start(tmp_path: Path) -> None:
    """The freeze and a certificate before it got their places, and the power went before the last checkpoint."""
    studio, history = Studio(tmp_path), History(tmp_path / "history")
    certifier = studio.certifier()
    issue_one(certifier, studio, history, "before")
    old = certifier.logbook
    certifier.pipeline._publish = _fail
    assert isinstance(certifier.certify(studio.examined("last"), datetime.now(UTC), "key-last"), Accepted)
    certifier.store.accept([NewEntry("freeze", log_entry("freeze", time_text(datetime.now(UTC)), reason="new_year"))])
    assert certifier.store.sequence(old.origin)[0].frozen
    certifier.close()
    key = SigningKey.generate()
    save_signing_key(studio.settings.private_dir / "log-next.pem", key)
    register_key(studio.settings, "label.example/next", "log", "Example", key.public, NOW)
    reopened = studio.certifier()
    assert reopened.problems == ()
    assert [book.head.size for book in reopened.logbooks] == [3, 0]
    answer = reopened.certify(studio.examined("last"), datetime.now(UTC), "key-last")
    assert isinstance(answer, Issued)
    history.issue(answer, "key-last")
    issue_one(reopened, studio, history, "after")
    judged(reopened, history.read())
    reopened.close()


def _fail() -> None:
    raise OSError(5, "the power goes")


def test_a_torn_tile_does_not_take_back_what_was_published_since(tmp_path: Path) -> None:
    """The database leads to a newer checkpoint than the log's files: reading goes on with that one, never with the older."""
    studio, history = Studio(tmp_path), History(tmp_path / "history")
    certifier = studio.certifier()
    issue_one(certifier, studio, history, "first")
    folder = certifier.logbook.folder.path
    older = (folder / "checkpoint").read_bytes()
    issue_one(certifier, studio, history, "second")
    certifier.close()
    (folder / "checkpoint").write_bytes(older)  # as when the power went before the newer one was durable …
    (folder / "tile/0/000.p/1").write_bytes(b"")  # … and a sector went with it
    reopened = studio.certifier()
    assert [problem.kind for problem in reopened.problems] == ["tile-torn"]
    assert lost_from(reopened, history.read()) == []
    reopened.close()


def test_control_a_database_that_syncs_less_loses_acknowledged_certificates(recorded: Record, tmp_path: Path) -> None:
    """SQLite's ``synchronous=NORMAL``, which many recommend for a write-ahead log."""
    recording = recorded("synchronous=NORMAL")
    lost, kinds = 0, Counter[str]()
    for _, cut, disk in recording.cuts(tmp_path, CONTROL_CUTS):
        certifier = recording.opened(disk)
        lost += bool(lost_from(certifier, recording.acknowledged_before(cut)))
        kinds.update(problem.kind for problem in certifier.problems)
        certifier.close()
    assert lost > 0
    assert kinds["behind-anchor"] > 0  # and the log's files, which were synced, tell of it


def test_control_a_log_folder_that_is_not_synced_is_noticed_at_the_start(recorded: Record, tmp_path: Path) -> None:
    """The database was synced, so nothing is lost; but nobody signs over a folder that is torn."""
    recording = recorded(synced="unsynced")
    noticed = Counter[str]()
    for _, cut, disk in recording.cuts(tmp_path, CONTROL_CUTS):
        try:
            certifier = recording.opened(disk)
        except OperatorError as error:
            noticed[error.message] += 1
            continue
        noticed.update(problem.kind for problem in certifier.problems)
        if not certifier.problems:
            assert lost_from(certifier, recording.acknowledged_before(cut)) == []
        certifier.close()
    assert noticed["anchor-torn"] + noticed["tile-torn"] > 0
