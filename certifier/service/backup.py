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
    places = [settings.log_dir, *mirrors]
    newest = _newest(settings, origin, [_folder_in(place, origin) for place in places])
    if newest is None:
        return None if not begun else Restored(origin, _size(store, origin), _size(store, origin), ())
    folder, checkpoint, note = newest
    if not begun:
        store.open_log(origin)
    size = _size(store, origin)
    tree, published = folder.load_tree(checkpoint.size)
    if tree.root() != checkpoint.root:
        raise OperatorError(f"The bundles in {folder.path} do not lead to their own checkpoint.", hint=_ANOTHER)
    held = [placed.entry for placed in store.entries_between(origin, 0, min(size, checkpoint.size))]
    if held != published[: len(held)]:
        index = next(index for index, (ours, theirs) in enumerate(zip(held, published, strict=False)) if ours != theirs)
        raise OperatorError(
            "The database holds another entry than the one that was published.",
            found=f"{origin} entry {index}",
            hint="This database must not go on. Restore an older backup, or rebuild from the bundles alone.",
        )
    if checkpoint.size > size:
        store.restore_entries(origin, [_row_of(entry) for entry in published[size:]])
    own = LogFolder(settings.log_dir / folder_name(origin))
    own.save_growth(tree, lambda start, end: published[start:end], 0, checkpoint.size)
    own.save_checkpoint(note)
    store.adopt_checkpoint(origin, checkpoint.size, note)
    return Restored(origin, size, max(size, checkpoint.size), _lost_codes(store, published))


def _newest(
    settings: Settings, origin: str, folders: Sequence[LogFolder]
) -> tuple[LogFolder, Checkpoint, bytes] | None:
    """The largest checkpoint of this log that any of the folders holds, with its signature verified."""
    entry = load_keyring(settings.register_dir).named(origin)
    if entry is None:
        raise OperatorError(f"The register does not list the key of the log {origin}.", hint="Old keys stay listed.")
    found = list[tuple[LogFolder, Checkpoint, bytes]]()
    for folder in folders:
        note = folder.checkpoint()
        if note is not None:
            try:
                found.append((folder, open_checkpoint(note, [verifier_key_for(origin, entry.public)]), note))
            except CertifierError as error:
                raise OperatorError(
                    f"The checkpoint in {folder.path} is not one of {origin}.", found=error.found, hint=_ANOTHER
                ) from error
    return max(found, key=lambda each: each[1].size, default=None)


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
