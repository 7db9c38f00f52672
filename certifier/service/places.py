"""Where certificates stand in the status lists: free places for new ones, and the places of those that the log changed.

Places are counted through all lists of a purpose (``StatusEntry.place``); both purposes fill the same list at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import count
from threading import Lock

from certifier.certificate.code import RANDOM_BYTES, code_of
from certifier.certificate.status import LIST_LENGTH, MOST_LISTS, PURPOSES, status_entries_of
from certifier.crypto.strict_json import parse_object
from certifier.errors import OperatorError, ReadOnlyError
from certifier.storage.store import Store

# So many random pairs of places in a row that are taken: the list is about half full, and the next one begins.
TRIES = 32


class Places:
    """Thread-safe. A certificate's places are in its payload, to which the log commits, so they are read only once."""

    def __init__(self, store: Store, randomness: Callable[[int], bytes]) -> None:
        self._store = store
        self._randomness = randomness
        self._known: dict[str, Mapping[str, int]] = {}
        self._lock = Lock()

    def lists(self) -> int:
        """How many lists of each purpose there are; the first one is there before any certificate."""
        last = self._store.last_place()
        return 1 if last is None else last // LIST_LENGTH + 1

    def free(self) -> tuple[str, dict[str, int]]:
        """A random code, and for each purpose a random place in the newest list with room, that no certificate has."""
        for number in count(self.lists()):
            if number > MOST_LISTS:
                raise OperatorError("The status lists are full.", found=f"{MOST_LISTS} lists of each purpose")
            for _ in range(TRIES):
                code = code_of(self._randomness(RANDOM_BYTES))
                places = {purpose: self._random_place(number) for purpose in PURPOSES}
                if not self._store.is_taken(code, places["revocation"], places["suspension"]):
                    return code, places
        raise AssertionError("numbers do not end")

    def _random_place(self, number: int) -> int:
        # LIST_LENGTH is a power of two, so every place is as likely as the others.
        return (number - 1) * LIST_LENGTH + int.from_bytes(self._randomness(4), "big") % LIST_LENGTH

    def of(self, codes: Iterable[str]) -> dict[str, Mapping[str, int]]:
        """The places of certificates by code and purpose. Raises ReadOnlyError when one of them is lost here."""
        codes = list(codes)
        with self._lock:
            new = [code for code in codes if code not in self._known]
            for row in self._store.certificates_of(new):
                entries = status_entries_of(parse_object(row.payload))
                self._known[row.code] = {entry.purpose: entry.place for entry in entries}
            lost = sorted(code for code in new if code not in self._known)
            if lost:
                raise ReadOnlyError(
                    "A certificate that was withdrawn is lost here, so no status is told.",
                    found=", ".join(lost[:5]),
                    hint="Bring its files back: certifier restore --home HOME --nothing-newer --certificates DIR",
                )
            return {code: self._known[code] for code in codes}
