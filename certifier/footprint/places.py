"""Where the electricity comes from: the grid and the PUE that count for an activity (4.3, 4.4, 4.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from certifier.footprint.case import ONE, ZERO, Case
from certifier.footprint.factors import FactorRow
from certifier.report.evidence import Statement
from certifier.report.model import Activity, Run, ServiceUse
from certifier.units import plain


@dataclass(frozen=True)
class Place:
    """Grid and PUE of one activity, as value, as text for the formula, and as rows of the tables."""

    key: str
    g_per_kwh: Decimal
    grid_text: str
    grid_rows: tuple[FactorRow, ...]
    pue_table: Decimal
    pue: Decimal
    overhead: Decimal
    overhead_text: str
    pue_rows: tuple[FactorRow, ...]


def place_of(case: Case, activity: Activity) -> Place:
    return _service_place(case, activity) if isinstance(activity, ServiceUse) else _run_place(case, activity)


def _run_place(case: Case, run: Run) -> Place:
    location, in_datacentre = run.location, run.location.site != "local"
    grid = case.factors.grid_row(
        country=location.country,
        subdivision=location.subdivision,
        provider=location.provider,
        region=location.region,
        in_datacentre=in_datacentre,
    )
    table = case.factors.pue_row(provider=location.provider, in_datacentre=in_datacentre)
    declared = _evidenced_pue(run)
    counted = table.pue if declared is None else declared
    overhead, text = _overhead(run, counted)
    return Place(
        key=grid.key,
        g_per_kwh=grid.g_per_kwh,
        grid_text=plain(grid.g_per_kwh),
        grid_rows=(grid.origin,),
        pue_table=table.pue,
        pue=counted,
        overhead=overhead,
        overhead_text=text,
        pue_rows=(table.origin,) if declared is None else (),
    )


def _evidenced_pue(run: Run) -> Decimal | None:
    """A declared PUE counts only with evidence that names site and year (4.3)."""
    evidence = run.pue_evidence
    if evidence is None or not (evidence.site or "").strip() or evidence.year is None:
        return None
    return run.pue


def _overhead(run: Run, counted: Decimal) -> tuple[Decimal, str]:
    """What the energy is multiplied by: the counted PUE, less the PUE that it already holds (4.3)."""
    if not run.pue_included or run.pue is None or run.pue <= 0:
        return counted, plain(counted)
    if counted <= run.pue:
        return ONE, "1"
    return counted / run.pue, f"({plain(counted)}/{plain(run.pue)})"


def service_statement(case: Case, activity: ServiceUse) -> Statement | None:
    """The statement whose service figures count for a use of a service, if there is one (4.6)."""
    statement = case.statements.get(activity.model or "")
    if activity.method != "service_statement" or statement is None or statement.wh_per_minute is None:
        return None
    return statement if statement.wh_per_minute > 0 else None


def _service_place(case: Case, activity: ServiceUse) -> Place:
    statement = service_statement(case, activity)
    unknown_pue = case.factors.pue_row(provider=None, in_datacentre=True)
    declared = statement.pue if statement is not None else None
    pue = declared if declared is not None and declared >= 1 else unknown_pue.pue
    key, g_per_kwh, grid_text, grid_rows = _weighted_grid(case, statement)
    return Place(
        key=key,
        g_per_kwh=g_per_kwh,
        grid_text=grid_text,
        grid_rows=grid_rows,
        pue_table=unknown_pue.pue,
        pue=pue,
        overhead=pue,
        overhead_text=plain(pue),
        pue_rows=() if pue is declared else (unknown_pue.origin,),
    )


def _weighted_grid(case: Case, statement: Statement | None) -> tuple[str, Decimal, str, tuple[FactorRow, ...]]:
    """Key, factor, text and rows of a statement's places; the unknown place if they are not said, or do not sum to 1."""
    places = statement.places if statement is not None else ()
    weights = [place.weight for place in places]
    unknown = case.factors.unknown_place
    if not _sum_to_one(weights, case.parameters.service_default.weight_tolerance):
        return unknown.key, unknown.g_per_kwh, plain(unknown.g_per_kwh), (unknown.origin,)
    rows = [case.factors.place_row(place.key) for place in places]
    key = unknown.key if unknown in rows else " + ".join(row.key for row in rows)
    value = sum((weight * row.g_per_kwh for weight, row in zip(weights, rows, strict=True)), ZERO)
    text = "+".join(f"{plain(weight)}*{plain(row.g_per_kwh)}" for weight, row in zip(weights, rows, strict=True))
    return key, value, f"({text})", tuple(row.origin for row in rows)


def _sum_to_one(weights: Sequence[Decimal], tolerance: Decimal) -> bool:
    return abs(sum(weights, ZERO) - ONE) <= tolerance
