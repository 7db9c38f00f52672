"""A search in a register of 100,000 certificates: the page with its count, by what people ask for."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from sqlalchemy import insert

from certifier.storage.listings import Search, folded, terms_of
from certifier.storage.store import Store
from certifier.storage.tables import certificates, listings, submissions

LARGE = 100_000
STEP = 1_000
ON_A_PAGE = 51
NOW = "2026-11-01T00:00:00Z"
WORDS = [
    "night",
    "ferry",
    "glass",
    "rain",
    "harbour",
    "river",
    "stone",
    "morning",
    "blue",
    "silver",
    "winter",
    "salt",
    "paper",
    "moon",
    "echo",
    "garden",
]
WITHDRAWN = [f"{number:010d}" for number in range(0, LARGE, 20)]
SEARCHES = {
    "everything": Search(),
    "a common word": Search(terms=("ferry",)),
    "two words, one of them rare": Search(terms=terms_of("ferry 99999")),
    "a word that nobody has": Search(terms=("zzzz",)),
    "a file's SHA-256": Search(sha256=hashlib.sha256(b"777").hexdigest()),
    "four filters": Search(outcome="class-1", standard="LCAL-1.0.0", evidence_level="A2", year="2025"),
    "valid ones, 5,000 being withdrawn": Search(besides=WITHDRAWN, dates="current", now=NOW, begun=NOW),
    "the 5,000 withdrawn ones": Search(only=WITHDRAWN),
}


def search_ms() -> Iterator[tuple[str, float]]:
    """The slower of the two orders by time and by title, in milliseconds, for each search; on SQLite."""
    with TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'register.sqlite'}")
        for batch in _rows():
            with store.database.writing() as connection:
                for table, rows in zip((submissions, certificates, listings), batch, strict=True):
                    connection.execute(insert(table), rows)
        for name, search in SEARCHES.items():
            yield name, max(_best_ms(store, search, "newest"), _best_ms(store, search, "title"))
        store.close()


def _best_ms(store: Store, search: Search, order: Any) -> float:
    times = []
    for _ in range(3):
        began = perf_counter()
        store.listed(search, order, ON_A_PAGE)
        times.append((perf_counter() - began) * 1000)
    return min(times)


def _rows() -> Iterator[tuple[list[dict[str, Any]], ...]]:
    """Rows of plausible sizes, issued in no order, so that an index leads all over the table."""
    chance = random.Random(1)  # noqa: S311 - the same table each time
    for start in range(0, LARGE, STEP):
        batch: tuple[list[dict[str, Any]], ...] = ([], [], [])
        for number in range(start, start + STEP):
            for rows, row in zip(batch, _row(number, chance), strict=True):
                rows.append(row)
        yield batch


def _row(number: int, chance: random.Random) -> tuple[dict[str, Any], ...]:
    code, digest = f"{number:010d}", hashlib.sha256(str(number).encode()).hexdigest()
    title = f"{' '.join(chance.choices(WORDS, k=3))} {number}".title()
    artist = f"Example Artist {chance.randrange(3000)}"
    day = f"20{chance.randrange(24, 27)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"
    issued_at, expires_at = f"{day}T12:00:00Z", f"{int(day[:4]) + 3}{day[4:]}T12:00:00Z"
    outcome = chance.choice(["class-1", "class-2", "measured", "disclosed"])
    dated = {"code": code, "issued_at": issued_at, "expires_at": expires_at, "outcome": outcome}
    digests = {"report_sha256": digest, "audio_sha256": digest}
    names = {"title": title, "artist": artist}
    documents = {"envelope": b"e" * 6000, "decision": b"d" * 4000}
    submission = {"id": code, "created_at": issued_at, "state": "certified", "outcome": outcome}
    kept = {"payload": b"p" * 3000, "document": b"d" * 4000, "proof": b"p" * 1000, "verification_method": "key"}
    places = {"revocation_index": number, "suspension_index": number, "in_force": 1, "submission_id": code}
    keys = {"title_key": folded(title), "artist_key": folded(artist), "words": folded(f"{title}\n{artist}")}
    said = {"standard": "LCAL-1.0.0", "evidence_level": chance.choice(["A0", "A1", "A2"]), "isrc": ""}
    return (
        submission | digests | names | documents,
        dated | digests | kept | places,
        dated | said | keys | {"assessed_g_per_min": "7.64", "essence_sha256": digest},
    )
