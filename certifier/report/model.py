"""The emission report: what an applicant declares about the making of a track (LCAL section 15).

The model says which fields there are, of which type, and which are always needed. It does not judge: whether a
number is plausible, a time has its zone or a meter is named is left to the rules, which say so in words. Two steps
are offered: `parse_report` for those who want a sound report or an error, and `read_report` for the decision, which
goes on without fields that nobody knows and names them.

Quantities are exact decimals. On the wire they are integers, decimal strings or the exact decimals of our JSON
reader; a binary float is refused. Times stay text, since a missing zone is a finding and not a type error.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    PlainValidator,
    StrictBool,
    StrictStr,
    Tag,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from certifier.errors import FieldFinding, MalformedReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

SERVICE_METHODS = frozenset({"service_statement", "service_default"})
FOOTPRINT_STAGES = frozenset({"data", "training", "fine_tuning", "inference"})

_DECIMAL_TEXT = re.compile(r"-?\d{1,60}(?:\.\d{1,60})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_MOST_DIGITS = 120
_MOST_EXPONENT = 400
_MOST_COUNT = 10**18

# Control characters, line separators, marks that turn the writing direction, half surrogates and noncharacters:
# they can make a title look like another one, or break the file that it is printed in.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)

# Titles travel into pages, images and other people's systems. All of ours escape them; not all of theirs do.
_MARKUP = re.compile(r"<\s*[/!?a-zA-Z]")


def _decimal_of(value: Any) -> Decimal:
    """An exact decimal from an integer, a decimal string or a decimal. NaN and infinity pass, for INT-03 to name."""
    if isinstance(value, Decimal):
        number = value
    elif _is_integer(value) or (isinstance(value, str) and _DECIMAL_TEXT.fullmatch(value)):
        number = Decimal(value)
    else:
        raise PydanticCustomError("quantity", "a number is expected: an integer, or a decimal such as 0.006")
    if number.is_finite() and (len(number.as_tuple().digits) > _MOST_DIGITS or abs(number.adjusted()) > _MOST_EXPONENT):
        raise PydanticCustomError("quantity", "a number with fewer digits is expected")
    return number


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_MOST_DIGITS


def _count_of(value: Any) -> int:
    number = _decimal_of(value)
    if not number.is_finite() or abs(number) > _MOST_COUNT or number != number.to_integral_value():
        raise PydanticCustomError("count", "a whole number is expected")
    return int(number)


def _printable(text: str) -> str:
    found = _UNPRINTABLE.search(text)
    if found:
        raise PydanticCustomError(
            "text", "printable text is expected, without U+{code}", {"code": f"{ord(found.group()):04X}"}
        )
    if _MARKUP.search(text):
        raise PydanticCustomError("text", "plain text is expected, without markup such as <b> or <script>")
    return text


Quantity = Annotated[
    Decimal,
    PlainValidator(_decimal_of),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema(
        {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"}]}
    ),
]
Count = Annotated[int, PlainValidator(_count_of), WithJsonSchema({"type": "integer"})]
Name = Annotated[StrictStr, Field(max_length=200), AfterValidator(_printable)]
Link = Annotated[StrictStr, Field(max_length=2000), AfterValidator(_printable)]
Time = Annotated[
    StrictStr, Field(max_length=40), AfterValidator(_printable), Field(description="RFC 3339 with its zone")
]
Digest = Annotated[
    StrictStr, Field(max_length=200), AfterValidator(_printable), Field(description="SHA-256, 64 hex digits")
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Issuer(_Part):
    id: Name
    key_id: Name


class Track(_Part):
    title: Name
    artist: Name
    isrc: Name | None = None
    release_date: Name | None = None
    audio_sha256: Digest
    duration_s: Quantity
    created_at: Time
    ai_contribution: Annotated[
        tuple[Literal["vocals", "instrumentation", "composition", "post_production", "lyrics"], ...],
        Field(max_length=20),
    ]
    ai_audible_s: Quantity


class Training(_Part):
    source: Literal["activities", "statement", "default"]
    statement: Name | None = None
    generated_minutes_to_date: Quantity | None = None
    lifetime_minutes_forecast: Quantity | None = None


class Model(_Part):
    id: Name
    name: Name
    version: Name
    kind: Annotated[Literal["neural-audio", "symbolic", "hybrid"], Field(alias="class")]
    parameters_b: Quantity | None = None
    trained_by: Literal["applicant", "affiliate", "other"]
    generated_minutes: Quantity
    training: Training


class Generation(_Part):
    takes: Count
    generated_minutes: Quantity


class Tool(_Part):
    name: Name
    version: Name


class Meter(_Part):
    id: Name | None = None
    accuracy_class: Name | None = None
    calibrated_on: Name | None = None


class Location(_Part):
    """Where a machine stood. The site is needed; without it the report is read as from a data centre."""

    country: Name
    subdivision: Name | None = None
    provider: Name | None = None
    region: Name | None = None
    site: Literal["local", "datacentre"] | None = None


class PueEvidence(_Part):
    site: Name | None = None
    year: Count | None = None
    link: Link | None = None


class Embodied(_Part):
    kgco2e: Quantity | None = None
    pcf_sha256: Digest | None = None
    lifetime_h: Quantity | None = None
    lifetime_evidence: Digest | None = None


class Hardware(_Part):
    name: Name
    count: Count
    embodied: Embodied | None = None


class Reserved(_Part):
    audio_sha256: Digest
    minutes: Quantity


class Batch(_Part):
    minutes: Quantity
    track_minutes: Quantity
    reserved: Annotated[tuple[Reserved, ...], Field(max_length=1000)] = ()


class _Activity(_Part):
    """What every activity has, and what may stand in it without being used."""

    id: Name
    run_id: Name
    model: Name | None = None
    stage: Literal["data", "training", "fine_tuning", "inference", "post_production"]
    idle: StrictBool | None = None
    started_at: Time
    ended_at: Time
    tool: Tool | None = None
    meter: Meter | None = None
    pue: Quantity | None = None
    pue_evidence: PueEvidence | None = None
    grid_gco2e_per_kwh: Quantity | None = None
    allocation_share: Quantity
    allocation_method: Literal["whole", "generated_minutes", "finished_minutes", "time_log"]
    batch: Batch | None = None


class Run(_Activity):
    """A machine that ran for a time and used energy."""

    method: Literal["metered", "sensor", "provider", "modelled", "default"]
    duration_s: Quantity
    energy_kwh: Quantity
    coverage: Literal["wall", "system", "accelerator"]
    shared_service: StrictBool
    location: Location
    pue_included: StrictBool
    hardware: Annotated[tuple[Hardware, ...], Field(max_length=100)]
    minutes: Quantity | None = None
    job_ids: Annotated[tuple[Name, ...], Field(max_length=10_000)] | None = None


class ServiceUse(_Activity):
    """Minutes exported from a service, whose machines the applicant does not see."""

    method: Literal["service_statement", "service_default"]
    minutes: Quantity
    job_ids: Annotated[tuple[Name, ...], Field(max_length=10_000)]
    duration_s: Quantity | None = None
    energy_kwh: Quantity | None = None
    coverage: Literal["wall", "system", "accelerator"] | None = None
    shared_service: StrictBool | None = None
    location: Location | None = None
    pue_included: StrictBool | None = None
    hardware: Annotated[tuple[Hardware, ...], Field(max_length=100)] | None = None


def _path_of(value: Any) -> str:
    method = value.get("method") if isinstance(value, dict) else getattr(value, "method", None)
    return "service" if isinstance(method, str) and method in SERVICE_METHODS else "run"


Activity = Annotated[Annotated[Run, Tag("run")] | Annotated[ServiceUse, Tag("service")], Discriminator(_path_of)]


class EnergyClaim(_Part):
    kwh: Quantity
    instrument: Name | None = None
    certificate_id: Name | None = None
    registry: Name | None = None
    retired_on: Name | None = None
    beneficiary: Name | None = None
    country: Name | None = None
    vintage: Count | None = None
    matching: Name | None = None


class Declared(_Part):
    gco2e_total: Quantity | None = None


class Process(_Part):
    model_efficiency: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    dataset_governance: Link | None = None
    auditable_pipeline: Link | None = None
    equipment_off: Link | None = None
    end_of_life: Link | None = None
    take_retention_days: Quantity | None = None
    federated: StrictBool | Link | None = None


class Report(_Part):
    """A signed emission report, as the applicant sends it."""

    report_version: Name
    report_id: Name
    standard: Name
    issuer: Issuer
    issued_at: Time
    renewal_of: Name | None = None
    raw_log_sha256: Annotated[tuple[Digest, ...], Field(max_length=1000)] = ()
    track: Track
    models: Annotated[tuple[Model, ...], Field(max_length=100)]
    generation: Generation
    activities: Annotated[tuple[Activity, ...], Field(max_length=1000)]
    stages_not_performed: Annotated[tuple[Literal["fine_tuning"], ...], Field(max_length=10)]
    energy_claims: Annotated[tuple[EnergyClaim, ...], Field(max_length=1000)] | None = None
    declared: Declared | None = None
    offsets: Annotated[tuple[dict[str, Any], ...], Field(max_length=1000)] | None = None
    process: Process = Process()


@dataclass(frozen=True)
class ReadReport:
    """A report as far as it can be read, and what in it does not fit the model."""

    report: Report | None
    findings: tuple[FieldFinding, ...]


def parse_report(value: Any) -> Report:
    """The report in a JSON value. Raises MalformedReport, whose findings name each field that does not fit."""
    reading = read_report(value)
    if reading.report is None or reading.findings:
        raise MalformedReport("the report does not fit its model (LCAL section 15)", findings=reading.findings)
    return reading.report


def read_report(value: Any) -> ReadReport:
    """The report in a JSON value, read without the fields that the model does not know.

    `report` is None if a needed field is missing or one has the wrong type. The findings name everything that does not
    fit; they are empty exactly if `parse_report` accepts the value.
    """
    try:
        report = Report.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        findings = tuple(_finding(detail) for detail in details)
        if any(detail["type"] != "extra_forbidden" for detail in details):
            return ReadReport(None, findings)
        report = Report.model_validate(_without(value, details))
        return ReadReport(report, findings + tuple(_soft_findings(report)))
    return ReadReport(report, tuple(_soft_findings(report)))


def _soft_findings(report: Report) -> Iterator[FieldFinding]:
    """What does not fit section 15, but leaves the report readable."""
    for index, activity in enumerate(report.activities):
        if isinstance(activity, Run) and activity.location.site is None:
            yield FieldFinding(f"/activities/{index}/location/site", "local or datacentre is expected")
        if activity.idle is not None and activity.stage != "inference":
            yield FieldFinding(f"/activities/{index}/idle", "only an inference activity may be idle", activity.stage)
        for place, line in enumerate(activity.hardware or ()):
            if line.count < 1:
                yield FieldFinding(
                    f"/activities/{index}/hardware/{place}/count", "at least one is expected", str(line.count)
                )
    seen: set[str] = set()
    for index, model in enumerate(report.models):
        if model.id in seen:
            yield FieldFinding(f"/models/{index}/id", "each model has an id of its own", model.id[:80])
        seen.add(model.id)


def _finding(detail: ErrorDetails) -> FieldFinding:
    found = None if detail["type"] == "missing" else repr(detail.get("input"))[:80]
    problem = "no such field in this report model" if detail["type"] == "extra_forbidden" else detail["msg"]
    return FieldFinding(_pointer(_steps(detail)), problem, found)


def _steps(detail: ErrorDetails) -> list[str | int]:
    """The way to the field, without the tag that tells runs from service use."""
    loc = list(detail["loc"])
    if loc[:1] == ["activities"] and len(loc) > 2:
        del loc[2]
    return loc


def _pointer(steps: list[str | int]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def _without(value: Mapping[str, Any], details: list[ErrorDetails]) -> Any:
    """A copy of the value without the fields that the details name."""
    trimmed = copy.deepcopy(value)
    for detail in details:
        *way, last = _steps(detail)
        part: Any = trimmed
        for step in way:
            part = part[step]
        del part[last]
    return trimmed


def report_json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of the report, for tools in other languages."""
    schema = Report.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def numbers_of(report: Report) -> Iterator[Decimal]:
    """Every number of the report, wherever it stands."""
    return (number for _, number in located_numbers_of(report))


def located_numbers_of(report: Report) -> Iterator[tuple[str, Decimal]]:
    """Every number of the report with its JSON Pointer."""
    return _numbers("", report)


def _numbers(pointer: str, value: Any) -> Iterator[tuple[str, Decimal]]:
    match value:
        case None | str() | bool():  # most of what there is
            return
        case int() | Decimal():
            yield pointer, Decimal(value)
        case BaseModel():
            for name, field in type(value).model_fields.items():
                yield from _numbers(f"{pointer}/{field.alias or name}", getattr(value, name))
        case dict():
            for name, item in value.items():
                yield from _numbers(f"{pointer}/{name}", item)
        case list() | tuple():
            for place, item in enumerate(value):
                yield from _numbers(f"{pointer}/{place}", item)
        case _:
            return
