"""How far a long command has come: a line at the bottom of a terminal while something moves, and nothing anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from certifier.cli.output import moving


@contextmanager
def counting(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A function that is told how many more are done."""
    from rich.progress import MofNCompleteColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - --help does without

    with moving(TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn()) as progress:
        task = progress.add_task(what, total=total)
        yield lambda more: progress.advance(task, more)
