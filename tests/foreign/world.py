"""An installation whose certificates the foreign judges get to see: one in force, one revoked, one suspended.

The renditions are made from its payloads with its own key, and what a verifier would fetch is handed over as documents by
their addresses: the DID document of the did:web and the two status lists.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from certifier.certificate.jose import jwt_of
from certifier.certificate.proof import split_proof
from certifier.certificate.rdfc import sign_rdfc
from certifier.certificate.times import parse_time, time_text
from certifier.certificate.trust import Trust, TrustedKey, did_document
from certifier.crypto.keys import PublicKey
from certifier.crypto.strict_json import parse_object
from certifier.service.certifier import Certifier, Issued
from certifier.storage.rows import CertificateRow
from tests.studio import APPLICANT, NOW, PARTY, VERIFIER, Studio

LATER = NOW + timedelta(minutes=30)  # the lists that the installation gives out then are in force
STATES = ("in force", "revoked", "suspended")


@dataclass(frozen=True)
class World:
    """Only for reading."""

    certifier: Certifier
    rows: dict[str, CertificateRow]

    @property
    def did(self) -> str:
        return self.certifier.settings.did

    @property
    def method(self) -> str:
        return self.rows["in force"].verification_method

    @property
    def trust(self) -> Trust:
        return self.certifier.trust_at(LATER)

    @property
    def key(self) -> PublicKey:
        found = self.trust.key_for(self.method)
        assert found
        return found.key

    def payload(self, state: str) -> dict[str, Any]:
        return parse_object(self.rows[state].payload)

    def record(self, state: str) -> dict[str, Any]:
        """The document that the installation signed (eddsa-jcs-2022)."""
        return parse_object(self.rows[state].document or b"")

    def openbadge(self, state: str) -> dict[str, Any]:
        row = self.rows[state]
        return sign_rdfc(self.payload(state), self._signer, row.verification_method, row.issued_at)

    def jwt(self, state: str) -> str:
        return jwt_of(self.payload(state), self._signer, self.method)

    @property
    def _signer(self) -> Any:
        return self.certifier._signers[self.method]

    @property
    def lists(self) -> dict[str, Any]:
        """The status lists in force at LATER, by their addresses."""
        lists = self.certifier.material(self.rows["in force"], LATER).status_lists
        return {url: parse_object(raw) for url, raw in lists.items()}

    @property
    def list_badges(self) -> dict[str, Any]:
        """The same lists as a badge wallet reads them (eddsa-rdfc-2022)."""
        made = time_text(LATER)
        return {
            url: sign_rdfc(split_proof(document)[0], self._signer, self.method, made)
            for url, document in self.lists.items()
        }

    @property
    def list_tokens(self) -> dict[str, str]:
        """The same lists as ``vc+jwt``."""
        return {
            url: jwt_of(split_proof(document)[0], self._signer, self.method) for url, document in self.lists.items()
        }

    def documents(self, *keys: TrustedKey) -> dict[str, Any]:
        """The status lists, and the DID document: as published, or with other keys than now."""
        trust = replace(self.trust, keys=keys) if keys else self.trust
        return {self.did: did_document(trust, self.did, LATER), **self.lists}

    @property
    def expired_at(self) -> datetime:
        return parse_time(self.rows["in force"].expires_at) + timedelta(days=1)


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
    yield World(certifier, rows)
    certifier.close()
