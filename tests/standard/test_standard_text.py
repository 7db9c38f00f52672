"""The standard's text for people says what its files say."""

from __future__ import annotations

import hashlib
import json

import pytest

from certifier.report.evidence import parse_evidence
from certifier.standard.evaluate import decide
from certifier.standard.text import render_rules_table
from tests.standard.world import cases, standard, standard_files

TEXT = standard_files()["README.md"].decode()
PACKAGE = json.loads(standard_files()["data/datapackage.json"])


def test_the_table_of_rules_is_made_from_the_rule_files():
    table = TEXT.partition("<!-- rules -->\n\n")[2].partition("\n<!-- /rules -->")[0]
    assert table == render_rules_table(standard())


NUMBERS = {
    "the limits": ("measured 100.00, class 2 30.00, class 1 10.00", ("limits", "measured"), "100.00"),
    "the life of hardware": ("The life is 17,520 h", ("hardware", "life_h"), "17520"),
    "the default of a service": ("0.005 kWh x 1.58 x 1306", ("service_default", "kwh_per_minute"), "0.005"),
    "the caps of defaults": ("15.00 g per minute in class 2 and 2.00", ("defaults", "class_2"), "15.00"),
    "the energy of storage": ("`0.00036 kWh x (R", ("storage", "kwh_per_minute_year"), "0.00036"),
}


@pytest.mark.parametrize(("sentence", "way", "number"), NUMBERS.values(), ids=NUMBERS.keys())
def test_a_number_in_the_text_is_the_number_in_the_file(sentence, way, number):
    group, name = way
    assert sentence in TEXT
    assert str(getattr(getattr(standard().parameters, group), name)) == number


def test_every_section_that_a_rule_names_stands_in_the_text():
    sections = {rule.source.split(".")[0] for rule in standard().rules}
    assert all(f"\n## {section}. " in TEXT for section in sections)


@pytest.mark.parametrize("resource", PACKAGE["resources"], ids=lambda resource: resource["name"])
def test_the_tables_are_those_of_the_data_package(resource):
    raw = standard_files()[f"data/{resource['path']}"]
    assert len(raw) == resource["bytes"]
    assert f"sha256:{hashlib.sha256(raw).hexdigest()}" == resource["hash"]


def test_the_worked_example_of_the_text_is_the_case_that_it_names():
    text = standard_files()["README.md"].decode()
    section = " ".join(text.partition("## How to see why")[2].partition("## 1.")[0].split())
    case = cases()["C20"]
    verdict = decide(standard(), case.report, parse_evidence(case.fixtures))
    footprint = verdict.footprint
    for item in footprint.items:
        assert f"| {item.central_g:.6f} g | {item.factor} | {item.upper_g:.6f} g |" in section
    total = sum(item.upper_g for item in footprint.items)
    assert f"Together {footprint.total_g:.6f} g and at most {total:.6f} g" in section
    assert f"**{footprint.central}**, the best estimate, and **{footprint.assessed}**" in section
    assert [finding.rule for finding in verdict.failed_must] == ["BND-07", "QLT-01"]
    assert all(f"{finding.rule}, " in section for finding in verdict.failed_must)
    assert f"defaults carry {footprint.default_g_per_min:.2f} g per minute" in section
    assert verdict.outcome == "class-2"
