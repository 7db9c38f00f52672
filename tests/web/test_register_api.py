"""The register for programs: each question finds what it is about, and pages stay where they are while the register grows."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from certifier.certificate.code import display_code
from certifier.service.certifier import Certifier, Issued
from certifier.web.app import create_app
from tests.studio import APPLICANT, NOW, PARTY, VERIFIER, Studio
from tests.web.conftest import LATER

LIST = "/api/v1/certificates"
WITHDRAWN = "/api/v1/withdrawn-certificates"
SIGNERS = {"night ferry": (APPLICANT, PARTY, VERIFIER), "statement": (APPLICANT,)}
# name -> title, artist, days after the first
TRACKS = {
    "night ferry": ("Night Ferry (example)", "Example Ensemble", 0),
    "ferry": ("Harbour (example)", "The Ferry Example Band", 1),
    "100%": ("100% Rain", "snake_case", 2),
    "accents": ("Čaj pro Žofii", "Příklad Ensemble", 3),
    "statement": ("Ferry / Quiet (example)", "Example Ensemble", 4),
    "revoked": ("Glass Rain (example)", "Example Ensemble", 5),
    "suspended": ("Paused (example)", "Example Ensemble", 6),
}


@dataclass
class Shelf:
    """``now`` is what the service's clock says."""

    certifier: Certifier
    studio: Studio
    codes: dict[str, str]
    now: datetime = LATER
    client: FlaskClient = None  # type: ignore[assignment]

    def issue(self, name: str, title: str, artist: str, moment: datetime) -> str:
        report = self.studio.report()
        report["track"] |= {"title": title, "artist": artist, "isrc": isrc_of(len(self.codes))}
        answer = self.certifier.certify(
            self.studio.examined(name, SIGNERS.get(name, (APPLICANT, PARTY)), track=report["track"]), moment
        )
        assert isinstance(answer, Issued)
        self.codes[name] = answer.certificate.code
        return answer.certificate.code

    def named(self, answer: Any) -> list[str]:
        """The names of what was found, in its order."""
        assert answer.status_code == 200, answer.text
        names = {display_code(code): name for name, code in self.codes.items()}
        return [names[item["code"]] for item in answer.json["items"]]

    def pages(self, address: str | None) -> list[list[str]]:
        """Every page from this one on."""
        found = []
        while address:
            answer = self.client.get(address)
            found.append(self.named(answer))
            address = answer.json["next"]
        return found


def isrc_of(number: int) -> str:
    return f"XXABC26{number:05}"


def made_in(studio: Studio) -> Shelf:
    shelf = Shelf(studio.certifier(), studio, {})
    shelf.client = create_app(shelf.certifier, lambda: shelf.now).test_client()
    for name, (title, artist, days) in TRACKS.items():
        shelf.issue(name, title, artist, NOW + timedelta(days=days))
    shelf.certifier.change_status(shelf.codes["suspended"], "suspend", "evidence", NOW + timedelta(days=7))
    shelf.certifier.change_status(shelf.codes["revoked"], "revoke", "misuse", NOW + timedelta(days=8))
    return shelf


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """Only for reading."""
    made = made_in(Studio(tmp_path_factory.mktemp("register-api")))
    yield made
    made.certifier.close()


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """One that changes."""
    made = made_in(Studio(tmp_path_factory.mktemp("growing")))
    yield made
    made.certifier.close()


NEWEST_FIRST = list(reversed(TRACKS))
QUESTIONS: dict[str, tuple[dict[str, str], list[str]]] = {
    "nothing: all of them, the newest first": ({}, NEWEST_FIRST),
    "an ISRC as people write it": ({"isrc": "xx-abc-26-00001"}, ["ferry"]),
    "an ISRC that nobody has": ({"isrc": "XXABC2699999"}, []),
    "a word of the title": ({"title": "FERRY"}, ["statement", "night ferry"]),
    "a word of the artist": ({"artist": "ferry"}, ["ferry"]),
    "words of both, each in its place": ({"title": "ferry", "artist": "ensemble"}, ["statement", "night ferry"]),
    "a word of either": ({"q": "ferry"}, ["statement", "ferry", "night ferry"]),
    "letters without their accents": ({"title": "caj zofii", "artist": "priklad"}, ["accents"]),
    "a percent sign stands for itself": ({"title": "0%"}, ["100%"]),
    "an underscore stands for itself": ({"artist": "e_c"}, ["100%"]),
    "a slash stands for itself": ({"title": "/"}, ["statement"]),
    "an injection finds nothing": ({"title": "' OR '1'='1"}, []),
    "a tier": ({"tier": "disclosed"}, ["statement"]),
    "those in force": ({"status": "active"}, [name for name in NEWEST_FIRST if name not in ("revoked", "suspended")]),
    "the withdrawn": ({"status": "revoked"}, ["revoked"]),
    "the suspended, by a word": ({"status": "suspended", "q": "paused"}, ["suspended"]),
    "a word of one in another state": ({"status": "suspended", "q": "ferry"}, []),
    "a standard": ({"standard": "LCAL-1.0.0", "artist": "snake_case"}, ["100%"]),
    "later than a moment": ({"issued_after": "2026-11-05T12:00:00Z"}, ["suspended", "revoked"]),
    "later than the beginning of a day": ({"issued_after": "2026-11-05"}, ["suspended", "revoked", "statement"]),
    "an ISRC in the one field": ({"q": "ISRC XX-ABC-26-00003"}, ["accents"]),
    "two ISRCs at once": ({"q": "XXABC2600003", "isrc": "XXABC2600001"}, []),
}


@pytest.mark.parametrize(("query", "names"), QUESTIONS.values(), ids=QUESTIONS.keys())
def test_a_question_finds_what_it_is_about(shelf: Shelf, query: dict[str, str], names: list[str]) -> None:
    assert shelf.named(shelf.client.get(LIST, query_string=query)) == names


def test_digests_and_codes_find_their_certificate(shelf: Shelf) -> None:
    code = shelf.codes["accents"]
    track = shelf.client.get(f"{LIST}/{code}").json["track"]
    file, samples = track["audio_sha256"], track["audio_essence_v1_sha256"]
    asked = [{"sha256": file}, {"essence_sha256": samples}, {"q": samples}, {"q": display_code(code).lower()}]
    assert [shelf.named(shelf.client.get(LIST, query_string=each)) for each in asked] == 4 * [["accents"]]
    assert shelf.named(shelf.client.get(LIST, query_string={"sha256": samples})) == []
    assert shelf.named(shelf.client.get(LIST, query_string={"q": code, "status": "revoked"})) == []


REFUSED = {
    "no ISRC": ({"isrc": "XX-1"}, "isrc"),
    "a digest in capitals": ({"sha256": 64 * "A"}, "sha256"),
    "a digest that is too short": ({"essence_sha256": "a5"}, "essence_sha256"),
    "nothing to look for in a title": ({"title": "  "}, "title"),
    "a very long title": ({"title": 201 * "a"}, "title"),
    "too many words": ({"artist": " ".join("abcdefghi")}, "artist"),
    "a tier that there is not": ({"tier": "gold"}, "tier"),
    "a state that there is not": ({"status": "alive"}, "status"),
    "a standard that there is not": ({"standard": "LCAL-9.9.9"}, "standard"),
    "a day that there is not": ({"issued_after": "2026-02-30"}, "issued_after"),
    "a moment in another form": ({"issued_after": "yesterday"}, "issued_after"),
    "no items at all": ({"limit": "0"}, "limit"),
    "too many items": ({"limit": "201"}, "limit"),
    "a limit in other digits": ({"limit": "١٠"}, "limit"),
    "a cursor that somebody made up": ({"cursor": "AAAA"}, "cursor"),
    "a cursor of no alphabet": ({"cursor": "§§§"}, "cursor"),
    "a very long cursor": ({"cursor": 100_000 * "A"}, "cursor"),
}


@pytest.mark.parametrize(("query", "name"), REFUSED.values(), ids=REFUSED.keys())
def test_a_question_that_cannot_be_asked_names_its_parameter(shelf: Shelf, query: dict[str, str], name: str) -> None:
    answer = shelf.client.get(LIST, query_string=query)
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (400, "parameter-invalid")
    assert answer.json["errors"][0]["parameter"] == name


# -- pages ------------------------------------------------------------------------------------------------------------


def test_pages_hold_everything_once_in_order(shelf: Shelf) -> None:
    pages = shelf.pages(f"{LIST}?limit=3")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sum(pages, []) == NEWEST_FIRST  # noqa: RUF017 - a few
    answer = shelf.client.get(f"{LIST}?limit=3")
    assert answer.headers["Link"] == f'<{answer.json["next"]}>; rel="next"'
    assert "Link" not in shelf.client.get(LIST).headers
    assert shelf.pages(f"{LIST}?limit=1&title=ferry") == [["statement"], ["night ferry"]]


def test_what_is_issued_meanwhile_moves_no_page(growing: Shelf) -> None:
    first = growing.client.get(f"{LIST}?limit=3").json
    growing.issue("new", "A New One (example)", "Example Ensemble", NOW + timedelta(days=9))
    shown = {item["code"] for item in first["items"]}
    rest = sum(growing.pages(first["next"]), [])  # noqa: RUF017 - a few
    assert [*NEWEST_FIRST[:3], *rest] == NEWEST_FIRST
    assert len(shown) == 3
    assert growing.named(growing.client.get(f"{LIST}?limit=1")) == ["new"]


def test_what_is_reinstated_meanwhile_moves_no_page_of_the_withdrawn(growing: Shelf) -> None:
    first = growing.client.get(f"{WITHDRAWN}?limit=1").json
    assert [item["state"] for item in first["items"]] == ["revoked"]
    growing.certifier.change_status(growing.codes["night ferry"], "suspend", "evidence", NOW + timedelta(days=9))
    assert growing.pages(first["next"]) == [["suspended"]]
    growing.certifier.change_status(growing.codes["night ferry"], "reinstate", "evidence", NOW + timedelta(days=10))
    assert growing.pages(f"{WITHDRAWN}?limit=1") == [["revoked"], ["suspended"]]


def test_a_place_is_kept_where_its_certificate_leaves_the_list_of_the_withdrawn(growing: Shelf) -> None:
    growing.certifier.change_status(growing.codes["100%"], "suspend", "evidence", NOW + timedelta(days=11))
    first = growing.client.get(f"{WITHDRAWN}?limit=1").json
    growing.certifier.change_status(growing.codes["100%"], "reinstate", "evidence", NOW + timedelta(days=12))
    assert growing.pages(first["next"]) == [["revoked"], ["suspended"]]


def test_an_expired_cursor_is_told_as_such(shelf: Shelf) -> None:
    address = shelf.client.get(f"{LIST}?limit=3").json["next"]
    shelf.now = LATER + timedelta(hours=23, minutes=59)
    assert shelf.client.get(address).status_code == 200
    shelf.now = LATER + timedelta(hours=24, minutes=1)
    answer = shelf.client.get(address)
    shelf.now = LATER
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (400, "cursor-expired")
    assert answer.json["errors"][0]["parameter"] == "cursor"


def sealed_parts(address: str) -> tuple[str, bytes, dict[str, str]]:
    question, _, cursor = address.partition("&cursor=")
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    return question, raw[:32], json.loads(raw[32:])


def test_a_cursor_hides_nothing_and_cannot_be_changed(shelf: Shelf) -> None:
    question, seal, told = sealed_parts(shelf.client.get(f"{LIST}?limit=3").json["next"])
    forged = [
        told | {"after": shelf.codes["100%"]},
        told | {"until": "2099-01-01T00:00:00Z"},
        told | {"by": "did:web:label.example#other"},
        {"after": told["after"]},
    ]
    for members in forged:
        cursor = base64.urlsafe_b64encode(seal + json.dumps(members).encode()).decode().rstrip("=")
        answer = shelf.client.get(f"{question}&cursor={cursor}")
        assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (400, "cursor")


def test_a_cursor_counts_for_the_question_it_was_made_for(shelf: Shelf) -> None:
    cursor = shelf.client.get(f"{LIST}?limit=3").json["next"].partition("&cursor=")[2]
    assert shelf.client.get(f"{LIST}?limit=5&cursor={cursor}").status_code == 200  # another length of the page is fine
    for address in (f"{LIST}?title=ferry&cursor={cursor}", f"{WITHDRAWN}?cursor={cursor}"):
        assert shelf.client.get(address).status_code == 400


def test_every_replica_takes_the_cursors_of_the_others(shelf: Shelf) -> None:
    other = create_app(shelf.certifier, lambda: LATER).test_client()
    address = shelf.client.get(f"{LIST}?limit=3").json["next"]
    assert other.get(address).json == shelf.client.get(address).json


# -- the rest ---------------------------------------------------------------------------------------------------------


def test_the_status_of_a_certificate_names_its_changes_and_its_places_in_the_lists(shelf: Shelf) -> None:
    code = shelf.codes["revoked"]
    answer = shelf.client.get(f"{LIST}/{display_code(code).lower()}/status").json
    assert (answer["code"], answer["state"]) == (display_code(code), "revoked")
    assert [(change["kind"], change["reason"]) for change in answer["changes"]] == [("revoke", "misuse")]
    credential = json.loads(shelf.client.get(f"{LIST}/{code}.vc").data)
    signed = {(entry["statusPurpose"], int(entry["statusListIndex"])) for entry in credential["credentialStatus"]}
    assert {(place["purpose"], place["index"]) for place in answer["lists"]} == signed
    assert all(shelf.client.get(place["list"]).status_code == 200 for place in answer["lists"])


VERDICTS = {
    "the code alone": ({}, "valid"),
    "another file": ({"sha256": 64 * "0"}, "not_valid"),
}


@pytest.mark.parametrize(("query", "verdict"), VERDICTS.values(), ids=VERDICTS.keys())
def test_a_get_verifies_as_the_post_does(shelf: Shelf, query: dict[str, str], verdict: str) -> None:
    code = shelf.codes["night ferry"]
    got = shelf.client.get(f"{LIST}/{code}/verification", query_string=query).json
    asked = {"code": code} | ({"audio": query} if query else {})
    assert got == shelf.client.post("/api/v1/verifications", json=asked).json
    assert got["verdict"] == verdict


def test_the_digest_of_samples_alone_is_not_enough_to_bind_a_file(shelf: Shelf) -> None:
    answer = shelf.client.get(f"{LIST}/{shelf.codes['ferry']}/verification?essence_sha256={64 * '0'}")
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (400, "sha256")


SAME = {
    "decision-record": "decision.json",
    "report": "report.json",
    "log-proof": "tlog-proof",
}


@pytest.mark.parametrize(("name", "suffix"), SAME.items(), ids=SAME.keys())
def test_a_file_has_the_same_bytes_at_both_addresses(shelf: Shelf, name: str, suffix: str) -> None:
    code = shelf.codes["ferry"]
    assert shelf.client.get(f"{LIST}/{code}/{name}").data == shelf.client.get(f"/v/{code}.{suffix}").data


TWICE = {
    "/api/v1/trust-list": "/trust.json",
    "/api/v1/packs/latest": "/packs/latest",
    "/api/v1/scheme": "/scheme.json",
    "/api/v1/standards/lcal/1.0.0": "/standards/lcal/1.0.0.json",
}


@pytest.mark.parametrize(("address", "other"), TWICE.items(), ids=TWICE.keys())
def test_a_resource_has_the_same_bytes_as_the_file(shelf: Shelf, address: str, other: str) -> None:
    answers = [shelf.client.get(each) for each in (address, other)]
    assert answers[0].data == answers[1].data
    assert answers[0].headers["ETag"] == answers[1].headers["ETag"]


MISSING = {
    "a code that was never issued": ("0000000000", 404, "certificate-not-found"),
    "a mistyped code": ("none", 400, "code-malformed"),
}


@pytest.mark.parametrize("name", ["", "/status", "/verification", "/report", "/decision-record", "/log-proof"])
@pytest.mark.parametrize(("code", "status", "slug"), MISSING.values(), ids=MISSING.keys())
def test_a_code_without_a_certificate_is_told_in_one_way(
    shelf: Shelf, name: str, code: str, status: int, slug: str
) -> None:
    answer = shelf.client.get(f"{LIST}/{code}{name}")
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (status, slug)


def test_the_service_says_what_it_takes_and_whether_it_may_be_written_to(shelf: Shelf) -> None:
    told = shelf.client.get("/api/v1/service-info").json
    assert (told["environment"], told["base_url"]) == ("demo", "https://label.example")
    assert told["standards"] == ["LCAL-1.0.0"]
    assert told["read_only"] is None
    assert told["limits"]["page_items"] == 200
    assert told["log"]["size"] == shelf.certifier.logbook.head.size
    shelf.now = LATER + timedelta(days=365 * 30)  # beyond the last day of every key
    closed = shelf.client.get("/api/v1/service-info").json["read_only"]
    shelf.now = LATER
    assert closed["reason"]
