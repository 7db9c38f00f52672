"""Finds wording about the climate that is barred or risky, in a text of any kind: place, term, why, and a better way.

The one matcher for standards, for our own pages and for what others send to the claims linter. It reads words, not meaning: a
clean text is not thereby lawful, and nothing here is legal advice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from certifier.wording.fold import Folded, folds_of
from certifier.wording.lexicon import LANGUAGES, Allowed, Entry, Lexicon, lexicon

BESIDE: Final = 240  # characters: a figure as near as this stands beside a class
_FIGURE: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)? ?(?:g|grams?|gramm|grammes?)(?![a-z0-9])")
# What is quoted to explain the ban is marked so; without an end nothing is left out.
_MARKED: Final = re.compile(
    r"(?:<!--|\{#|#)\s*claims-lint:\s*off\b(?:(?!claims-lint:\s*off).)*?claims-lint:\s*on\b[^\n]*?(?:-->|#\}|$)",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Finding:
    """Wording that should not stand. ``line`` and ``column`` count from 1, ``start`` from 0; ``found`` is on one line."""

    line: int
    column: int
    start: int
    found: str
    language: str
    kind: str
    risk: str
    why: str
    source: str
    instead: str


@dataclass(frozen=True)
class _Hit:
    start: int
    end: int
    language: str
    entry: Entry


def claims_in(text: str, languages: Iterable[str] = LANGUAGES, *, figures_beside: bool = True) -> list[Finding]:
    """Every barred or risky wording of a text, in its order.

    A class needs its figure beside it, but for texts that are put together later (``figures_beside=False``). What stands
    between the marks ``claims-lint: off`` and ``claims-lint: on`` in comments is left out.
    """
    lists = {language: lexicon(language) for language in languages}
    hits: set[_Hit] = set()
    for folded in folds_of(text):
        hits.update(_hits(folded, lists, figures_beside=figures_beside))
    marked = marked_places(text)
    kept = (hit for hit in _longest(hits) if not any(start <= hit.start < end for start, end in marked))
    return [_finding(text, hit) for hit in kept]


def marked_places(text: str) -> list[tuple[int, int]]:
    """The places that a text marks as quoted."""
    return [match.span() for match in _MARKED.finditer(text)]


def _hits(folded: Folded, lists: Mapping[str, Lexicon], *, figures_beside: bool) -> Iterator[_Hit]:
    phrases = [phrase for words in lists.values() for phrase in words.allowed]
    allowed = list(_places(folded.text, phrases, figures_beside=figures_beside))
    for language, words in lists.items():
        for entry in words.terms:
            for match in entry.pattern.finditer(folded.text):
                start, end = match.span()
                is_allowed = any(first <= start < last or first < end <= last for first, last in allowed)
                if not is_allowed and not entry.is_fine(folded.text, start, end):
                    yield _Hit(*folded.span(start, end), language, entry)


def _places(text: str, phrases: Iterable[Allowed], *, figures_beside: bool) -> Iterator[tuple[int, int]]:
    for phrase in phrases:
        for match in phrase.pattern.finditer(text):
            near = slice(max(0, match.start() - BESIDE), match.end() + BESIDE)
            if phrase.beside is None or not figures_beside or _FIGURE.search(text[near]):
                yield match.span()


def _longest(hits: Iterable[_Hit]) -> Iterator[_Hit]:
    """In order of place; of those that overlap the first and longest."""
    reached = -1
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end, LANGUAGES.index(hit.language), hit.entry.kind)):
        if hit.start >= reached:
            yield hit
            reached = hit.end


def _finding(text: str, hit: _Hit) -> Finding:
    line = text.count("\n", 0, hit.start) + 1
    return Finding(
        line=line,
        column=hit.start - (text.rfind("\n", 0, hit.start) + 1) + 1,
        start=hit.start,
        found=" ".join(text[hit.start : hit.end].split()),
        language=hit.language,
        kind=hit.entry.kind,
        risk=hit.entry.risk,
        why=hit.entry.why,
        source=hit.entry.source,
        instead=hit.entry.instead,
    )
