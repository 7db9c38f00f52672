"""The command line: ``certifier …``. Results go to stdout, everything else to stderr.

Exit codes: 0 done or valid · 1 the installation is wrong · 2 wrong usage · 3 not valid, or refused · 5 network · 6 cannot tell
· 130 stopped with Ctrl-C.
Every failure says what was found, what was expected and what to try; ``--json`` never changes the code.
"""

from __future__ import annotations

import click

from certifier.cli.lazy import Later, LazyGroup
from certifier.cli.telling import TellingGroup

LOG = {
    "fsck": Later(
        "certifier.cli.log:fsck",
        "Check everything: entries, tiles, checkpoints, certificates, reservations.",
    ),
    "monitor": Later(
        "certifier.cli.monitor:monitor",
        "Follow the log of the service at URL: tell what is new, and refuse whatever contradicts what was seen before.",
    ),
    "proof": Later(
        "certifier.cli.log:proof",
        "Print the .tlog-proof of the entry about CODE: that it was issued, or how its status changed last.",
    ),
    "turn": Later(
        "certifier.cli.log:turn",
        "Close the log and begin the next one, with a new origin and key: once a year, or when a key was lost.",
    ),
}
WEBHOOKS = {
    "deliveries": Later(
        "certifier.cli.webhooks:deliveries", "List what was sent to ENDPOINT and what waits, the newest first."
    ),
    "list": Later(
        "certifier.cli.webhooks:list_", "List all endpoints: whose they are, where they lead, whether they fail."
    ),
    "listen": Later(
        "certifier.cli.listen:listen",
        "Follow what happens at a service, and pass each event on to a receiver that you write.",
    ),
    "replay": Later(
        "certifier.cli.webhooks:replay",
        "Send the event of DELIVERY again, under its own id; a running service does it within a second or two.",
    ),
}
COMMANDS = {
    "api-keys": Later("certifier.cli.api_keys:api_keys", "API keys of platforms and operators: make, list, revoke."),
    "backup": Later("certifier.cli.log:backup", "Copy the installation to the new folder TARGET while it runs."),
    "claims": Later("certifier.cli.claims:claims", "Check what a text says about the climate."),
    "complaints": Later(
        "certifier.cli.complaints:complaints",
        "Complaints and reports of misuse: acknowledged in 5 days, a finding in 14.",
    ),
    "completion": Later(
        "certifier.cli.guidance:completion", "Print the script that lets a shell complete commands and options."
    ),
    "config": Later("certifier.cli.config:config", "What the settings are, and what they may be."),
    "contact": Later(
        "certifier.cli.service:contact",
        "Show how to reach the holder of the certificate with CODE, where that was said.",
    ),
    "doctor": Later(
        "certifier.cli.doctor:doctor", "Look whether everything here is as it should be, and say what to do."
    ),
    "explain": Later("certifier.cli.explain:explain", "Show where every gram of a signed REPORT's figure comes from."),
    "help": Later("certifier.cli.guidance:help_", "Explain a TOPIC, such as exit-codes, or a command."),
    "import": Later(
        "certifier.cli.imports:import_logs",
        "Make a session file of LOGs that another measuring tool wrote: energy, time and run, nothing else.",
    ),
    "init": Later("certifier.cli.init:init", "Make a service's home: keys, register, database."),
    "keys": Later(
        "certifier.cli.keys:keys", "Make and show signing keys; rotate, retire and report those of an installation."
    ),
    "measure": Later(
        "certifier.cli.measure:measure",
        "Measure COMMAND with CodeCarbon and write emissions.csv (the raw log) and session.json.",
    ),
    "mine": Later(
        "certifier.cli.mine:mine",
        "List what was submitted with a key: decisions, codes, states, ends and renewals.",
    ),
    "pack": Later(
        "certifier.cli.pack:pack",
        "Write one signed file with all that verification without a network needs: keys, status lists, standards, log.",
    ),
    "reinstate": Later(
        "certifier.cli.service:reinstate", "Reinstate the certificate with CODE, through the public log."
    ),
    "replay": Later(
        "certifier.cli.replay:replay",
        "Decide again, offline, from a certificate's public files, and say whether the certificate follows.",
    ),
    "report": Later("certifier.cli.report:report", "Make, sign and check an emission report."),
    "restore": Later(
        "certifier.cli.log:restore",
        "Bring back an installation from BACKUP, or compare a restored database with the log as it was published.",
    ),
    "revoke": Later("certifier.cli.service:revoke", "Revoke the certificate with CODE, through the public log."),
    "sandbox": Later("certifier.cli.sandbox:sandbox", "Examples for trying out."),
    "serve": Later("certifier.cli.service:serve", "Run the service until it is stopped."),
    "standard": Later(
        "certifier.cli.standard:standard", "Test, check, compare, draft and publish a standard's folder."
    ),
    "statement": Later(
        "certifier.cli.statement:statement", "Make, sign, check and register the statement of a model or a service."
    ),
    "status": Later("certifier.cli.status:status", "The status lists: who is revoked, who is suspended."),
    "submit": Later("certifier.cli.report:submit", "Send a signed REPORT with its master and raw logs to a service."),
    "suspend": Later("certifier.cli.service:suspend", "Suspend the certificate with CODE, through the public log."),
    "verify": Later(
        "certifier.cli.verify:verify",
        "Verify a certificate: any of its files, the code or the QR text of a label, or the audio itself; or a catalogue.",
    ),
}


@click.group(
    cls=TellingGroup,
    later=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="certifier")
def main() -> None:
    """Low-Carbon Audio Label: measure, report, certify and verify AI-made music.

    \b
    Artists      keys, measure, import, report, submit, mine, claims
    Services     statement
    Platforms    verify, pack, webhooks listen
    Auditors     explain, replay, verify, standard test
    Editors      standard new, lint, test, diff, simulate, publish
    Operators    init, serve, revoke, suspend, reinstate, contact, complaints, api-keys, webhooks, statement, log,
                 backup, restore, config
    Monitors     log monitor, status recompute
    Trying out   sandbox fill
    Everybody    doctor, completion, help exit-codes
    """  # noqa: D301 - click reads the backspace as: keep these lines


@main.group("log", cls=LazyGroup, later=LOG)
def log_group() -> None:
    """Check, prove, watch and turn the public log."""


@main.group(cls=LazyGroup, later=WEBHOOKS)
def webhooks() -> None:
    """Hear of what happens: follow it here, and, as the operator, see what was delivered where."""
