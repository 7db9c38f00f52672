"""What any release ever issued verifies for ever (scripts/make_release_golden.py makes a folder for each release)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from certifier.certificate.status import lists_by_url
from certifier.certificate.trust import parse_trust
from certifier.certificate.verify import AudioDigests, Material, check_certificate
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
