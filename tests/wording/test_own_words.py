"""What we say ourselves holds what we ask of others: pages, scripts, faces, errors, documents, the standard's rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from certifier.badge.badge import ENDED, TIERS, face_lines, shield_words
from certifier.badge.public_use import reasons
from certifier.service.scheme import example_scheme
from certifier.web import words
from certifier.web.problems import problems
from certifier.web.script_words import SENTENCES
from certifier.wording.claims import claims_in
from certifier.wording.lexicon import LANGUAGES
from tests.badge.test_badge_words import FACE

PROJECT_ROOT = Path(__file__).parents[2]

FILES = sorted(
    path.relative_to(PROJECT_ROOT)
    for pattern in (
        "templates/*.html",
        "templates/**/*.html",
        "docs/**/*.md",
        "README.md",
        "keys/README.md",
        "CHANGELOG.md",
    )
    for path in PROJECT_ROOT.glob(pattern)
)


def complaints(text: str) -> list[str]:
    """A class stands here without its figure, which the page puts beside it (tests/web/test_must_says.py)."""
    found = claims_in(text, figures_beside=False)
    return [f"line {finding.line}: {finding.found}: {finding.instead}" for finding in found]


@pytest.mark.parametrize("path", sorted(set(FILES)), ids=str)
def test_a_page_or_document_of_ours_says_nothing_that_is_barred(path: Path) -> None:
    assert complaints((PROJECT_ROOT / path).read_text("utf-8")) == []


def tables() -> Iterator[tuple[str, str]]:
    yield from (("words.py", text) for text in words.texts())
    yield from ((f"script {page}", text) for page, texts in SENTENCES.items() for text in texts.values())
    yield from (("problems.py", f"{kind.title} {kind.about}") for kind in problems().values())
    yield from (("public_use.py", text) for text in reasons())
    yield "scheme-example.toml", example_scheme()


def test_no_table_of_words_says_anything_that_is_barred() -> None:
    assert {name: found for name, text in tables() if (found := complaints(text))} == {}


@pytest.mark.parametrize("status", ["active", *ENDED])
def test_no_face_says_anything_that_is_barred(status: str) -> None:
    """Read as a whole: here a class has its figure beside it, and that is asked for."""
    for kind, artwork, calculated in product(TIERS, (True, False), (True, False)):
        face = replace(FACE, kind=kind, artwork=artwork, calculated=calculated, status=status)
        said = face_lines(face)
        assert claims_in(f"{said.title}. {said.description} {' '.join(shield_words(face))}") == [], (kind, status)


def test_the_scripts_say_nothing_that_is_barred() -> None:
    for path in sorted((PROJECT_ROOT / "certifier/web/static").rglob("*.js")):
        said = re.sub(r"^\s*(//|/?\*).*$", "", path.read_text("utf-8"), flags=re.MULTILINE)
        assert complaints(said) == [], path.name


def test_no_catalogue_says_anything_that_is_barred_in_its_language() -> None:
    for path in sorted((PROJECT_ROOT / "certifier/web/catalogues").glob("*.po")):
        assert path.stem in LANGUAGES, "a catalogue needs a word list of its language"
        assert complaints(path.read_text("utf-8")) == [], path.name
