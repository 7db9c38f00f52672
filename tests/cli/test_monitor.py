"""A monitor follows a log that it knows by its address alone: it tells what is new, and never takes over what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from certifier.certificate.trust import Trust, trust_document
from certifier.cli.monitor import monitor
from certifier.cli.telling import TellingGroup
from certifier.crypto.canonical import to_json_text
from certifier.crypto.signing import SigningKey
from certifier.log.entry import log_entry, status_entry
from certifier.log.note import COSIGNATURE, Checkpoint, sign_checkpoint, verifier_key_for
from certifier.storage.log_folder import LogFolder
from tests.published import (
    AT,
    Files,
    Site,
    checkpoint_of,
    entries_of,
    log_files,
    served,
    signer_of,
    tree_of,
    vkey_of,
)

ORIGIN, NEXT = "log.example/2026", "log.example/2027"
ENTRIES = entries_of(600)
FREEZE = log_entry("freeze", AT, reason="new_year")
STRANGER = SigningKey.from_seed(b"s" * 32)


@click.group(cls=TellingGroup)
def main() -> None:
    """The errors end here as they do in the product."""


main.add_command(monitor)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    return tmp_path


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as site:
        yield site


def look(site: Site, state: Path, *options: Any, size: int | None = None) -> Result:
    """One look at the site, which serves the log at ``size`` from now on."""
    if size is not None:
        site.files = log_files(ORIGIN, ENTRIES[:size])
    arguments = [str(option) for option in ("monitor", site.url, "--state", state, *options)]
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def kept(state: Path) -> dict[str, bytes]:
    return {str(file.relative_to(state)): file.read_bytes() for file in state.rglob("*") if file.is_file()}


def mirrored(state: Path, origin: str = ORIGIN) -> LogFolder:
    return LogFolder(state / origin.replace("/", "-"))


def test_the_first_look_trusts_the_log_s_own_word_once_and_says_so(site: Site, tmp_path: Path) -> None:
    first = look(site, tmp_path / "state", size=2)
    assert first.exit_code == 0, first.output
    assert first.stdout.splitlines() == [
        f"       0  {AT}  key-retire                      key-0, signs nothing new",
        f"       1  {AT}  key-retire                      key-1, signs nothing new",
        "log.example/2026 at size 2, 2 new, root qRMR0gaBZmpuBp4ZLKYHsH7y3T1StSHZEUk0TIgtFBQ=",
    ]
    assert "was taken from the log itself and not checked" in first.stderr
    second = look(site, tmp_path / "state")
    assert (second.exit_code, second.stderr) == (0, "")
    assert second.stdout.startswith("log.example/2026 at size 2, 0 new, root ")


def test_a_log_is_followed_from_size_to_size_and_kept_as_it_was_served(site: Site, tmp_path: Path) -> None:
    old = 0
    for size in (0, 1, 255, 256, 257, 600):
        result = look(site, tmp_path / "state", "--vkey", vkey_of(ORIGIN).to_text(), size=size)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        assert f"{ORIGIN} at size {size}, {size - old} new, root " in result.stdout
        old, folder = size, mirrored(tmp_path / "state")
        assert folder.checkpoint() == site.files["/log/checkpoint"]
        assert folder.first_difference(tree_of(ENTRIES[:size]), lambda a, b: ENTRIES[a:b], size, whole=True) is None
        assert list(folder.load_entries(size)) == ENTRIES[:size]
    assert (tmp_path / "state" / "log.example-2026" / "log.vkey").read_text().strip() == vkey_of(ORIGIN).to_text()


def test_nothing_but_the_checkpoint_is_read_when_nothing_is_new(site: Site, tmp_path: Path) -> None:
    look(site, tmp_path / "state", size=300)
    site.asked.clear()
    assert look(site, tmp_path / "state").exit_code == 0
    assert site.asked == ["/log/checkpoint"]


def test_the_state_is_kept_for_each_host(site: Site, home: Path) -> None:
    site.files = log_files(ORIGIN, ENTRIES[:1])
    assert CliRunner().invoke(main, ["monitor", site.url], catch_exceptions=False).exit_code == 0
    host = site.url.removeprefix("http://")
    assert (home / "xdg" / "certifier" / "monitor" / host / "log.example-2026" / "checkpoint").is_file()


def test_entries_are_told_in_words(site: Site, tmp_path: Path) -> None:
    entries = [
        log_entry(
            "issue", AT, code="7K3QZ9M2XA", payload=f"sha256:{'ab' * 32}", kid="did:web:label.example#key-2026",
            standard="LCAL-1.0.0", report=f"sha256:{'ab' * 32}", audio=f"sha256:{'ab' * 32}",
        ),
        status_entry(type="revoke", code="7K3QZ9M2XA", reason="superseded", at=AT, replaced_by="0000000000"),
        log_entry("key-add", AT, kid="z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", key="z6Mk"),
        log_entry("key-compromise", AT, kid="key-2025", last_good_index=41),
        b'{"v":"lcal-log/2","type":"\x1b[31mpardon"}',
        b"\xff\x00",
    ]  # fmt: skip
    site.files = log_files(ORIGIN, entries)
    result = look(site, tmp_path / "state")
    assert result.exit_code == 0, result.output
    assert [line.split(maxsplit=1)[1] for line in result.stdout.splitlines()[:4]] == [
        f"{AT}  issue             7K3Q-Z9M2-XA  LCAL-1.0.0, key-2026",
        f"{AT}  revoke            7K3Q-Z9M2-XA  superseded, replaced by 0000-0000-00",
        f"{AT}  key-add                         z6MkhaXgBZDvotDkL5257fai…, a new key: z6Mk",
        f"{AT}  key-compromise                  key-2025, STOLEN: good up to index 41",
    ]
    assert result.stdout.count("that this version does not know") == 2
    assert "\x1b" not in result.stdout


def test_json_has_one_object_for_each_entry_and_one_for_the_log(site: Site, tmp_path: Path) -> None:
    site.files = log_files(ORIGIN, [ENTRIES[0], b"not ours"])
    result = look(site, tmp_path / "state", "--json")
    first, second, last = map(json.loads, result.stdout.splitlines())
    assert first == {"log": ORIGIN, "index": 0, "entry": json.loads(ENTRIES[0])}
    assert second == {"log": ORIGIN, "index": 1, "entry": None, "raw": "bm90IG91cnM="}
    assert {name: last[name] for name in ("log", "size", "new", "closed")} == {
        "log": ORIGIN, "size": 2, "new": 2, "closed": False,
    }  # fmt: skip


def test_quiet_says_nothing_as_long_as_all_is_well(site: Site, tmp_path: Path) -> None:
    result = look(site, tmp_path / "state", "--quiet", "--vkey", vkey_of(ORIGIN).to_text(), size=2)
    assert (result.exit_code, result.output) == (0, "")
    bad = look(site, tmp_path / "state", "--quiet", size=1)
    assert (bad.exit_code, "rolled back" in bad.stderr) == (3, True)


def test_a_partial_file_that_is_gone_is_read_from_the_full_one(site: Site, tmp_path: Path) -> None:
    """tlog-tiles lets a server drop a partial tile or bundle once the full one is there."""
    look(site, tmp_path / "state", size=256)
    site.files = log_files(ORIGIN, ENTRIES[:600]) | {
        "/log/checkpoint": log_files(ORIGIN, ENTRIES[:300])["/log/checkpoint"]
    }
    del site.files["/log/tile/1/000.p/2"]  # asked for at size 600 only
    assert look(site, tmp_path / "state").exit_code == 0
    assert mirrored(tmp_path / "state").path.joinpath("tile/entries/001.p/44").is_file()


def bent(size: int, path: str, content: Callable[[bytes], bytes]) -> Files:
    files = log_files(ORIGIN, ENTRIES[:size])
    return files | {path: content(files[path])}


def flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def without(size: int, path: str) -> Files:
    return {name: content for name, content in log_files(ORIGIN, ENTRIES[:size]).items() if name != path}


REWRITTEN = [*ENTRIES[:3], b"another entry 3", *ENTRIES[4:]]
ELSEWHERE = "log..example/../2026"
MISBEHAVIOUR = {
    "a rollback": (log_files(ORIGIN, ENTRIES[:299]), "rolled back"),
    "a split view at the same size": (log_files(ORIGIN, REWRITTEN[:300]), "two histories"),
    "a split view at a larger size": (log_files(ORIGIN, REWRITTEN[:600]), "does not continue what it was at size 300"),
    "a bent bundle": (bent(600, "/log/tile/entries/002.p/88", flipped), "contradicts its hash tile"),
    "a bent tile": (bent(600, "/log/tile/1/000.p/2", flipped), "is not what the log's entries lead to"),
    "a size that no log has": (
        {"/log/checkpoint": sign_checkpoint(Checkpoint(ORIGIN, 2**62, b"\1" * 32), signer_of(ORIGIN))}, "does not serve",
    ),
    "a file that is not served": (without(600, "/log/tile/entries/001"), "does not serve tile/entries/001"),
    "another key": (log_files(ORIGIN, ENTRIES[:600], signer=STRANGER), "not signed by a known log"),
    "a bent signature": (bent(600, "/log/checkpoint", lambda note: note.replace(b"\n600\n", b"\n601\n")), "does not fit"),
    "a page instead of a checkpoint": ({"/log/checkpoint": b"<html>Welcome</html>"}, "no signature"),
    "another log without a freeze of the first": (
        log_files(NEXT, []) | log_files(ORIGIN, ENTRIES[:301], "/log/2026"), "Another log took the place",
    ),
    "another log, and the first is gone": (log_files(NEXT, []), "Another log took the place"),
    "a log whose name leads elsewhere": (log_files(ELSEWHERE, []), "origin is no address"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "says"), MISBEHAVIOUR.values(), ids=MISBEHAVIOUR.keys())
@pytest.mark.parametrize("trust", ["pinned", "from the state"])
def test_misbehaviour_is_refused_and_the_state_stays(
    site: Site, tmp_path: Path, files: Files, says: str, trust: str
) -> None:
    options = ("--vkey", vkey_of(ORIGIN).to_text()) if trust == "pinned" else ()
    look(site, tmp_path / "state", *options, size=300)
    before = kept(tmp_path / "state" / "log.example-2026")
    site.files = files
    result = look(site, tmp_path / "state", *options)
    assert (result.exit_code, says in result.stderr) == (3, True), result.output
    assert len(result.stderr.splitlines()) >= 2
    after = kept(tmp_path / "state" / "log.example-2026")
    evidence = {name: after.pop(name) for name in list(after) if name.startswith("refused/")}
    if "freeze" not in result.stderr:  # what the first log had since is its own and honest
        assert after == before
    assert list(evidence.values()) == ([files["/log/checkpoint"]] if "split view" in result.stderr else [])
    recovered = look(site, tmp_path / "state", *options, size=600)
    assert recovered.exit_code == 0, recovered.output


def test_the_state_says_nothing_of_a_log_that_was_wrong_at_the_first_look(site: Site, tmp_path: Path) -> None:
    site.files = bent(600, "/log/tile/0/001", flipped)
    assert look(site, tmp_path / "state").exit_code == 3
    assert not (tmp_path / "state").exists()


def pin(file: Path, *origins: str) -> Path:
    trust = Trust("demo", (), tuple(vkey_of(origin) for origin in origins), ())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(to_json_text(trust_document(trust)))
    return file


def test_the_key_may_come_from_a_text_a_file_or_a_trust_file(site: Site, home: Path) -> None:
    vkey = home / "pinned.vkey"
    vkey.write_text(f"{vkey_of(ORIGIN).to_text()}\n")
    for number, options in enumerate(
        [("--vkey", vkey_of(ORIGIN).to_text()), ("--vkey", vkey), ("--trust", pin(home / "trust.json", ORIGIN)), ()]
    ):
        if not options:
            pin(home / "config" / "certifier" / "trust.json", ORIGIN)
        result = look(site, home / f"state-{number}", *options, size=3)
        assert (result.exit_code, result.stderr) == (0, ""), result.output


def test_pinned_keys_that_do_not_list_the_log_are_not_set_aside(site: Site, home: Path) -> None:
    pin(home / "config" / "certifier" / "trust.json", NEXT)
    result = look(site, home / "state", size=3)
    assert (result.exit_code, "not signed by a known log" in result.stderr) == (3, True)
    assert not (home / "state").exists()


def test_a_pinned_key_that_is_not_the_one_of_the_state_is_refused(site: Site, tmp_path: Path) -> None:
    look(site, tmp_path / "state", size=3)
    other = verifier_key_for(ORIGIN, STRANGER.public).to_text()
    result = look(site, tmp_path / "state", "--vkey", other)
    assert (result.exit_code, "not the one that it was followed with" in result.stderr) == (3, True)


WRONG_USAGE = {
    "a key that is none": ("--vkey", "log.example+123"),
    "a key of a witness": ("--vkey", verifier_key_for(ORIGIN, STRANGER.public, COSIGNATURE).to_text()),
    "a trust file that is not there": ("--trust", "no-such-file"),
    "no time between two looks": ("--every", "0"),
}


@pytest.mark.parametrize("options", WRONG_USAGE.values(), ids=WRONG_USAGE.keys())
def test_wrong_usage_says_nothing_of_the_log(site: Site, tmp_path: Path, options: tuple[str, ...]) -> None:
    assert look(site, tmp_path / "state", *options, size=1).exit_code == 2


def closed_and_next(new: int) -> Files:
    """The service of the next year: the old log is closed and has an address of its own."""
    return log_files(ORIGIN, [*ENTRIES[:300], FREEZE], "/log/2026") | log_files(NEXT, ENTRIES[:new])


def test_the_log_of_a_new_year_is_followed_once_the_old_one_is_closed(site: Site, tmp_path: Path) -> None:
    look(site, tmp_path / "state", size=299)
    site.files = closed_and_next(2)
    result = look(site, tmp_path / "state")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[1].endswith("freeze                          new_year")
    assert lines[2].startswith("log.example/2026 at size 301, 2 new, root ")
    assert lines[2].endswith(", closed")
    assert lines[3] == "log.example/2026 is closed for ever; log.example/2027 goes on from here"
    assert lines[6].startswith("log.example/2027 at size 2, 2 new, root ")
    assert [each.name for each in sorted((tmp_path / "state").iterdir())] == ["log.example-2026", "log.example-2027"]
    site.asked.clear()
    site.files = closed_and_next(3)
    again = look(site, tmp_path / "state")
    assert (again.exit_code, len(again.stdout.splitlines())) == (0, 2), again.output
    assert not any(path.startswith("/log/2026/") for path in site.asked)


def test_the_key_of_a_new_year_is_pinned_beside_the_old_one(site: Site, tmp_path: Path) -> None:
    look(site, tmp_path / "state", "--vkey", vkey_of(ORIGIN).to_text(), size=299)
    site.files = closed_and_next(2)
    refused = look(site, tmp_path / "state", "--vkey", vkey_of(ORIGIN).to_text())
    assert (refused.exit_code, "not signed by a known log" in refused.stderr) == (3, True)
    both = ("--vkey", vkey_of(ORIGIN).to_text(), "--vkey", vkey_of(NEXT).to_text())
    assert look(site, tmp_path / "state", *both).exit_code == 0


def test_a_closed_log_that_goes_on_or_comes_back_is_refused(site: Site, tmp_path: Path) -> None:
    site.files = log_files(ORIGIN, [*ENTRIES[:3], FREEZE])
    assert look(site, tmp_path / "state").exit_code == 0
    site.files = log_files(ORIGIN, [*ENTRIES[:3], FREEZE, ENTRIES[4]])
    goes_on = look(site, tmp_path / "state")
    assert (goes_on.exit_code, "A closed log goes on" in goes_on.stderr) == (3, True)
    site.files = log_files(NEXT, ENTRIES[:2])
    assert look(site, tmp_path / "state").exit_code == 0
    site.files = log_files(ORIGIN, [*ENTRIES[:3], FREEZE])
    comes_back = look(site, tmp_path / "state")
    assert (comes_back.exit_code, "Another log took the place" in comes_back.stderr) == (3, True)


AWAY = {"the service has a fault": 500, "too many requests": 429, "there is no log": 404}


@pytest.mark.parametrize("status", AWAY.values(), ids=AWAY.keys())
def test_a_service_that_gives_no_answer_is_no_misbehaviour(site: Site, tmp_path: Path, status: int) -> None:
    look(site, tmp_path / "state", size=3)
    before = kept(tmp_path / "state")
    site.status = status
    assert (look(site, tmp_path / "state").exit_code, kept(tmp_path / "state")) == (5, before)


def test_a_network_that_is_down_is_no_misbehaviour(tmp_path: Path) -> None:
    result = look(Site("http://127.0.0.1:9"), tmp_path / "state")
    assert (result.exit_code, "does not answer" in result.stderr) == (5, True)


def test_a_copy_that_somebody_changed_is_told_apart_from_a_log_that_changed(site: Site, tmp_path: Path) -> None:
    look(site, tmp_path / "state", size=300)
    bundle = mirrored(tmp_path / "state").path / "tile" / "entries" / "000"
    bundle.write_bytes(flipped(bundle.read_bytes()))
    result = look(site, tmp_path / "state", size=600)
    assert (result.exit_code, "is not whole" in result.stderr) == (1, True)


def test_a_monitor_that_looks_again_outlives_a_network_fault_and_ends_at_misbehaviour(
    site: Site, tmp_path: Path
) -> None:
    files = {size: log_files(ORIGIN, ENTRIES[:size]) for size in (2, 3)}
    site.then = [files[2], 503, files[3], files[2]]
    result = look(site, tmp_path / "state", "--every", "0.001")
    assert (result.exit_code, "cannot answer now" in result.stderr) == (3, True)
    assert [line[:31] for line in result.stdout.splitlines() if line.startswith("log.")] == [
        "log.example/2026 at size 2, 2 n",
        "log.example/2026 at size 3, 1 n",
    ]


def test_cosignatures_by_others_do_not_disturb(site: Site, tmp_path: Path) -> None:
    site.files = log_files(ORIGIN, ENTRIES[:3])
    extra = sign_checkpoint(checkpoint_of("witness.example/w", []), STRANGER).splitlines()[-1] + b"\n"
    site.files["/log/checkpoint"] += extra
    assert look(site, tmp_path / "state", "--vkey", vkey_of(ORIGIN).to_text()).exit_code == 0
    assert mirrored(tmp_path / "state").checkpoint() == site.files["/log/checkpoint"]


def test_the_signer_of_the_tests_is_the_one_in_the_key() -> None:
    assert vkey_of(ORIGIN).key == signer_of(ORIGIN).public
