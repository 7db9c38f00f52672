"""The other forms of a certificate over HTTP: one set of claims, one key, the same bytes for ever, kept when the key is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from certifier.certificate.baked import unbake
from certifier.certificate.code import display_code
from certifier.certificate.compact import parse_compact, verify_compact
from certifier.certificate.jose import verify_jwt
from certifier.certificate.proof import verify_document
from certifier.certificate.rdfc import verify_rdfc
from certifier.crypto.canonical import canonical_bytes, digest_of, sha256_hex
from certifier.crypto.keys import PublicKey
from certifier.crypto.strict_json import parse_object
from certifier.errors import StorageError
from certifier.service.certifier import Certifier, Issued
from certifier.service.fsck import check_installation
from certifier.storage.tables import certificates, renditions
from certifier.web.app import create_app
from tests.studio import NOW, Studio
from tests.web.conftest import LATER, World

Read = Callable[[bytes, PublicKey], str]


def record(raw: bytes, key: PublicKey) -> str:
    return digest_of(verify_document(parse_object(raw), key))


def open_badge(raw: bytes, key: PublicKey) -> str:
    return digest_of(verify_rdfc(parse_object(raw), key))


def token(raw: bytes, key: PublicKey) -> str:
    return digest_of(verify_jwt(raw.decode(), key))


def compact(raw: bytes, key: PublicKey) -> str:
    """The half of the digest that it has room for."""
    return verify_compact(raw, key).payload_digest


def baked(raw: bytes, key: PublicKey) -> str:
    return open_badge(unbake(raw), key)


# suffix -> how it is verified, its media type, how long others may keep it
FORMS: dict[str, tuple[Read, str, str]] = {
    "vc": (record, "application/vc", "immutable"),
    "openbadge.json": (open_badge, "application/ld+json", "immutable"),
    "jwt": (token, "application/vc+jwt", "immutable"),
    "cose": (compact, 'application/cose; cose-type="cose-sign1"', "immutable"),
    "baked.svg": (baked, "image/svg+xml; charset=utf-8", "max-age=300"),
}
MADE = {"openbadge.json": "openbadge", "jwt": "jwt", "cose": "compact"}  # what is kept in the table


def key_of(certifier: Certifier) -> PublicKey:
    return certifier.keyring.with_role("issuer")[0].public


@pytest.mark.parametrize("suffix", FORMS)
def test_every_form_carries_the_claims_that_the_log_commits_to(world: World, suffix: str) -> None:
    read, media_type, cache = FORMS[suffix]
    for issued in (world.verified, world.attested, world.statement):
        row = issued.certificate
        answer = world.client.get(f"/v/{row.code}.{suffix}")
        digest = read(answer.data, key_of(world.certifier))
        assert digest == sha256_hex(row.payload)[: len(digest)]
        assert len(digest) >= 32
        assert answer.headers["Content-Type"] == media_type
        assert cache in answer.headers["Cache-Control"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("suffix", FORMS)
def test_every_form_names_the_key_that_the_log_names(world: World, suffix: str) -> None:
    raw = world.client.get(f"/v/{world.code}.{suffix}").data
    if suffix == "jwt":
        told = world.certifier.rendition(world.verified.certificate, "jwt").decode()
        assert told == raw.decode()
        assert verify_jwt(told, key_of(world.certifier))
    elif suffix == "cose":
        assert parse_compact(raw).kid == world.verified.certificate.verification_method
    else:
        document = parse_object(unbake(raw) if suffix == "baked.svg" else raw)
        assert document["proof"]["verificationMethod"] == world.verified.certificate.verification_method


@pytest.mark.parametrize("suffix", FORMS)
def test_who_has_a_form_already_gets_304_and_head_gets_no_body(world: World, suffix: str) -> None:
    path = f"/v/{world.code}.{suffix}"
    answer, head = world.client.get(path), world.client.head(path)
    assert world.client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == answer.headers["ETag"]
    assert int(head.headers["Content-Length"]) == len(answer.data)


@pytest.mark.parametrize("suffix", MADE)
def test_a_form_comes_with_no_parameters_and_for_no_unknown_code(world: World, suffix: str) -> None:
    assert world.client.get(f"/v/{world.code}.{suffix}?x=1").status_code == 400
    unknown = world.client.get(f"/v/0000000000.{suffix}")
    assert (unknown.status_code, unknown.json["type"].rpartition("/")[2]) == (404, "certificate-not-found")
    spelled = world.client.get(f"/v/{display_code(world.code)}.{suffix}")
    assert (spelled.status_code, spelled.headers["Location"]) == (301, f"/v/{world.code}.{suffix}")


def test_the_page_and_the_view_lead_to_every_form(world: World) -> None:
    page = world.client.get(f"/v/{world.code}").text
    links = world.client.get(f"/v/{world.code}.json").json["links"]
    for suffix in FORMS:
        assert f'href="/v/{world.code}.{suffix}"' in page
        assert f"/v/{world.code}.{suffix}" in links.values()


def test_the_baked_face_says_how_the_certificate_stands_and_when_it_was_asked_for_changes_nothing(world: World) -> None:
    late = create_app(world.certifier, lambda: LATER.replace(year=LATER.year + 1)).test_client()
    now = world.client.get(f"/v/{world.code}.baked.svg")
    assert late.get(f"/v/{world.code}.baked.svg").data == now.data
    assert now.headers["LCAL-State"] == "active"
    assert "sandbox" in now.headers["Content-Security-Policy"]
    assert ET.fromstring(now.data).tag == "{http://www.w3.org/2000/svg}svg"
    withdrawn = world.client.get(f"/v/{world.withdrawn.certificate.code}.baked.svg")
    assert withdrawn.headers["LCAL-State"] == "revoked"
    assert "Withdrawn" in withdrawn.text


# -- what is kept


@pytest.fixture
def issued(studio: Studio, certifier: Certifier) -> Issued:
    answer = certifier.certify(studio.examined(1), NOW)
    assert isinstance(answer, Issued)
    return answer


def kept(certifier: Certifier) -> dict[str, bytes]:
    with certifier.store.database.reading() as connection:
        rows = connection.execute(select(renditions.c.form, renditions.c.document))
        return {row.form: bytes(row.document) for row in rows}


def count(certifier: Certifier) -> int:
    with certifier.store.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(renditions)).scalar_one())


def test_issuing_makes_the_record_alone(issued: Issued, certifier: Certifier) -> None:
    assert count(certifier) == 0


def test_a_form_that_was_asked_for_is_kept(issued: Issued, certifier: Certifier, client: FlaskClient) -> None:
    for suffix, form in MADE.items():
        assert kept(certifier).get(form) is None
        raw = client.get(f"/v/{issued.certificate.code}.{suffix}").data
        assert kept(certifier)[form] == raw
    assert list(check(certifier)) == []


def check(certifier: Certifier) -> list[str]:
    found = check_installation(certifier.store, list(certifier.logbooks), certifier.keyring, certifier.settings.did)
    return [f"{finding.place}: {finding.found}" for finding in found]


def test_many_who_ask_at_once_get_the_same_bytes_and_one_row_each_is_kept(issued: Issued, certifier: Certifier) -> None:
    app, code = create_app(certifier, lambda: LATER), issued.certificate.code
    ready, answers = threading.Barrier(20), list[tuple[str, int, bytes]]()

    def ask(suffix: str) -> None:
        client = app.test_client()
        ready.wait()
        answer = client.get(f"/v/{code}.{suffix}")
        answers.append((suffix, answer.status_code, answer.data))

    threads = [threading.Thread(target=ask, args=([*MADE][number % 3],)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for _, status, _ in answers} == {200}
    assert {(MADE[suffix], raw) for suffix, _, raw in answers} == set(kept(certifier).items())
    assert count(certifier) == 3


def test_what_was_made_outlives_the_private_key_and_what_was_not_says_so(
    issued: Issued, studio: Studio, certifier: Certifier, client: FlaskClient
) -> None:
    code = issued.certificate.code
    before = client.get(f"/v/{code}.jwt").data
    certifier.close()
    (studio.settings.private_dir / "issuer.pem").unlink()
    keyless = studio.certifier()
    later = create_app(keyless, lambda: LATER).test_client()
    assert later.get(f"/v/{code}.jwt").data == before
    refused = later.get(f"/v/{code}.cose")
    assert refused.status_code == 404
    assert f"/v/{code}.vc" in refused.json["errors"][0]["hint"]
    assert issued.certificate.verification_method in refused.json["errors"][0]["found"]
    keyless.close()


@pytest.mark.parametrize("suffix", MADE)
def test_a_database_that_takes_nothing_keeps_nobody_from_a_form(
    issued: Issued, certifier: Certifier, client: FlaskClient, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageError("for the test")

    monkeypatch.setattr(certifier.store, "keep_rendition", fail)
    answers = [client.get(f"/v/{issued.certificate.code}.{suffix}") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].data == answers[1].data
    assert count(certifier) == 0


def test_nothing_is_kept_on_a_disk_that_is_almost_full(
    issued: Issued, certifier: Certifier, client: FlaskClient
) -> None:
    certifier.settings = replace(certifier.settings, min_free_bytes=2**62)
    assert client.get(f"/v/{issued.certificate.code}.jwt").status_code == 200
    assert count(certifier) == 0


def test_kept_bytes_that_do_not_verify_are_found_and_never_given_out(
    issued: Issued, certifier: Certifier, client: FlaskClient
) -> None:
    code = issued.certificate.code
    good = {suffix: client.get(f"/v/{code}.{suffix}").data for suffix in MADE}
    with certifier.store.database.writing() as connection:
        connection.execute(update(renditions).values(document=good["jwt"][:-9] + b"AAAAAAAAA"))
    assert len(check(certifier)) == 3
    assert "does not verify" in check(certifier)[0]
    fresh = create_app(certifier, lambda: LATER).test_client()  # the other one has the bytes ready
    assert {suffix: fresh.get(f"/v/{code}.{suffix}").data for suffix in MADE} == good
    assert check(certifier) == []


@pytest.mark.parametrize("suffix", [*MADE, "baked.svg"])
def test_other_claims_in_the_database_are_not_signed(
    issued: Issued, certifier: Certifier, client: FlaskClient, suffix: str
) -> None:
    better = {**parse_object(issued.certificate.payload), "name": "Low-Carbon Audio, class 1"}
    with certifier.store.database.writing() as connection:
        connection.execute(update(certificates).values(payload=canonical_bytes(better)))
    assert client.get(f"/v/{issued.certificate.code}.{suffix}").status_code == 404
    assert count(certifier) == 0
