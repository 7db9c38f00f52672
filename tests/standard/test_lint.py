"""Lint finds what an editor would have to see: every finding has a place, what was expected, and what to do."""

from __future__ import annotations

import json

import pytest

from certifier.standard.folder import open_folder
from certifier.standard.lint import lint
from tests.standard.editors import CASES, HEAD, RULES, edited, small, small_files, with_table
from tests.standard.world import standard_files

GRID = "data/grid_intensity.csv"
PACKAGE = "data/datapackage.json"
TEXT = "README.md"
FRANCE = "FRA,country,FRA,,,,44,44.179,2024,lifecycle-production,1.00,,OWID-EMBER,CC-BY-4.0"


def found(folder, *older):
    return [(finding.severity, finding.check, finding.problem) for finding in lint(folder, older)]


def test_a_standard_that_lacks_nothing_has_no_finding():
    assert lint(small()) == []


def test_the_published_text_rules_and_tables_of_lcal_have_no_error():
    assert [finding for finding in lint(open_folder(standard_files())) if finding.severity == "error"] == []


NAMED = 'id = "LCAL-{0}"\ntitle = "Low-Carbon Audio Label"\nversion = "{0}"'

# What is changed in the small standard; and the check, the file, a part of the line, a part of what is said.
SLIPS = {
    "an id that is of another version": (
        {HEAD: ('version = "1.0.0"', 'version = "1.2.0"')},
        ("head", HEAD, 'id = "LCAL-1.0.0"', "does not end with the version"),
    ),
    "a version that is no number": (
        {HEAD: ('version = "1.0.0"', 'version = "1"')},
        ("head", HEAD, "", "is no version"),
    ),
    "a publication without a day": (
        {HEAD: ('published_on = "2020-01-01"', 'published_on = ""')},
        ("head", HEAD, 'published_on = ""', "day of publication is missing"),
    ),
    "a major version that no report can name": (
        {HEAD: (NAMED.format("1.0.0"), NAMED.format("2.0.0"))},
        ("head", RULES, 'id = "INT-01"', "names this major version"),
    ),
    "classes out of order": (
        {HEAD: ("class_2 = 30.00", "class_2 = 100.00")},
        ("thresholds", HEAD, "class_2 = 100.00", "limits.class_2 is not below limits.measured"),
    ),
    "a cap at its limit": (
        {HEAD: ("class_2 = 15.00\nclass_1 = 2.00", "class_2 = 15.00\nclass_1 = 10.00")},
        ("thresholds", HEAD, "class_1 = 10.00", "defaults.class_1 is not below limits.class_1"),
    ),
    "an accelerator that sees more than the system": (
        {HEAD: ("system = 1.1", "system = 1.7")},
        ("thresholds", HEAD, "system = 1.7", "coverage.system is not at most coverage.accelerator"),
    ),
    "an uncertainty below one": (
        {HEAD: ("embodied_deposited = 1.2", "embodied_deposited = 0.9")},
        ("thresholds", HEAD, "embodied_deposited = 0.9", "1 is not at most uncertainty.embodied_deposited"),
    ),
    "sensors that are surer than meters": (
        {HEAD: ("metered = 1.1", "metered = 1.3")},
        ("thresholds", HEAD, "metered = 1.3", "uncertainty.metered is not at most uncertainty.sensor"),
    ),
    "training steps that stand still": (
        {HEAD: ("g_per_minute = 0.4", "g_per_minute = 0.1")},
        ("thresholds", HEAD, "[[parameters.training_default]]", "do not rise"),
    ),
    "a bound that nothing compares with": (
        {HEAD: ("track_us = 15000000", "track_us = 15000000\nother_us = 1")},
        ("used", HEAD, "other_us = 1", "compares with the bound other_us"),
    ),
    "a limit that nothing compares with": (
        {RULES: ("limit.measured_cg", "10000")},
        ("used", HEAD, "measured = 100.00", "compares with the limit measured"),
    ),
    "a column without a unit": (
        {PACKAGE: ('"unit": "ratio"', '"unit": ""')},
        ("units", PACKAGE, '"name": "pue"', "pue"),
    ),
    "a table that is not the one of the package": (
        {GRID: ("44.179,2024", "44.178,2024")},
        ("package", PACKAGE, '"hash": "sha256:5cfb', "hash"),
    ),
    "tables of another version": (
        {HEAD: ('tables_version = "1.0.0"', 'tables_version = "1.0.1"')},
        ("package", HEAD, 'tables_version = "1.0.1"', "another version in the data package"),
    ),
    "a row without a licence": (
        {GRID: (FRANCE, FRANCE.removesuffix("CC-BY-4.0"))},
        ("sources", GRID, "FRA,country", "FRA has no licence"),
    ),
    "a region that is cleaner than its country": (
        {GRID: (FRANCE, FRANCE.replace(",44,", ",50,"))},
        ("sources", GRID, "gcp:europe-west9", "gcp:europe-west9 lies below"),
    ),
    "an empty reason": (
        {RULES: ('reason = "Most tracks take more."', 'reason = " "')},
        ("words", RULES, 'id = "PLS-13"', "PLS-13 has an empty reason"),
    ),
    "advice without an end": (
        {RULES: ('advice = "Name it."', 'advice = "Name it"')},
        ("words", RULES, 'id = "INT-01"', "advice of INT-01 is no whole sentence"),
    ),
    "a title with a full stop": (
        {RULES: ('title = "Within class 1"', 'title = "Within class 1."')},
        ("words", RULES, 'id = "THR-03"', "title of THR-03"),
    ),
    "a rule that speaks of another limit": (
        {RULES: ("Class 1 ends at 10 g", "Class 1 ends at 8 g")},
        ("words", RULES, 'id = "THR-03"', "speaks of another limit"),
    ),
    "a section that is not there": (
        {RULES: ('source = "1.1"', 'source = "7.3"')},
        ("text", TEXT, "", "not in the text"),
    ),
    "a table of rules that is behind": (
        {RULES: ("The track is long enough", "The track is not short")},
        ("text", TEXT, "| BND-04 | The track is long enough", "not the one that the rule files give"),
    ),
    "a text without the table": ({TEXT: ("<!-- rules -->", "")}, ("text", TEXT, "", "no table of the rules")),
    "a text with another limit": (
        {TEXT: ("class 2 30.00", "class 2 25.00")},
        ("text", TEXT, "class 2 25.00", "another limit for class 2"),
    ),
    "a text that forgets a limit": ({TEXT: ("class 1 10.00", "")}, ("text", TEXT, "", "another limit for class 1")),
    "a published text that calls itself a draft": (
        {TEXT: ("published on", "draft of")},
        ("text", TEXT, "draft of 2020", "calls it a draft"),
    ),
    "a text of another version": ({TEXT: ("`LCAL-1.0.0`", "`LCAL-1.0.1`")}, ("text", TEXT, "# Label", "which version")),
    "no boundary": ({TEXT: ("with hardware", "and more")}, ("must-say", TEXT, "", "does not say the boundary")),
    "nothing about offsets": (
        {TEXT: ("no offsets", "some offsets")},
        ("must-say", TEXT, "", "what the claim is limited to"),
    ),
    "green in the text": (
        {TEXT: ("Every take", "Every Green take")},
        ("never-say", TEXT, "Every Green take", "never says"),
    ),
    "a word broken over two lines": (
        {TEXT: ("Every take", "Every climate\nneutral take")},
        ("never-say", TEXT, "Every climate", "never says"),
    ),
    "a promise in advice": (
        {RULES: ("Fine if it is true.", "A second take saves nothing.")},
        ("never-say", RULES, 'id = "PLS-13"', "the advice of PLS-13"),
    ),
    "a case that comes out otherwise": (
        {CASES: ('"outcome": "class-1"', '"outcome": "class-2"')},
        ("cases", CASES, '"id": "C15"', "C15 does not come out as written: outcome"),
    ),
    "a case whose expectation has a wrong name": (
        {CASES: ('"outcome": "class-1"', '"outcom": "class-1"')},
        ("cases", CASES, '"id": "C15"', "C15 expects what nobody compares"),
    ),
    "a case file that is none": ({CASES: ('"cases": [', '"no": [')}, ("cases", "cases/cases.json", "", "no case file")),
    "an id that stands twice": ({CASES: ('"id": "E02"', '"id": "E01"')}, ("cases", CASES, "", "")),
    "a rule that no case fails": (
        {CASES: ('"/report/generation/takes": 1', '"/report/generation/takes": 2')},
        ("cases", "cases/", "", "No case fails 1 of the 6 rules"),
    ),
    "a bound that no case lies on": (
        {CASES: ("4.667027936828", "4.66")},
        ("cases", "cases/", "", "No case lies exactly on 1 of"),
    ),
}


@pytest.mark.parametrize(("changes", "expected"), SLIPS.values(), ids=SLIPS.keys())
def test_a_slip_is_found_with_its_place_and_what_to_do(changes, expected):
    check, file, line, part = expected
    folder = small(changes)
    findings = lint(folder)
    named = [
        finding for finding in findings if (finding.check, finding.file) == (check, file) and part in finding.problem
    ]
    assert named, findings
    assert named[0].line is None if not line else line in folder.text(file).splitlines()[(named[0].line or 0) - 1]
    assert all(finding.severity == "error" and finding.advice for finding in findings)


def test_a_source_that_no_row_names_is_a_warning():
    sources = ("LCAL,", "SPARE,Spare,us,2026,own,1,terms,us\nLCAL,")
    assert ("warning", "sources", "No row names the source SPARE.") in found(small({"data/sources.csv": sources}))


DRAFT = {HEAD: ('status = "published"', 'status = "draft"')}
DERIVED = {HEAD: ('status = "published"', 'status = "draft"\nbased_on = "LCAL-0.9.0"')}
BEHIND = {TEXT: ("class 2 30.00", "class 2 25.00"), CASES: ("4.667027936828", "4.66")}
STATUS = {
    "a published version": ({}, ["error", "error", "error"]),
    "a draft of its own": (DRAFT, ["error", "error", "warning"]),
    "a draft made from another": (DERIVED, ["error", "warning", "warning"]),
}


@pytest.mark.parametrize(("status", "severities"), STATUS.values(), ids=STATUS.keys())
def test_text_and_cases_may_be_behind_in_a_draft_but_numbers_never(status, severities):
    files = edited(status, edited(BEHIND, edited({HEAD: ("class_2 = 15.00", "class_2 = 35.00")})))
    by_check = {finding.check: finding.severity for finding in lint(open_folder(files))}
    assert [by_check["thresholds"], by_check["text"], by_check["cases"]] == severities


LATER = {
    "the same rule in other words": ({RULES: ("Within class 2", "Class 2 is kept")}, None),
    "the same rule asked otherwise": ({RULES: ("report.takes > 1", "report.takes >= 2")}, None),
    "an id with another meaning": (
        {RULES: ('title = "There was more than one take"', 'title = "Few logs"\nwhen = "report.raw_logs > 9"')},
        "PLS-13 means something else than in LCAL-1.0.0.",
    ),
    "a rule that is gone": (
        {RULES: ('id = "PLS-13"', 'id = "PLS-14"')},
        "PLS-13 of LCAL-1.0.0 is gone and not retired.",
    ),
    "a rule that is gone and retired": (
        {RULES: ('id = "PLS-13"', 'id = "PLS-14"'), HEAD: ('["PLS-16"', '["PLS-13", "PLS-16"')},
        None,
    ),
    "a retired id that comes back": (
        {HEAD: ('["PLS-16", "REN-01"]', '["REN-01"]')},
        "PLS-16 was retired in LCAL-1.0.0 and is not any more.",
    ),
}


@pytest.mark.parametrize(("changes", "problem"), LATER.values(), ids=LATER.keys())
def test_the_id_of_a_rule_keeps_its_meaning(changes, problem):
    later = open_folder(with_table(edited(changes)))
    assert [text for _, check, text in found(later, small()) if check == "ids"] == ([problem] if problem else [])


def test_a_case_just_beside_a_bound_does_not_meet_it():
    """Only a case on the bound itself tells "at most" from "below"."""
    for training in ("4.66", "4.6671"):
        findings = lint(small({CASES: ("4.667027936828", training)}))
        assert [finding.found for finding in findings if "exactly" in finding.problem] == ["class_2_cg"]


def test_a_folder_without_cases_or_package_is_told_so():
    files = {path: raw for path, raw in small_files().items() if path not in {CASES, PACKAGE}}
    problems = {text for _, _, text in found(open_folder(files))}
    assert {"There are no cases.", "The data package cannot be read, or lists nothing."} <= problems


def test_the_package_lists_the_tables_that_are_there_and_no_others():
    package = json.loads(small_files()[PACKAGE])
    package["resources"][0]["path"] = "spare.csv"
    folder = open_folder(small_files() | {PACKAGE: json.dumps(package).encode()})
    problems = {text for _, check, text in found(folder) if check == "package"}
    assert problems == {
        "The data package does not list data/accelerators.csv.",
        "The data package lists data/spare.csv, which is not there.",
    }


def test_a_bound_that_a_comparison_names_and_does_not_hang_on_is_not_met():
    changes = {
        RULES: (">= limit.track_us", ">= limit.track_us + 0 * limit.more_us"),
        HEAD: ("track_us = 15000000", "track_us = 15000000\nmore_us = 1"),
    }
    assert [finding.found for finding in lint(small(changes))] == ["more_us"]
