"""What a file promises in its header is held against the file, quickly, before anything is decoded."""

import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from certifier.audio.headers import Header, parse_header
from certifier.errors import MalformedAudio, TruncatedAudio


def audio(kind, subtype=None, rate=44100, seconds=1, channels=2, endian=None):
    wave = np.sin(np.arange(rate * seconds) / 20)
    buffer = io.BytesIO()
    soundfile.write(
        buffer, np.repeat(wave[:, None] * 0.4, channels, axis=1), rate, format=kind, subtype=subtype, endian=endian
    )
    return buffer.getvalue()


WAV, AIFF, FLAC, OGG, MP3 = (audio(kind) for kind in ("WAV", "AIFF", "FLAC", "OGG", "MP3"))
RF64 = audio("RF64")
ID3 = b"ID3\x04\0\0\0\0\0\x10" + bytes(16)


def header_of(data):
    return parse_header(io.BytesIO(data), len(data))


def patched(data, place, value):
    return data[:place] + value + data[place + len(value) :]


def data_chunk(data):
    return data.index(b"data")


PROMISES = {
    "WAV": (WAV, Header("WAV", 44100, 2, 44100)),
    "RF64, the long WAV": (RF64, Header("WAV", 44100, 2, 44100)),
    "float WAV": (audio("WAV", "FLOAT"), Header("WAV", 44100, 2, 44100)),
    "companded WAV": (audio("WAV", "ULAW"), Header("WAV", 44100, 2, None)),
    "AIFF": (AIFF, Header("AIFF", 44100, 2, 44100)),
    "AIFF-C in little-endian order": (audio("AIFF", endian="LITTLE"), Header("AIFF", 44100, 2, 44100)),
    "FLAC": (FLAC, Header("FLAC", 44100, 2, 44100)),
    "FLAC behind an ID3 tag": (ID3 + FLAC, Header("FLAC", 44100, 2, 44100)),
    "OGG": (OGG, Header("OGG")),
    "MP3": (MP3, Header("MP3")),
    "MP3 in mono": (audio("MP3", channels=1), Header("MP3")),
    "MP3 at a low rate": (audio("MP3", rate=16000), Header("MP3")),
    "MP3 behind an ID3 tag": (ID3 + MP3, Header("MP3")),
}


@pytest.mark.parametrize(("data", "promise"), PROMISES.values(), ids=PROMISES.keys())
def test_each_format_tells_its_promises(data, promise):
    assert header_of(data) == promise


TRUNCATED = {
    "a WAV that was cut": WAV[:-1000],
    "a WAV that lacks one byte": WAV[:-1],
    "a WAV cut within its header": WAV[:30],
    "a RIFF size that lies": patched(WAV, 4, struct.pack("<I", len(WAV))),
    "a RIFF size from a pipe": patched(WAV, 4, b"\xff\xff\xff\xff"),
    "a data size that lies": patched(WAV, data_chunk(WAV) + 4, struct.pack("<I", len(WAV))),
    "a data size of 2^32 - 1": patched(WAV, data_chunk(WAV) + 4, b"\xff\xff\xff\xff"),
    "an RF64 that was cut": RF64[:-1000],
    "an RF64 data size that lies": patched(RF64, 28, struct.pack("<Q", 2**40)),
    "an AIFF that was cut": AIFF[:-1000],
    "an AIFF sound size that lies": patched(AIFF, AIFF.index(b"SSND") + 4, b"\x7f\xff\xff\xff"),
    "an AIFF with 2^32 - 1 samples": patched(AIFF, AIFF.index(b"COMM") + 10, b"\xff\xff\xff\xff"),
    "a FLAC cut within its header": FLAC[:20],
    "an OGG that was cut": OGG[:-1000],
    "an OGG cut within its last page": OGG[:-1],
    "an OGG cut between two pages": OGG[: OGG.rindex(b"OggS")],
    "an ID3 tag longer than the file": b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + MP3,
}


@pytest.mark.parametrize("data", TRUNCATED.values(), ids=TRUNCATED.keys())
def test_a_file_that_holds_less_than_it_promises_is_truncated(data):
    with pytest.raises(TruncatedAudio) as caught:
        header_of(data)
    assert caught.value.found
    assert caught.value.expected
    assert "Export the master again" in caught.value.hint


STRANGERS = {
    "an empty file": (b"", "0 bytes"),
    "a text": (b"Hello, this is a song", "starts with 'Hello, this '"),
    "a short text": (b"Hello", "starts with 'Hello'"),
    "a ZIP": (b"PK\x03\x04" + bytes(40), "a ZIP archive"),
    "an M4A": (b"\0\0\0\x20ftypM4A " + bytes(40), "an MP4 or M4A file"),
    "a MIDI file": (b"MThd\0\0\0\x06" + bytes(8), "a MIDI file"),
    "a RIFF file that is no WAV": (b"RIFF\x10\0\0\0AVI LIST" + bytes(40), "starts with the bytes 52 49 46 46 10"),
    "noise": (bytes(range(40)), "starts with the bytes 00 01 02"),
}


@pytest.mark.parametrize(("data", "found"), STRANGERS.values(), ids=STRANGERS.keys())
def test_what_is_no_audio_is_named_and_the_formats_that_are_read_are_listed(data, found):
    with pytest.raises(MalformedAudio) as caught:
        header_of(data)
    assert caught.value.found.startswith(found)
    assert caught.value.expected == "one of WAV, FLAC, MP3, OGG, AIFF"


BROKEN = {
    "a WAV without data": (WAV[:4] + struct.pack("<I", 28) + WAV[8 : data_chunk(WAV)], "no data chunk"),
    "a WAV whose data comes before its layout": (patched(WAV, 12, b"xxxx"), "no fmt chunk"),
    "a WAV with empty frames": (patched(WAV, 32, b"\0\0"), "frames are empty"),
    "a WAV of a thousand empty chunks": (b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 1100, "too many chunks"),
    "an RF64 without its sizes": (patched(RF64, 12, b"junk"), "does not begin with its sizes"),
    "an AIFF without sound": (patched(AIFF, AIFF.index(b"SSND"), b"xxxx"), "lacks"),
    "a FLAC that begins with a picture": (patched(FLAC, 4, b"\x06"), "STREAMINFO"),
    "a FLAC from a pipe": (patched(FLAC, 21, bytes([FLAC[21] & 0xF0, 0, 0, 0, 0])), "how long"),
    "an MP3 without a length header": (MP3.replace(b"Info", b"xxxx").replace(b"Xing", b"xxxx"), "how long"),
}


@pytest.mark.parametrize(("data", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_header_that_cannot_be_right_is_refused_in_words(data, message):
    with pytest.raises(MalformedAudio, match=message):
        header_of(data)


RATES = {"zero": 0, "the usual": 48000, "4 GHz": 4_000_000_000}


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES.keys())
def test_the_rate_of_a_wav_is_read_as_it_stands(rate):
    assert header_of(patched(WAV, 24, struct.pack("<I", rate))).sample_rate == rate


AIFF_RATES = {
    "44.1 kHz": ("400eac44000000000000", 44100),
    "a fraction is dropped": ("400eac44800000000000", 44100),
    "one": ("3fff8000000000000000", 1),
    "negative": ("c00eac44000000000000", 0),
    "infinite": ("7fff8000000000000000", 2**127),
}


@pytest.mark.parametrize(("extended", "rate"), AIFF_RATES.values(), ids=AIFF_RATES.keys())
def test_the_rate_of_an_aiff_is_an_eighty_bit_float(extended, rate):
    assert header_of(patched(AIFF, AIFF.index(b"COMM") + 16, bytes.fromhex(extended))).sample_rate == rate


HEADS = st.sampled_from([WAV[:100], RF64[:120], AIFF[:100], FLAC[:100], OGG[:100], MP3[:100], ID3 + FLAC[:80]])


@settings(deadline=None)
@given(HEADS, st.integers(0, 99), st.binary(max_size=12), st.integers(0, 100))
@example(WAV[:100], 0, b"", 0)
def test_bent_bytes_end_in_a_header_or_in_one_named_error(head, place, bend, cut):
    data = patched(head, place, bend)[:cut]
    try:
        assert header_of(data).format in {"WAV", "AIFF", "FLAC", "OGG", "MP3"}
    except MalformedAudio as error:
        assert error.message  # noqa: PT017  # either outcome is right, a third is not
