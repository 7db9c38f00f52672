"""``certifier api-keys``: a key is shown once, works at once, and ends at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from certifier.certificate.times import parse_time
from certifier.cli.main import main
from certifier.web.app import create_app
from tests.studio import Studio
from tests.web.access import bearer

CURRENT = "/api/v1/api-keys/current"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def client(studio: Studio) -> Iterator[FlaskClient]:
    certifier = studio.certifier()
    yield create_app(certifier).test_client()
    certifier.close()


def run(studio: Studio, *arguments: Any) -> Result:
    words = ["api-keys", *map(str, arguments), "--home", str(studio.settings.home)]
    return CliRunner().invoke(main, words, catch_exceptions=False)


def test_a_new_key_is_shown_alone_works_at_once_and_is_told_never_again(studio: Studio, client: FlaskClient) -> None:
    made = run(studio, "new", "Example Platform", "--scope", "verify:bulk", "--network", "127.0.0.0/8")
    key = made.stdout.strip()
    assert client.get(CURRENT, headers=bearer(key)).json["networks"] == ["127.0.0.0/8"]
    assert key not in made.stderr
    for form in ((), ("--json",)):
        listed = run(studio, "list", *form)
        assert key.split("_")[2] in listed.output
        assert key.split("_")[3] not in listed.output


def test_a_revoked_key_ends_at_once_and_stays_listed(studio: Studio, client: FlaskClient) -> None:
    made = json.loads(run(studio, "new", "Example Radio", "--scope", "keys:manage", "--json").stdout)
    assert client.get(CURRENT, headers=bearer(made["key"])).status_code == 200
    first, again = (json.loads(run(studio, "revoke", made["id"], "--json").stdout) for _ in range(2))
    assert first == again
    assert first["revoked_at"]
    assert client.get(CURRENT, headers=bearer(made["key"])).status_code == 401
    assert "revoked" in run(studio, "list", "--holder", "Example Radio").stdout


# --expires -> days from now
ENDS = {"a number of days": ("90d", 90), "a day, to its end": ("DAY", 11), "a time": ("TIME", 10)}


@pytest.mark.parametrize(("text", "days"), ENDS.values(), ids=ENDS.keys())
def test_a_key_ends_when_it_was_said(text: str, days: int, studio: Studio) -> None:
    soon = datetime.now(UTC) + timedelta(days=10)
    written = text.replace("DAY", f"{soon:%Y-%m-%d}").replace("TIME", f"{soon:%Y-%m-%dT%H:%M:%SZ}")
    made = run(studio, "new", "Example", "--scope", "verify:bulk", "--expires", written, "--json")
    ends = parse_time(json.loads(made.stdout)["expires_at"])
    assert abs(ends - datetime.now(UTC) - timedelta(days=days)) <= timedelta(days=1)


# arguments -> exit code and what is told
REFUSED: dict[str, tuple[tuple[str, ...], int, str]] = {
    "another scope": (("new", "Example", "--scope", "everything"), 2, "verify:bulk"),
    "no scope": (("new", "Example"), 2, "--scope"),
    "no name": (("new", " ", "--scope", "verify:bulk"), 3, "plain name"),
    "a key for a name": (("new", "lcal_test_x", "--scope", "verify:bulk"), 3, "plain name"),
    "no network": (("new", "Example", "--scope", "verify:bulk", "--network", "10.0.0.0/99"), 3, "no network"),
    "a network with a host in it": (("new", "Example", "--scope", "verify:bulk", "--network", "10.0.0.1/8"), 3, "no"),
    "an end that is over": (
        ("new", "Example", "--scope", "verify:bulk", "--expires", "2020-01-01"),
        3,
        "found    2020-01-01\n",
    ),
    "an end out of all time": (("new", "Example", "--scope", "verify:bulk", "--expires", "9999-12-31"), 2, "90d"),
    "no end": (("new", "Example", "--scope", "verify:bulk", "--expires", "soon"), 2, "90d"),
    "an id of nobody": (("revoke", "0000000000000000"), 3, "no such key"),
}


@pytest.mark.parametrize(("arguments", "code", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_a_key_is_refused(arguments: tuple[str, ...], code: int, told: str, studio: Studio) -> None:
    result = run(studio, *arguments)
    assert (result.exit_code, told in result.output) == (code, True), result.output


def test_without_an_installation_none_is_made(tmp_path: Path) -> None:
    home = str(tmp_path / "none")
    for words in (["list"], ["new", "Example", "--scope", "verify:bulk"]):
        result = CliRunner().invoke(main, ["api-keys", *words, "--home", home])
        assert (result.exit_code, f"certifier init --home {home}" in " ".join(result.stderr.split())) == (1, True)
    assert not (tmp_path / "none").exists()
