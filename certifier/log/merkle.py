"""The Merkle tree of the log: a growing tree in memory, and the two checks that anybody can make without it.

Sources: RFC 6962 section 2.1 (hashes, proofs), RFC 9162 section 2.1 (verification). All hashes are SHA-256, 32 bytes.
Which root to believe is not decided here: that is a signed checkpoint's business (``note``).
"""

from __future__ import annotations

from functools import reduce
from hashlib import sha256
from typing import TYPE_CHECKING

from certifier.errors import MalformedProof, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    # RFC 6962 section 2.1: leaves and nodes are hashed with different first bytes, else a node could pass for a leaf.
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root_of_peaks(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees that stand side by side, given from the right (the smallest) to the left."""
    return reduce(lambda right, left: node_hash(left, right), peaks) if peaks else EMPTY_ROOT


def grown_peaks(size: int, peaks: Sequence[bytes], leaves: Iterable[bytes]) -> list[bytes]:
    """The peaks, from the right to the left, after ``leaves`` (hashes) were appended to the tree of ``size`` with ``peaks``.

    A log can grow by its right edge alone; ``Tree`` reaches the same root by another path. Raises MalformedProof when the
    number of peaks does not fit the size.
    """
    _check_hashes(*peaks)
    _check_length(peaks, size.bit_count())
    grown = list(peaks)
    for position, leaf in enumerate(leaves, start=size):
        _check_hashes(leaf)
        node, carried = leaf, 0
        while position >> carried & 1:  # the smallest peak has the same width: join them
            node, carried = node_hash(grown[carried], node), carried + 1
        grown[:carried] = [node]
    return grown


class Tree:
    """All leaf hashes and the nodes above them, one flat array for each level; it only grows.

    One writer at a time. A reader who names a size that was complete gets the answers of that size, also while the
    tree grows. About 64 bytes for each leaf.
    """

    def __init__(self) -> None:
        self._levels = [bytearray()]

    @property
    def size(self) -> int:
        return len(self._levels[0]) // HASH_BYTES

    def append(self, leaf: bytes) -> int:
        """Add a leaf hash and every node that it completes; returns the leaf's index."""
        _check_hashes(leaf)
        levels = self._levels
        index = position = len(levels[0]) // HASH_BYTES
        levels[0] += leaf
        node, level = leaf, 0
        while position & 1:  # a right child: its left sibling stands just before it
            node = sha256(b"\x01" + levels[level][-2 * HASH_BYTES :]).digest()
            level, position = level + 1, position >> 1
            if level == len(levels):
                levels.append(bytearray())
            levels[level] += node
        return index

    def hashes(self, level: int, start: int, count: int) -> bytes:
        """Roots of complete subtrees of 2^level leaves, joined: ``count`` of them, or fewer where the tree ends."""
        if level >= len(self._levels):
            return b""
        return bytes(self._levels[level][HASH_BYTES * start : HASH_BYTES * (start + count)])

    def peaks(self, size: int | None = None) -> list[bytes]:
        """Roots of the complete subtrees that make up the first ``size`` leaves, from the right to the left."""
        return self._peaks(0, self._known(size))

    def root(self, size: int | None = None) -> bytes:
        """The root over the first ``size`` leaves (all of them when None). Raises NotFoundError beyond the end."""
        return root_of_peaks(self.peaks(size))

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """Sibling hashes from the leaf up to the root (RFC 6962 section 2.1.1). Raises NotFoundError beyond the end."""
        size = self._known(size)
        if not 0 <= index < size:
            raise NotFoundError("The log has no such entry.", found=f"index {index}", expected=f"below {size}")
        return self._path(0, index, size)

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """Hashes that show ``new`` to be a continuation of ``old`` (RFC 6962 section 2.1.2).

        None are needed from the empty tree, nor to the same size.
        """
        new = self._known(new)
        if not 0 <= old <= new:
            raise NotFoundError("The log has no such older size.", found=f"size {old}", expected=f"0 to {new}")
        if old in {0, new}:
            return []
        level, index = _last_complete(old)
        # The verifier of a complete old tree holds its root already; any other needs that right-most subtree first.
        start = [] if old == 1 << level else [self._node(level, index)]
        return start + self._path(level, index, new)

    def _known(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise NotFoundError("The log has no such size.", found=f"size {size}", expected=f"0 to {self.size}")
        return size

    def _node(self, level: int, index: int) -> bytes:
        return self.hashes(level, index, 1)

    def _peaks(self, begin: int, end: int) -> list[bytes]:
        """As ``peaks``, for the leaves from ``begin``, which is a multiple of every subtree's width."""
        width = end - begin
        levels = (level for level in range(width.bit_length()) if width >> level & 1)
        return [self._node(level, (begin >> level) + (width >> level) - 1) for level in levels]

    def _path(self, level: int, index: int, size: int) -> list[bytes]:
        """The siblings on the way from one complete subtree to the root over ``size`` leaves."""
        path = []
        last = (size - 1) >> level
        while last:
            sibling = index ^ 1
            if sibling <= last:
                path.append(self._subtree(level, sibling, size))
            level, index, last = level + 1, index >> 1, last >> 1
        return path

    def _subtree(self, level: int, index: int, size: int) -> bytes:
        if (index + 1) << level <= size:
            return self._node(level, index)
        return root_of_peaks(self._peaks(index << level, size))


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """The tree of ``size`` leaves under ``root`` holds the leaf hash at ``index`` (RFC 9162 section 2.1.3.2).

    Raises MalformedProof when it does not, or when the proof has another shape than these numbers ask for.
    """
    if not 0 <= index < size:
        raise MalformedProof("The entry lies outside the tree.", found=f"index {index}", expected=f"below {size}")
    _check_hashes(leaf, *proof, root)
    sides = list(_sides(index, size - 1))
    _check_length(proof, len(sides))
    computed = leaf
    for sibling, stands_left in zip(proof, sides, strict=True):
        computed = node_hash(sibling, computed) if stands_left else node_hash(computed, sibling)
    _check_root(computed, root, "The log does not hold this entry at this place.")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """The tree under ``new_root`` continues the tree under ``old_root``: nothing was changed or taken out.

    RFC 9162 section 2.1.4.2. Raises MalformedProof when it does not. An empty old tree is refused, since every tree
    continues it and the check would say nothing.
    """
    if not 0 < old <= new:
        raise MalformedProof("These sizes have no consistency.", found=f"{old} to {new}", expected="0 < old <= new")
    _check_hashes(*proof, old_root, new_root)
    level, index = _last_complete(old)
    sides = list(_sides(index, (new - 1) >> level)) if old < new else []
    whole = old in {1 << level, new}
    _check_length(proof, len(sides) + (not whole))
    start, path = (old_root, proof) if whole else (proof[0], proof[1:])
    old_computed = new_computed = start
    for sibling, stands_left in zip(path, sides, strict=True):
        if stands_left:
            old_computed = node_hash(sibling, old_computed)
        new_computed = node_hash(sibling, new_computed) if stands_left else node_hash(new_computed, sibling)
    _check_root(old_computed, old_root, "The proof does not lead to the older root.")
    _check_root(new_computed, new_root, "The newer tree does not continue the older one.")


def _last_complete(size: int) -> tuple[int, int]:
    """Level and index of the right-most complete subtree of a tree."""
    level = (size & -size).bit_length() - 1
    return level, (size - 1) >> level


def _sides(index: int, last: int) -> Iterator[bool]:
    """For each sibling between a node and the root: does it stand on the left? ``last`` is the level's last index."""
    while last:
        if index & 1 or index < last:
            yield bool(index & 1)
        index, last = index >> 1, last >> 1


def _check_hashes(*hashes: bytes) -> None:
    for value in hashes:
        if len(value) != HASH_BYTES:
            raise MalformedProof("A hash has the wrong length.", found=f"{len(value)} bytes", expected="32 bytes")


def _check_length(proof: Sequence[bytes], expected: int) -> None:
    if len(proof) != expected:
        raise MalformedProof("The proof has the wrong length.", found=f"{len(proof)} hashes", expected=f"{expected}")


def _check_root(computed: bytes, root: bytes, message: str) -> None:
    if computed != root:
        raise MalformedProof(
            message,
            found=f"root {computed.hex()}",
            expected=f"root {root.hex()}",
            hint="Fetch the proof again; if it stays like this, the log or its copy was changed.",
        )
