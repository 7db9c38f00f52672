"""``certifier log``, ``backup`` and ``restore``: what operators and monitors do with the log."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.progress import TaskID

from certifier.certificate.code import display_code, parse_code
from certifier.cli.mirror import Watch, copy_certificate
from certifier.cli.options import HOME, JSON, JSON_RESULT, PASSPHRASE_FILE, passphrase_of, service_at, settings_of
from certifier.cli.output import EXIT_OPERATOR, console, moving, plain, show_json, show_result, wants_json
from certifier.errors import NotFoundError, OperatorError
from certifier.log.note import verifier_key_for
from certifier.service.backup import (
    Adopted,
    Restored,
    adopt_certificates,
    begin_restore,
    end_restore,
    make_backup,
    restore_logs,
)
from certifier.service.fsck import Finding, check_installation, repair_files
from certifier.service.home import open_certifier, open_logbooks, turn_log
from certifier.service.logbook import Logbook
from certifier.settings import BASE_URL_FILE, Settings
from certifier.storage.files import list_files, load_keyring, load_text
from certifier.storage.log_folder import CERTIFICATES
from certifier.storage.store import Store


@click.command()
@HOME
@click.option("--repair", is_flag=True, help="Write torn or missing public files anew, from entries that were checked.")
@JSON
@click.pass_context
def fsck(ctx: click.Context, home: Path, repair: bool, as_json: bool) -> None:
    """Check everything: entries, tiles, checkpoints, certificates, reservations. Exit 1 if anything is wrong."""
    settings = settings_of(home)
    keyring = load_keyring(settings.register_dir)
    with closing(Store.open(settings.database)) as store:
        books = open_logbooks(settings, store, keyring, begin=False)
        if repair:
            for origin, size in repair_files(books).items():
                console(stderr=True).print(
                    f"{origin}: the files of size {size} are as the entries lead to; restart the service"
                )
            books = open_logbooks(settings, store, keyring, begin=False)
        with moving() as bar:
            tasks: dict[str, TaskID] = {}

            def progress(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bar.add_task(what, total=total)
                bar.update(tasks[what], completed=done, total=total)

            found = list(check_installation(store, books, keyring, settings.did, progress))
        _show_findings(books, found, store.counts()["certificates"], as_json=as_json)
    ctx.exit(EXIT_OPERATOR if found else 0)


def _show_findings(books: list[Logbook], found: list[Finding], certificates: int, *, as_json: bool) -> None:
    if as_json:
        logs = [{"origin": book.origin, "size": book.head.size, "closed": book.is_frozen} for book in books]
        findings = [vars(finding) for finding in found]
        show_json({"ok": not found, "logs": logs, "certificates": certificates, "findings": findings})
        return
    out = console()
    for finding in found:
        out.print(f"[bold red]WRONG[/]  {plain(finding.place)}: {plain(finding.found)}")
    sizes = ", ".join(f"{book.origin} at size {book.head.size}" for book in books)
    word = f"[bold red]{len(found)} WRONG[/]" if found else "[bold green]OK[/]"
    out.print(f"{word}  {sizes}; {certificates} certificates")


@click.command()
@click.argument("code")
@click.option(
    "--kind",
    type=click.Choice(("issue", "revoke", "suspend", "reinstate")),
    default="issue",
    show_default=True,
    help="Which entry about it, the newest of its kind.",
)
@HOME
@click.option("--server", envvar="LCAL_SERVER", help="Fetch the certificate's proof from a service instead.")
def proof(code: str, kind: str, home: Path, server: str | None) -> None:
    """Print the .tlog-proof of the entry about CODE: that it was issued, or how its status changed last."""
    plain_code = parse_code(code)
    if server:
        if kind != "issue":
            raise click.UsageError("A service gives the proof of the issue entry; the others are made with --home.")
        sys.stdout.buffer.write(service_at(server).get(f"/v/{plain_code}.tlog-proof"))
        return
    settings = settings_of(home)
    keyring = load_keyring(settings.register_dir)
    with closing(Store.open(settings.database)) as store:
        books = open_logbooks(settings, store, keyring, begin=False)
        placed = store.entry_for(plain_code, kind)
        book = next((book for book in books if placed and placed.origin == book.origin), None)
        if book is None:
            raise NotFoundError(f"No log here holds such an entry about {display_code(plain_code)}.", found=kind)
        sys.stdout.buffer.write(book.proof_for(plain_code, kind))


@click.command()
@HOME
@click.option("--yes", is_flag=True, help="Do not ask.")
@PASSPHRASE_FILE
@JSON_RESULT
def turn(home: Path, yes: bool, passphrase_file: Path | None) -> None:
    """Close the log and begin the next one, with a new origin and key: once a year, or when a key was lost."""
    if not yes:
        click.confirm("A closed log takes no entry ever again. Close it and begin the next one?", abort=True, err=True)
    settings = settings_of(home, passphrase_file)
    old, new = turn_log(settings, datetime.now(UTC), passphrase_of(passphrase_file, settings.private_dir))
    show_result(
        {"closed": old, "began": new},
        f"Closed {old}; it stays at /log/{old.rpartition('/')[2]}/ for ever. Began {new}.",
        "Publish the new key, and let everybody who pins keys fetch the trust file again.",
        "Back up now, with the keys: an older backup does not know this log.",
    )


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@HOME
@click.option("--with-keys", is_flag=True, help="Copy the private keys too; then keep the copy as safe as they are.")
@click.option("--without-database", is_flag=True, help="For PostgreSQL, which is backed up with its own tools.")
@JSON_RESULT
def backup(target: Path, home: Path, with_keys: bool, without_database: bool) -> None:
    """Copy the installation to the new folder TARGET while it runs."""
    make_backup(settings_of(home), target, with_keys=with_keys, with_database=not without_database)
    keys = "private keys included: keep it safe" if with_keys else "without the private keys"
    document = {"home": str(home), "backup": str(target), "with_keys": with_keys, "with_database": not without_database}
    show_result(document, f"Backed up {home} to {target} ({keys}).")


@click.command()
@click.argument(
    "source", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False, metavar="[BACKUP]"
)
@HOME
@click.option(
    "--mirror",
    "mirrors",
    multiple=True,
    metavar="DIR|URL",
    help="What was published: a folder of 'certifier log monitor', or the service's address. May be given several times.",
)
@click.option("--nothing-newer", is_flag=True, help="I know that nothing was published after this backup.")
@click.option(
    "--certificates",
    "copies",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with CODE.vc, CODE.report.json and CODE.decision.json, to bring back certificates that were lost. "
    "May be given several times.",
)
@JSON_RESULT
def restore(
    source: Path | None, home: Path, mirrors: tuple[str, ...], nothing_newer: bool, copies: tuple[Path, ...]
) -> None:
    """Bring back an installation from BACKUP, or compare a restored database with the log as it was published.

    Entries that a mirror has and the database lost are taken over; the log never goes on behind what was published.
    Certificates that were lost are brought back from the public files that a mirror has of them. With only the keys in
    --home, the bundles of a mirror alone rebuild the log.
    """
    if not mirrors and not nothing_newer:
        raise click.UsageError(
            "Name a --mirror of the published log. A log that goes on behind what was published shows two histories, and "
            "nobody can trust it again. If there is none, say --nothing-newer."
        )
    settings = settings_of(home)
    with TemporaryDirectory() as fetched:
        register = source / "keys" if source else settings.register_dir
        folders = [_mirror_folder(mirror, Path(fetched) / str(at), register) for at, mirror in enumerate(mirrors)]
        begin_restore(source, settings)
        settings = settings_of(home)
        if load_text(home / BASE_URL_FILE) is None and "LCAL_BASE_URL" not in os.environ:
            raise OperatorError(
                f"{home} does not say which address it was made for.",
                expected=f"the file {BASE_URL_FILE}, or LCAL_BASE_URL",
                hint="It is signed into every certificate; the log's origin begins with its host.",
            )
        restored = list(restore_logs(settings, folders))
        for log in restored:
            _show_restored(log)
        end_restore(settings)
        adopted = _adopted(settings, mirrors, [*copies, *folders], Path(fetched))
    _show_adopted(adopted)
    certifier = open_certifier(settings, datetime.now(UTC))
    certifier.close()
    if certifier.problems:
        problem = certifier.problems[0]
        raise OperatorError(
            f"The installation can only be read from: {problem.kind}.", found=problem.found, hint=problem.hint
        )
    whole = f"may go on; {len(adopted.lost)} certificates are still lost" if adopted.lost else "is whole and may go on"
    head = certifier.logbook.head.size
    document = {
        "home": str(home),
        "log": certifier.logbook.origin,
        "entries": head,
        "restored": [asdict(log) for log in restored],
        "certificates": {name: list(codes) for name, codes in asdict(adopted).items()},
    }
    show_result(document, f"{home} {whole}: {certifier.logbook.origin} at size {head}.")


def _adopted(settings: Settings, mirrors: tuple[str, ...], folders: list[Path], fetched: Path) -> Adopted:
    """Certificates from the folders and what lies below them, then what the services among the mirrors still have."""
    kept = [found for folder in folders for found in list_files(folder, f"**/{CERTIFICATES}")]
    adopted = adopt_certificates(settings, [*folders, *kept])
    for at, server in enumerate(service_at(mirror) for mirror in mirrors if _is_url(mirror)):
        folder = fetched / f"certificates-{at}"
        for code in adopted.lost:
            copy_certificate(server, code, folder)
        adopted = adopted.followed_by(adopt_certificates(settings, [folder]))
    return adopted


def _is_url(mirror: str) -> bool:
    return mirror.startswith(("http://", "https://"))


def _mirror_folder(mirror: str, copies: Path, register: Path) -> Path:
    """The folder of a mirror; the logs that a service publishes are first copied, every byte of them checked."""
    if not _is_url(mirror):
        if not Path(mirror).is_dir():
            raise click.UsageError(f"There is no folder {mirror}.")
        return Path(mirror)
    registered = load_keyring(register).with_role("log")
    keys = [verifier_key_for(entry.id, entry.public) for entry in registered]
    watch = Watch(service_at(mirror), copies, keys, warn=console(stderr=True).print)
    for key in keys:
        watch.copy(key.name)
    return copies


def _show_restored(restored: Restored) -> None:
    out = console(stderr=wants_json())
    gained = restored.after - restored.before
    out.print(f"{restored.origin}: {restored.before} entries were here, {gained} taken over from what was published.")


def _show_adopted(adopted: Adopted) -> None:
    out = console(stderr=wants_json())
    if adopted.back:
        out.print(f"{len(adopted.back)} certificates were brought back from their public files.")
    if adopted.lost:
        out.print(f"{len(adopted.lost)} certificates are known to the log alone: {_some(adopted.lost)}")
        out.print("  The files that people hold stay as they are; give copies of them with --certificates DIR.")
    if adopted.withdrawn:
        out.print(f"  {len(adopted.withdrawn)} of them are withdrawn: {_some(adopted.withdrawn)}")
        out.print("  Until they are back no status list is given out, so nothing is called valid.")


def _some(codes: tuple[str, ...]) -> str:
    return ", ".join(map(display_code, codes[:10])) + (" …" if len(codes) > 10 else "")
