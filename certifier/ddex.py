"""The sound recordings that a DDEX message announces, as rows to verify: New Release Message of ERN 4 (4.1 to 4.3).

Sources: DDEX Electronic Release Notification, message schemas of 4.1, 4.2, 4.3 and their corrections. In 4.1 the ids and files of
a recording stand in it, from 4.2 on in its editions. Only what names a recording is read; the rest is passed over.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from certifier.errors import ForeignInputError
from certifier.isrc import isrc_in

NAMESPACE = re.compile(r"http://ddex\.net/xml/ern/4[123][0-9]?")
MESSAGE = "NewReleaseMessage"
RECORDING = "SoundRecording"
MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 40
MAX_ELEMENTS = 1_000_000  # of a hundred bytes each in memory; a recording has about sixty
MAX_RECORDINGS = 10_000
MAX_TEXT = 1000
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ReleaseTrack:
    """A sound recording of a release; ``ref`` is its ResourceReference in the message, ``sha256`` in hexadecimal digits.

    What the message does not say is None. A recording with files in several editions is a track for each of their digests.
    """

    ref: str
    isrc: str | None
    title: str | None
    artist: str | None
    sha256: str | None


def read_release(raw: bytes) -> list[ReleaseTrack]:
    """The sound recordings of a message, in its order. Raises ForeignInputError that says what was found.

    Entities, document types and whatever is larger or deeper than any release are refused before they are worked out.
    """
    if len(raw) > MAX_BYTES:
        raise ForeignInputError(
            "The message is too large.", found=f"{len(raw)} bytes", expected=f"at most {MAX_BYTES} bytes"
        )
    try:
        recordings = list(_recordings(raw))
    except DefusedXmlException as error:
        raise ForeignInputError(
            "The message has a document type or entities.", found=type(error).__name__, expected="neither of them"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise ForeignInputError(
            "This is not XML.", found=str(error)[:120], expected=f"a {MESSAGE} of ERN 4.1 to 4.3"
        ) from error
    if not recordings:
        raise ForeignInputError("The release has no sound recording.", expected="at least one SoundRecording")
    return [track for recording in recordings for track in recording]


def _recordings(raw: bytes) -> Iterator[tuple[ReleaseTrack, ...]]:
    depth = found = elements = 0
    for event, element in iterparse(io.BytesIO(raw), events=("start", "end"), forbid_dtd=True):
        if event == "start":
            depth += 1
            elements += 1
            if elements > MAX_ELEMENTS:
                raise ForeignInputError("The message has too many elements.", expected=f"at most {MAX_ELEMENTS}")
            if depth == 1:
                _check_root(element.tag)
            if depth > MAX_DEPTH:
                raise ForeignInputError("The message is nested too deeply.", expected=f"at most {MAX_DEPTH} levels")
            continue
        depth -= 1
        if depth == 2 and _name(element) == RECORDING:  # MESSAGE / ResourceList / SoundRecording
            found += 1
            if found > MAX_RECORDINGS:
                raise ForeignInputError("The release is too long.", expected=f"at most {MAX_RECORDINGS} recordings")
            yield _tracks_of(element)
        if depth <= 2:
            element.clear()


def _check_root(tag: str) -> None:
    namespace, _, name = tag.rpartition("}")
    if name == MESSAGE and NAMESPACE.fullmatch(namespace.removeprefix("{")):
        return
    raise ForeignInputError(
        "This is no message about a release that can be read here.",
        found=tag[:120],
        expected=f"{MESSAGE} of http://ddex.net/xml/ern/41 to 43",
        hint="Messages of ERN 3 have another form; ask for the release as ERN 4, or verify a list of its ISRCs.",
    )


def _tracks_of(recording: Element) -> tuple[ReleaseTrack, ...]:
    ref = _text(recording, "ResourceReference")
    if ref is None:
        raise ForeignInputError(
            "A sound recording has no reference.",
            found=_text(recording, "DisplayTitleText"),
            expected="ResourceReference",
        )
    isrc = _isrc_of(recording, ref)
    title = _text(recording, "DisplayTitleText") or _text(recording, "DisplayTitle", "TitleText")
    artist = _text(recording, "DisplayArtistName")
    digests: list[str | None] = [*sorted({*_digests_of(recording, ref)})] or [None]
    return tuple(ReleaseTrack(ref, isrc, title, artist, digest) for digest in digests)


def _isrc_of(recording: Element, ref: str) -> str | None:
    places = (("ResourceId", "ISRC"), ("SoundRecordingEdition", "ResourceId", "ISRC"))
    told = next((text for place in places for text in _texts(recording, *place)), None)
    if told is None:
        return None
    isrc = isrc_in(told)
    if not isrc:
        raise ForeignInputError(
            "The ISRC of a recording is none.", found=f"{ref}: {told[:40]}", expected="such as XXABC2600001"
        )
    return isrc


def _digests_of(recording: Element, ref: str) -> Iterator[str]:
    """SHA-256 of the files; sums of other kinds say nothing here."""
    for element in recording.iter():
        if _name(element) != "HashSum":
            continue
        algorithm = re.sub("[^A-Z0-9]", "", (_text(element, "Algorithm") or "").upper())
        if algorithm not in {"SHA256", "SHA2256"}:
            continue
        digest = (_text(element, "HashSumValue") or "").lower()
        if not _SHA256.fullmatch(digest):
            raise ForeignInputError(
                "The SHA-256 of a file is none.", found=f"{ref}: {digest[:80]}", expected="64 hexadecimal digits"
            )
        yield digest


def _texts(element: Any, *way: str) -> Iterator[str]:
    """The texts at the end of a way of child elements, whatever their namespace."""
    if not way:
        if text := " ".join((element.text or "").split())[:MAX_TEXT]:
            yield text
        return
    for child in element:
        if _name(child) == way[0]:
            yield from _texts(child, *way[1:])


def _text(element: Element, *way: str) -> str | None:
    return next(_texts(element, *way), None)


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
