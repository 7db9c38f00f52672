"""Complaints: kept whole in both kinds of database, looked up by their receipt alone, counted in public."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from certifier.certificate.times import parse_time
from certifier.cli.main import main
from certifier.errors import ConflictError, ForeignInputError, NotFoundError, TooManyError
from certifier.service import complaints as module
from certifier.service.backup import DATABASE, make_backup
from certifier.service.complaints import Complaints, Draft, deadlines_of, display_receipt, draft_of, is_late
from certifier.service.home import make_home, open_certifier
from certifier.settings import Settings
from certifier.storage.complaints import ComplaintStore
from certifier.storage.database import Database
from tests.studio import NOW

CODE, OTHER = "TACT000018", "TREV00001V"
GOOD = {"kind": "misuse", "code": CODE, "place": "", "text": "It stands on another track.", "contact": "me@example.org"}


@pytest.fixture
def complaints(database_url: str) -> Iterator[Complaints]:
    database = Database(database_url)
    yield Complaints(ComplaintStore(database), secrets.token_bytes)
    database.close()


def draft(**changes: str) -> Draft:
    made, faults = draft_of(GOOD | changes)
    assert made, faults
    return made


def test_a_complaint_is_kept_as_it_was_sent_and_found_by_its_receipt(complaints: Complaints) -> None:
    sent = complaints.file(draft(text="Zwei Zeilen,\r\nund ein ☃ 🎵"), NOW)
    for written in (sent.receipt, display_receipt(sent.receipt), f" {display_receipt(sent.receipt).lower()} "):
        assert complaints.one(written) == sent
    assert (sent.kind, sent.code, sent.text) == ("misuse", CODE, "Zwei Zeilen,\nund ein ☃ 🎵")
    assert (sent.contact, sent.state, sent.received_at) == ("me@example.org", "received", "2026-11-01T12:00:00Z")
    assert "example.org" not in repr(sent)


def test_a_receipt_of_another_cannot_be_guessed(complaints: Complaints) -> None:
    receipts = {complaints.file(draft(), NOW).receipt for _ in range(5)}
    assert len(receipts) == 5
    near = min(receipts)[:-1] + ("0" if min(receipts)[-1] != "0" else "1")
    for guess in (near, "", "1", min(receipts)[:-1], "U" * 20, "0" * 20, "\u0660" * 20, "%" * 20, min(receipts) + "0"):
        with pytest.raises(NotFoundError):
            complaints.one(guess)


def test_it_goes_from_received_to_closed_and_never_back(complaints: Complaints) -> None:
    receipt = complaints.file(draft(), NOW).receipt
    reviewed = complaints.review(receipt, "", NOW + timedelta(days=1))
    assert (reviewed.state, reviewed.reviewed_at) == ("under_review", "2026-11-02T12:00:00Z")
    with pytest.raises(ConflictError):
        complaints.review(receipt, "", NOW)
    closed = complaints.close(receipt, "upheld", "The mark is gone.", NOW + timedelta(days=2))
    assert (closed.state, closed.outcome, closed.reason) == ("closed", "upheld", "The mark is gone.")
    assert deadlines_of(closed).appeal_until == NOW + timedelta(days=32)
    with pytest.raises(ConflictError):
        complaints.close(receipt, "settled", "Once more.", NOW)
    assert complaints.one(receipt) == closed


@pytest.mark.parametrize(("outcome", "reason"), [("won", "why"), ("upheld", " \n"), ("upheld", "x" * 1001)])
def test_an_end_needs_an_outcome_of_the_list_and_a_reason(complaints: Complaints, outcome: str, reason: str) -> None:
    receipt = complaints.file(draft(), NOW).receipt
    with pytest.raises(ForeignInputError):
        complaints.close(receipt, outcome, reason, NOW)
    assert complaints.one(receipt).state == "received"


def test_a_certificate_counts_what_somebody_has_looked_at(complaints: Complaints) -> None:
    first, second = (complaints.file(draft(), NOW).receipt for _ in range(2))
    complaints.file(draft(code=OTHER), NOW)
    assert complaints.open_count(CODE) == 0
    for receipt in (first, second):
        complaints.review(receipt, "", NOW)
    assert (complaints.open_count(CODE), complaints.open_count(OTHER)) == (2, 0)
    complaints.close(first, "not_upheld", "It is the right track.", NOW)
    assert complaints.open_count(CODE) == 1


def test_everybody_sees_numbers_by_kind_and_outcome(complaints: Complaints) -> None:
    receipts = [complaints.file(draft(kind=kind), NOW).receipt for kind in ("misuse", "misuse", "figure", "appeal")]
    complaints.close(receipts[0], "upheld", "So it was.", NOW)
    complaints.review(receipts[2], "", NOW)
    totals = complaints.totals()
    assert totals.received == {"misuse": 1, "appeal": 1}
    assert totals.under_review == {"figure": 1}
    assert totals.closed == {("misuse", "upheld"): 1}
    assert [totals.of(kind) for kind in module.KINDS] == [2, 1, 1, 0]


BOUNDS = {
    "waiting to be read": ("MOST_WAITING", {}, "of all kinds"),
    "in a day": ("MOST_A_DAY", {}, "of all kinds"),
    "about one code": ("MOST_OF_CODE", {"code": CODE}, "about this code"),
}


@pytest.mark.parametrize(("bound", "changes", "found"), BOUNDS.values(), ids=BOUNDS.keys())
def test_only_so_many_are_taken(
    complaints: Complaints, monkeypatch: pytest.MonkeyPatch, bound: str, changes: dict[str, str], found: str
) -> None:
    monkeypatch.setattr(module, bound, 3)
    filed = [complaints.file(draft(**changes), NOW) for _ in range(3)]
    with pytest.raises(TooManyError) as refused:
        complaints.file(draft(**changes), NOW)
    assert refused.value.found == found
    assert complaints.listed() == sorted(filed, key=lambda row: row.receipt)


def test_reports_about_one_code_keep_nobody_from_another(
    complaints: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_OF_CODE", 1)
    for code in (CODE, OTHER):
        complaints.file(draft(code=code), NOW)
    for _ in range(3):  # what names no code is about none in particular
        complaints.file(draft(code="", place="a shop"), NOW)
    complaints.review(complaints.listed()[0].receipt, "", NOW)
    assert len(complaints.listed()) == 5


FAULTS = {
    "nothing": ({"kind": "", "text": ""}, {"kind": "missing", "text": "missing"}),
    "a kind that there is not": ({"kind": "praise"}, {"kind": "unknown"}),
    "a mistyped code": ({"code": "TACT00001X"}, {"code": "malformed"}),
    "no code and no place": ({"code": ""}, {"place": "missing"}),
    "a short text": ({"text": "bad"}, {"text": "missing"}),
    "a text of controls": ({"text": "\x00\x1b\u202e" * 20}, {"text": "missing"}),
    "a long text": ({"text": "x" * 4001}, {"text": "too_long"}),
    "a long place": ({"place": "x" * 501}, {"place": "too_long"}),
    "a long contact": ({"contact": "x" * 201}, {"contact": "too_long"}),
}


@pytest.mark.parametrize(("changes", "faults"), FAULTS.values(), ids=FAULTS.keys())
def test_a_report_that_cannot_be_used_is_told_field_by_field(changes: dict[str, str], faults: dict[str, str]) -> None:
    assert draft_of(GOOD | changes) == (None, faults)


def test_controls_and_directions_are_taken_out() -> None:
    made = draft(text="a\x00b\x1b[31mc\u202ed\ud800e\tf\rg\u200d", place="x\ny\u2066z", contact="me\r\n@example.org")
    assert (made.text, made.place, made.contact) == ("ab[31mcde f\ng\u200d", "x yz", "me @example.org")


LATE = {
    "nobody has read it in time": ("received", 5, False),
    "nobody has read it too long": ("received", 6, True),
    "no finding in time": ("under_review", 14, False),
    "no finding too long": ("under_review", 15, True),
}


@pytest.mark.parametrize(("state", "days", "late"), LATE.values(), ids=LATE.keys())
def test_what_is_late_is_told(tmp_path: Path, state: str, days: int, late: bool) -> None:
    with closing(Database(f"sqlite:///{tmp_path / 'db.sqlite'}")) as database:
        complaints = Complaints(ComplaintStore(database), secrets.token_bytes)
        row = complaints.file(draft(), NOW)
        row = complaints.review(row.receipt, "", NOW) if state == "under_review" else row
        assert is_late(row, parse_time(row.received_at) + timedelta(days=days)) is late


# -- the operator ---------------------------------------------------------------------------------------------------


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["complaints", *(str(argument) for argument in arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("operator") / "home"
    make_home(Settings(home=home), datetime.now(UTC))
    return home


def test_the_operator_lists_shows_reviews_and_closes(home: Path) -> None:
    with closing(open_certifier(Settings(home=home))) as certifier:
        certifier.complaints.file(
            draft(text="One [red]line[/]\nand \x1b]0;another"), datetime.now(UTC) - timedelta(days=6)
        )
    (listed,) = json.loads(run("list", "--home", home, "--json").stdout)["complaints"]
    assert (listed["kind"], listed["code"], listed["state"], listed["late"]) == ("misuse", CODE, "received", True)
    assert not {"text", "contact", "place"} & listed.keys()
    receipt = listed["receipt"]
    assert "late" in run("list", "--home", home).stdout
    shown = run("show", receipt, "--home", home).stdout
    assert "me@example.org" in shown
    assert "was never issued here" in shown
    assert "One [red]line[/]" in shown
    assert "\x1b" not in shown
    assert json.loads(run("review", receipt, "--home", home, "--json").stdout)["state"] == "under_review"
    assert run("review", receipt, "--home", home).exit_code == 3
    assert run("close", receipt, "--home", home, "--outcome", "upheld").exit_code == 2
    closed = run("close", receipt, "--home", home, "--outcome", "upheld", "--reason", "So it was.", "--json")
    assert json.loads(closed.stdout)["outcome"] == "upheld"
    assert json.loads(run("list", "--home", home, "--json").stdout) == {"complaints": []}
    assert receipt in run("list", "--home", home, "--state", "all").stdout
    assert run("show", "nothing", "--home", home).exit_code == 3


def test_a_backup_holds_them(home: Path, tmp_path: Path) -> None:
    with closing(open_certifier(Settings(home=home))) as certifier:
        sent = certifier.complaints.file(draft(), NOW)
    make_backup(Settings(home=home), tmp_path / "backup", with_keys=False)
    with closing(Database(f"sqlite:///{tmp_path / 'backup' / DATABASE}")) as database:
        assert ComplaintStore(database).one(sent.receipt) == sent
