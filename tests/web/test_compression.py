"""What is sent compressed is the same text, and long texts do not stay in memory."""

from __future__ import annotations

import gzip

import pytest

from certifier.web import compression
from certifier.web.compression import MOST_REMEMBERED_BYTES, gzipped

BODIES = {"short": (b"x" * 1000, 1), "long": (b"y" * (MOST_REMEMBERED_BYTES + 1), 0)}


@pytest.mark.parametrize(("raw", "kept"), BODIES.values(), ids=BODIES.keys())
def test_only_short_bodies_are_remembered(raw: bytes, kept: int) -> None:
    compression._remembered.cache_clear()
    assert gzip.decompress(gzipped(raw)) == raw
    assert compression._remembered.cache_info().currsize == kept
