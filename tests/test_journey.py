"""The whole journey over real HTTP: a service as its own process, the command line on both sides of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from certifier.certificate.code import parse_code
from certifier.certificate.status import status_entries_of, status_file_name
from certifier.client import Client
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

    assert client.verify({"code": answer["code"]})["verdict"] == "valid"
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
    assert sent.stdout.startswith("refused")
    assert "/submissions/sub_" in sent.stdout


def test_a_bent_report_is_named_at_the_command_line(studio: Studio, server: str, tmp_path: Path) -> None:
    report = tmp_path / "report.dsse.json"
    report.write_bytes(studio.signed(studio.report()).replace(b'"sig": "', b'"sig": "AAAA', 1))
    sent = certifier("submit", report, "--audio", studio.track, "--server", server)
    assert sent.returncode == 3
    assert "signature" in sent.stderr
    assert "Traceback" not in sent.stderr
