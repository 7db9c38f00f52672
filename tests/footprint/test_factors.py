"""The tables: what a place, a provider or a device counts as, and that silence never counts as less."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from certifier.errors import StandardError
from certifier.footprint.factors import TABLES, parse_factors
from tests.standard.world import standard, standard_files

FACTORS = standard().factors
TEXTS = {table: standard_files()[f"data/{table}.csv"].decode() for table in TABLES}
REGIONS = [row for row in FACTORS.grid.values() if row.kind == "cloud_region"]
SUBDIVISIONS = [row for row in FACTORS.grid.values() if row.kind == "subdivision"]

PLACES = {
    "a region has its row": ({"country": "FRA", "provider": "aws", "region": "eu-west-3"}, "aws:eu-west-3"),
    "a region's row counts in a country that is wrong": (
        {"country": "POL", "provider": "aws", "region": "eu-west-3"},
        "aws:eu-west-3",
    ),
    "a country at home": ({"country": "FRA", "in_datacentre": False}, "FRA"),
    "a subdivision at home": ({"country": "USA", "subdivision": "US-TX", "in_datacentre": False}, "US-TX"),
    "a Nordic zone": ({"country": "SWE", "subdivision": "SE-SE3", "in_datacentre": False}, "SE-SE3"),
    "a country with subdivisions, none named": ({"country": "USA", "in_datacentre": False}, "US-WV"),
    "a subdivision that nobody knows is none": (
        {"country": "USA", "subdivision": "US-XX", "in_datacentre": False},
        "US-WV",
    ),
    "a subdivision of another country is none": (
        {"country": "POL", "subdivision": "SE-SE4", "in_datacentre": False},
        "POL",
    ),
    "a data centre of nobody": ({"country": "POL"}, "gcp:europe-central2"),
    "a blank provider is nobody": ({"country": "POL", "provider": " "}, "gcp:europe-central2"),
    "a data centre of a provider without a row there": ({"country": "POL", "provider": "hetzner"}, "POL"),
    "a data centre of a provider with one": (
        {"country": "POL", "provider": "ovhcloud", "region": "new"},
        "ovhcloud:waw",
    ),
    "an own server room": ({"country": "POL", "provider": "own"}, "POL"),
    "a country that is not in the table": ({"country": "ZZZ"}, "UNKNOWN"),
    "the world is no country": ({"country": "WORLD"}, "UNKNOWN"),
    "the default row is no country": ({"country": "UNKNOWN"}, "UNKNOWN"),
    "no country": ({"country": ""}, "UNKNOWN"),
}


def grid_row(**place):
    return FACTORS.grid_row(**{"subdivision": None, "provider": None, "region": None, "in_datacentre": True, **place})


@pytest.mark.parametrize(("place", "key"), PLACES.values(), ids=PLACES.keys())
def test_which_row_counts_for_a_place(place, key):
    assert grid_row(**place).g_per_kwh == FACTORS.grid[key].g_per_kwh


@pytest.mark.parametrize("row", REGIONS, ids=lambda row: row.key)
def test_a_region_left_unsaid_is_never_cheaper(row):
    silent = grid_row(country=row.country)
    half_silent = grid_row(country=row.country, provider=row.provider)
    assert silent.g_per_kwh >= half_silent.g_per_kwh >= row.g_per_kwh


@pytest.mark.parametrize("row", SUBDIVISIONS, ids=lambda row: row.key)
def test_a_subdivision_left_unsaid_is_never_cheaper(row):
    assert grid_row(country=row.country, in_datacentre=False).g_per_kwh >= row.g_per_kwh


@pytest.mark.parametrize("row", FACTORS.grid.values(), ids=lambda row: row.key)
def test_no_place_is_dirtier_than_the_unknown_or_cleaner_than_20(row):
    assert Decimal(20) <= row.g_per_kwh <= FACTORS.unknown_place.g_per_kwh


def test_a_region_is_never_below_the_row_that_it_lies_in():
    for row in REGIONS:
        land = FACTORS.grid.get(row.subdivision) or FACTORS.grid[row.country]
        assert row.g_per_kwh >= land.g_per_kwh


PUES = {
    "a provider with a row": ("aws", True, "1.15"),
    "a provider without one": ("hetzner", True, "1.58"),
    "an own server room": ("own", True, "1.58"),
    "nobody": (None, True, "1.58"),
    "a provider that calls itself local": ("LOCAL", True, "1.58"),
    "no data centre": (None, False, "1"),
    "no data centre, whatever the provider": ("aws", False, "1"),
}


@pytest.mark.parametrize(("provider", "in_datacentre", "pue"), PUES.values(), ids=PUES.keys())
def test_which_pue_counts(provider, in_datacentre, pue):
    assert FACTORS.pue_row(provider=provider, in_datacentre=in_datacentre).pue == Decimal(pue)


NAMES = {
    "a name": ("NVIDIA T4", "NVIDIA T4"),
    "an alias": ("tesla t4", "NVIDIA T4"),
    "letter case aside": ("nvidia TESLA v100 SXM2 16gb", "NVIDIA Tesla V100 SXM2 16GB"),
    "a chip that is both counts as a whole laptop": ("Apple M1", "Apple M1"),
    "a processor": ("AMD EPYC 7742", "AMD EPYC 7742"),
    "a name that nobody knows": ("My GPU", "UNKNOWN ACCELERATOR"),
    "no name": ("", "UNKNOWN ACCELERATOR"),
}


@pytest.mark.parametrize(("name", "row"), NAMES.values(), ids=NAMES.keys())
def test_which_device_a_name_stands_for(name, row):
    assert FACTORS.hardware_row(name).name == row


def test_an_empty_name_is_not_known():
    assert not FACTORS.knows_hardware("")
    assert FACTORS.knows_hardware(" unknown accelerator ")


def test_the_chip_that_is_in_two_tables_carries_its_manufacture():
    assert FACTORS.hardware_row("Apple M1").device_kg == 181


ACCELERATORS = [row for row in FACTORS.hardware.values() if row.kind == "accelerator" and row.host_kg]


@pytest.mark.parametrize("row", {row.name: row for row in ACCELERATORS}.values(), ids=lambda row: row.name)
def test_the_host_of_an_accelerator_is_traced_to_a_row_with_that_mass(row):
    origin = FACTORS.host_origin(row)
    assert origin.table == "devices"
    assert FACTORS.hardware[origin.row].device_kg == row.host_kg


def test_a_host_without_a_row_of_its_class_is_traced_to_its_accelerator():
    row = replace(FACTORS.hardware_row("NVIDIA T4"), host_class="rack of nobody")
    assert FACTORS.host_origin(row) == row.origins[0]


def test_a_source_has_the_version_that_its_numbers_were_taken_from():
    assert FACTORS.sources["OWID-EMBER"].version == "2.4.7"
    assert all(source.version for source in FACTORS.sources.values())


def first_row(table: str) -> str:
    return TEXTS[table].splitlines()[1]


BROKEN = {
    "a default under a row": (
        "grid_intensity",
        TEXTS["grid_intensity"].replace("UNKNOWN,default,,,,,1306", "UNKNOWN,default,,,,,1305"),
    ),
    "a PUE default under a row": (
        "pue",
        TEXTS["pue"].replace("UNKNOWN,datacentre-default,1.58", "UNKNOWN,datacentre-default,1.17"),
    ),
    "a default for devices under a row": (
        "accelerators",
        TEXTS["accelerators"].replace("unknown|,1400", "unknown|,1399"),
    ),
    "a default that is missing": ("cpus", TEXTS["cpus"].replace("UNKNOWN CPU", "SOME CPU")),
    "a row twice": ("pue", TEXTS["pue"] + first_row("pue") + "\n"),
    "a number that is none": ("pue", TEXTS["pue"].replace(",1.15,", ",little,")),
    "a number below zero": ("pue", TEXTS["pue"].replace(",1.15,", ",-1.15,")),
    "a missing column": ("pue", TEXTS["pue"].replace("provider,scope,pue", "provider,scope,PUE")),
    "a source that nobody names": ("pue", TEXTS["pue"].replace("AWS-PUE-2023", "HEARSAY")),
    "an alias of two devices": ("accelerators", TEXTS["accelerators"].replace("tesla t4", "l4")),
    "no rows": ("pue", TEXTS["pue"].splitlines()[0]),
}


@pytest.mark.parametrize(("table", "text"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_table_is_refused_by_name(table, text):
    assert text != TEXTS[table]
    with pytest.raises(StandardError) as error:
        parse_factors({**TEXTS, table: text})
    assert error.value.file == f"data/{table}.csv"
