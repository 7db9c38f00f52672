"""The log core in memory, beside pymerkle doing the same."""

from __future__ import annotations

import hashlib
from time import perf_counter

import pymerkle

from certifier.log.merkle import Tree, leaf_hash

APPENDS = 200_000
PEER_APPENDS = 20_000
LARGE = 1_000_000
PEER_LARGE = 10_000  # pymerkle's proof walks the whole tree; a million leaves would take minutes for each
PROOFS = 2_000


def appends_per_s() -> float:
    """Leaf hashes of 32 bytes, each with all the nodes that it completes; the entries' own hashing is included."""
    tree, entries = Tree(), [number.to_bytes(32, "big") for number in range(APPENDS)]
    began = perf_counter()
    for entry in entries:
        tree.append(leaf_hash(entry))
    tree.root()
    return APPENDS / (perf_counter() - began)


def peer_appends_per_s() -> float:
    tree, entries = (
        pymerkle.InmemoryTree(algorithm="sha256"),
        [number.to_bytes(32, "big") for number in range(PEER_APPENDS)],
    )
    began = perf_counter()
    for entry in entries:
        tree.append_entry(entry)
    tree.get_state()
    return PEER_APPENDS / (perf_counter() - began)


def grown_tree() -> Tree:
    tree = Tree()
    for number in range(LARGE):
        tree.append(hashlib.sha256(number.to_bytes(8, "big")).digest())
    return tree


def grown_peer() -> pymerkle.InmemoryTree:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(PEER_LARGE):
        tree.append_entry(number.to_bytes(8, "big"))
    return tree


def proof_us(tree: Tree) -> float:
    step = LARGE // PROOFS
    began = perf_counter()
    for index in range(0, LARGE, step):
        tree.inclusion_proof(index)
    return (perf_counter() - began) / PROOFS * 1e6


def peer_proof_us(tree: pymerkle.InmemoryTree) -> float:
    began = perf_counter()
    for index in range(1, 51):
        tree.prove_inclusion(index * PEER_LARGE // 51)
    return (perf_counter() - began) / 50 * 1e6
