"""What each rule says at its edges: exactly at a limit, just beyond, and where an optional field is silent."""

from __future__ import annotations

import copy
from decimal import Decimal

import pytest

from tests.standard.world import LOG, REMOVED, cases, failed, run, verdict_of

A = "activities/0/"
MP = "signatures/1/"
VERIFIER = "signatures/2/"


def batch(share, reserved, minutes=30):
    """One run of a batch of 30 minutes, of which 15 are this track's."""
    held = [{"audio_sha256": "c" * 64, "minutes": reserved}]
    return {
        A + "allocation_method": "generated_minutes",
        A + "allocation_share": share,
        A + "batch": {"minutes": minutes, "track_minutes": 15, "reserved": held},
    }


def local(**more):
    return {A + "location": {"country": "FRA", "site": "local"}, **more}


def trained_here(**training):
    """The model is the applicant's own, and its training is reported."""
    return {
        "models/0/trained_by": "applicant",
        "models/0/training": {"source": "activities", "generated_minutes_to_date": 1000, **training},
        "activities/+": run(id="t1", run_id="run-t1", stage="training", **HOUR),
    }


HOUR = {
    "started_at": "2026-08-01T00:00:00Z",
    "ended_at": "2026-08-01T01:00:00Z",
    "duration_s": 3600,
    "energy_kwh": Decimal("0.35"),
}
UNREAD = {f"deposited_logs/{LOG}/activities": {}}
NEXT_TO_NOTHING = {
    A + "idle": True,
    A + "energy_kwh": Decimal("0.0001"),
    "generation/generated_minutes": 15,
    A + "allocation_share": Decimal("0.5"),
    A + "allocation_method": "time_log",
}
YEAR_OF_USE = {"model_use": {"m1": {"months": 12, "minutes_last_12m": 500}}}

CASES = {
    "the case itself passes everything": ({}, {}, []),
    # INT
    "a later minor version of the standard may be named": ({"standard": "LCAL-1.2.0"}, {}, []),
    "a field that nobody knows fails, and the figure is still computed": ({"evidence_level": "A2"}, {}, ["INT-01"]),
    "an unknown field deep inside fails too": ({A + "hardware/0/colour": "red"}, {}, ["INT-01"]),
    "two models with one id cannot be told apart": (
        {"models/+": copy.deepcopy(cases()["C01"].report["models"][0])},
        {},
        ["INT-01"],
    ),
    "idle is for inference only": (
        {"activities/+": run(stage="post_production", idle=True, model=None)},
        {},
        ["INT-01"],
    ),
    "a key that was not in force at signing is no signature": (
        {},
        {"signatures/0/key_active_at_signing": False},
        ["INT-02"],
    ),
    "a key that is no longer in force is no signature": ({}, {"signatures/0/key_active_now": False}, ["INT-02"]),
    "somebody else's signature is not the applicant's": ({}, {"signatures/0/id": "org-2"}, ["INT-02"]),
    "a duration of zero stops everything": ({A + "duration_s": 0}, {}, ["INT-03"]),
    "a negative number stops everything": ({A + "energy_kwh": Decimal("-0.006")}, {}, ["INT-03"]),
    "a tiny negative number stops everything": ({"declared": {"gco2e_total": Decimal("-1e-30")}}, {}, ["INT-03"]),
    "an absurd number stops everything": ({A + "energy_kwh": Decimal("1000000000000.1")}, {}, ["INT-03"]),
    "the largest number is allowed, and then fails as energy": (
        {"declared": {"gco2e_total": 10**12}},
        {},
        ["PLS-10"],
    ),
    "no generated minutes stop everything": ({"generation/generated_minutes": 0}, {}, ["INT-03"]),
    "a model without minutes stops everything": ({"models/0/generated_minutes": 0}, {}, ["INT-03"]),
    "AI-made sound that is never heard stops everything": ({"track/ai_audible_s": 0}, {}, ["INT-03"]),
    "an empty file stops everything": ({}, {"audio/duration_s": 0}, ["INT-03"]),
    "numbers in offsets are numbers of the report": ({"offsets": [{"kg": -1}]}, {}, ["INT-03"]),
    "a time without zone is no time": (
        {A + "started_at": "2026-10-01T10:00:00"},
        {},
        ["INT-05", "PLS-11"],
    ),
    "an end without zone can be anywhere": (
        {A + "ended_at": "2026-10-01T10:01:00"},
        {},
        ["INT-05", "INT-06", "INT-07", "INT-08", "PLS-11"],
    ),
    "one of two ends without zone might be the first": (
        {"activities/+": run(ended_at="2026-10-01T10:01:00")},
        {},
        ["INT-05", "INT-06", "INT-07", "INT-08", "PLS-11"],
    ),
    "an hour that no clock shows is no time": ({A + "started_at": "2026-10-01T24:01:00Z"}, {}, ["INT-05", "PLS-11"]),
    "zones are compared, not digits": (
        {A + "started_at": "2026-10-01T12:00:00+02:00", A + "ended_at": "2026-10-01T11:01:00+01:00"},
        {},
        [],
    ),
    "a start at the end is no run": (
        {A + "started_at": "2026-10-01T10:01:00Z"},
        {},
        ["INT-05", "PLS-11"],
    ),
    "300 s of clock skew are allowed": ({"issued_at": "2026-11-01T00:05:00Z"}, {}, []),
    "301 s are the future": ({"issued_at": "2026-11-01T00:05:01Z"}, {}, ["INT-06"]),
    "a report may be 300 s older than its track": ({"issued_at": "2026-10-01T11:55:00Z"}, {}, []),
    "301 s older is too old": ({"issued_at": "2026-10-01T11:54:59Z"}, {}, ["INT-07"]),
    "365 days to the second are fresh": (
        {},
        {"now": "2027-10-01T10:01:00Z", "statements/st-1/issued_on": "2027-01-01T00:00:00Z"},
        [],
    ),
    "a second later is stale": (
        {},
        {"now": "2027-10-01T10:01:01Z", "statements/st-1/issued_on": "2027-01-01T00:00:00Z"},
        ["INT-08"],
    ),
    "a certified file needs a renewal": ({}, {"ledger/certified_audio": ["a" * 64]}, ["INT-09"]),
    "a renewal may hold a certified file": ({"renewal_of": "c-1"}, {"ledger/certified_audio": ["a" * 64]}, []),
    "a share beside earlier ones may fill the run": (
        {A + "allocation_share": Decimal("0.5"), A + "allocation_method": "time_log"},
        {"ledger/run_share_used": {"mp-1/run-i1": Decimal("0.5")}},
        [],
    ),
    "a share beside earlier ones may not exceed the run": (
        {A + "allocation_share": Decimal("0.5"), A + "allocation_method": "time_log"},
        {"ledger/run_share_used": {"mp-1/run-i1": Decimal("0.500002")}},
        ["INT-10"],
    ),
    "a run of that name at another party is another run": ({}, {"ledger/run_share_used": {"mp-2/run-i1": 1}}, []),
    "one run in two activities is shared out once": ({"activities/+": run(run_id="run-i1")}, {}, ["INT-10"]),
    "the share of a training run is computed and not taken from the ledger": (
        trained_here(),
        {"ledger/run_share_used": {"mp-1/run-t1": 1}},
        [],
    ),
    "half a second of length is allowed in a short file": (
        {"track/duration_s": Decimal("20.5"), "track/ai_audible_s": 20},
        {"audio/duration_s": 20},
        ["THR-03"],
    ),
    "0.5 % of length are allowed in a long one": ({"track/duration_s": Decimal("180.9")}, {}, []),
    "more is another file": ({"track/duration_s": Decimal("180.901")}, {}, ["INT-11"]),
    "a batch whose rest is held for a master leaves nothing over": (batch(Decimal("0.5"), 15), {}, []),
    "a share that falls short by less than any whole part falls short": (
        batch(Decimal("0.479999999999999"), Decimal("15.6")),
        {},
        ["ALC-02"],
    ),
    "a share a hair under the tolerance leaves minutes over": (
        batch(Decimal("0.4999989999999999"), 15),
        {},
        ["INT-12"],
    ),
    "left-over minutes fall on the first track": (batch(Decimal("0.5"), 12), {}, ["INT-12"]),
    "a later track need not carry them": (
        batch(Decimal("0.5"), 12),
        {"ledger/run_share_used": {"mp-1/run-i1": Decimal("0.5")}},
        [],
    ),
    "a batch without minutes is none": (batch(1, 0, minutes=0), {}, ["ALC-02", "INT-12"]),
    "the method of minutes needs a batch": (
        {A + "allocation_method": "generated_minutes"},
        {},
        ["ALC-02", "INT-12"],
    ),
    "an activity id stands once": ({"activities/+": run(id="i1")}, {}, ["INT-13"]),
    # BND
    "a track without inference has no AI-made sound": (
        {A + "stage": "fine_tuning", "stages_not_performed": []},
        {},
        ["INT-08", "BND-01", "BND-10"],
    ),
    "reported fine-tuning need not be declared absent": (
        {"stages_not_performed": [], "activities/+": run(stage="fine_tuning")},
        {},
        [],
    ),
    "15 s are a track": (
        {"track/duration_s": 15, "track/ai_audible_s": 15},
        {"audio/duration_s": 15},
        ["THR-03"],
    ),
    "14.999 s are none": (
        {"track/duration_s": 15, "track/ai_audible_s": 15},
        {"audio/duration_s": Decimal("14.999")},
        ["BND-04", "THR-03"],
    ),
    "the place of post-production closes no class": (
        {"activities/+": run(stage="post_production", model=None, location={"country": "ZZZ", "site": "local"})},
        {},
        [],
    ),
    "the place of training does": (
        trained_here() | {"activities/1/location": {"country": "ZZZ", "site": "local"}},
        {},
        ["BND-05", "PRC-01"],
    ),
    "a tenth of silence is music": ({}, {"audio/silence_s": 18}, []),
    "a tenth of a length with many digits is music": (
        {"track/duration_s": Decimal("180.1234567")},
        {"audio/duration_s": Decimal("180.1234567"), "audio/silence_s": Decimal("18.01234567")},
        [],
    ),
    "more is padding": ({}, {"audio/silence_s": Decimal("18.1")}, ["BND-08"]),
    "lyrics beside vocals are more than lyrics": ({"track/ai_contribution": ["lyrics", "vocals"]}, {}, []),
    "no contribution is no scope": ({"track/ai_contribution": []}, {}, ["BND-09"]),
    "a model that nobody lists made these minutes": (
        {A + "model": "m9"},
        {},
        ["BND-10"],
    ),
    "post-production needs no model": ({"activities/+": run(stage="post_production", model=None)}, {}, []),
    # ALC
    "a share of zero is none": (
        {A + "allocation_share": 0, A + "allocation_method": "time_log"},
        {},
        ["ALC-01", "PRC-01"],
    ),
    "a batch share may be 0.02 under the minutes": (batch(Decimal("0.48"), Decimal("15.6")), {}, []),
    "more is a warning": (batch(Decimal("0.47"), 16), {}, ["ALC-02"]),
    "training runs of the applicant's own model": (trained_here(), {}, []),
    "training runs of a model of others are not theirs to report": (
        {**trained_here(), "models/0/trained_by": "other"},
        {},
        ["ALC-03"],
    ),
    "training by activities needs some": (
        {"models/0/trained_by": "applicant", "models/0/training": {"source": "activities"}},
        {},
        ["ALC-03", "ALC-04", "QLT-01"],
    ),
    "a statement beside training runs is one source too many": (
        {"activities/+": run(id="t1", run_id="run-t1", stage="training", **HOUR)},
        {},
        ["ALC-03", "THR-02", "THR-03"],
    ),
    "the default is not for the applicant's own model": (
        {"models/0/trained_by": "applicant", "models/0/training": {"source": "default"}},
        {},
        ["ALC-03", "BND-07", "QLT-01"],
    ),
    "nor for one that the issuer knows as an affiliate's": (
        {"models/0/training": {"source": "default"}},
        {"affiliated_models": ["m1"]},
        ["ALC-03", "BND-07", "QLT-01"],
    ),
    "a statement of another version is none": (
        {},
        {"statements/st-1/version": "2"},
        ["ALC-03", "QLT-01"],
    ),
    "a statement that is not registered is none": (
        {},
        {"statements/st-1/registered": False},
        ["ALC-03", "QLT-01"],
    ),
    "a statement on market-based electricity is none": (
        {},
        {"statements/st-1/location_based": False},
        ["ALC-03", "QLT-01"],
    ),
    "a statement that no verifier signed is none": (
        {},
        {"statements/st-1/verifier_signed": False},
        ["ALC-03", "QLT-01"],
    ),
    "a statement counts 365 days": ({}, {"statements/st-1/issued_on": "2025-11-01T00:00:00Z"}, []),
    "and not a second longer": (
        {},
        {"statements/st-1/issued_on": "2025-10-31T23:59:59Z"},
        ["ALC-03", "QLT-01"],
    ),
    "a forecast needs a year of use": (
        trained_here(lifetime_minutes_forecast=1500),
        {},
        ["ALC-04"],
    ),
    "a year of use carries a forecast of three": (trained_here(lifetime_minutes_forecast=1500), YEAR_OF_USE, []),
    "and not more": (trained_here(lifetime_minutes_forecast=1501), YEAR_OF_USE, ["ALC-04"]),
    "eleven months are no year": (
        trained_here(lifetime_minutes_forecast=1500),
        {"model_use": {"m1": {"months": Decimal("11.9"), "minutes_last_12m": 500}}},
        ["ALC-04"],
    ),
    "a model made at least this track's minutes": (
        trained_here(generated_minutes_to_date=14),
        {},
        ["ALC-04", "THR-02", "THR-03"],
    ),
    "half a fine-tuning needs a second track": (
        {
            "stages_not_performed": [],
            "activities/+": run(stage="fine_tuning", allocation_share=Decimal("0.5"), allocation_method="time_log"),
        },
        {},
        ["ALC-05"],
    ),
    "with a second track it is shared": (
        {
            "stages_not_performed": [],
            "activities/+": run(stage="fine_tuning", allocation_share=Decimal("0.5"), allocation_method="time_log"),
        },
        {"ledger/run_share_used": {"mp-1/run-x1": Decimal("0.5")}},
        [],
    ),
    # LOC
    "a subdivision that contradicts the region": (
        {
            A + "location": {
                "country": "USA",
                "subdivision": "US-CA",
                "provider": "aws",
                "region": "us-east-1",
                "site": "datacentre",
            }
        },
        {},
        ["LOC-01", "PRC-01"],
    ),
    "a provider's machine does not stand at home": (
        {A + "location/site": "local"},
        {},
        ["LOC-02"],
    ),
    "who says no site has not said it": ({A + "location/site": REMOVED}, {}, ["INT-01", "LOC-02"]),
    # MTH
    "a meter has a calibration": (
        {A + "method": "metered", A + "coverage": "wall", A + "meter": {"id": "w-1", "accuracy_class": "1"}},
        {MP + "capability": {"coverage": ["wall"], "method": ["metered"]}},
        ["MTH-01"],
    ),
    "an empty calibration date is silence": (
        {
            A + "method": "metered",
            A + "coverage": "wall",
            A + "meter": {"id": "w", "accuracy_class": "1", "calibrated_on": " "},
        },
        {MP + "capability": {"coverage": ["wall"], "method": ["metered"]}},
        ["MTH-01"],
    ),
    "a metered run needs no tool": (
        {
            A + "method": "metered",
            A + "coverage": "wall",
            A + "meter": {"id": "w", "accuracy_class": "1", "calibrated_on": "2026-01-01"},
            A + "tool": REMOVED,
        },
        {MP + "capability": {"coverage": ["wall"], "method": ["metered"]}},
        [],
    ),
    "a party without capability measured nothing": ({}, {MP + "capability": REMOVED}, ["MTH-01"]),
    "a laptop has no nameplate": (local(**{A + "hardware": [{"name": "laptop", "count": 1}]}), {}, ["MTH-02"]),
    # PLS
    "a tenth of the nameplate is enough": (
        {A + "energy_kwh": Decimal("0.0008"), A + "duration_s": 72, A + "ended_at": "2026-10-01T10:01:12Z"},
        UNREAD,
        [],
    ),
    "a hair less is not": (
        {A + "energy_kwh": Decimal("0.00079999999999"), A + "duration_s": 72, A + "ended_at": "2026-10-01T10:01:12Z"},
        UNREAD,
        ["PLS-01"],
    ),
    "idle time is exempt": (
        {A + "idle": True, A + "energy_kwh": Decimal("0.0005")},
        UNREAD,
        [],
    ),
    "990 W are possible with one A100": (
        {A + "energy_kwh": Decimal("0.0165")},
        UNREAD,
        [],
    ),
    "a hair more is not": (
        {A + "energy_kwh": Decimal("0.0165000000001")},
        UNREAD,
        ["PLS-02"],
    ),
    "the accelerator alone draws no power for its host": (
        {A + "energy_kwh": Decimal("0.0074"), A + "coverage": "accelerator"},
        UNREAD,
        ["PLS-02"],
    ),
    "a symbolic model may need next to nothing": ({"models/0/class": "symbolic", **NEXT_TO_NOTHING}, UNREAD, []),
    "a neural audio model cannot": (NEXT_TO_NOTHING, UNREAD, ["PLS-03"]),
    "a PUE of 3 is possible": ({A + "pue": 3}, {}, []),
    "more is not": ({A + "pue": Decimal("3.000001")}, {}, ["PLS-07"]),
    "a PUE may be 0.05 under the table": ({A + "pue": Decimal("1.1")}, {}, []),
    "below that it needs evidence": ({A + "pue": Decimal("1.0999")}, {}, ["PLS-08"]),
    "evidence names site and year": (
        {A + "pue": Decimal("1.02"), A + "pue_evidence": {"site": "Paris", "year": 2025}},
        {},
        [],
    ),
    "a quarter of the table's device is no token": (
        {A + "hardware/0/embodied": {"kgco2e": Decimal("141.925")}},
        {},
        [],
    ),
    "less is one": ({A + "hardware/0/embodied": {"kgco2e": Decimal("141.9249")}}, {}, ["PLS-09"]),
    "a declared total within a tenth": ({"declared": {"gco2e_total": Decimal("3.3")}}, {}, []),
    "a declared total beyond": ({"declared": {"gco2e_total": Decimal("3.2")}}, {}, ["PLS-10"]),
    "two seconds between duration and times": ({A + "ended_at": "2026-10-01T10:01:02Z"}, {}, []),
    "five percent of a long run": (
        {A + "ended_at": "2026-10-01T10:01:03Z"},
        {},
        [],
    ),
    "3.001 s of 60 are more": ({A + "ended_at": "2026-10-01T10:01:03.001Z"}, {}, ["PLS-11"]),
    "an alias is a name, letter case aside": ({A + "hardware/0/name": "a100-SXM4-80gb"}, {}, []),
    "an unlisted device is a warning": ({A + "hardware/0/name": "MyGPU"}, {}, ["PLS-14"]),
    "a tool that always holds the PUE": ({}, {"tools/codecarbon 3.3.2/pue": "always"}, ["PLS-15"]),
    "a tool that never does": ({A + "pue_included": True}, {"tools/codecarbon 3.3.2/pue": "never"}, ["PLS-15"]),
    "four years with evidence and a verifier": (
        {A + "hardware/0/embodied": {"lifetime_h": 35040, "lifetime_evidence": "d" * 64}},
        {"deposited_logs/" + "d" * 64: {"kind": "evidence"}},
        [],
    ),
    "four years without evidence": ({A + "hardware/0/embodied": {"lifetime_h": 17521}}, {}, ["PLS-17"]),
    "no life at all": (
        {A + "hardware/0/embodied": {"lifetime_h": 0}},
        {},
        ["PLS-17", "THR-01", "THR-02", "THR-03"],
    ),
    "one percent between report and log": (
        {},
        {f"deposited_logs/{LOG}/activities/i1/energy_kwh": Decimal("0.00594059406")},
        [],
    ),
    "a hair more": (
        {},
        {f"deposited_logs/{LOG}/activities/i1/energy_kwh": Decimal("0.00594059405")},
        ["PLS-18"],
    ),
    "the duration counts too": ({}, {f"deposited_logs/{LOG}/activities/i1/duration_s": 50}, ["PLS-18"]),
    "a log in a form that nobody reads says nothing": (
        {},
        {f"deposited_logs/{LOG}/activities/i1/energy_kwh": 1, f"deposited_logs/{LOG}/format": REMOVED},
        [],
    ),
    "a run that the log holds and the report leaves out": (
        {},
        {f"deposited_logs/{LOG}/activities/i9": {"energy_kwh": 1}},
        ["PLS-18"],
    ),
    # REN
    "no claims are no matter": ({"energy_claims": []}, {}, []),
    "an incomplete claim is not shown": (
        {"energy_claims": [{"kwh": Decimal("0.001"), "country": "FRA", "vintage": 2026, "certificate_id": "g"}]},
        {},
        ["REN-02"],
    ),
    "a claim of no country fits no market": (
        {
            "energy_claims": [
                {"kwh": Decimal("0.001"), "certificate_id": "g", "retired_on": "2026-11-01", "beneficiary": "org-1"}
            ]
        },
        {},
        ["REN-03"],
    ),
    "no offsets is an empty list": ({"offsets": []}, {}, []),
    # ASR
    "a withdrawn tool measures nothing": ({}, {"tools/codecarbon 3.3.2/ok": False}, ["ASR-03"]),
    "an unregistered tool measures nothing": ({}, {"tools": {}}, ["ASR-03"]),
    "a run without tool was read by nothing": ({A + "tool": REMOVED}, {}, ["ASR-03"]),
    "no raw log is no evidence": ({"raw_log_sha256": []}, {}, ["ASR-01", "ASR-02", "ASR-04"]),
    "a log that was not deposited": ({"raw_log_sha256": ["e" * 64]}, {}, ["ASR-01", "ASR-02", "ASR-04"]),
    "a party whose key is no longer in force": ({}, {MP + "key_active_now": False}, ["ASR-01", "ASR-02"]),
    "a party that is not registered": ({}, {MP + "registered": False}, ["ASR-01", "ASR-02"]),
    "a verifier with a conflict": ({}, {VERIFIER + "conflict": True}, ["ASR-02"]),
    "a verifier who says nothing of conflicts": ({}, {VERIFIER + "conflict": REMOVED}, ["ASR-02"]),
    "a verifier out of scope": ({}, {VERIFIER + "in_scope": False}, ["ASR-02"]),
    "an applicant who verifies itself": ({}, {VERIFIER + "id": "org-1"}, ["ASR-02"]),
    # PRC
    "an own server room needs no region to be a place, but hosting is not named": (
        {A + "location": {"country": "FRA", "provider": "own", "site": "datacentre"}},
        {},
        ["PRC-01"],
    ),
    "a blank region is none": ({A + "location/region": " "}, {}, ["PRC-01"]),
    "an empty policy is silence": ({"process/dataset_governance": " "}, {}, ["PRC-03"]),
    "no measure is none": ({"process/model_efficiency": [""]}, {}, ["PRC-02"]),
    "31 days are longer than 30": ({"process/take_retention_days": 31}, {}, ["PRC-04"]),
}


@pytest.mark.parametrize(("report", "fixtures", "expected"), CASES.values(), ids=CASES.keys())
def test_rules_at_their_edges(report, fixtures, expected):
    assert sorted(failed(verdict_of(report, fixtures))) == sorted(expected)


@pytest.mark.parametrize(
    ("declared", "remarks"),
    [("39.2", []), ("39.1999999", ["PLS-05"]), ("58.8", []), ("58.8000001", ["PLS-06"])],
    ids=["four fifths of the table", "a hair less", "six fifths", "a hair more"],
)
def test_a_declared_grid_factor_is_compared_to_the_last_digit(declared, remarks):
    verdict = verdict_of({A + "grid_gco2e_per_kwh": Decimal(declared)})
    assert [finding.rule for finding in verdict.infos if finding.rule.startswith("PLS-0")] == remarks


@pytest.mark.parametrize("read", [Decimal("Infinity"), Decimal("NaN")], ids=["no end", "no number"])
def test_a_log_that_is_said_to_hold_no_real_number_is_no_agreement(read):
    verdict = verdict_of(None, {f"deposited_logs/{LOG}/activities": {"i1": {"energy_kwh": read}}})
    assert failed(verdict) == ["PLS-18"]
