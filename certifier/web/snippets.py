"""What people copy from the badge kit: HTML, Markdown, an embed, tags for audio files. Values in, text out.

The address is always the public one of the installation, and an image always carries its words as ``alt``. Texts of others are
escaped for the place where they stand: no title or name can end an attribute, open a tag or start a link.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

EMBED_WIDTH, EMBED_HEIGHT = 360, 380
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")  # what CommonMark gives a meaning (section 2.4)
_IN_AN_ADDRESS = "/:?&=%.,~+-_"


@dataclass(frozen=True)
class Picture:
    """A badge as it stands in a page of somebody else; ``width`` (0: as wide as its words) and ``height`` in CSS pixels."""

    page: str
    image: str
    alt: str
    width: int
    height: int


def html_snippet(picture: Picture) -> str:
    """The badge as a link to its certificate."""
    size = f'width="{picture.width}" height="{picture.height}"' if picture.width else f'height="{picture.height}"'
    image = f'<img src="{_attribute(picture.image)}" alt="{_words(picture.alt)}" {size}>'
    return f'<a href="{_attribute(picture.page)}">{image}</a>'


def markdown_snippet(picture: Picture) -> str:
    """The same for README files and blogs (CommonMark); the image keeps its own size."""
    alt = _PUNCTUATION.sub(r"\\\1", _one_line(picture.alt))
    return f"[![{alt}]({_address(picture.image)})]({_address(picture.page)})"


def embed_snippet(address: str, title: str, width: int = EMBED_WIDTH, height: int = EMBED_HEIGHT) -> str:
    """A frame with the certificate's state as it is when somebody looks; it may open links, and nothing else."""
    frame = f'<iframe src="{_attribute(address)}" title="{_words(title)}" width="{width}" height="{height}"'
    return f'{frame} loading="lazy" style="border:0" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>'


def tag_lines(shown_code: str, page: str) -> tuple[tuple[str, str], ...]:
    """What to write into an audio file: (kind of file, field and value)."""
    return (
        ("MP3, WAV, AIFF (ID3v2)", f"TXXX:LCAL_CODE = {shown_code}\nWXXX:LCAL = {page}"),
        ("FLAC, OGG (Vorbis comment)", f"LCAL_CODE={shown_code}\nLCAL_URL={page}"),
    )


def _attribute(address: str) -> str:
    return escape(_address(address), quote=True)


def _address(address: str) -> str:
    """Without a character that could end an attribute or a link."""
    return quote(address, safe=_IN_AN_ADDRESS)


def _words(text: str) -> str:
    return escape(_one_line(text), quote=True)


def _one_line(text: str) -> str:
    """Control characters and marks that turn the direction are left out; every run of spaces is one."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
