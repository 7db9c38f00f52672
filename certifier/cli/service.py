"""``certifier serve`` and the acts of an operator."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from certifier.certificate.code import display_code, parse_code
from certifier.cli.options import HOME, JSON_RESULT, settings_of
from certifier.cli.output import plain, show_result
from certifier.service.certifier import REASONS, ChangeType
from certifier.service.home import open_certifier
from certifier.settings import load_settings


@click.command()
@HOME
@click.option("--host", help="The address to listen on; else the setting `host`.")
@click.option(
    "--port", type=click.IntRange(1, 65535), envvar="PORT", show_envvar=True, help="The port; else the setting `port`."
)
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes, more than one on PostgreSQL; else the setting `workers`."
)
def serve(home: Path, host: str | None, port: int | None, workers: int | None) -> None:
    """Run the service until it is stopped.

    A database in LCAL_DATABASE_URL (postgresql://…) may be shared by several replicas, each with the same keys in its home.
    What forbids to write (see /readyz) does not keep it from serving; then it ends with exit code 1.
    """
    from certifier.web.server import serve as run  # noqa: PLC0415 - the server is heavy and only this command needs it

    loaded = load_settings(home)
    settings = loaded.settings
    host, port, workers = host or settings.host, port or settings.port, workers or settings.workers
    run(settings, host, port, workers, loaded.warnings())


def _act(kind: ChangeType, done: str) -> click.Command:
    @click.command(name=kind, help=f"{kind.capitalize()} the certificate with CODE, through the public log.")
    @click.argument("code")
    @HOME
    @click.option("--reason", type=click.Choice(REASONS), required=True, help="The public reason class.")
    @JSON_RESULT
    def command(code: str, home: Path, reason: str) -> None:
        now = datetime.now(UTC)
        certifier = open_certifier(settings_of(home), now)
        try:
            row = certifier.change_status(parse_code(code), kind, reason, now)
            size = certifier.logbook.head.size
            document = {"code": display_code(row.code), "change": kind, "reason": reason, "log_size": size}
            show_result(document, f"{display_code(row.code)} is {done} since log size {size}")
        finally:
            certifier.close()

    return command


revoke = _act("revoke", "revoked")
suspend = _act("suspend", "suspended")
reinstate = _act("reinstate", "active again")


@click.command()
@click.argument("code")
@HOME
@JSON_RESULT
def contact(code: str, home: Path) -> None:
    """Show how to reach the holder of the certificate with CODE, where that was said. It is private: pass it to nobody."""
    certifier = open_certifier(settings_of(home))
    try:
        found = certifier.store.contact(certifier.certificate(parse_code(code)).submission_id)
    finally:
        certifier.close()
    show_result({"contact": found}, plain(found) if found else "no contact was given")
