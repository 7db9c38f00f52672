"""An ISRC is the same recording however it is spelled."""

from __future__ import annotations

import pytest

from certifier.isrc import isrc_in

SPELLED = {
    "as it is stored": ("QZABC2600001", "QZABC2600001"),
    "with hyphens": ("QZ-ABC-26-00001", "QZABC2600001"),
    "with spaces": (" qz abc 26 00001 ", "QZABC2600001"),
    "with its name": ("ISRC QZ-ABC-26-00001", "QZABC2600001"),
    "of Iceland, which looks like the name": ("IS-RC1-26-00001", "ISRC12600001"),
    "of Iceland, with the name": ("ISRC IS-RC1-26-00001", "ISRC12600001"),
    "too short": ("QZABC260001", ""),
    "letters where digits are due": ("QZABC26OOOO1", ""),
    "digits of another script": ("QZABC26٠٠٠٠١", ""),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("text", "isrc"), SPELLED.values(), ids=SPELLED.keys())
def test_every_spelling_of_an_isrc_is_one_isrc(text: str, isrc: str) -> None:
    assert isrc_in(text) == isrc
