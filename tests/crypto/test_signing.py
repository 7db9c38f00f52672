"""Private keys: they sign, they are kept in files, and they are never shown."""

import copy
import pickle
import traceback
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certifier.crypto.keys import verify_signature
from certifier.crypto.signing import SigningKey
from certifier.errors import OperatorError

SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")  # RFC 8032 section 7.1, test 1
KEY = SigningKey.from_seed(SEED)
PASSPHRASE = b"only for this test"
PLAIN = KEY.to_pem(None)
ENCRYPTED = KEY.to_pem(PASSPHRASE)


def pem_of(private: ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_signatures_are_those_of_rfc_8032() -> None:
    assert KEY.public.raw.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert KEY.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )


def test_a_new_key_signs_what_its_public_half_verifies_and_no_two_are_alike() -> None:
    one, other = SigningKey.generate(), SigningKey.generate()
    verify_signature(one.public, b"message", one.sign(b"message"))
    assert one.public != other.public


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["plain", "encrypted"])
def test_a_key_comes_back_from_its_file(passphrase: bytes | None) -> None:
    again = SigningKey.from_pem(KEY.to_pem(passphrase), passphrase)
    assert again.public == KEY.public
    assert again.sign(b"message") == KEY.sign(b"message")


def test_an_empty_passphrase_for_a_plain_file_is_none() -> None:
    assert SigningKey.from_pem(PLAIN, b"").public == KEY.public


def test_a_passphrase_encrypts_the_file() -> None:
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in ENCRYPTED
    assert b"BEGIN PRIVATE KEY" in PLAIN


LOADED_WRONG: dict[str, tuple[bytes, bytes | None, str]] = {
    "a wrong passphrase": (ENCRYPTED, b"wrong", "cannot be read"),
    "no passphrase": (ENCRYPTED, None, "there is no passphrase"),
    "an empty passphrase": (ENCRYPTED, b"", "there is no passphrase"),
    "a passphrase too many": (PLAIN, PASSPHRASE, "not encrypted"),
    "no PEM": (b"no key at all", None, "cannot be read"),
    "an empty file": (b"", None, "cannot be read"),
    "a file cut short": (PLAIN[:60] + b"\n-----END PRIVATE KEY-----\n", None, "cannot be read"),
    "a P-256 key": (pem_of(ec.generate_private_key(ec.SECP256R1())), None, "wrong kind"),
    "an Ed448 key": (pem_of(ed448.Ed448PrivateKey.generate()), None, "wrong kind"),
}


@pytest.mark.parametrize(("pem", "passphrase", "reason"), LOADED_WRONG.values(), ids=LOADED_WRONG.keys())
def test_a_key_file_that_cannot_be_used_is_the_operators_to_mend(
    pem: bytes, passphrase: bytes | None, reason: str
) -> None:
    with pytest.raises(OperatorError, match=reason) as refused:
        SigningKey.from_pem(pem, passphrase)
    assert refused.value.hint


def test_an_empty_passphrase_never_passes_for_encryption() -> None:
    with pytest.raises(OperatorError, match="empty") as refused:
        KEY.to_pem(b"")
    assert refused.value.hint


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_has_32_bytes(length: int) -> None:
    with pytest.raises(OperatorError, match="wrong length"):
        SigningKey.from_seed(bytes(length))


def secrets_in(text: str) -> list[str]:
    """The forms of the secret that appear in ``text``."""
    body = PLAIN.splitlines()[1].decode()
    forms = [SEED.hex(), SEED[:8].hex(), body, body[-24:], repr(SEED), repr(SEED)[2:20], PASSPHRASE.decode()]
    return [form for form in forms if form in text]


def test_the_secret_is_found_where_it_is() -> None:
    assert secrets_in(PLAIN.decode())
    assert secrets_in(f"seed {SEED!r}")


SHOWN: dict[str, Callable[[], str]] = {
    "repr": lambda: repr(KEY),
    "str": lambda: str(KEY),
    "format": lambda: f"{KEY}",
    "inside a list": lambda: str([KEY]),
    "repr of the public half": lambda: repr(KEY.public),
}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN.keys())
def test_a_shown_key_is_its_public_half_only(show: Callable[[], str]) -> None:
    assert KEY.public.multibase in show()
    assert secrets_in(show()) == []


FAILING: dict[str, Callable[[], object]] = {
    "a seed with one byte too many": lambda: SigningKey.from_seed(SEED + b"\0"),
    "a file cut short": lambda: SigningKey.from_pem(PLAIN.replace(b"-----END", b"---"), None),
    "a file with a byte changed": lambda: SigningKey.from_pem(PLAIN.replace(b"MC4", b"MC5"), None),
    "a wrong passphrase": lambda: SigningKey.from_pem(ENCRYPTED, PASSPHRASE + b"!"),
    "a passphrase too many": lambda: SigningKey.from_pem(PLAIN, PASSPHRASE),
}


@pytest.mark.parametrize("fail", FAILING.values(), ids=FAILING.keys())
def test_no_error_tells_the_secret_or_the_passphrase(fail: Callable[[], object]) -> None:
    with pytest.raises(OperatorError) as refused:
        fail()
    error = refused.value
    told = "".join(traceback.format_exception(error)) + f"{error!r} {error.found} {error.expected} {error.hint}"
    assert secrets_in(told) == []


def test_a_key_cannot_slip_out_by_pickle() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(KEY)
    assert secrets_in(repr(copy.copy(KEY))) == []
