"""The language of the rules: CEL over declared facts, and of CEL only what can neither run long nor grow large.

An expression compares, computes, joins with && and ||, and asks a list once: no list is walked inside a walk through
another one, nothing is built, no pattern is matched. What is larger is refused when the standard is read, so that no rule
can exhaust time or memory when somebody is judged by it.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from cel_expr_python import cel

from certifier.errors import StandardError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_CHARACTERS = 2000
MAX_TEXT = 200  # of a text inside an expression
CALLS = ("size", "startsWith", "exists", "all")
WALKS = ("exists", "all")

_TEXT = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")
_CALL = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*\(")
_UNKNOWN = re.compile(r"undeclared reference to '([^']+)'")
_PLACE = re.compile(r"<input>:(\d+):(\d+): (.*)")


def compile_expression(text: str, environment: Any, *, known: Iterable[str], rule: str, file: str, line: int) -> Any:
    """The program of an expression that is true or false.

    ``known`` are the names that it may use. Raises StandardError with file, line, what was found and what was expected.
    """
    problem = _beyond_the_language(text)
    if problem:
        found, expected = problem
        raise StandardError(
            f"{rule}: the expression is not of the language of the rules",
            file=file,
            line=line,
            found=found,
            expected=expected,
        )
    try:
        program = environment.compile(text)
    except RuntimeError as error:
        raise _refused(text, str(error), known, rule, file, line) from error
    if program.return_type() != cel.Type.BOOL:
        raise StandardError(
            f"{rule}: the expression is neither true nor false",
            file=file,
            line=line,
            found=f"{program.return_type()}: {text}",
            expected="a comparison",
        )
    return program


def _beyond_the_language(text: str) -> tuple[str, str] | None:
    """What of an expression is not allowed, and what is; None where all of it is."""
    if len(text) > MAX_CHARACTERS:
        return f"{len(text)} characters", f"at most {MAX_CHARACTERS}"
    longest = max((len(quoted) - 2 for quoted in _TEXT.findall(text)), default=0)
    if longest > MAX_TEXT:
        return f"a text of {longest} characters", f"at most {MAX_TEXT}"
    plain = _TEXT.sub("''", text)
    if '"""' in text or "'''" in text:
        return "a text in three quotes", "a text in one quote on each side"
    if "{" in plain:
        return "a map or a message in braces", "facts, and lists in brackets"
    calls = _CALL.findall(plain)
    strangers = [name for name in calls if name not in CALLS and name != "in"]
    if strangers:
        return f"{strangers[0]}(…)", "of functions only " + ", ".join(CALLS)
    walks = [name for name in calls if name in WALKS]
    if len(walks) > 1:
        return f"{len(walks)} walks through lists", "at most one exists or all; make a clause for each"
    return None


def _refused(text: str, told: str, known: Iterable[str], rule: str, file: str, line: int) -> StandardError:
    """The evaluator's own words with their place; for a name that nobody knows, those that are near it."""
    place = _PLACE.search(told)
    problem = f"character {place.group(2)}: {place.group(3)}" if place else told[:200]
    unknown = _UNKNOWN.search(told)
    name = unknown.group(1) if unknown else None
    near = get_close_matches(name, sorted(known), n=3, cutoff=0.5) if name else []
    return StandardError(
        f"{rule}: {problem} in: {text}",
        file=file,
        line=line,
        found=name or text,
        expected=("a declared fact, such as " + ", ".join(near))
        if near
        else "names that are declared, and types that fit",
        hint="All facts with type and unit: certifier standard facts FOLDER" if name else None,
    )
