"""Who stands behind an installation, on a page and as JSON; the public register with its statements."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from certifier.badge.public_use import REGIONS
from certifier.crypto.signing import SigningKey
from certifier.service.home import register_key
from certifier.service.scheme import example_scheme
from certifier.service.statements import bounds_of, register_statement, withdraw_statement
from certifier.storage.files import SCHEME_FILE
from certifier.web.app import create_app
from certifier.web.records import record_of
from certifier.web.site import Site
from tests.standard.world import standard
from tests.statements import SERVICE, signed_statement
from tests.studio import APPLICANT, NOW, PARTY, VERIFIER, Studio

HOSTILE = '<3 & "quotes"'


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """An installation with one registered statement."""
    studio = Studio(tmp_path)
    studio.certifier().close()
    long_ago = NOW - timedelta(days=300)
    register_key(studio.settings, "example-service", "service", "Example Service", SERVICE.public, long_ago)
    register_statement(studio.settings.register_dir, signed_statement(), bounds_of(standard()), NOW)
    return studio


def page(studio: Studio, days: int) -> str:
    certifier = studio.certifier()
    try:
        return create_app(certifier, lambda: NOW + timedelta(days=days)).test_client().get("/scheme").text
    finally:
        certifier.close()


def test_a_statement_in_force_shows_model_verifier_and_days(studio: Studio) -> None:
    text = page(studio, 1)
    for words in ("example-song 5", "Example Verifier", "2026-06-01 until 2027-06-01", "0.6 Wh", "in force"):
        assert words in text


def test_an_old_statement_is_shown_as_expired(studio: Studio) -> None:
    assert '<span class="tag tag-ended">expired</span>' in page(studio, 400)


def test_a_withdrawn_statement_stays_with_its_day_and_reason(studio: Studio) -> None:
    withdraw_statement(studio.settings.register_dir, "example-song-5", f"too low {HOSTILE}", NOW)
    text = page(studio, 1)
    assert '<span class="tag tag-ended">withdrawn</span>' in text
    assert "2026-11-01: too low &lt;3 &amp;" in text


def test_an_empty_register_says_so(tmp_path: Path) -> None:
    assert "None is registered." in page(Studio(tmp_path), 1)


# -- who stands behind it ---------------------------------------------------------------------------------------------

NO_BODY = "No independent body is under contract."
NOT_IN_EU = "So no mark is shown to consumers in the European Union until there is one"


def said(studio: Studio, days: int, scheme: str | None) -> tuple[str, dict[str, Any]]:
    """The page's text and the JSON beside it, with this scheme file or without one."""
    path = studio.settings.register_dir / SCHEME_FILE
    path.unlink(missing_ok=True)
    if scheme is not None:
        path.write_text(scheme)
    certifier = studio.certifier()
    try:
        client = create_app(certifier, lambda: NOW + timedelta(days=days)).test_client()
        text = unescape(re.sub(r"<[^>]+>", " ", client.get("/scheme").text))
        return " ".join(text.split()), client.get("/scheme.json").json
    finally:
        certifier.close()


def test_without_a_scheme_file_everything_is_not_stated_and_the_page_says_what_follows(studio: Studio) -> None:
    text, document = said(studio, 1, None)
    for words in (
        "Owner not stated",
        "Decides not stated",
        NO_BODY,
        NOT_IN_EU,
        "Fees Not stated.",
        "Contact not stated",
    ):
        assert words in text
    assert "Not stated: nobody has said who owns or pays whom" in text
    for name in ("owner", "decides", "monitoring_body", "fees", "ties"):
        assert document[name] is None
    assert not any(use["public_use"]["eu"]["allowed"] for use in document["uses"])


def test_the_example_scheme_shows_its_body_fees_ties_and_days_and_says_that_it_is_one(studio: Studio) -> None:
    text, document = said(studio, 1, example_scheme())
    for words in (
        "An example. The parties named on this page are made up",
        "Example Monitoring Body (an example, not a real body)",
        "under contract from 2026-01-01 to 2028-12-31, for certificates of evidence level A1, A2",
        "Decision on one report 40.00 5.00",
        "Whoever applied for at most ten tracks",
        "Money Example Label Association – Example Monitoring Body",
        "an acknowledgement within 5 days",
        "Within 14 days, after hearing the holder",
        "Within 30 days of a decision",
        "Next revision 2027-06-30",
        "Example Consumer Council",
    ):
        assert words in text
    assert NO_BODY not in text
    assert document["demo"] is True
    assert document["monitoring_body"]["under_contract"] is True
    assert [use["outcome"] for use in document["uses"] if use["public_use"]["eu"]["allowed"]] == [
        "class-1",
        "class-2",
        "class-2",
        "measured",
        "measured",
    ]


def test_a_contract_that_ran_out_is_no_contract(studio: Studio) -> None:
    text, document = said(studio, 365 * 3, example_scheme())
    assert NO_BODY in text
    assert "(an example, not a real body) runs from 2026-01-01 to 2028-12-31." in text
    assert document["monitoring_body"]["under_contract"] is False
    assert not any(use["public_use"]["eu"]["allowed"] for use in document["uses"])


def test_ties_that_are_stated_to_be_none_are_told_from_ties_that_nobody_stated(studio: Studio) -> None:
    text, document = said(studio, 1, "ties = []")
    assert "It is stated that there are none" in text
    assert document["ties"] == []


def test_a_verifier_shows_its_accreditation_or_that_none_is_stated(studio: Studio) -> None:
    text, document = said(studio, 1, None)
    assert "Accreditation not stated" in text
    assert [party["accreditation"] for party in document["verifiers"]] == [None]
    key, words = (
        SigningKey.from_seed(b"another verifier".ljust(32, b".")).public,
        'accreditation = "Example 000, ISO 14065"\n',
    )
    register_key(studio.settings, "another", "verifier", "Another Verifier (an example)", key, NOW, words)
    text, document = said(studio, 1, None)
    assert "Accreditation Example 000, ISO 14065" in text
    assert {party["accreditation"] for party in document["verifiers"]} == {None, "Example 000, ISO 14065"}


def test_words_of_the_operator_are_shown_as_text(studio: Studio) -> None:
    (studio.settings.register_dir / SCHEME_FILE).write_text(f"owner = '{HOSTILE}'")
    assert "&lt;3 &amp; &#34;quotes&#34;" in page(studio, 1)


def test_the_parties_are_those_of_the_register(studio: Studio) -> None:
    text, document = said(studio, 1, None)
    assert "Independent verifiers Example Verifier" in text
    for role, name in (("verifiers", "Example Verifier"), ("services", "Example Service")):
        assert [(party["name"], party["in_force"]) for party in document[role]] == [(name, True)]


# signatures -> (class, where its mark may be shown without a body, and with one)
MARKS = {
    "checked by a verifier": ((APPLICANT, PARTY, VERIFIER), ["uk", "us", "rest"], ["eu", "uk", "us", "rest"]),
    "attested by a measuring party": ((APPLICANT, PARTY), [], ["eu", "uk", "us", "rest"]),
    "self-declared": ((APPLICANT,), [], []),
}


@pytest.mark.parametrize(("keys", "without", "with_body"), MARKS.values(), ids=MARKS.keys())
def test_a_certificate_says_where_its_mark_may_be_shown_and_its_face_follows(
    tmp_path: Path, keys: tuple[SigningKey, ...], without: list[str], with_body: list[str]
) -> None:
    studio = Studio(tmp_path)
    studio.settings = replace(studio.settings, submit_seconds=60)  # a busy machine may take its time
    certifier = studio.certifier()
    code = certifier.submit(studio.upload(studio.signed(studio.report(), keys)), NOW).certificate.code
    client = create_app(certifier, lambda: NOW).test_client()
    for scheme, expected in (("", without), (example_scheme(), with_body)):
        (studio.settings.register_dir / SCHEME_FILE).write_text(scheme)
        certifier.keys.look()
        use = client.get(f"/v/{code}.json").json["public_use"]
        assert [region for region, permission in use.items() if permission["allowed"]] == expected
        face = record_of(Site(certifier, lambda: NOW), code, NOW).face
        assert face is not None
        assert face.has_plate == (expected == list(REGIONS)), "what is served has to be right everywhere"
    certifier.close()
