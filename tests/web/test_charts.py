"""The drawings are true to the numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.web.charts import Segment, place_of, scale_of, segments_of
from certifier.web.documents import FootprintView, SubmissionView
from tests.web.conftest import World

grams = st.decimals(min_value=0, max_value=5000, places=2).map(str)


@given(grams, grams)
def test_more_grams_never_stand_further_left(one: str, other: str) -> None:
    less, more = sorted((one, other), key=Decimal)
    assert 0 <= place_of(less) <= place_of(more) <= 100


def test_zones_meet_at_the_limits() -> None:
    scale = scale_of("5", "12", {"class-1": "10", "class-2": "30", "measured": "100"})
    first, second, third = scale.zones
    assert first.left == 0
    assert round(first.left + first.width, 2) == second.left == place_of("10")
    assert round(second.left + second.width, 2) == third.left == place_of("30")
    assert first.left < scale.central < second.left < scale.assessed < third.left


def test_the_parts_of_the_bar_are_the_whole_bar(world: World) -> None:
    view = SubmissionView.model_validate(world.client.get(f"/api/v1/submissions/{world.verified.submission_id}").json)
    assert isinstance(view.footprint, FootprintView)
    segments = segments_of(view.footprint)
    assert abs(sum(segment.share for segment in segments) - 100) < Decimal("0.1")
    assert abs(sum(s.grams_per_min for s in segments) - Decimal(view.footprint.central_g_per_min)) < Decimal("0.05")
    assert any(segment.is_estimated for segment in segments)
    lefts = [segment.left for segment in segments]
    assert lefts == sorted(lefts)
    assert lefts[0] == 0


@pytest.mark.parametrize("is_estimated", [True, False])
def test_hatching_is_explained_only_where_a_part_is_hatched(world: World, is_estimated: bool) -> None:
    part = Segment("inference", "Generating", is_estimated, Decimal(5), Decimal(100), Decimal(0))
    app = world.client.application
    with app.test_request_context():
        said = app.jinja_env.get_template("macros.html").make_module().carbon([part])
    assert ("url(#hatch)" in said) is ("Hatched parts are estimated" in said) is is_estimated
