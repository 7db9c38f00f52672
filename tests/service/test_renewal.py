"""What the holder of a certificate is told about its end and about new versions of the standard."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from certifier.certificate.credential import parse_claims
from certifier.certificate.times import parse_time, time_text
from certifier.crypto.strict_json import parse_object
from certifier.service.home import register_key
from certifier.service.renewal import renewal_info
from certifier.service.simulate import simulate
from certifier.service.statements import bounds_of, register_statement
from certifier.web.app import create_app
from tests.service.test_shelf import FIRST, NEXT, next_version
from tests.standard.world import standard
from tests.statements import SERVICE, signed_statement
from tests.studio import APPLICANT, NOW, PARTY, VERIFIER, Studio

ALL = (APPLICANT, PARTY, VERIFIER)


@pytest.fixture
def studio(tmp_path):
    studio = Studio(tmp_path)
    next_version(tmp_path / "standards", class_1="0.50")
    head = tmp_path / "standards/lcal/1.1.0/standard.toml"
    head.write_text(
        head.read_text().replace("class_2 = 30.00", "class_2 = 1.00").replace("class_2 = 15.00", "class_2 = 0.60")
    )
    studio.settings = replace(studio.settings, standards_dir=tmp_path / "standards")
    return studio


def certified(certifier, studio, number=1, **changes):
    return certifier.certify(studio.examined(number, ALL, standard=FIRST, **changes), NOW).certificate


def test_a_preview_says_what_a_newer_version_would_make_of_the_track(studio):
    certifier = studio.certifier(standards="lcal/1.0.0 lcal/1.1.0")
    row = certified(certifier, studio)
    info = renewal_info(certifier, row.code, NOW)
    assert (info.outcome, info.reason, info.standard_state) == ("class-2", "none", "current")
    (preview,) = info.previews
    assert preview.standard.id == NEXT
    assert (preview.verdict.outcome, preview.compared) == ("measured", "worse")
    assert "THR-02" in preview.newly_failed
    own = certifier.certify(studio.examined(2, ALL, standard=NEXT), NOW).certificate
    assert renewal_info(certifier, own.code, NOW).previews == ()
    certifier.close()


def test_the_reason_follows_from_the_end_and_from_the_version(studio):
    certifier = studio.certifier(standards="lcal/1.0.0@2027-03-01 lcal/1.1.0")
    row = certified(certifier, studio)
    ends = parse_time(row.expires_at)
    closed, late, over = NOW + timedelta(days=200), ends - timedelta(days=90), ends + timedelta(days=1)
    for now, reason, start in (
        (NOW, "none", ends - timedelta(days=90)),
        (closed, "standard-superseded", closed),
        (late, "expiry", late),
        (over, "expiry", late),
    ):
        info = renewal_info(certifier, row.code, now)
        assert (info.reason, info.window) == (reason, (start, ends))
    certifier.change_status(row.code, "revoke", "holder_request", NOW)
    info = renewal_info(certifier, row.code, NOW)
    assert (info.reason, info.window) == ("withdrawn", None)
    certifier.close()


def test_the_api_answers_with_window_reason_and_previews(studio):
    certifier = studio.certifier(standards="lcal/1.0.0 lcal/1.1.0")
    row = certified(certifier, studio)
    client = create_app(certifier, lambda: NOW).test_client()
    answer = client.get(f"/api/v1/certificates/{row.code}/renewal-info")
    assert (answer.status_code, answer.headers["Retry-After"]) == (200, "86400")
    body = answer.json
    assert body["suggested_window"]["end"] == row.expires_at
    assert body["suggested_window"]["start"] == time_text(parse_time(row.expires_at) - timedelta(days=90))
    assert body["previews"][0]["url"] == "/standards/lcal/1.1.0"
    assert body["previews"][0]["sha256"] == certifier.shelf.newest.digest
    assert f"/v/{row.code}/renewal" in client.get(f"/v/{row.code}").text
    told = client.get(f"/v/{row.code}/renewal").text
    assert "LCAL-1.1.0</a></th><td>Measured" in told
    assert ">worse</span>" in told
    assert "THR-02" in told
    own = certifier.certify(studio.examined(2, ALL, standard=NEXT), NOW).certificate
    assert "No newer version is open." in client.get(f"/v/{own.code}/renewal").text
    assert client.get("/api/v1/certificates/0000000000/renewal-info").status_code == 404
    assert client.get("/api/v1/certificates/none/renewal-info").status_code == 400
    certifier.close()


def test_the_trial_draft_takes_class_1_from_a_track_between_the_two_limits(tmp_path):
    """A real transition: 1.0.0 and the working draft of 1.1.0 that stands in this repository, which changes a limit and a row."""
    studio = Studio(tmp_path)
    studio.certifier().close()
    long_ago = NOW - timedelta(days=300)
    register_key(studio.settings, "example-service", "service", "Example Service", SERVICE.public, long_ago)
    stated = signed_statement({"training_g_per_minute": "0.25"})
    register_statement(studio.settings.register_dir, stated, bounds_of(standard()), NOW - timedelta(days=100))
    report = studio.report()
    models = [
        report["models"][0]
        | {"name": "example-song", "version": "5", "training": {"source": "statement", "statement": "example-song-5"}}
    ]
    activities = [report["activities"][0] | {"location": {"country": "FRA", "site": "local"}}]
    certifier = studio.certifier(standards="lcal/1.0.0@2027-03-01 lcal/1.1.0-draft")
    drafted = certifier.shelf.newest
    issued = certifier.certify(studio.examined(1, ALL, models=models, activities=activities), NOW)
    old = issued.verdict.footprint
    assert (issued.verdict.outcome, old.assessed) == ("class-1", Decimal("8.62"))
    (preview,) = renewal_info(certifier, issued.certificate.code, NOW).previews
    assert (preview.standard.id, preview.compared) == ("LCAL-1.1.0-draft", "worse")
    assert (preview.verdict.outcome, preview.newly_failed) == ("class-2", ("THR-03",))
    assert preview.verdict.footprint.assessed > old.assessed  # the row of France is dearer there
    basis = parse_claims(parse_object(issued.certificate.payload)).basis
    first = certifier.shelf.named("LCAL-1.0.0")
    assert (basis.standard, basis.standard_sha256, basis.tables_sha256) == (first.id, first.digest, first.tables_digest)
    simulation = simulate(drafted, (row for page in certifier.store.stored_decisions(time_text(NOW)) for row in page))
    flips = [flip for _, tally in simulation.groups() for flip in tally.flips]
    assert [(flip.code, flip.new_outcome) for flip in flips] == [(issued.certificate.code, "class-2")]
    certifier.close()
