"""The versions of a standard: their numbers, what a number promises, and a new version made from an old one.

Section 13 of the standard says what a patch, a minor and a major version may change; which of them a set of changes is,
`diff` finds out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from certifier.errors import StandardError
from certifier.standard.folder import TEXT
from certifier.standard.model import HEAD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certifier.standard.folder import Folder

Step = Literal["none", "patch", "minor", "major"]

# The smallest first.
STEPS: tuple[Step, ...] = ("none", "patch", "minor", "major")
_NUMBER = re.compile(r"(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})(-draft)?", re.ASCII)


@dataclass(frozen=True)
class Version:
    """A number such as 1.2.0; a working draft on the way to it is 1.2.0-draft."""

    major: int
    minor: int
    patch: int
    is_draft: bool = False

    @property
    def order(self) -> tuple[int, int, int, bool]:
        """Later versions are greater, and a version is greater than its drafts."""
        return self.major, self.minor, self.patch, not self.is_draft


def parse_version(text: str) -> Version:
    """Raises StandardError."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise StandardError(f"{text!r} is no version; one is written 1.2.0, a working draft 1.2.0-draft", file=HEAD)
    return Version(int(match[1]), int(match[2]), int(match[3]), is_draft=bool(match[4]))


def promised_step(old: Version, new: Version) -> Step:
    """How much may have changed by the numbers alone; none when the new number is not the later one."""
    if new.order[:3] <= old.order[:3]:
        return "none"
    if new.major != old.major:
        return "major"
    return "minor" if new.minor != old.minor else "patch"


def drafted(folder: Folder, version: str) -> dict[str, bytes]:
    """The files of a new draft that is so far like the folder but for its names. Raises StandardError.

    What belongs to one version alone is emptied: the day of publication, and the first sentence of the text.
    """
    parse_version(version)
    old = folder.standard
    new_id = f"{old.id.removesuffix(old.version)}{version}"
    files = dict(folder.files)
    head = folder.text(HEAD)
    for name, value in {"id": new_id, "version": version, "status": "draft", "published_on": ""}.items():
        head = re.sub(rf'^{name} = "[^"]*"', f'{name} = "{value}"', head, count=1, flags=re.MULTILINE)
    head = re.sub(r'^based_on = "[^"]*"\n', "", head, count=1, flags=re.MULTILINE)
    head = re.sub(r'^(version = "[^"]*".*\n)', rf'\1based_on = "{old.id}"\n', head, count=1, flags=re.MULTILINE)
    comment, newline, rest = head.partition("\n")
    files[HEAD] = (comment.replace(old.version, version) + newline + rest).encode()
    files[TEXT] = _text_of(folder.text(TEXT), old.id, old.version, new_id, version).encode()
    own_name = re.compile(rf'\A(\s*\{{\s*"standard": ")({re.escape(old.id)})"')
    for path in _case_files(files):
        files[path] = own_name.sub(rf'\g<1>{new_id}"', folder.text(path)).encode()
    return files


def _case_files(files: Mapping[str, bytes]) -> list[str]:
    return [path for path in files if path.startswith("cases/") and path.endswith(".json")]


def _text_of(text: str, old_id: str, old_version: str, new_id: str, version: str) -> str:
    title, newline, rest = text.partition("\n")
    first = re.compile(rf"\A(\s*)`{re.escape(old_id)}`, [^.]*\.")
    rest = first.sub(rf"\g<1>`{new_id}`, a working draft made from `{old_id}`.", rest, count=1)
    return title.replace(old_version, version) + newline + rest
