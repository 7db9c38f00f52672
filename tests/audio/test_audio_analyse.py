"""A master file is read in a confined process: its length, its digests, its silence, or one named error."""

import hashlib
import io
import os
import struct
import subprocess
import sys
import time
from decimal import Decimal

import numpy as np
import pytest
import soundfile

from certifier.audio import analyse
from certifier.audio.analyse import analyse_audio
from certifier.audio.decode import facts_of
from certifier.audio.model import AudioLimits
from certifier.errors import AudioTooLarge, MalformedAudio, NotFoundError, OperatorError, TruncatedAudio

RATE = 44100
LIMITS = AudioLimits()
TONE = (np.sin(np.arange(2 * RATE) / 15) * 12000).astype("int16")[:, None].repeat(2, axis=1)


def encoded(kind, samples=TONE, subtype=None, rate=RATE):
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def facts(data, tmp_path, limits=LIMITS):
    """Read in this process: the same code as in the child, without its start."""
    path = tmp_path / "master"
    path.write_bytes(data)
    with path.open("rb", buffering=0) as file:
        return facts_of(file, limits)


@pytest.fixture
def master(tmp_path):
    """A place for a file of these bytes."""

    def write(data, name="master.wav"):
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return write


def test_a_wav_file_is_read_from_end_to_end(master):
    data = encoded("WAV")
    found = analyse_audio(master(data))
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert (found.format, found.sample_rate, found.channels, found.frames) == ("WAV", RATE, 2, 2 * RATE)
    assert (found.duration_s, found.silence_s) == (Decimal(2), Decimal(0))


def test_the_essence_digest_is_the_one_that_the_design_defines(tmp_path):
    samples = np.array([[1, -2], [3, 32767]], dtype="int16")
    expected = hashlib.sha256(b"essence/1\n44100\n2\n" + struct.pack("<4i", 1 << 16, -2 << 16, 3 << 16, 32767 << 16))
    assert facts(encoded("WAV", samples), tmp_path).essence_sha256 == expected.hexdigest()


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_wav_flac_and_aiff_of_one_master_share_their_essence_but_not_their_digest(subtype, tmp_path):
    samples = TONE.astype("int32") << (16 if subtype == "PCM_16" else 8)
    found = [facts(encoded(kind, samples, subtype), tmp_path) for kind in ("WAV", "RF64", "FLAC", "AIFF")]
    assert len({one.essence_sha256 for one in found}) == 1
    assert len({one.sha256 for one in found}) == 4


def with_chunk(wav):
    """The same WAV with a comment behind its sound, as a tagger leaves it."""
    longer = wav + b"LIST" + struct.pack("<I", 12) + b"INFOICMT\0\0\0\0"
    return longer[:4] + struct.pack("<I", len(longer) - 8) + longer[8:]


def with_comment(flac):
    """The same FLAC with a further metadata block behind STREAMINFO."""
    return flac[:42] + b"\x02\0\0\x08exampleX" + flac[42:]


RETAGGED = {
    "a WAV with a comment chunk": ("WAV", with_chunk),
    "a FLAC with an application block": ("FLAC", with_comment),
    "a FLAC behind an ID3 tag": ("FLAC", lambda data: b"ID3\x04\0\0\0\0\0\x10" + bytes(16) + data),
}


@pytest.mark.parametrize(("kind", "retag"), RETAGGED.values(), ids=RETAGGED.keys())
def test_tags_change_the_file_but_not_the_essence(kind, retag, tmp_path):
    plain = facts(encoded(kind), tmp_path)
    tagged = facts(retag(encoded(kind)), tmp_path)
    assert tagged.essence_sha256 == plain.essence_sha256
    assert tagged.sha256 != plain.sha256


def test_one_sample_more_or_another_rate_is_another_essence(tmp_path):
    versions = [encoded("WAV"), encoded("WAV", TONE[:-1]), encoded("WAV", rate=48000), encoded("WAV", TONE[:, :1])]
    assert len({facts(data, tmp_path).essence_sha256 for data in versions}) == 4


NO_ESSENCE = {
    "float WAV": ("WAV", "FLOAT"),
    "companded WAV": ("WAV", "ULAW"),
    "MP3": ("MP3", None),
    "OGG": ("OGG", None),
}


@pytest.mark.parametrize(("kind", "subtype"), NO_ESSENCE.values(), ids=NO_ESSENCE.keys())
def test_formats_that_keep_no_integer_samples_have_a_length_but_no_essence(kind, subtype, tmp_path):
    found = facts(encoded(kind, TONE / 32768, subtype), tmp_path)
    assert found.essence_sha256 is None
    assert found.duration_s == Decimal(2)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "AIFF", "OGG", "MP3"])
def test_silence_is_found_in_every_format(kind, tmp_path):
    samples = np.concatenate([TONE / 32768, np.zeros((5 * RATE, 2))])
    silence = facts(encoded(kind, samples), tmp_path).silence_s
    assert Decimal("4.6") <= silence <= Decimal("4.8")


def test_a_file_of_nothing_but_silence_is_silent_throughout(tmp_path):
    found = facts(encoded("WAV", np.zeros((2 * RATE + 77, 2), "int16")), tmp_path)
    assert found.silence_s == found.duration_s


CUT = {
    "a WAV that counts two frames for one": encoded("WAV")[:32] + b"\x02\0" + encoded("WAV")[34:],
    "a FLAC that was cut": encoded("FLAC")[: len(encoded("FLAC")) * 2 // 3],
    "an MP3 that was cut": encoded("MP3", TONE / 32768)[: len(encoded("MP3", TONE / 32768)) * 2 // 3],
    "a FLAC that promises one sample more": encoded("FLAC")[:22]
    + struct.pack(">I", 2 * RATE + 1)
    + encoded("FLAC")[26:],
}


@pytest.mark.parametrize("data", CUT.values(), ids=CUT.keys())
def test_fewer_samples_than_promised_are_truncated(data, tmp_path):
    with pytest.raises(TruncatedAudio) as caught:
        facts(data, tmp_path)
    assert "samples a channel" in caught.value.found
    assert "samples a channel" in caught.value.expected


def flac_head(rate, channels, frames):
    """A FLAC file that is all promise: STREAMINFO and nothing behind it."""
    packed = rate << 44 | (channels - 1) << 41 | 15 << 36 | frames
    return b"fLaC\x80\0\0\x22" + struct.pack(">HH6x", 4096, 4096) + packed.to_bytes(8, "big") + bytes(16)


def wav_head(rate, channels):
    wav = encoded("WAV")
    return wav[:22] + struct.pack("<HIIH", channels, rate, 0, channels * 2) + wav[34:]


CLAIMS = {
    "2^36 - 1 samples": (flac_head(44100, 2, 2**36 - 1), AudioTooLarge, "too long"),
    "2^32 samples": (flac_head(44100, 2, 2**32), AudioTooLarge, "too long"),
    "a rate of zero": (wav_head(0, 2), MalformedAudio, "too low"),
    "a rate of 4 GHz": (wav_head(4_000_000_000, 2), AudioTooLarge, "sample rate is too high"),
    "a thousand channels": (wav_head(44100, 1000), AudioTooLarge, "too many channels"),
    "no channels": (wav_head(44100, 0)[:32] + b"\x02\0" + wav_head(44100, 0)[34:], MalformedAudio, "no channels"),
    "no sound": (encoded("WAV", TONE[:0]), MalformedAudio, "no sound"),
    "a text": (b"Hello", MalformedAudio, "no audio file"),
}


@pytest.mark.parametrize(("data", "error", "message"), CLAIMS.values(), ids=CLAIMS.keys())
def test_an_absurd_claim_is_refused_at_once(data, error, message, tmp_path):
    with pytest.raises(error, match=message) as caught:
        facts(data, tmp_path)
    assert caught.value.found


def test_the_error_of_the_child_arrives_whole_and_quickly(master):
    begin = time.perf_counter()
    with pytest.raises(MalformedAudio) as caught:
        analyse_audio(master(b"Hello"))
    assert caught.value.found == "starts with 'Hello'"
    assert caught.value.expected == "one of WAV, FLAC, MP3, OGG, AIFF"
    assert time.perf_counter() - begin < 1


LONG_SILENCE = np.zeros((2 * 3600 * 8000, 2), "int16")
TIGHT = {
    "too many bytes": (AudioLimits(max_bytes=1000), "too large", "at most 1000 bytes"),
    "too many seconds": (AudioLimits(max_seconds=3599), "too long", "at most 3599 s"),
    "too much processor time": (AudioLimits(cpu_seconds=0), "too much processor time", "at most 0 s"),
    "too much memory": (AudioLimits(memory_bytes=64 << 20), "too much memory", "at most 64 MiB"),
    "too much time": (AudioLimits(wall_seconds=0), "too long", "at most 0 s"),
}


@pytest.fixture(scope="module")
def hours_of_silence(tmp_path_factory):
    """Small on disk, long to decode: 460 MB of samples in a few hundred kilobytes."""
    path = tmp_path_factory.mktemp("audio") / "hours.flac"
    path.write_bytes(encoded("FLAC", LONG_SILENCE, rate=8000))
    return str(path)


@pytest.mark.parametrize(("limits", "message", "expected"), TIGHT.values(), ids=TIGHT.keys())
def test_a_child_that_costs_too_much_is_stopped(limits, message, expected, hours_of_silence):
    with pytest.raises(AudioTooLarge, match=message) as caught:
        analyse_audio(hours_of_silence, limits)
    assert caught.value.expected == expected


def test_the_child_can_write_no_file(tmp_path):
    """The confinement is real: once it is set, the process cannot write a single byte to disk."""
    program = (
        "import sys; from certifier.audio.child import _confine; from certifier.audio.model import AudioLimits;"
        "file = open(sys.argv[1], 'wb', buffering=0); _confine(AudioLimits()); file.write(b'x')"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "x"], capture_output=True, check=False)
    assert done.returncode != 0
    assert (tmp_path / "x").read_bytes() == b""


def test_the_child_sees_nothing_of_the_environment(monkeypatch):
    monkeypatch.setenv("EXAMPLE_SECRET", "x")
    assert set(analyse._environment()) <= {"PYTHONPATH", "OPENBLAS_NUM_THREADS", *analyse.PASSED_ON}


PLACES = {
    "a file that is not there": ("none.wav", NotFoundError, "cannot be opened"),
    "a folder": (".", MalformedAudio, "no file"),
    "a name that no system takes": ("\0", NotFoundError, "cannot be opened"),
}


@pytest.mark.parametrize(("name", "error", "message"), PLACES.values(), ids=PLACES.keys())
def test_a_place_without_a_file_is_named(name, error, message, tmp_path):
    with pytest.raises(error, match=message):
        analyse_audio(f"{tmp_path}/{name}")


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MalformedAudio, match="no file"):
        analyse_audio(str(tmp_path / "pipe"))


def test_a_decoder_that_cannot_be_started_is_no_fault_of_the_file(master, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(OperatorError, match="cannot be started"):
        analyse_audio(master(encoded("WAV")))


@pytest.fixture
def instead(tmp_path, monkeypatch):
    """Another program in the place of the decoder: lines of a shell."""

    def put(lines):
        program = tmp_path / "program"
        program.write_text(f"#!/bin/sh\n{lines}\n")
        program.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(program))

    return put


def test_what_a_library_prints_about_a_file_need_not_be_text(master, instead):
    instead("printf 'bad tag \\377' >&2; exit 1")
    with pytest.raises(OperatorError, match="does not work here") as caught:
        analyse_audio(master(encoded("WAV")))
    assert "bad tag" in caught.value.found


def test_no_decoder_outlives_whoever_is_stopped_as_it_starts(master, instead, monkeypatch):
    instead("exec sleep 5")
    started = []

    def stopped(process):
        started.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(analyse, "_stand_back", stopped)
    with pytest.raises(KeyboardInterrupt):
        analyse_audio(master(encoded("WAV")))
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)


ENDINGS = {
    "a crash": (-11, MalformedAudio, "broke down"),
    "a kill": (-9, AudioTooLarge, "processor time"),
    "a missing library": (1, OperatorError, "does not work here"),
}


@pytest.mark.parametrize(("code", "error", "message"), ENDINGS.values(), ids=ENDINGS.keys())
def test_whatever_becomes_of_the_child_the_caller_sees_one_named_error(code, error, message):
    done = subprocess.CompletedProcess([], code, stdout="", stderr="Traceback\nImportError: no such library")
    with pytest.raises(error, match=message) as caught:
        analyse._facts_from(done, LIMITS)
    assert "Traceback" not in f"{caught.value} {caught.value.found}"


def test_three_minutes_are_read_in_about_a_second(master):
    samples = np.tile(TONE, (90, 1))
    path = master(encoded("WAV", samples))
    begin = time.perf_counter()
    assert analyse_audio(path).duration_s == Decimal(180)
    assert time.perf_counter() - begin < 5  # a quarter of a second on a quiet machine
