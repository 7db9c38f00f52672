"""Places in the status lists: random, never twice, and the next list begins when many tries in a row find nothing free."""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from certifier.certificate.status import LIST_LENGTH, MOST_LISTS, PURPOSES, open_status_list, status_entries_of
from certifier.certificate.verify import check_certificate
from certifier.crypto.strict_json import parse_object
from certifier.errors import NotFoundError, OperatorError, ReadOnlyError
from certifier.service.certifier import Certifier
from certifier.service.fsck import check_installation
from certifier.service.places import TRIES, Places
from certifier.web.app import create_app
from tests.studio import NOW, Studio


class Register:
    """What `Places` asks a store: which places certificates have."""

    def __init__(self, revocation: Iterable[int] = (), suspension: Iterable[int] = ()) -> None:
        self.taken = {"revocation": set(revocation), "suspension": set(suspension)}
        self.asked = 0
        self._last = max((place for places in self.taken.values() for place in places), default=None)

    def last_place(self) -> int | None:
        return self._last

    def is_taken(self, code: str, revocation_index: int, suspension_index: int) -> bool:
        self.asked += 1
        return revocation_index in self.taken["revocation"] or suspension_index in self.taken["suspension"]

    def take(self, places: dict[str, int]) -> None:
        for purpose, place in places.items():
            assert place not in self.taken[purpose]
            self.taken[purpose].add(place)
        self._last = max(self._last or 0, *places.values())


def places_of(register: Register, seed: int = 1) -> Places:
    return Places(register, random.Random(seed).randbytes)  # type: ignore[arg-type]


def some(fill: float, seed: int) -> list[int]:
    return random.Random(seed).sample(range(LIST_LENGTH), int(fill * LIST_LENGTH))


def chi_squared(counts: list[int]) -> float:
    expected = sum(counts) / len(counts)
    return sum((count - expected) ** 2 / expected for count in counts)


def test_positions_are_spread_evenly_and_both_purposes_apart() -> None:
    """Chi-squared with 127 degrees of freedom: 185 is passed by chance once in two thousand times; the seed is fixed."""
    places = places_of(Register())
    found = [places.free()[1] for _ in range(20_000)]
    for purpose in PURPOSES:
        buckets = Counter(each[purpose] * 128 // LIST_LENGTH for each in found)
        assert chi_squared([buckets[number] for number in range(128)]) < 185
    together = Counter((each["revocation"] // 8192, each["suspension"] // 8192) for each in found)
    assert chi_squared([together[row, column] for row in range(16) for column in range(16)]) < 340  # 255 degrees
    following = Counter((a["revocation"] // 8192, b["revocation"] // 8192) for a, b in pairwise(found))
    assert chi_squared([following[row, column] for row in range(16) for column in range(16)]) < 340


def test_a_list_is_about_half_full_when_the_next_one_begins() -> None:
    register = Register()
    places = places_of(register)
    for _ in range(LIST_LENGTH):
        if places.lists() == 2:
            break
        register.take(places.free()[1])
    full = len(register.taken["revocation"]) / LIST_LENGTH
    assert 0.45 < full < 0.6, full
    asked = register.asked
    for _ in range(100):
        register.take(places.free()[1])
    assert {place // LIST_LENGTH for place in sorted(register.taken["revocation"])[-100:]} == {1}
    assert register.asked == asked + 100


FILLS = {"empty": (0.0, 1.0), "a tenth": (0.1, 1.3), "nearly as full as it gets": (0.5, 4.5)}


@pytest.mark.parametrize(("fill", "most"), FILLS.values(), ids=FILLS.keys())
def test_finding_a_place_stays_cheap(fill: float, most: float) -> None:
    """Questions to the database for each certificate, on average; 32 at most and then one in the next list."""
    register = Register(some(fill, seed=1), some(fill, seed=2))
    places = places_of(register)
    for _ in range(500):
        places.free()
    assert register.asked <= 500 * most


def test_a_full_list_costs_its_tries_once_and_both_purposes_stay_in_one_list() -> None:
    register = Register(range(LIST_LENGTH))
    code, found = places_of(register).free()
    assert (len(code), {place // LIST_LENGTH for place in found.values()}) == (10, {1})
    assert register.asked == TRIES + 1


def test_there_is_an_end_and_it_is_told() -> None:
    last = MOST_LISTS * LIST_LENGTH
    register = Register(range(last - LIST_LENGTH, last))
    assert places_of(register).lists() == MOST_LISTS
    with pytest.raises(OperatorError, match="full"):
        places_of(register).free()


# -- a real installation ----------------------------------------------------------------------------------------------


@pytest.fixture
def certifier(studio: Studio) -> Iterator[Certifier]:
    certifier = studio.certifier()
    yield certifier
    certifier.close()


class Stubborn:
    """Chance that offers the same place again and again, so that each certificate needs a list of its own."""

    def __call__(self, size: int) -> bytes:
        return b"same" if size == 4 else secrets.token_bytes(size)


@pytest.fixture
def three(studio: Studio, certifier: Certifier) -> list[str]:
    """The codes of three certificates, one in each of three lists."""
    certifier._places._randomness = Stubborn()
    issued = [certifier.certify(studio.examined(number), NOW) for number in (1, 2, 3)]
    return [answer.certificate.code for answer in issued]  # type: ignore[union-attr]


def numbers_of(certifier: Certifier, code: str) -> set[int]:
    return {entry.number for entry in status_entries_of(parse_object(certifier.certificate(code).payload))}


def test_the_next_list_is_named_in_the_certificate_and_served(certifier: Certifier, three: list[str]) -> None:
    assert [numbers_of(certifier, code) for code in three] == [{1}, {2}, {3}]
    certifier.change_status(three[1], "revoke", "misuse", NOW)
    certifier.change_status(three[2], "suspend", "evidence", NOW)
    trust = certifier.published.trust_at(NOW)
    set_in = {
        (purpose, number)
        for purpose, number in certifier.published.status_urls().values()
        if open_status_list(certifier.published.status_list(purpose, number, NOW), trust).positions
    }
    assert set_in == {("revocation", 2), ("suspension", 3)}
    lifecycles = []
    for code in three:
        row = certifier.certificate(code)
        checked = check_certificate(row.document or b"", certifier.published.material(row, NOW), NOW)
        lifecycles.append(checked.axes["lifecycle"])
    assert lifecycles == ["active", "revoked", "suspended"]


def test_a_list_is_there_once_a_certificate_is_in_it(studio: Studio, certifier: Certifier) -> None:
    client = create_app(certifier, lambda: NOW).test_client()
    certifier._places._randomness = Stubborn()
    for last in (1, 2):
        certifier.certify(studio.examined(last), NOW)
        found = [client.get(f"/status/suspension/{number}").status_code for number in (1, 2, 3)]
        assert found == [200] * last + [404] * (3 - last)
        with pytest.raises(NotFoundError, match="no such status list"):
            certifier.published.status_list("suspension", last + 1, NOW)


def test_only_certificates_that_the_log_changed_are_read_and_each_once(
    certifier: Certifier, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    certificates_of = certifier.store.certificates_of

    def noted(codes: Any) -> Any:
        read.extend(codes)
        return certificates_of(codes)

    monkeypatch.setattr(certifier.store, "certificates_of", noted)
    for code, kind in ((three[0], "suspend"), (three[2], "revoke"), (three[0], "reinstate"), (three[0], "revoke")):
        certifier.change_status(code, kind, "evidence", NOW)  # type: ignore[arg-type]
        for purpose, number in certifier.published.status_urls().values():
            certifier.published.status_list(purpose, number, NOW)
    assert sorted(read) == sorted([three[0], three[2]])


def test_a_withdrawn_certificate_that_is_lost_silences_every_list(certifier: Certifier, three: list[str]) -> None:
    certifier.change_status(three[1], "revoke", "misuse", NOW)
    certifier.store.certificates_of = lambda codes: []  # type: ignore[method-assign]
    with pytest.raises(ReadOnlyError, match="lost here"):
        certifier.published.status_list("suspension", 3, NOW)


def test_fsck_knows_places_in_every_list(certifier: Certifier, three: list[str]) -> None:
    findings = check_installation(certifier.store, list(certifier.logbooks), certifier.keyring, certifier.settings.did)
    assert list(findings) == []
