"""Exact numbers and times: decimals with enough digits, whole numbers for the rules, RFC 3339 times in microseconds.

Nothing here knows the standard. What a number means, and which way it is rounded, is said where it is used.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import lru_cache
from typing import TYPE_CHECKING

from certifier.errors import ForeignInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS_PER_MINUTE = 60
SECONDS_PER_HOUR = 3600
GRAMS_PER_KILOGRAM = 1000
WATT_SECONDS_PER_KWH = 3_600_000
MICROSECONDS_PER_DAY = 86_400_000_000

# Two of these multiplied by a percentage still fit into the 64 bits of a CEL integer.
LARGEST_INTEGER = 9_000_000_000_000_000

# The standard asks for 28 digits at least (4.8); the exponents leave room for any quotient of accepted numbers.
_PRECISE = Context(prec=60, rounding=ROUND_HALF_EVEN, Emin=-9_999_999, Emax=9_999_999)

_TIME = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """All decimal arithmetic inside has 60 digits."""
    with localcontext(_PRECISE):
        yield


def rounded_down(value: Decimal, per_unit: int = 1) -> int | None:
    """Whole parts of `value`, `per_unit` of them in a unit, never more than there are. None if not a number.

    A whole limit is reached by the result exactly when the value itself reaches it.
    """
    return _whole(value, per_unit, ROUND_FLOOR)


def rounded_up(value: Decimal, per_unit: int = 1) -> int | None:
    """Whole parts of `value`, `per_unit` of them in a unit, never fewer than there are. None if not a number.

    The result stays within a whole limit exactly when the value itself does.
    """
    return _whole(value, per_unit, ROUND_CEILING)


def _whole(value: Decimal, per_unit: int, rounding: str) -> int | None:
    if value.is_nan():
        return None
    scaled = _PRECISE.multiply(value, per_unit)
    if scaled > LARGEST_INTEGER:
        return LARGEST_INTEGER
    if scaled < -LARGEST_INTEGER:
        return -LARGEST_INTEGER
    return int(scaled.to_integral_value(rounding))


def plain(value: Decimal | int) -> str:
    """The number as people write it: no exponent, no needless zeros."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


@lru_cache(maxsize=4096)
def microseconds_of(text: str) -> int | None:
    """Microseconds since 1970 of an RFC 3339 time with its zone, or None if it has no zone or is no time.

    Digits behind the microsecond are cut.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    seconds, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(seconds + ("+00:00" if zone == "Z" else zone))
    except ValueError:
        return None
    micros = int((fraction or "0").ljust(6, "0")[:6])
    return (moment - _EPOCH) // timedelta(microseconds=1) + micros


def parse_time(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 time. Raises ForeignInputError if the zone is missing or it is no time."""
    micros = microseconds_of(text)
    if micros is None:
        raise ForeignInputError(
            "this is no time with a zone", found=text[:40], expected="RFC 3339, such as 2026-10-01T12:00:00Z"
        )
    return micros


def significant_digits(value: Decimal) -> int:
    """How many digits carry information: 0.0060 has one, 0.0063 two. Zero has one."""
    if not value.is_finite():
        return 0
    return len(str(int("".join(map(str, value.as_tuple().digits)) or "0")).rstrip("0")) or 1
