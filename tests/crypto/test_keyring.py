"""The register: who owns which key and when; what became of a key is said once more, never changed and never forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from certifier.crypto.keyring import Keyring, parse_keyring
from certifier.crypto.signing import SigningKey
from certifier.errors import OperatorError

KEY, OTHER = (SigningKey.from_seed(seed * 32).public for seed in (b"k", b"o"))
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
MIDDLE = datetime(2028, 1, 1, tzinfo=UTC)


def entry(key_id: str = "key-2026", role: str = "issuer", key: str = KEY.did_key, more: str = "") -> str:
    return (
        f'[[keys]]\nid = "{key_id}"\nowner = "label"\nname = "Example"\nrole = "{role}"\nkey = "{key}"\n'
        f"from = 2026-01-01T00:00:00Z\nuntil = 2031-01-01T00:00:00Z\n{more}"
    )


RETIRED = '[[retired]]\nid = "key-2026"\nat = 2028-01-01T00:00:00Z\n'
STOLEN = (
    '[[compromised]]\nid = "key-2026"\nat = 2029-01-01T00:00:00Z\nlog = "label.example/2026"\nlast_good_index = 41\n'
)


def keyring(*texts: str) -> Keyring:
    return parse_keyring({f"{number}.toml": text for number, text in enumerate(texts)})


STATES = {
    "before its first day it is not in force yet": ((), START - timedelta(seconds=1), "not_yet"),
    "from its first moment on it is in force": ((), START, "in_force"),
    "at its last moment it is still in force": ((), END, "in_force"),
    "after its last moment it has ended": ((), END + timedelta(seconds=1), "ended"),
    "once retired it is retired at once": ((RETIRED,), START, "retired"),
    "once stolen it is stolen for all times": ((STOLEN,), START, "compromised"),
    "theft weighs more than retirement": ((RETIRED, STOLEN), END + timedelta(days=1), "compromised"),
}


@pytest.mark.parametrize(("facts", "moment", "state"), STATES.values(), ids=STATES.keys())
def test_the_state_of_a_key(facts: tuple[str, ...], moment: datetime, state: str) -> None:
    found = keyring(entry(), *facts).named("key-2026")
    assert found is not None
    assert found.state(moment) == state


def test_a_retired_key_ends_at_its_retirement_and_a_stolen_one_at_the_theft() -> None:
    retired, stolen = keyring(entry(), RETIRED).keys[0], keyring(entry(), STOLEN).keys[0]
    assert (retired.valid_until, retired.retired_at, retired.compromise) == (MIDDLE, MIDDLE, None)
    assert stolen.valid_until == datetime(2029, 1, 1, tzinfo=UTC)
    assert stolen.compromise is not None
    assert (stolen.compromise.log, stolen.compromise.last_good_index) == ("label.example/2026", 41)
    assert keyring(entry(), RETIRED, STOLEN).keys[0].valid_until == MIDDLE


def test_a_retirement_does_not_prolong_a_key() -> None:
    late = RETIRED.replace("2028", "2040")
    assert keyring(entry(), late).keys[0].valid_until == END


def test_what_became_of_a_key_may_stand_in_the_same_file() -> None:
    assert keyring(entry() + RETIRED).keys[0].retired_at == MIDDLE


def test_a_tool_is_a_measuring_party() -> None:
    assert keyring(entry(role="tool")).with_role("measuring_party")[0].id == "key-2026"


BAD = {
    "a retirement of a key that is not listed": ((RETIRED,), "does not list it"),
    "a theft of a key that is not listed": ((entry("key-2027"), STOLEN), "does not list it"),
    "two retirements of one key": ((entry(), RETIRED, RETIRED), "twice"),
    "two thefts of one key": ((entry(), STOLEN, STOLEN), "twice"),
    "a theft without a log": ((entry(), STOLEN.replace('log = "label.example/2026"\n', "")), "log"),
    "an index below -1": ((entry(), STOLEN.replace("41", "-2")), "last_good_index"),
    "a retirement inside the entry": ((entry(more="retired_at = 2028-01-01T00:00:00Z\n"),), "retired_at"),
    "an unknown role": ((entry(role="king"),), "role"),
    "a time without a zone": ((entry().replace("00Z", "00"),), "timezone"),
    "one key under two ids": ((entry(), entry("key-2027")), "twice"),
    "one id for two keys": ((entry(), entry(key=OTHER.did_key)), "twice"),
}


@pytest.mark.parametrize(("texts", "named"), BAD.values(), ids=BAD.keys())
def test_a_register_that_contradicts_itself_is_refused(texts: tuple[str, ...], named: str) -> None:
    with pytest.raises(OperatorError) as caught:
        keyring(*texts)
    assert named in caught.value.message
