"""The signed report: a DSSE envelope around an in-toto statement, and who signed it.

Sources: DSSE 1.0 (protocol.md, envelope.md), in-toto Statement v1. The signature is over the payload's bytes, so one to three
parties can sign the same report. What the signatures are worth (the evidence level) is decided by the standard.

Any DSSE library may have made the envelope: further members are ignored, base64 may be of either alphabet, and ``keyid`` is a
hint. We write the signer's did:key there. A signature without one can only be the applicant's, whom the report names.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from certifier.crypto.canonical import canonical_bytes, sha256_hex
from certifier.crypto.keyring import Keyring, RegisteredKey
from certifier.crypto.keys import PublicKey, verify_signature
from certifier.crypto.signing import Signer
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import BadSignature, FieldFinding, MalformedEnvelope, MalformedKey, MalformedReport
from certifier.report.evidence import Signature
from certifier.report.model import Report, parse_report

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://lcal.example/emission-report/v1"
ESSENCE = "essence_v1"
MAX_SIGNATURES = 3
DID_KEY = "did:key:"
_URL_SAFE = str.maketrans("-_", "+/")
SIGN_FIRST = {
    "report": "Sign the report first: certifier report sign REPORT --key FILE",
    "statement": "Sign the statement first: certifier statement sign FILE --key FILE",
}
LIMITS = Limits(max_bytes=5 * 1024 * 1024, max_depth=32, max_nodes=100_000)


@dataclass(frozen=True)
class OpenedEnvelope:
    """A payload and the distinct keys that signed it; each signature was verified. What the payload says is not read yet."""

    payload: bytes
    signers: tuple[PublicKey, ...]


@dataclass(frozen=True)
class OpenedReport:
    """A report whose every signature was verified.

    ``digest`` is the SHA-256 (hex) of the signed payload; a later counter-signature does not change it.
    """

    envelope: bytes
    report: Report
    value: dict[str, Any]
    payload: bytes
    digest: str
    signers: tuple[PublicKey, ...]
    applicant: PublicKey
    essence_sha256: str | None


def pae(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """What is signed (DSSE, pre-authentication encoding)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def statement_for(report: dict[str, Any], *, file_name: str, essence_sha256: str | None) -> dict[str, Any]:
    """The in-toto statement about one master file."""
    digest = {"sha256": report["track"]["audio_sha256"]}
    if essence_sha256:
        digest[ESSENCE] = essence_sha256
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": file_name, "digest": digest}],
        "predicateType": PREDICATE_TYPE,
        "predicate": report,
    }


def sign_report(statement: dict[str, Any], keys: Iterable[Signer]) -> dict[str, Any]:
    """The envelope around the statement, signed by each key in turn."""
    payload = canonical_bytes(statement)
    envelope = {"payload": _b64(payload), "payloadType": PAYLOAD_TYPE, "signatures": []}
    for key in keys:
        envelope = add_signature(envelope, key)
    return envelope


def sign_payload(payload: bytes, key: Signer, payload_type: str) -> dict[str, Any]:
    """The envelope around a payload of another type than a statement, signed by one key."""
    signature = {"keyid": key.public.did_key, "sig": _b64(key.sign(pae(payload, payload_type)))}
    return {"payload": _b64(payload), "payloadType": payload_type, "signatures": [signature]}


def add_signature(envelope: dict[str, Any], key: Signer) -> dict[str, Any]:
    """The envelope with one more signature over the same payload."""
    payload = _decoded(envelope["payload"], "/payload")
    if not all(isinstance(entry, dict) and "sig" in entry for entry in envelope.get("signatures") or ()):
        raise MalformedEnvelope(
            "The envelope's signatures cannot be read.", expected="keyid and sig", pointer="/signatures"
        )
    signature = {"keyid": key.public.did_key, "sig": _b64(key.sign(pae(payload)))}
    others = [entry for entry in envelope.get("signatures") or () if entry.get("keyid") != key.public.did_key]
    return {**envelope, "signatures": [*others, signature]}


def open_envelope(
    raw: bytes,
    *,
    what: str = "report",
    payload_type: str = PAYLOAD_TYPE,
    limits: Limits = LIMITS,
    author_of: Callable[[bytes], PublicKey | None] = lambda _: None,
) -> OpenedEnvelope:
    """The payload of an envelope whose every signature is good, each by a key of its own. ``what`` it is, for the errors.

    A signature whose ``keyid`` is no did:key is tried with ``author_of`` the payload; that of anybody else is skipped, as
    DSSE has it (protocol.md, multi-signature verification), and gives nothing.

    Raises MalformedJson, MalformedEnvelope, MalformedKey or BadSignature.
    """
    payload, entries = _parse_envelope(parse_object(raw, limits), what, payload_type)
    author = None if all(map(_names_a_key, entries)) else author_of(payload)
    found = [
        _verified_signer(entry, pae(payload, payload_type), number, what, author)
        for number, entry in enumerate(entries)
    ]
    signers = tuple(signer for signer in found if signer is not None)
    if not signers:
        raise BadSignature(
            f"No signature of the {what} is by a known key.",
            expected="keyid: the did:key of whoever signed",
            pointer="/signatures",
        )
    if len({signer.raw for signer in signers}) != len(signers):
        raise MalformedEnvelope(
            "One key signed twice.", expected="a different key for each signature", pointer="/signatures"
        )
    return OpenedEnvelope(payload, signers)


def open_report(raw: bytes) -> OpenedReport:
    """The report inside a signed envelope.

    Raises MalformedJson, MalformedEnvelope, MalformedReport, MalformedKey or BadSignature. One bad signature refuses the
    whole envelope, however many good ones stand beside it; the applicant's own must be among them.
    """
    # (1) every signature, by a key that is named once
    envelope = open_envelope(raw, author_of=_issuer_of)
    payload, signers = envelope.payload, envelope.signers
    # (2) only now is the payload read
    statement = parse_object(payload, LIMITS)
    essence = _check_statement(statement)
    report = parse_report(statement["predicate"])
    _check_subject(statement, report)
    # (3) the applicant is whom the report names
    applicant = next((signer for signer in signers if signer.did_key == report.issuer.key_id), None)
    if applicant is None:
        raise BadSignature(
            "The applicant's own signature is missing.",
            found=", ".join(signer.did_key for signer in signers),
            expected=f"a signature by issuer.key_id {report.issuer.key_id}",
            hint="certifier report sign REPORT --key FILE",
            pointer="/signatures",
        )
    return OpenedReport(raw, report, statement["predicate"], payload, sha256_hex(payload), signers, applicant, essence)


def stored_report_of(envelope: bytes) -> Report:
    """The report inside an envelope that ``open_report`` opened before it was stored.

    Checks no signature, no digest and no subject: only for bytes from our own store. Raises MalformedJson,
    MalformedEnvelope or MalformedReport for what cannot be read.
    """
    payload, _ = _parse_envelope(parse_object(envelope, LIMITS), "report", PAYLOAD_TYPE)
    statement = parse_object(payload, LIMITS)
    _check_statement(statement)
    return parse_report(statement["predicate"])


def signatures_for(
    opened: OpenedReport, keyring: Keyring, issued_at: datetime | None, now: datetime
) -> tuple[Signature, ...]:
    """What the register knows of each signer: the applicant first, then the parties.

    An unknown second key is listed as unregistered: it is worth nothing, and the decision says so.
    """
    applicant = keyring.entry_for(opened.applicant)
    return tuple(
        _signature_of(signer, applicant, keyring.entry_for(signer), opened, issued_at, now)
        for signer in sorted(opened.signers, key=lambda signer: signer != opened.applicant)
    )


def _signature_of(
    signer: PublicKey,
    applicant: RegisteredKey | None,
    entry: RegisteredKey | None,
    opened: OpenedReport,
    issued_at: datetime | None,
    now: datetime,
) -> Signature:
    active_at_signing = entry is not None and issued_at is not None and entry.is_active(issued_at)
    active_now = entry is not None and entry.is_active(now)
    if signer == opened.applicant:
        # Nobody but the applicant knows the days of a key that is in no register.
        return Signature(
            role="applicant",
            id=opened.report.issuer.id,
            valid=True,
            key_active_at_signing=entry is None or active_at_signing,
            key_active_now=entry is None or active_now,
        )
    if entry is None or entry.role not in ("measuring_party", "service", "verifier"):
        return Signature(
            role="measuring_party",
            id=signer.did_key,
            valid=True,
            registered=False,
            key_active_at_signing=False,
            key_active_now=False,
        )
    return Signature.model_validate(
        {
            "role": entry.role,
            "id": entry.owner,
            "valid": True,
            "registered": True,
            "key_active_at_signing": active_at_signing,
            "key_active_now": active_now,
            "key": signer.did_key,
            **_standing(entry, opened.report, applicant),
        }
    )


def _standing(entry: RegisteredKey, report: Report, applicant: RegisteredKey | None) -> dict[str, Any]:
    capability = {"coverage": list(entry.capability.coverage), "method": list(entry.capability.method)}
    if entry.role == "verifier":
        return {
            "in_scope": report.standard in entry.standards,
            # Nobody decides on their own report (LCAL 17.2), by whatever name it is sent.
            "conflict": report.issuer.id in entry.conflicts
            or report.issuer.key_id in entry.conflicts
            or (applicant is not None and applicant.owner == entry.owner),
        }
    return {"capability": capability} if entry.role == "measuring_party" else {}


def _parse_envelope(envelope: dict[str, Any], what: str, payload_type: str) -> tuple[bytes, Sequence[Any]]:
    if not {"payload", "payloadType", "signatures"} <= set(envelope):  # envelope.md: ignore unrecognized fields
        raise MalformedEnvelope(
            f"This is not a signed {what}.",
            found="members " + ", ".join(sorted(envelope))[:120],
            expected="a DSSE envelope: payload, payloadType, signatures",
            hint=SIGN_FIRST.get(what),
        )
    if envelope["payloadType"] != payload_type:
        raise MalformedEnvelope(
            "The envelope holds another kind of document.",
            found=str(envelope["payloadType"])[:80],
            expected=payload_type,
            pointer="/payloadType",
        )
    entries = envelope["signatures"]
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_SIGNATURES:
        raise MalformedEnvelope(
            "The envelope has the wrong number of signatures.",
            found=str(len(entries)) if isinstance(entries, list) else type(entries).__name__,
            expected=f"1 to {MAX_SIGNATURES}",
            pointer="/signatures",
        )
    return _decoded(envelope["payload"], "/payload"), entries


def _names_a_key(entry: Any) -> bool:
    return isinstance(entry, dict) and str(entry.get("keyid", "")).startswith(DID_KEY)


def _issuer_of(payload: bytes) -> PublicKey | None:
    """Whom a payload that nobody vouched for yet names as its author; only to try a signature with that key."""
    predicate = parse_object(payload, LIMITS).get("predicate")
    issuer = predicate.get("issuer") if isinstance(predicate, dict) else None
    named = issuer.get("key_id") if isinstance(issuer, dict) else None
    try:
        return PublicKey.from_did_key(named) if isinstance(named, str) else None
    except MalformedKey:
        return None


def _verified_signer(entry: Any, message: bytes, number: int, what: str, author: PublicKey | None) -> PublicKey | None:
    """Who made a signature; None where no known key did, and ``keyid`` does not say that one has."""
    pointer = f"/signatures/{number}"
    if not isinstance(entry, dict) or not isinstance(entry.get("keyid", ""), str) or "sig" not in entry:
        raise MalformedEnvelope("A signature entry cannot be read.", expected="keyid (text) and sig", pointer=pointer)
    signature = _decoded(entry["sig"], f"{pointer}/sig")
    if not _names_a_key(entry):
        return author if author is not None and _is_by(author, message, signature) else None
    try:
        signer = PublicKey.from_did_key(entry["keyid"])
    except MalformedKey as error:
        raise MalformedKey(
            error.message, found=error.found, expected=error.expected, hint=error.hint, pointer=f"{pointer}/keyid"
        ) from error
    try:
        verify_signature(signer, message, signature)
    except BadSignature as error:
        raise BadSignature(
            f"A signature does not fit the {what}.",
            found=f"signature {number + 1}, by {signer.did_key}",
            expected="a signature over exactly these payload bytes",
            hint=f"The {what} was changed after it was signed, or another key signed it. Sign it again.",
            pointer=pointer,
        ) from error
    return signer


def _is_by(key: PublicKey, message: bytes, signature: bytes) -> bool:
    try:
        verify_signature(key, message, signature)
    except BadSignature:
        return False
    return True


def _check_statement(statement: dict[str, Any]) -> str | None:
    kind = (statement.get("_type"), statement.get("predicateType"))
    if kind != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise MalformedEnvelope(
            "The signed statement is of another type.",
            found=f"{kind[0]!s} / {kind[1]!s}"[:160],
            expected=f"{STATEMENT_TYPE} / {PREDICATE_TYPE}",
        )
    subjects = statement.get("subject")
    digest = (
        subjects[0].get("digest")
        if isinstance(subjects, list) and len(subjects) == 1 and isinstance(subjects[0], dict)
        else None
    )
    if not isinstance(digest, dict) or not isinstance(digest.get("sha256"), str):
        raise MalformedEnvelope(
            "The statement names no single audio file.", expected="one subject with digest.sha256", pointer="/subject"
        )
    if "predicate" not in statement:
        raise MalformedEnvelope("The statement holds no report.", expected="a member 'predicate'", pointer="/predicate")
    essence = digest.get(ESSENCE)
    return essence if isinstance(essence, str) else None


def _check_subject(statement: dict[str, Any], report: Report) -> None:
    signed = statement["subject"][0]["digest"]["sha256"]
    if signed != report.track.audio_sha256:
        finding = FieldFinding(
            "/track/audio_sha256", f"the subject's digest {signed[:64]}", report.track.audio_sha256[:64]
        )
        raise MalformedReport("The statement and the report name two different files.", findings=(finding,))


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: Any, pointer: str) -> bytes:
    try:
        return base64.b64decode(text.translate(_URL_SAFE), validate=True)  # protocol.md: either alphabet
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise MalformedEnvelope(
            "A member is not base64.", expected="standard base64 with padding", pointer=pointer
        ) from error
