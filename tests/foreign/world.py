"""An installation whose certificates the foreign judges get to see: one in force, one revoked, one suspended.

They see what it serves: each form of a certificate, its DID document, its status lists in each form.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from certifier.certificate.status import PURPOSES, status_url
from certifier.certificate.times import parse_time
from certifier.certificate.trust import Trust, TrustedKey, did_document
from certifier.crypto.keys import PublicKey
from certifier.crypto.strict_json import parse_object
from certifier.service.certifier import Certifier, Issued
from certifier.storage.rows import CertificateRow
from certifier.web.app import create_app
from tests.studio import APPLICANT, NOW, PARTY, VERIFIER, Studio

LATER = NOW + timedelta(minutes=30)  # the clock of the service
STATES = ("in force", "revoked", "suspended")


@dataclass(frozen=True)
class World:
    """Only for reading."""

    certifier: Certifier
    client: FlaskClient
    rows: dict[str, CertificateRow]

    @property
    def did(self) -> str:
        return self.certifier.settings.did

    @property
    def method(self) -> str:
        return self.rows["in force"].verification_method

    @property
    def trust(self) -> Trust:
        return self.certifier.published.trust_at(LATER)

    @property
    def trusted_key(self) -> TrustedKey:
        found = self.trust.key_for(self.method)
        assert found
        return found

    @property
    def key(self) -> PublicKey:
        return self.trusted_key.key

    @property
    def expired_at(self) -> datetime:
        return parse_time(self.rows["in force"].expires_at) + timedelta(days=1)

    def payload(self, state: str) -> dict[str, Any]:
        return parse_object(self.rows[state].payload)

    def served(self, path: str) -> bytes:
        response = self.client.get(path)
        assert response.status_code == 200, (path, response.status)
        return response.data

    def record(self, state: str) -> dict[str, Any]:
        """With its proof of the suite eddsa-jcs-2022."""
        return parse_object(self.served(f"/v/{self.rows[state].code}.vc"))

    def openbadge(self, state: str) -> dict[str, Any]:
        """With a proof of the suite eddsa-rdfc-2022."""
        return parse_object(self.served(f"/v/{self.rows[state].code}.openbadge.json"))

    def baked(self, state: str) -> bytes:
        """The badge with the credential inside."""
        return self.served(f"/v/{self.rows[state].code}.baked.svg")

    def jwt(self, state: str) -> str:
        return self.served(f"/v/{self.rows[state].code}.jwt").decode()

    @property
    def lists(self) -> dict[str, Any]:
        """The status lists in force at LATER, by their addresses."""
        return {url: parse_object(raw) for url, raw in self._lists("").items()}

    @property
    def list_badges(self) -> dict[str, Any]:
        """The same lists as a badge wallet reads them (eddsa-rdfc-2022)."""
        return {url: parse_object(raw) for url, raw in self._lists(".openbadge.json").items()}

    @property
    def list_tokens(self) -> dict[str, str]:
        """The same lists as ``vc+jwt``."""
        return {url: raw.decode() for url, raw in self._lists(".jwt").items()}

    def _lists(self, suffix: str) -> dict[str, bytes]:
        base = self.certifier.settings.base_url
        return {status_url(base, purpose): self.served(f"/status/{purpose}/1{suffix}") for purpose in PURPOSES}

    def documents(self, *keys: TrustedKey) -> dict[str, Any]:
        """The status lists, and the DID document: as published, or as it would be with other keys."""
        did = parse_object(self.served("/.well-known/did.json"))
        if keys:
            did = did_document(replace(self.trust, keys=keys), self.did, LATER)
        return {self.did: did, **self.lists}


def jwk_of(key: PublicKey) -> dict[str, str]:
    """The key as a JSON Web Key (RFC 8037)."""
    return {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(key.raw).decode().rstrip("=")}


@contextmanager
def foreign_world(folder: Path) -> Iterator[World]:
    studio = Studio(folder)
    certifier = studio.certifier()
    rows = {}
    for state in STATES:
        answer = certifier.certify(studio.examined(state, (APPLICANT, PARTY, VERIFIER)), NOW)
        assert isinstance(answer, Issued)
        rows[state] = answer.certificate
    certifier.change_status(rows["revoked"].code, "revoke", "misuse", NOW + timedelta(minutes=1))
    certifier.change_status(rows["suspended"].code, "suspend", "figure", NOW + timedelta(minutes=1))
    yield World(certifier, create_app(certifier, lambda: LATER).test_client(), rows)
    certifier.close()
