"""Statements signed with eddsa-rdfc-2022: the W3C example bit for bit, and nothing in a document that is not covered."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pyld import jsonld

from certifier.certificate.credential import payload_for
from certifier.certificate.proof import sign_document
from certifier.certificate.rdfc import (
    CONTEXT_FILES,
    CREDENTIALS_V2,
    OPEN_BADGES,
    PINNED,
    canonical_nquads,
    context_bytes,
    sign_rdfc,
    verify_rdfc,
)
from certifier.crypto.canonical import digest_of, sha256_hex
from certifier.crypto.keys import base58_decode
from certifier.crypto.signing import SigningKey
from certifier.errors import BadSignature, CertifierError, ForeignInputError, MalformedCertificate
from tests.certificate.test_verify import CLAIMS, FORGER, ISSUER, METHOD

VECTORS = Path(__file__).parent.parent / "vectors" / "credential"
W3C = json.loads((VECTORS / "w3c-eddsa.json").read_text())
W3C_KEY = SigningKey.from_seed(base58_decode(W3C["secretKeyMultibase"][1:])[2:])
W3C_METHOD = f"did:key:{W3C['publicKeyMultibase']}#{W3C['publicKeyMultibase']}"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
WITH_EXAMPLES: Mapping[str, dict[str, Any]] = {
    **PINNED,
    EXAMPLES: json.loads((VECTORS / "w3c-examples-v2.json").read_text()),
}
CREATED = "2026-11-22T20:00:00Z"
PAYLOAD = payload_for(CLAIMS)
SIGNED = sign_rdfc(PAYLOAD, ISSUER, METHOD, CREATED)


def test_the_worked_example_of_the_w3c_comes_out_bit_for_bit() -> None:
    statements = canonical_nquads(W3C["unsigned"], WITH_EXAMPLES)
    signed = sign_rdfc(W3C["unsigned"], W3C_KEY, W3C_METHOD, W3C["created"], WITH_EXAMPLES)
    assert sha256_hex(statements.encode()) == W3C["eddsa-rdfc-2022"]["docHash"]
    assert signed["proof"]["proofValue"] == W3C["eddsa-rdfc-2022"]["proofValue"]
    assert verify_rdfc(signed, W3C_KEY.public, WITH_EXAMPLES) == W3C["unsigned"]


def test_so_does_its_twin_without_json_ld() -> None:
    signed = sign_document(W3C["unsigned"], W3C_KEY, W3C_METHOD, W3C["created"])
    assert signed["proof"]["proofValue"] == W3C["eddsa-jcs-2022"]["proofValue"]


def test_a_certificate_carries_exactly_one_proof_over_the_claims_of_the_record() -> None:
    assert SIGNED["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
    assert digest_of(verify_rdfc(SIGNED, ISSUER.public)) == digest_of(PAYLOAD)
    assert sign_rdfc(PAYLOAD, ISSUER, METHOD, CREATED) == SIGNED


@pytest.mark.parametrize("url", CONTEXT_FILES)
def test_the_contexts_are_the_published_bytes(url: str) -> None:
    assert sha256_hex(context_bytes(url)) == CONTEXT_FILES[url][1]
    assert json.loads(context_bytes(url)) == PINNED[url]


def load_pinned(url: str, _options: Any) -> dict[str, Any]:
    return {"contextUrl": None, "documentUrl": url, "document": PINNED[url]}


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    document = copy.deepcopy(SIGNED)
    change(document)
    return document


def nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(depth):
        inner = {"evidence": inner}
    return inner


def alike(parents: int, children: int) -> dict[str, Any]:
    """Parts without an id in parts without an id: nothing tells them apart but trying every order."""
    results = [{"type": ["Result"], "value": "1"} for _ in range(children)]
    return changed(
        lambda d: d.update(
            credentialSubject=[
                {"type": ["AchievementSubject"], "result": copy.deepcopy(results)} for _ in range(parents)
            ]
        )
    )


def other_proof() -> dict[str, Any]:
    other = {**PAYLOAD, "name": "Something else"}
    return sign_rdfc(other, ISSUER, METHOD, CREATED)["proof"]  # type: ignore[no-any-return]


def split_status(document: dict[str, Any]) -> None:
    """The same statements: the place in the list stands apart from what it is a place in."""
    entry = document["credentialStatus"][0]
    apart = {name: entry[name] for name in ("id", "type")} | {"statusListIndex": entry.pop("statusListIndex")}
    document["credentialStatus"].append(apart)


VALID_UNTIL = "https://www.w3.org/2018/credentials#validUntil"
DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
RESULT = SIGNED["credentialSubject"]["result"][0]
BAD: dict[str, tuple[dict[str, Any], type[CertifierError], str]] = {
    "an injected term": (changed(lambda d: d.update(tier="platinum")), MalformedCertificate, "does not cover"),
    "an injected term deep inside": (
        changed(lambda d: d["credentialSubject"]["result"][0].update(tier="platinum")),
        MalformedCertificate,
        "does not cover",
    ),
    "an injected term in the subject": (
        changed(lambda d: d["credentialSubject"].update(tier="platinum")),
        MalformedCertificate,
        "does not cover",
    ),
    "an injected term in the proof": (
        changed(lambda d: d["proof"].update(tier="platinum")),
        MalformedCertificate,
        "kind",
    ),
    "an undefined type": (
        changed(lambda d: d["type"].append("GoldCredential")),
        MalformedCertificate,
        "does not cover",
    ),
    "an undefined type deep inside": (
        changed(lambda d: d["credentialSubject"]["achievement"]["type"].append("Gold")),
        MalformedCertificate,
        "does not cover",
    ),
    "a relative id": (
        changed(lambda d: d["credentialSubject"]["result"][0].update(id="gold")),
        MalformedCertificate,
        "does not cover",
    ),
    "a blank node's name as an id": (
        changed(lambda d: d["credentialSubject"]["result"][0].update(id="_:gold")),
        MalformedCertificate,
        "does not cover",
    ),
    "a blank node's name as a term": (
        changed(lambda d: d.update({"_:tier": "gold"})),
        MalformedCertificate,
        "does not cover",
    ),
    "an @index": (
        changed(lambda d: d["credentialSubject"].update({"@index": "gold"})),
        MalformedCertificate,
        "does not cover",
    ),
    "a text direction": (
        changed(lambda d: d.update(name={"@value": d["name"], "@direction": "rtl"})),
        MalformedCertificate,
        "does not cover",
    ),
    "a null": (changed(lambda d: d.update(termsOfUse=None)), MalformedCertificate, "does not cover"),
    "an undefined null": (changed(lambda d: d.update(tier=None)), MalformedCertificate, "does not cover"),
    "an empty list": (changed(lambda d: d.update(termsOfUse=[])), MalformedCertificate, "does not cover"),
    "a context inside": (
        changed(lambda d: d["credentialSubject"].update({"@context": CREDENTIALS_V2})),
        MalformedCertificate,
        "does not cover",
    ),
    "an address that would break out of its statement": (
        changed(lambda d: d["credentialSubject"].update(id='urn:a>_<urn:b>_"c"_.')),
        MalformedCertificate,
        "does not cover",
    ),
    "an end that readers of JSON would not see": (
        changed(lambda d: d.update({VALID_UNTIL: {"@value": d.pop("validUntil"), "@type": DATE_TIME}})),
        MalformedCertificate,
        "does not cover",
    ),
    "an id under its other name": (
        changed(lambda d: d.update({"@id": d.pop("id")})),
        MalformedCertificate,
        "does not cover",
    ),
    "a type under its other name": (
        changed(lambda d: d["credentialSubject"].update({"@type": d["credentialSubject"].pop("type")})),
        MalformedCertificate,
        "does not cover",
    ),
    "a status entry in two pieces": (changed(split_status), MalformedCertificate, "does not cover"),
    "two proofs": (
        changed(lambda d: d.update(proof=[d["proof"], d["proof"]])),
        MalformedCertificate,
        "no single proof",
    ),
    "one proof in a list": (changed(lambda d: d.update(proof=[d["proof"]])), MalformedCertificate, "no single proof"),
    "no proof": (changed(lambda d: d.pop("proof")), MalformedCertificate, "no single proof"),
    "the proof of another document": (changed(lambda d: d.update(proof=other_proof())), BadSignature, "does not fit"),
    "the record's proof": (
        sign_document(PAYLOAD, ISSUER, METHOD, CREATED),
        MalformedCertificate,
        "of a kind that this label does not use",
    ),
    "another context order": (changed(lambda d: d["@context"].reverse()), MalformedCertificate, "order"),
    "one context twice": (changed(lambda d: d["@context"].append(OPEN_BADGES)), MalformedCertificate, "order"),
    "a context that is not pinned": (
        changed(lambda d: d["@context"].append("https://evil.example/v1")),
        MalformedCertificate,
        "not pinned",
    ),
    "a context that brings its own terms": (
        changed(lambda d: d["@context"].append({"tier": "https://evil.example/tier"})),
        MalformedCertificate,
        "not pinned",
    ),
    "no context": (changed(lambda d: d.pop("@context")), MalformedCertificate, "not pinned"),
    "an empty context": (changed(lambda d: d["@context"].clear()), MalformedCertificate, "not pinned"),
    "a context that the proof alone names": (
        changed(lambda d: d["proof"].update({"@context": CREDENTIALS_V2})),
        BadSignature,
        "another @context",
    ),
    "another value": (
        changed(lambda d: d["credentialSubject"]["result"][0].update(value="1.00")),
        BadSignature,
        "not fit",
    ),
    "a value more": (
        changed(lambda d: d["credentialSubject"]["result"].append(dict(RESULT, value="1"))),
        BadSignature,
        "fit",
    ),
    "another date of the proof": (
        changed(lambda d: d["proof"].update(created="2026-11-23T20:00:00Z")),
        BadSignature,
        "fit",
    ),
    "another method": (changed(lambda d: d["proof"].update(verificationMethod=METHOD + "0")), BadSignature, "not fit"),
    "a fraction": (changed(lambda d: d.update(termsOfUse=1.5)), MalformedCertificate, "no place"),
    "a giant integer": (changed(lambda d: d.update(termsOfUse=2**53)), MalformedCertificate, "no place"),
    "half a character": (changed(lambda d: d.update(name="\ud800")), MalformedCertificate, "no one form"),
    "a control character": (changed(lambda d: d.update(name="a\x00b")), MalformedCertificate, "no one form"),
    "huge nesting": (changed(lambda d: d.update(nested(100_000))), MalformedCertificate, "more work"),
    "huge numbers of values": (
        changed(lambda d: d.update(evidence=[{"type": ["Evidence"]}] * 100_000)),
        MalformedCertificate,
        "more work",
    ),
    "parts that look alike, ten in two": (alike(2, 10), MalformedCertificate, "more work"),
    "parts that look alike, four in forty": (alike(40, 4), MalformedCertificate, "more work"),
}


@pytest.mark.parametrize(("document", "kind", "words"), BAD.values(), ids=BAD.keys())
def test_a_certificate_that_was_touched_is_refused(
    document: dict[str, Any], kind: type[CertifierError], words: str
) -> None:
    with pytest.raises(kind, match=words) as refused:
        verify_rdfc(document, ISSUER.public)
    assert refused.value.expected
    assert isinstance(refused.value, ForeignInputError)


def test_another_key_is_refused() -> None:
    with pytest.raises(BadSignature):
        verify_rdfc(SIGNED, FORGER.public)


def test_what_cannot_be_covered_is_not_signed() -> None:
    with pytest.raises(MalformedCertificate, match="does not cover"):
        sign_rdfc({**PAYLOAD, "tier": "platinum"}, ISSUER, METHOD, CREATED)


def test_parts_that_look_alike_within_reason_are_signed() -> None:
    document = {name: value for name, value in alike(1, 40).items() if name != "proof"}
    assert verify_rdfc(sign_rdfc(document, ISSUER, METHOD, CREATED), ISSUER.public) == document


def test_the_caller_may_pin_further_contexts_and_nothing_else_is_taken() -> None:
    signed = sign_rdfc(W3C["unsigned"], ISSUER, METHOD, CREATED, WITH_EXAMPLES)
    with pytest.raises(MalformedCertificate, match="not pinned") as refused:
        verify_rdfc(signed, ISSUER.public)
    assert refused.value.found == EXAMPLES


def test_a_presentation_may_hold_credentials_with_contexts_of_their_own() -> None:
    presentation = {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [SIGNED],
    }
    assert verify_rdfc(sign_rdfc(presentation, FORGER, METHOD, CREATED), FORGER.public) == presentation
    presentation["verifiableCredential"] = [changed(lambda d: d["@context"].reverse())]
    with pytest.raises(MalformedCertificate, match="order"):
        sign_rdfc(presentation, FORGER, METHOD, CREATED)


def test_many_threads_come_to_the_same_signature() -> None:
    proofs: list[str] = []

    def sign() -> None:
        proofs.extend(sign_rdfc(PAYLOAD, ISSUER, METHOD, CREATED)["proof"]["proofValue"] for _ in range(3))

    threads = [threading.Thread(target=sign) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert proofs == [SIGNED["proof"]["proofValue"]] * 24


def test_the_statements_are_those_of_pyld_alone() -> None:
    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load_pinned}
    for _ in range(2):  # the second time from what was kept
        assert canonical_nquads(PAYLOAD) == jsonld.normalize(PAYLOAD, options)


@pytest.mark.parametrize(
    "address", ["gold", "/gold", "//host/gold", "../gold", "#gold", "?gold", "", "relative-address:x", "a b"]
)
@pytest.mark.parametrize("place", ["id", "type"])
def test_no_address_depends_on_where_a_document_lies(place: str, address: str) -> None:
    document = changed(lambda d: d["credentialSubject"]["achievement"].update({place: address}))
    with pytest.raises(MalformedCertificate, match="does not cover"):
        verify_rdfc(document, ISSUER.public)


@pytest.mark.parametrize("case", ["an end that readers of JSON would not see", "a status entry in two pieces"])
def test_such_a_rearranged_document_makes_the_same_statements_and_is_refused_all_the_same(case: str) -> None:
    """The reason for the rule: canonicalisation alone sees no difference."""
    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load_pinned}
    rearranged = {name: value for name, value in BAD[case][0].items() if name != "proof"}
    assert jsonld.normalize(rearranged, options) == jsonld.normalize(PAYLOAD, options)
