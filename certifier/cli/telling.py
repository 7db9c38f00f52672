"""The outermost group: every error ends here, in one clear message, or with ``--json`` in one object, and an exit code."""

from __future__ import annotations

import sys
from itertools import takewhile
from typing import Any, NoReturn

import click

from certifier.cli.lazy import LazyGroup, missing_extra
from certifier.cli.output import (
    EXIT_CODES,
    EXIT_NETWORK,
    EXIT_OPERATOR,
    EXIT_REFUSED,
    EXIT_STOPPED,
    EXIT_USAGE,
    JSON_WISHED,
    UnusableFile,
    error_document,
    show_error,
    show_json,
)
from certifier.errors import CertifierError, IncompleteAddress, OperatorError, StandardError, UnreachableError, kind_of


class TellingGroup(LazyGroup):
    """Turns our errors, and wrong usage, into one message and an exit code, wherever they arise."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        # An error may arise before the option is read, so the words themselves are asked; behind -- they are another's.
        wants_json = "--json" in takewhile(lambda word: word != "--", args)
        try:
            ctx = super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            if not wants_json:
                raise
            _end_usage(error)
        ctx.meta[JSON_WISHED] = wants_json
        return ctx

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except CertifierError as error:
            _end(error, as_json=ctx.meta[JSON_WISHED])
        except ModuleNotFoundError as error:
            missing = missing_extra(error)
            if missing is None:
                raise
            _end(missing, as_json=ctx.meta[JSON_WISHED])
        except click.UsageError as error:
            if not ctx.meta[JSON_WISHED]:
                raise
            _end_usage(error)
        except KeyboardInterrupt:
            if ctx.meta[JSON_WISHED]:
                show_json(error_document("stopped", EXIT_CODES[EXIT_STOPPED], EXIT_STOPPED))
            else:
                click.echo("Stopped.", err=True)
            sys.exit(EXIT_STOPPED)


def _end(error: CertifierError, *, as_json: bool) -> NoReturn:
    code = exit_code_for(error)
    if as_json:
        show_json(error_document(kind_of(error), error.message, code, error=error))
    else:
        show_error(error)
    sys.exit(code)


def _end_usage(error: click.UsageError) -> NoReturn:
    path = error.ctx.command_path if error.ctx else "certifier"
    show_json(error_document("usage", error.format_message(), error.exit_code, hint=f"See: {path} --help"))
    sys.exit(error.exit_code)


def exit_code_for(error: CertifierError) -> int:
    if isinstance(error, UnreachableError):
        return EXIT_NETWORK
    if isinstance(error, (IncompleteAddress, UnusableFile)):
        return EXIT_USAGE
    return EXIT_OPERATOR if isinstance(error, (OperatorError, StandardError)) else EXIT_REFUSED
