"""The guides of docs/ as pages: each is there, and no link in one leads to nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from certifier.web.app import create_app
from certifier.web.guides import GUIDES, rendered
from tests.studio import Studio
from tests.web.conftest import LATER

HTML = {"Accept": "text/html"}
LINK = re.compile(r'href="(/docs/guides/[^"]*|#[^"]*)"')


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    certifier = Studio(tmp_path_factory.mktemp("guides")).certifier()
    yield create_app(certifier, lambda: LATER).test_client()
    certifier.close()


def test_every_guide_that_is_named_is_a_page_with_its_own_title(client: FlaskClient) -> None:
    for name in GUIDES:
        answer = client.get(f"/docs/guides/{name}", headers=HTML)
        title = Path(f"docs/{name}.md").read_text("utf-8").partition("\n")[0].removeprefix("# ")
        assert answer.status_code == 200, name
        assert f'">{rendered(f"# {title}")[0]}</h1>' in answer.text.replace("&amp;", "&"), name


def test_no_link_from_guide_to_guide_leads_to_nothing(client: FlaskClient) -> None:
    pages = {f"/docs/guides/{name}": client.get(f"/docs/guides/{name}", headers=HTML).text for name in GUIDES}
    for path, text in pages.items():
        for target in LINK.findall(text.partition("<main")[2]):
            file, _, anchor = target.partition("#")
            page = pages.get(file or path)
            assert page is not None, f"{path} -> {target}"
            assert not anchor or f'id="{anchor}"' in page, f"{path} -> {target}"


NO_GUIDES = ["nothing", "..", "../README", "%2e%2e%2fREADME", "Packs", "packs.md", "decisions", "images"]


@pytest.mark.parametrize("name", NO_GUIDES)
def test_no_other_file_is_shown(client: FlaskClient, name: str) -> None:
    assert client.get(f"/docs/guides/{name}").status_code == 404


TEXTS = {
    "a file that is not shown": ("[x](../README.md)", "<p>x</p>"),
    "an image of the project": ("[x](images/a.png)", "<p>x</p>"),
    "another guide": ("[x](packs.md#what-age-does)", '<p><a href="/docs/guides/packs#what-age-does">x</a></p>'),
    "a page of the service": ("[x](/docs/api)", '<p><a href="/docs/api">x</a></p>'),
    "markup": ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>"),
    "a dangerous address": ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
}


@pytest.mark.parametrize(("text", "html"), TEXTS.values(), ids=TEXTS)
def test_links_and_markup_in_a_guide(text: str, html: str) -> None:
    assert rendered(text)[1].strip() == html
