"""The only opener of files: keys, registers, standards, atomic writes.

Private keys live in a folder of mode 0700 in files of mode 0600 outside the repository; anything laxer is refused.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from certifier.crypto.keyring import Keyring, parse_keyring
from certifier.crypto.signing import SigningKey, is_encrypted
from certifier.errors import CertifierError, KeyFileExposed, NotFoundError, OperatorError, StandardError
from certifier.standard.folder import Folder, open_folder
from certifier.standard.index import INDEX_FILE, check_unchanged, is_index, parse_index
from certifier.standard.model import Standard

MAX_KEY_FILE = 64 * 1024
SCHEME_FILE = "scheme.toml"  # who stands behind the installation (service/scheme.py); it registers no key
STATEMENTS = "statements"  # the folder of the register that holds signed model statements and their entries


def load_keyring(folder: Path) -> Keyring:
    """Every ``*.toml`` of the register folder and its subfolders, and the signed statements. Raises OperatorError.

    The scheme's own file is no part of it.
    """
    _check_register(folder)
    paths = [path for path in sorted(folder.rglob("*.toml")) if path != folder / SCHEME_FILE]
    return parse_keyring(
        {str(path.relative_to(folder)): path.read_text("utf-8") for path in paths},
        {path.stem: path.read_bytes() for path in sorted((folder / STATEMENTS).glob("*.json"))},
    )


def _check_register(folder: Path) -> None:
    if not folder.is_dir():
        raise OperatorError(f"There is no register of keys at {folder}.", hint="Make one with: certifier init")


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder, modes too, to a place where there is none; what is just being written is left out. Raises OSError."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.tmp"))


def remove_file(path: Path) -> None:
    """Take a file away for good; it may be gone already."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def remove_folder(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)


def copy_file(source: Path, target: Path) -> None:
    """Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def load_bytes(path: Path) -> bytes | None:
    """The content of a file; None where there is none."""
    return path.read_bytes() if path.is_file() else None


def load_text(path: Path) -> str | None:
    """The text of a small file without white space around it; None where there is none."""
    return path.read_text("utf-8").strip() if path.is_file() else None


def is_open_to_all(path: Path) -> bool:
    """Whether any user of the machine may read a file."""
    return bool(path.stat().st_mode & stat.S_IROTH)


def is_writable(folder: Path) -> bool:
    """Whether this process may put files into a folder."""
    return os.access(folder, os.W_OK | os.X_OK)


def list_files(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder whose names fit, in order."""
    return sorted(folder.glob(pattern))


def load_standard(folder: Path) -> Standard:
    """The standard in a folder such as ``standards/lcal/1.0.0``.

    Raises NotFoundError, or StandardError: also when the index beside it lists it as published and a file differs.
    """
    return load_standard_folder(folder).standard


def load_standard_folder(folder: Path, *, frozen: bool = True) -> Folder:
    """As ``load_standard``, with the files. With ``frozen=False`` no index is asked whether it was changed."""
    loaded = open_folder(load_standard_files(folder))
    if frozen:
        _check_frozen(folder, loaded)
    return loaded


def load_standard_files(folder: Path) -> dict[str, bytes]:
    """Every file of a standard's folder by its path in it. Raises NotFoundError."""
    if not (folder / "standard.toml").is_file():
        raise NotFoundError(
            f"There is no standard at {folder}.",
            expected="a folder with standard.toml",
            hint="Try standards/lcal/1.0.0",
        )
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def index_beside(folder: Path) -> Path:
    """Where the index of published standards lies: standards/index.json for standards/lcal/1.0.0."""
    return folder.resolve().parent.parent / INDEX_FILE


def _check_frozen(folder: Path, loaded: Folder) -> None:
    path = index_beside(folder)
    raw = load_bytes(path)
    try:
        if raw is None or not is_index(raw):
            return
        place = folder.resolve().relative_to(path.parent).as_posix()
        for entry in parse_index(raw).entries:
            # A published folder that gives itself another id is changed too.
            if loaded.standard.id == entry.id or place == entry.folder:
                check_unchanged(entry, loaded.files)
    except CertifierError as error:
        raise StandardError(error.message, file=path.name, hint=error.hint) from error


def save_standard_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a new folder of a standard, whole or not at all. Raises OperatorError if there is something already."""
    if folder.exists():
        raise OperatorError(f"There is something at {folder} already.", hint="Choose a folder that does not exist yet.")
    temporary = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}.tmp")
    try:
        for path, raw in files.items():
            save_bytes(temporary / path, raw)
        temporary.rename(folder)
    except OSError as error:
        remove_folder(temporary)
        raise OperatorError(f"The folder {folder} cannot be written.", found=str(error)) from error


def load_signing_key(path: Path, passphrase: bytes | None = None, *, passphrase_file: Path | None = None) -> SigningKey:
    """The private key in a PEM file. Raises KeyFileExposed when others could read it, OperatorError otherwise.

    An encrypted one is opened with ``passphrase``, else with the one of ``passphrase_file``, else with the one that
    LCAL_KEY_PASSPHRASE_FILE or LCAL_KEY_PASSPHRASE tells.
    """
    if not path.is_file():
        raise OperatorError(f"There is no key file at {path}.", hint="Make one with: certifier keys new FILE")
    _check_outside_project(path)
    _check_closed(path.parent, "folder", 0o700, f"chmod 0700 {path.parent}, or move the key: {_KEY_FOLDER}")
    pem = _read_closed(path, "private key's file")
    if passphrase is None and is_encrypted(pem):
        passphrase = _passphrase_at_hand(path, passphrase_file)
    return SigningKey.from_pem(pem, passphrase)


PASSPHRASE_FILE, PASSPHRASE = "LCAL_KEY_PASSPHRASE_FILE", "LCAL_KEY_PASSPHRASE"


def _passphrase_at_hand(path: Path, file: Path | None) -> bytes:
    named = file or (Path(os.environ[PASSPHRASE_FILE]) if os.environ.get(PASSPHRASE_FILE) else None)
    if named:
        return load_passphrase(named)
    if passphrase := os.environ.get(PASSPHRASE):
        return passphrase.encode()
    raise OperatorError(
        f"The private key {path} is encrypted; its passphrase is in no file {PASSPHRASE_FILE} and not in {PASSPHRASE}.",
        expected=f"{PASSPHRASE_FILE} as the name of the file with its passphrase, or the passphrase in {PASSPHRASE}",
    )


def load_passphrase(path: Path) -> bytes:
    """The passphrase in a file, without the line's end. Raises KeyFileExposed when others could read it, or OperatorError."""
    if not path.is_file():
        raise OperatorError(
            f"There is no passphrase file at {path}.", hint=f"Check --passphrase-file, {PASSPHRASE_FILE}."
        )
    passphrase = _read_closed(path, "passphrase's file").strip()
    if not passphrase:
        raise OperatorError(f"The passphrase file {path} is empty.", hint="Bring the right file back.")
    return passphrase


def make_passphrase(path: Path) -> bytes:
    """The passphrase in a file; a new random one of 256 bits, readable by its owner alone, where there is no file yet."""
    if not path.exists() and not path.is_symlink():
        _check_outside_project(path)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    return load_passphrase(path)


_KEY_FOLDER = "to a folder of its own that only you can open, such as ~/.lcal"
_PROJECT = Path(__file__).resolve().parents[2]
_IGNORED = _PROJECT / "var"  # no version control ever takes it in (.gitignore); the demo's home lies there


def _check_outside_project(place: Path) -> None:
    """Private halves never lie in the project's own tree: what lies there is one careless commit away from everybody."""
    resolved = place.resolve()
    if resolved.is_relative_to(_PROJECT) and not resolved.is_relative_to(_IGNORED):
        raise KeyFileExposed(
            f"A private key may not lie in the project's own tree: {place}.",
            expected="a place outside the repository; below it only var/, which version control leaves out",
            hint="Choose another place, such as --home /srv/label, or ~/.lcal for a key of your own.",
        )


def _read_closed(path: Path, what: str) -> bytes:
    """The content of a file that nobody but its owner, who reads it, can open. The file that is checked is the one read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if path.is_symlink():
            raise _exposed(path, what, "a symbolic link", "Name the file itself.") from error
        raise OperatorError(f"The {what} {path} cannot be read.", found=error.strerror) from error
    with os.fdopen(descriptor, "rb") as file:
        _check_state(os.fstat(descriptor), path, what, 0o600, f"chmod 0600 {path}")
        return file.read(MAX_KEY_FILE)


def _check_closed(place: Path, kind: str, allowed: int, hint: str) -> None:
    _check_state(place.lstat(), place, f"private key's {kind}", allowed, hint)


def _check_state(state: os.stat_result, place: Path, what: str, allowed: int, hint: str) -> None:
    mode = stat.S_IMODE(state.st_mode)
    if stat.S_ISLNK(state.st_mode):
        raise _exposed(place, what, "a symbolic link", "Name the place itself.", allowed)
    if mode & ~allowed:
        raise _exposed(place, what, f"mode {mode:04o}", hint, allowed)
    if state.st_uid != os.geteuid():
        hint = "Run this as the owner of the keys, or give them to the user who runs the service."
        raise _exposed(place, what, f"owner {state.st_uid}, and this runs as {os.geteuid()}", hint, allowed)


def _exposed(place: Path, what: str, found: str, hint: str, allowed: int = 0o600) -> KeyFileExposed:
    return KeyFileExposed(
        f"The {what} {place} is open to others.",
        found=found,
        expected=f"mode {allowed:04o}, your own, and no symbolic link",
        hint=hint,
    )


def save_signing_key(path: Path, key: SigningKey, passphrase: bytes | None = None) -> None:
    """Write a private key where nobody else can read it; never over an existing one.

    Raises KeyFileExposed for a folder out of which it could not be loaded again.
    """
    _check_outside_project(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _check_closed(path.parent, "folder", 0o700, f"Write it {_KEY_FOLDER}.")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(key.to_pem(passphrase))
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # unlike a rename, never over another file
    except FileExistsError as error:
        raise OperatorError(
            f"There is a key at {path} already.", hint="Choose another name; keys are never overwritten."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    sync_folder(path.parent.parent)


def save_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: to a temporary name, synced, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def save_durably(path: Path, content: bytes) -> None:
    """As ``save_bytes``, and its name survives a power cut too: the folders that lead to it are synced."""
    fresh = [folder for folder in path.parents if not folder.exists()]
    save_bytes(path, content)
    for folder in (path.parent, *(made.parent for made in fresh)):
        sync_folder(folder)


@contextmanager
def growing_text(path: Path) -> Iterator[TextIO]:
    """A text file that is written bit by bit, and has its name only when it is whole; an error leaves nothing behind."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def held_alone(folder: Path) -> Iterator[None]:
    """Hold the register's folder against everybody else who asks to hold it; they wait. Raises OperatorError."""
    _check_register(folder)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def folder_stamp(path: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Changes when a file, or any file of a folder, changes; empty where there is nothing."""
    files = [path] if path.is_file() else sorted(found for found in path.rglob("*") if found.is_file())
    states = [(str(file), file.stat()) for file in files]
    return tuple((name, state.st_mtime_ns, state.st_size, state.st_ino) for name, state in states)


def sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Make a folder survive a power cut, with its name and all that is in it."""
    for path in (folder.parent, folder, *folder.rglob("*")):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def free_bytes(path: Path) -> int:
    """The space that is left on the disk of a folder."""
    return shutil.disk_usage(path).free
