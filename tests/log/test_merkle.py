"""The tree of the log: right roots, right proofs, and no proof that proves something else."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.errors import MalformedProof, NotFoundError
from certifier.log.merkle import EMPTY_ROOT, Tree, leaf_hash, node_hash, verify_consistency, verify_inclusion

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/log/merkle/vectors.json").read_text())
INCLUSION = {vector["case"]: vector for vector in VECTORS if "leafIdx" in vector}
CONSISTENCY = {vector["case"]: vector for vector in VECTORS if "size1" in vector}


def tree_of(size: int) -> Tree:
    tree = Tree()
    for number in range(size):
        tree.append(leaf_hash(b"entry %d" % number))
    return tree


TREE = tree_of(70)


def hashes_of(vector: dict[str, Any]) -> list[bytes]:
    return [base64.b64decode(text) for text in vector["proof"] or []]


def is_included(vector: dict[str, Any]) -> bool:
    leaf, root = base64.b64decode(vector["leafHash"]), base64.b64decode(vector["root"])
    try:
        verify_inclusion(vector["leafIdx"], vector["treeSize"], leaf, hashes_of(vector), root)
    except MalformedProof:
        return False
    return True


def is_consistent(vector: dict[str, Any]) -> bool:
    old_root, new_root = base64.b64decode(vector["root1"]), base64.b64decode(vector["root2"])
    try:
        verify_consistency(vector["size1"], vector["size2"], hashes_of(vector), old_root, new_root)
    except MalformedProof:
        return False
    return True


def test_all_196_official_vectors_are_here() -> None:
    assert len(INCLUSION) + len(CONSISTENCY) == 196


@pytest.mark.parametrize("vector", INCLUSION.values(), ids=INCLUSION.keys())
def test_inclusion_is_judged_as_the_official_vector_says(vector: dict[str, Any]) -> None:
    assert is_included(vector) is not vector["wantErr"]


# "sizes are equal (one) and proof is empty" holds two equal roots of 12 bytes, which are no SHA-256 hashes: refused here.
STRICTER = {"consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"}


@pytest.mark.parametrize("vector", CONSISTENCY.values(), ids=CONSISTENCY.keys())
def test_consistency_is_judged_as_the_official_vector_says(vector: dict[str, Any]) -> None:
    assert is_consistent(vector) is (not vector["wantErr"] and vector["case"] not in STRICTER)


def test_one_root_is_consistent_with_itself() -> None:
    verify_consistency(1, 1, [], TREE.root(1), TREE.root(1))
    with pytest.raises(MalformedProof, match="does not continue"):
        verify_consistency(1, 1, [], TREE.root(2), TREE.root(1))


def test_the_worked_example_has_the_published_hashes() -> None:
    tree = Tree()
    assert tree.root() == EMPTY_ROOT
    assert [tree.append(leaf_hash(entry)) for entry in (b"one", b"two", b"three")] == [0, 1, 2]
    assert base64.b64encode(EMPTY_ROOT) == b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert leaf_hash(b"one").hex() == "d0d7360ab79f58ab1e1e3fe64ad77e2ea0bc07e36b5f46ed2223edd9298df9e9"
    assert leaf_hash(b"two").hex() == "ab1ab7f07c7c8fe0eff4ba6faa53c7e4412e91a599153e8aa4e01beece5b7825"
    assert leaf_hash(b"three").hex() == "671f146c5e471e8a1a83a3c214ce4ba907b8f3a5888d14cc8cd3ce75bb12ef94"
    assert tree.root(2).hex() == "4f55f619d9215235778b2b9f17d6f4915b16171214d152381293669764de722e"
    assert tree.root().hex() == "5aac771c899ac292e74bf1afe2e6e302f8b55883b2d1bf197b46a6bea6dabca9"
    assert tree.consistency_proof(2) == [leaf_hash(b"three")]
    assert tree.consistency_proof(1) == [leaf_hash(b"two"), leaf_hash(b"three")]


def test_roots_and_paths_agree_with_an_independent_implementation_for_sizes_1_to_70() -> None:
    judge = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(70):
        judge.append_entry(b"entry %d" % number)
    for size in range(1, 71):
        assert TREE.root(size) == judge.get_root(size)
        for index in range(size):
            path = judge.prove_inclusion(index + 1, size).path
            assert [leaf_hash(b"entry %d" % index), *TREE.inclusion_proof(index, size)] == path


def root_as_defined(entries: list[bytes]) -> bytes:
    if len(entries) == 1:
        return leaf_hash(entries[0])
    split = 1 << (len(entries) - 1).bit_length() - 1
    return node_hash(root_as_defined(entries[:split]), root_as_defined(entries[split:]))


def subproof_as_defined(old: int, entries: list[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2, as it stands there."""
    if old == len(entries):
        return [] if whole else [root_as_defined(entries)]
    split = 1 << (len(entries) - 1).bit_length() - 1
    left, right = entries[:split], entries[split:]
    if old <= split:
        return [*subproof_as_defined(old, left, whole=whole), root_as_defined(right)]
    return [*subproof_as_defined(old - split, right, whole=False), root_as_defined(left)]


def test_consistency_proofs_are_those_of_the_definition() -> None:
    entries = [b"entry %d" % number for number in range(40)]
    for new in range(1, 41):
        for old in range(1, new + 1):
            assert TREE.consistency_proof(old, new) == subproof_as_defined(old, entries[:new], whole=True)


def test_every_entry_of_every_size_up_to_70_is_proven() -> None:
    for size in range(1, 71):
        for index in range(size):
            verify_inclusion(
                index, size, leaf_hash(b"entry %d" % index), TREE.inclusion_proof(index, size), TREE.root(size)
            )


def test_every_pair_of_sizes_up_to_40_is_consistent() -> None:
    for new in range(1, 41):
        for old in range(1, new + 1):
            verify_consistency(old, new, TREE.consistency_proof(old, new), TREE.root(old), TREE.root(new))


def test_a_growing_tree_keeps_the_answers_of_its_earlier_sizes() -> None:
    small = tree_of(41)
    assert small.root() == TREE.root(41)
    assert small.inclusion_proof(40) == TREE.inclusion_proof(40, 41)
    assert small.consistency_proof(17) == TREE.consistency_proof(17, 41)


def flip(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")


@given(st.data())
def test_every_flipped_bit_of_an_inclusion_proof_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    parts = [leaf_hash(b"entry %d" % index), TREE.root(size), *TREE.inclusion_proof(index, size)]
    chosen = data.draw(st.integers(0, len(parts) - 1))
    parts[chosen] = flip(parts[chosen], data.draw(st.integers(0, 255)))
    leaf, root, *proof = parts
    with pytest.raises(MalformedProof):
        verify_inclusion(index, size, leaf, proof, root)


@given(st.data())
def test_every_flipped_bit_of_a_consistency_proof_is_refused(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 70))
    old = data.draw(st.integers(1, new))
    parts = [TREE.root(old), TREE.root(new), *TREE.consistency_proof(old, new)]
    chosen = data.draw(st.integers(0, len(parts) - 1))
    parts[chosen] = flip(parts[chosen], data.draw(st.integers(0, 255)))
    old_root, new_root, *proof = parts
    with pytest.raises(MalformedProof):
        verify_consistency(old, new, proof, old_root, new_root)


@given(st.data())
def test_a_proof_for_one_place_proves_no_other_place(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 70))
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(-2, size + 2).filter(lambda place: place != index))
    with pytest.raises(MalformedProof):
        verify_inclusion(
            other, size, leaf_hash(b"entry %d" % index), TREE.inclusion_proof(index, size), TREE.root(size)
        )


def test_a_node_cannot_pass_for_an_entry() -> None:
    forged = TREE.hashes(0, 0, 2)
    assert leaf_hash(forged) != node_hash(forged[:32], forged[32:]) == TREE.root(2)


def test_a_proof_that_is_too_short_says_so() -> None:
    with pytest.raises(MalformedProof) as caught:
        verify_inclusion(3, 70, TREE.hashes(0, 3, 1), TREE.inclusion_proof(3)[:-1], TREE.root())
    assert (caught.value.found, caught.value.expected) == ("6 hashes", "7")


BEYOND = {
    "a root beyond the end": lambda: TREE.root(71),
    "a root of a negative size": lambda: TREE.root(-1),
    "an entry beyond the end": lambda: TREE.inclusion_proof(70),
    "an entry beyond an older size": lambda: TREE.inclusion_proof(10, 10),
    "a negative entry": lambda: TREE.inclusion_proof(-1),
    "an older size that is newer": lambda: TREE.consistency_proof(11, 10),
    "a consistency with the future": lambda: TREE.consistency_proof(70, 71),
}


@pytest.mark.parametrize("ask", BEYOND.values(), ids=BEYOND.keys())
def test_the_tree_answers_for_what_it_holds_only(ask: Any) -> None:
    with pytest.raises(NotFoundError):
        ask()


def test_only_a_hash_can_be_appended() -> None:
    tree = Tree()
    with pytest.raises(MalformedProof, match="wrong length"):
        tree.append(b"an entry instead of its hash")
    assert tree.size == 0


def test_a_first_checkpoint_needs_no_consistency_and_proves_none() -> None:
    """A witness that has seen nothing wants an empty proof; taken as a check, it would hold for every tree."""
    assert TREE.consistency_proof(0, 5) == []
    with pytest.raises(MalformedProof):
        verify_consistency(0, 5, [], EMPTY_ROOT, TREE.root(5))
