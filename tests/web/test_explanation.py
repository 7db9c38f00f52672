"""Where every gram comes from: the same document for the certificate, the submission and the page."""

from __future__ import annotations

from fractions import Fraction

from certifier.units import plain
from tests.studio import APPLICANT, NOW, PARTY


def test_the_lines_of_a_certificate_are_public_and_add_up_to_its_figure(world):
    document = world.client.get(f"/v/{world.code}.explanation.json").json
    figures = world.client.get(f"/v/{world.code}.json").json["figures"]
    assert document["figure"]["assessed_g_per_min"] == figures["assessed_g_per_min"]
    lines = [line for stage in document["stages"] for line in stage["lines"]]
    total = next(step for step in document["reconciliation"] if step["step"] == "total")
    assert abs(sum(Fraction(line["central_g"]) for line in lines) - Fraction(total["central_exact"])) < Fraction(
        1, 10**7
    )
    assert document["reconciliation"][-1]["upper"] == figures["assessed_g_per_min"]
    links = world.client.get(f"/v/{world.code}.json").json["links"]
    submission = world.client.get(f"/api/v1/submissions/{world.verified.submission.id}").json
    assert world.client.get(links["explanation"]).json == document
    assert world.client.get(submission["links"]["explanation"]).json == document


def test_the_page_shows_every_factor_with_its_row_source_year_and_version(world):
    page = world.client.get(f"/submissions/{world.verified.submission.id}").text
    document = world.client.get(f"/v/{world.code}.explanation.json").json
    terms = [term for stage in document["stages"] for line in stage["lines"] for term in line["terms"]]
    tables = [term["origin"] for term in terms if term["origin"] and term["origin"]["kind"] == "table"]
    assert {origin["table"] for origin in tables} >= {"pue", "grid_intensity"}
    for origin in tables:
        assert f"[{origin['source']} {origin['version']}]" in page
        assert f">{origin['row']}</a>, {origin['year']}" in page
    for stage in document["stages"]:
        for line in stage["lines"]:
            assert f"{line['formula']['numbers']} = {line['central_g']} g" in page


def test_a_decision_without_certificate_is_explained_too(world):
    submission = world.refused.submission
    found = world.client.get(f"/api/v1/submissions/{submission.id}/explanation")
    assert found.json["outcome"] == "none"
    assert found.json["figure"]["assessed_g_per_min"] == plain(world.refused.verdict.footprint.assessed)
    assert world.client.get("/api/v1/submissions/sub_0/explanation").status_code == 404


def test_a_very_long_calculation_is_left_to_the_json(client, studio, certifier):
    run = studio.report()["activities"][0]
    activities = [{**run, "id": f"take-{n}", "run_id": f"run-long-{n}"} for n in range(120)]
    answer = certifier.certify(studio.examined("long", (APPLICANT, PARTY), activities=activities), NOW)
    page = client.get(f"/submissions/{answer.submission.id}").text
    assert "too long for a page" in page
    assert client.get(f"/api/v1/submissions/{answer.submission.id}/explanation").status_code == 200


def test_an_endless_calculation_is_left_to_the_reader_s_own_machine(client, studio, certifier):
    run = studio.report()["activities"][0]
    hardware = run["hardware"] * 50
    activities = [{**run, "id": f"take-{n}", "run_id": f"run-{n}", "hardware": hardware} for n in range(80)]
    answer = certifier.certify(studio.examined("endless", (APPLICANT, PARTY), activities=activities), NOW)
    assert client.get(f"/submissions/{answer.submission_id}").status_code == 200
    found = client.get(f"/api/v1/submissions/{answer.submission_id}/explanation")
    assert (found.status_code, found.json["errors"][0]["hint"]) == (404, "Run: certifier explain REPORT")
