"""Bach's four-part chorales on a grid of eighth notes, from the scores that ship with music21.

A score becomes a matrix with a row per eighth and a column per voice. Everything is moved to C major or A minor, so
that a small model needs to learn one key. Left to others: what is learned from it (``model``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

VOICES = ("Soprano", "Alto", "Tenor", "Bass")
STEPS_PER_QUARTER = 2
STEPS_PER_BAR = 8
MAJOR_TONIC, MINOR_TONIC = 0, 9
MIN_STEPS = 32
MIN_BARS_IN_PLACE = 0.7


@dataclass(frozen=True)
class Chorale:
    """Four voices on a grid of T eighths.

    ``pitches`` (T, 4) MIDI numbers of what sounds; ``onsets`` (T, 4) True where a note begins; ``fermatas`` (T,) True
    where a phrase rests; ``first_position`` 0 to 7, the place of the first step in its bar.
    """

    pitches: NDArray[np.int64]
    onsets: NDArray[np.bool_]
    fermatas: NDArray[np.bool_]
    first_position: int
    minor: bool


def load_chorales(count: int, on_progress: Callable[[float], None] = lambda _: None) -> list[Chorale]:
    """The usable ones among the first ``count`` chorales; every score is read anew, no cache is used."""
    from music21 import corpus  # noqa: PLC0415 - an extra; takes a second to import
    from music21.corpus import chorales  # noqa: PLC0415

    names = list(chorales.Iterator(returnType="filename"))[:count]
    found = []
    for done, name in enumerate(names, start=1):
        chorale = chorale_of(corpus.parse(name, forceSource=True))
        if chorale is not None:
            found.append(chorale)
        on_progress(done / len(names))
    return found


def chorale_of(score: Any) -> Chorale | None:
    """The grid of a music21 score, or None where it is not four plain voices in 4/4 that close on their tonic."""
    first_position = _first_position_of(score)
    if [part.partName for part in score.parts] != list(VOICES) or first_position is None:
        return None
    steps = int(score.highestTime * STEPS_PER_QUARTER)
    voices = [_voice_of(part, steps) for part in score.parts]
    if steps < MIN_STEPS or any(voice is None for voice in voices):
        return None
    pitches, onsets = (np.stack(column, axis=1) for column in zip(*[v for v in voices if v], strict=True))
    mode = _mode_of(score, int(pitches[-1, -1]))
    if mode is None:
        return None
    shift, minor = mode
    return Chorale(pitches + shift, onsets, _fermatas_of(score.parts[0], steps), first_position, minor)


def _first_position_of(score: Any) -> int | None:
    signatures = {signature.ratioString for signature in score.recurse().getElementsByClass("TimeSignature")}
    bars = list(score.parts[0].getElementsByClass("Measure"))
    if signatures != {"4/4"} or not bars:
        return None
    upbeat = bars[0].paddingLeft
    # A repeat sign may cut a bar in two; the bars after it are in place again, if it is a real one.
    in_place = [(bar.offset + upbeat) % 4 == 0 for bar in bars[1:]]
    if sum(in_place) < MIN_BARS_IN_PLACE * len(in_place):
        return None
    return int(upbeat * STEPS_PER_QUARTER) % STEPS_PER_BAR


def _voice_of(part: Any, steps: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]] | None:
    pitches = np.zeros(steps, dtype=np.int64)
    onsets = np.zeros(steps, dtype=np.bool_)
    for note in part.flatten().notes:
        place = note.offset * STEPS_PER_QUARTER
        if place == int(place) and place < steps:  # sixteenths off the grid are ornaments, and left out
            pitches[int(place)] = note.pitches[-1].midi
            onsets[int(place)] = True
    if not onsets.any():
        return None
    return sounding_of(pitches, onsets), onsets


def sounding_of(pitches: NDArray[np.int64], onsets: NDArray[np.bool_]) -> NDArray[np.int64]:
    """What sounds at each step: the pitch of the latest onset; before the first onset, the first one's."""
    steps = np.arange(len(onsets))
    latest = np.maximum.accumulate(np.where(onsets, steps, -1))
    latest[latest < 0] = int(np.argmax(onsets))
    return pitches[latest]


def _fermatas_of(part: Any, steps: int) -> NDArray[np.bool_]:
    marked = np.zeros(steps, dtype=np.bool_)
    for note in part.flatten().notes:
        if any("Fermata" in mark.classes for mark in note.expressions):
            start = int(note.offset * STEPS_PER_QUARTER)
            marked[start : start + max(1, int(note.quarterLength * STEPS_PER_QUARTER))] = True
    return marked


def _mode_of(score: Any, final_bass: int) -> tuple[int, bool] | None:
    """Semitones to C major or A minor and whether it is minor, told by key signature and last bass note."""
    signature = score.recurse().getElementsByClass("KeySignature").first()
    if signature is None:
        return None
    tonic = signature.sharps * 7 % 12
    minor = {tonic: False, (tonic + MINOR_TONIC) % 12: True}.get(final_bass % 12)
    if minor is None:
        return None
    return (6 - tonic) % 12 - 6, minor
