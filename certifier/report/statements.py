"""The model statement: what a model's training, and a service's work, cost per generated minute (LCAL 6.3, 4.6, 17.4).

A statement is a DSSE envelope around an in-toto Statement, as a report is. The model's maker or operator signs it, and a
registered verifier who has nothing to do with the maker. `check_statement` says all that stands between a document and the
register; whether a registered statement counts for a report is derived in `certifier.report.evidence`. Files and the
register's entries are left to others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, ValidationError

from certifier.crypto.canonical import digest_of, sha256_hex
from certifier.crypto.keyring import STATEMENT_ID, Keyring, RegisteredKey
from certifier.crypto.keys import PublicKey
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import FieldFinding, MalformedEnvelope, MalformedKey, MalformedReport
from certifier.report.envelope import STATEMENT_TYPE, open_envelope
from certifier.report.evidence import Known, Place, ServiceHardware, Statement
from certifier.report.model import Count, Link, Name, Time
from certifier.units import exact_arithmetic, microseconds_of, plain

FORM = "lcal-model-statement/1"
PREDICATE_TYPE = "https://lcal.example/model-statement/v1"
LIMITS = Limits(max_bytes=256 * 1024, max_depth=16, max_nodes=5_000)
CLOCK_SKEW = timedelta(seconds=300)  # LCAL 8.4
ID_IS_FREE = "the id is free"
MOST_HARDWARE_COUNT = 1_000
MOST_HARDWARE_SECONDS = 86_400

_ID = re.compile(STATEMENT_ID, re.ASCII)


def _id_text(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("small letters and digits are expected, with single hyphens between them")
    return text


def _https(text: str) -> str:
    if not text.startswith("https://"):
        raise ValueError("an address that begins with https:// is expected")
    return text


def _did_key(text: str) -> str:
    try:
        PublicKey.from_did_key(text)
    except MalformedKey as error:
        raise ValueError(f"a did:key of an Ed25519 key is expected: {error.message}") from error
    return text


def _moment_text(text: str) -> str:
    if moment_of_issue(text) is None:
        raise ValueError("a day (2026-06-01) or an RFC 3339 time with its zone is expected")
    return text


Text = Annotated[Name, Field(min_length=1)]
Key = Annotated[Name, AfterValidator(_did_key)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Maker(_Part):
    """Who makes or operates the model, and answers for the figures."""

    id: Text
    key: Key


class Verifier(_Part):
    """Who checked the figures. ``conflict`` is the verifier's own declaration for this case (10.4)."""

    id: Text
    key: Key
    conflict: StrictBool


class StatedPlace(_Part):
    """A row of the grid table, and the share of the generated minutes of the last 12 months that was made there (17.4)."""

    key: Text
    weight: Known


class StatedHardware(_Part):
    """Seconds that ``count`` devices of this name are taken by one generated minute."""

    name: Text
    seconds_per_minute: Known
    count: Count = 1


class ServiceFigures(_Part):
    """The whole service, idle machines and prompt handling in: what opens the service path (4.6)."""

    wh_per_minute: Known
    pue: Known
    places: Annotated[tuple[StatedPlace, ...], Field(min_length=1, max_length=200)]
    hardware: Annotated[tuple[StatedHardware, ...], Field(max_length=100)] = ()


class ModelStatement(_Part):
    """One model version, from one day on. Grams are g CO2e per generated minute."""

    form: Literal["lcal-model-statement/1"]
    id: Annotated[Name, Field(max_length=80), AfterValidator(_id_text)]
    model: Text
    version: Text
    maker: Maker
    verifier: Verifier
    issued_on: Annotated[Time, AfterValidator(_moment_text)]
    training_g_per_minute: Known
    includes_data: StrictBool
    location_based: StrictBool
    service: ServiceFigures | None = None
    evidence: Annotated[Link, AfterValidator(_https)]

    @property
    def issued_at(self) -> datetime:
        """The moment of issue; a day begins at midnight, UTC."""
        moment = moment_of_issue(self.issued_on)
        assert moment is not None  # the field was validated
        return moment

    def valid_until(self, valid_days: int) -> datetime:
        """The last moment at which it counts (6.3)."""
        return self.issued_at + timedelta(days=valid_days)


@dataclass(frozen=True)
class OpenedStatement:
    """A statement whose every signature was verified. What the signers are worth, the register knows."""

    statement: ModelStatement
    digest: str
    signers: tuple[PublicKey, ...]


@dataclass(frozen=True)
class Bounds:
    """What a standard allows in a statement: its tables, and the bounds of its plausibility rules."""

    standard: str
    places: frozenset[str]
    knows_hardware: Callable[[str], bool]
    weight_tolerance: Decimal
    training_most_g: Decimal
    wh_least: Decimal
    wh_most: Decimal
    pue_least: Decimal
    pue_most: Decimal
    valid_days: int


@dataclass(frozen=True)
class Check:
    """One condition of registration: what was looked at, whether it is met, what was found, what to do."""

    name: str
    met: bool
    found: str
    advice: str = ""


def moment_of_issue(text: str) -> datetime | None:
    """The moment of a day or of an RFC 3339 time with its zone in this millennium, else None."""
    if microseconds_of(text if "T" in text else f"{text}T00:00:00Z") is None:
        return None
    moment = datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00+00:00")
    return moment if 2000 <= moment.year < 3000 else None  # a year can be added to it


# --- the document and its envelope ---


_WORDS = {
    "extra_forbidden": "no such field in a statement",
    "missing": "it has to be said",
    "bool_type": "true or false is expected",
    "string_type": "a text is expected",
}


def parse_statement(value: Any) -> ModelStatement:
    """The statement in a JSON value. Raises MalformedReport whose findings name each field that does not fit."""
    try:
        return ModelStatement.model_validate(value)
    except ValidationError as error:
        findings = tuple(
            FieldFinding(
                "".join(f"/{step}" for step in detail["loc"]),
                _WORDS.get(detail["type"], detail["msg"]),
                None if detail["type"] == "missing" else repr(detail.get("input"))[:80],
            )
            for detail in error.errors(include_url=False, include_context=False)
        )
        raise MalformedReport(
            "The model statement does not fit its form.", findings=findings, hint="docs/statements.md names each field."
        ) from error


def unsigned_statement(value: dict[str, Any]) -> dict[str, Any]:
    """The in-toto statement around a document that fits its form: what maker and verifier sign. Raises MalformedReport."""
    document = parse_statement(value)
    return {
        "_type": STATEMENT_TYPE,
        "subject": [_subject(document)],
        "predicateType": PREDICATE_TYPE,
        "predicate": value,
    }


def _subject(document: ModelStatement) -> dict[str, Any]:
    """A closed model's weights are not public, so the subject stands for its name and version."""
    named = {"model": document.model, "version": document.version}
    return {"name": f"{document.model} {document.version}", "digest": {"sha256": digest_of(named)}}


def open_statement(raw: bytes) -> OpenedStatement:
    """The statement inside a signed envelope; ``digest`` is the SHA-256 (hex) of what was signed.

    Raises MalformedJson, MalformedEnvelope, MalformedKey, BadSignature or MalformedReport. One bad signature refuses all.
    """
    envelope = open_envelope(raw, what="statement", limits=LIMITS)
    value = parse_object(envelope.payload, LIMITS)
    if (value.get("_type"), value.get("predicateType")) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise MalformedEnvelope(
            "The signed document is no model statement.",
            found=str(value.get("predicateType"))[:80],
            expected=PREDICATE_TYPE,
        )
    document = parse_statement(value.get("predicate"))
    if value.get("subject") != [_subject(document)]:
        raise MalformedEnvelope(
            "The signed statement and its subject name two models.",
            found=str(value.get("subject"))[:120],
            expected=str(_subject(document)),
            pointer="/subject",
        )
    return OpenedStatement(document, sha256_hex(envelope.payload), envelope.signers)


# --- who signed ---


def maker_checks(opened: OpenedStatement, keyring: Keyring) -> Iterator[Check]:
    """The maker signed, and is who it says."""
    maker, verifier = opened.statement.maker, opened.statement.verifier
    signed = any(signer.did_key == maker.key for signer in opened.signers)
    yield Check(
        "signed by the maker",
        signed,
        f"{maker.id} signed" if signed else f"no signature by {maker.key}",
        "The maker or operator signs: certifier statement sign FILE --key FILE",
    )
    owner = _owner(keyring, maker.key)
    names_another = owner != maker.id and (owner is not None or any(key.owner == maker.id for key in keyring.keys))
    yield Check(
        "the maker's name is its own",
        not names_another,
        f"{maker.key} is registered for {owner or 'nobody'}" if names_another else maker.id,
        "Use the name under which the key is registered, and no registered name of another.",
    )
    same = verifier.id == maker.id or verifier.key == maker.key or (owner is not None and owner == verifier.id)
    yield Check(
        "the verifier is not the maker",
        not same,
        f"verifier {verifier.id}, maker {maker.id}",
        "Another body has to verify (17.2).",
    )


def verifier_checks(opened: OpenedStatement, keyring: Keyring, standard: str | None) -> Iterator[Check]:
    """A registered verifier signed: in scope, with a key in force on the day of issue, without a conflict (10.1, 10.3, 10.4).

    ``standard`` None: the scope is not asked for.
    """
    statement = opened.statement
    maker, verifier = statement.maker, statement.verifier
    signed = any(signer.did_key == verifier.key for signer in opened.signers)
    yield Check(
        "signed by the verifier",
        signed,
        f"{verifier.id} signed" if signed else f"no signature by {verifier.key}",
        "The verifier adds its signature: certifier statement sign FILE --key FILE",
    )
    entry = _verifier_entry(keyring, verifier)
    yield Check(
        "the verifier is registered",
        entry is not None,
        f"{verifier.id} with {verifier.key}" if entry is None else entry.name,
        "A verifier stands in the register with role verifier, under this name and key (keys/verifiers/).",
    )
    if entry is None:
        return
    yield Check(
        "the verifier's key is in force on the day of issue",
        entry.is_active(statement.issued_at),
        f"issued {statement.issued_on}; in force {entry.valid_from:%Y-%m-%d} to {entry.valid_until:%Y-%m-%d}",
        "Sign with a key that is in force.",
    )
    if standard is not None:
        yield Check(
            "the verifier's scope holds this standard",
            standard in entry.standards,
            ", ".join(entry.standards) or "no standard",
            f"The verifier is registered for {standard}, or another one verifies.",
        )
    conflicts = sorted({maker.id, maker.key} & set(entry.conflicts))
    yield Check(
        "the verifier has no conflict",
        not verifier.conflict and not conflicts,
        f"the register names {conflicts[0]}" if conflicts else f"declared: {'yes' if verifier.conflict else 'none'}",
        "A verifier without a conflict has to verify (10.4).",
    )


def _verifier_entry(keyring: Keyring, verifier: Verifier) -> RegisteredKey | None:
    entry = keyring.entry_for(PublicKey.from_did_key(verifier.key))
    return entry if entry is not None and (entry.role, entry.owner) == ("verifier", verifier.id) else None


def _owner(keyring: Keyring, key: str) -> str | None:
    entry = keyring.entry_for(PublicKey.from_did_key(key))
    return entry.owner if entry else None


# --- what it says ---


def check_statement(opened: OpenedStatement, keyring: Keyring, bounds: Bounds, now: datetime) -> tuple[Check, ...]:
    """Every condition of registration, met or not. It may be registered now if all are met."""
    statement = opened.statement
    entry = _verifier_entry(keyring, statement.verifier)
    return (
        *maker_checks(opened, keyring),
        *verifier_checks(opened, keyring, bounds.standard),
        *(
            [Check("the verifier's key is in force now", entry.is_active(now), f"until {entry.valid_until:%Y-%m-%d}")]
            if entry
            else ()
        ),
        *_figure_checks(statement, bounds),
        *_date_checks(statement, bounds, now),
        *_register_checks(opened, keyring),
    )


def _figure_checks(statement: ModelStatement, bounds: Bounds) -> Iterator[Check]:
    yield Check(
        "location-based",
        statement.location_based,
        "yes" if statement.location_based else "no",
        "Compute the grams with the grid of the place, without certificates or contracts (7.1).",
    )
    yield _range_check("training_g_per_minute", statement.training_g_per_minute, bounds.training_most_g, "g")
    service = statement.service
    if service is None:
        return
    yield _range_check("wh_per_minute", service.wh_per_minute, bounds.wh_most, "Wh", least=bounds.wh_least)
    yield _range_check("pue", service.pue, bounds.pue_most, "", least=bounds.pue_least)
    yield from _place_checks(service, bounds)
    for line in service.hardware:
        known = bounds.knows_hardware(line.name)
        yield Check(
            f"{line.name} is in the tables",
            known,
            "yes" if known else "no",
            "Take the table's name, or UNKNOWN ACCELERATOR, which counts as the most.",
        )
        yield _range_check(
            f"{line.name}: seconds_per_minute", line.seconds_per_minute, Decimal(MOST_HARDWARE_SECONDS), "s"
        )
        yield _range_check(
            f"{line.name}: count", Decimal(line.count), Decimal(MOST_HARDWARE_COUNT), "", least=Decimal(1)
        )


def _place_checks(service: ServiceFigures, bounds: Bounds) -> Iterator[Check]:
    keys = Counter(place.key for place in service.places)
    strangers = [key for key in keys if key not in bounds.places]
    yield Check(
        "each place is in the tables",
        not strangers,
        f"not in the tables: {', '.join(strangers)[:120]}" if strangers else ", ".join(keys)[:120],
        "Take keys of data/grid_intensity.csv, such as FRA, US-VA or aws:eu-west-3.",
    )
    twice = [key for key, count in keys.items() if count > 1]
    yield Check("each place stands once", not twice, ", ".join(twice)[:120] or "yes", "Add the weights of a place up.")
    weights = [place.weight for place in service.places]
    sound = all(weight.is_finite() and 0 < weight <= 1 for weight in weights)
    with exact_arithmetic():
        total = sum(weights, Decimal(0)) if sound else None
        sums = total is not None and abs(total - 1) <= bounds.weight_tolerance
    yield Check(
        "the weights sum to 1",
        sums,
        plain(total) if total is not None else "a weight that is not above 0 and at most 1",
        "A weight is the share of all generated minutes of the last 12 months, all customers alike (17.4).",
    )


def _range_check(name: str, value: Decimal, most: Decimal, unit: str, *, least: Decimal | None = None) -> Check:
    met = value.is_finite() and (value > 0 if least is None else value >= least) and value <= most
    lowest = "above 0" if least is None else f"from {plain(least)}"
    found = f"{plain(value)} {unit}".strip()[:60] if value.is_finite() else str(value)
    return Check(f"{name} is plausible", met, found, f"Check the unit: {lowest} to {plain(most)} {unit}".rstrip() + ".")


def _date_checks(statement: ModelStatement, bounds: Bounds, now: datetime) -> Iterator[Check]:
    yield Check(
        "issued in the past",
        statement.issued_at <= now + CLOCK_SKEW,
        statement.issued_on,
        "It may be registered from its day of issue on.",
    )
    until = statement.valid_until(bounds.valid_days)
    yield Check(
        f"not older than {bounds.valid_days} days",
        now <= until,
        f"counts until {until:%Y-%m-%d}",
        "Verify this year's figures and issue a new statement under a new id.",
    )


def _register_checks(opened: OpenedStatement, keyring: Keyring) -> Iterator[Check]:
    """An id stands for one content for ever, and a model version for one maker."""
    statement = opened.statement
    known = keyring.statements.get(statement.id)
    if known is None:
        yield Check(ID_IS_FREE, met=True, found=f"{statement.id}: free")
    else:
        same = open_statement(keyring.envelopes[statement.id]).digest == opened.digest
        found = f"{statement.id}: registered on {known.registered_at:%Y-%m-%d}"
        yield Check(ID_IS_FREE, met=False, found=found, advice="A new statement has a new id.")
        counts = same and known.withdrawn_at is None
        why = "the same, not withdrawn" if counts else "withdrawn" if same else "another content"
        yield Check("the registered one is this one, and counts", counts, why, "A new statement has a new id.")
    makers = {other.maker.id for other in _statements_in_force(keyring) if _folded(other) == _folded(statement)}
    strangers = sorted(makers - {statement.maker.id})
    yield Check(
        "no other maker states this model",
        not strangers,
        f"stated by {strangers[0]}" if strangers else statement.maker.id,
        "A model version has one maker or operator. Find out who it is, then withdraw the other statement.",
    )


def _folded(statement: ModelStatement) -> tuple[str, str]:
    """The model version as people read it: letter case and spaces make no second one."""
    name, version = (" ".join(text.casefold().split()) for text in (statement.model, statement.version))
    return name, version


def _statements_in_force(keyring: Keyring) -> Iterator[ModelStatement]:
    for entry in keyring.statements.values():
        if entry.withdrawn_at is None:
            yield open_statement(keyring.envelopes[entry.id]).statement


# --- as evidence ---


def statement_fact(statement_id: str, keyring: Keyring, standard: str, now: datetime) -> Statement | None:
    """What the register knows of a statement at a moment, as the rules are told; None when it holds no such id."""
    entry = keyring.statements.get(statement_id)
    if entry is None:
        return None
    opened = open_statement(keyring.envelopes[statement_id])
    statement, service = opened.statement, opened.statement.service
    by_maker = statement.id == statement_id and all(check.met for check in maker_checks(opened, keyring))
    return Statement(
        model=statement.model,
        version=statement.version,
        registered=by_maker and entry.is_active(now),
        verifier_signed=all(check.met for check in verifier_checks(opened, keyring, standard)),
        location_based=statement.location_based,
        issued_on=statement.issued_on,
        training_g_per_minute=statement.training_g_per_minute,
        includes_data=statement.includes_data,
        wh_per_minute=service.wh_per_minute if service else None,
        pue=service.pue if service else None,
        places=tuple(Place(key=place.key, weight=place.weight) for place in service.places) if service else (),
        hardware=tuple(_hardware_fact(line) for line in service.hardware) if service else (),
        link=statement.evidence,
    )


def _hardware_fact(line: StatedHardware) -> ServiceHardware:
    return ServiceHardware(name=line.name, seconds_per_minute=line.seconds_per_minute, count=line.count)


def is_registered(checks: Sequence[Check]) -> bool:
    """Whether it stands in the register already, and nothing speaks against it."""
    return [check.name for check in checks if not check.met] == [ID_IS_FREE]


def rules_met(opened: OpenedStatement, checks: Sequence[Check]) -> Mapping[str, bool]:
    """Which rules a report that names the statement would meet by it, once registered."""
    sound = is_registered(checks) or all(check.met for check in checks)
    service = sound and opened.statement.service is not None
    return {"ALC-03": sound, "BND-07": sound, "MTH-03": service, "MTH-04": service, "BND-05": service}
