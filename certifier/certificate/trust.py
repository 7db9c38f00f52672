"""Whom a verifier trusts: issuer keys, log keys and standards, read from a file that the verifier chose (DESIGN 20).

Never read from a document that lies beside the certificate: any forger's folder has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from certifier.certificate.times import parse_time, time_text
from certifier.crypto.keyring import Keyring, RegisteredKey
from certifier.crypto.keys import PublicKey
from certifier.crypto.strict_json import parse_object
from certifier.errors import CertifierError, MalformedTrust
from certifier.log.lines import MAX_NUMBER
from certifier.log.note import VerifierKey, parse_verifier_key

FORM = "lcal-trust/1"
SKEW = timedelta(seconds=300)  # LCAL 8.4
LONGEST_VALIDITY = timedelta(days=3 * 366)  # 36 months and a little: no certificate outlives its key by more (LCAL 11)
STATES = ("current", "superseded", "withdrawn")


@dataclass(frozen=True)
class LastGood:
    """The last place in a log at which a stolen key was still its owner's alone; index -1 stands before its first entry."""

    origin: str
    index: int


@dataclass(frozen=True)
class TrustedKey:
    """A key by its verification method; it may sign what is dated between the two times.

    ``last_good`` says that it was stolen: the leaves of that log up to and with that index, and all leaves of older logs,
    stay good. Whatever else it signed is worth nothing: later leaves, what is in no log, status lists.
    """

    id: str
    issuer: str
    role: str
    key: PublicKey
    valid_from: datetime
    valid_until: datetime
    last_good: LastGood | None = None

    def was_in_force(self, moment: datetime) -> bool:
        """Whether it might sign at a moment; a clock that runs ahead a little is forgiven at the beginning."""
        return self.valid_from - moment <= SKEW and moment <= self.valid_until


@dataclass(frozen=True)
class TrustedStandard:
    id: str
    sha256: str
    state: str  # one of STATES


@dataclass(frozen=True)
class Trust:
    """The pinned keys. ``environment`` says which installation they belong to, e.g. demo; ``logs`` begin with the oldest."""

    environment: str
    keys: tuple[TrustedKey, ...]
    logs: tuple[VerifierKey, ...]
    standards: tuple[TrustedStandard, ...]

    def __hash__(self) -> int:
        """Quick: what was opened under a trust is remembered under it, and asked for at every check."""
        return hash((self.environment, len(self.keys), len(self.logs), len(self.standards)))

    def key_for(self, verification_method: str) -> TrustedKey | None:
        return next((key for key in self.keys if key.id == verification_method), None)


def trust_document(trust: Trust) -> dict[str, Any]:
    """The trust file of this trust; ``parse_trust`` reads it back."""
    return {
        "form": FORM,
        "environment": trust.environment,
        "keys": [
            {
                "id": key.id,
                "issuer": key.issuer,
                "role": key.role,
                "publicKeyMultibase": key.key.multibase,
                "from": time_text(key.valid_from),
                "until": time_text(key.valid_until),
                **({"last_good": vars(key.last_good)} if key.last_good else {}),
            }
            for key in trust.keys
        ],
        "logs": [log.to_text() for log in trust.logs],
        "standards": [{"id": entry.id, "sha256": entry.sha256, "state": entry.state} for entry in trust.standards],
    }


def parse_trust(raw: bytes) -> Trust:
    """The trust in a file. Raises MalformedTrust (or MalformedJson) when it cannot be read as a whole."""
    document = parse_object(raw)
    try:
        if document["form"] != FORM:
            raise MalformedTrust("This is another kind of file.", found=str(document["form"])[:60], expected=FORM)
        return Trust(
            _text(document, "environment"),
            _parse_keys(_list(document, "keys")),
            tuple(parse_verifier_key(str(text)) for text in _list(document, "logs")),
            tuple(_parse_standard(entry) for entry in _list(document, "standards")),
        )
    except (KeyError, TypeError) as error:
        raise MalformedTrust(
            "The trust file lacks a member.", found=str(error), expected="form, environment, keys, logs, standards"
        ) from error
    except MalformedTrust:
        raise
    except CertifierError as error:
        raise MalformedTrust(
            f"The trust file cannot be used: {error.message}", found=error.found, expected=error.expected
        ) from error


def _parse_keys(entries: list[dict[str, Any]]) -> tuple[TrustedKey, ...]:
    keys = tuple(_parse_key(entry) for entry in entries)
    ids = [key.id for key in keys]
    twins = sorted({name for name in ids if ids.count(name) > 1})
    if twins:
        raise MalformedTrust(
            "The trust file names a key twice.", found=twins[0][:200], expected="each key once: readers would disagree"
        )
    return keys


def _parse_key(entry: dict[str, Any]) -> TrustedKey:
    key = PublicKey.from_multibase(_text(entry, "publicKeyMultibase"))
    times = parse_time(entry["from"]), parse_time(entry["until"])
    last_good = _parse_last_good(entry["last_good"]) if "last_good" in entry else None
    return TrustedKey(_text(entry, "id"), _text(entry, "issuer"), _text(entry, "role"), key, *times, last_good)


def _parse_last_good(entry: dict[str, Any]) -> LastGood:
    index = entry["index"]
    if type(index) is not int or not -1 <= index <= MAX_NUMBER:
        raise MalformedTrust(
            "The last good place of a stolen key cannot be read.", found=repr(index)[:40], expected="a log index"
        )
    return LastGood(_text(entry, "origin"), index)


def _parse_standard(entry: dict[str, Any]) -> TrustedStandard:
    standard = TrustedStandard(_text(entry, "id"), _text(entry, "sha256"), _text(entry, "state"))
    if standard.state not in STATES:
        raise MalformedTrust("A standard is in no known state.", found=standard.state[:40], expected=", ".join(STATES))
    return standard


def _list(document: dict[str, Any], name: str) -> list[Any]:
    value = document[name]
    if not isinstance(value, list):
        raise MalformedTrust(
            f"The member {name} of the trust file is no list.", found=type(value).__name__, expected="a list"
        )
    return value


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry[name]
    if not isinstance(value, str):
        raise MalformedTrust(
            f"The member {name} of the trust file is no text.", found=type(value).__name__, expected="text"
        )
    return value


def trust_of(
    keyring: Keyring,
    *,
    issuer: str,
    environment: str,
    logs: tuple[VerifierKey, ...],
    standards: tuple[TrustedStandard, ...],
) -> Trust:
    """The trust that an installation hands out: its issuer and status keys, retired ones too."""
    own = (*keyring.with_role("issuer"), *keyring.with_role("status"))
    return Trust(environment, tuple(_trusted(entry, issuer) for entry in own), logs, standards)


def _trusted(entry: RegisteredKey, issuer: str) -> TrustedKey:
    stolen = entry.compromise
    return TrustedKey(
        f"{issuer}#{entry.id}",
        issuer,
        entry.role,
        entry.public,
        entry.valid_from,
        entry.valid_until,
        LastGood(stolen.log, stolen.last_good_index) if stolen else None,
    )


def did_document(trust: Trust, issuer: str, now: datetime) -> dict[str, Any]:
    """The DID document of ``did:web``: every key under which a certificate may still be in force (W3C DID Core, Multikey).

    A stolen key stays too, marked as revoked, and may assert nothing (W3C Controlled Identifiers 1.0, section 2.2).
    """
    own = [key for key in trust.keys if key.issuer == issuer]
    keys = [key for key in own if key.last_good or now - key.valid_until <= LONGEST_VALIDITY]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": issuer,
        "verificationMethod": [
            {
                "id": key.id,
                "type": "Multikey",
                "controller": issuer,
                "publicKeyMultibase": key.key.multibase,
                **({"revoked": time_text(key.valid_until)} if key.last_good else {}),
            }
            for key in keys
        ],
        "assertionMethod": [key.id for key in keys if not key.last_good],
    }
