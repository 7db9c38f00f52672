"""One classic script out of our ES modules: a page loads it at once, and it works in a saved page, where modules do not.

The modules stay as they are: their import lines are left out, ``export`` too, comments, indentation and the spaces around
operators as well, and all of them share one scope. So a name at the top level of one is used in no other, which is checked
here. No other syntax is understood than what our own modules use: one import to a line, exports in front of what they name,
no text that runs over a line.

What a module loads when it needs it (``const { name } = await import("./other.js");``, a line of its own) comes along in a
whole script; else it stays to be loaded, in one piece too (``module_of``), from beside the script.
"""

from __future__ import annotations

import base64
import json
import pkgutil
import posixpath
import re
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import NamedTuple

_MODULE = re.compile(r'import \{[^}]*\} from "([^"]+)";')
_DATA = re.compile(r'import (\w+) from "([^"]+\.json)" with \{ type: "json" \};')

_LATER = re.compile(r'const \{[^}]*\} = await import\("([^"]+)"\);')
_GIVEN = re.compile(r"^export (?:async )?(?:const|let|function|class) (\w+)", re.MULTILINE)

_TOP = re.compile(r"(?:export )?(?:async )?(?:const|let|function|class) (\w+)")
_FUNCTION = re.compile(r"=>|function ")
_BESIDE = re.compile(r", (\w+) = ")  # further constants of one line

_SPACED = re.compile(r" ([=?:<>*&|^]|[=!<>]=|[=!]==|=>|&&|\|\||\?\?=?|<<|>>|\*\*) ")

Read = Callable[[str], str]


def package_text(path: str) -> str:
    """A file of this package by its path, such as ``web/static/check.js``."""
    return (pkgutil.get_data("certifier", path) or b"").decode()


def script_of(entry: str, read: Read = package_text, *, whole: bool = True) -> str:
    """The script that runs a module and all that it imports. Raises ValueError for what is not understood."""
    return f'(() => {{\n"use strict";\n{_joined(entry, read, whole=whole)}}})();\n'


def module_of(entry: str, read: Read = package_text) -> str:
    """The module with all that it imports, as one module that gives what it gives. Raises ValueError."""
    given = ",".join(_GIVEN.findall(read(entry)))
    return f"{_joined(entry, read, whole=False)}export {{{given}}};\n"


def _joined(entry: str, read: Read, *, whole: bool) -> str:
    scripts: dict[str, str] = {}
    _add(entry, Source(read, whole), scripts, {})
    return "".join(scripts.values())


class Source(NamedTuple):
    """Where modules are read, and whether what they load later comes along."""

    read: Read
    whole: bool


@cache
def packed_script(entry: str, *, whole: bool = True) -> str:
    """``script_of`` a module of this package, made once."""
    return script_of(f"web/static/{entry}", whole=whole)


@cache
def packed_module(entry: str) -> str:
    """``module_of`` a module of this package, made once."""
    return module_of(f"web/static/{entry}")


def csp_hash(script: str) -> str:
    """The source expression that lets a policy allow an inline script (CSP Level 3 section 2.3.1)."""
    return f"'sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}'"


def _add(path: str, source: Source, scripts: dict[str, str], names: dict[str, str]) -> None:
    """Put a module's script behind those that it needs. ``names`` tells which module a name at the top level is of."""
    if path in scripts:
        return
    scripts[path] = ""  # so that modules in a circle end
    lines = []
    for line in source.read(path).splitlines():
        text = line.strip()
        if match := _TOP.match(line):
            _claim(path, [match[1], *_BESIDE.findall("" if _FUNCTION.search(line) else line)], names)
        if text.startswith("import "):
            text = _imported(text, path, source, scripts, names)
        elif source.whole and (later := _LATER.fullmatch(text)):
            _add(_beside(path, later[1]), source, scripts, names)
            continue
        if text and not text.startswith("//"):
            lines.append(_tight(text.removeprefix("export ")))
    del scripts[path]
    scripts[path] = "".join(f"{line}\n" for line in lines)


def _tight(line: str) -> str:
    """The line without the spaces around its operators; one with more than plain strings in it stays as it is."""
    parts = line.split('"')
    if any(sign in line for sign in "'`\\") or len(parts) % 2 == 0:
        return line
    return '"'.join(part if place % 2 else _SPACED.sub(r"\1", part) for place, part in enumerate(parts))


def _claim(path: str, given: list[str], names: dict[str, str]) -> None:
    for name in given:
        if name in names:
            raise ValueError(f"{path}: the name {name} is taken by {names[name]}")
        names[name] = path


def _imported(line: str, path: str, source: Source, scripts: dict[str, str], names: dict[str, str]) -> str:
    if data := _DATA.fullmatch(line):
        content = json.loads(source.read(_beside(path, data[2])))
        return f"const {data[1]} = {json.dumps(content, separators=(',', ':'), ensure_ascii=False)};"
    module = _MODULE.fullmatch(line)
    if module is None:
        raise ValueError(f"{path}: an import that is not understood: {line[:80]}")
    _add(_beside(path, module[1]), source, scripts, names)
    return ""


def _beside(path: str, relative: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), relative))
