"""The simulated power cut itself: it sees every change, spares what was promised, and takes what was not.

A simulation that cannot lose anything would prove nothing, so each promise stands beside a control that must lose.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pysqlite3.dbapi2 as sqlite
import pytest

from tests.faults.powercut import (
    JournalError,
    Losses,
    Operation,
    acknowledge,
    acknowledged_before,
    build_shim,
    disk_after_cut,
    disk_without_loss,
    files_below,
    read_journal,
    record,
)

CUTS = 120

BOOKKEEPER = """
import os, sys
import pysqlite3.dbapi2 as sqlite
home, acknowledgements, journal, synchronous = sys.argv[1:]
out = os.open(acknowledgements, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
connection = sqlite.connect(os.path.join(home, "book.sqlite"), isolation_level=None)
connection.execute(f"PRAGMA journal_mode={journal}")
connection.execute(f"PRAGMA synchronous={synchronous}")
connection.execute("PRAGMA wal_autocheckpoint=20")
connection.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")
for number in range(60):
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO entry VALUES (?, ?)", (number, bytes([number]) * (number * 397 % 9000)))
    connection.execute("COMMIT")
    os.write(out, b"row %d\\n" % number)
connection.close()
"""

SAVER = """
import os, sys
home, acknowledgements, durably = sys.argv[1:]
out = os.open(acknowledgements, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for number in range(30):
    with open(os.path.join(home, "head.new"), "wb") as file:
        file.write(b"%05d" % number * 600)
        file.flush()
        if durably == "yes":
            os.fsync(file.fileno())
    os.replace(os.path.join(home, "head.new"), os.path.join(home, "head"))
    if durably == "yes":
        folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)
    os.write(out, b"saved %d\\n" % number)
"""

# Threads, a forked and a started process, and every call by which Python changes a folder.
BUSYBODY = """
import os, shutil, subprocess, sys, tempfile, threading
import pysqlite3.dbapi2 as sqlite
home, other = sys.argv[1:]
os.chdir(home)

def count(name):
    connection = sqlite.connect("many.sqlite", isolation_level=None, timeout=60)
    for number in range(40):
        connection.execute("INSERT INTO entry VALUES (?, ?)", (name, os.urandom(3000)))
        with open("lines.txt", "a") as file:
            file.write(f"{name} {number}\\n" * 50)
    connection.close()

setup = sqlite.connect("many.sqlite", isolation_level=None)
setup.execute("PRAGMA journal_mode=WAL")
setup.execute("PRAGMA wal_autocheckpoint=10")
setup.execute("CREATE TABLE entry (name TEXT, body BLOB)")
threads = [threading.Thread(target=count, args=(f"thread {number}",)) for number in range(3)]
[thread.start() for thread in threads]
more = [sys.executable, "-c", "open('started.txt', 'w').write('from a started process')"]
subprocess.run(more, check=True)
[thread.join() for thread in threads]
child = os.fork()
if not child:
    open("forked.txt", "x").write("from a forked process")
    os._exit(0)
os.waitpid(child, 0)

folder = os.open(".", os.O_RDONLY)
os.makedirs("a/b/c", mode=0o700)
os.mkdir("by-folder", dir_fd=folder)
fd = os.open("a/b/data", os.O_RDWR | os.O_CREAT)
os.pwrite(fd, b"p" * 5000, 700)
os.writev(fd, [b"one", b"", b"two" * 100])
os.pwritev(fd, [b"x" * 600, b"y"], 3000)
os.pwritev(fd, [b"z"], 9000, os.RWF_DSYNC)
os.posix_fallocate(fd, 0, 20000)
os.ftruncate(fd, 15000)
os.fdatasync(os.dup(fd))
os.truncate("a/b/data", 16000)
second = os.open("a/b/data", os.O_WRONLY | os.O_APPEND)
os.write(second, b"at the end")
os.pwrite(second, b"at the end too", 3)
shutil.copyfile("a/b/data", "a/sent")
with open("a/b/data", "rb") as source, open("a/ranged", "wb+") as target:
    os.copy_file_range(source.fileno(), target.fileno(), 4000, 100, 200)
os.chmod("a/sent", 0o600)
os.fchmod(fd, 0o640)
os.link("a/sent", "a/linked")
os.symlink("sent", "a/symbolic")
os.rename("a/b", "moved")
os.write(fd, b"written after its folder was moved")
os.unlink("a/sent")
os.write(fd, b"!")
os.rename("a/linked", "renamed", dst_dir_fd=folder)
open("renamed", "w").close()
with tempfile.NamedTemporaryFile(dir=".", delete=False) as file:
    file.write(b"temporary")
os.replace(file.name, "kept")
os.rename("kept", os.path.join(other, "gone"))
os.makedirs("removed/x")
open("removed/x/y", "w").write("y")
shutil.rmtree("removed")
os.unlink("base/old")
os.rename("base/rotated", "base/rotated.1")
open("base/rotated", "w").write("new")
open("base/appended", "a").write(" and more")
os.sync()
"""


@dataclass(frozen=True)
class Recording:
    operations: list[Operation]
    real: Path

    def cuts(self, folder: Path, count: int = CUTS) -> list[tuple[int, Path, Losses]]:
        rng = Random(20)
        folder.mkdir()
        cuts = [rng.randint(0, len(self.operations)) for _ in range(count)]
        return [
            (cut, folder / f"{number}", disk_after_cut(self.operations, cut, rng, folder / f"{number}"))
            for number, cut in enumerate(cuts)
        ]


Run = Callable[..., Recording]


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def run(shim: Path, tmp_path: Path) -> Run:
    def run(program: str, *arguments: str, home: Path = tmp_path / "home", acknowledges: bool = True) -> Recording:
        said = tmp_path / "acknowledgements"
        command: Sequence[str] = [sys.executable, "-c", program, str(home), *([str(said)] * acknowledges), *arguments]
        journal = tmp_path / "journal"
        process = record(command, home, journal, shim=shim, acknowledgements=said)
        assert process.wait(timeout=60) == 0
        return Recording(read_journal(journal), home)

    return run


def rows_lost(acknowledged: list[bytes], disk: Path) -> tuple[int, str]:
    """How many acknowledged rows are not there as they were written, and what SQLite says of the file."""
    verdict = "not opened"
    there = {}
    connection = sqlite.connect(disk / "book.sqlite")
    try:
        connection.execute("PRAGMA synchronous=OFF")  # this disk has had its power cut
        verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
        there = dict(connection.execute("SELECT id, body FROM entry"))
    except sqlite.DatabaseError as error:
        verdict = verdict if "no such table" in str(error) else str(error)
    finally:
        connection.close()
    return sum(
        there.get(number) != bytes([number]) * (number * 397 % 9000) for number in map(int, acknowledged)
    ), verdict


def outcomes(recording: Recording, folder: Path) -> list[tuple[int, str]]:
    return [
        rows_lost(acknowledged_before(recording.operations, cut, b"row "), disk)
        for cut, disk, _ in recording.cuts(folder)
    ]


def test_the_shim_sees_all_that_a_database_program_writes(run: Run, tmp_path: Path) -> None:
    recording = run(BOOKKEEPER, "WAL", "FULL")
    disk_without_loss(recording.operations, tmp_path / "replayed")
    assert files_below(tmp_path / "replayed") == files_below(recording.real)
    assert len(acknowledged_before(recording.operations, len(recording.operations), b"row ")) == 60
    assert rows_lost([b"%d" % number for number in range(60)], tmp_path / "replayed") == (0, "ok")


def test_the_shim_sees_threads_processes_and_every_call_that_changes_a_folder(run: Run, tmp_path: Path) -> None:
    home, before = tmp_path / "home", tmp_path / "before"
    for folder in (home, before):
        (folder / "base").mkdir(parents=True)
        for name in ("old", "rotated", "appended", "untouched"):
            (folder / "base" / name).write_text(name)
    recording = run(BUSYBODY, str(tmp_path), acknowledges=False)
    replayed = tmp_path / "replayed"
    disk_without_loss(recording.operations, replayed, base=before)
    assert files_below(replayed) == files_below(home)
    assert len({operation.process for operation in recording.operations}) == 3
    modes = [{path.relative_to(top): path.lstat().st_mode for path in top.rglob("*")} for top in (replayed, home)]
    assert {path: mode for path, mode in modes[1].items() if not path.name.endswith("-shm")} == modes[0]


def test_full_synchronous_wal_never_loses_an_acknowledged_row(run: Run, tmp_path: Path) -> None:
    recording = run(BOOKKEEPER, "WAL", "FULL")
    assert outcomes(recording, tmp_path / "disks") == [(0, "ok")] * CUTS


def test_an_extra_synchronous_rollback_journal_never_loses_an_acknowledged_row(run: Run, tmp_path: Path) -> None:
    recording = run(BOOKKEEPER, "DELETE", "EXTRA")
    assert outcomes(recording, tmp_path / "disks") == [(0, "ok")] * CUTS


CARELESS = {
    "WAL and NORMAL keeps the file whole but loses rows": ("WAL", "NORMAL", True),
    "WAL and OFF loses rows": ("WAL", "OFF", False),
    "DELETE and FULL loses the last row when its journal comes back": ("DELETE", "FULL", True),
    "DELETE and OFF loses rows": ("DELETE", "OFF", False),
}


@pytest.mark.parametrize(("journal", "synchronous", "stays_whole"), CARELESS.values(), ids=CARELESS.keys())
def test_control_anything_less_synchronous_loses_acknowledged_rows(
    run: Run, tmp_path: Path, journal: str, synchronous: str, stays_whole: bool
) -> None:
    found = outcomes(run(BOOKKEEPER, journal, synchronous), tmp_path / "disks")
    assert any(lost for lost, _ in found)
    assert not stays_whole or {verdict for _, verdict in found} == {"ok"}


def saves_lost(recording: Recording, folder: Path) -> list[bool]:
    """For each cut: whether the file is missing, not whole, or older than what was acknowledged."""
    found = []
    for cut, disk, _ in recording.cuts(folder):
        acknowledged = [int(number) for number in acknowledged_before(recording.operations, cut, b"saved ")]
        content = (disk / "head").read_bytes() if (disk / "head").exists() else b""
        possible = [b"%05d" % number * 600 for number in range(max(acknowledged, default=0), 30)]
        found.append(content not in possible and bool(content or acknowledged))
    return found


def test_a_file_synced_renamed_and_synced_with_its_folder_is_never_lost(run: Run, tmp_path: Path) -> None:
    assert saves_lost(run(SAVER, "yes"), tmp_path / "disks") == [False] * CUTS


def test_control_a_file_only_renamed_is_lost(run: Run, tmp_path: Path) -> None:
    assert any(saves_lost(run(SAVER, "no"), tmp_path / "disks"))


def test_writes_are_kept_torn_and_lost_and_names_come_and_go(run: Run, tmp_path: Path) -> None:
    losses = [losses for _, _, losses in run(SAVER, "no").cuts(tmp_path / "disks")]
    for name in ("writes_kept", "writes_torn", "writes_lost", "changes_kept", "changes_lost"):
        assert sum(getattr(each, name) for each in losses) > 0, name


def test_the_same_random_numbers_make_the_same_disk(run: Run, tmp_path: Path) -> None:
    operations = run(SAVER, "no").operations
    disks = [tmp_path / "one", tmp_path / "two"]
    for disk in disks:
        disk_after_cut(operations, len(operations), Random(7), disk)
    assert files_below(disks[0]) == files_below(disks[1])


def states(operations: list[Operation], folder: Path, base: Path | None = None) -> list[dict[str, bytes | None]]:
    """The different disks that many cuts at the end leave."""
    found: list[dict[str, bytes | None]] = []
    for seed in range(60):
        disk_after_cut(operations, len(operations), Random(seed), folder, base)
        if (state := files_below(folder)) not in found:
            found.append(state)
        shutil.rmtree(folder)
    return found


def create(path: str, inode: int) -> Operation:
    return Operation("create", path, inode=inode, number=0o644)


def synced(path: str, inode: int, begun: int) -> list[Operation]:
    return [Operation("sync-begun", path, inode=inode), Operation("sync", path, inode=inode, offset=begun)]


def test_a_sync_promises_only_what_was_written_before_it_began(tmp_path: Path) -> None:
    operations = [
        create("a", 5),
        Operation("write", "a", data=b"early", inode=5),
        Operation("sync-begun", "a", inode=5),
        Operation("write", "a", data=b"late", inode=5, offset=5),
        Operation("sync", "a", inode=5, offset=2),
    ]
    found = states(operations, tmp_path / "disk")
    assert sorted(state["a"] for state in found) == [b"early", b"earlylate"]


def test_a_write_is_torn_between_sectors_of_the_file(tmp_path: Path) -> None:
    operations = [
        create("a", 5),
        *synced("a", 5, 1),
        Operation("write", "a", data=b"x" * 1000, inode=5, offset=100),
    ]
    sizes = sorted(len(state["a"] or b"") for state in states(operations, tmp_path / "disk"))
    assert sizes == [0, 512, 1024, 1100]


def test_a_file_that_made_room_for_a_synced_one_is_still_there(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "log").write_bytes(b"old")
    operations = [Operation("rename", "log", "log.1"), create("log", 6), *synced("log", 6, 2)]
    assert states(operations, tmp_path / "disk", base) == [{"log": b"", "log.1": b"old"}]


def test_a_synced_file_is_lost_with_a_folder_whose_own_name_was_not_synced(tmp_path: Path) -> None:
    operations = [
        Operation("mkdir", "f", inode=4, number=0o755),
        create("f/a", 5),
        *synced("f/a", 5, 2),
        *synced("f", 4, 4),
    ]
    assert {} in states(operations, tmp_path / "disk")
    assert states([*operations, *synced("", 3, 6)], tmp_path / "disk") == [{"f": None, "f/a": b""}]


HIDDEN = {
    "a shared writable map": "import mmap; mmap.mmap(os.open('new', os.O_RDWR | os.O_CREAT), 0)",
    "a file moved in from elsewhere": "open('../aside', 'w').close(); os.rename('../aside', 'new')",
    "a file linked in from elsewhere": "open('../aside', 'w').close(); os.link('../aside', 'new2')",
    "a buffered C stream": "import ctypes; ctypes.CDLL(None).fopen(b'new', b'w')",
}


@pytest.mark.parametrize("program", HIDDEN.values(), ids=HIDDEN.keys())
def test_what_the_shim_cannot_follow_is_refused(run: Run, program: str) -> None:
    prefix = "import os, sys; os.chdir(sys.argv[1]); f = os.open('new', os.O_WRONLY | os.O_CREAT); os.write(f, b'1');"
    with pytest.raises(JournalError, match="new"):
        run(prefix + program, acknowledges=False)


def test_a_change_behind_the_back_of_the_shim_is_refused(run: Run, tmp_path: Path) -> None:
    secretly = (
        "import ctypes, os, sys; os.write(ctypes.CDLL(None).mkostemp(sys.argv[1].encode() + b'/XXXXXX', 0), b'1')"
    )
    with pytest.raises(JournalError, match="unseen"):
        disk_without_loss(run(secretly, acknowledges=False).operations, tmp_path / "replayed")


def test_an_observer_can_acknowledge_too_and_a_half_written_record_is_left_out(run: Run, tmp_path: Path) -> None:
    run(SAVER, "no")
    journal = tmp_path / "journal"
    whole = journal.read_bytes()
    acknowledge(journal, b"answered 200\n")
    operations = read_journal(journal)
    assert acknowledged_before(operations, len(operations), b"answered ") == [b"200"]
    journal.write_bytes(journal.read_bytes()[:-1])
    assert read_journal(journal) == operations[:-1]
    assert journal.read_bytes()[: len(whole)] == whole


def test_without_a_compiler_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="Install gcc"):
        build_shim(tmp_path)
