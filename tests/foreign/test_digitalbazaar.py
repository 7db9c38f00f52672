"""`@digitalbazaar/vc` and its suites judge our certificates, and we judge what they sign."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from certifier.certificate.proof import sign_document, verify_document
from certifier.certificate.rdfc import sign_rdfc, verify_rdfc
from certifier.certificate.status import PURPOSES, status_list_payload, status_url
from certifier.certificate.times import time_text
from certifier.certificate.trust import LastGood
from certifier.crypto.keys import PublicKey
from certifier.crypto.signing import SigningKey
from certifier.errors import BadSignature, CertifierError
from tests.foreign.judge import Judge
from tests.foreign.world import LATER, World
from tests.studio import NOW, STRANGER

Signing = Callable[[dict[str, Any], SigningKey, str, str], dict[str, Any]]
Verifying = Callable[[dict[str, Any], PublicKey], dict[str, Any]]

RENDITIONS: dict[str, Callable[[World, str], dict[str, Any]]] = {"record": World.record, "openbadge": World.openbadge}
SUITES: dict[str, tuple[Signing, Verifying]] = {
    "eddsa-jcs-2022": (sign_document, verify_document),
    "eddsa-rdfc-2022": (sign_rdfc, verify_rdfc),
}
SEED = b"a key of nobody".ljust(32, b".")
rendition = pytest.mark.parametrize("rendition", RENDITIONS.values(), ids=RENDITIONS.keys())
suite = pytest.mark.parametrize("suite", SUITES)


def told(
    judge: Judge, credential: dict[str, Any], documents: dict[str, Any], now: datetime = LATER, **knows: list[str]
) -> tuple[bool, str, dict[str, bool]]:
    answer = judge.ask("verify", credential=credential, documents=documents, now=time_text(now), **knows)
    assert "error" not in answer, answer
    return answer["verified"], answer["reason"], answer["statuses"]


STATUS = {
    "in force": {"revocation": False, "suspension": False},
    "revoked": {"revocation": True, "suspension": False},
    "suspended": {"revocation": False, "suspension": True},
}


@rendition
@pytest.mark.parametrize(("state", "expected"), STATUS.items(), ids=STATUS.keys())
def test_they_verify_our_certificate_and_read_its_status(
    foreign: World, judge: Judge, rendition: Callable[..., Any], state: str, expected: dict[str, bool]
) -> None:
    assert told(judge, rendition(foreign, state), foreign.documents()) == (True, "", expected)


@pytest.mark.parametrize(("state", "expected"), STATUS.items(), ids=STATUS.keys())
def test_a_badge_wallet_that_knows_nothing_but_rdfc_verifies_certificate_and_lists(
    foreign: World, judge: Judge, state: str, expected: dict[str, bool]
) -> None:
    documents, knows = {**foreign.documents(), **foreign.list_badges}, ["eddsa-rdfc-2022"]
    assert told(judge, foreign.openbadge(state), documents, knows=knows) == (True, "", expected)
    assert (
        told(judge, foreign.openbadge(state), foreign.documents(), knows=knows)[0] is False
    )  # lists of the other suite
    assert told(judge, foreign.record(state), documents, knows=knows)[0] is False


def changed(document: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    bent = copy.deepcopy(document)
    change(bent)
    return bent


def _lower_figure(document: dict[str, Any]) -> None:
    document["credentialSubject"]["result"][0]["value"] = "0.01"


BENT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a lower figure": _lower_figure,
    "a later end": lambda document: document.update(validUntil="2099-01-01T00:00:00Z"),
    "another number": lambda document: document.update(id=document["id"] + "0"),
    "a term that no context defines": lambda document: document.update(tier="platinum"),
    "a proof of another day": lambda document: document["proof"].update(created="2026-11-01T12:00:01Z"),
    "no status": lambda document: document.pop("credentialStatus"),
}


@rendition
@pytest.mark.parametrize("change", BENT.values(), ids=BENT.keys())
def test_they_refuse_our_certificate_once_it_is_changed(
    foreign: World, judge: Judge, rendition: Callable[..., Any], change: Callable[[dict[str, Any]], Any]
) -> None:
    verified, reason, _ = told(judge, changed(rendition(foreign, "in force"), change), foreign.documents())
    assert not verified
    assert reason


@rendition
def test_they_know_its_dates(foreign: World, judge: Judge, rendition: Callable[..., Any]) -> None:
    certificate, documents = rendition(foreign, "in force"), foreign.documents()
    assert 'is after "validUntil"' in told(judge, certificate, documents, foreign.expired_at)[1]
    assert 'is before "validFrom"' in told(judge, certificate, documents, NOW - timedelta(days=1))[1]


@rendition
def test_they_take_no_status_from_a_list_that_is_expired(
    foreign: World, judge: Judge, rendition: Callable[..., Any]
) -> None:
    verified, reason, _ = told(judge, rendition(foreign, "revoked"), foreign.documents(), LATER + timedelta(days=2))
    assert not verified
    assert reason.startswith("status list: The current date time")


@rendition
def test_they_take_no_status_from_a_list_that_somebody_else_signed(
    foreign: World, judge: Judge, rendition: Callable[..., Any]
) -> None:
    url = status_url(foreign.certifier.settings.base_url, PURPOSES[0])
    did = STRANGER.public.did_key
    payload = status_list_payload(url, PURPOSES[0], [], issuer=did, log="an example log", now=LATER)
    forged = sign_document(payload, STRANGER, f"{did}#{STRANGER.public.multibase}", time_text(LATER))
    verified, reason, _ = told(judge, rendition(foreign, "revoked"), {**foreign.documents(), url: forged})
    assert (verified, reason) == (
        False,
        "Issuers of the status list credential and verifiable credential do not match.",
    )


@rendition
def test_a_certificate_of_a_retired_key_goes_on_to_verify_there(
    foreign: World, judge: Judge, rendition: Callable[..., Any]
) -> None:
    old = foreign.trusted_key
    retired = replace(old, valid_until=LATER - timedelta(minutes=1))
    newer = replace(old, id=f"{foreign.did}#key-2027", key=STRANGER.public, valid_from=LATER)
    verified, reason, _ = told(judge, rendition(foreign, "in force"), foreign.documents(retired, newer))
    assert (verified, reason) == (True, "")


@rendition
def test_a_certificate_of_a_stolen_key_is_refused_there(
    foreign: World, judge: Judge, rendition: Callable[..., Any]
) -> None:
    old = foreign.trusted_key
    stolen = replace(old, last_good=LastGood(foreign.certifier.logbook.origin, 0))
    verified, reason, _ = told(judge, rendition(foreign, "in force"), foreign.documents(stolen))
    assert not verified
    assert "not authorized by controller" in reason


@rendition
def test_a_certificate_of_an_issuer_without_a_did_document_is_refused_there(
    foreign: World, judge: Judge, rendition: Callable[..., Any]
) -> None:
    verified, reason, _ = told(judge, rendition(foreign, "in force"), foreign.lists)
    assert (verified, reason) == (False, f"{foreign.method} is not at hand")


EXAMPLE = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "id": "https://example.org/credentials/1",
    "type": ["VerifiableCredential"],
    "name": "Ein Beispiel — 例 🎵",
    "validFrom": "2026-10-01T00:00:00Z",
    "credentialSubject": {"id": "https://example.org/tracks/1", "description": 'with "quotes", \\ and \u20ac'},
}


@suite
def test_we_verify_what_they_sign_with_a_key_of_their_own(judge: Judge, suite: str) -> None:
    answer = judge.ask("issue", credential=EXAMPLE, suite=suite, seed=SEED.hex(), now=time_text(NOW))
    theirs, key = answer["credential"], PublicKey.from_multibase(answer["publicKeyMultibase"])
    _, verify = SUITES[suite]
    assert verify(theirs, key) == {**EXAMPLE, "issuer": key.did_key}
    for bend in (lambda d: d.update(name="another"), lambda d: d["proof"].update(created="2026-11-02T12:00:00Z")):
        with pytest.raises(BadSignature):
            verify(changed(theirs, bend), key)
    with pytest.raises(BadSignature):
        verify(theirs, STRANGER.public)
    with pytest.raises(CertifierError):
        verify(changed(theirs, lambda d: d.update(tier="platinum")), key)


@suite
def test_both_sign_the_same_certificate_with_the_same_bytes(foreign: World, judge: Judge, suite: str) -> None:
    key, payload, sign = SigningKey.from_seed(SEED), foreign.payload("in force"), SUITES[suite][0]
    question = {"credential": payload, "suite": suite, "seed": SEED.hex(), "method": foreign.method}
    answer = judge.ask("issue", **question, now=time_text(NOW))
    assert answer["credential"] == sign(payload, key, foreign.method, time_text(NOW))
