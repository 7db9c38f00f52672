"""The laws of a standard, on applications made up from its tables: silence never helps, more never looks like less.

Where the text of the standard itself breaks a law, the case stands under `the standard lets ...`, as small as it can be,
and the law is asked with exactly that left out. (5.3, 16.3)
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certifier.decision import decision_record
from certifier.errors import CertifierError
from certifier.report.evidence import parse_evidence
from certifier.report.model import parse_report
from certifier.standard.evaluate import OUTCOMES_RISING, decide, evaluate
from certifier.standard.facts import Facts, facts_of
from certifier.standard.model import parse_standard
from tests.standard.applications import (
    AGES,
    COUNTRIES,
    GRID,
    HARDWARE,
    PRODUCTS,
    REGIONS,
    SUBDIVISIONS,
    Application,
    Way,
    applications,
    at,
    leaves_of,
    places_of,
    rank,
    sound_applications,
    without,
)
from tests.standard.world import REMOVED, cases, changed, standard, standard_files

MANY = int(os.environ.get("LAWS", "1"))  # tests/torture asks each law more often


def often(examples: int) -> settings:
    return settings(
        max_examples=examples * MANY,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def case(report: dict | None = None, fixtures: dict | None = None, name: str = "C01") -> Application:
    known = cases()[name]
    return Application(changed(known.report, report or {}), changed(known.fixtures, fixtures or {}))


# --- 1. silence never helps ---

# Where a report gives evidence that it could have kept to itself, and where the facts beside it hold some.
EVIDENCE = [
    f"report/{pattern}"
    for pattern in """
    raw_log_sha256/*
    renewal_of
    models/*/parameters_b
    models/*/training/statement
    models/*/training/generated_minutes_to_date
    models/*/training/lifetime_minutes_forecast
    activities/*/tool
    activities/*/meter
    activities/*/meter/*
    activities/*/pue
    activities/*/pue_evidence
    activities/*/pue_evidence/*
    activities/*/batch
    activities/*/batch/reserved/*
    activities/*/job_ids/*
    activities/*/idle
    activities/*/grid_gco2e_per_kwh
    activities/*/location/provider
    activities/*/location/region
    activities/*/location/subdivision
    activities/*/location/site
    activities/*/model
    activities/*/hardware/*
    activities/*/hardware/*/embodied
    activities/*/hardware/*/embodied/*
    stages_not_performed/*
    energy_claims
    energy_claims/*
    energy_claims/*/*
    declared
    declared/gco2e_total
    process
    process/*
    process/model_efficiency/*
    """.split()
] + [
    f"fixtures/{pattern}"
    for pattern in """
    signatures/*
    signatures/*/*
    signatures/*/capability/*
    signatures/*/capability/*/*
    deposited_logs/*
    deposited_logs/*/format
    deposited_logs/*/activities
    deposited_logs/*/activities/*
    deposited_logs/*/activities/*/*
    statements/*
    statements/*/*
    statements/*/places/*
    statements/*/hardware/*
    statements/*/hardware/*/count
    tools/*
    model_use/*
    model_use/*/*
    """.split()
]


def evidence_of(application: Application) -> list[Way]:
    return [way for pattern in EVIDENCE for way in places_of(application.tree, pattern)]


@st.composite
def silenced(draw, made=sound_applications()):
    """An application, and ways to leave some of its evidence away."""
    application = draw(made)
    said = st.sampled_from(evidence_of(application))
    return application, draw(st.lists(st.lists(said, min_size=1, max_size=3, unique=True), min_size=10, max_size=10))


@often(60)
@given(silenced())
def test_leaving_evidence_away_never_raises_the_outcome(drawn):
    application, silences = drawn
    before = rank(application)
    for ways in silences:
        after = application.without(ways)
        assert rank(after) <= before, ways
