"""Style sheets and scripts: served by the application, under an address that names their bytes."""

from __future__ import annotations

import pytest

from certifier.web.assets import SCRIPTS, asset
from tests.web.conftest import World


def test_an_asset_is_kept_for_ever_under_the_digest_of_this_release(world: World) -> None:
    for name in ("style.css", "pages.css", "scripts/certificate.js"):
        answer = world.client.get(asset(name))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_comes_in_one_piece(world: World, name: str) -> None:
    answer = world.client.get(asset(name))
    assert answer.status_code == 200
    assert "import {" not in answer.text.replace("await import", "")


def test_an_asset_of_another_release_is_that_of_today_and_not_kept(world: World) -> None:
    answer = world.client.get("/static/0123456789abcdef/style.css")
    assert answer.data == world.client.get(asset("style.css")).data
    assert answer.headers["Cache-Control"] == "no-cache"


def test_nothing_but_the_assets_is_served(world: World) -> None:
    for path in ("../app.py", "..%2fapp.py", "nothing.css", "scripts", "/etc/passwd"):
        assert world.client.get(f"/static/0/{path}").status_code == 404, path
