"""The guide to the API says what is so: its commands run, and its tables are those of the code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certifier.settings import Settings
from certifier.web.access import OR
from certifier.web.app import ROUTES, described_path
from certifier.web.caching import KEPT
from certifier.web.certificate_api import BY_TYPE
from certifier.web.problems import problems
from certifier.web.wire import EXPOSED
from tests.web.api_examples import Sandbox, sandbox_of
from tests.web.test_docs import run

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text("utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
ROWS = [
    [cell.strip().strip("`") for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("|")
]


@pytest.fixture(scope="module")
def sandbox(filled_sandbox: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_of(filled_sandbox, tmp_path_factory.mktemp("api-docs")) as made:
        yield made


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_guide_works_as_it_stands(sandbox: Sandbox, tmp_path: Path, command: str) -> None:
    (tmp_path / "key").write_text(sandbox.key)
    answer = run(sandbox.client, tmp_path, command)
    assert answer.status_code == (400 if "gold" in command else 200)
    assert "verdict" not in command or answer.json["verdict"] == "valid"


def test_the_error_that_is_shown_is_the_one_that_comes(sandbox: Sandbox) -> None:
    shown: dict[str, Any] = json.loads(re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)[-1])
    headers = {"X-Request-Id": shown["request_id"]}
    assert sandbox.client.get("/api/v1/certificates?tier=gold", headers=headers).json == shown


def test_the_guide_lists_every_resource_and_its_scope() -> None:
    elsewhere = ("/api/v1/api-keys", "/api/v1/webhook-endpoints", "/api/v1/deliveries")
    listed = {(row[0], row[1], row[3]) for row in ROWS if len(row) == 4 and row[1].startswith("/api/")}
    acts = {"ops:revoke", "ops:approve"}
    served = {
        (route.method, described_path(route.path), route.scope)
        for route in ROUTES
        if route.path.startswith("/api/")
        and not route.path.startswith(elsewhere)
        and acts.isdisjoint(route.scope.split(OR))
    }
    assert listed == served


def test_the_guide_tells_how_long_things_are_kept() -> None:
    told = {row[0]: row[1] for row in ROWS if len(row) == 2 and row[1].startswith(("public", "private", "no-cache"))}
    assert told == {kept.about: kept.header for kept in KEPT}


def test_the_guide_lists_every_form() -> None:
    assert {row[0]: row[1] for row in ROWS if len(row) == 3 and row[1].startswith(".")} == {
        media_type: f".{suffix}" for media_type, suffix in BY_TYPE.items()
    }


def test_the_guide_names_headers_and_kinds_of_problem_that_there_are() -> None:
    told = re.search(r"may read the headers ([^.]*)\.", TEXT)
    assert told
    assert set(re.split(r",\s+|\s+and\s+", told[1])) == set(EXPOSED.split(", "))
    slugs = set(re.findall(r"4\d\d\s+`([a-z-]+)`", TEXT))
    assert slugs
    assert slugs <= problems().keys()


def test_the_guide_names_every_parameter_of_the_search(sandbox: Sandbox) -> None:
    operation = sandbox.document["paths"]["/api/v1/certificates"]["get"]
    named = {each["name"] for each in operation["parameters"]} - {"limit", "cursor"}
    section = TEXT.partition("## Search")[2].partition("## Pages")[0]
    first_cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(first_cells))) == named
