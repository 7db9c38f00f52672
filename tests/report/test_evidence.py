"""What only the issuer knows, and the level that follows from it (section 10)."""

from __future__ import annotations

import pytest

from certifier.errors import ForeignInputError
from certifier.report.evidence import (
    applicant_signed,
    ledger_keys_of,
    level_of,
    parse_evidence,
    party_of,
    statement_for,
)
from certifier.report.model import parse_report
from tests.standard.world import LOG, REMOVED, cases, fixtures_of, report_of, run

MP = "signatures/1/"
VERIFIER = "signatures/2/"
OWN = {"role": "verifier", "own_measurement": True, "in_scope": True, "conflict": False}

LEVELS = {
    "applicant, measuring party and verifier": ("C01", {}, {}, "A2"),
    "no verifier": ("C21", {}, {}, "A1"),
    "nobody but the applicant": ("C22", {}, {}, "A0"),
    "a party with an invalid signature": ("C21", {}, {MP + "valid": False}, "A0"),
    "a party that is not registered": ("C21", {}, {MP + "registered": False}, "A0"),
    "a party whose key was not in force at signing": ("C21", {}, {MP + "key_active_at_signing": False}, "A0"),
    "a party whose key is no longer in force": ("C21", {}, {MP + "key_active_now": False}, "A0"),
    "a log that was not deposited": ("C01", {}, {"deposited_logs": {}}, "A0"),
    "one of two logs": ("C01", {"raw_log_sha256/+": "e" * 64}, {}, "A0"),
    "a digest in capitals": (
        "C01",
        {"raw_log_sha256": [LOG.upper()]},
        {"deposited_logs/" + LOG.upper(): {"kind": "log"}},
        "A0",
    ),
    "no log at all": ("C01", {"raw_log_sha256": []}, {}, "A0"),
    "a verifier without measuring party": ("C01", {}, {"signatures/1": REMOVED}, "A0"),
    "a verifier who measured": ("C70", {}, {}, "A2"),
    "a verifier who measured, without logs": ("C70", {}, {"deposited_logs": {}}, "A0"),
    "a verifier who measured, in conflict": ("C70", {}, {"signatures/1/conflict": True}, "A0"),
    "a verifier in conflict beside a party": ("C01", {}, {VERIFIER + "conflict": True}, "A1"),
    "a verifier out of scope beside a party": ("C01", {}, {VERIFIER + "in_scope": False}, "A1"),
    "a verifier whose key is no longer in force": ("C01", {}, {VERIFIER + "key_active_now": False}, "A1"),
    "a verifier who is the applicant": ("C01", {}, {VERIFIER + "id": "org-1"}, "A1"),
    "a signed export": ("C42", {}, {f"deposited_logs/{LOG}/format": REMOVED}, "A1"),
    "an export in a known form": ("C42", {}, {"signatures/1": REMOVED}, "A1"),
    "an export that is neither": ("C42", {}, {"signatures/1": REMOVED, f"deposited_logs/{LOG}/format": REMOVED}, "A0"),
    "a service that is not registered": (
        "C42",
        {},
        {"signatures/1/registered": False, f"deposited_logs/{LOG}/format": REMOVED},
        "A0",
    ),
    "a log instead of an export": ("C42", {}, {f"deposited_logs/{LOG}/kind": "log"}, "A0"),
    "an export without these minutes": ("C43", {}, {f"deposited_logs/{LOG}/activities": {}}, "A0"),
    "an export beside a run of one's own": ("C43", {"activities/+": run()}, {}, "A0"),
    "a verified export": (
        "C43",
        {},
        {
            "signatures/+": {
                **OWN,
                "own_measurement": False,
                "id": "vf",
                "valid": True,
                "registered": True,
                "key_active_at_signing": True,
                "key_active_now": True,
            }
        },
        "A2",
    ),
}


@pytest.mark.parametrize(("case", "report", "fixtures", "level"), LEVELS.values(), ids=LEVELS.keys())
def test_the_level_follows_from_signatures_and_deposits(case, report, fixtures, level):
    assert level_of(parse_report(report_of(report, case)), parse_evidence(fixtures_of(fixtures, case))) == level


PARTIES = {
    "the measuring party": ("C01", {}, "mp-1"),
    "else the verifier who measured": ("C70", {}, "vf-1"),
    "else the issuer of the report": ("C22", {}, "org-1"),
    "a party whose signature is bad is none": ("C21", {MP + "valid": False}, "org-1"),
}


@pytest.mark.parametrize(("case", "fixtures", "party"), PARTIES.values(), ids=PARTIES.keys())
def test_who_answers_for_the_measurement(case, fixtures, party):
    found = party_of(parse_report(report_of(case=case)), parse_evidence(fixtures_of(fixtures, case)))
    assert found.id == party
    assert bool(found.capability.method) == (party != "org-1")


def test_a_run_of_a_service_is_known_with_and_without_the_services_signature():
    report = parse_report(report_of(case="C42"))
    signed, unsigned = (
        ledger_keys_of(report, parse_evidence(fixtures_of(changes, "C42")), report.activities[0])
        for changes in ({}, {"signatures/1": REMOVED})
    )
    assert signed == ("org-1/jobs-2026-10-01", "svc-1/jobs-2026-10-01")
    assert set(unsigned) <= set(signed)


def test_the_applicant_is_whom_the_report_names():
    report = parse_report(report_of())
    assert applicant_signed(report, parse_evidence(fixtures_of()))
    assert not applicant_signed(report, parse_evidence(fixtures_of({"signatures/0/id": "somebody"})))


STATEMENTS = {
    "in date": ({}, True),
    "issued on a day": ({"statements/st-1/issued_on": "2026-06-01"}, True),
    "issued in the future": ({"statements/st-1/issued_on": "2026-11-02T00:00:00Z"}, False),
    "issued at no time": ({"statements/st-1/issued_on": "in June"}, False),
    "of another model": ({"statements/st-1/model": "n"}, False),
    "not registered": ({"statements/st-1/registered": REMOVED}, False),
}


@pytest.mark.parametrize(("fixtures", "valid"), STATEMENTS.values(), ids=STATEMENTS.keys())
def test_a_statement_counts_only_if_it_is_valid(fixtures, valid):
    report = parse_report(report_of())
    found = statement_for(report.models[0], report, parse_evidence(fixtures_of(fixtures)), valid_days=365)
    assert (found is not None) == valid


@pytest.mark.parametrize("case", [c for c in cases().values() if c.id != "C10"], ids=lambda case: case.id)
def test_a_decision_record_reads_back_to_the_same_evidence(case):
    evidence = parse_evidence(case.fixtures)
    assert parse_evidence(evidence.to_record()) == evidence


BROKEN = {
    "no time of the decision": {"now": REMOVED},
    "a time without zone": {"now": "2026-11-01T00:00:00"},
    "a negative share": {"ledger/run_share_used": {"mp-1/run-i1": -1}},
    "a share that is no number": {"ledger/run_share_used": {"mp-1/run-i1": "much"}},
    "a role that nobody knows": {"signatures/0/role": "friend"},
}


@pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_record_is_refused(changes):
    with pytest.raises(ForeignInputError):
        parse_evidence(fixtures_of(changes))
