"""Letters are the same whoever asks first, and however many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from certifier.badge import lettering

LETTERS = "AaBbCcDdEeFfGgLlOowW0123456789,.·"
THREADS = 8


def outlines() -> list[lettering.Outline]:
    return [lettering.outline_of(letter, "bold", 400) for letter in LETTERS]


def forget() -> None:
    for remembered in (
        lettering._font,
        lettering._glyph_names,
        lettering._glyph_name,
        lettering.steps_of,
        lettering.outline_of,
    ):
        remembered.cache_clear()


def test_letters_are_whole_when_many_ask_for_the_first_time_at_once() -> None:
    forget()
    alone = outlines()
    for _ in range(5):
        forget()
        together = Barrier(THREADS)

        def ask(_: int, together: Barrier = together) -> list[lettering.Outline]:
            together.wait()
            return outlines()

        with ThreadPoolExecutor(THREADS) as pool:
            assert all(asked == alone for asked in pool.map(ask, range(THREADS)))
