"""The way of a service, a verifier, an operator and an artist, each with their own commands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from certifier.certificate.credential import parse_claims
from certifier.certificate.times import time_text
from certifier.cli.main import main
from certifier.crypto.strict_json import parse_object
from certifier.service.certifier import Issued, Refused
from certifier.service.examine import Upload
from certifier.service.home import open_certifier, register_key
from certifier.settings import Settings
from certifier.storage.files import save_signing_key
from tests.statements import SCOPE, SERVICE, export, plain_export
from tests.studio import APPLICANT, STRANGER, VERIFIER, write_track

KEYS = {"service": SERVICE, "verifier": VERIFIER, "artist": APPLICANT, "stranger": STRANGER}
FIGURES = (
    *("--training-g-per-minute", "0.02", "--includes-data", "--location-based"),
    *("--wh-per-minute", "0.6", "--pue", "1.15", "--place", "US-VA=0.5", "--place", "FRA=0.5"),
    *("--hardware", "NVIDIA H100 SXM5 80GB=3"),
)
PROCESS = ("--dataset-governance", "https://example.org/data", "--auditable-pipeline", "https://example.org/logs")


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def done(*arguments: Any) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result


@dataclass
class World:
    """A folder with keys, a home whose register knows service and verifier, a track, and an export of last week."""

    folder: Path

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    @property
    def register(self) -> Path:
        return self / "home" / "keys"

    def new(self, *options: Any, issued_on: str | None = None) -> Result:
        yesterday = datetime.now(UTC) - timedelta(days=1)
        return run(
            *("statement", "new", "--id", "example-song-5", "--model", "example-song", "--version", "5"),
            *("--maker", "example-service", "--maker-key", SERVICE.public.did_key),
            *("--verifier", "example-verifier", "--verifier-key", VERIFIER.public.did_key, "--no-conflict"),
            *("--issued-on", issued_on or f"{yesterday:%Y-%m-%d}", "--evidence", "https://example.org/statement"),
            *("-o", self / "statement.json", *FIGURES, *options),
        )

    def signed(self, *names: str) -> Path:
        """The statement, signed by one after the other."""
        file = self / "statement.json"
        for name in names:
            done("statement", "sign", file, "--key", self / "keys" / f"{name}.pem")
            file = self / "statement.dsse.json"
        return file

    def registered(self, issued_on: str | None = None) -> None:
        self.new(issued_on=issued_on)
        done("statement", "register", self.signed("service", "verifier"), "--home", self / "home")

    def report(self, *options: Any, takes: int = 5, deposit: str = "export.json") -> Result:
        return run(
            *("report", "service", "--service", "example-song:5", "--export", self / deposit, "--takes", takes),
            *("--title", "Night Ferry (example)", "--artist", "Example Artist", "--audio", self / "track.wav"),
            *("--key", self / "keys" / "artist.pem", "-o", self / "report.json", *options),
        )

    def submitted(self, deposit: str = "export.json") -> Issued | Refused:
        """Sign the report as an artist does, and hand it to the real service."""
        done(
            *("report", "sign", self / "report.json", "--audio", self / "track.wav"),
            *("--key", self / "keys" / "artist.pem", "-o", self / "report.dsse.json"),
        )
        now = datetime.now(UTC)
        certifier = open_certifier(Settings(home=self / "home"), now)
        try:
            upload = Upload(
                (self / "report.dsse.json").read_bytes(),
                self / "track.wav",
                {deposit: (self / deposit).read_bytes()},
            )
            answer = certifier.submit(upload, now)
        finally:
            certifier.close()
        assert isinstance(answer, (Issued, Refused))
        return answer


@pytest.fixture
def world(tmp_path: Path) -> World:
    done("init", "--home", tmp_path / "home")
    long_ago = datetime.now(UTC) - timedelta(days=800)
    settings = Settings(home=tmp_path / "home")
    register_key(settings, "example-service", "service", "Example Service", SERVICE.public, long_ago)
    register_key(settings, "example-verifier", "verifier", "Example Verifier", VERIFIER.public, long_ago, SCOPE + "\n")
    for name, key in KEYS.items():
        save_signing_key(tmp_path / "keys" / f"{name}.pem", key)
    write_track(tmp_path / "track.wav")
    write_export(tmp_path / "export.json")
    return World(tmp_path)


def write_export(file: Path, jobs: int = 5) -> None:
    """An export of last week."""
    week_ago = datetime.now(UTC).replace(microsecond=0) - timedelta(days=7)
    value = export({"exported_at": time_text(week_ago + timedelta(hours=4))})
    value["period"] = {"from": time_text(week_ago), "until": time_text(week_ago + timedelta(hours=3))}
    value["jobs"] = value["jobs"][:jobs]
    for number, job in enumerate(value["jobs"], start=1):
        job["finished_at"] = time_text(week_ago + timedelta(minutes=10 * number))
    file.write_text(json.dumps(value))


# --- the whole way ---


def test_an_artist_with_a_statement_reaches_class_2(world: World) -> None:
    world.registered()
    told = world.report("--statement", "example-song-5", "--register", world.register, *PROCESS).stderr
    assert "The statement example-song-5 is in force" in told
    assert "5 jobs, 2 generated minutes, 5 takes" in told
    answer = world.submitted()
    assert isinstance(answer, Issued)
    assert answer.certificate.outcome == "class-2"


def test_a_signed_export_names_the_service_on_the_certificate(world: World) -> None:
    world.registered()
    done("statement", "sign", world / "export.json", "--key", world / "keys" / "service.pem")
    world.report("--statement", "example-song-5", *PROCESS, deposit="export.dsse.json")
    answer = world.submitted("export.dsse.json")
    assert isinstance(answer, Issued)
    assert parse_claims(parse_object(answer.certificate.payload)).assessor.name == "Example Service"


def test_an_artist_without_a_statement_is_told_what_the_default_means(world: World) -> None:
    write_export(world / "export.json", jobs=3)
    told = world.report("--default", takes=3).stderr
    assert "counts as 0.005 kWh at an unknown place (1306 g/kWh, PUE 1.58)" in told
    assert 'At best the outcome is `measured`, and the face says "calculated with default values".' in told
    answer = world.submitted()
    assert isinstance(answer, Issued)
    assert answer.certificate.outcome == "measured"
    assert parse_claims(parse_object(answer.certificate.payload)).figures.calculated is True


def test_many_takes_by_default_are_refused(world: World) -> None:
    world.report("--default")
    answer = world.submitted()
    assert isinstance(answer, Refused)
    assert answer.verdict.outcome == "none"


def test_a_withdrawn_statement_is_as_none(world: World) -> None:
    world.registered()
    done("statement", "withdraw", "example-song-5", "--home", world / "home", "--reason", "figures too low")
    told = world.report("--statement", "example-song-5", "--register", world.register, *PROCESS).stderr
    assert "is withdrawn" in told
    assert "get no certificate" in told
    answer = world.submitted()
    assert isinstance(answer, Refused)
    assert "ALC-03" in {finding.rule for finding in answer.verdict.failed_must}


def test_an_expired_statement_is_refused_by_the_register_and_by_the_rules(world: World) -> None:
    long_ago = f"{datetime.now(UTC) - timedelta(days=366):%Y-%m-%d}"
    world.new(issued_on=long_ago)
    file = world.signed("service", "verifier")
    assert "not older than 365 days" in run("statement", "register", file, "--home", world / "home").stderr
    world.report("--statement", "example-song-5", *PROCESS)
    answer = world.submitted()
    assert isinstance(answer, Refused)
    assert "ALC-03" in {finding.rule for finding in answer.verdict.failed_must}


# --- the statement ---


def test_a_template_names_what_is_left_to_fill_in(tmp_path: Path) -> None:
    told = done("statement", "new", "--id", "example-song-5", "-o", tmp_path / "s.json").stderr
    assert all(field in told for field in ("/model", "/maker/key", "/verifier/conflict", "/training_g_per_minute"))
    assert run("statement", "sign", tmp_path / "s.json", "--key", tmp_path / "none.pem").exit_code == 2


def test_an_unfinished_statement_is_not_signed(world: World) -> None:
    done("statement", "new", "-o", world / "s.json")
    result = run("statement", "sign", world / "s.json", "--key", world / "keys" / "service.pem")
    assert (result.exit_code, "/model" in result.stderr) == (3, True)


def test_check_says_who_still_has_to_sign_and_what_the_statement_opens(world: World) -> None:
    world.new()
    result = run("statement", "check", world.signed("service"), "--register", world.register)
    assert result.exit_code == 3
    assert result.stdout.startswith("would be refused  example-song-5: example-song 5, counts until ")
    assert "no   signed by the verifier" in result.stdout
    file = world.signed("service", "verifier")
    document = json.loads(done("statement", "check", file, "--register", world.register, "--json").stdout)
    assert (document["accepted"], set(document["rules"].values())) == (True, {True})


def test_check_without_a_register_cannot_know_the_verifier(world: World) -> None:
    world.new()
    result = run("statement", "check", world.signed("service", "verifier"))
    assert (result.exit_code, "give the folder of registered keys" in result.stderr) == (3, True)


REFUSED = {
    "a stranger as the verifier": (("service", "stranger"), (), "signed by the verifier"),
    "a place that is in no table": (
        ("service", "verifier"),
        ("--place", "ATLANTIS=0.1"),
        "each place is in the tables",
    ),
    "kWh for Wh": (("service", "verifier"), ("--wh-per-minute", "0.0006"), "wh_per_minute is plausible"),
}


@pytest.mark.parametrize(("signers", "options", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_register_refuses_with_the_reason(world: World, signers: Any, options: Any, reason: str) -> None:
    world.new(*options)
    result = run("statement", "register", world.signed(*signers), "--home", world / "home")
    assert (result.exit_code, reason in result.stderr) == (3, True), result.output
    assert "No statement is registered" in run("statement", "list", "--home", world / "home").stderr


def test_the_same_id_is_registered_once(world: World) -> None:
    world.registered()
    result = run("statement", "register", world / "statement.dsse.json", "--home", world / "home")
    assert (result.exit_code, "the id is free" in result.stderr) == (3, True)


def test_check_knows_a_statement_that_is_registered_and_one_that_was_withdrawn(world: World) -> None:
    world.registered()
    file = world / "statement.dsse.json"
    document = json.loads(done("statement", "check", file, "--register", world.register, "--json").stdout)
    assert (document["accepted"], document["registered"], set(document["rules"].values())) == (False, True, {True})
    assert done("statement", "check", file, "--register", world.register).stdout.startswith("is registered")
    done("statement", "withdraw", "example-song-5", "--home", world / "home", "--reason", "figures too low")
    result = run("statement", "check", file, "--register", world.register)
    assert (result.exit_code, result.stdout.startswith("would be refused")) == (3, True)


def test_list_shows_each_statement_with_its_state(world: World) -> None:
    world.registered()
    head, row = done("statement", "list", "--home", world / "home").stdout.splitlines()
    assert head.split() == ["ID", "MODEL", "VERSION", "COUNTS", "UNTIL", "SERVICE", "STATE"]
    assert row.startswith("example-song-5  example-song  5")
    assert row.endswith("yes      in force")
    done("statement", "withdraw", "example-song-5", "--home", world / "home", "--reason", "figures too low")
    (found,) = json.loads(done("statement", "list", "--register", world.register, "--json").stdout)["statements"]
    assert (found["state"], found["reason"]) == ("withdrawn", "figures too low")


def test_withdrawing_what_is_not_there_is_refused(world: World) -> None:
    result = run("statement", "withdraw", "example-song-9", "--home", world / "home", "--reason", "x")
    assert (result.exit_code, "holds no such statement" in result.stderr) == (3, True)


# --- the report ---


def test_a_statement_of_training_alone_leaves_the_service_to_the_default(world: World) -> None:
    world.new()
    document = json.loads((world / "statement.json").read_text())
    del document["service"]
    (world / "statement.json").write_text(json.dumps(document))
    done("statement", "register", world.signed("service", "verifier"), "--home", world / "home")
    told = world.report("--statement", "example-song-5", "--register", world.register).stderr
    assert "holds no service figures" in told
    report = json.loads((world / "report.json").read_text())
    assert report["activities"][0]["method"] == "service_default"
    assert report["models"][0]["training"] == {"source": "statement", "statement": "example-song-5"}


USAGE: dict[str, tuple[tuple[Any, ...], int, str]] = {
    "neither statement nor default": ((), 2, "--statement ID, or --default"),
    "both": (("--statement", "x", "--default"), 2, "--statement ID, or --default"),
    "a service without its version": (("--default", "--service", "example-song"), 2, "NAME:VERSION"),
    "another model": (("--default", "--service", "example-song:6"), 3, "jobs of another model"),
    "fewer takes than jobs": (("--default", "--takes", "4"), 3, "more jobs than takes"),
    "other minutes": (("--default", "--minutes", "3"), 3, "other minutes than you counted"),
    "minutes that are no number": (("--default", "--minutes", "many"), 2, "is a number"),
    "minutes beyond all measure": (("--default", "--minutes", "1e999999999"), 2, "at most"),
    "a size that is no number": (("--default", "--parameters-b", "big"), 3, "/models/0/parameters_b"),
}


@pytest.mark.parametrize(("options", "code", "words"), USAGE.values(), ids=USAGE.keys())
def test_a_report_that_cannot_be_right_is_not_written(world: World, options: Any, code: int, words: str) -> None:
    result = world.report(*options)
    assert (result.exit_code, words in result.stderr) == (code, True), result.output
    assert not (world / "report.json").exists()


def test_a_statement_that_the_register_does_not_hold_is_named(world: World) -> None:
    result = world.report("--statement", "example-song-9", "--register", world.register)
    assert (result.exit_code, "holds no such statement" in result.stderr) == (3, True)


def test_runs_of_the_export_become_activities_of_their_own(world: World) -> None:
    value = json.loads((world / "export.json").read_text())
    value["jobs"][4]["run_id"] = "second-night"
    (world / "export.json").write_text(json.dumps(value))
    world.report("--default", "--minutes", "2")
    report = json.loads((world / "report.json").read_text())
    assert [(a["run_id"], a["minutes"], len(a["job_ids"])) for a in report["activities"]] == [
        ("night-ferry", "1.6", 4),
        ("second-night", "0.4", 1),
    ]


def test_a_file_that_is_no_export_is_refused(world: World) -> None:
    (world / "export.json").write_bytes(plain_export()[:-1])
    assert world.report("--default").exit_code == 3
