"""Make an installation's home, and open the installation that lives there."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from certifier.certificate.times import time_text
from certifier.crypto.keys import PublicKey
from certifier.crypto.signing import SigningKey
from certifier.errors import OperatorError
from certifier.service.certifier import Certifier
from certifier.settings import BASE_URL_FILE, PROJECT_ROOT, Settings
from certifier.storage.files import (
    copy_register,
    load_keyring,
    load_signing_key,
    load_standard,
    save_bytes,
    save_signing_key,
)
from certifier.storage.store import Store

KEY_LIFE = timedelta(days=365 * 5)
OWN_KEYS = ("issuer", "log")


def make_home(settings: Settings, now: datetime) -> None:
    """Create the private keys, the public register and the database. Raises OperatorError when the home exists."""
    if settings.register_dir.exists():
        raise OperatorError(f"There is an installation in {settings.home} already.", hint="Choose another --home.")
    try:
        copy_register(PROJECT_ROOT / "keys", settings.register_dir)
        for role in OWN_KEYS:
            key = SigningKey.generate()
            save_signing_key(settings.private_dir / f"{role}.pem", key)
            register_key(settings, _own_key_id(role, settings, now), role, settings.issuer_name, key.public, now)
        load_keyring(settings.register_dir)
        save_bytes(settings.home / BASE_URL_FILE, f"{settings.base_url}\n".encode())
    except OSError as error:
        raise OperatorError(
            f"The home {settings.home} cannot be made.", found=str(error), hint="Choose another --home."
        ) from error
    Store.open(settings.database).close()


def _own_key_id(role: str, settings: Settings, now: datetime) -> str:
    host = settings.base_url.split("://", 1)[1]
    return f"key-{now.year}" if role == "issuer" else f"{host}/{now.year}"


def register_key(
    settings: Settings, key_id: str, role: str, name: str, key: PublicKey, now: datetime, extra: str = ""
) -> None:
    """Add an entry to the installation's register, in a file of its own below the role's folder."""
    folder = {"issuer": "issuer", "log": "issuer", "verifier": "verifiers"}.get(role, "tools")
    slug = key_id.replace("/", "-")
    entry = (
        f'[[keys]]\nid = "{key_id}"\nowner = "{slug}"\nname = {json.dumps(name)}\nrole = "{role}"\nkey = "{key.did_key}"\n'
        f"from = {time_text(now)}\nuntil = {time_text(now + KEY_LIFE)}\n{extra}"
    )
    save_bytes(settings.register_dir / folder / f"{slug}.toml", entry.encode())


def open_certifier(settings: Settings) -> Certifier:
    """The installation at ``settings.home``, ready to work. Raises OperatorError that says what is wrong with it."""
    keyring = load_keyring(settings.register_dir)
    issuer, log = (load_signing_key(settings.private_dir / f"{role}.pem") for role in OWN_KEYS)
    standard = load_standard(settings.standards_dir / settings.standard)
    return Certifier(settings, Store.open(settings.database), standard, keyring, issuer, log)
