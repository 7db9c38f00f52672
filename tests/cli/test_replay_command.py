"""``certifier replay`` as an auditor runs it: from files, a folder or a service, with and without files of his own."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from certifier.certificate.status import status_file_name
from certifier.certificate.trust import trust_document
from certifier.cli.main import main
from certifier.crypto.canonical import canonical_bytes, to_json_text
from certifier.service.certifier import Issued
from certifier.web.app import create_app
from tests.studio import NOW, Studio, emissions_csv, write_track

ROOT = Path(__file__).parents[2]
STANDARD = ROOT / "standards" / "lcal" / "1.0.0"


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public files of a certificate as a service gives them out, the track, the log and the register."""
    folder = tmp_path_factory.mktemp("replay")
    (folder / "world").mkdir()
    studio, now = Studio(folder / "world"), datetime.now(UTC)
    certifier = studio.certifier()
    answer = certifier.submit(studio.upload(studio.signed(studio.report())), now)
    assert isinstance(answer, Issued)
    code, submission = answer.certificate.code, certifier.store.submission(answer.submission.id)
    public = folder / "public"
    public.mkdir()
    (public / f"{code}.vc").write_bytes(answer.certificate.document or b"")
    (public / f"{code}.tlog-proof").write_bytes(answer.certificate.proof or b"")
    (public / f"{code}.report.json").write_bytes(submission.envelope)
    (public / f"{code}.decision.json").write_bytes(submission.decision)
    for url, raw in certifier.published.material(answer.certificate, now).status_lists.items():
        (public / status_file_name(url)).write_bytes(raw)
    (folder / "trust.json").write_text(to_json_text(trust_document(certifier.published.trust_at(NOW))))
    (folder / "emissions.csv").write_bytes(studio.log)
    shutil.copyfile(studio.track, folder / "track.wav")
    shutil.copytree(studio.settings.register_dir, folder / "register")
    return folder


@pytest.fixture
def files(issued: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    shutil.copytree(issued / "public", tmp_path / "public")
    return tmp_path / "public"


def the(folder: Path, suffix: str) -> Path:
    return next(folder.glob(f"*{suffix}"))


def figure(folder: Path) -> str:
    """The assessed figure of the decision record, g CO2e per minute."""
    return str(json.loads(the(folder, ".decision.json").read_bytes())["assessed_g_per_min"])


# --- where the files come from -----------------------------------------------------------------------------------------


def test_a_folder_with_the_three_public_files_is_enough(files: Path) -> None:
    result = run("replay", files)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"FOLLOWS  class-2, at most {figure(files)} g CO2e per minute of finished music")
    assert "the record is exactly what these rules write" in result.stdout
    assert "whether the certificate is signed and in the log: certifier verify" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_the_certificate_finds_its_neighbours_by_code(files: Path) -> None:
    assert run("replay", the(files, ".vc")).exit_code == 0
    the(files, ".vc").rename(files / "mine.json")
    assert run("replay", files / "mine.json").exit_code == 0


def test_files_of_other_names_are_found_as_the_demo_leaves_them(files: Path) -> None:
    for suffix, name in (
        (".vc", "certificate.json"),
        (".report.json", "report.dsse.json"),
        (".decision.json", "decision.json"),
    ):
        the(files, suffix).rename(files / name)
    assert run("replay", files).exit_code == 0
    assert run("replay", files / "certificate.json").exit_code == 0


def test_files_may_lie_anywhere_when_they_are_named(files: Path, tmp_path: Path) -> None:
    report, decision = tmp_path / "r", tmp_path / "d"
    the(files, ".report.json").rename(report)
    the(files, ".decision.json").rename(decision)
    result = run("replay", the(files, ".vc"), "--report", report, "--decision", decision, "--standard", STANDARD)
    assert result.exit_code == 0


@pytest.fixture
def server(files: Path) -> Iterator[str]:
    """The public files at the addresses of a service."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file = files / Path(self.path).name
            found = self.path.startswith(("/v/", "/status/")) and file.is_file()
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(file.read_bytes() if found else b"{}")

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_a_code_is_replayed_from_what_a_service_gives_out(files: Path, server: str) -> None:
    code = the(files, ".vc").stem
    assert run("replay", code, "--server", server).exit_code == 0
    assert run("replay", f"{code[:4]}-{code[4:8]}-{code[8:]}", "--server", server).exit_code == 0


def test_a_service_that_gives_out_another_certificate_is_told_so(files: Path, server: str) -> None:
    the(files, ".vc").rename(files / "0000000000.vc")
    for suffix in (".report.json", ".decision.json"):
        shutil.copyfile(the(files, suffix), files / f"0000000000{suffix}")
    result = run("replay", "0000000000", "--server", server)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "another certificate" in result.stderr


def test_what_is_missing_beside_a_certificate_comes_from_the_service(files: Path, server: str, tmp_path: Path) -> None:
    shutil.copyfile(the(files, ".vc"), tmp_path / "mine.json")
    assert run("replay", tmp_path / "mine.json", "--server", server).exit_code == 0


def test_a_service_that_does_not_answer_is_no_verdict(files: Path) -> None:
    assert run("replay", the(files, ".vc").stem, "--server", "http://127.0.0.1:1").exit_code == 5


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A real service that judges by other files than lie here; its address, and the code of a certificate."""
    shutil.copytree(STANDARD, tmp_path / "standards" / "lcal" / "1.0.0")
    (tmp_path / "standards" / "lcal" / "1.0.0" / "README.md").write_text("Another text.\n")
    studio = Studio(tmp_path)
    certifier = studio.certifier(standards_dir=tmp_path / "standards")
    answer = certifier.certify(studio.examined(1), NOW)
    assert isinstance(answer, Issued)
    server = make_server("127.0.0.1", 0, create_app(certifier, lambda: NOW), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answer.certificate.code
    server.shutdown()
    thread.join()
    server.server_close()
    certifier.close()


def test_a_standard_that_is_not_here_comes_from_the_service_by_its_digest(elsewhere: tuple[str, str]) -> None:
    address, code = elsewhere
    result = run("replay", code, "--server", address)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("FOLLOWS")
    other = run("replay", code, "--server", address, "--standard", STANDARD)
    assert (other.exit_code, "--server URL" in other.stdout) == (6, True)


def test_the_transcript_in_the_docs_names_what_the_command_prints(files: Path) -> None:
    """Figures and digests change with the standard; the rows of the list do not."""
    printed = run("replay", files).stdout.splitlines()
    block = (ROOT / "docs" / "replay.md").read_text().split("```console")[1].split("```")[0]
    rows = [line for line in block.splitlines() if line.startswith(("  ok ", "  word "))]
    assert len(rows) > 15
    assert {row[:44].rstrip(" …") for row in rows} <= {line[:44].rstrip(" …") for line in printed}


# --- the three answers -------------------------------------------------------------------------------------------------


def bend(file: Path, **changes: Any) -> None:
    file.write_bytes(canonical_bytes(json.loads(file.read_bytes()) | changes))


def test_a_bent_record_does_not_follow_and_says_where(files: Path) -> None:
    right = figure(files)
    bend(the(files, ".decision.json"), assessed_g_per_min="1.00")
    result = run("replay", files)
    assert result.exit_code == 3
    assert result.stdout.startswith("DOES NOT FOLLOW")
    assert "/assessed_g_per_min 1.00" in result.stdout
    assert f"/assessed_g_per_min {right}" in result.stdout


def test_a_bent_certificate_names_the_member_with_both_values(files: Path) -> None:
    file, right = the(files, ".vc"), figure(files)
    file.write_text(file.read_text().replace(f'"{right}"', '"3.14"'))
    result = run("replay", files, "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["answer"]) == (3, "does_not_follow")
    assert document["differing"] == ["figures.assessed_g_per_min"]
    check = next(check for check in document["checks"] if check["name"] == "figures.assessed_g_per_min")
    assert (check["says"], check["found"]) == ("3.14", right)


def test_with_other_rules_nobody_can_tell_and_it_says_which_are_asked_for(files: Path, tmp_path: Path) -> None:
    shutil.copytree(STANDARD, tmp_path / "standard")
    with (tmp_path / "standard" / "README.md").open("a") as readme:
        readme.write("\nA later word.\n")
    result = run("replay", files, "--standard", tmp_path / "standard")
    assert result.exit_code == 6
    assert result.stdout.startswith("CANNOT TELL")
    assert "certificate says" in result.stdout
    assert "--standard DIR" in result.stdout


# --- files of the reader's own -----------------------------------------------------------------------------------------


def standings(result: Result) -> dict[str, str]:
    return {fact["name"].partition("…")[0]: fact["standing"] for fact in json.loads(result.stdout)["facts"]}


def test_audio_log_and_register_turn_the_issuers_word_into_checks(files: Path, issued: Path) -> None:
    own = ("--audio", issued / "track.wav", "--log", issued / "emissions.csv", "--register", issued / "register")
    result = run("replay", files, *own, "--json")
    assert result.exit_code == 0, result.output
    checked = {
        name.rpartition(" ")[0] if "log" in name else name
        for name, how in standings(result).items()
        if how == "checked here"
    }
    assert checked == {
        "length of the audio",
        "silence in the audio",
        "form of the audio",
        "deposited log",
        "register: example-party",
        "name of the assessor",
        "tool codecarbon 3.3.2",
    }
    assert "Said by the issuer, and looked up here" in run("replay", files, *own).stdout


def test_a_register_that_does_not_know_the_party_contradicts_the_record(
    files: Path, issued: Path, tmp_path: Path
) -> None:
    shutil.copytree(issued / "register", tmp_path / "register")
    next(file for file in (tmp_path / "register").rglob("*.toml") if "example-party" in file.read_text()).unlink()
    result = run("replay", files, "--register", tmp_path / "register")
    assert result.exit_code == 3
    assert "measuring party, key not registered" in result.stdout


def test_another_file_or_log_than_the_certified_one_is_wrong_usage(files: Path, issued: Path, tmp_path: Path) -> None:
    other, log = write_track(tmp_path / "other.wav", pitch=330), tmp_path / "other.csv"
    log.write_bytes(emissions_csv("run-9"))
    assert run("replay", files, "--audio", other).exit_code == 2
    assert run("replay", files, "--log", log).exit_code == 2
    assert run("replay", files, "--audio", log).exit_code == 2
    assert run("replay", files, "--log", issued / "emissions.csv", "--log", log).exit_code == 2


def test_with_trust_the_certificate_is_verified_as_well(files: Path, issued: Path) -> None:
    result = run("replay", files, "--trust", issued / "trust.json")
    assert result.exit_code == 0
    assert "certifier verify: VALID" in result.stdout


def test_a_certificate_that_follows_and_is_not_valid_does_not_end_well(files: Path, issued: Path) -> None:
    """Its proof is gone, then its signature is another's: the answer stays, the exit code is the worse of the two."""
    the(files, ".tlog-proof").unlink()
    assert run("replay", files, "--trust", issued / "trust.json").exit_code == 6
    file = the(files, ".vc")
    document = json.loads(file.read_text())
    document["proof"]["proofValue"] = "z" + "2" * 87
    file.write_text(json.dumps(document))
    result = run("replay", files, "--trust", issued / "trust.json")
    assert (result.exit_code, result.stdout.split()[0]) == (3, "FOLLOWS")
    assert "NOT VALID" in result.stdout


# --- wrong usage and bad files -----------------------------------------------------------------------------------------

USAGE: dict[str, Any] = {
    "no such file": lambda files: ("nothing-here",),
    "a code and no server": lambda files: (the(files, ".vc").stem,),
    "an empty folder": lambda files: (files.parent,),
    "no report": lambda files: (the(files, ".report.json").unlink(), files)[1:],
    "no decision record": lambda files: (the(files, ".decision.json").unlink(), files)[1:],
    "a folder that is no standard": lambda files: (files, "--standard", files),
    "a trust file that is none": lambda files: (files, "--trust", the(files, ".vc")),
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE.keys())
def test_wrong_usage_is_told_apart_from_a_verdict(files: Path, arguments: Any) -> None:
    result = run("replay", *arguments(files))
    assert result.exit_code == 2, result.output
    assert "error" in result.stderr.lower()


@pytest.mark.parametrize("suffix", [".vc", ".report.json", ".decision.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a":1,"a":2}', b"\xff\xfe", b'{"proof":{},"form":1}'])
def test_a_file_that_cannot_be_read_ends_in_one_error_that_names_it(files: Path, suffix: str, content: bytes) -> None:
    file = the(files, suffix)
    file.write_bytes(content)
    result = run("replay", the(files, ".vc"))
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.count("error") == 1
    assert file.name in result.stderr.replace("\n", "")
