"""Which of the installation's own keys signs what: the issuer's certificates, the status lists, the packs.

The register and the private halves at hand are ``register.LiveKeys``; here is the choice among them at a moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from certifier.certificate.times import time_text
from certifier.crypto.keyring import Keyring, RegisteredKey, Role
from certifier.crypto.keys import PublicKey
from certifier.crypto.signing import Signer
from certifier.errors import ReadOnlyError
from certifier.service.register import LiveKeys, verification_method
from certifier.settings import Settings

ROTATE_HINT = "Make a new one with: certifier keys rotate --role issuer --home HOME"


class OwnKeys:
    """The keys of one installation, as they are now. Thread-safe."""

    def __init__(self, settings: Settings, live: LiveKeys) -> None:
        self.live = live
        self._settings = settings

    @property
    def keyring(self) -> Keyring:
        """The register as it is now."""
        return self.live.now.keyring

    @property
    def signers(self) -> Mapping[str, Signer]:
        """By verification method, the keys that may sign: retired ones what they signed before, stolen ones nothing."""
        return self.live.now.signers

    def issuer(self, now: datetime) -> RegisteredKey:
        """The issuer key that signs: the newest one in force whose private half is here. Raises ReadOnlyError."""
        active = self.in_force("issuer", now)
        if not active:
            keys = [key for key in self.keyring.with_role("issuer") if self.method_of(key) in self.signers]
            raise ReadOnlyError(
                "The issuer's key is not in force.",
                found=time_text(now),
                expected="; ".join(f"{time_text(key.valid_from)} to {time_text(key.valid_until)}" for key in keys)
                or "a private key in private/ that the register lists",
                hint=ROTATE_HINT,
            )
        return active[-1]

    def for_lists(self, now: datetime) -> RegisteredKey:
        """The key that signs status lists and packs: the newest of role status in force, else the issuer's."""
        active = self.in_force("status", now)
        return active[-1] if active else self.issuer(now)

    def in_force(self, role: Role, now: datetime) -> list[RegisteredKey]:
        """The keys of a role that may sign something new, oldest first: in force, and their private halves are here."""
        keys = self.live.now
        entries = keys.keyring.with_role(role)
        return [key for key in entries if key.state(now) == "in_force" and self.method_of(key) in keys.signers]

    def method_of(self, key: RegisteredKey) -> str:
        return verification_method(self._settings, key)

    def signer_named(self, method: str) -> Signer | None:
        """The private half of a verification method of this issuer, where it is here and may sign."""
        return self.signers.get(method)

    def signer_for(self, method: str) -> Signer:
        """As ``signer_named``. Raises ReadOnlyError when the key was taken away a moment ago."""
        signer = self.signer_named(method)
        if signer is None:
            raise ReadOnlyError("The key may not sign any more.", found=method, hint=ROTATE_HINT)
        return signer

    def public_half(self, method: str) -> PublicKey | None:
        """The public key of a verification method of this issuer, as the register has it."""
        entry = self.keyring.named(method.removeprefix(f"{self._settings.did}#"))
        return entry.public if entry else None
