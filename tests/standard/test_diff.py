"""What changed between two versions, and whether that is a patch, a minor or a major one by section 13."""

from __future__ import annotations

from decimal import Decimal

import pytest

from certifier.errors import StandardError
from certifier.standard.diff import compare, render_markdown
from certifier.standard.folder import open_folder
from tests.standard.editors import CASES, HEAD, RULES, edited, small
from tests.standard.world import standard, standard_files

GRID = "data/grid_intensity.csv"
DEVICES = "data/accelerators.csv"
FRANCE = "FRA,country,FRA,,,,44,44.179,2024,lifecycle-production,1.00,,OWID-EMBER,CC-BY-4.0\n"
PARIS = "aws:eu-west-3,cloud_region,FRA,,aws,eu-west-3,49,"
H100 = "NVIDIA H100 SXM5 80GB,h100|h100 80gb hbm3|h800,700,datasheet-max,80,575.1,"
RULE = '[[rules]]\nid = "PLS-13"'
NEW_RULE = """[[rules]]
id = "NEW-01"
title = "Something new"
level = "LEVEL"
stage = "all"
source = "1"
reason = "New."
advice = "New."
require = "report.raw_logs > 0"

"""
SHOULD = NEW_RULE.replace("LEVEL", "should")
MUST = NEW_RULE.replace('"LEVEL"', '"must"\ngates = "all"')


def place(country, value, kind="country", subdivision="", region=""):
    provider, name = region.split(":") if region else ("", "")
    key = region or subdivision or country
    return f"{key},{kind},{country},{subdivision},{provider},{name},{value},,2024,x,1.00,,OWID-EMBER,CC-BY-4.0\n"


# One change each: what is edited; then kind, subject, old and new as told, and the step.
CHANGES = {
    "a limit": (
        {HEAD: ("class_1 = 10.00", "class_1 = 8.00")},
        ("limit", "limits.class_1", "10.00", "8.00", "major"),
    ),
    "what defaults may carry": (
        {HEAD: ("class_2 = 15.00", "class_2 = 14.00")},
        ("limit", "defaults.class_2", "15.00", "14.00", "major"),
    ),
    "the functional unit": (
        {HEAD: ("free_silence_share = 0.1", "free_silence_share = 0.2")},
        ("parameter", "functional_unit.free_silence_share", "0.1", "0.2", "major"),
    ),
    "a factor of section 5": (
        {HEAD: ("sensor = 1.2", "sensor = 1.25")},
        ("parameter", "uncertainty.sensor", "1.2", "1.25", "major"),
    ),
    "a number that section 13 allows to nobody else": (
        {HEAD: ("retention_days = 365", "retention_days = 300")},
        ("parameter", "storage.retention_days", "365", "300", "major"),
    ),
    "a step of the training default": (
        {HEAD: ("g_per_minute = 0.4", "g_per_minute = 0.5")},
        (
            "parameter",
            "training_default",
            "0.5: 0.1; 2: 0.4; 8: 1.5; -: 5.0",
            "0.5: 0.1; 2: 0.5; 8: 1.5; -: 5.0",
            "major",
        ),
    ),
    "a bound of a must rule": (
        {HEAD: ("track_us = 15000000", "track_us = 20000000")},
        ("bound", "track_us", "15000000", "20000000", "major"),
    ),
    "a must rule that is new": (
        {RULES: (RULE, MUST + RULE)},
        ("rule added", "NEW-01", "-", "must: Something new", "major"),
    ),
    "a should rule that is new": (
        {RULES: (RULE, SHOULD + RULE)},
        ("rule added", "NEW-01", "-", "should: Something new", "minor"),
    ),
    "a remark that becomes a must": (
        {RULES: ('level = "info"', 'level = "must"\ngates = "class-1"')},
        ("rule level", "PLS-13", "info", "must", "major"),
    ),
    "a remark that becomes a warning": (
        {RULES: ('level = "info"', 'level = "should"')},
        ("rule level", "PLS-13", "info", "should", "minor"),
    ),
    "what a rule closes": (
        {RULES: ('gates = "class-1"', 'gates = "class-2"')},
        ("rule gates", "THR-03", "class-1", "class-2", "major"),
    ),
    "what a must rule asks": (
        {RULES: (">= limit.track_us", "> limit.track_us")},
        (
            "rule expression",
            "BND-04",
            "audio.duration_us >= limit.track_us",
            "audio.duration_us > limit.track_us",
            "major",
        ),
    ),
    "what an info rule asks": (
        {RULES: ("report.takes > 1", "report.takes > 2")},
        ("rule expression", "PLS-13", "report.takes > 1", "report.takes > 2", "minor"),
    ),
    "when a rule is asked": (
        {RULES: ("before_figure = true\n", "before_figure = true\nstops = true\n")},
        ("rule order", "INT-01", "before the figure", "stops", "major"),
    ),
    "the words of a rule": (
        {RULES: ("A faster model.", "A smaller model.")},
        ("wording", "THR-02 advice", "A faster model.", "A smaller model.", "patch"),
    ),
    "a factor of the tables": (
        {GRID: (FRANCE, FRANCE.replace(",44,", ",48,"))},
        ("factor", "grid_intensity FRA gco2e_per_kwh", "44", "48 (+9.1 %)", "minor"),
    ),
    "a source": (
        {GRID: (FRANCE, FRANCE.replace("OWID-EMBER", "LCAL"))},
        ("source", "grid_intensity FRA source_id", "OWID-EMBER", "LCAL", "patch"),
    ),
    "a note in a table": (
        {GRID: (FRANCE, FRANCE.replace("lifecycle-production", "life cycle"))},
        ("row text", "grid_intensity FRA", "-", "basis", "patch"),
    ),
    "a place that goes": (
        {GRID: (PARIS, "aws:eu-west-99,cloud_region,FRA,,aws,eu-west-99,49,")},
        ("row removed", "grid_intensity aws:eu-west-3", "gco2e_per_kwh 49", "-", "minor"),
    ),
    "a country that went by default": (
        {GRID: (FRANCE, FRANCE + place("XKX", 900))},
        ("row added", "grid_intensity XKX", "-", "gco2e_per_kwh 900", "patch"),
    ),
    "a region as clean as the ones beside it": (
        {GRID: (FRANCE, FRANCE + place("FRA", 49, "cloud_region", region="aws:eu-west-9"))},
        ("row added", "grid_intensity aws:eu-west-9", "-", "gco2e_per_kwh 49", "patch"),
    ),
    "a region that makes unnamed ones dirtier": (
        {GRID: (FRANCE, FRANCE + place("FRA", 60, "cloud_region", region="aws:eu-west-9"))},
        ("row added", "grid_intensity aws:eu-west-9", "-", "gco2e_per_kwh 60", "minor"),
    ),
    "a subdivision that makes its country dirtier": (
        {GRID: (FRANCE, FRANCE + place("FRA", 45, "subdivision", subdivision="FR-COR"))},
        ("row added", "grid_intensity FR-COR", "-", "gco2e_per_kwh 45", "minor"),
    ),
    "a device that went by default": (
        {DEVICES: (H100, "Example X1,,500,class,80,900,server-sxm,750,PROXY,VENDOR,,facts\n" + H100)},
        (
            "row added",
            "accelerators Example X1",
            "-",
            "tdp_w 500, embodied_kgco2e 900, host_embodied_kgco2e 750",
            "patch",
        ),
    ),
    "a further name of a device": (
        {DEVICES: ("h100|h100 80gb", "h100|hopper|h100 80gb")},
        (
            "row found by",
            "accelerators NVIDIA H100 SXM5 80GB aliases",
            "h100|h100 80gb hbm3|h800",
            "h100|hopper|h100 80gb hbm3|h800",
            "patch",
        ),
    ),
    "a name that stands for nothing any more": (
        {DEVICES: ("h100|h100 80gb hbm3|h800", "h100|h100 80gb hbm3")},
        (
            "row found by",
            "accelerators NVIDIA H100 SXM5 80GB aliases",
            "h100|h100 80gb hbm3|h800",
            "h100|h100 80gb hbm3",
            "minor",
        ),
    ),
    "a fact": (
        {RULES: ("report.takes > 1", "report.takes > 1 && report.raw_logs > 0")},
        ("fact", "report.raw_logs", "-", "used", "none"),
    ),
    "a case": ({CASES: ('"id": "E03"', '"id": "E08"')}, ("cases added", "1", "-", "E08", "patch")),
    "the text": ({"README.md": ("Every take counts.", "All takes count.")}, ("text", "README.md", None, None, "patch")),
    "a comment in a rule file": ({RULES: (RULE, "# a remark\n" + RULE)}, ("text", RULES, None, None, "patch")),
    "the status": ({HEAD: ('"published"', '"retired"')}, ("head", "status", "published", "retired", "none")),
}


@pytest.mark.parametrize(("changes", "expected"), CHANGES.values(), ids=CHANGES.keys())
def test_a_change_is_told_with_its_step(changes, expected):
    kind, subject, old, new, step = expected
    comparison = compare(small(), small(changes))
    told = {(change.kind, change.subject): change for change in comparison.changes}
    change = told[kind, subject]
    assert change.step == step
    assert change.reason
    assert old is None or (change.old, change.new) == (old, new)


def test_the_largest_change_is_the_answer_and_says_why():
    changes = {HEAD: ("class_1 = 10.00", "class_1 = 8.00"), GRID: (FRANCE, FRANCE.replace(",44,", ",48,"))}
    comparison = compare(small(), small(changes))
    assert comparison.step == "major"
    assert [(change.subject, change.reason) for change in comparison.deciding] == [
        ("limits.class_1", "limits take a major version")
    ]


SAME = {
    "nothing at all": {},
    "a number spelled otherwise": {HEAD: ("class_1 = 10.00", "class_1 = 10.0")},
    "an expression over two lines": {RULES: ('require = "report.takes > 1"', 'require = """report.takes\n  > 1"""')},
}


@pytest.mark.parametrize("changes", SAME.values(), ids=SAME.keys())
def test_what_means_the_same_is_at_most_a_patch(changes):
    comparison = compare(small(), small(changes))
    assert comparison.step == ("patch" if changes else "none")
    assert {change.kind for change in comparison.changes} <= {"text"}


NUMBERS = {
    "a major version may change everything": ("2.0.0", "major", True),
    "a minor version may not change a limit": ("1.1.0", "minor", False),
    "nor may a patch": ("1.0.1", "patch", False),
    "a draft is held to the number it is for": ("1.1.0-draft", "minor", False),
    "the same number promises that nothing changed": ("1.0.0", "none", False),
    "an earlier one too": ("0.9.0", "none", False),
}


@pytest.mark.parametrize(("version", "promised", "kept"), NUMBERS.values(), ids=NUMBERS.keys())
def test_a_version_number_is_a_promise(version, promised, kept):
    files = edited({HEAD: ('version = "1.0.0"', f'version = "{version}"')})
    comparison = compare(small(), open_folder(edited({HEAD: ("class_1 = 10.00", "class_1 = 8.00")}, files)))
    assert (comparison.promised, comparison.keeps_its_promise) == (promised, kept)


def test_a_version_without_a_number_is_refused():
    with pytest.raises(StandardError, match="is no version"):
        compare(small(), small({HEAD: ('version = "1.0.0"', 'version = "one"')}))


REFRESH = {
    "ten percent are a minor version": (",49,", ",56,", "minor"),
    "more are a larger refresh": (",49,", ",700,", "major"),
}


@pytest.mark.parametrize(("old", "new", "step"), REFRESH.values(), ids=REFRESH.keys())
def test_a_refresh_is_measured_by_the_reference_set(old, new, step):
    comparison = compare(small(), small({GRID: (PARIS, PARIS.replace(old, new))}))
    (movement,) = comparison.movements
    assert comparison.step == step
    assert movement.too_far == (step == "major")


def test_movement_is_the_larger_of_both_figures_in_percent():
    (movement,) = compare(small(), small({HEAD: ("default = 1.5", "default = 1.6")})).movements
    assert movement.percent == 0
    (movement,) = compare(small(), small({HEAD: ("embodied_table = 1.5", "embodied_table = 3.0")})).movements
    assert round(movement.percent, 2) == Decimal("6.27")  # 1.253520 g x 1.5 more, of 30.000000 g


def test_all_twelve_cases_of_the_reference_set_are_computed():
    own = open_folder(standard_files())
    movements = compare(own, own).movements
    assert len(movements) == 12
    assert {movement.percent for movement in movements} == {0}
    assert own.standard.id == standard().id


def test_release_notes_are_a_table_with_every_change_and_movement():
    comparison = compare(small(), small({HEAD: ("class_1 = 10.00", "class_1 = 8.00")}))
    text = render_markdown(comparison)
    assert "| major | limit | limits.class_1 | 10.00 | 8.00 | limits take a major version |" in text
    assert "| C15 | Exactly at the limit of class 1 | 10.00 | 10.00 | +0.0 % | class-1 → class-2 |" in text
    assert "The number 1.0.0 promises less" in text


FAULTS = {
    "a figure that was a good tenth too low": ("embodied_table = 1.5", "embodied_table = 4.0", True),
    "one that was less than a tenth too low": ("embodied_table = 1.5", "embodied_table = 3.0", False),
    "one that was too high": ("statement = 1.25", "statement = 1.0", False),
}


@pytest.mark.parametrize(("old", "new", "mends"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_mended_only_where_figures_were_more_than_a_tenth_too_low(old, new, mends):
    assert compare(small(), small({HEAD: (old, new)})).mends_low_figures == mends
