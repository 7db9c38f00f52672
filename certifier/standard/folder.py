"""The folder of a standard as its editors see it: the files, the standard in them, and where a thing stands.

A `Standard` knows what it says and not where it is written; who corrects one needs file and line. Reading the folder from
disk is left to others.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from certifier.standard.cases import parse_case_files
from certifier.standard.model import HEAD, Standard, parse_standard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certifier.standard.cases import Case

TEXT = "README.md"


@dataclass(frozen=True)
class Place:
    """A line of a file; 0 where the whole file is meant."""

    file: str
    line: int = 0


@dataclass(frozen=True)
class TableRow:
    """One line of a table: its cells by column, and where it stands."""

    cells: Mapping[str, str]
    place: Place


@dataclass(frozen=True)
class Folder:
    files: Mapping[str, bytes]
    standard: Standard

    def text(self, path: str) -> str:
        """The text of a file; empty where there is none."""
        return self.files.get(path, b"").decode("utf-8", "replace")

    @cached_property
    def head(self) -> Mapping[str, Any]:
        """The values of `standard.toml`, with exact decimals."""
        return tomllib.loads(self.text(HEAD), parse_float=Decimal)

    @cached_property
    def cases(self) -> Mapping[str, tuple[Case, ...]]:
        """The cases of each case file. Raises MalformedJson."""
        return parse_case_files(self.files)

    def table(self, name: str) -> Mapping[str, TableRow]:
        """The lines of `data/NAME.csv` by their first column."""
        path = f"data/{name}.csv"
        reader = csv.DictReader(io.StringIO(self.text(path)))
        key = (reader.fieldnames or [""])[0]
        return {
            line[key]: TableRow({column: cell or "" for column, cell in line.items()}, Place(path, reader.line_num))
            for line in reader
        }

    def place_of_rule(self, rule_id: str) -> Place:
        """The line with the id of a rule."""
        own_id = re.compile(rf"""\s*id\s*=\s*["']{re.escape(rule_id)}["']""")
        for path in sorted(path for path in self.files if path.startswith("rules/")):
            for number, line in enumerate(self.text(path).splitlines(), 1):
                if own_id.match(line):
                    return Place(path, number)
        return Place("rules/")

    def place_of_number(self, name: str) -> Place:
        """The line of `standard.toml` with a number such as ``parameters.limits.class_1`` or ``bounds.ppm``."""
        *way, key = name.split(".")
        section, found = "", 0
        for number, line in enumerate(self.text(HEAD).splitlines(), 1):
            if heading := re.match(r"\[+([^\]]+)\]", line):
                section = heading.group(1)
                found = found or (number if section == name else 0)
            elif section == ".".join(way) and re.match(rf"{re.escape(key)}\s*=", line):
                return Place(HEAD, number)
        return Place(HEAD, found)


def open_folder(files: Mapping[str, bytes]) -> Folder:
    """The folder with the standard that is in it. Raises StandardError."""
    return Folder(files, parse_standard(files))
