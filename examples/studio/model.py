"""A small neural network that fills one cell of a chorale from what stands around it; numpy only, trained here.

For a voice at a step it gives a probability to each next event: hold the note, or begin one of the pitches. It is
trained on cells whose surroundings are partly hidden: sometimes everything that comes later, as when a first draft is
written from left to right, sometimes a random part, as when a draft is revised. So one network does both.

Left to others: the data (``data``), writing music with it (``compose``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from examples.studio.data import STEPS_PER_BAR, VOICES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from examples.studio.data import Chorale


LOWEST, HIGHEST = 30, 90  # MIDI, after moving to C major or A minor
PITCHES = HIGHEST - LOWEST + 1
HOLD, EVENTS = 0, PITCHES + 1  # event k > 0 begins the pitch LOWEST + k - 1

# What a cell of the surroundings may show. A held pitch is known where it sounds; where it would give away the
# answer (later cells of the same voice), only "held" is shown.
SHOWN_HOLD, SHOWN_HIDDEN, SHOWN_EDGE = 0, 1, 2
SHOWN_ONSET = 3
SHOWN_HELD = SHOWN_ONSET + PITCHES
SHOWN = SHOWN_HELD + PITCHES

PROGRESS_EVERY = 25
DROPPED, DECAY = 0.3, 0.02  # the corpus is small: without these the network learns it by heart

PAST, FUTURE = 10, 8
CELLS = (PAST + 1 + FUTURE) * len(VOICES)
PHRASE_STEPS, END_STEPS = 17, 17
DRAFT_ORDER = (0, 3, 2, 1)  # soprano, bass, tenor, alto: melody and ground first
_DRAFT_RANK = np.argsort(DRAFT_ORDER)


def _cell_features() -> NDArray[np.float32]:
    """A row of numbers for each thing that a cell may show: kind, place in the octave, height."""
    pitches = np.arange(LOWEST, HIGHEST + 1)
    table = np.zeros((SHOWN, 24), dtype=np.float32)
    table[[SHOWN_HOLD, SHOWN_HIDDEN, SHOWN_EDGE], [0, 1, 2]] = 1
    for first, begins in ((SHOWN_ONSET, 1), (SHOWN_HELD, 0)):
        rows = first + np.arange(PITCHES)
        table[rows, 3] = begins
        table[rows, 4 + pitches % 12] = 1
        table[rows, 16] = (pitches - 60) / 12
        table[rows, 17 + np.clip(pitches // 12 - 2, 0, 5)] = 1
        table[rows, 23] = 1
    return table


CELL_FEATURES = _cell_features()
INPUTS = CELLS * CELL_FEATURES.shape[1] + len(VOICES) + STEPS_PER_BAR + 2 * PHRASE_STEPS + END_STEPS + 1


@dataclass(frozen=True)
class Grid:
    """Chorales ready for the network, one after the other with edges between them.

    ``sounding`` and ``own`` (T, 4): what a cell shows to other voices and later cells, and to earlier cells of its own
    voice; ``events`` (T, 4): the answers; ``frame`` (T, n): metre, phrase and end; ``inside`` (N,): the real steps.
    """

    sounding: NDArray[np.int64]
    own: NDArray[np.int64]
    events: NDArray[np.int64]
    frame: NDArray[np.float32]
    inside: NDArray[np.int64]


def grid_of(chorales: Sequence[Chorale]) -> Grid:
    """One grid for all; PAST edges before and FUTURE edges after each."""
    sounding, own, events, frame, inside, length = [], [], [], [], [], 0
    for chorale in chorales:
        steps = len(chorale.pitches)
        edges = ((PAST, FUTURE), (0, 0))
        sounding.append(np.pad(shown_sounding(chorale.pitches, chorale.onsets), edges, constant_values=SHOWN_EDGE))
        own.append(np.pad(shown_own(chorale.pitches, chorale.onsets), edges, constant_values=SHOWN_EDGE))
        events.append(np.pad(np.where(chorale.onsets, chorale.pitches - LOWEST + 1, HOLD), edges))
        frame.append(np.pad(frame_of(chorale.fermatas, chorale.first_position, minor=chorale.minor), edges))
        inside.append(np.arange(length + PAST, length + PAST + steps))
        length += PAST + steps + FUTURE
    joined = [np.concatenate(parts) for parts in (sounding, own, events)]
    return Grid(joined[0], joined[1], joined[2], np.concatenate(frame), np.concatenate(inside))


def shown_sounding(pitches: NDArray[np.int64], onsets: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(onsets, SHOWN_ONSET, SHOWN_HELD) + pitches - LOWEST


def shown_own(pitches: NDArray[np.int64], onsets: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(onsets, SHOWN_ONSET + pitches - LOWEST, SHOWN_HOLD)


def frame_of(fermatas: NDArray[np.bool_], first_position: int, *, minor: bool) -> NDArray[np.float32]:
    """(T, n) one-hot rows: place in the bar, steps to and since a resting point, steps to the end, mode."""
    steps = len(fermatas)
    bar = np.eye(STEPS_PER_BAR)[(np.arange(steps) + first_position) % STEPS_PER_BAR]
    since = _distance_since(fermatas)
    until = _distance_since(fermatas[::-1])[::-1]
    end = np.arange(steps)[::-1]
    phrase = np.eye(PHRASE_STEPS)
    columns = [bar, phrase[np.minimum(until, PHRASE_STEPS - 1)], phrase[np.minimum(since, PHRASE_STEPS - 1)]]
    columns += [np.eye(END_STEPS)[np.minimum(end, END_STEPS - 1)], np.full((steps, 1), float(minor))]
    return np.concatenate(columns, axis=1).astype(np.float32)


def _distance_since(marks: NDArray[np.bool_]) -> NDArray[np.int64]:
    steps = np.arange(len(marks))
    distance: NDArray[np.int64] = steps - np.maximum.accumulate(np.where(marks, steps, -PHRASE_STEPS))
    return distance


def surroundings_of(grid: Grid, steps: NDArray[np.int64], voices: NDArray[np.int64]) -> NDArray[np.int64]:
    """(B, cells, 4) what stands around each (step, voice), the cell itself hidden."""
    rows = np.arange(len(steps))
    cells: NDArray[np.int64] = grid.sounding[steps[:, None] + np.arange(-PAST, FUTURE + 1)]
    later = steps[:, None] + np.arange(1, FUTURE + 1)
    cells[rows[:, None], np.arange(PAST + 1, PAST + 1 + FUTURE), voices[:, None]] = grid.own[later, voices[:, None]]
    cells[rows, PAST, voices] = SHOWN_HIDDEN
    return cells


def hide_unwritten(cells: NDArray[np.int64], voices: NDArray[np.int64]) -> None:
    """Hide what a first draft does not have yet: all later steps, and at this step the voices whose turn is later."""
    cells[:, PAST + 1 :] = np.where(cells[:, PAST + 1 :] == SHOWN_EDGE, SHOWN_EDGE, SHOWN_HIDDEN)
    cells[:, PAST][_DRAFT_RANK[None, :] > _DRAFT_RANK[voices][:, None]] = SHOWN_HIDDEN


def inputs_of(cells: NDArray[np.int64], frame: NDArray[np.float32], voices: NDArray[np.int64]) -> NDArray[np.float32]:
    """(B, INPUTS) the numbers that enter the network."""
    shown = CELL_FEATURES[cells].reshape(len(voices), -1)
    return np.concatenate([shown, frame, np.eye(len(VOICES), dtype=np.float32)[voices]], axis=1)


@dataclass(frozen=True)
class Network:
    """Two hidden layers, the second with a bypass, and an output for each voice. The arrays are trained in place."""

    weights: dict[str, NDArray[np.float32]]

    @property
    def parameters(self) -> int:
        return sum(array.size for array in self.weights.values())

    def logits(self, inputs: NDArray[np.float32], voice: int) -> NDArray[np.float32]:
        """(B, EVENTS) for rows that all ask for the same voice."""
        _, _, hidden = self._hidden(inputs)
        logits: NDArray[np.float32] = hidden @ self.weights["out"][voice] + self.weights["out_bias"][voice]
        return logits

    def _hidden(self, inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        w = self.weights
        first = np.maximum(inputs @ w["first"] + w["first_bias"], 0)
        second = np.maximum(first @ w["second"] + w["second_bias"], 0)
        return first, second, first + second

    def loss_and_gradients(
        self, inputs: NDArray[np.float32], events: NDArray[np.int64], kept: NDArray[np.float32] | float = 1.0
    ) -> tuple[float, dict[str, NDArray[np.float32]]]:
        """Mean cross-entropy in nats. Rows come in four equal blocks, one for each voice in order.

        ``kept`` scales the last hidden layer: zeros switch units off for a step (dropout).
        """
        w, size = self.weights, len(events)
        first, second, hidden = self._hidden(inputs)
        hidden = hidden * kept
        blocks = hidden.reshape(len(VOICES), -1, hidden.shape[1])
        surprise = blocks @ w["out"] + w["out_bias"][:, None, :]
        chances = softmax(surprise).reshape(size, EVENTS)
        loss = -float(np.log(chances[np.arange(size), events] + 1e-9).mean())
        chances[np.arange(size), events] -= 1
        error = (chances / size).reshape(surprise.shape)
        back = (error @ w["out"].transpose(0, 2, 1)).reshape(hidden.shape) * kept
        back_second = back * (second > 0)
        back_first = (back + back_second @ w["second"].T) * (first > 0)
        return loss, {
            "out": blocks.transpose(0, 2, 1) @ error,
            "out_bias": error.sum(axis=1),
            "second": first.T @ back_second,
            "second_bias": back_second.sum(axis=0),
            "first": inputs.T @ back_first,
            "first_bias": back_first.sum(axis=0),
        }


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    chances: NDArray[np.float32] = raised / raised.sum(axis=-1, keepdims=True)
    return chances


def new_network(hidden: int, rng: np.random.Generator) -> Network:
    """Random weights, scaled for rectified units (He et al. 2015)."""

    def layer(*shape: int, gain: float) -> NDArray[np.float32]:
        weights: NDArray[np.float32] = (rng.standard_normal(shape) * np.sqrt(gain / shape[-2])).astype(np.float32)
        return weights

    # Of a cell's features about a fifth are not zero, so the first layer may start larger.
    return Network(
        {
            "first": layer(INPUTS, hidden, gain=6.0),
            "first_bias": np.zeros(hidden, dtype=np.float32),
            "second": layer(hidden, hidden, gain=1.0),
            "second_bias": np.zeros(hidden, dtype=np.float32),
            "out": layer(len(VOICES), hidden, EVENTS, gain=0.5),
            "out_bias": np.zeros((len(VOICES), EVENTS), dtype=np.float32),
        }
    )


class Adam:
    """Adaptive moments (Kingma and Ba 2015, algorithm 1) with decay of the weights, in place."""

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        self._mean = {name: np.zeros_like(array) for name, array in weights.items()}
        self._square = {name: np.zeros_like(array) for name, array in weights.items()}
        self._weights = weights
        self._steps = 0

    def step(self, gradients: dict[str, NDArray[np.float32]], rate: float) -> None:
        self._steps += 1
        scale = rate * np.sqrt(1 - 0.999**self._steps) / (1 - 0.9**self._steps)
        for name, gradient in gradients.items():
            mean, square = self._mean[name], self._square[name]
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient * gradient - square)
            weights = self._weights[name]
            weights -= np.float32(scale) * mean / (np.sqrt(square) + 1e-8) + np.float32(rate * DECAY) * weights


def train(
    network: Network,
    grid: Grid,
    steps: int,
    rng: np.random.Generator,
    *,
    batch: int = 256,
    on_progress: Callable[[float], None] = lambda _: None,
) -> list[float]:
    """Train in place; the loss of every step. The rate rises for a moment, then falls to nothing."""
    optimiser, losses, width = Adam(network.weights), [], network.weights["first_bias"].size
    for done in range(steps):
        inputs, events = _batch_of(grid, batch, rng)
        kept = (rng.random((batch, width), dtype=np.float32) >= DROPPED).astype(np.float32) / np.float32(1 - DROPPED)
        loss, gradients = network.loss_and_gradients(inputs, events, kept)
        rate = 1.5e-3 * min(1.0, (done + 1) / 100) * 0.5 * (1 + np.cos(np.pi * done / steps))
        optimiser.step(gradients, float(rate))
        losses.append(loss)
        if (done + 1) % PROGRESS_EVERY == 0 or done + 1 == steps:
            on_progress((done + 1) / steps)
    return losses


def _batch_of(grid: Grid, size: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    steps = rng.choice(grid.inside, size)
    voices = np.repeat(np.arange(len(VOICES)), size // len(VOICES))
    cells = surroundings_of(grid, steps, voices)
    drafts = rng.random(size) < 0.4
    draft_cells = cells[drafts]
    hide_unwritten(draft_cells, voices[drafts])
    cells[drafts] = draft_cells
    # Revisions: hide a share of the surroundings, a different one for each row, often nothing.
    share = np.maximum(0, rng.random((size, 1, 1)) - 0.4) * ~drafts[:, None, None]
    cells[rng.random(cells.shape) < share] = SHOWN_HIDDEN
    return inputs_of(cells, grid.frame[steps], voices), grid.events[steps, voices]
