"""What a log and a witness say to each other, byte for byte.

Sources: c2sp.org/tlog-witness, section "add-checkpoint"; c2sp.org/tlog-cosignature@v1.0.1 for the lines of the answer.
Who sends the bytes, and what an answer means for the log, is decided by the service.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from certifier.errors import BadSignature, MalformedNote, MalformedProof
from certifier.log.lines import MAX_NUMBER, parse_base64, parse_number, to_base64
from certifier.log.merkle import HASH_BYTES
from certifier.log.note import MAX_NOTE_BYTES, NoteSignature, VerifierKey, parse_note, verify_signatures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PATH = "add-checkpoint"  # below the witness's submission prefix
SIZE_TYPE = "text/x.tlog.size"
MAX_PROOF_HASHES = 63
MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 4096  # 63 hashes in base64 and the line before them


@dataclass(frozen=True)
class AddCheckpoint:
    """A question to a witness that last cosigned ``old_size`` entries; neither proof nor note are verified."""

    old_size: int
    consistency_proof: tuple[bytes, ...]
    note: bytes


def add_checkpoint_body(old_size: int, consistency_proof: Sequence[bytes], note: bytes) -> bytes:
    """The body of the request; ``parse_add_checkpoint`` reads it back. Raises MalformedProof or MalformedNote."""
    if not 0 <= old_size <= MAX_NUMBER:
        raise MalformedProof("An old size is out of range.", found=f"{old_size}", expected="0 to 2^63 - 1")
    if old_size == 0 and consistency_proof:
        raise MalformedProof("Nothing proves a tree to continue the empty one.", found=_hashes(consistency_proof))
    _check_count(consistency_proof)
    if unfit := [value for value in consistency_proof if len(value) != HASH_BYTES]:
        raise MalformedProof("A hash has the wrong length.", found=f"{len(unfit[0])} bytes", expected="32 bytes")
    parse_note(note)
    lines = [f"old {old_size}", *map(to_base64, consistency_proof), ""]
    return "".join(f"{line}\n" for line in lines).encode() + note


def parse_add_checkpoint(raw: bytes) -> AddCheckpoint:
    """The parts of a request, for a witness. Raises MalformedProof for what stands above the note, MalformedNote for it."""
    if len(raw) > MAX_REQUEST_BYTES:
        raise MalformedProof("The request is too long.", found=f"{len(raw)} bytes", expected=f"{MAX_REQUEST_BYTES}")
    head, blank, note = raw.partition(b"\n\n")
    if not blank:
        raise MalformedProof("The request ends early.", expected="an empty line and a checkpoint")
    first, *lines = head.decode("utf-8", "replace").split("\n")
    old_size = parse_number(first.removeprefix("old ")) if first.startswith("old ") else None
    if old_size is None:
        raise MalformedProof("The old size cannot be read.", found=repr(first)[:80], expected="old and a plain decimal")
    _check_count(lines)
    proof = tuple(_parse_hash(line) for line in lines)
    parse_note(note)
    return AddCheckpoint(old_size, proof, note)


def parse_cosignatures(raw: bytes, witness: VerifierKey, text: str) -> tuple[str, ...]:
    """The signature lines of a witness's answer, without line feeds, that are its cosignatures of a checkpoint's text.

    Lines by other keys are passed over, as the specification asks. Raises MalformedNote for an answer that is not made
    of signature lines, BadSignature when a line of this witness does not fit or there is none.
    """
    note = parse_note(f"{text}\n".encode() + raw)
    if note.text != text:
        raise MalformedNote("The witness's answer holds an empty line.", expected="signature lines only")
    if not verify_signatures(note, [witness]):
        raise BadSignature(
            "The witness's answer holds no cosignature of its own.",
            found=", ".join(f"{line.name}+{line.key_id.hex()}" for line in note.signatures)[:200],
            expected=f"{witness.name}+{witness.key_id.hex()}",
            hint="Ask the witness which key it uses, and compare it with the witness policy.",
        )
    own = (witness.name, witness.key_id)
    return tuple(_render_line(line) for line in note.signatures if (line.name, line.key_id) == own)


def with_cosignatures(note: bytes, lines: Iterable[str]) -> bytes:
    """The note with signature lines added below its own, ordered by name, each key once. Raises MalformedNote.

    A key that signed the note before keeps its line, so that the same cosignatures twice give the same bytes.
    """
    signed = parse_note(note)
    added = "".join(f"{line}\n" for line in lines)
    if not added:
        return note
    offered = parse_note(f"{signed.text}\n{added}".encode())
    if offered.text != signed.text:
        raise MalformedNote("An empty line is no signature line.", expected="— name base64(key id and signature)")
    kept = {(line.name, line.key_id) for line in signed.signatures}
    fresh: dict[tuple[str, bytes], str] = {}
    for line in sorted(offered.signatures, key=lambda line: (line.name, line.key_id, line.value)):
        if (key := (line.name, line.key_id)) not in kept:
            fresh.setdefault(key, f"{_render_line(line)}\n")
    cosigned = note + "".join(fresh.values()).encode()
    parse_note(cosigned)  # not longer than a reader takes
    return cosigned


def parse_witness_size(raw: bytes) -> int:
    """The size in a 409 answer of type ``SIZE_TYPE``: what the witness cosigned last. Raises MalformedNote."""
    text = raw[:40].decode("utf-8", "replace")  # no number fills 40 characters, so what is cut off is refused too
    size = parse_number(text.removesuffix("\n")) if text.endswith("\n") else None
    if size is None:
        raise MalformedNote(
            "The witness's size cannot be read.", found=repr(text), expected="a plain decimal, line feed"
        )
    return size


def _parse_hash(line: str) -> bytes:
    value = parse_base64(line)
    if value is None or len(value) != HASH_BYTES:
        raise MalformedProof("A proof line cannot be read.", found=repr(line)[:80], expected="base64 of 32 bytes")
    return value


def _check_count(proof: Sequence[object]) -> None:
    if len(proof) > MAX_PROOF_HASHES:
        raise MalformedProof("The proof is too long.", found=_hashes(proof), expected=f"at most {MAX_PROOF_HASHES}")


def _hashes(proof: Sequence[object]) -> str:
    return f"{len(proof)} hashes"


def _render_line(line: NoteSignature) -> str:
    # Each value has one spelling, so this is the line that was read.
    return f"— {line.name} {to_base64(line.key_id + line.value)}"
