"""A measuring session: each activity of a studio with its own run of CodeCarbon, and the time between them too.

    with MeasuringSession(folder, power, model="lofi") as session:
        with session.activity("take-1", "inference"):
            generate()
    session.activities      # take-1, and the waiting before and after it

From the first moment of a session to its last some tracker runs: a waiting machine draws power too, and LCAL counts
it (section 3). Where one tracker hands over to the next, the next one starts first; those milliseconds are counted
twice rather than lost. The raw log is CodeCarbon's own ``emissions.csv``, one row per run, as evidence to deposit.

CodeCarbon guesses a few watts per thread for a processor that it does not know, and says nothing of it in its log. So
the power of the processor at full load is stated by the caller, and the method is always ``modelled``. CodeCarbon's
own configuration files and variables are overruled: nothing goes to a network, no ratio is multiplied in.

Left to others: place and hardware (``activity``), the report, signing.
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from certifier.errors import MalformedLog, OperatorError
from certifier.measure.activity import UNKNOWN_COUNTRY, MeasuredActivity, Stage, rfc3339
from certifier.report.rawlogs import LogLine, parse_emissions_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Self

LOG_NAME = "emissions.csv"
SAMPLE_INTERVAL_S = 15.0
# CodeCarbon drops a last sample of under 50 ms. Waiting a little longer makes it take one, so no tail is lost.
SETTLE_S = 0.06


@dataclass(frozen=True)
class StatedPower:
    """What the tool cannot know: the processor's nameplate power at full load, and the country as ISO alpha-3.

    The country only enters CodeCarbon's own emission column, which the label does not use.
    """

    cpu_w: Decimal
    country: str = UNKNOWN_COUNTRY


@dataclass(frozen=True)
class _Run:
    """A tracker at work, and what it measures."""

    id: str
    stage: Stage
    model: str
    idle: bool
    started_at: datetime
    tracker: Any


def _now() -> datetime:
    return datetime.now(UTC)


class MeasuringSession:
    """Measures activities one after the other; use as a context manager.

    ``model`` is the model that waiting time is charged to. The folder must exist and hold no ``emissions.csv`` yet,
    or OperatorError is raised: a log belongs to one session.
    """

    def __init__(self, folder: Path, power: StatedPower, *, model: str, clock: Callable[[], datetime] = _now) -> None:
        self._folder = folder
        self._power = power
        self._model = model
        self._clock = clock
        self._waiting: _Run | None = None
        self._measured: list[MeasuredActivity] = []
        self._waits = 0

    @property
    def log_path(self) -> Path:
        return self._folder / LOG_NAME

    @property
    def activities(self) -> tuple[MeasuredActivity, ...]:
        """What has been measured so far, in order of time, waiting included."""
        return tuple(self._measured)

    @property
    def energy_kwh(self) -> Decimal:
        """The energy of all finished activities; a running one is not in it."""
        return sum((activity.energy_kwh for activity in self._measured), start=Decimal(0))

    def __enter__(self) -> Self:
        if self.log_path.exists():
            raise OperatorError(
                "a raw log is in the way", found=str(self.log_path), hint="choose an empty folder, or move the log away"
            )
        self._waiting = self._start_waiting()
        return self

    def __exit__(self, *_: object) -> None:
        if self._waiting is not None:
            self._finish(self._waiting)
            self._waiting = None

    @contextmanager
    def activity(self, activity_id: str, stage: Stage, model: str | None = None) -> Iterator[None]:
        """Measure what happens inside. Failed work is measured and listed as well: it used energy."""
        if self._waiting is None:
            raise OperatorError("this session measures nothing now", hint="open it first, one activity at a time")
        run = self._start(activity_id, stage, model or self._model, idle=False)
        self._finish(self._waiting)
        self._waiting = None
        try:
            yield
        finally:
            self._waiting = self._start_waiting()
            self._finish(run)

    def _start_waiting(self) -> _Run:
        self._waits += 1
        return self._start(f"waiting-{self._waits}", "inference", self._model, idle=True)

    def _start(self, activity_id: str, stage: Stage, model: str, *, idle: bool) -> _Run:
        tracker = _tracker_for(activity_id, self._folder, self._power)
        tracker.start()  # the first one of a process probes the hardware for a second before it begins to count
        return _Run(activity_id, stage, model, idle, self._clock(), tracker)

    def _finish(self, run: _Run) -> None:
        time.sleep(SETTLE_S)
        run.tracker.stop()
        ended_at = self._clock()
        line = self._line_of(run)
        self._measured.append(
            MeasuredActivity(
                id=run.id,
                run_id=line.run_id,
                stage=run.stage,
                model=run.model,
                idle=run.idle,
                started_at=run.started_at,
                ended_at=ended_at,
                duration_s=line.duration_s,
                energy_kwh=line.energy_kwh,
                tool_name="codecarbon",
                tool_version=line.tool_version or "",
            )
        )

    def _line_of(self, run: _Run) -> LogLine:
        """What the log says of this run: the report repeats the log, not the tool's memory."""
        # CodeCarbon swallows its own failures; a row that is missing is how they show.
        try:
            lines = parse_emissions_csv(self.log_path.read_bytes())
        except (OSError, MalformedLog) as error:
            raise OperatorError("CodeCarbon left no readable log", found=str(error)) from error
        for line in lines:
            if line.run_id == str(run.tracker.run_id):
                return line
        raise OperatorError("CodeCarbon wrote no row for a run", found=f"{run.id}, begun {rfc3339(run.started_at)}")


def _tracker_for(project: str, folder: Path, power: StatedPower) -> Any:
    """A tracker with every setting stated that could send data out or bend the energy."""
    try:
        from codecarbon import OfflineEmissionsTracker  # noqa: PLC0415 - an extra; half a second to import
        from codecarbon.output_methods.base_output import OutputMethod  # noqa: PLC0415
    except ImportError as error:
        raise OperatorError("CodeCarbon is not installed", hint="pip install 'certifier[measure]'") from error
    logging.getLogger("codecarbon").setLevel(logging.CRITICAL)  # it speaks before it reads its own log_level
    return OfflineEmissionsTracker(
        project_name=project,
        country_iso_code=power.country,
        region=None,
        cloud_provider=None,
        cloud_region=None,
        country_2letter_iso_code=None,
        electricitymaps_api_token=None,
        force_carbon_intensity_g_co2e_kwh=None,
        output_dir=str(folder),
        output_file=LOG_NAME,
        output_methods=[OutputMethod.CSV],
        output_handlers=[],
        on_csv_write="append",
        emissions_endpoint=None,
        api_call_interval=-1,
        tracking_mode="machine",
        measure_power_secs=SAMPLE_INTERVAL_S,
        gpu_ids=None,
        force_cpu_power=float(power.cpu_w),
        force_ram_power=None,
        force_mode_cpu_load=False,
        pue=1.0,
        wue=0.0,
        allow_multiple_runs=True,
        log_level="critical",
    )
