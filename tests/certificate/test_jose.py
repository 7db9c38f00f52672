"""A certificate as vc+jwt: one form only, read strictly, its registered claims in agreement with what it says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from certifier.certificate.credential import payload_for
from certifier.certificate.jose import jwt_of, parse_jwt, verify_jwt
from certifier.crypto.canonical import digest_of
from certifier.errors import BadSignature, ForeignInputError, MalformedCertificate, MalformedJson
from tests.certificate.test_verify import CLAIMS, FORGER, ISSUER, METHOD, NOW

PAYLOAD = payload_for(CLAIMS)
TOKEN = jwt_of(PAYLOAD, ISSUER, METHOD)
HEADER = {"alg": "EdDSA", "cty": "vc", "kid": METHOD, "typ": "vc+jwt"}
REGISTERED: dict[str, Any] = {
    "iss": "did:web:label.example",
    "sub": PAYLOAD["credentialSubject"]["id"],
    "jti": "https://label.example/v/0000000000",
    "nbf": int(NOW.timestamp()),
    "exp": int(CLAIMS.expires_at.timestamp()),
}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(header: Any = None, payload: Any = None, **changes: Any) -> str:
    """A token with a good signature by the issuer over whatever stands in it."""
    header = header if isinstance(header, bytes) else json.dumps(header or HEADER).encode()
    payload = payload if isinstance(payload, bytes) else json.dumps({**PAYLOAD, **REGISTERED, **changes}).encode()
    message = f"{b64(header)}.{b64(payload)}"
    return f"{message}.{b64(ISSUER.sign(message.encode()))}"


def without(claim: str) -> str:
    payload = {name: value for name, value in {**PAYLOAD, **REGISTERED}.items() if name != claim}
    return token(payload=json.dumps(payload).encode())


def hmac_with_public_key() -> str:
    message = f"{b64(json.dumps({**HEADER, 'alg': 'HS256'}).encode())}.{TOKEN.split('.')[1]}"
    return f"{message}.{b64(hmac.digest(ISSUER.public.raw, message.encode(), hashlib.sha256))}"


def respelled(text: str) -> str:
    """Another letter at the end that decodes to the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]


H, P, S = TOKEN.split(".")
JWK = {"kty": "OKP", "crv": "Ed25519", "x": b64(FORGER.public.raw)}
BAD: dict[str, tuple[str, type[ForeignInputError], str]] = {
    "alg none": (f"{b64(json.dumps({**HEADER, 'alg': 'none'}).encode())}.{P}.", MalformedCertificate, "header"),
    "alg HS256 over the public key": (hmac_with_public_key(), MalformedCertificate, "header"),
    "alg Ed25519": (token({**HEADER, "alg": "Ed25519"}), MalformedCertificate, "header"),
    "another typ": (token({**HEADER, "typ": "JWT"}), MalformedCertificate, "header"),
    "no typ": (token({"alg": "EdDSA", "cty": "vc", "kid": METHOD}), MalformedCertificate, "header"),
    "no cty": (token({"alg": "EdDSA", "typ": "vc+jwt", "kid": METHOD}), MalformedCertificate, "header"),
    "no kid": (token({"alg": "EdDSA", "typ": "vc+jwt", "cty": "vc"}), MalformedCertificate, "header"),
    "a kid that is no text": (token({**HEADER, "kid": 1}), MalformedCertificate, "header"),
    "crit": (token({**HEADER, "crit": ["b64"], "b64": False}), MalformedCertificate, "header"),
    "a key in the header": (token({**HEADER, "jwk": JWK}), MalformedCertificate, "header"),
    "an address of keys in the header": (
        token({**HEADER, "jku": "https://evil.example"}),
        MalformedCertificate,
        "header",
    ),
    "certificates in the header": (token({**HEADER, "x5c": ["MII="]}), MalformedCertificate, "header"),
    "four parts": (TOKEN + ".", MalformedCertificate, "no signed token"),
    "two parts": (f"{H}.{P}", MalformedCertificate, "no signed token"),
    "nothing": ("", MalformedCertificate, "no signed token"),
    "no signature": (f"{H}.{P}.", MalformedCertificate, "signature is not base64url"),
    "padding": (f"{H}.{P}.{S}==", MalformedCertificate, "signature is not base64url"),
    "another spelling of the signature": (
        f"{H}.{P}.{respelled(S)}",
        MalformedCertificate,
        "signature is not base64url",
    ),
    "base64 of the other alphabet": (f"{H}.{P}.{S[:-4]}+/+/", MalformedCertificate, "signature is not base64url"),
    "a space": (f"{H}.{P}.{S[:40]} {S[40:]}", MalformedCertificate, "signature is not base64url"),
    "a newline at the end": (TOKEN + "\n", MalformedCertificate, "signature is not base64url"),
    "letters from elsewhere": (f"{H}.{P}.{'ä' * 86}", MalformedCertificate, "signature is not base64url"),
    "one letter too many": (f"{H}.{P}.{S[:-1]}AAAA", MalformedCertificate, "base64url"),
    "a header that is no JSON": (token(b"{alg: EdDSA}"), MalformedJson, "not JSON"),
    "a payload that is no JSON": (token(payload=b"vc"), MalformedJson, "not JSON"),
    "a payload that is no object": (token(payload=b"[1]"), MalformedJson, "no object"),
    "a member twice": (token(payload=b'{"iss":"a","iss":"b"}'), MalformedJson, "two members"),
    "a header member twice": (token(b'{"alg":"none","alg":"EdDSA"}'), MalformedJson, "two members"),
    "huge nesting": (token(payload=b'{"a":' * 5_000 + b"1" + b"}" * 5_000), MalformedJson, "nested too deeply"),
    "huge": ("a" * 1_000_000, MalformedCertificate, "too large"),
    "another iss": (token(iss="did:web:evil.example"), MalformedCertificate, "iss"),
    "another jti": (token(jti="https://label.example/v/0000000001"), MalformedCertificate, "jti"),
    "another nbf": (token(nbf=REGISTERED["nbf"] - 1), MalformedCertificate, "nbf"),
    "an nbf with a fraction": (token(nbf=float(REGISTERED["nbf"])), MalformedCertificate, "nbf"),
    "a longer life": (token(exp=REGISTERED["exp"] + 1), MalformedCertificate, "exp"),
    "an exp as text": (token(exp=str(REGISTERED["exp"])), MalformedCertificate, "exp"),
    "no exp": (without("exp"), MalformedCertificate, "exp"),
    "no iss": (without("iss"), MalformedCertificate, "iss"),
    "no sub": (without("sub"), MalformedCertificate, "sub"),
    "an audience": (token(aud="https://shop.example"), MalformedCertificate, "aud"),
    "another subject": (token(sub="did:example:me"), MalformedCertificate, "sub"),
    "a null where nothing belongs": (token(iat=None), MalformedCertificate, "iat"),
    "no issuer inside": (without("issuer"), MalformedCertificate, "no issuer"),
    "an issuer that is a list": (token(issuer=["did:web:label.example"]), MalformedCertificate, "no issuer"),
    "another payload": (f"{H}.{token(name='Class 1').split('.')[1]}.{S}", BadSignature, "does not fit"),
    "another kid": (f"{token({**HEADER, 'kid': METHOD + '0'}).split('.')[0]}.{P}.{S}", BadSignature, "does not fit"),
    "a short signature": (f"{H}.{P}.{b64(bytes(32))}", BadSignature, "wrong length"),
}


def test_the_token_carries_the_claims_of_the_record() -> None:
    assert digest_of(verify_jwt(TOKEN, ISSUER.public)) == digest_of(PAYLOAD)
    assert parse_jwt(TOKEN).header == HEADER
    assert parse_jwt(TOKEN).kid == METHOD
    assert json.loads(base64.urlsafe_b64decode(P + "==")) == {**PAYLOAD, **REGISTERED}
    assert jwt_of(PAYLOAD, ISSUER, METHOD) == TOKEN


def test_a_good_token_by_other_software_is_read_whatever_its_spacing() -> None:
    assert verify_jwt(token(), ISSUER.public) == PAYLOAD


@pytest.mark.parametrize(("text", "kind", "words"), BAD.values(), ids=BAD.keys())
def test_any_other_token_is_refused(text: str, kind: type[ForeignInputError], words: str) -> None:
    with pytest.raises(ForeignInputError) as refused:
        verify_jwt(text, ISSUER.public)
    assert type(refused.value) is kind
    assert words in f"{refused.value} {refused.value.found}"
    assert refused.value.expected


def test_another_key_is_refused() -> None:
    with pytest.raises(BadSignature):
        verify_jwt(TOKEN, FORGER.public)


def test_a_credential_whose_members_would_pass_for_registered_claims_is_not_signed() -> None:
    with pytest.raises(MalformedCertificate, match="registered claim"):
        jwt_of({**PAYLOAD, "exp": 1}, ISSUER, METHOD)
