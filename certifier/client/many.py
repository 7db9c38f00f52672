"""Many verifications: in order, some at a time, read as they are needed, each with its own answer whatever happens to others."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, get_args

from certifier.certificate.code import parse_code
from certifier.certificate.verification import AudioDigests, Verification
from certifier.client.errors import NotAllowed, NotFound, error_of
from certifier.client.given import Given, check_code_of, given_of_bytes, given_of_code, status_urls
from certifier.errors import CertifierError, ForeignInputError
from certifier.isrc import plain_isrc

if TYPE_CHECKING:
    from certifier.client.client import Client

By = Literal["code", "isrc", "sha256", "essence_sha256"]
Item = str | Mapping[str, Any]  # what is neither is a problem of its own
WORKERS = 8
CHUNK = 100  # rows of one batch: about a megabyte comes back
BATCHES = "/api/v1/verification-batches"
FRESH_S = 60.0  # as long as the service itself lets a list be kept
_KINDS = (*get_args(By), "credential")
_VALUE = re.compile(r"[ -~]{1,100}")  # codes, ISRCs and digests are short, and ASCII


@dataclass(frozen=True)
class Result:
    """What became of one item.

    ``ref`` is the item's own name, or its value. ``result`` is a verdict (valid, valid_with_warnings, not_valid, cannot_tell),
    ``no_certificate``, or ``problem``; then ``problem`` says what. ``verification`` was made here; None without a verdict.
    """

    ref: str
    result: str
    verification: Verification | None = None
    problem: CertifierError | None = None


@dataclass(frozen=True)
class _Asked:
    """One item as it is asked. ``audio`` is what the certificate has to be for, and what it was found by."""

    ref: str
    kind: str
    value: str
    audio: AudioDigests | None
    proof: bytes | None = None


def verify_many(client: Client, items: Iterable[Item], workers: int, by: By) -> Iterator[Result]:
    """As ``Client.verify_many`` says."""
    if by not in get_args(By) or workers < 1:
        raise ValueError(f"by is one of {', '.join(get_args(By))}; workers is 1 or more.")
    return _in_order(_Run(client, by), iter(items), workers, CHUNK if client.has_key else 1)


def _in_order(run: _Run, items: Iterator[Item], workers: int, chunk: int) -> Iterator[Result]:
    """The results in the items' order; no more than one chunk for each worker is under way, and as many wait to be taken."""
    under_way = deque[Future[list[Result]]]()
    with ThreadPoolExecutor(workers, "verify-many") as pool:
        try:
            while True:
                while len(under_way) < 2 * workers and (some := list(islice(items, chunk))):
                    under_way.append(pool.submit(run.results_of, some))
                if not under_way:
                    return
                yield from under_way.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class _Run:
    """One call of ``verify_many``: a source of files that asks for each status list once a minute."""

    def __init__(self, client: Client, by: By) -> None:
        self._client, self._by = client, by
        self._lists: dict[str, tuple[float, bytes | None]] = {}
        self._lock = threading.Lock()

    def results_of(self, items: list[Item]) -> list[Result]:
        asked = [self._asked(item) for item in items]
        batched = [each for each in asked if isinstance(each, _Asked) and each.kind != "credential"]
        answers = dict(zip(map(id, batched), self._batch(batched), strict=True)) if self._client.has_key else {}
        return [
            each if isinstance(each, Result) else answers[id(each)] if id(each) in answers else self._alone(each)
            for each in asked
        ]

    # -- one by one

    def _alone(self, asked: _Asked) -> Result:
        try:
            given = self._given(asked)
        except NotAllowed:
            raise
        except NotFound:
            return Result(asked.ref, "no_certificate")
        except CertifierError as error:
            return Result(asked.ref, "problem", problem=error)
        return self._checked(asked, given)

    def _given(self, asked: _Asked) -> Given:
        if asked.kind == "credential":
            return given_of_bytes(_bytes(asked.value), asked.proof, self)
        code = parse_code(asked.value) if asked.kind == "code" else self._client.code_by(asked.kind, asked.value)  # type: ignore[arg-type]
        return given_of_code(code, self)

    def _checked(self, asked: _Asked, given: Given) -> Result:
        try:
            verification = given.check(self._client.trust, asked.audio, self._client.clock())
        except CertifierError as error:
            return Result(asked.ref, "problem", problem=error)
        return Result(asked.ref, verification.verdict, verification)

    # -- in batches

    def _batch(self, asked: list[_Asked]) -> list[Result]:
        if not asked:
            return []
        items = [{"ref": str(number), each.kind: each.value} for number, each in enumerate(asked)]
        try:
            answer = self._client.post_json(BATCHES, {"items": items, "include": ["record"]})
            rows = answer.get("items")
            if not isinstance(rows, list) or [_member(row, "ref") for row in rows] != [item["ref"] for item in items]:
                raise ForeignInputError(
                    "The service answers other rows than those that were asked.",
                    found=f"{len(rows) if isinstance(rows, list) else 'no'} rows",
                    expected=f"{len(items)} rows in their order",
                )
        except NotAllowed:
            raise
        except CertifierError as error:
            return [Result(each.ref, "problem", problem=error) for each in asked]
        return [self._answered(each, row) for each, row in zip(asked, rows, strict=True)]

    def _answered(self, asked: _Asked, row: Mapping[str, Any]) -> Result:
        """The result of one row: what the service says of a certificate is not believed, its record is checked."""
        match row.get("result"):
            case "no_certificate":
                return Result(asked.ref, "no_certificate")
            case "problem":
                problem = row.get("problem")
                told = problem if isinstance(problem, dict) else {}
                status = told.get("status")
                return Result(asked.ref, "problem", problem=error_of(told, status if isinstance(status, int) else 422))
        record = row.get("record")
        credential, proof = _member(record, "credential"), _member(record, "proof")
        if credential is None:
            return self._alone(asked)
        raw = _bytes(credential)
        try:
            if asked.kind == "code":
                check_code_of(raw, parse_code(asked.value))
        except CertifierError as error:
            return Result(asked.ref, "problem", problem=error)
        return self._checked(asked, Given(raw, _bytes(proof) if proof else None, self.status_lists(status_urls(raw))))

    # -- the items

    def _asked(self, item: Item) -> _Asked | Result:
        """The item as it is asked, or what is wrong with it: nobody is asked what cannot be."""
        if isinstance(item, str):
            item = {"ref": item, self._by: item}
        if not isinstance(item, Mapping):  # a catalogue has gaps, such as None and NaN
            return _misfit("", "An item is a text or an object.", repr(item)[:60], f"a value for {self._by}")
        ref = str(item.get("ref", ""))
        kinds = [kind for kind in _KINDS if item.get(kind) is not None]
        if len(kinds) != 1:
            found = ", ".join(kinds) or "nothing to look for"
            return _misfit(ref, "An item asks for one certificate.", found, f"one of {', '.join(_KINDS)}")
        kind, value, proof = kinds[0], item[kinds[0]], item.get("proof")
        if not isinstance(value, str) or (kind != "credential" and not _VALUE.fullmatch(value.strip())):
            return _misfit(
                ref, f"This is no {kind}.", repr(value)[:60], "a text as it stands on the label or in a catalogue"
            )
        audio = item.get("audio")
        digests = _digests_in(audio) if audio is not None else _found_by(kind, value)
        if audio is not None and digests is None:
            return _misfit(ref, "The audio cannot be read.", repr(audio)[:60], "sha256 and essence_sha256, as texts")
        ref = ref or (value if kind != "credential" else "")
        return _Asked(ref, kind, value.strip(), digests, _bytes(proof) if isinstance(proof, str) else None)

    # -- the source of files (given.Source)

    def get(self, path: str) -> bytes:
        return self._client.get(path)

    def get_optional(self, path: str) -> bytes | None:
        return self._client.get_optional(path)

    def status_lists(self, urls: Iterable[str]) -> dict[str, bytes]:
        """The lists, none older than a minute; one that could not be had is asked for again after that time, too."""
        found = {}
        for url in urls:
            with self._lock:  # many rows need the same list: one of them fetches it
                kept = self._lists.get(url)
                if kept is None or monotonic() - kept[0] > FRESH_S:
                    kept = (monotonic(), self._client.status_lists([url]).get(url))
                    self._lists[url] = kept
            if kept[1] is not None:
                found[url] = kept[1]
        return found


def _misfit(ref: str, message: str, found: str, expected: str) -> Result:
    return Result(ref, "problem", problem=ForeignInputError(message, found=found, expected=expected))


def _digests_in(audio: Any) -> AudioDigests | None:
    """The digests that an item names; None where these are none."""
    if not isinstance(audio, Mapping):
        return None
    sha256, essence = audio.get("sha256"), audio.get("essence_sha256")
    if not any(isinstance(digest, str) for digest in (sha256, essence)):
        return None
    return AudioDigests(sha256 if isinstance(sha256, str) else "", essence if isinstance(essence, str) else None)


def _bytes(text: str) -> bytes:
    """UTF-8; halves of characters pass, for the check to refuse."""
    return text.encode("utf-8", "surrogatepass")


def _found_by(kind: str, value: str) -> AudioDigests | None:
    """What a certificate that was looked up by it has to be for: else another recording's could stand in."""
    match kind:
        case "isrc":
            return AudioDigests("", isrc=plain_isrc(value))
        case "sha256":
            return AudioDigests(value.strip().lower())
        case "essence_sha256":
            return AudioDigests("", value.strip().lower())
    return None


def _member(value: Any, name: str) -> str | None:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
