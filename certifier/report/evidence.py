"""What only the issuer knows when it decides, and what follows from it about signatures and statements.

`Evidence` is public: it is the content of the decision record, so that anyone can decide again and come to the same
verdict. It holds facts (this signature was valid, that file was deposited), never conclusions; the evidence level,
the measuring party and the validity of a statement are derived here by section 6.3 and section 10 of the standard.
Who gathers the facts, and how they are signed, is left to others. Silence is never a good fact: what is absent
counts as not valid, not registered, not in scope.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal
from unicodedata import normalize

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, ValidationError

from certifier.errors import ForeignInputError
from certifier.report.model import Count, Digest, Link, Name, Quantity, ServiceUse, Time
from certifier.units import MICROSECONDS_PER_DAY, microseconds_of, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from certifier.report.model import Activity, Model, Report

Level = Literal["A0", "A1", "A2"]

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)

_TOO_MUCH = Decimal(
    "1E+12"
)  # of grams, seconds, minutes: no issuer knows such a fact, and no figure can be computed of it


def _sound(value: Decimal) -> Decimal:
    if not value.is_finite() or value < 0:
        raise ValueError("a finite number that is not negative is expected")
    if value >= _TOO_MUCH:
        raise ValueError("a number below a million millions is expected")
    return value


Known = Annotated[Quantity, AfterValidator(_sound)]


def _not_negative(value: int) -> int:
    if value < 0:
        raise ValueError("a count that is not negative is expected")
    return value


class _Fact(BaseModel):
    # A later issuer may record more; what this version does not know cannot matter to its verdict.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Audio(_Fact):
    """The master file as the issuer measured it."""

    sha256: Digest
    duration_s: Known
    silence_s: Known
    essence_sha256: Digest | None = None
    format: Name | None = None


class Capability(_Fact):
    """What a party is registered to measure."""

    coverage: tuple[Name, ...] = ()
    method: tuple[Name, ...] = ()


class Signature(_Fact):
    """One signature over the report, as the issuer tested it on receipt."""

    role: Literal["applicant", "measuring_party", "service", "verifier"]
    id: Name
    valid: StrictBool
    registered: StrictBool = False
    key_active_at_signing: StrictBool = False
    key_active_now: StrictBool = False
    capability: Capability | None = None
    in_scope: StrictBool | None = None
    conflict: StrictBool | None = None
    own_measurement: StrictBool = False
    key: Name | None = None

    @property
    def counts(self) -> bool:
        """Valid, by a key in force at signing and now (10.3)."""
        return self.valid and self.key_active_at_signing and self.key_active_now


class Reproduced(_Fact):
    """What the issuer itself read from a deposited file about one activity."""

    energy_kwh: Quantity | None = None
    duration_s: Quantity | None = None
    minutes: Quantity | None = None


class Deposit(_Fact):
    """A file that was handed in with the report. Its format is named if the issuer can read it."""

    kind: Literal["log", "export", "pcf", "evidence"]
    format: Name | None = None
    activities: dict[Name, Reproduced] = Field(default_factory=dict)


class Place(_Fact):
    key: Name
    weight: Known


class ServiceHardware(_Fact):
    name: Name
    seconds_per_minute: Known
    count: Annotated[Count, AfterValidator(_not_negative)] = 1


class Statement(_Fact):
    """A registered model statement (6.3)."""

    model: Name
    version: Name
    registered: StrictBool = False
    verifier_signed: StrictBool = False
    location_based: StrictBool = False
    issued_on: Time
    training_g_per_minute: Known
    includes_data: StrictBool = False
    wh_per_minute: Known | None = None
    pue: Known | None = None
    places: tuple[Place, ...] = ()
    hardware: tuple[ServiceHardware, ...] = ()
    link: Link | None = None


class RegisteredTool(_Fact):
    ok: StrictBool
    pue: Literal["always", "never", "either"]


class Ledger(_Fact):
    """What earlier certificates used up. Shares are keyed 'party/run id'; claims are ids of electricity instruments."""

    certified_audio: tuple[Digest, ...] = ()
    run_share_used: dict[str, Known] = Field(default_factory=dict)
    claims_used: tuple[Name, ...] | None = None  # absent where the report claims nothing


class ModelUse(_Fact):
    months: Known
    minutes_last_12m: Known


class Evidence(_Fact):
    """Everything that a decision rests on beside the report itself."""

    now: Time
    audio: Audio
    signatures: tuple[Signature, ...] = ()
    deposited_logs: dict[str, Deposit] = Field(default_factory=dict)
    statements: dict[str, Statement] = Field(default_factory=dict)
    tools: dict[str, RegisteredTool] = Field(default_factory=dict)
    ledger: Ledger = Ledger()
    model_use: dict[str, ModelUse] = Field(default_factory=dict)
    affiliated_models: tuple[Name, ...] = ()

    def to_record(self) -> dict[str, Any]:
        """JSON without fractions: decimals are strings. `parse_evidence` reads it back to an equal value."""
        return self.model_dump(mode="json", exclude_none=True)


@dataclass(frozen=True)
class Party:
    """Who answers for the measurement."""

    id: str
    capability: Capability


def parse_evidence(value: Any) -> Evidence:
    """The facts in a JSON value. Raises ForeignInputError that names the first field that does not fit."""
    try:
        evidence = Evidence.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise ForeignInputError(
            "the decision record does not fit its model",
            found=repr(first["input"])[:80],
            expected=first["msg"],
            pointer="".join(f"/{step}" for step in first["loc"]),
        ) from error
    parse_time(evidence.now)
    return evidence


def instrument_key(certificate_id: str) -> str:
    """By what an electricity instrument is told from others (7.2): its letters and digits, however they are written."""
    return "".join(filter(str.isalnum, normalize("NFKC", certificate_id).casefold()))


def applicant_signed(report: Report, evidence: Evidence) -> bool:
    """The applicant's own valid signature, by a key in force at signing and now (INT-02)."""
    return any(
        signature.role == "applicant" and signature.counts and signature.id == report.issuer.id
        for signature in evidence.signatures
    )


def party_of(report: Report, evidence: Evidence) -> Party:
    """The measuring party, else the verifier who measured, else the report's issuer, who has no capability (16.1)."""
    measured = [*_measuring_parties(evidence), *_measuring_verifiers(report, evidence)]
    if not measured:
        return Party(report.issuer.id, Capability())
    return Party(measured[0].id, measured[0].capability or Capability())


def ledger_keys_of(report: Report, evidence: Evidence, activity: Activity) -> tuple[str, ...]:
    """Under which keys the run of an activity is on record.

    A run is known by measuring party and run id (6.6): by each party, if two sign. A service export may come with or
    without the service's signature (10.1), so a run of a service is on record under both names, and leaving the signature
    away frees nothing.
    """
    parties = dict.fromkeys([party_of(report, evidence).id, *(s.id for s in _measuring_parties(evidence))])
    if isinstance(activity, ServiceUse):
        services = (signature.id for signature in evidence.signatures if _service_counts(signature))
        parties |= dict.fromkeys([*services, report.issuer.id])
    return tuple(f"{party}/{activity.run_id}" for party in parties)


def level_of(report: Report, evidence: Evidence) -> Level:
    """The evidence level, derived from signatures and deposits (section 10)."""
    if not logs_deposited(report, evidence):
        return "A0"
    verified = any(_verifiers(report, evidence))
    if verified and _measuring_verifiers(report, evidence):
        return "A2"
    attested = bool(_measuring_parties(evidence)) or _export_stands(report, evidence)
    if not attested:
        return "A0"
    return "A2" if verified else "A1"


def assessor_of(report: Report, evidence: Evidence) -> Signature | None:
    """The signature that the evidence level rests on: a verifier's, a measuring party's, a service's; None at A0."""
    level = level_of(report, evidence)
    if level == "A0":
        return None
    services = [signature for signature in evidence.signatures if _service_counts(signature)]
    verifiers = _verifiers(report, evidence) if level == "A2" else []
    return next(iter([*verifiers, *_measuring_parties(evidence), *services]), None)


def logs_deposited(report: Report, evidence: Evidence) -> bool:
    """At least one raw log is named, and each is a SHA-256 of a deposited file."""
    return bool(report.raw_log_sha256) and all(
        is_digest(digest) and digest in evidence.deposited_logs for digest in report.raw_log_sha256
    )


def is_digest(text: str) -> bool:
    """64 hex digits in small letters."""
    return _DIGEST.fullmatch(text) is not None


def _measuring_parties(evidence: Evidence) -> list[Signature]:
    return [s for s in evidence.signatures if s.role == "measuring_party" and s.counts and s.registered]


def _verifiers(report: Report, evidence: Evidence) -> list[Signature]:
    """Registered, in scope, without conflict, and not the applicant itself (10.1, 17.2)."""
    return [
        s
        for s in evidence.signatures
        if s.role == "verifier"
        and s.counts
        and s.registered
        and s.in_scope is True
        and s.conflict is False
        and s.id != report.issuer.id
    ]


def _measuring_verifiers(report: Report, evidence: Evidence) -> list[Signature]:
    return [s for s in _verifiers(report, evidence) if s.own_measurement]


def _service_counts(signature: Signature) -> bool:
    return signature.role == "service" and signature.counts and signature.registered


def _export_stands(report: Report, evidence: Evidence) -> bool:
    """On the service path an account export takes the place of the log, if it is signed or can be read (10.1)."""
    generating = [activity for activity in report.activities if activity.stage == "inference"]
    if not generating or not all(isinstance(activity, ServiceUse) for activity in generating):
        return False
    exports = [
        deposit
        for digest in report.raw_log_sha256
        if (deposit := evidence.deposited_logs.get(digest)) and deposit.kind == "export"
    ]
    if not exports:
        return False
    return any(map(_service_counts, evidence.signatures)) or _minutes_reproduced(generating, exports)


def _minutes_reproduced(activities: Iterable[Activity], exports: Iterable[Deposit]) -> bool:
    readable = [deposit.activities for deposit in exports if deposit.format is not None]
    return all(
        any(found.minutes is not None for read in readable if (found := read.get(activity.id)))
        for activity in activities
    )


def statement_for(model: Model, report: Report, evidence: Evidence, *, valid_days: int) -> Statement | None:
    """The statement that a model names, if it is registered, signed, location-based, of this version and in date (6.3).

    A renewal does not look at the age (section 11).
    """
    statement = evidence.statements.get(model.training.statement or "")
    if statement is None or not (statement.registered and statement.verifier_signed and statement.location_based):
        return None
    if (statement.model, statement.version) != (model.name, model.version):
        return None
    return statement if report.renewal_of is not None or _in_date(statement, evidence, valid_days) else None


def _in_date(statement: Statement, evidence: Evidence, valid_days: int) -> bool:
    issued, now = _day_or_time(statement.issued_on), microseconds_of(evidence.now)
    return issued is not None and now is not None and 0 <= now - issued <= valid_days * MICROSECONDS_PER_DAY


def _day_or_time(text: str) -> int | None:
    return microseconds_of(text if "T" in text else text + "T00:00:00Z")


def share_used(report: Report, evidence: Evidence, activity: Activity) -> Decimal:
    """The share of this run that earlier certificates hold."""
    used: Mapping[str, Decimal] = evidence.ledger.run_share_used
    return max(used.get(key, Decimal(0)) for key in ledger_keys_of(report, evidence, activity))
