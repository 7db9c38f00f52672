"""Replicas that are restarted again and again under load, and one that dies: what a client sees of it."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

from tests.postgres import Postgres
from tests.web.replicas import Load, at_work

ROUNDS = int(os.environ.get("ROUNDS", "10"))
NO_LIMITS = {f"LCAL_LIMIT_{name}": "0" for name in ("VERIFICATION", "SUBMISSION", "READS")}  # the load has one address
SETTINGS = NO_LIMITS | {"LCAL_DRAIN_SECONDS": "0.5"}


def test_replicas_are_restarted_many_times_and_nobody_notices(tmp_path: Path, postgres: Postgres) -> None:
    with at_work(tmp_path, postgres.new_database(), SETTINGS) as place:
        load = Load(place)
        load.run(beside=lambda: [place.replicas.restart(number % 3) for number in range(3 * ROUNDS)])
        assert load.wrong == []
        place.check(load)


def test_a_replica_that_is_killed_costs_nobody_an_answer_that_may_be_asked_for_twice(
    tmp_path: Path, postgres: Postgres
) -> None:
    """A report of misuse that was on its way is answered 502: nobody knows whether it arrived, and nginx does not guess."""
    with at_work(tmp_path, postgres.new_database(), SETTINGS) as place:
        load = Load(place)

        def kill_in_turn() -> None:
            for number in range(ROUNDS):
                Event().wait(1)
                place.replicas.kill(number % 3)
                place.replicas.start(number % 3)
                place.replicas.wait_until_ready(number % 3)

        load.run(beside=kill_in_turn)
        assert [wrong for wrong in load.wrong if not wrong.startswith("complain: ")] == []
        assert len(load.wrong) <= ROUNDS
        place.check(load)
