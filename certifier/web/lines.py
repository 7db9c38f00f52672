"""Lines of a request's body as they arrive, however many they are, in bounded memory.

The server hands a body over in blocks: a read returns when a block is full or the body ends. So answers follow the questions
block by block, and blocks are small unless they fill at once. A body may be packed (gzip, RFC 1952); one that unpacks to far
more than text does is refused.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Iterator
from typing import Protocol

from certifier.errors import ForeignInputError
from certifier.web.problems import ParameterInvalid, PayloadTooLarge, UploadTooSlow

BLOCK = 8 * 1024  # some two hundred codes, one to a line
MOST_OF_BLOCK = 64 * 1024  # while they come quickly
QUICK_S = 0.05
UNPACKED = 64 * 1024  # of packed lines at a time
LONGEST_LINE = 256 * 1024
MOST_GROWTH = 100  # times that gzip makes lines smaller; codes come to ten
SPARE = 64 * 1024


class Body(Protocol):
    def read(self, size: int, /) -> bytes: ...


def blocks_of(body: Body, seconds: float) -> Iterator[bytes]:
    """The blocks of a body. Raises UploadTooSlow when BLOCK bytes take longer than ``seconds`` to come.

    The clock is looked at between reads: a sender that trickles is stopped, one that falls silent only by a proxy in front.
    """
    size = BLOCK
    while True:
        began = time.monotonic()
        block = body.read(size)
        if not block:
            return
        took = time.monotonic() - began
        if took > seconds * (size // BLOCK):
            raise UploadTooSlow(
                "The lines came too slowly.", expected=f"{BLOCK} bytes, or the end, within {seconds:g} s"
            )
        size = min(2 * size, MOST_OF_BLOCK) if took < QUICK_S else BLOCK
        yield block


def unpacked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes that were packed, part by part. Raises ForeignInputError when they are no whole gzip, or a bomb."""
    reader, taken, given = zlib.decompressobj(wbits=31), 0, 0
    for block in blocks:
        taken, rest, part = taken + len(block), block, b""
        while rest or (len(part) == UNPACKED and not reader.eof):  # a full part may have left more behind it
            if reader.eof:  # members may follow each other (RFC 1952 section 2.2)
                reader = zlib.decompressobj(wbits=31)
            try:
                part = reader.decompress(rest, UNPACKED)
            except zlib.error as error:
                raise _not_gzip(str(error)[:80]) from error
            given += len(part)
            if given > SPARE + MOST_GROWTH * taken:
                raise PayloadTooLarge(
                    "The packed lines unpack to far more than lines do.",
                    found=f"more than {given} bytes from {taken}",
                    expected=f"at most {MOST_GROWTH} times as many",
                )
            yield part
            rest = reader.unused_data or reader.unconsumed_tail
    if taken and not reader.eof:
        raise _not_gzip("its end is missing")


def _not_gzip(found: str) -> ForeignInputError:
    return ParameterInvalid("The packed lines cannot be unpacked.", found=found, expected="gzip (RFC 1952), whole")


def lines_of(blocks: Iterable[bytes]) -> Iterator[list[bytes | None]]:
    """For each block the lines that end in it, blank ones left out; the last one may lack its end.

    None stands for a line that is longer than LONGEST_LINE: it is not kept.
    """
    kept, is_passing = b"", False
    for block in blocks:
        *ended, kept = (kept + block).split(b"\n")
        if is_passing and ended:  # the end of the long line that was answered already
            del ended[0]
            is_passing = False
        lines = [line if len(line) <= LONGEST_LINE else None for line in ended if line.strip()]
        if is_passing or len(kept) > LONGEST_LINE:
            lines += [] if is_passing else [None]
            kept, is_passing = b"", True
        yield lines
    if kept.strip():
        yield [kept]
