"""``certifier measure``: run a generator under a measuring tool and write down what it used."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from certifier.cli.options import JSON_RESULT
from certifier.cli.output import console, show_result
from certifier.errors import OperatorError
from certifier.measure.activity import Hardware, MeasuredActivity, Place, decimal_text, rfc3339, to_report_activity
from certifier.measure.session import MeasuringSession, StatedPower
from certifier.storage.files import save_bytes


class Quantity(click.ParamType[Decimal]):
    """A number, exactly as written, above the one bound and up to the other."""

    name = "number"

    def __init__(self, above: int, most: int) -> None:
        self._above = above
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not (number.is_finite() and self._above < number <= self._most):
            self.fail(f"{value!r} is no number above {self._above} and up to {self._most}.", param, ctx)
        return number


class Country(click.ParamType[str]):
    name = "country"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if not (len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()):
            self.fail(f"{text!r} is no ISO 3166-1 alpha-3 code such as SWE.", param, ctx)
        return text


COUNTRY = click.option(
    "--country",
    type=Country(),
    default="ZZZ",
    show_default=True,
    help="ISO 3166-1 alpha-3; not said counts as the worst grid.",
)
SITE = click.option(
    "--site",
    type=click.Choice(["local", "datacentre"]),
    default="datacentre",
    show_default=True,
    help="Where the machine stands.",
)
CONTRIBUTION = click.option(
    "--contribution",
    "contributions",
    type=click.Choice(["vocals", "instrumentation", "composition", "post_production", "lyrics"]),
    multiple=True,
    default=("composition",),
    show_default=True,
    help="What the model made; repeat for more.",
)


def _run(command: tuple[str, ...]) -> int:
    """The exit code of the caller's own command. Raises OperatorError when it cannot be started."""
    try:
        return subprocess.run(command, check=False).returncode  # noqa: S603 - it is the caller's own command
    except OSError as error:
        raise OperatorError(
            "The command to measure cannot be started.",
            found=str(error),
            expected="a program after --",
            hint="-- python make.py",
        ) from error


def session_document(
    said: Mapping[str, Any], activities: Sequence[MeasuredActivity], hardware: Sequence[Hardware], created_at: datetime
) -> dict[str, Any]:
    """The session file of these activities; ``said`` are the options of the command by their names."""
    name, _, version = said["model"].partition(":")
    model: dict[str, Any] = {"id": name, "name": name, "version": version or "unknown", "class": "neural-audio"}
    if said["parameters_b"]:
        model["parameters_b"] = decimal_text(said["parameters_b"])
    source = "activities" if said["trained_by"] != "other" else "default"
    model |= {
        "trained_by": said["trained_by"],
        "generated_minutes": decimal_text(said["minutes"]),
        "training": {"source": source},
    }
    place = Place(said["country"], said["site"])
    return {
        "track": {"created_at": rfc3339(created_at), "ai_contribution": list(said["contributions"])},
        "models": [model],
        "generation": {"takes": said["takes"], "generated_minutes": decimal_text(said["minutes"])},
        "activities": [to_report_activity(activity, place, hardware) for activity in activities],
        "stages_not_performed": ["fine_tuning"],
        "process": {},
    }


@click.command(context_settings={"ignore_unknown_options": True})
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("measured"),
    show_default=True,
    help="A new folder.",
)
@click.option("--model", required=True, metavar="NAME:VERSION", help="The model that generates, e.g. my-model:1.2.")
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
    help="Its size in billions of parameters, e.g. 0.4; not said counts as the largest.",
)
@click.option("--takes", type=click.IntRange(1), required=True, help="How many takes the command makes, kept or not.")
@click.option(
    "--minutes", type=Quantity(0, 1_000_000), required=True, help="Minutes of music that all takes together have."
)
@click.option(
    "--device", required=True, help="The machine in the standard's words: cpu-laptop, cpu-desktop, NVIDIA T4 …"
)
@click.option(
    "--cpu-power-w",
    type=Quantity(0, 10_000),
    required=True,
    help="The processor's nameplate power in watts; no sensor is assumed.",
)
@COUNTRY
@SITE
@CONTRIBUTION
@JSON_RESULT
@click.argument("command", nargs=-1, required=True)
def measure(out: Path, command: tuple[str, ...], **said: Any) -> None:
    """Measure COMMAND with CodeCarbon and write emissions.csv (the raw log) and session.json.

    \b
    certifier measure --model my-model:1 --takes 3 --minutes 6 \\
      --device cpu-desktop --cpu-power-w 65 -- python make.py
    """  # noqa: D301 - click reads the backspace as: keep these lines
    out.mkdir(parents=True, exist_ok=True)
    name = said["model"].partition(":")[0]
    power = StatedPower(said["cpu_power_w"], said["country"])
    with MeasuringSession(out, power, model=name) as session, session.activity("takes", "inference"):
        finished = _run(command)
    document = session_document(said, session.activities, (Hardware(said["device"]),), datetime.now(UTC))
    save_bytes(out / "session.json", (json.dumps(document, indent=2) + "\n").encode())
    energy = session.energy_kwh * 1000
    console(stderr=True).print(
        f"{energy:.3f} Wh (modelled), {len(session.activities)} activities, raw log {session.log_path}"
    )
    if finished:
        raise OperatorError(
            "The measured command failed.", found=f"exit code {finished}", hint=f"The log is kept in {out}."
        )
    console(stderr=True).print(
        f"Next: certifier report new {out / 'session.json'} --audio MASTER --key KEY --log {session.log_path}"
    )
    show_result(
        {
            "session": str(out / "session.json"),
            "log": str(session.log_path),
            "wh": f"{energy:.3f}",
            "method": "modelled",
        }
    )
    sys.stdout.flush()
