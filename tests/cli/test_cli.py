"""The command line: what it says, and the exit code that a script can rely on."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from certifier.certificate.status import status_file_name
from certifier.certificate.trust import trust_document
from certifier.cli.main import main
from certifier.crypto.canonical import to_json_text
from certifier.crypto.strict_json import parse_object
from certifier.service.certifier import Issued
from certifier.service.home import register_key
from certifier.storage.files import load_signing_key
from tests.studio import CAPABILITY, NOW, Studio, write_track

ROOT = Path(__file__).parent.parent.parent
STANDARD = ROOT / "standards" / "lcal" / "1.0.0"


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def first_delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate, its proof, its status lists and the track, as a service delivers them now. Only for copying."""
    studio = Studio(tmp_path_factory.mktemp("world"))
    certifier, now = studio.certifier(), datetime.now(UTC)
    answer = certifier.submit(studio.upload(studio.signed(studio.report())), now)
    assert isinstance(answer, Issued)
    folder = tmp_path_factory.mktemp("delivered")
    material = certifier.published.material(answer.certificate, now)
    (folder / "certificate.json").write_bytes(answer.certificate.document or b"")
    (folder / "certificate.tlog-proof").write_bytes(answer.certificate.proof or b"")
    (folder / "trust.json").write_text(to_json_text(trust_document(certifier.published.trust_at(NOW))))
    for url, raw in material.status_lists.items():
        (folder / status_file_name(url)).write_bytes(raw)
    shutil.copyfile(studio.track, folder / "track.wav")
    certifier.close()
    return folder


@pytest.fixture
def delivered(first_delivered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own with what was delivered."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return Path(shutil.copytree(first_delivered, tmp_path / "delivered"))


def verify(folder: Path, *options: Any, certificate: str = "certificate.json", trust: bool = True) -> Result:
    trusted = ("--trust", folder / "trust.json") if trust else ()
    return run("verify", folder / certificate, *trusted, *options)


def test_a_delivered_certificate_is_valid_offline(delivered: Path) -> None:
    result = verify(delivered, "--audio", delivered / "track.wav")
    assert result.exit_code == 0
    assert result.stdout.startswith("VALID  Night Ferry (example) – Example Artist")
    assert "sha256_match" in result.stdout


def change_byte(folder: Path) -> tuple[Any, ...]:
    file = folder / "certificate.json"
    file.write_text(file.read_text().replace("class 2", "class 1", 1))
    return ()


def other_audio(folder: Path) -> tuple[Any, ...]:
    return ("--audio", write_track(folder / "other.wav", pitch=440))


def wrong_proof(folder: Path) -> tuple[Any, ...]:
    file = folder / "certificate.tlog-proof"
    file.write_text(file.read_text().replace("index 0", "index 1"))
    return ()


def no_proof(folder: Path) -> tuple[Any, ...]:
    (folder / "certificate.tlog-proof").unlink()
    return ()


def no_lists(folder: Path) -> tuple[Any, ...]:
    (folder / "status-revocation.json").unlink()
    return ()


def own_trust_only(folder: Path) -> tuple[Any, ...]:
    """Another installation's keys."""
    trust = parse_object((folder / "trust.json").read_bytes())
    trust["keys"] = []
    (folder / "trust.json").write_text(json.dumps(trust))
    return ()


def unreadable_audio(folder: Path) -> tuple[Any, ...]:
    (folder / "noise.wav").write_text("no music")
    return ("--audio", folder / "noise.wav")


VERDICTS = {
    "an audio file that cannot be read": (unreadable_audio, 6, "CANNOT TELL"),
    "one changed byte": (change_byte, 3, "NOT VALID"),
    "another audio file": (other_audio, 3, "NOT VALID"),
    "a wrong proof": (wrong_proof, 3, "NOT VALID"),
    "copied away from its proof": (no_proof, 6, "CANNOT TELL"),
    "copied away from its status lists": (no_lists, 6, "CANNOT TELL"),
    "trust in nobody": (own_trust_only, 6, "CANNOT TELL"),
}


@pytest.mark.parametrize(("act", "code", "words"), VERDICTS.values(), ids=VERDICTS.keys())
def test_the_exit_code_tells_not_valid_from_cannot_tell(delivered: Path, act: Any, code: int, words: str) -> None:
    result = verify(delivered, *act(delivered))
    assert (result.exit_code, result.stdout.splitlines()[0].startswith(words)) == (code, True), result.output


def test_without_trust_or_pinned_keys_nothing_is_valid_whatever_lies_beside_it(delivered: Path) -> None:
    result = verify(delivered, trust=False)
    assert result.exit_code == 6
    assert "certifier init --pin URL" in result.stdout


@pytest.mark.parametrize("text", ["hello", "{}", '{"form": "lcal-trust/1", "keys": [5]}'])
def test_a_broken_trust_file_says_nothing_of_the_certificate(delivered: Path, text: str) -> None:
    (delivered / "trust.json").write_text(text)
    result = verify(delivered)
    assert (result.exit_code, result.stdout) == (2, "")


BENT = {
    "a status list that is no address": ("https://label.example/status/revocation/1", "abc"),
    "a status list with an endless address": (
        "https://label.example/status/revocation/1",
        "https://label.example/status/revocation/" + "1" * 5000,
    ),
    "a digest that is no digest": ("sha256-", "md5-"),
}


@pytest.mark.parametrize(("old", "new"), BENT.values(), ids=BENT.keys())
def test_a_bent_certificate_ends_in_a_verdict_not_in_a_traceback(delivered: Path, old: str, new: str) -> None:
    file = delivered / "certificate.json"
    file.write_text(file.read_text().replace(old, new))
    assert verify(delivered).exit_code == 3


def test_pinned_keys_are_trusted(delivered: Path, tmp_path: Path) -> None:
    pinned = tmp_path / "config" / "certifier"
    pinned.mkdir(parents=True)
    shutil.copyfile(delivered / "trust.json", pinned / "trust.json")
    assert verify(delivered, trust=False).exit_code == 0


def test_json_says_the_same_with_the_same_exit_code(delivered: Path) -> None:
    good = verify(delivered, "--json")
    change_byte(delivered)
    bad = verify(delivered, "--json")
    assert (good.exit_code, json.loads(good.stdout)["verdict"]) == (0, "valid")
    assert (bad.exit_code, json.loads(bad.stdout)["verdict"], json.loads(bad.stdout)["certificate"]) == (
        3,
        "not_valid",
        None,
    )


NOT_THERE = {
    "neither a file nor a code": (("verify", "nothing-here"), 2),
    "a folder": (("verify", ROOT), 2),
    "a code without a service": (("verify", "0000000000"), 2),
    "a server's address without its scheme": (("verify", "0000000000", "--server", "label.example"), 2),
    "a code at a service that does not answer": (("verify", "0000000000", "--server", "http://127.0.0.1:9"), 5),
    "a file that is no certificate": (("verify", ROOT / "README.md"), 3),
    "an unknown option": (("verify", "--no-such-option"), 2),
    "an unknown command": (("certify",), 2),
    "a home that is none": (("revoke", "0000000000", "--home", "no-such-home", "--reason", "evidence"), 1),
    "a standard that is none": (("standard", "test", ROOT / "docs"), 3),
}


@pytest.mark.parametrize(("arguments", "code"), NOT_THERE.values(), ids=NOT_THERE.keys())
def test_a_failure_says_what_to_do_and_has_its_code(arguments: tuple[Any, ...], code: int) -> None:
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) >= 2


def test_the_standard_passes_its_own_cases() -> None:
    result = run("standard", "test", STANDARD)
    assert (result.exit_code, "come out as written" in result.stdout) == (0, True), result.output


def test_one_file_of_cases_may_be_like_the_cases_of_the_others() -> None:
    result = run("standard", "test", STANDARD, "--cases", STANDARD / "cases" / "bogus.json", "--json")
    assert result.exit_code == 0, result.output
    assert {case["id"][0] for case in json.loads(result.stdout)["results"]} == {"B"}


def test_a_case_that_comes_out_otherwise_fails_by_name(tmp_path: Path) -> None:
    cases = json.loads((STANDARD / "cases" / "cases.json").read_text())
    cases["cases"] = cases["cases"][:1]
    cases["cases"][0]["expected"]["assessed_gco2e_per_min"] = "1.61"
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    result = run("standard", "test", STANDARD, "--cases", tmp_path / "cases.json")
    assert result.exit_code == 3
    assert "1.61" in result.stdout
    as_json = run("standard", "test", STANDARD, "--cases", tmp_path / "cases.json", "--json")
    assert (as_json.exit_code, json.loads(as_json.stdout)["failed"]) == (3, 1)


def test_a_report_is_made_signed_and_checked_by_command(tmp_path: Path) -> None:
    """new → sign → check, with a session file as the studio writes it."""
    studio = Studio(tmp_path)
    studio.certifier()
    session = {**studio.report(), "track": {**studio.report()["track"], "file": "track.wav"}}
    (tmp_path / "session.json").write_text(json.dumps(session))
    (tmp_path / "emissions.csv").write_bytes(studio.log)
    keys = [tmp_path / "keys" / f"{name}.pem" for name in ("me", "party")]
    for key in keys:
        made = run("keys", "new", key)
        assert made.exit_code == 0
        assert made.stdout.strip() == run("keys", "show", key).stdout.strip()
    party = load_signing_key(keys[1]).public
    long_ago = datetime.now(UTC) - timedelta(days=1)
    register_key(
        studio.settings, "another-party", "measuring_party", "Another Party (example)", party, long_ago, CAPABILITY
    )
    report, envelope, log = tmp_path / "report.json", tmp_path / "report.dsse.json", tmp_path / "emissions.csv"
    new = run(
        "report",
        "new",
        tmp_path / "session.json",
        "--audio",
        studio.track,
        "--key",
        keys[0],
        "--log",
        log,
        "-o",
        report,
    )
    assert new.exit_code == 0, new.output
    signed = run("report", "sign", report, "--audio", studio.track, "--key", keys[0])  # beside the report
    assert signed.exit_code == 0, signed.output
    alone = run(
        "report", "check", envelope, "--audio", studio.track, "--log", log, "--register", studio.settings.register_dir
    )
    assert alone.stdout.startswith("disclosed"), alone.output
    unknown = run("report", "check", envelope, "--audio", studio.track, "--log", log)
    assert "Without --register no measuring party" in unknown.stderr
    assert "What would reach measured\n  Have a registered measuring party sign the same report" in alone.stdout
    assert run("report", "sign", envelope, "--key", keys[1]).exit_code == 0
    both = run(
        "report",
        "check",
        envelope,
        "--audio",
        studio.track,
        "--log",
        log,
        "--register",
        studio.settings.register_dir,
        "--json",
    )
    assert (both.exit_code, json.loads(both.stdout)["outcome"]) == (0, "class-2"), both.output
    levers = json.loads(both.stdout)["levers"]
    assert levers["next"] == "class-1"
    assert next((lever["kind"], lever["reaches"]) for lever in levers["levers"]) == ("verifier", False)
    assert [step["kind"] for step in levers["path"]["steps"]] == ["verifier", "disclosed_training"]


def test_an_operator_revokes_by_command(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    answer = studio.certifier().submit(studio.upload(studio.signed(studio.report())), datetime.now(UTC))
    assert isinstance(answer, Issued)
    result = run("revoke", answer.certificate.code, "--home", studio.settings.home, "--reason", "evidence")
    assert (result.exit_code, "is revoked since log size 2" in result.stdout) == (0, True), result.output
    again = run("revoke", answer.certificate.code, "--home", studio.settings.home, "--reason", "evidence")
    assert (again.exit_code, "It is revoked already." in again.stderr) == (3, True)
    assert "revoked since 20" in again.stderr


def test_a_home_is_made_once(tmp_path: Path) -> None:
    assert run("init", "--home", tmp_path / "home").exit_code == 0
    second = run("init", "--home", tmp_path / "home")
    assert (second.exit_code, "already" in second.stderr) == (1, True)


def test_a_command_is_measured_and_its_session_becomes_a_report(tmp_path: Path) -> None:
    """CodeCarbon really measures a command of a second; what it wrote down passes the report model."""
    busy = "import time; end = time.time() + 1; sum(1 for _ in iter(lambda: time.time() < end, False))"
    said = ("--model", "my-model:1", "--takes", "2", "--minutes", "1", "--device", "cpu-desktop", "--cpu-power-w", "65")
    measured = run("measure", "--out", tmp_path / "measured", *said, "--", sys.executable, "-c", busy)
    assert measured.exit_code == 0, measured.output
    session = json.loads((tmp_path / "measured" / "session.json").read_text())
    takes = next(activity for activity in session["activities"] if activity["id"] == "takes")
    assert float(takes["energy_kwh"]) > 0
    assert float(takes["duration_s"]) >= 1
    key, track, log = (
        tmp_path / "keys" / "me.pem",
        write_track(tmp_path / "track.wav"),
        tmp_path / "measured" / "emissions.csv",
    )
    assert run("keys", "new", key).exit_code == 0
    arguments = ("--audio", track, "--key", key, "--log", log, "-o", tmp_path / "report.json")
    unsaid = run("report", "new", tmp_path / "measured" / "session.json", *arguments)
    assert (unsaid.exit_code, "--title" in unsaid.stderr) == (3, True)
    said_too = ("--title", "Night Ferry (example)", "--artist", "Example Artist")
    assert run("report", "new", tmp_path / "measured" / "session.json", *arguments, *said_too).exit_code == 0


def test_a_measured_command_that_fails_says_so_and_keeps_its_log(tmp_path: Path) -> None:
    said = ("--model", "my-model:1", "--takes", "1", "--minutes", "1", "--device", "cpu-desktop", "--cpu-power-w", "65")
    measured = run("measure", "--out", tmp_path / "measured", *said, "--", sys.executable, "-c", "raise SystemExit(7)")
    assert (measured.exit_code, "exit code 7" in measured.stderr) == (1, True)
    assert "Next:" not in measured.stderr  # nobody is led on with a log of nothing
    assert (tmp_path / "measured" / "emissions.csv").is_file()


@pytest.mark.parametrize("watts", ["many", "0", "nan", "-5"])
def test_a_power_that_is_none_is_wrong_usage(tmp_path: Path, watts: str) -> None:
    said = ("--model", "m", "--takes", "1", "--minutes", "1", "--device", "cpu-desktop", f"--cpu-power-w={watts}")
    result = run("measure", "--out", tmp_path / "measured", *said, "--", "true")
    assert (result.exit_code, "--cpu-power-w" in result.stderr) == (2, True), result.output


def test_the_address_of_a_home_is_fixed_when_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LCAL_BASE_URL", "https://one.example")
    assert run("init", "--home", tmp_path / "home").exit_code == 0
    monkeypatch.setenv("LCAL_BASE_URL", "https://two.example")
    result = run("revoke", "0000000000", "--home", tmp_path / "home", "--reason", "evidence")
    assert (result.exit_code, "https://one.example" in result.stderr) == (1, True)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    assert run("init", "--home", tmp_path / "home").exit_code == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("serve", "--home", tmp_path / "home", "--port", taken.getsockname()[1])
    assert (result.exit_code, "Choose another --port" in result.stderr) == (1, True)


def test_signed_text_is_shown_as_it_was_signed(tmp_path: Path) -> None:
    """No emoji is made of a title or of a did:key."""
    studio = Studio(tmp_path)
    (tmp_path / "report.json").write_text(json.dumps(studio.report(title="A :smile: [bold]title[/] (example)")))
    key = tmp_path / "keys" / "me.pem"
    run("keys", "new", key)
    signed = run(
        "report", "sign", tmp_path / "report.json", "--audio", studio.track, "--key", key, "-o", tmp_path / "x.json"
    )
    assert f"signed by {load_signing_key(key).public.did_key}" in signed.stderr


def test_a_log_that_the_report_names_is_not_left_at_home(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    (tmp_path / "report.dsse.json").write_bytes(studio.signed(studio.report()))
    result = run("submit", tmp_path / "report.dsse.json", "--audio", studio.track, "--server", "http://127.0.0.1:9")
    assert (result.exit_code, "--log FILE" in result.stderr) == (2, True)


def test_a_program_that_is_none_cannot_be_measured(tmp_path: Path) -> None:
    said = ("--model", "m", "--takes", "1", "--minutes", "1", "--device", "cpu-desktop", "--cpu-power-w", "65")
    result = run("measure", "--out", tmp_path / "measured", *said, "--", "no-such-program-anywhere")
    assert (result.exit_code, "cannot be started" in result.stderr) == (1, True)
