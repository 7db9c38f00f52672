"""What the command line shows: plain words first, colour only where a terminal wants it."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click
from rich.console import Console

from certifier.errors import CertifierError, MalformedReport

EXIT_OPERATOR, EXIT_USAGE, EXIT_REFUSED, EXIT_NETWORK, EXIT_CANNOT_TELL = 1, 2, 3, 5, 6


def console(*, stderr: bool = False) -> Console:
    """A console for stdout or stderr; NO_COLOR and dumb terminals are respected."""
    return Console(stderr=stderr, highlight=False, emoji=False, soft_wrap=True, no_color="NO_COLOR" in os.environ)


def show_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def show_error(error: CertifierError) -> None:
    """The error as people read it: what, then found, expected and what to try."""
    out = console(stderr=True)
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
