"""Reports that were signed with other software than ours are taken as ours are, and bent ones are refused as ours are."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ecdsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey
from werkzeug.datastructures import FileStorage

from certifier.report.envelope import PAYLOAD_TYPE, pae, statement_for
from certifier.storage.files import save_signing_key
from tests.studio import APPLICANT, PARTY, Studio
from tests.web.test_submissions import send

KEY = Ed25519PrivateKey.from_private_bytes(b"applicant".ljust(32, b"."))
DOCS = (Path(__file__).parents[2] / "docs" / "report.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)


def statement_of(studio: Studio) -> dict[str, Any]:
    return statement_for(studio.report(), file_name="track.wav", essence_sha256=studio.facts().essence_sha256)


def posted(client: FlaskClient, studio: Studio, envelope: dict[str, Any]) -> Any:
    parts = {
        "report": FileStorage(io.BytesIO(json.dumps(envelope).encode()), "report.json"),
        "audio": FileStorage(io.BytesIO(studio.track.read_bytes()), "track.wav"),
        "logs": FileStorage(io.BytesIO(studio.log), "emissions.csv"),
    }
    return send(client, parts)


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def signed(payload: bytes, **members: Any) -> dict[str, Any]:
    signature = {"sig": b64(KEY.sign(pae(payload))), **members}
    return {"payload": b64(payload), "payloadType": PAYLOAD_TYPE, "signatures": [signature]}


def compact(studio: Studio) -> bytes:
    return json.dumps(statement_of(studio)).encode()


def backwards(value: Any) -> Any:
    """The same value with the members of every object in the other order."""
    if isinstance(value, dict):
        return {name: backwards(value[name]) for name in reversed(value)}
    return [backwards(item) for item in value] if isinstance(value, list) else value


def by_securesystemslib(studio: Studio) -> dict[str, Any]:
    envelope = Envelope(compact(studio), PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(KEY))
    return dict(envelope.to_dict())


def by_two_signers_of_securesystemslib(studio: Studio) -> dict[str, Any]:
    envelope = Envelope(compact(studio), PAYLOAD_TYPE, {})
    for name, key in (("applicant", APPLICANT), ("measuring party", PARTY)):
        private = Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"."))
        public = SSlibKey.from_crypto(private.public_key(), keyid=key.public.did_key)
        envelope.sign(CryptoSigner(private, public))
    return dict(envelope.to_dict())


def with_another_signature(studio: Studio, signature: bytes, keyid: str) -> dict[str, Any]:
    envelope = signed(compact(studio), keyid=APPLICANT.public.did_key)
    envelope["signatures"].append({"keyid": keyid, "sig": b64(signature)})
    return envelope


def in_url_safe_base64(studio: Studio) -> dict[str, Any]:
    """With signs that the two alphabets write in two ways, in a name of the file."""
    statement = statement_of(studio)
    statement["subject"][0]["name"] = "~~~???>>>.wav"
    envelope = signed(json.dumps(statement).encode())
    envelope["payload"] = envelope["payload"].translate(str.maketrans("+/", "-_"))
    assert set(envelope["payload"]) & {"-", "_"}
    return envelope


TAKEN: dict[str, Callable[[Studio], dict[str, Any]]] = {
    "securesystemslib, as it comes": by_securesystemslib,
    "securesystemslib, two signers with their did:key": by_two_signers_of_securesystemslib,
    "spaces and lines": lambda studio: signed(json.dumps(statement_of(studio), indent=4).encode() + b"\n\n"),
    "members in another order": lambda studio: signed(json.dumps(backwards(statement_of(studio))).encode()),
    "letters in plain UTF-8": lambda studio: signed(json.dumps(statement_of(studio), ensure_ascii=False).encode()),
    "no keyid": lambda studio: signed(compact(studio)),
    "an empty keyid": lambda studio: signed(compact(studio), keyid=""),
    "a keyid of somebody's own": lambda studio: signed(compact(studio), keyid="key-1"),
    "members that we do not know": lambda studio: {
        **signed(compact(studio), cert="-----BEGIN"),
        "note": "made by hand",
    },
    "base64 for addresses": in_url_safe_base64,
    "the signature of an unknown key beside it": lambda studio: with_another_signature(
        studio, Ed25519PrivateKey.generate().sign(pae(compact(studio))), "0badc0de"
    ),
    "the signature of another kind of key beside it": lambda studio: with_another_signature(
        studio, bytes.fromhex(CryptoSigner(generate_ecdsa(SECP256R1())).sign(pae(compact(studio))).signature), "ecdsa"
    ),
}


@pytest.mark.parametrize("made", TAKEN.values(), ids=TAKEN.keys())
def test_what_other_software_signed_is_taken(
    client: FlaskClient, studio: Studio, made: Callable[[Studio], dict[str, Any]]
) -> None:
    answer = posted(client, studio, made(studio))
    assert (answer.status_code, answer.json["state"]) == (201, "certified"), answer.text
    two = made is by_two_signers_of_securesystemslib
    assert (answer.json["outcome"], answer.json["evidence_level"]) == (
        ("class-2", "A1") if two else ("disclosed", "A0")
    )


def bent(studio: Studio, **members: Any) -> dict[str, Any]:
    """Signed without a keyid, and then changed."""
    envelope = signed(compact(studio), **members)
    return {**envelope, "payload": b64(compact(studio).replace(b"0.006", b"0.001"))}


REFUSED: dict[str, tuple[Callable[[Studio], dict[str, Any]], str]] = {
    "changed after it was signed": (bent, "signature-invalid"),
    "changed, under a keyid of somebody's own": (lambda studio: bent(studio, keyid="key-1"), "signature-invalid"),
    "signed by an unknown key alone": (
        lambda studio: {
            **signed(compact(studio)),
            "signatures": [{"sig": b64(Ed25519PrivateKey.generate().sign(pae(compact(studio))))}],
        },
        "signature-invalid",
    ),
    "the applicant twice, once without a name": (
        lambda studio: with_another_signature(studio, KEY.sign(pae(compact(studio))), "again"),
        "report-envelope-malformed",
    ),
    "a did:key that has not signed this": (
        lambda studio: with_another_signature(studio, KEY.sign(pae(compact(studio))), PARTY.public.did_key),
        "signature-invalid",
    ),
    "no signature in the entry": (
        lambda studio: {**signed(compact(studio)), "signatures": [{"keyid": "key-1"}]},
        "report-envelope-malformed",
    ),
    "no statement, and no keyid": (lambda studio: signed(b"[]"), "json-malformed"),
    "a statement that names no applicant": (
        lambda studio: signed(b'{"predicate": {"issuer": 5}}'),
        "signature-invalid",
    ),
}


@pytest.mark.parametrize(("made", "slug"), REFUSED.values(), ids=REFUSED.keys())
def test_what_the_applicant_did_not_sign_is_refused(
    client: FlaskClient, studio: Studio, made: Callable[[Studio], dict[str, Any]], slug: str
) -> None:
    answer = posted(client, studio, made(studio))
    assert 400 <= answer.status_code < 500
    assert answer.json["type"].rpartition("/")[2] == slug, answer.text


@pytest.mark.parametrize("example", EXAMPLES, ids=["securesystemslib", "Ed25519 alone"])
def test_the_examples_of_the_docs_make_a_report_that_is_taken(
    client: FlaskClient, studio: Studio, monkeypatch: pytest.MonkeyPatch, example: str
) -> None:
    save_signing_key(studio.folder / "me.pem", APPLICANT)
    (studio.folder / "statement.json").write_bytes(compact(studio))
    monkeypatch.chdir(studio.folder)
    exec(example, {"__name__": "example"})
    answer = posted(client, studio, json.loads((studio.folder / "report.dsse.json").read_bytes()))
    assert (answer.status_code, answer.json["state"]) == (201, "certified"), answer.text
