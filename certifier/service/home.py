"""Make an installation's home, and open the installation that lives there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from certifier.certificate.times import time_text
from certifier.crypto.keyring import Keyring
from certifier.crypto.keys import PublicKey
from certifier.crypto.signing import SigningKey
from certifier.errors import ConflictError, KeyFileExposed, OperatorError
from certifier.log.entry import log_entry, parse_entry
from certifier.log.note import verifier_key_for
from certifier.log.policy import parse_policy
from certifier.service.certifier import Certifier
from certifier.service.logbook import CLOCK_SKEW, KEY_HINT, Cosigners, Logbook, Problem
from certifier.service.shelf import open_shelf
from certifier.service.witnesses import Witnesses
from certifier.settings import BASE_URL_FILE, POLICY_FILE, PROJECT_ROOT, RESTORE_MARKER, Settings
from certifier.storage.archive import StandardArchive
from certifier.storage.files import (
    copy_folder,
    list_files,
    load_keyring,
    load_signing_key,
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
OWN_KEYS = ("issuer", "log")


def make_home(settings: Settings, now: datetime) -> None:
    """Create the private keys, the public register and the database. Raises OperatorError when the home exists."""
    if settings.register_dir.exists():
        raise OperatorError(f"There is an installation in {settings.home} already.", hint="Choose another --home.")
    try:
        copy_folder(PROJECT_ROOT / "keys", settings.register_dir)
        for role in OWN_KEYS:
            key = SigningKey.generate()
            save_signing_key(settings.private_dir / f"{role}.pem", key)
            register_key(settings, _own_key_id(role, settings, now), role, settings.issuer_name, key.public, now)
        load_keyring(settings.register_dir)
        save_bytes(settings.home / BASE_URL_FILE, f"{settings.base_url}\n".encode())
    except OSError as error:
        raise OperatorError(
            f"The home {settings.home} cannot be made.", found=str(error), hint="Choose another --home."
        ) from error
    Store.open(settings.database).close()
    sync_tree(settings.home)


def _own_key_id(role: str, settings: Settings, now: datetime) -> str:
    host = settings.base_url.split("://", 1)[1]
    return f"key-{now.year}" if role == "issuer" else f"{host}/{now.year}"


def register_key(
    settings: Settings, key_id: str, role: str, name: str, key: PublicKey, now: datetime, extra: str = ""
) -> None:
    """Add an entry to the installation's register, in a file of its own below the role's folder."""
    folder = {"issuer": "issuer", "log": "issuer", "verifier": "verifiers"}.get(role, "tools")
    slug = key_id.replace("/", "-")
    entry = (
        f'[[keys]]\nid = "{key_id}"\nowner = "{slug}"\nname = {json.dumps(name)}\nrole = "{role}"\nkey = "{key.did_key}"\n'
        f"from = {time_text(now)}\nuntil = {time_text(now + KEY_LIFE)}\n{extra}"
    )
    save_durably(settings.register_dir / folder / f"{slug}.toml", entry.encode())


def open_certifier(
    settings: Settings, now: datetime | None = None, on_stop: Callable[[str], None] = lambda _: None
) -> Certifier:
    """The installation at ``settings.home``, ready to work. Raises OperatorError that says what is wrong with it.

    What only forbids to write (a wrong log key, a database behind what was published, a clock that stands back…) raises
    nothing: it stands in ``problems``, and reading goes on. ``now`` is the clock's time; None leaves the clock alone.
    """
    try:
        return _opened(settings, now, on_stop)
    except OSError as error:
        raise OperatorError(
            f"The home {settings.home} cannot be read.", found=str(error), hint="Check the disk and who may read it."
        ) from error


def _opened(settings: Settings, now: datetime | None, on_stop: Callable[[str], None]) -> Certifier:
    keyring = load_keyring(settings.register_dir)
    issuers, torn = _private_keys(settings, "issuer*.pem")
    shelf = open_shelf(settings.standards, settings.standards_dir, StandardArchive(settings.archive_dir))
    store = Store.open(settings.database)
    try:
        logbooks = open_logbooks(settings, store, keyring, _cosigners(settings))
        torn += _private_keys(settings, "log*.pem")[1]
        problems = [*torn, *_problems_of(settings, store, logbooks, now)]
        return Certifier(settings, store, shelf, keyring, issuers, logbooks, problems=problems, on_stop=on_stop)
    except BaseException:
        store.close()
        raise


def open_logbooks(
    settings: Settings, store: Store, keyring: Keyring, cosigners: Cosigners | None = None, *, begin: bool = True
) -> list[Logbook]:
    """Every log of the installation, the oldest first; the last one is written to. Begins a new one where all are closed,
    unless told not to.
    """
    rows, signers = store.logs(), _log_signers(settings)
    if begin and all(row.frozen for row in rows):
        known = {row.origin for row in rows}
        fresh = [entry for entry in keyring.with_role("log") if entry.id not in known and entry.public.raw in signers]
        rows += [store.open_log(entry.id) for entry in fresh[:1]]
    if not rows:
        raise OperatorError(
            "There is no log key in the register whose private half is here.",
            found=f"{len(signers)} private log keys in {settings.private_dir}",
            hint="Make a home with: certifier init",
        )
    return [_logbook(settings, store, keyring, row, signers, cosigners) for row in rows]


def _logbook(
    settings: Settings,
    store: Store,
    keyring: Keyring,
    row: LogRow,
    signers: Mapping[bytes, SigningKey],
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


def _log_signers(settings: Settings) -> dict[bytes, SigningKey]:
    """The private log keys at hand, by their public halves."""
    keys, _ = _private_keys(settings, "log*.pem")
    return {key.public.raw: key for key in keys}


def _private_keys(settings: Settings, pattern: str) -> tuple[list[SigningKey], list[Problem]]:
    """The private keys whose files have such names, and what is wrong with those that cannot be read.

    Raises KeyFileExposed when others could read one.
    """
    keys, problems = list[SigningKey](), list[Problem]()
    for path in list_files(settings.private_dir, pattern):
        try:
            keys.append(load_signing_key(path))
        except KeyFileExposed:
            raise
        except OperatorError as error:
            problems.append(Problem("wrong-key", f"{path.name}: {error.message}", KEY_HINT))
    return keys, problems


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


def turn_log(settings: Settings, now: datetime) -> tuple[str, str]:
    """Close the log with a ``freeze`` entry and begin the next one, under a new origin and key; returns both origins."""
    certifier = open_certifier(settings, now)
    try:
        is_closed = [problem.kind for problem in certifier.problems] == ["log-closed"]  # and its successor is missing
        if not is_closed:
            certifier.check_writable(now)
        old = certifier.logbook.origin
        taken = {entry.id for entry in certifier.keyring.keys}
        origins = (_own_key_id("log", settings, now) + suffix for suffix in ("", *(f"-{n}" for n in range(2, 1000))))
        new = next(origin for origin in origins if origin not in taken)
        key = SigningKey.generate()
        save_signing_key(settings.private_dir / f"log-{folder_name(new)}.pem", key)
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
