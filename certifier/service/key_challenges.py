"""Somebody shows that a key is theirs: this installation writes a challenge, they sign it, and nothing is kept.

A challenge says for what it is, by whom it was made and until when it counts, and is sealed with the key that signs the status
lists. So any replica can tell its own challenges from others' by the register alone, no secret has to be kept, shared or backed
up, and a key in a device serves as well. One is made each minute at most, however many ask.

What is signed begins with a line of its own, which no other signed thing of this project begins with (a report's signature
covers ``DSSEv1 …``, a certificate's two digests), so a signature here can never pass for one there, nor the other way round.
Nobody can make a challenge ahead of its time, so a key that was lent for a moment proves nothing later. A signature that is
caught on its way counts for the rest of its five minutes, for the same question to the same host alone; whoever could catch it
reads the answer as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from certifier.certificate.times import parse_time, time_text
from certifier.crypto.keys import PublicKey, verify_signature
from certifier.errors import BadSignature, CertifierError, KeyNotProven
from certifier.service.own_keys import OwnKeys
from certifier.settings import Settings

FORM = "lcal-key-challenge/1"
MY_TRACKS = "my-tracks"
LASTS = timedelta(minutes=5)
_SLACK = timedelta(minutes=1)  # between the clocks of replicas
_MEMBERS = ("purpose", "host", "until", "by", "seal")
_MOST_CHARACTERS = 1000
_AGAIN = "Ask for a new challenge and sign that one."


def host_of(settings: Settings) -> str:
    """The public host, as it stands in every challenge."""
    return settings.base_url.split("://", 1)[1].split("/", 1)[0]


def challenge_at(settings: Settings, own_keys: OwnKeys, purpose: str, minute: datetime) -> str:
    """The challenge of a minute: text of six lines, to be signed as it is. Raises ReadOnlyError when no key can seal it."""
    method = own_keys.method_of(own_keys.for_lists(minute))
    sealed = _lines(purpose, host_of(settings), time_text(minute + LASTS), method)
    return f"{sealed}seal: {own_keys.signer_for(method).sign(sealed.encode()).hex()}\n"


def check_proof(
    settings: Settings, own_keys: OwnKeys, purpose: str, *, key: str, challenge: str, signature: str, now: datetime
) -> PublicKey:
    """The key (a did:key), which signed a challenge of ours just now; ``signature`` is 64 bytes in hexadecimal digits.

    Raises MalformedKey for what is no key, KeyNotProven for everything else that is not as it should be.
    """
    public = PublicKey.from_did_key(key)
    _check_challenge(settings, own_keys, purpose, challenge, now)
    try:
        verify_signature(public, challenge.encode(), bytes.fromhex(signature))
    except (BadSignature, ValueError) as error:
        raise KeyNotProven(
            "The signature does not fit the challenge and the key.",
            found=f"key {public.multibase}",
            expected="an Ed25519 signature of the challenge's very bytes, in 128 hexadecimal digits",
            hint="Sign the challenge as it is, its last line end included, with the key that you name.",
        ) from error
    return public


def _check_challenge(settings: Settings, own_keys: OwnKeys, purpose: str, challenge: str, now: datetime) -> None:
    members = _members_of(challenge)
    host = host_of(settings)
    if (members["purpose"], members["host"]) != (purpose, host):
        raise KeyNotProven(
            "The challenge was made for something else.",
            found=f"{members['purpose']} at {members['host']}"[:200],
            expected=f"{purpose} at {host}",
            hint=_AGAIN,
        )
    _check_seal(own_keys, challenge, members, now)
    until = parse_time(members["until"])
    if not now <= until <= now + LASTS + _SLACK:
        raise KeyNotProven(
            "The challenge has run out.", found=f"until {members['until']}", expected=time_text(now), hint=_AGAIN
        )


def _check_seal(own_keys: OwnKeys, challenge: str, members: Mapping[str, str], now: datetime) -> None:
    entry = next((key for key in own_keys.keyring.keys if own_keys.method_of(key) == members["by"]), None)
    try:
        if entry is None or entry.role not in ("status", "issuer") or entry.state(now) != "in_force":
            raise BadSignature("another key")
        verify_signature(entry.public, challenge.partition("seal: ")[0].encode(), bytes.fromhex(members["seal"]))
        parse_time(members["until"])
    except (CertifierError, ValueError) as error:
        raise KeyNotProven(
            "The challenge was not made here.",
            found=members["by"][:200],
            expected="a challenge of this service",
            hint=_AGAIN,
        ) from error


def _members_of(challenge: str) -> dict[str, str]:
    """The lines by their names, where they are the ones that a challenge has, in their order, once each."""
    pairs = [line.partition(": ") for line in challenge[:_MOST_CHARACTERS].split("\n")]
    if [name for name, _, _ in pairs] != [FORM, *_MEMBERS, ""] or not challenge.endswith("\n"):
        raise KeyNotProven(
            "This is no challenge.", found=repr(challenge[:40]), expected=f"text that begins with {FORM}", hint=_AGAIN
        )
    return {name: value for name, _, value in pairs[1:-1]}


def _lines(purpose: str, host: str, until: str, method: str) -> str:
    return f"{FORM}\npurpose: {purpose}\nhost: {host}\nuntil: {until}\nby: {method}\n"
