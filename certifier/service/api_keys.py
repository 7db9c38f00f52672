"""API keys: what a platform or an operator shows to be let in. The secret is told once and kept as its digest only.

A key belongs to a *holder*, a plain name; several keys of one holder stand for the same one, so that the next key can be in
use before the last one is revoked. It has scopes, perhaps a last day, perhaps networks that it is good from.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from certifier.certificate.times import parse_time, time_text
from certifier.crypto.canonical import sha256_hex
from certifier.errors import (
    ForeignInputError,
    KeyExpired,
    KeyInvalid,
    NetworkNotAllowed,
    NotFoundError,
    OperatorError,
    StorageError,
)
from certifier.settings import Address, Settings
from certifier.storage.api_keys import ApiKeyStore
from certifier.storage.database import Database
from certifier.storage.files import load_keyring
from certifier.storage.rows import ApiKeyRow

# scope -> what it allows
SCOPES = {
    "verify:bulk": "verify many certificates in one request",
    "webhooks:manage": "register addresses that events are sent to",
    "ops:revoke": "revoke, suspend and reinstate certificates",
    "ops:approve": "approve measuring tools, verifiers and statements",
    "keys:manage": "list and revoke the keys of the same holder",
}
FORM = "lcal_live_ID_SECRET, or lcal_test_ID_SECRET for an installation that is not in production"
MOST_HOLDER = 100
MOST_NETWORKS = 50
_KEY = re.compile(r"lcal_(live|test)_([0-9a-f]{16})_([0-9a-f]{64})", re.ASCII)
_LIKE_A_KEY = re.compile(r"(lcal_(?:live|test)_)[0-9A-Za-z_]*", re.ASCII | re.IGNORECASE)
_NOBODY = "0" * 64
_LONGEST = timedelta(days=365 * 20)


@dataclass(frozen=True)
class NewKey:
    """A key that was made just now; ``text`` is what its holder sends, and nobody can tell it again."""

    row: ApiKeyRow
    text: str

    def __repr__(self) -> str:
        return f"NewKey({self.row.id})"


class ApiKeys:
    """The keys of one installation. Thread-safe; all it knows is in the store."""

    def __init__(self, settings: Settings, store: ApiKeyStore) -> None:
        self._kind = "live" if settings.environment == "production" else "test"
        self._environment = settings.environment
        self._store = store

    def make(
        self,
        holder: str,
        scopes: Sequence[str],
        now: datetime,
        *,
        expires: datetime | None = None,
        networks: Sequence[str] = (),
    ) -> NewKey:
        """A new key, in force from now on. Raises ForeignInputError for what cannot be one."""
        _check_holder(holder)
        if not scopes:
            raise ForeignInputError("A key needs a scope.", expected=", ".join(SCOPES))
        if unknown := sorted(set(scopes) - SCOPES.keys()):
            raise ForeignInputError("There is no such scope.", found=unknown[0][:40], expected=", ".join(SCOPES))
        if expires and not now < expires <= now + _LONGEST:
            raise ForeignInputError("A key ends in the future.", found=time_text(expires), expected="within 20 years")
        if len(networks) > MOST_NETWORKS:
            raise ForeignInputError("Too many networks.", found=str(len(networks)), expected=f"at most {MOST_NETWORKS}")
        key_id, secret = secrets.token_hex(8), secrets.token_hex(32)
        row = ApiKeyRow(
            id=key_id,
            holder=holder,
            secret_sha256=sha256_hex(secret.encode()),
            scopes=" ".join(scope for scope in SCOPES if scope in scopes),
            networks=" ".join(map(_network, networks)),
            created_at=time_text(now),
            expires_at=time_text(expires) if expires else None,
        )
        self._store.add(row)
        return NewKey(row, f"lcal_{self._kind}_{key_id}_{secret}")

    def listed(self, holder: str | None = None) -> list[ApiKeyRow]:
        """Every key of a holder, or of all, also those that are over; the oldest first."""
        return self._store.of(holder)

    def revoke(self, key_id: str, now: datetime, holder: str | None = None) -> ApiKeyRow:
        """End a key at once, everywhere; one that was revoked before stays as it is.

        With a ``holder`` only a key of theirs is known. Raises NotFoundError.
        """
        row = self._store.one(key_id)
        if row is None or holder not in {None, row.holder}:
            raise NotFoundError("There is no such key.", found=key_id[:20], hint="The list of keys names their ids.")
        self._store.revoke(key_id, time_text(now))
        return self._store.one(key_id) or row

    def check_in_force(self, key_id: str, now: datetime) -> None:
        """Whether a key that was let in still is: asked again in a long answer. Raises KeyInvalid, KeyExpired, StorageError."""
        row = self._store.one(key_id)
        if row is None:
            raise KeyInvalid("Nobody here has this API key.", hint="Ask the operator for a new one.")
        _check_over(row, now)

    def find(self, text: str, address: Address | None, now: datetime) -> ApiKeyRow:
        """The key in force that this text is, used from this address (None where nobody can tell).

        The database is asked each time, so that a revocation counts at once on every replica. What is wrong with a key is
        told to whoever knows its secret alone. Raises KeyInvalid, KeyExpired, NetworkNotAllowed, StorageError.
        """
        parsed = _KEY.fullmatch(text)
        if parsed is None:
            raise KeyInvalid(
                "This is not an API key of this label.",
                found=f"{len(text)} characters of another form",
                expected=FORM,
                hint="Compare it with the key as it was shown once; nothing may be cut off.",
            )
        kind, key_id, secret = parsed.groups()
        if kind != self._kind:
            raise KeyInvalid(
                "The key is for another environment.",
                found=f"a key of the kind lcal_{kind}_",
                expected=f"lcal_{self._kind}_ in the environment {self._environment}",
                hint="Use the key that the operator of this installation gave you.",
            )
        row = self._store.one(key_id)
        fits = hmac.compare_digest(row.secret_sha256 if row else _NOBODY, sha256_hex(secret.encode()))
        if row is None or not fits:
            raise KeyInvalid("Nobody here has this API key.", hint="Ask the operator for a new one.")
        _check_over(row, now)
        _check_network(row, address)
        self._note_use(row, now)
        return row

    def _note_use(self, row: ApiKeyRow, now: datetime) -> None:
        """Once an hour. A database that cannot be written to keeps nobody out who may come in."""
        hour = time_text(now.replace(minute=0, second=0))
        if row.last_used_at is None or row.last_used_at < hour:
            with suppress(StorageError):
                self._store.note_use(row.id, hour)


@contextmanager
def open_api_keys(settings: Settings) -> Iterator[ApiKeys]:
    """The keys of an installation that is not open, for commands. Raises OperatorError where there is none."""
    if not settings.register_dir.is_dir():
        raise OperatorError(
            f"There is no installation in {settings.home}.",
            hint=f"Name its folder with --home, or make one with: certifier init --home {settings.home}",
        )
    load_keyring(settings.register_dir)
    database = Database(settings.database)
    try:
        yield ApiKeys(settings, ApiKeyStore(database))
    finally:
        database.close()


def key_document(row: ApiKeyRow) -> dict[str, Any]:
    """A key as it is shown; never with its secret."""
    return {
        "id": row.id,
        "holder": row.holder,
        "scopes": row.scopes.split(),
        "networks": row.networks.split(),
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
        "last_used_at": row.last_used_at,
    }


def without_keys(text: str) -> str:
    """A text of others, such as an address, for logs and answers: what looks like a key is cut off behind its kind."""
    return _LIKE_A_KEY.sub(r"\1…", text)


def _check_holder(holder: str) -> None:
    is_plain = holder == holder.strip() and holder.isprintable() and "lcal_" not in holder
    if not (is_plain and 0 < len(holder) <= MOST_HOLDER):
        raise ForeignInputError(
            "The holder of a key is a plain name.", found=repr(holder)[:60], expected=f"1 to {MOST_HOLDER} characters"
        )


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise ForeignInputError(
            "This is no network.", found=text[:60], expected="192.0.2.0/24, 2001:db8::/32, or one address"
        ) from error


def _check_over(row: ApiKeyRow, now: datetime) -> None:
    if row.revoked_at is not None:
        raise KeyInvalid(
            "The API key was revoked.",
            found=f"{row.id}, revoked {row.revoked_at}",
            hint="Use the holder's next key.",
        )
    if row.expires_at is not None and parse_time(row.expires_at) <= now:
        raise KeyExpired(
            "The API key is out of date.",
            found=f"{row.id}, expired {row.expires_at}",
            hint="Ask the operator for the next one.",
        )


def _check_network(row: ApiKeyRow, address: Address | None) -> None:
    networks = [ip_network(text) for text in row.networks.split()]
    if networks and (address is None or not any(address in network for network in networks)):
        raise NetworkNotAllowed(
            "The API key is not good from this network.",
            found=str(address or "an address that nobody can tell"),
            expected=" or ".join(row.networks.split()),
            hint="Call from there, or ask the operator for a key that is good from here.",
        )
