"""From activities to grams: sections 2 to 6 of the standard, line by line.

`footprint_of` takes a report whose numbers are finite and whose counted minutes are above zero (rule INT-03 asks
both first) and keeps every line item, so that a figure can be traced to report, formula and factor row. It always
gives a figure: what is missing or not valid counts as the default, and the rules say what was wrong. All arithmetic
is decimal with 60 digits; nothing is rounded before the last step (4.8).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING

from certifier.footprint.case import ZERO, Case, case_of, forecast_terms, made_here, share_of
from certifier.footprint.factors import LONE_CPU, FactorRow
from certifier.footprint.market import is_electricity, market_of
from certifier.footprint.model import ActivityFigures, Amount, Footprint, LineItem, MarketBased
from certifier.footprint.places import Place, place_of, service_statement, statement_id
from certifier.footprint.terms import (
    COUNT,
    COUNTED_S,
    COVERAGE,
    DATA_SHARE,
    DAYS,
    DEVICE,
    DISCARDED,
    DURATION,
    ENERGY,
    EQUIPMENT,
    EXPORTED,
    FINISHED,
    FREE_SILENCE,
    GENERATED,
    GRAMS_IN_KG,
    HOST,
    KEPT,
    LENGTH,
    LIFE,
    MASS,
    ONE,
    OVER_SECONDS_IN_HOUR,
    OVER_SECONDS_IN_MINUTE,
    OVER_WH_IN_KWH,
    OVERHEAD,
    PART,
    SECONDS_USED,
    SERVICE_HARDWARE,
    SERVICE_KWH,
    SERVICE_WH,
    SILENCE,
    STORAGE_ENERGY,
    STORAGE_GRID,
    TRAINING,
    UNCERTAINTY,
    YEAR_DAYS,
    FromRecord,
    FromReport,
    FromStandard,
    FromStatement,
    Term,
    product_of,
    product_term,
    sum_term,
)
from certifier.report.model import FOOTPRINT_STAGES, Run, ServiceUse
from certifier.units import SECONDS_PER_MINUTE, WATT_SECONDS_PER_KWH, exact_arithmetic, microseconds_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from certifier.footprint.factors import Factors, HardwareRow
    from certifier.footprint.model import Part, Quality, Rating, Side, Stage
    from certifier.footprint.parameters import Parameters
    from certifier.report.evidence import Audio, Evidence, Statement
    from certifier.report.model import Activity, Hardware, Model, Report

# Numbers that no rule has seen yet can make a figure of more digits than 60; it is to be told, not to be stumbled over.
_ANY_FIGURE = Context(prec=9_999)
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
        activities = [
            _Placed(activity, pointer, place_of(case, activity, pointer), share_of(case, activity, pointer))
            for pointer, activity in ((f"/activities/{place}", each) for place, each in enumerate(report.activities))
        ]
        figures = tuple(_figures(case, placed) for placed in activities)
        items = tuple(_footprint_items(case, activities, seconds))
        post_items = tuple(_activity_items(case, activities, frozenset({"post_production"})))
        footprint = _summed(case, items, post_items, figures, seconds)
        market = market_of(report, evidence, parameters.market, items) if parameters.market else None
        return footprint if market is None else replace(footprint, market_based=_with_amount(market, items, seconds))


def _with_amount(market: MarketBased, items: tuple[LineItem, ...], seconds: Decimal) -> MarketBased:
    """The market-based line with its grams per minute: its own electricity, and all else as in the figure."""
    if market.reasons:
        return market
    others = [item for item in items if not is_electricity(item)]
    return replace(market, amount=_printed(_total([*market.items, *others], seconds)))


@dataclass(frozen=True)
class _Placed:
    """An activity, where it stands in the report, where its electricity comes from, and the share of this track."""

    activity: Activity
    pointer: str
    place: Place
    share: Term


# --- what the activities are (4.9) ---


def _figures(case: Case, placed: _Placed) -> ActivityFigures:
    activity, place, share = placed.activity, placed.place, placed.share.value
    tdp_w, devices = _nameplate(case, activity)
    return ActivityFigures(
        activity=activity.id,
        grid_key=place.key,
        grid_g=place.grid.value,
        grid_rows=place.grid_rows,
        pue_table=place.pue_table,
        pue=place.pue,
        overhead=place.overhead.value,
        coverage=_coverage(case, activity).value,
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


def _coverage(case: Case, activity: Activity) -> Term:
    """How much more than the reading the machine used (4.2); a service's figures hold everything."""
    if isinstance(activity, ServiceUse):
        return Term(COVERAGE, ONE, FromStandard("a service's figures hold everything", "4.6"))
    shared = activity.coverage == "accelerator" and activity.shared_service
    name = "accelerator_shared" if shared else activity.coverage
    factors = case.parameters.coverage
    value = {
        "wall": factors.wall,
        "system": factors.system,
        "accelerator": factors.accelerator,
        "accelerator_shared": factors.accelerator_shared,
    }[name]
    return Term(COVERAGE, value, FromStandard(f"parameters.coverage.{name}", "4.2"))


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
    terms: tuple[Term, ...],
    uncertainty: tuple[Term, ...],
    rows: tuple[FactorRow, ...],
    side: Side,
    quality: Quality,
) -> LineItem:
    central_g, factor = product_of(terms), product_of(uncertainty)
    return LineItem(
        stage, subject, part, central_g, central_g * factor, factor, terms, uncertainty, rows, side, quality
    )


def _uncertainty(case: Case, name: str) -> Term:
    """The factor of a part, by its name in the standard (5.1)."""
    value: Decimal = getattr(case.parameters.uncertainty, name)
    return Term(UNCERTAINTY, value, FromStandard(f"parameters.uncertainty.{name}", "5.1"))


def _footprint_items(case: Case, activities: Sequence[_Placed], counted_s: Decimal) -> Iterator[LineItem]:
    """All lines of the figure: the activities, then what is added to them by model, then storage."""
    activity_items = list(_activity_items(case, activities, FOOTPRINT_STAGES))
    yield from activity_items
    for model in case.report.models:
        yield from _training_items(case, model)
        yield from _data_items(case, model, activity_items)
    yield _storage_item(case, activities, counted_s)


def _activity_items(case: Case, activities: Sequence[_Placed], stages: frozenset[str]) -> Iterator[LineItem]:
    for placed in activities:
        activity = placed.activity
        if activity.stage not in stages:
            continue
        if isinstance(activity, Run):
            yield _run_operation(case, activity, placed)
            yield from _run_embodied(case, activity, placed)
        else:
            yield _service_operation(case, activity, placed)
            yield _service_embodied(case, activity, placed)


def _side(activity: Activity) -> Side:
    return "consumer" if activity.stage in {"inference", "post_production"} else "provider"


def _run_operation(case: Case, run: Run, placed: _Placed) -> LineItem:
    """E x c x p x I x a (4.1)."""
    place = placed.place
    quality: Quality = "primary" if run.method in _PRIMARY_METHODS else "other"
    return _item(
        run.stage,
        run.id,
        "operation",
        terms=(
            Term(ENERGY, run.energy_kwh, FromReport(f"{placed.pointer}/energy_kwh")),
            _coverage(case, run),
            place.overhead,
            place.grid,
            placed.share,
        ),
        uncertainty=(_uncertainty(case, run.method), *forecast_terms(case, run)),
        rows=place.grid_rows + place.pue_rows,
        side=_side(run),
        quality="default" if run.method == "default" else quality,
    )


@dataclass(frozen=True)
class _Mass:
    """Kilograms of manufacture that one unit carries, and the factor that fits where the number comes from."""

    kg: Term
    uncertainty: str
    rows: tuple[FactorRow, ...]
    quality: Quality


def _run_embodied(case: Case, run: Run, placed: _Placed) -> Iterator[LineItem]:
    """Manufacture: n x (k_d + k_h) x 1000 x t / (L x 3600) x a for each line of hardware (4.1, 4.5)."""
    duration = Term(DURATION, run.duration_s, FromReport(f"{placed.pointer}/duration_s"))
    named = [other.name for other in run.hardware if other.count > 0]
    for number, line in enumerate(run.hardware):
        pointer = f"{placed.pointer}/hardware/{number}"
        life = _life(case, line, pointer)
        for mass in _masses(case, line, named, pointer):
            yield _item(
                "post_production" if run.stage == "post_production" else "embodied",
                run.id,
                "embodied",
                terms=(
                    Term(COUNT, Decimal(line.count), FromReport(f"{pointer}/count")),
                    mass.kg,
                    GRAMS_IN_KG,
                    duration,
                    life,
                    OVER_SECONDS_IN_HOUR,
                    placed.share,
                ),
                uncertainty=(_uncertainty(case, mass.uncertainty), *forecast_terms(case, run)),
                rows=mass.rows,
                side=_side(run),
                quality=mass.quality,
            )


def _masses(case: Case, line: Hardware, all_names: Sequence[str], pointer: str) -> Iterator[_Mass]:
    """Device and host of one line, apart if the device has a footprint of its maker."""
    row = _carried_row(case, line.name, all_names)
    declared = _deposited_kg(case, line)
    if declared is not None:
        kg = Term(DEVICE, declared, FromReport(f"{pointer}/embodied/kgco2e"))
        yield _Mass(kg, "embodied_deposited", (), "primary")
        if row.host_kg:
            yield _Mass(Term(HOST, row.host_kg, case.factors.host_origin(row)), "embodied_table", row.origins, "other")
    elif row.device_kg or row.host_kg:
        yield _Mass(_table_mass(case, row), "embodied_table", row.origins, "other")


def _table_mass(case: Case, row: HardwareRow) -> Term:
    """Kilograms of a device with its host, by the tables."""
    if not row.host_kg:
        return Term(DEVICE, row.device_kg, row.origins[0])
    return sum_term(
        MASS,
        Term(DEVICE, row.device_kg, row.origins[0], "plus"),
        Term(HOST, row.host_kg, case.factors.host_origin(row), "plus"),
    )


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


def _life(case: Case, line: Hardware, pointer: str) -> Term:
    """The hours that a device is spread over; a longer life needs deposited evidence at A2 (4.5)."""
    bounds, embodied = case.parameters.hardware, line.embodied
    if embodied is None or embodied.lifetime_h is None:
        return _standard_life(case)
    evidenced = case.level == "A2" and (embodied.lifetime_evidence or "") in case.evidence.deposited_logs
    longest = _standard_life(case, "life_evidenced_h" if evidenced else "life_h")
    if embodied.lifetime_h <= bounds.life_least_h:
        return _standard_life(case, "life_least_h")
    if embodied.lifetime_h >= longest.value:
        return longest
    return Term(LIFE, embodied.lifetime_h, FromReport(f"{pointer}/embodied/lifetime_h"), "over")


def _standard_life(case: Case, name: str = "life_h") -> Term:
    value: Decimal = getattr(case.parameters.hardware, name)
    return Term(LIFE, value, FromStandard(f"parameters.hardware.{name}", "4.5"), "over")


def _exported(activity: ServiceUse, placed: _Placed) -> Term:
    return Term(EXPORTED, activity.minutes, FromReport(f"{placed.pointer}/minutes"))


def _service_operation(case: Case, activity: ServiceUse, placed: _Placed) -> LineItem:
    """Electricity of the exported minutes (4.6)."""
    statement, place = service_statement(case, activity), placed.place
    energy: tuple[Term, ...]
    if statement is None or statement.wh_per_minute is None:
        kwh = case.parameters.service_default.kwh_per_minute
        energy = (Term(SERVICE_KWH, kwh, FromStandard("parameters.service_default.kwh_per_minute", "4.6")),)
        origin = _parameter_row("service_default")
    else:
        stated = FromStatement(statement_id(case, activity), "wh_per_minute")
        energy = (Term(SERVICE_WH, statement.wh_per_minute, stated), OVER_WH_IN_KWH)
        origin = _statement_row(case, activity.model)
    return _item(
        activity.stage,
        activity.id,
        "service",
        terms=(_exported(activity, placed), *energy, place.overhead, place.grid, placed.share),
        uncertainty=(
            _uncertainty(case, "default" if statement is None else "statement"),
            *forecast_terms(case, activity),
        ),
        rows=(origin, *place.grid_rows, *place.pue_rows),
        side=_side(activity),
        quality="default" if statement is None else "primary",
    )


def _service_embodied(case: Case, activity: ServiceUse, placed: _Placed) -> LineItem:
    """Hardware of the exported minutes: the statement's seconds, else the default equipment (4.6)."""
    statement = service_statement(case, activity)
    if statement is not None and statement.hardware:
        hardware, rows = _stated_hardware(case, statement, statement_id(case, activity))
        quality: Quality = "other"
    else:
        grams = case.parameters.service_default.equipment_g_per_minute
        origin = FromStandard("parameters.service_default.equipment_g_per_minute", "4.6")
        hardware = (Term(EQUIPMENT, grams, origin),)
        rows, quality = (_parameter_row("service_default"),), "default"
    return _item(
        "post_production" if activity.stage == "post_production" else "embodied",
        activity.id,
        "embodied",
        terms=(_exported(activity, placed), *hardware, placed.share),
        uncertainty=(_uncertainty(case, "embodied_table"), *forecast_terms(case, activity)),
        rows=rows,
        side=_side(activity),
        quality=quality,
    )


def _stated_hardware(
    case: Case, statement: Statement, statement_name: str
) -> tuple[tuple[Term, ...], tuple[FactorRow, ...]]:
    """The manufacture that a statement's hardware adds to each minute, and the rows that it is taken from."""
    names = [line.name for line in statement.hardware if line.count > 0]
    products, rows = list[tuple[Term, ...]](), list[FactorRow]()
    for number, line in enumerate(statement.hardware):
        row = _carried_row(case, line.name, names)
        field = f"hardware/{number}"
        seconds = FromStatement(statement_name, f"{field}/seconds_per_minute")
        products.append(
            (
                Term(SECONDS_USED, line.seconds_per_minute, seconds),
                Term(COUNT, Decimal(line.count), FromStatement(statement_name, f"{field}/count")),
                _table_mass(case, row),
                GRAMS_IN_KG,
                _standard_life(case),
                OVER_SECONDS_IN_HOUR,
            )
        )
        rows += row.origins
    if len(products) == 1:
        return products[0], tuple(rows)
    parts = (product_term(PART, *terms, how="plus") for terms in products)
    return (sum_term(SERVICE_HARDWARE, *parts),), tuple(rows)


def _training_items(case: Case, model: Model) -> Iterator[LineItem]:
    """Training that no activity reports: by statement, else the default (8.3)."""
    statement = case.statements.get(model.id)
    if model.training.source == "statement" and statement is not None:
        stated = FromStatement(model.training.statement or "", "training_g_per_minute")
        grams, row = Term(TRAINING, statement.training_g_per_minute, stated), _statement_row(case, model.id)
        factor, quality = "statement", "primary"
    elif model.training.source == "activities" and _runs_of(case, model, "training"):
        return
    else:
        default = case.parameters.training_default_for(model.parameters_b)
        grams = Term(TRAINING, default, FromStandard("parameters.training_default", "8.3"))
        row, factor, quality = _parameter_row("training_default"), "training_default", "default"
    yield _item(
        "training",
        model.id,
        "training",
        terms=(grams, made_here(case, model)),
        uncertainty=(_uncertainty(case, factor),),
        rows=(row,),
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
    share = Term(DATA_SHARE, case.parameters.training.data_share, FromStandard("parameters.training.data_share", "6.2"))
    return _item(
        "data",
        training.subject,
        "data",
        terms=(*training.terms, share),
        uncertainty=training.uncertainty,
        rows=(*training.rows, _parameter_row("training")),
        side="provider",
        quality="default" if training.quality == "default" else "other",
    )


def _runs_of(case: Case, model: Model, stage: str) -> list[Activity]:
    return [activity for activity in case.report.activities if (activity.stage, activity.model) == (stage, model.id)]


def _storage_item(case: Case, activities: Sequence[_Placed], counted_s: Decimal) -> LineItem:
    """Twelve months of the finished minutes, and of the others as long as they are kept (4.7)."""
    numbers = case.parameters.storage
    pue = case.factors.pue_row(provider=None, in_datacentre=True)
    grid, grid_rows = _storage_grid(case, activities)
    energy = FromStandard("parameters.storage.kwh_per_minute_year", "4.7")
    return _item(
        "storage",
        "storage",
        "storage",
        terms=(
            Term(STORAGE_ENERGY, numbers.kwh_per_minute_year, energy),
            _kept_minutes(case, counted_s),
            Term(OVERHEAD, pue.pue, pue.origin),
            grid,
        ),
        uncertainty=(_uncertainty(case, "storage"),),
        rows=(_parameter_row("storage"), pue.origin, *grid_rows),
        side="consumer",
        quality="other",
    )


def _kept_minutes(case: Case, counted_s: Decimal) -> Term:
    """R + (G - R) x days / 365: finished minutes for a year, and the others for the days that they are kept."""
    numbers, kept_days = case.parameters.storage, case.report.process.take_retention_days
    finished = _finished_minutes(case, counted_s)
    generated = Term(
        GENERATED, case.report.generation.generated_minutes, FromReport("/generation/generated_minutes"), "plus"
    )
    # R never exceeds the generated minutes.
    discarded = sum_term(DISCARDED, generated, finished._replace(how="minus"))
    if kept_days is None:
        days = Term(DAYS, numbers.retention_days, FromStandard("parameters.storage.retention_days", "4.7"))
    else:
        days = Term(DAYS, kept_days, FromReport("/process/take_retention_days"))
    year = Term(YEAR_DAYS, numbers.year_days, FromStandard("parameters.storage.year_days", "4.7"), "over")
    return sum_term(KEPT, finished._replace(how="plus"), product_term(PART, discarded, days, year, how="plus"))


def _finished_minutes(case: Case, counted_s: Decimal) -> Term:
    """R, the least of three (section 2), traced to the one that it is."""
    report, audio = case.report, case.evidence.audio
    generated = report.generation.generated_minutes
    if counted_s == generated * SECONDS_PER_MINUTE:
        return Term(FINISHED, generated, FromReport("/generation/generated_minutes"))
    if counted_s == report.track.ai_audible_s:
        seconds = Term(COUNTED_S, counted_s, FromReport("/track/ai_audible_s"))
    elif counted_s == audio.duration_s:
        seconds = Term(COUNTED_S, counted_s, FromRecord("/evidence/audio/duration_s"))
    else:
        length = Term(LENGTH, audio.duration_s, FromRecord("/evidence/audio/duration_s"))
        free = case.parameters.functional_unit.free_silence_share
        seconds = sum_term(
            COUNTED_S,
            length._replace(how="plus"),
            Term(SILENCE, audio.silence_s, FromRecord("/evidence/audio/silence_s"), "minus"),
            product_term(
                PART,
                Term(FREE_SILENCE, free, FromStandard("parameters.functional_unit.free_silence_share", "2")),
                length,
                how="plus",
            ),
        )
    return product_term(FINISHED, seconds, OVER_SECONDS_IN_MINUTE)


def _storage_grid(case: Case, activities: Sequence[_Placed]) -> tuple[Term, tuple[FactorRow, ...]]:
    """The highest factor among the inference activities."""
    used = [placed.place for placed in activities if placed.activity.stage == "inference"]
    if not used:
        row = case.factors.unknown_place
        return Term(STORAGE_GRID, row.g_per_kwh, row.origin), (row.origin,)
    highest = max(used, key=lambda place: place.grid.value)
    return highest.grid._replace(quantity=STORAGE_GRID), highest.grid_rows


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
        counted=_finished_minutes(case, seconds),
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
        market_based=None,
        kwh_per_generated_minute=_inference_kwh(case, figures) / case.report.generation.generated_minutes,
        kwh_weighted_grid=_weighted_mean(case, counting),
        claimable_kwh=sum((figure.kwh * figure.coverage * figure.overhead for figure in counting), ZERO),
        lifetime_minutes={model: lifetime.value for model, lifetime in case.lifetimes.items()},
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
        amount.central.quantize(_NINE_DECIMALS, ROUND_HALF_EVEN, _ANY_FIGURE),
        amount.upper.quantize(_NINE_DECIMALS, ROUND_HALF_EVEN, _ANY_FIGURE),
    )


def _printed(amount: Amount) -> Amount:
    """Nine decimals first; then the best estimate half up and the upper bound up to two (4.8)."""
    exact = _nine_decimals(amount)
    return Amount(
        exact.central.quantize(_TWO_DECIMALS, ROUND_HALF_UP, _ANY_FIGURE),
        exact.upper.quantize(_TWO_DECIMALS, ROUND_CEILING, _ANY_FIGURE),
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
