"""`jose` verifies our certificate as a token, and we read the tokens that it signs."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import pytest

from certifier.certificate.jose import jwt_of, parse_jwt, verify_jwt
from certifier.certificate.times import time_text
from certifier.crypto.keys import PublicKey
from certifier.crypto.signing import SigningKey
from certifier.crypto.strict_json import parse_object
from certifier.errors import BadSignature, MalformedCertificate
from tests.foreign.judge import Judge
from tests.foreign.world import LATER, World, jwk_of
from tests.studio import NOW, STRANGER

SEED = b"a key of nobody".ljust(32, b".")
KEY = SigningKey.from_seed(SEED)


def told(judge: Judge, jwt: str, key: PublicKey, issuer: str, now: datetime = LATER) -> dict[str, Any]:
    return judge.ask("verifyJwt", jwt=jwt, jwk=jwk_of(key), issuer=issuer, now=time_text(now))


def claims_of(jwt: str) -> dict[str, Any]:
    part = jwt.split(".")[1]
    return parse_object(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def signed_there(judge: Judge, claims: dict[str, Any], **header: str) -> str:
    secret = {**jwk_of(KEY.public), "d": base64.urlsafe_b64encode(SEED).decode().rstrip("=")}
    answer = judge.ask(
        "signJwt", payload=claims, header={"alg": "EdDSA", "typ": "vc+jwt", "cty": "vc", **header}, jwk=secret
    )
    return str(answer["jwt"])


def test_it_verifies_our_token_and_reads_the_whole_certificate(foreign: World, judge: Judge) -> None:
    answer = told(judge, foreign.jwt("in force"), foreign.key, foreign.did)
    assert answer["header"]["kid"] == foreign.method
    registered = {"iss", "sub", "jti", "nbf", "exp"}
    assert {name: value for name, value in answer["payload"].items() if name not in registered} == foreign.payload(
        "in force"
    )


def test_it_verifies_our_status_lists_as_tokens(foreign: World, judge: Judge) -> None:
    for url, token in foreign.list_tokens.items():
        answer = told(judge, token, foreign.key, foreign.did)
        assert answer["payload"]["id"] == url
        assert answer["payload"]["credentialSubject"] == foreign.lists[url]["credentialSubject"]


def test_it_refuses_our_token_after_its_end_and_before_its_beginning(foreign: World, judge: Judge) -> None:
    token = foreign.jwt("in force")
    assert '"exp" claim' in told(judge, token, foreign.key, foreign.did, foreign.expired_at)["error"]
    early = datetime.fromisoformat("2026-10-01T00:00:00+00:00")
    assert '"nbf" claim' in told(judge, token, foreign.key, foreign.did, early)["error"]


def test_it_refuses_our_token_under_another_key_of_another_issuer_or_changed(foreign: World, judge: Judge) -> None:
    token = foreign.jwt("in force")
    header, _, signature = token.split(".")
    swapped = f"{header}.{foreign.jwt('revoked').split('.')[1]}.{signature}"
    assert told(judge, token, STRANGER.public, foreign.did)["error"] == "signature verification failed"
    assert told(judge, swapped, foreign.key, foreign.did)["error"] == "signature verification failed"
    assert '"iss" claim' in told(judge, token, foreign.key, "did:web:example.org")["error"]


def test_we_read_a_token_that_it_signed(foreign: World, judge: Judge) -> None:
    ours = jwt_of(foreign.payload("in force"), KEY, foreign.method)
    theirs = signed_there(judge, claims_of(ours), kid=foreign.method)
    assert parse_jwt(theirs).kid == foreign.method
    assert verify_jwt(theirs, KEY.public) == foreign.payload("in force")
    with pytest.raises(BadSignature):
        verify_jwt(theirs, STRANGER.public)


def test_we_refuse_a_token_that_it_signed_with_claims_that_disagree(foreign: World, judge: Judge) -> None:
    claims = claims_of(foreign.jwt("in force")) | {"exp": int(NOW.timestamp()) + 10**9}
    with pytest.raises(MalformedCertificate, match="registered claim"):
        verify_jwt(signed_there(judge, claims, kid=foreign.method), KEY.public)
