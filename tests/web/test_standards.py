"""The versions of the standard for readers: pages made from the files that decide, and every file by its digest."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace

import pytest

from certifier.crypto.canonical import digest_of, sha256_hex
from certifier.standard.model import parse_standard
from certifier.standard.vocabulary import FACTS
from certifier.web.app import create_app
from certifier.web.standards import bounds_of, html_of, section_of
from tests.service.test_shelf import next_version
from tests.standard.world import standard, standard_files
from tests.studio import NOW, Studio

PATH = "/standards/lcal/1.0.0"


def test_the_page_has_every_rule_number_table_source_and_file(world):
    page = world.client.get(PATH).text
    found = world.certifier.shelf.newest
    for rule in found.rules:
        assert f'id="{rule.id}"' in page
    for name in found.limits:
        assert name in page
    for source in found.factors.sources:
        assert f'id="{source}"' in page
    for fact in FACTS.values():
        assert f"<code>{fact.name}</code>" in page
    for path in standard_files():
        assert f"/standards/by-digest/{found.digest}/{path}" in page


def test_each_section_that_a_rule_names_is_an_anchor_in_the_text(world):
    text = world.client.get(f"{PATH}/text").text
    anchors = set(re.findall(r'id="(s-[0-9.]+)"', text))
    named = {section_of(rule.source) for rule in world.certifier.shelf.newest.rules} - {None}
    assert len(named) > 20
    assert named <= anchors


def test_the_text_is_shown_as_text_whatever_stands_in_it():
    assert html_of("<script>alert(1)</script> & **bold**") == (
        "<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; <strong>bold</strong></p>\n"
    )


def test_a_table_has_every_row_of_its_file(world):
    page = world.client.get(f"{PATH}/tables/grid_intensity").text
    rows = standard_files()["data/grid_intensity.csv"].decode().splitlines()
    assert page.count("<tr id=") == len(rows) - 1
    assert 'id="aws:eu-west-3"' in page


def test_every_file_is_served_by_the_digest_that_it_is_part_of(world):
    client, digest = world.client, world.certifier.shelf.newest.digest
    index = client.get(f"/standards/by-digest/{digest}")
    listed = index.json["files"]
    assert digest_of(listed) == index.json["sha256"] == digest
    assert "immutable" in index.headers["Cache-Control"]
    for path, sha256 in listed.items():
        answer = client.get(f"/standards/by-digest/{digest}/{path}")
        assert (answer.status_code, sha256_hex(answer.data)) == (200, sha256)
    with zipfile.ZipFile(io.BytesIO(client.get(f"/standards/by-digest/{digest}.zip").data)) as bundle:
        files = {name: bundle.read(name) for name in bundle.namelist()}
    assert parse_standard(files).digest == digest


def test_the_json_of_a_version_names_all_bounds(world):
    document = world.client.get(f"{PATH}.json").json
    assert document["bounds"]["power_host_uw"] == 500_000_000
    assert len(document["bounds"]) == len(world.certifier.shelf.newest.limits)


MISSING = {
    "another table": f"{PATH}/tables/secrets",
    "a table by a path": f"{PATH}/tables/..%2Fgrid_intensity",
    "another digest": f"/standards/by-digest/{'ab' * 32}",
    "a digest that is a path": "/standards/by-digest/..%2F..%2Fkeys.zip",
    "another version's text": "/standards/lcal/2.0.0/text",
}


@pytest.mark.parametrize("path", MISSING.values(), ids=MISSING.keys())
def test_what_is_not_there_is_not_found(world, path):
    assert world.client.get(path).status_code == 404


def test_a_file_that_a_version_does_not_have_is_not_found(world):
    digest = world.certifier.shelf.newest.digest
    for path in ("secret.txt", "../keys/keyring.toml", "data/../README.md"):
        assert world.client.get(f"/standards/by-digest/{digest}/{path}").status_code == 404


def test_two_open_versions_and_one_of_before_are_listed(tmp_path):
    studio = Studio(tmp_path)
    next_version(tmp_path / "standards")
    folder = tmp_path / "standards"
    studio.settings = replace(studio.settings, standards_dir=folder)
    studio.certifier(standards="lcal/1.0.0").close()
    (folder / "lcal/1.0.0/README.md").write_text("another text\n")
    certifier = studio.certifier(standards="lcal/1.0.0@2026-12-31 lcal/1.1.0")
    client = create_app(certifier, lambda: NOW).test_client()
    listed = client.get("/standards.json").json["standards"]
    assert [(entry["id"], entry["state"], entry["open_until"]) for entry in listed] == [
        ("LCAL-1.0.0", "current", "2026-12-31"),
        ("LCAL-1.1.0", "current", None),
        ("LCAL-1.0.0", "superseded", None),
    ]
    page = client.get("/standards").text
    assert "until 2026-12-31" in page
    assert "Used here before" in page
    first, second = (client.get(f"/standards/lcal/{version}").text for version in ("1.0.0", "1.1.0"))
    assert "the first version that is open here" in first
    assert "limits.class_1" in second
    assert "10.00 → 0.10" in second
    assert "promises less, a minor version" in second
    assert [client.get(entry["files"]).status_code for entry in listed] == [200, 200, 200]
    assert json.loads(client.get("/standards/lcal/1.1.0.json").data)["id"] == "LCAL-1.1.0"
    certifier.close()


def test_bounds_are_told_in_units_of_people():
    told = {bound.name: bound.told for bound in bounds_of(standard())}
    assert told["power_host_uw"] == "500 W"
    assert told["class_1_cg"] == "10 g per minute"
    assert told["batch_tolerance_ppt"] == "0.02"
    assert told["fresh_us"] == "31536000 s"
