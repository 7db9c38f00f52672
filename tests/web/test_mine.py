"""The key is the account: whoever has it sees everything that was submitted with it, and nobody else sees anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from certifier.cli.main import main
from certifier.crypto.signing import SigningKey
from certifier.web.app import create_app
from tests.studio import APPLICANT, PARTY, STRANGER
from tests.web.browsing import opened, served
from tests.web.conftest import LATER
from tests.web.outcomes import Outcomes


@pytest.fixture(scope="module")
def client(outcomes: Outcomes) -> FlaskClient:
    return create_app(outcomes.certifier, lambda: LATER).test_client()


@pytest.fixture(scope="module")
def address(client: FlaskClient) -> Iterator[str]:
    yield from served(client.application)


def asked(client: FlaskClient, signer: SigningKey, **changes: Any) -> Any:
    challenge = client.get("/api/v1/key-challenges").json["challenge"]
    body = {"key": signer.public.did_key, "challenge": challenge, "signature": signer.sign(challenge.encode()).hex()}
    return client.post("/api/v1/my-tracks", json=body | changes)


def test_a_key_shows_all_that_was_submitted_with_it(client: FlaskClient, outcomes: Outcomes) -> None:
    answer = asked(client, APPLICANT)
    assert answer.headers["Cache-Control"] == "private, no-store"
    items = {item["id"]: item for item in answer.json["items"]}
    assert set(items) == {answer.submission_id for answer in outcomes.answers.values()}
    good, refused, ended = (items[outcomes.answers[name].submission_id] for name in ("class_1", "above", "withdrawn"))
    assert (good["outcome"], good["certificate_state"], good["expires_at"][:10]) == ("class-1", "active", "2029-11-01")
    assert good["renewal_window"]["start"][:10] == "2029-08-03"
    assert good["links"]["kit"] == f"/v/{outcomes.codes['class_1']}/kit"
    assert (refused["state"], refused["code"], refused["links"]["certificate"]) == ("refused", None, None)
    assert (ended["certificate_state"], ended["links"]["kit"], ended["renewal_window"]) == ("revoked", None, None)
    for item in items.values():
        for path in filter(None, item["links"].values()):
            assert client.get(path).status_code == 200, path


def test_a_key_of_nobody_looks_like_one_that_signed_beside_an_applicant(client: FlaskClient) -> None:
    """A measuring party's key shows nothing of the reports that it signed for others."""
    answers = [asked(client, key) for key in (STRANGER, PARTY)]
    assert [(answer.status_code, answer.json["items"], answer.json["more"]) for answer in answers] == [
        (200, [], False)
    ] * 2


REFUSED = {
    "another's key": ({"key": STRANGER.public.did_key}, 403, "key-not-proven"),
    "another's signature": ({"signature": "00" * 64}, 403, "key-not-proven"),
    "a challenge of one's own": ({"challenge": "lcal-key-challenge/1\n"}, 403, "key-not-proven"),
    "no key": ({"key": "z6Mk"}, 422, "key-malformed"),
    "no signature": ({"signature": ""}, 400, "parameter-invalid"),
    "something more": ({"also": 1}, 400, "parameter-invalid"),
}


@pytest.mark.parametrize(("changes", "status", "slug"), REFUSED.values(), ids=REFUSED.keys())
def test_without_a_proof_nobody_learns_anything(
    client: FlaskClient, changes: dict[str, Any], status: int, slug: str
) -> None:
    answer = asked(client, APPLICANT, **changes)
    assert (answer.status_code, answer.json["type"].rpartition("/")[2]) == (status, slug)
    assert "example" not in json.dumps(answer.json.get("errors", [])).replace("label.example", "")


def test_a_challenge_is_the_same_for_all_who_ask_in_a_minute(client: FlaskClient) -> None:
    first, second = (client.get("/api/v1/key-challenges") for _ in range(2))
    assert first.json == second.json
    assert first.headers["Cache-Control"] == "private, no-store"
    assert first.json["host"] == "label.example"


def pem_of(key: SigningKey, folder: Path, passphrase: bytes | None = None) -> Path:
    file = folder / "key.pem"
    file.write_bytes(key.to_pem(passphrase))
    return file


def listed(page: Page) -> list[str]:
    expect(page.locator("#tracks")).to_be_visible()
    return page.locator(".mine-tracks tbody th a").all_inner_texts()


def test_a_key_file_shows_its_tracks_and_stays_on_the_machine(
    browser: Browser, address: str, outcomes: Outcomes, tmp_path: Path
) -> None:
    page = opened(browser, address)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
    page.goto("/mine")
    page.set_input_files("#key-file", pem_of(APPLICANT, tmp_path))
    assert len(listed(page)) == len(outcomes.answers)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert "Low-Carbon Audio, class 1" in page.inner_text("#tracks")
    assert "Withdrawn" in page.inner_text("#tracks")
    assert page.evaluate("document.activeElement.id") == "tracks-head"
    secret = (tmp_path / "key.pem").read_text().splitlines()[1]
    assert not [text for text in sent if secret[:20] in text]
    assert all(text.startswith(address) for text in sent)
    page.context.close()


def test_the_key_that_this_browser_keeps_is_used_at_a_press(
    browser: Browser, address: str, outcomes: Outcomes, tmp_path: Path
) -> None:
    page = opened(browser, address, 1280)
    page.goto("/mine")
    expect(page.locator("#kept")).to_have_text("This browser keeps no key. Choose the key file that you saved.")
    expect(page.get_by_role("button", name="Show my tracks")).to_be_hidden()
    script = page.locator("script[src$='mine.js']").get_attribute("src") or ""
    keep = (
        "async ([address, pem]) => { const own = await import(address); await own.keepKey(await own.keyOfPem(pem)); }"
    )
    page.evaluate(keep, [script.replace("mine.js", "applicant-key.js"), pem_of(APPLICANT, tmp_path).read_text()])
    page.reload()
    expect(page.locator("#kept")).to_contain_text(APPLICANT.public.did_key)
    page.get_by_role("button", name="Show my tracks").press("Enter")
    assert len(listed(page)) == len(outcomes.answers)
    page.context.close()


def test_what_cannot_be_used_is_told_beside_the_field(browser: Browser, address: str, tmp_path: Path) -> None:
    page = opened(browser, address)
    page.goto("/mine")
    page.set_input_files("#key-file", pem_of(APPLICANT, tmp_path, b"a passphrase"))
    expect(page.locator("#key-said")).to_contain_text("is encrypted")
    (tmp_path / "no.pem").write_text("hello")
    page.set_input_files("#key-file", tmp_path / "no.pem")
    expect(page.locator("#key-said")).to_contain_text("holds no private key")
    page.set_input_files("#key-file", pem_of(STRANGER, tmp_path))
    expect(page.locator("#tracks-head")).to_have_text("Nothing was submitted with this key yet")
    expect(page.locator("#tracks")).to_contain_text(STRANGER.public.did_key)
    expect(page.get_by_role("heading", name="Nothing submitted yet?")).to_be_visible()
    page.context.close()


def test_a_question_of_another_kind_is_never_signed(browser: Browser, address: str, tmp_path: Path) -> None:
    page = opened(browser, address)
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    page.route("**/api/v1/key-challenges", lambda route: route.fulfill(json={"challenge": "DSSEv1 28 application/vnd"}))
    page.goto("/mine")
    page.set_input_files("#key-file", pem_of(APPLICANT, tmp_path))
    expect(page.locator("#key-said")).to_contain_text("nothing was signed")
    assert not [url for url in asked_for if url.endswith("my-tracks")]
    page.context.close()


def test_without_script_the_page_names_the_command(browser: Browser, address: str) -> None:
    page = opened(browser, address, java_script_enabled=False)
    page.goto("/mine")
    expect(page.get_by_text("certifier mine --key")).to_be_visible()
    expect(page.locator("#own")).to_be_hidden()
    page.context.close()


def test_the_command_lists_the_same(address: str, outcomes: Outcomes, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    file = pem_of(APPLICANT, tmp_path)
    file.chmod(0o600)
    told = CliRunner().invoke(main, ["mine", "--key", str(file), "--server", address, "--json"])
    assert told.exit_code == 0
    own = told.stdout[told.stdout.index("{") :]  # the service logs in this process, too
    assert len(json.loads(own)["items"]) == len(outcomes.answers)
    lines = CliRunner().invoke(main, ["mine", "--key", str(file), "--server", address]).stdout
    assert f"{len(outcomes.answers)} submissions with the key {APPLICANT.public.did_key}" in lines
    assert "renew from 2029-08-03" in lines
