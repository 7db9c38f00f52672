"""The statements that a JSON-LD document makes (RDF Dataset Canonicalization), with PyLD, offline and within limits.

What PyLD would drop, fetch or guess is refused: a signature over statements covers what they say, and readers of JSON see the
rest too.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyld.canon import URDNA2015
from pyld.context_resolver import ContextResolver
from pyld.identifier_issuer import IdentifierIssuer
from pyld.jsonld import JsonLdError, JsonLdProcessor

from certifier.certificate.rdfc import CREDENTIALS_V2, OPEN_BADGES
from certifier.crypto.canonical import MAX_INTEGER
from certifier.errors import MalformedCertificate

MAX_DEPTH = 32
MAX_VALUES = 1_000  # a certificate has about two hundred
_MAX_PROCESSED = 500
MAX_PERMUTATIONS = 5_000  # a certificate needs none; this many take a quarter of a second

_RELATIVE = "relative-address:"  # whatever has this scheme after expansion had no full address of its own
_OF_VALUES = {"@type", "@value", "@language"}
_IRI = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f<>"{}|\\^`]*')
# RDF canonicalisers disagree about how control characters are escaped, and half a surrogate pair is no text
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def statements_of(document: dict[str, Any], contexts: Mapping[str, dict[str, Any]]) -> str:
    """The statements as canonical N-Quads. Raises MalformedCertificate."""
    _require_contexts(document.get("@context"), contexts)
    _require_covered(document, contexts)
    try:
        dataset = _processor_for(contexts).dataset_of(document)
        return str(_BoundedCanonicalisation().main(dataset, {"format": "application/n-quads"}))
    except JsonLdError as error:
        raise _cause_of(error) from error
    except RecursionError as error:
        raise _too_much("nesting") from error


# ---- what a signature over statements would not cover


def _require_contexts(given: Any, contexts: Mapping[str, dict[str, Any]]) -> None:
    """VC Data Model 2.0 section 4.3: an ordered set whose first item is the credentials context; here all by address."""
    urls = given if isinstance(given, list) and given else [given]
    for url in urls:
        if not isinstance(url, str) or url not in contexts:
            raise MalformedCertificate(
                "The document uses a JSON-LD context that is not pinned here.",
                found=str(url)[:200],
                expected=", ".join(contexts),
                hint="Contexts are never fetched: whoever serves them could change what was signed.",
            )
    if urls[0] != CREDENTIALS_V2 or len(set(urls)) != len(urls) or (OPEN_BADGES in urls and urls[1] != OPEN_BADGES):
        raise MalformedCertificate(
            "The JSON-LD contexts are not in their order.",
            found=", ".join(urls),
            expected=f"{CREDENTIALS_V2} first, then {OPEN_BADGES} if it is used, each once",
        )


def _require_covered(document: dict[str, Any], contexts: Mapping[str, dict[str, Any]]) -> None:
    """Refuse, before any work, values that leave no trace among the statements or that no signed document may hold."""
    for count, (inside, name, value, depth, in_value) in enumerate(_members_of(document)):
        if count >= MAX_VALUES:
            raise _too_much("values")
        if depth > MAX_DEPTH:
            raise _too_much("levels")
        if name == "@context" and (depth == 1 or inside == "verifiableCredential"):
            _require_contexts(value, contexts)
        elif name.startswith("@") and not (name in _OF_VALUES and in_value):
            raise _uncovered(f"the member {name}", "of JSON-LD's own members only @value with @language or @type")
        elif ":" in name:
            # The same statement under the address of its term: readers of JSON would not see it, an end date for one.
            raise _uncovered(f"the member {name}"[:200], "terms, not their addresses, as the names of members")
        if value is None or value == []:
            raise _uncovered(f"{name}: {'[]' if value == [] else 'null'}", "members that say something")
        _require_scalar(name, value)


def _members_of(document: dict[str, Any]) -> Iterator[tuple[str, str, Any, int, bool]]:
    """Every member: the name that it stands under, its own name, its value, its depth, whether beside an ``@value``.

    Nothing here recurses.
    """
    waiting: list[tuple[str, str, Any, int, bool]] = [("", name, value, 1, False) for name, value in document.items()]
    while waiting:
        member = waiting.pop()
        yield member
        inside, name, value, depth, in_value = member
        if isinstance(value, dict):
            waiting += [(name, inner, item, depth + 1, "@value" in value) for inner, item in value.items()]
        elif isinstance(value, list) and name != "@context":
            waiting += [(inside, name, item, depth + 1, in_value) for item in value]


def _require_scalar(name: str, value: Any) -> None:
    kind = type(value)
    if kind in {dict, list, bool} or (kind is int and abs(value) <= MAX_INTEGER):
        return
    if kind is not str:
        raise MalformedCertificate(
            "A value has no place in a signed document.",
            found=f"{name}: {kind.__name__}",
            expected="text, true, false, an integer up to 2^53 - 1, an array or an object",
            hint="Write a number with a fraction as a decimal string.",
        )
    if _CONTROL.search(value):
        raise MalformedCertificate(
            "A text holds characters that have no one form among statements.",
            found=f"{name}: {value!r}"[:80],
            expected="text without control characters and lone surrogates",
        )


class _Processor(JsonLdProcessor):  # type: ignore[misc]
    """PyLD's processor with two differences: what it would drop is refused, and each context is processed once.

    PyLD keeps processed contexts too, but loses them at every type that brings terms of its own.
    """

    def __init__(self, contexts: Mapping[str, dict[str, Any]]) -> None:
        super().__init__(on_property_dropped=_refuse_dropped)
        loader = _loader_of(contexts)
        self._options = {
            "contextResolver": ContextResolver({}, loader),
            "documentLoader": loader,
            "base": f"{_RELATIVE}//nowhere/",
        }
        self._processed: dict[tuple[Any, ...], tuple[Any, Any, Any]] = {}

    def dataset_of(self, document: dict[str, Any]) -> Any:
        return self.to_rdf(document, self._options)

    def expand(self, input_: Any, options: dict[str, Any]) -> Any:
        expanded = super().expand(input_, options)
        _require_whole(expanded)
        return expanded

    def _process_context(self, active_ctx: Any, local_ctx: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        # Documents name their contexts by address; an object here is a part of a pinned context, the same one each time.
        by_address = isinstance(local_ctx, (str, list))
        if "cycles" in kwargs:  # PyLD looks into a context that it is still building
            return super()._process_context(active_ctx, local_ctx, options, *args, **kwargs)
        key = (id(active_ctx), str(local_ctx) if by_address else id(local_ctx), args, *sorted(kwargs.items()))
        known = self._processed.get(key)
        if known is None:
            processed = super()._process_context(active_ctx, local_ctx, options, *args, **kwargs)
            if len(self._processed) >= _MAX_PROCESSED:
                self._processed.clear()
            # the two inputs are kept, so that their ids stay their own
            known = self._processed[key] = (processed, active_ctx, local_ctx)
        return known[0]


def _refuse_dropped(term: str | None) -> None:
    raise _uncovered(f"the term {term}", "terms that the document's contexts define")


def _require_whole(expanded: Any) -> None:
    """Refuse relative addresses, blank nodes' names, whatever could break out of an N-Quad, and things in two pieces."""
    waiting: list[tuple[Any, set[str]]] = [(expanded, set())]  # with the ids that were described so far in its graph
    while waiting:
        value, described = waiting.pop()
        if isinstance(value, list):
            waiting += [(item, described) for item in value]
        elif isinstance(value, dict):
            _require_one_piece(value, described)
            for name, item in value.items():
                if name in {"@id", "@type"}:
                    for iri in item if isinstance(item, list) else [item]:
                        _require_iri(iri)
                elif name == "@language":
                    _require_language(item)
                elif name in {"@list", "@graph", "@set"}:
                    waiting.append((item, set() if name == "@graph" else described))
                elif name != "@value":
                    _require_iri(name)
                    waiting.append((item, described))


def _require_one_piece(node: dict[str, Any], described: set[str]) -> None:
    """Two objects with one id make the statements of one, and who reads the JSON would see half of each."""
    node_id = node.get("@id")
    if node_id is None or len(node) == 1:
        return
    if node_id in described:
        raise _uncovered(f"two descriptions of {node_id}"[:200], "each thing described in one place")
    described.add(node_id)


def _require_iri(iri: str) -> None:
    if iri == "@json" or (_IRI.fullmatch(iri) and not iri.startswith(_RELATIVE)):
        return
    raise _uncovered(
        iri.removeprefix(f"{_RELATIVE}//nowhere/")[:200],
        "an absolute address, or a type or term that the document's contexts define",
    )


def _require_language(tag: Any) -> None:
    if not (isinstance(tag, str) and re.fullmatch(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*", tag)):
        raise _uncovered(f"@language {tag!r}"[:80], "a language tag such as en or pt-BR (BCP 47)")


def _uncovered(found: str, expected: str) -> MalformedCertificate:
    return MalformedCertificate(
        "The document holds something that its signature does not cover as it stands.",
        found=found,
        expected=expected,
        hint="It was perhaps added after signing. Believe nothing of this copy.",
    )


def _too_much(what: str) -> MalformedCertificate:
    return MalformedCertificate(
        "The document takes more work to check than a certificate may.",
        found=f"too much of: {what}",
        expected=f"at most {MAX_VALUES} values, {MAX_DEPTH} levels, and parts that differ from each other",
        hint="A certificate of this label is far smaller.",
    )


def _cause_of(error: BaseException) -> MalformedCertificate:
    """Our own refusal inside PyLD's, or PyLD's in one line."""
    inner: BaseException | None = error
    words = ""
    while inner is not None:
        if isinstance(inner, MalformedCertificate):
            return inner
        words = str(inner).splitlines()[0] if str(inner) else words
        inner = inner.__cause__
    return MalformedCertificate("The document is no JSON-LD that can be signed.", found=words[:200])


# ---- PyLD, offline, within limits


class _BoundedCanonicalisation(URDNA2015):  # type: ignore[misc]
    """URDNA2015 that counts the orders it would try for parts that look alike, and stops before they explode."""

    def __init__(self) -> None:
        super().__init__()
        self._left = MAX_PERMUTATIONS

    def create_hash_to_related(self, id_: str, issuer: IdentifierIssuer) -> dict[str, list[str]]:
        related: dict[str, list[str]] = super().create_hash_to_related(id_, issuer)
        self._left -= 1 + sum(math.factorial(min(len(group), 8)) for group in related.values())
        if self._left < 0:
            raise _too_much("parts that cannot be told apart")
        return related


def _loader_of(contexts: Mapping[str, dict[str, Any]]) -> Callable[[str, Any], dict[str, Any]]:
    def load(url: str, _options: Any) -> dict[str, Any]:
        if url not in contexts:
            raise MalformedCertificate("A JSON-LD context is not pinned here.", found=url, expected=", ".join(contexts))
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": contexts[url],
            "tag": "static",
        }

    return load


class _Workshop(threading.local):
    """One processor per thread and set of contexts: PyLD's caches are not made for several threads."""

    def __init__(self) -> None:
        self.processors: dict[int, tuple[Mapping[str, dict[str, Any]], _Processor]] = {}


_WORKSHOP = _Workshop()
_MAX_PROCESSORS = 4


def _processor_for(contexts: Mapping[str, dict[str, Any]]) -> _Processor:
    processors = _WORKSHOP.processors
    known = processors.get(id(contexts))  # the entry keeps the mapping alive, so its id stays its own
    if known is None:
        if len(processors) >= _MAX_PROCESSORS:
            processors.clear()
        known = processors[id(contexts)] = (contexts, _Processor(contexts))
    return known[1]
