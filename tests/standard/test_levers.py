"""What would reach the next outcome is worked out, and holds when anybody makes the changes and decides again."""

from __future__ import annotations

import copy
import json
import re
from decimal import Decimal

import pytest

from certifier.report.evidence import parse_evidence
from certifier.standard import levers as levers_module
from certifier.standard.evaluate import decide
from certifier.standard.levers import levers_document, levers_of
from tests.standard.world import REMOVED, cases, fixtures_of, report_of, run, standard

RANKS = ["none", "disclosed", "measured", "class-2", "class-1"]
WORDS_OF_PRAISE = re.compile(
    r"\b(green|eco|eco-friendly|climate-friendly|neutral|saves?|saving|sustainable|clean energy)\b", re.IGNORECASE
)
LOG = "b" * 64


def levers_for(report, fixtures):
    evidence = parse_evidence(fixtures)
    return levers_of(standard(), report, evidence, decide(standard(), report, evidence))


def decided(report, fixtures, changes=()):
    """The verdict on the application after the changes, made one by one on plain JSON."""
    document = copy.deepcopy({"report": report, "evidence": fixtures})
    for change in changes:
        *way, last = (step.replace("~1", "/").replace("~0", "~") for step in change.pointer.split("/")[1:])
        part = document
        for step in way:
            part = part[int(step)] if isinstance(part, list) else part.setdefault(step, {})
        if isinstance(part, list) and last == "-":
            part.append(change.new)
        elif change.new is None:
            del part[int(last) if isinstance(part, list) else last]
        else:
            part[int(last) if isinstance(part, list) else last] = copy.deepcopy(change.new)
    return decide(standard(), document["report"], parse_evidence(document["evidence"]))


def open_rules(verdict, target):
    """The failed rules that close an outcome, by what they gate."""
    gates = ["all", "measured", "class-2", "class-1"][: RANKS.index(target)]
    return {finding.rule for finding in verdict.failed_must if finding.gates in gates}


def reaches(verdict, target):
    return RANKS.index(verdict.outcome) >= RANKS.index(target)


# --- every claim is proved again ---


@pytest.mark.parametrize("case", cases().values(), ids=lambda case: case.id)
def test_whoever_makes_the_changes_of_a_lever_gets_its_verdict(case):
    found = levers_for(case.report, case.fixtures)
    assert found.outcome == case.expected["outcome"]
    for claim in (*found.levers, *([found.path] if found.path else [])):
        verdict = decided(case.report, case.fixtures, claim.changes)
        assert (verdict.outcome, verdict.footprint.assessed, verdict.footprint.central) == (
            claim.outcome,
            claim.assessed,
            claim.central,
        )
        assert reaches(verdict, found.next) == getattr(claim, "reaches", True)


@pytest.mark.parametrize("case", cases().values(), ids=lambda case: case.id)
def test_there_is_something_to_say_exactly_if_there_is_a_higher_outcome(case):
    found = levers_for(case.report, case.fixtures)
    if found.outcome == "class-1":
        assert (found.next, found.levers, found.path) == (None, (), None)
    else:
        assert RANKS.index(found.next) > RANKS.index(found.outcome)
        assert any(lever.reaches for lever in found.levers) or found.path or found.note


# kind: (what reaches, what does not), each as case, changes of the report, changes of the fixtures
RETENTION = {"process/take_retention_days": 365}
UNKNOWN = {"activities/0/hardware/0/name": "a card that no table knows"}
EIGHT_MINUTES = {
    "activities/0/duration_s": 480,
    "activities/0/energy_kwh": "0.048",
    "activities/0/ended_at": "2026-10-01T10:08:00Z",
}
EIGHT_MINUTES_LOG = {f"deposited_logs/{LOG}/activities/i1": {"energy_kwh": "0.048", "duration_s": 480}}
NO_POLICY = {"process/dataset_governance": REMOVED}
SECOND_TOOL = {"activities/+": run(tool={"name": "a tool that nobody registered", "version": "1"})}
KINDS = {
    "fewer_takes": (("C62", {}, {}), ("C32", {}, {})),
    "cleaner_place": (("C62", {}, {}), ("C31", {}, {})),
    "named_place": (("C28", {}, {}), ("C28", NO_POLICY, {})),
    "metering": (("C19", {}, {}), ("C31", {}, {})),
    "named_hardware": (
        ("C01", UNKNOWN | EIGHT_MINUTES, EIGHT_MINUTES_LOG),
        ("C01", UNKNOWN | EIGHT_MINUTES | {"process/model_efficiency": REMOVED}, EIGHT_MINUTES_LOG),
    ),
    "deposited_footprint": (("C19", {}, {}), ("C31", {}, {})),
    "disclosed_training": (("C20", {}, {}), ("C62", {}, {})),
    "registered_statement": (("C20", {}, {}), ("C62", {}, {})),
    "service_statement": (("C43", {"models/0/parameters_b": "0.3"}, {}), ("C43", {}, {})),
    "shorter_retention": (("C15", RETENTION, {}), ("C43", {}, {})),
    "less_idle_time": (("C49", {}, {}), ("C60", {}, {})),
    "raw_logs": (("C21", {}, {"deposited_logs": {}}), ("C22", {}, {"deposited_logs": {}})),
    "measuring_party": (("C22", {}, {}), ("C22", {}, {"tools": {}})),
    "party_scope": (("C52", {}, {}), ("C52", SECOND_TOOL, {})),
    "verifier": (("C21", {}, {}), ("C60", {}, {})),
    "process_duties": (("C33", {}, {}), ("C28", NO_POLICY, {})),
}
EXAMPLES = {
    f"{kind} {'reaches it' if want else 'does not reach it'}": (kind, want, *examples[0 if want else 1])
    for kind, examples in KINDS.items()
    for want in (True, False)
}


@pytest.mark.parametrize(("kind", "want", "case", "report", "fixtures"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_each_kind_of_lever_is_found_and_says_whether_it_is_enough(kind, want, case, report, fixtures):
    report, fixtures = report_of(report, case), fixtures_of(fixtures, case)
    found = levers_for(report, fixtures)
    chosen = [lever for lever in found.levers if lever.kind == kind]
    assert [lever.reaches for lever in chosen] == [want] * len(chosen)
    assert chosen
    for lever in chosen:
        verdict = decided(report, fixtures, lever.changes)
        assert verdict.footprint.assessed == lever.assessed
        assert reaches(verdict, found.next) is want
        still = open_rules(verdict, found.next) & set(found.in_the_way)
        assert (set(lever.closes), set(lever.leaves)) == (set(found.in_the_way) - still, still)


# --- the boundary is sharp ---


def one_of(kind, found):
    return next(lever for lever in found.levers if lever.kind == kind)


def statement_in(changes):
    return next(change for change in changes if "/statements/" in change.pointer)


STATEMENTS = {
    "training": ("disclosed_training", "training_g_per_minute", "C20", {}),
    "service": ("service_statement", "wh_per_minute", "C43", {"models/0/parameters_b": "0.3"}),
}


@pytest.mark.parametrize(("kind", "field", "case", "report"), STATEMENTS.values(), ids=STATEMENTS.keys())
def test_a_statement_of_a_hundredth_more_does_not_reach_it(kind, field, case, report):
    report, fixtures = report_of(report, case), fixtures_of(case=case)
    found = levers_for(report, fixtures)
    lever = one_of(kind, found)
    more = copy.deepcopy(lever.changes)
    statement = statement_in(more).new
    said = statement[field]
    statement[field] = str(Decimal(said) + Decimal("0.01"))
    assert f"at most {said} " in lever.sentence
    assert reaches(decided(report, fixtures, lever.changes), found.next)
    assert not reaches(decided(report, fixtures, more), found.next)


@pytest.mark.parametrize("case", ["C19", "C31", "C62"])
def test_one_take_more_than_said_does_not_reach_it(case):
    found = levers_for(cases()[case].report, cases()[case].fixtures)
    lever = one_of("fewer_takes", found)
    left = next(change for change in lever.changes if change.pointer == "/report/generation/takes").new
    assert reaches(by_takes(case, left), found.next)
    assert not reaches(by_takes(case, left + 1), found.next)
    assert by_takes(case, left).footprint.assessed == lever.assessed


def by_takes(case, left):
    """The verdict on a case with so many of its takes; its only activity is their run."""
    report, fixtures = report_of(case=case), fixtures_of(case=case)
    share = Decimal(left) / report["generation"]["takes"]
    (activity,) = report["activities"]
    start = activity["started_at"]
    seconds = Decimal(str(activity["duration_s"])) * share
    minutes, rest = divmod(int(seconds), 60)
    assert start.endswith("10:00:00Z")
    assert seconds == int(seconds)
    activity |= {
        "duration_s": seconds,
        "energy_kwh": Decimal(str(activity["energy_kwh"])) * share,
        "ended_at": start.replace("10:00:00Z", f"{10 + minutes // 60}:{minutes % 60:02}:{rest:02}Z"),
    }
    for deposit in fixtures["deposited_logs"].values():
        for reading in deposit["activities"].values():
            for name in reading:
                reading[name] = Decimal(str(reading[name])) * share
    for part in (report["generation"], *report["models"]):
        part["generated_minutes"] = Decimal(str(part["generated_minutes"])) * share
    report["generation"]["takes"] = left
    return decide(standard(), report, parse_evidence(fixtures))


def test_the_next_dirtier_region_does_not_reach_it():
    report, fixtures = report_of(case="C62"), fixtures_of(case="C62")
    found = levers_for(report, fixtures)
    lever = one_of("cleaner_place", found)
    regions = [row for row in standard().factors.grid.values() if row.provider == "gcp"]
    chosen = next(change.new for change in lever.changes if change.pointer.endswith("/location/region"))
    limit = next(row.g_per_kwh for row in regions if row.region == chosen)
    for row in regions:
        moved = report_of({"activities/0/location": location_of(row)}, "C62")
        assert reaches(decided(moved, fixtures), found.next) == (row.g_per_kwh <= limit), row.key
    assert f"up to {limit} g/kWh" in lever.sentence


def location_of(row):
    place = {"country": row.country, "provider": row.provider, "region": row.region, "site": "datacentre"}
    return place | ({"subdivision": row.subdivision} if row.subdivision else {})


def test_a_place_that_is_named_may_be_any_in_the_table():
    found = levers_for(cases()["C28"].report, cases()["C28"].fixtures)
    lever = one_of("named_place", found)
    dirtiest = max(
        (row for row in standard().factors.grid.values() if row.kind == "country"), key=lambda row: row.g_per_kwh
    )
    assert f"even the dirtiest, {dirtiest.key} with {dirtiest.g_per_kwh} g/kWh" in lever.sentence
    assert lever.lowest < lever.assessed


def test_the_place_of_ones_own_training_is_named_together_with_that_of_the_takes():
    nowhere = {"country": "ZZZ", "site": "datacentre"}
    training = run(id="t1", run_id="run-t1", stage="training", location=nowhere)
    by_runs = {"source": "activities", "generated_minutes_to_date": 60}
    own = {"models/0/trained_by": "applicant", "models/0/training": by_runs}
    report = report_of({"activities/+": training, "activities/0/location": nowhere, **own}, "C28")
    fixtures = fixtures_of({f"deposited_logs/{LOG}/activities": {}}, "C28")
    found = levers_for(report, fixtures)
    assert found.in_the_way == ("BND-05",)
    lever = one_of("named_place", found)
    assert lever.reaches
    assert {change.pointer.split("/")[3] for change in lever.changes} == {"0", "1"}


def test_a_track_is_never_made_of_fewer_minutes_than_it_has():
    report = report_of({"generation/takes": 15}, "C62")
    report["generation"]["generated_minutes"] = report["models"][0]["generated_minutes"] = 15
    found = levers_for(report, fixtures_of(case="C62"))
    assert found.levers
    for lever in found.levers:
        verdict = decided(report, fixtures_of(case="C62"), lever.changes)
        assert verdict.footprint.counted_minutes == 3


# --- several together ---


@pytest.mark.parametrize("case", ["C39", "C43", "C60", "C64", "C65"])
def test_a_path_is_shown_where_nothing_alone_is_enough_and_each_step_is_needed(case):
    found = levers_for(cases()[case].report, cases()[case].fixtures)
    assert not any(lever.reaches for lever in found.levers)
    assert len(found.path.kinds) == 2
    assert reaches(decided(cases()[case].report, cases()[case].fixtures, found.path.changes), found.next)


def test_where_nothing_is_enough_it_says_what_stays():
    mixing = run(stage="post_production", tool={"name": "a tool that nobody registered", "version": "1"})
    found = levers_for(report_of({"activities/+": mixing}, "C22"), fixtures_of(case="C22"))
    assert found.in_the_way == ("ASR-01", "ASR-03")
    assert [(lever.kind, lever.leaves) for lever in found.levers] == [("measuring_party", ("ASR-03",))]
    assert found.path is None
    assert "still stand in the way of measured: ASR-03" in found.note


MENDING = {"C10": ["INT-03"], "C13": ["PLS-01"], "C24": ["INT-11"], "C78": ["PLS-02", "PLS-04"]}


@pytest.mark.parametrize(("case", "rules"), MENDING.items(), ids=MENDING.keys())
def test_a_report_that_has_to_be_mended_gets_no_levers(case, rules):
    found = levers_for(cases()[case].report, cases()[case].fixtures)
    assert (list(found.mend), found.levers, found.path) == (rules, (), None)
    assert all(rule in found.note for rule in rules)


@pytest.mark.parametrize("report", [{}, [], {"standard": "LCAL-1.0.0"}], ids=["nothing", "a list", "only its standard"])
def test_what_is_no_report_has_to_be_mended_first(report):
    found = levers_for(report, fixtures_of())
    assert (found.levers, found.path) == ((), None)
    assert found.note.startswith("Mend first")


# --- words, bounds and the document ---


@pytest.mark.parametrize("case", cases().values(), ids=lambda case: case.id)
def test_levers_praise_nothing_and_their_document_holds_no_fractions(case):
    document = levers_document(levers_for(case.report, case.fixtures))
    text = json.dumps(document)
    assert WORDS_OF_PRAISE.search(text) is None
    assert not any(isinstance(number, float) for number in numbers_in(json.loads(text)))


def numbers_in(value):
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from numbers_in(part)
    else:
        yield value


def test_the_same_application_gives_the_same_levers():
    case = cases()["C60"]
    assert levers_for(case.report, case.fixtures) == levers_for(copy.deepcopy(case.report), case.fixtures)


COUNTS = {"8 activities": (8, 120), "300 activities": (300, 24)}


@pytest.mark.parametrize(("activities", "most"), COUNTS.values(), ids=COUNTS.keys())
def test_the_number_of_decisions_is_bounded(activities, most, monkeypatch):
    report, fixtures = report_of(case="C60"), fixtures_of(case="C60")
    first = report["activities"][0]
    report["activities"] = [{**first, "id": f"i{n}", "run_id": f"run-{n}"} for n in range(activities)]
    fixtures["deposited_logs"][next(iter(fixtures["deposited_logs"]))]["activities"] = {}
    evidence = parse_evidence(fixtures)
    verdict = decide(standard(), report, evidence)
    asked = []
    monkeypatch.setattr(levers_module, "decide", lambda *given: asked.append(given) or decide(*given))
    found = levers_of(standard(), report, evidence, verdict)
    assert found.levers
    assert 0 < len(asked) <= most
    assert (f"{activities} activities" in found.note) == (len(asked) == most)
