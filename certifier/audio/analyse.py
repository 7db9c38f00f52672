"""Read a master file in a limited child process: its length, its digests, its silence.

A decoder is a large piece of C that meets hostile bytes, so it runs apart: bounded processor time, memory and wall
time, no file writes, an empty environment. What it finds comes back as values; whatever it does, the caller sees
facts or one named error.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import certifier
from certifier.audio.model import AudioFacts, AudioLimits
from certifier.errors import AudioTooLarge, MalformedAudio, NotFoundError, OperatorError, TruncatedAudio

if TYPE_CHECKING:
    from typing import BinaryIO

DEFAULT_LIMITS = AudioLimits()
PATIENCE = 10  # added to the niceness of whoever starts a child
ERRORS = {error.__name__: error for error in (MalformedAudio, TruncatedAudio, AudioTooLarge)}
SIGNALS_OF_CPU_LIMIT = (signal.SIGXCPU, signal.SIGKILL)
# Nothing of the parent's environment reaches the child, but what a loader may need to find libraries.
PASSED_ON = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


def analyse_audio(path: str, limits: AudioLimits = DEFAULT_LIMITS) -> AudioFacts:
    """Facts of the WAV, FLAC, MP3, OGG or AIFF file at this path; the file's name plays no part.

    Raises MalformedAudio (TruncatedAudio, AudioTooLarge) for the file, NotFoundError if it cannot be opened, and
    OperatorError if the decoder cannot be started here.
    """
    try:
        _check_size(Path(path).stat(), limits)
        with Path(path).open("rb") as file:
            done = _run_child(file, limits)
    except (OSError, ValueError) as error:
        raise NotFoundError("the audio file cannot be opened", found=str(getattr(error, "strerror", error))) from error
    except subprocess.TimeoutExpired as error:
        raise AudioTooLarge("reading the file takes too long", expected=f"at most {limits.wall_seconds} s") from error
    return _facts_from(done, limits)


def _check_size(status: os.stat_result, limits: AudioLimits) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise MalformedAudio("this is no file", found="a folder, pipe or device", expected="an audio file")
    if status.st_size > limits.max_bytes:
        raise AudioTooLarge(
            "the file is too large", found=f"{status.st_size} bytes", expected=f"at most {limits.max_bytes} bytes"
        )


def _run_child(file: BinaryIO, limits: AudioLimits) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "certifier.audio.child", json.dumps(asdict(limits))]
    with _started(command, file) as child:
        try:
            _stand_back(child.pid)
            output, errors = child.communicate(timeout=limits.wall_seconds)
        except BaseException:
            child.kill()
            raise
    return subprocess.CompletedProcess(command, child.returncode, output, errors)


def _started(command: list[str], file: BinaryIO) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(  # noqa: S603  # a fixed command; the file comes as standard input
            command,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",  # a library may quote the file
            env=_environment(),
        )
    except OSError as error:  # no memory, no process left: nothing about the file
        raise OperatorError("the audio decoder cannot be started here", found=str(error.strerror)) from error


def _stand_back(process: int) -> None:
    """Let a child run anywhere, and behind everybody who answers: a service that keeps to one CPU (LCAL_CPU) does not want it
    there. From its first moment: what it imports takes as long as most files.
    """
    with suppress(OSError):  # it has ended, or may not be moved
        os.setpriority(os.PRIO_PROCESS, process, os.getpriority(os.PRIO_PROCESS, 0) + PATIENCE)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process, range(os.cpu_count() or 1))


def _environment() -> dict[str, str]:
    """Where this package lies, and one thread for numpy: each further one would take address space from the limit."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**passed_on, "PYTHONPATH": str(Path(certifier.__path__[0]).parent), "OPENBLAS_NUM_THREADS": "1"}


def _facts_from(done: subprocess.CompletedProcess[str], limits: AudioLimits) -> AudioFacts:
    if -done.returncode in SIGNALS_OF_CPU_LIMIT:
        raise AudioTooLarge("decoding takes too much processor time", expected=f"at most {limits.cpu_seconds} s")
    if done.returncode < 0:
        raise MalformedAudio("the decoder broke down on this file", found=signal.Signals(-done.returncode).name)
    if done.returncode > 0:
        last_line = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise OperatorError(
            "the audio decoder does not work here", found=last_line[:200], hint="Install soundfile and numpy."
        )
    answer = json.loads(done.stdout)
    if "facts" in answer:
        return AudioFacts.from_dict(answer["facts"])
    error = ERRORS[answer.pop("error")]
    raise error(answer.pop("message"), **answer)
