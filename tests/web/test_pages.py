"""What holds for every page: no script but our own, nothing from elsewhere, no cookie, and every link leads somewhere."""

from __future__ import annotations

import gzip
import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from certifier.certificate.verdict import verdict_table
from certifier.web.problems import problems
from certifier.web.words import AXES, DECISIONS, STATES, VALUES, VERDICTS
from tests.web.conftest import World

PATHS = (
    "/",
    "/submit",
    "/verify",
    "/verify?code={code}",
    "/certificates",
    "/certificates?q=example&state=active&sort=title",
    "/certificates?q=nothing-like-it",
    "/withdrawn",
    "/log",
    "/log?code={withdrawn}",
    "/replay/{code}",
    "/standards",
    "/standards/diff",
    "/problems",
    "/scheme",
    "/complaints",
    "/docs",
    "/docs/api",
    "/docs/display",
    "/docs/sandbox",
    "/standards/lcal/1.0.0",
    "/problems/busy",
    "/v/{code}",
    "/v/{statement}",
    "/v/{withdrawn}",
    "/v/{code}/kit",
    "/v/{withdrawn}/kit",
    "/v/{code}/renewal",
    "/mine",
    "/submissions/{certified}",
    "/submissions/{refused}",
    "/v/ABCDEFGHJK",
    "/nothing",
)
HTML = {"Accept": "text/html"}


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def fetch(world: World, path: str) -> str:
    return world.client.get(filled(world, path), headers=HTML).text


def filled(world: World, path: str) -> str:
    return path.format(
        code=world.code,
        statement=world.statement.certificate.code,
        withdrawn=world.withdrawn.certificate.code,
        certified=world.verified.submission_id,
        refused=world.refused.submission_id,
    )


@pytest.mark.parametrize("path", PATHS)
def test_a_page_runs_no_foreign_script_and_asks_nobody_else(world: World, path: str) -> None:
    answer = world.client.get(filled(world, path), headers=HTML)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers
    for tag, attributes in Elements(answer.text).found:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert tag != "style"
        if tag == "script":
            assert attributes.get("type") == "application/json" or attributes["src"].startswith("/static/")
        for name in ("src", "href", "action"):
            target = urlsplit(attributes.get(name, ""))
            assert (target.scheme, target.netloc) == ("", ""), attributes


@pytest.mark.parametrize("path", PATHS)
def test_every_link_of_a_page_leads_somewhere(world: World, path: str) -> None:
    elements = Elements(fetch(world, path)).found
    for _, attributes in elements:
        for name in ("href", "src"):
            if (target := attributes.get(name)) and not target.startswith("#"):
                assert world.client.get(target, follow_redirects=True, buffered=True).status_code == 200, target


@pytest.mark.parametrize("path", PATHS)
def test_a_page_can_be_read_by_everybody(world: World, path: str) -> None:
    """One heading, a language, a title, labels for fields, words for images, headers for tables."""
    elements = Elements(fetch(world, path)).found
    tags = [tag for tag, _ in elements]
    assert tags.count("h1") == 1
    assert dict(elements)["html"] == {"lang": "en"}
    labels = {attributes["for"] for tag, attributes in elements if tag == "label"}
    for tag, attributes in elements:
        assert tag != "input" or attributes["id"] in labels
        assert tag != "img" or "alt" in attributes
        assert tag != "th" or "scope" in attributes


def test_the_decision_shows_every_rule_and_where_the_carbon_came_from(world: World) -> None:
    page = fetch(world, "/submissions/{refused}")
    for rule in world.certifier.shelf.newest.rules:
        assert f"<code>{rule.id}</code>" in page
    assert page.index("No certificate") < page.index("BND-04") < page.index("Rules that are met")
    assert "Why there is no certificate" in page
    assert "grid_intensity" in page
    shares = [float(share) for share in re.findall(r'<td class="num">([\d.]+) %</td>', page)]
    assert sum(shares) == pytest.approx(100, abs=0.5)
    assert 'fill="url(#hatch)"' in page
    assert "estimated" in page


def test_the_listeners_page_is_small(world: World) -> None:
    """On a slow line: page, sheet, badge and the script that checks, in 30 kilobytes and four requests."""
    elements = Elements(fetch(world, "/v/{code}")).found
    loaded = {attributes["src"] for tag, attributes in elements if tag in ("script", "img") and "src" in attributes}
    loaded |= {attributes["href"] for _, attributes in elements if attributes.get("rel") in ("stylesheet", "icon")}
    targets = [f"/v/{world.code}", *loaded]
    answers = [world.client.get(target, headers={"Accept-Encoding": "gzip"}, buffered=True) for target in targets]
    assert len(targets) <= 4
    assert sum(len(answer.data) for answer in answers) <= 30_000


def test_compressed_pages_are_the_same_pages(world: World) -> None:
    path = f"/v/{world.code}"
    plain, packed = world.client.get(path), world.client.get(path, headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert {"Accept", "Accept-Encoding"} <= set(packed.vary)
    tag = packed.headers["ETag"]
    again = world.client.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": tag})
    assert (tag, again.status_code) == (f"W/{plain.headers['ETag']}", 304)


@pytest.mark.parametrize("suffix", [".vc", ".png", ".tlog-proof"])
def test_signed_bytes_travel_as_they_are(world: World, suffix: str) -> None:
    answer = world.client.get(f"/v/{world.code}{suffix}", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


def test_the_register_tells_the_state_of_each(world: World) -> None:
    page = fetch(world, "/certificates")
    for issued in (world.verified, world.attested, world.statement, world.withdrawn):
        assert f"/v/{issued.certificate.code}" in page
    assert page.count(">Withdrawn</span>") == 1


def test_no_figure_is_called_green(world: World) -> None:
    """Words that the law bars (Directive (EU) 2024/825) are in no page."""
    barred = re.compile(
        r"eco-?friendly|\bgreen\b|sustainable|carbon[- ]neutral|climate[- ](neutral|positive|friendly)|zero-carbon",
        re.IGNORECASE,
    )
    quoted = re.compile(r'<dl class="never">.*?</dl>', re.DOTALL)  # the display guide says which words these are
    for path in PATHS:
        assert not barred.search(re.sub(r"<[^>]+>", " ", quoted.sub("", fetch(world, path)))), path


def test_every_state_that_may_arise_has_words() -> None:
    table = verdict_table()
    assert set(AXES) == set(table["axes"])
    assert {value for values in table["axes"].values() for value in values} <= set(VALUES)
    assert {row["verdict"] for row in table["rows"]} == set(VERDICTS)
    assert {"none", "disclosed", "measured", "class-2", "class-1"} == set(DECISIONS)
    assert {"active", "suspended", "revoked", "superseded", "expired", "not_yet"} < set(STATES)


def test_each_kind_of_problem_says_what_to_do() -> None:
    for slug, problem in problems().items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", slug)
        assert problem.about.endswith(".")
        assert problem.title
