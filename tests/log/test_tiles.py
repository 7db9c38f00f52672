"""The public files of the log: one path for each, the right bytes in each, and nothing under any other path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.errors import MalformedProof, NotFoundError
from certifier.log.merkle import EMPTY_ROOT, Tree, leaf_hash
from certifier.log.tiles import (
    TilePath,
    entries_path,
    entry_bundle,
    parse_entry_bundle,
    parse_tile_path,
    paths_for,
    root_from_tiles,
    tile_bytes,
    tile_path,
    tile_widths,
    width_at,
)


def tree_of(*entries: bytes) -> Tree:
    tree = Tree()
    for entry in entries:
        tree.append(leaf_hash(entry))
    return tree


EXAMPLE = tree_of(b"one", b"two", b"three")
LARGE = tree_of(*(b"entry %d" % number for number in range(70_000)))

PATHS = {
    "tile/0/000": TilePath(0, 0),
    "tile/0/000.p/3": TilePath(0, 0, 3),
    "tile/0/999": TilePath(0, 999),
    "tile/0/x001/000": TilePath(0, 1000),
    "tile/0/x001/x234/067": TilePath(0, 1_234_067),
    "tile/63/x001/234.p/255": TilePath(63, 1234, 255),
    "tile/9/000.p/10": TilePath(9, 0, 10),
    "tile/entries/000": TilePath(None, 0),
    "tile/entries/x273/999.p/112": TilePath(None, 273_999, 112),
}


@pytest.mark.parametrize(("path", "tile"), PATHS.items(), ids=PATHS.keys())
def test_every_file_has_its_path(path: str, tile: TilePath) -> None:
    assert tile.text == path
    assert parse_tile_path(path) == tile


def test_paths_are_named_by_level_or_as_entries() -> None:
    assert tile_path(0, 1234, 5) == "tile/0/x001/234.p/5"
    assert entries_path(1_234_067) == "tile/entries/x001/x234/067"


NO_PATHS = {
    "an index of two digits": "tile/0/00",
    "an index of one digit": "tile/0/0",
    "an index of four digits": "tile/0/0000",
    "a group of zeros in front": "tile/0/x000/000",
    "an x on the last group": "tile/0/x001",
    "no x on the first group": "tile/0/001/000",
    "a capital X": "tile/0/X001/000",
    "a width of zero": "tile/0/000.p/0",
    "a full width": "tile/0/000.p/256",
    "a width beyond a full one": "tile/0/000.p/257",
    "a width with a leading zero": "tile/0/000.p/03",
    "no width": "tile/0/000.p/",
    "a negative width": "tile/0/000.p/-1",
    "an escaped dot": "tile/0/000%2ep/3",
    "other digits": "tile/0/٠٠٠",
    "level 64": "tile/64/000",
    "a level with a leading zero": "tile/00/000",
    "a negative level": "tile/-1/000",
    "another kind": "tile/data/000",
    "a slash in front": "/tile/0/000",
    "a slash at the end": "tile/0/000/",
    "a line feed at the end": "tile/0/000\n",
    "two slashes": "tile//0/000",
    "a way up": "tile/0/../000",
    "an absurd index": "tile/0/" + "x999/" * 400 + "999",
    "the checkpoint": "checkpoint",
    "nothing": "",
}


@pytest.mark.parametrize("path", NO_PATHS.values(), ids=NO_PATHS.keys())
def test_every_other_path_is_none(path: str) -> None:
    assert parse_tile_path(path) is None


@given(st.none() | st.integers(0, 63), st.integers(0, 10**20), st.integers(1, 256))
def test_every_path_is_read_as_it_was_written(level: int | None, index: int, width: int) -> None:
    tile = TilePath(level, index, width)
    assert parse_tile_path(tile.text) == tile


@given(st.text(alphabet="tile/0123x.pens", max_size=30).map(lambda text: "tile/" + text))
def test_a_path_that_is_read_is_the_only_spelling(path: str) -> None:
    tile = parse_tile_path(path)
    assert tile is None or tile.text == path


def test_a_log_of_70000_has_the_tiles_of_the_specification() -> None:
    assert tile_widths(70_000) == [112, 17, 1]
    paths = [tile.text for tile in paths_for(70_000)]
    assert len(paths) == len(set(paths)) == 2 * 274 + 2 + 1
    assert paths[272:274] == ["tile/entries/272", "tile/entries/273.p/112"]
    assert paths[-4:] == ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]


def test_a_log_of_256_has_a_full_tile_and_a_partial_one_above_it() -> None:
    assert tile_widths(256) == [0, 1]
    assert [tile.text for tile in paths_for(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]


def test_an_empty_log_has_no_tiles() -> None:
    assert tile_widths(0) == []
    assert list(paths_for(0)) == []
    assert root_from_tiles(0, lambda _: b"") == EMPTY_ROOT


def test_the_worked_example_is_written_byte_for_byte() -> None:
    tile = tile_bytes(EXAMPLE, 0, 0, 3)
    assert len(tile) == 96
    assert (tile[:4].hex(), tile[-4:].hex()) == ("d0d7360a", "bb12ef94")
    assert tile == leaf_hash(b"one") + leaf_hash(b"two") + leaf_hash(b"three")
    assert entry_bundle([b"one", b"two", b"three"]).hex() == "00036f6e65000374776f00057468726565"


def test_a_hash_of_an_upper_tile_is_the_root_of_a_full_tile_below() -> None:
    for index in range(17):
        full = Tree()
        tile = tile_bytes(LARGE, 0, 256 + index)
        for start in range(0, len(tile), 32):
            full.append(tile[start : start + 32])
        assert tile_bytes(LARGE, 1, 1, 17)[32 * index :][:32] == full.root()


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 69_999, 70_000])
def test_the_tiles_at_the_right_edge_lead_to_the_same_root(size: int) -> None:
    def read(tile: TilePath) -> bytes:
        assert tile in set(paths_for(size))
        return tile_bytes(LARGE, tile.level or 0, tile.index, tile.width)

    assert root_from_tiles(size, read) == LARGE.root(size)


@given(st.sampled_from(["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]), st.data())
def test_every_flipped_bit_of_a_tile_at_the_edge_leads_to_another_root(path: str, data: st.DataObject) -> None:
    def read(tile: TilePath) -> bytes:
        raw = bytearray(tile_bytes(LARGE, tile.level or 0, tile.index, tile.width))
        if tile.text == path:
            bit = data.draw(st.integers(0, 8 * len(raw) - 1))
            raw[bit // 8] ^= 1 << bit % 8
        return bytes(raw)

    assert root_from_tiles(70_000, read) != LARGE.root()


def test_a_tile_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(MalformedProof, match=r"tile/0/000\.p/3"):
        root_from_tiles(3, lambda _: bytes(64))


def test_a_tile_holds_what_the_size_gives_it() -> None:
    assert [width_at(0, index, 70_000) for index in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [width_at(level, 0, 70_000) for level in (0, 1, 2, 3, 63)] == [256, 256, 1, 0, 0]


NO_TILES = {
    "wider than the log": (0, 0, 4),
    "full before the log is": (0, 0, 256),
    "of no width": (0, 0, 0),
    "beyond the end": (0, 1, 1),
    "of a level that is not reached": (1, 0, 1),
    "of the highest level": (63, 0, 1),
}


@pytest.mark.parametrize("tile", NO_TILES.values(), ids=NO_TILES.keys())
def test_a_tile_that_the_log_does_not_hold_is_not_found(tile: tuple[int, int, int]) -> None:
    with pytest.raises(NotFoundError):
        tile_bytes(EXAMPLE, *tile)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_a_bundle_is_read_as_it_was_written(entries: list[bytes]) -> None:
    assert parse_entry_bundle(entry_bundle(entries)) == entries


@given(st.binary(max_size=40))
def test_any_bytes_end_in_entries_or_in_the_named_error(raw: bytes) -> None:
    try:
        entries = parse_entry_bundle(raw)
    except MalformedProof:
        return
    assert entry_bundle(entries) == raw


BAD_BUNDLES = {
    "no entry": b"",
    "half a length": b"\x00",
    "a length without its entry": b"\x00\x05abc",
    "one byte too many": b"\x00\x03one\x00",
    "257 entries": b"\x00\x00" * 257,
}


@pytest.mark.parametrize("raw", BAD_BUNDLES.values(), ids=BAD_BUNDLES.keys())
def test_a_bundle_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedProof):
        parse_entry_bundle(raw)


@pytest.mark.parametrize("entries", [[], [b""] * 257, [bytes(65_536)]], ids=["none", "257", "a long one"])
def test_entries_that_do_not_fit_a_bundle_are_refused(entries: list[bytes]) -> None:
    with pytest.raises(MalformedProof):
        entry_bundle(entries)


def test_the_longest_entry_fits() -> None:
    assert parse_entry_bundle(entry_bundle([bytes(65_535)])) == [bytes(65_535)]
