"""``certifier doctor``: whether everything here is as it should be, line by line, and what to do where it is not."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import click

from certifier.certificate.times import time_text
from certifier.certificate.trust import Trust, parse_trust
from certifier.cli.lazy import EXTRAS, SERVER
from certifier.cli.options import HOME, JSON, settings_of
from certifier.cli.output import EXIT_NETWORK, EXIT_OPERATOR, console, plain, show_json
from certifier.client import Client, Patience
from certifier.client.transport import Answer, Request
from certifier.client.trust import pinned_trust_file
from certifier.errors import CertifierError, UnreachableError
from certifier.settings import Settings, load_settings

OLDEST_PYTHON = (3, 11)
SKEW = timedelta(seconds=60)
PARTS = {SERVER: "flask", **{extra: module for module, extra in EXTRAS.items()}}  # a module of each extra
COLOURS = {"ok": "green", "note": "cyan", "attention": "bold yellow"}
WORDS = {
    0: "Nothing needs attention.",
    EXIT_OPERATOR: "Something needs attention.",
    EXIT_NETWORK: "The service did not answer.",
}


@dataclass(frozen=True)
class Line:
    """``state`` is ok, note (fine, and worth knowing) or attention. ``todo`` says what to do."""

    part: str
    state: str
    found: str
    todo: str = ""
    exit_code: int = 0


@click.command()
@HOME
@click.option("--server", metavar="URL", envvar="LCAL_SERVER", help="Also look at the service at URL.")
@JSON
@click.pass_context
def doctor(ctx: click.Context, home: Path, server: str | None, as_json: bool) -> None:
    """Look whether everything here is as it should be, and say what to do.

    It looks at this program and its parts, the pinned keys, the installation in --home where there is one, and the service at
    --server. It changes nothing. Exit codes: 0 nothing needs attention, 1 something here does, 5 the service did not answer.
    """
    now = datetime.now(UTC)
    is_named = ctx.get_parameter_source("home") != click.core.ParameterSource.DEFAULT
    lines = [*_program(), *_pinned(now), *_installation(home, now, is_named=is_named)]
    if server:
        lines += _service(server, now)
    codes = {line.exit_code for line in lines if line.state == "attention"}
    code = EXIT_OPERATOR if EXIT_OPERATOR in codes else max(codes, default=0)
    if as_json:
        rows = [{name: value for name, value in asdict(line).items() if name != "exit_code"} for line in lines]
        show_json({"lines": rows, "exit_code": code})
    else:
        _show(lines, code)
    ctx.exit(code)


def _show(lines: Sequence[Line], code: int) -> None:
    out = console()
    for line in lines:
        out.print(f"[{COLOURS[line.state]}]{line.state:<10}[/]{line.part:<14}{plain(line.found)}")
        if line.todo:
            out.print(f"{'':<10}{'':<14}to do: {plain(line.todo)}")
    out.print(WORDS[code])


def _attention(part: str, found: str, todo: str = "", exit_code: int = EXIT_OPERATOR) -> Line:
    return Line(part, "attention", found, todo, exit_code)


def _trouble(part: str, error: CertifierError, exit_code: int = EXIT_OPERATOR) -> Line:
    found = f"{error.message} Found: {error.found}." if error.found else error.message
    return _attention(part, found, error.hint or "", exit_code)


# -- this program -------------------------------------------------------------------------------------------------------


def _program() -> Iterator[Line]:
    try:
        own = version("certifier")
    except PackageNotFoundError:
        own = "run from a folder"
    yield Line("certifier", "ok", own)
    python = platform.python_version_tuple()
    fits = tuple(int(part) for part in python[:2]) >= OLDEST_PYTHON
    words = ".".join(map(str, OLDEST_PYTHON))
    yield (
        Line("python", "ok", platform.python_version())
        if fits
        else _attention("python", platform.python_version(), f"Install Python {words} or newer.")
    )
    for extra, module in PARTS.items():
        if find_spec(module):
            yield Line(extra, "ok", "installed")
        else:
            yield Line(extra, "note", "not installed", f"Where it is needed: pip install 'certifier[{extra}]'")


def _pinned(now: datetime) -> Iterator[Line]:
    file = pinned_trust_file()
    if not file.is_file():
        yield Line("pinned keys", "note", "none", "To verify certificates: certifier init --pin URL")
        return
    try:
        trust = parse_trust(file.read_bytes())
    except (CertifierError, OSError) as error:
        found = error.message if isinstance(error, CertifierError) else str(error)
        yield _attention("pinned keys", f"{file}: {found}", "Pin again: certifier init --pin URL")
        return
    yield _trust_line(trust, file, now)


def _trust_line(trust: Trust, file: Path, now: datetime) -> Line:
    issuers = [key for key in trust.keys if key.role == "issuer"]
    good = [key for key in issuers if key.was_in_force(now) and not key.last_good]
    if good:
        return Line("pinned keys", "ok", f"{', '.join(key.id for key in good)}; in {file}")
    known = ", ".join(f"{key.id} until {time_text(key.valid_until)}" for key in issuers) or "no issuer's key"
    return _attention("pinned keys", known, "Pin the keys of today: certifier init --pin URL")


# -- the installation -----------------------------------------------------------------------------------------------------


def _installation(home: Path, now: datetime, *, is_named: bool) -> Iterator[Line]:
    if not home.is_dir():
        todo = f"Make one: certifier init --home {home}"
        yield _attention("home", f"there is no {home}", todo) if is_named else Line("home", "note", "none here")
        return
    try:
        loaded = load_settings(home)
        settings = settings_of(home)
    except CertifierError as error:
        yield _trouble("settings", error)
        return
    yield from (_attention("settings", warning) for warning in loaded.warnings())
    yield Line("home", "ok", f"{home}, {settings.environment}, {settings.base_url}")
    yield _disk(settings)
    try:
        yield from _books(settings, now)
    except ModuleNotFoundError as error:
        yield Line("database", "note", f"not looked at: no module {error.name}", "pip install 'certifier[server]'")
    except CertifierError as error:
        yield _trouble("installation", error)


def _disk(settings: Settings) -> Line:
    free = shutil.disk_usage(settings.home).free
    words = f"{free / 1e9:.1f} GB free"
    if free > settings.min_free_bytes:
        return Line("disk", "ok", words)
    return _attention("disk", words, f"Issuing pauses below {settings.min_free_bytes / 1e9:.1f} GB: make room.")


def _books(settings: Settings, now: datetime) -> Iterator[Line]:
    from certifier.service.home import look_at_home  # noqa: PLC0415 - the service, which a light installation lacks

    seen = look_at_home(settings, now)
    yield Line("keys", "ok", f"{', '.join(seen.in_force) or 'none'} in force here")
    yield Line("database", "ok", f"{seen.certificates} certificates")
    yield Line("log", "ok", f"{seen.log}, {seen.entries} entries")
    yield from (_attention(problem.kind, problem.found, problem.hint) for problem in seen.problems)


# -- the service ----------------------------------------------------------------------------------------------------------


def _service(server: str, now: datetime) -> Iterator[Line]:
    try:
        client = Client(server, patience=Patience(attempts=1))
        answer = client.send(Request("GET", "/readyz"))
    except UnreachableError as error:
        yield _trouble("server", error, EXIT_NETWORK)
        return
    except CertifierError as error:
        yield _trouble("server", error)
        return
    yield Line("server", "ok", f"{client.server} is ready")
    yield clock_line(answer, now)
    yield from _served_keys(client)


def clock_line(answer: Answer, now: datetime) -> Line:
    """The clock of this machine beside the service's."""
    try:
        there = parsedate_to_datetime(answer.headers.get("date", ""))
        apart = abs(now - there)
    except (ValueError, TypeError, OverflowError):  # no date, one without a zone, one that nobody can count
        return Line("clock", "note", f"{time_text(now)}; the service does not tell its own")
    if apart <= SKEW:
        return Line("clock", "ok", f"{time_text(now)}, as the service's")
    found = f"{time_text(now)} here, {time_text(there)} there"
    return _attention("clock", found, "Set the clock: certificates and lists are judged by it.")


def _served_keys(client: Client) -> Iterator[Line]:
    """Whether the pinned keys are those that the service signs with now."""
    try:
        pinned, served = client.trust, parse_trust(client.get("/trust.json"))
    except CertifierError as error:
        yield _trouble("server's keys", error)
        return
    if pinned is None:
        return
    known = {key.key.raw for key in pinned.keys}
    fresh = [key.id for key in served.keys if key.role == "issuer" and key.key.raw not in known]
    if fresh:
        todo = f"Take them up with: certifier pack --server {client.server} -o FILE --pin"
        yield Line("server's keys", "note", f"not pinned: {', '.join(fresh)}", todo)
    else:
        yield Line("server's keys", "ok", "all pinned")
