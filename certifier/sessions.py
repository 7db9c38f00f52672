"""HTTP sessions that see no redirect.

``requests`` reads the whole body of a redirect, unpacks it, and parses its target, even where it is told not to follow: however
long, and whatever it holds. Whoever asks others in a process that others rely on uses this.
"""

from __future__ import annotations

import requests


class PlainSession(requests.Session):
    """As its base, but a redirect is an answer like any other."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        return None
