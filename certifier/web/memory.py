"""Answers that are remembered: by key, within a bound of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import NamedTuple

LONGEST_KEY = 1000  # so that nobody fills the memory with addresses and headers

NO_ROUTE = "none"  # of what is remembered for another reason than its address

Headers = list[tuple[str, str]]


class Kept(NamedTuple):
    headers: Headers
    body: bytes
    tag: str
    route: str = NO_ROUTE


class Memory:
    """Answers by key, the oldest forgotten first when they are too many bytes together. Thread-safe."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        self.get = self._kept.get

    def put(self, key: Hashable, kept: Kept) -> None:
        size = len(kept.body) + LONGEST_KEY
        with self._lock:
            if key in self._kept or size > self._max_bytes:
                return
            # A copy has its own size: what ``orjson`` and packers give holds the room that they reserved for more.
            self._kept[key] = kept._replace(body=bytes(memoryview(kept.body)))
            self._bytes += size
            while self._bytes > self._max_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest.body) + LONGEST_KEY
