"""Power cuts at the level of a process: a journal of file operations, and the disks a cut could leave behind.

``powercut.c`` is loaded into any program and journals what it does to the files below one folder. From one recording,
``disk_after_cut`` makes as many possible disks as there are cuts and random numbers. The model:

1. Bytes that were written before a completed fsync or fdatasync of their file *began* are there.
2. Every other write is there, absent, or torn: its first sectors (512 bytes) are there, the others are not.
3. Names, sizes and modes go through an ordered journal: of the changes that nothing made durable a random prefix
   survives. A change of names is durable once its folder was synced (for a rename: one of the two), the creation of a
   file also once the file was; a truncation or a mode once the file was. Whatever they rest on (earlier changes of
   the same names) is durable too.
4. A folder's own name is durable only once the folder above was synced. ext4 is kinder; POSIX promises no more.

Not modelled: bit rot, a disk that lies about its syncs, times, owners, extended attributes, memory maps. SQLite's
``-shm`` files are left out: they are mapped, and rebuilt by the first that opens the database. What the shim cannot
follow makes ``read_journal`` raise, and ``disk_without_loss`` shows that nothing slipped by: it equals the real folder.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import struct
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

SECTOR = 512
RECORD = struct.Struct("=IIQQQIIIIQ")
MAGIC = 0x54554350
KINDS = dict(  # the numbers of `enum kind`
    enumerate(
        (
            *("create", "write", "truncate", "allocate", "sync-begun", "sync", "sync-all", "rename"),
            *("unlink", "link", "mkdir", "rmdir", "symlink", "chmod", "ack", "blind"),
        ),
        start=1,
    )
)
NAMES = ("create", "mkdir", "link", "symlink", "rename", "unlink", "rmdir")
LEFT_OUT = "-shm"


class JournalError(Exception):
    """The program did what the shim cannot follow, or did it behind the shim's back."""


@dataclass(frozen=True)
class Operation:
    """One completed operation. ``path`` and ``other`` are relative to the watched folder, which itself is ``""``."""

    kind: str
    path: str = ""
    other: str = ""
    data: bytes = b""
    inode: int = 0
    offset: int = 0  # of a write; the new size for truncate and allocate; for a sync the index of its sync-begun
    number: int = 0  # the mode of what was created; 1 for a write that is a sync by itself (O_DSYNC)
    links: int = 1  # 0: the file has no name any more
    process: int = 0


@dataclass
class Losses:
    """What became of that which nobody had synced."""

    writes_kept: int = 0
    writes_torn: int = 0
    writes_lost: int = 0
    changes_kept: int = 0
    changes_lost: int = 0


def build_shim(folder: Path) -> Path:
    """Compile the shim into a folder."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise RuntimeError("There is no C compiler: power cuts are played with a shim in C. Install gcc (as `cc`).")
    shim = folder / "powercut.so"
    source = Path(__file__).with_suffix(".c")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(shim), str(source), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The shim does not compile (are the C library's headers there?):\n{done.stderr}")
    return shim


def recording(shim: Path, watched: Path, journal: Path, acknowledgements: Path | None = None) -> dict[str, str]:
    """The environment variables that make a program, and all it starts, write the journal. Makes the watched folder.

    What is written to the file or named pipe ``acknowledgements`` is journaled as ``ack``. The journal is continued if
    there is one: several programs, at once or one after the other, may share it.
    """
    watched.mkdir(parents=True, exist_ok=True)
    found = {"POWERCUT_DIR": str(watched.resolve()), "POWERCUT_LOG": str(journal.resolve())}
    if acknowledgements:
        found["POWERCUT_ACK"] = str(acknowledgements.resolve())
    if any(Path(path).is_relative_to(found["POWERCUT_DIR"]) for name, path in found.items() if name != "POWERCUT_DIR"):
        raise ValueError("The journal and the acknowledgements must lie outside of the watched folder.")
    return {**found, "LD_PRELOAD": " ".join(filter(None, [str(shim.resolve()), os.environ.get("LD_PRELOAD")]))}


def record(
    command: Sequence[str | Path],
    watched: Path,
    journal: Path,
    env: Mapping[str, str] | None = None,
    *,
    shim: Path,
    acknowledgements: Path | None = None,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start a program whose operations below ``watched`` are journaled; ``env`` is ours if it is not given."""
    environment = {**(os.environ if env is None else env), **recording(shim, watched, journal, acknowledgements)}
    return subprocess.Popen([str(part) for part in command], env=environment, **options)


def acknowledge(journal: Path, data: bytes) -> None:
    """Journal an acknowledgement from outside, e.g. when a test has got an answer over HTTP; ends with a newline."""
    with journal.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        kind = next(number for number, name in KINDS.items() if name == "ack")
        file.write(RECORD.pack(MAGIC, kind, 0, 0, 0, 1, os.getpid(), 0, 0, len(data)) + data)
        file.flush()


def read_journal(path: Path) -> list[Operation]:
    """All operations in order; one that was being journaled when the program was killed is left out.

    Raises JournalError when the program did something that the shim cannot follow.
    """
    raw = memoryview(path.read_bytes())
    operations: list[Operation] = []
    index_at: dict[int, int] = {}
    start = 0
    while start + RECORD.size <= len(raw):
        magic, number, inode, offset, flags, links, process, *sizes = RECORD.unpack_from(raw, start)
        if magic != MAGIC:
            raise JournalError(f"There is no record at byte {start} of the journal.")
        body, end = start + RECORD.size, start + RECORD.size + sum(sizes)
        if end > len(raw):
            break
        index_at[start] = len(operations)
        words = bytes(raw[body:end])
        name, other = os.fsdecode(words[: sizes[0]]), os.fsdecode(words[sizes[0] : sizes[0] + sizes[1]])
        data = words[sizes[0] + sizes[1] :]
        kind = KINDS[number]
        if kind == "blind":
            raise JournalError(f"{name}: {data.decode()}")
        if kind in ("sync", "sync-all"):
            offset = index_at[offset]
        operations.append(Operation(kind, name, other, data, inode, offset, flags, links, process))
        start = end
    return operations


def acknowledged_before(operations: Sequence[Operation], cut: int, marker: bytes = b"") -> list[bytes]:
    """The acknowledged lines that begin with the marker, without it, among the first ``cut`` operations."""
    said = b"".join(operation.data for operation in operations[:cut] if operation.kind == "ack")
    whole = said[: said.rfind(b"\n") + 1]
    return [line.removeprefix(marker) for line in whole.splitlines() if line.startswith(marker)]


def disk_after_cut(
    operations: Sequence[Operation], cut: int, rng: Random, target: Path, base: Path | None = None
) -> Losses:
    """Write to ``target`` (new or empty) a disk that a power cut after the first ``cut`` operations may leave.

    ``base`` is a copy of the watched folder from before the recording. Raises JournalError when the journal does not
    fit to it.
    """
    past = operations[:cut]
    history = _History(past, base)
    losses = Losses()
    favour = rng.choice((0.0, 1.0, rng.random(), rng.random()))  # some cuts lose all that is open, some next to nothing

    def fate(size_before_sector: list[int]) -> int | None:
        """How many bytes of an unsynced write are there; None for all."""
        if rng.random() < favour:
            losses.writes_kept += 1
            return None
        if size_before_sector and rng.random() < 0.5:
            losses.writes_torn += 1
            return rng.choice(size_before_sector)
        losses.writes_lost += 1
        return 0

    loose = history.loose_changes()
    kept = rng.choice((0, len(loose), rng.randint(0, len(loose)), rng.randint(0, len(loose))))
    losses.changes_kept, losses.changes_lost = kept, len(loose) - kept
    history.replay(set(loose[kept:]), fate).save(target)
    return losses


def disk_without_loss(operations: Sequence[Operation], target: Path, base: Path | None = None) -> None:
    """Write to ``target`` what the real folder holds after all operations."""
    _History(operations, base).replay(set(), lambda _: None).save(target)


def files_below(folder: Path) -> dict[str, bytes | None]:
    """What lies in a folder by relative path: a file's content, None for a folder, the target of a symbolic link.

    To compare disks by; ``-shm`` files are left out.
    """
    return {
        path.relative_to(folder).as_posix(): os.fsencode(path.readlink())
        if path.is_symlink()
        else None
        if path.is_dir()
        else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if not path.name.endswith(LEFT_OUT)
    }


# ---- how the journal is understood ----


@dataclass(eq=False)
class _Node:
    """A file or folder, whatever it is called."""

    kind: str  # file, folder or link
    mode: int = 0o644
    entries: dict[str, _Node] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)

    @classmethod
    def from_disk(cls, path: Path) -> _Node:
        mode = stat.S_IMODE(path.lstat().st_mode)
        if path.is_symlink():
            return cls("link", mode, content=bytearray(os.fsencode(path.readlink())))
        if not path.is_dir():
            return cls("file", mode, content=bytearray(path.read_bytes()))
        return cls("folder", mode, {child.name: cls.from_disk(child) for child in path.iterdir()})

    def copy(self, copies: dict[_Node, _Node]) -> _Node:
        """The same tree anew; ``copies`` says which became which, and keeps a file of two names one file."""
        if self not in copies:
            copies[self] = made = _Node(self.kind, self.mode, content=bytearray(self.content))
            made.entries = {name: node.copy(copies) for name, node in self.entries.items()}
        return copies[self]

    def save(self, path: Path, saved: dict[_Node, Path] | None = None) -> None:
        saved = {} if saved is None else saved
        if self in saved and self.kind == "file":
            os.link(saved[self], path)
            return
        saved[self] = path
        if self.kind == "link":
            path.symlink_to(os.fsdecode(bytes(self.content)))
            return
        if self.kind == "file":
            path.write_bytes(self.content)
        else:
            path.mkdir(exist_ok=True, parents=True)
            for name, node in self.entries.items():
                if not name.endswith(LEFT_OUT):
                    node.save(path / name, saved)
        path.chmod(self.mode)


_Entry = tuple[_Node, str, _Node | None]  # in this folder this name stands for that node, or for nothing any more


@dataclass(frozen=True)
class _Step:
    """An operation with nodes in place of paths and inodes: what it would do to any disk, not only to the real one."""

    at: int
    operation: Operation
    node: _Node
    entries: tuple[_Entry, ...] = ()


class _History:
    """What truly happened, told so that it can be replayed with losses."""

    def __init__(self, operations: Sequence[Operation], base: Path | None) -> None:
        self._root = _Node.from_disk(base) if base else _Node("folder", 0o755)
        self._start: dict[_Node, _Node] = {}
        self._first = self._root.copy(self._start)
        self._inodes: dict[int, _Node] = {}
        self._steps: list[_Step] = []
        self._synced: dict[_Node | None, int] = {}  # all before this index is durable; None for everything
        for at, operation in enumerate(operations):
            self._take(at, operation)

    # The true course. Names lead to nodes in ``self._root``; nodes of the base have twins in ``self._first``.

    def _take(self, at: int, operation: Operation) -> None:
        match operation.kind:
            case "ack" | "sync-begun":
                pass
            case "sync-all":
                self._synced[None] = max(operation.offset, self._synced.get(None, 0))
            case "sync":
                if node := self._node(operation):
                    self._synced[node] = max(operation.offset, self._synced.get(node, 0))
            case kind if kind in NAMES:
                self._take_names(at, operation)
            case _:
                if node := self._node(operation):
                    self._steps.append(_Step(at, operation, node))

    def _take_names(self, at: int, operation: Operation) -> None:
        folder, name = self._entry(operation.path)
        entries: list[_Entry]
        match operation.kind:
            case "create" | "mkdir" | "symlink":
                kind = {"create": "file", "mkdir": "folder", "symlink": "link"}[operation.kind]
                node = _Node(kind, operation.number, content=bytearray(operation.data))
                if kind != "link":
                    self._inodes[operation.inode] = node
                entries = [(folder, name, node)]
            case "unlink" | "rmdir":
                node, entries = self._named(operation.path), [(folder, name, None)]
            case _:
                node, new = self._named(operation.path), self._entry(operation.other)
                if new[0].entries.get(new[1]) is node:
                    return  # POSIX: renaming to another name of the same file does nothing
                entries = [(*new, node)] if operation.kind == "link" else [(folder, name, None), (*new, node)]
        _set(entries)
        self._steps.append(_Step(at, operation, node, tuple(entries)))

    def _entry(self, path: str) -> tuple[_Node, str]:
        *folders, name = path.split("/")
        return self._named("/".join(folders)), name

    def _named(self, path: str) -> _Node:
        node = self._root
        for part in path.split("/") if path else ():
            if part not in node.entries:
                raise JournalError(f"{path} appeared unseen: give a base, or the program made it behind the shim.")
            node = node.entries[part]
        return node

    def _node(self, operation: Operation) -> _Node | None:
        """The node of an open file; None for a file of the base that had lost its name before it was first seen."""
        known = self._inodes.get(operation.inode)
        if operation.links == 0:
            return known
        found = self._named(operation.path)
        if known is None and found not in self._inodes.values():
            self._inodes[operation.inode] = found  # of the base: this is the first we hear of it
        elif known is not found:
            raise JournalError(f"{operation.path} was replaced unseen.")
        return found

    # What is durable.

    def _is_synced(self, step: _Step, *nodes: _Node | None) -> bool:
        return any(self._synced.get(node, 0) > step.at for node in (None, *nodes))

    def loose_changes(self) -> list[int]:
        """The indexes of changes to names, sizes and modes that a cut may undo, in order."""
        needed: set[tuple[_Node, str]] = set()
        loose = []
        for step in reversed(self._steps):
            kind = step.operation.kind
            if kind == "write":
                continue
            if kind not in NAMES:
                durable = self._is_synced(step, step.node)
            else:
                names = {(folder, name) for folder, name, _ in step.entries}
                witnesses = [folder for folder, _ in names] + ([step.node] if kind == "create" else [])
                durable = self._is_synced(step, *witnesses) or bool(names & needed)
                needed |= names if durable else set()
            if not durable:
                loose.append(step.at)
        return loose[::-1]

    # The course with losses.

    def replay(self, lost: set[int], fate: Callable[[list[int]], int | None]) -> _Node:
        twins: dict[_Node, _Node] = {}
        root = self._first.copy(twins)
        twin_of = {true: twins[first] for true, first in self._start.items()}

        def twin(node: _Node) -> _Node:
            if node not in twin_of:
                twin_of[node] = _Node(node.kind, node.mode)
            return twin_of[node]

        for step in self._steps:
            operation = step.operation
            if operation.kind == "write":
                durable = operation.number == 1 or self._is_synced(step, step.node)
                size = None if durable else fate(_sector_ends(operation))
                _write(twin(step.node).content, operation.offset, operation.data[:size])
            elif step.at in lost:
                continue
            elif operation.kind in NAMES:
                if operation.kind == "symlink":
                    twin(step.node).content[:] = operation.data
                _set((twin(folder), name, node and twin(node)) for folder, name, node in step.entries)
            else:
                _change(twin(step.node), operation)
        return root


def _set(entries: Iterable[_Entry]) -> None:
    for folder, name, node in entries:
        if node is None:
            folder.entries.pop(name, None)
        else:
            folder.entries[name] = node


def _sector_ends(write: Operation) -> list[int]:
    """The lengths at which a write may be torn: where a sector of the file ends inside of it."""
    first = SECTOR - write.offset % SECTOR
    return list(range(first, len(write.data), SECTOR))


def _write(content: bytearray, offset: int, data: bytes) -> None:
    if data and offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _change(node: _Node, operation: Operation) -> None:
    if operation.kind == "chmod":
        node.mode = operation.number
        return
    if operation.kind == "truncate":
        del node.content[operation.offset :]
    node.content.extend(bytes(max(0, operation.offset - len(node.content))))
