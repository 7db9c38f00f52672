"""Groups whose commands are read when they are used: ``certifier --help`` stays fast, and works without the service installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from certifier.cli.output import with_quiet
from certifier.errors import OperatorError

SERVER = "server"
EXTRAS = {
    "codecarbon": "measure",
    "music21": "studio",
    "pkcs11": "hsm",
    "limits": "redis",
    "pyarrow": "catalogue",
    "ray": "cluster",
}  # top-level modules of extras; those that are not named here belong to the service


class MissingExtra(OperatorError):
    """A command of a part that was not installed; ``extra`` is the part's name in pyproject.toml."""

    def __init__(self, module: str) -> None:
        self.extra = EXTRAS.get(module, SERVER)
        super().__init__(
            "This command needs a part that is not installed.",
            found=f"no module {module}",
            hint=f"Install it with: pip install 'certifier[{self.extra}]'",
        )


def missing_extra(error: ModuleNotFoundError) -> MissingExtra | None:
    """What to install for a module that was not found; None where one of our own is missing, which is a fault of ours."""
    module = (error.name or "").partition(".")[0]
    return MissingExtra(module) if module and module != "certifier" else None


@dataclass(frozen=True)
class Later:
    """A command by its place, ``module:name``, with the first sentence of its help."""

    place: str
    sentence: str

    def load(self) -> click.Command:
        module, _, name = self.place.partition(":")
        try:
            command = getattr(import_module(module), name)
        except ModuleNotFoundError as error:
            if found := missing_extra(error):
                raise found from error
            raise
        assert isinstance(command, click.Command)
        return command


class LazyGroup(click.Group):
    """A group that holds some commands, and knows the place of others."""

    def __init__(self, *arguments: Any, later: Mapping[str, Later] | None = None, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.later = dict(later or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self.later})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.later and cmd_name not in self.commands:
            self.add_command(self.later[cmd_name].load(), cmd_name)
        command = super().get_command(ctx, cmd_name)
        return with_quiet(command) if command else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in ``--help``, without reading a command that was not read yet."""
        names = self.list_commands(ctx)
        room = formatter.width - 6 - max(map(len, names), default=0)
        with formatter.section("Commands"):
            formatter.write_dl([(name, _shortened(self._sentence(name), room)) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names that begin like this, then the options; no command is read for it."""
        if incomplete.startswith("-"):
            return super(click.Group, self).shell_complete(ctx, incomplete)
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        return [CompletionItem(name, help=_shortened(self._sentence(name), 60)) for name in names]

    def _sentence(self, name: str) -> str:
        return self.later[name].sentence if name in self.later else first_sentence(self.commands[name])


def first_sentence(command: click.Command) -> str:
    """The first sentence of a command's help, in one line."""
    words = (command.help or "").replace("\b", " ").split("\n\n")[0].split()
    ends = next((at for at, word in enumerate(words) if word.endswith(".") and word != "..."), len(words) - 1)
    return " ".join(words[: ends + 1])


def _shortened(text: str, room: int) -> str:
    """The text, or its first whole words with three points where it is too long for the room (characters)."""
    if len(text) <= room:
        return text
    return text[: max(room - 3, 1)].rsplit(" ", 1)[0].rstrip(",:;") + "..."
