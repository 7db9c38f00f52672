"""The ``.tlog-proof`` file: where an entry stands in the log, the hashes that show it, and the signed checkpoint.

Source: c2sp.org/tlog-proof@v1. Whoever holds the entry, this file and the log's key needs nothing else, no network
either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from certifier.errors import MalformedProof
from certifier.log.lines import parse_base64, parse_number, to_base64
from certifier.log.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from certifier.log.note import MAX_NOTE_BYTES, Checkpoint, VerifierKey, open_checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF_BYTES = 2 * MAX_NOTE_BYTES


@dataclass(frozen=True)
class InclusionProof:
    """``hashes`` go from the leaf's sibling upwards; ``checkpoint`` is the note as it was published.

    Nobody vouches for ``extra``: it is not signed.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None


def render_proof(proof: InclusionProof) -> bytes:
    """The proof file; ``parse_proof`` reads it back."""
    extra = [] if proof.extra is None else [f"extra {to_base64(proof.extra)}"]
    lines = [HEADER, *extra, f"index {proof.index}", *map(to_base64, proof.hashes)]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + proof.checkpoint


def parse_proof(raw: bytes) -> InclusionProof:
    """The parts of a proof file; nothing is verified yet. Raises MalformedProof."""
    if len(raw) > MAX_PROOF_BYTES:
        raise MalformedProof("The proof is too long.", found=f"{len(raw)} bytes", expected=f"at most {MAX_PROOF_BYTES}")
    head, blank, checkpoint = raw.partition(b"\n\n")
    header, *lines = head.decode("utf-8", "replace").split("\n")
    if header != HEADER:
        raise _unreadable("first line", header, HEADER)
    if not blank:
        raise MalformedProof("The proof ends early.", expected="an empty line and a checkpoint")
    extra = _parse_extra(lines.pop(0)) if lines and lines[0].startswith("extra ") else None
    index = _parse_index(lines.pop(0) if lines else "")
    return InclusionProof(index, tuple(map(_parse_hash, lines)), checkpoint, extra)


def verify_proof(proof: InclusionProof, entry: bytes, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint under which the log holds this entry.

    Raises MalformedNote or BadSignature for the checkpoint, MalformedProof when the entry is not where the proof says.
    """
    return verify_entry(proof, entry, open_checkpoint(proof.checkpoint, keys))


def verify_entry(proof: InclusionProof, entry: bytes, checkpoint: Checkpoint) -> Checkpoint:
    """As ``verify_proof``, for a caller who has opened this proof's own checkpoint before and remembers it."""
    verify_inclusion(proof.index, checkpoint.size, leaf_hash(entry), proof.hashes, checkpoint.root)
    return checkpoint


def _parse_extra(line: str) -> bytes:
    extra = parse_base64(line.removeprefix("extra "))
    if extra is None:
        raise _unreadable("extra line", line, "extra and base64")
    return extra


def _parse_index(line: str) -> int:
    index = parse_number(line.removeprefix("index ")) if line.startswith("index ") else None
    if index is None:
        raise _unreadable("index line", line, "index and a plain decimal")
    return index


def _parse_hash(line: str) -> bytes:
    value = parse_base64(line)
    if value is None or len(value) != HASH_BYTES:
        raise _unreadable("hash", line, "base64 of 32 bytes")
    return value


def _unreadable(part: str, line: str, expected: str) -> MalformedProof:
    return MalformedProof(f"The proof's {part} cannot be read.", found=repr(line)[:80], expected=expected)
