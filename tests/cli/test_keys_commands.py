"""``certifier keys`` as an operator uses it, from the first day to a theft; and never a secret on any screen."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from certifier.certificate.trust import LastGood, parse_trust
from certifier.certificate.verification import Material
from certifier.certificate.verify import check_certificate
from certifier.cli.main import main
from certifier.cli.monitor import entry_line
from certifier.crypto.signing import SigningKey
from certifier.crypto.strict_json import parse_object
from certifier.service.certifier import Certifier, Issued
from certifier.service.home import open_certifier
from certifier.storage.files import load_signing_key
from certifier.web.app import create_app
from tests.studio import NOW, Studio

LATER = NOW + timedelta(days=1)
DID = "did:web:label.example"


def run(*arguments: Any, now: datetime = NOW, **environment: str) -> Result:
    """A command at a time of ours."""
    runner = CliRunner(env=environment)
    return runner.invoke(main, [str(argument) for argument in arguments], obj=lambda: now, catch_exceptions=False)


def told(*arguments: Any, now: datetime = NOW, **environment: str) -> Any:
    """What a command says with --json; it must end well."""
    result = run("keys", *arguments, "--json", now=now, **environment)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


class Place:
    """An installation with a service at work, whose keys an operator changes by commands."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.service: Certifier = studio.certifier()
        self.home = studio.settings.home

    def issue(self, number: int, now: datetime = NOW) -> Issued:
        self.service.keys.look()  # as it does each second
        answer = self.service.certify(self.studio.examined(number), now)
        assert isinstance(answer, Issued)
        return answer

    def trust(self) -> bytes:
        """The trust file that the service hands out now."""
        self.service.keys.look()
        return create_app(self.service, lambda: LATER).test_client().get("/trust.json").data

    def verdict(self, answer: Issued, trust: bytes) -> str:
        """Offline: the certificate as it was handed out, its proof, the status lists, and a trust file."""
        row = self.service.certificate(answer.certificate.code)
        lists = self.service.published.material(row, LATER).status_lists
        return check_certificate(row.document or b"", Material(parse_trust(trust), row.proof, lists), LATER).verdict


@pytest.fixture
def place(tmp_path: Path) -> Any:
    place = Place(Studio(tmp_path))
    yield place
    place.service.close()


def method_of(answer: Issued) -> str:
    return str(parse_object(answer.certificate.document or b"")["proof"]["verificationMethod"]).rpartition("#")[2]


# -- an applicant's own key -------------------------------------------------------------------------------------


def test_an_applicants_key_is_a_file_and_a_name(tmp_path: Path) -> None:
    made = run("keys", "new", tmp_path / "own" / "me.pem")
    assert (made.exit_code, made.stdout.strip()) == (0, load_signing_key(tmp_path / "own" / "me.pem").public.did_key)
    assert run("keys", "show", tmp_path / "own" / "me.pem").stdout == made.stdout
    again = run("keys", "new", tmp_path / "own" / "me.pem")
    assert (again.exit_code, "never overwritten" in again.stderr) == (1, True)


def test_an_applicants_key_may_be_encrypted(tmp_path: Path) -> None:
    key, secret = tmp_path / "own" / "me.pem", tmp_path / "secret" / "passphrase"
    made = told("new", key, "--passphrase-file", secret)
    assert made == {"key": made["key"], "file": str(key), "encrypted": True}
    assert b"ENCRYPTED" in key.read_bytes()
    shown = run("keys", "show", key)
    assert (shown.exit_code, "LCAL_KEY_PASSPHRASE_FILE" in shown.stderr) == (1, True)
    assert run("keys", "show", key, LCAL_KEY_PASSPHRASE_FILE=str(secret)).stdout.strip() == made["key"]


WRONG_USE = {
    "neither a file nor a role": ("new",),
    "both a file and a role": ("new", "me.pem", "--role", "issuer"),
    "a day for a key of one's own": ("new", "me.pem", "--from", "2027-01-01"),
    "a role that an installation does not have": ("new", "--role", "verifier"),
    "no role to rotate": ("rotate",),
    "no place of a theft": ("compromise", "key-2026"),
    "two places of a theft": ("compromise", "key-2026", "--last-good", "1", "--since", "2026-11-01"),
    "a log for a time": ("compromise", "key-2026", "--log", "label.example/2026", "--since", "2026-11-01"),
    "an index below -1": ("compromise", "key-2026", "--last-good", "-2"),
    "a time that is none": ("compromise", "key-2026", "--since", "yesterday"),
    "a first status key by rotating": ("rotate", "--role", "status", "--home", "HOME"),
    "a passphrase beside its key": (
        "rotate",
        "--role",
        "issuer",
        "--home",
        "HOME",
        "--passphrase-file",
        "HOME/private/p",
    ),
    "a passphrase for a signer elsewhere": (
        *("new", "--role", "issuer", "--home", "HOME"),
        *("--signer", "env:KEY", "--passphrase-file", "p"),
    ),
}


@pytest.mark.parametrize("arguments", WRONG_USE.values(), ids=WRONG_USE.keys())
def test_wrong_usage_is_exit_2_and_changes_nothing(place: Place, arguments: tuple[str, ...]) -> None:
    before = sorted(place.home.rglob("*"))
    result = run("keys", *(argument.replace("HOME", str(place.home)) for argument in arguments))
    assert (result.exit_code, result.stdout) == (2, "")
    assert sorted(place.home.rglob("*")) == before


# -- an installation --------------------------------------------------------------------------------------------


def test_a_year_of_an_installation(place: Place) -> None:
    """Rotate under a running service: certificates of the old key stay valid, new ones are the new key's; then retire."""
    first = place.issue(1)
    rotated = told("rotate", "--role", "issuer", "--home", place.home)
    assert (rotated["id"], rotated["forerunners"], rotated["log_index"]) == ("key-2026-2", ["key-2026"], 1)
    second = place.issue(2)
    told("retire", "key-2026", "--home", place.home)
    third = place.issue(3)
    assert [method_of(answer) for answer in (first, second, third)] == ["key-2026", "key-2026-2", "key-2026-2"]
    trust = place.trust()
    assert [place.verdict(answer, trust) for answer in (first, second, third)] == ["valid"] * 3
    listed = {key["id"]: key for key in told("list", "--home", place.home)["keys"]}
    assert {
        name: (
            listed[name]["role"],
            listed[name]["state"],
            listed[name]["private"],
            listed[name]["certificates_in_force"],
        )
        for name in ("key-2026", "key-2026-2", "label.example/2026", "example-party")
    } == {
        "key-2026": ("issuer", "retired", "issuer.pem", 1),
        "key-2026-2": ("issuer", "in_force", "issuer-key-2026-2.pem", 2),
        "label.example/2026": ("log", "in_force", "log.pem", None),
        "example-party": ("measuring_party", "in_force", None, None),
    }


def test_the_table_shows_what_json_says(place: Place) -> None:
    run("keys", "rotate", "--role", "issuer", "--home", place.home)
    told_keys = told("list", "--home", place.home)["keys"]
    lines = run("keys", "list", "--home", place.home).stdout.splitlines()
    assert lines[0].split() == [
        "id", "role", "state", "from", "until", "fingerprint", "private", "half", "certificates",
    ]  # fmt: skip
    for line, key in zip(lines[1:], told_keys, strict=True):
        assert line.startswith(f"{key['id']} ")
        assert {key["role"], key["fingerprint"], key["from"][:10], key["until"][:10]} <= set(line.split())


def test_the_only_key_is_not_retired_and_says_what_to_do(place: Place) -> None:
    result = run("keys", "retire", "key-2026", "--home", place.home)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "certifier keys rotate --role issuer" in result.stderr


def test_after_a_theft_a_new_trust_file_says_what_is_good(place: Place) -> None:
    before, after = place.issue(1), place.issue(2)
    old_trust = place.trust()
    theft = told("compromise", "key-2026", "--last-good", "0", "--yes", "--home", place.home)
    assert theft["last_good"] == {"origin": "label.example/2026", "index": 0}
    assert (theft["good"], theft["can_issue"]) == (1, False)
    assert theft["not_good"] == [
        {"code": after.certificate.code, "log": "label.example/2026", "log_index": 1, "revoked": False}
    ]
    assert told("rotate", "--role", "issuer", "--home", place.home)["forerunners"] == []
    new_trust = place.trust()
    assert [parse_trust(trust).keys[0].last_good for trust in (old_trust, new_trust)] == [
        None,
        LastGood("label.example/2026", 0),
    ]
    assert [place.verdict(answer, new_trust) for answer in (before, after)] == ["valid", "not_valid"]
    # An old trust file knows nothing of the theft, nor of the key that signs the status lists now.
    assert place.verdict(after, old_trust) == "cannot_tell"
    assert method_of(place.issue(3)) == "key-2026-2"


def test_a_theft_is_told_with_what_to_do_next(place: Place) -> None:
    place.issue(1)
    forged = place.issue(2).certificate.code
    result = run("keys", "compromise", "key-2026", "--last-good", "0", "--yes", "--home", place.home)
    assert result.exit_code == 0, result.output
    assert f"{forged[:4]}-{forged[4:8]}-{forged[8:]}  index 1 of label.example/2026" in result.stdout
    for step in (
        "certifier keys rotate --role issuer",
        "certifier revoke CODE",
        "certifier contact CODE",
        "issuer.pem",
    ):
        assert step in result.stdout
    told("rotate", "--role", "issuer", "--home", place.home)
    place.service.keys.look()
    done = run("revoke", forged, "--reason", "misuse", "--home", place.home)
    assert done.exit_code == 0, done.output


def test_a_theft_is_asked_for_before_the_log_has_it(place: Place) -> None:
    result = CliRunner().invoke(
        main, ["keys", "compromise", "key-2026", "--last-good", "-1", "--home", str(place.home)], input="n\n"
    )
    assert result.exit_code == 1
    assert told("list", "--home", place.home)["keys"][0]["state"] == "in_force"


def test_the_whole_log_of_keys_is_shown_to_monitors_in_plain_words(place: Place) -> None:
    key = told("rotate", "--role", "issuer", "--home", place.home)["key"].removeprefix("did:key:")
    told("retire", "key-2026", "--home", place.home)
    told("compromise", "key-2026", "--since", "2026-11-01T11:00:00", "--yes", "--home", place.home)
    service = open_certifier(place.studio.settings)
    lines = [entry_line(raw) for raw in service.logbook.entries_between(0, service.logbook.head.size)]
    service.close()
    assert [re.sub(" {2,}", "  ", line) for line in lines] == [
        f"2026-11-01T12:00:00Z  key-add  key-2026-2, a new key: {key}",
        "2026-11-01T12:00:00Z  key-retire  key-2026, signs nothing new",
        "2026-11-01T12:00:00Z  key-compromise  key-2026, STOLEN: nothing under it is good",
    ]


# -- secrets ----------------------------------------------------------------------------------------------------


def secrets_of(folder: Path, passphrase: bytes) -> list[str]:
    """The secrets below a folder in every spelling that could slip out."""
    found = [passphrase.decode()]
    for path in folder.rglob("*.pem"):
        private = load_pem_private_key(path.read_bytes(), passphrase)
        seed = private.private_bytes_raw()  # type: ignore[union-attr]
        body = "".join(path.read_text().splitlines()[1:-1])
        found += [seed.hex(), base64.b64encode(seed).decode().rstrip("="), body[:40], repr(seed)[2:-1]]
    return found


def test_no_command_and_no_file_of_the_register_tells_a_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home, secret = tmp_path / "home", tmp_path / "secret" / "passphrase"
    outside = SigningKey.generate()
    known = {"LCAL_KEY_PASSPHRASE_FILE": str(secret), "OUTSIDE": outside.to_pem(None).decode()}
    wrong = tmp_path / "secret" / "wrong"
    commands = (
        (("init", "--home", home, "--passphrase-file", secret), {}),
        (("keys", "list", "--home", home), {}),
        (("keys", "list", "--home", home), known),
        (("keys", "list", "--home", home, "--json"), {"LCAL_KEY_PASSPHRASE": "wrong"}),
        (("keys", "rotate", "--role", "issuer", "--home", home), {}),
        (("keys", "rotate", "--role", "issuer", "--home", home), known),
        (("keys", "rotate", "--role", "issuer", "--home", home, "--passphrase-file", wrong), {}),
        (("keys", "new", "--role", "status", "--home", home), known),
        (("keys", "new", "--role", "log", "--home", home, "--json"), known),
        (("keys", "new", "--role", "issuer", "--signer", "env:OUTSIDE", "--home", home), known),
        (("keys", "new", "--role", "issuer", "--signer", f"env:{secret}", "--home", home), known),
        (("keys", "retire", "key-2026", "--home", home), known),
        (("keys", "compromise", "key-2026", "--last-good", "0", "--yes", "--home", home), known),
        (("log", "turn", "--yes", "--home", home), known),
        (("log", "fsck", "--home", home), known),
    )
    results = [run(*arguments, now=datetime.now().astimezone(), **environment) for arguments, environment in commands]
    assert [result.exit_code for result in results] == [0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]
    printed = "\n".join(result.output for result in results) + caplog.text
    written = "\n".join(
        path.read_text("utf-8", "replace") for path in home.rglob("*") if path.suffix != ".pem" and path.is_file()
    )
    secrets = [*secrets_of(home, secret.read_bytes().strip()), *secrets_of_one(outside)]
    assert len(secrets) > 20
    assert not [text for text in secrets if text in printed or text in written]
    assert {path.stat().st_mode & 0o777 for path in (home / "private").iterdir()} == {0o600}


def secrets_of_one(key: SigningKey) -> list[str]:
    return ["".join(key.to_pem(None).decode().splitlines()[1:-1])[20:60]]


def test_no_home_is_made_in_the_projects_own_tree() -> None:
    home = Path(__file__).resolve().parents[2] / "own-home"
    result = run("init", "--home", home)
    assert (result.exit_code, "project's own tree" in result.stderr) == (1, True)
    assert not home.exists()
