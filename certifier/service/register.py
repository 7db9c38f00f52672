"""The register of keys and the private halves at hand, as a running installation has them: read anew when they change.

A change of the register has two halves, an entry of the public log and a file of the register. What is to be done is kept
beside them first, so that a crash between the two is finished at the next start, whichever of them is missing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock
from time import monotonic
from typing import Any

import structlog

from certifier.certificate.times import parse_time
from certifier.crypto.keyring import OWN_ROLES, Keyring, RegisteredKey, Role
from certifier.crypto.signing import Signer
from certifier.errors import CertifierError, OperatorError, ReadOnlyError
from certifier.log.entry import parse_entry
from certifier.service.logbook import KEY_HINT, Logbook, Problem
from certifier.service.scheme import Scheme, load_scheme
from certifier.settings import Settings
from certifier.storage.files import folder_stamp, held_alone, load_keyring, load_text, remove_file, save_durably
from certifier.storage.rows import NewEntry
from certifier.storage.signers import OpenedSigners, PlacedSigner, open_signers
from certifier.storage.store import Store

LOOK_EVERY_S = 1.0
# A running service may sign with a key until it has seen the change: the log publishes, then it looks at the register. The
# last moment of a retired key lies behind all that.
TAKEN_UP = timedelta(seconds=10)
CERTIFYING_ROLES: tuple[Role, ...] = ("issuer", "status")  # whose keys the DID document lists
log = structlog.get_logger(__name__)


@dataclass(frozen=True, eq=False)
class Keys:
    """Register and signers, as they were read together. ``signers`` by verification method: those that may sign anything.

    ``scheme`` is what the file beside the register says of who stands behind it.
    """

    keyring: Keyring
    opened: OpenedSigners
    signers: Mapping[str, Signer]
    scheme: Scheme

    def placed(self, entry: RegisteredKey) -> PlacedSigner | None:
        """The private half of a registered key, where it is here."""
        return self.opened.by_key.get(entry.public.raw)

    @property
    def problems(self) -> list[Problem]:
        """What cannot be read of the private halves; then nothing may be written."""
        return [Problem("wrong-key", fault, KEY_HINT) for fault in self.opened.faults]

    def log_signers(self) -> dict[bytes, Signer]:
        """The private halves of log keys, by their public ones."""
        entries = [entry for entry in self.keyring.with_role("log") if not entry.compromise]
        return {entry.public.raw: placed.signer for entry in entries if (placed := self.placed(entry))}


def verification_method(settings: Settings, entry: RegisteredKey) -> str:
    """The name of a key in certificates and in the log; a log's key is known by the log's origin."""
    return entry.id if entry.role == "log" else f"{settings.did}#{entry.id}"


def load_keys(settings: Settings, devices: dict[str, Signer] | None = None) -> Keys:
    """Raises OperatorError for a register that cannot be read, KeyFileExposed for a key that others could read."""
    keyring = load_keyring(settings.register_dir)
    opened = open_signers(settings.private_dir, settings.signers_file, settings.key_passphrase_file, devices)
    # A stolen key signs nothing again, whatever it is asked for.
    entries = [entry for role in CERTIFYING_ROLES for entry in keyring.with_role(role) if not entry.compromise]
    here = ((entry, opened.by_key.get(entry.public.raw)) for entry in entries)
    signers = {verification_method(settings, entry): at.signer for entry, at in here if at}
    return Keys(keyring, opened, signers, load_scheme(settings))


class LiveKeys:
    """The keys as they are now: looked at again each second. Thread-safe.

    A register that cannot be read, or that lost a key of the installation, changes nothing: the old one goes on, and
    ``fault`` says why. But a key that it calls stolen signs nothing more, whatever else is wrong.
    """

    def __init__(self, settings: Settings) -> None:
        self.fault = ""
        self._settings = settings
        self._devices: dict[str, Signer] = {}
        self._lock = Lock()
        self._looked_at = monotonic()
        self._stamp = self._stamp_now()  # before the keys: what changes while they are read is seen
        self._keys = load_keys(settings, self._devices)

    @property
    def now(self) -> Keys:
        if monotonic() - self._looked_at > LOOK_EVERY_S and self._lock.acquire(blocking=False):
            try:
                self.look()
            finally:
                self._lock.release()
        return self._keys

    def look(self) -> None:
        """Read the register and the private keys again, if a file of theirs has changed."""
        self._looked_at = monotonic()
        try:
            stamp = self._stamp_now()
            if stamp == self._stamp:
                return
            self._stamp = stamp  # once for each change: a device must not be asked again and again with a wrong PIN
            keys = load_keys(self._settings, self._devices)
            self._refuse_lost(keys)
        except (CertifierError, OSError) as error:
            found = error.found if isinstance(error, CertifierError) else None
            fault = " ".join(filter(None, (str(error), found)))
            if fault != self.fault:
                log.warning("the register cannot be taken up", told=fault)
            self.fault = fault
            self._drop_stolen()
            return
        self._keys, self.fault = keys, ""
        log.info("took up the changed register", keys=len(keys.keyring.keys))

    def _drop_stolen(self) -> None:
        """Take the keys that the register calls stolen from those that sign, where it can be read at all."""
        try:
            keyring = load_keyring(self._settings.register_dir)
        except (CertifierError, OSError):
            return
        stolen = {verification_method(self._settings, entry) for entry in keyring.keys if entry.compromise}
        if stolen & self._keys.signers.keys():
            left = {method: signer for method, signer in self._keys.signers.items() if method not in stolen}
            self._keys = replace(self._keys, signers=left)

    def _stamp_now(self) -> Any:
        settings = self._settings
        return tuple(map(folder_stamp, (settings.register_dir, settings.private_dir, settings.signers_file)))

    def _refuse_lost(self, keys: Keys) -> None:
        if keys.opened.faults:
            raise OperatorError("A private key cannot be read.", found="; ".join(keys.opened.faults))
        for entry in self._keys.keyring.keys:
            if entry.role in OWN_ROLES and not _goes_on(entry, keys.keyring.named(entry.id)):
                raise OperatorError(f"The register lost what it said of the key {entry.id}.", hint=_FOR_EVER)


def _goes_on(before: RegisteredKey, after: RegisteredKey | None) -> bool:
    """Whether an entry says all that it said before; it may have got an end since."""
    return (
        after is not None
        and (after.key, after.role, after.valid_from) == (before.key, before.role, before.valid_from)
        and (after.valid_until == before.valid_until or bool(after.retired_at or after.compromise))
        and (before.compromise is None or after.compromise == before.compromise)
        and (before.retired_at is None or after.retired_at == before.retired_at)
    )


_FOR_EVER = "Bring its file back: an entry is never changed or deleted."


def refuse_forgetful(settings: Settings, store: Store, keyring: Keyring) -> None:
    """The log cannot forget what became of a key, and the register may not: it would make a stolen key good again.

    Raises OperatorError for what stands in the log alone, but for a change that a crash cut in two, which is finished later.
    """
    if load_text(settings.key_change_file) is not None:
        return
    known = {verification_method(settings, entry): entry for entry in keyring.keys}
    for origin, raw in store.key_entries():
        told = parse_entry(raw)
        if not _is_in_register(told, origin, known.get(told["kid"])):
            raise OperatorError(
                f"The log says something of the key {told['kid']} that the register does not.",
                found=f"{told['type']} of {told['at']} in the log alone",
                expected="the same in log and register",
                hint="Bring back its file, or write it again with what the log tells; see docs/keys.md.",
            )


def _is_in_register(told: dict[str, Any], origin: str | None, entry: RegisteredKey | None) -> bool:
    """Whether the register says what an entry of the log ``origin`` tells."""
    if entry is None:
        return False
    if told["type"] == "key-add":
        return bool(told["key"] == entry.public.multibase)
    if told["type"] == "key-retire":
        return entry.retired_at is not None and entry.retired_at - parse_time(told["at"]) <= TAKEN_UP
    stolen = entry.compromise
    if stolen is None or stolen.last_good_index != told.get("last_good_index", -1):
        return False
    return origin is None or stolen.log == told.get("last_good_log", origin)


@dataclass(frozen=True)
class KeyChange:
    """A change of the register: the entry that the log gets, and the file of the register with its text."""

    file: str
    text: str
    entry: bytes


def make_change(settings: Settings, store: Store, logbook: Logbook, change: KeyChange) -> None:
    """Write a change into the log, then into the register. Durable and public when this returns.

    For a caller who holds the register alone. What is raised leaves the change to the next start.
    """
    pending = {"file": change.file, "text": change.text, "entry": change.entry.decode()}
    save_durably(settings.key_change_file, json.dumps(pending, indent=2).encode() + b"\n")
    _carry_out(settings, store, logbook, change)


def finish_change(settings: Settings, store: Store, logbook: Logbook) -> KeyChange | None:
    """What a crash left of a change, done; None where there was none. Raises what ``make_change`` raises."""
    if load_text(settings.key_change_file) is None:
        return None
    with held_alone(settings.register_dir):
        text = load_text(settings.key_change_file)
        if text is None:  # a command was at it just now
            return None
        change = _parse_change(text)
        _carry_out(settings, store, logbook, change)
        return change


def _parse_change(text: str) -> KeyChange:
    try:
        kept = json.loads(text)
        change = KeyChange(str(kept["file"]), str(kept["text"]), str(kept["entry"]).encode())
        parse_entry(change.entry)
    except (ValueError, KeyError, TypeError, CertifierError) as error:
        raise OperatorError(
            "A change of the keys was begun and cannot be read.",
            found=str(error)[:100],
            hint="See with certifier log monitor whether the log holds it, and with certifier keys list; then remove the file.",
        ) from error
    return change


def _carry_out(settings: Settings, store: Store, logbook: Logbook, change: KeyChange) -> None:
    kind = str(parse_entry(change.entry)["type"])
    if store.place_of(kind, change.entry) is None:
        store.accept([NewEntry(kind, change.entry)])
    logbook.publish()
    origin, index = store.place_of(kind, change.entry) or (None, None)
    is_public = index is not None and (origin != logbook.origin or index < logbook.head.size)
    if not is_public:
        raise ReadOnlyError(
            "The log does not show the change of the keys yet.", hint="Start again, once the log goes on."
        )
    save_durably(settings.register_dir / change.file, change.text.encode())
    remove_file(settings.key_change_file)
