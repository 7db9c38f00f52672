"""Ask the witnesses of a policy to cosign a checkpoint before it is published.

Source: c2sp.org/tlog-witness, section "add-checkpoint", as its client; c2sp.org/tlog-policy for what is enough. Witnesses
are asked at the same time, each by a thread that does nothing but wait for one answer; what an answer means is decided
here, by the caller's thread. When to ask, and what stops when a witness contradicts the log, is the service's business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Self

import requests

from certifier.errors import (
    BadSignature,
    BusyError,
    CertifierError,
    MalformedNote,
    OperatorError,
    UnreachableError,
)
from certifier.log.note import Checkpoint, VerifierKey, parse_checkpoint, parse_note, verify_signatures
from certifier.log.policy import KnownWitness, Policy
from certifier.log.witness import (
    PATH,
    SIZE_TYPE,
    add_checkpoint_body,
    parse_cosignatures,
    parse_witness_size,
    with_cosignatures,
)
from certifier.sessions import PlainSession

MAX_ANSWER_BYTES = 64 * 1024
GRACE_S = 0.25  # how long the others may still take once there are enough
PROBE_DEADLINE_S = 10.0

# The proof that the tree of the first size is continued by the tree of the second: ``Tree.consistency_proof``.
Consistency = Callable[[int, int], list[bytes]]


class LogInconsistent(OperatorError):
    """A witness holds a tree that our checkpoint does not continue: what was published is not what we would sign."""

    def __init__(self, message: str, *, found: str, expected: str) -> None:
        super().__init__(
            message,
            found=found,
            expected=expected,
            hint="Stop signing and call the people who keep the log. Do not restart with this database: compare it with "
            "the published checkpoint and its backups first.",
        )


class QuorumMissed(BusyError):
    """Too few witnesses cosigned for the policy; ``missing`` names those that did not."""

    def __init__(self, missing: tuple[str, ...], problems: dict[str, str]) -> None:
        super().__init__(
            "Too few witnesses have cosigned the checkpoint.",
            found=f"no cosignature by {', '.join(missing)}",
            expected="a quorum of the witness policy",
            hint=" ".join(problems[name] for name in missing if name in problems) or None,
        )
        self.missing = missing


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP; ``content_type`` is the header as sent, empty when there was none."""

    status: int
    content_type: str
    body: bytes


# Sends a body to a URL, within so many seconds, and brings the answer back or raises one of our errors.
Post = Callable[[str, bytes, float], Answer]


@dataclass(frozen=True, eq=False)
class _Round:
    """One checkpoint that all are asked about; ``ends`` is a reading of the monotonic clock."""

    note: bytes
    checkpoint: Checkpoint
    consistency: Consistency
    ends: float


@dataclass(frozen=True)
class _Question:
    round: _Round
    witness: KnownWitness
    old_size: int
    is_second: bool

    @property
    def checkpoint(self) -> Checkpoint:
        return self.round.checkpoint


@dataclass(frozen=True)
class _Cosigned:
    lines: tuple[str, ...]


@dataclass(frozen=True)
class _Elsewhere:
    """The witness last cosigned another size than the one it was asked from."""

    size: int


@dataclass(frozen=True)
class _Unhelpful:
    sentence: str


@dataclass(frozen=True)
class _Contradiction:
    sentence: str
    found: str


_Finding = _Cosigned | _Elsewhere | _Unhelpful | _Contradiction
_Findings = dict[str, _Finding]  # by the name of the witness


class Witnesses:
    """The witnesses of one policy, and the size of our log that each of them had when it last told.

    ``problems`` says in one sentence for each witness why its last cosignature is missing. Raises OperatorError for a
    witness whose URL is no address of the web. Close it when done.
    """

    def __init__(self, policy: Policy, post: Post | None = None) -> None:
        for witness in policy.witnesses:
            _check_url(witness)
        self.policy = policy
        self.problems: dict[str, str] = {}
        self._http = HttpPost()
        self._post = post or self._http
        self._sizes: dict[str, int] = {}
        self._lock = Lock()  # one round at a time
        self._inbox: SimpleQueue[tuple[_Question, Answer | CertifierError]] = SimpleQueue()
        self._under_way: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that were kept."""
        self._http.close()

    @property
    def sizes(self) -> dict[str, int | None]:
        """By witness the size that it last told or cosigned; None when it has not answered since the start."""
        return {witness.name: self._sizes.get(witness.name) for witness in self.policy.witnesses}

    def cosign(self, note: bytes, consistency: Consistency, deadline_s: float) -> bytes:
        """The checkpoint with all cosignatures that came within the deadline, when the policy is satisfied by them.

        Call it with the newest checkpoint of the log, before that is published; ``consistency`` is called by this
        thread. Raises LogInconsistent when a witness holds more than this checkpoint or another tree; QuorumMissed when
        too few cosigned, which the same call may mend later; MalformedNote or BadSignature for the note itself.
        """
        keys = [witness.key for witness in self.policy.witnesses]
        verify_signatures(parse_note(note), keys)
        with self._lock:
            checkpoint, findings = self._ask_all(note, consistency, deadline_s)
        for name, finding in findings.items():
            if isinstance(finding, _Elsewhere) and finding.size > checkpoint.size:
                raise _behind(name, finding.size, checkpoint)
        lines = [line for found in findings.values() if isinstance(found, _Cosigned) for line in found.lines]
        cosigned = with_cosignatures(note, lines)
        signers = verify_signatures(parse_note(cosigned), keys)
        if not self.policy.is_satisfied(signers):
            raise QuorumMissed(self._missing(signers), self.problems)
        return cosigned

    def largest_known(self, note: bytes, consistency: Consistency, deadline_s: float = PROBE_DEADLINE_S) -> int:
        """The largest size of our log that a witness has cosigned, for the start; 0 when no witness told one.

        tlog-witness has no call that only reads: our newest checkpoint is cosigned once more, and a witness that holds
        another size says so. More than the size of ``note`` means that this database is older than what was published.
        Raises LogInconsistent when a witness holds another tree.
        """
        with self._lock:
            checkpoint, findings = self._ask_all(note, consistency, deadline_s)
        told = (checkpoint.size if isinstance(found, _Cosigned) else _size_of(found) for found in findings.values())
        return max(told, default=0)

    def _ask_all(self, note: bytes, consistency: Consistency, deadline_s: float) -> tuple[Checkpoint, _Findings]:
        """What each witness says about the checkpoint, in the policy's order. Raises LogInconsistent."""
        checkpoint = parse_checkpoint(parse_note(note).text)
        asked = _Round(note, checkpoint, consistency, ends=monotonic() + deadline_s)
        self._read_late_answers()
        findings, is_enough, ends = self._ask_each(asked), False, asked.ends
        while len(findings) < len(self.policy.witnesses):
            try:
                question, answer = self._inbox.get(timeout=max(ends - monotonic(), 0))
            except Empty:
                break
            finding = self._read(question, answer)
            if question.round is not asked:
                continue  # this witness is passed over in this round, since it was late in an earlier one
            if isinstance(finding, _Elsewhere) and finding.size <= checkpoint.size and not question.is_second:
                self._ask(_Question(asked, question.witness, finding.size, is_second=True))
            else:
                findings[question.witness.name] = finding
            if not is_enough and self._is_enough(findings):
                is_enough, ends = True, min(ends, monotonic() + GRACE_S)  # one that hangs holds nobody up
        late = _Unhelpful(f"did not answer within {deadline_s:g} s")
        ordered = {witness.name: findings.get(witness.name, late) for witness in self.policy.witnesses}
        self.problems = {name: problem for name, found in ordered.items() if (problem := _problem_of(name, found))}
        return checkpoint, ordered

    def _is_enough(self, findings: _Findings) -> bool:
        """Whether those who have cosigned so far satisfy the policy."""
        keys = [each.key for each in self.policy.witnesses if isinstance(findings.get(each.name), _Cosigned)]
        return self.policy.is_satisfied(keys)

    def _ask_each(self, asked: _Round) -> _Findings:
        """Put the first question to every witness; returns what there is to say about those that cannot be asked."""
        findings: _Findings = {}
        for witness in self.policy.witnesses:
            if witness.url is None:
                findings[witness.name] = _Unhelpful("has no URL in the witness policy")
            elif witness.name in self._under_way:
                findings[witness.name] = _Unhelpful("has not yet answered an earlier question")
            else:
                known = self._sizes.get(witness.name, 0)
                # tlog-witness: an old size beyond the checkpoint's is a bad request; asked from 0, it tells its own.
                old_size = known if known <= asked.checkpoint.size else 0
                self._ask(_Question(asked, witness, old_size, is_second=False))
        return findings

    def _ask(self, question: _Question) -> None:
        asked, old_size, size = question.round, question.old_size, question.round.checkpoint.size
        proof = asked.consistency(old_size, size) if 0 < old_size < size else []
        url = f"{(question.witness.url or '').rstrip('/')}/{PATH}"
        body = add_checkpoint_body(old_size, proof, asked.note)
        arguments = (question, url, body, max(asked.ends - monotonic(), 0.001))
        # A daemon, since a witness that never ends its answer may hold this thread, and nothing else, for ever.
        Thread(target=self._send, args=arguments, name=f"witness {question.witness.name}", daemon=True).start()
        self._under_way.add(question.witness.name)

    def _send(self, question: _Question, url: str, body: bytes, timeout_s: float) -> None:
        answer: Answer | CertifierError = UnreachableError("The question to the witness broke off.")
        try:
            answer = self._post(url, body, timeout_s)
        except CertifierError as error:
            answer = error
        finally:
            self._inbox.put((question, answer))

    def _read_late_answers(self) -> None:
        """Answers that came after the deadline of their round still tell a size, or raise LogInconsistent."""
        while True:
            try:
                question, answer = self._inbox.get_nowait()
            except Empty:
                return
            self._read(question, answer)

    def _read(self, question: _Question, answer: Answer | CertifierError) -> _Finding:
        """What the answer means, once the size that it tells is remembered. Raises LogInconsistent."""
        name = question.witness.name
        self._under_way.discard(name)
        finding = _finding_of(question, answer)
        if isinstance(finding, _Contradiction):
            self.problems = {**self.problems, name: f"{name} {finding.sentence}."}
            raise LogInconsistent(
                f"The witness {name} {finding.sentence}.",
                found=finding.found,
                expected=f"a tree that is continued by our {question.checkpoint.size} entries",
            )
        if isinstance(finding, _Cosigned):
            self._sizes[name] = question.checkpoint.size
        elif isinstance(finding, _Elsewhere):
            self._sizes[name] = finding.size
        return finding

    def _missing(self, signers: tuple[VerifierKey, ...]) -> tuple[str, ...]:
        return tuple(witness.name for witness in self.policy.witnesses if witness.key not in signers)


class HttpPost:
    """POST over HTTP as a witness is asked: no redirects, a short answer, connections kept for the next question."""

    def __init__(self) -> None:
        self._sessions: dict[str, requests.Session] = {}

    def __call__(self, url: str, body: bytes, timeout_s: float) -> Answer:
        """Raises UnreachableError, or MalformedNote for an answer that is too long or packed."""
        if url not in self._sessions:
            self._sessions[url] = PlainSession()
        ends = monotonic() + timeout_s
        try:
            with self._sessions[url].post(
                url,
                data=body,
                headers={"Accept-Encoding": "identity"},
                timeout=timeout_s,
                allow_redirects=False,
                stream=True,
            ) as response:
                content = _content_of(response, ends)
        except requests.RequestException as error:
            raise UnreachableError(f"{url} does not answer.", found=type(error).__name__) from error
        return Answer(response.status_code, response.headers.get("Content-Type", ""), content)

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()


def _content_of(response: requests.Response, ends: float) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise MalformedNote("The witness's answer is packed.", expected="plain text")
    content = b""
    for chunk in response.iter_content(4096):
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise MalformedNote("The witness's answer is too long.", expected=f"at most {MAX_ANSWER_BYTES} bytes")
        if monotonic() > ends:
            raise UnreachableError("The witness's answer takes too long.")
    return content


def _finding_of(question: _Question, answer: Answer | CertifierError) -> _Finding:
    """What tlog-witness, section "add-checkpoint", says about an answer's status."""
    if isinstance(answer, CertifierError):
        reason = f" ({answer.found})" if answer.found else ""
        return _Unhelpful(f"cannot be asked: {answer.message.rstrip('.')}{reason}")
    match answer.status:
        case 200:
            return _cosigned(question, answer.body)
        case 409:
            return _conflict(question, answer)
        case 422:
            return _Contradiction("holds a tree that our checkpoint does not continue", _refusal(question, answer))
        case 403:
            return _Unhelpful(f"does not accept the key of {question.checkpoint.origin} (HTTP 403)")
        case 404:
            return _Unhelpful(f"does not know {question.checkpoint.origin}, or its URL is wrong (HTTP 404)")
        case status:
            return _Unhelpful(f"answered with HTTP {status}")


def _cosigned(question: _Question, body: bytes) -> _Finding:
    try:
        return _Cosigned(parse_cosignatures(body, question.witness.key, question.checkpoint.text))
    except (MalformedNote, BadSignature) as error:
        return _Unhelpful(f"gave an answer that does not verify: {error.message.rstrip('.')}")


def _conflict(question: _Question, answer: Answer) -> _Finding:
    size, same_size = None, question.old_size == question.checkpoint.size
    if answer.content_type.partition(";")[0].strip().lower() == SIZE_TYPE:
        try:
            size = parse_witness_size(answer.body)
        except MalformedNote as error:
            return _Unhelpful(f"gave an answer that cannot be read: {error.message.rstrip('.')}")
    if size is not None and size != question.old_size:
        return _Elsewhere(size)
    if same_size:
        # It agrees about the size, so it is the root that differs: two trees of one size, a split view.
        return _Contradiction("holds another tree of the same size", _refusal(question, answer))
    if size is None:
        return _Unhelpful("refused the old size and told no other (HTTP 409)")
    return _Unhelpful("refused the size that it told itself (HTTP 409)")


def _refusal(question: _Question, answer: Answer) -> str:
    return f"HTTP {answer.status} about size {question.old_size} to {question.checkpoint.size}"


def _behind(name: str, size: int, checkpoint: Checkpoint) -> LogInconsistent:
    return LogInconsistent(
        f"The witness {name} has cosigned more of the log than we hold.",
        found=f"{size} entries at the witness",
        expected=f"at most our {checkpoint.size}",
    )


def _size_of(finding: _Finding) -> int:
    return finding.size if isinstance(finding, _Elsewhere) else 0


def _problem_of(name: str, finding: _Finding) -> str | None:
    match finding:
        case _Unhelpful(sentence):
            return f"{name} {sentence}."
        case _Elsewhere(size):
            return f"{name} holds {size} entries and not what it was asked from."
        case _:
            return None


def _check_url(witness: KnownWitness) -> None:
    if witness.url is not None and not witness.url.startswith(("https://", "http://")):
        raise OperatorError(
            f"The witness {witness.name} cannot be asked.",
            found=witness.url,
            expected="the submission prefix: https://HOST/PATH",
            hint="Correct the URL in the witness policy, or leave it out to ask this witness never.",
        )
