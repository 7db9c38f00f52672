"""The versions of the standard that an installation judges by, and every one that it ever judged by (LCAL 13).

A report is judged by the version that it names while that one is open, else by the newest. A decision is reached again by
the very version, known by its digest, that it was made by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from certifier.certificate.trust import TrustedStandard
from certifier.errors import NotFoundError, OperatorError, StandardError, StorageError
from certifier.standard.diff import Comparison, compare
from certifier.standard.folder import open_folder
from certifier.standard.model import Standard, parse_standard
from certifier.storage.archive import StandardArchive
from certifier.storage.files import load_standard_folder

_ENTRY = re.compile(r"(?P<folder>[a-z0-9._-]+/[0-9A-Za-z._-]+)(?:@(?P<until>\d{4}-\d{2}-\d{2}))?", re.ASCII)
REMEMBERED = 8


@dataclass(frozen=True)
class Version:
    """A version that applications may be made under; ``until`` is the first moment at which it is closed."""

    standard: Standard
    until: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        return self.until is None or now < self.until


class Shelf:
    """The configured versions, the newest last, and the archive of all that were ever used. Thread-safe."""

    def __init__(self, versions: Sequence[Version], archive: StandardArchive) -> None:
        self.versions = tuple(versions)
        self._archive = archive
        self._configured = {version.standard.digest: version.standard for version in versions}
        self._kept_ids = archive.ids()
        self._kept = lru_cache(REMEMBERED)(self._from_archive)

    @property
    def newest(self) -> Standard:
        return self.versions[-1].standard

    def for_report(self, named: str, now: datetime) -> Standard:
        """The version that judges a report which names one: that one while it is open, else the newest."""
        open_now = [version.standard for version in self.versions if version.is_open(now)]
        return next((standard for standard in open_now if standard.id == named), self.newest)

    def named(self, standard_id: str) -> Standard | None:
        """The version with this id: the configured one, else one that was used before; None where there is none."""
        configured = [version.standard for version in self.versions if version.standard.id == standard_id]
        kept = (digest for digest, name in self._kept_ids.items() if name == standard_id)
        return next(iter(configured), None) or next((self._kept(digest) for digest in kept), None)

    def newer_than(self, digest: str, now: datetime) -> list[Standard]:
        """The open versions after the one with this digest; all open ones where that is none of the configured."""
        known = [version.standard.digest for version in self.versions]
        later = self.versions[known.index(digest) + 1 :] if digest in known else self.versions
        return [version.standard for version in later if version.is_open(now)]

    def with_digest(self, digest: str) -> Standard:
        """The version with this digest. Raises NotFoundError, also when what was kept is damaged or cannot be read any more."""
        found = self._configured.get(digest) or self._kept(digest)
        if found is None:
            raise NotFoundError(
                "The version of the standard behind this decision is not here.",
                found=f"sha256 {digest[:16]}…",
                expected=", ".join(f"{known[:16]}… ({name})" for known, name in self.ids().items()),
                hint="Bring the file standards/<digest>.zip back from a backup of this installation.",
            )
        return found

    def files(self, digest: str) -> Mapping[str, bytes] | None:
        """The files of a version by path inside its folder; None where none with this digest can be had."""
        try:
            return self._archive.files(digest)
        except StorageError:
            return None

    def compared(self, old: str, new: str) -> Comparison | None:
        """What is otherwise between two versions, by their digests; None where the files of one cannot be had."""
        before, after = self.files(old), self.files(new)
        return compare(open_folder(before), open_folder(after)) if before and after else None

    def ids(self) -> dict[str, str]:
        """The ids of all versions by digest: those that were ever used, and the configured ones."""
        return self._kept_ids | {digest: standard.id for digest, standard in self._configured.items()}

    def states(self, now: datetime) -> tuple[TrustedStandard, ...]:
        """Every version with its state for those who verify: open ones are current, all others superseded."""
        current = {version.standard.digest for version in self.versions if version.is_open(now)}
        return tuple(
            TrustedStandard(name, digest, "current" if digest in current else "superseded")
            for digest, name in sorted(self.ids().items(), key=lambda known: (known[0] not in current, known[1]))
        )

    def _from_archive(self, digest: str) -> Standard | None:
        """None also for files that this release cannot read: the decisions under them stay, with their own words."""
        files = self.files(digest)
        try:
            return None if files is None else parse_standard(files)
        except StandardError:
            return None


def open_shelf(text: str, folder: Path, archive: StandardArchive) -> Shelf:
    """The shelf of a setting such as ``lcal/1.0.0@2027-03-01 lcal/1.1.0``: folders, the newest last, with their last days.

    Each configured version is kept in the archive. Raises OperatorError, NotFoundError, StandardError, OSError.
    """
    entries = [_ENTRY.fullmatch(entry) for entry in text.split()]
    if not entries or None in entries or entries[-1]["until"]:  # type: ignore[index]
        raise OperatorError(
            "The setting of the standards cannot be used.",
            found=text[:200] or "nothing",
            expected="folders, the newest last and without a last day: lcal/1.0.0@2027-03-01 lcal/1.1.0",
            hint="Set LCAL_STANDARDS.",
        )
    # Read once: what is judged by is what is kept, also if an editor writes in between.
    loaded = [load_standard_folder(folder / entry["folder"]) for entry in entries if entry]
    versions = [
        Version(each.standard, _closed_at(entry["until"])) for each, entry in zip(loaded, entries, strict=True) if entry
    ]
    ids = [version.standard.id for version in versions]
    if len({*ids}) < len(ids):
        raise OperatorError("Two of the configured standards have the same id.", found=", ".join(ids))
    for each in loaded:
        archive.keep(each.standard.digest, each.files)
    return Shelf(versions, archive)


def _closed_at(day: str | None) -> datetime | None:
    """The moment after the last day, in UTC."""
    if day is None:
        return None
    try:
        return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise OperatorError("The last day of a standard is no day.", found=day, hint="Set LCAL_STANDARDS.") from error
