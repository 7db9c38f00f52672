"""All certificates as lines: whole, in the order of the log, and wherever it breaks off one goes on."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from certifier.certificate.code import parse_code
from certifier.service.certifier import Certifier, Issued
from certifier.storage.tables import certificates, entries
from certifier.web import export
from tests.studio import NOW, Studio
from tests.web.conftest import World

PATH = "/api/v1/certificates.ndjson"


def lines_of(client: FlaskClient, **query: str) -> list[dict[str, Any]]:
    answer = client.get(PATH, query_string=query)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/x-ndjson"
    return [json.loads(line) for line in answer.data.splitlines()]


def issue(certifier: Certifier, studio: Studio, number: int) -> str:
    issued = certifier.certify(studio.examined(number), NOW)
    assert isinstance(issued, Issued)
    return issued.certificate.code


def test_each_line_has_the_bytes_of_a_certificate_and_of_its_proof(world: World) -> None:
    lines = {parse_code(line["code"]): line for line in lines_of(world.client)}
    assert set(lines) == {
        issued.certificate.code for issued in (world.verified, world.attested, world.statement, world.withdrawn)
    }
    for code, line in lines.items():
        assert line["credential"].encode() == world.client.get(f"/v/{code}.vc").data
        assert line["proof"].encode() == world.client.get(f"/v/{code}.tlog-proof").data
    row = world.verified.certificate
    assert lines[row.code]["sha256"] == row.audio_sha256
    essence = lines[row.code]["essence_sha256"]
    assert [found.code for found in world.certifier.store.certificates_for_essence(essence)] == [row.code]


def test_behind_any_line_one_goes_on_without_missing_one(world: World) -> None:
    lines = lines_of(world.client)
    for place, line in enumerate(lines):
        assert lines_of(world.client, after=line["cursor"]) == lines[place + 1 :]


def test_an_answer_takes_its_lines_from_many_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = lines_of(world.client)
    monkeypatch.setattr(export, "PAGE", 1)
    assert lines_of(world.client) == whole
    monkeypatch.setattr(export, "MOST_LINES", 2)
    assert lines_of(world.client) == whole[:2]


def test_it_is_packed_for_those_who_take_that(world: World) -> None:
    plain = world.client.get(PATH).data
    packed = world.client.get(PATH, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain
    assert len(packed.data) < len(plain) / 2


def test_what_waits_for_its_delivery_ends_it_so_that_nobody_skips_it(
    client: FlaskClient, certifier: Certifier, studio: Studio
) -> None:
    codes = [issue(certifier, studio, number) for number in range(3)]
    with certifier.store.database.writing() as connection:
        connection.execute(certificates.update().where(certificates.c.code == codes[1]).values(document=None))
    assert [parse_code(line["code"]) for line in lines_of(client)] == codes[:1]


def test_an_entry_whose_certificate_is_lost_is_left_out(
    client: FlaskClient, certifier: Certifier, studio: Studio
) -> None:
    codes = [issue(certifier, studio, number) for number in range(3)]
    with certifier.store.database.writing() as connection:
        connection.execute(entries.update().where(entries.c.code == codes[1]).values(code="0000000000"))
    assert [parse_code(line["code"]) for line in lines_of(client)] == [codes[0], codes[2]]


@pytest.mark.parametrize("cursor", ["x", "1", "-1", "1-", "1-1-1", "1-" + "9" * 19, "１-１"])
def test_a_cursor_that_is_none_is_told(world: World, cursor: str) -> None:
    answer = world.client.get(PATH, query_string={"after": cursor})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert "the cursor of the last line" in answer.text


def test_a_place_behind_the_end_has_nothing(world: World) -> None:
    assert lines_of(world.client, after="999999999-999999999999999999") == []


def test_slow_readers_leave_room_for_others(world: World) -> None:
    held = [world.client.get(PATH, buffered=False) for _ in range(export.MOST_READERS)]
    busy = world.client.get(PATH)
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")
    for answer in held:
        answer.close()
    assert lines_of(world.client)
    for _ in range(2 * export.MOST_READERS):
        assert world.client.head(PATH).status_code == 200
