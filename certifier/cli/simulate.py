"""``certifier standard simulate``: what a new version of the standard would do to the reports that are on record."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from certifier.certificate.code import display_code
from certifier.certificate.times import time_text
from certifier.cli.options import HOME, settings_of
from certifier.cli.output import console, plain, show_json
from certifier.errors import NotFoundError, OperatorError
from certifier.service.simulate import (
    PAGE,
    Basis,
    Compared,
    Comparison,
    Flips,
    Group,
    Simulation,
    Skipped,
    Tally,
    compare_pages,
    processes_for,
)
from certifier.settings import Settings
from certifier.standard.evaluate import OUTCOMES_RISING
from certifier.standard.model import Standard, parse_standard
from certifier.storage.files import growing_text, load_standard_files
from certifier.storage.store import Store

SHOWN = 20  # rows of a list on the screen
WIDTH = 100
COLUMNS = (
    "submission",
    "code",
    "in_force",
    "decided_by",
    "old_outcome",
    "new_outcome",
    "old_assessed_g_per_min",
    "new_assessed_g_per_min",
    "changed_rules",
    "country",
    "provider",
    "problem",
)


@click.command()
@click.argument("folder", metavar="NEW", type=click.Path(file_okay=False, path_type=Path))
@HOME
@click.option(
    "--all/--certified",
    "everything",
    default=True,
    show_default=True,
    help="Every stored report, or only those whose certificate is in force.",
)
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Only reports received since that day."
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.csv", help="One line for each report."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--quiet", is_flag=True, help="Nothing on stderr but errors.")
def simulate(
    folder: Path, home: Path, everything: bool, since: datetime | None, out: Path | None, as_json: bool, quiet: bool
) -> None:
    """Try the standard in the folder NEW on every stored report, and show whose outcome would change and why.

    Each report is judged again with the evidence that was recorded when it was decided, as if it named the new version.
    Certificates in force are counted apart from all other reports. No decision is changed. Exit code 0, whatever comes out;
    1 if NEW or HOME cannot be read.
    """
    files = _files_of(folder)
    standard = parse_standard(files)
    settings = _installation(home)
    now, since_text = time_text(datetime.now(UTC)), time_text(since.replace(tzinfo=UTC)) if since else ""
    simulation = Simulation()
    with closing(Store.open(settings.database)) as store, _exported(out) as export:
        total = store.count_decisions(now, only_in_force=not everything, since=since_text)
        pages = store.stored_decisions(now, only_in_force=not everything, since=since_text, page=PAGE)
        with _progress(total, shown=not quiet and sys.stderr.isatty()) as advance:
            for compared in compare_pages(standard, files, pages, processes_for(total)):
                simulation.add(compared)
                export(compared)
                advance()
    if as_json:
        show_json(_document(standard, simulation))
    else:
        _Screen(out is not None).show(standard, simulation)
    if out and not quiet:
        console(stderr=True).print(f"Wrote {plain(str(out))}, a line for each of {simulation.reports:,} reports.")


def _files_of(folder: Path) -> dict[str, bytes]:
    try:
        return load_standard_files(folder)
    except NotFoundError as error:
        raise OperatorError(
            error.message, expected=error.expected, hint="Name the folder of the new version."
        ) from error
    except OSError as error:
        raise OperatorError(f"The standard in {folder} cannot be read.", found=str(error)) from error


def _installation(home: Path) -> Settings:
    settings = settings_of(home)
    if not settings.register_dir.is_dir():
        raise OperatorError(f"There is no installation in {home}.", hint="Name its folder with --home.")
    return settings


@contextmanager
def _progress(total: int, *, shown: bool) -> Iterator[Callable[[], None]]:
    columns = (TextColumn("judging"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True, disable=not shown) as bar:
        task = bar.add_task("judging", total=total)
        yield lambda: bar.advance(task)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


# -- for other programs ---------------------------------------------------------------------------------------------


@contextmanager
def _exported(path: Path | None) -> Iterator[Callable[[Compared], object]]:
    """Takes each report's line; the file has its name when all of them are in it. Raises OperatorError."""
    if path is None:
        yield lambda _: None
        return
    try:
        with growing_text(path) as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            yield lambda compared: writer.writerow(_line(compared))
    except OSError as error:
        raise OperatorError(
            f"{path} cannot be written.", found=str(error.strerror), hint="Choose another --out."
        ) from error


def _line(compared: Compared) -> dict[str, Any]:
    line = {"submission": compared.id, "code": compared.code or "", "in_force": "yes" if compared.in_force else "no"}
    if isinstance(compared, Skipped):
        return line | {"problem": compared.reason}
    return line | {
        "decided_by": f"{compared.basis.id} {compared.basis.sha256}",
        "old_outcome": compared.old_outcome,
        "new_outcome": compared.new_outcome,
        "old_assessed_g_per_min": _text(compared.old_assessed),
        "new_assessed_g_per_min": _text(compared.new_assessed),
        "changed_rules": "; ".join(f"{rule} {now}" for rule, now in compared.changes),
        "country": compared.country,
        "provider": compared.provider,
    }


def _document(standard: Standard, simulation: Simulation) -> dict[str, Any]:
    return {
        "standard": {"id": standard.id, "sha256": standard.digest},
        "reports": simulation.reports,
        "groups": [_group_document(group, tally) for group, tally in simulation.groups()],
        "not_judged": simulation.skipped,
        "not_judged_reports": [
            {"submission": one.id, "code": one.code, "in_force": one.in_force, "problem": one.reason}
            for one in simulation.skipped_named
        ],
    }


def _group_document(group: Group, tally: Tally) -> dict[str, Any]:
    return {
        "decided_by": vars(group.basis),
        "in_force": group.in_force,
        **vars(tally.all),
        "outcomes": [
            {"old": old, "new": new, "reports": tally.matrix[old, new]}
            for old in reversed(OUTCOMES_RISING)
            for new in reversed(OUTCOMES_RISING)
            if tally.matrix[old, new]
        ],
        "rules": [
            {
                "rule": rule,
                "newly_fails": counts["fails"],
                "newly_passes": counts["passes"],
                "now_must": counts["now must"],
                "now_should": counts["now should"],
            }
            for rule, counts in sorted(tally.rules.items())
        ],
        "assessed_moved": tally.figures_moved,
        "assessed_movement_percent": {name: str(percent) for name, percent in tally.movement().items()},
        "countries": _flips_document(tally.countries, "country"),
        "providers": _flips_document(tally.providers, "provider"),
        "flips": [_flip_document(flip) for flip in tally.flips],
        "flips_left_out": tally.all.up + tally.all.down - len(tally.flips),
    }


def _flips_document(counts: Mapping[str, Flips], name: str) -> list[dict[str, Any]]:
    return [{name: word, **vars(flips)} for word, flips in sorted(counts.items())]


def _flip_document(flip: Comparison) -> dict[str, Any]:
    return {
        "submission": flip.id,
        "code": flip.code,
        "direction": "up" if flip.direction > 0 else "down",
        "old_outcome": flip.old_outcome,
        "new_outcome": flip.new_outcome,
        "old_assessed_g_per_min": _text(flip.old_assessed) or None,
        "new_assessed_g_per_min": _text(flip.new_assessed) or None,
        "changed_rules": [{"rule": rule, "now": now} for rule, now in flip.changes],
        "country": flip.country,
        "provider": flip.provider,
    }


def _text(figure: object) -> str:
    return "" if figure is None else str(figure)


# -- for people -----------------------------------------------------------------------------------------------------


class _Screen:
    """What people read: a section for each group, the worst news first."""

    def __init__(self, exported: bool) -> None:
        self._out: Console = console()
        self._out.width = min(self._out.width, WIDTH) if self._out.is_terminal else WIDTH
        self._more = "all of them are in the file" if exported else "--out FILE.csv"

    def show(self, standard: Standard, simulation: Simulation) -> None:
        named = f"[bold]{plain(standard.id)}[/] ({standard.digest[:12]})"
        if not simulation.reports:
            self._out.print(f"{named}: there is no stored report to try it on.")
            return
        self._out.print(f"{named} on {_counted(simulation.reports, 'stored report')}")
        for group, tally in simulation.groups():
            self._show_group(group, tally)
        self._show_skipped(simulation)

    def _show_group(self, group: Group, tally: Tally) -> None:
        what = (
            "in force[/] (certificates and statements)"
            if group.in_force
            else "not in force[/] (refused, revoked, expired)"
        )
        self._out.print()
        self._out.print(f"[bold]{tally.all.reports:,} {what}, decided by {_version(group.basis)}")
        up, down = tally.all.up, tally.all.down
        same = tally.all.reports - up - down
        self._out.print(f"  outcome: [red]{down:,} worse[/], [green]{up:,} better[/], {same:,} as before")
        movement = {name: f"{percent:+}" if percent else "0" for name, percent in tally.movement().items()}
        if tally.figures_moved and movement:
            self._out.print(
                f"  assessed figure: {tally.figures_moved:,} move; in %: least {movement['min']},"
                f" median {movement['median']}, p90 {movement['p90']}, most {movement['max']}"
            )
        else:
            self._out.print(f"  assessed figure: {tally.figures_moved:,} move")
        self._print(_matrix(tally))
        if tally.flips:
            self._show_flips(tally)
        if tally.rules:
            self._show_rules(tally)
        self._show_places("country of inference", tally.countries)
        self._show_places("provider", tally.providers)

    def _show_flips(self, tally: Tally) -> None:
        table = _table("code or submission", "outcome", "assessed, g/min", "why")
        worst = sorted(tally.flips, key=lambda flip: (flip.direction, flip.code or "", flip.id))
        for flip in worst[:SHOWN]:
            arrow = "[green]▲[/]" if flip.direction > 0 else "[red]▼[/]"
            why = ", ".join(f"{rule} {now}" for rule, now in flip.changes)
            table.add_row(
                f"{arrow} {display_code(flip.code) if flip.code else flip.id}",
                f"{flip.old_outcome} → {flip.new_outcome}",
                f"{_text(flip.old_assessed) or '–'} → {_text(flip.new_assessed) or '–'}",
                plain(why or "a rule closes another outcome"),
            )
        self._print(table)
        self._cut(tally.all.up + tally.all.down)

    def _show_rules(self, tally: Tally) -> None:
        table = _table("rule", "newly fails", "newly passes", "now must", "now should", right=(1, 2, 3, 4))
        by_weight = sorted(tally.rules.items(), key=lambda item: (-item[1].total(), item[0]))
        for rule, counts in by_weight[:SHOWN]:
            numbers = (counts["fails"], counts["passes"], counts["now must"], counts["now should"])
            table.add_row(plain(rule), *(f"{number:,}" if number else "" for number in numbers))
        self._print(table)
        self._cut(len(by_weight), "--json")

    def _show_places(self, what: str, counts: Mapping[str, Flips]) -> None:
        changed = [(word, flips) for word, flips in counts.items() if flips.up or flips.down]
        if not changed:
            return
        table = _table(what, "reports", "worse", "better", right=(1, 2, 3))
        by_weight = sorted(changed, key=lambda item: (-item[1].down, -item[1].up, item[0]))
        for word, flips in by_weight[:SHOWN]:
            worse = f"{flips.down:,} ({flips.down * 100 // flips.reports} %)" if flips.down else ""
            table.add_row(plain(word), f"{flips.reports:,}", worse, f"{flips.up:,}" if flips.up else "")
        self._print(table)
        self._cut(len(by_weight), "--json")

    def _show_skipped(self, simulation: Simulation) -> None:
        if not simulation.skipped:
            return
        self._out.print()
        self._out.print(f"[bold yellow]{_counted(simulation.skipped, 'report')} cannot be judged again[/]")
        for one in simulation.skipped_named[:SHOWN]:
            name = display_code(one.code) if one.code else one.id
            self._out.print(f"  {name}  {plain(one.reason)}", soft_wrap=False)
        self._cut(simulation.skipped)

    def _print(self, table: Table) -> None:
        self._out.print()
        self._out.print(table, soft_wrap=False)

    def _cut(self, total: int, rest: str = "") -> None:
        if total > SHOWN:
            self._out.print(f"  and {total - SHOWN:,} more: {rest or self._more}")


def _version(basis: Basis) -> str:
    return f"{plain(basis.id)} ({plain(basis.sha256[:12])})"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _matrix(tally: Tally) -> Table:
    """Old outcomes by new ones, the best first; what keeps its outcome stands in the diagonal."""
    used = [outcome for outcome in reversed(OUTCOMES_RISING) if any(outcome in pair for pair in tally.matrix)]
    table = _table("was ↓  would be →", *used, right=range(1, len(used) + 1))
    for old in used:
        cells = (f"{tally.matrix[old, new]:,}" if tally.matrix[old, new] else "·" for new in used)
        table.add_row(old, *cells)
    return table


def _table(*headings: str, right: tuple[int, ...] | range = ()) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place in right else "left", overflow="fold", no_wrap=place == 0)
    return table
