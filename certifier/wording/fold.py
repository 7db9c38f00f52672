"""A text as the matcher sees it: small plain letters, one kind of space, hyphen and apostrophe, no markup; with the places kept.

Tags inside a word vanish and others count as a space; the words of attributes that people read stay. Entities, soft hyphens,
invisible characters, accents, ligatures and Markdown's stars are undone, so that no typography hides a word.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_INLINE: Final = frozenset(
    "a abbr b bdi bdo code em font i mark q s small span strong sub sup u var wbr tspan".split(),  # noqa: SIM905 - a list of names
)
_READ: Final = re.compile(
    r"\b(?:alt|title|aria-label|aria-description|content|placeholder|label|value|summary)\s*=", re.IGNORECASE
)
_TOKEN: Final = re.compile(
    r"(?P<comment><!--(?:(?!<!--).)*?-->|\{#(?:(?!\{#).)*?#\})"
    r"|(?P<tag></?(?P<name>[a-zA-Z][a-zA-Z0-9]*)\b[^<>]*>)"
    r"|(?P<entity>&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});)"
    r"|(?P<broken>[\u00ad\u2010\u2011-]\s*\n\s*)"
    r"|(?P<space>\s+)"
    r"|(?P<word>[a-zA-Z0-9]+)"
    r"|(?P<letter>.)",
    re.DOTALL,
)
_BROKEN: Final = re.compile(r"[\u00ad\u2010\u2011-]\s*\n")
_APOSTROPHES: Final = "'’‘ʼ′`´"
_LETTERS: Final = {
    "œ": "oe",
    "æ": "ae",
    "_": "-",
    "/": "-",
    "·": "-",
    "*": "",
    "~": "",
    **dict.fromkeys('"“”„«»‹›()[]', " "),
}
_DIAERESIS: Final = "\u0308"


@dataclass(frozen=True)
class Folded:
    """``text`` in folded form; each of its letters came from ``starts`` up to ``ends`` of the original."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of a stretch of the folded text."""
        return self.starts[start], self.ends[end - 1]


def folds_of(text: str) -> Iterator[Folded]:
    """The text in folded form, and once more with its lines joined where a hyphen breaks a word."""
    yield fold(text, join_lines=False)
    if _BROKEN.search(text):
        yield fold(text, join_lines=True)


def fold(text: str, *, join_lines: bool) -> Folded:
    """A text in folded form. With ``join_lines`` a hyphen at a line's end only breaks a word; without, it belongs to it."""
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for letter, start, end in _pieces(text, 0, join_lines=join_lines):
        if letter == " " and letters and letters[-1] == " ":
            continue
        if letter == _DIAERESIS:
            if not letters or letters[-1] not in "aou":
                continue
            letter = "e"  # noqa: PLW2901 - German writes it so where there is no umlaut
        letters.append(letter)
        starts.append(start)
        ends.append(end)
    return Folded("".join(letters), tuple(starts), tuple(ends))


def _pieces(text: str, offset: int, *, join_lines: bool) -> Iterator[tuple[str, int, int]]:
    for match in _TOKEN.finditer(text):
        start, end = offset + match.start(), offset + match.end()
        kind = match.lastgroup
        if match["tag"] is not None:
            read = _READ.search(match["tag"])
            if read:
                yield " ", start, start + read.end()
                yield from _pieces(match["tag"][read.end() : -1], start + read.end(), join_lines=join_lines)
            if read or match["name"].lower() not in _INLINE:
                yield " ", end - 1, end
        elif kind == "comment":
            yield " ", start, end
        elif kind == "entity":
            for letter in html.unescape(match[0]):
                yield from ((plain, start, end) for plain in _plain(letter))
        elif kind == "broken":
            if not join_lines:
                yield "-", start, end
        elif kind == "word":
            for place, letter in enumerate(match[0].lower(), start):
                yield letter, place, place + 1
        elif kind == "space":
            yield " ", start, end
        else:
            yield from ((plain, start, end) for plain in _plain(match[0]))


def _plain(letter: str) -> Iterator[str]:
    """The plain small letters of a letter; none where it cannot be seen."""
    if letter in _APOSTROPHES:
        yield "'"
        return
    for part in unicodedata.normalize("NFKD", letter).casefold():
        category = unicodedata.category(part)
        if part in _LETTERS:
            yield from _LETTERS[part]
        elif category == "Pd" or part == "−":
            yield "-"
        elif part.isspace():
            yield " "
        elif part == _DIAERESIS or not category.startswith(("M", "C")):
            yield part
