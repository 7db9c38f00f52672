"""What a row of a catalogue asks: by what its certificate is found, and the file that it is to be for.

Every spelling that people use is one question: codes in any case with or without hyphens, ISRCs too, digests with or without
``sha256:`` before them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from certifier.certificate.code import parse_code
from certifier.certificate.verification import AudioDigests
from certifier.errors import ForeignInputError
from certifier.isrc import isrc_in

KINDS = ("code", "isrc", "sha256", "essence_sha256", "credential")
BESIDE = ("proof",)  # a column that finds nothing by itself
LONGEST_CELL = 1024 * 1024  # characters

_DIGEST = re.compile(r"(?:sha-?256:)?([0-9a-f]{64})", re.ASCII)


class Column(NamedTuple):
    """A column of the catalogue by its name, and what it holds: one of KINDS or BESIDE."""

    kind: str
    name: str


class Question(NamedTuple):
    """``value`` in the one spelling that is looked up; of a credential its text, beside which its proof may have come."""

    kind: str
    value: str
    audio: AudioDigests | None = None
    proof: str | None = None


def column_for(text: str) -> Column:
    """The column that ``KIND=NAME`` says, or ``NAME`` where the name itself is a kind. Raises ForeignInputError."""
    kind, equals, name = text.partition("=")
    if not equals:
        kind, name = text.strip().lower().replace("-", "_"), text
    if kind.strip() not in (*KINDS, *BESIDE) or not name:
        raise ForeignInputError(
            "It is not clear what the column holds.",
            found=text[:80],
            expected=f"KIND=NAME with one of {', '.join((*KINDS, *BESIDE))}",
            hint=f"Write for example: --column isrc={text.strip()[:40] or 'NAME'}",
        )
    return Column(kind.strip(), name)


def isrc_of(text: str) -> str:
    """The twelve symbols of an ISRC (ISO 3901), however it is written. Raises ForeignInputError."""
    symbols = isrc_in(text)
    if not symbols:
        raise ForeignInputError(
            "This is not an ISRC.", found=repr(text.strip()[:40]), expected="twelve letters and digits: QZABC2600001"
        )
    return symbols


def digest_of(text: str) -> str:
    """A SHA-256 in small hexadecimal digits. Raises ForeignInputError."""
    match = _DIGEST.fullmatch(text.strip().lower())
    if match is None:
        raise ForeignInputError(
            "This is not a SHA-256.", found=repr(text.strip()[:80]), expected="64 hexadecimal digits"
        )
    return match[1]


_READ: dict[str, Callable[[str], str]] = {
    "code": parse_code,
    "isrc": isrc_of,
    "sha256": digest_of,
    "essence_sha256": digest_of,
    "credential": str,
}


def question_of(columns: Sequence[Column], cells: Iterable[str | None]) -> Question:
    """What a row asks: the first of its cells that is not empty finds the certificate; a digest in a later one has to fit it.

    Raises ForeignInputError, or MalformedCode, when a cell that counts cannot be read or all are empty.
    """
    given = [(column.kind, cell) for column, cell in zip(columns, cells, strict=True) if cell and not cell.isspace()]
    for kind, cell in given:
        if len(cell) > LONGEST_CELL:
            raise ForeignInputError(
                f"The cell with the {kind} is too long.",
                found=f"{len(cell)} characters",
                expected=f"at most {LONGEST_CELL}",
            )
    finding = [(kind, cell) for kind, cell in given if kind in KINDS]
    if not finding:
        raise ForeignInputError(
            "The row names nothing to look up.",
            found="empty cells",
            expected=" or ".join(column.kind for column in columns if column.kind in KINDS),
        )
    kind, cell = finding[0]
    value = _READ[kind](cell)
    digests = {other: digest_of(text) for other, text in finding if other in ("sha256", "essence_sha256")}
    audio = AudioDigests(digests.get("sha256", ""), digests.get("essence_sha256")) if digests else None
    if kind == "isrc" and audio is None:
        audio = AudioDigests("", isrc=value)
    proof = next((text for other, text in given if other == "proof"), None) if kind == "credential" else None
    return Question(kind, value, audio, proof)
