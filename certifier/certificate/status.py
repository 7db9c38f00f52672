"""Bitstring Status Lists: one bit for each certificate, derived from the log.

Source: W3C Bitstring Status List 1.0. A list holds 131,072 entries at random places, so a download tells nobody which
certificate is meant. Fetching and caching are the caller's business.
"""

from __future__ import annotations

import base64
import gzip
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from certifier.certificate.times import parse_time, time_text
from certifier.errors import MalformedCertificate

LIST_LENGTH = 131_072
PURPOSES = ("revocation", "suspension")
VALID_FOR = timedelta(hours=24)
MAX_URL = 300

_LIST_URL = re.compile(r"https?://[!-~]+/status/[a-z]{1,20}/[0-9]{1,6}", re.ASCII)


@dataclass(frozen=True)
class StatusEntry:
    """Where a certificate's bit stands: list URL, purpose, position from 0."""

    url: str
    purpose: str
    index: int

    def to_document(self) -> dict[str, Any]:
        return {
            "id": f"{self.url}#{self.index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": self.purpose,
            "statusListIndex": str(self.index),
            "statusListCredential": self.url,
        }


def status_url(base_url: str, purpose: str) -> str:
    return f"{base_url}/status/{purpose}/1"


def status_file_name(url: str) -> str:
    """The name under which a copy of the list lies beside a certificate: ``status-revocation-1.json``."""
    purpose, number = url.rstrip("/").rsplit("/", 2)[-2:]
    return f"status-{purpose}-{number}.json"


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
        },
    }


def _encoded(positions: Iterable[int]) -> str:
    bits = bytearray(LIST_LENGTH // 8)
    for position in positions:
        bits[position // 8] |= 128 >> position % 8  # the first bit is the leftmost
    packed = gzip.compress(bytes(bits), compresslevel=9, mtime=0)
    return "u" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def unpacked_bits(encoded: str) -> bytes:
    try:
        packed = base64.urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4))
        # Bounded, so that a small list cannot unpack to gigabytes.
        bits = zlib.decompressobj(wbits=31).decompress(packed, LIST_LENGTH // 8 + 1)
    except (ValueError, zlib.error) as error:
        raise MalformedCertificate(
            "The status list cannot be unpacked.", expected="multibase base64url of gzip"
        ) from error
    if encoded[:1] != "u" or len(bits) != LIST_LENGTH // 8:
        raise MalformedCertificate("The status list has the wrong length.", expected=f"{LIST_LENGTH} bits")
    return bits


def status_entries_of(credential: dict[str, Any]) -> tuple[StatusEntry, ...]:
    """The status entries of a certificate, one for each purpose. Raises MalformedCertificate."""
    found = credential.get("credentialStatus")
    entries = tuple(_parse_entry(item) for item in (found if isinstance(found, list) else [found]))
    if sorted(entry.purpose for entry in entries) != sorted(PURPOSES):
        raise MalformedCertificate(
            "The certificate does not name its two status lists.",
            found=", ".join(entry.purpose for entry in entries) or "none",
            expected=" and ".join(PURPOSES),
        )
    return entries


def _parse_entry(item: Any) -> StatusEntry:
    try:
        entry = StatusEntry(item["statusListCredential"], item["statusPurpose"], int(item["statusListIndex"]))
    except (TypeError, KeyError, ValueError) as error:
        raise MalformedCertificate("A status entry cannot be read.", expected="a BitstringStatusListEntry") from error
    if not (isinstance(entry.url, str) and len(entry.url) <= MAX_URL and _LIST_URL.fullmatch(entry.url)):
        raise MalformedCertificate(
            "A status entry names no status list.", expected="https://HOST/status/PURPOSE/NUMBER"
        )
    if not 0 <= entry.index < LIST_LENGTH:
        raise MalformedCertificate("A status entry points outside its list.", found=str(entry.index)[:20])
    return entry


def is_set(list_document: dict[str, Any], entry: StatusEntry, now: datetime, max_skew: timedelta) -> bool:
    """Whether the certificate's bit is set in a list whose proof was verified.

    Raises MalformedCertificate when the list is another one, is out of its dates, or cannot be read: then nothing is known.
    """
    subject = list_document.get("credentialSubject")
    if not isinstance(subject, dict) or (list_document.get("id"), subject.get("statusPurpose")) != (
        entry.url,
        entry.purpose,
    ):
        raise MalformedCertificate(
            "This is not the certificate's status list.", expected=f"{entry.purpose} list {entry.url}"
        )
    valid_from, valid_until = parse_time(list_document.get("validFrom")), parse_time(list_document.get("validUntil"))
    if not valid_from - max_skew <= now <= valid_until:
        raise MalformedCertificate(
            "The status list is out of its dates.",
            found=f"valid {time_text(valid_from)} to {time_text(valid_until)}",
            expected=f"a list for {time_text(now)}",
            hint="Fetch the newest list from the service.",
        )
    bits = unpacked_bits(str(subject.get("encodedList")))
    return bool(bits[entry.index // 8] & 128 >> entry.index % 8)
