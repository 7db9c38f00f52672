"""The pack as it is served: what a platform pulls every night."""

from __future__ import annotations

import gzip
from datetime import timedelta

from certifier.certificate.age import KNOWN_FOR
from certifier.certificate.pack import open_pack
from certifier.certificate.rdfc import CONTEXT_FILES, context_bytes
from certifier.certificate.status import VALID_FOR
from certifier.certificate.verify import check_certificate
from certifier.service.certifier import Certifier, Issued
from certifier.web.app import create_app
from tests.studio import Studio
from tests.web.conftest import LATER, World

LATEST = "/packs/latest"


def test_the_pack_and_the_proof_decide_about_every_certificate(world: World) -> None:
    pack = open_pack(world.client.get(LATEST).data, world.certifier.published.trust_at(LATER), LATER)
    verdicts = {}
    for issued in (world.verified, world.attested, world.statement, world.withdrawn):
        row = issued.certificate
        verification = check_certificate(row.document or b"", pack.material(row.proof), LATER)
        verdicts[row.code] = verification.verdict
    assert verdicts.pop(world.withdrawn.certificate.code) == "not_valid"
    assert set(verdicts.values()) == {"valid"}


def test_it_holds_what_is_served_elsewhere(world: World) -> None:
    pack = open_pack(world.client.get(LATEST).data, None, LATER)
    assert pack.trust == world.certifier.published.trust_at(LATER)
    for url, raw in pack.status_lists.items():
        assert world.client.get(url.removeprefix("https://label.example")).data == raw
    assert len(pack.status_lists) == 2
    assert pack.contexts == {url: context_bytes(url) for url in CONTEXT_FILES}
    assert [checkpoint.text for checkpoint in pack.checkpoints] == [
        world.client.get("/log/checkpoint").text.partition("\n\n")[0] + "\n"
    ]
    assert (pack.made_at, pack.valid_until) == (LATER, LATER + KNOWN_FOR)


def test_it_may_be_kept_for_as_long_as_its_lists_are_in_force(certifier: Certifier) -> None:
    client = create_app(certifier, lambda: LATER + timedelta(seconds=40)).test_client()
    answer = client.get(LATEST)
    pack = open_pack(answer.data, None, LATER)
    assert {listed.valid_until for listed in pack.lists} == {LATER + VALID_FOR}
    assert answer.headers["Cache-Control"] == f"public, max-age={VALID_FOR.seconds - 40}, must-revalidate"


def test_whoever_has_it_already_is_told_so(world: World) -> None:
    first = world.client.get(LATEST)
    assert first.headers["Last-Modified"] == LATER.strftime("%a, %d %b %Y %H:%M:%S GMT")
    for known in ({"If-None-Match": first.headers["ETag"]}, {"If-Modified-Since": first.headers["Last-Modified"]}):
        answer = world.client.get(LATEST, headers=known)
        assert (answer.status_code, answer.data) == (304, b""), known


def test_it_is_public_for_programs_and_travels_compressed(world: World) -> None:
    plain = world.client.get(LATEST)
    assert plain.mimetype == "application/json"
    assert plain.headers["Access-Control-Allow-Origin"] == "*"
    packed = world.client.get(LATEST, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 4
    head = world.client.head(LATEST)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(plain.data))


def test_a_question_that_it_does_not_know_is_refused(world: World) -> None:
    assert world.client.get(f"{LATEST}?since=yesterday").status_code == 400


def test_it_is_made_once_a_minute_and_at_once_after_a_withdrawal(studio: Studio, certifier: Certifier) -> None:
    answer = certifier.certify(studio.examined(1), LATER)
    assert isinstance(answer, Issued)
    made: list[int] = []
    whole = certifier.published.pack
    certifier.published.pack = lambda now: (made.append(1), whole(now))[1]  # type: ignore[method-assign]
    client = create_app(certifier, lambda: LATER).test_client()
    before = client.get(LATEST).data
    assert client.get(LATEST).data == before
    assert len(made) == 1
    certifier.change_status(answer.certificate.code, "revoke", "misuse", LATER)
    revoked = {
        listed.purpose: len(listed.positions) for listed in open_pack(client.get(LATEST).data, None, LATER).lists
    }
    assert revoked == {"revocation": 1, "suspension": 0}
    assert len(made) == 2


def test_without_a_key_in_force_there_is_no_pack(certifier: Certifier) -> None:
    answer = create_app(certifier, lambda: LATER + timedelta(days=20 * 365)).test_client().get(LATEST)
    assert answer.status_code == 503
    assert "No key in force" in answer.json["detail"]


def test_the_scheme_page_tells_platforms_of_it(world: World) -> None:
    assert f'href="{LATEST}"' in world.client.get("/scheme").text
