"""The one reader for JSON from outside: what it lets through means the same to every other reader.

Two programs that read one signed body must not see two documents, and no body may cost more than its size
promises. So this reader refuses what others resolve in their own way (duplicate members, NaN, lone surrogates,
byte order marks) and what is only there to hurt (depth, node counts, giant numbers).

Source: RFC 8259, made strict as I-JSON (RFC 7493) asks. Which members a document needs is for its model to say;
how values become bytes again is ``canonical``'s business.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Any, NoReturn

import jiter

from certifier.errors import MalformedJson

MAX_DIGITS = 40
MAX_EXPONENT = 40
_TOO_LARGE = 10**MAX_DIGITS

_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "UTF-8", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'",[]{}'))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


@dataclass(frozen=True)
class Limits:
    """How much one body may hold. ``max_nodes`` counts values, and an empty array or object as two."""

    max_bytes: int = 256 * 1024
    max_depth: int = 32
    max_nodes: int = 20_000


DEFAULT_LIMITS = Limits()


def parse_json(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> Any:
    """The value that every strict reader would see in ``raw`` (UTF-8).

    Objects become dict, arrays list, integers int. A number with a fraction or an exponent becomes a Decimal with
    exactly the digits that were written; no value is ever a float. Raises MalformedJson for everything else.
    """
    _check_size(raw, limits)
    with suppress(_Doubt):
        return _plain_value_of(raw, limits)
    text = _text_of(raw)
    _check_shape(raw, limits)
    value = _value_of(text)
    if "\\ud" in text or "\\uD" in text:  # how half a character is written, and some whole ones
        _check_surrogates(value)
    return value


def parse_object(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> dict[str, Any]:
    """Like ``parse_json``, and the outermost value is an object."""
    value = parse_json(raw, limits)
    if not isinstance(value, dict):
        raise MalformedJson("the JSON text is no object", found=_KINDS[type(value)], expected="an object: { … }")
    return value


_KINDS: dict[type, str] = {
    list: "an array",
    str: "a string",
    int: "a number",
    Decimal: "a number",
    bool: "true or false",
    type(None): "null",
}


def _check_size(raw: bytes, limits: Limits) -> None:
    if len(raw) > limits.max_bytes:
        raise MalformedJson(
            "the JSON text is too large",
            found=f"{len(raw)} bytes",
            expected=f"at most {limits.max_bytes} bytes",
            hint="Send one document at a time, without embedded files.",
        )


def _text_of(raw: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if raw.startswith(mark):
            raise MalformedJson(
                "the JSON text starts with a byte order mark",
                found=f"the mark of {encoding}",
                expected="UTF-8 without a mark (RFC 8259 section 8.1)",
                hint='Save the file as "UTF-8", not as "UTF-8 with BOM" or "Unicode".',
            )
    if b"\x00" in raw:
        raise MalformedJson(
            "the JSON text holds zero bytes",
            found="a zero byte, as in UTF-16 and UTF-32",
            expected="UTF-8 (RFC 8259 section 8.1)",
            hint="Save the file as UTF-8.",
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJson(
            "the JSON text is not UTF-8",
            found=f"byte 0x{raw[error.start]:02x} at offset {error.start}",
            expected="UTF-8 (RFC 8259 section 8.1)",
            hint="Save the file as UTF-8.",
        ) from error


class _Doubt(Exception):
    """The quick way cannot tell."""


def _plain_value_of(raw: bytes, limits: Limits) -> Any:
    """The value of a text that is beyond doubt. Raises _Doubt for any other, and the slower way decides.

    ``jiter`` refuses what this reader refuses but for depth and giant numbers, and makes a float of a fraction. The bytes of a
    text bound the number of its values, and so do its commas and brackets, with those in strings.
    """
    if len(raw) > limits.max_nodes and raw.count(b",") + raw.count(b"[") + raw.count(b"{") >= limits.max_nodes:
        raise _Doubt
    try:
        value = jiter.from_json(raw, catch_duplicate_keys=True, allow_inf_nan=False, cache_mode="keys")
    except ValueError as error:
        raise _Doubt from error
    level, depth = [value], 0
    while level:
        inner: list[Any] = []
        for one in level:
            kind = type(one)
            if kind is str:
                continue
            if kind is dict:
                inner += one.values()
            elif kind is list:
                inner += one
            elif kind is float or (kind is int and not -_TOO_LARGE < one < _TOO_LARGE):
                raise _Doubt
        level, depth = inner, depth + 1
    if depth > limits.max_depth:
        raise _Doubt
    return value


def _check_shape(raw: bytes, limits: Limits) -> None:
    """Refuse depth and number of values before anything recurses or allocates."""
    outline = _outline_of(raw)
    depth = max(accumulate(map(_STEP.__getitem__, outline.translate(None, delete=b","))), default=0)
    if depth > limits.max_depth:
        raise MalformedJson(
            "the JSON text is nested too deeply",
            found=f"{depth} levels",
            expected=f"at most {limits.max_depth} levels of arrays and objects",
        )
    nodes = 1 + outline.count(b",") + outline.count(b"[") + outline.count(b"{")
    if nodes > limits.max_nodes:
        raise MalformedJson(
            "the JSON text holds too many values",
            found=f"{nodes} values",
            expected=f"at most {limits.max_nodes} values",
        )


def _outline_of(raw: bytes) -> bytes:
    """The brackets and commas that are not in strings. Right up to the first mistake, where the decoder stops too."""
    # By as many bytes as are taken away: that is done in one go.
    plain = raw.replace(b"\\\\", b"  ").replace(b'\\"', b"  ") if b"\\" in raw else raw
    return b"".join(plain.translate(None, delete=_NOT_STRUCTURE).split(b'"')[::2])


def _value_of(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedJson(
            f"not JSON: {error.msg[0].lower()}{error.msg[1:].removesuffix(' at').removesuffix(' starting')}",
            found=f"{_shown(text[error.pos : error.pos + 20])} at line {error.lineno}, column {error.colno}",
            expected="one JSON value and nothing after it (RFC 8259)",
        ) from error


def _check_surrogates(value: Any) -> None:
    """Pairs were joined by the decoder; what is left has no UTF-8 form."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedJson(
            "a string holds half a character",
            found=f"the lone surrogate \\u{ord(error.object[error.start]):04x}",
            expected="surrogates in pairs only (RFC 7493 section 2.1)",
            hint="The text was cut in the middle of a character; send it whole.",
        ) from error


def _object_of(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) != len(members):
        _refuse_duplicate([name for name, _ in members])
    return value


def _refuse_duplicate(names: list[str]) -> NoReturn:
    twice = next(name for name, times in Counter(names).items() if times > 1)
    raise MalformedJson(
        "an object has two members of one name",
        found=f"{_shown(twice)} twice",
        expected="every name once (RFC 7493 section 2.3)",
        hint="Readers disagree about which of the two counts; keep one.",
    )


def _integer_of(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        _refuse_number(digits)
    return int(digits)


def _decimal_of(number: str) -> Decimal:
    significand, _, exponent = number.lower().partition("e")
    too_long = len(significand.lstrip("-")) > MAX_DIGITS + 1  # one more for the point
    # The exponent is judged by its text first: reading a giant one is part of the harm.
    if too_long or len(exponent) > 4 or abs(int(exponent or "0")) > MAX_EXPONENT:
        _refuse_number(number)
    return Decimal(number)


def _refuse_number(number: str) -> NoReturn:
    raise MalformedJson(
        "a number is out of all proportion",
        found=_shown(number),
        expected=f"at most {MAX_DIGITS} digits and an exponent from -{MAX_EXPONENT} to {MAX_EXPONENT}",
    )


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson(
        f"{name} is no JSON number",
        found=name,
        expected="a number, or null (RFC 8259 section 6)",
        hint="A value that could not be measured is left out.",
    )


def _shown(text: str) -> str:
    """Foreign text for an error: short, on one line, without control characters."""
    return repr(text) if len(text) <= 40 else f"{text[:40]!r}… ({len(text)} characters)"


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_of,
    parse_int=_integer_of,
    parse_float=_decimal_of,
    parse_constant=_refuse_constant,
)
