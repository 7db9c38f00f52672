"""The proof file: one file and the log's key show, without a network, that the log holds an entry."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.crypto.signing import SigningKey
from certifier.errors import BadSignature, MalformedNote, MalformedProof
from certifier.log.merkle import Tree, leaf_hash
from certifier.log.note import Checkpoint, open_checkpoint, parse_verifier_key, sign_checkpoint, verifier_key_for
from certifier.log.proof import (
    MAX_PROOF_BYTES,
    InclusionProof,
    parse_proof,
    render_proof,
    verify_entry,
    verify_proof,
)

FILE = (Path(__file__).parents[1] / "vectors/log/worked-example/two.tlog-proof").read_bytes()
KEYS = [
    parse_verifier_key("log.example/2026+83cf0d7d+AfUtAVGdFKoM8LWlhA4GDM06OguVxQ0pL33oPzuJ0Ah0"),
    parse_verifier_key("witness.example/w1+b49a8958+BIrm3NHX+yA/XzoqKZOSDwbNgUzxXDPgrpC/m95zVNYo"),
]
SIGNER = SigningKey.from_seed(sha256(b"worked example").digest())


def replaced(old: str, new: str) -> bytes:
    assert old.encode() in FILE
    return FILE.replace(old.encode(), new.encode(), 1)


def test_the_worked_example_is_read_and_written_byte_for_byte() -> None:
    proof = parse_proof(FILE)
    assert (proof.index, proof.hashes) == (1, (leaf_hash(b"one"), leaf_hash(b"three")))
    assert proof.checkpoint == FILE.partition(b"\n\n")[2]
    assert proof.extra is None
    assert render_proof(proof) == FILE


def test_the_worked_example_proves_its_entry() -> None:
    checkpoint = verify_proof(parse_proof(FILE), b"two", KEYS)
    assert (checkpoint.origin, checkpoint.size) == ("log.example/2026", 3)


def test_a_checkpoint_that_was_opened_before_can_be_remembered() -> None:
    proof = parse_proof(FILE)
    checkpoint = open_checkpoint(proof.checkpoint, KEYS)
    assert verify_entry(proof, b"two", checkpoint) is checkpoint
    with pytest.raises(MalformedProof):
        verify_entry(proof, b"one", checkpoint)


def test_extra_data_is_carried_along() -> None:
    for extra in (b"", b"\x00 and more"):
        proof = InclusionProof(0, (), b"note", extra)
        assert parse_proof(render_proof(proof)) == proof
    line = f"extra {base64.b64encode(b'salt').decode()}\nindex 1"
    assert parse_proof(replaced("index 1", line)).extra == b"salt"


@given(
    st.builds(
        InclusionProof,
        index=st.integers(0, 2**63 - 1),
        hashes=st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
        checkpoint=st.binary(max_size=200),
        extra=st.none() | st.binary(max_size=100),
    )
)
def test_a_proof_is_read_as_it_was_written(proof: InclusionProof) -> None:
    assert parse_proof(render_proof(proof)) == proof


@given(st.integers(1, 300), st.data())
def test_every_entry_of_every_log_is_proven_by_its_file_and_no_other_entry_is(size: int, data: st.DataObject) -> None:
    tree = Tree()
    for number in range(size):
        tree.append(leaf_hash(b"entry %d" % number))
    index = data.draw(st.integers(0, size - 1))
    note = sign_checkpoint(Checkpoint("log.example/2026", size, tree.root()), SIGNER)
    file = render_proof(InclusionProof(index, tuple(tree.inclusion_proof(index)), note))
    assert verify_proof(parse_proof(file), b"entry %d" % index, KEYS).size == size
    with pytest.raises(MalformedProof):
        verify_proof(parse_proof(file), b"entry %d" % (index + 1), KEYS)


@given(st.integers(0, 8 * len(FILE) - 1))
def test_every_flipped_bit_of_a_proof_file_is_refused(bit: int) -> None:
    bent = bytearray(FILE)
    bent[bit // 8] ^= 1 << bit % 8
    if bent.startswith(FILE.partition(b"\n\xe2\x80\x94 witness")[0]):
        return  # a bit of the witness's name or id makes it an unknown witness, whose line is passed over
    with pytest.raises((MalformedProof, MalformedNote, BadSignature)):
        verify_proof(parse_proof(bytes(bent)), b"two", KEYS)


def test_a_known_witness_whose_signature_fails_refuses_the_proof() -> None:
    bent = parse_proof(replaced("tJqJWAAAAABq", "tJqJWAAAAABr"))
    assert verify_proof(bent, b"two", KEYS[:1]).size == 3
    with pytest.raises(BadSignature, match=r"witness\.example/w1"):
        verify_proof(bent, b"two", KEYS)


def test_a_proof_needs_the_key_of_its_own_log() -> None:
    with pytest.raises(BadSignature):
        verify_proof(parse_proof(FILE), b"two", [verifier_key_for("log.example/2027", SIGNER.public)])


SLOPPY_PROOFS = {
    "another first line": replaced("@v1", "@v2"),
    "a byte order mark": b"\xef\xbb\xbf" + FILE,
    "carriage returns": FILE.replace(b"\n", b"\r\n"),
    "no index": replaced("index 1\n", ""),
    "an index with a plus": replaced("index 1", "index +1"),
    "an index with a leading zero": replaced("index 1", "index 01"),
    "an index in other digits": replaced("index 1", "index ١"),
    "an index with two spaces": replaced("index 1", "index  1"),
    "an index without a space": replaced("index 1", "index1"),
    "an index of 2^63": replaced("index 1", f"index {2**63}"),
    "two indexes": replaced("index 1", "index 1\nindex 1"),
    "extra after the index": replaced("index 1", "index 1\nextra c2FsdA=="),
    "extra twice": replaced("index 1", "extra c2FsdA==\nextra c2FsdA==\nindex 1"),
    "extra that is no base64": replaced("index 1", "extra c2FsdA\nindex 1"),
    "a hash of 31 bytes": replaced(
        "0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=", base64.b64encode(bytes(31)).decode()
    ),
    "a hash with unused bits set": replaced("+ek=", "+el="),
    "a hash with a space": replaced("+ek=", "+ek= "),
    "a hash that is no text": FILE.replace(b"0Nc2", b"\xff\xfe\xfd\xfc"),
    "no checkpoint": FILE.partition(b"\n\n")[0] + b"\n",
    "no end of the hashes": FILE.partition(b"\n\n")[0],
    "nothing": b"",
    "half a megabyte": FILE + bytes(MAX_PROOF_BYTES),
}


@pytest.mark.parametrize("raw", SLOPPY_PROOFS.values(), ids=SLOPPY_PROOFS.keys())
def test_a_sloppy_proof_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedProof) as caught:
        parse_proof(raw)
    assert caught.value.expected


@given(st.binary(max_size=200) | st.text(alphabet="index extra\n012+/=", max_size=80).map(str.encode))
def test_any_bytes_end_in_a_proof_or_in_the_named_error(raw: bytes) -> None:
    start = b"c2sp.org/tlog-proof@v1\n"
    try:
        proof = parse_proof(start + raw)
    except MalformedProof:
        return
    assert render_proof(proof) == start + raw
