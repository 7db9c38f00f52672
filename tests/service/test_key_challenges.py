"""A key is shown to be somebody's by a signature of this minute, for this host and purpose, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from certifier.errors import KeyNotProven, MalformedKey
from certifier.service.certifier import Certifier
from certifier.service.key_challenges import MY_TRACKS, challenge_at, check_proof
from tests.studio import APPLICANT, NOW, STRANGER, Studio


@pytest.fixture(scope="module")
def certifier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certifier]:
    made = Studio(tmp_path_factory.mktemp("challenges")).certifier()
    yield made
    made.close()


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certifier]:
    """Another installation, at another address."""
    made = Studio(tmp_path_factory.mktemp("other")).certifier(base_url="https://other.example")
    yield made
    made.close()


def challenge_of(certifier: Certifier, purpose: str = MY_TRACKS) -> str:
    return challenge_at(certifier.settings, certifier.own_keys, purpose, NOW)


def proven(certifier: Certifier, challenge: str, signature: str, seconds: float = 0, key: str = "") -> str:
    found = check_proof(
        certifier.settings,
        certifier.own_keys,
        MY_TRACKS,
        key=key or APPLICANT.public.did_key,
        challenge=challenge,
        signature=signature,
        now=NOW + timedelta(seconds=seconds),
    )
    return found.did_key


def signed(challenge: str) -> str:
    return APPLICANT.sign(challenge.encode()).hex()


def test_a_signature_of_this_minute_shows_whose_key_it_is(certifier: Certifier) -> None:
    challenge = challenge_of(certifier)
    assert proven(certifier, challenge, signed(challenge)) == APPLICANT.public.did_key
    assert proven(certifier, challenge, signed(challenge), seconds=300) == APPLICANT.public.did_key
    assert "host: label.example\n" in challenge


def test_every_replica_takes_the_challenges_of_the_others(certifier: Certifier) -> None:
    challenge = challenge_of(certifier)
    replica = Studio.__new__(Studio)
    replica.settings = certifier.settings
    again = replica.certifier()
    assert proven(again, challenge, signed(challenge)) == APPLICANT.public.did_key
    again.close()


def swapped(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


# what is done to the challenge before it is signed, seconds later, what is said
WRONG = {
    "too late": (lambda text: text, 301, "has run out"),
    "made for another host": (swapped("label.example\n", "other.example\n"), 0, "for something else"),
    "made for another purpose": (swapped("my-tracks", "my-money"), 0, "for something else"),
    "made to last longer": (swapped("12:05:00Z", "23:05:00Z"), 0, "was not made here"),
    "sealed by another key": (
        swapped("by: did:web:label.example#", "by: did:web:label.example#x"),
        0,
        "was not made here",
    ),
    "without its seal": (lambda text: text.partition("seal: ")[0], 0, "is no challenge"),
    "with a line more": (lambda text: f"{text}note: hello\n", 0, "is no challenge"),
    "with no hexadecimal seal": (lambda text: f"{text.partition('seal: ')[0]}seal: zz\n", 0, "was not made here"),
    "something else": (lambda text: "DSSEv1 28 application", 0, "is no challenge"),
    "nothing": (lambda text: "", 0, "is no challenge"),
}


@pytest.mark.parametrize(("change", "seconds", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_challenge_that_is_not_of_this_minute_place_and_purpose_proves_nothing(
    certifier: Certifier, change: Callable[[str], str], seconds: float, said: str
) -> None:
    challenge = change(challenge_of(certifier))
    with pytest.raises(KeyNotProven, match=said):
        proven(certifier, challenge, signed(challenge), seconds)


def test_a_challenge_of_another_installation_proves_nothing_here(certifier: Certifier, other: Certifier) -> None:
    challenge = challenge_of(other)
    with pytest.raises(KeyNotProven, match="for something else"):
        proven(certifier, challenge, signed(challenge))
    forged = challenge.replace("other.example", "label.example")
    with pytest.raises(KeyNotProven, match="was not made here"):
        proven(certifier, forged, signed(forged))


def test_a_signature_by_another_key_or_over_other_bytes_proves_nothing(certifier: Certifier) -> None:
    challenge = challenge_of(certifier)
    for signature in (STRANGER.sign(challenge.encode()).hex(), signed(challenge.strip()), "00" * 64, "zz" * 64, ""):
        with pytest.raises(KeyNotProven, match="does not fit"):
            proven(certifier, challenge, signature)
    with pytest.raises(MalformedKey):
        proven(certifier, challenge, signed(challenge), key="did:web:label.example")
