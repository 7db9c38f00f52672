"""The bytes between log and witness (c2sp.org/tlog-witness, "add-checkpoint"): ours are exact, nearly right is refused."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.crypto.signing import SigningKey
from certifier.errors import BadSignature, CertifierError, MalformedNote, MalformedProof
from certifier.log.merkle import leaf_hash, node_hash
from certifier.log.note import (
    COSIGNATURE,
    Checkpoint,
    cosigned_message,
    parse_checkpoint,
    parse_note,
    sign_checkpoint,
    verifier_key_for,
)
from certifier.log.witness import (
    AddCheckpoint,
    add_checkpoint_body,
    parse_add_checkpoint,
    parse_cosignatures,
    parse_witness_size,
    with_cosignatures,
)

EXAMPLE = Path(__file__).parents[1] / "vectors/log/worked-example"
NOTE = (EXAMPLE / "checkpoint").read_bytes()
COSIGNED = (EXAMPLE / "two.tlog-proof").read_bytes().partition(b"\n\n")[2]
LINE = COSIGNED.decode().removeprefix(NOTE.decode()).removesuffix("\n")
TEXT = parse_note(NOTE).text
SIGNER = SigningKey.from_seed(sha256(b"worked example").digest())
WITNESS_SIGNER = SigningKey.from_seed(sha256(b"worked witness").digest())
WITNESS = verifier_key_for("witness.example/w1", WITNESS_SIGNER.public, COSIGNATURE)
LEAF_THREE = bytes.fromhex("671f146c5e471e8a1a83a3c214ce4ba907b8f3a5888d14cc8cd3ce75bb12ef94")
BODY = b"old 2\nZx8UbF5HHooag6PCFM5LqQe486WIjRTMjNPOdbsS75Q=\n\n" + NOTE


def cosignature(
    timestamp: int = 1_790_000_000, *, name: str = WITNESS.name, by: SigningKey = WITNESS_SIGNER, text: str = TEXT
) -> str:
    """A line put together without asking the product."""
    key_id = sha256(name.encode() + b"\n\x04" + by.public.raw).digest()[:4]
    value = timestamp.to_bytes(8, "big") + by.sign(cosigned_message(text, timestamp))
    return f"— {name} {base64.b64encode(key_id + value).decode()}"


def test_the_worked_request_is_written_byte_for_byte() -> None:
    """From size 2 to 3 the proof is the third leaf."""
    assert leaf_hash(b"three") == LEAF_THREE
    assert add_checkpoint_body(2, [LEAF_THREE], NOTE) == BODY
    assert parse_add_checkpoint(BODY) == AddCheckpoint(2, (LEAF_THREE,), NOTE)


def test_the_first_request_has_no_proof() -> None:
    assert add_checkpoint_body(0, [], NOTE) == b"old 0\n\n" + NOTE
    assert parse_add_checkpoint(b"old 0\n\n" + NOTE) == AddCheckpoint(0, (), NOTE)


def test_the_worked_cosignature_is_added_byte_for_byte() -> None:
    assert cosignature() == LINE
    lines = parse_cosignatures(LINE.encode() + b"\n", WITNESS, TEXT)
    assert lines == (LINE,)
    assert with_cosignatures(NOTE, lines) == COSIGNED


SLOPPY_REQUESTS: dict[str, tuple[bytes, type[CertifierError]]] = {
    "nothing": (b"", MalformedProof),
    "only a checkpoint": (NOTE, MalformedProof),
    "no empty line": (BODY.replace(b"\n\nlog", b"\nlog"), MalformedProof),
    "no checkpoint": (BODY.partition(b"\n\n")[0] + b"\n\n", MalformedNote),
    "a checkpoint without a signature": (BODY.partition("\n\n—".encode())[0] + b"\n", MalformedNote),
    "a plus before the old size": (BODY.replace(b"old 2", b"old +2"), MalformedProof),
    "an old size with a leading zero": (BODY.replace(b"old 2", b"old 02"), MalformedProof),
    "an old size of 2^63": (BODY.replace(b"old 2", f"old {2**63}".encode()), MalformedProof),
    "two spaces before the old size": (BODY.replace(b"old 2", b"old  2"), MalformedProof),
    "a capital letter": (BODY.replace(b"old 2", b"Old 2"), MalformedProof),
    "a proof line of 31 bytes": (b"old 2\n" + base64.b64encode(bytes(31)) + b"\n\n" + NOTE, MalformedProof),
    "a proof line without padding": (BODY.replace(b"75Q=", b"75Q"), MalformedProof),
    "a proof line with unused bits set": (BODY.replace(b"75Q=", b"75R="), MalformedProof),
    "carriage returns": (BODY.replace(b"\n", b"\r\n"), MalformedProof),
    "no UTF-8": (b"old 2\n\xff\n\n" + NOTE, MalformedProof),
    "64 proof lines": (b"old 2\n" + 64 * (base64.b64encode(bytes(32)) + b"\n") + b"\n" + NOTE, MalformedProof),
    "half a megabyte": (b"old 2\n" + b"A" * 2**19, MalformedProof),
}


@pytest.mark.parametrize(("raw", "error"), SLOPPY_REQUESTS.values(), ids=SLOPPY_REQUESTS.keys())
def test_a_sloppy_request_is_refused(raw: bytes, error: type[CertifierError]) -> None:
    with pytest.raises(error) as caught:
        parse_add_checkpoint(raw)
    assert caught.value.found or caught.value.expected


NEVER_SENT = {
    "a negative old size": (-1, [], NOTE),
    "an old size of 2^63": (2**63, [], NOTE),
    "a proof from the empty tree": (0, [bytes(32)], NOTE),
    "a proof of 64 hashes": (2, [bytes(32)] * 64, NOTE),
    "a hash of 31 bytes": (2, [bytes(31)], NOTE),
    "no note": (2, [], b""),
}


@pytest.mark.parametrize(("old_size", "proof", "note"), NEVER_SENT.values(), ids=NEVER_SENT.keys())
def test_a_request_that_the_specification_forbids_is_not_written(
    old_size: int, proof: list[bytes], note: bytes
) -> None:
    with pytest.raises((MalformedProof, MalformedNote)):
        add_checkpoint_body(old_size, proof, note)


HASHES = st.binary(min_size=32, max_size=32)


@given(st.integers(1, 2**63 - 1), st.lists(HASHES, max_size=63), st.integers(0, 2**63 - 1), HASHES)
def test_a_request_is_read_as_it_was_written(old_size: int, proof: list[bytes], size: int, root: bytes) -> None:
    note = sign_checkpoint(Checkpoint("log.example/2026", size, root), SIGNER)
    assert parse_add_checkpoint(add_checkpoint_body(old_size, proof, note)) == AddCheckpoint(
        old_size, tuple(proof), note
    )


@given(st.binary(max_size=120) | st.text(alphabet="old 20\n=A—/", max_size=60).map(str.encode))
def test_any_bytes_end_in_a_request_or_in_the_named_errors(start: bytes) -> None:
    for raw in (start, start + NOTE, start + b"\n\n" + NOTE):
        try:
            request = parse_add_checkpoint(raw)
        except (MalformedProof, MalformedNote):
            continue
        if request.old_size or not request.consistency_proof:
            assert add_checkpoint_body(request.old_size, request.consistency_proof, request.note) == raw


def test_lines_by_other_keys_are_passed_over() -> None:
    """A witness may answer with more of its keys, post-quantum ones too, and with those of others."""
    post_quantum = f"— {WITNESS.name} {base64.b64encode(bytes(4 + 8 + 2420)).decode()}"
    other = cosignature(name="witness.example/w2", by=SIGNER)
    answer = f"{other}\n{post_quantum}\n{LINE}\n".encode()
    assert parse_cosignatures(answer, WITNESS, TEXT) == (LINE,)


def test_two_cosignatures_by_one_key_are_both_taken() -> None:
    answer = f"{cosignature(7)}\n{cosignature(8)}\n".encode()
    assert parse_cosignatures(answer, WITNESS, TEXT) == (cosignature(7), cosignature(8))


OTHER_TEXT = Checkpoint("log.example/2026", 3, node_hash(LEAF_THREE, LEAF_THREE)).text
BAD_ANSWERS: dict[str, tuple[str, type[CertifierError]]] = {
    "a cosignature of another checkpoint": (cosignature(text=OTHER_TEXT) + "\n", BadSignature),
    "a good line and a bad one": (f"{LINE}\n{cosignature(text=OTHER_TEXT)}\n", BadSignature),
    "only another witness's cosignature": (cosignature(name="witness.example/w2") + "\n", BadSignature),
    "only a cosignature by another key": (cosignature(by=SIGNER) + "\n", BadSignature),
    "the log's own signature": (NOTE.decode().rpartition("\n\n")[2], BadSignature),
    "a time beyond 2^63": (cosignature(2**63) + "\n", BadSignature),
    "nothing": ("", MalformedNote),
    "a line feed": ("\n", MalformedNote),
    "no last line feed": (LINE, MalformedNote),
    "an empty line in front": (f"\n{LINE}\n", MalformedNote),
    "an empty line at the end": (f"{LINE}\n\n", MalformedNote),
    "a whole note": (COSIGNED.decode(), MalformedNote),
    "a web page": ("<html>\n", MalformedNote),
    "a page in front": (f"<html>\n{LINE}\n", MalformedNote),
    "carriage returns": (f"{LINE}\r\n", MalformedNote),
    "a hyphen for the em dash": (LINE.replace("—", "-") + "\n", MalformedNote),
    "65 lines": (f"{LINE}\n" * 65, MalformedNote),
}


@pytest.mark.parametrize(("answer", "error"), BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_an_answer_that_is_no_cosignature_of_this_checkpoint_is_refused(
    answer: str, error: type[CertifierError]
) -> None:
    with pytest.raises(error):
        parse_cosignatures(answer.encode(), WITNESS, TEXT)


def test_an_answer_that_is_no_utf_8_is_refused() -> None:
    with pytest.raises(MalformedNote):
        parse_cosignatures(b"\xff" + LINE.encode() + b"\n", WITNESS, TEXT)


LINES = [cosignature(name=f"witness.example/w{n}", by=SigningKey.from_seed(bytes([n]) * 32)) for n in range(5)]


@given(st.permutations(LINES), st.integers(0, 5))
def test_cosignatures_give_the_same_note_in_whatever_order_they_come(lines: list[str], cut: int) -> None:
    cosigned = with_cosignatures(NOTE, lines)
    assert cosigned == NOTE + "".join(f"{line}\n" for line in LINES).encode()
    assert with_cosignatures(cosigned, lines[:cut]) == cosigned
    assert with_cosignatures(NOTE, lines + lines[:cut]) == cosigned


def test_a_key_that_cosigned_before_keeps_its_line() -> None:
    assert with_cosignatures(COSIGNED, [cosignature(1_800_000_000)]) == COSIGNED
    assert with_cosignatures(NOTE, [cosignature(1_800_000_000), LINE]) == COSIGNED


def test_no_cosignatures_leave_the_note_as_it_is() -> None:
    assert with_cosignatures(NOTE, []) == NOTE


def test_the_checkpoint_is_the_same_under_all_its_cosignatures() -> None:
    assert parse_checkpoint(parse_note(with_cosignatures(NOTE, LINES)).text) == parse_checkpoint(TEXT)


@pytest.mark.parametrize("lines", [["junk"], [""], [LINE, ""], ["", LINE], [LINE + "\n"], ["\n" + LINE]])
def test_what_is_no_signature_line_cannot_be_added(lines: list[str]) -> None:
    with pytest.raises(MalformedNote):
        with_cosignatures(NOTE, lines)


def test_a_note_takes_no_more_signatures_than_its_readers() -> None:
    lines = [cosignature(name=f"w{n}") for n in range(64)]
    assert len(parse_note(with_cosignatures(NOTE, lines[:63])).signatures) == 64
    with pytest.raises(MalformedNote, match="too many"):
        with_cosignatures(NOTE, lines)


@given(st.integers(0, 2**63 - 1))
def test_a_size_is_read(size: int) -> None:
    assert parse_witness_size(f"{size}\n".encode()) == size


SLOPPY_SIZES = {
    "nothing": b"",
    "a line feed": b"\n",
    "no line feed": b"3",
    "two line feeds": b"3\n\n",
    "a carriage return": b"3\r\n",
    "a leading zero": b"03\n",
    "a plus": b"+3\n",
    "a minus": b"-3\n",
    "a space": b"3 \n",
    "other digits": "٣\n".encode(),
    "no UTF-8": b"\xff\n",
    "2^63": f"{2**63}\n".encode(),
    "5,000 digits": b"9" * 5000,
    "spaces after it": b"3\n" + b" " * 5000,
    "line feeds after it": b"3" + b"\n" * 5000,
}


@pytest.mark.parametrize("raw", SLOPPY_SIZES.values(), ids=SLOPPY_SIZES.keys())
def test_a_size_that_is_only_nearly_one_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedNote, match="size cannot be read"):
        parse_witness_size(raw)
