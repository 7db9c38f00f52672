"""Certificates side by side: what may be compared, what the ranges allow to say, and what a comparison must state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from certifier.certificate.code import display_code
from certifier.certificate.credential import parse_claims
from certifier.certificate.model import Claims
from certifier.crypto.strict_json import parse_object
from certifier.web.app import create_app
from certifier.web.compare import drawn, kind_of, pair_of
from tests.studio import NOW
from tests.web.conftest import World
from tests.web.test_certificates import text_of

NEVER_ISSUED = "0000000000"


def claims_with(world: World, central: str, assessed: str) -> Claims:
    claims = parse_claims(parse_object(world.verified.certificate.payload))
    return claims._replace(figures=claims.figures._replace(central_g_per_min=central, assessed_g_per_min=assessed))


def compared(world: World, *codes: str) -> str:
    answer = world.client.get("/compare", query_string={"codes": ",".join(codes)})
    assert answer.status_code == 200
    return text_of(answer.text)


RANGES = {
    "apart": (("2.00", "3.00"), ("3.01", "9.00"), False),
    "touching": (("2.00", "3.00"), ("3.00", "9.00"), True),
    "overlapping": (("2.00", "5.00"), ("3.00", "4.00"), True),
    "the same": (("2.00", "3.00"), ("2.00", "3.00"), True),
    "the lower one second": (("10.00", "12.00"), ("2.00", "9.99"), False),
}


@pytest.mark.parametrize(("one", "other", "is_open"), RANGES.values(), ids=RANGES.keys())
def test_only_ranges_that_do_not_meet_are_told_apart(
    world: World, one: tuple[str, str], other: tuple[str, str], is_open: bool
) -> None:
    rows = drawn([claims_with(world, *one), claims_with(world, *other)]).rows
    pair = pair_of(*rows)
    assert pair.is_open is is_open
    lowest = min(float(one[0]), float(other[0]))
    assert float(pair.lower.claims.figures.central_g_per_min) == lowest


grams = st.decimals(min_value="0.01", max_value=5000, places=2)


@given(st.lists(st.tuples(grams, grams), min_size=1, max_size=4))
def test_every_bar_lies_within_the_drawing(world: World, figures: list[tuple[object, object]]) -> None:
    pairs = [sorted(pair) for pair in figures]  # type: ignore[type-var]
    comparison = drawn([claims_with(world, str(low), str(high)) for low, high in pairs])
    assert all(0 <= row.central <= row.assessed <= 100 for row in comparison.rows)
    assert [place for place, _ in comparison.ticks] == sorted(place for place, _ in comparison.ticks)
    assert comparison.ticks[0] == (0, "0")
    assert comparison.ticks[-1][0] == 100
    assert len(comparison.ticks) <= 6


def test_two_in_force_stand_side_by_side_and_cannot_be_told_apart(world: World) -> None:
    page = compared(world, world.code, world.attested.certificate.code)
    assert "A and B cannot be told apart: their ranges overlap" in page
    assert "at most 7.64 g, best estimate 5.52 g" in page


STATED = {
    "method": "Method: the figures as they were certified under LCAL-1.0.0, for one minute of finished music",
    "set": "Set: the certificates that you named",
    "suppliers": "Whose figures: each of its own applicant",
    "age": "Status checked 2026-11-22 12:00 UTC; this page is made anew each minute.",
    "exclusions": "Left out: streaming and listening, mixing and mastering, buildings.",
}


@pytest.mark.parametrize("stated", STATED.values(), ids=STATED.keys())
def test_a_comparison_states_how_it_was_made(world: World, stated: str) -> None:
    assert stated in compared(world, world.code, world.attested.certificate.code)


LEFT_OUT: dict[str, tuple[Callable[[World], str], str]] = {
    "self-declared": (lambda world: world.statement.certificate.code, "Its figure is self-declared."),
    "withdrawn": (lambda world: world.withdrawn.certificate.code, "It is not in force (withdrawn)"),
    "never issued": (lambda _: NEVER_ISSUED, "No certificate has this code."),
    "no code": (lambda _: "hello", "This is not a certificate code."),
    "mistyped": (lambda world: world.code[:-1] + ("0" if world.code[-1] != "0" else "1"), "typing error"),
}


@pytest.mark.parametrize(("code", "why"), LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_what_cannot_be_compared_is_named_with_the_reason(world: World, code: Callable[[World], str], why: str) -> None:
    page = compared(world, code(world), world.code)
    left_out = page[page.index("Not compared") : page.index("g CO2e per minute of finished music")]
    assert why in left_out
    assert "Night Ferry (example)" in page
    assert "Add a second code" in page


def test_more_than_four_are_not_compared(world: World) -> None:
    page = compared(world, world.code, world.attested.certificate.code, NEVER_ISSUED, "one", "two")
    assert page.count("At most 4 certificates are compared at once.") == 1


def test_fields_of_the_form_and_one_list_say_the_same(world: World) -> None:
    codes = (display_code(world.code).lower(), world.attested.certificate.code)
    fields = world.client.get(f"/compare?codes={codes[0]}&codes={codes[1]}&codes=&codes=").text
    assert fields == world.client.get(f"/compare?codes={codes[0]}%2C+{codes[1]}").text
    assert "cannot be told apart" in fields


def test_without_codes_there_is_a_form(world: World) -> None:
    page = world.client.get("/compare").text
    assert page.count('name="codes"') == 4
    assert "How this was compared" not in page


def test_a_parameter_that_does_not_exist_is_refused(world: World) -> None:
    assert world.client.get("/compare?code=1").status_code == 400


KINDS = {
    "a patch": ("LCAL-1.0.0", "LCAL-1.0.1", True),
    "a minor version": ("LCAL-1.0.0", "LCAL-1.4.0", True),
    "a major version": ("LCAL-1.0.0", "LCAL-2.0.0", False),
    "another family": ("LCAL-1.0.0", "OTHER-1.0.0", False),
    "the tenth": ("LCAL-1.0.0", "LCAL-10.0.0", False),
}


@pytest.mark.parametrize(("one", "other", "is_same"), KINDS.values(), ids=KINDS.keys())
def test_only_figures_of_one_major_version_are_of_one_kind(one: str, other: str, is_same: bool) -> None:
    assert (kind_of(one) == kind_of(other)) is is_same


def test_an_expired_certificate_is_not_compared(world: World) -> None:
    client = create_app(world.certifier, lambda: NOW + timedelta(days=4 * 365)).test_client()
    assert "It is not in force (expired)" in text_of(client.get(f"/compare?codes={world.code}").text)


def test_the_meaning_is_told_in_few_words_with_the_limits_and_real_recordings(world: World) -> None:
    page = text_of(world.client.get("/meaning").text)
    prose = page[page.index("When AI helps") : page.index("The scale")]
    assert 150 <= len(prose.split()) <= 230
    for said in ("Streaming and listening", "the most that it may be", "CO2e", "Finished minute", "Location-based"):
        assert said in page
    assert "class 1, at most 10 g" in page
    assert "Night Ferry (example)" in page or "3 & 'Lights'" in page


def test_an_empty_register_has_a_meaning_too(client: FlaskClient) -> None:
    assert "no label in force yet" in client.get("/meaning").text


def test_a_page_does_not_grow_with_the_number_of_codes_in_its_address(world: World) -> None:
    many = world.client.get("/compare", query_string={"codes": ",".join(f"{number:x}" for number in range(9_000))})
    few = world.client.get("/compare", query_string={"codes": ",".join(f"{number:x}" for number in range(9))})
    assert (many.status_code, few.status_code) == (200, 200)
    assert len(many.data) < 1.2 * len(few.data)
    assert "At most 4 certificates are compared at once." in text_of(many.text)
