"""What a service may answer instead of what was asked for, as errors. Each carries the service's own words (RFC 9457).

Refused        the request cannot be used as it is (400, 409, 413, 422 …)
└── NotAllowed     a key is missing, wrong, or not for this (401, 403)
NotFound       the service has no such thing (404, 410)
Unavailable    no answer, or not now: later it may be another one (network, 5xx)
└── RateLimited    too many requests (429); ``retry_after_s`` says when to come back
"""

from __future__ import annotations

from typing import Any

from certifier.errors import CertifierError, ForeignInputError, NotFoundError, UnreachableError


class Refused(ForeignInputError):
    """``status`` is the HTTP status, ``type`` the address of the kind of problem, empty where the service named none."""

    status = 0
    type = ""


class NotAllowed(Refused):
    """No key, a wrong one, or one that is not for this."""


class NotFound(NotFoundError):
    """The service has no such thing."""

    status = 404
    type = ""


class Unavailable(UnreachableError):
    """``status`` is None where there was no answer at all; ``retry_after_s`` is the server's wish in seconds, if it had one."""

    status: int | None = None
    retry_after_s: float | None = None


class RateLimited(Unavailable):
    """Too many requests."""

    status = 429


def error_of(problem: dict[str, Any], status: int) -> CertifierError:
    """A service's problem (RFC 9457) as an error of ours."""
    listed = problem.get("errors")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    error = _kind(status)(
        str(problem.get("detail") or problem.get("title") or f"HTTP {status}")[:1000],
        found=_text(first.get("found")),
        expected=_text(first.get("expected")),
        hint=_text(first.get("hint")),
        pointer=_text(first.get("pointer") or first.get("parameter")),
    )
    error.status, error.type = status, str(problem.get("type") or "")[:300]
    return error


def _kind(status: int) -> type[Refused | NotFound]:
    if status in (404, 410):
        return NotFound
    return NotAllowed if status in (401, 403) else Refused


def _text(value: Any) -> str | None:
    return value[:1000] if isinstance(value, str) else None
