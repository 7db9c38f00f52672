"""The confined process that decodes one foreign file: ``python -m certifier.audio.child LIMITS < FILE``.

LIMITS is a JSON object of AudioLimits. The file comes as standard input, so no path is opened here. The answer is one
JSON object on standard output: ``{"facts": …}`` or ``{"error": NAME, "message": …, "found": …, "expected": …, "hint":
…}``. Only trusted code runs before the limits are set. :mod:`certifier.audio.analyse` starts this process and reads
the answer.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

from certifier.audio.decode import facts_of
from certifier.audio.model import AudioLimits
from certifier.errors import AudioTooLarge, MalformedAudio


def main(arguments: list[str]) -> None:
    limits = AudioLimits(**json.loads(arguments[0]))
    _confine(limits)
    try:
        with open(0, "rb", buffering=0, closefd=False) as file:
            answer: dict[str, Any] = {"facts": facts_of(file, limits).to_dict()}
    except MalformedAudio as error:
        answer = _answer_for(error)
    except MemoryError:
        answer = _answer_for(
            AudioTooLarge("decoding needs too much memory", expected=f"at most {limits.memory_bytes >> 20} MiB")
        )
    sys.stdout.write(json.dumps(answer))


def _confine(limits: AudioLimits) -> None:
    """Bound processor time and memory; no core dump, no file writes, no further files, no further processes."""
    bounds = {
        resource.RLIMIT_CPU: (limits.cpu_seconds, limits.cpu_seconds + 1),
        resource.RLIMIT_AS: (limits.memory_bytes, limits.memory_bytes),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_NOFILE: (8, 8),
        resource.RLIMIT_NPROC: (0, 0),
    }
    for bound, value in bounds.items():
        resource.setrlimit(bound, value)


def _answer_for(error: MalformedAudio) -> dict[str, Any]:
    return {
        "error": type(error).__name__,
        "message": error.message,
        "found": error.found,
        "expected": error.expected,
        "hint": error.hint,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
