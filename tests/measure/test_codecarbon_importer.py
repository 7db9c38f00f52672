"""A log of CodeCarbon is evidence: it is read by the names of its columns, exactly, or refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.errors import MalformedLog
from certifier.measure.activity import Hardware, Place, to_report_activity
from certifier.measure.importers.codecarbon import activities_of_log, activity_of_line
from certifier.measure.importers.purpose import Purpose
from certifier.report.rawlogs import MAX_LOG_BYTES, LogLine, is_emissions_csv, parse_emissions_csv

SAMPLE = (Path(__file__).parents[1] / "vectors" / "codecarbon" / "emissions.csv").read_bytes()
FIRST, SECOND = "cc8cf3ae-162b-4cca-9513-ff2bac5ebbd5", "ae29732d-e49e-4a0d-a6fe-29ee045c673f"
TAKE = Purpose("take-1", "inference", "lofi")
SHORT = b"timestamp,project_name,run_id,duration,energy_consumed\n2026-11-22T20:42:19,p,r,5.5,4.4e-05\n"


def changed(old: bytes, new: bytes) -> bytes:
    assert old in SAMPLE
    return SAMPLE.replace(old, new)


def test_the_real_sample_is_read_to_the_last_digit():
    first, second = parse_emissions_csv(SAMPLE)
    assert first == LogLine(
        run_id=FIRST,
        project_name="lofi-take-fra",
        energy_kwh=Decimal("0.00004417052245762791"),
        duration_s=Decimal("5.694095470999969"),
        emissions_kg=Decimal("0.0000024752719080030104"),
        country="FRA",
        tool_version="3.3.2",
        pue=Decimal("1.0"),
        ended_at_local="2026-11-22T20:42:19",
    )
    assert (second.run_id, second.country) == (SECOND, "POL")


def test_case_m01_of_the_standard_comes_out_exactly():
    line = parse_emissions_csv(SAMPLE)[0]
    activity = to_report_activity(activity_of_line(line, TAKE, UTC), Place(country="FRA"), [Hardware("cpu-desktop")])
    assert activity["energy_kwh"] == "0.00004417052245762791"
    assert activity["grid_gco2e_per_kwh"] == "56.039"
    assert activity["pue_included"] is False
    assert (activity["method"], activity["coverage"]) == ("modelled", "system")


def test_the_time_in_the_log_is_the_end_and_its_zone_is_the_callers():
    activity = activity_of_line(parse_emissions_csv(SAMPLE)[0], TAKE, ZoneInfo("Europe/Paris"))
    assert activity.ended_at == datetime(2026, 11, 22, 19, 42, 19, tzinfo=UTC)
    assert activity.ended_at - activity.started_at == timedelta(seconds=5.694095)


def test_energy_that_holds_a_pue_says_so():
    line = parse_emissions_csv(changed(b",N,1.0,0.0", b",N,1.2,0.0"))[0]
    activity = to_report_activity(activity_of_line(line, TAKE, UTC), Place(), [Hardware("cpu-desktop")])
    assert (activity["pue_included"], activity["pue"]) == (True, "1.2")


def test_columns_are_found_by_name_in_any_order_and_number():
    shuffled = b"energy_consumed,run_id,new_column,duration,project_name,timestamp\n1e-3,r,?,60,p,2024-05-01T10:00:00\n"
    line = parse_emissions_csv(shuffled)[0]
    assert (line.energy_kwh, line.duration_s, line.run_id) == (Decimal("0.001"), Decimal(60), "r")
    assert (line.pue, line.country, line.tool_version, line.grid_gco2e_per_kwh) == (Decimal(1), None, None, None)


BROKEN = {
    "an empty file": b"",
    "a header without a run": SHORT.split(b"\n")[0],
    "another table": b"epoch,energy\n1,2\n",
    "a file that is no text": b"\xff\xfe" + SHORT,
    "a byte order mark": b"\xef\xbb\xbf" + SHORT,
    "a NUL character": SHORT.replace(b",p,", b",\0,"),
    "a column twice": SHORT.replace(b"project_name", b"run_id,project_name").replace(b",p,", b",r,p,"),
    "a short row": SHORT.replace(b",4.4e-05", b""),
    "a long row": SHORT.replace(b",4.4e-05", b",4.4e-05,1"),
    "an empty energy": SHORT.replace(b"4.4e-05", b""),
    "an energy that is no number": SHORT.replace(b"4.4e-05", b"nan"),
    "an endless energy": SHORT.replace(b"4.4e-05", b"Infinity"),
    "a negative energy": SHORT.replace(b"4.4e-05", b"-4.4e-05"),
    "an absurd energy": SHORT.replace(b"4.4e-05", b"1e13"),
    "an energy with a giant exponent": SHORT.replace(b"4.4e-05", b"1e999999"),
    "digits of another script": SHORT.replace(b"5.5", "\u0665".encode()),
    "a time with a zone": SHORT.replace(b"42:19", b"42:19Z"),
    "a day of no calendar": SHORT.replace(b"11-22T", b"11-31T"),
    "a run without an id": SHORT.replace(b",r,", b",,"),
    "a run twice": SHORT + SHORT.split(b"\n")[1] + b"\n",
    "an unclosed quotation mark": SHORT.replace(b",p,", b',"p,'),
    "an overlong cell": SHORT.replace(b",p,", b"," + b"p" * 2000 + b","),
    "a cell beyond all limits": SHORT.replace(b",p,", b"," + b"p" * 200_000 + b","),
    "a file that is too long": b"x" * (MAX_LOG_BYTES + 1),
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_log_is_refused_by_name(raw):
    with pytest.raises(MalformedLog):
        parse_emissions_csv(raw)


@given(
    st.binary(max_size=300)
    | st.builds(
        lambda a, b, c: SHORT[:a] + b + SHORT[c:], st.integers(0, 120), st.binary(max_size=8), st.integers(0, 120)
    )
)
def test_no_bytes_end_in_another_error(raw):
    try:
        lines = parse_emissions_csv(raw)
    except MalformedLog:
        return
    assert all(line.energy_kwh >= 0 and line.run_id for line in lines)
    assert all(isinstance(line.grid_gco2e_per_kwh, Decimal | None) for line in lines)


def test_a_log_with_a_damaged_header_is_not_taken_for_an_unknown_format():
    assert is_emissions_csv(SAMPLE)
    assert is_emissions_csv(changed(b"run_id", b"job_id"))
    assert not is_emissions_csv(b"CarbonTracker: The following components were found\n")


def test_no_run_of_a_log_may_be_left_out():
    with pytest.raises(MalformedLog, match="no purpose"):
        activities_of_log(SAMPLE, {FIRST: TAKE}, UTC)
    both = activities_of_log(SAMPLE, {FIRST: TAKE, SECOND: Purpose("wait", "inference", "lofi", idle=True)}, UTC)
    assert [(a.id, a.idle, a.run_id) for a in both] == [("take-1", False, FIRST), ("wait", True, SECOND)]


STRANGE_RUNS = {
    "a run longer than any calendar": (changed(b"5.694095470999969", b"1e12"), "calendar"),
    "a log that hides its tool's release": (changed(b",3.3.2,", b",,"), "release"),
}


@pytest.mark.parametrize(("raw", "problem"), STRANGE_RUNS.values(), ids=STRANGE_RUNS.keys())
def test_a_run_that_cannot_be_reported_is_refused(raw, problem):
    with pytest.raises(MalformedLog, match=problem):
        activity_of_line(parse_emissions_csv(raw)[0], TAKE, UTC)
