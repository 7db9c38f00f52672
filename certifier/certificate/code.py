"""The certificate code: nine random symbols and a check symbol that people can read out, type and scan.

Crockford's base 32 alphabet (no I, L, O, U). The tenth symbol is a checksum over GF(32): it finds every single wrong
symbol and every swap of two neighbours, so a typing error is told apart from a code that was never issued.
"""

from __future__ import annotations

import re

from certifier.errors import MalformedCode

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 10
RANDOM_BYTES = 6  # 45 of 48 bits are used

_PLAIN = re.compile(f"[{ALPHABET}]{{{CODE_LENGTH}}}")
_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}
LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})


def _doubled(value: int) -> int:
    """The product with the generator of GF(32) over x^5 + x^2 + 1."""
    value <<= 1
    return value ^ 0b100101 if value & 32 else value


def _weights() -> tuple[dict[str, int], ...]:
    """What each symbol adds to the sum at each place: its value, doubled once for the place and for each one after it."""
    weights = []
    for doublings in range(CODE_LENGTH - 1, 0, -1):
        values = list(range(len(ALPHABET)))
        for _ in range(doublings):
            values = [_doubled(value) for value in values]
        weights.append(dict(zip(ALPHABET, values, strict=True)))
    return tuple(weights)


_WEIGHTS = _weights()


def _check_symbol(symbols: str) -> str:
    """The tenth symbol for the nine before it."""
    total = 0
    for symbol, weight in zip(symbols, _WEIGHTS, strict=True):
        total ^= weight[symbol]
    return ALPHABET[total]


def code_of(randomness: bytes) -> str:
    """The code for six random bytes."""
    number = int.from_bytes(randomness[:RANDOM_BYTES], "big")
    symbols = "".join(ALPHABET[(number >> 5 * place) & 31] for place in range(CODE_LENGTH - 1))
    return symbols + _check_symbol(symbols)


def randomness_for(symbols: str) -> bytes:
    """The six bytes whose code begins with these nine symbols: fixed codes of a sandbox come from them."""
    number = sum(_VALUE[symbol] << 5 * place for place, symbol in enumerate(symbols))
    return number.to_bytes(RANDOM_BYTES, "big")


def parse_code(text: str) -> str:
    """The ten symbols of a code as people write it: any case, spaces and hyphens, O for 0, I or L for 1.

    Raises MalformedCode when the length, a symbol or the check symbol is wrong.
    """
    if _PLAIN.fullmatch(text) and _check_symbol(text[:-1]) == text[-1]:  # as it is stored and signed: most often
        return text
    symbols = text.strip().upper().translate(LOOKALIKES)
    shown = text.strip()[:40]
    if len(symbols) != CODE_LENGTH or any(symbol not in _VALUE for symbol in symbols):
        example = display_code(code_of(bytes(range(RANDOM_BYTES))))
        raise MalformedCode(
            "This is not a certificate code.",
            found=f"{shown!r}",
            expected=f"ten letters and digits, such as {example}",
            hint="Type the code below the QR on the label; the letters I, L, O and U are never used.",
        )
    if _check_symbol(symbols[:-1]) != symbols[-1]:
        raise MalformedCode(
            "The code has a typing error: its last symbol does not fit the others.",
            found=f"{shown!r}",
            expected="the last symbol to be the checksum of the nine before it",
            hint="Compare it with the label symbol by symbol, or scan the QR.",
        )
    return symbols


def near_codes(text: str) -> tuple[str, ...]:
    """The codes that one wrong symbol, or one swap of two neighbours, turns into a text that is none; sorted."""
    symbols = text.strip().upper().translate(LOOKALIKES)
    strange = [place for place, symbol in enumerate(symbols) if symbol not in _VALUE]
    if len(symbols) != CODE_LENGTH or len(strange) > 1:
        return ()
    tried = {
        symbols[:place] + symbol + symbols[place + 1 :]
        for place in strange or range(CODE_LENGTH)
        for symbol in ALPHABET
    }
    if not strange:
        pairs = range(CODE_LENGTH - 1)
        tried |= {symbols[:at] + symbols[at + 1] + symbols[at] + symbols[at + 2 :] for at in pairs}
    return tuple(sorted(code for code in tried - {symbols} if _check_symbol(code[:-1]) == code[-1]))


def display_code(code: str) -> str:
    """The code as it is printed: ``7K3Q-Z9M2-XA``."""
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"
