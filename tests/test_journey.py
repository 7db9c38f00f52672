"""The whole journey over real HTTP: a service as its own process, the command line on both sides of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

from certifier.certificate.code import display_code, parse_code
from certifier.certificate.status import status_entries_of, status_file_name
from certifier.cli.main import main
from certifier.client import Client, Patience, Submission
from certifier.crypto.strict_json import parse_object
from tests.serving import served_by_process
from tests.studio import Studio, emissions_csv, write_track


def process(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The program as a shell runs it."""
    command = [sys.executable, "-m", "certifier.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def certifier(*arguments: object) -> Result:
    """The same commands in this process."""
    return CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    studio = Studio(tmp_path_factory.mktemp("studio"))
    studio.certifier().close()
    return studio


@pytest.fixture(scope="module")
def server(studio: Studio) -> Iterator[str]:
    with served_by_process(studio) as url:
        yield url


class Made(NamedTuple):
    """What somebody has who made a track: the signed report, the master, the log."""

    report: Path
    track: Path
    log: Path

    @property
    def options(self) -> tuple[object, ...]:
        return (self.report, "--audio", self.track, "--log", self.log)


def made(studio: Studio, folder: Path, number: int, **changes: object) -> Made:
    """A track of its own for each number, so that the tests may share one service."""
    done = Made(
        folder / "report.dsse.json", write_track(folder / "own.wav", pitch=220 + number), folder / "emissions.csv"
    )
    done.log.write_bytes(emissions_csv(f"run-{number}"))
    report = studio.report(run_id=f"run-{number}", track=done.track) | changes
    report["raw_log_sha256"] = [hashlib.sha256(done.log.read_bytes()).hexdigest()]
    done.report.write_bytes(studio.signed(report, track=done.track))
    return done


def test_submit_fetch_and_verify_online_and_offline(studio: Studio, server: str, tmp_path: Path) -> None:
    """submit by command → certificate by code → files beside each other → offline → revoked → online says so."""
    mine = made(studio, tmp_path, 1)
    sent = process("submit", *mine.options, "--server", server, "--json")
    assert sent.returncode == 0, sent.stderr
    answer = json.loads(sent.stdout)
    assert (answer["state"], answer["outcome"]) == ("certified", "class-2")
    code = parse_code(answer["code"])

    client, folder = Client(server), tmp_path / "fetched"
    folder.mkdir()
    (folder / "trust.json").write_bytes(client.get("/trust.json"))
    (folder / "certificate.json").write_bytes(client.get(f"/v/{code}.vc"))
    trusting = ("--trust", folder / "trust.json")
    assert process("verify", answer["code"], "--server", server, *trusting).returncode == 0

    alone = certifier("verify", folder / "certificate.json", *trusting)
    assert (alone.exit_code, alone.stdout.splitlines()[0][:11]) == (6, "CANNOT TELL")
    (folder / "certificate.tlog-proof").write_bytes(client.get(f"/v/{code}.tlog-proof"))
    certificate = parse_object((folder / "certificate.json").read_bytes())
    for url, raw in client.status_lists(entry.url for entry in status_entries_of(certificate)).items():
        (folder / status_file_name(url)).write_bytes(raw)
    assert certifier("verify", folder / "certificate.json", *trusting, "--audio", mine.track).exit_code == 0
    other = write_track(tmp_path / "other.wav", pitch=440)
    assert certifier("verify", folder / "certificate.json", *trusting, "--audio", other).exit_code == 3

    assert client.ask(answer["code"]).verdict == "valid"
    again = json.loads(certifier("submit", *mine.options, "--server", server, "--json").stdout)
    assert (again["duplicate"], again["code"]) == (True, answer["code"])


def test_a_refused_track_ends_with_exit_code_3_and_its_reasons(studio: Studio, server: str, tmp_path: Path) -> None:
    sent = certifier("submit", *made(studio, tmp_path, 2, offsets=[{"tonnes": "1"}]).options, "--server", server)
    assert sent.exit_code == 3
    assert sent.stdout.startswith("refused  No certificate\n  not met  REN-05  No offsets\n")
    assert "           to do    " in sent.stdout
    assert "/submissions/sub_" in sent.stdout


def test_a_bent_report_is_named_at_the_command_line(studio: Studio, server: str, tmp_path: Path) -> None:
    report = tmp_path / "report.dsse.json"
    report.write_bytes(studio.signed(studio.report()).replace(b'"sig": "', b'"sig": "AAAA', 1))
    sent = certifier("submit", report, "--audio", studio.track, "--server", server)
    assert sent.exit_code == 3
    assert "signature" in sent.stderr
    assert "Traceback" not in sent.stderr


def test_a_certificate_that_takes_longer_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service answers 202: the command asks again until the certificate is there."""
    answers = iter(["accepted", "accepted", "certified"])
    client = Client("http://127.0.0.1:9", patience=Patience(sleep=lambda _: None))
    accepted = Submission.from_document({"id": "sub_1", "state": "accepted"})
    monkeypatch.setattr(
        client, "submission", lambda name: Submission.from_document({"id": name, "state": next(answers)})
    )
    assert client.wait(accepted).state == "certified"
    assert client.wait(accepted, seconds=0).state == "accepted"


def test_a_monitor_follows_the_running_service(studio: Studio, server: str, tmp_path: Path) -> None:
    """From outside, with the commands that anybody has: entries appear, status lists agree with them."""
    (tmp_path / "trust.json").write_bytes(Client(server).get("/trust.json"))
    watching = ("log", "monitor", server, "--state", tmp_path / "state", "--trust", tmp_path / "trust.json", "--json")
    before = certifier(*watching)
    assert before.exit_code == 0
    size = json.loads(before.stdout.splitlines()[-1])["size"]
    sent = certifier("submit", *made(studio, tmp_path, 3).options, "--server", server)
    assert sent.exit_code == 0, sent.stderr
    kit = sent.stdout.partition("  to show   ")[2].strip()
    assert b"<h1" in Client(server).get(kit.removeprefix(server))  # what the artist came for is one step away
    seen = certifier(*watching)
    assert seen.exit_code == 0, seen.stderr
    *entries, end = map(json.loads, seen.stdout.splitlines())
    assert [entry["entry"]["type"] for entry in entries] == ["issue"]
    assert (end["size"], end["new"]) == (size + 1, 1)
    code = entries[0]["entry"]["code"]
    suspended = certifier("suspend", code, "--home", studio.settings.home, "--reason", "evidence")
    assert suspended.exit_code == 0, suspended.stderr
    assert json.loads(certifier(*watching).stdout.splitlines()[0])["entry"]["type"] == "suspend"
    assert told_by(server, code, 2) == ["certificate.issued", "certificate.suspended"]
    found = certifier("status", "recompute", "--server", server, "--trust", tmp_path / "trust.json")
    assert found.exit_code == 0, found.stdout
    assert f"suspension  agrees: 1 set at log size {size + 2}" in found.stdout
    copied = certifier("restore", "--home", studio.settings.home, "--mirror", server)
    assert copied.exit_code == 0, copied.stdout + copied.stderr


def told_by(server: str, code: str, count: int) -> list[str]:
    """The types of so many events about a certificate in the feed; the service tells them within seconds."""
    ends = time.monotonic() + 20
    while True:
        items = json.loads(Client(server).get("/api/v1/status-changes?limit=1000"))["items"]
        types = [item["type"] for item in items if item["data"].get("code") == display_code(code)]
        if len(types) >= count:
            return types
        assert time.monotonic() < ends, f"only {types} were told"
        time.sleep(0.1)
