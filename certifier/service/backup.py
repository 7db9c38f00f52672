"""Back up a running installation, and bring one back without ever signing behind what was published.

A restored log goes on only after it was compared with a mirror of what was published: what the mirror has and the database
lost is taken over entry by entry, and has to lead to the published root. The bundles of a mirror alone rebuild a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from certifier.errors import CertifierError, OperatorError
from certifier.log.entry import parse_entry
from certifier.log.merkle import leaf_hash
from certifier.log.note import Checkpoint, open_checkpoint, verifier_key_for
from certifier.settings import BASE_URL_FILE, Settings
from certifier.storage.files import copy_file, copy_folder, load_keyring
from certifier.storage.log_folder import LogFolder, folder_name
from certifier.storage.store import Store

DATABASE = "service.sqlite"
FOLDERS = ("keys", "log")


@dataclass(frozen=True)
class Restored:
    """One log after a restore: how many entries it had, has, and the codes whose certificates only the log knows now."""

    origin: str
    before: int
    after: int
    lost: tuple[str, ...]


def make_backup(settings: Settings, target: Path, *, with_keys: bool, with_database: bool = True) -> None:
    """Copy the installation to a new folder while it runs: register, log, database; private keys only on request.

    The database is copied last, so that it is never behind the log's files beside it. Raises OperatorError.
    """
    if target.exists():
        raise OperatorError(f"There is something at {target} already.", hint="Name a folder that does not exist yet.")
    for name in FOLDERS:
        copy_folder(settings.home / name, target / name)
    copy_file(settings.home / BASE_URL_FILE, target / BASE_URL_FILE)
    if with_keys:
        copy_folder(settings.private_dir, target / "private")
    if with_database:
        store = Store.open(settings.database)
        try:
            store.backup(target / DATABASE)
        finally:
            store.close()


def copy_backup(backup: Path, settings: Settings) -> None:
    """Lay a backup out as a home. Raises OperatorError where the home has a database already."""
    if (settings.home / DATABASE).exists():
        raise OperatorError(
            f"There is a database in {settings.home} already.",
            hint="Restore into a new --home; nothing is overwritten.",
        )
    for name in (*FOLDERS, "private"):
        if (backup / name).is_dir() and not (settings.home / name).exists():
            copy_folder(backup / name, settings.home / name)
    for name in (BASE_URL_FILE, DATABASE):
        if (backup / name).is_file():
            copy_file(backup / name, settings.home / name)


def restore_logs(settings: Settings, mirrors: Sequence[Path]) -> list[Restored]:
    """Compare every log with the mirrors, and take over what they have and the database lost.

    Raises OperatorError when a mirror contradicts the database, or when what was published cannot be had any more: then
    this log must not go on.
    """
    store = Store.open(settings.database)
    try:
        known = [log.origin for log in store.logs()]
        registered = [entry.id for entry in load_keyring(settings.register_dir).with_role("log")]
        found = [
            _restored(settings, store, origin, mirrors, begun=origin in known)
            for origin in [*known, *(name for name in registered if name not in known)]
        ]
        return [restored for restored in found if restored]
    finally:
        store.close()


def _restored(
    settings: Settings, store: Store, origin: str, mirrors: Sequence[Path], *, begun: bool
) -> Restored | None:
    places = [_folder_in(place, origin) for place in (settings.log_dir, *mirrors)]
    seen = _published(settings, origin, places)
    if not begun:
        if not seen:
            return None
        store.open_log(origin)
    size = _size(store, origin)
    held = [placed.entry for placed in store.entries_between(origin, 0, size)]
    if not seen:
        return Restored(origin, size, size, ())
    newest = max(seen, key=lambda each: each.checkpoint.size)
    tree, published = newest.folder.load_tree(newest.checkpoint.size)
    whole = published if len(published) >= size else held
    for index, (ours, theirs) in enumerate(zip(held, published, strict=False)):
        if ours != theirs:
            raise _contradiction(f"{origin} entry {index}")
    for entry in whole[tree.size :]:
        tree.append(leaf_hash(entry))
    for each in seen:  # also of the same size: two histories may be equally long
        if tree.root(each.checkpoint.size) != each.checkpoint.root:
            raise _contradiction(f"{origin} at size {each.checkpoint.size}, as published in {each.folder.path}")
    if len(whole) > size:
        store.restore_entries(origin, [_row_of(entry) for entry in whole[size:]])
    own = LogFolder(settings.log_dir / folder_name(origin))
    own.save_growth(tree, lambda start, end: whole[start:end], 0, newest.checkpoint.size)
    own.save_checkpoint(newest.note)
    store.adopt_checkpoint(origin, newest.checkpoint.size, newest.note)
    return Restored(origin, size, len(whole), _lost_codes(store, whole))


def _contradiction(found: str) -> OperatorError:
    return OperatorError(
        "The database holds another entry than the one that was published.",
        found=found,
        hint="This database must not go on. Restore an older backup, or rebuild from the bundles alone.",
    )


@dataclass(frozen=True)
class _Seen:
    """A checkpoint that was published, and the folder that has it."""

    folder: LogFolder
    checkpoint: Checkpoint
    note: bytes


def _published(settings: Settings, origin: str, folders: Sequence[LogFolder]) -> list[_Seen]:
    """The checkpoints of this log that the folders hold, their signatures verified."""
    entry = load_keyring(settings.register_dir).named(origin)
    if entry is None:
        raise OperatorError(f"The register does not list the key of the log {origin}.", hint="Old keys stay listed.")
    found = list[_Seen]()
    for folder in folders:
        note = folder.checkpoint()
        if note is not None:
            try:
                found.append(_Seen(folder, open_checkpoint(note, [verifier_key_for(origin, entry.public)]), note))
            except CertifierError as error:
                raise OperatorError(
                    f"The checkpoint in {folder.path} is not one of {origin}.", found=error.found, hint=_ANOTHER
                ) from error
    return found


def _folder_in(place: Path, origin: str) -> LogFolder:
    """A mirror is a log's own folder, or one that holds each log below its name."""
    below = place / folder_name(origin)
    return LogFolder(below if below.is_dir() or not LogFolder(place).checkpoint() else place)


def _size(store: Store, origin: str) -> int:
    return next(log.size for log in store.logs() if log.origin == origin)


def _row_of(entry: bytes) -> tuple[str, str | None, bytes, str | None]:
    members = parse_entry(entry)
    report = members.get("report")
    return members["type"], members.get("code"), entry, report.removeprefix("sha256:") if report else None


def _lost_codes(store: Store, published: Sequence[bytes]) -> tuple[str, ...]:
    issued = [members["code"] for members in map(parse_entry, published) if members["type"] == "issue"]
    held = {row.code for row in store.certificates_of(issued)}
    return tuple(code for code in issued if code not in held)


_ANOTHER = "Name another mirror of the log."
