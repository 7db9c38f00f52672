"""One reader for JSON from outside: every body means one thing, or is refused with a reason."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.crypto.canonical import canonical_bytes
from certifier.crypto.strict_json import Limits, parse_json, parse_object
from certifier.errors import MalformedJson

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)

REFUSED = {
    "a byte too many": (b'"' + b"a" * 256 * 1024 + b'"', "too large"),
    "50,000 open arrays": (b"[" * 50_000, "nested too deeply"),
    "50,000 open objects": (b'{"a":' * 50_000, "nested too deeply"),
    "33 levels": (b"[" * 33 + b"]" * 33, "nested too deeply"),
    "33 levels behind escaped quotes and backslashes": (b'["\\\\","\\"",' + b"[" * 32 + b"]" * 33, "nested too deeply"),
    "20,001 values": (b"[" + b"1," * 19_999 + b"1]", "too many values"),
    "20,001 members": (b"{" + b",".join(b'"%d":1' % n for n in range(20_000)) + b"}", "too many values"),
    "one name twice": (b'{"tier":"measured","tier":"class 1"}', "two members of one name"),
    "one name twice, deep inside": (b'[{"a":{"b":1,"c":2,"b":1}}]', "two members of one name"),
    "one name twice, once with an escape": (b'{"a":1,"\\u0061":2}', "two members of one name"),
    "NaN": (b'{"energy":NaN}', "NaN is no JSON number"),
    "Infinity": (b"[Infinity]", "Infinity is no JSON number"),
    "minus Infinity": (b"-Infinity", "-Infinity is no JSON number"),
    "a UTF-8 byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "a UTF-16 byte order mark": ("\ufeff{}".encode("utf-16-le"), "byte order mark"),
    "UTF-16 without a mark": ("{}".encode("utf-16-be"), "zero bytes"),
    "Latin-1": ("Café".encode("latin-1"), "not UTF-8"),
    "an overlong slash": (b'"\xc0\xaf"', "not UTF-8"),
    "a surrogate in UTF-8 bytes": (b'"\xed\xa0\x80"', "not UTF-8"),
    "a first half alone": (b'"\\ud83d"', "half a character"),
    "a first half alone, in capitals": (b'"\\uDBFF"', "half a character"),
    "a second half alone, in a name": (b'{"\\ude00":1}', "half a character"),
    "two halves in the wrong order": (b'"\\ude00\\ud83d"', "half a character"),
    "something after the value": (b"{} {}", "extra data"),
    "nothing at all": (b"", "not JSON"),
    "an unfinished string": (b'{"a', "not JSON"),
    "a lone backslash at the end": (b'"\\', "not JSON"),
    "a raw line break in a string": (b'"a\nb"', "control character"),
    "a comma too many": (b"[1,]", "not JSON"),
    "single quotes": (b"{'a':1}", "not JSON"),
    "a comment": (b"[1] // one", "extra data"),
    "a leading zero": (b"01", "extra data"),
    "a leading plus": (b"+1", "not JSON"),
    "Arabic digits": ("[١]".encode(), "not JSON"),
    "a hexadecimal escape with a sign": (b'"\\u+123"', "not JSON"),
    "a no-break space between values": ("[1,\u00a02]".encode(), "not JSON"),
    "an integer of 41 digits": (b"-" + b"9" * 41, "out of all proportion"),
    "an integer of 5,000 digits": (b"9" * 5_000, "out of all proportion"),
    "a fraction of 41 digits": (b"0." + b"1" * 40, "out of all proportion"),
    "an exponent of 41": (b"1e41", "out of all proportion"),
    "an exponent of minus 41": (b"1e-41", "out of all proportion"),
    "an exponent that fills the memory": (b"1e999999999999999999", "out of all proportion"),
    "an exponent of 5,000 digits": (b"1e" + b"9" * 5_000, "out of all proportion"),
    "a zero with a giant exponent": (b"0E+999999999", "out of all proportion"),
}


@pytest.mark.parametrize(("raw", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_others_read_in_different_ways_is_refused_with_found_and_expected(raw: bytes, reason: str) -> None:
    with pytest.raises(MalformedJson, match=reason) as refused:
        parse_json(raw)
    assert refused.value.found
    assert refused.value.expected


READ = {
    "white space around": (b' \t\r\n{"a" : [ ] }\n', {"a": []}),
    "the outermost value may be anything": (b"null", None),
    "32 levels": (b"[" * 32 + b"]" * 32, json.loads("[" * 32 + "]" * 32)),
    "brackets and commas in strings do not count": (b'"' + b"[{," * 20_000 + b'"', "[{," * 20_000),
    "nor do they behind escaped quotes": (b'["\\"' + b"[" * 40 + b'","\\\\"]', ['"' + "[" * 40, "\\"]),
    "20,000 values": (b"[" + b"1," * 19_998 + b"1]", [1] * 19_999),
    "a pair of surrogates is one character": (b'"\\ud83d\\ude00"', "😀"),
    "an escaped backslash before u is no surrogate": (b'"\\\\ud800"', "\\ud800"),
    "characters beyond the basic plane": ('"😀"'.encode(), "😀"),
    "an escaped zero character": (b'"\\u0000"', "\0"),
    "an integer of 40 digits": (b"-" + b"9" * 40, -(10**40) + 1),
    "an integer beyond 64 bits": (b"18446744073709551616", 2**64),
}


@pytest.mark.parametrize(("raw", "value"), READ.values(), ids=READ.keys())
def test_plain_json_is_read(raw: bytes, value: Any) -> None:
    assert parse_json(raw) == value


EXACT = {
    "a tenth is a tenth": ("0.1", Decimal("0.1")),
    "zeros at the end stay": ("1.50", Decimal("1.50")),
    "an exponent": ("6.02e23", Decimal("6.02e23")),
    "more digits than a double has": (
        "3.14159265358979323846264338327950288",
        Decimal("3.14159265358979323846264338327950288"),
    ),
    "40 digits with a sign and a point": ("-0." + "1" * 39, Decimal("-0." + "1" * 39)),
    "the limits of the exponent": ("1e-40", Decimal("1e-40")),
}


@pytest.mark.parametrize(("text", "number"), EXACT.values(), ids=EXACT.keys())
def test_a_fraction_keeps_exactly_the_digits_that_were_written(text: str, number: Decimal) -> None:
    value = parse_json(text.encode())
    assert isinstance(value, Decimal)
    assert value.as_tuple() == number.as_tuple()


@given(VALUES)
def test_what_we_write_we_read_back(value: Any) -> None:
    assert parse_json(canonical_bytes(value)) == value


@given(st.binary(max_size=60) | TEXT.map(str.encode) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_end_in_a_value_or_in_our_error(raw: bytes) -> None:
    try:
        value = parse_json(raw)
    except MalformedJson as refused:
        assert refused.message  # noqa: PT017 - either end is right; nothing else may come out
    else:
        assert json.loads(raw, parse_float=Decimal) == value


@given(VALUES, st.data())
def test_a_body_cut_or_bent_anywhere_never_breaks_the_reader(value: Any, data: st.DataObject) -> None:
    raw = bytearray(json.dumps(value, ensure_ascii=False).encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        again = parse_json(bytes(raw))
    except MalformedJson as refused:
        assert refused.expected  # noqa: PT017 - as above
    else:
        assert parse_json(bytes(raw)) == again


def test_limits_can_be_set_for_each_door() -> None:
    raw = b'{"a":[1,2,3]}'
    assert parse_json(raw, Limits(max_bytes=13, max_depth=2, max_nodes=5)) == {"a": [1, 2, 3]}
    for limits in (Limits(max_bytes=12), Limits(max_depth=1), Limits(max_nodes=4)):
        with pytest.raises(MalformedJson):
            parse_json(raw, limits)


NO_OBJECTS = {
    "an array": b"[]",
    "a string": b'"{}"',
    "a number": b"1.5",
    "true or false": b"true",
    "null": b"null",
}


@pytest.mark.parametrize(("found", "raw"), NO_OBJECTS.items(), ids=NO_OBJECTS.keys())
def test_a_document_must_be_an_object(found: str, raw: bytes) -> None:
    with pytest.raises(MalformedJson, match="no object") as refused:
        parse_object(raw)
    assert refused.value.found == found


def test_an_object_is_read_as_a_document() -> None:
    assert parse_object(b'{"a":1}') == {"a": 1}


def test_a_duplicate_is_named_and_long_or_hostile_names_stay_short_and_on_one_line() -> None:
    with pytest.raises(MalformedJson) as plain:
        parse_json(b'{"energy_kwh":1,"energy_kwh":2}')
    assert plain.value.found == "'energy_kwh' twice"
    name = b"\\n\\u001b[31m" + b"x" * 5_000
    with pytest.raises(MalformedJson) as hostile:
        parse_json(b'{"%s":1,"%s":2}' % (name, name))
    assert hostile.value.found is not None
    assert len(hostile.value.found) < 100
    assert hostile.value.found.isprintable()


def test_the_place_of_a_mistake_is_given() -> None:
    with pytest.raises(MalformedJson) as refused:
        parse_json(b'{\n "a": 1,\n "b": oops\n}')
    assert refused.value.found is not None
    assert refused.value.found.endswith("at line 3, column 7")
