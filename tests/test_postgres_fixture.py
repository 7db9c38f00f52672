"""The server that other tests rely on: it keeps what it commits, and whoever runs the tests can start it."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from tests.postgres import SETTINGS, Postgres

ROOT = Path(__file__).parents[1]

# Everything is imported, and one failing connection tried, before the rights are laid down: the interpreter may lie in a
# home that the ordinary user cannot read. A person's own interpreter would not.
ORDINARY_PERSON = """
import os, sys
from pathlib import Path
import psycopg
from tests.postgres import Postgres

uid, gid, installed_in = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
try:
    psycopg.connect(host="/nowhere", dbname="none")
except psycopg.OperationalError:
    pass
os.chdir(os.environ["HOME"])
os.setgroups([])
os.setgid(gid)
os.setuid(uid)
with Postgres(installed_in) as server, server._connect() as connection:
    folder = server.folder
    print(os.geteuid(), folder.stat().st_uid, connection.execute("SELECT 6 * 7").fetchone()[0])
print(folder.exists())
"""

KILLED_PERSON = """
import os, signal
from tests.postgres import Postgres

server = Postgres()
server.start()
print(server._process.pid, server.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def crashing() -> Iterator[Postgres]:
    """Not the server of the session: these tests kill theirs."""
    with Postgres() as server:
        yield server


def run(url: str, *statements: str) -> list[tuple]:
    """The rows of the last statement; all of them are committed when this returns."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        results = [connection.execute(text(statement)) for statement in statements]
        return [tuple(row) for row in results[-1]] if results[-1].returns_rows else []


def test_it_starts_and_answers(crashing):
    assert run(crashing.new_database(), "SELECT 6 * 7") == [(42,)]


def test_it_keeps_what_it_acknowledges(crashing):
    url = crashing.new_database()
    for name in ("fsync", "full_page_writes", "synchronous_commit", "max_connections", "shared_buffers"):
        assert run(url, f"SHOW {name}") == [(SETTINGS[name],)]
    assert run(url, "SHOW data_checksums") == [("on",)]


def test_it_opens_no_network_port_and_its_socket_fits(crashing):
    assert run(crashing.new_database(), "SHOW listen_addresses") == [("",)]
    assert len(os.fsencode(crashing.folder / ".s.PGSQL.5432")) < 100


def test_a_new_database_is_empty_and_apart_from_the_others(crashing):
    one, other = crashing.new_database(), crashing.new_database()
    run(one, "CREATE TABLE track (title text)")
    with pytest.raises(ProgrammingError, match='relation "track" does not exist'):
        run(other, "SELECT title FROM track")


def test_a_dropped_database_is_gone_even_while_someone_is_connected(crashing):
    url = crashing.new_database()
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        crashing.drop_database(url)
        with pytest.raises(OperationalError):
            connection.execute(text("SELECT 1"))
    engine.dispose()
    with pytest.raises(OperationalError, match="does not exist"):
        run(url, "SELECT 1")


def test_committed_rows_are_there_after_a_kill_and_others_are_not(crashing):
    url = crashing.new_database()
    run(url, "CREATE TABLE track (title text)", "INSERT INTO track VALUES ('Night Ferry')")
    engine = create_engine(url, poolclass=NullPool)
    connection = engine.connect()
    connection.execute(text("INSERT INTO track VALUES ('Never Committed')"))
    family = _family_of(crashing)

    crashing.kill()

    assert not crashing.is_running
    assert not [pid for pid in family if _is_alive(pid)]
    with pytest.raises(OperationalError):
        connection.execute(text("SELECT 1"))
    connection.close()
    with pytest.raises(OperationalError):
        run(url, "SELECT 1")

    crashing.start()

    assert run(url, "SELECT title FROM track") == [("Night Ferry",)]


def test_committed_rows_are_there_after_a_stop(crashing):
    url = crashing.new_database()
    run(url, "CREATE TABLE track (title text)", "INSERT INTO track VALUES ('Night Ferry')")
    crashing.stop()
    crashing.start()
    assert run(url, "SELECT title FROM track") == [("Night Ferry",)]


def test_nothing_is_left_when_it_was_killed_before_it_was_closed():
    with Postgres() as server:
        family = _family_of(server)
        server.kill()
    assert not server.folder.exists()
    assert not [pid for pid in family if _is_alive(pid)]


def test_it_ends_with_the_tests_even_when_they_are_killed():
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_PERSON], cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    pid, folder = killed.stdout.split()
    deadline = time.monotonic() + 30
    while _is_alive(int(pid)) or Path(folder).exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_ordinary_person_can_start_it(crashing):
    if os.geteuid() != 0:
        assert crashing.folder.stat().st_uid == os.geteuid()
        assert run(crashing.new_database(), "SELECT 6 * 7") == [(42,)]
        return
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        said = subprocess.run(
            [
                *(sys.executable, "-W", "error", "-c", ORDINARY_PERSON),
                *(str(nobody.pw_uid), str(nobody.pw_gid), str(crashing.installed_in)),
            ],
            cwd=ROOT,
            env={"HOME": home},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert said.returncode == 0, said.stderr
    assert said.stdout.split() == [str(nobody.pw_uid), str(nobody.pw_uid), "42", "False"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_root_can_start_it_from_a_folder_that_is_closed_to_the_server_s_user(crashing, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "packages").symlink_to(crashing.installed_in)
    with Postgres(closed / "packages") as server:
        assert server.installed_in.is_relative_to(server.folder)
        assert run(server.new_database(), "SELECT 6 * 7") == [(42,)]


def _family_of(server: Postgres) -> list[int]:
    postmaster = psutil.Process(server._process.pid)
    return [postmaster.pid, *(child.pid for child in postmaster.children(recursive=True))]


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
