"""How a status ages: good news and a suspension for a week, a revocation for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from certifier.certificate.age import KNOWN_FOR, age_text, state_in_old_list
from certifier.certificate.verdict import verdict_table
from tests.studio import NOW

LADDER = {
    "in force two hours ago": ("revocation", False, timedelta(hours=2), "active_then"),
    "not suspended two hours ago": ("suspension", False, timedelta(hours=2), "active_then"),
    "in force a week ago": ("revocation", False, KNOWN_FOR, "active_then"),
    "in force a week and a second ago": ("revocation", False, KNOWN_FOR + timedelta(seconds=1), "unchecked"),
    "in force a year ago": ("revocation", False, timedelta(days=365), "unchecked"),
    "suspended two hours ago": ("suspension", True, timedelta(hours=2), "suspended"),
    "suspended a week ago": ("suspension", True, KNOWN_FOR, "suspended"),
    "suspended a week and a second ago": ("suspension", True, KNOWN_FOR + timedelta(seconds=1), "unchecked"),
    "revoked two hours ago": ("revocation", True, timedelta(hours=2), "revoked"),
    "revoked a year ago": ("revocation", True, timedelta(days=365), "revoked"),
}


@pytest.mark.parametrize(("purpose", "is_set", "age", "state"), LADDER.values(), ids=LADDER.keys())
def test_what_an_old_list_still_says(purpose: str, is_set: bool, age: timedelta, state: str) -> None:
    assert state_in_old_list(purpose, is_set=is_set, as_of=NOW - age, now=NOW) == state
    assert state in verdict_table()["axes"]["lifecycle"]


WORDS = {
    timedelta(0): "less than a minute",
    timedelta(seconds=-30): "less than a minute",
    timedelta(seconds=90): "1 minute",
    timedelta(minutes=59): "59 minutes",
    timedelta(minutes=61): "1 hour",
    timedelta(hours=47): "1 day",
    timedelta(days=8): "8 days",
}


@pytest.mark.parametrize(("age", "words"), WORDS.items(), ids=WORDS.values())
def test_an_age_is_told_in_plain_words(age: timedelta, words: str) -> None:
    assert age_text(NOW - age, NOW) == words
