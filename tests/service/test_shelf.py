"""Two versions of the standard at once, and decisions that can be reached again after a version is closed or edited."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certifier.certificate.credential import parse_claims
from certifier.certificate.verify import check_certificate
from certifier.crypto.strict_json import parse_object
from certifier.errors import NotFoundError, OperatorError, StorageError
from certifier.service.shelf import open_shelf
from certifier.storage.archive import StandardArchive
from tests.studio import APPLICANT, NOW, PARTY, VERIFIER, Studio

PROJECT_ROOT = Path(__file__).parents[2]

FIRST, NEXT = "LCAL-1.0.0", "LCAL-1.1.0"
ALL = (APPLICANT, PARTY, VERIFIER)


def next_version(folder: Path, class_1: str = "0.10") -> None:
    """1.0.0 beside itself as 1.1.0, with another limit of class 1."""
    shutil.copytree(PROJECT_ROOT / "standards/lcal/1.0.0", folder / "lcal/1.0.0", dirs_exist_ok=True)
    shutil.copytree(folder / "lcal/1.0.0", folder / "lcal/1.1.0", dirs_exist_ok=True)
    head = folder / "lcal/1.1.0/standard.toml"
    text = head.read_text().replace('"LCAL-1.0.0"', '"LCAL-1.1.0"').replace('"1.0.0"\nstatus', '"1.1.0"\nstatus')
    head.write_text(
        text.replace("class_1 = 10.00", f"class_1 = {class_1}", 1).replace("class_1 = 2.00", "class_1 = 0.02")
    )


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    studio = Studio(tmp_path)
    next_version(tmp_path / "standards")
    studio.settings = replace(studio.settings, standards_dir=tmp_path / "standards")
    return studio


def submitted(studio, certifier, number, named, now=NOW):
    examined = studio.examined(number, ALL, standard=named)
    return certifier.certify(examined, now)


@pytest.mark.parametrize(
    ("setting", "named", "judged_by"),
    [
        ("lcal/1.0.0 lcal/1.1.0", FIRST, FIRST),
        ("lcal/1.0.0 lcal/1.1.0", NEXT, NEXT),
        ("lcal/1.0.0@2026-11-01 lcal/1.1.0", FIRST, FIRST),
        ("lcal/1.0.0@2026-10-31 lcal/1.1.0", FIRST, NEXT),
        ("lcal/1.0.0 lcal/1.1.0", "LCAL-1.7.0", NEXT),
    ],
    ids=["the older", "the newer", "the older on its last day", "the older a day later", "one that nobody has here"],
)
def test_a_report_is_judged_by_the_version_it_names_while_that_is_open(studio, setting, named, judged_by):
    certifier = studio.certifier(standards=setting)
    answer = submitted(studio, certifier, 1, named)
    claims = parse_claims(parse_object(answer.certificate.payload))
    assert answer.verdict.standard_id == claims.basis.standard == judged_by
    standard = certifier.shelf.named(judged_by)
    assert (claims.basis.standard_sha256, claims.basis.tables_sha256) == (standard.digest, standard.tables_digest)
    assert certifier.replayed(answer.submission) == answer.verdict
    certifier.close()


def test_a_certificate_of_a_closed_version_stays_valid_and_says_that_there_is_a_successor(studio):
    certifier = studio.certifier(standards="lcal/1.0.0@2026-11-20 lcal/1.1.0")
    row = submitted(studio, certifier, 1, FIRST).certificate
    for days, verdict, state in ((10, "valid", "current"), (25, "valid_with_warnings", "superseded")):
        now = NOW + timedelta(days=days)
        checked = check_certificate(row.document, certifier.published.material(row, now), now)
        assert (checked.verdict, checked.axes["standard_state"]) == (verdict, state)
    certifier.close()


def test_a_decision_is_reached_again_after_its_version_was_taken_away_or_edited(studio, tmp_path):
    certifier = studio.certifier(standards="lcal/1.0.0 lcal/1.1.0")
    answers = [submitted(studio, certifier, number, named) for number, named in enumerate((FIRST, NEXT))]
    certifier.close()
    shutil.rmtree(tmp_path / "standards/lcal/1.1.0")
    (tmp_path / "standards/lcal/1.0.0/README.md").write_text("another text\n")
    certifier = studio.certifier(standards="lcal/1.0.0")
    for answer in answers:
        assert certifier.replayed(answer.submission) == answer.verdict
        row = certifier.certificate(answer.certificate.code)
        checked = check_certificate(row.document, certifier.published.material(row, NOW), NOW)
        assert checked.verdict == "valid_with_warnings"
    certifier.close()


def test_a_version_that_is_nowhere_any_more_is_named_by_its_digest(studio):
    certifier = studio.certifier(standards="lcal/1.0.0")
    with pytest.raises(NotFoundError) as caught:
        certifier.shelf.with_digest("ab" * 32)
    assert "abababababababab" in str(caught.value.found)
    certifier.close()


def test_a_kept_version_that_was_changed_is_refused(studio):
    certifier = studio.certifier(standards="lcal/1.0.0")
    digest = certifier.shelf.newest.digest
    certifier.close()
    archive = StandardArchive(studio.settings.archive_dir)
    files = archive.files(digest)
    kept = studio.settings.archive_dir / f"{digest}.zip"
    for content in (b"no archive at all", kept.read_bytes()[:-400]):
        kept.write_bytes(content)
        with pytest.raises(StorageError):
            archive.files(digest)
    kept.unlink()
    archive.keep(digest, {**files, "README.md": b"another text"})
    with pytest.raises(StorageError):
        archive.files(digest)


WRONG = {
    "nothing": "",
    "a folder that is not there": "lcal/9.9.9",
    "a way out of the folder": "../lcal/1.0.0",
    "a newest version that ends": "lcal/1.0.0 lcal/1.1.0@2027-01-01",
    "a day that is none": "lcal/1.0.0@2027-02-31 lcal/1.1.0",
    "a day after which there is none": "lcal/1.0.0@9999-12-31 lcal/1.1.0",
    "one version twice": "lcal/1.0.0 lcal/1.0.0",
}


@pytest.mark.parametrize("setting", WRONG.values(), ids=WRONG.keys())
def test_a_setting_that_cannot_be_used_is_refused(studio, setting, tmp_path):
    with pytest.raises((OperatorError, NotFoundError)):
        open_shelf(setting, studio.settings.standards_dir, StandardArchive(tmp_path / "archive"))


def test_a_last_day_ends_with_its_midnight_in_utc(studio, tmp_path):
    archive = StandardArchive(tmp_path / "archive")
    shelf = open_shelf("lcal/1.0.0@2027-03-01 lcal/1.1.0", studio.settings.standards_dir, archive)
    last = datetime(2027, 3, 1, 23, 59, 59, tzinfo=UTC)
    assert shelf.for_report(FIRST, last).id == FIRST
    assert shelf.for_report(FIRST, last + timedelta(seconds=1)).id == NEXT
