"""Nothing acknowledged is lost, whatever fails at whatever step. A judge that knows only the public interface decides."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certifier.errors import ReadOnlyError
from certifier.service.certifier import Accepted, Certifier, Issued
from certifier.web.app import create_app
from tests.faults.load import KINDS, POINTS, History, Launcher, inject
from tests.postgres import Postgres
from tests.referee import LogView, check_growth, check_history
from tests.studio import Studio

KILLS = int(os.environ.get("KILLS", "50"))
ON_POSTGRESQL = 5  # one kill there for so many on SQLite: each costs a recovery


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    with Launcher() as launcher:
        yield launcher


@dataclass
class World:
    """An installation that is killed and opened again, with what it acknowledged and what was seen of it."""

    studio: Studio
    history: History
    notes: dict[int, bytes] = field(default_factory=dict)
    view: LogView | None = None
    judged: int = 0

    def reopened(self) -> Certifier:
        """The start after a crash: it finds nothing wrong, finishes what was begun, and no note ever changes."""
        certifier = self.studio.certifier()
        assert certifier.problems == ()
        rows, end = certifier.store.entry_counts(certifier.logbook.origin, certifier.logbook.head.size)
        assert rows == end == certifier.logbook.head.size
        assert not certifier.store.is_waiting()
        assert certifier.store.undelivered() == []
        for row in certifier.store.all_checkpoints(certifier.logbook.origin):
            assert self.notes.setdefault(row.size, row.note) == row.note
        return certifier

    def judge(self, certifier: Certifier) -> None:
        """The whole history over the public interface; the log continues the one that was judged last."""
        client = create_app(certifier).test_client()

        def get(path: str) -> tuple[int, bytes]:
            answer = client.get(path)
            return answer.status_code, answer.data

        history = self.history.read()
        view = check_history(get, history)
        self.view = check_growth(self.view, view) if self.view else view
        self.judged = len(history)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> World:
    studio = Studio(tmp_path)
    studio.certifier(database_url=database_url).close()
    return World(studio, History(tmp_path / "history"))


FAILING = [kind for kind in KINDS if "killed" not in kind]
KILLING = [kind for kind in KINDS if "killed" in kind]


@pytest.mark.parametrize("kind", FAILING)
@pytest.mark.parametrize("point", POINTS)
def test_a_step_that_fails_costs_nobody_a_certificate(world: World, point: str, kind: str) -> None:
    """Who asked is told "accepted" or to send it again, never anything else; the same request then gets its answer."""
    studio, now = world.studio, datetime.now(UTC)
    certifier = studio.certifier()
    before = certifier.certify(studio.examined("before"), now, "key-before")
    assert isinstance(before, Issued)
    world.history.issue(before, "key-before")
    take_out = inject(certifier, point, kind)
    told: list[object] = []

    def ask(number: int) -> None:
        try:
            told.append(certifier.certify(studio.examined(number), now, f"key-number-{number}"))
        except ReadOnlyError as error:
            told.append(error)

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert {type(answer) for answer in told} <= {Accepted, ReadOnlyError, Issued}
    assert any(not isinstance(answer, Issued) for answer in told)
    for answer in told:
        if isinstance(answer, Issued):
            world.history.issue(answer)
    with pytest.raises(ReadOnlyError):  # fail-stop: this process writes nothing more
        certifier.certify(studio.examined("after"), now)
    take_out()
    certifier.close()
    restarted = world.reopened()
    for number in range(4):
        first, second = (restarted.certify(studio.examined(number), now, f"key-number-{number}") for _ in range(2))
        assert isinstance(first, Issued)
        assert isinstance(second, Issued)
        assert first.certificate == second.certificate
        world.history.issue(first, f"key-number-{number}")
    assert restarted.logbook.head.size == 5
    world.judge(restarted)
    restarted.close()


@pytest.mark.parametrize("kind", KILLING)
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_a_step_loses_nothing(world: World, launcher: Launcher, point: str, kind: str) -> None:
    process = launcher.start(world.studio.settings, world.history.path, seed="s", fault=(point, kind, 2))
    assert os.WTERMSIG(launcher.wait(process)) == signal.SIGKILL
    restarted = world.reopened()
    world.judge(restarted)
    _answer_again(world, restarted)
    restarted.close()


def _answer_again(world: World, certifier: Certifier) -> None:
    """The same idempotency keys give the same bytes."""
    for operation in world.history.read()[:10]:
        if operation["op"] == "issue":
            answer = certifier.certify(
                world.studio.examined(operation["idempotency_key"]), datetime.now(UTC), operation["idempotency_key"]
            )
            assert isinstance(answer, Issued)
            assert answer.certificate.code == operation["code"]
            world.history.issue(answer, operation["idempotency_key"])
    world.judge(certifier)


def test_killed_at_any_moment_under_a_mixed_load_nothing_is_lost(world: World, launcher: Launcher) -> None:
    """Every kill is followed by the start-up check; the judge looks now and then, and at the end."""
    chance = random.Random(20261125)
    kills = KILLS if "sqlite" in world.studio.settings.database_url else KILLS // ON_POSTGRESQL
    for number in range(kills):
        known = len(world.history.read())
        process = launcher.start(world.studio.settings, world.history.path, seed=f"kill-{number}")
        _wait_for(lambda known=known: len(world.history.read()) > known)  # type: ignore[misc]
        threading.Event().wait(chance.uniform(0, 0.15))
        os.kill(process, signal.SIGKILL)
        assert os.WTERMSIG(launcher.wait(process)) == signal.SIGKILL
        certifier = world.reopened()
        if number % 10 == 9 or number == kills - 1:
            world.judge(certifier)
        certifier.close()
    assert world.judged >= kills


def _wait_for(condition: object) -> None:
    """Until it holds, a minute at most."""
    for _ in range(6000):
        if condition():  # type: ignore[operator]
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen within a minute")


# -- several processes on one PostgreSQL ----------------------------------------------------------------------------


def test_two_replicas_share_one_log_and_one_of_them_may_die(
    tmp_path: Path, postgres: Postgres, launcher: Launcher
) -> None:
    """Contiguous indexes, no fork, and the survivor goes on, finishing what the dead one had begun."""
    studio = Studio(tmp_path)
    studio.certifier(database_url=postgres.new_database()).close()
    world = World(studio, History(tmp_path / "history"))
    for number in range(max(2, KILLS // 10)):
        known = len(world.history.read())
        doomed = launcher.start(studio.settings, world.history.path, seed=f"doomed-{number}", threads=3)
        other = launcher.start(studio.settings, world.history.path, seed=f"other-{number}", threads=3, limit=12)
        _wait_for(lambda known=known: len(world.history.read()) > known + 5)  # type: ignore[misc]
        os.kill(doomed, signal.SIGKILL)
        launcher.wait(doomed)
        assert launcher.wait(other) == 0
        certifier = world.reopened()
        world.judge(certifier)
        certifier.close()


def test_a_database_server_that_is_killed_takes_nothing_along(tmp_path: Path, launcher: Launcher) -> None:
    """Its crash, not ours: every process of it at once, under load."""
    with Postgres() as server:
        studio = Studio(tmp_path)
        studio.certifier(database_url=server.new_database()).close()
        world = World(studio, History(tmp_path / "history"))
        for number in range(max(2, KILLS // 25)):
            known = len(world.history.read())
            process = launcher.start(studio.settings, world.history.path, seed=f"server-{number}")
            _wait_for(lambda known=known: len(world.history.read()) > known + 5)  # type: ignore[misc]
            server.kill()
            launcher.wait(process)  # it stops by itself: nothing is written any more
            server.start()
            certifier = world.reopened()
            world.judge(certifier)
            certifier.close()
