"""``certifier standard``: load a standard's rule files and run its worked cases."""

from __future__ import annotations

from pathlib import Path

import click

from certifier.cli.output import EXIT_REFUSED, console, plain, show_json
from certifier.standard.cases import CaseResult, parse_cases, run_cases
from certifier.storage.files import load_standard


@click.group()
def standard() -> None:
    """Test a standard's rule files."""


@standard.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--cases",
    "cases_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The cases in this file alone; they may be like the folder's own.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_context
def test(ctx: click.Context, folder: Path, cases_file: Path | None, as_json: bool) -> None:
    """Run the worked cases of the standard in FOLDER. Exit code 0 only if every case comes out as written."""
    loaded = load_standard(folder)
    own = {path.name: path.read_bytes() for path in sorted((folder / "cases").glob("*.json"))}
    chosen = [cases_file.read_bytes()] if cases_file else own.values()
    cases = [case for raw in chosen for case in parse_cases(raw, own)]
    results = run_cases(loaded, cases)
    failed = [result for result in results if not result.passed]
    if as_json:
        show_json(
            {
                "standard": loaded.id,
                "sha256": loaded.digest,
                "cases": len(results),
                "failed": len(failed),
                "results": [_document(result) for result in results],
            }
        )
    else:
        _show(loaded.id, results, failed)
    ctx.exit(EXIT_REFUSED if failed or not results else 0)


def _document(result: CaseResult) -> dict[str, object]:
    return {
        "id": result.case.id,
        "title": result.case.title,
        "passed": result.passed,
        "differences": list(result.differences),
        "not_compared": list(result.not_compared),
    }


def _show(standard_id: str, results: list[CaseResult], failed: list[CaseResult]) -> None:
    out = console()
    for result in failed:
        out.print(f"[bold red]fail[/]  {result.case.id}  {plain(result.case.title)}")
        for difference in result.differences:
            out.print(f"      {plain(difference)}")
    for result in results:
        for expectation in result.not_compared:
            out.print(f"[yellow]note[/]  {result.case.id}  not compared: {plain(expectation)}")
    colour = "red" if failed else "green"
    out.print(
        f"[bold {colour}]{len(results) - len(failed)} of {len(results)} cases[/] of {standard_id} come out as written"
    )
