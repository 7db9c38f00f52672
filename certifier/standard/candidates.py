"""What could be different about an application: fewer takes, another place, a statement, one more signature.

Each candidate is a row of ever larger changes, from step 1 to its last. `levers` finds out which step is enough, by
deciding again; nothing here says what a change would give. A candidate changes one thing and leaves all else equal, and
its words say what has to be assumed for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, NamedTuple

from certifier.footprint.factors import UNKNOWN, UNKNOWN_ACCELERATOR
from certifier.report.evidence import (
    Capability,
    Deposit,
    Place,
    Reproduced,
    Signature,
    Statement,
    is_digest,
    statement_for,
)
from certifier.report.model import Embodied, Location, Meter, Run, ServiceUse
from certifier.standard.changes import Application
from certifier.units import exact_arithmetic, microseconds_of, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from certifier.footprint.factors import Factors, GridRow, HardwareRow
    from certifier.footprint.model import ActivityFigures, Footprint
    from certifier.report.evidence import Evidence
    from certifier.report.model import Activity, Hardware, Model, Process, Report
    from certifier.standard.model import Standard

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FINEST = {
    "energy_kwh": Decimal("1e-12"),
    "duration_s": Decimal("1e-6"),
    "minutes": Decimal("1e-9"),
}
_HUNDREDTH = Decimal("0.01")
_MOST_WH_PER_MINUTE = 20_000  # more than that is a slip of units (PLS-04)
_MOST_STEPS = 1_000_000
_EXAMPLE_LINK = "https://example.org/policy"
_EXAMPLE_DIGEST = "0" * 64
_MOST_GROUPS = 3
_ESTIMATED = frozenset({"modelled", "provider", "default"})
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

# What the facts about process duties are called in the report, and in words.
_DUTIES = {
    "process.model_efficiency": ("model_efficiency", "a measure for model efficiency"),
    "process.dataset_governance_given": ("dataset_governance", "the dataset policy"),
    "process.auditable_pipeline_given": ("auditable_pipeline", "the pipeline that can be audited"),
    "process.equipment_off_given": ("equipment_off", "when machines are off"),
    "process.end_of_life_given": ("end_of_life", "the route at the end of life"),
}


@dataclass(frozen=True)
class Candidate:
    """One thing that could be different, in `steps` ever larger changes.

    `change(application, step)` gives the changed application. `words(step, enough)` says what the step is; `enough` is
    whether it does what is wanted, or is only the most that can be done. `start` is the step nearest to how it is now.
    """

    kind: str
    title: str
    change: Callable[[Application, int], Application]
    words: Callable[[int, bool], str]
    steps: int = 1
    start: int = 1


@dataclass(frozen=True)
class Ground:
    """All that candidates are made from: the application, its figure, and the rules that stand in the way."""

    standard: Standard
    application: Application
    footprint: Footprint
    in_the_way: frozenset[str]
    limit: Decimal

    @property
    def report(self) -> Report:
        return self.application.report

    @property
    def factors(self) -> Factors:
        return self.standard.factors

    def asked(self) -> frozenset[str]:
        """The facts that the rules in the way ask for."""
        rules = (self.standard.rule(rule_id) for rule_id in self.in_the_way)
        return frozenset().union(*(clause.require.names for rule in rules for clause in rule.clauses))

    def runs(self) -> Iterator[tuple[Run, ActivityFigures]]:
        """The runs that made this track: training happened before it, post-production is not in the figure."""
        for activity, figures in zip(self.report.activities, self.footprint.activities, strict=True):
            if isinstance(activity, Run) and activity.stage in {"inference", "fine_tuning"}:
                yield activity, figures


def candidates_of(ground: Ground) -> tuple[Candidate, ...]:
    """Everything that could be different about this application, evidence first."""
    made = (
        _process_duties(ground),
        _raw_logs(ground),
        _measuring_party(ground),
        _party_scope(ground),
        _verifier(ground),
        *_named_places(ground),
        _registered_statement(ground),
        *_service_statements(ground),
        _disclosed_training(ground),
        *_cleaner_places(ground),
        _fewer_takes(ground),
        _less_idle_time(ground),
        _metering(ground),
        _named_hardware(ground),
        _deposited_footprint(ground),
        _shorter_retention(ground),
    )
    return tuple(candidate for candidate in made if candidate is not None)


# --- words ---


def _count(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else f"{number:,}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(names: Iterable[str], most: int = 3) -> str:
    """Names as in a sentence, not too many of them."""
    every = list(dict.fromkeys(names))
    if len(every) > most:
        return f"{', '.join(every[:most])} and {len(every) - most} more"
    return " and ".join(filter(None, (", ".join(every[:-1]), every[-1]))) if every else ""


# --- changing reports and evidence ---


def _with_activities(application: Application, change: Callable[[Activity], Activity | None]) -> Application:
    """The application with other activities; an activity that became None is left out."""
    activities = tuple(new for old in application.report.activities if (new := change(old)) is not None)
    return Application(application.report.model_copy(update={"activities": activities}), application.evidence)


def _with_models(application: Application, models: Mapping[str, Model]) -> Application:
    changed = tuple(models.get(model.id, model) for model in application.report.models)
    return Application(application.report.model_copy(update={"models": changed}), application.evidence)


def _with_evidence(application: Application, **changes: object) -> Application:
    return Application(application.report, application.evidence.model_copy(update=changes))


def _with_energy(application: Application, factors: Mapping[str, Mapping[str, Decimal]]) -> Application:
    """Other energies, durations and minutes of some activities, by factor; what was read from logs goes along."""

    def scaled(activity: Activity) -> Activity:
        scales = factors.get(activity.id)
        return activity if scales is None else _scaled_activity(activity, scales)

    deposits = {
        digest: deposit.model_copy(
            update={
                "activities": {
                    key: _scaled_reading(reading, factors[key]) if key in factors else reading
                    for key, reading in deposit.activities.items()
                }
            }
        )
        for digest, deposit in application.evidence.deposited_logs.items()
    }
    return _with_evidence(_with_activities(application, scaled), deposited_logs=deposits)


def _scaled_activity(activity: Activity, scales: Mapping[str, Decimal]) -> Activity:
    changes: dict[str, object] = dict(_scaled_quantities(activity, scales))
    started, ended = microseconds_of(activity.started_at), microseconds_of(activity.ended_at)
    if "duration_s" in scales and started is not None and ended is not None:
        # It begins later: when it ended decides whether the report is fresh and came afterwards.
        begun = ended - int((Decimal(ended - started) * scales["duration_s"]).to_integral_value(ROUND_CEILING))
        changes["started_at"] = (_EPOCH + timedelta(microseconds=begun)).isoformat().replace("+00:00", "Z")
    return activity.model_copy(update=changes)


def _scaled_reading(reading: Reproduced, scales: Mapping[str, Decimal]) -> Reproduced:
    return reading.model_copy(update=dict(_scaled_quantities(reading, scales)))


def _scaled_quantities(part: Activity | Reproduced, scales: Mapping[str, Decimal]) -> Iterator[tuple[str, Decimal]]:
    for name, scale in scales.items():
        value: Decimal | None = getattr(part, name)
        if value is not None and value.is_finite():
            with exact_arithmetic():
                # Minutes go down, so that they stay within those of their model; energy and time never do.
                rounding = ROUND_FLOOR if name == "minutes" else ROUND_CEILING
                yield name, (value * scale).quantize(_FINEST[name], rounding=rounding).normalize()


def _with_capability(evidence: Evidence, coverages: Iterable[str], methods: Iterable[str]) -> tuple[Signature, ...]:
    """The signatures, with whoever answers for the measurement registered for more."""
    return tuple(
        signature.model_copy(update={"capability": _wider(signature.capability or Capability(), coverages, methods)})
        if signature.role == "measuring_party" or signature.own_measurement
        else signature
        for signature in evidence.signatures
    )


def _wider(capability: Capability, coverages: Iterable[str], methods: Iterable[str]) -> Capability:
    return Capability(
        coverage=tuple(dict.fromkeys([*capability.coverage, *coverages])),
        method=tuple(dict.fromkeys([*capability.method, *methods])),
    )


# --- evidence and process ---


def _process_duties(ground: Ground) -> Candidate | None:
    """All process duties that the next outcome asks for and that nobody wrote down."""
    missing = {fact: _DUTIES[fact] for fact in _DUTIES if fact in ground.asked()}
    if not missing:
        return None
    rules = sorted(
        rule_id
        for rule_id in ground.in_the_way
        if any(clause.require.names & set(missing) for clause in ground.standard.rule(rule_id).clauses)
    )

    def change(application: Application, _step: int) -> Application:
        said: dict[str, object] = {field: _EXAMPLE_LINK for field, _ in missing.values()}
        if "model_efficiency" in said:
            said["model_efficiency"] = ("an example of a measure",)
        process: Process = application.report.process.model_copy(update=said)
        return Application(application.report.model_copy(update={"process": process}), application.evidence)

    named = _listed((words for _, words in missing.values()), most=len(missing))
    sentence = f"Do, and write down: {named} ({', '.join(rules)}). The figure stays as it is."
    return Candidate("process_duties", "Process duties written down", change, lambda _step, _enough: sentence)


def _raw_logs(ground: Ground) -> Candidate | None:
    """The raw logs named and deposited, where nothing else is missing for a higher level."""
    application = ground.application
    if "evidence.level" not in ground.asked() or _deposited(application) == application:
        return None
    sentence = "Deposit the raw logs of these runs with the report, whose signatures stay as they are."
    return Candidate(
        "raw_logs", "Raw logs deposited", lambda old, _step: _deposited(old), lambda _step, _enough: sentence
    )


def _deposited(application: Application) -> Application:
    """With every raw log named by a digest and handed in; one at least."""
    report, evidence = application.report, application.evidence
    digests = tuple(digest for digest in report.raw_log_sha256 if is_digest(digest)) or (_EXAMPLE_DIGEST,)
    generating = [activity for activity in report.activities if activity.stage == "inference"]
    on_service_path = bool(generating) and all(isinstance(activity, ServiceUse) for activity in generating)
    deposit = Deposit(kind="export" if on_service_path else "log")
    missing = {digest: deposit for digest in digests if digest not in evidence.deposited_logs}
    return Application(
        report if digests == report.raw_log_sha256 else report.model_copy(update={"raw_log_sha256": digests}),
        evidence.model_copy(update={"deposited_logs": {**evidence.deposited_logs, **missing}}) if missing else evidence,
    )


def _measuring_party(ground: Ground) -> Candidate | None:
    """The signature of a registered measuring party, with its logs."""
    if "evidence.level" not in ground.asked():
        return None
    runs = [activity for activity in ground.report.activities if isinstance(activity, Run)]
    capability = Capability(
        coverage=tuple(sorted({run.coverage for run in runs})), method=tuple(sorted({run.method for run in runs}))
    )
    signature = Signature(
        role="measuring_party",
        id="example-measuring-party",
        valid=True,
        registered=True,
        key_active_at_signing=True,
        key_active_now=True,
        capability=capability,
    )
    sentence = (
        "Have a registered measuring party sign the same report, and deposit its raw logs. The figure stays as it is."
    )
    return Candidate(
        "measuring_party",
        "A measuring party signs",
        lambda old, _step: _signed(_deposited(old), signature),
        lambda _step, _enough: sentence,
    )


def _signed(application: Application, signature: Signature) -> Application:
    return _with_evidence(application, signatures=(*application.evidence.signatures, signature))


def _party_scope(ground: Ground) -> Candidate | None:
    """The measuring party registered for what was read."""
    if not {"party.coverages", "party.methods"} & ground.asked():
        return None
    runs = [activity for activity in ground.report.activities if isinstance(activity, Run)]
    coverages, methods = sorted({run.coverage for run in runs}), sorted({run.method for run in runs})

    def change(application: Application, _step: int) -> Application:
        signatures = _with_capability(application.evidence, coverages, methods)
        return _with_evidence(application, signatures=signatures)

    sentence = (
        f"Have the measuring party registered for what was read here (coverage {_listed(coverages)}; "
        f"method {_listed(methods)}), or let one sign that is. The figure stays as it is."
    )
    return Candidate("party_scope", "A party registered for this", change, lambda _step, _enough: sentence)


def _verifier(ground: Ground) -> Candidate | None:
    """The signature of a registered, independent verifier."""
    if "evidence.level" not in ground.asked():
        return None
    signature = Signature(
        role="verifier",
        id="example-verifier",
        valid=True,
        registered=True,
        key_active_at_signing=True,
        key_active_now=True,
        in_scope=True,
        conflict=False,
    )
    sentence = "Have a registered, independent verifier check and sign the same report. The figure stays as it is."
    return Candidate(
        "verifier", "A verifier signs", lambda old, _step: _signed(old, signature), lambda _step, _enough: sentence
    )


# --- places ---


class _Where(NamedTuple):
    """A place that a run could stand at, what counts there, and what it is called."""

    location: Location
    g_per_kwh: Decimal
    counted: Decimal  # with the overhead of its data centre
    name: str


def _where(factors: Factors, location: Location, row_name: str) -> _Where:
    in_datacentre = location.site != "local"
    row = factors.grid_row(
        country=location.country,
        subdivision=location.subdivision,
        provider=location.provider,
        region=location.region,
        in_datacentre=in_datacentre,
    )
    pue = factors.pue_row(provider=location.provider, in_datacentre=in_datacentre).pue
    return _Where(location, row.g_per_kwh, row.g_per_kwh * pue, row_name)


def _region(factors: Factors, row: GridRow) -> _Where:
    location = Location(
        country=row.country,
        subdivision=row.subdivision or None,
        provider=row.provider,
        region=row.region,
        site="datacentre",
    )
    return _where(factors, location, f"{row.provider} {row.region} ({row.country})")


def _regions(factors: Factors, *, provider: str | None = None, country: str | None = None) -> Iterator[_Where]:
    """The regions of a provider, or of any; in a country, or in any."""
    for row in factors.grid.values():
        if row.kind == "cloud_region" and provider in {None, row.provider} and country in {None, row.country}:
            yield _region(factors, row)


def _lands(factors: Factors, like: Location, *, country: str | None = None) -> Iterator[_Where]:
    """Countries, and the parts of those that are in the table by parts, for a machine that is not a provider's."""
    rows = [row for row in factors.grid.values() if row.kind in {"country", "subdivision"}]
    in_parts = {row.country for row in rows if row.kind == "subdivision"}
    for row in rows:
        if country in {None, row.country} and (row.kind == "subdivision" or row.country not in in_parts):
            subdivision = row.key if row.kind == "subdivision" else None
            location = like.model_copy(update={"country": row.country, "subdivision": subdivision, "region": None})
            yield _where(factors, location, row.key)


def _cleanest_last(places: Iterable[_Where]) -> list[_Where]:
    named = {place.name: place for place in places}
    return sorted(named.values(), key=lambda place: (-place.counted, place.name))


def _moved(application: Application, ids: Iterable[str], where: _Where) -> Application:
    moving = frozenset(ids)

    def change(activity: Activity) -> Activity:
        return activity.model_copy(update={"location": where.location}) if activity.id in moving else activity

    return _with_activities(application, change)


def _counted_grids(runs: Iterable[tuple[Run, ActivityFigures]]) -> dict[str, Decimal]:
    return {run.id: figures.grid_g * figures.pue_table for run, figures in runs}


def _cleaner_places(ground: Ground) -> Iterator[Candidate]:
    """The same runs in another region of their provider; in another country where they are no provider's."""
    providers = {row.provider for row in ground.factors.grid.values() if row.kind == "cloud_region"}
    groups: dict[str, list[tuple[Run, ActivityFigures]]] = {}
    for run, figures in ground.runs():
        if figures.grid_key != UNKNOWN:
            named, site = run.location.provider or "", run.location.site
            groups.setdefault(named if named in providers else f"{site}\n{named}", []).append((run, figures))
    heaviest = sorted(groups.items(), key=lambda group: -sum(figures.kwh * figures.grid_g for _, figures in group[1]))
    for name, runs in heaviest[:_MOST_GROUPS]:
        provider = name if name in providers else None
        places = (
            _regions(ground.factors, provider=provider) if provider else _lands(ground.factors, runs[0][0].location)
        )
        if candidate := _cleaner_place(runs, list(places), provider):
            yield candidate


def _cleaner_place(
    runs: Sequence[tuple[Run, ActivityFigures]], places: Sequence[_Where], provider: str | None
) -> Candidate | None:
    grids = _counted_grids(runs)
    better = _cleanest_last(place for place in places if place.counted < max(grids.values()))
    if not better:
        return None
    now = max(figures.grid_g for _, figures in runs)
    what = f"region of {provider}" if provider else "country or state"

    def words(step: int, enough: bool) -> str:
        place, best = better[step - 1], better[-1]
        if not enough:
            return (
                f"The same runs in the cleanest {what} of the table, {best.name} with {plain(best.g_per_kwh)} g/kWh "
                f"(now {plain(now)})."
            )
        which = better[step - 1 : step + 2]
        examples = ", ".join(f"{one.name} with {plain(one.g_per_kwh)}" for one in which)
        return (
            f"The same runs in any {what} up to {plain(place.g_per_kwh)} g/kWh (now {plain(now)}): "
            f"{len(better) - step + 1} in the table, such as {examples}."
        )

    def change(application: Application, step: int) -> Application:
        where = better[step - 1]  # a run that counts for less already stays where it is
        return _moved(application, (key for key, counted in grids.items() if counted > where.counted), where)

    return Candidate(
        "cleaner_place",
        f"A cleaner region of {provider}" if provider else "A cleaner place",
        change,
        words,
        steps=len(better),
    )


def _named_places(ground: Ground) -> Iterator[Candidate]:
    """Runs whose place is not said, or half: what they count for if it is. Past training can be named, too."""
    groups: dict[tuple[str, str | None, str | None], list[tuple[Run, ActivityFigures]]] = {}
    for run, figures in zip(ground.report.activities, ground.footprint.activities, strict=True):
        if not isinstance(run, Run) or run.stage == "post_production":
            continue
        where = run.location
        if figures.grid_key == UNKNOWN or (where.subdivision is None and where.region is None):
            groups.setdefault((where.country, where.provider, where.site), []).append((run, figures))
    for runs in list(groups.values())[:_MOST_GROUPS]:
        if candidate := _named_place(ground, runs):
            yield candidate


def _named_place(ground: Ground, runs: Sequence[tuple[Run, ActivityFigures]]) -> Candidate | None:
    first, figures = runs[0]
    ids = tuple(run.id for run, _ in runs)
    unknown = figures.grid_key == UNKNOWN
    country = None if unknown else first.location.country
    places = list(_lands(ground.factors, first.location, country=country))
    if first.location.site != "local":
        places += _regions(ground.factors, provider=first.location.provider, country=country)
    better = _cleanest_last(places)
    if not better or (not unknown and len(better) < 2):
        return None
    whose = f"the place of {_listed(ids)}"
    now = f"{plain(figures.grid_g)} g/kWh, the highest it could be"

    def words(step: int, enough: bool) -> str:
        place, best = better[step - 1], better[-1]
        if not enough:
            return (
                f"Name {whose}: it counts as {now}. The cleanest it could be is {best.name} with "
                f"{plain(best.g_per_kwh)} g/kWh."
            )
        best_words = f"the cleanest is {best.name} with {plain(best.g_per_kwh)}"
        here = f"{place.name} with {plain(place.g_per_kwh)} g/kWh"
        if step == 1:
            return f"Name {whose}: it counts as {now}. Any named place does, even the dirtiest, {here}; {best_words}."
        overhead = "" if first.location.site == "local" else ", the overhead of its data centre included"
        return (
            f"Name {whose}: it counts as {now}. It is enough if it counts no more than {here}{overhead}; {best_words}."
        )

    return Candidate(
        "named_place",
        "The place named",
        lambda old, step: _moved(old, ids, better[step - 1]),
        words,
        steps=len(better),
    )


# --- statements ---


def _registered_statement(ground: Ground) -> Candidate | None:
    """A statement that the register has already and that the report does not use."""
    days = ground.standard.parameters.training.statement_valid_days
    evidence = ground.application.evidence
    found: dict[str, Model] = {}
    for model in ground.report.models:
        if model.training.source != "default" or model.id in found:
            continue
        for key in sorted(evidence.statements):
            training = model.training.model_copy(update={"source": "statement", "statement": key})
            named = model.model_copy(update={"training": training})
            if statement_for(named, ground.report, evidence, valid_days=days):
                found[model.id] = named
                break
    if not found:
        return None
    grams = _listed(
        f"{plain(evidence.statements[model.training.statement or ''].training_g_per_minute)} g per minute for {name}"
        for name, model in found.items()
    )
    sentence = f"The register has a statement of the training: {grams}. Name it in the report."
    return Candidate(
        "registered_statement",
        "The registered statement named",
        lambda old, _step: _with_models(old, found),
        lambda _step, _enough: sentence,
    )


def _disclosed_training(ground: Ground) -> Candidate | None:
    """Statements of the training in place of defaults: how many grams per minute they may say."""
    models = [model for model in ground.report.models if model.training.source == "default"]
    minutes = sum((model.generated_minutes for model in models), Decimal(0))
    if minutes <= 0:
        return None
    # No larger statement could stay within the limit, whatever the rest.
    most = min(_MOST_STEPS, int(ground.limit * ground.footprint.counted_minutes / minutes / _HUNDREDTH) + 1)
    defaults = {model.id: ground.standard.parameters.training_default_for(model.parameters_b) for model in models}

    def grams(step: int) -> Decimal:
        return (most - step) * _HUNDREDTH

    def change(application: Application, step: int) -> Application:
        for model in models:
            application = _stated(application, model, source="statement", training_g_per_minute=grams(step))
        return application

    def words(step: int, enough: bool) -> str:
        now = f"(now the default of {_listed(f'{plain(grams)} g' for grams in defaults.values())})"
        if not enough:
            return f"Even a registered statement of 0 g per generated minute for the training of {_listed(defaults)} {now}."
        return (
            f"A registered statement of at most {plain(grams(step))} g per generated minute, data included, for the "
            f"training of {_listed(defaults)} {now}."
        )

    start = max(1, min(most, most - int(max(defaults.values()) / _HUNDREDTH)))
    return Candidate("disclosed_training", "Training by statement", change, words, steps=most, start=start)


def _stated(application: Application, model: Model, *, source: str | None = None, **figures: object) -> Application:
    """With a registered statement for a model, which holds these figures beside those that it holds already."""
    evidence = application.evidence
    current = next(other for other in application.report.models if other.id == model.id)
    key = f"example-statement-{model.id}"
    statement = evidence.statements.get(key) or Statement(
        model=model.name,
        version=model.version,
        registered=True,
        verifier_signed=True,
        location_based=True,
        issued_on=evidence.now,
        training_g_per_minute=Decimal(0),
        includes_data=True,
    )
    training = current.training.model_copy(update={"statement": key} | ({"source": source} if source else {}))
    application = _with_models(application, {model.id: current.model_copy(update={"training": training})})
    statements = {**evidence.statements, key: statement.model_copy(update=figures)}
    return _with_evidence(application, statements=statements)


def _service_statements(ground: Ground) -> Iterator[Candidate]:
    """Statements of the whole service in place of its default, at the dirtiest place and at a clean one."""
    by_default = {a.model or "" for a in ground.report.activities if a.method == "service_default"}
    models = [model for model in ground.report.models if model.id in by_default]
    if not models:
        return
    places = sorted(
        (row for row in ground.factors.grid.values() if row.kind in {"country", "subdivision", "cloud_region"}),
        key=lambda row: row.g_per_kwh,
    )
    clean = Decimal(ground.standard.limits.get("limit.clean_grid_mg", 0)) / 1000
    clean_regions = [row for row in places if row.kind == "cloud_region" and row.g_per_kwh <= clean] or places
    chosen = clean_regions[-1]
    yield _service_statement(
        ground,
        models,
        chosen,
        "Service statement from a clean region",
        f"if it runs at {plain(chosen.g_per_kwh)} g/kWh or less, as in {chosen.key}",
    )
    yield _service_statement(ground, models, places[-1], "Service statement, wherever it runs", "wherever it runs")


def _service_statement(ground: Ground, models: Sequence[Model], place: GridRow, title: str, where: str) -> Candidate:
    default = ground.standard.parameters.service_default.kwh_per_minute * 1000
    steps = int(_MOST_WH_PER_MINUTE / _HUNDREDTH)

    def watt_hours(step: int) -> Decimal:
        return (steps - step + 1) * _HUNDREDTH

    def change(application: Application, step: int) -> Application:
        for model in models:
            application = _stated(
                application,
                model,
                wh_per_minute=watt_hours(step),
                places=(Place(key=place.key, weight=Decimal(1)),),
            )

        def by_statement(activity: Activity) -> Activity:
            ours = activity.method == "service_default" and activity.model in {model.id for model in models}
            return activity.model_copy(update={"method": "service_statement"}) if ours else activity

        return _with_activities(application, by_statement)

    def words(step: int, enough: bool) -> str:
        whose = _listed(model.id for model in models)
        now = f"now the default of {plain(default)} Wh at {plain(ground.factors.unknown_place.g_per_kwh)} g/kWh"
        if not enough:
            return f"Even a registered statement of the service for {whose} of {plain(watt_hours(step))} Wh per minute ({now})."
        return (
            f"A registered statement of the service for {whose} of at most {plain(watt_hours(step))} Wh per minute, "
            f"{where} ({now}); PUE and equipment as by default."
        )

    start = max(1, min(steps, steps - int(default / _HUNDREDTH) + 1))
    return Candidate("service_statement", title, change, words, steps=steps, start=start)


# --- takes, time and readings ---


def _fewer_takes(ground: Ground) -> Candidate | None:
    """Some of the takes fewer, with everything that a take needs in proportion; the finished minutes have to be made."""
    report, takes = ground.report, ground.report.generation.takes
    generated, counted = report.generation.generated_minutes, ground.footprint.counted_minutes
    if takes < 2 or not any(_is_take(activity) for activity in report.activities):
        return None
    fewest = max(1, int((counted * takes / generated).to_integral_value(ROUND_CEILING)))
    if fewest >= takes:
        return None

    def words(step: int, enough: bool) -> str:
        left = takes - step
        kept = f"{_count(left)} take{'' if left == 1 else 's'}"
        if not enough:
            why = "" if fewest == 1 else ", as few as give the finished minutes"
            return f"Even {kept} instead of {_count(takes)}{why}. This is for a next track: these takes are made."
        return (
            f"{_capital(_count(step))} of {_count(takes)} takes fewer: {kept}, with energy, time and minutes in "
            "proportion. This is for a next track: these takes are made."
        )

    return Candidate(
        "fewer_takes", "Fewer takes", lambda old, step: _fewer(old, takes, takes - step), words, steps=takes - fewest
    )


def _is_take(activity: Activity) -> bool:
    return activity.stage == "inference" and activity.idle is not True


def _fewer(application: Application, takes: int, left: int) -> Application:
    with exact_arithmetic():
        share = Decimal(left) / takes
        scales = dict.fromkeys(_FINEST, share)
        application = _with_energy(
            application, {activity.id: scales for activity in application.report.activities if _is_take(activity)}
        )
        report = application.report
        generation = report.generation.model_copy(
            update={"takes": left, "generated_minutes": _minutes(report.generation.generated_minutes * share)}
        )
        models = tuple(
            model.model_copy(update={"generated_minutes": _minutes(model.generated_minutes * share)})
            for model in report.models
        )
    return Application(report.model_copy(update={"generation": generation, "models": models}), application.evidence)


def _minutes(value: Decimal) -> Decimal:
    return value.quantize(_FINEST["minutes"], rounding=ROUND_CEILING).normalize()


def _less_idle_time(ground: Ground) -> Candidate | None:
    """Half of the idle time, or none."""
    idle = {a.id: a.duration_s or Decimal(0) for a in ground.report.activities if a.idle and a.stage == "inference"}
    if not idle:
        return None

    def change(application: Application, step: int) -> Application:
        if step == 1:
            return _with_energy(application, dict.fromkeys(idle, dict.fromkeys(_FINEST, Decimal("0.5"))))
        logs = {
            digest: deposit.model_copy(
                update={"activities": {key: read for key, read in deposit.activities.items() if key not in idle}}
            )
            for digest, deposit in application.evidence.deposited_logs.items()
        }
        left = _with_activities(application, lambda activity: None if activity.id in idle else activity)
        return _with_evidence(left, deposited_logs=logs)

    minutes = plain((sum(idle.values(), Decimal(0)) / 60).quantize(_HUNDREDTH))

    def words(step: int, _enough: bool) -> str:
        what = "Half of" if step == 1 else "None of"
        return (
            f"{what} the {minutes} minutes in which the machine stood idle ({_listed(idle)}). This is for a next track."
        )

    return Candidate("less_idle_time", "Less idle time", change, words, steps=2)


def _metering(ground: Ground) -> Candidate | None:
    """Readings in place of models, then a wall meter in place of readings, for the same energy."""
    runs = [run for run, _ in ground.runs() if (run.method, run.coverage) != ("metered", "wall")]
    if not runs:
        return None
    coverage = {run.id: figures.coverage for run, figures in ground.runs()}
    modelled = frozenset(run.id for run in runs if run.method in _ESTIMATED)
    ids = frozenset(run.id for run in runs)
    steps = 2 if modelled else 1

    def change(application: Application, step: int) -> Application:
        at_the_wall = step == steps
        signatures = _with_capability(
            application.evidence, ["wall"] if at_the_wall else [], ["metered" if at_the_wall else "sensor"]
        )
        application = _with_evidence(application, signatures=signatures)
        if at_the_wall:
            # The meter reads what is counted now: what a sensor does not see is in its coverage factor.
            application = _with_energy(application, {key: {"energy_kwh": coverage[key]} for key in ids})
        return _with_activities(application, lambda activity: _read_by(activity, ids if at_the_wall else modelled))

    def _read_by(activity: Activity, which: frozenset[str]) -> Activity:
        if activity.id not in which:
            return activity
        if which is not ids:
            return activity.model_copy(update={"method": "sensor"})
        meter = Meter(id="example-meter", accuracy_class="1", calibrated_on="example")
        return activity.model_copy(update={"method": "metered", "coverage": "wall", "meter": meter})

    factors = ground.standard.parameters.uncertainty

    def words(step: int, _enough: bool) -> str:
        how = (
            f"by a wall meter of a party registered for it (factor {plain(factors.metered)})"
            if step == steps
            else f"by sensors with logs (factor {plain(factors.sensor)})"
        )
        which = _listed(run.id for run in runs)
        return f"{which} read {how}, assuming the energy that is counted now: only the uncertainty is smaller."

    return Candidate("metering", "Metered energy", change, words, steps=steps)


# --- hardware and storage ---


def _named_hardware(ground: Ground) -> Candidate | None:
    """Devices that no table knows: what a named one would carry."""
    unknown = ground.factors.hardware_row(UNKNOWN_ACCELERATOR)
    runs = [
        (run, figures)
        for run, figures in ground.runs()
        if any(ground.factors.hardware_row(line.name) is unknown for line in run.hardware)
    ]
    rows = {row.name: row for row in ground.factors.hardware.values() if row.kind == "accelerator"}
    lighter = sorted(
        (row for row in rows.values() if _kg(row) < _kg(unknown) and all(_may_be(ground, row, *run) for run in runs)),
        key=lambda row: (-_kg(row), row.name),
    )
    if not runs or not lighter:
        return None
    ids = frozenset(run.id for run, _ in runs)

    def change(application: Application, step: int) -> Application:
        def named(line: Hardware) -> Hardware:
            is_unknown = ground.factors.hardware_row(line.name) is unknown
            return line.model_copy(update={"name": lighter[step - 1].name}) if is_unknown else line

        return _with_hardware(application, ids, named)

    def words(step: int, enough: bool) -> str:
        row, best = lighter[step - 1], lighter[-1]
        whose = f"Name the device of {_listed(run.id for run, _ in runs)}: it counts with {plain(_kg(unknown))} kg."
        if not enough:
            return (
                f"{whose} The lightest that the rules allow for this power is {best.name} with {plain(_kg(best))} kg."
            )
        return (
            f"{whose} It is enough if it is no heavier than {row.name} with {plain(_kg(row))} kg; the lightest that the rules "
            f"allow for this power is {best.name} with {plain(_kg(best))} kg."
        )

    return Candidate("named_hardware", "The device named", change, words, steps=len(lighter))


def _kg(row: HardwareRow) -> Decimal:
    return row.device_kg + row.host_kg


def _may_be(ground: Ground, row: HardwareRow, run: Run, figures: ActivityFigures) -> bool:
    """Whether the device draws such a power at all, by the bounds of the rules (PLS-01, PLS-02)."""
    limits, power = ground.standard.limits, figures.power_w
    floor, ceiling = limits.get("limit.power_floor_percent", 0), limits.get("limit.power_ceiling_percent", 0)
    if power is None or row.tdp_w is None:
        return False
    nameplate = row.tdp_w * figures.devices
    host = Decimal(0) if run.coverage == "accelerator" else Decimal(limits.get("limit.power_host_uw", 0)) / 1_000_000
    idle = run.idle is True
    return (idle or 100 * power >= floor * nameplate) and 100 * power <= ceiling * (nameplate + host * figures.devices)


def _with_hardware(
    application: Application, ids: frozenset[str], change: Callable[[Hardware], Hardware]
) -> Application:
    def changed(activity: Activity) -> Activity:
        if activity.id not in ids:
            return activity
        return activity.model_copy(update={"hardware": tuple(map(change, activity.hardware or ()))})

    return _with_activities(application, changed)


def _deposited_footprint(ground: Ground) -> Candidate | None:
    """The maker's product footprint of known devices in place of the table, for the same kilograms."""
    unknown = ground.factors.hardware_row(UNKNOWN_ACCELERATOR)

    def in_the_table(line: Hardware) -> bool:
        row = ground.factors.hardware_row(line.name)
        declared = line.embodied is not None and line.embodied.kgco2e is not None
        return row is not unknown and row.device_kg > 0 and not declared

    ids = frozenset(run.id for run, _ in ground.runs() if any(map(in_the_table, run.hardware)))
    if not ids:
        return None
    named = [line.name for run, _ in ground.runs() for line in run.hardware if in_the_table(line)]

    def change(application: Application, _step: int) -> Application:
        def deposited(line: Hardware) -> Hardware:
            if not in_the_table(line):
                return line
            kg = ground.factors.hardware_row(line.name).device_kg
            embodied = (line.embodied or Embodied()).model_copy(update={"kgco2e": kg, "pcf_sha256": "f" * 64})
            return line.model_copy(update={"embodied": embodied})

        logs = {**application.evidence.deposited_logs, "f" * 64: Deposit(kind="pcf")}
        return _with_evidence(_with_hardware(application, ids, deposited), deposited_logs=logs)

    factors = ground.standard.parameters.uncertainty
    sentence = (
        f"The maker's product footprint of {_listed(named)} deposited, assuming the kilograms of the table: a factor of "
        f"{plain(factors.embodied_deposited)} instead of {plain(factors.embodied_table)} on the device."
    )
    return Candidate(
        "deposited_footprint",
        "The maker's footprint of the device",
        change,
        lambda _step, _enough: sentence,
    )


def _shorter_retention(ground: Ground) -> Candidate | None:
    """Discarded takes deleted as early as the process duty asks."""
    limit = ground.standard.limits.get("limit.retention_ud")
    if limit is None:
        return None
    days, kept = Decimal(limit) / 1_000_000, ground.report.process.take_retention_days
    now = ground.standard.parameters.storage.retention_days if kept is None else kept
    if now <= days:
        return None

    def change(application: Application, _step: int) -> Application:
        process = application.report.process.model_copy(update={"take_retention_days": days})
        return Application(application.report.model_copy(update={"process": process}), application.evidence)

    sentence = f"Discarded takes deleted after {plain(days)} days instead of {plain(now)} (PRC-04)."
    return Candidate(
        "shorter_retention",
        "Shorter retention of takes",
        change,
        lambda _step, _enough: sentence,
    )
