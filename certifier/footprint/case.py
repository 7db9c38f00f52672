"""One report with all that its calculation looks at, and how much of each activity this track carries (6.2, 4.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from certifier.footprint.factors import Factors
from certifier.footprint.parameters import Parameters
from certifier.footprint.terms import (
    FORECAST,
    LAST_YEAR,
    LIFETIME,
    MADE,
    ONE,
    SHARE,
    YEARS,
    FromRecord,
    FromReport,
    FromStandard,
    Term,
    product_term,
)
from certifier.report.evidence import Evidence, Level, Statement, level_of, statement_for
from certifier.report.model import Activity, Model, Report

ZERO = Decimal(0)


@dataclass(frozen=True)
class Case:
    """All that a line item may need to look at."""

    report: Report
    evidence: Evidence
    factors: Factors
    parameters: Parameters
    level: Level
    models: Mapping[str, Model]
    statements: Mapping[str, Statement]
    lifetimes: Mapping[str, Term]


def case_of(report: Report, evidence: Evidence, factors: Factors, parameters: Parameters) -> Case:
    models = {model.id: model for model in reversed(report.models)}
    valid_days = parameters.training.statement_valid_days
    statements = {
        key: statement
        for key, model in models.items()
        if (statement := statement_for(model, report, evidence, valid_days=valid_days))
    }
    lifetimes = {
        model.id: _lifetime(model, f"/models/{place}/training", evidence, parameters)
        for place, model in reversed(list(enumerate(report.models)))
    }
    return Case(report, evidence, factors, parameters, level_of(report, evidence), models, statements, lifetimes)


def _lifetime(model: Model, pointer: str, evidence: Evidence, parameters: Parameters) -> Term:
    """Minutes that a model's training is spread over (6.2): those made, or a forecast after a year of evidenced use."""
    made = Term(
        LIFETIME, model.training.generated_minutes_to_date or ZERO, FromReport(f"{pointer}/generated_minutes_to_date")
    )
    forecast, use = model.training.lifetime_minutes_forecast, evidence.model_use.get(model.id)
    if forecast is None or use is None or not use.months >= parameters.training.forecast_months:
        return made
    declared = Term(LIFETIME, forecast, FromReport(f"{pointer}/lifetime_minutes_forecast"))
    most = product_term(
        LIFETIME,
        Term(
            YEARS, parameters.training.forecast_multiple, FromStandard("parameters.training.forecast_multiple", "6.2")
        ),
        Term(LAST_YEAR, use.minutes_last_12m, FromRecord(f"/evidence/model_use/{_step(model.id)}/minutes_last_12m")),
    )
    allowed = declared if declared.value <= most.value else most
    return made if made.value >= allowed.value else allowed


def _step(name: str) -> str:
    """A name as one step of a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def share_of(case: Case, activity: Activity, pointer: str) -> Term:
    """The part of an activity that this track carries: computed for training and data, declared for the rest (4.9).

    `pointer` leads to the activity in the report.
    """
    if activity.stage not in {"training", "data"}:
        return Term(SHARE, activity.allocation_share, FromReport(f"{pointer}/allocation_share"))
    model = case.models.get(activity.model or "")
    lifetime = case.lifetimes[model.id] if model is not None else None
    if model is None or lifetime is None or lifetime.value <= 0:
        return Term(SHARE, ONE, FromStandard("the whole, where no lifetime of the model is known", "4.9"))
    if model.generated_minutes >= lifetime.value:
        return Term(SHARE, ONE, FromStandard("never more than the whole", "4.9"))
    return product_term(SHARE, made_here(case, model), lifetime._replace(how="over"))


def made_here(case: Case, model: Model) -> Term:
    """The minutes that a model generated for this track."""
    return Term(MADE, model.generated_minutes, FromReport(f"{model_pointer(case, model)}/generated_minutes"))


def model_pointer(case: Case, model: Model) -> str:
    """Where a model stands in the report."""
    return f"/models/{next(place for place, other in enumerate(case.report.models) if other is model)}"


def forecast_terms(case: Case, activity: Activity) -> tuple[Term, ...]:
    """The further uncertainty of training and data whose lifetime rests on a forecast (5.1)."""
    if activity.stage not in {"training", "data"}:
        return ()
    model = case.models.get(activity.model or "")
    if model is None or case.lifetimes[model.id].value <= (model.training.generated_minutes_to_date or ZERO):
        return ()
    factor = case.parameters.uncertainty.forecast
    return (Term(FORECAST, factor, FromStandard("parameters.uncertainty.forecast", "5.1")),)
