"""Data Integrity proofs of the cryptosuite ``eddsa-jcs-2022``: sign and verify one JSON document.

Source: W3C Data Integrity EdDSA Cryptosuites 1.0, section 3.3. Trust in the key is not decided here: the caller brings it.
"""

from __future__ import annotations

import hashlib
from typing import Any

from certifier.crypto.canonical import canonical_bytes
from certifier.crypto.keys import PublicKey, base58_decode, base58_encode, verify_signature
from certifier.crypto.signing import Signer
from certifier.errors import BadSignature, MalformedCertificate, MalformedKey

CRYPTOSUITE = "eddsa-jcs-2022"
_MEMBERS = {"type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "proofValue", "@context"}


def sign_document(unsigned: dict[str, Any], key: Signer, verification_method: str, created: str) -> dict[str, Any]:
    """The document with its proof. ``created`` is an RFC 3339 time; the same input gives the same bytes."""
    options = proof_options(CRYPTOSUITE, verification_method, created)
    if "@context" in unsigned:
        options["@context"] = unsigned["@context"]
    return with_proof(unsigned, options, _signed_bytes(unsigned, options), key)


def proof_options(
    cryptosuite: str, verification_method: str, created: str, purpose: str = "assertionMethod"
) -> dict[str, Any]:
    """A proof without its value, as every cryptosuite of this project begins it (W3C Data Integrity 1.0, section 2.1)."""
    return {
        "type": "DataIntegrityProof",
        "cryptosuite": cryptosuite,
        "created": created,
        "verificationMethod": verification_method,
        "proofPurpose": purpose,
    }


def with_proof(unsigned: dict[str, Any], options: dict[str, Any], message: bytes, key: Signer) -> dict[str, Any]:
    """The document with the proof of these options, which signs ``message``."""
    signature = key.sign(message)
    verify_signature(key.public, message, signature)  # a signature that a fault has bent must never leave the house
    return {**unsigned, "proof": {**options, "proofValue": "z" + base58_encode(signature)}}


def check_same_context(unsigned: dict[str, Any], proof: dict[str, Any]) -> None:
    """Raises BadSignature when the proof names another ``@context`` than the document it stands in."""
    if proof.get("@context", unsigned.get("@context")) != unsigned.get("@context"):
        raise BadSignature("The proof was made for another @context.", expected="the document's own @context")


def split_proof(document: dict[str, Any], cryptosuite: str = CRYPTOSUITE) -> tuple[dict[str, Any], dict[str, Any]]:
    """The document without its proof, and the one proof. Raises MalformedCertificate for any other shape."""
    proof = document.get("proof")
    if not isinstance(proof, dict):
        raise MalformedCertificate(
            "The document carries no single proof.",
            found="no member 'proof'" if proof is None else "a list" if isinstance(proof, list) else "no object",
            expected="a member 'proof' with one Data Integrity proof",
        )
    suite = (proof.get("type"), proof.get("cryptosuite"), proof.get("proofPurpose"))
    if suite != ("DataIntegrityProof", cryptosuite, "assertionMethod") or set(proof) - _MEMBERS:
        raise MalformedCertificate(
            "The proof is of a kind that this label does not use.",
            found=f"{proof.get('type')!s} / {proof.get('cryptosuite')!s} / {proof.get('proofPurpose')!s}",
            expected=f"DataIntegrityProof / {cryptosuite} / assertionMethod, with no further members",
        )
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    return unsigned, proof


def verify_document(document: dict[str, Any], key: PublicKey) -> dict[str, Any]:
    """The document without its proof, once the proof fits the key.

    Raises BadSignature, or MalformedCertificate when there is no proof of this suite.
    """
    unsigned, proof = split_proof(document)
    check_same_context(unsigned, proof)
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    verify_signature(key, _signed_bytes(unsigned, options), signature_of(proof))
    return unsigned


def signature_of(proof: dict[str, Any]) -> bytes:
    """The bytes behind ``proofValue``. Raises BadSignature when it is no base58btc multibase text."""
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z") or len(value) > 100:
        raise BadSignature("The proof value is no base58btc multibase text.", expected="'z' and 86 to 88 symbols")
    try:
        return base58_decode(value[1:])
    except MalformedKey as error:
        raise BadSignature("The proof value is no base58btc multibase text.", found=error.found) from error


def _signed_bytes(unsigned: dict[str, Any], options: dict[str, Any]) -> bytes:
    return hashlib.sha256(canonical_bytes(options)).digest() + hashlib.sha256(canonical_bytes(unsigned)).digest()
