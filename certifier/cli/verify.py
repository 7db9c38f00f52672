"""``certifier verify``: the one verification, at the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import click

from certifier.catalogue import SUFFIXES
from certifier.catalogue.shelf import Record, Shelf, open_shelf
from certifier.certificate.code import display_code, parse_code
from certifier.certificate.compact import Compact
from certifier.certificate.model import Claims
from certifier.certificate.pack import Pack, open_pack
from certifier.certificate.qr_text import parse_qr_text
from certifier.certificate.times import time_text
from certifier.certificate.trust import Trust
from certifier.certificate.verification import AudioDigests, Verification, verification_document
from certifier.cli.options import FILE, JSON, TRUST, service_at
from certifier.cli.output import EXIT_CANNOT_TELL, EXIT_REFUSED, UnusableFile, console, plain, show_json
from certifier.cli.verify_catalogue import CatalogueOptions, Trusted, catalogue_options, verify_catalogue
from certifier.client import Client
from certifier.client.errors import NotAllowed, NotFound
from certifier.client.given import Given, digests_of, expected_audio, given_of_files, given_of_text, is_audio
from certifier.client.trust import pinned_trust_file, trust_of
from certifier.errors import ForeignInputError, MalformedCode, MalformedJson

EXITS_OF_VERDICTS = {"valid": 0, "valid_with_warnings": 0, "not_valid": EXIT_REFUSED, "cannot_tell": EXIT_CANNOT_TELL}
COLOURS = {"valid": "green", "valid_with_warnings": "yellow", "not_valid": "red", "cannot_tell": "yellow"}
WORDS = {
    "valid": "VALID",
    "valid_with_warnings": "VALID, WITH A WARNING",
    "not_valid": "NOT VALID",
    "cannot_tell": "CANNOT TELL",
}


@click.command()
@click.argument("target", metavar="FILE|CODE|QR|CATALOGUE")
@TRUST
@click.option(
    "--pack", "pack_file", type=FILE, help="A signed pack: keys and status lists for checks without a network."
)
@click.option("--audio", type=FILE, help="Check that this is the certified file.")
@click.option("--isrc", help="Check that the certificate is for the recording with this ISRC.")
@click.option("--server", envvar="LCAL_SERVER", help="Where to fetch what is missing, e.g. http://127.0.0.1:8000.")
@JSON
@catalogue_options
@click.pass_context
def verify(
    ctx: click.Context,
    /,
    target: str,
    trust: Path | None,
    pack_file: Path | None,
    audio: Path | None,
    isrc: str | None,
    server: str | None,
    as_json: bool,
    **catalogue: Any,
) -> None:
    """Verify a certificate: any of its files, the code or the QR text of a label, or the audio itself; or a catalogue.

    \b
    FILE  certificate.json, .vc, .openbadge.json, .jwt, .cose or a badge SVG that
          holds one, with its .tlog-proof and status-*.json beside it;
          or a WAV, AIFF or FLAC file
    CODE  such as GG8W-7E5J-TV, looked up at --server, or in --certificates with
          no network
    QR    https://HOST/v/CODE, looked up like the code; the digits after # on a
          print tell signature, figure and dates without a network, but hold
          no proof from the log: "cannot tell" alone
    CATALOGUE
          a .csv, .tsv, .parquet, .ndjson or .jsonl file: each row, by the
          --column that you name; or the .xml of a release (DDEX ERN 4):
          each sound recording

    Trust comes only from --trust, from a --pack that you chose, or from keys pinned with
    `certifier init --pin URL`; with --pack nothing is fetched unless --server is given.
    Exit codes: 0 valid, 3 not valid, 6 cannot tell, 5 network.
    """  # noqa: D301 - click reads the backspace as: keep these lines
    path, asked = Path(target), CatalogueOptions(**catalogue)
    if is_file(path) and (path.suffix.lower() in SUFFIXES or asked.columns):
        if audio or isrc:
            raise click.UsageError("--audio and --isrc are for one certificate. For a catalogue name a --column.")
        pinned = load_trust(trust)
        opened = _open_pack(pack_file, pinned, datetime.now(UTC)) if pack_file else None
        chosen = pack_file.read_bytes() if pack_file else None
        _check_place(asked.out, {"catalogue": path, "file of certificates": asked.certificates, "pack": pack_file})
        try:
            ctx.exit(verify_catalogue(path, asked, Trusted(pinned, opened, chosen, server), as_json=as_json))
        except NotAllowed as error:
            if asked.key is None:
                error.hint = (
                    "Put a key with the scope verify:bulk into LCAL_KEY. Without one: certifier pack --server URL -o PACK"
                    " --certificates FILE, then --certificates FILE here."
                )
            raise
    if replace(asked, certificates=None).are_given or (asked.certificates and (is_file(path) or is_folder(path))):
        _check_is_there(path)
        raise click.UsageError(f"{target[:80]} is no catalogue; one ends in {', '.join(SUFFIXES)}.")
    sounds = is_file(path) and is_audio(path)
    if sum((sounds, audio is not None, isrc is not None)) > 1:
        raise click.UsageError("One thing is compared: give an audio file, in one place, or --isrc, and not both.")
    now = datetime.now(UTC)
    pinned = load_trust(trust)
    pack = _open_pack(pack_file, pinned, now) if pack_file else None
    client = service_at(server) if server else None
    digests = expected_audio(audio, isrc)
    if sounds:
        digests = digests_of(path)
        given = _given_of_audio(path, digests, client)
    else:
        given = (
            given_of_path(path, client)
            if is_file(path)
            else _given_of_words_or_shelf(target, client, asked.certificates)
        )
    verification = given.check(pinned, digests, now, pack)
    if as_json:
        show_json(verification_document(verification) | ({"pack": _pack_document(pack)} if pack else {}))
    else:
        _show(verification)
        if pack and not pack.is_vouched_for:
            words = f"{pack.issuer_key.id}, fingerprint {pack.fingerprint}"
            console(stderr=True).print(f"  trusted by your choice of this pack alone: {plain(words)}")
    ctx.exit(EXITS_OF_VERDICTS[verification.verdict])


def _pack_document(pack: Pack) -> dict[str, Any]:
    return {
        "made_at": time_text(pack.made_at),
        "issuer_key": pack.issuer_key.id,
        "fingerprint": pack.fingerprint,
        "vouched_for": pack.is_vouched_for,
    }


def load_trust(file: Path | None) -> Trust | None:
    """The trusted keys. A trust file that cannot be read says nothing of the certificate: it is wrong usage."""
    try:
        return trust_of(file)
    except ForeignInputError as error:
        raise _unusable(f"The trust file {file or pinned_trust_file()}", error, "certifier init --pin URL") from error


def is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # too long for a file name
        return False


def _check_place(out: Path | None, read: Mapping[str, Path | None]) -> None:
    """Raises UsageError where the answers would take the place of what they are made from."""
    for what, file in read.items():
        if out and file and out.exists() and out.samefile(file):
            raise click.UsageError(f"--out {str(out)[:80]} is the {what} itself. Give the answers another name.")


def _check_is_there(path: Path) -> None:
    """Raises UsageError for a folder, and for a file that is not there though its name is that of one."""
    if is_folder(path):
        raise click.UsageError(f"{str(path)[:80]} is a folder. Name a file in it.")
    if path.suffix.lower() in SUFFIXES and not is_file(path):
        raise click.UsageError(f"There is no file {str(path)[:80]!r}.")


def is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # too long for a file name
        return False


def given_of_path(path: Path, client: Client | None) -> Given:
    """The certificate in a file, with what lies beside it and what a service has."""
    given = given_of_files(path, client)
    if client and given.missed:
        note = f"{client.server} gave no newer status list; judged by what is at hand"
        console(stderr=True).print(f"  note: {plain(note)}")
    return given


def given_of_words(target: str, client: Client | None) -> Given:
    """A code, or the text of a QR: looked up at a service, or read from the digits of a print."""
    if target.lower().startswith(("http://", "https://")):
        if client is None and parse_qr_text(target).digits is None:
            raise click.UsageError("This QR holds a code alone, which is looked up at a service: give --server URL.")
        return given_of_text(target, client)
    _check_is_code(target)
    if client is None:
        raise click.UsageError(
            "A code is looked up: give --server URL (or set LCAL_SERVER), or --pack PACK with --certificates FILE."
        )
    return given_of_text(target, client)


def _check_is_code(target: str) -> None:
    """Raises UsageError for what is neither a code nor the text of a QR, and names the file that is not there."""
    if target.lower().startswith(("http://", "https://")):
        return
    _check_is_there(Path(target))
    try:
        parse_code(target)
    except MalformedCode as error:
        raise click.UsageError(
            f"There is no file {target[:80]!r}. Read as a code such as GG8W-7E5J-TV: {error.message}"
        ) from error


@dataclass(frozen=True)
class _Shelved:
    """A file of certificates in the place of a service. How they stand says the pack, or the service where one is named."""

    file: Path
    shelf: Shelf
    client: Client | None

    def get(self, path: str) -> bytes:
        return self._record(path).credential

    def get_optional(self, path: str) -> bytes | None:
        return self._record(path).proof

    def status_lists(self, urls: Iterable[str]) -> dict[str, bytes]:
        return self.client.status_lists(urls) if self.client else {}

    def _record(self, path: str) -> Record:
        code = PurePosixPath(path).stem
        records = self.shelf.find("code", [code]).get(code)
        if not records:
            raise NotFound(
                f"No certificate in {self.file} has this code.",
                found=display_code(code),
                hint="Compare it with the label. What was issued since comes with: certifier pack --certificates FILE",
            )
        return records[0]


def _given_of_words_or_shelf(target: str, client: Client | None, certificates: Path | None) -> Given:
    if certificates is None:
        return given_of_words(target, client)
    _check_is_code(target)
    with open_shelf(certificates) as shelf:
        return given_of_text(target, _Shelved(certificates, shelf, client))


def _given_of_audio(path: Path, digests: AudioDigests, client: Client | None) -> Given:
    """The newest certificate for this very file."""
    if client is None:
        raise click.UsageError(
            f"{path} is an audio file: its certificate is looked up at a service (--server URL). "
            f"To check a certificate against it: certifier verify CERTIFICATE --audio {path}"
        )
    return client.given_of_audio(digests)


def _open_pack(file: Path, pinned: Trust | None, now: datetime) -> Pack:
    """The pack. One that cannot be used says nothing of the certificate: it is wrong usage."""
    try:
        return open_pack(file.read_bytes(), pinned, now)
    except ForeignInputError as error:
        raise _unusable(f"The pack {file}", error, "certifier pack --server URL -o FILE") from error


def _unusable(what: str, error: ForeignInputError, command: str) -> UnusableFile:
    """The one error about a file that is to be trusted; the command makes such a file."""
    is_other_kind = isinstance(error, MalformedJson)  # then its own hint is how to save JSON
    hint = f"Make one with: {command}" if is_other_kind or not error.hint else error.hint
    message = f"{what} cannot be used: {error.message}"
    return UnusableFile(message, found=error.found, expected=error.expected, hint=hint)


def _show(verification: Verification) -> None:
    out = console()
    claims, compact = verification.claims, verification.compact
    out.print(f"[bold {COLOURS[verification.verdict]}]{WORDS[verification.verdict]}[/]{_title_of(claims, compact)}")
    out.print(f"  {verification.because}")
    if claims or compact:
        out.print(f"  {_figure_of(claims, compact)}")
    for check in verification.checks:
        out.print(f"  {check.axis:<15}{check.value:<14}{plain(check.found)}".rstrip())
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
