"""Make an installation's home, and open the installation that lives there."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count

import structlog

from certifier.certificate.times import time_text
from certifier.crypto.keyring import OWN_ROLES, Keyring, RegisteredKey
from certifier.crypto.keys import PublicKey
from certifier.crypto.signing import Signer, SigningKey
from certifier.errors import CertifierError, ConflictError, OperatorError
from certifier.log.entry import log_entry, parse_entry
from certifier.log.note import verifier_key_for
from certifier.log.policy import parse_policy
from certifier.service.certifier import NO_ISSUER_HERE, Certifier
from certifier.service.logbook import CLOCK_SKEW, KEY_HINT, Cosigners, Logbook, Problem
from certifier.service.register import Keys, LiveKeys, finish_change, load_keys, refuse_forgetful
from certifier.service.shelf import open_shelf
from certifier.service.witnesses import Witnesses
from certifier.settings import BASE_URL_FILE, POLICY_FILE, RESTORE_MARKER, Settings
from certifier.shipped import shipped
from certifier.storage.archive import StandardArchive
from certifier.storage.files import (
    copy_folder,
    load_keyring,
    load_text,
    save_bytes,
    save_durably,
    save_signing_key,
    sync_tree,
)
from certifier.storage.log_folder import LogFolder, folder_name
from certifier.storage.rows import LogRow, NewEntry
from certifier.storage.store import Store

KEY_LIFE = timedelta(days=365 * 5)
RESTORE_HINT = "Run certifier restore again with --mirror, without BACKUP."
log = structlog.get_logger(__name__)
OWN_KEYS = ("issuer", "log")
# role -> folder of the register; the others' lie in tools/
FOLDERS = {"issuer": "issuer", "status": "issuer", "log": "issuer", "verifier": "verifiers"}


def make_home(settings: Settings, now: datetime, passphrase: bytes | None = None) -> None:
    """Create the private keys, the public register and the database. Raises OperatorError when the home exists.

    The private keys are encrypted where there is a passphrase.
    """
    check_new_home(settings)
    try:
        for role in OWN_KEYS:
            key = SigningKey.generate()
            save_signing_key(settings.private_dir / f"{role}.pem", key, passphrase)
            if role == OWN_KEYS[0]:
                copy_folder(shipped("keys"), settings.register_dir)
            begins = minute_of(now)
            register_key(settings, own_key_id(role, settings, now), role, settings.issuer_name, key.public, begins)
        load_keyring(settings.register_dir)
        save_bytes(settings.home / BASE_URL_FILE, f"{settings.base_url}\n".encode())
    except OSError as error:
        raise OperatorError(
            f"The home {settings.home} cannot be made.", found=str(error), hint="Choose another --home."
        ) from error
    Store.open(settings.database).close()
    sync_tree(settings.home)


def check_new_home(settings: Settings) -> None:
    """Raises OperatorError where there is an installation already."""
    if settings.register_dir.exists():
        raise OperatorError(f"There is an installation in {settings.home} already.", hint="Choose another --home.")


def own_key_id(role: str, settings: Settings, now: datetime, taken: Collection[str] = ()) -> str:
    """The id of the installation's next key of a role: of this year, numbered where there is one already."""
    host = settings.base_url.split("://", 1)[1]
    first = {"issuer": f"key-{now.year}", "status": f"status-{now.year}"}.get(role, f"{host}/{now.year}")
    return next(key_id for n in count(1) if (key_id := first if n == 1 else f"{first}-{n}") not in taken)


def minute_of(moment: datetime) -> datetime:
    """When a new key begins: public views are dated to the minute, and it signs the first of them."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def register_key(
    settings: Settings, key_id: str, role: str, name: str, key: PublicKey, now: datetime, extra: str = ""
) -> None:
    """Add an entry to the installation's register, in a file of its own below the role's folder."""
    file, text = key_entry(key_id, role, name, key, now, extra)
    save_durably(settings.register_dir / file, text.encode())


def key_entry(
    key_id: str,
    role: str,
    name: str,
    key: PublicKey,
    begins: datetime,
    extra: str = "",
    *,
    life: timedelta = KEY_LIFE,
) -> tuple[str, str]:
    """The file of the register for a key, and its text."""
    slug = slug_of(key_id)
    text = (
        f'[[keys]]\nid = "{key_id}"\nowner = "{slug}"\nname = {json.dumps(name)}\nrole = "{role}"\nkey = "{key.did_key}"\n'
        f"from = {time_text(begins)}\nuntil = {time_text(begins + life)}\n{extra}"
    )
    return f"{FOLDERS.get(role, 'tools')}/{slug}.toml", text


def slug_of(key_id: str) -> str:
    """A key's id as it names files."""
    return key_id.replace("/", "-")


def open_certifier(
    settings: Settings,
    now: datetime | None = None,
    on_stop: Callable[[str], None] = lambda _: None,
    *,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> Certifier:
    """The installation at ``settings.home``, ready to work. Raises OperatorError that says what is wrong with it.

    What only forbids to write (a wrong log key, a database behind what was published, a clock that stands back…) raises
    nothing: it stands in ``problems``, and reading goes on. ``now`` is the clock's time; None leaves the clock alone.
    ``randomness`` is where codes and places are drawn from.
    """
    try:
        return _opened(settings, now, on_stop, randomness)
    except OSError as error:
        raise OperatorError(
            f"The home {settings.home} cannot be read.", found=str(error), hint="Check the disk and who may read it."
        ) from error


def _opened(
    settings: Settings,
    now: datetime | None,
    on_stop: Callable[[str], None],
    randomness: Callable[[int], bytes],
) -> Certifier:
    keys = LiveKeys(settings)
    shelf = open_shelf(settings.standards, settings.standards_dir, StandardArchive(settings.archive_dir))
    store = Store.open(settings.database)
    try:
        refuse_forgetful(settings, store, keys.now.keyring)
        logbooks = _open_logbooks(settings, store, keys.now, _cosigners(settings))
        problems = [*keys.now.problems, *_problems_of(settings, store, logbooks, now)]
        certifier = Certifier(
            settings, store, shelf, keys, logbooks, problems=problems, on_stop=on_stop, randomness=randomness
        )
    except BaseException:
        store.close()
        raise
    if set(certifier.problems) <= {NO_ISSUER_HERE}:
        _finish_change(certifier)
    return certifier


def _finish_change(certifier: Certifier) -> None:
    """A change of the keys that a crash cut in two; while it cannot be finished the next start tries again."""
    try:
        if finish_change(certifier.settings, certifier.store, certifier.logbook):
            certifier.keys.look()
    except CertifierError as error:
        log.warning("a change of the keys is not finished", told=error.message, found=error.found)


def open_logbooks(
    settings: Settings, store: Store, keyring: Keyring, cosigners: Cosigners | None = None, *, begin: bool = True
) -> list[Logbook]:
    """Every log of the installation, the oldest first; the last one is written to. Begins a new one where all are closed,
    unless told not to.
    """
    return _open_logbooks(settings, store, replace(load_keys(settings), keyring=keyring), cosigners, begin=begin)


def _open_logbooks(
    settings: Settings, store: Store, keys: Keys, cosigners: Cosigners | None, *, begin: bool = True
) -> list[Logbook]:
    rows, signers = store.logs(), keys.log_signers()
    if begin and all(row.frozen for row in rows):
        for entry in _fresh_logs(store, keys)[:1]:
            store.open_log(entry.id)
        rows = store.logs()  # a replica that started beside this one may have begun it in between
    if not rows:
        raise OperatorError(
            "There is no log key in the register whose private half is here.",
            found="; ".join(keys.opened.faults) or f"{len(signers)} private log keys in {settings.private_dir}",
            hint="Make a home with: certifier init" if not keys.opened.faults else KEY_HINT,
        )
    return [_logbook(settings, store, keys.keyring, row, signers, cosigners) for row in rows]


def _fresh_logs(store: Store, keys: Keys) -> list[RegisteredKey]:
    """The registered log keys that wait for the next log, their private halves at hand."""
    known, signers = {row.origin for row in store.logs()}, keys.log_signers()
    return [entry for entry in keys.keyring.with_role("log") if entry.id not in known and entry.public.raw in signers]


def _logbook(
    settings: Settings,
    store: Store,
    keyring: Keyring,
    row: LogRow,
    signers: Mapping[bytes, Signer],
    cosigners: Cosigners | None,
) -> Logbook:
    entry = keyring.named(row.origin)
    if entry is None:
        raise OperatorError(
            f"The register does not list the key of the log {row.origin}.", hint="Old keys stay listed."
        )
    key = verifier_key_for(row.origin, entry.public)
    folder = LogFolder(settings.log_dir / folder_name(row.origin))
    return Logbook(store, row.origin, key, folder, signers.get(entry.public.raw), cosigners)


@dataclass(frozen=True)
class Seen:
    """How an installation stands: its own keys in force, its log, and all that keeps it from writing."""

    in_force: tuple[str, ...]
    certificates: int
    log: str
    entries: int
    problems: tuple[Problem, ...]


def look_at_home(settings: Settings, now: datetime) -> Seen:
    """How the installation stands, by the same checks as a start makes. It begins nothing. Raises OperatorError."""
    keys = load_keys(settings)
    with closing(Store.open(settings.database)) as store:
        books = _open_logbooks(settings, store, keys, None, begin=False)
        problems = [*keys.problems, *_problems_of(settings, store, books, now)]
        problems += [problem for book in books for problem in book.problems]
        own = (entry.id for entry in keys.keyring.keys if entry.role in OWN_ROLES and entry.state(now) == "in_force")
        current = books[-1]
        return Seen(tuple(own), store.counts()["certificates"], current.origin, current.head.size, tuple(problems))


def _problems_of(
    settings: Settings, store: Store, logbooks: Sequence[Logbook], now: datetime | None
) -> Iterator[Problem]:
    """What the start-up check finds beyond the logs' own problems."""
    current = logbooks[-1]
    if load_text(settings.home / RESTORE_MARKER) is not None:
        yield Problem("restore-unfinished", "this home was not compared yet with what was published", RESTORE_HINT)
    if damage := store.damage():
        yield Problem("database-damaged", damage, "Restore a backup with: certifier restore")
    if not current.is_frozen and not current.can_sign:
        yield Problem("wrong-key", f"no private key in private/ is the registered one of {current.origin}", KEY_HINT)
    if current.is_frozen:
        yield Problem("log-closed", f"{current.origin} is closed and no next log was made", "Run: certifier log turn")
    if now and current.last_time and now < current.last_time - CLOCK_SKEW:
        found = f"it is {time_text(now)}; the log's last entry is from {time_text(current.last_time)}"
        yield Problem("clock-back", found, "Set the clock right, then start again.")


def _cosigners(settings: Settings) -> Cosigners | None:
    """The witnesses of ``witnesses.policy`` in the home; none where there is no such file."""
    text = load_text(settings.home / POLICY_FILE)
    return Witnesses(parse_policy(text + "\n")) if text is not None else None


def turn_log(settings: Settings, now: datetime, passphrase: bytes | None = None) -> tuple[str, str]:
    """Close the log with a ``freeze`` entry and begin the next one, under a new origin and key; returns both origins.

    A log key that was prepared is the next one's; else one is made, encrypted where there is a passphrase.
    """
    certifier = open_certifier(settings, now)
    try:
        is_closed = [problem.kind for problem in certifier.problems] == ["log-closed"]  # and its successor is missing
        if not is_closed:
            certifier.check_writable(now)
        old = certifier.logbook.origin
        prepared = _fresh_logs(certifier.store, certifier.keys.now)
        if prepared:
            new = prepared[0].id
        else:
            new = own_key_id("log", settings, now, [entry.id for entry in certifier.keyring.keys])
            key = SigningKey.generate()
            save_signing_key(settings.private_dir / f"log-{folder_name(new)}.pem", key, passphrase)
            register_key(settings, new, "log", settings.issuer_name, key.public, now)
        if not is_closed:
            certifier.store.accept([NewEntry("freeze", log_entry("freeze", time_text(now), reason="new_year"))])
            certifier.logbook.publish()
    finally:
        certifier.close()
    open_certifier(settings, now).close()  # begins and signs the new log
    return old, new


def log_standard(settings: Settings, standard_id: str, sha256: str, now: datetime) -> bool:
    """Write into the public log that a version of the standard is published; durable and public when this returns.

    False, and nothing written, when the log says so already. Raises ConflictError when it says so of other files.
    """
    certifier = open_certifier(settings, now)
    try:
        digest = f"sha256:{sha256}"
        logged = {entry["standard"]: entry["digest"] for entry in map(parse_entry, certifier.store.standard_entries())}
        if logged.get(standard_id, digest) != digest:
            raise ConflictError(
                f"The log says that {standard_id} was published with other files.",
                found=digest,
                expected=logged[standard_id],
                hint="Bring those files back, or publish a version of another number.",
            )
        if standard_id in logged:
            return False
        certifier.check_writable(now)
        entry = log_entry("standard-publish", time_text(now), standard=standard_id, digest=digest)
        certifier.store.accept([NewEntry("standard-publish", entry)])
        certifier.logbook.publish()
        return True
    finally:
        certifier.close()
