"""What a catalogue asks of a service: all certificates for a shelf, or those of some rows at a time.

A service is a source like any other: what it gives is verified here, with the keys that the reader trusts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from certifier.catalogue.shelf import Line, Record, parse_line
from certifier.certificate.code import parse_code
from certifier.client import Client, Patience
from certifier.client.many import BATCHES
from certifier.errors import CertifierError, ForeignInputError, UnreachableError

EXPORT = "/api/v1/certificates.ndjson"
MOST_ITEMS = 1_000  # of one batch
PATIENCE = Patience(
    attempts=10, longest_s=120
)  # a key may ask for so many rows in a minute; a long run waits for the next one


def lines_after(client: Client, cursor: str) -> Iterator[Line]:
    """Every certificate of a service from behind a cursor, empty for the beginning, in the order of its log.

    Some come with each answer, until one has none. Raises UnreachableError where there is no answer, and ForeignInputError for
    a line that is none.
    """
    while True:
        before = cursor
        for raw in client.get(f"{EXPORT}?after={quote(cursor)}" if cursor else EXPORT).splitlines():
            line = parse_line(raw)
            cursor = line.cursor
            yield line
        if cursor == before:
            return


class ServerSource:
    """The certificates of a service, asked for in batches with an API key of scope ``verify:bulk``."""

    def __init__(self, server: str, key: str | None) -> None:
        self._client = Client(server, key=key, patience=PATIENCE)

    def pack(self) -> bytes:
        """The newest pack, not opened."""
        return self._client.pack_bytes()

    def find(self, kind: str, values: Sequence[str]) -> Mapping[str, Sequence[Record] | CertifierError]:
        """The record that the service answers for, by what was asked; what it says about it is not looked at.

        Raises UnreachableError, or ForeignInputError when the service refuses to answer at all.
        """
        found: dict[str, Sequence[Record] | CertifierError] = {}
        for start in range(0, len(values), MOST_ITEMS):
            some = values[start : start + MOST_ITEMS]
            asked = {"items": [{kind: value} for value in some], "include": ["record"]}
            items = self._client.post_json(BATCHES, asked).get("items")
            if not isinstance(items, list) or len(items) != len(some):
                raise UnreachableError("The service left answers out.", expected=f"{len(some)} answers")
            for value, item in zip(some, items, strict=True):
                read = _read_item(item)
                if read is not None:
                    found[value] = read
        return found


def _read_item(item: Any) -> Sequence[Record] | CertifierError | None:
    """The record in an answer; None where there is no certificate, the problem where there is one."""
    document = item if isinstance(item, dict) else {}
    result, record, problem = document.get("result"), document.get("record") or {}, document.get("problem")
    if result == "no_certificate":
        return None
    if isinstance(problem, dict):
        return ForeignInputError(str(problem.get("detail") or problem.get("title"))[:400], hint="The service says so.")
    try:
        return [Record(parse_code(document["code"]), record["credential"].encode(), record["proof"].encode())]
    except (KeyError, AttributeError, TypeError, CertifierError):
        return ForeignInputError(
            "The service gave no certificate with its answer.",
            found=str(result)[:40],
            expected="the signed record and its proof, to be verified here",
        )
