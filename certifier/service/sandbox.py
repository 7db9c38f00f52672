"""What only an installation for trying out has: codes that always mean the same, and a key that signs whatever is asked.

The codes of ``DEMO_CODES`` stand for one state each; ``sandbox_fill`` issues their certificates.

A sandbox issues any credential of the W3C data model, so that test suites run and developers can try their software. Its
issuer is a did:key with a key of its own. No register lists that key: what it signs can never be a certificate.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from certifier.certificate.code import code_of, randomness_for
from certifier.certificate.status import status_list_payload
from certifier.crypto.keyring import Keyring
from certifier.crypto.signing import SigningKey
from certifier.errors import OperatorError, SandboxOnly
from certifier.settings import Settings
from certifier.storage.files import load_signing_key, save_signing_key

ENVIRONMENTS = ("sandbox", "demo")
KEY_FILE = "sandbox.pem"
_NO_LOG = "of this sandbox, in which nothing is ever withdrawn"


def _code(symbols: str) -> str:
    return code_of(randomness_for(symbols))


# state -> its code. All begin with T; the letters after it stand for the state (no I, L, O and U in a code).
DEMO_CODES = {
    "class-1": _code("TACT00001"),
    "class-2": _code("TACT00002"),
    "measured": _code("TMEA00001"),
    "statement": _code("TSTA00001"),
    "suspended": _code("TSPD00001"),
    "revoked": _code("TREV00001"),
    "superseded": _code("TPRV00001"),
    "successor": _code("TNXT00001"),
    "expired": _code("TEXP00001"),
    "broken": _code("TBAD00001"),
}
UNKNOWN_CODE = _code("TN0N00001")  # well formed, and never issued
MISTYPED_CODE = DEMO_CODES["class-1"][:-1] + ("X" if DEMO_CODES["class-1"][-1] != "X" else "Y")


def is_sandbox(settings: Settings) -> bool:
    """Whether this installation is for trying out."""
    return settings.environment in ENVIRONMENTS


def require_sandbox(settings: Settings, hint: str) -> None:
    """Raises SandboxOnly in production."""
    if not is_sandbox(settings):
        raise SandboxOnly(
            "This installation issues its own certificates only, for submitted reports.",
            found=f"environment {settings.environment}",
            expected=f"an environment for trying out: {' or '.join(ENVIRONMENTS)}",
            hint=hint,
        )


def sandbox_key(settings: Settings, keyring: Keyring) -> SigningKey:
    """The sandbox's key, made when it is first needed.

    Raises SandboxOnly in production, and OperatorError when the key in the sandbox's file is one that the register lists.
    """
    require_sandbox(settings, "Send a report to /api/v1/submissions, or use a sandbox.")
    path = settings.private_dir / KEY_FILE
    if not path.exists():
        try:
            save_signing_key(path, SigningKey.generate())
        except OperatorError:
            if not path.exists():  # else another process made it a moment ago
                raise
    key = load_signing_key(path)
    if any(entry.public.raw == key.public.raw for entry in keyring.keys):
        raise OperatorError(
            "The sandbox's key is one that the register lists.",
            found=key.public.did_key,
            expected="a key of its own",
            hint=f"Remove {KEY_FILE}; a new key is made.",
        )
    return key


def list_url(settings: Settings, purpose: str) -> str:
    """Where the sandbox's status list of a purpose lies."""
    return f"{settings.base_url}/vc-api/status/{purpose}/1"


def list_payload(settings: Settings, purpose: str, issuer: str, now: datetime) -> dict[str, Any]:
    """The sandbox's unsigned status list of a purpose; no bit of it is ever set."""
    return status_list_payload(list_url(settings, purpose), purpose, [], issuer=issuer, log=_NO_LOG, now=now)
