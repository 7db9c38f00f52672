"""What the command line shows: plain words first, colour only where a terminal wants it; and what its exit codes mean."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from certifier.errors import CertifierError, ForeignInputError, MalformedReport

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

EXIT_OPERATOR, EXIT_USAGE, EXIT_REFUSED, EXIT_NETWORK, EXIT_CANNOT_TELL = 1, 2, 3, 5, 6
EXIT_STOPPED = 130  # as shells have it: 128 and the number of SIGINT
EXIT_CODES = {
    0: "Done, or valid.",
    EXIT_OPERATOR: "The installation is wrong: settings, keys, database, or a part that is not installed.",
    EXIT_USAGE: "Wrong usage: an option, an argument, or an address.",
    EXIT_REFUSED: "Checked and not valid, or refused.",
    EXIT_NETWORK: "The network or the server did not answer, or not now.",
    EXIT_CANNOT_TELL: "Cannot tell: a key, a list or a proof that is needed is not at hand.",
    EXIT_STOPPED: "Stopped with Ctrl-C.",
}
_QUIET = "certifier.quiet"
JSON_WISHED = "certifier.json"


class UnusableFile(ForeignInputError):
    """What an option names cannot be used: wrong usage, and no word about what was to be checked."""


def _be_quiet(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[_QUIET] = True


def with_quiet(command: click.Command) -> click.Command:
    """The command, and all below it, with the option ``--quiet``."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_quiet(below)
    if all("--quiet" not in parameter.opts for parameter in command.params):
        command.params.append(
            click.Option(
                ["--quiet"],
                is_flag=True,
                expose_value=False,
                callback=_be_quiet,
                help="Only results and errors: no notes, no progress.",
            )
        )
    return command


def console(*, stderr: bool = False, always: bool = False) -> Console:
    """A console for stdout or stderr; NO_COLOR and dumb terminals are respected.

    What goes to stderr are notes, which ``--quiet`` leaves out; ``always`` is for what nobody may miss.
    """
    from rich.console import Console  # noqa: PLC0415 - --help does without

    ctx = click.get_current_context(silent=True)
    is_quiet = stderr and not always and ctx is not None and _QUIET in ctx.meta
    no_color = bool(os.environ.get("NO_COLOR"))  # no-color.org: present and not empty
    return Console(stderr=stderr, highlight=False, emoji=False, soft_wrap=True, no_color=no_color, quiet=is_quiet)


def moving(*columns: ProgressColumn) -> Progress:
    """Bars on stderr, on a terminal alone; they are gone when the work is done, and a word takes their place."""
    from rich.progress import Progress  # noqa: PLC0415 - --help does without

    return Progress(*columns, console=console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def wants_json() -> bool:
    """Whether the command that runs was asked for JSON."""
    ctx = click.get_current_context(silent=True)
    return ctx is not None and bool(ctx.meta.get(JSON_WISHED))


def show_result(document: dict[str, Any], *words: str) -> None:
    """What came out, on stdout: one object with ``--json``, else a line for each of the words, where there are any."""
    if wants_json():
        show_json(document)
        return
    for line in words:
        console().print(line)


def show_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def error_document(
    kind: str, message: str, exit_code: int, *, error: CertifierError | None = None, hint: str | None = None
) -> dict[str, Any]:
    """An error as one object for ``--json``: what a person reads on stderr, by name."""
    findings = error.findings if isinstance(error, MalformedReport) else ()
    told = {
        "type": kind,
        "message": message,
        "pointer": error and error.pointer,
        "found": error and error.found,
        "expected": error and error.expected,
        "hint": error.hint if error else hint,
    }
    listed = [{"pointer": each.pointer, "problem": each.problem, "found": each.found} for each in findings]
    return {"error": told | ({"findings": listed} if listed else {}), "exit_code": exit_code}


def show_error(error: CertifierError) -> None:
    """The error as people read it: what, then found, expected and what to try."""
    out = console(stderr=True, always=True)
    out.print(f"[bold red]error[/]  {plain(error.message)}")
    findings = error.findings[:20] if isinstance(error, MalformedReport) else ()
    for finding in findings:
        found = f" (found {finding.found})" if finding.found else ""
        out.print(f"  {plain(finding.pointer or '/')}: {plain(finding.problem + found)}")
    rows = (("at", error.pointer), ("found", error.found), ("expected", error.expected)) if not findings else ()
    for label, text in (*rows, ("try", error.hint)):
        if text:
            out.print(f"  {label:<9}{plain(text)}")
    sys.stderr.flush()


def counted(number: int, name: str) -> str:
    """A number of things in words: 1 log, 2 logs."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def plain(text: str) -> str:
    """Text of others without terminal control characters or markup."""
    return "".join(char if char.isprintable() else "�" for char in text).replace("[", "\\[")
