"""How a serving process keeps house: when garbage is looked for, and what goes back to the system."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from functools import cache
from threading import Lock, Timer
from typing import Any

SOON_S = 1.0
COLLECT_AFTER = (5_000, 20, 50)
# mallopt(3). What is larger than this has pages of its own, which go back to the system at once.
HEAPS = {"M_ARENA_MAX": (-8, 1), "M_MMAP_THRESHOLD": (-3, 256 * 1024), "M_TRIM_THRESHOLD": (-1, 1024 * 1024)}


def share_heap() -> None:
    """Let all threads share one heap: glibc gives each its own, and none gives back what it once held.

    For the very beginning of a process: glibc heeds it only until a second thread has asked for memory.
    """
    with suppress(AttributeError):  # other C libraries have no such thing
        for number, value in HEAPS.values():
            _libc().mallopt(number, value)


def settle_memory() -> None:
    """Let the garbage collector pass over what stays for ever, and look less often: each check makes hundreds of small values
    that are gone when it ends. Measured: a tenth of a verification.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    give_back_memory()


def give_back_memory() -> None:
    """Give free pages back to the system: by itself the heap only shrinks at its end, and something small that stays there keeps
    tens of megabytes. Takes milliseconds, without the interpreter lock.
    """
    with suppress(AttributeError):
        _libc().malloc_trim(0)


def give_back_soon() -> None:
    """For after large work: ``give_back_memory``, in a moment. More such work may follow at once, and it uses the pages again;
    to get them anew each time costs it a twenty-fifth.
    """
    if _is_due.acquire(blocking=False):
        timer = Timer(SOON_S, _give_back)
        timer.daemon = True
        timer.start()


_is_due = Lock()


def _give_back() -> None:
    _is_due.release()
    give_back_memory()


@cache
def _libc() -> Any:
    return ctypes.CDLL(None)
