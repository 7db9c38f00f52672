"""Witness policies (c2sp.org/tlog-policy): who has to cosign, and every file that only looks like a policy."""

from __future__ import annotations

from hashlib import sha256
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certifier.crypto.signing import SigningKey
from certifier.errors import OperatorError
from certifier.log.note import COSIGNATURE, ED25519, VerifierKey, verifier_key_for
from certifier.log.policy import Group, KnownLog, KnownWitness, parse_policy

NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")


def key_of(name: str, signature_type: int = COSIGNATURE, *, seed: str | None = None) -> VerifierKey:
    signer = SigningKey.from_seed(sha256((seed or name).encode()).digest())
    return verifier_key_for(f"{name}.example", signer.public, signature_type)


LOG = key_of("log", ED25519)
KEYS = {name: key_of(name) for name in NAMES}
LOG_LINE = f"log {LOG.to_text()}\n"
WITNESS_LINES = "".join(f"witness {name} {key.to_text()}\n" for name, key in KEYS.items())

# The example of the specification, with keys filled in.
EXAMPLE = f"""\
{LOG_LINE}
{WITNESS_LINES}
group X-witnesses 2 X1 X2 X3
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def satisfied(text: str, names: str) -> bool:
    return parse_policy(text).is_satisfied([KEYS[name] for name in names.split()])


def test_the_example_of_the_specification_is_read() -> None:
    policy = parse_policy(EXAMPLE)
    assert policy.logs == (KnownLog(LOG, None),)
    assert policy.witnesses == tuple(KnownWitness(name, key, None) for name, key in KEYS.items())
    assert policy.groups == (
        Group("X-witnesses", 2, ("X1", "X2", "X3")),
        Group("Y-witnesses", 1, ("Y1", "Y2", "Y3")),
        Group("X-and-Y", 2, ("X-witnesses", "Y-witnesses")),
    )
    assert policy.quorum == "X-and-Y"


def test_the_quorum_of_the_example_asks_for_two_of_x_and_one_of_y_whoever_they_are() -> None:
    policy = parse_policy(EXAMPLE)
    for count in range(len(NAMES) + 1):
        for names in combinations(NAMES, count):
            xs = sum(name.startswith("X") for name in names)
            assert policy.is_satisfied([KEYS[name] for name in names]) == (xs >= 2 and count - xs >= 1)


QUORUMS = {
    "nobody is needed": ("quorum none\n", "", True),
    "nobody is needed though witnesses are named": (f"{WITNESS_LINES}quorum none\n", "", True),
    "one witness is enough": (f"{WITNESS_LINES}quorum X2\n", "X2", True),
    "another witness does not stand in for it": (f"{WITNESS_LINES}quorum X2\n", "X1 X3 Y1 Y2 Y3", False),
    "any of two": (f"{WITNESS_LINES}group g any X1 X2\nquorum g\n", "X2", True),
    "all of two": (f"{WITNESS_LINES}group g all X1 X2\nquorum g\n", "X2", False),
    "the same cosignature twice counts once": (f"{WITNESS_LINES}group g 2 X1 X2\nquorum g\n", "X2 X2", False),
    "a group may be called like a keyword": (f"{WITNESS_LINES}group all any X1\nquorum all\n", "X1", True),
    "a group that the quorum leaves out is not needed": (f"{WITNESS_LINES}group g all X1 X2\nquorum Y1\n", "Y1", True),
    "a group and a witness side by side": (
        f"{WITNESS_LINES}group a 1 X1 X2\ngroup b all a Y1\nquorum b\n",
        "X2 Y1",
        True,
    ),
}


@pytest.mark.parametrize(("text", "names", "enough"), QUORUMS.values(), ids=QUORUMS.keys())
def test_a_quorum_is_met_or_missed(text: str, names: str, enough: bool) -> None:
    assert satisfied(text, names) is enough


def test_a_witness_counts_by_its_whole_key() -> None:
    """The same name with another key, the same key under another name or for notes: none of them is this witness."""
    policy = parse_policy(f"{WITNESS_LINES}quorum X1\n")
    assert not policy.is_satisfied([key_of("X1", seed="another"), key_of("other", seed="X1"), key_of("X1", ED25519)])
    assert policy.is_satisfied([KEYS["X1"]])


def test_urls_comments_and_white_space_are_read_as_the_specification_says() -> None:
    text = (
        f"# a comment, naïve\n\n \t \n\t# an indented one\nlog\t{LOG.to_text()} https://log.example/2026/ \n"
        f"  witness X1\t {KEYS['X1'].to_text()}   https://witness.example/x\n"
        f"quorum X1\t\nwitness Ünal {KEYS['X2'].to_text()}\n"
    )
    policy = parse_policy(text)
    assert policy.logs == (KnownLog(LOG, "https://log.example/2026/"),)
    assert policy.witnesses == (
        KnownWitness("X1", KEYS["X1"], "https://witness.example/x"),
        KnownWitness("Ünal", KEYS["X2"], None),
    )


def test_names_are_opaque() -> None:
    """The specification's own case: K and the Kelvin sign are two names, though some call them the same letter."""
    text = f"witness K {KEYS['X1'].to_text()}\nwitness \u212a {KEYS['X2'].to_text()}\nquorum \u212a\n"
    assert satisfied(text, "X2")
    assert not satisfied(text, "X1")


def test_thirty_two_of_everything_are_read() -> None:
    logs = "".join(f"log {key_of(f'log{n}', ED25519).to_text()}\n" for n in range(32))
    witnesses = "".join(f"witness w{n} {key_of(f'w{n}').to_text()}\n" for n in range(32))
    groups = "group g0 any w0\n" + "".join(f"group g{n} all g{n - 1} w{n}\n" for n in range(1, 32))
    policy = parse_policy(f"{logs}{witnesses}{groups}quorum g31\n")
    keys = [witness.key for witness in policy.witnesses]
    assert policy.is_satisfied(keys)
    assert not policy.is_satisfied(keys[1:])


X1, X2 = KEYS["X1"].to_text(), KEYS["X2"].to_text()
WRONG = {
    "an unknown keyword": (f"{WITNESS_LINES}quota X1\n", "Line 7", "unknown keyword"),
    "a keyword in capitals": ("QUORUM none\n", "Line 1", "unknown keyword"),
    "a comment behind a definition": ("quorum none # for now\n", "Line 1", "does not define the quorum"),
    "no last line feed": (f"{WITNESS_LINES}quorum X1", "Line 7", "line feed"),
    "a carriage return": ("quorum none\r\n", "Line 1", "control character"),
    "a NUL in a comment": ("quorum none\n# \x00\n", "Line 2", "control character"),
    "a DEL in a comment": ("# \x7f\nquorum none\n", "Line 1", "control character"),
    "a no-break space between items": ("quorum\u00a0none\n", "Line 1", "unknown keyword"),
    "a vertical tab between items": ("quorum\vnone\n", "Line 1", "control character"),
    "a log without a key": ("log\nquorum none\n", "Line 1", "does not define a log"),
    "a log with three items": (f"log {LOG.to_text()} https://a https://b\n", "Line 1", "does not define a log"),
    "a log with a witness's key": (f"log {X1}\nquorum none\n", "Line 1", "another kind"),
    "a log twice": (f"{LOG_LINE}{LOG_LINE}quorum none\n", "Line 2", "listed already"),
    "a log's key under another name": (
        f"{LOG_LINE}log {key_of('log2', ED25519, seed='log').to_text()}\n",
        "Line 2",
        "listed already",
    ),
    "a witness without a key": ("witness X1\nquorum none\n", "Line 1", "does not define a witness"),
    "a witness without a name": (f"witness {X1}\nquorum none\n", "Line 1", "does not define a witness"),
    "a witness with too much": (f"witness X1 {X1} https://a https://b\n", "Line 1", "does not define a witness"),
    "a witness with a log's key": (f"witness X1 {LOG.to_text()}\n", "Line 1", "another kind"),
    "a witness with half a key": (f"witness X1 {X1[:-4]}\n", "Line 1", "unfit key"),
    "a witness with another key id": (f"witness X1 {X1.replace('+', '+00', 1)}\n", "Line 1", "unfit key"),
    "a witness's name twice": (f"witness X1 {X1}\nwitness X1 {X2}\n", "Line 2", "name that is taken"),
    "a witness's key twice": (f"witness X1 {X1}\nwitness X2 {X1}\n", "Line 2", "listed already"),
    "a witness called none": (f"witness none {X1}\n", "Line 1", "name that is taken"),
    "a group called none": (f"{WITNESS_LINES}group none any X1\n", "Line 7", "name that is taken"),
    "a group called like a witness": (f"{WITNESS_LINES}group X1 any X2\n", "Line 7", "name that is taken"),
    "a group without members": (f"{WITNESS_LINES}group g any\n", "Line 7", "does not define a group"),
    "a group with none as a member": (f"{WITNESS_LINES}group g any none\n", "Line 7", "unknown name"),
    "a group of itself": (f"{WITNESS_LINES}group g any g\n", "Line 7", "unknown name"),
    "a group that names what comes later": (
        f"witness X1 {X1}\ngroup g any X2\nwitness X2 {X2}\nquorum g\n",
        "Line 2",
        "unknown name",
    ),
    "a member twice in a group": (f"{WITNESS_LINES}group g 2 X1 X1\n", "Line 7", "second time"),
    "a member in two groups": (f"{WITNESS_LINES}group g any X1\ngroup h any X1\n", "Line 8", "second time"),
    "a threshold of nothing": (f"{WITNESS_LINES}group g 0 X1\n", "Line 7", "threshold"),
    "a threshold beyond the members": (f"{WITNESS_LINES}group g 2 X1\n", "Line 7", "threshold"),
    "a threshold with a leading zero": (f"{WITNESS_LINES}group g 01 X1\n", "Line 7", "threshold"),
    "a threshold with a sign": (f"{WITNESS_LINES}group g +1 X1\n", "Line 7", "threshold"),
    "a threshold in other digits": (f"{WITNESS_LINES}group g ١ X1\n", "Line 7", "threshold"),
    "a threshold in words": (f"{WITNESS_LINES}group g most X1\n", "Line 7", "threshold"),
    "a quorum of an unknown witness": ("quorum X1\n", "Line 1", "unknown name"),
    "a quorum before its witness": (f"quorum X1\nwitness X1 {X1}\n", "Line 1", "unknown name"),
    "a quorum of two": (f"{WITNESS_LINES}quorum X1 X2\n", "Line 7", "does not define the quorum"),
    "two quorums": ("quorum none\nquorum none\n", "Line 2", "second quorum"),
    "no quorum": (WITNESS_LINES, "policy", "no quorum"),
    "nothing": ("", "policy", "no quorum"),
}


@pytest.mark.parametrize(("text", "where", "what"), WRONG.values(), ids=WRONG.keys())
def test_a_policy_that_is_none_is_refused_with_its_line(text: str, where: str, what: str) -> None:
    with pytest.raises(OperatorError, match=what) as caught:
        parse_policy(text)
    assert where in caught.value.message
    assert caught.value.found or caught.value.expected


@given(st.text(alphabet="# \t\nX12aniylogqurmwtesp+é", max_size=60))
def test_any_text_ends_in_a_policy_or_in_the_named_error(text: str) -> None:
    try:
        policy = parse_policy(text)
    except OperatorError:
        return
    assert policy.quorum is None  # no key can be spelled with these letters


@given(st.sets(st.sampled_from(NAMES)), st.sampled_from(NAMES))
def test_one_more_cosignature_never_breaks_a_quorum(names: set[str], more: str) -> None:
    policy = parse_policy(EXAMPLE)
    before = policy.is_satisfied([KEYS[name] for name in names])
    assert policy.is_satisfied([KEYS[name] for name in names | {more}]) >= before
