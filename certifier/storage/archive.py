"""Every version of a standard that an installation ever judged by, kept whole: a decision can be reached again for ever.

A version is one file, ``<digest>.zip``, written once. What is read back has to have the digest that its name says.
"""

from __future__ import annotations

import io
import tomllib
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from certifier.errors import StorageError
from certifier.standard.model import HEAD, folder_digest
from certifier.storage.files import list_files, load_bytes, save_durably

# What damaged bytes make of an archive: no zip, a broken stream, another method, or one that calls itself encrypted.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)


class StandardArchive:
    """The folder of an installation that holds them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, digest: str, files: Mapping[str, bytes]) -> None:
        """Keep a version, given as bytes by path inside its folder; what is kept whole stays as it is. Raises OSError."""
        if not self._is_whole(digest):
            save_durably(self._path(digest), zip_of(files))

    def _is_whole(self, digest: str) -> bool:
        try:
            return self.files(digest) is not None
        except StorageError:
            return False

    def files(self, digest: str) -> dict[str, bytes] | None:
        """The files of a version by path; None where it is not kept. Raises StorageError when they are not those kept."""
        raw = load_bytes(self._path(digest))
        if raw is None:
            return None
        try:
            with zipfile.ZipFile(io.BytesIO(raw)) as bundle:
                files = {name: bundle.read(name) for name in bundle.namelist()}
        except _UNREADABLE as error:
            raise _damaged(digest) from error
        if folder_digest(files) != digest:
            raise _damaged(digest)
        return files

    def ids(self) -> dict[str, str]:
        """The ids of all kept versions by digest, those that cannot be read left out."""
        found = {}
        for path in list_files(self._folder, "*.zip"):
            try:
                with zipfile.ZipFile(path) as bundle:
                    found[path.stem] = str(tomllib.loads(bundle.read(HEAD).decode())["id"])
            except (*_UNREADABLE, KeyError):
                continue  # what is damaged is named when it is asked for
        return found

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.zip"


def zip_of(files: Mapping[str, bytes]) -> bytes:
    """One archive of the files, the same bytes each time."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bundle:
        for name in sorted(files):
            bundle.writestr(zipfile.ZipInfo(name), files[name], zipfile.ZIP_DEFLATED, 1)
    return target.getvalue()


def _damaged(digest: str) -> StorageError:
    return StorageError(
        "A kept version of the standard is not the one that it was.",
        found=f"standards/{digest}.zip",
        hint="Bring the file back from a backup.",
    )
