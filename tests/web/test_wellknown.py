"""What others need to verify on their own is served as it is."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from certifier.certificate.status import open_status_list, status_entries_of
from certifier.certificate.trust import parse_trust
from certifier.crypto.keys import PublicKey
from certifier.crypto.strict_json import parse_object
from certifier.log.note import open_checkpoint, parse_verifier_key
from certifier.log.tiles import paths_for
from certifier.report.model import report_json_schema
from certifier.service.certifier import Certifier
from certifier.storage.store import Store
from certifier.web.app import create_app
from tests.studio import NOW, Studio
from tests.web.conftest import LATER, World


def test_the_trust_file_is_the_one_to_pin(world: World) -> None:
    assert parse_trust(world.client.get("/trust.json").data) == world.certifier.published.trust_at(LATER)


def test_the_did_document_lists_the_issuers_keys(world: World) -> None:
    answer = world.client.get("/.well-known/did.json")
    assert answer.mimetype == "application/did+json"
    document = parse_object(answer.data)
    assert document["id"] == "did:web:label.example"
    keys = {
        method["id"]: PublicKey.from_multibase(method["publicKeyMultibase"])
        for method in document["verificationMethod"]
    }
    assert keys[world.verified.certificate.verification_method] == world.certifier.published.trust_at(LATER).keys[0].key


def test_the_status_lists_show_who_was_withdrawn(world: World) -> None:
    answer = world.client.get("/status/revocation/1")
    assert answer.mimetype == "application/vc"
    served = open_status_list(answer.data, world.certifier.published.trust_at(LATER))
    for issued, expected in ((world.withdrawn, True), (world.verified, False)):
        entries = status_entries_of(parse_object(issued.certificate.payload))
        entry = next(entry for entry in entries if entry.purpose == "revocation")
        assert served.state_of(entry, "did:web:label.example", LATER) is expected


NO_LIST = [
    "expiry/1",
    *(f"revocation/{name}" for name in ("2", "0", "01", "x", "1.", "1.json", "1.jwt.jwt", "2.jwt", ".jwt", "1/")),
]


@pytest.mark.parametrize("name", NO_LIST)
def test_there_is_one_list_of_each_purpose_as_long_as_it_has_room(world: World, name: str) -> None:
    assert world.client.get(f"/status/{name}").status_code == 404


LISTS = {
    "by default": ("/status/revocation/1", {}, "application/vc", "record"),
    "for a browser": ("/status/revocation/1", {"Accept": "text/html,*/*;q=0.8"}, "application/vc", "record"),
    "for whoever accepts nothing of it": ("/status/revocation/1", {"Accept": "image/png"}, "application/vc", "record"),
    "for a JSON-LD reader": (
        "/status/revocation/1", {"Accept": "application/ld+json, application/json"}, "application/ld+json", "openbadge",
    ),
    "as plain JSON": ("/status/revocation/1", {"Accept": "application/json"}, "application/json", "record"),
    "as a token": ("/status/revocation/1", {"Accept": "application/vc+jwt"}, "application/vc+jwt", "jwt"),
    "as a token by name": ("/status/revocation/1.jwt", {}, "application/vc+jwt", "jwt"),
    "for a badge reader by name": ("/status/suspension/1.openbadge.json", {}, "application/ld+json", "openbadge"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "headers", "media_type", "rendition"), LISTS.values(), ids=LISTS.keys())
def test_a_list_comes_in_the_form_that_its_reader_knows(
    world: World, path: str, headers: dict[str, str], media_type: str, rendition: str
) -> None:
    answer = world.client.get(path, headers=headers)
    purpose = path.split("/")[2]
    assert answer.data == world.certifier.published.status_list(purpose, 1, LATER, rendition)
    assert (answer.mimetype, "Accept" in answer.vary) == (media_type, "1." not in path)
    assert open_status_list(answer.data, world.certifier.published.trust_at(LATER)).purpose == purpose


AFTER = {"at its minute": 0, "a while later": 17.4, "before the next": 59.999}


@pytest.mark.parametrize("after", AFTER.values(), ids=AFTER.keys())
def test_no_cache_may_keep_a_list_for_longer_than_it_counts(world: World, after: float) -> None:
    """What is said at the end of a minute is said all through it, so that the answer is one for all who ask meanwhile."""
    client = create_app(world.certifier, lambda: LATER + timedelta(seconds=after)).test_client()
    answer = client.get("/status/suspension/1")
    assert answer.headers["Cache-Control"] == "public, max-age=3540, must-revalidate"
    served = open_status_list(answer.data, world.certifier.published.trust_at(LATER))
    assert (served.valid_from, served.valid_until) == (LATER, LATER + timedelta(hours=1))
    again = client.get("/status/suspension/1", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, answer.headers["Cache-Control"])


def test_a_withdrawal_is_in_the_very_next_answer(studio: Studio, certifier: Certifier, client: FlaskClient) -> None:
    """Within one minute, and in each list the state that was reached: suspended and revoked are never both."""
    code = certifier.submit(studio.upload(studio.signed(studio.report())), NOW).certificate.code  # type: ignore[union-attr]
    trust, places = certifier.published.trust_at(LATER), []

    def positions() -> tuple[int, int]:
        lists = (client.get(f"/status/{purpose}/1").data for purpose in ("revocation", "suspension"))
        revoked, suspended = (open_status_list(raw, trust).positions for raw in lists)
        return len(revoked), len(suspended)

    changes = ("suspend", "reinstate", "suspend", "revoke")
    places = [positions(), *(certifier.change_status(code, kind, "evidence", NOW) and positions() for kind in changes)]
    assert places == [(0, 0), (0, 1), (0, 0), (0, 1), (1, 0)]


def test_the_checkpoint_is_never_older_than_a_look(world: World) -> None:
    answer = world.client.get("/log/checkpoint")
    assert answer.data == world.certifier.logbook.head.note
    assert answer.mimetype == "text/plain"
    assert answer.headers["Cache-Control"] == "no-cache"
    key = parse_verifier_key(world.client.get("/log/log.vkey").text.strip())
    assert open_checkpoint(answer.data, [key]).size == world.certifier.logbook.head.size


def test_every_tile_is_served_byte_for_byte(world: World) -> None:
    paths = [path.text for path in paths_for(world.certifier.logbook.head.size)]
    assert paths
    for path in paths:
        answer = world.client.get(f"/log/{path}")
        assert answer.data == world.certifier.logbook.resource(path), path
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.mimetype == "application/octet-stream"


@pytest.mark.parametrize(
    "path",
    ["tile/0/000", "tile/0/000.p/9", "tile/0/0", "tile/x/000", "tile/../checkpoint", "tile/0/000.p/01", "other", ""],
)
def test_there_is_nothing_else_below_the_log(world: World, path: str) -> None:
    assert world.client.get(f"/log/{path}").status_code == 404


def test_the_schema_of_the_report_is_served(world: World) -> None:
    assert json.loads(world.client.get("/schemas/report-v1.json").data) == report_json_schema()


def test_the_standard_is_data_and_a_page(world: World) -> None:
    standard = world.certifier.shelf.newest
    document = world.client.get("/standards/lcal/1.0.0.json").json
    assert (document["id"], document["sha256"]) == (standard.id, standard.digest)
    assert [rule["id"] for rule in document["rules"]] == [rule.id for rule in standard.rules]
    page = world.client.get("/standards/lcal/1.0.0").text
    for rule in standard.rules:
        assert f'id="{rule.id}"' in page
    assert standard.digest in page


def test_the_names_inside_a_certificate_lead_somewhere(world: World) -> None:
    """Every https name of this service in the signed document is an address that answers."""
    text = (world.verified.certificate.document or b"").decode()
    names = {part.split('"')[0] for part in text.split('"https://label.example')[1:]}
    assert len(names) > 5
    for name in names:
        answer = world.client.get(name.partition("#")[0] or "/", follow_redirects=True)
        assert answer.status_code == 200, name


@pytest.mark.parametrize("path", ["/standards/lcal/2.0.0", "/standards/other/1.0.0", "/standards/lcal/2.0.0.json"])
def test_another_standard_is_not_found(world: World, path: str) -> None:
    assert world.client.get(path).status_code == 404


def test_it_lives_and_is_ready(world: World) -> None:
    assert world.client.get("/healthz").json == {"alive": True}
    answer = world.client.get("/readyz")
    assert (answer.status_code, answer.json["ready"]) == (200, True)
    assert answer.json["parts"]["log_size"] == world.certifier.logbook.head.size


def test_without_its_database_it_is_not_ready(certifier: Certifier, monkeypatch: pytest.MonkeyPatch) -> None:
    client = create_app(certifier).test_client()
    (certifier.settings.home / "service.sqlite").write_bytes(b"not a database at all" * 1000)
    certifier.store.close()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["ready"]) == (503, False)
    assert client.get("/healthz").status_code == 200
    assert isinstance(certifier.store, Store)


def test_robots_leave_decisions_alone(world: World) -> None:
    assert "Disallow: /submissions/" in world.client.get("/robots.txt").text


@pytest.mark.parametrize(
    "path",
    [
        "/trust.json",
        "/.well-known/did.json",
        "/status/revocation/1",
        "/log/checkpoint",
        "/openapi.json",
        "/standards/lcal/1.0.0.json",
    ],
)
def test_programs_of_other_sites_may_read_what_is_public(world: World, path: str) -> None:
    first = world.client.get(path)
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    assert world.client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("outcome", ["nosuch", "%0d%0aX", "none"])
def test_an_outcome_that_the_standard_does_not_have_is_not_found(world: World, outcome: str) -> None:
    assert world.client.get(f"/standards/lcal/1.0.0/outcomes/{outcome}").status_code == 404


def test_no_redirect_repeats_the_host_of_the_asker(world: World) -> None:
    asked = {"PATH_INFO": "//v//0000000000", "HTTP_HOST": "evil.example"}
    answer = world.client.get("/", environ_overrides=asked)
    assert (answer.status_code, answer.headers.get("Location")) == (404, None)
