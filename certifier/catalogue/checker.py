"""Answers the questions of many rows: looks their certificates up, verifies each here, and says what it found.

What a source gives is not trusted: every record goes through the one verification, with the keys of the pack, its proof from the
log and the status lists. A record that is of another code, recording or file than was asked for is no answer.

The steps for a batch:
 (1) look up what the rows ask for, all of one kind at once
 (2) verify what was found, the newest first
 (3) answer for the newest that is valid, else for the newest
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from certifier.catalogue.online import ServerSource
from certifier.catalogue.questions import Question
from certifier.catalogue.shelf import Record, shelf_in
from certifier.certificate.code import display_code, parse_code
from certifier.certificate.model import Claims
from certifier.certificate.opened import Opened, open_certificate
from certifier.certificate.pack import Pack, open_pack
from certifier.certificate.trust import parse_trust
from certifier.certificate.verdict import verdict_table
from certifier.certificate.verification import Verification, verification_row
from certifier.certificate.verify import cannot_be_read, check_certificate, check_print
from certifier.errors import CertifierError, ForeignInputError, kind_of
from certifier.isrc import plain_isrc

AXES = tuple(verdict_table()["axes"])
MEMBERS = ("result", "code", "verdict", "because", "outcome", "assessed_g_per_min", *AXES, "problem")
VALID = ("valid", "valid_with_warnings")
RENEWED_AFTER = timedelta(minutes=30)  # of a pack that is fetched from a service

Found = Sequence[Record] | CertifierError
Answer = Mapping[str, str | None]  # by the names of MEMBERS; what is missing is None


class Source(Protocol):
    """Where certificates come from."""

    def find(self, kind: str, values: Sequence[str]) -> Mapping[str, Found]:
        """What there is for each of these codes, ISRCs or digests, the newest first; what is not known is left out."""


class NoSource:
    """For catalogues that bring their certificates with them."""

    def find(self, kind: str, values: Sequence[str]) -> Mapping[str, Found]:  # noqa: ARG002 - nothing is here
        return {}


class Checker:
    """Verifies with a pack and a source. ``pack_at`` gives the pack to use at a moment."""

    def __init__(self, pack_at: Callable[[datetime], Pack], source: Source, clock: Callable[[], datetime]) -> None:
        self._pack_at = pack_at
        self._source = source
        self._clock = clock

    def answers(self, questions: Sequence[Question | CertifierError]) -> list[Answer]:
        """An answer to each, in order. Raises only what is wrong with all of them: UnreachableError, OperatorError."""
        now = self._clock()
        desk = _Desk(self._pack_at(now), self._source, now)
        desk.look_up(question for question in questions if isinstance(question, Question))
        told: dict[Question, Answer] = {}
        answers = []
        for question in questions:
            if isinstance(question, CertifierError):
                answers.append(problem_answer(question))
                continue
            if question not in told:  # the same question in one batch is answered once
                told[question] = desk.answer(question)
            answers.append(told[question])
        return answers


class _Desk:
    """What is known while one batch is answered."""

    def __init__(self, pack: Pack, source: Source, now: datetime) -> None:
        self._pack = pack
        self._source = source
        self._now = now
        self._found: dict[str, Mapping[str, Found]] = {}
        self._opened: dict[str, Opened | CertifierError] = {}

    def look_up(self, questions: Iterable[Question]) -> None:
        wanted: dict[str, dict[str, None]] = {}
        for question in questions:
            kind, value = question.kind, question.value
            if kind == "credential":
                kind, value = "code", self._open(question)
            if value:
                wanted.setdefault(kind, {})[value] = None
        self._found = {kind: self._source.find(kind, list(values)) for kind, values in wanted.items()}  # (1)

    def _open(self, question: Question) -> str:
        """The code of a credential whose record is needed: because it brought no proof, or is the print of one."""
        try:
            opened = open_certificate(question.value.encode())
            self._opened[question.value] = opened
            is_ours = opened.issuer == self._pack.issuer
            return parse_code(opened.code) if is_ours and (question.proof is None or opened.form == "compact") else ""
        except (CertifierError, UnicodeEncodeError) as error:
            told = error if isinstance(error, CertifierError) else ForeignInputError("The credential is no text.")
            self._opened.setdefault(question.value, told)
            return ""

    def answer(self, question: Question) -> Answer:
        if question.kind == "credential":
            return self._answer_to_document(question)
        found = self._found[question.kind].get(question.value, ())
        if isinstance(found, CertifierError):
            return problem_answer(found)
        newest: Answer | None = None
        for record in found:  # (2)
            verification = self._verified(question, record)
            if verification.claims and not _is_asked_for(question, verification.claims):
                continue
            answer = _answer_of(verification, record.code)
            if verification.verdict in VALID:  # (3)
                return answer
            newest = newest or answer
        if newest:
            return newest
        return problem_answer(_OTHER_CERTIFICATE) if found else {"result": "no_certificate"}

    def _verified(self, question: Question, record: Record) -> Verification:
        try:
            material = self._pack.material(record.proof, question.audio)
            return check_certificate(record.credential, material, self._now)
        except CertifierError as error:
            return cannot_be_read(error, self._now)

    def _answer_to_document(self, question: Question) -> Answer:
        opened = self._opened[question.value]
        if isinstance(opened, CertifierError):
            return problem_answer(opened)
        found = self._found.get("code", {}).get(_code_of(opened), ())
        record = found[0] if found and not isinstance(found, CertifierError) else None
        raw, proof = question.value.encode(), question.proof.encode() if question.proof is not None else None
        is_ours = record is not None and opened.issuer == self._pack.issuer
        if proof is None and is_ours and record:
            proof = record.proof
        material = self._pack.material(proof, question.audio)
        try:
            if opened.form == "compact" and is_ours and record:
                return _answer_of(check_print(raw, record.credential, material, self._now), None)
            return _answer_of(check_certificate(raw, material, self._now), None)
        except CertifierError as error:
            return problem_answer(error)


_OTHER_CERTIFICATE = ForeignInputError(
    "What lies under this name is another certificate.",
    expected="the certificate that was asked for",
    hint="Fetch the certificates again, and do not rely on these.",
)


def _code_of(opened: Opened) -> str:
    try:
        return parse_code(opened.code)
    except CertifierError:
        return ""


def _is_asked_for(question: Question, claims: Claims) -> bool:
    subject = claims.subject
    named = {
        "code": claims.code,
        "isrc": plain_isrc(subject.isrc or ""),
        "sha256": subject.audio_sha256,
        "essence_sha256": subject.essence_sha256,
    }
    return named[question.kind] == question.value


def _answer_of(verification: Verification, code: str | None) -> Answer:
    """``code`` is that of the place where it was found, whatever became of the document."""
    row: dict[str, Any] = verification_row(verification)
    axes = row.pop("axes")
    if row["code"] is None and code:
        row["code"] = display_code(code)
    return {**row, **axes}


def problem_answer(error: CertifierError) -> Answer:
    """The answer to what cannot be answered; the problem is one JSON object."""
    told = {
        "type": kind_of(error),
        "detail": error.message,
        "found": error.found,
        "expected": error.expected,
        "hint": error.hint,
    }
    return {
        "result": "problem",
        "problem": json.dumps({name: text for name, text in told.items() if text}, ensure_ascii=False),
    }


@dataclass(frozen=True)
class CheckerPlan:
    """What a checker is made of, for processes and machines that each open their own.

    ``pack`` and ``trust`` are the bytes of the files; ``certificates`` is the path of a shelf. With ``server``, newer packs are
    fetched there under the same trust, and certificates where there is no shelf.
    """

    pack: bytes
    trust: bytes | None = None
    certificates: Path | None = None
    server: str | None = None
    key: str | None = None

    def open(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Checker:
        """The checker. Raises MalformedPack, OperatorError, and whatever else makes a pack no pack."""
        trust = parse_trust(self.trust) if self.trust else None
        pack = open_pack(self.pack, trust, clock())
        shelf = shelf_in(self.certificates) if self.certificates else None
        if self.server:
            service = ServerSource(self.server, self.key)
            return Checker(_Renewed(pack, service), shelf or service, clock)
        return Checker(lambda _: pack, shelf or NoSource(), clock)


class _Renewed:
    """The newest pack of a service, fetched again when it grows old: a long run hears of withdrawals."""

    def __init__(self, pack: Pack, source: ServerSource) -> None:
        self._pack = pack
        self._source = source

    def __call__(self, now: datetime) -> Pack:
        if now - self._pack.made_at > RENEWED_AFTER:
            self._pack = open_pack(self._source.pack(), self._pack.trust, now)
        return self._pack
