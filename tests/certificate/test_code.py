"""Certificate codes: what people may type, and what they are told when it is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.certificate.code import ALPHABET, code_of, display_code, parse_code
from certifier.errors import MalformedCode

randomness = st.binary(min_size=6, max_size=6)


@given(randomness)
def test_a_code_reads_back_as_it_is_printed(random: bytes) -> None:
    code = code_of(random)
    assert parse_code(display_code(code)) == code
    assert parse_code(f"  {display_code(code).lower()} ") == code


@given(randomness, st.integers(0, 9), st.sampled_from(ALPHABET))
def test_every_single_wrong_symbol_is_found(random: bytes, place: int, symbol: str) -> None:
    code = code_of(random)
    wrong = code[:place] + symbol + code[place + 1 :]
    if wrong != code:
        with pytest.raises(MalformedCode, match="typing error"):
            parse_code(wrong)


@given(randomness, st.integers(0, 8))
def test_every_swap_of_neighbours_is_found(random: bytes, place: int) -> None:
    code = code_of(random)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    if swapped != code:
        with pytest.raises(MalformedCode, match="typing error"):
            parse_code(swapped)


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    code = code_of(bytes(6))
    assert code == "0000000000"
    assert parse_code("OOOO-oooo-OO") == code


@pytest.mark.parametrize("text", ["", "ABC", "0" * 11, "UUUUUUUUUU", "../../etc", "ÄÄÄÄÄÄÄÄÄÄ", "0000_0000_00"])
def test_what_is_no_code_says_how_one_looks(text: str) -> None:
    with pytest.raises(MalformedCode) as error:
        parse_code(text)
    assert "ten letters and digits" in (error.value.expected or "")
