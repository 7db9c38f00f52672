"""Who can sign with Ed25519: any ``Signer``, and the private keys in memory: made, loaded, used, written out; never shown.

Where key files lie and who may read them is storage's business, whose key it is the keyring's.
Source: RFC 8032 (Ed25519), RFC 8410 and RFC 5958 (PKCS #8).
"""

from __future__ import annotations

from typing import Protocol, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from certifier.crypto.keys import PublicKey
from certifier.errors import OperatorError

SEED_BYTES = 32


class Signer(Protocol):
    """Whatever can sign: a key in memory, or one that never leaves its device. The private half cannot be asked for."""

    @property
    def public(self) -> PublicKey:
        """The key under which the signatures verify."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature of ``message``. Raises OperatorError when the key cannot be used now."""
        ...


class SigningKey:
    """A private key that signs. Its only readable part is ``public``; repr and errors never hold the secret."""

    __slots__ = ("_private", "public")

    public: PublicKey

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = PublicKey.from_raw(private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.multibase})"

    @classmethod
    def generate(cls) -> Self:
        """A new key from the operating system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """The key of a 32-byte seed (RFC 8032 section 5.1.5): the same seed, the same key. Raises OperatorError."""
        if len(seed) != SEED_BYTES:
            raise OperatorError("a key seed has the wrong length", found=f"{len(seed)} bytes", expected="32 bytes")
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def from_pem(cls, pem: bytes, passphrase: bytes | None) -> Self:
        """The key of a PKCS #8 file, encrypted or not.

        Raises OperatorError: no PEM, wrong or missing passphrase, a passphrase where none is needed, another kind of
        key.
        """
        try:
            private = load_pem_private_key(pem, password=passphrase or None)
        except TypeError as error:
            raise _passphrase_mismatch(given=bool(passphrase)) from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise OperatorError(
                "a private key cannot be read",
                expected='a PKCS #8 file ("BEGIN PRIVATE KEY" or "BEGIN ENCRYPTED PRIVATE KEY") and its passphrase',
                hint="Check that the passphrase belongs to this file and that the file is whole.",
            ) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise OperatorError(
                "a private key is of the wrong kind",
                found=type(private).__name__,
                expected="an Ed25519 key",
                hint="Make one with: openssl genpkey -algorithm ed25519",
            )
        return cls(private)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of ``message``. Deterministic: the same message, the same signature."""
        return self._private.sign(message)

    def to_pem(self, passphrase: bytes | None) -> bytes:
        """The key as a PKCS #8 file, encrypted when there is a passphrase. Raises OperatorError for an empty one.

        The encryption stretches the passphrase with only 2048 rounds: use a random one of 256 bits, not a word.
        """
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, _encryption_for(passphrase))


def is_encrypted(pem: bytes) -> bool:
    """Whether a PKCS #8 file asks for a passphrase."""
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in pem


def _encryption_for(passphrase: bytes | None) -> KeySerializationEncryption:
    if passphrase is None:
        return NoEncryption()
    if not passphrase:
        raise OperatorError(
            "the passphrase for a private key is empty",
            expected="a passphrase, or none at all",
            hint="Check the setting or the file that should hold the passphrase.",
        )
    return BestAvailableEncryption(passphrase)


def _passphrase_mismatch(*, given: bool) -> OperatorError:
    if given:
        return OperatorError(
            "a passphrase was given for a private key that is not encrypted",
            hint="Remove the passphrase from the settings, or encrypt the key file with it.",
        )
    return OperatorError(
        "a private key is encrypted and there is no passphrase", hint="Set the passphrase of this key."
    )
