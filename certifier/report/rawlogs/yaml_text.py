"""A small, strict YAML: mappings, lists and text, and nothing that two readers could understand in two ways.

Scalars stay text, so that numbers are exact. Anchors, aliases, tags, merge keys, repeated keys and second documents are
refused, and so is depth before anything is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]

from certifier.errors import MalformedLog
from certifier.report.rawlogs.text import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 512 * 1024
MAX_DEPTH = 32
MAX_NODES = 60_000
MERGE = "<<"


@dataclass
class _Open:
    """A mapping or a list that is being read; ``key`` waits for its value."""

    value: dict[str, Any] | list[Any]
    key: str | None = None


def parse_yaml(raw: bytes) -> Any:
    """The one value in a YAML text, its scalars as text. Raises MalformedLog."""
    text = text_of(raw, MAX_BYTES)
    try:
        return _value_of(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise MalformedLog("the log is no YAML", found=" ".join(str(error).split())[:120]) from error
    except (ValueError, OverflowError) as error:  # escapes and version numbers that the library does not check
        raise MalformedLog("the log is no YAML", found=str(error)[:60]) from error


def _value_of(events: Iterator[Any]) -> Any:
    root: list[Any] = []
    path = [_Open(root)]
    documents = 0
    for number, event in enumerate(events):
        if number > MAX_NODES:
            raise MalformedLog("the log holds too many values", expected=f"at most {MAX_NODES}")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        elif isinstance(event, yaml.NodeEvent):
            _refuse_ambiguous(event)
            value = _started(event)
            _put(path[-1], value)
            if not isinstance(value, str):
                path.append(_Open(value))
            if len(path) > MAX_DEPTH:
                raise MalformedLog("the log is nested too deeply", expected=f"at most {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            path.pop()
    if documents != 1:
        raise MalformedLog("the log is not one YAML document", found=f"{documents} documents")
    return root[0]


def _refuse_ambiguous(event: Any) -> None:
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        raise MalformedLog(
            "the log holds an anchor or an alias", found=str(event.anchor)[:60], expected="each value once"
        )
    if event.tag not in (None, "!"):
        raise MalformedLog("the log holds a tag", found=event.tag[:60], expected="plain values")


def _started(event: Any) -> Any:
    if isinstance(event, yaml.MappingStartEvent):
        return {}
    return [] if isinstance(event, yaml.SequenceStartEvent) else str(event.value)


def _put(into: _Open, value: Any) -> None:
    if isinstance(into.value, list):
        into.value.append(value)
    elif into.key is not None:
        into.value[into.key] = value
        into.key = None
    elif not isinstance(value, str) or value == MERGE:
        raise MalformedLog("a key of the log is no plain text", found=str(value)[:60])
    elif value in into.value:
        raise MalformedLog("the log has a key twice", found=value[:60], expected="each one once")
    else:
        into.key = value
