"""A certificate that came to harm here is believed nowhere: no page beside its own speaks of it as if it were whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from certifier.certificate.code import display_code
from certifier.certificate.times import parse_time
from certifier.service.certifier import Certifier, Issued
from certifier.service.home import open_certifier
from certifier.service.sandbox import DEMO_CODES
from certifier.settings import Settings
from certifier.storage.tables import certificates
from certifier.web.app import create_app
from tests.studio import Studio
from tests.web.conftest import LATER
from tests.web.test_certificates import text_of

HTML = {"Accept": "text/html"}
BROKEN = DEMO_CODES["broken"]


@pytest.fixture(scope="module")
def sandbox(filled_sandbox: Settings) -> Iterator[FlaskClient]:
    now = datetime.now(UTC)
    with closing(open_certifier(filled_sandbox, now)) as certifier:
        yield create_app(certifier, lambda: datetime.now(UTC)).test_client()


def read(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize(
    "path", ["/meaning", *(f"/v/{DEMO_CODES[name]}" for name in ("class-1", "class-2", "measured"))]
)
def test_it_is_no_example_on_the_scale_of_others(sandbox: FlaskClient, path: str) -> None:
    page = read(sandbox, path)
    assert 'class="examples"' in page
    assert BROKEN not in page


@pytest.mark.parametrize("path", ["/certificates", "/certificates?q=Example+Song+8", "/certificates?state=active"])
def test_the_register_lists_it_as_what_cannot_be_relied_on(sandbox: FlaskClient, path: str) -> None:
    row = next(row for row in read(sandbox, path).split("<tr") if f'/v/{BROKEN}"' in row)
    assert "Cannot be relied on" in row
    assert "14.71" not in row
    assert "class 2" not in row


@pytest.mark.parametrize("name", DEMO_CODES)
def test_the_start_page_tells_the_state_of_the_newest(sandbox: FlaskClient, name: str) -> None:
    code = DEMO_CODES[name]
    page = read(sandbox, "/")
    cards = [card for card in page.partition('class="cards"')[2].split("<li>")[1:] if f'/v/{code}"' in card]
    own = sandbox.get(f"/v/{code}.txt").text.partition(":")[0]
    assert all(("tag-ended" in card) is (own != "active") for card in cards)
    assert own == "active" or f'src="/v/{code}.svg"' not in page


def test_its_renewal_page_calls_nothing_in_force(sandbox: FlaskClient) -> None:
    said = text_of(read(sandbox, f"/v/{BROKEN}/renewal"))
    assert "is in force" not in said
    assert "Cannot be relied on" in said
    assert display_code(BROKEN) in said


def test_programs_are_told_of_no_renewal_of_it(sandbox: FlaskClient) -> None:
    answer = sandbox.get(f"/api/v1/certificates/{BROKEN}/renewal-info")
    assert answer.status_code == 404
    assert "cannot be believed" in answer.json["detail"]


def test_a_suspended_certificate_is_not_called_in_force_by_its_renewal_page(sandbox: FlaskClient) -> None:
    said = text_of(read(sandbox, f"/v/{DEMO_CODES['suspended']}/renewal"))
    assert "Suspended" in said
    assert "is in force" not in said


def test_what_was_issued_this_minute_is_in_force_in_the_register_too(filled_sandbox: Settings) -> None:
    """Pages are as of the whole minute, so an issue some seconds after it lies ahead of them."""
    code = DEMO_CODES["class-1"]
    with closing(open_certifier(filled_sandbox, datetime.now(UTC))) as certifier:
        row = certifier.store.certificate(code)
        assert row is not None
        client = create_app(certifier, lambda: parse_time(row.issued_at).replace(second=0)).test_client()
        assert client.get(f"/v/{code}.txt").text.startswith("active")
        assert f'/v/{code}"' in read(client, "/certificates?state=active")
        assert f'/v/{code}"' not in read(client, "/certificates?state=not_yet")


@pytest.mark.parametrize("name", DEMO_CODES)
def test_the_page_of_a_decision_tells_how_its_certificate_stands_now(sandbox: FlaskClient, name: str) -> None:
    view = sandbox.get(f"/v/{DEMO_CODES[name]}", headers={"Accept": "application/json"}).json
    state = sandbox.get(f"/v/{DEMO_CODES[name]}.txt").text.partition(":")[0]
    page = read(sandbox, view["links"]["submission"])
    assert re.findall(r"pill pill-(\w+)", page) == ([] if state == "active" else [state])
    assert (f"/v/{DEMO_CODES[name]}/kit" in page) is (state == "active")


HARMED = {
    "a proof that is no text": {"proof": b"\xff\xfe"},
    "a document that is no text": {"document": b"\xff{"},
    "a document that is no object": {"document": b"[]"},
}


@pytest.mark.parametrize("harm", HARMED.values(), ids=HARMED.keys())
def test_a_decision_is_told_whatever_came_to_harm_of_its_certificate(
    studio: Studio, certifier: Certifier, harm: dict[str, bytes]
) -> None:
    issued = certifier.certify(studio.examined(1), LATER)
    assert isinstance(issued, Issued)
    with certifier.store.database.writing() as connection:
        connection.execute(update(certificates).values(**harm))
    client = create_app(certifier, lambda: LATER).test_client()
    told = client.get(f"/api/v1/submissions/{issued.submission.id}")
    assert (told.status_code, told.json["outcome"], told.json["bundle"]) == (200, issued.verdict.outcome, None)
    read(client, f"/submissions/{issued.submission.id}")
