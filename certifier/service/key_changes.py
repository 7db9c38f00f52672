"""What an operator does with the installation's keys: add, retire, report as stolen; and how all of them stand.

Each change is an entry of the public log and an entry of the register, both for ever. Private halves come first: a key without
its entry harms nobody, an entry without its key would stop the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from certifier.certificate.times import parse_time, time_text
from certifier.crypto.keyring import OWN_ROLES, Compromise, RegisteredKey, Role
from certifier.crypto.keys import PublicKey
from certifier.crypto.signing import Signer, SigningKey
from certifier.errors import ConflictError, NotFoundError, OperatorError
from certifier.log.entry import log_entry, parse_entry
from certifier.service.certifier import NO_ISSUER_HERE, Certifier
from certifier.service.home import FOLDERS, key_entry, minute_of, open_certifier, own_key_id, slug_of
from certifier.service.register import (
    CERTIFYING_ROLES,
    TAKEN_UP,
    KeyChange,
    Keys,
    load_keys,
    make_change,
    verification_method,
)
from certifier.settings import Settings
from certifier.storage.files import held_alone, load_signing_key, load_text, save_durably, save_signing_key
from certifier.storage.signers import listed_uris, open_signer, place_of
from certifier.storage.store import Store


@dataclass(frozen=True)
class KeyView:
    """A registered key as it stands now. ``private`` is where its private half lies, None where it is not here.

    ``certificates`` counts those in force under it; None for a key that signs none.
    """

    entry: RegisteredKey
    state: str
    private: str | None
    certificates: int | None


@dataclass(frozen=True)
class KeysView:
    """All registered keys, private halves that nobody listed, and whether a change waits to be finished."""

    keys: tuple[KeyView, ...]
    strangers: tuple[tuple[str, PublicKey], ...]
    faults: tuple[str, ...]
    unfinished: bool


def keys_view(settings: Settings, now: datetime) -> KeysView:
    """How the keys stand, in the order of roles and age. Raises OperatorError."""
    keys = load_keys(settings)
    store = Store.open(settings.database)
    try:
        counts = store.count_in_force(time_text(now))
    finally:
        store.close()
    listed = {entry.public.raw for entry in keys.keyring.keys}
    unlisted = [placed for raw, placed in keys.opened.by_key.items() if raw not in listed]
    entries = sorted(keys.keyring.keys, key=lambda entry: (_rank(entry.role), entry.valid_from, entry.id))
    return KeysView(
        tuple(_view_of(settings, keys, entry, counts, now) for entry in entries),
        tuple((placed.place, placed.signer.public) for placed in unlisted),
        keys.opened.faults,
        load_text(settings.key_change_file) is not None,
    )


def _rank(role: Role) -> int:
    return OWN_ROLES.index(role) if role in OWN_ROLES else len(OWN_ROLES)


def _view_of(settings: Settings, keys: Keys, entry: RegisteredKey, counts: dict[str, int], now: datetime) -> KeyView:
    placed = keys.placed(entry)
    method = verification_method(settings, entry)
    certificates = counts.get(method, 0) if entry.role == "issuer" else None
    return KeyView(entry, entry.state(now), placed.place if placed else None, certificates)


@dataclass(frozen=True)
class Added:
    """A key that is in log and register now; ``forerunners`` are those of its role that are in force beside it."""

    entry: RegisteredKey
    private: str
    log_index: int
    forerunners: tuple[str, ...]


def add_key(
    settings: Settings,
    role: Role,
    now: datetime,
    *,
    begins: datetime | None = None,
    passphrase: bytes | None = None,
    uri: str | None = None,
) -> Added:
    """Make a key of the installation, in force from ``begins`` on; or take up the one behind a signer's URI.

    It is encrypted where there is a passphrase. Raises ReadOnlyError when the log may not be written, ConflictError for a key
    that is registered already.
    """
    begins = minute_of(begins or now)
    with _at_work(settings, now) as (certifier, keys):
        forerunners = [entry.id for entry in keys.keyring.with_role(role) if entry.state(now) == "in_force"]
        key_id = own_key_id(role, settings, begins, [entry.id for entry in keys.keyring.keys])
        signer, place = _listed(settings, uri) if uri else _made(settings, keys, role, key_id, passphrase)
        if keys.keyring.entry_for(signer.public):
            raise ConflictError("The register lists this key already.", found=signer.public.did_key)
        file, text = key_entry(key_id, role, settings.issuer_name, signer.public, begins)
        method = f"{settings.did}#{key_id}" if role in CERTIFYING_ROLES else key_id
        entry = log_entry("key-add", time_text(now), kid=method, key=signer.public.multibase)
        if uri:
            _list_signer(settings, uri)
        index = _changed(certifier, KeyChange(file, text, entry))
        return Added(_entry(settings, key_id), place, index, tuple(forerunners))


def _made(settings: Settings, keys: Keys, role: Role, key_id: str, passphrase: bytes | None) -> tuple[Signer, str]:
    slug = slug_of(key_id)
    path = settings.private_dir / f"{slug if slug.startswith(role) else f'{role}-{slug}'}.pem"
    if path.is_file():  # what a crash left before it was registered
        left = load_signing_key(path, passphrase)
        if keys.keyring.entry_for(left.public) is None:
            return left, path.name
    key = SigningKey.generate()
    save_signing_key(path, key, passphrase)
    return key, path.name


def _listed(settings: Settings, uri: str) -> tuple[Signer, str]:
    return open_signer(uri, settings.home), place_of(uri)


def _list_signer(settings: Settings, uri: str) -> None:
    if uri not in listed_uris(settings.signers_file):
        before = load_text(settings.signers_file)
        save_durably(settings.signers_file, f"{before + chr(10) if before else ''}{uri}\n".encode())


def retire_key(settings: Settings, key_id: str, now: datetime) -> RegisteredKey:
    """Close a key for signing. What it signed stays good, and renditions of that may still be made with it.

    Raises ConflictError when nothing could be signed any more, or when the key was retired or stolen before.
    """
    with _at_work(settings, now) as (certifier, keys):
        entry = _own_entry(keys, key_id)
        if entry.retired_at or entry.compromise:
            raise ConflictError(f"The key {key_id} is {entry.state(now)} already.", found=time_text(entry.valid_until))
        if (
            entry.role == "issuer"
            and entry.state(now) == "in_force"
            and not _others_in_force(settings, keys, entry, now)
        ):
            raise ConflictError(
                f"The key {key_id} is the only one that could sign certificates.",
                expected="another issuer key in force whose private half is here",
                hint="Make it first: certifier keys rotate --role issuer --home HOME",
            )
        until = _whole_second(now) + TAKEN_UP
        text = f'[[retired]]\nid = "{key_id}"\nat = {time_text(until)}\n'
        leaf = log_entry("key-retire", time_text(now), kid=verification_method(settings, entry))
        _changed(certifier, KeyChange(_fact_file(entry, "retired"), text, leaf))
        return _entry(settings, key_id)


def _others_in_force(settings: Settings, keys: Keys, entry: RegisteredKey, now: datetime) -> bool:
    return any(
        other.id != entry.id and other.state(now) == "in_force" and verification_method(settings, other) in keys.signers
        for other in keys.keyring.with_role(entry.role)
    )


@dataclass(frozen=True)
class Bad:
    """A certificate that a theft makes invalid: where its entry stands, and whether it was revoked before."""

    code: str
    log: str
    log_index: int | None
    revoked: bool


@dataclass(frozen=True)
class Theft:
    """A stolen key that signs nothing again, and what is no longer good. ``can_issue``: another issuer key is in force."""

    entry: RegisteredKey
    compromise: Compromise
    private: str | None
    bad: tuple[Bad, ...]
    good: int
    can_issue: bool


def compromise_key(
    settings: Settings,
    key_id: str,
    now: datetime,
    *,
    last_good: int | None = None,
    origin: str | None = None,
    since: datetime | None = None,
) -> Theft:
    """Say in log and register that a key was stolen: after which entry of a log nothing under it is good.

    The place is ``last_good`` in the log ``origin`` (the current one), or the last entry before ``since``. Works while
    nothing can be issued. Raises ConflictError when it is known as stolen, OperatorError for a place that is not in the log.
    """
    with _at_work(settings, now, is_theft=True) as (certifier, keys):
        entry = _own_entry(keys, key_id)
        if entry.compromise:
            known = f"{entry.compromise.log}, last good index {entry.compromise.last_good_index}"
            raise ConflictError(f"The key {key_id} is known as stolen already.", found=known)
        place = (
            _place_before(certifier, since)
            if since
            else _checked_place(certifier, origin or certifier.logbook.origin, -1 if last_good is None else last_good)
        )
        log, index = place
        at = time_text(now)
        text = f'[[compromised]]\nid = "{key_id}"\nat = {at}\nlog = "{log}"\nlast_good_index = {index}\n'
        leaf = log_entry(
            "key-compromise",
            at,
            kid=verification_method(settings, entry),
            **({"last_good_index": index} if index >= 0 else {}),
            **({"last_good_log": log} if log != certifier.logbook.origin else {}),
        )
        placed = keys.placed(entry)
        _changed(certifier, KeyChange(_fact_file(entry, "compromised"), text, leaf))
        stolen = _entry(settings, key_id)
        bad, good = _bad_and_good(settings, certifier, stolen, place)
        can_issue = entry.role != "issuer" or _others_in_force(settings, keys, entry, now)
        fact = stolen.compromise or Compromise(id=key_id, at=now, log=log, last_good_index=index)
        return Theft(stolen, fact, placed.place if placed else None, tuple(bad), good, can_issue)


def _checked_place(certifier: Certifier, origin: str, index: int) -> tuple[str, int]:
    book = next((book for book in certifier.logbooks if book.origin == origin), None)
    if book is None:
        raise OperatorError(
            "There is no log of this origin.",
            found=origin,
            expected=", ".join(book.origin for book in certifier.logbooks),
        )
    if index >= book.head.size:
        raise OperatorError(
            f"The log {origin} has no entry of this index.",
            found=str(index),
            expected=f"-1 (none is good) to {book.head.size - 1}",
        )
    return origin, index


def _place_before(certifier: Certifier, since: datetime) -> tuple[str, int]:
    """The last entry of all logs before the first one that was made at ``since`` or later."""
    place = (certifier.logbooks[0].origin, -1)
    for book in certifier.logbooks:
        for index, raw in enumerate(book.entries_between(0, book.head.size)):
            if parse_time(parse_entry(raw)["at"]) >= since:
                return place
            place = (book.origin, index)
    return place


def _bad_and_good(
    settings: Settings, certifier: Certifier, entry: RegisteredKey, last_good: tuple[str, int]
) -> tuple[list[Bad], int]:
    """The certificates under a key that stand behind the last good place, in order; and how many stay good."""
    store = certifier.store
    order = {row.origin: row.number for row in store.logs()}
    rows = store.certificates_under(verification_method(settings, entry))
    places = {str(placed.code): placed for placed in store.issue_entries([row.code for row in rows])}
    limit = (order[last_good[0]], last_good[1])
    bad = []
    for row in rows:
        placed = places.get(row.code)
        if placed is None or (order[placed.origin], placed.index) > limit:
            log, index = (placed.origin, placed.index) if placed else ("", None)
            bad.append(Bad(row.code, log, index, revoked=not row.in_force))
    return bad, len(rows) - len(bad)


@contextmanager
def _at_work(settings: Settings, now: datetime, *, is_theft: bool = False) -> Iterator[tuple[Certifier, Keys]]:
    """The installation, opened and with what a crash left finished; and its register, held alone and read anew.

    A theft can be told while some other private half cannot be read; only the log's own is needed.
    """
    certifier = open_certifier(settings, now)
    try:
        unread = certifier.keys.now.problems if is_theft else ()
        certifier.check_log_writable(now, besides=(NO_ISSUER_HERE, *unread))
        with held_alone(settings.register_dir):
            if load_text(settings.key_change_file) is not None:
                raise OperatorError(
                    "Another change of the keys is not finished.",
                    found=str(settings.key_change_file),
                    hint="Start the service, or this command, once the log can be written again; it is finished then.",
                )
            yield certifier, load_keys(settings)
    finally:
        certifier.close()


def _changed(certifier: Certifier, change: KeyChange) -> int:
    """The log index of a change that is durable and public."""
    make_change(certifier.settings, certifier.store, certifier.logbook, change)
    _, index = certifier.store.place_of(str(parse_entry(change.entry)["type"]), change.entry) or ("", None)
    return -1 if index is None else index


def _own_entry(keys: Keys, key_id: str) -> RegisteredKey:
    entry = keys.keyring.named(key_id)
    own = [entry.id for entry in keys.keyring.keys if entry.role in CERTIFYING_ROLES]
    if entry is None:
        raise NotFoundError("The register lists no such key.", found=key_id[:100], expected=", ".join(own))
    if entry.role == "log":
        raise ConflictError(
            f"{key_id} is the key of a log, and a log keeps its key.",
            hint="Close the log and begin the next one, with a new key: certifier log turn --home HOME",
        )
    if entry.role not in CERTIFYING_ROLES:
        raise ConflictError(
            f"{key_id} is the key of a party, not of this installation.",
            found=entry.role,
            hint="End it with a [[retired]] entry in a file of its own in the register; see keys/README.md.",
        )
    return entry


def _entry(settings: Settings, key_id: str) -> RegisteredKey:
    return next(entry for entry in load_keys(settings).keyring.keys if entry.id == key_id)


def _fact_file(entry: RegisteredKey, what: str) -> str:
    return f"{FOLDERS[entry.role]}/{slug_of(entry.id)}.{what}.toml"


def _whole_second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
