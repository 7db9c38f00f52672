"""What an operator and a load balancer ask: does it live, is it ready, and its numbers."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response, request
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.core import Metric
from werkzeug.exceptions import NotFound

from certifier.errors import CertifierError, ReadOnlyError
from certifier.service.logbook import CLOCK_SKEW
from certifier.web.metrics import gauge, gauges
from certifier.web.network import client_address
from certifier.web.responses import checked_query, json_reply, reply
from certifier.web.site import Site

THROUGH_A_PROXY = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")


def health(site: Site) -> Response:  # noqa: ARG001 - every view gets the site
    return json_reply({"alive": True}, "not at all")


def readiness(site: Site) -> Response:
    """Whether each part works, and why nothing may be written where that is so; 503 when a part does not.

    503 too from the moment on that this server is stopping: whoever sends requests here sends them elsewhere.
    """
    size = _log_size(site)
    reason = _reason(site)
    status = _status_reason(site)
    register = site.certifier.keys.fault
    newest = site.certifier.logbook.last_time
    stopping = site.is_draining()
    parts = {
        "status_lists": status or "ok",
        "database": "does not answer" if size is None else "ok",
        "log_size": size,
        "writing": reason or "ok",
        "register": register or "ok",
        "clock": "stands back" if newest and site.clock() < newest - CLOCK_SKEW else "ok",
        "disk": "ok" if site.certifier.has_room else "little room is left",
        "queue": {"taken": site.places_taken, "places": site.settings.max_waiting},
        "serving": "stopping" if stopping else "ok",
    }
    ready = not stopping and size is not None and reason is None and status is None and not register
    problems = [vars(problem) for problem in site.certifier.problems]
    response = json_reply({"ready": ready, "parts": parts, "problems": problems}, "not at all")
    response.status_code = 200 if ready else 503
    return response


def metrics(site: Site) -> Response:
    """The numbers of this server, for those networks alone that ``metrics_networks`` names, and never through a proxy.

    Everybody else finds nothing here.
    """
    checked_query()
    if not _may_see_metrics(site):
        raise NotFound
    return reply(site.metrics.text(_state_of(site)), CONTENT_TYPE_LATEST, "not at all")


def _may_see_metrics(site: Site) -> bool:
    if any(name in request.headers for name in THROUGH_A_PROXY):
        return False
    peer = client_address(request.remote_addr or "", "", ())
    return peer is not None and any(peer in network for network in site.settings.metrics_networks)


def _state_of(site: Site) -> Iterator[Metric]:
    size = _log_size(site)
    book = site.certifier.logbook
    yield gauge("database_up", "1 while the database answers.", size is not None)
    yield gauge("writable", "1 while certificates can be issued.", _reason(site) is None)
    yield gauge("stopping", "1 from the moment on that this server is stopping.", site.is_draining())
    yield gauge("queue_places", "Requests with a body that one worker takes at once.", site.settings.max_waiting)
    yield gauge("log_size", "Entries under the newest checkpoint.", book.head.size)
    if size is not None:
        webhooks = site.certifier.webhooks.store
        due = webhooks.due_count(site.clock())
        yield gauge("webhook_deliveries_due", "Deliveries whose time has come and that were not made yet.", due)
        yield gauges("webhook_endpoints", "Endpoints by state.", "state", webhooks.endpoint_counts())
    if book.last_time:
        yield gauge(
            "log_newest_entry_time", "When the newest entry was made, in Unix time.", book.last_time.timestamp()
        )


def _reason(site: Site) -> str | None:
    try:
        site.certifier.check_writable(site.clock())
    except ReadOnlyError as error:
        return error.found or error.message
    return None


def _status_reason(site: Site) -> str | None:
    """Why no status list is given out."""
    try:
        site.status_lists(site.minute())
    except CertifierError as error:
        return error.found or error.message
    return None


def _log_size(site: Site) -> int | None:
    """The log's size where the database answers."""
    try:
        site.certifier.store.logs()
    except Exception:  # noqa: BLE001 - whatever the database says, this part is not ready
        return None
    return site.certifier.logbook.head.size
