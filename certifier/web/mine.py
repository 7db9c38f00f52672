"""My tracks: whoever shows that a key is theirs sees what was submitted with it. The key is the account; nothing else is asked.

A key that nobody used gets the same answer as one with submissions, with an empty list; without a proof nobody gets any.
"""

from __future__ import annotations

from flask import Response
from pydantic import Field

from certifier.certificate.code import display_code
from certifier.certificate.times import parse_time, time_text
from certifier.decision import parse_decision
from certifier.service.key_challenges import MY_TRACKS, check_proof, host_of
from certifier.service.renewal import WINDOW
from certifier.storage.rows import CertificateRow, SubmissionRow
from certifier.web.documents import Document, WindowView
from certifier.web.language import say
from certifier.web.questions import sent
from certifier.web.records import record_of
from certifier.web.responses import checked_query, json_reply, page
from certifier.web.script_words import says
from certifier.web.site import Site
from certifier.web.words import DECISIONS, STATES

MOST = 500  # of the newest submissions of a key


class KeyChallengeView(Document):
    """A text to be signed as it is, byte for byte; it counts for five minutes, here and for this purpose alone."""

    challenge: str
    purpose: str = Field(examples=[MY_TRACKS])
    host: str
    until: str


class MyTracksRequest(Document):
    """``signature``: of the challenge's bytes by the key, Ed25519, in hexadecimal digits."""

    key: str = Field(max_length=200, examples=["did:key:z6Mk…"])
    challenge: str = Field(max_length=1000)
    signature: str = Field(pattern="^[0-9a-fA-F]{128}$")


class MyTrackLinks(Document):
    """Paths on this service; null without a certificate, or where there is nothing to do."""

    decision: str
    certificate: str | None
    kit: str | None
    renewal: str | None


class MyTrackView(Document):
    """One submission. ``state`` is ``certified``, ``refused`` or ``accepted``; ``certificate_state`` is how it stands now."""

    id: str
    created_at: str
    title: str
    artist: str
    standard: str
    state: str
    outcome: str
    assessed_g_per_min: str | None
    code: str | None
    certificate_state: str | None
    expires_at: str | None
    renewal_window: WindowView | None
    links: MyTrackLinks


class MyTracksView(Document):
    """What was submitted with a key, the newest first. ``more`` says that there are older ones than are listed."""

    key: str
    items: list[MyTrackView]
    more: bool


def show(site: Site) -> Response:
    """The page; everything on it happens in the reader's browser, where the key is."""
    checked_query()
    brought = {
        "says": says("mine"),
        "outcomes": {name: say(headline) for name, (headline, _) in DECISIONS.items()},
        "states": {name: say(word) for name, (word, _) in STATES.items()},
    }
    return page("mine.html", "five minutes", brought=brought, server=site.settings.base_url)


def challenge(site: Site) -> Response:
    """The challenge of this minute."""
    checked_query()
    now = site.clock()
    text = site.challenge(MY_TRACKS, now)
    until = text.partition("until: ")[2].partition("\n")[0]
    view = KeyChallengeView(challenge=text, purpose=MY_TRACKS, host=host_of(site.settings), until=until)
    return json_reply(view, "not at all")


def tracks(site: Site) -> Response:
    """What was submitted with the key that signed the challenge."""
    checked_query()
    asked = sent(MyTracksRequest, "The proof is sent")
    key = check_proof(
        site.settings,
        site.certifier.own_keys,
        MY_TRACKS,
        key=asked.key,
        challenge=asked.challenge,
        signature=asked.signature,
        now=site.clock(),
    ).did_key
    rows = site.certifier.store.submissions_of(key, MOST + 1)
    items = [_track(site, row) for row in rows[:MOST]]
    return json_reply(MyTracksView(key=key, items=items, more=len(rows) > MOST), "not at all", X_Robots_Tag="noindex")


def _track(site: Site, row: SubmissionRow) -> MyTrackView:
    record, _ = parse_decision(row.decision)
    certificate = site.certifier.store.certificate_for_submission(row.id)
    delivered = certificate if certificate and certificate.document else None
    state = record_of(site, delivered.code, site.minute()).state if delivered else None
    window = _window(delivered) if delivered and state in ("active", "expired") else None
    page_path = f"/v/{delivered.code}" if delivered else None
    return MyTrackView(
        id=row.id,
        created_at=row.created_at,
        title=row.title,
        artist=row.artist,
        standard=str(record["standard"]["id"]),
        state=row.state,
        outcome=row.outcome,
        assessed_g_per_min=record["assessed_g_per_min"],
        code=display_code(delivered.code) if delivered else None,
        certificate_state=state,
        expires_at=delivered.expires_at if delivered else None,
        renewal_window=window,
        links=MyTrackLinks(
            decision=f"/submissions/{row.id}",
            certificate=page_path,
            kit=f"{page_path}/kit" if state == "active" else None,
            renewal=f"{page_path}/renewal" if window else None,
        ),
    )


def _window(row: CertificateRow) -> WindowView:
    expires = parse_time(row.expires_at)
    return WindowView(start=time_text(expires - WINDOW), end=time_text(expires))
