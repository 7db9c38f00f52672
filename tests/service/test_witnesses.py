"""A checkpoint is published only when the witnesses of the policy have seen the log grow; a contradiction stops the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread
from threading import enumerate as enumerate_threads

import pytest

from certifier.crypto.signing import SigningKey
from certifier.errors import BadSignature, BusyError, MalformedNote, NotFoundError, OperatorError, UnreachableError
from certifier.log.merkle import Tree, leaf_hash
from certifier.log.note import Checkpoint, parse_note, sign_checkpoint, verifier_key_for, verify_signatures
from certifier.log.policy import Policy, parse_policy
from certifier.log.witness import SIZE_TYPE
from certifier.service.witnesses import (
    MAX_ANSWER_BYTES,
    Answer,
    HttpPost,
    LogInconsistent,
    Post,
    QuorumMissed,
    Witnesses,
)
from tests.witness import WORKED_TIME, Misbehaviour, Witness, witness_signer

EXAMPLE = Path(__file__).parents[1] / "vectors/log/worked-example"
NOTE = (EXAMPLE / "checkpoint").read_bytes()
COSIGNED = (EXAMPLE / "two.tlog-proof").read_bytes().partition(b"\n\n")[2]
ORIGIN = "log.example/2026"
SIGNER = SigningKey.from_seed(sha256(b"worked example").digest())
LOG = verifier_key_for(ORIGIN, SIGNER.public)
DEADLINE_S = 20.0  # far away: no test but those about time waits for it


class Log:
    """A log that grows by entries; two with the same entries at first and others later are a split view."""

    def __init__(self, *entries: str) -> None:
        self._tree = Tree()
        self.grow(*entries)

    def grow(self, *entries: str) -> Log:
        for entry in entries:
            self._tree.append(leaf_hash(entry.encode()))
        return self

    def note(self, size: int | None = None) -> bytes:
        size = self._tree.size if size is None else size
        return sign_checkpoint(Checkpoint(ORIGIN, size, self._tree.root(size)), SIGNER)

    @property
    def proof(self) -> Callable[[int, int], list[bytes]]:
        return self._tree.consistency_proof


def worked_witness() -> Witness:
    return Witness("witness.example/w1", [LOG], SigningKey.from_seed(sha256(b"worked witness").digest()))


def three() -> list[Witness]:
    return [Witness(f"witness.example/w{n}", [LOG], witness_signer(f"{n}"), now=WORKED_TIME + n) for n in (1, 2, 3)]


def url_of(witness: Witness) -> str:
    return f"https://{witness.name}"


def policy_of(witnesses: Sequence[Witness], threshold: str = "all", urls: Sequence[str] | None = None) -> Policy:
    names = [witness.name.rpartition("/")[2] for witness in witnesses]
    addresses = urls or [url_of(witness) for witness in witnesses]
    lines = [f"log {LOG.to_text()}"]
    lines += [
        f"witness {name} {witness.key.to_text()} {url}"
        for name, witness, url in zip(names, witnesses, addresses, strict=True)
    ]
    lines += [f"group all-of-them {threshold} {' '.join(names)}", "quorum all-of-them", ""]
    return parse_policy("\n".join(lines))


def transport(witnesses: Sequence[Witness]) -> Post:
    """Asks the witnesses without a network."""
    by_url = {f"{url_of(witness)}/add-checkpoint": witness for witness in witnesses}
    return lambda url, body, timeout_s: by_url[url].answer(body)


def asking(witnesses: Sequence[Witness], threshold: str = "all") -> Witnesses:
    return Witnesses(policy_of(witnesses, threshold), transport(witnesses))


def answering(answer: Answer | Callable[[], Answer], witness: Witness | None = None) -> Witnesses:
    """One witness of the policy, that always says the same."""
    witness = witness or worked_witness()
    return Witnesses(
        policy_of([witness]), lambda url, body, timeout_s: answer if isinstance(answer, Answer) else answer()
    )


@pytest.fixture
def over_http() -> Iterator[Callable[..., Witnesses]]:
    with ExitStack() as stack:

        def start(witnesses: Sequence[Witness], threshold: str = "all") -> Witnesses:
            urls = [stack.enter_context(witness.serving()) for witness in witnesses]
            return stack.enter_context(Witnesses(policy_of(witnesses, threshold, urls)))

        yield start


OverHttp = Callable[..., Witnesses]


def test_the_worked_checkpoint_is_cosigned_byte_for_byte_over_http(over_http: OverHttp) -> None:
    log = Log("one", "two", "three")
    assert log.note() == NOTE
    assert over_http([worked_witness()]).cosign(NOTE, log.proof, DEADLINE_S) == COSIGNED


def test_three_witnesses_follow_a_growing_log_over_http(over_http: OverHttp) -> None:
    witnesses, log = three(), Log()
    asked = over_http(witnesses)
    for size in range(9):
        cosigned = asked.cosign(log.note(), log.proof, DEADLINE_S)
        assert verify_signatures(parse_note(cosigned), [LOG, *(w.key for w in witnesses)]) == (
            LOG,
            *(w.key for w in witnesses),
        )
        assert asked.sizes == {"w1": size, "w2": size, "w3": size}
        log.grow(f"entry {size}")
    # Asked once for each size, from the size before: no conflict in between.
    assert [witness.asked for witness in witnesses] == [[0, *range(8)]] * 3
    assert asked.problems == {}


def test_the_cosignatures_stand_in_one_order_whoever_answers_first() -> None:
    witnesses, log = three(), Log("one", "two")
    by_url = {f"{url_of(witness)}/add-checkpoint": witness for witness in witnesses}
    answered = [Event() for _ in witnesses]

    def last_first(url: str, body: bytes, timeout_s: float) -> Answer:
        place = list(by_url).index(url)
        if place + 1 < len(witnesses):
            answered[place + 1].wait()
        answer = by_url[url].answer(body)
        answered[place].set()
        return answer

    in_turn = asking(three()).cosign(log.note(), log.proof, DEADLINE_S)
    assert Witnesses(policy_of(witnesses), last_first).cosign(log.note(), log.proof, DEADLINE_S) == in_turn


def test_after_a_restart_the_witness_tells_its_size_and_is_asked_once_more() -> None:
    """409 with text/x.tlog.size: the size is remembered, and the proof starts there."""
    witnesses, log = [worked_witness()], Log("one", "two")
    asking(witnesses).cosign(log.note(), log.proof, DEADLINE_S)
    restarted = asking(witnesses)
    assert restarted.sizes == {"w1": None}
    restarted.cosign(log.grow("three", "four", "five").note(), log.proof, DEADLINE_S)
    assert witnesses[0].asked == [0, 0, 2]
    assert restarted.sizes == {"w1": 5}


def test_a_cosigned_checkpoint_may_be_cosigned_again_and_keeps_its_lines() -> None:
    witnesses, log = [worked_witness()], Log("one", "two", "three")
    asked = asking(witnesses)
    cosigned = asked.cosign(NOTE, log.proof, DEADLINE_S)
    witnesses[0].now += 3600
    assert asked.cosign(cosigned, log.proof, DEADLINE_S) == cosigned == COSIGNED
    assert asked.cosign(NOTE, log.proof, DEADLINE_S) != COSIGNED


def test_a_witness_that_lost_its_memory_is_asked_from_there() -> None:
    witnesses, log = [worked_witness()], Log("one", "two")
    asked = asking(witnesses)
    asked.cosign(log.note(), log.proof, DEADLINE_S)
    witnesses[0].latest.clear()
    asked.cosign(log.grow("three").note(), log.proof, DEADLINE_S)
    assert witnesses[0].asked == [0, 2, 0]


SPLIT_VIEWS = {
    "of the same size": (Log("one", "two", "another"), "another tree of the same size"),
    "of a larger size": (Log("one", "two", "another", "four"), "does not continue"),
    "from the first entry on": (Log("another", "two", "three", "four", "five"), "does not continue"),
}


@pytest.mark.parametrize("restart", [False, True], ids=["in one life", "after a restart"])
@pytest.mark.parametrize(("other", "what"), SPLIT_VIEWS.values(), ids=SPLIT_VIEWS.keys())
def test_a_split_view_stops_the_log(other: Log, what: str, restart: bool) -> None:
    witnesses, log = three(), Log("one", "two", "three")
    asked = asking(witnesses, "any")
    asked.cosign(log.note(), log.proof, DEADLINE_S)
    if restart:
        asked = asking(witnesses, "any")
    with pytest.raises(LogInconsistent, match=what) as caught:
        asked.cosign(other.note(), other.proof, DEADLINE_S)
    assert isinstance(caught.value, OperatorError)
    assert "Stop signing" in (caught.value.hint or "")
    assert any(what in problem for problem in asked.problems.values())
    assert {witness.latest[ORIGIN].size for witness in witnesses} == {3}


def test_a_split_view_is_refused_over_http(over_http: OverHttp) -> None:
    log, other = Log("one", "two", "three"), Log("one", "two", "another", "four")
    asked = over_http([worked_witness()])
    asked.cosign(log.note(), log.proof, DEADLINE_S)
    with pytest.raises(LogInconsistent):
        asked.cosign(other.note(), other.proof, DEADLINE_S)


@pytest.mark.parametrize("restart", [False, True], ids=["in one life", "after a restart"])
@pytest.mark.parametrize("size", [0, 1, 4])
def test_a_log_that_was_rolled_back_gets_no_cosignature(size: int, restart: bool) -> None:
    """The witness's size is larger than our checkpoint: we are behind what was published."""
    witnesses, log = [worked_witness()], Log("one", "two", "three", "four", "five")
    asked = asking(witnesses)
    asked.cosign(log.note(), log.proof, DEADLINE_S)
    if restart:
        asked = asking(witnesses)
    with pytest.raises(LogInconsistent, match="more of the log than we hold") as caught:
        asked.cosign(log.note(size), log.proof, DEADLINE_S)
    assert caught.value.found == "5 entries at the witness"
    assert caught.value.expected == f"at most our {size}"
    assert witnesses[0].latest[ORIGIN].size == 5


def test_one_witness_that_holds_more_stops_the_log_whatever_the_others_say() -> None:
    witnesses, log = three(), Log("one", "two", "three")
    witnesses[2].answer(b"old 0\n\n" + log.note())
    with pytest.raises(LogInconsistent, match="w3"):
        asking(witnesses, "any").cosign(log.note(2), log.proof, DEADLINE_S)


CONFIGURATION: dict[str, tuple[Callable[[], Witness], str]] = {
    "403": (
        lambda: Witness("w.example/w1", [verifier_key_for(ORIGIN, witness_signer("x").public)], witness_signer("1")),
        "w1 does not accept the key of log.example/2026 (HTTP 403).",
    ),
    "404": (
        lambda: Witness("w.example/w1", [], witness_signer("1")),
        "w1 does not know log.example/2026, or its URL is wrong (HTTP 404).",
    ),
}


@pytest.mark.parametrize(("witness", "problem"), CONFIGURATION.values(), ids=CONFIGURATION.keys())
def test_a_witness_that_was_not_told_of_the_log_is_a_problem_of_configuration(
    witness: Callable[[], Witness], problem: str
) -> None:
    log = Log("one")
    asked = asking([witness()])
    with pytest.raises(QuorumMissed, match="Too few witnesses"):
        asked.cosign(log.note(), log.proof, DEADLINE_S)
    assert asked.problems == {"w1": problem}


UNHELPFUL: dict[Misbehaviour, str] = {
    "bad signature": "w1 gave an answer that does not verify",
    "another key": "w1 gave an answer that does not verify",
    "junk": "w1 gave an answer that does not verify",
    "long": "w1 cannot be asked: The witness's answer is too long",
    "500": "w1 answered with HTTP 500",
    "redirect": "w1 answered with HTTP 307",
}


@pytest.mark.parametrize(("misbehaviour", "problem"), UNHELPFUL.items(), ids=UNHELPFUL.keys())
def test_a_witness_that_lies_or_fails_gives_no_cosignature(
    misbehaviour: Misbehaviour, problem: str, over_http: OverHttp
) -> None:
    witnesses, log = three(), Log("one", "two")
    witnesses[0].misbehaviour = misbehaviour
    asked = over_http(witnesses, "2")
    cosigned = asked.cosign(log.note(), log.proof, DEADLINE_S)
    keys = [witness.key for witness in witnesses]
    assert verify_signatures(parse_note(cosigned), keys) == (keys[1], keys[2])
    assert list(asked.problems) == ["w1"]
    assert asked.problems["w1"].startswith(problem)
    assert asked.problems["w1"].endswith(".")
    assert asked.sizes["w1"] is None

    witnesses[0].misbehaviour = None
    assert verify_signatures(parse_note(asked.cosign(log.note(), log.proof, DEADLINE_S)), keys) == tuple(keys)
    assert asked.problems == {}


def test_a_redirect_is_not_followed(over_http: OverHttp) -> None:
    witness, log = worked_witness(), Log("one")
    witness.misbehaviour = "redirect"
    with pytest.raises(QuorumMissed):
        over_http([witness]).cosign(log.note(), log.proof, DEADLINE_S)
    assert witness.asked == []


def test_a_witness_whose_size_is_never_right_is_asked_twice_and_left_alone() -> None:
    witness, log = worked_witness(), Log("one", "two", "three")
    asking([witness]).cosign(log.note(), log.proof, DEADLINE_S)
    witness.misbehaviour = "another size"
    asked = asking([witness])
    with pytest.raises(QuorumMissed):
        asked.cosign(log.note(), log.proof, DEADLINE_S)
    assert witness.asked == [0, 0, 2]
    assert asked.problems == {"w1": "w1 refused the size that it told itself (HTTP 409)."}


def test_a_witness_that_tells_a_new_size_each_time_is_asked_twice_and_left_alone() -> None:
    log, sizes = Log("one", "two", "three"), iter([b"1\n", b"2\n"])
    asked = answering(lambda: Answer(409, SIZE_TYPE, next(sizes)))
    with pytest.raises(QuorumMissed):
        asked.cosign(log.note(), log.proof, DEADLINE_S)
    assert asked.problems == {"w1": "w1 holds 2 entries and not what it was asked from."}
    assert asked.sizes == {"w1": 2}


ODD_ANSWERS = {
    "a conflict without a size": (Answer(409, "text/plain", b"3\n"), "told no other"),
    "a conflict with a size that is none": (Answer(409, SIZE_TYPE, b"+3\n"), "cannot be read"),
    "a conflict with the size that was asked": (Answer(409, SIZE_TYPE, b"0\n"), "told itself"),
    "success without a body": (Answer(200, "text/plain", b""), "does not verify"),
    "a bad request": (Answer(400, "text/plain", b""), "HTTP 400"),
    "too many requests": (Answer(429, "text/plain", b""), "HTTP 429"),
    "created": (Answer(201, "text/plain", b""), "HTTP 201"),
}


@pytest.mark.parametrize(("answer", "what"), ODD_ANSWERS.values(), ids=ODD_ANSWERS.keys())
def test_an_odd_answer_is_a_problem_and_no_cosignature(answer: Answer, what: str) -> None:
    log, asked = Log("one", "two", "three"), answering(answer)
    with pytest.raises(QuorumMissed):
        asked.cosign(log.note(), log.proof, DEADLINE_S)
    assert what in asked.problems["w1"]


def test_the_type_of_the_size_may_have_parameters_and_capitals() -> None:
    log = Log("one", "two", "three")
    with pytest.raises(LogInconsistent):
        answering(Answer(409, "Text/X.tlog.size ; charset=utf-8", b"4\n")).cosign(log.note(), log.proof, DEADLINE_S)


def test_422_stops_the_log_also_at_the_first_question() -> None:
    log = Log("one", "two", "three")
    with pytest.raises(LogInconsistent) as caught:
        answering(Answer(422, "text/plain", b"")).cosign(log.note(), log.proof, DEADLINE_S)
    assert caught.value.found == "HTTP 422 about size 0 to 3"


def test_a_missed_quorum_names_who_is_missing_and_why() -> None:
    witnesses, log = three(), Log("one")
    witnesses[0].misbehaviour = "500"
    witnesses[2].logs = []
    with pytest.raises(QuorumMissed) as caught:
        asking(witnesses, "2").cosign(log.note(), log.proof, DEADLINE_S)
    assert isinstance(caught.value, BusyError)
    assert caught.value.missing == ("w1", "w3")
    assert caught.value.found == "no cosignature by w1, w3"
    assert "w1 answered with HTTP 500." in (caught.value.hint or "")
    assert "w3 does not know log.example/2026" in (caught.value.hint or "")


def test_after_a_missed_quorum_the_same_call_may_succeed() -> None:
    witnesses, log = three(), Log("one", "two")
    asked = asking(witnesses)
    witnesses[1].misbehaviour = "500"
    with pytest.raises(QuorumMissed):
        asked.cosign(log.note(), log.proof, DEADLINE_S)
    witnesses[1].misbehaviour = None
    cosigned = asked.cosign(log.note(), log.proof, DEADLINE_S)
    assert cosigned == asking(three()).cosign(log.note(), log.proof, DEADLINE_S)


def test_a_stalled_witness_costs_the_deadline_and_no_more(over_http: OverHttp) -> None:
    witnesses, log = three(), Log("one", "two")
    witnesses[0].misbehaviour = "stall"
    asked = over_http(witnesses, "2")
    cosigned = asked.cosign(log.note(), log.proof, 1.0)
    assert verify_signatures(parse_note(cosigned), [w.key for w in witnesses]) == (witnesses[1].key, witnesses[2].key)
    assert list(asked.problems) == ["w1"]


def test_a_witness_that_has_not_answered_is_not_asked_again_and_its_late_answer_is_read() -> None:
    witness, log, answered = worked_witness(), Log("one", "two"), Event()
    witness.misbehaviour = "stall"

    def slow(url: str, body: bytes, timeout_s: float) -> Answer:
        answer = witness.answer(body)
        answered.set()
        return answer

    asked = Witnesses(policy_of([witness]), slow)
    with pytest.raises(QuorumMissed):
        asked.cosign(log.note(), log.proof, 0.01)
    assert asked.problems == {"w1": "w1 did not answer within 0.01 s."}
    with pytest.raises(QuorumMissed):
        asked.cosign(log.note(), log.proof, 0.01)
    assert asked.problems == {"w1": "w1 has not yet answered an earlier question."}
    assert witness.asked == []

    witness.misbehaviour = None
    witness.released.set()
    answered.wait()
    _joined("witness w1")
    asked.cosign(log.grow("three").note(), log.proof, DEADLINE_S)
    assert witness.asked == [0, 2]


def test_a_contradiction_that_comes_late_stops_the_log_all_the_same() -> None:
    log, released = Log("one", "two"), Event()

    def late() -> Answer:
        released.wait()
        return Answer(422, "text/plain", b"")

    asked = answering(late)
    with pytest.raises(QuorumMissed):
        asked.cosign(log.note(), log.proof, 0.01)
    released.set()
    _joined("witness w1")
    with pytest.raises(LogInconsistent):
        asked.cosign(log.note(), log.proof, DEADLINE_S)


def test_a_late_answer_about_an_older_checkpoint_is_never_taken_for_one_about_this() -> None:
    witnesses, log = three()[:2], Log("one", "two")
    answer = transport(witnesses)
    witnesses[0].misbehaviour = "stall"

    def post(url: str, body: bytes, timeout_s: float) -> Answer:
        if body.startswith(b"old 2"):  # the second round, in which only w2 is asked
            witnesses[0].released.set()
            _joined("witness w1")
        return answer(url, body, timeout_s)

    asked = Witnesses(policy_of(witnesses, "any"), post)
    asked.cosign(log.note(), log.proof, 1.0)
    cosigned = asked.cosign(log.grow("three").note(), log.proof, DEADLINE_S)
    assert verify_signatures(parse_note(cosigned), [w.key for w in witnesses]) == (witnesses[1].key,)
    assert asked.problems == {"w1": "w1 has not yet answered an earlier question."}
    assert asked.sizes == {"w1": 2, "w2": 3}


def _joined(name: str) -> None:
    """Wait for the threads of this name: what they brought has arrived."""
    for thread in enumerate_threads():
        if thread.name == name:
            thread.join()


def test_a_witness_that_is_not_there_is_a_problem(over_http: OverHttp) -> None:
    witness, log = worked_witness(), Log("one")
    with witness.serving() as url:
        pass
    with Witnesses(policy_of([witness], urls=[url])) as asked, pytest.raises(QuorumMissed):
        asked.cosign(log.note(), log.proof, DEADLINE_S)
    assert asked.problems["w1"].endswith("does not answer (ConnectionError).")


def test_a_witness_without_an_address_cannot_cosign() -> None:
    witness, log = worked_witness(), Log("one")
    policy = parse_policy(f"witness w1 {witness.key.to_text()}\nquorum w1\n")
    asked = Witnesses(policy, transport([witness]))
    with pytest.raises(QuorumMissed):
        asked.cosign(log.note(), log.proof, DEADLINE_S)
    assert asked.problems == {"w1": "w1 has no URL in the witness policy."}


def test_an_address_that_is_none_of_the_web_is_refused_at_the_start() -> None:
    with pytest.raises(OperatorError, match="w1 cannot be asked"):
        Witnesses(policy_of([worked_witness()], urls=["ftp://witness.example/w1"]))


def test_a_policy_without_a_quorum_asks_for_nothing() -> None:
    log = Log("one")
    assert Witnesses(parse_policy("quorum none\n")).cosign(log.note(), log.proof, DEADLINE_S) == log.note()


def test_with_no_quorum_the_witnesses_are_asked_all_the_same() -> None:
    witness, log = worked_witness(), Log("one", "two", "three")
    policy = parse_policy(f"witness w1 {witness.key.to_text()} {url_of(witness)}\nquorum none\n")
    asked = Witnesses(policy, transport([witness]))
    assert asked.cosign(NOTE, log.proof, DEADLINE_S) == COSIGNED
    witness.misbehaviour = "500"
    assert asked.cosign(NOTE, log.proof, DEADLINE_S) == NOTE


def test_a_note_that_is_none_is_never_sent() -> None:
    witness, log = worked_witness(), Log("one", "two", "three")
    asked = asking([witness])
    with pytest.raises(MalformedNote):
        asked.cosign(b"", log.proof, DEADLINE_S)
    with pytest.raises(BadSignature):
        asked.cosign(COSIGNED.replace(b"\n3\n", b"\n4\n"), log.proof, DEADLINE_S)
    assert witness.asked == []


def test_a_proof_that_cannot_be_made_is_the_callers_error_and_the_next_call_works() -> None:
    witness, log = worked_witness(), Log("one", "two")
    asked = asking([witness])
    asked.cosign(log.note(), log.proof, DEADLINE_S)

    def no_proof(old: int, new: int) -> list[bytes]:
        raise NotFoundError("The log has no such older size.")

    with pytest.raises(NotFoundError):
        asked.cosign(log.grow("three").note(), no_proof, DEADLINE_S)
    asked.cosign(log.note(), log.proof, DEADLINE_S)
    assert witness.asked == [0, 2]


def test_the_probe_at_the_start_tells_the_largest_size_that_a_witness_has_cosigned() -> None:
    witnesses, log = three(), Log("one", "two", "three", "four", "five")
    for witness, size in zip(witnesses, (2, 5, 0), strict=True):
        witness.answer(b"old 0\n\n" + log.note(size))
    asked = asking(witnesses)
    assert asked.largest_known(log.note(3), log.proof) == 5
    assert asked.sizes == {"w1": 3, "w2": 5, "w3": 3}
    with pytest.raises(LogInconsistent, match="w2"):
        asked.cosign(log.note(3), log.proof, DEADLINE_S)
    assert asked.largest_known(log.note(), log.proof) == 5
    asked.cosign(log.grow("six").note(), log.proof, DEADLINE_S)


def test_the_probe_of_an_empty_log_finds_what_was_published() -> None:
    witnesses, log = [worked_witness()], Log("one", "two", "three")
    assert asking(witnesses).largest_known(Log().note(), Log().proof) == 0
    asking(witnesses).cosign(log.note(), log.proof, DEADLINE_S)
    assert asking(witnesses).largest_known(Log().note(), Log().proof) == 3


def test_the_probe_finds_nothing_when_no_witness_answers_and_says_so() -> None:
    witness, log = worked_witness(), Log("one")
    witness.misbehaviour = "500"
    asked = asking([witness])
    assert asked.largest_known(log.note(), log.proof) == 0
    assert asked.sizes == {"w1": None}
    assert list(asked.problems) == ["w1"]


def test_the_probe_of_another_tree_stops_the_log() -> None:
    witnesses, log, other = [worked_witness()], Log("one", "two"), Log("one", "another", "three")
    asking(witnesses).cosign(log.note(), log.proof, DEADLINE_S)
    with pytest.raises(LogInconsistent):
        asking(witnesses).largest_known(other.note(), other.proof)


class Raw(BaseHTTPRequestHandler):
    """Answers that no witness gives on purpose; the path says which."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        path = self.path.removeprefix("/")
        self.send_response(200)
        if path == "packed":
            self.send_header("Content-Encoding", "gzip")
        if path == "short":
            self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"x" * {"longest": MAX_ANSWER_BYTES, "longer": MAX_ANSWER_BYTES + 1}.get(path, 10))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name in the base class
        """Say nothing."""


RAW: dict[str, type[Exception] | int] = {
    "longest": MAX_ANSWER_BYTES,
    "longer": MalformedNote,
    "packed": MalformedNote,
    "short": UnreachableError,
}


@pytest.mark.parametrize(("path", "expected"), RAW.items(), ids=RAW.keys())
def test_an_answer_has_a_limit_and_is_whole(path: str, expected: type[Exception] | int) -> None:
    post = HttpPost()
    with HTTPServer(("127.0.0.1", 0), Raw) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/{path}"
        if isinstance(expected, int):
            assert len(post(url, b"", DEADLINE_S).body) == expected
        else:
            with pytest.raises(expected):
                post(url, b"", DEADLINE_S)
        thread.join()
    post.close()
