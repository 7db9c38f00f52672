"""``certifier verify CATALOGUE``: what a platform runs over its catalogue, offline and against a service."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from certifier.certificate.code import code_of, display_code
from certifier.certificate.trust import trust_document
from certifier.cli.main import main
from certifier.client.trust import pinned_trust_file
from certifier.crypto.canonical import to_json_text
from certifier.storage.files import save_bytes
from tests.catalogue.stock import Stock, isrc_of, stock_of
from tests.client.scripted import Reply, scripted

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def stock() -> Stock:
    return stock_of(8, NOW, revoked=[3])


@pytest.fixture(scope="module")
def shop(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pack and a file of certificates. Only for reading."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "pack").write_bytes(stock.pack)
    stock.shelve(folder / "certificates")
    return folder


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def verify(shop: Path, file: Path, *arguments: Any) -> Result:
    given = ("--pack", shop / "pack", "--certificates", shop / "certificates", "--processes", 1)
    return run("verify", file, *given, *arguments)


def saved(*isrcs: str, name: str = "catalogue.csv") -> Path:
    file = Path(name)
    lines = [f"{isrc},Track {number}" for number, isrc in enumerate(isrcs)]
    file.write_text("\n".join(["isrc,title", *lines]) + "\n")
    return file


GOOD, REVOKED, UNKNOWN, BAD = isrc_of(1), isrc_of(3), isrc_of(99), "x"


def test_each_row_has_its_answer_and_the_end_has_a_summary(shop: Path, stock: Stock) -> None:
    result = verify(shop, saved(GOOD, UNKNOWN, REVOKED, BAD), "--column", "isrc", "--out", "out.csv")
    assert result.exit_code == 3, result.output
    rows = list(csv.DictReader(Path("out.csv").read_text().splitlines()))
    assert [(row["title"], row["result"], row["code"]) for row in rows] == [
        ("Track 0", "valid_with_warnings", display_code(stock.made[1].code)),
        ("Track 1", "no_certificate", ""),
        ("Track 2", "not_valid", display_code(stock.made[3].code)),
        ("Track 3", "problem", ""),
    ]
    for words in ("4 rows of catalogue.csv", "1  not valid", "1  no certificate", "row 4: This is not an ISRC."):
        assert words in result.stdout
    for words in ("among 8 certificates", "what was issued later is not known here", "this pack alone: fingerprint"):
        assert words in result.stderr


@pytest.mark.parametrize(("bad", "words"), [(1, "1  row that cannot be read"), (4, "4  rows that cannot be read")])
def test_the_summary_counts_in_words_of_a_person(bad: int, words: str, shop: Path) -> None:
    assert words in verify(shop, saved(GOOD, *[BAD] * bad)).stdout


CODES = {
    "all valid or without a certificate": ((GOOD, UNKNOWN), 0),
    "one that is not valid": ((GOOD, REVOKED, BAD), 3),
    "one that cannot be read": ((GOOD, BAD), 6),
    "an empty cell": ((GOOD, ""), 6),
}


@pytest.mark.parametrize(("isrcs", "code"), CODES.values(), ids=CODES.keys())
def test_the_exit_code_tells_of_the_worst_row(isrcs: tuple[str, ...], code: int, shop: Path) -> None:
    result = verify(shop, saved(*isrcs), "--json")
    assert result.exit_code == code
    assert json.loads(result.stdout)["exit_code"] == code


def test_the_summary_for_programs_has_all_results_by_name(shop: Path) -> None:
    document = json.loads(verify(shop, saved(GOOD, BAD), "--json", "--out", "out.parquet").stdout)
    assert document["results"] == {
        "valid": 0,
        "valid_with_warnings": 1,
        "not_valid": 0,
        "cannot_tell": 0,
        "no_certificate": 0,
        "problem": 1,
    }
    assert (document["rows"], document["out"], document["went_on_behind_row"]) == (2, "out.parquet", 0)
    assert document["first_problem"]["row"] == 2
    assert json.loads(document["first_problem"]["problem"])["detail"] == "This is not an ISRC."
    assert (document["certificates"]["held"], document["server"]) == (8, None)
    assert document["pack"]["vouched_for"] is False
    assert pq.read_table("out.parquet").column("result").to_pylist() == ["valid_with_warnings", "problem"]


def test_pinned_keys_have_to_vouch_for_the_pack(shop: Path, stock: Stock) -> None:
    save_bytes(pinned_trust_file(), to_json_text(trust_document(stock.trust)).encode())
    assert json.loads(verify(shop, saved(GOOD), "--json").stdout)["pack"]["vouched_for"] is True


def test_a_column_of_any_name_is_told_what_it_holds(shop: Path) -> None:
    Path("c.csv").write_text(f"Recording;Name\n{GOOD.lower()};x\n")
    assert verify(shop, Path("c.csv"), "--column", "isrc=Recording").exit_code == 0


def test_a_file_of_another_suffix_is_a_catalogue_when_a_column_is_named(shop: Path) -> None:
    assert verify(shop, saved(GOOD, name="export.txt"), "--column", "isrc").exit_code == 0


MISUSES: dict[str, tuple[tuple[str, ...], str]] = {
    "a column of no kind": (("--column", "title"), "not clear what the column holds"),
    "an ISRC beside it": (("--isrc", GOOD), "are for one certificate"),
    "a long delimiter": (("--delimiter", "::"), "one character"),
    "an unknown encoding": (("--encoding", "utf-16"), "is not one of"),
    "no process": (("--processes", "0"), "is not in the range"),
    "answers in its own place": (("--out", "./catalogue.csv"), "is the catalogue itself"),
}


@pytest.mark.parametrize(("arguments", "words"), MISUSES.values(), ids=MISUSES.keys())
def test_wrong_usage_is_told(arguments: tuple[str, ...], words: str, shop: Path) -> None:
    result = verify(shop, saved(GOOD), *arguments)
    assert result.exit_code == 2, result.output
    assert words in " ".join(result.stderr.split())


@pytest.mark.parametrize("name", ["pack", "certificates"])
def test_answers_never_take_the_place_of_what_they_are_made_from(name: str, shop: Path) -> None:
    Path("out.csv").symlink_to(shop / name)
    before = (shop / name).read_bytes()
    result = verify(shop, saved(GOOD), "--column", "isrc", "--out", "out.csv")
    assert (result.exit_code, (shop / name).read_bytes() == before) == (2, True), result.output
    assert "itself. Give the answers" in result.stderr


def test_a_note_with_other_counts_ends_in_no_fault(shop: Path) -> None:
    file = saved(GOOD)
    status = file.stat()
    job = {"catalogue": [file.name, status.st_size, status.st_mtime_ns], "columns": [["isrc", "isrc"]]}
    job |= {"encoding": "utf-8", "delimiter": None, "form": ".csv"}
    told = {"results": {"valid": "x", "other": 3}, "first_problem": {"row": 1}}
    noted = {"form": "lcal-catalogue-progress/1", "job": job, "place": [0, 0, 0], "bytes": 0, "told": told}
    Path("out.csv.progress").write_text(json.dumps(noted))
    Path("out.csv.part").write_text("")
    result = verify(shop, file, "--out", "out.csv")
    assert result.exit_code in (0, 1), result.output


def test_without_anything_to_trust_nothing_is_verified(shop: Path) -> None:
    result = run("verify", saved(GOOD), "--certificates", shop / "certificates")
    assert (result.exit_code, "Nothing says whose certificates count" in result.stderr) == (2, True)


def test_without_anywhere_to_look_nothing_is_verified(shop: Path) -> None:
    result = run("verify", saved(GOOD), "--pack", shop / "pack")
    assert (result.exit_code, "is looked up: give --certificates FILE" in result.stderr) == (2, True)


def test_what_is_for_catalogues_alone_is_refused_for_one_certificate() -> None:
    result = run("verify", "0000-0000-00", "--out", "out.csv")
    assert (result.exit_code, "is no catalogue" in result.stderr) == (2, True)


ABSENT = {
    "a file that is not there": ("absent.parquet", "There is no file 'absent.parquet'"),
    "a folder": (".", ". is a folder"),
}


@pytest.mark.parametrize("columns", [(), ("--column", "isrc")], ids=["alone", "with a column"])
@pytest.mark.parametrize(("name", "words"), ABSENT.values(), ids=ABSENT.keys())
def test_what_is_no_file_is_told_so_and_not_that_it_has_a_wrong_name(
    name: str, words: str, columns: tuple[str, ...], shop: Path
) -> None:
    result = run("verify", name, "--pack", shop / "pack", *columns)
    assert (result.exit_code, words in result.stderr) == (2, True), result.output


def test_a_file_in_another_encoding_is_told_the_option_for_it(shop: Path) -> None:
    Path("c.csv").write_bytes(b"isrc,title\n" + GOOD.encode() + b",F\xfcr Elise\n")
    assert "--encoding cp1252" in verify(shop, Path("c.csv"), "--column", "isrc").stdout
    result = verify(shop, Path("c.csv"), "--column", "isrc", "--encoding", "cp1252")
    assert result.exit_code == 0, result.output


def test_who_asks_a_service_without_a_key_is_told_where_the_key_goes_and_how_to_do_without(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LCAL_KEY", raising=False)
    save_bytes(pinned_trust_file(), to_json_text(trust_document(stock.trust)).encode())
    refusal = b'{"title": "It takes an API key", "errors": [{"hint": "Send it as: Authorization: Bearer KEY"}]}'
    with scripted(lambda asked: Reply(200, stock.pack) if "packs" in asked.path else Reply(401, refusal)) as site:
        result = run("verify", saved(GOOD), "--column", "isrc", "--server", site.url, "--processes", 1)
    assert result.exit_code == 3, result.output
    assert ("LCAL_KEY" in result.stderr, "--certificates FILE" in result.stderr) == (True, True)


def test_who_stops_a_run_reads_below_its_counter_how_to_go_on(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = list[str]()

    @contextmanager
    def stopped_by_hand(*_: object) -> Iterator[Callable[[int], None]]:
        def done(_: int) -> None:
            raise KeyboardInterrupt

        try:
            yield done
        finally:
            said.append("the counter is wiped")

    monkeypatch.setattr("certifier.cli.verify_catalogue.counting", stopped_by_hand)
    monkeypatch.setattr("certifier.cli.verify_catalogue._note", said.append)
    assert verify(shop, saved(GOOD), "--column", "isrc", "--out", "answers.csv").exit_code == 130
    assert said == ["the counter is wiped", "stopped; the same command goes on from here"]


def test_answers_that_are_not_kept_are_said_to_be_lost(shop: Path) -> None:
    lost, kept = (verify(shop, saved(GOOD), "--column", "isrc", *out) for out in ((), ("--out", "answers.csv")))
    assert ("--out FILE" in lost.stderr, "--out FILE" in kept.stderr) == (True, False)


CODES = {"in force": (1, 0, "VALID"), "withdrawn": (3, 3, "NOT VALID"), "not in the file": (99, 3, "")}


@pytest.mark.parametrize(("number", "code", "words"), CODES.values(), ids=CODES.keys())
@pytest.mark.parametrize("form", ["{}", "https://label.example/v/{}"], ids=["a code", "the text of a QR"])
def test_one_code_is_verified_without_a_network_from_the_file_of_certificates(
    form: str, number: int, code: int, words: str, shop: Path, stock: Stock
) -> None:
    asked = form.format(stock.made[number].code if number < len(stock.made) else code_of(b"never issued"))
    result = run("verify", asked, "--pack", shop / "pack", "--certificates", shop / "certificates")
    assert (result.exit_code, result.stdout.startswith(words)) == (code, True), result.output


FAULTS: dict[str, tuple[str, tuple[str, ...], int, str]] = {
    "a missing column": ("isrc,title\n", ("--column", "isrc=ISRC"), 3, "isrc, title"),
    "an empty file": ("", (), 3, "is empty"),
    "answers of no form": ("isrc\nx\n", ("--out", "out.xlsx"), 2, ".parquet"),
}


@pytest.mark.parametrize(("content", "arguments", "code", "words"), FAULTS.values(), ids=FAULTS.keys())
def test_a_bad_file_is_one_error(content: str, arguments: tuple[str, ...], code: int, words: str, shop: Path) -> None:
    Path("c.csv").write_text(content)
    result = verify(shop, Path("c.csv"), *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr


def test_a_catalogue_without_rows_has_an_empty_answer(shop: Path) -> None:
    Path("c.csv").write_text("isrc,title\n")
    result = verify(shop, Path("c.csv"), "--out", "out.csv")
    assert (result.exit_code, "0 rows" in result.stdout) == (0, True)
    assert Path("out.csv").read_text().startswith('"isrc","title","result",')


def test_lines_of_json_go_in_and_come_out(shop: Path) -> None:
    Path("c.ndjson").write_text(json.dumps({"isrc": GOOD, "more": [1]}) + "\n")
    assert verify(shop, Path("c.ndjson"), "--out", "out.ndjson").exit_code == 0
    (line,) = [json.loads(text) for text in Path("out.ndjson").read_text().splitlines()]
    assert (line["row"], line["result"]) == ({"isrc": GOOD, "more": [1]}, "valid_with_warnings")


# -- stopped and gone on --------------------------------------------------------------------------------------------

# Notes after every piece, and small pieces, so that a short run is killed in its middle.
HASTY = """
from certifier.catalogue import reading, results
reading.ROWS, results.NOTED_EVERY_S = 40, 0
from certifier.cli.main import main
main()
"""


def children_of(process: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(ready: Any, seconds: float = 60) -> Any:
    ends = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.005)
    return found


def test_a_run_that_was_killed_goes_on_without_losing_or_doubling_a_row(shop: Path) -> None:
    file, number_of_rows = saved(*(isrc_of(number % 12) for number in range(2500))), 2500
    out, progress = Path("out.parquet"), Path("out.parquet.progress")
    arguments = ("verify", file, "--pack", shop / "pack", "--certificates", shop / "certificates", "--out", out)
    command = [sys.executable, "-c", HASTY, *map(str, arguments), "--processes", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until(lambda: progress.exists() or process.poll() is not None)
        helpers = children_of(process.pid)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"
    until(lambda: not any(map(is_running, helpers)))
    known = json.loads(progress.read_text())["place"][0]
    assert (0 < known < number_of_rows, out.exists()) == (True, False)
    result = verify(shop, file, "--out", out, "--json")
    assert (result.exit_code, json.loads(result.stdout)["went_on_behind_row"]) == (3, known)
    assert f"going on behind row {known:,} of an earlier run" in result.stderr
    rows = pq.read_table(out).to_pylist()
    assert [row["title"] for row in rows] == [f"Track {number}" for number in range(number_of_rows)]
    results = Counter(row["result"] for row in rows)
    assert {name: number for name, number in json.loads(result.stdout)["results"].items() if number} == results
    assert sorted(path.name for path in Path().glob("out.*")) == [out.name]
