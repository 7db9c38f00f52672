"""A second opinion: the figure of a report by the text of the standard (sections 2 to 6, 8 and 10.1), in exact fractions.

It reads the case files and the tables on its own and shares no line with the calculation that it is compared with. What it
does not do: judge. Which rules a case fails is for the case to say.
"""

from __future__ import annotations

import copy
import csv
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

Json = dict[str, Any]

# Section 16: what falls if a must rule fails; "should" and "info" close nothing. QLT-01 closes what the second column says.
RULES: dict[str, str] = {
    **dict.fromkeys([f"INT-{n:02}" for n in range(1, 14)], "all"),
    **dict.fromkeys([f"BND-{n:02}" for n in (1, 2, 3, 4, 6, 9, 10)], "all"),
    "BND-05": "class-2",
    "BND-07": "class-1",
    "BND-08": "should",
    **dict.fromkeys(["ALC-01", "ALC-03", "ALC-04", "ALC-06", "LOC-01", "LOC-02"], "all"),
    **dict.fromkeys(["ALC-02", "ALC-05"], "should"),
    "MTH-01": "measured",
    "MTH-02": "all",
    "MTH-03": "class-2",
    "MTH-04": "all",
    **dict.fromkeys([f"PLS-{n:02}" for n in (1, 2, 3, 4, 7, 9, 11, 15, 17, 18)], "all"),
    **dict.fromkeys(["PLS-08", "PLS-10", "PLS-14"], "should"),
    **dict.fromkeys(["PLS-05", "PLS-06", "PLS-12", "PLS-13"], "info"),
    **dict.fromkeys(["REN-02", "REN-03", "REN-04"], "should"),
    "REN-05": "all",
    "QLT-01": "class-1",
    "QLT-02": "should",
    **dict.fromkeys(["ASR-01", "ASR-03", "ASR-04"], "measured"),
    "ASR-02": "class-1",
    **dict.fromkeys(["PRC-01", "PRC-04"], "should"),
    **dict.fromkeys(["PRC-02", "PRC-06", "PRC-07"], "class-1"),
    **dict.fromkeys(["PRC-03", "PRC-05"], "class-2"),
    "PRC-08": "info",
    "THR-01": "all",
    "THR-02": "class-2",
    "THR-03": "class-1",
}
# 16.3, step 5: the best outcome that is left.
_LEFT = {"all": "none", "measured": "disclosed", "class-2": "measured", "class-1": "class-2"}

_SERVICE = ("service_statement", "service_default")
_OWN_FACTOR = {"metered": "1.10", "sensor": "1.20", "provider": "1.25", "modelled": "1.40", "default": "1.50"}
_NAN = object()
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def outcome_of(failed: Iterable[str], *, defaults_over_class_2: bool = False, figure: bool = True) -> str:
    """The best outcome that no failed rule closes; `defaults_over_class_2` says that QLT-01 fails at its first limit."""
    closed = {RULES[rule] for rule in failed}
    if defaults_over_class_2:
        closed.add("class-2")
    return next((left for gate, left in _LEFT.items() if gate in closed), "class-1") if figure else "none"


# --- reading the case files ---


def read_cases(files: Mapping[str, bytes]) -> dict[str, Json]:
    """Every case of every case file by id, whole and with its numbers exact."""
    raw = [case for text in files.values() for case in json.loads(text, parse_float=Fraction)["cases"]]
    known = {case["id"]: case for case in raw}
    assert len(known) == len(raw), "two cases have one id"
    return {case["id"]: whole_case(case, known) for case in raw}


def whole_case(case: Json, known: Mapping[str, Json]) -> Json:
    """The case with report and fixtures, of the one that it is like, changed where it says."""
    parts = case
    if "like" in case:
        parts = {name: copy.deepcopy(known[case["like"]][name]) for name in ("report", "fixtures")}
        for pointer, value in case.get("change", {}).items():
            holder, last = _holder(parts, pointer)
            if isinstance(holder, list) and last == "-":
                holder.append(copy.deepcopy(value))
            else:
                holder[int(last) if isinstance(holder, list) else last] = copy.deepcopy(value)
        for pointer in case.get("remove", ()):
            holder, last = _holder(parts, pointer)
            del holder[int(last) if isinstance(holder, list) else last]
    return {**case, "report": _exact(parts["report"]), "fixtures": _exact(parts["fixtures"])}


def _holder(parts: Any, pointer: str) -> tuple[Any, str]:
    *way, last = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    for step in way:
        parts = parts[int(step)] if isinstance(parts, list) else parts.setdefault(step, {})
    return parts, last


def _exact(value: Any) -> Any:
    match value:
        case "__NaN__" | "__DEC__Infinity" | "__DEC__-Infinity":
            return _NAN
        case str() if value.startswith("__DEC__"):
            return Fraction(value.removeprefix("__DEC__"))
        case dict():
            return {key: _exact(item) for key, item in value.items()}
        case list():
            return [_exact(item) for item in value]
        case _:
            return value


# --- the tables ---


@dataclass(frozen=True)
class Device:
    kind: str
    tdp_w: Fraction
    device_kg: Fraction
    host_kg: Fraction


@dataclass(frozen=True)
class Tables:
    grid: Mapping[str, Mapping[str, str]]
    pue: Mapping[str, Fraction]
    devices: Mapping[str, Device]


def read_tables(folder: Path) -> Tables:
    """The tables of `data/`."""

    def rows(name: str) -> list[dict[str, str]]:
        with (folder / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    devices: dict[str, Device] = {}
    for row in rows("accelerators"):
        numbers = [Fraction(row[column]) for column in ("tdp_w", "embodied_kgco2e", "host_embodied_kgco2e")]
        for name in [row["name"], *filter(None, row["aliases"].split("|"))]:
            devices[name.lower()] = Device("accelerator", *numbers)
    for row in rows("devices"):
        kind = "machine" if not row["tdp_w"] else "processor machine"
        device = Device(kind, Fraction(row["tdp_w"] or 0), Fraction(row["embodied_kgco2e"]), Fraction(0))
        devices.setdefault(row["name"].lower(), device)
    for row in rows("cpus"):
        devices.setdefault(row["name"].lower(), Device("cpu", Fraction(row["tdp_w"]), Fraction(0), Fraction(0)))
    return Tables(
        {row["id"]: row for row in rows("grid_intensity")},
        {row["provider"]: Fraction(row["pue"]) for row in rows("pue")},
        devices,
    )


# --- the figure ---


@dataclass(frozen=True)
class Line:
    """One line of the calculation, in grams.

    `quality` is primary, default or neither (5.2, 4.9); `provider` tells data, training and fine-tuning from the rest (4.1).
    """

    stage: str
    formula: str
    grams: Fraction
    factor: Fraction
    quality: str = ""
    provider: bool = False

    @property
    def upper(self) -> Fraction:
        return self.grams * self.factor

    def __str__(self) -> str:
        return f"{self.stage}: {self.formula} = {_g(self.grams)} g; x {plain(self.factor)} = {_g(self.upper)} g"


@dataclass(frozen=True)
class Figure:
    """The figure of a report, with every line behind it."""

    lines: tuple[Line, ...]
    post_lines: tuple[Line, ...]
    minutes: Fraction
    default_g_per_min: Fraction
    service_default: bool

    @property
    def central_g(self) -> Fraction:
        return sum((line.grams for line in self.lines), Fraction(0))

    @property
    def upper_g(self) -> Fraction:
        return sum((line.upper for line in self.lines), Fraction(0))

    @property
    def central(self) -> str:
        """Half up to 0.01, after nine decimals half even (4.8)."""
        return _central(self.central_g / self.minutes)

    @property
    def assessed(self) -> str:
        """Up to 0.01, after nine decimals half even (4.8)."""
        return _assessed(self.upper_g / self.minutes)

    @property
    def counted(self) -> str:
        return decimals(_nearest_even(self.minutes * 10**6), 6)

    @property
    def rating(self) -> str:
        """By the share of the assessed grams from measurement, deposited footprints and valid statements (5.2)."""
        share = sum((line.upper for line in self.lines if line.quality == "primary"), Fraction(0)) / self.upper_g
        return "A" if share >= Fraction("0.80") else "B" if share >= Fraction("0.50") else "C"

    @property
    def calculated(self) -> bool:
        return self.service_default or self.default_g_per_min * self.minutes > self.upper_g / 2

    @property
    def post_production(self) -> Any:
        if not self.post_lines:
            return "not assessed"
        central = sum((line.grams for line in self.post_lines), Fraction(0)) / self.minutes
        upper = sum((line.upper for line in self.post_lines), Fraction(0)) / self.minutes
        return {"central": _central(central), "upper": _assessed(upper)}

    def part(self, *, provider: bool) -> tuple[str, str]:
        """Best estimate and upper bound of one of the two parts that a certificate prints (4.1)."""
        lines = [line for line in self.lines if line.provider == provider]
        central = sum((line.grams for line in lines), Fraction(0)) / self.minutes
        return _central(central), _assessed(sum((line.upper for line in lines), Fraction(0)) / self.minutes)

    def arithmetic(self) -> list[str]:
        """The calculation line by line, as a case file writes it."""
        per_minute = [self.central_g / self.minutes, self.upper_g / self.minutes]
        central, upper = (decimals(_nearest_even(value * 10**9), 9) for value in per_minute)
        return [
            *map(str, self.lines),
            f"counted minutes R = {_or_ratio(self.minutes)}",
            f"sum central {_g(self.central_g)} g, sum upper {_g(self.upper_g)} g",
            f"divided by R: {central} and {upper} g/min",
        ]


def _nearest_even(value: Fraction) -> int:
    return round(value)  # halves go to the even number


def _central(per_minute: Fraction) -> str:
    return decimals(floor(Fraction(_nearest_even(per_minute * 10**9), 10**7) + Fraction(1, 2)), 2)


def _assessed(per_minute: Fraction) -> str:
    return decimals(ceil(Fraction(_nearest_even(per_minute * 10**9), 10**7)), 2)


def decimals(scaled: int, places: int) -> str:
    """A whole number of 10**-places as a decimal."""
    return f"{scaled // 10**places}.{scaled % 10**places:0{places}}"


def _g(grams: Fraction) -> str:
    return decimals(_nearest_even(grams * 10**6), 6)


def plain(value: Fraction | int) -> str:
    """A fraction whose decimals end, as people write it."""
    value = Fraction(value)
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
        assert places < 200, f"{value} has no end"
    scaled = abs(value) * 10**places
    return ("-" if value < 0 else "") + (decimals(int(scaled), places) if places else str(int(scaled)))


def _or_ratio(value: Fraction) -> str:
    ends = value.denominator
    for prime in (2, 5):
        while ends % prime == 0:
            ends //= prime
    return plain(value) if ends == 1 else str(value)


def num(value: Any) -> Fraction:
    """A quantity of a report: a number, or a decimal in a string."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return Fraction(value)
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise TypeError(f"no number: {value!r}")
    return Fraction(value)


def _said(text: Any) -> bool:
    return isinstance(text, str) and text.strip() != ""


def figure_of(report: Json, fixtures: Json, tables: Tables) -> Figure | None:
    """The figure of a report that fits section 15; None if INT-03 says that there is none."""
    return _Calculation(report, fixtures, tables).figure()


@dataclass
class _Calculation:
    report: Json
    known: Json
    tables: Tables
    statements: dict[str, Json] = field(default_factory=dict)

    def figure(self) -> Figure | None:
        for model in reversed(self.report["models"]):
            statement = self._statement_of(model)
            self.statements.pop(model["id"], None)
            if statement:
                self.statements[model["id"]] = statement
        if not self._numbers_stand() or (minutes := self._minutes()) <= 0:
            return None
        activities = self.report["activities"]
        counted = [a for a in activities if a["stage"] != "post_production"]
        reported = [line for a in counted for line in self._operation(a)]
        embodied = [line for a in counted for line in self._embodied(a)]
        training = [line for model in self.report["models"] for line in self._training(model)]
        data = [line for model in self.report["models"] for line in self._data(model)]
        lines = [*reported, *embodied, *training, *data, self._storage(minutes)]
        post = [a for a in activities if a["stage"] == "post_production"]
        default_g = sum((line.upper for line in lines if line.quality == "default"), Fraction(0))
        return Figure(
            tuple(lines),
            tuple(line for a in post for line in (*self._operation(a), *self._embodied(a))),
            minutes,
            default_g / minutes,
            any(a["method"] in _SERVICE and self._service_statement(a) is None for a in counted),
        )

    # INT-03

    def _numbers_stand(self) -> bool:
        if not all(number is not None and 0 <= number <= 10**12 for number in _numbers(self.report)):
            return False
        runs = [activity for activity in self.report["activities"] if activity["method"] not in _SERVICE]
        return (
            num(self.known["audio"]["duration_s"]) > 0
            and all(num(model["generated_minutes"]) > 0 for model in self.report["models"])
            and all(num(run["duration_s"]) > 0 for run in runs)
        )

    # 2

    def _minutes(self) -> Fraction:
        length, silence = num(self.known["audio"]["duration_s"]), num(self.known["audio"]["silence_s"])
        counted = (length - max(Fraction(0), silence - length / 10)) / 60
        generated = num(self.report["generation"]["generated_minutes"])
        return min(counted, num(self.report["track"]["ai_audible_s"]) / 60, generated)

    # 4.1 to 4.5

    def _operation(self, activity: Json) -> Iterator[Line]:
        if activity["method"] in _SERVICE:
            yield self._service_operation(activity)
            return
        coverage = {"wall": "1.0", "system": "1.1", "accelerator": "1.6"}[activity["coverage"]]
        if activity["coverage"] == "accelerator" and activity["shared_service"]:
            coverage = "2.2"
        _, grid = self.place(activity["location"])
        overhead, overhead_text = self._overhead(activity)
        share, share_text = self._share(activity)
        yield Line(
            activity["stage"],
            f"{plain(num(activity['energy_kwh']))}*{coverage}*{overhead_text}*{plain(grid)}{share_text}",
            num(activity["energy_kwh"]) * Fraction(coverage) * overhead * grid * share,
            Fraction(_OWN_FACTOR[activity["method"]]) * self._forecast(activity),
            {"metered": "primary", "sensor": "primary", "default": "default"}.get(activity["method"], ""),
            _by_provider(activity),
        )

    def place(self, location: Json) -> tuple[str, Fraction]:
        """Key and grams per kWh of a place (4.4)."""
        grid, provider = self.tables.grid, location.get("provider")
        exact = grid.get(f"{provider}:{location.get('region')}")
        if provider and exact is not None and exact["kind"] == "cloud_region":
            return exact["id"], Fraction(exact["gco2e_per_kwh"])
        there = [row for row in grid.values() if row["iso3"] == location["country"]]
        if not any(row["kind"] == "country" for row in there):
            return "UNKNOWN", Fraction(grid["UNKNOWN"]["gco2e_per_kwh"])
        land = [row for row in there if row["kind"] == "subdivision" and row["id"] == location.get("subdivision")]
        could_be = land or [row for row in there if row["kind"] in ("country", "subdivision")]
        if location.get("site") != "local":
            named = [str(provider).strip()] if _said(provider) else None
            could_be = could_be + [
                row for row in there if row["kind"] == "cloud_region" and (named is None or row["provider"] in named)
            ]
        highest = max(could_be, key=lambda row: Fraction(row["gco2e_per_kwh"]))
        return highest["id"], Fraction(highest["gco2e_per_kwh"])

    def _overhead(self, activity: Json) -> tuple[Fraction, str]:
        """4.3: the table's PUE or an evidenced one, less the PUE that the energy holds already."""
        location, proof = activity["location"], activity.get("pue_evidence") or {}
        counted = self.tables.pue["UNKNOWN"]
        if location.get("site") == "local":
            counted = self.tables.pue["LOCAL"]
        elif location.get("provider") in set(self.tables.pue) - {"LOCAL"}:
            counted = self.tables.pue[location["provider"]]
        declared = activity.get("pue")
        if declared is not None and _said(proof.get("site")) and proof.get("year") is not None:
            counted = num(declared)
        if activity["pue_included"] and declared is not None and num(declared) > 0:
            if counted <= num(declared):
                return Fraction(1), "1"
            return counted / num(declared), f"({plain(counted)}/{plain(num(declared))})"
        return counted, plain(counted)

    def _share(self, activity: Json) -> tuple[Fraction, str]:
        """4.9: computed for training and data, declared for all else."""
        if activity["stage"] not in ("training", "data"):
            share = num(activity["allocation_share"])
            return share, "" if share == 1 else f"*{plain(share)}"
        model = self._model(activity)
        lifetime = self._lifetime(model) if model else Fraction(0)
        if not model or lifetime <= num(model["generated_minutes"]):
            return Fraction(1), ""
        return (
            num(model["generated_minutes"]) / lifetime,
            f"*{plain(num(model['generated_minutes']))}/{plain(lifetime)}",
        )

    def _model(self, activity: Json) -> Json | None:
        return next((model for model in self.report["models"] if model["id"] == activity.get("model")), None)

    def _lifetime(self, model: Json) -> Fraction:
        """6.2: the minutes made; after 12 months of evidenced use the forecast, at most three such years."""
        training = model["training"]
        made = num(training.get("generated_minutes_to_date") or 0)
        forecast, use = training.get("lifetime_minutes_forecast"), self.known.get("model_use", {}).get(model["id"])
        if forecast is None or use is None or num(use["months"]) < 12:
            return made
        return max(made, min(num(forecast), 3 * num(use["minutes_last_12m"])))

    def _forecast(self, activity: Json) -> Fraction:
        """5.1: x 1.25 more where the lifetime rests on a forecast."""
        model = self._model(activity)
        if activity["stage"] not in ("training", "data") or model is None:
            return Fraction(1)
        made = num(model["training"].get("generated_minutes_to_date") or 0)
        return Fraction("1.25") if self._lifetime(model) > made else Fraction(1)

    def _embodied(self, activity: Json) -> Iterator[Line]:
        if activity["method"] in _SERVICE:
            yield self._service_embodied(activity)
            return
        stage = "post_production" if activity["stage"] == "post_production" else "embodied"
        share, share_text = self._share(activity)
        for line in activity["hardware"]:
            life = self._life(line)
            for kilograms, text, factor, quality in self._masses(line, activity["hardware"]):
                yield Line(
                    stage,
                    ("" if line["count"] == 1 else f"{plain(line['count'])}*")
                    + f"{text}*1000*{plain(num(activity['duration_s']))}/({plain(life)}*3600){share_text}",
                    line["count"] * kilograms * 1000 * num(activity["duration_s"]) / (life * 3600) * share,
                    factor * self._forecast(activity),
                    quality,
                    _by_provider(activity),
                )

    def _device(self, name: str, names: Iterable[str]) -> Device:
        """The row of a name; a processor among nothing but processors carries a server (4.5)."""
        devices = self.tables.devices

        def row(asked: str) -> Device:
            return devices.get(asked.strip().lower(), devices["unknown accelerator"])

        alone = all(row(other).kind == "cpu" for other in names)
        return devices["cpu-server"] if row(name).kind == "cpu" and alone else row(name)

    def _masses(self, line: Json, lines: list[Json]) -> Iterator[tuple[Fraction, str, Fraction, str]]:
        row = self._device(line["name"], [other["name"] for other in lines if other["count"] > 0])
        embodied = line.get("embodied") or {}
        deposit = self.known.get("deposited_logs", {}).get(embodied.get("pcf_sha256"))
        if embodied.get("kgco2e") is not None and deposit is not None and deposit["kind"] == "pcf":
            declared = num(embodied["kgco2e"])
            yield declared, plain(declared), Fraction("1.20"), "primary"
            if row.host_kg:
                yield row.host_kg, plain(row.host_kg), Fraction("1.50"), ""
        elif row.device_kg or row.host_kg:
            yield row.device_kg + row.host_kg, _mass(row), Fraction("1.50"), ""

    def _life(self, line: Json) -> Fraction:
        embodied = line.get("embodied") or {}
        if embodied.get("lifetime_h") is None:
            return Fraction(17520)
        evidenced = embodied.get("lifetime_evidence") in self.known.get("deposited_logs", {})
        longest = 35040 if evidenced and evidence_level(self.report, self.known) == "A2" else 17520
        return max(Fraction(1), min(Fraction(longest), num(embodied["lifetime_h"])))

    # 4.6

    def _service_statement(self, activity: Json) -> Json | None:
        statement = self.statements.get(activity.get("model") or "")
        if activity["method"] != "service_statement" or statement is None:
            return None
        return statement if num(statement.get("wh_per_minute") or 0) > 0 else None

    def _service_place(self, activity: Json) -> tuple[Fraction, str]:
        unknown = Fraction(self.tables.grid["UNKNOWN"]["gco2e_per_kwh"])
        places = (self._service_statement(activity) or {}).get("places", [])
        if abs(sum((num(place["weight"]) for place in places), Fraction(0)) - 1) > Fraction(1, 10**6):
            return unknown, plain(unknown)
        kinds = ("country", "subdivision", "cloud_region")
        rows = [self.tables.grid.get(place["key"]) for place in places]
        grams = [Fraction(row["gco2e_per_kwh"]) if row and row["kind"] in kinds else unknown for row in rows]
        weights = [num(place["weight"]) for place in places]
        total = sum((weight * g for weight, g in zip(weights, grams, strict=True)), Fraction(0))
        return total, "(" + "+".join(f"{plain(w)}*{plain(g)}" for w, g in zip(weights, grams, strict=True)) + ")"

    def _service_operation(self, activity: Json) -> Line:
        statement, minutes = self._service_statement(activity), num(activity["minutes"])
        share, share_text = self._share(activity)
        grid, grid_text = self._service_place(activity)
        pue = self.tables.pue["UNKNOWN"]
        energy, energy_text = Fraction("0.005"), "0.005"
        if statement is not None:
            energy = num(statement["wh_per_minute"]) / 1000
            energy_text = f"{plain(num(statement['wh_per_minute']))}/1000"
            if statement.get("pue") is not None and num(statement["pue"]) >= 1:
                pue = num(statement["pue"])
        return Line(
            activity["stage"],
            f"{plain(minutes)}*{energy_text}*{plain(pue)}*{grid_text}{share_text}",
            minutes * energy * pue * grid * share,
            Fraction("1.50" if statement is None else "1.25") * self._forecast(activity),
            "default" if statement is None else "primary",
            _by_provider(activity),
        )

    def _service_embodied(self, activity: Json) -> Line:
        minutes, (share, share_text) = num(activity["minutes"]), self._share(activity)
        grams, text, quality = Fraction("0.54"), "0.54", "default"
        lines = (self._service_statement(activity) or {}).get("hardware", [])
        if lines:
            names = [line["name"] for line in lines if line.get("count", 1) > 0]
            grams, texts, quality = Fraction(0), [], ""
            for line in lines:
                row, count, seconds = (
                    self._device(line["name"], names),
                    line.get("count", 1),
                    num(line["seconds_per_minute"]),
                )
                grams += seconds * count * (row.device_kg + row.host_kg) * 1000 / (17520 * 3600)
                texts.append(
                    f"{plain(seconds)}*{'' if count == 1 else f'{count}*'}{_mass(row)}*1000/(17520*3600)"  # 4.5: L
                )
            text = texts[0] if len(texts) == 1 else f"({'+'.join(texts)})"
        return Line(
            "post_production" if activity["stage"] == "post_production" else "embodied",
            f"{plain(minutes)}*{text}{share_text}",
            minutes * grams * share,
            Fraction("1.50") * self._forecast(activity),
            quality,
            _by_provider(activity),
        )

    # 6.2, 6.3, 8.3, section 3

    def _statement_of(self, model: Json) -> Json | None:
        """The registered statement of this model version, in date; a renewal does not look at the age (11)."""
        statement: Json | None = self.known.get("statements", {}).get(model["training"].get("statement"))
        if statement is None or (statement["model"], statement["version"]) != (model["name"], model["version"]):
            return None
        if not all(statement.get(mark) for mark in ("registered", "verifier_signed", "location_based")):
            return None
        age = moment(self.known["now"]) - moment(statement["issued_on"])
        in_date = timedelta(0) <= age <= timedelta(days=365)
        return statement if in_date or self.report.get("renewal_of") is not None else None

    def _of(self, model: Json, stage: str) -> list[Json]:
        return [a for a in self.report["activities"] if (a["stage"], a.get("model")) == (stage, model["id"])]

    def _training(self, model: Json) -> Iterator[Line]:
        source, minutes = model["training"]["source"], num(model["generated_minutes"])
        statement = self.statements.get(model["id"])
        if source == "activities" and self._of(model, "training"):
            return  # the runs are lines of their own
        if source == "statement" and statement:
            grams, factor, quality = num(statement["training_g_per_minute"]), Fraction("1.25"), "primary"
        else:
            billions = model.get("parameters_b")
            steps = ((Fraction("0.5"), "0.1"), (2, "0.4"), (8, "1.5"))
            fits = [g for most, g in steps if billions is not None and num(billions) <= most]
            grams, factor, quality = Fraction(fits[0] if fits else "5.0"), Fraction(1), "default"
        yield Line("training", f"{plain(grams)}*{plain(minutes)}", grams * minutes, factor, quality, provider=True)

    def _data(self, model: Json) -> Iterator[Line]:
        source, statement = model["training"]["source"], self.statements.get(model["id"])
        if source == "statement" and statement and not statement.get("includes_data"):
            training = list(self._training(model))
        elif source == "activities" and not self._of(model, "data"):
            runs = self._of(model, "training")
            training = [line for run in runs for line in (*self._operation(run), *self._embodied(run))]
        else:
            return
        for line in training:
            quality = "default" if line.quality == "default" else ""
            yield Line("data", f"{line.formula}*0.25", line.grams / 4, line.factor, quality, provider=True)

    # 4.7

    def _storage(self, minutes: Fraction) -> Line:
        generated = num(self.report["generation"]["generated_minutes"])
        days = (self.report.get("process") or {}).get("take_retention_days")
        kept = Fraction(365) if days is None else num(days)
        grid, grid_text = self._storage_grid()
        pue = self.tables.pue["UNKNOWN"]
        discarded = max(Fraction(0), generated - minutes)
        if "/" in _or_ratio(minutes):
            texts = (f"{minutes}", f"({plain(generated)}-{minutes})")
        else:
            texts = (plain(minutes), plain(discarded))
        return Line(
            "storage",
            f"0.00036*({texts[0]}+{texts[1]}*{plain(kept)}/365)*{plain(pue)}*{grid_text}",
            Fraction("0.00036") * (minutes + discarded * kept / 365) * pue * grid,
            Fraction("1.50"),
        )

    def _storage_grid(self) -> tuple[Fraction, str]:
        """The highest factor among the inference activities."""
        used = []
        for activity in self.report["activities"]:
            if activity["stage"] == "inference" and activity["method"] in _SERVICE:
                used.append(self._service_place(activity))
            elif activity["stage"] == "inference":
                _, grid = self.place(activity["location"])
                used.append((grid, plain(grid)))
        unknown = Fraction(self.tables.grid["UNKNOWN"]["gco2e_per_kwh"])
        return max(used, key=lambda pair: pair[0]) if used else (unknown, plain(unknown))


def _by_provider(activity: Json) -> bool:
    return activity["stage"] in ("data", "training", "fine_tuning")


def _mass(row: Device) -> str:
    return f"({plain(row.device_kg)}+{plain(row.host_kg)})" if row.host_kg else plain(row.device_kg)


def _numbers(value: Any) -> Iterator[Fraction | None]:
    """Every number of a report; a NaN is None."""
    match value:
        case bool():
            return
        case int() | Fraction():
            yield Fraction(value)
        case dict():
            for item in value.values():
                yield from _numbers(item)
        case list():
            for item in value:
                yield from _numbers(item)
        case _ if value is _NAN:
            yield None


# --- the evidence level (10.1) ---


def evidence_level(report: Json, known: Json) -> str:
    """A0, A1 or A2 by signatures and deposits."""
    digests, deposits = report.get("raw_log_sha256", []), known.get("deposited_logs", {})
    if not digests or not all(re.fullmatch("[0-9a-f]{64}", digest) and digest in deposits for digest in digests):
        return "A0"

    def signed(role: str, extra: Callable[[Json], bool] = lambda _: True) -> bool:
        marks = ("valid", "registered", "key_active_at_signing", "key_active_now")
        return any(s["role"] == role and all(map(s.get, marks)) and extra(s) for s in known.get("signatures", []))

    def independent(s: Json) -> bool:
        return s.get("in_scope") is True and s.get("conflict") is False and bool(s["id"] != report["issuer"]["id"])

    generating = [a for a in report["activities"] if a["stage"] == "inference"]
    exports = [deposits[digest] for digest in digests if deposits[digest]["kind"] == "export"]
    service_path = bool(generating and exports) and all(a["method"] in _SERVICE for a in generating)

    def reproduced(activity: Json) -> bool:
        readable = [export.get("activities", {}) for export in exports if export.get("format") is not None]
        return any(read.get(activity["id"], {}).get("minutes") is not None for read in readable)

    exported = service_path and (signed("service") or all(map(reproduced, generating)))
    measured = signed("verifier", lambda s: independent(s) and s.get("own_measurement") is True)
    if not (signed("measuring_party") or exported or measured):
        return "A0"
    return "A2" if signed("verifier", independent) else "A1"


def moment(text: str) -> datetime:
    """A time with its zone; a day begins at midnight UTC."""
    return datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00+00:00")


def numbers_of_standard(raw: bytes) -> dict[str, Fraction]:
    """Every number of a `standard.toml` by its dotted place."""
    found: dict[str, Fraction] = {}

    def walk(place: str, value: Any) -> None:
        match value:
            case dict():
                for key, item in value.items():
                    walk(f"{place}.{key}" if place else key, item)
            case list():
                for index, item in enumerate(value):
                    walk(f"{place}.{index}", item)
            case int() | Fraction() if not isinstance(value, bool):
                found[place] = Fraction(value)

    walk("", tomllib.loads(raw.decode(), parse_float=Fraction))
    return found
