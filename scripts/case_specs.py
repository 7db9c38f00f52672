"""What the cases of the rules and of the limits change, and which rules fail by the text of the standard.

The verdicts here are decided by reading; ``make_cases`` adds the figures and writes the files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

Change = dict[str, Any]

# Places of the case that most others change, C01: one run of one minute, a statement, a measuring party and a verifier.
R = "/report/"
A = R + "activities/0/"
MORE = R + "activities/-"
M = R + "models/0/"
T = R + "track/"
P = R + "process/"
H = A + "hardware/0/"
F = "/fixtures/"
PARTY = F + "signatures/1/"
VERIFIER = F + "signatures/2/"
STATEMENT = F + "statements/st-1/"
LOG = "b" * 64
READ = F + f"deposited_logs/{LOG}/activities/"
FILE = "d" * 64
USED = F + "ledger/run_share_used/mp-1~1run-i1"

INFOS = "PLS-12 PRC-08"  # what C01 is told: its energy has one digit, and federated training is not spoken of


def d(text: str) -> str:
    """An exact decimal."""
    return f"__DEC__{text}"


@dataclass(frozen=True)
class Spec:
    """What a case changes and what fails then. `fails` and `infos` are complete."""

    title: str
    why: str
    change: Change = field(default_factory=dict)
    fails: str = ""
    infos: str = INFOS
    like: str = "C01"
    remove: tuple[str, ...] = ()
    defaults_over_class_2: bool = False
    readable: bool = True
    also: tuple[str, ...] = ()  # further members of `expected`


# --- parts of cases ---


def run(**changes: Any) -> Change:
    """One more run like that of C01."""
    first = {
        "id": "x1",
        "run_id": "run-x1",
        "model": "m1",
        "stage": "inference",
        "started_at": "2026-10-01T10:00:00Z",
        "ended_at": "2026-10-01T10:01:00Z",
        "duration_s": 60,
        "location": {"country": "FRA", "provider": "aws", "region": "eu-west-3", "site": "datacentre"},
        "energy_kwh": d("0.006"),
        "coverage": "system",
        "method": "sensor",
        "pue_included": False,
        "shared_service": False,
        "allocation_share": 1,
        "allocation_method": "whole",
        "tool": {"name": "codecarbon", "version": "3.3.2"},
        "hardware": [{"name": "NVIDIA A100 SXM4 80GB", "count": 1}],
    }
    return {name: value for name, value in {**first, **changes}.items() if value is not None}


def mixing(**changes: Any) -> Change:
    """A minute of mixing on the machine of C01."""
    return run(**{"stage": "post_production", "model": None, **changes})


def use(**changes: Any) -> Change:
    """A use of a service beside the run of C01."""
    first = {
        "id": "x1",
        "run_id": "jobs-x1",
        "model": "m1",
        "stage": "inference",
        "method": "service_default",
        "started_at": "2026-10-01T10:00:00Z",
        "ended_at": "2026-10-01T10:01:00Z",
        "minutes": d("0.01"),
        "job_ids": ["job-1"],
        "allocation_share": 1,
        "allocation_method": "whole",
    }
    return {name: value for name, value in {**first, **changes}.items() if value is not None}


def takes(energy: str = "0.006", seconds: str = "60") -> Change:
    """The run of C01 with other energy or duration, in report and log."""
    changes: Change = {A + "energy_kwh": d(energy), READ + "i1/energy_kwh": d(energy)}
    if seconds != "60":
        changes |= {A + "duration_s": d(seconds), READ + "i1/duration_s": d(seconds), A + "ended_at": after(seconds)}
    return changes


def after(seconds: str) -> str:
    """The time so many seconds after the first run began."""
    end = datetime(2026, 10, 1, 10, tzinfo=UTC) + timedelta(microseconds=int(Fraction(seconds) * 10**6))
    return end.isoformat().replace("+00:00", "Z")


def batch(share: str, reserved: str, minutes: int = 30, track: int = 15) -> Change:
    """One run of a batch, of which 15 minutes or so are this track's and some are held for another master."""
    return {
        A + "allocation_method": "generated_minutes",
        A + "allocation_share": d(share),
        A + "batch": {
            "minutes": minutes,
            "track_minutes": track,
            "reserved": [{"audio_sha256": "c" * 64, "minutes": d(reserved)}],
        },
    }


def shared(share: str) -> Change:
    return {A + "allocation_method": "time_log", A + "allocation_share": d(share)}


def long_file(seconds: str) -> Change:
    return {F + "audio/duration_s": d(seconds), T + "duration_s": d(seconds), T + "ai_audible_s": d(seconds)}


def short_track(seconds: str) -> Change:
    """A short track whose figure is small enough for class 1."""
    return {
        **long_file(seconds),
        **takes("0.003", "30"),
        R + "generation/generated_minutes": 1,
        M + "generated_minutes": 1,
        STATEMENT + "training_g_per_minute": d("0.01"),
    }


TRAINING = run(
    id="t1",
    run_id="run-t1",
    stage="training",
    started_at="2026-08-01T00:00:00Z",
    ended_at="2026-08-01T01:00:00Z",
    duration_s=3600,
    energy_kwh=d("0.35"),
)


def trained(run_changes: Change | None = None, **training: Any) -> Change:
    """The model is the applicant's own, made 1000 minutes, and was trained for an hour."""
    return {
        M + "trained_by": "applicant",
        M + "training": {"source": "activities", "generated_minutes_to_date": 1000, **training},
        MORE: {**TRAINING, **(run_changes or {})},
    }


SECOND_MODEL: Change = {
    "id": "m2",
    "name": "m",
    "version": "1",
    "class": "neural-audio",
    "trained_by": "other",
    "generated_minutes": 1,
    "training": {"source": "statement", "statement": "st-1"},
}
OWN_MODEL = {place: value for place, value in trained().items() if place != MORE}
MINUTE: Change = {
    "started_at": "2026-08-01T00:00:00Z",
    "ended_at": "2026-08-01T00:01:00Z",
    "duration_s": 60,
    "energy_kwh": d("0.006"),
}
YEAR_OF_USE: Change = {F + "model_use/m1": {"months": 12, "minutes_last_12m": 500}}
BY_DEFAULT: Change = {M + "parameters_b": d("0.5"), M + "training": {"source": "default"}}
LOCAL: Change = {A + "location": {"country": "FRA", "site": "local"}}
UNKNOWN_HOME: Change = {"country": "ZZZ", "site": "local"}
VIRGINIA: Change = {"country": "USA", "provider": "aws", "region": "us-east-1", "site": "datacentre"}
LAPTOP = [{"name": "laptop", "count": 1}]
PROOF: Change = {A + "pue_evidence": {"site": "Paris 1", "year": 2025, "link": "https://example.org/pue"}}
METER: Change = {"id": "w-1", "accuracy_class": "1", "calibrated_on": "2026-01-15"}
BATCH_THIRD: Change = {
    "minutes": 30,
    "track_minutes": 15,
    "reserved": [{"audio_sha256": "c" * 64, "minutes": 21}],
}


def metered(meter: Change) -> Change:
    return {
        A + "method": "metered",
        A + "coverage": "wall",
        A + "meter": meter,
        PARTY + "capability": {"coverage": ["wall"], "method": ["metered"]},
    }


def claim(**changes: Any) -> Change:
    whole = {
        "kwh": d("0.001"),
        "certificate_id": "guarantee-1",
        "retired_on": "2026-11-01",
        "beneficiary": "org-1",
        "country": "FRA",
        "vintage": 2026,
    }
    return {R + "energy_claims": [{name: value for name, value in {**whole, **changes}.items() if value is not None}]}


# A run whose manufacture has an exact decimal: 90 s of a life of 10,000 h, and no take is kept.
EXACT: Change = {
    **takes("0.006", "90"),
    H + "embodied": {"lifetime_h": 10000},
    P + "take_retention_days": 0,
    STATEMENT + "includes_data": True,
}

# --- the rules: what passes each, and what fails it ---

RULE_CASES: dict[str, tuple[list[Spec], list[Spec]]] = {
    "INT-01": (
        [
            Spec(
                "A report that names a later minor version",
                "A minor version stays readable.",
                {R + "standard": "LCAL-1.2.0"},
            )
        ],
        [
            Spec(
                "A report for another major version",
                "Another major version has other fields and limits.",
                {R + "standard": "LCAL-2.0.0"},
                "INT-01",
            ),
            Spec(
                "A report that states its own evidence level",
                "The model has no such field; the level is derived. The figure is computed without it.",
                {R + "evidence_level": "A2"},
                "INT-01",
            ),
            Spec(
                "A report without the number of takes",
                "A field is missing, so nothing can be computed or asked.",
                fails="INT-01",
                infos="",
                remove=(R + "generation/takes",),
                readable=False,
            ),
            Spec(
                "A number of takes in words",
                "A field of another type makes the report unreadable.",
                {R + "generation/takes": "five"},
                "INT-01",
                infos="",
                readable=False,
            ),
            Spec(
                "Two models with one id",
                "Nobody could say which of them an activity means.",
                {R + "models/-": SECOND_MODEL | {"id": "m1"}},
                "INT-01",
            ),
            Spec("Mixing that is called idle", "Only inference may be idle.", {MORE: mixing(idle=True)}, "INT-01"),
        ],
    ),
    "INT-02": (
        [
            Spec(
                "Signed twice, once with a key that is no longer in force",
                "One signature by a key in force is enough.",
                {
                    F + "signatures/-": {
                        "role": "applicant",
                        "id": "org-1",
                        "valid": True,
                        "key_active_at_signing": True,
                        "key_active_now": False,
                    }
                },
            )
        ],
        [
            Spec(
                "A key that was not yet in force at signing",
                "The key has to be in force when the report is signed.",
                {F + "signatures/0/key_active_at_signing": False},
                "INT-02",
            ),
            Spec(
                "A key that is no longer in force",
                "The key has to be in force at the decision too (10.3).",
                {F + "signatures/0/key_active_now": False},
                "INT-02",
            ),
            Spec(
                "Another organisation's signature",
                "The report is signed by the issuer that it names.",
                {F + "signatures/0/id": "org-2"},
                "INT-02",
            ),
            Spec(
                "A signature that does not fit the bytes",
                "Such a signature is none.",
                {F + "signatures/0/valid": False},
                "INT-02",
            ),
        ],
    ),
    "INT-03": (
        [
            Spec(
                "Discarded takes are kept for zero days",
                "Zero is a number that a report may hold.",
                {P + "take_retention_days": 0},
            ),
            Spec(
                "A file of one microsecond",
                "A length above zero has a figure, however large.",
                long_file("0.000001"),
                "BND-04 THR-01 THR-02 THR-03",
            ),
            Spec(
                "AI-made sound for a tenth of a microsecond",
                "R above zero has a figure, however large.",
                {T + "ai_audible_s": d("0.0000001")},
                "THR-01 THR-02 THR-03",
            ),
            Spec(
                "A run of a tenth of a microsecond, by a second model for as many minutes",
                "Numbers above zero have a figure.",
                {
                    R + "models/-": SECOND_MODEL | {"generated_minutes": d("0.0000001")},
                    MORE: run(
                        model="m2", duration_s=d("0.0000001"), ended_at=after("0.000001"), energy_kwh=d("0.00000000001")
                    ),
                },
            ),
        ],
        [
            Spec("Energy below zero", "No machine gives energy back.", {A + "energy_kwh": d("-0.006")}, "INT-03", ""),
            Spec(
                "A time of AI-made sound that is no number",
                "R cannot be told.",
                {T + "ai_audible_s": "__NaN__"},
                "INT-03",
                "",
            ),
            Spec(
                "A duration that is no number",
                "Nothing can be computed from it.",
                {A + "duration_s": "__NaN__"},
                "INT-03",
                "",
            ),
            Spec(
                "More energy than mankind uses",
                "Beyond 1e12 no number is meant.",
                {A + "energy_kwh": d("2000000000000")},
                "INT-03",
                "",
            ),
            Spec("A file without length", "There is nothing to divide by.", {F + "audio/duration_s": 0}, "INT-03", ""),
            Spec("AI-made sound that is heard for no time", "R is zero.", {T + "ai_audible_s": 0}, "INT-03", ""),
            Spec("No generated minutes", "R is zero.", {R + "generation/generated_minutes": 0}, "INT-03", ""),
            Spec(
                "A model that generated nothing",
                "Its training cannot be shared out.",
                {M + "generated_minutes": 0},
                "INT-03",
                "",
            ),
            Spec("A run that took no time", "Its power cannot be told.", {A + "duration_s": 0}, "INT-03", ""),
        ],
    ),
    "INT-04": (
        [
            Spec(
                "Another file, and a report about it",
                "Both digests are the same.",
                {T + "audio_sha256": "e" * 64, F + "audio/sha256": "e" * 64},
            )
        ],
        [Spec("A report about another file", "The digests differ.", {T + "audio_sha256": "e" * 64}, "INT-04")],
    ),
    "INT-05": (
        [
            Spec(
                "Start and end are written in two zones",
                "12:00 at +02:00 is a minute before 11:01 at +01:00.",
                {A + "started_at": "2026-10-01T12:00:00+02:00", A + "ended_at": "2026-10-01T11:01:00+01:00"},
            )
        ],
        [
            Spec(
                "Two seconds of work between one moment and the same moment",
                "An activity ends after it starts, even where PLS-11 allows for two seconds.",
                {**takes("0.0002", "2"), A + "ended_at": "2026-10-01T10:00:00Z"},
                "INT-05",
            ),
            Spec(
                "A service export that starts without a zone",
                "A time without its zone is no point in time.",
                {A + "started_at": "2026-10-01T08:00:00"},
                "ASR-02 INT-05 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
            Spec(
                "A run that starts without a zone",
                "Its span cannot be told either (PLS-11).",
                {A + "started_at": "2026-10-01T10:00:00"},
                "INT-05 PLS-11",
            ),
        ],
    ),
    "INT-06": (
        [
            Spec(
                "Issued a minute ahead of the issuer's clock",
                "Clocks differ a little.",
                {R + "issued_at": "2026-11-01T00:01:00Z"},
            )
        ],
        [
            Spec(
                "Issued ten minutes ahead",
                "A report cannot come from the future.",
                {R + "issued_at": "2026-11-01T00:10:00Z"},
                "INT-06",
            ),
            Spec(
                "A run that ends six minutes ahead",
                "What has not happened cannot have been measured.",
                {
                    R + "issued_at": "2026-11-01T00:05:00Z",
                    A + "started_at": "2026-11-01T00:05:00Z",
                    A + "ended_at": "2026-11-01T00:06:00Z",
                },
                "INT-06",
            ),
            Spec(
                "A service export that ends six minutes ahead",
                "The rule asks the service path too.",
                {R + "issued_at": "2026-11-01T00:05:00Z", A + "ended_at": "2026-11-01T00:06:00Z"},
                "ASR-02 INT-06 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
        ],
    ),
    "INT-07": (
        [
            Spec(
                "Issued four minutes before the track was finished",
                "Clocks differ a little.",
                {R + "issued_at": "2026-10-01T11:56:00Z"},
            )
        ],
        [
            Spec(
                "Issued ten minutes before the track was finished",
                "It was written for something else.",
                {R + "issued_at": "2026-10-01T11:50:00Z"},
                "INT-07",
            ),
            Spec(
                "A run after the report",
                "A report cannot describe what comes later.",
                {A + "started_at": "2026-10-02T09:10:00Z", A + "ended_at": "2026-10-02T09:11:00Z"},
                "INT-07",
            ),
            Spec(
                "A service export after the report",
                "The rule asks the service path too.",
                {A + "ended_at": "2026-10-02T10:00:00Z"},
                "ASR-02 INT-07 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
        ],
    ),
    "INT-08": (
        [
            Spec(
                "A renewal after 400 days",
                "Renewals are exempt (11).",
                {R + "renewal_of": "certificate-1", F + "now": "2027-11-05T10:01:00Z"},
            )
        ],
        [
            Spec(
                "First asked after 400 days",
                "The statement is a new one; the runs are too old.",
                {F + "now": "2027-11-05T10:01:00Z", STATEMENT + "issued_on": "2027-06-01T00:00:00Z"},
                "INT-08",
            ),
            Spec(
                "A second run that ends at a time without zone",
                "It might be the first of all, so the report is not known to be fresh.",
                {MORE: run(ended_at="2026-10-01T10:01:00")},
                "INT-05 INT-06 INT-07 INT-08 PLS-11",
            ),
            Spec(
                "A run of a year ago beside one of last month",
                "The first of them counts.",
                {
                    F + "now": "2027-11-05T10:01:00Z",
                    STATEMENT + "issued_on": "2027-06-01T00:00:00Z",
                    R + "issued_at": "2027-11-01T00:00:00Z",
                    MORE: run(started_at="2027-10-01T10:00:00Z", ended_at="2027-10-01T10:01:00Z"),
                },
                "INT-08",
            ),
        ],
    ),
    "INT-09": (
        [
            Spec(
                "A renewal for a file that is certified",
                "Renewals are exempt (11).",
                {R + "renewal_of": "certificate-1", F + "ledger/certified_audio": ["a" * 64]},
            )
        ],
        [
            Spec(
                "A file that is certified already",
                "Two certificates could say two things.",
                {F + "ledger/certified_audio": ["a" * 64]},
                "INT-09",
            )
        ],
    ),
    "INT-10": (
        [
            Spec("Half a run, the other half is taken", "Together they are one.", {**shared("0.5"), USED: d("0.5")}),
            Spec(
                "A run of that name at another party",
                "A run is known by party and run id.",
                {F + "ledger/run_share_used/mp-2~1run-i1": 1},
            ),
        ],
        [
            Spec(
                "Half a run of which 0.6 are taken",
                "Together they are 1.1.",
                {**shared("0.5"), USED: d("0.6")},
                "INT-10",
            ),
            Spec(
                "One run in two activities, both whole",
                "Together they are two.",
                {MORE: run(run_id="run-i1")},
                "INT-10",
            ),
        ],
    ),
    "INT-11": (
        [
            Spec(
                "180.5 s declared, 180 s in the file",
                "0.9 s are allowed in a file of this length.",
                {T + "duration_s": d("180.5")},
            )
        ],
        [
            Spec(
                "182 s declared, 180 s in the file",
                "The report is about another file.",
                {T + "duration_s": 182},
                "INT-11",
            )
        ],
    ),
    "INT-12": (
        [
            Spec("Half a batch, the rest is held for another master", "Nothing is left over.", batch("0.5", "15")),
            Spec(
                "Half a batch of which another track has taken its part",
                "The first track carries what is left over, and this is not the first.",
                {**batch("0.5", "12"), USED: d("0.5")},
            ),
            Spec(
                "A batch of a ten-millionth of a minute",
                "However small, it can be shared out.",
                {
                    A + "allocation_method": "generated_minutes",
                    A + "allocation_share": d("0.5"),
                    A + "batch": {
                        "minutes": d("0.0000001"),
                        "track_minutes": d("0.00000005"),
                        "reserved": [{"audio_sha256": "c" * 64, "minutes": d("0.00000005")}],
                    },
                },
            ),
            Spec(
                "Half a batch of which another track has taken next to nothing",
                "It is not the first track.",
                {**batch("0.5", "12"), USED: d("0.0000000000001")},
            ),
        ],
        [
            Spec(
                "Half a batch, three minutes are nobody's",
                "The first track has to carry them.",
                batch("0.5", "12"),
                "INT-12",
            ),
            Spec(
                "A batch without minutes, of which another track has taken its part",
                "Parts of nothing cannot be told, for ALC-02 neither.",
                {**batch("0.5", "0", minutes=0), USED: d("0.5")},
                "ALC-02 INT-12",
            ),
            Spec(
                "Shared by minutes without a batch",
                "The method needs the minutes of the batch.",
                {A + "allocation_method": "generated_minutes"},
                "ALC-02 INT-12",
            ),
            Spec(
                "Half an export, three minutes are nobody's",
                "The rule asks the service path too.",
                batch("0.5", "12"),
                "ASR-02 INT-12 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
        ],
    ),
    "INT-13": (
        [Spec("Two runs with ids of their own", "Each finding can be told apart.", {MORE: run()})],
        [Spec("Two runs with one id", "Nobody could tell which is meant.", {MORE: run(id="i1")}, "INT-13")],
    ),
    "BND-01": (
        [
            Spec("Two runs of inference", "Both used energy.", {MORE: run()}),
            Spec(
                "Mixing that used no energy",
                "The rule asks inference alone.",
                {MORE: mixing(energy_kwh=0)},
                also=("post_production",),
            ),
            Spec(
                "Minutes exported from a service",
                "On the service path minutes count.",
                {},
                "ASR-02 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
            Spec(
                "A second export of a ten-millionth of a minute",
                "A minute is a minute, however short.",
                {
                    M + "generated_minutes": d("15.000001"),
                    MORE: use(method="service_statement", minutes=d("0.0000001")),
                },
                "ASR-02 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
        ],
        [
            Spec(
                "Idle time that used no energy",
                "A machine that is on uses something.",
                {MORE: run(idle=True, energy_kwh=0)},
                "BND-01",
            ),
            Spec(
                "A track of fine-tuning alone",
                "Without inference no model has made anything (BND-10), and there is no first end (INT-08).",
                {A + "stage": "fine_tuning", R + "stages_not_performed": []},
                "BND-01 BND-10 INT-08",
            ),
            Spec(
                "An export of no minutes",
                "A service that made nothing made no track.",
                {A + "minutes": 0, READ + "s1/minutes": 0},
                "ASR-02 BND-01 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
        ],
    ),
    "BND-02": (
        [
            Spec(
                "Fine-tuning that is reported",
                "Who reports it need not declare it absent.",
                {R + "stages_not_performed": [], MORE: run(stage="fine_tuning")},
            )
        ],
        [Spec("Not a word on fine-tuning", "There is no default for it.", {R + "stages_not_performed": []}, "BND-02")],
    ),
    "BND-03": (
        [
            Spec(
                "One take",
                "One is a number of takes, and rare (PLS-13).",
                {R + "generation/takes": 1},
                infos="PLS-12 PLS-13 PRC-08",
            )
        ],
        [
            Spec(
                "No takes", "Nothing is made in no take.", {R + "generation/takes": 0}, "BND-03", "PLS-12 PLS-13 PRC-08"
            )
        ],
    ),
    "BND-04": (
        [Spec("A track of 20 s", "Longer than 15 s.", short_track("20"))],
        [Spec("A track of 14 s", "Shorter than 15 s.", short_track("14"), "BND-04")],
    ),
    "BND-05": (
        [
            Spec(
                "Mixing at a place that nobody knows",
                "Post-production is no part of the figure.",
                {MORE: mixing(location=UNKNOWN_HOME)},
                also=("post_production",),
            )
        ],
        [
            Spec(
                "Idle time at a place that nobody knows",
                "The place counts as the dirtiest of the table.",
                {MORE: run(idle=True, energy_kwh=d("0.0001"), location=UNKNOWN_HOME)},
                "BND-05",
            )
        ],
    ),
    "BND-06": (
        [
            Spec(
                "Two lines of hardware",
                "Each run names what it used.",
                {A + "hardware/-": {"name": "workstation", "count": 1}},
            )
        ],
        [
            Spec(
                "Mixing on no machine",
                "Every run used up a machine.",
                {MORE: mixing(hardware=[])},
                "BND-06",
                also=("post_production",),
            ),
            Spec(
                "Inference on no machine",
                "Then there is no nameplate either (MTH-02).",
                {A + "hardware": []},
                "BND-06 MTH-02",
            ),
        ],
    ),
    "BND-07": (
        [
            Spec(
                "Training and fine-tuning by the applicant",
                "A quarter for data is added to the training, not to the fine-tuning.",
                {
                    **OWN_MODEL,
                    R + "stages_not_performed": [],
                    R + "activities": [
                        run(id="i1", run_id="run-i1"),
                        TRAINING,
                        run(id="f1", run_id="run-f1", stage="fine_tuning"),
                    ],
                },
            ),
            Spec(
                "Training and data by the applicant",
                "Reported data takes the place of the quarter.",
                {
                    **OWN_MODEL,
                    R + "activities": [
                        run(id="i1", run_id="run-i1"),
                        TRAINING,
                        run(id="d1", run_id="run-d1", stage="data", **MINUTE),
                    ],
                },
            ),
            Spec("Training that the applicant reports", "The runs are listed.", trained()),
        ],
        [
            Spec(
                "Training by default, half a billion parameters",
                "0.5 g/min by default are little, and still unknown.",
                BY_DEFAULT,
                "BND-07",
            )
        ],
    ),
    "BND-08": (
        [Spec("10 s of silence", "Less than a tenth.", {F + "audio/silence_s": 10})],
        [
            Spec(
                "20 s of silence",
                "Two seconds more than a tenth; they are not counted.",
                {F + "audio/silence_s": 20},
                "BND-08",
            )
        ],
    ),
    "BND-09": (
        [
            Spec(
                "Lyrics and vocals",
                "Lyrics that a model sings are vocals.",
                {T + "ai_contribution": ["lyrics", "vocals"]},
            )
        ],
        [
            Spec("Lyrics alone", "Outside the scope.", {T + "ai_contribution": ["lyrics"]}, "BND-09"),
            Spec("No contribution at all", "Outside the scope.", {T + "ai_contribution": []}, "BND-09"),
        ],
    ),
    "BND-10": (
        [
            Spec("Mixing without a model", "Work by people needs none.", {MORE: mixing()}, also=("post_production",)),
            Spec(
                "Half of an export of thirty minutes",
                "The model's fifteen minutes are half of them.",
                {
                    A + "minutes": 30,
                    READ + "s1/minutes": 30,
                    A + "allocation_share": d("0.5"),
                    A + "allocation_method": "time_log",
                },
                "ASR-02 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
        ],
        [
            Spec(
                "A run of a model that is not listed",
                "Its training would be nobody's.",
                {MORE: run(model="m9")},
                "BND-10",
            ),
            Spec(
                "A model that no run used",
                "A model is listed for what it made.",
                {R + "models/-": SECOND_MODEL},
                "BND-10",
            ),
            Spec(
                "Fifteen minutes, fourteen by the model",
                "One minute has no model.",
                {M + "generated_minutes": 14},
                "BND-10",
            ),
            Spec(
                "Sixteen minutes exported, fifteen by the model",
                "The export is larger than the model's minutes.",
                {A + "minutes": 16, READ + "s1/minutes": 16},
                "ASR-02 BND-10 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
            Spec(
                "A billionth of a minute without a model",
                "Each minute has one.",
                {M + "generated_minutes": d("14.999999999")},
                "BND-10",
            ),
            Spec(
                "A billionth of a minute exported beyond the model's",
                "Each minute is the model's.",
                {A + "minutes": d("15.000000001"), READ + "s1/minutes": d("15.000000001")},
                "ASR-02 BND-10 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
            Spec(
                "An export of a model that is not listed",
                "It has no statement either, so the defaults count (MTH-03, BND-05).",
                {MORE: use(model="m9")},
                "BND-05 BND-10 MTH-03",
            ),
            Spec(
                "A hair of a minute without a model",
                "Each minute has one.",
                {M + "generated_minutes": d("14.99999999999")},
                "BND-10",
            ),
            Spec(
                "A hair of a minute exported beyond the model's",
                "Each minute is the model's.",
                {A + "minutes": d("15.00000000001"), READ + "s1/minutes": d("15.00000000001")},
                "ASR-02 BND-10 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
        ],
    ),
    "ALC-01": (
        [
            Spec("Half a run by a time log", "A half is a share.", shared("0.5")),
            Spec(
                "Next to nothing of a run",
                "However small, a share.",
                {MORE: run(allocation_share=d("0.0000000000001"), allocation_method="time_log")},
            ),
        ],
        [
            Spec(
                "A share of zero",
                "What is no part is not reported.",
                {MORE: run(allocation_share=0, allocation_method="time_log")},
                "ALC-01",
            ),
            Spec(
                "A training run with a share of one and a half",
                "Its share is computed, and the declared one is impossible all the same.",
                trained({"allocation_share": d("1.5"), "allocation_method": "time_log"}),
                "ALC-01",
            ),
            Spec(
                "A share of a millionth of a millionth beyond one",
                "A share is a part of a whole; INT-10 forgives rounding, this rule does not.",
                shared("1.000000000001"),
                "ALC-01",
            ),
            Spec(
                "An export with a share of zero",
                "The rule asks the service path too.",
                shared("0"),
                "ALC-01 ASR-02 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
        ],
    ),
    "ALC-02": (
        [
            Spec("0.49 of a batch, half of whose minutes are the track's", "0.02 are allowed.", batch("0.49", "15.3")),
            Spec(
                "Fine-tuning that is shared by minutes",
                "The rule asks inference alone.",
                {
                    R + "stages_not_performed": [],
                    MORE: run(
                        stage="fine_tuning",
                        allocation_share=d("0.3"),
                        allocation_method="generated_minutes",
                        batch=BATCH_THIRD,
                    ),
                    F + "ledger/run_share_used/mp-1~1run-x1": d("0.5"),
                },
            ),
        ],
        [
            Spec(
                "0.45 of a batch, half of whose minutes are the track's",
                "Others would carry its grams.",
                batch("0.45", "16.5"),
                "ALC-02",
            ),
            Spec(
                "0.45 of an export, half of whose minutes are the track's",
                "The rule asks the service path too.",
                batch("0.45", "16.5"),
                "ALC-02 ASR-02 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
        ],
    ),
    "ALC-03": (
        [
            Spec(
                "Training runs of an affiliate",
                "Those who trained a model may report it.",
                {**trained(), M + "trained_by": "affiliate"},
            ),
            Spec("The default for a model of others", "Open to models of others alone.", BY_DEFAULT, "BND-07"),
        ],
        [
            Spec(
                "Training runs of a model of others",
                "Only those who trained it can report them.",
                {**trained(), M + "trained_by": "other"},
                "ALC-03",
            ),
            Spec(
                "The applicant's own model without training runs",
                "Its training counts by the default of 0.1 g.",
                {
                    M + "parameters_b": d("0.5"),
                    M + "trained_by": "applicant",
                    M + "training": {"source": "activities", "generated_minutes_to_date": 1000},
                },
                "ALC-03",
            ),
            Spec(
                "A statement beside a training run",
                "One source is enough.",
                {MORE: run(stage="training", **MINUTE)},
                "ALC-03",
            ),
            Spec(
                "A statement beside a run of data",
                "One source is enough.",
                {MORE: run(stage="data", **MINUTE)},
                "ALC-03",
            ),
            Spec(
                "A statement of another version",
                "It says nothing of this one; the default counts.",
                {STATEMENT + "version": "2", M + "parameters_b": d("0.5")},
                "ALC-03",
            ),
            Spec(
                "A statement that is not registered",
                "It is none; the default counts.",
                {STATEMENT + "registered": False, M + "parameters_b": d("0.5")},
                "ALC-03",
            ),
            Spec(
                "A statement that no verifier signed",
                "It is none; the default counts.",
                {STATEMENT + "verifier_signed": False, M + "parameters_b": d("0.5")},
                "ALC-03",
            ),
            Spec(
                "A statement on market-based electricity",
                "It is none; the default counts.",
                {STATEMENT + "location_based": False, M + "parameters_b": d("0.5")},
                "ALC-03",
            ),
            Spec(
                "The default for the applicant's own model",
                "They can report the runs.",
                {**BY_DEFAULT, M + "trained_by": "applicant"},
                "ALC-03 BND-07",
            ),
            Spec(
                "The default for a model that is known as an affiliate's",
                "The issuer knows better.",
                {**BY_DEFAULT, F + "affiliated_models": ["m1"]},
                "ALC-03 BND-07",
            ),
            Spec(
                "The default beside a training run",
                "One source is enough.",
                {**BY_DEFAULT, MORE: run(stage="training", **MINUTE)},
                "ALC-03 BND-07",
            ),
            Spec(
                "The default beside a run of data",
                "One source is enough.",
                {**BY_DEFAULT, MORE: run(stage="data", **MINUTE)},
                "ALC-03 BND-07",
            ),
        ],
    ),
    "ALC-04": (
        [
            Spec(
                "A model that made this track and nothing else",
                "Fifteen minutes to date are those of the track.",
                trained(MINUTE, generated_minutes_to_date=15),
            ),
            Spec(
                "A forecast of two years of use",
                "A year of use is evidenced; the forecast adds uncertainty.",
                {
                    **trained(lifetime_minutes_forecast=1200),
                    F + "model_use/m1": {"months": 12, "minutes_last_12m": 600},
                },
                "QLT-02",
            ),
        ],
        [
            Spec(
                "Fourteen minutes to date, fifteen for this track",
                "A model made at least these.",
                trained(MINUTE, generated_minutes_to_date=14),
                "ALC-04",
            ),
            Spec(
                "A forecast without evidence of use",
                "It is not counted.",
                trained(lifetime_minutes_forecast=1200),
                "ALC-04",
            ),
            Spec(
                "A forecast after eleven months",
                "It is not counted.",
                {
                    **trained(lifetime_minutes_forecast=1200),
                    F + "model_use/m1": {"months": 11, "minutes_last_12m": 600},
                },
                "ALC-04",
            ),
            Spec(
                "A forecast of four years of use",
                "Three of them are counted.",
                {
                    **trained(lifetime_minutes_forecast=2400),
                    F + "model_use/m1": {"months": 12, "minutes_last_12m": 600},
                },
                "ALC-04",
            ),
            Spec(
                "A billionth of a minute less to date than for this track",
                "A model made at least these.",
                trained(MINUTE, generated_minutes_to_date=d("14.999999999")),
                "ALC-04",
            ),
            Spec(
                "A hair of a minute less to date than for this track",
                "A model made at least these.",
                trained(MINUTE, generated_minutes_to_date=d("14.99999999999")),
                "ALC-04",
            ),
        ],
    ),
    "ALC-05": (
        [
            Spec(
                "Half a fine-tuning, another track has taken its part",
                "There is a second track.",
                {
                    R + "stages_not_performed": [],
                    MORE: run(stage="fine_tuning", allocation_share=d("0.5"), allocation_method="finished_minutes"),
                    F + "ledger/run_share_used/mp-1~1run-x1": d("0.5"),
                },
            ),
            Spec(
                "A whole fine-tuning on the first track",
                "Nobody else is there to carry it.",
                {R + "stages_not_performed": [], MORE: run(stage="fine_tuning")},
            ),
            Spec(
                "Half a fine-tuning, another track has taken next to nothing",
                "There is a second track.",
                {
                    R + "stages_not_performed": [],
                    MORE: run(stage="fine_tuning", allocation_share=d("0.5"), allocation_method="finished_minutes"),
                    F + "ledger/run_share_used/mp-1~1run-x1": d("0.0000000000001"),
                },
            ),
        ],
        [
            Spec(
                "Half a fine-tuning on the first track",
                "Nobody carries the other half.",
                {
                    R + "stages_not_performed": [],
                    MORE: run(stage="fine_tuning", allocation_share=d("0.5"), allocation_method="finished_minutes"),
                },
                "ALC-05",
            ),
            Spec(
                "Half a fine-tuning on a service",
                "The rule asks the service path too.",
                {
                    R + "stages_not_performed": [],
                    M + "generated_minutes": 16,
                    MORE: use(
                        stage="fine_tuning",
                        method="service_statement",
                        allocation_share=d("0.5"),
                        allocation_method="finished_minutes",
                    ),
                },
                "ALC-05 ASR-02 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
        ],
    ),
    "ALC-06": (
        [
            Spec(
                "A whole run, and half of another by a time log",
                "Each says what it is.",
                {MORE: run(allocation_share=d("0.5"), allocation_method="time_log")},
            )
        ],
        [
            Spec("A whole that is 0.9", "A part needs another method.", {A + "allocation_share": d("0.9")}, "ALC-06"),
            Spec(
                "A whole export that is 0.9",
                "The rule asks the service path too.",
                {A + "allocation_share": d("0.9")},
                "ALC-06 ASR-02 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
        ],
    ),
    "LOC-01": (
        [
            Spec(
                "Virginia, with its state",
                "The region's row is in that state.",
                {A + "location": {**VIRGINIA, "subdivision": "US-VA"}},
                "PRC-01",
            ),
            Spec("Paris, with its department", "The region's row names none.", {A + "location/subdivision": "FR-75"}),
        ],
        [
            Spec(
                "A region in Paris and a country called Italy",
                "They contradict each other.",
                {A + "location/country": "ITA"},
                "LOC-01",
            ),
            Spec(
                "A region in Virginia and a state called California",
                "They contradict each other.",
                {A + "location": {**VIRGINIA, "subdivision": "US-CA"}},
                "LOC-01 PRC-01",
            ),
        ],
    ),
    "LOC-02": (
        [
            Spec("A machine at home", "Local, and no provider.", LOCAL),
            Spec(
                "An own server room",
                "It is a data centre, and its provider is called own.",
                {A + "location": {"country": "FRA", "provider": "own", "site": "datacentre"}},
                "PRC-01",
            ),
        ],
        [
            Spec(
                "A provider's machine at home",
                "A provider's machine is in a data centre.",
                {A + "location/site": "local"},
                "LOC-02",
            ),
            Spec(
                "Nothing but a country",
                "The site is needed (INT-01), and hosting is not named (PRC-01).",
                {A + "location": {"country": "FRA"}},
                "INT-01 LOC-02 PRC-01",
            ),
        ],
    ),
    "MTH-01": (
        [
            Spec("A calibrated meter at the wall", "The party is registered for it.", metered(METER)),
            Spec(
                "Energy as the provider states it",
                "The party is registered for such figures too.",
                {**takes("0.016"), A + "method": "provider", A + "location": VIRGINIA},
                "PRC-01",
            ),
            Spec(
                "Mixing, read in a way that the party is not registered for",
                "The rule asks inference, training and fine-tuning.",
                {MORE: mixing(method="default")},
                also=("post_production",),
            ),
        ],
        [
            Spec(
                "A coverage that the party is not registered for",
                "It answers for what it can do.",
                {PARTY + "capability/coverage": ["wall"]},
                "MTH-01",
            ),
            Spec(
                "A method that the party is not registered for",
                "It answers for what it can do.",
                {PARTY + "capability/method": ["metered"]},
                "MTH-01",
            ),
            Spec(
                "A meter without a name",
                "Nobody could look at it again.",
                metered({name: METER[name] for name in ("accuracy_class", "calibrated_on")}),
                "MTH-01",
            ),
            Spec(
                "A meter without its class",
                "Nobody knows how exact it is.",
                metered({name: METER[name] for name in ("id", "calibrated_on")}),
                "MTH-01",
            ),
            Spec(
                "A meter without its calibration",
                "Nobody knows how exact it still is.",
                metered({**METER, "calibrated_on": " "}),
                "MTH-01",
            ),
            Spec(
                "Training, read in a way that the party is not registered for",
                "It answers for training too.",
                trained({"method": "default"}),
                "MTH-01",
            ),
            Spec(
                "Fine-tuning, read in a way that the party is not registered for",
                "It answers for fine-tuning too.",
                {R + "stages_not_performed": [], MORE: run(stage="fine_tuning", method="default")},
                "MTH-01",
            ),
        ],
    ),
    "MTH-02": (
        [
            Spec(
                "Mixing on a laptop without a nameplate",
                "The rule asks inference, training and fine-tuning.",
                {MORE: mixing(hardware=LAPTOP)},
                also=("post_production",),
            )
        ],
        [
            Spec(
                "Inference on a laptop without a nameplate",
                "Its power cannot be judged.",
                {**LOCAL, A + "hardware": LAPTOP},
                "MTH-02",
            ),
            Spec(
                "Training on a laptop without a nameplate",
                "Its power cannot be judged.",
                trained({"hardware": LAPTOP}),
                "MTH-02",
            ),
        ],
    ),
    "MTH-03": (
        [
            Spec("A service with a statement", "Nothing by default.", {}, "ASR-02 PRC-01 PRC-04", "PRC-08", like="C42"),
            Spec(
                "Mixing on a service, by default",
                "What is outside the figure closes no class (section 3).",
                {MORE: use(stage="post_production", model=None)},
                also=("post_production",),
            ),
        ],
        [
            Spec(
                "Half a second from a service, by default",
                "Its place is not known either (BND-05).",
                {MORE: use()},
                "BND-05 MTH-03",
                also=("face_calculated",),
            ),
        ],
    ),
    "MTH-04": (
        [
            Spec(
                "A statement with a PUE of 1 and two kinds of machines",
                "4.6: they count as they are stated.",
                {
                    F + "statements/st-s/pue": 1,
                    F + "statements/st-s/hardware": [
                        {"name": "NVIDIA H100 SXM5 80GB", "seconds_per_minute": 3, "count": 2},
                        {"name": "AMD EPYC 7763", "seconds_per_minute": 60},
                    ],
                },
                "ASR-02 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
            Spec("A statement with service figures", "They count.", {}, "ASR-02 PRC-01 PRC-04", "PRC-08", like="C42"),
            Spec(
                "A service whose statement says next to nothing",
                "Above zero, it counts; a service without places is at an unknown one (BND-05).",
                {MORE: use(method="service_statement"), STATEMENT + "wh_per_minute": d("0.0000000001")},
                "BND-05",
            ),
            Spec(
                "Mixing on a service whose statement has no service figures",
                "What is outside the figure closes nothing (section 3).",
                {MORE: use(stage="post_production", method="service_statement")},
                also=("post_production",),
            ),
        ],
        [
            Spec(
                "A service whose statement says zero",
                "No service runs on nothing; the default amounts count, at a place that nobody knows (BND-05).",
                {MORE: use(method="service_statement"), STATEMENT + "wh_per_minute": 0},
                "BND-05 MTH-04",
            ),
            Spec(
                "Half a second from a service whose statement has no service figures",
                "The default amounts count, at a place that nobody knows (BND-05).",
                {MORE: use(method="service_statement")},
                "BND-05 MTH-04",
            ),
        ],
    ),
    "PLS-01": (
        [
            Spec("60 W on a machine of 400 W", "More than a tenth.", takes("0.001")),
            Spec("30 W while idle", "Idle time is exempt.", {**takes("0.0005"), A + "idle": True}),
            Spec(
                "Mixing at 6 W",
                "The rule asks inference, training and fine-tuning.",
                {MORE: mixing(energy_kwh=d("0.0001"))},
                also=("post_production",),
            ),
        ],
        [
            Spec("24 W on a machine of 400 W", "A working machine draws a tenth at least.", takes("0.0004"), "PLS-01"),
            Spec(
                "20 W in training on a machine of 400 W",
                "Training draws a tenth at least.",
                trained({"energy_kwh": d("0.02")}),
                "PLS-01",
            ),
            Spec(
                "24 W in fine-tuning on a machine of 400 W",
                "Fine-tuning draws a tenth at least.",
                {R + "stages_not_performed": [], MORE: run(stage="fine_tuning", energy_kwh=d("0.0004"))},
                "PLS-01",
            ),
        ],
    ),
    "PLS-02": (
        [Spec("900 W with one accelerator of 400 W", "110 % of 900 W are 990 W.", takes("0.015"))],
        [
            Spec("1080 W with one accelerator of 400 W", "More than 990 W.", takes("0.018"), "PLS-02"),
            Spec(
                "480 W at the accelerator alone",
                "Without the host, 110 % of 400 W are 440 W.",
                {**takes("0.008"), A + "coverage": "accelerator"},
                "PLS-02",
            ),
        ],
    ),
    "PLS-03": (
        [
            Spec("0.1 Wh a minute", "As much as the fastest model known.", takes("0.0015")),
            Spec(
                "A symbolic model that needs next to nothing",
                "The rule asks neural audio.",
                {**takes("0.0001"), A + "idle": True, M + "class": "symbolic"},
            ),
        ],
        [
            Spec(
                "A neural model that needs next to nothing",
                "0.007 Wh a minute.",
                {**takes("0.0001"), A + "idle": True},
                "PLS-03",
            )
        ],
    ),
    "PLS-04": (
        [Spec("0.001 kWh a minute", "Far below 20 kWh.", takes("0.015"))],
        [
            Spec(
                "21 kWh a minute on a hundred accelerators",
                "Beyond what any model needs, and beyond every limit.",
                {**takes("315", "36000"), H + "count": 100},
                "PLS-04 THR-01 THR-02 THR-03",
                "PRC-08",
            )
        ],
    ),
    "PLS-05": (
        [Spec("A declared factor of 45", "The table says 49.", {A + "grid_gco2e_per_kwh": 45})],
        [
            Spec(
                "A declared factor of 20",
                "Far below the table's 49, and not used.",
                {A + "grid_gco2e_per_kwh": 20},
                infos="PLS-05 PLS-12 PRC-08",
            )
        ],
    ),
    "PLS-06": (
        [Spec("A declared factor of 55", "The table says 49.", {A + "grid_gco2e_per_kwh": 55})],
        [
            Spec(
                "A declared factor of 90",
                "Far above the table's 49, and not used.",
                {A + "grid_gco2e_per_kwh": 90},
                infos="PLS-06 PLS-12 PRC-08",
            )
        ],
    ),
    "PLS-07": (
        [
            Spec("A PUE of 1.3", "Possible, and evidenced.", {A + "pue": d("1.3"), **PROOF}),
            Spec(
                "A service export that fills in what only runs need",
                "A machine, an impossible PUE and a tool are not looked at on the service path.",
                {
                    A + "pue": d("0.5"),
                    A + "hardware": [{"name": "NVIDIA A100 SXM4 80GB", "count": 1}],
                    A + "tool": {"name": "codecarbon", "version": "3.3.2"},
                    F + "tools/codecarbon 3.3.2": {"ok": True, "pue": "always"},
                },
                "ASR-02 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
        ],
        [
            Spec(
                "A PUE of 0.99",
                "A building cannot use less than its machines.",
                {A + "pue": d("0.99"), **PROOF},
                "PLS-07",
            ),
            Spec("A PUE of 3.5", "Something is wrong.", {A + "pue": d("3.5"), **PROOF}, "PLS-07"),
        ],
    ),
    "PLS-08": (
        [
            Spec("A PUE of 1.05 with site and year", "Evidenced, and counted.", {A + "pue": d("1.05"), **PROOF}),
            Spec("A PUE of 1.12 without evidence", "Near the table's 1.15, which counts.", {A + "pue": d("1.12")}),
            Spec(
                "Energy in Virginia that holds a PUE of 1.3",
                "It holds more than the table's 1.15: nothing is added, and nothing taken off.",
                {A + "location": VIRGINIA, A + "pue": d("1.3"), A + "pue_included": True},
                "PRC-01",
            ),
            Spec(
                "Energy that holds a PUE of 1.05",
                "What is held already needs no evidence; the rest is added.",
                {A + "pue": d("1.05"), A + "pue_included": True},
            ),
        ],
        [
            Spec("A PUE of 1.05 without evidence", "The table's 1.15 counts.", {A + "pue": d("1.05")}, "PLS-08"),
            Spec(
                "A PUE of 1.05 with a site and no year",
                "The table's 1.15 counts.",
                {A + "pue": d("1.05"), A + "pue_evidence": {"site": "Paris 1"}},
                "PLS-08",
            ),
            Spec(
                "A PUE of 1.05 with a year and no site",
                "The table's 1.15 counts.",
                {A + "pue": d("1.05"), A + "pue_evidence": {"year": 2025}},
                "PLS-08",
            ),
        ],
    ),
    "PLS-09": (
        [
            Spec(
                "300 kg declared for the device",
                "More than a quarter of 567.7 kg; the table counts without a deposit.",
                {H + "embodied": {"kgco2e": 300}},
            ),
            Spec(
                "300 kg by the footprint of the maker, which is deposited",
                "It counts for the device; the host is the table's.",
                {
                    **takes("0.06", "600"),
                    H + "embodied": {"kgco2e": 300, "pcf_sha256": FILE},
                    F + f"deposited_logs/{FILE}": {"kind": "pcf"},
                },
            ),
            Spec(
                "300 kg by a file that is deposited and is no footprint",
                "The table counts.",
                {
                    **takes("0.06", "600"),
                    H + "embodied": {"kgco2e": 300, "pcf_sha256": FILE},
                    F + f"deposited_logs/{FILE}": {"kind": "evidence"},
                },
            ),
            Spec(
                "100 kg declared for a processor beside an accelerator",
                "4.5: the processor has no manufacture of its own in the table.",
                {A + "hardware/-": {"name": "AMD EPYC 7763", "count": 1, "embodied": {"kgco2e": 100}}},
            ),
        ],
        [
            Spec(
                "100 kg declared for the device",
                "Less than a quarter of 567.7 kg.",
                {H + "embodied": {"kgco2e": 100}},
                "PLS-09",
            ),
            Spec(
                "600 kg declared for a processor alone",
                "4.5: it stands for a server of 2700 kg.",
                {**LOCAL, A + "hardware": [{"name": "AMD EPYC 7763", "count": 1, "embodied": {"kgco2e": 600}}]},
                "PLS-09",
            ),
        ],
    ),
    "PLS-10": (
        [Spec("A total of 3.5 g declared", "The calculation says 3.61.", {R + "declared": {"gco2e_total": d("3.5")}})],
        [
            Spec(
                "A total of 5 g declared", "The calculation says 3.61.", {R + "declared": {"gco2e_total": 5}}, "PLS-10"
            ),
            Spec(
                "A total of 2 g declared", "The calculation says 3.61.", {R + "declared": {"gco2e_total": 2}}, "PLS-10"
            ),
        ],
    ),
    "PLS-11": (
        [Spec("60 s of work in 61 s", "Two seconds are allowed.", {A + "ended_at": after("61")})],
        [
            Spec(
                "60 s of work in 70 s",
                "The rest is idle time and reported as such.",
                {A + "ended_at": after("70")},
                "PLS-11",
            )
        ],
    ),
    "PLS-12": (
        [Spec("0.00613 kWh", "Three digits are not oddly round.", takes("0.00613"), infos="PRC-08")],
        [Spec("0.0061 kWh", "Two digits are few.", takes("0.0061"))],
    ),
    "PLS-13": (
        [Spec("Two takes", "More than one.", {R + "generation/takes": 2})],
        [
            Spec(
                "A single take",
                "Rare, and fine if it is true.",
                {R + "generation/takes": 1},
                infos="PLS-12 PLS-13 PRC-08",
            )
        ],
    ),
    "PLS-14": (
        [
            Spec("A processor alone", "4.5: it stands for a whole server.", {**LOCAL, H + "name": "AMD EPYC 7763"}),
            Spec(
                "A processor beside an accelerator",
                "4.5: it is a part of the accelerator's host.",
                {A + "hardware/-": {"name": "AMD EPYC 7763", "count": 2}},
            ),
            Spec(
                "A device by its other name, in small letters",
                "Letter case aside, an alias is a name.",
                {H + "name": "a100-sxm4-80gb"},
            ),
        ],
        [
            Spec(
                "A device that no table has",
                "It counts as the highest.",
                {H + "name": "Home-made accelerator"},
                "PLS-14",
            )
        ],
    ),
    "PLS-15": (
        [
            Spec(
                "A tool that always holds the PUE, and says so",
                "It fits.",
                {F + "tools/codecarbon 3.3.2/pue": "always", A + "pue_included": True},
            ),
            Spec(
                "A tool that never holds the PUE, and says so", "It fits.", {F + "tools/codecarbon 3.3.2/pue": "never"}
            ),
            Spec("A tool that can do both, with the PUE", "Both are possible.", {A + "pue_included": True}),
            Spec("A meter and no tool", "Nothing to ask.", metered(METER), remove=(A + "tool",)),
        ],
        [
            Spec(
                "A tool that always holds the PUE, said not to",
                "It would be counted twice.",
                {F + "tools/codecarbon 3.3.2/pue": "always"},
                "PLS-15",
            ),
            Spec(
                "A tool that never holds the PUE, said to",
                "It would be dropped.",
                {F + "tools/codecarbon 3.3.2/pue": "never", A + "pue_included": True},
                "PLS-15",
            ),
        ],
    ),
    "PLS-17": (
        [
            Spec("A life of 10,000 h", "Less than two years.", {H + "embodied": {"lifetime_h": 10000}}),
            Spec(
                "A life of 30,000 h with evidence and a verifier",
                "Up to four years are possible.",
                {
                    H + "embodied": {"lifetime_h": 30000, "lifetime_evidence": FILE},
                    F + f"deposited_logs/{FILE}": {"kind": "evidence"},
                },
            ),
            Spec(
                "Mixing on a machine that lives half an hour",
                "Possible, and counted as a whole hour.",
                {MORE: mixing(hardware=[{"name": "laptop", "count": 1, "embodied": {"lifetime_h": d("0.5")}}])},
                also=("post_production",),
            ),
            Spec(
                "Mixing on a machine that lives a ten-millionth of an hour",
                "Above zero, and counted as a whole hour.",
                {MORE: mixing(hardware=[{"name": "laptop", "count": 1, "embodied": {"lifetime_h": d("0.0000001")}}])},
                also=("post_production",),
            ),
        ],
        [
            Spec(
                "A life of 20,000 h without evidence",
                "Two years count.",
                {H + "embodied": {"lifetime_h": 20000}},
                "PLS-17",
            ),
            Spec(
                "A life of 20,000 h with evidence and no verifier",
                "Two years count.",
                {
                    H + "embodied": {"lifetime_h": 20000, "lifetime_evidence": FILE},
                    F + f"deposited_logs/{FILE}": {"kind": "evidence"},
                },
                "ASR-02 PLS-17",
                remove=(F + "signatures/2",),
            ),
            Spec(
                "A life of 50,000 h with evidence and a verifier",
                "Nobody gets more than four years.",
                {
                    H + "embodied": {"lifetime_h": 50000, "lifetime_evidence": FILE},
                    F + f"deposited_logs/{FILE}": {"kind": "evidence"},
                },
                "PLS-17",
            ),
            Spec(
                "Mixing on a machine that lives no time",
                "Nothing can be spread over nothing.",
                {MORE: mixing(hardware=[{"name": "laptop", "count": 1, "embodied": {"lifetime_h": 0}}])},
                "PLS-17",
                also=("post_production",),
            ),
        ],
    ),
    "PLS-18": (
        [
            Spec("0.00604 kWh in the log", "Less than 1 % apart.", {READ + "i1/energy_kwh": d("0.00604")}),
            Spec(
                "A log in a form that nobody reads",
                "It says nothing, and is deposited all the same.",
                {READ + "i1/energy_kwh": 1},
                remove=(F + f"deposited_logs/{LOG}/format",),
            ),
            Spec(
                "Another energy in the log, and nobody but the applicant",
                "At A0 the figure is the applicant's word alone.",
                {READ + "i1/energy_kwh": d("0.009")},
                "ASR-01 ASR-02",
                remove=(F + "signatures/1",),
            ),
        ],
        [
            Spec("0.0055 kWh in the log", "The report says 0.006.", {READ + "i1/energy_kwh": d("0.0055")}, "PLS-18"),
            Spec("70 s in the log", "The report says 60.", {READ + "i1/duration_s": 70}, "PLS-18"),
            Spec(
                "A run in the log that the report leaves out",
                "Every run of the log is reported.",
                {READ + "i9": {"energy_kwh": d("0.001")}},
                "PLS-18",
            ),
            Spec(
                "Sixteen minutes in the export",
                "The report says fifteen.",
                {READ + "s1/minutes": 16},
                "ASR-02 PLS-18 PRC-01 PRC-04",
                "PRC-08",
                like="C42",
            ),
        ],
    ),
    "REN-02": (
        [Spec("A whole claim", "Certificate, retirement and beneficiary.", claim())],
        [
            Spec("A claim without certificate", "It could be claimed twice.", claim(certificate_id=None), "REN-02"),
            Spec("A claim that is not retired", "It could be claimed twice.", claim(retired_on=None), "REN-02"),
            Spec("A claim for nobody", "It could be claimed twice.", claim(beneficiary=" "), "REN-02"),
        ],
    ),
    "REN-03": (
        [Spec("A claim of the country and the year", "It fits the load.", claim())],
        [
            Spec("A claim of another country", "Another market.", claim(country="NOR"), "REN-03"),
            Spec("A claim of another year", "Another vintage.", claim(vintage=2024), "REN-03"),
            Spec("A claim of no country", "No market at all.", claim(country=None), "REN-03"),
        ],
    ),
    "REN-04": (
        [
            Spec("A claim of all the electricity", "0.006 kWh x 1.1 x 1.15.", claim(kwh=d("0.00759"))),
            Spec("No claims", "Nothing to exceed.", {R + "energy_claims": []}),
        ],
        [
            Spec(
                "A claim of a hair more than all",
                "Nobody can claim more than was used.",
                claim(kwh=d("0.00759000001")),
                "REN-04",
            )
        ],
    ),
    "REN-05": (
        [Spec("An empty list of offsets", "There are none.", {R + "offsets": []})],
        [
            Spec(
                "One offset",
                "It has no place in a report.",
                {R + "offsets": [{"registry": "example", "tonnes": 1}]},
                "REN-05",
            )
        ],
    ),
    "QLT-01": (
        [Spec("Half a gram by default", "Within the 2 g of class 1.", BY_DEFAULT, "BND-07")],
        [
            Spec(
                "3.1 g by energy that nobody read",
                "A default for the energy is a default too.",
                {**takes("0.1", "400"), A + "method": "default", PARTY + "capability/method": ["default"]},
                "QLT-01",
            ),
            Spec(
                "7.5 g by default",
                "Within the 15 g of class 2 and beyond the 2 g of class 1.",
                {**BY_DEFAULT, M + "parameters_b": 8},
                "BND-07 QLT-01",
                also=("face_calculated",),
            ),
            Spec(
                "25 g by default",
                "Beyond the 15 g of class 2.",
                {**BY_DEFAULT, M + "parameters_b": 9},
                "BND-07 QLT-01 THR-03",
                defaults_over_class_2=True,
                also=("face_calculated",),
            ),
        ],
    ),
    "QLT-02": (
        [Spec("A modelled energy", "Factors of 1.4 and 1.5 keep the range within 1.6.", {A + "method": "modelled"})],
        [
            Spec(
                "Training by estimate, spread over a forecast",
                "The factors 1.5 and 1.25 fall on most of the figure.",
                {
                    **trained(
                        {
                            "method": "default",
                            "energy_kwh": d("2.5"),
                            "duration_s": 18000,
                            "ended_at": "2026-08-01T05:00:00Z",
                        },
                        lifetime_minutes_forecast=1500,
                    ),
                    **YEAR_OF_USE,
                    PARTY + "capability/method": ["sensor", "default"],
                    M + "training/generated_minutes_to_date": 300,
                },
                "QLT-02",
            )
        ],
    ),
    "ASR-01": (
        [
            Spec(
                "A measuring party without a verifier",
                "A1 is enough here.",
                fails="ASR-02",
                remove=(F + "signatures/2",),
            )
        ],
        [
            Spec(
                "No measuring party",
                "A verifier who measured nothing does not stand in for it.",
                fails="ASR-01 ASR-02",
                remove=(F + "signatures/1",),
            ),
            Spec(
                "A measuring party that is not registered",
                "Nobody knows it.",
                {PARTY + "registered": False},
                "ASR-01 ASR-02",
            ),
            Spec(
                "A measuring party whose key has ended",
                "It is not in force at the decision.",
                {PARTY + "key_active_now": False},
                "ASR-01 ASR-02",
            ),
        ],
    ),
    "ASR-02": (
        [
            Spec(
                "The verifier measured",
                "Its own measurement stands in for a measuring party.",
                {
                    VERIFIER + "own_measurement": True,
                    VERIFIER + "capability": {"coverage": ["system"], "method": ["sensor"]},
                },
            )
        ],
        [
            Spec("No verifier", "Class 1 asks for one.", fails="ASR-02", remove=(F + "signatures/2",)),
            Spec("A verifier with a conflict", "It is not independent.", {VERIFIER + "conflict": True}, "ASR-02"),
            Spec(
                "A verifier outside its scope",
                "It is not accredited for this.",
                {VERIFIER + "in_scope": False},
                "ASR-02",
            ),
            Spec("An applicant who verifies itself", "It is not independent.", {VERIFIER + "id": "org-1"}, "ASR-02"),
        ],
    ),
    "ASR-03": (
        [
            Spec("A meter needs no tool", "It is read by itself.", metered(METER), remove=(A + "tool",)),
            Spec(
                "A default needs no tool",
                "Nothing was read.",
                {A + "method": "default", PARTY + "capability/method": ["default"]},
                remove=(A + "tool",),
            ),
        ],
        [
            Spec(
                "A tool version that was withdrawn",
                "It has a known fault.",
                {F + "tools/codecarbon 3.3.2/ok": False},
                "ASR-03",
            ),
            Spec(
                "A tool version that is not registered", "Nobody looked at it.", {A + "tool/version": "0.1"}, "ASR-03"
            ),
            Spec("A sensor without a tool", "Something has read it.", fails="ASR-03", remove=(A + "tool",)),
        ],
    ),
    "ASR-04": (
        [
            Spec(
                "Two logs, both deposited",
                "Each can be looked at again.",
                {R + "raw_log_sha256": [LOG, FILE], F + f"deposited_logs/{FILE}": {"kind": "log"}},
            )
        ],
        [
            Spec("No log is named", "Then the level is A0 too.", {R + "raw_log_sha256": []}, "ASR-01 ASR-02 ASR-04"),
            Spec(
                "A log that nobody deposited",
                "Then the level is A0 too.",
                {R + "raw_log_sha256": [FILE]},
                "ASR-01 ASR-02 ASR-04",
            ),
            Spec(
                "A log that is named by something else than its SHA-256",
                "Then the level is A0 too.",
                {R + "raw_log_sha256": ["log-1"], F + "deposited_logs/log-1": {"kind": "log"}},
                "ASR-01 ASR-02 ASR-04",
            ),
        ],
    ),
    "PRC-01": (
        [Spec("At home in a country of 44 g/kWh", "A local machine needs no provider.", LOCAL)],
        [
            Spec(
                "A provider without a region",
                "The dearest of its regions there counts.",
                fails="PRC-01",
                remove=(A + "location/region",),
            ),
            Spec(
                "A region without a provider", "No table knows it.", fails="PRC-01", remove=(A + "location/provider",)
            ),
            Spec("A region of 354 g/kWh", "Others are under 100.", {A + "location": VIRGINIA}, "PRC-01"),
        ],
    ),
    "PRC-02": (
        [Spec("Two measures", "One is enough.", {P + "model_efficiency": ["quantised", "fewer steps"]})],
        [
            Spec("No measure", "Class 1 asks for one.", {P + "model_efficiency": []}, "PRC-02"),
            Spec("A measure without a word", "An empty text is silence.", {P + "model_efficiency": [" "]}, "PRC-02"),
        ],
    ),
    "PRC-03": (
        [
            Spec(
                "A policy with its date",
                "It is named.",
                {P + "dataset_governance": "https://example.org/policy-2026-01-15"},
            )
        ],
        [Spec("No word on training data", "Class 2 asks for it.", fails="PRC-03", remove=(P + "dataset_governance",))],
    ),
    "PRC-04": (
        [Spec("Takes are kept for ten days", "Less than 30.", {P + "take_retention_days": 10})],
        [
            Spec("Takes are kept for sixty days", "Storage counts them.", {P + "take_retention_days": 60}, "PRC-04"),
            Spec("No word on discarded takes", "A year counts.", fails="PRC-04", remove=(P + "take_retention_days",)),
        ],
    ),
    "PRC-05": (
        [
            Spec(
                "Another pipeline that can be audited",
                "It is named.",
                {P + "auditable_pipeline": "https://example.org/log"},
            )
        ],
        [Spec("No word on the pipeline", "Class 2 asks for it.", fails="PRC-05", remove=(P + "auditable_pipeline",))],
    ),
    "PRC-06": (
        [Spec("A power plan", "It is named.", {P + "equipment_off": "https://example.org/power-plan"})],
        [Spec("No word on idle machines", "Class 1 asks for it.", fails="PRC-06", remove=(P + "equipment_off",))],
    ),
    "PRC-07": (
        [Spec("A contract with a recycler", "It is named.", {P + "end_of_life": "https://example.org/recycling"})],
        [Spec("No word on the end of life", "Class 1 asks for it.", fails="PRC-07", remove=(P + "end_of_life",))],
    ),
    "PRC-08": (
        [
            Spec("No federated training", "It is said.", {P + "federated": False}, infos="PLS-12"),
            Spec(
                "Federated training on phones",
                "It is said.",
                {P + "federated": "on phones, not metered"},
                infos="PLS-12",
            ),
        ],
        [Spec("No word on federated training", "It is asked for, and costs nothing.", {T + "title": "Another title"})],
    ),
    "THR-01": (
        [Spec("63 g", "Within 100 g: a neutral badge.", {STATEMENT + "training_g_per_minute": 8}, "THR-02 THR-03")],
        [
            Spec(
                "157 g",
                "Nothing is said about such a track.",
                {STATEMENT + "training_g_per_minute": 20},
                "THR-01 THR-02 THR-03",
            )
        ],
    ),
    "THR-02": (
        [Spec("17 g", "Within 30 g.", {STATEMENT + "training_g_per_minute": 2}, "THR-03")],
        [Spec("40 g", "Beyond 30 g.", {STATEMENT + "training_g_per_minute": 5}, "THR-02 THR-03")],
    ),
    "THR-03": (
        [Spec("9 g", "Within 10 g.", {STATEMENT + "training_g_per_minute": 1})],
        [Spec("13 g", "Beyond 10 g.", {STATEMENT + "training_g_per_minute": d("1.5")}, "THR-03")],
    ),
}


# --- the limits: exactly at each, and one unit beyond ---


def stated(training: str) -> Change:
    """A statement that holds the data, with so much training, chosen for the figure to end where the title says."""
    return {STATEMENT + "training_g_per_minute": d(training), STATEMENT + "includes_data": True}


def use_of_model(**training: Any) -> Change:
    return {**trained(lifetime_minutes_forecast=training.pop("forecast")), F + "model_use/m1": training}


SERVICE = ("ASR-02 PRC-01 PRC-04", "PRC-08")
FOUR_RUNS = [
    run(id="i1", run_id="run-i1"),
    run(id="x1", run_id="run-x1"),
    run(id="x2", run_id="run-x2"),
    run(id="x3", run_id="run-x3", energy_kwh=d("0.00613")),
]

# Training of an hour and a half, spread over a forecast: factors of 1.5 and more on a part of the figure.
FORECAST: Change = {
    **trained(
        {"duration_s": 5400, "energy_kwh": d("0.5"), "ended_at": "2026-08-01T01:30:00Z"}, lifetime_minutes_forecast=1500
    ),
    **YEAR_OF_USE,
}

LIMIT_CASES: dict[str, tuple[list[Spec], list[Spec]]] = {
    "parameters.limits.measured": (
        [
            Spec(
                "100.00 g",
                "THR-01: a limit belongs to its tier.",
                stated("15.867027936828"),
                "THR-02 THR-03",
            )
        ],
        [
            Spec(
                "100.01 g",
                "THR-01: a billionth of a gram more is rounded up.",
                stated("15.86702793699"),
                "THR-01 THR-02 THR-03",
            )
        ],
    ),
    "parameters.limits.class_2": (
        [Spec("30.00 g", "THR-02: a limit belongs to its class.", stated("4.667027936828"), "THR-03")],
        [
            Spec(
                "30.01 g",
                "THR-02: a billionth of a gram more is rounded up.",
                stated("4.66702793699"),
                "THR-02 THR-03",
            )
        ],
    ),
    "parameters.limits.class_1": (
        [
            Spec("10.00 g", "THR-03: a limit belongs to its class.", stated("1.467027936828")),
            Spec(
                "10.00 g and less than half a billionth",
                "THR-03: nine decimals come first (4.8), and they say 10.",
                stated("1.4670279369"),
            ),
        ],
        [
            Spec("10.01 g", "THR-03: a billionth of a gram more is rounded up.", stated("1.46702793699"), "THR-03"),
            Spec(
                "10.00 g and more than half a billionth",
                "THR-03: nine decimals say 10.000000001, and two say 10.01.",
                stated("1.46702793691"),
                "THR-03",
            ),
        ],
    ),
    "parameters.functional_unit.free_silence_share": (
        [Spec("18 s of silence in 180 s", "Section 2: a tenth is music.", {F + "audio/silence_s": 18})],
        [
            Spec(
                "18.0001 s of silence in 180 s",
                "Section 2: the rest is not counted, so R falls.",
                {F + "audio/silence_s": d("18.0001")},
                "BND-08",
            )
        ],
    ),
    "parameters.training_default.0.up_to_b": (
        [Spec("A model of 0.5 billion parameters, by default", "8.3: 0.1 g a minute.", BY_DEFAULT, "BND-07")],
        [
            Spec(
                "A model of 0.500001 billion parameters, by default",
                "8.3: 0.4 g a minute.",
                {**BY_DEFAULT, M + "parameters_b": d("0.500001")},
                "BND-07",
            )
        ],
    ),
    "parameters.training_default.1.up_to_b": (
        [
            Spec(
                "A model of 2 billion parameters, by default",
                "8.3: 0.4 g a minute.",
                {**BY_DEFAULT, M + "parameters_b": 2},
                "BND-07",
            )
        ],
        [
            Spec(
                "A model of 2.000001 billion parameters, by default",
                "8.3: 1.5 g a minute.",
                {**BY_DEFAULT, M + "parameters_b": d("2.000001")},
                "BND-07 QLT-01",
            )
        ],
    ),
    "parameters.training_default.2.up_to_b": (
        [
            Spec(
                "A model of 8 billion parameters, by default",
                "8.3: 1.5 g a minute.",
                {**BY_DEFAULT, M + "parameters_b": 8},
                "BND-07 QLT-01",
            )
        ],
        [
            Spec(
                "A model of 8.000001 billion parameters, by default",
                "8.3: 5 g a minute.",
                {**BY_DEFAULT, M + "parameters_b": d("8.000001")},
                "BND-07 QLT-01 THR-03",
                defaults_over_class_2=True,
            )
        ],
    ),
    "parameters.training.statement_valid_days": (
        [Spec("A statement of 365 days", "6.3: twelve months.", {STATEMENT + "issued_on": "2025-11-01T00:00:00Z"})],
        [
            Spec(
                "A statement of 365 days and a microsecond",
                "6.3: no longer valid; the default counts (ALC-03).",
                {STATEMENT + "issued_on": "2025-10-31T23:59:59.999999Z", M + "parameters_b": d("0.5")},
                "ALC-03",
            )
        ],
    ),
    "parameters.training.forecast_months": (
        [
            Spec(
                "A forecast after twelve months",
                "ALC-04: it counts.",
                use_of_model(forecast=1500, months=12, minutes_last_12m=500),
            )
        ],
        [
            Spec(
                "A forecast after 11.999999 months",
                "ALC-04: it does not count.",
                use_of_model(forecast=1500, months=d("11.999999"), minutes_last_12m=500),
                "ALC-04",
            )
        ],
    ),
    "parameters.training.forecast_multiple": (
        [
            Spec(
                "A forecast of three years of use",
                "ALC-04: the most that counts.",
                use_of_model(forecast=1800, months=12, minutes_last_12m=600),
            )
        ],
        [
            Spec(
                "A forecast of 3.000001 years of use",
                "ALC-04: three of them count.",
                use_of_model(forecast=d("1800.0006"), months=12, minutes_last_12m=600),
                "ALC-04",
            ),
            Spec(
                "A forecast of a hair more than three years of use",
                "ALC-04: three of them count.",
                use_of_model(forecast=d("1800.0000001"), months=12, minutes_last_12m=600),
                "ALC-04",
            ),
        ],
    ),
    "parameters.service_default.weight_tolerance": (
        [
            Spec(
                "Places that weigh 1.000001",
                "6.3: weights sum to 1, within a millionth.",
                {F + "statements/st-s/places/0/weight": d("0.500001")},
                *SERVICE,
                like="C42",
            )
        ],
        [
            Spec(
                "Places that weigh 1.0000010001",
                "6.3: these are no shares; the place is unknown (BND-05).",
                {F + "statements/st-s/places/0/weight": d("0.5000010001")},
                "ASR-02 BND-05 PRC-01 PRC-04 THR-03",
                "PRC-08",
                like="C42",
            )
        ],
    ),
    "parameters.hardware.life_h": (
        [Spec("A life of 17,520 h", "PLS-17: two years.", {H + "embodied": {"lifetime_h": 17520}})],
        [
            Spec(
                "A life of 17,520.000001 h",
                "PLS-17: longer needs evidence.",
                {H + "embodied": {"lifetime_h": d("17520.000001")}},
                "PLS-17",
            ),
            Spec(
                "A life of 17,520.0000000001 h",
                "PLS-17: too long by a hair.",
                {H + "embodied": {"lifetime_h": d("17520.0000000001")}},
                "PLS-17",
            ),
        ],
    ),
    "parameters.hardware.life_evidenced_h": (
        [
            Spec(
                "A life of 35,040 h with evidence and a verifier",
                "PLS-17: four years.",
                {
                    H + "embodied": {"lifetime_h": 35040, "lifetime_evidence": FILE},
                    F + f"deposited_logs/{FILE}": {"kind": "evidence"},
                },
            )
        ],
        [
            Spec(
                "A life of 35,040.000001 h with evidence and a verifier",
                "PLS-17: nobody gets more than four years.",
                {
                    H + "embodied": {"lifetime_h": d("35040.000001"), "lifetime_evidence": FILE},
                    F + f"deposited_logs/{FILE}": {"kind": "evidence"},
                },
                "PLS-17",
            )
        ],
    ),
    "parameters.hardware.life_least_h": (
        [
            Spec(
                "Mixing on a machine that lives one hour",
                "4.5: counted as it is.",
                {MORE: mixing(hardware=[{"name": "laptop", "count": 1, "embodied": {"lifetime_h": 1}}])},
                also=("post_production",),
            )
        ],
        [
            Spec(
                "Mixing on a machine that lives 0.999999 h",
                "4.5: counted as one hour.",
                {MORE: mixing(hardware=[{"name": "laptop", "count": 1, "embodied": {"lifetime_h": d("0.999999")}}])},
                also=("post_production",),
            )
        ],
    ),
    "parameters.defaults.class_2": (
        [
            Spec(
                "15.00 g by default",
                "QLT-01: what class 2 allows.",
                {**BY_DEFAULT, M + "parameters_b": 8, M + "generated_minutes": 30},
                "BND-07 QLT-01 THR-03",
            )
        ],
        [
            Spec(
                "15.000001 g by default",
                "QLT-01: more than class 2 allows.",
                {**BY_DEFAULT, M + "parameters_b": 8, M + "generated_minutes": d("30.000002")},
                "BND-07 QLT-01 THR-03",
                defaults_over_class_2=True,
            )
        ],
    ),
    "parameters.defaults.class_1": (
        [Spec("2.00 g by default", "QLT-01: what class 1 allows.", {**BY_DEFAULT, M + "parameters_b": 2}, "BND-07")],
        [
            Spec(
                "2.000001 g by default",
                "QLT-01: more than class 1 allows.",
                {**BY_DEFAULT, M + "parameters_b": 2, M + "generated_minutes": d("15.0000075")},
                "BND-07 QLT-01",
            ),
            Spec(
                "A hair more than 2.00 g by default",
                "QLT-01: more than class 1 allows.",
                {**BY_DEFAULT, M + "parameters_b": 2, M + "generated_minutes": d("15.0000000075")},
                "BND-07 QLT-01",
            ),
        ],
    ),
    "parameters.calculated.more_than": (
        [
            Spec(
                "Half of the assessed figure by default",
                "4.9: half is not more than half.",
                {**EXACT, **BY_DEFAULT, M + "generated_minutes": d("55.130874")},
                "BND-07",
                also=("face_calculated",),
            )
        ],
        [
            Spec(
                "A millionth of a minute more by default",
                "4.9: the face says so.",
                {**EXACT, **BY_DEFAULT, M + "generated_minutes": d("55.130875")},
                "BND-07",
                also=("face_calculated",),
            )
        ],
    ),
    "parameters.rating.a": (
        [
            Spec(
                "80 % from measurement and a statement",
                "5.2: rating A.",
                {**EXACT, STATEMENT + "training_g_per_minute": d("1.057114112")},
            )
        ],
        [
            Spec(
                "A hair less than 80 % from measurement and a statement",
                "5.2: rating B.",
                {**EXACT, STATEMENT + "training_g_per_minute": d("1.057114111")},
            )
        ],
    ),
    "parameters.rating.b": (
        [
            Spec(
                "50 % from measurement and a statement",
                "5.2: rating B.",
                {**EXACT, STATEMENT + "training_g_per_minute": d("0.246426848")},
            )
        ],
        [
            Spec(
                "A hair less than 50 % from measurement and a statement",
                "5.2: rating C.",
                {**EXACT, STATEMENT + "training_g_per_minute": d("0.246426847")},
            )
        ],
    ),
    "bounds.number_most": (
        [Spec("A number of 1e12", "INT-03: the largest there may be.", {M + "parameters_b": 10**12})],
        [
            Spec(
                "A number a billionth above 1e12",
                "INT-03: no such number is meant.",
                {M + "parameters_b": d("1000000000000.000000001")},
                "INT-03",
                "",
            )
        ],
    ),
    "bounds.clock_skew_us": (
        [
            Spec("Issued 300 s ahead", "INT-06: clocks differ.", {R + "issued_at": "2026-11-01T00:05:00Z"}),
            Spec(
                "A run that ends 300 s ahead",
                "INT-06: clocks differ.",
                {
                    R + "issued_at": "2026-11-01T00:05:00Z",
                    A + "started_at": "2026-11-01T00:04:00Z",
                    A + "ended_at": "2026-11-01T00:05:00Z",
                },
            ),
            Spec(
                "Issued 300 s before the track was finished",
                "INT-07: clocks differ.",
                {R + "issued_at": "2026-10-01T11:55:00Z"},
            ),
            Spec(
                "Issued 300 s before a run ended",
                "INT-07: clocks differ.",
                {A + "started_at": "2026-10-02T09:04:00Z", A + "ended_at": "2026-10-02T09:05:00Z"},
            ),
        ],
        [
            Spec(
                "Issued 300.000001 s ahead",
                "INT-06: in the future.",
                {R + "issued_at": "2026-11-01T00:05:00.000001Z"},
                "INT-06",
            ),
            Spec(
                "A run that ends 300.000001 s ahead",
                "INT-06: in the future.",
                {
                    R + "issued_at": "2026-11-01T00:05:00Z",
                    A + "started_at": "2026-11-01T00:04:00Z",
                    A + "ended_at": "2026-11-01T00:05:00.000001Z",
                },
                "INT-06",
            ),
            Spec(
                "Issued 300.000001 s before the track was finished",
                "INT-07: too old.",
                {R + "issued_at": "2026-10-01T11:54:59.999999Z"},
                "INT-07",
            ),
            Spec(
                "Issued 300.000001 s before a run ended",
                "INT-07: too old.",
                {A + "started_at": "2026-10-02T09:04:00Z", A + "ended_at": "2026-10-02T09:05:00.000001Z"},
                "INT-07",
            ),
        ],
    ),
    "bounds.fresh_us": (
        [
            Spec(
                "365 days after the first inference",
                "INT-08: still fresh.",
                {F + "now": "2027-10-01T10:01:00Z", STATEMENT + "issued_on": "2027-06-01T00:00:00Z"},
            )
        ],
        [
            Spec(
                "365 days and a microsecond after the first inference",
                "INT-08: no longer fresh.",
                {F + "now": "2027-10-01T10:01:00.000001Z", STATEMENT + "issued_on": "2027-06-01T00:00:00Z"},
                "INT-08",
            )
        ],
    ),
    "bounds.run_share_ppt": (
        [Spec("Shares of 1.000001", "INT-10: rounding is forgiven.", {**shared("0.500001"), USED: d("0.5")})],
        [
            Spec(
                "Shares of 1.000001000001",
                "INT-10: more than one.",
                {**shared("0.500001000001"), USED: d("0.5")},
                "INT-10",
            ),
            Spec(
                "Shares of 1.0000010000000001",
                "INT-10: too much by a hair.",
                {**shared("0.5000010000000001"), USED: d("0.5")},
                "INT-10",
            ),
        ],
    ),
    "bounds.length_gap_us": (
        [
            Spec(
                "20.5 s declared, 20 s in the file",
                "INT-11: half a second is allowed.",
                {**short_track("20"), T + "duration_s": d("20.5")},
            )
        ],
        [
            Spec(
                "20.500001 s declared, 20 s in the file",
                "INT-11: another file.",
                {**short_track("20"), T + "duration_s": d("20.500001")},
                "INT-11",
            ),
            Spec(
                "20.5000001 s declared, 20 s in the file",
                "INT-11: another file by a hair.",
                {**short_track("20"), T + "duration_s": d("20.5000001")},
                "INT-11",
            ),
        ],
    ),
    "bounds.length_gap_ppm": (
        [
            Spec(
                "179.1 s declared, 180 s in the file",
                "INT-11: half a percent is allowed.",
                {T + "duration_s": d("179.1")},
            )
        ],
        [
            Spec(
                "179.0999999 s declared, 180 s in the file",
                "INT-11: another file.",
                {T + "duration_s": d("179.0999999")},
                "INT-11",
            )
        ],
    ),
    "bounds.share_tolerance_ppt": (
        [
            Spec(
                "0.499999 of a batch, half of it held for others",
                "INT-12: rounding is forgiven.",
                batch("0.499999", "15"),
            )
        ],
        [
            Spec(
                "0.499998999999 of a batch, half of it held for others",
                "INT-12: something is left over.",
                batch("0.499998999999", "15"),
                "INT-12",
            ),
            Spec(
                "A third of a batch, short by a hair more than the tolerance",
                "INT-12: something is left over.",
                batch("0.333332333333", "20", track=10),
                "INT-12",
            ),
        ],
    ),
    "bounds.track_us": (
        [Spec("15 s", "BND-04: long enough.", short_track("15"))],
        [
            Spec("14.999999 s", "BND-04: too short.", short_track("14.999999"), "BND-04"),
            Spec(
                "A ten-millionth of a second less than 15 s",
                "BND-04: too short by a hair.",
                short_track("14.9999999"),
                "BND-04",
            ),
        ],
    ),
    "bounds.silence_percent": (
        [Spec("18 s of silence in 180 s, by the file", "BND-08: a tenth.", {F + "audio/silence_s": d("18.000000")})],
        [
            Spec(
                "18.000001 s of silence in 180 s",
                "BND-08: more than a tenth.",
                {F + "audio/silence_s": d("18.000001")},
                "BND-08",
            ),
            Spec(
                "18.0000001 s of silence in 180 s",
                "BND-08: more than a tenth by a hair.",
                {F + "audio/silence_s": d("18.0000001")},
                "BND-08",
            ),
        ],
    ),
    "bounds.batch_tolerance_ppt": (
        [
            Spec(
                "0.48 of a batch, half of whose minutes are the track's",
                "ALC-02: 0.02 are allowed.",
                batch("0.48", "15.6"),
            )
        ],
        [
            Spec(
                "0.479999999999 of such a batch",
                "ALC-02: others carry its grams.",
                batch("0.479999999999", "15.6"),
                "ALC-02",
            ),
            Spec(
                "A third of a batch less 0.02 and a hair",
                "ALC-02: others carry its grams.",
                batch("0.313333333333", "20.6", track=10),
                "ALC-02",
            ),
        ],
    ),
    "bounds.power_floor_percent": (
        [Spec("40 W on a machine of 400 W", "PLS-01: a tenth.", takes("0.0008", "72"))],
        [
            Spec(
                "A millionth of a watt less than 40 W",
                "PLS-01: less than a tenth.",
                takes("0.00079999999998", "72"),
                "PLS-01",
                "PRC-08",
            )
        ],
    ),
    "bounds.power_ceiling_percent": (
        [
            Spec(
                "440 W at an accelerator of 400 W",
                "PLS-02: 110 %.",
                {**takes("0.0088", "72"), A + "coverage": "accelerator"},
            )
        ],
        [
            Spec(
                "A millionth of a watt more than 440 W",
                "PLS-02: more than 110 %.",
                {**takes("0.00880000000002", "72"), A + "coverage": "accelerator"},
                "PLS-02",
                "PRC-08",
            )
        ],
    ),
    "bounds.power_host_uw": (
        [Spec("990 W with one accelerator of 400 W", "PLS-02: 110 % of 900 W.", takes("0.0198", "72"), infos="PRC-08")],
        [
            Spec(
                "A millionth of a watt more than 990 W",
                "PLS-02: more than 110 % of 900 W.",
                takes("0.01980000000002", "72"),
                "PLS-02",
                "PRC-08",
            )
        ],
    ),
    "bounds.energy_least_nkwh": (
        [Spec("0.01 Wh per generated minute", "PLS-03: the floor itself.", {**takes("0.00015"), A + "idle": True})],
        [
            Spec(
                "A billionth of a kWh less",
                "PLS-03: under the floor.",
                {**takes("0.000149985"), A + "idle": True},
                "PLS-03",
                "PRC-08",
            ),
            Spec(
                "A hair less than 0.01 Wh per generated minute",
                "PLS-03: under the floor.",
                {**takes("0.000149999999999"), A + "idle": True},
                "PLS-03",
                "PRC-08",
            ),
        ],
    ),
    "bounds.energy_most_nkwh": (
        [
            Spec(
                "20 kWh per generated minute",
                "PLS-04: the ceiling itself, and far beyond every limit.",
                {**takes("300", "36000"), H + "count": 100},
                "THR-01 THR-02 THR-03",
            )
        ],
        [
            Spec(
                "A billionth of a kWh more",
                "PLS-04: beyond the ceiling.",
                {**takes("300.000000015", "36000"), H + "count": 100},
                "PLS-04 THR-01 THR-02 THR-03",
                "PRC-08",
            ),
            Spec(
                "A hair more than 20 kWh per generated minute",
                "PLS-04: beyond the ceiling.",
                {**takes("300.000000000001", "36000"), H + "count": 100},
                "PLS-04 THR-01 THR-02 THR-03",
                "PRC-08",
            ),
        ],
    ),
    "bounds.grid_low_percent": (
        [Spec("A declared factor of 39.2", "PLS-05: four fifths of 49.", {A + "grid_gco2e_per_kwh": d("39.2")})],
        [
            Spec(
                "A declared factor of 39.199",
                "PLS-05: less than four fifths of 49.",
                {A + "grid_gco2e_per_kwh": d("39.199")},
                infos="PLS-05 PLS-12 PRC-08",
            )
        ],
    ),
    "bounds.grid_high_percent": (
        [Spec("A declared factor of 58.8", "PLS-06: a fifth more than 49.", {A + "grid_gco2e_per_kwh": d("58.8")})],
        [
            Spec(
                "A declared factor of 58.801",
                "PLS-06: more than a fifth more.",
                {A + "grid_gco2e_per_kwh": d("58.801")},
                infos="PLS-06 PLS-12 PRC-08",
            ),
            Spec(
                "A declared factor of 58.8000001",
                "PLS-06: more than a fifth more by a hair.",
                {A + "grid_gco2e_per_kwh": d("58.8000001")},
                infos="PLS-06 PLS-12 PRC-08",
            ),
        ],
    ),
    "bounds.pue_least_ppm": (
        [Spec("A PUE of 1", "PLS-07: all energy goes to the machines.", {A + "pue": 1, **PROOF})],
        [
            Spec("A PUE of 0.999999", "PLS-07: less than the machines.", {A + "pue": d("0.999999"), **PROOF}, "PLS-07"),
            Spec(
                "A PUE of 0.9999999",
                "PLS-07: less than the machines by a hair.",
                {A + "pue": d("0.9999999"), **PROOF},
                "PLS-07",
            ),
        ],
    ),
    "bounds.pue_most_ppm": (
        [Spec("A PUE of 3", "PLS-07: barely possible.", {A + "pue": 3, **PROOF})],
        [
            Spec("A PUE of 3.000001", "PLS-07: no longer possible.", {A + "pue": d("3.000001"), **PROOF}, "PLS-07"),
            Spec("A PUE of 3.0000001", "PLS-07: too much by a hair.", {A + "pue": d("3.0000001"), **PROOF}, "PLS-07"),
        ],
    ),
    "bounds.pue_gap_ppm": (
        [Spec("A PUE of 1.10 without evidence", "PLS-08: 0.05 under the table's 1.15.", {A + "pue": d("1.10")})],
        [
            Spec(
                "A PUE of 1.099999 without evidence",
                "PLS-08: a low PUE needs evidence.",
                {A + "pue": d("1.099999")},
                "PLS-08",
            ),
            Spec(
                "A PUE of 1.0999999 without evidence",
                "PLS-08: too low by a hair.",
                {A + "pue": d("1.0999999")},
                "PLS-08",
            ),
        ],
    ),
    "bounds.embodied_percent": (
        [
            Spec(
                "141.925 kg declared for the device",
                "PLS-09: a quarter of 567.7 kg.",
                {H + "embodied": {"kgco2e": d("141.925")}},
            )
        ],
        [
            Spec(
                "141.924999 kg declared for the device",
                "PLS-09: less than a quarter.",
                {H + "embodied": {"kgco2e": d("141.924999")}},
                "PLS-09",
            ),
            Spec(
                "141.9249999999 kg declared for the device",
                "PLS-09: less than a quarter by a hair.",
                {H + "embodied": {"kgco2e": d("141.9249999999")}},
                "PLS-09",
            ),
        ],
    ),
    "bounds.total_gap_ppm": (
        [
            Spec(
                "A total of a tenth more",
                "PLS-10: 1.1 x 5.2497736 g.",
                {**EXACT, R + "declared": {"gco2e_total": d("5.77475096")}},
            )
        ],
        [
            Spec(
                "A total of a millionth more than a tenth more",
                "PLS-10: worth a look.",
                {**EXACT, R + "declared": {"gco2e_total": d("5.7747562")}},
                "PLS-10",
            ),
            Spec(
                "A total of a hair more than a tenth more",
                "PLS-10: worth a look.",
                {**EXACT, R + "declared": {"gco2e_total": d("5.774750960001")}},
                "PLS-10",
            ),
        ],
    ),
    "bounds.span_gap_us": (
        [
            Spec(
                "20 s of work in 22 s",
                "PLS-11: two seconds are allowed.",
                {**takes("0.002", "20"), A + "ended_at": after("22")},
            )
        ],
        [
            Spec(
                "20 s of work in 22.000001 s",
                "PLS-11: the rest is idle time.",
                {**takes("0.002", "20"), A + "ended_at": after("22.000001")},
                "PLS-11",
            ),
            Spec(
                "19.9999999 s of work in 22 s",
                "PLS-11: a hair more than two seconds.",
                {**takes("0.002", "20"), A + "duration_s": d("19.9999999"), A + "ended_at": after("22")},
                "PLS-11",
            ),
        ],
    ),
    "bounds.span_gap_ppm": (
        [Spec("60 s of work in 63 s", "PLS-11: 5 % are allowed.", {A + "ended_at": after("63")})],
        [
            Spec(
                "60 s of work in 63.00006 s",
                "PLS-11: the rest is idle time.",
                {A + "ended_at": after("63.00006")},
                "PLS-11",
            ),
            Spec(
                "60 s of work in 63.000001 s",
                "PLS-11: a hair more than 5 %.",
                {A + "ended_at": after("63.000001")},
                "PLS-11",
            ),
        ],
    ),
    "bounds.round_ppm": (
        [
            Spec(
                "Four of five energies are round",
                "PLS-12: four fifths are too many already.",
                {R + "activities": [*FOUR_RUNS, run(id="x4", run_id="run-x4")]},
            )
        ],
        [
            Spec(
                "Three of four energies are round",
                "PLS-12: on the other side of the limit, fewer than four fifths.",
                {R + "activities": FOUR_RUNS},
                infos="PRC-08",
            )
        ],
    ),
    "bounds.log_gap_ppm": (
        [
            Spec(
                "0.00606 kWh in the report, 0.006 in the log",
                "PLS-18: one percent is allowed.",
                {A + "energy_kwh": d("0.00606")},
                infos="PRC-08",
            )
        ],
        [
            Spec(
                "0.006060006 kWh in the report, 0.006 in the log",
                "PLS-18: a millionth more is not.",
                {A + "energy_kwh": d("0.006060006")},
                "PLS-18",
                "PRC-08",
            ),
            Spec(
                "0.00606000000001 kWh in the report, 0.006 in the log",
                "PLS-18: more than one percent by a hair.",
                {A + "energy_kwh": d("0.00606000000001")},
                "PLS-18",
                "PRC-08",
            ),
        ],
    ),
    "bounds.spread_percent": (
        [
            Spec(
                "2.00 g assessed, 1.25 g as best estimate",
                "QLT-02: 1.6 times as much is near enough.",
                {**takes("0.00955"), **FORECAST},
                infos="PRC-08",
            )
        ],
        [
            Spec(
                "1.93 g assessed, 1.20 g as best estimate",
                "QLT-02: a cent more than 1.6 times as much is a wide range.",
                {**takes("0.00691"), **FORECAST},
                "QLT-02",
                "PRC-08",
            )
        ],
    ),
    "bounds.clean_grid_mg": (
        [
            Spec(
                "Paris and London, 100 g/kWh on average",
                "PRC-01: just clean.",
                {
                    **takes("0.00555"),
                    MORE: run(
                        energy_kwh=d("0.00255"),
                        location={"country": "GBR", "provider": "aws", "region": "eu-west-2", "site": "datacentre"},
                    ),
                },
                infos="PRC-08",
            )
        ],
        [
            Spec(
                "Paris and London, a thousandth of a gram more",
                "PRC-01: no longer clean.",
                {
                    **takes("0.00555"),
                    MORE: run(
                        energy_kwh=d("0.0025500001"),
                        location={"country": "GBR", "provider": "aws", "region": "eu-west-2", "site": "datacentre"},
                    ),
                },
                "PRC-01",
                "PRC-08",
            )
        ],
    ),
    "bounds.retention_ud": (
        [Spec("Takes are kept for 30 days", "PRC-04: the longest.", {P + "take_retention_days": d("30.000000")})],
        [
            Spec(
                "Takes are kept for 30.000001 days",
                "PRC-04: too long.",
                {P + "take_retention_days": d("30.000001")},
                "PRC-04",
            ),
            Spec(
                "Takes are kept for 30.0000001 days",
                "PRC-04: too long by a hair.",
                {P + "take_retention_days": d("30.0000001")},
                "PRC-04",
            ),
        ],
    ),
}
