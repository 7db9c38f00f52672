"""The log page: the newest checkpoint as it was signed, every entry, where a code stands; also when there is nothing yet."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from certifier.certificate.code import display_code
from certifier.log.entry import LEAF_TYPES
from certifier.log.lines import to_base64
from certifier.log.note import parse_checkpoint, parse_note
from certifier.web.app import create_app
from certifier.web.log_page import KINDS
from tests.studio import NOW, Studio
from tests.web.conftest import LATER, World

HTML = {"Accept": "text/html"}


def shown(client: FlaskClient, path: str = "/log") -> str:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


def indices_on(page: str) -> list[int]:
    return [int(index) for index in re.findall(r'<th scope="row" class="num">(\d+)</th>', page)]


def test_the_page_shows_the_checkpoint_that_the_log_serves(world: World) -> None:
    page, note = shown(world.client), world.client.get("/log/checkpoint").data
    checkpoint = parse_checkpoint(parse_note(note).text)
    assert note.decode() in page.replace("&#43;", "+")
    assert to_base64(checkpoint.root) in page.replace("&#43;", "+")
    assert f"<b>{checkpoint.size}</b>" in page
    assert world.client.get("/log/log.vkey").text.strip() in page.replace("&#43;", "+").replace("&#39;", "'")
    assert "no witness has cosigned it" in page


def test_every_entry_is_listed_the_newest_first(world: World) -> None:
    page = shown(world.client)
    size = world.certifier.logbook.head.size
    assert indices_on(page) == list(range(size - 1, -1, -1))
    for issued in (world.verified, world.attested, world.statement, world.withdrawn):
        assert f"<code>{display_code(issued.certificate.code)}</code>" in page
    assert page.count("certificate withdrawn") == 1
    assert "the mark was used on other tracks" in page


def test_a_code_leads_to_its_entries_and_its_proof(world: World) -> None:
    code = world.withdrawn.certificate.code
    page = shown(world.client, f"/log?code={display_code(code).lower()}")
    placed = world.certifier.store.entry_for(code, "issue")
    assert placed
    assert f"Entry <b>{placed.index}</b>" in page
    assert "certificate withdrawn, " in page
    assert f'href="/v/{code}.tlog-proof"' in page
    assert world.client.get(f"/v/{code}.tlog-proof").status_code == 200


REFUSED = {
    "a code with a typing error": ("/log?code=ABCDEFGHJK", 400),
    "a code that the log does not hold": ("/log?code=0000000000", 404),
    "an index that is none": ("/log?before=-1", 400),
    "an index in other digits": ("/log?before=%D9%A3", 400),
    "an endless index": ("/log?before=" + "9" * 30, 400),
    "a log of another year": ("/log?log=1999", 400),
}


@pytest.mark.parametrize(("path", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_a_place_that_does_not_exist_is_told(world: World, path: str, status: int) -> None:
    assert world.client.get(path, headers=HTML).status_code == status


def test_pages_of_entries_follow_each_other_and_a_closed_log_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certifier.web.log_page.ON_A_PAGE", 2)
    studio = Studio(tmp_path)
    certifier = studio.certifier()
    codes = []
    for number in range(3):
        answer = certifier.certify(studio.examined(number), NOW)
        codes.append(answer.certificate.code)  # type: ignore[union-attr]
    for change in ("suspend", "reinstate"):
        certifier.change_status(codes[0], change, "evidence", NOW + timedelta(days=1))  # type: ignore[arg-type]
    client = create_app(certifier, lambda: LATER).test_client()
    page, seen = shown(client), []
    while True:
        seen += indices_on(page)
        older = re.search(r'rel="next" href="([^"#]+)', page)
        if not older:
            break
        page = shown(client, older[1])
    assert seen == list(range(certifier.logbook.head.size - 1, -1, -1))
    assert "Newest" in page
    assert "suspension ended" in shown(client)
    certifier.close()


def test_the_log_page_of_an_empty_installation_says_so(client: FlaskClient) -> None:
    page = shown(client)
    assert "Public log" in page
    assert "certifier log monitor" in page
    assert "There is no entry to show." in page
    assert indices_on(page) == []


def test_every_type_of_entry_has_words() -> None:
    assert set(KINDS) == set(LEAF_TYPES)
