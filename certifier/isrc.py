"""International Standard Recording Codes (ISO 3901), in every spelling that people use."""

from __future__ import annotations

import re

_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}", re.ASCII)
_WORD = "ISRC"


def isrc_in(text: str) -> str:
    """The twelve symbols of an ISRC, in any case, with or without spaces, hyphens, and its name before it; empty for none."""
    symbols = plain_isrc(text)
    return symbols if _ISRC.fullmatch(symbols) else ""


def plain_isrc(text: str) -> str:
    """A text without what people write around an ISRC, to be compared; whether it is one is not asked."""
    symbols = "".join(text.upper().replace("-", "").split())
    # What begins with the word may be an ISRC of Iceland: IS-RC1-26-00001.
    return symbols if _ISRC.fullmatch(symbols) else symbols.removeprefix(_WORD)
