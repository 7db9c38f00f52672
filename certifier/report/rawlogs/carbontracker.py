"""CarbonTracker's two logs of one run, read as evidence: bytes in, the run out.

``…_carbontracker.log`` has the release, the PUE and each epoch with its duration and power, without the PUE.
``…_carbontracker_output.log`` has the total, which holds the PUE. Neither names the run, and each alone can hide what the
other says (epochs that were predicted and not measured; how long the run was). So they are read as a pair, and only if they
tell of the same run: same devices, same first and last second, and figures that agree.

Times have no zone; the Z in the names of the files is not UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from certifier.errors import MalformedLog
from certifier.report.rawlogs.text import is_time, plain, quantity_of, run_id_of, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

JOULES_PER_KWH = 3_600_000
HEADER_BYTES = 64 * 1024
MAX_MESSAGE_CHARACTERS = 4000
NEAR = timedelta(seconds=1)  # both logs are written one after the other, in whole seconds

LOG_MARK, OUTPUT_MARK = b"carbontracker version", b" - CarbonTracker: "
LINE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}) - (.*)", re.ASCII)
VERSION = re.compile(r"carbontracker version ([0-9][0-9A-Za-z.+-]{0,40})", re.ASCII)
PUE = re.compile(
    r"Only predicted and actual consumptions are multiplied by a PUE coefficient of ([0-9.]{1,10}) .*", re.ASCII
)
COMPONENTS = re.compile(r"The following components were found: (.*)")
EPOCH = re.compile(r"Epoch ([0-9]{1,9}):", re.ASCII)
DURATION = re.compile(r"Duration: ([0-9]{1,6}):([0-5][0-9]):([0-9]{2}\.[0-9]{2})", re.ASCII)
POWER = re.compile(r"Average power usage \(W\) for ([a-z]{1,20}): (.*)", re.ASCII | re.DOTALL)
LOCATION = re.compile(
    r"Carbon intensities \(gCO2(?:eq)?/kWh\) fetched every .{1,20} at detected location:? (.*): \[.*\]", re.DOTALL
)
AVERAGE = re.compile(
    r"Average carbon intensity during training was ([0-9.]{1,20}) gCO2(?:eq)?/kWh.*", re.ASCII | re.DOTALL
)
CONSUMPTION = re.compile(
    r"CarbonTracker: \n(Actual|Predicted) consumption(?: for ([0-9]{1,9}) epoch\(s\))?:\n"
    r"\s*Time:\s*([0-9]{1,6}):([0-5][0-9]):([0-5][0-9])\n\s*Energy:\s*([0-9.]{1,40}) kWh(?:\n.*)?",
    re.ASCII | re.DOTALL,
)
STARTED, ENDED, FINISHED = (
    "Monitoring thread started.",
    "Monitoring thread ended.",
    "CarbonTracker: Finished monitoring.",
)
INTERRUPTED = "Training was interrupted"
HINT = "deposit both logs of the run as CarbonTracker wrote them: …_carbontracker.log and …_carbontracker_output.log"


@dataclass(frozen=True)
class Epoch:
    """One measured epoch; ``power_w`` is the mean of all devices together, without the PUE."""

    ended_at_local: datetime
    duration_s: Decimal
    power_w: Decimal


@dataclass(frozen=True)
class EpochLog:
    """What ``…_carbontracker.log`` says."""

    tool_version: str
    pue: Decimal
    components: str
    found_at_local: datetime
    ended_at_local: datetime
    epochs: tuple[Epoch, ...]
    interrupted: bool
    grid_gco2e_per_kwh: Decimal | None
    location: str


@dataclass(frozen=True)
class Total:
    """What ``…_carbontracker_output.log`` says; the energy holds the PUE."""

    components: str
    found_at_local: datetime
    ended_at_local: datetime
    energy_kwh: Decimal
    whole_s: int
    predicted_epochs: int


@dataclass(frozen=True)
class TrackedRun:
    """One run, told by both logs. ``energy_kwh`` holds ``pue``; the times have no zone.

    ``location`` is ``unknown`` where the tool did not find it; then its grid factor is the tool's fallback.
    """

    run_id: str
    tool_version: str
    energy_kwh: Decimal
    duration_s: Decimal
    pue: Decimal
    started_at_local: datetime
    ended_at_local: datetime
    grid_gco2e_per_kwh: Decimal | None
    location: str
    interrupted: bool

    @property
    def pue_included(self) -> bool:
        return self.pue > 1

    @property
    def it_energy_kwh(self) -> Decimal:
        """The energy without the PUE, to nine decimals of a kWh."""
        return (self.energy_kwh / self.pue).quantize(Decimal("1e-9"))


def is_carbontracker(raw: bytes) -> bool:
    """Whether it is one of the two logs, or was once: then it has to be read, or refused."""
    beginning = raw[:HEADER_BYTES].replace(b"\x00", b"")
    return LOG_MARK in beginning or OUTPUT_MARK in beginning


def is_epoch_log(raw: bytes) -> bool:
    """Which of the two logs it is."""
    return LOG_MARK in raw[:HEADER_BYTES]


def runs_of_pairs(logs: Sequence[bytes]) -> tuple[tuple[int, TrackedRun], ...]:
    """The run of each pair of logs, with the place of its ``…_carbontracker.log`` in ``logs``.

    Raises MalformedLog for a log that cannot be read, for one without its other half, and where two halves would do.
    """
    epoch_logs = {place: parse_epoch_log(raw) for place, raw in enumerate(logs) if is_epoch_log(raw)}
    totals = [parse_output_log(raw) for raw in logs if not is_epoch_log(raw)]
    if len(epoch_logs) != len(totals):
        raise MalformedLog(
            "a run of CarbonTracker lacks one of its two logs",
            found=f"{len(epoch_logs)} with epochs, {len(totals)} with totals",
            expected="both logs of each run",
            hint=HINT,
        )
    pairs = [(place, total) for place, log in epoch_logs.items() for total in totals if _fits(log, total)]
    if sorted(place for place, _ in pairs) != list(epoch_logs) or len({id(total) for _, total in pairs}) != len(totals):
        raise MalformedLog(
            "the logs of CarbonTracker do not pair off",
            found=f"{len(pairs)} pairs of {len(totals)} that fit",
            expected="same devices, same first and last second, figures that agree; and one pair for each run",
            hint=HINT,
        )
    return tuple((place, _run_of(epoch_logs[place], total)) for place, total in pairs)


def parse_epoch_log(raw: bytes) -> EpochLog:
    """What ``…_carbontracker.log`` says. Raises MalformedLog, also for a log that stops before its end."""
    messages = _messages_of(raw)
    version, pue, components = _only(messages, VERSION), _only(messages, PUE), _only(messages, COMPONENTS)
    grids, places = _found(messages, AVERAGE), _found(messages, LOCATION)
    if messages[-1][1] != ENDED:
        raise MalformedLog("the log of CarbonTracker stops before its end", found=messages[-1][1][:60], expected=ENDED)
    ratio = quantity_of(pue[1].group(1), "the PUE")
    if ratio < 1:
        raise MalformedLog("the PUE is less than 1", found=str(ratio))
    place = places[-1][1].group(1).strip() if places else ""
    return EpochLog(
        tool_version=version[1].group(1),
        pue=ratio,
        components=components[1].group(1),
        found_at_local=components[0],
        ended_at_local=messages[-1][0],
        epochs=_epochs_of(messages),
        interrupted=any(text.startswith(INTERRUPTED) for _, text in messages),
        grid_gco2e_per_kwh=plain(quantity_of(grids[-1][1].group(1), "the carbon intensity")) if grids else None,
        location="unknown" if place.lower() in ("", "unknown") else place[:100],
    )


def parse_output_log(raw: bytes) -> Total:
    """What ``…_carbontracker_output.log`` says. Raises MalformedLog, also for a log that stops before its end."""
    messages = _messages_of(raw)
    components = _only([(when, text.removeprefix("CarbonTracker: ")) for when, text in messages], COMPONENTS)
    told = [match for _, match in _found(messages, CONSUMPTION)]
    actual = [match for match in told if match.group(1) == "Actual"]
    if len(actual) != 1 or sum(text.count(" consumption") for _, text in messages) != len(told):
        raise MalformedLog(
            "the log of CarbonTracker has not one actual consumption", found=str(len(actual)), expected="1", hint=HINT
        )
    if messages[-1][1] != FINISHED:
        raise MalformedLog(
            "the log of CarbonTracker stops before its end", found=messages[-1][1][:60], expected=FINISHED
        )
    hours, minutes, seconds = (int(part) for part in actual[0].group(3, 4, 5))
    return Total(
        components=components[1].group(1),
        found_at_local=components[0],
        ended_at_local=messages[-1][0],
        energy_kwh=quantity_of(actual[0].group(6), "the energy"),
        whole_s=hours * 3600 + minutes * 60 + seconds,
        predicted_epochs=max((int(match.group(2) or 0) for match in told if match.group(1) == "Predicted"), default=0),
    )


def _messages_of(raw: bytes) -> list[tuple[datetime, str]]:
    """The messages with their local times; a line without a time goes on with the message before it."""
    messages: list[tuple[datetime, list[str]]] = []
    for line in text_of(raw).splitlines():
        match = LINE.fullmatch(line)
        if match and is_time(match.group(1)):
            messages.append((datetime.fromisoformat(match.group(1)), [match.group(2)]))
        elif messages:
            messages[-1][1].append(line)
        else:
            raise MalformedLog("the log of CarbonTracker begins without a time", found=line[:60], hint=HINT)
    if not messages:
        raise MalformedLog("the log is empty", expected="a log of CarbonTracker")
    if any(sum(map(len, lines)) > MAX_MESSAGE_CHARACTERS for _, lines in messages):
        raise MalformedLog(
            "the log of CarbonTracker has an overlong message", expected=f"at most {MAX_MESSAGE_CHARACTERS} characters"
        )
    return [(when, "\n".join(lines)) for when, lines in messages]


def _found(messages: Sequence[tuple[datetime, str]], pattern: re.Pattern[str]) -> list[tuple[datetime, re.Match[str]]]:
    matches = ((when, pattern.fullmatch(text)) for when, text in messages)
    return [(when, match) for when, match in matches if match]


def _only(messages: Sequence[tuple[datetime, str]], pattern: re.Pattern[str]) -> tuple[datetime, re.Match[str]]:
    found = _found(messages, pattern)
    if len(found) != 1:
        raise MalformedLog(
            "a line of CarbonTracker's log is not there once",
            found=f"{len(found)} times",
            expected=pattern.pattern[:60],
            hint=HINT,
        )
    return found[0]


def _epochs_of(messages: Sequence[tuple[datetime, str]]) -> tuple[Epoch, ...]:
    """The epochs, numbered from 1 without a gap: number, duration, then the power of each kind of device."""
    epochs: list[Epoch] = []
    for place, (when, text) in enumerate(messages):
        number = EPOCH.fullmatch(text)
        if not number:
            continue
        if int(number.group(1)) != len(epochs) + 1:
            raise MalformedLog("an epoch is missing", found=text[:60], expected=f"Epoch {len(epochs) + 1}:", hint=HINT)
        duration = DURATION.fullmatch(messages[place + 1][1]) if place + 1 < len(messages) else None
        if not duration:
            raise MalformedLog(f"epoch {len(epochs) + 1} has no duration", hint=HINT)
        hours, minutes, seconds = duration.groups()
        epochs.append(
            Epoch(
                ended_at_local=when,
                duration_s=int(hours) * 3600 + int(minutes) * 60 + Decimal(seconds),
                power_w=_power_of(messages, place + 2, len(epochs) + 1),
            )
        )
    if not epochs:
        raise MalformedLog("the log names no epoch", expected="Epoch 1:", hint=HINT)
    return tuple(epochs)


def _power_of(messages: Sequence[tuple[datetime, str]], first: int, epoch: int) -> Decimal:
    kinds: dict[str, Decimal] = {}
    for place in range(first, len(messages)):
        text = messages[place][1]
        match = POWER.fullmatch(text)
        if not match:
            break
        if match.group(1) in kinds or not (numbers := match.group(2).strip("[]\n ").replace(",", " ").split()):
            raise MalformedLog(f"the power in epoch {epoch} cannot be read", found=text[:60])
        if numbers == ["None"]:
            raise MalformedLog(
                f"epoch {epoch} was too short for a reading of its power",
                found=text[:60],
                hint="CarbonTracker fills such epochs in; measure longer ones, or with a shorter update_interval.",
            )
        # The tool writes 57. for 57.0 where a machine has several devices.
        read = [quantity_of(number.removesuffix("."), f"the power in epoch {epoch}") for number in numbers]
        kinds[match.group(1)] = sum(read, start=Decimal(0))
    if not kinds:
        raise MalformedLog(f"epoch {epoch} has no power", hint=HINT)
    return sum(kinds.values(), start=Decimal(0))


def _fits(log: EpochLog, total: Total) -> bool:
    """Whether both tell of one run. Durations are printed to 0.01 s, so that much of each epoch's energy is left open."""
    joules = sum(epoch.power_w * epoch.duration_s for epoch in log.epochs)
    unsure = sum(epoch.power_w for epoch in log.epochs) * Decimal("0.01")
    gap = abs(joules * log.pue - total.energy_kwh * JOULES_PER_KWH)
    return (
        log.components == total.components
        and abs(log.found_at_local - total.found_at_local) <= NEAR
        and abs(log.ended_at_local - total.ended_at_local) <= NEAR
        and abs(_duration_of(log) - total.whole_s) <= 1 + Decimal("0.01") * len(log.epochs)
        and gap <= Decimal("0.01") * joules * log.pue + unsure * log.pue
    )


def _duration_of(log: EpochLog) -> Decimal:
    return sum((epoch.duration_s for epoch in log.epochs), start=Decimal(0))


def _run_of(log: EpochLog, total: Total) -> TrackedRun:
    if total.predicted_epochs > len(log.epochs) and not log.interrupted:
        raise MalformedLog(
            "CarbonTracker predicted a part of the run instead of measuring it",
            found=f"{len(log.epochs)} epochs of {total.predicted_epochs}",
            hint="Measure all of it: CarbonTracker(…, monitor_epochs=-1).",
        )
    duration_s = _duration_of(log)
    ended = log.epochs[-1].ended_at_local
    try:
        started = min(
            log.epochs[0].ended_at_local - timedelta(seconds=float(log.epochs[0].duration_s)),
            ended - timedelta(seconds=float(duration_s)),
        )
    except OverflowError as error:
        raise MalformedLog("the run began before any calendar", found=f"{duration_s} s") from error
    return TrackedRun(
        run_id=run_id_of(
            "carbontracker",
            log.components,
            log.found_at_local,
            *(f"{epoch.ended_at_local} {epoch.duration_s} {epoch.power_w.normalize()}" for epoch in log.epochs),
            total.energy_kwh.normalize(),
        ),
        tool_version=log.tool_version,
        energy_kwh=total.energy_kwh,
        duration_s=duration_s,
        pue=log.pue,
        started_at_local=started,
        ended_at_local=ended,
        grid_gco2e_per_kwh=log.grid_gco2e_per_kwh,
        location=log.location,
        interrupted=log.interrupted,
    )
