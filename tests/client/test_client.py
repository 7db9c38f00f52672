"""A platform's program: what it is given is checked here, whatever the service says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certifier.certificate.code import display_code
from certifier.certificate.verification import Verification
from certifier.client import AudioDigests, Client, NotFound, Pack, Patience
from certifier.client.given import Target
from certifier.errors import (
    BadSignature,
    CertifierError,
    ForeignInputError,
    IncompleteAddress,
    MalformedCertificate,
    MalformedCode,
    MalformedJson,
)
from tests.client.conftest import LISTS, World, signed_report
from tests.client.scripted import Asked, Reply, as_json, scripted

NO_WAIT = Patience(sleep=lambda _: None)


def axes(verification: Verification) -> dict[str, str]:
    return {name: value for name, value in verification.axes.items() if name != "binding"}


TARGETS: dict[str, Callable[[World], Target]] = {
    "a code": lambda world: world.code,
    "a code as labels show it": lambda world: display_code(world.code).lower(),
    "a label's address": lambda world: f"https://label.example/v/{world.code}",
    "the QR of a print": lambda world: world.qr,
    "the bytes of the record": lambda world: world.files[f"/v/{world.code}.vc"],
    "the text of the record": lambda world: world.files[f"/v/{world.code}.vc"].decode(),
    "the parsed record": lambda world: json.loads(world.files[f"/v/{world.code}.vc"]),
    "a JWT": lambda world: world.jwt,
    "a file": lambda world: world.studio.folder / f"{world.code}.vc",
    "the audio itself": lambda world: world.track,
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_whatever_is_in_the_hand_is_completed_by_the_service_and_checked_here(
    world: World, target: Callable[[World], Target]
) -> None:
    with Client(world.url, trust=world.trust) as client:
        verification = client.verify(target(world))
    assert (verification.verdict, verification.claims and verification.claims.code) == ("valid", world.code)


def test_without_trusted_keys_it_cannot_tell_and_says_how_to_get_them(world: World) -> None:
    verification = Client(world.url).verify(world.code)
    issuer = next(check for check in verification.checks if check.axis == "issuer_trust")
    assert (verification.verdict, issuer.value) == ("cannot_tell", "unchecked")
    assert "certifier init --pin URL" in issuer.hint


def test_keys_are_trusted_from_a_file_and_when_they_are_pinned(world: World, tmp_path: Path) -> None:
    assert Client(world.url, trust=world.trust_file).verify(world.code).verdict == "valid"
    pinned = tmp_path / "config" / "certifier" / "trust.json"
    pinned.parent.mkdir(parents=True)
    shutil.copyfile(world.trust_file, pinned)
    assert Client(world.url).verify(world.code).verdict == "valid"


def test_a_revocation_of_a_moment_ago_is_seen(world: World) -> None:
    verification = Client(world.url, trust=world.trust).verify(world.revoked)
    assert (verification.verdict, verification.axes["lifecycle"]) == ("not_valid", "revoked")


BINDINGS: dict[str, tuple[Callable[[World], dict[str, Any]], str]] = {
    "its master": (lambda world: {"audio": world.track}, "sha256_match"),
    "a digest": (lambda world: {"audio": AudioDigests(world.digest)}, "sha256_match"),
    "another file": (lambda world: {"audio": world.studio.track}, "mismatch"),
    "its ISRC": (lambda world: {"isrc": "qzabc2600001"}, "isrc_only"),
    "its ISRC as people write it": (lambda world: {"isrc": "ISRC QZ-ABC-26 00001"}, "isrc_only"),
    "another ISRC": (lambda world: {"isrc": "QZABC2600009"}, "mismatch"),
}


@pytest.mark.parametrize(("expected", "binding"), BINDINGS.values(), ids=BINDINGS.keys())
def test_a_certificate_is_compared_with_the_recording_that_a_platform_holds(
    world: World, expected: Callable[[World], dict[str, Any]], binding: str
) -> None:
    verification = Client(world.url, trust=world.trust).verify(world.code, **expected(world))
    assert verification.axes["binding"] == binding
    assert (verification.verdict == "not_valid") == (binding == "mismatch")


def test_two_things_to_compare_are_one_too_many(world: World) -> None:
    client = Client(world.url, trust=world.trust)
    with pytest.raises(ValueError, match="One thing is compared"):
        client.verify(world.code, audio=world.track, isrc="QZABC2600001")
    with pytest.raises(ValueError, match="One thing is compared"):
        client.verify(world.track, isrc="QZABC2600001")


def test_the_service_can_be_asked_for_its_own_word(world: World) -> None:
    client = Client(world.url)
    record = world.files[f"/v/{world.code}.vc"]
    for target in (world.code, record, world.qr):
        assert client.ask(target).verdict == "valid"
    assert client.ask(world.code, audio=world.studio.track).axes["binding"] == "mismatch"
    assert client.ask(world.revoked).document["certificate"]["code"] == display_code(world.revoked)


def change(raw: bytes, old: bytes, new: bytes) -> bytes:
    assert old in raw
    return raw.replace(old, new, 1)


# What a service that lies changes, and the axes by which it is caught.
LIES: dict[str, tuple[Callable[[World], dict[str, bytes]], dict[str, str]]] = {
    "another title": (
        lambda world: {
            f"/v/{world.revoked}.vc": change(world.files[f"/v/{world.revoked}.vc"], b"Track 2", b"Track 9"),
        },
        {"integrity": "broken"},
    ),
    "the list of the day before": (lambda world: world.old_lists, {"lifecycle": "unchecked"}),
    "no list at all": (lambda _: dict.fromkeys(LISTS, b""), {"lifecycle": "unchecked"}),
    "a list with a bit turned": (
        lambda world: {LISTS[0]: change(world.files[LISTS[0]], b'"proofValue":"z', b'"proofValue":"z1')},
        {"lifecycle": "unchecked"},
    ),
    "the other list in its place": (lambda world: {LISTS[0]: world.files[LISTS[1]]}, {"lifecycle": "unchecked"}),
    "the proof of another certificate": (
        lambda world: {f"/v/{world.revoked}.tlog-proof": world.files[f"/v/{world.code}.tlog-proof"]},
        {"lifecycle": "revoked"},
    ),
    "no proof": (lambda world: {f"/v/{world.revoked}.tlog-proof": b""}, {"inclusion": "unchecked"}),
}


@pytest.mark.parametrize(("lie", "caught"), LIES.values(), ids=LIES.keys())
def test_a_service_that_lies_is_caught_here(
    world: World, lie: Callable[[World], dict[str, bytes]], caught: dict[str, str]
) -> None:
    """The certificate is revoked, and the service would like it to pass."""
    with scripted(world.answer(lie(world))) as site:
        verification = Client(site.url, trust=world.trust).verify(world.revoked)
    assert verification.verdict in ("not_valid", "cannot_tell")
    assert axes(verification).items() >= caught.items()


def test_a_forged_proof_is_no_proof(world: World) -> None:
    path = f"/v/{world.code}.tlog-proof"
    with scripted(world.answer({path: world.files[f"/v/{world.revoked}.tlog-proof"]})) as site:
        verification = Client(site.url, trust=world.trust).verify(world.code)
    assert (verification.verdict, verification.axes["inclusion"]) == ("not_valid", "broken")


def test_another_certificate_than_the_one_asked_for_is_not_taken(world: World) -> None:
    """The one that was asked for is revoked; that another one is valid says nothing of it."""
    other = {f"/v/{world.revoked}.{kind}": world.files[f"/v/{world.code}.{kind}"] for kind in ("vc", "tlog-proof")}
    with scripted(world.answer(other)) as site, pytest.raises(MalformedCertificate, match="another certificate"):
        Client(site.url, trust=world.trust).verify(world.revoked)


def test_a_certificate_that_is_found_by_its_audio_has_to_be_for_it(world: World) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/api/v1/certificates?"):
            return as_json({"items": [{"code": world.code, "lifecycle": {"state": "active"}}]})
        return world.answer({})(asked)

    with scripted(answer) as site:
        verification = Client(site.url, trust=world.trust).verify(world.studio.track)
    assert (verification.verdict, verification.axes["binding"]) == ("not_valid", "mismatch")


NONE: dict[str, tuple[Target, type[CertifierError]]] = {
    "a mistyped code": ("GG8W-7E5J-TX", MalformedCode),
    "a code that nobody has": ("0000000000", NotFound),
    "an address of something else": ("https://label.example/about", MalformedCode),
    "bytes of something else": (b"hello", MalformedCertificate),
    "a document that nobody can sign": ({"a": 1.5}, MalformedCertificate),
    "a document of something else": ({"a": "b"}, MalformedCertificate),
    "half a character": ('{"a": "\ud800"}', MalformedJson),
    "half a character in a code": ("\ud800", MalformedCode),
    "nothing": ("", MalformedCode),
}


@pytest.mark.parametrize(("target", "error"), NONE.values(), ids=NONE.keys())
def test_what_is_no_certificate_is_told_by_its_kind(world: World, target: Target, error: type[CertifierError]) -> None:
    with pytest.raises(error):
        Client(world.url, trust=world.trust).verify(target)


def test_a_pack_verifies_without_a_network(world: World) -> None:
    raw, proof = (world.files[f"/v/{world.code}.{kind}"] for kind in ("vc", "tlog-proof"))
    fetched = Client(world.url, trust=world.trust).pack()
    opened = Pack.open(world.pack)
    assert (fetched.contents.is_vouched_for, opened.contents.is_vouched_for) == (True, False)
    for pack in (fetched, opened):
        assert pack.verify(raw, proof=proof, audio=world.track).verdict == "valid"
        assert pack.verify(world.studio.folder / f"{world.code}.vc").verdict == "valid"
        assert pack.verify(world.files[f"/v/{world.revoked}.vc"]).axes["lifecycle"] == "revoked"
        assert pack.verify(world.qr).axes["integrity"] == "ok"
    with pytest.raises(MalformedCertificate, match="without a network"):
        opened.verify(world.code)


def test_a_pack_of_others_is_refused(world: World, tmp_path: Path) -> None:
    forged = change(world.pack.read_bytes(), b'"proofValue":"z', b'"proofValue":"z1')
    (tmp_path / "pack").write_bytes(forged)
    with pytest.raises(CertifierError):
        Pack.open(tmp_path / "pack")
    with scripted(world.answer({"/packs/latest": forged})) as site, pytest.raises((BadSignature, ForeignInputError)):
        Client(site.url, trust=world.trust).pack()


def test_a_submission_is_sent_waited_for_and_sent_again_without_a_second_certificate(
    world: World, tmp_path: Path
) -> None:
    envelope, track, log = signed_report(world.studio, 5)
    (tmp_path / "report.dsse.json").write_bytes(envelope)
    (tmp_path / "emissions.csv").write_bytes(log)
    files = (tmp_path / "report.dsse.json", track, [tmp_path / "emissions.csv"])
    client = Client(world.url, trust=world.trust)
    assert client.submit(*files, dry_run=True).state == "dry_run"
    sent = client.wait(client.submit(*files, idempotency_key="request-five"))
    again = client.submit(*files, idempotency_key="request-five")
    assert (sent.state, again.code) == ("certified", sent.code)
    assert client.submission(sent.id).outcome == "class-2"
    assert sent.code is not None
    assert client.verify(sent.code).verdict == "valid"


def test_a_submission_that_meets_trouble_is_sent_again_under_the_same_key(world: World) -> None:
    replies = iter([Reply(503, b"{}", {"Retry-After": "1"}), as_json({"id": "sub_1", "state": "accepted"}, 202)])
    with scripted(lambda _: next(replies)) as site:
        file = world.studio.folder / f"{world.code}.vc"
        sent = Client(site.url, patience=NO_WAIT).submit(file, world.track)
    keys = [asked.headers["Idempotency-Key"] for asked in site.asked]
    assert (sent.id, len(keys), len(set(keys))) == ("sub_1", 2, 1)
    assert all(world.track.read_bytes() in asked.body for asked in site.asked)


@pytest.mark.parametrize(
    "address", ["label.example", "ftp://label.example", "http://", "", "http://[", "http://label.example:port"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(IncompleteAddress):
        Client(address)


KEYS = {
    "nothing": "",
    "a line break": "lcal_test_a\r\nHost: x",
    "other letters": "lcal_test_é",
    "a space": "lcal_test_a b",
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_what_no_header_can_hold_is_no_key(world: World, key: str) -> None:
    with pytest.raises(ForeignInputError, match="no API key") as caught:
        Client(world.url, key=key)
    assert key == "" or key not in repr(vars(caught.value))
    with pytest.raises(ForeignInputError, match="idempotency key"):
        Client(world.url).submit(world.track, world.track, idempotency_key=key)


def test_the_name_of_a_submission_leads_nowhere_else() -> None:
    with scripted(lambda _: Reply(404)) as site, pytest.raises(NotFound):
        Client(site.url).submission("../../trust.json?x=")
    assert site.paths == ["/api/v1/submissions/..%2F..%2Ftrust.json%3Fx%3D"]
