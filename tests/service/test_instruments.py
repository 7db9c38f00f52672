"""An electricity instrument stands in one certified report: the next one that names it gets no market-based line (LCAL 7.2)."""

from __future__ import annotations

import pytest

from certifier.certificate.code import display_code
from tests.studio import APPLICANT, NOW, PARTY, Studio

CLAIM = {
    "kwh": "0.005",
    "certificate_id": "GO-1",
    "retired_on": "2026-10-02",
    "beneficiary": "Example Artist",
    "country": "FRA",
    "vintage": 2026,
    "matching": "annual",
}


@pytest.fixture
def studio(tmp_path):
    return Studio(tmp_path)


def line_of(answer):
    market = answer.verdict.footprint.market_based
    return market.amount is not None, market.reasons


@pytest.mark.parametrize("spelt", ["go-1 ", "GO 1", "GO\u20111", "\uff27\uff2f-1", "GO-1\u200b"])
def test_the_second_report_with_an_instrument_gets_no_line_and_the_same_outcome(studio, spelt):
    certifier = studio.certifier()
    first = certifier.certify(studio.examined(1, (APPLICANT, PARTY), energy_claims=[CLAIM]), NOW)
    again = {**CLAIM, "certificate_id": spelt}
    second = certifier.certify(studio.examined(2, (APPLICANT, PARTY), energy_claims=[again]), NOW)
    third = certifier.certify(
        studio.examined(3, (APPLICANT, PARTY), energy_claims=[{**CLAIM, "certificate_id": "GO-2"}]), NOW
    )
    assert line_of(first) == line_of(third) == (True, ())
    shown, reasons = line_of(second)
    assert not shown
    assert "another certificate already uses this instrument" in reasons[0]
    assert first.verdict.outcome == second.verdict.outcome == third.verdict.outcome
    for answer in (first, second, third):
        assert certifier.replayed(answer.submission) == answer.verdict
    certifier.close()


def test_a_renewal_keeps_the_instruments_of_its_forerunner(studio):
    certifier = studio.certifier()
    first = certifier.certify(studio.examined(1, (APPLICANT, PARTY), energy_claims=[CLAIM]), NOW)
    renewal = studio.examined(
        1, (APPLICANT, PARTY), energy_claims=[CLAIM], renewal_of=first.certificate.code, report_id="rep-2"
    )
    renewed = certifier.certify(renewal, NOW)
    assert line_of(renewed) == (True, ())
    assert certifier.published.lifecycle(first.certificate.code) == "revoked"
    other = certifier.certify(studio.examined(2, (APPLICANT, PARTY), energy_claims=[CLAIM]), NOW)
    assert line_of(other)[0] is False
    assert display_code(renewed.certificate.code) != display_code(first.certificate.code)
    certifier.close()


def test_a_report_without_claims_says_nothing_of_them(studio):
    certifier = studio.certifier()
    answer = certifier.certify(studio.examined(1, (APPLICANT, PARTY)), NOW)
    assert b"claims_used" not in answer.submission.decision
    certifier.close()
