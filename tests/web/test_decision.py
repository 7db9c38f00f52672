"""A decision is understood by somebody who never saw the project: what stopped it, what to change first, what then."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from certifier.web.app import create_app
from tests.web.browsing import opened, served
from tests.web.conftest import LATER
from tests.web.outcomes import Outcomes


@pytest.fixture(scope="module")
def client(outcomes: Outcomes) -> FlaskClient:
    return create_app(outcomes.certifier, lambda: LATER).test_client()


@pytest.fixture(scope="module")
def address(client: FlaskClient) -> Iterator[str]:
    yield from served(client.application)


def page_of(client: FlaskClient, outcomes: Outcomes, name: str) -> str:
    return client.get(f"/submissions/{outcomes.answers[name].submission_id}").text


def in_short(page: str) -> list[str]:
    """The answers in the box, without markup."""
    box = re.search(r'<div class="in-short">(.*?)</div>', page, re.DOTALL)
    return re.findall(r"<dd>(.*?)</dd>", box.group(1), re.DOTALL) if box else []


# what stopped it, what to change first, what happens then
SHORT = {
    "a figure above every limit": (
        "above",
        "The rule “Within 100 g per minute” is not met: Above it, nothing is said about the track.",
        "Even one take instead of three. This is for a next track: these takes are made.",
        "No change that was tried takes this very track to “Measured”; below you see how far each one goes.",
    ),
    "a report that has to be mended": (
        "mend",
        "The rule “The report is not older than what it describes” is not met: An older report was written for something else.",
        "Make the report after the last session.",
        "Send it again: the figure is worked out anew, and you see at once what it reaches.",
    ),
    "a statement": (
        "statement",
        "The rule “At least A1” is not met: A figure that only the applicant stands for is a statement, not a result.",
        "Have a registered measuring party sign the same report, and deposit its raw logs. The figure stays as it is.",
        "The outcome would be: Low-Carbon Audio, class 2, at most 7.64 g per minute.",
    ),
    "several steps": (
        "attested",
        "2 rules are not met, first of all “Verified”: Class 1 asks for an independent verifier.",
        "Have a registered, independent verifier check and sign the same report. The figure stays as it is.",
        "Together with the further steps below, the outcome would be: Low-Carbon Audio, class 1, at most 9.97 g per minute.",
    ),
}


@pytest.mark.parametrize(("name", "stopped", "first", "then"), SHORT.values(), ids=SHORT.keys())
def test_a_stranger_reads_in_three_sentences_what_to_do(
    client: FlaskClient, outcomes: Outcomes, name: str, stopped: str, first: str, then: str
) -> None:
    assert in_short(page_of(client, outcomes, name)) == [stopped, first, then]


def test_nothing_stands_in_the_way_of_the_best_outcome(client: FlaskClient, outcomes: Outcomes) -> None:
    page = page_of(client, outcomes, "class_1")
    assert in_short(page) == []
    assert "There is no higher outcome." in page


def test_the_first_sentence_of_a_page_is_the_outcome(client: FlaskClient, outcomes: Outcomes) -> None:
    headlines = {
        "class_1": "Low-Carbon Audio, class 1",
        "class_2": "Low-Carbon Audio, class 2",
        "measured": "Measured",
        "statement": "Self-declared statement",
        "above": "No certificate",
    }
    for name, headline in headlines.items():
        assert f"<h1>{headline}</h1>" in page_of(client, outcomes, name)


def test_a_figure_of_a_refused_report_is_not_called_certified(client: FlaskClient, outcomes: Outcomes) -> None:
    assert "Nothing certifies this figure." in page_of(client, outcomes, "above")
    assert "Nothing certifies this figure." not in page_of(client, outcomes, "measured")


def test_a_decision_says_how_its_certificate_stands_now(client: FlaskClient, outcomes: Outcomes) -> None:
    assert "Withdrawn" in page_of(client, outcomes, "withdrawn")
    assert "Suspended" in page_of(client, outcomes, "suspended")
    assert "Withdrawn" not in page_of(client, outcomes, "class_2")


def test_times_are_told_as_people_write_them(client: FlaskClient, outcomes: Outcomes) -> None:
    page = page_of(client, outcomes, "mend")
    assert "time of the report 2026-09-01 09:00:00 UTC" in page
    assert "since 1970" not in page


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")], ids=["phone, dark", "desk, light"])
def test_chart_and_table_stand_side_by_side_where_there_is_room(
    browser: Browser, address: str, outcomes: Outcomes, width: int, scheme: str
) -> None:
    page = opened(browser, address, width, color_scheme=scheme)
    for name in ("class_1", "statement", "hostile", "above"):
        page.goto(f"/submissions/{outcomes.answers[name].submission_id}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        chart, table = page.locator(".stage-bars").bounding_box(), page.locator(".stages table").bounding_box()
        assert chart is not None
        assert table is not None
        assert (table["x"] >= chart["x"] + chart["width"]) == (width > 1000)
    page.context.close()
