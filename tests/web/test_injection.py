"""Whatever stands in a title, a name or a link of a report comes out as text: in pages, drawings, documents and snippets.

An answer about a hostile certificate is compared with that about a plain one: the same elements and attributes, in the
same order; only texts differ. So nothing of a payload became markup, whatever it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient
from PIL import Image

from certifier.badge.badge import plain
from certifier.report import model
from certifier.service.certifier import Certifier, Issued
from certifier.web.app import create_app
from tests.studio import APPLICANT, NOW, PARTY, VERIFIER, Studio
from tests.web.conftest import LATER

PAYLOADS: list[str] = json.loads(Path("tests/vectors/injection/payloads.json").read_text("utf-8"))
PLAIN = "Plain words"
EACH = 6  # payloads in one certificate: its title, its artist, and names and links of the report
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
    "download",
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
    title, artist, name, version, data, pipeline = (*payloads, *(PLAIN,) * EACH)[:EACH]
    report = studio.report()
    report["track"] |= {"title": title, "artist": artist}
    report["models"][0] |= {"name": name, "version": version}
    report["process"] |= {"dataset_governance": data, "auditable_pipeline": pipeline}
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


PAGES = (
    "/v/{code}",
    "/submissions/{submission_id}",
    "/verify?code={code}",
    "/v/{code}/kit",
    "/v/{code}/embed",
    "/v/{code}/renewal",
    "/replay/{code}",
    "/compare?codes={code}",
)


@pytest.mark.parametrize("path", PAGES)
def test_no_payload_becomes_markup_on_a_page(judged: tuple[FlaskClient, Case, list[Case]], path: str) -> None:
    client, simple, cases = judged
    expected = Skeleton(_page(client, path, simple)).found
    for case in cases:
        assert Skeleton(_page(client, path, case)).found == expected, case.payloads


def _page(client: FlaskClient, path: str, case: Case) -> str:
    answer = client.get(path.format(code=case.code, submission_id=case.submission_id), headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "'none'" in answer.headers["Content-Security-Policy"]
    return answer.text


DRAWINGS = ("/v/{code}.svg", "/v/{code}.baked.svg", "/v/{code}/badge/sheet.svg", "/v/{code}/badge/label.svg?art=print")


@pytest.mark.parametrize("path", DRAWINGS)
def test_no_payload_becomes_part_of_a_drawing(judged: tuple[FlaskClient, Case, list[Case]], path: str) -> None:
    client, _, cases = judged
    for case in cases:
        drawing = ET.fromstring(client.get(path.format(code=case.code)).data)
        names = {element.tag.rpartition("}")[2] for element in drawing.iter()}
        assert names <= {"svg", "title", "desc", "defs", "g", "path", "rect", "use", "credential"}, case.payloads
        for name, value in (pair for element in drawing.iter() for pair in element.items()):
            assert not name.startswith("on"), case.payloads
            assert not name.endswith("href") or value.startswith("#"), case.payloads


def test_documents_hold_a_payload_as_the_text_that_it_is(judged: tuple[FlaskClient, Case, list[Case]]) -> None:
    client, _, cases = judged
    for case in cases:
        view = client.get(f"/v/{case.code}.json")
        assert (view.mimetype, view.headers["X-Content-Type-Options"]) == ("application/json", "nosniff")
        track = view.json["track"]
        assert (track["title"], track["artist"]) == (*case.payloads, PLAIN)[:2]


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_frame_document_opens_its_frame_and_nothing_else(
    judged: tuple[FlaskClient, Case, list[Case]], form: str
) -> None:
    client, _, cases = judged
    for case in cases:
        answer = client.get("/oembed", query_string={"url": f"https://label.example/v/{case.code}", "format": form})
        frame = answer.json["html"] if form == "json" else ET.fromstring(answer.data).findtext("html")
        assert _only_frame(str(frame), case), case.payloads


def test_what_people_copy_from_the_kit_is_one_frame_or_one_linked_image(
    judged: tuple[FlaskClient, Case, list[Case]],
) -> None:
    client, _, cases = judged
    for case in cases:
        page = _page(client, "/v/{code}/kit", case)
        copied = [unescape(text) for text in re.findall(r'<pre class="copy-text"[^>]*>(.*?)</pre>', page, re.DOTALL)]
        markup = [Skeleton(text).found for text in copied if text.startswith("<")]
        assert [[tag if isinstance(tag, str) else tag[0] for tag in found] for found in markup] == [  # type: ignore[index]
            ["a", "img", "/a"],
            ["iframe", "/iframe"],
            ["a", "img", "/a"],
        ], case.payloads


def _only_frame(text: str, case: Case) -> bool:
    found = Skeleton(text).found
    return len(found) == 2 and found[1] == "/iframe" and f"/v/{case.code}/embed" in text


PICTURED = 4  # of the certificates; a picture takes long to draw


def test_pictures_and_papers_open_whatever_stands_in_them(judged: tuple[FlaskClient, Case, list[Case]]) -> None:
    client, _, cases = judged
    for case in cases[:: len(cases) // PICTURED]:
        picture = Image.open(BytesIO(client.get(f"/v/{case.code}/badge/sheet.png?scale=1").data))
        picture.load()
        named = " – ".join(plain(payload) for payload in (*case.payloads, PLAIN)[:2])
        assert picture.info["Title"].startswith(named), case.payloads
        paper = client.get(f"/v/{case.code}.pdf").data
        assert paper.startswith(b"%PDF-")
        paper = re.sub(rb"stream\r?\n.*?endstream", b"", paper, flags=re.DOTALL)  # letters there mean nothing
        assert not re.search(rb"/(JavaScript|JS|OpenAction|AA|Launch|SubmitForm)\b", paper), case.payloads


LISTS = ("/certificates", "/", "/meaning")


@pytest.mark.parametrize("path", LISTS)
def test_no_payload_becomes_markup_in_a_list(judged: tuple[FlaskClient, Case, list[Case]], path: str) -> None:
    client, simple, _ = judged
    for tag, attributes in _opened(_page(client, path, simple)):
        names = {name for name, _ in attributes}
        assert not [name for name in names if name.startswith("on") or name in ("style", "srcdoc")], (tag, attributes)
        assert tag != "script" or "src" in names, attributes


QUESTIONS = {
    "a search": "/certificates?q={}",
    "a complaint": "/complaints?code={}",
    "a receipt": "/complaints/find?receipt={}",
    "a comparison": "/compare?codes={}",
    "a code": "/v?code={}",
    "a verification": "/verify?code={}",
    "an address of a frame": "/oembed?url={}",
    "a version": "/standards/diff?from={}",
}


@pytest.mark.parametrize("path", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_what_somebody_asks_comes_back_as_text(judged: tuple[FlaskClient, Case, list[Case]], path: str) -> None:
    client, _, _ = judged
    for payload in PAYLOADS:
        answer = client.get(path.format(quote(payload, safe="")), headers={"Accept": "text/html"})
        assert answer.status_code < 500, payload
        for tag, attributes in _opened(answer.text):
            assert not [name for name, _ in attributes if name.startswith("on") or name in ("style", "srcdoc")], payload
            assert tag not in ("iframe", "object", "embed", "base"), payload


def _opened(page: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
    return [found for found in Skeleton(page).found if isinstance(found, tuple) and found[0] != "comment"]
