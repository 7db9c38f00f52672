"""Signed reports: who signed is found out from bytes, and everything bent is refused by name."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from certifier.crypto.keyring import Keyring, parse_keyring
from certifier.crypto.keys import base58_encode
from certifier.crypto.signing import SigningKey
from certifier.errors import (
    BadSignature,
    CertifierError,
    MalformedEnvelope,
    MalformedJson,
    MalformedKey,
    MalformedReport,
)
from certifier.report.envelope import (
    add_signature,
    open_report,
    sign_report,
    signatures_for,
    stored_report_of,
)
from tests.studio import APPLICANT, PARTY, STRANGER, VERIFIER, Studio

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


@pytest.fixture(scope="module")
def envelope(studio: Studio) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(studio.signed(studio.report()))
    return parsed


def entry(key: SigningKey, role: str, **extra: Any) -> str:
    more = "".join(f"{name} = {value}\n" for name, value in extra.items())
    return (
        f'[[keys]]\nid = "{role}"\nowner = "the-{role}"\nname = "The {role}"\nrole = "{role}"\nkey = "{key.public.did_key}"\n'
        f"from = 2026-01-01T00:00:00Z\nuntil = 2026-12-31T00:00:00Z\n{more}"
    )


def test_a_signed_report_opens_and_names_its_signers(envelope: dict[str, Any], studio: Studio) -> None:
    opened = open_report(json.dumps(envelope).encode())
    assert opened.applicant == APPLICANT.public
    assert opened.signers == (APPLICANT.public, PARTY.public)
    assert opened.essence_sha256 == studio.facts().essence_sha256


def test_a_stored_report_is_read_without_looking_at_its_signatures(envelope: dict[str, Any]) -> None:
    raw = json.dumps(envelope).encode()
    assert stored_report_of(raw) == open_report(raw).report
    signatures = [{**signature, "sig": "AAAA"} for signature in envelope["signatures"]]
    assert stored_report_of(json.dumps({**envelope, "signatures": signatures}).encode()) == open_report(raw).report


def test_a_later_signature_does_not_change_the_digest(envelope: dict[str, Any]) -> None:
    countersigned = add_signature(envelope, VERIFIER)
    assert open_report(json.dumps(countersigned).encode()).digest == open_report(json.dumps(envelope).encode()).digest


def changed(**members: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda envelope: {**envelope, **members}


def resigned(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """A statement that was changed and then signed properly."""

    def bend(envelope: dict[str, Any]) -> Any:
        statement = json.loads(base64.b64decode(envelope["payload"]))
        change(statement)
        return sign_report(statement, [APPLICANT])

    return bend


def flipped(envelope: dict[str, Any]) -> Any:
    payload = bytearray(base64.b64decode(envelope["payload"]))
    payload[100] ^= 1
    return {**envelope, "payload": base64.b64encode(payload).decode()}


IDENTITY_KEY = "did:key:z" + base58_encode(b"\xed\x01" + b"\x01" + bytes(31))
P256_KEY = "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"
BAD: dict[str, tuple[Callable[[dict[str, Any]], Any], type[CertifierError]]] = {
    "a changed byte": (flipped, BadSignature),
    "no signature": (changed(signatures=[]), MalformedEnvelope),
    "four signatures": (lambda e: {**e, "signatures": [e["signatures"][0]] * 4}, MalformedEnvelope),
    "one key that signs twice": (lambda e: {**e, "signatures": [e["signatures"][0]] * 2}, MalformedEnvelope),
    "the other's signature under one's own name": (
        lambda e: {**e, "signatures": [{**e["signatures"][0], "sig": e["signatures"][1]["sig"]}]},
        BadSignature,
    ),
    "one good and one bad signature": (
        lambda e: {**e, "signatures": [e["signatures"][0], {**e["signatures"][1], "sig": e["signatures"][0]["sig"]}]},
        BadSignature,
    ),
    "a key that accepts every signature": (
        lambda e: {**e, "signatures": [{**e["signatures"][0], "keyid": IDENTITY_KEY}]},
        MalformedKey,
    ),
    "a did:key of another kind of key": (
        lambda e: {
            **e,
            "signatures": [{**e["signatures"][0], "keyid": P256_KEY}],
        },
        MalformedKey,
    ),
    "a key id that names nobody, and a signature by nobody known": (
        lambda e: {**e, "signatures": [{**e["signatures"][1], "keyid": "key-1"}]},
        BadSignature,
    ),
    "only the measuring party's signature": (lambda e: {**e, "signatures": [e["signatures"][1]]}, BadSignature),
    "a payload that is not base64": (changed(payload="%%%"), MalformedEnvelope),
    "another payload type": (changed(payloadType="text/plain"), MalformedEnvelope),
    "an unsigned report": (lambda e: json.loads(base64.b64decode(e["payload"]))["predicate"], MalformedEnvelope),
    "another predicate type": (
        resigned(lambda s: s.update(predicateType="https://lcal.example/emission-report/v2")),
        MalformedEnvelope,
    ),
    "two subjects": (resigned(lambda s: s.update(subject=s["subject"] * 2)), MalformedEnvelope),
    "no predicate": (resigned(lambda s: s.pop("predicate")), MalformedEnvelope),
    "a subject that is not the report's file": (
        resigned(lambda s: s["subject"][0]["digest"].update(sha256="00" * 32)),
        MalformedReport,
    ),
    "an unknown field": (resigned(lambda s: s["predicate"].update(evidence_level="A2")), MalformedReport),
    "a missing field": (resigned(lambda s: s["predicate"]["track"].pop("title")), MalformedReport),
    "a control character in the title": (
        resigned(lambda s: s["predicate"]["track"].update(title="Night\x07Ferry")),
        MalformedReport,
    ),
    "a title that turns the writing direction": (
        resigned(lambda s: s["predicate"]["track"].update(title="a\u202egpj.exe")),
        MalformedReport,
    ),
}


@pytest.mark.parametrize(("bend", "error"), BAD.values(), ids=BAD.keys())
def test_a_bent_envelope_is_refused_by_name(
    envelope: dict[str, Any], bend: Callable[[dict[str, Any]], Any], error: type[CertifierError]
) -> None:
    with pytest.raises(error):
        open_report(json.dumps(bend(envelope)).encode())


BAD_BYTES = {
    "nested brackets": b"[" * 50_000,
    "NaN": b'{"payload": NaN}',
    "a duplicate member": b'{"payload": "a", "payload": "b"}',
    "not JSON": b"hello",
    "UTF-16": "{}".encode("utf-16"),
}


@pytest.mark.parametrize("raw", BAD_BYTES.values(), ids=BAD_BYTES.keys())
def test_what_is_not_strict_json_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedJson):
        open_report(raw)


def test_the_register_says_what_a_signature_is_worth(envelope: dict[str, Any]) -> None:
    capability = '\n[keys.capability]\ncoverage = ["system"]\nmethod = ["modelled"]\n'
    keyring = parse_keyring(
        {
            "tools/a.toml": entry(PARTY, "measuring_party") + capability,
            "verifiers/b.toml": entry(
                VERIFIER, "verifier", standards='["LCAL-1.0.0"]', conflicts=f'["{APPLICANT.public.did_key}"]'
            ),
        }
    )
    opened = open_report(json.dumps(add_signature(envelope, VERIFIER)).encode())
    applicant, party, verifier = signatures_for(opened, keyring, datetime(2026, 10, 2, tzinfo=UTC), NOW)
    assert (applicant.role, applicant.valid) == ("applicant", True)
    assert (party.role, party.id, party.registered, party.counts) == (
        "measuring_party",
        "the-measuring_party",
        True,
        True,
    )
    assert party.capability is not None
    assert party.capability.method == ("modelled",)
    assert (verifier.role, verifier.in_scope, verifier.conflict) == ("verifier", True, True)


def test_a_key_out_of_its_days_does_not_count(envelope: dict[str, Any]) -> None:
    keyring = parse_keyring({"a.toml": entry(PARTY, "measuring_party")})
    opened = open_report(json.dumps(envelope).encode())
    late = signatures_for(opened, keyring, datetime(2026, 10, 2, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC))[1]
    assert (late.key_active_at_signing, late.key_active_now, late.counts) == (True, False, False)


def test_an_unknown_second_key_is_listed_as_unregistered(envelope: dict[str, Any]) -> None:
    envelope = {**envelope, "signatures": [envelope["signatures"][0]]}
    opened = open_report(json.dumps(add_signature(envelope, STRANGER)).encode())
    second = signatures_for(opened, Keyring(), datetime(2026, 10, 2, tzinfo=UTC), NOW)[1]
    assert (second.registered, second.counts) == (False, False)


def test_a_key_may_be_registered_once_only(tmp_path: Path) -> None:
    with pytest.raises(CertifierError, match="twice"):
        parse_keyring({"a.toml": entry(PARTY, "measuring_party"), "b.toml": entry(PARTY, "verifier")})
