"""How much of a recording is silent (LCAL 1.0.0 section 2), measured while it streams by.

Windows of 400 ms, hop 100 ms. A window is silent if the RMS of its loudest channel is below -60 dBFS; a moment is
silent if every window that holds it is. What the standard leaves open is settled here:

- 0 dBFS is the RMS of a square wave at full scale, so -60 dBFS is an RMS of exactly 0.001 of full scale.
- Window k holds the samples from k x 100 ms to k x 100 ms + 400 ms. Where 100 ms is not a whole number of samples, a
  sample belongs to the step of 100 ms in which its own moment (index / rate) lies; windows therefore never drift.
- No window is shorter than 400 ms. The last one takes in the rest of the file, less than 100 ms, so each moment is
  held by at least one window.
- A file shorter than 500 ms is one window.

Samples come in blocks of any size and are forgotten; one sum for each step and channel is kept, 80 bytes for each
second and channel.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from certifier.errors import MalformedAudio

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS_PER_SECOND = 10
STEPS_PER_WINDOW = 4
SILENT_MEAN_SQUARE = 1e-6  # -60 dBFS: 10 ** (-60 / 10)


def step_start(step: int, sample_rate: int) -> int:
    """Index of the first sample whose moment lies in this step of 100 ms."""
    return -(-step * sample_rate // STEPS_PER_SECOND)


class SilenceMeter:
    """Feed it all samples in order, then ask for the number of silent frames."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate = sample_rate
        self._channels = channels
        self._frames = 0
        self._sums: list[tuple[int, NDArray[np.float64]]] = []

    def feed(self, block: NDArray[np.float64]) -> None:
        """Take the next frames: shape (frames, channels), full scale is 1.0. At least one frame."""
        first = self._frames * STEPS_PER_SECOND // self._rate
        last = (self._frames + len(block) - 1) * STEPS_PER_SECOND // self._rate
        starts = [step_start(step, self._rate) - self._frames for step in range(first + 1, last + 1)]
        edges = [0, *starts, len(block)]
        self._sums.append((first, np.array([_energy(block[start:end]) for start, end in pairwise(edges)])))
        self._frames += len(block)

    def silent_frames(self) -> int:
        """Frames in which every window is silent. Raises MalformedAudio if a sample is no finite number."""
        if not self._frames:
            return 0
        energy = self._energy_of_steps()
        if not np.isfinite(energy).all():
            raise MalformedAudio("the file holds samples that are not finite numbers", hint="Export the master again.")
        bounds = np.array([*(step_start(step, self._rate) for step in range(len(energy))), self._frames])
        return int(np.diff(bounds)[~_steps_in_loud_windows(energy, bounds)].sum())

    def _energy_of_steps(self) -> NDArray[np.float64]:
        """Sum of squares by whole step and channel; the last step takes in the rest of the file."""
        energy = np.zeros(((self._frames - 1) * STEPS_PER_SECOND // self._rate + 1, self._channels))
        for first, sums in self._sums:
            energy[first : first + len(sums)] += sums
        whole = max(1, self._frames * STEPS_PER_SECOND // self._rate)
        energy[whole - 1] += energy[whole:].sum(axis=0)
        return energy[:whole]


def _energy(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):  # a sum that is not finite is refused at the end
        energy: NDArray[np.float64] = np.einsum("ij,ij->j", samples, samples)
    return energy


def _steps_in_loud_windows(energy: NDArray[np.float64], bounds: NDArray[np.int64]) -> NDArray[np.bool_]:
    steps = min(STEPS_PER_WINDOW, len(energy))
    windows = np.lib.stride_tricks.sliding_window_view(energy, steps, axis=0).sum(axis=-1)
    sizes = bounds[steps:] - bounds[:-steps]
    loud = windows.max(axis=1) / sizes >= SILENT_MEAN_SQUARE
    held_by_loud: NDArray[np.bool_] = np.convolve(loud, np.ones(steps)) > 0
    return held_by_loud
