"""One report with all that its calculation looks at, and how much of each activity this track carries (6.2, 4.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from certifier.footprint.factors import Factors
from certifier.footprint.parameters import Parameters
from certifier.report.evidence import Evidence, Level, Statement, level_of, statement_for
from certifier.report.model import Activity, Model, Report
from certifier.units import plain

ZERO = Decimal(0)
ONE = Decimal(1)


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
    lifetimes: Mapping[str, Decimal]


def case_of(report: Report, evidence: Evidence, factors: Factors, parameters: Parameters) -> Case:
    models = {model.id: model for model in reversed(report.models)}
    valid_days = parameters.training.statement_valid_days
    statements = {
        key: statement
        for key, model in models.items()
        if (statement := statement_for(model, report, evidence, valid_days=valid_days))
    }
    lifetimes = {key: _lifetime(model, evidence, parameters) for key, model in models.items()}
    return Case(report, evidence, factors, parameters, level_of(report, evidence), models, statements, lifetimes)


def _lifetime(model: Model, evidence: Evidence, parameters: Parameters) -> Decimal:
    """Minutes that a model's training is spread over (6.2): those made, or a forecast after a year of evidenced use."""
    made = model.training.generated_minutes_to_date or ZERO
    forecast, use = model.training.lifetime_minutes_forecast, evidence.model_use.get(model.id)
    if forecast is None or use is None or not use.months >= parameters.training.forecast_months:
        return made
    return max(made, min(forecast, parameters.training.forecast_multiple * use.minutes_last_12m))


def share_of(case: Case, activity: Activity) -> Decimal:
    """The part of an activity that this track carries: computed for training and data, declared for the rest (4.9)."""
    if activity.stage not in {"training", "data"}:
        return activity.allocation_share
    model = case.models.get(activity.model or "")
    if model is None or case.lifetimes[model.id] <= 0:
        return ONE
    return min(ONE, model.generated_minutes / case.lifetimes[model.id])


def share_text(case: Case, activity: Activity, share: Decimal) -> str:
    if share == 1:
        return ""
    if activity.stage in {"training", "data"}:
        model = case.models[activity.model or ""]
        return f"*{plain(model.generated_minutes)}/{plain(case.lifetimes[model.id])}"
    return f"*{plain(share)}"


def forecast_factor(case: Case, activity: Activity) -> Decimal:
    """The further uncertainty of training and data whose lifetime rests on a forecast (5.1)."""
    model = case.models.get(activity.model or "")
    if activity.stage not in {"training", "data"} or model is None:
        return ONE
    made = model.training.generated_minutes_to_date or ZERO
    return case.parameters.uncertainty.forecast if case.lifetimes[model.id] > made else ONE
