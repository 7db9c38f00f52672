"""The differences between two versions of the standard on a page: by what they are about, as the command tells them."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from certifier.service.certifier import Certifier
from certifier.standard.diff import compare
from certifier.storage.files import load_standard_folder
from certifier.web.app import create_app
from certifier.web.standards import PARTS, parts_of
from tests.studio import Studio
from tests.web.conftest import LATER, World

PROJECT_ROOT = Path(__file__).parents[2]

HTML = {"Accept": "text/html"}
DRAFT = "LCAL-1.1.0-draft"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certifier]:
    """An installation with two versions; only for reading."""
    certifier = Studio(tmp_path_factory.mktemp("two")).certifier(standards="lcal/1.0.0@2027-03-01 lcal/1.1.0-draft")
    yield certifier
    certifier.close()


@pytest.fixture
def two_client(two: Certifier) -> FlaskClient:
    return create_app(two, lambda: LATER).test_client()


def shown(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def test_the_differences_are_those_of_the_command(two_client: FlaskClient) -> None:
    page = shown(two_client, f"/standards/diff?from=LCAL-1.0.0&to={DRAFT}")
    folder = PROJECT_ROOT / "standards/lcal"
    comparison = compare(load_standard_folder(folder / "1.0.0"), load_standard_folder(folder / "1.1.0-draft"))
    for change in comparison.changes:
        assert change.kind == "head" or change.subject in page, change
    assert "a major version" in page
    assert "promises less" in page
    limits = page.index('id="part-1"')
    assert limits < page.index("limits.class_1") < page.index("Factors and tables", limits) < page.index("FRA")
    for movement in comparison.movements:
        assert movement.title in page


def test_the_other_way_round_is_another_answer(two_client: FlaskClient) -> None:
    page = shown(two_client, f"/standards/diff?from={DRAFT}&to=LCAL-1.0.0")
    assert "From 1.1.0-draft to 1.0.0" in page
    assert "nothing differs" in shown(two_client, "/standards/diff?from=LCAL-1.0.0&to=LCAL-1.0.0")


def test_a_version_is_also_named_by_its_digest(two: Certifier, two_client: FlaskClient) -> None:
    digests = [version.standard.digest for version in two.shelf.versions]
    assert "From 1.0.0 to" in shown(two_client, f"/standards/diff?from={digests[0]}&to={digests[1]}")


def test_the_form_proposes_the_newest_two(two_client: FlaskClient) -> None:
    page = shown(two_client, "/standards/diff")
    assert '<option value="LCAL-1.0.0" selected>' in page.split('name="to"')[0]
    assert f'<option value="{DRAFT}" selected>' in page.split('name="to"')[1]
    assert "/standards/diff" in shown(two_client, "/standards")
    assert f"/standards/diff?from=LCAL-1.0.0&to={DRAFT}" in shown(two_client, "/standards/lcal/1.1.0-draft")


def test_one_version_alone_is_told(world: World) -> None:
    assert "There is only one version of the standard here, LCAL-1.0.0" in shown(world.client, "/standards/diff")


@pytest.mark.parametrize("query", ["from=LCAL-9&to=LCAL-1.0.0", "from=LCAL-1.0.0", "from=%3Cscript%3E&to=x", "a=b"])
def test_a_version_that_is_not_here_is_told(world: World, query: str) -> None:
    answer = world.client.get(f"/standards/diff?{query}", headers=HTML)
    assert answer.status_code == 400
    assert "<script>" not in answer.text


def test_every_change_has_its_part(two: Certifier) -> None:
    digests = [version.standard.digest for version in two.shelf.versions]
    comparison = two.shelf.compared(*digests)
    assert comparison
    parts = parts_of(comparison)
    assert sum(map(len, parts.values())) == len([c for c in comparison.changes if c.kind != "head"])
    assert next(iter(parts)) == PARTS["limit"]
