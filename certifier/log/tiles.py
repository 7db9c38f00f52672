"""The log as static files: the path and the bytes of every hash tile and entry bundle.

Source: c2sp.org/tlog-tiles@v0.1.0. A hash tile of level L holds up to 256 roots of complete subtrees of 256^L entries;
a bundle holds the entries themselves. Where the files lie and which sizes were published is others' business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from certifier.errors import MalformedProof, NotFoundError
from certifier.log.merkle import HASH_BYTES, Tree, root_of_peaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TILE_WIDTH = 256
MAX_ENTRY_BYTES = 0xFFFF

_PATH = re.compile(
    r"tile/(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])"
    r"/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?"
)


@dataclass(frozen=True)
class TilePath:
    """Which file: a hash tile of a level, or an entry bundle when the level is None; partial below a width of 256."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def text(self) -> str:
        """``tile/0/x001/234.p/5``: the index in groups of three digits, all but the last with an x."""
        groups = f"{self.index:,}".split(",")
        *upper, last = [group.zfill(3) for group in groups]
        folder = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return "/".join(["tile", folder, *(f"x{group}" for group in upper), last]) + partial


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    return TilePath(level, index, width).text


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    return TilePath(None, index, width).text


def parse_tile_path(path: str) -> TilePath | None:
    """The tile or bundle that a path names, or None for anything but its one canonical spelling."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    level = None if match["level"] == "entries" else int(match["level"])
    tile = TilePath(level, int(re.sub("[x/]", "", match["index"])), int(match["width"] or TILE_WIDTH))
    return tile if tile.text == path else None


def tile_widths(size: int) -> list[int]:
    """The width of the partial tile at each level of a log of this size; 0 where the level ends with a full tile."""
    widths = []
    while size:
        widths.append(size % TILE_WIDTH)
        size //= TILE_WIDTH
    return widths


def width_at(level: int, index: int, size: int) -> int:
    """How many hashes (or entries) a tile holds in a log of this size: 0 to 256."""
    return min(TILE_WIDTH, max(0, (size >> 8 * level) - TILE_WIDTH * index))


def paths_for(size: int) -> Iterator[TilePath]:
    """Every bundle and every hash tile of a log of this size, full ones first on each level."""
    yield from paths_between(0, size)


def paths_between(old: int, new: int) -> Iterator[TilePath]:
    """Every bundle and hash tile of a log of size ``new`` that one of size ``old`` does not have, or not as full."""
    for level in (None, *range(len(tile_widths(new)))):
        before, hashes = old >> 8 * (level or 0), new >> 8 * (level or 0)
        if hashes > before:
            for index in range(before // TILE_WIDTH, -(-hashes // TILE_WIDTH)):
                yield TilePath(level, index, width_at(level or 0, index, new))


def right_edge(size: int) -> Iterator[TilePath]:
    """The last bundle, and the last hash tile of each level, of a log of this size."""
    for level in (None, *range(len(tile_widths(size)))):
        last = ((size >> 8 * (level or 0)) - 1) // TILE_WIDTH
        yield TilePath(level, last, width_at(level or 0, last, size))


def tile_bytes(tree: Tree, level: int, index: int, width: int = TILE_WIDTH) -> bytes:
    """The bytes of a hash tile. Raises NotFoundError when the tree does not hold so many hashes there."""
    held = width_at(level, index, tree.size)
    if not 0 < width <= held:
        raise NotFoundError(
            "The log has no such tile.", found=tile_path(level, index, width), expected=f"a width up to {held}"
        )
    return tree.hashes(8 * level, TILE_WIDTH * index, width)


def root_from_tiles(size: int, read: Callable[[TilePath], bytes]) -> bytes:
    """The root of a log of this size from the tiles at its right edge, one for each level: a second way to the root.

    ``read`` gives the bytes of a tile. Raises MalformedProof for a tile of the wrong length.
    """
    peaks: list[bytes] = []
    for level, width in enumerate(tile_widths(size)):
        if width:
            tile = TilePath(level, (size >> 8 * level) // TILE_WIDTH, width)
            peaks += _tree_of(read(tile), tile).peaks()
    return root_of_peaks(peaks)


def _tree_of(raw: bytes, tile: TilePath) -> Tree:
    if len(raw) != HASH_BYTES * tile.width:
        raise MalformedProof(
            f"The tile {tile.text} has the wrong length.",
            found=f"{len(raw)} bytes",
            expected=f"{HASH_BYTES * tile.width}",
        )
    tree = Tree()
    for start in range(0, len(raw), HASH_BYTES):
        tree.append(raw[start : start + HASH_BYTES])
    return tree


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """1 to 256 entries, each behind its length as a big-endian uint16. Raises MalformedProof when they do not fit."""
    _check_count(len(entries))
    longest = max(len(entry) for entry in entries)
    if longest > MAX_ENTRY_BYTES:
        raise MalformedProof(
            "A log entry is too long.", found=f"{longest} bytes", expected=f"at most {MAX_ENTRY_BYTES}"
        )
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_entry_bundle(raw: bytes) -> list[bytes]:
    """The entries of a bundle. Raises MalformedProof when it is cut short, empty or holds more than 256."""
    entries = []
    start = 0
    while start < len(raw):
        end = start + 2 + int.from_bytes(raw[start : start + 2], "big")
        if end > len(raw):
            raise MalformedProof(
                "The entry bundle is cut short.", found=f"{len(raw)} bytes", expected=f"at least {end}"
            )
        entries.append(raw[start + 2 : end])
        start = end
    _check_count(len(entries))
    return entries


def _check_count(count: int) -> None:
    if not 1 <= count <= TILE_WIDTH:
        raise MalformedProof("This is not an entry bundle.", found=f"{count} entries", expected="1 to 256 entries")
