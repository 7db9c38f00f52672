"""Where the electricity comes from: the grid and the PUE that count for an activity (4.3, 4.4, 4.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from certifier.footprint.case import ZERO, Case
from certifier.footprint.factors import FactorRow
from certifier.footprint.terms import (
    COUNTED_PUE,
    GRID,
    INCLUDED_PUE,
    ONE,
    OVERHEAD,
    PART,
    WEIGHT,
    FromReport,
    FromStandard,
    FromStatement,
    Term,
    product_term,
    sum_term,
)
from certifier.report.evidence import Statement
from certifier.report.model import Activity, Run, ServiceUse


@dataclass(frozen=True)
class Place:
    """Grid and PUE of one activity, as terms of its lines and as rows of the tables.

    `pue` is the counted PUE, `overhead` what the energy is multiplied by: the two differ if the energy holds a PUE already.
    """

    key: str
    grid: Term
    grid_rows: tuple[FactorRow, ...]
    pue_table: Decimal
    pue: Decimal
    overhead: Term
    pue_rows: tuple[FactorRow, ...]


def place_of(case: Case, activity: Activity, pointer: str) -> Place:
    """The place of an activity; `pointer` leads to it in the report."""
    if isinstance(activity, ServiceUse):
        return _service_place(case, activity)
    return _run_place(case, activity, pointer)


def _run_place(case: Case, run: Run, pointer: str) -> Place:
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
    if declared is None:
        counted = Term(OVERHEAD, table.pue, table.origin)
    else:
        counted = Term(OVERHEAD, declared, FromReport(f"{pointer}/pue"))
    return Place(
        key=grid.key,
        grid=Term(GRID, grid.g_per_kwh, grid.origin),
        grid_rows=(grid.origin,),
        pue_table=table.pue,
        pue=counted.value,
        overhead=_overhead(run, counted, pointer),
        pue_rows=(table.origin,) if declared is None else (),
    )


def _evidenced_pue(run: Run) -> Decimal | None:
    """A declared PUE counts only with evidence that names site and year (4.3)."""
    evidence = run.pue_evidence
    if evidence is None or not (evidence.site or "").strip() or evidence.year is None:
        return None
    return run.pue


def _overhead(run: Run, counted: Term, pointer: str) -> Term:
    """What the energy is multiplied by: the counted PUE, less the PUE that it already holds (4.3)."""
    if not run.pue_included or run.pue is None or run.pue <= 0:
        return counted
    if counted.value <= run.pue:
        return Term(OVERHEAD, ONE, FromStandard("the energy already holds the PUE", "4.3"))
    included = Term(INCLUDED_PUE, run.pue, FromReport(f"{pointer}/pue"), "over")
    return product_term(OVERHEAD, counted._replace(quantity=COUNTED_PUE), included)


def service_statement(case: Case, activity: ServiceUse) -> Statement | None:
    """The statement whose service figures count for a use of a service, if there is one (4.6)."""
    statement = case.statements.get(activity.model or "")
    if activity.method != "service_statement" or statement is None or statement.wh_per_minute is None:
        return None
    return statement if statement.wh_per_minute > 0 else None


def _service_place(case: Case, activity: ServiceUse) -> Place:
    statement = service_statement(case, activity)
    table = case.factors.pue_row(provider=None, in_datacentre=True)
    declared = statement.pue if statement is not None else None
    if declared is None or declared < 1:
        overhead = Term(OVERHEAD, table.pue, table.origin)
    else:
        overhead = Term(OVERHEAD, declared, FromStatement(statement_id(case, activity), "pue"))
    key, grid, grid_rows = _weighted_grid(case, activity, statement)
    return Place(
        key=key,
        grid=grid,
        grid_rows=grid_rows,
        pue_table=table.pue,
        pue=overhead.value,
        overhead=overhead,
        pue_rows=(table.origin,) if overhead.origin is table.origin else (),
    )


def statement_id(case: Case, activity: Activity) -> str:
    """The id of the statement that the model of an activity names."""
    return case.models[activity.model or ""].training.statement or ""


def _weighted_grid(
    case: Case, activity: ServiceUse, statement: Statement | None
) -> tuple[str, Term, tuple[FactorRow, ...]]:
    """Key, factor and rows of a statement's places; the unknown place if they are not said, or do not sum to 1."""
    places = statement.places if statement is not None else ()
    unknown = case.factors.unknown_place
    if not _sum_to_one([place.weight for place in places], case.parameters.service_default.weight_tolerance):
        return unknown.key, Term(GRID, unknown.g_per_kwh, unknown.origin), (unknown.origin,)
    rows = [case.factors.place_row(place.key) for place in places]
    key = unknown.key if unknown in rows else " + ".join(row.key for row in rows)
    parts = [
        product_term(
            PART,
            Term(WEIGHT, place.weight, FromStatement(statement_id(case, activity), f"places/{number}/weight")),
            Term(GRID, row.g_per_kwh, row.origin),
            how="plus",
        )
        for number, (place, row) in enumerate(zip(places, rows, strict=True))
    ]
    return key, sum_term(GRID, *parts), tuple(row.origin for row in rows)


def _sum_to_one(weights: Sequence[Decimal], tolerance: Decimal) -> bool:
    return abs(sum(weights, ZERO) - ONE) <= tolerance
