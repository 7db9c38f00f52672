"""Takes: chorales written by the trained network, and a plain judgement of each.

A take is drafted from left to right and then revised many times, voice by voice, ever more carefully (Gibbs sampling
with falling temperature). Its plan is fixed: phrases of two bars with an upbeat, a rest at the end of each, and the
melody of the first three phrases comes back with new lower voices. Left to others: sound (``synth``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from examples.studio.data import STEPS_PER_BAR, VOICES, Chorale, sounding_of
from examples.studio.model import (
    DRAFT_ORDER,
    EVENTS,
    HOLD,
    LOWEST,
    PAST,
    grid_of,
    hide_unwritten,
    inputs_of,
    softmax,
    surroundings_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from examples.studio.model import Grid, Network

PHRASE = 2 * STEPS_PER_BAR
UPBEAT_POSITION = 6  # the last quarter of a bar
RESTING_STEPS = 2
RANGES = ((60, 79), (55, 74), (48, 67), (38, 62))  # soprano to bass, in C
REPEATED_PHRASES = 3
NEIGHBOURS_APART = 4  # cells revised at once are this many steps apart, so none decides beside another
FIRST_HEAT, LAST_HEAT = 1.0, 0.6  # cooler than this, the music turns bland
TONIC_CHORD = {0, 4, 7}
SEMITONES_OF_OCTAVE = 12
LONGEST_STILL_STEPS = 8


@dataclass(frozen=True)
class Judgement:
    """How a take was judged: mean log-likelihood of its cells in nats, and what the rules found."""

    likelihood: float
    parallels: int
    crossings: int
    wide_leaps: int
    stuck_steps: int
    repeats: int
    closes_on_tonic: bool

    @property
    def score(self) -> float:
        faults = 0.02 * (self.parallels + self.crossings + self.wide_leaps) + 0.01 * (self.stuck_steps + self.repeats)
        return self.likelihood - faults - (0.0 if self.closes_on_tonic else 0.5)


def blank_take(phrases: int) -> Chorale:
    """The plan of a take, all voices holding one chord: ``phrases`` of two bars, the first from an upbeat."""
    steps = phrases * PHRASE
    start = np.array([67, 64, 60, 48])
    onsets = np.zeros((steps, len(VOICES)), dtype=np.bool_)
    onsets[0] = True
    resting = np.arange(steps) % PHRASE >= PHRASE - RESTING_STEPS
    return Chorale(np.tile(start, (steps, 1)), onsets, resting, UPBEAT_POSITION, minor=False)


class _Draft:
    """A take being written: events of each cell, and the grid that the network sees."""

    def __init__(self, network: Network, phrases: int, rng: np.random.Generator) -> None:
        self._network, self._rng = network, rng
        self._plan = blank_take(phrases)
        self.steps = phrases * PHRASE
        self.events = np.where(self._plan.onsets, self._plan.pitches - LOWEST + 1, HOLD)
        self.grid: Grid = grid_of([self._plan])

    def chorale(self) -> Chorale:
        onsets = self.events > HOLD
        raised = self.events + LOWEST - 1
        voices = [sounding_of(raised[:, v], onsets[:, v]) for v in range(len(VOICES))]
        return replace(self._plan, pitches=np.stack(voices, axis=1), onsets=onsets)

    def write(self, steps: NDArray[np.int64], voice: int, heat: float, *, first_time: bool = False) -> None:
        """Choose the events of these cells anew."""
        chances = self.chances(steps, voice, heat, first_time=first_time)
        drawn = (chances.cumsum(axis=1) < self._rng.random((len(steps), 1))).sum(axis=1)
        self.events[steps, voice] = np.minimum(drawn, EVENTS - 1)
        if voice == 0:
            self._repeat_melody()
        self.grid = grid_of([self.chorale()])

    def chances(
        self, steps: NDArray[np.int64], voice: int, heat: float, *, first_time: bool = False
    ) -> NDArray[np.float32]:
        voices = np.full(len(steps), voice)
        cells = surroundings_of(self.grid, steps + PAST, voices)
        if first_time:
            hide_unwritten(cells, voices)
        logits = self._network.logits(inputs_of(cells, self.grid.frame[steps + PAST], voices), voice)
        return softmax(np.where(self._forbidden(steps, voice), np.float32(-1e9), logits / np.float32(heat)))

    def _forbidden(self, steps: NDArray[np.int64], voice: int) -> NDArray[np.bool_]:
        pitches = np.arange(EVENTS) + LOWEST - 1
        low, high = RANGES[voice]
        forbidden = np.tile((pitches < low) | (pitches > high), (len(steps), 1))
        forbidden[:, HOLD] = steps % PHRASE == 0  # every phrase begins with a new breath
        return forbidden

    def _repeat_melody(self) -> None:
        part = REPEATED_PHRASES * PHRASE
        if self.steps >= 2 * part:
            self.events[part : 2 * part, 0] = self.events[:part, 0]


def compose(
    network: Network,
    phrases: int,
    sweeps: int,
    rng: np.random.Generator,
    on_progress: Callable[[float], None] = lambda _: None,
) -> tuple[Chorale, Judgement]:
    """A take and its judgement; the same network and generator state give the same take."""
    draft = _Draft(network, phrases, rng)
    for step in range(draft.steps):
        for voice in DRAFT_ORDER:
            draft.write(np.array([step]), voice, FIRST_HEAT, first_time=True)
    for sweep in range(sweeps):
        heat = FIRST_HEAT + (LAST_HEAT - FIRST_HEAT) * sweep / max(1, sweeps - 1)
        for voice in rng.permutation(len(VOICES)):
            for offset in rng.permutation(NEIGHBOURS_APART):
                draft.write(np.arange(offset, draft.steps, NEIGHBOURS_APART), int(voice), heat)
        on_progress((sweep + 1) / sweeps)
    chorale = draft.chorale()
    return chorale, judge(chorale, _likelihood_of(draft))


def _likelihood_of(draft: _Draft) -> float:
    steps = np.arange(draft.steps)
    chosen = [draft.chances(steps, v, 1.0)[steps, draft.events[:, v]] for v in range(len(VOICES))]
    return float(np.log(np.stack(chosen) + 1e-6).mean())


def judge(chorale: Chorale, likelihood: float) -> Judgement:
    """The rules of four-part writing that a listener would miss most."""
    pitches = chorale.pitches
    leaps = np.abs(np.diff(pitches, axis=0))
    return Judgement(
        likelihood=likelihood,
        parallels=_parallels_in(pitches),
        crossings=int((np.diff(pitches, axis=1) > 0).sum()),
        wide_leaps=int((leaps > SEMITONES_OF_OCTAVE).sum() + (leaps[:, 0] > 9).sum()),
        stuck_steps=_stuck_steps_in(leaps),
        repeats=_repeats_in(chorale),
        closes_on_tonic=int(pitches[-1, -1]) % 12 == 0 and {int(p) % 12 for p in pitches[-1]} <= TONIC_CHORD,
    )


def _parallels_in(pitches: NDArray[np.int64]) -> int:
    """Pairs of voices that move together in fifths or octaves."""
    found = 0
    for upper in range(len(VOICES)):
        for lower in range(upper + 1, len(VOICES)):
            gaps = (pitches[:, upper] - pitches[:, lower]) % SEMITONES_OF_OCTAVE
            moved = (np.diff(pitches[:, upper]) != 0) & (np.diff(pitches[:, lower]) != 0)
            found += int((moved & (gaps[1:] == gaps[:-1]) & np.isin(gaps[1:], (0, 7))).sum())
    return found


def _stuck_steps_in(leaps: NDArray[np.int64]) -> int:
    """Steps in which nothing has moved in any voice for more than a bar."""
    still, stuck = 0, 0
    for moved in (leaps.sum(axis=1) > 0).tolist():
        still = 0 if moved else still + 1
        stuck += still > LONGEST_STILL_STEPS
    return stuck


def _repeats_in(chorale: Chorale) -> int:
    """Melody notes that only say again what was just sung, and resting chords that were the last one too."""
    melody = chorale.pitches[chorale.onsets[:, 0], 0]
    rests = chorale.pitches[PHRASE - 1 :: PHRASE]
    return int((np.diff(melody) == 0).sum() + (np.diff(rests, axis=0) == 0).all(axis=1).sum())
