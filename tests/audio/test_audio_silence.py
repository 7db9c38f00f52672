"""Silence as LCAL 1.0.0 section 2 defines it: windows of 400 ms, hop 100 ms, loudest channel below -60 dBFS."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certifier.audio.silence import SilenceMeter
from certifier.errors import MalformedAudio

RATE = 8000


def silent_frames(samples, rate=RATE, block=1000):
    meter = SilenceMeter(rate, samples.shape[1])
    for start in range(0, len(samples), block):
        meter.feed(samples[start : start + block])
    return meter.silent_frames()


def level(db, seconds, rate=RATE, channels=1):
    """A constant at this RMS, alternating in sign so that nothing but its power matters."""
    signs = np.where(np.arange(round(seconds * rate)) % 2, 1.0, -1.0)
    return np.repeat((signs * 10 ** (db / 20))[:, None], channels, axis=1)


def silent_frames_by_the_letter(samples, rate):
    """Slow oracle: every window, every sample in it, in the words of the standard; the last window takes in the rest."""
    frames, tenth = len(samples), Fraction(1, 10)
    windows, k = [], 0
    while k == 0 or Fraction(k + 4, 10) * rate <= frames:
        windows.append([i for i in range(frames) if k * tenth <= Fraction(i, rate) < (k + 4) * tenth])
        k += 1
    windows[-1] += range(windows[-1][-1] + 1, frames)
    held_by_loud = set()
    for window in windows:
        mean_squares = [sum(float(samples[i, c]) ** 2 for i in window) / len(window) for c in range(samples.shape[1])]
        if max(mean_squares) >= 1e-6:
            held_by_loud.update(window)
    return frames - len(held_by_loud)


@st.composite
def recordings(draw):
    """A few stretches of different loudness, at rates where 100 ms is or is not a whole number of samples.

    No window of them lies on the threshold itself, where the last bit of a sum would decide: 5041 a + 52900 b is never 10000 n
    for a, b and n of so few samples.
    """
    rate = draw(st.sampled_from([20, 37, 40, 64, 101, 110]))
    channels = draw(st.integers(1, 3))
    stretch = st.tuples(
        st.integers(1, 90), st.lists(st.sampled_from([0.0, 7.1e-4, 2.3e-3, 0.5]), min_size=channels, max_size=channels)
    )
    parts = draw(st.lists(stretch, min_size=1, max_size=6))
    return rate, np.concatenate([np.tile(amplitudes, (length, 1)) for length, amplitudes in parts])


@settings(max_examples=60, deadline=None)
@given(recordings(), st.integers(1, 200))
def test_the_streamed_measure_agrees_with_the_letter_of_the_standard_in_blocks_of_any_size(recording, block):
    rate, samples = recording
    assert silent_frames(samples, rate, block) == silent_frames_by_the_letter(samples, rate)


LEVELS = {
    "-61 dBFS throughout is silent to the last sample": (-61, 1.0),
    "-59 dBFS throughout is not silent at all": (-59, 0.0),
    "digital zero is silent": (-400, 1.0),
}


@pytest.mark.parametrize("seconds", [0.05, 0.4, 0.45, 1.0, 2.0337], ids="{} s".format)
@pytest.mark.parametrize(("db", "share"), LEVELS.values(), ids=LEVELS.keys())
def test_the_threshold_holds_for_any_length(db, share, seconds):
    samples = level(db, seconds)
    assert silent_frames(samples) == len(samples) * share


def test_five_seconds_of_silence_after_a_tone_count_but_for_the_windows_that_still_hold_the_tone():
    samples = np.concatenate([level(-10, 5), level(-400, 5)])
    assert silent_frames(samples) == (5 - 0.3) * RATE


def test_one_loud_channel_breaks_the_silence_of_all():
    samples = np.concatenate([level(-400, 2, channels=2), level(-20, 2)], axis=1)
    assert silent_frames(samples) == 0


def test_a_pause_shorter_than_a_window_is_no_silence():
    samples = np.concatenate([level(-20, 1), level(-400, 0.39), level(-20, 1)])
    assert silent_frames(samples) == 0


def test_a_tone_that_runs_past_the_last_full_step_is_heard():
    samples = np.concatenate([level(-400, 3), level(-20, 0.05)])
    assert silent_frames(samples) == 2.6 * RATE


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e200])
def test_samples_that_are_no_finite_numbers_are_refused(value):
    samples = level(-20, 1)
    samples[4000] = value
    with pytest.raises(MalformedAudio, match="finite"):
        silent_frames(samples)
