"""The command line: ``certifier …``. Results go to stdout, everything else to stderr.

Exit codes: 0 done or valid · 1 the installation is wrong · 2 wrong usage · 3 not valid, or refused · 5 network · 6 cannot tell.
Every failure says what was found, what was expected and what to try; ``--json`` never changes the code.
"""

from __future__ import annotations

import sys

import click

from certifier.cli import (
    api_keys,
    claims,
    complaints,
    config,
    explain,
    imports,
    keys,
    log,
    measure,
    mine,
    monitor,
    pack,
    replay,
    report,
    sandbox,
    service,
    service_report,
    simulate,
    standard,
    statement,
    status,
    verify,
)
from certifier.cli.output import EXIT_NETWORK, EXIT_OPERATOR, EXIT_REFUSED, EXIT_USAGE, show_error
from certifier.errors import CertifierError, IncompleteAddress, OperatorError, StandardError, UnreachableError


class _Group(click.Group):
    """Turns our errors into one clear message and an exit code, wherever they arise."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except CertifierError as error:
            show_error(error)
            sys.exit(_exit_code_for(error))


def _exit_code_for(error: CertifierError) -> int:
    if isinstance(error, UnreachableError):
        return EXIT_NETWORK
    if isinstance(error, IncompleteAddress):
        return EXIT_USAGE
    return EXIT_OPERATOR if isinstance(error, (OperatorError, StandardError)) else EXIT_REFUSED


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="certifier")
def main() -> None:
    """Low-Carbon Audio Label: measure, report, certify and verify AI-made music.

    \b
    Artists      keys, measure, import, report, submit, mine, claims
    Services     statement
    Platforms    verify, pack
    Auditors     explain, replay, verify, standard test
    Editors      standard new, lint, test, diff, simulate, publish
    Operators    init, serve, revoke, suspend, reinstate, contact, complaints, api-keys, statement, log, backup,
                 restore, config
    Monitors     log monitor, status recompute
    Trying out   sandbox fill
    """  # noqa: D301 - click reads the backspace as: keep these lines


log.log_group.add_command(monitor.monitor)
standard.standard.add_command(simulate.simulate)
report.report.add_command(service_report.service_report)

for command in (
    measure.measure,
    imports.import_logs,
    report.report,
    report.submit,
    mine.mine,
    explain.explain,
    verify.verify,
    pack.pack,
    replay.replay,
    standard.standard,
    statement.statement,
    keys.keys,
    claims.claims,
    service.init,
    service.serve,
    service.revoke,
    service.suspend,
    service.reinstate,
    service.contact,
    config.config,
    complaints.complaints,
    api_keys.api_keys,
    sandbox.sandbox,
    log.log_group,
    log.backup,
    log.restore,
    status.status,
):
    main.add_command(command)
