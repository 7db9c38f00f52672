"""A sandbox has one certificate for each state, under codes that never change, and stays as sound as any installation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from certifier.certificate.code import ALPHABET, code_of, parse_code, randomness_for
from certifier.certificate.status import open_status_list
from certifier.cli.main import main
from certifier.errors import MalformedCode, SandboxOnly
from certifier.service.certifier import Certifier
from certifier.service.fsck import check_installation
from certifier.service.home import log_standard, make_home, open_certifier
from certifier.service.sandbox import DEMO_CODES, MISTYPED_CODE, UNKNOWN_CODE
from certifier.service.sandbox_fill import EXAMPLES, Filled, fill_sandbox
from certifier.settings import Settings
from certifier.web.app import create_app
from certifier.web.records import record_of
from certifier.web.site import Site


def now() -> datetime:
    """The clock's: a log takes nothing from before its newest entry."""
    return datetime.now(UTC)


class Interrupted(Exception):
    """A run that is ended between two examples."""


def ended_after(told: list[Filled], most: int) -> Callable[[Filled], None]:
    """Keeps what it is told, and ends the run after so many."""

    def tell(filled: Filled) -> None:
        told.append(filled)
        if len(told) == most:
            raise Interrupted

    return tell


@pytest.fixture(scope="module")
def settings(filled_sandbox: Settings) -> Settings:
    return filled_sandbox


@pytest.fixture(scope="module")
def certifier(settings: Settings) -> Iterator[Certifier]:
    opened = open_certifier(settings, now())
    yield opened
    opened.close()


# state of the sandbox -> (state that people see, outcome, evidence level, verdict)
SEEN = {
    "class-1": ("active", "class-1", "A2", "valid"),
    "class-2": ("active", "class-2", "A1", "valid"),
    "measured": ("active", "measured", "A1", "valid"),
    "statement": ("active", "disclosed", "A0", "valid"),
    "suspended": ("suspended", "class-2", "A1", "not_valid"),
    "revoked": ("revoked", "class-2", "A1", "not_valid"),
    "superseded": ("superseded", "class-2", "A1", "not_valid"),
    "successor": ("active", "class-2", "A1", "valid"),
    "expired": ("expired", "class-2", "A1", "not_valid"),
}


@pytest.mark.parametrize("state", SEEN)
def test_each_code_leads_to_its_state(certifier: Certifier, state: str) -> None:
    record = record_of(Site(certifier, now), DEMO_CODES[state], now())
    assert record.claims
    basis = record.claims.basis
    assert (record.state, record.claims.outcome, basis.evidence_level, record.verification.verdict) == SEEN[state]
    assert record.claims.subject.title.startswith("Example Song")


def test_the_broken_one_shows_nothing_and_its_harm_is_one_byte(certifier: Certifier) -> None:
    record = record_of(Site(certifier, now), DEMO_CODES["broken"], now())
    assert (record.state, record.claims, record.verification.axes["integrity"]) == ("unreliable", None, "broken")
    findings = list(
        check_installation(certifier.store, list(certifier.logbooks), certifier.keyring, certifier.settings.did)
    )
    assert [finding.place for finding in findings] == [f"certificate {DEMO_CODES['broken']}"]


def test_the_superseded_one_names_its_successor(certifier: Certifier) -> None:
    (change,) = certifier.published.changes_of(DEMO_CODES["superseded"])
    assert (change.reason, change.replaced_by) == ("superseded", DEMO_CODES["successor"])


def test_the_rest_of_the_installation_is_sound(certifier: Certifier) -> None:
    client = create_app(certifier, now).test_client()
    assert client.get("/readyz").json["ready"] is True
    assert certifier.published.pack(now())
    for purpose, states in (("revocation", {"revoked", "superseded"}), ("suspension", {"suspended"})):
        served = open_status_list(client.get(f"/status/{purpose}/1").data, certifier.published.trust_at(now()))
        rows = {state: certifier.certificate(DEMO_CODES[state]) for state in states}
        assert served.positions == {getattr(row, f"{purpose}_index") for row in rows.values()}


def test_all_codes_begin_with_t_and_the_last_two_lead_nowhere(certifier: Certifier) -> None:
    client = create_app(certifier, now).test_client()
    assert all(code.startswith("T") and parse_code(code) == code for code in (*DEMO_CODES.values(), UNKNOWN_CODE))
    assert client.get(f"/v/{UNKNOWN_CODE}").status_code == 404
    with pytest.raises(MalformedCode, match="typing error"):
        parse_code(MISTYPED_CODE)
    assert client.get(f"/v/{MISTYPED_CODE}").status_code == 400


def test_any_nine_symbols_can_be_drawn() -> None:
    for symbols in (ALPHABET[:9], ALPHABET[-9:], "TACT00001"):
        assert code_of(randomness_for(symbols))[:9] == symbols


def test_a_second_run_changes_nothing(settings: Settings, certifier: Certifier) -> None:
    size, documents = certifier.logbook.head.size, [row.document for row in certifier.store.all_certificates()]
    done = CliRunner().invoke(main, ["sandbox", "fill", "--home", str(settings.home), "--json"])
    told = json.loads(done.stdout)
    assert {one["state"]: one["done"] for one in told["examples"]} == dict.fromkeys(EXAMPLES, "there")
    assert told["not_issued"] == {"unknown": UNKNOWN_CODE, "mistyped": MISTYPED_CODE}
    assert [row.document for row in certifier.store.all_certificates()] == documents
    with closing(open_certifier(settings, now())) as again:
        assert again.logbook.head.size == size


def test_production_has_no_examples(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SandboxOnly):
        fill_sandbox(replace(settings, environment="production"), now())
    monkeypatch.setenv("LCAL_ENVIRONMENT", "production")
    refused = CliRunner().invoke(main, ["sandbox", "fill", "--home", str(settings.home)])
    assert refused.exit_code == 3
    assert "environment production" in refused.stderr


def test_a_log_that_goes_on_takes_no_expired_one_and_a_run_goes_on_where_another_ended(tmp_path: Path) -> None:
    used = Settings(home=tmp_path / "used")
    make_home(used, now())
    assert log_standard(used, "LCAL-0.0.1", "0" * 64, now())
    done = ("left out", "made"), ("left out", "there", "made")
    for expected in done:
        told: list[Filled] = []
        with pytest.raises(Interrupted):
            fill_sandbox(used, now(), ended_after(told, len(expected)))
        assert [(filled.state, filled.done) for filled in told] == list(
            zip(("expired", "class-1", "class-2"), expected, strict=False)
        )
        assert "only a new home" in told[0].why
