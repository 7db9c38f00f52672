"""The studio at work: prepare data, train, write takes, keep one, render it; every step measured, and the gaps too.

``run_studio`` leaves three files in a folder: ``track.wav``, ``emissions.csv`` (the raw log) and ``session.json``,
which holds all that an emission report needs to be told. The keys of the last:

- ``track``: file, digest, length, title, artist, time of making, what the model contributed and how long it is heard
- ``models``, ``generation``, ``activities``, ``stages_not_performed``, ``process``: as LCAL 1.0.0 section 15 has them,
  quantities as decimal text; duties of which nothing is known are left out, not claimed
- ``raw_log``: file and digest of the log to deposit
- ``place``, ``hardware``, ``cpu_w``: what was stated about the machine
- ``seed``, ``kept_take``, ``takes``, ``training``: how the music came about

Left to others: the report, signatures, screens.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from certifier.errors import OperatorError
from certifier.measure.activity import Hardware, rfc3339, to_report_activity
from certifier.measure.session import MeasuringSession, StatedPower
from examples.studio import synth
from examples.studio.compose import Judgement, compose
from examples.studio.data import load_chorales
from examples.studio.model import Network, grid_of, new_network, train
from examples.studio.settings import settings_from

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from examples.studio.data import Chorale
    from examples.studio.settings import StudioSettings

TRACK_NAME, SESSION_NAME = "track.wav", "session.json"
MODEL_ID, MODEL_NAME, MODEL_VERSION = "chorale-net", "Chorale Net", "1"
TITLE, ARTIST = "Chorale No. {} (example)", "Example Studio"
PARTS = {"weights": 1, "training": 2, "room": 3, "dither": 4, "takes": 100}  # each its own random numbers


@dataclass(frozen=True)
class Progress:
    """Where the studio is: the activity, how far it got (0 to 1), and the energy of what is finished."""

    activity: str
    fraction: float
    energy_kwh: Decimal


@dataclass(frozen=True)
class Take:
    """One take: its music, how long it would sound, and how it was judged."""

    chorale: Chorale
    seconds: float
    judgement: Judgement


@dataclass(frozen=True)
class Session:
    """What a run of the studio left behind; ``document`` is the content of session.json."""

    track: Path
    raw_log: Path
    document: dict[str, Any]


@dataclass(frozen=True)
class _Desk:
    """What every step of a run shares."""

    session: MeasuringSession
    progress: Callable[[Progress], None]
    seed: int

    def report(self, activity: str) -> Callable[[float], None]:
        """A progress function for one activity."""
        energy = self.session.energy_kwh
        return lambda fraction: self.progress(Progress(activity, fraction, energy))

    def random(self, part: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, part))


def run_studio(
    out: Path,
    progress: Callable[[Progress], None] = lambda _: None,
    seed: int = 1,
    environment: StudioSettings | None = None,
) -> Session:
    """Make and measure a track in the folder ``out``, which is created. Raises OperatorError.

    The folder must not hold the log of an earlier run. The same seed gives the same music on the same machine.
    """
    settings = environment or settings_from({})
    out.mkdir(parents=True, exist_ok=True)
    power = StatedPower(settings.cpu_w, settings.place.country)
    with MeasuringSession(out, power, model=MODEL_ID) as session:
        desk = _Desk(session, progress, seed)
        chorales = _prepare(desk, settings)
        network, losses = _train(desk, settings, chorales)
        takes = [_take(desk, settings, network, number) for number in range(1, settings.effort.takes + 1)]
        kept = max(range(len(takes)), key=lambda index: takes[index].judgement.score)
        created_at = _render(desk, takes[kept].chorale, out / TRACK_NAME)
    document = {
        "track": _track_facts(out / TRACK_NAME, takes[kept], created_at, seed),
        **_generation_facts(network, takes),
        "activities": [to_report_activity(a, settings.place, _hardware(settings)) for a in session.activities],
        "stages_not_performed": ["fine_tuning"],
        "process": _process_facts(network, len(chorales)),
        "raw_log": {"file": session.log_path.name, "sha256": _sha256_of(session.log_path)},
        "place": asdict(settings.place),
        "hardware": [asdict(line) for line in _hardware(settings)],
        "cpu_w": str(settings.cpu_w),
        "seed": seed,
        "kept_take": kept + 1,
        "takes": [_take_facts(take) for take in takes],
        "training": {"chorales": len(chorales), "first_loss": _rounded(losses[0]), "last_loss": _rounded(losses[-1])},
    }
    (out / SESSION_NAME).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return Session(out / TRACK_NAME, session.log_path, document)


def _prepare(desk: _Desk, settings: StudioSettings) -> list[Chorale]:
    with desk.session.activity("data", "data"):
        try:
            chorales = load_chorales(settings.effort.chorales, desk.report("data"))
        except ImportError as error:
            raise OperatorError("music21 is not installed", hint="pip install 'certifier[studio]'") from error
    return chorales


def _train(desk: _Desk, settings: StudioSettings, chorales: list[Chorale]) -> tuple[Network, list[float]]:
    with desk.session.activity("training", "training"):
        network = new_network(settings.effort.hidden_units, desk.random(PARTS["weights"]))
        losses = train(
            network,
            grid_of(chorales),
            settings.effort.training_steps,
            desk.random(PARTS["training"]),
            on_progress=desk.report("training"),
        )
    return network, losses


def _take(desk: _Desk, settings: StudioSettings, network: Network, number: int) -> Take:
    name = f"take-{number}"
    effort = settings.effort
    with desk.session.activity(name, "inference"):
        chorale, judgement = compose(
            network, effort.phrases, effort.sweeps, desk.random(PARTS["takes"] + number), desk.report(name)
        )
    return Take(chorale, synth.seconds_of(chorale), judgement)


def _render(desk: _Desk, chorale: Chorale, path: Path) -> datetime:
    with desk.session.activity("rendering", "inference"):
        sound = synth.render(chorale, desk.random(PARTS["room"]), desk.report("rendering"))
        synth.save_wav(path, sound, desk.random(PARTS["dither"]))
    return datetime.now(UTC)


def _hardware(settings: StudioSettings) -> tuple[Hardware, ...]:
    return (Hardware(settings.device, 1),)


def _track_facts(path: Path, kept: Take, created_at: datetime, seed: int) -> dict[str, Any]:
    seconds = _rounded(kept.seconds)
    return {
        "file": path.name,
        "sha256": _sha256_of(path),
        "duration_s": seconds,
        "title": TITLE.format(seed),
        "artist": ARTIST,
        "created_at": rfc3339(created_at),
        "ai_contribution": ["composition"],
        "ai_audible_s": seconds,
    }


def _generation_facts(network: Network, takes: list[Take]) -> dict[str, Any]:
    # The model is made in this session, so the minutes of its takes are all that it ever made.
    minutes = _rounded(sum(take.seconds for take in takes) / 60)
    model = {
        "id": MODEL_ID,
        "name": MODEL_NAME,
        "version": MODEL_VERSION,
        "class": "symbolic",
        "parameters_b": format(Decimal(network.parameters).scaleb(-9), "f"),
        "trained_by": "applicant",
        "generated_minutes": minutes,
        "training": {"source": "activities", "generated_minutes_to_date": minutes},
    }
    return {"models": [model], "generation": {"takes": len(takes), "generated_minutes": minutes}}


def _process_facts(network: Network, chorales: int) -> dict[str, Any]:
    return {
        "model_efficiency": [f"small model: {network.parameters} parameters, no accelerator"],
        "dataset_governance": f"{chorales} four-part chorales shipped with music21, read for this session, not kept",
        "auditable_pipeline": "one run id for each activity in emissions.csv; seeds and takes in session.json",
        "take_retention_days": 0,
    }


def _take_facts(take: Take) -> dict[str, Any]:
    judgement = asdict(take.judgement) | {"likelihood": _rounded(take.judgement.likelihood)}
    return {"seconds": _rounded(take.seconds), "score": _rounded(take.judgement.score), **judgement}


def _rounded(number: float) -> str:
    return f"{number:.6f}"


def _sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
