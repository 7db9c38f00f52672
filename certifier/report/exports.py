"""Account exports of generation services, read as evidence: bytes in, jobs out (LCAL 10.1, 17.4).

On the service path an export takes the place of the raw log. This is the project's own format, `lcal-service-export/1`: a JSON
document, the same in an envelope signed by the service, or a CSV file. The issuer reads it whole and reproduces the minutes of
each use of a service (rule PLS-18): the jobs that the report names have to stand in the export, of the same run, the same
model version and the time of the activity; a job that the report leaves out is named too, so that hiding one gains nothing.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from certifier.crypto.canonical import canonical_bytes
from certifier.crypto.keyring import Keyring
from certifier.crypto.keys import PublicKey
from certifier.crypto.signing import Signer
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import MalformedJson, MalformedLog
from certifier.report.envelope import open_envelope, sign_payload
from certifier.report.evidence import Reproduced, Signature
from certifier.report.model import Activity, Name, Quantity, Report, ServiceUse, Time
from certifier.units import exact_arithmetic, microseconds_of

FORM = "lcal-service-export/1"
PAYLOAD_TYPE = "application/vnd.lcal.service-export+json"
CSV_COLUMNS = (
    "service",
    "account",
    "period_from",
    "period_until",
    "job_id",
    "run_id",
    "minutes",
    "finished_at",
    "model",
    "version",
)
MAX_JOBS = 20_000
MOST_MINUTES = Decimal(1_000_000)  # of one job; rule INT-03 allows no absurd number
LIMITS = Limits(max_bytes=8 * 1024 * 1024, max_depth=8, max_nodes=400_000)
HEADER_BYTES = 64 * 1024
BOM = b"\xef\xbb\xbf"  # a spreadsheet begins its CSV files with it
CLOCK_SKEW_US = 300_000_000  # LCAL 8.4
MARKS = (FORM.encode(), PAYLOAD_TYPE.encode())
NO_MINUTES = Reproduced(minutes=Decimal(0))


def _known_time(text: str) -> str:
    if microseconds_of(text) is None:
        raise ValueError("an RFC 3339 time with its zone is expected")
    return text


def _minutes(value: Decimal) -> Decimal:
    if not value.is_finite() or not 0 < value <= MOST_MINUTES:
        raise ValueError("minutes above 0 and at most 1,000,000 are expected")
    return value


Text = Annotated[Name, Field(min_length=1)]
Moment = Annotated[Time, AfterValidator(_known_time)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Period(_Part):
    """What the export covers; all of its jobs were finished in it."""

    begin: Annotated[Moment, Field(alias="from")]
    until: Moment


class Job(_Part):
    """One generation of the service: how many minutes of audio it gave, kept or not, by which model."""

    id: Text
    run_id: Text
    minutes: Annotated[Quantity, AfterValidator(_minutes)]
    finished_at: Moment
    model: Text
    version: Text


class Export(_Part):
    """The jobs of one account at one service. ``service`` is the name under which the service is registered."""

    form: Literal["lcal-service-export/1"]
    service: Text
    account: Text
    exported_at: Moment
    period: Period
    jobs: Annotated[tuple[Job, ...], Field(min_length=1, max_length=MAX_JOBS)]


@dataclass(frozen=True)
class OpenedExport:
    """An export and the keys that signed it, each signature verified; an unsigned one has none."""

    export: Export
    signers: tuple[PublicKey, ...]


# --- reading ---


def is_export(raw: bytes) -> bool:
    """Whether a deposited file says that it is in this format: then it has to be read, or refused."""
    beginning = raw[:HEADER_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    if beginning.startswith(b"{"):
        try:
            value = parse_object(raw, LIMITS)
        except MalformedJson:
            return any(mark in raw for mark in MARKS)
        return value.get("form") == FORM or value.get("payloadType") == PAYLOAD_TYPE
    first = beginning.partition(b"\n")[0].replace(b"\x00", b"").lower()
    return b"job_id" in first and b"run_id" in first and b"minutes" in first


def open_export(raw: bytes) -> OpenedExport:
    """The export in a deposited file: JSON, signed or not, or CSV. Raises MalformedLog or another ForeignInputError.

    A signature that does not fit refuses the file.
    """
    if not raw.removeprefix(BOM).lstrip().startswith(b"{"):
        return OpenedExport(_checked(_csv_value(raw)), ())
    value = parse_object(raw, LIMITS)
    if "payload" not in value:
        return OpenedExport(_checked(value), ())
    envelope = open_envelope(raw, what="export", payload_type=PAYLOAD_TYPE, limits=LIMITS)
    return OpenedExport(_checked(parse_object(envelope.payload, LIMITS)), envelope.signers)


def sign_export(value: dict[str, Any], key: Signer) -> dict[str, Any]:
    """The export in an envelope, signed by the service. Raises MalformedLog when it does not fit its form."""
    _checked(value)
    return sign_payload(canonical_bytes(value), key, PAYLOAD_TYPE)


def _checked(value: Any) -> Export:
    try:
        export = Export.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise MalformedLog(
            "The account export does not fit its form.",
            found=None if first["type"] == "missing" else repr(first["input"])[:80],
            expected="no such field" if first["type"] == "extra_forbidden" else first["msg"],
            hint="docs/statements.md says what stands in an export.",
            pointer="".join(f"/{step}" for step in first["loc"]),
        ) from error
    _check_times(export)
    job_id, times = Counter(job.id for job in export.jobs).most_common(1)[0]
    if times > 1:
        raise MalformedLog("The account export has a job twice.", found=job_id[:80], expected="each job once")
    return export


def _check_times(export: Export) -> None:
    begin, until, exported = map(_us, (export.period.begin, export.period.until, export.exported_at))
    if begin >= until:
        raise MalformedLog(
            "The period of the export is empty.", found=f"{export.period.begin} to {export.period.until}"
        )
    for job in export.jobs:
        if not begin < _us(job.finished_at) <= min(until, exported):
            raise MalformedLog(
                "A job was not finished in the period of its export.",
                found=f"{job.id[:80]}: {job.finished_at}",
                expected=f"after {export.period.begin}, until {export.period.until}, before the export",
            )


def _us(text: str) -> int:
    moment = microseconds_of(text)
    assert moment is not None  # the field was validated
    return moment


def _csv_value(raw: bytes) -> dict[str, Any]:
    rows = _csv_rows(raw)
    jobs = [dict(zip(CSV_COLUMNS, row, strict=True)) for row in rows]
    heads = {tuple(job[name] for name in CSV_COLUMNS[:4]) for job in jobs}
    if len(heads) != 1:
        raise MalformedLog(
            "The account export is of more than one account or period.",
            found=f"{len(heads)} different ones",
            expected="the same service, account, period_from and period_until in every row",
        )
    service, account, begin, until = heads.pop()
    return {
        "form": FORM,
        "service": service,
        "account": account,
        "exported_at": until,
        "period": {"from": begin, "until": until},
        "jobs": [{"id": job["job_id"], **{name: job[name] for name in CSV_COLUMNS[5:]}} for job in jobs],
    }


def _csv_rows(raw: bytes) -> list[list[str]]:
    """The cells in the order of the documented columns. A file without jobs, or with other columns, is refused."""
    if len(raw) > LIMITS.max_bytes:
        raise MalformedLog("The account export is too long.", expected=f"at most {LIMITS.max_bytes} bytes")
    try:
        lines = list(csv.reader(io.StringIO(raw.removeprefix(BOM).decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise MalformedLog("The account export is no CSV in UTF-8.", found=str(error)[:80]) from error
    header, *rows = lines or [[]]
    if sorted(header) != sorted(CSV_COLUMNS):
        raise MalformedLog(
            "The account export has other columns.", found=",".join(header)[:200], expected=",".join(CSV_COLUMNS)
        )
    if not 1 <= len(rows) <= MAX_JOBS:
        raise MalformedLog("The account export is of no use.", found=f"{len(rows)} jobs", expected=f"1 to {MAX_JOBS}")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise MalformedLog(f"Row {number} does not fit the header.", found=f"{len(row)} cells")
    order = [header.index(name) for name in CSV_COLUMNS]
    return [[row[place] for place in order] for row in rows]


# --- who signed ---


def export_signatures(exports: Iterable[OpenedExport], keyring: Keyring, now_us: int) -> tuple[Signature, ...]:
    """The services' signatures under their exports: a service that signs what it exports need not sign the report (17.4).

    A key counts for its own service only; the signature of anybody else is listed as unregistered, and is worth nothing.
    """
    found = (_signature_of(signer, opened.export, keyring, now_us) for opened in exports for signer in opened.signers)
    return tuple(dict.fromkeys(found))


def _signature_of(signer: PublicKey, export: Export, keyring: Keyring, now_us: int) -> Signature:
    entry = keyring.entry_for(signer)
    if entry is None or (entry.role, entry.owner) != ("service", export.service):
        return Signature(role="service", id=signer.did_key, valid=True, key=signer.did_key)
    begin, end = (_us(moment.isoformat()) for moment in (entry.valid_from, entry.valid_until))
    return Signature(
        role="service",
        id=entry.owner,
        valid=True,
        registered=True,
        key_active_at_signing=begin <= _us(export.exported_at) <= end,
        key_active_now=begin <= now_us <= end,
        key=signer.did_key,
    )


# --- what the report says of it ---


def reproduced_minutes(exports: Sequence[Export], report: Report) -> dict[str, Reproduced]:
    """The minutes that the exports hold for each use of a service, by activity; and each job that fits no use.

    An activity that stands in no export has no entry. What does not fit goes under a name that no activity has, and so fails
    PLS-18: a job that no activity names, one of another run, model or time, one of which two exports say different things,
    and a named job that no export holds.
    """
    jobs, torn = _jobs_of(exports)
    by_id: dict[str, list[_Place]] = {}
    for place in jobs:
        by_id.setdefault(place.job, []).append(place)
    names = _Names(activity.id for activity in report.activities)
    runs = {job.run_id for job in jobs.values()}
    found: dict[str, Reproduced] = {}
    counted: set[_Place] = set()
    reasons: dict[_Place, str] = {}
    for activity in report.activities:
        if not isinstance(activity, ServiceUse):
            continue
        named = dict.fromkeys(activity.job_ids)
        if activity.run_id not in runs and not any(job_id in by_id for job_id in named):
            continue  # of another service, whose export is not read here
        places = [place for job_id in named for place in by_id.get(job_id, ())]
        misfits = {place: why for place in places if (why := _misfit(jobs[place], activity, report))}
        mine = [place for place in places if place not in misfits]
        with exact_arithmetic():
            minutes = sum((jobs[place].minutes for place in mine), Decimal(0))
        found[activity.id] = Reproduced(minutes=minutes)
        counted |= set(mine)
        reasons |= misfits
        for job_id in named:
            if job_id not in by_id:
                found[names.beside(f"job {job_id[:120]}, which no export holds")] = NO_MINUTES
    for place, job in jobs.items():
        if place not in counted:
            why = reasons.get(place, "which the report leaves out")
            found[names.beside(f"job {place.job[:120]}, {why}")] = Reproduced(minutes=job.minutes)
    for place in torn:
        found[names.beside(f"job {place.job[:120]}, of which two exports say different things")] = NO_MINUTES
    return found


class _Place(NamedTuple):
    """A job is known by its service and its id."""

    service: str
    job: str


def _jobs_of(exports: Iterable[Export]) -> tuple[dict[_Place, Job], list[_Place]]:
    """All jobs, and those of which two exports of the service say different things."""
    jobs: dict[_Place, Job] = {}
    torn: dict[_Place, None] = {}
    for export in exports:
        for job in export.jobs:
            place = _Place(export.service, job.id)
            if jobs.setdefault(place, job) != job:
                torn[place] = None
    return jobs, list(torn)


def _misfit(job: Job, activity: ServiceUse, report: Report) -> str | None:
    """Why a job cannot belong to the activity that names it, else None."""
    model = next((model for model in report.models if model.id == activity.model), None)
    if job.run_id != activity.run_id:
        return f"of run {job.run_id[:40]}"
    if model is None or (model.name, model.version) != (job.model, job.version):
        return f"by {job.model[:25]} {job.version[:15]}"
    if activity.stage == "post_production" and _generates(job, report):
        return "generated, not post-production"
    started, ended = microseconds_of(activity.started_at), microseconds_of(activity.ended_at)
    finished = _us(job.finished_at)
    if started is None or ended is None or not started - CLOCK_SKEW_US <= finished <= ended + CLOCK_SKEW_US:
        return "finished at another time"
    return None


def _generates(job: Job, report: Report) -> bool:
    """Whether the job's model makes the track's sound: its jobs count in the figure, whatever the activity is called."""
    inferring = {activity.model for activity in report.activities if activity.stage == "inference"}
    return any(
        (model.name, model.version) == (job.model, job.version) for model in report.models if model.id in inferring
    )


class _Names:
    """Names that no activity has, each given once."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._given = Counter[str]()

    def beside(self, wanted: str) -> str:
        """The wanted name, numbered where it is taken."""
        name = wanted
        while name in self._taken:
            self._given[wanted] += 1
            name = f"{wanted} ({self._given[wanted] + 1})"
        self._taken.add(name)
        return name


def stand_in_exports(activities: Iterable[Activity], exports: Iterable[Export]) -> bool:
    """Whether each job of each use of a service among the activities stands in one of the exports."""
    held = {job.id for export in exports for job in export.jobs}
    uses = [activity for activity in activities if isinstance(activity, ServiceUse)]
    return all(bool(use.job_ids) and held.issuperset(use.job_ids) for use in uses)
