"""A certificate in any of its forms, read and not yet believed: one value, whatever it came as.

Five forms lead here: the record (``eddsa-jcs-2022``), the badge wallet's form (``eddsa-rdfc-2022``), the same as a JWT, a badge
image with one of these baked in, and the compact form of a print, as COSE bytes or as the text of its QR. They carry the same
claims; ``Opened.proven`` says which, once the signature fits a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import orjson

from certifier.certificate.baked import unbake
from certifier.certificate.compact import Compact, bytes_of_digits, parse_compact, verify_compact
from certifier.certificate.jose import parse_jwt, verify_jwt
from certifier.certificate.proof import signature_of, split_proof, verify_document
from certifier.certificate.qr_text import parse_qr_text
from certifier.certificate.rdfc import CRYPTOSUITE as RDFC
from certifier.certificate.rdfc import verify_rdfc
from certifier.certificate.times import parse_time
from certifier.crypto.canonical import canonical_bytes, to_json_text
from certifier.crypto.keys import PublicKey, verify_signature
from certifier.crypto.strict_json import DEFAULT_LIMITS, parse_object
from certifier.errors import BadSignature, MalformedCertificate, MalformedJson

Form = Literal["record", "openbadge", "jwt", "compact"]
COSE_SIGN1 = 0xD2  # tag 18
_AS_WRITTEN = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE  # how this label spells its records

_JWT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_QR = re.compile(rb"https?://[!-~]{1,4000}", re.IGNORECASE)


class Proven(NamedTuple):
    """What a fitting signature vouches for. ``payload_sha256`` binds all forms; a compact one holds its first 16 bytes only."""

    payload_sha256: bytes
    unsigned: dict[str, Any] | None
    compact: Compact | None = None


class Opened(NamedTuple):
    """``method`` is the verification method that it names, ``signed_at`` the time that it says it was issued and signed at
    (None where it says two), ``code`` what it says its code is.

    ``unsigned`` reads the claims without believing them (None for a compact form); ``proven`` checks the signature, and raises
    BadSignature, MalformedCertificate or MalformedJson when it does not fit the key.
    """

    form: Form
    method: str
    signed_at: datetime | None
    issuer: str | None
    code: str
    unsigned: Callable[[], dict[str, Any] | None]
    proven: Callable[[PublicKey], Proven]


def open_certificate(raw: bytes) -> Opened:
    """A certificate in any form. Raises MalformedCertificate, MalformedJson or MalformedCode when it is none at all."""
    start = raw.lstrip()
    if start[:1] == b"{":
        return _open_json(raw)
    if start[:1] == b"<":
        return _open_baked(unbake(raw))
    if raw[:1] == bytes([COSE_SIGN1]):
        return _open_compact(raw)
    text = raw.strip()
    if _JWT.fullmatch(text):
        return _open_jwt(text.decode("ascii"))
    if _QR.fullmatch(text):
        return _open_qr(text.decode("ascii"))
    raise MalformedCertificate(
        "This is no certificate in a form that is known here.",
        found=repr(raw[:20].decode("utf-8", "replace")),
        expected="a signed certificate (.json, .vc, .jwt, .cose), a badge SVG that holds one, or the text of a label's QR",
        hint="Take the certificate itself from the label's page.",
    )


def open_document(document: dict[str, Any]) -> Opened:
    """The certificate in an object that the strict reader has read, as a member of a larger body, say.

    As ``open_certificate(document_bytes(document))``, without reading those bytes again when they are beyond doubt. The document
    must not change any more.
    """
    raw = _spelled(document)
    if raw is None or len(raw) > DEFAULT_LIMITS.max_bytes:
        return _open_json(document_bytes(document))
    return _open_parsed(raw, document)


def document_bytes(document: dict[str, Any]) -> bytes:
    """The bytes of a document that the strict reader has read, spelled as a record is.

    They are as large as they are: a reader of certificates may refuse them for their size.
    """
    # A strictly read document holds no float and no object, so that ``orjson`` spells it as ``to_json_text`` does, or not at all.
    raw = _spelled(document)
    if raw is not None:
        return raw
    try:
        return to_json_text(document).encode()
    except MalformedJson:
        # A fraction stays one: no certificate of ours holds any, so the check finds it changed.
        return json.dumps(document, ensure_ascii=False, default=float).encode()


def _spelled(document: Any) -> bytes | None:
    try:
        return orjson.dumps(document, option=_AS_WRITTEN)
    except orjson.JSONEncodeError:
        return None


def _open_baked(credential: bytes) -> Opened:
    """What a badge holds: JSON or a token, and never another picture, of which there would be no end."""
    if credential[:1] == b"{":
        return _open_json(credential)
    if _JWT.fullmatch(credential):
        return _open_jwt(credential.decode("ascii"))
    raise MalformedCertificate(
        "The picture holds something that no badge holds.",
        found=repr(credential[:20]),
        expected="a signed credential, as JSON or as a token",
        hint="Take the badge as the label's site gives it.",
    )


def _open_json(raw: bytes) -> Opened:
    written = _as_written(raw)
    if written is not None:
        return _open_parsed(raw, written)
    document = parse_object(raw)
    if _is_rdfc(document):
        return _open_openbadge(document)
    unsigned, proof = _split(document)
    return _opened("record", unsigned, proof, lambda: unsigned, partial(_proven_record, document))


def _split(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    if "proof" not in document:  # what a service says at CODE.json is taken for the certificate now and then
        raise MalformedCertificate(
            "This document is not signed.",
            found="no member 'proof'",
            expected="a signed certificate",
            hint="At a service, CODE.json only tells how a certificate stands. The certificate itself is CODE.vc.",
        )
    return split_proof(document)


def _is_rdfc(document: dict[str, Any]) -> bool:
    proof = document.get("proof")
    return isinstance(proof, dict) and proof.get("cryptosuite") == RDFC


def _open_openbadge(document: dict[str, Any]) -> Opened:
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    return _opened("openbadge", unsigned, document["proof"], lambda: unsigned, partial(_proven_rdfc, document))


def _open_parsed(raw: bytes, document: dict[str, Any]) -> Opened:
    """The document of a text that is spelled as this label spells its records; the strict way needs that text."""
    if _is_rdfc(document):
        return _open_openbadge(parse_object(raw))
    unsigned, proof = _split(document)
    return _opened(
        "record", unsigned, proof, partial(_read_again, raw), partial(_proven_as_written, raw, unsigned, proof)
    )


def _opened(
    form: Form,
    unsigned: dict[str, Any],
    proof: dict[str, Any],
    read: Callable[[], dict[str, Any]],
    proven: Callable[[PublicKey], Proven],
) -> Opened:
    issuer = unsigned.get("issuer")
    named = issuer.get("id") if isinstance(issuer, dict) else issuer
    return Opened(
        form,
        str(proof.get("verificationMethod")),
        _time_or_none(proof.get("created")) if proof.get("created") == unsigned.get("validFrom") else None,
        _text(named),
        _code_of(unsigned),
        read,
        proven,
    )


def _code_of(unsigned: dict[str, Any]) -> str:
    return str(unsigned.get("id")).rpartition("/v/")[2]


def _as_written(raw: bytes) -> dict[str, Any] | None:
    """The document of a text that is spelled exactly as this label spells its records; None for any other spelling.

    Quick, and right for such texts alone: written out again it gives the same bytes, so no member stands in it twice.
    What else a strict reader refuses cannot carry a signature of ours, and ``_proven_as_written`` asks that reader whenever the
    signature does not fit.
    """
    if len(raw) > DEFAULT_LIMITS.max_bytes:
        return None
    try:
        document = orjson.loads(raw)
    except (orjson.JSONDecodeError, RecursionError):
        return None
    return document if isinstance(document, dict) and _spelled(document) == raw else None


def _read_again(raw: bytes) -> dict[str, Any]:
    return split_proof(parse_object(raw))[0]


def _proven_as_written(raw: bytes, unsigned: dict[str, Any], proof: dict[str, Any], key: PublicKey) -> Proven:
    """``orjson`` spells every document that we sign as RFC 8785 does, and no other document as one of those.

    So a signature that fits its bytes is one over the canonical form. Where it does not fit, the strict way decides.
    """
    if proof.get("@context", unsigned.get("@context")) == unsigned.get("@context"):
        options = {name: value for name, value in proof.items() if name != "proofValue"}
        payload = sha256(orjson.dumps(unsigned, option=orjson.OPT_SORT_KEYS)).digest()
        signed = sha256(orjson.dumps(options, option=orjson.OPT_SORT_KEYS)).digest() + payload
        try:
            verify_signature(key, signed, signature_of(proof))
        except BadSignature:
            pass
        else:
            return Proven(payload, unsigned)
    return _proven_record(parse_object(raw), key)


def _proven_record(document: dict[str, Any], key: PublicKey) -> Proven:
    return _proven(verify_document(document, key))


def _proven_rdfc(document: dict[str, Any], key: PublicKey) -> Proven:
    return _proven(verify_rdfc(document, key))


def _proven(unsigned: dict[str, Any]) -> Proven:
    return Proven(sha256(canonical_bytes(unsigned)).digest(), unsigned)


def _open_jwt(text: str) -> Opened:
    token = parse_jwt(text)
    unsigned = token.unsigned
    issuer = unsigned.get("issuer")
    return Opened(
        "jwt",
        token.kid,
        _time_or_none(unsigned.get("validFrom")),
        _text(issuer.get("id") if isinstance(issuer, dict) else issuer),
        _code_of(unsigned),
        lambda: unsigned,
        lambda key: _proven(verify_jwt(text, key)),
    )


def _open_compact(raw: bytes) -> Opened:
    compact = parse_compact(raw)
    method = compact.kid or ""
    return Opened(
        "compact",
        method,
        compact.issued_at,
        method.partition("#")[0],
        compact.code,
        lambda: None,
        lambda key: Proven(bytes.fromhex(compact.payload_digest), None, verify_compact(raw, key)),
    )


def _open_qr(text: str) -> Opened:
    """The compact form in the QR of a print. Raises MalformedCertificate when the address and the certificate disagree."""
    address = parse_qr_text(text)
    if address.digits is None:
        raise MalformedCertificate(
            "This QR names a certificate and holds none.",
            found=text[:120],
            expected="the QR of a print label, with digits after #",
            hint="Look the code up at the service that it names.",
        )
    raw = bytes_of_digits(address.digits)
    compact = parse_compact(raw)
    inside = f"{base_url_of((compact.kid or '').partition('#')[0])}/v/{compact.code}"
    if f"{address.base_url}/v/{address.code}".partition("://")[2] != inside.partition("://")[2]:
        raise MalformedCertificate(
            "The QR's address leads elsewhere than the certificate inside it.",
            found=f"{address.base_url}/v/{address.code}",
            expected=inside,
            hint="Do not rely on this label.",
        )
    return _open_compact(raw)


def base_url_of(issuer: str) -> str:
    """Where the issuer of a ``did:web`` serves its pages (did:web method specification, read backwards)."""
    return "https://" + issuer.removeprefix("did:web:").replace(":", "/").replace("%3A", ":")


def _time_or_none(value: Any) -> datetime | None:
    try:
        return parse_time(value)
    except MalformedCertificate:
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
