"""Settings of one installation, with their units, read from the environment (``LCAL_…``) or given as values.

A *home* is the folder that holds everything an installation owns: database, public register of keys, private keys.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from certifier.errors import OperatorError
from certifier.storage.files import load_text

BASE_URL_FILE = "base-url"
SIGNERS_FILE = "signers"
POLICY_FILE = "witnesses.policy"
RESTORE_MARKER = "restore-unfinished"
PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """``base_url`` is public and signed into certificates; where the server listens is another matter (DESIGN 22)."""

    home: Path
    base_url: str = "https://label.example"
    issuer_name: str = "Low-Carbon Audio Label"
    environment: str = "demo"
    database_url: str = ""
    standards_dir: Path = PROJECT_ROOT / "standards"
    templates_dir: Path = PROJECT_ROOT / "templates"
    docs_dir: Path = PROJECT_ROOT / "docs"
    standards: str = "lcal/1.0.0"  # folders, the newest last; the others with their last day: lcal/1.0.0@2027-03-01
    max_upload_bytes: int = 512 * 1024 * 1024
    max_log_bytes: int = 5 * 1024 * 1024
    max_logs: int = 20
    max_waiting: int = 24
    upload_seconds: int = 60
    submit_seconds: float = 2.0
    min_free_bytes: int = 64 * 1024 * 1024
    key_passphrase_file: Path | None = None  # of encrypted keys in private/; else LCAL_KEY_PASSPHRASE tells it
    cpu: int = -1  # the one that a worker keeps to; -1 for any

    @property
    def did(self) -> str:
        """``did:web`` of the base URL's host (did:web method specification; a port is percent-encoded)."""
        return "did:web:" + self.base_url.split("://", 1)[1].split("/", 1)[0].replace(":", "%3A")

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'service.sqlite'}"

    @property
    def register_dir(self) -> Path:
        return self.home / "keys"

    @property
    def log_dir(self) -> Path:
        """The public files of the logs, outside the database."""
        return self.home / "log"

    @property
    def newest_standard(self) -> Path:
        """The folder of the newest version."""
        return self.standards_dir / (self.standards.split() or [""])[-1]

    @property
    def archive_dir(self) -> Path:
        """Every version of the standard that was ever used here."""
        return self.home / "standards"

    @property
    def private_dir(self) -> Path:
        return self.home / "private"

    @property
    def signers_file(self) -> Path:
        """The URIs of signers elsewhere than in ``private_dir``, one a line."""
        return self.home / SIGNERS_FILE

    @property
    def key_change_file(self) -> Path:
        """A change of the keys that was begun and is not in log and register yet."""
        return self.home / "key-change.json"


_NUMBERS = ("max_upload_bytes", "max_waiting", "min_free_bytes", "cpu")
_TEXTS = ("base_url", "issuer_name", "environment", "database_url", "standards")


def settings_from_environment(home: Path | None = None) -> Settings:
    """The settings of ``LCAL_HOME`` (default ``var/home``) with every ``LCAL_…`` variable applied. Raises OperatorError."""
    settings = Settings(home=home or Path(os.environ.get("LCAL_HOME", "var/home")))
    texts = {name: os.environ[f"LCAL_{name.upper()}"] for name in _TEXTS if f"LCAL_{name.upper()}" in os.environ}
    numbers = {name: _number(f"LCAL_{name.upper()}") for name in _NUMBERS if f"LCAL_{name.upper()}" in os.environ}
    if passphrase_file := os.environ.get("LCAL_KEY_PASSPHRASE_FILE"):
        settings = replace(settings, key_passphrase_file=Path(passphrase_file))
    settings = replace(settings, **_fixed(settings.home, texts), **numbers)  # type: ignore[arg-type]
    if not settings.base_url.startswith(("https://", "http://")) or settings.base_url.endswith("/"):
        raise OperatorError(
            "The base URL cannot be used.", found=settings.base_url, expected="https://HOST without a slash at the end"
        )
    return settings


def _fixed(home: Path, texts: dict[str, str]) -> dict[str, str]:
    """The texts, with the base URL that the home was made for: it is signed into everything and cannot change later."""
    made_for = load_text(home / BASE_URL_FILE)
    if made_for is None:
        return texts
    if texts.get("base_url", made_for) != made_for:
        raise OperatorError(
            "LCAL_BASE_URL is not the address that this home was made for.", found=texts["base_url"], expected=made_for
        )
    return {**texts, "base_url": made_for}


def _number(name: str) -> int:
    text = os.environ[name]
    if not text.isascii() or not text.isdigit():
        raise OperatorError(f"{name} is not a number.", found=text, expected="a whole number")
    return int(text)
