"""Sound for a chorale: soft organ-like voices in a room, mastered to 16-bit stereo.

Each note is a sum of a few sine partials with a slow swell, doubled a hair out of tune for width, with a short bell of
phase modulation at its start. The room is noise that dies away, folded in. Arithmetic is numpy only and the same
input gives the same bytes. Left to others: which notes (``compose``).
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from examples.studio.data import VOICES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from examples.studio.data import Chorale

SAMPLE_RATE = 44_100
SECONDS_PER_STEP = 0.42  # an eighth; about 71 quarters a minute
REST_STRETCH = 1.5  # a resting chord lasts longer
REST_SLOWING = 1.12  # and the beat before it is a little slower
BREATH_S = 0.10
FINAL_CHORD_S = 3.2
TAIL_S = 1.3
TRANSPOSE = 5  # F major
ATTACK_S, RELEASE_S = 0.045, 0.22
PARTIALS = (1.0, 0.50, 0.30, 0.16, 0.11, 0.07, 0.05, 0.03)
DETUNE_CENTS, DETUNE_LEVEL = (-4.0, 4.0), 0.5
PAN = (-0.35, 0.30, -0.15, 0.10)  # soprano to bass; -1 left, 1 right
GAIN = (1.0, 0.72, 0.75, 1.0)
ROOM_S, ROOM_SHARE = 1.7, 0.22
PEAK = 10 ** (-1 / 20)  # -1 dBFS
TARGET_LUFS = -14.0


@dataclass(frozen=True)
class Note:
    """One note: when, how long, which."""

    start_s: float
    length_s: float
    midi: int
    voice: int
    level: float


def notes_of(chorale: Chorale) -> tuple[list[Note], float]:
    """The notes with their times, and the moment at which the last one ends (seconds)."""
    starts = step_times_of(chorale)
    levels = _levels_of(chorale)
    notes = []
    for voice in range(len(VOICES)):
        begins = np.flatnonzero(chorale.onsets[:, voice]).tolist()
        for begin, end in zip(begins, [*begins[1:], len(chorale.pitches)], strict=True):
            breath = BREATH_S if chorale.fermatas[end - 1] else 0.0
            length = float(starts[end] - starts[begin]) - breath
            midi = int(chorale.pitches[begin, voice]) + TRANSPOSE
            notes.append(Note(float(starts[begin]), length, midi, voice, float(levels[begin]) * GAIN[voice]))
    return sorted(notes, key=lambda note: note.start_s), float(starts[-1])


def _levels_of(chorale: Chorale) -> NDArray[np.float64]:
    """(T,) each phrase swells to its middle and falls back, as a singer's breath does."""
    ends = np.flatnonzero(chorale.fermatas[:-1] & ~chorale.fermatas[1:]) + 1
    arcs = [np.sin(np.pi * np.linspace(0.15, 1, len(part))) for part in np.split(chorale.fermatas, ends)]
    levels: NDArray[np.float64] = 0.7 + 0.3 * np.concatenate(arcs)
    return levels


def step_times_of(chorale: Chorale) -> NDArray[np.float64]:
    """(T + 1,) when each step begins; resting chords stretch, the last one most."""
    lengths = np.full(len(chorale.pitches), SECONDS_PER_STEP)
    resting = chorale.fermatas
    for ahead in (1, 2):
        lengths[:-ahead][resting[ahead:] & ~resting[:-ahead]] *= REST_SLOWING
    lengths[resting] *= REST_STRETCH
    final = len(resting) - int(np.argmin(resting[::-1]))
    if final < len(resting):
        lengths[final:] = FINAL_CHORD_S / (len(resting) - final)
    return np.concatenate([[0.0], np.cumsum(lengths)])


def render(
    chorale: Chorale, rng: np.random.Generator, on_progress: Callable[[float], None] = lambda _: None
) -> NDArray[np.float64]:
    """(frames, 2) the mastered sound, within -1 and 1."""
    notes, end_s = notes_of(chorale)
    dry = np.zeros((int((end_s + TAIL_S) * SAMPLE_RATE), 2))
    for done, note in enumerate(notes, start=1):
        _add(dry, note)
        on_progress(done / len(notes))
    return master(_in_a_room(dry, rng))


def seconds_of(chorale: Chorale) -> float:
    """How long a take would sound, rendered or not."""
    return int((float(step_times_of(chorale)[-1]) + TAIL_S) * SAMPLE_RATE) / SAMPLE_RATE


def _add(dry: NDArray[np.float64], note: Note) -> None:
    first = int(note.start_s * SAMPLE_RATE)
    frames = min(int((note.length_s + RELEASE_S) * SAMPLE_RATE), len(dry) - first)
    seconds = np.arange(frames) / SAMPLE_RATE
    envelope = _envelope(seconds, note.length_s) * note.level
    angle = (PAN[note.voice] + 1) * np.pi / 4
    middle = _tone(seconds, note.midi)
    for side, cents in enumerate(DETUNE_CENTS):
        tone = middle + DETUNE_LEVEL * _tone(seconds, note.midi + cents / 100)
        dry[first : first + frames, side] += (np.cos(angle), np.sin(angle))[side] * envelope * tone


def _envelope(seconds: NDArray[np.float64], length_s: float) -> NDArray[np.float64]:
    """A rounded swell, a slow decline, a rounded release; it starts and ends at zero, so nothing clicks."""
    rise = np.sin(np.pi / 2 * np.clip(seconds / ATTACK_S, 0, 1)) ** 2
    fall = np.cos(np.pi / 2 * np.clip((seconds - length_s) / RELEASE_S, 0, 1)) ** 2
    level: NDArray[np.float64] = rise * fall * (0.6 + 0.4 * np.exp(-seconds / 0.9))
    return level


def _tone(seconds: NDArray[np.float64], midi: float) -> NDArray[np.float64]:
    hertz = 440.0 * 2 ** ((midi - 69) / 12)
    phase = 2 * np.pi * hertz * seconds
    tone = np.zeros_like(seconds)
    for number, level in enumerate(PARTIALS, start=1):
        tone += level * np.sin(number * phase + 0.3 * number)
    bell = 0.25 * np.exp(-seconds / 0.25) * np.sin(phase + 0.8 * np.exp(-seconds / 0.12) * np.sin(4 * phase))
    swell: NDArray[np.float64] = tone + bell
    return swell


def _in_a_room(dry: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    frames = int(ROOM_S * SAMPLE_RATE)
    seconds = np.arange(frames) / SAMPLE_RATE
    noise = rng.standard_normal((frames, 2)) * np.exp(-seconds * 6.9 / ROOM_S)[:, None]
    noise[: int(0.012 * SAMPLE_RATE)] = 0  # the first wall is four metres away
    echo = _lowpassed(noise, 3500.0)
    echo /= np.sqrt((echo**2).sum(axis=0))
    wet = _convolved(dry, echo)
    mixed: NDArray[np.float64] = dry + ROOM_SHARE * wet
    return mixed


def _convolved(signal: NDArray[np.float64], echo: NDArray[np.float64]) -> NDArray[np.float64]:
    size = 1 << (len(signal) + len(echo)).bit_length()
    folded = np.fft.irfft(np.fft.rfft(signal, size, axis=0) * np.fft.rfft(echo, size, axis=0), size, axis=0)
    return folded[: len(signal)]


def _lowpassed(signal: NDArray[np.float64], hertz: float) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(signal, axis=0)
    frequencies = np.fft.rfftfreq(len(signal), 1 / SAMPLE_RATE)
    return np.fft.irfft(spectrum / np.sqrt(1 + (frequencies / hertz) ** 4)[:, None], len(signal), axis=0)


def master(mixed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Loudness near -14 LUFS, peaks rounded off below -1 dBFS, silence at both ends faded."""
    loud = mixed * 10 ** ((TARGET_LUFS - loudness_of(mixed)) / 20)
    rounded = PEAK * np.tanh(loud / PEAK)
    fade = int(TAIL_S * SAMPLE_RATE)
    rounded[-fade:] *= np.cos(np.pi / 2 * np.linspace(0, 1, fade))[:, None] ** 2
    return np.asarray(rounded, dtype=np.float64)


def loudness_of(sound: NDArray[np.float64]) -> float:
    """LUFS of the whole, ungated, with the weighting curve of ITU-R BS.1770-5 annex 1 laid over the spectrum."""
    power = np.abs(np.fft.rfft(sound, axis=0)) ** 2
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE) / 48_000)
    shelf = (1.53512485958697, -2.69169618940638, 1.19839281085285), (1, -1.69065929318241, 0.73248077421585)
    highpass = (1.0, -2.0, 1.0), (1, -1.99004745483398, 0.99007225036621)
    gain = np.ones_like(turn)
    for above, below in (shelf, highpass):
        gain *= np.polyval(above[::-1], turn) / np.polyval(below[::-1], turn)
    weighted = 2 * float((power * np.abs(gain[:, None]) ** 2).sum()) / len(sound) ** 2
    return -0.691 + 10 * float(np.log10(max(weighted, 1e-12)))


def save_wav(path: Path, sound: NDArray[np.float64], rng: np.random.Generator) -> None:
    """Write 16-bit stereo with triangular dither, which turns rounding errors into a faint hiss."""
    dither = rng.random(sound.shape) - rng.random(sound.shape)
    samples = np.clip(np.round(sound * 32767 + dither), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
