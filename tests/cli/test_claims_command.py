"""``certifier claims lint`` reads a text, a file or stdin, and says what should not stand, where and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from certifier.cli.main import main

BAD = "Our new album.\nIt is climate-neutral and certified."


def lint(*arguments: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["claims", "lint", *arguments], input=stdin)


def test_a_text_that_should_not_stand_ends_with_3_and_says_where_why_and_what_instead() -> None:
    answer = lint(BAD)
    assert answer.exit_code == 3
    for said in (
        "text:2:7  barred  climate-neutral",
        "text:2:27  risky  certified",
        "source   Directive (EU) 2024/825",
        "instead  Say the figure",
        "1 barred wording, 1 risky wording.",
    ):
        assert said in answer.stdout


def test_a_clean_text_ends_with_0_and_is_not_called_lawful() -> None:
    answer = lint("At most 7.64 g CO2e per minute of finished music.")
    assert answer.exit_code == 0
    assert "a clean text is not thereby lawful" in answer.stdout


def test_a_file_is_read_and_named(tmp_path: Path) -> None:
    file = tmp_path / "release.md"
    file.write_text(BAD)
    assert f"{file}:2:7  barred" in lint(str(file)).stdout


def test_stdin_is_read(tmp_path: Path) -> None:
    answer = lint("-", stdin="\ufeffNachhaltige Musik".encode())
    assert answer.exit_code == 3
    assert "stdin:1:1  barred  Nachhaltige" in answer.stdout


LANGUAGES = {
    "all are read by default": ((), ["en", "de", "fr"]),
    "one": (("--lang", "de"), ["de"]),
    "all": (("--lang", "all"), ["en", "de", "fr"]),
}


@pytest.mark.parametrize(("option", "found"), LANGUAGES.values(), ids=LANGUAGES.keys())
def test_the_language_can_be_chosen(option: tuple[str, ...], found: list[str]) -> None:
    answer = lint("planet-friendly, klimafreundlich, neutre en carbone", "--json", *option)
    assert [finding["language"] for finding in json.loads(answer.stdout)["findings"]] == found


def test_json_is_one_object_with_every_finding() -> None:
    answer = lint(BAD + "<!-- claims-lint: off -->eco-friendly<!-- claims-lint: on -->", "--json")
    assert answer.exit_code == 3
    document = json.loads(answer.stdout)
    assert (document["source"], document["clean"], document["left_out"]) == ("text", False, 1)
    first = document["findings"][0]
    assert (first["line"], first["column"], first["found"]) == (2, 7, "climate-neutral")
    assert {"kind", "risk", "why", "source", "instead"} <= first.keys()


WRONG = {
    "a mistyped file": (("release.tx",), b"", "There is no file release.tx"),
    "a mistyped path": (("texts/release",), b"", "There is no file"),
    "bytes that are no text": (("-",), b"\xff\xfe", "not UTF-8"),
    "too much": (("-",), b"a" * (4 * 1024 * 1024 + 1), "longer than 4 MiB"),
    "a language that has no list": (("x y", "--lang", "it"), b"", "'it' is not one of"),
    "nothing": ((), b"", "Missing argument"),
}


@pytest.mark.parametrize(("arguments", "stdin", "said"), WRONG.values(), ids=WRONG.keys())
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], stdin: bytes, said: str) -> None:
    answer = lint(*arguments, stdin=stdin)
    assert answer.exit_code == 2
    assert said in answer.stderr


def test_a_folder_is_no_text(tmp_path: Path) -> None:
    assert lint(str(tmp_path)).exit_code == 2


def test_a_text_that_no_file_name_could_be_is_a_text() -> None:
    assert lint("green " * 900).exit_code == 3
