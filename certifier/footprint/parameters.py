"""The numbers of a standard that the calculation uses. They come from its `standard.toml`; none is typed in Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from certifier.errors import StandardError

MOST, DIGITS = Decimal("1e15"), 40


def _exact(value: Any) -> Any:
    """Decimals and integers only: a binary float would not be the number in the file."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("a number is expected")  # noqa: TRY004 - pydantic turns a ValueError into a finding
    number = Decimal(value)
    if not number.is_finite() or not 0 <= number <= MOST or len(number.as_tuple().digits) > DIGITS:
        raise ValueError(f"a finite number from 0 to {MOST} of at most {DIGITS} digits is expected")
    return number


def _above_zero(number: Decimal) -> Decimal:
    """Something is divided by it."""
    if not number > 0:
        raise ValueError("a number above 0 is expected")
    return number


Number = Annotated[Decimal, BeforeValidator(_exact)]
Divisor = Annotated[Decimal, BeforeValidator(_exact), AfterValidator(_above_zero)]


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Group):
    """Grams CO2e per minute of finished music, inclusive (8.1)."""

    measured: Number
    class_2: Number
    class_1: Number


class FunctionalUnit(_Group):
    free_silence_share: Number


class CoverageFactors(_Group):
    """What a reading has to be multiplied by to hold the whole machine (4.2)."""

    wall: Number
    system: Number
    accelerator: Number
    accelerator_shared: Number


class UncertaintyFactors(_Group):
    """Upper bound over best estimate (5.1)."""

    metered: Number
    sensor: Number
    provider: Number
    statement: Number
    modelled: Number
    default: Number
    storage: Number
    embodied_table: Number
    embodied_deposited: Number
    training_default: Number
    forecast: Number


class TrainingStep(_Group):
    """The training default of models with up to so many 1e9 parameters; without a bound, of all others."""

    up_to_b: Number | None = None
    g_per_minute: Number


class TrainingParameters(_Group):
    data_share: Number
    statement_valid_days: Annotated[int, Field(strict=True, ge=1, le=36_500)]
    forecast_months: Number
    forecast_multiple: Number


class ServiceDefault(_Group):
    kwh_per_minute: Number
    equipment_g_per_minute: Number
    weight_tolerance: Number


class StorageParameters(_Group):
    kwh_per_minute_year: Number
    year_days: Divisor
    retention_days: Number


class HardwareLife(_Group):
    life_h: Divisor
    life_evidenced_h: Divisor
    life_least_h: Divisor


class MarketParameters(_Group):
    """What electricity counts with in the market-based line: matched by an instrument, and the rest (7.2)."""

    matched_g_per_kwh: Number
    rest_multiple: Number


class DefaultCaps(_Group):
    """Grams per minute that defaults may carry (8.5)."""

    class_2: Number
    class_1: Number


class Calculated(_Group):
    more_than: Number


class RatingSteps(_Group):
    a: Number
    b: Number


class Parameters(_Group):
    limits: Limits
    functional_unit: FunctionalUnit
    coverage: CoverageFactors
    uncertainty: UncertaintyFactors
    training_default: tuple[TrainingStep, ...]
    training: TrainingParameters
    service_default: ServiceDefault
    storage: StorageParameters
    hardware: HardwareLife
    market: MarketParameters | None = None  # a standard without it has no market-based line
    defaults: DefaultCaps
    calculated: Calculated
    rating: RatingSteps

    def training_default_for(self, parameters_b: Decimal | None) -> Decimal:
        """Grams per generated minute of a model whose training nobody reported (8.3)."""
        for step in self.training_default:
            if step.up_to_b is None or (parameters_b is not None and parameters_b <= step.up_to_b):
                return step.g_per_minute
        raise AssertionError  # parse_parameters saw that the last step has no bound


LineOf = Callable[[Sequence[str | int]], "int | None"]


def parse_parameters(table: Mapping[str, Any], *, file: str, line_of: LineOf = lambda _: None) -> Parameters:
    """The parameters in a table of a `standard.toml`. Raises StandardError that names the field and its line."""

    def line_of_parameter(way: Sequence[str | int]) -> int | None:
        return line_of(("parameters", *way))

    try:
        parameters = Parameters.model_validate(table)
    except ValidationError as error:
        raise misfit(error, Parameters, file=file, line_of=line_of_parameter, within="parameters.") from error
    _check_training_steps(parameters.training_default, file, line_of_parameter(("training_default",)))
    return parameters


def misfit(
    error: ValidationError, model: type[BaseModel], *, file: str, line_of: LineOf, within: str = ""
) -> StandardError:
    """The first thing in a file of a standard that does not fit its model, with file, line, found and expected.

    A key that does not exist comes first: what is missing is often only misspelt.
    """
    first = min(error.errors(include_url=False), key=lambda problem: problem["type"] != "extra_forbidden")
    way, told = first["loc"], first["msg"].removeprefix("Value error, ")
    expected = told
    if first["type"] == "missing":
        told, expected = "this key is missing", f"{way[-1]} = …"
    if first["type"] == "extra_forbidden":
        told, expected = "there is no such key", "a key that the standard knows"
        if len(way) == 1:
            expected = "one of " + ", ".join(model.model_fields)
    found = str(way[-1]) if first["type"] in {"extra_forbidden", "missing"} else repr(first["input"])[:80]
    return StandardError(
        f"{within}{'.'.join(map(str, way))}: {told}",
        file=file,
        line=line_of(way),
        found=f"no {found}" if first["type"] == "missing" else found,
        expected=expected,
    )


def _check_training_steps(steps: tuple[TrainingStep, ...], file: str, line: int | None) -> None:
    """Each step is dearer than the one before, and the last takes everything, what is not said too."""
    bounds = [step.up_to_b for step in steps]
    grams = [step.g_per_minute for step in steps]
    rising = [bound for bound in bounds if bound is not None]
    if bounds[:-1] != sorted(rising) or bounds[-1:] != [None] or grams != sorted(grams):
        raise StandardError(
            "parameters.training_default: steps rise and the last one has no bound",
            file=file,
            line=line,
            found="; ".join(f"up to {step.up_to_b}: {step.g_per_minute} g" for step in steps) or "no step",
            expected="rising bounds, rising grams, and a last step without bound",
        )
