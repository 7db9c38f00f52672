"""Logs that other programs wrote are read and verified here down to the last byte: Tessera's, and a mirror by Sunlight."""

from __future__ import annotations

from pathlib import Path

import pytest

from certifier.errors import BadSignature
from certifier.log.merkle import Tree, leaf_hash, verify_consistency
from certifier.log.note import open_checkpoint, parse_checkpoint, parse_note, parse_verifier_key, verify_signatures
from certifier.log.proof import InclusionProof, parse_proof, render_proof, verify_proof
from certifier.log.tiles import TilePath, entries_path, parse_entry_bundle, paths_for, root_from_tiles, tile_bytes

VECTORS = Path(__file__).parents[1] / "vectors/log"
TESSERA = VECTORS / "tessera"
SUNLIGHT = VECTORS / "sunlight"
TESSERA_KEY = parse_verifier_key("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
MIRROR_KEY = parse_verifier_key("mirror.example.org+3fb148ef+BAAjjch9GyYz0sJsJx7ALhbdAtz2ov0unbzSl1vMp94O")
WITNESS_KEY = parse_verifier_key("witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN")
ENTRIES = parse_entry_bundle((TESSERA / entries_path(0, 15)).read_bytes())
SIZES = range(16)


def tessera_tree() -> Tree:
    tree = Tree()
    for entry in ENTRIES:
        tree.append(leaf_hash(entry))
    return tree


TREE = tessera_tree()


@pytest.mark.parametrize("size", SIZES)
def test_tesseras_checkpoint_of_every_size_opens_and_has_our_root(size: int) -> None:
    checkpoint = open_checkpoint((TESSERA / f"checkpoint.{size}").read_bytes(), [TESSERA_KEY])
    assert (checkpoint.origin, checkpoint.size) == ("example.com/log/testdata", size)
    assert checkpoint.root == TREE.root(size)


@pytest.mark.parametrize("size", SIZES[1:])
def test_tesseras_files_of_every_size_are_the_ones_that_we_would_write(size: int) -> None:
    for tile in paths_for(size):
        raw = (TESSERA / tile.text).read_bytes()
        if tile.level is None:
            assert parse_entry_bundle(raw) == ENTRIES[:size]
        else:
            assert raw == tile_bytes(TREE, tile.level, tile.index, tile.width)


def test_tesseras_tiles_lead_to_its_signed_roots() -> None:
    for size in SIZES:
        checkpoint = open_checkpoint((TESSERA / f"checkpoint.{size}").read_bytes(), [TESSERA_KEY])
        assert root_from_tiles(size, lambda tile: (TESSERA / tile.text).read_bytes()) == checkpoint.root


def test_tesseras_checkpoints_continue_each_other() -> None:
    signed = [open_checkpoint((TESSERA / f"checkpoint.{size}").read_bytes(), [TESSERA_KEY]) for size in SIZES]
    for new in signed[1:]:
        for old in signed[1 : new.size + 1]:
            proof = TREE.consistency_proof(old.size, new.size)
            verify_consistency(old.size, new.size, proof, old.root, new.root)


def test_tesseras_entries_are_proven_under_its_own_signature() -> None:
    note = (TESSERA / "checkpoint.15").read_bytes()
    for index, entry in enumerate(ENTRIES):
        file = render_proof(InclusionProof(index, tuple(TREE.inclusion_proof(index)), note))
        assert verify_proof(parse_proof(file), entry, [TESSERA_KEY]).size == 15


def sunlight_tile(tile: TilePath) -> bytes:
    return (SUNLIGHT / tile.text).read_bytes()


def test_a_mirrors_cosigned_root_is_the_root_of_its_tiles() -> None:
    note = parse_note((SUNLIGHT / "mirror-checkpoint").read_bytes())
    assert verify_signatures(note, [MIRROR_KEY]) == (MIRROR_KEY,)
    checkpoint = parse_checkpoint(note.text)
    assert (checkpoint.origin, checkpoint.size) == ("rome2026h1.example.org", 300)
    assert root_from_tiles(300, sunlight_tile) == checkpoint.root


def test_a_mirrors_leaf_tiles_lead_to_its_upper_tile_and_root() -> None:
    tree = Tree()
    for tile in (TilePath(0, 0), TilePath(0, 1, 44)):
        raw = sunlight_tile(tile)
        for start in range(0, len(raw), 32):
            tree.append(raw[start : start + 32])
    assert tile_bytes(tree, 1, 0, 1) == sunlight_tile(TilePath(1, 0, 1))
    assert tree.root() == root_from_tiles(300, sunlight_tile)


def test_a_witness_is_verified_beside_a_log_signature_of_a_kind_that_we_do_not_know() -> None:
    """The log signed in the way of certificate transparency (type 0x05), so its own signature is passed over."""
    raw = (SUNLIGHT / "witness-checkpoint").read_bytes()
    assert verify_signatures(parse_note(raw), [WITNESS_KEY]) == (WITNESS_KEY,)
    with pytest.raises(BadSignature, match="not signed by a known log"):
        open_checkpoint(raw, [WITNESS_KEY])
