"""From a measured session to an unsigned report: what was measured, plus what only the applicant can say.

A session file (``session.json``) holds ``track``, ``models``, ``generation``, ``activities``, ``stages_not_performed`` and
``process`` in the shapes of LCAL section 15; the studio example and ``certifier measure`` write it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from certifier.errors import ForeignInputError

MEMBERS = ("track", "models", "generation", "activities", "stages_not_performed", "process")


def report_of(
    session: Mapping[str, Any],
    *,
    report_id: str,
    applicant: str,
    issued_at: str,
    audio_sha256: str,
    duration_s: Decimal,
    raw_logs: Sequence[str],
    words: Mapping[str, str],
) -> dict[str, Any]:
    """The unsigned report (LCAL section 15). ``words`` are title, artist and the like, before those of the session.

    Raises ForeignInputError when the session lacks a member or the track its title.
    """
    missing = [name for name in MEMBERS if name not in session]
    if missing:
        raise ForeignInputError("This is no session file.", found=f"no {missing[0]}", expected=", ".join(MEMBERS))
    track = {name: value for name, value in session["track"].items() if name not in ("file", "sha256")} | dict(words)
    unsaid = [name for name in ("title", "artist") if not track.get(name)]
    if unsaid:
        raise ForeignInputError(f"The track has no {unsaid[0]}.", hint=f"certifier report new … --{unsaid[0]} TEXT")
    length = format(duration_s, "f")
    return {
        "report_version": "1.0",
        "report_id": report_id,
        "standard": "LCAL-1.0.0",
        "issuer": {"id": applicant, "key_id": applicant},
        "issued_at": issued_at,
        "raw_log_sha256": list(raw_logs),
        "track": {"ai_audible_s": length, **track, "audio_sha256": audio_sha256, "duration_s": length},
        **{name: session[name] for name in MEMBERS if name != "track"},
    }
