"""What the readers of raw logs have in common: bounded text, plain numbers, times of some calendar."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from certifier.crypto.canonical import sha256_hex
from certifier.errors import MalformedLog

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_LOG_BYTES = 8 * 1024 * 1024
MAX_QUANTITY = Decimal("1e12")  # LCAL rule INT-03

NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?", re.ASCII)


def text_of(raw: bytes, most_bytes: int = MAX_LOG_BYTES) -> str:
    """The text of a log of at most so many bytes. Raises MalformedLog."""
    if len(raw) > most_bytes:
        raise MalformedLog("the log is too long", found=f"{len(raw)} bytes", expected=f"at most {most_bytes} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedLog("the log is no UTF-8 text", found=f"a stray byte at {error.start}") from error
    if "\0" in text:
        raise MalformedLog("the log holds a NUL character", hint="deposit the file as the tool wrote it")
    return text


def quantity_of(text: str, what: str) -> Decimal:
    """The number from 0 to 1e12 that is written there; ``what`` names the place. Raises MalformedLog."""
    if not NUMBER.fullmatch(text) or Decimal(text) > MAX_QUANTITY:
        raise MalformedLog(f"{what} is no quantity", found=text[:60], expected="a number from 0 to 1e12")
    return Decimal(text)


def is_time(text: str) -> bool:
    """Whether a text in the shape of an ISO 8601 time is in the calendar too."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def plain(number: Decimal) -> Decimal:
    """The number without zeros at its end and without an exponent: 445 for 445.00."""
    return Decimal(format(number.normalize(), "f"))


def run_id_of(tool: str, *facts: object) -> str:
    """A name for a run of a tool that names none: made of what was read, so that the same run has the same name."""
    return f"{tool}-{sha256_hex(chr(10).join(map(str, facts)).encode())[:32]}"


def refuse_repeated(what: str, names: Sequence[str], *, hint: str) -> None:
    """Raises MalformedLog if one of the names is there twice."""
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise MalformedLog(f"the log has a {what} twice", found=name[:60], expected="each one once", hint=hint)
