"""The whole journey over real HTTP: a service as its own process, the command line on both sides of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from certifier.certificate.code import parse_code
from certifier.certificate.status import status_entries_of, status_file_name
from certifier.client import Client, Patience, Submission
from certifier.crypto.strict_json import parse_object
from tests.studio import Studio, write_track


def certifier(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "certifier.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_submit_fetch_and_verify_online_and_offline(studio: Studio, server: str, tmp_path: Path) -> None:
    """submit by command → certificate by code → files beside each other → offline → revoked → online says so."""
    report, log = tmp_path / "report.dsse.json", tmp_path / "emissions.csv"
    report.write_bytes(studio.signed(studio.report()))
    log.write_bytes(studio.log)
    sent = certifier("submit", report, "--audio", studio.track, "--log", log, "--server", server, "--json")
    assert sent.returncode == 0, sent.stderr
    answer = json.loads(sent.stdout)
    assert (answer["state"], answer["outcome"]) == ("certified", "class-2")
    code = parse_code(answer["code"])

    client, folder = Client(server), tmp_path / "fetched"
    folder.mkdir()
    (folder / "trust.json").write_bytes(client.get("/trust.json"))
    (folder / "certificate.json").write_bytes(client.get(f"/v/{code}.vc"))
    trusting = ("--trust", folder / "trust.json")
    assert certifier("verify", answer["code"], "--server", server, *trusting).returncode == 0

    alone = certifier("verify", folder / "certificate.json", *trusting)
    assert (alone.returncode, alone.stdout.splitlines()[0][:11]) == (6, "CANNOT TELL")
    (folder / "certificate.tlog-proof").write_bytes(client.get(f"/v/{code}.tlog-proof"))
    certificate = parse_object((folder / "certificate.json").read_bytes())
    for url, raw in client.status_lists(entry.url for entry in status_entries_of(certificate)).items():
        (folder / status_file_name(url)).write_bytes(raw)
    assert certifier("verify", folder / "certificate.json", *trusting, "--audio", studio.track).returncode == 0
    other = write_track(tmp_path / "other.wav", pitch=440)
    assert certifier("verify", folder / "certificate.json", *trusting, "--audio", other).returncode == 3

    assert client.ask(answer["code"]).verdict == "valid"
    again = json.loads(
        certifier("submit", report, "--audio", studio.track, "--log", log, "--server", server, "--json").stdout
    )
    assert (again["duplicate"], again["code"]) == (True, answer["code"])


def test_a_refused_track_ends_with_exit_code_3_and_its_reasons(studio: Studio, server: str, tmp_path: Path) -> None:
    document = studio.report()
    document["offsets"] = [{"tonnes": "1"}]
    report, log = tmp_path / "report.dsse.json", tmp_path / "emissions.csv"
    report.write_bytes(studio.signed(document))
    log.write_bytes(studio.log)
    sent = certifier("submit", report, "--audio", studio.track, "--log", log, "--server", server)
    assert sent.returncode == 3
    assert sent.stdout.startswith("refused  No certificate\n  not met  REN-05  No offsets\n")
    assert "           to do    " in sent.stdout
    assert "/submissions/sub_" in sent.stdout


def test_a_bent_report_is_named_at_the_command_line(studio: Studio, server: str, tmp_path: Path) -> None:
    report = tmp_path / "report.dsse.json"
    report.write_bytes(studio.signed(studio.report()).replace(b'"sig": "', b'"sig": "AAAA', 1))
    sent = certifier("submit", report, "--audio", studio.track, "--server", server)
    assert sent.returncode == 3
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
    report = tmp_path / "report.dsse.json"
    report.write_bytes(studio.signed(studio.report()))
    (tmp_path / "emissions.csv").write_bytes(studio.log)
    (tmp_path / "trust.json").write_bytes(Client(server).get("/trust.json"))
    watching = ("log", "monitor", server, "--state", tmp_path / "state", "--trust", tmp_path / "trust.json", "--json")
    assert certifier(*watching).returncode == 0
    sent = certifier("submit", report, "--audio", studio.track, "--log", tmp_path / "emissions.csv", "--server", server)
    assert sent.returncode == 0, sent.stderr
    seen = certifier(*watching)
    assert seen.returncode == 0, seen.stderr
    *entries, end = map(json.loads, seen.stdout.splitlines())
    assert [entry["entry"]["type"] for entry in entries] == ["issue"]
    assert (end["size"], end["new"]) == (1, 1)
    code = entries[0]["entry"]["code"]
    suspended = certifier("suspend", code, "--home", studio.settings.home, "--reason", "evidence")
    assert suspended.returncode == 0, suspended.stderr
    assert json.loads(certifier(*watching).stdout.splitlines()[0])["entry"]["type"] == "suspend"
    found = certifier("status", "recompute", "--server", server, "--trust", tmp_path / "trust.json")
    assert found.returncode == 0, found.stdout
    assert "suspension  agrees: 1 set at log size 2" in found.stdout
    copied = certifier("restore", "--home", studio.settings.home, "--mirror", server)
    assert copied.returncode == 0, copied.stdout + copied.stderr
