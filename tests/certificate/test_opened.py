"""A certificate that came inside a larger body is the same as one that came alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.certificate.credential import payload_for
from certifier.certificate.opened import Opened, document_bytes, open_certificate, open_document
from certifier.certificate.rdfc import sign_rdfc
from certifier.certificate.times import time_text
from certifier.certificate.verify import check_opened
from certifier.crypto.canonical import canonical_bytes, to_json_text
from certifier.crypto.keys import PublicKey
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import CertifierError, ForeignInputError, MalformedJson
from tests.certificate.test_verify import CLAIMS, FORGER, GOOD, ISSUER, MATERIAL, METHOD, NOW

OPENBADGE = sign_rdfc(payload_for(CLAIMS), ISSUER, METHOD, time_text(NOW))
BODY = Limits(max_bytes=8 * 1024 * 1024, max_nodes=400_000)


def outcome(function: Callable[[], Any]) -> Any:
    """What comes out, or the error word for word."""
    try:
        return function()
    except CertifierError as error:
        return type(error), error.message, error.found, error.expected, error.hint


def said_by(opened: Opened | Any) -> Any:
    """All that an opened certificate says and proves, under the issuer's key and another one."""
    if not isinstance(opened, Opened):
        return opened

    def proven(key: PublicKey) -> Any:
        return outcome(lambda: opened.proven(key))

    return (
        opened[:5],
        outcome(opened.unsigned),
        proven(ISSUER.public),
        proven(FORGER.public),
        check_opened(opened, MATERIAL, NOW),
    )


def agreed(document: dict[str, Any]) -> Any:
    """What is said of a document that came inside a body; the same is said of its bytes."""
    read = parse_object(json.dumps({"credential": document}, default=float).encode(), BODY)["credential"]
    inside = said_by(outcome(lambda: open_document(read)))
    alone = said_by(outcome(lambda: open_certificate(document_bytes(read))))
    assert inside == alone
    return inside


def changed(document: dict[str, Any], path: str, value: Any = ...) -> dict[str, Any]:
    """The document with another value at a path; without one, the member is left out."""
    bent: Any = copy.deepcopy(document)
    *way, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    part = bent
    for step in way:
        part = part[step]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    result: dict[str, Any] = bent
    return result


def test_a_certificate_inside_a_body_is_as_good_as_alone() -> None:
    for document in (GOOD, OPENBADGE):
        assert agreed(document)[-1].verdict == "valid"


FIGURE = "credentialSubject/result/0/value"
TAMPERED: dict[str, dict[str, Any]] = {
    "another figure": changed(GOOD, FIGURE, "1.10"),
    "a fraction for a figure": changed(GOOD, FIGURE, Decimal("1.10")),
    "a fraction without a fraction": changed(GOOD, FIGURE, Decimal("2.0")),
    "an integer": changed(GOOD, FIGURE, 7),
    "an integer that no double has": changed(GOOD, FIGURE, 2**53 + 1),
    "an integer beyond 64 bits": changed(GOOD, FIGURE, 2**64),
    "a member more": changed(GOOD, "more", {}),
    "a member more, with a name that is sorted in two ways": changed(changed(GOOD, "\U0001f600", 1), "\uffee", 1),
    "a member less": changed(GOOD, "name"),
    "a fraction in the proof": changed(GOOD, "proof/created", Decimal("1.5")),
    "another method": changed(GOOD, "proof/verificationMethod", "did:web:other.example#key"),
    "a fraction for a method": changed(GOOD, "proof/verificationMethod", Decimal("0.1")),
    "another context in the proof": changed(GOOD, "proof/@context", ["https://www.w3.org/ns/credentials/v2"]),
    "no context in the proof": changed(GOOD, "proof/@context"),
    "no signature": changed(GOOD, "proof/proofValue"),
    "a signature in other symbols": changed(GOOD, "proof/proofValue", "zO0"),
    "another cryptosuite": changed(GOOD, "proof/cryptosuite", "ecdsa-jcs-2019"),
    "the other cryptosuite": changed(GOOD, "proof/cryptosuite", "eddsa-rdfc-2022"),
    "no proof": changed(GOOD, "proof"),
    "null for a proof": changed(GOOD, "proof", None),
    "two proofs": changed(GOOD, "proof", [GOOD["proof"], GOOD["proof"]]),
    "nothing": {},
    "another figure, as a badge wallet has it": changed(OPENBADGE, FIGURE, "1.10"),
    "a fraction, as a badge wallet has it": changed(OPENBADGE, FIGURE, Decimal("1.10")),
    "an integer beyond 64 bits, as a badge wallet has it": changed(OPENBADGE, FIGURE, 2**64),
    "a member more, as a badge wallet has it": changed(OPENBADGE, "more", 1),
    "far too long": changed(GOOD, "more", "x" * 300_000),
    "far too long, as a badge wallet has it": changed(OPENBADGE, "more", "x" * 300_000),
    "far too many values": changed(GOOD, "more", [0] * 20_001),
    "far too many values, as a badge wallet has it": changed(OPENBADGE, "more", [0] * 20_001),
}


@pytest.mark.parametrize("document", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_tampered_document_inside_a_body_is_judged_as_if_it_came_alone(document: dict[str, Any]) -> None:
    said = agreed(document)
    assert issubclass(said[0], ForeignInputError) if isinstance(said[0], type) else said[-1].verdict != "valid"


def places(value: Any, path: str = "") -> list[str]:
    """The paths to all values in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for step, item in items for place in (f"{path}{step}", *places(item, f"{path}{step}/"))]


VALUES = st.sampled_from(
    [..., None, True, 0, -1, 2**53, 2**64, Decimal("0.5"), "", "x", "é", [], {}, ["x"], {"x": "y"}]
)


@given(st.sampled_from(places(GOOD)), VALUES)
def test_whatever_stands_anywhere_in_it_a_document_is_the_same_inside_a_body_and_alone(place: str, value: Any) -> None:
    assert agreed(changed(GOOD, place, value))


def test_a_document_is_spelled_as_its_record_and_a_fraction_stays_one() -> None:
    assert document_bytes(GOOD) == to_json_text(GOOD).encode()
    fraction = parse_object(document_bytes({"figure": Decimal("1.10"), "large": 2**64}))
    assert fraction == {"figure": Decimal("1.1"), "large": 2**64}
    with pytest.raises(MalformedJson):
        canonical_bytes(fraction)


def test_a_body_may_hold_more_than_a_certificate_may() -> None:
    for size in ("far too long", "far too many values"):
        assert agreed(TAMPERED[f"{size}, as a badge wallet has it"])[0] is MalformedJson
    assert agreed(TAMPERED["far too long"])[0] is MalformedJson
    assert agreed(TAMPERED["far too many values"])[1][0] is MalformedJson
