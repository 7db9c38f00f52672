"""Ed25519 public keys: their names, the screen that every key passes, and the one door for checking signatures.

A handful of encodings are no key of anybody: signatures under them fit any message. They are refused here when a
key is made, so a ``PublicKey`` that exists has passed. Which key belongs to whom, and from when to when, is the
keyring's business; private halves live in ``signing``.

Sources: RFC 8032 (Ed25519), W3C Controlled Identifiers 1.0 section 2.2.2 (Multikey), the did:key method.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from certifier.errors import BadSignature, MalformedKey

KEY_BYTES = 32
SIGNATURE_BYTES = 64
MAX_BASE58_CHARACTERS = 128

_MULTICODEC = b"\xed\x01"  # ed25519-pub in the multicodec table
_DID_KEY = "did:key:"
_FIELD_PRIME = 2**255 - 19
_SIGN_BIT = 2**255
# The y coordinates of the eight points whose order divides the cofactor 8.
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _FIELD_PRIME - 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    }
)
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_NO_DIGIT = 255
_DIGITS = bytes(_ALPHABET.find(chr(code)) % 256 for code in range(256))  # % 256: -1 for no digit


def _lanes() -> tuple[tuple[int, int, int], ...]:
    """For each doubling of the width, from a byte to the longest text: bits of a lane, its base, a mask of every second lane."""
    lanes, bits = [], 8
    while bits < 8 * MAX_BASE58_CHARACTERS:
        mask = sum(((1 << bits) - 1) << place for place in range(0, 8 * MAX_BASE58_CHARACTERS, 2 * bits))
        lanes.append((bits, 58 ** (bits // 8), mask))
        bits *= 2
    return tuple(lanes)


_LANES = _lanes()


@dataclass(frozen=True, repr=False)
class PublicKey:
    """An Ed25519 public key (32 bytes) that has passed ``screen_public_key``. Equal when the bytes are."""

    raw: bytes

    def __post_init__(self) -> None:
        screen_public_key(self.raw)

    def __repr__(self) -> str:
        return f"PublicKey({self.multibase})"

    @classmethod
    def from_raw(cls, raw: bytes) -> Self:
        """Raises MalformedKey."""
        return cls(raw)

    @classmethod
    def from_multibase(cls, text: str) -> Self:
        """From the form of ``publicKeyMultibase``: z6Mk…. Raises MalformedKey."""
        if not text.startswith("z"):
            raise MalformedKey(
                "a public key is not in base58btc multibase",
                found=repr(text[:12]),
                expected="text that starts with z6Mk",
            )
        data = base58_decode(text[1:])
        if not data.startswith(_MULTICODEC):
            raise MalformedKey(
                "a key is not marked as an Ed25519 public key",
                found=f"the type bytes 0x{data[:2].hex()}",
                expected="the type bytes 0xed01, as in z6Mk…",
                hint="Other curves and private keys (z3u2…) are not accepted.",
            )
        return cls(data[len(_MULTICODEC) :])

    @classmethod
    def from_did_key(cls, did: str) -> Self:
        """From did:key:z6Mk…, without a fragment. Raises MalformedKey."""
        if not did.startswith(_DID_KEY):
            raise MalformedKey("a key id is no did:key", found=repr(did[:20]), expected="did:key:z6Mk…")
        return cls.from_multibase(did.removeprefix(_DID_KEY))

    @cached_property
    def multibase(self) -> str:
        """z6Mk…: base58btc of 0xed01 and the key."""
        return "z" + base58_encode(_MULTICODEC + self.raw)

    @property
    def did_key(self) -> str:
        """did:key:z6Mk…, the name under which applicants are known."""
        return _DID_KEY + self.multibase

    @property
    def fingerprint(self) -> str:
        """For people to compare: the first 16 hex digits of the SHA-256 of the key."""
        return hashlib.sha256(self.raw).hexdigest()[:16]


def screen_public_key(raw: bytes) -> bytes:
    """``raw`` itself, when no signature under it can be made without a private key.

    Raises MalformedKey: not 32 bytes; y not below 2^255 - 19 (RFC 8032 section 5.1.3); a point of small order.
    """
    if len(raw) != KEY_BYTES:
        raise MalformedKey(
            "a public key has the wrong length", found=f"{len(raw)} bytes", expected="32 bytes (RFC 8032)"
        )
    y = int.from_bytes(raw, "little") % _SIGN_BIT
    if y >= _FIELD_PRIME:
        raise MalformedKey(
            "a public key is not written in the one permitted way",
            found=raw.hex(),
            expected="a y coordinate below 2^255 - 19 (RFC 8032 section 5.1.3)",
        )
    if y in _SMALL_ORDER_Y:
        raise MalformedKey(
            "a public key is a point of small order",
            found=raw.hex(),
            expected="a key made by a key generator",
            hint="Under this key anybody could sign anything. Make a new key pair.",
        )
    return raw


def verify_signature(key: PublicKey, message: bytes, signature: bytes) -> None:
    """Returns when ``signature`` (64 bytes) was made over ``message`` with the private half of ``key``.

    Raises BadSignature otherwise. Strict: S below the group order, R and the key canonical and not of small order.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise BadSignature(
            "a signature has the wrong length", found=f"{len(signature)} bytes", expected="64 bytes (RFC 8032)"
        )
    try:
        crypto_sign_open(signature + message, key.raw)
    except BadSignatureError as error:
        raise BadSignature(
            "a signature does not fit its key and content",
            found=f"key {key.multibase}, fingerprint {key.fingerprint}",
            expected="a signature of exactly these bytes by this key",
            hint="The content was changed after signing, or another key signed it.",
        ) from error


def base58_encode(data: bytes) -> str:
    """Base58 in the Bitcoin alphabet, without a multibase prefix. Every leading zero byte becomes a 1."""
    number = int.from_bytes(data, "big")
    digits = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(digits))


def base58_decode(text: str) -> bytes:
    """The inverse of ``base58_encode``, for at most 128 characters. Raises MalformedKey."""
    if len(text) > MAX_BASE58_CHARACTERS:
        raise MalformedKey(
            "base58 text is too long",
            found=f"{len(text)} characters",
            expected=f"at most {MAX_BASE58_CHARACTERS} characters",
        )
    digits = text.encode("ascii", "replace").translate(_DIGITS)
    if _NO_DIGIT in digits:
        raise MalformedKey(
            "text is not base58",
            found=repr(next(character for character in text if character not in _ALPHABET)),
            expected="letters and digits without 0, O, I and l",
            hint="The text was probably cut or retyped; copy it again.",
        )
    # One digit in each byte of one large number. Neighbours are joined, all pairs at once: to pairs, fours, eights, and so on.
    number = int.from_bytes(digits, "big")
    for bits, base, mask in _LANES:
        number = (number & mask) + (number >> bits & mask) * base
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
