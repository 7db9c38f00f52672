"""A shelf of certificates: the records and proofs of a service in one file, found by code, ISRC or digest without a network.

Nothing on it is trusted. Whoever takes a record from it verifies it like any other; a wrong index, or a record that lies under
another code than its own, only leads to an answer that does not fit the question.

The file is an SQLite database. It is written by one process and read by any number at once. Beside a sorted Arrow file in
memory it was measured: 8 against 16 microseconds for each certificate found among 200,000 of 7 KB, it needs one file for four
kinds of keys, and the certificates of a day are added without writing the others again.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from certifier.certificate.code import parse_code
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import ForeignInputError, OperatorError

FORM = 1  # of the tables below
APPLICATION_ID = 0x4C43414C
FOUND_BY = ("code", "isrc", "sha256", "essence_sha256")
LINE = Limits(max_bytes=8 * 1024 * 1024, max_depth=4, max_nodes=40)
SAVED_AT_ONCE = 1000

_TABLES = f"""
CREATE TABLE shelf (issuer TEXT NOT NULL, cursor TEXT NOT NULL, fetched_at TEXT NOT NULL);
CREATE TABLE certificates (
  id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, isrc TEXT, sha256 TEXT, essence_sha256 TEXT,
  credential BLOB NOT NULL, proof BLOB NOT NULL
);
CREATE INDEX by_isrc ON certificates (isrc) WHERE isrc IS NOT NULL;
CREATE INDEX by_sha256 ON certificates (sha256);
CREATE INDEX by_essence ON certificates (essence_sha256) WHERE essence_sha256 IS NOT NULL;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORM};
"""


class Record(NamedTuple):
    """A certificate as somebody gave it, not verified, with the proof that came with it."""

    code: str
    credential: bytes
    proof: bytes | None


class Line(NamedTuple):
    """One line of a service's export. ``cursor`` says where to go on behind it."""

    cursor: str
    found_by: tuple[str, str | None, str | None, str | None]
    credential: bytes
    proof: bytes


def parse_line(raw: bytes) -> Line:
    """A line of ``/api/v1/certificates.ndjson``. Raises ForeignInputError when it is none."""
    document = parse_object(raw, LINE)
    texts = {name: document.get(name) for name in ("cursor", "credential", "proof", *FOUND_BY)}
    optional = {"isrc", "sha256", "essence_sha256"}
    for name, value in texts.items():
        if not (isinstance(value, str) or (value is None and name in optional)):
            raise ForeignInputError(
                "The service's list of certificates cannot be read.",
                found=f"{name} is {type(value).__name__}",
                expected="a text",
                hint="Is this the address of a service of this label?",
            )
    keys = (parse_code(str(texts["code"])), texts["isrc"], texts["sha256"], texts["essence_sha256"])
    return Line(str(texts["cursor"]), keys, str(texts["credential"]).encode(), str(texts["proof"]).encode())


class Shelf:
    """Open for reading. Thread-safe; holds no lock while nothing is asked; safe beside a writer and any number of readers."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def close(self) -> None:
        self._connection.close()

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM certificates").fetchone()[0])

    @property
    def issuer(self) -> str:
        """The DID whose certificates it was made for."""
        return str(self._connection.execute("SELECT issuer FROM shelf").fetchone()[0])

    @property
    def cursor(self) -> str:
        """Where the service goes on behind the newest certificate; empty for a new shelf."""
        return str(self._connection.execute("SELECT cursor FROM shelf").fetchone()[0])

    @property
    def fetched_at(self) -> str:
        """When it was last brought up to date (RFC 3339)."""
        return str(self._connection.execute("SELECT fetched_at FROM shelf").fetchone()[0])

    def find(self, kind: str, values: Sequence[str]) -> Mapping[str, Sequence[Record]]:
        """What lies under each of these codes, ISRCs or digests, the newest first; what is not here is left out.

        ``kind`` is one of FOUND_BY; codes and ISRCs are in capitals without hyphens, digests in small hexadecimal digits.
        """
        assert kind in FOUND_BY, kind
        query = f"""
            SELECT {kind}, code, credential, proof FROM certificates
            WHERE {kind} IN (SELECT value FROM json_each(?)) ORDER BY id DESC
        """  # noqa: S608 - one of four names
        found: dict[str, list[Record]] = {}
        try:
            for value, code, credential, proof in self._connection.execute(query, (json.dumps(list(values)),)):
                found.setdefault(value, []).append(Record(code, zlib.decompress(credential), proof))
        except (sqlite3.Error, zlib.error) as error:
            raise OperatorError(
                "The file of certificates is damaged.",
                found=str(error),
                hint="Delete it, and fetch it again with: certifier pack --server URL -o PACK --certificates FILE",
            ) from error
        return found


@contextmanager
def open_shelf(file: Path) -> Iterator[Shelf]:
    """The shelf in a file. Raises OperatorError when there is none that this release reads."""
    shelf = shelf_in(file)
    try:
        yield shelf
    finally:
        shelf.close()


def shelf_in(file: Path) -> Shelf:
    """As ``open_shelf``, for a process that keeps it open."""
    connection = _connected(file, "ro")
    try:
        form = connection.execute("PRAGMA user_version").fetchone()[0]
        is_shelf = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    except sqlite3.DatabaseError:
        form, is_shelf = 0, False
    if not is_shelf or form != FORM:
        connection.close()
        raise OperatorError(
            f"{file} holds no certificates that this release can read.",
            found=f"form {form}" if is_shelf else "another kind of file",
            expected="a file that certifier pack --certificates wrote",
            hint="Fetch it with: certifier pack --server URL -o PACK --certificates FILE",
        )
    return Shelf(connection)


def _connected(file: Path, mode: str) -> sqlite3.Connection:
    try:
        address = f"{file.resolve().as_uri()}?mode={mode}"
        return sqlite3.connect(address, uri=True, timeout=30, check_same_thread=False)  # SQLite itself is thread-safe
    except sqlite3.Error as error:
        raise OperatorError(f"The file {file} cannot be opened.", found=str(error)) from error


def save_lines(
    file: Path,
    lines: Iterable[Line],
    issuer: str,
    fetched_at: str,
    done: Callable[[int], None] = lambda _: None,
) -> int:
    """Put lines onto the shelf in a file, which is made when it is not there; how many there were. ``done`` is told of more.

    What came before an error stays, with its cursor, so that the next call goes on behind it. Raises OperatorError when the
    shelf is another issuer's, or cannot be written.
    """
    if not file.exists():
        _make(file, issuer)
    with open_shelf(file) as shelf:
        if shelf.issuer != issuer:
            raise OperatorError(
                f"The certificates in {file} are of another issuer, and are left as they are.",
                found=shelf.issuer,
                expected=issuer,
                hint="Choose another file.",
            )
    connection, saved = _connected(file, "rw"), 0
    try:
        for some in _in_parts(lines):
            rows = [(*line.found_by, zlib.compress(line.credential), line.proof) for line in some]
            with connection:
                connection.executemany(
                    "INSERT INTO certificates (code, isrc, sha256, essence_sha256, credential, proof)"
                    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (code) DO UPDATE SET isrc = excluded.isrc,"
                    " sha256 = excluded.sha256, essence_sha256 = excluded.essence_sha256,"
                    " credential = excluded.credential, proof = excluded.proof",
                    rows,
                )
                connection.execute("UPDATE shelf SET cursor = ?", (some[-1].cursor,))
            saved += len(some)
            done(len(some))
        with connection:
            connection.execute("UPDATE shelf SET fetched_at = ?", (fetched_at,))
    except sqlite3.Error as error:
        raise OperatorError(f"The certificates cannot be written to {file}.", found=str(error)) from error
    finally:
        connection.close()
    return saved


def _in_parts(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines some at a time; those before an error come out first, then the error."""
    some: list[Line] = []
    try:
        for line in lines:
            some.append(line)
            if len(some) == SAVED_AT_ONCE:
                yield some
                some = []
    except Exception:
        if some:
            yield some
        raise
    if some:
        yield some


def _make(file: Path, issuer: str) -> None:
    """An empty shelf, whole or not at all."""
    new = file.with_name(f"{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        connection = _connected(new, "rwc")
        try:
            connection.executescript(_TABLES)
            with connection:
                connection.execute("INSERT INTO shelf VALUES (?, '', '')", (issuer,))
        finally:
            connection.close()
        new.replace(file)
    except (OSError, sqlite3.Error) as error:
        raise OperatorError(f"The certificates cannot be written to {file}.", found=str(error)) from error
