"""One door from values to bytes: the same value has the same bytes in every language (RFC 8785)."""

import json
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from certifier.crypto.canonical import canonical_bytes, digest_of, sha256_hex, to_json_text
from certifier.errors import MalformedJson

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = (
    TEXT | st.text("\x00\x1f \"'\\/\x7f~az", max_size=4) | st.sampled_from(["\ufb33", "\U0001f600", "\ue000", "\uffff"])
)
LEAVES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=25
)
ASCII_NAMED = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner),
    max_leaves=25,
)


@given(VALUES)
def test_any_value_gives_the_bytes_of_the_reference_library(value: Any) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(ASCII_NAMED)
def test_the_fast_path_gives_the_same_bytes(value: Any) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(VALUES)
def test_reading_and_writing_again_changes_nothing(value: Any) -> None:
    once = canonical_bytes(value)
    assert canonical_bytes(json.loads(once)) == once


@given(st.dictionaries(NAMES, LEAVES, max_size=6), st.randoms())
def test_the_order_in_which_members_were_set_does_not_matter(value: dict[str, Any], random: Any) -> None:
    members = list(value.items())
    random.shuffle(members)
    assert canonical_bytes(dict(members)) == canonical_bytes(value)


WRITTEN = {
    "names in the order of UTF-16 units: U+1F600 before U+FB33": (
        {"\ufb33": 1, "\U0001f600": 2},
        '{"\U0001f600":2,"\ufb33":1}',
    ),
    "the sorting example of RFC 8785 section 3.2.3": (
        {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\xf6": 7},
        '{"\\r":2,"1":4,"\x80":6,"\xf6":7,"\u20ac":1,"\U0001f600":5,"\ufb33":3}',
    ),
    "a name beyond ASCII deep inside": ([{"a": {"\ufb33": 1, "\U0001f600": 2}}], '[{"a":{"\U0001f600":2,"\ufb33":1}}]'),
    "such a name after a plain one": ([{"ä": 1, "a": 2}, {"b": 1}], '[{"a":2,"ä":1},{"b":1}]'),
    "control characters": ("\x00\x08\t\n\x0b\x0c\r\x1f\x7f", '"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\x7f"'),
    "quotes, backslashes and slashes": ('"\\/', '"\\"\\\\/"'),
    "line separators stay as they are": ("\u2028\u2029", '"\u2028\u2029"'),
    "text is not normalised": ("e\u0301é", '"e\u0301é"'),
    "the largest integers": ([2**53 - 1, -(2**53) + 1], "[9007199254740991,-9007199254740991]"),
    "a tuple is an array": ((1, (2, None)), "[1,[2,null]]"),
    "true is not 1": ([True, 1, False, 0], "[true,1,false,0]"),
    "empty things": ({"": [{}, [], ""]}, '{"":[{},[],""]}'),
}


@pytest.mark.parametrize(("value", "text"), WRITTEN.values(), ids=WRITTEN.keys())
def test_the_canonical_form_is_as_the_specification_says(value: Any, text: str) -> None:
    assert canonical_bytes(value) == text.encode()


class Tier(IntEnum):
    CLASS_1 = 1


CYCLE: list[Any] = []
CYCLE.append(CYCLE)
DEEP: dict[str, Any] = {}
for _ in range(400):
    DEEP = {"a": DEEP}

REFUSED = {
    "a float": 0.5,
    "a float that is whole": 1.0,
    "not a number": float("nan"),
    "a Decimal": Decimal("0.5"),
    "2 to the 53rd": 2**53,
    "minus 2 to the 53rd": -(2**53),
    "an integer beyond 64 bits": 2**64,
    "bytes": b"abc",
    "a set": {1},
    "an enum": Tier.CLASS_1,
    "an object of ours": object(),
    "a float deep inside": {"a": [1, {"b": [0.5]}]},
    "a float behind a name beyond ASCII": {"ä": 1, "b": 0.5},
    "a number as a name": {1: "a"},
    "null as a name": {"a": {None: "a"}},
    "half a character": "\ud83d",
    "half a character as a name": {"\ud83d": 1},
    "half a character beside a name beyond ASCII": {"ä": "\ude00"},
    "an array within itself": CYCLE,
    "400 levels": DEEP,
}


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED.keys())
def test_what_signed_documents_never_hold_is_refused(value: Any) -> None:
    with pytest.raises(MalformedJson) as refused:
        canonical_bytes(value)
    assert refused.value.expected


def test_a_digest_is_the_sha_256_of_the_canonical_bytes() -> None:
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    assert digest_of({"b": 1, "a": 2}) == sha256_hex(b'{"a":2,"b":1}')


def test_files_for_people_keep_the_order_and_end_in_a_newline() -> None:
    assert to_json_text({"title": "Fête", "b": [1, {}]}) == '{\n  "title": "Fête",\n  "b": [\n    1,\n    {}\n  ]\n}\n'


@given(VALUES)
def test_files_for_people_say_the_same_as_the_canonical_form(value: Any) -> None:
    assert json.loads(to_json_text(value)) == value


UNWRITABLE = {"a Decimal": Decimal(1), "not a number": float("nan"), "an array within itself": CYCLE}


@pytest.mark.parametrize("value", UNWRITABLE.values(), ids=UNWRITABLE.keys())
def test_files_for_people_hold_json_only(value: Any) -> None:
    with pytest.raises(MalformedJson, match="cannot be written as JSON"):
        to_json_text(value)
