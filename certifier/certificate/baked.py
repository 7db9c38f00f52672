"""A badge that carries its own proof: an SVG with the signed credential inside, as Open Badges 3.0 section 5.3.2 says.

The credential is the one with the ``eddsa-rdfc-2022`` proof, as JSON text in ``openbadges:credential``. The picture is not
covered by the signature: whoever shows it has to show what the credential says. SVG from outside is foreign XML, so it is read
without DTDs and entities.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from certifier.errors import MalformedCertificate

NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
MAX_BYTES = 1024 * 1024

_SVG = "{http://www.w3.org/2000/svg}svg"
_CREDENTIAL = f"{{{NAMESPACE}}}credential"
_OPENING_TAG = re.compile(r"<svg(?=[\s>])(?:[^>\"']|\"[^\"]*\"|'[^']*')*(?<!/)>")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")  # not allowed in XML 1.0, or discouraged


def bake(svg: str, credential: str) -> str:
    """The picture with the credential (JSON text) inside; everything else in it stays as it is.

    Raises MalformedCertificate when ``svg`` has no opening tag or carries a credential already.
    """
    tag = _OPENING_TAG.search(svg)
    if tag is None or NAMESPACE in svg:
        raise MalformedCertificate(
            "A credential cannot be put into this picture.",
            found="no opening svg tag" if tag is None else "a credential in it already",
            expected="an SVG without a credential",
        )
    # in JSON such characters stand inside strings only, where an escape means the same
    text = _NO_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", credential).replace("]]>", "]]]]><![CDATA[>")
    opening = f'{tag[0][:-1]} xmlns:openbadges="{NAMESPACE}">'
    element = f"<openbadges:credential><![CDATA[{text}]]></openbadges:credential>"
    return svg[: tag.start()] + opening + element + svg[tag.end() :]


def unbake(svg: bytes) -> bytes:
    """The one credential inside an SVG: JSON text, or a token when another issuer baked one. Nothing is verified.

    Raises MalformedCertificate: no XML, a DTD, entities, no SVG, too large, no credential, more than one.
    """
    if len(svg) > MAX_BYTES:
        raise _no_badge(f"{len(svg)} bytes", f"at most {MAX_BYTES} bytes")
    try:
        root = fromstring(svg, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as error:
        raise _no_badge("a DTD or an entity", "plain SVG without a DTD and without entities") from error
    except (ParseError, ValueError, LookupError) as error:
        raise _no_badge(f"{type(error).__name__}: {error}"[:120], "well-formed XML") from error
    if root.tag != _SVG:
        raise _no_badge(str(root.tag)[:120], "an SVG picture")
    found = list(root.iter(_CREDENTIAL))
    if len(found) != 1:
        raise _no_badge(f"{len(found)} credentials", "one element openbadges:credential")
    if len(found[0]):
        raise _no_badge("elements inside the credential", "a credential that is text")
    texts: list[str] = [text.strip() for text in (found[0].get("verify"), found[0].text) if text and text.strip()]
    if len(texts) != 1:
        raise _no_badge(f"a credential with {len(texts)} texts", "a token in the attribute verify, or JSON as the text")
    return texts[0].encode()


def _no_badge(found: str, expected: str) -> MalformedCertificate:
    return MalformedCertificate(
        "The picture is no baked badge that can be read.",
        found=found,
        expected=expected,
        hint="Only the badge with the Open Badge inside (CODE.baked.svg) holds one, and many programs drop it when they save.",
    )
