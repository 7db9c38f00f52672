"""The pack: one signed file for platforms that verify many certificates and ask nobody."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request

from certifier.certificate.status import VALID_FOR
from certifier.web.responses import JSON, checked_query, reply
from certifier.web.site import Site


def latest(site: Site) -> Response:
    """The newest pack. Caches may keep it for as long as its status lists are in force."""
    checked_query()
    now = site.clock()
    made_at = now.replace(second=0, microsecond=0)
    seconds_left = (made_at + VALID_FOR - now) // timedelta(seconds=1)
    response = reply(site.pack(made_at), JSON, seconds_left)
    response.last_modified = made_at
    response.make_conditional(request)  # again, for a client that knows the date alone
    return response
