"""Verifying what others issued, as the W3C's suites call it: 200 when it verifies, else 400, each reason with a word of its own.

Credentials are signed here by keys of tests, as any wallet would sign them; the internet is a mock on loopback (internet.py).
"""

from __future__ import annotations

import base64
import copy
import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from certifier.certificate.integrity import sign_with
from certifier.certificate.jose import jwt_of
from certifier.certificate.times import time_text
from certifier.crypto.keys import base58_decode, base58_encode
from certifier.crypto.signing import SigningKey
from certifier.crypto.strict_json import parse_object
from certifier.egress import Egress
from certifier.errors import BusyError
from certifier.web.app import create_app
from tests.internet import Internet, Listener, body
from tests.studio import Studio
from tests.web.conftest import LATER, World

V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
SUITES = ["eddsa-rdfc-2022", "eddsa-jcs-2022"]
ISSUER = SigningKey.from_seed(b"example issuer".ljust(32, b"."))
OTHER = SigningKey.from_seed(b"example other".ljust(32, b"."))
DID, OTHER_DID = ISSUER.public.did_key, OTHER.public.did_key
WEB = "did:web:studio.example.org"
BASE = {
    "@context": [V2],
    "type": ["VerifiableCredential"],
    "id": "urn:uuid:86294362-4254-4f36-854f-3952fe42555d",
    "issuer": DID,
    "credentialSubject": {"id": "did:example:subject", "name": "Example"},
}


def method_of(did: str) -> str:
    return f"{did}#{did.removeprefix('did:key:')}"


def signed(
    document: dict[str, Any] = BASE, suite: str = SUITES[0], key: SigningKey = ISSUER, method: str = "", **more: Any
) -> dict[str, Any]:
    method = method or method_of(key.public.did_key)
    return sign_with(document, key, cryptosuite=suite, method=method, created="2026-11-01T12:00:00Z", **more)


def with_proof(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The signed document with members of its proof changed; None takes one away."""
    proof = {name: value for name, value in {**document["proof"], **changes}.items() if value is not None}
    return {**document, "proof": proof}


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    with Internet(tmp_path_factory.mktemp("net")) as net:
        yield net


@pytest.fixture(scope="module")
def anybody(tmp_path_factory: pytest.TempPathFactory, net: Internet) -> Iterator[FlaskClient]:
    """An installation that is asked about credentials of others."""
    certifier = Studio(tmp_path_factory.mktemp("anybody")).certifier()
    yield create_app(certifier, lambda: LATER, net.egress()).test_client()
    certifier.close()


def verify(client: FlaskClient, document: Any, **options: Any) -> tuple[int, dict[str, Any]]:
    answer = client.post(
        "/vc-api/credentials/verify",
        json={"verifiableCredential": document, "options": {"checks": ["proof"], **options}},
    )
    return answer.status_code, answer.get_json()


def present(client: FlaskClient, document: Any, **options: Any) -> tuple[int, dict[str, Any]]:
    answer = client.post(
        "/vc-api/presentations/verify",
        json={"verifiablePresentation": document, "options": {"checks": [], **options}},
    )
    return answer.status_code, answer.get_json()


def codes(told: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in told["problemDetails"]]


# -- credentials ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", SUITES)
def test_a_good_credential_verifies(anybody: FlaskClient, suite: str) -> None:
    status, told = verify(anybody, signed(suite=suite))
    assert (status, told["verified"], told["problemDetails"], told["errors"]) == (200, True, [], [])
    assert told["warnings"] == [f"Issued by {DID}: this is no certificate of the label."]
    assert "verdict" not in told


@pytest.mark.parametrize("suite", SUITES)
def test_the_worked_examples_of_the_w3c_are_signed_as_printed_but_their_issuer_is_not_the_key(
    anybody: FlaskClient, suite: str
) -> None:
    """The examples name an issuer on the web and sign with a did:key: the signature fits, and the issuer is not who holds it."""
    printed = json.loads((Path(__file__).parents[1] / "vectors/credential/w3c-eddsa.json").read_bytes())
    key = printed["publicKeyMultibase"]
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": suite,
        "created": printed["created"],
        "verificationMethod": f"did:key:{key}#{key}",
        "proofPurpose": "assertionMethod",
        **({"@context": printed["unsigned"]["@context"]} if suite == "eddsa-jcs-2022" else {}),
        "proofValue": printed[suite]["proofValue"],
    }
    status, told = verify(anybody, {**printed["unsigned"], "proof": proof})
    assert (status, codes(told)) == (400, ["issuer_mismatch"])


def extended(document: dict[str, Any]) -> dict[str, Any]:
    """With 32 random bytes behind its signature."""
    value = base58_encode(base58_decode(document["proof"]["proofValue"][1:]) + bytes(range(32)))
    return with_proof(document, proofValue="z" + value)


def signed_otherwise(document: dict[str, Any], suite: str) -> dict[str, Any]:
    """Signed by the rules of the other suite under the name of this one."""
    other = signed(document, suite=next(name for name in SUITES if name != suite))
    return with_proof(other, cryptosuite=suite)


BAD: dict[str, tuple[Callable[[str], dict[str, Any]], str]] = {
    "no proof": (lambda suite: BASE, "proof_missing"),
    "a proof that is null": (lambda suite: {**BASE, "proof": None}, "proof_missing"),
    "two proofs": (lambda suite: {**BASE, "proof": [signed(suite=suite)["proof"]] * 2}, "proof_set"),
    "no proof in the list": (lambda suite: {**BASE, "proof": []}, "proof_set"),
    "a proof without a type": (lambda suite: with_proof(signed(suite=suite), type=None), "proof"),
    "a proof of an unknown type": (lambda suite: with_proof(signed(suite=suite), type="UnknownProofType"), "proof"),
    "no cryptosuite": (lambda suite: with_proof(signed(suite=suite), cryptosuite=None), "proof"),
    "an unknown cryptosuite": (
        lambda suite: with_proof(signed(suite=suite), cryptosuite="UnknownCryptosuite"),
        "proof",
    ),
    "no verification method": (lambda suite: with_proof(signed(suite=suite), verificationMethod=None), "proof"),
    "a verification method of no form": (
        lambda suite: with_proof(signed(suite=suite), verificationMethod="did:key:invalidVm"),
        "verification_method",
    ),
    "a verification method with odd characters": (
        lambda suite: with_proof(signed(suite=suite), verificationMethod="did:key:@invalidVm@"),
        "verification_method",
    ),
    "a did:key that is no key": (
        lambda suite: with_proof(signed(suite=suite), verificationMethod="did:key:z6MkInvalid#z6MkInvalid"),
        "issuer_mismatch",
    ),
    "a did:key with another fragment": (
        lambda suite: with_proof(signed(suite=suite), verificationMethod=f"{DID}#key-1"),
        "verification_method",
    ),
    "an unsupported DID method": (
        lambda suite: with_proof(signed(suite=suite), verificationMethod="did:example:acme#key-1"),
        "did_method",
    ),
    "no purpose": (lambda suite: with_proof(signed(suite=suite), proofPurpose=None), "proof"),
    "an unknown purpose": (
        lambda suite: with_proof(signed(suite=suite), proofPurpose="invalidPurpose"),
        "proof_purpose",
    ),
    "another purpose": (lambda suite: signed(suite=suite, purpose="authentication"), "proof_purpose"),
    "no signature": (lambda suite: with_proof(signed(suite=suite), proofValue=None), "proof"),
    "a signature that is null": (
        lambda suite: {**BASE, "proof": {**signed(suite=suite)["proof"], "proofValue": None}},
        "proof",
    ),
    "a signature without its multibase letter": (
        lambda suite: with_proof(signed(suite=suite), proofValue=signed(suite=suite)["proof"]["proofValue"][1:]),
        "proof",
    ),
    "a signature that is too long": (lambda suite: extended(signed(suite=suite)), "proof"),
    "a short signature": (lambda suite: with_proof(signed(suite=suite), proofValue="z5nmMBw2u9TGKd9NxxHJtyZKgjN2Eh"), "proof"),
    "signed by the rules of the other suite": (lambda suite: signed_otherwise(BASE, suite), "signature"),
    "a time without a zone": (
        lambda suite: with_proof(signed(suite=suite), created="2026-11-01T12:00:00"),
        "proof",
    ),
    "a time that is none": (lambda suite: with_proof(signed(suite=suite), created="invalidDate"), "proof"),
    "an end without a zone": (lambda suite: with_proof(signed(suite=suite), expires="2036-11-01T12:00:00"), "proof"),
    "a proof that has ended": (lambda suite: signed(suite=suite, expires="2026-11-02T00:00:00Z"), "proof_expired"),
    "another time of signing": (
        lambda suite: with_proof(signed(suite=suite), created="2026-11-01T12:00:01Z"),
        "signature",
    ),
    "a member that proofs do not have": (lambda suite: with_proof(signed(suite=suite), extra="1"), "proof"),
    "a previous proof": (lambda suite: with_proof(signed(suite=suite), previousProof="urn:uuid:1"), "proof"),
    "a changed claim": (
        lambda suite: {**signed(suite=suite), "credentialSubject": {"id": "did:example:subject", "name": "Other"}},
        "signature",
    ),
    "a removed claim": (
        lambda suite: {**signed(suite=suite), "credentialSubject": {"id": "did:example:subject"}},
        "signature",
    ),
    "a proof of another document": (
        lambda suite: {**BASE, "id": "urn:example:2", "proof": signed(suite=suite)["proof"]},
        "signature",
    ),
    "another issuer in the document": (lambda suite: {**signed(suite=suite), "issuer": OTHER_DID}, "issuer_mismatch"),
    "signed by somebody else": (lambda suite: signed(suite=suite, key=OTHER), "issuer_mismatch"),
    "signed by somebody else in the issuer's name": (
        lambda suite: signed(suite=suite, key=OTHER, method=method_of(DID)),
        "signature",
    ),
    "an issuer of another method": (
        lambda suite: signed({**BASE, "issuer": "https://example.org/issuer"}, suite),
        "issuer_mismatch",
    ),
    "not yet valid": (lambda suite: signed({**BASE, "validFrom": "2027-01-01T00:00:00Z"}, suite), "not_yet_valid"),
    "valid in ten thousand years": (
        lambda suite: signed({**BASE, "validFrom": "12026-01-01T00:00:00Z"}, suite),
        "not_yet_valid",
    ),
    "expired": (lambda suite: signed({**BASE, "validUntil": "2026-11-20T00:00:00Z"}, suite), "expired"),
    "expired long before this calendar": (
        lambda suite: signed({**BASE, "validUntil": "-0100-11-20T00:00:00Z"}, suite),
        "expired",
    ),
    "no credential": (lambda suite: {"type": ["NonconformingDocument"]}, "malformed"),
    "nothing at all": (lambda suite: {}, "malformed"),
    "a credential without a subject": (
        lambda suite: {name: value for name, value in signed(suite=suite).items() if name != "credentialSubject"},
        "malformed",
    ),
    "a status of an unknown kind": (
        lambda suite: signed({**BASE, "credentialStatus": {"type": "https://example.org/#S"}}, suite),
        "status_unsupported",
    ),
}  # fmt: skip


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(("make", "code"), BAD.values(), ids=BAD.keys())
def test_a_bad_credential_fails_with_its_own_reason(
    anybody: FlaskClient, make: Callable[[str], dict[str, Any]], code: str, suite: str
) -> None:
    status, told = verify(anybody, make(suite))
    assert (status, told["verified"], codes(told)) == (400, False, [code])
    problem = told["problemDetails"][0]
    assert problem["title"]
    assert problem["type"].startswith(("https://www.w3.org/", "https://w3id.org/security#"))
    assert told["errors"] == [problem["detail"]]


RDFC_ONLY: dict[str, Callable[[], dict[str, Any]]] = {
    "a term added after signing": lambda: {**signed(), "tier": "platinum"},
    "a claim added after signing": lambda: {
        **signed(),
        "credentialSubject": {**BASE["credentialSubject"], "tier": "platinum"},  # type: ignore[dict-item]
    },
    "a null added after signing": lambda: {**signed(), "description": "x", "evidence": None},
    "a context that nobody pinned": lambda: {**signed(), "@context": [V2, "https://example.org/context"]},
}


@pytest.mark.parametrize("make", RDFC_ONLY.values(), ids=RDFC_ONLY.keys())
def test_what_no_signature_over_statements_covers_is_refused(
    anybody: FlaskClient, make: Callable[[], dict[str, Any]]
) -> None:
    status, told = verify(anybody, make())
    assert (status, told["verified"]) == (400, False)
    assert codes(told)[0] in {"document", "malformed"}


@pytest.mark.parametrize("suite", SUITES)
def test_contexts_in_another_order_are_another_document(anybody: FlaskClient, suite: str) -> None:
    good = signed({**BASE, "@context": [V2, EXAMPLES]}, suite)
    assert verify(anybody, good)[0] == 200
    assert codes(verify(anybody, {**good, "@context": [EXAMPLES, V2]})[1]) == ["malformed"]
    moved = {**good, "@context": [V2]}
    assert verify(anybody, moved)[0] == (
        400 if suite == "eddsa-jcs-2022" else 200
    )  # examples add nothing that was used


def test_options_make_a_check_stricter_and_never_easier(anybody: FlaskClient) -> None:
    plain = signed()
    assert codes(verify(anybody, plain, expectedProofPurpose="authentication")[1]) == ["proof_purpose"]
    assert codes(verify(anybody, plain, domain="domain.example")[1]) == ["domain"]
    assert codes(verify(anybody, plain, challenge="1235abcd6789")[1]) == ["challenge"]
    bound = signed(domain="domain.example", challenge="1235abcd6789")
    assert verify(anybody, bound, domain="domain.example", challenge="1235abcd6789")[0] == 200
    assert verify(anybody, bound, domain=["domain.example"])[0] == 200
    assert verify(anybody, bound)[0] == 200
    assert codes(verify(anybody, bound, domain="invalid-vc-domain.example.com")[1]) == ["domain"]
    assert codes(verify(anybody, bound, domain=[])[1]) == ["domain"]
    assert codes(verify(anybody, bound, domain="domain.example", challenge="invalid-challenge")[1]) == ["challenge"]
    odd = signed(purpose="verificationMethod")
    assert codes(verify(anybody, odd, expectedProofPurpose="verificationMethod")[1]) == ["proof_purpose"]
    expired = signed({**BASE, "validUntil": "2026-11-20T00:00:00Z"})
    for checks in ([], ["proof"], ["nothing"], "proof", None, 7):
        assert verify(anybody, expired, checks=checks)[0] == 400


BAD_OPTIONS = {"a challenge that is a number": {"challenge": 7}, "a domain that is an object": {"domain": {}}}


@pytest.mark.parametrize("options", BAD_OPTIONS.values(), ids=BAD_OPTIONS.keys())
def test_options_of_another_form_are_a_problem(anybody: FlaskClient, options: dict[str, Any]) -> None:
    status, told = verify(anybody, signed(), **options)
    assert (status, told["type"].rpartition("/")[2]) == (400, "parameter-invalid")


MISSING = {"nothing": {}, "text": {"verifiableCredential": "eyJ"}, "a list": {"verifiableCredential": []}}


@pytest.mark.parametrize("sent", MISSING.values(), ids=MISSING.keys())
def test_without_a_credential_nothing_is_verified(anybody: FlaskClient, sent: dict[str, Any]) -> None:
    answer = anybody.post("/vc-api/credentials/verify", json=sent)
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


# -- documents that take too much work -----------------------------------------------------------------------------------


def clique(size: int) -> dict[str, Any]:
    """Nodes that all point to each other and look alike: canonicalisation would try every order of them."""
    nodes = [{"id": f"_:b{n}", "knows": [{"id": f"_:b{m}"} for m in range(size) if m != n]} for n in range(size)]
    return {"id": "did:example:subject", "knows": nodes}


def twins(depth: int, width: int) -> dict[str, Any]:
    return {} if depth == 0 else {"knows": [twins(depth - 1, width) for _ in range(width)]}


def chain(length: int) -> Any:
    return {"knows": chain(length - 1)} if length else "end"


POISON: dict[str, tuple[Any, int]] = {
    "a clique of blank nodes": (clique(12), 400),
    "families of twins": ({"id": "did:example:subject", "knows": [twins(4, 5)]}, 400),
    "many twins": ({"id": "did:example:subject", "knows": [{"knows": [{}] * 12}] * 12}, 400),
    "very many claims": ({f"claim{n}": "x" for n in range(1990)}, 400),
    "many alike that a canonicaliser tells apart": (
        {"id": "did:example:subject", "knows": [{"knows": "x"}] * 400},
        201,
    ),
    "a long chain": ({"id": "did:example:subject", "knows": chain(26)}, 201),
}


@pytest.mark.parametrize(("subject", "status"), POISON.values(), ids=POISON.keys())
def test_a_document_that_would_take_for_ever_is_answered_soon(anybody: FlaskClient, subject: Any, status: int) -> None:
    document = {**BASE, "@context": [V2, EXAMPLES], "credentialSubject": subject}
    began = time.process_time()
    answer = anybody.post("/vc-api/credentials/issue", json={"credential": document})
    assert answer.status_code == status
    forged = verify(anybody, {**document, "proof": signed()["proof"]})
    assert (forged[0], codes(forged[1])) == (400, ["document" if status == 400 else "signature"])
    inside = {**presentation(), "verifiableCredential": [{**document, "proof": signed()["proof"]}]}
    assert present(anybody, inside)[0] == 400
    assert time.process_time() - began < 5


HOSTILE_CONTEXTS: dict[str, Any] = {
    "thousands of terms": {f"term{n}": f"https://example.org/{n}" for n in range(3_000)},
    "contexts in contexts": None,
    "a term that is a number": {"a": {"@id": 7}},
    "a term without a name": {"": "https://example.org/"},
    "an unknown version": {"@version": "x"},
    "a base that is a number": {"@base": 7},
    "a language that is a list": {"@language": []},
    "no vocabulary where there is none": {"@vocab": None},
    "a term that is a keyword": {"a": {"@id": "@type", "@container": "@graph"}},
    "a reverse of no form": {"a": {"@reverse": {"x": 1}}},
    "another context by its address": {"@import": "https://example.org/context"},
    "another context inside a term": {"a": {"@id": "https://example.org/a", "@context": "https://example.org/context"}},
}
for _n in range(12):
    HOSTILE_CONTEXTS["contexts in contexts"] = {
        f"a{_n}": {"@id": f"https://example.org/{_n}", "@context": HOSTILE_CONTEXTS["contexts in contexts"] or {}}
    }


@pytest.mark.parametrize("context", HOSTILE_CONTEXTS.values(), ids=HOSTILE_CONTEXTS.keys())
def test_a_hostile_context_costs_little_and_fetches_nothing(
    anybody: FlaskClient, net: Internet, context: dict[str, Any]
) -> None:
    net.looked_up.clear()
    document = {**BASE, "@context": [V2, context], "credentialSubject": {"id": "did:example:subject", "a": "x"}}
    began = time.process_time()
    status, told = verify(anybody, {**document, "proof": signed()["proof"]})
    assert (status, told["verified"]) == (400, False)
    assert time.process_time() - began < 2
    assert net.looked_up == []


# -- other issuers on the web --------------------------------------------------------------------------------------------


def did_document(did: str = WEB, **changes: Any) -> dict[str, Any]:
    key = {
        "id": f"{did}#key-1",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": ISSUER.public.multibase,
        **changes.pop("key", {}),
    }
    return {"id": did, "verificationMethod": [key], "assertionMethod": [f"{did}#key-1"], **changes}


def from_the_web(did: str = WEB, suite: str = SUITES[0], **changes: Any) -> dict[str, Any]:
    return signed({**BASE, "issuer": did, **changes}, suite, method=f"{did}#key-1")


@pytest.mark.parametrize("suite", SUITES)
def test_an_issuer_on_the_web_is_asked_for_its_key(anybody: FlaskClient, net: Internet, suite: str) -> None:
    net.serve("studio.example.org", {"/.well-known/did.json": json.dumps(did_document()).encode()})
    assert verify(anybody, from_the_web(suite=suite))[0] == 200
    assert codes(verify(anybody, {**from_the_web(suite=suite), "name": "Other"})[1]) == ["signature"]


def test_a_did_with_a_path_is_looked_up_there(anybody: FlaskClient, net: Internet) -> None:
    did = f"{WEB}:artists:alice"
    net.serve("studio.example.org", {"/artists/alice/did.json": json.dumps(did_document(did)).encode()})
    assert verify(anybody, from_the_web(did))[0] == 200


BAD_DOCUMENTS: dict[str, tuple[Any, str]] = {
    "of another DID": (did_document("did:web:other.example.org"), "did_document"),
    "without an id": ({**did_document(), "id": None}, "did_document"),
    "no JSON": (b"{", "did_document"),
    "a member twice": (b'{"id": "did:web:studio.example.org", "id": "did:web:studio.example.org"}', "did_document"),
    "a list": ([], "did_document"),
    "without the key": ({**did_document(), "verificationMethod": []}, "key_unknown"),
    "with the key twice": (
        {**did_document(), "verificationMethod": did_document()["verificationMethod"] * 2},
        "key_unknown",
    ),
    "with keys of no form": ({**did_document(), "verificationMethod": "key-1"}, "key_unknown"),
    "with a key that may not assert": ({**did_document(), "assertionMethod": []}, "key_purpose"),
    "with a key that may only authenticate": (
        {**did_document(), "assertionMethod": [], "authentication": [f"{WEB}#key-1"]},
        "key_purpose",
    ),
    "with a revoked key": (did_document(key={"revoked": "2026-10-01T00:00:00Z"}), "key_revoked"),
    "with a key that was revoked after it signed": (did_document(key={"revoked": "2026-11-15T00:00:00Z"}), "key_revoked"),
    "with an expired key": (did_document(key={"expires": "2026-10-01T00:00:00Z"}), "key_expired"),
    "with a key whose end cannot be read": (did_document(key={"expires": "soon"}), "key_expired"),
    "with a key of somebody else": (did_document(key={"controller": "did:web:other.example.org"}), "key_unusable"),
    "with a key of another type": (did_document(key={"type": "JsonWebKey"}), "key_unusable"),
    "with a key of another curve": (
        did_document(key={"publicKeyMultibase": "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"}),
        "key_unusable",
    ),
    "with a key of small order": (
        did_document(key={"publicKeyMultibase": "z" + base58_encode(b"\xed\x01" + b"\x01" + bytes(31))}),
        "key_unusable",
    ),
    "with another key": (did_document(key={"publicKeyMultibase": OTHER.public.multibase}), "signature"),
}  # fmt: skip


@pytest.mark.parametrize(("document", "code"), BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS.keys())
def test_a_did_document_that_gives_no_key_says_why(
    anybody: FlaskClient, net: Internet, document: Any, code: str
) -> None:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    net.serve("studio.example.org", {"/.well-known/did.json": raw})
    status, told = verify(anybody, from_the_web())
    assert (status, told["verified"], codes(told)) == (400, False, [code])


def test_keys_in_other_spellings_are_found(anybody: FlaskClient, net: Internet) -> None:
    relative = did_document(key={"id": "#key-1", "expires": "2027-01-01T00:00:00Z"}, assertionMethod=["#key-1"])
    embedded = {**did_document(), "verificationMethod": [], "assertionMethod": did_document()["verificationMethod"]}
    for document in (relative, embedded):
        net.serve("studio.example.org", {"/.well-known/did.json": json.dumps(document).encode()})
        assert verify(anybody, from_the_web())[0] == 200


NOT_HAD: dict[str, tuple[str, str]] = {
    "a name that nobody knows": ("did:web:nobody.example.org", "did_unresolved"),
    "a server without a document": ("did:web:empty.example.org", "did_unresolved"),
    "a server that redirects": ("did:web:moved.example.org", "did_unresolved"),
    "an address": ("did:web:127.0.0.1", "address_refused"),
    "a number": ("did:web:2130706433", "address_refused"),
    "localhost": ("did:web:localhost", "address_refused"),
    "the cloud's metadata": ("did:web:metadata.google.internal", "address_refused"),
    "a name that leads inside": ("did:web:inside.example.org", "address_refused"),
    "another port": ("did:web:studio.example.org%3A8443", "did_resolution"),
    "a name in capitals": ("did:web:STUDIO.example.org", "did_resolution"),
    "a path upwards": ("did:web:studio.example.org:..:x", "did_resolution"),
    "an empty path": ("did:web:studio.example.org::x", "did_resolution"),
}


@pytest.mark.parametrize(("did", "code"), NOT_HAD.values(), ids=NOT_HAD.keys())
def test_a_did_document_that_cannot_be_had_is_never_a_yes(
    anybody: FlaskClient, net: Internet, did: str, code: str
) -> None:
    net.serve("empty.example.org", {})
    net.serve("moved.example.org", body(b"", "302 Found", "Location: https://127.0.0.1/did.json"))
    net.name("inside.example.org", "10.0.0.7")
    net.dialled.clear()
    status, told = verify(anybody, from_the_web(did))
    assert (status, told["verified"], codes(told)) == (400, False, [code])
    if code in {"address_refused", "did_resolution"}:
        assert net.dialled == []


def test_a_did_on_a_private_address_gets_no_packet(tmp_path: Path) -> None:
    """With the service's real way outwards, and a listener where the packet would arrive."""
    certifier = Studio(tmp_path).certifier()
    listener = Listener()
    client = create_app(certifier, lambda: LATER).test_client()
    for did in (f"did:web:127.0.0.1%3A{listener.port}", "did:web:127.0.0.1", "did:web:localhost"):
        assert verify(client, from_the_web(did))[1]["verified"] is False
    assert listener.visits == 0
    listener.close()
    certifier.close()


# -- status lists of others ----------------------------------------------------------------------------------------------


LIST = "https://studio.example.org/status/3"


def bits(*places: int, length: int = 131_072) -> str:
    raw = bytearray(length // 8)
    for place in places:
        raw[place // 8] |= 128 >> place % 8
    return "u" + base64.urlsafe_b64encode(gzip.compress(bytes(raw), mtime=0)).decode().rstrip("=")


def status_list(encoded: str, suite: str = SUITES[0], key: SigningKey = ISSUER, **changes: Any) -> bytes:
    subject = {
        "id": f"{LIST}#list",
        "type": "BitstringStatusList",
        "statusPurpose": "revocation",
        "encodedList": encoded,
    }
    document = {
        "@context": [V2],
        "id": LIST,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": key.public.did_key,
        "validFrom": "2026-11-01T00:00:00Z",
        "credentialSubject": {**subject, **changes.pop("subject", {})},
        **changes,
    }
    return json.dumps(signed(document, suite, key)).encode()


def listed(purpose: str = "revocation", index: str = "94567", url: str = LIST, **more: Any) -> dict[str, Any]:
    entry = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": index,
        "statusListCredential": url,
        **more,
    }
    return signed({**BASE, "credentialStatus": entry})


STATUS: dict[str, tuple[bytes, dict[str, Any], list[str]]] = {
    "not set": (status_list(bits(94566, 94568)), listed(), []),
    "not set, signed with the other suite": (status_list(bits(1), SUITES[1]), listed(), []),
    "not set in a long list": (status_list(bits(7, length=1_048_576)), listed(index="1048575"), []),
    "set": (status_list(bits(94567)), listed(), ["revoked"]),
    "suspended": (
        status_list(bits(94567), subject={"statusPurpose": "suspension"}),
        listed("suspension"),
        ["suspended"],
    ),
    "set for a purpose of its own": (
        status_list(bits(94567), subject={"statusPurpose": "message"}),
        listed("message"),
        ["status_set"],
    ),
    "a list for several purposes": (
        status_list(bits(94567), subject={"statusPurpose": ["revocation", "suspension"]}),
        listed("suspension"),
        ["suspended"],
    ),
    "a place behind the end": (status_list(bits()), listed(index="131072"), ["status_range"]),
    "another purpose": (status_list(bits()), listed("suspension"), ["status_list"]),
    "a short list": (status_list(bits(length=65_536)), listed(), ["status_length"]),
    "a bomb": (status_list(bits(length=200_000_000)[:60_000]), listed(), ["status_list"]),
    "bits of no form": (status_list("uH4sIAAAAAAAA"), listed(), ["status_list"]),
    "bits without multibase": (status_list(bits()[1:]), listed(), ["status_list"]),
    "an expired list": (status_list(bits(), validUntil="2026-11-02T00:00:00Z"), listed(), ["status_list"]),
    "a list of tomorrow": (status_list(bits(), validFrom="2027-11-02T00:00:00Z"), listed(), ["status_list"]),
    "a list of somebody else": (status_list(bits(), key=OTHER), listed(), ["status_list"]),
    "a list in the name of somebody else": (status_list(bits(), issuer=OTHER_DID), listed(), ["status_list"]),
    "a list at another address": (status_list(bits(), id="https://example.org/status/4"), listed(), ["status_list"]),
    "a list that was changed": (
        status_list(bits(94567)).replace(bits(94567).encode(), bits().encode()),
        listed(),
        ["status_list"],
    ),
    "a list without its type": (status_list(bits(), type=["VerifiableCredential"]), listed(), ["status_list"]),
    "a subject of another type": (
        status_list(bits(), SUITES[1], subject={"type": "https://example.org/#List"}),
        listed(),
        ["status_list"],
    ),
    "no list": (b"{}", listed(), ["status_list"]),
    "no JSON": (b"<html>", listed(), ["status_list"]),
    "a list that is too large": (b" " * 70_000, listed(), ["status_unchecked"]),
    "more than one bit": (
        status_list(bits()),
        listed(statusSize=2),
        ["status_unsupported"],
    ),
    "no server": (b"", listed(url="https://nobody.example.org/status/3"), ["status_unchecked"]),
    "a list on a private address": (b"", listed(url="https://10.0.0.1/status/3"), ["status_unchecked"]),
    "a list at a plain address": (b"", listed(url="http://studio.example.org/status/3"), ["status_unchecked"]),
}


@pytest.mark.parametrize(("raw", "document", "expected"), STATUS.values(), ids=STATUS.keys())
def test_a_status_list_of_others_counts_only_when_all_of_it_holds(
    anybody: FlaskClient, net: Internet, raw: bytes, document: dict[str, Any], expected: list[str]
) -> None:
    net.serve("studio.example.org", {"/status/3": raw} if raw else {})
    for checks in (["proof", "credentialStatus"], ["proof"]):
        status, told = verify(anybody, document, checks=checks)
        assert (status, told["verified"], codes(told)) == (400 if expected else 200, not expected, expected)


def test_both_purposes_are_told_apart_and_one_unknown_status_is_enough(anybody: FlaskClient, net: Internet) -> None:
    net.serve("studio.example.org", {"/status/3": status_list(bits(7))})
    entries = [
        listed(index="7")["credentialStatus"],
        listed("suspension", url="https://nobody.example.org/1")["credentialStatus"],
    ]
    assert codes(verify(anybody, signed({**BASE, "credentialStatus": entries}))[1]) == ["revoked", "status_unchecked"]


def test_one_question_fetches_so_much_and_no_more(anybody: FlaskClient, net: Internet) -> None:
    net.serve("studio.example.org", {"/status/3": status_list(bits())})
    net.looked_up.clear()
    again = [listed(index=str(n))["credentialStatus"] for n in range(4)]
    assert verify(anybody, signed({**BASE, "credentialStatus": again}))[0] == 200
    assert len(net.looked_up) == 1
    many = [listed(url=f"https://studio.example.org/none/{n}")["credentialStatus"] for n in range(4)]
    held = [signed({**BASE, "credentialStatus": many[:3]}), signed({**BASE, "credentialStatus": many[3:] + again[:1]})]
    net.looked_up.clear()
    assert present(anybody, presentation(held))[1]["verified"] is False
    assert len(net.looked_up) == 4
    too_many = signed({**BASE, "credentialStatus": again + again})
    assert codes(verify(anybody, too_many)[1]) == ["status_unsupported"]


# -- presentations -------------------------------------------------------------------------------------------------------


def presentation(
    credentials: Any = (),
    suite: str = SUITES[0],
    key: SigningKey = ISSUER,
    proof: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    document = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": list(credentials) if isinstance(credentials, (list, tuple)) else credentials,
        **more,
    }
    kept = {name: value for name, value in document.items() if value is not None}
    return signed(kept, suite, key, **{"purpose": "authentication", **BOUND, **(proof or {})})


BOUND = {"challenge": "u8ZkTSRbfcPHPbAQ4zRJCAw", "domain": "github.com/w3c/vc-data-model-2.0-test-suite"}
UNSIGNED = dict(BASE)
IN_OBJECT = [V2, {"ExamplePresentation": "https://example.org/examples#ExamplePresentation"}]

GOOD_PRESENTATIONS: dict[str, Callable[[str], dict[str, Any]]] = {
    "nothing inside": lambda suite: presentation(suite=suite),
    "no credentials at all": lambda suite: presentation(None, suite, id="urn:uuid:9c9a36f8-518f-4976-a934-6649502d0008"),
    "one credential": lambda suite: presentation([signed(suite=suite)], suite),
    "one credential without a list": lambda suite: presentation(signed(suite=suite), suite),
    "several credentials of both suites": lambda suite: presentation([signed(), signed(suite=SUITES[1])], suite),
    "a credential of another issuer": lambda suite: presentation([signed({**BASE, "issuer": OTHER_DID}, suite, OTHER)], suite),
    "a holder": lambda suite: presentation([signed(suite=suite)], suite, holder=DID),
    "a holder as an object": lambda suite: presentation([signed(suite=suite)], suite, holder={"id": DID}),
    "a further type": lambda suite: presentation(
        suite=suite, **{"@context": IN_OBJECT, "type": ["VerifiablePresentation", "ExamplePresentation"]}
    ),
    "further contexts": lambda suite: presentation(suite=suite, **{"@context": [V2, EXAMPLES]}),
    "a credential with a context of its own": lambda suite: presentation(
        [signed({**BASE, "@context": IN_OBJECT, "type": ["VerifiableCredential", "ExamplePresentation"]}, suite)], suite
    ),
    "the holder's own word": lambda suite: presentation([UNSIGNED], suite, holder=DID),
    "a token inside": lambda suite: presentation([enveloped()], suite),
}  # fmt: skip


def enveloped(document: dict[str, Any] = BASE, key: SigningKey = ISSUER, **changes: Any) -> dict[str, Any]:
    token = jwt_of(document, key, method_of(key.public.did_key))
    return {
        "@context": V2,
        "id": f"data:application/vc+jwt,{token}",
        "type": "EnvelopedVerifiableCredential",
        **changes,
    }


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("make", GOOD_PRESENTATIONS.values(), ids=GOOD_PRESENTATIONS.keys())
def test_a_good_presentation_verifies(anybody: FlaskClient, make: Callable[[str], dict[str, Any]], suite: str) -> None:
    status, told = present(anybody, make(suite))
    assert (status, told["verified"], told["problemDetails"]) == (200, True, [])
    assert told["presentationResult"]["verified"] is True
    assert all(result["verified"] for result in told["credentialResults"])


def without(document: dict[str, Any], member: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != member}


def spoiled(document: dict[str, Any], context: Any) -> dict[str, Any]:
    return {**document, "@context": [V2, context]}


BAD_PRESENTATIONS: dict[str, tuple[Callable[[str], dict[str, Any]], list[str]]] = {
    "no proof": (lambda suite: without(presentation(suite=suite), "proof"), ["proof_missing"]),
    "no context": (lambda suite: without(presentation(suite=suite), "@context"), ["malformed"]),
    "contexts in another order": (
        lambda suite: {**presentation(suite=suite), "@context": [EXAMPLES, V2]},
        ["malformed"],
    ),
    "no base context": (lambda suite: {**presentation(suite=suite), "@context": [EXAMPLES]}, ["malformed"]),
    "a context that is no address": (
        lambda suite: spoiled(presentation(suite=suite), "https ://not-a-url/contexts/example/v1"),
        ["malformed"],
    ),
    "a context that is a number": (lambda suite: spoiled(presentation(suite=suite), 123192875), ["malformed"]),
    "a context that was added": (
        lambda suite: spoiled(presentation(suite=suite), "https://example.com"),
        ["either document or signature"],
    ),
    "no type": (lambda suite: without(presentation(suite=suite), "type"), ["malformed"]),
    "another type": (lambda suite: {**presentation(suite=suite), "type": ["VerifiableCredential"]}, ["malformed"]),
    "an id that is no address": (lambda suite: {**presentation(suite=suite), "id": "not-a-url"}, ["malformed"]),
    "credentials that are text": (
        lambda suite: {**presentation(suite=suite), "verifiableCredential": ["https://example.org/1"]},
        ["malformed"],
    ),
    "credentials that are a number": (
        lambda suite: {**presentation(suite=suite), "verifiableCredential": 7},
        ["malformed"],
    ),
    "more credentials than anybody needs": (
        lambda suite: {**presentation(suite=suite), "verifiableCredential": [BASE] * 11},
        ["malformed"],
    ),
    "a holder that is no address": (
        lambda suite: {**presentation(suite=suite), "holder": {"id": DID.removeprefix("did:key:")}},
        ["malformed"],
    ),
    "a holder without an id": (lambda suite: {**presentation(suite=suite), "holder": {"name": "x"}}, ["malformed"]),
    "another holder than who signed": (
        lambda suite: presentation(suite=suite, holder="did:example:acme"),
        ["holder_mismatch"],
    ),
    "a proof made to assert": (
        lambda suite: presentation(suite=suite, proof={"purpose": "assertionMethod"}),
        ["proof_purpose"],
    ),
    "a changed signature": (
        lambda suite: with_proof(presentation(suite=suite), proofValue="z5nmMBw2u9TGKd9NxxHJtyZKgjN2Eh"),
        ["proof"],
    ),
    "a credential that was taken out": (
        lambda suite: {**presentation([signed(suite=suite)], suite), "verifiableCredential": []},
        ["signature"],
    ),
    "a credential that was put in": (
        lambda suite: {**presentation(suite=suite), "verifiableCredential": [signed(suite=suite)]},
        ["signature"],
    ),
    "a bad credential inside": (
        lambda suite: presentation([signed(suite=suite), {**signed(suite=suite), "issuer": OTHER_DID}], suite),
        ["issuer_mismatch"],
    ),
    "an expired credential inside": (
        lambda suite: presentation([signed({**BASE, "validUntil": "2026-11-20T00:00:00Z"}, suite)], suite),
        ["expired"],
    ),
    "somebody else's word without a proof": (
        lambda suite: presentation([{**UNSIGNED, "issuer": OTHER_DID}], suite, holder=DID),
        ["proof_missing"],
    ),
    "own word of nobody named": (lambda suite: presentation([UNSIGNED], suite), ["proof_missing"]),
    "a token that was changed inside": (
        lambda suite: presentation([enveloped(id=enveloped()["id"][:-8] + "AAAAAAAA")], suite),
        ["either malformed or signature"],
    ),
    "no presentation": (lambda suite: {"type": ["NonconformingDocument"]}, ["malformed"]),
}


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(("make", "expected"), BAD_PRESENTATIONS.values(), ids=BAD_PRESENTATIONS.keys())
def test_a_bad_presentation_fails_with_its_own_reason(
    anybody: FlaskClient, make: Callable[[str], dict[str, Any]], expected: list[str], suite: str
) -> None:
    status, told = present(anybody, make(suite))
    assert (status, told["verified"], len(codes(told))) == (400, False, 1)
    assert codes(told) == expected or codes(told)[0] in expected[0].split()


def test_the_challenge_and_the_domain_are_compared(anybody: FlaskClient) -> None:
    good = presentation()
    assert present(anybody, good, **BOUND)[0] == 200
    assert codes(present(anybody, good, challenge="another")[1]) == ["challenge"]
    assert codes(present(anybody, good, domain="another.example")[1]) == ["domain"]
    loose = signed(without(presentation(), "proof"), purpose="authentication")
    assert codes(present(anybody, loose, challenge=BOUND["challenge"])[1]) == ["challenge"]
    assert codes(present(anybody, with_proof(good, challenge="another"), challenge="another")[1]) == ["signature"]


def test_what_is_added_to_a_credential_without_a_proof_is_not_covered_by_accident(anybody: FlaskClient) -> None:
    for suite in SUITES:
        good = presentation([UNSIGNED], suite, holder=DID)
        inside = {**UNSIGNED, "verifiableCredential": [{**BASE, "name": "added"}]}
        assert present(anybody, {**good, "verifiableCredential": [inside]})[0] == 400


def test_a_service_that_fetches_too_much_just_now_says_so_and_nothing_of_the_document(
    anybody: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> bytes:
        raise BusyError("Many things are being fetched from others just now.")

    monkeypatch.setattr(Egress, "fetch", busy)
    theirs = signed({**BASE, "issuer": WEB}, method=f"{WEB}#key-1")
    status, told = verify(anybody, theirs)
    assert (status, "verified" in told) == (503, False)


# -- tokens --------------------------------------------------------------------------------------------------------------


TOKENS: dict[str, tuple[Callable[[], dict[str, Any]], list[str]]] = {
    "a good one": (enveloped, []),
    "of another media type": (lambda: enveloped(id=enveloped()["id"].replace("vc+jwt", "jwt")), []),
    "no context": (lambda: without(enveloped(), "@context"), ["malformed"]),
    "an empty context": (lambda: enveloped(**{"@context": []}), ["malformed"]),
    "another context": (lambda: enveloped(**{"@context": EXAMPLES}), ["malformed"]),
    "no data address": (lambda: enveloped(id=enveloped()["id"].split(",")[1]), ["malformed"]),
    "two types": (lambda: enveloped(type=["EnvelopedVerifiableCredential", "VerifiableCredential"]), ["malformed"]),
    "the type of a credential": (lambda: enveloped(type="VerifiableCredential"), ["malformed"]),
    "signed by somebody else": (lambda: enveloped(key=OTHER), ["issuer_mismatch"]),
    "expired": (lambda: enveloped({**BASE, "validUntil": "2026-11-20T00:00:00Z"}), ["expired"]),
}


@pytest.mark.parametrize(("make", "expected"), TOKENS.values(), ids=TOKENS.keys())
def test_a_token_in_a_data_address_is_verified_like_a_document(
    anybody: FlaskClient, make: Callable[[], dict[str, Any]], expected: list[str]
) -> None:
    status, told = verify(anybody, make())
    assert (status, codes(told)) == (400 if expected else 200, expected)


UNANSWERED = {
    "a challenge": ({"challenge": "once"}, "challenge"),
    "a domain": ({"domain": "https://shop.example"}, "domain"),
    "another purpose": ({"expectedProofPurpose": "authentication"}, "proof_purpose"),
}


@pytest.mark.parametrize(("options", "expected"), UNANSWERED.values(), ids=UNANSWERED.keys())
def test_a_token_answers_no_challenge_and_names_no_domain(
    anybody: FlaskClient, options: dict[str, Any], expected: str
) -> None:
    status, told = verify(anybody, enveloped(), **options)
    assert (status, codes(told)) == (400, [expected])
    assert verify(anybody, enveloped(), expectedProofPurpose="assertionMethod")[0] == 200


# -- certificates of this label ------------------------------------------------------------------------------------------


def certificate(world: World) -> dict[str, Any]:
    return parse_object(world.verified.certificate.document or b"")


def test_a_certificate_of_ours_gets_the_one_verification(world: World) -> None:
    status, told = verify(world.client, certificate(world))
    assert (status, told["verified"], told["verdict"]) == (200, True, "valid")
    assert told["axes"]["inclusion"] == "included"
    inside = presentation([certificate(world)])
    assert present(world.client, inside)[0] == 200


def test_every_form_of_a_certificate_is_verified(world: World) -> None:
    badge = json.loads(world.client.get(f"/v/{world.code}.openbadge.json").data)
    assert badge["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
    token = world.client.get(f"/v/{world.code}.jwt").text
    for form in (badge, enveloped(id=f"data:application/vc+jwt,{token}")):
        status, told = verify(world.client, form)
        assert (status, told["verdict"]) == (200, "valid")
    assert codes(verify(world.client, {**badge, "tier": "platinum"})[1]) == ["integrity_broken"]
    tampered = enveloped(id=f"data:application/vc+jwt,{token[:-8]}AAAAAAAA")
    assert codes(verify(world.client, tampered)[1]) in (["integrity_broken"], ["malformed"])


def test_a_key_of_ours_that_the_log_does_not_know_is_a_reason_of_its_own(world: World) -> None:
    unknown = with_proof(certificate(world), verificationMethod="did:web:label.example#key-1999")
    status, told = verify(world.client, unknown)
    assert (status, codes(told), told["verdict"]) == (400, ["inclusion_broken"], "not_valid")


def test_a_withdrawn_certificate_does_not_verify(world: World) -> None:
    document = parse_object(world.withdrawn.certificate.document or b"")
    for checks in (["proof"], ["proof", "credentialStatus"]):
        status, told = verify(world.client, document, checks=checks)
        assert (status, codes(told), told["verdict"]) == (400, ["revoked"], "not_valid")


def test_what_our_key_signed_and_our_log_does_not_hold_never_verifies(world: World) -> None:
    """Whoever stole the key can sign anything, under any type; without the log it is worth nothing."""
    signer = next(iter(world.certifier.own_keys.signers.values()))
    method = certificate(world)["proof"]["verificationMethod"]
    claims = {name: value for name, value in certificate(world).items() if name != "proof"}
    changed = copy.deepcopy(claims)
    changed["credentialSubject"]["narrative"] = "Another track — Example Artist"
    other = {**BASE, "issuer": "did:web:label.example"}
    disguised = {**changed, "type": [*claims["type"], "BitstringStatusListCredential"]}
    disguised["id"] = "https://label.example/status/revocation/1"
    listed_type = {**other, "type": ["VerifiableCredential", "BitstringStatusListCredential"], "id": claims["id"]}
    for suite in SUITES:
        for document in (changed, other, disguised, listed_type):
            forged = signed(document, suite, signer, method)
            status, told = verify(world.client, forged)
            assert (status, told["verified"]) == (400, False)
    token = {**enveloped(), "id": f"data:application/vc+jwt,{jwt_of(changed, signer, method)}"}
    assert verify(world.client, token)[1]["verified"] is False


def test_options_count_for_certificates_too(world: World) -> None:
    assert codes(verify(world.client, certificate(world), challenge="1")[1]) == ["challenge"]
    assert codes(verify(world.client, certificate(world), expectedProofPurpose="authentication")[1]) == [
        "proof_purpose"
    ]
    twice = {**certificate(world), "proof": [certificate(world)["proof"]] * 2}
    assert codes(verify(world.client, twice)[1]) == ["proof_set"]


def test_the_label_presents_nothing(world: World) -> None:
    signer = next(iter(world.certifier.own_keys.signers.values()))
    method = certificate(world)["proof"]["verificationMethod"]
    document = {"@context": [V2], "type": ["VerifiablePresentation"]}
    assert codes(present(world.client, signed(document, key=signer, method=method, purpose="authentication"))[1]) == [
        "key_purpose"
    ]


def test_status_lists_of_ours_verify(world: World) -> None:
    for purpose in ("revocation", "suspension"):
        document = json.loads(world.client.get(f"/status/{purpose}/1").data)
        assert verify(world.client, document)[0] == 200
        document["credentialSubject"]["encodedList"] = bits(1)
        assert codes(verify(world.client, document)[1]) == ["signature"]


def test_production_verifies_too(studio: Studio) -> None:
    certifier = studio.certifier()
    certifier.settings = replace(certifier.settings, environment="production")
    client = create_app(certifier, lambda: LATER).test_client()
    assert verify(client, signed())[0] == 200
    assert verify(client, signed({**BASE, "validUntil": time_text(LATER - timedelta(seconds=1))}))[0] == 400
    certifier.close()


def test_answers_have_the_described_shape(anybody: FlaskClient) -> None:
    paths = json.loads(anybody.get("/openapi.json").data)["paths"]
    asked = {
        "/vc-api/credentials/verify": ("verifiableCredential", signed()),
        "/vc-api/presentations/verify": ("verifiablePresentation", presentation()),
    }
    for path, (member, document) in asked.items():
        answers = paths[path]["post"]["responses"]
        for sent in (document, without(document, "proof")):
            answer = anybody.post(path, json={member: sent})
            schema = answers[str(answer.status_code)]["content"]["application/json"]["schema"]
            Draft202012Validator(schema).validate(answer.get_json())
