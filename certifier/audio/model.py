"""What the issuer reads from a master file, and how much it is willing to read. Values only.

The facts go into the public decision record: nobody who lacks the master can derive them again. Reading them is left to
:mod:`certifier.audio.analyse`; what they mean for a footprint is left to ``footprint`` and ``standard``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from certifier.errors import MalformedAudio

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMATS = ("WAV", "FLAC", "MP3", "OGG", "AIFF")
FORMATS_READ = f"one of {', '.join(FORMATS)}"
# More digits than any clock of a studio, few enough to print; LCAL 1.0.0 rounds its own figures to nine as well.
SECONDS_STEP = Decimal("0.000000001")

_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
_SECONDS = re.compile(r"[0-9]{1,9}\.[0-9]{9}")


def seconds_of(frames: int, sample_rate: int) -> Decimal:
    """Length of so many frames in seconds, half even to nine digits (LCAL 1.0.0 section 2: frames / sample rate)."""
    return (Decimal(frames) / Decimal(sample_rate)).quantize(SECONDS_STEP)


@dataclass(frozen=True)
class AudioFacts:
    """One master file: its two digests, its length and the part of it that is silent.

    ``sha256`` is of the file's bytes. ``essence_sha256`` is of the samples alone, so that WAV, FLAC and AIFF of one
    master agree and tags do not matter: SHA-256 of ``essence/1``, rate and channels on a line each, then the
    interleaved samples as little-endian int32. It is None where samples are not integers (float WAV) or not kept
    (MP3, OGG, companded WAV). A frame is one sample of every channel. ``silence_s`` is defined in
    :mod:`certifier.audio.silence`.
    """

    sha256: str
    essence_sha256: str | None
    duration_s: Decimal
    silence_s: Decimal
    sample_rate: int
    channels: int
    format: str
    frames: int

    def to_dict(self) -> dict[str, str | int | None]:
        """JSON-safe values under the names of the fields; seconds are decimal strings with nine digits."""
        return {
            field.name: f"{value:.9f}" if isinstance(value := getattr(self, field.name), Decimal) else value
            for field in fields(self)
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> Self:
        """The inverse of :meth:`to_dict`. Raises MalformedAudio if a field is missing, unknown or of the wrong kind."""
        values = {name: parse(name, document.get(name)) for name, parse in _FIELDS.items()}
        if unknown := sorted(set(document) - set(_FIELDS)):
            raise MalformedAudio("audio facts with an unknown field", found=unknown[0], expected=", ".join(_FIELDS))
        return cls(**values)  # type: ignore[arg-type]  # the table below gives each field its type


@dataclass(frozen=True)
class AudioLimits:
    """What one analysis may cost. More than this is refused as AudioTooLarge (below ``min_rate``: MalformedAudio).

    ``cpu_seconds``, ``memory_bytes`` (address space) and ``wall_seconds`` bind the child process; the others are
    compared with headers and with what is decoded.
    """

    max_bytes: int = 1 << 30
    max_seconds: int = 4 * 3600
    max_channels: int = 8
    min_rate: int = 8_000
    max_rate: int = 384_000
    cpu_seconds: int = 120
    wall_seconds: int = 300
    memory_bytes: int = 512 << 20


def _misfit(name: str, found: object, expected: str) -> MalformedAudio:
    return MalformedAudio(f"audio facts: {name} does not fit", found=repr(found)[:80], expected=expected)


def _parse_digest(name: str, value: object) -> str:
    if isinstance(value, str) and _HEX_DIGEST.fullmatch(value):
        return value
    raise _misfit(name, value, "64 hexadecimal digits in lower case")


def _parse_optional_digest(name: str, value: object) -> str | None:
    return None if value is None else _parse_digest(name, value)


def _parse_seconds(name: str, value: object) -> Decimal:
    if isinstance(value, str) and _SECONDS.fullmatch(value):
        return Decimal(value)
    raise _misfit(name, value, "seconds as a string with nine digits after the point")


def _parse_count(name: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise _misfit(name, value, "a whole number above zero")


def _parse_format(name: str, value: object) -> str:
    if isinstance(value, str) and value in FORMATS:
        return value
    raise _misfit(name, value, FORMATS_READ)


_FIELDS = {
    "sha256": _parse_digest,
    "essence_sha256": _parse_optional_digest,
    "duration_s": _parse_seconds,
    "silence_s": _parse_seconds,
    "sample_rate": _parse_count,
    "channels": _parse_count,
    "format": _parse_format,
    "frames": _parse_count,
}
