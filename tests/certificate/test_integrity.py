"""Proofs of both EdDSA cryptosuites on documents of others, against the worked examples of the W3C."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from certifier.certificate.integrity import (
    CRYPTOSUITES,
    JCS,
    parse_proof,
    sign_with,
    signed_bytes,
    statements_of,
    verify_proof,
)
from certifier.crypto.keys import PublicKey, base58_decode
from certifier.crypto.signing import SigningKey
from certifier.errors import CredentialRefused, MalformedCertificate

PRINTED = json.loads((Path(__file__).parents[1] / "vectors/credential/w3c-eddsa.json").read_bytes())
UNSIGNED = PRINTED["unsigned"]
KEY = SigningKey.from_seed(base58_decode(PRINTED["secretKeyMultibase"][1:])[2:])
METHOD = f"did:key:{KEY.public.multibase}#{KEY.public.multibase}"
V2 = "https://www.w3.org/ns/credentials/v2"


def printed(suite: str) -> dict[str, Any]:
    return sign_with(UNSIGNED, KEY, cryptosuite=suite, method=METHOD, created=PRINTED["created"])


@pytest.mark.parametrize("suite", CRYPTOSUITES)
def test_the_worked_examples_come_out_bit_for_bit(suite: str) -> None:
    assert KEY.public.multibase == PRINTED["publicKeyMultibase"]
    document = printed(suite)
    assert document["proof"]["proofValue"] == PRINTED[suite]["proofValue"]
    proof = parse_proof(document)
    digests = signed_bytes(UNSIGNED, proof.options).hex()
    assert digests == PRINTED[suite]["proofHash"] + PRINTED[suite]["docHash"]
    assert verify_proof(document, proof, PublicKey.from_multibase(PRINTED["publicKeyMultibase"])) == UNSIGNED


def example(*contexts: Any, **members: Any) -> dict[str, Any]:
    return {
        "@context": [V2, *contexts],
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": "did:example:subject"},
        **members,
    }


def test_a_context_in_the_document_says_the_same_as_one_behind_an_address() -> None:
    vocabulary = {"@vocab": "https://www.w3.org/ns/credentials/examples#"}
    spelled = {**UNSIGNED, "@context": [V2, vocabulary]}
    wrapped = {**UNSIGNED, "@context": [V2, {"@context": vocabulary}]}
    assert statements_of(spelled) == statements_of(wrapped) == statements_of(UNSIGNED)


def test_statements_hold_no_direction_and_canonical_json_does() -> None:
    left = example(name={"@value": "Example", "@language": "he", "@direction": "rtl"})
    right = example(name={"@value": "Example", "@language": "he", "@direction": "ltr"})
    assert statements_of(left) == statements_of(right)
    options = printed(JCS)["proof"]
    assert signed_bytes(left, options) != signed_bytes(right, options)


UNCOVERED: dict[str, dict[str, Any]] = {
    "a term that no context defines": example(tier="platinum"),
    "a relative type": example({"@vocab": None}, type=["VerifiableCredential", "Example"]),
    "a relative address": example(id="relative"),
    "an index": example(**{"@index": "1"}),
    "a member of nothing": example(evidence=None),
    "an empty list": example(evidence=[]),
    "a context that nobody pinned": example("https://example.org/context"),
    "a context that calls for another": example({"@import": "https://example.org/context"}),
    "a protected term with a new meaning": example({"VerifiableCredential": "https://example.org/#Bad"}),
    "a blank node with a name": example(issuer="_:b0"),
    "a fraction": example({"score": "https://example.org/#score"}, score=0.5),
    "a control character": example(name="a\x01b"),
}


@pytest.mark.parametrize("document", UNCOVERED.values(), ids=UNCOVERED.keys())
def test_what_would_not_be_covered_has_no_statements(document: dict[str, Any]) -> None:
    with pytest.raises(MalformedCertificate):
        statements_of(document)
    with pytest.raises(CredentialRefused) as raised:
        sign_with(document, KEY, cryptosuite=CRYPTOSUITES[0], method=METHOD, created=PRINTED["created"])
    assert raised.value.step == "document"
