"""What is checked, and what belongs to it: from files beside each other, from the text of a label, from a service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from certifier.audio.analyse import analyse_audio
from certifier.certificate.code import display_code, parse_code
from certifier.certificate.compact import bytes_of_digits
from certifier.certificate.opened import COSE_SIGN1, open_certificate
from certifier.certificate.pack import Pack
from certifier.certificate.qr_text import parse_qr_text
from certifier.certificate.status import lists_by_url, status_entries_of
from certifier.certificate.trust import Trust
from certifier.certificate.verification import AudioDigests, Material, Verification
from certifier.certificate.verify import check_certificate, check_print
from certifier.crypto.canonical import canonical_bytes
from certifier.errors import CertifierError, MalformedAudio, MalformedCertificate
from certifier.isrc import plain_isrc

Target = str | bytes | Path | Mapping[str, Any]
SUFFIXES = (".openbadge.json", ".baked.svg", ".json", ".vc", ".jwt", ".cose", ".svg")  # of a certificate's forms
AUDIO = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"ID3", b"OggS", b"\xff\xfb", b"\xff\xf3", b"caff")


class Source(Protocol):
    """Where the files of certificates are: a client."""

    def get(self, path: str) -> bytes: ...

    def get_optional(self, path: str) -> bytes | None: ...

    def status_lists(self, urls: Iterable[str]) -> dict[str, bytes]: ...


@dataclass(frozen=True)
class Given:
    """A certificate, with what lies beside it or was fetched. ``printed`` is the compact form of a print beside its record.

    ``missed`` are the addresses of status lists that were asked for and could not be had.
    """

    raw: bytes
    proof: bytes | None = None
    lists: Mapping[str, bytes] = field(default_factory=dict)
    printed: bytes | None = None
    missed: tuple[str, ...] = ()

    def check(
        self, trust: Trust | None, audio: AudioDigests | None, now: datetime, pack: Pack | None = None
    ) -> Verification:
        """The verification of it. Raises MalformedJson, MalformedCertificate or MalformedCode when it is no certificate."""
        material = Material(trust, self.proof, self.lists, audio)
        if pack:
            material = replace(pack.material(self.proof, audio), status_lists=self.lists)
        if self.printed is not None:
            return check_print(self.printed, self.raw, material, now)
        return check_certificate(self.raw, material, now)


def digests_of(audio: Path) -> AudioDigests:
    """The digests of an audio file; a file that cannot be read says so itself."""
    try:
        facts = analyse_audio(str(audio))
    except MalformedAudio as error:
        return AudioDigests("", unreadable=error.message)
    return AudioDigests(facts.sha256, facts.essence_sha256)


def expected_audio(audio: Path | AudioDigests | None, isrc: str | None) -> AudioDigests | None:
    """What the certificate should be for. Raises ValueError for two things at once."""
    if audio is not None and isrc is not None:
        raise ValueError("One thing is compared: give an audio file or an ISRC.")
    if isrc is not None:
        return AudioDigests("", isrc=plain_isrc(isrc))
    return digests_of(audio) if isinstance(audio, Path) else audio


def is_audio(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(4).startswith(AUDIO)


def document_bytes(target: str | bytes | Mapping[str, Any]) -> bytes | None:
    """A certificate that was given itself; None for a code and for the text of a QR.

    Raises MalformedCertificate for a document that cannot have been signed.
    """
    if isinstance(target, bytes):
        return target
    if isinstance(target, Mapping):
        try:
            return canonical_bytes(dict(target))
        except (CertifierError, TypeError, ValueError) as error:
            raise MalformedCertificate("This document cannot have been signed.", found=str(error)[:200]) from error
    text = target.strip()
    return (
        text.encode("utf-8", "surrogatepass")
        if text[:1] in ("{", "<") or (text.count(".") == 2 and "/" not in text)
        else None
    )


def given_of_bytes(raw: bytes, proof: bytes | None, source: Source | None) -> Given:
    """A certificate in hand; a source supplies what belongs to it."""
    return _completed(Given(raw, proof), source)


def given_of_files(path: Path, source: Source | None) -> Given:
    """The certificate and what lies beside it; a source, when given, supplies the rest. Of two lists the newer one counts.

    A compact certificate is checked together with the record of its code, where that lies beside it.
    """
    raw, printed = path.read_bytes(), None
    if raw[:1] == bytes([COSE_SIGN1]) and (record := _record_beside(path, raw)):
        raw, printed = record, raw
    lists = {file.name: file.read_bytes() for file in sorted(path.parent.glob("status-*.json"))}
    return _completed(Given(raw, _proof_beside(path, raw), lists, printed), source)


def given_of_text(text: str, source: Source | None) -> Given:
    """A code, or the text of a QR: looked up, or read from the digits of a print. Raises MalformedCode.

    Without a source, a QR's text without digits is given as it is, and a code cannot be had at all.
    """
    if not text.lower().startswith(("http://", "https://")):
        return given_of_code(parse_code(text), source)
    address = parse_qr_text(text)
    printed = bytes_of_digits(address.digits) if address.digits else None
    if source is None and printed is not None:
        return Given(text.encode("ascii"))
    if printed is not None:
        open_certificate(text.encode("ascii"))  # refuses digits that are of another certificate than the address
    return replace(given_of_code(address.code, source), printed=printed)


def given_of_code(code: str, source: Source | None) -> Given:
    """What a service has for a code. Raises NotFound, and MalformedCertificate for a service that answers with another one."""
    if source is None:
        raise MalformedCertificate(
            "A code alone says nothing without a network.",
            found=display_code(code),
            expected="the certificate itself, or the digits of a print",
            hint="Look it up at a service, or bring its file.",
        )
    raw = source.get(f"/v/{code}.vc")
    check_code_of(raw, code)
    proof, urls = source.get_optional(f"/v/{code}.tlog-proof"), status_urls(raw)
    lists = source.status_lists(urls)
    return Given(raw, proof, lists, missed=tuple(url for url in urls if url not in lists))


def check_code_of(raw: bytes, code: str) -> None:
    """Raises MalformedCertificate for another certificate than the one with this code."""
    served = code_in(raw)
    if served not in (code, None):  # what has no code is refused by the check itself
        raise MalformedCertificate(
            "The service answers with another certificate than the one that was asked for.",
            found=display_code(served or ""),
            expected=display_code(code),
            hint="Do not rely on this answer: the certificate that was asked for may be withdrawn.",
        )


def code_in(raw: bytes) -> str | None:
    """The code of a certificate that is not believed yet; None where it has none."""
    try:
        return parse_code(open_certificate(raw).code)
    except CertifierError:
        return None


def status_urls(raw: bytes) -> list[str]:
    """Where the status lists of a certificate are that is not believed yet."""
    try:
        unsigned = open_certificate(raw).unsigned()
        return [entry.url for entry in status_entries_of(unsigned)] if unsigned else []
    except CertifierError:
        return []  # the check itself will say what is wrong with the document


def _completed(given: Given, source: Source | None) -> Given:
    if source is None:
        return replace(given, lists=lists_by_url(given.lists))
    code, urls = code_in(given.raw), status_urls(given.raw)
    proof = given.proof or (source.get_optional(f"/v/{code}.tlog-proof") if code else None)
    fetched = source.status_lists(urls)
    missed = tuple(url for url in urls if url not in fetched)
    return replace(given, proof=proof, lists=lists_by_url({**given.lists, **fetched}), missed=missed)


def _record_beside(path: Path, raw: bytes) -> bytes | None:
    """The record of the same code in the same folder."""
    record = path.with_name("certificate.json")
    found = record.read_bytes() if record.is_file() else None
    return found if found and code_in(found) == code_in(raw) else None


def _proof_beside(path: Path, raw: bytes) -> bytes | None:
    """The proof that bears the certificate's name, or that of the record beside it when the two are one certificate."""
    own, other = (path.with_name(f"{stem}.tlog-proof") for stem in (_stem(path.name), "certificate"))
    if own.is_file():
        return own.read_bytes()
    return other.read_bytes() if other.is_file() and _record_beside(path, raw) else None


def _stem(name: str) -> str:
    return next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)
