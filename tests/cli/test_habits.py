"""What every command keeps to: help, JSON, quiet, one exit code for one thing, and a shell that completes."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from certifier.certificate.trust import trust_document
from certifier.cli import lazy
from certifier.cli.doctor import clock_line
from certifier.cli.lazy import Later, LazyGroup, first_sentence
from certifier.cli.main import main
from certifier.cli.output import EXIT_CODES, console, moving
from certifier.client.transport import Answer
from certifier.crypto.canonical import to_json_text
from certifier.storage.files import save_bytes
from tests.client.scripted import Reply, scripted
from tests.studio import Studio

ROOT = Path(__file__).parents[2]
# What these give is a document as it stands, or nothing at all: there is no other form for machines.
WITHOUT_JSON = {
    "completion": "a script of a shell",
    "config table": "a table in Markdown",
    "log proof": "a .tlog-proof file",
    "serve": "runs until it is stopped",
    "standard facts": "a table in Markdown",
    "standard rules": "a table in Markdown",
}


def run(*arguments: Any, **settings: Any) -> Result:
    return CliRunner(**settings).invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command, Later | None]]:
    """Every command below a group by its words; a group that does something itself is one, too."""
    with click.Context(group) as ctx:
        for name in group.list_commands(ctx):
            command = group.get_command(ctx, name)
            assert command is not None
            words = (*path, name)
            yield " ".join(words), command, group.later.get(name) if isinstance(group, LazyGroup) else None
            if isinstance(command, click.Group):
                yield from commands(command, words)


ALL = list(commands(main))
ACTING = [
    (words, command)
    for words, command, _ in ALL
    if not isinstance(command, click.Group) or command.invoke_without_command
]


def test_every_command_has_a_first_sentence_and_the_list_of_commands_says_the_same() -> None:
    """The list does not read the commands, so it has a copy of the sentence."""
    for words, command, later in ALL:
        sentence = first_sentence(command)
        assert sentence[:1].isupper(), words
        assert sentence.endswith("."), words
        assert later is None or later.sentence == sentence, words


def test_every_command_explains_itself_and_knows_quiet() -> None:
    for words, command, _ in ALL:
        with click.Context(command, info_name=words) as ctx:
            assert first_sentence(command).split()[0] in command.get_help(ctx)
        assert any("--quiet" in parameter.opts for parameter in command.params), words


def test_every_command_that_gives_a_result_gives_it_as_json() -> None:
    lacking = {words for words, command in ACTING if all("--json" not in each.opts for each in command.params)}
    assert lacking == set(WITHOUT_JSON)


def test_help_is_shown_without_reading_a_command() -> None:
    """Fast, and the same for everybody: what is not installed is listed, too."""
    heavy = ("requests", "rich", "pydantic", "flask", "sqlalchemy", "certifier.cli.verify", "numpy", "cryptography")
    code = (
        "import sys\nfrom certifier.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set(sys.modules) & set({heavy!r})))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert said.stdout.splitlines()[-1] == "[]"
    assert "verify" in said.stdout


# -- errors as JSON -----------------------------------------------------------------------------------------------------

ERRORS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "an option that is none": (("verify", "x", "--bogus"), 2, "usage"),
    "an option that is none, before the command": (("--bogus", "verify", "x"), 2, "usage"),
    "a command that is none": (("verfy", "x"), 2, "usage"),
    "an argument that is missing": (("verify",), 2, "usage"),
    "a code that is mistyped": (("verify", "GG8W-7E5J-TX"), 2, "usage"),
    "an address that is none": (("mine", "--key", "{key}", "--server", "label.example"), 2, "incomplete-address"),
    "a service that does not answer": (("verify", "0000000000", "--server", "http://127.0.0.1:9"), 5, "unavailable"),
    "a file that is none": (("verify", __file__), 3, "malformed-certificate"),
    "an installation that is none": (("keys", "list", "--home", "{tmp}/none"), 1, "operator-error"),
    "a report that does not fit": (
        ("report", "sign", "{report}", "--key", "{key}", "--audio", "{key}"),
        3,
        "malformed-report",
    ),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("files")
    assert run("keys", "new", folder / "me.pem").exit_code == 0
    (folder / "report.json").write_text('{"report_version": "1.0"}')
    return {"tmp": str(folder), "key": str(folder / "me.pem"), "report": str(folder / "report.json")}


@pytest.mark.parametrize(("arguments", "code", "kind"), ERRORS.values(), ids=ERRORS.keys())
def test_an_error_is_one_object_with_the_same_exit_code(
    files: dict[str, str], arguments: tuple[str, ...], code: int, kind: str
) -> None:
    given = [argument.format(**files) for argument in arguments]
    plain, as_json = run(*given), run(*given, "--json")
    document = json.loads(as_json.stdout)
    assert (plain.exit_code, as_json.exit_code, document["exit_code"]) == (code, code, code)
    assert (document["error"]["type"], as_json.stderr) == (kind, "")
    assert {"message", "found", "expected", "hint"} < set(document["error"])
    assert document["error"]["message"]
    assert (plain.stdout, plain.stderr != "") == ("", True)


def test_an_error_names_every_field_of_a_document_that_does_not_fit(files: dict[str, str]) -> None:
    said = run("report", "sign", files["report"], "--key", files["key"], "--audio", files["key"], "--json")
    findings = json.loads(said.stdout)["error"]["findings"]
    assert {"/track", "/report_id"} <= {finding["pointer"] for finding in findings}


def test_json_behind_two_dashes_is_another_program_s(tmp_path: Path) -> None:
    said = ("--model", "m", "--takes", "1", "--minutes", "1", "--device", "cpu-desktop", "--cpu-power-w", "0")
    result = run("measure", "--out", tmp_path / "measured", *said, "--", "true", "--json")
    assert (result.exit_code, result.stdout, "--cpu-power-w" in result.stderr) == (2, "", True)


# -- quiet, colour, bars --------------------------------------------------------------------------------------------------


def test_quiet_leaves_out_notes_and_neither_results_nor_errors(tmp_path: Path) -> None:
    loud, quiet = (run("keys", "new", tmp_path / name, *more) for name, more in (("a", ()), ("b", ("--quiet",))))
    assert ("Wrote the private key" in loud.stderr, quiet.stderr) == (True, "")
    assert quiet.stdout.startswith("did:key:")
    assert "is no time" in run("keys", "new", "--role", "issuer", "--from", "soon", "--quiet").stderr
    assert "certificate in a form" in run("verify", __file__, "--quiet").stderr


def test_whoever_is_asked_to_trust_keys_sees_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    trust = (ROOT / "tests/golden/0.3.0/trust.json").read_bytes()
    with scripted(lambda _: Reply(200, trust)) as site:
        asked = CliRunner().invoke(main, ["init", "--pin", site.url, "--quiet"], input="n\n")
        pinned = run("init", "--pin", site.url, "--yes", "--quiet", "--json")
    assert (asked.exit_code, "fingerprint" in asked.stderr) == (1, True)
    document = json.loads(pinned.stdout)
    assert Path(document["pinned"]).read_bytes() == trust
    assert {"issuer", "log"} <= {key["role"] for key in document["keys"]}


COLOURS = {
    "a terminal": ({"TERM": "xterm-256color"}, True),
    "NO_COLOR": ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
    "an empty NO_COLOR": ({"TERM": "xterm-256color", "NO_COLOR": ""}, True),
    "a dumb terminal": ({"TERM": "dumb"}, False),
}


@contextmanager
def on_a_terminal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Iterator[Callable[[], bytes]]:
    """Both streams are a real terminal; gives what was shown on it so far."""
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as screen, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", screen)
        patched.setattr(sys, "stderr", screen)

        def shown() -> bytes:
            screen.flush()
            said, wait = b"", 5.0  # the system hands it over in its own time
            while select.select([ours], [], [], wait)[0]:
                said, wait = said + os.read(ours, 100_000), 0.05
            return said

        yield shown
    os.close(ours)


@pytest.mark.parametrize(("environment", "has_colour"), COLOURS.values(), ids=COLOURS.keys())
def test_colour_is_for_terminals_that_want_it(
    environment: dict[str, str], has_colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on_a_terminal(monkeypatch, **environment) as shown:
        console().print("[red]not valid[/]")
        said = shown()
    assert (b"not valid" in said, b"\x1b[31m" in said) == (True, has_colour)


def test_bars_are_shown_on_a_terminal_alone_and_are_gone_when_the_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    with on_a_terminal(monkeypatch, TERM="xterm-256color") as shown:
        with moving() as bar:
            bar.add_task("looking", total=2)
            bar.refresh()
            before = shown()
        after = shown()
    assert (b"looking" in before, b"\x1b[2K" in after) == (True, True)  # the line is wiped
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with moving() as bar:
        bar.add_task("looking", total=2)
        bar.refresh()
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


# -- help and completion --------------------------------------------------------------------------------------------------


def test_the_exit_codes_are_explained() -> None:
    said = run("help", "exit-codes").stdout
    assert [line.split("  ")[0] for line in said.splitlines()] == [str(code) for code in EXIT_CODES]
    assert json.loads(run("help", "exit-codes", "--json").stdout)["exit_codes"]["6"].startswith("Cannot tell")


def test_ctrl_c_ends_with_the_code_of_shells_and_never_with_that_of_a_wrong_installation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("certifier.cli.verify.load_trust", stop)
    words, told = run("verify", "0000-0000-00"), run("verify", "0000-0000-00", "--json")
    assert (words.exit_code, words.stdout, words.stderr) == (130, "", "Stopped.\n")
    assert (told.exit_code, json.loads(told.stdout)["exit_code"]) == (130, 130)


def test_help_explains_a_command_by_its_words() -> None:
    assert run("help", "log", "monitor").stdout == run("log", "monitor", "--help").stdout.replace(
        "main log", "main log"
    )
    assert run("help").stdout.startswith("Usage")
    assert run("help", "nonsense").exit_code == 2
    assert run("help", "verify", "nonsense").exit_code == 2


COMPLETED = {
    "a command": ("certifier ver", ["verify"]),
    "a command of a group": ("certifier log m", ["monitor"]),
    "an option": ("certifier verify --is", ["--isrc"]),
    "a choice": ("certifier completion b", ["bash"]),
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command as an installation has it, in a folder of its own."""
    file = tmp_path_factory.mktemp("bin") / "certifier"
    file.write_text(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n" + CONSOLE_SCRIPT)
    file.chmod(0o755)
    return file


CONSOLE_SCRIPT = "from certifier.cli.main import main\nmain()\n"


def test_bash_completes_what_was_begun(program: Path) -> None:
    """The printed script in a real bash, asked as bash asks it."""
    asked = [
        f"COMPREPLY=(); COMP_WORDS=({line}); COMP_CWORD={line.count(' ')}\n"
        "_certifier_completion certifier; echo ${COMPREPLY[@]}"
        for line, _ in COMPLETED.values()
    ]
    script = "\n".join(['eval "$(certifier completion bash)"', "complete -p certifier >/dev/null", *asked])
    bash = shutil.which("bash")
    assert bash
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    said = subprocess.run([bash, "-c", script], capture_output=True, text=True, check=False, env=environment)
    expected = [" ".join(words) for _, words in COMPLETED.values()]
    assert (said.returncode, said.stdout.splitlines(), said.stderr) == (0, expected, "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_of_theirs(shell: str) -> None:
    said = run("completion", shell).stdout
    assert f"_CERTIFIER_COMPLETE={shell}_complete" in said


# -- doctor -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    studio = Studio(tmp_path)
    certifier = studio.certifier()
    trust = to_json_text(trust_document(certifier.published.trust_at(datetime.now(UTC))))
    certifier.close()
    save_bytes(tmp_path / "config" / "certifier" / "trust.json", trust.encode())
    return studio


def examined(*arguments: Any) -> tuple[int, dict[str, dict[str, str]]]:
    said = run("doctor", *arguments, "--json")
    document = json.loads(said.stdout)
    assert document["exit_code"] == said.exit_code
    return said.exit_code, {line["part"]: line for line in document["lines"]}


def test_a_healthy_installation_needs_no_attention(healthy: Studio) -> None:
    code, lines = examined("--home", healthy.settings.home)
    assert (code, {line["state"] for line in lines.values()}) == (0, {"ok"})
    assert {"python", "server", "pinned keys", "home", "disk", "keys", "database", "log"} < set(lines)
    assert "Nothing needs attention." in run("doctor", "--home", healthy.settings.home).stdout


def test_what_is_wrong_with_an_installation_is_told_with_what_to_do(healthy: Studio, tmp_path: Path) -> None:
    for key in (healthy.settings.home / "private").glob("log*"):
        key.unlink()
    (tmp_path / "config" / "certifier" / "trust.json").write_text("{}")
    code, lines = examined("--home", healthy.settings.home)
    wrong = {part for part, line in lines.items() if line["state"] == "attention"}
    assert code == 1
    assert {"pinned keys", "wrong-key"} <= wrong
    assert all(lines[part]["todo"] for part in wrong)
    assert examined("--home", tmp_path / "nowhere")[1]["home"]["state"] == "attention"


def test_nothing_at_all_is_nothing_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LCAL_HOME", raising=False)
    code, lines = examined()
    assert (code, lines["pinned keys"]["state"], lines["home"]["state"]) == (0, "note", "note")


def test_a_part_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, healthy: Studio) -> None:
    monkeypatch.setitem(lazy.EXTRAS, "no_such_module", "nothing")
    monkeypatch.setattr("certifier.cli.doctor.PARTS", {"nothing": "no_such_module"})
    assert "pip install 'certifier[nothing]'" in examined("--home", healthy.settings.home)[1]["nothing"]["todo"]


def test_the_service_its_clock_and_its_keys_are_looked_at(healthy: Studio, tmp_path: Path) -> None:
    trust = (tmp_path / "config" / "certifier" / "trust.json").read_bytes()
    other = (ROOT / "tests/golden/0.3.0/trust.json").read_bytes()
    home = ("--home", healthy.settings.home)
    with scripted(lambda asked: Reply(200, trust)) as site:
        code, lines = examined(*home, "--server", site.url)
        assert (code, lines["server"]["state"], lines["server's keys"]["state"]) == (0, "ok", "ok")
        site.answer = lambda asked: Reply(200, other)
        assert examined(*home, "--server", site.url)[1]["server's keys"]["state"] == "note"
        site.answer = lambda asked: Reply(503)
        code, lines = examined(*home, "--server", site.url)
        assert (code, lines["server"]["state"]) == (5, "attention")


SKEWS = {
    "as here": (5, "ok"),
    "a minute and a half ahead": (90, "attention"),
    "a day behind": (-86400, "attention"),
}


@pytest.mark.parametrize(("seconds", "state"), SKEWS.values(), ids=SKEWS.keys())
def test_a_clock_that_differs_from_the_service_s_needs_attention(seconds: int, state: str) -> None:
    now = datetime.now(UTC)
    there = format_datetime(now + timedelta(seconds=seconds), usegmt=True)
    assert clock_line(Answer(200, {"date": there}, b""), now).state == state


def test_a_service_that_tells_no_time_is_no_trouble() -> None:
    no_zone, no_number = "Thu, 26 Nov 2026 10:00:00 -0000", "Thu, 26 Nov 2026 10:00:00 +99999999999999"
    for headers in ({}, {"date": "today"}, {"date": no_zone}, {"date": no_number}):
        assert clock_line(Answer(200, headers, b""), datetime.now(UTC)).state == "note"
