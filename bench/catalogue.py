"""A catalogue verified: rows a second and core, memory over a million rows, and what a second process brings.

The certificates are signed and logged by a test issuer through the real functions. Three rows of ten have one, as in a
catalogue in which the label is well known; the other rows ask for what nobody has. Every hit is verified in full, each time that
it is asked for: signature, log, both status lists, dates, standard. Nothing is remembered from row to row but what a batch of
1,000 rows asks twice.

There is no peer that does this work. Beside the catalogue in which every row is a hit stands the bare verification of the same
files, from memory and without any table: the share of it that is left says what reading, looking up and answering cost.

Processor time is counted where it says *core*. The long run is the command itself, in a process of its own.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from bench.certificates import rate_of
from certifier.catalogue.batch import verify_batch
from certifier.catalogue.checker import CheckerPlan
from certifier.catalogue.questions import Column
from certifier.catalogue.reading import open_catalogue
from certifier.certificate.pack import open_pack
from certifier.certificate.verify import check_certificate
from tests.catalogue.stock import Stock, stock_of

CERTIFICATES = 10_000
HITS = 0.3
LARGE = 1_000_000
SHORT = 100_000  # rows of the runs that are timed
MEASURED = 20_000  # rows whose processor time is counted
SAMPLED_EVERY_S = 0.5


@dataclass(frozen=True)
class World:
    folder: Path
    stock: Stock
    plan: CheckerPlan


@contextmanager
def world() -> Iterator[World]:
    with TemporaryDirectory() as folder:
        stock = stock_of(CERTIFICATES, datetime.now(UTC).replace(microsecond=0), revoked=range(0, CERTIFICATES, 50))
        (Path(folder) / "pack").write_bytes(stock.pack)
        shelf = stock.shelve(Path(folder) / "certificates")
        yield World(Path(folder), stock, CheckerPlan(stock.pack, certificates=shelf))


def catalogue(world: World, rows: int, kind: str = "isrc", hits: float = HITS) -> Path:
    """A Parquet file with the names of certificates among those of others, in no order, and two more columns."""
    chance, file = random.Random(1), world.folder / f"{kind}-{rows}-{hits}.parquet"  # noqa: S311 - the same each time
    schema = pa.schema([(kind, pa.string()), ("title", pa.string()), ("plays", pa.int64())])
    with pq.ParquetWriter(file, schema) as writer:
        for start in range(0, rows, SHORT):
            numbers = range(start, min(rows, start + SHORT))
            names = [
                _name_of(world, chance.randrange(CERTIFICATES), kind)
                if chance.random() < hits
                else _nobody(kind, number)
                for number in numbers
            ]
            columns = {
                kind: names,
                "title": [f"Track {number} (example)" for number in numbers],
                "plays": list(numbers),
            }
            writer.write_table(pa.Table.from_pydict(columns, schema))
    return file


def _name_of(world: World, number: int, kind: str) -> str:
    made = world.stock.made[number]
    return {"isrc": made.isrc, "code": made.code, "sha256": made.claims.subject.audio_sha256}[kind]


def _nobody(kind: str, number: int) -> str:
    return {"isrc": f"XXZZZ{number % 10**7:07d}", "code": "0000000000", "sha256": f"{number:064x}"}[kind]


def rows_per_s(world: World, kind: str = "isrc", hits: float = HITS) -> float:
    """Rows for each second of one core, from the pieces of a file to their answers."""
    file = catalogue(world, MEASURED, kind, hits)
    opened, checker = open_catalogue(file, [Column(kind, kind)]), world.plan.open()
    next(iter(opened.pieces()))

    def verify() -> None:
        for piece in opened.pieces():
            verify_batch(piece.batch, checker, opened.columns, piece.faults)

    return rate_of(MEASURED, verify)


def bare_per_s(world: World) -> float:
    """Certificates for each second of one core, from their bytes in memory, with nothing around."""
    now = datetime.now(UTC)
    pack, some = open_pack(world.stock.pack, None, now), world.stock.made[: MEASURED // 5]

    def check() -> None:
        for made in some:
            check_certificate(made.credential, pack.material(made.proof), now)

    return rate_of(len(some), check)


@dataclass(frozen=True)
class Run:
    """A run of the command: rows a second, and the memory of all its processes in MB, twice a second."""

    rows_per_s: float
    resident_mb: list[float]


def command(world: World, rows: int, processes: int) -> Run:
    file, out = catalogue(world, rows), world.folder / "out.parquet"
    given = ("--column", "isrc", "--pack", world.folder / "pack", "--certificates", world.folder / "certificates")
    words = ["verify", file, *given, "--out", out, "--restart", "--processes", processes, "--json"]
    began, resident = time.monotonic(), list[float]()
    with subprocess.Popen(
        [sys.executable, "-m", "certifier.cli", *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            resident.append(_resident_mb(process.pid))
            time.sleep(SAMPLED_EVERY_S)
    assert process.returncode == 3, process.returncode  # some are revoked
    assert pq.ParquetFile(out).metadata.num_rows == rows
    return Run(rows / (time.monotonic() - began), [each for each in resident if each])


def _resident_mb(process: int) -> float:
    """The memory of a process and of its children; 0 once it is gone."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        texts = [Path(f"/proc/{each}/status").read_text() for each in (str(process), *children)]
    except OSError:
        return 0
    found = [line.split()[1] for text in texts for line in text.splitlines() if line.startswith("VmRSS:")]
    return sum(map(int, found)) / 1024


def quarters(resident: list[float]) -> list[float]:
    """The most in each quarter of a run."""
    step = max(1, len(resident) // 4)
    return [max(resident[start : start + step]) for start in range(0, 4 * step, step) if resident[start : start + step]]
