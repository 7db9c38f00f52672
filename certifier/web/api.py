"""The API under ``/api/v1``: submit a report, ask about a decision, verify a certificate.

A refusal and a failed verification are answers, with status 200 or 201; errors are only what could not be answered.
"""

from __future__ import annotations

from flask import Response

from certifier.errors import NotFoundError
from certifier.web.questions import body_sent
from certifier.web.responses import JSON, checked_query, json_reply, reply
from certifier.web.site import MOST_FOR_LEVERS, RETRY_AFTER_S, Site
from certifier.web.submissions import (
    check_submission,
    decision_on,
    explanation_on,
    levers_on,
    take_submission,
    try_submission,
)
from certifier.web.verifications import answer_to


def submit(site: Site) -> Response:
    """Decide on a submission; with ``?dry_run=true`` without keeping anything."""
    if checked_query(dry_run=("false", "true"))["dry_run"] == "true":
        return json_reply(try_submission(site), "not at all")
    taken = take_submission(site)
    response = json_reply(taken.view, "not at all", Location=str(taken.view.links.self))
    response.status_code = taken.status
    if taken.status == 202:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if taken.is_replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def check_report(site: Site) -> Response:
    """What a submission would get. Nothing is stored, logged or signed."""
    checked_query()
    return json_reply(check_submission(site), "not at all")


def submission(site: Site, submission_id: str) -> Response:
    checked_query()
    return json_reply(decision_on(site, submission_id), "not at all", X_Robots_Tag="noindex")


def explanation(site: Site, submission_id: str) -> Response:
    """Every line of the figure with all its factors and where they come from, and how the lines add up to it."""
    checked_query()
    return json_reply(explanation_on(site, submission_id), "not at all", X_Robots_Tag="noindex")


def levers(site: Site, submission_id: str) -> Response:
    """What would lift the decision on a submission to the next outcome, each found by deciding again."""
    checked_query()
    view = levers_on(site, submission_id)
    if view is None:
        raise NotFoundError(
            "The levers of so long a report are not worked out here.",
            found=f"more than {MOST_FOR_LEVERS} activities and lines of hardware",
            hint="Run: certifier report check REPORT --audio FILE --log FILE",
        )
    return json_reply(view, "not at all", X_Robots_Tag="noindex")


def verify(site: Site) -> Response:
    """Check a certificate. 200 for every completed check, whatever the verdict. Most are answered by ``short_way``."""
    checked_query()
    return reply(answer_to(site, body_sent("A verification is asked for")), JSON, "not at all")
