"""Verification without a network: a pack beside the certificates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from certifier.certificate.pack import Pack as OpenedPack
from certifier.certificate.pack import open_pack
from certifier.certificate.trust import Trust
from certifier.certificate.verification import AudioDigests, Verification
from certifier.client.given import (
    Given,
    Target,
    document_bytes,
    expected_audio,
    given_of_bytes,
    given_of_files,
    given_of_text,
)
from certifier.client.trust import trust_of


@dataclass(frozen=True)
class Pack:
    """A pack whose signatures hold. ``contents`` say how old it is, whose it is, and whether it was trusted before."""

    contents: OpenedPack
    raw: bytes
    clock: Callable[[], datetime]

    @classmethod
    def open(
        cls,
        file: Path,
        *,
        trust: Trust | Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Self:
        """The pack in a file. With trusted keys, given or pinned, one of them has to have signed it; with none, the choice of
        this file is the trust (``contents.is_vouched_for`` is False). Raises MalformedPack, MalformedJson or BadSignature.
        """
        return cls.from_bytes(file.read_bytes(), trust=trust_of(trust), clock=clock)

    @classmethod
    def from_bytes(cls, raw: bytes, *, trust: Trust | None, clock: Callable[[], datetime]) -> Self:
        return cls(open_pack(raw, trust, clock()), raw, clock)

    def verify(
        self,
        target: Target,
        *,
        proof: bytes | None = None,
        audio: Path | AudioDigests | None = None,
        isrc: str | None = None,
    ) -> Verification:
        """Check a certificate with what the pack holds. ``target`` is a certificate, the file of one with its proof beside it, or
        the text of a print's QR. Raises MalformedCertificate for a code, which takes a service.
        """
        digests = expected_audio(audio, isrc)
        return self._given(target, proof).check(self.contents.trust, digests, self.clock(), self.contents)

    def _given(self, target: Target, proof: bytes | None) -> Given:
        if isinstance(target, Path):
            given = given_of_files(target, None)
            return given if proof is None else Given(given.raw, proof, given.lists, given.printed)
        raw = document_bytes(target)
        return given_of_text(str(target), None) if raw is None else given_of_bytes(raw, proof, None)
