"""The example model reads chorales rightly, learns from them, and writes the same take for the same seed."""

from types import SimpleNamespace

import numpy as np
import pytest

from examples.studio.compose import RANGES, RESTING_STEPS, compose, judge
from examples.studio.data import Chorale, chorale_of, load_chorales, sounding_of
from examples.studio.model import (
    EVENTS,
    INPUTS,
    PAST,
    SHOWN_EDGE,
    SHOWN_HIDDEN,
    Network,
    grid_of,
    hide_unwritten,
    new_network,
    surroundings_of,
    train,
)


@pytest.fixture(scope="module")
def chorales():
    return load_chorales(8)


@pytest.fixture(scope="module")
def trained(chorales):
    network = new_network(32, np.random.default_rng(0))
    losses = train(network, grid_of(chorales), 250, np.random.default_rng(1), batch=64)
    return network, losses


def test_scores_become_grids_in_one_key(chorales):
    assert len(chorales) >= 4
    for chorale in chorales:
        assert chorale.pitches.shape == chorale.onsets.shape == (len(chorale.fermatas), 4)
        assert chorale.pitches[-1, 3] % 12 == (9 if chorale.minor else 0)
        assert chorale.fermatas[-1]
        assert (np.diff(chorale.pitches.mean(axis=0)) < 0).all(), "soprano above alto above tenor above bass"
    notes = np.concatenate([c.pitches[c.onsets] for c in chorales if not c.minor]) % 12
    assert np.isin(notes, (0, 2, 4, 5, 7, 9, 11)).mean() > 0.85, "mostly the notes of C major"


def test_reading_scores_reports_its_progress():
    seen = []
    load_chorales(2, seen.append)
    assert seen == [0.5, 1.0]


def test_a_held_note_sounds_until_the_next_one():
    pitches, onsets = np.array([0, 60, 0, 62, 0]), np.array([False, True, False, True, False])
    assert sounding_of(pitches, onsets).tolist() == [60, 60, 60, 62, 62]


def test_a_draft_sees_nothing_that_is_not_written_yet(chorales):
    grid = grid_of(chorales[:1])
    step, alto = np.array([PAST + 5]), np.array([1])
    cells = surroundings_of(grid, step, alto)
    assert cells[0, PAST, 1] == SHOWN_HIDDEN
    hide_unwritten(cells, alto)
    assert set(cells[0, PAST + 1 :].ravel().tolist()) <= {SHOWN_HIDDEN, SHOWN_EDGE}
    assert (cells[0, PAST, [0, 2, 3]] != SHOWN_HIDDEN).all(), "the alto is written last"
    soprano = surroundings_of(grid, step, np.array([0]))
    hide_unwritten(soprano, np.array([0]))
    assert (soprano[0, PAST] == SHOWN_HIDDEN).all(), "the soprano is written first"


def test_the_surroundings_do_not_give_the_answer_away(chorales):
    """The same cells are shown whatever pitch the asked note and its holding have."""
    chorale = chorales[0]
    start = int(np.flatnonzero(chorale.onsets[:, 2])[3])
    end = int(np.flatnonzero(chorale.onsets[:, 2])[4])
    raised = chorale.pitches.copy()
    raised[start:end, 2] += 3
    other = Chorale(raised, chorale.onsets, chorale.fermatas, chorale.first_position, chorale.minor)
    asked = (np.array([PAST + start]), np.array([2]))
    shown, changed = (surroundings_of(grid_of([c]), *asked) for c in (chorale, other))
    assert (shown == changed).all()


def test_gradients_are_the_slopes_of_the_loss():
    rng = np.random.default_rng(3)
    weights = {name: array.astype(np.float64) for name, array in new_network(5, rng).weights.items()}
    network = Network(weights)
    inputs, events = rng.random((8, INPUTS)), rng.integers(0, EVENTS, 8)
    _, gradients = network.loss_and_gradients(inputs, events)
    for name, gradient in gradients.items():
        place = np.unravel_index(np.argmax(np.abs(gradient)), gradient.shape)
        original, losses = weights[name][place], []
        for nudge in (1e-5, -1e-5):
            weights[name][place] = original + nudge
            losses.append(network.loss_and_gradients(inputs, events)[0])
        weights[name][place] = original
        assert gradient[place] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-3), name


def test_the_model_learns(trained):
    _, losses = trained
    assert np.mean(losses[-20:]) < 0.6 * np.mean(losses[:5])


def test_a_seed_decides_a_take(trained):
    first, second, third = (compose(trained[0], 2, 2, np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert (first[0].pitches == second[0].pitches).all()
    assert first[1] == second[1]
    assert (first[0].pitches != third[0].pitches).any()


def test_a_take_keeps_to_the_voices_and_breathes_at_each_phrase(trained):
    chorale, judgement = compose(trained[0], 6, 1, np.random.default_rng(2))
    for voice, (low, high) in enumerate(RANGES):
        assert low <= chorale.pitches[:, voice].min() <= chorale.pitches[:, voice].max() <= high
    assert chorale.onsets[::16].all(), "each phrase begins anew"
    assert chorale.fermatas.sum() == 6 * RESTING_STEPS
    assert (chorale.pitches[:48, 0] == chorale.pitches[48:96, 0]).all(), "the opening melody comes back"
    assert judgement.likelihood < 0


def take_of(*columns):
    pitches = np.array(columns).T
    steps = len(pitches)
    fermatas = np.arange(steps) == steps - 1
    return Chorale(pitches, np.ones((steps, 4), dtype=bool), fermatas, 0, minor=False)


SOUND = [[64, 65, 64], [60, 60, 60], [55, 57, 55], [48, 53, 48]]
FAULTS = {
    "parallel octaves": ([[60, 62, 60], [57, 57, 57], [55, 55, 55], [48, 50, 48]], "parallels"),
    "crossed voices": ([[64, 65, 64], [67, 67, 67], [55, 57, 55], [48, 53, 48]], "crossings"),
    "a leap of a tenth": ([[64, 80, 64], [60, 60, 60], [55, 57, 55], [48, 53, 48]], "wide_leaps"),
    "a melody on one note": ([[64, 64, 64], [60, 60, 60], [55, 57, 55], [48, 53, 48]], "repeats"),
    "a long standstill": ([[64] * 14, [60] * 14, [55] * 14, [48] * 14], "stuck_steps"),
}


@pytest.mark.parametrize(("columns", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_lowers_the_score(columns, fault):
    sound, faulty = judge(take_of(*SOUND), -0.2), judge(take_of(*columns), -0.2)
    assert getattr(sound, fault) == 0 < getattr(faulty, fault)
    assert faulty.score < sound.score


def test_a_close_outside_the_tonic_lowers_the_score_most():
    open_end = judge(take_of([64, 65, 62], [60, 60, 59], [55, 57, 55], [48, 53, 43]), -0.2)
    assert not open_end.closes_on_tonic
    assert open_end.score <= judge(take_of(*SOUND), -0.2).score - 0.4


def test_a_score_that_is_no_plain_chorale_is_left_out():
    class Nothing(SimpleNamespace):
        def getElementsByClass(self, _):  # noqa: N802 - as in the library
            return []

        def recurse(self):
            return self

    assert chorale_of(Nothing(parts=[Nothing(partName="Trumpet")])) is None
