"""The decision behind a certificate made again on the page: the same for honest files, and not for any that was changed."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from certifier.certificate.code import display_code
from certifier.certificate.replay import MEMBERS
from certifier.cli.main import main
from certifier.report.envelope import sign_report, statement_for
from certifier.service.certifier import Issued
from certifier.storage.rows import CertificateRow, SubmissionRow
from certifier.web.app import create_app
from certifier.web.replay_page import CHECKS, rerun_of
from tests.studio import APPLICANT, NOW, PARTY, Studio
from tests.web.conftest import World

HTML = {"Accept": "text/html"}


def rerun(world: World, code: str) -> str:
    answer = world.client.post(f"/replay/{code}", headers=HTML)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-store"
    return answer.text


def test_an_honest_certificate_is_decided_the_same_again(world: World) -> None:
    page = rerun(world, world.code)
    assert "The same decision again" in page
    assert re.search(r"(\d+) of \1 members are the same", page)
    for told in ("Clock: the time of the decision", "Audio: its length", "Ledger: earlier certificates of this file"):
        assert told in page
    assert re.search(r"in \d+ ms", page)
    assert 'class="is-bad"' not in page


def test_looking_starts_no_work_and_names_the_button_and_the_command(world: World) -> None:
    answer = world.client.get(f"/replay/{world.code}", headers=HTML)
    assert f'action="/replay/{world.code}" method="post"' in answer.text
    assert "ms." not in answer.text
    assert f"certifier replay {world.code}.vc --standard standard" in answer.text
    assert answer.headers["X-Robots-Tag"] == "noindex"


def test_other_spellings_of_a_code_lead_to_the_one(world: World) -> None:
    answer = world.client.get(f"/replay/{display_code(world.code).lower()}", headers=HTML)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"/replay/{world.code}")
    assert world.client.post("/replay/ABCDEFGHJK", headers=HTML).status_code == 400
    assert world.client.post("/replay/0000000000", headers=HTML).status_code == 404


def test_a_withdrawn_certificate_can_be_decided_again_as_well(world: World) -> None:
    assert "The same decision again" in rerun(world, world.withdrawn.certificate.code)


def test_every_comparison_has_words() -> None:
    assert set(MEMBERS) <= set(CHECKS)


def other_report(_row: CertificateRow, submission: SubmissionRow) -> SubmissionRow:
    """The same applicant signs another figure, after the decision."""
    envelope = json.loads(submission.envelope)
    report = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
    report["activities"][0]["energy_kwh"] = "0.005"
    statement = statement_for(report, file_name="track.wav", essence_sha256=None)
    return replace(submission, envelope=json.dumps(sign_report(statement, (APPLICANT, PARTY))).encode())


def changed_record(_row: CertificateRow, submission: SubmissionRow) -> SubmissionRow:
    assert b'"assessed_g_per_min":"7.64"' in submission.decision
    decision = submission.decision.replace(b'"assessed_g_per_min":"7.64"', b'"assessed_g_per_min":"3.14"')
    return replace(submission, decision=decision)


def torn_report(_row: CertificateRow, submission: SubmissionRow) -> SubmissionRow:
    return replace(submission, envelope=submission.envelope[:-20])


def torn_record(_row: CertificateRow, submission: SubmissionRow) -> SubmissionRow:
    return replace(submission, decision=b"")


def changed_certificate(row: CertificateRow, _submission: SubmissionRow) -> CertificateRow:
    figure = rb'("value":\s*")[\d.]+(")'
    return replace(row, document=re.sub(figure, rb"\g<1>0.01\2", row.document or b"", count=1))


CHANGES: dict[str, tuple[Callable[[CertificateRow, SubmissionRow], CertificateRow | SubmissionRow], str, set[str]]] = {
    "another report": (other_report, "does_not_follow", {"report", "decision again"}),
    "another word in the record": (changed_record, "does_not_follow", {"decision record", "decision again"}),
    "another figure in the certificate": (changed_certificate, "does_not_follow", {"figures.assessed_g_per_min"}),
    "a torn report": (torn_report, "unreadable", set()),
    "a record that is gone": (torn_record, "unreadable", set()),
}


@pytest.mark.parametrize(("change", "answer", "differing"), CHANGES.values(), ids=CHANGES.keys())
def test_a_kept_file_that_was_changed_is_not_the_same(
    world: World,
    change: Callable[[CertificateRow, SubmissionRow], CertificateRow | SubmissionRow],
    answer: str,
    differing: set[str],
) -> None:
    row = world.certifier.certificate(world.code)
    submission = world.certifier.store.submission(row.submission_id)
    changed = change(row, submission)
    kept = (changed, submission) if isinstance(changed, CertificateRow) else (row, changed)
    found = rerun_of(*kept, world.certifier.shelf)
    assert found.answer == answer
    assert differing <= {check.name for check in found.differing}


def test_the_page_says_not_the_same_and_shows_both_values(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    certifier = studio.certifier()
    made = certifier.certify(studio.examined("bent"), NOW)
    assert isinstance(made, Issued)
    row = made.certificate
    bent = changed_certificate(row, made.submission).document
    with certifier.store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE certificates SET document = ?", (bent,))
    client = create_app(certifier, lambda: NOW).test_client()
    page = client.post(f"/replay/{row.code}", headers=HTML).text
    assert "Not the same" in page
    assert "What differs" in page
    assert "0.01" in page
    zips = list((studio.settings.home / "standards").glob("*.zip"))
    assert zips
    for file in zips:
        file.unlink()
    with certifier.store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE certificates SET document = ?", (row.document,))
    assert "Cannot tell" in client.post(f"/replay/{row.code}", headers=HTML).text
    certifier.close()


def test_a_very_long_report_is_left_to_the_command(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certifier.web.replay_page.MOST_BYTES", 100)
    page = rerun(world, world.code)
    assert "Use the command" in page
    assert "<button" not in page[page.index("<main") :]
    assert "same decision again" not in page


def test_the_command_on_the_page_works_with_the_files_that_it_names(world: World, tmp_path: Path) -> None:
    page = world.client.get(f"/replay/{world.code}", headers=HTML).text
    links = re.findall(r'<li><a href="([^"]+)">[^<]+</a> <span class="soft">', page)
    for link in links:
        content = world.client.get(link, buffered=True).data
        if link.endswith(".zip"):
            zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path / "standard")
        else:
            (tmp_path / link.rpartition("/")[2]).write_bytes(content)
    assert len(links) == 4
    folder = tmp_path / "standard"
    result = CliRunner().invoke(main, ["replay", str(tmp_path / f"{world.code}.vc"), "--standard", str(folder)])
    assert result.exit_code == 0, result.output
    assert "FOLLOWS" in result.output


def test_a_client_without_script_presses_the_button(world: World, client: FlaskClient) -> None:
    assert "<script" not in world.client.get(f"/replay/{world.code}", headers=HTML).text
    assert client.post("/replay/nothing", headers=HTML).status_code == 400
