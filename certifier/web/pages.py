"""Pages for people, beside the certificate's own. Each works without script; links are paths on this service."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect
from werkzeug.wrappers import Response as AnyResponse

from certifier.certificate.code import parse_code
from certifier.errors import NotFoundError, ReadOnlyError
from certifier.standard.model import Standard
from certifier.web import charts, words
from certifier.web.declaring import choices_of
from certifier.web.documents import SubmissionView
from certifier.web.examples import example_of, examples_for
from certifier.web.in_short import in_short
from certifier.web.language import gettext
from certifier.web.problems import problems
from certifier.web.records import limits_of, record_of
from certifier.web.reference import marked_up
from certifier.web.responses import checked_query, page
from certifier.web.script_words import says
from certifier.web.site import Site
from certifier.web.submissions import decision_on, explanation_on, levers_on, take_submission

NEWEST_AT_START = 3
MOST_LINES = 200  # of a calculation that a page shows


def start(site: Site) -> Response:
    """What this is, the three steps, and a field for a code."""
    checked_query()
    newest = site.certifier.store.newest_certificates(NEWEST_AT_START)
    return page(
        "start.html",
        limits=limits_of(site.certifier.shelf.newest),
        newest=newest,
        states={row.code: _state_of(site, row.code) for row, _ in newest},
        example=example_of(site),
    )


def _state_of(site: Site, code: str) -> str:
    """The state that its own page tells; ``unchecked`` while no status can be told, or where the file is away."""
    try:
        return record_of(site, code, site.minute()).state
    except (NotFoundError, ReadOnlyError):
        return "unchecked"


def meaning(site: Site) -> Response:
    """What the number means, for whoever reads it for the first time."""
    checked_query()
    limits = limits_of(site.certifier.shelf.newest)
    return page("meaning.html", limits=limits, scale=charts.limits_scale(limits), examples=examples_for(site))


def submit_form(site: Site) -> Response:
    """Three steps with script, one plain form without."""
    checked_query()
    standard = site.certifier.shelf.newest
    return page(
        "submit.html",
        "five minutes",
        megabytes=site.settings.max_upload_bytes // 1024**2,
        choices=choices_of(standard.factors),
        brought=_brought_by_submit(site, standard),
    )


def _brought_by_submit(site: Site, standard: Standard) -> dict[str, Any]:
    """What the page Submit holds for its script."""
    decisions = {outcome: [gettext(text) for text in texts] for outcome, texts in words.DECISIONS.items()}
    limits = {name.replace("-", "_"): limit for name, limit in limits_of(standard).items()}
    stages = {stage: gettext(name) for stage, name in words.STAGES.items()}
    return {
        "standard": standard.id,
        "most_bytes": site.settings.max_upload_bytes,
        "says": says("submit"),
        "words": {"decisions": decisions, "limits": limits, "stages": stages},
    }


def submit(site: Site) -> AnyResponse:
    """The form without script: decide, then lead to the decision."""
    checked_query()
    return redirect(str(take_submission(site).view.links.page), 303)


def decision(site: Site, submission_id: str) -> Response:
    """A decision: the outcome first, then every rule, then where the carbon came from."""
    checked_query()
    view = decision_on(site, submission_id)
    footprint = view.footprint
    limits = limits_of(site.certifier.shelf.named(view.standard) or site.certifier.shelf.newest)
    levers = None if view.note else levers_on(site, submission_id)
    response = page(
        "decision.html",
        "not at all",
        view=view,
        state=_state_of(site, parse_code(view.code)) if view.code else None,
        short=in_short(view, levers),
        levers=levers,
        explanation=_explanation(site, submission_id, view),
        segments=charts.segments_of(footprint) if footprint else (),
        scale=charts.scale_of(footprint.central_g_per_min, footprint.assessed_g_per_min, limits) if footprint else None,
    )
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _explanation(site: Site, submission_id: str, view: SubmissionView) -> dict[str, Any] | None:
    """What the page shows line by line; a very long calculation is left to the JSON."""
    lines = sum(len(stage.items) for stage in view.footprint.stages) if view.footprint else 0
    return explanation_on(site, submission_id) if 0 < lines <= MOST_LINES else None


def problem_kinds(site: Site) -> Response:  # noqa: ARG001 - every view gets the site
    """Every kind of problem that an answer may name."""
    checked_query()
    return page(
        "problem_kinds.html",
        "five minutes",
        kinds=sorted(problems().values(), key=lambda kind: kind.slug),
        marked_up=marked_up,
    )


def problem(site: Site, slug: str) -> Response:  # noqa: ARG001 - every view gets the site
    """What a kind of problem means, and what to do about it."""
    checked_query()
    kinds = problems()
    if slug not in kinds:
        raise NotFoundError("There is no such kind of problem.", found=slug[:60])
    return page("problem_kind.html", "five minutes", kind=kinds[slug], marked_up=marked_up)
