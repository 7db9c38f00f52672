"""Applications made up from the tables: whole reports with the facts that an issuer would find beside them.

`sound_applications` pass every INT and PLS rule that is a must; they may well be too heavy, self-declared or silent about
their process. `applications` are such ones with a few places changed, which may break any rule. Both come near the limits
on purpose, where a hundredth of a gram decides.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from certifier.errors import CertifierError
from certifier.footprint.model import Footprint
from certifier.report.evidence import parse_evidence
from certifier.standard.evaluate import OUTCOMES_RISING, Verdict, decide
from certifier.standard.model import Standard
from tests.standard.world import standard

Way = tuple[str | int, ...]  # from the top to a place: "report" or "fixtures", then keys

START = datetime(2026, 10, 1, 8, tzinfo=UTC)
MILLI = Decimal("0.001")
PRODUCTS = "f" * 64  # the deposited product footprint of a maker
GRID = list(standard().factors.grid.values())
REGIONS = [row for row in GRID if row.kind == "cloud_region"]
SUBDIVISIONS = [row for row in GRID if row.kind == "subdivision"]
COUNTRIES = [row for row in GRID if row.kind == "country"]
PLACE_KEYS = {
    True: [row.key for row in REGIONS if row.g_per_kwh <= 60],
    False: [row.key for row in REGIONS + COUNTRIES],
}
CLEAN_REGIONS = [row for row in REGIONS if row.g_per_kwh <= 60]
HARDWARE = list({row.name: row for row in standard().factors.hardware.values()}.values())
ACCELERATORS = [row for row in HARDWARE if row.kind == "accelerator"]
CPUS = [row for row in HARDWARE if row.kind == "cpu"]
CPU_DEVICES = [row for row in HARDWARE if row.kind == "device" and row.tdp_w is not None]
BARE_DEVICES = [row for row in HARDWARE if row.tdp_w is None]


@dataclass(frozen=True)
class Application:
    """A report and the facts beside it, as JSON values."""

    report: dict[str, Any]
    fixtures: dict[str, Any]

    def decided(self, by: Standard | None = None) -> Verdict:
        return decide(by or standard(), self.report, parse_evidence(self.fixtures))

    def figure(self, by: Standard | None = None) -> Footprint:
        footprint = self.decided(by).footprint
        assert footprint is not None
        return footprint

    def copied(self) -> Application:
        return copy.deepcopy(self)

    @property
    def tree(self) -> dict[str, Any]:
        return {"report": self.report, "fixtures": self.fixtures}

    def at(self, way: Way) -> Any:
        return at(self.tree, way)

    def without(self, ways: Iterable[Way]) -> Application:
        return Application(**without(self.tree, ways))

    def with_value(self, way: Way, value: Any) -> Application:
        changed = self.copied()
        changed.at(way[:-1])[way[-1]] = value
        return changed


def rank(application: Application) -> int:
    """How good the outcome is. Facts that cannot be read make no decision, which is the worst."""
    try:
        return OUTCOMES_RISING.index(application.decided().outcome)
    except CertifierError:
        return 0


# --- ways to places ---


def places_of(value: Any, pattern: str) -> list[Way]:
    """The ways that fit a pattern, in which a star stands for each entry."""
    found: list[Way] = [()]
    for step in pattern.split("/"):
        found = [(*way, key) for way in found for key in _keys_of(at(value, way), step)]
    return found


def _keys_of(part: Any, step: str) -> list[str | int]:
    keys = list(part) if isinstance(part, dict) else list(range(len(part))) if isinstance(part, list) else []
    return keys if step == "*" else [key for key in keys if key == step]


def at(value: Any, way: Way) -> Any:
    for key in way:
        value = value[key]
    return value


def without(value: Any, ways: Iterable[Way]) -> Any:
    """A copy without those places; one that went away with something around it is no loss."""
    result = copy.deepcopy(value)
    for way in sorted(ways, key=lambda way: [(str(type(key)), key) for key in way], reverse=True):
        try:
            del at(result, way[:-1])[way[-1]]
        except (KeyError, IndexError):
            continue
    return result


def leaves_of(value: Any, way: Way = ()) -> list[Way]:
    """The ways to everything that is neither object nor list."""
    if isinstance(value, dict):
        return [found for key, part in value.items() for found in leaves_of(part, (*way, key))]
    if isinstance(value, list):
        return [found for key, part in enumerate(value) for found in leaves_of(part, (*way, key))]
    return [way]


# --- numbers and times ---


def decimals(least: str, most: str, places: int) -> st.SearchStrategy[Decimal]:
    scale = 10**places
    return st.integers(int(Decimal(least) * scale), int(Decimal(most) * scale)).map(lambda n: Decimal(n) / scale)


def scattered(least: int, most: int) -> st.SearchStrategy[Decimal]:
    """Quantities over many powers of ten, with three decimals."""
    tens = st.sampled_from([Decimal(10) ** n for n in range(least, most)])
    return st.tuples(decimals("1", "9.999", 3), tens).map(lambda pair: (pair[0] * pair[1]).quantize(MILLI))


def time_text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


# --- the parts ---


@st.composite
def locations(draw: st.DrawFn, *, light: bool) -> dict[str, Any]:
    kinds = ["region", "provider", "other provider", "own", "datacentre", "subdivision", "local"]
    kind = "region" if light else draw(st.sampled_from(kinds))
    if kind == "region":
        row = draw(st.sampled_from(CLEAN_REGIONS if light else REGIONS))
        place = {"country": row.country, "provider": row.provider, "region": row.region, "site": "datacentre"}
        return {**place, "subdivision": row.subdivision} if row.subdivision and draw(st.booleans()) else place
    row = draw(st.sampled_from(SUBDIVISIONS if kind == "subdivision" else COUNTRIES))
    place = {"country": row.country, "site": "local" if kind == "local" else "datacentre"}
    if kind == "subdivision":
        place["subdivision"] = row.key
        place["site"] = draw(st.sampled_from(["local", "datacentre"]))
    providers = {"provider": "aws", "other provider": "a hall nearby", "own": "own"}
    return {**place, "provider": providers[kind]} if kind in providers else place


@st.composite
def embodied(draw: st.DrawFn, table_kg: Decimal) -> dict[str, Any]:
    """What a maker says of a device, within PLS-09 and PLS-17."""
    said: dict[str, Any] = {}
    if draw(st.booleans()):
        said["kgco2e"] = (table_kg * draw(decimals("0.25", "2", 2))).quantize(MILLI, rounding=ROUND_CEILING)
        said |= draw(st.sampled_from([{}, {"pcf_sha256": PRODUCTS}]))
    if draw(st.booleans()):
        said["lifetime_h"] = draw(decimals("100", "17520", 0))
    return said


@st.composite
def hardware(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Something with a nameplate, and perhaps more beside it."""
    named = draw(st.sampled_from([ACCELERATORS, ACCELERATORS, CPUS, CPU_DEVICES]))
    rows = draw(st.lists(st.sampled_from(named), min_size=1, max_size=2))
    if named is not CPUS and draw(st.integers(0, 3)) == 0:
        rows.append(draw(st.sampled_from(BARE_DEVICES + CPUS)))
    lines: list[dict[str, Any]] = []
    lone = all(row.kind == "cpu" for row in rows)
    for row in rows:
        line: dict[str, Any] = {"name": row.name, "count": draw(st.integers(1, 4))}
        carried = standard().factors.lone_cpu_row() if lone else row
        if draw(st.integers(0, 2)) == 0:
            line["embodied"] = draw(embodied(carried.device_kg))
        lines.append(line)
    return lines


def nameplate_of(lines: list[dict[str, Any]]) -> tuple[Decimal, int]:
    rows = [(standard().factors.hardware_row(line["name"]), line["count"]) for line in lines]
    counted = [(row, n) for row, n in rows if row.kind == "accelerator"] or [(r, n) for r, n in rows if r.is_processor]
    return sum(((row.tdp_w or 0) * n for row, n in counted), Decimal(0)), sum(n for _, n in counted)


@st.composite
def overheads(draw: st.DrawFn) -> dict[str, Any]:
    """What is said of the PUE, within PLS-07 and PLS-15."""
    said: dict[str, Any] = {"pue_included": draw(st.booleans())}
    if draw(st.booleans()):
        said["pue"] = draw(decimals("1", "3", 2))
        said |= draw(st.sampled_from([{}, {"pue_evidence": {"site": "hall 1", "year": 2025}}]))
    return said


def _tool_of(overhead: dict[str, Any], any_way: bool) -> str:
    return "either" if any_way else "always" if overhead["pue_included"] else "never"


@st.composite
def shares(draw: st.DrawFn) -> dict[str, Any]:
    method = draw(st.sampled_from(["whole", "whole", "generated_minutes", "finished_minutes", "time_log"]))
    if method == "whole":
        return {"allocation_method": method, "allocation_share": 1}
    share = draw(decimals("0.01", "1", 2))
    if method != "generated_minutes":
        return {"allocation_method": method, "allocation_share": share}
    held = (1 - share) * 20
    reserved = [{"audio_sha256": "c" * 64, "minutes": held}] if held else []
    batch = {"minutes": Decimal(20), "track_minutes": 20 * share, "reserved": reserved}
    return {"allocation_method": method, "allocation_share": share, "batch": batch}


@st.composite
def runs(draw: st.DrawFn, model: str, stage: str, number: int, *, light: bool) -> dict[str, Any]:
    """A run with a power that its hardware can draw."""
    lines, overhead = draw(hardware()), draw(overheads())
    coverage = draw(st.sampled_from(["wall", "system", "accelerator"]))
    idle = stage == "inference" and draw(st.integers(0, 5)) == 0
    plate, devices = nameplate_of(lines)
    most = Decimal("1.1") * (plate + (0 if coverage == "accelerator" else 500 * devices))
    least = plate / 100 if idle else plate / 10
    power = least + (most - least) * draw(decimals("0", "0.99", 2))
    duration = draw(scattered(0, 2 if light else 4))
    started = START + timedelta(seconds=draw(st.integers(0, 7200)))
    method = draw(st.sampled_from(["metered", "sensor", "provider", "modelled", "default"]))
    energy = power * duration / 3_600_000
    rounding = ROUND_CEILING if power == least else None
    tool = _tool_of(overhead, draw(st.booleans()))
    run = {
        "id": f"{stage}-{number}",
        "run_id": f"run-{number}",
        "model": model,
        "stage": stage,
        "started_at": time_text(started),
        "ended_at": time_text(started + timedelta(milliseconds=int(duration * 1000))),
        "duration_s": duration,
        "energy_kwh": energy.quantize(Decimal("1e-15"), rounding=rounding),
        "method": method,
        "coverage": coverage,
        "shared_service": draw(st.booleans()),
        "location": draw(locations(light=light)),
        "hardware": lines,
        **overhead,
        **draw(shares()),
    }
    if idle:
        run["idle"] = True
    if method == "metered":
        run["meter"] = {"id": "meter 1", "accuracy_class": "1", "calibrated_on": "2026-01-01"}
    else:
        run["tool"] = {"name": "tool", "version": tool}
    return run


def service_use(model: str, minutes: Decimal, method: str, number: int) -> dict[str, Any]:
    return {
        "id": f"service-{number}",
        "run_id": f"run-{number}",
        "model": model,
        "stage": "inference",
        "started_at": time_text(START),
        "ended_at": time_text(START + timedelta(hours=1)),
        "method": method,
        "minutes": minutes,
        "job_ids": ["job-1", "job-2"],
        "allocation_share": 1,
        "allocation_method": "whole",
    }


@st.composite
def statements(draw: st.DrawFn, model: dict[str, Any], *, of_service: bool, light: bool) -> dict[str, Any]:
    said: dict[str, Any] = {
        "model": model["name"],
        "version": model["version"],
        "registered": True,
        "verifier_signed": True,
        "location_based": True,
        "issued_on": "2026-06-01T00:00:00Z",
        "training_g_per_minute": draw(decimals("0", "0.5" if light else "8", 2)),
        "includes_data": draw(st.booleans()),
    }
    if of_service:
        said["wh_per_minute"] = draw(decimals("0.02", "2" if light else "40", 2))
        if draw(st.booleans()):
            said["pue"] = draw(decimals("1", "2", 2))
        keys = draw(st.lists(st.sampled_from(PLACE_KEYS[light]), max_size=2, unique=True))
        weights = [Decimal("0.4"), Decimal("0.6")] if len(keys) == 2 else [Decimal(1)]
        said["places"] = [{"key": key, "weight": weight} for key, weight in zip(keys, weights, strict=False)]
        if draw(st.booleans()):
            line = {
                "name": draw(st.sampled_from(ACCELERATORS)).name,
                "seconds_per_minute": draw(decimals("0", "60", 1)),
            }
            said["hardware"] = [{**line, "count": draw(st.integers(1, 8))}]
    return said


@st.composite
def models_with_runs(
    draw: st.DrawFn, number: int, *, light: bool
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """A model, the activities that it needs, and the statements about it."""
    name = f"m{number}"
    source = draw(st.sampled_from(["statement", "activities"] if light else ["statement", "default", "activities"]))
    path = draw(st.sampled_from(["run", "run", "service_statement", *([] if light else ["service_default"])]))
    minutes = draw(decimals("1", "30", 2))
    model: dict[str, Any] = {
        "id": name,
        "name": f"model {number}",
        "version": "1",
        "class": draw(st.sampled_from(["neural-audio", "symbolic", "hybrid"])),
        "trained_by": "affiliate" if source == "activities" else "other",
        "generated_minutes": minutes,
        "training": {"source": source},
    }
    if draw(st.booleans()):
        model["parameters_b"] = draw(st.sampled_from([Decimal("0.3"), Decimal(2), Decimal("3.5"), Decimal(70)]))
    said: dict[str, Any] = {}
    if source == "statement" or path == "service_statement":
        model["training"]["statement"] = f"st-{number}"
        said[f"st-{number}"] = draw(statements(model, of_service=path == "service_statement", light=light))
    activities = []
    if path == "run":
        counts = range(draw(st.integers(1, 2)))
        activities = [draw(runs(name, "inference", 10 * number + count, light=light)) for count in counts]
    else:
        activities.append(service_use(name, minutes, path, 10 * number))
    if source == "activities":
        model["training"]["generated_minutes_to_date"] = minutes * draw(st.sampled_from([1, 10, 100_000]))
        activities.append(draw(runs(name, "training", 10 * number + 5, light=light)))
        if draw(st.booleans()):
            model["training"]["lifetime_minutes_forecast"] = 300_000
        if draw(st.integers(0, 3)) == 0:
            activities.append(draw(runs(name, "data", 10 * number + 6, light=light)))
    for count, stage in enumerate(("fine_tuning", "post_production"), 7):
        if draw(st.integers(0, 4)) == 0:
            activities.append(draw(runs(name, stage, 10 * number + count, light=light)))
    return model, activities, said


@st.composite
def signatures(draw: st.DrawFn, *, on_service: bool, light: bool) -> list[dict[str, Any]]:
    counts = {"valid": True, "key_active_at_signing": True, "key_active_now": True}
    signed: list[dict[str, Any]] = [{"role": "applicant", "id": "org-1", **counts}]
    everything = {"coverage": ["wall", "system", "accelerator"]}
    everything["method"] = ["metered", "sensor", "provider", "modelled", "default"]
    partly = {"coverage": ["system"], "method": ["sensor"]}
    if draw(st.integers(0, 20 if light else 5)):
        capability = draw(st.sampled_from([everything, everything, everything, partly]))
        signed.append(
            {
                "role": "measuring_party",
                "id": "mp-1",
                "registered": True,
                **counts,
                "capability": copy.deepcopy(capability),
            }
        )
    if on_service and draw(st.booleans()):
        signed.append({"role": "service", "id": "service-1", "registered": True, **counts})
    if draw(st.integers(0, 8 if light else 2)):
        verifier = {"role": "verifier", "id": "vf-1", "registered": True, **counts, "in_scope": True, "conflict": False}
        if draw(st.integers(0, 3)) == 0:
            verifier |= {"own_measurement": True, "capability": copy.deepcopy(everything)}
        signed.append(verifier)
    return signed


@st.composite
def processes(draw: st.DrawFn) -> dict[str, Any]:
    duties = {
        "model_efficiency": ["quantised", "fewer steps"],
        "dataset_governance": "policy-1",
        "auditable_pipeline": "log-1",
        "equipment_off": "policy-2",
        "end_of_life": "receipt-1",
        "federated": True,
    }
    left_out = set() if draw(st.booleans()) else draw(st.sets(st.sampled_from(sorted(duties)), max_size=2))
    said: dict[str, Any] = {name: value for name, value in duties.items() if name not in left_out}
    days = draw(st.sampled_from([None, 0, 30, 365, 1000]))
    return said if days is None else {**said, "take_retention_days": days}


@st.composite
def sound_applications(draw: st.DrawFn) -> Application:
    """A report that passes the INT and PLS rules, with the facts beside it."""
    light = draw(st.integers(0, 3)) > 0
    parts = [draw(models_with_runs(number, light=light)) for number in range(draw(st.integers(1, 2)))]
    models, activities = [part[0] for part in parts], [run for part in parts for run in part[1]]
    duration = draw(decimals("20", "600", 3))
    logs = ["a1" * 32, "b2" * 32][: draw(st.integers(1 if light else 0, 2))]
    report: dict[str, Any] = {
        "report_version": "1.0",
        "report_id": "rep-1",
        "standard": "LCAL-1.0.0",
        "issuer": {"id": "org-1", "key_id": "key-1"},
        "issued_at": "2026-10-05T09:00:00Z",
        "raw_log_sha256": logs,
        "track": {
            "title": "A track",
            "artist": "Example Artist",
            "audio_sha256": "d" * 64,
            "duration_s": duration,
            "created_at": "2026-10-01T12:00:00Z",
            "ai_contribution": draw(st.sampled_from([["vocals"], ["composition", "instrumentation"]])),
            "ai_audible_s": draw(decimals("20", str(duration), 3)),
        },
        "models": models,
        "generation": {
            "takes": draw(st.integers(1, 40)),
            "generated_minutes": sum((model["generated_minutes"] for model in models), Decimal(0)),
        },
        "activities": activities,
        "stages_not_performed": [] if any(run["stage"] == "fine_tuning" for run in activities) else ["fine_tuning"],
        "process": draw(processes()),
    }
    exported = any("minutes" in run for run in activities)
    kinds = {digest: draw(st.sampled_from(["export", "log"])) if exported else "log" for digest in logs}
    deposits: dict[str, Any] = {
        digest: draw(st.sampled_from([_readable(kind, activities), {"kind": kind}])) for digest, kind in kinds.items()
    }
    deposits[PRODUCTS] = {"kind": "pcf"}
    fixtures: dict[str, Any] = {
        "now": "2026-11-01T00:00:00Z",
        "audio": {"sha256": "d" * 64, "duration_s": duration, "silence_s": draw(decimals("0", "10", 3))},
        "signatures": draw(signatures(on_service=exported, light=light)),
        "deposited_logs": deposits,
        "statements": {key: value for part in parts for key, value in part[2].items()},
        "tools": {f"tool {pue}": {"ok": True, "pue": pue} for pue in ("either", "always", "never")},
        "ledger": {"certified_audio": ["9" * 64], "run_share_used": {"mp-1/another run": 1}},
        "model_use": {model["id"]: {"months": 12, "minutes_last_12m": 100_000} for model in models},
    }
    application = Application(report, fixtures)
    used = application.figure().kwh_per_generated_minute
    assume(used <= 20)  # PLS-04
    if used < Decimal("0.00001"):  # PLS-03
        for model in models:
            model["class"] = "symbolic"
    return _near_a_limit(draw, application)


def _readable(kind: str, activities: list[dict[str, Any]]) -> dict[str, Any]:
    quantities = ("energy_kwh", "duration_s", "minutes")
    read = {run["id"]: {name: run[name] for name in quantities if name in run} for run in activities}
    return {"kind": kind, "format": "codecarbon", "activities": read}


def _near_a_limit(draw: st.DrawFn, application: Application) -> Application:
    """Sometimes with so little sound that the figure comes to stand just below or just above a limit."""
    limits = standard().parameters.limits
    limit = draw(st.sampled_from([None, limits.class_1, limits.class_2, limits.measured]))
    if limit is None:
        return application
    figure = application.figure()
    wished = (figure.upper_exact * figure.counted_minutes / limit * 60 * draw(decimals("0.999", "1.001", 4))).quantize(
        MILLI
    )
    return (
        application.with_value(("report", "track", "ai_audible_s"), wished)
        if 0 < wished < figure.counted_minutes * 60
        else application
    )


# --- applications of which nothing is promised ---

SLIPS: dict[str, Any] = {
    "report/activities/*/energy_kwh": st.sampled_from([Decimal(0), Decimal("0.00001"), Decimal(100)]),
    "report/activities/*/duration_s": st.sampled_from([Decimal(1), Decimal(100_000)]),
    "report/activities/*/pue": st.sampled_from([Decimal("0.5"), Decimal(9)]),
    "report/activities/*/pue_included": st.booleans(),
    "report/activities/*/allocation_share": st.sampled_from([Decimal("0.5"), Decimal(0), Decimal(2)]),
    "report/activities/*/location/country": st.sampled_from(["FRA", "USA", "ZZZ", "??"]),
    "report/activities/*/location/provider": st.sampled_from(["aws", "gcp", "own", ""]),
    "report/activities/*/location/site": st.sampled_from(["local", "datacentre"]),
    "report/activities/*/model": st.sampled_from(["m0", "m1", "nobody"]),
    "report/activities/*/hardware/*/name": st.sampled_from(["laptop", "workstation", "NVIDIA T4", "AMD EPYC 9654"]),
    "report/activities/*/hardware/*/count": st.sampled_from([0, 50]),
    "report/activities/*/hardware/*/embodied": st.sampled_from([{"kgco2e": 1}, {"lifetime_h": 40_000}]),
    "report/activities/*/ended_at": st.sampled_from(["2026-10-01T10:00:00", "2027-01-01T00:00:00Z"]),
    "report/models/*/trained_by": st.sampled_from(["other", "applicant"]),
    "report/models/*/training/source": st.sampled_from(["default", "statement", "activities"]),
    "report/models/*/generated_minutes": st.sampled_from([Decimal("0.5"), Decimal(1000)]),
    "report/generation/takes": st.just(0),
    "report/generation/generated_minutes": st.sampled_from([Decimal("0.5"), Decimal(1000)]),
    "report/track/duration_s": st.just(Decimal(1000)),
    "report/raw_log_sha256/*": st.sampled_from(["x", "3" * 64]),
    "report/issued_at": st.sampled_from(["2026-09-01T00:00:00Z", "2027-01-01T00:00:00Z", "soon"]),
    "fixtures/signatures/*/valid": st.just(False),
    "fixtures/signatures/*/registered": st.just(False),
    "fixtures/signatures/*/conflict": st.just(True),
    "fixtures/deposited_logs/*/activities/*/energy_kwh": st.just(Decimal(1)),
    "fixtures/deposited_logs/*/activities/*/minutes": st.just(Decimal(1)),
    "fixtures/statements/*/version": st.just("0"),
    "fixtures/statements/*/issued_on": st.sampled_from(["2020-01-01T00:00:00Z", "never"]),
    "fixtures/tools/*/ok": st.just(False),
    "fixtures/tools/*/pue": st.sampled_from(["always", "never"]),
    "fixtures/model_use/*/months": st.just(Decimal(3)),
    "fixtures/audio/duration_s": st.sampled_from([Decimal(10), Decimal(1000)]),
    "fixtures/audio/sha256": st.just("9" * 64),
    "fixtures/ledger/run_share_used": st.just({"mp-1/run-0": 1, "org-1/run-0": Decimal("0.5")}),
}


@st.composite
def applications(draw: st.DrawFn) -> Application:
    """A sound application with up to three slips in it."""
    application = draw(sound_applications())
    for pattern in draw(st.lists(st.sampled_from(sorted(SLIPS)), max_size=3)):
        ways = places_of(application.tree, pattern)
        if ways:
            application = application.with_value(draw(st.sampled_from(ways)), draw(SLIPS[pattern]))
    return application
