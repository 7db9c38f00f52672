"""``certifier report service``: the honest way in for music made with a service whose machines nobody outside sees.

Minutes and jobs come from the service's account export. What a minute costs comes from the service's registered statement, or
from the standard's default, and the command says in words what that means (LCAL 4.6, 8.6, 10.1).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from certifier.audio.analyse import analyse_audio
from certifier.certificate.code import parse_code
from certifier.certificate.times import time_text
from certifier.cli.duties import duties, process_of
from certifier.cli.options import FILE, JSON_RESULT
from certifier.cli.output import console, counted, plain, show_result
from certifier.cli.report import OUT, STANDARD
from certifier.crypto.canonical import sha256_hex, to_json_text
from certifier.errors import ForeignInputError, NotFoundError
from certifier.measure.session_file import report_of
from certifier.report.exports import MAX_JOBS, MOST_MINUTES, Export, Job, open_export
from certifier.report.model import parse_report
from certifier.service.statements import StatementView, statements_in
from certifier.standard.model import Standard
from certifier.storage.files import load_keyring, load_signing_key, load_standard, save_bytes
from certifier.units import exact_arithmetic, parse_time
from certifier.units import plain as plain_number

AGREES = Decimal("0.01")  # of the export's minutes, as in rule PLS-18


@click.command("service")
@click.option("--service", required=True, metavar="NAME:VERSION", help="The model, as export and statement name it.")
@click.option(
    "--export", "export_file", type=FILE, required=True, help="The account export with the jobs of this track."
)
@click.option("--takes", type=click.IntRange(min=1), required=True, help="All takes, kept or not.")
@click.option("--minutes", help="Your own count of generated minutes; the export has to agree.")
@click.option("--statement", "statement_id", metavar="ID", help="The registered statement of the service.")
@click.option("--default", "by_default", is_flag=True, help="There is no statement: count the standard's default.")
@click.option("--register", type=click.Path(exists=True, file_okay=False, path_type=Path), help="To look ID up.")
@STANDARD
@click.option("--title", required=True, help="The track's title.")
@click.option("--artist", required=True, help="The artist.")
@click.option("--audio", type=FILE, required=True, help="The finished master.")
@click.option("--key", type=FILE, required=True, help="The key that will sign: it names the applicant.")
@click.option(
    "--made",
    "contributions",
    multiple=True,
    type=click.Choice(["vocals", "instrumentation", "composition", "lyrics"]),
    default=("instrumentation", "composition"),
    show_default=True,
    help="What the service made; repeat.",
)
@click.option("--parameters-b", help="Billions of parameters of the model, if the service says it.")
@click.option("--audible-s", help="Seconds in which it is heard; the whole master if not given.")
@duties
@click.option("--renewal-of", metavar="CODE", help="The certificate of this file that the report renews.")
@click.option("-o", "--out", type=OUT, default=Path("report.json"), show_default=True)
@JSON_RESULT
def service_report(
    service: str,
    export_file: Path,
    takes: int,
    minutes: str | None,
    statement_id: str | None,
    by_default: bool,
    register: Path | None,
    folder: Path,
    title: str,
    artist: str,
    audio: Path,
    key: Path,
    contributions: tuple[str, ...],
    parameters_b: str | None,
    audible_s: str | None,
    renewal_of: str | None,
    out: Path,
    **said: str | tuple[str, ...] | None,
) -> None:
    """Build an unsigned report for music made with a closed service, from its account export.

    With --statement ID the service's own verified figures count. With --default each minute counts as the standard's
    default: at best the outcome is `measured`, and the face says that it was calculated.
    """
    if (statement_id is None) != by_default:
        raise click.UsageError("Say what a minute counts as: --statement ID, or --default if the service has none.")
    name, found, version = service.rpartition(":")
    if not (name and found and version):
        raise click.UsageError("The service is written NAME:VERSION, as its export names model and version.")
    raw = export_file.read_bytes()
    export = open_export(raw).export
    _check_jobs(export, name, version, takes, minutes)
    standard = load_standard(folder)
    view = _registered(statement_id, (name, version), register, standard) if statement_id else None
    by_statement = statement_id is not None and (view is None or view.has_service_figures)
    facts, applicant = analyse_audio(str(audio)), load_signing_key(key).public
    total = _total(export.jobs)
    session = {
        "track": {
            "created_at": _latest(export.jobs),
            "ai_contribution": list(contributions),
            **({"ai_audible_s": audible_s} if audible_s else {}),
        },
        "models": [_model(name, version, parameters_b, total, statement_id)],
        "generation": {"takes": takes, "generated_minutes": plain_number(total)},
        "activities": _activities(export, "service_statement" if by_statement else "service_default"),
        "stages_not_performed": ["fine_tuning"],
        "process": process_of(said),
    }
    document = report_of(
        session,
        report_id=f"rep_{secrets.token_hex(8)}",
        applicant=applicant.did_key,
        issued_at=time_text(datetime.now(UTC)),
        audio_sha256=facts.sha256,
        duration_s=facts.duration_s,
        raw_logs=[sha256_hex(raw)],
        words={"title": title, "artist": artist},
    )
    if renewal_of:
        document["renewal_of"] = parse_code(renewal_of)
    parse_report(document)
    save_bytes(out, to_json_text(document).encode())
    notes = console(stderr=True)
    jobs, made = counted(len(export.jobs), "job"), counted(takes, "take")
    notes.print(f"{jobs}, {plain_number(total)} generated minutes, {made}.")
    size = parse_report(document).models[0].parameters_b
    for line in _meaning(standard, statement_id, view, size, by_statement=by_statement):
        notes.print(plain(line))
    notes.print(f"Wrote {out}, unsigned. Next: certifier report sign {out} --audio {audio} --key {key}")
    notes.print(f"Then check and submit it with --log {export_file}")
    show_result({"file": str(out), "report_id": document["report_id"], "signed": False})


def _check_jobs(export: Export, name: str, version: str, takes: int, minutes: str | None) -> None:
    """The export is of this model alone, and does not contradict what the applicant counted."""
    others = sorted({f"{job.model}:{job.version}" for job in export.jobs} - {f"{name}:{version}"})
    if others:
        raise ForeignInputError(
            "The export holds jobs of another model.",
            found=", ".join(others)[:200],
            expected=f"{name}:{version}",
            hint="Export the jobs of this track only; what an export holds, the report has to name.",
        )
    if takes < len(export.jobs):
        raise ForeignInputError(
            "There are more jobs than takes.",
            found=f"{len(export.jobs)} jobs in the export",
            expected=f"at most {takes}, or --takes {len(export.jobs)}",
            hint="Count every take, kept or not.",
        )
    if minutes is None:
        return
    total, counted = _total(export.jobs), _number(minutes)
    if abs(counted - total) > AGREES * total:
        raise ForeignInputError(
            "The export holds other minutes than you counted.",
            found=f"{plain_number(total)} minutes in the export",
            expected=f"{minutes} minutes, to 1 %",
            hint="Is a job missing, or one of another track in it? The export decides; leave --minutes out to take its sum.",
        )


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except ArithmeticError as error:
        raise click.UsageError(f"--minutes is a number, not {text!r}.") from error
    if not number.is_finite() or not 0 < number <= MOST_MINUTES * MAX_JOBS:
        raise click.UsageError(f"--minutes is above zero and at most {plain_number(MOST_MINUTES * MAX_JOBS)}.")
    return number


def _total(jobs: Iterable[Job]) -> Decimal:
    with exact_arithmetic():
        return sum((job.minutes for job in jobs), Decimal(0))


def _latest(jobs: Iterable[Job]) -> str:
    return max((job.finished_at for job in jobs), key=parse_time)


def _model(
    name: str, version: str, parameters_b: str | None, minutes: Decimal, statement_id: str | None
) -> dict[str, Any]:
    source: Mapping[str, str] = (
        {"source": "statement", "statement": statement_id} if statement_id else {"source": "default"}
    )
    return {
        "id": "m1",
        "name": name,
        "version": version,
        "class": "neural-audio",
        **({"parameters_b": parameters_b} if parameters_b else {}),
        "trained_by": "other",
        "generated_minutes": plain_number(minutes),
        "training": dict(source),
    }


def _activities(export: Export, method: str) -> list[dict[str, Any]]:
    """One use of the service for each run of the export."""
    runs: dict[str, list[Job]] = {}
    for job in export.jobs:
        runs.setdefault(job.run_id, []).append(job)
    return [
        {
            "id": f"s{number}",
            "run_id": run_id,
            "model": "m1",
            "stage": "inference",
            "method": method,
            "started_at": export.period.begin,
            "ended_at": _latest(jobs),
            "minutes": plain_number(_total(jobs)),
            "job_ids": [job.id for job in jobs],
            "allocation_share": "1",
            "allocation_method": "whole",
        }
        for number, (run_id, jobs) in enumerate(runs.items(), start=1)
    ]


def _registered(
    statement_id: str, model: tuple[str, str], register: Path | None, standard: Standard
) -> StatementView | None:
    """The statement in the register, if a register was given. Raises NotFoundError or, for another model, ForeignInputError."""
    if register is None:
        return None
    views = statements_in(load_keyring(register), standard, datetime.now(UTC))
    view = next((view for view in views if view.entry.id == statement_id), None)
    if view is None:
        raise NotFoundError(
            "The register holds no such statement.",
            found=statement_id[:80],
            expected=", ".join(other.entry.id for other in views)[:300] or "none is registered",
            hint="Ask the service, or use --default.",
        )
    stated = (view.statement.model, view.statement.version)
    if stated != model:
        raise ForeignInputError(
            "The statement is of another model version.", found=":".join(stated), expected=":".join(model)
        )
    return view


def _meaning(
    standard: Standard,
    statement_id: str | None,
    view: StatementView | None,
    parameters_b: Decimal | None,
    *,
    by_statement: bool,
) -> Iterable[str]:
    """What the choice means for figure and outcome."""
    parameters = standard.parameters
    service, pue = parameters.service_default, standard.factors.pue_row(provider=None, in_datacentre=True).pue
    default = (
        f"each generated minute counts as {plain_number(service.kwh_per_minute)} kWh at an unknown place"
        f" ({plain_number(standard.factors.unknown_place.g_per_kwh)} g/kWh, PUE {plain_number(pue)}) and"
        f" {plain_number(service.equipment_g_per_minute)} g of equipment. At best the outcome is `measured`,"
        ' and the face says "calculated with default values".'
    )
    if statement_id is None:
        training = parameters.training_default_for(parameters_b)
        yield f"Without a statement {default}"
        yield f"Its training counts as {plain_number(training)} g per generated minute."
        yield "A statement of the service, verified and registered, opens the classes: ask the service for one."
        return
    if view is None:
        yield f"The figures of the statement {statement_id} count, if it is registered, in date, and holds service figures."
        yield "Otherwise there is no certificate: --register looks it up."
        return
    yield f"The statement {statement_id} is {view.state}; it counts until {view.valid_until:%Y-%m-%d}."
    if view.state != "in force":
        yield "Reports that name it get no certificate: ask the service for a new one, or use --default."
    if not by_statement:
        yield f"It holds no service figures, so its training counts, but {default}"
