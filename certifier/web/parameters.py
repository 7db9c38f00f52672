"""What a query may say in more than a choice: digests, moments and numbers, each read in one form."""

from __future__ import annotations

import re
from collections.abc import Mapping

from certifier.certificate.times import parse_time, time_text
from certifier.errors import MalformedCertificate
from certifier.web.problems import ParameterInvalid

DIGEST = r"^[0-9a-f]{64}$"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def digest_in(asked: Mapping[str, str], name: str) -> str:
    """A SHA-256 in small hexadecimal digits; empty where none is given. Raises ParameterInvalid."""
    digest = asked[name]
    if digest and not re.fullmatch(DIGEST, digest):
        raise ParameterInvalid(
            "This is not a SHA-256.", found=digest[:80], expected="64 small hexadecimal digits", pointer=name
        )
    return digest


def limit_in(asked: Mapping[str, str], usual: int, most: int) -> int:
    """How many things one answer holds, by the parameter ``limit``. Raises ParameterInvalid."""
    text = asked["limit"]
    if not text:
        return usual
    if re.fullmatch(r"[1-9][0-9]{0,3}", text, re.ASCII) and int(text) <= most:
        return int(text)
    raise ParameterInvalid(
        "The parameter limit cannot be used.", found=text[:40], expected=f"1 to {most}", pointer="limit"
    )


def moment_in(asked: Mapping[str, str], name: str) -> str:
    """A time as it is stored; a day stands for its beginning; empty where none is given. Raises ParameterInvalid."""
    text = asked[name]
    if not text:
        return ""
    try:
        return time_text(parse_time(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text))
    except MalformedCertificate as error:
        raise ParameterInvalid(
            f"The parameter {name} cannot be used.",
            found=text[:40],
            expected="2026-11-22T20:00:00Z or 2026-11-22",
            pointer=name,
        ) from error
