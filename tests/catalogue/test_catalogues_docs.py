"""docs/catalogues.md is true: its commands run as they stand there, against a service; and the service is not trusted."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from certifier.certificate.code import display_code
from certifier.certificate.verification import ROW_RESULTS
from certifier.cli.main import main
from certifier.service.certifier import Certifier
from certifier.service.home import open_certifier
from certifier.service.sandbox import DEMO_CODES, UNKNOWN_CODE
from certifier.settings import Settings
from certifier.web.app import create_app
from tests.test_ddex import in_41, message
from tests.web.access import new_key
from tests.web.browsing import served

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "catalogues.md").read_text("utf-8")
COMMANDS = re.findall(r"^\$ (.*)$", TEXT, re.MULTILINE)
PROGRAM, ON_A_CLUSTER = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
ADDRESS = "https://label.example"


@pytest.fixture(scope="module")
def certifier(filled_sandbox: Settings) -> Iterator[Certifier]:
    with closing(open_certifier(filled_sandbox, datetime.now(UTC))) as certifier:
        yield certifier


@pytest.fixture(scope="module")
def address(certifier: Certifier) -> Iterator[str]:
    yield from served(create_app(certifier))


@pytest.fixture(scope="module")
def desk(certifier: Certifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with catalogues of the sandbox's certificates: by code, by digest; an ISRC has none of them."""
    folder = tmp_path_factory.mktemp("desk")
    rows = []
    for state, code in [*DEMO_CODES.items(), ("unknown", UNKNOWN_CODE)]:
        row = certifier.store.certificate(code)
        rows.append(
            {"Label code": display_code(code), "isrc": "", "sha256": row.audio_sha256 if row else "", "state": state}
        )
    rows.append({"Label code": "", "isrc": "QZABC2600001", "sha256": "", "state": "no certificate"})
    with (folder / "catalogue.csv").open("w") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    (folder / "catalogue.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(autouse=True)
def own_settings(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(desk / "config"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(desk)


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    """The service is in this process: its log would stand between the words of the command."""
    with capture_logs():
        yield


def run(command: str, address: str) -> Result:
    words = shlex.split(command.replace(ADDRESS, address))
    assert words.pop(0) == "certifier", command
    if words[0] == "verify":
        words += ["--processes", "1"]
    return CliRunner().invoke(main, words, input="y\n", catch_exceptions=False)


EXPECTED = {
    "class-1": "valid",
    "class-2": "valid",
    "measured": "valid",
    "statement": "valid",
    "suspended": "not_valid",
    "revoked": "not_valid",
    "superseded": "not_valid",
    "successor": "valid",
    "expired": "not_valid",
    "broken": "not_valid",
    "unknown": "no_certificate",
    "no certificate": "no_certificate",
}


def test_each_command_runs_as_it_stands_there(
    desk: Path, address: str, certifier: Certifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in COMMANDS:
        if command.startswith("pip install"):
            continue
        if command.startswith("export LCAL_KEY="):
            monkeypatch.setenv("LCAL_KEY", new_key(certifier, "verify:bulk"))
            continue
        result = run(command, address)
        # By ISRC alone all rows but one are empty cells; by code some certificates are withdrawn.
        expected = (3 if "Label code" in command else 6) if " verify " in command else 0
        assert result.exit_code == expected, (command, result.output)
    answers = {row["state"]: row["result"] for row in csv.DictReader(Path("result.csv").read_text().splitlines())}
    assert answers == EXPECTED
    assert pq.read_table("result.parquet").num_rows == len(EXPECTED)
    results = [json.loads(line)["result"] for line in Path("result.ndjson").read_text().splitlines()]
    assert results == ["problem"] * 11 + ["no_certificate"]


def test_a_service_and_a_file_of_its_certificates_lead_to_the_same_answers(
    desk: Path, address: str, certifier: Certifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LCAL_KEY", new_key(certifier, "verify:bulk"))
    pinned = run(f"certifier init --pin {ADDRESS}", address)
    assert pinned.exit_code == 0, pinned.output
    assert run(f"certifier pack --server {ADDRESS} -o pack --certificates certificates", address).exit_code == 0
    columns = "--column 'code=Label code' --column isrc --column sha256"
    ways = {
        "offline": "--pack pack --certificates certificates",
        "online": f"--server {ADDRESS}",
        "mixed": f"--server {ADDRESS} --certificates certificates",
    }
    told = {}
    for way, where in ways.items():
        result = run(f"certifier verify catalogue.csv {columns} {where} --json --out {way}.ndjson", address)
        assert result.exit_code == 3, result.output
        told[way] = [json.loads(line) for line in Path(f"{way}.ndjson").read_text().splitlines()]
    assert told["offline"] == told["online"] == told["mixed"]
    assert {row["state"]: row["result"] for row in told["online"]} == EXPECTED


def test_the_recordings_of_a_release_are_verified_by_their_files(
    desk: Path, address: str, certifier: Certifier
) -> None:
    assert run(f"certifier pack --server {ADDRESS} -o pack --certificates certificates", address).exit_code == 0
    digests = [certifier.certificate(DEMO_CODES[state]).audio_sha256 for state in ("class-1", "revoked")]
    recordings = [in_41(ref=f"A{number}", digest=digest) for number, digest in enumerate([*digests, "0" * 64])]
    Path("release.xml").write_bytes(message(*recordings))
    command = "certifier verify release.xml --column sha256 --pack pack --certificates certificates --out release.csv"
    assert run(command, address).exit_code == 3
    rows = {row["ref"]: row["result"] for row in csv.DictReader(Path("release.csv").read_text().splitlines())}
    assert rows == {"A0": "valid", "A1": "not_valid", "A2": "no_certificate"}


def test_without_a_key_the_service_refuses_and_the_command_says_why(desk: Path, address: str) -> None:
    pinned = run(f"certifier init --pin {ADDRESS}", address)
    assert pinned.exit_code == 0, pinned.output
    result = run(f"certifier verify catalogue.csv --column isrc --server {ADDRESS} --out refused.csv", address)
    assert (result.exit_code, Path("refused.csv").exists()) == (3, False)


def test_certificates_are_fetched_once_and_later_only_the_new_ones(address: str, tmp_path: Path) -> None:
    file = tmp_path / "kept"
    command = f"certifier pack --server {ADDRESS} -o {tmp_path / 'pack'} --certificates {file} --json"
    first, again = (json.loads(run(command, address).stdout)["certificates"] for _ in range(2))
    assert first == {"file": str(file), "held": len(DEMO_CODES), "new": len(DEMO_CODES)}
    assert again == {"file": str(file), "held": len(DEMO_CODES), "new": 0}


def test_the_program_prints_an_answer_for_each_recording(
    desk: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(f"certifier pack --server {ADDRESS} -o pack --certificates certificates", address).exit_code == 0
    names: dict[str, Any] = {"__name__": "example"}
    exec(PROGRAM, names)
    assert capsys.readouterr().out == "['no_certificate', 'no_certificate']\n"
    assert isinstance(names["answers"], pa.RecordBatch)


def test_the_program_for_a_cluster_names_what_there_is() -> None:
    assert "from certifier.catalogue.cluster import verify_dataset" in ON_A_CLUSTER
    compile(ON_A_CLUSTER, "example", "exec")


def test_every_result_has_its_word_in_the_text() -> None:
    for result in ROW_RESULTS:
        assert f"`{result}`" in TEXT
