"""Issuing in a sandbox as the W3C's suite for the data model calls it: what is taken, what is refused, in whose name.

Each request has the form that w3c/vc-data-model-2.0-test-suite, w3c/vc-di-eddsa-test-suite and
w3c/vc-bitstring-status-list-test-suite send: {"credential": …, "options": {…}}, answered with 201 and the credential.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from certifier.crypto.strict_json import parse_object
from certifier.service.certifier import Certifier
from certifier.service.home import open_certifier
from certifier.service.sandbox import KEY_FILE
from certifier.web.app import create_app
from tests.studio import NOW, Studio
from tests.web.conftest import LATER, World

V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
SUITES = ["eddsa-rdfc-2022", "eddsa-jcs-2022"]
SUBJECT = {"id": "did:example:subject"}
DELETED = object()


def credential(**changes: Any) -> dict[str, Any]:
    """The suite's smallest credential with changes; DELETED takes a member away."""
    base = {"@context": [V2], "type": ["VerifiableCredential"], "credentialSubject": SUBJECT}
    return {name: value for name, value in {**base, **changes}.items() if value is not DELETED}


def typed(name: str) -> list[Any]:
    return [V2, {name: f"https://example.org/examples#{name}"}]


def resource(**members: Any) -> dict[str, Any]:
    return {"id": "https://example.org/resource.json", "digestMultibase": MULTIHASH, **members}


MULTIHASH = "uEiAjCHMnK5-ayOIZLWo_TBoKYVvSAprlkYEjRlm19Cj0uw"
BASE58_MULTIHASH = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"
SRI = "sha384-Li9vy3DqF8tnTXuiaAJuML3ky+er10rcgNR/VqsVpcw+ThHmYcwiB1pbOxEbzJr7"
STATUS = {
    "type": "BitstringStatusListEntry",
    "statusPurpose": "revocation",
    "statusListIndex": "94567",
    "statusListCredential": "https://example.org/status/3",
}

ACCEPTED: dict[str, dict[str, Any]] = {
    "the smallest one": credential(),
    "two contexts": credential(**{"@context": [V2, EXAMPLES]}),
    "a context as an object": credential(
        **{
            "@context": typed("ExampleCredential"),
            "type": ["VerifiableCredential", "ExampleCredential"],
        }
    ),
    "a context inside an object": credential(
        **{"@context": [V2, {"@context": {"Extra": "https://example.org/#Extra"}}], "type": ["Extra", "VerifiableCredential"]}
    ),
    "an id that is a DID": credential(id="did:example:id"),
    "an id that is a URN": credential(id="urn:uuid:86294362-4254-4f36-854f-3952fe42555d"),
    "an id that is an address": credential(id="https://example.org/credentials/1"),
    "a type that is an address": credential(type=["VerifiableCredential", "https://example.org/#Example"]),
    "types in another order": credential(
        type=["https://example.org/#A", "VerifiableCredential", "https://example.org/#B"]
    ),
    "one type as text": credential(type="VerifiableCredential"),
    "a further type of the examples": credential(
        **{"@context": [V2, EXAMPLES], "type": ["VerifiableCredential", "RelationshipCredential"]}
    ),
    "an issuer as an object": credential(issuer={"id": "did:example:issuer"}),
    "an issuer as an address": credential(issuer="https://example.org/issuers/565049"),
    "an issuer without an id": credential(issuer={"name": "Example Issuer"}),
    "an issuer with a name in a language": credential(issuer={"name": {"@value": "Example", "@language": "en"}}),
    "an issuer with a description that has a direction": credential(
        issuer={"description": {"@value": "Example", "@language": "en", "@direction": "ltr"}}
    ),
    "several subjects": credential(credentialSubject=[SUBJECT, {"id": "did:example:other"}]),
    "a name": credential(name="Example"),
    "a name in a language": credential(name={"@value": "Example", "@language": "en"}),
    "a name with a direction": credential(name={"@value": "Example", "@language": "he", "@direction": "rtl"}),
    "a name in several languages": credential(
        name=[{"@value": "Dog", "@language": "en"}, {"@value": "Chien", "@language": "fr"}]
    ),
    "a description": credential(description="Example"),
    "a description in several languages": credential(
        description=[{"@value": "Dog", "@language": "en"}, {"@value": "Cane", "@language": "it"}]
    ),
    "validFrom with fractions": credential(validFrom="2023-02-26T01:02:58.447Z"),
    "validFrom in another zone": credential(validFrom="2023-02-25T19:10:39-06:00"),
    "validFrom in the far future": credential(validFrom="9999-12-31T23:59:59Z"),
    "validFrom beyond this calendar": credential(validFrom="12026-01-01T00:00:00Z"),
    "validFrom at the end of a day": credential(validFrom="2023-02-26T24:00:00Z"),
    "validUntil": credential(validUntil="2033-02-26T01:02:58Z"),
    "validUntil with fractions": credential(validUntil="2033-02-26T01:02:58.447Z"),
    "validUntil in another zone": credential(validUntil="2033-02-26T01:02:58+14:00"),
    "a period": credential(validFrom="2023-01-01T00:00:00Z", validUntil="2033-01-01T00:00:00Z"),
    "a period of one moment in two zones": credential(
        validFrom="2033-01-01T00:00:00Z", validUntil="2033-01-01T01:00:00+01:00"
    ),
    "a status of a type of its own": credential(
        **{"@context": typed("StatusList2017"), "credentialStatus": {"id": "did:example:status", "type": "StatusList2017"}}
    ),
    "a status without an id": credential(
        **{"@context": typed("StatusList2017"), "credentialStatus": {"type": "StatusList2017"}}
    ),
    "a status list entry": credential(credentialStatus=STATUS),
    "terms of use": credential(
        **{"@context": typed("Policy"), "termsOfUse": [{"type": "Policy"}, {"type": "Policy", "id": "urn:example:1"}]}
    ),
    "evidence": credential(
        **{"@context": typed("Verification"), "evidence": [{"type": "Verification"}, {"type": "Verification"}]}
    ),
    "a refresh service": credential(
        refreshService={"type": "https://example.org/#Refresh", "id": "did:example:refresh/1"}
    ),
    "a refresh service without an id": credential(refreshService={"type": "https://example.org/#Refresh"}),
    "a schema": credential(credentialSchema={"type": "JsonSchema", "id": "https://example.org/schema.json"}),
    "several schemas": credential(
        credentialSchema=[
            {"type": "https://example.org/#Schema", "id": "did:example:schemas/1"},
            {"type": "https://example.org/#Schema", "id": "did:example:schemas/2"},
        ]
    ),
    "a related resource by multihash": credential(relatedResource=[resource()]),
    "a related resource by SRI": credential(
        relatedResource=resource(digestMultibase=f"z{BASE58_MULTIHASH}", digestSRI=SRI)
    ),
    "a related resource with its media type": credential(relatedResource=[resource(mediaType="application/json")]),
}  # fmt: skip

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no context": (credential(**{"@context": DELETED}), "/@context"),
    "a context that is text": (credential(**{"@context": V2}), "/@context"),
    "an empty context": (credential(**{"@context": []}), "/@context"),
    "no base context": (credential(**{"@context": [EXAMPLES]}), "/@context"),
    "the base context in second place": (credential(**{"@context": [EXAMPLES, V2]}), "/@context"),
    "the base context of version 1": (
        credential(**{"@context": ["https://www.w3.org/2018/credentials/v1"]}),
        "/@context",
    ),
    "one context twice": (credential(**{"@context": [V2, V2]}), "/@context"),
    "a context that is no address": (
        credential(**{"@context": [V2, "https ://not-a-url/contexts/example/v1"]}),
        "/@context/1",
    ),
    "a context that is a number": (credential(**{"@context": [V2, 123192875]}), "/@context/1"),
    "a context that nobody pinned": (credential(**{"@context": [V2, "https://example.com"]}), "/credential"),
    "a context that calls for another": (
        credential(**{"@context": [V2, {"@import": "https://example.com/context"}]}),
        "/credential",
    ),
    "no type": (credential(type=DELETED), "/type"),
    "an empty type": (credential(type=[]), "/type"),
    "a type that is null": (credential(type=None), "/type"),
    "a type that is a number": (credential(type=["VerifiableCredential", 2]), "/type"),
    "without the type of all credentials": (credential(type=["https://example.org/#Example"]), "/type"),
    "a type that no context maps": (
        credential(**{"@context": [V2, {"@vocab": None}], "type": ["VerifiableCredential", "ExampleTestCredential"]}),
        "/credential",
    ),
    "a type that is mapped to no address": (
        credential(
            **{
                "@context": [V2, {"ExampleTestCredential": "https ://not-a-url#ExampleTestCredential"}],
                "type": ["VerifiableCredential", "ExampleTestCredential"],
            }
        ),
        "/credential",
    ),
    "a term of the base context with a new meaning": (
        credential(**{"@context": [V2, {"VerifiableCredential": "https://example.org/#Bad"}]}),
        "/credential",
    ),
    "a protected term with a new meaning": (
        credential(
            **{
                "@context": [
                    V2,
                    {"@protected": True, "Example": "https://example.org/#Example"},
                    {"Example": "https://example.org/#Bad"},
                ],
                "type": ["VerifiableCredential", "Example"],
            }
        ),
        "/credential",
    ),
    "a term that no context defines": (credential(tier="platinum"), "/credential"),
    "a claim that no context defines": (credential(credentialSubject={**SUBJECT, "tier": "platinum"}), "/credential"),
    "an id that is null": (credential(id=None), "/id"),
    "several ids": (credential(id=["did:example:1", "did:example:2"]), "/id"),
    "an id that is no address": (credential(id="not-a-url"), "/id"),
    "an id with a space": (credential(id="https://example.org/a b"), "/id"),
    "a subject with several ids": (
        credential(credentialSubject={"id": ["did:example:1", "did:example:2"]}),
        "/credentialSubject/id",
    ),
    "a subject with an id that is null": (credential(credentialSubject={"id": None}), "/credentialSubject/id"),
    "no subject": (credential(credentialSubject=DELETED), "/credentialSubject"),
    "a subject that is null": (credential(credentialSubject=None), "/credentialSubject"),
    "a subject that is text": (credential(credentialSubject="did:example:subject"), "/credentialSubject"),
    "a subject without claims": (credential(credentialSubject={}), "/credentialSubject"),
    "no subject in the list": (credential(credentialSubject=[]), "/credentialSubject"),
    "one subject of several without claims": (credential(credentialSubject=[SUBJECT, {}]), "/credentialSubject/1"),
    "an issuer that is null": (credential(issuer=None), "/issuer"),
    "an issuer that is no address": (credential(issuer="not-a-url"), "/issuer"),
    "several issuers": (credential(issuer=["did:example:1", "did:example:2"]), "/issuer"),
    "an issuer whose id is null": (credential(issuer={"id": None}), "/issuer/id"),
    "an issuer whose id is no address": (credential(issuer={"id": "not-a-url"}), "/issuer/id"),
    "a name with more in it": (
        credential(name={"@value": "Example", "@language": "en", "url": "did:example:credential"}),
        "/name",
    ),
    "a name without a value": (credential(name={"@language": "en"}), "/name"),
    "a name in no language": (credential(name={"@value": "Example", "@language": "not a tag"}), "/name"),
    "a name in no direction": (credential(name={"@value": "Example", "@direction": "up"}), "/name"),
    "a name that is a number": (credential(name=7), "/name"),
    "names as bare text": (credential(name=["Dog", "Chien"]), "/name"),
    "a description with more in it": (
        credential(description={"@value": "Example", "url": "did:example:credential"}),
        "/description",
    ),
    "an issuer's name with more in it": (
        credential(issuer={"name": {"@value": "Example", "url": "did:example:1"}}),
        "/issuer/name",
    ),
    "an issuer's description with more in it": (
        credential(issuer={"description": {"@value": "Example", "extra": "1"}}),
        "/issuer/description",
    ),
    "validFrom that is no time": (credential(validFrom="2023-02-31 noon"), "/validFrom"),
    "validFrom without a zone": (credential(validFrom="2023-02-26T01:02:58"), "/validFrom"),
    "validFrom that is a day": (credential(validFrom="2023-02-26"), "/validFrom"),
    "validFrom on a day that is none": (credential(validFrom="2023-02-30T00:00:00Z"), "/validFrom"),
    "validFrom that is a number": (credential(validFrom=1677373378), "/validFrom"),
    "validFrom with digits of another script": (credential(validFrom="２023-02-26T01:02:58Z"), "/validFrom"),
    "validUntil without a zone": (credential(validUntil="2033-02-26T01:02:58"), "/validUntil"),
    "validUntil that is null": (credential(validUntil=None), "/validUntil"),
    "a period that ends before it begins": (
        credential(validFrom="2033-01-01T00:00:00Z", validUntil="2023-01-01T00:00:00Z"),
        "/validUntil",
    ),
    "a status without a type": (credential(credentialStatus={"id": "did:example:status"}), "/credentialStatus/type"),
    "a status of a type that is a number": (
        credential(credentialStatus={"id": "did:example:status", "type": 2}),
        "/credentialStatus/type",
    ),
    "a status with several ids": (
        credential(credentialStatus={"id": ["did:example:1", "did:example:2"], "type": "https://example.org/#S"}),
        "/credentialStatus/id",
    ),
    "a status whose id is no address": (
        credential(credentialStatus={"id": "not-a-url", "type": "https://example.org/#S"}),
        "/credentialStatus/id",
    ),
    "a status that is text": (credential(credentialStatus="did:example:status"), "/credentialStatus"),
    "no status in the list": (credential(credentialStatus=[]), "/credentialStatus"),
    "a status list entry whose place is no text": (
        credential(credentialStatus={**STATUS, "statusListIndex": True}),
        "/credentialStatus/statusListIndex",
    ),
    "a status list entry whose place is below zero": (
        credential(credentialStatus={**STATUS, "statusListIndex": "-1"}),
        "/credentialStatus/statusListIndex",
    ),
    "a status list entry without a purpose": (
        credential(credentialStatus={name: STATUS[name] for name in STATUS if name != "statusPurpose"}),
        "/credentialStatus/statusPurpose",
    ),
    "a status list entry of no list": (
        credential(credentialStatus={**STATUS, "statusListCredential": "list"}),
        "/credentialStatus/statusListCredential",
    ),
    "a status list entry with the address of its list as its own": (
        credential(credentialStatus={**STATUS, "id": STATUS["statusListCredential"]}),
        "/credentialStatus/id",
    ),
    "a status list entry of size zero": (
        credential(credentialStatus={**STATUS, "statusSize": 0}),
        "/credentialStatus/statusSize",
    ),
    "a status entry where none belongs": (credential(statusEntry=STATUS), "/credential"),
    "terms of use without a type": (credential(termsOfUse={"id": "did:example:1"}), "/termsOfUse/type"),
    "evidence without a type": (credential(evidence=[{"id": "did:example:1"}]), "/evidence/0/type"),
    "a refresh service without a type": (
        credential(refreshService={"id": "did:example:refresh/1"}),
        "/refreshService/type",
    ),
    "a refresh service whose id is no address": (
        credential(refreshService={"id": "one", "type": "https://example.org/#R"}),
        "/refreshService/id",
    ),
    "a schema without a type": (
        credential(credentialSchema={"id": "https://example.org/schema.json"}),
        "/credentialSchema/type",
    ),
    "a schema without an id": (credential(credentialSchema={"type": "JsonSchema"}), "/credentialSchema/id"),
    "a schema whose id is a number": (
        credential(credentialSchema={"type": "JsonSchema", "id": 7}),
        "/credentialSchema/id",
    ),
    "a render method without a type": (credential(renderMethod={"id": "did:example:1"}), "/renderMethod/type"),
    "a confidence method without a type": (
        credential(confidenceMethod=[{"id": "did:example:1"}]),
        "/confidenceMethod/0/type",
    ),
    "related resources as text": (credential(relatedResource=["https://example.org/1"]), "/relatedResource/0"),
    "a related resource without an id": (
        credential(relatedResource=[{"digestMultibase": MULTIHASH}]),
        "/relatedResource/0/id",
    ),
    "a related resource twice": (credential(relatedResource=[resource(), resource()]), "/relatedResource/1/id"),
    "a related resource without a digest": (
        credential(relatedResource=[{"id": "https://example.org/1"}]),
        "/relatedResource/0",
    ),
    "a related resource with a digest that is no multihash": (
        credential(relatedResource=[resource(digestMultibase="uZTQ0MjM1NiAgcmVwb3J0cc5jZWxhdGVkLXJlc291cmNlLmpzb24K")]),
        "/relatedResource/0/digestMultibase",
    ),
    "a related resource with a digest of no algorithm": (
        credential(relatedResource=[resource(digestSRI="md5-AAAA")]),
        "/relatedResource/0/digestSRI",
    ),
    "a credential that is signed already": (credential(proof={"type": "DataIntegrityProof"}), "/proof"),
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return create_app(Studio(tmp_path_factory.mktemp("sandbox")).certifier(), lambda: LATER).test_client()


def issue(client: FlaskClient, document: Any, **options: Any) -> Any:
    return client.post("/vc-api/credentials/issue", json={"credential": document, "options": options})


def verify(client: FlaskClient, document: Any, **options: Any) -> Any:
    body = {"verifiableCredential": document, "options": {"checks": ["proof"], **options}}
    return client.post("/vc-api/credentials/verify", json=body)


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("document", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_credential_of_the_data_model_is_issued_whole(
    sandbox: FlaskClient, document: dict[str, Any], suite: str
) -> None:
    answer = issue(sandbox, document, cryptosuite=suite)
    assert answer.status_code == 201, answer.text
    issued = answer.get_json()
    assert (issued["proof"]["type"], issued["proof"]["cryptosuite"]) == ("DataIntegrityProof", suite)
    kept = {name: value for name, value in issued.items() if name not in {"issuer", "proof"}}
    assert kept == {name: value for name, value in document.items() if name != "issuer"}


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(("document", "place"), REFUSED.values(), ids=REFUSED.keys())
def test_anything_else_is_refused_with_the_place_that_does_not_fit(
    sandbox: FlaskClient, document: dict[str, Any], place: str, suite: str
) -> None:
    answer = issue(sandbox, document, cryptosuite=suite)
    assert answer.status_code == 400, answer.text
    problem = answer.get_json()
    assert (problem["type"].rpartition("/")[2], problem["errors"][0]["pointer"]) == ("credential-malformed", place)


def test_what_is_issued_verifies_here(sandbox: FlaskClient) -> None:
    for suite in SUITES:
        answer = verify(sandbox, issue(sandbox, credential(), cryptosuite=suite).get_json())
        assert (answer.status_code, answer.get_json()["verified"]) == (200, True)


def test_without_a_choice_the_statements_are_signed(sandbox: FlaskClient) -> None:
    bodies = (
        {"credential": credential()},
        {"credential": credential(), "options": {"unknown": 1, "cryptosuite": None}},
    )
    for body in bodies:
        answer = sandbox.post("/vc-api/credentials/issue", json=body)
        assert answer.get_json()["proof"]["cryptosuite"] == "eddsa-rdfc-2022"


def test_the_issuer_is_the_sandbox_whoever_was_named(sandbox: FlaskClient) -> None:
    plain = issue(sandbox, credential()).get_json()
    did = plain["issuer"]
    assert did.startswith("did:key:z6Mk")
    assert plain["proof"]["verificationMethod"] == f"{did}#{did.removeprefix('did:key:')}"
    assert issue(sandbox, credential(issuer="did:web:label.example")).get_json()["issuer"] == did
    named = issue(sandbox, credential(issuer={"id": "did:web:label.example", "name": "Example"})).get_json()
    assert named["issuer"] == {"id": did, "name": "Example"}


def test_a_status_is_given_on_request_and_can_be_looked_up(sandbox: FlaskClient) -> None:
    issued = issue(sandbox, credential(), credentialStatus=True).get_json()
    assert [entry["statusPurpose"] for entry in issued["credentialStatus"]] == ["revocation", "suspension"]
    for entry in issued["credentialStatus"]:
        address = entry["statusListCredential"].removeprefix("https://label.example")
        answer = sandbox.get(address)
        assert (answer.status_code, answer.content_type) == (200, "application/vc")
        listed = json.loads(answer.data)
        assert (listed["id"], listed["issuer"]) == (entry["statusListCredential"], issued["issuer"])
        assert verify(sandbox, listed).get_json()["verified"] is True
    answer = verify(sandbox, issued, checks=["proof", "credentialStatus"])
    assert (answer.status_code, answer.get_json()["verified"]) == (200, True)


def test_an_id_is_given_on_request(sandbox: FlaskClient) -> None:
    assert issue(sandbox, credential(), credentialId="urn:example:7").get_json()["id"] == "urn:example:7"
    kept = issue(sandbox, credential(id="urn:example:1"), credentialId="urn:example:7")
    assert kept.get_json()["id"] == "urn:example:1"
    assert issue(sandbox, credential(), credentialId="seven").status_code == 400


BAD_REQUESTS: dict[str, tuple[Any, int, str]] = {
    "no credential": ({"options": {}}, 400, "parameter-invalid"),
    "a credential that is text": ({"credential": "eyJ"}, 400, "parameter-invalid"),
    "a credential that is a list": ({"credential": []}, 400, "parameter-invalid"),
    "options that are text": ({"credential": credential(), "options": "all"}, 400, "parameter-invalid"),
    "an unknown cryptosuite": (
        {"credential": credential(), "options": {"cryptosuite": "ecdsa-sd-2023"}},
        400,
        "parameter-invalid",
    ),
    "a cryptosuite that is a list": (
        {"credential": credential(), "options": {"cryptosuite": SUITES}},
        400,
        "parameter-invalid",
    ),
    "a time of signing that is none": (
        {"credential": credential(), "options": {"created": "today"}},
        400,
        "credential-malformed",
    ),
    "a list": ([], 400, "json-malformed"),
}


@pytest.mark.parametrize(("body", "status", "slug"), BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_a_request_that_cannot_be_read_is_a_problem(sandbox: FlaskClient, body: Any, status: int, slug: str) -> None:
    answer = sandbox.post("/vc-api/credentials/issue", json=body)
    assert (answer.status_code, answer.get_json()["type"].rpartition("/")[2]) == (status, slug)


BAD_BODIES: dict[str, tuple[bytes, str, int]] = {
    "a member twice": (b'{"credential": {"id": "a:b", "id": "c:d"}}', "application/json", 400),
    "a giant number": (b'{"credential": {"id": 1e400}}', "application/json", 400),
    "half a character": (b'{"credential": {"id": "\\ud800"}}', "application/json", 400),
    "no JSON": (b"{", "application/json", 400),
    "a form": (b"credential=1", "application/x-www-form-urlencoded", 415),
    "too many values": (b'{"credential": [' + b"0," * 5000 + b"0]}", "application/json", 400),
    "too deep": (b'{"credential": ' + b"[" * 40 + b"]" * 40 + b"}", "application/json", 400),
    "too large": (b'{"credential": "' + b"x" * 200_000 + b'"}', "application/json", 413),
}


@pytest.mark.parametrize(("body", "kind", "status"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
@pytest.mark.parametrize("route", ["credentials/issue", "credentials/verify", "presentations/verify"])
def test_a_body_that_cannot_be_read_is_a_problem(
    sandbox: FlaskClient, route: str, body: bytes, kind: str, status: int
) -> None:
    answer = sandbox.post(f"/vc-api/{route}", data=body, content_type=kind)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_numbers_with_fractions_are_refused_and_whole_ones_are_signed(sandbox: FlaskClient) -> None:
    context = {"@context": [V2, EXAMPLES]}
    for suite in SUITES:
        half = credential(**context, credentialSubject={**SUBJECT, "score": 0.5})
        assert issue(sandbox, half, cryptosuite=suite).status_code == 400
        whole = credential(**context, credentialSubject={**SUBJECT, "score": 5, "passed": True})
        issued = issue(sandbox, whole, cryptosuite=suite).get_json()
        assert verify(sandbox, issued).status_code == 200


# -- the sandbox's key is no key of the label ---------------------------------------------------------------------------


@pytest.mark.parametrize("suite", SUITES)
def test_nothing_that_a_sandbox_issues_is_ever_a_certificate(world: World, suite: str) -> None:
    """Whoever has the sandbox sign the very claims of a certificate, under any name, gets nothing that verifies as one."""
    record = parse_object(world.verified.certificate.document or b"")
    claims = {name: value for name, value in record.items() if name != "proof"}
    trust = world.certifier.published.trust_at(LATER)
    issued = issue(world.client, claims, cryptosuite=suite).get_json()
    assert trust.key_for(issued["proof"]["verificationMethod"]) is None
    own = {
        "id": "did:web:label.example",
        "type": ["Profile"],
        "name": "Low-Carbon Audio Label",
        "url": claims["issuer"]["url"],
    }
    forged = [
        issued,
        {**issued, "issuer": own},
        {**issued, "issuer": own, "proof": {**issued["proof"], "verificationMethod": record["proof"]["verificationMethod"]}},
    ]  # fmt: skip
    for document in forged:
        answer = world.client.post("/api/v1/verifications", json={"credential": document})
        verdict = answer.get_json().get("verdict", "refused")
        assert verdict in {"not_valid", "cannot_tell", "refused"}
    for document in forged[1:]:
        assert verify(world.client, document).get_json()["verified"] is False


def test_the_key_of_a_sandbox_is_in_no_register_and_no_trust(world: World) -> None:
    did = issue(world.client, credential()).get_json()["issuer"]
    keys = [key.public.did_key for key in world.certifier.keyring.keys]
    served = [world.client.get(path).text for path in ("/trust.json", "/.well-known/did.json")]
    assert did not in keys
    assert not any(did.removeprefix("did:key:") in text for text in served)


def test_a_sandbox_never_signs_with_the_issuers_key_even_if_an_operator_puts_it_there(studio: Studio) -> None:
    certifier = studio.certifier()
    private = certifier.settings.private_dir
    (private / KEY_FILE).write_bytes((private / "issuer.pem").read_bytes())
    (private / KEY_FILE).chmod(0o600)
    answer = issue(create_app(certifier, lambda: LATER).test_client(), credential())
    assert answer.status_code == 500
    assert "proof" not in answer.get_json()
    certifier.close()


def test_a_sandbox_keeps_its_key(studio: Studio, certifier: Certifier) -> None:
    issuers = {
        issue(create_app(certifier, lambda: LATER).test_client(), credential()).get_json()["issuer"] for _ in "ab"
    }
    assert len(issuers) == 1
    assert (certifier.settings.private_dir / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_production_issues_nothing_but_certificates_and_says_why(studio: Studio) -> None:
    settings = studio.certifier().settings
    production = open_certifier(replace(settings, environment="production"), NOW)
    client = create_app(production, lambda: LATER).test_client()
    answer = issue(client, credential())
    assert (answer.status_code, answer.content_type) == (403, "application/problem+json")
    problem = answer.get_json()
    assert problem["type"].endswith("/problems/sandbox-only")
    assert "its own certificates only" in problem["detail"]
    assert "/api/v1/submissions" in problem["errors"][0]["hint"]
    assert client.get("/vc-api/status/revocation/1").status_code == 403
    assert not (settings.private_dir / KEY_FILE).exists()
    production.close()
