"""Times in signed documents: RFC 3339 in UTC, whole seconds, written in one way only."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from certifier.errors import MalformedCertificate

_FORM = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_EARLIEST = "1970"  # nothing was signed before; and a clock's error can be taken off every later time


@lru_cache(1024)  # a moment is written several times in each check, and is the same in many of them
def time_text(moment: datetime) -> str:
    """``2026-11-22T20:00:00Z``; fractions of a second are dropped."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='seconds')[:19]}Z"  # a third of the time of strftime


def parse_time(text: Any) -> datetime:
    """The moment that ``time_text`` wrote. Raises MalformedCertificate for any other form, and for times before 1970."""
    if isinstance(text, str) and _FORM.fullmatch(text) and text >= _EARLIEST:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    raise MalformedCertificate("A time cannot be read.", found=repr(text)[:60], expected="2026-11-22T20:00:00Z")
