"""``certifier import``: the log of another measuring tool as a session file, and in words what the log does not say."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from certifier.cli.measure import CONTRIBUTION, COUNTRY, SITE, Quantity, session_document
from certifier.cli.options import JSON_RESULT
from certifier.cli.output import console, plain, show_result, wants_json
from certifier.errors import MalformedLog
from certifier.measure.activity import Coverage, Hardware, MeasuredActivity, decimal_text, rfc3339
from certifier.measure.importers import carbontracker, codecarbon, ecologits, impact_framework
from certifier.measure.importers.purpose import Purpose
from certifier.report.rawlogs import parse_emissions_csv
from certifier.report.rawlogs.carbontracker import is_carbontracker, runs_of_pairs
from certifier.report.rawlogs.ecologits import parse_impacts
from certifier.report.rawlogs.impact_framework import parse_manifest
from certifier.report.rawlogs.text import refuse_repeated
from certifier.service.examine import moment_of
from certifier.storage.files import save_bytes

MAX_ACTIVITIES = 1000  # LCAL section 15, the report's model
UNKNOWN_DEVICE = "unknown"  # no row of the tables: the worst device counts
NUMBERED = "run-{}"
ZONE = re.compile(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


class _Zone(click.ParamType[timezone]):
    """An offset from UTC. A name such as Europe/Paris is two offsets in one hour of the year, so none is taken."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timezone:
        if value == "Z":
            return UTC
        match = ZONE.fullmatch(str(value))
        if not match:
            self.fail(f"{value!r} is no offset from UTC such as +01:00, -05:30 or Z.", param, ctx)
        offset = timedelta(hours=int(match.group(2)), minutes=int(match.group(3)))
        return timezone(-offset if match.group(1) == "-" else offset)


class _Time(click.ParamType[datetime]):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        moment = moment_of(str(value))
        if moment is None:
            self.fail(f"{value!r} is no time with its zone such as 2026-11-22T20:42:19+01:00.", param, ctx)
        return moment


@dataclass(frozen=True)
class Imported:
    """What was taken from a log, and what to say about it."""

    activities: tuple[MeasuredActivity, ...]
    notes: tuple[str, ...]


MODELLED = (
    "Method: counted as modelled. The log does not say whether a sensor was read, so the higher uncertainty applies."
)
GRID = "Grid: the tool's own factor is kept as declared. It is never used; place and country decide."


def _codecarbon(logs: Sequence[bytes], purpose: Purpose, said: dict[str, Any]) -> Imported:
    lines = [line for raw in logs for line in parse_emissions_csv(raw)]
    activities = tuple(codecarbon.activity_of_line(line, purpose, said["zone"]) for line in lines)
    held = [line for line in lines if line.pue_included]
    pue = (
        f"PUE: the energy of {len(held)} of {len(lines)} runs holds one, and says so."
        if held
        else "PUE: the energy holds none."
    )
    return Imported(activities, (_zone_note(said), MODELLED, pue, GRID))


def _carbontracker(logs: Sequence[bytes], purpose: Purpose, said: dict[str, Any]) -> Imported:
    strangers = sum(not is_carbontracker(raw) for raw in logs)
    if strangers:
        raise MalformedLog(
            "a file is no log of CarbonTracker",
            found=f"{strangers} of {len(logs)} files",
            expected="…_carbontracker.log and …_carbontracker_output.log; the _err.log is not needed",
        )
    runs = [run for _, run in runs_of_pairs(logs)]
    notes = [_zone_note(said) + " The Z in the file's name is not UTC.", MODELLED]
    notes += [
        f"PUE: the total holds {run.pue}; the machine alone used {decimal_text(run.it_energy_kwh)} kWh." for run in runs
    ]
    notes.append("Coverage: chips alone (accelerator); the log has no memory and no rest of the machine.")
    if any(run.location == "unknown" for run in runs):
        notes.append("Place: the tool did not find it; its grid factor is a fallback, not a measurement.")
    if any(run.interrupted for run in runs):
        notes.append(
            "The run was interrupted: an epoch that was not finished is not in the log. Add it if there was one."
        )
    return Imported(tuple(carbontracker.activity_of_run(run, purpose, said["zone"]) for run in runs), (*notes, GRID))


def _ecologits(logs: Sequence[bytes], purpose: Purpose, said: dict[str, Any]) -> Imported:
    if len(logs) != 1:
        raise click.UsageError("One file of EcoLogits at a time: the two times are those of its requests.")
    requests = parse_impacts(logs[0])
    session = ecologits.Session(said["tool_version"], said["started_at"], said["ended_at"])
    embodied = [request.embodied_kg for request in requests if request.embodied_kg is not None]
    notes = (
        f"Time, zone and release: the file has none; taken as you said. Its {len(requests)} requests are one activity.",
        "Method: counted as modelled, on a service that others use too. Of a range the highest value is taken.",
        "PUE: the energy holds the provider's, which the file does not name; nothing is taken off.",
        f"Embodied: not taken (the file says {decimal_text(sum(embodied, start=Decimal(0)))} kg CO2e)."
        if embodied
        else "Embodied: not taken.",
        GRID,
        "The issuer cannot read this file again; it is kept as deposited.",
    )
    return Imported((ecologits.activity_of_requests(requests, purpose, session),), notes)


def _impact_framework(logs: Sequence[bytes], purpose: Purpose, said: dict[str, Any]) -> Imported:
    outputs = [output for raw in logs for output in parse_manifest(raw)]
    coverage: Coverage = said["coverage"] or "accelerator"
    activities = tuple(
        replace(impact_framework.activity_of_output(output, purpose), coverage=coverage) for output in outputs
    )
    notes = (
        "Zone: the manifest's own.",
        MODELLED,
        f"Coverage: {coverage}, "
        + (
            "as you said." if said["coverage"] else "the least; say --coverage if the energy is of more than the chips."
        ),
        "PUE: the energy holds none; the manifest does not work with one.",
        "Embodied carbon, carbon and SCI: not taken; the label computes them from your hardware.",
        GRID,
    )
    return Imported(activities, notes)


def _zone_note(said: dict[str, Any]) -> str:
    return f"Zone: the log has none; taken as you said ({said['zone']})."


@dataclass(frozen=True)
class Tool:
    """How the logs of a tool are imported, and which options it needs because its log does not say it."""

    read: Callable[[Sequence[bytes], Purpose, dict[str, Any]], Imported]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


TOOLS = {
    "codecarbon": Tool(_codecarbon, needs=("zone",)),
    "carbontracker": Tool(_carbontracker, needs=("zone",)),
    "ecologits": Tool(_ecologits, needs=("tool_version", "started_at", "ended_at")),
    "impact-framework": Tool(_impact_framework, takes=("coverage",)),
}
OF_SOME_TOOLS = ("zone", "tool_version", "started_at", "ended_at", "coverage")
WHY = {
    "zone": "the clock of the machine, e.g. +01:00; the log does not say it and it is not guessed",
    "tool_version": "the release of the tool, e.g. 0.11.3; the file does not say it",
    "started_at": "when the first request was made, with its zone; the file does not say it",
    "ended_at": "when the last answer was there, with its zone; the file does not say it",
}


@click.command("import")
@click.argument(
    "logs", metavar="LOG...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--tool", type=click.Choice(list(TOOLS)), required=True, help="Which tool wrote it.")
@click.option("--list", "list_only", is_flag=True, help="Show what would be taken; write nothing.")
@click.option("--model", metavar="NAME:VERSION", help="The model that generates, e.g. my-model:1.2.")
@click.option(
    "--trained-by",
    type=click.Choice(["applicant", "affiliate", "other"]),
    default="other",
    show_default=True,
    help="Who trained the model.",
)
@click.option(
    "--parameters-b",
    type=Quantity(0, 1_000_000),
    help="Its size in billions of parameters; not said counts as the largest.",
)
@click.option("--takes", type=click.IntRange(1), help="How many takes were made, kept or not.")
@click.option("--minutes", type=Quantity(0, 1_000_000), help="Minutes of music that all takes together have.")
@click.option(
    "--stage",
    type=click.Choice(["data", "training", "fine_tuning", "inference", "post_production"]),
    default="inference",
    show_default=True,
    help="What all runs of the log were for.",
)
@click.option("--zone", type=_Zone(), metavar="+HH:MM", help="CodeCarbon, CarbonTracker: the machine's clock.")
@click.option("--tool-version", metavar="VERSION", help="EcoLogits: its release.")
@click.option("--started-at", type=_Time(), metavar="TIME", help="EcoLogits: the first request, with its zone.")
@click.option("--ended-at", type=_Time(), metavar="TIME", help="EcoLogits: the last answer, with its zone.")
@click.option(
    "--coverage",
    type=click.Choice(["wall", "system", "accelerator"]),
    help="Impact Framework: what its energy is of; not said counts as the chips alone.",
)
@COUNTRY
@SITE
@click.option(
    "--device",
    "devices",
    multiple=True,
    help="A device in the standard's words, e.g. cpu-desktop, NVIDIA T4; repeat for more. Not said counts as the worst.",
)
@CONTRIBUTION
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("session.json"),
    show_default=True,
    help="The session file to write.",
)
@JSON_RESULT
def import_logs(logs: tuple[Path, ...], tool: str, list_only: bool, out: Path, **said: Any) -> None:
    """Make a session file of LOGs that another measuring tool wrote: energy, time and run, nothing else.

    CarbonTracker needs both its logs of each run: …_carbontracker.log and …_carbontracker_output.log.

    \b
    certifier import emissions.csv --tool codecarbon --zone +01:00 \\
      --model my-model:1 --takes 3 --minutes 6 --country FRA
    """  # noqa: D301 - click reads the backspace as: keep these lines
    _check_options(tool, list_only, said)
    model = (said["model"] or "model").partition(":")[0]
    imported = TOOLS[tool].read([log.read_bytes() for log in logs], Purpose("run", said["stage"], model), said)
    activities = tuple(_numbered(imported.activities))
    if list_only:
        _show(activities, console(stderr=wants_json()))
    else:
        hardware = [Hardware(name, count) for name, count in Counter(said["devices"] or (UNKNOWN_DEVICE,)).items()]
        made_at = max(activity.ended_at for activity in activities)
        document = session_document(said, activities, hardware, made_at)
        if said["stage"] == "fine_tuning":
            document["stages_not_performed"] = []
        save_bytes(out, (json.dumps(document, indent=2) + "\n").encode())
    notes = console(stderr=True)
    for note in (*imported.notes, *_unsaid(said)):
        notes.print(plain(note))
    energy = decimal_text(sum((activity.energy_kwh for activity in activities), start=Decimal(0)))
    document = {"kwh": energy, "activities": len(activities), "notes": list(imported.notes)}
    if list_only:
        notes.print("Nothing was written.")
        show_result(document)
        return
    notes.print(f"Wrote {plain(str(out))} with {energy} kWh; activities: {len(activities)}.")
    given = " ".join(f"--log {log}" for log in logs)
    notes.print(plain(f"Next: certifier report new {out} --audio MASTER --key KEY {given}"))
    show_result({"session": str(out), **document})


def _check_options(tool: str, list_only: bool, said: dict[str, Any]) -> None:
    """What the tool's log does not say has to be said, and what it says itself may not be said again."""
    known = TOOLS[tool]
    for name in OF_SOME_TOOLS:
        option = f"--{name.replace('_', '-')}"
        if name in known.needs and said[name] is None:
            raise click.UsageError(f"Missing option {option}: {WHY[name]}.")
        if name not in (*known.needs, *known.takes) and said[name] is not None:
            raise click.UsageError(f"{option} has no use with --tool {tool}; it is for {_users_of(name)}.")
    for name in () if list_only else ("model", "takes", "minutes"):
        if said[name] is None:
            raise click.UsageError(f"Missing option --{name}. (--list shows a log without it.)")


def _users_of(name: str) -> str:
    return ", ".join(tool for tool, known in TOOLS.items() if name in (*known.needs, *known.takes))


def _numbered(activities: Sequence[MeasuredActivity]) -> Iterator[MeasuredActivity]:
    if len(activities) > MAX_ACTIVITIES:
        raise MalformedLog(
            "the logs hold more runs than one report may",
            found=str(len(activities)),
            expected=f"at most {MAX_ACTIVITIES}",
        )
    refuse_repeated("run", [activity.run_id for activity in activities], hint="give each log once")
    for number, activity in enumerate(activities, start=1):
        yield replace(activity, id=NUMBERED.format(number))


def _unsaid(said: dict[str, Any]) -> Iterator[str]:
    yield f"Purpose: all runs count as {said['stage']}."
    if said["country"] == "ZZZ":
        yield "Country: not said; the worst grid counts."
    if not said["devices"]:
        yield "Device: not said; the worst device counts."


def _show(activities: Sequence[MeasuredActivity], out: Console) -> None:
    for activity in activities:
        pue = activity.pue or ("holds one that is not named" if activity.pue_unstated else "none")
        out.print(f"[bold]{activity.id}[/]  {plain(activity.run_id)}")
        for label, text in (
            ("time", f"{rfc3339(activity.started_at)} to {rfc3339(activity.ended_at)}"),
            ("duration", f"{decimal_text(activity.duration_s)} s"),
            ("energy", f"{decimal_text(activity.energy_kwh)} kWh"),
            ("PUE in it", str(pue)),
            ("grid", _grid_text(activity)),
            ("tool", f"{activity.tool_name} {activity.tool_version}, {activity.method}, {activity.coverage}"),
        ):
            out.print(f"  {label:<11}{plain(text)}")


def _grid_text(activity: MeasuredActivity) -> str:
    grid = activity.grid_gco2e_per_kwh
    return "not said" if grid is None else f"{decimal_text(grid)} g/kWh, declared by the tool and not used"
