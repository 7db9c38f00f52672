"""All certificates as lines of JSON, in the order of the log, for those who verify a catalogue without a network.

An answer is read from the database in pages while it is sent, so that it takes the same memory for ten certificates and for
thousands, and no connection waits for a slow reader. It may break off anywhere: whoever goes on behind the last line that
came misses none.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from threading import BoundedSemaphore

import structlog
from flask import Response, request
from pydantic import Field

from certifier.certificate.code import display_code
from certifier.errors import BusyError, CertifierError
from certifier.storage.rows import IssuedCertificate
from certifier.storage.store import Store
from certifier.web.documents import Document
from certifier.web.problems import ParameterInvalid
from certifier.web.responses import CACHE, NDJSON, checked_query
from certifier.web.site import Site

MOST_LINES = 2_000  # of one answer: some 14 MB
PAGE = 200  # certificates read at once
MOST_READERS = 4  # answers on their way at once: each holds a thread for as long as its reader takes
GZIP = 31  # zlib's largest window with the frame of gzip

_CURSOR = re.compile(r"([0-9]{1,9})-([0-9]{1,18})", re.ASCII)

log = structlog.get_logger(__name__)

_readers = BoundedSemaphore(MOST_READERS)


class CertificateLine(Document):
    """A certificate with what it is found by. ``credential`` and ``proof`` are the bytes of its .vc and .tlog-proof as text."""

    cursor: str = Field(description="Where to go on: `after` for the next question.")
    code: str
    isrc: str | None = Field(description="In capitals, without hyphens.")
    sha256: str = Field(description="Of the audio file, in small hexadecimal digits.")
    essence_sha256: str | None = Field(description="Of its samples, where they have a digest.")
    credential: str
    proof: str


def certificates(site: Site) -> Response:
    """Every certificate from behind a cursor, one on each line."""
    store, place = site.certifier.store, _place_of(checked_query(after=None)["after"])
    first = store.issued_after(*place, PAGE)  # a database that is away is told while there is a status to tell it by
    place_taken = ExitStack()
    if request.method == "GET":  # HEAD sends nothing
        if not _readers.acquire(blocking=False):
            raise BusyError("Several others are reading all certificates just now.", hint="Ask again in a minute.")
        place_taken.callback(_readers.release)
    lines: Iterable[bytes] = _lines(store, first, place_taken)
    is_packed = bool(request.accept_encodings["gzip"])
    response = Response(_packed(lines) if is_packed else lines, content_type=NDJSON)
    response.call_on_close(place_taken.close)  # also where nobody began to read
    response.headers["Cache-Control"] = CACHE["no time"]
    response.headers["Vary"] = "Accept-Encoding"
    if is_packed:
        response.headers["Content-Encoding"] = "gzip"
    return response


def _place_of(text: str) -> tuple[int, int]:
    """The number of a log, and the index in it behind which to go on."""
    if not text:
        return 0, -1
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise ParameterInvalid(
            "There is no such place to go on from.",
            found=text[:80],
            expected="the cursor of the last line that you have, such as 1-41",
        )
    return int(match[1]), int(match[2])


def _lines(store: Store, page: list[IssuedCertificate], place_taken: ExitStack) -> Iterator[bytes]:
    left = MOST_LINES
    with place_taken:
        while page:
            yield b"".join(_line(issued) for issued in page)
            left -= len(page)
            try:
                page = store.issued_after(page[-1].log, page[-1].index, min(PAGE, left)) if left else []
            except CertifierError as error:
                log.warning("export broken off", found=error.found)  # whoever reads it goes on where it ended
                return


def _line(issued: IssuedCertificate) -> bytes:
    line = CertificateLine(
        cursor=f"{issued.log}-{issued.index}",
        code=display_code(issued.code),
        isrc=issued.isrc or None,
        sha256=issued.audio_sha256,
        essence_sha256=issued.essence_sha256 or None,
        credential=issued.document.decode("utf-8", "replace"),
        proof=issued.proof.decode("utf-8", "replace"),
    )
    return line.model_dump_json().encode() + b"\n"


def _packed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The same in gzip, page by page."""
    packer = zlib.compressobj(wbits=GZIP)
    for line in lines:
        yield packer.compress(line) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()
