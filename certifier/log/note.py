"""Signed notes, checkpoints and witness cosignatures, byte for byte as C2SP writes them.

Sources: c2sp.org/signed-note@v1.0.0, tlog-checkpoint@v1.0.0, tlog-cosignature@v1.0.1. The reader takes what these say
and nothing that only looks like it: each value has one spelling, so the text that was signed is the text that is used.
Which keys to trust comes from the caller; how many witnesses are enough, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from certifier.crypto.keys import PublicKey, verify_signature
from certifier.errors import BadSignature, MalformedNote, UnknownLog
from certifier.log.lines import MAX_NUMBER, parse_base64, parse_number, to_base64
from certifier.log.merkle import HASH_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from certifier.crypto.signing import Signer

ED25519 = 0x01
COSIGNATURE = 0x04  # Ed25519 with a time, by a witness
MAX_NOTE_BYTES = 256 * 1024
MAX_SIGNATURES = 64  # the specification asks for at least 16

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME = r"[^\s+\x00-\x1f]+"
_KEY_NAME = re.compile(_NAME)
_VERIFIER_KEY = re.compile(rf"({_NAME})\+([0-9a-f]{{8}})\+([A-Za-z0-9+/]+={{0,2}})")
_SIGNATURE = re.compile(rf"— ({_NAME}) ([A-Za-z0-9+/]+={{0,2}})")


@dataclass(frozen=True)
class VerifierKey:
    """A public key under the name and for the kind of signature that it is known by ("vkey")."""

    name: str
    key_id: bytes
    type: int
    key: PublicKey

    def to_text(self) -> str:
        """``name+key id+base64``; ``parse_verifier_key`` reads it back."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes([self.type]) + self.key.raw)}"


@dataclass(frozen=True)
class NoteSignature:
    """One signature line; ``value`` is what follows the four bytes of the key id."""

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True)
class Note:
    """A text that ends in a line feed, and the signatures below it, none of them verified yet."""

    text: str
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True)
class Checkpoint:
    """The log called ``origin`` holds ``size`` entries under ``root`` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"


def verifier_key_for(origin: str, key: PublicKey, signature_type: int = ED25519) -> VerifierKey:
    """The verifier key of a log, or with COSIGNATURE of a witness. Raises MalformedNote for an unfit name."""
    if not _KEY_NAME.fullmatch(origin):
        raise MalformedNote(
            "This cannot be the name of a key.",
            found=repr(origin)[:80],
            expected="a name without spaces and plus signs",
        )
    named = f"{origin}\n".encode() + bytes([signature_type]) + key.raw
    return VerifierKey(origin, sha256(named).digest()[:4], signature_type, key)


def parse_verifier_key(text: str) -> VerifierKey:
    """The key in ``name+key id+base64``. Raises MalformedNote, or MalformedKey for a public key that is none."""
    match = _VERIFIER_KEY.fullmatch(text)
    packed = parse_base64(match[3]) if match else None
    if match is None or packed is None:
        raise MalformedNote("This is not a verifier key.", found=repr(text)[:80], expected="name+8 hex digits+base64")
    if packed[0] not in _SIGNED_PARTS:
        raise MalformedNote(
            "This kind of verifier key is not supported.",
            found=f"type 0x{packed[0]:02x}",
            expected="0x01 (Ed25519) or 0x04 (Ed25519 cosignature)",
            hint="Leave the key out: signatures by unknown keys are passed over.",
        )
    key = verifier_key_for(match[1], PublicKey.from_raw(packed[1:]), packed[0])
    if key.key_id.hex() != match[2]:
        raise MalformedNote("The verifier key does not fit its own id.", found=match[2], expected=key.key_id.hex())
    return key


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """The whole note with one signature, by the key that has the log's origin as its name."""
    key = verifier_key_for(checkpoint.origin, signer.public)
    signature = to_base64(key.key_id + signer.sign(checkpoint.text.encode()))
    return f"{checkpoint.text}\n— {key.name} {signature}\n".encode()


def parse_note(raw: bytes) -> Note:
    """The text and signature lines of a note; nothing is verified. Raises MalformedNote for every other byte string."""
    if len(raw) > MAX_NOTE_BYTES:
        raise MalformedNote("The note is too long.", found=f"{len(raw)} bytes", expected=f"at most {MAX_NOTE_BYTES}")
    text, blank, block = _decode(raw).rpartition("\n\n")
    if not blank or not block.endswith("\n"):
        raise MalformedNote("The note has no signature.", expected="a text, an empty line, signature lines")
    lines = block[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedNote("The note has too many signatures.", found=f"{len(lines)}", expected=f"{MAX_SIGNATURES}")
    return Note(text + "\n", tuple(_parse_signature(line) for line in lines))


def parse_checkpoint(text: str) -> Checkpoint:
    """The three lines of a checkpoint; extension lines are refused. Raises MalformedNote."""
    lines = text.split("\n")
    if len(lines) != 4 or not lines[0] or lines[3]:
        raise MalformedNote("This is not a checkpoint.", found=f"{len(lines) - 1} lines", expected="origin, size, root")
    size, root = parse_number(lines[1]), parse_base64(lines[2])
    if size is None:
        raise MalformedNote(
            "The checkpoint's size cannot be read.", found=repr(lines[1])[:40], expected="a plain decimal"
        )
    if root is None or len(root) != HASH_BYTES:
        raise MalformedNote(
            "The checkpoint's root cannot be read.", found=repr(lines[2])[:80], expected="base64 of 32 bytes"
        )
    return Checkpoint(lines[0], size, root)


def verify_signatures(note: Note, keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
    """The known keys that signed the note, in its order; signatures by unknown keys are passed over.

    Raises BadSignature when a known key's signature does not fit, whatever the others say.
    """
    known = {(key.name, key.key_id): key for key in keys}
    signed = [(known.get((line.name, line.key_id)), line.value) for line in note.signatures]
    return tuple(_verify_one(note.text, key, value) for key, value in signed if key)


def open_checkpoint(raw: bytes, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint in a note that the log itself signed: a known 0x01 key whose name is the checkpoint's origin.

    Raises MalformedNote, or BadSignature when no such key signed or any known key's signature does not fit.
    """
    note = parse_note(raw)
    checkpoint = parse_checkpoint(note.text)
    signers = verify_signatures(note, keys)
    if not any(key.type == ED25519 and key.name == checkpoint.origin for key in signers):
        is_known = any(key.name == checkpoint.origin for key in keys)
        raise (BadSignature if is_known else UnknownLog)(
            "The checkpoint is not signed by a known log.",
            found=", ".join(f"{line.name}+{line.key_id.hex()}" for line in note.signatures)[:200],
            expected=", ".join(f"{key.name}+{key.key_id.hex()}" for key in keys if key.type == ED25519)
            or "no key is known",
            hint="Take the log's key from a trust file that you got from the label itself.",
        )
    return checkpoint


def cosigned_message(text: str, timestamp: int) -> bytes:
    """What a witness signs: the checkpoint's text as seen at a time in seconds since 1970 (tlog-cosignature)."""
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def _decode(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedNote("The note is not UTF-8.", found=f"byte {error.start}") from error
    if control := _CONTROL.search(text):
        raise MalformedNote(
            "The note holds a control character.", found=repr(control[0]), expected="line feeds (no carriage returns)"
        )
    return text


def _parse_signature(line: str) -> NoteSignature:
    match = _SIGNATURE.fullmatch(line)
    value = parse_base64(match[2]) if match else None
    if match is None or value is None or len(value) <= 4:
        raise MalformedNote(
            "A signature line cannot be read.", found=repr(line)[:80], expected="— name base64(key id and signature)"
        )
    return NoteSignature(match[1], value[:4], value[4:])


def _verify_one(text: str, key: VerifierKey, value: bytes) -> VerifierKey:
    message, signature = _SIGNED_PARTS[key.type](text, value)
    try:
        verify_signature(key.key, message, signature)
    except BadSignature as error:
        raise BadSignature(
            f"The signature by {key.name} does not fit the note.",
            found="a changed text or signature",
            expected=f"a signature by {key.name}+{key.key_id.hex()}",
            hint="Fetch the note again.",
        ) from error
    return key


def _plain_parts(text: str, value: bytes) -> tuple[bytes, bytes]:
    return text.encode(), value


def _cosigned_parts(text: str, value: bytes) -> tuple[bytes, bytes]:
    timestamp = int.from_bytes(value[:8], "big")
    if timestamp > MAX_NUMBER:
        raise BadSignature("A cosignature's time is out of range.", found=f"{timestamp}", expected="below 2^63")
    return cosigned_message(text, timestamp), value[8:]


# For each kind of key: the bytes that were signed, and the signature proper.
_SIGNED_PARTS: dict[int, Callable[[str, bytes], tuple[bytes, bytes]]] = {
    ED25519: _plain_parts,
    COSIGNATURE: _cosigned_parts,
}
