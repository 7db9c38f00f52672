"""An application that differs from the one at hand, and the list of places in which it differs.

What a lever would do is shown as changes by JSON Pointer (RFC 6901) below ``/report`` and ``/evidence``, so that anybody
can make them and decide again. They are found by comparing; nobody writes them by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from certifier.units import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from certifier.report.evidence import Evidence
    from certifier.report.model import Report


@dataclass(frozen=True)
class Application:
    """A report and what the issuer knows beside it: all that a decision rests on."""

    report: Report
    evidence: Evidence


@dataclass(frozen=True)
class Change:
    """One place and its value before and after, as JSON values. None is a place that is not there.

    Made one after the other in their order, the changes of a lever lead from one application to the other: a pointer that
    ends in ``-`` adds to a list, a new value of None takes the place away.
    """

    pointer: str
    old: Any
    new: Any


def changes_between(before: Application, after: Application) -> tuple[Change, ...]:
    """Every place in which the two differ."""
    return (
        *_differences("/report", before.report, after.report),
        *_differences("/evidence", before.evidence, after.evidence),
    )


def _differences(pointer: str, old: Any, new: Any) -> Iterator[Change]:
    if old is new or old == new:
        return
    match old, new:
        case BaseModel(), BaseModel() if type(old) is type(new):
            for name, field in type(old).model_fields.items():
                yield from _differences(_below(pointer, field.alias or name), getattr(old, name), getattr(new, name))
        case dict(), dict():
            for key in (*old, *(key for key in new if key not in old)):
                yield from _differences(_below(pointer, key), old.get(key), new.get(key))
        case tuple(), tuple():
            yield from _listed_differences(pointer, old, new)
        case _:
            yield Change(pointer, _json(old), _json(new))


def _listed_differences(pointer: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Change]:
    """Entries that are different, then those that are gone, the last one first, then those that were added."""
    kept = _places_of_kept(old, new)
    if kept is None:
        yield Change(pointer, _json(old), _json(new))
        return
    for place_now, place in enumerate(kept):
        yield from _differences(_below(pointer, str(place)), old[place], new[place_now])
    for place in sorted(set(range(len(old))) - set(kept), reverse=True):
        yield Change(_below(pointer, str(place)), _json(old[place]), None)
    for entry in new[len(kept) :]:
        yield Change(_below(pointer, "-"), None, _json(entry))


def _places_of_kept(old: Sequence[Any], new: Sequence[Any]) -> list[int] | None:
    """Where the entries of the new list stood in the old one, as far as they did. None if they were put in disorder."""
    if len(new) >= len(old):
        return list(range(len(old)))
    places = {getattr(entry, "id", None): place for place, entry in enumerate(old)}
    kept = [places.get(getattr(entry, "id", None), -1) for entry in new]
    in_order = kept == sorted(set(kept)) and -1 not in kept
    return kept if in_order and len(places) == len(old) else None


def _below(pointer: str, step: str) -> str:
    return f"{pointer}/{step.replace('~', '~0').replace('/', '~1')}"


def _json(value: Any) -> Any:
    """The value as in a document: decimals are strings, nothing stands where nothing was said."""
    match value:
        case BaseModel():
            fields = ((field.alias or name, getattr(value, name)) for name, field in type(value).model_fields.items())
            return {name: _json(part) for name, part in fields if part is not None}
        case Decimal():
            return plain(value) if value.is_finite() else str(value)
        case dict():
            return _mapping(value)
        case tuple() | list():
            return [_json(part) for part in value]
        case _:
            return value


def _mapping(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _json(part) for key, part in value.items()}
