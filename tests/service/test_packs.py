"""Which keys stand behind the packs of an installation."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from certifier.certificate.pack import LIMITS, open_pack
from certifier.crypto.signing import SigningKey
from certifier.crypto.strict_json import parse_object
from certifier.errors import MalformedPack
from certifier.service.home import register_key
from certifier.storage.files import save_signing_key
from tests.studio import NOW, Studio

LATER = NOW + timedelta(days=1)
NEXT = SigningKey.from_seed(b"next issuer".ljust(32, b"."))


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """An installation that has got a second issuer key."""
    studio = Studio(tmp_path)
    studio.certifier().close()
    save_signing_key(studio.settings.private_dir / "issuer-next.pem", NEXT)
    register_key(studio.settings, "key-next", "issuer", "Example", NEXT.public, NOW)
    return studio


def test_the_oldest_issuer_key_vouches_for_its_successor(studio: Studio) -> None:
    certifier = studio.certifier()
    before, raw = certifier.published.trust_at(NOW), certifier.published.pack(LATER)
    certifier.close()
    old = next(key for key in before.keys if key.key != NEXT.public)
    only_old = type(before)(before.environment, (old,), before.logs, before.standards)
    pack = open_pack(raw, only_old, LATER)
    assert (pack.issuer_key, [key.key for key in pack.new_keys]) == (old, [NEXT.public])
    assert parse_object(raw, LIMITS)["proof"]["verificationMethod"].endswith("#key-next")


def test_once_the_old_key_is_gone_the_new_one_vouches_alone(studio: Studio) -> None:
    (studio.settings.private_dir / "issuer.pem").unlink()
    certifier = studio.certifier()
    trust, raw = certifier.published.trust_at(NOW), certifier.published.pack(LATER)
    certifier.close()
    assert open_pack(raw, trust, LATER).issuer_key.key == NEXT.public
    only_old = type(trust)(trust.environment, trust.keys[:1], trust.logs, trust.standards)
    with pytest.raises(MalformedPack, match="key that is not trusted"):
        open_pack(raw, only_old, LATER)


def test_a_pack_is_the_same_bytes_for_a_minute(studio: Studio) -> None:
    certifier = studio.certifier()
    packs = {certifier.published.pack(LATER + timedelta(seconds=seconds)) for seconds in (0, 20, 59)}
    certifier.close()
    assert len(packs) == 1


def test_a_status_key_signs_the_pack_and_its_lists_and_the_issuer_the_trust(studio: Studio) -> None:
    status = SigningKey.from_seed(b"status".ljust(32, b"."))
    save_signing_key(studio.settings.private_dir / "status.pem", status)
    register_key(studio.settings, "status-1", "status", "Example", status.public, NOW)
    certifier = studio.certifier()
    trust, raw = certifier.published.trust_at(NOW), certifier.published.pack(LATER)
    certifier.close()
    issuers_alone = type(trust)(trust.environment, trust.keys[:1], trust.logs, trust.standards)
    pack = open_pack(raw, issuers_alone, LATER)
    document = parse_object(raw, LIMITS)
    assert pack.issuer_key == trust.keys[0]
    assert document["proof"]["verificationMethod"].endswith("#status-1")
    assert {listed.signed_by.partition("#")[2] for listed in pack.lists} == {"status-1"}
