"""Public keys and signatures: one door, and nobody signs without a private key."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from certifier.crypto.keys import PublicKey, base58_decode, base58_encode, screen_public_key, verify_signature
from certifier.crypto.signing import SigningKey
from certifier.errors import BadSignature, MalformedKey

VECTORS = Path(__file__).parent.parent / "vectors" / "crypto"
WYCHEPROOF = json.loads((VECTORS / "wycheproof" / "ed25519_test.json").read_text())
CCTV = json.loads((VECTORS / "cctv" / "ed25519vectors.json").read_text())

PRIME = 2**255 - 19
SIGNER = SigningKey.from_seed(bytes(range(32)))
MESSAGE = b"a label for one recording"
SIGNATURE = SIGNER.sign(MESSAGE)


def accepts(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        verify_signature(PublicKey.from_raw(key), message, signature)
    except (MalformedKey, BadSignature):
        return False
    return True


def wycheproof_cases() -> dict[str, tuple[str, dict[str, Any]]]:
    return {
        f"{test['tcId']}: {test['comment'] or 'plain'}": (group["publicKey"]["pk"], test)
        for group in WYCHEPROOF["testGroups"]
        for test in group["tests"]
    }


CASES = wycheproof_cases()


def test_all_wycheproof_vectors_are_here() -> None:
    assert len(CASES) == WYCHEPROOF["numberOfTests"] == 151


@pytest.mark.parametrize(("key", "test"), CASES.values(), ids=CASES.keys())
def test_wycheproof_agrees(key: str, test: dict[str, Any]) -> None:
    expected = {"valid": True, "invalid": False}[test["result"]]
    assert accepts(bytes.fromhex(key), bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])) is expected


def cctv_accepted(flag: str) -> tuple[int, int]:
    """How many vectors with this flag are accepted, and how many there are."""
    marked = [vector for vector in CCTV if flag in (vector["flags"] or [])]
    taken = [
        vector
        for vector in marked
        if accepts(bytes.fromhex(vector["key"]), vector["msg"].encode(), bytes.fromhex(vector["sig"]))
    ]
    return len(taken), len(marked)


EDGES = {
    "keys of small order": ("low_order_A", 526),
    "keys in a second spelling": ("non_canonical_A", 226),
    "signatures with R of small order": ("low_order_R", 586),
    "signatures with R in a second spelling": ("non_canonical_R", 316),
    "signatures that only fit after multiplying by the cofactor": ("low_order_residue", 583),
}


@pytest.mark.parametrize(("flag", "total"), EDGES.values(), ids=EDGES.keys())
def test_no_edge_case_of_the_curve_is_accepted(flag: str, total: int) -> None:
    assert cctv_accepted(flag) == (0, total)


def test_every_small_order_or_misspelt_key_of_the_vectors_fails_the_screen() -> None:
    weak = {v["key"] for v in CCTV if {"low_order_A", "non_canonical_A"} & set(v["flags"] or [])}
    assert len(weak) == 14
    for key in weak:
        with pytest.raises(MalformedKey):
            PublicKey.from_raw(bytes.fromhex(key))


def test_the_key_that_fits_every_message_is_refused_although_a_library_accepts_it() -> None:
    identity = (1).to_bytes(32, "little")
    forged = identity + bytes(32)  # R is the identity too, S is 0
    Ed25519PublicKey.from_public_bytes(identity).verify(forged, b"any message at all")
    with pytest.raises(MalformedKey, match="small order"):
        PublicKey.from_raw(identity)
    with pytest.raises(MalformedKey, match="small order"):
        PublicKey(identity)


MISSPELT = {"the first of them": PRIME, "one and the prime": PRIME + 1, "the last of them": 2**255 - 1}


@pytest.mark.parametrize("sign_bit", [0, 2**255], ids=["sign bit clear", "sign bit set"])
@pytest.mark.parametrize("y", MISSPELT.values(), ids=MISSPELT.keys())
def test_a_key_has_one_spelling(y: int, sign_bit: int) -> None:
    with pytest.raises(MalformedKey, match="one permitted way"):
        screen_public_key((y + sign_bit).to_bytes(32, "little"))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_key_has_32_bytes(length: int) -> None:
    with pytest.raises(MalformedKey, match="wrong length") as refused:
        screen_public_key(bytes(length))
    assert refused.value.found == f"{length} bytes"


def test_the_screen_hands_back_a_good_key() -> None:
    assert screen_public_key(SIGNER.public.raw) == SIGNER.public.raw


def test_a_true_signature_is_accepted() -> None:
    assert accepts(SIGNER.public.raw, MESSAGE, SIGNATURE)


def flipped(data: bytes) -> list[bytes]:
    """All copies of ``data`` with one bit changed."""
    whole = int.from_bytes(data, "big")
    return [(whole ^ (1 << bit)).to_bytes(len(data), "big") for bit in range(len(data) * 8)]


FLIPPED = {
    "key": [(key, MESSAGE, SIGNATURE) for key in flipped(SIGNER.public.raw)],
    "message": [(SIGNER.public.raw, message, SIGNATURE) for message in flipped(MESSAGE)],
    "signature": [(SIGNER.public.raw, MESSAGE, signature) for signature in flipped(SIGNATURE)],
}


@pytest.mark.parametrize("part", FLIPPED.keys())
def test_one_bit_flipped_anywhere_is_refused(part: str) -> None:
    assert [case for case in FLIPPED[part] if accepts(*case)] == []


@pytest.mark.parametrize("length", [0, 63, 65, 128])
def test_a_signature_has_64_bytes(length: int) -> None:
    with pytest.raises(BadSignature, match="wrong length") as refused:
        verify_signature(SIGNER.public, MESSAGE, (SIGNATURE * 2)[:length])
    assert refused.value.found == f"{length} bytes"


def test_a_bad_signature_says_which_key_was_tried() -> None:
    with pytest.raises(BadSignature) as refused:
        verify_signature(SIGNER.public, b"another recording", SIGNATURE)
    assert SIGNER.public.multibase in (refused.value.found or "")
    assert refused.value.hint


# The test key pair that W3C published in "Data Integrity EdDSA Cryptosuites v1.0", appendix B.
W3C_MULTIBASE = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
W3C_SECRET = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"


def test_a_key_has_three_names_and_each_leads_back_to_it() -> None:
    key = PublicKey.from_multibase(W3C_MULTIBASE)
    assert key == SigningKey.from_seed(base58_decode(W3C_SECRET.removeprefix("z"))[2:]).public
    assert key.multibase == W3C_MULTIBASE
    assert key.did_key == f"did:key:{W3C_MULTIBASE}"
    assert PublicKey.from_did_key(key.did_key) == PublicKey.from_raw(key.raw) == key
    assert hash(PublicKey.from_did_key(key.did_key)) == hash(key)
    assert repr(key) == f"PublicKey({W3C_MULTIBASE})"


def test_a_fingerprint_is_short_and_differs_between_keys() -> None:
    other = SigningKey.from_seed(bytes(32)).public
    assert other.fingerprint == "139e3940e64b5491"
    assert SIGNER.public.fingerprint != other.fingerprint


NO_KEYS = {
    "nothing": "",
    "hexadecimal": "ed01" + "00" * 32,
    "multibase base64url": "u7QGv7-Id2EdadXzb76ainQyPHgp84rWe5ODy9tTE0tK3tg",
    "a P-256 key": "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
    "a private key": W3C_SECRET,
    "a key cut short": W3C_MULTIBASE[:-1],
    "a key with a letter too many": W3C_MULTIBASE + "1",
    "a letter that base58 does not have": W3C_MULTIBASE.replace("Q", "O"),
    "a space at the end": W3C_MULTIBASE + " ",
    "a did:key": f"did:key:{W3C_MULTIBASE}",
    "endless text": "z" + "2" * 10_000,
    "the identity": "z" + base58_encode(b"\xed\x01\x01" + bytes(31)),
}


@pytest.mark.parametrize("text", NO_KEYS.values(), ids=NO_KEYS.keys())
def test_what_is_no_ed25519_multikey_is_refused(text: str) -> None:
    with pytest.raises(MalformedKey) as refused:
        PublicKey.from_multibase(text)
    assert refused.value.found
    assert refused.value.expected


NO_DIDS = {
    "a bare multikey": W3C_MULTIBASE,
    "a did:web": "did:web:label.example",
    "capitals": f"DID:KEY:{W3C_MULTIBASE}",
    "a fragment": f"did:key:{W3C_MULTIBASE}#{W3C_MULTIBASE}",
}


@pytest.mark.parametrize("did", NO_DIDS.values(), ids=NO_DIDS.keys())
def test_what_is_no_did_key_is_refused(did: str) -> None:
    with pytest.raises(MalformedKey):
        PublicKey.from_did_key(did)


# The examples of the internet draft "The Base58 Encoding Scheme", section 5.
BASE58 = {
    "text": (b"Hello World!", "2NEpo7TZRRrLZSi2U"),
    "a sentence": (
        b"The quick brown fox jumps over the lazy dog.",
        "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
    ),
    "leading zeros": (bytes.fromhex("0000287fb4cd"), "11233QC4"),
    "nothing": (b"", ""),
    "only zeros": (bytes(3), "111"),
}


@pytest.mark.parametrize(("data", "text"), BASE58.values(), ids=BASE58.keys())
def test_base58_is_written_and_read_as_published(data: bytes, text: str) -> None:
    assert base58_encode(data) == text
    assert base58_decode(text) == data


def test_base58_is_read_up_to_128_characters_since_its_cost_grows_with_the_square() -> None:
    assert base58_encode(base58_decode("2" * 128)) == "2" * 128
    with pytest.raises(MalformedKey, match="too long"):
        base58_decode("2" * 129)


@given(st.binary(max_size=80))
def test_base58_leads_back_to_the_same_bytes(data: bytes) -> None:
    assert base58_decode(base58_encode(data)) == data


@given(st.text("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", max_size=128))
def test_no_two_base58_texts_stand_for_the_same_bytes(text: str) -> None:
    assert base58_encode(base58_decode(text)) == text


NO_BASE58 = {
    "a letter that it leaves out": ("2NEpOl", "O"),
    "a sign": ("+2", "+"),
    "a zero byte": ("2\0", "\0"),
    "a question mark": ("2?", "?"),
    "a letter with an accent": ("Hé", "é"),
    "a letter of another alphabet that looks alike": ("2Α1", "Α"),
    "half a character": ("2\ud83d", "\ud83d"),
    "the last character that a byte can hold": ("1ÿ", "ÿ"),
}


@pytest.mark.parametrize(("text", "symbol"), NO_BASE58.values(), ids=NO_BASE58.keys())
def test_the_first_character_that_is_not_base58_is_named(text: str, symbol: str) -> None:
    with pytest.raises(MalformedKey, match="not base58") as refused:
        base58_decode(text)
    assert refused.value.found == repr(symbol)


@given(st.binary(min_size=32, max_size=32))
def test_any_32_bytes_are_a_key_with_names_or_refused(raw: bytes) -> None:
    try:
        key = PublicKey.from_raw(raw)
    except MalformedKey as refused:
        assert refused.found  # noqa: PT017 - either end is right; nothing else may come out
    else:
        assert PublicKey.from_did_key(key.did_key).raw == raw
