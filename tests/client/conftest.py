"""A service with two certificates, one of them revoked an hour ago; its public files, and the address where it really runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from certifier.badge.qr import print_qr_text
from certifier.certificate.compact import digits_of
from certifier.certificate.trust import Trust, trust_document
from certifier.crypto.canonical import to_json_text
from certifier.service.certifier import Certifier, Issued
from certifier.storage.rows import CertificateRow
from certifier.web.app import create_app
from tests.client.scripted import Asked, Reply
from tests.studio import APPLICANT, PARTY, Studio, emissions_csv, write_track
from tests.web.access import new_key

LISTS = ("/status/revocation/1", "/status/suspension/1")


@dataclass(frozen=True)
class World:
    """``files`` are what the service publishes, by path; ``old_lists`` are those of the day before the revocation."""

    url: str
    studio: Studio
    trust: Trust
    trust_file: Path
    code: str
    revoked: str
    files: dict[str, bytes]
    old_lists: dict[str, bytes]
    pack: Path
    qr: str
    jwt: str
    track: Path
    digest: str
    key: str

    def answer(self, changes: dict[str, bytes]) -> Callable[[Asked], Reply]:
        """A service that gives out these files, with some of them changed; what is changed to nothing is not there."""
        files = {**self.files, **changes}

        def reply(asked: Asked) -> Reply:
            body = files.get(asked.path, b"")
            return Reply(200, body) if body else Reply(404, b"{}")

        return reply


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Only for reading."""
    studio, now = Studio(tmp_path_factory.mktemp("world")), datetime.now(UTC)
    certifier = studio.certifier()
    good, revoked = (_issued(studio, certifier, number, now - timedelta(days=3)) for number in (1, 2))
    old = _lists(certifier, now - timedelta(days=2))
    certifier.change_status(revoked.code, "revoke", "figure", now - timedelta(hours=1))
    trust = certifier.published.trust_at(now)
    trust_file, pack = studio.folder / "trust.json", studio.folder / "pack"
    trust_file.write_text(to_json_text(trust_document(trust)))
    pack.write_bytes(certifier.published.pack(now))
    files = {**_lists(certifier, now), "/packs/latest": pack.read_bytes()}
    for row in (good, revoked):
        files |= {f"/v/{row.code}.vc": row.document or b"", f"/v/{row.code}.tlog-proof": row.proof or b""}
    (studio.folder / f"{good.code}.vc").write_bytes(good.document or b"")
    (studio.folder / f"{good.code}.tlog-proof").write_bytes(good.proof or b"")
    server = make_server("127.0.0.1", 0, create_app(certifier), threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield World(
        f"http://127.0.0.1:{server.server_port}",
        studio,
        trust,
        trust_file,
        good.code,
        revoked.code,
        files,
        old,
        pack,
        print_qr_text("https://label.example", good.code, digits_of(certifier.rendition(good, "compact"))),
        certifier.rendition(good, "jwt").decode(),
        studio.folder / "track-1.wav",
        studio.facts(studio.folder / "track-1.wav").sha256,
        new_key(certifier, "verify:bulk"),
    )
    server.shutdown()
    thread.join()
    server.server_close()
    certifier.close()


@pytest.fixture(autouse=True)
def _nothing_pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def signed_report(studio: Studio, number: int) -> tuple[bytes, Path, bytes]:
    """An envelope, its master and its raw log."""
    track = write_track(studio.folder / f"track-{number}.wav", pitch=200.0 + number)
    log = emissions_csv(f"run-{number}")
    report = studio.report(title=f"Track {number} (example)", run_id=f"run-{number}", track=track)
    report["track"]["isrc"] = f"QZABC260000{number}"
    report["raw_log_sha256"] = [hashlib.sha256(log).hexdigest()]
    return studio.signed(report, (APPLICANT, PARTY), track=track), track, log


def _issued(studio: Studio, certifier: Certifier, number: int, now: datetime) -> CertificateRow:
    envelope, track, log = signed_report(studio, number)
    answer = certifier.submit(studio.upload(envelope, track=track, logs={"emissions.csv": log}), now)
    assert isinstance(answer, Issued)
    return answer.certificate


def _lists(certifier: Certifier, now: datetime) -> dict[str, bytes]:
    return {path: certifier.published.status_list(path.split("/")[2], 1, now) for path in LISTS}
