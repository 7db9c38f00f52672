"""What a status of some time ago still says, and how long ago that was in words.

For status lists out of a pack, which the verifier chose. A list that lies loose beside a certificate was brought by whoever
shows the certificate, who could pick an old one: out of its dates it says nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

KNOWN_FOR = timedelta(days=7)


def state_in_old_list(purpose: str, *, is_set: bool, as_of: datetime, now: datetime) -> str:
    """The lifecycle that a list made at ``as_of`` shows once it is out of its dates.

    ``revoked`` at any age. Otherwise ``suspended`` or ``active_then`` for seven days, and ``unchecked`` after them.
    """
    if is_set and purpose == "revocation":
        return "revoked"  # final: no act takes a revocation back
    # A suspension may have been lifted since, as an active certificate may have been withdrawn: both words age alike.
    if now - as_of > KNOWN_FOR:
        return "unchecked"
    return "suspended" if is_set else "active_then"


_UNITS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))


def age_text(then: datetime, now: datetime) -> str:
    """``3 days``, ``1 hour``, ``25 minutes``: whole units only; ``less than a minute`` below them."""
    for unit, name in _UNITS:
        count = (now - then) // unit
        if count > 0:
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return "less than a minute"
