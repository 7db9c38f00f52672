"""Working out the facts: what a report, the evidence and the footprint say in the words of the rules.

The words are in `vocabulary`. A fact that nobody stated or that cannot be worked out is left out, and a rule that needs
it fails; whether that is so is for `evaluate` to find.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from certifier.report.evidence import (
    applicant_signed,
    is_digest,
    ledger_keys_of,
    level_of,
    party_of,
    share_used,
    statement_for,
)
from certifier.report.model import Run, ServiceUse, numbers_of
from certifier.standard.vocabulary import CENTI, MICRO, NANO, PPT
from certifier.units import exact_arithmetic, microseconds_of, rounded_down, rounded_up, significant_digits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from certifier.errors import FieldFinding
    from certifier.footprint.factors import Factors
    from certifier.footprint.model import ActivityFigures, Footprint
    from certifier.footprint.parameters import Parameters
    from certifier.report.evidence import Deposit, Evidence, Reproduced, Statement
    from certifier.report.model import Activity, Batch, EnergyClaim, Hardware, Model, Process, Report

    Value = bool | int | str | Sequence[str] | Sequence[int]
    Values = dict[str, Value]


@dataclass(frozen=True)
class Item:
    """One thing that a rule is asked for: what people call it, and its facts."""

    subject: str
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Facts:
    """All facts of one application: those that stand once, and those of each item by scope."""

    once: Mapping[str, Value]
    items: Mapping[str, Sequence[Item]]

    def items_of(self, for_each: str) -> Sequence[Item]:
        """What a rule is asked for; a rule that is asked once has no subject."""
        return _ONCE if for_each == "once" else self.items.get(for_each, ())


_ONCE = (Item("", {}),)


def misfit_items(findings: Iterable[FieldFinding]) -> list[Item]:
    """What does not fit the report model, field by field."""
    return [
        Item(finding.pointer or "/", {"misfit.pointer": finding.pointer, "misfit.problem": finding.problem})
        for finding in findings
    ]


def facts_before_figure(
    report: Report, counted_minutes: Decimal | None, evidence: Evidence, misfits: Iterable[FieldFinding] = ()
) -> Facts:
    """The facts that decide whether a figure can be computed at all (16.3, step 2)."""
    with exact_arithmetic():
        once = _given(
            {
                "report.standard": report.standard,
                **_number_facts(report),
                "audio.duration_us": rounded_down(evidence.audio.duration_s, MICRO),
                "track.counted_us": None if counted_minutes is None else rounded_up(counted_minutes * 60, MICRO),
            }
        )
        return Facts(
            once,
            {
                "misfit": misfit_items(misfits),
                "model": [
                    Item(model.id, _given({"model.generated_umin": rounded_up(model.generated_minutes, MICRO)}))
                    for model in report.models
                ],
                "run": [
                    Item(run.id, _given({"activity.duration_us": rounded_up(run.duration_s, MICRO)}))
                    for run in report.activities
                    if isinstance(run, Run)
                ],
            },
        )


def facts_of(
    report: Report, evidence: Evidence, footprint: Footprint, *, factors: Factors, parameters: Parameters
) -> Facts:
    """Every fact of an application whose figure is computed."""
    with exact_arithmetic():
        statements = {
            model.id: statement
            for model in reversed(report.models)
            if (
                statement := statement_for(model, report, evidence, valid_days=parameters.training.statement_valid_days)
            )
        }
        activities = [
            (activity, Item(activity.id, _activity_facts(activity, figure, report, evidence, factors, statements)))
            for activity, figure in zip(report.activities, footprint.activities, strict=True)
        ]
        return Facts(
            _given(_once_facts(report, evidence, footprint)),
            {
                "activity": [item for _, item in activities],
                "run": [item for activity, item in activities if isinstance(activity, Run)],
                "model": [_model_item(model, report, evidence, statements) for model in report.models],
                "hardware": list(_hardware_items(report, evidence, factors)),
                "run_share": list(_run_share_items(report, evidence)),
                "raw_log": [_raw_log_item(digest, evidence) for digest in report.raw_log_sha256],
                "log_line": list(_log_line_items(report, evidence)),
                "claim": [_claim_item(index, claim) for index, claim in enumerate(report.energy_claims or ())],
            },
        )


def _given(values: Mapping[str, Value | None]) -> Values:
    """Without what is not known: a missing fact fails the rule that needs it."""
    return {name: value for name, value in values.items() if value is not None}


def _said(text: str | None) -> bool:
    return bool(text and text.strip())


def _up(value: Decimal | None, per_unit: int) -> int | None:
    return None if value is None else rounded_up(value, per_unit)


def _down(value: Decimal | None, per_unit: int) -> int | None:
    return None if value is None else rounded_down(value, per_unit)


def _ratio(part: Decimal | None, whole: Decimal) -> Decimal | None:
    """A part of a whole; None where there is none to speak of."""
    return None if part is None or not whole.is_finite() or whole <= 0 else part / whole


def _gap(declared: Decimal | None, real: Decimal) -> Decimal | None:
    """How far off, as a share of the real value. Nothing is far from nothing; anything else is endlessly far."""
    if declared is None or not declared.is_finite() or not real.is_finite():
        return None
    if real == 0:
        return Decimal(0) if declared == 0 else Decimal("Infinity")
    return abs(declared - real) / abs(real)


# --- once ---


def _number_facts(report: Report) -> dict[str, Value | None]:
    numbers = list(numbers_of(report))
    if not all(number.is_finite() for number in numbers):
        return {"numbers.finite": False}
    return {
        "numbers.finite": True,
        "numbers.least": rounded_down(min(numbers)),
        "numbers.most": rounded_up(max(numbers)),
    }


def _once_facts(report: Report, evidence: Evidence, footprint: Footprint) -> dict[str, Value | None]:
    party = party_of(report, evidence)
    return {
        **_report_facts(report, footprint),
        **_track_facts(report, evidence),
        **_inference_facts(report, footprint),
        **_process_facts(report.process),
        "evidence.now_us": microseconds_of(evidence.now),
        "evidence.level": level_of(report, evidence),
        "evidence.applicant_ok": applicant_signed(report, evidence),
        "party.coverages": list(party.capability.coverage),
        "party.methods": list(party.capability.method),
        "footprint.assessed_cg": rounded_up(footprint.assessed, CENTI),
        "footprint.central_cg": rounded_up(footprint.central, CENTI),
        "footprint.defaults_ug": rounded_up(footprint.default_g_per_min, MICRO),
        "footprint.grid_mg": rounded_up(footprint.kwh_weighted_grid, 1000),
    }


def _report_facts(report: Report, footprint: Footprint) -> dict[str, Value | None]:
    modelled = sum((model.generated_minutes for model in report.models), Decimal(0))
    claimed = sum((claim.kwh for claim in report.energy_claims or ()), Decimal(0))
    total = report.declared.gco2e_total if report.declared else None
    ids = Counter(activity.id for activity in report.activities)
    return {
        "report.standard": report.standard,
        "report.renewal": report.renewal_of is not None,
        "report.issued_us": microseconds_of(report.issued_at),
        "report.audio_sha256": report.track.audio_sha256,
        "report.ai_contribution": list(report.track.ai_contribution),
        "report.stages": [activity.stage for activity in report.activities],
        "report.stages_not_performed": list(report.stages_not_performed),
        "report.model_classes": [model.kind for model in report.models],
        "report.takes": report.generation.takes,
        "report.raw_logs": len(report.raw_log_sha256),
        "report.repeated_ids": [key for key, count in ids.items() if count > 1],
        "report.minutes_without_model_nmin": rounded_up(report.generation.generated_minutes - modelled, NANO),
        "report.offsets": len(report.offsets or ()),
        "report.total_given": total is not None,
        "report.total_gap_ppm": _up(_gap(total, footprint.total_g), MICRO),
        "report.round_ppm": rounded_down(_round_share(report), MICRO),
        "report.countries": sorted({a.location.country for a in report.activities if a.location}),
        "report.years": sorted({year for a in report.activities for year in _years(a)}),
        "report.claim_excess_nkwh": rounded_up(claimed - footprint.claimable_kwh, NANO),
    }


def _round_share(report: Report) -> Decimal:
    energies = [activity.energy_kwh for activity in report.activities if activity.energy_kwh is not None]
    if not energies:
        return Decimal(0)
    return Decimal(sum(significant_digits(energy) <= 2 for energy in energies)) / len(energies)


def _years(activity: Activity) -> Iterator[int]:
    """The calendar years, at the place of the clock, in which an activity began and ended."""
    for text in (activity.started_at, activity.ended_at):
        if microseconds_of(text) is not None:
            yield int(text[:4])


def _track_facts(report: Report, evidence: Evidence) -> dict[str, Value | None]:
    audio, declared = evidence.audio, report.track.duration_s
    return {
        "track.created_us": microseconds_of(report.track.created_at),
        "track.length_gap_us": rounded_up(abs(declared - audio.duration_s), MICRO),
        "track.length_gap_ppm": _up(_gap(declared, audio.duration_s), MICRO),
        "audio.sha256": audio.sha256,
        "audio.duration_us": rounded_down(audio.duration_s, MICRO),
        "audio.silence_ppm": _up(_ratio(audio.silence_s, audio.duration_s), MICRO),
        "audio.certified": audio.sha256 in evidence.ledger.certified_audio,
    }


def _inference_facts(report: Report, footprint: Footprint) -> dict[str, Value | None]:
    inference = [activity for activity in report.activities if activity.stage == "inference"]
    ends = [microseconds_of(activity.ended_at) for activity in inference]
    known_ends = [end for end in ends if end is not None]
    return {
        "report.inference_activities": len(inference),
        # One unreadable end might be the first of all.
        "inference.first_end_us": min(known_ends) if ends and len(known_ends) == len(ends) else None,
        "inference.used_energy": footprint.kwh_per_generated_minute > 0,
        "inference.per_minute_down_nkwh": rounded_down(footprint.kwh_per_generated_minute, NANO),
        "inference.per_minute_up_nkwh": rounded_up(footprint.kwh_per_generated_minute, NANO),
    }


def _process_facts(process: Process) -> dict[str, Value | None]:
    """An empty text is silence."""
    federated = process.federated
    return {
        "process.model_efficiency": sum(map(_said, process.model_efficiency)),
        "process.dataset_governance_given": _said(process.dataset_governance),
        "process.auditable_pipeline_given": _said(process.auditable_pipeline),
        "process.equipment_off_given": _said(process.equipment_off),
        "process.end_of_life_given": _said(process.end_of_life),
        "process.federated_given": _said(federated) if isinstance(federated, str) else federated is not None,
        "process.retention_given": process.take_retention_days is not None,
        "process.retention_udays": _up(process.take_retention_days, MICRO),
    }


# --- for each activity ---


def _activity_facts(
    activity: Activity,
    figure: ActivityFigures,
    report: Report,
    evidence: Evidence,
    factors: Factors,
    statements: Mapping[str, Statement],
) -> Values:
    statement = statements.get(activity.model or "")
    return _given(
        {
            "activity.stage": activity.stage,
            "activity.method": activity.method,
            "activity.on_service_path": isinstance(activity, ServiceUse),
            "activity.idle": activity.idle is True and activity.stage == "inference",
            "activity.model_known": any(model.id == activity.model for model in report.models),
            "activity.minutes_umin": _up(activity.minutes, MICRO),
            "activity.statement_nwh": _up(statement.wh_per_minute, NANO) if statement else None,
            "activity.grid_key": figure.grid_key,
            **_time_facts(activity, figure),
            **_place_facts(activity, figure, factors),
            **_pue_facts(activity, figure),
            **_measurement_facts(activity, figure, evidence),
            **_allocation_facts(activity, report, evidence),
        }
    )


def _time_facts(activity: Activity, figure: ActivityFigures) -> dict[str, Value | None]:
    facts: dict[str, Value | None] = {
        "activity.started_us": microseconds_of(activity.started_at),
        "activity.ended_us": microseconds_of(activity.ended_at),
    }
    if activity.duration_s is not None:
        facts["activity.duration_us"] = rounded_up(activity.duration_s, MICRO)
        if figure.span_s is not None:
            facts["activity.span_gap_us"] = rounded_up(abs(figure.span_s - activity.duration_s), MICRO)
            facts["activity.span_gap_ppm"] = _up(_gap(figure.span_s, activity.duration_s), MICRO)
    return facts


def _place_facts(activity: Activity, figure: ActivityFigures, factors: Factors) -> dict[str, Value | None]:
    location = activity.location
    if location is None:
        return {}
    row = factors.region_row(location.provider, location.region)
    declared = _ratio(activity.grid_gco2e_per_kwh, figure.grid_g)
    return {
        "activity.site": location.site,
        "activity.country": location.country,
        "activity.subdivision_given": _said(location.subdivision),
        "activity.subdivision": location.subdivision,
        "activity.provider_given": _said(location.provider),
        "activity.region_given": _said(location.region),
        "activity.region_known": row is not None,
        "activity.region_country": row.country if row else None,
        "activity.region_subdivision": row.subdivision if row else None,
        "activity.declared_grid_given": activity.grid_gco2e_per_kwh is not None,
        "activity.declared_grid_down_ppm": _down(declared, MICRO),
        "activity.declared_grid_up_ppm": _up(declared, MICRO),
    }


def _pue_facts(activity: Activity, figure: ActivityFigures) -> dict[str, Value | None]:
    proof = activity.pue_evidence
    return {
        "activity.pue_given": activity.pue is not None,
        "activity.pue_ppm": _down(activity.pue, MICRO),
        "activity.pue_up_ppm": _up(activity.pue, MICRO),
        "activity.pue_table_ppm": rounded_up(figure.pue_table, MICRO),
        "activity.pue_included": activity.pue_included,
        "activity.pue_evidenced": proof is not None and _said(proof.site) and proof.year is not None,
    }


def _measurement_facts(activity: Activity, figure: ActivityFigures, evidence: Evidence) -> dict[str, Value | None]:
    meter, tool = activity.meter, activity.tool
    registered = evidence.tools.get(f"{tool.name} {tool.version}") if tool else None
    return {
        "activity.energy_nkwh": _up(activity.energy_kwh, NANO),
        "activity.coverage": activity.coverage,
        "activity.meter_id_given": meter is not None and _said(meter.id),
        "activity.meter_class_given": meter is not None and _said(meter.accuracy_class),
        "activity.meter_date_given": meter is not None and _said(meter.calibrated_on),
        "activity.tool_registered": registered is not None,
        "activity.tool_ok": registered is not None and registered.ok,
        "activity.tool_pue": registered.pue if registered else None,
        "activity.hardware_lines": len(activity.hardware or ()),
        "activity.nameplate_uw": rounded_down(figure.tdp_w, MICRO),
        "activity.devices": figure.devices,
        "activity.power_down_uw": _down(figure.power_w, MICRO),
        "activity.power_up_uw": _up(figure.power_w, MICRO),
    }


def _allocation_facts(activity: Activity, report: Report, evidence: Evidence) -> dict[str, Value | None]:
    return {
        "activity.allocation_method": activity.allocation_method,
        "activity.share_ppt": rounded_up(activity.allocation_share, PPT),
        "activity.share_is_one": activity.allocation_share == 1,
        "activity.share_used_ppt": rounded_up(share_used(report, evidence, activity), PPT),
        **(_batch_facts(activity.batch, activity.allocation_share) if activity.batch else {}),
    }


def _batch_facts(batch: Batch, share: Decimal) -> dict[str, Value | None]:
    facts: dict[str, Value | None] = {"activity.batch_umin": rounded_up(batch.minutes, MICRO)}
    if batch.minutes > 0:
        reserved = sum((part.minutes for part in batch.reserved), Decimal(0))
        facts["activity.batch_left_short_ppt"] = rounded_up(1 - reserved / batch.minutes - share, PPT)
        facts["activity.batch_track_short_ppt"] = rounded_up(batch.track_minutes / batch.minutes - share, PPT)
    return facts


# --- for each of the others ---


def _model_item(model: Model, report: Report, evidence: Evidence, statements: Mapping[str, Statement]) -> Item:
    own = [activity for activity in report.activities if activity.model == model.id]
    stages = Counter(activity.stage for activity in own)
    exported = [a.minutes * a.allocation_share for a in own if isinstance(a, ServiceUse)]
    training, use = model.training, evidence.model_use.get(model.id)
    made, forecast = training.generated_minutes_to_date, training.lifetime_minutes_forecast
    return Item(
        model.id,
        _given(
            {
                "model.source": training.source,
                "model.trained_by": model.trained_by,
                "model.affiliated": model.id in evidence.affiliated_models,
                "model.statement_valid": model.id in statements,
                "model.generated_umin": rounded_up(model.generated_minutes, MICRO),
                "model.inference_activities": stages["inference"],
                "model.training_activities": stages["training"],
                "model.data_activities": stages["data"],
                "model.exported_excess_nmin": rounded_up(sum(exported, Decimal(0)) - model.generated_minutes, NANO),
                "model.generated_excess_nmin": None
                if made is None
                else rounded_up(model.generated_minutes - made, NANO),
                "model.forecast_given": forecast is not None,
                "model.use_months": rounded_down(use.months) if use else None,
                "model.forecast_years_ppm": rounded_up(forecast / use.minutes_last_12m, MICRO)
                if forecast is not None and use and use.minutes_last_12m > 0
                else None,
            }
        ),
    )


def _hardware_items(report: Report, evidence: Evidence, factors: Factors) -> Iterator[Item]:
    for run in report.activities:
        if isinstance(run, Run):
            alone = all(factors.hardware_row(line.name).kind == "cpu" for line in run.hardware if line.count > 0)
            for line in run.hardware:
                yield Item(f"{run.id}: {line.name}", _hardware_facts(line, evidence, factors, alone=alone))


def _hardware_facts(line: Hardware, evidence: Evidence, factors: Factors, *, alone: bool) -> Values:
    row = factors.hardware_row(line.name)
    device = factors.lone_cpu_row() if row.kind == "cpu" and alone else row
    embodied = line.embodied
    return _given(
        {
            "hardware.known": factors.knows_hardware(line.name),
            "hardware.table_mg": rounded_up(device.device_kg, MICRO),
            "hardware.embodied_given": embodied is not None and embodied.kgco2e is not None,
            "hardware.embodied_mg": _down(embodied.kgco2e, MICRO) if embodied else None,
            "hardware.life_given": embodied is not None and embodied.lifetime_h is not None,
            "hardware.life_uh": _up(embodied.lifetime_h, MICRO) if embodied else None,
            "hardware.life_evidence_deposited": embodied is not None
            and (embodied.lifetime_evidence or "") in evidence.deposited_logs,
        }
    )


def _run_share_items(report: Report, evidence: Evidence) -> Iterator[Item]:
    """Each run of the stages whose share is declared, with all that was ever taken of it (6.6)."""
    shares: dict[str, Decimal] = {}
    used: dict[str, Decimal] = {}
    for activity in report.activities:
        if activity.stage in {"inference", "fine_tuning", "post_production"}:
            key = ledger_keys_of(report, evidence, activity)[0]
            shares[key] = shares.get(key, Decimal(0)) + activity.allocation_share
            used[key] = share_used(report, evidence, activity)
    for key, share in shares.items():
        yield Item(key, _given({"run_share.sum_ppt": rounded_up(used[key] + share, PPT)}))


def _raw_log_item(digest: str, evidence: Evidence) -> Item:
    return Item(
        digest, {"raw_log.is_digest": is_digest(digest), "raw_log.deposited": digest in evidence.deposited_logs}
    )


def _log_line_items(report: Report, evidence: Evidence) -> Iterator[Item]:
    """Each number that the issuer read from a deposited file, beside the report's.

    A run that the report leaves out has no number to stand beside it, and so fails.
    """
    # In the order of their names, as a decision record has them: a decision reads the same when it is reached again.
    for deposit in _readable(deposit for _, deposit in sorted(evidence.deposited_logs.items())):
        for key, reproduced in sorted(deposit.activities.items()):
            reported = [activity for activity in report.activities if activity.id == key]
            for quantity, real in _read_quantities(reproduced):
                for value in [getattr(activity, quantity) for activity in reported] or [None]:
                    gap = _gap(value, real)
                    yield Item(f"{key}: {quantity}", _given({"log_line.gap_ppm": _up(gap, MICRO)}))


def _readable(deposits: Iterable[Deposit]) -> Iterator[Deposit]:
    return (deposit for deposit in deposits if deposit.format is not None)


def _read_quantities(reproduced: Reproduced) -> Iterator[tuple[str, Decimal]]:
    for quantity in ("energy_kwh", "duration_s", "minutes"):
        value: Decimal | None = getattr(reproduced, quantity)
        if value is not None:
            yield quantity, value


def _claim_item(index: int, claim: EnergyClaim) -> Item:
    return Item(
        claim.certificate_id or f"claim {index + 1}",
        _given(
            {
                "claim.certificate_given": _said(claim.certificate_id),
                "claim.retired_given": _said(claim.retired_on),
                "claim.beneficiary_given": _said(claim.beneficiary),
                "claim.country": claim.country,
                "claim.vintage": claim.vintage,
            }
        ),
    )
