"""Anybody computes the status lists anew: a bit that the log does not lead to is found, wherever it was set."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from certifier.certificate.code import code_of, display_code
from certifier.certificate.proof import sign_document
from certifier.certificate.status import LIST_LENGTH, PURPOSES, entry_at, status_list_payload, status_url
from certifier.certificate.trust import Trust, TrustedKey, trust_document
from certifier.cli.status import status
from certifier.cli.telling import TellingGroup
from certifier.crypto.canonical import canonical_bytes, digest_of, to_json_text
from certifier.crypto.signing import SigningKey
from certifier.log.entry import issue_entry, log_entry, status_entry
from tests.published import AT, Files, Site, log_files, served, vkey_of

ORIGIN, NEXT = "log.example/2026", "log.example/2027"
BASE, ISSUER = "https://label.example", "did:web:label.example"
KID = f"{ISSUER}#key-2026"
KEY, STRANGER = (SigningKey.from_seed(bytes([number]) * 32) for number in (1, 2))
NOW = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)
FREEZE = log_entry("freeze", AT, reason="new_year")
A, B, C, D, E = (code_of(bytes([number] * 6)) for number in range(1, 6))
# in the revocation list, one further in the other; the last two stand in the second and the third list
POSITIONS = {A: 10, B: 20, C: 30, D: LIST_LENGTH + 40, E: 2 * LIST_LENGTH + 50}


@click.group(cls=TellingGroup)
def main() -> None:
    """The errors end here as they do in the product."""


main.add_command(status)


def payload(code: str) -> dict[str, Any]:
    places = [
        entry_at(BASE, purpose, POSITIONS[code] + offset).to_document() for offset, purpose in enumerate(PURPOSES)
    ]
    return {"id": f"{BASE}/v/{code}", "issuer": {"id": ISSUER}, "credentialStatus": places}


def issue(code: str) -> bytes:
    return issue_entry(
        code=code,
        payload_sha256=digest_of(payload(code)),
        kid=KID,
        standard="LCAL-1.0.0",
        report_sha256="ab" * 32,
        audio_sha256="cd" * 32,
        at=AT,
    )


def change(kind: Any, code: str) -> bytes:
    return status_entry(type=kind, code=code, reason="evidence", at=AT)


# B is revoked, A is suspended, C was suspended for a while.
HISTORY = [
    *map(issue, (A, B, C)),
    change("suspend", C),
    change("revoke", B),
    change("suspend", A),
    change("reinstate", C),
]


@dataclass
class Service:
    """A service that is honest until a test changes a part of it."""

    entries: list[bytes] = field(default_factory=lambda: [*HISTORY])
    older: list[bytes] | None = None
    revoked: set[int] = field(default_factory=lambda: {20})
    suspended: set[int] = field(default_factory=lambda: {11})
    more: dict[tuple[str, int], set[int]] = field(default_factory=dict)  # further lists by purpose and number
    log: str = f"{ORIGIN} at size {len(HISTORY)}"
    signer: SigningKey = KEY

    def files(self) -> Files:
        origin = ORIGIN if self.older is None else NEXT
        logs = log_files(origin, self.entries) | (log_files(ORIGIN, self.older, "/log/2026") if self.older else {})
        lists = {
            f"/status/{purpose}/1": self.status_list(purpose, positions)
            for purpose, positions in zip(PURPOSES, (self.revoked, self.suspended), strict=True)
        }
        lists |= {
            f"/status/{of}/{number}": self.status_list(of, bits, number) for (of, number), bits in self.more.items()
        }
        return logs | lists | {f"/v/{code}.vc": certificate(code) for code in POSITIONS}

    def status_list(self, purpose: str, positions: set[int], number: int = 1) -> bytes:
        url = status_url(BASE, purpose, number)
        unsigned = status_list_payload(url, purpose, positions, issuer=ISSUER, log=self.log, now=NOW)
        return canonical_bytes(sign_document(unsigned, self.signer, KID, AT))


def certificate(code: str) -> bytes:
    return canonical_bytes(sign_document(payload(code), KEY, KID, AT))


@pytest.fixture(autouse=True)
def trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The keys of the label; nothing is pinned on this machine."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    key = TrustedKey(KID, ISSUER, "issuer", KEY.public, NOW, NOW.replace(year=2027))
    file = tmp_path / "trust.json"
    trusted = Trust("demo", (key,), (vkey_of(ORIGIN), vkey_of(NEXT)), ())
    file.write_text(to_json_text(trust_document(trusted)))
    return file


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as site:
        yield site


def recompute(site: Site, *options: Any) -> Result:
    arguments = [str(option) for option in ("status", "recompute", "--server", site.url, *options)]
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_honest_lists_agree_with_the_log(site: Site, trust: Path) -> None:
    site.files = Service().files()
    result = recompute(site, "--trust", trust)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert result.stdout.splitlines() == [
        "revocation  agrees: 1 set at log size 7",
        "suspension  agrees: 1 set at log size 7",
    ]
    assert [path for path in site.asked if path.startswith("/v/")] == [f"/v/{B}.vc", f"/v/{A}.vc"]
    assert site.past_caches == [f"/status/{purpose}/{number}" for purpose in PURPOSES for number in (1, 2)]


# D stands in the second list and is revoked, E in the third and suspended.
GROWN = [*HISTORY, *map(issue, (D, E)), change("revoke", D), change("suspend", E)]
AT_GROWN = f"{ORIGIN} at size {len(GROWN)}"
BITS: dict[tuple[str, int], set[int]] = {
    ("revocation", 2): {40},
    ("suspension", 2): set(),
    ("revocation", 3): set(),
    ("suspension", 3): {51},
}


def test_every_list_that_there_is_agrees_with_the_log(site: Site, trust: Path) -> None:
    site.files = Service(entries=GROWN, more=BITS, log=AT_GROWN).files()
    result = recompute(site, "--trust", trust)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert result.stdout.splitlines() == [
        "revocation    agrees: 1 set at log size 11",
        "revocation 2  agrees: 1 set at log size 11",
        "revocation 3  agrees: 0 set at log size 11",
        "suspension    agrees: 1 set at log size 11",
        "suspension 2  agrees: 0 set at log size 11",
        "suspension 3  agrees: 1 set at log size 11",
    ]
    answer = json.loads(recompute(site, "--trust", trust, "--json").stdout)
    assert [(each["purpose"], each["number"]) for each in answer["lists"]] == [
        (purpose, number) for purpose in PURPOSES for number in (1, 2, 3)
    ]


def without(name: tuple[str, int]) -> dict[tuple[str, int], set[int]]:
    return {key: bits for key, bits in BITS.items() if key != name}


SEVERAL: dict[str, tuple[dict[tuple[str, int], set[int]], str, str]] = {
    "a bit without an entry in the second list": (
        {**BITS, ("revocation", 2): {40, 77}}, "revocation 2  DIFFERS", "does not say why: position 77",
    ),
    "a bit missing in the second list": (
        {**BITS, ("revocation", 2): set()}, "revocation 2  DIFFERS", f"not set in the list: {display_code(D)} (40)",
    ),
    "a bit in the wrong list": (
        {**BITS, ("revocation", 2): set(), ("revocation", 3): {40}}, "revocation 3  DIFFERS", "position 40",
    ),
    "a list that is hidden": (without(("suspension", 3)), "suspension 3  DIFFERS", "there is no such list"),
    "a list that ends the row too early": (without(("revocation", 2)), "revocation 2  DIFFERS", "there is no such list"),
}  # fmt: skip


@pytest.mark.parametrize(("more", "first", "second"), SEVERAL.values(), ids=SEVERAL.keys())
def test_no_list_can_hide_behind_the_first(
    site: Site, trust: Path, more: dict[tuple[str, int], set[int]], first: str, second: str
) -> None:
    site.files = Service(entries=GROWN, more=more, log=AT_GROWN).files()
    result = recompute(site, "--trust", trust)
    assert (result.exit_code, first in result.stdout, second in result.stdout) == (3, True, True), result.output


def test_one_missing_certificate_explains_one_bit_in_all_lists_together(site: Site, trust: Path) -> None:
    files = Service(entries=GROWN, more={**BITS, ("revocation", 3): {50}}, log=AT_GROWN).files()
    del files[f"/v/{D}.vc"]
    site.files = files
    result = recompute(site, "--trust", trust)
    assert result.exit_code == 3, result.output


def test_a_list_under_the_number_of_another_is_refused(site: Site, trust: Path) -> None:
    service = Service(entries=GROWN, more=BITS, log=AT_GROWN)
    site.files = service.files() | {"/status/revocation/2": service.status_list("revocation", {40}, 3)}
    result = recompute(site, "--trust", trust)
    assert (result.exit_code, "/status/revocation/2 is not the revocation list" in result.stderr) == (3, True)


def test_json_says_the_same(site: Site, trust: Path) -> None:
    site.files = Service(revoked={20, 77}).files()
    result = recompute(site, "--trust", trust, "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["agrees"]) == (3, False)
    assert [(each["purpose"], each["agrees"]) for each in answer["lists"]] == [
        ("revocation", False),
        ("suspension", True),
    ]


HONEST = {
    "an empty log": Service(entries=[], revoked=set(), suspended=set(), log=f"{ORIGIN} at size 0"),
    "a list of a moment ago": Service(
        entries=[*HISTORY, change("revoke", A)], log=f"{ORIGIN} at size {len(HISTORY)}"
    ),
    "revoked in the log of the next year": Service(
        older=[*HISTORY, FREEZE], entries=[change("revoke", C)], revoked={20, 30}, log=f"{NEXT} at size 1"
    ),
    "a list from before the new year": Service(
        older=[*HISTORY, FREEZE], entries=[change("revoke", C)], log=f"{ORIGIN} at size 8"
    ),
    "many bundles": Service(
        entries=[*HISTORY, *(log_entry("key-retire", AT, kid=f"key-{n}") for n in range(600)), change("revoke", C)],
        revoked={20, 30},
        log=f"{ORIGIN} at size 608",
    ),
}  # fmt: skip


@pytest.mark.parametrize("service", HONEST.values(), ids=HONEST.keys())
def test_every_honest_service_agrees(site: Site, trust: Path, service: Service) -> None:
    site.files = service.files()
    result = recompute(site, "--trust", trust)
    assert result.exit_code == 0, result.output


def test_a_list_that_does_not_name_its_log_means_the_newest_one(site: Site, trust: Path) -> None:
    service = Service()
    unsigned = json.loads(service.status_list("revocation", {20}))
    del unsigned["proof"]
    unsigned["description"] = "Computed from the log at size 7."
    signed = canonical_bytes(sign_document(unsigned, KEY, KID, AT))
    site.files = service.files() | {"/status/revocation/1": signed}
    assert recompute(site, "--trust", trust).exit_code == 0


EDITED = {
    "a bit was set without an entry": (
        Service(revoked={20, 77}), "revocation  DIFFERS", "set in the list, and the log does not say why: position 77",
    ),
    "a bit is missing": (
        Service(revoked=set()), "revocation  DIFFERS",
        f"revoked in the log, and not set in the list: {display_code(B)} (20)",
    ),
    "a suspension that ended is still set": (Service(suspended={11, 31}), "suspension  DIFFERS", "position 31"),
    "a bit moved to another place": (Service(revoked={21}), "revocation  DIFFERS", "position 21"),
    "a list from before a new year lacks a bit": (
        Service(older=[*HISTORY, FREEZE], entries=[], revoked=set(), log=f"{NEXT} at size 0"),
        "revocation  DIFFERS", display_code(B),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("service", "first", "second"), EDITED.values(), ids=EDITED.keys())
def test_a_list_that_the_log_does_not_lead_to_is_found(
    site: Site, trust: Path, service: Service, first: str, second: str
) -> None:
    site.files = service.files()
    result = recompute(site, "--trust", trust)
    assert (result.exit_code, first in result.stdout, second in result.stdout) == (3, True, True), result.output


def bent_certificate(files: Files) -> None:
    files[f"/v/{B}.vc"] = canonical_bytes(sign_document({**payload(B), "name": "another"}, KEY, KID, AT))


def another_s_certificate(files: Files) -> None:
    files[f"/v/{B}.vc"] = certificate(C)


def no_certificate(files: Files) -> None:
    del files[f"/v/{B}.vc"]


def no_json(files: Files) -> None:
    files[f"/v/{B}.vc"] = b"<html>"


UNKNOWN: dict[str, Callable[[Files], None]] = {
    "a certificate that does not fit its digest": bent_certificate,
    "a certificate of another code": another_s_certificate,
    "a certificate that is not served": no_certificate,
    "a certificate that cannot be read": no_json,
}


@pytest.mark.parametrize("act", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_without_the_certificate_it_cannot_be_told_where_the_bit_belongs(
    site: Site, trust: Path, act: Callable[[Files], None]
) -> None:
    site.files = Service().files()
    act(site.files)
    result = recompute(site, "--trust", trust)
    assert result.exit_code == 6, result.output
    assert "revocation  cannot tell" in result.stdout
    assert f"cannot be had or does not fit the log: {display_code(B)}" in result.stdout
    assert "suspension  agrees" in result.stdout


def test_a_missing_certificate_explains_one_bit_and_no_more(site: Site, trust: Path) -> None:
    site.files = Service(revoked={20, 77}).files()
    no_certificate(site.files)
    assert recompute(site, "--trust", trust).exit_code == 3


GAPS = {
    "an older log that is not served": (Service(older=[], entries=HISTORY, log=f"{NEXT} at size 7"), "is not served"),
    "an older log that is not closed": (
        Service(older=HISTORY[:4], entries=HISTORY, log=f"{NEXT} at size 7"), "does not end in a freeze entry",
    ),
    "a list of a size that the log has not reached": (Service(log=f"{ORIGIN} at size 8"), "at hand up to size 7"),
    "a list of a log that nobody knows": (Service(log="elsewhere.example/2026 at size 7"), "at hand up to size 0"),
    "an entry of another version": (
        Service(entries=[*HISTORY, b'{"v":"lcal-log/2"}'], log=f"{ORIGIN} at size 8"), "does not know",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("service", "says"), GAPS.values(), ids=GAPS.keys())
def test_what_is_not_at_hand_is_never_called_an_agreement(site: Site, trust: Path, service: Service, says: str) -> None:
    site.files = service.files()
    result = recompute(site, "--trust", trust)
    assert (result.exit_code, says in result.stdout) == (6, True), result.output


def flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


WRONG = {
    "a log of other entries": ({"/log/tile/entries/000.p/7": flipped}, "contradicts its hash tile"),
    "a checkpoint by another key": ({"/log/checkpoint": lambda note: note.replace(b"2026 ", b"2025 ")}, "known log"),
    "a list that was edited": (
        {"/status/revocation/1": lambda raw: raw.replace(b"log.example/2026 at", b"log.example/2027 at")}, "signature",
    ),
    "a list of another purpose": (
        {"/status/revocation/1": lambda _: Service().status_list("suspension", {11})}, "is not the revocation list",
    ),
    "a list by a stranger": (
        {"/status/revocation/1": lambda _: Service(signer=STRANGER).status_list("revocation", {20})}, "signature",
    ),
    "a list that names no size": (
        {"/status/revocation/1": lambda _: Service(log=ORIGIN).status_list("revocation", {20})}, "at which size",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "says"), WRONG.values(), ids=WRONG.keys())
def test_a_log_or_a_list_that_is_not_the_label_s_is_refused(
    site: Site, trust: Path, changes: dict[str, Callable[[bytes], bytes]], says: str
) -> None:
    site.files = Service().files()
    for path, act in changes.items():
        site.files[path] = act(site.files[path])
    result = recompute(site, "--trust", trust)
    assert (result.exit_code, says in result.stderr, result.stdout) == (3, True, ""), result.output


def test_a_log_key_alone_is_enough_for_the_bits_and_it_says_what_is_not_checked(site: Site) -> None:
    site.files = Service(signer=STRANGER).files()
    result = recompute(site, "--vkey", vkey_of(ORIGIN).to_text())
    assert (result.exit_code, "signatures of the lists are not checked" in result.stderr) == (0, True), result.output


def test_a_log_key_alone_does_not_hide_the_log_before_it(site: Site, trust: Path) -> None:
    service = Service(older=[*HISTORY, FREEZE], entries=[], log=f"{NEXT} at size 0")
    site.files = service.files() | {"/trust.json": trust.read_bytes()}
    one = recompute(site, "--vkey", vkey_of(NEXT).to_text())
    assert (one.exit_code, f"the key of the older log {ORIGIN} was not named" in one.stdout) == (6, True), one.output
    both = recompute(site, "--vkey", vkey_of(ORIGIN).to_text(), "--vkey", vkey_of(NEXT).to_text())
    assert both.exit_code == 0, both.output


def test_without_a_key_there_is_nothing_to_compare_with(site: Site) -> None:
    result = recompute(site)
    assert (result.exit_code, "--vkey or --trust" in result.stderr, site.asked) == (2, True, [])


AWAY = {"the service has a fault": 500, "there is no such service": 404}


@pytest.mark.parametrize("code", AWAY.values(), ids=AWAY.keys())
def test_a_service_that_gives_no_answer_is_neither_right_nor_wrong(site: Site, trust: Path, code: int) -> None:
    site.status = code
    assert recompute(site, "--trust", trust).exit_code == 5


def test_a_network_that_is_down_is_neither_right_nor_wrong(trust: Path) -> None:
    assert recompute(Site("http://127.0.0.1:9"), "--trust", trust).exit_code == 5
