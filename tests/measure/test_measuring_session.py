"""A session measures every activity and the waiting between them with CodeCarbon, without a network."""

import logging
import socket
import time
from decimal import Decimal

import pytest

from certifier.errors import OperatorError
from certifier.measure.activity import Hardware, Place, to_report_activity
from certifier.measure.session import MeasuringSession, StatedPower
from certifier.report.model import Run
from certifier.report.rawlogs import parse_emissions_csv

POWER = StatedPower(Decimal(190))
RAM_ALLOWANCE_W = 200


def work(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(1000))


@pytest.fixture(scope="module")
def calls():
    """What was tried on the network."""
    return []


@pytest.fixture(scope="module")
def session(tmp_path_factory, calls):
    """Two activities really measured, while the network is cut and foreign settings try to interfere."""

    def refuse(*call):
        calls.append(call)
        raise OSError("there is no network here")

    folder = tmp_path_factory.mktemp("session")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        patch.setenv("CODECARBON_PUE", "0.1")
        patch.setenv("CODECARBON_FORCE_CPU_POWER", "1")
        patch.setenv("CODECARBON_EMISSIONS_ENDPOINT", "http://label.example/")
        with MeasuringSession(folder, POWER, model="lofi") as opened:
            with opened.activity("data", "data"):
                time.sleep(0.6)
            time.sleep(0.3)
            with opened.activity("take-1", "inference"):
                work(0.8)
    return opened


def test_activities_and_the_waiting_between_them_are_in_order(session):
    assert [(a.id, a.stage, a.idle) for a in session.activities] == [
        ("waiting-1", "inference", True),
        ("data", "data", False),
        ("waiting-2", "inference", True),
        ("take-1", "inference", False),
        ("waiting-3", "inference", True),
    ]


def test_no_moment_of_a_session_is_unmeasured(session):
    pairs = zip(session.activities, session.activities[1:], strict=False)
    assert all(later.started_at <= earlier.ended_at for earlier, later in pairs)


def test_energy_and_times_agree(session):
    for activity in session.activities:
        watts = activity.energy_kwh * 3_600_000 / activity.duration_s
        span = Decimal((activity.ended_at - activity.started_at).total_seconds())
        assert Decimal(19) <= watts <= 190 + RAM_ALLOWANCE_W
        assert abs(span - activity.duration_s) <= max(Decimal("0.2"), activity.duration_s / 20)
        assert activity.started_at.utcoffset() is not None


def test_the_stated_power_is_what_counts(session):
    """The processor's floor is a tenth of 190 W; a forced 1 W or a ratio of 0.1 would lie far below."""
    quiet = session.activities[1]
    assert quiet.energy_kwh * 3_600_000 / quiet.duration_s >= 19


def test_the_raw_log_says_the_same_run_for_run(session):
    lines = {line.run_id: line for line in parse_emissions_csv(session.log_path.read_bytes())}
    assert len(lines) == len(session.activities) == 5
    for activity in session.activities:
        line = lines[activity.run_id]
        assert (line.project_name, line.energy_kwh, line.duration_s) == (
            activity.id,
            activity.energy_kwh,
            activity.duration_s,
        )
        assert (line.country, line.pue) == ("ZZZ", 1)


def test_nothing_is_sent_anywhere(session, calls):
    """Even where the machine's own settings name a place to send to."""
    assert session.activities
    assert not calls


def test_nothing_is_left_behind_but_the_log(session):
    assert list(session.log_path.parent.iterdir()) == [session.log_path]


def test_the_energy_of_a_session_is_the_sum_of_its_activities(session):
    assert session.energy_kwh == sum(a.energy_kwh for a in session.activities) > 0


def test_a_measured_activity_fits_the_report_model(session):
    written = [to_report_activity(a, Place(), [Hardware("cpu-desktop")]) for a in session.activities]
    runs = [Run.model_validate(activity) for activity in written]
    assert [(run.energy_kwh, run.duration_s) for run in runs] == [
        (a.energy_kwh, a.duration_s) for a in session.activities
    ]
    assert "idle" not in written[1]
    assert written[0]["idle"] is True
    assert written[1]["location"] == {"country": "ZZZ", "site": "datacentre"}
    assert written[1]["started_at"].endswith("Z")


def test_a_name_of_a_place_is_written_only_where_it_is_known(session):
    place = Place(country="SWE", provider="aws", region="eu-north-1")
    location = to_report_activity(session.activities[1], place, [])["location"]
    assert location == {"country": "SWE", "site": "datacentre", "provider": "aws", "region": "eu-north-1"}


def test_a_log_of_another_session_is_not_written_on(session):
    with pytest.raises(OperatorError, match="in the way"), MeasuringSession(session.log_path.parent, POWER, model="m"):
        pytest.fail("it opened")


def test_activities_are_not_measured_inside_one_another_or_outside_a_session(tmp_path):
    session = MeasuringSession(tmp_path, POWER, model="m")
    with pytest.raises(OperatorError, match="measures nothing"), session.activity("a", "data"):
        pytest.fail("it began")
    inside = pytest.raises(OperatorError, match="measures nothing")
    with session, session.activity("a", "data"), inside, session.activity("b", "data"):
        pytest.fail("it began")


def test_failed_work_is_measured_too(tmp_path):
    session = MeasuringSession(tmp_path, POWER, model="m")
    with session, pytest.raises(ZeroDivisionError), session.activity("take-1", "inference"):
        time.sleep(1 / 0)
    assert [a.id for a in session.activities] == ["waiting-1", "take-1", "waiting-2"]


def test_a_tool_that_writes_nothing_is_found_out(tmp_path):
    """CodeCarbon keeps its failures to itself; here its folder is gone before it can write."""
    folder = tmp_path / "gone"
    folder.mkdir()
    with pytest.raises(OperatorError, match="CodeCarbon"), MeasuringSession(folder, POWER, model="m"):
        folder.rmdir()


def test_the_tool_is_quiet(tmp_path, caplog, capfd):
    with caplog.at_level(logging.DEBUG), MeasuringSession(tmp_path, POWER, model="m"):
        pass
    assert not [record for record in caplog.records if record.name.startswith("codecarbon")]
    assert capfd.readouterr() == ("", "")
