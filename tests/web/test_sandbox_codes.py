"""The page of sandbox codes tells what the installation answers now, and how to make what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from certifier.certificate.code import display_code
from certifier.service.home import open_certifier
from certifier.service.sandbox import DEMO_CODES, MISTYPED_CODE, UNKNOWN_CODE
from certifier.settings import Settings
from certifier.web.app import create_app
from certifier.web.sandbox import CODES
from tests.web.conftest import World


def now() -> datetime:
    """The clock's: a log takes nothing from before its newest entry."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def sandbox(filled_sandbox: Settings) -> Iterator[FlaskClient]:
    with closing(open_certifier(filled_sandbox, now())) as certifier:
        yield create_app(certifier, now).test_client()


def test_every_code_stands_there_with_its_words(sandbox: FlaskClient) -> None:
    page = sandbox.get("/docs/sandbox").text
    assert CODES.keys() == {*DEMO_CODES, "unknown", "mistyped"}
    for code in (*DEMO_CODES.values(), UNKNOWN_CODE, MISTYPED_CODE):
        assert display_code(code) in page
    assert "certifier sandbox fill" not in page
    assert "Example Song" not in page


PLACES_OF_EXAMPLES = ("/", "/meaning", f"/v/{DEMO_CODES['class-1']}", "/docs", "/docs/api", "/docs/display")


@pytest.mark.parametrize("path", PLACES_OF_EXAMPLES)
def test_a_certificate_whose_document_was_changed_is_no_example(sandbox: FlaskClient, path: str) -> None:
    broken = DEMO_CODES["broken"]
    page = sandbox.get(path).text.partition("Newest in the register")[0]
    assert broken not in page
    assert display_code(broken) not in page
    assert any(code in page or display_code(code) in page for code in DEMO_CODES.values())


AXES = {
    "suspended": {"lifecycle": "suspended"},
    "revoked": {"lifecycle": "revoked"},
    "superseded": {"lifecycle": "revoked"},
    "expired": {"validity": "expired"},
    "broken": {"integrity": "broken"},
}


def test_programs_read_what_each_answer_is(sandbox: FlaskClient) -> None:
    codes = {row["name"]: row for row in sandbox.get("/docs/sandbox.json").json["codes"]}
    for name, row in codes.items():
        answer = sandbox.get(row["url"], headers={"Accept": "application/json"})
        assert answer.status_code == row["status"], name
        if row["problem"]:
            assert answer.json["type"].endswith(f"/{row['problem']}")
            continue
        asked = sandbox.post("/api/v1/verifications", json={"code": row["code"]}).json
        assert asked["verdict"] == row["verdict"] == ("not_valid" if name in AXES else "valid"), name
        assert AXES.get(name, {}).items() <= row["axes"].items()
    assert [codes[name]["outcome"] for name in ("class-1", "class-2", "measured", "statement", "broken")] == [
        "class-1",
        "class-2",
        "measured",
        "disclosed",
        None,
    ]


def test_without_examples_it_says_how_to_make_them(world: World) -> None:
    page = world.client.get("/docs/sandbox").text
    assert "This installation has none of them" in page
    assert "certifier sandbox fill --home HOME" in page
    assert {row["name"] for row in world.client.get("/docs/sandbox.json").json["codes"]} == {"unknown", "mistyped"}


def test_production_says_that_it_has_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.certifier, "settings", replace(world.certifier.settings, environment="production"))
    page = create_app(world.certifier, now).test_client().get("/docs/sandbox").text
    assert "production has no examples" in page
    assert "sandbox fill" not in page


def test_the_documentation_names_every_code_with_its_verdict(sandbox: FlaskClient) -> None:
    text = (Path(__file__).parents[2] / "docs/sandbox.md").read_text()
    rows = dict(re.findall(r"^\| [^|]+ \| `([^`]+)` \| `?(\w+)`? \|", text, re.MULTILINE))
    told = {
        display_code(row["code"]): row["verdict"] or "none" for row in sandbox.get("/docs/sandbox.json").json["codes"]
    }
    assert rows == told
