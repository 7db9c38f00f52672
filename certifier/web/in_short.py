"""A decision in three sentences, for somebody who never saw the project: what stopped it, what to change first, what then.

The rules' own words come from the standard and stay as they are; everything else is looked up in the catalogue. Nothing is
guessed: what would follow is said only where the decision was made again with that change.
"""

from __future__ import annotations

from dataclasses import dataclass

from certifier.web.documents import FindingView, LeversView, LeverView, SubmissionView
from certifier.web.language import N_, say
from certifier.web.words import CLOSED_BY, DECISIONS


@dataclass(frozen=True)
class InShort:
    """``better`` is the outcome that was missed; None where there is no certificate at all."""

    better: str | None
    stopped: str
    first: str
    then: str


def in_short(view: SubmissionView, levers: LeversView | None) -> InShort | None:
    """The three sentences; None where nothing better can be had, or where the rules behind the decision are not at hand."""
    decisive = decisive_findings(view)
    if not decisive:
        return None
    nearest = _nearest(levers)
    met_first = set(nearest.closes if nearest else levers.mend_first if levers else ())
    leading = next((finding for finding in decisive if finding.rule in met_first), decisive[0])
    return InShort(
        better=None if view.outcome == "none" else CLOSED_BY[view.outcome],
        stopped=_stopped(leading, len(decisive)),
        first=nearest.sentence if nearest else leading.advice,
        then=_then(view, levers),
    )


def decisive_findings(view: SubmissionView) -> list[FindingView]:
    """The rules whose failure alone kept the outcome from a better one, in the order of the standard."""
    gate = CLOSED_BY.get(view.outcome)
    failed = (finding for finding in view.findings if finding.outcome == "fail" and finding.level == "must")
    return [finding for finding in failed if finding.gates == gate]


def _stopped(finding: FindingView, count: int) -> str:
    if count == 1:
        return say(N_("The rule “%(title)s” is not met: %(reason)s"), title=finding.title, reason=finding.reason)
    return say(
        N_("%(n)s rules are not met, first of all “%(title)s”: %(reason)s"),
        n=count,
        title=finding.title,
        reason=finding.reason,
    )


def _nearest(levers: LeversView | None) -> LeverView | None:
    """The change to begin with: the one that reaches the next outcome, else the first step of the way there."""
    if levers is None or not levers.levers:
        return None
    first_step = levers.path.steps[0].sentence if levers.path else ""
    return next((lever for lever in levers.levers if lever.sentence == first_step), levers.levers[0])


def _then(view: SubmissionView, levers: LeversView | None) -> str:
    if levers is None or levers.mend_first or not view.footprint:
        return say(N_("Send it again: the figure is worked out anew, and you see at once what it reaches."))
    reaching = next((lever for lever in levers.levers if lever.reaches), None)
    if reaching:
        return say(
            N_("The outcome would be: %(outcome)s, at most %(g)s g per minute."),
            outcome=say(DECISIONS[reaching.outcome][0]),
            g=reaching.assessed_g_per_min,
        )
    if levers.path:
        return say(
            N_("Together with the further steps below, the outcome would be: %(outcome)s, at most %(g)s g per minute."),
            outcome=say(DECISIONS[levers.path.outcome][0]),
            g=levers.path.assessed_g_per_min,
        )
    return say(
        N_("No change that was tried takes this very track to “%(outcome)s”; below you see how far each one goes."),
        outcome=say(DECISIONS[levers.next or "measured"][0]),
    )
