"""The compact form: what it says, that it says it in one way only, and that other people's COSE agrees."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycose.algorithms import EdDSA
from pycose.headers import KID, Algorithm
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.keys.keyops import SignOp, VerifyOp
from pycose.messages import Sign1Message

from certifier.certificate.code import code_of
from certifier.certificate.compact import (
    MAX_BYTES,
    MAX_DIGITS,
    Compact,
    bytes_of_digits,
    compact_of,
    digits_of,
    parse_compact,
    sign_compact,
    verify_compact,
)
from certifier.certificate.credential import payload_for
from certifier.certificate.model import OUTCOMES, Assessor, Basis, Claims, Figures, Issuer, Subject
from certifier.certificate.status import StatusEntry
from certifier.crypto.canonical import digest_of
from certifier.crypto.signing import SigningKey
from certifier.errors import BadSignature, CertifierError, MalformedCertificate
from tests.certificate.compact_cases import (
    BAD_DIGITS,
    COMPACT,
    CONTENTS,
    KEY,
    METHOD,
    RAW,
    REFUSED,
    SEED,
    cose,
)

PROJECT = Path(__file__).resolve().parents[2]
GOLDENS = runpy.run_path(str(PROJECT / "scripts" / "remake_goldens.py"))
FORGER = SigningKey.from_seed(b"forger".ljust(32, b"."))

NOW = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)
BASE = "https://label.example"
CLAIMS = Claims(
    code="0000000000",
    outcome="class-2",
    issuer=Issuer("did:web:label.example", "Low-Carbon Audio Label", BASE),
    subject=Subject("Night Ferry (example)", "Example Artist", "aa" * 32, "ee" * 32, "QZABC2600001"),
    figures=Figures("16.10", "14.09", "6.59", "7.50", "30.00", "B", "not assessed", calculated=False),
    basis=Basis("LCAL-1.0.0", "11" * 32, "22" * 32, "33" * 32, "44" * 32, "A1"),
    assessor=Assessor("measuring_party", "example-party", "Example Party"),
    issued_at=NOW,
    expires_at=NOW + timedelta(days=1096),
    status=(
        StatusEntry(f"{BASE}/status/revocation/1", "revocation", 7),
        StatusEntry(f"{BASE}/status/suspension/3", "suspension", 131_071),
    ),
)


# --- what it says -----------------------------------------------------------------------------------------------------


def test_the_compact_form_says_what_the_record_says() -> None:
    digest = digest_of(payload_for(CLAIMS))
    compact = compact_of(CLAIMS, digest)
    assert compact == Compact(
        code="0000000000",
        outcome="class-2",
        assessed_g_per_min="16.10",
        evidence_level="A1",
        standard="LCAL-1.0.0",
        issued_at=NOW,
        expires_at=NOW + timedelta(days=1096),
        payload_digest=digest[:32],
        audio_digest="aa" * 16,
        essence_digest="ee" * 16,
        revocation=7,
        suspension=2 * 131_072 + 131_071,
    )
    assert compact.status(BASE) == CLAIMS.status


def test_fractions_of_a_second_are_dropped_as_in_the_record() -> None:
    late = CLAIMS._replace(issued_at=NOW.replace(microsecond=999_999))
    assert compact_of(late, "00" * 32).issued_at == NOW


def test_what_was_signed_is_read_back_with_its_key_id() -> None:
    assert verify_compact(RAW, KEY.public) == parse_compact(RAW) == replace(COMPACT, kid=METHOD)


def test_the_same_certificate_gives_the_same_bytes() -> None:
    assert sign_compact(COMPACT, KEY, METHOD) == RAW


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_its_number(outcome: str) -> None:
    raw = sign_compact(replace(COMPACT, outcome=outcome), KEY, METHOD)
    assert parse_compact(raw).outcome == outcome


COMPACTS = st.builds(
    Compact,
    code=st.binary(min_size=6, max_size=6).map(code_of),
    outcome=st.sampled_from(list(OUTCOMES)),
    assessed_g_per_min=st.integers(0, 10**12 - 1).map(lambda n: f"{n // 100}.{n % 100:02}"),
    evidence_level=st.sampled_from(["A0", "A1", "A2"]),
    standard=st.from_regex(r"\A[A-Z]{1,6}-[0-9][0-9a-z.-]{0,20}\Z"),
    issued_at=st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    expires_at=st.integers(0, 200_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    payload_digest=st.binary(min_size=16, max_size=16).map(bytes.hex),
    audio_digest=st.binary(min_size=16, max_size=16).map(bytes.hex),
    essence_digest=st.none() | st.binary(min_size=16, max_size=16).map(bytes.hex),
    revocation=st.integers(0, 10**9),
    suspension=st.integers(0, 10**9),
)


@given(COMPACTS)
def test_whatever_it_says_comes_back_from_the_digits(compact: Compact) -> None:
    raw = sign_compact(compact, KEY, METHOD)
    assert bytes_of_digits(digits_of(raw)) == raw
    assert verify_compact(raw, KEY.public) == replace(compact, kid=METHOD)


def test_the_goldens_are_what_is_written_today() -> None:
    """After a wanted change: python scripts/remake_goldens.py, and say so in the changelog: printed labels live long."""
    written = GOLDENS["compact_goldens"]()
    kept = {
        f"tests/certificate/golden/{path.name}" for path in (PROJECT / "tests/certificate/golden").glob("compact-*")
    }
    assert set(written) == kept
    written |= GOLDENS["compact_vectors"]()
    assert [path for path, text in written.items() if (PROJECT / path).read_text("utf-8") != text] == []


# --- what is refused --------------------------------------------------------------------------------------------------


def test_no_byte_can_be_changed() -> None:
    for place in range(len(RAW)):
        for bit in range(8):
            bent = bytearray(RAW)
            bent[place] ^= 1 << bit
            with pytest.raises((MalformedCertificate, BadSignature)):
                verify_compact(bytes(bent), KEY.public)


def test_no_byte_can_be_missing_or_added() -> None:
    for end in range(len(RAW)):
        with pytest.raises(MalformedCertificate):
            parse_compact(RAW[:end])
    for byte in range(256):
        with pytest.raises(MalformedCertificate):
            parse_compact(RAW + bytes([byte]))


def test_another_key_is_a_bad_signature() -> None:
    with pytest.raises(BadSignature):
        verify_compact(RAW, FORGER.public)


@pytest.mark.parametrize(("raw", "word"), REFUSED.values(), ids=REFUSED.keys())
def test_other_bytes_are_refused_and_it_says_why(raw: bytes, word: str) -> None:
    with pytest.raises(MalformedCertificate) as caught:
        parse_compact(raw)
    said = f"{caught.value.found} {caught.value.expected}"
    assert word in said
    assert len(said) < 500


@given(st.binary(max_size=200))
def test_no_bytes_make_it_stumble(raw: bytes) -> None:
    for message in (raw, b"\xd2" + raw, cose(payload=raw)):
        with pytest.raises(CertifierError):
            parse_compact(message)


UNSAID: dict[str, dict[str, Any]] = {
    "a figure with one decimal": {"assessed_g_per_min": "16.1"},
    "a negative figure": {"assessed_g_per_min": "-0.01"},
    "an outcome of nobody": {"outcome": "class-0"},
    "a level of nobody": {"evidence_level": "A3"},
    "a digest that is cut": {"payload_digest": "ab" * 15},
    "a digest that is no hex": {"audio_digest": "xx" * 16},
    "a place that is no number": {"revocation": "7"},
    "a code with a typing error": {"code": "0000000001"},
    "no digest of the record": {"payload_digest": None},
}


@pytest.mark.parametrize("changes", UNSAID.values(), ids=UNSAID.keys())
def test_what_the_form_cannot_say_is_not_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedCertificate):
        sign_compact(replace(COMPACT, **changes), KEY, METHOD)


def test_a_key_id_that_is_no_verification_method_is_not_signed() -> None:
    with pytest.raises(MalformedCertificate, match="compact"):
        sign_compact(COMPACT, KEY, "key-2026")


# --- digits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", BAD_DIGITS.values(), ids=BAD_DIGITS.keys())
def test_other_digits_are_refused(text: str) -> None:
    with pytest.raises(MalformedCertificate) as caught:
        bytes_of_digits(text)
    assert len(str(caught.value.found)) < 200


@given(st.binary(min_size=1, max_size=MAX_BYTES))
def test_digits_keep_every_byte(raw: bytes) -> None:
    digits = digits_of(raw)
    assert len(digits) <= MAX_DIGITS
    assert bytes_of_digits(digits) == raw


# --- judges from elsewhere --------------------------------------------------------------------------------------------

PUBLIC = OKPKey(crv=Ed25519, x=KEY.public.raw, optional_params={"KEY_OPS": [VerifyOp]})
PRIVATE = OKPKey(crv=Ed25519, d=SEED, x=KEY.public.raw, optional_params={"KEY_OPS": [SignOp]})


def read_by_pycose(raw: bytes) -> Sign1Message:
    # Without the byte of the tag: its own decode() asks for a list, and cbor2 from version 6 gives a tuple inside a tag.
    message = Sign1Message.from_cose_obj(cbor2.loads(raw[1:]), allow_unknown_attributes=False)
    message.key = PUBLIC
    return message


def test_pycose_verifies_ours_and_reads_the_same() -> None:
    message = read_by_pycose(RAW)
    assert message.verify_signature()
    assert message.phdr == {Algorithm: EdDSA, KID: METHOD.encode()}
    assert cbor2.loads(message.payload)[6] == "LCAL-1.0.0"


def test_pycose_refuses_ours_when_a_bit_is_bent() -> None:
    for place in (len(RAW) - 1, len(RAW) - 70, RAW.index(b"LCAL")):
        bent = bytearray(RAW)
        bent[place] ^= 1
        assert not read_by_pycose(bytes(bent)).verify_signature()


def pycose_message(contents: dict[Any, Any], header: dict[Any, Any], **encode: Any) -> bytes:
    message = Sign1Message(phdr=header, uhdr={}, payload=cbor2.dumps(contents))
    message.key = PRIVATE
    return bytes(message.encode(**encode))


def test_what_pycose_signs_of_the_same_content_verifies_here_and_is_the_same() -> None:
    theirs = pycose_message(CONTENTS, {Algorithm: EdDSA, KID: METHOD.encode()})
    assert verify_compact(theirs, KEY.public) == replace(COMPACT, kid=METHOD)
    assert theirs == RAW


OF_PYCOSE: dict[str, Callable[[], bytes]] = {
    "without its tag": lambda: pycose_message(CONTENTS, {Algorithm: EdDSA, KID: METHOD.encode()}, tag=False),
    "with the header in another order": lambda: pycose_message(CONTENTS, {KID: METHOD.encode(), Algorithm: EdDSA}),
    "with the payload in another order": lambda: pycose_message(
        dict(reversed(CONTENTS.items())), {Algorithm: EdDSA, KID: METHOD.encode()}
    ),
}


@pytest.mark.parametrize("made", OF_PYCOSE.values(), ids=OF_PYCOSE.keys())
def test_a_good_signature_over_another_spelling_is_refused_all_the_same(made: Callable[[], bytes]) -> None:
    with pytest.raises(MalformedCertificate):
        verify_compact(made(), KEY.public)


def test_the_golden_files_verify_with_nothing_but_what_stands_in_them() -> None:
    for path in sorted((PROJECT / "tests/certificate/golden").glob("compact-*.json")):
        golden = json.loads(path.read_text())
        raw = bytes_of_digits(golden["qr"].partition("#")[2])
        assert raw.hex() == golden["cose"]
        assert parse_compact(raw).code == golden["says"]["code"]
