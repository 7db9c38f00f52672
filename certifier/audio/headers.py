"""What an audio file says about itself, read from its first bytes before any decoder sees it.

Decoders forgive: a WAV cut in half opens without complaint, and its length is then simply wrong. Here the sizes that a
header promises are held against the file. Decoding is left to :mod:`certifier.audio.decode`.

Sources: Microsoft RIFF and EBU Tech 3306 (WAV, RF64), Apple AIFF-C 1991, RFC 9639 (FLAC), RFC 3533 (Ogg), ID3v2.4
section 3.1, Xing and VBRI headers of MP3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal

from certifier.audio.model import FORMATS_READ
from certifier.errors import MalformedAudio, TruncatedAudio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_CHUNKS = 1000
OGG_PAGE_BYTES = 27 + 255 + 255 * 255
# Wave format tags whose frames have a fixed size: integer PCM, IEEE float, and the extensible form of both.
PLAIN_WAVE_TAGS = (1, 3, 0xFFFE)
PLAIN_AIFF_CODINGS = (b"NONE", b"sowt")
MP3_LENGTH_TAGS = (b"Xing", b"Info", b"VBRI")
# Where such a tag stands in the first frame: after 4 bytes of header, 0 or 2 of checksum, 9, 17 or 32 of side
# information.
MP3_TAG_PLACES = (13, 15, 21, 23, 36, 38)

EXPORT_AGAIN = "Export the master again, or copy the file again and compare its size."
# What people send by mistake: (offset, magic, name).
STRANGERS = (
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"MThd", "a MIDI file"),
    (0, b"caff", "a CAF file"),
    (0, b"riff\x2e\x91\xcf\x11", "a Wave64 file"),
    (0, b"RIFX", "a big-endian WAV file"),
    (0, b".snd", "an AU file"),
    (4, b"ftyp", "an MP4 or M4A file"),
)


@dataclass(frozen=True)
class Header:
    """What the file promises; None where its format has no such promise in a fixed place."""

    format: str
    sample_rate: int | None = None
    channels: int | None = None
    frames: int | None = None


@dataclass(frozen=True)
class _Source:
    """An open file, its size, and where its audio begins."""

    file: BinaryIO
    size: int
    start: int
    format: str

    def peek(self, position: int, length: int) -> bytes:
        return _peek(self.file, position, length)

    def take(self, position: int, length: int) -> bytes:
        data = self.peek(position, length)
        if len(data) < length:
            raise TruncatedAudio(
                "the file ends within its header",
                found=f"{position + len(data)} bytes",
                expected=f"at least {position + length} bytes",
                hint=EXPORT_AGAIN,
            )
        return data


def parse_header(file: BinaryIO, size: int) -> Header:
    """Tell the format and its promises. Raises MalformedAudio or TruncatedAudio. Moves the file position."""
    if size == 0:
        raise MalformedAudio("the file is empty", found="0 bytes", expected=FORMATS_READ)
    start = _after_id3(file, size)
    head = _peek(file, start, 12)
    for name, is_it, parse in FORMAT_TABLE:
        if is_it(head, start):
            return parse(_Source(file, size, start, name))
    raise MalformedAudio("this is no audio file that can be read", found=_describe(head), expected=FORMATS_READ)


def _describe(head: bytes) -> str:
    for offset, magic, name in STRANGERS:
        if head[offset:].startswith(magic):
            return name
    text = head.decode("latin-1")
    return f"starts with '{text}'" if text.isprintable() else f"starts with the bytes {head.hex(' ')}"


def _peek(file: BinaryIO, position: int, length: int) -> bytes:
    file.seek(position)
    return file.read(length)


def _check_fits(what: str, promised: int, held: int, unit: str = "bytes") -> None:
    if promised > held:
        raise TruncatedAudio(
            f"{what} promises more than the file holds",
            found=f"{held} {unit}",
            expected=f"{promised} {unit}",
            hint=EXPORT_AGAIN,
        )


def _after_id3(file: BinaryIO, size: int) -> int:
    """Where the audio begins: behind an ID3v2 tag, if there is one. Its length has seven bits in each byte."""
    head = _peek(file, 0, 10)
    if len(head) < 10 or not head.startswith(b"ID3"):
        return 0
    length = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    footer = 10 if head[5] & 0x10 else 0
    _check_fits("its ID3 tag", 10 + length + footer, size)
    return 10 + length + footer


# RIFF and AIFF: chunks of name, size and body, padded to an even length


def _chunks(source: _Source, order: Literal["little", "big"]) -> Iterator[tuple[bytes, int, int]]:
    """Name, place of the body and promised length of each chunk."""
    position = source.start + 12
    for _ in range(MAX_CHUNKS):
        if position + 8 > source.size:
            return
        head = source.take(position, 8)
        length = int.from_bytes(head[4:], order)
        yield head[:4], position + 8, length
        position += 8 + length + length % 2
    raise MalformedAudio("the file has too many chunks before its sound", expected=f"at most {MAX_CHUNKS}")


def _parse_wav(source: _Source) -> Header:
    head = source.take(source.start, 12)
    long_sizes = _parse_ds64(source) if head.startswith(b"RF64") else None
    riff_size = long_sizes[0] if long_sizes else int.from_bytes(head[4:8], "little")
    _check_fits("its RIFF header", source.start + 8 + riff_size, source.size)
    layout: tuple[int, int, int, int] | None = None
    for chunk, place, length in _chunks(source, "little"):
        if chunk == b"fmt ":
            layout = _parse_wave_layout(source, place)
        if chunk == b"data":
            data_size = long_sizes[1] if long_sizes and length == 0xFFFFFFFF else length
            _check_fits("its data chunk", place + data_size, source.size)
            return _wave_header(source.format, layout, data_size)
    raise MalformedAudio("the WAV file has no data chunk", hint=EXPORT_AGAIN)


def _parse_ds64(source: _Source) -> tuple[int, int]:
    """The 64-bit sizes of the whole and of the data (EBU Tech 3306 section 3.5)."""
    head = source.take(source.start + 12, 24)
    if not head.startswith(b"ds64"):
        raise MalformedAudio(
            "the RF64 file does not begin with its sizes", found=_describe(head[:4]), expected="a ds64 chunk"
        )
    riff_size, data_size = struct.unpack_from("<QQ", head, 8)
    return riff_size, data_size


def _parse_wave_layout(source: _Source, place: int) -> tuple[int, int, int, int]:
    """Format tag, channels, sample rate, bytes in a frame."""
    tag, channels, rate, _, frame_bytes = struct.unpack("<HHIIH", source.take(place, 14))
    return tag, channels, rate, frame_bytes


def _wave_header(name: str, layout: tuple[int, int, int, int] | None, data_size: int) -> Header:
    if layout is None:
        raise MalformedAudio("the WAV file has no fmt chunk before its data", hint=EXPORT_AGAIN)
    tag, channels, rate, frame_bytes = layout
    if frame_bytes == 0:
        raise MalformedAudio(
            "the WAV file says that its frames are empty", found="0 bytes in a frame", hint=EXPORT_AGAIN
        )
    return Header(name, rate, channels, data_size // frame_bytes if tag in PLAIN_WAVE_TAGS else None)


def _parse_aiff(source: _Source) -> Header:
    head = source.take(source.start, 12)
    _check_fits("its FORM header", source.start + 8 + int.from_bytes(head[4:8], "big"), source.size)
    common: tuple[int, int, int, int, bytes] | None = None
    sound_bytes: int | None = None
    for chunk, place, length in _chunks(source, "big"):
        if chunk == b"COMM":
            common = _parse_aiff_common(source, place, length)
        if chunk == b"SSND":
            _check_fits("its sound chunk", place + length, source.size)
            sound_bytes = length - 8 - int.from_bytes(source.take(place, 4), "big")
        if common is not None and sound_bytes is not None:
            return _aiff_header(source.format, common, sound_bytes)
    raise MalformedAudio("the AIFF file lacks its COMM or SSND chunk", hint=EXPORT_AGAIN)


def _parse_aiff_common(source: _Source, place: int, length: int) -> tuple[int, int, int, int, bytes]:
    """Channels, frames, bits in a sample, sample rate, coding."""
    channels, frames, bits, rate = struct.unpack(">HIH10s", source.take(place, 18))
    coding = source.take(place + 18, 4) if length >= 22 else b"NONE"
    return channels, frames, bits, _whole_number_of_extended(rate), coding


def _whole_number_of_extended(data: bytes) -> int:
    """Whole part of an 80-bit float; negative is 0, infinite is huge."""
    exponent, mantissa = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:], "big")
    if exponent & 0x8000:
        return 0
    shift = exponent - 16383 - 63
    return mantissa >> -shift if shift <= 0 else mantissa << min(shift, 64)


def _aiff_header(name: str, common: tuple[int, int, int, int, bytes], sound_bytes: int) -> Header:
    channels, frames, bits, rate, coding = common
    if coding in PLAIN_AIFF_CODINGS:
        _check_fits("its COMM chunk", frames * channels * ((bits + 7) // 8), max(0, sound_bytes), "bytes of sound")
    return Header(name, rate, channels, frames)


# FLAC, Ogg, MP3


def _parse_flac(source: _Source) -> Header:
    """STREAMINFO, the first block (RFC 9639 section 8.2): 20 bits of rate, 3 of channels, 5 of depth, 36 of frames."""
    head = source.take(source.start, 42)
    if head[4] & 0x7F:
        raise MalformedAudio(
            "the FLAC file does not begin with STREAMINFO", found=f"metadata block of type {head[4] & 0x7F}"
        )
    packed = int.from_bytes(head[18:26], "big")
    frames = packed & 0xFFFFFFFFF
    if frames == 0:
        raise MalformedAudio("the FLAC file does not say how long it is", hint="Encode it to a file, not into a pipe.")
    return Header(source.format, packed >> 44, (packed >> 41 & 0x7) + 1, frames)


def _parse_ogg(source: _Source) -> Header:
    """An Ogg stream promises no length, but its last page says that it is the last (RFC 3533 section 6)."""
    tail = source.peek(max(source.start, source.size - OGG_PAGE_BYTES), OGG_PAGE_BYTES)
    page = tail[max(0, tail.rfind(b"OggS")) :]
    complete = len(page) >= 27 and page[5] & 0x04 and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])
    if not complete:
        raise TruncatedAudio(
            "the OGG stream has no end",
            found="no page marked as the last",
            expected="an end-of-stream page",
            hint=EXPORT_AGAIN,
        )
    return Header(source.format)


def _parse_mp3(source: _Source) -> Header:
    """Without a length tag a decoder guesses from the first frame, and may be wrong by any factor: refused."""
    frame = source.peek(source.start, 8192).lstrip(b"\0")
    if not any(frame[place : place + 4] in MP3_LENGTH_TAGS for place in MP3_TAG_PLACES):
        raise MalformedAudio(
            "the MP3 file does not say how long it is",
            found="no Xing, Info or VBRI header in its first frame",
            hint="Send the lossless master, or write the MP3 file again with its length header.",
        )
    return Header(source.format)


def _is_mp3(head: bytes, start: int) -> bool:
    return start > 0 or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")


def _magic(first: tuple[bytes, ...], kind: tuple[bytes, ...] = (b"",)) -> Callable[[bytes, int], bool]:
    return lambda head, _start: head.startswith(first) and head[8:].startswith(kind)


# What follows an ID3 tag and is nothing else is taken for MP3, so MP3 stands last.
FORMAT_TABLE: tuple[tuple[str, Callable[[bytes, int], bool], Callable[[_Source], Header]], ...] = (
    ("WAV", _magic((b"RIFF", b"RF64"), (b"WAVE",)), _parse_wav),
    ("AIFF", _magic((b"FORM",), (b"AIFF", b"AIFC")), _parse_aiff),
    ("FLAC", _magic((b"fLaC",)), _parse_flac),
    ("OGG", _magic((b"OggS",)), _parse_ogg),
    ("MP3", _is_mp3, _parse_mp3),
)
