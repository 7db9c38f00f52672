"""API keys for tests."""

from __future__ import annotations

from pathlib import Path

from certifier.service.api_keys import open_api_keys
from certifier.service.certifier import Certifier
from certifier.settings import Settings
from tests.studio import NOW


def new_key(owner: Certifier | Settings | Path, *scopes: str, holder: str = "Example Platform") -> str:
    """A key with these scopes, as its holder sends it, for an installation: open, by its settings, or in a home on SQLite."""
    if isinstance(owner, Certifier):
        return owner.api_keys.make(holder, scopes, NOW).text
    with open_api_keys(owner if isinstance(owner, Settings) else Settings(home=owner)) as keys:
        return keys.make(holder, scopes, NOW).text


def bearer(key: str) -> dict[str, str]:
    """The header that shows a key."""
    return {"Authorization": f"Bearer {key}"}
