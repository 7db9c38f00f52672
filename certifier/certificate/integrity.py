"""Data Integrity proofs on documents of others: both EdDSA cryptosuites, credentials and presentations, one proof at a time.

The certificates of this label have narrower rules (``proof``, ``rdfc``). Here a document may bring JSON-LD contexts of its own as
objects, texts with a direction, and proofs with a purpose, domain, challenge and end. Nothing is ever fetched.

Sources: W3C Data Integrity 1.0 sections 2.1 and 4.4; Data Integrity EdDSA Cryptosuites 1.0 sections 3.2 and 3.3.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from certifier.certificate.proof import proof_options, signature_of, with_proof
from certifier.certificate.rdfc import PINNED, canonical_nquads
from certifier.certificate.vcdm import check_time, is_url, moment_of
from certifier.crypto.canonical import canonical_bytes, digest_of
from certifier.crypto.keys import PublicKey, verify_signature
from certifier.crypto.signing import Signer
from certifier.errors import (
    BadSignature,
    CertifierError,
    CredentialRefused,
    MalformedCertificate,
    MalformedCredential,
)

RDFC, JCS = "eddsa-rdfc-2022", "eddsa-jcs-2022"
CRYPTOSUITES = (RDFC, JCS)

_MEMBERS = {
    "id",
    "type",
    "cryptosuite",
    "created",
    "expires",
    "verificationMethod",
    "proofPurpose",
    "proofValue",
    "domain",
    "challenge",
    "nonce",
    "@context",
}
# The two further contexts that the examples of the W3C and their suites use. The first says of every word that it is an example;
# the second defines proofs, all of whose terms the credentials context has already.
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
CONTEXTS: Mapping[str, dict[str, Any]] = MappingProxyType(
    {**PINNED, EXAMPLES: {"@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}}}
)


@dataclass(frozen=True)
class Proof:
    """A proof as it stands in a document, read and not verified. ``options`` is all of it but the signature."""

    cryptosuite: str
    method: str
    purpose: str
    signature: bytes
    options: dict[str, Any]

    def text(self, member: str) -> str | None:
        value = self.options.get(member)
        return value if isinstance(value, str) else None

    @property
    def domains(self) -> tuple[str, ...]:
        value = self.options.get("domain", [])
        return tuple(value) if isinstance(value, list) else (value,)


def parse_proof(document: dict[str, Any]) -> Proof:
    """The one proof of a document. Raises CredentialRefused (``proof_missing``, ``proof_set``, ``proof``)."""
    proof = document.get("proof")
    if isinstance(proof, list) and len(proof) == 1:
        proof = proof[0]
    if isinstance(proof, list):
        raise CredentialRefused(
            "The document has several proofs.",
            step="proof_set",
            found=f"{len(proof)} proofs",
            expected="one proof",
            hint="It is not clear which of them somebody relies on; send the document with one.",
        )
    if not isinstance(proof, dict):
        raise CredentialRefused(
            "The document has no proof.",
            step="proof_missing",
            found=type(proof).__name__,
            expected="a Data Integrity proof",
        )
    _check_members(proof)
    try:
        signature = signature_of(proof)
    except BadSignature as error:
        raise _no_proof(f"proofValue {str(proof.get('proofValue'))[:20]}", error.expected or "") from error
    if len(signature) != 64:
        raise _no_proof(f"a proofValue of {len(signature)} bytes", "64 bytes")
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    return Proof(proof["cryptosuite"], proof["verificationMethod"], proof["proofPurpose"], signature, options)


def _check_members(proof: dict[str, Any]) -> None:
    if proof.get("type") != "DataIntegrityProof" or proof.get("cryptosuite") not in CRYPTOSUITES:
        raise _no_proof(
            f"{proof.get('type')} / {proof.get('cryptosuite')}", f"DataIntegrityProof / {' or '.join(CRYPTOSUITES)}"
        )
    for member in ("verificationMethod", "proofPurpose", "proofValue"):
        if not isinstance(proof.get(member), str):
            raise _no_proof(f"{member}: {type(proof.get(member)).__name__}", f"text for {member}")
    if set(proof) - _MEMBERS:
        raise _no_proof(", ".join(sorted(set(proof) - _MEMBERS))[:120], ", ".join(sorted(_MEMBERS)))
    domain = proof.get("domain", [])
    texts = [*(domain if isinstance(domain, list) else [domain]), proof.get("challenge", ""), proof.get("nonce", "")]
    if not all(isinstance(text, str) for text in texts) or ("id" in proof and not is_url(proof["id"])):
        raise _no_proof("a domain, challenge, nonce or id of another form", "text, and an address for the id")
    for member in ("created", "expires"):
        if member in proof:
            try:
                check_time(proof[member], f"/proof/{member}")
            except MalformedCredential as error:
                raise _no_proof(f"{member} {error.found}", error.expected or "") from error


def _no_proof(found: str, expected: str) -> CredentialRefused:
    return CredentialRefused("The proof cannot be used.", step="proof", found=found, expected=expected)


def check_proof_options(proof: Proof, *, purpose: str, domain: Any, challenge: Any, now: datetime) -> None:
    """Whether the proof was made for what the verifier has in mind; a domain or challenge of None is not asked for.

    Raises CredentialRefused: ``proof_purpose``, ``proof_expired``, ``domain``, ``challenge``.
    """
    if proof.purpose != purpose:
        raise CredentialRefused(
            "The proof was made for another purpose.", step="proof_purpose", found=proof.purpose[:80], expected=purpose
        )
    expires = proof.text("expires")
    if expires and moment_of(expires) <= now:
        raise CredentialRefused("The proof has expired.", step="proof_expired", found=expires, expected="a later end")
    if domain is not None:
        wanted = domain if isinstance(domain, list) else [domain]
        if not wanted or set(wanted) != set(proof.domains):
            raise CredentialRefused(
                "The proof was made for another domain.",
                step="domain",
                found=", ".join(proof.domains)[:120] or "no domain",
                expected=", ".join(map(str, wanted))[:120],
            )
    if challenge is not None and challenge != proof.options.get("challenge"):
        raise CredentialRefused(
            "The proof answers another challenge.",
            step="challenge",
            found=str(proof.options.get("challenge", "no challenge"))[:120],
            expected=str(challenge)[:120],
        )


def verify_proof(document: dict[str, Any], proof: Proof, key: PublicKey) -> dict[str, Any]:
    """The document without its proof, once the proof fits the key. Raises CredentialRefused (``document``, ``signature``)."""
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    if proof.options.get("@context", unsigned.get("@context")) != unsigned.get("@context"):
        raise CredentialRefused(
            "The proof was made for another @context.", step="signature", expected="the document's own @context"
        )
    message = signed_bytes(unsigned, proof.options)
    try:
        verify_signature(key, message, proof.signature)
    except BadSignature as error:
        raise CredentialRefused(
            "The signature does not fit the document: it was changed, or another key signed it.",
            step="signature",
            found=error.found,
            expected=f"a signature by {proof.method}"[:200],
        ) from error
    return unsigned


def sign_with(
    unsigned: dict[str, Any],
    key: Signer,
    *,
    cryptosuite: str,
    method: str,
    created: str,
    purpose: str = "assertionMethod",
    **more: Any,
) -> dict[str, Any]:
    """The document with a proof of either cryptosuite. ``more`` are further members of the proof, such as a challenge.

    Raises CredentialRefused (``document``) for a document of which a part would not be covered.
    """
    options = {**proof_options(cryptosuite, method, created, purpose), **more}
    if cryptosuite == JCS and "@context" in unsigned:
        options["@context"] = unsigned["@context"]
    return with_proof(unsigned, options, signed_bytes(unsigned, options), key)


def signed_bytes(unsigned: dict[str, Any], options: dict[str, Any]) -> bytes:
    """What a proof with these options signs. Raises CredentialRefused (``document``)."""
    try:
        if options["cryptosuite"] == JCS:
            return _digests(canonical_bytes(options), canonical_bytes(unsigned))
        plain = {name: value for name, value in options.items() if name != "@context"}
        config = statements_of({"@context": unsigned.get("@context"), **plain})
        return _digests(config.encode(), statements_of(unsigned).encode())
    except CredentialRefused:
        raise
    except CertifierError as error:
        raise CredentialRefused(
            error.message, step="document", found=error.found, expected=error.expected, hint=error.hint
        ) from error


def _digests(options: bytes, document: bytes) -> bytes:
    return hashlib.sha256(options).digest() + hashlib.sha256(document).digest()


def statements_of(document: dict[str, Any]) -> str:
    """The statements that a document of others makes, as canonical N-Quads, with the contexts that it brings itself.

    Raises MalformedCertificate for what makes no statement, and for a document that takes too much work.
    """
    own: dict[str, dict[str, Any]] = {}
    named = _with_named_contexts(document, own)
    try:
        return canonical_nquads(named, {**CONTEXTS, **own} if own else CONTEXTS)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # A context that somebody wrote can bring the library to errors of any kind; it is their document all the same.
        raise MalformedCertificate(
            "The document is no JSON-LD that can be signed.", found=f"{type(error).__name__} in its contexts"
        ) from error


def _with_named_contexts(document: dict[str, Any], own: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A copy in which every context is named: what stood there as an object goes into ``own`` under a name of its digest.

    What changes no statement is left out of the copy: the direction of a text, an empty list of credentials, and a context that
    an embedded proof repeats.
    """
    copy = {name: _without_direction(value) for name, value in document.items()}
    if isinstance(document.get("@context"), list):
        copy["@context"] = [_named(context, own) for context in document["@context"]]
    if "verifiableCredential" in document:
        held = document["verifiableCredential"]
        credentials = held if isinstance(held, list) else [held]
        copy["verifiableCredential"] = [_embedded(credential, own) for credential in credentials]
        if not credentials:
            del copy["verifiableCredential"]
    return copy


def _embedded(credential: Any, own: dict[str, dict[str, Any]]) -> Any:
    if not isinstance(credential, dict):
        return credential
    copy = _with_named_contexts(credential, own)
    proof = copy.get("proof")
    if isinstance(proof, dict) and proof.get("@context") == credential.get("@context"):
        copy["proof"] = {name: value for name, value in proof.items() if name != "@context"}
    return copy


def _named(context: Any, own: dict[str, dict[str, Any]]) -> Any:
    if not isinstance(context, dict):
        return context
    inner = context.get("@context", context) if set(context) == {"@context"} else context
    name = f"urn:sha256:{digest_of(_plain(inner))}"
    own[name] = {"@context": inner}
    return name


def _plain(value: Any) -> Any:
    """A context is named by its digest even where it holds a fraction; JSON-LD itself will refuse that."""
    return json.loads(json.dumps(value, default=str)) if _has_decimal(value) else value


def _has_decimal(value: Any) -> bool:
    items: Sequence[Any] = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return isinstance(value, Decimal) or any(map(_has_decimal, items))


def _without_direction(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_direction(item) for item in value]
    if not isinstance(value, dict):
        return value
    items = value.items()
    if "@value" in value:
        return {name: item for name, item in items if name != "@direction"}
    return {name: item if name == "@context" else _without_direction(item) for name, item in items}
