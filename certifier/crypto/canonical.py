"""The one door from values to bytes: whatever is hashed or signed here passes through ``canonical_bytes``.

Source: RFC 8785 (JSON Canonicalization Scheme), for documents without fractions. Quantities are integers or
decimal strings in all our signed documents, so the one hard part of the scheme, printing doubles, never arises.
Reading JSON is ``strict_json``'s business; what the documents say is their models'.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import orjson
import rfc8785

from certifier.errors import MalformedJson

MAX_INTEGER = 2**53 - 1

_PLAIN = frozenset({str, bool, type(None)})


def canonical_bytes(value: Any) -> bytes:
    """The only bytes that stand for ``value`` (RFC 8785): same value, same bytes, in every language.

    Takes None, bool, str, int up to 2^53 - 1 in magnitude, list, tuple, and dict with str keys. Raises MalformedJson
    for everything else, floats and Decimals among it, and for strings with a lone surrogate.
    """
    try:
        # RFC 8785 section 3.2.3 sorts names by UTF-16 code units, orjson by code points. Both agree on ASCII.
        if _ascii_names_only(value):
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return rfc8785.dumps(value)
    except (orjson.JSONEncodeError, rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise MalformedJson(
            "a value has no canonical form",
            expected="text without lone surrogates, nested no deeper than a reader accepts",
        ) from error


def sha256_hex(data: bytes) -> str:
    """SHA-256 of ``data`` as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest_of(value: Any) -> str:
    """SHA-256 of the canonical bytes of ``value``, as 64 lower-case hex digits."""
    return sha256_hex(canonical_bytes(value))


def to_json_text(value: Any) -> str:
    """``value`` as people like to read it: members in the order given, one per line, a newline at the end.

    For files and screens. It is not what is hashed or signed. Raises MalformedJson for what JSON cannot say.
    """
    try:
        if _is_plain(value):
            return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
        return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    except (TypeError, ValueError, RecursionError) as error:  # orjson's own error is a TypeError
        raise MalformedJson("a value cannot be written as JSON", found=_kind_of(value)) from error


def _is_plain(value: Any) -> bool:
    """Whether a value is one that signed documents may hold; both writers spell those alike, one of them much faster."""
    try:
        _ascii_names_only(value)
    except MalformedJson:
        return False
    return True


def _ascii_names_only(value: Any) -> bool:
    """Whether all member names are ASCII. Raises MalformedJson at the first value that signed documents never hold."""
    # Exact types: a subclass may print differently from what it compares as.
    kind = type(value)
    if kind in _PLAIN or (kind is int and -MAX_INTEGER <= value <= MAX_INTEGER):
        return True
    if kind is dict:
        only = _joined_names(value).isascii()
        children = value.values()
    elif kind is list or kind is tuple:
        only, children = True, value
    else:
        raise _no_place_for(value)
    for child in children:
        if type(child) not in _PLAIN:  # spares most values a call
            only = _ascii_names_only(child) and only
    return only


def _joined_names(value: dict[Any, Any]) -> str:
    try:
        return "".join(value)
    except TypeError as error:
        raise MalformedJson("a member name is no text", expected="text as the name of every member") from error


def _no_place_for(value: Any) -> MalformedJson:
    return MalformedJson(
        "a value has no place in a signed document",
        found=_kind_of(value),
        expected="null, true, false, text, an integer up to 2^53 - 1, an array or an object",
        hint="Write quantities as integers in a small unit, or as decimal strings.",
    )


def _kind_of(value: Any) -> str:
    return f"a value of type {type(value).__name__}"
