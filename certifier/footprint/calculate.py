"""From activities to grams: sections 2 to 6 of the standard, line by line.

`footprint_of` takes a report whose numbers are finite and whose counted minutes are above zero (rule INT-03 asks
both first) and keeps every line item, so that a figure can be traced to report, formula and factor row. It always
gives a figure: what is missing or not valid counts as the default, and the rules say what was wrong. All arithmetic
is decimal with 60 digits; nothing is rounded before the last step (4.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from certifier.footprint.case import ONE, ZERO, Case, case_of, forecast_factor, share_of, share_text
from certifier.footprint.factors import LONE_CPU, FactorRow
from certifier.footprint.model import ActivityFigures, Amount, Footprint, LineItem
from certifier.footprint.places import Place, place_of, service_statement
from certifier.report.model import FOOTPRINT_STAGES, Run, ServiceUse
from certifier.units import (
    GRAMS_PER_KILOGRAM,
    SECONDS_PER_HOUR,
    SECONDS_PER_MINUTE,
    WATT_SECONDS_PER_KWH,
    exact_arithmetic,
    microseconds_of,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from certifier.footprint.factors import Factors, HardwareRow
    from certifier.footprint.model import Part, Quality, Rating, Side, Stage
    from certifier.footprint.parameters import Parameters
    from certifier.report.evidence import Audio, Evidence, ServiceHardware
    from certifier.report.model import Activity, Hardware, Model, Report

_NINE_DECIMALS = Decimal("0.000000001")
_TWO_DECIMALS = Decimal("0.01")
_PRIMARY_METHODS = frozenset({"metered", "sensor"})


def counted_minutes_of(report: Report, audio: Audio, parameters: Parameters) -> Decimal | None:
    """R, the minutes that the footprint is divided by (section 2), not rounded. None if a number is not finite."""
    with exact_arithmetic():
        seconds = _counted_seconds(report, audio, parameters)
        return None if seconds is None else seconds / SECONDS_PER_MINUTE


def _counted_seconds(report: Report, audio: Audio, parameters: Parameters) -> Decimal | None:
    audible, generated = report.track.ai_audible_s, report.generation.generated_minutes
    if not (audible.is_finite() and generated.is_finite()):
        return None
    free_silence = audio.duration_s * parameters.functional_unit.free_silence_share
    counted = audio.duration_s - max(ZERO, audio.silence_s - free_silence)
    return min(counted, audible, generated * SECONDS_PER_MINUTE)


def footprint_of(report: Report, evidence: Evidence, factors: Factors, parameters: Parameters) -> Footprint:
    """The footprint of a track by the tables and parameters of a standard.

    The numbers of the report are finite and its counted minutes above zero; else ValueError.
    """
    with exact_arithmetic():
        seconds = _counted_seconds(report, evidence.audio, parameters)
        if seconds is None or seconds <= 0:
            raise ValueError("there is no figure without counted minutes; INT-03 comes first")
        case = case_of(report, evidence, factors, parameters)
        places = {id(activity): place_of(case, activity) for activity in report.activities}
        figures = tuple(_figures(case, activity, places[id(activity)]) for activity in report.activities)
        items = tuple(_footprint_items(case, figures, places, seconds))
        post_items = tuple(_activity_items(case, figures, places, frozenset({"post_production"})))
        return _summed(case, items, post_items, figures, seconds)


# --- what the activities are (4.9) ---


def _figures(case: Case, activity: Activity, place: Place) -> ActivityFigures:
    tdp_w, devices = _nameplate(case, activity)
    share = share_of(case, activity)
    return ActivityFigures(
        activity=activity.id,
        grid_key=place.key,
        grid_g=place.g_per_kwh,
        grid_rows=place.grid_rows,
        pue_table=place.pue_table,
        pue=place.pue,
        overhead=place.overhead,
        coverage=_coverage(case, activity),
        share=share,
        kwh=_energy_kwh(case, activity) * share,
        power_w=_power_w(activity),
        tdp_w=tdp_w,
        devices=devices,
        span_s=_span_s(activity),
        service_default=isinstance(activity, ServiceUse) and service_statement(case, activity) is None,
    )


def _energy_kwh(case: Case, activity: Activity) -> Decimal:
    return activity.energy_kwh if isinstance(activity, Run) else activity.minutes * _service_kwh(case, activity)


def _service_kwh(case: Case, activity: ServiceUse) -> Decimal:
    """Energy of one exported minute."""
    statement = service_statement(case, activity)
    if statement is None or statement.wh_per_minute is None:
        return case.parameters.service_default.kwh_per_minute
    return statement.wh_per_minute / 1000


def _coverage(case: Case, activity: Activity) -> Decimal:
    """How much more than the reading the machine used (4.2); a service's figures hold everything."""
    if isinstance(activity, ServiceUse):
        return ONE
    factors = case.parameters.coverage
    if activity.coverage == "accelerator" and activity.shared_service:
        return factors.accelerator_shared
    return {"wall": factors.wall, "system": factors.system, "accelerator": factors.accelerator}[activity.coverage]


def _power_w(activity: Activity) -> Decimal | None:
    if not isinstance(activity, Run) or activity.duration_s <= 0:
        return None
    return activity.energy_kwh * WATT_SECONDS_PER_KWH / activity.duration_s


def _nameplate(case: Case, activity: Activity) -> tuple[Decimal, int]:
    """Nameplate power and number of the accelerators; without any, of the processors."""
    lines = [(case.factors.hardware_row(line.name), line.count) for line in activity.hardware or ()]
    counted = [(row, count) for row, count in lines if row.kind == "accelerator"]
    counted = counted or [(row, count) for row, count in lines if row.is_processor]
    return sum((count * (row.tdp_w or ZERO) for row, count in counted), ZERO), sum(count for _, count in counted)


def _span_s(activity: Activity) -> Decimal | None:
    started, ended = microseconds_of(activity.started_at), microseconds_of(activity.ended_at)
    return None if started is None or ended is None else Decimal(ended - started) / 1_000_000


# --- line items ---


def _item(
    stage: Stage,
    subject: str,
    part: Part,
    *,
    central_g: Decimal,
    factor: Decimal,
    formula: str,
    rows: tuple[FactorRow, ...],
    side: Side,
    quality: Quality,
) -> LineItem:
    return LineItem(stage, subject, part, central_g, central_g * factor, factor, formula, rows, side, quality)


def _footprint_items(
    case: Case, figures: Sequence[ActivityFigures], places: Mapping[int, Place], counted_s: Decimal
) -> Iterator[LineItem]:
    """All lines of the figure: the activities, then what is added to them by model, then storage."""
    activity_items = list(_activity_items(case, figures, places, FOOTPRINT_STAGES))
    yield from activity_items
    for model in case.report.models:
        yield from _training_items(case, model)
        yield from _data_items(case, model, activity_items)
    yield _storage_item(case, places, counted_s)


def _activity_items(
    case: Case, figures: Sequence[ActivityFigures], places: Mapping[int, Place], stages: frozenset[str]
) -> Iterator[LineItem]:
    for activity, figure in zip(case.report.activities, figures, strict=True):
        if activity.stage not in stages:
            continue
        if isinstance(activity, Run):
            yield _run_operation(case, activity, figure, places[id(activity)])
            yield from _run_embodied(case, activity, figure)
        else:
            yield _service_operation(case, activity, figure, places[id(activity)])
            yield _service_embodied(case, activity, figure)


def _side(activity: Activity) -> Side:
    return "consumer" if activity.stage in {"inference", "post_production"} else "provider"


def _run_operation(case: Case, run: Run, figure: ActivityFigures, place: Place) -> LineItem:
    """E x c x p x I x a (4.1)."""
    quality: Quality = "primary" if run.method in _PRIMARY_METHODS else "other"
    return _item(
        run.stage,
        run.id,
        "operation",
        central_g=figure.kwh * figure.coverage * place.overhead * place.g_per_kwh,
        factor=_method_factor(case, run) * forecast_factor(case, run),
        formula=f"{plain(run.energy_kwh)}*{plain(figure.coverage)}*{place.overhead_text}*{place.grid_text}"
        + share_text(case, run, figure.share),
        rows=place.grid_rows + place.pue_rows,
        side=_side(run),
        quality="default" if run.method == "default" else quality,
    )


def _method_factor(case: Case, run: Run) -> Decimal:
    factors = case.parameters.uncertainty
    return {
        "metered": factors.metered,
        "sensor": factors.sensor,
        "provider": factors.provider,
        "modelled": factors.modelled,
        "default": factors.default,
    }[run.method]


@dataclass(frozen=True)
class _Mass:
    """Kilograms of manufacture that one unit carries, and the factor that fits where the number comes from."""

    kg: Decimal
    text: str
    factor: Decimal
    rows: tuple[FactorRow, ...]
    quality: Quality


def _run_embodied(case: Case, run: Run, figure: ActivityFigures) -> Iterator[LineItem]:
    """Manufacture: n x (k_d + k_h) x 1000 x t / (L x 3600) x a for each line of hardware (4.1, 4.5)."""
    forecast = forecast_factor(case, run)
    for line in run.hardware:
        life_h = _life_h(case, line)
        for mass in _masses(case, line, [other for other in run.hardware if other.count > 0]):
            central = (
                line.count * mass.kg * GRAMS_PER_KILOGRAM * run.duration_s / (life_h * SECONDS_PER_HOUR) * figure.share
            )
            times = "" if line.count == 1 else f"{line.count}*"
            yield _item(
                "post_production" if run.stage == "post_production" else "embodied",
                run.id,
                "embodied",
                central_g=central,
                factor=mass.factor * forecast,
                formula=f"{times}{mass.text}*1000*{plain(run.duration_s)}/({plain(life_h)}*3600)"
                + share_text(case, run, figure.share),
                rows=mass.rows,
                side=_side(run),
                quality=mass.quality,
            )


def _masses(case: Case, line: Hardware, all_lines: Sequence[Hardware]) -> Iterator[_Mass]:
    """Device and host of one line, apart if the device has a footprint of its maker."""
    row = _carried_row(case, line.name, [other.name for other in all_lines])
    table, deposited = case.parameters.uncertainty.embodied_table, case.parameters.uncertainty.embodied_deposited
    declared = _deposited_kg(case, line)
    if declared is not None:
        yield _Mass(declared, plain(declared), deposited, (), "primary")
        if row.host_kg:
            yield _Mass(row.host_kg, plain(row.host_kg), table, row.origins, "other")
    elif row.device_kg or row.host_kg:
        yield _Mass(row.device_kg + row.host_kg, _mass_text(row), table, row.origins, "other")


def _mass_text(row: HardwareRow) -> str:
    return f"({plain(row.device_kg)}+{plain(row.host_kg)})" if row.host_kg else plain(row.device_kg)


def _carried_row(case: Case, name: str, all_names: Sequence[str]) -> HardwareRow:
    """The row whose manufacture a name carries: a processor among nothing but processors stands for a server (4.5)."""
    row = case.factors.hardware_row(name)
    if row.kind == "cpu" and all(case.factors.hardware_row(other).kind == "cpu" for other in all_names):
        return case.factors.hardware[LONE_CPU]
    return row


def _deposited_kg(case: Case, line: Hardware) -> Decimal | None:
    """The declared kilograms of a device, if the product footprint of its maker is deposited (4.5)."""
    if line.embodied is None or line.embodied.kgco2e is None:
        return None
    deposit = case.evidence.deposited_logs.get(line.embodied.pcf_sha256 or "")
    return line.embodied.kgco2e if deposit is not None and deposit.kind == "pcf" else None


def _life_h(case: Case, line: Hardware) -> Decimal:
    """The hours that a device is spread over; a longer life needs deposited evidence at A2 (4.5)."""
    bounds, embodied = case.parameters.hardware, line.embodied
    if embodied is None or embodied.lifetime_h is None:
        return bounds.life_h
    evidenced = case.level == "A2" and (embodied.lifetime_evidence or "") in case.evidence.deposited_logs
    longest = bounds.life_evidenced_h if evidenced else bounds.life_h
    return max(bounds.life_least_h, min(longest, embodied.lifetime_h))


def _service_operation(case: Case, activity: ServiceUse, figure: ActivityFigures, place: Place) -> LineItem:
    """Electricity of the exported minutes (4.6)."""
    statement = service_statement(case, activity)
    factors = case.parameters.uncertainty
    if statement is None or statement.wh_per_minute is None:
        energy = plain(case.parameters.service_default.kwh_per_minute)
        origin = _parameter_row("service_default")
    else:
        energy = f"{plain(statement.wh_per_minute)}/1000"
        origin = _statement_row(case, activity.model)
    return _item(
        activity.stage,
        activity.id,
        "service",
        central_g=figure.kwh * place.overhead * place.g_per_kwh,
        factor=(factors.default if statement is None else factors.statement) * forecast_factor(case, activity),
        formula=f"{plain(activity.minutes)}*{energy}*{place.overhead_text}*{place.grid_text}"
        + share_text(case, activity, figure.share),
        rows=(origin, *place.grid_rows, *place.pue_rows),
        side=_side(activity),
        quality="default" if statement is None else "primary",
    )


def _service_embodied(case: Case, activity: ServiceUse, figure: ActivityFigures) -> LineItem:
    """Hardware of the exported minutes: the statement's seconds, else the default equipment (4.6)."""
    statement = service_statement(case, activity)
    if statement is not None and statement.hardware:
        grams, formula, rows = _stated_hardware(case, statement.hardware)
        quality: Quality = "other"
    else:
        grams = case.parameters.service_default.equipment_g_per_minute
        formula, rows, quality = plain(grams), (_parameter_row("service_default"),), "default"
    return _item(
        "post_production" if activity.stage == "post_production" else "embodied",
        activity.id,
        "embodied",
        central_g=activity.minutes * grams * figure.share,
        factor=case.parameters.uncertainty.embodied_table * forecast_factor(case, activity),
        formula=f"{plain(activity.minutes)}*{formula}" + share_text(case, activity, figure.share),
        rows=rows,
        side=_side(activity),
        quality=quality,
    )


def _stated_hardware(case: Case, lines: Sequence[ServiceHardware]) -> tuple[Decimal, str, tuple[FactorRow, ...]]:
    """Grams per minute, formula and rows of the hardware that a statement names."""
    life_h = case.parameters.hardware.life_h
    names = [line.name for line in lines if line.count > 0]
    grams, texts, rows = ZERO, [], list[FactorRow]()
    for line in lines:
        row = _carried_row(case, line.name, names)
        kg = line.count * (row.device_kg + row.host_kg)
        grams += line.seconds_per_minute * kg * GRAMS_PER_KILOGRAM / (life_h * SECONDS_PER_HOUR)
        times = "" if line.count == 1 else f"{line.count}*"
        texts.append(f"{plain(line.seconds_per_minute)}*{times}{_mass_text(row)}*1000/({plain(life_h)}*3600)")
        rows += row.origins
    return grams, texts[0] if len(texts) == 1 else f"({'+'.join(texts)})", tuple(rows)


def _training_items(case: Case, model: Model) -> Iterator[LineItem]:
    """Training that no activity reports: by statement, else the default (8.3)."""
    statement = case.statements.get(model.id)
    if model.training.source == "statement" and statement is not None:
        grams, origin = statement.training_g_per_minute, _statement_row(case, model.id)
        factor, quality = case.parameters.uncertainty.statement, "primary"
    elif model.training.source == "activities" and _runs_of(case, model, "training"):
        return
    else:
        grams = case.parameters.training_default_for(model.parameters_b)
        origin = _parameter_row("training_default")
        factor, quality = case.parameters.uncertainty.training_default, "default"
    yield _item(
        "training",
        model.id,
        "training",
        central_g=grams * model.generated_minutes,
        factor=factor,
        formula=f"{plain(grams)}*{plain(model.generated_minutes)}",
        rows=(origin,),
        side="provider",
        quality="default" if quality == "default" else "primary",
    )


def _data_items(case: Case, model: Model, activity_items: Sequence[LineItem]) -> Iterator[LineItem]:
    """A quarter of the training by statement or activities, unless data is reported or held already (3, 6.2)."""
    statement = case.statements.get(model.id)
    if model.training.source == "statement" and statement is not None and not statement.includes_data:
        yield from (_data_item(case, item) for item in _training_items(case, model))
    if model.training.source == "activities" and not _runs_of(case, model, "data"):
        runs = {run.id for run in _runs_of(case, model, "training")}
        yield from (
            _data_item(case, item) for item in activity_items if item.subject in runs and item.side == "provider"
        )


def _data_item(case: Case, training: LineItem) -> LineItem:
    share = case.parameters.training.data_share
    return _item(
        "data",
        training.subject,
        "data",
        central_g=training.central_g * share,
        factor=training.factor,
        formula=f"{training.formula}*{plain(share)}",
        rows=(*training.rows, _parameter_row("training")),
        side="provider",
        quality="default" if training.quality == "default" else "other",
    )


def _runs_of(case: Case, model: Model, stage: str) -> list[Activity]:
    return [activity for activity in case.report.activities if (activity.stage, activity.model) == (stage, model.id)]


def _storage_item(case: Case, places: Mapping[int, Place], counted_s: Decimal) -> LineItem:
    """Twelve months of the finished minutes, and of the others as long as they are kept (4.7)."""
    numbers, kept_days = case.parameters.storage, case.report.process.take_retention_days
    days = numbers.retention_days if kept_days is None else kept_days
    finished = counted_s / SECONDS_PER_MINUTE
    discarded = case.report.generation.generated_minutes - finished  # R never exceeds the generated minutes
    pue = case.factors.pue_row(provider=None, in_datacentre=True)
    grid_text, g_per_kwh, grid_rows = _storage_grid(case, places)
    return _item(
        "storage",
        "storage",
        "storage",
        central_g=numbers.kwh_per_minute_year * (finished + discarded * days / numbers.year_days) * pue.pue * g_per_kwh,
        factor=case.parameters.uncertainty.storage,
        formula=f"{plain(numbers.kwh_per_minute_year)}*({_kept_text(case, counted_s)}"
        f"*{plain(days)}/{plain(numbers.year_days)})*{plain(pue.pue)}*{grid_text}",
        rows=(_parameter_row("storage"), pue.origin, *grid_rows),
        side="consumer",
        quality="other",
    )


def _kept_text(case: Case, counted_s: Decimal) -> str:
    """Finished and discarded minutes, as a fraction where decimals would not end."""
    finished, generated = counted_s / SECONDS_PER_MINUTE, case.report.generation.generated_minutes
    if finished == finished.quantize(_NINE_DECIMALS):
        return f"{plain(finished)}+{plain(generated - finished)}"
    return f"{plain(counted_s)}/60+({plain(generated)}-{plain(counted_s)}/60)"


def _storage_grid(case: Case, places: Mapping[int, Place]) -> tuple[str, Decimal, tuple[FactorRow, ...]]:
    """The highest factor among the inference activities."""
    used = [places[id(activity)] for activity in case.report.activities if activity.stage == "inference"]
    if not used:
        row = case.factors.unknown_place
        return plain(row.g_per_kwh), row.g_per_kwh, (row.origin,)
    highest = max(used, key=lambda place: place.g_per_kwh)
    return highest.grid_text, highest.g_per_kwh, highest.grid_rows


def _parameter_row(name: str) -> FactorRow:
    """A number that stands in the standard itself."""
    return FactorRow("standard", f"parameters.{name}", "LCAL", "")


def _statement_row(case: Case, model_id: str | None) -> FactorRow:
    model = case.models[model_id or ""]
    statement = case.statements[model.id]
    return FactorRow("statements", model.training.statement or "", f"statement of {statement.model}", "")


# --- from line items to figures (4.8, 4.9, 5.2) ---


def _summed(
    case: Case,
    items: tuple[LineItem, ...],
    post_items: tuple[LineItem, ...],
    figures: tuple[ActivityFigures, ...],
    seconds: Decimal,
) -> Footprint:
    total = _total(items, seconds)
    default_g = _total((item for item in items if item.quality == "default"), seconds).upper
    counting = [
        figure
        for activity, figure in zip(case.report.activities, figures, strict=True)
        if activity.stage in FOOTPRINT_STAGES
    ]
    exact = _nine_decimals(total)
    return Footprint(
        items=items,
        post_items=post_items,
        activities=figures,
        counted_minutes=seconds / SECONDS_PER_MINUTE,
        total_g=sum((item.central_g for item in items), ZERO),
        central=_printed(total).central,
        assessed=_printed(total).upper,
        central_exact=exact.central,
        upper_exact=exact.upper,
        consumer=_printed(_total((item for item in items if item.side == "consumer"), seconds)),
        provider=_printed(_total((item for item in items if item.side == "provider"), seconds)),
        by_stage={
            stage: _nine_decimals(_total((item for item in items if item.stage == stage), seconds))
            for stage in dict.fromkeys(item.stage for item in items)
        },
        rating=_rating(case, items),
        default_g_per_min=default_g,
        calculated=any(figure.service_default for figure in counting)
        or default_g > case.parameters.calculated.more_than * total.upper,
        post_production=_printed(_total(post_items, seconds)) if post_items else None,
        kwh_per_generated_minute=_inference_kwh(case, figures) / case.report.generation.generated_minutes,
        kwh_weighted_grid=_weighted_mean(case, counting),
        claimable_kwh=sum((figure.kwh * figure.coverage * figure.overhead for figure in counting), ZERO),
        lifetime_minutes=case.lifetimes,
    )


def _total(items: Iterable[LineItem], seconds: Decimal) -> Amount:
    """Grams per counted minute, not rounded."""
    central, upper = ZERO, ZERO
    for item in items:
        central += item.central_g
        upper += item.upper_g
    return Amount(central * SECONDS_PER_MINUTE / seconds, upper * SECONDS_PER_MINUTE / seconds)


def _nine_decimals(amount: Amount) -> Amount:
    return Amount(
        amount.central.quantize(_NINE_DECIMALS, rounding=ROUND_HALF_EVEN),
        amount.upper.quantize(_NINE_DECIMALS, rounding=ROUND_HALF_EVEN),
    )


def _printed(amount: Amount) -> Amount:
    """Nine decimals first; then the best estimate half up and the upper bound up to two (4.8)."""
    exact = _nine_decimals(amount)
    return Amount(
        exact.central.quantize(_TWO_DECIMALS, rounding=ROUND_HALF_UP),
        exact.upper.quantize(_TWO_DECIMALS, rounding=ROUND_CEILING),
    )


def _rating(case: Case, items: Sequence[LineItem]) -> Rating:
    """How much of the assessed grams rests on measurement, deposited footprints and valid statements (5.2)."""
    total = sum((item.upper_g for item in items), ZERO)
    primary = sum((item.upper_g for item in items if item.quality == "primary"), ZERO)
    if primary >= case.parameters.rating.a * total:
        return "A"
    return "B" if primary >= case.parameters.rating.b * total else "C"


def _inference_kwh(case: Case, figures: Sequence[ActivityFigures]) -> Decimal:
    pairs = zip(case.report.activities, figures, strict=True)
    return sum((figure.kwh for activity, figure in pairs if activity.stage == "inference"), ZERO)


def _weighted_mean(case: Case, figures: Sequence[ActivityFigures]) -> Decimal:
    """The mean grid factor by energy; of an unknown place if there is no energy."""
    kwh = sum((figure.kwh * figure.coverage for figure in figures), ZERO)
    if kwh <= 0:
        return case.factors.unknown_place.g_per_kwh
    return sum((figure.kwh * figure.coverage * figure.grid_g for figure in figures), ZERO) / kwh
