"""Many verifications in one request: a JSON document of at most a thousand items, or lines of JSON, as many as one likes.

Each item is checked by the one verification, and has its own answer in its own place: what is wrong with one of them is its
answer, a problem, and never that of the others. The rows of the database are looked up for many items at once; everything
else is done for each. Nothing is stored.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Literal, NamedTuple

import orjson
import structlog
from flask import Response, g, request
from pydantic import Field, ValidationError

from certifier.certificate.code import display_code, parse_code
from certifier.certificate.times import time_text
from certifier.certificate.verification import ROW_RESULTS, AudioDigests, Material, verification_row
from certifier.crypto.strict_json import Limits, parse_object
from certifier.errors import CertifierError, RateLimited
from certifier.isrc import isrc_in
from certifier.storage.rows import DeliveredRow
from certifier.web.access import Caller, caller, charge_items
from certifier.web.documents import Document
from certifier.web.heap import give_back_soon
from certifier.web.lines import LONGEST_LINE, blocks_of, lines_of, unpacked
from certifier.web.parameters import DIGEST
from certifier.web.problems import (
    MediaTypeUnsupported,
    NoSuchCertificate,
    ParameterInvalid,
    PayloadTooLarge,
    problem_document,
)
from certifier.web.questions import misfit
from certifier.web.responses import JSON, NDJSON, checked_query, reply
from certifier.web.site import Site, checked
from certifier.web.verifications import AudioInQuestion, Held, check_held, code_needed, held_of

MOST_ITEMS = 1_000
TOGETHER = 200  # items whose rows are looked up at once
LOADED = 64 * 1024  # bytes of documents among them: opened, each takes several times as much until it is answered
LONGEST_REF = 200
LOOK_AGAIN_S = 0.5
BODY = Limits(max_bytes=8 * 1024 * 1024, max_nodes=400_000)
RECORD = "record"

log = structlog.get_logger(__name__)


# -- what is asked and answered -------------------------------------------------------------------------------------


class BatchItem(Document):
    """One question: exactly one of ``code``, ``isrc``, ``sha256``, ``essence_sha256`` and ``credential``.

    ``ref`` comes back in the answer. A credential is the JSON document itself or the text of any form, and may bring its own
    proof. ``audio`` is the file that the asker holds.
    """

    ref: str | None = Field(default=None, max_length=LONGEST_REF, examples=["row-1"])
    code: str | None = Field(default=None, max_length=100, examples=["GG8W-7E5J-TV"])
    isrc: str | None = Field(default=None, max_length=40, examples=["QZABC2600001"])
    sha256: str | None = Field(default=None, pattern=DIGEST)
    essence_sha256: str | None = Field(default=None, pattern=DIGEST)
    credential: dict[str, Any] | str | None = None
    proof: str | None = Field(default=None, max_length=64 * 1024)
    audio: AudioInQuestion | None = None


class BatchRequest(Document):
    """``include`` asks for the record beside each answer, so that it can be verified again without this service."""

    items: list[BatchItem] = Field(max_length=MOST_ITEMS)
    include: list[Literal["record"]] = Field(default=[])


class RecordView(Document):
    """The signed certificate, byte for byte, and the text of its ``.tlog-proof``."""

    credential: str
    proof: str


class BatchAnswer(Document):
    """``result`` is the verdict, ``no_certificate`` where there is none, or ``problem`` where the question cannot be answered.

    What is looked up is answered for the newest certificate in force, else for the newest. ``problem`` is an object of RFC 9457.
    """

    ref: str | None
    result: Literal["valid", "valid_with_warnings", "not_valid", "cannot_tell", "no_certificate", "problem"]
    code: str | None
    verdict: str | None
    because: str | None
    outcome: str | None
    assessed_g_per_min: str | None
    axes: dict[str, str] | None
    problem: dict[str, Any] | None = None
    record: RecordView | None = None


class BatchSummary(Document):
    """How many answers there are of each result."""

    valid: int
    valid_with_warnings: int
    not_valid: int
    cannot_tell: int
    no_certificate: int
    problem: int


class BatchView(Document):
    """The answers, in the order of the items."""

    items: list[BatchAnswer]
    summary: BatchSummary


# -- the two forms --------------------------------------------------------------------------------------------------


def verify(site: Site) -> Response:
    """Check many. 200 whatever the verdicts; an error only where the request as a whole cannot be read."""
    if request.mimetype == NDJSON:
        return _answer_lines(site)
    if request.mimetype == JSON:
        return _answer_document(site)
    raise MediaTypeUnsupported(
        "A batch is JSON, or lines of JSON.",
        found=request.mimetype or "no content type",
        expected=f"{JSON} or {NDJSON}",
    )


def _answer_document(site: Site) -> Response:
    checked_query()
    _refuse_encoding("identity")
    request.max_content_length = BODY.max_bytes
    items, with_records = _parse_batch(parse_object(request.get_data(cache=False), BODY))
    site.material(site.clock(), None)  # raises where no status can be told: then there is no answer to any item
    charge_items(site, caller(), len(items))
    asker = Asker(site, g.request_id, with_records=with_records)
    counted: Counter[str] = Counter()
    written: list[bytes] = []
    for answer in asker.answers_to(map(parse_question, taken_from(items))):
        counted[answer["result"]] += 1
        written.append(orjson.dumps(answer))
    summary = orjson.dumps({result: counted[result] for result in ROW_RESULTS})
    response = reply(b'{"items":[%b],"summary":%b}' % (b",".join(written), summary), JSON, "not at all")
    response.call_on_close(give_back_soon)
    return response


def taken_from(items: list[Any]) -> Iterator[Any]:
    """The items in their order, each let go of here: a document takes room only until its answer is written."""
    items.reverse()
    while items:
        yield items.pop()


def _parse_batch(document: Mapping[str, Any]) -> tuple[list[Any], bool]:
    for name in document:
        if name not in BatchRequest.model_fields:
            raise ParameterInvalid(
                f"There is no member {name[:40]!r}.",
                found=name[:40],
                expected="items, include",
                pointer=f"/{name[:100]}",
            )
    items, include = document.get("items"), document.get("include", [])
    if not isinstance(items, list):
        raise ParameterInvalid("A batch has a list of items.", expected='{"items": [ … ]}', pointer="/items")
    if len(items) > MOST_ITEMS:
        raise PayloadTooLarge(
            "These are too many items for one document.",
            found=f"{len(items)}",
            expected=f"at most {MOST_ITEMS}",
            hint=f"Send several, or lines of JSON as {NDJSON}: there may be any number of them.",
            pointer="/items",
        )
    if include not in ([], [RECORD]):
        raise ParameterInvalid("This cannot be included.", expected=f'"include": ["{RECORD}"]', pointer="/include")
    return items, bool(include)


def _answer_lines(site: Site) -> Response:
    with_records = checked_query(include=("", RECORD))["include"] == RECORD
    is_packed = _refuse_encoding("identity", "gzip") == "gzip"
    site.material(site.clock(), None)  # what cannot be answered now is told while there is a status to tell it by
    request.max_content_length = 2**62  # as many lines as one likes; each of them is bounded
    blocks = blocks_of(request.stream, site.settings.upload_seconds)
    known = caller()
    give_back = site.place_for_stream(known.holder)
    asker = Asker(site, g.request_id, with_records=with_records)
    together = min(TOGETHER, site.limits.policies["bulk"].quota or TOGETHER)  # what can be charged at once
    lines = lines_of(unpacked(blocks) if is_packed else blocks)
    answers = _told(asker, lines, together, partial(_pace, site, known), give_back)
    response = Response(answers, content_type=NDJSON)
    response.call_on_close(give_back_soon)
    response.call_on_close(give_back)  # of an answer that nobody began to read, too
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Accel-Buffering"] = "no"  # else a proxy keeps the answers until the last of them
    return response


def _refuse_encoding(*known: str) -> str:
    """The coding of the body. Raises MediaTypeUnsupported for one that is not read."""
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in known:
        raise MediaTypeUnsupported(
            "This coding of the body is not read.", found=coding[:40], expected=" or ".join(known)
        )
    return coding


def _pace(site: Site, known: Caller, number: int) -> None:
    """Wait until the holder of the key may ask this many items: a stream that comes too fast is slowed down, not refused."""
    while True:
        try:
            charge_items(site, known, number)
        except RateLimited:
            time.sleep(LOOK_AGAIN_S)
        else:
            return


def _told(
    asker: Asker,
    arrived: Iterable[list[bytes | None]],
    together: int,
    pace: Callable[[int], None],
    give_back: Callable[[], None],
) -> Iterator[bytes]:
    """The answers as lines, some of them together; a fault in the stream itself is its last line."""
    try:
        for lines in arrived:
            following = iter(lines)
            while some := list(islice(following, together)):
                pace(len(some))
                yield b"".join(map(_line, asker.answers_to(map(_parse_line, some))))
    except CertifierError as error:
        yield _line(asker.problem(None, error))
    finally:
        give_back()


def _line(answer: Mapping[str, Any]) -> bytes:
    return orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE)


# -- one question ---------------------------------------------------------------------------------------------------


class Question(NamedTuple):
    """What is asked, read: by what a certificate is looked up, or the document that was sent, or why it cannot be read."""

    ref: str | None
    kind: Literal["code", "isrc", "sha256", "essence_sha256", "credential", "none"] = "none"
    value: str = ""
    held: Held | None = None
    audio: AudioDigests | None = None
    error: CertifierError | None = None


def _parse_line(line: bytes | None) -> Question:
    if line is None:
        return Question(
            None, error=PayloadTooLarge("The line is too long.", expected=f"at most {LONGEST_LINE} bytes in a line")
        )
    try:
        return parse_question(parse_object(line))
    except CertifierError as error:
        return Question(None, error=error)


def parse_question(raw: Any) -> Question:
    """The question in an item. What is wrong with it becomes part of it."""
    ref = raw.get("ref") if isinstance(raw, dict) else None
    ref = ref if isinstance(ref, str) and len(ref) <= LONGEST_REF else None
    try:
        return _question_in(BatchItem.model_validate(raw))
    except ValidationError as error:
        return Question(ref, error=misfit(error, "The item cannot be read."))
    except CertifierError as error:
        return Question(ref, error=error)


def _question_in(item: BatchItem) -> Question:
    named = {
        "code": item.code,
        "isrc": item.isrc,
        "sha256": item.sha256,
        "essence_sha256": item.essence_sha256,
        "credential": item.credential,
    }
    given = [name for name, value in named.items() if value is not None]
    if len(given) != 1:
        raise ParameterInvalid(
            "An item asks by exactly one thing.",
            found=", ".join(given) or "none",
            expected=f"one of {', '.join(named)}",
        )
    kind, audio = given[0], AudioDigests(item.audio.sha256, item.audio.essence_sha256) if item.audio else None
    if item.proof is not None and kind != "credential":
        raise ParameterInvalid("A proof goes with a credential.", found=f"{kind} and proof", pointer="/proof")
    return _QUESTIONS[kind](item, audio)


def _by_code(item: BatchItem, audio: AudioDigests | None) -> Question:
    return Question(item.ref, "code", parse_code(item.code or ""), audio=audio)


def _by_isrc(item: BatchItem, audio: AudioDigests | None) -> Question:
    isrc = isrc_in(item.isrc or "")
    if not isrc:
        raise ParameterInvalid(
            "This is not an ISRC.",
            found=(item.isrc or "")[:40],
            expected="twelve letters and digits, such as QZABC2600001",
            pointer="/isrc",
        )
    return Question(item.ref, "isrc", isrc, audio=audio or AudioDigests("", isrc=isrc))


def _by_sha256(item: BatchItem, audio: AudioDigests | None) -> Question:
    digest = item.sha256 or ""
    return Question(item.ref, "sha256", digest, audio=audio or AudioDigests(digest))


def _by_essence(item: BatchItem, audio: AudioDigests | None) -> Question:
    digest = item.essence_sha256 or ""
    return Question(item.ref, "essence_sha256", digest, audio=audio or AudioDigests("", digest))


def _by_credential(item: BatchItem, audio: AudioDigests | None) -> Question:
    proof = item.proof.encode() if item.proof is not None else None
    return Question(item.ref, "credential", held=held_of(item.credential or {}, proof), audio=audio)


_QUESTIONS = {
    "code": _by_code,
    "isrc": _by_isrc,
    "sha256": _by_sha256,
    "essence_sha256": _by_essence,
    "credential": _by_credential,
}


# -- the answers ----------------------------------------------------------------------------------------------------


class Known(NamedTuple):
    """What is looked up for many questions at once: rows by code and by recording, and codes that only the log knows."""

    now: datetime
    common: Material
    rows: Mapping[str, DeliveredRow]
    recordings: Mapping[tuple[str, str], DeliveredRow]
    only_in_log: frozenset[str]


class Asker:
    """Answers the questions of one request."""

    def __init__(self, site: Site, request_id: str, *, with_records: bool) -> None:
        self._site = site
        self._with_records = with_records
        self.request_id = request_id

    def answers_to(self, questions: Iterable[Question]) -> Iterator[dict[str, Any]]:
        """The answers, in order; rows are looked up for some of them together."""
        following, counted = iter(questions), self._site.metrics.rows_counted
        while some := _some_of(following):
            yield from counted(self._answers_together(some))

    def _answers_together(self, questions: Sequence[Question]) -> Iterator[dict[str, Any]]:
        """What is looked up for these is let go of before the next are."""
        try:
            known = self._look_up(questions)
        except CertifierError as error:  # the database is away: no answer, but to each question its own
            for question in questions:
                yield self.problem(question.ref, question.error or error)
        else:
            for question in questions:
                yield self._answer_to(question, known)

    def _look_up(self, questions: Sequence[Question]) -> Known:
        """One question to the database for each kind of name that is asked by."""
        site = self._site
        now, store = site.clock(), site.certifier.store
        asked: dict[Any, set[str]] = {"code": set(), "isrc": set(), "sha256": set(), "essence_sha256": set()}
        for question in questions:
            if question.held:
                asked["code"].add(code_needed(site, question.held) or "")
            elif question.kind in asked:
                asked[question.kind].add(question.value)
        codes = sorted(asked.pop("code") - {""})
        rows = {row.code: row for row in store.delivered_of(codes)} if codes else {}
        missing = [code for code in codes if code not in rows]
        logged = {placed.code or "" for placed in store.issue_entries(missing)} if missing else set()
        recordings = {
            (kind, name): row
            for kind, names in asked.items()
            if names
            for name, row in store.newest_in_force(kind, names, time_text(now), site.suspended(now)).items()
        }
        return Known(now, site.material(now, None), rows, recordings, frozenset(logged))

    def _answer_to(self, question: Question, known: Known) -> dict[str, Any]:
        try:
            if question.error:
                raise question.error
            return self._verified(question, known)
        except CertifierError as error:
            return self.problem(question.ref, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours in one item is not that of the others
            log.error("failed", request_id=self.request_id, kind=type(error).__name__)  # noqa: TRY400 - a text may quote
            return self.problem(question.ref, error)

    def _verified(self, question: Question, known: Known) -> dict[str, Any]:
        common = known.common.with_audio(question.audio) if question.audio else known.common
        if question.held:
            code = code_needed(self._site, question.held)
            row = known.rows.get(code) if code else None
            return _row(question, verification_row(check_held(self._site, question.held, row, common, known.now)))
        is_code = question.kind == "code"
        row = known.rows.get(question.value) if is_code else known.recordings.get((question.kind, question.value))
        if row is None:
            if question.value in known.only_in_log:
                raise NoSuchCertificate(
                    "This certificate is in the log, and its file is not here just now.",
                    found=display_code(question.value),
                    hint="The label is not false for that. Ask its holder for the file, and verify that.",
                )
            return _row(question, _NO_CERTIFICATE)
        answer = verification_row(checked(row, common.with_proof(row.proof), known.now))
        answer["code"] = display_code(row.code)  # asked for or looked up here, whatever became of the document
        if self._with_records:
            credential, proof = (each.decode("utf-8", "replace") for each in (row.document, row.proof or b""))
            answer["record"] = {"credential": credential, "proof": proof}
        return _row(question, answer)

    def problem(self, ref: str | None, error: Exception) -> dict[str, Any]:
        """The answer to what cannot be answered."""
        document = problem_document(error, self._site.settings.base_url, self.request_id)
        return {"ref": ref, **_EMPTY, "result": "problem", "problem": document}


def _some_of(following: Iterator[Question]) -> list[Question]:
    """The next questions that are answered together: TOGETHER of them, fewer where they bring long documents as text.

    Those that came as objects are in memory already.
    """
    some, loaded = [], 0
    for question in islice(following, TOGETHER):
        some.append(question)
        loaded += len(question.held.raw) if question.held else 0
        if loaded >= LOADED:
            break
    return some


_EMPTY = dict.fromkeys(("result", "code", "verdict", "because", "outcome", "assessed_g_per_min", "axes"))
_NO_CERTIFICATE = {**_EMPTY, "result": "no_certificate"}


def _row(question: Question, answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"ref": question.ref, **answer}
