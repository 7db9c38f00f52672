"""The example studio's sound can be borne: even, unclipped, without clicks, and the same for the same seed."""

import wave

import numpy as np
import pytest

from examples.studio.compose import blank_take
from examples.studio.data import Chorale
from examples.studio.synth import (
    PEAK,
    SAMPLE_RATE,
    TARGET_LUFS,
    loudness_of,
    notes_of,
    render,
    save_wav,
    seconds_of,
    step_times_of,
)

SILENCE_DBFS = -60


@pytest.fixture(scope="module")
def chorale():
    """Two phrases over a walking bass, made by hand."""
    plan = blank_take(2)
    steps = np.arange(len(plan.pitches))
    walk = np.array([0, 5, 7, 2])[(steps // 4) % 4]
    return Chorale(plan.pitches + walk[:, None], np.tile((steps % 2 == 0)[:, None], 4), plan.fermatas, 6, minor=False)


@pytest.fixture(scope="module")
def sound(chorale):
    return render(chorale, np.random.default_rng(1))


def test_it_is_as_long_as_the_score_says(chorale, sound):
    assert len(sound) / SAMPLE_RATE == seconds_of(chorale)
    assert sound.shape[1] == 2


def test_it_neither_clips_nor_whispers(sound):
    assert 0.3 < np.abs(sound).max() <= PEAK
    assert loudness_of(sound) == pytest.approx(TARGET_LUFS, abs=1.0)
    assert abs(sound.mean()) < 1e-3


def test_nothing_clicks(sound):
    """A click is a step between samples that the tones themselves cannot make."""
    steps = np.abs(np.diff(sound, axis=0))
    assert steps.max() < 0.2
    assert np.abs(sound[0]).max() < 1e-3
    assert np.abs(sound[-1]).max() < 1e-3


def test_its_spectrum_is_that_of_voices(sound):
    power = np.abs(np.fft.rfft(sound.mean(axis=1))) ** 2
    frequencies = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    assert power[(frequencies > 60) & (frequencies < 5000)].sum() > 0.999 * power.sum()
    assert 200 < (power * frequencies).sum() / power.sum() < 1500


def test_hardly_any_of_it_is_silent(sound):
    window = SAMPLE_RATE * 4 // 10
    starts = range(0, len(sound) - window, window // 4)
    levels = [20 * np.log10(np.sqrt((sound[i : i + window] ** 2).mean(axis=0)).max() + 1e-9) for i in starts]
    assert np.mean(np.array(levels) < SILENCE_DBFS) < 0.1


def test_the_two_sides_differ_but_belong_together(sound):
    assert 0.3 < np.corrcoef(sound.T)[0, 1] < 0.99


def test_phrases_rest_and_the_last_chord_rests_longest(chorale):
    lengths = np.diff(step_times_of(chorale))
    assert lengths[14] > lengths[13] > lengths[0]
    assert lengths[-1] > lengths[14]
    notes, end = notes_of(chorale)
    assert all(note.length_s > 0 and note.start_s + note.length_s <= end for note in notes)


def test_loudness_of_a_known_tone():
    """ITU-R BS.1770-5 annex 1: a full-scale 997 Hz sine in one channel reads -3.01 LKFS."""
    seconds = np.arange(5 * SAMPLE_RATE) / SAMPLE_RATE
    tone = np.stack([np.sin(2 * np.pi * 997 * seconds), np.zeros_like(seconds)], axis=1)
    assert loudness_of(tone) == pytest.approx(-3.01, abs=0.02)


def test_the_same_seed_gives_the_same_file(chorale, sound, tmp_path):
    again = render(chorale, np.random.default_rng(1))
    files = [tmp_path / "one.wav", tmp_path / "two.wav"]
    for path, samples in zip(files, (sound, again), strict=True):
        save_wav(path, samples, np.random.default_rng(2))
    assert files[0].read_bytes() == files[1].read_bytes()
    with wave.open(str(files[0])) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, SAMPLE_RATE)
        assert file.getnframes() == len(sound)
