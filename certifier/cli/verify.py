"""``certifier verify``: the one verification, at the command line."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from certifier.audio.analyse import analyse_audio
from certifier.certificate.code import parse_code
from certifier.certificate.status import status_entries_of, status_file_name
from certifier.certificate.trust import Trust, parse_trust
from certifier.certificate.verify import AudioDigests, Material, Verification, check_certificate, verification_document
from certifier.cli.output import EXIT_CANNOT_TELL, EXIT_REFUSED, console, plain, show_error, show_json
from certifier.client import Client
from certifier.crypto.strict_json import parse_object
from certifier.errors import CertifierError, ForeignInputError, MalformedAudio, MalformedCode

EXIT_CODES = {"valid": 0, "valid_with_warnings": 0, "not_valid": EXIT_REFUSED, "cannot_tell": EXIT_CANNOT_TELL}
COLOURS = {"valid": "green", "valid_with_warnings": "yellow", "not_valid": "red", "cannot_tell": "yellow"}
WORDS = {
    "valid": "VALID",
    "valid_with_warnings": "VALID, WITH A WARNING",
    "not_valid": "NOT VALID",
    "cannot_tell": "CANNOT TELL",
}


def pinned_trust_file() -> Path:
    """Where ``certifier init --pin`` keeps the keys that this person trusts."""
    config = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config"))
    return config / "certifier" / "trust.json"


@click.command()
@click.argument("target", metavar="FILE|CODE")
@click.option(
    "--trust", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Keys to trust; else the pinned ones."
)
@click.option(
    "--audio",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Check that this is the certified file.",
)
@click.option("--server", envvar="LCAL_SERVER", help="Where to fetch what is missing, e.g. http://127.0.0.1:8000.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_context
def verify(
    ctx: click.Context, target: str, trust: Path | None, audio: Path | None, server: str | None, as_json: bool
) -> None:
    """Verify a certificate: a FILE with its proof and status lists beside it, or a CODE at a service.

    Trust comes only from --trust, or from keys pinned with `certifier init --pin URL`.
    Exit codes: 0 valid, 3 not valid, 6 cannot tell, 5 network.
    """
    pinned = load_trust(trust)
    path = Path(target)
    client = Client(server) if server else None
    raw, proof, lists = from_files(path, client) if is_file(path) else from_service(target, client)
    digests = _digests_of(audio) if audio else None
    verification = check_certificate(raw, Material(pinned, proof, lists, digests), datetime.now(UTC))
    if as_json:
        show_json(verification_document(verification))
    else:
        _show(verification)
    ctx.exit(EXIT_CODES[verification.verdict])


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


def from_files(path: Path, client: Client | None) -> tuple[bytes, bytes | None, dict[str, bytes]]:
    """The certificate and what lies beside it by name; a server, when given, supplies the rest."""
    raw = path.read_bytes()
    proof_file = path.with_name(path.name.removesuffix(".json").removesuffix(".vc") + ".tlog-proof")
    document = parse_object(raw)
    urls = _status_urls(document)
    lists = {url: (path.parent / status_file_name(url)) for url in urls}
    proof = proof_file.read_bytes() if proof_file.is_file() else None
    found = {url: file.read_bytes() for url, file in lists.items() if file.is_file()}
    if client:
        code = str(document.get("id")).rpartition("/")[2]
        proof = proof or client.get_optional(f"/v/{code}.tlog-proof")
        found |= client.status_lists(urls)
    return raw, proof, found


def from_service(target: str, client: Client | None) -> tuple[bytes, bytes | None, dict[str, bytes]]:
    try:
        code = parse_code(target)
    except MalformedCode as error:
        raise click.UsageError(
            f"There is no file {target[:80]!r}, and it is not a certificate code such as GG8W-7E5J-TV."
        ) from error
    if client is None:
        raise click.UsageError("A code is looked up at a service: give --server URL (or set LCAL_SERVER).")
    raw = client.get(f"/v/{code}.vc")
    return raw, client.get_optional(f"/v/{code}.tlog-proof"), client.status_lists(_status_urls(parse_object(raw)))


def _status_urls(document: dict[str, Any]) -> list[str]:
    try:
        return [entry.url for entry in status_entries_of(document)]
    except CertifierError:
        return []  # the check itself will say what is wrong with the document


def _show(verification: Verification) -> None:
    out = console()
    claims = verification.claims
    title = f"  {plain(claims.subject.title)} – {plain(claims.subject.artist)}" if claims else ""
    out.print(f"[bold {COLOURS[verification.verdict]}]{WORDS[verification.verdict]}[/]{title}")
    out.print(f"  {verification.because}")
    if claims:
        figures = claims.figures
        out.print(
            f"  at most {figures.assessed_g_per_min} g CO2e per minute of finished music (best estimate"
            f" {figures.central_g_per_min}), {claims.outcome}, {claims.basis.evidence_level}, {claims.basis.standard}"
        )
    for check in verification.checks:
        out.print(f"  {check.axis:<15}{check.value:<14}{plain(check.found)}")
        if check.value in PROBLEMS:
            for label, text in (("expected", check.expected), ("try", check.hint)):
                if text:
                    out.print(f"  {'':<15}{label:<14}{plain(text)}")


PROBLEMS = {"broken", "unknown", "unchecked", "withdrawn", "revoked", "suspended", "expired", "not_yet", "mismatch"}
