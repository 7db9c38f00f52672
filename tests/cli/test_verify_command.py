"""``certifier verify``: whatever is in the hand, a file in any form, a code, a QR's text or the audio, it is checked."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from certifier.badge.qr import print_qr_text
from certifier.certificate.baked import bake
from certifier.certificate.code import display_code
from certifier.certificate.compact import digits_of
from certifier.certificate.trust import trust_document
from certifier.cli.main import main
from certifier.client import Client
from certifier.crypto.canonical import to_json_text
from certifier.service.certifier import Issued
from certifier.web.app import create_app
from tests.studio import APPLICANT, PARTY, Studio, write_track

FORMS = {"openbadge": "certificate.openbadge.json", "jwt": "certificate.jwt", "compact": "certificate.cose"}


@dataclass(frozen=True)
class Delivered:
    """A certificate in all its forms with what lies beside it, as a service handed it out just now; and that service."""

    folder: Path
    code: str
    qr: str
    server: str
    old_pack: Path


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivered]:
    studio = Studio(tmp_path_factory.mktemp("world"))
    certifier, now = studio.certifier(), datetime.now(UTC)
    report = studio.report()
    report["track"]["isrc"] = "QZABC2600001"
    answer = certifier.submit(studio.upload(studio.signed(report, (APPLICANT, PARTY))), now - timedelta(days=3))
    assert isinstance(answer, Issued)
    row, folder = answer.certificate, studio.folder / "delivered"
    folder.mkdir()
    files = {
        "certificate.json": row.document or b"",
        "certificate.tlog-proof": row.proof or b"",
        "trust.json": to_json_text(trust_document(certifier.published.trust_at(now))).encode(),
        "status-revocation.json": certifier.published.status_list("revocation", 1, now),
        "status-suspension.json": certifier.published.status_list("suspension", 1, now),
        "pack": certifier.published.pack(now),
        **{name: certifier.rendition(row, form) for form, name in FORMS.items()},  # type: ignore[arg-type]
    }
    files["certificate.baked.svg"] = bake(
        '<svg xmlns="http://www.w3.org/2000/svg"></svg>', files["certificate.openbadge.json"].decode()
    ).encode()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    shutil.copyfile(studio.track, folder / "track.wav")
    old_pack = studio.folder / "pack-of-two-days-ago"
    old_pack.write_bytes(certifier.published.pack(now - timedelta(days=2)))
    qr = print_qr_text("https://label.example", row.code, digits_of(files["certificate.cose"]))
    server = make_server("127.0.0.1", 0, create_app(certifier), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield Delivered(folder, row.code, qr, f"http://127.0.0.1:{server.server_port}", old_pack)
    server.shutdown()
    thread.join()
    server.server_close()
    certifier.close()


@pytest.fixture(autouse=True)
def _nothing_pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def verify(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["verify", *map(str, arguments)], catch_exceptions=False)


def trusted(delivered: Delivered) -> tuple[Any, ...]:
    return "--trust", delivered.folder / "trust.json"


@pytest.mark.parametrize(
    "name", ["certificate.json", "certificate.openbadge.json", "certificate.jwt", "certificate.baked.svg"]
)
def test_every_form_that_names_its_claims_is_valid_offline_with_the_files_beside_it(
    delivered: Delivered, name: str
) -> None:
    result = verify(delivered.folder / name, *trusted(delivered), "--audio", delivered.folder / "track.wav")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("VALID  Night Ferry (example) – Example Artist")


def test_a_print_alone_says_what_it_says_and_that_the_log_was_not_asked(delivered: Delivered) -> None:
    result = verify(delivered.qr, "--pack", delivered.folder / "pack")
    assert result.exit_code == 6
    assert result.stdout.startswith(f"CANNOT TELL  the print of {display_code(delivered.code)}")
    axes = json.loads(verify(delivered.qr, "--pack", delivered.folder / "pack", "--json").stdout)["axes"]
    assert (axes["integrity"], axes["lifecycle"], axes["inclusion"]) == ("ok", "active", "unchecked")


def test_with_a_service_the_print_is_held_against_its_record(delivered: Delivered) -> None:
    result = verify(delivered.qr, *trusted(delivered), "--server", delivered.server)
    assert (result.exit_code, result.stdout.splitlines()[0].startswith("VALID")) == (0, True), result.output


def test_the_print_of_another_certificate_under_this_address_is_not_valid(delivered: Delivered) -> None:
    other = delivered.qr.replace("LABEL.EXAMPLE", "OTHER.EXAMPLE")
    result = verify(other, *trusted(delivered))
    assert result.exit_code == 3
    assert "leads elsewhere" in result.stderr


@pytest.mark.parametrize(
    "text", ["{code}", "{shown}", "https://label.example/v/{code}", "HTTPS://LABEL.EXAMPLE/V/{code}"]
)
def test_a_code_or_a_label_s_address_is_looked_up_at_the_service(delivered: Delivered, text: str) -> None:
    given = text.format(code=delivered.code, shown=display_code(delivered.code))
    result = verify(given, *trusted(delivered), "--server", delivered.server)
    assert result.exit_code == 0, result.output


def test_a_service_that_answers_with_another_certificate_is_not_believed(
    delivered: Delivered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that was asked for may be revoked; that another one is valid says nothing of it."""
    record = (delivered.folder / "certificate.json").read_bytes()
    monkeypatch.setattr(Client, "get", lambda *_: record)
    result = verify("0000000000", *trusted(delivered), "--server", delivered.server)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "answers with another certificate" in result.stderr


TWO_THINGS = {
    "a file and an ISRC": ("certificate.json", "--audio", "track.wav", "--isrc", "QZABC2600002"),
    "the audio itself and an ISRC": ("track.wav", "--isrc", "QZABC2600002"),
    "the audio itself and another file": ("track.wav", "--audio", "track.wav"),
}


@pytest.mark.parametrize("arguments", TWO_THINGS.values(), ids=TWO_THINGS.keys())
def test_of_two_things_to_compare_none_is_passed_over_in_silence(
    delivered: Delivered, arguments: tuple[str, ...]
) -> None:
    placed = [str(delivered.folder / word) if "." in word else word for word in arguments]
    result = verify(*placed, *trusted(delivered), "--server", delivered.server)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_typing_error_in_a_code_is_told_from_a_file_that_is_not_there() -> None:
    result = verify("GG8W-7E5J-TX")
    assert (result.exit_code, "typing error" in result.stderr) == (2, True), result.stderr
    assert "typing error" not in verify("not-here.json").stderr


def test_an_audio_file_is_looked_up_by_its_digest(delivered: Delivered) -> None:
    result = verify(delivered.folder / "track.wav", *trusted(delivered), "--server", delivered.server)
    assert result.exit_code == 0, result.output
    assert "sha256_match" in result.stdout


def test_an_audio_file_that_nobody_certified_is_told_so(delivered: Delivered, tmp_path: Path) -> None:
    result = verify(write_track(tmp_path / "x.wav", 1), *trusted(delivered), "--server", delivered.server)
    assert result.exit_code == 3
    assert "No certificate here is for this file" in result.stderr


@pytest.mark.parametrize("name", ["track.wav", ""])
def test_what_needs_a_service_says_so_as_wrong_usage(delivered: Delivered, name: str) -> None:
    result = verify(delivered.folder / name if name else delivered.code, *trusted(delivered))
    assert (result.exit_code, "--server" in result.stderr) == (2, True)


def test_a_pack_needs_no_trust_file_no_lists_and_no_network(delivered: Delivered, tmp_path: Path) -> None:
    for name in ("certificate.json", "certificate.tlog-proof"):
        shutil.copyfile(delivered.folder / name, tmp_path / name)
    result = verify(tmp_path / "certificate.json", "--pack", delivered.folder / "pack")
    assert result.exit_code == 0, result.output
    assert "trusted by your choice of this pack alone" in result.stderr


def test_an_old_pack_lowers_the_verdict_and_says_its_age(delivered: Delivered, tmp_path: Path) -> None:
    for name in ("certificate.json", "certificate.tlog-proof"):
        shutil.copyfile(delivered.folder / name, tmp_path / name)
    result = verify(tmp_path / "certificate.json", "--pack", delivered.old_pack)
    assert result.stdout.startswith("VALID, WITH A WARNING"), result.output
    assert "2 days ago" in result.stdout


def test_a_broken_pack_says_nothing_of_the_certificate(delivered: Delivered, tmp_path: Path) -> None:
    raw = (delivered.folder / "pack").read_bytes()
    (tmp_path / "pack").write_bytes(raw.replace(b'"made_at":"2', b'"made_at":"1', 1))
    result = verify(delivered.folder / "certificate.json", "--pack", tmp_path / "pack")
    assert (result.exit_code, result.stdout) == (2, "")


NO_TRUST = {
    "a pack": ("--pack", "certifier pack --server URL"),
    "a trust file": ("--trust", "certifier init --pin URL"),
}


@pytest.mark.parametrize(("option", "command"), NO_TRUST.values(), ids=NO_TRUST.keys())
def test_a_file_that_cannot_be_trusted_is_one_error_that_says_why_and_how_to_get_another(
    option: str, command: str, delivered: Delivered, tmp_path: Path
) -> None:
    (tmp_path / "other").write_bytes(b"PK\0\0")
    result = verify(delivered.folder / "certificate.json", option, tmp_path / "other", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["exit_code"], result.stderr) == (2, 2, "")
    assert f"{tmp_path / 'other'} cannot be used: " in told["error"]["message"]
    assert (bool(told["error"]["found"]), command in told["error"]["hint"]) == (True, True)


ISRCS = {"its own": ("qzabc2600001", 0, "isrc_only"), "another": ("QZABC2600002", 3, "mismatch")}


@pytest.mark.parametrize(("isrc", "code", "binding"), ISRCS.values(), ids=ISRCS.keys())
def test_an_isrc_can_be_compared_without_a_file(delivered: Delivered, isrc: str, code: int, binding: str) -> None:
    result = verify(delivered.folder / "certificate.json", *trusted(delivered), "--isrc", isrc, "--json")
    assert (result.exit_code, json.loads(result.stdout)["axes"]["binding"]) == (code, binding)


def test_the_json_names_each_axis_with_its_outcome_what_was_found_and_what_was_expected(delivered: Delivered) -> None:
    result = verify(delivered.folder / "certificate.json", *trusted(delivered), "--json")
    document = json.loads(result.stdout)
    assert (document["verdict"], document["reason"]) == ("valid", "all_checked")
    outcomes = {check["axis"]: check["outcome"] for check in document["checks"]}
    assert outcomes == {**dict.fromkeys(outcomes, "ok"), "binding": "unchecked"}
    assert all(check["found"] and check["expected"] for check in document["checks"])


def test_a_file_that_is_no_certificate_is_told_so(delivered: Delivered, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    result = verify(tmp_path / "notes.txt", *trusted(delivered))
    assert result.exit_code == 3
    assert "no certificate in a form that is known here" in result.stderr
    assert "found    'hello'" in result.stderr


def test_what_a_service_says_of_a_certificate_is_not_taken_for_it_and_the_right_file_is_named(
    delivered: Delivered, tmp_path: Path
) -> None:
    (tmp_path / "7K3QZ9M2XA.json").write_text('{"code": "7K3Q-Z9M2-XA", "state": "active"}')
    result = verify(tmp_path / "7K3QZ9M2XA.json", *trusted(delivered))
    assert (result.exit_code, "CODE.vc" in result.stderr) == (3, True), result.output


def test_a_badge_of_another_name_finds_the_proof_of_the_record_beside_it(delivered: Delivered, tmp_path: Path) -> None:
    shutil.copytree(delivered.folder, tmp_path / "copy")
    (tmp_path / "copy" / "certificate.baked.svg").rename(tmp_path / "copy" / "badge.baked.svg")
    assert verify(tmp_path / "copy" / "badge.baked.svg", *trusted(delivered)).exit_code == 0


def test_the_proof_of_another_certificate_in_the_folder_is_not_taken_for_its_own(
    delivered: Delivered, tmp_path: Path
) -> None:
    for name in ("certificate.tlog-proof", "status-revocation.json", "status-suspension.json"):
        shutil.copyfile(delivered.folder / name, tmp_path / name)
    shutil.copyfile(delivered.folder / "certificate.json", tmp_path / "mine.json")
    assert verify(tmp_path / "mine.json", *trusted(delivered)).exit_code == 6


def test_a_print_beside_its_record_is_judged_with_it(delivered: Delivered) -> None:
    result = verify(delivered.folder / "certificate.cose", *trusted(delivered))
    assert (result.exit_code, result.stdout.startswith("VALID")) == (0, True), result.output


def test_a_service_that_does_not_answer_is_told_and_the_files_decide(delivered: Delivered) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        server = f"http://127.0.0.1:{closed.getsockname()[1]}"
        result = verify(delivered.folder / "certificate.json", *trusted(delivered), "--server", server)
    assert (result.exit_code, "judged by what is at hand" in result.stderr) == (0, True), result.output


def test_the_json_names_whom_a_pack_is_trusted_by(delivered: Delivered) -> None:
    result = verify(delivered.folder / "certificate.json", "--pack", delivered.folder / "pack", "--json")
    pack = json.loads(result.stdout)["pack"]
    assert (pack["issuer_key"], pack["vouched_for"]) == ("did:web:label.example#key-2026", False)
