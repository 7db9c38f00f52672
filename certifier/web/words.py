"""What pages and views say about states, stages and axes: one table for each, so that wording can be tested.

The words of the face itself are the badge's; the names of outcomes are the certificate's.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from certifier.badge.public_use import reasons
from certifier.certificate.verdict import verdict_table
from certifier.certificate.verification import Verification

INCLUDED = ("data", "training", "fine-tuning", "inference with every take", "storage", "the hardware of all these")
EXCLUDED = ("post-production", "playing by listeners", "buildings")

# state of a certificate -> (word, what it means)
STATES: dict[str, tuple[str, str]] = {
    "active": ("Valid", "In force."),
    "suspended": ("Suspended", "Paused while it is checked. Do not rely on it now."),
    "revoked": ("Withdrawn", "Withdrawn by the issuer. It must not be shown any more."),
    "superseded": ("Replaced", "Another certificate took its place."),
    "expired": ("Expired", "It ran out. Expired is not withdrawn: it was true for its time."),
    "not_yet": ("Not yet valid", "Its first day is still to come."),
    "unreliable": ("Cannot be relied on", "A check of this certificate failed. Do not rely on it."),
    "unchecked": ("Could not be checked", "Something needed for the check could not be had."),
}

VERDICTS = {
    "valid": "Valid",
    "valid_with_warnings": "Valid, with a remark",
    "not_valid": "Not valid",
    "cannot_tell": "Cannot tell",
}

AXES = {
    "integrity": "Signature",
    "issuer_trust": "Issuer's key",
    "inclusion": "Public log",
    "lifecycle": "Status",
    "validity": "Dates",
    "standard_state": "Standard",
    "binding": "Audio file",
}

# value of an axis -> (mark, words); the marks are good, bad, open
VALUES: dict[str, tuple[str, str]] = {
    "ok": ("good", "fits the document"),
    "trusted": ("good", "trusted"),
    "included": ("good", "holds this certificate"),
    "active": ("good", "not withdrawn"),
    "current": ("good", "current"),
    "sha256_match": ("good", "this very file"),
    "essence_match": ("good", "the same sound in another file"),
    "superseded": ("open", "has a successor"),
    "ending": ("open", "expires soon"),
    "active_then": ("open", "not withdrawn when last known"),
    "isrc_only": ("open", "its ISRC; no file was compared"),
    "broken": ("bad", "does not fit"),
    "withdrawn": ("bad", "withdrawn"),
    "compromised": ("bad", "stolen before this was logged"),
    "revoked": ("bad", "withdrawn"),
    "suspended": ("bad", "suspended"),
    "expired": ("bad", "expired"),
    "not_yet": ("bad", "not yet"),
    "mismatch": ("bad", "another file"),
    "unknown": ("open", "not known here"),
    "unchecked": ("open", "could not be checked"),
    "not_checked": ("open", "no file was given"),
}

STANDARD_AWAY = (
    "The version of the standard behind this decision is not here just now, so its rules and lines cannot be shown. "
    "What was decided stays as it is."
)

RENEWALS = {
    "none": "There is nothing to do yet.",
    "expiry": "The certificate is near its end, or past it. A renewal looks at evidence, process and use of the mark again.",
    "standard-superseded": "The version behind the certificate is closed for new applications. The certificate stays true.",
    "withdrawn": "A withdrawn certificate is not renewed. A new report can be submitted.",
}

STAGES = {
    "data": "Training data",
    "training": "Training",
    "fine_tuning": "Fine-tuning",
    "inference": "Generating, every take",
    "storage": "Storage",
    "embodied": "Making the hardware",
    "post_production": "Post-production",
}

LEVELS = {
    "A0": "self-declared by the applicant",
    "A1": "measured by a registered party or exported by a service, with its logs deposited",
    "A2": "checked by an independent verifier",
}

ASSESSORS = {
    "verifier": "Verified by",
    "measuring_party": "Measured by",
    "service": "Measured by",
    "software": "Checked by",
}

# outcome of a decision -> (headline, what it means)
DECISIONS: dict[str, tuple[str, str]] = {
    "class-1": ("Low-Carbon Audio, class 1", "The track meets the strictest limit, and a verifier stands behind it."),
    "class-2": ("Low-Carbon Audio, class 2", "The track meets the limit of class 2."),
    "measured": (
        "Measured",
        "The footprint is attested, and above the limits of the classes or short of their duties.",
    ),
    "disclosed": (
        "Self-declared statement",
        "The figure is in the register as a self-declared measurement. It is not a label.",
    ),
    "none": ("No certificate", "The rules below say why, and what would help."),
}

GATES = {
    "all": "any certificate",
    "measured": "measured and better",
    "class-2": "class 2 and class 1",
    "class-1": "class 1",
}

# outcome of a decision -> what a rule closes that kept it from a better one
CLOSED_BY = {"none": "all", "disclosed": "measured", "measured": "class-2", "class-2": "class-1"}

REASONS = {
    "evidence": "evidence was false or altered",
    "wrong_track": "the file is not the track that was sold",
    "figure": "the corrected figure is above the limit",
    "misuse": "the mark was used on other tracks",
    "offset_claim": "offsets were claimed beside the mark",
    "holder_request": "the holder asked for it",
    "superseded": "another certificate took its place",
}

# reason -> why a certificate is suspended, before anything is decided about it (LCAL 12.1)
DOUBTS = {
    "evidence": "its evidence is being looked into",
    "wrong_track": "it is being looked into whether the file is the track that was sold",
    "figure": "the figure is being looked into",
    "misuse": "the use of the mark is being looked into",
    "offset_claim": "a claim of offsets beside the mark is being looked into",
    "holder_request": "the holder asked for it",
}

# kind of assessor -> what it did
WORK = {
    "verifier": "independent; checked the report, the logs and the figure",
    "measuring_party": "measured, signed the report and deposited its logs",
    "service": "made the music on its machines, and signed what it exported",
    "software": "the rules of the standard were applied by software, and nobody else looked at it",
}

# part of a track -> its name (the applicant's own disclosure)
CONTRIBUTIONS = {
    "vocals": "vocals",
    "instrumentation": "instruments",
    "composition": "composition",
    "post_production": "post-production",
    "lyrics": "lyrics",
}

# region of public use -> its name as the head of a column
REGIONS = {"eu": "EU", "uk": "UK", "us": "US", "rest": "elsewhere"}

TIES = {"ownership": "Ownership", "money": "Money", "people": "People"}

_BY_AXIS = (
    ("lifecycle", "revoked", "revoked"),
    ("lifecycle", "suspended", "suspended"),
    ("validity", "expired", "expired"),
    ("validity", "not_yet", "not_yet"),
)
_BY_VERDICT = {
    "valid": "active",
    "valid_with_warnings": "active",
    "cannot_tell": "unchecked",
    "not_valid": "unreliable",
}


def texts() -> Iterator[str]:
    """Every text of these tables and of the table of verdicts, for the catalogues of other languages."""
    tables = (
        STATES,
        DOUBTS,
        WORK,
        CONTRIBUTIONS,
        VERDICTS,
        AXES,
        VALUES,
        RENEWALS,
        STAGES,
        LEVELS,
        ASSESSORS,
        DECISIONS,
        GATES,
        REASONS,
        REGIONS,
        TIES,
    )
    for entry in chain(INCLUDED, EXCLUDED, (STANDARD_AWAY,), reasons(), *(table.values() for table in tables)):
        yield from (entry,) if isinstance(entry, str) else entry
    yield from (row["because"] for row in verdict_table()["rows"])


def state_of(verification: Verification, reason: str | None = None) -> str:
    """The one state that is shown, the gravest first; ``reason`` is that of the last change in the log."""
    if verification.axes["integrity"] == "ok":
        for axis, value, state in _BY_AXIS:
            if verification.axes[axis] == value:
                return "superseded" if state == "revoked" and reason == "superseded" else state
    return _BY_VERDICT[verification.verdict]
