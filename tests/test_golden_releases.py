"""What any release ever issued verifies for ever (scripts/make_release_golden.py makes a folder for each release)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from certifier.certificate.pack import open_pack
from certifier.certificate.status import lists_by_url
from certifier.certificate.trust import parse_trust
from certifier.certificate.verification import AudioDigests, Material
from certifier.certificate.verify import check_certificate, check_print
from certifier.crypto.canonical import sha256_hex
from certifier.decision import parse_decision
from certifier.report.envelope import open_report
from tests.studio import NOW

RELEASES = sorted(path for path in (Path(__file__).parent / "golden").iterdir() if path.is_dir())


def material(folder: Path, audio: str | None = None) -> Material:
    lists = lists_by_url({file.name: file.read_bytes() for file in folder.glob("status-*.json")})
    digests = AudioDigests(audio) if audio else None
    proof = (folder / "certificate.tlog-proof").read_bytes()
    return Material(parse_trust((folder / "trust.json").read_bytes()), proof, lists, digests)


def test_there_is_a_release_to_look_at() -> None:
    assert RELEASES


@pytest.mark.parametrize("folder", RELEASES, ids=lambda folder: folder.name)
def test_a_certificate_of_every_release_is_valid_with_its_own_files(folder: Path) -> None:
    opened = open_report((folder / "report.dsse.json").read_bytes())
    raw = (folder / "certificate.json").read_bytes()
    verification = check_certificate(raw, material(folder, opened.report.track.audio_sha256), NOW)
    assert verification.verdict == "valid", verification.checks
    assert verification.claims is not None
    basis = verification.claims.basis
    assert basis.report_sha256 == opened.digest
    assert basis.decision_sha256 == sha256_hex((folder / "decision.json").read_bytes())
    record, evidence = parse_decision((folder / "decision.json").read_bytes())
    assert (record["outcome"], evidence.audio.sha256) == (verification.claims.outcome, opened.report.track.audio_sha256)


@pytest.mark.parametrize("folder", RELEASES, ids=lambda folder: folder.name)
def test_when_its_status_lists_have_grown_old_nobody_can_tell(folder: Path) -> None:
    verification = check_certificate(
        (folder / "certificate.json").read_bytes(), material(folder), NOW + timedelta(days=2)
    )
    assert verification.verdict == "cannot_tell"


FORMS = [
    file
    for folder in RELEASES
    for file in sorted(folder.glob("certificate.*"))
    if file.suffix in {".json", ".jwt", ".svg"}
]


@pytest.mark.parametrize("file", FORMS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_form_of_every_release_is_valid_with_the_same_files(file: Path) -> None:
    verification = check_certificate(file.read_bytes(), material(file.parent), NOW)
    assert verification.verdict == "valid", verification.checks


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parent / "golden").glob("*/certificate.cose")), ids=lambda file: file.parent.name
)
def test_the_print_of_every_release_is_read_and_is_that_of_its_record(file: Path) -> None:
    record = file.with_name("certificate.json").read_bytes()
    assert check_certificate(file.read_bytes(), material(file.parent), NOW).axes["integrity"] == "ok"
    assert check_print(file.read_bytes(), record, material(file.parent), NOW).verdict == "valid"


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parent / "golden").glob("*/pack")), ids=lambda file: file.parent.name
)
def test_the_pack_of_every_release_opens_and_is_enough_beside_the_proof(file: Path) -> None:
    pack = open_pack(file.read_bytes(), material(file.parent).trust, NOW)
    proof = file.with_name("certificate.tlog-proof").read_bytes()
    record = file.with_name("certificate.json").read_bytes()
    assert check_certificate(record, pack.material(proof), NOW).verdict == "valid"
    assert check_certificate(record, pack.material(proof), NOW + timedelta(days=2)).reason == "status_aged"
