"""Data Integrity proofs: the W3C test vector, and every change refused."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.certificate.proof import sign_document, verify_document
from certifier.crypto.keys import PublicKey
from certifier.crypto.signing import SigningKey
from certifier.errors import BadSignature, ForeignInputError, MalformedCertificate

VECTOR = json.loads((Path(__file__).parent.parent / "vectors" / "credential" / "w3c-eddsa.json").read_text())
KEY = SigningKey.from_seed(b"k" * 32)
DOCUMENT = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "id": "urn:example:1",
    "a": {"b": [1, True, None, "x"]},
}
SIGNED = sign_document(DOCUMENT, KEY, "did:web:label.example#key-1", "2026-11-22T20:00:00Z")


def test_the_w3c_vector_verifies() -> None:
    key = PublicKey.from_multibase(VECTOR["publicKeyMultibase"])
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": VECTOR["created"],
        "verificationMethod": f"did:key:{VECTOR['publicKeyMultibase']}#{VECTOR['publicKeyMultibase']}",
        "proofPurpose": "assertionMethod",
        "@context": VECTOR["unsigned"]["@context"],
        "proofValue": VECTOR["eddsa-jcs-2022"]["proofValue"],
    }
    assert verify_document({**VECTOR["unsigned"], "proof": options}, key) == VECTOR["unsigned"]


def test_a_signed_document_verifies_and_gives_back_what_was_signed() -> None:
    assert verify_document(SIGNED, KEY.public) == DOCUMENT


def test_the_same_input_gives_the_same_signature() -> None:
    assert sign_document(DOCUMENT, KEY, "did:web:label.example#key-1", "2026-11-22T20:00:00Z") == SIGNED


@pytest.mark.parametrize("member", ["created", "verificationMethod", "proofValue"])
def test_no_member_of_the_proof_can_be_changed(member: str) -> None:
    bent = copy.deepcopy(SIGNED)
    bent["proof"][member] = bent["proof"][member][:-1] + ("2" if bent["proof"][member][-1] != "2" else "3")
    with pytest.raises(BadSignature):
        verify_document(bent, KEY.public)


@given(st.sampled_from(["id", "new"]), st.one_of(st.text(), st.integers(-5, 5), st.none(), st.lists(st.integers(0, 3))))
def test_no_member_of_the_document_can_be_changed_or_added(name: str, value: object) -> None:
    bent = {**copy.deepcopy(SIGNED), name: value}
    if bent != SIGNED:
        with pytest.raises(ForeignInputError):
            verify_document(bent, KEY.public)


OTHER_PROOFS = {
    "no proof": None,
    "a list of proofs": [SIGNED["proof"]],
    "another cryptosuite": {**SIGNED["proof"], "cryptosuite": "eddsa-rdfc-2022"},
    "another purpose": {**SIGNED["proof"], "proofPurpose": "authentication"},
    "an unknown member": {**SIGNED["proof"], "domain": "label.example"},
}


@pytest.mark.parametrize("proof", OTHER_PROOFS.values(), ids=OTHER_PROOFS.keys())
def test_a_proof_of_another_kind_is_named(proof: object) -> None:
    with pytest.raises(MalformedCertificate):
        verify_document({**DOCUMENT, "proof": proof}, KEY.public)


@pytest.mark.parametrize("value", ["", "z", "zO0Il", "m" + SIGNED["proof"]["proofValue"][1:], "z" + "1" * 300, None, 7])
def test_a_proof_value_that_is_no_signature_is_refused(value: object) -> None:
    with pytest.raises(BadSignature):
        verify_document({**DOCUMENT, "proof": {**SIGNED["proof"], "proofValue": value}}, KEY.public)
