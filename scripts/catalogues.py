"""Bring the catalogue of every language up to date with all that people read.

    python scripts/catalogues.py            # those that exist
    python scripts/catalogues.py de fr      # these too, from nothing if need be

Texts stand in templates, in `N_()` and `_()` of the code, and in the tables of `certifier/web/words.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from certifier.web import words
from certifier.web.problems import problems

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "certifier/web/catalogues"
HEADER = "# Translations for the Low-Carbon Audio Label, under its licence."
KEYWORDS: Any = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "say": None}
UNSTEADY = (
    b'"POT-Creation',
    b'"PO-Revision',
    b'"Generated',
    b'"Last-Tr',
    b'"Report-',
    b'"Language-Team',
    b'"Project-Id',
)
OPTIONS = {"**.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}


def collected() -> Catalog:
    """Every text of the pages, by its first place in the tree; the same for the same tree."""
    catalogue = Catalog(project="Low-Carbon Audio Label", charset="utf-8", fuzzy=False, header_comment=HEADER)
    for text, where in _texts():
        catalogue.add(text, locations=[(where, 0)] if where else ())
    return catalogue


def _texts() -> Iterator[tuple[str | tuple[str, ...], str]]:
    for folder, method in (("templates", "jinja2"), ("certifier/web", "python")):
        found = extract_from_dir(
            str(ROOT / folder), [("**.html" if method == "jinja2" else "**.py", method)], OPTIONS, KEYWORDS
        )
        for name, _, text, _, _ in sorted(found, key=lambda each: (each[0], each[1])):
            yield text, f"{folder}/{name}"
    for text in words.texts():
        yield text, "certifier/web/words.py"
    for kind in problems().values():
        yield kind.title, "certifier/web/problems.py"
        yield kind.about, "certifier/web/problems.py"


def written(catalogue: Catalog) -> bytes:
    """The file of a catalogue, without anything that changes from day to day."""
    buffer = BytesIO()
    write_po(buffer, catalogue, width=128, omit_header=False, include_lineno=False, sort_by_file=False)
    lines = buffer.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(UNSTEADY))


def main() -> None:
    template = collected()
    languages = {file.stem for file in FOLDER.glob("*.po")} | set(sys.argv[1:])
    for language in sorted(languages):
        file = FOLDER / f"{language}.po"
        catalogue = (
            read_po(BytesIO(file.read_bytes()), locale=language)
            if file.exists()
            else Catalog(locale=language, fuzzy=False, header_comment=HEADER)
        )
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        file.write_bytes(written(catalogue))
        missing = [message.id for message in catalogue if message.id and not message.string]
        print(f"{language}: {len(catalogue)} texts, {len(missing)} to translate")
    if not languages:
        print(f"{len(template)} texts and no catalogue yet: name a language")


if __name__ == "__main__":
    main()
