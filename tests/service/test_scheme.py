"""Who stands behind an installation, as the file in its home says it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certifier.errors import OperatorError
from certifier.service.home import make_home, open_certifier
from certifier.service.register import LiveKeys
from certifier.service.scheme import Scheme, example_scheme, give_example_scheme, load_scheme, parse_scheme
from certifier.settings import Settings
from certifier.storage.files import SCHEME_FILE
from tests.studio import NOW

PROJECT_ROOT = Path(__file__).parents[2]

BODY = """
[body]
name = "Example Monitoring Body"
accreditation = "an example"
contract_from = 2026-01-01
contract_until = 2026-12-31
monitors = ["A1"]
"""
FEES = '[fees]\ncurrency = "EUR"\nsmall_is = "few tracks"\n'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "home")
    make_home(settings, NOW)
    return settings


def test_the_repositorys_own_scheme_names_no_body_and_allows_nothing_more() -> None:
    scheme = parse_scheme((PROJECT_ROOT / "keys" / SCHEME_FILE).read_text())
    assert scheme.body is None
    assert scheme.monitored_at(NOW) == frozenset()
    assert (scheme.fees, scheme.ties, scheme.demo) == (None, None, False)


def test_a_new_home_has_the_repositorys_scheme(settings: Settings) -> None:
    assert load_scheme(settings).owner == "the operator of this installation"
    certifier = open_certifier(settings, NOW)
    assert certifier.keys.now.scheme == load_scheme(settings)
    certifier.close()


def test_a_home_without_the_file_has_nothing_stated_and_no_body(settings: Settings) -> None:
    (settings.register_dir / SCHEME_FILE).unlink()
    assert load_scheme(settings) == Scheme()
    assert load_scheme(settings).monitored_at(NOW) == frozenset()


def test_the_example_is_marked_as_one_and_has_a_body() -> None:
    scheme = parse_scheme(example_scheme())
    assert scheme.demo
    assert scheme.body is not None
    assert "not a real body" in scheme.body.name
    assert scheme.monitored_at(NOW) == {"A1", "A2"}


def test_the_form_in_the_documentation_is_one_that_is_read() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", (PROJECT_ROOT / "docs/scheme.md").read_text(), re.DOTALL)
    scheme = parse_scheme(text)
    assert scheme.monitored_at(NOW) == {"A1", "A2"}
    assert scheme.model_fields_set == set(Scheme.model_fields), "every part is told"


DAYS = {
    "the day before": (datetime(2025, 12, 31, 23, 59, tzinfo=UTC), False),
    "the first day": (datetime(2026, 1, 1, tzinfo=UTC), True),
    "the last day": (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), True),
    "the day after": (datetime(2027, 1, 1, tzinfo=UTC), False),
}


@pytest.mark.parametrize(("moment", "monitors"), DAYS.values(), ids=DAYS.keys())
def test_a_body_monitors_while_its_contract_runs(moment: datetime, monitors: bool) -> None:
    scheme = parse_scheme(BODY)
    assert scheme.monitored_at(moment) == ({"A1"} if monitors else set())
    assert (scheme.body_at(moment) is not None) == monitors


def test_no_ties_and_ties_not_stated_are_two_things() -> None:
    assert parse_scheme("ties = []").ties == ()
    assert parse_scheme("").ties is None


# text -> what the error says: place, found, expected
WRONG = {
    "no TOML": ("owner", "is not TOML", "end of document", ""),
    "a field that nobody knows": ('owner = "A"\nmonitor = "B"', "line 2: monitor", "B", "no such field"),
    "a number for a name": ("owner = 3", "line 1: owner", "3", "valid string"),
    "an empty name": ('owner = " "', "line 1: owner", "", "control characters"),
    "a control character": ('owner = "a\\u0007"', "line 1: owner", "\a", "control characters"),
    "a body without accreditation": ('\n[body]\nname = "A"', "line 2: body.accreditation", "nothing", "required"),
    "a contract that ends first": (
        BODY.replace("2026-12-31", "2025-12-31"),
        "line 2: body",
        "dict",
        "before contract_from",
    ),
    "a level that nobody can monitor": (BODY.replace('"A1"', '"A0"'), "line 7: body.monitors.0", "A0", "'A1' or 'A2'"),
    "a body that is the owner": (
        'owner = "example monitoring body"' + BODY,
        "line 3: the monitoring body is not independent",
        "as owner",
        "neither owner nor issuer",
    ),
    "a price with a comma": (
        f'{FEES}[[fees.table]]\nwhat = "x"\namount = "3,00"\nsmall = "1"',
        "line 6: fees.table.0.amount",
        "3,00",
        "pattern",
    ),
    "small applicants that pay more": (
        f'{FEES}[[fees.table]]\nwhat = "x"\namount = "3"\nsmall = "1"\n[[fees.table]]\nwhat = "y"\namount = "3"\nsmall = "4"',
        "line 8: fees.table.1",
        "dict",
        "pay less",
    ),
    "a tie of one party": (
        '[[ties]]\nkind = "money"\nbetween = ["A"]\nwhat = "x"',
        "ties.0.between",
        "nothing",
        "required",
    ),
    "a later finding than the standard allows": ("[complaints]\nfinding_in_days = 15", "line 2: ", "15", "equal to 14"),
    "less time to appeal than the standard gives": (
        "[complaints]\nappeal_in_days = 29",
        "line 2: ",
        "29",
        "equal to 30",
    ),
    "a day that is none": ('[revision]\nnext = "soon"', "line 2: revision.next", "soon", "date"),
    "a whole book": ("#" * 70_000, "too long", "70000", "at most"),
}


@pytest.mark.parametrize(("text", "place", "found", "expected"), WRONG.values(), ids=WRONG.keys())
def test_a_file_that_cannot_be_used_says_where_and_why(text: str, place: str, found: str, expected: str) -> None:
    with pytest.raises(OperatorError) as caught:
        parse_scheme(text)
    error = caught.value
    assert place in error.message
    assert found in (error.found or "")
    assert expected in (error.expected or "")


def test_bytes_that_are_no_text_are_refused(settings: Settings) -> None:
    (settings.register_dir / SCHEME_FILE).write_bytes(b"owner = '\xff'")
    with pytest.raises(OperatorError, match="not UTF-8"):
        load_scheme(settings)


def test_production_takes_no_example(settings: Settings) -> None:
    (settings.register_dir / SCHEME_FILE).write_text(example_scheme())
    assert load_scheme(settings).demo
    with pytest.raises(OperatorError, match="is an example"):
        load_scheme(replace(settings, environment="production"))


def test_the_example_takes_the_place_of_no_scheme_that_somebody_wrote(settings: Settings) -> None:
    path = settings.register_dir / SCHEME_FILE
    give_example_scheme(settings)
    assert path.read_text() == example_scheme(), "the repository's own says nothing yet"
    path.write_text(BODY)
    give_example_scheme(settings)
    assert path.read_text() == BODY
    path.unlink()
    give_example_scheme(settings)
    assert load_scheme(settings).demo


def test_the_issuer_cannot_be_its_own_monitoring_body(settings: Settings) -> None:
    (settings.register_dir / SCHEME_FILE).write_text(BODY.replace("Example Monitoring Body", settings.issuer_name))
    with pytest.raises(OperatorError, match="not independent"):
        load_scheme(settings)


def test_a_running_service_takes_up_a_changed_scheme_and_keeps_the_old_one_for_a_broken_file(
    settings: Settings,
) -> None:
    keys = LiveKeys(settings)
    path = settings.register_dir / SCHEME_FILE
    path.write_text(BODY)
    keys.look()
    assert keys.now.scheme.monitored_at(NOW) == {"A1"}
    path.write_text("owner = 3")
    keys.look()
    assert keys.now.scheme.monitored_at(NOW) == {"A1"}
    assert "scheme.toml, line 1" in keys.fault
