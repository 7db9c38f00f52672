"""The process duties of LCAL 14 as options: what an applicant says about how the work is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--model-efficiency", multiple=True, help="A measure taken (class 1 asks for one); repeat."),
    click.option("--dataset-governance", help="Link to the policy on training data (class 2 asks for it)."),
    click.option("--auditable-pipeline", help="Link to how run ids and logs are kept (class 2 asks for it)."),
    click.option("--equipment-off", help="Link to how idle machines are switched off (class 1 asks for it)."),
    click.option("--end-of-life", help="Link to how old machines are recycled (class 1 asks for it)."),
    click.option("--take-retention-days", help="Days until discarded takes are deleted; 365 if not given."),
)


def duties(command: _Command) -> _Command:
    """Gives a command the options, to be taken as keyword arguments."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def process_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """What was said, as ``process`` of a report has it (section 15); what was not said is left out."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items() if value}
