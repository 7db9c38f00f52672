"""The word lists, one file for each language, as frozen values; a term's small notation as a regular expression.

A space in a term stands for spaces, hyphens, apostrophes, line breaks or nothing; ``*`` for further letters of a word; ``..`` for
up to four words between; ``(a|b)`` for one or the other, ``x?`` for what may be missing. Terms are matched in folded text
(certifier/wording/fold.py), so they are written without accents and in small letters; ä is written ae.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["generic", "neutral", "offset", "saving", "whole", "certified", "future"]
Risk = Literal["barred", "risky"]
LANGUAGES: Final = ("en", "de", "fr")

SEPARATOR: Final = r"[ '-]{0,3}"
_WORDS_BETWEEN: Final = r"(?:[ ',-]+[^ ',.!?;:-]+){0,4}?[ ',-]+"
_NEAR: Final = r"(?:[ ',-]+[^ ',.!?;:-]+){0,3}?[ ',-]+"
_TOKEN: Final = re.compile(r" ?\.\. ?|.", re.DOTALL)
_SIGNS: Final = {"*": "[a-z]*", " ": SEPARATOR, "(": "(?:", ")": ")", "|": "|", "?": "?"}
_CLASS: Final = re.compile(r"\[[0-9]-[0-9]\]")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Terms = Annotated[tuple[str, ...], Field(strict=False)]


class Entry(_Part):
    """Terms that are wrong for one reason. Where one of ``unless_followed_by`` or ``unless_before`` is near, it is fine."""

    kind: Kind
    risk: Risk
    terms: Terms
    why: str
    source: str
    instead: str
    unless_followed_by: Terms = ()
    unless_before: Terms = ()

    @property
    def pattern(self) -> re.Pattern[str]:
        return _compiled(self.terms)

    def is_fine(self, folded: str, start: int, end: int) -> bool:
        """Whether the words around a place make the term harmless."""
        return bool(
            (self.unless_followed_by and _followed(self.unless_followed_by).match(folded, end))
            or (self.unless_before and _before(self.unless_before).search(folded, max(0, start - 120), start))
        )


class Allowed(_Part):
    """A phrase that may stand, and why; with ``beside = "figure"`` only where a figure in grams stands near it."""

    phrase: str
    why: str
    beside: Literal["figure"] | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        return _compiled((self.phrase,))


class Lexicon(_Part):
    terms: Annotated[tuple[Entry, ...], Field(strict=False)]
    allowed: Annotated[tuple[Allowed, ...], Field(strict=False)] = ()


@cache
def lexicon(language: str) -> Lexicon:
    """The list of one of LANGUAGES."""
    text = (files("certifier.wording") / "words" / f"{language}.toml").read_text("utf-8")
    return Lexicon.model_validate(tomllib.loads(text))


@cache
def _compiled(terms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9])(?:{_either(terms)})(?![a-z0-9])")


@cache
def _followed(terms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"{_NEAR}(?:{_either(terms)})(?![a-z0-9])")


@cache
def _before(terms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9])(?:{_either(terms)})(?:[ ',-]+[^ ',.!?;:-]+){{0,6}}?[ ',-]+$")


def _either(terms: tuple[str, ...]) -> str:
    return "|".join(map(_expression, terms))


def _expression(term: str) -> str:
    parts = []
    for piece in re.split(rf"({_CLASS.pattern})", term):
        if _CLASS.fullmatch(piece):
            parts.append(piece)
        else:
            parts += [_letter(match[0]) for match in _TOKEN.finditer(piece)]
    return "".join(parts)


def _letter(sign: str) -> str:
    if ".." in sign:
        return _WORDS_BETWEEN
    return _SIGNS.get(sign) or re.escape(sign)
