"""Whatever stands in a title, a name or a link of a report comes out as text: in pages, drawings, documents and snippets.

An answer about a hostile certificate is compared with that about a plain one: the same elements and attributes, in the
same order; only texts differ. So nothing of a payload became markup, whatever it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from certifier.report import model
from certifier.service.certifier import Certifier, Issued
from certifier.web.app import create_app
from tests.studio import APPLICANT, NOW, PARTY, VERIFIER, Studio
from tests.web.conftest import LATER

PAYLOADS: list[str] = json.loads(Path("tests/vectors/injection/payloads.json").read_text("utf-8"))
PLAIN = "Plain words"
EACH = 3  # payloads in one certificate: its title, its artist, a name and a link of the report
# Attributes that hold words of ours and of others, or an address of the one certificate.
WORDS = {
    "alt",
    "aria-label",
    "title",
    "content",
    "href",
    "src",
    "value",
    "action",
    "id",
    "datetime",
    "for",
    "aria-labelledby",
    "d",
}


@dataclass(frozen=True)
class Case:
    payloads: tuple[str, ...]
    code: str
    submission_id: str


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FlaskClient, Case, list[Case]]]:
    studio = Studio(tmp_path_factory.mktemp("injection"))
    certifier = studio.certifier()
    client = create_app(certifier, lambda: LATER).test_client()
    with pytest.MonkeyPatch.context() as patched:
        # A report with markup in it is refused at the door; here the door is held open, to test what stands behind it.
        patched.setattr(model, "_MARKUP", re.compile("(?!)"))
        places = range(0, len(PAYLOADS), EACH)
        cases = [_certified(studio, certifier, at, tuple(PAYLOADS[at : at + EACH])) for at in places]
        yield client, _certified(studio, certifier, -1, (PLAIN,) * EACH), cases
    certifier.close()


def _certified(studio: Studio, certifier: Certifier, number: int, payloads: tuple[str, ...]) -> Case:
    title, artist, name = (*payloads, *(PLAIN,) * EACH)[:EACH]
    report = studio.report()
    report["track"] |= {"title": title, "artist": artist}
    report["models"][0]["name"] = name
    report["process"] |= {"dataset_governance": name, "auditable_pipeline": name}
    changes = {name: report[name] for name in ("track", "models", "process")}
    issued = certifier.certify(studio.examined(number, (APPLICANT, PARTY, VERIFIER), **changes), NOW)
    assert isinstance(issued, Issued)
    return Case(payloads, issued.certificate.code, issued.submission_id)


@dataclass
class Skeleton(HTMLParser):
    """Elements and attributes of a page in their order, without the words in them."""

    text: str
    found: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [(name, None if name in WORDS else value) for name, value in attrs]))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", data))


PAGES = ("/v/{code}", "/submissions/{submission_id}", "/verify?code={code}")


@pytest.mark.parametrize("path", PAGES)
def test_no_payload_becomes_markup_on_a_page(judged: tuple[FlaskClient, Case, list[Case]], path: str) -> None:
    client, plain, cases = judged
    expected = Skeleton(_page(client, path, plain)).found
    for case in cases:
        assert Skeleton(_page(client, path, case)).found == expected, case.payloads


def _page(client: FlaskClient, path: str, case: Case) -> str:
    answer = client.get(path.format(code=case.code, submission_id=case.submission_id), headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "'none'" in answer.headers["Content-Security-Policy"]
    return answer.text
