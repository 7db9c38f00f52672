"""Verification of certificates in process, one after the other on one core, beside `@digitalbazaar/vc`.

The certificates are real: several hundred different ones, issued by an installation to 24 clients at once, so that a batch
shares a checkpoint as it does in the service. They are verified in no order, each from its bytes, with a verdict on every
axis: signature, issuer, dates, both status lists, inclusion in the log, standard, binding to the audio.

The peer is given all that its own users can give it. It verifies the same files from their texts, warm, in one process that
is set up before the clock starts; contexts, DID document and status lists are at hand in memory, so that no loader waits.
Its suite and loader are made once. For the status it is measured in two ways: with lists that were verified and unpacked
once and are remembered (the figure that we compare ours with), and with the `checkStatus` of its own package, which
verifies and unpacks both lists for every certificate. It knows no log, no standard and no audio.

The other forms of the same certificates are measured besides. A print has no room for a proof of inclusion, so that axis stays
open; a badge wallet's form costs both sides the canonicalisation of its RDF.

Processor time is counted on both sides, of all threads, so that what else the machine does is left out.
"""

from __future__ import annotations

import gc
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import process_time
from typing import Any

from certifier.certificate.times import time_text
from certifier.certificate.trust import did_document
from certifier.certificate.verification import AudioDigests, Material
from certifier.certificate.verify import check_certificate
from certifier.service.certifier import Certifier, Issued
from certifier.storage.rows import CertificateRow
from tests.foreign.judge import Judge, seated_judge
from tests.studio import NOW, Studio

CERTIFICATES = 600
CLIENTS = 24
WARM_ROUNDS = 5  # until its compiler has seen enough; measured
ROUNDS = 7
BADGES = 60  # certificates as badge wallets read them: each takes a hundred times as long
LATER = NOW + timedelta(minutes=30)


Files = list[tuple[bytes, Material]]


@dataclass(frozen=True)
class World:
    """The same certificates for us and for the peer; each file with what we check it with. ``forms`` beside the record."""

    files: Files
    forms: dict[str, Files]
    documents: dict[str, Any]
    judge: Judge


@contextmanager
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder, seated_judge() as judge:
        certifier = Studio(Path(folder)).certifier()
        try:
            rows = issued(Studio(Path(folder)), certifier)
            random.Random(1).shuffle(rows)  # noqa: S311 - an order, no secret
            common = certifier.published.material(rows[0], LATER)
            files = [(row.document or b"", checked_with(row, common)) for row in rows]
            made = World(files, forms_of(certifier, rows, common), documents_of(certifier, common), judge)
            for _ in range(WARM_ROUNDS):
                for files in (made.files, made.forms["openbadge"]):
                    peer_per_s(made, files)
                    checked_per_s(files)
            yield made
        finally:
            certifier.close()


def issued(studio: Studio, certifier: Certifier) -> list[CertificateRow]:
    """Certificates for many clients at once."""
    examined = [studio.examined(number) for number in range(CERTIFICATES)]
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(lambda one: certifier.certify(one, NOW), examined))
    assert all(isinstance(answer, Issued) for answer in answers), answers[0]
    rows = [answer.certificate for answer in answers if isinstance(answer, Issued)]
    checkpoints = {(row.proof or b"").partition(b"\n\n")[2] for row in rows}
    assert 1 < len(checkpoints) < CERTIFICATES, "the certificates were to share checkpoints in batches"
    return rows


def checked_with(row: CertificateRow, common: Material) -> Material:
    return replace(common, proof=row.proof, audio=AudioDigests(row.audio_sha256))


def forms_of(certifier: Certifier, rows: list[CertificateRow], common: Material) -> dict[str, Files]:
    chosen: dict[str, list[CertificateRow]] = {"openbadge": rows[:BADGES], "jwt": rows, "compact": rows}
    return {
        form: [(certifier.rendition(row, form), checked_with(row, common)) for row in some]
        for form, some in chosen.items()
    }


def documents_of(certifier: Certifier, common: Material) -> dict[str, Any]:
    """What a did:web resolver and a fetcher of status lists would bring."""
    assert common.trust
    did = certifier.settings.did
    return {
        did: did_document(common.trust, did, LATER),
        **{url: json.loads(raw) for url, raw in common.status_lists.items()},
    }


def checked_per_s(files: Files, verdict: str = "valid") -> float:
    """Files verified per second of one core, each from its bytes to a verdict."""

    def check() -> None:
        for raw, material in files:
            verification = check_certificate(raw, material, LATER)
            assert verification.verdict == verdict, verification

    return rate_of(len(files), check)


def rate_of(amount: int, act: Callable[[], None]) -> float:
    gc.collect()
    began = process_time()
    act()
    return amount / (process_time() - began)


def peer_per_s(world: World, files: Files, status: str = "remembered") -> float:
    """The same by the peer."""
    texts = [raw.decode() for raw, _ in files]
    answer = world.judge.ask("time", texts=texts, documents=world.documents, now=time_text(LATER), status=status)
    assert "error" not in answer, answer
    return len(texts) / float(answer["seconds"])
