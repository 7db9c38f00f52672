"""Whose word counts: the keys that a caller gives, or those that this person pinned with ``certifier init --pin``."""

from __future__ import annotations

import os
from pathlib import Path

from certifier.certificate.trust import Trust, parse_trust


def pinned_trust_file() -> Path:
    """Where ``certifier init --pin`` keeps the keys that this person trusts."""
    config = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config"))
    return config / "certifier" / "trust.json"


def trust_of(given: Trust | Path | None) -> Trust | None:
    """The trusted keys: those given, those in the file, else the pinned ones; None where nothing is pinned.

    Raises MalformedTrust or MalformedJson for a file that is none.
    """
    if isinstance(given, Trust):
        return given
    file = given or pinned_trust_file()
    return parse_trust(file.read_bytes()) if given or file.is_file() else None
