"""Style sheets, scripts and drawings of the pages, served by the application itself under an address that names their bytes.

All files share one digest in their address, ``/static/DIGEST/NAME``: modules find each other by relative paths, browsers keep a
file for ever, and a new release has new addresses.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator
from functools import cache, partial
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable

from flask import Response

from certifier.errors import NotFoundError
from certifier.web.bundle import packed_module, packed_script
from certifier.web.responses import checked_query, reply
from certifier.web.site import Site

FOLDER = resources.files("certifier.web").joinpath("static")
JAVASCRIPT = "text/javascript; charset=utf-8"
MEDIA_TYPES = {".js": JAVASCRIPT, ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml; charset=utf-8"}
# name in the address -> the script, in one piece with all that it imports. The listener's page, which is to be small, loads what
# only prints and pages without https need when it needs it; it is looked for beside the script.
SCRIPTS: dict[str, Callable[[], str]] = {
    "scripts/certificate.js": partial(packed_script, "certificate-page.js", whole=False),
    "scripts/compact.js": partial(packed_module, "compact.js"),
    "scripts/plain.js": partial(packed_module, "plain.js"),
    "scripts/verify.js": partial(packed_script, "verify.js"),
    "scripts/submit.js": partial(packed_script, "submit.js"),
}


def asset(name: str) -> str:
    """The address of an asset. Raises KeyError for one that is not there."""
    if name not in SCRIPTS and name not in _files():
        raise KeyError(name)
    return f"/static/{_digest()}/{name}"


def serve(site: Site, digest: str, name: str) -> Response:  # noqa: ARG001 - every view gets the site
    """An asset; under the digest of another release it is that of today, and not to be kept."""
    checked_query()
    cache_for = "for ever" if digest == _digest() else "no time"
    if name in SCRIPTS:
        return reply(SCRIPTS[name](), JAVASCRIPT, cache_for)
    if name not in _files():
        raise NotFoundError("There is no such file.", found=name[:60])
    suffix = "." + name.rpartition(".")[2]
    media_type = MEDIA_TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    return reply(_files()[name].read_bytes(), media_type, cache_for)


@cache
def _files() -> dict[str, Traversable]:
    return dict(_walk(FOLDER, ""))


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry


@cache
def _digest() -> str:
    """The same on every machine for the same files."""
    whole = sha256()
    for name, file in _files().items():
        whole.update(f"{name}\0{sha256(file.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()[:16]
