"""What is asked of the API in JSON: read strictly into its model, or refused with the place that does not fit."""

from __future__ import annotations

from typing import TypeVar

from flask import request
from pydantic import ValidationError

from certifier.crypto.strict_json import DEFAULT_LIMITS, parse_object
from certifier.web.documents import Document
from certifier.web.problems import MediaTypeUnsupported, ParameterInvalid
from certifier.web.responses import JSON

Sent = TypeVar("Sent", bound=Document)


def sent(
    model: type[Sent], what: str, unread: str = "The question cannot be read.", most: int = DEFAULT_LIMITS.max_bytes
) -> Sent:
    """The JSON document that came with a request, of at most so many bytes. ``what`` begins a sentence about it.

    Raises MediaTypeUnsupported, PayloadTooLarge, and as ``parse_as``.
    """
    return parse_as(model, body_sent(what, most), unread)


def body_sent(what: str, most: int = DEFAULT_LIMITS.max_bytes) -> bytes:
    """The body of a request that asks in JSON. Raises MediaTypeUnsupported and PayloadTooLarge."""
    if request.mimetype != JSON:
        raise MediaTypeUnsupported(f"{what} in JSON.", found=request.mimetype or "none", expected=JSON)
    request.max_content_length = most
    return request.get_data()


def parse_as(model: type[Sent], raw: bytes, unread: str = "The question cannot be read.") -> Sent:
    """A question as its model. Raises MalformedJson, and ParameterInvalid where it does not fit the model."""
    try:
        return model.model_validate(parse_object(raw))
    except ValidationError as error:
        raise misfit(error, unread) from error


def misfit(error: ValidationError, message: str = "The question cannot be read.") -> ParameterInvalid:
    """What is wrong first of all with a document that somebody sent."""
    first = error.errors(include_url=False, include_input=False)[0]
    pointer = "".join(f"/{step}" for step in first["loc"])
    expected = "no such member" if first["type"] == "extra_forbidden" else first["msg"]
    return ParameterInvalid(message, expected=expected, pointer=pointer[:200])
