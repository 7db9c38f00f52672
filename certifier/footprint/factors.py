"""The factor tables of a standard: grid intensity, PUE, hardware, and where each row comes from.

Tables are parsed from CSV text; reading files is left to others. Each looked-up value keeps its row, so that a figure
can be traced to a table, a year and a source. The tables are refused if a default lies below a row that it stands
for: what is left unsaid must never be cheaper than what is said.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from certifier.errors import StandardError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

UNKNOWN = "UNKNOWN"
UNKNOWN_ACCELERATOR = "UNKNOWN ACCELERATOR"
UNKNOWN_CPU = "UNKNOWN CPU"
LOCAL = "LOCAL"
LONE_CPU = "cpu-server"

TABLES = ("accelerators", "cpus", "devices", "grid_intensity", "pue", "sources")

_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?", re.ASCII)
_KINDS = ("country", "subdivision", "cloud_region", "reference", "default")
_PLACES = frozenset({"country", "subdivision", "cloud_region"})


@dataclass(frozen=True)
class FactorRow:
    """One row of one table: where a number of the calculation stands and who published it."""

    table: str
    row: str
    source_id: str
    year: str


@dataclass(frozen=True)
class GridRow:
    """Electricity of one place, in grams CO2e per kWh."""

    key: str
    kind: str
    country: str
    subdivision: str
    provider: str
    region: str
    g_per_kwh: Decimal
    origin: FactorRow


@dataclass(frozen=True)
class PueRow:
    provider: str
    pue: Decimal
    origin: FactorRow


@dataclass(frozen=True)
class HardwareRow:
    """A device: its highest power, its own manufacture, and the share of the host that it sits in."""

    name: str
    kind: Literal["accelerator", "device", "cpu"]
    tdp_w: Decimal | None
    device_kg: Decimal
    host_kg: Decimal
    origins: tuple[FactorRow, ...]
    host_class: str = ""

    @property
    def is_processor(self) -> bool:
        """A CPU, or a machine that computes on its CPU alone."""
        return self.kind == "cpu" or (self.kind == "device" and self.tdp_w is not None)


@dataclass(frozen=True)
class Source:
    source_id: str
    title: str
    publisher: str
    year: str
    licence: str
    attribution: str
    version: str = ""


@dataclass(frozen=True)
class Factors:
    """All tables of one standard, ready for look-up."""

    grid: Mapping[str, GridRow]
    pue: Mapping[str, PueRow]
    hardware: Mapping[str, HardwareRow]
    sources: Mapping[str, Source]
    # Looked up once, since the highest row is asked for with every place that is left half unsaid.
    _by_country: Mapping[str, tuple[GridRow, ...]] = field(repr=False)

    @property
    def unknown_place(self) -> GridRow:
        return self.grid[UNKNOWN]

    def place_row(self, key: str) -> GridRow:
        """The row that a statement names for a place; a row that is no place counts as unknown."""
        row = self.grid.get(key)
        return row if row is not None and row.kind in _PLACES else self.unknown_place

    def region_row(self, provider: str | None, region: str | None) -> GridRow | None:
        """The row of a provider's region, if the table has it (4.4 a)."""
        row = self.grid.get(f"{provider}:{region}") if provider and region else None
        return row if row is not None and row.kind == "cloud_region" else None

    def grid_row(
        self, *, country: str, subdivision: str | None, provider: str | None, region: str | None, in_datacentre: bool
    ) -> GridRow:
        """The row that counts for a place (4.4). What is left unsaid counts as the highest row that it could be.

        A subdivision that the country does not have counts as unsaid. An own server room has no region in the table.
        """
        region_row = self.region_row(provider, region)
        if region_row is not None:
            return region_row
        rows = self._by_country.get(country, ())
        if not any(row.kind == "country" for row in rows):
            return self.unknown_place
        candidates = _land_rows(rows, subdivision)
        if in_datacentre:
            named = (provider or "").strip()
            candidates += [row for row in rows if row.kind == "cloud_region" and named in {"", row.provider}]
        return max(candidates, key=lambda row: row.g_per_kwh)

    def pue_row(self, *, provider: str | None, in_datacentre: bool) -> PueRow:
        """The table's PUE: of the provider, of no data centre, or of a data centre that nobody knows (4.3)."""
        if not in_datacentre:
            return self.pue[LOCAL]
        return self.pue[UNKNOWN] if provider is None or provider == LOCAL else self.pue.get(provider, self.pue[UNKNOWN])

    def hardware_row(self, name: str) -> HardwareRow:
        """The row of a name or alias, letter case aside; what matches none is the unknown accelerator (4.5)."""
        return self.hardware.get(_folded(name), self.hardware[_folded(UNKNOWN_ACCELERATOR)])

    def knows_hardware(self, name: str) -> bool:
        """Whether the name or alias is in a table."""
        return _folded(name) in self.hardware

    def host_origin(self, row: HardwareRow) -> FactorRow:
        """Where the manufacture of a device's host stands: in the row of its class, else in the device's own."""
        host = self.hardware.get(_folded(row.host_class))
        return host.origins[0] if host is not None and host.device_kg == row.host_kg else row.origins[0]

    def lone_cpu_row(self) -> HardwareRow:
        """What a processor carries if nothing else is named (4.5)."""
        return self.hardware[LONE_CPU]


def _land_rows(rows: tuple[GridRow, ...], subdivision: str | None) -> list[GridRow]:
    """The subdivision's row, else the country's and those of its subdivisions."""
    named = [row for row in rows if row.kind == "subdivision" and row.key == subdivision]
    return named or [row for row in rows if row.kind in {"country", "subdivision"}]


def _folded(name: str) -> str:
    return name.strip().casefold()


def parse_factors(texts: Mapping[str, str]) -> Factors:
    """The tables from CSV text, keyed by table name. Raises StandardError that names file and line."""
    sources = {line["source_id"]: _source(line) for line in _lines(texts, "sources")}
    grid = {line["id"]: _grid_row(line) for line in _lines(texts, "grid_intensity")}
    pue = {line["provider"]: _pue_row(line) for line in _lines(texts, "pue")}
    hardware = _hardware_rows(texts, sources)
    factors = Factors(grid, pue, hardware, sources, _by_country(grid.values()))
    _check_sources(factors, texts)
    _check_defaults(factors)
    return factors


class _Line:
    """One line of a table, which knows where it stands, so that an error can say it."""

    def __init__(self, table: str, number: int, cells: Mapping[str, str | None]) -> None:
        self.table = table
        self.number = number
        self._cells = cells

    def __getitem__(self, column: str) -> str:
        text = self._cells.get(column)
        if text is None:
            raise self.error(f"column {column} is missing", "no such cell", f"a cell for {column} in each row")
        return text.strip()

    @property
    def key(self) -> str:
        """What tells it apart: its first cell."""
        return self[next(iter(self._cells))]

    def number_in(self, column: str) -> Decimal:
        """A quantity; its unit is the end of the column's name."""
        text = self[column]
        if not _NUMBER.fullmatch(text):
            expected = "a plain number from 0 with at most twelve digits on each side of the point"
            raise self.error(f"{column} is no number", repr(text[:60]), expected)
        return Decimal(text)

    def error(self, message: str, found: str, expected: str) -> StandardError:
        return StandardError(message, file=_file_of(self.table), line=self.number, found=found, expected=expected)


def _file_of(table: str) -> str:
    return f"data/{table}.csv"


def _lines(texts: Mapping[str, str], table: str) -> Iterator[_Line]:
    """The lines of a table, whose first column tells them apart."""
    if table not in texts:
        raise StandardError("the table is missing", file=_file_of(table), found="none", expected=_file_of(table))
    reader = csv.DictReader(io.StringIO(texts[table], newline=""), strict=True)
    seen: set[str] = set()
    try:
        for cells in reader:
            line = _Line(table, reader.line_num, cells)
            if None in cells:
                raise line.error(
                    "the row has more cells than the header", f"{len(cells[None])} more", "one for each column"
                )
            if line.key in seen:
                raise line.error(f"{line.key!r} stands twice in this table", line.key, "each row once")
            seen.add(line.key)
            yield line
    except csv.Error as error:
        raise StandardError(
            "the table is no CSV", file=_file_of(table), line=reader.line_num, found=str(error), expected="RFC 4180"
        ) from error
    if not seen:
        raise StandardError("the table has no rows", file=_file_of(table), found="none", expected="at least one row")


def _source(line: _Line) -> Source:
    return Source(
        source_id=line["source_id"],
        title=line["title"],
        publisher=line["publisher"],
        year=line["upstream_year"],
        licence=line["licence"],
        attribution=line["attribution"],
        version=line["version_or_commit"],
    )


def _grid_row(line: _Line) -> GridRow:
    """A row of the grid table. What a row of a place is found by is its id, so the id says the same as the cells."""
    kind = line["kind"]
    if kind not in _KINDS:
        raise line.error("this is no kind of grid row", kind or "nothing", ", ".join(_KINDS))
    told = {"country": line["iso3"], "cloud_region": f"{line['provider']}:{line['region']}"}.get(kind, line["id"])
    if line["id"] != told:
        raise line.error(f"the id is not that of its {kind}", line["id"], told)
    if not line["year"]:
        raise line.error("the row has no year", "nothing", "the year that the factor is for")
    return GridRow(
        key=line["id"],
        kind=line["kind"],
        country=line["iso3"],
        subdivision=line["subdivision"],
        provider=line["provider"],
        region=line["region"],
        g_per_kwh=line.number_in("gco2e_per_kwh"),
        origin=FactorRow(line.table, line["id"], line["source_id"], line["year"]),
    )


def _pue_row(line: _Line) -> PueRow:
    origin = FactorRow(line.table, line["provider"], line["source_id"], line["year"])
    return PueRow(line["provider"], line.number_in("pue"), origin)


def _by_country(rows: Iterable[GridRow]) -> dict[str, tuple[GridRow, ...]]:
    grouped: dict[str, tuple[GridRow, ...]] = {}
    for row in rows:
        if row.kind in _PLACES:
            grouped[row.country] = (*grouped.get(row.country, ()), row)
    return grouped


def _hardware_rows(texts: Mapping[str, str], sources: Mapping[str, Source]) -> dict[str, HardwareRow]:
    """Accelerators, whole devices and processors by folded name; the first table that has a name decides."""
    rows: dict[str, HardwareRow] = {}
    for line in _lines(texts, "accelerators"):
        row = _accelerator(line, sources)
        for name in [row.name, *filter(None, line["aliases"].split("|"))]:
            if rows.setdefault(_folded(name), row) is not row:
                raise line.error(
                    f"the name {name!r} already stands for {rows[_folded(name)].name}", name, "one row for each name"
                )
    for line in _lines(texts, "devices"):
        rows.setdefault(_folded(line["name"]), _device(line, sources))
    for line in _lines(texts, "cpus"):
        rows.setdefault(_folded(line["name"]), _cpu(line, sources))
    return rows


def _accelerator(line: _Line, sources: Mapping[str, Source]) -> HardwareRow:
    return HardwareRow(
        name=line["name"],
        kind="accelerator",
        tdp_w=line.number_in("tdp_w"),
        device_kg=line.number_in("embodied_kgco2e"),
        host_kg=line.number_in("host_embodied_kgco2e"),
        origins=_origins(line, sources, "embodied_source_id", "tdp_source_id"),
        host_class=line["host_class"],
    )


def _device(line: _Line, sources: Mapping[str, Source]) -> HardwareRow:
    return HardwareRow(
        name=line["name"],
        kind="device",
        tdp_w=line.number_in("tdp_w") if line["tdp_w"] else None,
        device_kg=line.number_in("embodied_kgco2e"),
        host_kg=Decimal(0),
        origins=_origins(line, sources, "source_id"),
    )


def _cpu(line: _Line, sources: Mapping[str, Source]) -> HardwareRow:
    return HardwareRow(
        name=line["name"],
        kind="cpu",
        tdp_w=line.number_in("tdp_w"),
        device_kg=Decimal(0),
        host_kg=Decimal(0),
        origins=_origins(line, sources, "source_id"),
    )


def _origins(line: _Line, sources: Mapping[str, Source], *columns: str) -> tuple[FactorRow, ...]:
    ids = dict.fromkeys(line[column] for column in columns)
    years = {source_id: sources[source_id].year if source_id in sources else "" for source_id in ids}
    return tuple(FactorRow(line.table, line["name"], source_id, year) for source_id, year in years.items())


def _check_sources(factors: Factors, texts: Mapping[str, str]) -> None:
    """Each number has a source that the table of sources names."""
    origins = [row.origin for row in factors.grid.values()] + [row.origin for row in factors.pue.values()]
    origins += [origin for row in factors.hardware.values() for origin in row.origins]
    for origin in origins:
        if origin.source_id not in factors.sources:
            raise StandardError(
                f"row {origin.row!r} names the unknown source {origin.source_id!r}",
                file=_file_of(origin.table),
                line=next((line.number for line in _lines(texts, origin.table) if line.key == origin.row), None),
                found=origin.source_id or "nothing",
                expected="a source_id of data/sources.csv",
            )


def _check_defaults(factors: Factors) -> None:
    """No default lies below a row of its table (16.3)."""
    hardware = list(factors.hardware.values())
    accelerators = [row for row in hardware if row.kind == "accelerator"]
    columns: tuple[tuple[str, Callable[[], Decimal], Iterable[Decimal]], ...] = (
        ("grid_intensity", lambda: factors.unknown_place.g_per_kwh, [row.g_per_kwh for row in factors.grid.values()]),
        ("pue", lambda: factors.pue[UNKNOWN].pue, [row.pue for row in factors.pue.values()]),
        ("accelerators", lambda: _unknown(factors).tdp_w or Decimal(0), [row.tdp_w or Decimal(0) for row in hardware]),
        ("accelerators", lambda: _unknown(factors).device_kg, [row.device_kg for row in accelerators]),
        ("accelerators", lambda: _unknown(factors).host_kg, [row.host_kg for row in accelerators]),
        ("cpus", lambda: factors.hardware[_folded(UNKNOWN_CPU)].tdp_w or Decimal(0), _cpu_powers(hardware)),
        ("devices", lambda: factors.lone_cpu_row().device_kg, [row.device_kg for row in hardware if row.is_processor]),
        ("pue", lambda: factors.pue[LOCAL].pue, [Decimal(1)]),
    )
    for table, default, values in columns:
        try:
            lowest_allowed, found = max(values), default()
        except KeyError as error:
            raise StandardError(
                f"the default row {error.args[0]} is missing",
                file=_file_of(table),
                found="none",
                expected=str(error.args[0]),
            ) from error
        if found < lowest_allowed:
            raise StandardError(
                f"a default of {found} lies below a row with {lowest_allowed}",
                file=_file_of(table),
                found=str(found),
                expected=f"at least {lowest_allowed}",
            )


def _unknown(factors: Factors) -> HardwareRow:
    return factors.hardware[_folded(UNKNOWN_ACCELERATOR)]


def _cpu_powers(rows: Iterable[HardwareRow]) -> list[Decimal]:
    return [row.tdp_w or Decimal(0) for row in rows if row.kind == "cpu"]
