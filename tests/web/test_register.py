"""The register for readers: what is looked for is found, pages stay where they are, and nobody is withdrawn quietly."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from certifier.certificate.code import code_of, display_code
from certifier.service.certifier import Certifier, Issued
from certifier.storage.listings import ORDERS, Search
from certifier.storage.store import Store
from certifier.web.app import create_app
from tests.storage.test_store import ORIGIN, acceptance, told
from tests.studio import APPLICANT, NOW, PARTY, Studio
from tests.web.conftest import LATER

HTML = {"Accept": "text/html"}
TITLES = {
    "percent": "100% Rain",
    "underscore": "snake_case lullaby",
    "quotes": 'O\'Brien "live" \\ back',
    "emoji": "Night 🎹 Train",
    "hebrew": "שיר לילה",
    "accents": "Čaj pro Žofii",
    "markup": "I <3 &amp; &lt;script&gt;",
    "plain": "100 Rains",
}


@dataclass(frozen=True)
class Shelf:
    certifier: Certifier
    client: FlaskClient
    codes: dict[str, str]


def issued(certifier: Certifier, studio: Studio, name: str, title: str, **track: Any) -> str:
    report = studio.report()
    report["track"] |= {"title": title, **track}
    answer = certifier.certify(studio.examined(name, (APPLICANT, PARTY), track=report["track"]), NOW)
    assert isinstance(answer, Issued), answer
    return answer.certificate.code


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A register with the titles that searches stumble over, made once; only for reading."""
    studio = Studio(tmp_path_factory.mktemp("register"))
    certifier = studio.certifier()
    codes = {name: issued(certifier, studio, name, title) for name, title in TITLES.items()}
    for name in ("isrc-1", "isrc-2"):
        codes[name] = issued(certifier, studio, name, f"Twice {name}", isrc="XXABC2600001")
    certifier.change_status(codes["plain"], "suspend", "evidence", NOW + timedelta(days=1))
    certifier.change_status(codes["percent"], "revoke", "misuse", NOW + timedelta(days=2))
    yield Shelf(certifier, create_app(certifier, lambda: LATER).test_client(), codes)
    certifier.close()


def asked(client: FlaskClient, **query: str) -> str:
    answer = client.get(f"/certificates?{urlencode(query)}", headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


def codes_on(page: str) -> list[str]:
    return re.findall(r'class="f-track"><a href="/v/(\w{10})"', page)


SEARCHES = {
    "a percent sign stands for itself": ("100%", ["percent"]),
    "an underscore stands for itself": ("e_c", ["underscore"]),
    "a single quote": ("o'brien", ["quotes"]),
    "double quotes": ('"live"', ["quotes"]),
    "a backslash": ("\\", ["quotes"]),
    "a word from the middle": ("ain", ["percent", "plain", "emoji"]),
    "all words, in any order": ("train night", ["emoji"]),
    "an emoji": ("🎹", ["emoji"]),
    "right to left": ("לילה", ["hebrew"]),
    "right to left with a mark of direction": ("\u200fשיר\u200f", ["hebrew"]),
    "without the accents": ("caj zofii", ["accents"]),
    "accents typed as two characters": ("C\u030caj", ["accents"]),
    "capitals and full-width letters": ("ＮＩＧＨＴ", ["emoji"]),
    "markup is text": ("&lt;script&gt; <3", ["markup"]),
    "an ISRC as people write it": ("isrc xx-abc-26-00001", ["isrc-1", "isrc-2"]),
    "the artist": ("example artist", [*TITLES, "isrc-1", "isrc-2"]),
    "a wildcard alone finds only itself": ("%", ["percent"]),
    "an injection finds nothing": ("' OR '1'='1", []),
    "another injection finds nothing": ("x'; DROP TABLE listings; --", []),
}


@pytest.mark.parametrize(("typed", "names"), SEARCHES.values(), ids=SEARCHES.keys())
def test_what_is_looked_for_is_found_and_nothing_else(shelf: Shelf, typed: str, names: list[str]) -> None:
    page = asked(shelf.client, q=typed)
    assert sorted(codes_on(page)) == sorted(shelf.codes[name] for name in names)
    assert ("Nothing fits." in page) == (not names)
    assert "<script>" not in page


def test_a_code_leads_to_its_page_and_a_digest_to_its_certificate(shelf: Shelf) -> None:
    code = shelf.codes["hebrew"]
    answer = shelf.client.get(f"/certificates?q={display_code(code).lower()}", headers=HTML)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/v/{code}")
    row = shelf.certifier.certificate(code)
    assert codes_on(asked(shelf.client, q=f"sha256:{row.audio_sha256.upper()}")) == [code]
    assert codes_on(asked(shelf.client, q="0" * 64)) == []
    assert "No certificate with this code" in asked(shelf.client, q="0000-0000-00")
    assert "typing error" in asked(shelf.client, q=display_code(code)[:-1] + ("0" if code[-1] != "0" else "1"))


def test_an_isrc_with_several_answers_says_so(shelf: Shelf) -> None:
    page = asked(shelf.client, q="XXABC2600001")
    assert "may have several certificates" in page
    assert "<b>2</b> fit." in page


FILTERS: dict[str, tuple[dict[str, str], list[str]]] = {
    "suspended now": ({"state": "suspended"}, ["plain"]),
    "withdrawn": ({"state": "revoked"}, ["percent"]),
    "replaced": ({"state": "superseded"}, []),
    "expired": ({"state": "expired"}, []),
    "valid, with a word": ({"state": "active", "q": "rain"}, ["emoji"]),
    "another outcome": ({"outcome": "class-1"}, []),
    "another level": ({"level": "A2"}, []),
    "level and standard and year": (
        {"level": "A1", "standard": "LCAL-1.0.0", "year": "2026", "outcome": "class-2", "q": "lullaby"},
        ["underscore"],
    ),
    "empty fields of the form ask for nothing": (
        {"q": "lullaby", "outcome": "", "state": "", "standard": "", "level": "", "year": "", "sort": "newest"},
        ["underscore"],
    ),
}


@pytest.mark.parametrize(("query", "names"), FILTERS.values(), ids=FILTERS.keys())
def test_filters_narrow_the_register(shelf: Shelf, query: dict[str, str], names: list[str]) -> None:
    assert sorted(codes_on(asked(shelf.client, **query))) == sorted(shelf.codes[name] for name in names)


def test_expired_ones_are_found_by_the_clock(shelf: Shelf) -> None:
    client = create_app(shelf.certifier, lambda: NOW + timedelta(days=4000)).test_client()
    assert len(codes_on(asked(client, state="expired"))) == len(shelf.codes) - 2  # those the log ended stay ended
    early = create_app(shelf.certifier, lambda: NOW - timedelta(days=1)).test_client()
    assert len(codes_on(asked(early, state="not_yet"))) == len(shelf.codes) - 2


def test_one_that_was_issued_in_this_very_minute_is_valid_here_as_on_its_page(shelf: Shelf) -> None:
    client = create_app(shelf.certifier, lambda: NOW - timedelta(seconds=1)).test_client()  # the minute before it
    page = asked(client)
    assert "Not yet valid" not in page.partition("<tbody>")[2]
    assert len(codes_on(asked(client, state="active"))) == len(shelf.codes) - 2
    assert codes_on(asked(client, state="not_yet")) == []


REFUSED = {
    "too long": {"q": "x" * 201},
    "too many words": {"q": "a b c d e f g h i"},
    "nothing but marks of direction": {"q": "\u200f\u200e"},
    "an unknown state": {"state": "lost"},
    "a year without certificates": {"year": "1999"},
    "an order that is none": {"sort": "title; DROP TABLE listings"},
    "a place that is no code": {"after": "1"},
    "a place that is nobody's": {"after": "AAAAAAAAAA"},
    "two places": {"after": "AAAAAAAAAA", "before": "AAAAAAAAAA"},
    "an unknown parameter": {"page": "2"},
}


@pytest.mark.parametrize("query", REFUSED.values(), ids=REFUSED.keys())
def test_a_question_that_cannot_be_answered_gets_one_clear_error(shelf: Shelf, query: dict[str, str]) -> None:
    answer = shelf.client.get(f"/certificates?{urlencode(query)}", headers=HTML)
    assert answer.status_code == 400
    assert "What to do" in answer.text or "Expected" in answer.text or "parameter" in answer.text


def test_zero_bytes_and_broken_utf8_end_in_no_fault_of_ours(shelf: Shelf) -> None:
    for raw in ("%00", "rain%00", "%ff%fe", "%ed%a0%80", "%F0%9F%8E%B9%00"):
        assert shelf.client.get(f"/certificates?q={raw}", headers=HTML).status_code in (200, 400)


def test_pages_do_not_move_while_others_are_issued(tmp_path: Path, database_url: str) -> None:
    """In each order: every certificate that was there at the first page comes exactly once, and back is back."""
    certifier = Studio(tmp_path).certifier(database_url=database_url)
    client = create_app(certifier, lambda: LATER).test_client()
    known = _fill(certifier, range(120))
    for sort in ORDERS:
        pages = [asked(client, sort=sort)]
        while 'rel="next"' in pages[-1]:
            later = len(known)
            known |= _fill(certifier, range(later + 1000, later + 1003), day="2026-11-20")
            pages.append(_follow(client, pages[-1], "next"))
        seen = [code for page in pages for code in codes_on(page)]
        assert len(seen) == len(set(seen))
        assert {code for code, number in known.items() if number < 120} <= set(seen)
        back = _follow(client, pages[2], "prev")
        assert codes_on(_follow(client, back, "next"))[0] == codes_on(pages[2])[0]
    certifier.close()


def _follow(client: FlaskClient, page: str, rel: str) -> str:
    link = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    assert link
    return client.get(link[1].replace("&amp;", "&"), headers=HTML).text


def _fill(certifier: Certifier, numbers: range, day: str = "2026-11-01") -> dict[str, int]:
    """Delivered certificates without content, by code: many of one second, many of one title."""
    jobs = {}
    for number in numbers:
        job, code = acceptance(number), code_of(number.to_bytes(6, "big"))
        submission = replace(job.submission, title=f"Track {number % 5}", artist=f"Artist {number % 3}")
        issued_at = f"{day}T12:00:{number % 7:02d}Z"
        certificate = replace(job.certificate, code=code, issued_at=issued_at, document=b"{}", proof=b"")
        jobs[code] = number, replace(job, submission=submission, certificate=certificate, logs={})
    told(certifier.store.accept([job for _, job in jobs.values()]))
    return {code: number for code, (number, _) in jobs.items()}


def test_the_state_lists_are_the_same_on_both_databases(database_url: str) -> None:
    store = Store.open(database_url)
    store.open_log(ORIGIN)
    for number in range(5):
        job = acceptance(number)
        told(store.accept([replace(job, certificate=replace(job.certificate, document=b"{}"))]))
    told(store.accept([acceptance(9)]))  # not delivered yet
    some = [f"{number:010d}" for number in (1, 3, 9)]
    for search, found in ((Search(only=some), [1, 3]), (Search(besides=some), [0, 2, 4]), (Search(only=[]), [])):
        count, rows = store.listed(search, "oldest", 10) or (0, [])
        assert ([int(row.code) for row in rows], count) == (found, len(found))
    store.close()


# -- what was withdrawn ---------------------------------------------------------------------------------------------


def test_the_withdrawn_list_says_when_and_why(shelf: Shelf) -> None:
    page = shelf.client.get("/withdrawn", headers=HTML).text
    assert page.index(display_code(shelf.codes["percent"])) < page.index(display_code(shelf.codes["plain"]))
    assert "the mark was used on other tracks" in page
    assert "2026-11-03" in page
    assert "100% Rain" in page
    only = shelf.client.get("/withdrawn?state=suspended", headers=HTML).text
    assert display_code(shelf.codes["percent"]) not in only


def test_the_withdrawn_list_is_a_table_for_machines(shelf: Shelf) -> None:
    answer = shelf.client.get("/withdrawn.csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["code"], row["state"], row["reason"]) for row in rows] == [
        (shelf.codes["percent"], "revoked", "misuse"),
        (shelf.codes["plain"], "suspended", "evidence"),
    ]
    assert rows[0]["since"] == "2026-11-03T12:00:00Z"


def test_a_withdrawn_certificate_whose_file_is_lost_is_listed(studio: Studio) -> None:
    certifier = studio.certifier()
    code = issued(certifier, studio, "lost", "Lost Song")
    certifier.change_status(code, "revoke", "misuse", NOW + timedelta(days=1))
    with certifier.store.database.writing() as connection:
        for table in ("listings", "run_shares", "certificates"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE code = '{code}'")
    page = create_app(certifier, lambda: LATER).test_client().get("/withdrawn", headers=HTML).text
    assert display_code(code) in page
    assert "The file is not here just now" in page
    certifier.close()


def test_an_empty_register_says_so(client: FlaskClient) -> None:
    assert "Nothing has been certified here yet." in client.get("/certificates", headers=HTML).text
    assert "No certificate is withdrawn or suspended now." in client.get("/withdrawn", headers=HTML).text


def test_every_kind_of_problem_is_listed(client: FlaskClient) -> None:
    page = client.get("/problems", headers=HTML).text
    for slug in ("busy", "parameter-invalid", "signature-invalid"):
        assert f'href="/problems/{slug}"' in page
