"""``certifier sandbox fill``: a certificate for each state, under codes that never change."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from certifier.certificate.code import display_code
from certifier.cli.options import HOME, settings_of
from certifier.cli.output import console, plain, show_json
from certifier.service.sandbox import MISTYPED_CODE, UNKNOWN_CODE
from certifier.service.sandbox_fill import Filled, fill_sandbox

OTHERS = {"unknown": UNKNOWN_CODE, "mistyped": MISTYPED_CODE}


@click.group("sandbox")
def sandbox() -> None:
    """Examples for trying out."""


@sandbox.command()
@HOME
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def fill(home: Path, as_json: bool) -> None:
    """Issue one example certificate for each state, under the fixed codes that /docs/sandbox lists.

    Only in the environments demo and sandbox. What is there stays as it is: a second run changes nothing. The expired one can
    be made in a new home alone, before its log holds anything. Exit code 3 in production.
    """
    filled = fill_sandbox(settings_of(home), datetime.now(UTC), _ignored if as_json else _show)
    if as_json:
        show_json({"examples": [vars(one) for one in filled], "not_issued": OTHERS})
        return
    for state, code in OTHERS.items():
        console().print(f"{state:<12}{display_code(code)}  is never issued")


def _ignored(_: Filled) -> None:
    """With ``--json`` there is one object at the end."""


def _show(filled: Filled) -> None:
    why = f": {plain(filled.why)}" if filled.why else ""
    console().print(f"{filled.state:<12}{display_code(filled.code)}  {filled.title:<16}{filled.done}{why}")
