"""Rate limits: how many requests a network or the holder of a key may send in a minute, on all replicas together.

Each process takes hits out of the shared counter in blocks and spends them from memory, so that hardly any request waits for
it; what all processes took together never exceeds the limit. The less is left, the smaller the blocks. A counter that does not
answer closes no door: for the rest of its window each process then counts alone.

Answers from memory (web/ready.py) come before Flask: they cost next to nothing and are not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType

import structlog

from certifier.errors import RateLimited, StorageError
from certifier.settings import Settings
from certifier.storage.rates import Counter

WINDOW_S = 60
BLOCKS = 10  # of what is left of a limit, a process takes this part at once
MOST_CLIENTS = 50_000  # that one process counts apart in one window; further ones are counted together
OTHERS = "others"

VERIFYING = frozenset(
    {
        "/verify",
        "/api/v1/verifications",
        "/vc-api/credentials/verify",
        "/vc-api/presentations/verify",
    }
)
FREE = frozenset({"/healthz", "/readyz", "/metrics"})  # asked by whoever watches the service

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Policy:
    """``quota`` hits in each window, for each ``whose``; 0 is no limit. What is not shared each process counts alone."""

    name: str
    quota: int
    what: str
    whose: str
    is_shared: bool = True


@dataclass(frozen=True)
class Standing:
    """How a client stands with a policy: what is left of the window, as far as this process knows, and when it ends.

    ``is_over`` when what was asked for did not fit.
    """

    policy: Policy
    who: str
    remaining: int
    reset_s: int
    is_over: bool = False


def policies_of(settings: Settings) -> Mapping[str, Policy]:
    """Every limit by its name; names are part of the interface."""
    rows = (
        Policy("verification", settings.limit_verification, "verifications", "network"),
        Policy("submission", settings.limit_submission, "submissions and forms", "network"),
        Policy("reads", settings.limit_reads, "requests", "network", is_shared=False),
        Policy("calls", settings.limit_calls, "requests with a key", "holder of keys"),
        Policy("bulk", settings.limit_bulk, "items of batches", "holder of keys"),
    )
    return MappingProxyType({policy.name: policy for policy in rows})


def policy_of(method: str, path: str) -> str:
    """What a request without a key counts as, by its route; empty for what is never counted."""
    if path in FREE:
        return ""
    if method in {"GET", "HEAD", "OPTIONS"}:
        return "reads"
    return "verification" if path in VERIFYING else "submission"


class _Count:
    """The hits of one client in one window: what this process was granted, and what it spent of that."""

    __slots__ = ("granted", "is_final", "lock", "spent", "taken")

    def __init__(self) -> None:
        self.lock = Lock()
        self.granted = self.spent = self.taken = 0  # ``taken`` by all processes, as last seen
        self.is_final = False  # nothing more is granted in this window


class Limits:
    """The counts of one process. Thread-safe."""

    def __init__(self, settings: Settings, counter: Counter | None = None) -> None:
        self.policies = policies_of(settings)
        self._counter = counter
        self._windows: dict[str, tuple[int, dict[str, _Count]]] = {}
        self._lock = Lock()

    def spend(self, name: str, who: str, now: float, cost: int = 1) -> Standing | None:
        """Spend hits of a policy; None where it is turned off. ``now`` in Unix seconds.

        What does not fit is over and not spent: a smaller cost may fit still.
        """
        policy = self.policies[name]
        if not policy.quota:
            return None
        window, reset_s = int(now) // WINDOW_S, WINDOW_S - int(now) % WINDOW_S
        count = self._count_of(policy, who, window)
        with count.lock:
            missing = count.spent + cost - count.granted
            if missing > 0 and not count.is_final:
                self._grant(policy, count, f"{policy.name}/{window}/{who}", missing, reset_s)
            fits = count.spent + cost <= count.granted
            if fits:
                count.spent += cost
            remaining = policy.quota - count.taken + count.granted - count.spent
        return Standing(policy, who, remaining, reset_s, is_over=not fits)

    def _count_of(self, policy: Policy, who: str, window: int) -> _Count:
        number, counts = self._windows.get(policy.name, (-1, {}))
        count = counts.get(who) if number == window else None
        if count is not None:
            return count
        with self._lock:
            number, counts = self._windows.get(policy.name, (-1, {}))
            if number != window:
                counts = {}
                self._windows[policy.name] = (window, counts)
            if who not in counts and len(counts) >= MOST_CLIENTS:
                who = OTHERS
            return counts.setdefault(who, _Count())

    def _grant(self, policy: Policy, count: _Count, key: str, missing: int, reset_s: int) -> None:
        """Take a block out of the shared counter, never more than it holds."""
        if self._counter is None or not policy.is_shared:
            count.granted = count.taken = policy.quota
            count.is_final = True
            return
        block = max(missing, (policy.quota - count.taken) // BLOCKS)
        try:
            count.taken = self._counter.incr(key, reset_s + WINDOW_S, block)
        except StorageError as error:
            log.warning("counting alone", policy=policy.name, told=error.message, found=error.found)
            count.granted = count.taken = policy.quota
            count.is_final = True
            return
        count.granted += max(0, min(block, policy.quota - (count.taken - block)))
        count.is_final = count.taken >= policy.quota
        count.taken = min(count.taken, policy.quota)


def refusal_of(standing: Standing, cost: int) -> RateLimited:
    """What is told when a cost did not fit."""
    policy, seconds = standing.policy, standing.reset_s
    if cost > policy.quota:
        found, hint = f"{cost} at once", f"Send at most {policy.quota} at once."
    else:
        found = f"{cost} more, with {standing.remaining} left for the {policy.whose} {standing.who}"
        hint = f"Send it again in {seconds} seconds; the header RateLimit tells how much is left."
    return RateLimited(
        f"The limit {policy.name!r} is used up; it is full again in {seconds} seconds.",
        found=found,
        expected=f"at most {policy.quota} {policy.what} in {WINDOW_S} seconds for each {policy.whose}",
        hint=hint,
        after_s=seconds,
    )


def headers_of(standing: Standing) -> tuple[tuple[str, str], ...]:
    """RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10)."""
    policy = standing.policy
    return (
        ("RateLimit-Policy", f'"{policy.name}";q={policy.quota};w={WINDOW_S}'),
        ("RateLimit", f'"{policy.name}";r={standing.remaining};t={standing.reset_s}'),
    )
