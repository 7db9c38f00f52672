"""The compact certificate for print: a few bytes that a reader can check with nothing but the issuer's public key.

It says the least that a shop, a listener or a platform needs without a network: which certificate, what outcome and figure,
until when, for which audio, and where its status bits stand. It binds itself to the record by the digest of the payload;
everything else (names, parts of the figure, the report behind it) is the record's business. Trust in the key, dates and
status are judged by whoever verifies.

There is one encoding of each content and signature: what would not be written here byte for byte is not read.

Sources: RFC 9052 (COSE_Sign1), RFC 9053 section 2.2 (EdDSA), RFC 8949 section 4.2 (deterministic encoding).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import cbor2

from certifier.certificate.code import CODE_LENGTH, parse_code
from certifier.certificate.model import Claims
from certifier.certificate.status import LIST_LENGTH, PURPOSES, StatusEntry, entry_at
from certifier.crypto.keys import SIGNATURE_BYTES, PublicKey, verify_signature
from certifier.crypto.signing import Signer
from certifier.errors import MalformedCertificate, MalformedCode

FORM = 1
DIGEST_BYTES = 16  # of the 32 of SHA-256: nobody finds a second content for a digest that is given
MAX_BYTES = 448
MAX_KID = 200
MAX_STANDARD = 40
MAX_HUNDREDTHS = 10**12 - 1
MAX_LISTS = 999_999

_SIGN1_TAG = 18  # RFC 9052 section 4.2
_ALGORITHM, _KID = 1, 4  # RFC 9052 section 3.1
_EDDSA = -8  # RFC 9053 section 2.2
_OUTCOMES = ("disclosed", "measured", "class-2", "class-1")  # by number; a new one goes to the end
_LEVELS = ("A0", "A1", "A2")
_STANDARD = re.compile(r"[A-Z][A-Z0-9]*-[0-9][0-9A-Za-z.-]*", re.ASCII)
_METHOD = re.compile(r"did:[a-z0-9]+:[!-~]+#[!-~]+", re.ASCII)
_FIGURE = re.compile(r"(0|[1-9][0-9]*)\.([0-9]{2})", re.ASCII)
_YEAR_10000 = 253_402_300_800
_TAG_BYTE = b"\xd2"  # how tag 18 is written
_MARK = b"\x01"  # keeps leading zero bytes when the bytes become one number
MAX_DIGITS = len(str(int.from_bytes(b"\x02" + bytes(MAX_BYTES), "big")))
_DIGITS = re.compile(r"[1-9][0-9]*", re.ASCII)


@dataclass(frozen=True)
class Compact:
    """What the compact form says. Digests are the first 16 bytes of SHA-256, in hex.

    ``revocation`` and ``suspension`` are the places of its bits, counted from 0 through all lists of the purpose one after
    the other. ``kid`` is the verification method that signed it; None before it is signed.
    """

    code: str
    outcome: str
    assessed_g_per_min: str
    evidence_level: str
    standard: str
    issued_at: datetime
    expires_at: datetime
    payload_digest: str
    audio_digest: str
    essence_digest: str | None
    revocation: int
    suspension: int
    kid: str | None = None

    def status(self, base_url: str) -> tuple[StatusEntry, ...]:
        """Its entries in the status lists of the issuer at ``base_url`` (without a slash at the end)."""
        places = zip(PURPOSES, (self.revocation, self.suspension), strict=True)
        return tuple(entry_at(base_url, purpose, place) for purpose, place in places)


def compact_of(claims: Claims, payload_sha256: str) -> Compact:
    """The compact form of a certificate, not yet signed. ``payload_sha256`` is the digest of the payload in hex."""
    places = {entry.purpose: entry.place for entry in claims.status}
    essence = claims.subject.essence_sha256
    return Compact(
        code=claims.code,
        outcome=claims.outcome,
        assessed_g_per_min=claims.figures.assessed_g_per_min,
        evidence_level=claims.basis.evidence_level,
        standard=claims.basis.standard,
        issued_at=claims.issued_at.replace(microsecond=0),
        expires_at=claims.expires_at.replace(microsecond=0),
        payload_digest=payload_sha256[: 2 * DIGEST_BYTES],
        audio_digest=claims.subject.audio_sha256[: 2 * DIGEST_BYTES],
        essence_digest=essence[: 2 * DIGEST_BYTES] if essence else None,
        revocation=places["revocation"],
        suspension=places["suspension"],
    )


def sign_compact(compact: Compact, key: Signer, verification_method: str) -> bytes:
    """The tagged COSE_Sign1. The same input gives the same bytes.

    Raises MalformedCertificate for a content that the compact form cannot say.
    """
    signed = replace(compact, kid=verification_method)
    raw = _encoded(signed, key.sign(_signed_bytes(signed)))
    verify_compact(raw, key.public)  # what cannot be read back, or a fault has bent, must never leave the house
    return raw


def parse_compact(raw: bytes) -> Compact:
    """What the bytes say; whether their signature fits is not looked at.

    Raises MalformedCertificate for everything that ``sign_compact`` does not write, other spellings of one content too.
    """
    return _parsed(raw)[0]


def verify_compact(raw: bytes, key: PublicKey) -> Compact:
    """What the bytes say, once their signature fits the key. Raises BadSignature or MalformedCertificate."""
    compact, signature = _parsed(raw)
    verify_signature(key, _signed_bytes(compact), signature)
    return compact


def digits_of(raw: bytes) -> str:
    """The bytes as one decimal number, with a byte 0x01 before them. Digits cost a QR code 3.3 bits each."""
    return str(int.from_bytes(_MARK + raw, "big"))


def bytes_of_digits(text: str) -> bytes:
    """The bytes that ``digits_of`` was given. Raises MalformedCertificate for any other text."""
    if len(text) > MAX_DIGITS or not _DIGITS.fullmatch(text):
        raise MalformedCertificate(
            "The digits after # are no compact certificate.",
            found=f"{text[:20]!r}, {len(text)} characters",
            expected=f"at most {MAX_DIGITS} digits, the first of them not 0",
            hint="Scan the QR again; the text was cut or changed on its way.",
        )
    number = int(text)
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if not data.startswith(_MARK) or not 0 < len(data) - 1 <= MAX_BYTES:
        raise MalformedCertificate(
            "The digits after # are no compact certificate.",
            found=f"a number of {len(data)} bytes that starts with 0x{data[0]:02x}",
            expected=f"a number that starts with the byte 0x01, and 1 to {MAX_BYTES} bytes after it",
            hint="Scan the QR again; the text was cut or changed on its way.",
        )
    return data[1:]


class _NoTags(dict[int, Any]):
    """For the library: every tag is refused. It would turn some of them into other things, at any cost (RFC 8949 3.4)."""

    def __missing__(self, tag: int) -> Any:
        raise ValueError(f"tag {tag}")


_NO_TAGS = _NoTags()


def _outcome_read(value: Any) -> str:
    return _OUTCOMES[_integer(value, len(_OUTCOMES) - 1)]


def _figure_written(text: str) -> int:
    match = _FIGURE.fullmatch(text)
    if match is None:
        raise _refusal(f"the figure {text[:20]!r}", "grams with two decimals")
    return int(match[1] + match[2])


def _figure_read(value: Any) -> str:
    grams, hundredths = divmod(_integer(value, MAX_HUNDREDTHS), 100)
    return f"{grams}.{hundredths:02}"


def _time_read(value: Any) -> datetime:
    return datetime.fromtimestamp(_integer(value, _YEAR_10000 - 1), UTC)


def _digest_read(value: Any) -> str:
    if type(value) is not bytes or len(value) != DIGEST_BYTES:
        raise _refusal(_shown(value), f"{DIGEST_BYTES} bytes of a digest")
    return value.hex()


def _code_read(value: Any) -> str:
    try:
        code = parse_code(_text(value, CODE_LENGTH))
    except MalformedCode as error:
        raise _refusal(error.found or error.message, error.expected or "a certificate code") from error
    if code != value:
        raise _refusal(_shown(value), "the code in its one spelling")
    return code


def _standard_read(value: Any) -> str:
    text = _text(value, MAX_STANDARD)
    if not _STANDARD.fullmatch(text):
        raise _refusal(_shown(value), "a standard such as LCAL-1.0.0")
    return text


def _place_read(value: Any) -> int:
    return _integer(value, MAX_LISTS * LIST_LENGTH - 1)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class _Member:
    name: str
    written: Callable[[Any], Any]
    read: Callable[[Any], Any]
    required: bool = True


_VERSION_KEY = 1
# One row for each other member: its integer key, its name in Compact, how it is written, how it is read and judged.
_MEMBERS = {
    2: _Member("code", _same, _code_read),
    3: _Member("outcome", _OUTCOMES.index, _outcome_read),
    4: _Member("assessed_g_per_min", _figure_written, _figure_read),
    5: _Member("evidence_level", _LEVELS.index, lambda value: _LEVELS[_integer(value, len(_LEVELS) - 1)]),
    6: _Member("standard", _same, _standard_read),
    7: _Member("issued_at", _seconds, _time_read),
    8: _Member("expires_at", _seconds, _time_read),
    9: _Member("payload_digest", bytes.fromhex, _digest_read),
    10: _Member("audio_digest", bytes.fromhex, _digest_read),
    11: _Member("essence_digest", bytes.fromhex, _digest_read, required=False),
    12: _Member("revocation", _same, _place_read),
    13: _Member("suspension", _same, _place_read),
}


def _contents(compact: Compact) -> bytes:
    values = {number: (member, getattr(compact, member.name)) for number, member in _MEMBERS.items()}
    try:
        given = {number: member.written(value) for number, (member, value) in values.items() if value is not None}
    except (ValueError, TypeError) as error:
        raise _refusal(str(error)[:80], "values of this label") from error
    return _canonical({_VERSION_KEY: FORM, **given})


def _protected(compact: Compact) -> bytes:
    return _canonical({_ALGORITHM: _EDDSA, _KID: (compact.kid or "").encode()})


def _signed_bytes(compact: Compact) -> bytes:
    """The Sig_structure, without external data (RFC 9052 section 4.4)."""
    return _canonical(["Signature1", _protected(compact), b"", _contents(compact)])


def _encoded(compact: Compact, signature: bytes) -> bytes:
    return _canonical(cbor2.CBORTag(_SIGN1_TAG, [_protected(compact), {}, _contents(compact), signature]))


def _canonical(value: Any) -> bytes:
    # The library sorts keys by length first (RFC 7049 section 3.9); for keys below 24 that is the order of RFC 8949, too.
    return cbor2.dumps(value, canonical=True)


def _parsed(raw: bytes) -> tuple[Compact, bytes]:
    if len(raw) > MAX_BYTES:
        raise _refusal(f"{len(raw)} bytes", f"at most {MAX_BYTES} bytes")
    if raw[:1] != _TAG_BYTE:
        raise _refusal(f"the first byte {_shown(raw[:1])}", f"a COSE_Sign1 with its tag {_SIGN1_TAG} (RFC 9052)")
    parts = _decoded(raw[1:], "the message")
    if type(parts) is not list or len(parts) != 4:
        raise _refusal(_shown(parts), "an array of four: protected, unprotected, payload, signature")
    protected, unprotected, payload, signature = parts
    if type(unprotected) is not dict or unprotected:
        raise _refusal(f"unprotected {_shown(unprotected)}", "no unprotected header")
    if type(signature) is not bytes or len(signature) != SIGNATURE_BYTES:
        raise _refusal(f"signature {_shown(signature)}", f"a signature of {SIGNATURE_BYTES} bytes")
    compact = replace(_read_contents(_map(payload, "the payload")), kid=_read_kid(_map(protected, "the header")))
    if _encoded(compact, signature) != raw:
        raise _refusal("another spelling of the same content", "deterministic CBOR and nothing after it (RFC 8949 4.2)")
    return compact, signature


def _read_kid(header: dict[Any, Any]) -> str:
    if set(header) != {_ALGORITHM, _KID} or header[_ALGORITHM] != _EDDSA:
        raise _refusal(f"header {_shown(header)}", f"algorithm {_EDDSA} (EdDSA) and a key id, nothing else")
    kid = header[_KID]
    text = kid.decode("ascii", "replace") if type(kid) is bytes else ""
    if len(text) > MAX_KID or not _METHOD.fullmatch(text):
        raise _refusal(f"key id {_shown(kid)}", "a verification method such as did:web:label.example#key-2026")
    return text


def _read_contents(contents: dict[Any, Any]) -> Compact:
    version = contents.get(_VERSION_KEY)
    if type(version) is not int or version != FORM:
        raise MalformedCertificate(
            "This compact certificate is of another form.",
            found=f"form {_shown(version)}",
            expected=f"form {FORM}",
            hint="A newer program may read it; or open the address in the QR.",
        )
    unknown = [key for key in contents if key != _VERSION_KEY and key not in _MEMBERS]
    missing = [str(key) for key, member in _MEMBERS.items() if member.required and key not in contents]
    if unknown or missing:
        found = ", ".join([*(f"unknown {_shown(key)}" for key in unknown[:3]), *(f"no {key}" for key in missing[:3])])
        raise _refusal(found, "the members of this form, each once")
    values: dict[str, Any] = {
        member.name: member.read(contents[key]) if key in contents else None for key, member in _MEMBERS.items()
    }
    return Compact(**values)


def _map(part: Any, what: str) -> dict[Any, Any]:
    value = _decoded(part, what) if type(part) is bytes else part
    if type(part) is not bytes or type(value) is not dict:
        raise _refusal(f"{what}: {_shown(value)}", "a map in a byte string")
    return value


def _decoded(data: bytes, what: str) -> Any:
    try:
        return cbor2.loads(
            data, semantic_decoders=_NO_TAGS, max_depth=4, allow_indefinite=False, allow_duplicate_keys=False
        )
    except Exception as error:  # the decoder's own errors, and those of values that it builds on its way
        raise _refusal(f"{what}: {str(error)[:80]}", "CBOR of definite lengths, each key once") from error


def _integer(value: Any, largest: int) -> int:
    if type(value) is not int or not 0 <= value <= largest:
        raise _refusal(_shown(value), f"a whole number from 0 to {largest}")
    return value


def _text(value: Any, longest: int) -> str:
    if type(value) is not str or len(value) > longest:
        raise _refusal(_shown(value), f"text of at most {longest} characters")
    return value


def _refusal(found: str, expected: str) -> MalformedCertificate:
    return MalformedCertificate(
        "This is not a compact certificate of the Low-Carbon Audio Label.", found=found[:160], expected=expected
    )


def _shown(value: Any) -> str:
    return repr(value)[:60]
