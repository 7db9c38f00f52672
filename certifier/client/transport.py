"""HTTP to one service: bounded bodies, bounded repeats, and the server's own word about when to come back.

A request is repeated when the network failed, or when the server says that it cannot answer now (429, 502, 503, 504), and only
where a repeat does no harm. Waits double, with chance in them so that many clients do not come back at once; a Retry-After counts
for every thread of the client. Repeats are paid from an account that only answers fill, so that a server in trouble is not
asked ever more often.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase

from certifier.client.errors import NotFound, RateLimited, Unavailable, error_of
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import CertifierError, ForeignInputError, IncompleteAddress
from certifier.sessions import PlainSession

Timeout = tuple[float, float]  # seconds to connect, and between two pieces of an answer
TIMEOUT_S: Timeout = (5, 120)
LONGEST_ANSWER_S = 600
MAX_BODY = 64 * 1024 * 1024
MOST_REDIRECTS = 5
PIECE = 64 * 1024
LIMITS = Limits(max_bytes=16 * 1024 * 1024, max_depth=32, max_nodes=500_000)
NEAR = ("localhost", "127.0.0.1", "::1")
NOT_NOW = (429, 502, 503, 504)
VISIBLE = re.compile(r"[!-~]{8,255}")  # what a header may hold as it is


@dataclass(frozen=True)
class Patience:
    """How often a request is sent at most, and how long to wait in between.

    Waits are of ``first_s`` seconds, then twice that, and so on. A server that asks for more than ``longest_s`` is not
    waited for.
    """

    attempts: int = 4
    first_s: float = 0.25
    longest_s: float = 30
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Request:
    """What is sent. ``is_repeatable`` says that sending it twice does no harm. ``files`` are fields of the form."""

    method: str
    path: str
    is_repeatable: bool = True
    params: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    json: Any = None
    form: Mapping[str, str] | None = None
    files: Iterable[tuple[str, Path]] = ()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class _KeyAuth(AuthBase):
    """The API key as the only authorisation: with it, no password of a .netrc file is ever sent in its place."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _target_of(response: requests.Response) -> str | None:
    """Where an answer leads; None for one that leads nowhere."""
    try:
        target = urljoin(response.url, response.headers["location"]) if response.is_redirect else ""
    except ValueError:  # brackets that do not close
        return None
    return target if target.startswith(("http://", "https://")) else None


class _Account:
    """What repeats are paid from: ten at first, and one for every ten answers."""

    MOST = 10.0

    def __init__(self) -> None:
        self._left, self._lock = self.MOST, threading.Lock()

    def pay(self) -> bool:
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def earn(self) -> None:
        with self._lock:
            self._left = min(self.MOST, self._left + 0.1)


class Transport:
    """Requests to one service, from any number of threads."""

    def __init__(self, server: str, key: str | None, timeout: Timeout | float, patience: Patience) -> None:
        host = _host_of(server)
        if host is None:
            raise IncompleteAddress(
                "The server's address is incomplete.", found=server, expected="http://HOST:PORT or https://HOST"
            )
        self.server = server.rstrip("/")
        self.is_near = host in NEAR
        if key is not None and not VISIBLE.fullmatch(key):
            raise ForeignInputError(
                "This is no API key.",
                found=f"{len(key)} characters",
                expected="the key as it was shown, without spaces",
            )
        if key and urlsplit(server).scheme == "http" and not self.is_near:
            raise IncompleteAddress(
                "A key is not sent where anybody on the way can read it.",
                found=self.server,
                expected=f"https://{urlsplit(server).netloc}",
            )
        self._key, self._timeout, self._patience = key, timeout, patience
        self._idle: LifoQueue[requests.Session] = LifoQueue()  # a session serves one thread at a time
        self._account = _Account()
        self._quiet_until = 0.0  # on the monotonic clock; the server asked for it
        self._is_closed = False

    def close(self) -> None:
        self._is_closed = True
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def send(self, request: Request) -> Answer:
        """The answer, below 400. Raises NotFound, NotAllowed, Refused, RateLimited or Unavailable."""
        attempt = 1
        while True:
            self._wait_for_quiet()
            try:
                answer = self._send_once(request)
                problem = self._not_now(answer)
            except requests.RequestException as error:
                problem = Unavailable(
                    f"{self.server} does not answer.",
                    found=cause_of(error),
                    hint="Is the service running, and is the address right? Try again in a moment.",
                )
                problem.__cause__ = error
            if problem is None:
                self._account.earn()
                return self._accepted(answer, request.path)
            may_repeat = request.is_repeatable and problem.status in (None, *NOT_NOW)
            if not may_repeat or attempt >= self._patience.attempts or not self._prepare(problem, attempt):
                raise problem
            attempt += 1

    def _prepare(self, problem: Unavailable, attempt: int) -> bool:
        """Wait for the next attempt; False where there should be none."""
        wished = problem.retry_after_s
        if (wished is not None and wished > self._patience.longest_s) or not self._account.pay():
            return False
        chance = random.random()  # noqa: S311 - spreads waits, hides nothing
        if wished is None:
            self._patience.sleep(
                min(self._patience.first_s * 2 ** (attempt - 1), self._patience.longest_s) * (1 + chance) / 2
            )
        else:
            self._quiet_until = max(self._quiet_until, time.monotonic() + wished * (1 + chance / 10))
        return True

    def _wait_for_quiet(self) -> None:
        wait = self._quiet_until - time.monotonic()
        if wait > 0:
            self._patience.sleep(wait)

    def _send_once(self, request: Request) -> Answer:
        session = self._session()
        try:
            with ExitStack() as stack:
                files = [(field, (path.name, stack.enter_context(path.open("rb")))) for field, path in request.files]
                url: str | None = self.server + request.path
                for _ in range(1 + MOST_REDIRECTS):
                    response = stack.enter_context(
                        session.request(
                            request.method,
                            url or "",
                            params=request.params,
                            headers=request.headers,
                            json=request.json,
                            data=request.form,
                            files=files or None,
                            timeout=self._timeout,
                            stream=True,
                            allow_redirects=False,
                        )
                    )
                    # A key, and what is sent, go to the server that was named and to no other.
                    may_follow = request.method == "GET" and self._key is None
                    url = _target_of(response) if may_follow else None
                    if url is None:
                        break
                return Answer(response.status_code, dict(response.headers.lower_items()), self._body(response))
        finally:
            if self._is_closed:
                session.close()
            else:
                self._idle.put(session)

    def _session(self) -> requests.Session:
        if self._is_closed:
            raise Unavailable("This client is closed.", hint="Make a new one.")
        try:
            return self._idle.get_nowait()
        except Empty:
            session = PlainSession()
            session.headers["User-Agent"] = user_agent()
            session.auth = _KeyAuth(self._key) if self._key else None
            return session

    def _body(self, response: requests.Response) -> bytes:
        body, ends = bytearray(), time.monotonic() + LONGEST_ANSWER_S
        for piece in response.iter_content(PIECE):
            body += piece
            if len(body) > MAX_BODY or time.monotonic() > ends:
                raise Unavailable(
                    f"{self.server} answers without an end.",
                    found=f"{len(body)} bytes so far",
                    expected=f"at most {MAX_BODY} bytes in {LONGEST_ANSWER_S} seconds",
                )
        return bytes(body)

    def _not_now(self, answer: Answer) -> Unavailable | None:
        if answer.status < 500 and answer.status not in NOT_NOW:
            return None
        kind = RateLimited if answer.status == RateLimited.status else Unavailable
        wished = _seconds_of(answer.headers.get("retry-after"))
        problem = kind(
            f"{self.server} is asked too often." if kind is RateLimited else f"{self.server} cannot answer now.",
            found=f"HTTP {answer.status}",
            hint="Try again later." if wished is None else f"Try again in {max(1, round(wished))} s.",
        )
        problem.status, problem.retry_after_s = answer.status, wished
        return problem

    def _accepted(self, answer: Answer, path: str) -> Answer:
        if answer.status < 300:
            return answer
        if answer.status < 400:
            raise IncompleteAddress(
                f"{self.server} sends us elsewhere.",
                found=answer.headers.get("location", "")[:200],
                expected="the service's own address",
            )
        try:
            problem = parse_object(answer.body, LIMITS)
        except CertifierError:
            problem = {}
        error = error_of(problem, answer.status)
        parts = urlsplit(self.server)
        if isinstance(error, NotFound) and parts.path:  # perhaps no service is there
            asked, bare = f"{self.server}{path}"[:300], f"{parts.scheme}://{parts.netloc}"
            error.hint = f"This asked {asked}. If no service is there, give its address without a path: {bare}"
        raise error


def cause_of(error: BaseException) -> str:
    """What the system says of a broken connection, such as "Connection refused"; else the name of the error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return str(cause.strerror)[:200]
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def _host_of(server: str) -> str | None:
    """The host of a service's address; None where the address is none."""
    try:
        parts = urlsplit(server)
        is_whole = parts.scheme in ("http", "https") and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number, brackets that do not close
        return None
    return parts.hostname if is_whole else None


def _seconds_of(text: str | None) -> float | None:
    """A Retry-After in seconds: a number, or a date (RFC 9110 section 10.2.3); None for anything else."""
    if text is None:
        return None
    if text.isascii() and text.strip().isdigit():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


@cache
def user_agent() -> str:
    """What this program calls itself."""
    try:
        return f"certifier/{version('certifier')}"
    except PackageNotFoundError:  # run from a folder
        return "certifier"
