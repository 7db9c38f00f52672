"""Bitstring Status Lists: one bit for each certificate and purpose, derived from the log.

Source: W3C Bitstring Status List 1.0. Lists are numbered from 1, for both purposes alike. Each holds 131,072 entries at random
places, so a download tells nobody which certificate is meant. Fetching and caching are the caller's business.

Opening a list (``open_status_list``: signature, form, unpacking) is slow and done once; looking a certificate up in it
(``StatusList.state_of``) is fast. A list that cannot be used raises UnusableStatusList, whose ``reason`` is a word of UNUSABLE.
"""

from __future__ import annotations

import base64
import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from certifier.certificate.jose import jwt_of, parse_jwt, verify_jwt
from certifier.certificate.proof import CRYPTOSUITE as JCS
from certifier.certificate.proof import sign_document, split_proof, verify_document
from certifier.certificate.rdfc import CRYPTOSUITE as RDFC
from certifier.certificate.rdfc import sign_rdfc, verify_rdfc
from certifier.certificate.times import parse_time, time_text
from certifier.certificate.trust import SKEW, Trust, TrustedKey
from certifier.crypto.canonical import canonical_bytes
from certifier.crypto.keys import PublicKey
from certifier.crypto.signing import Signer
from certifier.crypto.strict_json import parse_object
from certifier.errors import CertifierError, MalformedCertificate, UnusableStatusList

LIST_LENGTH = 131_072
MOST_LISTS = 2**31 // LIST_LENGTH  # of each purpose: a place, counted through all lists, fits in 32 bits
PURPOSES = ("revocation", "suspension")
_SORTED_PURPOSES = sorted(PURPOSES)
FINAL = ("revocation",)  # LCAL 12: a revocation is never taken back, a suspension may be
VALID_FOR = timedelta(hours=1)
LIST_SIGNERS = ("issuer", "status")
MAX_URL = 300
MOST_BYTES = 64 * LIST_LENGTH // 8  # unpacked at most, to tell a list of another length from one made to fill a memory

# Why a list says nothing.
UNUSABLE = {
    "no_list": "This is no signed status list.",
    "wrong_type": "This credential is no Bitstring Status List.",
    "untrusted_key": "The status list is signed by a key that may not sign it.",
    "stolen_key": "The status list is signed by a key that was stolen.",
    "key_out_of_days": "The status list is signed by a key that was not in force.",
    "bad_signature": "The signature of the status list does not fit.",
    "other_list": "This is another status list than the certificate names.",
    "other_purpose": "The status list has another purpose.",
    "other_issuer": "The status list is of another issuer than the certificate.",
    "not_yet_valid": "The status list is not valid yet.",
    "expired": "The status list is out of date.",
    "not_multibase": "The bits of the status list are not in multibase base64url.",
    "not_gzip": "The bits of the status list cannot be unpacked.",
    "trailing_bytes": "The status list holds something behind its packed bits.",
    "zip_bomb": "The status list unpacks to far more than a list holds.",
    "too_short": "The status list is too short to hide anybody in it.",
    "other_length": "The status list has another length than this label's lists.",
}

_LIST_URL = re.compile(r"https?://[!-~]+/status/[a-z]{1,20}/[1-9][0-9]{0,5}", re.ASCII)
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}", re.ASCII)
_MULTIBASE = re.compile(r"u[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True)
class StatusEntry:
    """Where a certificate's bit stands: list URL, purpose, position from 0."""

    url: str
    purpose: str
    index: int

    @property
    def number(self) -> int:
        """Which of the lists of its purpose, from 1."""
        return int(self.url.rpartition("/")[2])

    @property
    def place(self) -> int:
        """The position counted through all lists of the purpose, from 0."""
        return (self.number - 1) * LIST_LENGTH + self.index

    def to_document(self) -> dict[str, Any]:
        return {
            "id": f"{self.url}#{self.index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": self.purpose,
            "statusListIndex": str(self.index),
            "statusListCredential": self.url,
        }


def status_url(base_url: str, purpose: str, number: int = 1) -> str:
    return f"{base_url}/status/{purpose}/{number}"


def entry_at(base_url: str, purpose: str, place: int) -> StatusEntry:
    """The entry whose ``place``, counted through all lists, this is."""
    number, index = divmod(place, LIST_LENGTH)
    return StatusEntry(status_url(base_url, purpose, number + 1), purpose, index)


def status_file_name(url: str) -> str:
    """The name of a copy beside a certificate: ``status-revocation.json``, from list 2 on ``status-revocation-2.json``."""
    purpose, number = url.rstrip("/").rsplit("/", 2)[-2:]
    return f"status-{purpose}.json" if number == "1" else f"status-{purpose}-{number}.json"


def lists_by_url(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Copies of status lists by the address that each gives itself, whatever its file is called; nothing is verified.

    ``files`` are contents by name. Of two copies of one list the one that was made later counts; what is no list is left out.
    """
    made: dict[str, tuple[str, bytes]] = {}
    for raw in files.values():
        try:
            unsigned, _, _ = _read(raw)
        except CertifierError:
            continue
        url, valid_from = unsigned.get("id"), unsigned.get("validFrom")
        if isinstance(url, str) and isinstance(valid_from, str):
            made[url] = max(made.get(url, ("", b"")), (valid_from, raw))
    return {url: raw for url, (_, raw) in made.items()}


# -- making a list --------------------------------------------------------------------------------------------------


def status_list_payload(
    url: str, purpose: str, positions: Iterable[int], *, issuer: str, log: str, now: datetime
) -> dict[str, Any]:
    """The unsigned list credential with the bits at ``positions`` set; it says of which ``log``, at which size."""
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "description": f"Computed from the log {log}.",
        "issuer": issuer,
        "validFrom": time_text(now),
        "validUntil": time_text(now + VALID_FOR),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": _encoded(positions),
            "ttl": VALID_FOR // timedelta(milliseconds=1),
        },
    }


def _encoded(positions: Iterable[int]) -> str:
    bits = bytearray(LIST_LENGTH // 8)
    for position in positions:
        bits[position // 8] |= 128 >> position % 8  # the first bit is the leftmost
    packed = gzip.compress(bytes(bits), compresslevel=9, mtime=0)
    return "u" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _sign_jwt(unsigned: dict[str, Any], key: Signer, verification_method: str, created: str) -> bytes:  # noqa: ARG001 - as the others
    return jwt_of(unsigned, key, verification_method).encode()


def _sign_record(unsigned: dict[str, Any], key: Signer, verification_method: str, created: str) -> bytes:
    return canonical_bytes(sign_document(unsigned, key, verification_method, created))


def _sign_openbadge(unsigned: dict[str, Any], key: Signer, verification_method: str, created: str) -> bytes:
    return canonical_bytes(sign_rdfc(unsigned, key, verification_method, created))


# The forms of a list, as those of a certificate: the same payload, signed for different readers.
RENDITIONS: dict[str, Callable[[dict[str, Any], Signer, str, str], bytes]] = {
    "record": _sign_record,
    "openbadge": _sign_openbadge,
    "jwt": _sign_jwt,
}


# -- reading a list -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StatusList:
    """A status list, unpacked. ``signed_by`` is the verification method that its proof names."""

    url: str
    purpose: str
    issuer: str
    valid_from: datetime
    valid_until: datetime
    description: str
    bits: bytes
    signed_by: str = ""

    def is_set(self, index: int) -> bool:
        """Whether the bit at a position is set, whatever the time."""
        return bool(self.bits[index // 8] & 128 >> index % 8)

    @property
    def positions(self) -> frozenset[int]:
        """Every position that is set."""
        return frozenset(
            8 * place + bit for place, byte in enumerate(self.bits) if byte for bit in range(8) if byte & 128 >> bit
        )

    def state_of(self, entry: StatusEntry, issuer: str, now: datetime, skew: timedelta = SKEW) -> bool:
        """Whether the bit of a certificate of ``issuer`` is set at a time.

        Raises UnusableStatusList when the list is another one or out of its dates: then nothing is known. A revocation is
        final, so a list that once said revoked says so for ever; that it did not say so counts in its dates only.
        """
        if self.url != entry.url:
            raise _unusable("other_list", self.url[:MAX_URL], entry.url)
        if self.purpose != entry.purpose:
            raise _unusable("other_purpose", self.purpose[:40], entry.purpose)
        if self.issuer != issuer:
            raise _unusable("other_issuer", self.issuer[:200], issuer)
        if self.valid_from - now > skew:
            raise _unusable("not_yet_valid", self._dates, f"a list for {time_text(now)}", "Is the clock here right?")
        is_set = self.is_set(entry.index)
        if now > self.valid_until and not (is_set and self.purpose in FINAL):
            hint = "Fetch the newest list from the service."
            raise _unusable("expired", self._dates, f"a list for {time_text(now)}", hint)
        return is_set

    @property
    def _dates(self) -> str:
        return f"valid {time_text(self.valid_from)} to {time_text(self.valid_until)}"


def open_status_list(raw: bytes, trust: Trust) -> StatusList:
    """A list, in any of its forms, that a trusted key of its own issuer signed in the key's days. Raises UnusableStatusList."""
    try:
        unsigned, method, verify = _read(raw)
    except CertifierError as error:
        raise _unusable("no_list", error.found or error.message, "a signed BitstringStatusListCredential") from error
    key = _signer(method, unsigned, trust)
    try:
        verify(key.key)
    except CertifierError as error:
        raise _unusable("bad_signature", error.found or error.message, f"a signature by {key.id}") from error
    opened = parse_status_list(unsigned, method)
    if not key.was_in_force(opened.valid_from):
        days = f"a list made between {time_text(key.valid_from)} and {time_text(key.valid_until)}"
        raise _unusable("key_out_of_days", time_text(opened.valid_from), days)
    return opened


def _read(raw: bytes) -> tuple[dict[str, Any], str, Callable[[PublicKey], object]]:
    """A list in any form, unverified: the unsigned credential, the key that it names, and what verifies it with a key."""
    if raw.lstrip()[:1] != b"{":
        text = raw.decode("ascii", "replace").strip()
        token = parse_jwt(text)
        return token.unsigned, token.kid, partial(verify_jwt, text)
    document = parse_object(raw)
    proof = document.get("proof")
    is_rdfc = isinstance(proof, dict) and proof.get("cryptosuite") == RDFC
    unsigned, proof = split_proof(document, RDFC if is_rdfc else JCS)
    return (
        unsigned,
        str(proof.get("verificationMethod")),
        partial(verify_rdfc if is_rdfc else verify_document, document),
    )


def _signer(method: str, unsigned: dict[str, Any], trust: Trust) -> TrustedKey:
    key = trust.key_for(method)
    if key is None or key.role not in LIST_SIGNERS or key.issuer != unsigned.get("issuer"):
        may = ", ".join(known.id for known in trust.keys if known.role in LIST_SIGNERS)
        hint = "Is the trust file that of this service, and not an old one?"
        raise _unusable("untrusted_key", method[:200], may or "a trusted key", hint)
    if key.last_good:
        hint = "Whoever stole it could have made this list. Fetch the newest one from the service."
        raise _unusable("stolen_key", key.id, "another key of the issuer", hint)
    return key


def parse_status_list(unsigned: dict[str, Any], signed_by: str = "") -> StatusList:
    """The list in an unsigned credential; nothing is verified. Raises UnusableStatusList."""
    types, subject = unsigned.get("type"), unsigned.get("credentialSubject")
    if not (isinstance(types, list) and "BitstringStatusListCredential" in types):
        raise _unusable("wrong_type", str(types)[:120], "BitstringStatusListCredential")
    if not isinstance(subject, dict) or subject.get("type") != "BitstringStatusList":
        found = subject.get("type") if isinstance(subject, dict) else subject
        raise _unusable("wrong_type", str(found)[:120], "BitstringStatusList")
    texts = (unsigned.get("id"), subject.get("statusPurpose"), unsigned.get("issuer"))
    if not all(isinstance(text, str) for text in texts):
        raise _unusable("wrong_type", str(texts)[:120], "id, statusPurpose and issuer as text")
    url, purpose, issuer = map(str, texts)
    try:
        times = parse_time(unsigned.get("validFrom")), parse_time(unsigned.get("validUntil"))
    except MalformedCertificate as error:
        raise _unusable("wrong_type", error.found, "validFrom and validUntil") from error
    description = unsigned.get("description")
    text = description if isinstance(description, str) else ""
    return StatusList(url, purpose, issuer, *times, text, unpacked_bits(subject.get("encodedList")), signed_by)


def unpacked_bits(encoded: Any) -> bytes:
    """The bits of an ``encodedList``, exactly as many as a list has. Raises UnusableStatusList."""
    if not isinstance(encoded, str) or not _MULTIBASE.fullmatch(encoded) or len(encoded) % 4 == 2:
        raise _unusable("not_multibase", str(encoded)[:40], "u and base64url without padding")
    packed = base64.urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4))
    reader = zlib.decompressobj(wbits=31)
    try:
        bits = reader.decompress(packed, MOST_BYTES)  # bounded, so that a small list cannot unpack to gigabytes
    except zlib.error as error:
        raise _unusable("not_gzip", str(error)[:80], "gzip (RFC 1952)") from error
    if not reader.eof:
        if len(bits) >= MOST_BYTES:
            raise _unusable("zip_bomb", f"more than {8 * MOST_BYTES} bits", f"{LIST_LENGTH} bits")
        raise _unusable("not_gzip", "the end is missing", "gzip (RFC 1952)")
    if reader.unused_data:
        raise _unusable("trailing_bytes", f"{len(reader.unused_data)} bytes", "one gzip stream and nothing after it")
    if len(bits) != LIST_LENGTH // 8:
        reason = "too_short" if len(bits) < LIST_LENGTH // 8 else "other_length"
        raise _unusable(reason, f"{8 * len(bits)} bits", f"{LIST_LENGTH} bits")
    return bits


def _unusable(reason: str, found: str | None, expected: str, hint: str | None = None) -> UnusableStatusList:
    return UnusableStatusList(UNUSABLE[reason], reason=reason, found=found, expected=expected, hint=hint)


# -- the entries of a certificate -----------------------------------------------------------------------------------


def status_entries_of(credential: dict[str, Any]) -> tuple[StatusEntry, ...]:
    """The status entries of a certificate, one for each purpose. Raises MalformedCertificate."""
    found = credential.get("credentialStatus")
    entries = tuple(map(_parse_entry, found if isinstance(found, list) else [found]))
    if sorted([entry.purpose for entry in entries]) != _SORTED_PURPOSES:
        raise MalformedCertificate(
            "The certificate does not name its two status lists.",
            found=", ".join(entry.purpose for entry in entries) or "none",
            expected=" and ".join(PURPOSES),
        )
    return entries


@lru_cache(256)
def _is_list_url(url: str) -> bool:
    """Asked for every certificate, and few lists serve them all."""
    return len(url) <= MAX_URL and _LIST_URL.fullmatch(url) is not None


def _parse_entry(item: Any) -> StatusEntry:
    if not isinstance(item, dict) or item.get("type") != "BitstringStatusListEntry":
        raise MalformedCertificate("A status entry cannot be read.", expected="a BitstringStatusListEntry")
    url, purpose, index = item.get("statusListCredential"), item.get("statusPurpose"), item.get("statusListIndex")
    if not (isinstance(purpose, str) and isinstance(index, str) and _INDEX.fullmatch(index)):
        raise MalformedCertificate(
            "A status entry cannot be read.",
            found=f"{purpose!r:.40}, {index!r:.40}",
            expected="a purpose, and a position in digits",
        )
    if not (isinstance(url, str) and _is_list_url(url)):
        raise MalformedCertificate(
            "A status entry names no status list.", expected="https://HOST/status/PURPOSE/NUMBER"
        )
    if int(index) >= LIST_LENGTH:
        raise MalformedCertificate("A status entry points outside its list.", found=index)
    return StatusEntry(url, purpose, int(index))
