"""Approve a measuring tool, a verifier, or a statement: into the public log, and into the register.

As with the installation's own keys (register.py), the log comes first and the register follows; what a crash leaves between the
two the next start, or the next approval, finishes. The log holds the id, the digest of what was registered and why, no name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from certifier.certificate.times import time_text
from certifier.crypto.canonical import sha256_hex
from certifier.crypto.keyring import parse_keyring
from certifier.crypto.keys import PublicKey
from certifier.errors import ConflictError, ForeignInputError, OperatorError, ReadOnlyError
from certifier.log.entry import log_entry
from certifier.service.certifier import Certifier
from certifier.service.home import FOLDERS, minute_of
from certifier.service.register import KeyChange, finish_change, make_change
from certifier.service.statements import statement_entry
from certifier.storage.files import STATEMENTS, held_alone, is_writable, load_keyring, save_durably
from certifier.storage.rows import ActRow

# kind -> the role of its key in the register; a statement is signed by others' keys
KINDS: Mapping[str, str | None] = {"tool": "measuring_party", "verifier": "verifier", "statement": None}
REASONS = ("application", "renewal", "replacement")


@dataclass(frozen=True)
class Party:
    """A measuring tool's owner or a verifier, with a key, as the register will list it from now on for some days."""

    id: str
    owner: str
    name: str
    key: PublicKey
    days: int
    coverage: Sequence[str] = ()
    method: Sequence[str] = ()
    standards: Sequence[str] = ()
    conflicts: Sequence[str] = ()
    accreditation: str = ""


def approve_party(certifier: Certifier, kind: str, party: Party, reason: str, now: datetime, act: ActRow) -> None:
    """List a tool's or a verifier's key. Durable and public when this returns.

    Raises ConflictError for an id or a key that the register has, ReadOnlyError while log or register may not be written.
    """
    file, text = _entry_of(kind, party, now)
    with _writing(certifier, now):
        keyring = load_keyring(certifier.settings.register_dir)
        for taken, what in ((keyring.named(party.id), "id"), (keyring.entry_for(party.key), "key")):
            if taken is not None:
                raise ConflictError(
                    f"The register has this {what} already.",
                    found=f"{taken.id} ({taken.role})",
                    hint="An entry is never changed: list a new key under a new id.",
                )
        entry = log_entry(
            "approve",
            time_text(now),
            kind=kind,
            id=party.id,
            digest=f"sha256:{sha256_hex(text.encode())}",
            reason=reason,
        )
        _carry_out(certifier, KeyChange(file, text, entry), act)


def approve_statement(certifier: Certifier, envelope: bytes, reason: str, now: datetime, act: ActRow) -> None:
    """Register a signed statement of a model or service, once every condition is met. Durable and public when this returns.

    Raises ForeignInputError that names the first condition that is not met, ConflictError for an id or a model that is taken.
    """
    register = certifier.settings.register_dir
    with _writing(certifier, now):
        named, text = statement_entry(register, envelope, certifier.shelf.newest, now)
        entry = log_entry(
            "approve",
            time_text(now),
            kind="statement",
            id=named,
            digest=f"sha256:{sha256_hex(envelope)}",
            reason=reason,
        )
        # The file first: without its entry it is not registered, and an entry without its file would be an alarm.
        save_durably(register / STATEMENTS / f"{named}.json", envelope)
        _carry_out(certifier, KeyChange(f"{STATEMENTS}/{named}.toml", text, entry), act)


def check_party(certifier: Certifier, kind: str, party: Party, now: datetime) -> None:
    """Raises what ``approve_party`` would raise now of the party itself, with nothing written."""
    _entry_of(kind, party, now)
    certifier.check_log_writable(now)
    keyring = certifier.keyring
    if keyring.named(party.id) or keyring.entry_for(party.key):
        raise ConflictError("The register has this id or key already.", found=party.id)


def check_envelope(certifier: Certifier, envelope: bytes, now: datetime) -> None:
    """Raises what ``approve_statement`` would raise now, with nothing written."""
    certifier.check_log_writable(now)
    statement_entry(certifier.settings.register_dir, envelope, certifier.shelf.newest, now)


@contextmanager
def _writing(certifier: Certifier, now: datetime) -> Iterator[None]:
    """The register, held alone, with what a crash left of a change finished."""
    settings = certifier.settings
    certifier.check_log_writable(now)
    if not is_writable(settings.register_dir):
        raise ReadOnlyError(
            "The register cannot be written to by the service.",
            hint="Put the entry in by hand, or let the service write to the home's folder keys.",
        )
    finish_change(settings, certifier.store, certifier.logbook)
    with held_alone(settings.register_dir):
        yield
    certifier.keys.look()


def _carry_out(certifier: Certifier, change: KeyChange, act: ActRow) -> None:
    make_change(certifier.settings, certifier.store, certifier.logbook, change)
    origin, index = certifier.store.place_of("approve", change.entry) or (None, None)
    certifier.store.accept([replace(act, log_origin=origin, log_index=index)])


def _entry_of(kind: str, party: Party, now: datetime) -> tuple[str, str]:
    """The file of the register and its text, seen to be an entry. Raises ForeignInputError."""
    role = KINDS[kind]
    begins = minute_of(now)
    members: dict[str, object] = {"id": party.id, "owner": party.owner, "name": party.name, "role": role}
    members |= {"key": party.key.did_key}
    if kind == "verifier":
        members |= {"standards": party.standards, "conflicts": party.conflicts, "accreditation": party.accreditation}
    lines = ["[[keys]]", *(f"{name} = {_toml(value)}" for name, value in members.items() if value)]
    lines += [f"from = {time_text(begins)}", f"until = {time_text(begins + timedelta(days=party.days))}"]
    if kind == "tool":
        lines += ["", "[keys.capability]", f"coverage = {_toml(party.coverage)}", f"method = {_toml(party.method)}"]
    file, text = f"{FOLDERS.get(str(role), 'tools')}/{party.id}.toml", "\n".join(lines) + "\n"
    try:
        parse_keyring({file: text})
    except OperatorError as error:
        raise ForeignInputError("The register would not take this entry.", found=error.message[:200]) from error
    return file, text


def _toml(value: object) -> str:
    """A text or a list of texts; what is printable in JSON is the same in TOML."""
    return json.dumps(list(value) if isinstance(value, (list, tuple)) else value, ensure_ascii=False)
