"""``certifier verify``: the one verification, at the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from certifier.audio.analyse import analyse_audio
from certifier.certificate.code import display_code, parse_code
from certifier.certificate.compact import Compact, bytes_of_digits
from certifier.certificate.model import Claims
from certifier.certificate.opened import COSE_SIGN1, open_certificate
from certifier.certificate.pack import Pack, open_pack
from certifier.certificate.qr_text import parse_qr_text
from certifier.certificate.status import lists_by_url, status_entries_of
from certifier.certificate.times import time_text
from certifier.certificate.trust import Trust, parse_trust
from certifier.certificate.verification import AudioDigests, Material, Verification, verification_document
from certifier.certificate.verify import check_certificate, check_print
from certifier.cli.output import EXIT_CANNOT_TELL, EXIT_REFUSED, console, plain, show_error, show_json
from certifier.client import Client
from certifier.errors import CertifierError, ForeignInputError, MalformedAudio, MalformedCertificate, MalformedCode

EXIT_CODES = {"valid": 0, "valid_with_warnings": 0, "not_valid": EXIT_REFUSED, "cannot_tell": EXIT_CANNOT_TELL}
COLOURS = {"valid": "green", "valid_with_warnings": "yellow", "not_valid": "red", "cannot_tell": "yellow"}
WORDS = {
    "valid": "VALID",
    "valid_with_warnings": "VALID, WITH A WARNING",
    "not_valid": "NOT VALID",
    "cannot_tell": "CANNOT TELL",
}
SUFFIXES = (".openbadge.json", ".baked.svg", ".json", ".vc", ".jwt", ".cose", ".svg")  # of a certificate's forms
AUDIO = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"ID3", b"OggS", b"\xff\xfb", b"\xff\xf3", b"caff")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class Given:
    """What is checked, and what lies beside it or was fetched. ``printed`` is the compact form of a print beside its record."""

    raw: bytes
    proof: bytes | None = None
    lists: Mapping[str, bytes] = field(default_factory=dict)
    printed: bytes | None = None


def pinned_trust_file() -> Path:
    """Where ``certifier init --pin`` keeps the keys that this person trusts."""
    config = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config"))
    return config / "certifier" / "trust.json"


@click.command()
@click.argument("target", metavar="FILE|CODE|QR")
@click.option("--trust", type=FILE, help="Keys to trust; else the pinned ones.")
@click.option(
    "--pack", "pack_file", type=FILE, help="A signed pack: keys and status lists for checks without a network."
)
@click.option("--audio", type=FILE, help="Check that this is the certified file.")
@click.option("--isrc", help="Check that the certificate is for the recording with this ISRC.")
@click.option("--server", envvar="LCAL_SERVER", help="Where to fetch what is missing, e.g. http://127.0.0.1:8000.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_context
def verify(
    ctx: click.Context,
    target: str,
    trust: Path | None,
    pack_file: Path | None,
    audio: Path | None,
    isrc: str | None,
    server: str | None,
    as_json: bool,
) -> None:
    """Verify a certificate: any of its files, the code or the QR text of a label, or the audio itself.

    \b
    FILE  certificate.json, .vc, .openbadge.json, .jwt, .cose or a badge SVG that holds one,
          with its .tlog-proof and status-*.json beside it; or a WAV, AIFF or FLAC file
    CODE  such as GG8W-7E5J-TV, looked up at --server
    QR    https://HOST/v/CODE, looked up like the code; the digits after # on a print tell signature,
          figure and dates without a network, but hold no proof from the log: "cannot tell" alone

    Trust comes only from --trust, from a --pack that you chose, or from keys pinned with
    `certifier init --pin URL`; with --pack nothing is fetched unless --server is given.
    Exit codes: 0 valid, 3 not valid, 6 cannot tell, 5 network.
    """  # noqa: D301 - click reads the backspace as: keep these lines
    path = Path(target)
    is_audio = is_file(path) and path.read_bytes()[:4].startswith(AUDIO)
    if sum((is_audio, audio is not None, isrc is not None)) > 1:
        raise click.UsageError("One thing is compared: give an audio file, in one place, or --isrc, and not both.")
    now = datetime.now(UTC)
    pinned = load_trust(trust)
    pack = _open_pack(pack_file, pinned, now) if pack_file else None
    client = Client(server) if server else None
    digests = _digests_of(audio) if audio else AudioDigests("", isrc=isrc.strip().upper()) if isrc else None
    if is_audio:
        digests = _digests_of(path)
        given = _from_audio(path, digests, client)
    else:
        given = from_files(path, client) if is_file(path) else from_text(target, client)
    verification = _checked(given, pack, pinned, digests, now)
    if as_json:
        show_json(verification_document(verification) | ({"pack": _pack_document(pack)} if pack else {}))
    else:
        _show(verification)
        if pack and not pack.is_vouched_for:
            words = f"{pack.issuer_key.id}, fingerprint {pack.fingerprint}"
            console(stderr=True).print(f"  trusted by your choice of this pack alone: {plain(words)}")
    ctx.exit(EXIT_CODES[verification.verdict])


def _pack_document(pack: Pack) -> dict[str, Any]:
    return {
        "made_at": time_text(pack.made_at),
        "issuer_key": pack.issuer_key.id,
        "fingerprint": pack.fingerprint,
        "vouched_for": pack.is_vouched_for,
    }


def _checked(
    given: Given, pack: Pack | None, pinned: Trust | None, audio: AudioDigests | None, now: datetime
) -> Verification:
    material = Material(pinned, given.proof, given.lists, audio)
    if pack:
        material = replace(pack.material(given.proof, audio), status_lists=given.lists)
    if given.printed is not None:
        return check_print(given.printed, given.raw, material, now)
    return check_certificate(given.raw, material, now)


def load_trust(file: Path | None) -> Trust | None:
    """The trusted keys. A trust file that cannot be read says nothing of the certificate: it is wrong usage."""
    chosen = file or pinned_trust_file()
    try:
        return parse_trust(chosen.read_bytes()) if chosen.is_file() else None
    except ForeignInputError as error:
        show_error(error)
        raise click.UsageError(f"The trust file {chosen} cannot be used.") from error


def _digests_of(audio: Path) -> AudioDigests:
    try:
        facts = analyse_audio(str(audio))
    except MalformedAudio as error:
        return AudioDigests("", unreadable=error.message)
    return AudioDigests(facts.sha256, facts.essence_sha256)


def is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # too long for a file name
        return False


def from_files(path: Path, client: Client | None) -> Given:
    """The certificate and what lies beside it; a server, when given, supplies the rest. Of two lists the newer one counts.

    A compact certificate is checked together with the record of its code, where that lies beside it.
    """
    raw, printed = path.read_bytes(), None
    if raw[:1] == bytes([COSE_SIGN1]) and (record := _record_beside(path, raw)):
        raw, printed = record, raw
    proof = _proof_beside(path, raw)
    lists = {file.name: file.read_bytes() for file in sorted(path.parent.glob("status-*.json"))}
    if client:
        code, urls = _code_in(raw), _status_urls(raw)
        proof = proof or (client.get_optional(f"/v/{code}.tlog-proof") if code else None)
        fetched = client.status_lists(urls)
        if len(fetched) < len(urls):
            note = f"{client.server} gave no newer status list; judged by what is at hand"
            console(stderr=True).print(f"  note: {plain(note)}")
        lists |= fetched
    return Given(raw, proof, lists_by_url(lists), printed)


def _record_beside(path: Path, raw: bytes) -> bytes | None:
    """The record of the same code in the same folder."""
    record = path.with_name("certificate.json")
    found = record.read_bytes() if is_file(record) else None
    return found if found and _code_in(found) == _code_in(raw) else None


def _proof_beside(path: Path, raw: bytes) -> bytes | None:
    """The proof that bears the certificate's name, or that of the record beside it when the two are one certificate."""
    own, other = (path.with_name(f"{stem}.tlog-proof") for stem in (_stem(path.name), "certificate"))
    if is_file(own):
        return own.read_bytes()
    return other.read_bytes() if is_file(other) and _record_beside(path, raw) else None


def _stem(name: str) -> str:
    return next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)


def from_text(target: str, client: Client | None) -> Given:
    """A code, or the text of a QR: looked up at a service, or read from the digits of a print."""
    if target.lower().startswith(("http://", "https://")):
        return _from_qr(target, client)
    try:
        code = parse_code(target)
    except MalformedCode as error:
        raise click.UsageError(
            f"There is no file {target[:80]!r}. Read as a code such as GG8W-7E5J-TV: {error.message}"
        ) from error
    if client is None:
        raise click.UsageError("A code is looked up at a service: give --server URL (or set LCAL_SERVER).")
    return _from_service(code, client)


def _from_qr(text: str, client: Client | None) -> Given:
    address = parse_qr_text(text)
    printed = bytes_of_digits(address.digits) if address.digits else None
    if client is None:
        if printed is None:
            raise click.UsageError("This QR holds a code alone, which is looked up at a service: give --server URL.")
        return Given(text.encode("ascii"))
    if printed is not None:
        open_certificate(text.encode("ascii"))  # refuses digits that are of another certificate than the address
    given = _from_service(address.code, client)
    return Given(given.raw, given.proof, given.lists, printed)


def _from_service(code: str, client: Client) -> Given:
    raw = client.get(f"/v/{code}.vc")
    served = _code_in(raw)
    if served not in (code, None):  # what has no code is refused by the check itself
        raise MalformedCertificate(
            "The service answers with another certificate than the one that was asked for.",
            found=display_code(served or ""),
            expected=display_code(code),
            hint="Do not rely on this answer: the certificate that was asked for may be withdrawn.",
        )
    return Given(raw, client.get_optional(f"/v/{code}.tlog-proof"), client.status_lists(_status_urls(raw)))


def _from_audio(path: Path, digests: AudioDigests, client: Client | None) -> Given:
    """The newest certificate for this very file."""
    if client is None:
        raise click.UsageError(
            f"{path} is an audio file: its certificate is looked up at a service (--server URL). "
            f"To check a certificate against it: certifier verify CERTIFICATE --audio {path}"
        )
    if digests.unreadable:
        raise MalformedAudio(digests.unreadable, hint="Give the master file itself.")
    return _from_service(client.code_for_audio(digests.sha256), client)


def _code_in(raw: bytes) -> str | None:
    """The code of a certificate that is not believed yet; None where it has none."""
    try:
        return parse_code(open_certificate(raw).code)
    except CertifierError:
        return None


def _status_urls(raw: bytes) -> list[str]:
    try:
        unsigned = open_certificate(raw).unsigned()
        return [entry.url for entry in status_entries_of(unsigned)] if unsigned else []
    except CertifierError:
        return []  # the check itself will say what is wrong with the document


def _open_pack(file: Path, pinned: Trust | None, now: datetime) -> Pack:
    """The pack. One that cannot be used says nothing of the certificate: it is wrong usage."""
    try:
        return open_pack(file.read_bytes(), pinned, now)
    except ForeignInputError as error:
        show_error(error)
        raise click.UsageError(f"The pack {file} cannot be used.") from error


def _show(verification: Verification) -> None:
    out = console()
    claims, compact = verification.claims, verification.compact
    out.print(f"[bold {COLOURS[verification.verdict]}]{WORDS[verification.verdict]}[/]{_title_of(claims, compact)}")
    out.print(f"  {verification.because}")
    if claims or compact:
        out.print(f"  {_figure_of(claims, compact)}")
    for check in verification.checks:
        out.print(f"  {check.axis:<15}{check.value:<14}{plain(check.found)}")
        if check.outcome != "ok" and check.value != "not_checked":
            for label, text in (("expected", check.expected), ("try", check.hint)):
                if text:
                    out.print(f"  {'':<15}{label:<14}{plain(text)}")


def _title_of(claims: Claims | None, compact: Compact | None) -> str:
    if claims:
        return f"  {plain(claims.subject.title)} – {plain(claims.subject.artist)}"
    return f"  the print of {display_code(compact.code)}" if compact else ""


def _figure_of(claims: Claims | None, compact: Compact | None) -> str:
    if claims:
        figures, basis = claims.figures, claims.basis
        return (
            f"at most {figures.assessed_g_per_min} g CO2e per minute of finished music (best estimate"
            f" {figures.central_g_per_min}), {claims.outcome}, {basis.evidence_level}, {basis.standard}"
        )
    assert compact is not None
    return (
        f"at most {compact.assessed_g_per_min} g CO2e per minute of finished music, {compact.outcome},"
        f" {compact.evidence_level}, {compact.standard}"
    )
