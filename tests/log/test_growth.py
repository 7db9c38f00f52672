"""A log may grow and nothing else: whatever contradicts what was seen before is refused, and nothing is taken over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certifier.errors import UnreachableError
from certifier.log.growth import LogMisbehaves, SplitView, grow
from certifier.log.merkle import EMPTY_ROOT, Tree
from certifier.log.note import Checkpoint
from certifier.log.tiles import TilePath, paths_between
from tests.published import checkpoint_of, entries_of, file_bytes, tree_of

ORIGIN = "log.example/2026"
ENTRIES = entries_of(600)
Read = Callable[[TilePath], bytes]


def serving(entries: Sequence[bytes], bent: dict[str, bytes] | None = None, asked: list[str] | None = None) -> Read:
    """The files of a log of these entries, some of them bent."""
    tree = tree_of(entries)

    def read(tile: TilePath) -> bytes:
        if asked is not None:
            asked.append(tile.text)
        return (bent or {}).get(tile.text) or file_bytes(tile, tree, entries)

    return read


def checkpoint(size: int, entries: Sequence[bytes] = ENTRIES) -> Checkpoint:
    return checkpoint_of(ORIGIN, entries[:size])


def test_a_log_is_followed_from_size_to_size() -> None:
    tree, known = Tree(), None
    seen: list[bytes] = []
    for size in (0, 1, 255, 256, 257, 600):
        seen += grow(tree, known, checkpoint(size), serving(ENTRIES[:size]))
        known = checkpoint(size)
        assert (seen, tree.root()) == (ENTRIES[:size], known.root)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 600), min_size=1, max_size=5).map(sorted))
def test_any_steps_lead_to_the_same_tree(sizes: list[int]) -> None:
    tree, known = Tree(), None
    for old, new in pairwise([0, *sizes]):
        assert grow(tree, known, checkpoint(new), serving(ENTRIES[:new])) == ENTRIES[old:new]
        known = checkpoint(new)
    assert tree.root() == checkpoint(sizes[-1]).root


def test_nothing_is_read_when_nothing_is_new() -> None:
    asked: list[str] = []
    assert grow(tree_of(ENTRIES[:300]), checkpoint(300), checkpoint(300), serving(ENTRIES[:300], asked=asked)) == []
    assert asked == []


def test_every_file_that_is_new_or_fuller_is_looked_at() -> None:
    asked: list[str] = []
    grow(tree_of(ENTRIES[:255]), checkpoint(255), checkpoint(600), serving(ENTRIES, asked=asked))
    assert set(asked) == {tile.text for tile in paths_between(255, 600)}
    assert "tile/1/000.p/2" in asked


@dataclass(frozen=True)
class Fault:
    """A log of 300 known entries that goes on wrongly, and how the complaint begins."""

    new: Checkpoint
    entries: Sequence[bytes]
    says: str
    bent: dict[str, bytes] | None = None
    known: int = 300


def bent_bundle(entries: Sequence[bytes], tile: TilePath, place: int) -> dict[str, bytes]:
    changed = [*entries]
    changed[place] = b"another entry"
    return {tile.text: file_bytes(tile, tree_of(entries), changed)}


def bent_tile(tile: TilePath) -> dict[str, bytes]:
    return {tile.text: bytes([file_bytes(tile, tree_of(ENTRIES), ENTRIES)[0] ^ 1]) + b"\0" * (32 * tile.width - 1)}


OTHER = [*ENTRIES[:3], b"another entry 3", *ENTRIES[4:]]
LATER = [*ENTRIES[:290], b"another entry 290", *ENTRIES[291:]]
FAULTS = {
    "a rollback": Fault(checkpoint(299), ENTRIES[:299], "The log was rolled back"),
    "a rollback to nothing": Fault(checkpoint(0), [], "The log was rolled back"),
    "two roots for one size": Fault(checkpoint(300, OTHER), OTHER[:300], "The log shows two histories"),
    "an entry in a full bundle was changed": Fault(checkpoint(600, OTHER), OTHER, "The log does not continue"),
    "the same, seen at the next size": Fault(checkpoint(301, OTHER), OTHER[:301], "The log does not continue"),
    "an entry in the bundle at the edge was changed": Fault(
        checkpoint(600, LATER), LATER, "The log shows another entry 290 than before"
    ),
    "another log": Fault(replace(checkpoint(600), origin="log.example/2027"), ENTRIES, "This is another log"),
    "a bundle with another entry": Fault(
        checkpoint(600), ENTRIES, "The entry bundle tile/entries/001 contradicts its hash tile tile/0/001",
        bent_bundle(ENTRIES, TilePath(None, 1), 400),
    ),
    "a bundle that changes what is known": Fault(
        checkpoint(600), ENTRIES, "The log shows another entry 270", bent_bundle(ENTRIES, TilePath(None, 1), 270)
    ),
    "a bundle that is cut short": Fault(
        checkpoint(600), ENTRIES, "The entry bundle tile/entries/002.p/88 cannot be read",
        {"tile/entries/002.p/88": file_bytes(TilePath(None, 2, 88), tree_of(ENTRIES), ENTRIES)[:-1]},
    ),
    "a bundle that lacks an entry": Fault(
        checkpoint(600), ENTRIES, "The entry bundle tile/entries/002.p/88 has the wrong length",
        {"tile/entries/002.p/88": file_bytes(TilePath(None, 2, 87), tree_of(ENTRIES), ENTRIES)},
    ),
    "a bundle that is no bundle": Fault(
        checkpoint(600), ENTRIES, "The entry bundle tile/entries/001 cannot be read", {"tile/entries/001": b"<html>"}
    ),
    "a bent hash tile": Fault(
        checkpoint(600), ENTRIES, "The hash tile tile/0/002.p/88 is not what", bent_tile(TilePath(0, 2, 88))
    ),
    "a bent hash tile of the upper level": Fault(
        checkpoint(600), ENTRIES, "The hash tile tile/1/000.p/2 is not what", bent_tile(TilePath(1, 0, 2))
    ),
    "a signed root of nothing that was served": Fault(
        Checkpoint(ORIGIN, 600, b"\1" * 32), ENTRIES, "The log's entries do not lead to the root", known=0
    ),
    "an empty log with a root": Fault(
        Checkpoint(ORIGIN, 0, b"\1" * 32), [], "The log's entries do not lead to the root", known=0
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_log_that_misbehaves_is_refused_and_nothing_is_taken_over(fault: Fault) -> None:
    tree = tree_of(ENTRIES[: fault.known])
    known = checkpoint(fault.known) if fault.known else None
    with pytest.raises(LogMisbehaves) as caught:
        grow(tree, known, fault.new, serving(fault.entries, fault.bent))
    assert caught.value.message.startswith(fault.says)
    assert caught.value.found
    assert caught.value.expected
    assert caught.value.hint
    assert (tree.size, tree.root()) == (fault.known, checkpoint(fault.known).root)


def test_only_two_signed_histories_accuse_the_signer() -> None:
    """A bent file may be a cache's fault; a signed root that does not continue the older one is not."""
    accusing = set()
    for name, fault in FAULTS.items():
        try:
            grow(
                tree_of(ENTRIES[: fault.known]), checkpoint(fault.known), fault.new, serving(fault.entries, fault.bent)
            )
        except SplitView:
            accusing.add(name)
        except LogMisbehaves:
            pass
    assert accusing == {
        "two roots for one size",
        "an entry in a full bundle was changed",
        "the same, seen at the next size",
        "an empty log with a root",
    }


def test_the_empty_log_has_the_empty_root() -> None:
    assert grow(Tree(), None, Checkpoint(ORIGIN, 0, EMPTY_ROOT), serving([])) == []


def test_a_network_that_fails_in_the_middle_leaves_the_tree_as_it_was() -> None:
    tree, whole = tree_of(ENTRIES[:300]), serving(ENTRIES)

    def read(tile: TilePath) -> bytes:
        if tile.level == 1:
            raise UnreachableError("gone")
        return whole(tile)

    with pytest.raises(UnreachableError):
        grow(tree, checkpoint(300), checkpoint(600), read)
    assert tree.size == 300
