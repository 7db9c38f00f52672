"""Checkpoints: ours are written byte for byte as C2SP says, and a note that is only nearly right is refused."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.crypto.signing import SigningKey
from certifier.errors import BadSignature, CertifierError, MalformedKey, MalformedNote
from certifier.log.note import (
    COSIGNATURE,
    MAX_NOTE_BYTES,
    Checkpoint,
    Note,
    NoteSignature,
    VerifierKey,
    cosigned_message,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    parse_verifier_key,
    sign_checkpoint,
    verifier_key_for,
    verify_signatures,
)

EXAMPLE = Path(__file__).parents[1] / "vectors/log/worked-example"
NOTE = (EXAMPLE / "checkpoint").read_bytes()
COSIGNED = (EXAMPLE / "two.tlog-proof").read_bytes().partition(b"\n\n")[2]
SIGNER = SigningKey.from_seed(sha256(b"worked example").digest())
WITNESS_SIGNER = SigningKey.from_seed(sha256(b"worked witness").digest())
LOG_TEXT = "log.example/2026+83cf0d7d+AfUtAVGdFKoM8LWlhA4GDM06OguVxQ0pL33oPzuJ0Ah0"
WITNESS_TEXT = "witness.example/w1+b49a8958+BIrm3NHX+yA/XzoqKZOSDwbNgUzxXDPgrpC/m95zVNYo"
LOG = parse_verifier_key(LOG_TEXT)
WITNESS = parse_verifier_key(WITNESS_TEXT)
CHECKPOINT = Checkpoint(
    "log.example/2026", 3, bytes.fromhex("5aac771c899ac292e74bf1afe2e6e302f8b55883b2d1bf197b46a6bea6dabca9")
)


def signed(text: str, *, name: str = LOG.name) -> bytes:
    """Any text, signed with the example's log key and put together without asking the product."""
    key_id = sha256(name.encode() + b"\n\x01" + SIGNER.public.raw).digest()[:4]
    signature = base64.b64encode(key_id + SIGNER.sign(text.encode())).decode()
    return f"{text}\n— {name} {signature}\n".encode()


def replaced(old: str, new: str) -> bytes:
    assert old.encode() in NOTE
    return NOTE.replace(old.encode(), new.encode())


def cosignature_line(timestamp: int, *, by: SigningKey = WITNESS_SIGNER) -> bytes:
    value = timestamp.to_bytes(8, "big") + by.sign(cosigned_message(CHECKPOINT.text, timestamp))
    return f"— {WITNESS.name} {base64.b64encode(WITNESS.key_id + value).decode()}\n".encode()


def test_the_worked_example_is_written_byte_for_byte() -> None:
    assert sign_checkpoint(CHECKPOINT, SIGNER) == NOTE
    assert verifier_key_for("log.example/2026", SIGNER.public).to_text() == LOG_TEXT
    assert verifier_key_for("witness.example/w1", WITNESS_SIGNER.public, COSIGNATURE).to_text() == WITNESS_TEXT
    assert NOTE + cosignature_line(1_790_000_000) == COSIGNED


def test_the_worked_example_opens_with_its_key() -> None:
    assert open_checkpoint(NOTE, [LOG]) == CHECKPOINT
    assert open_checkpoint(COSIGNED, [LOG]) == CHECKPOINT
    assert open_checkpoint(COSIGNED, [WITNESS, LOG]) == CHECKPOINT


def test_the_witnesses_that_signed_are_named() -> None:
    assert verify_signatures(parse_note(COSIGNED), [WITNESS, LOG]) == (LOG, WITNESS)
    assert verify_signatures(parse_note(COSIGNED), [WITNESS]) == (WITNESS,)
    assert verify_signatures(parse_note(COSIGNED), []) == ()


@pytest.mark.parametrize("key", [LOG, WITNESS], ids=["log", "witness"])
def test_a_verifier_key_is_written_as_it_was_read(key: VerifierKey) -> None:
    assert parse_verifier_key(key.to_text()) == key


SLOPPY_NOTES = {
    "a plus before the size": signed(CHECKPOINT.text.replace("\n3\n", "\n+3\n")),
    "an underscore in the size": signed(CHECKPOINT.text.replace("\n3\n", "\n3_0\n")),
    "a size in other digits": signed(CHECKPOINT.text.replace("\n3\n", "\n٣\n")),
    "a size with a leading zero": signed(CHECKPOINT.text.replace("\n3\n", "\n03\n")),
    "a size with a space": signed(CHECKPOINT.text.replace("\n3\n", "\n3 \n")),
    "a negative size": signed(CHECKPOINT.text.replace("\n3\n", "\n-3\n")),
    "an empty size": signed(CHECKPOINT.text.replace("\n3\n", "\n\n")),
    "a size of 2^63": signed(CHECKPOINT.text.replace("\n3\n", f"\n{2**63}\n")),
    "a size of 5,000 digits": signed(CHECKPOINT.text.replace("\n3\n", f"\n{'9' * 5000}\n")),
    "an empty origin": signed(CHECKPOINT.text.replace(CHECKPOINT.origin, "")),
    "a root of 31 bytes": signed(f"log.example/2026\n3\n{base64.b64encode(bytes(31)).decode()}\n"),
    "a root without padding": signed(CHECKPOINT.text.replace("=", "")),
    "a root with unused bits set": signed(CHECKPOINT.text.replace("Kk=", "Kl=")),
    "junk inside the root": signed(CHECKPOINT.text.replace("Wqx3", "Wqx3*")),
    "a root in the URL alphabet": signed(CHECKPOINT.text.replace("/Gv4", "_Gv4")),
    "an extension line": signed(CHECKPOINT.text + "more\n"),
    "an empty line in the text": signed(CHECKPOINT.text + "\n"),
    "two lines only": signed("log.example/2026\n3\n"),
    "junk in the signature block": NOTE + b"junk\n",
    "junk before the signature": replaced("— log", "junk\n— log"),
    "junk after the signature": replaced("SAY=", "SAY= junk"),
    "junk inside the signature": replaced("g88N", "g88N!"),
    "junk after the padding": replaced("SAY=", "SAY=AAAA"),
    "a signature with unused bits set": replaced("SAY=", "SAZ="),
    "a signature without padding": replaced("SAY=", "SAY"),
    "a signature that is only a key id": replaced(NOTE.decode().split(" ")[-1], "g88NfQ==\n"),
    "a hyphen for the em dash": replaced("—", "-"),
    "two spaces after the dash": replaced("— ", "—  "),
    "a no-break space after the dash": replaced("— ", "—\u00a0"),
    "a space in the key's name": replaced("— log.example/2026", "— log.example 2026"),
    "an em space in the key's name": replaced("— log.example/2026", "— log.example\u20032026"),
    "a plus in the key's name": replaced("— log.example/2026", "— log.example+2026"),
    "no name of a key": replaced("— log.example/2026 ", "—  "),
    "carriage returns": NOTE.replace(b"\n", b"\r\n"),
    "a tab": replaced("log.example/2026\n3", "log.example/2026\t\n3"),
    "a NUL": replaced("log.example/2026\n3", "log.example/2026\x00\n3"),
    "no last line feed": NOTE[:-1],
    "another character for the last line feed": NOTE[:-1] + b"x",
    "an empty line at the end": NOTE + b"\n",
    "no empty line": replaced("\n\n", "\n"),
    "no signature": NOTE.partition(b"\n\n")[0] + b"\n\n",
    "nothing": b"",
    "no UTF-8": NOTE + b"\xff",
    "a surrogate": NOTE + b"\xed\xa0\x80",
    "UTF-16": NOTE.decode().encode("utf-16"),
    "65 signatures": NOTE + cosignature_line(1) * 64,
    "a signature of a quarter of a megabyte": NOTE + f"— other.example {'AAAA' * (MAX_NOTE_BYTES // 4)}\n".encode(),
}


@pytest.mark.parametrize("raw", SLOPPY_NOTES.values(), ids=SLOPPY_NOTES.keys())
def test_a_sloppy_note_is_refused_even_when_its_signature_fits(raw: bytes) -> None:
    with pytest.raises(MalformedNote) as caught:
        open_checkpoint(raw, [LOG])
    assert caught.value.found or caught.value.expected


def test_the_sloppy_notes_differ_from_a_good_one_in_one_thing_only() -> None:
    assert signed(CHECKPOINT.text) == NOTE


def test_a_checkpoint_may_come_from_an_empty_log_and_from_a_huge_one() -> None:
    for size in (0, 2**63 - 1):
        checkpoint = Checkpoint("log.example/2026", size, bytes(32))
        assert open_checkpoint(sign_checkpoint(checkpoint, SIGNER), [LOG]) == checkpoint


def test_signatures_by_unknown_keys_are_passed_over() -> None:
    other = f"— other.example {base64.b64encode(bytes(68)).decode()}\n".encode()
    same_name = f"— {LOG.name} {base64.b64encode(bytes(68)).decode()}\n".encode()
    same_id = f"— other.example {base64.b64encode(LOG.key_id + bytes(64)).decode()}\n".encode()
    assert open_checkpoint(NOTE + other + same_name + same_id, [LOG]) == CHECKPOINT


def test_a_post_quantum_cosignature_is_passed_over() -> None:
    """Type 0x06: a time and an ML-DSA-44 signature of 2,420 bytes."""
    line = f"— witness.example/pq {base64.b64encode(bytes(4 + 8 + 2420)).decode()}\n".encode()
    assert open_checkpoint(NOTE + 15 * line, [LOG]) == CHECKPOINT


def test_a_known_key_whose_signature_fails_refuses_the_note_whatever_the_others_say() -> None:
    forged = cosignature_line(5, by=SIGNER)
    assert open_checkpoint(NOTE + forged, [LOG]) == CHECKPOINT
    with pytest.raises(BadSignature, match=r"witness\.example/w1"):
        open_checkpoint(NOTE + forged, [LOG, WITNESS])
    with pytest.raises(BadSignature, match=r"log\.example/2026"):
        open_checkpoint(NOTE + signed("another text\n").partition(b"\n\n")[2], [LOG])


def test_a_cosignature_holds_for_its_own_time_only() -> None:
    assert verify_signatures(parse_note(NOTE + cosignature_line(7)), [WITNESS]) == (WITNESS,)
    line = parse_note(NOTE + cosignature_line(7)).signatures[1]
    for value in (bytes(7) + b"\x08" + line.value[8:], line.value[:8], line.value + b"\x00", bytes(3)):
        moved = NoteSignature(line.name, line.key_id, value)
        with pytest.raises(BadSignature):
            verify_signatures(Note(CHECKPOINT.text, (moved,)), [WITNESS])


def test_a_cosignature_beyond_the_end_of_time_is_refused() -> None:
    with pytest.raises(BadSignature, match="out of range"):
        verify_signatures(parse_note(NOTE + cosignature_line(2**63)), [WITNESS])


NOT_BY_THE_LOG: dict[str, tuple[bytes, list[VerifierKey]]] = {
    "no key is known": (NOTE, []),
    "only the witness is known": (COSIGNED, [WITNESS]),
    "another log's key is known": (NOTE, [verifier_key_for("log.example/2027", SIGNER.public)]),
    "the same name with another key": (NOTE, [verifier_key_for(LOG.name, WITNESS_SIGNER.public)]),
    "a known log speaks for another": (signed(CHECKPOINT.text, name="log.example/2025"), [LOG]),
    "the key of a log signs for a name that is not its own": (
        signed(CHECKPOINT.text.replace("2026", "2025")),
        [LOG],
    ),
    "the log's key counts as a witness only": (NOTE, [verifier_key_for(LOG.name, SIGNER.public, COSIGNATURE)]),
}


def test_a_witness_that_has_the_name_of_the_log_cannot_speak_for_it() -> None:
    witness = verifier_key_for(LOG.name, WITNESS_SIGNER.public, COSIGNATURE)
    value = (7).to_bytes(8, "big") + WITNESS_SIGNER.sign(cosigned_message(CHECKPOINT.text, 7))
    note = f"{CHECKPOINT.text}\n— {LOG.name} {base64.b64encode(witness.key_id + value).decode()}\n".encode()
    assert verify_signatures(parse_note(note), [witness]) == (witness,)
    with pytest.raises(BadSignature, match="not signed by a known log"):
        open_checkpoint(note, [LOG, witness])


@pytest.mark.parametrize(("raw", "keys"), NOT_BY_THE_LOG.values(), ids=NOT_BY_THE_LOG.keys())
def test_a_checkpoint_that_its_own_log_did_not_sign_is_refused(raw: bytes, keys: list[VerifierKey]) -> None:
    with pytest.raises(BadSignature, match="not signed by a known log"):
        open_checkpoint(raw, keys)


@given(st.integers(0, 8 * len(NOTE) - 1))
def test_every_flipped_bit_of_a_note_is_refused(bit: int) -> None:
    bent = bytearray(NOTE)
    bent[bit // 8] ^= 1 << bit % 8
    with pytest.raises((MalformedNote, BadSignature)):
        open_checkpoint(bytes(bent), [LOG])


@given(st.binary(max_size=200) | st.text(alphabet="— +=\nabA3/\r\u2028\u0085", max_size=80).map(str.encode))
def test_any_bytes_end_in_a_note_or_in_the_named_error(raw: bytes) -> None:
    try:
        note = parse_note(raw)
    except MalformedNote:
        return
    lines = [f"— {s.name} {base64.b64encode(s.key_id + s.value).decode()}\n" for s in note.signatures]
    assert (note.text + "\n" + "".join(lines)).encode() == raw


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_as_it_was_written(size: int, root: bytes) -> None:
    checkpoint = Checkpoint("log.example/2026", size, root)
    assert parse_checkpoint(checkpoint.text) == checkpoint
    assert open_checkpoint(sign_checkpoint(checkpoint, SIGNER), [LOG]) == checkpoint


BAD_KEYS: dict[str, tuple[str, type[CertifierError]]] = {
    "another id": (LOG_TEXT.replace("83cf0d7d", "83cf0d7e"), MalformedNote),
    "an id in capitals": (LOG_TEXT.replace("83cf0d7d", "83CF0D7D"), MalformedNote),
    "another name": (LOG_TEXT.replace("2026", "2027"), MalformedNote),
    "a space in the name": (LOG_TEXT.replace("/", " "), MalformedNote),
    "no name": (LOG_TEXT.removeprefix("log.example/2026"), MalformedNote),
    "a line feed at the end": (LOG_TEXT + "\n", MalformedNote),
    "base64 with unused bits set": (WITNESS_TEXT[:-1] + "A=", MalformedNote),
    "a key of 31 bytes": ("log.example+00000000+" + base64.b64encode(b"\x01" + bytes(31)).decode(), MalformedKey),
    "a key that any signature fits": (
        "log.example+00000000+" + base64.b64encode(b"\x01\x01" + bytes(31)).decode(),
        MalformedKey,
    ),
    "a type that is not supported": (
        "log.example+00000000+" + base64.b64encode(b"\x06" + bytes(1312)).decode(),
        MalformedNote,
    ),
    "words": ("the key of the log", MalformedNote),
    "nothing": ("", MalformedNote),
}


@pytest.mark.parametrize(("text", "error"), BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_a_verifier_key_that_is_none_is_refused(text: str, error: type[CertifierError]) -> None:
    with pytest.raises(error):
        parse_verifier_key(text)


@pytest.mark.parametrize("origin", ["", "log example", "log+example", "log.example\n3", "log\x00example"])
def test_a_log_cannot_have_a_name_that_breaks_its_own_notes(origin: str) -> None:
    with pytest.raises(MalformedNote, match="name of a key"):
        sign_checkpoint(Checkpoint(origin, 0, bytes(32)), SIGNER)


def test_the_refusal_says_which_keys_signed_and_which_are_known() -> None:
    with pytest.raises(BadSignature) as caught:
        open_checkpoint(NOTE, [verifier_key_for("log.example/2025", SIGNER.public)])
    refusal: Any = caught.value
    assert refusal.found == "log.example/2026+83cf0d7d"
    assert refusal.expected.startswith("log.example/2025+")
    assert "trust file" in refusal.hint
