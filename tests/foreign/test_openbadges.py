"""`openvc-core` and `openbadgeslib` judge the files that badge software gets: rdfc, baked SVG, token, status lists."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Any

import jwt.api_jwt
import openbadgeslib.ob3.ldp
import openbadgeslib.ob3.status
import openbadgeslib.ob3.verifier
import openvc
import openvc.did.base
import openvc.did.did_web
import openvc.errors
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from openbadgeslib.ob3.contexts import bundled_contexts
from openbadgeslib.ob3.credential import OpenBadgeCredential
from openbadgeslib.ob3.ldp import OB3LdpSigner, OB3LdpVerifier
from openbadgeslib.ob3.verifier import OB3VerificationError, OB3Verifier
from openvc import VerificationPolicy, verify_credential
from openvc.keys import Ed25519SigningKey
from openvc.proof.data_integrity import DataIntegrityProofSuite
from openvc.proof.di_jcs import EddsaJcsProofSuite

from certifier.certificate.baked import bake, unbake
from certifier.certificate.jose import jwt_of
from certifier.certificate.proof import sign_document, split_proof, verify_document
from certifier.certificate.rdfc import OPEN_BADGES, PINNED, sign_rdfc, verify_rdfc
from certifier.certificate.times import time_text
from certifier.certificate.trust import LastGood
from certifier.crypto.keys import PublicKey
from certifier.crypto.signing import SigningKey
from certifier.crypto.strict_json import parse_object
from certifier.errors import BadSignature, MalformedCertificate
from tests.foreign.test_digitalbazaar import BENT, RENDITIONS, changed
from tests.foreign.world import LATER, World
from tests.studio import STRANGER

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>'

# -- openvc-core -------------------------------------------------------------------------------------------------------


def told_by_openvc(credential: dict[str, Any], documents: dict[str, Any], now: datetime = LATER) -> str:
    """``good``, or the name of the error."""
    published = {f"https://{name.removeprefix('did:web:')}/.well-known/did.json": documents[name] for name in documents}
    resolver = openvc.did.base.DidResolverRegistry([openvc.did.did_web.DidWebResolver(published.__getitem__)])
    verify = partial(verify_credential, resolver=resolver, extra_contexts={OPEN_BADGES: PINNED[OPEN_BADGES]})

    def verified_list(url: str) -> dict[str, Any]:
        result = verify(documents[url], policy=VerificationPolicy(now=now))
        return result.credential

    policy = VerificationPolicy(now=now, require_status_issuer_binding=True)
    try:
        verify(credential, policy=policy, resolve_status_list=verified_list)
    except openvc.errors.OpenvcError as error:
        return type(error).__name__
    return "good"


STATES = {"in force": "good", "revoked": "CredentialRevoked", "suspended": "CredentialSuspended"}
rendition = pytest.mark.parametrize("rendition", RENDITIONS.values(), ids=RENDITIONS.keys())


@rendition
@pytest.mark.parametrize(("state", "expected"), STATES.items(), ids=STATES.keys())
def test_openvc_tells_our_certificates_apart(
    foreign: World, rendition: Callable[..., Any], state: str, expected: str
) -> None:
    assert told_by_openvc(rendition(foreign, state), foreign.documents()) == expected


@rendition
@pytest.mark.parametrize("change", BENT.values(), ids=BENT.keys())
def test_openvc_refuses_our_certificate_once_it_is_changed(
    foreign: World, rendition: Callable[..., Any], change: Callable[[dict[str, Any]], Any]
) -> None:
    said = told_by_openvc(changed(rendition(foreign, "in force"), change), foreign.documents())
    assert said in {"SignatureInvalid", "ProofMalformed"}


@rendition
def test_openvc_knows_the_dates_of_the_certificate_and_of_the_list(
    foreign: World, rendition: Callable[..., Any]
) -> None:
    certificate, documents = rendition(foreign, "in force"), foreign.documents()
    assert told_by_openvc(certificate, documents, foreign.expired_at) == "CredentialExpired"
    assert told_by_openvc(certificate, documents, LATER + timedelta(days=2)) == "CredentialExpired"


@rendition
def test_openvc_refuses_a_stolen_key_and_goes_on_with_a_retired_one(
    foreign: World, rendition: Callable[..., Any]
) -> None:
    old = foreign.trusted_key
    stolen = replace(old, last_good=LastGood(foreign.certifier.logbook.origin, 0))
    retired = replace(old, valid_until=LATER - timedelta(minutes=1))
    newer = replace(old, id=f"{foreign.did}#key-2027", key=STRANGER.public, valid_from=LATER)
    assert told_by_openvc(rendition(foreign, "in force"), foreign.documents(stolen)) == "ProofPurposeMismatch"
    assert told_by_openvc(rendition(foreign, "in force"), foreign.documents(retired, newer)) == "good"


# -- openbadgeslib -----------------------------------------------------------------------------------------------------


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the clock of openbadgeslib and of the library that reads tokens for it: it cannot be told the time."""

    def stop(now: datetime) -> None:
        class Stopped(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return now.astimezone(tz)

        for module in (openbadgeslib.ob3.verifier, openbadgeslib.ob3.ldp, openbadgeslib.ob3.status, jwt.api_jwt):
            monkeypatch.setattr(module, "datetime", Stopped)

    stop(LATER)
    return stop


def told_by_openbadgeslib(
    credential: str, foreign: World, documents: dict[str, Any] | None = None, lists: dict[str, str] | None = None
) -> str:
    """``good``, or what it says; key and status lists are fetched by it, the lists as tokens."""
    published = {name: json.dumps(value).encode() for name, value in (documents or foreign.documents()).items()}
    published |= {url: token.encode() for url, token in (lists or foreign.list_tokens).items()}
    published[f"https://{foreign.did.removeprefix('did:web:')}/.well-known/did.json"] = published[foreign.did]
    fetch = published.__getitem__
    kind = OB3LdpVerifier if credential.startswith("{") else OB3Verifier
    try:
        found = kind.for_issuer_did(foreign.did, download=fetch).verify(credential, check_status=True, download=fetch)
    except OB3VerificationError as error:
        return str(error)
    assert found.issuer.id == foreign.did
    return "good"


def as_file(foreign: World, state: str) -> str:
    return json.dumps(foreign.openbadge(state))


def as_baked(foreign: World, state: str) -> str:
    return OB3Verifier.extract_token_from_svg(foreign.baked(state))


FORMS: dict[str, Callable[[World, str], str]] = {"file": as_file, "baked badge": as_baked, "token": World.jwt}
OPINIONS = {"in force": "good", "revoked": "'revocation' is set", "suspended": "'suspension' is set"}
form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())


@form
@pytest.mark.parametrize(("state", "expected"), OPINIONS.items(), ids=OPINIONS.keys())
def test_openbadgeslib_tells_our_certificates_apart(
    foreign: World, stopped: object, form: Callable[..., str], state: str, expected: str
) -> None:
    assert expected in told_by_openbadgeslib(form(foreign, state), foreign)


@form
def test_openbadgeslib_knows_the_dates(
    foreign: World, stopped: Callable[[datetime], None], form: Callable[..., str]
) -> None:
    stopped(foreign.expired_at)
    assert "expired" in told_by_openbadgeslib(form(foreign, "in force"), foreign)
    stopped(LATER + timedelta(days=2))
    assert "status list" in (said := told_by_openbadgeslib(form(foreign, "in force"), foreign))
    assert "expired" in said


@pytest.mark.parametrize("change", BENT.values(), ids=BENT.keys())
def test_openbadgeslib_refuses_a_badge_once_it_is_changed(
    foreign: World, stopped: object, change: Callable[[dict[str, Any]], Any]
) -> None:
    bent = json.dumps(changed(foreign.openbadge("in force"), change))
    assert told_by_openbadgeslib(bent, foreign) != "good"
    svg = bake(SVG, bent)
    assert told_by_openbadgeslib(OB3Verifier.extract_token_from_svg(svg.encode()), foreign) != "good"


@form
def test_openbadgeslib_takes_no_status_from_a_list_that_another_key_signed(
    foreign: World, stopped: object, form: Callable[..., str]
) -> None:
    forged = {url: jwt_of(split_proof(foreign.lists[url])[0], STRANGER, foreign.method) for url in foreign.lists}
    said = told_by_openbadgeslib(form(foreign, "revoked"), foreign, lists=forged)
    assert "proof is invalid" in said


# -- what they sign ----------------------------------------------------------------------------------------------------

KEY = Ed25519PrivateKey.from_private_bytes(b"a key of nobody".ljust(32, b"."))
PUBLIC = PublicKey.from_raw(KEY.public_key().public_bytes_raw())
THEIR_METHOD = f"{PUBLIC.did_key}#{PUBLIC.multibase}"


def signed_by_openvc(suite: Any, payload: dict[str, Any], **contexts: Any) -> dict[str, Any]:
    key = Ed25519SigningKey(KEY, kid=THEIR_METHOD)
    signed: dict[str, Any] = suite.add_proof(
        payload, signing_key=key, verification_method=THEIR_METHOD, created=LATER, **contexts
    )
    return signed


def test_openvc_and_we_sign_the_same_certificate_with_the_same_bytes(foreign: World) -> None:
    payload, key = foreign.payload("in force"), SigningKey.from_seed(KEY.private_bytes_raw())
    theirs = signed_by_openvc(DataIntegrityProofSuite(), payload, extra_contexts={OPEN_BADGES: PINNED[OPEN_BADGES]})
    assert theirs == sign_rdfc(payload, key, THEIR_METHOD, time_text(LATER))
    assert verify_rdfc(theirs, PUBLIC) == payload


def test_we_verify_the_jcs_proof_of_openvc_once_it_carries_the_context_that_it_signed(foreign: World) -> None:
    payload = foreign.payload("in force")
    theirs = signed_by_openvc(EddsaJcsProofSuite(), payload)
    with pytest.raises(
        BadSignature
    ):  # Data Integrity EdDSA section 3.3.1, step 2; @digitalbazaar/vc refuses it as well
        verify_document(theirs, PUBLIC)
    complete = changed(theirs, lambda document: document["proof"].update({"@context": payload["@context"]}))
    assert complete == sign_document(
        payload, SigningKey.from_seed(KEY.private_bytes_raw()), THEIR_METHOD, time_text(LATER)
    )
    assert verify_document(complete, PUBLIC) == payload


def test_we_read_and_verify_a_badge_that_openbadgeslib_signed_and_baked(foreign: World) -> None:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    badge = OpenBadgeCredential.from_vc_document(foreign.openbadge("in force"))
    baked = OB3LdpSigner(pem, verification_method=THEIR_METHOD).sign_into_svg(badge, SVG.encode())
    theirs = parse_object(unbake(baked))
    contexts = bundled_contexts()  # it adds one that no certificate of ours has
    subject = foreign.payload("in force")["credentialSubject"]["id"]
    assert verify_rdfc(theirs, PUBLIC, contexts)["credentialSubject"]["id"] == subject
    with pytest.raises(BadSignature):
        verify_rdfc(changed(theirs, lambda document: document.update(name="another")), PUBLIC, contexts)
    with pytest.raises(MalformedCertificate, match="not pinned"):
        verify_rdfc(theirs, PUBLIC)
