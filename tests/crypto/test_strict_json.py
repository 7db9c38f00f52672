"""One reader for JSON from outside: every body means one thing, or is refused with a reason."""

import json
import time
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.crypto import strict_json
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


def test_a_duplicate_behind_very_many_names_is_found_at_once() -> None:
    """Whoever sends one must not keep a processor for seconds."""
    body = b"{" + b",".join(b'"%d":1' % number for number in range(19_990)) + b',"19989":2}'
    started = time.process_time()
    with pytest.raises(MalformedJson) as refused:
        parse_json(body)
    assert refused.value.found == "'19989' twice"
    assert time.process_time() - started < 1


def test_the_place_of_a_mistake_is_given() -> None:
    with pytest.raises(MalformedJson) as refused:
        parse_json(b'{\n "a": 1,\n "b": oops\n}')
    assert refused.value.found is not None
    assert refused.value.found.endswith("at line 3, column 7")


# -- the quick way of the reader and the slow one -------------------------------------------------------------------


def exactly(value: Any) -> Any:
    """A value that equals another only where every type, every digit and the order of the members are the same."""
    if isinstance(value, dict):
        return dict, [(name, exactly(member)) for name, member in value.items()]
    if isinstance(value, list):
        return list, [exactly(item) for item in value]
    return type(value), value.as_tuple() if isinstance(value, Decimal) else value


def answer(raw: bytes, limits: Limits) -> Any:
    try:
        return exactly(parse_json(raw, limits))
    except MalformedJson as refused:
        return refused.message, refused.found, refused.expected, refused.hint


def always_in_doubt(*_: Any) -> Any:
    raise strict_json._Doubt


def slow_answer(raw: bytes, limits: Limits) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strict_json, "_plain_value_of", always_in_doubt)
        return answer(raw, limits)


HARD = {
    "nothing": b"",
    "two documents": b'{"a":1}{"a":1}',
    "something after the value": b'{"a":1} x',
    "a byte order mark": b'\xef\xbb\xbf{"a":1}',
    "a zero byte": b'{"a":"\0"}',
    "a control character": b'{"a":"\x1f"}',
    "not UTF-8": b'{"a":"\xff"}',
    "a fraction": b"[1.0,0.10,-0.0]",
    "an exponent": b"[1e2,1E+2,-1.5e-3]",
    "minus nought": b'{"a":-0}',
    "the first integer that no double has": b"[9007199254740993]",
    "the last integer of 64 bits": b"[18446744073709551615,-9223372036854775808]",
    "integers beyond 64 bits": b"[18446744073709551616,-9223372036854775809]",
    "too many digits": b"[" + b"9" * 41 + b"]",
    "too many digits, behind a member that stands twice": b'{"a":1,"a":' + b"9" * 41 + b"}",
    "too many digits, before a member that stands twice": b'[{"a":' + b"9" * 41 + b'},{"a":1,"a":2}]',
    "a long string of digits": b'"' + b"9" * 5_000 + b'"',
    "NaN": b'{"a":NaN}',
    "Infinity": b"[-Infinity]",
    "half a character": b'["\\ud83d"]',
    "half a character as a name": b'{"\\ude00":1}',
    "halves that belong together": b'{"\\ud83d\\ude00":"\\ud83d\\ude00"}',
    "halves that do not": b'"\\ude00\\ud83d"',
    "one name twice": b'{"a":1,"a":1}',
    "one name twice, deep inside": b'[{"b":{"a":1,"c":2,"a":3}}]',
    "one name twice, once as an escape": b'{"a":1,"\\u0061":2}',
    "one name twice, the first one an object": b'{"a":{"x":1,"y":2},"a":3}',
    "one name twice, and a colon as an escape": b'{"a":1,"a":"\\u003a"}',
    "one name twice, and a colon as an escape in capitals": b'{"a":1,"a":"\\u003A"}',
    "one name twice, both of them with a colon": b'{"a:":1,"a\\u003a":2,"b":3}',
    "one name twice, and colons in strings": b'{"a":"::","a":":",":":"::::"}',
    "one empty name twice": b'{"":1,"":2}',
    "colons in strings": b'{"a":"2026-11-22T20:00:00Z",":":"::"}',
    "a colon as an escape": b'{"a":"\\u003a"}',
    "what looks like a deep line": b'"' + b"\\n" + b" " * 100 + b'"',
    "deep and wide": b"[" * 31 + b"[1]," * 3_000 + b"[1]" + b"]" * 31,
    "one level too many, and wide": b"[" * 31 + b"[1]," * 3_000 + b"[[1]]" + b"]" * 31,
    "wide, with one name twice": b"[" + b'{"a":1},' * 3_000 + b'{"a":1,"a":2}]',
    "many levels with many values": b"[" * 200 + b"1," * 10_000 + b"1" + b"]" * 200,
    "limits of depth": b"[" * 32 + b"]" * 32,
    "limits of depth, not empty": b"[" * 32 + b"1" + b"]" * 32,
    "one level too many": b"[" * 33 + b"]" * 33,
    "one level too many, of objects": b'{"a":' * 33 + b"1" + b"}" * 33,
    "very deep": b"[" * 100_000,
    "very deep and closed": b"[" * 20_000 + b"]" * 20_000,
    "as many values as may be": b"[" + b"1," * 19_998 + b"1]",
    "one value too many": b"[" + b"1," * 19_999 + b"1]",
}


@pytest.mark.parametrize("raw", HARD.values(), ids=HARD.keys())
@pytest.mark.parametrize("limits", [Limits(), Limits(max_depth=2, max_nodes=4)], ids=["usual limits", "small limits"])
def test_both_ways_of_the_reader_give_the_same_answer_word_for_word(raw: bytes, limits: Limits) -> None:
    assert answer(raw, limits) == slow_answer(raw, limits)


SCALARS = [
    "null",
    "true",
    "0",
    "-0",
    "7",
    "1.0",
    "1e2",
    "18446744073709551616",
    "NaN",
    '"x"',
    '":"',
    '"\\u003A"',
    '"\\ud83d"',
]
NAMES = ['"a"', '"\\u0061"', '"b"', '":"', '"\\u003a"', '"\\n  "', '"[{,"', '"\\""', '""']
TEXTS = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
        | st.lists(st.tuples(st.sampled_from(NAMES), inner), max_size=3).map(
            lambda members: "{" + ", ".join(f"{name} : {value}" for name, value in members) + "}"
        )
    ),
    max_leaves=12,
)


@given(TEXTS, st.integers(1, 5), st.integers(1, 25))
def test_no_text_is_read_in_two_ways(text: str, depth: int, nodes: int) -> None:
    for limits in (Limits(), Limits(max_depth=depth, max_nodes=nodes)):
        assert answer(text.encode(), limits) == slow_answer(text.encode(), limits)


@given(TEXTS, st.data())
def test_no_text_that_was_cut_or_bent_is_read_in_two_ways(text: str, data: st.DataObject) -> None:
    raw = bytearray(text.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255) | st.sampled_from(b'":,[]{}\\ e.'))
    assert answer(bytes(raw), Limits()) == slow_answer(bytes(raw), Limits())


def test_what_is_refused_takes_no_more_memory_than_its_size_promises() -> None:
    raw = b"[" * 200 + b"1," * 9_000 + b"1" + b"]" * 200
    tracemalloc.start()
    try:
        assert answer(raw, Limits())[0] == "the JSON text is nested too deeply"
        assert tracemalloc.get_traced_memory()[1] < 50 * len(raw)
    finally:
        tracemalloc.stop()


def test_very_many_levels_are_refused_before_anything_recurses(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MalformedJson, match="nested too deeply"):
        parse_json(b"[" * 300)


def test_the_vectors_of_others_are_read_alike_in_both_ways() -> None:
    files = sorted((Path(__file__).parents[1] / "vectors").rglob("*.json"))
    for file in files:
        raw = file.read_bytes()
        assert answer(raw, Limits()) == slow_answer(raw, Limits()), file
    assert len(files) > 20
