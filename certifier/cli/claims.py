"""``certifier claims lint``: what a text says about the climate and should not, where, why, and a better way to say it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from certifier.cli.output import EXIT_REFUSED, console, counted, plain, show_json
from certifier.wording.claims import Finding, claims_in, marked_places
from certifier.wording.lexicon import LANGUAGES

MOST_BYTES = 4 * 1024 * 1024
STDIN = "-"


@click.group()
def claims() -> None:
    """Check what a text says about the climate."""


@claims.command()
@click.argument("text")
@click.option(
    "--lang", "language", type=click.Choice([*LANGUAGES, "all"]), default="all", help="The language of the text."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def lint(text: str, language: str, as_json: bool) -> None:
    """Find wording that is barred or risky in TEXT: the name of a file, the text itself, or - for stdin.

    Markdown, HTML and plain text are read alike. Exit code 0: nothing found, 3: something found. A clean text is not thereby
    lawful: words are read here, not meaning.
    """
    name, content = _source(text)
    found = claims_in(content, LANGUAGES if language == "all" else (language,))
    marked = len(marked_places(content))
    if as_json:
        document = {"source": name, "languages": language, "clean": not found, "left_out": marked}
        show_json(document | {"findings": [asdict(finding) for finding in found]})
    else:
        _show(name, found, marked)
    sys.exit(EXIT_REFUSED if found else 0)


def _source(text: str) -> tuple[str, str]:
    """The name of what is checked, and its text."""
    if text == STDIN:
        return "stdin", _decoded("stdin", sys.stdin.buffer.read(MOST_BYTES + 1))
    if _is_file(text):
        with Path(text).open("rb") as file:
            return text, _decoded(text, file.read(MOST_BYTES + 1))
    if _looks_like_a_file(text):
        raise click.BadParameter(f"There is no file {text}. A text of one word goes to stdin: certifier claims lint -")
    return "text", text


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a name, or with a byte that no name has
        return False


def _looks_like_a_file(text: str) -> bool:
    """Whether somebody who types this means a file: else a mistyped name would be found clean."""
    return len(text.split()) == 1 and ("/" in text or "." in text.strip(".!?"))


def _decoded(name: str, raw: bytes) -> str:
    if len(raw) > MOST_BYTES:
        raise click.BadParameter(f"{name} is longer than {MOST_BYTES // 1024**2} MiB. Check it in parts.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{name} is not UTF-8 text (byte {error.start}).") from error


def _show(name: str, found: list[Finding], marked: int) -> None:
    out = console()
    for finding in found:
        colour = "red" if finding.risk == "barred" else "yellow"
        place = f"{name}:{finding.line}:{finding.column}"
        out.print(f"[bold]{plain(place)}[/]  [{colour}]{finding.risk}[/]  [bold]{plain(finding.found)}[/]")
        for label, words in (("why", finding.why), ("source", finding.source), ("instead", finding.instead)):
            out.print(f"  {label:<9}{plain(words)}")
    if marked:
        out.print(f"{counted(marked, 'marked place')} left out (claims-lint: off … on).")
    barred = sum(finding.risk == "barred" for finding in found)
    out.print(
        f"{counted(barred, 'barred wording')}, {counted(len(found) - barred, 'risky wording')}."
        if found
        else "Nothing found. Words were read, not meaning: a clean text is not thereby lawful."
    )
