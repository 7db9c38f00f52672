"""``certifier status recompute``: the status lists a second time, from the log, by anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click

from certifier.certificate.code import display_code
from certifier.certificate.proof import split_proof
from certifier.certificate.recompute import (
    ListDifferences,
    StatusPositions,
    computed_at,
    list_differences,
    status_positions,
)
from certifier.certificate.status import MOST_LISTS, PURPOSES, StatusList, open_status_list, parse_status_list
from certifier.certificate.trust import Trust, parse_trust
from certifier.cli.mirror import ADDRESS, PublishedLog, is_freeze, last_name
from certifier.cli.monitor import VKEY, trusted_log_keys
from certifier.cli.options import TRUST, service_at, settings_of
from certifier.cli.output import EXIT_CANNOT_TELL, EXIT_REFUSED, console, plain, show_json
from certifier.cli.verify import load_trust
from certifier.client import Client
from certifier.crypto.strict_json import parse_object
from certifier.errors import ForeignInputError, NotFoundError, UnreachableError
from certifier.log.growth import grow
from certifier.log.merkle import Tree
from certifier.log.note import VerifierKey, open_checkpoint

STATES = {"revocation": "revoked", "suspension": "suspended"}
SHOWN = 20  # positions or codes in one line


@dataclass(frozen=True)
class Published:
    """What is compared: the entries of each log, the oldest log first; certificates without proof; the lists by purpose and
    number.

    ``gaps`` say what is known to exist and could not be had: then an agreement cannot be told.
    """

    logs: Mapping[str, Sequence[bytes]]
    payload_of: Callable[[str], dict[str, Any] | None]
    lists: Mapping[tuple[str, int], StatusList]
    gaps: tuple[str, ...] = ()

    def entries_at(self, origin: str | None, size: int) -> list[bytes] | None:
        """Everything that a list computed at this size of this log rests on; None when that is not at hand."""
        origins = list(self.logs)
        newest = origins[-1] if origin is None else origin
        if newest not in self.logs or size > len(self.logs[newest]):
            return None
        before = chain.from_iterable(self.logs[older] for older in origins[: origins.index(newest)])
        return [*before, *islice(self.logs[newest], size)]


@dataclass(frozen=True)
class Comparison:
    """One list against the log; ``agrees`` is None when it cannot be told."""

    purpose: str
    number: int
    agrees: bool | None
    size: int
    log_size: int
    set_count: int
    found: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.purpose if self.number == 1 else f"{self.purpose} {self.number}"


@click.group("status")
def status() -> None:
    """The status lists: who is revoked, who is suspended."""


@status.command()
@click.option("--server", envvar="LCAL_SERVER", help="The service, e.g. http://127.0.0.1:8000.")
@click.option(
    "--home", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Instead: an installation here."
)
@VKEY
@TRUST
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.pass_context
def recompute(
    ctx: click.Context, server: str | None, home: Path | None, vkeys: tuple[str, ...], trust: Path | None, as_json: bool
) -> None:
    """Compute the status lists from the log's entries, and compare them with the lists that the service signed.

    Exit codes: 0 they agree, 3 they differ or the log is not whole, 5 network, 6 cannot tell.
    """
    if home is not None:
        published = published_at_home(home)
    elif server is not None:
        published = _published_by(server, vkeys, trust)
    else:
        raise click.UsageError("Name a service (--server URL) or an installation (--home DIR).")
    comparisons = [comparison for purpose in PURPOSES for comparison in compare(published, purpose)]
    if as_json:
        show_json({"agrees": _verdict(comparisons), "lists": [vars(comparison) for comparison in comparisons]})
    else:
        width = 2 + max(len(comparison.name) for comparison in comparisons)
        for comparison in comparisons:
            _show(comparison, width)
    ctx.exit({True: 0, False: EXIT_REFUSED, None: EXIT_CANNOT_TELL}[_verdict(comparisons)])


def _published_by(server: str, vkeys: tuple[str, ...], trust: Path | None) -> Published:
    keys = trusted_log_keys(vkeys, trust)
    if not keys:
        raise click.UsageError("Name the log's key: --vkey or --trust, or pin keys with `certifier init --pin URL`.")
    trusted = None if vkeys and not trust else load_trust(trust)
    if trusted is None:
        console(stderr=True).print("The signatures of the lists are not checked: that takes a trust file (--trust).")
    return published_over_http(service_at(server), keys, trusted)


def published_at_home(home: Path) -> Published:
    """What an installation would publish now, from its own database; nothing is written."""
    from certifier.service.home import open_certifier  # noqa: PLC0415 - the service, which a light installation lacks

    now = datetime.now(UTC)
    certifier = open_certifier(settings_of(home), now)
    try:
        lists = {
            (purpose, number): _unverified(certifier.published.status_list(purpose, number, now))
            for purpose, number in certifier.published.status_urls().values()
        }
        logs = {book.origin: book.entries_between(0, book.head.size) for book in certifier.logbooks}
        rows = {code: certifier.store.certificate(code) for code in certifier.published.changed_codes()}
        payloads = {code: parse_object(row.payload) for code, row in rows.items() if row}
    finally:
        certifier.close()
    return Published(logs, payloads.get, lists)


def compare(published: Published, purpose: str) -> list[Comparison]:
    """The served lists of a purpose against those that the log leads to, in the order of their numbers."""
    lists = {number: served for (of, number), served in sorted(published.lists.items()) if of == purpose}
    computed_for = cache(partial(_computed, published))
    comparisons, unexplained = list[Comparison](), 0
    for number, served in lists.items():
        at = computed_at(served)
        origin = at.origin or list(published.logs)[-1]
        log_size, computed = len(published.logs.get(origin, ())), computed_for(origin, at.size)
        if computed is None:
            gap = f"the list was computed from {origin} at size {at.size}; that log is at hand up to size {log_size}"
            comparisons.append(Comparison(purpose, number, None, at.size, log_size, 0, (gap,)))
            continue
        codes = computed.codes_in(purpose, number)
        differences = list_differences(served, codes)
        unexplained += len(differences.unfounded)
        agrees = _agrees(differences, unexplained, computed, purpose, published)
        words = (*_differences_in_words(differences, computed, purpose, number), *_unknowns(computed, purpose))
        comparisons.append(
            Comparison(purpose, number, agrees, at.size, log_size, len(codes), (*words, *published.gaps))
        )
    return comparisons + _unserved(published, purpose, comparisons[0], computed_for)


def _computed(published: Published, origin: str, size: int) -> StatusPositions | None:
    entries = published.entries_at(origin, size)
    return None if entries is None else status_positions(entries, published.payload_of)


def _unserved(
    published: Published,
    purpose: str,
    first: Comparison,
    computed_for: Callable[[str, int], StatusPositions | None],
) -> list[Comparison]:
    """Lists in which a bit must be set, as of the first list's size, and that the service does not have."""
    origin = computed_at(published.lists[purpose, 1]).origin or list(published.logs)[-1]
    computed = computed_for(origin, first.size)
    if computed is None:
        return []
    last = max(number for of, number in published.lists if of == purpose)
    missing = {
        number: computed.codes_in(purpose, number) for number in range(last + 1, computed.last_list(purpose) + 1)
    }
    return [
        Comparison(purpose, number, False, first.size, first.log_size, len(codes), ("there is no such list",))
        for number, codes in missing.items()
        if codes
    ]


def _agrees(
    differences: ListDifferences, unexplained: int, computed: StatusPositions, purpose: str, published: Published
) -> bool | None:
    """Whether what is unknown could explain what differs: each missing certificate may account for one set position.

    ``unexplained`` counts such positions in this list and those of its purpose before it.
    """
    missing = len(computed.missing_in(purpose))
    if differences.unset and not computed.unread:
        return False
    if computed.unread or published.gaps:
        return None
    if differences.unfounded and unexplained > missing:
        return False
    return None if missing else True


def _differences_in_words(
    differences: ListDifferences, computed: StatusPositions, purpose: str, number: int
) -> list[str]:
    words = []
    if differences.unset:
        codes = computed.codes_in(purpose, number)
        named = [f"{display_code(codes[at])} ({at})" for at in sorted(differences.unset)]
        words.append(f"{STATES[purpose]} in the log, and not set in the list: {_listed(named)}")
    if differences.unfounded:
        elsewhere = {at: code for other in PURPOSES for at, code in computed.codes_in(other, number).items()}
        named = [
            f"position {at}" + (f" (perhaps {display_code(elsewhere[at])})" if at in elsewhere else "")
            for at in sorted(differences.unfounded)
        ]
        words.append(f"set in the list, and the log does not say why: {_listed(named)}")
    return words


def _unknowns(computed: StatusPositions, purpose: str) -> list[str]:
    words = []
    if missing := computed.missing_in(purpose):
        named = _listed([display_code(code) for code in missing])
        words.append(f"{STATES[purpose]}, and the certificate cannot be had or does not fit the log: {named}")
    if computed.unread:
        named = _listed([str(index) for index in computed.unread])
        words.append(f"entries that this version does not know and that might change a status: {named}")
    return words


def _listed(items: Sequence[str]) -> str:
    more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return ", ".join(items[:SHOWN]) + more


def _verdict(comparisons: Sequence[Comparison]) -> bool | None:
    answers = {comparison.agrees for comparison in comparisons}
    return False if False in answers else None if None in answers else True


def _show(comparison: Comparison, width: int) -> None:
    words = {True: "[green]agrees[/]", False: "[bold red]DIFFERS[/]", None: "[yellow]cannot tell[/]"}
    of = "" if comparison.size == comparison.log_size else f" (the log has {comparison.log_size} entries now)"
    out = console()
    out.print(
        f"{comparison.name:<{width}}{words[comparison.agrees]}: {comparison.set_count} set at log size"
        f" {comparison.size}{of}"
    )
    for found in comparison.found:
        out.print(f"{'':<{width}}{plain(found)}")


# -- the service, over HTTP -----------------------------------------------------------------------------------------


def published_over_http(client: Client, keys: Sequence[VerifierKey], trust: Trust | None) -> Published:
    """What a service publishes, the logs and the lists verified. Without ``trust`` the lists' signatures are not checked.

    Raises LogMisbehaves or BadSignature for what was changed, UnreachableError.
    """
    # The lists first: the log can only be larger than they say.
    lists = {(purpose, number): found for purpose in PURPOSES for number, found in _lists(client, purpose, trust)}
    logs, gaps = _logs(client, keys)
    if trust is None:
        gaps = (*gaps, *_untold_logs(client, keys, list(logs)[-1]))

    @cache
    def payload_of(code: str) -> dict[str, Any] | None:
        try:
            payload, _ = split_proof(parse_object(client.get(f"/v/{code}.vc")))
        except (NotFoundError, ForeignInputError):
            return None
        return payload

    return Published(logs, payload_of, lists, gaps)


def _logs(client: Client, keys: Sequence[VerifierKey]) -> tuple[dict[str, Sequence[bytes]], tuple[str, ...]]:
    """The entries of the log that is written to and of each one before it, by origin; and what could not be had."""
    log = PublishedLog(client)
    current, entries = _entries_of(log, log.checkpoint_of_service(), keys)
    host = current.rpartition("/")[0]
    names = [key.name for key in keys if key.name.rpartition("/")[0] == host]
    logs: dict[str, Sequence[bytes]] = {}
    gaps = []
    for name in names[: names.index(current)]:
        log = PublishedLog(client, f"{ADDRESS}/{last_name(name)}")
        note = log.checkpoint()
        if note is None:
            gaps.append(f"the older log {name} is not served")
            continue
        _, logs[name] = _entries_of(log, note, [key for key in keys if key.name == name])
        if not logs[name] or not is_freeze(logs[name][-1]):
            gaps.append(f"the older log {name} does not end in a freeze entry")
    return {**logs, current: entries}, tuple(gaps)


def _untold_logs(client: Client, keys: Sequence[VerifierKey], current: str) -> list[str]:
    """Older logs whose key was not named. A trust file lists every log; without one the service's word is a warning."""
    try:
        logs = parse_trust(client.get_optional("/trust.json") or b"").logs
    except ForeignInputError:
        return []
    named = {key.name for key in keys}
    names = [key.name for key in logs]
    older = names[: names.index(current)] if current in names else []
    return [f"the key of the older log {name} was not named" for name in older if name not in named]


def _entries_of(log: PublishedLog, note: bytes, keys: Sequence[VerifierKey]) -> tuple[str, Sequence[bytes]]:
    """The log's origin and its entries, which lead to its checkpoint's root."""
    checkpoint = open_checkpoint(note, keys)
    return checkpoint.origin, grow(Tree(), None, checkpoint, log.read)


def _lists(client: Client, purpose: str, trust: Trust | None) -> Iterator[tuple[int, StatusList]]:
    """The lists of a purpose, from the first one until the service says that it has no other."""
    for number in range(1, MOST_LISTS + 1):
        path = f"/status/{purpose}/{number}"
        try:
            raw = client.get_fresh(path)
        except NotFoundError as error:
            if number == 1:
                raise UnreachableError(
                    f"There is no {purpose} list at {client.server}{path}.", found="HTTP 404"
                ) from error
            return
        served = _unverified(raw) if trust is None else open_status_list(raw, trust)
        if served.purpose != purpose or not served.url.endswith(path):
            raise ForeignInputError(
                f"{path} is not the {purpose} list.", found=f"{served.purpose[:40]}, {served.url[:200]}", expected=path
            )
        yield number, served


def _unverified(raw: bytes) -> StatusList:
    unsigned, _ = split_proof(parse_object(raw))
    return parse_status_list(unsigned)
