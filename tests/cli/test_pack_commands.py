"""``certifier pack``: what a platform runs every night, and what an operator hands out."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from certifier.certificate.pack import open_pack
from certifier.certificate.trust import LastGood, Trust, parse_trust, trust_document
from certifier.cli.main import main
from certifier.client.trust import pinned_trust_file
from certifier.crypto.canonical import to_json_text
from certifier.service.certifier import Issued
from certifier.storage.files import save_bytes
from tests.certificate.test_pack import NEXT, NEXT_KEY, made
from tests.certificate.test_verify import FORGER, TRUST, lists
from tests.studio import Studio

NOW = datetime.now(UTC).replace(microsecond=0)


def days_of(trust: Trust) -> Trust:
    """The same keys, in force around the clock's time."""
    days = {"valid_from": NOW - timedelta(days=400), "valid_until": NOW + timedelta(days=400)}
    return replace(trust, keys=tuple(replace(key, **days) for key in trust.keys))


OURS = days_of(TRUST)
WITH_NEXT_KEY = days_of(replace(TRUST, keys=(*TRUST.keys, NEXT_KEY)))


def pack_at(moment: datetime, trust: Trust = OURS, **changes: Any) -> bytes:
    return made(trust, at=moment, **changes)


class Service:
    """Something at an address that answers every GET with ``body``."""

    def __init__(self) -> None:
        self.body = pack_at(NOW)
        self.paths: list[str] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.paths.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(service.body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("NO_COLOR", "1")


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def pin(trust: Trust) -> None:
    save_bytes(pinned_trust_file(), to_json_text(trust_document(trust)).encode())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "out" / "pack"


def test_a_pack_is_fetched_whole_and_told(service: Service, file: Path) -> None:
    result = run("pack", "--server", service.url, "-o", file)
    assert (result.exit_code, result.stdout) == (0, "")
    assert service.paths == ["/packs/latest"]
    assert file.read_bytes() == service.body
    assert [path.name for path in file.parent.iterdir()] == ["pack"]
    for words in (f"{len(service.body)} bytes, made ", "in force until", "2 status lists"):
        assert words in result.stderr


def test_without_pinned_keys_it_says_by_whom_the_pack_is_trusted(service: Service, file: Path) -> None:
    result = run("pack", "--server", service.url, "-o", file)
    assert "nobody vouches for it, you trust it by naming this pack" in result.stderr
    assert OURS.keys[0].key.fingerprint in result.stderr


def test_with_pinned_keys_it_has_to_be_signed_by_one(service: Service, file: Path) -> None:
    pin(OURS)
    assert "a key that you trust" in run("pack", "--server", service.url, "-o", file).stderr
    service.body = pack_at(NOW, WITH_NEXT_KEY, issuer=NEXT)
    before = file.read_bytes()
    refused = run("pack", "--server", service.url, "-o", file)
    assert refused.exit_code == 3
    assert "key that is not trusted" in refused.stderr
    assert file.read_bytes() == before


def test_json_tells_what_the_pack_holds(service: Service, file: Path) -> None:
    pin(OURS)
    service.body = pack_at(NOW, WITH_NEXT_KEY)
    told = json.loads(run("pack", "--server", service.url, "-o", file, "--json").stdout)
    assert json.loads(run("pack", "show", file, "--json").stdout) | {"age_seconds": 0} == told | {"age_seconds": 0}
    assert (told["form"], told["vouched_for"], told["new_keys"]) == ("lcal-pack/1", True, [NEXT_KEY.id])
    assert told["size_bytes"] == len(service.body)
    assert [(entry["purpose"], entry["set"]) for entry in told["status_lists"]] == [
        ("revocation", 0),
        ("suspension", 0),
    ]
    assert told["logs"] == [{"origin": "label.example/2026", "size": 6}]


def test_show_tells_all_of_a_pack(tmp_path: Path) -> None:
    file = tmp_path / "pack"
    file.write_bytes(pack_at(NOW, WITH_NEXT_KEY, status_lists=lists(revoked=[1, 2, 3], at=NOW)))
    result = run("pack", "show", file)
    assert result.exit_code == 0
    told = (
        "lcal-pack/1 of did:web:label.example",
        f"{NEXT_KEY.id}, issuer",
        "label.example/2026 at size 6",
        "LCAL-1.0.0, current",
        "https://label.example/status/revocation/1, 3 set",
        "https://www.w3.org/ns/credentials/v2, sha256:5995",
    )
    for words in told:
        assert words in result.stdout


AGES = {
    "just made": (timedelta(0), "in force until"),
    "an afternoon old": (timedelta(hours=5), "5 hours old: certificates are valid with a warning, until"),
    "nine days old": (timedelta(days=9), "9 days old: too old to tell whether a certificate is in force"),
}


@pytest.mark.parametrize(("age", "words"), AGES.values(), ids=AGES.keys())
def test_show_says_what_the_age_is_worth(tmp_path: Path, age: timedelta, words: str) -> None:
    file = tmp_path / "pack"
    file.write_bytes(pack_at(NOW - age))
    result = run("pack", "show", file)
    assert (result.exit_code, words in result.stdout) == (0, True), result.stdout


def test_a_pack_without_lists_says_that_it_cannot_tell(tmp_path: Path) -> None:
    file = tmp_path / "pack"
    file.write_bytes(pack_at(NOW, status_lists={}))
    assert "no certificate can be told to be in force" in run("pack", "show", file).stdout


# -- night after night --------------------------------------------------------------------------------------------------


def test_an_older_pack_replaces_no_newer_one(service: Service, file: Path) -> None:
    assert run("pack", "--server", service.url, "-o", file).exit_code == 0
    newest = file.read_bytes()
    service.body = pack_at(NOW - timedelta(days=1))
    result = run("pack", "--server", service.url, "-o", file)
    assert result.exit_code == 3
    assert "older than the one that is here already" in result.stderr
    assert file.read_bytes() == newest


def test_after_a_theft_the_pinned_keys_let_a_good_pack_replace_the_stolen_one(service: Service, file: Path) -> None:
    """The nightly line goes on as soon as the theft is pinned; before that the thief's key is as good as any."""
    save_bytes(file, pack_at(NOW + timedelta(minutes=1)))
    stolen = replace(WITH_NEXT_KEY.keys[0], last_good=LastGood("label.example/2026", -1))
    told = replace(WITH_NEXT_KEY, keys=(stolen, *WITH_NEXT_KEY.keys[1:]))
    service.body = pack_at(NOW, told, issuer=NEXT, status_lists={})
    assert run("pack", "--server", service.url, "-o", file).exit_code == 3
    pin(told)
    result = run("pack", "--server", service.url, "-o", file, "--pin")
    assert (result.exit_code, file.read_bytes()) == (0, service.body), result.stderr


def test_each_pack_is_vouched_for_by_the_one_before(service: Service, file: Path) -> None:
    """Keys roll: the old key brings the new one, which then signs alone. A stranger's pack is refused at every step."""
    service.body = pack_at(NOW - timedelta(hours=2), WITH_NEXT_KEY)
    assert run("pack", "--server", service.url, "-o", file).exit_code == 0
    service.body = pack_at(NOW - timedelta(hours=1), WITH_NEXT_KEY, issuer=NEXT)
    result = run("pack", "--server", service.url, "-o", file)
    assert (result.exit_code, "a key of the pack before" in result.stderr) == (0, True)
    stranger = days_of(replace(TRUST, keys=(replace(TRUST.keys[0], id="did:web:label.example#x", key=FORGER.public),)))
    service.body = pack_at(NOW, stranger, issuer=(FORGER, "did:web:label.example#x"), status_lists={})
    assert run("pack", "--server", service.url, "-o", file).exit_code == 3


def test_pin_keeps_the_newer_keys(service: Service, file: Path, tmp_path: Path) -> None:
    pin(OURS)
    service.body = pack_at(NOW - timedelta(hours=1), WITH_NEXT_KEY)
    assert run("pack", "--server", service.url, "-o", file).exit_code == 0
    assert parse_trust(pinned_trust_file().read_bytes()) == OURS
    result = run("pack", "--server", service.url, "-o", file, "--pin")
    assert f"pinned       {NEXT_KEY.id}" in result.stderr
    assert parse_trust(pinned_trust_file().read_bytes()) == WITH_NEXT_KEY
    elsewhere = tmp_path / "elsewhere"
    service.body = pack_at(NOW, WITH_NEXT_KEY, issuer=NEXT)
    assert run("pack", "--server", service.url, "-o", elsewhere).exit_code == 0


def test_what_is_no_pack_is_never_overwritten(service: Service, file: Path) -> None:
    save_bytes(file, b"my notes")
    result = run("pack", "--server", service.url, "-o", file)
    assert (result.exit_code, file.read_bytes()) == (3, b"my notes")
    assert "is left as it is" in result.stderr


NO_PACKS = {"a database": b"SQLite format 3\0", "text": b"my notes", "bytes": b"\xff\xfe\xfd", "nothing": b""}


@pytest.mark.parametrize("raw", NO_PACKS.values(), ids=NO_PACKS.keys())
def test_a_file_that_is_no_pack_is_told_what_a_pack_is(raw: bytes, file: Path) -> None:
    save_bytes(file, raw)
    result = run("pack", "show", file)
    assert (result.exit_code, "This is no pack." in result.stderr) == (3, True), result.output
    assert "certifier pack --server URL -o FILE" in result.stderr
    assert "UTF-8." not in result.stderr


# -- faults ---------------------------------------------------------------------------------------------------------------

BENT: dict[str, Callable[[bytes], bytes]] = {
    "one changed byte": lambda raw: raw.replace(b'"size"', b'"sizf"').replace(b"2026-", b"2025-", 1),
    "cut off": lambda raw: raw[:-100],
    "a page instead": lambda raw: b"<!doctype html><title>Sign in</title>",
    "nothing": lambda raw: b"",
}


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT.keys())
def test_what_comes_over_the_network_is_not_believed(
    service: Service, file: Path, bend: Callable[[bytes], bytes]
) -> None:
    service.body = bend(service.body)
    result = run("pack", "--server", service.url, "-o", file)
    assert (result.exit_code, file.exists()) == (3, False)
    assert result.stderr.startswith("error")
    assert "Traceback" not in result.stderr


def test_a_service_that_does_not_answer_leaves_the_pack_alone(file: Path) -> None:
    save_bytes(file, pack_at(NOW))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    result = run("pack", "--server", f"http://127.0.0.1:{port}", "-o", file)
    assert (result.exit_code, file.read_bytes()) == (5, pack_at(NOW))


def test_a_place_where_nothing_can_be_written_is_the_installations_fault(service: Service, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("in the way")
    result = run("pack", "--server", service.url, "-o", tmp_path / "a-file" / "pack")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


USAGE = {
    "nothing to write": ("--server", "http://127.0.0.1:1"),
    "neither server nor home": ("-o", "pack"),
    "both": ("--server", "http://127.0.0.1:1", "--home", "home", "-o", "pack"),
    "pin with nothing pinned": ("--server", "http://127.0.0.1:1", "-o", "pack", "--pin"),
    "options before the command": ("--pin", "show", __file__),
    "a file that is not there": ("show", "nowhere"),
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE.keys())
def test_wrong_usage_says_what_is_missing(arguments: tuple[str, ...], tmp_path: Path) -> None:
    result = run("pack", *arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr


def test_an_operator_makes_a_pack_without_a_server(tmp_path: Path, file: Path) -> None:
    home = tmp_path / "home"
    assert run("init", "--home", home).exit_code == 0
    result = run("pack", "--home", home, "-o", file)
    assert result.exit_code == 0, result.stderr
    pack = open_pack(file.read_bytes(), None, datetime.now(UTC))
    assert pack.issuer == "did:web:label.example"
    assert {listed.purpose for listed in pack.lists} == {"revocation", "suspension"}


# -- what a pack is for: the verdict on a certificate, and its age ---------------------------------------------------------


class Label:
    """An installation of three weeks with one certificate that stands, one suspended, one revoked."""

    def __init__(self, folder: Path) -> None:
        studio = Studio(folder)
        self.folder = folder
        self.certifier = studio.certifier()
        issued_at = NOW - timedelta(days=21)
        for number, name in enumerate(("standing", "suspended", "revoked")):
            answer = self.certifier.certify(studio.examined(number), issued_at)
            assert isinstance(answer, Issued)
            row = answer.certificate
            (folder / f"{name}.json").write_bytes(row.document or b"")
            (folder / f"{name}.tlog-proof").write_bytes(row.proof or b"")
            if name != "standing":
                act = "suspend" if name == "suspended" else "revoke"
                self.certifier.change_status(row.code, act, "evidence", issued_at)

    def verify(self, name: str, pack: bytes) -> tuple[int, dict[str, Any]]:
        (self.folder / "pack").write_bytes(pack)
        result = run("verify", self.folder / f"{name}.json", "--pack", self.folder / "pack", "--json")
        return result.exit_code, json.loads(result.stdout)


@pytest.fixture(scope="module")
def label(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Label]:
    label = Label(tmp_path_factory.mktemp("label"))
    yield label
    label.certifier.close()


FRESH, AGED, OLD = timedelta(minutes=5), timedelta(days=3), timedelta(days=9)
LADDER = {
    "standing, in force": ("standing", FRESH, 0, "valid", "all_checked"),
    "standing, three days old": ("standing", AGED, 0, "valid_with_warnings", "status_aged"),
    "standing, nine days old": ("standing", OLD, 6, "cannot_tell", "status_unchecked"),
    "suspended, in force": ("suspended", FRESH, 3, "not_valid", "suspended"),
    "suspended, three days old": ("suspended", AGED, 3, "not_valid", "suspended"),
    "suspended, nine days old": ("suspended", OLD, 6, "cannot_tell", "status_unchecked"),
    "revoked, in force": ("revoked", FRESH, 3, "not_valid", "revoked"),
    "revoked, three days old": ("revoked", AGED, 3, "not_valid", "revoked"),
    "revoked, nine days old": ("revoked", OLD, 3, "not_valid", "revoked"),
}


@pytest.mark.parametrize(("name", "age", "code", "verdict", "reason"), LADDER.values(), ids=LADDER.keys())
def test_the_age_of_a_pack_lowers_the_verdict(
    label: Label, name: str, age: timedelta, code: int, verdict: str, reason: str
) -> None:
    exit_code, told = label.verify(name, label.certifier.published.pack(NOW - age))
    assert (exit_code, told["verdict"], told["reason"]) == (code, verdict, reason)


def test_a_pack_is_enough_where_there_is_no_network(label: Label, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "socket", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    exit_code, told = label.verify("standing", label.certifier.published.pack(NOW))
    assert (exit_code, told["verdict"]) == (0, "valid")


def test_a_strangers_pack_under_the_issuers_name_makes_nothing_valid(label: Label) -> None:
    stranger = pack_at(NOW)
    exit_code, told = label.verify("standing", stranger)
    assert (exit_code, told["verdict"], told["certificate"]) == (3, "not_valid", None)
    pin(label.certifier.published.trust_at(NOW))
    refused = run("verify", label.folder / "standing.json", "--pack", label.folder / "pack")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert (
        "signed by a key that is not trusted" in refused.stderr or "was changed after it was signed" in refused.stderr
    )
