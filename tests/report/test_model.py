"""The report model takes what section 15 says, exactly, and names what does not fit."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from certifier.crypto.strict_json import parse_object
from certifier.errors import MalformedReport
from certifier.report.model import Run, ServiceUse, numbers_of, parse_report, read_report, report_json_schema
from tests.standard.world import REMOVED, cases, report_of

A = "activities/0/"


def test_a_report_is_read_from_strict_json():
    raw = json.dumps(report_of(), default=str).encode()
    assert parse_report(parse_object(raw)) == parse_report(report_of())


QUANTITIES = {
    "an integer": (6, Decimal(6)),
    "an exact decimal": (Decimal("0.0060"), Decimal("0.006")),
    "a decimal string": ("0.006", Decimal("0.006")),
    "a string with an exponent": ("6e-3", Decimal("0.006")),
    "a negative number, which a rule will name": (-1, Decimal(-1)),
}


@pytest.mark.parametrize(("value", "number"), QUANTITIES.values(), ids=QUANTITIES.keys())
def test_quantities_are_exact(value, number):
    activity = parse_report(report_of({A + "energy_kwh": value})).activities[0]
    assert activity.energy_kwh == number


def test_a_nan_can_be_read_so_that_a_rule_can_name_it():
    assert parse_report(report_of({A + "energy_kwh": Decimal("NaN")})).activities[0].energy_kwh.is_nan()


REFUSED = {
    "a binary float": ({A + "energy_kwh": 0.006}, "/activities/0/energy_kwh"),
    "a truth as a number": ({A + "energy_kwh": True}, "/activities/0/energy_kwh"),
    "NaN in words": ({A + "energy_kwh": "NaN"}, "/activities/0/energy_kwh"),
    "infinity in words": ({A + "energy_kwh": "Infinity"}, "/activities/0/energy_kwh"),
    "a number in other digits": ({A + "energy_kwh": "٣"}, "/activities/0/energy_kwh"),
    "a number with a comma": ({A + "energy_kwh": "0,006"}, "/activities/0/energy_kwh"),
    "a number with a thousand digits": ({A + "energy_kwh": 10**1000}, "/activities/0/energy_kwh"),
    "a giant exponent": ({A + "energy_kwh": Decimal("1e999999")}, "/activities/0/energy_kwh"),
    "half a take": ({"generation/takes": Decimal("1.5")}, "/generation/takes"),
    "a number for a truth": ({A + "shared_service": 0}, "/activities/0/shared_service"),
    "no title": ({"track/title": REMOVED}, "/track/title"),
    "an endless title": ({"track/title": "x" * 201}, "/track/title"),
    "a line break in a title": ({"track/title": "one\ntwo"}, "/track/title"),
    "a mark that turns the writing direction": ({"track/artist": "abc\u202ecba"}, "/track/artist"),
    "half a character": ({"track/title": "\ud800"}, "/track/title"),
    "a noncharacter": ({"track/title": "a\ufffe"}, "/track/title"),
    "an unknown field": ({"evidence_level": "A2"}, "/evidence_level"),
    "an unknown field inside": ({A + "location/planet": "Earth"}, "/activities/0/location/planet"),
    "a field with a slash": ({"a/b": 1} and {"a~b": 1}, "/a~0b"),
    "an unknown method": ({A + "method": "guessed"}, "/activities/0/method"),
    "a stage that may not be left out": ({"stages_not_performed": ["inference"]}, "/stages_not_performed/0"),
    "a run without energy": ({A + "energy_kwh": REMOVED}, "/activities/0/energy_kwh"),
    "a run without place": ({A + "location": REMOVED}, "/activities/0/location"),
    "a run without site": ({A + "location/site": REMOVED}, "/activities/0/location/site"),
    "an activity that is a list": ({"activities/0": []}, "/activities/0"),
    "a service without minutes": ({A + "method": "service_default"}, "/activities/0/minutes"),
}


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", "a<b>c", "</title>", "<!-- x", "< img src=x>"])
def test_a_title_with_markup_is_refused(title):
    with pytest.raises(MalformedReport) as error:
        parse_report(report_of({"track/title": title}))
    assert "without markup" in error.value.findings[0].problem


@pytest.mark.parametrize(("changes", "pointer"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_fit_is_refused_with_its_place(changes, pointer):
    with pytest.raises(MalformedReport) as error:
        parse_report(report_of(changes))
    assert error.value.findings[0].pointer == pointer
    assert error.value.findings[0].problem


ALLOWED = {
    "signs that are no markup": {"track/title": "I <3 you & 1 < 2 > 0"},
    "letters of all scripts": {"track/title": "夜曲 № 2 – Ночь 🎹"},
    "a digest that is none, which a rule will name": {"raw_log_sha256": ["log-file-1"]},
    "a time without zone, which a rule will name": {A + "started_at": "yesterday"},
    "no process at all": {"process": REMOVED},
    "no tool": {A + "tool": REMOVED},
    "null where a field is optional": {"renewal_of": None},
}


@pytest.mark.parametrize("changes", ALLOWED.values(), ids=ALLOWED.keys())
def test_what_is_for_a_rule_to_judge_is_read(changes):
    assert parse_report(report_of(changes)).report_id == "rep-0001"


def test_every_field_that_does_not_fit_is_named_at_once():
    reading = read_report(report_of({"track/title": REMOVED, A + "energy_kwh": "much", "colour": "red"}))
    assert reading.report is None
    assert {finding.pointer for finding in reading.findings} == {"/track/title", "/activities/0/energy_kwh", "/colour"}


def test_unknown_fields_are_left_out_and_named():
    reading = read_report(report_of({"colour": "red", A + "hardware/0/colour": "red"}))
    assert reading.report == parse_report(report_of())
    assert [finding.pointer for finding in reading.findings] == ["/activities/0/hardware/0/colour", "/colour"]


def test_reading_does_not_change_what_was_sent():
    sent = report_of({"colour": "red"})
    read_report(sent)
    assert sent["colour"] == "red"


def test_runs_and_uses_of_a_service_are_told_apart_by_their_method():
    assert isinstance(parse_report(report_of()).activities[0], Run)
    assert isinstance(parse_report(report_of(case="C42")).activities[0], ServiceUse)


def test_all_numbers_of_a_report_are_found():
    report = parse_report(report_of({"offsets": [{"kg": Decimal("7.5"), "parts": [{"n": 3}]}], "process": {}}))
    found = sorted(map(str, numbers_of(report)))
    assert found == sorted(["180", "180", "3.5", "15", "5", "15", "60", "0.006", "1", "1", "7.5", "3"])


def test_the_schema_is_for_others_to_use():
    schema = report_json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False
    assert {"report_version", "track", "models", "activities"} <= set(schema["required"])
    assert "class" in schema["$defs"]["Model"]["properties"]
    json.dumps(schema)


@pytest.mark.parametrize("case", cases().values(), ids=lambda case: case.id)
def test_every_report_of_the_published_cases_is_read(case):
    assert parse_report(case.report).track.artist == "Test"
