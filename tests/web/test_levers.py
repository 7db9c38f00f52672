"""The levers of a decision, on its page and in the API: the same, and made by deciding again."""

from __future__ import annotations

import pytest

from certifier.decision import parse_decision
from certifier.report.envelope import open_report
from certifier.service.certifier import Refused
from certifier.standard.levers import levers_document, levers_of
from certifier.web.site import Site
from tests.studio import APPLICANT, NOW, PARTY


def test_page_and_api_show_what_would_reach_the_next_outcome(world):
    submission = world.verified.submission
    body = world.client.get(f"/api/v1/submissions/{submission.id}").json
    levers = world.client.get(body["links"]["levers"]).json
    assert (levers["outcome"], levers["next"], levers["in_the_way"]) == ("class-2", "class-1", ["BND-07"])
    (reaching,) = [lever for lever in levers["levers"] if lever["reaches"]]
    page = world.client.get(f"/submissions/{submission.id}").text
    assert "What would reach “Low-Carbon Audio, class 1”" in page
    assert reaching["sentence"] in page
    assert f"At most {reaching['assessed_g_per_min']} g" in page


def test_a_report_to_be_mended_is_told_so_and_no_levers(world):
    levers = world.client.get(f"/api/v1/submissions/{world.refused.submission.id}/levers").json
    assert levers["mend_first"] == ["BND-04"]
    assert levers["levers"] == []
    assert levers["note"] in world.client.get(f"/submissions/{world.refused.submission.id}").text


def test_levers_of_an_unknown_submission_are_not_found(world):
    assert world.client.get("/api/v1/submissions/sub_0/levers").status_code == 404


LONG = {"many activities": (101, 1), "many devices": (20, 10)}


@pytest.mark.parametrize(("count", "devices"), LONG.values(), ids=LONG.keys())
def test_a_very_long_report_gets_a_page_without_levers(client, studio, certifier, count, devices):
    run = studio.report()["activities"][0]
    hardware = run["hardware"] * devices
    activities = [{**run, "id": f"take-{n}", "run_id": f"run-long-{n}", "hardware": hardware} for n in range(count)]
    answer = certifier.certify(studio.examined("long", (APPLICANT, PARTY), activities=activities), NOW)
    assert isinstance(answer, Refused)
    assert client.get(f"/submissions/{answer.submission.id}").status_code == 200
    found = client.get(f"/api/v1/submissions/{answer.submission.id}/levers")
    assert (found.status_code, "report check" in found.json["errors"][0]["hint"]) == (404, True)


def test_the_document_of_the_levers_is_the_one_that_the_api_gives(world):
    submission = world.attested.submission
    site_levers = world.client.get(f"/api/v1/submissions/{submission.id}/levers").json
    shelf = world.certifier.shelf
    _, evidence = parse_decision(submission.decision)
    report = open_report(submission.envelope).report
    own = levers_of(shelf.newest, report, evidence, world.certifier.replayed(submission))
    assert levers_document(own)["path"] == site_levers["path"]
    assert [lever["sentence"] for lever in site_levers["levers"]] == [lever.sentence for lever in own.levers]


def test_what_is_worked_out_for_long_reports_is_not_kept_in_memory(studio, certifier):
    site = Site(certifier, lambda: NOW)
    run = studio.report()["activities"][0]
    many = [{**run, "id": f"take-{n}", "run_id": f"run-long-{n}"} for n in range(300)]
    for number, activities in ((1, [run]), ("long", many)):
        answer = certifier.certify(studio.examined(number, (APPLICANT, PARTY), activities=activities), NOW)
        for _ in range(2):
            assert site.verdict_on(answer.submission) == answer.verdict
            assert (site.levers_on(answer.submission) is None) == (number == "long")
    assert site._verdicts.cache_info().currsize == site._levers.cache_info().currsize == 1
