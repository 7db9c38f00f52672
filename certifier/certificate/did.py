"""Decentralised identifiers as far as issuers use them here: did:key and did:web, and the key that a document gives to a method.

Documents are fetched by whoever calls; here they are only read. Every reason why a key may not be used has a word of its own.

Sources: the did:key and did:web method specifications (W3C CCG), Controlled Identifiers 1.0 sections 2.2 and 3.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from certifier.certificate.vcdm import check_time, moment_of
from certifier.crypto.keys import PublicKey
from certifier.errors import CredentialRefused, MalformedCredential, MalformedKey

METHODS = ("did:key", "did:web")
PURPOSES = ("assertionMethod", "authentication")
MAX_METHOD = 500

_DID_URL = re.compile(r"(did:[a-z0-9]+:[A-Za-z0-9._%:-]+)#([A-Za-z0-9._~%!$&'()*+,;=:@/?-]+)", re.ASCII)
_HOST = re.compile(r"[a-z0-9.-]+", re.ASCII)
_SEGMENT = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)


@dataclass(frozen=True)
class Method:
    """A verification method's name: the DID that it belongs to, and its whole address."""

    did: str
    url: str

    @property
    def kind(self) -> str:
        """Such as did:web."""
        return ":".join(self.did.split(":")[:2])


def parse_method(text: Any) -> Method:
    """The verification method that a proof names. Raises CredentialRefused (``verification_method``, ``did_method``)."""
    found = _DID_URL.fullmatch(text) if isinstance(text, str) and len(text) <= MAX_METHOD else None
    if found is None:
        raise CredentialRefused(
            "The proof names no verification method.",
            step="verification_method",
            found=str(text)[:120],
            expected="a DID, # and the name of a key",
        )
    method = Method(found.group(1), str(text))
    if method.kind not in METHODS:
        raise CredentialRefused(
            "This DID method is not supported here.",
            step="did_method",
            found=method.kind,
            expected=" or ".join(METHODS),
        )
    return method


def key_of_did_key(method: Method) -> PublicKey:
    """The key that a did:key is. Raises CredentialRefused (``verification_method``)."""
    try:
        key = PublicKey.from_did_key(method.did)
    except MalformedKey as error:
        raise CredentialRefused(
            f"The did:key cannot be used: {error.message}.",
            step="verification_method",
            found=error.found,
            expected=error.expected,
        ) from error
    if method.url != f"{key.did_key}#{key.multibase}":
        raise CredentialRefused(
            "The did:key has no verification method of this name.",
            step="verification_method",
            found=method.url[:200],
            expected=f"{key.did_key}#{key.multibase}",
        )
    return key


def did_web_url(did: str) -> str:
    """Where the document of a did:web lies. Raises CredentialRefused (``did_resolution``) for an address that has no such form.

    Whether anything may be fetched from there is the egress's business.
    """
    host, *path = did.removeprefix("did:web:").split(":")
    if _HOST.fullmatch(host) and all(_SEGMENT.fullmatch(part) and part.strip(".") for part in path):
        return f"https://{host}/{'/'.join(path) or '.well-known'}/did.json"
    raise CredentialRefused(
        "The did:web names no address from which anything is fetched.",
        step="did_resolution",
        found=did[:200],
        expected="did:web: and a host name in small letters, without a port",
    )


def key_in_document(document: dict[str, Any], method: Method, purpose: str, now: datetime) -> PublicKey:
    """The key that a DID document gives to a method for a purpose, in force now.

    Raises CredentialRefused: ``did_document`` (it is of another DID), ``key_unknown``, ``key_purpose`` (the key is not there for
    this), ``key_revoked``, ``key_expired``, ``key_unusable``.
    """
    if document.get("id") != method.did:
        raise CredentialRefused(
            "The DID document is of another DID.",
            step="did_document",
            found=str(document.get("id"))[:200],
            expected=method.did,
        )
    entry = _entry_for(document, method, purpose)
    if entry.get("controller") != method.did:
        raise _unusable(f"controller {entry.get('controller')}", f"controller {method.did}")
    _check_in_force(entry, now)
    if entry.get("type") != "Multikey" or not isinstance(entry.get("publicKeyMultibase"), str):
        raise _unusable(f"type {entry.get('type')}", "a Multikey with publicKeyMultibase")
    try:
        return PublicKey.from_multibase(entry["publicKeyMultibase"])
    except MalformedKey as error:
        raise _unusable(f"{error.message}: {error.found}", error.expected or "an Ed25519 key") from error


def _entry_for(document: dict[str, Any], method: Method, purpose: str) -> dict[str, Any]:
    entries = [entry for entry in _list(document, "verificationMethod") if isinstance(entry, dict)]
    allowed = _list(document, purpose)
    embedded = [entry for entry in allowed if isinstance(entry, dict)]
    named = {_absolute(entry, method.did) for entry in allowed if isinstance(entry, str)}
    known = [entry for entry in (*entries, *embedded) if _absolute(entry.get("id"), method.did) == method.url]
    if len(known) != 1:
        raise CredentialRefused(
            "The DID document has no single key of this name.",
            step="key_unknown",
            found=f"{method.url[:200]}: {len(known)} keys",
            expected="one key",
        )
    if method.url not in named and known[0] not in embedded:
        raise CredentialRefused(
            f"The key is not there for this: the DID document does not list it under {purpose}.",
            step="key_purpose",
            found=method.url[:200],
            expected=f"a key listed under {purpose}",
        )
    return known[0]


def _check_in_force(entry: dict[str, Any], now: datetime) -> None:
    """Once a key is revoked or has expired, no proof of it is verified, whatever time the proof gives itself.

    Without a log that says when it was made, a proof could be backdated. A time that cannot be read counts as past.
    """
    for member in ("revoked", "expires"):
        if member in entry:
            try:
                check_time(entry[member], f"/{member}")
                over = moment_of(entry[member]) <= now
            except MalformedCredential:
                over = True
            if over:
                raise CredentialRefused(
                    "The key was revoked." if member == "revoked" else "The key has expired.",
                    step="key_revoked" if member == "revoked" else "key_expired",
                    found=f"{member} {str(entry[member])[:60]}",
                    expected="a key in force",
                )


def _list(document: dict[str, Any], member: str) -> list[Any]:
    value = document.get(member)
    return value if isinstance(value, list) else []


def _absolute(name: Any, did: str) -> Any:
    return f"{did}{name}" if isinstance(name, str) and name.startswith("#") else name


def _unusable(found: str, expected: str) -> CredentialRefused:
    return CredentialRefused(
        "The key in the DID document cannot be used.", step="key_unusable", found=found[:200], expected=expected
    )
