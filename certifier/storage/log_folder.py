"""The public files of one log in a folder, as C2SP tlog-tiles lays them out: a static copy that any web server can serve.

It lies outside the database on purpose. Its ``checkpoint`` is the *anchor*: written after the tiles of its size, it is never
behind what was published from here, so a database that was set back is noticed, and its bundles alone can rebuild the log.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from certifier.errors import MalformedProof, OperatorError, StorageError
from certifier.log.merkle import Tree, leaf_hash
from certifier.log.tiles import (
    TILE_WIDTH,
    TilePath,
    entry_bundle,
    parse_entry_bundle,
    paths_between,
    paths_for,
    right_edge,
    tile_bytes,
)
from certifier.storage.files import save_durably

CERTIFICATES = "certificates"  # below a mirror, and in it CODE.vc, CODE.report.json and CODE.decision.json
PUBLIC_FILES = ("vc", "report.json", "decision.json")
Entries = Callable[[int, int], Sequence[bytes]]  # from an index up to another, which is left out


class LogFolder:
    """One log below ``path``. One writer at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._checkpoint = str(path / "checkpoint")

    def checkpoint(self) -> bytes | None:
        """The newest checkpoint that was published from here, None for a new folder."""
        file = self.path / "checkpoint"
        return file.read_bytes() if file.is_file() else None

    def stamp(self) -> int:
        """A number that changes with every new checkpoint; cheap enough to ask before each answer."""
        try:
            return os.stat(self._checkpoint).st_mtime_ns  # noqa: PTH116 - a Path would cost more than the look
        except FileNotFoundError:
            return 0

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes of this machine from writing here."""
        with ExitStack() as stack:
            with _told_as_ours():
                self.path.mkdir(parents=True, exist_ok=True)
                file = stack.enter_context((self.path / ".lock").open("ab"))
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def save_growth(self, tree: Tree, entries: Entries, old: int, new: int) -> None:
        """Write every tile and bundle of a log of size ``new`` that one of size ``old`` has not. Durable on return."""
        with _told_as_ours():
            for tile in paths_between(old, new):
                self._save(tile, _expected(tile, tree, entries))

    def save_checkpoint(self, note: bytes) -> None:
        """Replace the checkpoint, after the tiles that it promises were saved. Durable on return."""
        with _told_as_ours():
            save_durably(self.path / "checkpoint", note)

    def first_difference(self, tree: Tree, entries: Entries, size: int, *, whole: bool = False) -> str | None:
        """The first file of a log of ``size`` that is missing, torn or changed; at the right edge, or in the ``whole`` log."""
        for tile in paths_for(size) if whole else right_edge(size):
            file = self.path / tile.text
            if not file.is_file():
                return f"{tile.text} is missing"
            if file.read_bytes() != _expected(tile, tree, entries):
                return f"{tile.text} is not what the entries lead to"
        return None

    def load_entries(self, size: int) -> Iterator[bytes]:
        """The entries of a log of ``size`` from its bundles alone. Raises OperatorError for a missing or torn one."""
        for index in range(-(-size // TILE_WIDTH)):
            tile = TilePath(None, index, min(TILE_WIDTH, size - TILE_WIDTH * index))
            try:
                bundle = parse_entry_bundle((self.path / tile.text).read_bytes())
            except (OSError, MalformedProof) as error:
                raise OperatorError(
                    f"The entry bundle {tile.text} cannot be read.",
                    found=str(error)[:200],
                    hint=f"Get it from a mirror of the log, into {self.path}.",
                ) from error
            if len(bundle) != tile.width:
                raise OperatorError(
                    f"The entry bundle {tile.text} has the wrong length.",
                    found=f"{len(bundle)} entries",
                    expected=f"{tile.width}",
                )
            yield from bundle

    def load_tree(self, size: int) -> tuple[Tree, list[bytes]]:
        """The tree and the entries of a log of ``size``, from its bundles alone. Raises OperatorError."""
        tree, entries = Tree(), list(self.load_entries(size))
        for entry in entries:
            tree.append(leaf_hash(entry))
        return tree, entries

    def _save(self, tile: TilePath, content: bytes) -> None:
        file = self.path / tile.text
        if file.is_file() and file.read_bytes() == content:
            return
        save_durably(file, content)


@contextmanager
def _told_as_ours() -> Iterator[None]:
    """An error of the disk as a StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError("The log's files cannot be written.", found=str(error), hint="Check the disk.") from error


def _expected(tile: TilePath, tree: Tree, entries: Entries) -> bytes:
    if tile.level is None:
        start = TILE_WIDTH * tile.index
        return entry_bundle(entries(start, start + tile.width))
    return tile_bytes(tree, tile.level, tile.index, tile.width)


def folder_name(origin: str) -> str:
    """The name of a log's folder: the origin without its slashes."""
    return origin.replace("/", "-").replace(os.sep, "-")
