"""What a serving process takes of the system's memory, and gives back. Each in a process of its own: settings of a heap last."""

from __future__ import annotations

import subprocess
import sys

THREADS_ASK_FOR_MEMORY = """
import ctypes, tempfile
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from certifier.web.heap import share_heap

share_heap()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fdopen.restype = ctypes.c_void_p
together = Barrier(8)

def ask(_):
    together.wait()
    return libc.malloc(100_000)

with ThreadPoolExecutor(8) as threads:
    list(threads.map(ask, range(8)))
with tempfile.TemporaryFile() as file:
    stream = ctypes.c_void_p(libc.fdopen(file.fileno(), b"w"))
    libc.malloc_info(0, stream)
    libc.fflush(stream)
    file.seek(0)
    print(file.read().count(b"<heap nr="))
"""

PAGES_ARE_FREE_BELOW_WHAT_STAYS = """
import re
from pathlib import Path
from certifier.web.heap import give_back_memory, share_heap

def resident():
    return int(re.search(r"RssAnon:[^0-9]+([0-9]+)", Path("/proc/self/status").read_text())[1]) // 1024

share_heap()
many = [bytes(10_000) for _ in range(4_000)]
stays = bytes(10_000)
del many
before = resident()
give_back_memory()
print(before - resident())
"""


def told_by(script: str) -> int:
    return int(subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout)


def test_all_threads_share_one_heap() -> None:
    assert told_by(THREADS_ASK_FOR_MEMORY) == 1


def test_free_pages_go_back_to_the_system_also_below_what_stays() -> None:
    assert told_by(PAGES_ARE_FREE_BELOW_WHAT_STAYS) > 30  # of forty megabytes
