"""The words of the rules: every fact that an expression may use, with its scope, type and unit.

Rules see nothing but these flat, typed values: no field of the report directly, no map, no decimal. A quantity enters
as a whole number with the unit in its name, rounded to the side that keeps a comparison with a whole limit exact:
down for what must reach a limit, up for what must stay within one. An optional field comes with a `*_given` fact.
`limit.*` facts are not listed here; they are the bounds in the standard's `standard.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FactType = Literal["BOOL", "INT", "STRING", "STRINGS", "INTS"]

MICRO = 1_000_000
NANO = 1_000_000_000
PPT = 1_000_000_000_000
CENTI = 100


# The end of a whole number's name -> how many of it make one, and of what. Bounds end so, but those without a unit.
UNITS: dict[str, tuple[int, str]] = {
    "cg": (CENTI, "g per minute"),
    "ug": (MICRO, "g per minute"),
    "us": (MICRO, "s"),
    "uw": (MICRO, "W"),
    "nkwh": (NANO, "kWh per minute"),
    "mg": (1000, "g per kWh"),
    "uh": (MICRO, "h"),
    "ud": (MICRO, "days"),
    "ppm": (MICRO, ""),
    "ppt": (PPT, ""),
    "percent": (1, "%"),
    "months": (1, "months"),
}
SINCE_1970 = "s since 1970"  # of points in time
WITHOUT_UNIT = {"number_most", "forecast_multiple"}  # bounds every number of a report (INT-03); so many times


@dataclass(frozen=True)
class Fact:
    """A name that rules may use. `per_unit` whole parts make one `unit`; `label` is the fact in words."""

    name: str
    scope: str
    type: FactType
    label: str
    unit: str = ""
    per_unit: int = 1


def _facts(scope: str, *rows: tuple[str, FactType, str] | tuple[str, FactType, str, str, int]) -> dict[str, Fact]:
    return {row[0]: Fact(row[0], scope, *row[1:]) for row in rows}


# What a rule can be asked for, and whose facts it then sees. Runs are the activities off the service path.
SCOPES = {
    "once": "once",
    "misfit": "misfit",
    "activity": "activity",
    "run": "activity",
    "model": "model",
    "hardware": "hardware",
    "run_share": "run_share",
    "raw_log": "raw_log",
    "log_line": "log_line",
    "claim": "claim",
}

FACTS: dict[str, Fact] = {
    **_facts(
        "once",
        ("report.standard", "STRING", "standard that the report names"),
        ("report.renewal", "BOOL", "renewal of a certificate"),
        ("report.issued_us", "INT", "time of the report", SINCE_1970, MICRO),
        ("report.audio_sha256", "STRING", "SHA-256 in the report"),
        ("report.ai_contribution", "STRINGS", "AI contributions"),
        ("report.stages", "STRINGS", "reported stages"),
        ("report.stages_not_performed", "STRINGS", "stages declared absent"),
        ("report.model_classes", "STRINGS", "model classes"),
        ("report.takes", "INT", "takes"),
        ("report.raw_logs", "INT", "raw logs named"),
        ("report.repeated_ids", "STRINGS", "activity ids that stand twice"),
        ("report.inference_activities", "INT", "inference activities"),
        ("report.minutes_without_model_nmin", "INT", "generated minutes that no model made", "min", NANO),
        ("report.offsets", "INT", "offsets listed"),
        ("report.total_given", "BOOL", "declared total given"),
        ("report.total_gap_ppm", "INT", "distance of the declared total", "of ours", MICRO),
        ("report.round_ppm", "INT", "share of energies with at most two digits", "", MICRO),
        ("report.countries", "STRINGS", "countries of the activities"),
        ("report.years", "INTS", "years of the activities"),
        ("report.claim_excess_nkwh", "INT", "claimed energy beyond the used", "kWh", NANO),
        ("numbers.finite", "BOOL", "all numbers finite"),
        ("numbers.least", "INT", "least number, rounded down"),
        ("numbers.most", "INT", "largest number, rounded up"),
        ("track.created_us", "INT", "time of the track", SINCE_1970, MICRO),
        ("track.counted_us", "INT", "counted length R", "s", MICRO),
        ("track.length_gap_us", "INT", "distance of declared and real length", "s", MICRO),
        ("track.length_gap_ppm", "INT", "distance of declared and real length", "of the real one", MICRO),
        ("audio.sha256", "STRING", "SHA-256 of the file"),
        ("audio.duration_us", "INT", "length of the file", "s", MICRO),
        ("audio.silence_ppm", "INT", "silence in the file", "of its length", MICRO),
        ("audio.certified", "BOOL", "file already certified"),
        ("evidence.now_us", "INT", "time of the decision", SINCE_1970, MICRO),
        ("evidence.level", "STRING", "evidence level"),
        ("evidence.applicant_ok", "BOOL", "applicant's signature stands"),
        ("party.coverages", "STRINGS", "coverages the measuring party is registered for"),
        ("party.methods", "STRINGS", "methods the measuring party is registered for"),
        ("inference.first_end_us", "INT", "end of the first inference", SINCE_1970, MICRO),
        ("inference.used_energy", "BOOL", "inference used energy"),
        ("inference.per_minute_down_nkwh", "INT", "energy per generated minute", "kWh", NANO),
        ("inference.per_minute_up_nkwh", "INT", "energy per generated minute", "kWh", NANO),
        ("footprint.assessed_cg", "INT", "assessed", "g/min", CENTI),
        ("footprint.central_cg", "INT", "best estimate", "g/min", CENTI),
        ("footprint.defaults_ug", "INT", "from defaults", "g/min", MICRO),
        ("footprint.grid_mg", "INT", "mean grid factor by energy", "g/kWh", 1000),
        ("process.model_efficiency", "INT", "model-efficiency measures named"),
        ("process.dataset_governance_given", "BOOL", "dataset governance given"),
        ("process.auditable_pipeline_given", "BOOL", "auditable pipeline given"),
        ("process.equipment_off_given", "BOOL", "rule for idle machines given"),
        ("process.end_of_life_given", "BOOL", "end-of-life route given"),
        ("process.federated_given", "BOOL", "federated training noted"),
        ("process.retention_given", "BOOL", "retention of takes given"),
        ("process.retention_udays", "INT", "retention of takes", "days", MICRO),
    ),
    **_facts(
        "misfit",
        ("misfit.pointer", "STRING", "field"),
        ("misfit.problem", "STRING", "problem"),
    ),
    **_facts(
        "activity",
        ("activity.stage", "STRING", "stage"),
        ("activity.method", "STRING", "method"),
        ("activity.on_service_path", "BOOL", "on the service path"),
        ("activity.idle", "BOOL", "idle"),
        ("activity.model_known", "BOOL", "its model is listed"),
        ("activity.started_us", "INT", "start", SINCE_1970, MICRO),
        ("activity.ended_us", "INT", "end", SINCE_1970, MICRO),
        ("activity.span_gap_us", "INT", "distance of duration and times", "s", MICRO),
        ("activity.span_gap_ppm", "INT", "distance of duration and times", "of the duration", MICRO),
        ("activity.duration_us", "INT", "duration", "s", MICRO),
        ("activity.energy_nkwh", "INT", "energy", "kWh", NANO),
        ("activity.minutes_umin", "INT", "exported minutes", "min", MICRO),
        ("activity.coverage", "STRING", "coverage"),
        ("activity.meter_id_given", "BOOL", "meter id given"),
        ("activity.meter_class_given", "BOOL", "meter's accuracy class given"),
        ("activity.meter_date_given", "BOOL", "meter's calibration date given"),
        ("activity.tool_registered", "BOOL", "tool is registered"),
        ("activity.tool_ok", "BOOL", "tool version in force"),
        ("activity.tool_pue", "STRING", "PUE in the tool's energy"),
        ("activity.site", "STRING", "site"),
        ("activity.country", "STRING", "country"),
        ("activity.subdivision_given", "BOOL", "subdivision given"),
        ("activity.subdivision", "STRING", "subdivision"),
        ("activity.provider_given", "BOOL", "provider given"),
        ("activity.region_given", "BOOL", "region given"),
        ("activity.region_known", "BOOL", "region in the table"),
        ("activity.region_country", "STRING", "country of the region"),
        ("activity.region_subdivision", "STRING", "subdivision of the region"),
        ("activity.grid_key", "STRING", "row of the grid table"),
        ("activity.declared_grid_given", "BOOL", "declared grid factor given"),
        ("activity.declared_grid_down_ppm", "INT", "declared grid factor", "of the table's", MICRO),
        ("activity.declared_grid_up_ppm", "INT", "declared grid factor", "of the table's", MICRO),
        ("activity.pue_given", "BOOL", "PUE given"),
        ("activity.pue_ppm", "INT", "declared PUE", "", MICRO),
        ("activity.pue_up_ppm", "INT", "declared PUE", "", MICRO),
        ("activity.pue_table_ppm", "INT", "PUE of the table", "", MICRO),
        ("activity.pue_included", "BOOL", "energy already holds the PUE"),
        ("activity.pue_evidenced", "BOOL", "evidence for the PUE names site and year"),
        ("activity.hardware_lines", "INT", "hardware lines"),
        ("activity.nameplate_uw", "INT", "nameplate power", "W", MICRO),
        ("activity.devices", "INT", "devices with a nameplate"),
        ("activity.power_down_uw", "INT", "mean power", "W", MICRO),
        ("activity.power_up_uw", "INT", "mean power", "W", MICRO),
        ("activity.statement_nwh", "INT", "Wh per minute in a valid statement", "Wh", NANO),
        ("activity.allocation_method", "STRING", "allocation method"),
        ("activity.share_ppt", "INT", "share", "", PPT),
        ("activity.share_is_one", "BOOL", "share is one"),
        ("activity.share_used_ppt", "INT", "share that earlier certificates hold", "", PPT),
        ("activity.batch_umin", "INT", "minutes of the batch", "min", MICRO),
        ("activity.batch_left_short_ppt", "INT", "share short of what no other master holds", "", PPT),
        ("activity.batch_track_short_ppt", "INT", "share short of this track's part of the batch", "", PPT),
    ),
    **_facts(
        "model",
        ("model.source", "STRING", "training source"),
        ("model.trained_by", "STRING", "trained by"),
        ("model.affiliated", "BOOL", "known as trained by an affiliate"),
        ("model.statement_valid", "BOOL", "valid statement"),
        ("model.generated_umin", "INT", "generated minutes", "min", MICRO),
        ("model.inference_activities", "INT", "inference activities"),
        ("model.training_activities", "INT", "training activities"),
        ("model.data_activities", "INT", "data activities"),
        ("model.exported_excess_nmin", "INT", "exported minutes beyond the generated", "min", NANO),
        ("model.generated_excess_nmin", "INT", "generated minutes beyond those made to date", "min", NANO),
        ("model.forecast_given", "BOOL", "lifetime forecast given"),
        ("model.use_months", "INT", "months of evidenced use"),
        ("model.forecast_years_ppm", "INT", "forecast in years of evidenced use", "", MICRO),
    ),
    **_facts(
        "hardware",
        ("hardware.known", "BOOL", "name is in the tables"),
        ("hardware.embodied_given", "BOOL", "declared manufacture given"),
        ("hardware.embodied_mg", "INT", "declared manufacture", "kg", MICRO),
        ("hardware.table_mg", "INT", "manufacture of the device in the table", "kg", MICRO),
        ("hardware.life_given", "BOOL", "declared life given"),
        ("hardware.life_uh", "INT", "declared life", "h", MICRO),
        ("hardware.life_evidence_deposited", "BOOL", "evidence of the life is deposited"),
    ),
    **_facts("run_share", ("run_share.sum_ppt", "INT", "shares of the run, earlier ones and these", "", PPT)),
    **_facts(
        "raw_log",
        ("raw_log.is_digest", "BOOL", "64 hex digits"),
        ("raw_log.deposited", "BOOL", "file deposited"),
    ),
    **_facts("log_line", ("log_line.gap_ppm", "INT", "distance of report and log", "of the log", MICRO)),
    **_facts(
        "claim",
        ("claim.certificate_given", "BOOL", "certificate id given"),
        ("claim.retired_given", "BOOL", "retirement date given"),
        ("claim.beneficiary_given", "BOOL", "beneficiary given"),
        ("claim.country", "STRING", "country of the instrument"),
        ("claim.vintage", "INT", "vintage"),
    ),
}
