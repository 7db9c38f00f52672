"""Decode one open audio file in blocks: length, digests and silence. Runs in the confined child only.

libsndfile does the decoding; :mod:`certifier.audio.headers` has looked at the file before it.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import soundfile

from certifier.audio.headers import EXPORT_AGAIN, Header, parse_header
from certifier.audio.model import FORMATS_READ, AudioFacts, AudioLimits, seconds_of
from certifier.audio.silence import SilenceMeter
from certifier.errors import AudioTooLarge, MalformedAudio, TruncatedAudio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

    from numpy.typing import NDArray

BLOCK_FRAMES = 1 << 16
INT32_FULL_SCALE = 2.0**31
INTEGER_SUBTYPES = ("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32")
LOSSLESS_FORMATS = ("WAV", "FLAC", "AIFF")


def facts_of(file: FileIO, limits: AudioLimits) -> AudioFacts:
    """Read the whole file. Raises MalformedAudio, TruncatedAudio or AudioTooLarge."""
    size = os.fstat(file.fileno()).st_size
    header = parse_header(file, size)
    _check_limits(header, limits)
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    try:
        with soundfile.SoundFile(file.fileno(), closefd=False) as sound:
            return _facts_of_sound(sound, header, sha256, limits)
    except soundfile.LibsndfileError as error:
        raise MalformedAudio(
            f"the {header.format} file cannot be decoded", found=str(error.error_string)[:200], expected=FORMATS_READ
        ) from error


def _check_limits(header: Header, limits: AudioLimits) -> None:
    """Hold what a header claims against the limits, before a single sample is decoded."""
    rate, channels, frames = header.sample_rate, header.channels, header.frames
    if rate is not None and rate < limits.min_rate:
        raise MalformedAudio(
            "the sample rate is too low for music", found=f"{rate} Hz", expected=f"at least {limits.min_rate} Hz"
        )
    if rate is not None and rate > limits.max_rate:
        raise AudioTooLarge("the sample rate is too high", found=f"{rate} Hz", expected=f"at most {limits.max_rate} Hz")
    if channels == 0:
        raise MalformedAudio("the file says that it has no channels", found="0 channels", hint=EXPORT_AGAIN)
    if channels is not None and channels > limits.max_channels:
        raise AudioTooLarge(
            "the file has too many channels", found=f"{channels}", expected=f"at most {limits.max_channels}"
        )
    if frames is not None and rate is not None and frames > limits.max_seconds * rate:
        raise AudioTooLarge(
            "the recording is too long", found=f"{frames // rate} s", expected=f"at most {limits.max_seconds} s"
        )


def _facts_of_sound(sound: soundfile.SoundFile, header: Header, sha256: str, limits: AudioLimits) -> AudioFacts:
    rate, channels = sound.samplerate, sound.channels
    _check_limits(Header(header.format, rate, channels, sound.frames), limits)
    lossless = header.format in LOSSLESS_FORMATS and sound.subtype in INTEGER_SUBTYPES
    essence = hashlib.sha256(f"essence/1\n{rate}\n{channels}\n".encode()) if lossless else None
    meter = SilenceMeter(rate, channels)
    frames = 0
    promised = max(header.frames or 0, sound.frames)
    for block in _blocks(sound, "int32" if lossless else "float64", promised):
        if essence is not None:
            essence.update(block.astype("<i4", copy=False).data)
        meter.feed(block / INT32_FULL_SCALE if lossless else block)
        frames += len(block)
    _check_complete(frames, promised)
    return AudioFacts(
        sha256=sha256,
        essence_sha256=essence.hexdigest() if essence is not None else None,
        duration_s=seconds_of(frames, rate),
        silence_s=seconds_of(meter.silent_frames(), rate),
        sample_rate=rate,
        channels=channels,
        format=header.format,
        frames=frames,
    )


def _blocks(sound: soundfile.SoundFile, dtype: str, promised: int) -> Iterator[NDArray[Any]]:
    done = 0
    try:
        while len(block := sound.read(BLOCK_FRAMES, dtype=dtype, always_2d=True)):
            yield block
            done += len(block)
    except soundfile.LibsndfileError as error:
        # A FLAC file that was cut ends so: the decoder finds no further frame where one was promised.
        raise _broken_off(done, promised, "at least ") from error


def _check_complete(frames: int, promised: int) -> None:
    if frames < promised:
        raise _broken_off(frames, promised)
    if frames == 0:
        raise MalformedAudio("the file holds no sound", found="0 samples")


def _broken_off(frames: int, promised: int, about: str = "") -> TruncatedAudio:
    return TruncatedAudio(
        "the sound ends or breaks before its promised length",
        found=f"{about}{frames} samples a channel",
        expected=f"{promised} samples a channel",
        hint=EXPORT_AGAIN,
    )
