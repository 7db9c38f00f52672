"""Data Integrity proofs of the cryptosuite ``eddsa-rdfc-2022``: what badge software signs and checks.

The signature covers the statements (RDF) that a document makes, not its bytes. What makes no statement would be unsigned: a
term that no context defines, an ``@index``, a null. So a document is refused unless all of it is covered, before its signature
is looked at. Contexts are never fetched: those in ``PINNED``, or those that the caller brings. Canonicalisation of hostile
documents can cost without bound, so size and work have limits here.

Sources: W3C Data Integrity EdDSA Cryptosuites 1.0 section 3.2, RDF Dataset Canonicalization 1.0, JSON-LD 1.1. The algorithms
are PyLD's. Trust in the key is not decided here: the caller brings it.
"""

from __future__ import annotations

import hashlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import orjson

from certifier.certificate.proof import check_same_context, proof_options, signature_of, split_proof, with_proof
from certifier.crypto.canonical import sha256_hex
from certifier.crypto.keys import PublicKey, verify_signature
from certifier.crypto.signing import Signer
from certifier.errors import OperatorError

CRYPTOSUITE = "eddsa-rdfc-2022"
CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"

# address -> (file in certificate/contexts, SHA-256 of its bytes as published); see SOURCES.md there
CONTEXT_FILES = {
    CREDENTIALS_V2: ("credentials-v2.json", "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"),
    OPEN_BADGES: ("open-badges-3.0.3.json", "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84"),
}


def context_bytes(url: str) -> bytes:
    """A pinned context as its publisher serves it. Raises OperatorError when this installation holds other bytes."""
    name, sha256 = CONTEXT_FILES[url]
    raw = pkgutil.get_data("certifier.certificate", f"contexts/{name}")
    if raw is None or sha256_hex(raw) != sha256:
        raise OperatorError(
            "A JSON-LD context of this installation was changed.",
            found=f"{name}, SHA-256 {sha256_hex(raw or b'')}",
            expected=sha256,
            hint="Install the software again.",
        )
    return raw


PINNED: Mapping[str, dict[str, Any]] = MappingProxyType(
    {url: orjson.loads(context_bytes(url)) for url in CONTEXT_FILES}
)


def sign_rdfc(
    unsigned: dict[str, Any],
    key: Signer,
    verification_method: str,
    created: str,
    contexts: Mapping[str, dict[str, Any]] = PINNED,
) -> dict[str, Any]:
    """The document with its proof. ``created`` is an RFC 3339 time; the same input gives the same bytes.

    Raises MalformedCertificate when a part of the document would not be covered by the signature.
    """
    options = proof_options(CRYPTOSUITE, verification_method, created)
    return with_proof(unsigned, options, _signed_bytes(unsigned, options, contexts), key)


def verify_rdfc(
    document: dict[str, Any], key: PublicKey, contexts: Mapping[str, dict[str, Any]] = PINNED
) -> dict[str, Any]:
    """The document without its proof, once the proof fits the key and covers every member.

    Raises BadSignature, or MalformedCertificate: no single proof of this suite, a context that is not among ``contexts`` or not
    in its place, a member that the signature does not cover, more work than a certificate needs.
    """
    unsigned, proof = split_proof(document, CRYPTOSUITE)
    options = {name: value for name, value in proof.items() if name not in {"proofValue", "@context"}}
    check_same_context(unsigned, proof)
    verify_signature(key, _signed_bytes(unsigned, options, contexts), signature_of(proof))
    return unsigned


def canonical_nquads(document: dict[str, Any], contexts: Mapping[str, dict[str, Any]] = PINNED) -> str:
    """The statements that ``document`` makes, as canonical N-Quads. Raises MalformedCertificate."""
    from certifier.certificate.json_ld import statements_of  # noqa: PLC0415 - ten megabytes, for one of five forms

    return statements_of(document, contexts)


def _signed_bytes(unsigned: dict[str, Any], options: dict[str, Any], contexts: Mapping[str, dict[str, Any]]) -> bytes:
    document = canonical_nquads(unsigned, contexts)
    proof = canonical_nquads({"@context": unsigned["@context"], **options}, contexts)
    return hashlib.sha256(proof.encode()).digest() + hashlib.sha256(document.encode()).digest()
