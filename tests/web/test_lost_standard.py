"""What the pages say about old decisions when the version of the standard behind them is lost, damaged, or read no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from certifier.service.certifier import Issued, Refused
from certifier.standard.model import folder_digest
from certifier.storage.archive import StandardArchive
from certifier.web.app import create_app
from certifier.web.words import STANDARD_AWAY
from tests.studio import APPLICANT, NOW, PARTY, Studio
from tests.web.conftest import LATER

HTML = {"Accept": "text/html"}


def _damaged(kept: Path) -> None:
    kept.write_bytes(kept.read_bytes()[:-400])


def _changed(kept: Path) -> None:
    archive = StandardArchive(kept.parent)
    files = archive.files(kept.stem) or {}
    kept.unlink()
    archive.keep(kept.stem, {**files, "README.md": b"another text\n"})


LOSSES: Mapping[str, Callable[[Path], None]] = {"lost": Path.unlink, "damaged": _damaged, "changed": _changed}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES.keys())
def test_old_decisions_keep_their_pages_without_their_standard(studio: Studio, lose: Callable[[Path], None]) -> None:
    first = studio.certifier()
    issued = first.certify(studio.examined(1, (APPLICANT, PARTY)), NOW)
    refused = first.certify(studio.examined(2, (APPLICANT, PARTY), stages_not_performed=[]), NOW)
    assert isinstance(issued, Issued)
    assert isinstance(refused, Refused)
    digest = first.shelf.newest.digest
    first.close()
    lose(studio.settings.archive_dir / f"{digest}.zip")
    certifier = studio.certifier(standards="lcal/1.1.0-draft")
    client = create_app(certifier, lambda: LATER).test_client()
    code = issued.certificate.code
    forms = ("", ".json", ".vc", ".svg", ".png", ".txt", ".tlog-proof", ".report.json", ".decision.json")
    assert [client.get(f"/v/{code}{form}", headers=HTML if not form else {}).status_code for form in forms] == [200] * 9
    assert f"/submissions/{issued.submission_id}" in client.get(f"/v/{code}", headers=HTML).text
    for answer in (issued, refused):
        page = client.get(f"/submissions/{answer.submission_id}", headers=HTML)
        told = client.get(f"/api/v1/submissions/{answer.submission_id}").json
        assert (page.status_code, STANDARD_AWAY in page.text) == (200, True)
        assert (told["outcome"], told["note"], told["findings"]) == (answer.verdict.outcome, STANDARD_AWAY, [])
        assert told["failed_must"] == [finding.rule for finding in answer.verdict.failed_must]
    asked = (
        f"/v/{code}.explanation.json",
        f"/api/v1/certificates/{code}/renewal-info",
        f"/api/v1/submissions/{issued.submission_id}/levers",
        f"/api/v1/submissions/{issued.submission_id}/explanation",
        "/standards/lcal/1.0.0",
        f"/standards/by-digest/{digest}",
    )
    assert [client.get(path).status_code for path in asked] == [404] * len(asked)
    certifier.close()


def test_a_kept_version_that_this_release_cannot_read_breaks_no_page(studio: Studio) -> None:
    certifier = studio.certifier()
    files = {"standard.toml": b'id = "LCAL-0.9.0"\n'}
    digest = folder_digest(files)
    StandardArchive(studio.settings.archive_dir).keep(digest, files)
    certifier.close()
    certifier = studio.certifier()
    client = create_app(certifier, lambda: LATER).test_client()
    paths = ("/standards", "/standards/lcal/0.9.0", f"/standards/by-digest/{digest}")
    assert [client.get(path).status_code for path in paths] == [200, 404, 200]
    certifier.close()
