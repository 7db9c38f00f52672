"""What an installation tells verifiers of its keys: the trust file, and the DID document."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from certifier.certificate.trust import LONGEST_VALIDITY, LastGood, Trust, TrustedKey, did_document, parse_trust
from certifier.certificate.trust import trust_document as document_of
from certifier.crypto.signing import SigningKey
from certifier.errors import MalformedTrust
from certifier.log.note import verifier_key_for

DID = "did:web:label.example"
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
KEYS = [SigningKey.from_seed(bytes([seed]) * 32).public for seed in range(1, 5)]
OLD = TrustedKey(f"{DID}#key-2026", DID, "issuer", KEYS[0], START, END)
NEW = TrustedKey(f"{DID}#key-2027", DID, "issuer", KEYS[1], END, END + timedelta(days=1800))
STOLEN = replace(NEW, id=f"{DID}#key-2027-2", key=KEYS[2], last_good=LastGood("label.example/2026", 41))
LOGS = tuple(verifier_key_for(f"label.example/{year}", key) for year, key in ((2026, KEYS[3]), (2027, KEYS[0])))
TRUST = Trust("demo", (OLD, NEW, STOLEN), LOGS, ())


def written(trust: Trust = TRUST) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(document_of(trust)))
    return document


def test_a_trust_file_says_up_to_where_a_stolen_key_is_good() -> None:
    document = written()
    assert [key.get("last_good") for key in document["keys"]] == [
        None,
        None,
        {"origin": "label.example/2026", "index": 41},
    ]
    assert parse_trust(json.dumps(document).encode()) == TRUST


def test_a_trust_file_of_before_is_read_as_before() -> None:
    document = written(replace(TRUST, keys=(OLD, NEW)))
    assert not any("last_good" in key for key in document["keys"])
    assert parse_trust(json.dumps(document).encode()).keys == (OLD, NEW)


@pytest.mark.parametrize(
    "last_good",
    [None, 41, {}, {"origin": "o"}, {"index": 1}, {"origin": 1, "index": 1}]
    + [{"origin": "o", "index": index} for index in (-2, True, "41", 2**63, None)],
    ids=repr,
)
def test_a_last_good_place_that_cannot_be_read_spoils_the_file(last_good: Any) -> None:
    """Passing it over would make a stolen key a good one."""
    document = written()
    document["keys"][2]["last_good"] = last_good
    with pytest.raises(MalformedTrust):
        parse_trust(json.dumps(document).encode())


def test_the_did_document_in_its_whole_shape() -> None:
    def method(key: TrustedKey, **more: str) -> dict[str, str]:
        multibase = key.key.multibase
        return {"id": key.id, "type": "Multikey", "controller": DID, "publicKeyMultibase": multibase, **more}

    assert did_document(TRUST, DID, END) == {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": DID,
        "verificationMethod": [method(OLD), method(NEW), method(STOLEN, revoked="2031-12-06T00:00:00Z")],
        "assertionMethod": [OLD.id, NEW.id],
    }


LISTED = {
    "a key in force": (END, True),
    "a retired key whose last certificate may still be in force": (END + timedelta(days=1095), True),
    "a retired key to the last day": (END + LONGEST_VALIDITY, True),
    "a retired key under which nothing can be in force": (END + LONGEST_VALIDITY + timedelta(days=1), False),
}


@pytest.mark.parametrize(("moment", "is_listed"), LISTED.values(), ids=LISTED.keys())
def test_a_key_stays_in_the_did_document_as_long_as_its_certificates_last(moment: datetime, is_listed: bool) -> None:
    document = did_document(TRUST, DID, moment)
    assert (OLD.id in document["assertionMethod"]) is is_listed
    assert (OLD.id in [method["id"] for method in document["verificationMethod"]]) is is_listed


def test_a_stolen_key_never_leaves_the_did_document_and_never_asserts() -> None:
    document = did_document(TRUST, DID, END + timedelta(days=36500))
    assert [method["id"] for method in document["verificationMethod"]] == [STOLEN.id]
    assert document["assertionMethod"] == []
