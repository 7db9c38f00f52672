"""A certificate as one line of text: a ``vc+jwt`` that every JOSE library can verify.

The payload of the token is the unsigned credential with five registered claims beside it, which repeat what it says itself;
they must agree, and nothing else may stand there. The header names the key and may not bring one. There is one spelling for
each token: base64url without padding and without spare bits.

Sources: W3C Securing Verifiable Credentials using JOSE and COSE (2025), RFC 7515, RFC 7519, RFC 8037.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from certifier.certificate.times import parse_time
from certifier.crypto.canonical import canonical_bytes
from certifier.crypto.keys import PublicKey, verify_signature
from certifier.crypto.signing import Signer
from certifier.crypto.strict_json import DEFAULT_LIMITS, parse_object
from certifier.errors import MalformedCertificate

MEDIA_TYPE = "application/vc+jwt"
MAX_CHARACTERS = DEFAULT_LIMITS.max_bytes * 4 // 3 + 2_000

_FIXED_HEADER = {"alg": "EdDSA", "typ": "vc+jwt", "cty": "vc"}
_REGISTERED = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")  # RFC 7519 section 4.1
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


@dataclass(frozen=True)
class Jwt:
    """A token that was read and not verified: ``unsigned`` is the credential without the registered claims."""

    header: dict[str, Any]
    kid: str
    unsigned: dict[str, Any]
    signed_bytes: bytes
    signature: bytes


def jwt_of(unsigned: dict[str, Any], key: Signer, verification_method: str) -> str:
    """The credential as a signed token. The same input gives the same text.

    Raises MalformedCertificate for a credential that has a member with the name of a registered claim.
    """
    taken = [name for name in _REGISTERED if name in unsigned]
    if taken:
        raise _unlike("A member of the credential has the name of a registered claim.", ", ".join(taken), "other names")
    header = canonical_bytes({**_FIXED_HEADER, "kid": verification_method})
    payload = canonical_bytes({**unsigned, **_registered_claims_of(unsigned)})
    message = _base64url(header) + b"." + _base64url(payload)
    signature = key.sign(message)
    verify_signature(key.public, message, signature)  # a signature that a fault has bent must never leave the house
    return (message + b"." + _base64url(signature)).decode()


def parse_jwt(text: str) -> Jwt:
    """The token's parts, unverified. Raises MalformedCertificate or MalformedJson for all but the one form written here."""
    if len(text) > MAX_CHARACTERS:
        raise _unlike("The token is too large.", f"{len(text)} characters", f"at most {MAX_CHARACTERS}")
    parts = text.split(".")
    if len(parts) != 3:
        raise _unlike("The text is no signed token.", f"{len(parts)} parts", "three parts with dots between them")
    header = parse_object(_bytes_of("header", parts[0]))
    _require_header(header)
    payload = parse_object(_bytes_of("payload", parts[1]))
    unsigned = {name: value for name, value in payload.items() if name not in _REGISTERED}
    _require_agreement(payload, _registered_claims_of(unsigned))
    signed = f"{parts[0]}.{parts[1]}".encode()
    return Jwt(header, header["kid"], unsigned, signed, _bytes_of("signature", parts[2]))


def verify_jwt(text: str, key: PublicKey) -> dict[str, Any]:
    """The credential without the registered claims, once the signature fits the key.

    Raises BadSignature, MalformedCertificate or MalformedJson. Whose key it is, the caller decides.
    """
    token = parse_jwt(text)
    verify_signature(key, token.signed_bytes, token.signature)
    return token.unsigned


def _require_header(header: dict[str, Any]) -> None:
    kid = header.get("kid")
    if header != {**_FIXED_HEADER, "kid": kid} or not isinstance(kid, str) or not kid:
        raise _unlike(
            "The token's header is not of the kind that this label writes.",
            ", ".join(f"{name}: {value}" for name, value in header.items())[:200],
            "alg EdDSA, typ vc+jwt, cty vc, a kid, and nothing else",
            "A key that comes with the token (jwk, jku, x5c) proves nothing, so it is not even read.",
        )


def _registered_claims_of(unsigned: dict[str, Any]) -> dict[str, Any]:
    """What the registered claims must say: iss, jti, nbf, exp (VC-JOSE-COSE section 3.1.3), and sub, which badge software wants
    (Open Badges 3.0 section 8.2.4.1).
    """
    issuer = unsigned.get("issuer")
    iss = issuer.get("id") if isinstance(issuer, dict) else issuer
    if not isinstance(iss, str) or not isinstance(unsigned.get("id"), str):
        raise _unlike("The credential names no issuer or has no id.", f"issuer {iss!r}"[:80], "text for both")
    claims: dict[str, Any] = {"iss": iss, "jti": unsigned["id"]}
    subject = unsigned.get("credentialSubject")
    if isinstance(subject, dict) and isinstance(subject.get("id"), str):
        claims["sub"] = subject["id"]
    for claim, member in (("nbf", "validFrom"), ("exp", "validUntil")):
        if member in unsigned:
            claims[claim] = int(parse_time(unsigned[member]).timestamp())
    return claims


def _require_agreement(payload: dict[str, Any], expected: dict[str, Any]) -> None:
    for name in _REGISTERED:
        found, right = payload.get(name), expected.get(name)
        if type(found) is not type(right) or found != right or (name in payload) is not (name in expected):
            raise _unlike(
                "A registered claim of the token disagrees with the credential.",
                f"{name}: {found!r}"[:120],
                f"{name}: {right!r}" if name in expected else f"no {name}",
            )


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _bytes_of(part: str, text: str) -> bytes:
    if _BASE64URL.fullmatch(text):
        try:
            data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except binascii.Error:
            data = b""
        if text and _base64url(data) == text.encode():
            return data
    raise _unlike(f"The token's {part} is not base64url in its one form.", text[:40], "no padding, no spare bits")


def _unlike(message: str, found: str, expected: str, hint: str | None = None) -> MalformedCertificate:
    return MalformedCertificate(message, found=found, expected=expected, hint=hint)
