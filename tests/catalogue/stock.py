"""Certificates by the thousand, signed and logged by a test issuer through the real functions, and a pack about them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from certifier.catalogue.shelf import Line, save_lines
from certifier.certificate.code import code_of
from certifier.certificate.credential import parse_claims, payload_for
from certifier.certificate.model import Claims, months_later
from certifier.certificate.proof import sign_document
from certifier.certificate.status import PURPOSES, StatusEntry, status_url
from certifier.certificate.times import time_text
from certifier.certificate.trust import Trust
from certifier.certificate.verify import leaf_of
from certifier.crypto.canonical import to_json_text
from certifier.log.merkle import Tree, leaf_hash
from certifier.log.note import Checkpoint, sign_checkpoint
from certifier.log.proof import InclusionProof, render_proof
from tests.certificate import test_pack, test_verify
from tests.certificate.test_verify import BASE, DID, ISSUER, LOG, METHOD, ORIGIN, TRUST

DAYS = timedelta(days=400)


def hexed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Made:
    """One certificate and what it is found by."""

    claims: Claims
    credential: bytes
    proof: bytes

    @property
    def code(self) -> str:
        return self.claims.code

    @property
    def isrc(self) -> str:
        return self.claims.subject.isrc or ""

    def line(self, cursor: int) -> Line:
        subject = self.claims.subject
        found_by = (self.code, self.isrc.upper().replace("-", "") or None, subject.audio_sha256, subject.essence_sha256)
        return Line(f"1-{cursor}", found_by, self.credential, self.proof)


def claims_of(number: int, issued_at: datetime, **subject: str) -> Claims:
    """What the certificate of this number says; its places in the status lists are its number."""
    names = {
        "title": f"Track {number} (example)",
        "audio_sha256": hexed(f"file {number}"),
        "essence_sha256": hexed(f"samples {number}"),
        "isrc": isrc_of(number),
    }
    return test_verify.CLAIMS._replace(
        code=code_of(hashlib.sha256(f"code {number}".encode()).digest()),
        subject=test_verify.CLAIMS.subject._replace(**(names | subject)),
        issued_at=issued_at,
        expires_at=months_later(issued_at, 36),
        status=tuple(StatusEntry(status_url(BASE, purpose), purpose, number) for purpose in PURPOSES),
    )


def isrc_of(number: int) -> str:
    return f"QZABC{number:07d}"


def make(claims: Iterable[Claims]) -> list[Made]:
    """Certificates with these claims, all in one log under one checkpoint."""
    documents, tree = [], Tree()
    for each in claims:
        unsigned = payload_for(each)
        tree.append(leaf_hash(leaf_of(unsigned, METHOD, parse_claims(unsigned))))
        documents.append((each, sign_document(unsigned, ISSUER, METHOD, time_text(each.issued_at))))
    note = sign_checkpoint(Checkpoint(ORIGIN, tree.size, tree.root()), LOG)
    return [
        Made(
            each,
            to_json_text(document).encode(),
            render_proof(InclusionProof(index, tuple(tree.inclusion_proof(index)), note)),
        )
        for index, (each, document) in enumerate(documents)
    ]


@dataclass(frozen=True)
class Stock:
    """Certificates made at one moment. ``revoked`` and ``suspended`` are numbers."""

    made: Sequence[Made]
    at: datetime
    revoked: Collection[int] = ()
    suspended: Collection[int] = ()

    @cached_property
    def trust(self) -> Trust:
        days = {"valid_from": self.at - DAYS, "valid_until": self.at + DAYS}
        return replace(TRUST, keys=tuple(replace(key, **days) for key in TRUST.keys))  # type: ignore[arg-type]

    @cached_property
    def pack(self) -> bytes:
        listed = test_verify.lists(self.revoked, self.suspended, at=self.at)
        return test_pack.made(self.trust, at=self.at, status_lists=listed)

    def shelve(self, file: Path) -> Path:
        save_lines(file, (made.line(place) for place, made in enumerate(self.made)), DID, time_text(self.at))
        return file


def stock_of(
    count: int,
    at: datetime,
    revoked: Collection[int] = (),
    suspended: Collection[int] = (),
    more: Iterable[Claims] = (),
) -> Stock:
    issued_at = at - timedelta(days=1)
    return Stock(make([*(claims_of(number, issued_at) for number in range(count)), *more]), at, revoked, suspended)
