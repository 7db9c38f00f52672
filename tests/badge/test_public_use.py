"""Where a mark may be shown to the public: the whole table of outcome, evidence, monitoring and status."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from certifier.badge.public_use import (
    ALLOWED,
    EVERYWHERE,
    NO_BODY_IN_EU,
    NO_BOUNDARY,
    NO_CHECK_OF_CLASS,
    NO_LEVEL,
    REGIONS,
    SELF_DECLARED,
    Standing,
    artwork_for,
    boundary_is_known,
    public_use_of,
)
from certifier.web.words import STATES

OUTCOMES = ("class-1", "class-2", "measured", "disclosed", "none")
LEVELS = ("A0", "A1", "A2")
MONITORED = ((), ("A1",), ("A2",), ("A1", "A2"))
NO_EU = "uk us rest"
ALL = "eu uk us rest"

# outcome, level, levels that a body monitors -> where an active certificate's mark may be shown; nowhere for all others
TABLE = {
    ("class-1", "A2", ()): NO_EU,
    ("class-1", "A2", ("A1",)): NO_EU,
    ("class-1", "A2", ("A2",)): ALL,
    ("class-1", "A2", ("A1", "A2")): ALL,
    ("class-2", "A1", ("A1",)): ALL,
    ("class-2", "A1", ("A1", "A2")): ALL,
    ("class-2", "A2", ()): NO_EU,
    ("class-2", "A2", ("A1",)): NO_EU,
    ("class-2", "A2", ("A2",)): ALL,
    ("class-2", "A2", ("A1", "A2")): ALL,
    ("measured", "A1", ()): NO_EU,
    ("measured", "A1", ("A1",)): ALL,
    ("measured", "A1", ("A2",)): NO_EU,
    ("measured", "A1", ("A1", "A2")): ALL,
    ("measured", "A2", ()): NO_EU,
    ("measured", "A2", ("A1",)): NO_EU,
    ("measured", "A2", ("A2",)): ALL,
    ("measured", "A2", ("A1", "A2")): ALL,
}
ROWS = list(product(OUTCOMES, LEVELS, MONITORED))
ENDED = [state for state in STATES if state != "active"]
CLASS_1 = Standing("class-1", "A2", "active", ("A1", "A2"), boundary_known=True)


def standing(row: tuple[str, str, tuple[str, ...]], state: str = "active") -> Standing:
    outcome, level, monitored = row
    return Standing(outcome, level, state, monitored, boundary_known=True)


def allowed(standing: Standing) -> set[str]:
    return {region for region, permission in public_use_of(standing).items() if permission.allowed}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} at {row[1]}, monitored: {' '.join(row[2]) or 'none'}")
def test_where_the_mark_of_a_certificate_in_force_may_be_shown(row: tuple[str, str, tuple[str, ...]]) -> None:
    expected = set(TABLE.get(row, "").split())
    assert allowed(standing(row)) == expected
    assert {region for region in REGIONS if artwork_for(standing(row), region)} == expected
    assert artwork_for(standing(row)) == artwork_for(standing(row), EVERYWHERE) == (expected == set(REGIONS))


@pytest.mark.parametrize("state", [*ENDED, "a state of tomorrow", ""])
def test_a_certificate_that_is_not_active_may_be_shown_nowhere(state: str) -> None:
    for row in ROWS:
        assert allowed(standing(row, state)) == set()


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_silence_never_allows_more(row: tuple[str, str, tuple[str, ...]]) -> None:
    whole = standing(row)
    for silent in (replace(whole, monitored=()), replace(whole, boundary_known=False), replace(whole, state="")):
        assert allowed(silent) <= allowed(whole)
    assert allowed(Standing(*row[:2], "active")) == set(), "nothing but outcome and level is known"


@pytest.mark.parametrize("state", list(STATES))
def test_every_answer_has_a_reason_in_one_sentence(state: str) -> None:
    for row in ROWS:
        for permission in public_use_of(standing(row, state)).values():
            assert permission.reason.endswith(".")
            assert "\n" not in permission.reason
            assert permission.allowed == (permission.reason in ALLOWED.values())


REASONS = {
    "a self-declared figure is no label anywhere": (Standing("disclosed", "A0", "active", ("A1", "A2")), SELF_DECLARED),
    "a class without its evidence": (replace(CLASS_1, evidence_level="A1"), NO_LEVEL),
    "a standard whose boundary is not known": (replace(CLASS_1, boundary_known=False), NO_BOUNDARY),
    "nobody monitors": (replace(CLASS_1, monitored=()), NO_BODY_IN_EU),
}


@pytest.mark.parametrize(("standing", "reason"), REASONS.values(), ids=REASONS.keys())
def test_the_gravest_reason_is_told(standing: Standing, reason: str) -> None:
    assert public_use_of(standing)["eu"].reason == reason


def test_a_class_that_only_a_measuring_party_attests_is_no_mark_without_a_body() -> None:
    use = public_use_of(Standing("class-2", "A1", "active", (), boundary_known=True))
    assert {use[region].reason for region in ("uk", "us", "rest")} == {NO_CHECK_OF_CLASS}


def test_art_of_what_has_ended_keeps_its_shape() -> None:
    assert artwork_for(replace(CLASS_1, state="revoked"))
    assert not artwork_for(replace(CLASS_1, state="revoked", monitored=()))


def test_there_is_no_art_for_a_region_that_is_not_known() -> None:
    assert not artwork_for(CLASS_1, "mars")


def test_the_boundary_is_known_for_the_standards_whose_words_the_face_bears() -> None:
    assert [boundary_is_known(name) for name in ("LCAL-1.0.0", "LCAL-1.1.0", "LCAL-2.0.0", "")] == [
        True,
        True,
        False,
        False,
    ]
