"""What a monitor asks of a log that has grown: does it go on from what was seen before, and is every file as it must be?

Pure: the caller has verified both checkpoints' signatures and brings the bytes of each file. Where they come from, what is
kept and who is told is the caller's business. Source of the files: c2sp.org/tlog-tiles@v0.1.0.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from certifier.errors import CertifierError, MalformedProof
from certifier.log.lines import to_base64
from certifier.log.merkle import HASH_BYTES, Tree, leaf_hash
from certifier.log.tiles import TILE_WIDTH, TilePath, parse_entry_bundle, paths_between, tile_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from certifier.log.note import Checkpoint

_EVIDENCE = (
    "Keep both signed checkpoints and what was read before. Ask other monitors and witnesses which tree they see."
)
_CACHED = "An old copy from a cache looks like this too: look again. If it stays, ask others which size they have seen."
_SERVED_WRONG = (
    "Fetch it again, past any cache. If it stays like this, tell the operator, and others who watch this log."
)


class LogMisbehaves(CertifierError):
    """The log shows something that an honest and whole log never shows: a rollback, a split view, a bent file."""


class SplitView(LogMisbehaves):
    """The new checkpoint, which the log signed, has another history than the one that was seen: it is worth keeping."""


def grow(tree: Tree, known: Checkpoint | None, new: Checkpoint, read: Callable[[TilePath], bytes]) -> list[bytes]:
    """The entries that ``new`` has and ``known`` (None: nothing was seen yet) has not; their hashes join the ``tree``.

    ``tree`` holds exactly the known entries, and ``read`` gives the bytes of a bundle or hash tile. Every file that is new
    or fuller is read and compared. Raises LogMisbehaves, or whatever ``read`` raises; the tree is then as it was before.

    The steps:
     (1) the same log, not smaller than before, and no second root for the same size
     (2) the bundles, which repeat what is known where they overlap it
     (3) the root over the known and the new entries is the signed one
     (4) every hash tile is what the entries lead to
    """
    _check_order(known, new)  # (1)
    entries = [entry for bundle in _bundles(tree, new.size, read) for entry in bundle]  # (2)
    grown = deepcopy(tree)
    for entry in entries:
        grown.append(leaf_hash(entry))
    if grown.root() != new.root:  # (3)
        raise _wrong_root(tree.size, grown, new, read)
    for tile in paths_between(tree.size, new.size):  # (4)
        if tile.level is not None and read(tile) != tile_bytes(grown, tile.level, tile.index, tile.width):
            raise LogMisbehaves(
                f"The hash tile {tile.text} is not what the log's entries lead to.",
                found="other hashes",
                expected=f"the hashes over the entries of {new.origin} at size {new.size}",
                hint=_SERVED_WRONG,
            )
    for entry in entries:
        tree.append(leaf_hash(entry))
    return entries


def _check_order(known: Checkpoint | None, new: Checkpoint) -> None:
    if known is None:
        return
    if new.origin != known.origin:
        raise LogMisbehaves(
            "This is another log.",
            found=new.origin,
            expected=known.origin,
            hint="A new log follows a closed one under a new address; it never takes its place.",
        )
    if new.size < known.size:
        raise LogMisbehaves(
            "The log was rolled back: it is smaller than it was before.",
            found=f"size {new.size}",
            expected=f"size {known.size} or more",
            hint=_CACHED,
        )
    if new.size == known.size and new.root != known.root:
        raise SplitView(
            "The log shows two histories (split view): the same size with two roots.",
            found=f"size {new.size}, root {to_base64(new.root)}",
            expected=f"root {to_base64(known.root)}",
            hint=_EVIDENCE,
        )


def _bundles(tree: Tree, size: int, read: Callable[[TilePath], bytes]) -> Iterator[Sequence[bytes]]:
    """The new entries of each bundle that a log of ``size`` has beyond the ``tree``."""
    for tile in paths_between(tree.size, size):
        if tile.level is None:
            entries = _entries_in(read(tile), tile)
            start = TILE_WIDTH * tile.index
            overlap = max(0, tree.size - start)
            for index, entry in enumerate(entries[:overlap], start=start):
                if leaf_hash(entry) != tree.hashes(0, index, 1):
                    raise LogMisbehaves(  # a bundle is not signed, so this alone accuses nobody
                        f"The log shows another entry {index} than before.",
                        found=f"leaf hash {leaf_hash(entry).hex()} in {tile.text}",
                        expected=f"leaf hash {tree.hashes(0, index, 1).hex()}",
                        hint=_EVIDENCE,
                    )
            yield entries[overlap:]


def _entries_in(raw: bytes, tile: TilePath) -> list[bytes]:
    try:
        entries = parse_entry_bundle(raw)
    except MalformedProof as error:
        raise LogMisbehaves(
            f"The entry bundle {tile.text} cannot be read: {error.message}",
            found=error.found,
            expected=error.expected,
            hint=_SERVED_WRONG,
        ) from error
    if len(entries) != tile.width:
        raise LogMisbehaves(
            f"The entry bundle {tile.text} has the wrong length.",
            found=f"{len(entries)} entries",
            expected=f"{tile.width}",
            hint=_SERVED_WRONG,
        )
    return entries


def _wrong_root(old: int, grown: Tree, new: Checkpoint, read: Callable[[TilePath], bytes]) -> LogMisbehaves:
    """A bundle that contradicts the hash tile beside it was bent; else the signed tree has another history."""
    for tile in paths_between(old, new.size):
        if tile.level == 0:
            served, ours = read(tile), tile_bytes(grown, 0, tile.index, tile.width)
            if served != ours:
                place = next((at for at in range(tile.width) if _hash_at(served, at) != _hash_at(ours, at)), 0)
                return LogMisbehaves(
                    f"The entry bundle {TilePath(None, tile.index, tile.width).text} contradicts its hash tile"
                    f" {tile.text}.",
                    found=f"entry {TILE_WIDTH * tile.index + place} with leaf hash {_hash_at(ours, place).hex()}",
                    expected=f"leaf hash {_hash_at(served, place).hex()}",
                    hint=_SERVED_WRONG,
                )
    found = f"root {to_base64(new.root)} at size {new.size}"
    expected = f"root {to_base64(grown.root())}, over the entries"
    if old:
        message = f"The log does not continue what it was at size {old} (split view)."
        return SplitView(message, found=found, expected=expected, hint=_EVIDENCE)
    message = "The log's entries do not lead to the root that it signed."
    return LogMisbehaves(message, found=found, expected=expected, hint=_SERVED_WRONG)


def _hash_at(tile: bytes, place: int) -> bytes:
    return tile[HASH_BYTES * place : HASH_BYTES * (place + 1)]
